/* What is said to proxies, and what their answers mean. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/resolver/proxy.h"

static struct name_tryout ask;
static struct proxy proxy;
static uint32_t code;
static size_t used;

static void
setup(void)
{
	memset(&ask, 0, sizeof ask);
	ask.id = 1;
	ck_assert(pol_addr_parse(&ask.target, "192.0.2.7"));
	ask.target_port = 443;
}

static void
login(const char *user, const char *password)
{
	ask.has_auth = 1;
	strcpy(ask.user, user);
	strcpy(ask.password, password);
}

static void
start(enum name_try kind)
{
	ask.kind = kind;
	ck_assert_int_eq(proxy_start(&proxy, &ask), NAME_V_NONE);
}

static bool
says(const void *octets, size_t n)
{
	return proxy.len == n && memcmp(proxy.out, octets, n) == 0;
}

static enum name_verdict
hears(const void *octets, size_t n)
{
	return proxy_in(&proxy, octets, n, &used, &code);
}

/* Whatever the pieces are, the verdict is that of the whole. */
static enum name_verdict
hears_slowly(const char *octets, size_t n)
{
	enum name_verdict v = NAME_V_NONE;

	for (size_t i = 0; i <= n && v == NAME_V_NONE; i++)
		v = hears(octets, i);
	return v;
}

START_TEST(a_connection_may_be_all)
{
	ask.kind = NAME_TRY_TCP;
	ck_assert_int_eq(proxy_start(&proxy, &ask), NAME_V_OK);
	ck_assert_uint_eq(proxy.len, 0);
}
END_TEST

START_TEST(http_is_asked_as_tor_does)
{
	static const char plain[] = "CONNECT 192.0.2.7:443 HTTP/1.0\r\n\r\n";
	static const char basic[] = "CONNECT 192.0.2.7:443 HTTP/1.0\r\n"
	    "Proxy-Authorization: Basic YTpiYw==\r\n\r\n";

	start(NAME_TRY_HTTPS);
	ck_assert(says(plain, sizeof plain - 1));
	login("a", "bc");
	start(NAME_TRY_HTTPS);
	ck_assert(says(basic, sizeof basic - 1));
	ck_assert(pol_addr_parse(&ask.target, "2001:db8::7"));
	start(NAME_TRY_HTTPS);
	ck_assert(memcmp(proxy.out, "CONNECT [2001:db8::7]:443 ", 26) == 0);
}
END_TEST

START_TEST(the_longest_password_fits)
{
	ask.has_auth = 1;
	memset(ask.user, 'u', 255);
	memset(ask.password, 'p', 255);
	start(NAME_TRY_HTTPS);
	ck_assert_uint_gt(proxy.len, 680);
	ck_assert(memcmp(proxy.out + proxy.len - 4, "\r\n\r\n", 4) == 0);
	start(NAME_TRY_SOCKS5);
	ck_assert_int_eq(hears("\5\2", 2), NAME_V_NONE);
	ck_assert_uint_eq(proxy.len, 3 + 255 + 255);
}
END_TEST

static const struct {
	const char *answer;
	enum name_verdict verdict;
	uint32_t code;
} https[] = {
	{ "HTTP/1.0 200 OK\r\n\r\n", NAME_V_OK, 200 },
	{ "HTTP/1.1 200", NAME_V_OK, 200 },
	{ "HTTP/1.1 403 Forbidden", NAME_V_DENIED, 403 },
	{ "HTTP/1.1 502 Bad", NAME_V_DENIED, 502 },
	{ "HTTP/1.1 407 Auth", NAME_V_AUTH, 407 },
	{ "HTTP/1.0 401 No", NAME_V_AUTH, 401 },
	{ "HTTP/1.1  200", NAME_V_PROTOCOL, 0 },
	{ "HTTP/1.1 2x0", NAME_V_PROTOCOL, 0 },
	{ "HTTQ", NAME_V_PROTOCOL, 0 },
	{ "SSH-2.0-x", NAME_V_PROTOCOL, 0 },
	{ "HTTP/1.1 20", NAME_V_NONE, 0 },
	{ "", NAME_V_NONE, 0 },
};

START_TEST(http_answers_by_its_number)
{
	start(NAME_TRY_HTTPS);
	ck_assert_int_eq(hears_slowly(https[_i].answer,
	    strlen(https[_i].answer)), https[_i].verdict);
	ck_assert_uint_eq(code, https[_i].code);
}
END_TEST

START_TEST(socks4_is_asked_for_an_address)
{
	start(NAME_TRY_SOCKS4);
	ck_assert(says("\4\1\1\xbb\xc0\0\2\7\0", 9));
	ck_assert_int_eq(hears("\0\x5a\0\0\0\0\0", 7), NAME_V_NONE);
	ck_assert_int_eq(hears("\0\x5a\0\0\0\0\0\0", 8), NAME_V_OK);
	ck_assert_uint_eq(code, 90);
	ck_assert_int_eq(hears("\0\x5b\0\0\0\0\0\0", 8), NAME_V_DENIED);
	ck_assert_int_eq(hears("\0\x5d\0\0\0\0\0\0", 8), NAME_V_AUTH);
	ck_assert_int_eq(hears("\0\x5e\0\0\0\0\0\0", 8), NAME_V_PROTOCOL);
	ck_assert_int_eq(hears("H", 1), NAME_V_PROTOCOL);
	login("me", "");
	start(NAME_TRY_SOCKS4);
	ck_assert(says("\4\1\1\xbb\xc0\0\2\7me\0", 11));
	ck_assert(pol_addr_parse(&ask.target, "2001:db8::7"));
	ask.kind = NAME_TRY_SOCKS4;
	ck_assert_int_eq(proxy_start(&proxy, &ask), NAME_V_DENIED);
}
END_TEST

START_TEST(socks5_without_a_password)
{
	start(NAME_TRY_SOCKS5);
	ck_assert(says("\5\1\0", 3));
	ck_assert_int_eq(hears("\5", 1), NAME_V_NONE);
	ck_assert_uint_eq(proxy.len, 0); /* that is not all yet */
	ck_assert_int_eq(hears("\5\0", 2), NAME_V_NONE);
	ck_assert_uint_eq(used, 2);
	ck_assert(says("\5\1\0\1\xc0\0\2\7\1\xbb", 10));
	ck_assert_int_eq(hears("\5\0\0\1", 4), NAME_V_OK);
	ck_assert_int_eq(hears("\5\5\0\1", 4), NAME_V_DENIED);
	ck_assert_uint_eq(code, 5);
	ck_assert_int_eq(hears("\5\x9\0\1", 4), NAME_V_PROTOCOL);
	ck_assert_int_eq(hears("\5\0\0\2", 4), NAME_V_PROTOCOL);
	start(NAME_TRY_SOCKS5);
	ck_assert_int_eq(hears("\5\xff", 2), NAME_V_AUTH);
	ck_assert_int_eq(hears("\5\2", 2), NAME_V_PROTOCOL); /* not offered */
	ck_assert_int_eq(hears("\4\0", 2), NAME_V_PROTOCOL);
}
END_TEST

START_TEST(socks5_with_a_password)
{
	login("me", "secret");
	start(NAME_TRY_SOCKS5);
	ck_assert(says("\5\2\0\2", 4));
	ck_assert_int_eq(hears("\5\2", 2), NAME_V_NONE);
	ck_assert(says("\1\2me\6secret", 11));
	ck_assert_int_eq(proxy_eof(&proxy), NAME_V_AUTH);
	ck_assert_int_eq(hears("\1\1", 2), NAME_V_AUTH);
	ck_assert_int_eq(hears("\1\0", 2), NAME_V_NONE);
	ck_assert_uint_eq(proxy.len, 10);
	ck_assert_int_eq(proxy_eof(&proxy), NAME_V_PROTOCOL);
}
END_TEST

START_TEST(nothing_secret_stays)
{
	struct proxy zero;

	login("me", "secret");
	start(NAME_TRY_SOCKS5);
	(void)hears("\5\2", 2);
	ck_assert_int_eq(hears("\1\0", 2), NAME_V_NONE);
	for (size_t i = 0; i + 6 <= sizeof proxy.out; i++)
		ck_assert(memcmp(proxy.out + i, "secret", 6) != 0);
	proxy_clear(&proxy);
	memset(&zero, 0, sizeof zero);
	ck_assert(memcmp(&zero, &proxy, sizeof zero) == 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("proxy");
	TCase *tc = tcase_create("proxy");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, a_connection_may_be_all);
	tcase_add_test(tc, http_is_asked_as_tor_does);
	tcase_add_test(tc, the_longest_password_fits);
	tcase_add_loop_test(tc, http_answers_by_its_number, 0,
	    (int)(sizeof https / sizeof https[0]));
	tcase_add_test(tc, socks4_is_asked_for_an_address);
	tcase_add_test(tc, socks5_without_a_password);
	tcase_add_test(tc, socks5_with_a_password);
	tcase_add_test(tc, nothing_secret_stays);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
