#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/engine/sm.h"

/* Drive a fresh machine through EVENTS; the state it ends in. */
static enum sm_state
walk(const enum sm_event *events, size_t n)
{
	enum sm_state st = SM_DOWN;

	for (size_t i = 0; i < n; i++)
		(void)sm_step(&st, events[i]);
	return st;
}

static const enum sm_event to_watch[] = { EV_START, EV_LINK_UP, EV_AUTH_OK,
	EV_SETUP_OK, EV_CONF_OK };

START_TEST(the_usual_way_leads_to_watch)
{
	ck_assert_int_eq(walk(to_watch, 5), SM_WATCH);
}
END_TEST

START_TEST(doubt_leads_back_to_configure)
{
	enum sm_state st = SM_WATCH;

	ck_assert_int_eq(sm_step(&st, EV_CONF_BAD), ACT_READ);
	ck_assert_int_eq(st, SM_CONFIGURE);
	ck_assert_int_eq(sm_step(&st, EV_CONF_BAD), ACT_READ);
	ck_assert_int_eq(st, SM_CONFIGURE);
}
END_TEST

START_TEST(a_lost_link_leads_to_backoff_from_every_session_state)
{
	static const enum sm_state from[] = { SM_CONNECT, SM_AUTH, SM_SETUP,
		SM_CONFIGURE, SM_WATCH };
	enum sm_state st = from[_i];

	ck_assert_int_eq(sm_step(&st, EV_LINK_LOST), ACT_WAIT);
	ck_assert_int_eq(st, SM_BACKOFF);
	ck_assert_int_eq(sm_step(&st, EV_START), ACT_CONNECT);
	ck_assert_int_eq(st, SM_CONNECT);
}
END_TEST

START_TEST(nothing_leads_out_of_halt)
{
	enum sm_state st = SM_HALT;

	ck_assert_int_eq(sm_step(&st, _i), ACT_HALT);
	ck_assert_int_eq(st, SM_HALT);
}
END_TEST

START_TEST(authentication_cannot_be_skipped)
{
	/* SETUP, CONFIGURE and WATCH come after EV_AUTH_OK only. */
	static const enum sm_event events[] = { EV_SETUP_OK, EV_CONF_OK,
		EV_CONF_BAD };
	static const enum sm_state before[] = { SM_DOWN, SM_CONNECT, SM_AUTH,
		SM_BACKOFF };

	for (size_t s = 0; s < 4; s++) {
		enum sm_state st = before[s];

		ck_assert_int_eq(sm_step(&st, events[_i]), ACT_HALT);
		ck_assert_int_eq(st, SM_HALT);
	}
}
END_TEST

START_TEST(numbers_outside_the_tables_halt)
{
	enum sm_state st = SM_NSTATES;

	ck_assert_int_eq(sm_step(&st, EV_START), ACT_HALT);
	ck_assert_int_eq(st, SM_HALT);
	st = SM_WATCH;
	ck_assert_int_eq(sm_step(&st, EV_NEVENTS), ACT_HALT);
	ck_assert_int_eq(st, SM_HALT);
}
END_TEST

START_TEST(every_state_and_event_has_a_name)
{
	for (unsigned i = 0; i < SM_NSTATES; i++)
		ck_assert_str_ne(sm_name(i), "?");
	for (unsigned i = 0; i < EV_NEVENTS; i++)
		ck_assert_str_ne(sm_event_name(i), "?");
	ck_assert_str_eq(sm_name(SM_NSTATES), "?");
	ck_assert_str_eq(sm_event_name(EV_NEVENTS), "?");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("sm");
	TCase *tc = tcase_create("sm");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, the_usual_way_leads_to_watch);
	tcase_add_test(tc, doubt_leads_back_to_configure);
	tcase_add_loop_test(tc,
	    a_lost_link_leads_to_backoff_from_every_session_state, 0, 5);
	tcase_add_loop_test(tc, nothing_leads_out_of_halt, 0, EV_NEVENTS);
	tcase_add_loop_test(tc, authentication_cannot_be_skipped, 0, 3);
	tcase_add_test(tc, numbers_outside_the_tables_halt);
	tcase_add_test(tc, every_state_and_event_has_a_name);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
