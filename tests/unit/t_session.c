/* Login and session: what they want done, step by step. */
#include "tests/unit/cputil.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "controlproto/auth.h"
#include "controlproto/cmd.h"
#include "controlproto/login.h"
#include "controlproto/session.h"
#include "tests/unit/exchange.h"

#define LIMIT_MS 500
#define START_MS 1000

#define OFFER(methods) \
	"250-PROTOCOLINFO 1\r\n250-AUTH METHODS=" methods "\r\n250 OK\r\n"
#define WITH_FILE " COOKIEFILE=\"/c\""

#define ALL (CP_AUTH_SAFECOOKIE | CP_AUTH_COOKIE | CP_AUTH_HASHEDPASSWORD | \
	CP_AUTH_NULL)

static unsigned char nonce[CP_NONCE_LEN], cookie[CP_COOKIE_LEN];
static struct cp_session *session;
static struct cp_login *login;
static struct cp_step step;
static struct cp_cmd cmd;
static uint64_t now;

static void
setup(void)
{
	ck_assert_int_eq(cp_hex_decode(nonce, sizeof nonce,
	    cp_str_of(NONCE)), CP_OK);
	ck_assert_int_eq(cp_hex_decode(cookie, sizeof cookie,
	    cp_str_of(COOKIE)), CP_OK);
	now = START_MS;
	session = NULL;
	login = NULL;
}

static void
teardown(void)
{
	cp_cmd_clear(&cmd);
	cp_login_free(login);
	cp_session_free(session);
}

static void
begin(unsigned permitted)
{
	cp_session_free(session);
	session = cp_session_new(permitted, nonce, LIMIT_MS);
	ck_assert_ptr_nonnull(session);
}

static void
feed(const char *wire)
{
	cp_session_feed(session, wire, strlen(wire));
}

static void
next(enum cp_step_kind kind)
{
	ck_assert_int_eq(cp_session_next(session, &step, now), CP_OK);
	ck_assert_int_eq(step.kind, kind);
	ck_assert(kind == CP_STEP_REPLY || step.tag == -1);
}

static void
waits(int ms)
{
	next(CP_STEP_WAIT);
	ck_assert_int_eq(step.wait_ms, ms);
}

static void
writes(const char *line)
{
	next(CP_STEP_WRITE);
	ck_str(step.bytes, line);
	waits(LIMIT_MS);
}

static void
dies(enum cp_err want)
{
	ck_assert_int_eq(cp_session_next(session, &step, now), want);
	/* And stays so, whatever happens. */
	ck_assert_int_eq(cp_session_next(session, &step, now), want);
	cp_session_feed(session, "250 OK\r\n", 8);
	cp_session_cookie(session, cookie, sizeof cookie);
	cp_session_cookie(session, cookie, 1);
	cp_session_watch_bootstrap(session);
	ck_assert_int_eq(cp_session_next(session, &step, now), want);
	ck_assert_int_eq(cp_session_ask(session, &cmd, cp_cmd_quit(&cmd), 1),
	    want);
	ck_assert_ptr_null(cmd.line);
}

static void
until_challenge(void)
{
	begin(ALL);
	writes("PROTOCOLINFO 1\r\n");
	feed(OFFER("NULL,COOKIE,SAFECOOKIE" WITH_FILE));
	next(CP_STEP_COOKIE);
	ck_assert_str_eq(step.path, "/c");
	waits(-1); /* told once; the caller owes it */
	cp_session_password(session, "not that", 8);
	waits(-1);
	cp_session_cookie(session, cookie, 32);
	writes("AUTHCHALLENGE SAFECOOKIE " NONCE "\r\n");
}

static void
let_in(void)
{
	until_challenge();
	feed(CHALLENGE);
	writes("AUTHENTICATE " ANSWER "\r\n");
	feed("250 OK\r\n");
	next(CP_STEP_READY);
}

START_TEST(safecookie_lets_in)
{
	let_in();
	waits(-1);
}
END_TEST

START_TEST(an_impostor_is_told_nothing)
{
	char wire[] = CHALLENGE;

	until_challenge();
	wire[strlen("250 AUTHCHALLENGE SERVERHASH=")] ^= 1;
	feed(wire);
	dies(CP_ERR_AUTH);
}
END_TEST

struct refusal {
	unsigned permitted;
	const char *answer;
	enum cp_err want;
};

static const struct refusal refusals[] = {
	{ ALL, "515 no\r\n", CP_ERR_REFUSED },
	{ ALL, "250 OK\r\n", CP_ERR_SYNTAX },
	{ ALL, "HTTP/1.0 400\r\n", CP_ERR_NOT_TOR },
	{ CP_AUTH_SAFECOOKIE, OFFER("NULL,COOKIE" WITH_FILE), CP_ERR_AUTH },
	{ CP_AUTH_NULL, OFFER("COOKIE,SAFECOOKIE" WITH_FILE), CP_ERR_AUTH },
	{ 0, OFFER("NULL"), CP_ERR_AUTH },
	{ ALL, OFFER("NULL") "250 OK\r\n", CP_ERR_UNSOLICITED },
};

START_TEST(a_refused_hello_is_the_end)
{
	const struct refusal *r = &refusals[_i];

	begin(r->permitted);
	writes("PROTOCOLINFO 1\r\n");
	feed(r->answer);
	if (r->want == CP_ERR_UNSOLICITED)
		next(CP_STEP_WRITE);
	dies(r->want);
}
END_TEST

START_TEST(each_other_method_sends_its_credential)
{
	begin(CP_AUTH_NULL);
	writes("PROTOCOLINFO 1\r\n");
	feed(OFFER("NULL"));
	writes("AUTHENTICATE\r\n");
	begin(CP_AUTH_COOKIE);
	writes("PROTOCOLINFO 1\r\n");
	feed(OFFER("COOKIE,SAFECOOKIE"));
	next(CP_STEP_COOKIE);
	ck_assert_str_eq(step.path, ""); /* it named none */
	cp_session_cookie(session, cookie, 32);
	writes("AUTHENTICATE " COOKIE "\r\n");
	begin(ALL);
	writes("PROTOCOLINFO 1\r\n");
	feed(OFFER("HASHEDPASSWORD"));
	next(CP_STEP_PASSWORD);
	cp_session_password(session, "ab", 2);
	writes("AUTHENTICATE 6162\r\n");
	feed("515 Authentication failed\r\n");
	dies(CP_ERR_REFUSED);
}
END_TEST

START_TEST(a_deadline_holds_at_each_step)
{
	until_challenge();
	now += LIMIT_MS - 1;
	feed("250 AUTHCH"); /* what drips in changes nothing */
	waits(1);
	now++;
	dies(CP_ERR_TIMEOUT);
}
END_TEST

START_TEST(events_before_the_door_are_nobodys)
{
	until_challenge();
	feed("650 STATUS_CLIENT NOTICE BOOTSTRAP PROGRESS=100\r\n");
	next(CP_STEP_WAIT);
	feed("650 NOTICE a\r\n650 NOTICE b\r\n" CHALLENGE);
	writes("AUTHENTICATE " ANSWER "\r\n");
}
END_TEST

static enum cp_err
ask(int tag)
{
	return cp_session_ask(session, &cmd, cp_cmd_quit(&cmd), tag);
}

static void
replies(int tag, const char *text)
{
	next(CP_STEP_REPLY);
	ck_assert_int_eq(step.tag, tag);
	ck_str(cp_reply_text(step.message, 0), text);
}

START_TEST(what_is_asked_before_the_door_is_asked_behind_it)
{
	until_challenge();
	ck_assert_int_eq(ask(7), CP_OK);
	ck_assert_ptr_null(cmd.line); /* taken */
	feed(CHALLENGE);
	writes("AUTHENTICATE " ANSWER "\r\n");
	feed("250 OK\r\n");
	next(CP_STEP_READY);
	writes("QUIT\r\n");
	feed("250 closing\r\n");
	replies(7, "closing");
	waits(-1);
}
END_TEST

START_TEST(questions_wait_for_their_turn)
{
	int i;

	let_in();
	for (i = 0; i < CP_SESSION_ASKS; i++)
		ck_assert_int_eq(ask(i), CP_OK);
	ck_assert_int_eq(ask(i), CP_ERR_BUSY);
	ck_assert_ptr_null(cmd.line);
	for (i = 0; i < CP_SESSION_ASKS; i++) {
		writes("QUIT\r\n");
		feed("650 NOTICE x\r\n250 a\r\n");
		next(CP_STEP_EVENT);
		ck_str(cp_reply_text(step.message, 0), "NOTICE x");
		replies(i, "a");
	}
	/* With the answer still lent, the next may be asked. */
	ck_assert_int_eq(ask(8), CP_OK);
	writes("QUIT\r\n");
	ck_assert_int_eq(ask(9), CP_OK); /* and is left behind */
}
END_TEST

/* Two answers in one go: the second came before its question. */
START_TEST(an_answer_does_not_come_before_its_question)
{
	let_in();
	ck_assert_int_eq(ask(1), CP_OK);
	ck_assert_int_eq(ask(2), CP_OK);
	writes("QUIT\r\n");
	feed("250 a\r\n250 b\r\n");
	replies(1, "a");
	next(CP_STEP_WRITE);
	dies(CP_ERR_UNSOLICITED);
}
END_TEST

#define PHASE "GETINFO status/bootstrap-phase\r\n"
#define AT(n) "BOOTSTRAP PROGRESS=" #n " TAG=x SUMMARY=\"X\""

static void
is_at(int progress)
{
	next(CP_STEP_BOOTSTRAP);
	ck_assert_int_eq(step.bootstrap->progress, progress);
	ck_str(step.bootstrap->summary, "X");
	ck_assert_ptr_nonnull(step.message);
}

static void
until_phase(void)
{
	let_in();
	ck_assert_int_eq(ask(7), CP_OK);
	cp_session_watch_bootstrap(session);
	cp_session_watch_bootstrap(session);
	writes("SETEVENTS STATUS_CLIENT\r\n");
	feed("250 OK\r\n650 STATUS_CLIENT NOTICE " AT(5) "\r\n");
	next(CP_STEP_WRITE);
	ck_str(step.bytes, PHASE);
	is_at(5);
	waits(LIMIT_MS);
}

START_TEST(the_bootstrap_is_watched_from_where_it_is)
{
	until_phase();
	feed("250-status/bootstrap-phase=NOTICE " AT(10) "\r\n250 OK\r\n"
	     "650 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n"
	     "650 STATUS_CLIENT NOTICE " AT(100) "\r\n");
	is_at(10);
	next(CP_STEP_WRITE);
	next(CP_STEP_EVENT);
	is_at(100);
	feed("250 closing\r\n");
	replies(7, "closing");
	waits(-1);
}
END_TEST

struct watched {
	const char *answer;
	enum cp_err want;
};

static const struct watched watched[] = {
	{ "552 no\r\n", CP_ERR_REFUSED },
	{ "250 OK\r\n", CP_ERR_KEY },
	{ "250-status/bootstrap-phase=x\r\n250 OK\r\n", CP_ERR_SYNTAX },
};

START_TEST(a_tor_that_does_not_tell_ends_the_watch)
{
	until_phase();
	feed(watched[_i].answer);
	dies(watched[_i].want);
}
END_TEST

START_TEST(a_refused_setevents_ends_the_watch)
{
	let_in();
	cp_session_watch_bootstrap(session);
	writes("SETEVENTS STATUS_CLIENT\r\n");
	feed("552 no\r\n");
	dies(CP_ERR_REFUSED);
}
END_TEST

START_TEST(a_secret_may_come_first)
{
	begin(ALL);
	cp_session_password(session, "not that", 8);
	cp_session_cookie(session, cookie, 32);
	writes("PROTOCOLINFO 1\r\n");
	feed(OFFER("COOKIE,SAFECOOKIE"));
	writes("AUTHCHALLENGE SAFECOOKIE " NONCE "\r\n");
}
END_TEST

/* What is no password never goes out as one. */
START_TEST(a_secret_is_nothing_else)
{
	begin(ALL);
	cp_session_cookie(session, cookie, 32);
	writes("PROTOCOLINFO 1\r\n");
	feed(OFFER("HASHEDPASSWORD"));
	next(CP_STEP_PASSWORD);
	waits(-1);
	cp_session_password(session, "", 0);
	writes("AUTHENTICATE\r\n");
}
END_TEST

START_TEST(what_cannot_be_a_secret_ends_it)
{
	static const char much[CP_SECRET_MAX + 1];

	begin(ALL);
	cp_session_cookie(session, cookie, 31);
	dies(CP_ERR_COOKIE);
	begin(ALL);
	cp_session_cookie(session, cookie, (size_t)-1);
	dies(CP_ERR_COOKIE);
	begin(ALL);
	cp_session_password(session, much, sizeof much);
	dies(CP_ERR_ARG);
}
END_TEST

/* A peer that says nothing but events has no more time for it. */
START_TEST(a_flood_of_events_does_not_move_the_deadline)
{
	unsigned i;

	until_challenge();
	for (i = 0; i < LIMIT_MS; i++, now++) {
		feed("650 NOTICE x\r\n650 NOTICE y\r\n650 NOT");
		waits(LIMIT_MS - (int)i);
		feed("ICE z\r\n");
	}
	dies(CP_ERR_TIMEOUT);
}
END_TEST

/* Nobody takes them: the session does not keep them for ever either. */
START_TEST(an_untaken_flood_ends_it)
{
	static const char line[] = "650 NOTICE 01234567890123456789012345\r\n";
	size_t fed;

	until_challenge();
	for (fed = 0; fed < 2 * 64 * 1024; fed += sizeof line - 1)
		feed(line);
	dies(CP_ERR_LIMIT);
}
END_TEST

START_TEST(what_cannot_be_asked_ends_nothing)
{
	let_in();
	ck_assert_int_eq(cp_session_ask(session, &cmd, CP_ERR_NOMEM, 1),
	    CP_ERR_NOMEM);
	ck_assert_int_eq(cp_session_ask(session, &cmd, CP_OK, 1), CP_ERR_ARG);
	ck_assert_int_eq(ask(-1), CP_ERR_ARG);
	ck_assert_ptr_null(cmd.line);
	ck_assert_int_eq(ask(INT_MAX), CP_ERR_ARG);
	cp_session_cookie(session, cookie, 1); /* nobody wants it now */
	cp_session_password(session, NULL, 4096);
	ck_assert_int_eq(ask(0), CP_OK);
	writes("QUIT\r\n");
}
END_TEST

START_TEST(a_stray_answer_ends_it)
{
	let_in();
	feed("250 OK\r\n");
	dies(CP_ERR_UNSOLICITED);
}
END_TEST


START_TEST(a_login_keeps_to_its_order)
{
	struct cp_reply *reply = cputil_reply("250 OK\r\n");
	char much[1025] = { 0 };

	login = cp_login_new(CP_AUTH_HASHEDPASSWORD, nonce);
	ck_assert_ptr_nonnull(login);
	ck_assert_uint_eq(cp_login_method(login), 0);
	ck_assert_int_eq(cp_login_reply(login, reply), CP_ERR_ARG);
	ck_assert_int_eq(cp_login_secret(login, "x", 1), CP_ERR_ARG);
	ck_assert_int_eq(cp_login_command(login, &cmd), CP_OK);
	cp_cmd_clear(&cmd);
	ck_assert_int_eq(cp_login_command(login, &cmd), CP_ERR_ARG);
	ck_assert_ptr_null(cmd.line);
	cp_reply_free(reply);
	reply = cputil_reply(OFFER("HASHEDPASSWORD,NULL"));
	ck_assert_int_eq(cp_login_reply(login, reply), CP_OK);
	cp_reply_free(reply);
	ck_assert_int_eq(cp_login_wants(login), CP_LOGIN_PASSWORD);
	ck_assert_uint_eq(cp_login_method(login), CP_AUTH_HASHEDPASSWORD);
	ck_assert_uint_eq(cp_login_peek_info(login)->methods,
	    CP_AUTH_HASHEDPASSWORD | CP_AUTH_NULL);
	ck_assert_int_eq(cp_login_secret(login, much, sizeof much),
	    CP_ERR_ARG);
	ck_assert_int_eq(cp_login_secret(login, NULL, 0), CP_OK);
	ck_assert_int_eq(cp_login_command(login, &cmd), CP_OK);
	ck_assert(cmd.secret);
	ck_str(((struct cp_str){ cmd.line, cmd.len }), "AUTHENTICATE\r\n");
}
END_TEST

START_TEST(no_memory_gives_none_or_ends_it)
{
	unsigned i;

	cputil_fail_alloc(1);
	ck_assert_ptr_null(cp_login_new(ALL, nonce));
	for (i = 1; i <= 4; i++) {
		cputil_fail_alloc(i);
		ck_assert_ptr_null(cp_session_new(ALL, nonce, 1));
	}
	cputil_fail_alloc(0);
	begin(ALL);
	cputil_fail_alloc(1);
	ck_assert_int_eq(cp_session_next(session, &step, now), CP_ERR_NOMEM);
	cputil_fail_alloc(0);
	dies(CP_ERR_NOMEM);
	cp_session_free(NULL);
	cp_login_free(NULL);
}
END_TEST

static Suite *
session_suite(void)
{
	Suite *s = suite_create("session");
	TCase *tc = tcase_create("session");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, safecookie_lets_in);
	tcase_add_test(tc, an_impostor_is_told_nothing);
	tcase_add_loop_test(tc, a_refused_hello_is_the_end, 0,
	    NELEM(refusals));
	tcase_add_test(tc, each_other_method_sends_its_credential);
	tcase_add_test(tc, a_deadline_holds_at_each_step);
	tcase_add_test(tc, events_before_the_door_are_nobodys);
	tcase_add_test(tc, what_is_asked_before_the_door_is_asked_behind_it);
	tcase_add_test(tc, questions_wait_for_their_turn);
	tcase_add_test(tc, an_answer_does_not_come_before_its_question);
	tcase_add_test(tc, the_bootstrap_is_watched_from_where_it_is);
	tcase_add_loop_test(tc, a_tor_that_does_not_tell_ends_the_watch, 0,
	    NELEM(watched));
	tcase_add_test(tc, a_refused_setevents_ends_the_watch);
	tcase_add_test(tc, a_secret_may_come_first);
	tcase_add_test(tc, a_secret_is_nothing_else);
	tcase_add_test(tc, what_cannot_be_a_secret_ends_it);
	tcase_add_test(tc, a_flood_of_events_does_not_move_the_deadline);
	tcase_add_test(tc, an_untaken_flood_ends_it);
	tcase_add_test(tc, what_cannot_be_asked_ends_nothing);
	tcase_add_test(tc, a_stray_answer_ends_it);
	tcase_add_test(tc, a_login_keeps_to_its_order);
	tcase_add_test(tc, no_memory_gives_none_or_ends_it);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return cputil_run(session_suite());
}
