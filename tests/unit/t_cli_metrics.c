#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/cli/metrics.h"
#include "tests/unit/cli_states.h"
#include "tests/unit/openmetrics.h"

/* Takes LINE. */
static char *
metrics(json_t *line)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(out);
	cli_metrics_print(out, line);
	ck_assert_int_eq(fclose(out), 0);
	json_decref(line);
	return text;
}

static void
assert_valid(const char *text, const char *what)
{
	const char *at, *fault = openmetrics_fault(text, &at);

	ck_assert_msg(fault == NULL, "%s: %s: %.80s", what, fault, at);
}

START_TEST(every_state_is_valid_text)
{
	const char *name;
	char *text;

	for (unsigned i = 0; (name = cli_state_name(i)) != NULL; i++) {
		text = metrics(cli_state_line(name));
		assert_valid(text, name);
		free(text);
	}
	text = metrics(json_object());
	ck_assert_str_eq(text, "# EOF\n");
	free(text);
}
END_TEST

static const char *const open_lines[] = {
	"portcullis_position{portcullis_position=\"open\"} 1\n",
	"portcullis_position{portcullis_position=\"closed\"} 0\n",
	"portcullis_facts{portcullis_facts=\"usable\"} 1\n",
	"portcullis_closes_total 6\n",
	"portcullis_close_duration_seconds_bucket{le=\"5e-05\"} 1\n",
	"portcullis_close_duration_seconds_bucket{le=\"0.00025\"} 4\n",
	"portcullis_close_duration_seconds_bucket{le=\"+Inf\"} 6\n",
	"portcullis_close_duration_seconds_count 6\n",
	"portcullis_close_duration_seconds_sum 0.001200\n",
	"portcullis_bootstrap_ratio 1\n",
	"portcullis_listeners{state=\"open\"} 2\n",
	"portcullis_listeners{state=\"proven\"} 1\n",
	"portcullis_drift_total 2\n",
	"portcullis_repairs_total 9\n",
	"portcullis_tor_restarts_total 2\n",
	"portcullis_hold 0\n",
	"portcullis_lease_seconds 0.812\n",
	"portcullis_circuit_built_age_seconds 30.000\n",
	"portcullis_consensus_valid_until_timestamp_seconds 1795341600\n",
	"portcullis_barrier{barrier=\"routes\"} 1\n",
	"portcullis_names{state=\"nxdomain\"} 0\n",
};
#define NOPEN ((int)(sizeof open_lines / sizeof open_lines[0]))

START_TEST(open_gate_has_the_numbers)
{
	char *text = metrics(cli_state_line("open"));

	ck_assert_msg(strstr(text, open_lines[_i]) != NULL, "%s\n%s",
	    open_lines[_i], text);
	free(text);
}
END_TEST

/* A gate of which nothing is known has no lease, not one of 0 seconds. */
START_TEST(what_is_not_known_is_left_out)
{
	static const char *const gone[] = { "portcullis_lease_seconds",
		"portcullis_facts", "portcullis_hold", "portcullis_listeners",
		"portcullis_bootstrap_ratio", "portcullis_names" };
	char *text = metrics(cli_state_line("engine-gone"));

	for (size_t i = 0; i < sizeof gone / sizeof gone[0]; i++)
		ck_assert_msg(strstr(text, gone[i]) == NULL, "%s", gone[i]);
	ck_assert_ptr_nonnull(strstr(text,
	    "{portcullis_position=\"unknown\"} 1\n"));
	ck_assert_ptr_nonnull(strstr(text, "portcullis_engine_fresh 0\n"));
	free(text);
}
END_TEST

START_TEST(part_of_a_histogram_is_none)
{
	json_t *line = cli_state_line("open");
	char *text;

	ck_assert_int_eq(json_object_del(json_object_get(json_object_get(line,
	    "firewall"), "close_us"), "500"), 0);
	text = metrics(line);
	assert_valid(text, "without a bucket");
	ck_assert_ptr_null(strstr(text, "close_duration"));
	free(text);
}
END_TEST

START_TEST(foreign_names_are_quoted)
{
	json_t *line = cli_state_line("open");
	char *text;

	ck_assert_int_eq(json_object_set_new(json_object_get(line, "facts"),
	    "a\"b\\c\n", json_true()), 0);
	text = metrics(line);
	assert_valid(text, "odd names");
	ck_assert_ptr_nonnull(strstr(text,
	    "{portcullis_facts=\"a\\\"b\\\\c?\"} 1\n"));
	free(text);
}
END_TEST

/* The reader itself: what it must refuse. */
static const char *const bad[] = {
	"",
	"# EOF",
	"# EOF\n\n",
	"# TYPE a gauge\n# EOF\n",
	"# TYPE a gauge\na 1\n",
	"# TYPE a gauge\na 1\n\n# EOF\n",
	"# TYPE a gauge\na 1\na 2\n# EOF\n",
	"# TYPE a gauge\na 1\n# TYPE a gauge\na{b=\"c\"} 1\n# EOF\n",
	"# TYPE a gauge\na x\n# EOF\n",
	"# TYPE a gauge\na  1\n# EOF\n",
	"# TYPE a gauge\na_total 1\n# EOF\n",
	"# TYPE a gauge\nb 1\n# EOF\n",
	"# TYPE a gauge\na{b=c} 1\n# EOF\n",
	"# TYPE a gauge\na{b=\"c} 1\n# EOF\n",
	"# TYPE a gauge\na{b=\"\\c\"} 1\n# EOF\n",
	"# TYPE a gauge\n# UNIT a seconds\na 1\n# EOF\n",
	"# TYPE a number\na 1\n# EOF\n",
	"# TYPE a counter\na 1\n# EOF\n",
	"# TYPE a counter\na_total -1\n# EOF\n",
	"# TYPE a stateset\na{b=\"c\"} 1\n# EOF\n",
	"# TYPE a stateset\na{a=\"c\"} 2\n# EOF\n",
	"# TYPE a gauge\na 1\n# HELP a b\n# EOF\n",
	"# TYPE a histogram\na_bucket{le=\"1\"} 1\na_count 1\na_sum 1\n# EOF\n",
	"# TYPE a histogram\na_bucket{le=\"1\"} 2\na_bucket{le=\"+Inf\"} 1\n"
	"a_count 1\na_sum 1\n# EOF\n",
	"# TYPE a histogram\na_bucket{le=\"2\"} 1\na_bucket{le=\"1\"} 1\n"
	"a_bucket{le=\"+Inf\"} 1\na_count 1\na_sum 1\n# EOF\n",
	"# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 2\na_sum 1\n"
	"# EOF\n",
	"# TYPE a histogram\na_bucket{le=\"+Inf\"} 1\na_count 1\n# EOF\n",
};
#define NBAD ((int)(sizeof bad / sizeof bad[0]))

START_TEST(reader_refuses_what_is_wrong)
{
	const char *at;

	ck_assert_msg(openmetrics_fault(bad[_i], &at) != NULL, "%s", bad[_i]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli_metrics");
	TCase *tc = tcase_create("metrics");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, every_state_is_valid_text);
	tcase_add_loop_test(tc, open_gate_has_the_numbers, 0, NOPEN);
	tcase_add_test(tc, what_is_not_known_is_left_out);
	tcase_add_test(tc, part_of_a_histogram_is_none);
	tcase_add_test(tc, foreign_names_are_quoted);
	tcase_add_loop_test(tc, reader_refuses_what_is_wrong, 0, NBAD);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
