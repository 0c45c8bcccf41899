/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cache maintenance of PCM buffers: what the core calls where it moves a
 * pointer or writes the buffer itself.  The rule is in pcm_dma_sync.c.
 *
 * A stream that needs no sync pays one branch per call.
 */

#ifndef __SOUND_CORE_PCM_DMA_SYNC_H
#define __SOUND_CORE_PCM_DMA_SYNC_H

#include <sound/memalloc.h>
#include <sound/pcm.h>

void __snd_pcm_dma_sync_hw_ptr(struct snd_pcm_substream *substream,
			       snd_pcm_uframes_t hw_ptr, bool in_interrupt);
void __snd_pcm_dma_sync_appl_ptr(struct snd_pcm_substream *substream,
				 snd_pcm_uframes_t appl_ptr);
void __snd_pcm_dma_sync_written(struct snd_pcm_substream *substream,
				snd_pcm_uframes_t ofs,
				snd_pcm_uframes_t frames);
void __snd_pcm_dma_sync_reset(struct snd_pcm_substream *substream);
void __snd_pcm_dma_sync_start(struct snd_pcm_substream *substream);

/**
 * snd_pcm_needs_sync - tell whether the stream's buffer is handed over by sync
 * @substream: PCM substream with a runtime
 *
 * Context: any.  The answer holds while the buffer is set, that is from
 * hw_params to hw_free.
 * Return: true if the CPU and the device see the buffer only through syncs
 */
static inline bool snd_pcm_needs_sync(struct snd_pcm_substream *substream)
{
	struct snd_dma_buffer *dmab = snd_pcm_get_dma_buf(substream);

	return unlikely(dmab && dmab->dev.need_sync);
}

/**
 * snd_pcm_dma_sync_hw_ptr - hand over what a new hw_ptr reveals
 * @substream: PCM substream
 * @hw_ptr: the position in frames that hw_ptr is about to take
 * @in_interrupt: called for an elapsed period
 *
 * To be called before hw_ptr is stored: whoever sees it may read at once.
 *
 * Context: stream lock held, does not sleep.
 */
static inline void snd_pcm_dma_sync_hw_ptr(struct snd_pcm_substream *substream,
					   snd_pcm_uframes_t hw_ptr,
					   bool in_interrupt)
{
	if (snd_pcm_needs_sync(substream))
		__snd_pcm_dma_sync_hw_ptr(substream, hw_ptr, in_interrupt);
}

/**
 * snd_pcm_dma_sync_appl_ptr - hand over what a new appl_ptr covers
 * @substream: PCM substream
 * @appl_ptr: the position in frames that appl_ptr is about to take
 *
 * To be called before the driver's ack, in which the device may fetch.
 *
 * Context: stream lock held, does not sleep.
 */
static inline void
snd_pcm_dma_sync_appl_ptr(struct snd_pcm_substream *substream,
			  snd_pcm_uframes_t appl_ptr)
{
	if (snd_pcm_needs_sync(substream))
		__snd_pcm_dma_sync_appl_ptr(substream, appl_ptr);
}

/**
 * snd_pcm_dma_sync_written - hand over what the core itself wrote
 * @substream: PCM substream; nothing is done for capture
 * @ofs: where in the ring the core began to write, in frames
 * @frames: number of frames; does not cross the end of the ring
 *
 * Context: any; long ranges are better handed over without the stream lock.
 */
static inline void snd_pcm_dma_sync_written(struct snd_pcm_substream *substream,
					    snd_pcm_uframes_t ofs,
					    snd_pcm_uframes_t frames)
{
	if (snd_pcm_needs_sync(substream))
		__snd_pcm_dma_sync_written(substream, ofs, frames);
}

/**
 * snd_pcm_dma_sync_reset - begin again with nothing queued
 * @substream: PCM substream whose pointers are being reset
 *
 * Context: process context, without the stream lock: a whole capture buffer
 * is handed over.
 */
static inline void snd_pcm_dma_sync_reset(struct snd_pcm_substream *substream)
{
	if (snd_pcm_needs_sync(substream))
		__snd_pcm_dma_sync_reset(substream);
}

/**
 * snd_pcm_dma_sync_start - prepare for the device to run
 * @substream: PCM substream that is about to be triggered
 *
 * Context: stream lock held, does not sleep.
 */
static inline void snd_pcm_dma_sync_start(struct snd_pcm_substream *substream)
{
	if (snd_pcm_needs_sync(substream))
		__snd_pcm_dma_sync_start(substream);
}

#endif /* __SOUND_CORE_PCM_DMA_SYNC_H */
