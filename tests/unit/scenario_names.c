/*
 * The words of a scenario about names: the resolver process, permits, single
 * addresses, transports' programs, the keeper's answers; and what may be
 * expected of them.
 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/engine/uplink.h"
#include "tests/unit/scenario.h"

/* --- what the engine asks ------------------------------------------------ */

int
names_op_reach(void *arg, const struct gate_reach *r)
{
	struct fake_gate *g = &w.gate;

	(void)arg;
	ck_assert(g->up);
	ck_assert(gate_reach_ok(r));
	if (g->full)
		return -1;
	ck_assert_uint_eq(r->seq, g->reach_seq + 1);
	g->reach_seq = r->seq;
	for (uint32_t i = 0; i < r->n; i++) {
		ck_assert_uint_lt(g->nreach, MAX_REACH);
		g->reach[g->nreach].who = r->who;
		g->reach[g->nreach++].pair = r->pair[i];
	}
	g->pending = true;
	world_note("reach %u for %u, %u s\n", r->n, r->who, r->ttl_s);
	return 0;
}

static void
take_list(const void *p, size_t n)
{
	ck_assert_uint_eq(n, sizeof w.list);
	memcpy(&w.list, p, n);
	ck_assert(name_list_ok(&w.list));
	world_note("names %u enabled %u\n", w.list.n, w.list.enabled);
}

static void
take_go(const void *p, size_t n)
{
	ck_assert_uint_eq(n, sizeof w.go);
	memcpy(&w.go, p, n);
	ck_assert(name_go_ok(&w.go));
	/* What was wanted, and what the gate has reported by then. */
	ck_assert_uint_eq(w.go.id, w.want_id);
	if (w.go.ok == 1 && w.want_lookup)
		ck_assert((w.gate.told & GATE_P_LOOKUP) != 0);
	world_note("go %u\n", w.go.ok);
}

static void
take_tryout(const void *p, size_t n)
{
	ck_assert_uint_eq(n, sizeof w.tryout);
	memcpy(&w.tryout, p, n);
	ck_assert(name_tryout_ok(&w.tryout));
	ck_assert((w.gate.told & GATE_P_LOOKUP) != 0);
	world_note("try %u\n", w.tryout.kind);
}

int
names_op_send(void *arg, const void *p, size_t n)
{
	uint32_t magic;

	(void)arg;
	if (!w.resolver || w.resolver_full)
		return -1;
	ck_assert_uint_ge(n, sizeof magic);
	memcpy(&magic, p, sizeof magic);
	if (magic == NAME_LIST_MAGIC)
		take_list(p, n);
	else if (magic == NAME_GO_MAGIC)
		take_go(p, n);
	else if (magic == NAME_TRY_MAGIC)
		take_tryout(p, n);
	else
		ck_abort_msg("a message that no resolver knows");
	return 0;
}

int
names_op_program(void *arg, const char *path)
{
	(void)arg;
	ck_assert_int_eq(path[0], '/');
	return w.program;
}

/* Permits that the policy gives no reason for are no request. */
void
names_check_permits(const struct gate_req *q)
{
	bool dns = false, udp = false;

	for (size_t i = 0; i < w.policy.ntransports; i++) {
		dns |= w.policy.transports[i].dns;
		udp |= w.policy.transports[i].udp;
	}
	if ((q->permits & GATE_P_LOOKUP) != 0)
		ck_assert_int_ne(w.policy.resolver.addr.family, 0);
	if ((q->permits & GATE_P_STUB) != 0)
		ck_assert(dns);
	if ((q->permits & GATE_P_UDP) != 0)
		ck_assert(udp);
	if (q->want == GATE_CLOSED && w.policy.closed == POL_CLOSED_STRICT)
		ck_assert_uint_eq(q->permits, 0);
	w.gate.pending = w.gate.pending || w.gate.permits != q->permits;
	w.gate.permits = w.gate.stingy ? 0 : q->permits;
}

/* --- the words ----------------------------------------------------------- */

static void
tell(const void *p, size_t n)
{
	if (engine_resolver_bytes(w.e, p, n, w.now) == -1) {
		w.resolver = false;
		world_note("resolver dropped\n");
		engine_resolver_down(w.e, w.now);
	}
	(void)world_settle();
}

void
script_resolver(char *arg)
{
	struct name_count c = { .magic = NAME_COUNT_MAGIC, .queries = 7,
		.answered = 5, .refused = 3 };

	world_flush();
	if (strcmp(arg, "up") == 0) {
		w.resolver = true;
		engine_resolver_up(w.e, w.now);
	} else if (strcmp(arg, "down") == 0) {
		w.resolver = false;
		engine_resolver_down(w.e, w.now);
	} else if (strcmp(arg, "junk") == 0) {
		tell("junk", 4);
	} else if (strcmp(arg, "full") == 0 || strcmp(arg, "reads") == 0) {
		w.resolver_full = arg[0] == 'f';
	} else if (strcmp(arg, "serves") == 0 || strcmp(arg, "rests") == 0) {
		c.serving = arg[0] == 's';
		tell(&c, sizeof c);
	} else {
		world_trouble("resolver", arg);
	}
	(void)world_settle();
}

static uint32_t
index_of(const char *host)
{
	for (uint32_t i = 0; i < w.list.n; i++)
		if (strcmp(w.list.host[i].host, host) == 0)
			return i;
	world_trouble("the resolver was not told of", host);
}

/* The words of REST, beginning with a TTL, are addresses. */
static uint32_t
read_addrs(struct pol_addr *addr, uint32_t *ttl, char *rest)
{
	char *word = rest != NULL ? strtok(rest, " ") : NULL;
	uint32_t n = 0;

	if (word == NULL)
		return 0;
	*ttl = (uint32_t)strtoul(word, NULL, 10);
	while ((word = strtok(NULL, " ")) != NULL) {
		ck_assert_uint_lt(n, NAME_MAX_ADDRS);
		ck_assert(pol_addr_parse(&addr[n++], word));
	}
	return n;
}

/* "HOST STATE [TTL ADDRESS ...]" */
void
script_name(char *arg)
{
	struct name_result r;
	char *state = strchr(arg, ' '), *rest;

	world_flush();
	memset(&r, 0, sizeof r);
	ck_assert_ptr_nonnull(state);
	*state++ = '\0';
	rest = strchr(state, ' ');
	if (rest != NULL)
		*rest++ = '\0';
	r.magic = NAME_RESULT_MAGIC;
	r.generation = w.list.generation;
	r.host = index_of(arg);
	while (strcmp(name_state_name((enum name_state)r.state), state) != 0)
		ck_assert_uint_lt(++r.state, NAME_NSTATE);
	r.n = read_addrs(r.addr, &r.ttl_s, rest);
	tell(&r, sizeof r);
}

/*
 * "lookup", "nothing", or "HOST TTL ADDRESS ...": for the stub; "+HOST ...":
 * and for a lookup.
 */
void
script_want(char *arg)
{
	struct name_want want;
	char *rest = strchr(arg, ' ');

	world_flush();
	memset(&want, 0, sizeof want);
	want.magic = NAME_WANT_MAGIC;
	want.id = ++w.want_id;
	want.host = UINT32_MAX;
	w.want_lookup = strcmp(arg, "lookup") == 0 || arg[0] == '+';
	arg += arg[0] == '+';
	want.lookup = w.want_lookup;
	memset(&w.go, 0, sizeof w.go);
	if (rest != NULL) {
		*rest++ = '\0';
		want.host = index_of(arg);
		want.generation = w.list.generation;
		want.n = read_addrs(want.addr, &want.ttl_s, rest);
	}
	tell(&want, sizeof want);
}

/* "NAME [CODE]": what came of the try. */
void
script_verdict(char *arg)
{
	struct name_verdict_msg v = { .magic = NAME_VERDICT_MAGIC,
		.id = w.tryout.id };
	char name[32];

	world_flush();
	ck_assert_int_ge(sscanf(arg, "%31s %u", name, &v.code), 1);
	while (strcmp(name_verdict_name((enum name_verdict)v.verdict),
	    name) != 0)
		ck_assert_uint_lt(++v.verdict, NAME_NVERDICT);
	tell(&v, sizeof v);
}

void
script_program(char *arg)
{
	world_flush();
	if (strcmp(arg, "there") == 0)
		w.program = 0;
	else if (strcmp(arg, "missing") == 0)
		w.program = ENOENT;
	else if (strcmp(arg, "denied") == 0)
		w.program = EACCES;
	else
		world_trouble("program", arg);
}

/* What the conf word's answers say of the uplink from now on. */
void
script_uplink(char *arg)
{
	(void)snprintf(w.uplink, sizeof w.uplink, "%s", arg);
	w.has_uplink = true;
}

/*
 * What apply.c asks of the uplink, without it: "consider LINE | LINE",
 * "consider" alone to end it, "try", "set", "watch", "capture".
 */
void
script_change(char *arg)
{
	static struct pol_uplink u;
	char why[POL_UPLINK_WHY];
	size_t n = strlen("consider");

	world_flush();
	w.change_rc = 0;
	if (strcmp(arg, "consider") == 0) {
		uplink_consider(w.e, NULL);
	} else if (strncmp(arg, "consider ", n + 1) == 0) {
		for (char *s = arg; *s != '\0'; s++)
			if (*s == '|')
				*s = '\n';
		ck_assert_msg(pol_uplink_parse(&u, why, &w.policy,
		    arg + n + 1, strlen(arg + n + 1)) == 0, "%s", why);
		uplink_consider(w.e, &u);
	} else if (strcmp(arg, "capture") == 0) {
		w.change_rc = uplink_capture(w.e, &u, why) ? 0 : -1;
	} else if (strcmp(arg, "try") == 0) {
		w.change_rc = uplink_try(w.e, &u, w.now);
	} else if (strcmp(arg, "set") == 0) {
		w.change_rc = uplink_set(w.e, &u, w.now);
	} else if (strcmp(arg, "watch") == 0) {
		uplink_watch(w.e, true, w.now);
	} else {
		world_trouble("change", arg);
	}
	(void)world_settle();
}

/* One "250-OPTION=VALUE" for each, the others as unset. */
void
names_feed_uplink(void)
{
	static const char *const names[] = { "UseBridges",
		"ClientTransportPlugin", "HTTPSProxy",
		"HTTPSProxyAuthenticator", "Socks4Proxy", "Socks5Proxy",
		"Socks5ProxyUsername", "Socks5ProxyPassword", "DirAuthority",
		"FallbackDir", "Bridge" };
	bool set[sizeof names / sizeof names[0]] = { false };
	char copy[sizeof w.uplink], line[sizeof w.uplink + 16], *end;

	memcpy(copy, w.uplink, sizeof copy);
	for (char *s = strtok_r(copy, "|", &end); s != NULL;
	    s = strtok_r(NULL, "|", &end)) {
		s += strspn(s, " ");
		s[strlen(s) - (s[0] != '\0' && s[strlen(s) - 1] == ' ')] =
		    '\0';
		for (size_t i = 0; i < sizeof set; i++)
			set[i] |= strncmp(s, names[i], strlen(names[i])) ==
			    0 && s[strlen(names[i])] == '=';
		(void)snprintf(line, sizeof line, "250-%s\r\n", s);
		world_feed(line);
	}
	for (size_t i = 0; i < sizeof set; i++) {
		if (set[i])
			continue;
		(void)snprintf(line, sizeof line, "250-%s%s\r\n", names[i],
		    i == 0 ? "=0" : "");
		world_feed(line);
	}
}

/* --- expectations -------------------------------------------------------- */

/* May WHO reach TEXT, "192.0.2.1:443", as a single address? */
bool
names_reached(uint32_t who, const char *text)
{
	struct gate_relay want = { .reserved = 0 };
	struct pol_addr addr;

	ck_assert(pol_addrport_parse(&addr, &want.port, text));
	want.v6 = addr.family == AF_INET6;
	if (want.v6)
		memcpy(want.addr, &addr.v6, sizeof addr.v6);
	else
		memcpy(want.addr, &addr.v4, sizeof addr.v4);
	for (uint32_t i = 0; i < w.gate.nreach; i++)
		if (w.gate.reach[i].who == who &&
		    memcmp(&w.gate.reach[i].pair, &want, sizeof want) == 0)
			return true;
	return false;
}

static const char *
permits(char *buf, size_t cap)
{
	(void)snprintf(buf, cap, "%s%s%s", (w.gate.permits & GATE_P_LOOKUP) !=
	    0 ? "L" : "-", (w.gate.permits & GATE_P_STUB) != 0 ? "S" : "-",
	    (w.gate.permits & GATE_P_UDP) != 0 ? "U" : "-");
	return buf;
}

static const char *
one_of(const char *key, unsigned i)
{
	if (strncmp(key, "name", 4) == 0 && i < w.snap.nnames)
		return name_state_name((enum name_state)w.snap.name[i].state);
	if (strncmp(key, "needs", 5) == 0 && i < w.snap.nnames)
		return w.snap.name[i].host;
	if (strncmp(key, "transport", 9) == 0 && i < w.snap.ntransports)
		return snap_transport_state_name(
		    (enum snap_transport_state)w.snap.transport[i].state);
	return NULL;
}

/* How the change stands, by apply.c's questions. */
static const char *
change_value(const char *key)
{
	static const char *const sets[] = { "none", "waiting", "ok",
		"refused", "lost" };
	static const char *const names[] = { "none", "asking", "ok",
		"failed", "off" };
	struct uplink_evidence ev;
	enum name_state state;
	const char *host;
	uint32_t code;

	if (strcmp(key, "set") == 0)
		return sets[uplink_state(w.e)];
	if (strcmp(key, "changenames") == 0)
		return names[uplink_names(w.e, &host, &state)];
	if (strcmp(key, "tried") == 0)
		return name_verdict_name(uplink_tried(w.e, &code));
	if (strcmp(key, "done") == 0)
		return w.change_rc == 0 ? "yes" : "no";
	uplink_evidence(w.e, &ev);
	if (strcmp(key, "built") == 0)
		return ev.built ? "yes" : "no";
	if (strcmp(key, "dir") == 0)
		return ev.dir ? "yes" : "no";
	return NULL;
}

const char *
names_value(const char *key, char *buf, size_t cap)
{
	const struct {
		const char *key;
		unsigned value;
	} numbers[] = { { "names", w.list.n }, { "enabled", w.list.enabled },
		{ "bridges", w.snap.nbridges }, { "stalled", w.snap.stalled },
		{ "deaths", w.snap.transport[0].deaths },
		{ "byname", w.snap.proxy.by_name },
		{ "reaches", w.gate.nreach },
		{ "listgen", w.list.generation },
		{ "kind", w.tryout.kind } };
	unsigned i;

	if (strcmp(key, "permits") == 0)
		return permits(buf, cap);
	if (strcmp(key, "go") == 0)
		return w.go.magic == 0 ? "none" : w.go.ok == 1 ? "yes" : "no";
	if (strcmp(key, "proxy") == 0)
		return pol_proxy_name((enum pol_proxy)w.snap.proxy.kind);
	if (strcmp(key, "verdict") == 0)
		return name_verdict_name(
		    (enum name_verdict)w.snap.proxy.verdict);
	for (i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		if (strcmp(key, numbers[i].key) != 0)
			continue;
		(void)snprintf(buf, cap, "%u", numbers[i].value);
		return buf;
	}
	if (sscanf(key, "%*[a-z]%u", &i) == 1)
		return one_of(key, i);
	return change_value(key);
}
