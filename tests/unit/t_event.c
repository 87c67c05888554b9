#include "tests/unit/cputil.h"

#include <stdbool.h>
#include <string.h>

#include "controlproto/event.h"

struct kind {
	const char *wire;
	enum cp_event_kind kind;
	const char *action;
	const char *text;
	enum cp_severity severity;
};

/* clang-format off */
static const struct kind kinds[] = {
	{ "650 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n",
	    CP_EV_CIRCUIT_ESTABLISHED, "CIRCUIT_ESTABLISHED", "",
	    CP_SEV_NOTICE },
	{ "650 STATUS_CLIENT NOTICE CIRCUIT_NOT_ESTABLISHED "
	  "REASON=CLOCK_JUMPED\r\n", CP_EV_CIRCUIT_NOT_ESTABLISHED,
	    "CIRCUIT_NOT_ESTABLISHED", "REASON=CLOCK_JUMPED",
	    CP_SEV_NOTICE },
	{ "650 STATUS_CLIENT NOTICE ENOUGH_DIR_INFO\r\n",
	    CP_EV_ENOUGH_DIR_INFO, "ENOUGH_DIR_INFO", "", CP_SEV_NOTICE },
	{ "650 STATUS_CLIENT NOTICE NOT_ENOUGH_DIR_INFO\r\n",
	    CP_EV_NOT_ENOUGH_DIR_INFO, "NOT_ENOUGH_DIR_INFO", "",
	    CP_SEV_NOTICE },
	{ "650 STATUS_CLIENT WARN BOOTSTRAP PROGRESS=5\r\n", CP_EV_BOOTSTRAP,
	    "BOOTSTRAP", "PROGRESS=5", CP_SEV_WARN },
	{ "650 STATUS_GENERAL WARN CLOCK_JUMPED TIME=120 IDLE=0\r\n",
	    CP_EV_CLOCK_JUMPED, "CLOCK_JUMPED", "TIME=120 IDLE=0",
	    CP_SEV_WARN },
	{ "650 STATUS_GENERAL WARN CLOCK_SKEW SKEW=-172800 SOURCE=OR:x\r\n",
	    CP_EV_CLOCK_SKEW, "CLOCK_SKEW", "SKEW=-172800 SOURCE=OR:x",
	    CP_SEV_WARN },
	{ "650 STATUS_GENERAL ERR DIR_ALL_UNREACHABLE\r\n", CP_EV_STATUS,
	    "DIR_ALL_UNREACHABLE", "", CP_SEV_ERR },
	{ "650 STATUS_CLIENT WARN SOCKS_UNKNOWN_PROTOCOL "
	  "DATA=\"\"GET / HT\"\"\r\n", CP_EV_STATUS, "SOCKS_UNKNOWN_PROTOCOL",
	    "DATA=\"\"GET / HT\"\"", CP_SEV_WARN },
	{ "650 STATUS_SERVER NOTICE HIBERNATION_STATUS STATUS=SOFT\r\n",
	    CP_EV_STATUS, "HIBERNATION_STATUS", "STATUS=SOFT",
	    CP_SEV_NOTICE },
	{ "650 STATUS_SEVER NOTICE X\r\n", CP_EV_STATUS, "X", "",
	    CP_SEV_NOTICE },
	/* An unknown severity is unrecognised, not absent. */
	{ "650 STATUS_CLIENT LOUD CIRCUIT_NOT_ESTABLISHED\r\n",
	    CP_EV_CIRCUIT_NOT_ESTABLISHED, "CIRCUIT_NOT_ESTABLISHED", "",
	    CP_SEV_UNKNOWN },
	/* Extra lines and words. */
	{ "650-STATUS_CLIENT NOTICE ENOUGH_DIR_INFO A=b c\r\n650 OK\r\n",
	    CP_EV_ENOUGH_DIR_INFO, "ENOUGH_DIR_INFO", "A=b c",
	    CP_SEV_NOTICE },
	{ "650-CONF_CHANGED\r\n650-SocksPort=9050\r\n650 OK\r\n",
	    CP_EV_CONF_CHANGED, "", "", CP_SEV_UNKNOWN },
	{ "650 SIGNAL RELOAD\r\n", CP_EV_SIGNAL, "RELOAD", "",
	    CP_SEV_UNKNOWN },
	{ "650 NETWORK_LIVENESS UP\r\n", CP_EV_LIVENESS, "UP", "",
	    CP_SEV_UNKNOWN },
	{ "650 NETWORK_LIVENESS DOWN\r\n", CP_EV_LIVENESS, "DOWN", "",
	    CP_SEV_UNKNOWN },
	{ "650 TRANSPORT_LAUNCHED client obfs4 127.0.0.1 1234\r\n",
	    CP_EV_TRANSPORT_LAUNCHED, "client",
	    "client obfs4 127.0.0.1 1234", CP_SEV_UNKNOWN },
	{ "650 NOTICE Bootstrapped 5% (conn)\r\n", CP_EV_LOG, "",
	    "Bootstrapped 5% (conn)", CP_SEV_NOTICE },
	{ "650 DEBUG x\r\n", CP_EV_LOG, "", "x", CP_SEV_DEBUG },
	{ "650 INFO x\r\n", CP_EV_LOG, "", "x", CP_SEV_INFO },
	{ "650 WARN a\rb\r\n", CP_EV_LOG, "", "a\rb", CP_SEV_WARN },
	{ "650 ERR \r\n", CP_EV_LOG, "", "", CP_SEV_ERR },
	{ "650+WARN\r\nline one\r\nline two\r\n.\r\n650 OK\r\n", CP_EV_LOG,
	    "", "line one\nline two", CP_SEV_WARN },
	/* A log text is no event, whatever it says. */
	{ "650 NOTICE STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n",
	    CP_EV_LOG, "", "STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED",
	    CP_SEV_NOTICE },
};
/* clang-format on */

START_TEST(known_events_are_recognised)
{
	const struct kind *k = &kinds[_i];
	struct cp_reply *reply = cputil_reply(k->wire);
	struct cp_event ev;

	cp_event_parse(&ev, reply);
	ck_assert_int_eq(ev.kind, k->kind);
	ck_assert_int_eq(ev.severity, k->severity);
	ck_str(ev.action, k->action);
	ck_str(ev.text, k->text);
	cp_reply_free(reply);
}
END_TEST

static const char *const others[] = {
	"650 \r\n",
	"650 WHATEVER NOTICE BOOTSTRAP PROGRESS=100\r\n",
	"650 STATUS_CLIENT\r\n",
	"650 STATUS_CLIENT NOTICE\r\n",
	"650 STATUS_CLIENT NOTICE \r\n",
	"650 STATUS_CLIENT CIRCUIT_ESTABLISHED\r\n",
	"650  STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n",
	"650 status_client NOTICE CIRCUIT_ESTABLISHED\r\n",
	"650 STATUS_CLIENTS NOTICE CIRCUIT_ESTABLISHED\r\n",
	"650 SIGNAL\r\n",
	"650 NETWORK_LIVENESS\r\n",
	"650 NETWORK_LIVENESS up\r\n",
	"650 NETWORK_LIVENESS SIDEWAYS\r\n",
	"650 TRANSPORT_LAUNCHED\r\n",
	"650 CONF_CHANGED_TOO\r\n",
	"650 BW 1 2\r\n",
	"650 GUARD ENTRY $0123456789012345678901234567890123456789~ UP\r\n",
	"650 ADDRMAP a b \"2026-01-01 00:00:00\" EXPIRES=\"x\r\n",
	"650+NS\r\nr x\r\n.\r\n650 OK\r\n",
	"650 STREAM\r\n",
	"650 STREAM 1\r\n",
	"650 STREAM 1 NEW\r\n",
	"650 STREAM 1 NEW 0\r\n",
	"650 STREAM x NEW 0 a:1\r\n",
	"650 STREAM 1 NEW x a:1\r\n",
	"650 STREAM 1  0 a:1\r\n",
	"650 STREAM 99999999999999999999 NEW 0 a:1\r\n",
	/* Somebody asked for a name with blanks in it. */
	"650 STREAM 1 NEWRESOLVE 0 x SOURCE_ADDR=10.0.0.1:1 "
	"SESSION_GROUP=-9:0 SOURCE_ADDR=10.0.0.9:9 SESSION_GROUP=-3\r\n",
	"650 STREAM 1 NEWRESOLVE 0 x SOURCE_ADDR=10.0.0.1:1 "
	"SESSION_GROUP=-9 A=\":0 SOURCE_ADDR=10.0.0.9:9 SESSION_GROUP=-3\r\n",
	"651 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n",
	"699 SIGNAL RELOAD\r\n",
	"250 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n",
};

START_TEST(everything_else_is_other)
{
	struct cp_reply *reply = cputil_reply(others[_i]);
	struct cp_event ev;

	cp_event_parse(&ev, reply);
	ck_assert_int_eq(ev.kind, CP_EV_OTHER);
	cp_reply_free(reply);
}
END_TEST

START_TEST(an_action_of_another_family_is_only_a_status)
{
	static const char *const wires[] = {
		"650 STATUS_GENERAL NOTICE CIRCUIT_ESTABLISHED\r\n",
		"650 STATUS_GENERAL NOTICE BOOTSTRAP PROGRESS=100\r\n",
		"650 STATUS_SERVER NOTICE ENOUGH_DIR_INFO\r\n",
		"650 STATUS_CLIENT WARN CLOCK_JUMPED TIME=1\r\n",
		"650 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED2\r\n",
		"650 STATUS_CLIENT NOTICE circuit_established\r\n",
		"650 STATUS_CLIENT NOTICE XCIRCUIT_ESTABLISHED\r\n",
	};
	struct cp_reply *reply = cputil_reply(wires[_i]);
	struct cp_event ev;

	cp_event_parse(&ev, reply);
	ck_assert_int_eq(ev.kind, CP_EV_STATUS);
	ck_assert_int_eq(ev.boot.progress, -1);
	cp_reply_free(reply);
}
END_TEST

START_TEST(a_bootstrap_event_carries_its_fields)
{
	struct cp_reply *reply = cputil_reply(
	    "650 STATUS_CLIENT WARN BOOTSTRAP"
	    " PROGRESS=5 TAG=conn SUMMARY=\"Connecting to a relay\""
	    " WARNING=\"Connection refused\" REASON=CONNECTREFUSED COUNT=11"
	    " RECOMMENDATION=warn HOSTID=\"?\" HOSTADDR=\"192.0.2.1:443\"\r\n");
	struct cp_event ev;

	cp_event_parse(&ev, reply);
	ck_assert_int_eq(ev.kind, CP_EV_BOOTSTRAP);
	ck_assert_int_eq(ev.boot.progress, 5);
	ck_assert_uint_eq(ev.boot.count, 11);
	ck_assert_int_eq(ev.boot.severity, CP_SEV_WARN);
	ck_assert(ev.boot.warn);
	ck_assert(!ev.boot.cut);
	ck_str(ev.boot.tag, "conn");
	ck_str(ev.boot.summary, "Connecting to a relay");
	ck_str(ev.boot.warning, "Connection refused");
	ck_str(ev.boot.reason, "CONNECTREFUSED");
	cp_reply_free(reply);
}
END_TEST

START_TEST(a_stream_event_carries_its_fields)
{
	struct cp_reply *reply = cputil_reply(
	    "650 STREAM 54 NEW 0 192.0.2.1:443 SOURCE_ADDR=fd19::10:38442"
	    " PURPOSE=USER SOCKS_USERNAME=\"a ISO_FIELDS=x\""
	    " CLIENT_PROTOCOL=SOCKS5 NYM_EPOCH=0 SESSION_GROUP=-8"
	    " ISO_FIELDS=DESTADDR,SESSION_GROUP\r\n");
	struct cp_event ev;

	cp_event_parse(&ev, reply);
	ck_assert_int_eq(ev.kind, CP_EV_STREAM);
	ck_str(ev.action, "NEW");
	ck_str(ev.stream.id, "54");
	ck_str(ev.stream.circuit, "0");
	ck_str(ev.stream.target, "192.0.2.1:443");
	ck_str(ev.stream.source, "fd19::10:38442");
	ck_str(ev.stream.protocol, "SOCKS5");
	ck_str(ev.stream.group, "-8");
	ck_str(ev.stream.fields, "DESTADDR,SESSION_GROUP");
	cp_reply_free(reply);
}
END_TEST

START_TEST(a_stream_event_may_lack_what_an_old_tor_does_not_say)
{
	struct cp_reply *reply = cputil_reply(
	    "650 STREAM 54 CLOSED 7 :0 REASON=DONE\r\n");
	struct cp_event ev;

	cp_event_parse(&ev, reply);
	ck_assert_int_eq(ev.kind, CP_EV_STREAM);
	ck_str(ev.action, "CLOSED");
	ck_str(ev.stream.circuit, "7");
	ck_str(ev.stream.target, ":0");
	ck_str(ev.stream.source, "");
	ck_str(ev.stream.group, "");
	cp_reply_free(reply);
}
END_TEST

struct boot {
	const char *line;
	int progress;
	uint64_t count;
	bool warn, cut;
	const char *tag, *warning;
};

/* clang-format off */
static const struct boot boots[] = {
	{ "NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY=\"Done\"", 100, 0,
	    false, false, "done", "" },
	{ "NOTICE BOOTSTRAP", -1, 0, false, false, "", "" },
	{ "NOTICE BOOTSTRAP PROGRESS=", -1, 0, false, false, "", "" },
	{ "NOTICE BOOTSTRAP PROGRESS=-1", -1, 0, false, false, "", "" },
	{ "NOTICE BOOTSTRAP PROGRESS=101", -1, 0, false, false, "", "" },
	{ "NOTICE BOOTSTRAP PROGRESS=100%", -1, 0, false, false, "", "" },
	{ "NOTICE BOOTSTRAP PROGRESS=18446744073709551717", -1, 0, false,
	    false, "", "" },
	{ "NOTICE BOOTSTRAP XPROGRESS=100", -1, 0, false, false, "", "" },
	{ "NOTICE BOOTSTRAP PROGRESS=0 COUNT=18446744073709551615", 0,
	    UINT64_MAX, false, false, "", "" },
	{ "NOTICE BOOTSTRAP PROGRESS=0 COUNT=18446744073709551616", 0, 0,
	    false, false, "", "" },
	{ "WARN BOOTSTRAP TAG=conn PROGRESS=5 RECOMMENDATION=ignore", 5, 0,
	    false, false, "conn", "" },
	/* The first one counts; a text cannot add a keyword. */
	{ "WARN BOOTSTRAP PROGRESS=5 TAG=a WARNING=\"x PROGRESS=100 TAG=b\" "
	  "PROGRESS=100 RECOMMENDATION=warn", 5, 0, true, false, "a",
	    "x PROGRESS=100 TAG=b" },
	{ "WARN BOOTSTRAP WARNING=\"x PROGRESS=100\"", -1, 0, false, false,
	    "", "x PROGRESS=100" },
	/* Tor does not escape this one. */
	{ "WARN BOOTSTRAP PROGRESS=5 WARNING=\"a \"b\"c\" COUNT=2", 5, 2,
	    false, false, "", "a \"b\"c" },
	/* Tor's buffer has 1024 octets, whatever is in it. */
	{ "WARN BOOTSTRAP PROGRESS=5 TAG=conn WARNING=\"Connection ref", 5, 0,
	    false, true, "conn", "Connection ref" },
	{ "WARN BOOTSTRAP PROGRESS=5 WARNING=\"", 5, 0, false, true, "", "" },
	{ "WARN BOOTSTRAP PROGRESS=5 WARNING=\"a\\\"", 5, 0, false, true, "",
	    "a\\\"" },
	{ "WARN BOOTSTRAP PROGRESS=5 WARNING=\"a\" COUNT=3 HOSTADDR=\"192",
	    5, 3, false, true, "", "a" },
};
/* clang-format on */

START_TEST(bootstrap_lines_are_read_tolerantly)
{
	const struct boot *b = &boots[_i];
	struct cp_bootstrap boot;

	ck_assert(cp_bootstrap_parse(&boot, cp_str_of(b->line)));
	ck_assert_int_eq(boot.progress, b->progress);
	ck_assert_uint_eq(boot.count, b->count);
	ck_assert_int_eq(boot.warn, b->warn);
	ck_assert_int_eq(boot.cut, b->cut);
	ck_str(boot.tag, b->tag);
	ck_str(boot.warning, b->warning);
}
END_TEST

START_TEST(a_line_that_is_not_bootstrap_is_none)
{
	static const char *const lines[] = { "", "NOTICE", "BOOTSTRAP",
		"NOTICE BOOTSTRAPPED PROGRESS=100", "BOOTSTRAP PROGRESS=100",
		"NOTICE  BOOTSTRAP PROGRESS=100" };
	struct cp_bootstrap boot;

	ck_assert(!cp_bootstrap_parse(&boot, cp_str_of(lines[_i])));
	ck_assert_int_eq(boot.progress, -1);
}
END_TEST

START_TEST(a_keyword_is_found_only_where_a_field_begins)
{
	struct cp_str line = cp_str_of("ENTRY \"KEY=1\" A=\"KEY=2 KEY=3\" "
				       "XKEY=4 KEY_=5 $KEY=6 KEY=7 KEY=8");
	struct cp_str value;
	bool cut = true;

	ck_assert(cp_kv_find(&value, line, "KEY", &cut));
	ck_str(value, "7");
	ck_assert(!cut);
	ck_assert(cp_kv_find(&value, line, "A", NULL));
	ck_str(value, "\"KEY=2 KEY=3\"");
	ck_assert(!cp_kv_find(&value, line, "ENTRY", &cut));
	ck_assert_uint_eq(value.n, 0);
	ck_assert(!cp_kv_find(&value, (struct cp_str){ NULL, 0 }, "A", &cut));
	ck_assert(!cut);
}
END_TEST

struct shown {
	const char *line, *want;
};

static const struct shown shown[] = {
	{ "NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY=\"Done\"",
	    "100% Done" },
	{ "WARN BOOTSTRAP PROGRESS=14 SUMMARY=\"A \033[31mb\" WARNING=\"C\" "
	  "RECOMMENDATION=warn", "14% A ?[31mb: C" },
	{ "WARN BOOTSTRAP PROGRESS=14 SUMMARY=\"A\" WARNING=\"C\" "
	  "RECOMMENDATION=ignore", "14% A" },
	{ "NOTICE BOOTSTRAP PROGRESS=x", "?% " },
	{ "NOTICE BOOTSTRAP PROGRESS=5 SUMMARY=\"12345678901234567890\"",
	    "5% 1234567890123456" },
};

START_TEST(a_bootstrap_is_shown_in_one_line)
{
	struct cp_bootstrap boot;
	char text[20], least[1];

	ck_assert(cp_bootstrap_parse(&boot, cp_str_of(shown[_i].line)));
	cp_bootstrap_show(text, sizeof text, &boot);
	ck_assert_str_eq(text, shown[_i].want);
	cp_bootstrap_show(least, sizeof least, &boot);
	ck_assert_str_eq(least, "");
}
END_TEST

START_TEST(streams_are_told_one_by_one)
{
	struct cp_str status, rest = cp_str_of(
	    "30 SENTRESOLVE 4 www.example.com:0\n31 NEWRESOLVE 0 :0\n"
	    "18446744073709551615 CONTROLLER_WAIT 7 a b c\n"
	    "0 NEW 0 [2001:db8::1]:443\n");
	uint64_t id;

	ck_assert_int_eq(cp_streams_next(&id, &status, &rest), 1);
	ck_assert_uint_eq(id, 30);
	ck_str(status, "SENTRESOLVE");
	ck_assert_int_eq(cp_streams_next(&id, &status, &rest), 1);
	ck_assert_uint_eq(id, 31);
	ck_str(status, "NEWRESOLVE");
	ck_assert_int_eq(cp_streams_next(&id, &status, &rest), 1);
	ck_assert_uint_eq(id, UINT64_MAX);
	ck_str(status, "CONTROLLER_WAIT");
	ck_assert_int_eq(cp_streams_next(&id, &status, &rest), 1);
	ck_assert_uint_eq(id, 0);
	ck_str(status, "NEW");
	ck_assert_int_eq(cp_streams_next(&id, &status, &rest), 0);
	ck_assert_int_eq(cp_streams_next(&id, &status, &rest), 0);
}
END_TEST

/* The third has a status of 33 letters. */
static const char *const no_streams[] = {
	"\n",
	"7",
	"7 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA 0 a:0",
	"7 NEW",
	"7 NEW 0",
	"7 NEW 0 ",
	"7 NEW  a:0",
	"7 NEW x a:0",
	"7  0 a:0",
	"7 new 0 a:0",
	"7 NEW\r 0 a:0",
	" 7 NEW 0 a:0",
	"x NEW 0 a:0",
	"-7 NEW 0 a:0",
	"+7 NEW 0 a:0",
	"7x NEW 0 a:0",
	"18446744073709551616 NEW 0 a:0",
	"7 NEW 18446744073709551616 a:0",
	"\n7 NEW 0 a:0",
};

START_TEST(what_is_no_stream_ends_the_walk)
{
	struct cp_str status, rest = cp_str_of(no_streams[_i]);
	const size_t n = rest.n;
	uint64_t id;

	ck_assert_int_eq(cp_streams_next(&id, &status, &rest), -1);
	ck_assert_uint_eq(rest.n, n);
	ck_assert_int_eq(cp_streams_next(&id, &status, &rest), -1);
}
END_TEST

START_TEST(a_status_may_be_as_long_as_that)
{
	struct cp_str status, rest = cp_str_of(
	    "7 AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA 0 a:0\n?");
	uint64_t id;

	ck_assert_int_eq(cp_streams_next(&id, &status, &rest), 1);
	ck_assert_uint_eq(status.n, 32);
	ck_assert_int_eq(cp_streams_next(&id, &status, &rest), -1);
}
END_TEST

static Suite *
event_suite(void)
{
	Suite *s = suite_create("event");
	TCase *tc = tcase_create("event");

	tcase_add_loop_test(tc, known_events_are_recognised, 0, NELEM(kinds));
	tcase_add_loop_test(tc, everything_else_is_other, 0, NELEM(others));
	tcase_add_loop_test(
	    tc, an_action_of_another_family_is_only_a_status, 0, 7);
	tcase_add_test(tc, a_bootstrap_event_carries_its_fields);
	tcase_add_test(tc, a_stream_event_carries_its_fields);
	tcase_add_test(tc,
	    a_stream_event_may_lack_what_an_old_tor_does_not_say);
	tcase_add_loop_test(
	    tc, bootstrap_lines_are_read_tolerantly, 0, NELEM(boots));
	tcase_add_loop_test(tc, a_line_that_is_not_bootstrap_is_none, 0, 6);
	tcase_add_test(tc, a_keyword_is_found_only_where_a_field_begins);
	tcase_add_loop_test(tc, a_bootstrap_is_shown_in_one_line, 0,
	    NELEM(shown));
	tcase_add_test(tc, streams_are_told_one_by_one);
	tcase_add_loop_test(tc, what_is_no_stream_ends_the_walk, 0,
	    NELEM(no_streams));
	tcase_add_test(tc, a_status_may_be_as_long_as_that);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return cputil_run(event_suite());
}
