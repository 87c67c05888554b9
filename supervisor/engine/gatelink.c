#include "supervisor/engine/gatelink.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/engine/engine.h"
#include "supervisor/engine/shell.h"
#include "supervisor/gatemsg.h"
#include "supervisor/log.h"

/* The gate reports per request and per second: more than this is a flood. */
#define READS_PER_TURN 16

struct gatelink {
	struct shell *sh;
	int fd;
	struct event *ev;
};

static void
end(struct gatelink *g)
{
	if (g->ev != NULL)
		event_free(g->ev);
	g->ev = NULL;
	if (g->fd != -1)
		close(g->fd);
	g->fd = -1;
}

static void
on_report_cb(evutil_socket_t fd, short what, void *arg)
{
	struct gatelink *g = arg;
	/* One octet more than fits: a longer datagram is seen as such. */
	unsigned char buf[sizeof(struct gate_report) + 1];
	ssize_t n;

	(void)what;
	for (int i = 0; i < READS_PER_TURN; i++) {
		n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			end(g);
			engine_gate_down(g->sh->engine, shell_now());
			return;
		}
		engine_gate_bytes(g->sh->engine, buf, (size_t)n, shell_now());
	}
}

struct gatelink *
gatelink_new(struct shell *sh)
{
	struct gatelink *g = xcalloc(1, sizeof *g);

	g->sh = sh;
	g->fd = -1;
	return g;
}

void
gatelink_free(struct gatelink *g)
{
	if (g == NULL)
		return;
	end(g);
	free(g);
}

void
gatelink_take(struct gatelink *g, int fd)
{
	end(g);
	g->fd = fd;
	g->ev = event_new(g->sh->base, fd, EV_READ | EV_PERSIST, on_report_cb,
	    g);
	if (g->ev == NULL || event_add(g->ev, NULL) == -1)
		fatal("cannot watch the gate's end");
	engine_gate_up(g->sh->engine, shell_now());
}

int
gatelink_send(struct gatelink *g, const struct gate_req *q)
{
	if (g->fd == -1)
		return -1;
	return send(g->fd, q, sizeof *q, MSG_DONTWAIT | MSG_NOSIGNAL) ==
	    (ssize_t)sizeof *q ? 0 : -1;
}
