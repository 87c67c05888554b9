#include "tests/unit/cputil.h"

#include <stdlib.h>
#include <string.h>

/* A peer that never lets the reader reach the end of a message. */
struct flood {
	const char *name;
	const char *first;
	const char *repeat;
};

/* clang-format off */
static const struct flood floods[] = {
	{ "a line without end", "650 ", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
	{ "a first line of digits", "250 ", "0123456789" },
	{ "mid lines without end", "", "250-aaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" },
	{ "empty mid lines without end", "", "650-\r\n" },
	{ "data without end", "250+a=\r\n", "aaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n" },
	{ "empty data without end", "250+a=\r\n", "\n" },
	{ "a data line without end", "250+a=\r\n", "aaaaaaaaaaaaaaaaaaaaaaaa" },
	{ "only carriage returns", "250 ", "\r\r\r\r\r\r\r\r\r\r\r\r" },
};
/* clang-format on */

/* How many octets R takes from F before it says stop. */
static size_t
flood_until_limit(struct cp_reader *r, const struct flood *f)
{
	struct cp_reply *reply;
	size_t fed = strlen(f->first), n = strlen(f->repeat);
	enum cp_err err;

	ck_assert_int_eq(cp_reader_feed(r, f->first, fed), CP_OK);
	do {
		ck_assert_uint_lt(fed, 8 * 1024 * 1024);
		ck_assert_int_eq(cp_reader_feed(r, f->repeat, n), CP_OK);
		fed += n;
		err = cp_reader_next(r, &reply);
		ck_assert_ptr_null(reply);
	} while (err == CP_OK);
	ck_assert_msg(err == CP_ERR_LIMIT, "%s: %s", f->name, cp_strerror(err));
	return fed;
}

START_TEST(endless_input_is_cut_off_before_authentication)
{
	struct cp_reader *r = cp_reader_new();

	ck_assert_uint_le(
	    flood_until_limit(r, &floods[_i]), cp_limits_unauth.reply + 64);
	cp_reader_free(r);
}
END_TEST

START_TEST(endless_input_is_cut_off_after_authentication)
{
	struct cp_reader *r = cp_reader_new();

	cp_reader_limits(r, &cp_limits_auth);
	ck_assert_uint_le(
	    flood_until_limit(r, &floods[_i]), cp_limits_auth.reply + 64);
	cp_reader_free(r);
}
END_TEST

/* TEXT, N times C, TAIL. */
static struct cp_str
padded(const char *text, char c, size_t n, const char *tail)
{
	size_t len = strlen(text), end = strlen(tail);
	char *p = malloc(len + n + end);

	ck_assert_ptr_nonnull(p);
	memcpy(p, text, len);
	memset(p + len, c, n);
	memcpy(p + len + n, tail, end);
	return (struct cp_str){ p, len + n + end };
}

static const struct cp_limits *const both_limits[] = { &cp_limits_unauth,
	&cp_limits_auth };

/* Feed IN whole and in pieces; both must come to the same WANT. */
static void
judge(const struct cp_limits *limits, struct cp_str in, enum cp_err want)
{
	int how;

	for (how = WHOLE; how <= RANDOM; how++) {
		struct cp_reader *r = cp_reader_new();
		struct cputil_log log = { NULL, 0 };

		cp_reader_limits(r, limits);
		ck_assert_int_eq(
		    cputil_feed(&log, r, in, (enum cputil_cut)how), want);
		ck_assert_int_eq(log.n > 0, want == CP_OK);
		cputil_log_clear(&log);
		cp_reader_free(r);
	}
}

START_TEST(a_line_of_the_limit_passes_and_one_octet_more_does_not)
{
	const struct cp_limits *limits = both_limits[_i];
	struct cp_str in;

	in = padded("650 ", 'a', limits->line - 4, "\r\n");
	judge(limits, in, CP_OK);
	free((char *)in.p);
	in = padded("650 ", 'a', limits->line - 4, "\n");
	judge(limits, in, CP_OK);
	free((char *)in.p);
	in = padded("650 ", 'a', limits->line - 3, "\r\n");
	judge(limits, in, CP_ERR_LIMIT);
	free((char *)in.p);
	in = padded("650+A\r\n", 'a', limits->line + 1, "\n.\n650 OK\n");
	judge(limits, in, CP_ERR_LIMIT);
	free((char *)in.p);
}
END_TEST

START_TEST(a_message_of_the_limit_passes_and_one_octet_more_does_not)
{
	static const struct cp_limits limits = { 1000, 100, 10 };
	struct cp_str in;

	in = padded("250-", 'a', 100 - 14, "\r\n250 OK\r\n");
	ck_assert_uint_eq(in.n, limits.reply);
	judge(&limits, in, CP_OK);
	free((char *)in.p);
	in = padded("250-", 'a', 100 - 13, "\r\n250 OK\r\n");
	judge(&limits, in, CP_ERR_LIMIT);
	free((char *)in.p);
	in = padded("250+\n", '\n', 5, ".\n250 OK\n");
	judge(&limits, in, CP_OK);
	free((char *)in.p);
}
END_TEST

START_TEST(a_message_may_have_as_many_lines_as_the_limit_says)
{
	static const struct cp_limits limits = { 100, 1000, 4 };

	judge(&limits, cp_str_of("250-a\n250-b\n250-c\n250 OK\n"), CP_OK);
	judge(&limits, cp_str_of("250-a\n250-b\n250-c\n250-d\n250 OK\n"),
	    CP_ERR_LIMIT);
	judge(&limits, cp_str_of("250+a\nx\n.\n250 OK\n"), CP_OK);
	judge(&limits, cp_str_of("250+a\nx\ny\n.\n250 OK\n"), CP_ERR_LIMIT);
}
END_TEST

START_TEST(what_comes_first_on_the_wire_is_judged_first)
{
	static const struct cp_limits limits = { 100, 12, 4 };

	/* The seventh octet of the second line is one too many. */
	judge(&limits, cp_str_of("250-a\n251-bc\n"), CP_ERR_LIMIT);
	/* But what comes first is said first. */
	judge(&limits, cp_str_of("250-a\n2x1-bcdefg\n"), CP_ERR_SYNTAX);
	/* A bad octet beyond the limit is not even looked at. */
	judge(&limits, cp_str_of("250-abcd\n250-x\n"), CP_ERR_LIMIT);
	judge(&limits, cp_str_of("250-abcd\n250x\n"), CP_ERR_LIMIT);
}
END_TEST

START_TEST(many_small_messages_are_no_large_one)
{
	static const struct cp_limits limits = { 16, 16, 1 };
	struct cp_reader *r = cp_reader_new();
	struct cputil_log log = { NULL, 0 };
	int i;

	cp_reader_limits(r, &limits);
	for (i = 0; i < 100; i++) {
		ck_assert_int_eq(cp_reader_feed(r, "650 A\r\n650 ", 11), CP_OK);
		ck_assert_int_eq(cputil_drain(&log, r), CP_OK);
		ck_assert_int_eq(cp_reader_feed(r, "B\r\n", 3), CP_OK);
		ck_assert_int_eq(cputil_drain(&log, r), CP_OK);
	}
	ck_assert_uint_eq(log.n, 100 * strlen("650[A]\n650[B]\n"));
	cputil_log_clear(&log);
	cp_reader_free(r);
}
END_TEST

START_TEST(feeding_without_taking_is_bounded)
{
	struct cp_reader *r = cp_reader_new();
	struct cp_reply *reply;
	size_t fed = 0;
	enum cp_err err;

	do {
		err = cp_reader_feed(r, "650 A\r\n", 7);
		fed += 7;
	} while (err == CP_OK);
	ck_assert_int_eq(err, CP_ERR_LIMIT);
	ck_assert_uint_le(fed, cp_limits_unauth.reply + 14);
	ck_assert_int_eq(cp_reader_next(r, &reply), CP_ERR_LIMIT);
	ck_assert_ptr_null(reply);
	cp_reader_free(r);
}
END_TEST

START_TEST(new_limits_hold_for_octets_that_wait)
{
	struct cp_reader *r = cp_reader_new();
	struct cp_str in =
	    padded("250 OK\r\n650 ", 'a', 2 * cp_limits_unauth.line, "\r\n");
	struct cputil_log log = { NULL, 0 };
	struct cp_reply *reply;

	/* Tor's first event may arrive together with its last "250 OK". */
	ck_assert_int_eq(cp_reader_feed(r, in.p, in.n), CP_OK);
	ck_assert_int_eq(cp_reader_next(r, &reply), CP_OK);
	ck_assert_ptr_nonnull(reply);
	cp_reply_free(reply);
	cp_reader_limits(r, &cp_limits_auth);
	ck_assert_int_eq(cputil_drain(&log, r), CP_OK);
	ck_assert_uint_gt(log.n, cp_limits_unauth.line);
	cputil_log_clear(&log);
	free((char *)in.p);
	cp_reader_free(r);
}
END_TEST

START_TEST(lower_limits_hold_for_a_message_in_hand)
{
	static const struct cp_limits low = { 8, 8, 8 };
	struct cp_reader *r = cp_reader_new();
	struct cp_reply *reply;

	ck_assert_int_eq(cp_reader_feed(r, "250-aaaaaaaa\r\n", 14), CP_OK);
	ck_assert_int_eq(cp_reader_next(r, &reply), CP_OK);
	cp_reader_limits(r, &low);
	ck_assert_int_eq(cp_reader_feed(r, "2", 1), CP_ERR_LIMIT);
	cp_reader_free(r);
}
END_TEST

START_TEST(a_mebibyte_option_value_comes_through)
{
	struct cp_reader *r = cp_reader_new();
	struct cp_str in = padded("250 ContactInfo=", 'a', 1024 * 1024, "\r\n");
	struct cp_reply *reply;

	cp_reader_limits(r, &cp_limits_auth);
	ck_assert_int_eq(cp_reader_feed(r, in.p, in.n), CP_OK);
	ck_assert_int_eq(cp_reader_next(r, &reply), CP_OK);
	ck_assert_ptr_nonnull(reply);
	ck_assert_uint_eq(cp_reply_text(reply, 0).n, 12 + 1024 * 1024);
	cp_reply_free(reply);
	/* The large buffer is gone, the reader still works. */
	ck_assert_int_eq(cp_reader_feed(r, "650 A\n", 6), CP_OK);
	ck_assert_int_eq(cp_reader_next(r, &reply), CP_OK);
	ck_assert_ptr_nonnull(reply);
	cp_reply_free(reply);
	free((char *)in.p);
	cp_reader_free(r);
}
END_TEST

START_TEST(no_memory_for_a_reader_gives_none)
{
	cputil_fail_alloc(1);
	ck_assert_ptr_null(cp_reader_new());
	cp_reader_free(NULL);
}
END_TEST

START_TEST(no_memory_for_octets_is_sticky)
{
	struct cp_reader *r = cp_reader_new();
	struct cp_reply *reply;

	cputil_fail_alloc(1);
	ck_assert_int_eq(cp_reader_feed(r, "650 A\n", 6), CP_ERR_NOMEM);
	ck_assert_int_eq(cp_reader_feed(r, "650 A\n", 6), CP_ERR_NOMEM);
	ck_assert_int_eq(cp_reader_next(r, &reply), CP_ERR_NOMEM);
	cp_reader_free(r);
}
END_TEST

START_TEST(no_memory_for_a_message_is_sticky)
{
	struct cp_reader *r = cp_reader_new();
	struct cp_reply *reply;

	ck_assert_int_eq(cp_reader_feed(r, "650 A\n", 6), CP_OK);
	cputil_fail_alloc(1);
	ck_assert_int_eq(cp_reader_next(r, &reply), CP_ERR_NOMEM);
	ck_assert_ptr_null(reply);
	ck_assert_int_eq(cp_reader_next(r, &reply), CP_ERR_NOMEM);
	cp_reader_free(r);
}
END_TEST

START_TEST(an_impossible_size_is_no_memory)
{
	struct cp_reader *r = cp_reader_new();

	ck_assert_int_eq(cp_reader_feed(r, "", SIZE_MAX / 2), CP_ERR_NOMEM);
	cp_reader_free(r);
}
END_TEST

static Suite *
limits_suite(void)
{
	Suite *s = suite_create("reader_limits");
	TCase *limits = tcase_create("limits");
	TCase *memory = tcase_create("memory");
	int nfloods = NELEM(floods);

	tcase_set_timeout(limits, 60);
	tcase_add_loop_test(
	    limits, endless_input_is_cut_off_before_authentication, 0, nfloods);
	tcase_add_loop_test(
	    limits, endless_input_is_cut_off_after_authentication, 0, nfloods);
	tcase_add_loop_test(limits,
	    a_line_of_the_limit_passes_and_one_octet_more_does_not, 0, 2);
	tcase_add_test(
	    limits, a_message_of_the_limit_passes_and_one_octet_more_does_not);
	tcase_add_test(
	    limits, a_message_may_have_as_many_lines_as_the_limit_says);
	tcase_add_test(limits, what_comes_first_on_the_wire_is_judged_first);
	tcase_add_test(limits, many_small_messages_are_no_large_one);
	tcase_add_test(limits, feeding_without_taking_is_bounded);
	tcase_add_test(limits, new_limits_hold_for_octets_that_wait);
	tcase_add_test(limits, lower_limits_hold_for_a_message_in_hand);
	tcase_add_test(limits, a_mebibyte_option_value_comes_through);
	suite_add_tcase(s, limits);
	tcase_add_test(memory, no_memory_for_a_reader_gives_none);
	tcase_add_test(memory, no_memory_for_octets_is_sticky);
	tcase_add_test(memory, no_memory_for_a_message_is_sticky);
	tcase_add_test(memory, an_impossible_size_is_no_memory);
	suite_add_tcase(s, memory);
	return s;
}

int
main(void)
{
	return cputil_run(limits_suite());
}
