#include "supervisor/engine/pairlink.h"

#include <errno.h>
#include <event2/event.h>
#include <linux/sockios.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/engine/shell.h"
#include "supervisor/links.h"
#include "supervisor/log.h"

/* The gate reports per request and per second: more than this is a flood. */
#define READS_PER_TURN 16

struct pairlink {
	struct shell *sh;
	const struct pairlink_ops *ops;
	unsigned char *buf; /* one octet more than a message has */
	int fd;
	struct event *ev;
};

static void
end(struct pairlink *l)
{
	if (l->ev != NULL)
		event_free(l->ev);
	l->ev = NULL;
	if (l->fd != -1)
		close(l->fd);
	l->fd = -1;
}

/* Hand on N octets; -1: they are no message. */
static int
message(struct pairlink *l, size_t n)
{
	int rc = l->ops->message(l->sh, l->buf, n);

	if (l->ops->secret)
		explicit_bzero(l->buf, n);
	return rc;
}

static void
on_readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct pairlink *l = arg;
	ssize_t n;

	(void)what;
	for (int i = 0; i < READS_PER_TURN; i++) {
		n = recv(fd, l->buf, l->ops->size + 1, MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (link_failed_here(n))
			fatal("cannot read from the %s: %s", l->ops->name,
			    strerror(errno));
		if (n > 0 && message(l, (size_t)n) == 0)
			continue;
		if (n > 0)
			log_warn("the %s sent nonsense", l->ops->name);
		end(l);
		l->ops->down(l->sh);
		return;
	}
}

struct pairlink *
pairlink_new(struct shell *sh, const struct pairlink_ops *ops)
{
	struct pairlink *l = xcalloc(1, sizeof *l);

	l->sh = sh;
	l->ops = ops;
	l->buf = xmalloc(ops->size + 1);
	l->fd = -1;
	return l;
}

void
pairlink_free(struct pairlink *l)
{
	if (l == NULL)
		return;
	end(l);
	free(l->buf);
	free(l);
}

void
pairlink_take(struct pairlink *l, int fd)
{
	end(l);
	l->fd = fd;
	l->ev = event_new(l->sh->base, fd, EV_READ | EV_PERSIST,
	    on_readable_cb, l);
	if (l->ev == NULL || event_add(l->ev, NULL) == -1)
		fatal("cannot watch the %s's end", l->ops->name);
	l->ops->up(l->sh);
}

int
pairlink_send(struct pairlink *l, const void *p, size_t n)
{
	if (l->fd == -1)
		return -1;
	return send(l->fd, p, n, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)n ?
	    0 : -1;
}

int
pairlink_send_idle(struct pairlink *l, const void *p, size_t n)
{
	int unread = 0;

	if (l->fd == -1 || ioctl(l->fd, SIOCOUTQ, &unread) == -1 ||
	    unread != 0)
		return -1;
	return pairlink_send(l, p, n);
}
