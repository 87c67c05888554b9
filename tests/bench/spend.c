/*
 * What a short command costs: spend ROUNDS PROGRAM [ARGUMENT...] runs it so
 * often, one after the other, and prints its wall time from fork to exit and
 * the most memory that a run of it had, as one line of JSON.
 */
#include "config.h" /* _GNU_SOURCE: wait4() */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST_ROUNDS 100000

static uint64_t
now_us(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		exit(1);
	return (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000;
}

static int
compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void
run(char **argv)
{
	int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	if (fd == -1 || dup2(fd, STDOUT_FILENO) == -1)
		_exit(126);
	(void)execvp(argv[0], argv);
	_exit(127);
}

/* The exit code; 126 and up: it was not run to its end. */
static int
once(uint64_t *us, long *rss_kb, char **argv)
{
	struct rusage used;
	uint64_t begin = now_us();
	pid_t pid = fork();
	int status;

	if (pid == 0)
		run(argv);
	if (pid == -1 || wait4(pid, &status, 0, &used) != pid)
		return 126;
	*us = now_us() - begin;
	if (used.ru_maxrss > *rss_kb)
		*rss_kb = used.ru_maxrss;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 126;
}

int
main(int argc, char **argv)
{
	long rounds = argc > 2 ? strtol(argv[1], NULL, 10) : 0, rss_kb = 0;
	uint64_t *us;
	int code = 0;

	if (rounds < 1 || rounds > MOST_ROUNDS) {
		(void)fputs("usage: spend ROUNDS PROGRAM [ARGUMENT...]\n",
		    stderr);
		return 2;
	}
	us = calloc((size_t)rounds, sizeof *us);
	if (us == NULL)
		return 1;
	for (long i = 0; i < rounds; i++) {
		code = once(&us[i], &rss_kb, argv + 2);
		if (code == 126 || code == 127) {
			(void)fprintf(stderr, "spend: %s does not run\n",
			    argv[2]);
			return 1;
		}
	}
	qsort(us, (size_t)rounds, sizeof *us, compare);
	printf("{\"rounds\":%ld,\"best_us\":%llu,\"median_us\":%llu,"
	    "\"worst_us\":%llu,\"rss_kb\":%ld,\"code\":%d}\n", rounds,
	    (unsigned long long)us[0], (unsigned long long)us[rounds / 2],
	    (unsigned long long)us[rounds - 1], rss_kb, code);
	free(us);
	return 0;
}
