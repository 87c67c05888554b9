#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "policy/options.h"
#include "tests/unit/polutil.h"

static const char three_kinds[] = P_TOR P_GW P_USERS
    "listener d { kind = dns address = \"10.0.0.1\" port = 5300 }\n"
    "listener s { kind = socks address = { \"10.0.0.1\", \"fd00::1\" }\n"
    "	port = { 9050 } flags = { IPv6Traffic, IsolateDestAddr } }\n"
    "listener t { kind = trans address = \"10.0.0.1\" port = 9040 }\n";

static void
check_view(const char *policy, const struct pol_view *view,
    const char *const *want, const size_t *listener, size_t n)
{
	struct pol_policy p;
	struct pol_options o;
	char text[1024];

	pu_parse(&p, policy);
	ck_assert_int_eq(pol_options_make(&o, &p, view), 0);
	ck_assert_uint_eq(o.n, n);
	for (size_t i = 0; i < n; i++) {
		(void)snprintf(text, sizeof text, "%s=%s", o.list[i].name,
		    o.list[i].value);
		ck_assert_str_eq(text, want[i]);
		ck_assert_uint_eq(o.list[i].listener, listener[i]);
	}
	pol_options_clear(&o);
	pol_policy_clear(&p);
}

static void
check_options(const bool *withheld, const char *const *want,
    const size_t *listener, size_t n)
{
	struct pol_view view = { .withheld = withheld };

	check_view(three_kinds, &view, want, listener, n);
}

START_TEST(options_come_by_kind_and_end_with_the_network)
{
	static const char *const want[] = {
		"SocksPort=10.0.0.1:9050 IPv6Traffic IsolateDestAddr",
		"SocksPort=[fd00::1]:9050 IPv6Traffic IsolateDestAddr",
		"TransPort=10.0.0.1:9040", "DNSPort=10.0.0.1:5300",
		"DisableNetwork=0" };
	static const size_t listener[] = { 1, 2, 3, 0, SIZE_MAX };

	check_options(NULL, want, listener, 5);
	check_view(three_kinds, NULL, want, listener, 5);
}
END_TEST

START_TEST(a_kind_with_all_withheld_is_switched_off)
{
	static const bool withheld[4] = { false, true, false, true };
	static const char *const want[] = {
		"SocksPort=[fd00::1]:9050 IPv6Traffic IsolateDestAddr",
		"TransPort=0", "DNSPort=10.0.0.1:5300", "DisableNetwork=0" };
	static const size_t listener[] = { 2, SIZE_MAX, 0, SIZE_MAX };

	check_options(withheld, want, listener, 4);
}
END_TEST

/* Longer than any line of ours: it must not be cut. */
#define LONG "10.0.0.1:9 IPv6Traffic                                        " \
	"                                                                    " \
	"                                                                    " \
	"                                                                    " \
	"                                                                    " \
	"                                                                    " \
	"                                                            CacheDNS"

static const struct pol_extra extras[] = {
	{ POL_DNS, "0.0.0.0:53" }, { POL_SOCKS, LONG },
	{ POL_HTTPTUNNEL, "8118" }, { POL_SOCKS, "unix:\"/a b\" Foo" },
};

START_TEST(extra_lines_come_last_in_their_kind)
{
	static const struct pol_view view = { .extra = extras, .nextra = 4 };
	static const char *const want[] = {
		"SocksPort=10.0.0.1:9050 IPv6Traffic IsolateDestAddr",
		"SocksPort=[fd00::1]:9050 IPv6Traffic IsolateDestAddr",
		"SocksPort=" LONG, "SocksPort=unix:\"/a b\" Foo",
		"TransPort=10.0.0.1:9040", "DNSPort=10.0.0.1:5300",
		"DNSPort=0.0.0.0:53", "DisableNetwork=0" };
	static const size_t listener[] = { 1, 2, SIZE_MAX, SIZE_MAX, 3, 0,
		SIZE_MAX, SIZE_MAX };

	check_view(three_kinds, &view, want, listener, 8);
}
END_TEST

START_TEST(lines_of_ours_can_be_marked)
{
	static const bool uses[POL_NKIND] = { [POL_HTTPTUNNEL] = true };
	static const struct pol_view view = { .extra = extras, .nextra = 2,
		.marked = true, .uses = uses };
	static const char *const want[] = {
		"SocksPort=10.0.0.1:9050 IPv6Traffic IsolateDestAddr ",
		"SocksPort=[fd00::1]:9050 IPv6Traffic IsolateDestAddr ",
		"SocksPort=" LONG, "HTTPTunnelPort=0",
		"TransPort=10.0.0.1:9040 ", "DNSPort=10.0.0.1:5300 ",
		"DNSPort=0.0.0.0:53", "DisableNetwork=0" };
	static const size_t listener[] = { 1, 2, SIZE_MAX, SIZE_MAX, 3, 0,
		SIZE_MAX, SIZE_MAX };

	check_view(three_kinds, &view, want, listener, 8);
	ck_assert(pol_option_marked("10.0.0.1:9050 "));
	ck_assert(!pol_option_marked("10.0.0.1:9050"));
	ck_assert(!pol_option_marked(""));
}
END_TEST

START_TEST(extra_lines_keep_a_kind_on)
{
	static const bool withheld[4] = { true, true, true, true };
	static const struct pol_view view = { .withheld = withheld,
		.extra = extras, .nextra = 2 };
	static const char *const want[] = { "SocksPort=" LONG, "TransPort=0",
		"DNSPort=0.0.0.0:53", "DisableNetwork=0" };
	static const size_t listener[] = { SIZE_MAX, SIZE_MAX, SIZE_MAX,
		SIZE_MAX };

	check_view(three_kinds, &view, want, listener, 4);
}
END_TEST

static const char places[] = P_TOR P_GW P_USERS
    "listener i { kind = socks address = \"interface:eth1\" port = 5 }\n"
    "listener u { kind = socks address = \"unix:/run/s\"\n"
    "flags = { WorldWritable, IPv6Traffic } }\n"
    "listener t { kind = trans address = \"interface:eth1:ipv6\" port = 6 }";

START_TEST(an_interface_without_an_address_is_left_out)
{
	static const char *const without[] = {
		"SocksPort=unix:/run/s WorldWritable IPv6Traffic",
		"TransPort=0", "DisableNetwork=0" };
	static const char *const with[] = { "SocksPort=10.9.9.9:5",
		"SocksPort=unix:/run/s WorldWritable IPv6Traffic",
		"TransPort=0", "DisableNetwork=0" };
	static const size_t listener[] = { 2, SIZE_MAX, SIZE_MAX };
	static const size_t listener4[] = { 0, 2, SIZE_MAX, SIZE_MAX };
	struct pol_addr ifaddrs[POL_MAX_IFADDRS] = { { 0 } };
	struct pol_view view = { .ifaddrs = ifaddrs };

	check_view(places, NULL, without, listener, 3);
	check_view(places, &view, without, listener, 3);
	ck_assert(pol_addr_parse(&ifaddrs[0], "10.9.9.9"));
	check_view(places, &view, with, listener4, 4);
}
END_TEST

static const struct {
	size_t listener;
	const char *value;
	bool same, known; /* KNOWN: when the interface has its addresses */
} lines[] = {
	{ 0, "10.9.9.9:5", false, true },
	{ 0, "10.9.9.8:5", false, false },
	{ 0, "[fd00::9]:5", false, false },
	{ 0, "interface:eth1:ipv4:5", false, false },
	{ 0, "unix:/run/s", false, false },
	{ 1, "[fd00::9]:5", false, true },
	{ 1, "localhost:5", false, false },
	{ 2, "unix:/run/s WorldWritable IPv6Traffic", true, true },
	{ 2, "unix:/run/s ipv6traffic worldwritable", true, true },
	{ 2, "unix:\"/run/s\" WorldWritable IPv6Traffic", true, true },
	{ 2, "unix:/run/s WorldWritables IPv6Traffic", false, false },
	{ 2, "unix:/run/s NoWorldWritable IPv6Traffic", false, false },
	{ 2, "unix:/run/s IPv6Traffic", false, false },
	{ 2, "unix:/run/t WorldWritable IPv6Traffic", false, false },
	{ 2, "unix:\"/run/s WorldWritable IPv6Traffic", false, false },
	{ 2, "10.9.9.9:5 WorldWritable IPv6Traffic", false, false },
	{ 3, "[fd00::9]:6", false, true },
	{ 3, "[fd00::9]:6 WorldWritable", false, false },
};

START_TEST(a_line_is_compared_with_what_the_place_is_now)
{
	struct pol_addr ifaddrs[POL_MAX_IFADDRS] = { { 0 } };
	struct pol_policy p;
	const struct pol_listener *l;

	pu_parse(&p, places);
	l = &p.listeners[lines[_i].listener];
	ck_assert(pol_addr_parse(&ifaddrs[0], "10.9.9.9"));
	ck_assert(pol_addr_parse(&ifaddrs[1], "fd00::9"));
	ck_assert_int_eq(pol_option_same(l, lines[_i].value, NULL),
	    lines[_i].same);
	ck_assert_int_eq(pol_option_same(l, lines[_i].value, ifaddrs),
	    lines[_i].known);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(unix_flags_are_spelt_as_tor_does)
{
	char out[64] = "as it was";

	ck_assert(!pol_flag_unix("WorldWritables", out, sizeof out));
	ck_assert(!pol_flag_unix("No", out, sizeof out));
	ck_assert(!pol_flag_unix("CacheDNS", out, sizeof out));
	ck_assert_str_eq(out, "as it was");
	ck_assert(pol_flag_unix("noRELAXdirmodecheck", out, sizeof out));
	ck_assert_str_eq(out, "NoRelaxDirModeCheck");
	ck_assert(pol_flag_unix("groupwritable", NULL, 0));
}
END_TEST

START_TEST(out_of_memory_is_reported)
{
	struct pol_policy p;
	struct pol_options o;

	pu_parse(&p, three_kinds);
	pu_fail_at(1);
	ck_assert_int_eq(pol_options_make(&o, &p, NULL), -1);
	pu_fail_at(0);
	pol_options_clear(&o);
	pol_policy_clear(&p);
}
END_TEST

static const struct {
	enum pol_kind kind;
	const char *flag;
	bool ok;
	const char *want;
} flags[] = {
	/* clang-format off */
	{ POL_SOCKS, "IPv6Traffic", true, "IPv6Traffic" },
	{ POL_SOCKS, "ipv6traffic", true, "IPv6Traffic" },
	{ POL_SOCKS, "noipv6traffic", true, "NoIPv6Traffic" },
	{ POL_SOCKS, "OnionTrafficOnly", true, "OnionTrafficOnly" },
	{ POL_SOCKS, "NoOnionTrafficOnly", false, "OnionTrafficOnly" },
	{ POL_SOCKS, "IsolateDestAddrs", true, "IsolateDestAddr" },
	{ POL_SOCKS, "NoIsolateClientAddrS", true, "NoIsolateClientAddr" },
	{ POL_SOCKS, "IsolateDestAddrss", false, "IsolateDestAddr" },
	{ POL_SOCKS, "CacheDNSs", false, "CacheDNS" },
	{ POL_SOCKS, "SessionGroup=0", true, "SessionGroup=0" },
	{ POL_SOCKS, "SESSIONGROUP=2147483647", true,
	    "SessionGroup=2147483647" },
	{ POL_SOCKS, "SessionGroup=-1", false, "SessionGroup=1" },
	{ POL_SOCKS, "NoSessionGroup=1", false, "SessionGroup=1" },
	{ POL_SOCKS, "WorldWritable", false, NULL },
	{ POL_SOCKS, "WorldWriteable", false, "WorldWritable" },
	{ POL_DNS, "KeepAlive", false, "KeepAliveIsolateSOCKSAuth" },
	{ POL_SOCKS, "", false, NULL },
	{ POL_SOCKS, "No", false, NULL },
	{ POL_SOCKS, "KeepAliveIsolateSocksAuth", true,
	    "KeepAliveIsolateSOCKSAuth" },
	{ POL_HTTPTUNNEL, "PreferIPv6", true, "PreferIPv6" },
	{ POL_DNS, "IPv4Traffic", true, "IPv4Traffic" },
	{ POL_DNS, "DNSRequest", true, "DNSRequest" },
	{ POL_DNS, "NoDNSRequest", false, "DNSRequest" },
	{ POL_DNS, "OnionTrafficOnly", false, "OnionTraffic" },
	{ POL_HTTPTUNNEL, "NoDNSRequest", true, "NoDNSRequest" },
	{ POL_TRANS, "PreferIPv6", false, "PreferIPv6Automap" },
	{ POL_TRANS, "IsolateDestPort", true, "IsolateDestPort" },
	{ POL_TRANS, "IsolatDestPort", false, "IsolateDestPort" },
	/* clang-format on */
};

START_TEST(flags_are_checked_as_tor_does)
{
	char out[64] = "";

	ck_assert_int_eq(pol_flag_check(flags[_i].kind, flags[_i].flag, out,
	    sizeof out), flags[_i].ok);
	if (flags[_i].want != NULL)
		ck_assert_str_eq(out, flags[_i].want);
	ck_assert_str_ne(out, "");
	ck_assert_int_eq(pol_flag_check(flags[_i].kind, flags[_i].flag, NULL,
	    0), flags[_i].ok);
}
END_TEST

static const struct {
	const char *value;
	bool same;
} values[] = {
	{ "10.0.0.1:9050 IPv6Traffic IsolateDestAddr", true },
	{ "10.0.0.1:9050 isolatedestaddrs  ipv6traffic", true },
	{ "  10.0.0.1:9050\tIPv6Traffic IsolateDestAddr ", true },
	{ "10.0.0.1:9050 IPv6Traffic", false },
	{ "10.0.0.1:9050 IPv6Traffic IsolateDestAddr CacheDNS", false },
	{ "10.0.0.1:9050 IPv6Traffic IsolateDestAddr Foo", false },
	{ "10.0.0.1:9050 NoIPv6Traffic IsolateDestAddr", false },
	{ "10.0.0.1:9051 IPv6Traffic IsolateDestAddr", false },
	{ "10.0.0.2:9050 IPv6Traffic IsolateDestAddr", false },
	{ "[fd00::1]:9050 IPv6Traffic IsolateDestAddr", false },
	{ "9050 IPv6Traffic IsolateDestAddr", false },
	{ "0", false },
	{ "", false },
	{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	    false },
};

START_TEST(a_reported_line_is_compared_by_meaning)
{
	struct pol_policy p;

	pu_parse(&p, three_kinds);
	ck_assert_int_eq(pol_option_same(&p.listeners[1], values[_i].value,
	    NULL),
	    values[_i].same);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(each_option_is_the_same_as_its_listener)
{
	struct pol_policy p;
	struct pol_options o;

	pu_parse(&p, three_kinds);
	ck_assert_int_eq(pol_options_make(&o, &p, NULL), 0);
	for (size_t i = 0; i + 1 < o.n; i++)
		for (size_t j = 0; j < p.nlisteners; j++)
			ck_assert_int_eq(pol_option_same(&p.listeners[j],
			    o.list[i].value, NULL), j == o.list[i].listener);
	pol_options_clear(&o);
	pol_policy_clear(&p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_options");
	TCase *t = tcase_create("options");

	tcase_add_test(t, options_come_by_kind_and_end_with_the_network);
	tcase_add_test(t, a_kind_with_all_withheld_is_switched_off);
	tcase_add_test(t, extra_lines_come_last_in_their_kind);
	tcase_add_test(t, lines_of_ours_can_be_marked);
	tcase_add_test(t, extra_lines_keep_a_kind_on);
	tcase_add_test(t, an_interface_without_an_address_is_left_out);
	tcase_add_loop_test(t, a_line_is_compared_with_what_the_place_is_now,
	    0, (int)(sizeof lines / sizeof lines[0]));
	tcase_add_test(t, unix_flags_are_spelt_as_tor_does);
	tcase_add_test(t, out_of_memory_is_reported);
	tcase_add_loop_test(t, flags_are_checked_as_tor_does, 0,
	    (int)(sizeof flags / sizeof flags[0]));
	tcase_add_loop_test(t, a_reported_line_is_compared_by_meaning, 0,
	    (int)(sizeof values / sizeof values[0]));
	tcase_add_test(t, each_option_is_the_same_as_its_listener);
	suite_add_tcase(s, t);
	return pu_run(s);
}
