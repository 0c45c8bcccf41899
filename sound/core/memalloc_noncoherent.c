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
	struct device *dev = dmab->dev.dev;
	void *area;

	area = dma_alloc_noncoherent(dev, size, &dmab->addr, dmab->dev.dir,
				     SND_DMA_CACHED_GFP);
	/*
	 * dma_alloc_pages() is a mapping to the DMA API's debugging, and
	 * every mapping is to be checked (Documentation/core-api/dma-api.rst).
	 */
	if (area && dma_mapping_error(dev, dmab->addr)) {
		dma_free_noncoherent(dev, size, area, dmab->addr,
				     dmab->dev.dir);
		return NULL;
	}
	return area;
}

static void snd_dma_noncoherent_free(struct snd_dma_buffer *dmab)
{
	dma_free_noncoherent(dmab->dev.dev, dmab->bytes, dmab->area,
			     dmab->addr, dmab->dev.dir);
}

static int snd_dma_noncoherent_mmap(struct snd_dma_buffer *dmab,
				    struct vm_area_struct *area)
{
	return dma_mmap_pages(dmab->dev.dev, area, dmab->bytes,
			      virt_to_page(dmab->area));
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
