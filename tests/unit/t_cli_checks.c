#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "supervisor/cli/checks.h"
#include "supervisor/cli/explain.h"
#include "tests/unit/cli_states.h"

#define NO_AGE UINT64_MAX

/* The codes of one state, in the order of enum cli_check. */
static const struct {
	const char *state;
	int code[CLI_NCHECK];
	int all;
} wants[] = {
	/* clang-format off */
	/*		   run ctl ena cfg res tra con clo boo cir usa lis fw */
	{ "open",	 { 0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, 0 }, 0 },
	{ "engine-gone", { 254, 254, 254, 254, 254, 254, 254, 254, 254, 254,
			   254, 254, 254 }, 254 },
	{ "tor-down",	 { 4,  4,  4,  4,  0,  0,  4,  0,  4,  4,  4,  4, 0 }, 4 },
	{ "auth-refused", { 5, 5,  5,  5,  0,  0,  5,  0,  5,  5,  5,  5, 0 }, 5 },
	{ "tor-hung",	 { 0,  1,  1,  1,  0,  0,  1,  0,  1,  1,  1,  1, 0 }, 1 },
	{ "disabled",	 { 0,  0,  3,  1,  0,  0,  3,  0,  3,  3,  3,  0, 0 }, 3 },
	{ "starting-0",	 { 0,  0,  0,  0,  0,  0,  1,  0,  1,  1,  1,  0, 0 }, 1 },
	{ "starting-5",	 { 0,  0,  0,  0,  0,  0,  1,  0,  1,  1,  1,  0, 0 }, 1 },
	{ "starting-10", { 0,  0,  0,  0,  0,  0,  1,  0,  1,  1,  1,  0, 0 }, 1 },
	{ "starting-30", { 0,  0,  0,  0,  0,  0,  1,  0,  1,  1,  1,  0, 0 }, 1 },
	{ "starting-50", { 0,  0,  0,  0,  0,  0,  0,  0,  1,  1,  1,  0, 0 }, 1 },
	{ "starting-95", { 0,  0,  0,  0,  0,  0,  0,  0,  1,  1,  1,  0, 0 }, 1 },
	{ "stalled",	 { 0,  0,  0,  0,  0,  0,  1,  0,  1,  1,  1,  0, 0 }, 1 },
	{ "unusable",	 { 0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  1,  0, 0 }, 1 },
	{ "dormant",	 { 0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, 0 }, 0 },
	{ "held",	 { 0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, 6 }, 6 },
	{ "fight",	 { 0,  0,  0,  1,  0,  0,  0,  0,  0,  0,  0,  0, 0 }, 1 },
	{ "refused",	 { 0,  0,  0,  7,  0,  0,  0,  0,  0,  0,  0,  0, 0 }, 7 },
	{ "foreign",	 { 0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  9, 0 }, 9 },
	{ "alarm",	 { 0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  9, 0 }, 9 },
	{ "clock-slow",	 { 0,  0,  0,  0,  0,  0, 11, 11,  0,  0,  0,  0, 0 }, 11 },
	{ "clock-skewed", { 0, 0,  0,  0,  0,  0,  0, 11,  0,  0,  0,  0, 0 }, 11 },
	{ "timesync",	 { 0,  0,  0,  0,  0,  0,  0,  6,  0,  0,  0,  0, 6 }, 6 },
	{ "nxdomain",	 { 0,  0,  0,  0,  8,  0,  1,  0,  1,  1,  1,  0, 0 }, 8 },
	{ "transport-dies", { 0, 0, 0, 0,  0,  1,  0,  0,  0,  0,  0,  0, 0 }, 1 },
	{ "proxy-refuses", { 0, 0, 0,  0,  0,  1,  0,  0,  0,  0,  0,  0, 0 }, 1 },
	{ "forwarding",	 { 0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, 10 }, 10 },
	{ "gate-fault",	 { 0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, 10 }, 10 },
	{ "unread",	 { 0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0,  0, 254 }, 254 },
	/* clang-format on */
};
#define NWANTS ((int)(sizeof wants / sizeof wants[0]))

static void
assert_sentence(const char *text)
{
	size_t n = strlen(text);

	ck_assert_uint_gt(n, 3);
	ck_assert_uint_le(n, 255);
	ck_assert_msg(text[n - 1] == '.', "%s", text);
	ck_assert_msg(strpbrk(text, "<>&\"'") == NULL, "%s", text);
	for (; *text != '\0'; text++)
		ck_assert(*text >= 0x20 && *text <= 0x7e);
}

START_TEST(each_check_ends_as_the_state_is)
{
	json_t *line = cli_state_line(wants[_i].state);
	struct cli_finding f[CLI_NCHECK], sum;

	cli_check_all(f, &sum, line, NO_AGE);
	for (unsigned i = 0; i < CLI_NCHECK; i++) {
		ck_assert_msg((int)f[i].code == wants[_i].code[i],
		    "%s in %s: %d, not %d: %s", cli_check_name(i),
		    wants[_i].state, (int)f[i].code, wants[_i].code[i],
		    f[i].text);
		assert_sentence(f[i].text);
	}
	ck_assert_int_eq((int)sum.code, wants[_i].all);
	assert_sentence(sum.text);
	json_decref(line);
}
END_TEST

START_TEST(every_state_is_looked_at)
{
	const char *name;
	int n;

	for (unsigned i = 0; (name = cli_state_name(i)) != NULL; i++) {
		for (n = 0; n < NWANTS; n++)
			if (strcmp(wants[n].state, name) == 0)
				break;
		ck_assert_msg(n < NWANTS, "%s", name);
	}
}
END_TEST

/* Our lines are to be such as there are: tests/style/schema.sh reads them. */
START_TEST(states_are_left_for_the_schema)
{
	const char *build = getenv("top_builddir"), *name;
	char path[512];
	json_t *line;
	FILE *out;

	if (build == NULL)
		return;
	(void)snprintf(path, sizeof path, "%s/tests/lines", build);
	(void)mkdir(path, 0755); /* it may be there; fopen() tells */
	(void)snprintf(path, sizeof path, "%s/tests/lines/cli_states", build);
	out = fopen(path, "we");
	ck_assert_ptr_nonnull(out);
	for (unsigned i = 0; (name = cli_state_name(i)) != NULL; i++) {
		line = cli_state_line(name);
		ck_assert_int_eq(json_dumpf(line, out, JSON_COMPACT), 0);
		(void)fputc('\n', out);
		json_decref(line);
	}
	ck_assert_int_eq(fclose(out), 0);
}
END_TEST

/* An empty line, and one of the wrong types, are never well. */
START_TEST(nothing_known_is_nothing_well)
{
	static const char *const lines[] = { "{}", "[]",
		"{\"engine\":{\"fresh\":true}}",
		"{\"engine\":{\"fresh\":true},\"tor\":7,\"control\":"
		"{\"authenticated\":\"yes\"},\"uplink\":[],\"listeners\":0,"
		"\"firewall\":{\"known\":1,\"barriers\":[]}}" };
	struct cli_finding f[CLI_NCHECK], sum;
	json_t *line = json_loads(lines[_i], 0, NULL);

	ck_assert_ptr_nonnull(line);
	cli_check_all(f, &sum, line, NO_AGE);
	for (unsigned i = 0; i < CLI_NCHECK; i++) {
		ck_assert_msg(f[i].code != CLI_OK, "%s", cli_check_name(i));
		assert_sentence(f[i].text);
	}
	json_decref(line);
}
END_TEST

/* While it is held, nothing shows any more that circuits carry traffic. */
START_TEST(a_hold_comes_before_what_it_hides)
{
	json_t *line = cli_state_line("held");
	struct cli_finding f[CLI_NCHECK], sum;

	json_object_set_new(json_object_get(line, "circuits"), "usable",
	    json_string("unknown"));
	cli_check_all(f, &sum, line, NO_AGE);
	ck_assert_int_eq((int)f[CLI_C_USABLE].code, CLI_UNKNOWN);
	ck_assert_int_eq((int)sum.code, CLI_POLICY);
	ck_assert_ptr_nonnull(strstr(sum.text, "an operator holds the gate"));
	ck_assert_str_eq(sum.hint, "Release it with: portcullis release");
	json_decref(line);
}
END_TEST

/* A firewall that stands says nothing of a position that nobody knows. */
START_TEST(firewall_is_not_well_without_a_position)
{
	static const char *const odd[] = { "unknown", "ajar" };
	json_t *line = cli_state_line("open");
	struct cli_finding f;

	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(json_object_set_new(line, "position",
		    json_string(odd[i])), 0);
		cli_check_make(&f, CLI_C_FIREWALL, line, NO_AGE);
		ck_assert_int_eq(f.code, CLI_UNKNOWN);
	}
	json_decref(line);
}
END_TEST

/* Sums and signs of such numbers would not be numbers. */
START_TEST(numbers_beyond_reason_are_none)
{
	json_t *line = cli_state_line("open");
	json_int_t n;
	struct cli_finding f;

	ck_assert_int_eq(json_object_set_new(json_object_get(line,
	    "consensus"), "skew_s", json_integer(INT64_MIN)), 0);
	ck_assert_int_eq(json_object_set_new(json_object_get(line,
	    "listeners"), "total", json_integer(INT64_MAX)), 0);
	ck_assert_int_eq(json_object_set_new(json_object_get(line,
	    "listeners"), "proven", json_integer(-2)), 0);
	cli_check_make(&f, CLI_C_CLOCK, line, NO_AGE);
	cli_check_make(&f, CLI_C_LISTENERS, line, NO_AGE);
	ck_assert_int_ne(f.code, CLI_OK);
	ck_assert(!cli_field_number(&n, json_object_get(json_object_get(line,
	    "consensus"), "skew_s")));
	ck_assert_int_eq(n, 0);
	json_decref(line);
}
END_TEST

START_TEST(age_bounds_what_counts_as_usable)
{
	json_t *line = cli_state_line("open");
	struct cli_finding f;

	cli_check_make(&f, CLI_C_USABLE, line, 30000);
	ck_assert_int_eq(f.code, CLI_OK);
	cli_check_make(&f, CLI_C_USABLE, line, 29999);
	ck_assert_int_eq(f.code, CLI_FAILED);
	ck_assert_int_eq(json_object_set_new(json_object_get(line,
	    "circuits"), "built_age_ms", json_null()), 0);
	cli_check_make(&f, CLI_C_USABLE, line, 1000000);
	ck_assert_int_eq(f.code, CLI_FAILED);
	cli_check_make(&f, CLI_C_USABLE, line, NO_AGE);
	ck_assert_int_eq(f.code, CLI_OK);
	json_decref(line);
}
END_TEST

START_TEST(foreign_words_cannot_leave_the_sentence)
{
	json_t *line = cli_state_line("nxdomain");
	json_t *name = json_array_get(json_object_get(json_object_get(line,
	    "uplink"), "names"), 0);
	struct cli_finding f;

	ck_assert_int_eq(json_object_set_new(name, "name",
	    json_string("<b>'a'\"&\n\033[1m")), 0);
	cli_check_make(&f, CLI_C_RESOLVER, line, NO_AGE);
	ck_assert_int_eq(f.code, CLI_NO_NAME);
	ck_assert_str_eq(f.text,
	    "The name _b_a_??[1m does not resolve: nxdomain.");
	json_decref(line);
}
END_TEST

START_TEST(names_are_found_both_ways)
{
	for (unsigned i = 0; i < CLI_NCHECK; i++)
		ck_assert_uint_eq(cli_check_of(cli_check_name(i)), i);
	ck_assert_uint_eq(cli_check_of("isolation"), CLI_NCHECK);
	ck_assert_ptr_null(cli_check_name(CLI_NCHECK));
}
END_TEST

/* --- explain -------------------------------------------------------------- */

/* What PRINT makes of the state NAME. */
static char *
explained(const char *name)
{
	json_t *line = cli_state_line(name);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(out);
	cli_explain_print(out, line, false);
	ck_assert_int_eq(fclose(out), 0);
	json_decref(line);
	return text;
}

static const struct {
	const char *state, *text;
} explanations[] = {
	{ "open", "The gate is open: traffic goes through Tor.\n"
	    "Tor is proven to carry the traffic.\n" },
	{ "engine-gone", "It is not known whether the gate is open.\n"
	    "The engine is not running, so nobody can tell the position.\n"
	    "It is started again by itself.\n" },
	{ "held", "The gate is closed: only Tor itself may connect.\n"
	    "The operator holds the gate closed.\n"
	    "Release it with: portcullis release\n"
	    "\n"
	    "What it lacks to open, the cause of the others first:\n"
	    "  free           An operator holds the gate closed.\n"
	    "                 Release it with: portcullis release\n" },
	{ "unusable", "The gate is closed: only Tor itself may connect.\n"
	    "Nothing shows that it carries traffic.\n"
	    "Check the uplink.\n"
	    "\n"
	    "What it lacks to open, the cause of the others first:\n"
	    "  usable         Nothing shows that the circuits of Tor carry "
	    "traffic.\n"
	    "                 Check the uplink.\n" },
	{ "starting-50", "The gate is closed: only Tor itself may connect.\n"
	    "Tor is connecting to its network.\n"
	    "\n"
	    "What it lacks to open, the cause of the others first:\n"
	    "  bootstrap      Tor has bootstrapped 50 % "
	    "(loading_descriptors).\n"
	    "                 Wait.\n"
	    "  circuit        Tor has not established a circuit.\n"
	    "                 Wait; if it stays so, check the uplink.\n"
	    "  usable         Nothing shows that the circuits of Tor carry "
	    "traffic.\n"
	    "                 Wait for the test circuit; if it stays so, check "
	    "the uplink.\n" },
};
#define NEXPLANATIONS ((int)(sizeof explanations / sizeof explanations[0]))

static unsigned
count(const char *text, const char *part)
{
	unsigned n = 0;

	for (; (text = strstr(text, part)) != NULL; text++)
		n++;
	return n;
}

/* Without Tor nearly everything is lacking, and for one reason. */
START_TEST(one_cause_is_explained_once)
{
	char *text = explained("tor-down");

	ck_assert_uint_ge(count(text, "Tor is not running."), 2);
	ck_assert_uint_eq(count(text, "Nobody listens on"), 1);
	ck_assert_uint_eq(count(text, "Start Tor"), 2);
	free(text);
}
END_TEST

START_TEST(closed_gate_is_explained)
{
	char *text = explained(explanations[_i].state);

	ck_assert_str_eq(text, explanations[_i].text);
	free(text);
}
END_TEST

/* Each fact that does not hold is named, with a sentence, and no other. */
START_TEST(each_missing_fact_has_a_sentence)
{
	const char *name;
	json_t *line, *obj, *all, *one;
	size_t n;

	for (unsigned i = 0; (name = cli_state_name(i)) != NULL; i++) {
		line = cli_state_line(name);
		obj = cli_explain_gate_json(line);
		ck_assert_ptr_nonnull(obj);
		all = json_object_get(obj, "missing");
		n = 0;
		for (unsigned k = 0; cli_check_fact_name(k) != NULL; k++) {
			if (!json_is_false(json_object_get(json_object_get(
			    line, "facts"), cli_check_fact_name(k))))
				continue;
			one = json_array_get(all, n);
			if (strcmp(name, "engine-gone") == 0)
				continue; /* not one of them is known */
			n++;
			ck_assert_str_eq(json_string_value(json_object_get(
			    one, "fact")), cli_check_fact_name(k));
			assert_sentence(json_string_value(json_object_get(
			    one, "text")));
		}
		ck_assert_uint_eq(json_array_size(all), n);
		json_decref(obj);
		json_decref(line);
	}
}
END_TEST

START_TEST(all_checks_are_told_as_json)
{
	json_t *line = cli_state_line("held"), *obj, *one;
	struct cli_finding f[CLI_NCHECK], sum;

	cli_check_all(f, &sum, line, NO_AGE);
	obj = cli_explain_all_json(f, &sum);
	ck_assert_int_eq(json_integer_value(json_object_get(obj, "code")), 6);
	ck_assert(json_is_false(json_object_get(obj, "ok")));
	ck_assert_uint_eq(json_array_size(json_object_get(obj, "checks")),
	    CLI_NCHECK);
	one = json_array_get(json_object_get(obj, "checks"), CLI_C_CLOCK);
	ck_assert_str_eq(json_string_value(json_object_get(one, "check")),
	    "clock");
	ck_assert(json_is_true(json_object_get(one, "ok")));
	ck_assert(json_is_null(json_object_get(one, "why")));
	json_decref(obj);
	json_decref(line);
}
END_TEST

START_TEST(history_is_printed)
{
	json_t *line = cli_state_line("open");
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(out);
	ck_assert(cli_explain_log(out, line));
	ck_assert_int_eq(json_object_del(line, "history"), 0);
	ck_assert(!cli_explain_log(out, line));
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(text,
	    "2026-11-22T07:00:00Z tor-only  Tor is still connecting.\n"
	    "2026-11-22T07:59:00Z open      Tor is proven to carry the "
	    "traffic.\n");
	free(text);
	json_decref(line);
}
END_TEST

/* --- paths ---------------------------------------------------------------- */

static const struct {
	const char *path, *want; /* as JSON; NULL: there is none */
} paths[] = {
	{ "position", "\"open\"" },
	{ "tor.pid", "812" },
	{ "firewall.close_us.50", "1" },
	{ "listeners.table.1.name", "\"b\"" },
	{ "listeners.table.2.gated", "false" },
	{ "advice", "null" },
	{ "listeners.trouble", "[]" },
	{ "listeners.table.3", NULL },
	{ "listeners.table.01", NULL },
	{ "listeners.table.-1", NULL },
	{ "listeners.table.99999999999999999999999", NULL },
	{ "listeners.table.", NULL },
	{ "tor.pid.x", NULL },
	{ "tor.", NULL },
	{ "", NULL },
	{ ".", NULL },
	{ "nonsense", NULL },
};
#define NPATHS ((int)(sizeof paths / sizeof paths[0]))

START_TEST(path_leads_to_a_field_or_nowhere)
{
	json_t *line = cli_state_line("open");
	const json_t *value = cli_field_at(line, paths[_i].path);
	char *text = json_dumps(value, JSON_ENCODE_ANY);

	if (paths[_i].want == NULL)
		ck_assert_ptr_null(value);
	else
		ck_assert_str_eq(text, paths[_i].want);
	free(text);
	json_decref(line);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli_checks");
	TCase *tc = tcase_create("checks");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, each_check_ends_as_the_state_is, 0, NWANTS);
	tcase_add_test(tc, every_state_is_looked_at);
	tcase_add_test(tc, states_are_left_for_the_schema);
	tcase_add_loop_test(tc, nothing_known_is_nothing_well, 0, 4);
	tcase_add_test(tc, a_hold_comes_before_what_it_hides);
	tcase_add_test(tc, age_bounds_what_counts_as_usable);
	tcase_add_test(tc, numbers_beyond_reason_are_none);
	tcase_add_test(tc, firewall_is_not_well_without_a_position);
	tcase_add_test(tc, foreign_words_cannot_leave_the_sentence);
	tcase_add_test(tc, names_are_found_both_ways);
	tcase_add_test(tc, one_cause_is_explained_once);
	tcase_add_loop_test(tc, closed_gate_is_explained, 0, NEXPLANATIONS);
	tcase_add_test(tc, each_missing_fact_has_a_sentence);
	tcase_add_test(tc, all_checks_are_told_as_json);
	tcase_add_test(tc, history_is_printed);
	tcase_add_loop_test(tc, path_leads_to_a_field_or_nowhere, 0, NPATHS);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
