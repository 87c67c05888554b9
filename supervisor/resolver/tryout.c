#include "config.h" /* _GNU_SOURCE */

#include "supervisor/resolver/tryout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/log.h"
#include "supervisor/resolver/net.h"
#include "supervisor/resolver/proxy.h"

/*
 * To connect, and to get the whole answer.  A proxy has to connect to the
 * target before it can answer, perhaps over a slow line, twice.
 */
#define TRY_SECONDS 15

struct tryout {
	struct event_base *base;
	struct event *ev, *late;
	int fd; /* -1: none under way */
	uint32_t id;
	bool connecting, ended;
	struct proxy proxy;
	size_t sent;
	unsigned char in[PROXY_IN_MAX];
	size_t have;
	struct name_verdict_msg verdict;
};

static void
hang_up(struct tryout *t)
{
	if (t->fd != -1) {
		(void)event_del(t->ev);
		(void)event_del(t->late);
		close(t->fd);
	}
	t->fd = -1;
	proxy_clear(&t->proxy);
	explicit_bzero(t->in, sizeof t->in);
	t->have = t->sent = 0;
	t->connecting = false;
}

static void
end(struct tryout *t, enum name_verdict verdict, uint32_t code)
{
	hang_up(t);
	t->ended = true;
	t->verdict = (struct name_verdict_msg){ .magic = NAME_VERDICT_MAGIC,
		.id = t->id, .verdict = verdict, .code = code };
}

static void on_socket_cb(evutil_socket_t fd, short what, void *arg);

static void
wait_for(struct tryout *t, short what)
{
	(void)event_del(t->ev);
	if (event_assign(t->ev, t->base, t->fd, what, on_socket_cb, t) ==
	    -1 || event_add(t->ev, NULL) == -1)
		fatal("cannot wait for a proxy");
}

/* False: it has ended. */
static bool
connected(struct tryout *t)
{
	int err = 0;
	socklen_t len = sizeof err;

	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1)
		err = errno;
	if (err != 0) {
		end(t, net_verdict(err), 0);
		return false;
	}
	t->connecting = false;
	if (t->proxy.len == 0) {
		end(t, NAME_V_OK, 0);
		return false;
	}
	return true;
}

static void
send_some(struct tryout *t)
{
	const size_t left = t->proxy.len - t->sent;
	ssize_t n = send(t->fd, t->proxy.out + t->sent, left,
	    MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n == -1 && errno != EAGAIN && errno != EINTR) {
		end(t, net_state(errno) == NAME_BLOCKED ? NAME_V_BLOCKED :
		    proxy_eof(&t->proxy), 0);
		return;
	}
	if (n > 0)
		t->sent += (size_t)n;
	wait_for(t, t->sent < t->proxy.len ? EV_WRITE : EV_READ);
}

/* Judge what is there, as long as that gets on. */
static void
judge(struct tryout *t)
{
	enum name_verdict v;
	uint32_t code;
	size_t used;

	v = proxy_in(&t->proxy, t->in, t->have, &used, &code);
	memmove(t->in, t->in + used, t->have - used);
	t->have -= used;
	if (v == NAME_V_NONE && t->proxy.len == 0 &&
	    t->have == sizeof t->in)
		v = NAME_V_PROTOCOL; /* it talks and talks */
	if (v != NAME_V_NONE) {
		end(t, v, code);
		return;
	}
	t->sent = 0;
	wait_for(t, t->proxy.len != 0 ? EV_WRITE : EV_READ);
}

static void
receive_some(struct tryout *t)
{
	ssize_t n = recv(t->fd, t->in + t->have, sizeof t->in - t->have,
	    MSG_DONTWAIT);

	if (n == -1 && (errno == EAGAIN || errno == EINTR)) {
		wait_for(t, EV_READ);
		return;
	}
	if (n <= 0) {
		end(t, proxy_eof(&t->proxy), 0);
		return;
	}
	t->have += (size_t)n;
	judge(t);
}

static void
on_socket_cb(evutil_socket_t fd, short what, void *arg)
{
	struct tryout *t = arg;

	(void)fd;
	if (t->connecting && !connected(t))
		return;
	if ((what & EV_WRITE) != 0)
		send_some(t);
	else
		receive_some(t);
}

static void
on_late_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	end(arg, NAME_V_TIMEOUT, 0);
}

void
tryout_start(struct tryout *t, const struct name_tryout *ask)
{
	const struct timeval tv = { .tv_sec = TRY_SECONDS };
	struct sockaddr_storage ss;
	socklen_t len = net_sockaddr(&ss, &ask->addr, (uint16_t)ask->port);
	enum name_verdict v;

	tryout_cancel(t);
	t->id = ask->id;
	v = proxy_start(&t->proxy, ask);
	if (v != NAME_V_NONE && ask->kind != NAME_TRY_TCP) {
		end(t, v, 0);
		return;
	}
	t->fd = net_socket(ask->addr.family, SOCK_STREAM);
	if (t->fd == -1 || (connect(t->fd, (struct sockaddr *)&ss, len) ==
	    -1 && errno != EINPROGRESS)) {
		end(t, net_verdict(errno), 0);
		return;
	}
	t->connecting = true;
	if (event_add(t->late, &tv) == -1)
		fatal("cannot set a timer");
	wait_for(t, EV_WRITE);
}

void
tryout_cancel(struct tryout *t)
{
	hang_up(t);
	t->ended = false;
}

bool
tryout_take(struct tryout *t, struct name_verdict_msg *out)
{
	if (!t->ended)
		return false;
	*out = t->verdict;
	t->ended = false;
	return true;
}

struct tryout *
tryout_new(struct event_base *base)
{
	struct tryout *t = xcalloc(1, sizeof *t);

	t->base = base;
	t->fd = -1;
	t->ev = event_new(base, -1, 0, on_socket_cb, t);
	t->late = evtimer_new(base, on_late_cb, t);
	if (t->ev == NULL || t->late == NULL)
		fatal("out of memory");
	return t;
}

void
tryout_free(struct tryout *t)
{
	if (t == NULL)
		return;
	hang_up(t);
	event_free(t->ev);
	event_free(t->late);
	free(t);
}
