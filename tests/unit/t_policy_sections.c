/* Groups, and where a listener can be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "tests/unit/polutil.h"

/* "name kind place app flags" of listener number I. */
static void
check_listener(const struct pol_policy *p, size_t i, const char *want)
{
	const struct pol_listener *l = &p->listeners[i];
	char place[POL_LISTENER_TEXT];
	char text[1024];

	ck_assert_uint_lt(i, p->nlisteners);
	pol_listener_format(place, sizeof place, p, l, NULL);
	(void)snprintf(text, sizeof text, "%s %s %s [%s] %s", l->name,
	    pol_kind_name(l->kind), place, l->app, l->flags);
	ck_assert_str_eq(text, want);
}

#define G_IRC "listener irc { group = g port = 9101 app = HexChat }\n"

START_TEST(a_listener_takes_what_it_does_not_set)
{
	struct pol_policy p;

	pu_parse(&p, P_TOR P_GW P_USERS G_IRC
	    "listener x { group = g kind = httptunnel }\n"
	    "listener y { group = g address = \"::1\" flags = PreferIPv6 }\n"
	    "listener z { group = g port = 7 flags = {} app = \"\" }\n"
	    "listener t { group = g kind = trans port = 8 }\n"
	    "group unused { address = \"10.0.0.9\" }\n"
	    "group g { kind = socks address = \"10.0.0.1\" port = 80\n"
	    "flags = { isolatedestaddrs, NOCacheDNS }\n"
	    "app = \"any of  them\" }");
	ck_assert_uint_eq(p.nlisteners, 5);
	check_listener(&p, 0, "irc socks 10.0.0.1:9101 [HexChat] "
	    "IsolateDestAddr NoCacheDNS");
	check_listener(&p, 1, "x httptunnel 10.0.0.1:80 [any of  them] "
	    "IsolateDestAddr NoCacheDNS");
	check_listener(&p, 2, "y socks [::1]:80 [any of  them] PreferIPv6");
	check_listener(&p, 3, "z socks 10.0.0.1:7 [] ");
	check_listener(&p, 4, "t trans 10.0.0.1:8 [any of  them] "
	    "IsolateDestAddr NoCacheDNS");
	ck_assert(p.listeners[2].loopback);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(a_later_group_replaces_the_whole_earlier_one)
{
	static const char first[] = "group g { kind = dns port = 5 }\n" G_IRC;
	static const char second[] =
	    "group g { kind = socks address = \"10.0.0.2\" }\n";
	struct pol_source src[] = { { "0", P_TOR P_GW P_USERS,
		sizeof P_TOR P_GW P_USERS - 1 },
		{ "1", first, sizeof first - 1 },
		{ "2", second, sizeof second - 1 } };
	struct pol_policy p;
	struct pol_diags d;

	ck_assert_int_eq(pol_parse(&p, &d, src, 3), 0);
	ck_assert_uint_eq(p.nlisteners, 1);
	check_listener(&p, 0, "irc socks 10.0.0.2:9101 [HexChat] ");
	pol_policy_clear(&p);
	/* And without the second there is something missing, in the first. */
	ck_assert_int_eq(pol_parse(&p, &d, src, 2), -1);
	ck_assert_str_eq(d.list[0].file, "1");
	ck_assert(pu_has_diag(&d, 2, "has no \"address\""));
	pol_diags_clear(&d);
}
END_TEST

START_TEST(a_groups_flags_are_wrong_in_the_groups_file)
{
	static const char group[] = "\n\ngroup g { kind = socks\n"
	    "address = \"10.0.0.2\"\nflags = Isolate }\n";
	struct pol_source src[] = { { "1", P_ALL G_IRC,
		sizeof P_ALL G_IRC - 1 },
		{ "2", group, sizeof group - 1 } };
	struct pol_policy p;
	struct pol_diags d;

	ck_assert_int_eq(pol_parse(&p, &d, src, 2), -1);
	ck_assert_uint_eq(d.n, 1);
	ck_assert_str_eq(d.list[0].file, "2");
	ck_assert(pu_has_diag(&d, 5, "is not a flag"));
	pol_diags_clear(&d);
}
END_TEST

START_TEST(what_was_not_understood_may_have_the_group)
{
	struct pol_diags d;

	pu_parse_wrong(&d, P_ALL G_IRC "group g {\nknd = socks }\ngroop g { }");
	ck_assert_uint_eq(d.n, 2);
	pol_diags_clear(&d);
	pu_parse_wrong(&d, P_ALL G_IRC "groop g { }");
	ck_assert_uint_eq(d.n, 1);
	pol_diags_clear(&d);
}
END_TEST

START_TEST(an_interface_is_two_addresses_each_counted_once)
{
	struct pol_policy p;

	pu_parse(&p, P_TOR "gateway { internal = { eth1, w } external = x }"
	    P_USERS
	    "group unused { address = \"interface:w\" }\n"
	    "listener a { kind = socks port = { 5, 6 }\n"
	    "address = { \"interface:eth1\", \"interface:w:ipv6\" } }\n"
	    "listener b { kind = dns port = 5\n"
	    "address = { \"interface:eth1:ipv6\" } }\n");
	ck_assert_uint_eq(p.nlisteners, 7);
	check_listener(&p, 1, "a socks interface:eth1:ipv4:6 [] ");
	check_listener(&p, 2, "a socks interface:eth1:ipv6:5 [] ");
	check_listener(&p, 4, "a socks interface:w:ipv6:5 [] ");
	check_listener(&p, 6, "b dns interface:eth1:ipv6:5 [] ");
	ck_assert_uint_eq(p.nifaddrs, 3);
	ck_assert_str_eq(p.ifaddrs[2].ifname, "w");
	ck_assert_int_eq(p.ifaddrs[2].family, AF_INET6);
	ck_assert_uint_eq(p.listeners[0].ifaddr, 1);
	ck_assert_uint_eq(p.listeners[4].ifaddr, 3);
	ck_assert_uint_eq(p.listeners[6].ifaddr, 2);
	ck_assert(!p.listeners[0].loopback);
	pol_policy_clear(&p);
}
END_TEST

/* More than there are interfaces, so only where these are wrong too. */
START_TEST(interface_addresses_have_a_most)
{
	struct pol_diags d;

	pu_parse_wrong(&d, P_TOR "gateway { internal = lo external = x }\n"
	    P_USERS "listener a { kind = socks port = 5\naddress = {\n"
	    "\"interface:a\", \"interface:b\", \"interface:c\",\n"
	    "\"interface:d\", \"interface:e\", \"interface:f\",\n"
	    "\"interface:g\", \"interface:h\" } }\n"
	    "listener b { kind = socks port = 5\n"
	    "address = \"interface:i:ipv4\" }");
	ck_assert_uint_eq(d.n, 2);
	ck_assert(pu_has_diag(&d, 10, "too many addresses of interfaces"));
	pol_diags_clear(&d);
	pu_fault(P_TOR "gateway { internal = a external = x }\n" P_USERS
	    "listener a { kind = socks port = 5\naddress = {\n"
	    "\"interface:a\", \"1.0.0.1\", \"1.0.0.2\", \"1.0.0.3\",\n"
	    "\"1.0.0.4\", \"1.0.0.5\", \"1.0.0.6\", \"1.0.0.7\",\n"
	    "\"1.0.0.8\", \"1.0.0.9\", \"1.0.1.0\", \"1.0.1.1\",\n"
	    "\"1.0.1.2\", \"1.0.1.3\", \"1.0.1.4\", \"interface:a\" } }",
	    5, "too many addresses: 16");
}
END_TEST

START_TEST(a_unix_socket_has_a_path_and_no_port)
{
	struct pol_policy p;

	pu_parse(&p, P_TOR P_GW P_USERS
	    "listener a { kind = socks flags = { worldwritable,\n"
	    "NoGroupWritable, RelaxDirModeCheck }\n"
	    "address = { \"unix:/run/..a\", \"unix:/b\" } }\n"
	    "listener b { kind = socks port = { 5, 6 }\n"
	    "address = { \"unix:/c\", \"10.0.0.1\" } }\n"
	    "group g { kind = socks port = 9 flags = WorldWritable }\n"
	    "listener c { group = g address = \"unix:/d\" }\n");
	ck_assert_uint_eq(p.nlisteners, 6);
	check_listener(&p, 0, "a socks unix:/run/..a [] "
	    "WorldWritable NoGroupWritable RelaxDirModeCheck");
	ck_assert_str_eq(p.listeners[0].path, "/run/..a");
	ck_assert_uint_eq(p.listeners[0].port, 0);
	ck_assert_int_eq(p.listeners[0].addr.family, AF_UNIX);
	ck_assert(p.listeners[0].loopback);
	check_listener(&p, 2, "b socks unix:/c [] ");
	check_listener(&p, 4, "b socks 10.0.0.1:6 [] ");
	check_listener(&p, 5, "c socks unix:/d [] WorldWritable");
	ck_assert_str_eq(p.listeners[4].path, "");
	pol_policy_clear(&p);
}
END_TEST

START_TEST(protocols_and_families_do_not_share_ports)
{
	struct pol_policy p;

	pu_parse(&p, P_TOR P_GW P_USERS
	    "listener a { kind = socks address = \"interface:eth1\"\n"
	    "port = { 5, 7 } }\n"
	    "listener b { kind = dns address = \"interface:eth1\" port = 5 }\n"
	    "listener c { kind = trans address = \"127.0.0.1\" port = 7 }\n"
	    "listener d { kind = socks address = \"10.0.0.1\" port = 5 }\n");
	ck_assert_uint_eq(p.nlisteners, 8);
	pol_policy_clear(&p);
}
END_TEST

#define A21 "aaaaaaaaaaaaaaaaaaaaa"
#define A63 A21 A21 A21

/* Every listener in a section of its own, which says all that it can. */
START_TEST(the_longest_canonical_text_can_be_read)
{
	static char text[2 << 20];
	char *end = text + sprintf(text, "%s", P_TOR P_GW P_USERS
	    "group g { kind = socks app = " A63 "\nflags = { WorldWritable,\n"
	    "NoGroupWritable, RelaxDirModeCheck, IPv4Traffic, IPv6Traffic,\n"
	    "PreferIPv6, DNSRequest, OnionTraffic, CacheIPv4DNS,\n"
	    "CacheIPv6DNS, CacheDNS, UseIPv4Cache, UseIPv6Cache,\n"
	    "UseDNSCache, PreferIPv6Automap, PreferSOCKSNoAuth,\n"
	    "ExtendedErrors, IsolateDestPort } }\n");
	struct pol_policy p, q;
	char *once, *twice;

	for (unsigned i = 0; i < POL_MAX_LISTENERS; i++)
		end += sprintf(end, "listener \"%063u\" { group = g\n"
		    "address = \"unix:/%0106u\" }\n", i, i);
	pu_parse(&p, text);
	ck_assert_uint_eq(p.nlisteners, POL_MAX_LISTENERS);
	ck_assert_uint_gt(strlen(p.listeners[0].flags), POL_FLAGS_LEN - 20);
	once = pol_print(&p);
	ck_assert_ptr_nonnull(once);
	pu_parse(&q, once);
	twice = pol_print(&q);
	ck_assert_str_eq(once, twice);
	ck_assert_mem_eq(p.listeners, q.listeners,
	    p.nlisteners * sizeof *p.listeners);
	free(once);
	free(twice);
	pol_policy_clear(&p);
	pol_policy_clear(&q);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_sections");
	TCase *t = tcase_create("sections");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, a_listener_takes_what_it_does_not_set);
	tcase_add_test(t, a_later_group_replaces_the_whole_earlier_one);
	tcase_add_test(t, a_groups_flags_are_wrong_in_the_groups_file);
	tcase_add_test(t, what_was_not_understood_may_have_the_group);
	tcase_add_test(t, an_interface_is_two_addresses_each_counted_once);
	tcase_add_test(t, interface_addresses_have_a_most);
	tcase_add_test(t, a_unix_socket_has_a_path_and_no_port);
	tcase_add_test(t, protocols_and_families_do_not_share_ports);
	tcase_add_test(t, the_longest_canonical_text_can_be_read);
	suite_add_tcase(s, t);
	return pu_run(s);
}
