/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *  Memory that is not coherent, modelled in software
 */

#ifndef __SOUND_DMATEST_MEM_H
#define __SOUND_DMATEST_MEM_H

#include <linux/bits.h>
#include <linux/dma-direction.h>
#include <linux/hashtable.h>
#include <linux/irq_work.h>
#include <linux/prandom.h>
#include <linux/spinlock.h>
#include <linux/types.h>

struct device;

/* What the cache does without being asked; none of them: it is lazy */
#define DMATEST_EVICT		BIT(0)	/* writes dirty lines back */
#define DMATEST_PREFETCH	BIT(1)	/* fetches clean lines again */

/* What memory holds before anybody writes it: no silence, no pattern */
#define DMATEST_POISON		0x5a

/**
 * struct dmatest_mem_config - what machine to model
 * @line: bytes in a cache line, a power of two from 16 to the page size
 * @adversary: DMATEST_EVICT and DMATEST_PREFETCH, or 0 for neither
 * @seed: start of the random numbers, the same for the same run
 * @coherent: the device sees the CPU's cache; nothing needs a sync
 * @iommu: memory for DMA may consist of scattered pages; if not, only blocks
 *	of up to 1 << @max_order pages can be had
 * @max_order: see @iommu
 * @mask: bits of address that the device has; 0 for so many that none of its
 *	addresses is that of any memory
 * @inval_from_device: giving a DMA_FROM_DEVICE mapping to the device
 *	invalidates, as on 32-bit Arm, instead of cleaning
 * @deaf: syncs do nothing but take their time, and are not counted: tests can be
 *	seen to fail, and the instructions of a machine be measured that has less
 *	to do for a line than this one
 */
struct dmatest_mem_config {
	unsigned int line;
	unsigned int adversary;
	u32 seed;
	bool coherent;
	bool iommu;
	unsigned int max_order;
	unsigned int mask;
	bool inval_from_device;
	bool deaf;
};

enum dmatest_sync_to {
	DMATEST_SYNC_DEVICE,
	DMATEST_SYNC_CPU,
};

/**
 * struct dmatest_sync_stats - the syncs of some mappings
 * @ranges: contiguous ranges that were synced, for each of which an architecture
 *	calls what walks over its lines
 * @asked: bytes that the callers asked for, by enum dmatest_sync_to
 * @lines: bytes in the lines that were cleaned or invalidated for it
 * @irqoff_max: most bytes of lines that were synced from one time with interrupts
 *	on to the next
 */
struct dmatest_sync_stats {
	u64 ranges;
	u64 asked[2];
	u64 lines[2];
	u64 irqoff_max;
};

/**
 * struct dmatest_mem_stats - what happened to the memory of one device
 * @evictions: dirty lines that the cache wrote back by itself
 * @refetches: clean lines that it fetched by itself and found changed
 * @faults: accesses and syncs that no real machine would have carried out
 *	as they were meant
 */
struct dmatest_mem_stats {
	u64 evictions;
	u64 refetches;
	u64 faults;
};

/**
 * struct dmatest_mem - memory as one device and its CPUs see it
 * @dev: the device; its driver data points here
 * @config: the machine
 * @window: the first of the device's addresses
 * @end: the first after them
 * @lock: for all that follows, and for the contents of the device's view;
 *	taken with interrupts off, never held over more than a page
 * @pages: what is mapped, by address
 * @cursor: where the last mapping ended
 * @maps: number of mappings
 * @rnd: random numbers
 * @stats: counters
 * @unclaimed: syncs of mappings that dmatest_mem_claim() was not called for
 * @irqoff_bytes: bytes synced since interrupts were last on
 * @irqoff_end: an interrupt, which comes as soon as they are on again
 */
struct dmatest_mem {
	struct device *dev;
	struct dmatest_mem_config config;
	dma_addr_t window;
	dma_addr_t end;

	spinlock_t lock;		/* for what follows */
	DECLARE_HASHTABLE(pages, 10);
	dma_addr_t cursor;
	unsigned int maps;
	struct rnd_state rnd;
	struct dmatest_mem_stats stats;
	struct dmatest_sync_stats unclaimed;
	u64 irqoff_bytes;
	struct irq_work irqoff_end;
};

int dmatest_mem_init(struct dmatest_mem *mem, struct device *dev,
		     const struct dmatest_mem_config *config);
void dmatest_mem_exit(struct dmatest_mem *mem);

bool dmatest_mem_read(struct dmatest_mem *mem, dma_addr_t addr, void *to,
		      size_t bytes);
bool dmatest_mem_write(struct dmatest_mem *mem, dma_addr_t addr,
		       const void *from, size_t bytes);

void dmatest_mem_evict(struct dmatest_mem *mem, dma_addr_t addr, size_t bytes);
void dmatest_mem_prefetch(struct dmatest_mem *mem, dma_addr_t addr,
			  size_t bytes);
void dmatest_mem_store(struct dmatest_mem *mem, dma_addr_t addr, size_t bytes);
void dmatest_mem_disturb(struct dmatest_mem *mem, dma_addr_t addr,
			 unsigned int lines);

void dmatest_mem_claim(struct dmatest_mem *mem, dma_addr_t addr,
		       struct dmatest_sync_stats *stats);
void dmatest_mem_get_sync_stats(struct dmatest_mem *mem,
				const struct dmatest_sync_stats *stats,
				struct dmatest_sync_stats *copy);
void dmatest_mem_get_stats(struct dmatest_mem *mem,
			   struct dmatest_mem_stats *copy);
void dmatest_mem_reset_sync_stats(struct dmatest_mem *mem,
				  struct dmatest_sync_stats *stats);
void dmatest_mem_reset_stats(struct dmatest_mem *mem);

#endif /* __SOUND_DMATEST_MEM_H */
