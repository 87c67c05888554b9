/*
 * Statements that make no sense are not made into messages, and keys have
 * the layout that lookups load.  No kernel: t_differ is for that.
 */
#include <check.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <libnftnl/rule.h>

#include "policy/rules.h"
#include "supervisor/gate/nft_elem.h"
#include "supervisor/gate/nft_expr.h"

#define S(...) { { __VA_ARGS__ } }
#define L4(n) { .kind = POL_M_L4PROTO, .num = (n) }
#define NF(n) { .kind = POL_M_NFPROTO, .num = (n) }
#define ETHER(n) { .kind = POL_M_ETHERTYPE, .num = (n) }
#define NET(k, f, p) { .kind = (k), .addr = { .family = (f) }, .prefix = (p) }

/* All have two statements, or one twice. */
struct rule_case {
	struct pol_stmt stmts[2];
};

static int
make(enum pol_family family, const struct pol_stmt *stmts, size_t n)
{
	struct pol_chain chain = { .name = "c" };
	const struct pol_table t = { .id = family == POL_F_NETDEV ?
		POL_T_NETDEV : POL_T_GATE, .family = family,
		.chains = &chain, .nchains = 1 };
	struct pol_rule r = { .n = n };
	struct nftnl_rule *out = nftnl_rule_alloc();
	int rc;

	ck_assert_ptr_nonnull(out);
	memcpy(r.stmts, stmts, n * sizeof *stmts);
	rc = nft_expr_rule(out, &t, &r);
	nftnl_rule_free(out);
	return rc;
}

static const struct rule_case senseless[] = {
	/* Either would be any interface, or none. */
	S({ .kind = POL_M_IIFNAME, .name = "*" }, { .kind = POL_A_ACCEPT }),
	S({ .kind = POL_M_OIFNAME, .name = "" }, { .kind = POL_A_ACCEPT }),
	S({ .kind = POL_M_DPORTS, .num = 2, .num2 = 1 },
	    { .kind = POL_A_ACCEPT }),
	S({ .kind = POL_M_SPORTS, .num = 1, .num2 = 65536 },
	    { .kind = POL_A_ACCEPT }),
	S(NET(POL_M_DADDR_NET, 0, 0), { .kind = POL_A_ACCEPT }),
	S(NET(POL_M_SADDR_NET, AF_INET, 33), { .kind = POL_A_ACCEPT }),
	S(NET(POL_M_SADDR_NET, AF_INET6, 129), { .kind = POL_A_ACCEPT }),
	/* No packet is both. */
	S(NF(AF_INET), NF(AF_INET6)),
	S(NF(AF_INET), NET(POL_M_DADDR_NET, AF_INET6, 8)),
	S(NF(AF_INET6), { .kind = POL_M_LOOKUP, .key = POL_K_RELAY4 }),
	S(L4(IPPROTO_TCP), L4(IPPROTO_UDP)),
	S(L4(IPPROTO_UDP), { .kind = POL_A_REJECT_RST }),
	S(L4(IPPROTO_UDP), { .kind = POL_M_TCP_RST }),
	S(L4(IPPROTO_ICMPV6), { .kind = POL_M_ICMP_TYPE, .num = 3 }),
	S(L4(IPPROTO_TCP), { .kind = POL_M_ICMP_CODE, .num = 3 }),
	/* Which ICMP's? */
	S({ .kind = POL_M_ICMP_CODE, .num = 3 }, { .kind = POL_A_ACCEPT }),
	S(L4(0), { .kind = POL_A_ACCEPT }),
	/* The kernel takes neither, or for ever. */
	S({ .kind = POL_A_LIMIT }, { .kind = POL_A_ACCEPT }),
	S({ .kind = POL_A_UPDATE }, { .kind = POL_A_ACCEPT }),
	S({ .kind = POL_A_JUMP, .chain = 1 }, { .kind = POL_A_ACCEPT }),
	S({ .kind = POL_NSTMT }, { .kind = POL_A_ACCEPT }),
};
#define NSENSELESS ((int)(sizeof senseless / sizeof senseless[0]))

START_TEST(what_makes_no_sense_is_refused)
{
	ck_assert_int_eq(make(POL_F_INET, senseless[_i].stmts, 2), -1);
}
END_TEST

static const struct rule_case senseless_netdev[] = {
	S(NF(AF_INET), { .kind = POL_A_ACCEPT }),
	S(ETHER(ETHERTYPE_IP), NET(POL_M_DADDR_NET, AF_INET6, 8)),
	S(ETHER(ETHERTYPE_ARP), NET(POL_M_DADDR_NET, AF_INET, 8)),
};
#define NSENSELESS_NETDEV \
	((int)(sizeof senseless_netdev / sizeof senseless_netdev[0]))

START_TEST(what_makes_no_sense_on_a_device_is_refused)
{
	ck_assert_int_eq(make(POL_F_NETDEV, senseless_netdev[_i].stmts, 2),
	    -1);
}
END_TEST

/* The control. */
static const struct rule_case sensible[] = {
	S({ .kind = POL_M_IIFNAME, .name = "v*" }, { .kind = POL_A_ACCEPT }),
	S({ .kind = POL_M_DPORTS, .num = 1, .num2 = 1 },
	    { .kind = POL_A_ACCEPT }),
	S(NET(POL_M_SADDR_NET, AF_INET, 32), { .kind = POL_A_ACCEPT }),
	S(NET(POL_M_SADDR_NET, AF_INET6, 128), { .kind = POL_A_ACCEPT }),
	S(NF(AF_INET), NET(POL_M_DADDR_NET, AF_INET, 0)),
	S(L4(IPPROTO_TCP), { .kind = POL_A_REJECT_RST }),
	S(L4(IPPROTO_ICMP), { .kind = POL_M_ICMP_CODE, .num = 3 }),
	S(L4(IPPROTO_ICMPV6), { .kind = POL_M_ICMP_CODE, .num = 3 }),
	S({ .kind = POL_A_LIMIT, .num = 1 }, { .kind = POL_A_REJECT }),
};
#define NSENSIBLE ((int)(sizeof sensible / sizeof sensible[0]))

START_TEST(what_makes_sense_is_made)
{
	ck_assert_int_eq(make(POL_F_INET, sensible[_i].stmts, 2), 0);
}
END_TEST

START_TEST(a_relays_key_has_no_protocol)
{
	static const uint8_t four[] = { 192, 0, 2, 1, 0x23, 0x29, 0, 0 };
	static const uint8_t six[] = { 0x20, 0x01, 0x0d, 0xb8, 0, 0, 0, 0,
		0, 0, 0, 0, 0, 0, 0, 1, 0x01, 0xbb, 0, 0 };
	struct pol_addr a;
	struct nft_key k;

	ck_assert(pol_addr_parse(&a, "192.0.2.1"));
	nft_key_relay(&k, &a, 9001);
	ck_assert_uint_eq(k.len, sizeof four);
	ck_assert_mem_eq(k.oct, four, sizeof four);
	ck_assert(pol_addr_parse(&a, "2001:db8::1"));
	nft_key_relay(&k, &a, 443);
	ck_assert_uint_eq(k.len, sizeof six);
	ck_assert_mem_eq(k.oct, six, sizeof six);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("nft_expr");
	TCase *tc = tcase_create("statements");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_loop_test(tc, what_makes_no_sense_is_refused, 0,
	    NSENSELESS);
	tcase_add_loop_test(tc, what_makes_no_sense_on_a_device_is_refused, 0,
	    NSENSELESS_NETDEV);
	tcase_add_loop_test(tc, what_makes_sense_is_made, 0, NSENSIBLE);
	tcase_add_test(tc, a_relays_key_has_no_protocol);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
