#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/cli/format.h"
#include "supervisor/cli/table.h"
#include "supervisor/status/encode.h"
#include "supervisor/status/listeners.h"
#include "tests/unit/status_sample.h"

/* The line that the status process makes of V: both ends in one test. */
static json_t *
line_of(const struct status_view *v)
{
	struct status_stamp st = { .now_ns = SAMPLE_NOW,
		.time = "2026-01-31T23:59:59.123Z" };
	size_t len;
	char *text = status_encode(v, &st, &len);
	json_t *line = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(line);
	free(text);
	return line;
}

static char *
human(const json_t *line)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(out);
	cli_format_status(out, line, false);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

/* The line with the table in it, as status.sock puts it there. */
static json_t *
line_with_table(const struct status_view *v, bool sure)
{
	json_t *line = line_of(v), *table;
	size_t len;
	char *text = status_listeners_table(&v->table, sure, &len);

	table = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(table);
	ck_assert_int_eq(json_object_set_new(json_object_get(line,
	    "listeners"), "table", table), 0);
	free(text);
	return line;
}

/* Takes LINE. */
static void
assert_listeners(json_t *line, bool known, const char *want)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(out);
	ck_assert(cli_format_listeners(out, line) == known);
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_str_eq(text, want);
	free(text);
	json_decref(line);
}

#define SET(dst, text) (void)snprintf(dst, sizeof dst, "%s", text)

/* Five listeners, each with something of its own, and three of Tor's. */
static void
varied_view(struct status_view *v)
{
	struct snap_listener *l;
	struct snapshot *s = &v->snap;

	sample_view(v);
	sample_table(v, 5);
	l = v->table.lines;
	SET(l[0].app, "an application with a long name indeed");
	l[1].kind = POL_HTTPTUNNEL;
	l[1].state = SNAP_LS_WITHHELD;
	l[1].why = SNAP_L_FOREIGN;
	l[1].uid = 1000;
	l[1].pid = 1234;
	l[2].state = SNAP_LS_WITHHELD;
	l[2].why = SNAP_L_NO_ADDRESS;
	l[2].uid = UINT32_MAX;
	SET(l[2].address, "interface:eth1:ipv6:9002");
	l[3].state = SNAP_LS_LISTENING;
	l[3].why = SNAP_L_STALE;
	l[3].flags_sure = 0;
	l[4].unix_socket = 1;
	l[4].app[0] = l[4].flags[0] = '\0';
	SET(l[4].address, "unix:/run/tor/socks");
	v->table.gated = 1;
	s->nlisteners_proven = 2;
	s->nwithheld = 2;
	s->nextra = 10;
	s->nalarm = 1;
	s->extra[0] = (struct snap_extra){ .kind = POL_DNS, .alarm = 1,
		.address = "0.0.0.0:5399" };
	for (int i = 1; i < SNAP_MAX_EXTRA; i++)
		s->extra[i] = (struct snap_extra){ .address = "127.0.0.1:1" };
}

START_TEST(table_is_told_with_every_reason)
{
	struct status_view v;

	varied_view(&v);
	assert_listeners(line_with_table(&v, true), true,
	    "The gate is open: traffic goes through Tor.\n\n"
	    "NAME           KIND        ADDRESS                   STATE      "
	    "OWNER              FLAGS\n"
	    "socks-0        socks       10.0.0.1:9000             open       "
	    "uid 107            IsolateDestAddr\n"
	    "socks-1 (app)  httptunnel  10.0.0.1:9001             withheld   "
	    "uid 1000 pid 1234  IsolateDestAddr\n"
	    "    port taken by process 1234 of user 1000\n"
	    "socks-2 (app)  socks       interface:eth1:ipv6:9002  withheld   "
	    "-                  IsolateDestAddr\n"
	    "    address not on this machine\n"
	    "socks-3 (app)  socks       10.0.0.1:9003             listening  "
	    "uid 107            IsolateDestAddr (in doubt)\n"
	    "    its flags may not be in force yet\n"
	    "socks-4        socks       unix:/run/tor/socks       proven     "
	    "uid 107            -\n"
	    "\n"
	    "Listeners   2 of 5 proven, 1 open, 2 withheld\n"
	    "Extra       10 of Tor's that the policy does not name, "
	    "1 with an alarm\n"
	    "ALARM       dns 0.0.0.0:5399: wider than this machine, or in the "
	    "policy's way; not opened: remove it from torrc, or name it in "
	    "the policy\n"
	    "            socks 127.0.0.1:1\n"
	    "            socks 127.0.0.1:1\n"
	    "            socks 127.0.0.1:1\n"
	    "            socks 127.0.0.1:1\n"
	    "            socks 127.0.0.1:1\n"
	    "            socks 127.0.0.1:1\n"
	    "            socks 127.0.0.1:1\n"
	    "            and 2 more\n");
	status_view_clear(&v);
}
END_TEST

START_TEST(missing_table_is_said_to_be)
{
	static const char want[] = "The table of listeners is not known "
	    "now.\n";
	struct status_view v;
	json_t *line;

	sample_view(&v);
	assert_listeners(line_of(&v), false, want);
	line = line_of(&v);
	ck_assert_int_eq(json_object_set_new(json_object_get(line,
	    "listeners"), "table", json_null()), 0);
	assert_listeners(line, false, want);
	assert_listeners(json_object(), false, want);
}
END_TEST

/* In every position, known or not: open where it is known to be. */
START_TEST(open_is_told_only_where_it_is_known)
{
	struct status_view v;
	json_t *line, *table;
	const char *state;
	bool is_known = _i < GATE_NWANT;

	sample_view(&v);
	sample_table(&v, 2);
	v.table.lines[1].unix_socket = 1; /* only "gated" comes of it */
	v.snap.gate.position = (uint32_t)_i % GATE_NWANT;
	v.snap.gate.known = is_known;
	line = line_with_table(&v, true);
	table = cli_table_new(line);
	state = json_string_value(json_object_get(json_array_get(table, 0),
	    "state"));
	ck_assert_str_eq(state, _i == GATE_OPEN ? "open" : "proven");
	state = json_string_value(json_object_get(json_array_get(table, 1),
	    "state"));
	ck_assert_str_eq(state, "proven");
	json_decref(table);
	json_decref(line);
	status_view_clear(&v);
}
END_TEST

/* An engine in doubt with a gate that was open: no state is known. */
START_TEST(unknown_state_is_never_open)
{
	struct status_view v;
	json_t *line, *table;

	sample_view(&v);
	sample_table(&v, 1);
	line = line_with_table(&v, false);
	table = cli_table_new(line);
	ck_assert_str_eq(json_string_value(json_object_get(
	    json_array_get(table, 0), "state")), "unknown");
	json_decref(table);
	json_decref(line);
	status_view_clear(&v);
}
END_TEST

static const struct {
	const char *l, *want;
} whys[] = {
	{ "{\"why\":null}", "" },
	{ "{}", "" },
	{ "[]", "" },
	{ "{\"why\":\"not-checked\"}", "not checked yet" },
	{ "{\"why\":\"not-reported\"}", "Tor does not report it" },
	{ "{\"why\":\"no-socket\"}", "nothing listens there" },
	{ "{\"why\":\"flags\"}", "Tor has it with other flags" },
	{ "{\"why\":\"refused\"}", "Tor could not open it" },
	{ "{\"why\":\"socket-file\"}",
	    "its path is not the socket that listens" },
	{ "{\"why\":\"foreign\"}", "port taken by another program" },
	{ "{\"why\":\"foreign\",\"uid\":7}",
	    "port taken by a program of user 7" },
	{ "{\"why\":\"new\\u001bcode\"}", "new?code" },
};
#define NWHYS ((int)(sizeof whys / sizeof whys[0]))

START_TEST(reason_is_a_clause)
{
	json_t *l = json_loads(whys[_i].l, 0, NULL);
	char text[128];

	cli_table_why(text, sizeof text, l);
	ck_assert_str_eq(text, whys[_i].want);
	json_decref(l);
}
END_TEST

/* Every word that status.sock can say has words for people. */
START_TEST(every_reason_has_words)
{
	json_t *l = json_pack("{s:s}", "why", snap_listener_why_name(
	    (enum snap_listener_why)_i));
	char text[128];

	cli_table_why(text, sizeof text, l);
	ck_assert_ptr_nonnull(strchr(text, ' '));
	json_decref(l);
}
END_TEST

START_TEST(strange_tables_are_harmless)
{
	static const char *const lines[] = {
		"{\"listeners\":{\"table\":[]}}",
		"{\"listeners\":{\"table\":[1,null,[],{}]}}",
		"{\"position\":\"open\",\"listeners\":{\"table\":[{\"name\":"
		"\"\\u001b[2J\",\"app\":[],\"uid\":\"x\",\"state\":7,"
		"\"gated\":true,\"why\":\"\\u0007\"}],\"extra\":-1,"
		"\"alarms\":5,\"extras\":[null,{\"alarm\":true}]}}",
	};
	json_t *line = json_loads(lines[_i], 0, NULL);
	char *text = NULL;
	size_t len, i;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(line);
	ck_assert_ptr_nonnull(out);
	ck_assert(cli_format_listeners(out, line));
	ck_assert_int_eq(fclose(out), 0);
	for (i = 0; i < len; i++)
		ck_assert(text[i] == '\n' ||
		    (text[i] >= 0x20 && text[i] <= 0x7e));
	free(text);
	json_decref(line);
}
END_TEST

/* Something is cut, but not that. */
START_TEST(doubt_about_the_longest_flags_is_told)
{
	struct status_view v;
	json_t *line;
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	sample_view(&v);
	sample_table(&v, 1);
	memset(v.table.lines[0].flags, 'x', POL_FLAGS_LEN - 1);
	v.table.lines[0].flags_sure = 0;
	line = line_with_table(&v, true);
	ck_assert_ptr_nonnull(out);
	ck_assert(cli_format_listeners(out, line));
	ck_assert_int_eq(fclose(out), 0);
	ck_assert_ptr_nonnull(strstr(text, "xxx (in doubt)\n"));
	free(text);
	json_decref(line);
	status_view_clear(&v);
}
END_TEST

START_TEST(status_tells_withheld_ones_and_alarms)
{
	struct status_view v;
	json_t *line;
	char *text;

	varied_view(&v);
	v.snap.ntrouble = 1;
	v.snap.trouble[0] = (struct snap_trouble){ .why = SNAP_L_FOREIGN,
		.uid = 1000, .pid = 1234, .name = "socks-1",
		.address = "10.0.0.1:9001" };
	line = line_of(&v);
	text = human(line);
	ck_assert_ptr_nonnull(strstr(text,
	    "Listeners   2 of 5 proven, 1 open, 2 withheld\n"
	    "            socks-1 10.0.0.1:9001: port taken by process 1234 of "
	    "user 1000\n"
	    "            and 2 more\n"
	    "Extra       10 of Tor's that the policy does not name, "
	    "1 with an alarm\n"
	    "ALARM       dns 0.0.0.0:5399: wider than this machine, or in the "
	    "policy's way; not opened: remove it from torrc, or name it in "
	    "the policy\n"
	    "Firewall "));
	free(text);
	json_decref(line);
	status_view_clear(&v);
}
END_TEST

static void
add_table_tests(TCase *tc)
{
	tcase_add_test(tc, table_is_told_with_every_reason);
	tcase_add_test(tc, missing_table_is_said_to_be);
	tcase_add_loop_test(tc, open_is_told_only_where_it_is_known, 0,
	    2 * GATE_NWANT);
	tcase_add_test(tc, unknown_state_is_never_open);
	tcase_add_loop_test(tc, reason_is_a_clause, 0, NWHYS);
	tcase_add_loop_test(tc, every_reason_has_words, SNAP_L_OK + 1,
	    SNAP_NLWHY);
	tcase_add_loop_test(tc, strange_tables_are_harmless, 0, 3);
	tcase_add_test(tc, doubt_about_the_longest_flags_is_told);
	tcase_add_test(tc, status_tells_withheld_ones_and_alarms);
}

int
main(void)
{
	Suite *s = suite_create("cli_table");
	TCase *tc = tcase_create("table");
	SRunner *sr;
	int failed;

	add_table_tests(tc);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
