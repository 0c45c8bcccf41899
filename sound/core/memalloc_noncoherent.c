// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SNDRV_DMA_TYPE_NONCOHERENT: cached pages, contiguous in memory
 */

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <sound/memalloc.h>
#include "memalloc_local.h"

/**
 * snd_dma_alloc_block - allocate cached pages in one block
 * @dev: the device that does the DMA
 * @size: bytes to allocate, a multiple of the page size
 * @addr: where to store the DMA address
 * @dir: DMA direction
 * @gfp: how to allocate
 *
 * To be freed by dma_free_pages().
 *
 * Context: process; may sleep.
 * Return: the first page, or NULL if there is no such block
 */
struct page *snd_dma_alloc_block(struct device *dev, size_t size,
				 dma_addr_t *addr, enum dma_data_direction dir,
				 gfp_t gfp)
{
	struct page *page = dma_alloc_pages(dev, size, addr, dir, gfp);

	/*
	 * dma_alloc_pages() is a mapping to the DMA API's debugging, and
	 * every mapping is to be checked (Documentation/core-api/dma-api.rst).
	 */
	if (page && dma_mapping_error(dev, *addr)) {
		dma_free_pages(dev, size, page, *addr, dir);
		return NULL;
	}
	return page;
}

static void *snd_dma_noncoherent_alloc(struct snd_dma_buffer *dmab, size_t size)
{
	struct page *page;

	page = snd_dma_alloc_block(dmab->dev.dev, size, &dmab->addr,
				   dmab->dev.dir, SND_DMA_CACHED_GFP);
	return page ? page_address(page) : NULL;
}

static void snd_dma_noncoherent_free(struct snd_dma_buffer *dmab)
{
	dma_free_pages(dmab->dev.dev, dmab->bytes, snd_sgbuf_get_page(dmab, 0),
		       dmab->addr, dmab->dev.dir);
}

static int snd_dma_noncoherent_mmap(struct snd_dma_buffer *dmab,
				    struct vm_area_struct *area)
{
	return dma_mmap_pages(dmab->dev.dev, area, dmab->bytes,
			      snd_sgbuf_get_page(dmab, 0));
}

static void snd_dma_noncoherent_sync(struct snd_dma_buffer *dmab, size_t offset,
				     size_t size, enum snd_dma_sync_mode mode)
{
	if (mode == SNDRV_DMA_SYNC_DEVICE)
		dma_sync_single_for_device(dmab->dev.dev, dmab->addr + offset,
					   size, dmab->dev.dir);
	else
		dma_sync_single_for_cpu(dmab->dev.dev, dmab->addr + offset,
					size, dmab->dev.dir);
}

const struct snd_malloc_ops snd_dma_noncoherent_ops = {
	.alloc = snd_dma_noncoherent_alloc,
	.free = snd_dma_noncoherent_free,
	.mmap = snd_dma_noncoherent_mmap,
	.sync = snd_dma_noncoherent_sync,
};
