// SPDX-License-Identifier: GPL-2.0
/*
 * fragment - write to a file while free memory is in small pieces
 *
 *	fragment ORDER FILE TEXT
 *
 * Takes all memory that it can without somebody being killed for it, gives back
 * what lies in every other block of 2^ORDER pages, and writes TEXT to FILE.
 * All of it in one process: there may be no memory for another one.
 *
 * There must be no swap, and nothing that moves pages together again
 * (CONFIG_COMPACTION).
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>
#include <unistd.h>

/* so much is left for others, which may come in larger blocks */
#define LEFT_BYTES	(512UL * 1024)

static void die(const char *what)
{
	fprintf(stderr, "fragment: %s: %s\n", what, strerror(errno));
	exit(1);
}

static unsigned long free_bytes(void)
{
	struct sysinfo info;

	if (sysinfo(&info) < 0)
		die("sysinfo");
	return info.freeram * info.mem_unit;
}

int main(int argc, char **argv)
{
	unsigned long page = sysconf(_SC_PAGESIZE);
	unsigned long size, taken, at, given = 0;
	unsigned int order;
	int pagemap, file;
	char *area;

	if (argc != 4) {
		fprintf(stderr, "usage: fragment ORDER FILE TEXT\n");
		return 2;
	}
	order = atoi(argv[1]);
	pagemap = open("/proc/self/pagemap", O_RDONLY);
	if (pagemap < 0)
		die("/proc/self/pagemap");
	file = open(argv[2], O_WRONLY);
	if (file < 0)
		die(argv[2]);

	size = free_bytes();
	area = mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (area == MAP_FAILED)
		die("mmap");
	for (taken = 0; taken < size && free_bytes() > LEFT_BYTES; taken += page)
		area[taken] = 1;

	for (at = 0; at < taken; at += page) {
		uint64_t entry;

		if (pread(pagemap, &entry, sizeof(entry),
			  ((uintptr_t)area + at) / page * sizeof(entry)) !=
		    sizeof(entry))
			die("/proc/self/pagemap");
		/* the lower bits are the number of the page frame */
		if (entry >> order & 1)
			continue;
		if (madvise(area + at, page, MADV_DONTNEED) < 0)
			die("madvise");
		given += page;
	}

	/* a file of ALSA's does what it is told when it is closed */
	if (write(file, argv[3], strlen(argv[3])) < 0 || close(file) < 0)
		die(argv[2]);
	printf("%lu KiB were free in blocks of order %u, and %lu KiB in others\n",
		given / 1024, order, LEFT_BYTES / 1024);
	return 0;
}
