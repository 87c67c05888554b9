#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/cli/format.h"
#include "supervisor/status/encode.h"
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
human(const json_t *line, bool colour)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	ck_assert_ptr_nonnull(out);
	cli_format_status(out, line, colour);
	ck_assert_int_eq(fclose(out), 0);
	return text;
}

/* Takes LINE. */
static void
assert_human(json_t *line, const char *want)
{
	char *text = human(line, false);

	ck_assert_str_eq(text, want);
	free(text);
	json_decref(line);
}

START_TEST(open_gate_is_told_in_full)
{
	struct status_view v;

	sample_view(&v);
	assert_human(line_of(&v),
	    "The gate is open: traffic goes through Tor.\n"
	    "Tor carries traffic and everything is proven.\n"
	    "\n"
	    "Since       2026-01-31T23:59:59Z\n"
	    "Tor         running, pid 812, version 0.4.9.11\n"
	    "Bootstrap   100 %, Done\n"
	    "Resolver    running, 21 lookups; of transports' questions "
	    "22 answered, 23 refused\n"
	    "Listeners   5 of 5 proven\n"
	    "Firewall    standalone, lease 812 ms\n"
	    "Egress      any: Tor may connect to every address\n"
	    "Barriers    boot yes, guard yes, persist yes, netdev yes, "
	    "forward4_off yes, forward6_off NO, routes yes\n"
	    "            forward6_off: the kernel forwards IPv6: switch it off "
	    "(sysctl -w net.ipv6.conf.all.forwarding=0) and find out what "
	    "switched it on\n"
	    "Closes      6, the last in 210 us, the slowest in 400 us\n"
	    "Purges      5, in which the kernel forgot the clients' flows\n"
	    "Foreign     2 changes of our tables by others\n");
}
END_TEST

START_TEST(trouble_is_told_with_what_to_do)
{
	struct status_view v;
	struct snapshot *s = &v.snap;

	sample_view(&v);
	s->gate.position = GATE_TOR_ONLY;
	s->gate.lease_ms = 0;
	s->gate.foreign = 0;
	s->hold = 1;
	s->nlisteners_proven = 2;
	s->ntrouble = 3;
	s->boot_progress = 45;
	s->tor_version[0] = '\0';
	(void)strcpy(s->advice, "Stop the other program.");
	(void)strcpy(s->boot_warning, "Connection refused");
	s->trouble[0] = (struct snap_trouble){ .why = SNAP_L_FOREIGN,
		.uid = 1000, .name = "socks", .address = "10.0.0.1:9050" };
	s->trouble[1] = (struct snap_trouble){ .why = SNAP_L_NO_SOCKET,
		.name = "dns", .address = "10.0.0.1:5300" };
	s->trouble[2] = (struct snap_trouble){ .why = 77, .name = "x",
		.address = "y" };
	assert_human(line_of(&v),
	    "The gate is closed: only Tor itself may connect.\n"
	    "Tor carries traffic and everything is proven.\n"
	    "Stop the other program.\n"
	    "\n"
	    "Since       2026-01-31T23:59:59Z\n"
	    "Hold        an operator holds the gate closed\n"
	    "Tor         running, pid 812\n"
	    "Bootstrap   45 %, Done\n"
	    "            problem: Connection refused\n"
	    "Resolver    running, 21 lookups; of transports' questions "
	    "22 answered, 23 refused\n"
	    "Listeners   2 of 5 proven, 0 open\n"
	    "            socks 10.0.0.1:9050: port taken by a program of user "
	    "1000\n"
	    "            dns 10.0.0.1:5300: nothing listens there\n"
	    "            x y: unknown\n"
	    "Firewall    standalone, no lease\n"
	    "Egress      any: Tor may connect to every address\n"
	    "Barriers    boot yes, guard yes, persist yes, netdev yes, "
	    "forward4_off yes, forward6_off NO, routes yes\n"
	    "            forward6_off: the kernel forwards IPv6: switch it off "
	    "(sysctl -w net.ipv6.conf.all.forwarding=0) and find out what "
	    "switched it on\n"
	    "Closes      6, the last in 210 us, the slowest in 400 us\n"
	    "Purges      5, in which the kernel forgot the clients' flows\n");
}
END_TEST

START_TEST(time_sync_and_strict_egress_are_told)
{
	struct status_view v;
	struct snapshot *s = &v.snap;

	sample_view(&v);
	s->gate.position = GATE_SYNC;
	s->time_required = 1;
	s->facts &= ~(1u << SNAP_F_TIME);
	s->mode = POL_MODE_VETO;
	s->gate.foreign = 0;
	s->gate.strict = 1;
	s->gate.nrelays4 = 6000;
	s->gate.nrelays6 = 4000;
	s->gate.relays_generation = 3;
	s->relays_generation = 4;
	(void)strcpy(s->relays_fault, "It is too long.");
	assert_human(line_of(&v),
	    "The gate is closed but for time synchronisation.\n"
	    "Tor carries traffic and everything is proven.\n"
	    "\n"
	    "Since       2026-01-31T23:59:59Z\n"
	    "Tor         running, pid 812, version 0.4.9.11\n"
	    "Bootstrap   100 %, Done\n"
	    "Resolver    running, 21 lookups; of transports' questions "
	    "22 answered, 23 refused\n"
	    "Listeners   5 of 5 proven, 0 open\n"
	    "Clock       not known to be right\n"
	    "Firewall    veto, lease 812 ms\n"
	    "Egress      strict: 6000 places by IPv4, 4000 by IPv6 (list 3)\n"
	    "            list 4 is not in force yet\n"
	    "            problem: It is too long.\n"
	    "Barriers    boot yes, guard yes, persist yes, netdev yes, "
	    "forward4_off yes, forward6_off NO, routes yes\n"
	    "            forward6_off: the kernel forwards IPv6: switch it off "
	    "(sysctl -w net.ipv6.conf.all.forwarding=0) and find out what "
	    "switched it on\n"
	    "Closes      6, the last in 210 us, the slowest in 400 us\n"
	    "Purges      5, in which the kernel forgot the clients' flows\n");
}
END_TEST

START_TEST(doubt_is_not_known_everywhere)
{
	struct status_view v;

	status_view_init(&v);
	assert_human(line_of(&v),
	    "It is not known whether the gate is open.\n"
	    "The engine is not running, so nobody can tell the position.\n"
	    "It is started again by itself; if this lasts, read the log.\n"
	    "\n"
	    "Tor         not known\n"
	    "Bootstrap   not known\n"
	    "Listeners   not known\n"
	    "Firewall    not known\n"
	    "Barriers    boot ?, guard ?, persist ?, netdev ?, "
	    "forward4_off ?, forward6_off ?, routes ?\n");
}
END_TEST

/* Whatever barriers there will be: a "NO" is not left without a word. */
START_TEST(each_missing_barrier_has_an_advice)
{
	struct status_view v;
	char *text, name[64];
	json_t *line, *value;
	const char *key;

	sample_view(&v);
	v.snap.gate.barriers = 0;
	line = line_of(&v);
	text = human(line, false);
	json_object_foreach(json_object_get(json_object_get(line, "firewall"),
	    "barriers"), key, value) {
		ck_assert(json_is_false(value));
		(void)snprintf(name, sizeof name, "\n            %s: ", key);
		ck_assert_msg(strstr(text, name) != NULL, "%s", key);
	}
	free(text);
	json_decref(line);
}
END_TEST

/* Nothing in a line can make it fail or reach the terminal raw. */
START_TEST(strange_lines_are_harmless)
{
	static const char *const lines[] = {
		"{}", "[]", "{\"position\":1,\"tor\":[],\"listeners\":3}",
		"{\"position\":\"\\u001b[2J\",\"reason\":{\"text\":"
		"\"\\u001b]0;x\\u0007\xc2\x9b\"},\"listeners\":{\"total\":2,"
		"\"proven\":-5,\"trouble\":[1,[],null,{\"uid\":{}}]},"
		"\"firewall\":{\"barriers\":{\"\\u001b\":true}}}",
	};
	json_t *line = json_loads(lines[_i], 0, NULL);
	char *text = human(line, false), change[64];
	size_t i;

	for (i = 0; text[i] != '\0'; i++)
		ck_assert(text[i] == '\n' ||
		    (text[i] >= 0x20 && text[i] <= 0x7e));
	ck_assert_int_eq(cli_verdict(line), CLI_UNKNOWN);
	cli_format_change(change, sizeof change, line);
	ck_assert_ptr_null(strchr(change, '\033'));
	free(text);
	json_decref(line);
}
END_TEST

START_TEST(colour_is_only_on_request)
{
	struct status_view v;
	json_t *line;
	char *text;

	sample_view(&v);
	line = line_of(&v);
	text = human(line, true);
	ck_assert_ptr_eq(strstr(text, "\033[1;32mThe gate is open"), text);
	ck_assert_ptr_nonnull(strstr(text, "\033[0m\n"));
	free(text);
	text = human(line, false);
	ck_assert_ptr_null(strchr(text, '\033'));
	free(text);
	json_decref(line);
}
END_TEST

/* Programs put the first line into markup. */
START_TEST(first_line_is_plain)
{
	struct status_view v;
	json_t *line;
	char *text;

	sample_view(&v);
	v.snap.gate.position = (uint32_t)_i % GATE_NWANT;
	v.snap.gate.known = _i < GATE_NWANT;
	line = line_of(&v);
	text = human(line, false);
	text[strcspn(text, "\n")] = '\0';
	ck_assert_uint_le(strlen(text), 255);
	ck_assert_uint_eq(strcspn(text, "<>&\"'"), strlen(text));
	free(text);
	json_decref(line);
}
END_TEST

START_TEST(verdict_follows_the_position)
{
	static const enum cli_exit want[GATE_NWANT] = {
		[GATE_CLOSED] = CLI_FAILED,
		[GATE_TOR_ONLY] = CLI_FAILED,
		[GATE_SYNC] = CLI_FAILED,
		[GATE_OPEN] = CLI_OK,
	};
	struct status_view v;
	json_t *line;

	sample_view(&v);
	v.snap.gate.position = (uint32_t)_i;
	line = line_of(&v);
	ck_assert(cli_line_ok(line));
	ck_assert_int_eq(cli_verdict(line), want[_i]);
	json_decref(line);
	v.snap.gate.known = 0;
	line = line_of(&v);
	ck_assert_int_eq(cli_verdict(line), CLI_UNKNOWN);
	json_decref(line);
}
END_TEST

/* What Tor said before it fell silent is no goal that is reached. */
START_TEST(goal_is_not_met_by_old_words)
{
	static const char *const goals[] = { "bootstrapped", "usable" };
	const char *const states[] = { "{\"engine\":{\"fresh\":false}}",
		"{\"control\":{\"authenticated\":false}}",
		"{\"reason\":{\"code\":\"tor-hung\"}}" };
	struct status_view v;
	json_t *line, *change;

	sample_view(&v);
	v.snap.tor.enabled = SNAP_YES;
	v.snap.tor.usable = SNAP_YES;
	for (size_t i = 0; i < 6; i++) {
		line = line_of(&v);
		ck_assert(cli_goal_met(line, cli_goal_of(goals[i % 2])));
		change = json_loads(states[i / 2], 0, NULL);
		ck_assert_int_eq(json_object_update(line, change), 0);
		ck_assert(!cli_goal_met(line, cli_goal_of(goals[i % 2])));
		json_decref(change);
		json_decref(line);
	}
}
END_TEST

START_TEST(goal_is_met_only_when_known)
{
	struct status_view v;
	json_t *line;

	sample_view(&v);
	v.snap.boot_progress = 99;
	line = line_of(&v);
	ck_assert(cli_goal_met(line, cli_goal_of("open")));
	ck_assert(cli_goal_met(line, cli_goal_of("time-sync")));
	ck_assert(!cli_goal_met(line, cli_goal_of("closed")));
	ck_assert(!cli_goal_met(line, cli_goal_of("bootstrapped")));
	ck_assert(!cli_goal_met(line, CLI_GOAL_NONE));
	json_decref(line);
	v.snap.boot_progress = 100;
	v.snap.gate.position = GATE_CLOSED;
	line = line_of(&v);
	ck_assert(!cli_goal_met(line, cli_goal_of("open")));
	ck_assert(cli_goal_met(line, cli_goal_of("closed")));
	ck_assert(cli_goal_met(line, cli_goal_of("bootstrapped")));
	json_decref(line);
	v.snap.gate.position = GATE_TOR_ONLY;
	line = line_of(&v);
	ck_assert(cli_goal_met(line, cli_goal_of("closed")));
	ck_assert(!cli_goal_met(line, cli_goal_of("time-sync")));
	json_decref(line);
	/* Neither open nor closed: somebody gets through, most do not. */
	v.snap.gate.position = GATE_SYNC;
	line = line_of(&v);
	ck_assert(cli_goal_met(line, cli_goal_of("time-sync")));
	ck_assert(!cli_goal_met(line, cli_goal_of("closed")));
	ck_assert(!cli_goal_met(line, cli_goal_of("open")));
	json_decref(line);
	v.snap.gate.known = 0;
	line = line_of(&v);
	ck_assert(!cli_goal_met(line, cli_goal_of("closed")));
	json_decref(line);
	ck_assert_int_eq(cli_goal_of("tor-only"), CLI_GOAL_NONE);
}
END_TEST

START_TEST(other_schema_is_refused)
{
	json_t *line = json_pack("{s:i}", "v", 2);

	ck_assert(!cli_line_ok(line));
	ck_assert(!cli_line_ok(NULL));
	json_decref(line);
}
END_TEST

START_TEST(change_is_one_line)
{
	struct status_view v;
	char text[256];
	json_t *line;

	sample_view(&v);
	line = line_of(&v);
	cli_format_change(text, sizeof text, line);
	ck_assert_str_eq(text, "open: Tor carries traffic and everything is "
	    "proven. (bootstrap 100 %, listeners 5 of 5)");
	cli_format_change(text, 10, line);
	ck_assert_str_eq(text, "open: Tor");
	json_decref(line);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("cli_format");
	TCase *tc = tcase_create("format");
	SRunner *sr;
	int failed;

	tcase_add_test(tc, each_missing_barrier_has_an_advice);
	tcase_add_test(tc, open_gate_is_told_in_full);
	tcase_add_test(tc, trouble_is_told_with_what_to_do);
	tcase_add_test(tc, time_sync_and_strict_egress_are_told);
	tcase_add_test(tc, doubt_is_not_known_everywhere);
	tcase_add_loop_test(tc, strange_lines_are_harmless, 0, 4);
	tcase_add_test(tc, colour_is_only_on_request);
	tcase_add_loop_test(tc, first_line_is_plain, 0, 2 * GATE_NWANT);
	tcase_add_loop_test(tc, verdict_follows_the_position, 0, GATE_NWANT);
	tcase_add_test(tc, goal_is_met_only_when_known);
	tcase_add_test(tc, goal_is_not_met_by_old_words);
	tcase_add_test(tc, other_schema_is_refused);
	tcase_add_test(tc, change_is_one_line);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
