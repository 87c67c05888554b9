/* The applets' names, arguments and answers; no supervisor and no Tor. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/applets/answer.h"
#include "supervisor/applets/question.h"
#include "supervisor/applets/torsay.h"

static struct torsay say;
static struct question q;
static struct answer a;

static void
setup(void)
{
	memset(&say, 0, sizeof say);
	memset(&a, 0, sizeof a);
}

static void
ask(enum applet applet, const char *one, const char *two)
{
	char *args[] = { (char *)one, (char *)two, NULL };

	question_parse(&q, applet, args);
}

static void
expect(int code, const char *text)
{
	ck_assert(answer_make(&a, &q, &say, 0));
	ck_assert_int_eq(a.code, code);
	ck_assert_str_eq(a.text, text);
}

START_TEST(names_are_those_of_the_displaced_files)
{
	static const struct {
		const char *name;
		enum applet applet;
	} names[] = {
		{ "tor-bootstrap-check", APPLET_BOOTSTRAP },
		{ "/a/b/tor_bootstrap_check.py", APPLET_BOOTSTRAP },
		{ "tor_consensus_valid-until.py", APPLET_VALID_UNTIL },
		{ "anondate", APPLET_ANONDATE },
		{ "portcullis-applets", APPLET_NONE },
		{ "tor-bootstrap-check2", APPLET_NONE },
		{ "tor-bootstrap-chec", APPLET_NONE },
		{ "", APPLET_NONE },
		{ ".py", APPLET_NONE },
		{ "/", APPLET_NONE },
	};

	ck_assert_int_eq(applet_of(names[_i].name), names[_i].applet);
}
END_TEST

/* Each applet has a place in the list of links, under a name that is its. */
START_TEST(links_lead_to_every_applet)
{
	const char *top = getenv("top_srcdir");
	unsigned seen = 0;
	char path[4096], line[512], program[256], place[256];
	enum applet of;
	FILE *in;

	ck_assert_ptr_nonnull(top);
	(void)snprintf(path, sizeof path,
	    "%s/supervisor/applets/applets.links", top);
	in = fopen(path, "r");
	ck_assert_ptr_nonnull(in);
	while (fgets(line, sizeof line, in) != NULL) {
		if (line[0] == '#')
			continue;
		ck_assert_int_eq(sscanf(line, "%255s %255s", program, place),
		    2);
		of = applet_of(place);
		ck_assert_msg(of != APPLET_NONE, "%s", place);
		ck_assert_str_eq(program, of == APPLET_ENABLED ?
		    "tor_enabled_check" : "portcullis-applets");
		seen |= 1u << of;
	}
	ck_assert_int_eq(fclose(in), 0);
	ck_assert_uint_eq(seen, (1u << NAPPLET) - (1u << (APPLET_NONE + 1)));
}
END_TEST

START_TEST(seconds_are_read_as_python_does)
{
	static const struct {
		const char *arg, *said;
	} args[] = {
		{ "8", "8.0" }, { "0.25", "0.25" }, { "1e3", "1000.0" },
		{ NULL, "30.0" }, { "x", "30.0" }, { "8x", "30.0" },
		{ "", "30.0" }, { "nan", "30.0" }, { "inf", "30.0" },
		{ "-1", "30.0" }, { "1e99", "30.0" },
	};
	char want[64];

	ask(APPLET_BUILT, args[_i].arg, NULL);
	say.known = SAY_USABLE;
	(void)snprintf(want, sizeof want,
	    "no new circuit built within %ss\n", args[_i].said);
	expect(1, want);
}
END_TEST

START_TEST(times_are_utc_and_exact)
{
	char text[TORSAY_TIME_LEN];

	torsay_time(text, INT64_C(1769903999));
	ck_assert_str_eq(text, "2026-01-31 23:59:59");
	ck_assert(torsay_time_of(text) == INT64_C(1769903999));
	torsay_time(text, 0);
	ck_assert_str_eq(text, "");
	ck_assert(torsay_time_of("") == 0);
	ck_assert(torsay_time_of("2026-01-31") == 0);
	ck_assert(torsay_time_of("2026-01-31 23:59:59 ") == 0);
	ck_assert(torsay_time_of("2026-01-31T23:59:59") == 0);
	ck_assert(torsay_time_of("2026-13-31 23:59:59") == 0);
	ck_assert(torsay_time_of("0026-1--31 23:59:59") == 0);
}
END_TEST

START_TEST(nothing_known_is_no_answer)
{
	say.known = 0;
	for (int i = APPLET_NONE + 1; i < APPLET_ANONDATE; i++) {
		ask((enum applet)i, NULL, NULL);
		ck_assert(!answer_make(&a, &q, &say, 0));
		answer_without_tor(&a, &q, "/nonexistent");
		ck_assert_int_eq(a.code, i == APPLET_ENABLED ? 0 : 255);
		ck_assert_str_eq(a.text, i == APPLET_ENABLED ? "true" : "");
	}
}
END_TEST

START_TEST(the_clock_is_in_range_for_so_long)
{
	ask(APPLET_ANONDATE, "--current-time-in-valid-range", NULL);
	say.known = SAY_CONSENSUS;
	say.valid_after = 1000000;
	say.valid_until = say.valid_after + 3 * 3600;
	ck_assert(answer_make(&a, &q, &say, 999999) && a.code == 1);
	ck_assert(answer_make(&a, &q, &say, 1000000) && a.code == 0);
	ck_assert(answer_make(&a, &q, &say, 1009000) && a.code == 0);
	ck_assert(answer_make(&a, &q, &say, 1009001) && a.code == 1);
	say.valid_until++;
	ck_assert(answer_make(&a, &q, &say, 1000000) && a.code == 1);
	ck_assert_ptr_nonnull(strstr(a.text, "Unexpected valid-until"));
}
END_TEST

START_TEST(the_first_of_several_questions_is_answered)
{
	ask(APPLET_ANONDATE, "--show-valid-until", "--show-valid-after");
	ck_assert_int_eq(q.date, AD_VALID_AFTER);
	ask(APPLET_ANONDATE, "--unverified-only", "--has-consensus");
	ck_assert_int_eq(q.file, CF_UNVERIFIED);
	ask(APPLET_ANONDATE, "--", "--has-consensus");
	ck_assert_int_eq(q.date, AD_NONE);
	ask(APPLET_ANONDATE, "--odd", "--has-consensus");
	ck_assert_str_eq(q.odd, "--odd");
}
END_TEST

/* Of whatever length a text is, the answer is one line. */
START_TEST(long_texts_are_cut)
{
	ask(APPLET_BOOTSTRAP, NULL, NULL);
	say.known = SAY_BOOT;
	memset(say.line, 'x', sizeof say.line - 1);
	ck_assert(answer_make(&a, &q, &say, 0));
	ck_assert_uint_eq(strlen(a.text), sizeof say.line);
	ck_assert_int_eq(a.text[sizeof say.line - 1], '\n');
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("applets");
	TCase *tc = tcase_create("answers");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_loop_test(tc, names_are_those_of_the_displaced_files, 0,
	    10);
	tcase_add_test(tc, links_lead_to_every_applet);
	tcase_add_loop_test(tc, seconds_are_read_as_python_does, 0, 11);
	tcase_add_test(tc, times_are_utc_and_exact);
	tcase_add_test(tc, nothing_known_is_no_answer);
	tcase_add_test(tc, the_clock_is_in_range_for_so_long);
	tcase_add_test(tc, the_first_of_several_questions_is_answered);
	tcase_add_test(tc, long_texts_are_cut);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
