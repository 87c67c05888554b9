/*
 * The gate's decisions about listeners on interfaces' addresses.  What the
 * interfaces have is whatever the test says that the gate has seen.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/gate/core.h"
#include "tests/unit/gate_rig.h"

/* The listeners on the first interface as well, which has TEXT. */
static void
want_at(uint64_t now, const char *text)
{
	want_open(now);
	ck_assert(pol_addr_parse(&req.ifaddr[0], text));
	gate_map_set(req.proven, 6);
	gate_map_set(req.proven, 7);
}

static bool
asks(void)
{
	struct pol_addr out[POL_MAX_IFADDRS];

	if (!gate_core_asks(&core, &req, sizeof req, out))
		return false;
	for (size_t i = 0; i < POL_MAX_IFADDRS; i++)
		ck_assert(pol_addr_equal(&out[i], &req.ifaddr[i]));
	return true;
}

static void
assert_refused(uint64_t now)
{
	struct gate_decision d = ask(now);

	ck_assert_int_eq(d.act, GATE_ACT_NONE);
	ck_assert(!d.drop_engine);
	ck_assert(core.refused);
	ck_assert_int_eq(core.pos, GATE_CLOSED);
}

START_TEST(a_new_address_is_asked_for_once)
{
	want_open(T0);
	ck_assert(!asks()); /* no address: nothing to ask */
	want_at(T0, "10.0.0.1");
	ck_assert(asks());
	ck_assert_int_eq(ask(T0).act, GATE_ACT_OPEN);
	gate_core_opened(&core);
	missing = 1; /* not looked at any more */
	want_at(T0, "10.0.0.1");
	ck_assert(!asks());
	ck_assert_int_eq(ask(T0).act, GATE_ACT_RENEW);
	want_at(T0, "10.0.0.2");
	ck_assert(asks());
}
END_TEST

/* Only the listeners on the first interface. */
static void
want_only_at(uint64_t now, const char *text)
{
	want_at(now, text);
	memset(req.proven, 0, sizeof req.proven);
	gate_map_set(req.proven, 6);
	gate_map_set(req.proven, 7);
}

static void
assert_without_first(void)
{
	ck_assert(!core.refused);
	ck_assert(gate_map_get(core.proven, 3));
	ck_assert(!gate_map_get(core.proven, 6));
	ck_assert(!gate_map_get(core.proven, 7));
	ck_assert_int_eq(core.ifaddr[0].family, 0);
}

START_TEST(an_address_that_is_not_there_costs_its_listeners_only)
{
	missing = 1;
	want_at(T0, "10.0.0.1");
	ck_assert_int_eq(ask(T0).act, GATE_ACT_OPEN);
	assert_without_first();
	gate_core_opened(&core);
	/* Claimed again: looked at again, and nothing new for the kernel. */
	want_at(T0 + 5 * MS, "10.0.0.1");
	ck_assert(asks());
	ck_assert_int_eq(ask(T0 + 5 * MS).act, GATE_ACT_RENEW);
	ck_assert_uint_eq(core.proof_ns, T0 + 5 * MS);
	assert_without_first();
	missing = 0;
	ck_assert_int_eq(ask(T0 + 5 * MS).act, GATE_ACT_UPDATE);
	ck_assert(gate_map_get(core.proven, 6));
	ck_assert(gate_map_get(core.proven, 7));
}
END_TEST

START_TEST(one_missing_address_leaves_the_other)
{
	want_at(T0, "10.0.0.1");
	ck_assert(pol_addr_parse(&req.ifaddr[1], "fd00::1"));
	gate_map_set(req.proven, 8);
	missing = 1;
	ck_assert_int_eq(ask(T0).act, GATE_ACT_OPEN);
	assert_without_first();
	ck_assert(gate_map_get(core.proven, 8));
	ck_assert(pol_addr_equal(&core.ifaddr[1], &req.ifaddr[1]));
}
END_TEST

START_TEST(nothing_but_what_is_missing_is_refused)
{
	missing = 1;
	want_only_at(T0, "10.0.0.1");
	assert_refused(T0);
	missing = 0;
	be_open(T0);
	missing = 1;
	want_only_at(T0, "10.0.0.1");
	ck_assert_int_eq(ask(T0).act, GATE_ACT_CLOSE);
	ck_assert(core.refused);
	assert_closed(EPOCH + 1, GATE_WHY_ADDRESS);
}
END_TEST

START_TEST(another_address_updates)
{
	want_at(T0, "10.0.0.1");
	ck_assert_int_eq(ask(T0).act, GATE_ACT_OPEN);
	gate_core_opened(&core);
	want_at(T0, "10.0.0.2");
	ck_assert_int_eq(ask(T0).act, GATE_ACT_UPDATE);
	ck_assert(pol_addr_equal(&core.ifaddr[0], &req.ifaddr[0]));
	want_open(T0); /* and none at all */
	missing = 1;
	ck_assert(!asks());
	ck_assert_int_eq(ask(T0).act, GATE_ACT_UPDATE);
	ck_assert_int_eq(core.ifaddr[0].family, 0);
}
END_TEST

START_TEST(a_listener_proven_nowhere_is_refused)
{
	static const unsigned on[] = { 6, 7, 8 };

	want_open(T0);
	gate_map_set(req.proven, on[_i]);
	assert_refused(T0);
}
END_TEST

START_TEST(what_is_asked_for_is_a_request)
{
	struct pol_addr out[POL_MAX_IFADDRS];

	want_at(T0, "10.0.0.1");
	ck_assert(asks());
	ck_assert(!gate_core_asks(&core, &req, sizeof req - 1, out));
	req.magic ^= 1;
	ck_assert(!asks());
	want_at(T0, "10.0.0.1");
	req.want = GATE_TOR_ONLY;
	ck_assert(!asks());
}
END_TEST

START_TEST(a_closed_gate_remembers_no_address)
{
	want_at(T0, "10.0.0.1");
	ck_assert_int_eq(ask(T0).act, GATE_ACT_OPEN);
	gate_core_opened(&core);
	(void)gate_core_close(&core, GATE_WHY_KERNEL);
	want_at(T0, "10.0.0.1");
	ck_assert(asks());
}
END_TEST

START_TEST(a_lost_address_takes_its_listeners_only)
{
	want_at(T0, "10.0.0.1");
	ck_assert_int_eq(ask(T0).act, GATE_ACT_OPEN);
	gate_core_opened(&core);
	ck_assert_int_eq(gate_core_gone(&core, 2).act, GATE_ACT_NONE);
	ck_assert_int_eq(gate_core_gone(&core, ~1u).act, GATE_ACT_NONE);
	ck_assert_int_eq(gate_core_gone(&core, 1).act, GATE_ACT_UPDATE);
	ck_assert_int_eq(core.pos, GATE_OPEN);
	ck_assert(gate_map_get(core.proven, 3));
	ck_assert(!gate_map_get(core.proven, 6));
	ck_assert(!gate_map_get(core.proven, 7));
	ck_assert_int_eq(gate_core_gone(&core, 1).act, GATE_ACT_NONE);
	/* The engine has not heard of it yet: the others do not suffer. */
	want_at(T0, "10.0.0.1");
	ck_assert(asks());
	missing = 1;
	ck_assert_int_eq(ask(T0).act, GATE_ACT_RENEW);
	assert_without_first();
}
END_TEST

START_TEST(losing_the_last_listeners_address_closes)
{
	want_at(T0, "10.0.0.1");
	memset(req.proven, 0, sizeof req.proven);
	gate_map_set(req.proven, 6);
	ck_assert_int_eq(ask(T0).act, GATE_ACT_OPEN);
	ck_assert_int_eq(gate_core_gone(&core, 2).act, GATE_ACT_NONE);
	gate_core_opened(&core);
	ck_assert_int_eq(gate_core_gone(&core, 1).act, GATE_ACT_CLOSE);
	assert_closed(EPOCH + 1, GATE_WHY_ADDRESS);
	ck_assert_int_eq(gate_core_gone(&core, 1).act, GATE_ACT_NONE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("gate_address");
	TCase *tc = tcase_create("address");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_new_address_is_asked_for_once);
	tcase_add_test(tc,
	    an_address_that_is_not_there_costs_its_listeners_only);
	tcase_add_test(tc, one_missing_address_leaves_the_other);
	tcase_add_test(tc, nothing_but_what_is_missing_is_refused);
	tcase_add_test(tc, another_address_updates);
	tcase_add_loop_test(tc, a_listener_proven_nowhere_is_refused, 0, 3);
	tcase_add_test(tc, what_is_asked_for_is_a_request);
	tcase_add_test(tc, a_closed_gate_remembers_no_address);
	tcase_add_test(tc, a_lost_address_takes_its_listeners_only);
	tcase_add_test(tc, losing_the_last_listeners_address_closes);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
