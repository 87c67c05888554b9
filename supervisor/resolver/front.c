#include "config.h" /* _GNU_SOURCE */

#include "supervisor/resolver/front.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/log.h"
#include "supervisor/resolver/net.h"
#include "supervisor/resolver/question.h"

#define MAX_PLACES 2
/* The rest is room for impatience. */
#define MAX_STREAMS 32
#define BACKLOG 16
/* From the connection, or the last answer, to the next whole question. */
#define IDLE_MS 10000
/* And to the answer, which may need a lookup. */
#define ANSWER_MS 20000
#define LENGTH_SIZE 2
/*
 * The kernel holds ten datagrams of a pair: a flood must leave some for those
 * who ask in peace.  A datagram that finds no room is lost, as on any net.
 */
#define READS_PER_TURN 4

/* One that has been asked; its place and serial are its number inside. */
struct question {
	bool used;
	uint8_t serial;
	unsigned char id[2];   /* the asker's */
	struct stream *stream; /* by TCP; NULL: by UDP, or gone */
	int fd;		       /* by UDP; -1: gone */
	struct sockaddr_in6 from;
	socklen_t from_len;
	uint64_t since_ms;
};

struct stream {
	struct stream *next;
	struct front *f;
	struct bufferevent *bev;
	bool asked;
	uint64_t deadline_ms;
};

struct place {
	int udp, tcp;
	struct event *on_udp, *on_tcp;
};

struct front {
	struct event_base *base;
	struct evdns_server_port *port;
	struct event *on_answer;
	int pair; /* our end; the other one is PORT's */
	struct place place[MAX_PLACES];
	size_t nplaces;
	struct stream *streams;
	size_t nstreams;
	struct question question[FRONT_MAX_QUESTIONS];
	uint64_t dropped;
};

/* --- in and out of libevent ----------------------------------------------- */

/* A free one, or the oldest. */
static struct question *
take_place(struct front *f)
{
	struct question *q = &f->question[0];

	for (size_t i = 0; i < FRONT_MAX_QUESTIONS; i++) {
		if (!f->question[i].used)
			return &f->question[i];
		if (f->question[i].since_ms < q->since_ms)
			q = &f->question[i];
	}
	if (q->stream != NULL)
		q->stream->deadline_ms = 0; /* front_tick() ends it */
	return q;
}

/* A number for MSG and on with it; NULL: no room.  Wipes its ID. */
static struct question *
hand_on(struct front *f, unsigned char *msg, size_t n)
{
	struct question *q = take_place(f);
	unsigned char id[2] = { msg[0], msg[1] };

	msg[0] = (unsigned char)(q - f->question);
	msg[1] = (unsigned char)(q->serial + 1);
	if (send(f->pair, msg, n, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)n)
		return NULL;
	*q = (struct question){ .used = true, .serial = msg[1], .fd = -1,
		.id = { id[0], id[1] }, .since_ms = net_now_ms() };
	return q;
}

static void
answer_stream(struct stream *st, const unsigned char *msg, size_t n)
{
	const unsigned char length[LENGTH_SIZE] = { (unsigned char)(n >> 8),
		(unsigned char)n };

	st->asked = false;
	st->deadline_ms = net_now_ms() + IDLE_MS;
	if (bufferevent_write(st->bev, length, sizeof length) == -1 ||
	    bufferevent_write(st->bev, msg, n) == -1)
		fatal("out of memory");
}

static void
pass_back(struct front *f, unsigned char *msg, size_t n)
{
	struct question *q = &f->question[msg[0]];

	if (!q->used || q->serial != msg[1])
		return; /* who asked has given way to others */
	q->used = false;
	memcpy(msg, q->id, sizeof q->id);
	if (q->stream != NULL)
		answer_stream(q->stream, msg, n);
	else if (q->fd != -1 && sendto(q->fd, msg, n, MSG_DONTWAIT |
	    MSG_NOSIGNAL, (struct sockaddr *)&q->from, q->from_len) == -1)
		log_debug("an answer of the stub was lost");
}

void
front_drain(struct front *f)
{
	static unsigned char buf[UINT16_MAX];
	ssize_t n;

	while ((n = recv(f->pair, buf, sizeof buf, MSG_DONTWAIT)) > 0)
		if (n >= QUESTION_HEADER)
			pass_back(f, buf, (size_t)n);
}

static void
on_answer_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	front_drain(arg);
}

/* --- UDP ------------------------------------------------------------------ */

static void
on_datagram_cb(evutil_socket_t fd, short what, void *arg)
{
	struct front *f = arg;
	unsigned char buf[QUESTION_MAX];
	struct sockaddr_in6 from; /* has room for IPv4's */
	struct question *q;
	socklen_t len;
	ssize_t n;

	(void)what;
	for (int i = 0; i < READS_PER_TURN; i++) {
		len = sizeof from;
		n = recvfrom(fd, buf, sizeof buf, MSG_DONTWAIT | MSG_TRUNC,
		    (struct sockaddr *)&from, &len);
		if (n == -1)
			return; /* nothing more, or an error of a sending */
		if (!question_ok(buf, (size_t)n)) {
			f->dropped++;
			continue;
		}
		q = hand_on(f, buf, (size_t)n);
		if (q == NULL)
			return;
		q->fd = fd;
		q->from = from;
		q->from_len = len;
	}
}

/* --- TCP ------------------------------------------------------------------ */

static void
stream_free(struct stream *st)
{
	struct front *f = st->f;
	struct stream **at = &f->streams;

	while (*at != st)
		at = &(*at)->next;
	*at = st->next;
	f->nstreams--;
	for (size_t i = 0; i < FRONT_MAX_QUESTIONS; i++)
		if (f->question[i].stream == st)
			f->question[i].stream = NULL;
	bufferevent_free(st->bev);
	free(st);
}

/* Hand on the next question, if it is whole; false: ST is not to be helped. */
static bool
next_question(struct stream *st)
{
	struct evbuffer *in = bufferevent_get_input(st->bev);
	unsigned char buf[LENGTH_SIZE + QUESTION_MAX];
	struct question *q;
	size_t len;

	if (st->asked || evbuffer_get_length(
	    bufferevent_get_output(st->bev)) != 0 ||
	    evbuffer_copyout(in, buf, LENGTH_SIZE) != LENGTH_SIZE)
		return true;
	len = (size_t)buf[0] << 8 | buf[1];
	if (len > QUESTION_MAX)
		return false;
	if (evbuffer_get_length(in) < LENGTH_SIZE + len)
		return true;
	(void)evbuffer_copyout(in, buf, LENGTH_SIZE + len);
	if (!question_ok(buf + LENGTH_SIZE, len)) {
		st->f->dropped++;
		return false;
	}
	q = hand_on(st->f, buf + LENGTH_SIZE, len);
	if (q == NULL)
		return true; /* put off */
	q->stream = st;
	(void)evbuffer_drain(in, LENGTH_SIZE + len);
	st->asked = true;
	st->deadline_ms = net_now_ms() + ANSWER_MS;
	return true;
}

/* Also when an answer is out: the next question may be there already. */
static void
on_octets_cb(struct bufferevent *bev, void *arg)
{
	struct stream *st = arg;

	(void)bev;
	if (!next_question(st))
		stream_free(st);
}

static void
on_end_cb(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	(void)what;
	stream_free(arg);
}

static void
stream_new(struct front *f, int fd)
{
	struct stream *st = xcalloc(1, sizeof *st);

	st->f = f;
	st->deadline_ms = net_now_ms() + IDLE_MS;
	st->bev = bufferevent_socket_new(f->base, fd, BEV_OPT_CLOSE_ON_FREE);
	if (st->bev == NULL)
		fatal("out of memory");
	bufferevent_setcb(st->bev, on_octets_cb, on_octets_cb, on_end_cb, st);
	/* No more is read than one question at its longest. */
	bufferevent_setwatermark(st->bev, EV_READ, 0,
	    LENGTH_SIZE + QUESTION_MAX);
	if (bufferevent_enable(st->bev, EV_READ | EV_WRITE) == -1)
		fatal("cannot listen to a transport");
	st->next = f->streams;
	f->streams = st;
	f->nstreams++;
}

static void
on_connect_cb(evutil_socket_t listener, short what, void *arg)
{
	struct front *f = arg;
	int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	(void)what;
	if (fd == -1)
		return; /* gone again; or no descriptor is left for it */
	if (f->nstreams >= MAX_STREAMS)
		close(fd);
	else
		stream_new(f, fd);
}

/* --- being there ---------------------------------------------------------- */

static int
open_socket(const struct pol_addr *addr, uint16_t port, int type)
{
	struct sockaddr_storage ss;
	socklen_t len = net_sockaddr(&ss, addr, port);
	int fd = net_socket(addr->family, type), one = 1, err;

	if (fd == -1)
		return -1;
	if ((addr->family != AF_INET6 || setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &one, sizeof one) == 0) &&
	    (type != SOCK_STREAM || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR,
	    &one, sizeof one) == 0) &&
	    bind(fd, (struct sockaddr *)&ss, len) == 0 &&
	    (type != SOCK_STREAM || listen(fd, BACKLOG) == 0))
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

static struct event *
watch(struct front *f, int fd, event_callback_fn cb)
{
	struct event *ev = event_new(f->base, fd, EV_READ | EV_PERSIST, cb,
	    f);

	if (ev == NULL || event_add(ev, NULL) == -1)
		fatal("cannot listen for transports");
	return ev;
}

int
front_open(struct front *f, const struct pol_addr *addr, uint16_t port)
{
	struct place *p = &f->place[f->nplaces];
	int err;

	p->udp = open_socket(addr, port, SOCK_DGRAM);
	if (p->udp == -1)
		return -1;
	p->tcp = open_socket(addr, port, SOCK_STREAM);
	if (p->tcp == -1) {
		err = errno;
		close(p->udp);
		errno = err;
		return -1;
	}
	p->on_udp = watch(f, p->udp, on_datagram_cb);
	p->on_tcp = watch(f, p->tcp, on_connect_cb);
	f->nplaces++;
	return 0;
}

void
front_close(struct front *f)
{
	while (f->streams != NULL)
		stream_free(f->streams);
	for (size_t i = 0; i < FRONT_MAX_QUESTIONS; i++)
		f->question[i].used = false;
	while (f->nplaces > 0) {
		struct place *p = &f->place[--f->nplaces];

		event_free(p->on_udp);
		event_free(p->on_tcp);
		close(p->udp);
		close(p->tcp);
	}
}

void
front_tick(struct front *f, uint64_t now)
{
	struct stream *st = f->streams, *next;

	for (; st != NULL; st = next) {
		next = st->next;
		if (st->deadline_ms <= now || !next_question(st))
			stream_free(st);
	}
}

uint64_t
front_next(const struct front *f)
{
	uint64_t next = UINT64_MAX;

	for (const struct stream *st = f->streams; st != NULL; st = st->next)
		if (st->deadline_ms < next)
			next = st->deadline_ms;
	return next;
}

uint64_t
front_dropped(const struct front *f)
{
	return f->dropped;
}

struct front *
front_new(struct event_base *base,
    evdns_request_callback_fn_type on_question, void *arg)
{
	struct front *f = xcalloc(1, sizeof *f);
	int ends[2];

	f->base = base;
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0,
	    ends) == -1)
		fatal("socketpair: %s", strerror(errno));
	f->pair = ends[0];
	f->port = evdns_add_server_port_with_base(base, ends[1], 0,
	    on_question, arg);
	if (f->port == NULL)
		fatal("out of memory");
	f->on_answer = watch(f, f->pair, on_answer_cb);
	return f;
}

void
front_free(struct front *f)
{
	if (f == NULL)
		return;
	front_close(f);
	event_free(f->on_answer);
	evdns_close_server_port(f->port); /* and its end */
	close(f->pair);
	free(f);
}
