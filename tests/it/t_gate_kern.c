/*
 * The gate's kernel side against a real nf_tables, in a network namespace of
 * the test's own; skipped where none can be made.
 */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/gate/install.h"
#include "supervisor/gate/nft_compile.h"
#include "supervisor/gatemsg.h"
#include "supervisor/log.h"

#define SKIPPED 77
#define NLISTENERS 700u /* more than one message's worth of elements */
#define LEASE_MS 5000u

static struct pol_listener listeners[NLISTENERS];
static struct pol_policy policy;
static struct kern kern;
static uint8_t map[POL_MAX_LISTENERS / 8];
static struct pol_addr ifaddr[POL_MAX_IFADDRS];

/* Of the first ten, and every fiftieth of all. */
enum { FLOAT4, FLOAT6, UNIX, TRANS, DNS, EVERY = 50 };

static void
at_interface(struct pol_listener *l, uint8_t number)
{
	memset(&l->addr, 0, sizeof l->addr);
	l->addr.family = policy.ifaddrs[number - 1].family;
	l->ifaddr = number;
}

static void
make_interfaces(void)
{
	policy.nifaddrs = 2;
	policy.ifaddrs[0].family = AF_INET;
	policy.ifaddrs[1].family = AF_INET6;
	ck_assert(pol_addr_parse(&ifaddr[0], "10.9.9.9"));
	ck_assert(pol_addr_parse(&ifaddr[1], "fd99::9"));
	for (unsigned i = 0; i < NLISTENERS; i += EVERY) {
		at_interface(&listeners[i + FLOAT4], 1);
		at_interface(&listeners[i + FLOAT6], 2);
	}
	memset(&listeners[UNIX].addr, 0, sizeof listeners[UNIX].addr);
	listeners[UNIX].addr.family = AF_UNIX;
	at_interface(&listeners[TRANS], 1);
	listeners[TRANS].kind = POL_TRANS;
	at_interface(&listeners[DNS], 2);
	listeners[DNS].kind = POL_DNS;
}

static void
make_policy(void)
{
	pol_policy_init(&policy);
	policy.listeners = listeners;
	policy.nlisteners = NLISTENERS;
	policy.lease_ms = LEASE_MS;
	policy.ninternal = policy.nexternal = 1;
	strcpy(policy.internal[0], "int0");
	strcpy(policy.external[0], "ext0");
	for (unsigned i = 0; i < NLISTENERS; i++) {
		ck_assert(pol_addr_parse(&listeners[i].addr,
		    i % 7 == 6 ? "fd19::10" : "10.152.152.10"));
		listeners[i].kind = POL_SOCKS;
		listeners[i].port = (uint16_t)(9000 + i);
	}
	make_interfaces();
}

static void
setup(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	make_policy();
	memset(map, 0, sizeof map);
	ck_assert_int_eq(install_look(&kern, &policy), 0);
	ck_assert_int_eq(install_tables(&kern, true), 0);
}

static void
teardown(void)
{
	install_clear(&kern);
}

static void
prove(unsigned from, unsigned to)
{
	memset(map, 0, sizeof map);
	for (unsigned i = from; i < to; i++)
		gate_map_set(map, i);
}

static int
begin_egress(void)
{
	return kern_begin_lease(&kern, POL_S_EGRESS, AF_INET);
}

static int
open_gate(bool begin)
{
	return kern_open(&kern, map, ifaddr, POL_S_GATE, begin);
}

static struct kern_held
held(void)
{
	struct kern_held h;

	ck_assert_int_eq(kern_read_held(&kern, &h), 0);
	return h;
}

START_TEST(installed_is_closed)
{
	struct kern_held h = held();

	ck_assert(!h.gate.live4 && !h.gate.live6 && !h.egress.live4);
	ck_assert_int_eq(kern_check_proven(&kern, map, ifaddr), 0);
	ck_assert_int_eq(kern_verify(&kern, true), KERN_AS_MADE);
	ck_assert(kern.boot_up);
	ck_assert(kern.netdev.up); /* all that there are: ext0 is not */
	ck_assert_uint_eq(kern.netdev.absent, 1);
}
END_TEST

START_TEST(open_and_close_are_read_back)
{
	struct kern_held h;

	prove(0, NLISTENERS);
	ck_assert_int_eq(open_gate(true), 0);
	h = held();
	ck_assert(h.gate.live4 && h.gate.live6 && !h.gate.wrong);
	ck_assert_uint_gt(h.gate.left4_ms, 0);
	ck_assert_uint_le(h.gate.left4_ms, LEASE_MS);
	ck_assert_int_eq(kern_close(&kern, false), 0);
	h = held();
	ck_assert(!h.gate.live4 && !h.gate.live6);
	ck_assert_int_eq(kern_close(&kern, false), 0);
	ck_assert_int_eq(kern_close(&kern, true), 0);
}
END_TEST

START_TEST(a_live_lease_is_not_opened_again)
{
	prove(0, 3);
	ck_assert_int_eq(open_gate(true), 0);
	ck_assert_int_eq(open_gate(true), -EEXIST);
	ck_assert_int_eq(begin_egress(), 0);
	ck_assert_int_eq(begin_egress(), -EEXIST);
	ck_assert_int_eq(kern_close_egress(&kern), 0);
	ck_assert(!held().egress.live4);
}
END_TEST

START_TEST(a_failed_batch_changes_nothing)
{
	prove(0, 3);
	ck_assert_int_eq(open_gate(true), 0);
	prove(4, 9);
	ck_assert_int_eq(open_gate(true), -EEXIST);
	ck_assert_uint_gt(kern.owner.fail_msg, 0);
	ck_assert_int_eq(kern_check_proven(&kern, map, ifaddr), -ESTALE);
	prove(0, 3);
	ck_assert_int_eq(kern_check_proven(&kern, map, ifaddr), 0);
}
END_TEST

START_TEST(updating_replaces_the_proven)
{
	prove(0, NLISTENERS);
	ck_assert_int_eq(open_gate(true), 0);
	prove(5, 6);
	ck_assert_int_eq(open_gate(false), 0);
	ck_assert_int_eq(kern_check_proven(&kern, map, ifaddr), 0);
	ck_assert_int_eq(kern_clear_proven(&kern), 0);
	ck_assert_int_eq(kern_check_proven(&kern, map, ifaddr), -ESTALE);
}
END_TEST

START_TEST(what_is_open_is_counted_as_the_kernel_holds_it)
{
	prove(0, NLISTENERS);
	ck_assert_int_eq(open_gate(true), 0);
	ck_assert_uint_eq(kern.nproven, NLISTENERS - 1); /* no Unix socket */
	prove(UNIX, UNIX + 1);
	ck_assert_int_eq(open_gate(false), 0);
	ck_assert_uint_eq(kern.nproven, 0);
	ck_assert(held().gate.live4 && held().gate.live6);
	ck_assert_int_eq(kern_clear_proven(&kern), 0);
	ck_assert_int_eq(kern_check_proven(&kern, map, ifaddr), 0);
}
END_TEST

START_TEST(another_address_takes_the_place_of_the_first)
{
	struct pol_addr before[POL_MAX_IFADDRS];

	memcpy(before, ifaddr, sizeof before);
	prove(0, NLISTENERS);
	ck_assert_int_eq(open_gate(true), 0);
	ck_assert(pol_addr_parse(&ifaddr[_i], _i == 0 ? "10.9.9.8" :
	    "fd99::8"));
	ck_assert_int_eq(kern_check_proven(&kern, map, ifaddr), -ESTALE);
	ck_assert_int_eq(open_gate(false), 0);
	ck_assert_uint_eq(kern.nproven, NLISTENERS - 1);
	ck_assert_int_eq(kern_check_proven(&kern, map, before), -ESTALE);
}
END_TEST

START_TEST(without_an_address_there_is_no_element)
{
	const unsigned floating = NLISTENERS / EVERY + 1;

	prove(0, NLISTENERS);
	ck_assert_int_eq(open_gate(true), 0);
	memset(&ifaddr[_i], 0, sizeof ifaddr[_i]);
	ck_assert_int_eq(open_gate(false), 0);
	ck_assert_uint_eq(kern.nproven, NLISTENERS - 1 - floating);
	ck_assert_int_eq(kern_check_proven(&kern, map, ifaddr), 0);
}
END_TEST

/* Numbers of messages: the batch's two brackets, and what is between. */
START_TEST(only_what_differs_is_written)
{
	uint32_t seq;

	prove(0, NLISTENERS);
	ck_assert_int_eq(open_gate(true), 0);
	seq = kern.owner.seq;
	ck_assert_int_eq(open_gate(false), 0);
	ck_assert_uint_eq(kern.owner.seq, seq); /* nothing at all */
	prove(0, NLISTENERS - 1);
	ck_assert_int_eq(open_gate(false), 0);
	ck_assert_uint_eq(kern.owner.seq, seq + 3);
	prove(1, NLISTENERS);
	ck_assert_int_eq(open_gate(false), 0);
	ck_assert_uint_eq(kern.owner.seq, seq + 3 + 4);
	ck_assert_uint_eq(kern.nproven, NLISTENERS - 2);
}
END_TEST

/* What only the owner can do, behind the back of what it believes. */
static void
flush_set(enum pol_set_id set)
{
	static _Alignas(struct nlmsghdr) uint8_t buf[3 * NFT_MSG_ROOM];
	struct nft_batch b;

	nft_batch_begin(&b, buf, sizeof buf);
	nft_elem_flush(&b, pol_table_name(POL_T_GATE), pol_set_name(set));
	nft_batch_end(&b);
	ck_assert_int_eq(nft_commit(&kern.owner, &b), 0);
}

START_TEST(a_difference_to_what_is_not_there_fails_and_is_mended)
{
	prove(0, NLISTENERS);
	ck_assert_int_eq(open_gate(true), 0);
	flush_set(POL_S_PROVEN4);
	prove(0, NLISTENERS - 1);
	ck_assert_int_ne(open_gate(false), 0);
	ck_assert_int_eq(open_gate(false), 0);
	ck_assert_int_eq(kern_check_proven(&kern, map, ifaddr), 0);
}
END_TEST

START_TEST(a_redirect_that_leads_nowhere_is_noticed)
{
	static const enum pol_set_id targets[] = { POL_S_TARGET4,
		POL_S_TARGET6 };

	prove(0, NLISTENERS);
	ck_assert_int_eq(open_gate(true), 0);
	flush_set(targets[_i]);
	ck_assert_int_eq(kern_check_proven(&kern, map, ifaddr), -ESTALE);
}
END_TEST

/* With a policy that requires time-sync. */
static void
install_sync(void)
{
	teardown();
	policy.timesync.required = true;
	ck_assert_int_eq(install_look(&kern, &policy), 0);
	ck_assert_int_eq(install_tables(&kern, true), 0);
	prove(0, 3);
}

static void
leases_are(bool gate, bool sync)
{
	struct kern_held h = held();

	ck_assert(h.gate.live4 == gate && h.gate.live6 == gate);
	ck_assert(h.sync.live4 == sync && h.sync.live6 == sync);
	ck_assert(!h.gate.wrong && !h.sync.wrong);
}

START_TEST(sync_is_a_lease_of_its_own)
{
	install_sync();
	leases_are(false, false);
	ck_assert_int_eq(kern_open(&kern, map, ifaddr, POL_S_SYNC, true), 0);
	leases_are(false, true);
	ck_assert_int_eq(kern_open(&kern, map, ifaddr, POL_S_SYNC, true),
	    -EEXIST);
	ck_assert_int_eq(kern_open(&kern, map, ifaddr, POL_S_SYNC, false), 0);
	/* An update of a lease that is not the one held is none. */
	ck_assert_int_eq(open_gate(false), -ESTALE);
}
END_TEST

/* In one transaction: what is between is nobody's to see. */
START_TEST(from_sync_to_open_and_no_further)
{
	uint32_t before, after;

	install_sync();
	ck_assert_int_eq(kern_open(&kern, map, ifaddr, POL_S_SYNC, true), 0);
	prove(0, 9);
	ck_assert_int_eq(nft_read_generation(&kern.reader, &before), 0);
	ck_assert_int_eq(open_gate(true), 0);
	ck_assert_int_eq(nft_read_generation(&kern.reader, &after), 0);
	ck_assert_uint_eq(after, before + 1);
	leases_are(true, false);
	ck_assert_int_eq(kern_check_proven(&kern, map, ifaddr), 0);
	ck_assert_int_eq(kern_open(&kern, map, ifaddr, POL_S_SYNC, false),
	    -ESTALE);
}
END_TEST

START_TEST(a_close_ends_sync_as_well)
{
	const enum pol_set_id lease = _i % 2 == 0 ? POL_S_SYNC : POL_S_GATE;
	uint32_t seq;

	install_sync();
	ck_assert_int_eq(kern_open(&kern, map, ifaddr, lease, true), 0);
	ck_assert_int_eq(begin_egress(), 0);
	seq = kern.owner.seq;
	ck_assert_int_eq(kern_close(&kern, _i / 2 == 1), 0);
	/* One message: flushes, and the batch's brackets. */
	ck_assert_uint_eq(kern.owner.seq, seq + 4 + (_i / 2 == 1));
	leases_are(false, false);
	ck_assert(held().egress.live4 == (_i / 2 == 0));
}
END_TEST

START_TEST(updating_without_a_lease_is_no_opening)
{
	prove(0, 3);
	ck_assert_int_eq(open_gate(false), -ESTALE);
}
END_TEST

START_TEST(an_element_that_never_expires_is_noticed)
{
	static _Alignas(struct nlmsghdr) uint8_t buf[4 * NFT_MSG_ROOM];
	struct nft_batch b;
	struct nft_key key;
	struct nlmsghdr *h;
	struct nlattr *list, *elem, *k;

	nft_key_family(&key, AF_INET);
	nft_batch_begin(&b, buf, sizeof buf);
	h = nft_batch_msg(&b, NFT_MSG_NEWSETELEM, NFPROTO_INET, NLM_F_CREATE);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, "portcullis");
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, "gate");
	list = mnl_attr_nest_start(h, NFTA_SET_ELEM_LIST_ELEMENTS);
	elem = mnl_attr_nest_start(h, NFTA_LIST_ELEM);
	k = mnl_attr_nest_start(h, NFTA_SET_ELEM_KEY);
	mnl_attr_put(h, NFTA_DATA_VALUE, key.len, key.oct);
	mnl_attr_nest_end(h, k);
	mnl_attr_put_u64(h, NFTA_SET_ELEM_TIMEOUT, 0);
	mnl_attr_nest_end(h, elem);
	mnl_attr_nest_end(h, list);
	nft_batch_push(&b, h);
	nft_batch_end(&b);
	ck_assert_int_eq(nft_commit(&kern.owner, &b), 0);
	ck_assert(held().gate.wrong);
	ck_assert_int_eq(kern_close(&kern, false), 0);
	ck_assert(!held().gate.wrong);
}
END_TEST

/* Change TABLE with the one socket that may: add a chain to it. */
static void
add_chain(const char *table)
{
	static _Alignas(struct nlmsghdr) uint8_t buf[4 * NFT_MSG_ROOM];
	struct nft_batch b;
	struct nlmsghdr *h;

	nft_batch_begin(&b, buf, sizeof buf);
	h = nft_batch_msg(&b, NFT_MSG_NEWCHAIN, NFPROTO_INET, NLM_F_CREATE);
	mnl_attr_put_strz(h, NFTA_CHAIN_TABLE, table);
	mnl_attr_put_strz(h, NFTA_CHAIN_NAME, "extra");
	nft_batch_push(&b, h);
	nft_batch_end(&b);
	ck_assert_int_eq(nft_commit(&kern.owner, &b), 0);
}

START_TEST(drift_of_a_vital_table_is_noticed)
{
	static const enum pol_table_id vital[] = { POL_T_GUARD, POL_T_GATE };

	add_chain(pol_table_name(vital[_i]));
	ck_assert_int_eq(kern_verify(&kern, false), KERN_DRIFT);
	ck_assert_int_eq(kern_verify(&kern, true), KERN_DRIFT);
}
END_TEST

START_TEST(drift_of_the_boot_table_is_repaired)
{
	add_chain(pol_table_name(POL_T_BOOT));
	ck_assert_int_eq(kern_verify(&kern, false), KERN_AS_MADE);
	ck_assert(kern.boot_up);
	add_chain(pol_table_name(POL_T_BOOT)); /* it is gone: no EEXIST */
	ck_assert_int_eq(kern_verify(&kern, false), KERN_AS_MADE);
}
END_TEST

START_TEST(opening_and_closing_is_no_drift)
{
	prove(0, 9);
	ck_assert_int_eq(open_gate(true), 0);
	ck_assert_int_eq(kern_verify(&kern, true), KERN_AS_MADE);
	ck_assert_int_eq(kern_close(&kern, true), 0);
	ck_assert_int_eq(kern_verify(&kern, true), KERN_AS_MADE);
}
END_TEST

START_TEST(abandoning_leaves_guard_and_boot)
{
	struct nft_table_info info;

	kern_abandon(&kern);
	ck_assert_int_eq(nft_read_table(&kern.reader, &info, POL_T_GATE), 0);
	ck_assert(!info.present);
	ck_assert_int_eq(nft_read_table(&kern.reader, &info, POL_T_BOOT), 0);
	ck_assert(info.present);
	ck_assert_int_eq(nft_read_table(&kern.reader, &info, POL_T_GUARD),
	    0);
	ck_assert(info.present == kern.persist && info.owner == 0);
}
END_TEST

START_TEST(an_abandoned_guard_is_adopted)
{
	struct nft_table_info info;

	teardown();
	ck_assert_int_eq(install_look(&kern, &policy), 0);
	ck_assert_int_eq(install_tables(&kern, false), 0);
	ck_assert_int_eq(nft_read_table(&kern.reader, &info, POL_T_GUARD),
	    0);
	ck_assert_uint_eq(info.owner, kern.owner.portid);
	ck_assert(!kern.gate6);
}
END_TEST

START_TEST(a_second_gate_is_turned_away)
{
	struct kern second;

	ck_assert_int_eq(install_look(&second, &policy), -1);
	ck_assert_int_eq(kern_verify(&kern, true), KERN_AS_MADE);
	install_clear(&second);
}
END_TEST

START_TEST(nobodys_tables_of_our_names_are_replaced)
{
	static _Alignas(struct nlmsghdr) uint8_t buf[8 * NFT_MSG_ROOM];
	struct nft_batch b;

	teardown();
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	ck_assert_int_eq(install_look(&kern, &policy), 0);
	nft_batch_begin(&b, buf, sizeof buf);
	for (unsigned i = 0; i < POL_NTABLE; i++) {
		struct pol_table empty = { .id = (enum pol_table_id)i };

		ck_assert_int_eq(nft_compile_create(&b, &empty, 0), 0);
	}
	nft_batch_end(&b);
	ck_assert_int_eq(nft_commit(&kern.owner, &b), 0);
	ck_assert_int_eq(install_tables(&kern, true), 0);
	ck_assert_int_eq(kern_verify(&kern, true), KERN_AS_MADE);
}
END_TEST

START_TEST(a_batch_that_does_not_fit_is_not_sent)
{
	static _Alignas(struct nlmsghdr) uint8_t buf[3 * NFT_MSG_ROOM];
	struct nft_batch b;

	nft_batch_begin(&b, buf, sizeof buf);
	for (int i = 0; i < 2000; i++)
		nft_elem_flush(&b, "portcullis", "gate");
	nft_batch_end(&b);
	ck_assert(b.full && !b.ended);
	ck_assert_int_eq(nft_commit(&kern.owner, &b), -E2BIG);
	nft_batch_begin(&b, buf, sizeof buf);
	nft_batch_end(&b); /* nothing in it */
	ck_assert_int_eq(nft_commit(&kern.owner, &b), -E2BIG);
}
END_TEST

START_TEST(the_kernels_refusal_is_passed_on)
{
	static _Alignas(struct nlmsghdr) uint8_t buf[3 * NFT_MSG_ROOM];
	struct nft_batch b;

	nft_batch_begin(&b, buf, sizeof buf);
	nft_elem_flush(&b, "portcullis", "gate");
	nft_elem_flush(&b, "portcullis", "no such set");
	nft_elem_flush(&b, "portcullis", "egress");
	nft_batch_end(&b);
	ck_assert_int_eq(nft_commit(&kern.owner, &b), -ENOENT);
	ck_assert_uint_eq(kern.owner.fail_msg, 2);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *s = suite_create("gate_kern");
	TCase *tc = tcase_create("kern");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, installed_is_closed);
	tcase_add_test(tc, open_and_close_are_read_back);
	tcase_add_test(tc, a_live_lease_is_not_opened_again);
	tcase_add_test(tc, a_failed_batch_changes_nothing);
	tcase_add_test(tc, updating_replaces_the_proven);
	tcase_add_test(tc, what_is_open_is_counted_as_the_kernel_holds_it);
	tcase_add_loop_test(tc, another_address_takes_the_place_of_the_first,
	    0, 2);
	tcase_add_loop_test(tc, without_an_address_there_is_no_element, 0, 2);
	tcase_add_test(tc, only_what_differs_is_written);
	tcase_add_test(tc,
	    a_difference_to_what_is_not_there_fails_and_is_mended);
	tcase_add_loop_test(tc, a_redirect_that_leads_nowhere_is_noticed, 0,
	    2);
	tcase_add_test(tc, sync_is_a_lease_of_its_own);
	tcase_add_test(tc, from_sync_to_open_and_no_further);
	tcase_add_loop_test(tc, a_close_ends_sync_as_well, 0, 4);
	tcase_add_test(tc, updating_without_a_lease_is_no_opening);
	tcase_add_test(tc, an_element_that_never_expires_is_noticed);
	tcase_add_loop_test(tc, drift_of_a_vital_table_is_noticed, 0, 2);
	tcase_add_test(tc, drift_of_the_boot_table_is_repaired);
	tcase_add_test(tc, opening_and_closing_is_no_drift);
	tcase_add_test(tc, abandoning_leaves_guard_and_boot);
	tcase_add_test(tc, an_abandoned_guard_is_adopted);
	tcase_add_test(tc, a_second_gate_is_turned_away);
	tcase_add_test(tc, nobodys_tables_of_our_names_are_replaced);
	tcase_add_test(tc, a_batch_that_does_not_fit_is_not_sent);
	tcase_add_test(tc, the_kernels_refusal_is_passed_on);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr;
	int failed;

	log_init("test", LOG_LV_ERR);
	if (geteuid() != 0 || unshare(CLONE_NEWNET) == -1) {
		printf("needs root, for network namespaces\n");
		return SKIPPED;
	}
	sr = srunner_create(make_suite());
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
