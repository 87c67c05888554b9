#include "tests/unit/cputil.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "controlproto/conn.h"

static struct cp_conn *conn;
static struct cp_cmd cmd;

static void
setup(void)
{
	conn = cp_conn_new();
	ck_assert_ptr_nonnull(conn);
	ck_assert_int_eq(cp_cmd_quit(&cmd), CP_OK);
}

static void
teardown(void)
{
	cp_cmd_clear(&cmd);
	cp_conn_free(conn);
}

static void
feed(const char *wire)
{
	ck_assert_int_eq(cp_conn_feed(conn, wire, strlen(wire)), CP_OK);
}

static void
sent(int tag)
{
	ck_assert_int_eq(cp_conn_sent(conn, &cmd, tag, 1000, 500), CP_OK);
}

/* The next message must be TEXT and come with TAG. */
static void
expect(const char *text, int want_tag)
{
	struct cp_reply *reply;
	int tag;

	ck_assert_int_eq(cp_conn_next(conn, &reply, &tag), CP_OK);
	ck_assert_msg(reply != NULL, "no message, want <%s>", text);
	ck_str(cp_reply_text(reply, 0), text);
	ck_assert_int_eq(tag, want_tag);
	cp_reply_free(reply);
}

static void
expect_none(void)
{
	struct cp_reply *reply;
	int tag;

	ck_assert_int_eq(cp_conn_next(conn, &reply, &tag), CP_OK);
	ck_assert_ptr_null(reply);
	ck_assert_int_eq(tag, -1);
}

/* ERR, now and for ever, from every function. */
static void
expect_dead(enum cp_err err)
{
	struct cp_reply *reply;
	int tag, i;

	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(cp_conn_next(conn, &reply, &tag), err);
		ck_assert_ptr_null(reply);
		ck_assert_int_eq(tag, -1);
		ck_assert_int_eq(cp_conn_feed(conn, "650 A\r\n", 7), err);
		ck_assert_int_eq(cp_conn_tick(conn, 0), err);
		ck_assert_int_eq(cp_conn_sent(conn, &cmd, 1, 0, 1), err);
	}
}

START_TEST(a_reply_comes_with_the_tag_of_its_command)
{
	ck_assert(!cp_conn_busy(conn));
	sent(7);
	ck_assert(cp_conn_busy(conn));
	expect_none();
	feed("250 OK\r\n");
	expect("OK", 7);
	ck_assert(!cp_conn_busy(conn));
	sent(0);
	feed("552 no\r\n");
	expect("no", 0);
	expect_none();
}
END_TEST

START_TEST(events_come_before_and_after_a_reply)
{
	feed("650 A\r\n");
	expect("A", -1);
	sent(3);
	feed("650 B\r\n650-C\r\n650 OK\r\n699 D\r\n250 OK\r\n650 E\r\n");
	expect("B", -1);
	expect("C", -1);
	expect("D", -1);
	ck_assert(cp_conn_busy(conn));
	expect("OK", 3);
	expect("E", -1);
	expect_none();
}
END_TEST

START_TEST(a_second_command_has_to_wait)
{
	sent(1);
	ck_assert_int_eq(cp_conn_sent(conn, &cmd, 2, 1000, 500), CP_ERR_BUSY);
	/* The caller's mistake, not the peer's: the link lives on. */
	feed("250 OK\r\n");
	expect("OK", 1);
}
END_TEST

START_TEST(a_reply_to_no_command_is_fatal)
{
	feed("250 OK\r\n");
	expect_dead(CP_ERR_UNSOLICITED);
}
END_TEST

START_TEST(a_second_reply_is_fatal)
{
	sent(1);
	feed("250 OK\r\n250 OK\r\n");
	expect("OK", 1);
	expect_dead(CP_ERR_UNSOLICITED);
}
END_TEST

START_TEST(a_second_reply_does_not_answer_the_next_command)
{
	sent(1);
	feed("250 OK\r\n650 A\r\n250 OK\r\n");
	expect("OK", 1);
	sent(2); /* as the handler of the first reply would */
	expect("A", -1);
	expect_dead(CP_ERR_UNSOLICITED);
}
END_TEST

START_TEST(a_reply_that_began_before_its_command_is_fatal)
{
	sent(1);
	feed("250 OK\r\n25");
	expect("OK", 1);
	sent(2);
	feed("0 OK\r\n");
	expect_dead(CP_ERR_UNSOLICITED);
}
END_TEST

START_TEST(an_event_that_began_before_a_command_is_welcome)
{
	feed("650 A");
	expect_none();
	sent(2);
	feed("\r\n250 OK\r\n");
	expect("A", -1);
	expect("OK", 2);
}
END_TEST

START_TEST(errors_of_the_reader_are_sticky)
{
	sent(1);
	feed("250-a\r\n650 B\r\n");
	expect_dead(CP_ERR_MIXED);
}
END_TEST

START_TEST(another_protocol_is_recognised)
{
	feed("HTTP/1.0 501");
	expect_dead(CP_ERR_NOT_TOR);
}
END_TEST

START_TEST(the_deadline_counts_from_sending_whatever_drips_in)
{
	uint64_t now;

	ck_assert_uint_eq(cp_conn_deadline(conn), 0);
	ck_assert_int_eq(cp_conn_tick(conn, UINT64_MAX), CP_OK);
	sent(1);
	ck_assert_uint_eq(cp_conn_deadline(conn), 1500);
	for (now = 1000; now < 1500; now += 10) {
		feed("650 A\r\n");
		expect("A", -1);
		ck_assert_int_eq(cp_conn_tick(conn, now), CP_OK);
	}
	feed("250-a=b\r\n250 O");
	expect_none();
	ck_assert_int_eq(cp_conn_tick(conn, 1499), CP_OK);
	ck_assert_int_eq(cp_conn_tick(conn, 1500), CP_ERR_TIMEOUT);
	expect_dead(CP_ERR_TIMEOUT);
}
END_TEST

START_TEST(an_answered_command_has_no_deadline)
{
	sent(1);
	feed("250 OK\r\n");
	expect("OK", 1);
	ck_assert_uint_eq(cp_conn_deadline(conn), 0);
	ck_assert_int_eq(cp_conn_tick(conn, 99999), CP_OK);
}
END_TEST

START_TEST(deadlines_neither_wrap_nor_vanish)
{
	ck_assert_int_eq(
	    cp_conn_sent(conn, &cmd, 1, UINT64_MAX - 5, 10), CP_OK);
	ck_assert_uint_eq(cp_conn_deadline(conn), UINT64_MAX);
	feed("250 OK\r\n");
	expect("OK", 1);
	ck_assert_int_eq(cp_conn_sent(conn, &cmd, 1, 0, 0), CP_OK);
	ck_assert_uint_eq(cp_conn_deadline(conn), 1);
}
END_TEST

START_TEST(nothing_can_be_sent_without_a_command_or_with_a_negative_tag)
{
	struct cp_cmd empty = { NULL, 0, false };

	ck_assert_int_eq(cp_conn_sent(conn, &empty, 1, 0, 1), CP_ERR_ARG);
	ck_assert_int_eq(cp_conn_sent(conn, &cmd, -1, 0, 1), CP_ERR_ARG);
	ck_assert(!cp_conn_busy(conn));
}
END_TEST

START_TEST(long_lines_are_for_authenticated_peers)
{
	char text[10000], wire[sizeof text + 8];

	memset(text, 'a', sizeof text - 1);
	text[sizeof text - 1] = '\0';
	snprintf(wire, sizeof wire, "650 %s\r\n", text);
	if (_i == 1)
		cp_conn_authenticated(conn);
	feed(wire);
	if (_i == 1)
		expect(text, -1);
	else
		expect_dead(CP_ERR_LIMIT);
}
END_TEST

START_TEST(no_memory_for_a_connection_gives_none)
{
	cputil_fail_alloc(1);
	ck_assert_ptr_null(cp_conn_new());
	cputil_fail_alloc(2);
	ck_assert_ptr_null(cp_conn_new());
	cp_conn_free(NULL);
}
END_TEST

/* What a reply of N lines, an event among them if EVENT, comes to. */
static enum cp_err
take_lines(size_t n, bool event)
{
	struct cp_reply *reply = NULL;
	enum cp_err err = CP_OK;
	int tag;

	feed(event ? "650+X\r\n" : "250+ns/all=\r\n");
	for (size_t i = 0; i < n && err == CP_OK; i++) {
		feed("s Fast\r\n");
		err = cp_conn_next(conn, &reply, &tag);
	}
	if (err != CP_OK)
		return err;
	feed(event ? ".\r\n650 OK\r\n" : ".\r\n250 OK\r\n");
	err = cp_conn_next(conn, &reply, &tag);
	cp_reply_free(reply);
	return err;
}

START_TEST(a_long_reply_is_for_the_command_that_expects_it)
{
	const size_t many = cp_limits_auth.lines + 1;

	cp_conn_authenticated(conn);
	sent(1);
	cp_conn_expect(conn, &cp_limits_relays);
	ck_assert_int_eq(take_lines(many, false), CP_OK);
	ck_assert(!cp_conn_busy(conn));
	/* Neither the next reply may be so long, nor an event. */
	if (_i == 0)
		sent(2);
	ck_assert_int_eq(take_lines(many, _i == 1), CP_ERR_LIMIT);
}
END_TEST

START_TEST(nothing_is_expected_without_a_command)
{
	cp_conn_authenticated(conn);
	cp_conn_expect(conn, &cp_limits_relays);
	sent(1);
	ck_assert_int_eq(take_lines(cp_limits_auth.lines + 1, false),
	    CP_ERR_LIMIT);
}
END_TEST

/* What was expected of one answer lets nobody in. */
START_TEST(a_stranger_is_a_stranger_again_after_a_long_reply)
{
	sent(1);
	cp_conn_expect(conn, &cp_limits_auth);
	ck_assert_int_eq(take_lines(cp_limits_unauth.lines + 1, false), CP_OK);
	sent(2);
	ck_assert_int_eq(take_lines(cp_limits_unauth.lines + 1, false),
	    CP_ERR_LIMIT);
}
END_TEST

static Suite *
conn_suite(void)
{
	Suite *s = suite_create("conn");
	TCase *tc = tcase_create("conn");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_reply_comes_with_the_tag_of_its_command);
	tcase_add_test(tc, events_come_before_and_after_a_reply);
	tcase_add_test(tc, a_second_command_has_to_wait);
	tcase_add_test(tc, a_reply_to_no_command_is_fatal);
	tcase_add_test(tc, a_second_reply_is_fatal);
	tcase_add_test(tc, a_second_reply_does_not_answer_the_next_command);
	tcase_add_test(tc, a_reply_that_began_before_its_command_is_fatal);
	tcase_add_test(tc, an_event_that_began_before_a_command_is_welcome);
	tcase_add_test(tc, errors_of_the_reader_are_sticky);
	tcase_add_test(tc, another_protocol_is_recognised);
	tcase_add_test(tc, the_deadline_counts_from_sending_whatever_drips_in);
	tcase_add_test(tc, an_answered_command_has_no_deadline);
	tcase_add_test(tc, deadlines_neither_wrap_nor_vanish);
	tcase_add_test(
	    tc, nothing_can_be_sent_without_a_command_or_with_a_negative_tag);
	tcase_add_loop_test(tc, long_lines_are_for_authenticated_peers, 0, 2);
	tcase_add_loop_test(tc,
	    a_long_reply_is_for_the_command_that_expects_it, 0, 2);
	tcase_add_test(tc, nothing_is_expected_without_a_command);
	tcase_add_test(tc, a_stranger_is_a_stranger_again_after_a_long_reply);
	tcase_add_test(tc, no_memory_for_a_connection_gives_none);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return cputil_run(conn_suite());
}
