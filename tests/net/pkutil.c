/*
 * What the commands of pktool share: clock, signals, socket addresses.
 */
#include "config.h"

#include "tests/net/pk.h"

#include <arpa/inet.h>
#include <err.h>
#include <string.h>

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

void
pk_signals_hold(sigset_t *mask)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigset_t held;

	if (sigemptyset(&held) == -1 || sigaddset(&held, SIGTERM) == -1 ||
	    sigaddset(&held, SIGINT) == -1 ||
	    sigprocmask(SIG_BLOCK, &held, mask) == -1 ||
	    sigdelset(mask, SIGTERM) == -1 || sigdelset(mask, SIGINT) == -1 ||
	    sigaction(SIGTERM, &sa, NULL) == -1 ||
	    sigaction(SIGINT, &sa, NULL) == -1)
		err(1, "signals");
}

bool
pk_stopped(void)
{
	sigset_t pending;

	/* Who never sleeps never lets one in: look. */
	if (stop == 0 && sigpending(&pending) == 0 &&
	    (sigismember(&pending, SIGTERM) == 1 ||
		sigismember(&pending, SIGINT) == 1))
		stop = 1;
	return stop != 0;
}

uint64_t
pk_now_ns(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		err(1, "clock_gettime");
	return (uint64_t)ts.tv_sec * PK_NS + (uint64_t)ts.tv_nsec;
}

bool
pk_until(struct timespec *ts, uint64_t end)
{
	uint64_t now = pk_now_ns(), left;

	if (now >= end)
		return false;
	left = end - now;
	if (left > PK_NS)
		left = PK_NS;
	ts->tv_sec = (time_t)(left / PK_NS);
	ts->tv_nsec = (long)(left % PK_NS);
	return true;
}

socklen_t
pk_sockaddr(struct sockaddr_storage *ss, const struct pk_addr *a,
    uint16_t port)
{
	struct sockaddr_in *in = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	memset(ss, 0, sizeof *ss);
	if (a->family == AF_INET) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		memcpy(&in->sin_addr, a->octets, 4);
		return sizeof *in;
	}
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons(port);
	memcpy(&in6->sin6_addr, a->octets, 16);
	return sizeof *in6;
}
