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
check_options(const bool *withheld, const char *const *want,
    const size_t *listener, size_t n)
{
	struct pol_policy p;
	struct pol_view view = { .withheld = withheld };
	struct pol_options o;
	char text[sizeof o.list->text + 32];

	pu_parse(&p, three_kinds);
	ck_assert_int_eq(pol_options_make(&o, &p, &view), 0);
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

START_TEST(options_come_by_kind_and_end_with_the_network)
{
	static const char *const want[] = {
		"SocksPort=10.0.0.1:9050 IPv6Traffic IsolateDestAddr",
		"SocksPort=[fd00::1]:9050 IPv6Traffic IsolateDestAddr",
		"TransPort=10.0.0.1:9040", "DNSPort=10.0.0.1:5300",
		"DisableNetwork=0" };
	static const size_t listener[] = { 1, 2, 3, 0, SIZE_MAX };

	check_options(NULL, want, listener, 5);
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
	{ POL_SOCKS, "", false, NULL },
	{ POL_SOCKS, "No", false, NULL },
	{ POL_SOCKS, "KeepAliveIsolateSocksAuth", true,
	    "KeepAliveIsolateSOCKSAuth" },
	{ POL_HTTPTUNNEL, "PreferIPv6", true, "PreferIPv6" },
	{ POL_DNS, "IPv4Traffic", true, "IPv4Traffic" },
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
	tcase_add_test(t, out_of_memory_is_reported);
	tcase_add_loop_test(t, flags_are_checked_as_tor_does, 0,
	    (int)(sizeof flags / sizeof flags[0]));
	tcase_add_loop_test(t, a_reported_line_is_compared_by_meaning, 0,
	    (int)(sizeof values / sizeof values[0]));
	tcase_add_test(t, each_option_is_the_same_as_its_listener);
	suite_add_tcase(s, t);
	return pu_run(s);
}
