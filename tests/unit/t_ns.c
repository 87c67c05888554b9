#include "tests/unit/cputil.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "controlproto/ns.h"

/* "192.0.2.1:443 [2001:db8::1]:9001 ", of N endpoints. */
static const char *
show(const struct cp_endpoint *e, size_t n)
{
	static char text[1024];
	char addr[INET6_ADDRSTRLEN];
	size_t len = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n; i++) {
		ck_assert_ptr_nonnull(inet_ntop(e[i].v6 ? AF_INET6 : AF_INET,
		    e[i].addr, addr, sizeof addr));
		len += (size_t)snprintf(text + len, sizeof text - len,
		    e[i].v6 ? "%s[%s]:%u" : "%s%s:%u", i > 0 ? " " : "", addr,
		    (unsigned)e[i].port);
		ck_assert_uint_lt(len, sizeof text);
	}
	return text;
}

struct ns_case {
	const char *text, *want;
	size_t entries, malformed;
};

#define R "r nick AAAA BBBB 2038-01-01 00:00:00 "

/* clang-format off */
static const struct ns_case ns_cases[] = {
	{ "", "", 0, 0 },
	{ "\n\n", "", 0, 0 },
	{ R "198.18.1.1 5000 7000\ns Fast\nw Bandwidth=0",
	  "198.18.1.1:7000 198.18.1.1:5000", 1, 0 },
	{ R "203.0.113.21 5000 0", "203.0.113.21:5000", 1, 0 },
	/* The same port twice is one pair. */
	{ R "203.0.113.21 443 443", "203.0.113.21:443", 1, 0 },
	/* The consensus of microdescriptors, which has no digest. */
	{ "r nick AAAA 2038-01-01 00:00:00 192.0.2.1 9001 0",
	  "192.0.2.1:9001", 1, 0 },
	/* Later additions are not looked at. */
	{ R "192.0.2.1 9001 0 more to come", "192.0.2.1:9001", 1, 0 },
	{ R "192.0.2.1 9001 0\na [2001:db8::1]:9001\na 192.0.2.9:80\ns Fast",
	  "192.0.2.1:9001 [2001:db8::1]:9001 192.0.2.9:80", 1, 0 },
	{ R "192.0.2.1 65535 1\n" R "192.0.2.2 1 0",
	  "192.0.2.1:1 192.0.2.1:65535 192.0.2.2:1", 2, 0 },
	/* An entry that is not understood takes its lines with it. */
	{ R "192.0.2.1 x 0\na [2001:db8::1]:1\n" R "192.0.2.2 1 0",
	  "192.0.2.2:1", 1, 1 },
	{ R "192.0.2.1 0 80", "", 0, 1 },
	{ R "192.0.2.1 65536 80", "", 0, 1 },
	{ R "192.0.2.1 100000 80", "", 0, 1 },
	{ R "192.0.2.1 -1 80", "", 0, 1 },
	{ R "192.0.2.1 +1 80", "", 0, 1 },
	{ R "192.0.2.1 80 65536", "", 0, 1 },
	{ R "192.0.2.1 80 ", "", 0, 1 },
	{ R "192.0.2.1 80", "", 0, 1 },
	{ R "192.0.2.256 80 0", "", 0, 1 },
	{ R "192.0.2.0/24 80 0", "", 0, 1 },
	{ R "192.0.2 80 0", "", 0, 1 },
	{ R "::1 80 0", "", 0, 1 },
	{ R "relay.example 80 0", "", 0, 1 },
	{ R " 192.0.2.1 80 0", "", 0, 1 },
	{ "r ", "", 0, 1 },
	{ "r nick", "", 0, 1 },
	/* Alone, or not an address with a port: nothing of it. */
	{ "a [2001:db8::1]:9001", "", 0, 1 },
	{ R "192.0.2.1 1 0\na [2001:db8::1]", "192.0.2.1:1", 1, 1 },
	{ R "192.0.2.1 1 0\na 2001:db8::1", "192.0.2.1:1", 1, 1 },
	{ R "192.0.2.1 1 0\na [2001:db8::1]:0", "192.0.2.1:1", 1, 1 },
	{ R "192.0.2.1 1 0\na [2001:db8::1]443", "192.0.2.1:1", 1, 1 },
	{ R "192.0.2.1 1 0\na [2001:db8::1:443", "192.0.2.1:1", 1, 1 },
	{ R "192.0.2.1 1 0\na [192.0.2.7]:443", "192.0.2.1:1", 1, 1 },
	{ R "192.0.2.1 1 0\na ", "192.0.2.1:1", 1, 1 },
	/* Only whole words begin such lines. */
	{ "rr x\nra y\nrouter z", "", 0, 0 },
};
/* clang-format on */

START_TEST(entries_give_their_addresses_and_ports)
{
	const struct ns_case *c = &ns_cases[_i];
	struct cp_endpoint at[8];
	struct cp_ns ns;
	size_t n = 0;

	cp_ns_init(&ns, cp_str_of(c->text));
	while (n < 8 && cp_ns_next(&ns, &at[n]))
		n++;
	ck_assert_str_eq(show(at, n), c->want);
	ck_assert_uint_eq(ns.entries, c->entries);
	ck_assert_uint_eq(ns.malformed, c->malformed);
	ck_assert(!cp_ns_next(&ns, &at[0]));
}
END_TEST

START_TEST(a_nul_is_no_part_of_an_address)
{
	static const struct cp_str text = LIT(R "192.0.2.1\0 80 0");
	struct cp_endpoint at;
	struct cp_ns ns;

	cp_ns_init(&ns, text);
	ck_assert(!cp_ns_next(&ns, &at));
	ck_assert_uint_eq(ns.malformed, 1);
}
END_TEST

/* WANT NULL: refused. */
struct line_case {
	const char *value, *want;
};

#define FP "1B5EEBB1C8B92C85F84EBA6F3377709E5C906BA6"

/* clang-format off */
static const struct line_case dirlines[] = {
	{ "moria1 orport=9201 v3ident=" FP " 128.31.0.39:9231 " FP,
	  "128.31.0.39:9231 128.31.0.39:9201 v3" },
	{ "tor26 orport=443 v3ident=" FP " ipv6=[2a02:16a8:662:2203::1]:443 "
	  "217.196.147.77:80 FAA4 BCA4 A6AC 0FB4 CA2F 8AD5 A11D 9E12 2BA8 94F6",
	  "217.196.147.77:80 217.196.147.77:443 "
	  "[2a02:16a8:662:2203::1]:443 v3" },
	{ "Serge orport=9001 bridge 66.111.2.131:9030 BA44",
	  "66.111.2.131:9030 66.111.2.131:9001" },
	{ "a1 orport=5000 no-v2 v3ident=" FP " 198.18.1.1:7000 " FP,
	  "198.18.1.1:7000 198.18.1.1:5000 v3" },
	/* A fallback has its address first, and no directory port. */
	{ "64.65.62.122 orport=443 id=" FP, "64.65.62.122:443" },
	{ "185.183.157.214 orport=9100 id=" FP " ipv6=[2a03:4000:1d::1]:9100",
	  "185.183.157.214:9100 [2a03:4000:1d::1]:9100" },
	{ "192.0.2.1:80 orport=80 id=" FP " weight=1.5", "192.0.2.1:80" },
	{ "192.0.2.1:0 orport=443", "192.0.2.1:443" },
	/* What Tor ignores is ignored, whatever it looks like. */
	{ "x orport=1 upload=http://192.0.2.9:80/ 192.0.2.1:2",
	  "192.0.2.1:2 192.0.2.1:1" },
	{ "", NULL },
	{ "moria1 orport=9201", NULL },
	{ "moria1 192.0.2.1", NULL },
	{ "moria1 orport=443x 192.0.2.1:80", NULL },
	{ "moria1 orport=0 192.0.2.1:80", NULL },
	{ "moria1 orport=1 orport=2 192.0.2.1:80", NULL },
	{ "moria1 orport=1 192.0.2.1:80 192.0.2.2:80", NULL },
	{ "moria1 orport=1 192.0.2.1:65536", NULL },
	{ "moria1 orport=1 192.0.2.300:80", NULL },
	{ "moria1 orport=1 authority.example:80", NULL },
	{ "moria1 orport=1 ipv6=2001:db8::1 192.0.2.1:80", NULL },
	{ "moria1 orport=1 ipv6=[2001:db8::1] 192.0.2.1:80", NULL },
	{ "moria1 orport=1 ipv6=[2001:db8::1]:0 192.0.2.1:80", NULL },
	{ "moria1 ipv6=[::2]:1 ipv6=[::3]:1 192.0.2.1:80", NULL },
};

static const struct line_case bridges[] = {
	{ "192.0.2.7:443", "192.0.2.7:443" },
	{ "192.0.2.7", "192.0.2.7:443" },
	{ "192.0.2.7:9001 " FP, "192.0.2.7:9001" },
	{ "[2001:db8::7]:443 " FP, "[2001:db8::7]:443" },
	{ "[2001:db8::7]", "[2001:db8::7]:443" },
	{ "obfs4 192.0.2.7:443 " FP " cert=a+/b iat-mode=0", "192.0.2.7:443" },
	{ "obfs4 [2001:db8::7]:80 cert=x", "[2001:db8::7]:80" },
	{ "  obfs4   192.0.2.7:443", "192.0.2.7:443" },
	{ "snowflake 192.0.2.3:80 " FP " fingerprint=" FP
	  " url=https://203.0.113.9/ fronts=x.example", "192.0.2.3:80" },
	{ "meek_lite 192.0.2.20:80 url=https://x front=y", "192.0.2.20:80" },
	{ "", NULL },
	{ "obfs4", NULL },
	{ "obfs4 ", NULL },
	{ "obfs4 bridge.example:443", NULL },
	{ "bridge.example:443", NULL },
	{ "4obfs 192.0.2.7:443", NULL },
	{ "ob-fs 192.0.2.7:443", NULL },
	{ "obfs4 obfs4 192.0.2.7:443", NULL },
	{ "192.0.2.7:0", NULL },
	{ "192.0.2.7:", NULL },
	{ "192.0.2.7:443/32", NULL },
};

static const struct line_case endpoints[] = {
	{ "192.0.2.1", "192.0.2.1:1080" },
	{ "192.0.2.1:8080", "192.0.2.1:8080" },
	{ "[2001:db8::1]:8080", "[2001:db8::1]:8080" },
	{ "[2001:db8::1]", "[2001:db8::1]:1080" },
	{ "2001:db8::1", "[2001:db8::1]:1080" },
	{ "proxy.example", NULL },
	{ "proxy.example:8080", NULL },
	{ "1.example", NULL },
	{ "10", NULL },
	{ "0x7f.1", NULL },
	{ "192.0.2.1:0", NULL },
	{ "192.0.2.1:http", NULL },
	{ "192.0.2.1 ", NULL },
	{ "[2001:db8::1", NULL },
	{ "[]:80", NULL },
	{ "", NULL },
	{ "[fe80::1%eth0]:80", NULL },
	{ "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0001", NULL },
};
/* clang-format on */

START_TEST(directory_lines)
{
	const struct line_case *c = &dirlines[_i];
	struct cp_dirline d;
	enum cp_err err = cp_dirline_parse(&d, cp_str_of(c->value));
	char got[1024];

	ck_assert_int_eq(err, c->want != NULL ? CP_OK : CP_ERR_SYNTAX);
	if (err != CP_OK)
		return;
	(void)snprintf(got, sizeof got, "%s%s", show(d.at, d.n),
	    d.v3 ? " v3" : "");
	ck_assert_str_eq(got, c->want);
}
END_TEST

START_TEST(bridge_lines)
{
	const struct line_case *c = &bridges[_i];
	struct cp_endpoint at;
	enum cp_err err = cp_bridge_parse(&at, cp_str_of(c->value));

	ck_assert_int_eq(err, c->want != NULL ? CP_OK : CP_ERR_SYNTAX);
	if (err == CP_OK)
		ck_assert_str_eq(show(&at, 1), c->want);
}
END_TEST

START_TEST(an_address_is_not_a_name)
{
	const struct line_case *c = &endpoints[_i];
	struct cp_endpoint at;
	enum cp_err err = cp_endpoint_parse(&at, cp_str_of(c->value), 1080);

	ck_assert_int_eq(err, c->want != NULL ? CP_OK : CP_ERR_SYNTAX);
	if (err == CP_OK)
		ck_assert_str_eq(show(&at, 1), c->want);
}
END_TEST

START_TEST(without_a_default_there_must_be_a_port)
{
	struct cp_endpoint at;

	ck_assert_int_eq(cp_endpoint_parse(&at, cp_str_of("192.0.2.1"), 0),
	    CP_ERR_SYNTAX);
	ck_assert_int_eq(at.port, 0);
	ck_assert_int_eq(cp_endpoint_parse(&at, cp_str_of("192.0.2.1:1"), 0),
	    CP_OK);
}
END_TEST

START_TEST(a_default_is_a_quoted_value)
{
	static const char *const bad[] = { "FallbackDir 1.2.3.4",
		"FallbackDir \"1.2.3.4", "FallbackDir \"1.2.3.4\" more",
		"FallbackDir \"a\\0b\"", "FallbackDir" };
	char value[16];

	ck_assert_int_eq(cp_default_value(value, sizeof value,
	    cp_str_of("FallbackDir \"1.2.3.4 a=\\\"b\""), "fallbackdir"),
	    CP_OK);
	ck_assert_str_eq(value, "1.2.3.4 a=\"b");
	ck_assert_int_eq(cp_default_value(value, sizeof value,
	    cp_str_of("FallbackDirs \"1.2.3.4\""), "FallbackDir"),
	    CP_ERR_KEY);
	ck_assert_int_eq(cp_default_value(value, sizeof value,
	    cp_str_of("FallbackDir \"sixteen octets..\""), "FallbackDir"),
	    CP_ERR_LIMIT);
	for (int i = 0; i < NELEM(bad); i++)
		ck_assert_int_eq(cp_default_value(value, sizeof value,
		    cp_str_of(bad[i]), "FallbackDir"), CP_ERR_SYNTAX);
}
END_TEST

START_TEST(lines_end_at_lf)
{
	struct cp_str rest = cp_str_of("one\n\ntwo");

	ck_str(cp_next_line(&rest), "one");
	ck_str(cp_next_line(&rest), "");
	ck_str(cp_next_line(&rest), "two");
	ck_assert_uint_eq(rest.n, 0);
	ck_str(cp_next_line(&rest), "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("ns");
	TCase *tc = tcase_create("ns");

	tcase_add_loop_test(tc, entries_give_their_addresses_and_ports, 0,
	    NELEM(ns_cases));
	tcase_add_test(tc, a_nul_is_no_part_of_an_address);
	tcase_add_loop_test(tc, directory_lines, 0, NELEM(dirlines));
	tcase_add_loop_test(tc, bridge_lines, 0, NELEM(bridges));
	tcase_add_loop_test(tc, an_address_is_not_a_name, 0,
	    NELEM(endpoints));
	tcase_add_test(tc, without_a_default_there_must_be_a_port);
	tcase_add_test(tc, a_default_is_a_quoted_value);
	tcase_add_test(tc, lines_end_at_lf);
	suite_add_tcase(s, tc);
	return cputil_run(s);
}
