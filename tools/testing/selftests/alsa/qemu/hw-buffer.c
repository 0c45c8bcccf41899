// SPDX-License-Identifier: GPL-2.0
/*
 * hw-buffer - ask hw_params for a buffer
 *
 *	hw-buffer [-c] CARD BYTES
 *
 * Prints what hw_params says to a playback buffer, with -c a capture buffer, of so
 * many bytes in 16 periods, "Success" if it is had, and what procfs tells about it
 * then.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../pcm-util.h"

int main(int argc, char **argv)
{
	int stream = SNDRV_PCM_STREAM_PLAYBACK;
	struct pcm_setup setup = { NULL, 2, 48000, 0, 16 };
	struct pcm pcm;
	char line[80];
	unsigned int i;
	FILE *proc;

	if (argc == 4 && !strcmp(argv[1], "-c")) {
		stream = SNDRV_PCM_STREAM_CAPTURE;
		argc--;
		argv++;
	}
	if (argc != 3) {
		fprintf(stderr, "usage: hw-buffer [-c] CARD BYTES\n");
		return 2;
	}
	for (i = 0; i < pcm_formats_count; i++)
		if (pcm_formats[i].format == SNDRV_PCM_FORMAT_S16_LE)
			setup.format = &pcm_formats[i];
	setup.period = strtoul(argv[2], NULL, 10) / (4 * setup.periods);

	pcm_open(&pcm, atoi(argv[1]), stream, 0);
	errno = 0;
	pcm_hw_params_try(&pcm, SNDRV_PCM_ACCESS_RW_INTERLEAVED, &setup);
	printf("%s\n", strerror(errno));

	snprintf(line, sizeof(line), "/proc/asound/card%s/pcm0%c/sub0/dma_buffer",
		 argv[1], stream == SNDRV_PCM_STREAM_CAPTURE ? 'c' : 'p');
	proc = fopen(line, "r");
	while (proc && fgets(line, sizeof(line), proc))
		printf("%s", line);
	return 0;
}
