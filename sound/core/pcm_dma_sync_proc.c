// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a PCM buffer is, and what was handed over of it: the file dma_buffer of
 * a substream in procfs
 */

#include <linux/mutex.h>
#include <sound/core.h>
#include <sound/info.h>
#include <sound/pcm.h>
#include "pcm_dma_sync.h"

static const char *type_name(int type)
{
	switch (type) {
	case SNDRV_DMA_TYPE_CONTINUOUS:
		return "CONTINUOUS";
	case SNDRV_DMA_TYPE_VMALLOC:
		return "VMALLOC";
	case SNDRV_DMA_TYPE_DEV:
		return "DEV";
	case SNDRV_DMA_TYPE_DEV_WC:
		return "DEV_WC";
	case SNDRV_DMA_TYPE_NONCONTIG:
		return "NONCONTIG";
	case SNDRV_DMA_TYPE_NONCOHERENT:
		return "NONCOHERENT";
	default:
		return "other";
	}
}

/* runs of DMA addresses, as a driver would make descriptors of them */
static unsigned int count_segments(struct snd_dma_buffer *dmab)
{
	unsigned int count = 0;
	size_t ofs = 0;

	while (ofs < dmab->bytes) {
		ofs += snd_sgbuf_get_chunk_size(dmab, ofs, dmab->bytes - ofs);
		count++;
	}
	return count;
}

static void show_buffer(struct snd_pcm_substream *substream,
			struct snd_info_buffer *buffer)
{
	struct snd_pcm_runtime *runtime = substream->runtime;
	struct snd_dma_buffer *dmab = snd_pcm_get_dma_buf(substream);

	if (!dmab) {
		snd_iprintf(buffer, "no buffer\n");
		return;
	}
	snd_iprintf(buffer,
		    "type: %s\n"
		    "bytes: %zu\n"
		    "segments: %u\n"
		    "needs_sync: %s\n"
		    "synced_for_device: %llu\n"
		    "synced_for_cpu: %llu\n",
		    type_name(dmab->dev.type), dmab->bytes,
		    count_segments(dmab), dmab->dev.need_sync ? "yes" : "no",
		    atomic64_read(&runtime->dma_synced[SNDRV_DMA_SYNC_DEVICE]),
		    atomic64_read(&runtime->dma_synced[SNDRV_DMA_SYNC_CPU]));
}

/**
 * snd_pcm_dma_sync_proc_read - show what a substream's buffer is
 * @entry: procfs entry with the substream as its private data
 * @buffer: where to print; sizes and counts are in bytes
 *
 * Context: process; may sleep.
 */
void snd_pcm_dma_sync_proc_read(struct snd_info_entry *entry,
				struct snd_info_buffer *buffer)
{
	struct snd_pcm_substream *substream = entry->private_data;
	struct snd_pcm_runtime *runtime;

	mutex_lock(&substream->pcm->open_mutex);
	runtime = substream->runtime;
	if (!runtime) {
		snd_iprintf(buffer, "closed\n");
	} else {
		/* hw_params and hw_free hold it, too */
		mutex_lock(&runtime->buffer_mutex);
		show_buffer(substream, buffer);
		mutex_unlock(&runtime->buffer_mutex);
	}
	mutex_unlock(&substream->pcm->open_mutex);
}
