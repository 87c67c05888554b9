/*
 * Lists of relays that come, go and fail.
 */
#include "config.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "supervisor/gate/nft_compile.h"
#include "tests/it/relays_rig.h"

#define MANY 10000u /* of each family */
/* Steps of one list: a few for each 32 KiB of a dump. */
#define STEPS_MOST 100000

/* As with a kernel whose sets do not say how many they hold. */
static void
setup_walking(void)
{
	setup();
	kern.relays.walks = true;
}

/* All pages; to the point where only steps are left. */
static void
send_list(uint32_t generation, uint32_t n4, uint32_t n6)
{
	uint32_t first = 0;

	do {
		make_page(generation, first, n4, n6);
		put_page();
		first += page.n;
	} while (first < n4 + n6);
}

/* Until something has come of it; false: nothing is going on. */
static bool
finish(void)
{
	bool done = false;

	for (int i = 0; i < STEPS_MOST && !done && relays_busy(&kern); i++) {
		done = relays_step(&kern);
	}
	ck_assert(!relays_busy(&kern));
	return done;
}

static void
in_force(uint32_t generation, uint32_t n4, uint32_t n6)
{
	ck_assert_uint_eq(kern.relays.generation, generation);
	ck_assert_uint_eq(kern.relays.n4, n4);
	ck_assert_uint_eq(kern.relays.n6, n6);
	ck_assert_int_eq(kern.relays.phase, RELAYS_IDLE);
	ck_assert_int_eq(kern_verify(&kern, true), KERN_AS_MADE);
}

static void
count_key(void *arg, const struct nft_key *key, const struct nft_key *data)
{
	(void)key;
	(void)data;
	++*(uint32_t *)arg;
}

static uint32_t
elements(enum pol_set_id set)
{
	uint32_t n = 0;

	ck_assert_int_eq(nft_read_keys(&kern.reader, set, count_key, &n), 0);
	return n;
}

/* What the kernel holds, whatever we think. */
static void
sets_hold(uint32_t a4, uint32_t a6, uint32_t b4, uint32_t b6)
{
	ck_assert_uint_eq(elements(POL_S_RELAYS4_A), a4);
	ck_assert_uint_eq(elements(POL_S_RELAYS6_A), a6);
	ck_assert_uint_eq(elements(POL_S_RELAYS4_B), b4);
	ck_assert_uint_eq(elements(POL_S_RELAYS6_B), b6);
}

/* "a", "b": which sets the rules name, as nft lists them. */
static bool
rules_name(const char *pair)
{
	char cmd[160];

	(void)snprintf(cmd, sizeof cmd, "test \"$(nft list chain inet "
	    "portcullis relays | grep -c '@relays[46]%s')\" = 2", pair);
	return system(cmd) == 0;
}

START_TEST(before_the_first_list_there_is_none)
{
	in_force(0, 0, 0);
	sets_hold(0, 0, 0, 0);
	ck_assert(!relays_busy(&kern));
	ck_assert(!relays_step(&kern));
	ck_assert(rules_name("a"));
}
END_TEST

START_TEST(a_list_comes_into_force_whole)
{
	make_page(1, 0, 1500, 700);
	put_page();
	ck_assert(!relays_busy(&kern));
	ck_assert_uint_eq(kern.relays.generation, 0);
	ck_assert(rules_name("a"));
	make_page(1, 1000, 1500, 700);
	put_page();
	make_page(1, 2000, 1500, 700);
	put_page();
	ck_assert(finish());
	in_force(1, 1500, 700);
	sets_hold(0, 0, 1500, 700);
	ck_assert(rules_name("b"));
}
END_TEST

/* The third has one family only, the fifth is empty. */
START_TEST(another_takes_its_place_and_empties_it)
{
	for (uint32_t i = 1; i <= 6; i++) {
		const uint32_t n4 = i == 5 ? 0 : 100 * i;
		const uint32_t n6 = i == 3 || i == 5 ? 0 : 10 * i;

		send_list(i, n4, n6);
		ck_assert(finish());
		in_force(i, n4, n6);
		ck_assert(rules_name(i % 2 != 0 ? "b" : "a"));
		if (i % 2 != 0)
			sets_hold(0, 0, n4, n6);
		else
			sets_hold(n4, n6, 0, 0);
	}
}
END_TEST

START_TEST(what_is_named_twice_counts_once)
{
	make_page(1, 0, 10, 2);
	page.pair[3] = page.pair[2];
	page.pair[11] = page.pair[10];
	put_page();
	ck_assert(finish());
	in_force(1, 9, 1);
}
END_TEST

START_TEST(a_list_that_breaks_off_changes_nothing)
{
	send_list(1, 30, 3);
	ck_assert(finish());
	make_page(2, 0, 1500, 0);
	put_page();
	relays_abandon(&kern);
	in_force(1, 30, 3);
	sets_hold(0, 0, 30, 3);
	make_page(2, 1000, 1500, 0); /* the core would not let it through */
	put_page();
	in_force(1, 30, 3);
	sets_hold(0, 0, 30, 3);
	send_list(3, 31, 4);
	ck_assert(finish());
	in_force(3, 31, 4);
}
END_TEST

START_TEST(a_first_page_ends_the_list_before)
{
	make_page(1, 0, 1500, 0);
	put_page();
	send_list(2, 7, 7);
	ck_assert(finish());
	in_force(2, 7, 7);
	sets_hold(0, 0, 7, 7);
}
END_TEST

/* _i: how far the counting has come when it is given up. */
START_TEST(a_count_that_was_given_up_disturbs_nobody)
{
	send_list(1, MANY, MANY);
	for (int i = 0; i < _i; i++)
		ck_assert(!relays_step(&kern));
	if (_i % 2 != 0)
		relays_abandon(&kern);
	send_list(2, 8, 9);
	ck_assert(finish());
	in_force(2, 8, 9);
	sets_hold(0, 0, 8, 9);
}
END_TEST

/* With the one socket that may, and behind the back of what we test. */
static struct nft_batch batch;

static void
begin(void)
{
	static _Alignas(struct nlmsghdr) uint8_t buf[4 * NFT_MSG_ROOM];

	nft_batch_begin(&batch, buf, sizeof buf);
}

static void
commit(void)
{
	nft_batch_end(&batch);
	ck_assert_int_eq(nft_commit(&kern.owner, &batch), 0);
}

/* Which not every kernel says of a set's dump. */
START_TEST(a_commit_amid_a_count_does_not_spoil_it)
{
	send_list(1, MANY, 10);
	for (int i = 0; i < 6; i++)
		ck_assert(!relays_step(&kern));
	begin();
	nft_elem_flush(&batch, "portcullis", "gate");
	commit();
	ck_assert(finish());
	in_force(1, MANY, 10);
}
END_TEST

/* Into or out of the first IPv4 set. */
static void
add_element(const struct gate_relay *r, bool remove)
{
	struct nft_adder adder = { .batch = &batch, .table = "portcullis",
		.set = pol_set_name(POL_S_RELAYS4_A), .remove = remove };
	struct pol_addr addr = { .family = AF_INET };
	struct nft_key key;

	memcpy(&addr.v4, r->addr, sizeof addr.v4);
	nft_key_relay(&key, &addr, r->port);
	nft_adder_add(&adder, &key);
	nft_adder_end(&adder);
}

static void
put_element(const struct gate_relay *r, bool remove)
{
	begin();
	add_element(r, remove);
	commit();
}

/* With what comes behind it. */
static void
fail_to_put(const struct gate_relay *r)
{
	begin();
	add_element(r, false);
	nft_elem_flush(&batch, "portcullis", "there is none such");
	nft_batch_end(&batch);
	ck_assert_int_eq(nft_commit(&kern.owner, &batch), -ENOENT);
}

/* Of the first IPv4 set. */
static int
said(uint32_t *n)
{
	return nft_read_count(&kern.reader, n, POL_S_RELAYS4_A);
}

/* Twice, taken out, in a batch that fails: none of that is counted. */
START_TEST(the_kernels_count_is_what_there_is)
{
	const struct gate_relay one = relay(1, 10, 1), two = relay(2, 10, 1);
	uint32_t n = 99;

	if (said(&n) == -EOPNOTSUPP)
		return;
	ck_assert_uint_eq(n, 0);
	put_element(&one, false);
	put_element(&one, false);
	ck_assert_int_eq(said(&n), 0);
	ck_assert_uint_eq(n, 1);
	put_element(&two, false);
	put_element(&one, true);
	fail_to_put(&one);
	ck_assert_int_eq(said(&n), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_uint_eq(elements(POL_S_RELAYS4_A), 1);
	ck_assert_int_eq(nft_read_count(&kern.reader, &n, POL_S_GATE), 0);
	ck_assert_uint_eq(n, 0);
}
END_TEST

START_TEST(more_than_was_sent_is_not_put_in_force)
{
	const struct gate_relay stranger = relay(5, 10, 99);

	send_list(1, 3, 0);
	ck_assert(finish());
	send_list(2, 4, 0);
	put_element(&stranger, false);
	ck_assert(finish());
	in_force(1, 3, 0);
	sets_hold(0, 0, 3, 0);
}
END_TEST

START_TEST(nothing_of_what_was_sent_is_not_put_in_force)
{
	const struct gate_relay only = relay(0, 1, 2);

	send_list(1, 3, 0);
	ck_assert(finish());
	send_list(2, 1, 0);
	put_element(&only, true);
	ck_assert(finish());
	in_force(1, 3, 0);
}
END_TEST

static void
delete_set(enum pol_set_id set)
{
	struct nlmsghdr *h;

	begin();
	h = nft_batch_msg(&batch, NFT_MSG_DELSET, NFPROTO_INET, 0);
	mnl_attr_put_strz(h, NFTA_SET_TABLE, "portcullis");
	mnl_attr_put_strz(h, NFTA_SET_NAME, pol_set_name(set));
	nft_batch_push(&batch, h);
	commit();
}

/* The kernel refuses to fill a set, or to count it. */
START_TEST(what_the_kernel_refuses_leaves_the_old_list)
{
	send_list(1, 20, 0);
	ck_assert(finish());
	if (_i == 0)
		delete_set(POL_S_RELAYS6_A);
	send_list(2, 20, 2);
	if (_i == 1)
		delete_set(POL_S_RELAYS6_A);
	(void)finish();
	ck_assert_uint_eq(kern.relays.generation, 1);
	ck_assert_uint_eq(kern.relays.n4, 20);
	ck_assert_uint_eq(elements(POL_S_RELAYS4_B), 20);
	ck_assert(rules_name("b"));
}
END_TEST

/* Rules elsewhere that name the sets of the pair in force, as if ours. */
static void
hold_on_to_sets(bool second)
{
	struct pol_rule rules[POL_NRELAYS_RULES];
	struct pol_ruleset rs;

	ck_assert_int_eq(pol_ruleset_make(&rs, &policy), 0);
	pol_relays_rules(rules, 0, second);
	begin();
	ck_assert_int_eq(nft_compile_chain(&batch, &rs.tables[POL_T_GATE],
	    rules, POL_NRELAYS_RULES), 0);
	commit();
	pol_ruleset_clear(&rs);
	ck_assert_int_eq(kern_seal(&kern, POL_T_GATE), 0);
}

START_TEST(an_exchange_that_the_kernel_refuses_leaves_the_old_list)
{
	send_list(1, 20, 2);
	ck_assert(finish());
	hold_on_to_sets(true);
	send_list(2, 5, 5);
	ck_assert(finish());
	ck_assert_int_eq(kern.relays.error, -EBUSY);
	in_force(1, 20, 2);
	sets_hold(0, 0, 20, 2);
	ck_assert(rules_name("b"));
}
END_TEST

START_TEST(without_a_table_nothing_is_settled)
{
	send_list(1, 20, 2);
	kern_abandon(&kern);
	(void)finish();
	ck_assert_uint_eq(kern.relays.generation, 0);
	ck_assert_int_eq(kern_verify(&kern, true), KERN_DRIFT);
}
END_TEST

static void
add_rule(const char *chain)
{
	struct nlmsghdr *h;

	begin();
	h = nft_batch_msg(&batch, NFT_MSG_NEWRULE, NFPROTO_INET,
	    NLM_F_CREATE | NLM_F_APPEND);
	mnl_attr_put_strz(h, NFTA_RULE_TABLE, "portcullis");
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN, chain);
	nft_batch_push(&batch, h);
	commit();
}

START_TEST(a_rule_that_is_not_of_the_exchange_is_drift)
{
	static const char *const chains[] = { "relays", "mark_out" };

	send_list(1, 20, 2);
	ck_assert(finish());
	add_rule(chains[_i]);
	ck_assert_int_eq(kern_verify(&kern, false), KERN_DRIFT);
}
END_TEST

/* Even one that comes together with an exchange. */
START_TEST(an_exchange_does_not_hide_drift)
{
	static const char *const chains[] = { "relays", "mark_out" };

	send_list(1, 20, 2);
	add_rule(chains[_i]);
	(void)finish();
	ck_assert_int_eq(kern_verify(&kern, true), _i == 0 ? KERN_AS_MADE :
	    KERN_DRIFT); /* of the chain that is made anew nothing is left */
	ck_assert_int_eq(system("nft list chain inet portcullis relays | "
	    "grep -c '@' | grep -qx 2"), 0);
}
END_TEST

/* Four times a lease, as the main loop would between its other work. */
static void
beat_when_due(uint64_t *due, unsigned *beats)
{
	if (now_ns() < *due)
		return;
	*due = now_ns() + LEASE_MS / 4 * NS_PER_MS;
	ck_assert_int_eq(heart_beat(&heart, AF_INET, HEART_GATE), 0);
	(*beats)++;
}

START_TEST(ten_thousand_of_each_while_the_lease_is_renewed)
{
	uint8_t map[POL_MAX_LISTENERS / 8] = { 1 };
	struct pol_addr nowhere[POL_MAX_IFADDRS] = { 0 };
	const uint64_t end = now_ns() + 3 * LEASE_MS * NS_PER_MS;
	uint64_t due = 0, since;
	uint32_t lists = 0;
	unsigned beats = 0;

	ck_assert_int_eq(kern_open(&kern, map, nowhere, POL_S_GATE, true), 0);
	while (now_ns() < end || lists < 3) {
		lists++;
		for (uint32_t at = 0; at < 2 * MANY; at += page.n) {
			make_page(lists, at, MANY, MANY);
			put_page();
			beat_when_due(&due, &beats);
		}
		do {
			beat_when_due(&due, &beats);
			since = now_ns();
			(void)relays_step(&kern);
			take_time(since);
		} while (relays_busy(&kern));
		in_force(lists, MANY, MANY);
	}
	printf("%u lists of %u pairs; longest step %llu us; %u beats\n",
	    (unsigned)lists, 2 * MANY,
	    (unsigned long long)longest_ns / 1000, beats);
}
END_TEST

START_TEST(a_policy_that_is_not_strict_has_no_sets)
{
	teardown();
	policy.tor.strict_egress = false;
	ck_assert_int_eq(install_look(&kern, &policy), 0);
	ck_assert_int_eq(install_tables(&kern, true), 0);
	ck_assert_int_ne(system("nft list sets | grep -q relays"), 0);
	ck_assert(!relays_busy(&kern));
	relays_abandon(&kern);
	in_force(0, 0, 0);
}
END_TEST

/* Whichever way the elements are counted. */
static void
add_either_way(TCase *tc)
{
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, a_list_comes_into_force_whole);
	tcase_add_test(tc, another_takes_its_place_and_empties_it);
	tcase_add_test(tc, what_is_named_twice_counts_once);
	tcase_add_test(tc, a_list_that_breaks_off_changes_nothing);
	tcase_add_test(tc, a_first_page_ends_the_list_before);
	tcase_add_test(tc, more_than_was_sent_is_not_put_in_force);
	tcase_add_test(tc, nothing_of_what_was_sent_is_not_put_in_force);
	tcase_add_loop_test(tc, what_the_kernel_refuses_leaves_the_old_list,
	    0, 2);
	tcase_add_test(tc,
	    an_exchange_that_the_kernel_refuses_leaves_the_old_list);
	tcase_add_test(tc, without_a_table_nothing_is_settled);
	tcase_add_loop_test(tc, an_exchange_does_not_hide_drift, 0, 2);
}

static TCase *
make_walking(void)
{
	TCase *tc = tcase_create("walking");

	tcase_add_checked_fixture(tc, setup_walking, teardown);
	add_either_way(tc);
	tcase_add_loop_test(tc, a_count_that_was_given_up_disturbs_nobody, 0,
	    6);
	tcase_add_test(tc, a_commit_amid_a_count_does_not_spoil_it);
	return tc;
}

static TCase *
make_asking(void)
{
	TCase *tc = tcase_create("asking");

	tcase_add_checked_fixture(tc, setup, teardown);
	add_either_way(tc);
	tcase_add_test(tc, before_the_first_list_there_is_none);
	tcase_add_test(tc, the_kernels_count_is_what_there_is);
	tcase_add_loop_test(tc, a_rule_that_is_not_of_the_exchange_is_drift,
	    0, 2);
	tcase_add_test(tc, ten_thousand_of_each_while_the_lease_is_renewed);
	tcase_add_test(tc, a_policy_that_is_not_strict_has_no_sets);
	return tc;
}

static Suite *
make_suite(void)
{
	Suite *s = suite_create("gate_relays");

	suite_add_tcase(s, make_asking());
	suite_add_tcase(s, make_walking());
	return s;
}

int
main(void)
{
	return run(make_suite());
}
