#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/status/history.h"

#define TIME "2026-01-31T23:59:59.000Z"

static struct status_history h;

static void
setup(void)
{
	status_history_init(&h);
}

static bool
note(const char *position, const char *code, const char *text)
{
	const struct status_word w = { position, code, text };

	return status_history_note(&h, &w, TIME);
}

static json_t *
encode(void)
{
	size_t len;
	char *text = status_history_encode(&h, &len);
	json_t *all;

	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(strlen(text), len);
	all = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ck_assert(json_is_array(all));
	free(text);
	return all;
}

static const char *
member(const json_t *all, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(all, i),
	    key));
}

START_TEST(history_begins_empty)
{
	json_t *all = encode();

	ck_assert_uint_eq(json_array_size(all), 0);
	json_decref(all);
}
END_TEST

START_TEST(event_is_a_new_position_or_a_new_code)
{
	json_t *all;

	ck_assert(note("closed", "tor-gone", "one"));
	ck_assert(!note("closed", "tor-gone", "another sentence"));
	ck_assert(note("closed", "tor-hung", "two"));
	ck_assert(note("tor-only", "tor-hung", "three"));
	ck_assert(note("closed", "tor-gone", "four"));
	all = encode();
	ck_assert_uint_eq(json_array_size(all), 4);
	ck_assert_str_eq(member(all, 0, "text"), "one");
	ck_assert_str_eq(member(all, 1, "reason"), "tor-hung");
	ck_assert_str_eq(member(all, 2, "position"), "tor-only");
	ck_assert_str_eq(member(all, 3, "time"), TIME);
	json_decref(all);
}
END_TEST

/* The oldest go; the newest is last. */
START_TEST(history_is_bounded)
{
	char code[32];
	json_t *all;
	unsigned n;

	for (n = 0; n < 3 * STATUS_HISTORY_MAX + 5; n++) {
		(void)snprintf(code, sizeof code, "code-%u", n);
		ck_assert(note("closed", code, "text"));
	}
	all = encode();
	ck_assert_uint_eq(json_array_size(all), STATUS_HISTORY_MAX);
	ck_assert_str_eq(member(all, STATUS_HISTORY_MAX - 1, "reason"), code);
	(void)snprintf(code, sizeof code, "code-%u", n - STATUS_HISTORY_MAX);
	ck_assert_str_eq(member(all, 0, "reason"), code);
	json_decref(all);
}
END_TEST

START_TEST(time_that_is_not_known_is_null)
{
	const struct status_word w = { "closed", "tor-gone", "text" };
	json_t *all;

	ck_assert(status_history_note(&h, &w, ""));
	all = encode();
	ck_assert(json_is_null(json_object_get(json_array_get(all, 0),
	    "time")));
	json_decref(all);
}
END_TEST

/* What STATUS_HISTORIES_MAX counts on. */
START_TEST(longest_history_is_short)
{
	char text[SNAP_TEXT], code[32];
	size_t len;
	char *all;
	unsigned n;

	memset(text, '"', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	for (n = 0; n < STATUS_HISTORY_MAX; n++) {
		(void)snprintf(code, sizeof code, "%031u", n);
		ck_assert(note("time-sync", code, text));
	}
	all = status_history_encode(&h, &len);
	ck_assert_ptr_nonnull(all);
	ck_assert_uint_le(len, 18 * 1024);
	free(all);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("status_history");
	TCase *tc = tcase_create("history");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, history_begins_empty);
	tcase_add_test(tc, event_is_a_new_position_or_a_new_code);
	tcase_add_test(tc, history_is_bounded);
	tcase_add_test(tc, time_that_is_not_known_is_null);
	tcase_add_test(tc, longest_history_is_short);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
