#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/polutil.h"

/* A policy whose only fault stands in the part that is given. */
#define TOR(s) "tor { user = 101 control = \"unix:/c\"\n" s " }\n" P_GW       \
	P_USERS P_SOCKS
#define GW(s) P_TOR "gateway {\n" s " }\n" P_USERS P_SOCKS
#define GW2(s) GW("internal = eth1 external = eth0\n" s)
#define USERS(s) P_TOR P_GW "users {\n" s " }\n" P_SOCKS
#define LIST(s) P_TOR P_GW P_USERS "listener \"a\" {\n" s " }\n"
#define SOCKS(s) LIST("kind = socks address = \"10.0.0.1\" port = 9050\n" s)
#define PORT(s) LIST("kind = socks address = \"10.0.0.1\"\n port = " s)
#define ADDR(s) LIST("kind = socks port = 9050\n address = \"" s "\"")
#define MORE(s) P_ALL "listener \"b\" { " s " }\n"

static const struct fault {
	const char *text;
	unsigned line;
	const char *words;
} faults[] = {
	/* clang-format off */
	/* words and braces */
	{ TOR("usr = 5"), 2, "did you mean \"user\"" },
	{ TOR("COOKIE-FILE = \"/x\""), 2, "did you mean \"cookie_file\"" },
	{ GW2("lease = 5"), 4, "did you mean \"lease_ms\"" },
	{ P_ALL "listner \"b\" { kind = { x, y } }", 5, "\"listener\"" },
	{ P_ALL "gate { a = b c = { d, e } f = {} }", 5, "no section" },
	{ P_ALL "include(\"/etc/passwd\")", 5, "conf.d" },
	{ TOR("auth = { null } auth = { null }"), 2, "twice" },
	{ TOR("cookie_file = { \"/x\" }"), 2, "only one value" },
	{ P_ALL "listener { }", 5, "a name for the listener" },
	{ P_ALL "listener \"a b\" { }", 5, "only letters" },
	{ P_ALL "listener \"\" { }", 5, "1 to 63 letters" },
	{ P_ALL "}", 5, "the name of a section" },
	{ P_ALL "tor \"x\" { }", 5, "an opening brace" },
	{ P_ALL "tor", 5, "too early: an opening brace" },
	{ P_ALL "tor {\n\n", 7, "a keyword or a closing brace" },
	{ P_ALL "tor { user", 5, "an equals sign" },
	{ P_ALL "tor { user 5 }", 5, "write an equals sign" },
	{ P_ALL "tor { user = }", 5, "write a value" },
	{ P_ALL "tor { auth = { null cookie } }", 5, "a comma or" },
	{ P_ALL "tor { auth = { null, } }", 5, "a value or" },
	{ P_ALL "tor { auth += { null } }", 5, "\"+\" cannot stand here" },
	{ P_ALL "tor { user { } }", 5, "write an equals sign" },
	{ P_ALL "tor { user = \"x\n\" }", 5, "no end" },
	{ P_ALL "tor { user = \"x", 5, "no end" },
	{ P_ALL "tor { user = 'x\\'' }", 5, "backslash" },
	{ P_ALL "tor { user = \"x\\n\" }", 5, "backslash" },
	{ P_ALL "tor { user = \"\1\" }", 5, "control character" },
	{ P_ALL "tor { user = \"${HOME}\" }", 5, "environment" },
	{ P_ALL "tor { user = '${HOME}' }", 5, "environment" },
	{ P_ALL "tor { user = ${HOME} }", 5, "environment" },
	{ P_ALL "/* for ever", 5, "close it with" },
	{ P_ALL "tor { user = a/b }", 5, "double quotes" },
	/* tor */
	{ TOR("cookie_file = \"run/x\""), 2, "as a path" },
	{ TOR("cookie_file = \"~/x\""), 2, "as a path" },
	{ TOR("cookie_file = \"/a/../b\""), 2, "as a path" },
	{ TOR("cookie_file = \"/a b\""), 2, "as a path" },
	{ TOR("auth = { }"), 2, "empty" },
	{ TOR("auth = { safecooky }"), 2, "did you mean \"safecookie\"" },
	{ TOR("auth = password"), 2, "needs \"password_file\"" },
	{ "tor { user = 101 }" P_GW P_USERS P_SOCKS, 0, "\"control\" is not" },
	{ "tor { control = \"unix:/c\" }" P_GW P_USERS P_SOCKS, 0, "\"user\"" },
	{ "tor { user = 1 control = \"unix:c\" }" P_GW P_USERS P_SOCKS, 1,
	    "as a path" },
	{ "tor { user = 1 control = \"1.2.3.4:9051\" }" P_GW P_USERS P_SOCKS,
	    1, "not on loopback" },
	{ "tor { user = 1 control = \"[::]:9051\" }" P_GW P_USERS P_SOCKS,
	    1, "not on loopback" },
	{ "tor { user = 1 control = \"localhost:1\" }" P_GW P_USERS P_SOCKS,
	    1, "control address" },
	{ "tor { user = 1 control = \"127.0.0.1:0\" }" P_GW P_USERS P_SOCKS,
	    1, "control address" },
	{ "tor { user = 1 control = \"::1:9051\" }" P_GW P_USERS P_SOCKS,
	    1, "control address" },
	{ "tor { user = root control = \"unix:/c\" }" P_GW P_USERS P_SOCKS,
	    1, "unprivileged" },
	/* users */
	{ USERS("gate = 0"), 4, "unprivileged" },
	{ USERS("gate = 4294967295"), 4, "unprivileged" },
	{ USERS("gate = 4294967296"), 4, "unprivileged" },
	{ USERS("gate = \"-x\""), 4, "unprivileged" },
	{ USERS("gate = \"a b\""), 4, "unprivileged" },
	{ USERS("gate = 101"), 4, "the same user as \"user\"" },
	{ USERS("gate = 102 engine = 102"), 4, "the same user as \"gate\"" },
	{ USERS("gate = a\nengine = b\nstatus = a"), 6, "the same user" },
	/* gateway */
	{ GW("external = eth0"), 0, "\"internal\" is not set" },
	{ GW("internal = eth0"), 0, "\"external\" is not set" },
	{ GW("internal = {} external = eth0"), 4 - 1, "is empty" },
	{ GW("internal = eth0\nexternal = eth0"), 4, "also internal (line 3)" },
	{ GW("internal = lo external = eth0"), 3, "neither side" },
	{ GW("internal = \"eth*\" external = eth0"), 3, "no wildcard" },
	{ GW("internal = \"a/b\" external = eth0"), 3, "an interface's name" },
	{ GW("internal = abcdefghijklmnop external = eth0"), 3, "1 to 15" },
	{ GW("internal = { a, a } external = eth0"), 3, "named twice" },
	{ GW("internal = { a,b,c,d,e,f,g,h,i } external = eth0"), 3,
	    "too many" },
	{ GW2("closed = shut"), 4, "did you mean \"strict\"" },
	{ GW2("lease_ms = 199"), 4, "200 to 10000" },
	{ GW2("lease_ms = 10001"), 4, "200 to 10000" },
	{ GW2("lease_ms = 0x200"), 4, "200 to 10000" },
	{ GW2("lease_ms = \"\""), 4, "200 to 10000" },
	{ GW2("probe_ms = 19"), 4, "20 to 5000" },
	{ GW2("probe_ms = 501"), 4, "half of lease_ms, which is 1000" },
	{ GW2("dhcp = yes"), 4, "did you mean" },
	{ GW2("run_dir = run"), 4, "as a path" },
	/* listeners */
	{ P_TOR P_GW P_USERS, 0, "there is no listener" },
	{ LIST("kind = sock address = \"10.0.0.1\" port = 1"), 5, "\"socks\"" },
	{ LIST("address = \"10.0.0.1\" port = 1"), 4, "no \"kind\"" },
	{ LIST("kind = socks port = 1"), 4, "no \"address\"" },
	{ LIST("kind = socks address = \"10.0.0.1\""), 4, "no \"port\"" },
	{ ADDR("0.0.0.0"), 6, "a wildcard" },
	{ ADDR("0.0.0.1"), 6, "a wildcard" },
	{ ADDR("::"), 6, "a wildcard" },
	{ ADDR("224.0.0.1"), 6, "many receivers" },
	{ ADDR("255.255.255.255"), 6, "many receivers" },
	{ ADDR("ff02::1"), 6, "many receivers" },
	{ ADDR("169.254.1.1"), 6, "link-local" },
	{ ADDR("fe80::1"), 6, "link-local" },
	{ ADDR("febf::1"), 6, "link-local" },
	{ ADDR("::ffff:10.0.0.1"), 6, "in disguise" },
	{ ADDR("localhost"), 6, "numbers, not a host name" },
	{ ADDR("10.0.0.1:9050"), 6, "numbers, not a host name" },
	{ PORT("0"), 6, "from 1 to 65535" },
	{ PORT("65536"), 6, "from 1 to 65535" },
	{ PORT("\"9-8\""), 6, "from 1 to 65535" },
	{ PORT("\"9-\""), 6, "from 1 to 65535" },
	{ PORT("\"-9\""), 6, "from 1 to 65535" },
	{ PORT("\"1-2-3\""), 6, "from 1 to 65535" },
	{ PORT("\"123456789-1\""), 6, "from 1 to 65535" },
	{ PORT("auto"), 6, "from 1 to 65535" },
	{ PORT("\"1-4097\""), 0, "4097 listeners: 4096 at most" },
	{ PORT("{ 80, 90, 80 }"), 4, "10.0.0.1:80 is taken already" },
	{ MORE("kind=httptunnel address=\"10.0.0.1\" port=9050"), 5,
	    "listener \"a\" (test.conf, line 4)" },
	{ MORE("kind=dns address=\"127.0.0.1\" port=\"7690-7700\""), 5,
	    "heartbeat" },
	{ MORE("kind=dns address=\"::1\" port=7702"), 5, "heartbeat" },
	{ MORE("kind=dns address={\"10.0.0.1\",\"10.0.0.2\"} port=5"), 5,
	    "a second DNSPort" },
	{ MORE("kind=trans address=\"fd00::1\" port={5,6}"), 5,
	    "a second TransPort for workstations over IPv6" },
	/* flags */
	{ SOCKS("flags = IsolateDestAdr"), 6, "did you mean \"IsolateDest" },
	{ SOCKS("flags = IPv4Traffics"), 6, "did you mean \"IPv4Traffic\"" },
	{ SOCKS("flags = NoOnionTrafficOnly"), 6, "not a flag of SocksPort" },
	{ SOCKS("flags = \"SessionGroup=\""), 6, "\"SessionGroup=1\"" },
	{ SOCKS("flags = \"SessionGroup=2147483648\""), 6, "not a flag" },
	{ SOCKS("flags = \"SessionGroup=99999999999\""), 6, "not a flag" },
	{ SOCKS("flags = WorldWritable"), 6, "Unix sockets only" },
	{ SOCKS("flags = NoGroupWritable"), 6, "Unix sockets only" },
	{ SOCKS("flags = { IPv6Traffic, NoIPv6Traffic }"), 4, "contradicts" },
	{ SOCKS("flags = { OnionTrafficOnly, IPv4Traffic }"), 4,
	    "contradicts another" },
	{ SOCKS("flags = { NoIPv4Traffic, NoIPv6Traffic }"), 4,
	    "DNS requests need" },
	{ SOCKS("flags = { NoIPv4Traffic, NoIPv6Traffic, NoOnionTraffic }"),
	    4, "no traffic at all" },
	{ SOCKS("flags = { \"SessionGroup=1\", \"SessionGroup=2\" }"), 4,
	    "more than once" },
	{ SOCKS("flags = { CacheDNS, IPv6Traffic, cachedns }"), 4, "twice" },
	{ LIST("flags = PreferIPv6 kind = trans address = \"10.0.0.1\" "
	    "port = 1"), 5, "not a flag of TransPort" },
	/* clang-format on */
};

START_TEST(a_fault_is_named_with_its_line)
{
	const struct fault *f = &faults[_i];

	pu_fault(f->text, f->line, f->words);
}
END_TEST

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

	(void)snprintf(text, sizeof text, TOR("cookie_file = \"x%0200d\xff\""),
	    0);
	pu_parse_wrong(&d, text);
	ck_assert_ptr_nonnull(strstr(d.list[0].text, "0...\""));
	pol_diags_clear(&d);
	pu_fault(TOR("cookie_file = \"\xff\""), 2, "\"?\"");
	(void)snprintf(text, sizeof text, TOR("cookie_file = \"/%0200d\""),
	    0);
	pu_fault(text, 2, "107 letters at most");
}
END_TEST

START_TEST(what_is_no_text_is_refused)
{
	static char big[(1 << 20) + 1];
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
	ck_assert(pu_has_diag(&d, 0, "1 MiB"));
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
	char text[160000] = P_TOR P_GW P_USERS "listener x {\nport = 9050\n"
	    "kind = socks\naddress = { \"10.0.0.0\"";
	char *end = text + strlen(text);

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
	pu_fault(SOCKS("flags = { PreferIPv6, DNSRequest, OnionTraffic,\n"
	    "CacheIPv4DNS, CacheIPv6DNS, CacheDNS, UseIPv4Cache,\n"
	    "UseIPv6Cache, UseDNSCache, PreferIPv6Automap, IPv4Traffic,\n"
	    "PreferSOCKSNoAuth, KeepAliveIsolateSOCKSAuth,\n"
	    "ExtendedErrors, IsolateDestPort, IsolateDestAddr,\n"
	    "IsolateSOCKSAuth, IsolateClientProtocol }"), 6, "too many flags: 255 letters");
	end = text + sprintf(text, "%s", P_ALL);
	for (unsigned i = 0; i <= POL_MAX_LISTENERS + 4; i++)
		end += sprintf(end, "listener l%u { }\n", i);
	struct pol_diags d;
	pu_parse_wrong(&d, text);
	ck_assert(pu_has_diag(&d, 4101, "too many sections"));
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
		pol_listener_format(text, sizeof text, &p.listeners[i]);
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

START_TEST(a_repeated_section_replaces_within_a_source)
{
	struct pol_policy p;

	pu_parse(&p, P_ALL
	    "listener b { kind = dns address = \"10.0.0.1\" port = 5 }\n"
	    "listener a { kind = socks address = \"10.0.0.2\" port = 6 }\n"
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
	"listener z { kind = dns address = \"127.0.0.1\" port = { 5, 7, 6, 4,\n"
	"\"10-12\", 13, 15 } }\n"
	"listener a { kind = socks address = { \"::1\", \"127.0.0.1\" }\n"
	"port = { \"2-1000\" } flags = { nocachedns, OnionTrafficOnly } }\n"
	"listener b { kind = httptunnel address = \"::1\" port = 1001 }\n",
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
	free(p.listeners);
	free(q.listeners);
	p.listeners = q.listeners = NULL;
	ck_assert_mem_eq(&p, &q, sizeof p);
	free(once);
	free(twice);
}
END_TEST

START_TEST(running_out_of_memory_is_a_refusal)
{
	struct pol_source src = { "x", round_trips[1],
		strlen(round_trips[1]) };
	struct pol_policy p;
	struct pol_diags d;
	unsigned n = 0;
	int rc;

	do {
		pu_fail_at(++n);
		rc = pol_parse(&p, &d, &src, 1);
		pu_fail_at(0);
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
	tcase_add_loop_test(t, a_fault_is_named_with_its_line, 0,
	    (int)(sizeof faults / sizeof faults[0]));
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
	tcase_add_test(t, a_repeated_section_replaces_within_a_source);
	tcase_add_loop_test(t, printing_is_a_fixed_point, 0,
	    (int)(sizeof round_trips / sizeof round_trips[0]));
	tcase_add_test(t, running_out_of_memory_is_a_refusal);
	tcase_add_test(t, no_memory_even_for_the_complaint);
	tcase_add_test(t, addresses_are_parsed_strictly);
	tcase_add_test(t, an_address_that_does_not_fit_is_empty);
	suite_add_tcase(s, t);
	return pu_run(s);
}
