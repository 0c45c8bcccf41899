// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SNDRV_DMA_TYPE_NONCONTIG made of pieces
 *
 * Without an IOMMU dma_alloc_noncontiguous() needs one contiguous block.  When
 * that cannot be had, the buffer is made of smaller ones, of single pages if it
 * must be: one after the other for the CPU, and for the device each at a DMA
 * address of its own.
 */

#include <linux/dma-mapping.h>
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <sound/memalloc.h>
#include "memalloc_local.h"

/**
 * struct snd_dma_pieces - the pieces of a buffer
 * @sgt: an entry per piece; comes first, as it is what
 *	snd_dma_noncontig_sg_table() finds in the buffer
 * @addr: the DMA address of each page, which a sync must not have to search for
 */
struct snd_dma_pieces {
	struct sg_table sgt;
	dma_addr_t addr[];
};

static struct page *alloc_piece(struct snd_dma_buffer *dmab, unsigned int order,
				dma_addr_t *addr)
{
	gfp_t gfp = SND_DMA_CACHED_GFP;

	/* not worth reclaiming memory for, as there are smaller ones */
	if (order)
		gfp = (gfp & ~__GFP_RETRY_MAYFAIL) | __GFP_NORETRY;

	return snd_dma_alloc_block(dmab->dev.dev, PAGE_SIZE << order, addr,
				   dmab->dev.dir, gfp);
}

/* Each as large as can be had; an order that has failed is not tried again */
static bool alloc_pieces(struct snd_dma_buffer *dmab, struct page **pages,
			 size_t count)
{
	struct snd_dma_pieces *pieces = dmab->private_data;
	struct sg_table *sgt = &pieces->sgt;
	unsigned int order = ilog2(count);
	struct scatterlist *sg = sgt->sgl;
	struct page *page;
	dma_addr_t addr;
	size_t done, i;

	sg_init_table(sg, count);
	for (done = 0; done < count; done += 1 << order) {
		order = min_t(unsigned int, order, ilog2(count - done));
		while (!(page = alloc_piece(dmab, order, &addr)))
			if (!order--)
				return false;

		sg = &sgt->sgl[sgt->orig_nents++];
		sg_set_page(sg, page, PAGE_SIZE << order, 0);
		sg_dma_address(sg) = addr;
		sg_dma_len(sg) = sg->length;
		for (i = 0; i < 1 << order; i++) {
			pages[done + i] = page + i;
			pieces->addr[done + i] = addr + i * PAGE_SIZE;
		}
	}
	sg_mark_end(sg);
	sgt->nents = sgt->orig_nents;
	return true;
}

static void free_pieces(struct snd_dma_buffer *dmab)
{
	struct snd_dma_pieces *pieces = dmab->private_data;
	struct scatterlist *sg;
	int i;

	for_each_sgtable_sg(&pieces->sgt, sg, i)
		dma_free_pages(dmab->dev.dev, sg->length, sg_page(sg),
			       sg_dma_address(sg), dmab->dev.dir);
	kvfree(pieces->sgt.sgl);
	kvfree(pieces);
}

static void snd_dma_pieces_free(struct snd_dma_buffer *dmab)
{
	vunmap(dmab->area);
	free_pieces(dmab);
}

static dma_addr_t snd_dma_pieces_get_addr(struct snd_dma_buffer *dmab,
					  size_t offset)
{
	struct snd_dma_pieces *pieces = dmab->private_data;

	return pieces->addr[offset >> PAGE_SHIFT] + offset_in_page(offset);
}

static unsigned int snd_dma_pieces_get_chunk_size(struct snd_dma_buffer *dmab,
						  unsigned int ofs,
						  unsigned int size)
{
	dma_addr_t addr = snd_dma_pieces_get_addr(dmab, ofs);
	unsigned int chunk = PAGE_SIZE - offset_in_page(ofs);

	while (chunk < size &&
	       snd_dma_pieces_get_addr(dmab, ofs + chunk) == addr + chunk)
		chunk += PAGE_SIZE;
	return min(chunk, size);
}

/* The pages of a block are not counted one by one, so no vm_map_pages() */
static int snd_dma_pieces_mmap(struct snd_dma_buffer *dmab,
			       struct vm_area_struct *area)
{
	unsigned long count = dmab->bytes >> PAGE_SHIFT;
	unsigned long at, ofs = area->vm_pgoff << PAGE_SHIFT;
	int err = 0;

	if (area->vm_pgoff >= count || vma_pages(area) > count - area->vm_pgoff)
		return -ENXIO;

	for (at = area->vm_start; at < area->vm_end && !err; at += PAGE_SIZE) {
		err = remap_pfn_range(area, at,
				      vmalloc_to_pfn(dmab->area + ofs),
				      PAGE_SIZE, area->vm_page_prot);
		ofs += PAGE_SIZE;
	}
	return err;
}

static const struct snd_malloc_ops snd_dma_pieces_ops = {
	.free = snd_dma_pieces_free,
	.get_addr = snd_dma_pieces_get_addr,
	.get_chunk_size = snd_dma_pieces_get_chunk_size,
	.mmap = snd_dma_pieces_mmap,
	.sync = snd_dma_noncontig_sync,
};

/**
 * snd_dma_pieces_alloc - allocate a NONCONTIG buffer in pieces
 * @dmab: buffer allocation record, with type, device and direction
 * @size: its size in bytes, a multiple of the page size
 *
 * Hands the buffer over to an ops table of its own.
 *
 * Context: process; may sleep.
 * Return: the kernel's address, or NULL if there is not enough memory
 */
void *snd_dma_pieces_alloc(struct snd_dma_buffer *dmab, size_t size)
{
	size_t count = size >> PAGE_SHIFT;
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN;
	struct snd_dma_pieces *pieces;
	struct page **pages;
	void *area = NULL;

	/* It is the MMU that puts them together */
	if (!IS_ENABLED(CONFIG_MMU))
		return NULL;

	pieces = kvzalloc(struct_size(pieces, addr, count), gfp);
	if (!pieces)
		return NULL;
	dmab->private_data = pieces;
	/* in one array, long enough for single pages */
	pieces->sgt.sgl = kvmalloc_array(count, sizeof(*pieces->sgt.sgl), gfp);
	pages = kvmalloc_array(count, sizeof(*pages), gfp);
	if (pieces->sgt.sgl && pages && alloc_pieces(dmab, pages, count))
		area = vmap(pages, count, VM_MAP, PAGE_KERNEL);
	kvfree(pages);
	if (!area) {
		free_pieces(dmab);
		return NULL;
	}
	dmab->addr = pieces->addr[0];
	dmab->ops = &snd_dma_pieces_ops;
	return area;
}
