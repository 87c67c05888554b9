/*
 * The fuzzer's resolver process, transports' programs.  Promises:
 * nothing is permitted without a session, nor without the policy's reason;
 * the resolver hears "go" only for what it wanted last, and only when the
 * gate has reported the permit; only hosts of the configuration are ever
 * named to it, and only addresses that it has given are let through for Tor.
 */
#include "tests/fuzz/engine_world.h"

#include <errno.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

/* All names of the fuzzer's Tor end so; all answers are of this network. */
static const char tld[] = ".example";
static const uint8_t net[] = { 198, 51, 100 };

void
fuzz_names_policy(void)
{
	struct pol_transport *t = &w.policy.transports[0];

	FUZZ_ASSERT(pol_addr_parse(&w.policy.resolver.addr, "198.18.0.53"));
	w.policy.resolver.port = 53;
	w.policy.ntransports = 1;
	t->nmethods = 1;
	t->dns = t->udp = true;
	(void)snprintf(t->name, sizeof t->name, "meek_lite");
	(void)snprintf(t->methods[0], sizeof t->methods[0], "meek_lite");
	(void)snprintf(t->program, sizeof t->program, "/bin/p");
}

/* The request's permits. */
void
fuzz_check_permits(const struct gate_req *q)
{
	w.permits = q->permits;
	if (q->permits == 0)
		return;
	FUZZ_ASSERT(w.linked && w.genuine && w.named);
	if ((q->permits & (GATE_P_LOOKUP | GATE_P_STUB)) != 0)
		FUZZ_ASSERT(w.resolver);
	if ((q->permits & GATE_P_STUB) != 0)
		FUZZ_ASSERT(w.serving);
	if (q->want == GATE_CLOSED)
		FUZZ_ASSERT(w.policy.closed != POL_CLOSED_STRICT);
}

int
fuzz_op_reach(void *arg, const struct gate_reach *r)
{
	(void)arg;
	FUZZ_ASSERT(w.gate_up && w.named && gate_reach_ok(r));
	FUZZ_ASSERT(r->seq == w.reach_seq + 1);
	if (r->who == GATE_REACH_TOR)
		FUZZ_ASSERT(w.policy.tor.strict_egress);
	for (uint32_t i = 0; r->who == GATE_REACH_TOR && i < r->n; i++)
		FUZZ_ASSERT(memcmp(r->pair[i].addr, net, sizeof net) == 0);
	if (w.now % 5 == 0)
		return -1;
	w.reach_seq = r->seq;
	return 0;
}

static void
check_list(const struct name_list *l)
{
	FUZZ_ASSERT(name_list_ok(l));
	FUZZ_ASSERT(l->enabled == 0 || w.linked);
	for (uint32_t i = 0; !w.wild && i < l->n; i++) {
		size_t n = strlen(l->host[i].host);

		FUZZ_ASSERT(n >= sizeof tld && strcmp(l->host[i].host + n -
		    (sizeof tld - 1), tld) == 0);
	}
	w.list = *l;
}

static void
check_go(const struct name_go *g)
{
	FUZZ_ASSERT(name_go_ok(g));
	FUZZ_ASSERT(g->id == w.name_want.id);
	w.name_want.id = 0; /* one answer for each */
	if (g->ok == 1 && w.name_want.lookup == 1)
		FUZZ_ASSERT((w.told & GATE_P_LOOKUP) != 0);
	if (g->ok == 1)
		FUZZ_ASSERT(w.list.enabled == 1);
}

static void
check_try(const struct name_tryout *t)
{
	FUZZ_ASSERT(name_tryout_ok(t));
	FUZZ_ASSERT((w.told & GATE_P_LOOKUP) != 0);
	w.try_id = t->id;
}

int
fuzz_op_resolver(void *arg, const void *p, size_t n)
{
	uint32_t magic;

	(void)arg;
	FUZZ_ASSERT(n >= sizeof magic);
	if (!w.resolver)
		return -1;
	memcpy(&magic, p, sizeof magic);
	if (magic == NAME_LIST_MAGIC && n == sizeof(struct name_list))
		check_list(p);
	else if (magic == NAME_GO_MAGIC && n == sizeof(struct name_go))
		check_go(p);
	else if (magic == NAME_TRY_MAGIC && n == sizeof(struct name_tryout))
		check_try(p);
	else
		FUZZ_ASSERT(false);
	return 0;
}

int
fuzz_op_program(void *arg, const char *path)
{
	(void)arg;
	FUZZ_ASSERT(path[0] != '\0');
	return w.now % 3 == 0 ? ENOENT : w.now % 3 == 1 ? EACCES : 0;
}

static void
tell(const void *p, size_t n)
{
	if (!w.resolver || engine_resolver_bytes(w.e, p, n, w.now) == 0)
		return;
	w.resolver = w.serving = false;
	engine_resolver_down(w.e, w.now);
}

/* Up to three addresses of the network, and for how long. */
static uint32_t
put_addrs(struct pol_addr *addr, uint8_t how)
{
	for (uint8_t i = 0; i < how % 4; i++) {
		addr[i].family = AF_INET;
		memcpy(&addr[i].v4, net, sizeof net);
		((uint8_t *)&addr[i].v4)[3] = (uint8_t)(how + i);
	}
	return how % 4;
}

static void
say_result(uint8_t how)
{
	struct name_result r;

	memset(&r, 0, sizeof r);
	r.magic = NAME_RESULT_MAGIC;
	r.generation = w.list.generation - (how >= 240);
	r.host = how / 32;
	r.state = how % NAME_NSTATE;
	r.n = put_addrs(r.addr, how);
	r.ttl_s = r.n == 0 ? 0 : 1 + how / 4;
	tell(&r, sizeof r);
}

static void
say_want(uint8_t how)
{
	struct name_want want;

	memset(&want, 0, sizeof want);
	want.magic = NAME_WANT_MAGIC;
	want.id = ++w.want_id;
	want.lookup = how & 1;
	want.host = UINT32_MAX;
	if ((how & 2) != 0) {
		want.host = how / 64;
		want.generation = w.list.generation;
		want.n = put_addrs(want.addr, how);
		want.ttl_s = 1 + how;
	}
	w.name_want = want;
	tell(&want, sizeof want);
}

static void
say_other(uint8_t how)
{
	struct name_count c = { .magic = NAME_COUNT_MAGIC,
		.serving = how % 2 };
	struct name_verdict_msg v = { .magic = NAME_VERDICT_MAGIC,
		.id = w.try_id, .verdict = how % (NAME_NVERDICT + 1),
		.code = how };

	if (how < 128) {
		w.serving = w.resolver && c.serving == 1;
		tell(&c, sizeof c);
	} else {
		tell(&v, sizeof v);
	}
}

void
fuzz_say_name(struct input *in)
{
	uint8_t kind = fuzz_take(in), how = fuzz_take(in);
	size_t n;

	switch (kind % 6) {
	case 0:
		say_result(how);
		break;
	case 1:
		say_want(how);
		break;
	case 2:
		say_other(how);
		break;
	case 3: /* whatever */
		n = how < in->n ? how : in->n;
		tell(in->p, n);
		in->p += n;
		in->n -= n;
		break;
	case 4:
		w.uplink = how;
		break;
	default:
		w.serving = false;
		w.resolver = how % 4 != 0;
		w.name_want.id = 0;
		if (w.resolver)
			engine_resolver_up(w.e, w.now);
		else
			engine_resolver_down(w.e, w.now);
		break;
	}
}

/* What Tor says of its uplink, as FLAW has it. */
void
fuzz_feed_uplink(uint8_t flaw)
{
	static const char *const proxies[] = { "", "=proxy.example:8080",
		"=198.51.100.7:8080", "=\"unfinished" };
	char text[512];

	w.named = (flaw & 64) == 0 || w.named;
	(void)snprintf(text, sizeof text, "250-UseBridges=%d\r\n"
	    "250-ClientTransportPlugin=meek_lite exec %s\r\n"
	    "250-HTTPSProxy%s\r\n250-HTTPSProxyAuthenticator%s\r\n"
	    "250-Socks4Proxy\r\n250-Socks5Proxy\r\n"
	    "250-Socks5ProxyUsername\r\n250-Socks5ProxyPassword\r\n"
	    "250-DirAuthority\r\n%s250-Bridge=meek_lite 192.0.2.3:80 "
	    "url=https://%s.example/\r\n", (flaw & 1) == 0,
	    (flaw & 2) == 0 ? "/bin/p" : "/bin/q", proxies[flaw / 4 % 4],
	    flaw / 4 % 4 == 0 ? "" : "=u:pass",
	    (flaw & 64) == 0 ? "250-FallbackDir\r\n" : "",
	    (flaw & 16) == 0 ? "a" : "b");
	fuzz_feed_text(text);
}
