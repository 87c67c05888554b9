/*
 * The gate's decisions about position "time-sync": every way from one
 * position to another, and what a request for it may name.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/gate/core.h"
#include "tests/unit/gate_rig.h"

/* What goes with closed and tor-only: nothing. */
static void
want_plain(enum gate_position pos)
{
	const uint64_t seq = req.seq;

	memset(&req, 0, sizeof req);
	req.magic = GATE_MAGIC;
	req.seq = seq;
	req.want = pos;
}

static void
want_sync(uint64_t now)
{
	want_open(now);
	req.want = GATE_SYNC;
	memset(req.proven, 0, sizeof req.proven);
	gate_map_set(req.proven, SYNC_LISTENER);
}

static void
want(enum gate_position pos, uint64_t now)
{
	if (pos == GATE_OPEN)
		want_open(now);
	else if (pos == GATE_SYNC)
		want_sync(now);
	else
		want_plain(pos);
}

/* Believed, carried out, and there. */
static void
be(enum gate_position pos)
{
	struct gate_decision d;

	want(pos, T0);
	d = ask(T0);
	ck_assert(!core.refused && !d.drop_engine);
	if (d.act == GATE_ACT_OPEN)
		gate_core_opened(&core);
	ck_assert_int_eq(core.pos, pos);
}

/* [from][to]: what is to be done, and where it ends if that succeeds. */
static const struct {
	enum gate_act act;
	enum gate_position end;
	bool closes;
} ways[GATE_NWANT][GATE_NWANT] = {
	[GATE_CLOSED] = {
		[GATE_CLOSED] = { GATE_ACT_NONE, GATE_CLOSED, false },
		[GATE_TOR_ONLY] = { GATE_ACT_TOR_ONLY, GATE_TOR_ONLY, false },
		[GATE_SYNC] = { GATE_ACT_OPEN, GATE_SYNC, false },
		[GATE_OPEN] = { GATE_ACT_OPEN, GATE_OPEN, false },
	},
	[GATE_TOR_ONLY] = {
		[GATE_CLOSED] = { GATE_ACT_CLOSE, GATE_CLOSED, true },
		[GATE_TOR_ONLY] = { GATE_ACT_TOR_ONLY, GATE_TOR_ONLY, false },
		[GATE_SYNC] = { GATE_ACT_OPEN, GATE_SYNC, false },
		[GATE_OPEN] = { GATE_ACT_OPEN, GATE_OPEN, false },
	},
	[GATE_SYNC] = {
		[GATE_CLOSED] = { GATE_ACT_CLOSE, GATE_CLOSED, true },
		[GATE_TOR_ONLY] = { GATE_ACT_CLOSE, GATE_TOR_ONLY, true },
		[GATE_SYNC] = { GATE_ACT_RENEW, GATE_SYNC, false },
		[GATE_OPEN] = { GATE_ACT_OPEN, GATE_OPEN, false },
	},
	[GATE_OPEN] = {
		[GATE_CLOSED] = { GATE_ACT_CLOSE, GATE_CLOSED, true },
		[GATE_TOR_ONLY] = { GATE_ACT_CLOSE, GATE_TOR_ONLY, true },
		/* What is lowered is closed first; then it is asked again. */
		[GATE_SYNC] = { GATE_ACT_CLOSE, GATE_TOR_ONLY, true },
		[GATE_OPEN] = { GATE_ACT_RENEW, GATE_OPEN, false },
	},
};

START_TEST(every_way_from_one_position_to_another)
{
	static const uint8_t none[sizeof core.proven];
	const enum gate_position from = (enum gate_position)(_i / GATE_NWANT);
	const enum gate_position to = (enum gate_position)(_i % GATE_NWANT);
	uint64_t epoch;

	if (from != GATE_CLOSED)
		be(from);
	epoch = core.epoch;
	want(to, T0 + MS);
	ck_assert_int_eq(ask(T0 + MS).act, ways[from][to].act);
	ck_assert(!core.refused);
	if (ways[from][to].act == GATE_ACT_OPEN) {
		ck_assert_int_eq(core.pos, from); /* until it is confirmed */
		gate_core_opened(&core);
	}
	ck_assert_int_eq(core.pos, ways[from][to].end);
	ck_assert_uint_eq(core.epoch, epoch + ways[from][to].closes);
	ck_assert_uint_eq(core.closes, ways[from][to].closes);
	if (ways[from][to].closes)
		ck_assert_mem_eq(core.proven, none, sizeof none);
	if (core.pos != GATE_CLOSED)
		ck_assert_uint_eq(gate_core_next(&core),
		    T0 + (1 + LEASE) * MS);
}
END_TEST

START_TEST(an_opening_from_sync_that_fails_is_closed)
{
	be(GATE_SYNC);
	want_open(T0);
	ck_assert_int_eq(ask(T0).act, GATE_ACT_OPEN);
	ck_assert_int_eq(gate_core_close(&core, GATE_WHY_KERNEL).act,
	    GATE_ACT_CLOSE);
	assert_closed(EPOCH + 1, GATE_WHY_KERNEL);
}
END_TEST

START_TEST(what_was_proven_while_open_is_not_for_sync)
{
	be(GATE_OPEN);
	want_sync(T0);
	ck_assert_int_eq(ask(T0).act, GATE_ACT_CLOSE);
	ck_assert_int_eq(core.pos, GATE_TOR_ONLY);
	want_sync(T0);
	req.epoch = EPOCH;
	ck_assert_int_eq(ask(T0).act, GATE_ACT_CLOSE);
	assert_closed(EPOCH + 2, GATE_WHY_BAD_REQUEST);
	ck_assert(core.refused);
}
END_TEST

/* Doubt means closed, and not only lowered. */
START_TEST(a_stale_sync_while_open_closes)
{
	be(GATE_OPEN);
	want_sync(T0);
	ck_assert_int_eq(ask(T0 + LEASE * MS + 1).act, GATE_ACT_CLOSE);
	assert_closed(EPOCH + 1, GATE_WHY_ENGINE_LATE);
}
END_TEST

START_TEST(only_listeners_that_set_the_clock)
{
	struct gate_decision d;

	be(GATE_SYNC);
	want_sync(T0);
	gate_map_set(req.proven, _i == 0 ? 3 : NLISTENERS);
	d = ask(T0);
	ck_assert_int_eq(d.act, GATE_ACT_CLOSE);
	ck_assert(d.drop_engine);
	assert_closed(EPOCH + 1, GATE_WHY_BAD_REQUEST);
}
END_TEST

START_TEST(none_of_them_is_refused)
{
	want_sync(T0);
	memset(req.proven, 0, sizeof req.proven);
	ck_assert_int_eq(ask(T0).act, GATE_ACT_NONE);
	ck_assert(core.refused);
	ck_assert_int_eq(core.pos, GATE_CLOSED);
}
END_TEST

START_TEST(only_if_the_policy_requires_it)
{
	struct gate_decision d;

	core.timesync = false;
	want_sync(T0);
	d = ask(T0);
	ck_assert(d.drop_engine);
	assert_closed(EPOCH + 1, GATE_WHY_BAD_REQUEST);
}
END_TEST

START_TEST(bound_by_all_that_binds_open)
{
	be(GATE_SYNC);
	want_sync(T0);
	switch (_i) {
	case 0:
		req.epoch--;
		break;
	case 1:
		req.proof_ns = T0 - LEASE * MS - 1;
		break;
	case 2:
		req.proof_ns = T0 + 1;
		break;
	case 3:
		req.lease_ms = LEASE + 1;
		break;
	}
	ck_assert_int_eq(ask(T0).act, GATE_ACT_CLOSE);
	ck_assert_int_eq(core.pos, GATE_CLOSED);
	ck_assert_uint_eq(core.epoch, EPOCH + 1);
	ck_assert(core.refused);
}
END_TEST

START_TEST(silence_ends_sync)
{
	be(GATE_SYNC);
	ck_assert(gate_core_fresh(&core, T0 + LEASE * MS));
	ck_assert(!gate_core_fresh(&core, T0 + LEASE * MS + 1));
	ck_assert_int_eq(gate_core_tick(&core, T0 + LEASE * MS - 1).act,
	    GATE_ACT_NONE);
	ck_assert_int_eq(gate_core_tick(&core, T0 + LEASE * MS).act,
	    GATE_ACT_CLOSE);
	assert_closed(EPOCH + 1, GATE_WHY_ENGINE_LATE);
}
END_TEST

START_TEST(an_address_that_goes_takes_sync_with_it)
{
	want_sync(T0);
	gate_map_set(req.proven, SYNC_FLOATING);
	ck_assert(pol_addr_parse(&req.ifaddr[1], "fd00::1"));
	ck_assert_int_eq(ask(T0).act, GATE_ACT_OPEN);
	gate_core_opened(&core);
	ck_assert_int_eq(gate_core_gone(&core, 2).act, GATE_ACT_UPDATE);
	gate_core_opened(&core);
	ck_assert_int_eq(core.pos, GATE_SYNC); /* by the other one */
	want_sync(T0);
	memset(req.proven, 0, sizeof req.proven);
	gate_map_set(req.proven, SYNC_FLOATING);
	ck_assert(pol_addr_parse(&req.ifaddr[1], "fd00::1"));
	ck_assert_int_eq(ask(T0).act, GATE_ACT_UPDATE);
	gate_core_opened(&core);
	ck_assert_int_eq(gate_core_gone(&core, 2).act, GATE_ACT_CLOSE);
	assert_closed(EPOCH + 1, GATE_WHY_ADDRESS);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *s = suite_create("gate_sync");
	TCase *tc = tcase_create("sync");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, every_way_from_one_position_to_another, 0,
	    GATE_NWANT * GATE_NWANT);
	tcase_add_test(tc, an_opening_from_sync_that_fails_is_closed);
	tcase_add_test(tc, what_was_proven_while_open_is_not_for_sync);
	tcase_add_test(tc, a_stale_sync_while_open_closes);
	tcase_add_loop_test(tc, only_listeners_that_set_the_clock, 0, 2);
	tcase_add_test(tc, none_of_them_is_refused);
	tcase_add_test(tc, only_if_the_policy_requires_it);
	tcase_add_loop_test(tc, bound_by_all_that_binds_open, 0, 4);
	tcase_add_test(tc, silence_ends_sync);
	tcase_add_test(tc, an_address_that_goes_takes_sync_with_it);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr = srunner_create(make_suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
