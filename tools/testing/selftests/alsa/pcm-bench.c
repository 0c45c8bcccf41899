// SPDX-License-Identifier: GPL-2.0
/*
 * What handing a PCM buffer over costs: bytes synced, instructions executed
 *
 *	pcm-bench [-P] [-d DRIVER] [-b KIB]... [-p FRAMES]... MEASURE...
 *
 * Runs each stream of the driver's first card ("dmatest"), by mmap and by
 * transfer calls, with each buffer of so many KIB and each period of so many
 * FRAMES that is no longer than a quarter of it; 0 FRAMES stands for a quarter.
 * With -P, only playback runs.
 * Prints lines
 *
 *	STREAM ACCESS BYTES FRAMES WHAT VALUE
 *
 * with tabs between, where WHAT depends on the MEASURE:
 *
 *	sync	What was synced while the application moved some periods, by the
 *		counters of the card: "audio" is the bytes of these periods,
 *		"device" and "cpu" the bytes in the lines that were synced for
 *		either, "irqoff" the most bytes that were synced from one time
 *		with interrupts on to the next.
 *	ops	The instructions of each operation: "sync_ptr" and "hwsync"
 *		are SYNC_PTR, without and with HWSYNC, when nothing has moved,
 *		"woken" the latter as the first one after a period, "commit"
 *		SYNC_PTR that moves appl_ptr by a period, "round" both of
 *		them, "transfer" a transfer call of a period; "hwsync-ioctl" is
 *		the ioctl HWSYNC, which alsa-lib makes if the status is mapped.
 *	busy	The instructions that an application takes for a second of audio
 *		("busy"), by itself and in the kernel: of each round the median of
 *		some plays. "frames" is the frames of the first play, for what
 *		else counts in a machine.
 *	interrupt
 *		The instructions of the interrupt that ends a period and wakes the
 *		application, within snd_pcm_period_elapsed(), by the card.
 *
 * For instructions, this has to run in a machine whose clock counts them, and
 * nothing else (QEMU with -icount). Most of them are the smallest of many, which is
 * the same whatever interrupts; "woken" and "interrupt" are the median, as there
 * the position of the card, which moves on at random moments, makes a difference.
 *
 * To sync, the virtual card copies lines in software. So instructions are measured
 * with its parameter deaf=1, with which it only walks over them, at four
 * instructions for each, which is what arm64 takes. (What of this a cache does in
 * parallel, no counter of instructions tells.)
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "pcm-util.h"

/* -icount shift=1 */
#define NS_PER_INSTRUCTION	2

/* CONFIG_HZ=250 */
#define TICK_NS		4000000

#define RATE		48000
#define ROUNDS_MIN	4
#define ROUNDS_MAX	64
#define FRAMES_MAX	(1 << 20)
#define PROBES		8
#define PLAYS		16
#define LIST_MAX	16

#define QUERY		(SNDRV_PCM_SYNC_PTR_APPL | SNDRV_PCM_SYNC_PTR_AVAIL_MIN)

static const struct pcm_setup setup_base = {
	.format = &pcm_formats[1],	/* S16_LE */
	.channels = 2,
	.rate = RATE,
};

static int card;
static const char *where;	/* the first columns of the table */

/* Beside what failed, say with which buffer */
static void die(const char *message)
{
	fprintf(stderr, "%s: %s\n", where ?: "pcm-bench", message);
	exit(1);
}

static void print(const char *what, long long value)
{
	printf("%s\t%s\t%lld\n", where, what, value);
}

/*
 * Time
 */

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Begin at the same distance from whatever the kernel does regularly */
static void wait_for_second(long late_ns)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += 2;
	t.tv_nsec = late_ns;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

/* How much of the CPU was this program's, in user space and in the kernel */
static long long own_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int compare_times(const void *a, const void *b)
{
	long long x = *(const long long *)a, y = *(const long long *)b;

	return (x > y) - (x < y);
}

/* @looks: how often one of them looks at the clock */
struct times {
	const char *what;
	unsigned int looks;
	unsigned int count;
	long long ns[ROUNDS_MAX * PROBES];
};

static void times_add(struct times *times, long long since)
{
	times->ns[times->count++] = now() - since;
}

static void times_sort(struct times *times)
{
	qsort(times->ns, times->count, sizeof(*times->ns), compare_times);
}

/*
 * What it takes to look at the clock. That depends on the time, a little, so it is
 * tried at the times of what is measured.
 */
static struct times empty;

static void try_clock(void)
{
	times_add(&empty, now());
}

/* @nth: of the sorted times, in hundredths */
static void times_print(struct times *times, unsigned int nth)
{
	long long ns;

	if (!times->count)
		return;
	times_sort(times);
	times_sort(&empty);
	ns = times->ns[(times->count - 1) * nth / 100] -
	     times->looks * empty.ns[0];
	print(times->what, (ns + NS_PER_INSTRUCTION / 2) / NS_PER_INSTRUCTION);
}

/*
 * Streams
 */

static struct pcm_area areas[PCM_CHANNELS_MAX];

static bool is_mapped(const struct pcm *pcm)
{
	return pcm->map;
}

static void sync_ptr(struct pcm *pcm, unsigned int flags)
{
	int err = pcm_sync_ptr(pcm, flags);

	if (err < 0)
		pcm_die("SYNC_PTR: %s", strerror(-err));
	if (pcm->state != SNDRV_PCM_STATE_RUNNING &&
	    pcm->state != SNDRV_PCM_STATE_PREPARED)
		pcm_die("the stream has stopped, in state %d", pcm->state);
}

static void commit(struct pcm *pcm, unsigned long frames)
{
	pcm->appl_ptr = pcm_add(pcm, pcm->appl_ptr, frames);
	sync_ptr(pcm, SNDRV_PCM_SYNC_PTR_AVAIL_MIN);
}

static void transfer(struct pcm *pcm, unsigned long frames)
{
	long done = pcm_transfer(pcm, areas, frames);

	if (done != (long)frames)
		pcm_die("transfer of %lu frames: %s", frames,
			done < 0 ? strerror(-done) : "not all of them");
}

static void wait_for_period(struct pcm *pcm)
{
	if (!pcm_wait(pcm, 60000))
		pcm_die("no period within a minute");
}

/* What an application does for a period */
static void round_of(struct pcm *pcm)
{
	wait_for_period(pcm);
	if (is_mapped(pcm)) {
		sync_ptr(pcm, QUERY | SNDRV_PCM_SYNC_PTR_HWSYNC);
		commit(pcm, pcm->setup.period);
	} else {
		transfer(pcm, pcm->setup.period);
	}
}

static void fill(struct pcm *pcm)
{
	if (is_mapped(pcm))
		commit(pcm, pcm->buffer);
	else
		transfer(pcm, pcm->buffer);
}

static void start(struct pcm *pcm, long late_ns)
{
	pcm_prepare(pcm);
	if (pcm->stream == SNDRV_PCM_STREAM_PLAYBACK)
		fill(pcm);
	wait_for_second(late_ns);
	PCM_IOCTL(pcm, START, NULL);
}

static void restart(struct pcm *pcm, long late_ns)
{
	PCM_IOCTL(pcm, DROP, NULL);
	start(pcm, late_ns);
}

static unsigned int rounds_of(const struct pcm *pcm)
{
	unsigned long rounds = FRAMES_MAX / pcm->setup.period;

	return rounds < ROUNDS_MIN ? ROUNDS_MIN :
	       rounds > ROUNDS_MAX ? ROUNDS_MAX : rounds;
}

/*
 * Measures
 */

/* as the card's counters have it */
static const char *stream_name(const struct pcm *pcm)
{
	return pcm->stream == SNDRV_PCM_STREAM_PLAYBACK ? "playback0" :
							  "capture0";
}

static void measure_sync(struct pcm *pcm)
{
	const char *stream = stream_name(pcm);
	unsigned int rounds = rounds_of(pcm);
	unsigned int i;

	card_counters_reset(card);
	for (i = 0; i < rounds; i++)
		round_of(pcm);
	print("audio", pcm_frames_to_bytes(pcm, rounds * pcm->setup.period));
	print("device", card_counter(card, "%s.bytes_for_device", stream));
	print("cpu", card_counter(card, "%s.bytes_for_cpu", stream));
	print("irqoff", card_counter(card, "%s.irqoff_max", stream));
}

static void measure_ops(struct pcm *pcm)
{
	static struct times query = { "sync_ptr", 1 }, hwsync = { "hwsync", 1 },
			    plain = { "hwsync-ioctl", 1 },
			    woken = { "woken", 1 }, move = { "commit", 1 },
			    whole = { "round", 2 }, call = { "transfer", 1 };
	unsigned int rounds = rounds_of(pcm);
	long long begin, middle;
	unsigned int i, j;

	query.count = hwsync.count = plain.count = woken.count = 0;
	move.count = whole.count = call.count = empty.count = 0;
	for (i = 0; i < rounds; i++) {
		wait_for_period(pcm);
		try_clock();
		begin = now();
		if (!is_mapped(pcm)) {
			transfer(pcm, pcm->setup.period);
			times_add(&call, begin);
			continue;
		}
		sync_ptr(pcm, QUERY | SNDRV_PCM_SYNC_PTR_HWSYNC);
		times_add(&woken, begin);
		middle = now();
		commit(pcm, pcm->setup.period);
		times_add(&move, middle);
		whole.ns[whole.count++] = woken.ns[i] + move.ns[i];
		for (j = 0; j < PROBES; j++) {
			begin = now();
			sync_ptr(pcm, QUERY);
			times_add(&query, begin);
			begin = now();
			sync_ptr(pcm, QUERY | SNDRV_PCM_SYNC_PTR_HWSYNC);
			times_add(&hwsync, begin);
			begin = now();
			PCM_IOCTL(pcm, HWSYNC, NULL);
			times_add(&plain, begin);
		}
	}
	times_print(&query, 0);
	times_print(&hwsync, 0);
	times_print(&plain, 0);
	times_print(&woken, 50);
	times_print(&move, 0);
	times_print(&whole, 0);
	times_print(&call, 0);
}

/* Tell a plugin of QEMU where to count; see qemu/cache-ops.c */
static void mark_begin(void)
{
#ifdef __aarch64__
	asm volatile("hint #77" ::: "memory");
#endif
}

static void mark_end(void)
{
#ifdef __aarch64__
	asm volatile("hint #78" ::: "memory");
#endif
}

/*
 * In some of the plays a round is interrupted by the tick or the card, which is on this
 * program, or its period has ended before this sleeps.
 */
static void measure_busy(struct pcm *pcm)
{
	static long long ns[ROUNDS_MAX][PLAYS], look[ROUNDS_MAX];
	unsigned int play, i, rounds = rounds_of(pcm);
	long long frames = (long long)rounds * pcm->setup.period;
	long long begin, sum = 0;

	for (play = 0; play < PLAYS; play++) {
		if (play)
			restart(pcm, play * TICK_NS / PLAYS);
		else
			mark_begin();
		for (i = 0; i < rounds; i++) {
			begin = own_ns();
			round_of(pcm);
			ns[i][play] = own_ns() - begin;
		}
		if (!play)
			mark_end();
	}
	for (i = 0; i < rounds; i++) {
		begin = own_ns();
		look[i] = own_ns() - begin;
		qsort(ns[i], PLAYS, sizeof(ns[i][0]), compare_times);
		sum += ns[i][PLAYS / 2];
	}
	qsort(look, rounds, sizeof(look[0]), compare_times);
	sum -= rounds * look[0];
	print("frames", frames);
	print("busy", sum / NS_PER_INSTRUCTION * RATE / frames);
}

/* It does nothing else but to wait, or it would not sleep when a period ends */
static void measure_interrupt(struct pcm *pcm)
{
	static struct times elapsed = { "interrupt" };
	struct pcm_thresholds thresholds = {
		.start = PCM_BOUNDARY,
		.stop = pcm->buffer,
	};
	unsigned int periods = pcm->setup.periods - 1;

	restart(pcm, 0);
	elapsed.count = 0;
	while (elapsed.count < periods && elapsed.count < ROUNDS_MAX) {
		thresholds.avail_min += pcm->setup.period;
		pcm_sw_params(pcm, &thresholds);
		wait_for_period(pcm);
		elapsed.ns[elapsed.count++] =
			card_counter(card, "%s.elapsed_ns", stream_name(pcm));
	}
	times_print(&elapsed, 50);
}

static const struct measure {
	const char *name;
	void (*run)(struct pcm *pcm);
} measures[] = {
	{ "sync", measure_sync },
	{ "ops", measure_ops },
	{ "busy", measure_busy },
	{ "interrupt", measure_interrupt },
};

static const struct measure *find_measure(const char *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(measures) / sizeof(measures[0]); i++)
		if (!strcmp(measures[i].name, name))
			return &measures[i];
	pcm_die("there is no measure '%s', only sync, ops, busy and interrupt", name);
}

static void run(const struct measure *measure, int stream, bool mapped,
		const struct pcm_setup *setup)
{
	struct pcm_thresholds thresholds = { .start = PCM_BOUNDARY };
	char columns[64];
	void *memory;
	struct pcm pcm;

	snprintf(columns, sizeof(columns), "%s\t%s\t%lu\t%lu",
		 stream == SNDRV_PCM_STREAM_PLAYBACK ? "playback" : "capture",
		 mapped ? "mmap" : "rw", setup->period * setup->periods * 4,
		 setup->period);
	where = columns;
	pcm_open(&pcm, card, stream, 0);
	pcm_hw_params(&pcm, mapped ? SNDRV_PCM_ACCESS_MMAP_INTERLEAVED :
				     SNDRV_PCM_ACCESS_RW_INTERLEAVED, setup);
	thresholds.stop = pcm.buffer;
	pcm_sw_params(&pcm, &thresholds);
	memory = pcm_stage(&pcm, pcm.buffer, areas);
	if (mapped)
		pcm_mmap(&pcm);
	start(&pcm, 0);
	measure->run(&pcm);
	PCM_IOCTL(&pcm, DROP, NULL);
	pcm_close(&pcm);
	free(memory);
}

/*
 * What to run
 */

struct list {
	unsigned int count;
	unsigned long value[LIST_MAX];
};

static void list_add(struct list *list, const char *text)
{
	char *end;

	if (list->count == LIST_MAX)
		pcm_die("more than %d values", LIST_MAX);
	list->value[list->count++] = strtoul(text, &end, 10);
	if (end == text || *end)
		pcm_die("'%s' is not a number", text);
}

static bool is_listed(const struct list *list, unsigned long value)
{
	unsigned int i;

	for (i = 0; i < list->count; i++)
		if (list->value[i] == value)
			return true;
	return false;
}

static void run_all(const struct measure *measure, const struct list *buffers,
		    const struct list *periods, bool capture)
{
	struct pcm_setup setup = setup_base;
	unsigned int b, p;
	int i;

	for (i = 0; i < 4; i++) {
		if (!capture && i & 1)
			continue;
		for (b = 0; b < buffers->count; b++) {
			unsigned long frames = buffers->value[b] * 1024 / 4;

			for (p = 0; p < periods->count; p++) {
				setup.period = periods->value[p] ?: frames / 4;
				setup.periods = frames / setup.period;
				if (setup.periods < 4 ||
				    (!periods->value[p] &&
				     is_listed(periods, setup.period)))
					continue;
				run(measure, i & 1 ? SNDRV_PCM_STREAM_CAPTURE :
						     SNDRV_PCM_STREAM_PLAYBACK,
				    i & 2, &setup);
			}
		}
	}
}

int main(int argc, char **argv)
{
	struct list buffers = { 0 }, periods = { 0 };
	bool capture = true;
	const char *driver = "dmatest";
	int option;

	pcm_on_death = die;
	while ((option = getopt(argc, argv, "b:d:p:P")) != -1) {
		switch (option) {
		case 'b':
			list_add(&buffers, optarg);
			break;
		case 'd':
			driver = optarg;
			break;
		case 'p':
			list_add(&periods, optarg);
			break;
		case 'P':
			capture = false;
			break;
		default:
			pcm_die("usage: %s [-P] [-d DRIVER] -b KIB... -p FRAMES... sync|ops|busy|interrupt...",
				argv[0]);
		}
	}
	card = card_find(driver, 0);
	if (card < 0)
		pcm_die("there is no card of driver '%s'", driver);
	for (; optind < argc; optind++)
		run_all(find_measure(argv[optind]), &buffers, &periods, capture);
	return 0;
}
