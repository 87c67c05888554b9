#include "tests/unit/cputil.h"

#include <string.h>

struct framing {
	const char *name;
	struct cp_str in;
	const char *want; /* as cputil_log_reply() writes it */
	enum cp_err err;
};

/*
 * Each is run whole, octet by octet and in random pieces.
 */
/* clang-format off */
static const struct framing cases[] = {
	/* The six forms. */
	{ "end line", LIT("250 OK\r\n"), "250[OK]\n", CP_OK },
	{ "mid line", LIT("250-a=b\r\n250 OK\r\n"), "250[a=b][OK]\n", CP_OK },
	{ "data", LIT("250+a=\r\nx\r\ny\r\n.\r\n250 OK\r\n"),
	    "250[a=]{x\ny}[OK]\n", CP_OK },
	{ "event", LIT("650 SIGNAL RELOAD\r\n"), "650[SIGNAL RELOAD]\n",
	    CP_OK },
	{ "long event",
	    LIT("650-CONF_CHANGED\r\n650-SocksPort=9050\r\n650-Nickname\r\n"
	    "650 OK\r\n"),
	    "650[CONF_CHANGED][SocksPort=9050][Nickname][OK]\n", CP_OK },
	{ "event with data",
	    LIT("650+NS\r\nr x\r\ns Exit\r\n.\r\n650 OK\r\n"),
	    "650[NS]{r x\ns Exit}[OK]\n", CP_OK },
	{ "data then mid line",
	    LIT("250+a=\r\n1\r\n.\r\n250-b=2\r\n250+c=\r\n3\r\n.\r\n250 OK\r\n"),
	    "250[a=]{1}[b=2][c=]{3}[OK]\n", CP_OK },

	/* Texts. */
	{ "empty text", LIT("250 \r\n250-\r\n250 \r\n"),
	    "250[]\n250[][]\n", CP_OK },
	{ "empty data text", LIT("250+\r\n.\r\n250 \r\n"),
	    "250[]{}[]\n", CP_OK },
	{ "separators in the text", LIT("250 -+ 250 \r\n"),
	    "250[-+ 250 ]\n", CP_OK },
	{ "8-bit octets", LIT("250 \x80\xff\xc3\xa9\r\n"),
	    "250[\x80\xff\xc3\xa9]\n", CP_OK },
	{ "refusal", LIT("552-Unrecognized key \"x\"\r\n552 no\r\n"),
	    "552[Unrecognized key \"x\"][no]\n", CP_OK },
	{ "unknown 6yz is a message", LIT("699 WHAT\r\n250 OK\r\n"),
	    "699[WHAT]\n250[OK]\n", CP_OK },

	/* Line ends. */
	{ "bare LF", LIT("250-a=b\n250+c=\nx\n.\n250 OK\n"),
	    "250[a=b][c=]{x}[OK]\n", CP_OK },
	{ "mixed ends", LIT("250-a=b\n250+c=\r\nx\n.\r\n250 OK\n"),
	    "250[a=b][c=]{x}[OK]\n", CP_OK },
	{ "lone CR ends nothing", LIT("650 WARN a\rb\r\n"),
	    "650[WARN a\rb]\n", CP_OK },
	{ "only one CR goes", LIT("250 OK\r\r\n"), "250[OK\r]\n", CP_OK },
	{ "CR alone waits", LIT("250 OK\r"), "", CP_OK },
	{ "lone CR in data", LIT("250+a=\r\nx\r.\r\n.\r\r\n.\r\n250 OK\r\n"),
	    "250[a=]{x\r.\n\r}[OK]\n", CP_OK },

	/* Data blocks. */
	{ "empty data", LIT("250+a=\r\n.\r\n250 OK\r\n"), "250[a=]{}[OK]\n",
	    CP_OK },
	{ "one empty data line", LIT("250+a=\r\n\r\n.\r\n250 OK\r\n"),
	    "250[a=]{}[OK]\n", CP_OK },
	{ "empty data lines", LIT("250+a=\r\n\r\n\r\nb\r\n\r\n.\r\n250 OK\r\n"),
	    "250[a=]{\n\nb\n}[OK]\n", CP_OK },
	{ "two dots", LIT("250+a=\r\n..\r\n.\r\n250 OK\r\n"),
	    "250[a=]{.}[OK]\n", CP_OK },
	{ "one dot of any line",
	    LIT("250+a=\r\n.x\r\n...y\r\n. \r\nz.\r\n.\r\n250 OK\r\n"),
	    "250[a=]{x\n..y\n \nz.}[OK]\n", CP_OK },
	{ "data that looks like messages",
	    LIT("250+a=\r\n250 OK\r\n650 WARN x\r\n551 no\r\n250+b=\r\n.\r\n"
	    "250 OK\r\n"),
	    "250[a=]{250 OK\n650 WARN x\n551 no\n250+b=}[OK]\n", CP_OK },
	{ "data does not end by itself", LIT("250+a=\r\nx\r\n250 OK\r\n"), "",
	    CP_OK },

	/* Several messages. */
	{ "pipelined", LIT("250 A\r\n650 B\r\n250-C\r\n250 D\r\n515 E\r\n"),
	    "250[A]\n650[B]\n250[C][D]\n515[E]\n", CP_OK },
	{ "unfinished", LIT("250 OK\r\n250-a=b\r\n"), "250[OK]\n", CP_OK },
	{ "nothing", LIT(""), "", CP_OK },

	/* Fatal. */
	{ "mixed codes", LIT("250 OK\r\n250-a\r\n251 b\r\n"), "250[OK]\n",
	    CP_ERR_MIXED },
	{ "event inside a reply", LIT("250-a=b\r\n650 WARN x\r\n250 OK\r\n"),
	    "", CP_ERR_MIXED },
	{ "reply inside an event", LIT("650-CONF_CHANGED\r\n250 OK\r\n"), "",
	    CP_ERR_MIXED },
	{ "event behind data", LIT("250+a=\r\n.\r\n650 WARN x\r\n"), "",
	    CP_ERR_MIXED },
	{ "later garbage", LIT("250 OK\r\nfoo\r\n"), "250[OK]\n",
	    CP_ERR_SYNTAX },
	{ "garbage without a line end", LIT("250 OK\r\n25x"), "250[OK]\n",
	    CP_ERR_SYNTAX },
	{ "no separator", LIT("250 OK\r\n250\r\n"), "250[OK]\n",
	    CP_ERR_SYNTAX },
	{ "wrong separator", LIT("250 OK\r\n250_a\r\n"), "250[OK]\n",
	    CP_ERR_SYNTAX },
	{ "empty line", LIT("250 OK\r\n\r\n250 OK\r\n"), "250[OK]\n",
	    CP_ERR_SYNTAX },
	{ "leading space", LIT("250 OK\r\n 250 OK\r\n"), "250[OK]\n",
	    CP_ERR_SYNTAX },
	{ "two-digit code", LIT("250 OK\r\n25 OK\r\n"), "250[OK]\n",
	    CP_ERR_SYNTAX },
	{ "four-digit code", LIT("250 OK\r\n2500 OK\r\n"), "250[OK]\n",
	    CP_ERR_SYNTAX },
	{ "garbage inside a reply", LIT("250-a=b\r\nGET / HTTP/1.0\r\n"), "",
	    CP_ERR_SYNTAX },

	/* Not a control port; no line end ever comes. */
	{ "HTTP", LIT("HTTP/1.1 501 Not Implemented"), "", CP_ERR_NOT_TOR },
	{ "HTML", LIT("<html>"), "", CP_ERR_NOT_TOR },
	{ "SOCKS5", LIT("\x05\xff"), "", CP_ERR_NOT_TOR },
	{ "SOCKS4", LIT("\0\x5b\0\0\0\0\0\0"), "", CP_ERR_NOT_TOR },
	{ "TLS alert", LIT("\x15\x03\x01\x00\x02\x02\x16"), "",
	    CP_ERR_NOT_TOR },
	{ "TLS hello", LIT("\x16\x03\x01"), "", CP_ERR_NOT_TOR },
	{ "SSH", LIT("SSH-2.0-OpenSSH_9.2p1"), "", CP_ERR_NOT_TOR },
	{ "Redis", LIT("-ERR unknown command"), "", CP_ERR_NOT_TOR },
	{ "digits first", LIT("20\0"), "", CP_ERR_NOT_TOR },
	{ "code and no separator", LIT("250\r\n"), "", CP_ERR_NOT_TOR },
	{ "empty first line", LIT("\r\n"), "", CP_ERR_NOT_TOR },
};
/* clang-format on */

/* NULs cannot be written into a C string with the expected text. */
static const struct cp_str nul_in = LIT("250+a\0b=\r\n\0\r\nx\0\r\n.\r\n"
					"250 \0\r\n");
static const struct cp_str nul_want = LIT("250[a\0b=]{\0\nx\0}[\0]\n");

static void
run_case(const struct framing *c, enum cputil_cut how)
{
	struct cp_reader *r = cp_reader_new();
	struct cputil_log log = { NULL, 0 };
	struct cp_reply *reply;
	enum cp_err err;

	ck_assert_ptr_nonnull(r);
	err = cputil_feed(&log, r, c->in, how);
	ck_assert_msg(err == c->err, "%s: %s", c->name, cp_strerror(err));
	ck_str(((struct cp_str){ log.p, log.n }), c->want);
	/* An error is there to stay; a good stream goes on. */
	if (c->err != CP_OK) {
		ck_assert_int_eq(cp_reader_feed(r, "250 OK\r\n", 8), c->err);
		ck_assert_int_eq(cp_reader_next(r, &reply), c->err);
		ck_assert_ptr_null(reply);
	}
	cputil_log_clear(&log);
	cp_reader_free(r);
}

START_TEST(every_case_comes_out_the_same_when_fed_whole)
{
	run_case(&cases[_i], WHOLE);
}
END_TEST

START_TEST(every_case_comes_out_the_same_octet_by_octet)
{
	run_case(&cases[_i], OCTETS);
}
END_TEST

START_TEST(every_case_comes_out_the_same_in_random_pieces)
{
	int round;

	for (round = 0; round < 50; round++)
		run_case(&cases[_i], RANDOM);
}
END_TEST

START_TEST(all_good_cases_in_one_stream_keep_their_order)
{
	struct cp_reader *r = cp_reader_new();
	struct cputil_log log = { NULL, 0 };
	char in[8192], want[8192];
	size_t n = 0, nwant = 0;
	int i;

	for (i = 0; i < NELEM(cases); i++) {
		size_t len = strlen(cases[i].want);

		/* Only those that leave nothing behind. */
		if (cases[i].err != CP_OK || len == 0 ||
		    strcmp(cases[i].name, "unfinished") == 0)
			continue;
		ck_assert_uint_lt(n + cases[i].in.n, sizeof in);
		ck_assert_uint_lt(nwant + len, sizeof want);
		memcpy(in + n, cases[i].in.p, cases[i].in.n);
		n += cases[i].in.n;
		memcpy(want + nwant, cases[i].want, len);
		nwant += len;
	}
	ck_assert_uint_gt(nwant, 0);
	ck_assert_int_eq(
	    cputil_feed(&log, r, (struct cp_str){ in, n }, (enum cputil_cut)_i),
	    CP_OK);
	ck_span(((struct cp_str){ log.p, log.n }),
	    ((struct cp_str){ want, nwant }));
	cputil_log_clear(&log);
	cp_reader_free(r);
}
END_TEST

START_TEST(nul_octets_are_kept)
{
	struct cp_reader *r = cp_reader_new();
	struct cputil_log log = { NULL, 0 };

	ck_assert_int_eq(
	    cputil_feed(&log, r, nul_in, (enum cputil_cut)_i), CP_OK);
	ck_span(((struct cp_str){ log.p, log.n }), nul_want);
	cputil_log_clear(&log);
	cp_reader_free(r);
}
END_TEST

START_TEST(messages_before_an_error_are_still_delivered)
{
	struct cp_reader *r = cp_reader_new();
	struct cputil_log log = { NULL, 0 };
	static const char in[] = "650 A\r\n650 B\r\nrubbish\r\n650 C\r\n";

	ck_assert_int_eq(cp_reader_feed(r, in, sizeof in - 1), CP_OK);
	ck_assert_int_eq(cputil_drain(&log, r), CP_ERR_SYNTAX);
	ck_str(((struct cp_str){ log.p, log.n }), "650[A]\n650[B]\n");
	cputil_log_clear(&log);
	cp_reader_free(r);
}
END_TEST

START_TEST(the_caller_may_stop_and_feed_more_before_it_goes_on)
{
	struct cp_reader *r = cp_reader_new();
	struct cp_reply *reply;
	int i;

	/* A backlog that is never empty, so the buffer wraps often. */
	ck_assert_int_eq(cp_reader_feed(r, "650 0\r\n", 7), CP_OK);
	for (i = 1; i < 20000; i++) {
		ck_assert_int_eq(cp_reader_feed(r, "650 0\r\n650", 10), CP_OK);
		ck_assert_int_eq(cp_reader_next(r, &reply), CP_OK);
		ck_assert_ptr_nonnull(reply);
		ck_str(cp_reply_text(reply, 0), "0");
		cp_reply_free(reply);
		ck_assert_int_eq(cp_reader_feed(r, " 0\r\n", 4), CP_OK);
		ck_assert_int_eq(cp_reader_next(r, &reply), CP_OK);
		ck_assert_ptr_nonnull(reply);
		ck_str(cp_reply_text(reply, 0), "0");
		cp_reply_free(reply);
	}
	cp_reader_free(r);
}
END_TEST

START_TEST(octets_are_counted)
{
	struct cp_reader *r = cp_reader_new();

	ck_assert_uint_eq(cp_reader_fed(r), 0);
	ck_assert_int_eq(cp_reader_feed(r, NULL, 0), CP_OK);
	ck_assert_int_eq(cp_reader_feed(r, "650 A\n", 6), CP_OK);
	ck_assert_int_eq(cp_reader_feed(r, "65", 2), CP_OK);
	ck_assert_uint_eq(cp_reader_fed(r), 8);
	cp_reader_free(r);
}
END_TEST

START_TEST(every_error_has_a_text)
{
	int err;

	for (err = CP_OK; err < CP_NERR; err++) {
		const char *text = cp_strerror((enum cp_err)err);

		ck_assert_uint_gt(strlen(text), 0);
		ck_assert_str_ne(text, "unknown error");
	}
	ck_assert_str_eq(cp_strerror(CP_NERR), "unknown error");
}
END_TEST

static Suite *
reader_suite(void)
{
	Suite *s = suite_create("reader");
	TCase *framing = tcase_create("framing");
	int n = NELEM(cases);

	tcase_add_loop_test(
	    framing, every_case_comes_out_the_same_when_fed_whole, 0, n);
	tcase_add_loop_test(
	    framing, every_case_comes_out_the_same_octet_by_octet, 0, n);
	tcase_add_loop_test(
	    framing, every_case_comes_out_the_same_in_random_pieces, 0, n);
	tcase_add_loop_test(framing,
	    all_good_cases_in_one_stream_keep_their_order, WHOLE, RANDOM + 1);
	tcase_add_loop_test(framing, nul_octets_are_kept, WHOLE, RANDOM + 1);
	tcase_add_test(framing, messages_before_an_error_are_still_delivered);
	tcase_add_test(
	    framing, the_caller_may_stop_and_feed_more_before_it_goes_on);
	tcase_add_test(framing, octets_are_counted);
	tcase_add_test(framing, every_error_has_a_text);
	suite_add_tcase(s, framing);
	return s;
}

int
main(void)
{
	return cputil_run(reader_suite());
}
