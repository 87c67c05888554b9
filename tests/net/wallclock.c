/*
 * Who reads the time of day by its older names is told what clock_gettime()
 * tells: part of each shared object of the tests that moves that clock.
 */
#include <sys/time.h>
#include <time.h>

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
