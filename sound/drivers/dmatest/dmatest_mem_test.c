// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *  KUnit tests of the dmatest card's memory model
 *
 *  A judge has to be judged first: each way to get a cache sync wrong must
 *  show, and what is right must not.
 */

#include <kunit/test.h>

#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "dmatest_mem.h"

#define LINE	64

static const struct dmatest_mem_config plain = {
	.line = LINE,
	.iommu = true,
};

struct machine {
	struct platform_device *pdev;
	struct device *dev;
	struct dmatest_mem mem;
	bool modelled;
};

static int machine_init(struct kunit *test)
{
	struct machine *m = kunit_kzalloc(test, sizeof(*m), GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, m);
	m->pdev = platform_device_register_simple("dmatest-kunit",
						  PLATFORM_DEVID_AUTO, NULL, 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR(m->pdev));
	m->dev = &m->pdev->dev;
	dma_set_max_seg_size(m->dev, SZ_16M);
	test->priv = m;
	return 0;
}

static struct machine *machine_with(struct kunit *test,
				    const struct dmatest_mem_config *config)
{
	struct machine *m = test->priv;

	KUNIT_ASSERT_EQ(test, dmatest_mem_init(&m->mem, m->dev, config), 0);
	m->modelled = true;
	return m;
}

static void machine_exit(struct kunit *test)
{
	struct machine *m = test->priv;

	if (m->modelled) {
		KUNIT_EXPECT_EQ(test, m->mem.maps, 0U);
		dmatest_mem_exit(&m->mem);
	}
	platform_device_unregister(m->pdev);
}

static u64 faults(struct machine *m)
{
	struct dmatest_mem_stats stats;

	dmatest_mem_get_stats(&m->mem, &stats);
	return stats.faults;
}

/* Memory of either kind, with the DMA API behind one interface */
struct buffer {
	struct device *dev;
	size_t size;
	enum dma_data_direction dir;
	struct page *page;
	struct sg_table *sgt;
	u8 *cpu;
	dma_addr_t addr;
};

static void buffer_get(struct kunit *test, struct machine *m, struct buffer *b,
		       size_t size, enum dma_data_direction dir, bool scattered)
{
	*b = (struct buffer){ .dev = m->dev, .size = size, .dir = dir };
	if (scattered) {
		b->sgt = dma_alloc_noncontiguous(m->dev, size, dir,
						 GFP_KERNEL | __GFP_ZERO, 0);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b->sgt);
		b->cpu = dma_vmap_noncontiguous(m->dev, size, b->sgt);
		b->addr = sg_dma_address(b->sgt->sgl);
	} else {
		b->page = dma_alloc_pages(m->dev, size, &b->addr, dir,
					  GFP_KERNEL);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b->page);
		KUNIT_ASSERT_EQ(test, dma_mapping_error(m->dev, b->addr), 0);
		b->cpu = page_address(b->page);
	}
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, b->cpu);
}

static void buffer_put(struct buffer *b)
{
	if (b->sgt) {
		dma_vunmap_noncontiguous(b->dev, b->cpu);
		dma_free_noncontiguous(b->dev, b->size, b->sgt, b->dir);
	} else {
		dma_free_pages(b->dev, b->size, b->page, b->addr, b->dir);
	}
}

static void buffer_to_device(struct buffer *b)
{
	if (b->sgt)
		dma_sync_sgtable_for_device(b->dev, b->sgt, b->dir);
	else
		dma_sync_single_for_device(b->dev, b->addr, b->size, b->dir);
}

static void buffer_to_cpu(struct buffer *b)
{
	if (b->sgt)
		dma_sync_sgtable_for_cpu(b->dev, b->sgt, b->dir);
	else
		dma_sync_single_for_cpu(b->dev, b->addr, b->size, b->dir);
}

/*
 * What comes out of a sequence of
 *
 *   C, D	the CPU or the device writes 0xc1 or 0xd1, then 0xc2 or 0xd2 ...
 *   d, c	sync for the device, for the CPU
 *   S		the CPU writes what is there already
 *   e, p	everything dirty is evicted, everything clean is prefetched
 */
struct sequence {
	const char *name;
	enum dma_data_direction dir;
	bool inval;
	const char *steps;
	u8 cpu;		/* what the CPU's view holds in the end */
	u8 dev;		/* what the device's view holds */
};

static const struct sequence sequences[] = {
	/* Nothing went wrong */
	{ "new memory is zero for the CPU only",
	  DMA_TO_DEVICE, false, "", 0, DMATEST_POISON },
	{ "zeros reach memory with a clean",
	  DMA_TO_DEVICE, false, "d", 0, 0 },
	{ "playback",
	  DMA_TO_DEVICE, false, "Cd", 0xc1, 0xc1 },
	{ "playback, over and over",
	  DMA_TO_DEVICE, false, "CdCdepCd", 0xc3, 0xc3 },
	{ "capture",
	  DMA_FROM_DEVICE, false, "dDc", 0xd1, 0xd1 },
	{ "capture, with all adversaries",
	  DMA_FROM_DEVICE, false, "depDepcepdepDepc", 0xd2, 0xd2 },
	{ "capture where for_device invalidates",
	  DMA_FROM_DEVICE, true, "dDc", 0xd1, 0xd1 },
	{ "playback where for_device invalidates for capture",
	  DMA_TO_DEVICE, true, "Cd", 0xc1, 0xc1 },
	{ "both ways",
	  DMA_BIDIRECTIONAL, false, "CdDcCd", 0xc2, 0xc2 },
	{ "for_cpu of what only the CPU writes does nothing",
	  DMA_TO_DEVICE, false, "Cc", 0xc1, DMATEST_POISON },

	{ "what was written is not fetched, though it is the same",
	  DMA_FROM_DEVICE, false, "dDSp", 0, 0xd1 },
	{ "and reaches memory with a clean",
	  DMA_FROM_DEVICE, false, "dDSd", 0, 0 },

	/* A clean is missing */
	{ "playback without a clean is stale",
	  DMA_TO_DEVICE, false, "C", 0xc1, DMATEST_POISON },
	{ "playback without the second clean is stale",
	  DMA_TO_DEVICE, false, "CdC", 0xc2, 0xc1 },
	{ "an eviction hides a missing clean",
	  DMA_TO_DEVICE, false, "Ce", 0xc1, 0xc1 },
	{ "a prefetch does not",
	  DMA_TO_DEVICE, false, "Cp", 0xc1, DMATEST_POISON },
	{ "zeros that were not cleaned are evicted over captured data",
	  DMA_FROM_DEVICE, false, "Dec", 0, 0 },
	{ "so is what the CPU wrote",
	  DMA_FROM_DEVICE, false, "dCDec", 0xc1, 0xc1 },
	{ "what was cleaned is not",
	  DMA_FROM_DEVICE, false, "dCdDec", 0xd1, 0xd1 },

	/* An invalidate is missing */
	{ "capture without an invalidate is stale",
	  DMA_FROM_DEVICE, false, "dD", 0, 0xd1 },
	{ "capture without the second invalidate is stale",
	  DMA_FROM_DEVICE, false, "dDcD", 0xd1, 0xd2 },
	{ "an invalidate that comes too early is none",
	  DMA_FROM_DEVICE, false, "dcD", 0, 0xd1 },
	{ "a prefetch hides a missing invalidate",
	  DMA_FROM_DEVICE, false, "dDp", 0xd1, 0xd1 },
	{ "what was prefetched too early is stale",
	  DMA_FROM_DEVICE, false, "dDpD", 0xd1, 0xd2 },
	{ "a prefetch does not touch dirty lines",
	  DMA_FROM_DEVICE, false, "dCDp", 0xc1, 0xd1 },

	/* An invalidate is wrong */
	{ "an invalidate throws zeros away",
	  DMA_FROM_DEVICE, false, "c", DMATEST_POISON, DMATEST_POISON },
	{ "for_device does, where it invalidates",
	  DMA_FROM_DEVICE, true, "d", DMATEST_POISON, DMATEST_POISON },
	{ "an invalidate throws away what the CPU wrote",
	  DMA_BIDIRECTIONAL, false, "dCc", 0, 0 },
};

static void sequence_name(const struct sequence *s, char *desc)
{
	strscpy(desc, s->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(sequence, sequences, sequence_name);

static bool all_are(const u8 *bytes, size_t count, u8 value)
{
	return !memchr_inv(bytes, value, count);
}

static void run_sequence(struct kunit *test, struct machine *m, size_t size,
			 bool scattered)
{
	const struct sequence *s = test->param_value;
	u8 *view = kunit_kmalloc(test, size, GFP_KERNEL);
	u8 cpu = 0xc1, dev = 0xd1;
	const char *step;
	struct buffer b;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, view);
	buffer_get(test, m, &b, size, s->dir, scattered);
	for (step = s->steps; *step; step++) {
		switch (*step) {
		case 'C':
			memset(b.cpu, cpu++, size);
			break;
		case 'D':
			memset(view, dev++, size);
			KUNIT_EXPECT_TRUE(test,
					  dmatest_mem_write(&m->mem, b.addr,
							    view, size));
			break;
		case 'S':
			dmatest_mem_store(&m->mem, b.addr, size);
			break;
		case 'd':
			buffer_to_device(&b);
			break;
		case 'c':
			buffer_to_cpu(&b);
			break;
		case 'e':
			dmatest_mem_evict(&m->mem, b.addr, size);
			break;
		case 'p':
			dmatest_mem_prefetch(&m->mem, b.addr, size);
			break;
		}
	}
	KUNIT_EXPECT_TRUE_MSG(test, all_are(b.cpu, size, s->cpu),
			      "the CPU sees %02x, not %02x", b.cpu[0], s->cpu);

	/* What the device sees is what the CPU gets once it looks again */
	if (s->dir == DMA_TO_DEVICE) {
		dmatest_mem_read(&m->mem, b.addr, view, size);
	} else {
		buffer_to_cpu(&b);
		memcpy(view, b.cpu, size);
	}
	KUNIT_EXPECT_TRUE_MSG(test, all_are(view, size, s->dev),
			      "the device sees %02x, not %02x", view[0], s->dev);
	buffer_put(&b);
	KUNIT_EXPECT_EQ(test, faults(m), 0ULL);
}

static void sequence_contiguous(struct kunit *test)
{
	const struct sequence *s = test->param_value;
	struct dmatest_mem_config config = plain;

	config.inval_from_device = s->inval;
	run_sequence(test, machine_with(test, &config), 3 * PAGE_SIZE, false);
}

static void sequence_scattered(struct kunit *test)
{
	const struct sequence *s = test->param_value;
	struct dmatest_mem_config config = plain;

	config.inval_from_device = s->inval;
	run_sequence(test, machine_with(test, &config), 3 * PAGE_SIZE, true);
}

/*
 * Whole lines
 */

struct rounding {
	const char *name;
	unsigned int line;
	size_t ofs, bytes;	/* what is asked for */
	size_t start, end;	/* what is synced */
};

static const struct rounding roundings[] = {
	{ "nothing", 64, 100, 0, 64, 64 },
	{ "one byte", 64, 0, 1, 0, 64 },
	{ "the last byte of a line", 64, 63, 1, 0, 64 },
	{ "two bytes of two lines", 64, 63, 2, 0, 128 },
	{ "a line", 64, 64, 64, 64, 128 },
	{ "a line, off by one", 64, 65, 64, 64, 192 },
	{ "short lines", 16, 17, 16, 16, 48 },
	{ "long lines", 256, 255, 2, 0, 512 },
	{ "two pages", 64, PAGE_SIZE - 1, 2, PAGE_SIZE - 64, PAGE_SIZE + 64 },
	{ "lines as long as pages", PAGE_SIZE, 1, PAGE_SIZE, 0, 2 * PAGE_SIZE },
};

static void rounding_name(const struct rounding *r, char *desc)
{
	strscpy(desc, r->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(rounding, roundings, rounding_name);

static void expect_changed(struct kunit *test, const u8 *view, size_t size,
			   u8 before, u8 after)
{
	const struct rounding *r = test->param_value;

	KUNIT_EXPECT_TRUE(test, all_are(view, r->start, before));
	KUNIT_EXPECT_TRUE(test, all_are(view + r->start, r->end - r->start,
					after));
	KUNIT_EXPECT_TRUE(test, all_are(view + r->end, size - r->end, before));
}

static void whole_lines(struct kunit *test)
{
	const struct rounding *r = test->param_value;
	struct dmatest_mem_config config = plain;
	size_t size = 2 * PAGE_SIZE;
	u8 *view = kunit_kmalloc(test, size, GFP_KERNEL);
	struct dmatest_sync_stats stats = { };
	struct machine *m;
	struct buffer b;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, view);
	config.line = r->line;
	m = machine_with(test, &config);
	buffer_get(test, m, &b, size, DMA_BIDIRECTIONAL, false);
	dmatest_mem_claim(&m->mem, b.addr, &stats);

	memset(b.cpu, 0xc1, size);
	dma_sync_single_for_device(m->dev, b.addr + r->ofs, r->bytes, b.dir);
	dmatest_mem_read(&m->mem, b.addr, view, size);
	expect_changed(test, view, size, DMATEST_POISON, 0xc1);

	memset(view, 0xd1, size);
	dmatest_mem_write(&m->mem, b.addr, view, size);
	dma_sync_single_for_cpu(m->dev, b.addr + r->ofs, r->bytes, b.dir);
	expect_changed(test, b.cpu, size, 0xc1, 0xd1);

	KUNIT_EXPECT_EQ(test, stats.ranges, r->bytes ? 2ULL : 0ULL);
	KUNIT_EXPECT_EQ(test, stats.asked[DMATEST_SYNC_DEVICE], (u64)r->bytes);
	KUNIT_EXPECT_EQ(test, stats.asked[DMATEST_SYNC_CPU], (u64)r->bytes);
	KUNIT_EXPECT_EQ(test, stats.lines[DMATEST_SYNC_DEVICE],
			(u64)(r->end - r->start));
	KUNIT_EXPECT_EQ(test, stats.lines[DMATEST_SYNC_CPU],
			(u64)(r->end - r->start));
	buffer_put(&b);
}

/* A byte that the CPU writes takes its whole line along */
static void false_sharing(struct kunit *test)
{
	struct machine *m = machine_with(test, &plain);
	u8 view[2 * LINE];
	struct buffer b;

	buffer_get(test, m, &b, PAGE_SIZE, DMA_BIDIRECTIONAL, false);
	buffer_to_device(&b);
	b.cpu[5] = 0xc1;
	memset(view, 0xd1, sizeof(view));
	dmatest_mem_write(&m->mem, b.addr, view, sizeof(view));
	dmatest_mem_evict(&m->mem, b.addr, PAGE_SIZE);
	dmatest_mem_read(&m->mem, b.addr, view, sizeof(view));
	KUNIT_EXPECT_TRUE(test, all_are(view, 5, 0));
	KUNIT_EXPECT_EQ(test, view[5], (u8)0xc1);
	KUNIT_EXPECT_TRUE(test, all_are(view + 6, LINE - 6, 0));
	KUNIT_EXPECT_TRUE(test, all_are(view + LINE, LINE, 0xd1));
	buffer_put(&b);
}

/*
 * Faults
 */

static void fault_unmapped(struct kunit *test)
{
	struct machine *m = machine_with(test, &plain);
	u8 view[LINE] = { };
	struct buffer b;

	buffer_get(test, m, &b, PAGE_SIZE, DMA_BIDIRECTIONAL, true);

	KUNIT_EXPECT_FALSE(test, dmatest_mem_read(&m->mem, b.addr - LINE, view,
						  LINE));
	KUNIT_EXPECT_TRUE(test, all_are(view, LINE, 0xff));
	KUNIT_EXPECT_FALSE(test, dmatest_mem_write(&m->mem, b.addr + PAGE_SIZE,
						   view, LINE));
	KUNIT_EXPECT_EQ(test, faults(m), 2ULL);

	/* Half of it is there, and half is not */
	KUNIT_EXPECT_FALSE(test, dmatest_mem_read(&m->mem, b.addr - LINE / 2,
						  view, LINE));
	KUNIT_EXPECT_TRUE(test, all_are(view, LINE / 2, 0xff));
	KUNIT_EXPECT_TRUE(test, all_are(view + LINE / 2, LINE / 2,
					DMATEST_POISON));
	KUNIT_EXPECT_EQ(test, faults(m), 3ULL);

	buffer_put(&b);
	KUNIT_EXPECT_FALSE(test, dmatest_mem_read(&m->mem, b.addr, view, LINE));
	KUNIT_EXPECT_EQ(test, faults(m), 4ULL);
}

static void fault_physical(struct kunit *test)
{
	struct machine *m = machine_with(test, &plain);
	u8 view[LINE];
	struct buffer b;

	buffer_get(test, m, &b, PAGE_SIZE, DMA_BIDIRECTIONAL, false);
	KUNIT_EXPECT_FALSE(test, dmatest_mem_read(&m->mem, page_to_phys(b.page),
						  view, LINE));
	KUNIT_EXPECT_FALSE(test, dmatest_mem_read(&m->mem, (u32)b.addr, view,
						  LINE) &&
				 b.addr != (u32)b.addr);
	KUNIT_EXPECT_GE(test, faults(m), 1ULL);
	buffer_put(&b);
}

static void fault_direction(struct kunit *test)
{
	struct machine *m = machine_with(test, &plain);
	u8 view[LINE] = { };
	struct buffer b;

	buffer_get(test, m, &b, PAGE_SIZE, DMA_TO_DEVICE, false);
	KUNIT_EXPECT_TRUE(test, dmatest_mem_read(&m->mem, b.addr, view, LINE));
	memset(view, 0xd1, LINE);
	KUNIT_EXPECT_FALSE(test, dmatest_mem_write(&m->mem, b.addr, view,
						   LINE));
	dmatest_mem_read(&m->mem, b.addr, view, LINE);
	KUNIT_EXPECT_TRUE(test, all_are(view, LINE, DMATEST_POISON));
	KUNIT_EXPECT_EQ(test, faults(m), 1ULL);
	buffer_put(&b);

	buffer_get(test, m, &b, PAGE_SIZE, DMA_FROM_DEVICE, false);
	KUNIT_EXPECT_TRUE(test, dmatest_mem_write(&m->mem, b.addr, view, LINE));
	KUNIT_EXPECT_FALSE(test, dmatest_mem_read(&m->mem, b.addr, view, LINE));
	KUNIT_EXPECT_TRUE(test, all_are(view, LINE, 0xff));
	KUNIT_EXPECT_EQ(test, faults(m), 2ULL);
	buffer_put(&b);
}

/* What is freed is as large as what was allocated */
static void fault_free_of_another_size(struct kunit *test)
{
	struct machine *m = machine_with(test, &plain);
	dma_addr_t addr;
	void *area;

	if (IS_ENABLED(CONFIG_DMA_API_DEBUG))
		kunit_skip(test, "the DMA API's own debugging tells, too");
	area = dma_alloc_noncoherent(m->dev, 2 * PAGE_SIZE, &addr,
				     DMA_TO_DEVICE, GFP_KERNEL);
	KUNIT_ASSERT_TRUE(test, area);
	dma_free_noncoherent(m->dev, PAGE_SIZE, area, addr, DMA_TO_DEVICE);
	KUNIT_EXPECT_EQ(test, faults(m), 1ULL);
	KUNIT_EXPECT_EQ(test, m->mem.maps, 0U);
}

/* dma_sync_single_*() is no way to sync several pages of scattered memory */
static void fault_single_of_scattered(struct kunit *test)
{
	struct machine *m = machine_with(test, &plain);
	size_t size = 64 * PAGE_SIZE;
	u8 view[1];
	struct buffer b;

	buffer_get(test, m, &b, size, DMA_TO_DEVICE, true);
	KUNIT_ASSERT_GT(test, b.sgt->orig_nents, 1U);
	dma_sync_single_for_device(m->dev, b.addr, size, b.dir);
	KUNIT_EXPECT_EQ(test, faults(m), 1ULL);
	dmatest_mem_read(&m->mem, b.addr + size - 1, view, 1);
	KUNIT_EXPECT_EQ(test, view[0], (u8)DMATEST_POISON);

	/* A page at a time it is */
	dma_sync_single_for_device(m->dev, b.addr + size - PAGE_SIZE, PAGE_SIZE,
				   b.dir);
	dmatest_mem_read(&m->mem, b.addr + size - 1, view, 1);
	KUNIT_EXPECT_EQ(test, view[0], (u8)0);
	KUNIT_EXPECT_EQ(test, faults(m), 1ULL);
	buffer_put(&b);
}

/* The number of the device's segments is not what dma_sync_sg_*() wants */
static void sync_sg_counts_cpu_segments(struct kunit *test)
{
	struct machine *m = machine_with(test, &plain);
	size_t size = 64 * PAGE_SIZE;
	u8 view[1];
	struct buffer b;

	buffer_get(test, m, &b, size, DMA_TO_DEVICE, true);
	KUNIT_EXPECT_EQ(test, b.sgt->nents, 1U);
	/* Not by the DMA API: CONFIG_DMA_API_DEBUG would rightly object */
	get_dma_ops(m->dev)->sync_sg_for_device(m->dev, b.sgt->sgl,
						b.sgt->nents, b.dir);
	dmatest_mem_read(&m->mem, b.addr, view, 1);
	KUNIT_EXPECT_EQ(test, view[0], (u8)0);
	dmatest_mem_read(&m->mem, b.addr + size - 1, view, 1);
	KUNIT_EXPECT_EQ(test, view[0], (u8)DMATEST_POISON);
	buffer_put(&b);
}

/*
 * Machines
 */

static void iommu_scatters(struct kunit *test)
{
	struct machine *m = machine_with(test, &plain);
	unsigned int i, count = 64, in_a_row = 0;
	unsigned long pfn, last = 0;
	struct buffer b;
	u8 byte;

	buffer_get(test, m, &b, count * PAGE_SIZE, DMA_TO_DEVICE, true);
	KUNIT_EXPECT_EQ(test, b.sgt->nents, 1U);
	KUNIT_EXPECT_EQ(test, (size_t)sg_dma_len(b.sgt->sgl), b.size);
	for (i = 0; i < count; i++) {
		b.cpu[i * PAGE_SIZE + i] = 0xc0 + i;
		pfn = vmalloc_to_pfn(b.cpu + i * PAGE_SIZE);
		if (pfn == last + 1)
			in_a_row++;
		last = pfn;
	}
	KUNIT_EXPECT_LT(test, in_a_row, count / 4);
	buffer_to_device(&b);
	for (i = 0; i < count; i++) {
		dmatest_mem_read(&m->mem, b.addr + i * PAGE_SIZE + i, &byte, 1);
		KUNIT_EXPECT_EQ(test, byte, (u8)(0xc0 + i));
	}
	buffer_put(&b);
	KUNIT_EXPECT_EQ(test, faults(m), 0ULL);
}

/* Zeros are for those who ask for them */
static void noncontiguous_is_not_zeroed(struct kunit *test)
{
	struct machine *m = machine_with(test, &plain);
	struct sg_table *sgt;
	u8 *cpu;

	sgt = dma_alloc_noncontiguous(m->dev, PAGE_SIZE, DMA_TO_DEVICE,
				      GFP_KERNEL, 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, sgt);
	cpu = dma_vmap_noncontiguous(m->dev, PAGE_SIZE, sgt);
	KUNIT_EXPECT_TRUE(test, all_are(cpu, PAGE_SIZE, DMATEST_POISON));
	dma_vunmap_noncontiguous(m->dev, cpu);
	dma_free_noncontiguous(m->dev, PAGE_SIZE, sgt, DMA_TO_DEVICE);
}

static void without_iommu_in_a_row(struct kunit *test)
{
	struct dmatest_mem_config config = plain;
	struct machine *m;
	struct page *page;
	dma_addr_t addr;
	struct buffer b;

	config.iommu = false;
	config.max_order = 2;
	m = machine_with(test, &config);

	/* As far as it goes */
	buffer_get(test, m, &b, 4 * PAGE_SIZE, DMA_TO_DEVICE, true);
	KUNIT_EXPECT_EQ(test, b.sgt->orig_nents, 1U);
	buffer_put(&b);
	buffer_get(test, m, &b, 3 * PAGE_SIZE, DMA_TO_DEVICE, false);
	buffer_put(&b);

	/* And no further */
	KUNIT_EXPECT_FALSE(test, dma_alloc_noncontiguous(m->dev, 5 * PAGE_SIZE,
							 DMA_TO_DEVICE,
							 GFP_KERNEL, 0));
	page = dma_alloc_pages(m->dev, 5 * PAGE_SIZE, &addr, DMA_TO_DEVICE,
			       GFP_KERNEL);
	KUNIT_EXPECT_FALSE(test, page);
	KUNIT_EXPECT_FALSE(test, dma_alloc_coherent(m->dev, 5 * PAGE_SIZE, &addr,
						    GFP_KERNEL));
}

static void coherent_needs_no_sync(struct kunit *test)
{
	struct dmatest_mem_config config = plain;
	u8 view[LINE];
	struct machine *m;
	struct buffer b;

	config.coherent = true;
	m = machine_with(test, &config);
	buffer_get(test, m, &b, PAGE_SIZE, DMA_BIDIRECTIONAL, true);
	KUNIT_EXPECT_FALSE(test, dma_need_sync(m->dev, b.addr));
	memset(b.cpu, 0xc1, LINE);
	dmatest_mem_read(&m->mem, b.addr, view, LINE);
	KUNIT_EXPECT_TRUE(test, all_are(view, LINE, 0xc1));
	memset(view, 0xd1, LINE);
	dmatest_mem_write(&m->mem, b.addr, view, LINE);
	KUNIT_EXPECT_TRUE(test, all_are(b.cpu, LINE, 0xd1));
	buffer_put(&b);
}

static void others_need_sync(struct kunit *test)
{
	struct machine *m = machine_with(test, &plain);
	struct buffer b;

	buffer_get(test, m, &b, PAGE_SIZE, DMA_TO_DEVICE, false);
	KUNIT_EXPECT_TRUE(test, dma_need_sync(m->dev, b.addr));
	buffer_put(&b);
}

/* There is coherent memory on any machine */
static void coherent_memory(struct kunit *test)
{
	struct machine *m = machine_with(test, &plain);
	size_t size = 8 * PAGE_SIZE;
	dma_addr_t addr;
	u8 view[LINE];
	u8 *cpu;

	cpu = dma_alloc_coherent(m->dev, size, &addr, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cpu);
	KUNIT_EXPECT_TRUE(test, all_are(cpu, size, 0));
	memset(cpu + size - LINE, 0xc1, LINE);
	dmatest_mem_read(&m->mem, addr + size - LINE, view, LINE);
	KUNIT_EXPECT_TRUE(test, all_are(view, LINE, 0xc1));
	memset(view, 0xd1, LINE);
	dmatest_mem_write(&m->mem, addr, view, LINE);
	KUNIT_EXPECT_TRUE(test, all_are(cpu, LINE, 0xd1));
	dmatest_mem_evict(&m->mem, addr, size);
	dmatest_mem_prefetch(&m->mem, addr, size);
	KUNIT_EXPECT_TRUE(test, all_are(cpu, LINE, 0xd1));
	dma_free_coherent(m->dev, size, cpu, addr);
	KUNIT_EXPECT_EQ(test, faults(m), 0ULL);
}

static void streaming(struct kunit *test)
{
	struct machine *m = machine_with(test, &plain);
	u8 *cpu = kunit_kzalloc(test, 3 * PAGE_SIZE, GFP_KERNEL);
	struct scatterlist sgl[2];
	u8 view[LINE];

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, cpu);
	memset(cpu, 0xc1, 3 * PAGE_SIZE);
	sg_init_table(sgl, 2);
	sg_set_buf(&sgl[0], cpu + 2 * PAGE_SIZE, PAGE_SIZE);
	sg_set_buf(&sgl[1], cpu + LINE, PAGE_SIZE);
	KUNIT_ASSERT_EQ(test, dma_map_sg(m->dev, sgl, 2, DMA_BIDIRECTIONAL), 2);
	dmatest_mem_read(&m->mem, sg_dma_address(&sgl[1]), view, LINE);
	KUNIT_EXPECT_TRUE(test, all_are(view, LINE, 0xc1));
	memset(view, 0xd1, LINE);
	dmatest_mem_write(&m->mem, sg_dma_address(&sgl[1]), view, LINE);
	KUNIT_EXPECT_TRUE(test, all_are(cpu, PAGE_SIZE, 0xc1));
	dma_unmap_sg(m->dev, sgl, 2, DMA_BIDIRECTIONAL);
	KUNIT_EXPECT_TRUE(test, all_are(cpu, LINE, 0xc1));
	KUNIT_EXPECT_TRUE(test, all_are(cpu + LINE, LINE, 0xd1));
	KUNIT_EXPECT_EQ(test, faults(m), 0ULL);
}

/* Neighbours would hide it if the device ran over the end */
static void addresses_are_apart(struct kunit *test)
{
	struct machine *m = machine_with(test, &plain);
	struct buffer b[16];
	dma_addr_t first;
	unsigned int i;
	u8 byte;

	for (i = 0; i < ARRAY_SIZE(b); i++)
		buffer_get(test, m, &b[i], (i + 1) * PAGE_SIZE, DMA_TO_DEVICE,
			   i & 1);
	first = b[0].addr;
	for (i = 0; i < ARRAY_SIZE(b); i++) {
		dma_addr_t before = b[i].addr - 1;
		dma_addr_t behind = b[i].addr + b[i].size;

		KUNIT_EXPECT_FALSE(test, dmatest_mem_read(&m->mem, before,
							  &byte, 1));
		KUNIT_EXPECT_FALSE(test, dmatest_mem_read(&m->mem, behind,
							  &byte, 1));
	}
	for (i = 0; i < ARRAY_SIZE(b); i++)
		buffer_put(&b[i]);

	/* And what was freed does not come back soon */
	buffer_get(test, m, &b[0], PAGE_SIZE, DMA_TO_DEVICE, false);
	KUNIT_EXPECT_TRUE(test, b[0].addr != first);
	buffer_put(&b[0]);
}

static void within_mask(struct kunit *test)
{
	struct dmatest_mem_config config = plain;
	struct machine *m;
	struct buffer b;
	int i;

	config.mask = 20;
	m = machine_with(test, &config);
	KUNIT_EXPECT_EQ(test, dma_get_mask(m->dev), (u64)SZ_1M - 1);
	for (i = 0; i < 64; i++) {
		buffer_get(test, m, &b, SZ_512K, DMA_TO_DEVICE, true);
		KUNIT_EXPECT_LE(test, (u64)b.addr + SZ_512K, (u64)SZ_1M);
		buffer_put(&b);
	}
	KUNIT_EXPECT_FALSE(test, dma_alloc_noncontiguous(m->dev, SZ_1M,
							 DMA_TO_DEVICE,
							 GFP_KERNEL, 0));
}

/*
 * Adversaries
 */

struct adversary {
	const char *name;
	unsigned int adversary;
	bool evicts, refetches;
};

static const struct adversary adversaries[] = {
	{ "lazy", 0, false, false },
	{ "evict", DMATEST_EVICT, true, false },
	{ "prefetch", DMATEST_PREFETCH, false, true },
	{ "evict+prefetch", DMATEST_EVICT | DMATEST_PREFETCH, true, true },
};

static void adversary_name(const struct adversary *a, char *desc)
{
	strscpy(desc, a->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(adversary, adversaries, adversary_name);

/* Half of the lines are dirty, and the device has written the others */
static void disturb(struct kunit *test, struct machine *m, u32 seed,
		    struct dmatest_mem_stats *stats)
{
	size_t size = 16 * PAGE_SIZE;
	u8 view[LINE];
	struct buffer b;
	size_t ofs;

	prandom_seed_state(&m->mem.rnd, seed);
	dmatest_mem_reset_stats(&m->mem);
	memset(view, 0xd1, LINE);
	buffer_get(test, m, &b, size, DMA_BIDIRECTIONAL, true);
	buffer_to_device(&b);
	for (ofs = 0; ofs < size; ofs += 2 * LINE) {
		memset(b.cpu + ofs, 0xc1, LINE);
		dmatest_mem_write(&m->mem, b.addr + ofs + LINE, view, LINE);
	}
	for (ofs = 0; ofs < size; ofs += LINE)
		dmatest_mem_disturb(&m->mem, b.addr + ofs, 4);
	dmatest_mem_get_stats(&m->mem, stats);
	buffer_put(&b);
}

static void adversary_acts(struct kunit *test)
{
	const struct adversary *a = test->param_value;
	struct dmatest_mem_config config = plain;
	struct dmatest_mem_stats one, same, other;
	struct machine *m;

	config.adversary = a->adversary;
	m = machine_with(test, &config);
	disturb(test, m, 1, &one);
	disturb(test, m, 1, &same);
	disturb(test, m, 2, &other);

	KUNIT_EXPECT_EQ(test, one.evictions > 100, a->evicts);
	KUNIT_EXPECT_EQ(test, one.refetches > 100, a->refetches);
	KUNIT_EXPECT_EQ(test, !one.evictions, !a->evicts);
	KUNIT_EXPECT_EQ(test, !one.refetches, !a->refetches);
	KUNIT_EXPECT_EQ(test, one.evictions, same.evictions);
	KUNIT_EXPECT_EQ(test, one.refetches, same.refetches);
	KUNIT_EXPECT_EQ(test, one.evictions + one.refetches !=
			      other.evictions + other.refetches,
			a->evicts || a->refetches);
	KUNIT_EXPECT_EQ(test, one.faults, 0ULL);
}

/*
 * A CPU that goes on storing while the model works on its line
 */

struct writer {
	unsigned long *word;
	unsigned long last;
	unsigned long lost;
};

static int writer_thread(void *data)
{
	struct writer *w = data;

	while (!kthread_should_stop()) {
		if (READ_ONCE(*w->word) != w->last)
			w->lost++;
		WRITE_ONCE(*w->word, ++w->last);
		cond_resched();
	}
	return 0;
}

static void store_survives(struct kunit *test)
{
	struct machine *m = machine_with(test, &plain);
	struct task_struct *thread;
	struct writer w = { };
	unsigned long mine;
	struct buffer b;
	unsigned int i;
	u8 byte;

	buffer_get(test, m, &b, PAGE_SIZE, DMA_BIDIRECTIONAL, false);
	buffer_to_device(&b);
	w.word = (unsigned long *)b.cpu;
	thread = kthread_run(writer_thread, &w, "dmatest-kunit");
	KUNIT_ASSERT_FALSE(test, IS_ERR(thread));
	for (i = 0; i < 20000 || READ_ONCE(w.last) < 1000; i++) {
		/* Elsewhere in the line, so that there is something to fetch */
		byte = i;
		dmatest_mem_write(&m->mem, b.addr + LINE - 1, &byte, 1);
		dmatest_mem_prefetch(&m->mem, b.addr, LINE);
		dmatest_mem_evict(&m->mem, b.addr, LINE);
		cond_resched();
	}
	kthread_stop(thread);
	KUNIT_EXPECT_EQ(test, w.lost, 0UL);
	KUNIT_EXPECT_EQ(test, *w.word, w.last);

	/* Nor did any get lost on the way to the device */
	dmatest_mem_evict(&m->mem, b.addr, LINE);
	dmatest_mem_read(&m->mem, b.addr, &mine, sizeof(mine));
	KUNIT_EXPECT_EQ(test, mine, w.last);
	buffer_put(&b);
}

/*
 * Counters
 */

static void counters(struct kunit *test)
{
	struct machine *m = machine_with(test, &plain);
	struct dmatest_sync_stats mine = { }, copy;
	unsigned long flags;
	struct buffer b;
	u64 ranges;

	buffer_get(test, m, &b, 4 * PAGE_SIZE, DMA_FROM_DEVICE, true);
	/* of pages that are scattered by chance, two may be in a row */
	ranges = b.sgt->orig_nents;
	buffer_to_device(&b);
	dmatest_mem_get_sync_stats(&m->mem, &m->mem.unclaimed, &copy);
	KUNIT_EXPECT_EQ(test, copy.ranges, ranges);

	dmatest_mem_claim(&m->mem, b.addr + PAGE_SIZE, &mine);
	buffer_to_cpu(&b);
	local_irq_save(flags);
	buffer_to_cpu(&b);
	local_irq_restore(flags);
	buffer_put(&b);

	dmatest_mem_get_sync_stats(&m->mem, &mine, &copy);
	KUNIT_EXPECT_EQ(test, copy.ranges, 2 * ranges);
	KUNIT_EXPECT_EQ(test, copy.asked[DMATEST_SYNC_DEVICE], 0ULL);
	KUNIT_EXPECT_EQ(test, copy.asked[DMATEST_SYNC_CPU], 8ULL * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, copy.lines[DMATEST_SYNC_CPU], 8ULL * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, copy.irqoff_max, 4ULL * PAGE_SIZE);

	dmatest_mem_reset_sync_stats(&m->mem, &mine);
	dmatest_mem_get_sync_stats(&m->mem, &mine, &copy);
	KUNIT_EXPECT_EQ(test, copy.ranges, 0ULL);
}

static void bad_line(struct kunit *test)
{
	struct dmatest_mem_config config = plain;
	struct machine *m = test->priv;

	config.line = 48;
	KUNIT_EXPECT_EQ(test, dmatest_mem_init(&m->mem, m->dev, &config),
			-EINVAL);
	config.line = 2 * PAGE_SIZE;
	KUNIT_EXPECT_EQ(test, dmatest_mem_init(&m->mem, m->dev, &config),
			-EINVAL);
}

static struct kunit_case dmatest_mem_cases[] = {
	KUNIT_CASE_PARAM(sequence_contiguous, sequence_gen_params),
	KUNIT_CASE_PARAM(sequence_scattered, sequence_gen_params),
	KUNIT_CASE_PARAM(whole_lines, rounding_gen_params),
	KUNIT_CASE(false_sharing),
	KUNIT_CASE(fault_unmapped),
	KUNIT_CASE(fault_physical),
	KUNIT_CASE(fault_direction),
	KUNIT_CASE(fault_free_of_another_size),
	KUNIT_CASE(fault_single_of_scattered),
	KUNIT_CASE(sync_sg_counts_cpu_segments),
	KUNIT_CASE(iommu_scatters),
	KUNIT_CASE(noncontiguous_is_not_zeroed),
	KUNIT_CASE(without_iommu_in_a_row),
	KUNIT_CASE(coherent_needs_no_sync),
	KUNIT_CASE(others_need_sync),
	KUNIT_CASE(coherent_memory),
	KUNIT_CASE(streaming),
	KUNIT_CASE(addresses_are_apart),
	KUNIT_CASE(within_mask),
	KUNIT_CASE_PARAM(adversary_acts, adversary_gen_params),
	KUNIT_CASE(store_survives),
	KUNIT_CASE(counters),
	KUNIT_CASE(bad_line),
	{ }
};

static struct kunit_suite dmatest_mem_suite = {
	.name = "dmatest-mem",
	.init = machine_init,
	.exit = machine_exit,
	.test_cases = dmatest_mem_cases,
};

kunit_test_suite(dmatest_mem_suite);

MODULE_DESCRIPTION("KUnit tests of the dmatest card's memory model");
MODULE_LICENSE("GPL");
