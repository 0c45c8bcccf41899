// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * KUnit tests of the ownership rule in pcm_dma_sync.c
 *
 * A made-up stream moves its pointers over a buffer whose sync operation only
 * takes notes: how often each byte was handed over, and which way.
 */

/* the symbols are the core's */
#define __DISABLE_EXPORTS

#include <kunit/test.h>
#include <linux/completion.h>
#include <linux/delay.h>
#include <linux/err.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/mutex.h>

/* the tracepoint is the core's */
#define NOTRACE
#include "pcm_dma_sync.c"

#define BUFFER_BYTES	4096

/* as many lines as a sync of unaligned ends may touch beside its range */
#define ROUNDING	(2 * snd_dma_sync_align())

struct notes {
	unsigned int calls;
	size_t bytes;
	size_t irqoff_bytes;		/* the most in one call */
	u8 count[BUFFER_BYTES];
};

struct fake {
	struct snd_card card;
	struct snd_pcm pcm;
	struct snd_pcm_str str;
	struct snd_pcm_substream substream;
	struct snd_pcm_runtime runtime;
	struct snd_pcm_mmap_status status;
	struct snd_pcm_mmap_control control;
	struct snd_dma_buffer dmab;
	struct notes notes[2];		/* by enum snd_dma_sync_mode */
	struct completion looked;
	void (*meanwhile)(struct fake *f);
};

static void note_sync(struct snd_dma_buffer *dmab, size_t offset, size_t size,
		      enum snd_dma_sync_mode mode)
{
	struct fake *f = container_of(dmab, struct fake, dmab);
	struct notes *notes = &f->notes[mode];
	size_t i;

	notes->calls++;
	notes->bytes += size;
	if (irqs_disabled())
		notes->irqoff_bytes = max(notes->irqoff_bytes, size);
	for (i = offset; i < offset + size && i < BUFFER_BYTES; i++)
		notes->count[i]++;
	if (f->meanwhile)
		f->meanwhile(f);
}

static const struct snd_malloc_ops note_ops = { .sync = note_sync };
static const struct snd_pcm_ops no_ops;

/* the bytes that the core says it has synced */
static size_t counted(struct fake *f, enum snd_dma_sync_mode mode)
{
	return atomic64_read(&f->runtime.dma_synced[mode]);
}

static void forget(struct fake *f)
{
	memset(f->notes, 0, sizeof(f->notes));
	atomic64_set(&f->runtime.dma_synced[SNDRV_DMA_SYNC_CPU], 0);
	atomic64_set(&f->runtime.dma_synced[SNDRV_DMA_SYNC_DEVICE], 0);
}

static struct fake *fake_stream(struct kunit *test, int stream,
				snd_pcm_access_t access, unsigned int channels,
				unsigned int sample_bits)
{
	struct fake *f = kunit_kzalloc(test, sizeof(*f), GFP_KERNEL);
	struct snd_pcm_runtime *runtime;

	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, f);
	f->dmab.ops = &note_ops;
	f->dmab.bytes = BUFFER_BYTES;
	f->dmab.dev.need_sync = true;

	runtime = &f->runtime;
	runtime->status = &f->status;
	runtime->control = &f->control;
	runtime->dma_buffer_p = &f->dmab;
	runtime->dma_bytes = BUFFER_BYTES;
	runtime->access = access;
	runtime->channels = channels;
	runtime->sample_bits = sample_bits;
	runtime->frame_bits = sample_bits * channels;
	runtime->buffer_size = BUFFER_BYTES * 8 / runtime->frame_bits;
	runtime->period_size = runtime->buffer_size / 8;
	runtime->stop_threshold = runtime->buffer_size;
	runtime->boundary = runtime->buffer_size * 16;
	runtime->hw.info = SNDRV_PCM_INFO_EXPLICIT_SYNC;
	runtime->dma_sync_written = true;

	mutex_init(&runtime->buffer_mutex);
	f->pcm.card = &f->card;
	f->substream.pcm = &f->pcm;
	f->str.dev.init_name = "fake";
	f->substream.pstr = &f->str;
	f->substream.ops = &no_ops;
	spin_lock_init(&f->substream.self_group.lock);
	f->substream.stream = stream;
	f->substream.runtime = runtime;
	return f;
}

static struct fake *stereo(struct kunit *test, int stream)
{
	return fake_stream(test, stream, SNDRV_PCM_ACCESS_MMAP_INTERLEAVED,
			   2, 16);
}

/* what the core does, in its order */
static void move_appl_ptr(struct fake *f, snd_pcm_uframes_t to)
{
	snd_pcm_stream_lock_irq(&f->substream);
	if (!snd_pcm_dma_sync_appl_ptr(&f->substream, to))
		f->control.appl_ptr = to;
	snd_pcm_stream_unlock_irq(&f->substream);
}

static void move_hw_ptr(struct fake *f, snd_pcm_uframes_t to)
{
	snd_pcm_stream_lock_irq(&f->substream);
	snd_pcm_dma_sync_period(&f->substream, to);
	f->status.hw_ptr = to;
	snd_pcm_stream_unlock_irq(&f->substream);
}

static void reset_pointers(struct fake *f)
{
	snd_pcm_dma_sync_reset(&f->substream);
	f->control.appl_ptr = f->status.hw_ptr;
	snd_pcm_dma_sync_restart(&f->substream);
}

/* what an ioctl does before it tells hw_ptr */
static void tell_hw_ptr(struct fake *f)
{
	snd_pcm_stream_lock_irq(&f->substream);
	snd_pcm_dma_sync_hw_ptr(&f->substream);
	snd_pcm_stream_unlock_irq(&f->substream);
}

static void capture_up_to(struct fake *f, snd_pcm_uframes_t to)
{
	move_hw_ptr(f, to);
	tell_hw_ptr(f);
}

/* each byte of [from, to) was handed over @times times, by @mode */
static void expect_span(struct kunit *test, struct fake *f,
			enum snd_dma_sync_mode mode, size_t from, size_t to,
			unsigned int times)
{
	size_t i;

	for (i = from; i < to; i++)
		if (f->notes[mode].count[i] != times)
			break;
	KUNIT_EXPECT_EQ_MSG(test, i, to,
			    "byte %zu synced %u times, not %u", i,
			    i < to ? f->notes[mode].count[i] : times, times);
}

static void expect_nothing(struct kunit *test, struct fake *f)
{
	KUNIT_EXPECT_EQ(test, f->notes[SNDRV_DMA_SYNC_CPU].calls, 0u);
	KUNIT_EXPECT_EQ(test, f->notes[SNDRV_DMA_SYNC_DEVICE].calls, 0u);
	KUNIT_EXPECT_EQ(test, counted(f, SNDRV_DMA_SYNC_CPU), (size_t)0);
	KUNIT_EXPECT_EQ(test, counted(f, SNDRV_DMA_SYNC_DEVICE), (size_t)0);
}

/* Playback: what appl_ptr covers goes to the device, once, and nothing else. */
static void playback_advance(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);

	move_appl_ptr(f, 256);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, 1024, 1);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 1024, BUFFER_BYTES, 0);

	forget(f);
	move_hw_ptr(f, 128);
	expect_nothing(test, f);

	move_appl_ptr(f, 256);
	expect_nothing(test, f);
}

/* A range that passes the end of the ring is two spans, of just its bytes. */
static void playback_wrap(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);

	move_appl_ptr(f, 896);
	move_hw_ptr(f, 896);
	forget(f);
	move_appl_ptr(f, 1024 + 128);
	KUNIT_EXPECT_EQ(test, counted(f, SNDRV_DMA_SYNC_DEVICE), (size_t)1024);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, 512, 1);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 512, 3584, 0);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 3584, BUFFER_BYTES, 1);
}

/* The pointers begin again at the boundary; the distance must not. */
static void playback_boundary(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);

	f->status.hw_ptr = f->runtime.boundary - 128;
	f->control.appl_ptr = f->runtime.boundary - 128;
	f->runtime.dma_sync_appl_ptr = f->runtime.boundary - 128;
	move_appl_ptr(f, 64);
	KUNIT_EXPECT_EQ(test, f->notes[SNDRV_DMA_SYNC_DEVICE].bytes,
			192 * 4ul);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, 256, 1);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 3584, BUFFER_BYTES, 1);
}

/* However far appl_ptr jumps, a lap is all there is. */
static void playback_laps(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);

	move_appl_ptr(f, 3 * 1024 + 32);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, BUFFER_BYTES, 1);
}

/* Half of the boundary is forward still, one frame more is back. */
static void playback_half_way(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);
	snd_pcm_uframes_t half = f->runtime.boundary / 2;

	move_appl_ptr(f, half);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, BUFFER_BYTES, 1);
	move_appl_ptr(f, 0);
	forget(f);
	move_appl_ptr(f, half + 1);
	expect_nothing(test, f);
}

/* Rewound frames may be written again, so they are handed over again. */
static void playback_rewind(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);

	move_appl_ptr(f, 512);
	forget(f);
	move_appl_ptr(f, 256);
	expect_nothing(test, f);
	move_appl_ptr(f, 384);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, 1024, 0);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 1024, 1536, 1);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 1536, BUFFER_BYTES, 0);
}

/* What the application commits is synced with interrupts on, however little. */
static void playback_unlocked(struct kunit *test)
{
	struct fake *f = fake_stream(test, SNDRV_PCM_STREAM_PLAYBACK,
				     SNDRV_PCM_ACCESS_MMAP_INTERLEAVED, 2, 16);
	struct notes *dev = &f->notes[SNDRV_DMA_SYNC_DEVICE];

	move_appl_ptr(f, BUFFER_BYTES / 4);
	KUNIT_EXPECT_EQ(test, dev->bytes, (size_t)BUFFER_BYTES);
	KUNIT_EXPECT_EQ(test, dev->irqoff_bytes, (size_t)0);
	move_appl_ptr(f, BUFFER_BYTES / 4 + 16);
	KUNIT_EXPECT_EQ(test, dev->irqoff_bytes, (size_t)0);
}

/* Nobody hands a buffer over that hw_params or prepare is working on. */
static void busy(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);

	atomic_set(&f->runtime.buffer_accessing, -1);
	move_appl_ptr(f, 128);
	KUNIT_EXPECT_EQ(test, f->control.appl_ptr, 0ul);
	expect_nothing(test, f);

	atomic_set(&f->runtime.buffer_accessing, 0);
	move_appl_ptr(f, 128);
	KUNIT_EXPECT_EQ(test, f->control.appl_ptr, 128ul);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, 512, 1);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->runtime.buffer_accessing), 0);
}

static int look(void *data)
{
	struct fake *f = data;

	tell_hw_ptr(f);
	complete(&f->looked);
	return 0;
}

/* Who looks meanwhile waits, and is in nobody's way. */
static void busy_to_look(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_CAPTURE);
	struct task_struct *task;

	capture_up_to(f, 64);
	move_hw_ptr(f, 128);
	forget(f);
	init_completion(&f->looked);
	mutex_lock(&f->runtime.buffer_mutex);
	task = kthread_run(look, f, "look");
	if (!IS_ERR(task))
		msleep(50);
	expect_nothing(test, f);

	/* what it came for is nobody's now */
	f->status.hw_ptr = 0;
	reset_pointers(f);
	forget(f);
	mutex_unlock(&f->runtime.buffer_mutex);
	KUNIT_ASSERT_FALSE(test, IS_ERR(task));
	wait_for_completion(&f->looked);
	expect_nothing(test, f);
	KUNIT_EXPECT_EQ(test, atomic_read(&f->runtime.buffer_accessing), 0);

	move_hw_ptr(f, 128);
	tell_hw_ptr(f);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 0, 512, 1);
}

/*
 * A writer that never moves appl_ptr: each frame is handed over while it is
 * between one and two periods ahead of hw_ptr, at two syncs a frame.
 */
static void playback_runs_free(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);
	struct snd_pcm_runtime *runtime = &f->runtime;
	snd_pcm_uframes_t hw_ptr;

	runtime->stop_threshold = runtime->boundary;
	snd_pcm_dma_sync_start(&f->substream);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, 1024, 1);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 1024, BUFFER_BYTES, 0);

	forget(f);
	for (hw_ptr = 32; hw_ptr <= 1024; hw_ptr += 32)
		move_hw_ptr(f, hw_ptr);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, BUFFER_BYTES, 2);

	/* who only looks pays nothing */
	forget(f);
	move_hw_ptr(f, 1024);
	expect_nothing(test, f);
}

/* Who runs free but moves appl_ptr as others do pays as others do. */
static void playback_runs_free_commits(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);

	f->runtime.stop_threshold = f->runtime.boundary;
	move_appl_ptr(f, 256);
	snd_pcm_dma_sync_start(&f->substream);
	move_appl_ptr(f, 512);
	forget(f);
	move_hw_ptr(f, 384);
	move_hw_ptr(f, 640);
	tell_hw_ptr(f);
	expect_nothing(test, f);

	/* until it starts again */
	snd_pcm_dma_sync_start(&f->substream);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 2560, 3584, 1);
}

/* Who runs free but moves appl_ptr as others do pays no more than others. */
static void playback_runs_free_ahead(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);

	f->runtime.stop_threshold = f->runtime.boundary;
	move_appl_ptr(f, 511);
	forget(f);
	snd_pcm_dma_sync_start(&f->substream);
	move_hw_ptr(f, 255);
	expect_nothing(test, f);

	/* one period left: the next one is nobody's, from the frame on */
	move_hw_ptr(f, 384);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 1536,
		    2048 - snd_dma_sync_align(), 0);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 511 * 4, 2560, 1);
}

/* From where on a writer is served, to the frame. */
static void playback_runs_free_edges(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);
	struct snd_pcm_runtime *runtime = &f->runtime;
	snd_pcm_uframes_t last = snd_dma_sync_align() / 4 - 1;
	snd_pcm_uframes_t half = runtime->boundary / 2;

	/* with hw_ptr on the last frame of a line */
	runtime->stop_threshold = runtime->boundary;
	runtime->dma_sync_appl_ptr = last;
	f->status.hw_ptr = last;
	snd_pcm_dma_sync_start(&f->substream);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, last * 4, (last + 256) * 4,
		    1);

	/* appl_ptr as far ahead as can be, and one further: that is behind */
	forget(f);
	runtime->dma_sync_appl_ptr = last + half;
	snd_pcm_dma_sync_start(&f->substream);
	expect_nothing(test, f);
	KUNIT_EXPECT_EQ(test, runtime->dma_sync_appl_ptr, last + half);
	runtime->dma_sync_appl_ptr++;
	snd_pcm_dma_sync_start(&f->substream);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, last * 4, (last + 256) * 4,
		    1);
	KUNIT_EXPECT_EQ(test, runtime->dma_sync_appl_ptr,
			runtime->boundary + last - 1024);

	/* a lap behind, and less */
	runtime->dma_sync_appl_ptr++;
	snd_pcm_dma_sync_start(&f->substream);
	KUNIT_EXPECT_EQ(test, runtime->dma_sync_appl_ptr,
			runtime->boundary + last - 1023);

	/* a period that is the whole buffer: no more than a lap */
	forget(f);
	runtime->period_size = runtime->buffer_size;
	f->status.hw_ptr = 0;
	runtime->dma_sync_appl_ptr = 512;
	snd_pcm_dma_sync_start(&f->substream);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, 2048, 0);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 2048, BUFFER_BYTES, 1);
}

static void expect_look(struct kunit *test, struct fake *f, bool ahead,
			bool runs_free)
{
	KUNIT_EXPECT_EQ(test, f->runtime.look_ahead, ahead);
	KUNIT_EXPECT_EQ(test, f->runtime.dma_sync_free, runs_free);
}

/* Who moves appl_ptr late has all handed over that it passes then. */
static void playback_runs_free_late(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);

	f->runtime.stop_threshold = f->runtime.boundary;
	snd_pcm_dma_sync_start(&f->substream);
	move_hw_ptr(f, 128);
	forget(f);
	move_appl_ptr(f, 1024);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, BUFFER_BYTES, 1);
}

/* So is it by one who stalls for some laps, and then commits what is due. */
static void playback_runs_free_stalled(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);
	snd_pcm_uframes_t hw_ptr;

	f->runtime.stop_threshold = f->runtime.boundary;
	move_appl_ptr(f, 1024);
	snd_pcm_dma_sync_start(&f->substream);
	for (hw_ptr = 128; hw_ptr <= 4 * 1024; hw_ptr += 128)
		move_hw_ptr(f, hw_ptr);
	forget(f);
	move_appl_ptr(f, 1024 + 256);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, 1024, 1);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 1024, BUFFER_BYTES, 0);
}

/* There is work at a period for playback that may run free, or with silence. */
static void playback_looks_ahead(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);
	struct fake *c = stereo(test, SNDRV_PCM_STREAM_CAPTURE);
	struct snd_pcm_runtime *runtime = &f->runtime;

	c->runtime.stop_threshold = c->runtime.boundary;
	snd_pcm_dma_sync_start(&c->substream);
	expect_look(test, c, false, false);
	expect_nothing(test, c);

	snd_pcm_dma_sync_start(&f->substream);
	expect_look(test, f, false, false);
	expect_nothing(test, f);

	runtime->stop_threshold++;
	snd_pcm_look_ahead(&f->substream, true);
	expect_look(test, f, true, true);
	move_appl_ptr(f, 256);
	expect_look(test, f, false, false);
	runtime->silence_size = 1;
	snd_pcm_look_ahead(&f->substream, true);
	move_appl_ptr(f, 512);
	expect_look(test, f, true, false);
	snd_pcm_dma_sync_start(&f->substream);
	expect_look(test, f, true, true);

	runtime->hw.info = 0;
	snd_pcm_look_ahead(&f->substream, true);
	expect_look(test, f, true, false);
	runtime->silence_size = 0;
	snd_pcm_look_ahead(&f->substream, true);
	expect_look(test, f, false, false);
}

/* Capture: what hw_ptr reveals comes to the CPU, once, and nothing else. */
static void capture_advance(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_CAPTURE);

	capture_up_to(f, 256);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 0, 1024, 1);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 1024, BUFFER_BYTES, 0);
	KUNIT_EXPECT_EQ(test, f->notes[SNDRV_DMA_SYNC_DEVICE].calls, 0u);

	/* if somebody wrote there, see capture_written() */
	forget(f);
	f->runtime.dma_sync_written = false;
	move_appl_ptr(f, 256);
	expect_nothing(test, f);
}

static int copy_user(struct snd_pcm_substream *substream, int channel,
		     unsigned long pos, void __user *buf, unsigned long bytes)
{
	return 0;
}

static int copy_kernel(struct snd_pcm_substream *substream, int channel,
		       unsigned long pos, void *buf, unsigned long bytes)
{
	return 0;
}

/* Only who knows how a driver copies knows that it does not write. */
static void capture_copied(struct kunit *test)
{
	static const struct snd_pcm_ops ops[] = {
		{ .copy_user = copy_user }, { .copy_kernel = copy_kernel },
	};
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_CAPTURE);
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(ops); i++) {
		f->runtime.dma_sync_written = false;
		f->substream.ops = &ops[i];
		snd_pcm_dma_sync_new_buffer(&f->substream);
		forget(f);
		move_appl_ptr(f, (i + 1) * 256);
		expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, i * 1024,
			    (i + 1) * 1024, 1);
		snd_pcm_dma_sync_reset(&f->substream);
		KUNIT_EXPECT_EQ(test, counted(f, SNDRV_DMA_SYNC_DEVICE),
				(size_t)1024 + BUFFER_BYTES);
	}
}

/* An interrupt moves hw_ptr; only who asks for it pays, and once. */
static void capture_told(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_CAPTURE);

	move_hw_ptr(f, 128);
	move_hw_ptr(f, 256);
	expect_nothing(test, f);

	tell_hw_ptr(f);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 0, 1024, 1);
	tell_hw_ptr(f);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 0, 1024, 1);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 1024, BUFFER_BYTES, 0);
}

/* What nobody asked for in time is over; a lap is all there is. */
static void capture_laps(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_CAPTURE);

	capture_up_to(f, 3 * 1024 + 32);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 0, BUFFER_BYTES, 1);
}

/* So does what was captured over the boundary come to the CPU. */
static void capture_boundary(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_CAPTURE);

	capture_up_to(f, f->runtime.boundary - 128);
	forget(f);
	capture_up_to(f, 64);
	KUNIT_EXPECT_EQ(test, f->notes[SNDRV_DMA_SYNC_CPU].bytes, 192 * 4ul);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 0, 256, 1);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 3584, BUFFER_BYTES, 1);
}

/* So it is for what was captured. */
static void capture_unlocked(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_CAPTURE);
	struct notes *cpu = &f->notes[SNDRV_DMA_SYNC_CPU];

	capture_up_to(f, 1024);
	KUNIT_EXPECT_EQ(test, cpu->bytes, (size_t)BUFFER_BYTES);
	KUNIT_EXPECT_EQ(test, cpu->irqoff_bytes, (size_t)0);
	capture_up_to(f, 1024 + 16);
	KUNIT_EXPECT_EQ(test, cpu->irqoff_bytes, (size_t)0);
}

static void commit_once(struct fake *f)
{
	f->meanwhile = NULL;
	f->control.appl_ptr = 256;
}

/* Who finds that somebody else has moved appl_ptr meanwhile has to try again. */
static void playback_moved_meanwhile(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);
	struct snd_pcm_substream *substream = &f->substream;

	snd_pcm_stream_lock_irq(substream);
	f->meanwhile = commit_once;
	KUNIT_EXPECT_EQ(test, snd_pcm_dma_sync_appl_ptr(substream, 128), 1);
	KUNIT_EXPECT_EQ(test, f->runtime.dma_sync_appl_ptr, 0ul);
	KUNIT_EXPECT_EQ(test, snd_pcm_dma_sync_appl_ptr(substream, 384), 0);
	snd_pcm_stream_unlock_irq(substream);
}

static void go_on_once(struct fake *f)
{
	f->meanwhile = NULL;
	move_hw_ptr(f, 576);
}

/* hw_ptr may move during a sync; what is told is what was synced. */
static void capture_moved_meanwhile(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_CAPTURE);

	f->meanwhile = go_on_once;
	capture_up_to(f, 512);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 0, 2304, 1);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 2304, BUFFER_BYTES, 0);
}

static void overtake_once(struct fake *f)
{
	f->meanwhile = NULL;
	f->status.hw_ptr = 768;
	f->runtime.dma_sync_hw_ptr = 768;
}

/* What another thread has asked for meanwhile is not synced again. */
static void capture_told_meanwhile(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_CAPTURE);

	f->meanwhile = overtake_once;
	capture_up_to(f, 512);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 0, 2048, 1);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 2048, BUFFER_BYTES, 0);
	KUNIT_EXPECT_EQ(test, f->runtime.dma_sync_hw_ptr, 768ul);
}

/* The line that hw_ptr cuts was fetched too early; it is dropped again. */
static void capture_cut_line(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_CAPTURE);
	size_t line = snd_dma_sync_align();

	capture_up_to(f, 4);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 0, line, 1);
	capture_up_to(f, 8);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 0, line, 2);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, line, BUFFER_BYTES, 0);
}

/*
 * A capture buffer that somebody writes to goes back to the device as appl_ptr
 * advances, but for the line that the pointer cuts.
 */
static void capture_written(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_CAPTURE);

	capture_up_to(f, 512);
	forget(f);
	move_appl_ptr(f, 4);
	move_appl_ptr(f, 8);
	expect_nothing(test, f);
	move_appl_ptr(f, 256 + 4);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, 1024, 1);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 1024, BUFFER_BYTES, 0);

	/* and comes to the CPU again where it rewinds */
	forget(f);
	move_appl_ptr(f, 128);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 0, 512, 0);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 512, 1024, 1);
	expect_span(test, f, SNDRV_DMA_SYNC_CPU, 1024, BUFFER_BYTES, 0);
	KUNIT_EXPECT_EQ(test, f->notes[SNDRV_DMA_SYNC_DEVICE].calls, 0u);
}

/* The end of the ring cuts a line, too, but behind it is nobody's. */
static void capture_ring_end(struct kunit *test)
{
	struct fake *f = fake_stream(test, SNDRV_PCM_STREAM_CAPTURE,
				     SNDRV_PCM_ACCESS_MMAP_INTERLEAVED, 3, 24);

	capture_up_to(f, f->runtime.buffer_size);
	move_appl_ptr(f, f->runtime.buffer_size);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0,
		    f->runtime.buffer_size * 9, 1);
}

/* So is the silence that the core wrote, to the frame. */
static void silence(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);
	size_t line = snd_dma_sync_align();

	snd_pcm_dma_sync_silence(&f->substream, line / 4 - 1, 2);
	KUNIT_EXPECT_EQ(test, counted(f, SNDRV_DMA_SYNC_DEVICE), (size_t)8);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, 2 * line, 1);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 2 * line, BUFFER_BYTES, 0);
	KUNIT_EXPECT_EQ(test, f->notes[SNDRV_DMA_SYNC_CPU].calls, 0u);
}

/* What hw_params wrote is handed over, whatever the direction. */
static void new_buffer(struct kunit *test)
{
	struct fake *f;
	int stream;

	for (stream = 0; stream <= SNDRV_PCM_STREAM_LAST; stream++) {
		f = stereo(test, stream);
		snd_pcm_dma_sync_new_buffer(&f->substream);
		expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, BUFFER_BYTES, 1);
		KUNIT_EXPECT_EQ(test, counted(f, SNDRV_DMA_SYNC_DEVICE),
				(size_t)BUFFER_BYTES);
		KUNIT_EXPECT_EQ(test, f->notes[SNDRV_DMA_SYNC_CPU].calls, 0u);
	}
}

/*
 * Before a capture stream starts again, all that user space may have written
 * is handed over.
 */
static void reset(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_CAPTURE);

	snd_pcm_dma_sync_reset(&f->substream);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, BUFFER_BYTES, 1);
	KUNIT_EXPECT_EQ(test, f->notes[SNDRV_DMA_SYNC_CPU].calls, 0u);

	forget(f);
	f->runtime.dma_sync_written = false;
	snd_pcm_dma_sync_reset(&f->substream);
	expect_nothing(test, f);

	f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);
	snd_pcm_dma_sync_reset(&f->substream);
	expect_nothing(test, f);

	/* what was captured before is nobody's, but for the line that is cut */
	f = stereo(test, SNDRV_PCM_STREAM_CAPTURE);
	move_hw_ptr(f, 512);
	reset_pointers(f);
	KUNIT_EXPECT_EQ(test, f->runtime.dma_sync_appl_ptr, 512ul);
	forget(f);
	tell_hw_ptr(f);
	KUNIT_EXPECT_EQ(test, counted(f, SNDRV_DMA_SYNC_CPU), (size_t)4);
	KUNIT_EXPECT_EQ(test, counted(f, SNDRV_DMA_SYNC_DEVICE), (size_t)0);
	f->status.hw_ptr = 0;
	reset_pointers(f);
	forget(f);
	tell_hw_ptr(f);
	expect_nothing(test, f);
}

/* Unless it is gone back to: then it comes to the CPU, to the last frame. */
static void reset_rewind(struct kunit *test)
{
	struct fake *f;
	int written;

	for (written = 0; written < 2; written++) {
		f = stereo(test, SNDRV_PCM_STREAM_CAPTURE);
		f->runtime.dma_sync_written = written;
		move_hw_ptr(f, 516);
		reset_pointers(f);
		forget(f);
		tell_hw_ptr(f);
		move_appl_ptr(f, 256);
		expect_span(test, f, SNDRV_DMA_SYNC_CPU, 0, 1024, 0);
		expect_span(test, f, SNDRV_DMA_SYNC_CPU, 1024, 2048, 1);
		/* the line that is cut was handed over when hw_ptr was told */
		KUNIT_EXPECT_GE(test, f->notes[SNDRV_DMA_SYNC_CPU].count[2063],
				(u8)1);
		KUNIT_EXPECT_EQ(test, f->notes[SNDRV_DMA_SYNC_DEVICE].calls, 0u);
	}
}

/* A driver that forgets the flag is told off, and served nevertheless. */
static void flag_forgotten(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);

	f->runtime.hw.info = 0;
	snd_pcm_dma_sync_new_buffer(&f->substream);
	KUNIT_EXPECT_TRUE(test, snd_pcm_needs_sync(&f->substream));
	forget(f);
	move_appl_ptr(f, 128);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, 512, 1);
}

/* Non-interleaved: the same frames in the ring of each channel. */
static void noninterleaved(struct kunit *test)
{
	static const snd_pcm_access_t access[] = {
		SNDRV_PCM_ACCESS_MMAP_NONINTERLEAVED,
		SNDRV_PCM_ACCESS_RW_NONINTERLEAVED,
	};
	struct fake *f;
	unsigned int c;
	int i;

	for (i = 0; i < ARRAY_SIZE(access); i++) {
		f = fake_stream(test, SNDRV_PCM_STREAM_CAPTURE, access[i], 4,
				16);
		capture_up_to(f, 480);
		forget(f);
		capture_up_to(f, 512 + 64);
		KUNIT_EXPECT_EQ(test, counted(f, SNDRV_DMA_SYNC_CPU),
				(size_t)96 * 8);
		for (c = 0; c < 4; c++) {
			size_t ring = c * 1024;

			expect_span(test, f, SNDRV_DMA_SYNC_CPU, ring,
				    ring + 128, 1);
			expect_span(test, f, SNDRV_DMA_SYNC_CPU, ring + 128,
				    ring + 896, 0);
			expect_span(test, f, SNDRV_DMA_SYNC_CPU, ring + 960,
				    ring + 1024, 1);
		}
	}
}

/* Frames of half a byte: the byte that a pointer cuts belongs to the range. */
static void half_bytes(struct kunit *test)
{
	struct fake *f = fake_stream(test, SNDRV_PCM_STREAM_PLAYBACK,
				     SNDRV_PCM_ACCESS_MMAP_INTERLEAVED, 1, 4);
	size_t line = snd_dma_sync_align();

	move_appl_ptr(f, 2 * line + 1);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 0, 2 * line, 1);
	expect_span(test, f, SNDRV_DMA_SYNC_DEVICE, 2 * line, BUFFER_BYTES, 0);

	forget(f);
	move_appl_ptr(f, 2 * line + 1);
	expect_nothing(test, f);
}

/* A stream that needs no sync is left alone, whatever moves. */
static void coherent(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);

	f->dmab.dev.need_sync = false;
	f->runtime.hw.info = 0;
	f->runtime.stop_threshold = f->runtime.boundary;
	move_appl_ptr(f, 512);
	move_hw_ptr(f, 1024);
	snd_pcm_dma_sync_silence(&f->substream, 0, 64);
	snd_pcm_dma_sync_new_buffer(&f->substream);
	snd_pcm_dma_sync_reset(&f->substream);
	snd_pcm_dma_sync_start(&f->substream);
	expect_nothing(test, f);
	KUNIT_EXPECT_EQ(test, f->runtime.hw.info, 0u);
}

/*
 * Whatever the steps: playback is handed over completely, in order, and never
 * more than the frames plus the lines that the steps cut.
 */
static void cost(struct kunit *test)
{
	static const unsigned int steps[] = { 1, 3, 16, 64, 100, 1000, 1024 };
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		struct fake *f = stereo(test, SNDRV_PCM_STREAM_PLAYBACK);
		struct notes *dev = &f->notes[SNDRV_DMA_SYNC_DEVICE];
		snd_pcm_uframes_t ptr = 0;
		size_t frames = 0;

		for (n = 0; n < 100; n++) {
			ptr = (ptr + steps[i]) % f->runtime.boundary;
			move_appl_ptr(f, ptr);
			move_hw_ptr(f, ptr);
			frames += steps[i];
		}
		KUNIT_EXPECT_EQ(test, counted(f, SNDRV_DMA_SYNC_DEVICE),
				frames * 4);
		KUNIT_EXPECT_GE(test, dev->bytes, frames * 4);
		KUNIT_EXPECT_LE(test, dev->bytes,
				frames * 4 + dev->calls * ROUNDING);
		KUNIT_EXPECT_EQ(test, f->notes[SNDRV_DMA_SYNC_CPU].calls, 0u);
	}
}

/* A driver that syncs memory of its own sets the flag and has no buffer here */
static void no_buffer(struct kunit *test)
{
	struct fake *f = stereo(test, SNDRV_PCM_STREAM_CAPTURE);

	f->runtime.dma_buffer_p = NULL;
	snd_pcm_dma_sync_new_buffer(&f->substream);
	snd_pcm_dma_sync_reset(&f->substream);
	capture_up_to(f, 512);
	move_appl_ptr(f, 512);
	KUNIT_EXPECT_EQ(test, f->control.appl_ptr, 512ul);
	expect_nothing(test, f);
}

static struct kunit_case pcm_dma_sync_cases[] = {
	KUNIT_CASE(playback_advance),
	KUNIT_CASE(playback_wrap),
	KUNIT_CASE(playback_boundary),
	KUNIT_CASE(playback_laps),
	KUNIT_CASE(playback_half_way),
	KUNIT_CASE(playback_rewind),
	KUNIT_CASE(playback_unlocked),
	KUNIT_CASE(busy),
	KUNIT_CASE(busy_to_look),
	KUNIT_CASE(playback_runs_free),
	KUNIT_CASE(playback_runs_free_commits),
	KUNIT_CASE(playback_runs_free_ahead),
	KUNIT_CASE(playback_runs_free_edges),
	KUNIT_CASE(playback_runs_free_late),
	KUNIT_CASE(playback_runs_free_stalled),
	KUNIT_CASE(playback_looks_ahead),
	KUNIT_CASE(capture_advance),
	KUNIT_CASE(capture_copied),
	KUNIT_CASE(capture_told),
	KUNIT_CASE(capture_laps),
	KUNIT_CASE(capture_boundary),
	KUNIT_CASE(capture_unlocked),
	KUNIT_CASE(playback_moved_meanwhile),
	KUNIT_CASE(capture_moved_meanwhile),
	KUNIT_CASE(capture_told_meanwhile),
	KUNIT_CASE(capture_cut_line),
	KUNIT_CASE(capture_written),
	KUNIT_CASE(capture_ring_end),
	KUNIT_CASE(silence),
	KUNIT_CASE(new_buffer),
	KUNIT_CASE(reset),
	KUNIT_CASE(reset_rewind),
	KUNIT_CASE(flag_forgotten),
	KUNIT_CASE(noninterleaved),
	KUNIT_CASE(half_bytes),
	KUNIT_CASE(coherent),
	KUNIT_CASE(no_buffer),
	KUNIT_CASE(cost),
	{}
};

static struct kunit_suite pcm_dma_sync_suite = {
	.name = "pcm_dma_sync",
	.test_cases = pcm_dma_sync_cases,
};

kunit_test_suite(pcm_dma_sync_suite);

MODULE_DESCRIPTION("KUnit tests of the ownership rule for PCM buffers");
MODULE_LICENSE("GPL");
