/*
 * Keeper and engine to a real gate, driven from standard input, for the
 * namespace tests: starts gate_main() as the keeper does, sends requests and
 * prints each report as one line.
 *
 *   gatedrv [-s] [-l LEASE_MS] [-t TOR_UID] [-u GATE_UID] -i INT -e EXT
 *       KIND/ADDRESS/PORT... | KIND/IFACE:ipv4|IFACE:ipv6/PORT |
 *       socks/unix:PATH
 *     -R internal|full|off : routing rules;  -E UID : may leave as well
 *     -X : strict egress;  -T N : listener N sets the clock, which is
 *     required;  -U UID : so does this user
 *     -S PORT : TCP may be called from outside;  -P : so may ping
 *     -A : hold the boot table, as the keeper does
 *   gatedrv -f POLICY_FILE  : all that from a policy; users are numbers
 *   gatedrv -p POSITION ... : print the gate table as nft text, instead
 *   gatedrv -r              : remove the rules, instead
 *
 * Commands, one a line: open [N...], tor, closed, hold MS [N...] (open, then
 * renew four times a lease), stay open|sync|tor|closed [N...] (the same until
 * the next request), again (the last request as it was), stale,
 * epoch N, junk N, wait MS, engine (hand over a new one), hangup, term, quit;
 * at IFACE:ipv4|IFACE:ipv6 ADDRESS (where the listeners on it are said to be
 * from now on; "none": nowhere); sync, keep MS: as open and hold, of the
 * listeners that set the clock; relays GENERATION PAIR..., cut GENERATION
 * PAIR... (without the last page), swaps TIMES PAIR... (that many lists, one
 * after the other): see drv_relays.h; permits [lookup] [stub] [udp] (carried
 * by every request from now on); reach tor|resolver TTL PAIR...
 *
 * A script may think for longer than the gate has patience with an engine:
 * while closed, "closed" is said now and then.  Only "wait" is silence.
 */
#include "config.h" /* _GNU_SOURCE */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "policy/rules.h"
#include "supervisor/gate/gate.h"
#include "supervisor/gatemsg.h"
#include "supervisor/links.h"
#include "supervisor/log.h"
#include "tests/it/drv_policy.h"
#include "tests/it/drv_relays.h"
#include "tests/it/drv_report.h"

#define NS_PER_MS UINT64_C(1000000)
#define LINE_CAP 1024

struct drv {
	struct pol_policy policy;
	pid_t gate;
	int keeper_fd; /* to the gate's descriptor 3 */
	int engine_fd;
	struct gate_report last;
	struct gate_req sent;
	struct pol_addr ifaddr[POL_MAX_IFADDRS];
	uint64_t seq;
	uint32_t permits, reach_seq;
	bool quiet; /* only changes are printed */
	bool stays;		 /* STAY is said again and again */
	enum gate_position stay;
	char stay_list[64];	 /* of these listeners */
	uint64_t stay_ns;	 /* when to say so again */
	uint64_t said_ns;	 /* when something was last said */
};

static uint64_t
now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_BOOTTIME, &ts);
	return (uint64_t)ts.tv_sec * 1000 * NS_PER_MS + (uint64_t)ts.tv_nsec;
}

static void
on_report(struct drv *d)
{
	struct gate_report r;
	ssize_t n = recv(d->engine_fd, &r, sizeof r, MSG_DONTWAIT);

	if (n == -1 && errno == EAGAIN)
		return;
	if (n != (ssize_t)sizeof r || !gate_report_ok(&r)) {
		printf("engine-dropped\n");
		(void)fflush(stdout);
		(void)close(d->engine_fd);
		d->engine_fd = -1;
		return;
	}
	if (!d->quiet || !drv_report_same(&r, &d->last))
		drv_report_print(&r);
	d->last = r;
}

static void
on_ask(struct drv *d)
{
	struct link_ask ask;
	ssize_t n = recv(d->keeper_fd, &ask, sizeof ask, MSG_DONTWAIT);

	if (n == (ssize_t)sizeof ask && ask.magic == LINK_ASK_MAGIC) {
		if (ask.restart == LINK_NONE)
			printf("gate-stands\n");
		else
			printf("asked-to-restart peer=%u\n", ask.restart);
	} else if (n <= 0 && d->keeper_fd != -1) {
		int st = 0;

		(void)close(d->keeper_fd);
		d->keeper_fd = -1;
		if (d->gate > 0 && waitpid(d->gate, &st, 0) == d->gate)
			printf("gate-ended exit=%d signal=%d\n",
			    WIFEXITED(st) ? WEXITSTATUS(st) : -1,
			    WIFSIGNALED(st) ? WTERMSIG(st) : 0);
		d->gate = -1;
	}
	(void)fflush(stdout);
}

/* Take in what comes for MS milliseconds. */
static void
listen_for(struct drv *d, uint64_t ms)
{
	const uint64_t end = now_ns() + ms * NS_PER_MS;
	struct pollfd p[2];
	uint64_t now;

	while ((now = now_ns()) < end) {
		p[0] = (struct pollfd){ d->engine_fd, POLLIN, 0 };
		p[1] = (struct pollfd){ d->keeper_fd, POLLIN, 0 };
		if (poll(p, 2, (int)((end - now) / NS_PER_MS) + 1) <= 0)
			continue;
		if (p[0].revents != 0)
			on_report(d);
		if (p[1].revents != 0)
			on_ask(d);
	}
}

static void
send_req(struct drv *d)
{
	if (send(d->engine_fd, &d->sent, sizeof d->sent, MSG_NOSIGNAL) == -1)
		printf("send-failed %s\n", strerror(errno));
	d->said_ns = now_ns();
}

static void
set_proven(struct drv *d, char *list)
{
	bool any = false;
	char *word;

	for (word = strtok(list, " \n"); word != NULL;
	    word = strtok(NULL, " \n")) {
		gate_map_set(d->sent.proven, (unsigned)atoi(word));
		any = true;
	}
	for (unsigned i = 0; !any && i < d->policy.nlisteners; i++)
		if (d->sent.want == GATE_OPEN ||
		    d->policy.listeners[i].timesync)
			gate_map_set(d->sent.proven, i);
}

static void
prepare(struct drv *d, enum gate_position want, char *list)
{
	memset(&d->sent, 0, sizeof d->sent);
	d->sent.magic = GATE_MAGIC;
	d->sent.want = want;
	d->sent.seq = ++d->seq;
	d->sent.epoch = d->last.epoch;
	d->sent.permits = d->permits;
	if (want != GATE_OPEN && want != GATE_SYNC)
		return;
	d->sent.proof_ns = now_ns();
	d->sent.lease_ms = d->policy.lease_ms;
	memcpy(d->sent.ifaddr, d->ifaddr, sizeof d->sent.ifaddr);
	set_proven(d, list);
}

static void
cmd_open(struct drv *d, char *arg)
{
	prepare(d, GATE_OPEN, arg);
	send_req(d);
}

static void
cmd_at(struct drv *d, char *arg)
{
	const char *spec = strtok(arg, " \n"), *addr = strtok(NULL, " \n");
	uint8_t number;

	if (addr == NULL)
		fatal("at IFACE:ipv4 ADDRESS");
	number = drv_ifaddr_number(&d->policy, spec);
	/* What is no address is none. */
	(void)pol_addr_parse(&d->ifaddr[number - 1], addr);
}

/* Down, and no more of what was to be said again and again. */
static void
lower(struct drv *d, enum gate_position want)
{
	d->stays = false;
	prepare(d, want, NULL);
	send_req(d);
}

static void
cmd_tor(struct drv *d, char *arg)
{
	(void)arg;
	lower(d, GATE_TOR_ONLY);
}

static void
cmd_closed(struct drv *d, char *arg)
{
	(void)arg;
	lower(d, GATE_CLOSED);
}

static void
cmd_sync(struct drv *d, char *arg)
{
	prepare(d, GATE_SYNC, arg);
	send_req(d);
}

static void
keep(struct drv *d, enum gate_position want, char *arg)
{
	char *rest = arg;
	uint64_t end = now_ns() + strtoull(arg, &rest, 10) * NS_PER_MS;
	char list[256];

	d->quiet = true;
	while (now_ns() < end && d->engine_fd != -1) {
		(void)snprintf(list, sizeof list, "%s", rest);
		prepare(d, want, list);
		send_req(d);
		listen_for(d, d->policy.lease_ms / 4);
	}
	d->quiet = false;
}

static void
cmd_hold(struct drv *d, char *arg)
{
	keep(d, GATE_OPEN, arg);
}

static void
cmd_keep(struct drv *d, char *arg)
{
	keep(d, GATE_SYNC, arg);
}

static void
send_list(struct drv *d, char *arg, bool cut)
{
	char *rest = arg;
	const uint32_t generation = (uint32_t)strtoul(arg, &rest, 10);

	drv_relays_send(d->engine_fd, generation, rest, cut);
}

static void
cmd_relays(struct drv *d, char *arg)
{
	send_list(d, arg, false);
}

static void
cmd_cut(struct drv *d, char *arg)
{
	send_list(d, arg, true);
}

static void
stay(struct drv *d)
{
	char list[sizeof d->stay_list];

	if (!d->stays || d->engine_fd == -1 || now_ns() < d->stay_ns)
		return;
	memcpy(list, d->stay_list, sizeof list);
	prepare(d, d->stay, list);
	send_req(d);
	d->stay_ns = now_ns() + d->policy.lease_ms / 4 * NS_PER_MS;
}

/* A word that changes nothing; not the one that "again" repeats. */
static void
live(struct drv *d)
{
	const struct gate_req q = { .magic = GATE_MAGIC, .want = GATE_CLOSED,
		.seq = d->seq + 1 };

	if (d->engine_fd == -1 || d->last.position != GATE_CLOSED ||
	    now_ns() - d->said_ns < 4000 * NS_PER_MS)
		return;
	d->seq++;
	(void)!send(d->engine_fd, &q, sizeof q, MSG_NOSIGNAL);
	d->said_ns = now_ns();
}

static void
cmd_permits(struct drv *d, char *arg)
{
	d->permits = (strstr(arg, "lookup") != NULL ? GATE_P_LOOKUP : 0) |
	    (strstr(arg, "stub") != NULL ? GATE_P_STUB : 0) |
	    (strstr(arg, "udp") != NULL ? GATE_P_UDP : 0);
	d->stay_ns = 0;
	stay(d);
}

static void
cmd_reach(struct drv *d, char *arg)
{
	drv_reach_send(d->engine_fd, ++d->reach_seq, arg);
}

/* A report comes after each. */
static void
cmd_swaps(struct drv *d, char *arg)
{
	char words[LINE_CAP], *rest = arg;
	const uint32_t times = (uint32_t)strtoul(arg, &rest, 10);
	const uint32_t before = d->last.relays_generation;

	d->quiet = true;
	for (uint32_t i = 1; i <= times && d->engine_fd != -1; i++) {
		(void)snprintf(words, sizeof words, "%s", rest);
		drv_relays_send(d->engine_fd, before + i, words, false);
		for (int j = 0; j < 1000 && d->engine_fd != -1 &&
		    d->last.relays_generation != before + i; j++)
			listen_for(d, 2);
	}
	d->quiet = false;
	printf("swapped %u\n", d->last.relays_generation - before);
}

static void
cmd_stay(struct drv *d, char *arg)
{
	static const char *const words[GATE_NWANT] = {
		[GATE_CLOSED] = "closed", [GATE_TOR_ONLY] = "tor",
		[GATE_SYNC] = "sync", [GATE_OPEN] = "open" };
	char *word = strtok(arg, " \n"), *list = strtok(NULL, "\n");

	d->stay = GATE_OPEN;
	for (unsigned i = 0; i < GATE_NWANT; i++)
		if (word != NULL && strcmp(word, words[i]) == 0)
			d->stay = (enum gate_position)i;
	(void)snprintf(d->stay_list, sizeof d->stay_list, "%s",
	    list != NULL ? list : "");
	d->stays = true;
	d->stay_ns = 0;
	stay(d);
}

static void
cmd_again(struct drv *d, char *arg)
{
	(void)arg;
	send_req(d);
}

static void
cmd_stale(struct drv *d, char *arg)
{
	prepare(d, GATE_OPEN, arg);
	d->sent.proof_ns -= (d->policy.lease_ms + 1) * NS_PER_MS;
	send_req(d);
}

static void
cmd_epoch(struct drv *d, char *arg)
{
	char none[1] = "";

	prepare(d, GATE_OPEN, none);
	d->sent.epoch += (uint64_t)strtoll(arg, NULL, 10);
	send_req(d);
}

static void
cmd_junk(struct drv *d, char *arg)
{
	static uint8_t junk[2 * sizeof(struct gate_relays)];
	const size_t n = strtoul(arg, NULL, 10);

	memset(junk, 0x5a, sizeof junk);
	(void)!send(d->engine_fd, junk, n < sizeof junk ? n : sizeof junk,
	    MSG_NOSIGNAL);
}

static void
cmd_wait(struct drv *d, char *arg)
{
	listen_for(d, strtoull(arg, NULL, 10));
}

static void
cmd_engine(struct drv *d, char *arg)
{
	int sp[2];

	(void)arg;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sp) == -1)
		fatal("socketpair: %s", strerror(errno));
	if (link_send(d->keeper_fd, LINK_ENGINE, sp[1]) == -1)
		printf("no gate: %s\n", strerror(errno)); /* will be told */
	(void)close(sp[1]);
	if (d->engine_fd != -1)
		(void)close(d->engine_fd);
	d->engine_fd = sp[0];
	d->seq = 0;
	d->reach_seq = 0;
}

static void
cmd_hangup(struct drv *d, char *arg)
{
	(void)arg;
	(void)close(d->engine_fd);
	d->engine_fd = -1;
}

static void
cmd_term(struct drv *d, char *arg)
{
	(void)arg;
	if (d->gate > 0)
		(void)kill(d->gate, SIGTERM);
}

static const struct {
	const char *word;
	void (*run)(struct drv *d, char *arg);
} commands[] = {
	{ "open", cmd_open }, { "tor", cmd_tor }, { "closed", cmd_closed },
	{ "hold", cmd_hold }, { "stay", cmd_stay }, { "again", cmd_again },
	{ "stale", cmd_stale },
	{ "epoch", cmd_epoch }, { "junk", cmd_junk }, { "wait", cmd_wait },
	{ "engine", cmd_engine }, { "hangup", cmd_hangup },
	{ "term", cmd_term }, { "at", cmd_at }, { "sync", cmd_sync },
	{ "keep", cmd_keep }, { "relays", cmd_relays }, { "cut", cmd_cut },
	{ "swaps", cmd_swaps }, { "permits", cmd_permits },
	{ "reach", cmd_reach },
};

/* Answers to a request come within this time, ms. */
#define ANSWER_MS 40

static void
run_line(struct drv *d, char *line)
{
	size_t n = strcspn(line, " \n");
	char *arg = line + n;

	for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
		if (strlen(commands[i].word) != n ||
		    strncmp(line, commands[i].word, n) != 0)
			continue;
		commands[i].run(d, arg);
		listen_for(d, ANSWER_MS);
		printf("done %s\n", commands[i].word);
		(void)fflush(stdout);
		return;
	}
	fatal("no such command");
}

/*
 * A line is read only when one is there: reports go on being taken in while
 * the script thinks.
 */
static void
run(struct drv *d)
{
	struct pollfd in = { STDIN_FILENO, POLLIN, 0 };
	char line[LINE_CAP];

	for (;;) {
		in.revents = 0;
		if (poll(&in, 1, 0) <= 0) {
			d->quiet = true;
			stay(d);
			live(d);
			listen_for(d, 5);
			d->quiet = false;
			continue;
		}
		if (fgets(line, sizeof line, stdin) == NULL ||
		    strcmp(line, "quit\n") == 0)
			return;
		run_line(d, line);
	}
}

static void
start_gate(struct drv *d)
{
	int sp[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sp) == -1)
		fatal("socketpair: %s", strerror(errno));
	(void)fflush(stdout);
	d->gate = fork();
	if (d->gate == -1)
		fatal("fork: %s", strerror(errno));
	if (d->gate == 0) {
		if (dup2(sp[1], LINK_KEEPER_FD) == -1 ||
		    close_range(LINK_KEEPER_FD + 1, ~0U, 0) == -1)
			_exit(1);
		_exit(gate_main(&d->policy));
	}
	(void)close(sp[1]);
	d->keeper_fd = sp[0];
	printf("gate pid=%d\n", (int)d->gate);
	(void)fflush(stdout);
}

static int
print_table(const struct pol_policy *p, const char *which)
{
	struct pol_ruleset rs;
	char *text;

	for (unsigned i = 0; i < POL_NTABLE; i++) {
		if (strcmp(which, pol_table_name((enum pol_table_id)i)) != 0)
			continue;
		if (pol_ruleset_make(&rs, p) == -1)
			fatal("out of memory");
		text = pol_table_print(&rs.tables[i], p, POL_POS_CLOSED);
		if (text == NULL)
			fatal("out of memory");
		(void)fputs(text, stdout);
		free(text);
		pol_ruleset_clear(&rs);
		return 0;
	}
	fatal("no such table");
}

int
main(int argc, char **argv)
{
	static struct drv d = { .engine_fd = -1, .keeper_fd = -1 };
	const char *print;

	log_init("drv", LOG_LV_INFO);
	(void)setvbuf(stdin, NULL, _IONBF, 0); /* poll(2) must see it all */
	print = drv_policy(&d.policy, argc, argv);
	if (print != NULL)
		return print_table(&d.policy, print);
	start_gate(&d);
	cmd_engine(&d, NULL);
	listen_for(&d, 10 * ANSWER_MS);
	printf("ready\n");
	(void)fflush(stdout);
	run(&d);
	if (d.gate > 0) { /* its tables are gone when it is */
		(void)kill(d.gate, SIGKILL);
		(void)waitpid(d.gate, NULL, 0);
	}
	return 0;
}
