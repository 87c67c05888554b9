/*
 * The receiving commands of pktool: sink, recv.
 */
#include "config.h"

#include "tests/net/pk.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_BUF 65536
#define RCVBUF (16 * 1024 * 1024) /* a second of blast must fit */

struct tally {
	uint64_t count, first_sent, last_sent, last_seq, last_seen, drops;
};

static void
tally_add(struct tally *t, const struct pk_opts *o, const uint8_t *p,
    size_t len)
{
	const uint8_t *hit;
	uint64_t sent = 0;

	hit = memmem(p, len, o->token, PK_TOKEN_LEN);
	if (hit == NULL)
		return;
	t->last_seen = pk_now_ns();
	if ((size_t)(p + len - hit) >= PK_PAYLOAD_LEN) {
		t->last_seq = pk_get64(hit + PK_TOKEN_LEN);
		sent = pk_get64(hit + PK_TOKEN_LEN + 8);
	}
	if (t->count++ == 0)
		t->first_sent = sent;
	if (sent > t->last_sent)
		t->last_sent = sent;
	if (t->count == 1) {
		/* At once: somebody may be waiting for this line. */
		printf("got first seen_ns=%" PRIu64 "\n", t->last_seen);
		fflush(stdout);
	}
	if (o->verbose)
		printf("seq=%" PRIu64 " sent_ns=%" PRIu64 " seen_ns=%" PRIu64
		       " len=%zu\n",
		    t->last_seq, sent, t->last_seen, len);
}

/* One line; drops other than 0 mean that the count is not to be trusted. */
static void
tally_print(const struct tally *t)
{
	printf("count=%" PRIu64 " first_sent_ns=%" PRIu64
	       " last_sent_ns=%" PRIu64 " last_seq=%" PRIu64
	       " last_seen_ns=%" PRIu64 " drops=%" PRIu64 "\n",
	    t->count, t->first_sent, t->last_sent, t->last_seq, t->last_seen,
	    t->drops);
}

static bool
wanted(const struct pk_opts *o, const struct sockaddr_ll *from)
{
	return o->all || from->sll_family != AF_PACKET ||
	    from->sll_pkttype != PACKET_OUTGOING;
}

/* Say that somebody got through, and hang up. */
static void
greet(int tcp)
{
	int fd = accept4(tcp, NULL, NULL, SOCK_CLOEXEC);

	if (fd == -1)
		return;
	printf("got tcp seen_ns=%" PRIu64 "\n", pk_now_ns());
	fflush(stdout);
	close(fd);
}

/* Everything that is queued on FD. */
static void
drain(int fd, const struct pk_opts *o, struct tally *t)
{
	static uint8_t buf[FRAME_BUF];
	struct sockaddr_storage from;
	socklen_t fromlen;
	ssize_t len;

	for (;;) {
		memset(&from, 0, sizeof from);
		fromlen = sizeof from;
		len = recvfrom(fd, buf, sizeof buf, MSG_DONTWAIT,
		    (struct sockaddr *)&from, &fromlen);
		if (len == -1)
			return;
		if (wanted(o, (const struct sockaddr_ll *)&from))
			tally_add(t, o, buf, (size_t)len);
	}
}

/*
 * Until the time is over, enough came, or somebody sends a signal.  TCP: a
 * listening socket, or -1.
 */
static void
receive(int fd, int tcp, const struct pk_opts *o, struct tally *t)
{
	struct pollfd pfd[2] = { { .fd = fd, .events = POLLIN },
		{ .fd = tcp, .events = POLLIN } };
	uint64_t end = UINT64_MAX;
	struct timespec ts;
	sigset_t mask;

	if (o->seconds != 0)
		end = pk_now_ns() + (uint64_t)o->seconds * PK_NS;
	pk_signals_hold(&mask);
	puts("ready");
	fflush(stdout);
	while (!pk_stopped() && pk_until(&ts, end) &&
	    (o->count == 0 || t->count < o->count)) {
		if (ppoll(pfd, 2, &ts, &mask) <= 0)
			continue;
		if ((pfd[0].revents & POLLIN) != 0)
			drain(fd, o, t);
		if ((pfd[1].revents & POLLIN) != 0)
			greet(tcp);
	}
	if (fd != -1)
		drain(fd, o, t);
}

static void
rcvbuf_raise(int fd)
{
	int size = RCVBUF;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) ==
	    -1)
		warn("SO_RCVBUFFORCE"); /* the drops will tell */
}

int
pk_sink(const struct pk_opts *o)
{
	struct sockaddr_ll ll = { .sll_family = AF_PACKET };
	struct tpacket_stats st = { 0 };
	struct tally t = { 0 };
	socklen_t len = sizeof st;
	int fd;

	if (o->iface == NULL)
		errx(2, "an interface is needed");
	/* No protocol yet: nothing arrives before it is bound. */
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd == -1)
		err(1, "socket");
	rcvbuf_raise(fd);
	ll.sll_protocol = htons(ETH_P_ALL);
	ll.sll_ifindex = (int)if_nametoindex(o->iface);
	if (ll.sll_ifindex == 0)
		err(1, "%s", o->iface);
	if (bind(fd, (struct sockaddr *)&ll, sizeof ll) == -1)
		err(1, "bind");
	receive(fd, -1, o, &t);
	if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &st, &len) == -1)
		err(1, "PACKET_STATISTICS");
	t.drops = st.tp_drops;
	tally_print(&t);
	close(fd);
	return 0;
}

/* A bound socket of TYPE on the wanted address, or on all of both families. */
static int
socket_bound(const struct pk_opts *o, int type, uint16_t port)
{
	struct pk_addr any = { .family = AF_INET6, .len = 16 };
	const struct pk_addr *a = o->src.len != 0 ? &o->src : &any;
	struct sockaddr_storage ss;
	socklen_t len;
	int fd, zero = 0, one = 1;

	fd = socket(a->family, type | SOCK_CLOEXEC, 0);
	if (fd == -1)
		err(1, "socket");
	if (a == &any && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero,
	    sizeof zero) == -1)
		err(1, "IPV6_V6ONLY");
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == -1)
		err(1, "SO_REUSEADDR");
	len = pk_sockaddr(&ss, a, port);
	if (bind(fd, (struct sockaddr *)&ss, len) == -1)
		err(1, "bind to port %u", port);
	return fd;
}

int
pk_recv(const struct pk_opts *o)
{
	struct tally t = { 0 };
	int udp = -1, tcp = -1;

	if (o->sport != 0) {
		udp = socket_bound(o, SOCK_DGRAM, o->sport);
		rcvbuf_raise(udp);
	}
	if (o->tcp != 0) {
		tcp = socket_bound(o, SOCK_STREAM | SOCK_NONBLOCK, o->tcp);
		if (listen(tcp, SOMAXCONN) == -1)
			err(1, "listen");
	}
	if (udp == -1 && tcp == -1)
		errx(2, "a port is needed");
	receive(udp, tcp, o, &t);
	tally_print(&t);
	if (udp != -1)
		close(udp);
	if (tcp != -1)
		close(tcp);
	return 0;
}
