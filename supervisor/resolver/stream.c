#include "config.h" /* _GNU_SOURCE */

#include "supervisor/resolver/stream.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/dns_struct.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/log.h"
#include "supervisor/resolver/net.h"

#define MAX_LISTENERS 2
/* Transports resolve one name at a time; the rest is room for impatience. */
#define MAX_STREAMS 32
#define BACKLOG 16
/* From the connection, or the last answer, to the next whole question. */
#define IDLE_MS 10000
/* And to the answer, which may need a lookup. */
#define ANSWER_MS 15000
#define LENGTH_SIZE 2
#define HEADER_SIZE 12
/* libevent's DNS server reads no longer ones. */
#define MAX_QUESTION 1500
#define MAX_ANSWER 65535

struct stream {
	struct stream *next;
	struct streams *all;
	struct bufferevent *bev;
	struct evdns_server_port *port;
	struct event *on_answer;
	int pair; /* our end; the other one is PORT's */
	bool asked;
	uint64_t deadline_ms;
};

struct streams {
	struct event_base *base;
	const struct stream_ops *ops;
	void *arg;
	struct event *on_connect[MAX_LISTENERS];
	int listener[MAX_LISTENERS];
	size_t nlisteners;
	struct stream *list;
	size_t n;
};

static void
stream_free(struct stream *st)
{
	struct stream **at = &st->all->list;

	while (*at != st)
		at = &(*at)->next;
	*at = st->next;
	st->all->n--;
	st->all->ops->gone(st->all->arg, st);
	if (st->port != NULL)
		evdns_close_server_port(st->port); /* and its end */
	if (st->on_answer != NULL)
		event_free(st->on_answer);
	if (st->pair != -1)
		close(st->pair);
	if (st->bev != NULL)
		bufferevent_free(st->bev);
	free(st);
}

/* Hand on the next question, if it is whole; false: ST is not to be helped. */
static bool
next_question(struct stream *st)
{
	struct evbuffer *in = bufferevent_get_input(st->bev);
	unsigned char buf[LENGTH_SIZE + MAX_QUESTION];
	size_t len;

	if (st->asked || evbuffer_get_length(
	    bufferevent_get_output(st->bev)) != 0 ||
	    evbuffer_copyout(in, buf, LENGTH_SIZE) != LENGTH_SIZE)
		return true;
	len = (size_t)buf[0] << 8 | buf[1];
	if (len < HEADER_SIZE || len > MAX_QUESTION)
		return false;
	if (evbuffer_get_length(in) < LENGTH_SIZE + len)
		return true;
	(void)evbuffer_remove(in, buf, LENGTH_SIZE + len);
	if (send(st->pair, buf + LENGTH_SIZE, len, MSG_DONTWAIT |
	    MSG_NOSIGNAL) != (ssize_t)len)
		return false;
	st->asked = true;
	st->deadline_ms = net_now_ms() + ANSWER_MS;
	return true;
}

static void
on_octets_cb(struct bufferevent *bev, void *arg)
{
	struct stream *st = arg;

	(void)bev;
	if (!next_question(st))
		stream_free(st);
}

/* Also when the answer is out: the next question may be there already. */
static void
on_end_cb(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	stream_free(arg);
}

static void
on_answer_cb(evutil_socket_t fd, short what, void *arg)
{
	struct stream *st = arg;
	static unsigned char buf[LENGTH_SIZE + MAX_ANSWER];
	ssize_t n = recv(fd, buf + LENGTH_SIZE, MAX_ANSWER, MSG_DONTWAIT);

	(void)what;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || !st->asked) {
		stream_free(st);
		return;
	}
	buf[0] = (unsigned char)(n >> 8);
	buf[1] = (unsigned char)n;
	st->asked = false;
	st->deadline_ms = net_now_ms() + IDLE_MS;
	if (bufferevent_write(st->bev, buf, LENGTH_SIZE + (size_t)n) == -1)
		fatal("out of memory");
}

static void
on_request_cb(struct evdns_server_request *req, void *arg)
{
	struct stream *st = arg;

	st->all->ops->question(st->all->arg, req, st);
}

static bool
make_pair(struct stream *st)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    ends) == -1)
		return false;
	st->pair = ends[0];
	st->port = evdns_add_server_port_with_base(st->all->base, ends[1], 0,
	    on_request_cb, st);
	st->on_answer = event_new(st->all->base, st->pair,
	    EV_READ | EV_PERSIST, on_answer_cb, st);
	if (st->port == NULL || st->on_answer == NULL ||
	    event_add(st->on_answer, NULL) == -1)
		fatal("out of memory");
	return true;
}

static void
stream_new(struct streams *all, int fd)
{
	struct stream *st = xcalloc(1, sizeof *st);

	st->all = all;
	st->pair = -1;
	st->next = all->list;
	st->deadline_ms = net_now_ms() + IDLE_MS;
	all->list = st;
	all->n++;
	st->bev = bufferevent_socket_new(all->base, fd,
	    BEV_OPT_CLOSE_ON_FREE);
	if (st->bev == NULL)
		fatal("out of memory");
	if (!make_pair(st)) {
		stream_free(st);
		return;
	}
	bufferevent_setcb(st->bev, on_octets_cb, on_octets_cb, on_end_cb, st);
	/* No more is read than one question at its longest. */
	bufferevent_setwatermark(st->bev, EV_READ, 0,
	    LENGTH_SIZE + MAX_QUESTION);
	if (bufferevent_enable(st->bev, EV_READ | EV_WRITE) == -1)
		fatal("cannot listen to a transport");
}

static void
on_connect_cb(evutil_socket_t listener, short what, void *arg)
{
	struct streams *all = arg;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd == -1)
		return; /* gone again; or no descriptor is left for it */
	if (all->n >= MAX_STREAMS)
		close(fd);
	else
		stream_new(all, fd);
}

int
streams_open(struct streams *all, const struct pol_addr *addr, uint16_t port)
{
	struct sockaddr_storage ss;
	socklen_t len = net_sockaddr(&ss, addr, port);
	int fd = net_socket(addr->family, SOCK_STREAM), one = 1;
	size_t i = all->nlisteners;

	if (fd == -1)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) ==
	    -1 || (addr->family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &one, sizeof one) == -1) ||
	    bind(fd, (struct sockaddr *)&ss, len) == -1 ||
	    listen(fd, BACKLOG) == -1) {
		close(fd);
		return -1;
	}
	all->listener[i] = fd;
	all->on_connect[i] = event_new(all->base, fd, EV_READ | EV_PERSIST,
	    on_connect_cb, all);
	if (all->on_connect[i] == NULL ||
	    event_add(all->on_connect[i], NULL) == -1)
		fatal("cannot listen for transports");
	all->nlisteners++;
	return 0;
}

void
streams_close(struct streams *all)
{
	while (all->list != NULL)
		stream_free(all->list);
	while (all->nlisteners > 0) {
		all->nlisteners--;
		event_free(all->on_connect[all->nlisteners]);
		close(all->listener[all->nlisteners]);
	}
}

void
streams_tick(struct streams *all, uint64_t now)
{
	struct stream *st = all->list, *next;

	for (; st != NULL; st = next) {
		next = st->next;
		if (st->deadline_ms <= now)
			stream_free(st);
	}
}

uint64_t
streams_next(const struct streams *all)
{
	uint64_t next = UINT64_MAX;

	for (const struct stream *st = all->list; st != NULL; st = st->next)
		if (st->deadline_ms < next)
			next = st->deadline_ms;
	return next;
}

struct streams *
streams_new(struct event_base *base, const struct stream_ops *ops, void *arg)
{
	struct streams *all = xcalloc(1, sizeof *all);

	all->base = base;
	all->ops = ops;
	all->arg = arg;
	return all;
}

void
streams_free(struct streams *all)
{
	if (all == NULL)
		return;
	streams_close(all);
	free(all);
}
