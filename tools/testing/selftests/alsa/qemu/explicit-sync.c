// SPDX-License-Identifier: GPL-2.0
/*
 * explicit-sync - ask the kernel whether a PCM needs explicit sync
 *
 *	explicit-sync /dev/snd/pcmC0D0p
 *
 * Prints "yes" or "no", as SNDRV_PCM_INFO_EXPLICIT_SYNC says before any
 * parameter is chosen; that is when alsa-lib decides how it reads the
 * pointers.  With explicit sync the status record must not be mappable, and
 * without it must be, on architectures that map it at all: else the two ways
 * in which the kernel says the same thing contradict each other, which is an
 * error.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <sound/asound.h>

/* the headers of the machine this is built on may be older than the flag */
#ifndef SNDRV_PCM_INFO_EXPLICIT_SYNC
#define SNDRV_PCM_INFO_EXPLICIT_SYNC	0x10000000
#endif

#if defined(__x86_64__) || defined(__i386__) || defined(__powerpc__)
#define ARCH_MAPS_STATUS	1
#else
#define ARCH_MAPS_STATUS	0
#endif

static void die(const char *pcm, const char *what)
{
	fprintf(stderr, "explicit-sync: %s: %s: %s\n", pcm, what,
		strerror(errno));
	exit(1);
}

int main(int argc, char **argv)
{
	struct snd_pcm_hw_params params;
	unsigned int i;
	int fd, explicit, mapped;
	void *status;

	if (argc != 2) {
		fputs("usage: explicit-sync /dev/snd/pcmC0D0p\n", stderr);
		return 2;
	}
	fd = open(argv[1], O_RDWR | O_NONBLOCK);
	if (fd < 0)
		die(argv[1], "open");

	memset(&params, 0, sizeof(params));
	memset(params.masks, 0xff, sizeof(params.masks));
	for (i = 0; i < sizeof(params.intervals) / sizeof(params.intervals[0]); i++)
		params.intervals[i].max = ~0U;
	params.rmask = ~0U;
	if (ioctl(fd, SNDRV_PCM_IOCTL_HW_REFINE, &params) < 0)
		die(argv[1], "HW_REFINE");
	explicit = !!(params.info & SNDRV_PCM_INFO_EXPLICIT_SYNC);

	status = mmap(NULL, sysconf(_SC_PAGESIZE), PROT_READ, MAP_SHARED, fd,
		      SNDRV_PCM_MMAP_OFFSET_STATUS_NEW);
	mapped = status != MAP_FAILED;
	puts(explicit ? "yes" : "no");
	if (mapped != (ARCH_MAPS_STATUS && !explicit)) {
		fprintf(stderr,
			"explicit-sync: %s: EXPLICIT_SYNC is %sset, but the status record can%s be mapped\n",
			argv[1], explicit ? "" : "not ", mapped ? "" : "not");
		return 1;
	}
	return 0;
}
