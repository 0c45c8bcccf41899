// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * SNDRV_DMA_TYPE_NONCONTIG: cached pages, scattered in memory
 *
 * The pages come from dma_alloc_noncontiguous(), which maps them behind a
 * single run of DMA addresses (Documentation/core-api/dma-api.rst): the
 * device sees one block at dmab->addr whatever the CPU side looks like, so
 * the default address and chunk size are right.  Where it has no such run to
 * give, there still are pieces (memalloc_pieces.c), which the device does not
 * see as one block.
 */

#include <linux/dma-mapping.h>
#include <sound/memalloc.h>
#include "memalloc_local.h"

static void *snd_dma_noncontig_alloc(struct snd_dma_buffer *dmab, size_t size)
{
	struct device *dev = dmab->dev.dev;
	struct sg_table *sgt;
	void *area;

	sgt = dma_alloc_noncontiguous(dev, size, dmab->dev.dir,
				      SND_DMA_CACHED_GFP, 0);
	if (!sgt)
		return snd_dma_pieces_alloc(dmab, size);

	area = dma_vmap_noncontiguous(dev, size, sgt);
	if (!area) {
		dma_free_noncontiguous(dev, size, sgt, dmab->dev.dir);
		return NULL;
	}

	dmab->addr = sg_dma_address(sgt->sgl);
	dmab->private_data = sgt;
	return area;
}

static void snd_dma_noncontig_free(struct snd_dma_buffer *dmab)
{
	dma_vunmap_noncontiguous(dmab->dev.dev, dmab->area);
	dma_free_noncontiguous(dmab->dev.dev, dmab->bytes,
			       snd_dma_noncontig_sg_table(dmab), dmab->dev.dir);
}

static int snd_dma_noncontig_mmap(struct snd_dma_buffer *dmab,
				  struct vm_area_struct *area)
{
	return dma_mmap_noncontiguous(dmab->dev.dev, area, dmab->bytes,
				      snd_dma_noncontig_sg_table(dmab));
}

/**
 * snd_dma_noncontig_sync - hand part of a scattered buffer over
 * @dmab: buffer of one of the NONCONTIG kinds
 * @offset: where the part begins, in bytes
 * @size: its size in bytes
 * @mode: to whom
 *
 * A sync translates the first address only and takes what follows for
 * physically contiguous (iommu_dma_sync_single_for_cpu()), hence page by page.
 * It goes by the direct mapping, and the kernel's other one needs no more: where
 * caches have aliases there are no such buffers (CONFIG_SND_DMA_CACHED).
 *
 * Context: any.
 */
void snd_dma_noncontig_sync(struct snd_dma_buffer *dmab, size_t offset,
			    size_t size, enum snd_dma_sync_mode mode)
{
	size_t end = offset + size, ofs, len;

	for (ofs = offset; ofs < end; ofs += len) {
		len = min_t(size_t, end - ofs, PAGE_SIZE - offset_in_page(ofs));
		snd_dma_sync_block(dmab, snd_sgbuf_get_addr(dmab, ofs), len,
				   mode);
	}
}

const struct snd_malloc_ops snd_dma_noncontig_ops = {
	.alloc = snd_dma_noncontig_alloc,
	.free = snd_dma_noncontig_free,
	.mmap = snd_dma_noncontig_mmap,
	.sync = snd_dma_noncontig_sync,
};
