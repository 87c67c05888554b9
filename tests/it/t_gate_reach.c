/*
 * Permits and single addresses against a real nf_tables, in a network
 * namespace of the test's own; skipped where none can be made.
 */
#include "config.h"

#include <check.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/gate/install.h"
#include "supervisor/gatemsg.h"
#include "supervisor/log.h"

#define SKIPPED 77
#define LEASE_MS 5000u

static struct pol_policy policy;
static struct kern kern;
static uint32_t seq;

/* So many commits from now on are answered so, and not carried out. */
static int answer, answers;
int __real_nft_commit(struct nft_sock *s, struct nft_batch *b);
int __wrap_nft_commit(struct nft_sock *s, struct nft_batch *b);

int
__wrap_nft_commit(struct nft_sock *s, struct nft_batch *b)
{
	if (answers == 0)
		return __real_nft_commit(s, b);
	answers--;
	return answer;
}

static void
start(bool strict)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	pol_policy_init(&policy);
	policy.lease_ms = LEASE_MS;
	policy.ninternal = policy.nexternal = 1;
	strcpy(policy.internal[0], "int0");
	strcpy(policy.external[0], "ext0");
	ck_assert(pol_addr_parse(&policy.resolver.addr, "192.0.2.53"));
	policy.ntransports = 1;
	policy.transports[0].dns = policy.transports[0].udp = true;
	policy.tor.strict_egress = strict;
	seq = 0;
	answers = 0;
	ck_assert_int_eq(install_look(&kern, &policy), 0);
	ck_assert_int_eq(install_tables(&kern, true), 0);
}

static void
setup(void)
{
	start(true);
}

static void
teardown(void)
{
	install_clear(&kern);
}

static uint32_t
live(void)
{
	struct permits_held h;

	ck_assert_int_eq(permits_read(&kern, &h), 0);
	ck_assert(!permits_wrong(&h));
	return permits_live(&h);
}

/* By netlink: the heartbeat is not for this test. */
static void
begin(uint32_t bits)
{
	static const enum pol_set_id sets[] = { POL_S_LOOKUP, POL_S_STUB,
		POL_S_UDP };

	for (unsigned i = 0; i < 3; i++)
		if ((bits >> i & 1) != 0)
			ck_assert_int_eq(kern_begin_lease(&kern, sets[i],
			    AF_INET), 0);
	kern.permits.held |= bits;
}

START_TEST(permits_end_one_by_one)
{
	begin(GATE_P_ALL);
	ck_assert_uint_eq(live(), GATE_P_ALL);
	permits_end(&kern, GATE_P_STUB);
	ck_assert_uint_eq(live(), GATE_P_LOOKUP | GATE_P_UDP);
	permits_end(&kern, GATE_P_ALL);
	ck_assert_uint_eq(live(), 0);
	ck_assert_uint_eq(kern.permits.held, 0);
}
END_TEST

START_TEST(a_lost_answer_is_asked_for_again)
{
	begin(GATE_P_LOOKUP);
	answer = -ENOBUFS;
	answers = 1;
	permits_end(&kern, GATE_P_ALL);
	ck_assert_uint_eq(live(), 0);
}
END_TEST

START_TEST(what_cannot_be_ended_is_tried_again)
{
	begin(GATE_P_LOOKUP);
	answer = -EIO;
	answers = 2;
	permits_end(&kern, GATE_P_ALL);
	ck_assert_uint_eq(live(), GATE_P_LOOKUP);
	permits_end(&kern, GATE_P_ALL);
	ck_assert_uint_eq(live(), 0);
}
END_TEST

START_TEST(closing_for_all_ends_them_and_for_clients_does_not)
{
	begin(GATE_P_ALL);
	ck_assert_int_eq(kern_close(&kern, false), 0);
	ck_assert_uint_eq(live(), GATE_P_ALL);
	ck_assert_int_eq(kern_close(&kern, true), 0);
	ck_assert_uint_eq(live(), 0);
	ck_assert_uint_eq(kern.permits.held, 0);
}
END_TEST

static struct gate_reach
make(enum gate_reacher who, uint32_t ttl_s, uint32_t n)
{
	struct gate_reach r = { .magic = GATE_REACH_MAGIC, .who = who,
		.seq = ++seq, .n = n, .ttl_s = ttl_s };

	for (uint32_t i = 0; i < n; i++) {
		r.pair[i].addr[0] = i % 2 == 0 ? 100 : 0x20;
		r.pair[i].addr[3] = (uint8_t)i;
		r.pair[i].port = 443;
		r.pair[i].v6 = i % 2;
	}
	return r;
}

static bool
put(const struct gate_reach *r)
{
	reach_put(&kern, r);
	return kern.reach.seq == r->seq;
}

static void
on_key(void *arg, const struct nft_key *key, const struct nft_key *data)
{
	(void)key;
	(void)data;
	++*(unsigned *)arg;
}

static unsigned
count(enum pol_set_id set)
{
	unsigned n = 0;

	ck_assert_int_eq(nft_read_keys(&kern.reader, set, on_key, &n), 0);
	return n;
}

static void
pause_ms(long ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	(void)nanosleep(&t, NULL);
}

START_TEST(each_goes_into_its_set)
{
	struct gate_reach r = make(GATE_REACH_TOR, 60, 5);

	ck_assert(put(&r));
	ck_assert_uint_eq(count(POL_S_REACH_TOR4), 3);
	ck_assert_uint_eq(count(POL_S_REACH_TOR6), 2);
	ck_assert_uint_eq(count(POL_S_REACH_RESOLVER4), 0);
	r = make(GATE_REACH_RESOLVER, 60, GATE_REACH_PAIRS);
	ck_assert(put(&r));
	ck_assert_uint_eq(count(POL_S_REACH_RESOLVER4),
	    GATE_REACH_PAIRS / 2);
	ck_assert_uint_eq(count(POL_S_REACH_RESOLVER6),
	    GATE_REACH_PAIRS / 2);
	ck_assert_uint_eq(count(POL_S_REACH_TOR4), 3);
}
END_TEST

START_TEST(time_ends_and_begins_anew)
{
	struct gate_reach r = make(GATE_REACH_TOR, 1, 4), more;

	ck_assert(put(&r));
	more = make(GATE_REACH_TOR, 60, 2);
	ck_assert(put(&more));
	pause_ms(1300);
	ck_assert_uint_eq(count(POL_S_REACH_TOR4), 1);
	ck_assert_uint_eq(count(POL_S_REACH_TOR6), 1);
	/* Shorter as well. */
	more = make(GATE_REACH_TOR, 1, 2);
	ck_assert(put(&more));
	pause_ms(1300);
	ck_assert_uint_eq(count(POL_S_REACH_TOR4), 0);
}
END_TEST

START_TEST(a_pair_named_twice_is_one)
{
	struct gate_reach r = make(GATE_REACH_TOR, 60, 4);

	r.pair[2] = r.pair[0];
	ck_assert(put(&r));
	ck_assert_uint_eq(count(POL_S_REACH_TOR4), 1);
	r.seq = ++seq;
	ck_assert(put(&r));
	ck_assert_uint_eq(count(POL_S_REACH_TOR4), 1);
	ck_assert_uint_eq(count(POL_S_REACH_TOR6), 2);
}
END_TEST

static struct gate_reach
others(uint32_t round)
{
	struct gate_reach r = make(GATE_REACH_TOR, 60, GATE_REACH_PAIRS);

	for (uint32_t i = 0; i < r.n; i++)
		r.pair[i].addr[2] = (uint8_t)(round + 1);
	return r;
}

START_TEST(more_than_there_is_room_for_is_refused)
{
	const uint32_t rounds = 2 * GATE_REACH_SIZE / GATE_REACH_PAIRS;
	struct gate_reach r;

	for (uint32_t i = 0; i < rounds; i++) {
		r = others(i);
		ck_assert(put(&r));
	}
	ck_assert_uint_eq(count(POL_S_REACH_TOR4), GATE_REACH_SIZE);
	r = make(GATE_REACH_TOR, 60, 1);
	ck_assert(!put(&r));
	ck_assert_uint_eq(count(POL_S_REACH_TOR4), GATE_REACH_SIZE);
	r = others(3); /* those are there */
	ck_assert(put(&r));
	r = make(GATE_REACH_RESOLVER, 60, 2);
	ck_assert(put(&r));
}
END_TEST

START_TEST(what_lapsed_meanwhile_is_looked_at_again)
{
	struct gate_reach r = make(GATE_REACH_TOR, 60, 2);

	answer = -ENOENT;
	answers = 2;
	ck_assert(put(&r));
	ck_assert_int_eq(answers, 0);
}
END_TEST

START_TEST(what_the_kernel_refuses_is_not_in_force)
{
	struct gate_reach r = make(GATE_REACH_TOR, 60, 2);

	answer = -ENOMEM;
	answers = 1;
	ck_assert(!put(&r));
	answer = 0; /* a lie is found out */
	answers = 1;
	ck_assert(!put(&r));
	ck_assert_uint_eq(count(POL_S_REACH_TOR4), 0);
	ck_assert(put(&r));
}
END_TEST

START_TEST(they_end_with_their_engine)
{
	struct gate_reach r = make(GATE_REACH_TOR, 60, 4);

	ck_assert(put(&r));
	r = make(GATE_REACH_RESOLVER, 60, 4);
	ck_assert(put(&r));
	reach_abandon(&kern);
	ck_assert_uint_eq(kern.reach.seq, 0);
	for (unsigned id = POL_S_REACH_TOR4; id <= POL_S_REACH_RESOLVER6; id++)
		ck_assert_uint_eq(count((enum pol_set_id)id), 0);
	reach_check(&kern); /* nothing is left to do */
}
END_TEST

START_TEST(what_could_not_be_ended_lets_nothing_in)
{
	struct gate_reach r = make(GATE_REACH_TOR, 60, 4);

	ck_assert(put(&r));
	answer = -EIO;
	answers = 4;
	reach_abandon(&kern); /* twice, in vain */
	r = make(GATE_REACH_TOR, 60, 2);
	ck_assert(!put(&r)); /* the same */
	ck_assert_int_eq(answers, 0);
	reach_check(&kern);
	ck_assert_uint_eq(count(POL_S_REACH_TOR4), 0);
	ck_assert(put(&r));
}
END_TEST

START_TEST(under_any_egress_they_mean_nothing)
{
	struct gate_reach r;

	start(false);
	r = make(GATE_REACH_TOR, 60, 4);
	answer = -EIO;
	answers = 1;
	ck_assert(put(&r));
	ck_assert_int_eq(answers, 1); /* the kernel was not asked */
	answers = 0;
	install_clear(&kern);
}
END_TEST

static bool
can_have_namespaces(void)
{
	return geteuid() == 0 && unshare(CLONE_NEWNET) == 0;
}

int
main(void)
{
	Suite *s = suite_create("gate_reach");
	TCase *tc = tcase_create("kernel"), *any = tcase_create("any egress");
	SRunner *sr;
	int failed;

	if (!can_have_namespaces()) {
		printf("needs root, for network namespaces\n");
		return SKIPPED;
	}
	log_init("test", LOG_LV_ERR);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, permits_end_one_by_one);
	tcase_add_test(tc, a_lost_answer_is_asked_for_again);
	tcase_add_test(tc, what_cannot_be_ended_is_tried_again);
	tcase_add_test(tc,
	    closing_for_all_ends_them_and_for_clients_does_not);
	tcase_add_test(tc, each_goes_into_its_set);
	tcase_add_test(tc, time_ends_and_begins_anew);
	tcase_add_test(tc, a_pair_named_twice_is_one);
	tcase_add_test(tc, more_than_there_is_room_for_is_refused);
	tcase_add_test(tc, what_lapsed_meanwhile_is_looked_at_again);
	tcase_add_test(tc, what_the_kernel_refuses_is_not_in_force);
	tcase_add_test(tc, they_end_with_their_engine);
	tcase_add_test(tc, what_could_not_be_ended_lets_nothing_in);
	tcase_add_test(any, under_any_egress_they_mean_nothing);
	suite_add_tcase(s, tc);
	suite_add_tcase(s, any);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
