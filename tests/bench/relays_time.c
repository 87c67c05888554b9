/*
 * Strict egress, by number of relays: what a heartbeat and a close cost while
 * so many are in force, and how long a new list takes beside "nft -f" of the
 * same elements.
 *
 *   relays_time RELAYS ROUNDS
 *
 * In a network namespace of its own.  Prints one JSON object; times are
 * medians in ns unless they are called longest; cpu is of all CPUs, and does
 * not depend on what else runs.  Half of the relays are IPv4.
 * A list is ours from its first page to its coming into force, with its count
 * and the exchange; nft adds to sets that are there and empty, reads a file
 * that has been written before, and does nothing else.  It does so once while
 * the gate listens for changes, as it does beside a gate, which makes it
 * slower, and once while it does not.  (Somebody who listens in any namespace
 * of the machine spoils both that and ours: let there be no other gate.)
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/gate/heart.h"
#include "supervisor/gate/install.h"
#include "supervisor/gatemsg.h"
#include "supervisor/log.h"

#define ROUNDS_MOST 100
#define BEATS 2000
#define CLOSES 200
#define SAMPLES_MOST 2000
#define NS_PER_S UINT64_C(1000000000)
#define GATE_UID 4242
#define FIRST_PORT 9001

struct series {
	uint64_t ns[SAMPLES_MOST];
	size_t n;
};

static struct pol_listener listener;
static struct pol_policy policy;
static struct kern kern;
static struct heart heart;
static struct gate_relays page;
static uint8_t proven[POL_MAX_LISTENERS / 8];
static struct pol_addr ifaddr[POL_MAX_IFADDRS];
static struct series beats, closes, opens, lists, pages;
static struct series lists_cpu, pages_cpu;
/* Of nft: while nobody listens, and while we do. */
static struct series peers[2], peers_cpu[2];
static uint64_t longest_turn; /* while a list comes in */

static uint64_t
clock_ns(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

static uint64_t
now_ns(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static void
must(int rc, const char *what)
{
	if (rc != 0)
		fatal("%s: %s", what, rc < -1 ? strerror(-rc) : "failed");
}

static void
note(struct series *s, uint64_t ns)
{
	if (s->n == SAMPLES_MOST)
		fatal("more samples than there is room for");
	s->ns[s->n++] = ns;
}

static int
by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* PERCENT of 50: the median.  0: there is none. */
static uint64_t
quantile(struct series *s, size_t percent)
{
	qsort(s->ns, s->n, sizeof s->ns[0], by_value);
	return s->n == 0 ? 0 : s->ns[(s->n - 1) * percent / 100];
}

static void
start(void)
{
	if (unshare(CLONE_NEWNET) == -1)
		fatal("cannot make a network namespace: %s", strerror(errno));
	must(system("ip link set lo up && "
	    "ip link add ext0 type veth peer name ext1"), "ip link");
	pol_policy_init(&policy);
	policy.listeners = &listener;
	policy.nlisteners = 1;
	policy.lease_ms = POL_LEASE_MAX_MS;
	policy.ninternal = policy.nexternal = 1;
	policy.tor.strict_egress = true;
	policy.gate_user.uid = GATE_UID;
	(void)snprintf(policy.internal[0], POL_IFNAME_LEN, "int0");
	(void)snprintf(policy.external[0], POL_IFNAME_LEN, "ext0");
	listener.kind = POL_SOCKS;
	listener.port = 9050;
	if (!pol_addr_parse(&listener.addr, "10.152.152.10"))
		fatal("no address");
	gate_map_set(proven, 0);
	must(heart_open(&heart, GATE_UID), "heartbeat");
	must(install_look(&kern, &policy), "install");
	must(install_tables(&kern, true), "install");
}

/* Number I of the list of ROUND; no two lists have one in common. */
static struct gate_relay
relay(uint32_t i, unsigned round)
{
	struct gate_relay r = { .port = FIRST_PORT, .v6 = i % 2 };
	const uint32_t n = htonl(i / 2);

	if (r.v6 == 0) {
		/* From 11.0.0.0 on: a network for each list. */
		memcpy(r.addr, &n, sizeof n);
		r.addr[0] = (uint8_t)(11 + round);
		return r;
	}
	memcpy(r.addr, (uint8_t[]){ 0x20, 0x01, 0x0d, 0xb8 }, 4);
	r.addr[5] = (uint8_t)round;
	memcpy(r.addr + 12, &n, sizeof n);
	return r;
}

static void
make_page(uint32_t first, uint32_t total, unsigned round)
{
	const uint32_t left = total - first;

	memset(&page, 0, sizeof page);
	page.magic = GATE_RELAYS_MAGIC;
	page.generation = round + 1;
	page.total = total;
	page.first = first;
	page.n = left < GATE_RELAYS_PAGE ? left : GATE_RELAYS_PAGE;
	for (uint32_t i = 0; i < page.n; i++)
		page.pair[i] = relay(first + i, round);
	if (!gate_relays_ok(&page))
		fatal("that is no page of relays");
}

/* Of turns of the main loop: what they took. */
struct sum {
	uint64_t wall, cpu;
	uint64_t wall0, cpu0; /* when the turn began */
};

static void
turn_begin(struct sum *s)
{
	s->cpu0 = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
	s->wall0 = now_ns();
}

static void
turn_end(struct sum *s)
{
	const uint64_t ns = now_ns() - s->wall0;

	s->wall += ns;
	s->cpu += clock_ns(CLOCK_PROCESS_CPUTIME_ID) - s->cpu0;
	if (ns > longest_turn)
		longest_turn = ns;
}

/* The time that the engine takes to make its pages is not ours. */
static void
bring_list(uint32_t total, unsigned round)
{
	struct sum sum = { 0 };

	for (uint32_t first = 0; first < total; first += page.n) {
		make_page(first, total, round);
		turn_begin(&sum);
		relays_page(&kern, &page);
		turn_end(&sum);
	}
	note(&pages, sum.wall);
	note(&pages_cpu, sum.cpu);
	while (relays_busy(&kern)) {
		turn_begin(&sum);
		(void)relays_step(&kern);
		turn_end(&sum);
	}
	note(&lists, sum.wall);
	note(&lists_cpu, sum.cpu);
	if (kern.relays.generation != round + 1 ||
	    kern.relays.n4 + kern.relays.n6 != total)
		fatal("the list has not come into force");
}

static void
write_elements(FILE *f, uint32_t total, unsigned round, uint8_t v6)
{
	char addr[INET6_ADDRSTRLEN];

	(void)fprintf(f, "add element inet peer relays%u {", v6 != 0 ? 6 : 4);
	for (uint32_t i = v6; i < total; i += 2) {
		const struct gate_relay r = relay(i, round);

		if (inet_ntop(v6 != 0 ? AF_INET6 : AF_INET, r.addr, addr,
		    sizeof addr) == NULL)
			fatal("an address cannot be written");
		(void)fprintf(f, "%s%s . %u", i == v6 ? " " : ",\n", addr,
		    (unsigned)r.port);
	}
	(void)fprintf(f, " }\n");
}

static uint64_t
timeval_ns(struct timeval tv)
{
	return (uint64_t)tv.tv_sec * NS_PER_S + (uint64_t)tv.tv_usec * 1000;
}

/* Its CPU time. */
static uint64_t
run_nft(const char *path)
{
	struct rusage ru;
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		(void)execlp("nft", "nft", "-f", path, (char *)NULL);
		_exit(127);
	}
	if (pid == -1 || wait4(pid, &status, 0, &ru) != pid || status != 0)
		fatal("nft -f failed");
	return timeval_ns(ru.ru_utime) + timeval_ns(ru.ru_stime);
}

static FILE *
new_file(char *path, size_t cap)
{
	const char *dir = getenv("TMPDIR");
	int fd;
	FILE *f;

	(void)snprintf(path, cap, "%s/relays.XXXXXX",
	    dir != NULL ? dir : "/tmp");
	fd = mkstemp(path);
	f = fd == -1 ? NULL : fdopen(fd, "w");
	if (f == NULL)
		fatal("%s: %s", path, strerror(errno));
	return f;
}

static void
close_file(FILE *f)
{
	if (ferror(f) != 0 || fclose(f) == EOF)
		fatal("a file cannot be written");
}

/* What somebody commits is made an event if we, or others, listen. */
static void
measure_peer(const char *path, bool told)
{
	const unsigned group = NFNLGRP_NFTABLES;
	uint64_t started;

	if (!told && nft_sock_leave(&kern.events, group) == -1)
		fatal("cannot leave: %s", strerror(errno));
	started = now_ns();
	note(&peers_cpu[told], run_nft(path));
	note(&peers[told], now_ns() - started);
	if (!told && nft_sock_join(&kern.events, group) == -1)
		fatal("cannot join: %s", strerror(errno));
}

/* The same sets, in a table that is hooked nowhere. */
static void
bring_peer(uint32_t total, unsigned round, bool told)
{
	static const char sets[] = "table inet peer\n"
	    "delete table inet peer\ntable inet peer {\n"
	    "set relays4 { type ipv4_addr . inet_service; size %d; }\n"
	    "set relays6 { type ipv6_addr . inet_service; size %d; }\n}\n";
	char path[4096];
	FILE *f = new_file(path, sizeof path);

	(void)fprintf(f, sets, POL_MAX_RELAYS, POL_MAX_RELAYS);
	close_file(f);
	(void)run_nft(path);
	f = fopen(path, "we");
	if (f == NULL)
		fatal("%s: %s", path, strerror(errno));
	write_elements(f, total, round, 0);
	write_elements(f, total, round, 1);
	close_file(f);
	measure_peer(path, told);
	(void)unlink(path);
}

static void
measure_beats(void)
{
	uint64_t started;

	must(kern_begin_lease(&kern, POL_S_EGRESS, AF_INET), "open egress");
	must(kern_open(&kern, proven, ifaddr, POL_S_GATE, true), "open");
	for (size_t i = 0; i < BEATS; i++) {
		started = now_ns();
		must(heart_beat(&heart, AF_INET, i % 2 == 0 ? HEART_GATE :
		    HEART_EGRESS), "heartbeat");
		note(&beats, now_ns() - started);
	}
	must(kern_close(&kern, false), "close");
}

static void
measure_closes(void)
{
	struct kern_held held;
	uint64_t started;

	for (size_t i = 0; i < CLOSES; i++) {
		started = now_ns();
		must(kern_open(&kern, proven, ifaddr, POL_S_GATE, true),
		    "open");
		note(&opens, now_ns() - started);
		started = now_ns();
		must(kern_close(&kern, false), "close");
		note(&closes, now_ns() - started);
		must(kern_read_held(&kern, &held), "read back");
		if (held.gate.live4 || held.gate.live6)
			fatal("closed, and the lease is there");
	}
}

static void
report(uint32_t total, unsigned rounds)
{
	const struct {
		const char *name;
		uint64_t ns;
	} rows[] = {
		{ "beat_ns", quantile(&beats, 50) },
		{ "beat_p99_ns", quantile(&beats, 99) },
		{ "open_ns", quantile(&opens, 50) },
		{ "close_ns", quantile(&closes, 50) },
		{ "close_p99_ns", quantile(&closes, 99) },
		{ "pages_ns", quantile(&pages, 50) },
		{ "pages_cpu_ns", quantile(&pages_cpu, 50) },
		{ "list_ns", quantile(&lists, 50) },
		{ "list_cpu_ns", quantile(&lists_cpu, 50) },
		{ "list_longest_turn_ns", longest_turn },
		{ "nft_ns", quantile(&peers[0], 50) },
		{ "nft_cpu_ns", quantile(&peers_cpu[0], 50) },
		{ "nft_told_ns", quantile(&peers[1], 50) },
		{ "nft_told_cpu_ns", quantile(&peers_cpu[1], 50) },
	};

	printf("{\"relays\": %u, \"rounds\": %u", (unsigned)total, rounds);
	for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
		printf(", \"%s\": %llu", rows[i].name,
		    (unsigned long long)rows[i].ns);
	printf("}\n");
}

int
main(int argc, char **argv)
{
	uint32_t total, rounds;

	log_init("relays_time", LOG_LV_WARN);
	if (argc != 3 || !pol_number_parse(&total, argv[1]) ||
	    !pol_number_parse(&rounds, argv[2]) || rounds == 0 ||
	    rounds > ROUNDS_MOST || total > POL_MAX_RELAYS)
		fatal("usage: relays_time RELAYS ROUNDS");
	start();
	for (unsigned i = 0; i < rounds && total != 0; i++) {
		bring_list(total, i);
		bring_peer(total, i, false);
		bring_peer(total, i, true);
	}
	measure_beats();
	measure_closes();
	report(total, rounds);
	install_clear(&kern);
	return 0;
}
