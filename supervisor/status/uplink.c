#include "supervisor/status/uplink.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/links.h"
#include "supervisor/log.h"
#include "supervisor/status/source.h"
#include "supervisor/status/text.h"

/* The kinds of message are told apart by their size first. */
static_assert(sizeof(struct snapshot) != sizeof(struct snap_result) &&
    sizeof(struct snapshot) != sizeof(struct snap_page) &&
    sizeof(struct snap_page) != sizeof(struct snap_result),
    "two kinds of message have one size");

#define MAX(a, b) ((a) > (b) ? (a) : (b))
/* The longest message, and one octet more that shows a longer one. */
#define MESSAGE_CAP \
	(MAX(sizeof(struct snapshot), sizeof(struct snap_page)) + 1)

/* A flooding engine must not keep the loop from the clients. */
#define MESSAGES_PER_TURN 32

struct status_uplink {
	struct event_base *base;
	struct status_view *view;
	const struct status_uplink_ops *ops;
	void *arg;
	struct event *keeper;
	struct event *engine; /* NULL: no link */
	int fd;
};

static void
link_close(struct status_uplink *up)
{
	if (up->engine == NULL)
		return;
	event_free(up->engine);
	up->engine = NULL;
	close(up->fd);
	up->fd = -1;
	up->ops->on_gone(up->arg);
}

static void
link_lost(struct status_uplink *up)
{
	log_warn("the engine is gone");
	link_close(up);
	status_view_link(up->view, false);
	up->ops->on_view(up->arg);
}

/* Bytes that are not a message: this link is believed no more. */
static void
link_bad(struct status_uplink *up)
{
	log_err("the engine sent an invalid message; link dropped");
	link_close(up);
	status_view_bad(up->view);
	up->ops->on_view(up->arg);
}

static bool
take_result(struct status_uplink *up, const void *bytes)
{
	struct snap_result r;

	memcpy(&r, bytes, sizeof r);
	if (r.magic != SNAP_RESULT_MAGIC || r.ok > 1 || r.more > 1 ||
	    r.refused > 1 || (r.refused == 1 && (r.ok == 1 || r.more == 1)))
		return false;
	status_text_clean(r.text, sizeof r.text);
	return up->ops->on_result(up->arg, &r);
}

static bool
take_message(struct status_uplink *up, const void *bytes, size_t n)
{
	if (n == sizeof(struct snap_result))
		return take_result(up, bytes);
	if (n == sizeof(struct snap_page) ?
		!status_view_page(up->view, bytes, n) :
		!status_view_take(up->view, bytes, n, status_now_ns()))
		return false;
	up->ops->on_view(up->arg);
	return true;
}

static void
engine_cb(evutil_socket_t fd, short what, void *arg)
{
	struct status_uplink *up = arg;
	char buf[MESSAGE_CAP];
	ssize_t n;
	unsigned i;

	(void)what;
	for (i = 0; i < MESSAGES_PER_TURN; i++) {
		n = recv(fd, buf, sizeof buf, MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (link_failed_here(n))
			fatal("cannot read from the engine: %s",
			    strerror(errno));
		if (n <= 0) {
			link_lost(up);
			return;
		}
		if (!take_message(up, buf, (size_t)n)) {
			link_bad(up);
			return;
		}
	}
}

static void
link_open(struct status_uplink *up, int fd)
{
	link_close(up);
	up->fd = fd;
	up->engine = event_new(up->base, fd, EV_READ | EV_PERSIST, engine_cb,
	    up);
	if (up->engine == NULL || event_add(up->engine, NULL) == -1)
		fatal("cannot listen to the engine");
	status_view_link(up->view, true);
	up->ops->on_view(up->arg);
}

static void
keeper_cb(evutil_socket_t chan, short what, void *arg)
{
	int fd;

	(void)chan;
	(void)what;
	while ((fd = link_recv_only(LINK_ENGINE)) != -1)
		link_open(arg, fd);
}

struct status_uplink *
status_uplink_new(struct event_base *base, struct status_view *view,
    const struct status_uplink_ops *ops, void *arg)
{
	struct status_uplink *up = xcalloc(1, sizeof *up);

	up->base = base;
	up->view = view;
	up->ops = ops;
	up->arg = arg;
	up->fd = -1;
	up->keeper = event_new(base, LINK_KEEPER_FD, EV_READ | EV_PERSIST,
	    keeper_cb, up);
	if (up->keeper == NULL || event_add(up->keeper, NULL) == -1)
		fatal("cannot listen to the keeper");
	return up;
}

void
status_uplink_free(struct status_uplink *up)
{
	if (up == NULL)
		return;
	link_close(up);
	event_free(up->keeper);
	free(up);
}

static bool
send_up(const struct status_uplink *up, const void *p, size_t n)
{
	return up->engine != NULL &&
	    send(up->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n;
}

bool
status_uplink_send(struct status_uplink *up, const struct snap_verb *v)
{
	return send_up(up, v, sizeof *v);
}

bool
status_uplink_change(struct status_uplink *up, const struct snap_change *c)
{
	return send_up(up, c, sizeof *c);
}
