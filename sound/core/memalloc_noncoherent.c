// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SNDRV_DMA_TYPE_NONCOHERENT: cached pages, contiguous in memory
 */

#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <sound/memalloc.h>
#include "memalloc_local.h"

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
	snd_dma_sync_block(dmab, dmab->addr + offset, size, mode);
}

const struct snd_malloc_ops snd_dma_noncoherent_ops = {
	.alloc = snd_dma_noncoherent_alloc,
	.free = snd_dma_noncoherent_free,
	.mmap = snd_dma_noncoherent_mmap,
	.sync = snd_dma_noncoherent_sync,
};
