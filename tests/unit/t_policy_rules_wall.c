/* What the words of the firewall make of the rules, as values. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy/rules.h"
#include "tests/unit/polprops.h"
#include "tests/unit/polutil.h"

#define LISTENERS                                                            \
	"listener s { kind = socks address = \"10.0.0.1\" port = 9050 }\n"     \
	"listener c { kind = socks address = { \"10.0.0.1\",\n"              \
	"	\"127.0.0.1\" } port = 9108 }\n"                              \
	"listener t { kind = trans address = { \"10.0.0.1\",\n"              \
	"	\"127.0.0.1\" } port = 9040 }\n"
#define GATEWAY                                                              \
	"gateway { internal = { i0, \"vif*\" } external = { e0, e1 } }\n"
#define PLAIN P_TOR GATEWAY P_USERS LISTENERS

#define EVERYTHING                                                           \
	"tor { user = 101 control = \"unix:/run/tor/control\"\n"             \
	"	egress = strict interface = e1 }\n" GATEWAY P_USERS          \
	"firewall { transparent = { tcp } log_per_minute = 9\n"              \
	"	icmp = { frag-needed, unreachable, echo } }\n"                \
	"timesync { required = true users = { 201 } listeners = c\n"         \
	"	workstations = true }\n"                                     \
	"egress a { user = 202 }\n"                                          \
	"egress b { user = 203 interface = e0 protocol = tcp\n"              \
	"	port = { 1, \"3-4\" } network = { \"10.1.0.0/16\",\n"        \
	"	\"fd00::/8\", \"10.2.0.0/16\" } }\n"                           \
	"service v { interface = e0 protocol = tcp port = 22 }\n"            \
	"service w { interface = e1 protocol = any }\n"                      \
	"service x { interface = i0 protocol = udp port = 99 }\n" LISTENERS

struct world {
	struct pol_policy p;
	struct pol_ruleset rs;
};

static void
make(struct world *w, const char *text)
{
	pu_parse(&w->p, text);
	ck_assert_int_eq(pol_ruleset_make(&w->rs, &w->p), 0);
}

static void
unmake(struct world *w)
{
	pol_ruleset_clear(&w->rs);
	pol_policy_clear(&w->p);
}

static bool
has(const struct pol_rule *r, enum pol_stmt_kind kind, uint32_t num)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->stmts[i].kind == kind && r->stmts[i].num == num)
			return true;
	return false;
}

/* How many rules of chain NAME (NULL: all) of table ID have KIND NUM. */
static size_t
count(const struct world *w, enum pol_table_id id, const char *name,
    enum pol_stmt_kind kind, uint32_t num)
{
	const struct pol_table *t = &w->rs.tables[id];
	size_t n = 0;

	for (size_t i = 0; i < t->nrules; i++)
		if (name == NULL ||
		    strcmp(t->chains[t->rules[i].chain].name, name) == 0)
			n += has(&t->rules[i], kind, num);
	return n;
}

static bool
has_chain(const struct world *w, enum pol_table_id id, const char *name)
{
	const struct pol_table *t = &w->rs.tables[id];

	for (size_t i = 0; i < t->nchains; i++)
		if (strcmp(t->chains[i].name, name) == 0)
			return true;
	return false;
}

static bool
has_set(const struct world *w, enum pol_set_id id)
{
	const struct pol_table *t = &w->rs.tables[POL_T_GATE];

	for (size_t i = 0; i < t->nsets; i++)
		if (t->sets[i].id == id)
			return true;
	return false;
}

START_TEST(what_must_hold_of_every_ruleset_holds)
{
	const char *const texts[] = { PLAIN, EVERYTHING,
		PLAIN "firewall { mode = veto }\n",
		PLAIN "firewall { refuse = drop }\n" };
	struct world w;
	const char *fault;

	make(&w, texts[_i]);
	fault = pp_ruleset_fault(&w.rs);
	ck_assert_msg(fault == NULL, "%s", fault);
	unmake(&w);
}
END_TEST

START_TEST(what_nobody_asked_for_is_not_there)
{
	struct world w;

	make(&w, PLAIN);
	for (unsigned id = POL_S_SYNC; id < POL_NSET; id++)
		ck_assert(!has_set(&w, (enum pol_set_id)id));
	ck_assert(!has_chain(&w, POL_T_GATE, POL_RELAYS_CHAIN));
	ck_assert(!has_chain(&w, POL_T_GATE, "sync"));
	ck_assert(!has_chain(&w, POL_T_GATE, "mark_nat"));
	ck_assert(!has_chain(&w, POL_T_GATE, "nat_out"));
	for (size_t i = 0; i < POL_NTABLE; i++)
		ck_assert_uint_eq(count(&w, (enum pol_table_id)i, NULL,
		    POL_A_LOG, 0), 0);
	unmake(&w);
}
END_TEST

START_TEST(nothing_is_let_in_for_being_related)
{
	struct world w;
	const struct pol_table *t = &w.rs.tables[POL_T_GATE];
	size_t n = 0;

	make(&w, EVERYTHING);
	for (size_t i = 0; i < t->nrules; i++) {
		const struct pol_rule *r = &t->rules[i];

		if (!has(r, POL_M_CT_RELATED, 0))
			continue;
		n++;
		ck_assert(has(r, POL_M_ICMP_TYPE, 3) ||
		    has(r, POL_M_ICMPV6_TYPE, 1) ||
		    has(r, POL_M_ICMPV6_TYPE, 2));
	}
	/* Of our calls; of calls to two interfaces' services; three kinds. */
	ck_assert_uint_eq(n, (1 + 2) * 3);
	unmake(&w);
}
END_TEST

START_TEST(silence_has_no_answer_and_no_way_for_one)
{
	struct world w;

	make(&w, PLAIN "firewall { refuse = drop }\n");
	for (size_t i = 0; i < POL_NTABLE; i++) {
		enum pol_table_id id = (enum pol_table_id)i;

		ck_assert_uint_eq(count(&w, id, NULL, POL_A_REJECT, 0), 0);
		ck_assert_uint_eq(count(&w, id, NULL, POL_A_REJECT_RST, 0),
		    0);
		ck_assert(!has_chain(&w, id, "kernels"));
		ck_assert(!has_chain(&w, id, "stray"));
	}
	unmake(&w);
}
END_TEST

/* An answer goes nowhere but back: its rules follow the check of that. */
START_TEST(a_forged_source_is_dropped_before_any_answer)
{
	const enum pol_table_id ids[] = { POL_T_BOOT, POL_T_GUARD,
		POL_T_GATE };
	struct world w;

	make(&w, EVERYTHING);
	for (size_t k = 0; k < 3; k++) {
		const struct pol_table *t = &w.rs.tables[ids[k]];
		size_t i = 0;

		while (strcmp(t->chains[t->rules[i].chain].name,
		    "refuse") != 0)
			i++;
		ck_assert(has(&t->rules[i], POL_M_NO_ROUTE_BACK, 0));
		ck_assert(has(&t->rules[i], POL_A_DROP, 0));
		ck_assert_uint_eq(count(&w, ids[k], "refuse", POL_A_REJECT,
		    0), 1);
	}
	unmake(&w);
}
END_TEST

START_TEST(tor_leaves_by_its_interfaces_only)
{
	struct world w;

	make(&w, EVERYTHING);
	ck_assert_uint_eq(count(&w, POL_T_GATE, "ext0", POL_M_SKUID, 101),
	    0);
	ck_assert_uint_eq(count(&w, POL_T_GATE, "ext1", POL_M_SKUID, 101),
	    1);
	ck_assert_uint_eq(count(&w, POL_T_NETDEV, "egress0", POL_M_SKUID,
	    101), 0);
	ck_assert_uint_eq(count(&w, POL_T_NETDEV, "egress1", POL_M_SKUID,
	    101), 1);
	unmake(&w);
}
END_TEST

/* With a list nothing of Tor's is marked but by it, with a socket or not. */
START_TEST(strict_egress_has_one_way_out)
{
	struct world w;
	const struct pol_table *t = &w.rs.tables[POL_T_GATE];
	size_t n = 0;

	make(&w, EVERYTHING);
	for (size_t i = 0; i < t->nrules; i++) {
		const struct pol_stmt *last =
		    &t->rules[i].stmts[t->rules[i].n - 1];

		n += last->kind == POL_A_JUMP &&
		    strcmp(t->chains[last->chain].name,
		    POL_RELAYS_CHAIN) == 0;
		ck_assert(!has(&t->rules[i], POL_M_SKUID, 101) ||
		    !has(&t->rules[i], POL_A_MARK_OR, POL_MARK_EGRESS));
	}
	ck_assert_uint_eq(n, 2);
	for (unsigned id = POL_S_RELAYS4_A; id <= POL_S_RELAYS6_B; id++)
		ck_assert(has_set(&w, (enum pol_set_id)id));
	unmake(&w);
}
END_TEST

START_TEST(a_user_gets_what_the_section_says)
{
	struct world w;

	make(&w, EVERYTHING);
	/* Everywhere; and on one interface, three networks by two ports. */
	ck_assert_uint_eq(count(&w, POL_T_GATE, "ext0", POL_M_SKUID, 202),
	    1);
	ck_assert_uint_eq(count(&w, POL_T_GATE, "ext1", POL_M_SKUID, 202),
	    1);
	ck_assert_uint_eq(count(&w, POL_T_GATE, "ext0", POL_M_SKUID, 203),
	    6);
	ck_assert_uint_eq(count(&w, POL_T_GATE, "ext1", POL_M_SKUID, 203),
	    0);
	ck_assert_uint_eq(count(&w, POL_T_NETDEV, "egress1", POL_M_SKUID,
	    203), 0);
	/* And is not sent to Tor with it. */
	ck_assert_uint_eq(count(&w, POL_T_GATE, "nat_out", POL_M_SKUID,
	    203), 6);
	unmake(&w);
}
END_TEST

START_TEST(only_who_sets_the_clock_gets_a_mark_before)
{
	struct world w;

	make(&w, EVERYTHING);
	ck_assert(has_set(&w, POL_S_SYNC));
	ck_assert_uint_eq(count(&w, POL_T_GATE, "sync", POL_M_SKUID, 201),
	    1);
	ck_assert_uint_eq(count(&w, POL_T_GATE, "mark_pre", POL_M_LOOKUP,
	    0), 2 + 2 + 2);
	ck_assert_uint_eq(count(&w, POL_T_GATE, "hb", POL_M_DPORT,
	    POL_HB_SYNC), 1);
	unmake(&w);
}
END_TEST

static int
priority_of(const struct pol_table *t, const char *name)
{
	for (size_t i = 0; i < t->nchains; i++)
		if (strcmp(t->chains[i].name, name) == 0)
			return t->chains[i].priority;
	ck_abort_msg("there is no chain %s", name);
}

/* Others' rules set marks as well: none of theirs comes between. */
START_TEST(marks_are_cleared_set_and_read_without_a_gap)
{
	static const struct {
		enum pol_table_id id;
		const char *clear, *set, *read;
	} hooks[] = {
		{ POL_T_GUARD, "first", "mark_pre", "pre" },
		{ POL_T_GUARD, "clear_out", "mark_out", "output" },
		{ POL_T_GUARD, "clear_out", "mark_nat", "output" },
	};
	struct world w;

	make(&w, EVERYTHING);
	for (size_t i = 0; i < sizeof hooks / sizeof hooks[0]; i++) {
		const struct pol_table *t = &w.rs.tables[hooks[i].id];
		int clear = priority_of(t, hooks[i].clear);
		int set = priority_of(&w.rs.tables[POL_T_GATE], hooks[i].set);
		int read = priority_of(t, hooks[i].read);

		ck_assert_int_lt(clear, set);
		ck_assert_int_lt(set, read);
		ck_assert_int_le(read - clear, 3);
	}
	unmake(&w);
}
END_TEST

/* How many rules keep who comes in by NAME away from listeners. */
static size_t
kept_away(const struct world *w, const char *name)
{
	const struct pol_table *t = &w->rs.tables[POL_T_GUARD];
	size_t n = 0;

	for (size_t i = 0; i < t->nrules; i++)
		n += strcmp(t->chains[t->rules[i].chain].name, "input") ==
		    0 && has(&t->rules[i], POL_M_LOOKUP, 0) &&
		    has(&t->rules[i], POL_A_DROP, 0) &&
		    strcmp(t->rules[i].stmts[0].name, name) == 0;
	return n;
}

START_TEST(a_service_that_has_tors_ports_leaves_out_tors)
{
	struct world w;

	make(&w, EVERYTHING);
	ck_assert_uint_eq(kept_away(&w, "e1"), 2); /* a family each */
	ck_assert_uint_eq(kept_away(&w, "e0"), 0);
	unmake(&w);
	make(&w, P_ALL "service s { interface = eth0 protocol = tcp\n"
	    "port = { 80, \"9000-9050\" } }\n");
	ck_assert_uint_eq(kept_away(&w, "eth0"), 2);
	unmake(&w);
	make(&w, P_ALL "service s { interface = eth0 protocol = udp\n"
	    "port = 9050 }\n");
	ck_assert_uint_eq(kept_away(&w, "eth0"), 0);
	unmake(&w);
}
END_TEST

START_TEST(veto_redirects_nothing)
{
	struct world w;
	const struct pol_table *t = &w.rs.tables[POL_T_GATE];

	make(&w, PLAIN "firewall { mode = veto }\n");
	for (size_t i = 0; i < t->nchains; i++)
		ck_assert(!t->chains[i].nat);
	ck_assert(!has_set(&w, POL_S_DIRECT4));
	ck_assert_uint_eq(count(&w, POL_T_GATE, "allowed", POL_M_CT_DNAT, 0),
	    0);
	ck_assert_uint_eq(count(&w, POL_T_GATE, "allowed", POL_A_ACCEPT, 0),
	    2);
	unmake(&w);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_rules_wall");
	TCase *t = tcase_create("wall");

	tcase_add_loop_test(t, what_must_hold_of_every_ruleset_holds, 0, 4);
	tcase_add_test(t, what_nobody_asked_for_is_not_there);
	tcase_add_test(t, nothing_is_let_in_for_being_related);
	tcase_add_test(t, silence_has_no_answer_and_no_way_for_one);
	tcase_add_test(t, a_forged_source_is_dropped_before_any_answer);
	tcase_add_test(t, tor_leaves_by_its_interfaces_only);
	tcase_add_test(t, strict_egress_has_one_way_out);
	tcase_add_test(t, a_user_gets_what_the_section_says);
	tcase_add_test(t, only_who_sets_the_clock_gets_a_mark_before);
	tcase_add_test(t, a_service_that_has_tors_ports_leaves_out_tors);
	tcase_add_test(t, marks_are_cleared_set_and_read_without_a_gap);
	tcase_add_test(t, veto_redirects_nothing);
	suite_add_tcase(s, t);
	return pu_run(s);
}
