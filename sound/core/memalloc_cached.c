// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Buffers of cached pages: where they work, and where they need sync
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

	if (ops && !ops->alloc_pages)
		return false;
	if (!ops && pgprot_val(pgprot_decrypted(PAGE_KERNEL)) !=
		    pgprot_val(PAGE_KERNEL))
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
