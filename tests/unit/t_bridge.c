/* Hosts, bridge lines and the arguments in them. */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/host.h"
#include "policy/needs.h"
#include "policy/uplink.h"
#include "tests/unit/polutil.h"

#define FP "0123456789ABCDEF0123456789ABCDEF01234567"
#define FP4 "0123 4567 89ab cdef 0123 4567 89AB CDEF 0123 4567"
#define X10 "xxxxxxxxxx"
#define X60 X10 X10 X10 X10 X10 X10
#define X250 X60 X60 X60 X60 X10

static const struct {
	const char *line, *canonical, *transport, *args;
	uint16_t port;
} good[] = {
	/* clang-format off */
	{ "192.0.2.1:80", "192.0.2.1:80", "", "", 80 },
	{ "192.0.2.1", "192.0.2.1:443", "", "", 443 },
	{ "  Bridge  192.0.2.1:9001  ", "192.0.2.1:9001", "", "", 9001 },
	{ "bRIDGE [2001:DB8::1]:1", "[2001:db8::1]:1", "", "", 1 },
	{ "[::1]", "[::1]:443", "", "", 443 },
	{ "192.0.2.1:80 " FP, "192.0.2.1:80 " FP, "", "", 80 },
	{ "192.0.2.1:80 " FP4, "192.0.2.1:80 " FP, "", "", 80 },
	{ "obfs4 192.0.2.1:80 " FP " cert=a/b+c==  iat-mode=0 ",
	    "obfs4 192.0.2.1:80 " FP " cert=a/b+c== iat-mode=0", "obfs4",
	    "cert=a/b+c==  iat-mode=0 ", 80 },
	{ "Bridge snowflake 192.0.2.3:80 url=https://x.example/?a=b",
	    "snowflake 192.0.2.3:80 url=https://x.example/?a=b", "snowflake",
	    "url=https://x.example/?a=b", 80 },
	{ "x 192.0.2.3:1 k= l==", "x 192.0.2.3:1 k= l==", "x", "k= l==", 1 },
	{ "_x9 192.0.2.3", "_x9 192.0.2.3:443", "_x9", "", 443 },
	{ "Bridge Bridge 192.0.2.3", "Bridge 192.0.2.3:443", "Bridge", "",
	    443 },
	/* clang-format on */
};

START_TEST(what_tor_takes_is_taken)
{
	char why[POL_UPLINK_WHY], text[POL_BRIDGE_LEN], again[POL_BRIDGE_LEN];
	struct pol_bridge b;

	ck_assert_msg(pol_bridge_parse(&b, why, good[_i].line), "%s", why);
	ck_assert_str_eq(b.transport, good[_i].transport);
	ck_assert_str_eq(b.args, good[_i].args);
	ck_assert_uint_eq(b.port, good[_i].port);
	pol_bridge_format(text, &b);
	ck_assert_str_eq(text, good[_i].canonical);
	/* A plain bridge named like the word has it once only. */
	if (strcmp(good[_i].transport, "Bridge") == 0)
		return;
	ck_assert(pol_bridge_parse(&b, why, text));
	pol_bridge_format(again, &b);
	ck_assert_str_eq(again, text);
}
END_TEST

static const struct {
	const char *line, *why;
} bad[] = {
	/* clang-format off */
	{ "", "it is empty" },
	{ "   ", "it is empty" },
	{ "Bridge", "it is empty" },
	{ "obfs4", "no address" },
	{ "obfs4 bridge.example:80", "\"bridge.example\" is no IP address" },
	{ "bridge.example:80", "\"bridge.example\" is no IP address" },
	{ "192.0.2:80", "no address and port" },
	{ "2001:db8::1", "no address and port" },
	{ "[192.0.2.1]:80", "no address and port" },
	{ "[2001:db8::1:80", "no address and port" },
	{ "[2001:db8::1]x80", "no address and port" },
	{ "192.0.2.1:", "no address and port" },
	{ "192.0.2.1:0", "no address and port" },
	{ "192.0.2.1:65536", "no address and port" },
	{ "192.0.2.1:0x50", "no address and port" },
	{ "192.0.2.1:80:80", "no address and port" },
	{ "192.0.2.1" X60 ":80", "no address and port" },
	{ "meek-lite 192.0.2.1:80", "\"meek-lite\" is no IP address" },
	{ X60 X10 " 192.0.2.1:80", "no address and port" },
	{ "192.0.2.1:80 " FP "8", "more than 40 digits" },
	{ "192.0.2.1:80 012345", "has 6 digits, not 40" },
	{ "obfs4 192.0.2.1:80 0123 4567", "has 4 digits, not 40" },
	{ "192.0.2.1:80 $" FP, "more than 40 digits" },
	{ "192.0.2.1:80 xyz", "has a 'x'" },
	{ "192.0.2.1:80 a=b", "no transport that they are for" },
	{ "192.0.2.1:80 " FP " a=b", "no transport that they are for" },
	{ "obfs4 192.0.2.1:80 " FP " x", "more than 40 digits" },
	{ "obfs4 192.0.2.1:80 a=b c", "of the form key=value" },
	{ "obfs4 192.0.2.1:80 a=b =c", "of the form key=value" },
	{ "obfs4 192.0.2.1:80 a=b # c", "it has a #" },
	{ "obfs4 192.0.2.1:80 a=\"b\"", "it has a \"" },
	{ "obfs4 192.0.2.1:80 a='b'", "it has a '" },
	{ "obfs4 192.0.2.1:80 a=b\\", "it has a \\" },
	{ "obfs4 192.0.2.1:80 a=b\nLog x", "control character" },
	{ "obfs4 192.0.2.1:80\ra=b", "control character" },
	{ "obfs4\t192.0.2.1:80", "control character" },
	{ "obfs4 192.0.2.1:80 a=\xc3\xa4", "not ASCII" },
	{ "obfs4 192.0.2.1:80 a=\x7f", "control character" },
	{ "o 192.0.2.1:80 a=" X250 X250 X250 X250 X10, "more than 1023" },
	/* clang-format on */
};

START_TEST(what_tor_does_not_take_is_none)
{
	char why[POL_UPLINK_WHY];
	struct pol_bridge b;

	ck_assert(!pol_bridge_parse(&b, why, bad[_i].line));
	ck_assert_msg(strstr(why, bad[_i].why) != NULL, "%s: %s", bad[_i].line,
	    why);
}
END_TEST

/* A method of 63 letters, the longest address, 510 letters of arguments. */
#define METHOD X60 "xxx"
#define ADDRESS "[1111:1111:1111:1111:1111:1111:1111:1111]"
#define K500 "k=" X250 "xxxxxxxxxx" X60 X60 X60 X10 X10 X10 X10 X10 "xxxxxxxx"

START_TEST(the_longest_line_has_its_usual_form)
{
	static const char *const lines[] = { METHOD " " ADDRESS " " FP " "
	    K500 " kkkkk=xxx", METHOD " " ADDRESS ":65535 " FP " " K500
	    "   k=xxxxx;" };
	static const char *const longer[] = { METHOD " " ADDRESS " " FP " "
	    K500 " kkkkk=xxxx", METHOD " " ADDRESS " " FP " " K500
	    " k=xxxxxx;" };
	char why[POL_UPLINK_WHY], text[POL_BRIDGE_LEN], again[POL_BRIDGE_LEN];
	struct pol_bridge b;

	for (size_t i = 0; i < 2; i++) {
		ck_assert_msg(pol_bridge_parse(&b, why, lines[i]), "%s", why);
		pol_bridge_format(text, &b);
		ck_assert(pol_bridge_parse(&b, why, text));
		pol_bridge_format(again, &b);
		ck_assert_str_eq(text, again);
		ck_assert(!pol_bridge_parse(&b, why, longer[i]));
		ck_assert_ptr_nonnull(strstr(why, "more than 510 letters"));
	}
}
END_TEST

START_TEST(arguments_are_found_as_the_programs_do)
{
	static const char args[] = "url=a front=b url=c furl=d x= -y=z url";
	static const char program[] = "-url a -front=b --url c -x --ice=d "
	    "-log url -empty= --last";
	char v[8];

	ck_assert(pol_args_find(v, sizeof v, args, "url"));
	ck_assert_str_eq(v, "a");
	ck_assert(pol_args_find(v, sizeof v, args, "front"));
	ck_assert_str_eq(v, "b");
	ck_assert(pol_args_find(v, sizeof v, args, "furl"));
	ck_assert(!pol_args_find(v, sizeof v, args, "ur"));
	ck_assert(!pol_args_find(v, sizeof v, args, "fronts"));
	ck_assert(!pol_args_find(v, sizeof v, "", "url"));

	ck_assert(pol_args_find(v, sizeof v, program, "-url"));
	ck_assert_str_eq(v, "c");
	ck_assert(pol_args_find(v, sizeof v, program, "-front"));
	ck_assert_str_eq(v, "b");
	ck_assert(pol_args_find(v, sizeof v, program, "-ice"));
	ck_assert_str_eq(v, "d");
	ck_assert(pol_args_find(v, sizeof v, program, "-empty"));
	ck_assert_str_eq(v, "");
	ck_assert(!pol_args_find(v, sizeof v, program, "-last"));
	ck_assert(!pol_args_find(v, sizeof v, program, "-fron"));
	ck_assert(!pol_args_find(v, sizeof v, "-", "-fron"));
	ck_assert(!pol_args_find(v, 4, "url=abcd", "url"));
	ck_assert(pol_args_find(v, 5, "url=abcd", "url"));
}
END_TEST

START_TEST(names_are_those_that_dns_can_have)
{
	static const char *const names[] = { "a", "a.b", "proxy-1.example",
		"_dmarc.example", "xn--fa-hia.example", "1.example", "0x.y",
		"a.0x1y.z", X60 "xxx.example" };
	static const char *const others[] = { "", ".", "a.", ".a", "a..b",
		"-a", "a-", "a.-b", "a b", "a/b", "a:1", "a\n", "\xc3\xa4",
		"127.1", "1", "a.1", "0x7f000001", "a.0x7f", "a.0X1",
		"2130706433", X60 "xxxx", X250 "xxxx", "a@b", "a%2e",
		X60 "." X60 "." X60 "." X60 "." "xxxxxxxxxx" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		ck_assert_msg(pol_host_ok(names[i]), "%s", names[i]);
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
		ck_assert_msg(!pol_host_ok(others[i]), "%s", others[i]);
}
END_TEST

static const struct {
	const char *text, *host;
	uint16_t given, port;
} hosts[] = {
	{ "Proxy.Example:8080", "proxy.example", 443, 8080 },
	{ "proxy.example.", "proxy.example", 443, 443 },
	{ "192.0.2.1", "192.0.2.1", 80, 80 },
	{ "[2001:DB8:0::1]:5", "2001:db8::1", 80, 5 },
	{ "[2001:db8::1]", "2001:db8::1", 80, 80 },
	{ "a:65535", "a", 0, 65535 },
	{ "a", NULL, 0, 0 },
	{ "a:", NULL, 5, 0 },
	{ "a:0", NULL, 5, 0 },
	{ "a:65536", NULL, 5, 0 },
	{ "a:5x", NULL, 5, 0 },
	{ "a:5:5", NULL, 5, 0 },
	{ ":5", NULL, 5, 0 },
	{ "[a]:5", NULL, 5, 0 },
	{ "[::1", NULL, 5, 0 },
	{ "::1", NULL, 5, 0 },
	{ "[]:5", NULL, 5, 0 },
	{ "a b:5", NULL, 5, 0 },
	{ X250 "xxxxx:5", NULL, 5, 0 },
	{ "127.1:5", NULL, 5, 0 },
	{ "", NULL, 5, 0 },
	{ ".", NULL, 5, 0 },
};

START_TEST(a_host_may_have_a_port)
{
	struct pol_host h;
	char text[POL_HOST_TEXT];

	if (hosts[_i].host == NULL) {
		ck_assert(!pol_host_parse(&h, hosts[_i].text,
		    hosts[_i].given));
		return;
	}
	ck_assert(pol_host_parse(&h, hosts[_i].text, hosts[_i].given));
	ck_assert_str_eq(h.name, hosts[_i].host);
	ck_assert_uint_eq(h.port, hosts[_i].port);
	pol_host_format(text, h.name, h.port);
	ck_assert(pol_host_parse(&h, text, 0));
	ck_assert_str_eq(h.name, hosts[_i].host);
	ck_assert_uint_eq(h.port, hosts[_i].port);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("bridge");
	TCase *tc = tcase_create("bridge");

	tcase_add_loop_test(tc, what_tor_takes_is_taken, 0,
	    (int)(sizeof good / sizeof good[0]));
	tcase_add_loop_test(tc, what_tor_does_not_take_is_none, 0,
	    (int)(sizeof bad / sizeof bad[0]));
	tcase_add_test(tc, the_longest_line_has_its_usual_form);
	tcase_add_test(tc, arguments_are_found_as_the_programs_do);
	tcase_add_test(tc, names_are_those_that_dns_can_have);
	tcase_add_loop_test(tc, a_host_may_have_a_port, 0,
	    (int)(sizeof hosts / sizeof hosts[0]));
	suite_add_tcase(s, tc);
	return pu_run(s);
}
