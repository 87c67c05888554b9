#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/origins.h"
#include "tests/unit/polutil.h"

START_TEST(every_fault_is_named_in_one_run)
{
	struct pol_diags d;

	pu_parse_wrong(&d, "tor {\n usr = 1\n control = \"tcp\"\n}\n"
	    "gatway { a = b }\ngateway {\n lease_ms = 7\n dhcp = maybe\n}\n"
	    "listener \"x\" {\n kind = dns\n address = \"::\"\n port = 0\n"
	    " flags = Foo\n}\n");
	ck_assert_uint_eq(d.n, 8);
	ck_assert(pu_has_diag(&d, 2, "usr"));
	ck_assert(pu_has_diag(&d, 3, "tcp"));
	ck_assert(pu_has_diag(&d, 5, "gatway"));
	ck_assert(pu_has_diag(&d, 7, "lease_ms"));
	ck_assert(pu_has_diag(&d, 8, "maybe"));
	ck_assert(pu_has_diag(&d, 12, "wildcard"));
	ck_assert(pu_has_diag(&d, 13, "port"));
	ck_assert(pu_has_diag(&d, 14, "Foo"));
	pol_diags_clear(&d);
}
END_TEST

START_TEST(a_syntax_error_ends_only_its_own_source)
{
	struct pol_source src[] = { { "1", "tor {", 5 },
		{ "2", "users { gate = root }", 21 },
		{ "3", "{", 1 } };
	struct pol_policy p;
	struct pol_diags d;

	ck_assert_int_eq(pol_parse(&p, &d, src, 3), -1);
	ck_assert_uint_eq(d.n, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(d.list[i].file, src[i].name);
	pol_diags_clear(&d);
}
END_TEST

START_TEST(diagnostics_have_a_most)
{
	char text[8192] = P_ALL;

	for (size_t i = 0; i < POL_MAX_DIAGS + 1; i++)
		strcat(text, "users { x = y }\n");
	struct pol_diags d;
	pu_parse_wrong(&d, text);
	ck_assert_uint_eq(d.n, POL_MAX_DIAGS);
	ck_assert(d.more);
	pol_diags_clear(&d);
}
END_TEST

START_TEST(a_long_word_is_cut_and_escaped)
{
	char text[1024];
	struct pol_diags d;

	(void)snprintf(text, sizeof text,
	    P_IN_TOR("cookie_file = \"x%0200d\xff\""), 0);
	pu_parse_wrong(&d, text);
	ck_assert_ptr_nonnull(strstr(d.list[0].text, "0...\""));
	pol_diags_clear(&d);
	pu_fault(P_IN_TOR("cookie_file = \"\xff\""), 2, "\"?\"");
	(void)snprintf(text, sizeof text, P_IN_TOR("cookie_file = \"/%0200d\""),
	    0);
	pu_fault(text, 2, "107 letters at most");
}
END_TEST

START_TEST(what_is_no_text_is_refused)
{
	static char big[(4 << 20) + 1];
	struct pol_source nul = { "nul", P_ALL, sizeof P_ALL };
	struct pol_source large = { "large", big, sizeof big };
	struct pol_policy p;
	struct pol_diags d;

	memset(big, ' ', sizeof big);
	ck_assert_int_eq(pol_parse(&p, &d, &nul, 1), -1);
	ck_assert(pu_has_diag(&d, 0, "a NUL octet"));
	ck_assert_uint_eq(d.n, 1);
	pol_diags_clear(&d);
	ck_assert_int_eq(pol_parse(&p, &d, &large, 1), -1);
	ck_assert(pu_has_diag(&d, 0, "4 MiB"));
	pol_diags_clear(&d);
}
END_TEST

START_TEST(an_empty_source_is_not_a_policy)
{
	struct pol_source src = { "empty", NULL, 0 };
	struct pol_policy p;
	struct pol_diags d;

	ck_assert_int_eq(pol_parse(&p, &d, &src, 1), -1);
	ck_assert_uint_eq(d.n, 5);
	pol_diags_clear(&d);
	ck_assert_int_eq(pol_parse(&p, &d, NULL, 0), -1);
	pol_diags_clear(&d);
}
END_TEST

START_TEST(the_environment_is_not_read)
{
	ck_assert_int_eq(setenv("PC_TEST", "5", 1), 0);
	pu_fault(P_ALL "tor { user = \"$PC_TEST\" }", 5, "unprivileged");
	pu_fault(P_ALL "tor { user = \"${PC_TEST}\" }", 5, "environment");
}
END_TEST

START_TEST(too_many_of_anything_is_refused)
{
	static char text[200000];
	char *end = text + sprintf(text, "%s", P_TOR P_GW P_USERS
	    "listener x {\nport = 9050\nkind = socks\n"
	    "address = { \"10.0.0.0\"");

	for (unsigned i = 1; i <= 16; i++)
		end += sprintf(end, ", \"10.0.0.%u\"", i);
	strcpy(end, " } }\n");
	pu_fault(text, 7, "too many addresses");
	end = text + sprintf(text, "%s", P_TOR P_GW P_USERS
	    "listener x {\nkind = socks\naddress = \"10.0.0.1\"\nport = { 1");
	for (unsigned i = 0; i < 64; i++)
		end += sprintf(end, ", %u", i + 2);
	strcpy(end, " } }\n");
	pu_fault(text, 7, "too many ports");
	pu_fault(P_IN_SOCKS("flags = { PreferIPv6, DNSRequest, OnionTraffic,\n"
	    "CacheIPv4DNS, CacheIPv6DNS, CacheDNS, UseIPv4Cache,\n"
	    "UseIPv6Cache, UseDNSCache, PreferIPv6Automap, IPv4Traffic,\n"
	    "PreferSOCKSNoAuth, KeepAliveIsolateSOCKSAuth,\n"
	    "ExtendedErrors, IsolateDestPort, IsolateDestAddr,\n"
	    "IsolateSOCKSAuth, IsolateClientProtocol }"), 6,
	    "too many flags: 255 letters");
	end = text + sprintf(text, "%s", P_ALL);
	for (unsigned i = 0; i < POL_MAX_LISTENERS + 600; i++)
		end += sprintf(end, "listener l%u { }\n", i);
	struct pol_diags d;
	pu_parse_wrong(&d, text);
	ck_assert(pu_has_diag(&d, 4609, "too many sections"));
	pol_diags_clear(&d);
}
END_TEST

START_TEST(defaults_are_as_documented)
{
	struct pol_policy p;

	pu_parse(&p, "tor { user = debian-tor control = \"[::1]:9051\" }"
	    P_GW P_SOCKS);
	ck_assert_uint_eq(p.tor.auth, POL_AUTH_SAFECOOKIE);
	ck_assert(!p.tor.control_is_unix);
	ck_assert_uint_eq(p.tor.control_port, 9051);
	ck_assert_str_eq(p.tor.user.name, "debian-tor");
	ck_assert(!p.tor.user.resolved);
	ck_assert_str_eq(p.gate_user.name, "portcullis-gate");
	ck_assert_str_eq(p.engine_user.name, "portcullis-engine");
	ck_assert_str_eq(p.status_user.name, "portcullis-status");
	ck_assert_uint_eq(p.lease_ms, 1000);
	ck_assert_uint_eq(p.probe_ms, 250);
	ck_assert_int_eq(p.closed, POL_CLOSED_TOR_ALLOWED);
	ck_assert(!p.dhcp);
	ck_assert_str_eq(p.run_dir, "/run/portcullis");
	pol_policy_clear(&p);
}
END_TEST

START_TEST(every_keyword_is_taken)
{
	struct pol_policy p;

	pu_parse(&p, "tor { user = 7 control = \"127.0.0.1:9051\"\n"
	    "auth = { safecookie, password, cookie, null }\n"
	    "cookie_file = '/c' password_file = \"/p\" } # comment\n"
	    "gateway { internal = { a, b } external = { c }\r\n"
	    "closed = strict /* block\n * comment */ lease_ms = 200\n"
	    "probe_ms = 100 dhcp = true run_dir = \"/r\" }\n"
	    "users { gate = 8 engine = 9 status = 10 } // comment\n"
	    "listener x { kind = trans address = { \"10.0.0.1\", \"::1\" }\n"
	    "port = { 9040 } flags = { isolatedestaddrs, NOCacheDns,\n"
	    "\"sessiongroup=007\" } }");
	ck_assert_uint_eq(p.tor.auth, 15);
	ck_assert_str_eq(p.tor.cookie_file, "/c");
	ck_assert_str_eq(p.tor.password_file, "/p");
	ck_assert(p.tor.user.resolved);
	ck_assert_uint_eq(p.tor.user.gid, 7);
	ck_assert_uint_eq(p.ninternal, 2);
	ck_assert_str_eq(p.internal[1], "b");
	ck_assert_int_eq(p.closed, POL_CLOSED_STRICT);
	ck_assert_uint_eq(p.probe_ms, 100);
	ck_assert(p.dhcp);
	ck_assert_str_eq(p.run_dir, "/r");
	ck_assert_uint_eq(p.nlisteners, 2);
	ck_assert_str_eq(p.listeners[0].flags,
	    "IsolateDestAddr NoCacheDNS SessionGroup=7");
	ck_assert(!p.listeners[0].loopback);
	ck_assert(p.listeners[1].loopback);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(listeners_are_numbered_by_address_then_port)
{
	static const char *const want[] = { "10.0.0.1:5", "10.0.0.1:7",
		"10.0.0.1:8", "[fd00::1]:5", "[fd00::1]:7", "[fd00::1]:8",
		"10.0.0.1:1" };
	struct pol_policy p;
	char text[64];

	pu_parse(&p, P_TOR P_GW P_USERS "listener x { kind = socks\n"
	    "address = { \"10.0.0.1\", \"fd00::1\" } port = { 5, \"7-8\" } }\n"
	    "listener y { kind = socks address = \"10.0.0.1\" port = 1 }\n");
	ck_assert_uint_eq(p.nlisteners, 7);
	for (size_t i = 0; i < 7; i++) {
		pol_listener_format(text, sizeof text, &p,
		    &p.listeners[i], NULL);
		ck_assert_str_eq(text, want[i]);
	}
	pol_policy_clear(&p);
}
END_TEST

START_TEST(tcp_and_udp_may_share_a_number)
{
	struct pol_policy p;

	pu_parse(&p, P_ALL
	    "listener d { kind = dns address = \"10.0.0.1\" port = 9050 }");
	ck_assert_uint_eq(p.nlisteners, 2);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(later_sources_replace_earlier_settings)
{
	static const char more[] = "tor { user = 5 }\n"
	    "gateway { internal = { x, y } }\n"
	    "listener \"a\" { kind = socks address = \"10.0.0.9\" port = 1 }\n"
	    "listener \"b\" { kind = socks address = \"10.0.0.9\" port = 2 }\n";
	struct pol_source src[] = { { "1", P_ALL, sizeof P_ALL - 1 },
		{ "2", more, sizeof more - 1 } };
	struct pol_policy p;
	struct pol_diags d;

	ck_assert_int_eq(pol_parse(&p, &d, src, 2), 0);
	ck_assert_uint_eq(p.tor.user.uid, 5);
	ck_assert_str_eq(p.tor.control_path, "/run/tor/control");
	ck_assert_uint_eq(p.ninternal, 2);
	ck_assert_str_eq(p.external[0], "eth0");
	ck_assert_uint_eq(p.nlisteners, 2);
	ck_assert_uint_eq(p.listeners[0].port, 1);
	ck_assert_str_eq(p.listeners[1].name, "b");
	pol_policy_clear(&p);
	pol_diags_clear(&d);
}
END_TEST

START_TEST(a_double_across_files_names_both)
{
	static const char more[] =
	    "\nlistener \"b\" { kind = socks address = \"10.0.0.1\" "
	    "port = 9050 }\n";
	struct pol_source src[] = { { "1", P_ALL, sizeof P_ALL - 1 },
		{ "2", more, sizeof more - 1 } };
	struct pol_policy p;
	struct pol_diags d;

	ck_assert_int_eq(pol_parse(&p, &d, src, 2), -1);
	ck_assert_uint_eq(d.n, 1);
	ck_assert_str_eq(d.list[0].file, "2");
	ck_assert(pu_has_diag(&d, 2, "(1, line 4)"));
	pol_diags_clear(&d);
}
END_TEST

START_TEST(the_file_that_has_the_last_word_is_known)
{
	static const char more[] = "gateway {\ndhcp = true }\n"
	    "tor { user = 5 }\nlistener \"a\" { kind = socks "
	    "address = \"10.0.0.9\" port = 1 }\nusers { gate = 1 }\n"
	    "users { gate = 2 }\n";
	struct pol_source src[] = { { "1", P_ALL, sizeof P_ALL - 1 },
		{ "2", more, sizeof more - 1 } };
	static const struct {
		const char *key, *file;
		unsigned line;
		const char *before;
		unsigned before_line;
	} want[] = {
		{ "tor user", "2", 3, "1", 1 },
		{ "tor control", "1", 1, "", 0 },
		{ "gateway dhcp", "2", 2, "", 0 },
		{ "listener a", "2", 4, "1", 4 },
		{ "users gate", "2", 6, "1", 3 },
	};
	struct pol_origins from = { 0 };
	struct pol_policy p;
	struct pol_diags d;

	ck_assert_int_eq(pol_parse_from(&p, &d, &from, src, 2), 0);
	for (size_t i = 0; i < sizeof want / sizeof want[0]; i++) {
		const struct pol_origin *o = pol_origins_find(&from,
		    want[i].key);

		ck_assert_ptr_nonnull(o);
		ck_assert_str_eq(o->file, want[i].file);
		ck_assert_uint_eq(o->line, want[i].line);
		ck_assert_str_eq(o->before, want[i].before);
		ck_assert_uint_eq(o->before_line, want[i].before_line);
		ck_assert_int_eq(o->added, o->file[0] == '2');
	}
	ck_assert_ptr_null(pol_origins_find(&from, "listener b"));
	ck_assert_ptr_null(pol_origins_find(NULL, "tor user"));
	pol_origins_clear(&from);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(a_contradiction_across_files_names_both)
{
	static const char more[] = "\ngateway { external = eth1 }\n";
	struct pol_source src[] = { { "1", P_ALL, sizeof P_ALL - 1 },
		{ "2", more, sizeof more - 1 } };
	struct pol_policy p;
	struct pol_diags d;

	ck_assert_int_eq(pol_parse(&p, &d, src, 2), -1);
	ck_assert_str_eq(d.list[0].file, "2");
	ck_assert(pu_has_diag(&d, 2, "also internal (1, line 2: \"eth1\")"));
	pol_diags_clear(&d);
}
END_TEST

START_TEST(a_repeated_section_adds_settings_within_a_source)
{
	struct pol_policy p;

	pu_parse(&p, P_ALL
	    "listener b { kind = dns address = \"10.0.0.1\" port = 5 }\n"
	    "gateway { dhcp = true }\n");
	ck_assert_uint_eq(p.nlisteners, 2);
	ck_assert(p.dhcp);
	ck_assert_uint_eq(p.ninternal, 1);
	pol_policy_clear(&p);
}
END_TEST

static const char *const round_trips[] = {
	P_ALL,
	"tor { user = x control = \"127.0.0.1:1\" auth = { null, cookie }\n"
	"password_file = \"/p\" cookie_file = \"/c\" }\n"
	"gateway { internal = { a, b } external = { c, d } closed = strict\n"
	"lease_ms = 10000 probe_ms = 20 dhcp = true run_dir = \"/a\" }\n"
	"listener z { kind = dns address = \"127.0.0.1\" port = { 5, 7, 4,\n"
	"\"10-12\", 13, 15 } }\n"
	"listener a { kind = socks address = { \"::1\", \"127.0.0.1\" }\n"
	"port = { \"2-1000\" } flags = { nocachedns, OnionTrafficOnly } }\n"
	"listener b { kind = httptunnel address = \"::1\" port = 1001 }\n",
	P_TOR "gateway { internal = { eth1, w } external = x }" P_USERS
	"listener a { kind = socks port = { 5, 6, 8 } app = \"Some App\"\n"
	"address = { \"unix:/a\", \"unix:/b\", \"interface:w\",\n"
	"\"10.0.0.1\", \"interface:eth1:ipv6\", \"unix:/c\" } }\n"
	"listener c { group = g flags = { WorldWritable, IPv6Traffic } }\n"
	"listener d { group = g address = \"interface:eth1:ipv4\" port = 9 }\n"
	"listener e { kind = trans port = 9040 address = {\n"
	"\"interface:eth1\" } }\n"
	"group g { kind = socks address = { \"unix:/d\", \"unix:/e\" } }\n",
	"tor { user = 101 control = \"unix:/c\" torrc = \"/etc/tor/p\" }\n"
	P_GW "users { gate = 102 engine = 103 status = 104 resolver = r }\n"
	P_SOCKS "resolver { address = \"2001:db8::53\" protocol = tls\n"
	"name = \"DNS.Example.\" private = true timeout_ms = 500\n"
	"pin = \"/+8CAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\" }\n"
	"transport a-b { methods = { x, y } program = \"/p\" dns = true\n"
	"arguments = \"  -a   b=c \" udp = true bridge = {\n"
	"\"Bridge y 192.0.2.1\", \"x [::1]:5 k=v  l=w\" } }\n"
	"transport z { program = \"/q\" bridge = \"z 192.0.2.2:9 "
	"abcdefabcdefabcdefabcdefabcdefabcdefabcd\" }\n",
};

START_TEST(printing_is_a_fixed_point)
{
	struct pol_policy p, q;
	char *once, *twice;

	pu_parse(&p, round_trips[_i]);
	once = pol_print(&p);
	ck_assert_ptr_nonnull(once);
	pu_parse(&q, once);
	twice = pol_print(&q);
	ck_assert_str_eq(once, twice);
	ck_assert_uint_eq(p.nlisteners, q.nlisteners);
	ck_assert_mem_eq(p.listeners, q.listeners,
	    p.nlisteners * sizeof *p.listeners);
	ck_assert_uint_eq(p.nbridges, q.nbridges);
	for (size_t i = 0; i < p.nbridges; i++)
		ck_assert_mem_eq(&p.bridges[i], &q.bridges[i],
		    sizeof p.bridges[i]);
	free(p.listeners);
	free(q.listeners);
	free(p.bridges);
	free(q.bridges);
	p.listeners = q.listeners = NULL;
	p.bridges = q.bridges = NULL;
	ck_assert_mem_eq(&p, &q, sizeof p);
	free(once);
	free(twice);
}
END_TEST

START_TEST(running_out_of_memory_is_a_refusal)
{
	struct pol_source src = { "x", round_trips[_i],
		strlen(round_trips[_i]) };
	struct pol_origins from = { 0 };
	struct pol_policy p;
	struct pol_diags d;
	unsigned n = 0;
	int rc;

	do {
		pu_fail_at(++n);
		rc = pol_parse_from(&p, &d, &from, &src, 1);
		pu_fail_at(0);
		pol_origins_clear(&from);
		ck_assert(rc == 0 || (p.listeners == NULL &&
		    pu_has_diag(&d, 0, "not enough memory")));
		pol_diags_clear(&d);
	} while (rc == -1);
	ck_assert_uint_gt(n, 20);
	pu_fail_at(1);
	ck_assert_ptr_null(pol_print(&p));
	pu_fail_at(0);
	pol_policy_clear(&p);
}
END_TEST

START_TEST(no_memory_even_for_the_complaint)
{
	struct pol_source src = { "x", "}", 1 };
	struct pol_policy p;
	struct pol_diags d;

	pu_fail_at(2); /* the copy of the text, then the list */
	ck_assert_int_eq(pol_parse(&p, &d, &src, 1), -1);
	pu_fail_at(0);
	ck_assert(d.more);
	pol_diags_clear(&d);
}
END_TEST

START_TEST(addresses_are_parsed_strictly)
{
	static const char *const wrong[] = { "", ":1", "[::1]", "[::1:1",
		"[]:1", "[1.2.3.4]:1", "1.2.3.4:65536", "1.2.3.4:-1",
		"1.2.3.4:1x", "1.2.3.4:", " 1.2.3.4:1",
		"11111111111111111111111111111111111111111111111111:1" };
	struct pol_addr a;
	uint16_t port;

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
		ck_assert(!pol_addrport_parse(&a, &port, wrong[i]));
	ck_assert(pol_addrport_parse(&a, &port, "[fd00::1]:65535"));
	ck_assert_uint_eq(port, 65535);
	ck_assert_int_eq(a.family, AF_INET6);
}
END_TEST

START_TEST(an_address_that_does_not_fit_is_empty)
{
	struct pol_addr a;
	char text[4] = "xxx";

	ck_assert(pol_addr_parse(&a, "10.0.0.1"));
	pol_addr_format(text, 0, &a);
	ck_assert_str_eq(text, "xxx");
	pol_addr_format(text, sizeof text, &a);
	ck_assert_str_eq(text, "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_parse");
	TCase *t = tcase_create("parse");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, every_fault_is_named_in_one_run);
	tcase_add_test(t, a_syntax_error_ends_only_its_own_source);
	tcase_add_test(t, diagnostics_have_a_most);
	tcase_add_test(t, a_long_word_is_cut_and_escaped);
	tcase_add_test(t, what_is_no_text_is_refused);
	tcase_add_test(t, an_empty_source_is_not_a_policy);
	tcase_add_test(t, the_environment_is_not_read);
	tcase_add_test(t, too_many_of_anything_is_refused);
	tcase_add_test(t, defaults_are_as_documented);
	tcase_add_test(t, every_keyword_is_taken);
	tcase_add_test(t, listeners_are_numbered_by_address_then_port);
	tcase_add_test(t, tcp_and_udp_may_share_a_number);
	tcase_add_test(t, later_sources_replace_earlier_settings);
	tcase_add_test(t, a_double_across_files_names_both);
	tcase_add_test(t, the_file_that_has_the_last_word_is_known);
	tcase_add_test(t, a_contradiction_across_files_names_both);
	tcase_add_test(t, a_repeated_section_adds_settings_within_a_source);
	tcase_add_loop_test(t, printing_is_a_fixed_point, 0,
	    (int)(sizeof round_trips / sizeof round_trips[0]));
	tcase_add_loop_test(t, running_out_of_memory_is_a_refusal, 1, 3);
	tcase_add_test(t, no_memory_even_for_the_complaint);
	tcase_add_test(t, addresses_are_parsed_strictly);
	tcase_add_test(t, an_address_that_does_not_fit_is_empty);
	suite_add_tcase(s, t);
	return pu_run(s);
}
