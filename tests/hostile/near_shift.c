/*
 * Moves the clocks of a running portcullisd: loaded by LD_PRELOAD into it and,
 * by near_env, into each of its programs.  The machine's clocks stay.
 *
 * CLOCK_MONOTONIC is moved with nothing: it stands still in a suspend.  The
 * gate is a fork of the keeper: it and the gate's own child have its role.
 */
#include "config.h" /* _GNU_SOURCE */

#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "tests/hostile/near_shift.h"

#define NFDS 1024

static struct near_page *page;
static enum near_role role;
static int clock_of_fd[NFDS];
static int (*real_gettime)(clockid_t, struct timespec *);
static int (*real_create)(int, int);
static int (*real_settime)(int, int, const struct itimerspec *,
    struct itimerspec *);

static void
on_fork(void)
{
	if (role == NEAR_KEEPER)
		role = NEAR_GATE;
}

/* ISO C has no cast from data to function; POSIX has this. */
static void
find(void *slot, const char *name)
{
	*(void **)slot = dlsym(RTLD_NEXT, name);
	if (*(void **)slot == NULL)
		abort();
}

static void __attribute__((constructor))
begin(void)
{
	const char *path = getenv(NEAR_PAGE_VARIABLE);
	const char *which = getenv(NEAR_ROLE_VARIABLE);
	int fd;

	find(&real_gettime, "clock_gettime");
	find(&real_create, "timerfd_create");
	find(&real_settime, "timerfd_settime");
	if (path == NULL)
		return;
	if (which != NULL)
		role = (enum near_role)atoi(which);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		abort();
	page = mmap(NULL, sizeof *page, PROT_READ, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED || pthread_atfork(NULL, NULL, on_fork) != 0)
		abort();
	(void)close(fd);
}

static int64_t
shift(clockid_t id)
{
	if (page == NULL)
		return 0;
	if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
		return page->seconds[role][NEAR_REALTIME];
	if (id == CLOCK_BOOTTIME)
		return page->seconds[role][NEAR_BOOTTIME];
	return 0;
}

int
clock_gettime(clockid_t id, struct timespec *now)
{
	if (real_gettime == NULL)
		find(&real_gettime, "clock_gettime");
	if (real_gettime(id, now) == -1)
		return -1;
	now->tv_sec += shift(id);
	return 0;
}

int
timerfd_create(int id, int flags)
{
	int fd = real_create(id, flags);

	if (fd >= 0 && fd < NFDS)
		clock_of_fd[fd] = id;
	return fd;
}

/* Theirs to the machine's; what is over by then fires at once. */
int
timerfd_settime(int fd, int flags, const struct itimerspec *new,
    struct itimerspec *old)
{
	struct itimerspec its = *new;

	if ((flags & TFD_TIMER_ABSTIME) != 0 && fd >= 0 && fd < NFDS &&
	    (its.it_value.tv_sec != 0 || its.it_value.tv_nsec != 0)) {
		its.it_value.tv_sec -= shift(clock_of_fd[fd]);
		if (its.it_value.tv_sec < 0)
			its.it_value = (struct timespec){ .tv_nsec = 1 };
	}
	return real_settime(fd, flags, &its, old);
}
