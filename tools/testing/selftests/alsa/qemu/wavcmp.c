// SPDX-License-Identifier: GPL-2.0
/*
 * wavcmp - find what was played in what a card put out, and compare
 *
 *	wavcmp PLAYED.raw OUTPUT.wav TIMES
 *
 * PLAYED.raw holds 16-bit stereo frames, OUTPUT.wav what QEMU's wav backend
 * recorded while PLAYED.raw was played TIMES times, with silence in front of,
 * between and behind the repetitions.  For each repetition one line is
 * printed: the frames that came out, the frames that differ from PLAYED.raw,
 * and the first of those (-1: none).  Whatever is neither silence nor part of
 * a repetition counts as frames that differ.
 *
 * Exit status: 0 all frames equal, 1 some differ, 2 a file cannot be used.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHANNELS	2
#define FRAME_BYTES	(CHANNELS * sizeof(int16_t))

/**
 * struct sound - frames of 16-bit stereo sound in memory
 * @frame: the frames; both samples of one as a single number, as all that is
 *	asked of a frame is whether it equals another or is silence
 * @frames: how many
 */
struct sound {
	uint32_t *frame;
	long frames;
};

static void die(const char *file, const char *why)
{
	fprintf(stderr, "wavcmp: %s: %s\n", file, why);
	exit(2);
}

static void read_file(const char *name, char **data, long *size)
{
	FILE *file = fopen(name, "rb");

	if (!file || fseek(file, 0, SEEK_END) || (*size = ftell(file)) < 0)
		die(name, strerror(errno));
	rewind(file);
	*data = malloc(*size + 1);
	if (!*data)
		die(name, "does not fit in memory");
	if (fread(*data, 1, *size, file) != (size_t)*size)
		die(name, "cannot be read");
	fclose(file);
}

static struct sound read_raw(const char *name)
{
	struct sound sound;
	char *data;
	long size;

	read_file(name, &data, &size);
	sound.frame = (uint32_t *)data;
	sound.frames = size / FRAME_BYTES;
	return sound;
}

/*
 * Everything behind the header is taken to be sound: the sizes in the header
 * are only filled in when QEMU ends in good order.
 */
static struct sound read_wav(const char *name)
{
	enum { HEADER = 44, AT_CHANNELS = 22, AT_BITS = 34, AT_DATA = 36 };
	struct sound sound;
	char *data;
	long size;

	read_file(name, &data, &size);
	if (size < HEADER || memcmp(data, "RIFF", 4) ||
	    memcmp(data + AT_DATA, "data", 4))
		die(name, "is not a wav file as QEMU writes it");
	if (data[AT_CHANNELS] != CHANNELS || data[AT_BITS] != 16)
		die(name, "is not 16-bit stereo");
	sound.frame = (uint32_t *)(data + HEADER);
	sound.frames = (size - HEADER) / FRAME_BYTES;
	return sound;
}

/* the first frame from @from on that is not silence; all of them if none */
static long skip_silence(const struct sound *sound, long from)
{
	while (from < sound->frames && !sound->frame[from])
		from++;
	return from;
}

int main(int argc, char **argv)
{
	struct sound played, out;
	long lead, at = 0, differ_all = 0;
	int times, i;

	if (argc != 4 || (times = atoi(argv[3])) < 1) {
		fputs("usage: wavcmp PLAYED.raw OUTPUT.wav TIMES\n", stderr);
		return 2;
	}
	played = read_raw(argv[1]);
	out = read_wav(argv[2]);
	lead = skip_silence(&played, 0);
	if (lead == played.frames)
		die(argv[1], "is all silence, which nothing can be told from");

	for (i = 0; i < times; i++) {
		long sound = skip_silence(&out, at);
		long start = sound - lead;
		long came = 0, differ = 0, first = -1, k;

		for (k = 0; k < played.frames; k++) {
			long o = start + k;
			int here = o >= at && sound < out.frames &&
				   o < out.frames;

			came += here;
			if (here && out.frame[o] == played.frame[k])
				continue;
			if (!differ++)
				first = k;
		}
		at = start + played.frames;
		if (i == times - 1)
			while ((at = skip_silence(&out, at)) < out.frames) {
				differ++;
				at++;
			}
		printf("%ld %ld %ld\n", came, differ, first);
		differ_all += differ;
	}
	return differ_all != 0;
}
