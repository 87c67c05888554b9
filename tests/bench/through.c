/*
 * How much goes through a gateway's firewall: this process is a workstation
 * and Tor's stand-in at once, each in its network namespace.
 *
 *   through [-m MS] [-a LAST_OCTET] WORKSTATION_NETNS GATEWAY_NETNS KIND
 *
 * Prints operations per second.  Workstation 10.152.152.50, gateway .10, with
 * SocksPorts 9050 and 9150, TransPort 9040, DNSPort 5300 as on a Whonix
 * gateway.  What does not get through is an error: only open firewalls are
 * compared.
 */
#include "config.h" /* _GNU_SOURCE */

#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define GATEWAY "10.152.152.10"
#define ELSEWHERE "198.51.100.1" /* anywhere: redirected */
#define ANSWER_MS 2000
#define BATCH 32 /* operations between two looks at the clock */
/* One source port each; they stay in conntrack for half a minute. */
#define NEW_FLOWS 20000
#define FIRST_SPORT 20000
#define BULK 65536

struct lane {
	const char *ws, *gw; /* namespace files */
	uint64_t ns;	     /* how long */
	unsigned last;	     /* octet of a source address of its own */
};

static uint64_t
now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts); /* cannot fail here */
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int
socket_in(const char *netns, int type, int protocol)
{
	const struct timeval limit = { .tv_sec = ANSWER_MS / 1000 };
	int there = open(netns, O_RDONLY | O_CLOEXEC), fd;

	if (there == -1 || setns(there, CLONE_NEWNET) == -1)
		err(1, "%s", netns);
	(void)close(there);
	fd = socket(AF_INET, type | SOCK_CLOEXEC, protocol);
	if (fd == -1)
		err(1, "socket");
	if (setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) ==
	    -1)
		err(1, "SO_RCVTIMEO");
	return fd;
}

static struct sockaddr_in
at(const char *addr, uint16_t port)
{
	struct sockaddr_in sin = { .sin_family = AF_INET,
		.sin_port = htons(port) };

	if (inet_pton(AF_INET, addr, &sin.sin_addr) != 1)
		errx(1, "%s is no address", addr);
	return sin;
}

static int
server(const struct lane *l, int type, uint16_t port)
{
	const struct sockaddr_in sin = at(GATEWAY, port);
	const int one = 1;
	int fd = socket_in(l->gw, type, 0);

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == -1 ||
	    bind(fd, (const struct sockaddr *)&sin, sizeof sin) == -1 ||
	    (type == SOCK_STREAM && listen(fd, SOMAXCONN) == -1))
		err(1, "port %u", port);
	return fd;
}

static int
client(const struct lane *l, int type, const char *addr, uint16_t port)
{
	const struct sockaddr_in sin = at(addr, port);
	int fd = socket_in(l->ws, type, 0);

	if (connect(fd, (const struct sockaddr *)&sin, sizeof sin) == -1)
		err(1, "%s:%u", addr, port);
	return fd;
}

/* One there and, if ANSWERED, one back, which makes the flow established. */
static void
first_datagram(int ws, int gw, bool answered)
{
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	char buf[BATCH];

	if (send(ws, "first", 5, 0) != 5 || recvfrom(gw, buf, sizeof buf, 0,
	    (struct sockaddr *)&from, &len) != 5)
		err(1, "a datagram does not get through");
	if (answered && (sendto(gw, "first", 5, 0,
	    (const struct sockaddr *)&from, len) != 5 ||
	    recv(ws, buf, sizeof buf, 0) != 5))
		err(1, "an answer does not get through");
}

/* Nobody reads: what is measured is the way to the socket. */
static double
udp_flow(const struct lane *l, bool answered)
{
	int gw = server(l, SOCK_DGRAM, 5300), ws;
	uint64_t begin, end, n = 0;
	char octets[64] = { 0 };

	ws = client(l, SOCK_DGRAM, ELSEWHERE, 53);
	first_datagram(ws, gw, answered);
	begin = now_ns();
	do {
		for (int i = 0; i < BATCH; i++)
			if (send(ws, octets, sizeof octets, 0) == -1)
				err(1, "send");
		n += BATCH;
		end = now_ns();
	} while (end - begin < l->ns);
	(void)close(ws);
	(void)close(gw);
	return (double)n * 1e9 / (double)(end - begin);
}

static double
udp_established(const struct lane *l)
{
	return udp_flow(l, true);
}

static double
udp_unanswered(const struct lane *l)
{
	return udp_flow(l, false);
}

/* A flow of its own for each datagram. */
static double
udp_new(const struct lane *l)
{
	struct {
		struct iphdr ip;
		struct udphdr udp;
		char octets[36];
	} p = { .ip = { .version = 4, .ihl = 5, .ttl = 64,
		    .protocol = IPPROTO_UDP },
		.udp = { .dest = htons(53), .len = htons(sizeof p -
		    sizeof p.ip) } };
	const struct sockaddr_in sin = at(ELSEWHERE, 0);
	char source[INET_ADDRSTRLEN], buf[BATCH];
	int gw = server(l, SOCK_DGRAM, 5300);
	int ws = socket_in(l->ws, SOCK_RAW, IPPROTO_RAW);
	uint64_t begin, end;

	(void)snprintf(source, sizeof source, "10.152.152.%u", l->last);
	p.ip.saddr = at(source, 0).sin_addr.s_addr;
	p.ip.daddr = sin.sin_addr.s_addr;
	begin = now_ns();
	for (uint16_t i = 0; i < NEW_FLOWS; i++) {
		p.udp.source = htons((uint16_t)(FIRST_SPORT + i));
		if (sendto(ws, &p, sizeof p, 0, (const struct sockaddr *)&sin,
		    sizeof sin) == -1)
			err(1, "raw send");
	}
	end = now_ns();
	if (recv(gw, buf, sizeof buf, 0) == -1)
		err(1, "no datagram gets through");
	(void)close(ws);
	(void)close(gw);
	return NEW_FLOWS * 1e9 / (double)(end - begin);
}

/* Each connection is made, taken and reset. */
static double
tcp_connect_to(const struct lane *l, const char *addr, uint16_t port,
    uint16_t listener)
{
	const struct linger reset = { .l_onoff = 1 };
	int gw = server(l, SOCK_STREAM, listener), ws, fd;
	uint64_t begin = now_ns(), end, n = 0;

	do {
		ws = client(l, SOCK_STREAM, addr, port);
		fd = accept(gw, NULL, NULL);
		if (fd == -1 || setsockopt(ws, SOL_SOCKET, SO_LINGER, &reset,
		    sizeof reset) == -1)
			err(1, "accept");
		(void)close(ws);
		(void)close(fd);
		n++;
		end = now_ns();
	} while (end - begin < l->ns);
	(void)close(gw);
	return (double)n * 1e9 / (double)(end - begin);
}

static double
tcp_socks(const struct lane *l)
{
	return tcp_connect_to(l, GATEWAY, 9150, 9150);
}

static double
tcp_trans(const struct lane *l)
{
	return tcp_connect_to(l, ELSEWHERE, 80, 9040);
}

struct pair {
	int ws, gw;
};

static struct pair
connected(const struct lane *l)
{
	int listener = server(l, SOCK_STREAM, 9050);
	struct pair p = { .ws = client(l, SOCK_STREAM, GATEWAY, 9050) };
	const int one = 1;

	p.gw = accept(listener, NULL, NULL);
	if (p.gw == -1 || setsockopt(p.gw, IPPROTO_TCP, TCP_NODELAY, &one,
	    sizeof one) == -1 || setsockopt(p.ws, IPPROTO_TCP, TCP_NODELAY,
	    &one, sizeof one) == -1)
		err(1, "accept");
	(void)close(listener);
	return p;
}

/* One octet there and back, by one thread: no scheduler in between. */
static double
tcp_echo(const struct lane *l)
{
	struct pair p = connected(l);
	uint64_t begin = now_ns(), end, n = 0;
	char c = 0;

	do {
		if (send(p.ws, &c, 1, 0) != 1 || recv(p.gw, &c, 1, 0) != 1 ||
		    send(p.gw, &c, 1, 0) != 1 || recv(p.ws, &c, 1, 0) != 1)
			err(1, "echo");
		n++;
		end = now_ns();
	} while (end - begin < l->ns);
	(void)close(p.ws);
	(void)close(p.gw);
	return (double)n * 1e9 / (double)(end - begin);
}

/* Megabytes. */
static double
tcp_bulk(const struct lane *l)
{
	static char octets[BULK];
	struct pair p = connected(l);
	uint64_t begin = now_ns(), end, n = 0;

	do {
		if (send(p.ws, octets, sizeof octets, 0) !=
		    (ssize_t)sizeof octets)
			err(1, "send");
		if (recv(p.gw, octets, sizeof octets, MSG_WAITALL) !=
		    (ssize_t)sizeof octets)
			err(1, "recv");
		n += sizeof octets;
		end = now_ns();
	} while (end - begin < l->ns);
	(void)close(p.ws);
	(void)close(p.gw);
	return (double)n * 1e3 / (double)(end - begin);
}

static const struct {
	const char *name;
	double (*run)(const struct lane *l);
} kinds[] = {
	{ "udp-established", udp_established },
	{ "udp-unanswered", udp_unanswered },
	{ "udp-new", udp_new },
	{ "tcp-socks", tcp_socks },
	{ "tcp-trans", tcp_trans },
	{ "tcp-echo", tcp_echo },
	{ "tcp-bulk", tcp_bulk },
};

int
main(int argc, char **argv)
{
	struct lane l = { .ns = 250000000u, .last = 50 };
	int c;

	while ((c = getopt(argc, argv, "a:m:")) != -1) {
		if (c == 'a')
			l.last = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'm')
			l.ns = strtoul(optarg, NULL, 10) * 1000000u;
		else
			return 2;
	}
	if (argc - optind != 3)
		errx(2, "usage: through [-m MS] [-a LAST_OCTET] "
		    "WORKSTATION_NETNS GATEWAY_NETNS KIND");
	l.ws = argv[optind];
	l.gw = argv[optind + 1];
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (strcmp(kinds[i].name, argv[optind + 2]) == 0) {
			printf("%.1f\n", kinds[i].run(&l));
			return 0;
		}
	errx(2, "no such kind");
}
