/* What Tor says of itself, as a status line tells it, and what it must not. */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/status/encode.h"
#include "tests/unit/status_line.h"
#include "tests/unit/status_sample.h"

static json_t *
encode_type(const struct status_view *v, enum status_type type)
{
	struct status_stamp st = line_stamp;
	json_t *line;
	size_t len;
	char *text;

	st.type = type;
	text = status_encode(v, &st, &len);
	ck_assert_ptr_nonnull(text);
	line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	free(text);
	return line;
}

/* 23:59:58 to 23:59:59.123; a clock set back knows no age. */
START_TEST(age_of_a_circuit_is_told_where_it_is_no_news)
{
	static const char *const want[STATUS_NTYPE] = {
		[STATUS_T_SNAPSHOT] = "1123", [STATUS_T_CHANGE] = "null",
		[STATUS_T_HEARTBEAT] = "1123", [STATUS_T_REFUSED] = "1123" };
	struct status_view v;
	json_t *line;

	sample_view(&v);
	line = encode_type(&v, (enum status_type)_i);
	line_says(line, "circuits", "built_age_ms", want[_i]);
	json_decref(line);
	(void)strcpy(v.snap.tor.built, "2027-01-31T23:59:58Z");
	line = encode_type(&v, (enum status_type)_i);
	line_says(line, "circuits", "built_age_ms", "null");
	json_decref(line);
	status_view_clear(&v);
}
END_TEST

START_TEST(what_tor_has_not_answered_is_null)
{
	struct status_view v;
	json_t *line;

	sample_view(&v);
	memset(&v.snap.tor, 0, sizeof v.snap.tor);
	line = line_at(&v, SAMPLE_NOW);
	line_says(line, "tor", "enabled", "null");
	line_says(line, "tor", "dormant", "null");
	line_says(line, "tor", "since", "null");
	line_says(line, "tor", "restarts", "0");
	line_says(line, "control", "method", "null");
	line_says(line, "bootstrap", "line", "null");
	line_says(line, "circuits", "usable", "\"unknown\"");
	line_says(line, "circuits", "built_id", "null");
	line_says(line, "consensus", "valid_until", "null");
	line_says(line, "consensus", "clock", "\"unknown\"");
	line_says(line, "clock", "timesync", "null");
	json_decref(line);
	v.snap.tor.skew_known = 1;
	v.snap.tor.skew_s = -7200;
	v.snap.tor.valid_until = INT64_MAX; /* no year of ours */
	line = line_at(&v, SAMPLE_NOW);
	line_says(line, "consensus", "skew_s", "-7200");
	line_says(line, "consensus", "valid_until", "null");
	json_decref(line);
	status_view_clear(&v);
}
END_TEST

#define BOOT "WARN BOOTSTRAP PROGRESS=10 TAG=conn_done SUMMARY=\"Connected\" "
#define FP "0123456789abcdef0123456789ABCDEF01234567"

/* Each would say to whom Tor connects; a line that does not is told. */
static const struct {
	const char *line;
	bool told;
} boot_lines[] = {
	{ BOOT "WARNING=\"No route to host\" REASON=NOROUTE COUNT=3 "
	    "RECOMMENDATION=warn", true },
	{ BOOT "HOSTID=\"" FP "\"", false },
	{ BOOT "hostaddr=\"x\"", false },
	{ BOOT "HOSTADDR=\"198.51.100.3:443\"", false },
	{ BOOT "WARNING=\"at 198.51.100.3\"", false },
	{ BOOT "WARNING=\"a198.51.100.3\"", false },
	{ BOOT "WARNING=\"[2001:db8::5]:443\"", false },
	{ BOOT "WARNING=\"$" FP "~nick\"", false },
	{ BOOT "COUNT=1.2.3", true },
};

START_TEST(line_of_bootstrap_names_nobody)
{
	struct status_view v;
	struct snapshot s;
	json_t *line, *told;

	sample_snapshot(&s);
	(void)snprintf(s.tor.boot_line, sizeof s.tor.boot_line, "%s",
	    boot_lines[_i].line);
	status_view_init(&v);
	status_view_link(&v, true);
	ck_assert(status_view_take(&v, &s, sizeof s, SAMPLE_NOW));
	line = line_at(&v, SAMPLE_NOW);
	told = json_object_get(json_object_get(line, "bootstrap"), "line");
	if (boot_lines[_i].told)
		ck_assert_str_eq(json_string_value(told),
		    boot_lines[_i].line);
	else
		ck_assert(json_is_null(told));
	json_decref(line);
	status_view_clear(&v);
}
END_TEST

/* Words of Tor's that are sentences, or worse, are none. */
START_TEST(word_of_tor_is_a_word)
{
	struct status_view v;
	struct snapshot s;
	json_t *line;

	sample_snapshot(&s);
	(void)strcpy(s.tor.boot_severity, "a b");
	(void)strcpy(s.tor.boot_reason, "198.51.100.3:443");
	(void)strcpy(s.tor.boot_recommendation, "warn");
	s.tor.boot_count = 5;
	status_view_init(&v);
	status_view_link(&v, true);
	ck_assert(status_view_take(&v, &s, sizeof s, SAMPLE_NOW));
	line = line_at(&v, SAMPLE_NOW);
	line_says(line, "bootstrap", "severity", "null");
	line_says(line, "bootstrap", "reason", "null");
	line_says(line, "bootstrap", "recommendation", "\"warn\"");
	line_says(line, "bootstrap", "count", "5");
	json_decref(line);
	status_view_clear(&v);
}
END_TEST

static const struct {
	const char *text;
	int64_t ms; /* -1: none */
} moments[] = {
	{ "1970-01-01T00:00:01Z", 1000 },
	{ "2026-01-31T23:59:59.123Z", INT64_C(1769903999123) },
	{ "2026-01-31T23:59:59", -1 },
	{ "2026-01-31T23:59:59.12Z", -1 },
	{ "2026-01-31T23:59:59.1 3Z", -1 },
	{ "2026-02-31T23:59:59Z", -1 },
	{ "2026-01-31T23:59:59Zx", -1 },
	{ " 2026-1-31T23:59:59Z", -1 },
	{ "", -1 },
};

START_TEST(moment_is_read_in_our_own_form_only)
{
	int64_t ms = -1;

	ck_assert_int_eq(status_time_parse(&ms, moments[_i].text),
	    moments[_i].ms != -1);
	ck_assert_int_eq(ms, moments[_i].ms);
}
END_TEST

#define N(table) ((int)(sizeof(table) / sizeof(table)[0]))

int
main(void)
{
	Suite *s = suite_create("status_tor");
	TCase *tc = tcase_create("tor");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, age_of_a_circuit_is_told_where_it_is_no_news,
	    0, STATUS_NTYPE);
	tcase_add_test(tc, what_tor_has_not_answered_is_null);
	tcase_add_loop_test(tc, line_of_bootstrap_names_nobody, 0,
	    N(boot_lines));
	tcase_add_test(tc, word_of_tor_is_a_word);
	tcase_add_loop_test(tc, moment_is_read_in_our_own_form_only, 0,
	    N(moments));
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
