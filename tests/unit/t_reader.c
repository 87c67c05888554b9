#include "tests/unit/cputil.h"

#include <stdbool.h>
#include <stdlib.h>
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

/* NULs cannot be written into a C string with the expected text. */
static const struct cp_str nul_in = LIT("250+a\0b=\r\n\0\r\nx\0\r\n.\r\n"
    "250 \0\r\n");
static const struct cp_str nul_want = LIT("250[a\0b=]{\0\nx\0}[\0]\n");

enum cutting { WHOLE, OCTETS, RANDOM };

static size_t
next_cut(enum cutting how, size_t left)
{
	if (how == OCTETS)
		return 1;
	if (how == RANDOM)
		return 1 + (size_t)(cputil_random() % left);
	return left;
}

/* Feed IN to R in pieces, taking messages after each; the last verdict. */
static enum cp_err
feed_cut(struct cputil_log *log, struct cp_reader *r, struct cp_str in,
    enum cutting how)
{
	enum cp_err err = CP_OK;
	size_t n;

	while (err == CP_OK && in.n > 0) {
		n = next_cut(how, in.n);
		err = cp_reader_feed(r, in.p, n);
		if (err == CP_OK)
			err = cputil_drain(log, r);
		in.p += n;
		in.n -= n;
	}
	return err;
}

static void
run_case(const struct framing *c, enum cutting how)
{
	struct cp_reader *r = cp_reader_new();
	struct cputil_log log = { NULL, 0 };
	struct cp_reply *reply;
	enum cp_err err;

	ck_assert_ptr_nonnull(r);
	err = feed_cut(&log, r, c->in, how);
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
	ck_assert_int_eq(feed_cut(&log, r, (struct cp_str){ in, n },
	    (enum cutting)_i), CP_OK);
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

	ck_assert_int_eq(feed_cut(&log, r, nul_in, (enum cutting)_i), CP_OK);
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

/* A peer that never lets the reader reach the end of a message. */
struct flood {
	const char *name;
	const char *first;
	const char *repeat;
};

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
	ck_assert_msg(err == CP_ERR_LIMIT, "%s: %s", f->name,
	    cp_strerror(err));
	return fed;
}

START_TEST(endless_input_is_cut_off_before_authentication)
{
	struct cp_reader *r = cp_reader_new();

	ck_assert_uint_le(flood_until_limit(r, &floods[_i]),
	    cp_limits_unauth.reply + 64);
	cp_reader_free(r);
}
END_TEST

START_TEST(endless_input_is_cut_off_after_authentication)
{
	struct cp_reader *r = cp_reader_new();

	cp_reader_limits(r, &cp_limits_auth);
	ck_assert_uint_le(flood_until_limit(r, &floods[_i]),
	    cp_limits_auth.reply + 64);
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
		ck_assert_int_eq(feed_cut(&log, r, in, (enum cutting)how),
		    want);
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

START_TEST(the_line_limit_is_judged_before_the_code)
{
	static const struct cp_limits limits = { 100, 12, 4 };

	/* The seventh octet of the second line is one too many. */
	judge(&limits, cp_str_of("250-a\n251-bc\n"), CP_ERR_LIMIT);
	/* But what comes first is said first. */
	judge(&limits, cp_str_of("250-a\n2x1-bcdefg\n"), CP_ERR_SYNTAX);
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
		ck_assert_int_eq(cp_reader_feed(r, "650 A\r\n650 ", 11),
		    CP_OK);
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
	struct cp_str in = padded("250 OK\r\n650 ", 'a',
	    2 * cp_limits_unauth.line, "\r\n");
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
	TCase *limits = tcase_create("limits");
	TCase *memory = tcase_create("memory");
	int n = NELEM(cases), nfloods = NELEM(floods);

	tcase_add_loop_test(framing,
	    every_case_comes_out_the_same_when_fed_whole, 0, n);
	tcase_add_loop_test(framing,
	    every_case_comes_out_the_same_octet_by_octet, 0, n);
	tcase_add_loop_test(framing,
	    every_case_comes_out_the_same_in_random_pieces, 0, n);
	tcase_add_loop_test(framing,
	    all_good_cases_in_one_stream_keep_their_order, WHOLE, RANDOM + 1);
	tcase_add_loop_test(framing, nul_octets_are_kept, WHOLE, RANDOM + 1);
	tcase_add_test(framing, messages_before_an_error_are_still_delivered);
	tcase_add_test(framing,
	    the_caller_may_stop_and_feed_more_before_it_goes_on);
	tcase_add_test(framing, octets_are_counted);
	tcase_add_test(framing, every_error_has_a_text);
	suite_add_tcase(s, framing);
	tcase_set_timeout(limits, 60);
	tcase_add_loop_test(limits,
	    endless_input_is_cut_off_before_authentication, 0, nfloods);
	tcase_add_loop_test(limits,
	    endless_input_is_cut_off_after_authentication, 0, nfloods);
	tcase_add_loop_test(limits,
	    a_line_of_the_limit_passes_and_one_octet_more_does_not, 0, 2);
	tcase_add_test(limits,
	    a_message_of_the_limit_passes_and_one_octet_more_does_not);
	tcase_add_test(limits,
	    a_message_may_have_as_many_lines_as_the_limit_says);
	tcase_add_test(limits, the_line_limit_is_judged_before_the_code);
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
	return cputil_run(reader_suite());
}
