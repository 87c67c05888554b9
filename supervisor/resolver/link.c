#include "config.h" /* _GNU_SOURCE */

#include "supervisor/resolver/link.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/links.h"
#include "supervisor/log.h"

/* A flooding engine must not keep the loop from the transports. */
#define MESSAGES_PER_TURN 16

union message {
	struct name_list list;
	struct name_go go;
	struct name_tryout tryout;
};

/* The kinds of message are told apart by their size first. */
static_assert(sizeof(struct name_list) != sizeof(struct name_go) &&
    sizeof(struct name_list) != sizeof(struct name_tryout) &&
    sizeof(struct name_tryout) != sizeof(struct name_go),
    "two kinds of message have one size");

struct link {
	struct event_base *base;
	const struct link_ops *ops;
	void *arg;
	struct event *keeper;
	struct event *readable, *writable; /* NULL: no link */
	int fd;
};

static void
close_end(struct link *l)
{
	if (l->readable == NULL)
		return;
	event_free(l->readable);
	event_free(l->writable);
	l->readable = l->writable = NULL;
	close(l->fd);
	l->fd = -1;
	l->ops->down(l->arg);
}

/* False: nonsense. */
static bool
take_message(struct link *l, const union message *m, size_t n)
{
	if (n == sizeof m->list && name_list_ok(&m->list))
		l->ops->list(l->arg, &m->list);
	else if (n == sizeof m->go && name_go_ok(&m->go))
		l->ops->go(l->arg, &m->go);
	else if (n == sizeof m->tryout && name_tryout_ok(&m->tryout))
		l->ops->tryout(l->arg, &m->tryout);
	else
		return false;
	return true;
}

static void
on_readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct link *l = arg;
	union message m;
	ssize_t n;

	(void)what;
	for (int i = 0; i < MESSAGES_PER_TURN; i++) {
		/* MSG_TRUNC: the true length of what is too long. */
		n = recv(fd, &m, sizeof m, MSG_DONTWAIT | MSG_TRUNC);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			break;
		if (link_failed_here(n))
			fatal("cannot read from the engine: %s",
			    strerror(errno));
		if (n > 0 && take_message(l, &m, (size_t)n))
			continue;
		if (n > 0)
			log_err("the engine sent an invalid message; link "
			    "dropped");
		else
			log_warn("the engine is gone");
		close_end(l);
		break;
	}
	explicit_bzero(&m, sizeof m); /* there may be a password in it */
}

/* Nothing to do: what was put off is sent after each turn of the loop. */
static void
on_writable_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void
open_end(struct link *l, int fd)
{
	close_end(l);
	l->fd = fd;
	l->readable = event_new(l->base, fd, EV_READ | EV_PERSIST,
	    on_readable_cb, l);
	l->writable = event_new(l->base, fd, EV_WRITE, on_writable_cb, l);
	if (l->readable == NULL || l->writable == NULL ||
	    event_add(l->readable, NULL) == -1)
		fatal("cannot listen to the engine");
	l->ops->up(l->arg);
}

static void
on_keeper_cb(evutil_socket_t chan, short what, void *arg)
{
	int fd;

	(void)chan;
	(void)what;
	while ((fd = link_recv_only(LINK_ENGINE)) != -1)
		open_end(arg, fd);
}

bool
link_is_up(const struct link *l)
{
	return l->readable != NULL;
}

bool
link_tell(struct link *l, const void *p, size_t n)
{
	if (l->readable == NULL)
		return false;
	if (send(l->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n)
		return true;
	/* A broken link shows when it is read from. */
	if (errno == EAGAIN && event_add(l->writable, NULL) == -1)
		fatal("cannot wait for the engine");
	return false;
}

struct link *
link_new(struct event_base *base, const struct link_ops *ops, void *arg)
{
	struct link *l = xcalloc(1, sizeof *l);

	l->base = base;
	l->ops = ops;
	l->arg = arg;
	l->fd = -1;
	l->keeper = event_new(base, LINK_KEEPER_FD, EV_READ | EV_PERSIST,
	    on_keeper_cb, l);
	if (l->keeper == NULL || event_add(l->keeper, NULL) == -1)
		fatal("cannot listen to the keeper");
	return l;
}

void
link_free(struct link *l)
{
	if (l == NULL)
		return;
	close_end(l);
	event_free(l->keeper);
	free(l);
}
