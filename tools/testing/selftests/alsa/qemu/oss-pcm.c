// SPDX-License-Identifier: GPL-2.0
/*
 * oss-pcm - play and record as programs for OSS do
 *
 *	oss-pcm [-m] -p FRAMES FILE
 *	oss-pcm [-m] -r FRAMES >FILE
 *
 * Through write and read calls, or with -m through the mapped buffer, whose
 * pointer tells where the device is and takes nothing back. 16 bits, stereo,
 * 8000 Hz, so that a slow machine has time.
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
#define FRAME_BYTES	4
#define FRAGMENTS	8
#define FRAGMENT_SHIFT	12
#define BUFFER		((size_t)FRAGMENTS << FRAGMENT_SHIFT)

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
	set(fd, SNDCTL_DSP_SETFMT, AFMT_S16_LE, "SETFMT");
	set(fd, SNDCTL_DSP_CHANNELS, 2, "CHANNELS");
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
	char *area = map(fd, PROT_READ | PROT_WRITE);
	size_t written = 0, played = 0;

	set(fd, SNDCTL_DSP_SETTRIGGER, 0, "SETTRIGGER");
	while (played < bytes + BUFFER) {
		for (; written < played + BUFFER; written++)
			area[written % BUFFER] =
				written < bytes ? sound[written] : 0;
		if (!played)
			set(fd, SNDCTL_DSP_SETTRIGGER, PCM_ENABLE_OUTPUT,
			    "SETTRIGGER");
		usleep(20000);
		played = position(fd, SNDCTL_DSP_GETOPTR);
	}
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
	bool mapped = false, play = false;
	size_t bytes = 0;
	char *sound;
	int option, fd;
	FILE *file;

	while ((option = getopt(argc, argv, "mp:r:")) != -1) {
		if (option == 'm') {
			mapped = true;
		} else if (option == 'p' || option == 'r') {
			play = option == 'p';
			bytes = strtoul(optarg, NULL, 10) * FRAME_BYTES;
		} else {
			return 2;
		}
	}
	sound = malloc(bytes);
	if (!bytes || !sound)
		return 2;
	if (play) {
		file = fopen(argv[optind], "r");
		if (!file || fread(sound, 1, bytes, file) != bytes)
			die(argv[optind]);
		fd = setup(mapped ? O_RDWR : O_WRONLY);
		if (mapped)
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
