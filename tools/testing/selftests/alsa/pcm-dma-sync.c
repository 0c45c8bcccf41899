// SPDX-License-Identifier: GPL-2.0
/*
 * pcm-dma-sync - does what an application plays reach the device, and what the
 * device captured the application, whichever way the application goes?
 *
 *	pcm-dma-sync [-u] [-n NOTE] [-s SETUP]... [CASE...]
 *
 * Needs the virtual card snd-dmatest, whose device has a view of the memory of
 * its own: what is not handed over by a sync does not get across. Runs each
 * CASE (a pattern for fnmatch, default: all) with each SETUP (default: base).
 * With the card's parameter "pattern" the card checks what is played and the
 * program checks what was captured; without it ("loop" cases) the program
 * captures what it played. With -u nothing is to need sync, as on a kernel
 * without CONFIG_SND_DMA_CACHED.
 *
 * A case passes if all frames are right, the device had no fault, and no more
 * was synced than the audio and what it takes to round it to cache lines.
 * Behind each result stands a line for programs to read, fields by tabs:
 *
 *	# data CASE TYPE ADVERSARY SETUP NOTE WRONG FRAMES BYTES DEVICE CPU WHY
 *
 * WRONG of FRAMES are not as they should be; DEVICE and CPU are the bytes in
 * the lines that were synced for either, for BYTES of audio; WHY is "ok", or
 * says why the case failed or, behind "skip: ", did not run.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest.h"
#include "pcm-util.h"

#define DRIVER	"dmatest"
#define MODULE	"snd_dmatest"

static unsigned long min(unsigned long a, unsigned long b)
{
	return a < b ? a : b;
}

/* nobody waits longer for the device than so many naps */
#define NAP_US		100
#define NAPS_MAX	10000

/* a case that hangs is ended after so many seconds */
#define CASE_SECONDS	120

/* the parameters of the card that cases depend on */
static struct {
	int number;
	char type[16];
	char adversary[16];
	unsigned long line;
	unsigned long buffer_max;
	bool coherent;
	bool pattern;
	bool ack;		/* the device reads ahead when appl_ptr moves */
	bool dmaengine;		/* a DMA controller moves the frames */
	bool unhurried;		/* the device waits for the application */
	bool needs_sync;
} card;

/* what a case found; shared with the process that it runs in */
static struct result {
	bool skipped;
	char why[200];
	unsigned long long wrong;
	unsigned long long frames;
	unsigned long long bytes;
	unsigned long long for_device;
	unsigned long long for_cpu;
} *result;

enum learn {
	BY_SYNC_PTR,		/* as snd_pcm_avail_update() does */
	BY_SYNC_PTR_HWSYNC,
	BY_STATUS,
	BY_STATUS_EXT,
	BY_DELAY,
	BY_HWSYNC,		/* and SYNC_PTR for the number */
	BY_POLL,		/* and SYNC_PTR for the number */
	BY_SIGIO,		/* and SYNC_PTR for the number */
	BY_COMMIT,		/* SYNC_PTR that also tells appl_ptr once more */
};

struct run;

/**
 * struct test_case - a way to move audio
 * @name: direction and way
 * @property: what has to be true
 * @access: how the buffer is used
 * @run: moves the frames
 * @learn: how hw_ptr gets known
 * @flags: what else
 */
struct test_case {
	const char *name;
	const char *property;
	snd_pcm_access_t access;
	void (*run)(struct run *r);
	enum learn learn;
	unsigned int flags;
#define NONBLOCK	0x001		/* opened with O_NONBLOCK */
#define LOOP		0x002		/* captures what was played */
#define UNHURRIED	0x004		/* needs a device that waits */
#define WHOLE_LINES	0x008		/* a period has to be whole lines */
#define MONO		0x010		/* only with one channel */
#define FREE_RUNNING	0x020		/* never moves appl_ptr, and may cost more */
#define COSTS_ANY	0x040		/* nobody knows how much is moved */
#define NO_STREAM	0x080		/* does its own setup */
#define CLOCKED		0x100		/* needs a device that does not wait */
#define READS_AHEAD	0x200		/* needs a device that reads ahead */
#define SYNCED		0x400		/* needs a buffer that is synced */
};

/**
 * struct run - a case at work
 * @c: the case
 * @setup: what is asked of hw_params
 * @pcm: the stream
 * @base: number of the frame at which the pointers are 0
 * @total: frames to move
 * @given: frames that appl_ptr went over
 * @taken_back: frames that it went back
 * @moves: ranges that were handed over by the application, at most
 * @looks: times that hw_ptr may have moved
 * @scribbled: the program has written to a capture buffer
 * @signals: SIGIOs that came
 * @rnd: random numbers, always the same
 * @wrong: frames that the program found to be wrong
 * @checked: of so many
 * @first: the first of them, or -1
 */
struct run {
	const struct test_case *c;
	const struct pcm_setup *setup;
	struct pcm pcm;
	uint32_t base;
	unsigned long total;
	unsigned long given;
	unsigned long taken_back;
	unsigned long moves;
	unsigned long looks;
	bool scribbled;
	unsigned long signals;
	uint32_t rnd;
	unsigned long wrong;
	unsigned long checked;
	long long first;
};

static const struct setup {
	const char *name;
	snd_pcm_format_t format;
	struct pcm_setup setup;
} setups[] = {
	/* whole lines and pages */
	{ "base", SNDRV_PCM_FORMAT_S16_LE, { NULL, 2, 48000, 256, 16 } },
	/* the same for a busy host: DRAIN waits the longer the lower the rate */
	{ "slow", SNDRV_PCM_FORMAT_S16_LE, { NULL, 2, 8000, 256, 16 } },
	/* 4 KiB in two periods, a byte per frame */
	{ "tiny", SNDRV_PCM_FORMAT_S8, { NULL, 1, 8000, 2048, 2 } },
	/* nothing is a power of two, pointers cut lines anywhere */
	{ "odd", SNDRV_PCM_FORMAT_S24_3LE, { NULL, 3, 44100, 99, 23 } },
	/* periods of 64 frames */
	{ "short", SNDRV_PCM_FORMAT_S16_LE, { NULL, 2, 48000, 64, 64 } },
	{ "mono", SNDRV_PCM_FORMAT_S16_LE, { NULL, 1, 48000, 512, 16 } },
	{ "float", SNDRV_PCM_FORMAT_FLOAT_LE, { NULL, 6, 96000, 341, 8 } },
	/* two samples in a byte */
	{ "adpcm", SNDRV_PCM_FORMAT_IMA_ADPCM, { NULL, 1, 22050, 1024, 16 } },
	{ "adpcm2", SNDRV_PCM_FORMAT_IMA_ADPCM, { NULL, 2, 22050, 510, 16 } },
	/* 256 KiB, 32 bytes per frame */
	{ "wide", SNDRV_PCM_FORMAT_S32_LE, { NULL, 8, 768000, 1024, 8 } },
	/* 4 MiB and 16 MiB */
	{ "large", SNDRV_PCM_FORMAT_S24_LE, { NULL, 4, 192000, 16384, 16 } },
	{ "huge", SNDRV_PCM_FORMAT_S32_LE, { NULL, 8, 192000, 32768, 16 } },
};

static bool is_playback(const struct run *r)
{
	return r->pcm.stream == SNDRV_PCM_STREAM_PLAYBACK;
}

static bool is_mmap(snd_pcm_access_t access)
{
	return access == SNDRV_PCM_ACCESS_MMAP_INTERLEAVED ||
	       access == SNDRV_PCM_ACCESS_MMAP_NONINTERLEAVED;
}

/* ends the case */
static void __noreturn __printf(1, 2) skip(const char *why, ...)
{
	va_list args;

	va_start(args, why);
	vsnprintf(result->why, sizeof(result->why), why, args);
	va_end(args);
	result->skipped = true;
	exit(0);
}

/* why the case fails; it goes on, as there may be more to say */
static void __printf(1, 2) blame(const char *why, ...)
{
	size_t len = strlen(result->why);
	va_list args;

	if (len && len < sizeof(result->why) - 2)
		len += sprintf(result->why + len, "; ");
	va_start(args, why);
	vsnprintf(result->why + len, sizeof(result->why) - len, why, args);
	va_end(args);
}

static void blame_and_exit(const char *message)
{
	blame("%s", message);
	exit(1);
}

static uint32_t random_number(struct run *r)
{
	r->rnd = r->rnd * 1664525 + 1013904223;
	return r->rnd >> 8;
}

/* number of the frame that is next */
static uint32_t next_frame(const struct run *r)
{
	return r->base + r->pcm.appl_ptr;
}

/* how much to move at a time: anything, so that pointers cut lines */
static unsigned long some_frames(struct run *r)
{
	unsigned int align = pcm_align(&r->pcm);
	unsigned long period = r->setup->period;
	unsigned long frames;

	if (r->c->flags & WHOLE_LINES || r->pcm.bytes > 1024 * 1024)
		return period;
	frames = 1 + random_number(r) % period;
	return min(period, (frames + align - 1) / align * align);
}

/*
 * Beginning
 */

static void ask_card(void)
{
	char value[32];

#define ASK(name)	card_param(card.number, MODULE, name, value, \
				   sizeof(value))
	card_param(card.number, MODULE, "type", card.type, sizeof(card.type));
	card_param(card.number, MODULE, "adversary", card.adversary,
		   sizeof(card.adversary));
	card.line = card_counter(card.number, "sync_unit");
	ASK("buffer_max");
	card.buffer_max = strtoul(value, NULL, 10) * 1024;
	ASK("prealloc");
	if (strcmp(value, "0"))		/* the core allows no more */
		card.buffer_max = strtoul(value, NULL, 10) * 1024;
	ASK("ack");
	card.ack = value[0] == 'Y';
	ASK("dmaengine");
	card.dmaengine = value[0] == 'Y';
	ASK("coherent");
	card.coherent = value[0] == 'Y';
	ASK("pattern");
	card.pattern = value[0] == 'Y';
	ASK("speed");
	card.unhurried = !strcmp(value, "0");
#undef ASK
	card.needs_sync = !card.coherent && (!strcmp(card.type, "noncontig") ||
					     !strcmp(card.type, "noncoherent"));
}

/* SIGIO is taken when it is waited for */
static void ask_for_sigio(struct pcm *pcm)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	if (sigprocmask(SIG_BLOCK, &set, NULL) < 0 ||
	    fcntl(pcm->fd, F_SETOWN, getpid()) < 0 ||
	    fcntl(pcm->fd, F_SETFL, fcntl(pcm->fd, F_GETFL) | O_ASYNC) < 0)
		pcm_die("SIGIO: %s", strerror(errno));
}

static void begin(struct run *r, int stream, snd_pcm_access_t access,
		  const struct pcm_thresholds *thresholds)
{
	struct pcm *pcm = &r->pcm;

	pcm_open(pcm, card.number, stream,
		 r->c->flags & NONBLOCK ? O_NONBLOCK : 0);
	pcm_hw_params(pcm, access, r->setup);
	pcm_sw_params(pcm, thresholds);
	if (is_mmap(access))
		pcm_mmap(pcm);

	if (r->c->learn == BY_SIGIO)
		ask_for_sigio(pcm);

	r->first = -1;
	r->base = 0;
	r->rnd = 1;
	r->total = pcm->bytes > 1024 * 1024 ? pcm->buffer + r->setup->period :
					      3 * pcm->buffer;
}

/* what was spent up to here is another matter */
static void prepare(struct run *r)
{
	pcm_prepare(&r->pcm);
	card_counters_reset(card.number);
}

static struct pcm_thresholds stop_when_empty(const struct run *r,
					     unsigned long start)
{
	struct pcm_thresholds t = {
		.start = start,
		.stop = r->setup->period * r->setup->periods,
	};

	return t;
}

/* the next frame is the first one again */
static void forget_moves(struct run *r)
{
	r->given = 0;
	r->moves = 0;
	r->looks = 0;
}

static void start(struct run *r)
{
	PCM_IOCTL(&r->pcm, START, NULL);
}

/*
 * Pointers
 */

/* the device may have nothing to tell, as it may wait for the application */
static void wait_sigio(struct run *r)
{
	static const struct timespec timeout = { .tv_nsec = 1000 * NAP_US };
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGIO);
	if (sigtimedwait(&set, NULL, &timeout) == SIGIO)
		r->signals++;
	else if (errno != EAGAIN)
		pcm_die("sigtimedwait: %s", strerror(errno));
}

static void learn(struct run *r, enum learn how)
{
	const unsigned int look = SNDRV_PCM_SYNC_PTR_APPL;
	struct pcm *pcm = &r->pcm;
	snd_pcm_sframes_t delay;
	int err = 0;

	r->looks++;
	switch (how) {
	case BY_SIGIO:
		wait_sigio(r);
		err = pcm_sync_ptr(pcm, look);
		break;
	case BY_POLL:
	case BY_SYNC_PTR:
		if (how == BY_POLL && !pcm_wait(pcm, 1000))
			pcm_die("poll: nothing within 1 s");
		err = pcm_sync_ptr(pcm, look);
		break;
	case BY_SYNC_PTR_HWSYNC:
		err = pcm_sync_ptr(pcm, look | SNDRV_PCM_SYNC_PTR_HWSYNC);
		break;
	case BY_STATUS:
		pcm_status(pcm, SNDRV_PCM_IOCTL_STATUS);
		break;
	case BY_STATUS_EXT:
		pcm_status(pcm, SNDRV_PCM_IOCTL_STATUS_EXT);
		break;
	case BY_DELAY:
		PCM_IOCTL(pcm, DELAY, &delay);
		pcm->hw_ptr = pcm_add(pcm, pcm->appl_ptr,
				      is_playback(r) ? -delay : delay);
		break;
	case BY_HWSYNC:
		PCM_IOCTL(pcm, HWSYNC, NULL);
		err = pcm_sync_ptr(pcm, look);
		break;
	case BY_COMMIT:
		err = pcm_sync_ptr(pcm, 0);
		break;
	}
	if (err < 0)
		pcm_die("SYNC_PTR: %s", strerror(-err));
	if (pcm->state == SNDRV_PCM_STATE_XRUN)
		pcm_die("xrun at frame %u", next_frame(r));
}

/* about half a period, in whole bytes */
static unsigned long half_period(const struct run *r)
{
	unsigned int align = pcm_align(&r->pcm);

	return r->setup->period / 2 / align * align;
}

static void wait_avail(struct run *r, unsigned long frames)
{
	unsigned int naps;

	for (naps = 0; naps < NAPS_MAX; naps++) {
		learn(r, r->c->learn);
		if (pcm_avail(&r->pcm) >= frames)
			return;
		if (r->c->learn != BY_POLL)
			usleep(NAP_US);
	}
	pcm_die("the device does not move: avail %lu, but not %lu",
		pcm_avail(&r->pcm), frames);
}

/* a playback device that waits has a period left, see period_is_given() */
static void wait_idle(struct run *r)
{
	wait_avail(r, r->pcm.buffer - r->setup->period);
}

static void account(struct run *r, unsigned long frames)
{
	r->given += frames;
	r->moves += 2 + frames / r->setup->period;	/* 2: around the end */
}

static void commit(struct run *r, unsigned long frames)
{
	int err;

	r->pcm.appl_ptr = pcm_add(&r->pcm, r->pcm.appl_ptr, frames);
	err = pcm_sync_ptr(&r->pcm, 0);
	if (err < 0)
		pcm_die("SYNC_PTR: %s", strerror(-err));
	r->looks++;
	account(r, frames);
}

static void rewind_frames(struct run *r, unsigned long frames)
{
	unsigned long before = r->pcm.appl_ptr;
	snd_pcm_uframes_t arg = frames;

	PCM_IOCTL(&r->pcm, REWIND, &arg);
	if (pcm_sync_ptr(&r->pcm, SNDRV_PCM_SYNC_PTR_APPL) < 0)
		pcm_die("SYNC_PTR after REWIND failed");
	if (pcm_distance(&r->pcm, r->pcm.appl_ptr, before) != frames)
		pcm_die("REWIND of %lu went from %lu to %lu", frames, before,
			r->pcm.appl_ptr);
	r->looks++;
	r->moves += 2;
	if (!is_playback(r))
		r->taken_back += frames;
}

static void forward_frames(struct run *r, unsigned long frames)
{
	unsigned long before = r->pcm.appl_ptr;
	snd_pcm_uframes_t arg = frames;

	PCM_IOCTL(&r->pcm, FORWARD, &arg);
	if (pcm_sync_ptr(&r->pcm, SNDRV_PCM_SYNC_PTR_APPL) < 0)
		pcm_die("SYNC_PTR after FORWARD failed");
	if (pcm_distance(&r->pcm, before, r->pcm.appl_ptr) != frames)
		pcm_die("FORWARD of %lu went from %lu to %lu", frames, before,
			r->pcm.appl_ptr);
	r->looks++;
	account(r, frames);
}

static void pause_stream(struct run *r, int push)
{
	if (ioctl(r->pcm.fd, SNDRV_PCM_IOCTL_PAUSE, push) < 0)
		pcm_die("PAUSE %d: %s", push, strerror(errno));
	learn(r, BY_SYNC_PTR);
}

static bool write_file(const char *path, const char *text)
{
	ssize_t length = strlen(text), written = -1;
	int fd = open(path, O_WRONLY);

	if (fd >= 0) {
		written = write(fd, text, length);
		close(fd);
	}
	return written == length;
}

/*
 * The whole system suspends its devices and resumes them, as far as it ever
 * gets in a test; the streams wait for RESUME then.
 */
static void sleep_and_wake(struct run *r)
{
	int err;

	if (card.dmaengine)
		skip("the virtual board has no driver that would suspend it");
	if (!write_file("/sys/power/pm_test", "devices"))
		skip("/sys/power/pm_test cannot be set: no CONFIG_PM_DEBUG?");
	write_file("/sys/module/suspend/parameters/pm_test_delay", "0");
	err = write_file("/sys/power/state", "freeze") ? 0 : errno;
	write_file("/sys/power/pm_test", "none");
	if (err)
		pcm_die("/sys/power/state: %s", strerror(err));
	if (pcm_sync_ptr(&r->pcm, SNDRV_PCM_SYNC_PTR_APPL) < 0)
		pcm_die("SYNC_PTR after a suspend failed");
	if (r->pcm.state != SNDRV_PCM_STATE_SUSPENDED)
		pcm_die("state %d after a suspend", r->pcm.state);
	r->looks++;
}

static void resume(struct run *r)
{
	PCM_IOCTL(&r->pcm, RESUME, NULL);
	learn(r, BY_SYNC_PTR);
	if (r->pcm.state != SNDRV_PCM_STATE_RUNNING)
		pcm_die("state %d after RESUME", r->pcm.state);
}

/*
 * Frames in the mapped buffer
 */

static void put_at(struct run *r, unsigned long ptr, unsigned long frames,
		   enum pcm_content content)
{
	unsigned long ofs = ptr % r->pcm.buffer;
	unsigned long first = min(frames, r->pcm.buffer - ofs);
	uint32_t frame = r->base + ptr;

	pcm_fill(&r->pcm, r->pcm.ring, ofs, frame, first, content);
	pcm_fill(&r->pcm, r->pcm.ring, 0, frame + first, frames - first,
		 content);
	r->scribbled = !is_playback(r);
}

static void put(struct run *r, unsigned long frames, enum pcm_content content)
{
	put_at(r, r->pcm.appl_ptr, frames, content);
}

static void check_at(struct run *r, unsigned long ptr, unsigned long frames)
{
	unsigned long ofs = ptr % r->pcm.buffer;
	unsigned long first = min(frames, r->pcm.buffer - ofs);
	uint32_t frame = r->base + ptr;

	r->wrong += pcm_check(&r->pcm, r->pcm.ring, ofs, frame, first,
			      &r->first);
	r->wrong += pcm_check(&r->pcm, r->pcm.ring, 0, frame + first,
			      frames - first, &r->first);
	r->checked += frames;
}

static void check(struct run *r, unsigned long frames)
{
	check_at(r, r->pcm.appl_ptr, frames);
}

/* the pattern, or the frames captured, through the mapped buffer */
static void map_frames(struct run *r, unsigned long frames)
{
	while (frames) {
		unsigned long n = min(frames, some_frames(r));

		wait_avail(r, n);
		if (is_playback(r))
			put(r, n, PCM_PATTERN);
		else
			check(r, n);
		commit(r, n);
		frames -= n;
	}
}

/* the same with write or read calls */
static void transfer_frames(struct run *r, unsigned long frames,
			    enum pcm_content content)
{
	struct pcm_area stage[PCM_CHANNELS_MAX];
	void *memory = pcm_stage(&r->pcm, r->setup->period, stage);
	long n;

	while (frames) {
		unsigned long want = min(frames, some_frames(r));

		if (is_playback(r))
			pcm_fill(&r->pcm, stage, 0, next_frame(r), want,
				 content);
		while ((n = pcm_transfer(&r->pcm, stage, want)) == -EAGAIN)
			if (!pcm_wait(&r->pcm, 1000))
				pcm_die("poll: nothing within 1 s");
		if (n <= 0)
			pcm_die("transfer of %lu frames: %s", want,
				n ? strerror(-n) : "nothing moved");
		if (!is_playback(r)) {
			r->wrong += pcm_check(&r->pcm, stage, 0, next_frame(r),
					      n, &r->first);
			r->checked += n;
		}
		r->pcm.appl_ptr = pcm_add(&r->pcm, r->pcm.appl_ptr, n);
		account(r, n);
		r->looks += 2;
		frames -= n;
	}
	free(memory);
}

/* fill the buffer and go */
static void start_full(struct run *r)
{
	unsigned long frames = min(r->total, r->pcm.buffer);

	put(r, frames, PCM_PATTERN);
	commit(r, frames);
	start(r);
}

/*
 * The end
 */

static void drain(struct run *r)
{
	unsigned int naps;
	int err;

	err = pcm_ioctl_may_fail(&r->pcm, SNDRV_PCM_IOCTL_DRAIN, NULL);
	if (err < 0 && err != -EAGAIN)
		pcm_die("DRAIN: %s", strerror(-err));
	for (naps = 0; naps < NAPS_MAX; naps++) {
		pcm_status(&r->pcm, SNDRV_PCM_IOCTL_STATUS);
		if (r->pcm.state == SNDRV_PCM_STATE_SETUP)
			return;
		usleep(NAP_US);
	}
	pcm_die("DRAIN does not end");
}

static long long counter(const struct run *r, const char *name)
{
	return card_counter(card.number, "%s0.%s",
			    is_playback(r) ? "playback" : "capture", name);
}

/*
 * No more may be synced than what moved, plus what the ends of each range round
 * out to in each ring. What a playback device returns needs no sync; a captured
 * frame goes back only if somebody writes to the map. Nothing goes with
 * interrupts off, but for two periods if nobody moves appl_ptr.
 */
static void judge_costs(const struct run *r, unsigned long long bytes,
			unsigned long long for_device,
			unsigned long long for_cpu)
{
	unsigned int rings = r->pcm.interleaved ? 1 : r->setup->channels;
	unsigned long long ends = rings * 2 * card.line;
	unsigned long long irqoff_most = 0;
	unsigned long long device_most, cpu_most, periods, again;
	unsigned long long irqoff = counter(r, "irqoff_max");

	periods = counter(r, "frames") / r->setup->period;
	again = pcm_frames_to_bytes(&r->pcm, r->taken_back);
	device_most = bytes + again + r->moves * ends;
	cpu_most = bytes + again + (r->looks + 2 * periods) * ends;
	if (r->c->flags & COSTS_ANY)
		return;
	if (is_playback(r))
		cpu_most = 0;
	else if (!r->scribbled)
		device_most = 0;
	if (r->c->flags & FREE_RUNNING) {
		device_most = 3 * bytes + periods * 2 * ends;
		irqoff_most = pcm_frames_to_bytes(&r->pcm, 2 * r->setup->period) +
			      2 * ends;
	}
	if (!card.needs_sync) {
		device_most = 0;
		cpu_most = 0;
		irqoff_most = 0;
	}
	if (irqoff > irqoff_most)
		blame("synced %llu bytes with interrupts off, at most %llu expected",
		      irqoff, irqoff_most);
	if (for_device > device_most)
		blame("synced %llu bytes for device, at most %llu expected",
		      for_device, device_most);
	if (for_cpu > cpu_most)
		blame("synced %llu bytes for cpu, at most %llu expected",
		      for_cpu, cpu_most);
}

static void judge(const struct run *r)
{
	unsigned long long wrong = r->wrong, frames = r->checked;
	unsigned long long for_device, for_cpu, bytes, moved;
	long long first = r->first, faults;

	moved = counter(r, "frames");
	if (is_playback(r) && card.pattern) {
		wrong += counter(r, "wrong");
		first = counter(r, "first_wrong");
		frames += moved - counter(r, "ungiven");
		if (r->c->flags & FREE_RUNNING ? 0 : moved < r->total)
			blame("the device played %llu frames of %lu", moved,
			      r->total);
	}
	if (r->c->learn == BY_SIGIO && !r->signals)
		blame("no SIGIO came");
	if (!frames)
		blame("no frame was checked");
	bytes = pcm_frames_to_bytes(&r->pcm, is_playback(r) &&
				    !(r->c->flags & FREE_RUNNING) ?
				    r->given : moved);
	for_device = counter(r, "bytes_for_device");
	for_cpu = counter(r, "bytes_for_cpu");
	faults = card_counter(card.number, "faults");

	if (wrong)
		blame("%llu of %llu frames wrong, the first is %lld", wrong,
		      frames, first);
	if (faults)
		blame("%lld faults", faults);
	judge_costs(r, bytes, for_device, for_cpu);

	result->wrong += wrong;
	result->frames += frames;
	result->bytes += bytes;
	result->for_device += for_device;
	result->for_cpu += for_cpu;
}

/*
 * Playback
 */

static void begin_playback(struct run *r)
{
	struct pcm_thresholds t = stop_when_empty(r, PCM_BOUNDARY);

	if (!is_mmap(r->c->access))
		t.start = t.stop;
	begin(r, SNDRV_PCM_STREAM_PLAYBACK, r->c->access, &t);
}

static void end_playback(struct run *r)
{
	drain(r);
	judge(r);
}

static void play_write(struct run *r)
{
	begin_playback(r);
	prepare(r);
	transfer_frames(r, r->total, PCM_PATTERN);
	end_playback(r);
}

static void play_mmap(struct run *r)
{
	begin_playback(r);
	prepare(r);
	start_full(r);
	map_frames(r, r->total - r->pcm.appl_ptr);
	end_playback(r);
}

/*
 * What was there first is not what is played. The pointer stands in the middle
 * of a period whenever the device waits, so that half a period more does not
 * make it go on.
 */
static void play_rewind(struct run *r)
{
	unsigned long half;

	begin_playback(r);
	prepare(r);
	half = half_period(r);
	put(r, r->pcm.buffer, PCM_JUNK);
	commit(r, r->pcm.buffer);
	rewind_frames(r, r->pcm.buffer);
	put(r, r->pcm.buffer - half, PCM_PATTERN);
	commit(r, r->pcm.buffer - half);
	start(r);
	while (r->pcm.appl_ptr < r->total) {
		wait_idle(r);
		put(r, half, PCM_JUNK);
		commit(r, half);
		rewind_frames(r, half);
		put(r, r->setup->period, PCM_PATTERN);
		commit(r, r->setup->period);
	}
	end_playback(r);
}

/* @parameter of the module is how often the driver refuses something */
static void refuse_next(const char *parameter)
{
	char path[80];

	snprintf(path, sizeof(path), "/sys/module/" MODULE "/parameters/%s",
		 parameter);
	if (!write_file(path, "1"))
		pcm_die("%s: %s", path, strerror(errno));
}

static void expect(const char *what, int err, int expected)
{
	if (err != expected)
		pcm_die("%s gives %d, not %d", what, err, expected);
}

static void expect_appl_ptr(struct run *r, unsigned long appl_ptr)
{
	learn(r, BY_SYNC_PTR);
	if (r->pcm.appl_ptr != appl_ptr)
		pcm_die("appl_ptr is %lu, not %lu", r->pcm.appl_ptr, appl_ptr);
}

/*
 * The driver refuses frames; what is there when it takes them is played. And it
 * refuses to give them back: who asks for that is told that none came.
 */
static void play_refused(struct run *r)
{
	snd_pcm_uframes_t back = 1;
	unsigned long frames;
	int err;

	begin_playback(r);
	prepare(r);
	put(r, r->pcm.buffer, PCM_JUNK);
	refuse_next("ack_fails");
	r->pcm.appl_ptr = r->pcm.buffer;
	err = pcm_sync_ptr(&r->pcm, 0);
	expect("SYNC_PTR that is refused", err, -EIO);
	account(r, r->pcm.buffer);
	expect_appl_ptr(r, 0);

	frames = min(r->total, r->pcm.buffer);
	put(r, frames, PCM_PATTERN);
	commit(r, frames);
	refuse_next("ack_fails");
	PCM_IOCTL(&r->pcm, REWIND, &back);
	expect("REWIND that is refused", back, 0);
	expect_appl_ptr(r, frames);
	start(r);
	map_frames(r, r->total - r->pcm.appl_ptr);
	end_playback(r);
}

/* an open that fails is undone, and the next one works */
static void play_open_fails(struct run *r)
{
	struct pcm pcm;

	if (card.dmaengine)
		skip("it is not the driver that opens a DMA controller's stream");
	refuse_next("open_fails");
	if (pcm_open_try(&pcm, card.number, SNDRV_PCM_STREAM_PLAYBACK, 0))
		pcm_die("a driver that refuses to open is not asked");
	expect("an open that is refused", -errno, -ENOMEM);
	play_write(r);
}

/*
 * SYNC_PTR of a record that cannot be read, or only be read, gives an error, and
 * commits nothing that it could not read
 */
static void play_no_access(struct run *r)
{
	static const struct {
		const char *what;
		int prot;
	} records[] = {
		{ "SYNC_PTR of what cannot be read", PROT_NONE },
		{ "SYNC_PTR of what cannot be written", PROT_READ },
	};
	long page = sysconf(_SC_PAGESIZE);
	unsigned int i;

	begin_playback(r);
	prepare(r);
	put(r, r->setup->period, PCM_JUNK);
	for (i = 0; i < ARRAY_SIZE(records); i++) {
		struct snd_pcm_sync_ptr *sync;

		sync = mmap(NULL, page, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (sync == MAP_FAILED)
			pcm_die("no memory");
		sync->flags = SNDRV_PCM_SYNC_PTR_AVAIL_MIN;
		if (records[i].prot & PROT_READ)
			sync->flags |= SNDRV_PCM_SYNC_PTR_APPL;
		sync->c.control.appl_ptr = r->setup->period;
		if (mprotect(sync, page, records[i].prot) < 0)
			pcm_die("mprotect: %s", strerror(errno));
		expect(records[i].what,
		       pcm_ioctl_may_fail(&r->pcm, SNDRV_PCM_IOCTL_SYNC_PTR,
					  sync), -EFAULT);
		munmap(sync, page);
	}
	expect_appl_ptr(r, 0);
	start_full(r);
	map_frames(r, r->total - r->pcm.appl_ptr);
	end_playback(r);
}

static void play_rewind_write(struct run *r)
{
	unsigned long half;

	begin_playback(r);
	prepare(r);
	half = half_period(r);
	transfer_frames(r, r->pcm.buffer - half, PCM_JUNK);
	rewind_frames(r, r->pcm.buffer - half);
	transfer_frames(r, r->pcm.buffer - half, PCM_PATTERN);
	start(r);
	while (r->pcm.appl_ptr < r->total) {
		wait_idle(r);
		transfer_frames(r, half, PCM_JUNK);
		rewind_frames(r, half);
		transfer_frames(r, r->setup->period, PCM_PATTERN);
	}
	end_playback(r);
}

static void play_forward(struct run *r)
{
	begin_playback(r);
	prepare(r);
	start_full(r);
	while (r->pcm.appl_ptr < r->total) {
		unsigned long n = min(r->total - r->pcm.appl_ptr,
				      some_frames(r));

		wait_avail(r, n);
		put(r, n, PCM_PATTERN);
		forward_frames(r, n);
	}
	end_playback(r);
}

/*
 * RESET forgets what is queued, and takes hw_ptr back to the first lap; the
 * device stays where it is
 */
static void play_reset(struct run *r)
{
	unsigned long period = r->setup->period;
	unsigned int i;

	begin_playback(r);
	prepare(r);
	put(r, r->pcm.buffer / 2, PCM_JUNK);
	commit(r, r->pcm.buffer / 2);
	PCM_IOCTL(&r->pcm, RESET, NULL);
	expect_appl_ptr(r, 0);
	start_full(r);
	for (i = 0; i < 2 * r->setup->periods; i++) {
		uint32_t frame;

		wait_idle(r);
		put(r, period, PCM_JUNK);
		commit(r, period);
		wait_idle(r);
		frame = r->base + r->pcm.hw_ptr;
		PCM_IOCTL(&r->pcm, RESET, NULL);
		learn(r, BY_SYNC_PTR);
		if (r->pcm.appl_ptr != r->pcm.hw_ptr)
			pcm_die("RESET leaves %lu frames",
				pcm_distance(&r->pcm, r->pcm.hw_ptr,
					     r->pcm.appl_ptr));
		r->base = frame - r->pcm.appl_ptr;
		put(r, 2 * period, PCM_PATTERN);
		commit(r, 2 * period);
	}
	r->total = next_frame(r);
	end_playback(r);
}

static void play_pause(struct run *r)
{
	unsigned long queued;

	begin_playback(r);
	prepare(r);
	start_full(r);
	while (r->pcm.appl_ptr < r->total) {
		wait_avail(r, r->setup->period);
		pause_stream(r, 1);
		queued = r->pcm.buffer - pcm_avail(&r->pcm);
		put(r, r->pcm.buffer - queued, PCM_JUNK);
		commit(r, r->pcm.buffer - queued);
		rewind_frames(r, r->pcm.buffer);
		put(r, r->pcm.buffer, PCM_PATTERN);
		commit(r, r->pcm.buffer);
		pause_stream(r, 0);
	}
	r->total = r->pcm.appl_ptr;
	end_playback(r);
}

/* while it is suspended and after, the stream goes on where it was */
static void play_resume(struct run *r)
{
	unsigned long free;

	begin_playback(r);
	prepare(r);
	start_full(r);
	wait_avail(r, r->setup->period);
	sleep_and_wake(r);
	free = pcm_avail(&r->pcm);
	put(r, free, PCM_PATTERN);
	commit(r, free);
	resume(r);
	map_frames(r, r->total - r->pcm.appl_ptr);
	end_playback(r);
}

/* the end is anywhere in a period */
static void play_drain(struct run *r)
{
	begin_playback(r);
	r->total += r->setup->period / 3 / pcm_align(&r->pcm) *
		    pcm_align(&r->pcm);
	prepare(r);
	transfer_frames(r, r->total, PCM_PATTERN);
	end_playback(r);
}

/* what was queued before is not what is played */
static void play_restart(struct run *r)
{
	begin_playback(r);
	pcm_prepare(&r->pcm);
	put(r, r->pcm.buffer, PCM_JUNK);
	commit(r, r->pcm.buffer);
	PCM_IOCTL(&r->pcm, DROP, NULL);
	prepare(r);
	r->given = 0;
	start_full(r);
	map_frames(r, r->total - r->pcm.appl_ptr);
	end_playback(r);
}

static void play_xrun(struct run *r)
{
	begin_playback(r);
	prepare(r);
	start_full(r);
	map_frames(r, r->total - r->pcm.appl_ptr);
	wait_avail(r, r->setup->period / 2);
	put(r, r->setup->period / 2, PCM_JUNK);
	PCM_IOCTL(&r->pcm, XRUN, NULL);
	pcm_prepare(&r->pcm);
	start_full(r);
	map_frames(r, r->total - r->pcm.appl_ptr);
	end_playback(r);
}

/* an underrun that nobody asked for */
static void play_underrun(struct run *r)
{
	unsigned int naps;

	begin_playback(r);
	prepare(r);
	start_full(r);
	for (naps = 0; r->pcm.state != SNDRV_PCM_STATE_XRUN; naps++) {
		if (naps == NAPS_MAX)
			pcm_die("no xrun");
		usleep(NAP_US);
		pcm_status(&r->pcm, SNDRV_PCM_IOCTL_STATUS);
	}
	pcm_prepare(&r->pcm);
	put(r, r->pcm.buffer, PCM_JUNK);
	start_full(r);
	map_frames(r, r->total - r->pcm.appl_ptr);
	end_playback(r);
}

/* another setup of the same buffer */
static void set_up_again(struct run *r)
{
	static struct pcm_setup other;
	struct pcm_thresholds t;

	other = *r->setup;
	other.periods /= 2;
	if (other.channels > 1)
		other.channels--;
	PCM_IOCTL(&r->pcm, DROP, NULL);
	pcm_munmap(&r->pcm);
	pcm_hw_params(&r->pcm, card.dmaengine ?
		      SNDRV_PCM_ACCESS_MMAP_INTERLEAVED :
		      SNDRV_PCM_ACCESS_MMAP_NONINTERLEAVED, &other);
	r->setup = &other;
	t = stop_when_empty(r, PCM_BOUNDARY);
	pcm_sw_params(&r->pcm, &t);
	pcm_mmap(&r->pcm);
	forget_moves(r);
	r->total = 3 * r->pcm.buffer;
	prepare(r);
}

static void play_again(struct run *r)
{
	begin_playback(r);
	pcm_prepare(&r->pcm);
	put(r, r->pcm.buffer, PCM_JUNK);
	commit(r, r->pcm.buffer);
	set_up_again(r);
	start_full(r);
	map_frames(r, r->total - r->pcm.appl_ptr);
	end_playback(r);
}

/* first through the map, then without it */
static void play_unmap(struct run *r)
{
	begin_playback(r);
	prepare(r);
	start_full(r);
	map_frames(r, r->total - r->pcm.appl_ptr);
	pcm_munmap(&r->pcm);
	transfer_frames(r, r->total, PCM_PATTERN);
	r->total *= 2;
	end_playback(r);
}

/*
 * As dmix uses its slave: stop_threshold is the boundary, appl_ptr is never
 * moved. The buffer is written up to @most frames ahead of hw_ptr, which jumps
 * by up to a period. With @late, all that is as usual until it runs. In the end
 * hw_ptr is ahead of appl_ptr, and there is nothing to take back.
 */
static void play_free(struct run *r, unsigned long most, bool late)
{
	struct pcm_thresholds free = { PCM_BOUNDARY, PCM_BOUNDARY };
	struct pcm_thresholds t = late ? stop_when_empty(r, PCM_BOUNDARY) : free;
	unsigned long period = r->setup->period;
	snd_pcm_uframes_t back = period;
	unsigned long written = 0;

	begin(r, SNDRV_PCM_STREAM_PLAYBACK, r->c->access, &t);
	prepare(r);
	r->total = 4 * r->pcm.buffer;
	for (;;) {
		unsigned long hw_ptr = r->pcm.hw_ptr;
		unsigned long n;

		if (written && written < hw_ptr + period)
			skip("this machine is too slow: hw_ptr %lu, written %lu",
			     hw_ptr, written);
		n = hw_ptr + most - written;
		put_at(r, written, n, PCM_PATTERN);
		if (!written && late)
			commit(r, n);
		if (!written)
			start(r);
		if (!written && late)
			pcm_sw_params(&r->pcm, &free);
		written += n;
		if (hw_ptr >= r->total)
			break;
		usleep(1000000ULL * period / r->setup->rate / 4);
		learn(r, r->c->learn);
	}
	/* what is written is still ahead of what is played */
	judge(r);
	PCM_IOCTL(&r->pcm, REWIND, &back);
	expect("REWIND behind hw_ptr", back, 0);
	PCM_IOCTL(&r->pcm, DROP, NULL);
}

static void play_free_early(struct run *r)
{
	play_free(r, r->setup->period * r->setup->periods, false);
}

static void play_free_late(struct run *r)
{
	play_free(r, r->setup->period * 9 / 4, false);
}

static void play_free_sw_params(struct run *r)
{
	play_free(r, r->setup->period * r->setup->periods, true);
}

/*
 * The same with pauses, in which what is still to come is put; what was there
 * has been handed over, maybe
 */
static void play_free_pause(struct run *r)
{
	struct pcm_thresholds t = { PCM_BOUNDARY, PCM_BOUNDARY };
	unsigned long period = r->setup->period;
	unsigned long near = period * 3 / 2;
	unsigned long hw_ptr = 0;
	unsigned long good;		/* up to there it is the pattern */

	begin(r, SNDRV_PCM_STREAM_PLAYBACK, r->c->access, &t);
	prepare(r);
	put(r, r->pcm.buffer, PCM_PATTERN);
	good = r->pcm.buffer;
	start(r);
	while (hw_ptr < 3 * r->pcm.buffer) {
		usleep(1000000ULL * period / r->setup->rate / 2);
		pause_stream(r, 1);
		/* hw_ptr was looked at before the device stopped */
		if (r->pcm.hw_ptr + period / 2 > good)
			skip("this machine is too slow: hw_ptr %lu, good up to %lu",
			     r->pcm.hw_ptr, good);
		hw_ptr = r->pcm.hw_ptr;
		put_at(r, hw_ptr, near, PCM_PATTERN);
		put_at(r, hw_ptr + near, near, PCM_JUNK);
		good = hw_ptr + near;
		pause_stream(r, 0);
	}
	judge(r);
	PCM_IOCTL(&r->pcm, DROP, NULL);
}

/*
 * The same, written while it is suspended; what is played before that is not
 * looked at
 */
static void play_free_resume(struct run *r)
{
	struct pcm_thresholds t = { PCM_BOUNDARY, PCM_BOUNDARY };
	unsigned long period = r->setup->period;
	unsigned long good;

	begin(r, SNDRV_PCM_STREAM_PLAYBACK, r->c->access, &t);
	prepare(r);
	put(r, r->pcm.buffer, PCM_JUNK);
	start(r);
	usleep(1000000ULL * period / r->setup->rate / 2);
	sleep_and_wake(r);
	card_counters_reset(card.number);
	put_at(r, r->pcm.hw_ptr, r->pcm.buffer, PCM_PATTERN);
	good = r->pcm.hw_ptr + r->pcm.buffer;
	PCM_IOCTL(&r->pcm, RESUME, NULL);
	usleep(1000000ULL * period / r->setup->rate);
	PCM_IOCTL(&r->pcm, DROP, NULL);
	learn(r, BY_SYNC_PTR);
	/* hw_ptr was looked at before the device stopped */
	if (r->pcm.hw_ptr + period > good)
		skip("this machine is too slow: hw_ptr %lu, good up to %lu",
		     r->pcm.hw_ptr, good);
	judge(r);
}

/*
 * Capture
 */

static void begin_capture(struct run *r)
{
	struct pcm_thresholds t = stop_when_empty(r, 1);

	begin(r, SNDRV_PCM_STREAM_CAPTURE, r->c->access, &t);
}

static void end_capture(struct run *r)
{
	PCM_IOCTL(&r->pcm, DROP, NULL);
	judge(r);
}

/*
 * Pages that are not mapped at once are mapped as they are accessed, here by
 * write, if they are counted; the first page of whatever was allocated is.  The
 * kernel complains of a page that is mapped and is not.
 */
static void record_map_private(struct run *r)
{
	long page = sysconf(_SC_PAGESIZE);
	int ends[2];
	size_t ofs;
	char *map;
	char byte;

	begin_capture(r);
	map = mmap(NULL, r->pcm.bytes, PROT_READ, MAP_PRIVATE, r->pcm.fd, 0);
	if (map == MAP_FAILED || pipe(ends) < 0)
		pcm_die("mmap or pipe: %s", strerror(errno));
	for (ofs = 0; ofs < r->pcm.bytes; ofs += page) {
		if (write(ends[1], map + ofs, 1) != 1) {
			if (errno != EFAULT)
				pcm_die("write: %s", strerror(errno));
			if (!ofs)
				blame("the first page cannot be accessed");
		} else if (read(ends[0], &byte, 1) != 1) {
			pcm_die("read: %s", strerror(errno));
		}
	}
	munmap(map, r->pcm.bytes);
	pcm_close(&r->pcm);
	result->frames = 1;
}

static bool is_x86(void)
{
	struct utsname machine;

	return !uname(&machine) && !strcmp(machine.machine, "x86_64");
}

/*
 * The first write to a page faults if it is captured audio that somebody has to
 * be told of, and not otherwise. Other processors may fault to learn that a page
 * is dirty.
 */
static void write_map(struct run *r)
{
	long page = sysconf(_SC_PAGESIZE);
	long pages = r->pcm.map_bytes / page;
	long expected = !is_playback(r) && card.needs_sync ? pages : 0;
	struct rusage before, after;
	size_t ofs;

	if (!is_x86())
		skip("page faults are counted on x86 only");
	getrusage(RUSAGE_SELF, &after);
	getrusage(RUSAGE_SELF, &before);
	for (ofs = 0; ofs < r->pcm.map_bytes; ofs += page)
		r->pcm.map[ofs] = 1;
	getrusage(RUSAGE_SELF, &after);
	if (after.ru_minflt - before.ru_minflt != expected)
		blame("%ld faults in %ld pages, not %ld",
		      after.ru_minflt - before.ru_minflt, pages, expected);
	pcm_close(&r->pcm);
	result->frames = 1;
}

static void play_map_prefaulted(struct run *r)
{
	begin_playback(r);
	write_map(r);
}

static void record_map_prefaulted(struct run *r)
{
	begin_capture(r);
	write_map(r);
}

/* each page mapped by itself is the one that it is in the map of all */
static void play_map_part(struct run *r)
{
	long page = sysconf(_SC_PAGESIZE);
	size_t ofs;
	char *part;

	begin_playback(r);
	for (ofs = 0; ofs < r->pcm.map_bytes; ofs += page)
		r->pcm.map[ofs] = ofs / page + 1;
	for (ofs = 0; ofs < r->pcm.map_bytes; ofs += page) {
		part = mmap(NULL, page, PROT_READ, MAP_SHARED, r->pcm.fd, ofs);
		if (part == MAP_FAILED)
			pcm_die("mmap at %zu: %s", ofs, strerror(errno));
		if (*part != r->pcm.map[ofs])
			blame("what is mapped at %zu is not there", ofs);
		munmap(part, page);
	}
	pcm_close(&r->pcm);
	result->frames = 1;
}

static void record_read(struct run *r)
{
	begin_capture(r);
	prepare(r);
	transfer_frames(r, r->total, PCM_PATTERN);
	end_capture(r);
}

static void record_mmap(struct run *r)
{
	begin_capture(r);
	prepare(r);
	start(r);
	map_frames(r, r->total);
	end_capture(r);
}

static void record_forward(struct run *r)
{
	begin_capture(r);
	prepare(r);
	start(r);
	while (r->pcm.appl_ptr < r->total) {
		unsigned long n = min(r->total - r->pcm.appl_ptr,
				      some_frames(r));

		wait_avail(r, n);
		check(r, n);
		forward_frames(r, n);
	}
	end_capture(r);
}

/*
 * What was read once can be read again, as long as the device stands. That may
 * be up to a period further than hw_ptr says.
 */
static void record_rewind(struct run *r)
{
	begin_capture(r);
	prepare(r);
	start(r);
	while (r->pcm.appl_ptr < r->total) {
		unsigned long n = some_frames(r), back;

		wait_avail(r, n);
		check(r, n);
		commit(r, n);
		pause_stream(r, 1);
		back = r->pcm.buffer - pcm_avail(&r->pcm);
		back -= min(back, r->setup->period);
		back = min(back, r->pcm.appl_ptr);
		if (back)
			rewind_frames(r, back);
		check(r, pcm_avail(&r->pcm));
		commit(r, back);
		pause_stream(r, 0);
	}
	end_capture(r);
}

/* what the application wrote where it read is not captured */
static void record_scribble(struct run *r)
{
	unsigned long period = r->setup->period;

	begin_capture(r);
	put(r, r->pcm.buffer, PCM_JUNK);
	prepare(r);
	start(r);
	while (r->pcm.appl_ptr < r->total) {
		wait_avail(r, period);
		check(r, period);
		put(r, period, PCM_JUNK);
		commit(r, period);
	}
	end_capture(r);
}

static void record_scribble_unmap(struct run *r)
{
	unsigned long period = r->setup->period;
	unsigned int i;

	begin_capture(r);
	prepare(r);
	start(r);
	for (i = 0; i < r->setup->periods; i++) {
		wait_avail(r, period);
		check(r, period);
		put(r, period, PCM_JUNK);
		commit(r, period);
	}
	wait_avail(r, period);
	check(r, period);
	put(r, period, PCM_JUNK);
	pcm_munmap(&r->pcm);
	r->pcm.appl_ptr = pcm_add(&r->pcm, r->pcm.appl_ptr, period);
	if (pcm_sync_ptr(&r->pcm, 0) < 0)
		pcm_die("SYNC_PTR after munmap failed");
	account(r, period);
	transfer_frames(r, r->total, PCM_PATTERN);
	end_capture(r);
}

static void set_writable(struct run *r, bool writable)
{
	if (mprotect(r->pcm.map, r->pcm.map_bytes,
		     PROT_READ | (writable ? PROT_WRITE : 0)) < 0)
		pcm_die("mprotect: %s", strerror(errno));
}

/* The map is written only after some laps, and may not be before */
static void record_scribble_late(struct run *r)
{
	unsigned long period = r->setup->period;

	begin_capture(r);
	set_writable(r, false);
	prepare(r);
	start(r);
	map_frames(r, 2 * r->pcm.buffer);
	if (counter(r, "bytes_for_device"))
		blame("what cannot be written goes to the device");
	set_writable(r, true);
	r->total += r->pcm.appl_ptr;
	while (r->pcm.appl_ptr < r->total) {
		wait_avail(r, period);
		check(r, period);
		put(r, period, PCM_JUNK);
		commit(r, period);
	}
	end_capture(r);
}

/* nobody sees what was in the memory before */
static void record_old_memory(struct run *r)
{
	begin_capture(r);
	card_counters_reset(card.number);
	r->wrong += pcm_not_silent(&r->pcm, r->pcm.ring, r->pcm.buffer);
	pcm_prepare(&r->pcm);
	r->wrong += pcm_not_silent(&r->pcm, r->pcm.ring, r->pcm.buffer);
	start(r);
	wait_avail(r, r->setup->period);
	pause_stream(r, 1);
	check(r, pcm_avail(&r->pcm));
	r->checked += 2 * r->pcm.buffer;
	end_capture(r);
}

/* What was synced since @bytes were, is no more than the ends of a range */
static void expect_no_sync_since(struct run *r, unsigned long long bytes,
				 const char *event)
{
	bytes = counter(r, "bytes_for_cpu") - bytes;
	if (bytes > 2 * card.line)
		blame("with %s, %llu bytes are synced again", event, bytes);
}

static void record_restart(struct run *r)
{
	unsigned long long told;

	begin_capture(r);
	pcm_prepare(&r->pcm);
	start(r);
	map_frames(r, r->total);
	PCM_IOCTL(&r->pcm, DROP, NULL);
	told = counter(r, "bytes_for_cpu");
	pcm_prepare(&r->pcm);
	learn(r, BY_SYNC_PTR_HWSYNC);
	expect_no_sync_since(r, told, "PREPARE");
	prepare(r);
	forget_moves(r);
	start(r);
	map_frames(r, r->total);
	end_capture(r);
}

/*
 * RESET takes hw_ptr back to the first lap, and appl_ptr to it. What was
 * captured until then, of which nobody has heard, is read by going back. Every
 * other time the device goes on first, unseen: if an interrupt amid RESET took
 * hw_ptr to the end of a lap, the next interrupt is in another.
 */
static void record_reset(struct run *r)
{
	unsigned long size = r->setup->period * r->setup->periods;
	bool unseen = false;
	unsigned long frames;
	uint32_t from, to;
	int err;

	begin_capture(r);
	r->total *= 3;
	prepare(r);
	start(r);
	while (r->checked < r->total) {
		from = next_frame(r);
		if (!pcm_wait(&r->pcm, 1000))
			pcm_die("poll: nothing within 1 s");
		err = ioctl(r->pcm.fd, SNDRV_PCM_IOCTL_RESET);
		unseen = !unseen;
		if (unseen)
			usleep(NAP_US);
		if (err < 0 ||
		    ioctl(r->pcm.fd, SNDRV_PCM_IOCTL_PAUSE, 1) < 0) {
			/* an interrupt came before appl_ptr had followed */
			prepare(r);
			r->base = 0;
			start(r);
			continue;
		}
		learn(r, BY_SYNC_PTR);

		/* the device may have gone further than it has told */
		to = counter(r, "frames");
		to -= (to % size + size - r->pcm.hw_ptr % size) % size;
		r->base = to - r->pcm.hw_ptr;
		frames = min(to - from, size - r->setup->period);
		/* there is no number for what is before 0 */
		frames = min(frames, r->pcm.hw_ptr);
		if (frames > pcm_avail(&r->pcm))
			rewind_frames(r, frames - pcm_avail(&r->pcm));
		frames = pcm_avail(&r->pcm);
		if (is_mmap(r->c->access)) {
			check(r, frames);
			commit(r, frames);
		} else {
			transfer_frames(r, frames, PCM_PATTERN);
		}
		pause_stream(r, 0);
	}
	end_capture(r);
}

static void record_reset_paused(struct run *r)
{
	unsigned long long told;

	begin_capture(r);
	prepare(r);
	start(r);
	map_frames(r, r->total);
	pause_stream(r, 1);
	learn(r, BY_SYNC_PTR_HWSYNC);
	told = counter(r, "bytes_for_cpu");
	PCM_IOCTL(&r->pcm, RESET, NULL);
	learn(r, BY_SYNC_PTR_HWSYNC);
	expect_no_sync_since(r, told, "RESET");
	end_capture(r);
}

static void record_resume(struct run *r)
{
	unsigned long there;

	begin_capture(r);
	prepare(r);
	start(r);
	wait_avail(r, r->setup->period);
	sleep_and_wake(r);
	there = pcm_avail(&r->pcm);
	check(r, there);
	commit(r, there);
	resume(r);
	map_frames(r, r->total - r->pcm.appl_ptr);
	end_capture(r);
}

static void record_xrun(struct run *r)
{
	begin_capture(r);
	prepare(r);
	start(r);
	map_frames(r, r->total);
	PCM_IOCTL(&r->pcm, XRUN, NULL);
	pcm_prepare(&r->pcm);
	start(r);
	map_frames(r, r->total);
	end_capture(r);
}

static void record_overrun(struct run *r)
{
	unsigned int naps;

	begin_capture(r);
	prepare(r);
	start(r);
	for (naps = 0; r->pcm.state != SNDRV_PCM_STATE_XRUN; naps++) {
		if (naps == NAPS_MAX)
			pcm_die("no xrun");
		usleep(NAP_US);
		pcm_status(&r->pcm, SNDRV_PCM_IOCTL_STATUS);
	}
	pcm_prepare(&r->pcm);
	start(r);
	map_frames(r, r->total);
	end_capture(r);
}

/*
 * Interrupts find hw_ptr at multiples of a period; who asks is told of what is
 * between, and when that was
 */
static void look_between(struct run *r)
{
	unsigned long nap = 250000ULL * r->setup->period / r->setup->rate;
	struct snd_pcm_status s;
	unsigned long long ns;

	do {
		usleep(nap);
		memset(&s, 0, sizeof(s));
		PCM_IOCTL(&r->pcm, STATUS, &s);
		if (s.state != SNDRV_PCM_STATE_RUNNING)
			return;
		result->frames += s.hw_ptr % r->setup->period != 0;
		ns = s.audio_tstamp.tv_sec * 1000000000ULL +
		     s.audio_tstamp.tv_nsec;
		if (ns != s.hw_ptr * 1000000000ULL / r->setup->rate)
			blame("STATUS tells %llu ns for %lu frames", ns,
			      (unsigned long)s.hw_ptr);
	} while (s.hw_ptr < r->setup->period);
}

/* is an xrun that HWSYNC finds itself an error of it? */
static void overrun_between(struct run *r)
{
	unsigned long nap = 250000ULL * r->setup->period / r->setup->rate;
	int err;

	do {
		usleep(nap);
		err = pcm_ioctl_may_fail(&r->pcm, SNDRV_PCM_IOCTL_HWSYNC, NULL);
		if (pcm_sync_ptr(&r->pcm, SNDRV_PCM_SYNC_PTR_APPL) < 0)
			pcm_die("SYNC_PTR after HWSYNC failed");
		/* later than that, an interrupt may have found it after HWSYNC */
		if (!err && r->pcm.state == SNDRV_PCM_STATE_XRUN &&
		    r->pcm.hw_ptr < 3 * r->setup->period)
			blame("HWSYNC finds an xrun and does not tell");
	} while (!err);
	if (err != -EPIPE)
		blame("HWSYNC of an xrun gives %d", err);
}

static void record_between(struct run *r)
{
	struct pcm_thresholds t = {
		.start = PCM_BOUNDARY,
		.stop = 2 * r->setup->period + 1,
		.tstamp = true,
	};
	struct snd_pcm_status s;
	unsigned int i;

	begin(r, SNDRV_PCM_STREAM_CAPTURE, r->c->access, &t);
	prepare(r);
	memset(&s, 0, sizeof(s));
	PCM_IOCTL(&r->pcm, STATUS, &s);
	if (!s.tstamp.tv_sec && !s.tstamp.tv_nsec)
		blame("STATUS of a prepared stream tells no time");
	for (i = 0; i < 8; i++) {
		start(r);
		look_between(r);
		overrun_between(r);
		pcm_prepare(&r->pcm);
	}
	if (!result->frames)
		blame("STATUS does not ask where the device is");
}

static void record_again(struct run *r)
{
	begin_capture(r);
	prepare(r);
	start(r);
	map_frames(r, r->total);
	put(r, r->pcm.buffer, PCM_JUNK);
	set_up_again(r);
	start(r);
	map_frames(r, r->total);
	end_capture(r);
}

/* the device overruns who never moves appl_ptr, who may look at what is new */
static void record_free(struct run *r)
{
	struct pcm_thresholds t = { PCM_BOUNDARY, PCM_BOUNDARY };
	unsigned long period = r->setup->period;
	unsigned long read = 0;

	begin(r, SNDRV_PCM_STREAM_CAPTURE, r->c->access, &t);
	prepare(r);
	start(r);
	r->total = 4 * r->pcm.buffer;
	while (read < r->total) {
		usleep(1000000ULL * period / r->setup->rate / 4);
		learn(r, r->c->learn);
		if (r->pcm.hw_ptr > read + r->pcm.buffer - period)
			skip("this machine is too slow: hw_ptr %lu, read %lu",
			     r->pcm.hw_ptr, read);
		check_at(r, read, r->pcm.hw_ptr - read);
		read = r->pcm.hw_ptr;
	}
	end_capture(r);
}

/*
 * Several
 */

struct helper {
	struct run *r;
	pthread_t thread;
	bool done;
	int err;
	unsigned long back;
};

static bool is_done(struct helper *h)
{
	return __atomic_load_n(&h->done, __ATOMIC_RELAXED);
}

/* looks at the pointers in every way, all the time */
static void *look_on(void *data)
{
	struct helper *h = data;
	struct run copy = *h->r;

	while (!is_done(h)) {
		learn(&copy, BY_SYNC_PTR_HWSYNC);
		learn(&copy, BY_STATUS);
		learn(&copy, BY_DELAY);
		__atomic_fetch_add(&h->r->looks, 3, __ATOMIC_RELAXED);
		usleep(NAP_US / 2);
	}
	return NULL;
}

/* takes back a few frames, which the other gives again */
static void *take_back(void *data)
{
	struct helper *h = data;
	struct run copy = *h->r;

	while (!is_done(h)) {
		snd_pcm_uframes_t frames = some_frames(&copy);

		ioctl(h->r->pcm.fd, SNDRV_PCM_IOCTL_REWIND, &frames);
		usleep(random_number(&copy) % NAP_US);
	}
	return NULL;
}

static void helper_start(struct helper *h, void *(*fn)(void *))
{
	if (pthread_create(&h->thread, NULL, fn, h))
		pcm_die("cannot make a thread");
}

static void helper_stop(struct helper *h)
{
	__atomic_store_n(&h->done, true, __ATOMIC_RELAXED);
	pthread_join(h->thread, NULL);
}

/*
 * A sync that is held waits, with the stream unlocked, until it is released:
 * what others do meanwhile would else take luck to try.
 */
static void set_hold_sync(const char *value)
{
	if (!write_file("/sys/module/" MODULE "_mem/parameters/hold_sync",
			value))
		pcm_die("hold_sync: %s", strerror(errno));
}

/* runs @fn until it is held in a sync */
static void hold_in_sync(struct helper *h, void *(*fn)(void *))
{
	unsigned int naps;
	char value[16];

	set_hold_sync("1");
	helper_start(h, fn);
	for (naps = 0; naps < NAPS_MAX; naps++) {
		card_param(card.number, MODULE "_mem", "hold_sync", value,
			   sizeof(value));
		if (value[0] == '2')
			return;
		usleep(NAP_US);
	}
	set_hold_sync("0");
	pcm_die("nobody waits in a sync");
}

static void release_sync(struct helper *h)
{
	set_hold_sync("0");
	helper_stop(h);
}

static void *commit_period(void *data)
{
	struct helper *h = data;
	struct run copy = *h->r;

	copy.pcm.appl_ptr = copy.setup->period;
	h->err = pcm_sync_ptr(&copy.pcm, 0);
	return NULL;
}

static void *forward_period(void *data)
{
	struct helper *h = data;
	snd_pcm_uframes_t frames = h->r->setup->period;

	h->err = pcm_ioctl_may_fail(&h->r->pcm, SNDRV_PCM_IOCTL_FORWARD,
				    &frames);
	return NULL;
}

static void *hwsync(void *data)
{
	struct helper *h = data;

	h->err = pcm_ioctl_may_fail(&h->r->pcm, SNDRV_PCM_IOCTL_HWSYNC, NULL);
	return NULL;
}

static void *reset_stream(void *data)
{
	struct helper *h = data;

	h->err = pcm_ioctl_may_fail(&h->r->pcm, SNDRV_PCM_IOCTL_RESET, NULL);
	return NULL;
}

/*
 * While frames are handed over, another thread gives more, and the buffer
 * cannot be had for anything else. When the driver refuses the first frames
 * then, those of the other stay. If both go on from where appl_ptr is, it is by
 * as much as both.
 */
static void play_meanwhile(struct run *r)
{
	snd_pcm_uframes_t frames = 2 * r->setup->period;
	struct helper h = { .r = r }, other = { .r = r };
	int err;

	begin_playback(r);
	prepare(r);
	hold_in_sync(&h, commit_period);
	err = pcm_ioctl_may_fail(&r->pcm, SNDRV_PCM_IOCTL_PREPARE, NULL);
	PCM_IOCTL(&r->pcm, FORWARD, &frames);
	refuse_next("ack_fails");
	release_sync(&h);
	expect("PREPARE during a sync", err, -EBUSY);
	expect("SYNC_PTR that is refused", h.err, -EIO);
	expect_appl_ptr(r, frames);

	prepare(r);
	hold_in_sync(&h, forward_period);
	forward_period(&other);
	release_sync(&h);
	expect("FORWARD", h.err, 0);
	expect("FORWARD during a sync", other.err, 0);
	expect_appl_ptr(r, frames);

	prepare(r);
	start_full(r);
	map_frames(r, r->total - r->pcm.appl_ptr);
	end_playback(r);
}

/*
 * While RESET hands over the buffer, nobody moves appl_ptr. And who waits for
 * frames to be handed over learns it if they are dropped.
 */
static void record_meanwhile(struct run *r)
{
	struct helper h = { .r = r }, other = { .r = r };

	begin_capture(r);
	put(r, r->setup->period, PCM_JUNK);
	prepare(r);
	hold_in_sync(&h, reset_stream);
	commit_period(&other);
	release_sync(&h);
	expect("RESET", h.err, 0);
	expect("SYNC_PTR during RESET", other.err, -EBUSY);
	expect_appl_ptr(r, 0);

	prepare(r);
	start(r);
	if (!pcm_wait(&r->pcm, 1000))
		pcm_die("nothing is captured");
	hold_in_sync(&h, hwsync);
	PCM_IOCTL(&r->pcm, DROP, NULL);
	release_sync(&h);
	expect("HWSYNC of what is dropped", h.err, -EBADFD);

	prepare(r);
	start(r);
	map_frames(r, r->total);
	end_capture(r);
}

static void play_threads(struct run *r)
{
	struct helper h = { .r = r };

	begin_playback(r);
	prepare(r);
	start_full(r);
	helper_start(&h, look_on);
	map_frames(r, r->total - r->pcm.appl_ptr);
	helper_stop(&h);
	end_playback(r);
}

static void record_threads(struct run *r)
{
	struct helper h = { .r = r };

	begin_capture(r);
	prepare(r);
	start(r);
	helper_start(&h, look_on);
	map_frames(r, r->total);
	helper_stop(&h);
	end_capture(r);
}

/*
 * appl_ptr only ever stands where all behind it has been written, whoever moved
 * it last; the device starts when it is where it should be
 */
static void play_rewind_race(struct run *r)
{
	unsigned int round;

	begin_playback(r);
	r->total = r->pcm.buffer;
	for (round = 0; round < 8; round++) {
		struct helper h = { .r = r };

		if (round)
			pcm_prepare(&r->pcm);
		else
			prepare(r);
		helper_start(&h, take_back);
		while (r->pcm.appl_ptr < r->total) {
			unsigned long n = min(r->total - r->pcm.appl_ptr,
					      some_frames(r));

			put(r, n, PCM_JUNK);
			learn(r, BY_COMMIT);
			put(r, n, PCM_PATTERN);
			commit(r, n);
		}
		helper_stop(&h);
		learn(r, BY_COMMIT);
		start(r);
		drain(r);
	}
	judge(r);
}

/* the second half of each piece is up to another process */
static void map_shared(struct run *r, unsigned long frames)
{
	int ask[2], answer[2];
	unsigned long job[2], wrong;
	pid_t pid;

	if (pipe(ask) || pipe(answer))
		pcm_die("pipe: %s", strerror(errno));
	pid = fork();
	if (!pid) {
		/* or it would never see the end of the other */
		close(ask[1]);
		pcm_mmap(&r->pcm);
		while (read(ask[0], job, sizeof(job)) == sizeof(job) &&
		       job[1]) {
			r->wrong = 0;
			if (is_playback(r))
				put_at(r, job[0], job[1], PCM_PATTERN);
			else
				check_at(r, job[0], job[1]);
			if (write(answer[1], &r->wrong, sizeof(r->wrong)) < 0)
				_exit(1);
		}
		_exit(0);
	}
	while (frames) {
		unsigned long n = min(frames, some_frames(r));
		unsigned long half = n / 2 / pcm_align(&r->pcm) *
				     pcm_align(&r->pcm);

		wait_avail(r, n);
		job[0] = pcm_add(&r->pcm, r->pcm.appl_ptr, half);
		job[1] = n - half;
		if (write(ask[1], job, sizeof(job)) != sizeof(job))
			pcm_die("pipe: %s", strerror(errno));
		if (is_playback(r))
			put(r, half, PCM_PATTERN);
		else
			check(r, half);
		if (read(answer[0], &wrong, sizeof(wrong)) != sizeof(wrong))
			pcm_die("the other process is gone");
		r->wrong += wrong;
		r->checked += is_playback(r) ? 0 : n - half;
		commit(r, n);
		frames -= n;
	}
	job[1] = 0;
	if (write(ask[1], job, sizeof(job)) != sizeof(job))
		pcm_die("pipe: %s", strerror(errno));
	waitpid(pid, NULL, 0);
}

static void play_processes(struct run *r)
{
	begin_playback(r);
	prepare(r);
	start_full(r);
	map_shared(r, r->total - r->pcm.appl_ptr);
	end_playback(r);
}

static void record_processes(struct run *r)
{
	begin_capture(r);
	prepare(r);
	start(r);
	map_shared(r, r->total);
	end_capture(r);
}

/* linked streams are started and stopped by each other */
static void both_linked(struct run *r)
{
	struct run other = *r;
	unsigned long left, n;

	begin_playback(r);
	begin_capture(&other);
	if (ioctl(r->pcm.fd, SNDRV_PCM_IOCTL_LINK, other.pcm.fd) < 0)
		pcm_die("LINK: %s", strerror(errno));
	pcm_prepare(&r->pcm);
	pcm_prepare(&other.pcm);
	card_counters_reset(card.number);
	start_full(r);
	for (left = r->total; left; left -= n) {
		n = min(left, some_frames(r));
		map_frames(r, n);
		map_frames(&other, n);
	}
	PCM_IOCTL(&other.pcm, UNLINK, NULL);
	r->total = r->pcm.appl_ptr;
	PCM_IOCTL(&other.pcm, DROP, NULL);
	drain(r);
	judge(r);
	judge(&other);
}

/*
 * With the card as a loop: what it played is captured
 */

/*
 * Reads all that was played: the pattern up to @sound, then silence up to @end
 */
static void record_what_was_played(struct run *r, unsigned long sound,
				   unsigned long end)
{
	struct pcm_area stage[PCM_CHANNELS_MAX];
	unsigned long period = r->setup->period;
	unsigned long played, at;
	struct run other = *r;
	void *memory;

	played = counter(r, "frames") / period * period;
	if (counter(r, "lost"))
		pcm_die("the loop is too short for %lu frames", played);
	if (played < sound + period / 2)
		pcm_die("only %lu frames were played", played);
	played = min(played, end);
	r->checked = played;
	begin(&other, SNDRV_PCM_STREAM_CAPTURE, SNDRV_PCM_ACCESS_RW_INTERLEAVED,
	      &(struct pcm_thresholds){ 1, r->pcm.buffer });
	pcm_prepare(&other.pcm);
	memory = pcm_stage(&other.pcm, period, stage);
	for (at = 0; at < played; at += period) {
		unsigned long pattern = at < sound ? min(period, sound - at) : 0;
		struct pcm_area rest[PCM_CHANNELS_MAX];
		unsigned int c;
		long n;

		n = pcm_transfer(&other.pcm, stage, period);
		if (n != (long)period)
			pcm_die("read of %lu frames: %ld", period, n);
		r->wrong += pcm_check(&other.pcm, stage, 0, at, pattern,
				      &r->first);
		for (c = 0; c < r->setup->channels; c++) {
			rest[c] = stage[c];
			rest[c].first += pattern * rest[c].step;
		}
		r->wrong += pcm_not_silent(&other.pcm, rest, period - pattern);
	}
	free(memory);
	PCM_IOCTL(&other.pcm, DROP, NULL);
	pcm_close(&other.pcm);
}

static void wait_played(struct run *r, unsigned long frames, bool asking)
{
	unsigned int naps;

	for (naps = 0; counter(r, "frames") < (long long)frames; naps++) {
		if (naps == NAPS_MAX)
			pcm_die("the device does not move");
		if (asking)
			PCM_IOCTL(&r->pcm, HWSYNC, NULL);
		usleep(10 * NAP_US);
	}
}

/*
 * What comes after the end is silence, whatever was in the buffer. appl_ptr
 * moves once more after the start, so that nothing but the silence itself is
 * handed over behind it; who asks where the device is makes it begin anywhere.
 * With a threshold, kernels up to 6.3 put all of it right behind appl_ptr, and
 * no more than a period at a time, which who asks delays: so much can be relied
 * on.
 */
static void play_silence(struct run *r, unsigned long threshold,
			 unsigned long size, unsigned long end)
{
	unsigned long buffer = r->setup->period * r->setup->periods;
	struct pcm_thresholds t = {
		buffer - r->setup->period, PCM_BOUNDARY, threshold, size
	};

	begin(r, SNDRV_PCM_STREAM_PLAYBACK, r->c->access, &t);
	prepare(r);
	transfer_frames(r, buffer, PCM_PATTERN);
	wait_played(r, 4 * buffer, !threshold);
	PCM_IOCTL(&r->pcm, DROP, NULL);
	record_what_was_played(r, buffer, buffer + end);
	judge(r);
}

static void play_silence_all(struct run *r)
{
	play_silence(r, 0, PCM_BOUNDARY,
		     3 * r->setup->period * r->setup->periods);
}

static void play_silence_threshold(struct run *r)
{
	play_silence(r, 4 * r->setup->period, 4 * r->setup->period,
		     r->setup->period);
}

/*
 * A stream that is not free-running: nothing but the silence itself is handed
 * over behind appl_ptr
 */
static void play_silence_drain(struct run *r)
{
	unsigned long buffer = r->setup->period * r->setup->periods;
	struct pcm_thresholds t = {
		PCM_BOUNDARY, buffer, 0, PCM_BOUNDARY
	};
	unsigned long sound = 2 * r->setup->period + r->setup->period / 3;

	begin(r, SNDRV_PCM_STREAM_PLAYBACK, r->c->access, &t);
	pcm_prepare(&r->pcm);
	transfer_frames(r, buffer, PCM_JUNK);
	PCM_IOCTL(&r->pcm, DROP, NULL);
	prepare(r);
	transfer_frames(r, sound, PCM_PATTERN);
	drain(r);
	record_what_was_played(r, sound, PCM_BOUNDARY);
	judge(r);
}

/* a device that goes on to the end of the period plays zeros there, too */
static void play_drain_fresh(struct run *r)
{
	unsigned long sound = 2 * r->setup->period + r->setup->period / 3;
	struct pcm_thresholds t = stop_when_empty(r, PCM_BOUNDARY);

	begin(r, SNDRV_PCM_STREAM_PLAYBACK, r->c->access, &t);
	prepare(r);
	transfer_frames(r, sound, PCM_PATTERN);
	drain(r);
	record_what_was_played(r, sound, PCM_BOUNDARY);
	judge(r);
}

/*
 * What an application learns before it chooses anything
 */

/* each of the records has two layouts, for times of 32 and of 64 bits */
static void status_mmap(struct run *r, int stream)
{
	static const struct {
		const char *name;
		int prot;
		off_t ofs;
	} records[] = {
		{ "status", PROT_READ, SNDRV_PCM_MMAP_OFFSET_STATUS_NEW },
		{ "control", PROT_READ | PROT_WRITE,
		  SNDRV_PCM_MMAP_OFFSET_CONTROL_NEW },
		{ "old status", PROT_READ, SNDRV_PCM_MMAP_OFFSET_STATUS_OLD },
		{ "old control", PROT_READ | PROT_WRITE,
		  SNDRV_PCM_MMAP_OFFSET_CONTROL_OLD },
	};
	long page = sysconf(_SC_PAGESIZE);
	struct snd_pcm_mmap_control *control;
	struct snd_pcm_mmap_status *status;
	void *map[ARRAY_SIZE(records)];
	bool explicit, mapped;
	struct pcm pcm;
	unsigned int i;

	pcm_open(&pcm, card.number, stream, 0);
	explicit = pcm_info(&pcm) & SNDRV_PCM_INFO_EXPLICIT_SYNC;
	if (explicit != card.needs_sync)
		blame("EXPLICIT_SYNC is %sset, but the buffer needs %ssync",
		      explicit ? "" : "not ", card.needs_sync ? "" : "no ");
	for (i = 0; i < ARRAY_SIZE(records); i++) {
		map[i] = mmap(NULL, page, records[i].prot, MAP_SHARED, pcm.fd,
			      records[i].ofs);
		mapped = map[i] != MAP_FAILED;
		if (mmap(NULL, 2 * page, records[i].prot, MAP_SHARED, pcm.fd,
			 records[i].ofs) != MAP_FAILED)
			blame("more than the %s record can be mapped",
			      records[i].name);
		if (mmap(NULL, page, PROT_WRITE, MAP_SHARED, pcm.fd,
			 records[i].ofs) != MAP_FAILED)
			blame("the %s record can be mapped only to be written",
			      records[i].name);
		if (card.needs_sync && mapped)
			blame("the %s record can be mapped", records[i].name);
		/* of these, programs of 32 bits get status only */
		if (i <= (sizeof(long) == 8) && !card.needs_sync &&
		    !card.ack && !mapped && is_x86())
			blame("the %s record cannot be mapped", records[i].name);
	}
	status = map[0];
	control = map[1];
	if (sizeof(long) == 8 && status != MAP_FAILED && control != MAP_FAILED) {
		pcm_hw_params(&pcm, r->c->access, r->setup);
		if (status->state != SNDRV_PCM_STATE_SETUP)
			blame("what is mapped is not the status record");
		if (control->avail_min != r->setup->period)
			blame("what is mapped is not the control record");
		control->avail_min = 1;
		if (mprotect(status, page, PROT_READ | PROT_WRITE) == 0)
			blame("the status record can be written");
	}
	result->frames = 1;
}

static void play_status_mmap(struct run *r)
{
	status_mmap(r, SNDRV_PCM_STREAM_PLAYBACK);
}

static void record_status_mmap(struct run *r)
{
	status_mmap(r, SNDRV_PCM_STREAM_CAPTURE);
}

#define RW_I	SNDRV_PCM_ACCESS_RW_INTERLEAVED
#define RW_N	SNDRV_PCM_ACCESS_RW_NONINTERLEAVED
#define MMAP_I	SNDRV_PCM_ACCESS_MMAP_INTERLEAVED
#define MMAP_N	SNDRV_PCM_ACCESS_MMAP_NONINTERLEAVED

static const struct test_case cases[] = {
	{ "playback/write", "what was written is played",
	  RW_I, play_write },
	{ "playback/write-nonblock", "so is what was written without blocking",
	  RW_I, play_write, .flags = NONBLOCK },
	{ "playback/writen", "so is what was written channel by channel",
	  RW_N, play_write },
	{ "playback/mmap", "what was put into the map is played",
	  MMAP_I, play_mmap, BY_SYNC_PTR },
	{ "playback/mmap-hwsync", "hw_ptr learnt by SYNC_PTR with HWSYNC",
	  MMAP_I, play_mmap, BY_SYNC_PTR_HWSYNC },
	{ "playback/mmap-status", "hw_ptr learnt by STATUS",
	  MMAP_I, play_mmap, BY_STATUS },
	{ "playback/mmap-status-ext", "hw_ptr learnt by STATUS_EXT",
	  MMAP_I, play_mmap, BY_STATUS_EXT },
	{ "playback/mmap-delay", "hw_ptr learnt by DELAY",
	  MMAP_I, play_mmap, BY_DELAY },
	{ "playback/mmap-hwsync-ioctl", "hw_ptr learnt after HWSYNC",
	  MMAP_I, play_mmap, BY_HWSYNC },
	{ "playback/mmap-poll", "hw_ptr learnt after poll",
	  MMAP_I, play_mmap, BY_POLL },
	{ "playback/mmap-sigio", "hw_ptr learnt after SIGIO",
	  MMAP_I, play_mmap, BY_SIGIO },
	{ "playback/mmapn", "a map with an area for each channel",
	  MMAP_N, play_mmap },
	{ "playback/rewind", "what is put again is played, not what was first",
	  MMAP_I, play_rewind, .flags = UNHURRIED },
	{ "playback/rewind-write", "so is what is written again",
	  RW_I, play_rewind_write, .flags = UNHURRIED },
	{ "playback/rewind-race", "one thread gives, the other takes back",
	  MMAP_I, play_rewind_race, BY_COMMIT, UNHURRIED | COSTS_ANY },
	{ "playback/open-fails", "an open that fails does no harm to the next",
	  RW_I, play_open_fails },
	{ "playback/refused", "what the driver refused is handed over again",
	  MMAP_I, play_refused, .flags = READS_AHEAD },
	{ "playback/no-access", "SYNC_PTR of what cannot be accessed",
	  MMAP_I, play_no_access },
	{ "playback/meanwhile", "another thread gives more while frames are handed over",
	  MMAP_I, play_meanwhile, .flags = READS_AHEAD | SYNCED },
	{ "playback/forward", "appl_ptr moved by FORWARD",
	  MMAP_I, play_forward },
	{ "playback/reset", "what is put after RESET is played",
	  MMAP_I, play_reset, .flags = UNHURRIED },
	{ "playback/pause", "so is what is put again during a pause",
	  MMAP_I, play_pause },
	{ "playback/resume", "and what is put while it is suspended",
	  MMAP_I, play_resume, .flags = UNHURRIED },
	{ "playback/drain", "the end comes out, wherever it is",
	  RW_I, play_drain },
	{ "playback/restart", "what was queued before PREPARE does not matter",
	  MMAP_I, play_restart },
	{ "playback/xrun", "recovery from XRUN",
	  MMAP_I, play_xrun, .flags = UNHURRIED },
	{ "playback/underrun", "recovery from an underrun",
	  MMAP_I, play_underrun, .flags = CLOCKED },
	{ "playback/hw-params-again", "another layout of the same buffer",
	  MMAP_I, play_again },
	{ "playback/map-part", "a part of the map is that part of the buffer",
	  MMAP_I, play_map_part, .flags = NO_STREAM },
	{ "playback/map-prefaulted", "who writes to the map has no page faults",
	  MMAP_I, play_map_prefaulted, .flags = NO_STREAM },
	{ "playback/munmap", "writes after the map is gone",
	  MMAP_I, play_unmap, .flags = MONO },
	{ "playback/free-early", "appl_ptr never moves, written a lap ahead",
	  MMAP_I, play_free_early, BY_HWSYNC, FREE_RUNNING },
	{ "playback/free-late", "the same, written hardly a period ahead",
	  MMAP_I, play_free_late, BY_HWSYNC, FREE_RUNNING },
	{ "playback/free-late-n", "the same in areas",
	  MMAP_N, play_free_late, BY_HWSYNC, FREE_RUNNING },
	{ "playback/free-sw-params", "so it is if it is only told when it runs",
	  MMAP_I, play_free_sw_params, BY_HWSYNC, FREE_RUNNING },
	{ "playback/free-pause", "the same, written during pauses",
	  MMAP_I, play_free_pause, BY_HWSYNC, FREE_RUNNING | COSTS_ANY },
	{ "playback/free-resume", "the same, written while it is suspended",
	  MMAP_I, play_free_resume, BY_HWSYNC, FREE_RUNNING | COSTS_ANY },
	{ "playback/threads", "another thread asks in every way",
	  MMAP_I, play_threads },
	{ "playback/processes", "two processes put frames into one map",
	  MMAP_I, play_processes },
	{ "playback/silence", "silence_size == boundary silences what is played",
	  RW_I, play_silence_all, .flags = LOOP | COSTS_ANY },
	{ "playback/silence-threshold", "silence ahead of hw_ptr",
	  RW_I, play_silence_threshold, .flags = LOOP | COSTS_ANY },
	{ "playback/silence-drain", "silence behind the end",
	  RW_I, play_silence_drain, .flags = LOOP | COSTS_ANY | UNHURRIED },
	{ "playback/drain-fresh", "zeros behind the end, not what memory held",
	  RW_I, play_drain_fresh, .flags = LOOP | COSTS_ANY | UNHURRIED },
	{ "playback/status-mmap", "status and control mapped where allowed",
	  RW_I, play_status_mmap, .flags = NO_STREAM },

	{ "capture/read", "what was captured is read",
	  RW_I, record_read },
	{ "capture/read-nonblock", "also without blocking",
	  RW_I, record_read, .flags = NONBLOCK },
	{ "capture/readn", "also channel by channel",
	  RW_N, record_read },
	{ "capture/mmap", "what was captured is in the map",
	  MMAP_I, record_mmap, BY_SYNC_PTR },
	{ "capture/mmap-hwsync", "hw_ptr learnt by SYNC_PTR with HWSYNC",
	  MMAP_I, record_mmap, BY_SYNC_PTR_HWSYNC },
	{ "capture/mmap-status", "hw_ptr learnt by STATUS",
	  MMAP_I, record_mmap, BY_STATUS },
	{ "capture/mmap-status-ext", "hw_ptr learnt by STATUS_EXT",
	  MMAP_I, record_mmap, BY_STATUS_EXT },
	{ "capture/mmap-delay", "hw_ptr learnt by DELAY",
	  MMAP_I, record_mmap, BY_DELAY },
	{ "capture/mmap-hwsync-ioctl", "hw_ptr learnt after HWSYNC",
	  MMAP_I, record_mmap, BY_HWSYNC },
	{ "capture/mmap-poll", "hw_ptr learnt after poll",
	  MMAP_I, record_mmap, BY_POLL },
	{ "capture/mmap-sigio", "hw_ptr learnt after SIGIO",
	  MMAP_I, record_mmap, BY_SIGIO },
	{ "capture/mmapn", "a map with an area for each channel",
	  MMAP_N, record_mmap },
	{ "capture/forward", "appl_ptr moved by FORWARD",
	  MMAP_I, record_forward },
	{ "capture/rewind", "what was read can be read again",
	  MMAP_I, record_rewind },
	{ "capture/scribble", "what the application writes is not captured",
	  MMAP_I, record_scribble, .flags = WHOLE_LINES | UNHURRIED },
	{ "capture/scribble-late", "nor if that can be written only later",
	  MMAP_I, record_scribble_late, .flags = WHOLE_LINES | UNHURRIED },
	{ "capture/scribble-munmap", "nor is it after the map is gone",
	  MMAP_I, record_scribble_unmap,
	  .flags = WHOLE_LINES | UNHURRIED | MONO },
	{ "capture/old-memory", "nobody sees what was in memory before",
	  MMAP_I, record_old_memory, .flags = COSTS_ANY },
	{ "capture/resume", "what was captured around a suspend",
	  MMAP_I, record_resume, .flags = UNHURRIED },
	{ "capture/map-private", "a private map has counted pages only",
	  MMAP_I, record_map_private, .flags = NO_STREAM },
	{ "capture/map-prefaulted", "only who has to be noticed has",
	  MMAP_I, record_map_prefaulted, .flags = NO_STREAM },
	{ "capture/restart", "what was captured before PREPARE does not matter",
	  MMAP_I, record_restart },
	{ "capture/reset", "what was captured before RESET can still be read",
	  RW_I, record_reset },
	{ "capture/reset-mmap", "also in a map",
	  MMAP_I, record_reset, .flags = COSTS_ANY },
	{ "capture/reset-paused", "RESET syncs nothing again",
	  MMAP_I, record_reset_paused },
	{ "capture/xrun", "recovery from XRUN",
	  MMAP_I, record_xrun },
	{ "capture/overrun", "recovery from an overrun",
	  MMAP_I, record_overrun, .flags = CLOCKED },
	{ "capture/between", "what happened since the last period is told",
	  MMAP_I, record_between, .flags = CLOCKED },
	{ "capture/hw-params-again", "another layout of the same buffer",
	  MMAP_I, record_again },
	{ "capture/free", "appl_ptr never moves, as dsnoop's slave",
	  MMAP_I, record_free, BY_HWSYNC },
	{ "capture/free-sync-ptr", "the same, learnt without HWSYNC",
	  MMAP_I, record_free, BY_SYNC_PTR },
	{ "capture/threads", "another thread asks in every way",
	  MMAP_I, record_threads },
	{ "capture/meanwhile", "appl_ptr stays while the buffer is handed over",
	  MMAP_I, record_meanwhile, .flags = SYNCED },
	{ "capture/processes", "two processes read one map",
	  MMAP_I, record_processes },
	{ "capture/status-mmap", "status and control mapped where allowed",
	  RW_I, record_status_mmap, .flags = NO_STREAM },

	{ "both/linked", "linked streams",
	  MMAP_I, both_linked },
};

/* What has to be true of card and setup for a case to make sense */
static void check_conditions(const struct test_case *c,
			     const struct pcm_setup *setup)
{
	unsigned long bits = setup->format->bits * setup->channels;

	if (!!(c->flags & LOOP) == card.pattern && !(c->flags & NO_STREAM))
		skip("needs a card with pattern=%d", !(c->flags & LOOP));
	if (c->flags & UNHURRIED && !card.unhurried)
		skip("needs a device that waits, speed=0");
	if (card.dmaengine && (c->access == RW_N || c->access == MMAP_N))
		skip("a DMA controller knows of no areas");
	if (c->flags & FREE_RUNNING && card.ack)
		skip("a device that reads ahead needs appl_ptr");
	if (c->flags & READS_AHEAD && !card.ack)
		skip("needs a device that reads ahead, ack=1");
	if (c->flags & SYNCED && !card.needs_sync)
		skip("needs a buffer that is synced");
	if (c->flags & CLOCKED && card.unhurried)
		skip("needs a device that does not wait, speed=1");
	if (c->flags & MONO && setup->channels != 1)
		skip("read and write through a map's layout need one channel");
	if (c->flags & WHOLE_LINES && setup->period * bits / 8 % card.line)
		skip("a period has to be whole cache lines");
	if (setup->period * setup->periods * bits / 8 > card.buffer_max)
		skip("needs a card with larger buffers");
}

static const char *abi(void)
{
#if defined(__x86_64__) && defined(__ILP32__)
	return "x32 ";
#elif defined(__i386__)
	return sizeof(time_t) == 8 ? "i386-time64 " : "i386 ";
#else
	return "";
#endif
}

static void run_case(const struct test_case *c, const struct setup *s,
		     const char *note)
{
	struct run r = { .c = c, .setup = &s->setup };
	int status;
	pid_t pid;

	memset(result, 0, sizeof(*result));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(CASE_SECONDS);
		pcm_on_death = blame_and_exit;
		check_conditions(c, &s->setup);
		c->run(&r);
		exit(!!result->why[0]);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		ksft_exit_fail_msg("fork: %s\n", strerror(errno));
	if (WIFSIGNALED(status))
		blame("ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) && !result->why[0])
		blame("ended with status %d", WEXITSTATUS(status));

#define NAME	"%s%s %s%s%s: %s %s: %s", abi(), card.type, card.adversary, \
		note[0] ? " " : "", note, c->name, s->name
	if (result->skipped)
		ksft_test_result_skip(NAME, result->why);
	else
		ksft_test_result(!result->why[0], NAME, c->property);
	printf("\n# data\t%s\t%s\t%s\t%s\t%s%s\t%llu\t%llu\t%llu\t%llu\t%llu\t%s%s\n",
	       c->name, card.type, card.adversary, s->name, abi(), note,
	       result->wrong, result->frames, result->bytes,
	       result->for_device, result->for_cpu,
	       result->skipped ? "skip: " : "",
	       result->why[0] ? result->why : "ok");
}

static bool wanted(const char *name, char *const *patterns)
{
	if (!*patterns)
		return true;
	for (; *patterns; patterns++)
		if (!fnmatch(*patterns, name, 0))
			return true;
	return false;
}

static void find_formats(struct setup *s, const struct setup *from)
{
	unsigned int i;

	*s = *from;
	for (i = 0; i < pcm_formats_count; i++)
		if (pcm_formats[i].format == s->format)
			s->setup.format = &pcm_formats[i];
}

int main(int argc, char **argv)
{
	static char *const base[] = { "base", NULL };
	char *chosen[ARRAY_SIZE(setups) + 1] = { NULL };
	char *const *names = base;
	const char *note = "";
	unsigned int n = 0, count = 0;
	unsigned int i, j;
	bool cached = true;
	int option;

	while ((option = getopt(argc, argv, "n:s:u")) != -1) {
		if (option == 'n') {
			note = optarg;
		} else if (option == 's' && n < ARRAY_SIZE(setups)) {
			chosen[n++] = optarg;
			names = chosen;
		} else if (option == 'u') {
			cached = false;
		} else {
			fprintf(stderr,
				"usage: pcm-dma-sync [-u] [-n NOTE] [-s SETUP]... [CASE...]\n");
			return 2;
		}
	}

	setbuf(stdout, NULL);
	ksft_print_header();
	card.number = card_find(DRIVER, 0);
	if (card.number < 0)
		ksft_exit_skip("there is no card with the driver " DRIVER "\n");
	ask_card();
	card.needs_sync &= cached;
	result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (result == MAP_FAILED)
		ksft_exit_fail_msg("no memory\n");

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		for (j = 0; j < ARRAY_SIZE(setups); j++)
			count += wanted(cases[i].name, argv + optind) &&
				 wanted(setups[j].name, names);
	if (!count)
		ksft_exit_fail_msg("no such case or setup\n");
	ksft_set_plan(count);
	for (j = 0; j < ARRAY_SIZE(setups); j++) {
		struct setup s;

		find_formats(&s, &setups[j]);
		for (i = 0; i < ARRAY_SIZE(cases); i++)
			if (wanted(cases[i].name, argv + optind) &&
			    wanted(s.name, names))
				run_case(&cases[i], &s, note);
	}
	ksft_finished();
}
