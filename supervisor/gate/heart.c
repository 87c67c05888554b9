#include "supervisor/gate/heart.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "policy/rules.h"

static const uint16_t ports[HEART_NSIDES] = {
	[HEART_GATE] = POL_HB_GATE,
	[HEART_EGRESS] = POL_HB_EGRESS,
	[HEART_SYNC] = POL_HB_SYNC,
	[HEART_LOOKUP] = POL_HB_LOOKUP,
	[HEART_STUB] = POL_HB_STUB,
	[HEART_UDP] = POL_HB_UDP,
};

union heart_addr {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

static socklen_t
loopback(union heart_addr *a, int family, uint16_t port)
{
	memset(a, 0, sizeof *a);
	if (family == AF_INET6) {
		a->v6.sin6_family = AF_INET6;
		a->v6.sin6_addr = in6addr_loopback;
		a->v6.sin6_port = htons(port);
		return sizeof a->v6;
	}
	a->v4.sin_family = AF_INET;
	a->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	a->v4.sin_port = htons(port);
	return sizeof a->v4;
}

static int
bound(int family, uint16_t port)
{
	union heart_addr a;
	socklen_t len = loopback(&a, family, port);
	int fd, saved;

	fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return -1;
	if (bind(fd, &a.sa, len) == -1) {
		saved = errno;
		(void)close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* A sink keeps as little as the kernel lets it. */
static int
sink(int family, uint16_t port)
{
	const int none = 0;
	int fd = bound(family, port);

	if (fd != -1)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &none,
		    sizeof none); /* only memory would be lost */
	return fd;
}

static int
open_sinks(int sinks[HEART_NSIDES], int family)
{
	for (size_t i = 0; i < HEART_NSIDES; i++) {
		sinks[i] = sink(family, ports[i]);
		if (sinks[i] == -1)
			return -1;
	}
	return 0;
}

static int
open_all(struct heart *h)
{
	h->fd4 = bound(AF_INET, POL_HB_SPORT);
	if (h->fd4 == -1)
		return -1;
	if (open_sinks(h->sinks, AF_INET) == -1)
		return -1;
	h->fd6 = bound(AF_INET6, POL_HB_SPORT);
	if (h->fd6 == -1)
		return 0; /* no IPv6 loopback: no IPv6 lease */
	return open_sinks(h->sinks + HEART_NSIDES, AF_INET6);
}

int
heart_open(struct heart *h, uint32_t uid)
{
	const uid_t self = geteuid();
	int rc, saved;

	*h = (struct heart){ .fd4 = -1, .fd6 = -1 };
	memset(h->sinks, -1, sizeof h->sinks); /* int -1, all ones */
	/* The rule looks at who called socket(2), not at who sends. */
	if (seteuid(uid) == -1)
		return -1;
	rc = open_all(h);
	saved = errno;
	if (seteuid(self) == -1)
		return -1;
	errno = saved;
	return rc;
}

bool
heart_has(const struct heart *h, int family)
{
	return (family == AF_INET6 ? h->fd6 : h->fd4) != -1;
}

int
heart_beat(const struct heart *h, int family, enum heart_side side)
{
	const int fd = family == AF_INET6 ? h->fd6 : h->fd4;
	union heart_addr to;
	socklen_t len;
	ssize_t n;

	if (side >= HEART_NSIDES)
		return -EINVAL;
	len = loopback(&to, family, ports[side]);
	n = sendto(fd, "", 1, MSG_DONTWAIT, &to.sa, len);
	return n == 1 ? 0 : n == -1 ? -errno : -EIO;
}
