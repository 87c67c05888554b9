/* portcullis top: the loop around the terminal and the two sockets. */
#include "config.h" /* _GNU_SOURCE */

#include "supervisor/top/run.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/top/asker.h"
#include "supervisor/top/feed.h"
#include "supervisor/top/layout.h"
#include "supervisor/top/screen.h"

/* At most so often for what the supervisor says; a serial line is slow. */
#define DRAW_MS 250
/* The age of what is shown is told in seconds. */
#define AGE_MS 1000
/* Keys that are taken before something is drawn. */
#define KEYS 64

struct run {
	struct top_view view;
	struct top_ui ui;
	struct top_feed feed;
	struct top_asker asker;
	uint64_t drawn_ms;
	bool dirty;  /* something else is to be seen */
	bool at_once; /* ... by a key, which nobody wants to wait for */
};

/* Looked at between two polls; see watch_signals(). */
static volatile sig_atomic_t stopped;

static void
on_stop(int sig)
{
	(void)sig;
	stopped = 1;
}

/*
 * What ends the program is blocked but for the poll, so that none is missed.
 * Curses has handlers of its own for Ctrl-Z and the size.
 */
static bool
watch_signals(sigset_t *polling)
{
	static const int ends[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT };
	struct sigaction sa = { .sa_handler = on_stop };
	sigset_t block;
	size_t i;

	if (sigemptyset(&block) == -1)
		return false;
	for (i = 0; i < sizeof ends / sizeof ends[0]; i++)
		if (sigaddset(&block, ends[i]) == -1 ||
		    sigaction(ends[i], &sa, NULL) == -1)
			return false;
	return sigprocmask(SIG_BLOCK, &block, polling) == 0;
}

static void
draw(struct run *r, uint64_t now_ms)
{
	struct top_grid g;
	int rows, cols;

	top_screen_size(&rows, &cols);
	if (top_grid_init(&g, rows, cols)) {
		top_layout(&g, &r->view, &r->ui, now_ms);
		top_screen_draw(&g);
	}
	top_grid_clear(&g);
	r->drawn_ms = now_ms;
	r->dirty = r->at_once = false;
}

static uint64_t
draw_due(const struct run *r)
{
	if (r->at_once)
		return 0;
	return r->drawn_ms + (r->dirty ? DRAW_MS : AGE_MS);
}

static void
ask(struct run *r)
{
	char text[TOP_SAY_CAP];

	if (!top_asker_ask(&r->asker, top_ask_verb(r->ui.asked), text,
	    sizeof text))
		top_ui_answer(&r->ui, text);
}

/* False: the person wants to leave. */
static bool
take_keys(struct run *r)
{
	int key, i;

	for (i = 0; i < KEYS && (key = top_screen_key()) != -1; i++) {
		r->at_once = true;
		switch (top_ui_key(&r->ui, key)) {
		case TOP_DO_QUIT:
			return false;
		case TOP_DO_ASK:
			ask(r);
			break;
		case TOP_DO_REDRAW:
			top_screen_redraw();
			break;
		case TOP_DO_NOTHING:
			break;
		}
	}
	return true;
}

static void
take_sockets(struct run *r)
{
	char text[TOP_SAY_CAP];

	r->dirty |= top_feed_step(&r->feed, &r->view, cli_now_ms());
	if (top_asker_step(&r->asker, text, sizeof text)) {
		top_ui_answer(&r->ui, text);
		r->at_once = true;
	}
}

/* Until something happens or is due.  False: the terminal is gone. */
static bool
wait_for_it(const struct run *r, const sigset_t *polling)
{
	struct pollfd fds[] = {
		{ .fd = 0, .events = POLLIN },
		{ .fd = r->feed.c.fd, .events = POLLIN },
		{ .fd = r->asker.c.fd, .events = POLLIN },
	};
	uint64_t now = cli_now_ms(), due = top_feed_due(&r->feed);
	struct timespec ts;

	due = draw_due(r) < due ? draw_due(r) : due;
	if (r->asker.c.fd != -1 && r->asker.deadline_ms < due)
		due = r->asker.deadline_ms;
	due = due > now ? due - now : 0;
	ts.tv_sec = (time_t)(due / 1000);
	ts.tv_nsec = (long)(due % 1000) * 1000000;
	if (ppoll(fds, sizeof fds / sizeof fds[0], &ts, polling) == -1)
		return errno == EINTR;
	return (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)) == 0;
}

static void
loop(struct run *r, const sigset_t *polling)
{
	do {
		take_sockets(r);
		if (!take_keys(r))
			return;
		if (draw_due(r) <= cli_now_ms())
			draw(r, cli_now_ms());
	} while (wait_for_it(r, polling) && stopped == 0);
}

enum cli_exit
cli_top(const struct cli_options *o)
{
	struct run r = { .dirty = true };
	const char *why;
	sigset_t polling;

	if (!watch_signals(&polling)) {
		perror("portcullis: signals");
		return CLI_UNKNOWN;
	}
	why = top_screen_open();
	if (why != NULL) {
		fprintf(stderr, "portcullis: %s\n", why);
		return CLI_USAGE;
	}
	top_view_init(&r.view, "No line of the supervisor has come yet.");
	top_ui_init(&r.ui);
	top_feed_init(&r.feed, o->dir);
	top_asker_init(&r.asker, o->dir);
	loop(&r, &polling);
	top_screen_close();
	top_asker_clear(&r.asker);
	top_feed_clear(&r.feed);
	top_view_clear(&r.view);
	return CLI_OK;
}
