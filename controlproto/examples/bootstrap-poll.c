/*
 * How far Tor's bootstrap is, until it is done: libcontrolproto on poll(2),
 * with the cookie where Tor says that it is.
 *	bootstrap-poll unix:/run/tor/control
 *	bootstrap-poll 127.0.0.1:9051
 *
 *	cc -o bootstrap-poll bootstrap-poll.c \
 *	    $(pkg-config --cflags --libs libcontrolproto)
 */
#include <controlproto/link.h>
#include <err.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>

#define ANSWER_MS 10000 /* a Tor that starts is busy for seconds */

static void
wait_for(const struct cp_link *tor, int wait_ms)
{
	struct pollfd pfd = { .fd = cp_link_fd(tor),
		.events = cp_link_writes(tor) ? POLLOUT : POLLIN };

	if (poll(&pfd, 1, wait_ms) == -1 && errno != EINTR)
		err(1, "poll");
}

static void
show(const struct cp_bootstrap *bootstrap)
{
	char text[256];

	cp_bootstrap_show(text, sizeof text, bootstrap);
	if (puts(text) == EOF || fflush(stdout) == EOF)
		err(1, "output");
}

int
main(int argc, char *argv[])
{
	struct cp_step step = { .kind = CP_STEP_WAIT };
	struct cp_link *tor;

	if (argc != 2)
		errx(2, "usage: bootstrap-poll ADDRESS:PORT|unix:PATH");
	/* Who listens there must know the cookie, or is told nothing. */
	tor = cp_link_new(argv[1], CP_AUTH_SAFECOOKIE, ANSWER_MS);
	if (tor == NULL)
		errx(1, "out of memory");
	cp_session_watch_bootstrap(cp_link_session(tor));
	do {
		if (cp_link_next(tor, &step) != CP_OK)
			errx(1, "%s", cp_link_strerror(tor));
		if (step.kind == CP_STEP_WAIT)
			wait_for(tor, step.wait_ms);
		if (step.kind == CP_STEP_BOOTSTRAP)
			show(step.bootstrap);
	} while (step.kind != CP_STEP_BOOTSTRAP ||
	    step.bootstrap->progress < 100);
	cp_link_free(tor);
	return 0;
}
