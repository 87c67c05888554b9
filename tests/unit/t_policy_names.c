/* Sections resolver and transport, tor.torrc, users.resolver. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/pin.h"
#include "tests/unit/polutil.h"

#define PIN "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define P_IN_RES(s) P_ALL "resolver {\n" s " }\n"
#define P_IN_RES2(s) P_IN_RES("address = \"192.0.2.53\"\n" s)
#define P_IN_TLS(s) P_IN_RES2("protocol = tls name = dns.example\n" s)
#define P_IN_PT(s) P_ALL "transport obfs4 {\n" s " }\n"
#define P_IN_PT2(s) P_IN_PT("program = \"/o\"\n" s)
#define P_BRIDGE(s) P_IN_PT2("bridge = \"" s "\"")
#define L_AT(s) "listener x { kind = socks " s " }\n"
#define FP "0123456789ABCDEF0123456789abcdef01234567"
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X500 X50 X50 X50 X50 X50 X50 X50 X50 X50 X50
#define B16 "o, o, o, o, o, o, o, o, o, o, o, o, o, o, o, o"

static const struct fault {
	const char *text;
	unsigned line;
	const char *words;
} faults[] = {
	/* clang-format off */
	/* names of sections and keywords */
	{ P_ALL "resolvr { }", 5, "did you mean \"resolver\"" },
	{ P_ALL "transports x { }", 5, "did you mean \"transport\"" },
	{ P_ALL "transport { }", 5, "a name for the transport" },
	{ P_IN_RES("adress = \"192.0.2.1\""), 6, "did you mean \"address\"" },
	{ P_IN_RES2("") "resolver { port = 54 }", 8, "(the first: line 5)" },
	{ P_ALL "tor { DisableNetwork = 1 }", 5, "write \"user\"" },
	{ P_IN_RES2("protocol = dot"), 7, "write \"dns\" or \"tls\"" },
	{ P_IN_RES("ping = \"192.0.2.1\""), 6, "did you mean \"pin\"" },
	{ P_IN_PT("programme = \"/o\""), 6, "did you mean \"program\"" },
	{ P_IN_PT2("bridges = x"), 7, "did you mean \"bridge\"" },
	{ P_IN_PT2("dns = false\ndns = true"), 8, "set twice" },
	{ P_IN_PT2("") "transport obfs4 { program = \"/p\" }", 8, "stands twice" },
	/* tor and users */
	{ P_IN_TOR("torrc = x"), 2, "as a path" },
	{ P_IN_TOR("torrc = \"/etc/tor/\""), 2, "is a folder" },
	{ P_IN_TOR("torrc = \"/" X50 X50 "\""), 2, "92 letters at most" },
	{ P_IN_USERS("gate = 1 engine = 2 status = 3\nresolver = root"), 5,
	    "an unprivileged user" },
	{ P_IN_USERS("gate = 1 engine = 2 status = 3\nresolver = 2"), 5,
	    "the same user as \"engine\"" },
	{ P_IN_USERS("gate = 1 engine = 2 status = 3\nresolver = 101"), 5,
	    "the same user as \"user\" of section \"tor\"" },
	{ P_ALL "egress e { user = portcullis-resolver }", 5,
	    "our resolver's" },
	/* resolver */
	{ P_IN_RES("port = 53"), 6, "has no \"address\"" },
	{ P_IN_RES("address = dns.example"), 6, "is not an address" },
	{ P_IN_RES("address = \"0.0.0.0\""), 6, "is no resolver's" },
	{ P_IN_RES("address = \"::\""), 6, "is no resolver's" },
	{ P_IN_RES("address = \"224.0.0.251\""), 6, "is no resolver's" },
	{ P_IN_RES("address = \"ff02::fb\""), 6, "is no resolver's" },
	{ P_IN_RES("address = \"fe80::1\""), 6, "is no resolver's" },
	{ P_IN_RES("address = \"::ffff:192.0.2.1\""), 6, "is no resolver's" },
	{ P_IN_RES("address = \"127.0.0.53\""), 6, "is no resolver's" },
	{ P_IN_RES("address = \"::1\""), 6, "is no resolver's" },
	{ P_IN_RES("address = \"255.255.255.255\""), 6, "is no resolver's" },
	{ P_IN_RES("address = \"10.0.0.1\""), 6, "where listener \"a\" is" },
	{ P_IN_RES2("port = 0"), 7, "from 1 to 65535" },
	{ P_IN_RES2("port = 65536"), 7, "from 1 to 65535" },
	{ P_IN_RES2("protocol = quic"), 7, "write \"dns\" or \"tls\"" },
	{ P_IN_RES2("protocol = tls"), 7, "needs \"name\"" },
	{ P_IN_RES2("name = dns.example"), 7, "\"name\" is for TLS" },
	{ P_IN_RES2("pin = \"" PIN "\""), 7, "\"pin\" is for TLS" },
	{ P_IN_RES2("protocol = tls\nname = \"192.0.2.1\""), 8,
	    "is not a host's name" },
	{ P_IN_RES2("protocol = tls\nname = \"a..b\""), 8,
	    "is not a host's name" },
	{ P_IN_TLS("pin = \"\""), 8, "44 letters" },
	{ P_IN_TLS("pin = \"x" PIN "\""), 8, "44 letters" },
	{ P_IN_TLS("pin = \"*AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\""), 8,
	    "44 letters" },
	{ P_IN_TLS("pin = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=\""), 8,
	    "44 letters" },
	{ P_IN_TLS("pin = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8A\""), 8,
	    "44 letters" },
	{ P_IN_RES2("private = maybe"), 7, "\"maybe\"" },
	{ P_IN_RES2("timeout_ms = 499"), 7, "from 500 to 30000" },
	{ P_IN_RES2("timeout_ms = 30001"), 7, "from 500 to 30000" },
	{ P_IN_RES2("stub_port = 1023"), 7, "from 1024 to 65535" },
	{ P_IN_RES2("stub_port = 7700"), 7, "heartbeat" },
	{ P_IN_RES2("stub_port = 7706"), 7, "heartbeat" },
	{ P_IN_RES2("stub_port = 9150") L_AT("address = \"::1\" port = 9150"),
	    7, "listener \"x\"" },
	{ P_IN_RES2("stub_port = 9150")
	    L_AT("address = \"interface:eth1\" port = 9150"), 7,
	    "listener \"x\"" },
	{ P_IN_RES2("") L_AT("address = \"127.0.0.1\" port = 5453"), 6,
	    "listener \"x\": use another for \"stub_port\"" },
	{ "tor { user = 101 control = \"127.0.0.1:9051\" }\n" P_GW P_USERS
	    P_SOCKS "resolver { address = \"192.0.2.53\"\nstub_port = 9051 }",
	    6, "Tor's control address" },
	{ P_IN_MORE("kind=dns address=\"::1\" port=7706"), 5, "heartbeat" },
	/* transport */
	{ P_IN_PT("dns = false"), 5, "has no \"program\"" },
	{ P_IN_PT("program = obfs4proxy"), 6, "as a path" },
	{ P_IN_PT("program = \"/usr/bin/obfs4proxy -x\""), 6, "as a path" },
	{ P_IN_PT("program = \"/usr/bin/it's\""), 6, "as a path" },
	{ P_IN_PT("program = \"/usr/bin/a\\\\b\""), 6, "as a path" },
	{ P_IN_PT("program = \"/usr/bin/a#b\""), 6, "has a #" },
	{ P_IN_PT2("arguments = \"-a '"  "b'\""), 7, "cannot stand in a torrc" },
	{ P_IN_PT2("arguments = \"-a \\\"b\\\"\""), 7, "cannot stand" },
	{ P_IN_PT2("arguments = \"-a # b\""), 7, "cannot stand" },
	{ P_IN_PT2("arguments = \"-a \\\\\""), 7, "cannot stand" },
	{ P_IN_PT2("arguments = \"-a\tb\""), 7, "cannot stand" },
	{ P_IN_PT2("arguments = \"-a \xc3\xa4\""), 7, "cannot stand" },
	{ P_IN_PT2("arguments = \"" X500 X500 X50 "\""), 7,
	    "at most 1023 ASCII letters" },
	{ P_IN_PT2("dns = maybe"), 7, "\"maybe\"" },
	{ P_IN_PT2("udp = maybe"), 7, "\"maybe\"" },
	{ P_IN_PT2("methods = { }"), 7, "names 0: name 1 to 8" },
	{ P_IN_PT2("methods = { a, b, c, d, e, f, g, h, i }"), 7,
	    "names 9: name 1 to 8" },
	{ P_IN_PT2("methods = { a, b, a }"), 7, "named twice" },
	{ P_IN_PT2("methods = \"meek-lite\""), 7, "cannot be a transport's" },
	{ P_IN_PT2("methods = \"4obfs\""), 7, "cannot be a transport's" },
	{ P_IN_PT2("methods = \"\""), 7, "cannot be a transport's" },
	{ P_IN_PT2("methods = " X50 X50), 7, "cannot be a transport's" },
	{ P_ALL "transport a-b { program = \"/o\" }", 5,
	    "its name cannot be one: add them" },
	{ P_IN_PT2("") "transport x { program = \"/p\"\n methods = "
	    "{ y, obfs4 } }", 9, "served by transport \"obfs4\" already" },
	{ P_IN_PT2("methods = { o, x }") "transport x { program = \"/p\" }",
	    8, "served by transport \"obfs4\" already" },
	/* bridges */
	{ P_BRIDGE(""), 7, "bridge 1 of this list is none: it is empty" },
	{ P_BRIDGE("Bridge "), 7, "it is empty" },
	{ P_BRIDGE("obfs4"), 7, "it has no address" },
	{ P_BRIDGE("obfs4 bridge.example:443"), 7,
	    "\"bridge.example\" is no IP address" },
	{ P_BRIDGE("192.0.2.1:443"), 7, "has no transport: write \"obfs4\"" },
	{ P_BRIDGE("obfs5 192.0.2.1:443"), 7, "none of this section's" },
	{ P_BRIDGE("obfs4 192.0.2.1:0"), 7, "no address and port" },
	{ P_BRIDGE("obfs4 192.0.2.1:443 " FP "0"), 7, "more than 40 digits" },
	{ P_IN_PT2("methods = o bridge = { \"o 192.0.2.1\",\n\"o 300.1.1.1\" }"),
	    7, "bridge 2 of this list is none" },
	{ P_BRIDGE("obfs4 192.0.2.1 k=" X500 X50), 7, "more than 510" },
	{ P_IN_PT2("bridge = { " B16 ", " B16 ", " B16 ", " B16 ", o }"), 7,
	    "64 at most" },
	/* clang-format on */
};

START_TEST(each_fault_is_named_with_its_line)
{
	pu_fault(faults[_i].text, faults[_i].line, faults[_i].words);
}
END_TEST

START_TEST(a_transport_without_a_resolver_is_warned_of)
{
	pu_warning(P_IN_PT2("dns = true"), 7, "no section \"resolver\"");
	pu_warning(P_IN_PT2("dns = true") "resolver { address = "
	    "\"192.0.2.53\" }", 0, NULL);
	pu_warning(P_IN_PT2("dns = false"), 0, NULL);
}
END_TEST

START_TEST(names_that_nobody_may_look_up_are_warned_of)
{
	const char *line = "bridge = \"obfs4 192.0.2.1:1 "
	    "url=https://a.example/ front=b.example\"";
	char text[1000];

	(void)snprintf(text, sizeof text, P_IN_PT2("%s"), line);
	pu_warning(text, 7, "look up \"b.example\"");
	(void)snprintf(text, sizeof text, P_IN_PT2("dns = true %s")
	    "resolver { address = \"192.0.2.53\" }", line);
	pu_warning(text, 0, NULL);
	pu_warning(P_BRIDGE("obfs4 192.0.2.1:1 cert=x"), 0, NULL);
}
END_TEST

START_TEST(defaults_are_as_documented)
{
	struct pol_policy p;

	pu_parse(&p, P_ALL);
	ck_assert_int_eq(p.resolver.addr.family, 0);
	ck_assert_uint_eq(p.ntransports, 0);
	ck_assert_str_eq(p.tor.torrc, "");
	ck_assert_str_eq(p.resolver_user.name, POL_RESOLVER_USER);
	pol_policy_clear(&p);

	pu_parse(&p, P_IN_RES2("") "transport obfs4 { program = \"/o\" }");
	ck_assert_int_eq(p.resolver.addr.family, AF_INET);
	ck_assert_uint_eq(p.resolver.port, 53);
	ck_assert_int_eq(p.resolver.protocol, POL_DNS_PLAIN);
	ck_assert(!p.resolver.pinned && !p.resolver.allow_private);
	ck_assert_uint_eq(p.resolver.timeout_ms, 5000);
	ck_assert_uint_eq(p.resolver.stub_port, 5453);
	ck_assert_uint_eq(p.ntransports, 1);
	ck_assert_uint_eq(p.transports[0].nmethods, 1);
	ck_assert_str_eq(p.transports[0].methods[0], "obfs4");
	ck_assert(!p.transports[0].dns && !p.transports[0].udp);
	ck_assert_uint_eq(p.nbridges, 0);
	pol_policy_clear(&p);
	ck_assert_ptr_null(p.bridges);
}
END_TEST

START_TEST(tls_has_a_port_of_its_own)
{
	struct pol_policy p;

	pu_parse(&p, P_IN_TLS("pin = \"" PIN "\""));
	ck_assert_uint_eq(p.resolver.port, 853);
	ck_assert_str_eq(p.resolver.host, "dns.example");
	ck_assert(p.resolver.pinned);
	for (uint8_t i = 0; i < POL_PIN_LEN; i++)
		ck_assert_uint_eq(p.resolver.pin[i], i);
	pol_policy_clear(&p);
	pu_parse(&p, P_IN_TLS("port = 53"));
	ck_assert_uint_eq(p.resolver.port, 53);
	ck_assert(!p.resolver.pinned);
	pol_policy_clear(&p);
}
END_TEST

/* The user need not exist, and has no number, where nothing is looked up. */
START_TEST(users_as_numbers_can_be_read_again)
{
	static const char *const policies[] = { P_ALL, P_IN_RES2("") };
	struct pol_policy p, q;
	char *text;

	pu_parse(&p, policies[_i]);
	p.resolver_user.name[0] = '\0';
	p.resolver_user.resolved = _i == 1;
	p.resolver_user.uid = _i == 1 ? 105 : 0;
	text = pol_print(&p);
	ck_assert_ptr_nonnull(text);
	ck_assert_int_eq(strstr(text, "resolver = 105\n") != NULL, _i == 1);
	pu_parse(&q, text);
	ck_assert_uint_eq(q.resolver_user.uid, _i == 1 ? 105 : 0);
	free(text);
	pol_policy_clear(&p);
	pol_policy_clear(&q);
}
END_TEST

START_TEST(a_later_file_replaces_a_transport_with_its_bridges)
{
	static const char first[] = P_ALL
	    "transport a { program = \"/a\" bridge = { \"a 192.0.2.1\", "
	    "\"a 192.0.2.2\" } }\n"
	    "transport b { program = \"/b\" bridge = \"b 192.0.2.3\" }\n";
	static const char second[] =
	    "transport a { program = \"/c\" bridge = \"a 192.0.2.4\" }\n";
	struct pol_source src[] = { { "1", first, sizeof first - 1 },
		{ "2", second, sizeof second - 1 } };
	struct pol_policy p;
	struct pol_diags diags;

	ck_assert_int_eq(pol_parse(&p, &diags, src, 2), 0);
	ck_assert_uint_eq(p.ntransports, 2);
	ck_assert_str_eq(p.transports[0].program, "/c");
	ck_assert_uint_eq(p.nbridges, 2);
	ck_assert_str_eq(p.bridges[0].text, "a 192.0.2.4:443");
	ck_assert_uint_eq(p.bridges[0].transport, 0);
	ck_assert_str_eq(p.bridges[1].text, "b 192.0.2.3:443");
	ck_assert_uint_eq(p.bridges[1].transport, 1);
	pol_policy_clear(&p);
}
END_TEST

/* N transports with M bridges each, at the end of TEXT. */
static void
many(char *text, size_t cap, unsigned n, unsigned m)
{
	size_t used = (size_t)snprintf(text, cap, "%s", P_ALL);

	for (unsigned i = 0; i < n; i++) {
		used += (size_t)snprintf(text + used, cap - used,
		    "transport t%u { program = \"/p\" bridge = {\n", i);
		for (unsigned j = 0; j < m; j++)
			used += (size_t)snprintf(text + used, cap - used,
			    "%s\"t%u 192.0.2.1:%u\"", j != 0 ? ",\n" : "", i,
			    j + 1);
		used += (size_t)snprintf(text + used, cap - used, " } }\n");
	}
}

START_TEST(there_is_a_most_of_everything)
{
	static char text[16384];
	struct pol_policy p;
	struct pol_diags diags;

	many(text, sizeof text, POL_MAX_TRANSPORTS,
	    POL_MAX_BRIDGES / POL_MAX_TRANSPORTS);
	pu_parse(&p, text);
	ck_assert_uint_eq(p.nbridges, POL_MAX_BRIDGES);
	ck_assert_uint_eq(p.bridges[POL_MAX_BRIDGES - 1].transport,
	    POL_MAX_TRANSPORTS - 1);
	pol_policy_clear(&p);
	many(text, sizeof text, POL_MAX_TRANSPORTS + 1, 0);
	pu_parse_wrong(&diags, text);
	ck_assert(pu_has_diag(&diags, 5 + 2 * POL_MAX_TRANSPORTS,
	    "one too many: 8"));
	pol_diags_clear(&diags);
	many(text, sizeof text, 2, POL_MAX_BRIDGES / 2 + 1);
	pu_parse_wrong(&diags, text);
	ck_assert_uint_eq(diags.n, 1);
	ck_assert(pu_has_diag(&diags, 6 + POL_MAX_BRIDGES / 2 + 1,
	    "64 at most in all transports"));
	pol_diags_clear(&diags);
}
END_TEST

START_TEST(a_pin_has_one_text)
{
	uint8_t pin[POL_PIN_LEN], back[POL_PIN_LEN];
	char text[POL_PIN_TEXT];

	for (unsigned i = 0; i < 256; i++) {
		for (unsigned j = 0; j < POL_PIN_LEN; j++)
			pin[j] = (uint8_t)(i * 7 + j * j * 31);
		pol_pin_format(text, pin);
		ck_assert(pol_pin_parse(back, text));
		ck_assert_mem_eq(pin, back, sizeof pin);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_names");
	TCase *tc = tcase_create("names");

	tcase_add_loop_test(tc, each_fault_is_named_with_its_line, 0,
	    (int)(sizeof faults / sizeof faults[0]));
	tcase_add_test(tc, a_transport_without_a_resolver_is_warned_of);
	tcase_add_test(tc, names_that_nobody_may_look_up_are_warned_of);
	tcase_add_test(tc, defaults_are_as_documented);
	tcase_add_test(tc, tls_has_a_port_of_its_own);
	tcase_add_loop_test(tc, users_as_numbers_can_be_read_again, 0, 2);
	tcase_add_test(tc, a_later_file_replaces_a_transport_with_its_bridges);
	tcase_add_test(tc, there_is_a_most_of_everything);
	tcase_add_test(tc, a_pin_has_one_text);
	suite_add_tcase(s, tc);
	return pu_run(s);
}
