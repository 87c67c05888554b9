#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/boottags.h"

/* Tor's own list (control_bootstrap.c of 0.4.9), without "undef". */
static const char *const tags[] = { "starting", "conn_pt", "conn_done_pt",
	"conn_proxy", "conn_done_proxy", "conn", "conn_done", "handshake",
	"handshake_done", "onehop_create", "requesting_status",
	"loading_status", "loading_keys", "requesting_descriptors",
	"loading_descriptors", "enough_dirinfo", "ap_conn_pt",
	"ap_conn_done_pt", "ap_conn_proxy", "ap_conn_done_proxy", "ap_conn",
	"ap_conn_done", "ap_handshake", "ap_handshake_done",
	"circuit_create", "done" };
#define NTAGS (sizeof tags / sizeof tags[0])

START_TEST(every_tag_of_tor_has_a_sentence)
{
	const char *text = boot_tag_text(tags[_i]);

	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(text[strlen(text) - 1], '.');
	ck_assert_uint_lt(strlen(text), 120);
	/* Fit to be shown in HTML and by a shell. */
	ck_assert_ptr_null(strpbrk(text, "<>&\"'"));
}
END_TEST

START_TEST(the_phases_are_those_in_order_of_their_percentage)
{
	for (unsigned i = 0; i < NTAGS; i++) {
		ck_assert_str_eq(boot_tag_name(i), tags[i]);
		ck_assert_int_le(boot_tag_percent(i), 100);
		if (i > 0)
			ck_assert_int_gt(boot_tag_percent(i),
			    boot_tag_percent(i - 1));
	}
	ck_assert_int_eq(boot_tag_percent(0), 0);
	ck_assert_int_eq(boot_tag_percent(NTAGS - 1), 100);
}
END_TEST

START_TEST(beyond_the_last_there_is_nothing)
{
	ck_assert_ptr_null(boot_tag_name(NTAGS));
	ck_assert_int_eq(boot_tag_percent(NTAGS), -1);
}
END_TEST

START_TEST(what_is_no_tag_has_no_sentence)
{
	ck_assert_ptr_null(boot_tag_text(""));
	ck_assert_ptr_null(boot_tag_text("undef"));
	ck_assert_ptr_null(boot_tag_text("Done"));
	ck_assert_ptr_null(boot_tag_text("conn_"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("boottags");
	TCase *t = tcase_create("boottags");
	SRunner *r;
	int failed;

	tcase_add_loop_test(t, every_tag_of_tor_has_a_sentence, 0,
	    (int)NTAGS);
	tcase_add_test(t, the_phases_are_those_in_order_of_their_percentage);
	tcase_add_test(t, beyond_the_last_there_is_nothing);
	tcase_add_test(t, what_is_no_tag_has_no_sentence);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_NORMAL);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
