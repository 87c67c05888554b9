/*
 * Another time of day for one program and its children: loaded by
 * LD_PRELOAD, moved by PORTCULLIS_SKEW seconds.  Clocks that nobody sets stay
 * as they are.
 */
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <stdlib.h>
#include <unistd.h>

static time_t
skew(void)
{
	const char *text = getenv("PORTCULLIS_SKEW");

	return text != NULL ? (time_t)strtoll(text, NULL, 10) : 0;
}

int
clock_gettime(clockid_t id, struct timespec *now)
{
	/* Not the C library's: that name is ours now. */
	if (syscall(SYS_clock_gettime, id, now) == -1)
		return -1;
	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		now->tv_sec += skew();
	return 0;
}

int
gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec ts;

	(void)zone;
	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		return -1;
	now->tv_sec = ts.tv_sec;
	now->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t
time(time_t *now)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME_COARSE, &ts) == -1)
		return (time_t)-1;
	if (now != NULL)
		*now = ts.tv_sec;
	return ts.tv_sec;
}
