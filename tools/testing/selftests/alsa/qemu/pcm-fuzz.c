// SPDX-License-Identifier: GPL-2.0
/*
 * pcm-fuzz - random sequences of PCM operations, compared with a model
 *
 *	pcm-fuzz [-v] [-s SEED] [-n OPERATIONS] [-l LENGTH]
 *	pcm-fuzz [-v] -m [-s SEED] [-l LENGTH]
 *	pcm-fuzz [-v] -r FILE
 *
 * Needs the virtual card snd-dmatest with pattern=1. Runs sequences of LENGTH
 * operations (2000), each with a seed of its own and on a card that was just
 * probed, until OPERATIONS (10000) are done. What goes wrong is told with the
 * seed of its sequence. With -m, the sequence of SEED is made as short as it can
 * be and still goes wrong, and printed; -r runs what is in such a FILE. With -v,
 * each operation is printed.
 *
 * A line for each operation: the stream, "p" or "c", the name, the arguments as
 * in pcm-fuzz.h. What follows "#" is ignored.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
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
 * @states: how often each state was met, by stream
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

/* The card as it is after probe, with all its random numbers as at first */
static void replug(void)
{
	static const char *const what[] = { "unbind", "bind" };
	char path[128], name[32];
	unsigned int i;
	int fd;

	snprintf(name, sizeof(name), "snd_dmatest.%d", fuzz_card.device);
	for (i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), DRIVER_PATH "%s", what[i]);
		fd = open(path, O_WRONLY);
		if (fd < 0 || write(fd, name, strlen(name)) < 0)
			pcm_die("%s: %s", path, strerror(errno));
		close(fd);
	}
}

static void run_operations(void)
{
	struct fuzz_op *op;
	long result;
	unsigned int i;

	fuzz_on_divergence = on_divergence;
	pcm_on_death = on_divergence;
	alarm(SECONDS);
	fuzz_seed(run->seed);
	fuzz_begin();
	for (i = 0; i < run->count; i++) {
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

	replug();
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
	if (!run_sequence()) {
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
	fuzz_card.pattern = IS_SET("pattern");
	fuzz_card.needs_sync = !IS_SET("coherent") &&
			       (!strcmp(type, "noncontig") ||
				!strcmp(type, "noncoherent"));
}

static void usage(void)
{
	fprintf(stderr, "usage: pcm-fuzz [-v] [-m] [-s SEED] [-n OPERATIONS] [-l LENGTH] [-r FILE]\n");
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

	while ((option = getopt(argc, argv, "l:mn:r:s:v")) != -1) {
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
		case 'v':
			verbose = true;
			break;
		default:
			usage();
		}
	}
	if (optind < argc || !length)
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
		operations = run->count;
	}
	was_tainted = tainted();
	for (; total < operations; run->seed++) {
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
		if (failed >= 10)
			break;
	}
	for (k = 0; k < FUZZ_KINDS; k++)
		printf("# %s: %llu\n", fuzz_names[k], run->kinds[k]);
	printf("# data\t%lu\t%lu\t%u\n", total, exact, failed);
	ksft_test_result(!failed, "%lu operations, %u sequences go wrong\n",
			 total, failed);
	ksft_finished();
}
