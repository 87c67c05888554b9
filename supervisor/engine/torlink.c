#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/torlink.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "policy/policy.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/shell.h"
#include "supervisor/engine/sockdiag.h"
#include "supervisor/log.h"

/* Per turn of the loop, so that a flood does not keep timers waiting. */
#define READ_CHUNK 16384
#define READS_PER_TURN 4
/* The longest command that Tor takes is 1 MiB; one is in flight at most. */
#define OUT_MAX (2u * 1024 * 1024)

struct torlink {
	struct shell *sh;
	int fd; /* -1: closed */
	enum engine_loss result; /* of connect(2), for on_result */
	struct event *ev_read, *ev_write, *ev_result;
	struct evbuffer *out;
	unsigned char buf[READ_CHUNK];
};

union address {
	struct sockaddr sa;
	struct sockaddr_un un;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Whatever is wrong, the socket is closed before the engine hears of it. */
static void
fail(struct torlink *t, enum engine_loss why)
{
	torlink_cancel(t);
	engine_tor_down(t->sh->engine, why, shell_now());
}

static void
on_readable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct torlink *t = arg;
	ssize_t n;

	(void)what;
	for (int i = 0; i < READS_PER_TURN && t->fd == fd; i++) {
		n = read(fd, t->buf, sizeof t->buf);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			fail(t, LOSS_EOF);
			return;
		}
		engine_tor_bytes(t->sh->engine, t->buf, (size_t)n,
		    shell_now());
		explicit_bzero(t->buf, (size_t)n); /* options' values */
		if ((size_t)n < sizeof t->buf)
			return; /* that was all, by now */
	}
}

static enum engine_loss
loss_of(int err)
{
	return err == EACCES || err == EPERM ? LOSS_ACCESS : LOSS_NO_TOR;
}

static void
connected(struct torlink *t)
{
	int err = 0;
	socklen_t len = sizeof err;

	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1)
		err = errno;
	if (err != 0) {
		fail(t, loss_of(err));
		return;
	}
	if (event_add(t->ev_read, NULL) == -1)
		fatal("event_add failed");
	engine_tor_up(t->sh->engine, shell_now());
}

static void
on_result_cb(evutil_socket_t fd, short what, void *arg)
{
	struct torlink *t = arg;

	(void)fd;
	(void)what;
	if (t->result != LOSS_NONE)
		fail(t, t->result);
	else
		connected(t);
}

static void
on_writable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct torlink *t = arg;

	(void)what;
	if (t->result == LOSS_NO_TOR) { /* connect(2) was under way */
		t->result = LOSS_NONE;
		connected(t);
		return;
	}
	if (evbuffer_write(t->out, fd) == -1 && errno != EAGAIN &&
	    errno != EINTR) {
		fail(t, LOSS_EOF);
		return;
	}
	if (evbuffer_get_length(t->out) != 0 &&
	    event_add(t->ev_write, NULL) == -1)
		fatal("event_add failed");
}

struct torlink *
torlink_new(struct shell *sh)
{
	struct torlink *t = xcalloc(1, sizeof *t);

	t->sh = sh;
	t->fd = -1;
	t->out = evbuffer_new();
	t->ev_result = event_new(sh->base, -1, 0, on_result_cb, t);
	if (t->out == NULL || t->ev_result == NULL)
		fatal("out of memory");
	return t;
}

void
torlink_free(struct torlink *t)
{
	if (t == NULL)
		return;
	torlink_cancel(t);
	event_free(t->ev_result);
	evbuffer_free(t->out);
	explicit_bzero(t, sizeof *t);
	free(t);
}

static socklen_t
make_address(union address *a, const struct pol_tor *tor)
{
	memset(a, 0, sizeof *a);
	if (tor->control_is_unix) {
		a->un.sun_family = AF_UNIX;
		memcpy(a->un.sun_path, tor->control_path,
		    sizeof a->un.sun_path);
		return sizeof a->un;
	}
	if (tor->control_addr.family == AF_INET) {
		a->in.sin_family = AF_INET;
		a->in.sin_addr = tor->control_addr.v4;
		a->in.sin_port = htons(tor->control_port);
		return sizeof a->in;
	}
	a->in6.sin6_family = AF_INET6;
	a->in6.sin6_addr = tor->control_addr.v6;
	a->in6.sin6_port = htons(tor->control_port);
	return sizeof a->in6;
}

static int
make_events(struct torlink *t)
{
	t->ev_read = event_new(t->sh->base, t->fd, EV_READ | EV_PERSIST,
	    on_readable_cb, t);
	t->ev_write = event_new(t->sh->base, t->fd, EV_WRITE, on_writable_cb,
	    t);
	return t->ev_read == NULL || t->ev_write == NULL ? -1 : 0;
}

/* LOSS_NONE: connected, or under way. */
static enum engine_loss
try_connect(struct torlink *t)
{
	union address a;
	socklen_t len = make_address(&a, &t->sh->policy->tor);

	t->fd = socket(a.sa.sa_family,
	    SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (t->fd == -1 || make_events(t) == -1)
		return LOSS_MEMORY;
	if (connect(t->fd, &a.sa, len) == 0)
		return LOSS_NONE;
	if (errno != EINPROGRESS)
		return loss_of(errno);
	if (event_add(t->ev_write, NULL) == -1)
		return LOSS_MEMORY;
	t->result = LOSS_NO_TOR; /* until on_writable_cb finds otherwise */
	return LOSS_NONE;
}

void
torlink_start(struct torlink *t)
{
	enum engine_loss why;

	torlink_cancel(t);
	why = try_connect(t);
	if (why == LOSS_NONE && t->result == LOSS_NO_TOR)
		return;
	t->result = why;
	event_active(t->ev_result, 0, 0);
}

void
torlink_cancel(struct torlink *t)
{
	event_del(t->ev_result);
	if (t->ev_read != NULL)
		event_free(t->ev_read);
	if (t->ev_write != NULL)
		event_free(t->ev_write);
	t->ev_read = t->ev_write = NULL;
	if (t->fd != -1)
		close(t->fd);
	t->fd = -1;
	t->result = LOSS_NONE;
	evbuffer_drain(t->out, evbuffer_get_length(t->out));
}

/* A command may be a password. */
static void
forget_cb(const void *data, size_t n, void *copy)
{
	(void)data;
	explicit_bzero(copy, n);
	free(copy);
}

static int
keep(struct torlink *t, const void *p, size_t n)
{
	void *copy = xmalloc(n);

	memcpy(copy, p, n);
	if (evbuffer_add_reference(t->out, copy, n, forget_cb, copy) == 0)
		return 0;
	forget_cb(copy, n, copy);
	return -1;
}

int
torlink_write(struct torlink *t, const void *p, size_t n)
{
	size_t held = evbuffer_get_length(t->out);
	ssize_t done = 0;

	if (t->fd == -1 || held > OUT_MAX || n > OUT_MAX - held)
		return -1;
	if (held == 0) {
		done = send(t->fd, p, n, MSG_NOSIGNAL);
		if (done == -1 && errno != EAGAIN && errno != EINTR)
			return -1;
		if (done == -1)
			done = 0;
	}
	if ((size_t)done == n)
		return 0;
	if (keep(t, (const char *)p + done, n - (size_t)done) == -1)
		return -1;
	return event_add(t->ev_write, NULL);
}

static int
unix_peer(const struct torlink *t, uint32_t *uid)
{
	struct ucred cred;
	socklen_t len = sizeof cred;

	if (getsockopt(t->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) == -1)
		return -1;
	*uid = cred.uid;
	return 0;
}

static int
tcp_peer(const struct torlink *t, uint32_t *uid)
{
	union address peer, own;
	socklen_t plen = sizeof peer, olen = sizeof own;

	if (getpeername(t->fd, &peer.sa, &plen) == -1 ||
	    getsockname(t->fd, &own.sa, &olen) == -1)
		return -1;
	return sockdiag_owner(t->sh->diag, uid, &peer.sa, &own.sa);
}

int
torlink_peer(const struct torlink *t, uint32_t *uid)
{
	const struct pol_tor *tor = &t->sh->policy->tor;

	/*
	 * Tor makes its Unix control socket after it has dropped root, and
	 * accepts TCP connections after that too: its own uid, never root.
	 */
	if ((tor->control_is_unix ? unix_peer(t, uid) : tcp_peer(t, uid)) ==
	    -1) {
		*uid = ENGINE_NOBODY;
		log_warn("the control port's owner cannot be found out");
		return -1;
	}
	if (*uid == tor->user.uid)
		return 0;
	log_warn("the control port belongs to uid %u, Tor is uid %u", *uid,
	    tor->user.uid);
	return -1;
}
