/*
 * Another time of day for one program and its children: loaded by
 * LD_PRELOAD, moved by PORTCULLIS_SKEW seconds.  Clocks that nobody sets stay
 * as they are.
 */
#include <sys/syscall.h>
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
