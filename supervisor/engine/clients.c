#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/clients.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/event.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/engine/engine.h"
#include "supervisor/engine/isolation.h"
#include "supervisor/engine/shell.h"
#include "supervisor/log.h"

struct client {
	struct shell *sh;
	int slot;
	int fd; /* -1: closed */
	struct event *ev;
	struct iso_probe probe;
};

struct clients {
	struct client c[ISO_SLOTS];
};

union address {
	struct sockaddr sa;
	struct sockaddr_un un;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct clients *
clients_new(struct shell *sh)
{
	struct clients *c = xcalloc(1, sizeof *c);

	for (int i = 0; i < ISO_SLOTS; i++) {
		c->c[i].sh = sh;
		c->c[i].slot = i;
		c->c[i].fd = -1;
	}
	return c;
}

void
clients_free(struct clients *c)
{
	if (c == NULL)
		return;
	for (int i = 0; i < ISO_SLOTS; i++)
		clients_close(c, i);
	free(c);
}

static void
end(struct client *c)
{
	if (c->ev != NULL)
		event_free(c->ev);
	c->ev = NULL;
	if (c->fd != -1)
		close(c->fd);
	c->fd = -1;
}

void
clients_close(struct clients *c, int slot)
{
	end(&c->c[slot]);
}

/* As Tor writes it in SOURCE_ADDR: no brackets around an IPv6 address. */
static int
source_of(char *dst, size_t cap, int fd)
{
	union address a;
	socklen_t len = sizeof a;
	char text[INET6_ADDRSTRLEN];
	const void *addr;
	unsigned port;

	memset(&a, 0, sizeof a);
	if (getsockname(fd, &a.sa, &len) == -1)
		return -1;
	if (a.sa.sa_family == AF_UNIX) {
		dst[0] = '\0';
		return 0;
	}
	addr = a.sa.sa_family == AF_INET ? (const void *)&a.in.sin_addr :
	    (const void *)&a.in6.sin6_addr;
	port = ntohs(a.sa.sa_family == AF_INET ? a.in.sin_port :
	    a.in6.sin6_port);
	if (inet_ntop(a.sa.sa_family, addr, text, sizeof text) == NULL)
		return -1;
	(void)snprintf(dst, cap, "%s:%u", text, port);
	return 0;
}

static int
connected(const struct client *c)
{
	int err = 0;
	socklen_t len = sizeof err;

	if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &err, &len) == -1 ||
	    err != 0)
		return -1;
	if (c->probe.len == 0)
		return 0;
	/* An empty send buffer takes these few bytes whole or not at all. */
	return send(c->fd, c->probe.data, c->probe.len, MSG_NOSIGNAL) ==
	    (ssize_t)c->probe.len ? 0 : -1;
}

static void
on_writable_cb(evutil_socket_t fd, short what, void *arg)
{
	struct client *c = arg;

	(void)fd;
	(void)what;
	if (connected(c) == 0)
		return;
	end(c);
	engine_client_lost(c->sh->engine, c->slot);
}

static socklen_t
make_address(union address *a, const struct iso_probe *p)
{
	memset(a, 0, sizeof *a);
	if (p->addr.family == AF_UNIX) {
		a->un.sun_family = AF_UNIX;
		memcpy(a->un.sun_path, p->path, sizeof a->un.sun_path);
		return sizeof a->un;
	}
	if (p->addr.family == AF_INET) {
		a->in.sin_family = AF_INET;
		a->in.sin_addr = p->addr.v4;
		a->in.sin_port = htons(p->port);
		return sizeof a->in;
	}
	a->in6.sin6_family = AF_INET6;
	a->in6.sin6_addr = p->addr.v6;
	a->in6.sin6_port = htons(p->port);
	return sizeof a->in6;
}

static int
start(struct client *c, char *source)
{
	union address a;
	socklen_t len = make_address(&a, &c->probe);
	int type = c->probe.datagram ? SOCK_DGRAM : SOCK_STREAM;

	c->fd = socket(a.sa.sa_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (c->fd == -1)
		return -1;
	if (connect(c->fd, &a.sa, len) == -1 && errno != EINPROGRESS)
		return -1;
	if (source_of(source, ISO_SOURCE_LEN, c->fd) == -1)
		return -1;
	c->ev = event_new(c->sh->base, c->fd, EV_WRITE, on_writable_cb, c);
	return c->ev == NULL ? -1 : event_add(c->ev, NULL);
}

int
clients_open(struct clients *cs, char *source, int slot,
    const struct iso_probe *p)
{
	struct client *c = &cs->c[slot];

	end(c);
	c->probe = *p;
	if (start(c, source) == 0)
		return 0;
	log_debug("isolation check: cannot connect: %s", strerror(errno));
	end(c);
	return -1;
}
