// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *  The wire from the virtual card's playback to its capture
 *
 *  Capture gets exactly the frames that playback took, in their order, and
 *  silence while there are none. What does not fit is lost, and counted.
 *
 *  Each end has a clock of its own that ticks when it likes. So that capture
 *  does not find nothing while playback goes on, an empty wire first fills.
 */

#include <linux/mm.h>
#include <linux/string.h>

#include "dmatest.h"

/**
 * dmatest_loop_init - make an empty wire
 * @loop: the wire, zeroed
 *
 * Return: 0 or -ENOMEM
 */
int dmatest_loop_init(struct dmatest_loop *loop)
{
	spin_lock_init(&loop->lock);
	loop->samples = kvmalloc_array(DMATEST_LOOP_SAMPLES, sizeof(u32),
				       GFP_KERNEL);
	if (!loop->samples)
		return -ENOMEM;
	return kfifo_init(&loop->fifo, loop->samples,
			  DMATEST_LOOP_SAMPLES * sizeof(u32));
}

/**
 * dmatest_loop_free - unmake it
 * @loop: the wire
 */
void dmatest_loop_free(struct dmatest_loop *loop)
{
	kvfree(loop->samples);
}

/**
 * dmatest_loop_reset - empty it and forget what was lost
 * @loop: the wire
 */
void dmatest_loop_reset(struct dmatest_loop *loop)
{
	unsigned long flags;

	if (!loop->samples)
		return;
	spin_lock_irqsave(&loop->lock, flags);
	kfifo_reset(&loop->fifo);
	loop->lost = 0;
	spin_unlock_irqrestore(&loop->lock, flags);
}

/**
 * dmatest_loop_lost - count what was lost
 * @loop: the wire
 *
 * Return: number of frames
 */
u64 dmatest_loop_lost(struct dmatest_loop *loop)
{
	unsigned long flags;
	u64 lost;

	if (!loop->samples)
		return 0;
	spin_lock_irqsave(&loop->lock, flags);
	lost = loop->lost;
	spin_unlock_irqrestore(&loop->lock, flags);
	return lost;
}

/**
 * dmatest_loop_frames - see how much is under way
 * @loop: the wire
 * @format: format of the samples
 * @channels: samples in a frame
 *
 * Return: number of frames that dmatest_loop_get() would find
 */
unsigned int dmatest_loop_frames(struct dmatest_loop *loop,
				 snd_pcm_format_t format,
				 unsigned int channels)
{
	unsigned int frames = 0;
	unsigned long flags;

	spin_lock_irqsave(&loop->lock, flags);
	if (loop->format == format && loop->channels == channels)
		frames = kfifo_len(&loop->fifo) / channels;
	spin_unlock_irqrestore(&loop->lock, flags);
	return frames;
}

/**
 * dmatest_loop_hold - playback starts
 * @loop: the wire
 * @frames: give nothing before there are so many
 */
void dmatest_loop_hold(struct dmatest_loop *loop, unsigned int frames)
{
	unsigned long flags;

	spin_lock_irqsave(&loop->lock, flags);
	loop->hold = frames;
	loop->flows = false;
	spin_unlock_irqrestore(&loop->lock, flags);
}

/**
 * dmatest_loop_release - playback stops: give what there is
 * @loop: the wire
 */
void dmatest_loop_release(struct dmatest_loop *loop)
{
	unsigned long flags;

	spin_lock_irqsave(&loop->lock, flags);
	loop->flows = true;
	spin_unlock_irqrestore(&loop->lock, flags);
}

/**
 * dmatest_loop_put - playback took frames
 * @loop: the wire; it forgets what is under way in another format
 * @format: format of the samples
 * @channels: samples in a frame
 * @samples: the frames
 * @frames: number of frames
 */
void dmatest_loop_put(struct dmatest_loop *loop, snd_pcm_format_t format,
		      unsigned int channels, const u32 *samples,
		      unsigned int frames)
{
	unsigned long flags;
	unsigned int room;

	spin_lock_irqsave(&loop->lock, flags);
	if (loop->format != format || loop->channels != channels) {
		kfifo_reset(&loop->fifo);
		loop->format = format;
		loop->channels = channels;
	}
	room = min(frames, kfifo_avail(&loop->fifo) / channels);
	kfifo_in(&loop->fifo, samples, room * channels);
	loop->lost += frames - room;
	spin_unlock_irqrestore(&loop->lock, flags);
}

/**
 * dmatest_loop_get - capture wants frames
 * @loop: the wire
 * @format: format of the samples
 * @channels: samples in a frame
 * @samples: where to put them
 * @frames: number of frames
 *
 * Return: number of frames that there were; the others are silence
 */
unsigned int dmatest_loop_get(struct dmatest_loop *loop,
			      snd_pcm_format_t format, unsigned int channels,
			      u32 *samples, unsigned int frames)
{
	unsigned int got = 0;
	unsigned long flags;

	spin_lock_irqsave(&loop->lock, flags);
	if (loop->format == format && loop->channels == channels &&
	    (loop->flows || kfifo_len(&loop->fifo) >=
	     min(loop->hold * channels, DMATEST_LOOP_SAMPLES / 2U))) {
		got = kfifo_out(&loop->fifo, samples, frames * channels) /
		      channels;
		loop->flows = got == frames;
	}
	spin_unlock_irqrestore(&loop->lock, flags);
	memset32(samples + got * channels, *snd_pcm_format_silence_64(format),
		 (frames - got) * channels);
	return got;
}
