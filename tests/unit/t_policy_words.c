/* What single statements and sets are called in nft's language. */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/build.h"
#include "tests/unit/polutil.h"

static struct pol_table table;
static struct pol_build b;
static struct pol_policy policy;
static size_t chain;

static const char two_listeners[] = P_TOR P_GW P_USERS
    "listener clock { kind = socks address = \"10.0.0.1\" port = 9108 }\n"
    "listener rest { kind = socks address = \"10.0.0.1\" port = 9050 }\n";

static void
setup(void)
{
	memset(&table, 0, sizeof table);
	table.id = POL_T_GATE;
	b = (struct pol_build){ .t = &table };
	chain = pol_build_chain(&b, &(struct pol_chain){ .name = "c" });
	pu_parse(&policy, two_listeners);
	policy.listeners[0].timesync = true;
}

static void
teardown(void)
{
	free(table.sets);
	free(table.chains);
	free(table.rules);
	pol_policy_clear(&policy);
}

/* In the text, LINE stands on a line of its own. */
static bool
says(enum pol_position pos, const char *line)
{
	char *text = pol_table_print(&table, &policy, pos), *found;
	bool whole;

	ck_assert_ptr_nonnull(text);
	found = strstr(text, line);
	whole = found != NULL && found[-1] == '\t' &&
	    strchr("\n,", found[strlen(line)]) != NULL;
	free(text);
	return whole;
}

static struct pol_stmt
net(enum pol_stmt_kind kind, const char *text)
{
	struct pol_net n;

	ck_assert(pol_net_parse(&n, text));
	return pol_st_net(kind, &n);
}

static struct pol_stmt
ports(enum pol_stmt_kind kind, uint16_t first, uint16_t last)
{
	return pol_st_ports(kind, &(struct pol_ports){ first, last });
}

START_TEST(networks_and_ports)
{
	POL_RULE(&b, chain, net(POL_M_DADDR_NET, "192.168.4.0/22"),
	    net(POL_M_SADDR_NET, "1.2.3.4"));
	POL_RULE(&b, chain, net(POL_M_SADDR_NET, "fe80::/10"),
	    net(POL_M_DADDR_NET, "::/0"));
	POL_RULE(&b, chain, ports(POL_M_DPORTS, 8000, 8010),
	    ports(POL_M_SPORTS, 53, 53));
	ck_assert(says(POL_POS_OPEN,
	    "ip daddr 192.168.4.0/22 ip saddr 1.2.3.4/32"));
	ck_assert(says(POL_POS_OPEN, "ip6 saddr fe80::/10 ip6 daddr ::/0"));
	ck_assert(says(POL_POS_OPEN, "th dport 8000-8010 th sport 53"));
}
END_TEST

START_TEST(a_code_is_of_the_protocol_that_was_named)
{
	const struct pol_stmt code = pol_st_num(POL_M_ICMP_CODE, 4);

	POL_RULE(&b, chain, pol_st_num(POL_M_L4PROTO, IPPROTO_ICMPV6),
	    pol_st_num(POL_M_ICMPV6_TYPE, 1), code);
	POL_RULE(&b, chain, pol_st_num(POL_M_L4PROTO, IPPROTO_ICMP),
	    pol_st_num(POL_M_ICMP_TYPE, 3), code);
	ck_assert(says(POL_POS_OPEN,
	    "meta l4proto 58 icmpv6 type 1 icmpv6 code 4"));
	ck_assert(says(POL_POS_OPEN,
	    "meta l4proto 1 icmp type 3 icmp code 4"));
}
END_TEST

START_TEST(refusals_and_logs)
{
	POL_RULE(&b, chain, pol_st_if(POL_M_IIFNAME, "vif*"),
	    pol_st_num(POL_A_LIMIT, 10), pol_st_log("portcullis"),
	    pol_st(POL_A_REJECT));
	POL_RULE(&b, chain, pol_st(POL_M_TCP_RST),
	    pol_st(POL_M_NO_ROUTE_BACK), pol_st(POL_A_REJECT_RST));
	POL_RULE(&b, chain, pol_st(POL_M_CT_NEW),
	    pol_st_num(POL_A_CT_MARK_OR, POL_MARK_GATE));
	POL_RULE(&b, chain, pol_st_num(POL_M_CT_MARK_SET, POL_MARK_GATE),
	    pol_st(POL_A_ACCEPT));
	ck_assert(says(POL_POS_OPEN, "iifname \"vif*\" limit rate 10/minute "
	    "log prefix \"portcullis: \" "
	    "reject with icmpx admin-prohibited"));
	ck_assert(says(POL_POS_OPEN, "tcp flags & rst != 0 "
	    "fib saddr . iif oif missing reject with tcp reset"));
	ck_assert(says(POL_POS_OPEN,
	    "ct state new ct mark set ct mark | 0x40000000"));
	ck_assert(says(POL_POS_OPEN, "ct mark & 0x40000000 != 0 accept"));
}
END_TEST

/* A name that is as long as it can be is no reason to read on. */
START_TEST(a_long_prefix_of_the_log_is_cut)
{
	POL_RULE(&b, chain, pol_st_log("a name of more than 15 octets"));
	ck_assert(says(POL_POS_OPEN, "log prefix \"a name of more : \""));
}
END_TEST

START_TEST(chain_relays_looks_into_one_pair_of_sets)
{
	static const char *const rules[][2] = { {
		"meta nfproto ipv4 meta l4proto 6 ip daddr . th dport "
		"@relays4a meta mark set meta mark | 0x20000000",
		"meta nfproto ipv6 meta l4proto 6 ip6 daddr . th dport "
		"@relays6a meta mark set meta mark | 0x20000000",
	}, {
		"meta nfproto ipv4 meta l4proto 6 ip daddr . th dport "
		"@relays4b meta mark set meta mark | 0x20000000",
		"meta nfproto ipv6 meta l4proto 6 ip6 daddr . th dport "
		"@relays6b meta mark set meta mark | 0x20000000",
	} };
	struct pol_rule out[POL_NRELAYS_RULES];

	pol_relays_rules(out, chain, _i == 1);
	for (size_t i = 0; i < POL_NRELAYS_RULES; i++) {
		ck_assert_uint_eq(out[i].chain, chain);
		pol_build_rule(&b, out[i].chain, out[i].stmts, out[i].n);
		ck_assert(says(POL_POS_OPEN, rules[_i][i]));
		ck_assert(!says(POL_POS_OPEN, rules[1 - _i][i]));
	}
}
END_TEST

static void
add_set(enum pol_set_id id, enum pol_key key, uint32_t timeout_ms)
{
	pol_build_set(&b, &(struct pol_set){ .id = id, .key = key,
	    .timeout_ms = timeout_ms, .size = POL_MAX_RELAYS });
}

START_TEST(relays_are_there_in_no_position)
{
	add_set(POL_S_RELAYS4_A, POL_K_RELAY4, 0);
	add_set(POL_S_RELAYS6_B, POL_K_RELAY6, 0);
	ck_assert(says((enum pol_position)_i, "set relays4a {"));
	ck_assert(says((enum pol_position)_i,
	    "type ipv4_addr . inet_service"));
	ck_assert(says((enum pol_position)_i,
	    "type ipv6_addr . inet_service"));
	ck_assert(says((enum pol_position)_i, "size 131072"));
	ck_assert(!says((enum pol_position)_i, "elements = {"));
}
END_TEST

static const char held[] = "elements = { ipv4, ipv6 }";

START_TEST(each_position_holds_its_leases)
{
	static const struct {
		enum pol_set_id set;
		bool held[POL_NPOS]; /* in the order of the positions */
	} cases[] = {
		{ POL_S_GATE, { false, false, false, true } },
		{ POL_S_SYNC, { false, false, true, false } },
		{ POL_S_EGRESS, { false, true, true, true } },
	};

	policy.closed = POL_CLOSED_STRICT;
	add_set(cases[_i].set, POL_K_NFPROTO, 1000);
	for (int pos = 0; pos < POL_NPOS; pos++)
		ck_assert(says((enum pol_position)pos, held) ==
		    cases[_i].held[pos]);
}
END_TEST

START_TEST(time_sync_proves_its_own_listeners_only)
{
	static const char clock[] = "10.0.0.1 . tcp . 9108";
	static const char rest[] = "10.0.0.1 . tcp . 9050";

	add_set(POL_S_PROVEN4, POL_K_DST4, 0);
	ck_assert(says(POL_POS_SYNC, clock));
	ck_assert(!says(POL_POS_SYNC, rest));
	ck_assert(says(POL_POS_OPEN, clock));
	ck_assert(says(POL_POS_OPEN, rest));
	ck_assert(!says(POL_POS_TOR_ONLY, clock));
	ck_assert(!says(POL_POS_CLOSED, clock));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_words");
	TCase *tc = tcase_create("words");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, networks_and_ports);
	tcase_add_test(tc, a_code_is_of_the_protocol_that_was_named);
	tcase_add_test(tc, refusals_and_logs);
	tcase_add_test(tc, a_long_prefix_of_the_log_is_cut);
	tcase_add_loop_test(tc, chain_relays_looks_into_one_pair_of_sets, 0,
	    2);
	tcase_add_loop_test(tc, relays_are_there_in_no_position, 0, POL_NPOS);
	tcase_add_loop_test(tc, each_position_holds_its_leases, 0, 3);
	tcase_add_test(tc, time_sync_proves_its_own_listeners_only);
	suite_add_tcase(s, tc);
	return pu_run(s);
}
