/*
 * pktool: sends and counts marked packets.  "pktool" alone prints its usage.
 */
#include "config.h"

#include "tests/net/pk.h"

#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_BUF 65536
#define RCVBUF (16 * 1024 * 1024) /* a second of blast must fit */
#define NS 1000000000u

/* --- receiving --- */

struct tally {
	uint64_t count, first_sent, last_sent, last_seq, last_seen, drops;
};

static volatile sig_atomic_t stop;

static void
on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

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

/* Until the time is over, enough came, or somebody sends a signal. */
static void
receive(int fd, const struct pk_opts *o, struct tally *t)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	struct sigaction sa = { .sa_handler = on_signal };
	struct timespec ts = { 0 };
	uint64_t now, end = UINT64_MAX;
	sigset_t block, open;

	if (o->seconds != 0)
		end = pk_now_ns() + (uint64_t)o->seconds * NS;
	sigemptyset(&block);
	sigaddset(&block, SIGTERM);
	sigaddset(&block, SIGINT);
	if (sigprocmask(SIG_BLOCK, &block, &open) == -1 ||
	    sigaction(SIGTERM, &sa, NULL) == -1 ||
	    sigaction(SIGINT, &sa, NULL) == -1)
		err(1, "signals");
	puts("ready");
	fflush(stdout);
	while (!stop && (now = pk_now_ns()) < end &&
	    (o->count == 0 || t->count < o->count)) {
		ts.tv_sec = 1;
		if (end - now < NS) {
			ts.tv_sec = 0;
			ts.tv_nsec = (long)(end - now);
		}
		if (ppoll(&pfd, 1, &ts, &open) == 1)
			drain(fd, o, t);
	}
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
	receive(fd, o, &t);
	if (getsockopt(fd, SOL_PACKET, PACKET_STATISTICS, &st, &len) == -1)
		err(1, "PACKET_STATISTICS");
	t.drops = st.tp_drops;
	tally_print(&t);
	close(fd);
	return 0;
}

int
pk_recv(const struct pk_opts *o)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct tally t = { 0 };
	int fd, zero = 0;

	fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1 || setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero,
	    sizeof zero) == -1)
		err(1, "socket");
	rcvbuf_raise(fd);
	in6.sin6_port = htons(o->sport);
	if (bind(fd, (struct sockaddr *)&in6, sizeof in6) == -1)
		err(1, "bind");
	receive(fd, o, &t);
	tally_print(&t);
	close(fd);
	return 0;
}

/* --- command line --- */

static void __attribute__((noreturn))
usage(void)
{
	fputs("usage: pktool blast -t TOKEN -r RATE [-n N] [-s SEC] [-S SRC] "
	      "[-p SPORT] DST PORT\n"
	      "       pktool syn -r RATE [-n N] [-s SEC] [-S SRC] [-v] DST "
	      "PORT\n"
	      "       pktool probe -t TOKEN -i IFACE -m MAC -S SRC [-p SPORT] "
	      "KIND|all DST PORT\n"
	      "       pktool sink -t TOKEN -i IFACE [-s SEC] [-n N] [-a] "
	      "[-v]\n"
	      "       pktool recv -t TOKEN -p PORT [-s SEC] [-n N] [-v]\n"
	      "       pktool kill PID SIGNAL   (prints the time in ns, then "
	      "signals)\n"
	      "       pktool now\n",
	    stderr);
	exit(2);
}

static unsigned long
number(const char *text, unsigned long max)
{
	unsigned long n;
	char *end;

	errno = 0;
	n = strtoul(text, &end, 10);
	if (errno != 0 || end == text || *end != '\0' || *text == '-' ||
	    n > max)
		errx(2, "not a number up to %lu: %s", max, text);
	return n;
}

static void
addr_parse(struct pk_addr *a, const char *text)
{
	memset(a, 0, sizeof *a);
	if (inet_pton(AF_INET, text, a->octets) == 1) {
		a->family = AF_INET;
		a->len = 4;
	} else if (inet_pton(AF_INET6, text, a->octets) == 1) {
		a->family = AF_INET6;
		a->len = 16;
	} else
		errx(2, "not an address: %s", text);
}

static void
mac_parse(uint8_t *mac, const char *text)
{
	int n = 0;

	if (sscanf(text, "%2hhx:%2hhx:%2hhx:%2hhx:%2hhx:%2hhx%n", &mac[0],
		&mac[1], &mac[2], &mac[3], &mac[4], &mac[5], &n) != 6 ||
	    text[n] != '\0')
		errx(2, "not a MAC address: %s", text);
}

/* Shorter tokens are filled up with dots. */
static void
token_parse(uint8_t *token, const char *text)
{
	size_t len = strlen(text);

	if (len == 0 || len > PK_TOKEN_LEN)
		errx(2, "a token has 1 to %d octets", PK_TOKEN_LEN);
	memset(token, '.', PK_TOKEN_LEN);
	memcpy(token, text, len);
}

static void
opts_parse(struct pk_opts *o, int argc, char **argv)
{
	int c;

	o->rate = 1000;
	o->sport = 40123;
	while ((c = getopt(argc, argv, "+ai:m:n:p:r:S:s:t:v")) != -1) {
		switch (c) {
		case 'a': o->all = true; break;
		case 'i': o->iface = optarg; break;
		case 'm': mac_parse(o->mac, optarg); break;
		case 'n': o->count = number(optarg, 100000000); break;
		case 'p': o->sport = (uint16_t)number(optarg, 65535); break;
		case 'r': o->rate = number(optarg, 1000000); break;
		case 'S': addr_parse(&o->src, optarg); break;
		case 's': o->seconds = number(optarg, 86400); break;
		case 't': token_parse(o->token, optarg); break;
		case 'v': o->verbose = true; break;
		default: usage();
		}
	}
	if (o->rate == 0)
		errx(2, "the rate is at least 1");
}

/* The time is taken before: what is sent later comes after the signal. */
static int
cmd_kill(char **argv)
{
	pid_t pid = (pid_t)number(argv[0], INT_MAX);
	int sig = (int)number(argv[1], 64);
	uint64_t now = pk_now_ns();

	if (pid < 2)
		errx(2, "not a process: %s", argv[0]);
	if (kill(pid, sig) == -1)
		err(1, "kill");
	printf("%" PRIu64 "\n", now);
	return 0;
}

static int
run(const char *verb, struct pk_opts *o, char **argv, int argc)
{
	if (strcmp(verb, "now") == 0 && argc == 0)
		return printf("%" PRIu64 "\n", pk_now_ns()) < 0;
	if (strcmp(verb, "kill") == 0 && argc == 2)
		return cmd_kill(argv);
	if (strcmp(verb, "syn") != 0 && o->token[0] == 0)
		usage();
	if (strcmp(verb, "sink") == 0 && argc == 0)
		return pk_sink(o);
	if (strcmp(verb, "recv") == 0 && argc == 0)
		return pk_recv(o);
	if (argc < 2)
		usage();
	addr_parse(&o->dst, argv[argc - 2]);
	o->dport = (uint16_t)number(argv[argc - 1], 65535);
	if (strcmp(verb, "blast") == 0 && argc == 2)
		return pk_blast(o);
	if (strcmp(verb, "syn") == 0 && argc == 2)
		return pk_syn(o);
	if (strcmp(verb, "probe") == 0 && argc == 3)
		return pk_probe(o, argv[0]);
	usage();
}

int
main(int argc, char **argv)
{
	struct pk_opts o = { 0 };
	const char *verb;

	if (argc < 2)
		usage();
	verb = argv[1];
	argc--;
	argv++;
	opts_parse(&o, argc, argv);
	return run(verb, &o, argv + optind, argc - optind);
}
