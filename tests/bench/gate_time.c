/*
 * How long the gate takes, by number of listeners: to compile its ruleset
 * (policy to netlink messages), to commit it, to open all of it, to change
 * one listener, to close.
 *
 *   gate_time [-r RUNS] POLICY_FILE
 *   gate_time [-r RUNS] -n LISTENERS   : that many, instead of a file's
 *
 * Each run is in a new network namespace of its own.  Prints one JSON object;
 * times are medians in ns.  The ruleset is guard and gate together, as at
 * start-up; "install_ns" is all of start-up's work in the kernel, with boot
 * and netdev tables and everything read back; "open_ns", "update_one_ns" and
 * "close_ns" include their read-back too.
 */
#include "config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "policy/parse.h"
#include "policy/rules.h"
#include "supervisor/gate/install.h"
#include "supervisor/gate/nft_compile.h"
#include "supervisor/gatemsg.h"
#include "supervisor/log.h"

#define RUNS_DEFAULT 21
#define RUNS_MOST 1000
#define SOCK_BYTES (8u << 20) /* more than any batch here */
#define FILE_MOST (1u << 20)

enum { T_COMPILE, T_COMMIT, T_INSTALL, T_OPEN, T_UPDATE, T_CHECK, T_CLOSE,
	NTIMES };

static const char *const names[NTIMES] = { "compile_ns", "commit_ns",
	"install_ns", "open_ns", "update_one_ns", "read_back_ns",
	"close_ns" };

static uint64_t times[NTIMES][RUNS_MOST];
static struct pol_policy policy;
static struct pol_addr ifaddr[POL_MAX_IFADDRS];
static uint8_t all[POL_MAX_LISTENERS / 8];
static uint32_t elements; /* of an open gate */

static uint64_t
now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static void
new_netns(void)
{
	if (unshare(CLONE_NEWNET) == -1)
		fatal("cannot make a network namespace: %s", strerror(errno));
}

static void
must(int rc, const char *what)
{
	if (rc != 0)
		fatal("%s: %s", what, rc < -1 ? strerror(-rc) : "failed");
}

/* Guard and gate into one batch; the ruleset is made from the policy first. */
static void
compile(struct nft_batch *b)
{
	struct pol_ruleset rs;
	const struct pol_table *guard = &rs.tables[POL_T_GUARD];
	const struct pol_table *gate = &rs.tables[POL_T_GATE];
	size_t cap;
	void *buf;

	must(pol_ruleset_make(&rs, &policy), "pol_ruleset_make");
	cap = nft_compile_bound(guard) + nft_compile_bound(gate) +
	    2 * NFT_MSG_ROOM;
	buf = xcalloc(1, cap);
	nft_batch_begin(b, buf, cap);
	must(nft_compile_create(b, guard, 0), "compile");
	must(nft_compile_create(b, gate, 0), "compile");
	nft_batch_end(b);
	pol_ruleset_clear(&rs);
}

static void
run_ruleset(int run)
{
	struct nft_sock s;
	struct nft_batch b;
	uint64_t start, compiled;

	new_netns();
	must(nft_sock_open(&s, 0), "netlink");
	must(nft_sock_buffers(&s, SOCK_BYTES, SOCK_BYTES), "netlink");
	start = now_ns();
	compile(&b);
	compiled = now_ns();
	must(nft_commit(&s, &b), "commit");
	times[T_COMMIT][run] = now_ns() - compiled;
	times[T_COMPILE][run] = compiled - start;
	free(b.buf);
	nft_sock_close(&s);
}

static void
run_install(int run, struct kern *k)
{
	uint64_t start;

	new_netns();
	start = now_ns();
	must(install_look(k, &policy), "install");
	must(install_tables(k, true), "install");
	times[T_INSTALL][run] = now_ns() - start;
}

static void
run_positions(int run, struct kern *k)
{
	uint8_t less[sizeof all];
	struct kern_held held;
	uint64_t start = now_ns();

	must(kern_open(k, all, ifaddr, POL_S_GATE, true), "open");
	times[T_OPEN][run] = now_ns() - start;
	elements = k->nproven;
	memcpy(less, all, sizeof less);
	less[0] &= 0xfe;
	start = now_ns();
	must(kern_open(k, less, ifaddr, POL_S_GATE, false), "update");
	times[T_UPDATE][run] = now_ns() - start;
	start = now_ns();
	must(kern_check_proven(k, less, ifaddr), "check");
	times[T_CHECK][run] = now_ns() - start;
	start = now_ns();
	must(kern_close(k, false), "close");
	must(kern_read_held(k, &held), "read back");
	times[T_CLOSE][run] = now_ns() - start;
	if (held.gate.live4 || held.gate.live6)
		fatal("closed, and the lease is there");
}

static int
by_value(const void *a, const void *b)
{
	const uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void
report(int runs)
{
	struct rusage ru;

	(void)getrusage(RUSAGE_SELF, &ru);
	printf("{\"listeners\": %zu, \"elements\": %u, \"runs\": %d",
	    policy.nlisteners, elements, runs);
	for (size_t i = 0; i < NTIMES; i++) {
		qsort(times[i], (size_t)runs, sizeof times[i][0], by_value);
		printf(", \"%s\": %llu", names[i],
		    (unsigned long long)times[i][runs / 2]);
	}
	printf(", \"max_rss_kib\": %ld}\n", ru.ru_maxrss);
}

static void
read_policy(const char *path)
{
	char *text = xcalloc(1, FILE_MOST + 1);
	struct pol_source src = { .name = path, .text = text };
	struct pol_diags diags = { 0 };
	FILE *f = fopen(path, "re");

	if (f == NULL)
		fatal("%s: %s", path, strerror(errno));
	src.len = fread(text, 1, FILE_MOST, f);
	(void)fclose(f);
	if (pol_parse(&policy, &diags, &src, 1) == -1)
		fatal("%s:%u: %s", path, diags.n > 0 ? diags.list[0].line : 0,
		    diags.n > 0 ? diags.list[0].text : "not a policy");
	pol_diags_clear(&diags);
	free(text);
}

/* Half IPv4, half IPv6, all SOCKS. */
static void
make_up(size_t n)
{
	struct pol_policy *p = &policy;

	if (n == 0 || n > POL_MAX_LISTENERS)
		fatal("from 1 to %d listeners", POL_MAX_LISTENERS);
	pol_policy_init(p);
	p->listeners = xcalloc(n, sizeof *p->listeners);
	p->nlisteners = n;
	p->ninternal = p->nexternal = 1;
	(void)snprintf(p->internal[0], sizeof p->internal[0], "int0");
	(void)snprintf(p->external[0], sizeof p->external[0], "ext0");
	for (size_t i = 0; i < n; i++) {
		(void)pol_addr_parse(&p->listeners[i].addr, i % 2 == 0 ?
		    "10.152.152.10" : "fd19::10");
		p->listeners[i].port = (uint16_t)(1024 + i / 2);
	}
}

/* What only a running system knows: any user and any address will do. */
static void
settle_policy(void)
{
	struct pol_user *users[] = { &policy.tor.user, &policy.gate_user,
		&policy.engine_user, &policy.status_user };
	char text[INET6_ADDRSTRLEN];

	for (size_t i = 0; i < sizeof users / sizeof users[0]; i++) {
		users[i]->uid = users[i]->gid = (uint32_t)(4300 + i);
		users[i]->resolved = true;
	}
	policy.lease_ms = POL_LEASE_MAX_MS;
	for (size_t i = 0; i < policy.nifaddrs; i++) {
		(void)snprintf(text, sizeof text,
		    policy.ifaddrs[i].family == AF_INET6 ? "fd99::%zu" :
		    "192.0.2.%zu", i + 1);
		(void)pol_addr_parse(&ifaddr[i], text);
	}
	for (unsigned i = 0; i < policy.nlisteners; i++)
		gate_map_set(all, i);
}

int
main(int argc, char **argv)
{
	int opt, runs = RUNS_DEFAULT;
	size_t n = 0;

	log_init("gate_time", LOG_LV_ERR);
	while ((opt = getopt(argc, argv, "r:n:")) != -1) {
		if (opt == 'r')
			runs = atoi(optarg);
		else if (opt == 'n')
			n = strtoul(optarg, NULL, 10);
		else
			return 2;
	}
	if (runs < 1 || runs > RUNS_MOST || (n == 0) != (optind == argc - 1))
		fatal("usage: gate_time [-r RUNS] POLICY_FILE | -n LISTENERS");
	if (n != 0)
		make_up(n);
	else
		read_policy(argv[optind]);
	settle_policy();
	for (int i = 0; i < runs; i++) {
		static struct kern k;

		run_ruleset(i);
		run_install(i, &k);
		run_positions(i, &k);
		install_clear(&k);
	}
	report(runs);
	pol_policy_clear(&policy);
	return 0;
}
