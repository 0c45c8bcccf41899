// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KUnit tests of the buffer types
 *
 * The devices stand on the dmatest card's memory model: what is not at an
 * address that the device was given, or not handed over, shows.
 */

#include <kunit/test.h>

#include <linux/anon_inodes.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/highmem.h>
#include <linux/kthread.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/mman.h>
#include <linux/module.h>
#include <linux/of.h>
#include <linux/pgtable.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/sched/mm.h>
#include <linux/sizes.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <linux/vmalloc.h>
#include <sound/memalloc.h>
#include "memalloc_local.h"
#include "../drivers/dmatest/dmatest_mem.h"

/*
 * Machines
 */

static const struct dmatest_mem_config iommu = {
	.iommu = true,
};

static const struct dmatest_mem_config no_iommu = {
	.max_order = 10,
};

/* Memory is so fragmented that two pages in a row are the most there is */
static const struct dmatest_mem_config fragmented = {
	.max_order = 1,
};

static const struct dmatest_mem_config coherent = {
	.iommu = true, .coherent = true,
};

static const struct dmatest_mem_config coherent_fragmented = {
	.max_order = 1, .coherent = true,
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
	m->pdev = platform_device_register_simple("memalloc-kunit",
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
	struct dmatest_mem_config machine = *config;

	machine.line = snd_dma_sync_align();
	KUNIT_ASSERT_EQ(test, dmatest_mem_init(&m->mem, m->dev, &machine), 0);
	m->modelled = true;
	return m;
}

/* Whatever a test has done: nothing is left, and the device never went wrong */
static void machine_exit(struct kunit *test)
{
	struct machine *m = test->priv;
	struct dmatest_mem_stats stats;

	if (m->modelled) {
		dmatest_mem_get_stats(&m->mem, &stats);
		KUNIT_EXPECT_EQ(test, stats.faults, 0ULL);
		KUNIT_EXPECT_EQ(test, m->mem.maps, 0U);
		dmatest_mem_exit(&m->mem);
	}
	platform_device_unregister(m->pdev);
}

/*
 * Types
 */

enum {
	PHYSICAL = BIT(0),	/* not by the DMA API: the CPU's addresses */
	ZEROED	 = BIT(1),	/* by the allocator; the core clears the others */
	CHUNKS	 = BIT(2),	/* may be more than one chunk for the device */
	SYNC	 = BIT(3),	/* is handed over */
	PIECES	 = BIT(4),	/* is made of pieces */
};

#ifdef CONFIG_SND_DMA_SGBUF
#define WC	PHYSICAL
#else
#define WC	ZEROED
#endif

struct kind {
	const char *name;
	int type;
	const struct dmatest_mem_config *machine;
	unsigned int flags;
};

static const struct kind kinds[] = {
	{ "CONTINUOUS",
	  SNDRV_DMA_TYPE_CONTINUOUS, &iommu, PHYSICAL },
	{ "VMALLOC",
	  SNDRV_DMA_TYPE_VMALLOC, &iommu, PHYSICAL | CHUNKS },
	{ "DEV, IOMMU",
	  SNDRV_DMA_TYPE_DEV, &iommu, ZEROED },
	{ "DEV, no IOMMU",
	  SNDRV_DMA_TYPE_DEV, &no_iommu, ZEROED },
	{ "DEV, coherent",
	  SNDRV_DMA_TYPE_DEV, &coherent, ZEROED },
	{ "DEV_WC",
	  SNDRV_DMA_TYPE_DEV_WC, &no_iommu, WC },
	{ "DEV_IRAM, none there",
	  SNDRV_DMA_TYPE_DEV_IRAM, &no_iommu, ZEROED },
	{ "NONCONTIG, IOMMU",
	  SNDRV_DMA_TYPE_NONCONTIG, &iommu, ZEROED | SYNC },
	{ "NONCONTIG, no IOMMU",
	  SNDRV_DMA_TYPE_NONCONTIG, &no_iommu, ZEROED | SYNC },
	{ "NONCONTIG, pieces",
	  SNDRV_DMA_TYPE_NONCONTIG, &fragmented,
	  ZEROED | SYNC | CHUNKS | PIECES },
	{ "NONCONTIG, coherent",
	  SNDRV_DMA_TYPE_NONCONTIG, &coherent, ZEROED },
	{ "NONCONTIG, coherent, pieces",
	  SNDRV_DMA_TYPE_NONCONTIG, &coherent_fragmented,
	  ZEROED | CHUNKS | PIECES },
	{ "NONCOHERENT, IOMMU",
	  SNDRV_DMA_TYPE_NONCOHERENT, &iommu, ZEROED | SYNC },
	{ "NONCOHERENT, no IOMMU",
	  SNDRV_DMA_TYPE_NONCOHERENT, &no_iommu, ZEROED | SYNC },
	{ "NONCOHERENT, coherent",
	  SNDRV_DMA_TYPE_NONCOHERENT, &coherent, ZEROED },
};

static void kind_name(const struct kind *kind, char *desc)
{
	strscpy(desc, kind->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(kind, kinds, kind_name);

/* No power of two, and not all of the last page */
#define BYTES	(7 * PAGE_SIZE - 100)

static void buffer_get(struct kunit *test, struct snd_dma_buffer *dmab,
		       struct machine *m, int type, enum dma_data_direction dir,
		       size_t bytes)
{
	memset(dmab, 0xff, sizeof(*dmab));
	KUNIT_ASSERT_EQ(test, snd_dma_alloc_dir_pages(type, m->dev, dir, bytes,
						      dmab), 0);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmab->area);
	KUNIT_EXPECT_EQ(test, dmab->bytes, PAGE_ALIGN(bytes));
	KUNIT_EXPECT_PTR_EQ(test, dmab->dev.dev, m->dev);
	KUNIT_EXPECT_EQ(test, dmab->dev.dir, dir);
}

/* A buffer of the kind that is the test's parameter, on its machine */
static struct machine *param_get(struct kunit *test,
				 struct snd_dma_buffer *dmab)
{
	const struct kind *kind = test->param_value;
	struct machine *m = machine_with(test, kind->machine);

	buffer_get(test, dmab, m, kind->type, DMA_BIDIRECTIONAL, BYTES);
	return m;
}

static bool all_are(const u8 *bytes, size_t count, u8 value)
{
	return !memchr_inv(bytes, value, count);
}

/* A pattern that is another one in each page, and in each byte of it */
static u8 pattern(size_t ofs)
{
	return ofs * 7 + ofs / PAGE_SIZE * 13;
}

static void put_pattern(u8 *to, size_t ofs, size_t bytes, u8 key)
{
	while (bytes--)
		*to++ = pattern(ofs++) ^ key;
}

static bool is_pattern(const u8 *from, size_t ofs, size_t bytes, u8 key)
{
	while (bytes--)
		if (*from++ != (u8)(pattern(ofs++) ^ key))
			return false;
	return true;
}

/* The device's access to a buffer, by the addresses that its driver is told */
static void device_access(struct kunit *test, struct machine *m,
			  struct snd_dma_buffer *dmab, u8 *view, bool write)
{
	size_t ofs, chunk;

	for (ofs = 0; ofs < dmab->bytes; ofs += chunk) {
		dma_addr_t addr = snd_sgbuf_get_addr(dmab, ofs);

		chunk = snd_sgbuf_get_chunk_size(dmab, ofs, dmab->bytes - ofs);
		KUNIT_ASSERT_GT(test, chunk, (size_t)0);
		KUNIT_ASSERT_LE(test, ofs + chunk, dmab->bytes);
		KUNIT_EXPECT_TRUE(test, write ?
			dmatest_mem_write(&m->mem, addr, view + ofs, chunk) :
			dmatest_mem_read(&m->mem, addr, view + ofs, chunk));
	}
}

static u8 *view_of(struct kunit *test, struct snd_dma_buffer *dmab)
{
	u8 *view = kunit_kzalloc(test, dmab->bytes, GFP_KERNEL);

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, view);
	return view;
}

/* The addresses are those at which the device finds what the CPU wrote */
static void addresses(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct snd_dma_buffer dmab;
	struct machine *m = param_get(test, &dmab);
	u8 *view = view_of(test, &dmab);
	struct page *page;
	u8 byte;
	size_t ofs;

	KUNIT_EXPECT_EQ(test, snd_sgbuf_get_addr(&dmab, 0),
			kind->type == SNDRV_DMA_TYPE_VMALLOC ?
			page_to_phys(vmalloc_to_page(dmab.area)) : dmab.addr);

	if (kind->flags & PHYSICAL) {
		for (ofs = 0; ofs < dmab.bytes; ofs += 1000) {
			page = snd_sgbuf_get_page(&dmab, ofs);
			KUNIT_EXPECT_EQ(test, snd_sgbuf_get_addr(&dmab, ofs),
					page_to_phys(page) +
					offset_in_page(ofs));
		}
		goto out;
	}

	put_pattern(dmab.area, 0, dmab.bytes, 0);
	snd_dma_buffer_sync(&dmab, SNDRV_DMA_SYNC_DEVICE);
	device_access(test, m, &dmab, view, false);
	KUNIT_EXPECT_TRUE(test, is_pattern(view, 0, dmab.bytes, 0));
	for (ofs = 0; ofs < dmab.bytes; ofs += 1000) {
		dmatest_mem_read(&m->mem, snd_sgbuf_get_addr(&dmab, ofs), &byte,
				 1);
		KUNIT_EXPECT_EQ(test, byte, pattern(ofs));
	}

	/* and the CPU what the device wrote */
	put_pattern(view, 0, dmab.bytes, 0xff);
	device_access(test, m, &dmab, view, true);
	snd_dma_buffer_sync(&dmab, SNDRV_DMA_SYNC_CPU);
	KUNIT_EXPECT_TRUE(test, is_pattern(dmab.area, 0, dmab.bytes, 0xff));
 out:
	snd_dma_free_pages(&dmab);
}

/* The pages are those that hold it */
static void pages(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct snd_dma_buffer dmab;
	struct page *page;
	size_t ofs;
	u8 *p;

	param_get(test, &dmab);
	if (kind->type == SNDRV_DMA_TYPE_DEV && is_vmalloc_addr(dmab.area)) {
		snd_dma_free_pages(&dmab);
		kunit_skip(test, "the DMA API does not tell");
	}

	put_pattern(dmab.area, 0, dmab.bytes, 0);
	for (ofs = 0; ofs < dmab.bytes; ofs += PAGE_SIZE) {
		page = snd_sgbuf_get_page(&dmab, ofs);
		KUNIT_EXPECT_PTR_EQ(test, snd_sgbuf_get_page(&dmab, ofs + 100),
				    page);
		p = kmap_local_page(page);
		KUNIT_EXPECT_TRUE(test, is_pattern(p, ofs, PAGE_SIZE, 0));
		kunmap_local(p);
	}
	snd_dma_free_pages(&dmab);
}

/* A chunk is a run of addresses, as long as it can be */
static void chunks(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct snd_dma_buffer dmab;
	size_t ofs, i, chunk, rest, end;

	param_get(test, &dmab);
	for (ofs = 0; ofs < dmab.bytes; ofs += chunk) {
		dma_addr_t addr = snd_sgbuf_get_addr(&dmab, ofs);

		chunk = snd_sgbuf_get_chunk_size(&dmab, ofs, dmab.bytes - ofs);
		end = ofs + chunk;
		KUNIT_ASSERT_GT(test, chunk, (size_t)0);
		KUNIT_ASSERT_LE(test, end, dmab.bytes);
		for (i = 0; i < chunk; i += 500)
			KUNIT_EXPECT_EQ(test, snd_sgbuf_get_addr(&dmab, ofs + i),
					addr + i);
		if (end < dmab.bytes)
			KUNIT_EXPECT_TRUE(test, addr + chunk !=
					  snd_sgbuf_get_addr(&dmab, end));
		if (!(kind->flags & CHUNKS))
			KUNIT_EXPECT_EQ(test, chunk, dmab.bytes);

		/* from within it, and no longer than asked for */
		rest = snd_sgbuf_get_chunk_size(&dmab, ofs + 100,
						dmab.bytes - ofs - 100);
		KUNIT_EXPECT_EQ(test, rest, chunk - 100);
		KUNIT_EXPECT_EQ(test, snd_sgbuf_get_chunk_size(&dmab, ofs, 10),
				10U);
		KUNIT_EXPECT_EQ(test, snd_sgbuf_get_chunk_size(&dmab, ofs,
							       chunk),
				(unsigned int)chunk);
	}
	snd_dma_free_pages(&dmab);
}

/* Nobody sees what was in the memory before: neither the CPU nor the device */
static void zeroed(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct snd_dma_buffer dmab;
	struct machine *m;
	u8 *view;

	if (!(kind->flags & ZEROED))
		kunit_skip(test, "it is the PCM core that clears these");
	m = param_get(test, &dmab);
	view = view_of(test, &dmab);
	KUNIT_EXPECT_TRUE(test, all_are(dmab.area, dmab.bytes, 0));
	snd_dma_buffer_sync(&dmab, SNDRV_DMA_SYNC_DEVICE);
	device_access(test, m, &dmab, view, false);
	KUNIT_EXPECT_TRUE(test, all_are(view, dmab.bytes, 0));
	snd_dma_free_pages(&dmab);
}

static void freed(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct snd_dma_buffer dmab;
	struct machine *m = param_get(test, &dmab);
	void *area = dmab.area;

	KUNIT_EXPECT_EQ(test, !m->mem.maps, !!(kind->flags & PHYSICAL));
	snd_dma_free_pages(&dmab);
	KUNIT_EXPECT_EQ(test, m->mem.maps, 0U);
	/* nor does the kernel have it mapped */
	if (is_vmalloc_addr(area))
		KUNIT_EXPECT_FALSE(test, vmalloc_to_page(area));
}

/*
 * mmap, into the address space of the process that loads this, which unlike the
 * tests is where parameters are made
 */

static struct mm_struct *user;

static const void *mmapped_gen_params(const void *prev, char *desc)
{
	const void *kind = kind_gen_params(prev, desc);

	if (!prev)
		user = get_task_mm(current);
	if (!kind && user)
		mmput(user);
	return kind;
}

static int buffer_mmap(struct file *file, struct vm_area_struct *area)
{
	return snd_dma_buffer_mmap(file->private_data, area);
}

static const struct file_operations buffer_fops = {
	.owner = THIS_MODULE,
	.mmap = buffer_mmap,
};

static unsigned long map_buffer(struct snd_dma_buffer *dmab,
				unsigned long flags, size_t ofs, size_t bytes)
{
	struct file *file = anon_inode_getfile("buffer", &buffer_fops, dmab,
					       O_RDWR);
	unsigned long addr;

	if (IS_ERR(file))
		return PTR_ERR(file);
	addr = vm_mmap(file, 0, bytes, PROT_READ | PROT_WRITE, flags, ofs);
	fput(file);
	return addr;
}

/* @bytes at @addr of user space are the buffer's from @ofs on, both ways */
static void expect_mapped(struct kunit *test, struct snd_dma_buffer *dmab,
			  unsigned long addr, size_t ofs, size_t bytes)
{
	u32 word;
	size_t i;

	KUNIT_EXPECT_FALSE(test, IS_ERR_VALUE(addr));
	if (IS_ERR_VALUE(addr))
		return;
	for (i = 0; i < bytes; i += PAGE_SIZE / 2) {
		u32 *kernel = (u32 *)(dmab->area + ofs + i);
		u32 __user *p = (u32 __user *)(addr + i);

		WRITE_ONCE(*kernel, 0xc1000000 + ofs + i);
		KUNIT_EXPECT_EQ(test, get_user(word, p), 0);
		KUNIT_EXPECT_EQ(test, word, (u32)(0xc1000000 + ofs + i));
		KUNIT_EXPECT_EQ(test, put_user(~word, p), 0);
		KUNIT_EXPECT_EQ(test, READ_ONCE(*kernel), ~word);
	}
	vm_munmap(addr, bytes);
}

static void mmapped(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct snd_dma_buffer dmab;
	unsigned long addr;
	size_t all;

	if (!user)
		kunit_skip(test, "no process to map to: load this as a module");
	if (kind->type == SNDRV_DMA_TYPE_VMALLOC)
		kunit_skip(test, "it is the PCM core that maps it, on page faults");

	param_get(test, &dmab);
	all = dmab.bytes;
	kthread_use_mm(user);

	addr = map_buffer(&dmab, MAP_SHARED, 0, all);
	expect_mapped(test, &dmab, addr, 0, all);

	/* a part of it */
	addr = map_buffer(&dmab, MAP_SHARED, 2 * PAGE_SIZE, 3 * PAGE_SIZE);
	expect_mapped(test, &dmab, addr, 2 * PAGE_SIZE, 3 * PAGE_SIZE);

	/* nothing behind it; of memory of the CPU's own, the PCM core sees to that */
	if (!(kind->flags & PHYSICAL)) {
		addr = map_buffer(&dmab, MAP_SHARED, PAGE_SIZE, all);
		KUNIT_EXPECT_TRUE(test, IS_ERR_VALUE(addr));
		addr = map_buffer(&dmab, MAP_SHARED, all, PAGE_SIZE);
		KUNIT_EXPECT_TRUE(test, IS_ERR_VALUE(addr));
	}

	/* a private mapping is one block or counted pages, neither of which */
	if (kind->flags & PIECES) {
		addr = map_buffer(&dmab, MAP_PRIVATE, 0, all);
		KUNIT_EXPECT_EQ(test, (long)addr, (long)-EINVAL);
	}

	kthread_unuse_mm(user);
	snd_dma_free_pages(&dmab);
}

/*
 * Failure
 */

static void expect_empty(struct kunit *test, struct snd_dma_buffer *dmab)
{
	KUNIT_EXPECT_FALSE(test, dmab->area);
	KUNIT_EXPECT_EQ(test, dmab->addr, (dma_addr_t)0);
	KUNIT_EXPECT_EQ(test, dmab->bytes, (size_t)0);
	KUNIT_EXPECT_FALSE(test, dmab->private_data);
	KUNIT_EXPECT_FALSE(test, dmab->ops);
}

/* 3 was DEV_SG on x86; an unknown type that never was any earns a warning */
static void unknown_type(struct kunit *test)
{
	struct machine *m = machine_with(test, &iommu);
	struct snd_dma_buffer dmab;

	if (SNDRV_DMA_TYPE_DEV_SG == 3)
		kunit_skip(test, "there is no gap between the types");
	memset(&dmab, 0xff, sizeof(dmab));
	KUNIT_EXPECT_EQ(test, snd_dma_alloc_pages(3, m->dev, PAGE_SIZE, &dmab),
			-EINVAL);
	expect_empty(test, &dmab);
	KUNIT_EXPECT_EQ(test, snd_dma_alloc_pages_fallback(3, m->dev, SZ_1M,
							   &dmab), -EINVAL);
	expect_empty(test, &dmab);
}

struct shortage {
	const char *name;
	int type;
	size_t bytes;
};

/* Two pages in a row are all there is; no machine has a gigabyte in a row */
static const struct shortage shortages[] = {
	{ "CONTINUOUS", SNDRV_DMA_TYPE_CONTINUOUS, SZ_1G },
	{ "DEV", SNDRV_DMA_TYPE_DEV, 3 * PAGE_SIZE },
	{ "DEV_WC", SNDRV_DMA_TYPE_DEV_WC, SZ_1G },
	{ "DEV_IRAM", SNDRV_DMA_TYPE_DEV_IRAM, 3 * PAGE_SIZE },
	{ "NONCOHERENT", SNDRV_DMA_TYPE_NONCOHERENT, 3 * PAGE_SIZE },
};

static void shortage_name(const struct shortage *shortage, char *desc)
{
	strscpy(desc, shortage->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(shortage, shortages, shortage_name);

static void out_of_memory(struct kunit *test)
{
	const struct shortage *shortage = test->param_value;
	struct machine *m = machine_with(test, &fragmented);
	struct snd_dma_buffer dmab;
	int err;

	memset(&dmab, 0xff, sizeof(dmab));
	KUNIT_EXPECT_EQ(test, snd_dma_alloc_pages(shortage->type, m->dev,
						  shortage->bytes, &dmab),
			-ENOMEM);
	expect_empty(test, &dmab);
	KUNIT_EXPECT_EQ(test, m->mem.maps, 0U);
	if (shortage->bytes == SZ_1G)
		return;

	/* less is had */
	err = snd_dma_alloc_pages_fallback(shortage->type, m->dev,
					   16 * PAGE_SIZE, &dmab);
	KUNIT_ASSERT_EQ(test, err, 0);
	KUNIT_EXPECT_EQ(test, dmab.bytes, 2 * PAGE_SIZE);
	snd_dma_free_pages(&dmab);
}

/* Whichever allocation fails, nothing is left; and the next time it is had */
static void allocations_fail(struct kunit *test)
{
#ifdef CONFIG_FAILSLAB
	const struct kind *kind = test->param_value;
	struct machine *m = machine_with(test, kind->machine);
	struct snd_dma_buffer dmab;
	unsigned int nth = 0, left;
	int err;

	do {
		memset(&dmab, 0xff, sizeof(dmab));
		current->fail_nth = ++nth;
		err = snd_dma_alloc_dir_pages(kind->type, m->dev, DMA_TO_DEVICE,
					      BYTES, &dmab);
		left = current->fail_nth;
		current->fail_nth = 0;
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			KUNIT_EXPECT_EQ(test, left, 0U);
			expect_empty(test, &dmab);
		} else {
			snd_dma_free_pages(&dmab);
		}
		KUNIT_EXPECT_EQ(test, m->mem.maps, 0U);
	} while (!left);
	KUNIT_EXPECT_EQ(test, err, 0);
	if (nth == 1)
		kunit_skip(test, "no allocation failed; see jobs/kunit/run");
#else
	kunit_skip(test, "needs CONFIG_FAILSLAB");
#endif
}

/* Without a direction it is both; a byte more is a page more */
static void defaults(struct kunit *test)
{
	struct machine *m = machine_with(test, &no_iommu);
	struct snd_dma_buffer dmab;

	KUNIT_ASSERT_EQ(test, snd_dma_alloc_pages(SNDRV_DMA_TYPE_NONCOHERENT,
						  m->dev, PAGE_SIZE + 1, &dmab),
			0);
	KUNIT_EXPECT_EQ(test, dmab.bytes, 2 * PAGE_SIZE);
	KUNIT_EXPECT_EQ(test, dmab.dev.dir, DMA_BIDIRECTIONAL);
	snd_dma_free_pages(&dmab);
}

/* What IRAM falls back on is a DEV buffer in every respect */
static void iram_falls_back(struct kunit *test)
{
	struct device_node *no_pool;
	struct snd_dma_buffer dev, iram;
	struct machine *m;
	unsigned int i;

	if (!IS_ENABLED(CONFIG_GENERIC_ALLOCATOR))
		kunit_skip(test, "a kernel without pools has no IRAM");
	m = machine_with(test, &no_iommu);
	no_pool = kunit_kzalloc(test, sizeof(*no_pool), GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, no_pool);
	buffer_get(test, &dev, m, SNDRV_DMA_TYPE_DEV, DMA_TO_DEVICE, BYTES);
	for (i = 0; i < 2; i++) {
		m->dev->of_node = i ? no_pool : NULL;
		buffer_get(test, &iram, m, SNDRV_DMA_TYPE_DEV_IRAM,
			   DMA_TO_DEVICE, BYTES);
		m->dev->of_node = NULL;
		KUNIT_EXPECT_EQ(test, iram.dev.type, SNDRV_DMA_TYPE_DEV);
		KUNIT_EXPECT_PTR_EQ(test, iram.ops, dev.ops);
		snd_dma_free_pages(&iram);
	}
	snd_dma_free_pages(&dev);
}

/*
 * Machines where cached pages do not work: their DMA API has none to give, as
 * on Sparc, or the device needs no sync and yet they cannot be mapped, as on
 * PA-RISC
 */

static void *coherent_alloc(struct device *dev, size_t size, dma_addr_t *addr,
			    gfp_t gfp, unsigned long attrs)
{
	void *area = alloc_pages_exact(size, gfp & ~__GFP_COMP);

	if (area)
		*addr = __pa(area);
	return area;
}

static void coherent_free(struct device *dev, size_t size, void *area,
			  dma_addr_t addr, unsigned long attrs)
{
	free_pages_exact(area, size);
}

/* of the following, it is their presence that counts */
static struct page *never_pages(struct device *dev, size_t size,
				dma_addr_t *addr, enum dma_data_direction dir,
				gfp_t gfp)
{
	return NULL;
}

static int never_mmap(struct device *dev, struct vm_area_struct *vma,
		      void *area, dma_addr_t addr, size_t size,
		      unsigned long attrs)
{
	return -ENXIO;
}

static void never_sync(struct device *dev, dma_addr_t addr, size_t size,
		       enum dma_data_direction dir)
{
}

static void not_cached(struct kunit *test)
{
	static const int types[] = {
		SNDRV_DMA_TYPE_NONCONTIG, SNDRV_DMA_TYPE_NONCOHERENT,
	};
	static const struct dma_map_ops uncached[] = {
		{
			.alloc = coherent_alloc,
			.free = coherent_free,
			.mmap = never_mmap,
		}, {
			.alloc = coherent_alloc,
			.free = coherent_free,
			.alloc_pages = never_pages,
		},
	};
	static const struct dma_map_ops synced = {
		.alloc_pages = never_pages,
		.sync_single_for_cpu = never_sync,
		.sync_single_for_device = never_sync,
	};
	struct machine *m = test->priv;
	pgprot_t decrypted = pgprot_decrypted(PAGE_KERNEL);
	struct snd_dma_buffer dmab;
	unsigned int i, t;

	for (t = 0; t < ARRAY_SIZE(types); t++) {
		for (i = 0; i < ARRAY_SIZE(uncached); i++) {
			set_dma_ops(m->dev, &uncached[i]);
			KUNIT_EXPECT_FALSE(test,
					   snd_dma_need_sync(types[t], m->dev));
			KUNIT_ASSERT_EQ(test,
					snd_dma_alloc_pages(types[t], m->dev,
							    BYTES, &dmab), 0);
			KUNIT_EXPECT_EQ(test, dmab.dev.type,
					SNDRV_DMA_TYPE_DEV);
			KUNIT_EXPECT_FALSE(test, dmab.dev.need_sync);
			KUNIT_EXPECT_EQ(test, dmab.addr,
					(dma_addr_t)__pa(dmab.area));
			snd_dma_free_pages(&dmab);
		}

		/* what is synced need not be mapped as coherent memory is */
		set_dma_ops(m->dev, &synced);
		KUNIT_EXPECT_TRUE(test, snd_dma_need_sync(types[t], m->dev));
		KUNIT_EXPECT_EQ(test, snd_dma_alloc_pages(types[t], m->dev,
							  BYTES, &dmab),
				-ENOMEM);
		KUNIT_EXPECT_EQ(test, dmab.dev.type, types[t]);
		KUNIT_EXPECT_PTR_EQ(test, dmab.private_data, (void *)NULL);

		/* nor is there a reason on a plain machine */
		set_dma_ops(m->dev, NULL);
		if (pgprot_val(decrypted) != pgprot_val(PAGE_KERNEL))
			continue;
		KUNIT_ASSERT_EQ(test, snd_dma_alloc_pages(types[t], m->dev,
							  BYTES, &dmab), 0);
		KUNIT_EXPECT_EQ(test, dmab.dev.type, types[t]);
		snd_dma_free_pages(&dmab);
	}
}

/*
 * devres: what a driver that is unbound leaves behind, here in a group of its
 * own instead of a driver
 */

static void devres(struct kunit *test)
{
	static const int types[] = {
		SNDRV_DMA_TYPE_DEV,
		SNDRV_DMA_TYPE_NONCONTIG,
		SNDRV_DMA_TYPE_NONCOHERENT,
	};
	struct machine *m = machine_with(test, &fragmented);
	struct snd_dma_buffer *dmab;
	unsigned int i;
	void *group;

	group = devres_open_group(m->dev, NULL, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, group);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		dmab = snd_devm_alloc_dir_pages(m->dev, types[i], DMA_TO_DEVICE,
						2 * PAGE_SIZE);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmab);
		KUNIT_EXPECT_EQ(test, dmab->dev.type, types[i]);
		KUNIT_EXPECT_EQ(test, dmab->dev.dir, DMA_TO_DEVICE);
		KUNIT_EXPECT_EQ(test, dmab->bytes, 2 * PAGE_SIZE);
	}
	/* a failure is no resource */
	dmab = snd_devm_alloc_dir_pages(m->dev, SNDRV_DMA_TYPE_NONCOHERENT,
					DMA_TO_DEVICE, 3 * PAGE_SIZE);
	KUNIT_EXPECT_FALSE(test, dmab);
	/* and without a direction it is both; a byte more is a page more */
	for (i = 0; i < 2; i++) {
		dmab = snd_devm_alloc_pages(m->dev, SNDRV_DMA_TYPE_NONCOHERENT,
					    PAGE_SIZE + i);
		KUNIT_ASSERT_NOT_ERR_OR_NULL(test, dmab);
		KUNIT_EXPECT_EQ(test, dmab->dev.dir, DMA_BIDIRECTIONAL);
		KUNIT_EXPECT_EQ(test, dmab->bytes, PAGE_SIZE << i);
	}

	KUNIT_EXPECT_EQ(test, m->mem.maps, 5U);
	KUNIT_EXPECT_EQ(test, devres_release_group(m->dev, group), 5);
	KUNIT_EXPECT_EQ(test, m->mem.maps, 0U);
}

/*
 * Sync
 */

static u64 synced_ranges(struct machine *m)
{
	struct dmatest_sync_stats stats;

	dmatest_mem_get_sync_stats(&m->mem, &m->mem.unclaimed, &stats);
	return stats.ranges;
}

/* Who needs a sync is known before there is a buffer; the others pay nothing */
static void need_sync(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct snd_dma_buffer dmab;
	struct machine *m = param_get(test, &dmab);
	bool need = kind->flags & SYNC;
	u64 before;

	KUNIT_EXPECT_EQ(test, dmab.dev.need_sync, need);
	KUNIT_EXPECT_EQ(test, snd_dma_need_sync(kind->type, m->dev), need);
	snd_dma_buffer_sync(&dmab, SNDRV_DMA_SYNC_DEVICE);
	before = synced_ranges(m);
	KUNIT_EXPECT_EQ(test, before > 0, need);
	snd_dma_buffer_sync(&dmab, SNDRV_DMA_SYNC_CPU);
	KUNIT_EXPECT_EQ(test, synced_ranges(m) > before, need);

	/* whatever its type: the buffer itself says so */
	before = synced_ranges(m);
	dmab.dev.need_sync = false;
	snd_dma_buffer_sync(&dmab, SNDRV_DMA_SYNC_DEVICE);
	KUNIT_EXPECT_EQ(test, synced_ranges(m), before);
	snd_dma_free_pages(&dmab);
}

/* Behind an IOMMU there are sync operations; a coherent device needs none */
static void iommu_coherent(struct kunit *test)
{
	struct machine *m = machine_with(test, &iommu);
	struct iommu_group *group = m->dev->iommu_group;
	bool need;

	KUNIT_EXPECT_TRUE(test, snd_dma_need_sync(SNDRV_DMA_TYPE_NONCONTIG,
						  m->dev));
	/* nobody looks into it */
	m->dev->iommu_group = (struct iommu_group *)m;
	need = snd_dma_need_sync(SNDRV_DMA_TYPE_NONCONTIG, m->dev);
	m->dev->iommu_group = group;
	KUNIT_EXPECT_EQ(test, need, !dev_is_dma_coherent(m->dev));
}

struct span {
	const char *name;
	size_t ofs, bytes;
};

static const struct span ranges[] = {
	{ "nothing", 100, 0 },
	{ "the first byte", 0, 1 },
	{ "the last byte", 7 * PAGE_SIZE - 1, 1 },
	{ "two bytes of two lines", 2 * SMP_CACHE_BYTES - 1, 2 },
	{ "half a line", SMP_CACHE_BYTES, SMP_CACHE_BYTES / 2 },
	{ "some lines", 500, 1000 },
	{ "two bytes of two pages", 2 * PAGE_SIZE - 1, 2 },
	{ "a page, off by one", PAGE_SIZE + 1, PAGE_SIZE },
	{ "three pages", 2 * PAGE_SIZE, 3 * PAGE_SIZE },
	{ "all of it", 0, 7 * PAGE_SIZE },
	{ "more than all", 0, 8 * PAGE_SIZE },
	{ "over the end", 6 * PAGE_SIZE + 1, 2 * PAGE_SIZE },
	{ "behind the end", 7 * PAGE_SIZE, 1 },
	{ "far behind the end", 9 * PAGE_SIZE, 1 },
};

/* Is the byte at @at in a line of @range? */
static bool in_lines(const struct span *range, size_t at)
{
	size_t line = at / snd_dma_sync_align();

	return range->bytes &&
		line >= range->ofs / snd_dma_sync_align() &&
		line <= (range->ofs + range->bytes - 1) / snd_dma_sync_align();
}

/* @bytes are @after in the lines of @range and @before elsewhere */
static bool changed(const struct span *range, const u8 *bytes, size_t count,
		    u8 before, u8 after)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (bytes[i] != (in_lines(range, i) ? after : before))
			return false;
	return true;
}

/* What a sync has cost */
static void expect_cost(struct kunit *test, struct snd_dma_buffer *dmab,
			const struct span *range,
			const struct dmatest_sync_stats *stats,
			enum dmatest_sync_to to)
{
	u64 bytes = 0, count = 0;
	size_t i, page = SIZE_MAX;

	for (i = 0; i < dmab->bytes; i++) {
		if (!in_lines(range, i))
			continue;
		bytes++;
		/* a block in one go, scattered pages one by one */
		if (page != i / PAGE_SIZE &&
		    (!count || dmab->dev.type == SNDRV_DMA_TYPE_NONCONTIG))
			count++;
		page = i / PAGE_SIZE;
	}
	KUNIT_EXPECT_EQ_MSG(test, stats->asked[to], bytes, "%s", range->name);
	KUNIT_EXPECT_EQ_MSG(test, stats->lines[to], bytes, "%s", range->name);
	KUNIT_EXPECT_EQ_MSG(test, stats->ranges, count, "%s", range->name);
	KUNIT_EXPECT_EQ_MSG(test, stats->asked[!to], 0ULL, "%s", range->name);
}

static void sync_range(struct kunit *test, struct machine *m,
		       struct snd_dma_buffer *dmab, const struct span *range)
{
	u8 *view = view_of(test, dmab);
	struct dmatest_sync_stats stats;
	size_t ofs;

	/* no page of which belongs to another mapping escapes the count */
	for (ofs = 0; ofs < dmab->bytes; ofs += PAGE_SIZE)
		dmatest_mem_claim(&m->mem, snd_sgbuf_get_addr(dmab, ofs),
				  &stats);

	/* to the device go the lines of the range, and no other */
	memset(dmab->area, 0xc1, dmab->bytes);
	snd_dma_buffer_sync(dmab, SNDRV_DMA_SYNC_DEVICE);
	memset(dmab->area, 0xc2, dmab->bytes);
	memset(&stats, 0, sizeof(stats));
	snd_dma_buffer_sync_range(dmab, range->ofs, range->bytes,
				  SNDRV_DMA_SYNC_DEVICE);
	expect_cost(test, dmab, range, &stats, DMATEST_SYNC_DEVICE);
	device_access(test, m, dmab, view, false);
	KUNIT_EXPECT_TRUE_MSG(test, changed(range, view, dmab->bytes, 0xc1,
					    0xc2), "%s", range->name);

	/* and to the CPU */
	snd_dma_buffer_sync(dmab, SNDRV_DMA_SYNC_DEVICE);
	memset(view, 0xd1, dmab->bytes);
	device_access(test, m, dmab, view, true);
	memset(&stats, 0, sizeof(stats));
	snd_dma_buffer_sync_range(dmab, range->ofs, range->bytes,
				  SNDRV_DMA_SYNC_CPU);
	expect_cost(test, dmab, range, &stats, DMATEST_SYNC_CPU);
	KUNIT_EXPECT_TRUE_MSG(test, changed(range, dmab->area, dmab->bytes,
					    0xc2, 0xd1), "%s", range->name);
}

static void sync_ranges(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct snd_dma_buffer dmab;
	struct machine *m;
	unsigned int i;

	if (!(kind->flags & SYNC))
		kunit_skip(test, "needs no sync");
	m = param_get(test, &dmab);
	for (i = 0; i < ARRAY_SIZE(ranges); i++)
		sync_range(test, m, &dmab, &ranges[i]);
	snd_dma_free_pages(&dmab);
}

/* What the device cannot have written does not need to be looked for */
static void sync_direction(struct kunit *test)
{
	static const enum dma_data_direction dirs[] = {
		DMA_TO_DEVICE, DMA_FROM_DEVICE, DMA_BIDIRECTIONAL,
	};
	const struct kind *kind = test->param_value;
	struct machine *m = machine_with(test, kind->machine);
	struct snd_dma_buffer dmab;
	u64 before, between;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		buffer_get(test, &dmab, m, kind->type, dirs[i], PAGE_SIZE);
		before = synced_ranges(m);
		snd_dma_buffer_sync(&dmab, SNDRV_DMA_SYNC_DEVICE);
		between = synced_ranges(m);
		snd_dma_buffer_sync(&dmab, SNDRV_DMA_SYNC_CPU);
		KUNIT_EXPECT_EQ(test, between - before,
				kind->flags & SYNC ? 1ULL : 0ULL);
		KUNIT_EXPECT_EQ(test, synced_ranges(m) - between,
				kind->flags & SYNC && dirs[i] != DMA_TO_DEVICE ?
				1ULL : 0ULL);
		snd_dma_free_pages(&dmab);
	}
	/* and there need not be a buffer */
	snd_dma_buffer_sync(NULL, SNDRV_DMA_SYNC_DEVICE);
	snd_dma_buffer_sync_range(NULL, 0, 1, SNDRV_DMA_SYNC_DEVICE);
}

/*
 * Pieces
 */

static void order_name(const unsigned int *order, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u pages in a row", 1 << *order);
}

static const unsigned int orders[] = { 0, 1, 2 };
KUNIT_ARRAY_PARAM(order, orders, order_name);

/* 4 MiB are had from whatever there is, and cost what one block would cost */
static void pieces_4m(struct kunit *test)
{
	const unsigned int *order = test->param_value;
	struct dmatest_mem_config config = no_iommu;
	size_t piece = PAGE_SIZE << *order, ofs = 0;
	struct dmatest_sync_stats stats;
	struct snd_dma_buffer dmab;
	struct scatterlist *sg;
	struct sg_table *sgt;
	struct machine *m;
	int i;

	config.max_order = *order;
	m = machine_with(test, &config);
	buffer_get(test, &dmab, m, SNDRV_DMA_TYPE_NONCONTIG, DMA_BIDIRECTIONAL,
		   SZ_4M);
	KUNIT_EXPECT_TRUE(test, all_are(dmab.area, SZ_4M, 0));

	/* as large as they come; the table tells the same as the functions */
	sgt = snd_dma_noncontig_sg_table(&dmab);
	KUNIT_EXPECT_EQ(test, sgt->orig_nents, (unsigned int)(SZ_4M / piece));
	KUNIT_EXPECT_EQ(test, sgt->nents, sgt->orig_nents);
	for_each_sgtable_sg(sgt, sg, i) {
		KUNIT_EXPECT_EQ(test, (size_t)sg->length, piece);
		KUNIT_EXPECT_EQ(test, sg->offset, 0U);
		KUNIT_EXPECT_EQ(test, (size_t)sg_dma_len(sg), piece);
		KUNIT_EXPECT_EQ(test, sg_dma_address(sg),
				snd_sgbuf_get_addr(&dmab, ofs));
		KUNIT_EXPECT_PTR_EQ(test, sg_page(sg),
				    snd_sgbuf_get_page(&dmab, ofs));
		KUNIT_EXPECT_EQ(test, snd_sgbuf_get_chunk_size(&dmab, ofs,
							       SZ_4M - ofs),
				(unsigned int)piece);
		dmatest_mem_claim(&m->mem, sg_dma_address(sg), &stats);
		ofs += piece;
	}
	KUNIT_EXPECT_EQ(test, ofs, (size_t)SZ_4M);
	KUNIT_EXPECT_FALSE(test, sg);

	/* a sync goes to what it is for, wherever that is */
	for (ofs = 104; ofs < SZ_4M; ofs += 333 * PAGE_SIZE + 200) {
		u64 key = 0x0123456789abcdefULL + ofs, seen;

		memcpy(dmab.area + ofs, &key, sizeof(key));
		memset(&stats, 0, sizeof(stats));
		snd_dma_buffer_sync_range(&dmab, ofs, sizeof(key),
					  SNDRV_DMA_SYNC_DEVICE);
		KUNIT_EXPECT_EQ(test, stats.ranges, 1ULL);
		KUNIT_EXPECT_EQ(test, stats.lines[DMATEST_SYNC_DEVICE],
				(u64)snd_dma_sync_align());
		dmatest_mem_read(&m->mem, snd_sgbuf_get_addr(&dmab, ofs), &seen,
				 sizeof(seen));
		KUNIT_EXPECT_EQ(test, seen, key);
	}
	memset(&stats, 0, sizeof(stats));
	snd_dma_buffer_sync(&dmab, SNDRV_DMA_SYNC_CPU);
	KUNIT_EXPECT_EQ(test, stats.asked[DMATEST_SYNC_CPU], (u64)SZ_4M);
	KUNIT_EXPECT_EQ(test, stats.ranges, (u64)SZ_4M / PAGE_SIZE);

	snd_dma_free_pages(&dmab);
}

/*
 * Real memory, of which the device reaches what its mask says. There is no
 * block of 8 MiB, so that is made of pieces.
 */
static const unsigned int reaches[] = { 32, 31, 24 };

static void reach_name(const unsigned int *bits, char *desc)
{
	snprintf(desc, KUNIT_PARAM_DESC_SIZE, "%u bits", *bits);
}

KUNIT_ARRAY_PARAM(reach, reaches, reach_name);

static const struct {
	int type;
	size_t bytes;
} within[] = {
	{ SNDRV_DMA_TYPE_NONCONTIG, SZ_64K },
	{ SNDRV_DMA_TYPE_NONCONTIG, SZ_8M },
	{ SNDRV_DMA_TYPE_NONCOHERENT, SZ_64K },
};

static void within_reach(struct kunit *test)
{
	u64 mask = DMA_BIT_MASK(*(const unsigned int *)test->param_value);
	struct machine *m = test->priv;
	struct snd_dma_buffer dmab;
	unsigned int i, had = 0;
	size_t ofs;
	int err;

	if (dma_set_mask_and_coherent(m->dev, mask))
		kunit_skip(test, "no memory is there on this machine");
	for (i = 0; i < ARRAY_SIZE(within); i++) {
		err = snd_dma_alloc_pages(within[i].type, m->dev,
					  within[i].bytes, &dmab);
		if (err) {
			KUNIT_EXPECT_EQ(test, err, -ENOMEM);
			continue;
		}
		for (ofs = 0; ofs < dmab.bytes; ofs += PAGE_SIZE)
			KUNIT_ASSERT_LE(test, snd_sgbuf_get_addr(&dmab, ofs) +
					PAGE_SIZE - 1, mask);
		snd_dma_free_pages(&dmab);
		had++;
	}
	if (!had)
		kunit_skip(test, "this kernel finds no memory there");
}

/* Behind an IOMMU, and where there is a block, there are no pieces */
static void only_if_needed(struct kunit *test)
{
	const struct kind *kind = test->param_value;
	struct snd_dma_buffer dmab;
	struct sg_table *sgt;
	struct machine *m;

	if (kind->type != SNDRV_DMA_TYPE_NONCONTIG)
		kunit_skip(test, "is never made of pieces");
	m = param_get(test, &dmab);
	sgt = snd_dma_noncontig_sg_table(&dmab);
	KUNIT_EXPECT_EQ(test, sgt->nents > 1, !!(kind->flags & PIECES));
	KUNIT_EXPECT_EQ(test, sgt->nents, m->mem.maps);
	snd_dma_free_pages(&dmab);
}

/* Of 7 pages, 4 and 2 and 1 */
static void pieces_decrease(struct kunit *test)
{
	struct dmatest_mem_config config = no_iommu;
	struct snd_dma_buffer dmab;
	struct scatterlist *sg;
	struct machine *m;
	int i;

	config.max_order = 2;
	m = machine_with(test, &config);
	buffer_get(test, &dmab, m, SNDRV_DMA_TYPE_NONCONTIG, DMA_TO_DEVICE,
		   BYTES);
	KUNIT_EXPECT_EQ(test, m->mem.maps, 3U);
	for_each_sgtable_sg(snd_dma_noncontig_sg_table(&dmab), sg, i)
		KUNIT_EXPECT_EQ(test, (size_t)sg->length, 4 * PAGE_SIZE >> i);
	KUNIT_EXPECT_EQ(test, i, 3);
	snd_dma_free_pages(&dmab);
}

/*
 * A device whose memory comes in single pages, cut from a block in this order,
 * and runs out at some time
 */
struct slices {
	u8 *block;
	unsigned int given, taken_back, limit;
	unsigned int refused;		/* more than a page */
	gfp_t gfp, large_gfp;		/* of a page, and of more */
	bool unmappable;
};

static const u8 order_of_slices[] = { 0, 1, 2, 5, 6, 4, 3, 7 };
static const unsigned int runs_of_slices[] = { 3, 2, 1, 1, 1 };

#define SLICES	ARRAY_SIZE(order_of_slices)

static struct page *slice(struct slices *s, unsigned int i)
{
	return virt_to_page(s->block + order_of_slices[i] * PAGE_SIZE);
}

static struct page *slices_alloc(struct device *dev, size_t size,
				 dma_addr_t *addr, enum dma_data_direction dir,
				 gfp_t gfp)
{
	struct slices *s = dev_get_drvdata(dev);
	struct page *page;

	if (size > PAGE_SIZE) {
		s->refused++;
		s->large_gfp = gfp;
		return NULL;
	}
	s->gfp = gfp;
	if (s->given == s->limit)
		return NULL;
	page = slice(s, s->given++);
	*addr = s->unmappable ? DMA_MAPPING_ERROR : page_to_phys(page);
	return page;
}

static void slices_free(struct device *dev, size_t size, struct page *page,
			dma_addr_t addr, enum dma_data_direction dir)
{
	struct slices *s = dev_get_drvdata(dev);

	s->taken_back += size == PAGE_SIZE;
}

/* nobody maps these, but pieces are made only where memory can be mapped */
static const struct dma_map_ops slices_ops = {
	.alloc_pages = slices_alloc,
	.free_pages = slices_free,
	.mmap = never_mmap,
};

static void slices_get(struct kunit *test, struct slices *s, unsigned int limit)
{
	struct machine *m = test->priv;

	*s = (struct slices){ .limit = limit };
	s->block = alloc_pages_exact(SLICES * PAGE_SIZE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, s->block);
	dev_set_drvdata(m->dev, s);
	set_dma_ops(m->dev, &slices_ops);
}

static void slices_put(struct kunit *test, struct slices *s)
{
	struct machine *m = test->priv;

	KUNIT_EXPECT_EQ(test, s->taken_back, s->given);
	set_dma_ops(m->dev, NULL);
	free_pages_exact(s->block, SLICES * PAGE_SIZE);
}

/* Neighbours are one chunk, from wherever in it */
static void expect_runs(struct kunit *test, struct snd_dma_buffer *dmab)
{
	unsigned int i, run, left, ofs = 0;

	for (i = 0; i < ARRAY_SIZE(runs_of_slices); i++) {
		run = runs_of_slices[i] * PAGE_SIZE;
		left = dmab->bytes - ofs;
		KUNIT_EXPECT_EQ(test, snd_sgbuf_get_chunk_size(dmab, ofs, left),
				run);
		KUNIT_EXPECT_EQ(test, snd_sgbuf_get_chunk_size(dmab, ofs + 100,
							       left - 100),
				run - 100);
		ofs += run;
	}
	KUNIT_EXPECT_EQ(test, ofs, (unsigned int)dmab->bytes);
}

/* Pieces that happen to follow each other are one chunk to the device */
static void pieces_merge(struct kunit *test)
{
	struct machine *m = test->priv;
	struct snd_dma_buffer dmab;
	struct slices s;

	slices_get(test, &s, SLICES);
	buffer_get(test, &dmab, m, SNDRV_DMA_TYPE_NONCONTIG, DMA_TO_DEVICE,
		   SLICES * PAGE_SIZE);
	/* all in one, by the DMA API and by us; half; a quarter; and not again */
	KUNIT_EXPECT_EQ(test, s.refused, 4U);
	expect_runs(test, &dmab);
	snd_dma_free_pages(&dmab);
	slices_put(test, &s);
}

/* Wherever it ends, it ends with nothing */
static void pieces_run_out(struct kunit *test)
{
	struct machine *m = test->priv;
	struct snd_dma_buffer dmab;
	struct slices s;
	unsigned int limit;

	for (limit = 0; limit < SLICES; limit++) {
		slices_get(test, &s, limit);
		memset(&dmab, 0xff, sizeof(dmab));
		KUNIT_EXPECT_EQ(test,
				snd_dma_alloc_pages(SNDRV_DMA_TYPE_NONCONTIG,
						    m->dev, SLICES * PAGE_SIZE,
						    &dmab), -ENOMEM);
		expect_empty(test, &dmab);
		KUNIT_EXPECT_EQ(test, s.given, limit);
		slices_put(test, &s);
	}
}

/* More than there can be an array for: no warning is due, as less may do */
static void pieces_too_many(struct kunit *test)
{
	struct machine *m = test->priv;
	struct snd_dma_buffer dmab;
	struct slices s;

	slices_get(test, &s, 0);
	KUNIT_EXPECT_EQ(test, snd_dma_alloc_pages(SNDRV_DMA_TYPE_NONCONTIG,
						  m->dev,
						  1UL << (BITS_PER_LONG - 2),
						  &dmab), -ENOMEM);
	expect_empty(test, &dmab);
	slices_put(test, &s);
}

/*
 * Whoever asks for little is patient: zeroed, without a warning, but also
 * without an OOM kill.  For more in a row, of which less would do, nothing else
 * has to go.
 */
static void how_pages_are_asked_for(struct kunit *test)
{
	static const gfp_t flags = __GFP_ZERO | __GFP_NOWARN |
				   __GFP_RETRY_MAYFAIL | __GFP_NORETRY;
	struct machine *m = test->priv;
	struct snd_dma_buffer dmab;
	struct slices s;

	slices_get(test, &s, SLICES);
	buffer_get(test, &dmab, m, SNDRV_DMA_TYPE_NONCONTIG, DMA_TO_DEVICE,
		   2 * PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, (s.gfp & flags) == (flags & ~__GFP_NORETRY));
	KUNIT_EXPECT_TRUE(test, (s.large_gfp & flags) ==
				(flags & ~__GFP_RETRY_MAYFAIL));
	snd_dma_free_pages(&dmab);

	s.gfp = 0;
	buffer_get(test, &dmab, m, SNDRV_DMA_TYPE_NONCOHERENT, DMA_TO_DEVICE,
		   PAGE_SIZE);
	KUNIT_EXPECT_TRUE(test, (s.gfp & flags) == (flags & ~__GFP_NORETRY));
	snd_dma_free_pages(&dmab);
	slices_put(test, &s);
}

/* A page of which the device has no address is given back */
static void mapping_error(struct kunit *test)
{
	static const struct {
		int type;
		size_t bytes;
	} buffers[] = {
		{ SNDRV_DMA_TYPE_NONCONTIG, 2 * PAGE_SIZE },
		{ SNDRV_DMA_TYPE_NONCOHERENT, PAGE_SIZE },
	};
	struct machine *m = test->priv;
	struct snd_dma_buffer dmab;
	struct slices s;
	unsigned int i;

	if (IS_ENABLED(CONFIG_DMA_API_DEBUG))
		kunit_skip(test, "the DMA API's debugging does not like its free");
	for (i = 0; i < ARRAY_SIZE(buffers); i++) {
		slices_get(test, &s, SLICES);
		s.unmappable = true;
		KUNIT_EXPECT_EQ(test,
				snd_dma_alloc_pages(buffers[i].type, m->dev,
						    buffers[i].bytes, &dmab),
				-ENOMEM);
		expect_empty(test, &dmab);
		KUNIT_EXPECT_EQ(test, s.given, 1U);
		slices_put(test, &s);
	}
}

/*
 * A device with more memory than the CPU has addresses for
 */
struct vast {
	struct dma_sgt_handle handle;
	struct scatterlist sg;
	unsigned int given, taken_back;
	size_t bytes;
};

static struct sg_table *vast_alloc(struct device *dev, size_t size,
				   enum dma_data_direction dir, gfp_t gfp,
				   unsigned long attrs)
{
	struct vast *v = dev_get_drvdata(dev);

	v->given++;
	v->bytes = size;
	return &v->handle.sgt;
}

static void vast_free(struct device *dev, size_t size, struct sg_table *sgt,
		      enum dma_data_direction dir)
{
	struct vast *v = dev_get_drvdata(dev);

	v->taken_back += sgt == &v->handle.sgt && size == v->bytes;
}

static const struct dma_map_ops vast_ops = {
	.alloc_pages = never_pages,
	.mmap = never_mmap,
	.alloc_noncontiguous = vast_alloc,
	.free_noncontiguous = vast_free,
};

/* What the kernel cannot map is given back, and pieces would not help */
static void no_addresses_left(struct kunit *test)
{
	struct vast *v = kunit_kzalloc(test, sizeof(*v), GFP_KERNEL);
	struct machine *m = test->priv;
	struct snd_dma_buffer dmab;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, v);
	sg_init_one(&v->sg, v, sizeof(*v));
	v->handle.sgt = (struct sg_table){
		.sgl = &v->sg, .nents = 1, .orig_nents = 1,
	};
	dev_set_drvdata(m->dev, v);
	set_dma_ops(m->dev, &vast_ops);
	KUNIT_EXPECT_EQ(test, snd_dma_alloc_pages(SNDRV_DMA_TYPE_NONCONTIG,
						  m->dev,
						  1UL << (BITS_PER_LONG - 2),
						  &dmab), -ENOMEM);
	expect_empty(test, &dmab);
	KUNIT_EXPECT_EQ(test, v->given, 1U);
	KUNIT_EXPECT_EQ(test, v->taken_back, 1U);
	set_dma_ops(m->dev, NULL);
}

/* So are pages of a VMALLOC buffer, here one that a driver describes itself */
static void vmalloc_runs(struct kunit *test)
{
	struct snd_dma_buffer dmab = {
		.dev.type = SNDRV_DMA_TYPE_VMALLOC,
		.bytes = SLICES * PAGE_SIZE,
	};
	struct page *pages[SLICES];
	struct slices s;
	unsigned int i;

	slices_get(test, &s, SLICES);
	for (i = 0; i < SLICES; i++)
		pages[i] = slice(&s, i);
	dmab.area = vmap(pages, SLICES, VM_MAP, PAGE_KERNEL);
	KUNIT_EXPECT_NOT_ERR_OR_NULL(test, dmab.area);
	if (dmab.area) {
		expect_runs(test, &dmab);
		vunmap(dmab.area);
	}
	slices_put(test, &s);
}

static struct kunit_case memalloc_cases[] = {
	KUNIT_CASE_PARAM(addresses, kind_gen_params),
	KUNIT_CASE_PARAM(pages, kind_gen_params),
	KUNIT_CASE_PARAM(chunks, kind_gen_params),
	KUNIT_CASE_PARAM(mmapped, mmapped_gen_params),
	KUNIT_CASE_PARAM(zeroed, kind_gen_params),
	KUNIT_CASE_PARAM(freed, kind_gen_params),
	KUNIT_CASE(unknown_type),
	KUNIT_CASE_PARAM(out_of_memory, shortage_gen_params),
	KUNIT_CASE_PARAM(allocations_fail, kind_gen_params),
	KUNIT_CASE(defaults),
	KUNIT_CASE(iram_falls_back),
	KUNIT_CASE(not_cached),
	KUNIT_CASE(devres),
	KUNIT_CASE_PARAM(need_sync, kind_gen_params),
	KUNIT_CASE(iommu_coherent),
	KUNIT_CASE_PARAM(sync_ranges, kind_gen_params),
	KUNIT_CASE_PARAM(sync_direction, kind_gen_params),
	KUNIT_CASE_PARAM(pieces_4m, order_gen_params),
	KUNIT_CASE_PARAM(within_reach, reach_gen_params),
	KUNIT_CASE_PARAM(only_if_needed, kind_gen_params),
	KUNIT_CASE(pieces_decrease),
	KUNIT_CASE(pieces_merge),
	KUNIT_CASE(pieces_run_out),
	KUNIT_CASE(pieces_too_many),
	KUNIT_CASE(how_pages_are_asked_for),
	KUNIT_CASE(mapping_error),
	KUNIT_CASE(no_addresses_left),
	KUNIT_CASE(vmalloc_runs),
	{}
};

static struct kunit_suite memalloc_suite = {
	.name = "memalloc",
	.init = machine_init,
	.exit = machine_exit,
	.test_cases = memalloc_cases,
};

kunit_test_suite(memalloc_suite);

MODULE_DESCRIPTION("KUnit tests of the buffer types");
MODULE_LICENSE("GPL");
