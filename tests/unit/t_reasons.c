#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/engine/tell.h"

/* All of them, and none twice. */
#define MAX 128

static unsigned
count(void)
{
	unsigned n = 0;

	while (tell_code(n) != NULL)
		n++;
	ck_assert_uint_lt(n, MAX);
	return n;
}

static bool
is_listed(const char *code)
{
	for (unsigned i = 0; tell_code(i) != NULL; i++)
		if (strcmp(tell_code(i)->code, code) == 0)
			return true;
	return false;
}

START_TEST(each_is_listed_once_and_has_a_sentence)
{
	const struct facts_reason *r;
	size_t n;

	for (unsigned i = 0; i < count(); i++) {
		r = tell_code(i);
		n = strlen(r->text);
		ck_assert_msg(n > 10 && n < SNAP_TEXT &&
		    r->text[n - 1] == '.', "%s: %s", r->code, r->text);
		ck_assert_uint_lt(strlen(r->code), 32);
		ck_assert_uint_eq(strspn(r->code,
		    "abcdefghijklmnopqrstuvwxyz-"), strlen(r->code));
		for (unsigned k = 0; k < i; k++)
			ck_assert_str_ne(r->code, tell_code(k)->code);
	}
}
END_TEST

/* Every fact and every loss has one, be it another one's. */
START_TEST(none_is_left_out)
{
	for (unsigned i = 0; i < ENGINE_NLOSS; i++)
		ck_assert_msg(is_listed(tell_loss(i)), "loss %u", i);
	for (unsigned i = 0; i < NSAY; i++)
		ck_assert_msg(is_listed(tell_say(i)->code), "say %u", i);
	for (unsigned i = 0; i <= NFACT; i++)
		ck_assert_msg(i == FACT_LINK ||
		    is_listed(facts_reason(i)->code), "fact %u", i);
}
END_TEST

/*
 * What programs tell apart by their exit codes, they tell by these: no word
 * of it may change, or mean two of them.
 */
START_TEST(programs_can_tell_them_apart)
{
	static const char *const words[] = { "network-disabled", "tor-down",
		"tor-gone", "tor-denied", "auth-method", "cookie-unusable",
		"password-unusable", "wrong-server-hash", "auth-refused",
		"hold", "time-sync", "refused", "clock", "squatted",
		"no-listener", "transport-name", "proxy-name", "open",
		"gate-unreachable", "bootstrapping", "no-circuit" };

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		ck_assert_msg(is_listed(words[i]), "%s", words[i]);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("reasons");
	TCase *tc = tcase_create("reasons");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, each_is_listed_once_and_has_a_sentence);
	tcase_add_test(tc, none_is_left_out);
	tcase_add_test(tc, programs_can_tell_them_apart);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
