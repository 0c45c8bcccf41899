// SPDX-License-Identifier: GPL-2.0-or-later
/*
 *  The virtual card's device
 *
 *  A DMA engine walks the ring of each stream by the device's addresses. It
 *  moves frames in short bursts, and only then says that it is there: what
 *  is behind the position has been moved, and nothing before it has.
 *
 *  Time goes in periods. The engine looks at the clock at the end of each, and
 *  at some random moment in between, so that its position cuts cache lines
 *  anywhere. It never passes the end of a period without telling. For an
 *  application that wants no wakeups, all there is to know is the position, and
 *  it looks at the clock after a burst at most. If the machine was too busy to
 *  let it run, it catches up by half a buffer at most; the rest of the time is
 *  lost, as if the clock had stood still. So a slow machine makes the sound slow
 *  instead of making it fail.
 */

#include <linux/math64.h>
#include <linux/mm.h>
#include <sound/pcm_params.h>

#include "dmatest.h"

/* Bursts after which others may use the CPU, and for how long at least */
#define TICK_BURSTS	64
#define UNHURRIED_BURSTS	16
#define TICK_GAP_NS	(20 * NSEC_PER_USEC)
#define TICK_IDLE_NS	(200 * NSEC_PER_USEC)
#define TICK_MAX_NS	NSEC_PER_SEC

/* A descriptor of the device describes so much memory */
#define DESCRIPTOR_MAX	max_t(size_t, SZ_64K, PAGE_SIZE)

static bool is_playback(const struct dmatest_stream *s)
{
	return s->substream->stream == SNDRV_PCM_STREAM_PLAYBACK;
}

/*
 * The ring
 */

static void ring_access(struct dmatest_stream *s, size_t ofs, u8 *buf,
			size_t bytes, bool write)
{
	struct snd_pcm_runtime *runtime = s->substream->runtime;
	struct dmatest_mem *mem = &s->card->mem;

	if (!s->pages) {
		if (write)
			memcpy(runtime->dma_area + ofs, buf, bytes);
		else
			memcpy(buf, runtime->dma_area + ofs, bytes);
		return;
	}

	while (bytes) {
		dma_addr_t addr = s->pages[ofs >> PAGE_SHIFT] +
				  offset_in_page(ofs);
		size_t chunk = min_t(size_t, bytes,
				     PAGE_SIZE - offset_in_page(ofs));

		if (write)
			dmatest_mem_write(mem, addr, buf, chunk);
		else
			dmatest_mem_read(mem, addr, buf, chunk);
		/* The cache does something, too; as much as the device does */
		dmatest_mem_disturb(mem, addr + chunk,
				    1 + chunk / mem->config.line);
		ofs += chunk;
		buf += chunk;
		bytes -= chunk;
	}
}

static void ring_read(struct dmatest_stream *s, size_t ofs, u8 *buf,
		      size_t bytes)
{
	if (s->ahead)
		memcpy(buf, s->ahead + ofs, bytes);
	else
		ring_access(s, ofs, buf, bytes, false);
}

/* Where a channel's sample of a frame is, if each has an area of its own */
static size_t channel_ofs(struct dmatest_stream *s, unsigned int channel,
			  snd_pcm_uframes_t frame)
{
	struct snd_pcm_runtime *runtime = s->substream->runtime;

	return runtime->dma_bytes / runtime->channels * channel +
	       frame * s->format->bits / 8;
}

static void take_frames(struct dmatest_stream *s, unsigned int frames)
{
	struct snd_pcm_runtime *runtime = s->substream->runtime;
	unsigned int channels = runtime->channels;
	unsigned int c;

	if (s->interleaved) {
		ring_read(s, frames_to_bytes(runtime, s->ring), s->bytes,
			  frames_to_bytes(runtime, frames));
		dmatest_unpack(s->format, s->bytes, s->samples,
			       frames * channels, 1);
		return;
	}
	for (c = 0; c < channels; c++) {
		ring_read(s, channel_ofs(s, c, s->ring), s->bytes,
			  frames * s->format->bits / 8);
		dmatest_unpack(s->format, s->bytes, s->samples + c, frames,
			       channels);
	}
}

static void give_frames(struct dmatest_stream *s, unsigned int frames)
{
	struct snd_pcm_runtime *runtime = s->substream->runtime;
	unsigned int channels = runtime->channels;
	unsigned int c;

	if (s->interleaved) {
		dmatest_pack(s->format, s->bytes, s->samples,
			     frames * channels, 1);
		ring_access(s, frames_to_bytes(runtime, s->ring), s->bytes,
			    frames_to_bytes(runtime, frames), true);
		return;
	}
	for (c = 0; c < channels; c++) {
		dmatest_pack(s->format, s->bytes, s->samples + c, frames,
			     channels);
		ring_access(s, channel_ofs(s, c, s->ring), s->bytes,
			    frames * s->format->bits / 8, true);
	}
}

/*
 * What the application has done
 */

/* Such as dmix: nobody minds where appl_ptr is */
static bool is_free_running(struct dmatest_stream *s)
{
	struct snd_pcm_runtime *runtime = s->substream->runtime;

	return runtime->stop_threshold >= runtime->boundary;
}

/*
 * Where the CPU is: for a device that reads ahead that is what it has read, as
 * appl_ptr moves before it is told.
 */
static snd_pcm_uframes_t given_up_to(struct dmatest_stream *s)
{
	return s->ahead ? READ_ONCE(s->acked) :
			  READ_ONCE(s->substream->runtime->control->appl_ptr);
}

/*
 * The frames that the CPU is ahead of the device's position, which may be
 * further than hw_ptr. Negative after an underrun; 0 at most for capture.
 */
static snd_pcm_sframes_t frames_ahead(struct dmatest_stream *s)
{
	struct snd_pcm_runtime *runtime = s->substream->runtime;
	snd_pcm_sframes_t half = runtime->boundary / 2;
	snd_pcm_uframes_t hw_ptr = READ_ONCE(runtime->status->hw_ptr);
	snd_pcm_sframes_t ahead, beyond;

	ahead = given_up_to(s) - hw_ptr;
	if (ahead > half)
		ahead -= runtime->boundary;
	else if (ahead < -half)
		ahead += runtime->boundary;
	/* Between the two halves of a RESET, hw_ptr is laps behind */
	if (ahead > (is_playback(s) ? (snd_pcm_sframes_t)runtime->buffer_size : 0))
		ahead = 0;
	beyond = s->ring - hw_ptr % runtime->buffer_size;
	if (beyond < 0)
		beyond += runtime->buffer_size;

	/* Pairs with the core, which moves appl_ptr when the frames are there */
	smp_rmb();
	return ahead - beyond;
}

static unsigned int frames_given(struct dmatest_stream *s, unsigned int frames)
{
	if (is_free_running(s))
		return frames;
	return clamp_t(snd_pcm_sframes_t, frames_ahead(s), 0, frames);
}

/* Whether there is something to capture; the generator always has it */
static bool period_is_there(struct dmatest_stream *s)
{
	struct snd_pcm_runtime *runtime = s->substream->runtime;

	return s->card->config.pattern ||
	       dmatest_loop_frames(s->loop, s->format->format,
				   runtime->channels) >= runtime->period_size;
}

/* Whether the stream can go on for a period without an xrun */
static bool period_is_given(struct dmatest_stream *s)
{
	struct snd_pcm_runtime *runtime = s->substream->runtime;
	snd_pcm_sframes_t period = runtime->period_size;
	snd_pcm_sframes_t buffer = runtime->buffer_size;

	if (runtime->status->state == SNDRV_PCM_STATE_DRAINING)
		return true;
	if (is_playback(s))
		return frames_ahead(s) > period;
	return -frames_ahead(s) + period < buffer && period_is_there(s);
}

/*
 * Moving
 */

static void play(struct dmatest_stream *s, unsigned int frames)
{
	unsigned int channels = s->substream->runtime->channels;
	unsigned int given = frames_given(s, frames);
	unsigned int first, wrong;

	take_frames(s, frames);
	s->stats.ungiven += frames - given;
	if (!s->card->config.pattern) {
		dmatest_loop_put(s->loop, s->format->format, channels,
				 s->samples, frames);
		return;
	}
	wrong = dmatest_check(s->format, s->frame, channels, s->samples, given,
			      &first);
	if (!wrong)
		return;
	s->stats.wrong += wrong;
	if (s->stats.first_wrong < 0)
		s->stats.first_wrong = s->frame + first;
}

static void capture(struct dmatest_stream *s, unsigned int frames)
{
	unsigned int channels = s->substream->runtime->channels;

	if (s->card->config.pattern)
		dmatest_pattern(s->format, s->frame, channels, s->samples,
				frames);
	else
		s->stats.silence += frames -
			dmatest_loop_get(s->loop, s->format->format, channels,
					 s->samples, frames);
	give_frames(s, frames);
}

static void move(struct dmatest_stream *s, unsigned int frames)
{
	if (is_playback(s))
		play(s, frames);
	else
		capture(s, frames);
	s->stats.frames += frames;
	s->frame += frames;
	s->to_go -= frames;
	s->ring += frames;
	if (s->ring == s->substream->runtime->buffer_size)
		s->ring = 0;
}

/*
 * Time
 */

static u32 frames_per_second(struct dmatest_stream *s)
{
	return s->substream->runtime->rate * max(s->card->config.speed, 1U);
}

static u64 frames_to_ns(struct dmatest_stream *s, u64 frames, u32 *rest)
{
	return div_u64_rem(frames * NSEC_PER_SEC + *rest, frames_per_second(s),
			   rest);
}

static bool is_unhurried(struct dmatest_stream *s)
{
	return !s->card->config.speed && !is_free_running(s);
}

/* The frames that the device should have moved by now */
static snd_pcm_uframes_t frames_due(struct dmatest_stream *s)
{
	struct snd_pcm_runtime *runtime = s->substream->runtime;
	snd_pcm_uframes_t most = runtime->buffer_size / 2;
	ktime_t now = ktime_get();
	u64 ns, frames;
	u32 rest = 0;

	if (!s->running)
		return 0;
	if (is_unhurried(s)) {
		s->clock = now;
		if (s->to_go == runtime->period_size && !period_is_given(s))
			return 0;
		return 1 + prandom_u32_state(&s->rnd) % s->to_go;
	}

	/* More than that would be too much for the product below, too */
	ns = min_t(u64, ktime_to_ns(ktime_sub(now, s->clock)),
		   8ULL * NSEC_PER_SEC);
	frames = div_u64(ns * frames_per_second(s), NSEC_PER_SEC);
	if (frames <= most)
		return frames;
	s->clock = ktime_sub_ns(now, frames_to_ns(s, most, &rest));
	return most;
}

static void arm(struct dmatest_stream *s, bool idle)
{
	struct snd_pcm_runtime *runtime = s->substream->runtime;
	snd_pcm_uframes_t frames = runtime->no_period_wakeup ?
				   DMATEST_BURST_FRAMES : runtime->period_size;
	ktime_t now = ktime_get();
	u32 rest = s->rest;
	ktime_t next;
	u64 gap = TICK_GAP_NS;

	/* It asks now and then whether there is something to do */
	if (idle && is_unhurried(s))
		gap = TICK_IDLE_NS;

	frames = 1 + prandom_u32_state(&s->rnd) % frames;
	frames = min(frames, s->to_go);
	next = ktime_add_ns(s->clock, frames_to_ns(s, frames, &rest) + 1);
	if (is_unhurried(s) || ktime_before(next, ktime_add_ns(now, gap)))
		next = ktime_add_ns(now, gap);
	else if (ktime_after(next, ktime_add_ns(now, TICK_MAX_NS)))
		next = ktime_add_ns(now, TICK_MAX_NS);
	hrtimer_start(&s->timer, next, HRTIMER_MODE_ABS_SOFT);
}

/* One that need not look at the clock stops anywhere, too */
static unsigned int tick_bursts(struct dmatest_stream *s)
{
	if (!is_unhurried(s))
		return TICK_BURSTS;
	return 1 + prandom_u32_state(&s->rnd) % UNHURRIED_BURSTS;
}

static void end_period(struct dmatest_stream *s)
{
	u64 ns = ktime_get_ns();
	unsigned long flags;

	s->period_elapsed(s);
	ns = ktime_get_ns() - ns;

	spin_lock_irqsave(&s->lock, flags);
	s->stats.elapsed_ns = ns;
	spin_unlock_irqrestore(&s->lock, flags);
}

static void tick(struct dmatest_stream *s)
{
	unsigned int bursts = tick_bursts(s);
	unsigned long flags;
	unsigned int frames;
	bool ended;
	u64 ns;

	do {
		spin_lock_irqsave(&s->lock, flags);
		frames = min3(frames_due(s), s->to_go,
			      (snd_pcm_uframes_t)DMATEST_BURST_FRAMES);
		if (s->format->bits < 8)
			frames = round_down(frames, 8 / s->format->bits);
		if (frames) {
			move(s, frames);
			ns = frames_to_ns(s, frames, &s->rest);
			s->clock = ktime_add_ns(s->clock, ns);
		}
		ended = !s->to_go;
		if (ended)
			s->to_go = s->substream->runtime->period_size;
		spin_unlock_irqrestore(&s->lock, flags);

		if (ended && !s->substream->runtime->no_period_wakeup)
			end_period(s);
	} while (frames && --bursts);

	spin_lock_irqsave(&s->lock, flags);
	if (s->running)
		arm(s, !frames);
	spin_unlock_irqrestore(&s->lock, flags);
}

/* It is tick() that starts the timer again, unless the stream has stopped */
static enum hrtimer_restart timer_expired(struct hrtimer *timer)
{
	struct dmatest_stream *s = container_of(timer, struct dmatest_stream,
						timer);

	lockdep_assert_in_softirq();
	if (s->card->config.nonatomic)
		queue_work(system_highpri_wq, &s->work);
	else
		tick(s);
	return HRTIMER_NORESTART;
}

static void do_work(struct work_struct *work)
{
	tick(container_of(work, struct dmatest_stream, work));
}

/* As long as nobody else wants to know */
static void period_elapsed(struct dmatest_stream *s)
{
	snd_pcm_period_elapsed(s->substream);
}

/*
 * For the PCM operators
 */

/**
 * dmatest_engine_init - make the engine of a stream
 * @s: the engine, zeroed
 * @card: the card
 * @direction: SNDRV_PCM_STREAM_*
 * @number: number of the substream
 */
void dmatest_engine_init(struct dmatest_stream *s, struct dmatest *card,
			 int direction, unsigned int number)
{
	s->card = card;
	s->loop = &card->loop[number];
	s->period_elapsed = period_elapsed;
	s->stats.first_wrong = -1;
	spin_lock_init(&s->lock);
	hrtimer_init(&s->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS_SOFT);
	s->timer.function = timer_expired;
	INIT_WORK(&s->work, do_work);
	prandom_seed_state(&s->rnd,
			   card->config.mem.seed + 2 * number + direction);
}

/* Asks the core for the addresses, as a driver does for its descriptors */
static int find_pages(struct dmatest_stream *s, size_t bytes)
{
	struct snd_pcm_substream *substream = s->substream;
	size_t ofs, most, chunk, i;
	dma_addr_t addr;

	for (ofs = 0; ofs < bytes; ofs += chunk) {
		addr = snd_pcm_sgbuf_get_addr(substream, ofs);
		most = min(bytes - ofs, DESCRIPTOR_MAX);
		chunk = snd_pcm_sgbuf_get_chunk_size(substream, ofs, most);
		if (!chunk || (ofs + chunk < bytes && offset_in_page(chunk))) {
			dev_err(s->card->mem.dev,
				"chunk of %zu bytes at offset %zu of a buffer of %zu\n",
				chunk, ofs, bytes);
			return -EIO;
		}
		for (i = 0; i < chunk; i += PAGE_SIZE)
			s->pages[(ofs + i) >> PAGE_SHIFT] = addr + i;
	}
	return 0;
}

static int setup_pages(struct dmatest_stream *s, size_t bytes)
{
	size_t ofs;

	s->pages = kvcalloc(PAGE_ALIGN(bytes) >> PAGE_SHIFT,
			    sizeof(*s->pages), GFP_KERNEL);
	if (!s->pages)
		return -ENOMEM;
	for (ofs = 0; ofs < bytes; ofs += PAGE_SIZE) {
		dma_addr_t addr = snd_pcm_sgbuf_get_addr(s->substream, ofs);

		dmatest_mem_claim(&s->card->mem, addr, &s->sync);
		/* The core clears it next, though there may be zeros already */
		dmatest_mem_store(&s->card->mem, addr, PAGE_SIZE);
	}
	/* A DMA controller hears of it when it is to start */
	return s->card->config.dmaengine ? 0 : find_pages(s, bytes);
}

/**
 * dmatest_engine_setup - tell the engine about the buffer
 * @s: the engine
 * @params: the parameters; the buffer is there already
 *
 * Context: may sleep
 * Return: 0, or -EINVAL if a channel's area of a period would not be whole
 *	bytes, -EIO if the core describes the buffer in a way that makes no
 *	sense, or -ENOMEM
 */
int dmatest_engine_setup(struct dmatest_stream *s,
			 struct snd_pcm_hw_params *params)
{
	size_t bytes = params_buffer_bytes(params);
	int type = s->card->config.type;
	int err = 0;

	dmatest_engine_free(s);
	s->format = dmatest_find_format(params_format(params));
	if (!s->format || params_period_size(params) * s->format->bits % 8)
		return -EINVAL;
	s->interleaved = params_access(params) ==
				SNDRV_PCM_ACCESS_RW_INTERLEAVED ||
			 params_access(params) ==
				SNDRV_PCM_ACCESS_MMAP_INTERLEAVED;

	if (type != SNDRV_DMA_TYPE_CONTINUOUS && type != SNDRV_DMA_TYPE_VMALLOC)
		err = setup_pages(s, bytes);
	if (!err && s->card->config.ack && is_playback(s)) {
		s->ahead = kvzalloc(bytes, GFP_KERNEL);
		err = s->ahead ? 0 : -ENOMEM;
	}
	if (err)
		dmatest_engine_free(s);
	return err;
}

/**
 * dmatest_engine_set_address - tell the engine where the buffer is
 * @s: the engine of a DMA controller, set up, which does not run
 * @addr: the first of a single run of the device's addresses
 * @bytes: their number
 *
 * Context: any
 */
void dmatest_engine_set_address(struct dmatest_stream *s, dma_addr_t addr,
				size_t bytes)
{
	size_t ofs;

	for (ofs = 0; ofs < bytes; ofs += PAGE_SIZE)
		s->pages[ofs >> PAGE_SHIFT] = addr + ofs;
}

/**
 * dmatest_engine_free - forget the buffer
 * @s: the engine, which does not run
 *
 * Context: may sleep
 */
void dmatest_engine_free(struct dmatest_stream *s)
{
	might_sleep();
	kvfree(s->pages);
	kvfree(s->ahead);
	s->pages = NULL;
	s->ahead = NULL;
}

/**
 * dmatest_engine_prepare - go back to the beginning
 * @s: the engine, which does not run
 */
void dmatest_engine_prepare(struct dmatest_stream *s)
{
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	s->acked = 0;
	s->ring = 0;
	s->frame = 0;
	s->to_go = s->substream->runtime->period_size;
	spin_unlock_irqrestore(&s->lock, flags);
}

static bool feeds_loop(const struct dmatest_stream *s)
{
	return is_playback(s) && !s->card->config.pattern;
}

/**
 * dmatest_engine_start - run, from where it stopped
 * @s: the engine
 *
 * Context: any
 */
void dmatest_engine_start(struct dmatest_stream *s)
{
	unsigned long flags;

	if (feeds_loop(s))
		dmatest_loop_hold(s->loop, s->card->config.speed ?
				  2 * s->substream->runtime->period_size : 0);

	spin_lock_irqsave(&s->lock, flags);
	s->running = true;
	s->clock = ktime_get();
	s->rest = 0;
	arm(s, false);
	spin_unlock_irqrestore(&s->lock, flags);
}

/**
 * dmatest_engine_stop - move no frame any more
 * @s: the engine
 *
 * Context: any; snd_pcm_period_elapsed() may still be under way after this,
 *	until dmatest_engine_sync_stop()
 */
void dmatest_engine_stop(struct dmatest_stream *s)
{
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	s->running = false;
	hrtimer_try_to_cancel(&s->timer);
	spin_unlock_irqrestore(&s->lock, flags);
	if (feeds_loop(s))
		dmatest_loop_release(s->loop);
}

/**
 * dmatest_engine_sync_stop - wait until it has come to rest
 * @s: the engine, which was told to stop
 *
 * Context: may sleep
 */
void dmatest_engine_sync_stop(struct dmatest_stream *s)
{
	might_sleep();
	hrtimer_cancel(&s->timer);
	cancel_work_sync(&s->work);
}

static void fetch(struct dmatest_stream *s, size_t start, size_t end)
{
	ring_access(s, start, s->ahead + start, end - start, false);
}

/**
 * dmatest_engine_ack - the application has moved appl_ptr
 * @s: the engine
 *
 * If the device reads ahead, it does so now. Frames that are taken back it
 * fetches again when they are given again.
 *
 * Context: under the stream lock
 */
void dmatest_engine_ack(struct dmatest_stream *s)
{
	struct snd_pcm_runtime *runtime = s->substream->runtime;
	snd_pcm_uframes_t appl_ptr = runtime->control->appl_ptr;
	unsigned int bits = s->format->bits;
	snd_pcm_sframes_t left;
	unsigned int c;

	if (!s->ahead)
		return;
	left = appl_ptr - s->acked;
	if (left < 0)
		left += runtime->boundary;
	if (left > runtime->buffer_size)
		left = 0;
	while (left) {
		snd_pcm_uframes_t from = (appl_ptr - left) % runtime->buffer_size;
		snd_pcm_uframes_t to = min(from + left, runtime->buffer_size);

		if (s->interleaved)
			fetch(s, from * runtime->frame_bits / 8,
			      DIV_ROUND_UP(to * runtime->frame_bits, 8));
		for (c = 0; !s->interleaved && c < runtime->channels; c++)
			fetch(s, channel_ofs(s, c, 0) + from * bits / 8,
			      channel_ofs(s, c, 0) + DIV_ROUND_UP(to * bits, 8));
		left -= to - from;
	}
	/* Pairs with frames_ahead() */
	smp_wmb();
	WRITE_ONCE(s->acked, appl_ptr);
}

/**
 * dmatest_engine_reset - appl_ptr was set to hw_ptr, with no ack
 * @s: the engine
 *
 * What the device has read ahead is void.  An interrupt may come before the
 * other half of RESET, and does so here, if the device has no clock to go by.
 *
 * Context: any, without the stream lock
 */
void dmatest_engine_reset(struct dmatest_stream *s)
{
	s->acked = s->substream->runtime->status->hw_ptr;
	if (is_unhurried(s))
		tick(s);
}

/**
 * dmatest_engine_pointer - say where it is
 * @s: the engine
 *
 * Context: any
 * Return: position in the buffer, in frames
 */
snd_pcm_uframes_t dmatest_engine_pointer(struct dmatest_stream *s)
{
	unsigned long flags;
	snd_pcm_uframes_t ring;

	spin_lock_irqsave(&s->lock, flags);
	ring = s->ring;
	spin_unlock_irqrestore(&s->lock, flags);
	return ring;
}

/**
 * dmatest_engine_get_stats - read an engine's counters
 * @s: the engine
 * @stats: where to put them
 *
 * Context: any
 */
void dmatest_engine_get_stats(struct dmatest_stream *s,
			      struct dmatest_stream_stats *stats)
{
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	*stats = s->stats;
	spin_unlock_irqrestore(&s->lock, flags);
}

/**
 * dmatest_engine_reset_stats - zero an engine's counters
 * @s: the engine
 *
 * Context: any
 */
void dmatest_engine_reset_stats(struct dmatest_stream *s)
{
	unsigned long flags;

	spin_lock_irqsave(&s->lock, flags);
	memset(&s->stats, 0, sizeof(s->stats));
	s->stats.first_wrong = -1;
	spin_unlock_irqrestore(&s->lock, flags);
}
