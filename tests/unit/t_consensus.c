#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/engine/consensus.h"

#define HOUR 3600
#define DAY (24 * HOUR)
#define T 1795332860 /* 2026-11-22 07:34:20 */

static const struct consensus ordinary = { .known = true,
	.valid_after = T, .fresh_until = T + HOUR,
	.valid_until = T + 3 * HOUR };

START_TEST(times_are_read_as_tor_writes_them)
{
	static const char *const same[] = { "2026-11-22 07:34:20",
		"2026-11-22T07:34:20", "2026-11-22T07:34:20Z",
		"2026-11-22T07:34:20.123456" };
	int64_t t = 1;

	ck_assert(consensus_time(&t, cp_str_of(same[_i])));
	ck_assert_int_eq(t, T);
}
END_TEST

START_TEST(the_edges_of_time_are_read)
{
	int64_t t;

	ck_assert(consensus_time(&t, cp_str_of("1970-01-01 00:00:00")));
	ck_assert_int_eq(t, 0);
	ck_assert(consensus_time(&t, cp_str_of("2024-02-29 23:59:59")));
	ck_assert_int_eq(t, 1709251199);
	ck_assert(consensus_time(&t, cp_str_of("2038-01-19 03:14:08")));
	ck_assert_int_eq(t, 2147483648);
}
END_TEST

static const char *const wrong[] = { "", "2026", "2026-11-22",
	"2026-11-22 07:34", "2026-11-22 07:34:2", "2026-11-22 07:34:20 ",
	"2026-11-22 07:34:200", "2026/11/22 07:34:20", "2026-11-22_07:34:20",
	"2026-13-22 07:34:20", "2026-00-22 07:34:20", "2026-11-31 07:34:20",
	"2025-02-29 07:34:20", "2026-11-22 24:00:00", "2026-11-22 07:60:00",
	"2026-11-22 07:34:60", "1969-12-31 23:59:59", "-026-11-22 07:34:20",
	"+026-11-22 07:34:20", " 026-11-22 07:34:20", "abcd-ef-gh ij:kl:mn" };
#define NWRONG (sizeof wrong / sizeof wrong[0])

START_TEST(what_is_no_time_is_none)
{
	int64_t t = 1;

	ck_assert(!consensus_time(&t, cp_str_of(wrong[_i])));
	ck_assert_int_eq(t, 0);
}
END_TEST

START_TEST(a_time_that_is_written_is_read_again)
{
	char text[32];
	int64_t t;

	consensus_format(text, sizeof text, T);
	ck_assert_str_eq(text, "2026-11-22T07:34:20Z");
	ck_assert(consensus_time(&t, cp_str_of(text)));
	ck_assert_int_eq(t, T);
	consensus_format(text, 5, T);
	ck_assert_str_eq(text, "");
	consensus_format(text, sizeof text, INT64_MAX);
	ck_assert_str_eq(text, "");
}
END_TEST

/* Tor's own bounds: a day at either end, and no second more. */
static const struct {
	int64_t now;
	enum snap_clock clock;
} cases[] = {
	{ T, SNAP_CLOCK_OK },
	{ T + 2 * HOUR, SNAP_CLOCK_OK }, /* not fresh, but valid */
	{ T + 3 * HOUR, SNAP_CLOCK_OK },
	{ T + 3 * HOUR + DAY, SNAP_CLOCK_OK },
	{ T + 3 * HOUR + DAY + 1, SNAP_CLOCK_FAST },
	{ T - 1, SNAP_CLOCK_OK },
	{ T - DAY, SNAP_CLOCK_OK },
	{ T - DAY - 1, SNAP_CLOCK_SLOW },
	{ 1, SNAP_CLOCK_SLOW },
	{ 0, SNAP_CLOCK_UNKNOWN }, /* our own is not known */
};
#define NCASES (sizeof cases / sizeof cases[0])

START_TEST(the_clock_is_judged_as_tor_judges_it)
{
	ck_assert_int_eq(consensus_clock(&ordinary, cases[_i].now),
	    cases[_i].clock);
}
END_TEST

START_TEST(without_a_consensus_there_is_no_judgement)
{
	struct consensus c = ordinary;

	c.known = false;
	ck_assert_int_eq(consensus_clock(&c, T), SNAP_CLOCK_UNKNOWN);
	c = (struct consensus){ .known = true };
	ck_assert_int_eq(consensus_clock(&c, T), SNAP_CLOCK_NONE_YET);
	c = ordinary;
	c.valid_until = 0;
	ck_assert_int_eq(consensus_clock(&c, T), SNAP_CLOCK_NONE_YET);
	c = ordinary;
	c.valid_after = 0;
	ck_assert_int_eq(consensus_clock(&c, T), SNAP_CLOCK_NONE_YET);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("consensus");
	TCase *tc = tcase_create("consensus");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, times_are_read_as_tor_writes_them, 0, 4);
	tcase_add_test(tc, the_edges_of_time_are_read);
	tcase_add_loop_test(tc, what_is_no_time_is_none, 0, (int)NWRONG);
	tcase_add_test(tc, a_time_that_is_written_is_read_again);
	tcase_add_loop_test(tc, the_clock_is_judged_as_tor_judges_it, 0,
	    (int)NCASES);
	tcase_add_test(tc, without_a_consensus_there_is_no_judgement);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
