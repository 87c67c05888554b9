/*
 * One sentence and one recommendation for each thing that goes wrong between
 * Tor and its network.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/engine/diagnosis.h"

#define NELEM(a) ((int)(sizeof(a) / sizeof((a)[0])))

/* Nothing is wrong, but for what a case adds. */
static const struct symptoms well = { .progress = 10, .tag = "conn_done",
	.reason = "", .said = "", .word = "", .resolver = true };

static struct symptoms s;
static struct diagnosis d;

static void
setup(void)
{
	s = well;
	memset(&d, 'x', sizeof d);
}

static bool
is_listed(const char *code)
{
	for (unsigned i = 0; diagnosis_code(i) != NULL; i++)
		if (strcmp(diagnosis_code(i)->code, code) == 0)
			return true;
	return false;
}

static void
is(const char *code, const char *text)
{
	ck_assert(diagnosis_make(&d, &s));
	ck_assert_str_eq(d.code, code);
	ck_assert_str_eq(d.text, text);
	/* Something to do there always is, and both end as sentences do. */
	ck_assert_uint_gt(strlen(d.advice), 10);
	ck_assert_uint_lt(strlen(d.advice), SNAP_TEXT - 1);
	ck_assert(strlen(d.code) < sizeof d.code - 1);
	ck_assert_msg(is_listed(d.code), "%s", d.code);
}

START_TEST(nothing_wrong_is_nothing_said)
{
	ck_assert(!diagnosis_make(&d, &s));
	ck_assert_str_eq(d.code, "");
	ck_assert_str_eq(d.text, "");
}
END_TEST

/* clang-format off */
static const struct {
	enum name_state state;
	const char *text;
} names[] = {
	{ NAME_NXDOMAIN, "does not exist (NXDOMAIN)" },
	{ NAME_EMPTY, "has no address" },
	{ NAME_TIMEOUT,
	    "cannot be looked up: the resolver does not answer" },
	{ NAME_REFUSED, "cannot be looked up: the resolver refuses" },
	{ NAME_UNREACHABLE,
	    "cannot be looked up: the resolver cannot be reached" },
	{ NAME_TLS, "is not looked up: the resolver's certificate or key is "
	    "not the policy's" },
	{ NAME_BAD, "cannot be looked up: what comes is no answer" },
	{ NAME_PRIVATE, "has private addresses only, which the policy does "
	    "not allow" },
	{ NAME_BLOCKED, "is not looked up: our own firewall blocks it" },
};
/* clang-format on */

START_TEST(a_proxys_name_is_told_at_once)
{
	char text[SNAP_TEXT];

	s.proxy = POL_PROXY_HTTPS;
	s.proxy_host = "proxy.example";
	s.proxy_name = names[_i].state;
	(void)snprintf(text, sizeof text, "Tor's proxy needs the name "
	    "proxy.example, which %s.", names[_i].text);
	is("proxy-name", text);
}
END_TEST

START_TEST(a_transports_name_is_told_at_once)
{
	char text[SNAP_TEXT];

	s.bridges = true;
	s.method = "meek_lite";
	s.transport = SNAP_T_LAUNCHED;
	s.host = "front.example";
	s.name = names[_i].state;
	(void)snprintf(text, sizeof text, "The transport meek_lite needs the "
	    "name front.example, which %s.", names[_i].text);
	is("transport-name", text);
}
END_TEST

START_TEST(a_name_that_is_being_asked_is_no_fault_yet)
{
	s.host = "front.example";
	s.method = "meek_lite";
	s.transport = SNAP_T_LAUNCHED;
	ck_assert(!diagnosis_make(&d, &s));
	s.stalled = true;
	is("transport-name", "The transport meek_lite needs the name "
	    "front.example, which is not looked up yet.");
}
END_TEST

START_TEST(without_a_resolver_no_name_is_looked_up)
{
	s.resolver = false;
	s.host = "front.example";
	s.method = "snowflake";
	s.transport = SNAP_T_LAUNCHED;
	s.name = NAME_BLOCKED;
	is("transport-name", "The transport snowflake needs the name "
	    "front.example, and the policy has no resolver to look it up.");
	s.host = NULL;
	s.proxy_host = "proxy.example";
	ck_assert(!diagnosis_make(&d, &s)); /* Tor may know it */
	s.stalled = true;
	is("proxy-name", "Tor's proxy needs the name proxy.example, and the "
	    "policy has no resolver to look it up.");
}
END_TEST

START_TEST(nothing_is_looked_up_while_networking_is_off)
{
	s.off = true;
	s.proxy_host = "proxy.example";
	is("proxy-name", "Tor's proxy needs the name proxy.example, and no "
	    "name is looked up while DisableNetwork is 1.");
}
END_TEST

START_TEST(tor_itself_as_resolver_is_a_circle)
{
	s.own_dns = true;
	s.proxy_host = "proxy.example";
	s.proxy_name = NAME_TIMEOUT;
	is("resolver-is-tor", "The policy's resolver is one of Tor's own "
	    "DNSPorts, which answers only when Tor works already.");
}
END_TEST

START_TEST(a_long_name_is_cut)
{
	static char host[POL_HOST_LEN];

	memset(host, 'a', sizeof host - 1);
	s.proxy_host = host;
	s.proxy_name = NAME_TLS;
	ck_assert(diagnosis_make(&d, &s));
	ck_assert_uint_lt(strlen(d.text), sizeof d.text);
	ck_assert_ptr_nonnull(strstr(d.text, "which is not looked up"));
}
END_TEST

/* clang-format off */
static const struct {
	enum snap_transport_state state;
	const char *code, *text;
} transports[] = {
	{ SNAP_T_NO_PLUGIN, "transport-no-plugin", "Bridges need the "
	    "transport obfs4, and Tor has no program for it." },
	{ SNAP_T_NO_PROGRAM, "transport-missing",
	    "The program of the transport obfs4 is not there." },
	{ SNAP_T_NOT_EXECUTABLE, "transport-not-executable",
	    "The program of the transport obfs4 may not be run." },
	{ SNAP_T_NO_PROXY, "transport-no-proxy",
	    "The transport obfs4 cannot work behind a proxy." },
	{ SNAP_T_DIED, "transport-dies", "The program of the transport obfs4 "
	    "ends as soon as it is started (3 times): no such bridge" },
};
/* clang-format on */

START_TEST(a_transport_that_cannot_run_is_told_at_once)
{
	s.bridges = true;
	s.method = "obfs4";
	s.transport = transports[_i].state;
	s.deaths = 3;
	s.word = "no such bridge";
	is(transports[_i].code, transports[_i].text);
}
END_TEST

START_TEST(dying_once_is_no_fault_yet)
{
	s.method = "obfs4";
	s.transport = SNAP_T_DIED;
	s.deaths = 1;
	ck_assert(!diagnosis_make(&d, &s));
	s.deaths = 2;
	is("transport-dies", "The program of the transport obfs4 ends as soon "
	    "as it is started (2 times).");
}
END_TEST

START_TEST(a_transport_that_hangs_is_told_when_nothing_moves)
{
	s.method = "obfs4";
	s.transport = SNAP_T_STARTING;
	s.progress = 0;
	s.bridges = true;
	ck_assert(!diagnosis_make(&d, &s));
	s.stalled = true;
	is("transport-hangs", "The program of the transport obfs4 was started "
	    "and does not say that it is ready.");
}
END_TEST

/* clang-format off */
static const struct {
	enum name_verdict verdict;
	const char *code, *text;
} verdicts[] = {
	{ NAME_V_REFUSED, "proxy-refused",
	    "Tor's socks5 proxy refuses the connection." },
	{ NAME_V_TIMEOUT, "proxy-timeout",
	    "Tor's socks5 proxy does not answer." },
	{ NAME_V_UNREACHABLE, "proxy-unreachable",
	    "Tor's socks5 proxy cannot be reached." },
	{ NAME_V_PROTOCOL, "proxy-wrong-protocol",
	    "Tor's socks5 proxy is not one of that kind." },
	{ NAME_V_AUTH, "proxy-password",
	    "Tor's socks5 proxy wants another user and password." },
	{ NAME_V_DENIED, "proxy-denied", "Tor's socks5 proxy does not let us "
	    "through to the Tor network." },
};
/* clang-format on */

START_TEST(a_proxy_that_does_not_work_is_told_at_once)
{
	s.proxy = POL_PROXY_SOCKS5;
	s.verdict = verdicts[_i].verdict;
	is(verdicts[_i].code, verdicts[_i].text);
}
END_TEST

START_TEST(a_proxys_own_number_is_told)
{
	s.proxy = POL_PROXY_HTTPS;
	s.verdict = NAME_V_DENIED;
	s.code = 403;
	is("proxy-denied", "Tor's https proxy does not let us through to the "
	    "Tor network (403).");
}
END_TEST

START_TEST(a_proxy_that_works_or_was_not_tried_is_no_fault)
{
	s.proxy = POL_PROXY_HTTPS;
	s.verdict = NAME_V_OK;
	ck_assert(!diagnosis_make(&d, &s));
	s.verdict = NAME_V_NONE;
	ck_assert(!diagnosis_make(&d, &s));
	s.verdict = NAME_V_BLOCKED;
	ck_assert(!diagnosis_make(&d, &s));
	s.stalled = true;
	is("proxy-blocked", "Tor's https proxy could not be tried: our own "
	    "firewall is in the way.");
}
END_TEST

START_TEST(the_clock_is_told_by_event_and_by_certificates)
{
	s.progress = 14;
	s.skewed = true;
	s.skew_s = -86400;
	ck_assert(!diagnosis_make(&d, &s)); /* it may bootstrap all the same */
	s.skew_s = -3 * 86400;
	is("clock", "The clock is wrong: it is 72 hours behind what the Tor "
	    "network says.");
	s.log = SAID_CERTIFICATE;
	s.skew_s = -60;
	ck_assert(!diagnosis_make(&d, &s));
	s.log = 0;
	s.skew_s = -3 * 86400;
	s.stalled = true;
	is("clock", "The clock is wrong: it is 72 hours behind what the Tor "
	    "network says.");
	s.stalled = true;
	s.skew_s = 5 * 3600;
	is("clock", "The clock is wrong: it is 5 hours ahead of what the Tor "
	    "network says.");
	s.skew_s = 60;
	ck_assert(diagnosis_make(&d, &s));
	ck_assert_str_eq(d.code, "stalled");
	s.skewed = false;
	s.log = SAID_CERTIFICATE;
	is("clock", "The clock is probably wrong: certificates are expired or "
	    "not yet valid by it.");
	/* Tor says that once only, and perhaps before we came. */
	s.log = 0;
	s.reason = "DONE";
	is("clock", "The clock is probably wrong, or something interferes: "
	    "each handshake is broken off.");
}
END_TEST

START_TEST(a_wrong_fingerprint_is_told)
{
	s.stalled = s.bridges = true;
	s.reason = "IDENTITY";
	is("wrong-fingerprint", "A bridge shows another key than expected: "
	    "the fingerprint is wrong, or somebody is in between.");
	s.reason = "";
	s.log = SAID_IDENTITY;
	s.bridges = false;
	is("wrong-fingerprint", "The relay shows another key than expected: "
	    "the fingerprint is wrong, or somebody is in between.");
}
END_TEST

START_TEST(a_bridge_that_cannot_be_reached_is_told)
{
	s.stalled = s.bridges = true;
	s.method = "obfs4";
	s.transport = SNAP_T_LAUNCHED;
	s.log = SAID_SOCKS;
	is("bridge-unreachable", "No bridge can be reached by the transport "
	    "obfs4, or it is not one of that kind.");
}
END_TEST

START_TEST(an_uplink_that_is_down_is_told)
{
	s.stalled = true;
	s.reason = "NOROUTE";
	is("no-route", "There is no route to the Tor network: the uplink is "
	    "down.");
	s.reason = "";
	s.log = SAID_NO_ROUTE;
	is("no-route", "There is no route to the Tor network: the uplink is "
	    "down.");
}
END_TEST

START_TEST(an_old_snowflakes_fronts_are_told)
{
	s.stalled = s.bridges = s.fronts = true;
	s.method = "snowflake";
	s.transport = SNAP_T_LAUNCHED;
	is("snowflake-fronts", "A snowflake bridge uses fronts=, which old "
	    "programs ignore: they ask for the broker's own name instead.");
}
END_TEST

/* clang-format off */
static const struct {
	int progress;
	bool bridges;
	const char *text;
} phases[] = {
	{ 0, false, "Tor has not begun to connect" },
	{ 0, true, "no transport runs, so Tor has not begun to connect" },
	{ 1, true, "the transport's program does not take connections" },
	{ 2, true, "no bridge can be reached" },
	{ 3, false, "Tor waits for its proxy" },
	{ 4, true, "Tor waits for its proxy" },
	{ 5, false, "no relay can be reached" },
	{ 5, true, "no bridge can be reached" },
	{ 10, false, "relays can be reached, but do not answer as such" },
	{ 10, true, "the transport cannot reach its bridge, or a name of it" },
	{ 14, false, "no relay completes the handshake" },
	{ 14, true, "no bridge completes the handshake" },
	{ 25, false, "Tor does not get the list of relays" },
	{ 40, true, "the bridge does not give Tor the list of relays" },
	{ 50, false, "Tor loads the relays' descriptions very slowly" },
	{ 74, true, "Tor loads the relays' descriptions very slowly" },
	{ 75, false, "Tor cannot build circuits" },
	{ 95, true, "Tor cannot build circuits" },
	{ 100, false, "Tor reaches nobody of those whom it used any more" },
	{ 100, true, "Tor reaches none of its bridges any more" },
};
/* clang-format on */

START_TEST(each_phase_has_its_sentence)
{
	char text[SNAP_TEXT];

	s.stalled = true;
	s.progress = phases[_i].progress;
	s.bridges = phases[_i].bridges;
	s.tag = "tag";
	(void)snprintf(text, sizeof text,
	    "Tor makes no progress at %d %% (tag): %s.", s.progress,
	    phases[_i].text);
	is(s.progress == 100 ? "no-way" : "stalled", text);
	s.said = "TLS_ERROR";
	(void)snprintf(text, sizeof text,
	    "Tor makes no progress at %d %% (tag): %s; it says: TLS_ERROR",
	    s.progress, phases[_i].text);
	is(s.progress == 100 ? "no-way" : "stalled", text);
}
END_TEST

START_TEST(a_cause_comes_before_its_effects)
{
	s.stalled = s.bridges = true;
	s.method = "meek_lite";
	s.transport = SNAP_T_NO_PROGRAM;
	s.host = "front.example";
	s.name = NAME_NXDOMAIN;
	s.log = SAID_SOCKS | SAID_CERTIFICATE;
	ck_assert(diagnosis_make(&d, &s));
	ck_assert_str_eq(d.code, "transport-missing");
	s.transport = SNAP_T_LAUNCHED;
	ck_assert(diagnosis_make(&d, &s));
	ck_assert_str_eq(d.code, "transport-name");
	s.host = NULL;
	ck_assert(diagnosis_make(&d, &s));
	ck_assert_str_eq(d.code, "clock");
	s.log = SAID_SOCKS;
	ck_assert(diagnosis_make(&d, &s));
	ck_assert_str_eq(d.code, "bridge-unreachable");
}
END_TEST

START_TEST(unknown_numbers_are_words)
{
	ck_assert_str_eq(diagnosis_name(NAME_NSTATE), "unknown");
	ck_assert_str_eq(diagnosis_name(NAME_OK), "is resolved");
	ck_assert_str_eq(diagnosis_name_advice(NAME_NSTATE, true), "");
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, nothing_wrong_is_nothing_said);
	tcase_add_loop_test(tc, a_proxys_name_is_told_at_once, 0,
	    NELEM(names));
	tcase_add_loop_test(tc, a_transports_name_is_told_at_once, 0,
	    NELEM(names));
	tcase_add_test(tc, a_name_that_is_being_asked_is_no_fault_yet);
	tcase_add_test(tc, without_a_resolver_no_name_is_looked_up);
	tcase_add_test(tc, nothing_is_looked_up_while_networking_is_off);
	tcase_add_test(tc, tor_itself_as_resolver_is_a_circle);
	tcase_add_test(tc, a_long_name_is_cut);
	tcase_add_loop_test(tc, a_transport_that_cannot_run_is_told_at_once,
	    0, NELEM(transports));
	tcase_add_test(tc, dying_once_is_no_fault_yet);
	tcase_add_test(tc, a_transport_that_hangs_is_told_when_nothing_moves);
	tcase_add_loop_test(tc, a_proxy_that_does_not_work_is_told_at_once, 0,
	    NELEM(verdicts));
	tcase_add_test(tc, a_proxys_own_number_is_told);
	tcase_add_test(tc, a_proxy_that_works_or_was_not_tried_is_no_fault);
	tcase_add_test(tc, the_clock_is_told_by_event_and_by_certificates);
	tcase_add_test(tc, a_wrong_fingerprint_is_told);
	tcase_add_test(tc, a_bridge_that_cannot_be_reached_is_told);
	tcase_add_test(tc, an_uplink_that_is_down_is_told);
	tcase_add_test(tc, an_old_snowflakes_fronts_are_told);
	tcase_add_loop_test(tc, each_phase_has_its_sentence, 0,
	    NELEM(phases));
	tcase_add_test(tc, a_cause_comes_before_its_effects);
	tcase_add_test(tc, unknown_numbers_are_words);
}

int
main(void)
{
	Suite *suite = suite_create("diagnosis");
	TCase *tc = tcase_create("diagnosis");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	add_tests(tc);
	suite_add_tcase(suite, tc);
	sr = srunner_create(suite);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
