/* A session on its socket: against a peer that is in this process, too. */
#include "tests/unit/cputil.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "controlproto/cmd.h"
#include "controlproto/link.h"
#include "tests/unit/peerutil.h"

#define LONG_MS 60000 /* no test waits for it */
#define SAFE CP_AUTH_SAFECOOKIE
#define OFFER(methods) \
	"250-PROTOCOLINFO 1\r\n250-AUTH METHODS=" methods "\r\n250 OK\r\n"
#define OFFER_NULL OFFER("NULL")
#define BIG (512 * 1024) /* more than a socket holds */

static struct cp_link *tor;
static struct cp_step step;

static void
setup(void)
{
	peer_setup();
	tor = NULL;
}

static void
teardown(void)
{
	cp_link_free(tor);
	peer_teardown();
}

/* A link to our listener, and its other end. */
static void
begin(unsigned permitted, uint32_t limit_ms)
{
	tor = cp_link_new(peer_where, permitted, limit_ms);
	ck_assert_ptr_nonnull(tor);
	peer_accept();
}

static void
next(enum cp_step_kind kind)
{
	ck_assert_msg(cp_link_next(tor, &step) == CP_OK, "%s",
	    cp_link_strerror(tor));
	ck_assert_int_eq(step.kind, kind);
}

/* ERR, again and again, because of WHAT. */
static void
fails(enum cp_err err, const char *what)
{
	char want[256];
	int i;

	(void)snprintf(want, sizeof want, "%s: %s", what,
	    err == CP_ERR_SYSTEM ? strerror(errno) : cp_strerror(err));
	for (i = 0; i < 2; i++) {
		ck_assert_int_eq(cp_link_next(tor, &step), err);
		ck_assert_int_eq(step.kind, CP_STEP_WAIT);
		ck_assert_ptr_null(step.message);
	}
	ck_assert_str_eq(cp_link_strerror(tor), want);
}

static void
let_in(void)
{
	next(CP_STEP_WAIT);
	peer_hears("PROTOCOLINFO 1\r\n");
	peer_say(OFFER_NULL);
	next(CP_STEP_WAIT);
	peer_hears("AUTHENTICATE\r\n");
	peer_say("250 OK\r\n");
	next(CP_STEP_READY);
}

static const char long_path[] = "unix:/"
	"0123456789012345678901234567890123456789012345678901234567890123456789"
	"0123456789012345678901234567890123456";

static const struct {
	const char *where, *shown;
} forms[] = {
	{ "", "" },
	{ "9051", "9051" },
	{ "localhost:9051", "localhost:9051" },
	{ "127.0.0.1", "127.0.0.1" },
	{ "127.0.0.1:0", "127.0.0.1:0" },
	{ "127.0.0.1:65536", "127.0.0.1:65536" },
	{ "::1:9051x", "::1:9051x" },
	{ "unix:", "unix:" },
	{ "UNIX:/s", "UNIX:/s" },
	{ "a\x1b[31m\n", "a?[31m?" },
	{ long_path, long_path },
};

START_TEST(another_form_is_refused)
{
	char want[256];

	(void)snprintf(want, sizeof want,
	    "%s: neither ADDRESS:PORT nor unix:PATH", forms[_i].shown);
	tor = cp_link_new(forms[_i].where, SAFE, LONG_MS);
	ck_assert_ptr_nonnull(tor);
	ck_assert_int_eq(cp_link_next(tor, &step), CP_ERR_ARG);
	ck_assert_str_eq(cp_link_strerror(tor), want);
	ck_assert_int_eq(cp_link_fd(tor), -1);
	ck_assert(!cp_link_writes(tor));
}
END_TEST

START_TEST(nobody_there)
{
	char there[80];

	(void)snprintf(there, sizeof there, "unix:%s/none", peer_dir);
	tor = cp_link_new(there, SAFE, LONG_MS);
	errno = ENOENT;
	fails(CP_ERR_SYSTEM, there);
}
END_TEST

START_TEST(no_descriptor_is_left)
{
	struct rlimit old, none = { 0 };

	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &old), 0);
	none.rlim_max = old.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &none), 0);
	tor = cp_link_new(peer_where, SAFE, LONG_MS);
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &old), 0);
	errno = EMFILE;
	fails(CP_ERR_SYSTEM, peer_where);
}
END_TEST

static void
wait_ready(void)
{
	struct pollfd p = { .fd = cp_link_fd(tor),
		.events = cp_link_writes(tor) ? POLLOUT : POLLIN };

	ck_assert_int_eq(poll(&p, 1, LONG_MS), 1);
}

START_TEST(an_address_and_a_port)
{
	bool v6 = _i == 1;
	unsigned port = peer_listen(v6 ? AF_INET6 : AF_INET);

	if (port == 0)
		return; /* a machine without this family */
	(void)snprintf(peer_where, sizeof peer_where,
	    v6 ? "[::1]:%u" : "127.0.0.1:%u", port);
	begin(CP_AUTH_NULL, LONG_MS);
	next(CP_STEP_WAIT);
	if (cp_link_writes(tor))
		wait_ready();
	peer_say(OFFER_NULL);
	wait_ready();
	next(CP_STEP_WAIT);
	peer_say("250 OK\r\n");
	wait_ready();
	next(CP_STEP_READY);
	peer_unlisten();
	cp_link_free(tor);
	tor = cp_link_new(peer_where, SAFE, LONG_MS);
	if (cp_link_next(tor, &step) == CP_OK) /* the kernel takes its time */
		wait_ready();
	errno = ECONNREFUSED;
	fails(CP_ERR_SYSTEM, peer_where);
}
END_TEST

START_TEST(bootstrap_is_told)
{
	begin(CP_AUTH_NULL, LONG_MS);
	cp_session_watch_bootstrap(cp_link_session(tor));
	let_in();
	next(CP_STEP_WAIT);
	ck_assert_int_gt(step.wait_ms, 0);
	peer_hears("SETEVENTS STATUS_CLIENT\r\n");
	peer_say("250 OK\r\n");
	next(CP_STEP_WAIT);
	peer_hears("GETINFO status/bootstrap-phase\r\n");
	peer_say("250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=5 TAG=x "
	    "SUMMARY=\"y\"\r\n250 OK\r\n");
	next(CP_STEP_BOOTSTRAP);
	ck_assert_int_eq(step.bootstrap->progress, 5);
	next(CP_STEP_WAIT);
	ck_assert_int_eq(step.wait_ms, -1);
	ck_assert_str_eq(cp_link_strerror(tor), "");
}
END_TEST

static void
offer_cookie(const char *methods, const char *file)
{
	char text[256];

	next(CP_STEP_WAIT);
	peer_hears("PROTOCOLINFO 1\r\n");
	(void)snprintf(text, sizeof text, "250-PROTOCOLINFO 1\r\n250-AUTH "
	    "METHODS=%s%s%s%s\r\n250 OK\r\n", methods,
	    file == NULL ? "" : " COOKIEFILE=\"", file == NULL ? "" : file,
	    file == NULL ? "" : "\"");
	peer_say(text);
}

static void
is_let_in(void)
{
	next(CP_STEP_WAIT);
	peer_prove(peer_hears("AUTHCHALLENGE SAFECOOKIE "));
	next(CP_STEP_WAIT);
	peer_hears("AUTHENTICATE ");
	peer_say("250 OK\r\n");
	next(CP_STEP_READY);
}

START_TEST(the_cookie_that_tor_names)
{
	peer_file("cookie", peer_cookie, sizeof peer_cookie);
	begin(SAFE, LONG_MS);
	offer_cookie("COOKIE,SAFECOOKIE", peer_path("cookie"));
	is_let_in();
}
END_TEST

START_TEST(the_cookie_that_the_caller_names)
{
	peer_file("cookie", peer_cookie, sizeof peer_cookie);
	begin(SAFE, LONG_MS);
	cp_link_cookie(tor, peer_path("cookie"));
	offer_cookie("SAFECOOKIE", "/does/not/exist");
	is_let_in();
	cp_link_cookie(tor, peer_path("cookie")); /* means nothing now */
	next(CP_STEP_WAIT);
}
END_TEST

START_TEST(each_link_has_a_nonce_of_its_own)
{
	char first[512];

	peer_file("cookie", peer_cookie, sizeof peer_cookie);
	begin(SAFE, LONG_MS);
	offer_cookie("SAFECOOKIE", peer_path("cookie"));
	next(CP_STEP_WAIT);
	(void)snprintf(first, sizeof first, "%s", peer_hears("AUTHCHALLENGE "));
	cp_link_free(tor);
	peer_close();
	begin(SAFE, LONG_MS);
	offer_cookie("SAFECOOKIE", peer_path("cookie"));
	next(CP_STEP_WAIT);
	ck_assert_str_ne(peer_hears("AUTHCHALLENGE "), first);
}
END_TEST

START_TEST(who_does_not_know_the_cookie)
{
	peer_file("cookie", peer_cookie, sizeof peer_cookie);
	begin(SAFE, LONG_MS);
	offer_cookie("SAFECOOKIE", peer_path("cookie"));
	next(CP_STEP_WAIT);
	peer_cookie[0] ^= 1;
	peer_prove(peer_hears("AUTHCHALLENGE SAFECOOKIE "));
	fails(CP_ERR_AUTH, peer_where);
	peer_hears_nothing();
}
END_TEST

START_TEST(a_file_that_is_no_cookie)
{
	static const unsigned char octets[CP_COOKIE_LEN + 1];

	begin(SAFE, LONG_MS);
	if (_i < 3)
		peer_file("cookie", octets, (size_t)(CP_COOKIE_LEN - 1 +
		    (_i == 1 ? 2 : 0)) * (_i < 2));
	else if (_i == 3)
		ck_assert_int_eq(mkfifo(peer_path("cookie"), 0600), 0);
	offer_cookie("SAFECOOKIE", _i == 4 ? peer_dir : peer_path("cookie"));
	fails(CP_ERR_COOKIE, _i == 4 ? peer_dir : peer_path("cookie"));
	peer_hears_nothing();
}
END_TEST

/* The peer may name any file: of a device that can be more than a look. */
START_TEST(what_is_no_file_is_not_opened)
{
	char event[512];
	int watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	ck_assert_int_eq(mkfifo(peer_path("cookie"), 0600), 0);
	ck_assert_int_ge(inotify_add_watch(watch, peer_path("cookie"),
	    IN_OPEN), 0);
	begin(SAFE, LONG_MS);
	offer_cookie("SAFECOOKIE", peer_path("cookie"));
	fails(CP_ERR_COOKIE, peer_path("cookie"));
	ck_assert_int_eq(read(watch, event, sizeof event), -1);
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(close(watch), 0);
}
END_TEST

START_TEST(no_file)
{
	begin(SAFE, LONG_MS);
	offer_cookie("SAFECOOKIE", _i == 0 ? peer_path("a?b") : NULL);
	errno = ENOENT;
	fails(CP_ERR_SYSTEM, _i == 0 ? peer_path("a?b") :
	    "a cookie that Tor does not name");
	peer_hears_nothing();
}
END_TEST

/* It would be sent, so that the caller judges the name. */
START_TEST(a_cookie_that_is_sent_is_the_callers)
{
	peer_file("cookie", peer_cookie, sizeof peer_cookie);
	begin(SAFE | CP_AUTH_COOKIE, LONG_MS);
	offer_cookie("COOKIE", peer_path("cookie"));
	next(CP_STEP_COOKIE);
	ck_assert_str_eq(step.path, peer_path("cookie"));
	next(CP_STEP_WAIT);
	peer_hears_nothing();
	cp_link_cookie(tor, peer_path("cookie"));
	next(CP_STEP_WAIT);
	peer_hears("AUTHENTICATE 6363636363");
}
END_TEST

START_TEST(a_password_is_the_callers)
{
	begin(CP_AUTH_HASHEDPASSWORD, LONG_MS);
	next(CP_STEP_WAIT);
	peer_hears("PROTOCOLINFO 1\r\n");
	peer_say(OFFER("HASHEDPASSWORD"));
	next(CP_STEP_PASSWORD);
	next(CP_STEP_WAIT);
	cp_session_password(cp_link_session(tor), "p", 1);
	next(CP_STEP_WAIT);
	peer_hears("AUTHENTICATE ");
	peer_say("515 no\r\n");
	fails(CP_ERR_REFUSED, peer_where);
}
END_TEST

START_TEST(a_peer_that_goes)
{
	begin(CP_AUTH_NULL, LONG_MS);
	if (_i == 0)
		next(CP_STEP_WAIT);
	peer_close();
	fails(CP_ERR_CLOSED, peer_where);
}
END_TEST

START_TEST(what_it_said_before_it_went_counts)
{
	begin(CP_AUTH_NULL, LONG_MS);
	next(CP_STEP_WAIT);
	peer_hears("PROTOCOLINFO 1\r\n");
	peer_say("HTTP/1.0 400 Bad Request\r\n");
	peer_close();
	fails(CP_ERR_NOT_TOR, peer_where);
}
END_TEST

static void
ask_big(void)
{
	static char value[BIG + 1];
	const struct cp_opt opt = { "Nickname", value };
	struct cp_cmd cmd = { 0 };

	memset(value, 'x', BIG);
	ck_assert_int_eq(cp_session_ask(cp_link_session(tor), &cmd,
	    cp_cmd_setconf(&cmd, &opt, 1), 7), CP_OK);
}

START_TEST(silence_ends)
{
	begin(CP_AUTH_NULL, 1);
	while (cp_link_next(tor, &step) == CP_OK)
		ck_assert_int_le(step.wait_ms, 1);
	fails(CP_ERR_TIMEOUT, peer_where);
}
END_TEST

/* Until its time is over; in the meantime what it says is not read. */
START_TEST(a_peer_that_takes_nothing)
{
	begin(CP_AUTH_NULL, 50);
	let_in();
	ask_big();
	next(CP_STEP_WAIT);
	ck_assert(cp_link_writes(tor));
	peer_say("250 OK\r\n");
	while (cp_link_next(tor, &step) == CP_OK) {
		ck_assert_int_eq(step.kind, CP_STEP_WAIT);
		ck_assert(step.wait_ms > 0 && step.wait_ms <= 50);
	}
	fails(CP_ERR_TIMEOUT, peer_where);
}
END_TEST

START_TEST(a_long_command_goes_out_in_pieces)
{
	static const char head[] = "SETCONF Nickname=";
	static char got[BIG + 64];
	unsigned turns = 0;
	size_t n = 0;
	ssize_t more;

	begin(CP_AUTH_NULL, UINT32_MAX);
	let_in();
	ask_big();
	do {
		next(CP_STEP_WAIT);
		more = recv(peer, got + n, sizeof got - n, 0);
		n += more > 0 ? (size_t)more : 0;
		turns += cp_link_writes(tor);
	} while (cp_link_writes(tor));
	while ((more = recv(peer, got + n, sizeof got - n, 0)) > 0)
		n += (size_t)more;
	ck_assert_uint_gt(turns, 1);
	ck_assert_int_eq(strncmp(got, head, sizeof head - 1), 0);
	ck_assert_uint_eq(strspn(strchr(got, 'x'), "x"), BIG);
	ck_assert_uint_gt(n, BIG + sizeof head - 1);
	ck_assert_ptr_eq(memchr(got, '\n', n), got + n - 1);
	peer_say("250 OK\r\n");
	next(CP_STEP_REPLY);
	ck_assert_int_eq(step.tag, 7);
}
END_TEST

START_TEST(a_peer_that_goes_in_the_middle)
{
	begin(CP_AUTH_NULL, LONG_MS);
	let_in();
	ask_big();
	next(CP_STEP_WAIT);
	ck_assert(cp_link_writes(tor));
	peer_close();
	fails(CP_ERR_CLOSED, peer_where);
	ck_assert_int_ge(cp_link_fd(tor), 0);
}
END_TEST

/* The caller's other work has its turn. */
START_TEST(who_never_stops_is_read_a_piece_at_a_time)
{
	static const char line[] = "650 NOTICE flood\r\n";
	char lines[16 * sizeof line] = "";
	unsigned i, events = 0;

	for (i = 0; i < 16; i++)
		strcat(lines, line);
	begin(CP_AUTH_NULL, LONG_MS);
	let_in();
	next(CP_STEP_WAIT);
	for (i = 0; i < 64; i++)
		peer_say(lines);
	while (cp_link_next(tor, &step) == CP_OK && step.kind != CP_STEP_WAIT) {
		ck_assert_int_eq(step.kind, CP_STEP_EVENT);
		events++;
	}
	ck_assert_uint_gt(events, 0);
	ck_assert_uint_lt(events, 4096 / strlen(line) + 1);
	next(CP_STEP_EVENT);
}
END_TEST

START_TEST(free_closes)
{
	char c;

	begin(CP_AUTH_NULL, LONG_MS);
	ck_assert_int_eq(fcntl(cp_link_fd(tor), F_GETFD), FD_CLOEXEC);
	cp_link_free(tor);
	tor = NULL;
	ck_assert_int_eq(recv(peer, &c, 1, 0), 0);
	cp_link_free(NULL);
}
END_TEST

START_TEST(out_of_memory)
{
	unsigned n = 0;

	do {
		cputil_fail_alloc(++n);
		tor = cp_link_new(peer_where, SAFE, LONG_MS);
	} while (tor == NULL && n < 32);
	cputil_fail_alloc(0);
	ck_assert_uint_gt(n, 3);
	ck_assert_ptr_nonnull(tor);
}
END_TEST

static Suite *
link_suite(void)
{
	Suite *s = suite_create("link");
	TCase *tc = tcase_create("link");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, another_form_is_refused, 0, NELEM(forms));
	tcase_add_test(tc, nobody_there);
	tcase_add_test(tc, no_descriptor_is_left);
	tcase_add_loop_test(tc, an_address_and_a_port, 0, 2);
	tcase_add_test(tc, bootstrap_is_told);
	tcase_add_test(tc, the_cookie_that_tor_names);
	tcase_add_test(tc, the_cookie_that_the_caller_names);
	tcase_add_test(tc, each_link_has_a_nonce_of_its_own);
	tcase_add_test(tc, who_does_not_know_the_cookie);
	tcase_add_loop_test(tc, a_file_that_is_no_cookie, 0, 5);
	tcase_add_test(tc, what_is_no_file_is_not_opened);
	tcase_add_loop_test(tc, no_file, 0, 2);
	tcase_add_test(tc, a_cookie_that_is_sent_is_the_callers);
	tcase_add_test(tc, a_password_is_the_callers);
	tcase_add_loop_test(tc, a_peer_that_goes, 0, 2);
	tcase_add_test(tc, what_it_said_before_it_went_counts);
	tcase_add_test(tc, silence_ends);
	tcase_add_test(tc, a_peer_that_takes_nothing);
	tcase_add_test(tc, a_long_command_goes_out_in_pieces);
	tcase_add_test(tc, a_peer_that_goes_in_the_middle);
	tcase_add_test(tc, who_never_stops_is_read_a_piece_at_a_time);
	tcase_add_test(tc, free_closes);
	tcase_add_test(tc, out_of_memory);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return cputil_run(link_suite());
}
