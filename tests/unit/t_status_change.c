/* Requests for other bridges and proxies: what they become, what they not. */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "policy/parse.h"
#include "supervisor/status/change.h"

#define FP "0123456789ABCDEF0123456789ABCDEF01234567"
#define LINE "obfs4 192.0.2.7:443 " FP " cert=abc iat-mode=0"

static const char text[] =
    "gateway { internal = { \"eth1\" } external = { \"eth0\" } }\n"
    "tor { user = 107 control = \"unix:/run/tor/control\" }\n"
    "resolver { address = \"198.51.100.53\" }\n"
    "transport obfs4 { program = \"/usr/bin/obfs4proxy\"\n"
    "    bridge = { \"obfs4 192.0.2.9:443 " FP " cert=xyz\" } }\n"
    "transport meek { methods = { \"meek_lite\" } dns = true\n"
    "    program = \"/usr/bin/obfs4proxy\" }\n"
    "listener s { kind = socks address = \"10.152.152.10\" port = 9050 }\n";

static struct pol_policy policy;
static struct snap_change c;
static char why[POL_UPLINK_WHY];

static void
setup(void)
{
	struct pol_source src = { .name = "p", .text = text,
		.len = sizeof text - 1 };
	struct pol_diags diags = { 0 };

	ck_assert_msg(pol_parse(&policy, &diags, &src, 1) == 0, "%s",
	    diags.n > 0 ? diags.list[0].text : "?");
	pol_diags_clear(&diags);
	memset(&c, 0xff, sizeof c);
}

static void
teardown(void)
{
	pol_policy_clear(&policy);
}

/* *KNOWN: it is JSON at all; else false, and nothing was looked at. */
static bool
take_if(const char *request, bool *known)
{
	json_t *obj = json_loads(request, JSON_REJECT_DUPLICATES, NULL);
	bool ok;

	*known = obj != NULL;
	ok = *known && status_change_read(&c, why, &policy, obj);
	json_decref(obj);
	return ok;
}

static bool
take(const char *request)
{
	bool known, ok = take_if(request, &known);

	ck_assert_msg(known, "no JSON: %s", request);
	return ok;
}

START_TEST(lines_of_torrc)
{
	ck_assert_msg(take("{\"cmd\":\"apply\",\"id\":7,\"dry_run\":true,"
	    "\"torrc\":\"UseBridges 1\\nBridge " LINE "\\n"
	    "Socks5Proxy 192.0.2.80:1080\\n\"}"), "%s", why);
	ck_assert_uint_eq(c.dry_run, 1);
	ck_assert_uint_eq(c.uplink.nbridges, 1);
	ck_assert_str_eq(c.uplink.bridge[0], LINE);
	ck_assert_uint_eq(c.uplink.proxy, POL_PROXY_SOCKS5);
	ck_assert_str_eq(c.uplink.host, "192.0.2.80");
}
END_TEST

START_TEST(array_and_proxy)
{
	ck_assert_msg(take("{\"cmd\":\"apply\",\"bridges\":[\"" LINE "\"],"
	    "\"proxy\":{\"type\":\"http\",\"host\":\"proxy.example\","
	    "\"port\":3128,\"user\":\"u\",\"password\":\"p\"}}"), "%s", why);
	ck_assert_uint_eq(c.dry_run, 0);
	ck_assert_str_eq(c.uplink.bridge[0], LINE);
	ck_assert_uint_eq(c.uplink.proxy, POL_PROXY_HTTPS);
	ck_assert_uint_eq(c.uplink.port, 3128);
	ck_assert_uint_eq(c.uplink.has_auth, 1);
	ck_assert_str_eq(c.uplink.password, "p");
}
END_TEST

START_TEST(bridges_by_name)
{
	ck_assert_msg(take("{\"cmd\":\"apply\",\"bridges\":\"obfs4\","
	    "\"proxy\":\"none\"}"), "%s", why);
	ck_assert_uint_eq(c.uplink.nbridges, 1);
	ck_assert_uint_eq(c.uplink.proxy, POL_PROXY_NONE);
}
END_TEST

START_TEST(nothing_at_all_is_a_wish_too)
{
	ck_assert_msg(take("{\"cmd\":\"apply\",\"bridges\":\"none\","
	    "\"proxy\":\"none\"}"), "%s", why);
	ck_assert_uint_eq(c.uplink.nbridges, 0);
}
END_TEST

#define OK_PROXY "\"proxy\":\"none\""
#define OK_BRIDGES "\"bridges\":\"none\""

static const struct {
	const char *request, *says;
} bad[] = {
	{ "{\"cmd\":\"apply\"}", "\"bridges\" is missing" },
	{ "{" OK_BRIDGES "}", "\"proxy\" is missing" },
	{ "{" OK_PROXY "}", "\"bridges\" is missing" },
	{ "{" OK_BRIDGES "," OK_PROXY ",\"x\":1}", "key" },
	{ "{" OK_BRIDGES "," OK_PROXY ",\"dry_run\":1}", "\"dry_run\"" },
	{ "{\"torrc\":\"\"," OK_PROXY "}", "key" },
	{ "{\"torrc\":7}", "\"torrc\"" },
	{ "{\"torrc\":\"SocksPort 9050\\n\"}", "Line 1: " },
	{ "{\"torrc\":\"UseBridges 0\\nLog debug file /etc/x\\n\"}",
	    "Line 2: " },
	{ "{\"bridges\":[]," OK_PROXY "}", "say \"none\"" },
	{ "{\"bridges\":[7]," OK_PROXY "}", "Bridge 1" },
	{ "{\"bridges\":[\"" LINE "\",\"x\\ny\"]," OK_PROXY "}", "Bridge 2" },
	{ "{\"bridges\":[\"" LINE "\\nUser root\"]," OK_PROXY "}",
	    "Bridge 1" },
	{ "{\"bridges\":[\"" LINE "\\u0000\"]," OK_PROXY "}", NULL },
	{ "{\"bridges\":[\"webtunnel 192.0.2.1:443 url=https://x/\"],"
	    OK_PROXY "}", "webtunnel" },
	{ "{\"bridges\":\"fte\"," OK_PROXY "}", "no bridges of that name" },
	{ "{\"bridges\":\"meek\"," OK_PROXY "}", "no bridges of that name" },
	{ "{" OK_BRIDGES ",\"proxy\":{\"type\":\"ftp\"}}", "\"type\"" },
	{ "{" OK_BRIDGES ",\"proxy\":{\"type\":\"none\"}}", "\"type\"" },
	{ "{" OK_BRIDGES ",\"proxy\":{\"type\":\"https\",\"host\":\"h\"}}",
	    "\"port\"" },
	{ "{" OK_BRIDGES ",\"proxy\":{\"type\":\"https\",\"host\":\"h\","
	    "\"port\":65536}}", "\"port\"" },
	{ "{" OK_BRIDGES ",\"proxy\":{\"type\":\"https\",\"host\":\"h\","
	    "\"port\":1,\"user\":\"u\"}}", "both" },
	{ "{" OK_BRIDGES ",\"proxy\":{\"type\":\"socks4\",\"host\":\"h\","
	    "\"port\":1,\"user\":\"u\",\"password\":\"p\"}}", NULL },
	{ "{" OK_BRIDGES ",\"proxy\":{\"type\":\"https\",\"host\":\"h\\n\","
	    "\"port\":1}}", NULL },
	{ "{" OK_BRIDGES ",\"proxy\":{\"type\":\"https\",\"port\":1}}", NULL },
	{ "{" OK_BRIDGES ",\"proxy\":{\"type\":\"socks5\",\"host\":\"h\","
	    "\"port\":1,\"user\":\"u\",\"password\":\"a\\nUser root\"}}",
	    NULL },
	{ "{" OK_BRIDGES ",\"proxy\":{\"type\":\"socks5\",\"host\":\"h\","
	    "\"port\":1,\"pass\":\"p\"}}", "no key \"pass\": did you mean" },
};

START_TEST(bad_requests_say_why_and_leave_nothing)
{
	static const struct snap_change none;
	bool known;

	why[0] = '\0';
	ck_assert_msg(!take_if(bad[_i].request, &known), "taken: %s",
	    bad[_i].request);
	if (!known && bad[_i].says == NULL)
		return; /* JSON itself would not have it */
	ck_assert_msg(bad[_i].says == NULL ||
	    strstr(why, bad[_i].says) != NULL, "%s says %s", bad[_i].request,
	    why);
	ck_assert_int_eq(memcmp(&c, &none, sizeof c), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("status_change");
	TCase *tc = tcase_create("status_change");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, lines_of_torrc);
	tcase_add_test(tc, array_and_proxy);
	tcase_add_test(tc, bridges_by_name);
	tcase_add_test(tc, nothing_at_all_is_a_wish_too);
	tcase_add_loop_test(tc, bad_requests_say_why_and_leave_nothing, 0,
	    sizeof bad / sizeof bad[0]);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
