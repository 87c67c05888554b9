#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "controlproto/event.h"
#include "controlproto/reply.h"
#include "supervisor/engine/isolation.h"
#include "supervisor/engine/verdict.h"
#include "supervisor/snapshot.h"
#include "tests/unit/cputil.h"

#define T0 100000
#define MANY (ISO_WITNESSES + 2)
#define ENDS (T0 + 60000)
#define FIELDS "SOCKS_USERNAME,SOCKS_PASSWORD,CLIENTADDR," \
    "SESSION_GROUP,NYM_EPOCH"

enum { SOCKS = 0, TUNNEL, DNS, TRANS, UNIX, SOCKS2, NLISTENERS };

static struct pol_policy policy;
static struct iso *t;
static struct iso_probe probe;
static const unsigned char rnd[ISO_RANDOM] = { 0, 0, 0, 1, 0xab, 0xcd, 1, 2 };

static void
add(enum pol_kind kind, const char *name, uint16_t port, const char *flags)
{
	struct pol_listener *l = &policy.listeners[policy.nlisteners++];

	l->kind = kind;
	ck_assert(pol_addr_parse(&l->addr, "10.152.152.10"));
	l->port = port;
	(void)snprintf(l->name, sizeof l->name, "%s", name);
	(void)snprintf(l->flags, sizeof l->flags, "%s", flags);
}

static void
setup(void)
{
	struct pol_listener *l;

	pol_policy_init(&policy);
	policy.listeners = calloc(NLISTENERS + MANY,
	    sizeof *policy.listeners);
	ck_assert_ptr_nonnull(policy.listeners);
	add(POL_SOCKS, "socks", 9050, "IPv6Traffic IsolateDestAddr");
	add(POL_HTTPTUNNEL, "tunnel", 9190, "");
	add(POL_DNS, "dns", 5300, "");
	add(POL_TRANS, "trans", 9040, "");
	add(POL_SOCKS, "unix", 0, "GroupWritable");
	l = &policy.listeners[UNIX];
	l->addr.family = AF_UNIX;
	(void)snprintf(l->path, sizeof l->path, "/run/tor/socks");
	add(POL_SOCKS, "socks", 443, "");
	t = iso_new(&policy, NULL, true, ENDS);
}

static void
teardown(void)
{
	iso_free(t);
	pol_policy_clear(&policy);
}

/* The slot that TEXT, a STREAM event's line, sets free; -1: none. */
static int
event(const char *text)
{
	char wire[512];
	struct cp_reply *reply;
	struct cp_event ev;
	int slot;

	(void)snprintf(wire, sizeof wire, "650 STREAM %s\r\n", text);
	reply = cputil_reply(wire);
	cp_event_parse(&ev, reply);
	ck_assert_int_eq(ev.kind, CP_EV_STREAM);
	slot = iso_event(t, &ev);
	cp_reply_free(reply);
	return slot;
}

static int
next(void)
{
	return iso_next(t, &probe, rnd, T0);
}

/* Start the next probe and have Tor show it with GROUP and FIELDS. */
static void
see(int group, const char *fields)
{
	char line[400], source[32];
	int slot = next();

	ck_assert_int_ge(slot, 0);
	(void)snprintf(source, sizeof source, "10.152.152.10:%d", 1000 + slot);
	if (probe.path[0] == '\0')
		iso_connected(t, slot, source);
	else
		(void)snprintf(source, sizeof source, "%s:0", probe.path);
	(void)snprintf(line, sizeof line, "7 NEW 0 pabcd0102.exit:%s "
	    "SOURCE_ADDR=%s SESSION_GROUP=%d ISO_FIELDS=%s",
	    probe.datagram ? "0" : "1025", source, group, fields);
	ck_assert_int_eq(event(line), slot);
}

START_TEST(socks_is_asked_by_name)
{
	static const char want[] = "\5\1\0\5\1\0\3\016pabcd0102.exit\4\1";

	iso_add(t, SOCKS);
	ck_assert_int_eq(next(), 0);
	ck_assert(!probe.datagram);
	ck_assert_uint_eq(probe.port, 9050);
	ck_assert_int_eq(probe.addr.family, AF_INET);
	ck_assert_uint_eq(probe.len, sizeof want - 1);
	ck_assert_mem_eq(probe.data, want, probe.len);
	ck_assert_int_eq(next(), -1);
}
END_TEST

START_TEST(a_tunnel_is_asked_by_name)
{
	static const char want[] =
	    "CONNECT pabcd0102.exit:1025 HTTP/1.0\r\n\r\n";

	iso_add(t, TUNNEL);
	ck_assert_int_eq(next(), 0);
	ck_assert_uint_eq(probe.len, sizeof want - 1);
	ck_assert_mem_eq(probe.data, want, probe.len);
}
END_TEST

START_TEST(dns_is_asked_for_an_address)
{
	static const char want[] = "\4\1\1\0\0\1\0\0\0\0\0\0"
	    "\011pabcd0102\4exit\0\0\1\0\1";

	iso_add(t, DNS);
	ck_assert_int_eq(next(), 0);
	ck_assert(probe.datagram);
	ck_assert_uint_eq(probe.len, sizeof want - 1);
	ck_assert_mem_eq(probe.data, want, probe.len);
}
END_TEST

START_TEST(a_unix_socket_is_known_by_its_path)
{
	iso_add(t, UNIX);
	ck_assert_int_eq(next(), 0);
	ck_assert_int_eq(probe.addr.family, AF_UNIX);
	ck_assert_str_eq(probe.path, "/run/tor/socks");
	iso_connected(t, 0, "");
	ck_assert_int_eq(event("7 NEW 0 pabcd0102.exit:1025 "
	    "SOURCE_ADDR=/run/tor/socks:0 SESSION_GROUP=-8 "
	    "ISO_FIELDS=SESSION_GROUP"), 0);
}
END_TEST

/* Tor's own buffer is short; a Tor with a longer one is understood, too. */
START_TEST(a_long_path_is_cut_by_tor)
{
	static const char path[] =
	    "/run/a/path/of/fifty-two/octets/in/which/tor/listens";
	char line[256];

	(void)snprintf(policy.listeners[UNIX].path, POL_PATH_LEN, "%s", path);
	iso_add(t, UNIX);
	ck_assert_int_eq(next(), 0);
	iso_connected(t, 0, "");
	(void)snprintf(line, sizeof line, "7 NEW 0 pabcd0102.exit:1025 "
	    "SOURCE_ADDR=%.*s SESSION_GROUP=-8 ISO_FIELDS=SESSION_GROUP",
	    49, path);
	ck_assert_int_eq(event(line), -1);
	(void)snprintf(line, sizeof line, "7 NEW 0 pabcd0102.exit:1025 "
	    "SOURCE_ADDR=%.*s%s SESSION_GROUP=-8 ISO_FIELDS=SESSION_GROUP",
	    _i == 0 ? 50 : (int)sizeof path, path, _i == 0 ? "" : ":0");
	ck_assert_int_eq(event(line), 0);
}
END_TEST

static const char *const strangers[] = {
	/* another client, another target, another word, no source */
	"7 NEW 0 pabcd0102.exit:1025 SOURCE_ADDR=10.0.0.1:2 SESSION_GROUP=-8",
	"7 NEW 0 pabcd0103.exit:1025 SOURCE_ADDR=10.0.0.1:1 SESSION_GROUP=-8",
	"7 SENTCONNECT 3 pabcd0102.exit:1025 SOURCE_ADDR=10.0.0.1:1",
	"7 NEW 0 pabcd0102.exit:1025 SESSION_GROUP=-8",
	/* a TransPort's client whose target the kernel does not know */
	"7 CLOSED 0 :0 CLIENT_PROTOCOL=TRANS SESSION_GROUP=-8",
};

START_TEST(a_stranger_is_not_ours)
{
	iso_add(t, SOCKS);
	ck_assert_int_eq(next(), 0);
	ck_assert_int_eq(event(strangers[_i]), -1);
	iso_connected(t, 0, "10.0.0.1:1");
	ck_assert_int_eq(event(strangers[_i]), -1);
	ck_assert(!iso_over(t, T0));
}
END_TEST

START_TEST(a_direct_connection_is_known_by_its_source)
{
	iso_add(t, TRANS);
	ck_assert_int_eq(next(), 0);
	ck_assert_uint_eq(probe.len, 0);
	ck_assert_int_eq(event("7 NEW 0 10.152.152.10:9040 "
	    "SOURCE_ADDR=10.0.0.1:1 CLIENT_PROTOCOL=TRANS"), -1);
	iso_connected(t, 0, "10.0.0.1:1");
	ck_assert_int_eq(event("7 NEW 0 10.152.152.10:9040 "
	    "SOURCE_ADDR=10.0.0.1:2 CLIENT_PROTOCOL=TRANS"), -1);
	/* The same source may be a client's of another TransPort. */
	ck_assert_int_eq(event("7 NEW 0 10.152.152.10:9041 "
	    "SOURCE_ADDR=10.0.0.1:1 CLIENT_PROTOCOL=TRANS SESSION_GROUP=-3 "
	    "ISO_FIELDS=" FIELDS), -1);
	ck_assert_int_eq(event("7 NEW 0 10.152.152.10:9040 "
	    "SOURCE_ADDR=10.0.0.1:1 CLIENT_PROTOCOL=TRANS SESSION_GROUP=-3 "
	    "ISO_FIELDS=" FIELDS), 0);
}
END_TEST

/* Tor names nobody when the kernel knows no target: it could be anybody's. */
START_TEST(an_event_that_names_nobody_is_no_evidence)
{
	iso_add(t, TRANS);
	ck_assert_int_eq(next(), 0);
	iso_connected(t, 0, "10.0.0.1:1");
	ck_assert_int_eq(event("7 CLOSED 0 :0 CLIENT_PROTOCOL=TRANS "
	    "SESSION_GROUP=-3 ISO_FIELDS=" FIELDS), -1);
}
END_TEST

/* What came before does not count, nor what comes later. */
START_TEST(a_disturbed_listener_is_not_proven)
{
	struct verdict v;
	size_t n;

	iso_add(t, SOCKS2);
	if (_i == 0)
		see(-1, FIELDS);
	else
		ck_assert_int_eq(next(), 0);
	iso_connected(t, 0, "10.0.0.1:1");
	iso_disturbed(t, 0);
	if (_i == 1)
		ck_assert_int_eq(event("7 NEW 0 pabcd0102.exit:1025 "
		    "SOURCE_ADDR=10.0.0.1:1 SESSION_GROUP=-3 "
		    "ISO_FIELDS=" FIELDS), 0);
	ck_assert_int_eq(next(), -1);
	ck_assert(iso_over(t, T0));
	ck_assert_int_eq(verdict_flags(iso_evidence(t, &n), &policy),
	    ISO_FLAGS_UNKNOWN);
	iso_judge(t, &v);
	ck_assert(!verdict_ok(&v));
	ck_assert_uint_eq(v.nfails, 1);
	ck_assert_int_eq(v.fails[0].kind, ISO_FAIL_DISTURBED);
}
END_TEST

START_TEST(a_disturbed_transport_is_a_failure)
{
	struct verdict v;

	iso_add(t, TRANS);
	ck_assert_int_eq(next(), 0);
	ck_assert_int_eq(iso_expire(t, T0 + 3000), 0);
	ck_assert_int_eq(next(), 0);
	iso_disturbed(t, 0);
	ck_assert_int_eq(iso_expire(t, T0 + 3000), 0);
	iso_judge(t, &v);
	ck_assert_uint_eq(v.nfails, 1);
}
END_TEST

static const char *const externals[] = { "203.0.113.1", "2001:db8::1",
	"192.0.2.1", "172.15.0.1", "172.32.0.1", "11.0.0.1" };

/* An exit must not be asked for an address of ours. */
START_TEST(a_direct_connection_needs_a_tor_that_refuses_it)
{
	struct verdict v;

	iso_free(t);
	t = iso_new(&policy, NULL, _i == 0 ? false : true, ENDS);
	if (_i > 0)
		ck_assert(pol_addr_parse(&policy.listeners[TRANS].addr,
		    externals[_i - 1]));
	iso_add(t, TRANS);
	ck_assert_int_eq(next(), -1);
	ck_assert(iso_over(t, T0));
	iso_judge(t, &v);
	ck_assert_uint_eq(v.nunprovable, 1);
	ck_assert(!verdict_ok(&v));
}
END_TEST

static const char *const internals[] = { "127.0.0.1", "10.1.2.3",
	"172.16.0.1", "172.31.0.1", "192.168.1.1", "::1", "fd19::10",
	"fc00::1" };

START_TEST(internal_addresses_are_tried)
{
	ck_assert(pol_addr_parse(&policy.listeners[TRANS].addr,
	    internals[_i]));
	iso_add(t, TRANS);
	ck_assert_int_eq(next(), 0);
}
END_TEST

START_TEST(at_most_eight_are_open)
{
	for (uint16_t i = 0; i <= ISO_SLOTS; i++)
		add(POL_SOCKS, "many", 9100 + i, "");
	iso_free(t);
	t = iso_new(&policy, NULL, true, ENDS);
	for (uint32_t i = 0; i <= ISO_SLOTS; i++)
		iso_add(t, NLISTENERS + i);
	for (int i = 0; i < ISO_SLOTS; i++)
		ck_assert_int_eq(next(), i);
	ck_assert_int_eq(next(), -1);
	ck_assert_uint_eq(iso_wake(t), T0 + 3000);
	ck_assert_int_eq(iso_expire(t, T0 + 2999), -1);
	for (int i = 0; i < ISO_SLOTS; i++)
		ck_assert_int_eq(iso_expire(t, T0 + 3000), i);
	ck_assert_int_eq(iso_expire(t, T0 + 3000), -1);
	ck_assert_int_eq(next(), 0);
}
END_TEST

START_TEST(not_every_section_is_a_witness)
{
	struct verdict v;
	char name[16];

	for (unsigned i = 0; i < MANY; i++) {
		(void)snprintf(name, sizeof name, "many%u", i);
		add(POL_SOCKS, name, (uint16_t)(9100 + i), "");
	}
	iso_free(t);
	t = iso_new(&policy, NULL, true, ENDS);
	for (uint32_t i = 0; i < MANY; i++)
		iso_add(t, NLISTENERS + i);
	iso_judge(t, &v);
	ck_assert_uint_eq(v.nwitnesses, ISO_WITNESSES);
}
END_TEST

START_TEST(the_time_bounds_all)
{
	iso_add(t, SOCKS);
	ck_assert_int_eq(iso_next(t, &probe, rnd, ENDS), -1);
	ck_assert(!iso_over(t, ENDS - 1));
	ck_assert(iso_over(t, ENDS));
	ck_assert_uint_eq(iso_wake(t), ENDS);
}
END_TEST

START_TEST(an_event_without_a_group_proves_nothing)
{
	struct verdict v;

	iso_add(t, SOCKS);
	ck_assert_int_eq(next(), 0);
	iso_connected(t, 0, "10.0.0.1:1");
	ck_assert_int_eq(event("7 NEW 0 pabcd0102.exit:1025 "
	    "SOURCE_ADDR=10.0.0.1:1 ISO_FIELDS=SESSION_GROUP"), 0);
	iso_judge(t, &v);
	ck_assert_uint_eq(v.nfails, 1);
	ck_assert_int_eq(v.fails[0].kind, ISO_FAIL_SILENT);
	/* ... nor does one without fields: it does not say that all are lost */
	ck_assert_int_eq(next(), 0);
	iso_connected(t, 0, "10.0.0.1:1");
	ck_assert_int_eq(event("7 NEW 0 pabcd0102.exit:1025 "
	    "SOURCE_ADDR=10.0.0.1:1 SESSION_GROUP=-8"), 0);
	iso_judge(t, &v);
	ck_assert_uint_eq(v.nfails, 1);
	ck_assert_int_eq(v.fails[0].kind, ISO_FAIL_SILENT);
}
END_TEST

START_TEST(what_was_late_is_seen_the_second_time)
{
	struct verdict v;

	iso_add(t, SOCKS2);
	ck_assert_int_eq(next(), 0);
	ck_assert_int_eq(next(), -1);
	iso_failed(t, 0);
	see(-1, FIELDS);
	iso_judge(t, &v);
	ck_assert(verdict_ok(&v));
}
END_TEST

/* A direct connection that is not answered is no failure; others are. */
START_TEST(silence_is_judged_by_kind)
{
	struct verdict v;

	iso_add(t, _i == 0 ? TRANS : TUNNEL);
	ck_assert_int_eq(next(), 0);
	ck_assert_int_eq(iso_expire(t, T0 + 3000), 0);
	ck_assert_int_eq(next(), 0); /* once more */
	ck_assert_int_eq(iso_expire(t, T0 + 3000), 0);
	ck_assert_int_eq(next(), -1);
	ck_assert(iso_over(t, T0));
	iso_judge(t, &v);
	ck_assert_uint_eq(v.nunprovable, _i == 0);
	ck_assert_uint_eq(v.nfails, _i == 1);
}
END_TEST

/* Both passes over all kinds, and the whole verdict. */
START_TEST(a_right_table_is_isolated)
{
	struct verdict v;
	char text[SNAP_TEXT];
	size_t n;

	for (uint32_t i = 0; i < NLISTENERS; i++)
		if (i != TRANS)
			iso_add(t, i);
	see(-1, "DESTADDR," FIELDS);
	see(-2, FIELDS);
	see(-3, FIELDS);
	see(-4, "SOCKS_USERNAME,SOCKS_PASSWORD,SESSION_GROUP");
	see(-5, FIELDS);
	/* Second pass: one of each name; the second "socks" is none. */
	for (int i = 0; i < 3; i++) {
		char line[200], source[32];

		ck_assert(!iso_over(t, T0));
		ck_assert_int_eq(next(), 0);
		(void)snprintf(source, sizeof source, i == 2 ?
		    "/run/tor/socks:0" : "10.0.0.1:%d", 50 + i);
		iso_connected(t, 0, i == 2 ? "" : source);
		ck_assert_uint_eq(iso_wake(t), T0 + 12000);
		(void)snprintf(line, sizeof line, "9%d NEW 0 233.252.0.1:443 "
		    "SOURCE_ADDR=%s SESSION_GROUP=-9", i, source);
		ck_assert_int_eq(event(line), -1);
		ck_assert_int_eq(event("8 SENTCONNECT 99 233.252.0.1:443"), -1);
		(void)snprintf(line, sizeof line,
		    "9%d SENTCONNECT %d 233.252.0.1:443", i, 7 + i);
		ck_assert_int_eq(event(line), 0);
	}
	ck_assert_int_eq(next(), -1);
	ck_assert(iso_over(t, T0));
	iso_progress(t, text, sizeof text);
	ck_assert_str_eq(text, "5 of 5 listeners seen, 3 of 3 circuits.");
	iso_judge(t, &v);
	ck_assert(verdict_ok(&v));
	verdict_summary(text, sizeof text, &v);
	ck_assert_str_eq(text, "5 listeners: every pair isolated; isolation "
	    "flags in force; 3 of 3 circuits seen, all different; 1 not "
	    "listening.");
	for (size_t i = 0; i < 5; i++)
		ck_assert_int_eq(verdict_flags(&iso_evidence(t, &n)[i],
		    &policy), ISO_FLAGS_RIGHT);
	ck_assert_uint_eq(n, 5);
}
END_TEST

/* Failed, closed, never built, never shown: "not seen", and no failure. */
START_TEST(a_circuit_that_is_not_built_is_not_seen)
{
	static const char *const ends[] = { "90 FAILED 0 233.252.0.1:443",
		"90 CLOSED 0 233.252.0.1:443",
		/* numbers that are no circuit */
		"90 SENTCONNECT 0 233.252.0.1:443", NULL };
	struct verdict v;

	iso_add(t, SOCKS2);
	see(-1, FIELDS);
	ck_assert_int_eq(next(), 0);
	iso_connected(t, 0, "10.0.0.1:50");
	ck_assert_int_eq(event("90 NEW 0 233.252.0.1:443 "
	    "SOURCE_ADDR=10.0.0.1:50 SESSION_GROUP=-1"), -1);
	if (ends[_i] != NULL)
		ck_assert_int_eq(event(ends[_i]), _i < 2 ? 0 : -1);
	if (_i >= 2)
		ck_assert_int_eq(iso_expire(t, T0 + 12000), 0);
	ck_assert(iso_over(t, T0 + 12000));
	iso_judge(t, &v);
	ck_assert_uint_eq(v.nwitnesses, 1);
	ck_assert_uint_eq(v.ncircuits, 0);
	ck_assert(verdict_ok(&v));
}
END_TEST

START_TEST(a_listener_that_may_share_is_no_witness)
{
	struct verdict v;

	(void)snprintf(policy.listeners[TUNNEL].flags,
	    sizeof policy.listeners[TUNNEL].flags, "SessionGroup=4");
	iso_add(t, TUNNEL);
	see(4, FIELDS);
	ck_assert_int_eq(next(), -1);
	iso_judge(t, &v);
	ck_assert_uint_eq(v.nwitnesses, 0);
	ck_assert(verdict_ok(&v));
}
END_TEST

START_TEST(an_interface_without_an_address_is_not_provable)
{
	struct verdict v;

	policy.listeners[SOCKS].ifaddr = 1;
	policy.nifaddrs = 1;
	policy.ifaddrs[0].family = AF_INET;
	iso_add(t, SOCKS);
	ck_assert_int_eq(next(), -1);
	iso_judge(t, &v);
	ck_assert_uint_eq(v.nunprovable, 1);
}
END_TEST

START_TEST(an_interface_is_asked_at_its_address_of_now)
{
	struct pol_addr now[POL_MAX_IFADDRS] = { 0 }, here;

	ck_assert(pol_addr_parse(&here, "192.168.7.7"));
	policy.listeners[SOCKS].ifaddr = 1;
	policy.nifaddrs = 1;
	policy.ifaddrs[0].family = AF_INET;
	now[0] = here;
	iso_free(t);
	t = iso_new(&policy, now, true, ENDS);
	iso_add(t, SOCKS);
	ck_assert_int_eq(next(), 0);
	ck_assert(pol_addr_equal(&probe.addr, &here));
}
END_TEST

/* A slot that is free belongs to nobody. */
START_TEST(what_was_seen_is_not_seen_again)
{
	size_t n;

	iso_add(t, SOCKS2);
	see(-1, FIELDS);
	ck_assert_int_eq(event("7 NEW 0 pabcd0102.exit:1025 "
	    "SOURCE_ADDR=10.152.152.10:1000 SESSION_GROUP=-5 "
	    "ISO_FIELDS=" FIELDS), -1);
	ck_assert_int_eq(iso_evidence(t, &n)->group, -1);
}
END_TEST

/* A circuit counts when Tor has used it, under a number that can be kept. */
START_TEST(only_a_request_that_was_sent_shows_a_circuit)
{
	size_t n;

	iso_add(t, SOCKS2);
	see(-1, FIELDS);
	ck_assert_int_eq(next(), 0);
	iso_connected(t, 0, "10.0.0.1:50");
	if (_i == 0) {
		ck_assert_int_eq(event("90 NEW 0 233.252.0.1:443 "
		    "SOURCE_ADDR=10.0.0.1:50"), -1);
		ck_assert_int_eq(event("90 DETACHED 5 233.252.0.1:443"), -1);
		ck_assert_int_eq(event("90 REMAP 6 233.252.0.1:443"), -1);
	} else {
		ck_assert_int_eq(event("000000000000000000000000000000000090 "
		    "NEW 0 233.252.0.1:443 SOURCE_ADDR=10.0.0.1:50"), 0);
	}
	ck_assert_uint_eq(iso_evidence(t, &n)->circuit, 0);
}
END_TEST

static Suite *
isolation_suite(void)
{
	Suite *s = suite_create("isolation");
	TCase *tc = tcase_create("isolation");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, socks_is_asked_by_name);
	tcase_add_test(tc, a_tunnel_is_asked_by_name);
	tcase_add_test(tc, dns_is_asked_for_an_address);
	tcase_add_test(tc, a_unix_socket_is_known_by_its_path);
	tcase_add_loop_test(tc, a_long_path_is_cut_by_tor, 0, 2);
	tcase_add_loop_test(tc, a_stranger_is_not_ours, 0, NELEM(strangers));
	tcase_add_test(tc, a_direct_connection_is_known_by_its_source);
	tcase_add_test(tc, an_event_that_names_nobody_is_no_evidence);
	tcase_add_loop_test(tc, a_disturbed_listener_is_not_proven, 0, 2);
	tcase_add_test(tc, a_disturbed_transport_is_a_failure);
	tcase_add_loop_test(tc,
	    a_direct_connection_needs_a_tor_that_refuses_it, 0,
	    1 + NELEM(externals));
	tcase_add_loop_test(tc, internal_addresses_are_tried, 0,
	    NELEM(internals));
	tcase_add_test(tc, at_most_eight_are_open);
	tcase_add_test(tc, not_every_section_is_a_witness);
	tcase_add_test(tc, the_time_bounds_all);
	tcase_add_test(tc, an_event_without_a_group_proves_nothing);
	tcase_add_test(tc, what_was_late_is_seen_the_second_time);
	tcase_add_loop_test(tc, silence_is_judged_by_kind, 0, 2);
	tcase_add_test(tc, a_right_table_is_isolated);
	tcase_add_loop_test(tc, a_circuit_that_is_not_built_is_not_seen, 0, 4);
	tcase_add_test(tc, a_listener_that_may_share_is_no_witness);
	tcase_add_test(tc, an_interface_without_an_address_is_not_provable);
	tcase_add_test(tc, an_interface_is_asked_at_its_address_of_now);
	tcase_add_test(tc, what_was_seen_is_not_seen_again);
	tcase_add_loop_test(tc, only_a_request_that_was_sent_shows_a_circuit,
	    0, 2);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return cputil_run(isolation_suite());
}
