// SPDX-License-Identifier: GPL-2.0
/*
 * pcm-leaks - does a PCM buffer show what its memory held before?
 *
 *	pcm-leaks [-l]
 *
 * Needs the virtual card snd-dmatest with pattern=1. Makes its memory dirty in
 * several ways, sets up buffers of several sizes, and looks at all that can be
 * seen of them: the whole map, up to the end of its last page, before anything
 * was moved and while something is, and the frames that a rewind gives. There
 * have to be zeros, but where the application or the device has put frames.
 * With -l, the program plants what it looks for, to show that it finds it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../kselftest.h"
#include "../pcm-util.h"

#define SECRET		0xc3
#define DIRTY_BYTES	(8UL << 20)
#define NAP_US		1000
#define NAPS_MAX	5000

static const struct pcm_setup setups[] = {
	{ NULL, 1, 48000, 2048, 2 },	/* a page */
	{ NULL, 1, 48000, 16384, 4 },	/* larger */
	{ NULL, 1, 48000, 77, 15 },	/* smaller, cuts lines */
	{ NULL, 3, 48000, 1411, 3 },	/* a line of two channels, a page cut */
	{ NULL, 1, 48000, 64, 2 },	/* as small as there are */
	{ NULL, 2, 48000, 4099, 7 },
	{ NULL, 1, 48000, 511, 9 },	/* a bit more than a page */
};

static const struct {
	const char *name;
	snd_pcm_access_t access;
} accesses[] = {
	{ "mapped", SNDRV_PCM_ACCESS_MMAP_INTERLEAVED },
	{ "mapped by channel", SNDRV_PCM_ACCESS_MMAP_NONINTERLEAVED },
};

static int card;
static bool leaks;
static unsigned long long looked;	/* bytes */

/* shared with the processes that look */
static struct {
	char why[200];
} *found;

static void report(const char *when, const struct pcm *pcm, size_t at,
		   unsigned char value)
{
	if (!found->why[0])
		snprintf(found->why, sizeof(found->why),
			 "%s: %#x at %zu of %zu bytes", when, value, at,
			 pcm->bytes);
}

static void on_death(const char *message)
{
	if (!found->why[0])
		snprintf(found->why, sizeof(found->why), "%s", message);
	exit(1);
}

/* leaves SECRET in memory that is free */
static void dirty_memory(void)
{
	unsigned char *memory = mmap(NULL, DIRTY_BYTES, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
				     -1, 0);

	if (memory == MAP_FAILED)
		pcm_die("no memory to make dirty");
	memset(memory, SECRET, DIRTY_BYTES);
	munmap(memory, DIRTY_BYTES);
}

static void plant(struct pcm *pcm)
{
	if (leaks)
		pcm->map[pcm->map_bytes - 1] = SECRET;
}

static void look(struct pcm *pcm, const char *when)
{
	size_t i;

	looked += pcm->map_bytes;
	for (i = 0; i < pcm->map_bytes; i++)
		if (pcm->map[i]) {
			report(when, pcm, i, pcm->map[i]);
			return;
		}
}

/* all zeros, or the frames that were put there in the first lap */
static void look_at_frames(struct pcm *pcm, const char *when)
{
	struct pcm_area areas[PCM_CHANNELS_MAX];
	void *pattern = pcm_stage(pcm, pcm->buffer, areas);
	unsigned char *at, *wanted;
	unsigned long f;
	unsigned int c;
	size_t i;

	pcm_fill(pcm, areas, 0, 0, pcm->buffer, PCM_PATTERN);
	looked += pcm->map_bytes;
	for (f = 0; f < pcm->buffer; f++)
		for (c = 0; c < pcm->setup.channels; c++) {
			at = pcm->ring[c].base + (pcm->ring[c].first +
						  f * pcm->ring[c].step) / 8;
			wanted = areas[c].base + (areas[c].first +
						  f * areas[c].step) / 8;
			if (*at && *at != *wanted)
				report(when, pcm, at - pcm->map, *at);
		}
	for (i = pcm->bytes; i < pcm->map_bytes; i++)
		if (pcm->map[i])
			report("behind the end", pcm, i, pcm->map[i]);
	free(pattern);
}

static void learn(struct pcm *pcm)
{
	int err = pcm_sync_ptr(pcm, SNDRV_PCM_SYNC_PTR_APPL);

	if (err < 0)
		pcm_die("SYNC_PTR: %s", strerror(-err));
}

/* half a buffer of audio, and what is seen meanwhile */
static void move_frames(struct pcm *pcm)
{
	unsigned int naps;

	pcm_prepare(pcm);
	look(pcm, "after prepare");
	if (pcm->stream == SNDRV_PCM_STREAM_PLAYBACK) {
		pcm_fill(pcm, pcm->ring, 0, 0, pcm->buffer, PCM_PATTERN);
		pcm->appl_ptr = pcm->buffer;
		if (pcm_sync_ptr(pcm, 0) < 0)
			pcm_die("SYNC_PTR");
	}
	PCM_IOCTL(pcm, START, NULL);
	for (naps = 0; pcm->hw_ptr < pcm->buffer / 2 &&
	     pcm->state != SNDRV_PCM_STATE_XRUN; naps++) {
		if (naps == NAPS_MAX)
			pcm_die("the device does not move");
		usleep(NAP_US);
		learn(pcm);
		look_at_frames(pcm, "while it runs");
	}
	PCM_IOCTL(pcm, DROP, NULL);
	look_at_frames(pcm, "after drop");
}

static void set_up(struct pcm *pcm, snd_pcm_access_t access,
		   const struct pcm_setup *from)
{
	const struct pcm_thresholds thresholds = {
		.start = PCM_BOUNDARY,
		.stop = from->period * from->periods,
	};
	struct pcm_setup setup = *from;

	setup.format = &pcm_formats[0];
	pcm_hw_params(pcm, access, &setup);
	pcm_sw_params(pcm, &thresholds);
	if (access == SNDRV_PCM_ACCESS_RW_INTERLEAVED ||
	    access == SNDRV_PCM_ACCESS_RW_NONINTERLEAVED)
		return;
	pcm_mmap(pcm);
	plant(pcm);
	look(pcm, "after hw_params");
}

/* leaves all of the buffer full, and nothing mapped */
static void fill_up(struct pcm *pcm)
{
	memset(pcm->map, SECRET, pcm->bytes);
	pcm_munmap(pcm);
}

/*
 * Ways to get a buffer
 */

static void fresh(int stream, snd_pcm_access_t access, bool move)
{
	struct pcm pcm;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(setups); i++) {
		dirty_memory();
		pcm_open(&pcm, card, stream, O_NONBLOCK);
		set_up(&pcm, access, &setups[i]);
		if (move)
			move_frames(&pcm);
		fill_up(&pcm);
		pcm_close(&pcm);
	}
}

static void from_open(int stream, snd_pcm_access_t access)
{
	fresh(stream, access, false);
}

static void moving(int stream, snd_pcm_access_t access)
{
	fresh(stream, access, true);
}

static void again(int stream, snd_pcm_access_t access, bool hw_free)
{
	struct pcm pcm;
	unsigned int i;

	pcm_open(&pcm, card, stream, O_NONBLOCK);
	/* twice, for each to follow on another one */
	for (i = 0; i < 2 * ARRAY_SIZE(setups); i++) {
		set_up(&pcm, access, &setups[i * 4 % ARRAY_SIZE(setups)]);
		move_frames(&pcm);
		fill_up(&pcm);
		if (hw_free) {
			PCM_IOCTL(&pcm, HW_FREE, NULL);
			dirty_memory();
		}
	}
	pcm_close(&pcm);
}

static void after_hw_free(int stream, snd_pcm_access_t access)
{
	again(stream, access, true);
}

static void after_hw_params(int stream, snd_pcm_access_t access)
{
	again(stream, access, false);
}

/* what another process played or captured */
static void after_process(int stream, snd_pcm_access_t access)
{
	struct pcm pcm;
	unsigned int i;
	int status;
	pid_t pid;

	for (i = 0; i < ARRAY_SIZE(setups); i++) {
		fflush(stdout);
		pid = fork();
		if (!pid) {
			pcm_open(&pcm, card, stream, O_NONBLOCK);
			set_up(&pcm, access, &setups[1]);
			move_frames(&pcm);
			fill_up(&pcm);
			_exit(0);	/* without close */
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
			pcm_die("another process has not got through");
		pcm_open(&pcm, card, stream, O_NONBLOCK);
		set_up(&pcm, access, &setups[i]);
		move_frames(&pcm);
		pcm_close(&pcm);
	}
}

/*
 * Reads all that a rewind gives, which goes back to before the first frame;
 * frames there are silent, or those of the first lap
 */
static void read_all(struct pcm *pcm, const char *when)
{
	struct pcm_area areas[PCM_CHANNELS_MAX], wanted[PCM_CHANNELS_MAX];
	snd_pcm_uframes_t frames = pcm->buffer;
	void *memory = pcm_stage(pcm, pcm->buffer, areas);
	void *pattern = pcm_stage(pcm, pcm->buffer, wanted);
	size_t at;
	long got, f;
	unsigned int c;

	PCM_IOCTL(pcm, REWIND, &frames);
	learn(pcm);
	pcm_fill(pcm, wanted, 0, 0, pcm->buffer, PCM_PATTERN);
	got = pcm_transfer(pcm, areas, pcm->buffer);
	if (got <= 0)
		pcm_die("%s: read gives %ld", when, got);
	looked += pcm_frames_to_bytes(pcm, got);
	if (leaks)
		memset(memory, SECRET, pcm->setup.channels);
	for (f = 0; f < got; f++)
		for (c = 0; c < pcm->setup.channels; c++) {
			unsigned char *is = areas[c].base +
				(areas[c].first + f * areas[c].step) / 8;

			at = (pcm->appl_ptr + f) % pcm->buffer;
			at = (wanted[c].first + at * wanted[c].step) / 8;
			if (*is && *is != wanted[c].base[at])
				report(when, pcm, at, *is);
		}
	free(pattern);
	free(memory);
}

static void by_read(int stream, snd_pcm_access_t access)
{
	snd_pcm_access_t rw = access == SNDRV_PCM_ACCESS_MMAP_INTERLEAVED ?
			      SNDRV_PCM_ACCESS_RW_INTERLEAVED :
			      SNDRV_PCM_ACCESS_RW_NONINTERLEAVED;
	struct pcm pcm;
	unsigned int i;

	if (stream == SNDRV_PCM_STREAM_PLAYBACK)
		return;
	for (i = 0; i < ARRAY_SIZE(setups); i++) {
		pcm_open(&pcm, card, stream, O_NONBLOCK);
		set_up(&pcm, access, &setups[i]);
		move_frames(&pcm);
		fill_up(&pcm);
		set_up(&pcm, rw, &setups[(i + 2) % ARRAY_SIZE(setups)]);
		pcm_prepare(&pcm);
		read_all(&pcm, "read before start");
		pcm_prepare(&pcm);
		PCM_IOCTL(&pcm, START, NULL);
		if (!pcm_wait(&pcm, 1000))
			pcm_die("the device does not move");
		PCM_IOCTL(&pcm, PAUSE, (void *)1L);
		read_all(&pcm, "read after start");
		pcm_close(&pcm);
	}
}

static const struct {
	const char *name;
	void (*run)(int stream, snd_pcm_access_t access);
} ways[] = {
	{ "memory that was somebody else's", from_open },
	{ "the same, while frames move", moving },
	{ "after hw_free", after_hw_free },
	{ "after another hw_params", after_hw_params },
	{ "after another process", after_process },
	{ "frames before the first", by_read },
};

static void run(int stream, unsigned int a, unsigned int w, const char *type)
{
	unsigned long long *shared = (void *)(found + 1);
	int status;
	pid_t pid;

	found->why[0] = '\0';
	fflush(stdout);
	pid = fork();
	if (!pid) {
		pcm_on_death = on_death;
		alarm(120);
		ways[w].run(stream, accesses[a].access);
		*shared += looked;
		exit(0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		ksft_exit_fail_msg("fork: %s\n", strerror(errno));
	if (status && !found->why[0])
		snprintf(found->why, sizeof(found->why),
			 "ended with status %#x", status);
	ksft_test_result(!found->why[0], "%s %s, %s: %s%s%s\n", type,
			 stream ? "capture" : "playback", accesses[a].name,
			 ways[w].name, found->why[0] ? ": " : "", found->why);
}

int main(int argc, char **argv)
{
	unsigned int count = 2 * ARRAY_SIZE(accesses) * ARRAY_SIZE(ways);
	unsigned int a, w;
	char type[16];
	int stream;

	leaks = argc == 2 && !strcmp(argv[1], "-l");
	if (argc != 1 + leaks) {
		fprintf(stderr, "usage: pcm-leaks [-l]\n");
		return 2;
	}
	ksft_print_header();
	card = card_find("dmatest", 0);
	if (card < 0)
		ksft_exit_skip("there is no card with the driver dmatest\n");
	card_param(card, "snd_dmatest", "type", type, sizeof(type));
	found = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (found == MAP_FAILED)
		ksft_exit_fail_msg("no memory\n");

	/* there is nothing to rewind to in playback */
	count -= ARRAY_SIZE(accesses);
	ksft_set_plan(count);
	for (stream = 0; stream < 2; stream++)
		for (a = 0; a < ARRAY_SIZE(accesses); a++)
			for (w = 0; w < ARRAY_SIZE(ways); w++)
				if (stream || ways[w].run != by_read)
					run(stream, a, w, type);
	if (card_counter(card, "faults"))
		ksft_exit_fail_msg("the device had faults\n");
	printf("# data\t%llu\n", *(unsigned long long *)(found + 1));
	ksft_finished();
}
