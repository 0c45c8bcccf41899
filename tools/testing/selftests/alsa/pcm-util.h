/* SPDX-License-Identifier: GPL-2.0 */
/*
 * PCM streams by their raw ioctls, for tests
 *
 * There is no alsa-lib in between: a test says which ioctl is called, and the
 * same source, built for another ABI, tests the compat ioctls.
 *
 * What goes wrong in a helper ends the process by pcm_die(); it does not
 * return errors.
 */
#ifndef PCM_UTIL_H
#define PCM_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <linux/compiler.h>
#include <sound/asound.h>

/* the headers that this is built with may be older than the flag */
#ifndef SNDRV_PCM_INFO_EXPLICIT_SYNC
#define SNDRV_PCM_INFO_EXPLICIT_SYNC	0x10000000
#endif

#define PCM_CHANNELS_MAX	8

/* a sample format: bits from one sample to the next, bits that matter */
struct pcm_format {
	const char *name;
	snd_pcm_format_t format;
	unsigned int bits;
	unsigned int width;
};

extern const struct pcm_format pcm_formats[];
extern const unsigned int pcm_formats_count;

/* where the samples of a channel are, in bits from a byte */
struct pcm_area {
	unsigned char *base;
	size_t first;
	size_t step;
};

/*
 * what to ask hw_params for; sizes in frames, flags are
 * SNDRV_PCM_HW_PARAMS_*
 */
struct pcm_setup {
	const struct pcm_format *format;
	unsigned int channels;
	unsigned int rate;
	unsigned long period;
	unsigned long periods;
	unsigned int flags;
};

/*
 * what to ask sw_params for; sizes in frames, ~0UL stands for boundary, and an
 * avail_min of 0 for a period; tstamp for hw_ptr to have a time
 */
struct pcm_thresholds {
	unsigned long start;
	unsigned long stop;
	unsigned long silence;
	unsigned long silence_size;
	unsigned long avail_min;
	bool tstamp;
};

#define PCM_BOUNDARY	(~0UL)

/**
 * struct pcm - a stream
 * @fd: its file
 * @stream: SNDRV_PCM_STREAM_*
 * @setup: what hw_params set
 * @interleaved: whether a frame's samples lie side by side
 * @buffer: frames in the buffer
 * @bytes: bytes in the buffer
 * @boundary: where pointers wrap
 * @info: SNDRV_PCM_INFO_* of the chosen setup
 * @appl_ptr: as last told to the kernel or by it
 * @hw_ptr: as last told by the kernel
 * @state: as last told by the kernel
 * @map: the mapped buffer, or NULL
 * @map_bytes: its length
 * @ring: the channels in it
 */
struct pcm {
	int fd;
	int stream;
	struct pcm_setup setup;
	bool interleaved;
	unsigned long buffer;
	size_t bytes;
	unsigned long boundary;
	unsigned int info;
	unsigned long appl_ptr;
	unsigned long hw_ptr;
	int state;
	unsigned char *map;
	size_t map_bytes;
	struct pcm_area ring[PCM_CHANNELS_MAX];
};

/* called with the message when a helper fails; never returns */
extern void (*pcm_on_death)(const char *message);
void __noreturn __printf(1, 2) pcm_die(const char *format, ...);
int pcm_ioctl_may_fail(struct pcm *pcm, unsigned long request, void *arg);
void pcm_ioctl(struct pcm *pcm, unsigned long request, const char *name,
	       void *arg);
/* an ioctl by its name, whose failure is the end */
#define PCM_IOCTL(pcm, name, arg) \
	pcm_ioctl(pcm, SNDRV_PCM_IOCTL_##name, #name, arg)

/* cards, their parameters and their counters */
int card_find(const char *driver, unsigned int nth);
int card_device_number(int card);
void card_param(int card, const char *module, const char *name, char *value,
		size_t size);
void card_counters_reset(int card);
long long __printf(2, 3) card_counter(int card, const char *format, ...);

/* setting up */
bool pcm_open_try(struct pcm *pcm, int card, int stream, int flags);
void pcm_open(struct pcm *pcm, int card, int stream, int flags);
void pcm_close(struct pcm *pcm);
unsigned int pcm_info(struct pcm *pcm);
bool pcm_hw_params_try(struct pcm *pcm, snd_pcm_access_t access,
		       const struct pcm_setup *setup);
void pcm_hw_params(struct pcm *pcm, snd_pcm_access_t access,
		   const struct pcm_setup *setup);
void pcm_sw_params(struct pcm *pcm, const struct pcm_thresholds *thresholds);
void pcm_prepare(struct pcm *pcm);
bool pcm_mmap_try(struct pcm *pcm);
void pcm_mmap(struct pcm *pcm);
void pcm_munmap(struct pcm *pcm);

/* pointers */
int pcm_sync_ptr(struct pcm *pcm, unsigned int flags);
void pcm_status(struct pcm *pcm, unsigned long request);
void pcm_set_state(struct pcm *pcm);
bool pcm_wait(struct pcm *pcm, int timeout_ms);
unsigned long pcm_add(const struct pcm *pcm, unsigned long ptr, long frames);
unsigned long pcm_distance(const struct pcm *pcm, unsigned long from,
			   unsigned long to);
unsigned long pcm_avail(const struct pcm *pcm);

/* moving frames */
unsigned int pcm_align(const struct pcm *pcm);
size_t pcm_frames_to_bytes(const struct pcm *pcm, unsigned long frames);
void *pcm_stage(const struct pcm *pcm, unsigned long frames,
		struct pcm_area *areas);
long pcm_transfer(struct pcm *pcm, const struct pcm_area *areas,
		  unsigned long frames);

/* the pattern of the card, and what is not the pattern */
enum pcm_content { PCM_PATTERN, PCM_JUNK };

void pcm_fill(const struct pcm *pcm, const struct pcm_area *areas,
	      unsigned long ofs, uint32_t frame, unsigned long frames,
	      enum pcm_content content);
unsigned long pcm_check(const struct pcm *pcm, const struct pcm_area *areas,
			unsigned long ofs, uint32_t frame, unsigned long frames,
			long long *first);
unsigned long pcm_not_silent(const struct pcm *pcm,
			     const struct pcm_area *areas,
			     unsigned long frames);

#endif /* PCM_UTIL_H */
