// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *  Memory that is not coherent, modelled in software
 *
 *  Where a device does not see the CPU's cache, each byte exists twice: in
 *  the cache and in memory. The two agree only where somebody wrote the cache
 *  back (cleaned it) or dropped it (invalidated it). Coherent machines, which
 *  is what most tests run on, forgive each mistake in this. Here, the two
 *  are kept apart in software, so that no machine forgives any:
 *
 *   - the CPU's view of a page is the page itself, which the kernel and user
 *     space map and use as they please: it stands for the cache,
 *   - the device's view is a shadow page: it stands for memory, and is all
 *     that dmatest_mem_read() and dmatest_mem_write() reach,
 *   - the base is what the CPU's view held when it last agreed with the
 *     device's view: a line is dirty if the CPU's view differs from it.
 *
 *  Everything happens in whole lines, as in a real cache:
 *
 *     clean       device = base = CPU     dirty lines only
 *     invalidate  CPU = base = device     whatever the CPU wrote is lost
 *     refetch     CPU = base = device     clean lines only
 *
 *  An invalidated line is fetched again when the CPU next looks at it, or
 *  earlier, if the CPU speculates. The model does it at once. That is the
 *  worst case for a sync that comes too early.
 *
 *  The one thing that a comparison cannot see is a store that does not change
 *  anything. Such a line is taken for clean, though in a real cache it would
 *  be dirty. Who knows of such stores says so with dmatest_mem_store().
 *
 *  The device lives behind an IOMMU of its own, with addresses that are not
 *  those of any memory. An address that is not mapped, and an access against
 *  the mapping's direction, is a fault: reads give ones, writes are dropped.
 */

#include <linux/delay.h>
#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/ioport.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/preempt.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "dmatest_mem.h"

/* what becomes of hold_sync */
enum { HOLD_NONE, HOLD_NEXT, HOLD_HELD };

static int hold_sync;
module_param(hold_sync, int, 0644);
MODULE_PARM_DESC(hold_sync, "1: the next sync that may sleep makes it 2, and waits for 0.");

#ifdef CONFIG_ARCH_DMA_ADDR_T_64BIT
#define DMATEST_ADDR_BITS	47
#define DMATEST_WINDOW		((dma_addr_t)SZ_4G)
#else
#define DMATEST_ADDR_BITS	32
#define DMATEST_WINDOW		((dma_addr_t)SZ_256M)
#endif

/* Mappings lie up to so many pages apart, and never side by side */
#define DMATEST_GAP_PAGES	8

/* No cache acts further from where the device is than 1 << so many bytes */
#define DMATEST_REACH_SHIFT	24

struct dmatest_map;

/**
 * struct dmatest_page - one page of the device's address space
 * @node: in &struct dmatest_mem.pages
 * @addr: the device's address
 * @map: the mapping that it belongs to
 * @cpu: the CPU's view
 * @dev: the device's view, which is the same where it is coherent
 * @base: what the CPU's view was when it was last in step with the device's;
 *	NULL where it is coherent
 */
struct dmatest_page {
	struct hlist_node node;
	dma_addr_t addr;
	struct dmatest_map *map;
	void *cpu;
	void *dev;
	void *base;
};

/**
 * struct dmatest_map - a range of the device's address space
 * @dir: what the device may do with it
 * @stats: who pays for its syncs
 * @count: number of pages
 * @pages: the CPU's pages
 * @page: the device's pages
 */
struct dmatest_map {
	enum dma_data_direction dir;
	struct dmatest_sync_stats *stats;
	unsigned int count;
	struct page **pages;
	struct dmatest_page page[];
};

static struct dmatest_mem *to_mem(struct device *dev)
{
	return dev_get_drvdata(dev);
}

static struct dmatest_page *find_page(struct dmatest_mem *mem, dma_addr_t addr)
{
	struct dmatest_page *page;

	lockdep_assert_held(&mem->lock);

	addr = ALIGN_DOWN(addr, PAGE_SIZE);
	hash_for_each_possible(mem->pages, page, node, addr >> PAGE_SHIFT)
		if (page->addr == addr)
			return page;
	return NULL;
}

static void note_fault(struct dmatest_mem *mem, dma_addr_t addr, const char *what)
{
	lockdep_assert_held(&mem->lock);

	mem->stats.faults++;
	dev_warn_ratelimited(mem->dev, "fault at %pad: %s\n", &addr, what);
}

/*
 * Lines
 *
 * The CPUs do not stop while a line is copied, least of all those in user
 * space, and none of their stores may get lost by the model's own doing. So
 * the model only reads the CPU's view, a word at a time, whenever that is
 * enough, and puts what it has read, and nothing else, into both the device's
 * view and the base: a store in between leaves the line dirty. Where the
 * CPU's view has to change though nobody asked for it, each word is
 * replaced only if it still is what the CPU had fetched: a store in between
 * stays, on top of the line that was fetched under it.
 */

static bool line_is_dirty(struct dmatest_mem *mem, struct dmatest_page *page,
			  unsigned int ofs)
{
	unsigned long *cpu = page->cpu + ofs;
	unsigned long *base = page->base + ofs;
	unsigned int i;

	for (i = 0; i < mem->config.line / sizeof(long); i++)
		if (READ_ONCE(cpu[i]) != base[i])
			return true;
	return false;
}

static void line_write_back(struct dmatest_mem *mem, struct dmatest_page *page,
			    unsigned int ofs)
{
	unsigned long *cpu = page->cpu + ofs;
	unsigned long *dev = page->dev + ofs;
	unsigned long *base = page->base + ofs;
	unsigned int i;

	for (i = 0; i < mem->config.line / sizeof(long); i++) {
		base[i] = READ_ONCE(cpu[i]);
		dev[i] = base[i];
	}
}

static void line_clean(struct dmatest_mem *mem, struct dmatest_page *page,
		       unsigned int ofs)
{
	if (line_is_dirty(mem, page, ofs))
		line_write_back(mem, page, ofs);
}

static void line_invalidate(struct dmatest_mem *mem, struct dmatest_page *page,
			    unsigned int ofs)
{
	unsigned long *cpu = page->cpu + ofs;
	unsigned long *dev = page->dev + ofs;
	unsigned long *base = page->base + ofs;
	unsigned int i;

	for (i = 0; i < mem->config.line / sizeof(long); i++) {
		base[i] = dev[i];
		WRITE_ONCE(cpu[i], dev[i]);
	}
}

static void line_evict(struct dmatest_mem *mem, struct dmatest_page *page,
		       unsigned int ofs)
{
	if (!line_is_dirty(mem, page, ofs))
		return;
	line_write_back(mem, page, ofs);
	mem->stats.evictions++;
}

static void line_refetch(struct dmatest_mem *mem, struct dmatest_page *page,
			 unsigned int ofs)
{
	unsigned long *cpu = page->cpu + ofs;
	unsigned long *dev = page->dev + ofs;
	unsigned long *base = page->base + ofs;
	unsigned int i;

	if (line_is_dirty(mem, page, ofs) ||
	    !memcmp(base, dev, mem->config.line))
		return;
	for (i = 0; i < mem->config.line / sizeof(long); i++) {
		cmpxchg(&cpu[i], base[i], dev[i]);
		base[i] = dev[i];
	}
	mem->stats.refetches++;
}

typedef void (*line_op)(struct dmatest_mem *mem, struct dmatest_page *page,
			unsigned int ofs);

/* What the CPU holds counts as just written */
static void line_store(struct dmatest_mem *mem, struct dmatest_page *page,
		       unsigned int ofs)
{
	unsigned long *cpu = page->cpu + ofs;
	unsigned long *base = page->base + ofs;
	unsigned int i;

	for (i = 0; i < mem->config.line / sizeof(long); i++)
		base[i] = ~READ_ONCE(cpu[i]);
}

/* Does @op to all lines that a range touches; returns their bytes */
static size_t for_lines(struct dmatest_mem *mem, dma_addr_t addr, size_t bytes,
			line_op op)
{
	dma_addr_t start = ALIGN_DOWN(addr, mem->config.line);
	dma_addr_t end = ALIGN(addr + bytes, mem->config.line);
	dma_addr_t at, next;

	for (at = start; at < end; at = next) {
		struct dmatest_page *page;
		unsigned long flags;

		next = min(end, ALIGN_DOWN(at, PAGE_SIZE) + PAGE_SIZE);
		spin_lock_irqsave(&mem->lock, flags);
		page = find_page(mem, at);
		if (!page)
			note_fault(mem, at, "sync of an address that is not mapped");
		for (; page && page->base && at < next; at += mem->config.line)
			op(mem, page, offset_in_page(at));
		spin_unlock_irqrestore(&mem->lock, flags);
	}
	return end - start;
}

/*
 * The cache, left to itself
 */

/**
 * dmatest_mem_evict - write back what is dirty, as a cache may at any moment
 * @mem: the memory
 * @addr: the device's address of the first byte
 * @bytes: number of bytes, rounded out to whole lines
 *
 * The lines go to memory whether or not the device has written there
 * meanwhile.
 *
 * Context: any
 */
void dmatest_mem_evict(struct dmatest_mem *mem, dma_addr_t addr, size_t bytes)
{
	for_lines(mem, addr, bytes, line_evict);
}
EXPORT_SYMBOL_GPL(dmatest_mem_evict);

/**
 * dmatest_mem_prefetch - fetch what is clean, as a CPU may at any moment
 * @mem: the memory
 * @addr: the device's address of the first byte
 * @bytes: number of bytes, rounded out to whole lines
 *
 * Context: any
 */
void dmatest_mem_prefetch(struct dmatest_mem *mem, dma_addr_t addr,
			  size_t bytes)
{
	for_lines(mem, addr, bytes, line_refetch);
}
EXPORT_SYMBOL_GPL(dmatest_mem_prefetch);

/**
 * dmatest_mem_store - make lines dirty, as stores do whatever they store
 * @mem: the memory
 * @addr: the device's address of the first byte
 * @bytes: number of bytes, rounded out to whole lines
 *
 * For stores of what may be there already, such as of zeros.
 *
 * Context: any
 */
void dmatest_mem_store(struct dmatest_mem *mem, dma_addr_t addr, size_t bytes)
{
	for_lines(mem, addr, bytes, line_store);
}
EXPORT_SYMBOL_GPL(dmatest_mem_store);

/**
 * dmatest_mem_disturb - let the adversaries have their way with a few lines
 * @mem: the memory
 * @addr: where something just happened, as an address of the device
 * @lines: how often they may try; many tries hit nothing
 *
 * The distance from @addr is about as likely to be tens of bytes as hundreds
 * or thousands, on either side: the lines that the device works on are hit
 * often, those at the other end of a large buffer now and then.
 *
 * Context: any
 */
void dmatest_mem_disturb(struct dmatest_mem *mem, dma_addr_t addr,
			 unsigned int lines)
{
	unsigned int shift = ilog2(mem->config.line);

	if (!mem->config.adversary)
		return;

	while (lines--) {
		struct dmatest_page *page;
		unsigned long flags;
		dma_addr_t at;
		u32 how, far;

		spin_lock_irqsave(&mem->lock, flags);
		how = prandom_u32_state(&mem->rnd);
		far = prandom_u32_state(&mem->rnd);
		far &= BIT(shift + (how >> 1) % (DMATEST_REACH_SHIFT - shift)) - 1;
		at = ALIGN_DOWN(how & 1 ? addr + far : addr - far,
				mem->config.line);
		page = find_page(mem, at);
		if (page && page->base) {
			if (mem->config.adversary & DMATEST_EVICT)
				line_evict(mem, page, offset_in_page(at));
			if (mem->config.adversary & DMATEST_PREFETCH)
				line_refetch(mem, page, offset_in_page(at));
		}
		spin_unlock_irqrestore(&mem->lock, flags);
	}
}
EXPORT_SYMBOL_GPL(dmatest_mem_disturb);

/*
 * The device
 */

static const char *why_not(const struct dmatest_page *page, bool write)
{
	if (!page)
		return write ? "write to an address that is not mapped" :
			       "read from an address that is not mapped";
	if (write && page->map->dir == DMA_TO_DEVICE)
		return "write to memory mapped DMA_TO_DEVICE";
	if (!write && page->map->dir == DMA_FROM_DEVICE)
		return "read from memory mapped DMA_FROM_DEVICE";
	return NULL;
}

static bool device_access(struct dmatest_mem *mem, dma_addr_t addr, void *buf,
			  size_t bytes, bool write)
{
	bool good = true;

	while (bytes) {
		unsigned int ofs = offset_in_page(addr);
		size_t chunk = min_t(size_t, bytes, PAGE_SIZE - ofs);
		struct dmatest_page *page;
		unsigned long flags;
		const char *why;

		spin_lock_irqsave(&mem->lock, flags);
		page = find_page(mem, addr);
		why = why_not(page, write);
		if (why) {
			note_fault(mem, addr, why);
			good = false;
		}
		if (why && !write)
			memset(buf, 0xff, chunk);
		else if (!why && !write)
			memcpy(buf, page->dev + ofs, chunk);
		else if (!why)
			memcpy(page->dev + ofs, buf, chunk);
		spin_unlock_irqrestore(&mem->lock, flags);

		addr += chunk;
		buf += chunk;
		bytes -= chunk;
	}
	return good;
}

/**
 * dmatest_mem_read - the device reads
 * @mem: the memory
 * @addr: the device's address of the first byte
 * @to: where to put them
 * @bytes: number of bytes
 *
 * Context: any
 * Return: true, or false if a part of it was a fault and gave ones
 */
bool dmatest_mem_read(struct dmatest_mem *mem, dma_addr_t addr, void *to,
		      size_t bytes)
{
	return device_access(mem, addr, to, bytes, false);
}
EXPORT_SYMBOL_GPL(dmatest_mem_read);

/**
 * dmatest_mem_write - the device writes
 * @mem: the memory
 * @addr: the device's address of the first byte
 * @from: the bytes
 * @bytes: their number
 *
 * Context: any
 * Return: true, or false if a part of it was a fault and went nowhere
 */
bool dmatest_mem_write(struct dmatest_mem *mem, dma_addr_t addr,
		       const void *from, size_t bytes)
{
	return device_access(mem, addr, (void *)from, bytes, true);
}
EXPORT_SYMBOL_GPL(dmatest_mem_write);

/*
 * Mappings
 */

static void map_free(struct dmatest_map *map)
{
	unsigned int i;

	for (i = 0; i < map->count; i++) {
		if (!map->page[i].base)
			continue;
		free_page((unsigned long)map->page[i].base);
		free_page((unsigned long)map->page[i].dev);
	}
	kvfree(map->pages);
	kvfree(map);
}

/* Makes room for a mapping; its pages are still to come */
static struct dmatest_map *map_alloc(struct dmatest_mem *mem,
				     unsigned int count,
				     enum dma_data_direction dir, gfp_t gfp)
{
	struct dmatest_map *map;

	map = kvzalloc(struct_size(map, page, count), gfp);
	if (!map)
		return NULL;
	map->pages = kvcalloc(count, sizeof(*map->pages), gfp);
	if (!map->pages) {
		kvfree(map);
		return NULL;
	}
	map->dir = dir;
	map->stats = &mem->unclaimed;
	map->count = count;
	return map;
}

/* Gives each page a device's view of its own, in which nothing is known */
static bool map_shadow(struct dmatest_map *map, gfp_t gfp)
{
	unsigned int i;

	for (i = 0; i < map->count; i++) {
		void *dev = (void *)__get_free_page(gfp);
		void *base = (void *)__get_free_page(gfp);

		if (!dev || !base) {
			free_page((unsigned long)dev);
			free_page((unsigned long)base);
			return false;
		}
		memset(dev, DMATEST_POISON, PAGE_SIZE);
		memset(base, DMATEST_POISON, PAGE_SIZE);
		map->page[i].dev = dev;
		map->page[i].base = base;
	}
	return true;
}

/* Finds free addresses; they come back into use as late as possible */
static dma_addr_t map_place(struct dmatest_mem *mem, unsigned int count)
{
	dma_addr_t bytes = (dma_addr_t)count << PAGE_SHIFT;
	dma_addr_t addr = mem->cursor;
	unsigned int tries;

	/* Each try that fails passes a mapping, or the end of the window */
	for (tries = 0; tries <= mem->maps + 1; tries++) {
		struct dmatest_page *page = NULL;
		dma_addr_t at;
		u32 gap;

		gap = 1 + prandom_u32_state(&mem->rnd) % DMATEST_GAP_PAGES;
		addr += (dma_addr_t)gap << PAGE_SHIFT;
		if (addr + bytes + PAGE_SIZE > mem->end)
			addr = mem->window;
		if (addr + bytes > mem->end)
			break;
		for (at = addr; at <= addr + bytes && !page; at += PAGE_SIZE)
			page = find_page(mem, at);
		if (!page)
			return addr;
		addr = page->map->page[page->map->count - 1].addr;
	}
	return DMA_MAPPING_ERROR;
}

/* From here on, the device can get at it */
static dma_addr_t map_insert(struct dmatest_mem *mem, struct dmatest_map *map)
{
	unsigned long flags;
	dma_addr_t addr;
	unsigned int i;

	spin_lock_irqsave(&mem->lock, flags);
	addr = map_place(mem, map->count);
	for (i = 0; addr != DMA_MAPPING_ERROR && i < map->count; i++) {
		struct dmatest_page *page = &map->page[i];

		page->map = map;
		page->addr = addr + ((dma_addr_t)i << PAGE_SHIFT);
		page->cpu = page_address(map->pages[i]);
		if (!page->dev)
			page->dev = page->cpu;
		hash_add(mem->pages, &page->node, page->addr >> PAGE_SHIFT);
	}
	if (addr != DMA_MAPPING_ERROR) {
		mem->cursor = addr + ((dma_addr_t)map->count << PAGE_SHIFT);
		mem->maps++;
	}
	spin_unlock_irqrestore(&mem->lock, flags);
	return addr;
}

static struct dmatest_map *map_find(struct dmatest_mem *mem, dma_addr_t addr)
{
	struct dmatest_page *page;
	unsigned long flags;

	spin_lock_irqsave(&mem->lock, flags);
	page = find_page(mem, addr);
	if (!page)
		note_fault(mem, addr, "free or unmap of what is not mapped");
	spin_unlock_irqrestore(&mem->lock, flags);
	return page ? page->map : NULL;
}

static void map_remove(struct dmatest_mem *mem, struct dmatest_map *map)
{
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&mem->lock, flags);
	for (i = 0; i < map->count; i++)
		hash_del(&map->page[i].node);
	mem->maps--;
	spin_unlock_irqrestore(&mem->lock, flags);
}

/*
 * Allocations: mappings of pages of their own
 */

static void pages_free(struct dmatest_map *map)
{
	unsigned int i;

	for (i = 0; i < map->count && map->pages[i]; i++)
		__free_page(map->pages[i]);
}

static bool pages_in_a_row(struct dmatest_mem *mem, struct dmatest_map *map,
			   gfp_t gfp)
{
	unsigned int order = get_order((size_t)map->count << PAGE_SHIFT);
	struct page *page;
	unsigned int i;

	if (!mem->config.iommu && order > mem->config.max_order)
		return false;
	page = alloc_pages(gfp, order);
	if (!page)
		return false;
	split_page(page, order);
	for (i = 0; i < 1U << order; i++)
		if (i < map->count)
			map->pages[i] = page + i;
		else
			__free_page(page + i);
	return true;
}

/* The page allocator likes to give neighbours, so shuffle what it gives */
static bool pages_scattered(struct dmatest_mem *mem, struct dmatest_map *map,
			    gfp_t gfp)
{
	struct rnd_state rnd;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&mem->lock, flags);
	prandom_seed_state(&rnd, prandom_u32_state(&mem->rnd));
	spin_unlock_irqrestore(&mem->lock, flags);

	for (i = 0; i < map->count; i++) {
		unsigned int j = prandom_u32_state(&rnd) % (i + 1);
		struct page *page = alloc_page(gfp);

		if (!page)
			return false;
		map->pages[i] = map->pages[j];
		map->pages[j] = page;
	}
	return true;
}

enum {
	SCATTERED	= BIT(0),	/* the pages need not be neighbours */
	COHERENT	= BIT(1),	/* the device sees what the CPU sees */
	ZEROED		= BIT(2),	/* by the CPU */
};

static struct dmatest_map *allocate(struct dmatest_mem *mem, size_t size,
				    enum dma_data_direction dir, gfp_t gfp,
				    unsigned int how, dma_addr_t *addr)
{
	struct dmatest_map *map;
	unsigned int i;

	/* The pages are used one by one, and the model needs to reach them */
	gfp &= ~(__GFP_COMP | __GFP_HIGHMEM | __GFP_ZERO);
	gfp |= __GFP_NOWARN;

	map = map_alloc(mem, PAGE_ALIGN(size) >> PAGE_SHIFT, dir, gfp);
	if (!map)
		return NULL;
	if (how & SCATTERED ? !pages_scattered(mem, map, gfp) :
			      !pages_in_a_row(mem, map, gfp))
		goto error;
	if (!(how & COHERENT) && !mem->config.coherent && !map_shadow(map, gfp))
		goto error;

	/*
	 * Zeros are in the cache, and dirty, until somebody hands them over;
	 * what was there before is in memory.
	 */
	for (i = 0; i < map->count; i++)
		memset(page_address(map->pages[i]),
		       how & ZEROED ? 0 : DMATEST_POISON, PAGE_SIZE);

	*addr = map_insert(mem, map);
	if (*addr == DMA_MAPPING_ERROR)
		goto error;
	return map;

 error:
	pages_free(map);
	map_free(map);
	return NULL;
}

static void release(struct dmatest_mem *mem, dma_addr_t addr, size_t size)
{
	struct dmatest_map *map = map_find(mem, addr);
	unsigned long flags;

	if (!map)
		return;
	if (PAGE_ALIGN(size) != (size_t)map->count << PAGE_SHIFT) {
		spin_lock_irqsave(&mem->lock, flags);
		note_fault(mem, addr, "free of another size");
		spin_unlock_irqrestore(&mem->lock, flags);
	}
	map_remove(mem, map);
	pages_free(map);
	map_free(map);
}

/* dma_alloc_coherent() promises zeros */
static void *dmatest_alloc(struct device *dev, size_t size, dma_addr_t *handle,
			   gfp_t gfp, unsigned long attrs)
{
	struct dmatest_mem *mem = to_mem(dev);
	bool scattered = mem->config.iommu && gfpflags_allow_blocking(gfp);
	struct dmatest_map *map;
	void *area;

	map = allocate(mem, size, DMA_BIDIRECTIONAL, gfp,
		       COHERENT | ZEROED | (scattered ? SCATTERED : 0), handle);
	if (!map)
		return NULL;
	if (!scattered)
		return page_address(map->pages[0]);
	area = vmap(map->pages, map->count, VM_MAP, PAGE_KERNEL);
	if (!area)
		release(mem, *handle, size);
	return area;
}

static void dmatest_free(struct device *dev, size_t size, void *area,
			 dma_addr_t handle, unsigned long attrs)
{
	if (is_vmalloc_addr(area))
		vunmap(area);
	release(to_mem(dev), handle, size);
}

static int dmatest_mmap(struct device *dev, struct vm_area_struct *vma,
			void *area, dma_addr_t handle, size_t size,
			unsigned long attrs)
{
	struct dmatest_map *map = map_find(to_mem(dev), handle);

	if (!map)
		return -ENXIO;
	return vm_map_pages(vma, map->pages, map->count);
}

/* dma_alloc_pages() does not promise zeros, but has always given them */
static struct page *dmatest_alloc_pages(struct device *dev, size_t size,
					dma_addr_t *handle,
					enum dma_data_direction dir, gfp_t gfp)
{
	struct dmatest_map *map;

	map = allocate(to_mem(dev), size, dir, gfp, ZEROED, handle);
	return map ? map->pages[0] : NULL;
}

static void dmatest_free_pages(struct device *dev, size_t size,
			       struct page *page, dma_addr_t handle,
			       enum dma_data_direction dir)
{
	release(to_mem(dev), handle, size);
}

/*
 * dma_alloc_noncontiguous() gives zeros only to those who ask for them. It
 * promises that the device sees a single segment, whatever the pages are.
 */
static struct sg_table *dmatest_alloc_noncontiguous(struct device *dev,
						    size_t size,
						    enum dma_data_direction dir,
						    gfp_t gfp,
						    unsigned long attrs)
{
	struct dmatest_mem *mem = to_mem(dev);
	struct dma_sgt_handle *sh;
	struct dmatest_map *map;
	dma_addr_t addr;

	size = PAGE_ALIGN(size);
	sh = kzalloc(sizeof(*sh), GFP_KERNEL);
	if (!sh)
		return NULL;
	map = allocate(mem, size, dir, gfp,
		       SCATTERED | (gfp & __GFP_ZERO ? ZEROED : 0), &addr);
	if (!map)
		goto free_handle;
	if (sg_alloc_table_from_pages(&sh->sgt, map->pages, map->count, 0,
				      size, GFP_KERNEL))
		goto free_map;
	sh->pages = map->pages;
	sg_dma_address(sh->sgt.sgl) = addr;
	sg_dma_len(sh->sgt.sgl) = size;
	return &sh->sgt;

 free_map:
	release(mem, addr, size);
 free_handle:
	kfree(sh);
	return NULL;
}

static void dmatest_free_noncontiguous(struct device *dev, size_t size,
				       struct sg_table *sgt,
				       enum dma_data_direction dir)
{
	release(to_mem(dev), sg_dma_address(sgt->sgl), size);
	sg_free_table(sgt);
	kfree(sgt_handle(sgt));
}

/*
 * Syncs
 */

/* A cache takes its time: here for as long as somebody wants to come between */
static void be_held(void)
{
	if (READ_ONCE(hold_sync) != HOLD_NEXT || !preemptible() ||
	    cmpxchg(&hold_sync, HOLD_NEXT, HOLD_HELD) != HOLD_NEXT)
		return;
	while (READ_ONCE(hold_sync) == HOLD_HELD)
		if (msleep_interruptible(1))
			break;
}

static void sync_start(struct dmatest_mem *mem, dma_addr_t addr)
{
	be_held();
	/* The cache does not wait for the sync */
	if (!mem->config.deaf)
		dmatest_mem_disturb(mem, addr, 4);
}

/*
 * Interrupts are on again when an interrupt comes that the CPU has sent itself:
 * until then, syncs add up.
 */
static void irqoff_ended(struct irq_work *work)
{
	struct dmatest_mem *mem = container_of(work, struct dmatest_mem,
					       irqoff_end);
	unsigned long flags;

	spin_lock_irqsave(&mem->lock, flags);
	mem->irqoff_bytes = 0;
	spin_unlock_irqrestore(&mem->lock, flags);
}

static void sync_count(struct dmatest_mem *mem, dma_addr_t addr,
		       enum dmatest_sync_to to, size_t asked, size_t lines)
{
	bool irqoff = irqs_disabled();
	struct dmatest_sync_stats *stats;
	struct dmatest_page *page;
	unsigned long flags;

	spin_lock_irqsave(&mem->lock, flags);
	page = find_page(mem, addr);
	stats = page ? page->map->stats : &mem->unclaimed;
	stats->ranges += !!lines;
	stats->asked[to] += asked;
	stats->lines[to] += lines;
	if (irqoff) {
		irq_work_queue(&mem->irqoff_end);
		mem->irqoff_bytes += lines;
		stats->irqoff_max = max(stats->irqoff_max, mem->irqoff_bytes);
	}
	spin_unlock_irqrestore(&mem->lock, flags);
}

/*
 * A sync of a single range finds where it begins by the device's address, but
 * then goes on through the CPU's memory, where the next page is whatever lies
 * behind this one. That is what sync_sg is for.
 */
static size_t bytes_in_a_row(struct dmatest_mem *mem, dma_addr_t addr,
			     size_t bytes)
{
	size_t good = min_t(size_t, bytes, PAGE_SIZE - offset_in_page(addr));
	struct dmatest_page *page, *next;
	unsigned long flags;

	spin_lock_irqsave(&mem->lock, flags);
	page = find_page(mem, addr);
	while (page && good < bytes) {
		next = find_page(mem, addr + good);
		if (!next || virt_to_phys(next->cpu) !=
			     virt_to_phys(page->cpu) + PAGE_SIZE) {
			note_fault(mem, addr + good,
				   "sync of a single range goes on where its memory does not");
			break;
		}
		good = min_t(size_t, bytes, good + PAGE_SIZE);
		page = next;
	}
	spin_unlock_irqrestore(&mem->lock, flags);
	return good;
}

/*
 * What an architecture does at least: an instruction for the line, on to the
 * next, and is that beyond the end?  (arm64, dcache_by_line_op)
 */
static void walk_lines(struct dmatest_mem *mem, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i += mem->config.line)
		READ_ONCE(mem->config.deaf);
}

static void sync_range(struct dmatest_mem *mem, dma_addr_t addr, size_t bytes,
		       enum dma_data_direction dir, enum dmatest_sync_to to)
{
	line_op op = to == DMATEST_SYNC_DEVICE ? line_clean : line_invalidate;
	bool by_line = to == DMATEST_SYNC_DEVICE || dir != DMA_TO_DEVICE;
	size_t lines = 0;

	/*
	 * To the device, dirty lines are written back whatever the direction.
	 * With DMA_TO_DEVICE that is the point of it, and DMA_BIDIRECTIONAL
	 * means that on every machine. With DMA_FROM_DEVICE it keeps dirty
	 * lines from being evicted over what the device is about to write:
	 * arm64 cleans for that since v5.19, as do most others. 32-bit Arm
	 * invalidates instead, and arm64 did: @inval_from_device.
	 */
	if (to == DMATEST_SYNC_DEVICE && dir == DMA_FROM_DEVICE &&
	    mem->config.inval_from_device)
		op = line_invalidate;

	if (!bytes)
		return;
	if (mem->config.deaf) {
		walk_lines(mem, by_line ? bytes : 0);
		return;
	}
	if (by_line)
		lines = for_lines(mem, addr, bytes_in_a_row(mem, addr, bytes),
				  op);
	sync_count(mem, addr, to, bytes, lines);
}

static void sync_single(struct device *dev, dma_addr_t addr, size_t bytes,
			enum dma_data_direction dir, enum dmatest_sync_to to)
{
	struct dmatest_mem *mem = to_mem(dev);

	sync_start(mem, addr);
	sync_range(mem, addr, bytes, dir, to);
}

/*
 * The list is walked by the CPU's segments, whose number the caller has to
 * give, while the device may see several of them as one: a caller who gives
 * the device's number by mistake syncs too little.
 */
static void sync_sg(struct device *dev, struct scatterlist *sgl, int nents,
		    enum dma_data_direction dir, enum dmatest_sync_to to)
{
	struct dmatest_mem *mem = to_mem(dev);
	struct scatterlist *dma = sgl;
	struct scatterlist *sg;
	unsigned int ofs = 0;
	int i;

	sync_start(mem, sg_dma_address(sgl));
	for_each_sg(sgl, sg, nents, i) {
		if (ofs >= sg_dma_len(dma)) {
			dma = sg_next(dma);
			ofs = 0;
		}
		sync_range(mem, sg_dma_address(dma) + ofs, sg->length, dir, to);
		ofs += sg->length;
	}
}

static void dmatest_sync_single_for_cpu(struct device *dev, dma_addr_t addr,
					size_t bytes,
					enum dma_data_direction dir)
{
	sync_single(dev, addr, bytes, dir, DMATEST_SYNC_CPU);
}

static void dmatest_sync_single_for_device(struct device *dev, dma_addr_t addr,
					   size_t bytes,
					   enum dma_data_direction dir)
{
	sync_single(dev, addr, bytes, dir, DMATEST_SYNC_DEVICE);
}

static void dmatest_sync_sg_for_cpu(struct device *dev,
				    struct scatterlist *sgl, int nents,
				    enum dma_data_direction dir)
{
	sync_sg(dev, sgl, nents, dir, DMATEST_SYNC_CPU);
}

static void dmatest_sync_sg_for_device(struct device *dev,
				       struct scatterlist *sgl, int nents,
				       enum dma_data_direction dir)
{
	sync_sg(dev, sgl, nents, dir, DMATEST_SYNC_DEVICE);
}

/*
 * Streaming mappings: of pages that somebody else owns
 */

static dma_addr_t dmatest_map_page(struct device *dev, struct page *page,
				   unsigned long offset, size_t size,
				   enum dma_data_direction dir,
				   unsigned long attrs)
{
	struct dmatest_mem *mem = to_mem(dev);
	unsigned int ofs = offset_in_page(offset);
	unsigned int count = PFN_UP(ofs + size);
	struct dmatest_map *map;
	dma_addr_t addr;
	unsigned int i;

	page += offset >> PAGE_SHIFT;
	map = map_alloc(mem, count, dir, GFP_ATOMIC);
	if (!map)
		return DMA_MAPPING_ERROR;
	for (i = 0; i < count; i++) {
		map->pages[i] = page + i;
		if (PageHighMem(map->pages[i]))
			goto error;
	}
	if (!mem->config.coherent && !map_shadow(map, GFP_ATOMIC))
		goto error;
	addr = map_insert(mem, map);
	if (addr == DMA_MAPPING_ERROR)
		goto error;
	if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		sync_range(mem, addr + ofs, size, dir, DMATEST_SYNC_DEVICE);
	return addr + ofs;

 error:
	map_free(map);
	return DMA_MAPPING_ERROR;
}

static void dmatest_unmap_page(struct device *dev, dma_addr_t addr, size_t size,
			       enum dma_data_direction dir,
			       unsigned long attrs)
{
	struct dmatest_mem *mem = to_mem(dev);
	struct dmatest_map *map = map_find(mem, addr);

	if (!map)
		return;
	if (!(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		sync_range(mem, addr, size, dir, DMATEST_SYNC_CPU);
	map_remove(mem, map);
	map_free(map);
}

static void dmatest_unmap_sg(struct device *dev, struct scatterlist *sgl,
			     int nents, enum dma_data_direction dir,
			     unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i)
		dmatest_unmap_page(dev, sg_dma_address(sg), sg_dma_len(sg), dir,
				   attrs);
}

/* Nothing is merged: the device sees as many segments as the CPU does */
static int dmatest_map_sg(struct device *dev, struct scatterlist *sgl,
			  int nents, enum dma_data_direction dir,
			  unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i) {
		sg_dma_address(sg) = dmatest_map_page(dev, sg_page(sg),
						      sg->offset, sg->length,
						      dir, attrs);
		if (sg_dma_address(sg) == DMA_MAPPING_ERROR)
			goto error;
		sg_dma_len(sg) = sg->length;
	}
	return nents;

 error:
	dmatest_unmap_sg(dev, sgl, i, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC);
	return -ENOMEM;
}

static int dmatest_dma_supported(struct device *dev, u64 mask)
{
	return mask >= to_mem(dev)->end - 1;
}

#define DMATEST_OPS						\
	.alloc			= dmatest_alloc,		\
	.free			= dmatest_free,			\
	.mmap			= dmatest_mmap,			\
	.alloc_pages		= dmatest_alloc_pages,		\
	.free_pages		= dmatest_free_pages,		\
	.map_page		= dmatest_map_page,		\
	.unmap_page		= dmatest_unmap_page,		\
	.map_sg			= dmatest_map_sg,		\
	.unmap_sg		= dmatest_unmap_sg,		\
	.dma_supported		= dmatest_dma_supported

#define DMATEST_IOMMU_OPS						\
	.alloc_noncontiguous	= dmatest_alloc_noncontiguous,		\
	.free_noncontiguous	= dmatest_free_noncontiguous

/* dma_need_sync() goes by whether these exist */
#define DMATEST_SYNC_OPS						\
	.sync_single_for_cpu	= dmatest_sync_single_for_cpu,		\
	.sync_single_for_device	= dmatest_sync_single_for_device,	\
	.sync_sg_for_cpu	= dmatest_sync_sg_for_cpu,		\
	.sync_sg_for_device	= dmatest_sync_sg_for_device

/* by iommu and coherent of struct dmatest_mem_config */
static const struct dma_map_ops dmatest_ops[2][2] = {
	{
		{ DMATEST_OPS, DMATEST_SYNC_OPS },
		{ DMATEST_OPS },
	}, {
		{ DMATEST_OPS, DMATEST_IOMMU_OPS, DMATEST_SYNC_OPS },
		{ DMATEST_OPS, DMATEST_IOMMU_OPS },
	},
};

/*
 * Counters
 */

/**
 * dmatest_mem_claim - say who pays for the syncs of a mapping
 * @mem: the memory
 * @addr: any of the device's addresses in the mapping
 * @stats: what to count its syncs in from now on, until it goes away
 *
 * Context: any
 */
void dmatest_mem_claim(struct dmatest_mem *mem, dma_addr_t addr,
		       struct dmatest_sync_stats *stats)
{
	struct dmatest_page *page;
	unsigned long flags;

	spin_lock_irqsave(&mem->lock, flags);
	page = find_page(mem, addr);
	if (page)
		page->map->stats = stats;
	spin_unlock_irqrestore(&mem->lock, flags);
}
EXPORT_SYMBOL_GPL(dmatest_mem_claim);

/**
 * dmatest_mem_get_sync_stats - read counters that syncs go to
 * @mem: the memory
 * @stats: the counters
 * @copy: where to put them
 *
 * Context: any
 */
void dmatest_mem_get_sync_stats(struct dmatest_mem *mem,
				const struct dmatest_sync_stats *stats,
				struct dmatest_sync_stats *copy)
{
	unsigned long flags;

	spin_lock_irqsave(&mem->lock, flags);
	*copy = *stats;
	spin_unlock_irqrestore(&mem->lock, flags);
}
EXPORT_SYMBOL_GPL(dmatest_mem_get_sync_stats);

/**
 * dmatest_mem_get_stats - read the counters of the memory as a whole
 * @mem: the memory
 * @copy: where to put them
 *
 * Context: any
 */
void dmatest_mem_get_stats(struct dmatest_mem *mem,
			   struct dmatest_mem_stats *copy)
{
	unsigned long flags;

	spin_lock_irqsave(&mem->lock, flags);
	*copy = mem->stats;
	spin_unlock_irqrestore(&mem->lock, flags);
}
EXPORT_SYMBOL_GPL(dmatest_mem_get_stats);

/**
 * dmatest_mem_reset_sync_stats - zero counters that syncs go to
 * @mem: the memory
 * @stats: the counters
 *
 * Context: any
 */
void dmatest_mem_reset_sync_stats(struct dmatest_mem *mem,
				  struct dmatest_sync_stats *stats)
{
	unsigned long flags;

	spin_lock_irqsave(&mem->lock, flags);
	memset(stats, 0, sizeof(*stats));
	spin_unlock_irqrestore(&mem->lock, flags);
}
EXPORT_SYMBOL_GPL(dmatest_mem_reset_sync_stats);

/**
 * dmatest_mem_reset_stats - zero the counters of the memory as a whole
 * @mem: the memory
 *
 * Context: any
 */
void dmatest_mem_reset_stats(struct dmatest_mem *mem)
{
	unsigned long flags;

	spin_lock_irqsave(&mem->lock, flags);
	memset(&mem->stats, 0, sizeof(mem->stats));
	spin_unlock_irqrestore(&mem->lock, flags);
}
EXPORT_SYMBOL_GPL(dmatest_mem_reset_stats);

/*
 * The highest addresses that the device can have and no memory has; not the very
 * last, as what comes behind them is to be an address, too
 */
static dma_addr_t find_window(void)
{
	u64 addr = BIT_ULL(DMATEST_ADDR_BITS) - 2 * DMATEST_WINDOW;

	for (; addr; addr -= DMATEST_WINDOW)
		if (region_intersects(addr, DMATEST_WINDOW,
				      IORESOURCE_SYSTEM_RAM,
				      IORES_DESC_NONE) == REGION_DISJOINT)
			return addr;
	return 0;
}

/**
 * dmatest_mem_init - put a device on modelled memory
 * @mem: the memory, zeroed
 * @dev: the device; its driver data is set to @mem, and has to stay so
 * @config: what to model
 *
 * From here on the DMA API gives the device memory of the model, until
 * dmatest_mem_exit().
 *
 * Context: process
 * Return: 0, or -EINVAL if @config makes no sense, or -EOPNOTSUPP if this
 *	kernel or this machine does not let a device have a memory of its own
 */
int dmatest_mem_init(struct dmatest_mem *mem, struct device *dev,
		     const struct dmatest_mem_config *config)
{
	const struct dma_map_ops *ops;
	int err;

	if (config->line < 16 || config->line > PAGE_SIZE ||
	    !is_power_of_2(config->line))
		return -EINVAL;

	mem->dev = dev;
	mem->config = *config;
	mem->window = config->mask ? PAGE_SIZE : find_window();
	if (!mem->window) {
		dev_err(dev, "no room for %llu MiB of addresses beside the memory\n",
			(u64)DMATEST_WINDOW >> 20);
		return -EOPNOTSUPP;
	}
	mem->end = config->mask ? BIT(config->mask) :
				  mem->window + DMATEST_WINDOW;
	mem->cursor = mem->window;
	spin_lock_init(&mem->lock);
	init_irq_work(&mem->irqoff_end, irqoff_ended);
	hash_init(mem->pages);
	prandom_seed_state(&mem->rnd, config->seed);

	ops = &dmatest_ops[config->iommu][config->coherent];
	dev_set_drvdata(dev, mem);
	set_dma_ops(dev, ops);
	if (get_dma_ops(dev) != ops) {
		dev_err(dev, "this kernel does not let a device have DMA ops of its own\n");
		return -EOPNOTSUPP;
	}
	err = dma_set_mask_and_coherent(dev, DMA_BIT_MASK(config->mask ?:
							  DMATEST_ADDR_BITS));
	if (err)
		set_dma_ops(dev, NULL);
	return err;
}
EXPORT_SYMBOL_GPL(dmatest_mem_init);

/**
 * dmatest_mem_exit - take a device off modelled memory
 * @mem: the memory, of which nothing may be mapped any more
 *
 * Context: process
 */
void dmatest_mem_exit(struct dmatest_mem *mem)
{
	irq_work_sync(&mem->irqoff_end);
	if (mem->maps)
		dev_err(mem->dev, "%u mappings were never undone\n", mem->maps);
	set_dma_ops(mem->dev, NULL);
}
EXPORT_SYMBOL_GPL(dmatest_mem_exit);

MODULE_DESCRIPTION("Memory that is not coherent, modelled in software");
MODULE_LICENSE("GPL");
