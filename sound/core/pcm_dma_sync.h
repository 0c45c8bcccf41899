/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cache maintenance of PCM buffers: what the core calls where it moves a
 * pointer or writes the buffer itself.  The rule is in pcm_dma_sync.c.
 *
 * A stream that needs no sync pays a branch where a pointer moves.
 */

#ifndef __SOUND_CORE_PCM_DMA_SYNC_H
#define __SOUND_CORE_PCM_DMA_SYNC_H

#include <sound/pcm.h>

struct snd_info_buffer;
struct snd_info_entry;

/* what made a range of the buffer change hands */
enum snd_pcm_dma_sync_by {
	SYNC_BY_APPL_PTR,
	SYNC_BY_HW_PTR,
	SYNC_BY_PERIOD,		/* playback that may run ahead of appl_ptr */
	SYNC_BY_SILENCE,
	SYNC_BY_RESET,		/* at prepare, too */
	SYNC_BY_HW_PARAMS,
};

bool __snd_pcm_dma_sync_hw_ptr(struct snd_pcm_substream *substream);

/**
 * snd_pcm_needs_sync - tell whether the stream's buffer is handed over by sync
 * @substream: PCM substream with a runtime
 *
 * Context: any.  The answer is known from open on, with or without a buffer.
 * Return: true if the CPU and the device see the buffer only through syncs
 */
static inline bool snd_pcm_needs_sync(struct snd_pcm_substream *substream)
{
	return unlikely(substream->runtime->hw.info &
			SNDRV_PCM_INFO_EXPLICIT_SYNC);
}

/**
 * snd_pcm_dma_sync_hw_ptr - hand over what hw_ptr reveals
 * @substream: PCM substream
 *
 * To be called before hw_ptr is told, or what can be concluded from it: whoever
 * knows it may read at once.  hw_ptr and all that belongs to it have to be read
 * afterwards, without releasing the stream lock.
 *
 * Context: process context, without buffer_mutex.  Stream lock held by
 * snd_pcm_stream_lock_irq(), and dropped for the time that a sync takes.
 * Return: true if it was dropped, so that the state may be another
 */
static inline bool snd_pcm_dma_sync_hw_ptr(struct snd_pcm_substream *substream)
{
	return snd_pcm_needs_sync(substream) &&
	       __snd_pcm_dma_sync_hw_ptr(substream);
}

/**
 * snd_pcm_look_ahead - decide whether playback has work ahead of hw_ptr
 * @substream: PCM substream
 * @unmoved: whether appl_ptr has not moved since the start, or sw_params
 *
 * To be called when what it depends on has changed: silence_size, and for a
 * stream that needs sync, stop_threshold.  Of one that is not stopped when it
 * has played what was queued, the device may go on beyond what appl_ptr has
 * handed over; but who commits what it writes (PulseAudio) needs no more than
 * that.
 *
 * Context: stream lock held, or the stream is not running.
 */
void snd_pcm_look_ahead(struct snd_pcm_substream *substream, bool unmoved);

/**
 * snd_pcm_dma_sync_period - hand over what may be played without being queued
 * @substream: PCM playback substream
 * @hw_ptr: the position in frames that hw_ptr is about to take
 *
 * To be called at least once in a period. Does nothing for a stream that does
 * not run free.
 *
 * Context: stream lock held, does not sleep.
 */
void snd_pcm_dma_sync_period(struct snd_pcm_substream *substream,
			     snd_pcm_uframes_t hw_ptr);

/**
 * snd_pcm_dma_sync_appl_ptr - hand over what a new appl_ptr covers
 * @substream: PCM substream that needs sync
 * @appl_ptr: the position in frames that appl_ptr is about to take
 *
 * To be called before the driver's ack, in which the device may fetch.
 *
 * Context: stream lock held by snd_pcm_stream_lock_irq(), and dropped for the
 * time that a sync takes.
 * Return: 0; 1 if others have moved appl_ptr in that time; or -EBUSY if the
 * buffer is just being replaced or prepared
 */
int snd_pcm_dma_sync_appl_ptr(struct snd_pcm_substream *substream,
			      snd_pcm_uframes_t appl_ptr);

/**
 * snd_pcm_dma_sync_silence - hand over silence that the core wrote
 * @substream: PCM playback substream
 * @ofs: where in the ring it begins, in frames
 * @frames: number of frames; does not cross the end of the ring
 *
 * Context: stream lock held, does not sleep.
 */
void snd_pcm_dma_sync_silence(struct snd_pcm_substream *substream,
			      snd_pcm_uframes_t ofs, snd_pcm_uframes_t frames);

/**
 * snd_pcm_dma_sync_reset - hand over what user space may have written
 * @substream: PCM substream whose pointers are about to be reset
 *
 * Does nothing for playback, nor for capture that nobody has written to.
 *
 * To be called before hw_ptr jumps, for all streams of a group: until appl_ptr
 * follows, an interrupt takes it for an xrun.
 *
 * Context: process context, and nobody may read or write, but without the
 * stream lock: a whole capture buffer may be handed over.
 */
void snd_pcm_dma_sync_reset(struct snd_pcm_substream *substream);

/**
 * snd_pcm_dma_sync_restart - begin again with nothing queued
 * @substream: PCM substream whose appl_ptr was just set to hw_ptr
 *
 * Context: stream lock held, or the stream is not running.
 */
void snd_pcm_dma_sync_restart(struct snd_pcm_substream *substream);

/**
 * snd_pcm_dma_sync_start - prepare for the device to run
 * @substream: PCM substream that is about to be triggered
 *
 * Context: stream lock held, does not sleep.
 */
void snd_pcm_dma_sync_start(struct snd_pcm_substream *substream);

/**
 * snd_pcm_dma_sync_new_buffer - hand over a buffer that was just filled
 * @substream: PCM substream
 *
 * The zeros of hw_params, and the silence of OSS, have to reach the memory, and
 * must not come back over captured audio.  A driver that brings a buffer which
 * needs sync, but did not say so in hw.info at open, is warned.
 *
 * Context: process context, before anybody reads or writes.
 */
void snd_pcm_dma_sync_new_buffer(struct snd_pcm_substream *substream);

void snd_pcm_dma_sync_proc_read(struct snd_info_entry *entry,
				struct snd_info_buffer *buffer);

#endif /* __SOUND_CORE_PCM_DMA_SYNC_H */
