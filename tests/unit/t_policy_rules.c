#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "policy/rules.h"
#include "tests/unit/polprops.h"
#include "tests/unit/polutil.h"

/* All kinds, both families, both sides, loopback too. */
static const char full[] = P_TOR
    "gateway { internal = { i0, i1 } external = { e0, e1 } dhcp = true\n"
    "lease_ms = 700 }\n" P_USERS
    "listener s { kind = socks address = { \"10.0.0.1\", \"fd00::1\",\n"
    "	\"127.0.0.1\" } port = 9050 }\n"
    "listener h { kind = httptunnel address = \"10.0.0.1\" port = 8118 }\n"
    "listener t { kind = trans address = { \"127.0.0.1\", \"10.0.0.1\",\n"
    "	\"fd00::1\" } port = 9040 }\n"
    "listener d { kind = dns address = { \"10.0.0.1\", \"fd00::1\" }\n"
    "	port = 5300 }\n";

static const char bare[] = P_TOR P_GW P_USERS
    "listener s { kind = socks address = \"127.0.0.1\" port = 9050 }\n";

/* On interfaces' addresses, and in the file system. */
static const char floating[] = P_TOR
    "gateway { internal = { i0, i1 } external = e0 }\n" P_USERS
    "listener s { kind = socks address = { \"interface:i0\",\n"
    "	\"interface:i1:ipv4\", \"10.0.0.1\" } port = 9050 }\n"
    "listener t { kind = trans address = \"interface:i0\" port = 9040 }\n"
    "listener d { kind = dns address = \"interface:i0:ipv6\"\n"
    "	port = 5300 }\n"
    "listener e { kind = dns address = \"10.0.0.1\" port = 5300 }\n"
    "listener u { kind = socks address = \"unix:/run/tor/socks\" }\n";

static const char sockets[] = P_TOR P_GW P_USERS
    "listener u { kind = socks address = \"unix:/run/tor/socks\" }\n";

static void
make(struct pol_ruleset *rs, struct pol_policy *p, const char *text)
{
	pu_parse(p, text);
	ck_assert_int_eq(pol_ruleset_make(rs, p), 0);
}

static const struct pol_set *
find_set(const struct pol_ruleset *rs, enum pol_table_id table,
    enum pol_set_id id)
{
	const struct pol_table *t = &rs->tables[table];

	for (size_t i = 0; i < t->nsets; i++)
		if (t->sets[i].id == id)
			return &t->sets[i];
	ck_abort_msg("no set %s", pol_set_name(id));
	return NULL;
}

static size_t
count_num(const struct pol_table *t, enum pol_stmt_kind kind, uint32_t num)
{
	size_t n = 0;

	for (size_t i = 0; i < t->nrules; i++)
		for (size_t j = 0; j < t->rules[i].n; j++)
			n += t->rules[i].stmts[j].kind == kind &&
			    t->rules[i].stmts[j].num == num;
	return n;
}

static size_t
count_stmts(const struct pol_table *t, enum pol_stmt_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < t->nrules; i++)
		for (size_t j = 0; j < t->rules[i].n; j++)
			n += t->rules[i].stmts[j].kind == kind;
	return n;
}

/* How many statements are KIND with NUM, in all tables. */
static size_t
count_all(const struct pol_ruleset *rs, enum pol_stmt_kind kind, uint32_t num)
{
	size_t n = 0;

	for (size_t i = 0; i < POL_NTABLE; i++)
		n += count_num(&rs->tables[i], kind, num);
	return n;
}

START_TEST(what_must_hold_of_every_ruleset_holds)
{
	const char *const texts[] = { full, bare, P_ALL, floating, sockets };
	struct pol_policy p;
	struct pol_ruleset rs;
	const char *fault;

	make(&rs, &p, texts[_i]);
	fault = pp_ruleset_fault(&rs);
	ck_assert_msg(fault == NULL, "%s", fault);
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(the_properties_can_fail)
{
	struct pol_policy p;
	struct pol_ruleset rs;
	struct pol_table *t;

	make(&rs, &p, full);
	t = &rs.tables[POL_T_GUARD];
	for (size_t i = 0; i < t->nrules; i++) {
		struct pol_rule saved = t->rules[i];

		if (saved.n == 1 && saved.stmts[0].kind == POL_A_ACCEPT)
			continue;
		/* Whatever rule becomes "accept" is found. */
		t->rules[i].n = 1;
		t->rules[i].stmts[0] = (struct pol_stmt){
			.kind = POL_A_ACCEPT };
		ck_assert_ptr_nonnull(pp_ruleset_fault(&rs));
		t->rules[i] = saved;
	}
	t->rules[0].stmts[0].num ^= 1;
	ck_assert_str_eq(pp_ruleset_fault(&rs), "boot and guard differ");
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(marks_are_set_by_the_first_chains)
{
	struct pol_policy p;
	struct pol_ruleset rs;
	const struct pol_table *t;
	size_t filters = 0;

	make(&rs, &p, full);
	t = &rs.tables[POL_T_GATE];
	ck_assert_str_eq(t->chains[0].name, "mark_pre");
	ck_assert_str_eq(t->chains[1].name, "mark_out");
	/* Those that filter, and what only they lead to, come later. */
	for (size_t i = 0; i < t->nchains; i++)
		if (strcmp(t->chains[i].name, "nat_pre") == 0)
			filters = i;
	ck_assert_uint_gt(filters, 1);
	for (size_t i = 0; i < t->nrules; i++)
		for (size_t j = 0; j < t->rules[i].n; j++)
			if (t->rules[i].stmts[j].kind == POL_A_MARK_OR)
				ck_assert_uint_lt(t->rules[i].chain, filters);
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(sets_hold_what_their_names_say)
{
	struct pol_policy p;
	struct pol_ruleset rs;
	const struct pol_set *s;

	make(&rs, &p, full);
	ck_assert_uint_eq(find_set(&rs, POL_T_BOOT, POL_S_LISTEN4)->nelems,
	    6);
	ck_assert_uint_eq(find_set(&rs, POL_T_GUARD, POL_S_LISTEN6)->nelems,
	    3);
	s = find_set(&rs, POL_T_GATE, POL_S_DIRECT4);
	ck_assert_uint_eq(s->nelems, 2);
	ck_assert(s->constant);
	ck_assert_uint_eq(s->elems[0].port, 9050);
	ck_assert_uint_eq(s->elems[1].port, 8118);
	ck_assert_uint_eq(find_set(&rs, POL_T_GATE, POL_S_DIRECT6)->nelems,
	    1);
	s = find_set(&rs, POL_T_GATE, POL_S_GATE);
	ck_assert_uint_eq(s->timeout_ms, 700);
	ck_assert_int_eq(s->key, POL_K_NFPROTO);
	ck_assert_uint_eq(find_set(&rs, POL_T_GATE, POL_S_EGRESS)->timeout_ms,
	    700);
	s = find_set(&rs, POL_T_GATE, POL_S_PROVEN4);
	ck_assert_uint_ge(s->size, POL_MAX_LISTENERS);
	ck_assert_uint_eq(s->nelems, 0);
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(redirects_lead_to_redirected_listeners_only)
{
	struct pol_policy p;
	struct pol_ruleset rs;
	const struct pol_table *t;

	make(&rs, &p, full);
	t = &rs.tables[POL_T_GATE];
	/* Two kinds, two families, for all interfaces at once. */
	ck_assert_uint_eq(count_stmts(t, POL_A_DNAT), 4);
	for (size_t i = 0; i < t->nrules; i++) {
		const struct pol_stmt *s =
		    &t->rules[i].stmts[t->rules[i].n - 1];

		if (s->kind != POL_A_DNAT)
			continue;
		ck_assert(s->num == 9040 || s->num == 5300);
		ck_assert(!pol_addr_loopback(&s->addr));
	}
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
	make(&rs, &p, bare);
	ck_assert_uint_eq(count_stmts(&rs.tables[POL_T_GATE], POL_A_DNAT),
	    0);
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}
END_TEST

static bool
has_set(const struct pol_table *t, enum pol_set_id id)
{
	for (size_t i = 0; i < t->nsets; i++)
		if (t->sets[i].id == id)
			return true;
	return false;
}

static size_t
count_lookups(const struct pol_table *t, enum pol_set_id set)
{
	size_t n = 0;

	for (size_t i = 0; i < t->nrules; i++)
		for (size_t j = 0; j < t->rules[i].n; j++)
			n += t->rules[i].stmts[j].kind == POL_M_LOOKUP &&
			    t->rules[i].stmts[j].set == set;
	return n;
}

START_TEST(listeners_on_interfaces_are_known_by_port)
{
	struct pol_policy p;
	struct pol_ruleset rs;
	const struct pol_table *guard = &rs.tables[POL_T_GUARD];
	const struct pol_set *s;

	make(&rs, &p, floating);
	/* Given addresses stand where they did, and nothing else does. */
	ck_assert_uint_eq(find_set(&rs, POL_T_GUARD, POL_S_LISTEN4)->nelems,
	    2);
	ck_assert_uint_eq(find_set(&rs, POL_T_GUARD, POL_S_LISTEN6)->nelems,
	    0);
	ck_assert_uint_eq(find_set(&rs, POL_T_GATE, POL_S_DIRECT4)->nelems,
	    1);
	/* Two interfaces' 9050 are one port. */
	s = find_set(&rs, POL_T_GUARD, POL_S_PORTS4);
	ck_assert(s->constant && s->key == POL_K_DPORT);
	ck_assert_uint_eq(s->nelems, 2);
	ck_assert_uint_eq(s->elems[0].port, 9040);
	ck_assert_uint_eq(s->elems[1].port, 9050);
	ck_assert_int_eq(s->elems[0].addr.family, 0);
	ck_assert_uint_eq(find_set(&rs, POL_T_GUARD, POL_S_PORTS6)->nelems,
	    3);
	s = find_set(&rs, POL_T_GATE, POL_S_DIRECT_PORTS4);
	ck_assert_uint_eq(s->nelems, 1);
	ck_assert_uint_eq(s->elems[0].port, 9050);
	/* All interfaces' input, and loopback both ways. */
	ck_assert_uint_eq(count_lookups(guard, POL_S_PORTS4), 3);
	ck_assert_uint_eq(count_lookups(guard, POL_S_PORTS6), 3);
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}
END_TEST

/* A port alone never suffices: the address must be proven. */
START_TEST(what_is_accepted_by_port_is_proven_too)
{
	struct pol_policy p;
	struct pol_ruleset rs;
	const struct pol_table *t = &rs.tables[POL_T_GATE];
	size_t n = 0;

	make(&rs, &p, floating);
	for (size_t i = 0; i < t->nrules; i++) {
		const struct pol_stmt *s = t->rules[i].stmts;

		if (t->rules[i].n < 4 || s[1].kind != POL_M_LOOKUP ||
		    (s[1].set != POL_S_DIRECT_PORTS4 &&
		    s[1].set != POL_S_DIRECT_PORTS6))
			continue;
		n++;
		ck_assert_int_eq(s[2].kind, POL_M_LOOKUP);
		ck_assert_int_eq(s[2].set, s[1].set == POL_S_DIRECT_PORTS4 ?
		    POL_S_PROVEN4 : POL_S_PROVEN6);
		ck_assert_int_eq(s[3].kind, POL_A_ACCEPT);
	}
	ck_assert_uint_eq(n, 2);
	ck_assert_uint_eq(count_lookups(t, POL_S_DIRECT_PORTS4), 1);
	ck_assert_uint_eq(count_lookups(t, POL_S_DIRECT_PORTS6), 1);
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(redirects_to_interfaces_go_by_a_map)
{
	struct pol_policy p;
	struct pol_ruleset rs;
	const struct pol_table *t = &rs.tables[POL_T_GATE];
	const struct pol_set *s;

	make(&rs, &p, floating);
	/* Trans, both families, and dns for IPv6. */
	ck_assert_uint_eq(count_stmts(t, POL_A_DNAT_MAP), 3);
	ck_assert_uint_eq(count_num(t, POL_A_DNAT_MAP, 9040), 2);
	ck_assert_uint_eq(count_num(t, POL_A_DNAT_MAP, 5300), 1);
	ck_assert_uint_eq(count_stmts(t, POL_A_DNAT), 1); /* 10.0.0.1 */
	s = find_set(&rs, POL_T_GATE, POL_S_TARGET4);
	ck_assert_int_eq(s->data, POL_D_ADDR4);
	ck_assert(!s->constant && s->nelems == 0);
	ck_assert_int_eq(find_set(&rs, POL_T_GATE, POL_S_TARGET6)->data,
	    POL_D_ADDR6);
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(nothing_of_it_is_there_without_interfaces)
{
	const char *const texts[] = { full, bare, sockets };
	struct pol_policy p;
	struct pol_ruleset rs;

	make(&rs, &p, texts[_i]);
	for (size_t i = 0; i < POL_NTABLE; i++)
		for (unsigned id = POL_S_PORTS4; id <= POL_S_TARGET6; id++)
			ck_assert(!has_set(&rs.tables[i],
			    (enum pol_set_id)id));
	ck_assert_uint_eq(count_stmts(&rs.tables[POL_T_GATE],
	    POL_A_DNAT_MAP), 0);
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(a_unix_socket_has_no_element)
{
	struct pol_policy p;
	struct pol_ruleset rs;
	struct pol_elem elem;

	make(&rs, &p, sockets);
	ck_assert(!pol_listener_elem(&elem, &p.listeners[0], NULL));
	for (size_t i = 0; i < POL_NTABLE; i++)
		for (size_t j = 0; j < rs.tables[i].nsets; j++)
			ck_assert_uint_eq(rs.tables[i].sets[j].nelems, 0);
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(an_interfaces_element_is_where_it_is_now)
{
	struct pol_addr ifaddr[POL_MAX_IFADDRS] = { { 0 } };
	struct pol_policy p;
	struct pol_elem elem;

	pu_parse(&p, floating);
	ck_assert_uint_ne(p.listeners[0].ifaddr, 0);
	ck_assert(!pol_listener_elem(&elem, &p.listeners[0], NULL));
	ck_assert(!pol_listener_elem(&elem, &p.listeners[0], ifaddr));
	ck_assert(pol_addr_parse(&ifaddr[p.listeners[0].ifaddr - 1],
	    "10.0.0.9"));
	ck_assert(pol_listener_elem(&elem, &p.listeners[0], ifaddr));
	ck_assert(pol_addr_equal(&elem.addr,
	    &ifaddr[p.listeners[0].ifaddr - 1]));
	ck_assert_uint_eq(elem.port, 9050);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(only_tor_and_the_gate_are_named_by_number)
{
	struct pol_policy p;
	struct pol_ruleset rs;
	size_t n = 0;

	make(&rs, &p, full);
	for (size_t t = 0; t < POL_NTABLE; t++)
		n += count_stmts(&rs.tables[t], POL_M_SKUID);
	/* Two external interfaces: in inet, and on the way out. */
	ck_assert_uint_eq(count_all(&rs, POL_M_SKUID, 101), 4);
	ck_assert_uint_eq(count_all(&rs, POL_M_SKUID, 102), 2);
	ck_assert_uint_eq(n, 6);
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(without_dhcp_there_is_no_hole_for_it)
{
	struct pol_policy p;
	struct pol_ruleset rs;

	make(&rs, &p, full);
	ck_assert_uint_gt(count_all(&rs, POL_M_DPORT, 67), 0);
	ck_assert_uint_gt(count_all(&rs, POL_M_DPORT, 68), 0);
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
	make(&rs, &p, bare);
	ck_assert_uint_eq(count_all(&rs, POL_M_DPORT, 67), 0);
	ck_assert_uint_eq(count_all(&rs, POL_M_DPORT, 68), 0);
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(each_external_interface_has_its_egress_chain)
{
	struct pol_policy p;
	struct pol_ruleset rs;
	const struct pol_table *t;

	make(&rs, &p, full);
	t = &rs.tables[POL_T_NETDEV];
	ck_assert_uint_eq(t->nchains, 2);
	ck_assert_str_eq(t->chains[0].device, "e0");
	ck_assert_str_eq(t->chains[1].device, "e1");
	ck_assert_str_ne(t->chains[0].name, t->chains[1].name);
	ck_assert_uint_eq(t->nrules, 2 * 9);
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}
END_TEST

/* Does T printed for POS have WORDS? */
static bool
prints(const struct pol_table *t, const struct pol_policy *p,
    enum pol_position pos, const char *words)
{
	char *text = pol_table_print(t, p, pos);
	bool found;

	ck_assert_ptr_nonnull(text);
	found = strstr(text, words) != NULL;
	free(text);
	return found;
}

START_TEST(leases_are_printed_by_position)
{
	static const char gate[] = "set gate {\n\t\ttype nf_proto\n\t\tsize "
	    "1024\n\t\tflags dynamic,timeout\n\t\ttimeout 700ms\n\t\t"
	    "elements";
	static const char egress[] = "set egress {\n\t\ttype nf_proto\n\t\t"
	    "size 1024\n\t\tflags dynamic,timeout\n\t\ttimeout 700ms\n\t\t"
	    "elements";
	static const char proven[] = "set proven4 {\n\t\ttype ipv4_addr . "
	    "inet_proto . inet_service\n\t\tsize 8192\n\t\telements";
	struct pol_policy p;
	struct pol_ruleset rs;
	const struct pol_table *t = &rs.tables[POL_T_GATE];

	make(&rs, &p, full);
	ck_assert(!prints(t, &p, POL_POS_CLOSED, gate));
	ck_assert(prints(t, &p, POL_POS_CLOSED, egress));
	ck_assert(!prints(t, &p, POL_POS_TOR_ONLY, gate));
	ck_assert(prints(t, &p, POL_POS_TOR_ONLY, egress));
	ck_assert(!prints(t, &p, POL_POS_TOR_ONLY, proven));
	ck_assert(prints(t, &p, POL_POS_OPEN, gate));
	ck_assert(prints(t, &p, POL_POS_OPEN, egress));
	ck_assert(prints(t, &p, POL_POS_OPEN, proven));
	p.closed = POL_CLOSED_STRICT;
	ck_assert(!prints(t, &p, POL_POS_CLOSED, egress));
	ck_assert(prints(t, &p, POL_POS_TOR_ONLY, egress));
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(maps_and_ports_are_printed)
{
	struct pol_policy p;
	struct pol_ruleset rs;
	const struct pol_table *gate = &rs.tables[POL_T_GATE];
	const struct pol_table *guard = &rs.tables[POL_T_GUARD];

	make(&rs, &p, floating);
	ck_assert(prints(gate, &p, POL_POS_OPEN,
	    "map target4 {\n\t\ttype inet_proto : ipv4_addr\n\t\tsize 4\n"
	    "\t}\n"));
	ck_assert(prints(gate, &p, POL_POS_CLOSED,
	    "dnat ip to meta l4proto map @target4:9040\n"));
	ck_assert(prints(gate, &p, POL_POS_CLOSED,
	    "dnat ip6 to meta l4proto map @target6:5300\n"));
	ck_assert(prints(guard, &p, POL_POS_CLOSED,
	    "set ports4 {\n\t\ttype inet_proto . inet_service\n"
	    "\t\tflags constant\n\t\telements = {\n\t\t\ttcp . 9040,"));
	/* What OPEN shows is what the policy knows: two given addresses. */
	ck_assert(prints(gate, &p, POL_POS_OPEN, "\t\telements = {\n"
	    "\t\t\t10.0.0.1 . tcp . 9050,\n"
	    "\t\t\t10.0.0.1 . udp . 5300\n\t\t}\n"));
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(every_statement_has_words)
{
	struct pol_policy p = { .closed = POL_CLOSED_STRICT };
	struct pol_chain c = { .name = "c" };
	struct pol_rule rule = { .n = 1 };
	struct pol_table t = { .id = POL_T_GATE, .chains = &c, .nchains = 1,
		.rules = &rule, .nrules = 1 };

	rule.stmts[0].addr.family = AF_INET;
	for (size_t k = 0; k < POL_NSTMT; k++) {
		rule.stmts[0].kind = (enum pol_stmt_kind)k;
		ck_assert_msg(!prints(&t, &p, POL_POS_CLOSED, "\t\t\n"),
		    "statement %zu prints nothing", k);
	}
}
END_TEST

START_TEST(running_out_of_memory_leaves_nothing)
{
	const char *const texts[] = { full, floating };
	struct pol_policy p;
	struct pol_ruleset rs;
	unsigned n = 0;
	int rc;

	pu_parse(&p, texts[_i]);
	do {
		pu_fail_at(++n);
		rc = pol_ruleset_make(&rs, &p);
		pu_fail_at(0);
		if (rc == -1)
			ck_assert_ptr_null(rs.tables[0].chains);
	} while (rc == -1);
	ck_assert_uint_gt(n, 40);
	pu_fail_at(1);
	ck_assert_ptr_null(pol_table_print(&rs.tables[0], &p,
	    POL_POS_CLOSED));
	pu_fail_at(0);
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_rules");
	TCase *t = tcase_create("rules");

	tcase_add_loop_test(t, what_must_hold_of_every_ruleset_holds, 0, 5);
	tcase_add_test(t, the_properties_can_fail);
	tcase_add_test(t, marks_are_set_by_the_first_chains);
	tcase_add_test(t, sets_hold_what_their_names_say);
	tcase_add_test(t, redirects_lead_to_redirected_listeners_only);
	tcase_add_test(t, listeners_on_interfaces_are_known_by_port);
	tcase_add_test(t, what_is_accepted_by_port_is_proven_too);
	tcase_add_test(t, redirects_to_interfaces_go_by_a_map);
	tcase_add_loop_test(t, nothing_of_it_is_there_without_interfaces, 0,
	    3);
	tcase_add_test(t, a_unix_socket_has_no_element);
	tcase_add_test(t, an_interfaces_element_is_where_it_is_now);
	tcase_add_test(t, maps_and_ports_are_printed);
	tcase_add_test(t, only_tor_and_the_gate_are_named_by_number);
	tcase_add_test(t, without_dhcp_there_is_no_hole_for_it);
	tcase_add_test(t, each_external_interface_has_its_egress_chain);
	tcase_add_test(t, leases_are_printed_by_position);
	tcase_add_test(t, every_statement_has_words);
	tcase_add_loop_test(t, running_out_of_memory_leaves_nothing, 0, 2);
	suite_add_tcase(s, t);
	return pu_run(s);
}
