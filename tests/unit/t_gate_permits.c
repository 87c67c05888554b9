/* Which permits the gate is to hold, and which single addresses it takes. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/policy.h"
#include "supervisor/gate/core.h"
#include "tests/unit/gate_rig.h"

static struct gate_reach reach;

static void
setup_permits(void)
{
	setup();
	core.may = GATE_P_ALL;
	memset(&reach, 0, sizeof reach);
	reach.magic = GATE_REACH_MAGIC;
	reach.seq = 1;
	reach.n = 1;
	reach.ttl_s = 60;
	reach.pair[0].addr[0] = 20;
	reach.pair[0].port = 443;
}

static struct gate_decision
want(enum gate_position pos, uint32_t permits)
{
	want_open(T0);
	req.want = pos;
	req.permits = permits;
	if (pos != GATE_OPEN) {
		req.lease_ms = 0;
		req.proof_ns = 0;
		memset(req.proven, 0, sizeof req.proven);
	}
	return ask(T0);
}

START_TEST(each_position_has_them)
{
	for (uint32_t bits = 0; bits <= GATE_P_ALL; bits++) {
		(void)want(GATE_CLOSED, bits);
		ck_assert_uint_eq(gate_core_permits(&core), bits);
		(void)want(GATE_TOR_ONLY, bits);
		ck_assert_uint_eq(gate_core_permits(&core), bits);
		ck_assert_int_eq(want(GATE_OPEN, bits).act, GATE_ACT_OPEN);
		gate_core_opened(&core);
		ck_assert_uint_eq(gate_core_permits(&core), bits);
	}
}
END_TEST

START_TEST(none_where_nothing_is_to_leave)
{
	core.nothing_closed = true;
	(void)want(GATE_CLOSED, GATE_P_ALL);
	ck_assert_uint_eq(gate_core_permits(&core), 0);
	(void)want(GATE_TOR_ONLY, GATE_P_ALL);
	ck_assert_uint_eq(gate_core_permits(&core), GATE_P_ALL);
	(void)gate_core_close(&core, GATE_WHY_ADDRESS);
	ck_assert_uint_eq(gate_core_permits(&core), 0);
}
END_TEST

START_TEST(a_close_is_the_clients_alone)
{
	be_open(T0);
	(void)want(GATE_OPEN, GATE_P_STUB);
	(void)gate_core_close(&core, GATE_WHY_ADDRESS);
	ck_assert_uint_eq(gate_core_permits(&core), GATE_P_STUB);
}
END_TEST

START_TEST(one_without_a_reason_is_no_request)
{
	const uint32_t bit = 1u << _i;
	struct gate_decision d;

	core.may = GATE_P_ALL & ~bit;
	be_open(T0);
	d = want(GATE_OPEN, bit);
	ck_assert_int_eq(d.act, GATE_ACT_CLOSE);
	ck_assert(d.drop_engine);
	assert_closed(EPOCH + 1, GATE_WHY_BAD_REQUEST);
	ck_assert_uint_eq(gate_core_permits(&core), 0);
}
END_TEST

START_TEST(a_refused_request_changes_nothing_of_them)
{
	(void)want(GATE_TOR_ONLY, GATE_P_LOOKUP);
	want_open(T0);
	req.permits = GATE_P_ALL;
	req.epoch++;
	(void)ask(T0);
	ck_assert(core.refused);
	ck_assert_uint_eq(gate_core_permits(&core), GATE_P_LOOKUP);
}
END_TEST

static void
end_engine(int how)
{
	static const uint8_t junk[3];

	core.has_engine = true;
	switch (how) {
	case 0:
		(void)gate_core_engine(&core);
		break;
	case 1:
		(void)gate_core_engine_gone(&core);
		break;
	case 2:
		(void)!gate_core_request(&core, junk, sizeof junk, T0, 0).act;
		break;
	case 3:
		for (uint32_t s = 0; s < gate_core_patience(&core); s++)
			(void)!gate_core_second(&core).act;
		break;
	}
}

START_TEST(nothing_outlives_its_engine)
{
	(void)want(GATE_TOR_ONLY, GATE_P_ALL);
	ck_assert_int_eq(gate_core_reach(&core, &reach).act, GATE_ACT_REACH);
	end_engine(_i);
	ck_assert_uint_eq(gate_core_permits(&core), 0);
	/* Another one counts from 1 again. */
	ck_assert_int_eq(gate_core_reach(&core, &reach).act, GATE_ACT_REACH);
}
END_TEST

START_TEST(single_addresses_are_taken_in_order)
{
	be_open(T0);
	for (reach.seq = 1; reach.seq < 4; reach.seq++) {
		reach.who = reach.seq % GATE_NREACHER;
		ck_assert_int_eq(gate_core_reach(&core, &reach).act,
		    GATE_ACT_REACH);
	}
	ck_assert_int_eq(core.pos, GATE_OPEN);
	ck_assert_uint_eq(core.epoch, EPOCH);
}
END_TEST

static void
break_reach(int how)
{
	switch (how) {
	case 0:
		reach.seq = 1; /* a repeat */
		break;
	case 1:
		reach.ttl_s = 0;
		break;
	case 2:
		core.may = GATE_P_UDP; /* no resolver */
		break;
	}
}

START_TEST(others_are_rejected)
{
	struct gate_decision d;

	be_open(T0);
	ck_assert_int_eq(gate_core_reach(&core, &reach).act, GATE_ACT_REACH);
	reach.seq = 2;
	reach.who = GATE_REACH_RESOLVER;
	break_reach(_i);
	d = gate_core_reach(&core, &reach);
	ck_assert_int_eq(d.act, GATE_ACT_CLOSE);
	ck_assert(d.drop_engine);
	assert_closed(EPOCH + 1, GATE_WHY_BAD_REQUEST);
}
END_TEST

START_TEST(they_are_known_by_size_and_first_word)
{
	struct { struct gate_reach r; uint8_t more; } longer = { reach, 0 };

	ck_assert(gate_core_is_reach(&reach, sizeof reach));
	ck_assert(!gate_core_is_reach(&longer, sizeof reach + 1));
	ck_assert(!gate_core_is_reach(&reach, sizeof reach - 1));
	ck_assert(!gate_core_is_page(&reach, sizeof reach));
	reach.magic = GATE_MAGIC;
	ck_assert(!gate_core_is_reach(&reach, sizeof reach));
}
END_TEST

/* Which reasons each part of a policy gives. */
START_TEST(the_policy_gives_the_reasons)
{
	static const struct {
		bool resolver, dns, udp;
		uint32_t may;
	} cases[] = {
		{ false, false, false, 0 },
		{ true, false, false, GATE_P_LOOKUP },
		{ false, true, false, 0 },
		{ true, true, false, GATE_P_LOOKUP | GATE_P_STUB },
		{ false, true, true, GATE_P_UDP },
		{ true, true, true, GATE_P_ALL },
	};
	static struct pol_policy p;
	struct gate_core c;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		memset(&p, 0, sizeof p);
		p.closed = i % 2 == 0 ? POL_CLOSED_STRICT :
		    POL_CLOSED_TOR_ALLOWED;
		p.resolver.addr.family = cases[i].resolver ? AF_INET : 0;
		p.ntransports = 2; /* the first one needs nothing */
		p.transports[1].dns = cases[i].dns;
		p.transports[1].udp = cases[i].udp;
		gate_core_init(&c, &p, EPOCH);
		ck_assert_uint_eq(c.may, cases[i].may);
		ck_assert(c.nothing_closed == (i % 2 == 0));
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("gate_permits");
	TCase *tc = tcase_create("permits");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup_permits, NULL);
	tcase_add_test(tc, each_position_has_them);
	tcase_add_test(tc, none_where_nothing_is_to_leave);
	tcase_add_test(tc, a_close_is_the_clients_alone);
	tcase_add_loop_test(tc, one_without_a_reason_is_no_request, 0, 3);
	tcase_add_test(tc, a_refused_request_changes_nothing_of_them);
	tcase_add_loop_test(tc, nothing_outlives_its_engine, 0, 4);
	tcase_add_test(tc, single_addresses_are_taken_in_order);
	tcase_add_loop_test(tc, others_are_rejected, 0, 3);
	tcase_add_test(tc, they_are_known_by_size_and_first_word);
	tcase_add_test(tc, the_policy_gives_the_reasons);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
