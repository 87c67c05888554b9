/* What the resolver and transports of a policy make of the rules. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/rules.h"
#include "tests/unit/polprops.h"
#include "tests/unit/polutil.h"

#define TOR 101u
#define RESOLVER 105u
#define USERS "users { gate = 102 engine = 103 status = 104 resolver = 105 }\n"
#define GATEWAY "gateway { internal = i0 external = { e0, e1 } }\n"
#define BEFORE P_TOR GATEWAY USERS P_SOCKS
#define STRICT                                                               \
	"tor { user = 101 control = \"unix:/run/tor/control\"\n"             \
	"	egress = strict interface = e1 }\n" GATEWAY USERS P_SOCKS
#define PLAIN "resolver { address = \"192.0.2.53\" }\n"
#define TLS                                                                  \
	"resolver { address = \"2001:db8::53\" protocol = tls\n"             \
	"	name = \"dns.example\" }\n"
#define MEEK "transport meek { program = \"/usr/bin/a\" dns = true }\n"
#define FLAKE "transport flake { program = \"/usr/bin/b\" udp = true }\n"
#define OBFS "transport obfs { program = \"/usr/bin/c\" }\n"

static const enum pol_set_id ours[] = { POL_S_LOOKUP, POL_S_STUB, POL_S_UDP,
	POL_S_STUB_PORT4, POL_S_STUB_PORT6, POL_S_REACH_TOR4,
	POL_S_REACH_TOR6, POL_S_REACH_RESOLVER4, POL_S_REACH_RESOLVER6 };
#define NOURS (sizeof ours / sizeof ours[0])
/* Bits of the above. */
enum { LOOKUP = 1 << 0 | 1 << 7 | 1 << 8, STUB = 1 << 1 | 1 << 3 | 1 << 4,
	UDP = 1 << 2, REACH = 1 << 5 | 1 << 6 };

static const struct {
	const char *text;
	unsigned sets;
	/* The resolver's and Tor's rules of the netdev table. */
	size_t resolvers, tors;
} policies[] = {
	{ BEFORE, 0, 0, 2 },
	{ STRICT, 0, 0, 1 },
	{ BEFORE PLAIN, LOOKUP, 2, 2 },
	{ BEFORE TLS OBFS, LOOKUP, 2, 2 },
	{ BEFORE FLAKE, UDP, 0, 2 },
	{ BEFORE PLAIN MEEK, LOOKUP | STUB, 2, 2 },
	{ BEFORE "firewall { mode = veto }\n" PLAIN MEEK FLAKE,
	    LOOKUP | STUB | UDP, 2, 2 },
	{ STRICT PLAIN, LOOKUP | REACH, 1, 1 },
	{ STRICT OBFS, REACH, 0, 1 },
	{ STRICT TLS MEEK FLAKE, LOOKUP | STUB | UDP | REACH, 1, 1 },
};
#define NPOLICIES (int)(sizeof policies / sizeof policies[0])

static struct pol_policy p;
static struct pol_ruleset rs;

static void
make(const char *text)
{
	pu_parse(&p, text);
	ck_assert_int_eq(pol_ruleset_make(&rs, &p), 0);
}

static void
unmake(void)
{
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}

static bool
has(const struct pol_rule *r, enum pol_stmt_kind kind, uint32_t num)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->stmts[i].kind == kind && r->stmts[i].num == num)
			return true;
	return false;
}

static bool
looks_up(const struct pol_rule *r, enum pol_set_id set)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->stmts[i].kind == POL_M_LOOKUP && r->stmts[i].set == set)
			return true;
	return false;
}

static size_t
count(enum pol_table_id id, enum pol_stmt_kind kind, uint32_t num)
{
	const struct pol_table *t = &rs.tables[id];
	size_t n = 0;

	for (size_t i = 0; i < t->nrules; i++)
		n += has(&t->rules[i], kind, num);
	return n;
}

/* Is rule R of the gate table in, or does it jump to, chain NAME? */
static bool
in_chain(const struct pol_rule *r, const char *name)
{
	return strcmp(rs.tables[POL_T_GATE].chains[r->chain].name, name) == 0;
}

START_TEST(what_must_hold_of_every_ruleset_holds)
{
	const char *fault;

	make(policies[_i].text);
	fault = pp_ruleset_fault(&rs);
	ck_assert_msg(fault == NULL, "%s", fault);
	unmake();
}
END_TEST

START_TEST(a_set_is_there_only_for_a_reason)
{
	const struct pol_table *t = &rs.tables[POL_T_GATE];
	unsigned sets = 0;

	make(policies[_i].text);
	for (size_t i = 0; i < t->nsets; i++)
		for (size_t j = 0; j < NOURS; j++)
			if (t->sets[i].id == ours[j])
				sets |= 1u << j;
	ck_assert_uint_eq(sets, policies[_i].sets);
	unmake();
}
END_TEST

/* By the interfaces only that Tor's own traffic leaves by. */
START_TEST(the_resolver_leaves_where_tor_does)
{
	make(policies[_i].text);
	ck_assert_uint_eq(count(POL_T_NETDEV, POL_M_SKUID, RESOLVER),
	    policies[_i].resolvers);
	ck_assert_uint_eq(count(POL_T_NETDEV, POL_M_SKUID, TOR),
	    policies[_i].tors);
	unmake();
}
END_TEST

/* The resolver's user is in no rule but behind its permit, or the stub's. */
START_TEST(the_resolver_needs_its_permit)
{
	const struct pol_table *t = &rs.tables[POL_T_GATE];

	make(policies[_i].text);
	for (size_t i = 0; i < t->nrules; i++) {
		const struct pol_rule *r = &t->rules[i];

		if (has(r, POL_M_SKUID, RESOLVER))
			ck_assert(looks_up(r, POL_S_LOOKUP) ||
			    in_chain(r, "from_stub"));
	}
	unmake();
}
END_TEST

START_TEST(the_stub_is_kept_like_a_listener)
{
	static const enum pol_table_id tables[] = { POL_T_BOOT, POL_T_GUARD };
	size_t n = 0;

	make(policies[_i].text);
	for (size_t i = 0; i < 2; i++) {
		const struct pol_table *t = &rs.tables[tables[i]];

		for (size_t j = 0; j < t->nsets; j++)
			for (size_t k = 0; k < t->sets[j].nelems; k++)
				n += t->sets[j].elems[k].port == 5453;
	}
	/* UDP and TCP, in both families. */
	ck_assert_uint_eq(n, p.resolver.addr.family != 0 ? 8 : 0);
	unmake();
}
END_TEST

START_TEST(tors_dns_is_redirected_behind_the_permit)
{
	const struct pol_table *t = &rs.tables[POL_T_GATE];
	size_t n = 0;

	make(policies[_i].text);
	for (size_t i = 0; i < t->nrules; i++) {
		const struct pol_rule *r = &t->rules[i];

		if (!has(r, POL_A_DNAT, 5453))
			continue;
		ck_assert(looks_up(r, POL_S_STUB));
		ck_assert(has(r, POL_M_SKUID, TOR));
		ck_assert(has(r, POL_M_DPORT, 53));
		n++;
	}
	ck_assert_uint_eq(n, (policies[_i].sets & STUB) != 0 ? 4 : 0);
	unmake();
}
END_TEST

START_TEST(plain_dns_may_use_tcp_too)
{
	make(BEFORE PLAIN);
	ck_assert_uint_eq(count(POL_T_GATE, POL_M_L4PROTO, IPPROTO_UDP),
	    1 /* heartbeat */ + 1);
	ck_assert_uint_eq(count(POL_T_GATE, POL_M_DPORT, 53), 2);
	unmake();
	make(BEFORE TLS);
	ck_assert_uint_eq(count(POL_T_GATE, POL_M_L4PROTO, IPPROTO_UDP), 1);
	ck_assert_uint_eq(count(POL_T_GATE, POL_M_DPORT, 853), 1);
	unmake();
}
END_TEST

START_TEST(single_addresses_end_by_themselves)
{
	const struct pol_table *t = &rs.tables[POL_T_GATE];
	size_t n = 0;

	make(STRICT PLAIN);
	for (size_t i = 0; i < t->nsets; i++)
		n += t->sets[i].expires;
	ck_assert_uint_eq(n, 4);
	unmake();
}
END_TEST

START_TEST(no_permit_is_printed_as_held)
{
	char *text;

	make(BEFORE PLAIN MEEK FLAKE);
	text = pol_table_print(&rs.tables[POL_T_GATE], &p, POL_POS_OPEN);
	ck_assert_ptr_nonnull(text);
	ck_assert_ptr_nonnull(strstr(text, "\tset permit_lookup {\n"
	    "\t\ttype nf_proto\n\t\tsize 1024\n"
	    "\t\tflags dynamic,timeout\n\t\ttimeout 1000ms\n\t}\n"));
	ck_assert_ptr_nonnull(strstr(text, "\tset reach_resolver6 {\n"
	    "\t\ttype ipv6_addr . inet_service\n\t\tsize 512\n"
	    "\t\tflags timeout\n\t}\n"));
	free(text);
	unmake();
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_rules_names");
	TCase *tc = tcase_create("names");

	tcase_add_loop_test(tc, what_must_hold_of_every_ruleset_holds, 0,
	    NPOLICIES);
	tcase_add_loop_test(tc, a_set_is_there_only_for_a_reason, 0,
	    NPOLICIES);
	tcase_add_loop_test(tc, the_resolver_leaves_where_tor_does, 0,
	    NPOLICIES);
	tcase_add_loop_test(tc, the_resolver_needs_its_permit, 0, NPOLICIES);
	tcase_add_loop_test(tc, the_stub_is_kept_like_a_listener, 0,
	    NPOLICIES);
	tcase_add_loop_test(tc, tors_dns_is_redirected_behind_the_permit, 0,
	    NPOLICIES);
	tcase_add_test(tc, plain_dns_may_use_tcp_too);
	tcase_add_test(tc, single_addresses_end_by_themselves);
	tcase_add_test(tc, no_permit_is_printed_as_held);
	suite_add_tcase(s, tc);
	return pu_run(s);
}
