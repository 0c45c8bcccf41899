// SPDX-License-Identifier: GPL-2.0
/*
 * pcm-fail-nth - when the kernel runs out of memory in the middle of a call,
 * does the call say so, is nothing lost, and does the same call work the next
 * time?
 *
 *	pcm-fail-nth [-n NOTE] [CASE...]
 *
 * Needs the virtual card snd-dmatest and a kernel that injects faults
 * (FAILSLAB, FAIL_PAGE_ALLOC, FAULT_INJECTION_DEBUG_FS) into what it is told to
 * by "slub_debug=A,CACHE..." on its command line: what the debuggers allocate
 * is not what is tested; without it, they give up.
 *
 * For each call on the way from open to close, and for binding and unbinding
 * the card, the first allocation that the kernel makes in it fails, then the
 * second, and so on until there are no more. A call fails with ENOMEM, or does
 * without the memory. If it fails, it is made again at once, and has to work.
 * CASEs are patterns for fnmatch (default: all).
 *
 * After each failure everything is closed, and as much has to be mapped for the
 * device as before, by the card's count and by that of the DMA API's debugger,
 * if there is one. What is lost otherwise, kmemleak finds.
 *
 * The figure behind each result is how many allocations failed, and how many of
 * them the call could do without.
 */
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../kselftest.h"
#include "pcm-util.h"

#define DRIVER	"dmatest"
#define MODULE	"snd_dmatest"
#define BUS	"/sys/bus/platform/drivers/" MODULE "/"
#define DEBUGFS	"/sys/kernel/debug/"

/* no call makes so many allocations */
#define NTH_MAX	20000

static const struct pcm_setup small = {
	&pcm_formats[1], 2, 48000, 512, 4,
};

static const struct pcm_setup larger = {
	&pcm_formats[1], 2, 48000, 768, 5,
};

static struct {
	int number;
	char type[16];
	char prealloc[16];
	char pattern[4];	/* "Y" if it knows what the frames should be */
	char device[32];	/* what the bus calls it */
} card;

static const char *note = "";
static int fail_nth;		/* the file */

static bool set(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);
	bool good = fd >= 0 && write(fd, value, strlen(value)) > 0;

	if (fd >= 0)
		close(fd);
	return good;
}

static long long number_in(const char *path)
{
	char text[32] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	if (fd >= 0)
		close(fd);
	return atoll(text);
}

/*
 * Faults
 */

/* Allocations that may wait fail, too, and no page is too small for it */
static bool faults_can_be_had(void)
{
	fail_nth = open("/proc/self/fail-nth", O_RDWR);
	return fail_nth >= 0 &&
	       set(DEBUGFS "failslab/cache-filter", "Y") &&
	       set(DEBUGFS "failslab/ignore-gfp-wait", "N") &&
	       set(DEBUGFS "failslab/verbose", "0") &&
	       set(DEBUGFS "fail_page_alloc/ignore-gfp-wait", "N") &&
	       set(DEBUGFS "fail_page_alloc/ignore-gfp-highmem", "N") &&
	       set(DEBUGFS "fail_page_alloc/min-order", "0") &&
	       set(DEBUGFS "fail_page_alloc/verbose", "0");
}

/*
 * Make a hole for buffers to be mapped to whose neighbours keep its page tables:
 * where remap_pfn_range() gets none, x86 warns before it fails.
 */
static void make_hole(void)
{
	const size_t size = 2 << 20;
	char *at = mmap(NULL, 2 * size, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		pcm_die("no memory");
	at += -(uintptr_t)at & (size - 1);
	memset(at, 1, size);
	munmap(at + size / 4, size / 2);
}

/* From here on, the @nth allocation of this process fails */
static void arm(unsigned int nth)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", nth);
	if (pwrite(fail_nth, text, strlen(text), 0) < 0)
		pcm_die("fail-nth: %s", strerror(errno));
}

/* Whether it did, when the call is over */
static bool disarm(void)
{
	char text[16] = "";

	if (pread(fail_nth, text, sizeof(text) - 1, 0) < 0)
		pcm_die("fail-nth: %s", strerror(errno));
	arm(0);
	return atoi(text) == 0;
}

/*
 * The way from open to close: each call returns 0 or a negative error
 */

static int call_open(struct pcm *pcm)
{
	return pcm_open_try(pcm, card.number, pcm->stream, 0) ? 0 : -errno;
}

static int call_hw_params(struct pcm *pcm)
{
	return pcm_hw_params_try(pcm, SNDRV_PCM_ACCESS_MMAP_INTERLEAVED,
				 &small) ? 0 : -errno;
}

static int call_mmap(struct pcm *pcm)
{
	return pcm_mmap_try(pcm) ? 0 : -errno;
}

static int call_prepare(struct pcm *pcm)
{
	return pcm_ioctl_may_fail(pcm, SNDRV_PCM_IOCTL_PREPARE, NULL);
}

static int call_munmap(struct pcm *pcm)
{
	return munmap(pcm->map, pcm->map_bytes) ? -errno : 0;
}

static int call_hw_params_again(struct pcm *pcm)
{
	return pcm_hw_params_try(pcm, SNDRV_PCM_ACCESS_MMAP_INTERLEAVED,
				 &larger) ? 0 : -errno;
}

static int call_hw_free(struct pcm *pcm)
{
	return pcm_ioctl_may_fail(pcm, SNDRV_PCM_IOCTL_HW_FREE, NULL);
}

static int call_close(struct pcm *pcm)
{
	return close(pcm->fd) < 0 ? -errno : 0;
}

static int call_bind(struct pcm *pcm)
{
	(void)pcm;
	return set(BUS "bind", card.device) ? 0 : -errno;
}

static int call_unbind(struct pcm *pcm)
{
	(void)pcm;
	return set(BUS "unbind", card.device) ? 0 : -errno;
}

/**
 * struct call - a call that may fail
 * @name: what to call it
 * @call: makes it; returns 0 or a negative error
 * @allocates: it cannot be done without memory
 * @also: another error that it may end with, besides ENOMEM
 */
struct call {
	const char *name;
	int (*call)(struct pcm *pcm);
	bool allocates;
	int also;
};

static const struct call stream_calls[] = {
	{ "open", call_open, true },
	{ "hw_params", call_hw_params, true },
	{ "mmap", call_mmap, true },
	{ "prepare", call_prepare },
	{ "munmap", call_munmap },
	{ "hw_params-again", call_hw_params_again, true },
	{ "hw_free", call_hw_free },
	{ "close", call_close },
};

/*
 * A card may do without a file in /proc or /dev if there is no memory; only the
 * next one has to have it again. The core of ALSA does not look whether a
 * device gets its name, and the one of devices takes none without.
 */
static const struct call card_calls[] = {
	{ "unbind", call_unbind },
	{ "bind", call_bind, true, -EINVAL },
};

/**
 * struct way - calls that end where they begin
 * @name: what to call it
 * @stream: SNDRV_PCM_STREAM_*
 * @calls: the calls
 * @count: number of calls
 */
struct way {
	const char *name;
	int stream;
	const struct call *calls;
	unsigned int count;
};

static const struct way ways[] = {
	{ "playback", SNDRV_PCM_STREAM_PLAYBACK, stream_calls,
	  ARRAY_SIZE(stream_calls) },
	{ "capture", SNDRV_PCM_STREAM_CAPTURE, stream_calls,
	  ARRAY_SIZE(stream_calls) },
	{ "card", 0, card_calls, ARRAY_SIZE(card_calls) },
};

/*
 * What has to be true afterwards
 */

struct held {
	long long maps;
	long long entries;
};

/* The core of ALSA never gives away again the number of a card that it failed on */
static struct held what_is_held(void)
{
	card.number = card_find(DRIVER, 0);
	if (card.number < 0)
		pcm_die("there is no card any more");
	return (struct held) {
		.maps = card_counter(card.number, "maps"),
		.entries = number_in(DEBUGFS "dma-api/num_free_entries"),
	};
}

/* Sound goes through, both ways, and the device has no fault */
static const char *sound_fails(void)
{
	struct pcm_thresholds t = { .start = 1, .stop = PCM_BOUNDARY };
	struct pcm_area area[PCM_CHANNELS_MAX];
	unsigned long frames = small.period * small.periods;
	long long first = -1;
	struct pcm pcm;
	void *memory;
	int stream;

	for (stream = 0; stream < 2; stream++) {
		card_counters_reset(card.number);
		pcm_open(&pcm, card.number, stream, 0);
		pcm_hw_params(&pcm, SNDRV_PCM_ACCESS_RW_INTERLEAVED, &small);
		pcm_sw_params(&pcm, &t);
		pcm_prepare(&pcm);
		memory = pcm_stage(&pcm, frames, area);
		if (stream == SNDRV_PCM_STREAM_PLAYBACK)
			pcm_fill(&pcm, area, 0, 0, frames, PCM_PATTERN);
		if (pcm_transfer(&pcm, area, frames) != (long)frames)
			return "a transfer fails";
		if (stream == SNDRV_PCM_STREAM_PLAYBACK)
			PCM_IOCTL(&pcm, DRAIN, NULL);
		else if (card.pattern[0] == 'Y' &&
			 pcm_check(&pcm, area, 0, 0, frames, &first))
			return "captured frames are wrong";
		free(memory);
		pcm_close(&pcm);
	}
	if (card_counter(card.number, "playback0.wrong"))
		return "played frames are wrong";
	if (card_counter(card.number, "faults"))
		return "the device had a fault";
	return NULL;
}

/*
 * One allocation after the other
 */

/*
 * Make the calls of @w, where the @nth allocation in @target fails; returns
 * whether there was such an allocation, and counts if @target did without.
 */
static bool make_calls(const struct way *w, const struct call *target,
		       unsigned int nth, unsigned int *without)
{
	struct pcm pcm = { .stream = w->stream };
	bool failed = false;
	unsigned int i;
	int err;

	for (i = 0; i < w->count; i++) {
		const struct call *c = &w->calls[i];

		if (c == target)
			arm(nth);
		err = c->call(&pcm);
		if (c == target) {
			failed = disarm();
			*without += failed && !err;
			if (failed && err && (err == -ENOMEM || err == c->also))
				err = c->call(&pcm);
		}
		if (err)
			pcm_die("%s/%s: allocation %u fails: %s: %s", w->name,
				target ? target->name : "", nth, c->name,
				strerror(-err));
	}
	return failed;
}

static void test_call(const struct way *w, const struct call *target)
{
	unsigned int nth, without = 0, had;
	struct held before, after;
	const char *why = NULL;
	char name[128];

	make_calls(w, NULL, 0, &without);
	before = what_is_held();
	for (nth = 1; !why; nth++) {
		had = without;
		if (!make_calls(w, target, nth, &without))
			break;
		/* what it did without, it has the next time */
		if (without > had)
			make_calls(w, NULL, 0, &without);
		after = what_is_held();
		if (after.maps != before.maps)
			why = "the card has other mappings than before";
		else if (after.entries != before.entries)
			why = "the DMA API has other mappings than before";
		else if (nth == NTH_MAX)
			why = "there is no end to it";
	}
	if (!why && target->allocates && nth == 1)
		why = "no allocation fails; see slub_debug=A";
	if (!why)
		why = sound_fails();
	if (why)
		ksft_print_msg("allocation %u: %s\n", nth - 1, why);
	snprintf(name, sizeof(name), "%s prealloc=%s%s%s: %s/%s", card.type,
		 card.prealloc, note[0] ? " " : "", note, w->name, target->name);
	ksft_test_result(!why, "%s: %u allocations fail, it does without %u\n",
			 name, nth - 1, without);
}

static void die_in_tap(const char *message)
{
	arm(0);
	ksft_exit_fail_msg("%s\n", message);
}

static bool wanted(const struct way *w, const struct call *c,
		   char *const *patterns)
{
	char name[64];

	snprintf(name, sizeof(name), "%s/%s", w->name, c->name);
	if (!*patterns)
		return true;
	for (; *patterns; patterns++)
		if (!fnmatch(*patterns, name, 0))
			return true;
	return false;
}

int main(int argc, char **argv)
{
	const struct way *w;
	unsigned int i, count = 0;
	int option;

	while ((option = getopt(argc, argv, "n:")) != -1) {
		if (option != 'n') {
			fprintf(stderr, "usage: pcm-fail-nth [-n NOTE] [CASE...]\n");
			return 2;
		}
		note = optarg;
	}

	setbuf(stdout, NULL);
	ksft_print_header();
	if (!faults_can_be_had())
		ksft_exit_skip("this kernel injects no faults\n");
	card.number = card_find(DRIVER, 0);
	if (card.number < 0)
		ksft_exit_skip("there is no card with the driver " DRIVER "\n");
	card_param(card.number, MODULE, "type", card.type, sizeof(card.type));
	card_param(card.number, MODULE, "prealloc", card.prealloc,
		   sizeof(card.prealloc));
	card_param(card.number, MODULE, "pattern", card.pattern,
		   sizeof(card.pattern));
	snprintf(card.device, sizeof(card.device), MODULE ".%d",
		 card_device_number(card.number));
	pcm_on_death = die_in_tap;
	make_hole();
	/* no page of this program is still to come when a call is made */
	if (mlockall(MCL_CURRENT))
		ksft_exit_fail_msg("mlockall: %s\n", strerror(errno));

	for (w = ways; w < ways + ARRAY_SIZE(ways); w++)
		for (i = 0; i < w->count; i++)
			count += wanted(w, &w->calls[i], argv + optind);
	if (!count)
		ksft_exit_fail_msg("no such case\n");
	ksft_set_plan(count);
	for (w = ways; w < ways + ARRAY_SIZE(ways); w++)
		for (i = 0; i < w->count; i++)
			if (wanted(w, &w->calls[i], argv + optind))
				test_call(w, &w->calls[i]);
	ksft_finished();
}
