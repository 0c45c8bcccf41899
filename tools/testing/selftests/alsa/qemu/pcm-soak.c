// SPDX-License-Identifier: GPL-2.0
/*
 * pcm-soak - move very many frames through a PCM, and count
 *
 *	pcm-soak [-p|-c] [-r] [-n FRAMES]
 *
 * Needs the virtual card snd-dmatest with pattern=1 speed=0, which goes as fast
 * as the program does. Plays (-p) or captures (-c), through the map, or with -r
 * through read and write calls. No frame may be wrong, and what was moved and
 * synced has to be as much as it takes, to the byte. Prints a line for programs
 * to read, fields by tabs:
 *
 *	# data TYPE ADVERSARY DIRECTION ACCESS FRAMES WRONG DEVICE CPU
 *
 * DEVICE and CPU are the bytes synced for either, less those of hw_params and
 * of prepare.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../kselftest.h"
#include "../pcm-util.h"

/* the device has to move at all within so many milliseconds */
#define PATIENCE_MS	1000

/* periods of whole lines, so that none is synced twice for appl_ptr */
static const struct pcm_setup setup = { &pcm_formats[0], 1, 48000, 4096, 8 };

static int card;
static struct pcm pcm;
static bool by_call;
static unsigned long long wrong;

static bool is_playback(void)
{
	return pcm.stream == SNDRV_PCM_STREAM_PLAYBACK;
}

/* what the core has synced, see dma-sync.rst; 0 for a buffer that needs none */
static unsigned long long synced(const char *name)
{
	char path[64], line[64];
	unsigned long long value = 0;
	size_t len = strlen(name);
	FILE *file;

	snprintf(path, sizeof(path), "/proc/asound/card%d/pcm0%c/sub0/dma_buffer",
		 card, is_playback() ? 'p' : 'c');
	file = fopen(path, "r");
	if (!file)
		pcm_die("%s: %s", path, strerror(errno));
	while (fgets(line, sizeof(line), file))
		if (!strncmp(line, name, len) && line[len] == ':')
			value = strtoull(line + len + 1, NULL, 10);
	fclose(file);
	return value;
}

/* frames in whole periods, as many as there are at once */
static unsigned long some_frames(void)
{
	unsigned long frames;

	for (;;) {
		if (pcm_sync_ptr(&pcm, SNDRV_PCM_SYNC_PTR_APPL |
				 SNDRV_PCM_SYNC_PTR_HWSYNC) < 0)
			pcm_die("SYNC_PTR at frame %lu", pcm.appl_ptr);
		frames = pcm_avail(&pcm) / setup.period * setup.period;
		if (frames)
			return frames;
		if (!pcm_wait(&pcm, PATIENCE_MS))
			pcm_die("the device does not move, at frame %lu",
				pcm.appl_ptr);
	}
}

static void move(unsigned long frames, const struct pcm_area *stage)
{
	unsigned long ofs = pcm.appl_ptr % pcm.buffer;
	const struct pcm_area *areas = by_call ? stage : pcm.ring;
	long long first = -1;

	if (frames > pcm.buffer - ofs)
		frames = pcm.buffer - ofs;
	if (by_call)
		ofs = 0;
	if (is_playback())
		pcm_fill(&pcm, areas, ofs, pcm.appl_ptr, frames, PCM_PATTERN);
	if (by_call && pcm_transfer(&pcm, areas, frames) != (long)frames)
		pcm_die("a transfer at frame %lu", pcm.appl_ptr);
	if (!is_playback())
		wrong += pcm_check(&pcm, areas, ofs, pcm.appl_ptr, frames,
				   &first);
	if (first >= 0)
		printf("# frame %lld is wrong\n", first);
	pcm.appl_ptr += frames;
	if (!by_call && pcm_sync_ptr(&pcm, 0) < 0)
		pcm_die("SYNC_PTR at frame %lu", pcm.appl_ptr);
	if (is_playback() && pcm.state == SNDRV_PCM_STATE_PREPARED)
		PCM_IOCTL(&pcm, START, NULL);
}

static unsigned int bad;

static void equal(const char *what, unsigned long long got,
		  unsigned long long wanted)
{
	if (got == wanted)
		return;
	printf("# %s: %llu, and has to be %llu\n", what, got, wanted);
	bad++;
}

int main(int argc, char **argv)
{
	const struct pcm_thresholds thresholds = {
		.start = PCM_BOUNDARY,
		.stop = setup.period * setup.periods,
	};
	unsigned long long frames = 1000000, device, cpu, moved;
	int stream = SNDRV_PCM_STREAM_PLAYBACK;
	char type[16], adversary[16], speed[8];
	struct pcm_area stage[PCM_CHANNELS_MAX];
	bool needs_sync;
	const char *who;
	int option;

	while ((option = getopt(argc, argv, "cn:pr")) != -1) {
		switch (option) {
		case 'c':
			stream = SNDRV_PCM_STREAM_CAPTURE;
			break;
		case 'n':
			frames = strtoull(optarg, NULL, 10);
			break;
		case 'p':
			stream = SNDRV_PCM_STREAM_PLAYBACK;
			break;
		case 'r':
			by_call = true;
			break;
		default:
			fprintf(stderr, "usage: pcm-soak [-p|-c] [-r] [-n FRAMES]\n");
			return 2;
		}
	}

	ksft_print_header();
	card = card_find("dmatest", 0);
	if (card < 0)
		ksft_exit_skip("there is no card with the driver dmatest\n");
	card_param(card, "snd_dmatest", "speed", speed, sizeof(speed));
	if (strcmp(speed, "0"))
		ksft_exit_skip("needs a card with speed=0\n");
	card_param(card, "snd_dmatest", "type", type, sizeof(type));
	card_param(card, "snd_dmatest", "adversary", adversary,
		   sizeof(adversary));
	ksft_set_plan(1);

	pcm_open(&pcm, card, stream, 0);
	pcm_hw_params(&pcm, by_call ? SNDRV_PCM_ACCESS_RW_INTERLEAVED :
				      SNDRV_PCM_ACCESS_MMAP_INTERLEAVED,
		      &setup);
	pcm_sw_params(&pcm, &thresholds);
	if (!by_call)
		pcm_mmap(&pcm);
	pcm_stage(&pcm, pcm.buffer, stage);
	pcm_prepare(&pcm);
	card_counters_reset(card);
	device = synced("synced_for_device");
	cpu = synced("synced_for_cpu");
	needs_sync = device;

	if (!is_playback())
		PCM_IOCTL(&pcm, START, NULL);
	while (pcm.appl_ptr < frames)
		move(some_frames(), stage);
	PCM_IOCTL(&pcm, DROP, NULL);
	pcm_status(&pcm, SNDRV_PCM_IOCTL_STATUS);
	device = synced("synced_for_device") - device;
	cpu = synced("synced_for_cpu") - cpu;

	/* A frame is a byte here. The device may be ahead of hw_ptr. */
	who = is_playback() ? "playback0" : "capture0";
	moved = card_counter(card, "%s.frames", who);
	if (moved < pcm.hw_ptr || moved > pcm.hw_ptr + setup.period)
		equal("frames moved", moved, pcm.hw_ptr);
	equal("faults", card_counter(card, "faults"), 0);
	if (is_playback()) {
		wrong = card_counter(card, "playback0.wrong");
		equal("frames that were not given",
		      card_counter(card, "playback0.ungiven"), 0);
		equal("bytes for the device", device,
		      needs_sync ? pcm.appl_ptr : 0);
		equal("bytes for the CPU", cpu, 0);
	} else {
		equal("bytes for the device", device, 0);
		equal("bytes for the CPU", cpu, needs_sync ? pcm.hw_ptr : 0);
	}
	equal("wrong frames", wrong, 0);
	printf("# data\t%s\t%s\t%s\t%s\t%lu\t%llu\t%llu\t%llu\n", type,
	       adversary, is_playback() ? "playback" : "capture",
	       by_call ? "rw" : "mmap", pcm.appl_ptr, wrong, device, cpu);
	ksft_test_result(!bad, "%s %s %s %s: %lu frames, %llu wrong\n", type,
			 adversary, is_playback() ? "playback" : "capture",
			 by_call ? "rw" : "mmap", pcm.appl_ptr, wrong);
	ksft_finished();
}
