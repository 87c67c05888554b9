#include "config.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/engine/digest.h"

/* The key and message of the paper's appendix: 00 01 02 ... */
static const uint64_t paper_key[2] = { 0x0706050403020100u,
	0x0f0e0d0c0b0a0908u };

START_TEST(it_is_siphash)
{
	unsigned char message[16];

	for (unsigned char i = 0; i < sizeof message; i++)
		message[i] = i;
	ck_assert_uint_eq(digest_siphash(paper_key, message, 15),
	    0xa129ca6149be45e5u);
	ck_assert_uint_eq(digest_siphash(paper_key, message, 0),
	    0x726fdb47dd0e0e31u);
	ck_assert_uint_eq(digest_siphash(paper_key, message, 8),
	    0x93f5f5799a932462u);
}
END_TEST

static uint64_t
sum_of(struct digest *d, const char *members)
{
	digest_begin(d);
	for (; *members != '\0'; members++)
		digest_add(d, members, 1);
	return d->sum;
}

START_TEST(sets_are_told_apart_but_not_orders)
{
	struct digest d;

	ck_assert_int_eq(digest_init(&d), 0);
	ck_assert_uint_eq(sum_of(&d, "abc"), sum_of(&d, "cab"));
	ck_assert_uint_ne(sum_of(&d, "abc"), sum_of(&d, "abd"));
	ck_assert_uint_ne(sum_of(&d, "abc"), sum_of(&d, "ab"));
	/* The same member twice is neither one nor none. */
	ck_assert_uint_ne(sum_of(&d, "aab"), sum_of(&d, "ab"));
	ck_assert_uint_ne(sum_of(&d, "aab"), sum_of(&d, "b"));
	ck_assert_uint_eq(sum_of(&d, ""), 0);
}
END_TEST

START_TEST(every_run_has_its_key)
{
	struct digest a, b;

	ck_assert_int_eq(digest_init(&a), 0);
	ck_assert_int_eq(digest_init(&b), 0);
	ck_assert_uint_ne(sum_of(&a, "a"), sum_of(&b, "a"));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("digest");
	TCase *tc = tcase_create("digest");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, it_is_siphash);
	tcase_add_test(tc, sets_are_told_apart_but_not_orders);
	tcase_add_test(tc, every_run_has_its_key);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
