/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 *  Virtual sound card on modelled non-coherent memory
 */

#ifndef __SOUND_DMATEST_H
#define __SOUND_DMATEST_H

#include <linux/hrtimer.h>
#include <linux/kfifo.h>
#include <linux/ktime.h>
#include <linux/prandom.h>
#include <linux/spinlock.h>
#include <linux/types.h>
#include <linux/workqueue.h>
#include <sound/core.h>
#include <sound/memalloc.h>
#include <sound/pcm.h>

#include "dmatest_mem.h"

struct platform_device;

#define DMATEST_MAX_SUBSTREAMS	8
#define DMATEST_MAX_CHANNELS	8
#define DMATEST_MAX_SPEED	1000
#define DMATEST_MAX_BUFFER	SZ_16M
#define DMATEST_RATE_MAX	768000

/* The device moves so many frames in one go */
#define DMATEST_BURST_FRAMES	128
#define DMATEST_BURST_SAMPLES	(DMATEST_BURST_FRAMES * DMATEST_MAX_CHANNELS)

/*
 * The PCM core gives up reading or writing after so long. By itself it goes by
 * the rate, which says nothing with speed=0: 100 ms, and a host that is busy may
 * keep a virtual CPU waiting for longer.
 */
#define DMATEST_WAIT_MS		(10 * MSEC_PER_SEC)

/* The samples that a loop can hold until capture takes them */
#define DMATEST_LOOP_SAMPLES	SZ_256K

/**
 * struct dmatest_format - a sample format as the device handles it
 * @format: its name
 * @bits: bits from one sample to the next
 * @width: the lower bits of them that matter
 */
struct dmatest_format {
	snd_pcm_format_t format;
	unsigned int bits;
	unsigned int width;
};

/**
 * struct dmatest_loop - the wire from playback to capture
 * @lock: for what follows
 * @fifo: the samples under way, frame by frame
 * @samples: where they are
 * @format: their format
 * @channels: samples in a frame
 * @lost: frames that nobody had captured before there were too many
 * @hold: an empty one gives nothing until there are so many frames
 * @flows: there have been
 */
struct dmatest_loop {
	spinlock_t lock;		/* for what follows */
	DECLARE_KFIFO_PTR(fifo, u32);
	u32 *samples;
	snd_pcm_format_t format;
	unsigned int channels;
	u64 lost;
	unsigned int hold;
	bool flows;
};

/**
 * struct dmatest_stream_stats - what the device did with a stream
 * @frames: frames that it moved
 * @elapsed_ns: nanoseconds that snd_pcm_period_elapsed() took, the last time
 * @wrong: frames that it played and that were not those of the pattern
 * @first_wrong: which of them was the first, or -1
 * @ungiven: frames that it played before the CPU had given them: an underrun,
 *	or the silence after the end; they are not compared
 * @silence: frames of silence that it captured as there were no others
 */
struct dmatest_stream_stats {
	u64 frames;
	u64 elapsed_ns;
	u64 wrong;
	s64 first_wrong;
	u64 ungiven;
	u64 silence;
};

/**
 * struct dmatest_stream - a DMA engine of the device
 * @card: the card
 * @substream: whom it serves, while open
 * @loop: the wire to or from its opposite; unused with a pattern
 * @sync: syncs of its buffers
 * @own: its buffer, if the driver has one of its own
 * @timer: when the device next does something
 * @work: does it, if the PCM is nonatomic
 * @period_elapsed: whom it tells at the end of each period
 * @format: format of a sample
 * @interleaved: whether a frame's samples lie side by side
 * @pages: the device's address of each page of the buffer; NULL if the device
 *	has no addresses, and the CPU moves the samples for it
 * @ahead: what a device that reads ahead has fetched, laid out as the buffer
 * @acked: up to where it has
 * @lock: for what follows
 * @stats: counters
 * @running: whether it moves frames
 * @clock: the time at which it was where it is now
 * @rest: fraction of a nanosecond in @clock
 * @ring: where it is in the buffer, in frames
 * @to_go: frames to the end of the period
 * @frame: frames since it was prepared
 * @rnd: when to look at the clock between the ends of periods
 * @samples: the frames that it is moving
 * @bytes: the same as they are in memory
 */
struct dmatest_stream {
	struct dmatest *card;
	struct snd_pcm_substream *substream;
	struct dmatest_loop *loop;
	struct dmatest_sync_stats sync;
	struct snd_dma_buffer own;

	struct hrtimer timer;
	struct work_struct work;
	void (*period_elapsed)(struct dmatest_stream *s);

	const struct dmatest_format *format;
	bool interleaved;
	dma_addr_t *pages;
	u8 *ahead;
	snd_pcm_uframes_t acked;

	spinlock_t lock;		/* for what follows */
	struct dmatest_stream_stats stats;
	bool running;
	ktime_t clock;
	u32 rest;
	snd_pcm_uframes_t ring;
	snd_pcm_uframes_t to_go;
	u64 frame;
	struct rnd_state rnd;
	u32 samples[DMATEST_BURST_SAMPLES];
	u8 bytes[DMATEST_BURST_SAMPLES * sizeof(u32)];
};

/**
 * struct dmatest_config - a card as its parameters describe it
 * @type: SNDRV_DMA_TYPE_* of the buffers
 * @prealloc: bytes allocated for each buffer beforehand, or 0
 * @buffer_max: bytes that a buffer may have
 * @substreams: number of substreams in each direction
 * @speed: frames move so many times faster than the rate says; 0 for as fast
 *	as the application goes
 * @pattern: capture makes the pattern and playback checks it; if not, capture
 *	gets what playback took
 * @own: the driver has a buffer of its own for each stream, of @prealloc bytes
 * @nonatomic: run in a workqueue, as a card on a slow bus
 * @ack: read ahead as soon as the CPU gives frames
 * @dmaengine: the frames are moved by a DMA controller, see dmatest_soc.c
 * @mem: the memory
 */
struct dmatest_config {
	int type;
	size_t prealloc;
	size_t buffer_max;
	unsigned int substreams;
	unsigned int speed;
	bool pattern;
	bool own;
	bool nonatomic;
	bool ack;
	bool dmaengine;
	struct dmatest_mem_config mem;
};

/**
 * struct dmatest - a card
 * @mem: memory as its device sees it
 * @card: the card
 * @config: what its parameters say
 * @stream: its DMA engines, by direction
 * @loop: its wires
 */
struct dmatest {
	struct dmatest_mem mem;
	struct snd_card *card;
	struct dmatest_config config;
	struct dmatest_stream *stream[2];
	struct dmatest_loop loop[DMATEST_MAX_SUBSTREAMS];
};

/* dmatest_pattern.c: samples and what they should be */
const struct dmatest_format *dmatest_find_format(snd_pcm_format_t format);
void dmatest_unpack(const struct dmatest_format *format, const u8 *bytes,
		    u32 *samples, unsigned int count, unsigned int stride);
void dmatest_pack(const struct dmatest_format *format, u8 *bytes,
		  const u32 *samples, unsigned int count, unsigned int stride);
void dmatest_pattern(const struct dmatest_format *format, u32 frame,
		     unsigned int channels, u32 *samples, unsigned int frames);
unsigned int dmatest_check(const struct dmatest_format *format, u32 frame,
			   unsigned int channels, const u32 *samples,
			   unsigned int frames, unsigned int *first);

/* dmatest_loop.c: from playback to capture */
int dmatest_loop_init(struct dmatest_loop *loop);
void dmatest_loop_free(struct dmatest_loop *loop);
void dmatest_loop_reset(struct dmatest_loop *loop);
u64 dmatest_loop_lost(struct dmatest_loop *loop);
void dmatest_loop_hold(struct dmatest_loop *loop, unsigned int frames);
void dmatest_loop_release(struct dmatest_loop *loop);
unsigned int dmatest_loop_frames(struct dmatest_loop *loop,
				 snd_pcm_format_t format,
				 unsigned int channels);
void dmatest_loop_put(struct dmatest_loop *loop, snd_pcm_format_t format,
		      unsigned int channels, const u32 *samples,
		      unsigned int frames);
unsigned int dmatest_loop_get(struct dmatest_loop *loop,
			      snd_pcm_format_t format, unsigned int channels,
			      u32 *samples, unsigned int frames);

/* dmatest_engine.c: the device */
void dmatest_engine_init(struct dmatest_stream *s, struct dmatest *card,
			 int direction, unsigned int number);
int dmatest_engine_setup(struct dmatest_stream *s,
			 struct snd_pcm_hw_params *params);
void dmatest_engine_set_address(struct dmatest_stream *s, dma_addr_t addr,
				size_t bytes);
void dmatest_engine_free(struct dmatest_stream *s);
void dmatest_engine_prepare(struct dmatest_stream *s);
void dmatest_engine_start(struct dmatest_stream *s);
void dmatest_engine_stop(struct dmatest_stream *s);
void dmatest_engine_sync_stop(struct dmatest_stream *s);
void dmatest_engine_ack(struct dmatest_stream *s);
void dmatest_engine_reset(struct dmatest_stream *s);
snd_pcm_uframes_t dmatest_engine_pointer(struct dmatest_stream *s);
void dmatest_engine_get_stats(struct dmatest_stream *s,
			      struct dmatest_stream_stats *stats);
void dmatest_engine_reset_stats(struct dmatest_stream *s);

/* dmatest_pcm.c: between the PCM core and the device */
int dmatest_pcm_new(struct dmatest *card);
void dmatest_pcm_free(struct dmatest *card);

/* dmatest_card.c: what all cards have */
int dmatest_create(struct dmatest *card, struct device *dev);
void dmatest_destroy(struct dmatest *card);
int dmatest_proc_new(struct dmatest *card);

/* dmatest_soc.c: a card with a DMA controller */
#ifdef CONFIG_SND_DMATEST_SOC
int dmatest_soc_probe(struct platform_device *pdev,
		      const struct dmatest_config *config);
#else
static inline int dmatest_soc_probe(struct platform_device *pdev,
				    const struct dmatest_config *config)
{
	return -ENODEV;
}
#endif

#endif /* __SOUND_DMATEST_H */
