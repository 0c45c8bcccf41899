// SPDX-License-Identifier: GPL-2.0
/*
 * cpu-time - what a program takes of the CPU
 *
 *	cpu-time PROGRAM [ARG...]
 *
 * Prints the microseconds that the program ran, in user space and in the kernel,
 * once it has ended.  time(1) knows no less than ten milliseconds.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static long long microseconds(struct timeval t)
{
	return 1000000LL * t.tv_sec + t.tv_usec;
}

int main(int argc, char **argv)
{
	struct rusage used;
	pid_t pid;
	int status;

	if (argc < 2) {
		fprintf(stderr, "usage: cpu-time PROGRAM [ARG...]\n");
		return 2;
	}
	pid = fork();
	if (!pid) {
		execvp(argv[1], argv + 1);
		fprintf(stderr, "cpu-time: %s: %s\n", argv[1], strerror(errno));
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &used) != pid) {
		fprintf(stderr, "cpu-time: fork or wait4: %s\n", strerror(errno));
		return 1;
	}
	if (status) {
		fprintf(stderr, "cpu-time: %s did not succeed\n", argv[1]);
		return 1;
	}
	printf("%lld\n", microseconds(used.ru_utime) +
			 microseconds(used.ru_stime));
	return 0;
}
