// SPDX-License-Identifier: GPL-2.0
/*
 * pcm-apps - do applications that drive a PCM in their own way still work?
 *
 *	pcm-apps [-n NOTE] [WAY...]
 *
 * Each WAY (a pattern for fnmatch, default: all) is how a program that many
 * depend on uses the ioctls: which flags SYNC_PTR gets, what is mapped, what
 * wakes it up, how far appl_ptr runs ahead, what it takes back. tinyALSA does
 * that by itself; PipeWire and PulseAudio through alsa-lib, whose ioctls these
 * are.
 *
 * Needs the virtual card snd-dmatest with pattern=1 and speed=1. A way passes
 * if all frames are right and no more is synced than the rule in
 * Documentation/sound/designs/dma-sync.rst says. What was synced is told behind
 * each result.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../kselftest.h"
#include "pcm-util.h"

#define DRIVER	"dmatest"
#define MODULE	"snd_dmatest"

/* a way that hangs is ended after so many seconds */
#define WAY_SECONDS	120

#define HWSYNC		SNDRV_PCM_SYNC_PTR_HWSYNC
#define GET_BOTH	(SNDRV_PCM_SYNC_PTR_APPL | SNDRV_PCM_SYNC_PTR_AVAIL_MIN)

static struct {
	int number;
	char type[16];
	char adversary[16];
	unsigned long line;
	bool needs_sync;
} card;

/* why a way failed, and what it cost; shared with the process it runs in */
static struct result {
	char why[200];
	double for_device;
	double for_cpu;
} *result;

struct app;

/**
 * struct way - how an application uses a stream
 * @name: direction, program and what is particular
 * @property: what has to be true
 * @stream: SNDRV_PCM_STREAM_*
 * @access: how the buffer is used
 * @run: moves the frames
 * @setup: for hw_params
 * @thresholds: for sw_params
 * @look: SNDRV_PCM_SYNC_PTR_*, the flags by which it asks for avail
 */
struct way {
	const char *name;
	const char *property;
	int stream;
	snd_pcm_access_t access;
	void (*run)(struct app *a);
	struct pcm_setup setup;
	struct pcm_thresholds thresholds;
	unsigned int look;
};

/**
 * struct app - an application at work
 * @way: how it does
 * @pcm: the stream
 * @sync: the records of status and control, if they cannot be mapped
 * @status: that record, wherever it is
 * @control: that record
 * @mapped: whether they are mapped
 * @total: frames to move
 * @given: frames that appl_ptr went over
 * @back: frames that it went back
 * @asked: times that the kernel was asked or told something
 * @wrong: frames that the application found to be wrong
 * @first: the first of them, or -1
 */
struct app {
	const struct way *way;
	struct pcm pcm;
	struct snd_pcm_sync_ptr sync;
	struct snd_pcm_mmap_status *status;
	struct snd_pcm_mmap_control *control;
	bool mapped;
	unsigned long total;
	unsigned long given;
	unsigned long back;
	unsigned long asked;
	unsigned long wrong;
	long long first;
};

static unsigned long min(unsigned long a, unsigned long b)
{
	return a < b ? a : b;
}

static bool is_playback(const struct app *a)
{
	return a->way->stream == SNDRV_PCM_STREAM_PLAYBACK;
}

static bool is_mmap(const struct app *a)
{
	return a->way->access == SNDRV_PCM_ACCESS_MMAP_INTERLEAVED;
}

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

/*
 * The records and the pointers in them
 */

/* Both or none; what cannot be mapped is had by SYNC_PTR, from now on */
static void map_records(struct app *a)
{
	size_t page = sysconf(_SC_PAGESIZE);
	void *status, *control = MAP_FAILED;

	status = mmap(NULL, page, PROT_READ, MAP_SHARED, a->pcm.fd,
		      SNDRV_PCM_MMAP_OFFSET_STATUS);
	if (status != MAP_FAILED)
		control = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED,
			       a->pcm.fd, SNDRV_PCM_MMAP_OFFSET_CONTROL);
	a->mapped = control != MAP_FAILED;
	if (a->mapped && card.needs_sync)
		blame("the records can be mapped");
#if defined(__x86_64__) && !defined(__ILP32__)
	if (!a->mapped && !card.needs_sync)
		blame("the records cannot be mapped");
#endif
	if (a->mapped) {
		a->status = status;
		a->control = control;
		return;
	}
	if (status != MAP_FAILED)
		munmap(status, page);
	a->status = &a->sync.s.status;
	a->control = &a->sync.c.control;
}

/* Without SNDRV_PCM_SYNC_PTR_APPL it tells appl_ptr, with it, it is told */
static void sync_ptr(struct app *a, unsigned int flags)
{
	a->asked++;
	if (!a->mapped) {
		a->sync.flags = flags;
		PCM_IOCTL(&a->pcm, SYNC_PTR, &a->sync);
	} else if (flags & HWSYNC) {
		PCM_IOCTL(&a->pcm, HWSYNC, NULL);
	}
	if (a->status->state == SNDRV_PCM_STATE_XRUN)
		pcm_die("xrun at frame %lu", a->control->appl_ptr);
}

static unsigned long avail(struct app *a)
{
	a->pcm.hw_ptr = a->status->hw_ptr;
	a->pcm.appl_ptr = a->control->appl_ptr;
	return pcm_avail(&a->pcm);
}

static unsigned long look(struct app *a)
{
	sync_ptr(a, a->way->look);
	return avail(a);
}

/*
 * Writes frames at @ptr or checks those that are there, in one piece of the
 * buffer as mmap_begin gives it out; returns how many that were
 */
static unsigned long touch(struct app *a, unsigned long ptr,
			   unsigned long frames, enum pcm_content content)
{
	unsigned long ofs = ptr % a->pcm.buffer;

	frames = min(frames, a->pcm.buffer - ofs);
	if (is_playback(a))
		pcm_fill(&a->pcm, a->pcm.ring, ofs, ptr, frames, content);
	else
		a->wrong += pcm_check(&a->pcm, a->pcm.ring, ofs, ptr, frames,
				      &a->first);
	return frames;
}

static void commit(struct app *a, unsigned long frames)
{
	a->control->appl_ptr = pcm_add(&a->pcm, a->control->appl_ptr, frames);
	a->given += frames;
	sync_ptr(a, 0);
}

static void move(struct app *a, unsigned long frames, enum pcm_content content)
{
	while (frames) {
		unsigned long n = touch(a, a->control->appl_ptr, frames,
					content);

		commit(a, n);
		frames -= n;
	}
}

static void rewind_frames(struct app *a, unsigned long frames)
{
	snd_pcm_uframes_t arg = frames;

	PCM_IOCTL(&a->pcm, REWIND, &arg);
	if (arg != frames)
		pcm_die("REWIND of %lu frames went back %lu", frames, arg);
	a->back += frames;
	sync_ptr(a, GET_BOTH);
}

/*
 * Time
 */

static void sleep_frames(const struct app *a, unsigned long frames)
{
	unsigned long long ns = frames * 1000000000ULL / a->way->setup.rate;
	struct timespec time = { ns / 1000000000, ns % 1000000000 };

	clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
}

/* A timer that goes off every so many frames, late or not */
static void next_tick(const struct app *a, struct timespec *time,
		      unsigned long frames)
{
	if (!time->tv_sec)
		clock_gettime(CLOCK_MONOTONIC, time);
	time->tv_nsec += frames * 1000000000ULL / a->way->setup.rate;
	time->tv_sec += time->tv_nsec / 1000000000;
	time->tv_nsec %= 1000000000;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, time, NULL);
}

static void check_time(struct app *a, struct timespec *last)
{
	struct timespec now;

	now.tv_sec = a->status->tstamp.tv_sec;
	now.tv_nsec = a->status->tstamp.tv_nsec;
	if (now.tv_sec < last->tv_sec || (now.tv_sec == last->tv_sec &&
					  now.tv_nsec < last->tv_nsec))
		pcm_die("the time of hw_ptr goes backwards");
	*last = now;
}

/*
 * tinyALSA: the application starts the stream, when there is enough in it, and
 * polls for avail_min; without interrupts it polls for as long as that should
 * take.
 */

static void tiny_start(struct app *a)
{
	sync_ptr(a, 0);
	if (a->status->state != SNDRV_PCM_STATE_RUNNING)
		PCM_IOCTL(&a->pcm, START, NULL);
}

static void tiny_wait(struct app *a, unsigned long frames)
{
	struct pollfd pollfd = {
		.fd = a->pcm.fd,
		.events = POLLIN | POLLOUT | POLLERR | POLLNVAL,
	};
	int ms = 1000;

	if (a->way->setup.flags & SNDRV_PCM_HW_PARAMS_NO_PERIOD_WAKEUP)
		ms = 1 + frames * 1000 / a->way->setup.rate;
	if (!poll(&pollfd, 1, ms) && ms == 1000)
		pcm_die("poll: nothing within 1 s");
}

/* pcm_mmap_write() or pcm_mmap_read() of so many frames */
static void tiny_transfer(struct app *a, unsigned long frames)
{
	unsigned long half = a->pcm.buffer / 2;

	sync_ptr(a, HWSYNC | GET_BOTH);
	if (!is_playback(a) && a->status->state == SNDRV_PCM_STATE_PREPARED)
		tiny_start(a);
	while (frames) {
		unsigned long n = look(a);

		if (n < a->way->setup.period) {
			tiny_wait(a, a->way->setup.period - n);
			continue;
		}
		n = min(n, frames);
		move(a, n, PCM_PATTERN);
		frames -= n;
		if (is_playback(a) && a->pcm.buffer - avail(a) >= half &&
		    a->status->state == SNDRV_PCM_STATE_PREPARED)
			tiny_start(a);
	}
}

static void tiny_mmap(struct app *a)
{
	while (a->status->hw_ptr < a->total)
		tiny_transfer(a, a->way->setup.period * 3 / 4);
}

/* pcm_writei() or pcm_readi() */
static void tiny_rw(struct app *a)
{
	unsigned long frames = a->way->setup.period;
	struct pcm_area stage[PCM_CHANNELS_MAX];
	unsigned long done = 0;

	pcm_stage(&a->pcm, frames, stage);
	if (!is_playback(a))
		tiny_start(a);
	while (done < a->total) {
		long n;

		if (is_playback(a))
			pcm_fill(&a->pcm, stage, 0, done, frames, PCM_PATTERN);
		n = pcm_transfer(&a->pcm, stage, frames);
		if (n <= 0)
			pcm_die("transfer of %lu frames: %s", frames,
				n ? strerror(-n) : "nothing moved");
		if (!is_playback(a))
			a->wrong += pcm_check(&a->pcm, stage, 0, done, n,
					      &a->first);
		done += n;
		a->asked += 2;
	}
	a->given = done;
	if (is_playback(a))
		PCM_IOCTL(&a->pcm, DRAIN, NULL);
}

/*
 * What AAudio does through tinyALSA: no interrupts, appl_ptr never moves. It
 * writes ahead of hw_ptr, or reads up to it, and asks where that is more often
 * than once a period.
 */
static void tiny_aaudio(struct app *a)
{
	unsigned long period = a->way->setup.period;
	unsigned long done = 0;

	do {
		unsigned long end = a->status->hw_ptr;

		if (is_playback(a))
			end += 3 * period;
		while (done < end)
			done += touch(a, done, end - done, PCM_PATTERN);
		if (a->status->state == SNDRV_PCM_STATE_PREPARED)
			tiny_start(a);
		sleep_frames(a, period / 4);
		look(a);
	} while (a->status->hw_ptr < a->total);
}

/*
 * PipeWire: a timer goes off for each quantum, whatever the device does. One
 * quantum is kept in the buffer; one that is too much is taken back.
 */

static void pipewire_avail(struct app *a, struct timespec *time)
{
	look(a);		/* snd_pcm_avail() */
	sync_ptr(a, GET_BOTH);
	sync_ptr(a, GET_BOTH);	/* snd_pcm_htimestamp() */
	check_time(a, time);
}

static void pipewire_play(struct app *a)
{
	unsigned long quantum = a->way->setup.period;
	struct timespec tick = { 0 }, time = { 0 };
	unsigned int round;

	move(a, 2 * quantum, PCM_PATTERN);
	PCM_IOCTL(&a->pcm, START, NULL);
	for (round = 0; a->status->hw_ptr < a->total; round++) {
		next_tick(a, &tick, quantum);
		pipewire_avail(a, &time);
		if (a->pcm.buffer - avail(a) > quantum + quantum / 2)
			rewind_frames(a, quantum);
		move(a, quantum, PCM_PATTERN);
		if (round % 4 == 0)
			move(a, quantum, PCM_JUNK);
	}
}

/* Of what there is too much is skipped; what was read can be read again */
static void pipewire_record(struct app *a)
{
	unsigned long quantum = a->way->setup.period;
	struct timespec tick = { 0 }, time = { 0 };
	unsigned int round;

	PCM_IOCTL(&a->pcm, START, NULL);
	for (round = 0; a->status->hw_ptr < a->total; round++) {
		snd_pcm_uframes_t skip = quantum / 3;

		next_tick(a, &tick, quantum);
		pipewire_avail(a, &time);
		move(a, min(avail(a), quantum), PCM_PATTERN);
		if (round % 4 == 1)
			rewind_frames(a, quantum / 2);
		if (round % 4 != 2 || avail(a) < skip)
			continue;
		PCM_IOCTL(&a->pcm, FORWARD, &skip);
		a->given += skip;
		sync_ptr(a, GET_BOTH);
	}
}

/*
 * PulseAudio: a buffer of two seconds is filled, and the next time it looks is
 * shortly before that ends, unless a new sound is to be heard at once: then all
 * but a few frames are taken back. An underrun stops nothing.
 */

static void pulse_status(struct app *a)
{
	struct snd_pcm_status status = { 0 };
	unsigned long delay;

	look(a);		/* snd_pcm_avail() */
	sync_ptr(a, GET_BOTH);
	PCM_IOCTL(&a->pcm, STATUS_EXT, &status);
	a->asked++;
	delay = is_playback(a) ? status.appl_ptr - status.hw_ptr :
				 status.hw_ptr - status.appl_ptr;
	if (status.appl_ptr != a->control->appl_ptr ||
	    status.hw_ptr < a->status->hw_ptr ||
	    (unsigned long)status.delay != delay)
		blame("STATUS_EXT: hw_ptr %lu, appl_ptr %lu, delay %ld",
		      status.hw_ptr, status.appl_ptr, status.delay);
}

static void pulse_play(struct app *a)
{
	unsigned long watermark = a->way->setup.rate / 10;
	unsigned long safeguard = a->way->setup.rate / 100;

	for (;;) {
		unsigned long sound = a->pcm.buffer / 4;

		pulse_status(a);
		if (a->status->hw_ptr >= a->total)
			break;
		/* a sound, and what another will take the place of */
		move(a, min(avail(a), sound), PCM_PATTERN);
		move(a, look(a), PCM_JUNK);
		if (a->status->state == SNDRV_PCM_STATE_PREPARED)
			PCM_IOCTL(&a->pcm, START, NULL);
		sleep_frames(a, sound / 2);
		pulse_status(a);
		rewind_frames(a, a->pcm.buffer - avail(a) - safeguard);
		move(a, look(a), PCM_PATTERN);
		pulse_status(a);
		sleep_frames(a, a->pcm.buffer - avail(a) - watermark);
	}
}

static void pulse_record(struct app *a)
{
	PCM_IOCTL(&a->pcm, START, NULL);
	while (a->status->hw_ptr < a->total) {
		sleep_frames(a, a->pcm.buffer * 3 / 4);
		pulse_status(a);
		move(a, avail(a), PCM_PATTERN);
	}
}

/*
 * What is in the table
 */

#define PLAYBACK	SNDRV_PCM_STREAM_PLAYBACK
#define CAPTURE		SNDRV_PCM_STREAM_CAPTURE
#define RW		SNDRV_PCM_ACCESS_RW_INTERLEAVED
#define MMAP		SNDRV_PCM_ACCESS_MMAP_INTERLEAVED
#define NOIRQ		SNDRV_PCM_HW_PARAMS_NO_PERIOD_WAKEUP

/* four periods, whose ends cut cache lines */
#define TINY(flags)	{ NULL, 2, 48000, 1000, 4, flags }
#define TINY_PLAY	{ .start = 2000, .stop = 4000, .tstamp = true }
#define TINY_RECORD	{ .start = 1, .stop = 40000, .tstamp = true }
#define AAUDIO		{ NULL, 2, 48000, 250, 16, NOIRQ }
#define AAUDIO_FREE	{ .start = 1, .stop = PCM_BOUNDARY, .tstamp = true }
#define PIPEWIRE	{ NULL, 2, 48000, 1024, 16, NOIRQ }
#define PIPEWIRE_STOP	{ PCM_BOUNDARY, 16384, .tstamp = true }
/* two seconds in two periods */
#define PULSE		{ NULL, 2, 48000, 48000, 2, NOIRQ }
#define PULSE_FREE	{ PCM_BOUNDARY, PCM_BOUNDARY, .tstamp = true, \
			  .avail_min = 96000 - 4800 }

static const struct way ways[] = {
	{ "playback/tinyalsa-write", "pcm_writei()",
	  PLAYBACK, RW, tiny_rw, TINY(0), TINY_PLAY },
	{ "playback/tinyalsa-no-flag", "SYNC_PTR with no flag, poll",
	  PLAYBACK, MMAP, tiny_mmap, TINY(0), TINY_PLAY, 0 },
	{ "playback/tinyalsa-hwsync", "SYNC_PTR with HWSYNC alone, poll",
	  PLAYBACK, MMAP, tiny_mmap, TINY(0), TINY_PLAY, HWSYNC },
	{ "playback/tinyalsa-get", "SYNC_PTR that only asks, poll",
	  PLAYBACK, MMAP, tiny_mmap, TINY(0), TINY_PLAY, GET_BOTH },
	{ "playback/tinyalsa-noirq", "no interrupts, polls with a time-out",
	  PLAYBACK, MMAP, tiny_mmap, TINY(NOIRQ), TINY_PLAY, HWSYNC },
	{ "playback/tinyalsa-aaudio", "no interrupts, appl_ptr never moves",
	  PLAYBACK, MMAP, tiny_aaudio, AAUDIO, AAUDIO_FREE, HWSYNC },
	{ "playback/pipewire", "by a timer, with rewinds",
	  PLAYBACK, MMAP, pipewire_play, PIPEWIRE, PIPEWIRE_STOP,
	  HWSYNC | GET_BOTH },
	{ "playback/pulseaudio", "two seconds at once, with rewinds",
	  PLAYBACK, MMAP, pulse_play, PULSE, PULSE_FREE, HWSYNC | GET_BOTH },

	{ "capture/tinyalsa-read", "pcm_readi()",
	  CAPTURE, RW, tiny_rw, TINY(0), TINY_RECORD },
	{ "capture/tinyalsa-no-flag", "SYNC_PTR with no flag, poll",
	  CAPTURE, MMAP, tiny_mmap, TINY(0), TINY_RECORD, 0 },
	{ "capture/tinyalsa-hwsync", "SYNC_PTR with HWSYNC alone, poll",
	  CAPTURE, MMAP, tiny_mmap, TINY(0), TINY_RECORD, HWSYNC },
	{ "capture/tinyalsa-get", "SYNC_PTR that only asks, poll",
	  CAPTURE, MMAP, tiny_mmap, TINY(0), TINY_RECORD, GET_BOTH },
	{ "capture/tinyalsa-noirq", "no interrupts, polls with a time-out",
	  CAPTURE, MMAP, tiny_mmap, TINY(NOIRQ), TINY_RECORD, HWSYNC },
	{ "capture/tinyalsa-aaudio", "no interrupts, appl_ptr never moves",
	  CAPTURE, MMAP, tiny_aaudio, AAUDIO, AAUDIO_FREE, HWSYNC },
	{ "capture/pipewire", "by a timer, with rewinds and skips",
	  CAPTURE, MMAP, pipewire_record, PIPEWIRE, PIPEWIRE_STOP,
	  HWSYNC | GET_BOTH },
	{ "capture/pulseaudio", "one and a half seconds at once",
	  CAPTURE, MMAP, pulse_record, PULSE, PULSE_FREE, HWSYNC | GET_BOTH },
};

/*
 * Running them
 */

static long long counter(const struct app *a, const char *name)
{
	return card_counter(card.number, "%s0.%s",
			    is_playback(a) ? "playback" : "capture", name);
}

/*
 * A byte is synced once where it changes hands. A line may be cut at either end
 * of each range, of which there are two around the end of the buffer. Playback
 * that may overrun its buffer is given the next two periods at each.
 */
static void judge_costs(const struct app *a, unsigned long moved)
{
	const struct pcm *pcm = &a->pcm;
	unsigned long period = a->way->setup.period;
	size_t bytes = pcm_frames_to_bytes(pcm, a->given);
	size_t again = pcm_frames_to_bytes(pcm, a->back);
	size_t lines = (a->asked + moved / period + 1) * 4 * card.line;
	long long for_device = counter(a, "bytes_for_device");
	long long for_cpu = counter(a, "bytes_for_cpu");
	long long device_most, cpu_most = 0;

	device_most = is_playback(a) ? bytes + lines : 0;
	if (is_playback(a) && !a->given)
		device_most += pcm_frames_to_bytes(pcm, 2 * (moved + period));
	if (!is_playback(a))
		cpu_most = pcm_frames_to_bytes(pcm, moved) + again + lines;
	if (!card.needs_sync) {
		device_most = 0;
		cpu_most = 0;
	}
	if (for_device > device_most)
		blame("synced %lld bytes for device, at most %lld expected",
		      for_device, device_most);
	if (for_cpu > cpu_most)
		blame("synced %lld bytes for cpu, at most %lld expected",
		      for_cpu, cpu_most);
	bytes = pcm_frames_to_bytes(pcm, a->given ? a->given : moved);
	result->for_device = (double)for_device / bytes;
	result->for_cpu = (double)for_cpu / bytes;
}

static void judge(struct app *a)
{
	unsigned long long moved = counter(a, "frames");
	unsigned long long wrong = a->wrong;
	long long first = a->first;
	long long faults = card_counter(card.number, "faults");

	judge_costs(a, moved);
	if (is_playback(a)) {
		wrong = counter(a, "wrong");
		first = counter(a, "first_wrong");
	}
	if (wrong)
		blame("%llu of %llu frames wrong, the first is %lld", wrong,
		      moved, first);
	if (moved < a->total)
		blame("the device moved %llu frames of %lu", moved, a->total);
	if (faults)
		blame("%lld faults", faults);
}

static void run(const struct way *way)
{
	struct app a = { .way = way, .first = -1 };
	struct pcm_setup setup = way->setup;
	unsigned int i;

	for (i = 0; i < pcm_formats_count; i++)
		if (pcm_formats[i].format == SNDRV_PCM_FORMAT_S16_LE)
			setup.format = &pcm_formats[i];

	pcm_open(&a.pcm, card.number, way->stream, 0);
	map_records(&a);
	pcm_hw_params(&a.pcm, way->access, &setup);
	pcm_sw_params(&a.pcm, &way->thresholds);
	if (is_mmap(&a))
		pcm_mmap(&a.pcm);
	a.total = 3 * a.pcm.buffer;
	PCM_IOCTL(&a.pcm, PREPARE, NULL);
	card_counters_reset(card.number);
	sync_ptr(&a, GET_BOTH);

	way->run(&a);
	judge(&a);
	PCM_IOCTL(&a.pcm, DROP, NULL);
	pcm_close(&a.pcm);
}

static void run_way(const struct way *way, const char *note)
{
	int status;
	pid_t pid;

	memset(result, 0, sizeof(*result));
	fflush(stdout);
	pid = fork();
	if (!pid) {
		alarm(WAY_SECONDS);
		pcm_on_death = blame_and_exit;
		run(way);
		exit(!!result->why[0]);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		ksft_exit_fail_msg("fork: %s\n", strerror(errno));
	if (WIFSIGNALED(status))
		blame("ended by signal %d", WTERMSIG(status));
	else if (WEXITSTATUS(status) && !result->why[0])
		blame("ended with status %d", WEXITSTATUS(status));
	ksft_test_result(!result->why[0], "%s %s%s%s: %s: %s\n", card.type,
			 card.adversary, note[0] ? " " : "", note, way->name,
			 way->property);
	printf("# synced per byte: %.3f for device, %.3f for cpu\n",
	       result->for_device, result->for_cpu);
	if (result->why[0])
		printf("# %s\n", result->why);
}

static void ask_card(void)
{
	char value[32];

	card_param(card.number, MODULE, "type", card.type, sizeof(card.type));
	card_param(card.number, MODULE, "adversary", card.adversary,
		   sizeof(card.adversary));
	card.line = card_counter(card.number, "sync_unit");
	card_param(card.number, MODULE, "coherent", value, sizeof(value));
	card.needs_sync = value[0] != 'Y' &&
			  (!strcmp(card.type, "noncontig") ||
			   !strcmp(card.type, "noncoherent"));
}

static bool wanted(const char *name, char **patterns)
{
	bool any = !*patterns;

	for (; *patterns; patterns++)
		any |= !fnmatch(*patterns, name, 0);
	return any;
}

int main(int argc, char **argv)
{
	const char *note = "";
	unsigned int i, count = 0;
	int option;

	while ((option = getopt(argc, argv, "n:")) != -1) {
		if (option != 'n') {
			fprintf(stderr, "usage: pcm-apps [-n NOTE] [WAY...]\n");
			return 2;
		}
		note = optarg;
	}

	setbuf(stdout, NULL);
	ksft_print_header();
	card.number = card_find(DRIVER, 0);
	if (card.number < 0)
		ksft_exit_skip("there is no card with the driver " DRIVER "\n");
	ask_card();
	result = mmap(NULL, sizeof(*result), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (result == MAP_FAILED)
		ksft_exit_fail_msg("no memory\n");

	for (i = 0; i < ARRAY_SIZE(ways); i++)
		count += wanted(ways[i].name, argv + optind);
	if (!count)
		ksft_exit_fail_msg("no such way\n");
	ksft_set_plan(count);
	for (i = 0; i < ARRAY_SIZE(ways); i++)
		if (wanted(ways[i].name, argv + optind))
			run_way(&ways[i], note);
	ksft_finished();
}
