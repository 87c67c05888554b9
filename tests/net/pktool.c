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
#include <stdio.h>
#include <stdlib.h>
#include <signal.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define DEFAULT_RATE 1000
#define PROBE_SPORT 40123
#define DEFAULT_TOKEN "portcullis-probe"

static const char usage_text[] =
"usage: pktool blast [-r RATE] [-s SECONDS] [-n COUNT] [-S SOURCE]\n"
"           [-p SOURCE-PORT] ADDRESS PORT\n"
"       pktool syn (-s SECONDS | -n COUNT) [-r RATE] [-S SOURCE] [-v]\n"
"           ADDRESS PORT\n"
"       pktool probe -i INTERFACE -m MAC -S SOURCE [-p SOURCE-PORT]\n"
"           KIND|all ADDRESS PORT\n"
"       pktool sink -i INTERFACE [-s SECONDS] [-n COUNT] [-a] [-v]\n"
"       pktool recv [-p UDP-PORT] [-T TCP-PORT] [-S ADDRESS] [-s SECONDS]\n"
"           [-n COUNT] [-v]\n"
"       pktool kill PID SIGNAL      prints the time, then signals\n"
"       pktool now | kinds\n"
"\n"
"-t TOKEN marks the packets (all but syn).  Times are CLOCK_MONOTONIC in\n"
"nanoseconds.  Without -s and -n: until SIGTERM.  -m is the next hop's;\n"
"-a takes what leaves the interface as well.\n";

static void __attribute__((noreturn))
usage(void)
{
	(void)fputs(usage_text, stderr);
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

/* clang-format off */
static void
option_take(struct pk_opts *o, int c)
{
	switch (c) {
	case 'S': addr_parse(&o->src, optarg); break;
	case 'a': o->all = true; break;
	case 'n': o->count = number(optarg, 100000000); break;
	case 'i': o->iface = optarg; break;
	case 'm': mac_parse(o->mac, optarg); break;
	case 'p': o->sport = (uint16_t)number(optarg, UINT16_MAX); break;
	case 'r': o->rate = number(optarg, 1000000); break;
	case 's': o->seconds = number(optarg, 86400); break;
	case 'T': o->tcp = (uint16_t)number(optarg, UINT16_MAX); break;
	case 't': token_parse(o->token, optarg); break;
	case 'v': o->verbose = true; break;
	default: usage();
	}
}
/* clang-format on */

/* --- commands --- */

/* The time is taken before: what is sent later comes after the signal. */
static int
cmd_kill(const struct pk_opts *o, char **argv)
{
	pid_t pid = (pid_t)number(argv[0], INT_MAX);
	int sig = (int)number(argv[1], 64);
	uint64_t now = pk_now_ns();

	(void)o;
	if (pid < 2)
		errx(2, "not a process: %s", argv[0]);
	if (kill(pid, sig) == -1)
		err(1, "kill");
	printf("%" PRIu64 "\n", now);
	return 0;
}

static int
cmd_now(const struct pk_opts *o, char **argv)
{
	(void)o;
	(void)argv;
	printf("%" PRIu64 "\n", pk_now_ns());
	return 0;
}

static int
cmd_kinds(const struct pk_opts *o, char **argv)
{
	const char *name;
	size_t i;

	(void)o;
	(void)argv;
	for (i = 0; (name = pk_kind_name(i)) != NULL; i++)
		puts(name);
	return 0;
}

static int
cmd_blast(const struct pk_opts *o, char **argv)
{
	(void)argv;
	return pk_blast(o);
}

static int
cmd_syn(const struct pk_opts *o, char **argv)
{
	(void)argv;
	return pk_syn(o);
}

static int
cmd_probe(const struct pk_opts *o, char **argv)
{
	struct pk_opts probe = *o;

	if (probe.sport == 0)
		probe.sport = PROBE_SPORT;
	return pk_probe(&probe, argv[0]);
}

static int
cmd_sink(const struct pk_opts *o, char **argv)
{
	(void)argv;
	return pk_sink(o);
}

static int
cmd_recv(const struct pk_opts *o, char **argv)
{
	(void)argv;
	return pk_recv(o);
}

static const struct {
	const char *verb;
	int nargs; /* before ADDRESS PORT, if it has those */
	bool has_dst;
	int (*run)(const struct pk_opts *o, char **argv);
} commands[] = {
	{ "blast", 0, true, cmd_blast },
	{ "syn", 0, true, cmd_syn },
	{ "probe", 1, true, cmd_probe },
	{ "sink", 0, false, cmd_sink },
	{ "recv", 0, false, cmd_recv },
	{ "kill", 2, false, cmd_kill },
	{ "now", 0, false, cmd_now },
	{ "kinds", 0, false, cmd_kinds },
};

int
main(int argc, char **argv)
{
	struct pk_opts o = { .rate = DEFAULT_RATE };
	size_t i, n = sizeof commands / sizeof commands[0];
	int c;

	token_parse(o.token, DEFAULT_TOKEN);
	for (i = 0; i < n; i++)
		if (argc > 1 && strcmp(argv[1], commands[i].verb) == 0)
			break;
	if (i == n)
		usage();
	argc--;
	argv++;
	while ((c = getopt(argc, argv, "+ai:m:n:p:r:S:s:T:t:v")) != -1)
		option_take(&o, c);
	argc -= optind;
	argv += optind;
	if (argc != commands[i].nargs + (commands[i].has_dst ? 2 : 0) ||
	    o.rate == 0)
		usage();
	if (commands[i].has_dst) {
		addr_parse(&o.dst, argv[argc - 2]);
		o.dport = (uint16_t)number(argv[argc - 1], UINT16_MAX);
	}
	return commands[i].run(&o, argv);
}
