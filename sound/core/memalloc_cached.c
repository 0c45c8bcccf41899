// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Buffers of cached pages: where they work, where they need sync, and one
 * block of them
 */

#include <linux/device.h>
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/pgtable.h>
#include <sound/memalloc.h>
#include "memalloc_local.h"

static bool is_cached(int type)
{
	return type == SNDRV_DMA_TYPE_NONCONTIG ||
	       type == SNDRV_DMA_TYPE_NONCOHERENT;
}

/*
 * Are cached pages of this device to be handed over?  Behind an IOMMU
 * dma_need_sync() only knows that there are sync operations; on a coherent
 * device these do nothing.  Without one its answer is right: Xen's bounce on a
 * coherent one.
 */
static bool is_handed_over(struct device *device)
{
	if (IS_ENABLED(CONFIG_IOMMU_DMA) && device_iommu_mapped(device) &&
	    dev_is_dma_coherent(device))
		return false;
	return dma_need_sync(device, 0);
}

/*
 * Cached pages do not work everywhere.  The DMA API may have none to give, but
 * coherent memory (Sparc).  It may decrypt them for the device, but only in the
 * direct mapping (dma_direct_alloc_pages()), and user space has another one.  A
 * sync may not do for the CPU what it has to (CONFIG_SND_DMA_CACHED).  And a
 * device that snoops may see but one alias of the cache (PA-RISC), which is
 * where coherent memory cannot be mapped either.
 */
static bool works_cached(struct device *device)
{
	const struct dma_map_ops *ops = get_dma_ops(device);
	pgprot_t decrypted = pgprot_decrypted(PAGE_KERNEL);

	if (ops && !ops->alloc_pages)
		return false;
	if (!ops && pgprot_val(decrypted) != pgprot_val(PAGE_KERNEL))
		return false;
	if (is_handed_over(device))
		return IS_ENABLED(CONFIG_SND_DMA_CACHED);
	return dma_can_mmap(device);
}

/**
 * snd_dma_usable_type - what a buffer of a type is on a device
 * @type: the DMA buffer type that is asked for
 * @device: the device that does the DMA
 *
 * Context: any.
 * Return: @type, or %SNDRV_DMA_TYPE_DEV if that is a cached type which does not
 * work on this machine
 */
int snd_dma_usable_type(int type, struct device *device)
{
	if (is_cached(type) && !works_cached(device))
		return SNDRV_DMA_TYPE_DEV;
	return type;
}

/**
 * snd_dma_need_sync - tell whether a device's buffers need sync
 * @type: the DMA buffer type
 * @device: the device that does the DMA
 *
 * No buffer is needed for the answer: of pages that the DMA API itself
 * allocates, it depends on the type and on the device alone.
 *
 * Context: any.
 * Return: true if buffers of this type change hands by
 * snd_dma_buffer_sync_range() on this device
 */
bool snd_dma_need_sync(int type, struct device *device)
{
	return is_cached(snd_dma_usable_type(type, device)) &&
	       is_handed_over(device);
}
EXPORT_SYMBOL_GPL(snd_dma_need_sync);

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

/**
 * snd_dma_sync_block - hand part of a block over
 * @dmab: the buffer that the block is of
 * @addr: the DMA address at which the part begins
 * @size: its size in bytes
 * @mode: to whom
 *
 * Context: any.
 */
void snd_dma_sync_block(struct snd_dma_buffer *dmab, dma_addr_t addr,
			size_t size, enum snd_dma_sync_mode mode)
{
	struct snd_dma_device *dev = &dmab->dev;

	if (mode == SNDRV_DMA_SYNC_DEVICE)
		dma_sync_single_for_device(dev->dev, addr, size, dev->dir);
	else
		dma_sync_single_for_cpu(dev->dev, addr, size, dev->dir);
}
