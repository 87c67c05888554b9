#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/engine/facts.h"

#define LEASE 1000
#define T0 100000 /* any time that is not near 0 */

static struct facts f;

/* Everything that OPEN needs, confirmed at T0. */
static void
setup_all(void)
{
	uint8_t map[POL_MAX_LISTENERS / 8] = { 0 };

	facts_init(&f, LEASE);
	f.epoch = 7;
	for (unsigned i = 0; i < NFACT; i++)
		if (i != FACT_LISTEN)
			facts_confirm(&f, i, T0);
	gate_map_set(map, 3);
	facts_prove(&f, map, 1, 1, T0);
}

START_TEST(nothing_known_is_closed)
{
	facts_init(&f, LEASE);
	ck_assert_int_eq(facts_position(&f, T0), GATE_CLOSED);
	ck_assert_int_eq(facts_missing(&f, T0), FACT_LINK);
	ck_assert_uint_eq(facts_bits(&f, T0), 0);
	ck_assert_uint_eq(facts_proof_ns(&f, T0), 0);
	ck_assert(facts_lapse(&f, T0) == UINT64_MAX);
}
END_TEST

START_TEST(all_facts_open)
{
	setup_all();
	ck_assert_int_eq(facts_position(&f, T0), GATE_OPEN);
	ck_assert_int_eq(facts_missing(&f, T0), NFACT);
	ck_assert_uint_eq(facts_bits(&f, T0), (1u << NFACT) - 1);
	ck_assert_str_eq(facts_reason(NFACT)->code, "open");
}
END_TEST

START_TEST(each_missing_fact_closes)
{
	enum fact fact = (enum fact)_i;

	setup_all();
	facts_drop(&f, fact);
	ck_assert_int_eq(facts_position(&f, T0),
	    fact == FACT_LINK ? GATE_CLOSED :
	    fact == FACT_TIME ? GATE_SYNC : GATE_TOR_ONLY);
	ck_assert_int_eq(facts_missing(&f, T0), fact);
	ck_assert(!facts_holds(&f, fact, T0));
}
END_TEST

/* Whatever holds and whatever does not: what each position stands for. */
START_TEST(a_position_implies_its_facts)
{
	const unsigned all = (1u << NFACT) - 1, time = 1u << FACT_TIME;
	const uint32_t nsync = (unsigned)_i & 1;
	const unsigned want = (unsigned)_i >> 1;
	uint8_t map[POL_MAX_LISTENERS / 8] = { 0x0f };
	enum gate_position pos;

	facts_init(&f, LEASE);
	for (unsigned i = 0; i < NFACT; i++)
		if ((want >> i & 1) != 0 && i != FACT_LISTEN)
			facts_confirm(&f, i, T0);
	if ((want >> FACT_LISTEN & 1) != 0)
		facts_prove(&f, map, 4, nsync, T0);
	ck_assert_uint_eq(facts_bits(&f, T0), want);
	pos = facts_position(&f, T0);
	ck_assert_int_eq(pos == GATE_OPEN, want == all);
	ck_assert_int_eq(pos == GATE_SYNC, want == (all & ~time) && nsync > 0);
	ck_assert_int_eq(pos == GATE_CLOSED, (want >> FACT_LINK & 1) == 0);
	/* Both need a proof that the gate believes. */
	if (pos == GATE_OPEN || pos == GATE_SYNC)
		ck_assert_uint_gt(facts_proof_ns(&f, T0), 0);
}
END_TEST

START_TEST(without_listeners_no_position_is_up)
{
	setup_all();
	facts_drop(&f, FACT_TIME);
	ck_assert_int_eq(facts_position(&f, T0), GATE_SYNC);
	facts_drop(&f, FACT_LISTEN);
	ck_assert_uint_eq(f.nsync, 0);
	ck_assert_int_eq(facts_position(&f, T0), GATE_TOR_ONLY);
}
END_TEST

START_TEST(each_fact_lapses)
{
	enum fact fact = (enum fact)_i;
	struct facts only;
	uint64_t until;

	setup_all();
	facts_init(&only, LEASE);
	only.at[fact] = T0;
	until = facts_lapse(&only, T0);
	ck_assert(until != UINT64_MAX);
	ck_assert(facts_holds(&only, fact, until));
	ck_assert(!facts_holds(&only, fact, until + 1));
	/* The whole is as strong as its weakest: never open beyond it. */
	ck_assert_int_ne(facts_position(&f, until + 1), GATE_OPEN);
}
END_TEST

START_TEST(a_fact_from_the_future_does_not_hold)
{
	setup_all();
	f.at[_i] = T0 + 1;
	ck_assert_int_ne(facts_position(&f, T0), GATE_OPEN);
	f.at[_i] = UINT64_MAX;
	ck_assert_int_ne(facts_position(&f, T0), GATE_OPEN);
	ck_assert(facts_holds(&f, _i, UINT64_MAX));
}
END_TEST

START_TEST(probed_facts_last_one_lease)
{
	setup_all();
	ck_assert_int_eq(facts_position(&f, T0 + LEASE), GATE_OPEN);
	ck_assert_int_eq(facts_position(&f, T0 + LEASE + 1), GATE_TOR_ONLY);
	ck_assert(facts_lapse(&f, T0) == T0 + LEASE);
}
END_TEST

START_TEST(proof_is_the_oldest_probed_fact)
{
	setup_all();
	facts_confirm(&f, FACT_ALIVE, T0 + 20);
	facts_confirm(&f, FACT_BOOT, T0 + 30);
	facts_confirm(&f, FACT_CIRCUIT, T0 + 10);
	f.at[FACT_LISTEN] = T0 + 40;
	ck_assert(facts_proof_ns(&f, T0 + 50) == (T0 + 10) * 1000000ull);
	facts_drop(&f, FACT_BOOT);
	ck_assert_uint_eq(facts_proof_ns(&f, T0 + 50), 0);
}
END_TEST

START_TEST(confirming_never_goes_back)
{
	setup_all();
	facts_confirm(&f, FACT_CONF, T0 - 5);
	ck_assert(f.at[FACT_CONF] == T0);
}
END_TEST

START_TEST(no_proven_listener_is_no_fact)
{
	uint8_t map[POL_MAX_LISTENERS / 8] = { 0 };

	setup_all();
	ck_assert(gate_map_get(f.proven, 3));
	facts_prove(&f, map, 0, 0, T0 + 1);
	ck_assert(!facts_holds(&f, FACT_LISTEN, T0 + 1));
	ck_assert(!gate_map_get(f.proven, 3));
	ck_assert_uint_eq(f.nproven, 0);
}
END_TEST

START_TEST(renewing_keeps_the_link_only)
{
	setup_all();
	facts_renew(&f, 8);
	ck_assert_uint_eq(facts_bits(&f, T0), 1u << FACT_LINK);
	ck_assert(f.epoch == 8);
	ck_assert_uint_eq(f.lease_ms, LEASE);
	ck_assert(!gate_map_get(f.proven, 3));
	ck_assert_int_eq(facts_position(&f, T0), GATE_TOR_ONLY);
}
END_TEST

START_TEST(every_fact_has_words)
{
	ck_assert_str_ne(facts_name(_i), "unknown");
	ck_assert_str_ne(facts_reason(_i)->code, "");
	ck_assert_str_ne(facts_reason(_i)->text, "");
	ck_assert_str_eq(facts_name(NFACT), "unknown");
	ck_assert_ptr_eq(facts_reason(99), facts_reason(NFACT));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("facts");
	TCase *tc = tcase_create("facts");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, nothing_known_is_closed);
	tcase_add_test(tc, all_facts_open);
	tcase_add_loop_test(tc, each_missing_fact_closes, 0, NFACT);
	tcase_add_loop_test(tc, a_position_implies_its_facts, 0,
	    2 << NFACT);
	tcase_add_test(tc, without_listeners_no_position_is_up);
	tcase_add_loop_test(tc, each_fact_lapses, 0, NFACT);
	tcase_add_loop_test(tc, a_fact_from_the_future_does_not_hold, 0,
	    NFACT);
	tcase_add_test(tc, probed_facts_last_one_lease);
	tcase_add_test(tc, proof_is_the_oldest_probed_fact);
	tcase_add_test(tc, confirming_never_goes_back);
	tcase_add_test(tc, no_proven_listener_is_no_fact);
	tcase_add_test(tc, renewing_keeps_the_link_only);
	tcase_add_loop_test(tc, every_fact_has_words, 0, NFACT);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
