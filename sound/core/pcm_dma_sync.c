// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Cache maintenance of PCM buffers: ownership follows the pointers
 *
 * Every frame of the ring is owned by the CPU or by the device, and it is
 * synced when it changes owner, which happens where a pointer moves:
 *
 *            device owns            CPU owns             handed over as
 * playback   [hw_ptr, appl_ptr)     the rest             appl_ptr advances
 * capture    the rest               [appl_ptr, hw_ptr)   hw_ptr advances
 *
 * The other half of each row costs nothing or little.  The device does not
 * write a playback buffer, so what it returns needs no sync.  The CPU reads a
 * capture buffer, and a sync for the CPU is enough to read it again
 * (CONFIG_SND_DMA_CACHED).  Only user space that maps it can have written
 * there, or a driver that copies by itself, and lines that became dirty would
 * come back over later audio.  A map cannot be written before a fault has told
 * so; from then on appl_ptr's advance hands the frames to the device, and a
 * reset of the pointers all of them.  What a capture stream goes back over comes
 * to the CPU once more; it may be from before a reset, when nobody asked for it.
 *
 * Two things write outside of the pointers.  The core does, when it clears the
 * buffer in hw_params and with silence: it says what it wrote.  And a writer
 * that may be overrun without being stopped need not move appl_ptr at all
 * (dmix, mmap through OSS): for these, until appl_ptr moves, the core hands
 * over at every period what the device plays until the period after.
 *
 * Rounding: a sync works on whole cache lines (snd_dma_buffer_sync_range()).
 * The line that hw_ptr cuts is invalidated once more when hw_ptr moves on.
 * The line that a capture stream's appl_ptr cuts stays with the CPU until
 * appl_ptr has passed it, for the device may be writing to its other half.
 *
 * A captured frame is synced when hw_ptr is told, not in the interrupt that
 * moves it.  What either pointer moves over is synced without the stream lock,
 * for it may be a whole buffer.  With interrupts off go silence, of which the
 * core has just written as much, and what is for the device at a period for a
 * writer that need not move appl_ptr.
 *
 * What would be inlined more than once is noinline: next to a sync, a call is
 * nothing.
 */

#include <linux/math.h>
#include <linux/minmax.h>
#include <linux/mutex.h>
#include <sound/core.h>
#include <sound/pcm.h>
#include "memalloc_local.h"
#include "pcm_dma_sync.h"

#define CREATE_TRACE_POINTS
#include "pcm_dma_sync_trace.h"

/* how far ahead of hw_ptr a writer that ignores appl_ptr is served */
#define SYNC_AHEAD_PERIODS	2

/* the frames from @from forward to @to, around the boundary */
static snd_pcm_uframes_t distance(struct snd_pcm_runtime *runtime,
				  snd_pcm_uframes_t from, snd_pcm_uframes_t to)
{
	return to >= from ? to - from : to + runtime->boundary - from;
}

/* a shorter way back than forward is a rewind */
static bool is_behind(struct snd_pcm_runtime *runtime, snd_pcm_uframes_t dist)
{
	return dist > runtime->boundary / 2;
}

static bool is_capture(struct snd_pcm_substream *substream)
{
	return substream->stream == SNDRV_PCM_STREAM_CAPTURE;
}

/* may the frames that appl_ptr passes have been written by the CPU? */
static bool may_be_written(struct snd_pcm_substream *substream)
{
	return !is_capture(substream) ||
	       READ_ONCE(substream->runtime->dma_sync_written);
}

static noinline void sync_bytes(struct snd_pcm_substream *substream,
				enum snd_pcm_dma_sync_by by, size_t offset,
				size_t bytes, enum snd_dma_sync_mode mode)
{
	struct snd_dma_buffer *dmab = snd_pcm_get_dma_buf(substream);

	if (!dmab || !dmab->dev.need_sync)
		return;
	trace_dma_sync(substream, by, offset, bytes, mode);
	atomic64_add(bytes, &substream->runtime->dma_synced[mode]);
	snd_dma_buffer_sync_range(dmab, offset, bytes, mode);
}

/*
 * Sync @frames at @ofs of each ring in the buffer: the one ring of frames, or a
 * ring of samples per channel.  The line that a capture stream's appl_ptr cuts
 * is left out.
 */
static void sync_span(struct snd_pcm_substream *substream,
		      enum snd_pcm_dma_sync_by by, snd_pcm_uframes_t ofs,
		      snd_pcm_uframes_t frames, enum snd_dma_sync_mode mode)
{
	struct snd_pcm_runtime *runtime = substream->runtime;
	bool whole_lines = by == SYNC_BY_APPL_PTR && is_capture(substream) &&
			   ofs + frames < runtime->buffer_size;
	unsigned int rings = 1, bits = runtime->frame_bits;
	size_t bytes, from, end, to;

	if (!frames)
		return;
	if (runtime->access == SNDRV_PCM_ACCESS_RW_NONINTERLEAVED ||
	    runtime->access == SNDRV_PCM_ACCESS_MMAP_NONINTERLEAVED) {
		rings = runtime->channels;
		bits = runtime->sample_bits;
	}
	bytes = runtime->dma_bytes / rings;

	from = ofs * bits / 8;
	end = DIV_ROUND_UP((ofs + frames) * bits, 8);
	for (; rings; rings--, from += bytes, end += bytes) {
		to = whole_lines ? round_down(end, snd_dma_sync_align()) : end;
		if (from < to)
			sync_bytes(substream, by, from, to - from, mode);
	}
}

/* sync the last @frames before the position @end, a lap at most */
static void sync_before(struct snd_pcm_substream *substream,
			enum snd_pcm_dma_sync_by by, snd_pcm_uframes_t end,
			snd_pcm_uframes_t frames, enum snd_dma_sync_mode mode)
{
	snd_pcm_uframes_t size = substream->runtime->buffer_size;

	frames = min(frames, size);
	end %= size;
	if (frames > end) {
		frames -= end;
		sync_span(substream, by, size - frames, frames, mode);
		frames = end;
	}
	sync_span(substream, by, end - frames, frames, mode);
}

noinline void snd_pcm_look_ahead(struct snd_pcm_substream *substream,
				 bool unmoved)
{
	struct snd_pcm_runtime *runtime = substream->runtime;

	runtime->dma_sync_free = unmoved && snd_pcm_needs_sync(substream) &&
		!is_capture(substream) &&
		runtime->stop_threshold > runtime->buffer_size;
	runtime->look_ahead = runtime->dma_sync_free ||
			      runtime->silence_size > 0;
}
EXPORT_SYMBOL_GPL(snd_pcm_look_ahead);

/*
 * Hand over what the device is going to take in the next periods, except for
 * what it owns already.  Called at every period, so that a frame written a
 * period before it is played is seen by one of the calls.
 */
static void sync_ahead(struct snd_pcm_substream *substream,
		       snd_pcm_uframes_t hw_ptr)
{
	struct snd_pcm_runtime *runtime = substream->runtime;
	snd_pcm_uframes_t ahead, owned;

	ahead = min(SYNC_AHEAD_PERIODS * runtime->period_size,
		    runtime->buffer_size);
	owned = distance(runtime, hw_ptr, runtime->dma_sync_appl_ptr);
	if (is_behind(runtime, owned)) {
		/* appl_ptr may move yet; what is a lap behind is all the same */
		if (runtime->boundary - owned > runtime->buffer_size)
			runtime->dma_sync_appl_ptr =
				distance(runtime, runtime->buffer_size, hw_ptr);
		owned = 0;
	}
	if (owned < ahead)
		sync_before(substream, SYNC_BY_PERIOD, hw_ptr + ahead,
			    ahead - owned, SNDRV_DMA_SYNC_DEVICE);
}

void snd_pcm_dma_sync_period(struct snd_pcm_substream *substream,
			     snd_pcm_uframes_t hw_ptr)
{
	struct snd_pcm_runtime *runtime = substream->runtime;
	snd_pcm_uframes_t frames;

	if (!runtime->dma_sync_free)
		return;
	frames = distance(runtime, runtime->dma_sync_hw_ptr, hw_ptr);
	runtime->dma_sync_hw_ptr = hw_ptr;
	if (hw_ptr % runtime->period_size < frames)
		sync_ahead(substream, hw_ptr);
}

/*
 * It may be a whole buffer, and the stream lock disables interrupts.  Not
 * inlined: what mapped capture moves over is rarely written.
 */
static noinline int sync_unlocked(struct snd_pcm_substream *substream,
				  snd_pcm_uframes_t end,
				  snd_pcm_uframes_t frames,
				  enum snd_dma_sync_mode mode)
{
	struct snd_pcm_runtime *runtime = substream->runtime;

	/* hw_params, hw_free and prepare do not hold the stream lock */
	if (!atomic_inc_unless_negative(&runtime->buffer_accessing))
		return -EBUSY;
	snd_pcm_stream_unlock_irq(substream);
	sync_before(substream, SYNC_BY_APPL_PTR, end, frames, mode);
	snd_pcm_stream_lock_irq(substream);
	atomic_dec(&runtime->buffer_accessing);
	return 0;
}

int snd_pcm_dma_sync_appl_ptr(struct snd_pcm_substream *substream,
			      snd_pcm_uframes_t appl_ptr)
{
	struct snd_pcm_runtime *runtime = substream->runtime;
	snd_pcm_uframes_t from = runtime->control->appl_ptr;
	snd_pcm_uframes_t frames = distance(runtime, from, appl_ptr);
	enum snd_dma_sync_mode mode = SNDRV_DMA_SYNC_DEVICE;
	bool changes_hands = may_be_written(substream);
	snd_pcm_uframes_t end = appl_ptr;
	int err;

	if (runtime->dma_sync_free)
		snd_pcm_look_ahead(substream, false);
	if (is_behind(runtime, frames)) {
		frames = runtime->boundary - frames;
		end = from;
		mode = SNDRV_DMA_SYNC_CPU;
		changes_hands = is_capture(substream);
	}
	if (changes_hands) {
		err = sync_unlocked(substream, end, frames, mode);
		if (err < 0)
			return err;
		if (runtime->control->appl_ptr != from)
			return 1;
	}
	runtime->dma_sync_appl_ptr = appl_ptr;
	return 0;
}

/*
 * Hand over the frames between the last such call and hw_ptr.  Not inlined:
 * most who ask for hw_ptr find that it has not moved.
 */
static noinline void sync_captured(struct snd_pcm_substream *substream)
{
	struct snd_pcm_runtime *runtime = substream->runtime;
	snd_pcm_uframes_t from, hw_ptr;

	while (runtime->dma_sync_hw_ptr != runtime->status->hw_ptr) {
		from = runtime->dma_sync_hw_ptr;
		hw_ptr = runtime->status->hw_ptr;
		snd_pcm_stream_unlock_irq(substream);
		/*
		 * Who takes the buffer away or prepares it waits, and is waited
		 * for: to look is no access that would be in its way.
		 */
		mutex_lock(&runtime->buffer_mutex);
		if (READ_ONCE(runtime->dma_sync_hw_ptr) == from)
			sync_before(substream, SYNC_BY_HW_PTR, hw_ptr,
				    distance(runtime, from, hw_ptr),
				    SNDRV_DMA_SYNC_CPU);
		snd_pcm_stream_lock_irq(substream);
		/* another thread may have come further meanwhile */
		if (runtime->dma_sync_hw_ptr == from)
			runtime->dma_sync_hw_ptr = hw_ptr;
		snd_pcm_stream_unlock_irq(substream);
		mutex_unlock(&runtime->buffer_mutex);
		snd_pcm_stream_lock_irq(substream);
	}
}

bool __snd_pcm_dma_sync_hw_ptr(struct snd_pcm_substream *substream)
{
	struct snd_pcm_runtime *runtime = substream->runtime;

	if (!is_capture(substream) ||
	    runtime->dma_sync_hw_ptr == runtime->status->hw_ptr)
		return false;
	sync_captured(substream);
	return true;
}
EXPORT_SYMBOL_GPL(__snd_pcm_dma_sync_hw_ptr);

void snd_pcm_dma_sync_silence(struct snd_pcm_substream *substream,
			      snd_pcm_uframes_t ofs, snd_pcm_uframes_t frames)
{
	if (snd_pcm_needs_sync(substream))
		sync_span(substream, SYNC_BY_SILENCE, ofs, frames,
			  SNDRV_DMA_SYNC_DEVICE);
}

void snd_pcm_dma_sync_reset(struct snd_pcm_substream *substream)
{
	if (is_capture(substream) && may_be_written(substream))
		sync_bytes(substream, SYNC_BY_RESET, 0,
			   substream->runtime->dma_bytes,
			   SNDRV_DMA_SYNC_DEVICE);
}

void snd_pcm_dma_sync_restart(struct snd_pcm_substream *substream)
{
	struct snd_pcm_runtime *runtime = substream->runtime;
	snd_pcm_uframes_t hw_ptr = runtime->status->hw_ptr;

	runtime->dma_sync_appl_ptr = hw_ptr;
	/* the line that hw_ptr cuts went to the device, too, and comes back */
	runtime->dma_sync_hw_ptr = hw_ptr ? hw_ptr - 1 : 0;
}

void snd_pcm_dma_sync_start(struct snd_pcm_substream *substream)
{
	snd_pcm_look_ahead(substream, true);
	if (substream->runtime->dma_sync_free)
		sync_ahead(substream, substream->runtime->status->hw_ptr);
}

void snd_pcm_dma_sync_new_buffer(struct snd_pcm_substream *substream)
{
	struct snd_pcm_runtime *runtime = substream->runtime;
	struct snd_dma_buffer *dmab = snd_pcm_get_dma_buf(substream);
	const struct snd_pcm_ops *ops = substream->ops;

	if (!dmab || !dmab->dev.need_sync)
		return;
	/* only the driver knows how it copies */
	if (ops->copy_user || ops->copy_kernel)
		runtime->dma_sync_written = true;
	if (!snd_pcm_needs_sync(substream)) {
		dev_warn(&substream->pstr->dev,
			 "driver %s: the buffer needs SNDRV_PCM_INFO_EXPLICIT_SYNC\n",
			 substream->pcm->card->driver);
		runtime->hw.info |= SNDRV_PCM_INFO_EXPLICIT_SYNC;
	}
	sync_bytes(substream, SYNC_BY_HW_PARAMS, 0, runtime->dma_bytes,
		   SNDRV_DMA_SYNC_DEVICE);
}
EXPORT_SYMBOL_GPL(snd_pcm_dma_sync_new_buffer);
