/*
 * The sending commands of pktool: blast, syn, probe.
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
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SYN_PORTS 40000 /* source ports in turn, from SYN_PORT_FIRST on */
#define SYN_PORT_FIRST 20000
#define SYN_GRACE_NS (PK_NS / 2) /* for the last answers */

/* IP header and TCP header at most, and then some. */
#define RAW_BUF 256

/* The address that the kernel sends from on the connected socket FD. */
static void
source_learn(int fd, struct pk_addr *src)
{
	struct sockaddr_storage ss;
	socklen_t len = sizeof ss;

	if (getsockname(fd, (struct sockaddr *)&ss, &len) == -1)
		err(1, "getsockname");
	src->family = ss.ss_family;
	if (ss.ss_family == AF_INET) {
		src->len = 4;
		memcpy(src->octets, &((struct sockaddr_in *)&ss)->sin_addr, 4);
		return;
	}
	src->len = 16;
	memcpy(src->octets, &((struct sockaddr_in6 *)&ss)->sin6_addr, 16);
}

static int
socket_connected(const struct pk_opts *o, int type, int proto)
{
	/* Without a source this is the wildcard. */
	struct pk_addr src = o->src;
	struct sockaddr_storage ss;
	socklen_t len;
	int fd;

	src.family = o->dst.family;
	fd = socket(o->dst.family, type | SOCK_CLOEXEC, proto);
	if (fd == -1)
		err(1, "socket");
	len = pk_sockaddr(&ss, &src, type == SOCK_DGRAM ? o->sport : 0);
	if (bind(fd, (struct sockaddr *)&ss, len) == -1)
		err(1, "bind");
	len = pk_sockaddr(&ss, &o->dst, type == SOCK_DGRAM ? o->dport : 0);
	if (connect(fd, (struct sockaddr *)&ss, len) == -1)
		err(1, "connect");
	return fd;
}

/* How many packets the options ask for; 0: no bound. */
static unsigned long
total(const struct pk_opts *o)
{
	unsigned long n = o->rate * o->seconds;

	if (o->count != 0 && (n == 0 || o->count < n))
		n = o->count;
	return n;
}

/* When the packet number I is due. */
static uint64_t
due_ns(const struct pk_opts *o, uint64_t start, unsigned long i)
{
	return start + (uint64_t)i * PK_NS / o->rate;
}

/* Until END, or a signal. */
static void
sleep_until(uint64_t end, const sigset_t *mask)
{
	struct timespec ts;

	while (!pk_stopped() && pk_until(&ts, end))
		(void)ppoll(NULL, 0, &ts, mask); /* the clock decides */
}

static void
blast_report(unsigned long sent, unsigned long failed, int last, uint64_t ns)
{
	printf("sent=%lu failed=%lu rate=%" PRIu64 " error=%s\n", sent, failed,
	    ns == 0 ? 0 : (uint64_t)(sent + failed) * PK_NS / ns,
	    last == 0 ? "none" : strerrorname_np(last));
}

int
pk_blast(const struct pk_opts *o)
{
	uint8_t payload[PK_PAYLOAD_LEN];
	unsigned long i, n = total(o), sent = 0, failed = 0;
	int fd = socket_connected(o, SOCK_DGRAM, 0), last = 0;
	uint64_t start;
	sigset_t mask;

	pk_signals_hold(&mask);
	start = pk_now_ns();
	for (i = 0; n == 0 || i < n; i++) {
		sleep_until(due_ns(o, start, i), &mask);
		if (pk_stopped())
			break;
		pk_payload_make(payload, o->token, i);
		if (send(fd, payload, sizeof payload, 0) == -1) {
			/* A refusal by the firewall or a port is a result. */
			last = errno;
			failed++;
		} else
			sent++;
	}
	blast_report(sent, failed, last, pk_now_ns() - start);
	close(fd);
	return 0;
}

/* --- syn: what does the kernel's listener answer, and until when? --- */

struct syn {
	const struct pk_opts *o;
	struct pk_opts from; /* with the source filled in */
	int fd;
	sigset_t mask;
	unsigned long n, sent, failed, answered, refused;
	uint64_t *sent_ns, *seen_ns; /* by number; 0: never */
};

static void
syn_send(struct syn *s, unsigned long i)
{
	uint8_t l4[PK_TCP_LEN];

	s->from.sport = (uint16_t)(SYN_PORT_FIRST + i % SYN_PORTS);
	pk_tcp_make(l4, &s->from, PK_TCP_SYN, (uint32_t)i, 0);
	s->sent_ns[i] = pk_now_ns();
	if (send(s->fd, l4, sizeof l4, 0) == -1)
		s->failed++;
	else
		s->sent++;
}

/* One segment from the raw socket: an IPv4 one has its IP header. */
static void
syn_segment(struct syn *s, const uint8_t *p, size_t len)
{
	size_t skip = 0;
	uint64_t ack;

	if (s->o->dst.family == AF_INET && len > 0)
		skip = (size_t)(p[0] & 15) * 4;
	if (len < skip || len - skip < PK_TCP_LEN)
		return;
	p += skip;
	if (((unsigned)p[0] << 8 | p[1]) != s->o->dport)
		return;
	ack = (uint64_t)p[8] << 24 | (uint64_t)p[9] << 16 |
	    (uint64_t)p[10] << 8 | p[11];
	if (ack == 0 || ack > s->n || s->seen_ns[ack - 1] != 0)
		return;
	if ((p[13] & PK_TCP_RST) != 0) {
		s->refused++;
		return;
	}
	if ((p[13] & (PK_TCP_SYN | PK_TCP_ACK)) != (PK_TCP_SYN | PK_TCP_ACK))
		return;
	s->seen_ns[ack - 1] = pk_now_ns();
	s->answered++;
}

/* Take answers until the time is END. */
static void
syn_receive(struct syn *s, uint64_t end)
{
	struct pollfd pfd = { .fd = s->fd, .events = POLLIN };
	struct timespec ts;
	uint8_t buf[RAW_BUF];
	ssize_t len;

	while (!pk_stopped() && pk_until(&ts, end)) {
		if (ppoll(&pfd, 1, &ts, &s->mask) <= 0)
			continue;
		len = recv(s->fd, buf, sizeof buf, MSG_DONTWAIT);
		if (len > 0)
			syn_segment(s, buf, (size_t)len);
	}
}

static void
syn_report(const struct syn *s)
{
	unsigned long i, first = s->n, last = 0;

	for (i = 0; i < s->n; i++) {
		if (s->o->verbose)
			printf("%lu %" PRIu64 " %" PRIu64 "\n", i,
			    s->sent_ns[i], s->seen_ns[i]);
		if (s->seen_ns[i] == 0)
			continue;
		if (first == s->n)
			first = i;
		last = i;
	}
	printf("sent=%lu failed=%lu answered=%lu refused=%lu "
	       "first_sent_ns=%" PRIu64 " last_sent_ns=%" PRIu64 "\n",
	    s->sent, s->failed, s->answered, s->refused,
	    s->answered == 0 ? 0 : s->sent_ns[first],
	    s->answered == 0 ? 0 : s->sent_ns[last]);
}

int
pk_syn(const struct pk_opts *o)
{
	struct syn s = { .o = o, .from = *o, .n = total(o) };
	uint64_t start;
	unsigned long i;

	if (s.n == 0)
		errx(2, "a count or a number of seconds is needed");
	s.sent_ns = calloc(s.n, sizeof *s.sent_ns);
	s.seen_ns = calloc(s.n, sizeof *s.seen_ns);
	if (s.sent_ns == NULL || s.seen_ns == NULL)
		err(1, "calloc");
	s.fd = socket_connected(o, SOCK_RAW, IPPROTO_TCP);
	source_learn(s.fd, &s.from.src);
	pk_signals_hold(&s.mask);
	start = pk_now_ns();
	for (i = 0; i < s.n && !pk_stopped(); i++) {
		syn_receive(&s, due_ns(o, start, i));
		syn_send(&s, i);
	}
	syn_receive(&s, pk_now_ns() + SYN_GRACE_NS);
	syn_report(&s);
	close(s.fd);
	free(s.sent_ns);
	free(s.seen_ns);
	return 0;
}

/* --- probe --- */

static void
probe_send(int fd, const struct sockaddr_ll *to, const char *kind,
    const struct pk_opts *o, const uint8_t *smac)
{
	struct pk_frame frames[PK_MAX_FRAMES];
	size_t i, n;

	n = pk_frames_make(frames, kind, o, smac);
	if (n == 0)
		errx(2, "unknown kind: %s", kind);
	for (i = 0; i < n; i++)
		if (sendto(fd, frames[i].octets, frames[i].len, 0,
			(const struct sockaddr *)to, sizeof *to) == -1)
			err(1, "sendto %s", o->iface);
	printf("probe=%s family=%d frames=%zu\n", kind,
	    o->dst.family == AF_INET ? 4 : 6, n);
}

int
pk_probe(const struct pk_opts *o, const char *kind)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET, .sll_halen = 6 };
	struct ifreq ifr;
	const char *name;
	size_t i;
	int fd;

	if (o->iface == NULL || o->src.family != o->dst.family)
		errx(2, "an interface and a source address are needed");
	fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (fd == -1)
		err(1, "socket");
	memset(&ifr, 0, sizeof ifr);
	snprintf(ifr.ifr_name, sizeof ifr.ifr_name, "%s", o->iface);
	if (ioctl(fd, SIOCGIFHWADDR, &ifr) == -1)
		err(1, "%s", o->iface);
	to.sll_ifindex = (int)if_nametoindex(o->iface);
	memcpy(to.sll_addr, o->mac, sizeof o->mac);
	if (strcmp(kind, "all") != 0)
		probe_send(fd, &to, kind, o,
		    (const uint8_t *)ifr.ifr_hwaddr.sa_data);
	else
		for (i = 0; (name = pk_kind_name(i)) != NULL; i++)
			probe_send(fd, &to, name, o,
			    (const uint8_t *)ifr.ifr_hwaddr.sa_data);
	close(fd);
	return 0;
}
