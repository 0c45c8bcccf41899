/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Random operations on PCM streams, and a model of what they have to do
 *
 * pcm-fuzz-model.c carries operations out and compares what happens with the
 * model; pcm-fuzz-make.c makes them up; pcm-fuzz.c runs sequences of them.
 */
#ifndef PCM_FUZZ_H
#define PCM_FUZZ_H

#include "../pcm-util.h"

#define FUZZ_STREAMS	2	/* by SNDRV_PCM_STREAM_* */
#define FUZZ_ARGS	6
#define FUZZ_MAPS	4

/*
 * Operations by their names, with what the arguments are. Frames, bytes and
 * pages are numbers; -1 stands for the boundary, where that makes sense.
 */
enum fuzz_what {
	FUZZ_OPEN,
	FUZZ_CLOSE,
	FUZZ_CLOSE_MAPPED,	/* the file before its maps */
	FUZZ_UNPLUG,		/* the card, with its streams open; plug it again */
	FUZZ_HW_REFINE,		/* as hw_params; 0 leaves open */
	FUZZ_HW_PARAMS,		/* access format channels rate period periods */
	FUZZ_HW_FREE,
	FUZZ_SW_PARAMS,		/* start stop silence_threshold silence_size avail_min tstamp_mode */
	FUZZ_STATUS,
	FUZZ_STATUS_EXT,
	FUZZ_DELAY,
	FUZZ_HWSYNC,
	FUZZ_SYNC_PTR,		/* flags, by how much, from enum fuzz_from, avail_min */
	FUZZ_PREPARE,
	FUZZ_RESET,
	FUZZ_START,
	FUZZ_DROP,
	FUZZ_DRAIN,
	FUZZ_PAUSE,		/* 1 or 0 */
	FUZZ_REWIND,		/* frames */
	FUZZ_FORWARD,		/* frames */
	FUZZ_XFER,		/* enum fuzz_call, frames, enum fuzz_memory */
	FUZZ_LINK,		/* enum fuzz_other */
	FUZZ_UNLINK,
	FUZZ_XRUN,
	FUZZ_RESUME,
	FUZZ_TTSTAMP,		/* type */
	FUZZ_CHANNEL_INFO,	/* channel */
	FUZZ_USER_PVERSION,	/* version */
	FUZZ_FAULT,		/* which of the calls that take a pointer */
	FUZZ_UNKNOWN,		/* number of the ioctl */
	FUZZ_POLL,
	FUZZ_MAP,		/* offset, bytes, PROT_*, for good */
	FUZZ_UNMAP,		/* which */
	FUZZ_REMAP,		/* to so many bytes more */
	FUZZ_PUT,		/* frames: write them in the map, tell appl_ptr */
	FUZZ_GET,		/* frames: compare them in the map, tell appl_ptr */
	FUZZ_JUNK,		/* from appl_ptr, frames: written, but not given */
	FUZZ_SCRIBBLE,		/* a line of a captured buffer */
	FUZZ_FORK,		/* a child sees the same */
	FUZZ_NAP,		/* microseconds */
	FUZZ_CHECK,		/* the counters of the card */
	FUZZ_KINDS,
};

enum fuzz_from { FROM_APPL_PTR, FROM_HW_PTR, FROM_BOUNDARY, FROM_KINDS };
enum fuzz_call { CALL_WRITEI, CALL_READI, CALL_WRITEN, CALL_READN, CALL_KINDS };
enum fuzz_memory { MEMORY_GOOD, MEMORY_NULL, MEMORY_BAD, MEMORY_KINDS };
enum fuzz_other { OTHER_STREAM, OTHER_SELF, OTHER_FILE, OTHER_CLOSED, OTHER_KINDS };

struct fuzz_op {
	unsigned char what;
	unsigned char stream;
	long arg[FUZZ_ARGS];
};

extern const char *const fuzz_names[FUZZ_KINDS];
extern const unsigned char fuzz_args[FUZZ_KINDS];

/* what the kernel says of a stream */
struct fuzz_now {
	int state;
	unsigned long appl_ptr;
	unsigned long hw_ptr;
	unsigned long avail_min;
};

/**
 * struct fuzz_map - a mapping of a part of the buffer
 * @at: where, or NULL
 * @bytes: how long
 * @offset: of the buffer
 */
struct fuzz_map {
	unsigned char *at;
	size_t bytes;
	size_t offset;
};

/**
 * struct fuzz_stream - what the model knows of a stream
 * @pcm: its file, its setup and its main map
 * @now: as last seen
 * @before: as seen before the operation
 * @opened: whether it is
 * @configured: hw_params succeeded once
 * @access: SNDRV_PCM_ACCESS_*
 * @start: start_threshold
 * @stop: stop_threshold
 * @silence: silence_size
 * @shadow: what the CPU has to see in the buffer, up to the end of the page
 * @areas: the channels in it
 * @known: for each frame, whether the model knows
 * @fresh: nothing was captured since hw_params cleared the buffer
 * @base: number of the frame at which the pointers are 0
 * @ahead: it was reset while it stood: the device is where it was, and hw_ptr,
 *	until it moves, says nothing of that
 * @scribbled: the application wrote where frames were captured
 * @lost: what is captured is not known until it is prepared again: it was reset
 *	in nobody knows which lap, or the device overran what was scribbled
 * @zero: frames that the device had moved when the stream was prepared
 * @wrong: frames that it had found wrong, with good reason
 * @tainted: the application itself gave wrong frames, or pointers that make no
 *	sense: what is played does not count until it is prepared again
 * @maps: further maps
 */
struct fuzz_stream {
	struct pcm pcm;
	struct fuzz_now now, before;
	bool opened;
	bool configured;
	int access;
	unsigned long start;
	unsigned long stop;
	unsigned long silence;
	unsigned char *shadow;
	struct pcm_area areas[PCM_CHANNELS_MAX];
	unsigned char *known;
	bool fresh;
	uint32_t base;
	bool ahead;
	bool scribbled;
	bool lost;
	unsigned long long zero;
	unsigned long long wrong;
	bool tainted;
	struct fuzz_map maps[FUZZ_MAPS];
};

/* the card, as its parameters describe it */
struct fuzz_card {
	int number;
	int device;
	unsigned long line;
	unsigned long buffer_max;
	bool needs_sync;
	bool ack;
	bool nonatomic;
	bool pattern;
};

extern struct fuzz_card fuzz_card;
extern __thread struct fuzz_stream fuzz_streams[FUZZ_STREAMS];
extern bool fuzz_linked;
extern bool fuzz_racing;	/* others use the streams: results say nothing */

/* says what is not as it should be; does not return */
extern void (*fuzz_on_divergence)(const char *why);

/* pcm-fuzz-model.c */
void fuzz_begin(void);
long fuzz_do(const struct fuzz_op *op);
void fuzz_end(void);
void fuzz_unmap(struct fuzz_stream *s);
unsigned long fuzz_avail(const struct fuzz_stream *s);
bool fuzz_is_mmap(const struct fuzz_stream *s);
extern const char *const fuzz_states[];

/* pcm-fuzz-make.c */
void fuzz_seed(uint32_t seed);
uint32_t fuzz_random(uint32_t below);
void fuzz_make(struct fuzz_op *op);

#endif /* PCM_FUZZ_H */
