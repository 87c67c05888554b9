/* Lines as they are made of a view, and shared. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/status/source.h"
#include "tests/unit/status_sample.h"

#define TOTAL 3

static struct status_source src;

static void
setup(void)
{
	status_source_init(&src);
}

static void
teardown(void)
{
	status_source_clear(&src);
}

/* The engine comes, with a table that nobody has been told of. */
static void
table_comes(void)
{
	struct snapshot s;
	struct snap_page page;
	uint64_t now = status_now_ns();

	sample_snapshot(&s);
	s.gate.at_ns = now;
	status_view_link(&src.view, true);
	ck_assert(status_view_take(&src.view, &s, sizeof s, now));
	sample_page(&page, TOTAL, 0, TOTAL);
	ck_assert(status_view_page(&src.view, &page, sizeof page));
	status_source_note(&src);
}

/* Who gets only the line's own octets gets a whole line. */
START_TEST(a_bare_line_is_whole_right_after_a_change)
{
	const struct status_line *line;
	json_t *json;

	table_comes();
	line = status_source_bare(&src, STATUS_T_REFUSED);
	ck_assert_uint_eq(line->own, line->len);
	json = json_loadb(line->text, line->own, JSON_DISABLE_EOF_CHECK, NULL);
	ck_assert_ptr_nonnull(json);
	ck_assert_ptr_null(json_object_get(json_object_get(json,
	    "listeners"), "table"));
	json_decref(json);
}
END_TEST

/* What was shown once and is over before it was told to all is told over. */
START_TEST(a_newcomer_hears_that_what_he_was_shown_is_over)
{
	table_comes();
	ck_assert(status_source_changed(&src));
	status_source_tell(&src);
	ck_assert(!status_source_changed(&src));
	status_view_link(&src.view, false);
	status_source_note(&src);
	if (_i == 1)
		ck_assert_ptr_nonnull(status_source_line(&src,
		    STATUS_T_SNAPSHOT, 0));
	table_comes();
	(void)status_source_changed(&src); /* as each turn of the loop asks */
	src.told.table = src.version;
	ck_assert(status_source_changed(&src) == (_i == 1));
	status_source_tell(&src);
	ck_assert(!status_source_changed(&src));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("source");
	TCase *tc = tcase_create("source");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_bare_line_is_whole_right_after_a_change);
	tcase_add_loop_test(tc, a_newcomer_hears_that_what_he_was_shown_is_over,
	    0, 2);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
