// SPDX-License-Identifier: GPL-2.0
/*
 * oss-pcm - play and record as programs for OSS do
 *
 *	oss-pcm [-mu] -p FRAMES FILE
 *	oss-pcm -d [-u] -p FRAMES FILE
 *	oss-pcm [-mu] -r FRAMES >FILE
 *
 * Through write and read calls, or with -m through the mapped buffer, whose
 * pointer tells where the device is and takes nothing back. 16 bits, with -u 8 bits
 * unsigned, stereo, 8000 Hz, so that a slow machine has time.
 *
 * With -d through the mapped buffer, too, but no more than that holds, and it is
 * SYNC that starts the device and waits for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/soundcard.h>
#include <unistd.h>

#define DEVICE		"/dev/dsp"
#define CHANNELS	2
#define FRAGMENTS	8
#define FRAGMENT_SHIFT	12
#define BUFFER		((size_t)FRAGMENTS << FRAGMENT_SHIFT)

static int format = AFMT_S16_LE;

static void die(const char *what)
{
	fprintf(stderr, "oss-pcm: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void set(int fd, unsigned long request, int value, const char *name)
{
	int got = value;

	if (ioctl(fd, request, &got) < 0)
		die(name);
	if (request != SNDCTL_DSP_SETFRAGMENT && got != value) {
		fprintf(stderr, "oss-pcm: %s: asked for %d, got %d\n", name,
			value, got);
		exit(1);
	}
}

static int setup(int flags)
{
	int fd = open(DEVICE, flags);

	if (fd < 0)
		die(DEVICE);
	set(fd, SNDCTL_DSP_SETFRAGMENT, FRAGMENTS << 16 | FRAGMENT_SHIFT,
	    "SETFRAGMENT");
	set(fd, SNDCTL_DSP_SETFMT, format, "SETFMT");
	set(fd, SNDCTL_DSP_CHANNELS, CHANNELS, "CHANNELS");
	set(fd, SNDCTL_DSP_SPEED, 8000, "SPEED");
	return fd;
}

static void write_all(int fd, const char *p, size_t bytes)
{
	ssize_t n;

	for (; bytes; p += n, bytes -= n) {
		n = write(fd, p, bytes < 4096 ? bytes : 4096);
		if (n <= 0)
			die("write");
	}
}

static void read_all(int fd, char *p, size_t bytes)
{
	ssize_t n;

	for (; bytes; p += n, bytes -= n) {
		n = read(fd, p, bytes < 4096 ? bytes : 4096);
		if (n <= 0)
			die("read");
	}
}

static char *map(int fd, int prot)
{
	char *area = mmap(NULL, BUFFER, prot, MAP_SHARED, fd, 0);

	if (area == MAP_FAILED)
		die("mmap");
	return area;
}

/* bytes that the device has moved since it was started */
static size_t position(int fd, unsigned long request)
{
	struct count_info info;

	if (ioctl(fd, request, &info) < 0)
		die("GETOPTR or GETIPTR");
	return info.bytes;
}

/*
 * A lap ahead of the device; behind the end is a lap of silence, as the device
 * goes on for a while when it is closed
 */
static void play_mapped(int fd, const char *sound, size_t bytes)
{
	char silence = format == AFMT_U8 ? 0x80 : 0;
	char *area = map(fd, PROT_READ | PROT_WRITE);
	size_t written = 0, played = 0;

	set(fd, SNDCTL_DSP_SETTRIGGER, 0, "SETTRIGGER");
	while (played < bytes + BUFFER) {
		for (; written < played + BUFFER; written++)
			area[written % BUFFER] =
				written < bytes ? sound[written] : silence;
		if (!played)
			set(fd, SNDCTL_DSP_SETTRIGGER, PCM_ENABLE_OUTPUT,
			    "SETTRIGGER");
		usleep(20000);
		played = position(fd, SNDCTL_DSP_GETOPTR);
	}
}

/* Which the device has once it has been asked for its pointer */
static void play_drained(int fd, const char *sound, size_t bytes)
{
	char *area = map(fd, PROT_READ | PROT_WRITE);

	memcpy(area, sound, bytes < BUFFER ? bytes : BUFFER);
	position(fd, SNDCTL_DSP_GETOPTR);
	if (ioctl(fd, SNDCTL_DSP_SYNC, 0) < 0)
		die("SYNC");
}

static void record_mapped(int fd, char *sound, size_t bytes)
{
	const char *area = map(fd, PROT_READ);
	size_t got = 0, there;

	set(fd, SNDCTL_DSP_SETTRIGGER, 0, "SETTRIGGER");
	set(fd, SNDCTL_DSP_SETTRIGGER, PCM_ENABLE_INPUT, "SETTRIGGER");
	while (got < bytes) {
		usleep(20000);
		there = position(fd, SNDCTL_DSP_GETIPTR);
		for (; got < there && got < bytes; got++)
			sound[got] = area[got % BUFFER];
	}
}

int main(int argc, char **argv)
{
	bool drained = false, mapped = false, play = false;
	size_t frames = 0, bytes;
	char *sound;
	int option, fd;
	FILE *file;

	while ((option = getopt(argc, argv, "dmp:r:u")) != -1) {
		if (option == 'd') {
			drained = true;
		} else if (option == 'm') {
			mapped = true;
		} else if (option == 'u') {
			format = AFMT_U8;
		} else if (option == 'p' || option == 'r') {
			play = option == 'p';
			frames = strtoul(optarg, NULL, 10);
		} else {
			return 2;
		}
	}
	bytes = frames * CHANNELS * (format == AFMT_U8 ? 1 : 2);
	sound = malloc(bytes);
	if (!bytes || !sound)
		return 2;
	if (play) {
		file = fopen(argv[optind], "r");
		if (!file || fread(sound, 1, bytes, file) != bytes)
			die(argv[optind]);
		fd = setup(mapped || drained ? O_RDWR : O_WRONLY);
		if (drained)
			play_drained(fd, sound, bytes);
		else if (mapped)
			play_mapped(fd, sound, bytes);
		else
			write_all(fd, sound, bytes);
		return close(fd) < 0;
	}
	fd = setup(O_RDONLY);
	if (mapped)
		record_mapped(fd, sound, bytes);
	else
		read_all(fd, sound, bytes);
	return fwrite(sound, 1, bytes, stdout) != bytes;
}
