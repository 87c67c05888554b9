/*
 * How far Tor's bootstrap is, until it is done: libcontrolproto on libevent,
 * with the cookie where the caller says that it is.
 *	bootstrap-event 127.0.0.1:9051 /run/tor/control.authcookie
 *	bootstrap-event unix:/run/tor/control /run/tor/control.authcookie
 *
 *	cc -o bootstrap-event bootstrap-event.c \
 *	    $(pkg-config --cflags --libs libcontrolproto libevent_core)
 */
#include <controlproto/link.h>
#include <err.h>
#include <event2/event.h>
#include <stdio.h>

#define ANSWER_MS 10000 /* a Tor that starts is busy for seconds */

static struct event_base *base;

static void
show(const struct cp_bootstrap *bootstrap)
{
	char text[256];

	cp_bootstrap_show(text, sizeof text, bootstrap);
	if (puts(text) == EOF || fflush(stdout) == EOF)
		err(1, "output");
}

/* At first, and when the socket is ready or the time is over. */
static void
turn(evutil_socket_t fd, short what, void *tor)
{
	struct cp_step step;
	struct timeval wait;

	(void)what;
	do {
		if (cp_link_next(tor, &step) != CP_OK)
			errx(1, "%s", cp_link_strerror(tor));
		if (step.kind != CP_STEP_BOOTSTRAP)
			continue;
		show(step.bootstrap);
		if (step.bootstrap->progress == 100)
			return; /* and nothing is left to wait for */
	} while (step.kind != CP_STEP_WAIT);
	wait.tv_sec = step.wait_ms / 1000;
	wait.tv_usec = step.wait_ms % 1000 * 1000;
	if (event_base_once(base, fd, cp_link_writes(tor) ? EV_WRITE : EV_READ,
	    turn, tor, step.wait_ms == -1 ? NULL : &wait) == -1)
		errx(1, "libevent");
}

int
main(int argc, char *argv[])
{
	struct cp_link *tor;

	if (argc != 3)
		errx(2, "usage: bootstrap-event ADDRESS:PORT|unix:PATH COOKIE");
	base = event_base_new();
	/* Who listens there must know the cookie, or is told nothing. */
	tor = cp_link_new(argv[1], CP_AUTH_SAFECOOKIE, ANSWER_MS);
	if (base == NULL || tor == NULL)
		errx(1, "out of memory");
	cp_link_cookie(tor, argv[2]);
	cp_session_watch_bootstrap(cp_link_session(tor));
	turn(cp_link_fd(tor), 0, tor);
	if (event_base_dispatch(base) == -1)
		errx(1, "libevent");
	cp_link_free(tor);
	event_base_free(base);
	return 0;
}
