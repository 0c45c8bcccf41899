// SPDX-License-Identifier: GPL-2.0
/*
 * pcm-fuzz - random sequences of PCM operations, compared with a model
 *
 *	pcm-fuzz [-v] [-s SEED] [-n OPERATIONS] [-l LENGTH]
 *	pcm-fuzz [-v] -m [-s SEED] [-l LENGTH]
 *	pcm-fuzz [-v] -r FILE
 *	pcm-fuzz [-v] -t THREADS [-s SEED] [-n OPERATIONS] [-l LENGTH]
 *
 * Needs the virtual card snd-dmatest with pattern=1. Runs sequences of LENGTH
 * operations (2000), each with a seed of its own and on a card that was just
 * probed, until OPERATIONS (10000) are done. What goes wrong is told with the
 * seed of its sequence. With -m, the sequence of SEED is made as short as it can
 * be and still goes wrong, and printed; -r runs what is in such a FILE. With -t,
 * the first half of each sequence is done by so many threads at once. With -v,
 * each operation is printed.
 *
 * A line for each operation: the stream, "p" or "c", the name, the arguments as
 * in pcm-fuzz.h. What follows "#" is ignored.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "pcm-fuzz.h"

#define DRIVER		"dmatest"
#define MODULE		"snd_dmatest"
#define DRIVER_PATH	"/sys/bus/platform/drivers/snd_dmatest/"

/* a sequence is ended after so many seconds */
#define SECONDS		300

/* where threads race, the card may go within so many microseconds */
#define UNPLUG_US	200000

const char *const fuzz_names[FUZZ_KINDS] = {
	[FUZZ_OPEN] = "open", [FUZZ_CLOSE] = "close",
	[FUZZ_CLOSE_MAPPED] = "close_mapped", [FUZZ_UNPLUG] = "unplug",
	[FUZZ_HW_REFINE] = "hw_refine", [FUZZ_HW_PARAMS] = "hw_params",
	[FUZZ_HW_FREE] = "hw_free", [FUZZ_SW_PARAMS] = "sw_params",
	[FUZZ_STATUS] = "status", [FUZZ_STATUS_EXT] = "status_ext",
	[FUZZ_DELAY] = "delay", [FUZZ_HWSYNC] = "hwsync",
	[FUZZ_SYNC_PTR] = "sync_ptr", [FUZZ_PREPARE] = "prepare",
	[FUZZ_RESET] = "reset", [FUZZ_START] = "start", [FUZZ_DROP] = "drop",
	[FUZZ_DRAIN] = "drain", [FUZZ_PAUSE] = "pause",
	[FUZZ_REWIND] = "rewind", [FUZZ_FORWARD] = "forward",
	[FUZZ_XFER] = "xfer", [FUZZ_LINK] = "link", [FUZZ_UNLINK] = "unlink",
	[FUZZ_XRUN] = "xrun", [FUZZ_RESUME] = "resume",
	[FUZZ_TTSTAMP] = "ttstamp", [FUZZ_CHANNEL_INFO] = "channel_info",
	[FUZZ_USER_PVERSION] = "user_pversion", [FUZZ_FAULT] = "fault",
	[FUZZ_UNKNOWN] = "unknown", [FUZZ_POLL] = "poll", [FUZZ_MAP] = "map",
	[FUZZ_UNMAP] = "unmap", [FUZZ_REMAP] = "remap", [FUZZ_PUT] = "put",
	[FUZZ_GET] = "get", [FUZZ_JUNK] = "junk",
	[FUZZ_SCRIBBLE] = "scribble", [FUZZ_FORK] = "fork",
	[FUZZ_NAP] = "nap", [FUZZ_CHECK] = "check",
};

const unsigned char fuzz_args[FUZZ_KINDS] = {
	[FUZZ_HW_REFINE] = 6, [FUZZ_HW_PARAMS] = 6, [FUZZ_SW_PARAMS] = 6,
	[FUZZ_SYNC_PTR] = 4, [FUZZ_PAUSE] = 1, [FUZZ_REWIND] = 1,
	[FUZZ_FORWARD] = 1, [FUZZ_XFER] = 3, [FUZZ_LINK] = 1,
	[FUZZ_TTSTAMP] = 1, [FUZZ_CHANNEL_INFO] = 1, [FUZZ_USER_PVERSION] = 1,
	[FUZZ_FAULT] = 1, [FUZZ_UNKNOWN] = 1, [FUZZ_MAP] = 4,
	[FUZZ_UNMAP] = 1, [FUZZ_REMAP] = 1, [FUZZ_PUT] = 1, [FUZZ_GET] = 1,
	[FUZZ_JUNK] = 2, [FUZZ_SCRIBBLE] = 1, [FUZZ_NAP] = 1,
};

static bool verbose;

/**
 * struct sequence - operations, and how far they went
 * @made: they are made up as they run, from @seed
 * @seed: of the random numbers
 * @count: how many
 * @done: how many were carried out, and the one that went wrong if any did
 * @exact: after how many all that was played was compared
 * @kinds: how often each operation was done
 * @why: what went wrong, or empty
 * @op: the operations
 */
static struct sequence {
	bool made;
	uint32_t seed;
	unsigned int count;
	unsigned int done;
	unsigned long long exact;
	unsigned long long kinds[FUZZ_KINDS];
	char why[256];
	struct fuzz_op op[];
} *run;

static unsigned int length = 2000;
static unsigned int threads;
static __thread jmp_buf next_operation;

static void print_op(const struct fuzz_op *op)
{
	unsigned int i;

	printf("%c %s", op->stream ? 'c' : 'p', fuzz_names[op->what]);
	for (i = 0; i < fuzz_args[op->what]; i++)
		printf(" %ld", op->arg[i]);
}

/* the last operations, for who wants to know before they are minimised */
static void print_last(unsigned int count)
{
	unsigned int i = run->done < count ? 0 : run->done - count;

	for (; i < run->done; i++) {
		printf("#   ");
		print_op(&run->op[i]);
		printf("\n");
	}
}

static void on_divergence(const char *why)
{
	if (fuzz_racing)
		longjmp(next_operation, 1);
	if (!run->why[0])
		snprintf(run->why, sizeof(run->why), "%s", why);
	if (verbose) {
		if (run->done)
			print_op(&run->op[run->done - 1]);
		printf("\t# DIVERGES: %s\n", why);
	}
	fflush(stdout);
	_exit(1);
}

/* By the driver: "bind" or "unbind" */
static void bind_card(const char *what)
{
	char path[128], name[32];
	int fd;

	snprintf(name, sizeof(name), "snd_dmatest.%d", fuzz_card.device);
	snprintf(path, sizeof(path), DRIVER_PATH "%s", what);
	fd = open(path, O_WRONLY);
	if (fd < 0 || write(fd, name, strlen(name)) < 0)
		pcm_die("%s: %s", path, strerror(errno));
	close(fd);
}

/*
 * Racing: several threads on the same streams, and half of the time the card goes
 * meanwhile. What the model makes of that does not count; but the kernel finds
 * nothing wrong with itself, the device has no fault, and afterwards everything is
 * as the model says.
 */

/**
 * struct racer - one of the threads
 * @thread: its handle
 * @seed: of its random numbers
 * @count: operations that it has to do
 * @streams: what it knows of the streams at first
 */
struct racer {
	pthread_t thread;
	uint32_t seed;
	unsigned int count;
	struct fuzz_stream streams[FUZZ_STREAMS];
};

/* the streams are there for all, and none depends on the other */
static bool may_race(enum fuzz_what what)
{
	switch (what) {
	case FUZZ_OPEN:
	case FUZZ_CLOSE:
	case FUZZ_CLOSE_MAPPED:
	case FUZZ_UNPLUG:
	case FUZZ_LINK:
		return false;
	default:
		return true;
	}
}

static void *race(void *arg)
{
	struct racer *racer = arg;
	struct fuzz_op op;
	int m;

	memcpy(fuzz_streams, racer->streams, sizeof(racer->streams));
	fuzz_seed(racer->seed);
	while (racer->count) {
		fuzz_make(&op);
		if (!may_race(op.what))
			continue;
		racer->count--;
		if (!setjmp(next_operation))
			fuzz_do(&op);
	}
	for (m = 0; m < FUZZ_STREAMS; m++)
		fuzz_unmap(&fuzz_streams[m]);
	return NULL;
}

/* each begins with buffers of its own idea, of which one is the case */
static void set_up(struct racer *racer, unsigned int nth)
{
	struct fuzz_op op = {
		.what = FUZZ_HW_PARAMS,
		.arg = { SNDRV_PCM_ACCESS_MMAP_INTERLEAVED,
			 SNDRV_PCM_FORMAT_S16_LE, 2, 8000, 64 << nth, 4 },
	};

	racer->seed = fuzz_random(~0U);
	for (op.stream = 0; op.stream < FUZZ_STREAMS; op.stream++) {
		fuzz_do(&op);
		racer->streams[op.stream] = fuzz_streams[op.stream];
		fuzz_streams[op.stream].shadow = NULL;
		fuzz_streams[op.stream].known = NULL;
	}
}

static void run_racers(unsigned int count)
{
	struct racer *racers = calloc(threads, sizeof(*racers));
	pid_t unplug = 0;
	struct fuzz_op op = { .what = FUZZ_OPEN };
	unsigned int i;
	int status;

	if (!racers)
		pcm_die("no memory");
	for (op.stream = 0; op.stream < FUZZ_STREAMS; op.stream++)
		fuzz_do(&op);
	for (i = 0; i < threads; i++) {
		set_up(&racers[i], i);
		racers[i].count = count / threads;
	}
	if (fuzz_random(2)) {
		unplug = fork();
		if (!unplug) {
			for (i = 0; i < FUZZ_STREAMS; i++)
				close(fuzz_streams[i].pcm.fd);
			usleep(fuzz_random(UNPLUG_US));
			bind_card("unbind");
			_exit(0);
		}
		if (unplug < 0)
			pcm_die("fork: %s", strerror(errno));
	}
	fuzz_racing = true;
	for (i = 0; i < threads; i++)
		if (pthread_create(&racers[i].thread, NULL, race, &racers[i]))
			pcm_die("no thread");
	for (i = 0; i < threads; i++)
		pthread_join(racers[i].thread, NULL);
	fuzz_racing = false;
	for (i = 0; i < FUZZ_STREAMS; i++)
		close(fuzz_streams[i].pcm.fd);
	if (!unplug) {
		if (card_counter(fuzz_card.number, "faults"))
			pcm_die("the device had faults");
	} else {
		if (waitpid(unplug, &status, 0) != unplug || status)
			pcm_die("unbind ends with %d", status);
		bind_card("bind");
	}
	fuzz_begin();
	free(racers);
}

static void run_operations(void)
{
	struct fuzz_op *op;
	long result;
	unsigned int i = 0;

	fuzz_on_divergence = on_divergence;
	pcm_on_death = on_divergence;
	alarm(SECONDS);
	fuzz_seed(run->seed);
	fuzz_begin();
	if (threads) {
		i = run->count / 2;
		run_racers(i);
		run->done = i;
	}
	for (; i < run->count; i++) {
		op = &run->op[i];
		if (run->made)
			fuzz_make(op);
		run->done = i + 1;
		run->kinds[op->what]++;
		result = fuzz_do(op);
		run->exact += !fuzz_streams[0].tainted;
		if (verbose) {
			struct fuzz_stream *s = &fuzz_streams[op->stream];

			print_op(op);
			printf("\t# %ld, %s %lu %lu%s\n", result,
			       s->opened ? fuzz_states[s->now.state] : "CLOSED",
			       s->now.appl_ptr, s->now.hw_ptr,
			       s->tainted ? " tainted" : "");
			fflush(stdout);
		}
	}
	fuzz_end();
}

/* in a process of its own; returns whether it did what the model says */
static bool run_sequence(void)
{
	int status;
	pid_t pid;

	/* as it is after probe, with all its random numbers as at first */
	bind_card("unbind");
	bind_card("bind");
	run->done = 0;
	run->why[0] = '\0';
	fflush(stdout);
	pid = fork();
	if (!pid) {
		run_operations();
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		ksft_exit_fail_msg("fork: %s\n", strerror(errno));
	if (WIFSIGNALED(status))
		snprintf(run->why, sizeof(run->why), "ended by signal %d",
			 WTERMSIG(status));
	else if (status && !run->why[0])
		snprintf(run->why, sizeof(run->why), "ended with status %d",
			 status);
	return !run->why[0];
}

/* what the kernel finds wrong with itself shows here */
static unsigned long tainted(void)
{
	unsigned long taint = 0;
	FILE *file = fopen("/proc/sys/kernel/tainted", "r");

	if (!file || fscanf(file, "%lu", &taint) != 1)
		ksft_exit_fail_msg("/proc/sys/kernel/tainted: %s\n",
				   strerror(errno));
	fclose(file);
	return taint;
}

/*
 * Minimising
 */

/* without the operations from @from on; whether it still goes wrong */
static bool wrong_without(unsigned int from, unsigned int count)
{
	struct fuzz_op *left = malloc(run->count * sizeof(*left));
	unsigned int had = run->count;

	if (!left)
		ksft_exit_fail_msg("no memory\n");
	memcpy(left, run->op, had * sizeof(*left));
	memmove(run->op + from, run->op + from + count,
		(had - from - count) * sizeof(*left));
	run->count -= count;
	/* twice, or it was the timing */
	if (!run_sequence() && !run_sequence()) {
		if (run->done < run->count)
			run->count = run->done;
		free(left);
		return true;
	}
	run->count = had;
	memcpy(run->op, left, had * sizeof(*left));
	free(left);
	return false;
}

static void minimise(void)
{
	unsigned int step, from;
	bool shorter = true;

	if (run_sequence())
		ksft_exit_fail_msg("seed %u: nothing goes wrong\n", run->seed);
	run->made = false;
	run->count = run->done;
	for (step = run->count / 2; step || shorter; step /= 2) {
		if (!step)
			step = 1;
		shorter = false;
		for (from = 0; from + step <= run->count; )
			if (wrong_without(from, step))
				shorter = true;
			else
				from += step;
		fprintf(stderr, "# by %u: %u operations left\n", step,
			run->count);
		if (step == 1 && !shorter)
			break;
	}
	run_sequence();
	printf("# seed %u: %s\n", run->seed, run->why);
	for (from = 0; from < run->count; from++) {
		print_op(&run->op[from]);
		printf("\n");
	}
}

/*
 * Replaying
 */

static void read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[256], stream, name[32];
	struct fuzz_op *op;
	int n, what;

	if (!file)
		ksft_exit_fail_msg("%s: %s\n", path, strerror(errno));
	run->count = 0;
	while (fgets(line, sizeof(line), file)) {
		line[strcspn(line, "#\n")] = '\0';
		n = sscanf(line, " %c %31s", &stream, name);
		if (n <= 0)
			continue;
		if (run->count == length)
			ksft_exit_fail_msg("%s: more than %u operations\n",
					   path, length);
		op = &run->op[run->count++];
		*op = (struct fuzz_op){ .stream = stream == 'c' };
		for (what = 0; what < FUZZ_KINDS; what++)
			if (n == 2 && !strcmp(fuzz_names[what], name))
				break;
		if (what == FUZZ_KINDS)
			ksft_exit_fail_msg("%s: '%s' is no operation\n", path,
					   line);
		op->what = what;
		n = sscanf(line, " %*c %*s %ld %ld %ld %ld %ld %ld",
			   &op->arg[0], &op->arg[1], &op->arg[2], &op->arg[3],
			   &op->arg[4], &op->arg[5]);
		if ((n < 0 ? 0 : n) < fuzz_args[what])
			ksft_exit_fail_msg("%s: '%s': %u arguments are needed\n",
					   path, line, fuzz_args[what]);
	}
	fclose(file);
}

static void ask_card(void)
{
	unsigned long prealloc;
	char value[32], type[16];

#define ASK(name)	card_param(fuzz_card.number, MODULE, name, value, \
				   sizeof(value))
#define IS_SET(name)	(ASK(name), value[0] == 'Y')
	fuzz_card.device = card_device_number(fuzz_card.number);
	card_param(fuzz_card.number, MODULE, "type", type, sizeof(type));
	ASK("line");
	fuzz_card.line = strtoul(value, NULL, 10);
	ASK("buffer_max");
	fuzz_card.buffer_max = strtoul(value, NULL, 10) * 1024;
	ASK("prealloc");
	prealloc = strtoul(value, NULL, 10) * 1024;
	if (prealloc)		/* the core allows no more */
		fuzz_card.buffer_max = prealloc;
	fuzz_card.ack = IS_SET("ack");
	fuzz_card.nonatomic = IS_SET("nonatomic");
	fuzz_card.pattern = IS_SET("pattern");
	fuzz_card.needs_sync = !IS_SET("coherent") &&
			       (!strcmp(type, "noncontig") ||
				!strcmp(type, "noncoherent"));
}

static void usage(void)
{
	fprintf(stderr, "usage: pcm-fuzz [-v] [-m] [-s SEED] [-n OPERATIONS] [-l LENGTH] [-r FILE] [-t THREADS]\n");
	exit(2);
}

int main(int argc, char **argv)
{
	unsigned long operations = 10000, total = 0, exact = 0;
	unsigned long was_tainted;
	const char *file = NULL;
	unsigned int failed = 0;
	bool shorten = false;
	uint32_t seed = 1;
	int option, k;

	while ((option = getopt(argc, argv, "l:mn:r:s:t:v")) != -1) {
		switch (option) {
		case 'l':
			length = strtoul(optarg, NULL, 10);
			break;
		case 'm':
			shorten = true;
			break;
		case 'n':
			operations = strtoul(optarg, NULL, 10);
			break;
		case 'r':
			file = optarg;
			break;
		case 's':
			seed = strtoul(optarg, NULL, 10);
			break;
		case 't':
			threads = strtoul(optarg, NULL, 10);
			break;
		case 'v':
			verbose = true;
			break;
		default:
			usage();
		}
	}
	if (optind < argc || !length || (threads && (shorten || file)))
		usage();

	fuzz_card.number = card_find(DRIVER, 0);
	if (fuzz_card.number < 0)
		ksft_exit_skip("there is no card with the driver " DRIVER "\n");
	ask_card();
	if (!fuzz_card.pattern)
		ksft_exit_skip("needs a card with pattern=1\n");
	run = mmap(NULL, sizeof(*run) + length * sizeof(run->op[0]),
		   PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (run == MAP_FAILED)
		ksft_exit_fail_msg("no memory\n");
	run->seed = seed;
	run->count = length;
	run->made = true;

	if (shorten) {
		minimise();
		return 0;
	}
	ksft_print_header();
	ksft_set_plan(1);
	if (file) {
		run->made = false;
		read_file(file);
	}
	was_tainted = tainted();
	do {
		if (!file && operations - total < length)
			run->count = operations - total;
		if (!run_sequence()) {
			ksft_print_msg("seed %u: operation %u: %s\n", run->seed,
				       run->done, run->why);
			print_last(20);
			failed++;
		}
		total += run->done;
		exact = run->exact;
		if (tainted() != was_tainted) {
			ksft_print_msg("seed %u: the kernel found something wrong with itself\n",
				       run->seed);
			failed++;
			break;
		}
		run->seed++;
	} while (!file && total < operations && failed < 10);
	for (k = 0; k < FUZZ_KINDS; k++)
		printf("# %s: %llu\n", fuzz_names[k], run->kinds[k]);
	printf("# data\t%lu\t%lu\t%u\n", total, exact, failed);
	ksft_test_result(!failed, "%lu operations, %u sequences go wrong\n",
			 total, failed);
	ksft_finished();
}
