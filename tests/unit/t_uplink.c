/* Bridges and proxy: as torrc lines, as values, as a file. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/uplink.h"
#include "tests/unit/polutil.h"
#include "tests/unit/uplinkutil.h"

#define FP "0123456789ABCDEF0123456789ABCDEF01234567"
#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X250 X50 X50 X50 X50 X50
#define X255 X250 "xxxxx"

/* What the options are, a line each. */
struct text {
	char s[4096];
	size_t n, stop_at, calls;
};

static bool
collect(void *arg, const char *option, const char *value)
{
	struct text *t = arg;

	t->n += (size_t)snprintf(t->s + t->n, sizeof t->s - t->n, "%s%s%s\n",
	    option, value != NULL ? "=" : "", value != NULL ? value : "");
	return ++t->calls != t->stop_at;
}

#define NO_PROXY "HTTPSProxy\nHTTPSProxyAuthenticator\nSocks4Proxy\n" \
	"Socks5Proxy\nSocks5ProxyUsername\nSocks5ProxyPassword\n"
#define NO_BRIDGES "UseBridges=0\nBridge\nClientTransportPlugin\n"

static const struct {
	const char *text, *options;
} good[] = {
	/* clang-format off */
	{ "UseBridges 0", NO_BRIDGES NO_PROXY },
	{ "# nothing\n\n \t \nusebridges   \"0\"  \r\n", NO_BRIDGES NO_PROXY },
	{ "Bridge 192.0.2.1:80\n", "UseBridges=1\nBridge=192.0.2.1:80\n"
	    "ClientTransportPlugin\n" NO_PROXY },
	{ "UseBridges 1\nClientTransportPlugin   snowflake exec\t"
	    "/usr/bin/snow -max 3\n"
	    "bridge obfs4   192.0.2.1:80 \t a=b\nobfs4 [::1]:5 " FP "\n"
	    "192.0.2.9:9\n[2001:db8::1]\n# caf\xc3\xa9\n"
	    "Bridge Bridge meek_lite 192.0.2.2:2 url=https://x.example/",
	    "UseBridges=1\nBridge=obfs4 192.0.2.1:80 a=b\n"
	    "Bridge=obfs4 [::1]:5 " FP "\nBridge=192.0.2.9:9\n"
	    "Bridge=[2001:db8::1]:443\n"
	    "Bridge=meek_lite 192.0.2.2:2 url=https://x.example/\n"
	    "ClientTransportPlugin=obfs4,meek_lite exec /usr/bin/obfs4proxy\n"
	    NO_PROXY },
	{ "snowflake 192.0.2.3:80\nobfs4 192.0.2.1:1", "UseBridges=1\n"
	    "Bridge=snowflake 192.0.2.3:80\nBridge=obfs4 192.0.2.1:1\n"
	    "ClientTransportPlugin=obfs4,meek_lite exec /usr/bin/obfs4proxy\n"
	    "ClientTransportPlugin=snowflake exec /usr/bin/snow -max 3\n"
	    NO_PROXY },
	{ "HTTPSProxy 192.0.2.7", NO_BRIDGES "HTTPSProxy=192.0.2.7:443\n"
	    "HTTPSProxyAuthenticator\nSocks4Proxy\nSocks5Proxy\n"
	    "Socks5ProxyUsername\nSocks5ProxyPassword\n" },
	{ "HTTPSProxy Proxy.Example:8080\nHTTPSProxyAuthenticator me:a:b",
	    NO_BRIDGES "HTTPSProxy=198.51.100.1:8080\n"
	    "HTTPSProxyAuthenticator=me:a:b\nSocks4Proxy\nSocks5Proxy\n"
	    "Socks5ProxyUsername\nSocks5ProxyPassword\n" },
	{ "HTTPSProxyAuthenticator \"m#e:\"\nHTTPSProxy 192.0.2.7:1",
	    NO_BRIDGES "HTTPSProxy=192.0.2.7:1\n"
	    "HTTPSProxyAuthenticator=m#e:\nSocks4Proxy\nSocks5Proxy\n"
	    "Socks5ProxyUsername\nSocks5ProxyPassword\n" },
	{ "Socks4Proxy [2001:db8::7]", NO_BRIDGES "HTTPSProxy\n"
	    "HTTPSProxyAuthenticator\nSocks4Proxy=[2001:db8::7]:1080\n"
	    "Socks5Proxy\nSocks5ProxyUsername\nSocks5ProxyPassword\n" },
	{ "Socks5Proxy 192.0.2.7:9050\n"
	    "Socks5ProxyUsername \" it's \\\"me\\\" \\\\ \"\n"
	    "Socks5ProxyPassword it's\n", NO_BRIDGES "HTTPSProxy\n"
	    "HTTPSProxyAuthenticator\nSocks4Proxy\n"
	    "Socks5Proxy=192.0.2.7:9050\n"
	    "Socks5ProxyUsername= it's \"me\" \\ \n"
	    "Socks5ProxyPassword=it's\n" },
	{ "Socks5Proxy 192.0.2.7:9050\nSocks5ProxyUsername " X255 "\n"
	    "Socks5ProxyPassword " X255, NO_BRIDGES "HTTPSProxy\n"
	    "HTTPSProxyAuthenticator\nSocks4Proxy\n"
	    "Socks5Proxy=192.0.2.7:9050\nSocks5ProxyUsername=" X255 "\n"
	    "Socks5ProxyPassword=" X255 "\n" },
	{ "# portcullis: proxy proxy.example:9050\nSocks5Proxy 192.0.2.7:9050",
	    NO_BRIDGES "HTTPSProxy\nHTTPSProxyAuthenticator\nSocks4Proxy\n"
	    "Socks5Proxy=198.51.100.1:9050\n"
	    "Socks5ProxyUsername\nSocks5ProxyPassword\n" },
	/* clang-format on */
};

START_TEST(lines_become_options)
{
	struct pol_uplink u;
	struct pol_addr addr;
	struct text t = { .n = 0 };

	uu_must_parse(&u, good[_i].text);
	ck_assert(pol_addr_parse(&addr, "198.51.100.1"));
	ck_assert(pol_uplink_options(&u, &uu_policy, &addr, collect, &t));
	ck_assert_str_eq(t.s, good[_i].options);
}
END_TEST

/* Whatever address the proxy's name has today. */
START_TEST(what_is_printed_is_parsed_again)
{
	static const char *const addrs[] = { "198.51.100.1", "2001:db8::99" };
	struct pol_uplink u, v;
	struct pol_addr addr;
	char *text;

	uu_must_parse(&u, good[_i].text);
	for (size_t i = 0; i < 2; i++) {
		ck_assert(pol_addr_parse(&addr, addrs[i]));
		text = pol_uplink_print(&u, &uu_policy, &addr);
		ck_assert_ptr_nonnull(text);
		uu_must_parse(&v, text);
		ck_assert(pol_uplink_same(&u, &v));
		ck_assert_mem_eq(&u, &v, sizeof u);
		free(text);
	}
}
END_TEST

START_TEST(a_file_looks_like_this)
{
	struct pol_uplink u;
	struct pol_addr addr;
	char *text;

	uu_must_parse(&u, "Socks5Proxy Proxy.Example:9050\n"
	    "Socks5ProxyUsername a\nSocks5ProxyPassword \"b \\\" #\\\\\"\n"
	    "snowflake 192.0.2.3:80");
	ck_assert(pol_addr_parse(&addr, "2001:db8::7"));
	text = pol_uplink_print(&u, &uu_policy, &addr);
	ck_assert_str_eq(text, "# Written by portcullis(1): \"portcullis "
	    "apply\" replaces this file.\n"
	    "# portcullis: proxy proxy.example:9050\n"
	    "UseBridges 1\nBridge snowflake 192.0.2.3:80\n"
	    "ClientTransportPlugin snowflake exec /usr/bin/snow -max 3\n"
	    "Socks5Proxy [2001:db8::7]:9050\n"
	    "Socks5ProxyUsername \"a\"\n"
	    "Socks5ProxyPassword \"b \\\" #\\\\\"\n");
	free(text);
}
END_TEST

static const struct {
	const char *text;
	size_t line;
	const char *why;
} bad[] = {
	/* clang-format off */
	{ "", 1, "there is no option" },
	{ "# a\n\n", 2, "there is no option" },
	{ "UseBridges", 1, "has no value" },
	{ "UseBridges  ", 1, "has no value" },
	{ "UseBridges auto", 1, "is 0 or 1" },
	{ "UseBridges 1\n", 1, "there is no bridge" },
	{ "UseBridges 0\nBridge 192.0.2.1:1\n# end", 3, "write 1, or" },
	{ "UseBridges 0\nUseBridges 0", 2, "stands twice" },
	/* other options, and whatever could become one */
	{ "UseBridges 0\nSocksPort 9050", 2, "can be set here: leave it out" },
	{ "Bridges 192.0.2.1:1", 1, "no program is known for \"Bridges\"" },
	{ "Brige abc", 1, "did you mean \"Bridge\"?" },
	{ "HTTPProxy proxy.example", 1, "did you mean \"HTTPSProxy\"?" },
	{ "+Bridge 192.0.2.1:1", 1, "did you mean \"Bridge\"?" },
	{ "/Bridge", 1, "did you mean \"Bridge\"?" },
	{ "%include /etc/passwd", 1, "no other can be set here" },
	{ "ControlPort 9051", 1, "no other can be set here" },
	{ "SocksPort 192.0.2.1:9050", 1, "no program is known" },
	{ X250 " x", 1, "leave it out" },
	{ "DisableNetwork 1", 1, "have Tor disabled" },
	{ "DisableNetwork 0\nDisableNetwork 0", 2, "twice" },
	{ "DisableNetworks 0", 1, "leave it out" },
	{ "Bridge 192.0.2.1:1 \\\nSocksPort 1", 1, "backslash" },
	{ "Bridge 192.0.2.1:1 # x", 1, "a comment goes into a line" },
	{ "Bridge \"192.0.2.1:1\" SocksPort", 1, "behind the quotes" },
	{ "Bridge \"192.0.2.1:1\\nSocksPort 1\"", 1, "this backslash" },
	{ "Bridge \"192.0.2.1:1 \\\"x\\\"\"", 1, "it has a \"" },
	{ "Bridge \"192.0.2.1:1", 1, "has no end" },
	{ "Bridge \"192.0.2.1:1\\", 1, "this backslash" },
	{ "Bridge 192.0.2.1:1\rSocksPort 1", 1, "control character" },
	{ "Bridge 192.0.2.1:1\x0bx", 1, "control character" },
	{ "Bridge 192.0.2.1:1\xc2\x85x", 1, "not ASCII" },
	{ "Bridge \x7f", 1, "control character" },
	/* bridges */
	{ "Bridge bridge.example:1", 1,
	    "this is no bridge: the address \"bridge.example\"" },
	{ "Bridge 192.0.2.1:1\nBridge webtunnel 192.0.2.1:1", 2,
	    "add transport \"webtunnel\" { program = \"/path\" } to "
	    "portcullis.conf" },
	{ "webtunnel 192.0.2.1:1", 1, "no program is known for \"webtunnel\"" },
	{ "Bridge obfs4 192.0.2.1 k=" X250 X255 "xxxx", 1,
	    "this is no bridge: its arguments have more than 510" },
	{ "obfs4 192.0.2.1 k=" X250 X250 X250 X250 "xxxxxx", 1,
	    "this is no bridge: it has more than 1023" },
	/* programs */
	{ "ClientTransportPlugin obfs4 exec /bin/sh", 1,
	    "nothing else is run" },
	{ "ClientTransportPlugin obfs4,scramblesuit exec /usr/bin/obfs4proxy",
	    1, "has no transport \"scramblesuit\"" },
	{ "ClientTransportPlugin obfs4,snowflake exec /usr/bin/snow", 1,
	    "for obfs4 the policy has other words" },
	{ "ClientTransportPlugin obfs4, exec /usr/bin/obfs4proxy", 1,
	    "names of transports" },
	{ "ClientTransportPlugin obfs4", 1, "nothing else is run" },
	{ "ClientTransportPlugin snowflake exec /usr/bin/snow -max 4", 1,
	    "for snowflake the policy has other words" },
	{ "ClientTransportPlugin snowflake exec /usr/bin/snow -max 3 -x", 1,
	    "for snowflake the policy has other words" },
	{ "ClientTransportPlugin bare socks5 192.0.2.1:1", 1,
	    "for bare the policy" },
	/* proxies */
	{ "HTTPSProxy a b", 1, "no host and port" },
	{ "HTTPSProxy 192.0.2.1:0", 1, "no host and port" },
	{ "HTTPSProxy 2001:db8::1:80", 1, "no host and port" },
	{ "HTTPSProxy http://proxy.example", 1, "no host and port" },
	{ "HTTPSProxy 192.0.2.1\nSocks5Proxy 192.0.2.1", 2, "two proxies" },
	{ "HTTPSProxy 192.0.2.1\nHTTPSProxy 192.0.2.1", 2, "twice" },
	{ "HTTPSProxy p\nHTTPSProxyAuthenticator x", 2, "a colon and" },
	{ "HTTPSProxy p\nHTTPSProxyAuthenticator :x", 2, "but no user" },
	{ "HTTPSProxyAuthenticator a:b", 1, "but no HTTPSProxy" },
	{ "HTTPSProxyAuthenticator a:b\nSocks5Proxy p", 2,
	    "but no HTTPSProxy" },
	{ "Socks5ProxyUsername a\nSocks5ProxyPassword b\nHTTPSProxy p", 3,
	    "but no Socks5Proxy" },
	{ "Socks4Proxy p\nSocks5ProxyUsername a", 2, "but no Socks5Proxy" },
	{ "Socks5Proxy p\nSocks5ProxyUsername a", 2, "needs a password" },
	{ "Socks5Proxy p\nSocks5ProxyPassword a", 2, "but no user" },
	{ "Socks5Proxy p\nSocks5ProxyUsername \"\"", 2, "but no user" },
	{ "Socks5Proxy p\nSocks5ProxyUsername " X255 "x", 2, "too long" },
	{ "HTTPSProxy p\nHTTPSProxyAuthenticator " X255 "x:a", 2, "too long" },
	{ "HTTPSProxy p\nHTTPSProxyAuthenticator a:" X255 "x", 2, "too long" },
	{ "Socks5Proxy p\nSocks5ProxyPassword a#b", 2, "double quotes" },
	/* our comment */
	{ "# portcullis: proxy p.example:1\nUseBridges 0\n", 1,
	    "not about the proxy" },
	{ "UseBridges 0\nHTTPSProxy 192.0.2.1:2\n"
	    "# portcullis: proxy p.example:1", 3, "not about the proxy" },
	{ "# portcullis: proxy p.example:2\nHTTPSProxy q.example:2\n", 1,
	    "not about the proxy" },
	{ "# portcullis: proxy 192.0.2.1:2\n", 1, "name and port" },
	{ "# portcullis: proxy p.example\n", 1, "name and port" },
	{ "# portcullis: proxy p:1\n# portcullis: proxy p:1\n", 2, "twice" },
	/* clang-format on */
};

START_TEST(a_fault_is_named_with_its_line)
{
	static const struct pol_uplink nothing;
	char why[POL_UPLINK_WHY];
	struct pol_uplink u;
	size_t line = uu_parse(&u, why, bad[_i].text);

	ck_assert_msg(line == bad[_i].line &&
	    strstr(why, bad[_i].why) != NULL, "%s\nline %zu: %s",
	    bad[_i].text, line, why);
	ck_assert_mem_eq(&u, &nothing, sizeof u);
}
END_TEST

START_TEST(a_nul_or_too_much_is_refused)
{
	static char text[(64 << 10) + 2];
	char why[POL_UPLINK_WHY];
	struct pol_uplink u;

	ck_assert_uint_eq(pol_uplink_parse(&u, why, &uu_policy,
	    "UseBridges 0\0x", 14), 1);
	memset(text, '\n', sizeof text);
	memcpy(text, "UseBridges 0", 12);
	ck_assert_uint_eq(pol_uplink_parse(&u, why, &uu_policy, text, 64 << 10),
	    0);
	ck_assert_uint_eq(pol_uplink_parse(&u, why, &uu_policy, text,
	    (64 << 10) + 1), 1);
	ck_assert_ptr_nonnull(strstr(why, "64 KiB"));
	memset(text, ' ', 3000);
	memcpy(text + 2990, "UseBridges", 10);
	memset(text + 3000, 'x', 3000);
	ck_assert_uint_eq(pol_uplink_parse(&u, why, &uu_policy, text, 6000), 1);
	ck_assert_ptr_nonnull(strstr(why, "too long"));
}
END_TEST

START_TEST(there_is_a_most_of_bridges)
{
	static char text[8192];
	char why[POL_UPLINK_WHY];
	struct pol_uplink u;
	size_t n = 0;

	for (unsigned i = 1; i <= POL_UPLINK_BRIDGES; i++)
		n += (size_t)snprintf(text + n, sizeof text - n,
		    "Bridge obfs4 192.0.2.1:%u\n", i);
	uu_must_parse(&u, text);
	ck_assert_uint_eq(u.nbridges, POL_UPLINK_BRIDGES);
	(void)snprintf(text + n, sizeof text - n, "Bridge 192.0.2.1:1\n");
	ck_assert_uint_eq(uu_parse(&u, why, text), POL_UPLINK_BRIDGES + 1);
	ck_assert_ptr_nonnull(strstr(why, "too many bridges: 32"));
}
END_TEST

/* Each makes something of another process's that must not be believed. */
static void
spoil(struct pol_uplink *u, int i)
{
	char *const texts[] = { u->host, u->user, u->password, u->bridge[0],
		u->bridge[1], u->bridge[2] };
	const size_t caps[] = { sizeof u->host, sizeof u->user,
		sizeof u->password, POL_BRIDGE_LEN, POL_BRIDGE_LEN,
		POL_BRIDGE_LEN };

	if (i < 6)
		texts[i][caps[i] - 1] = 'x'; /* behind the NUL */
	else if (i < 12)
		memset(texts[i - 6], 'x', caps[i - 6]); /* no NUL */
	else if (i < 18)
		texts[i - 12][0] = '\n';
	else if (i < 24)
		texts[i - 18][0] = (char)0xe4;
	else if (i == 24)
		u->nbridges = POL_UPLINK_BRIDGES + 1;
	else if (i == 25)
		u->nbridges = 1; /* and the second is still there */
	else if (i == 26)
		u->nbridges = 3;
	else if (i == 27)
		u->proxy = POL_NPROXY;
	else if (i == 28)
		u->proxy = POL_PROXY_SOCKS4;
	else if (i == 29)
		u->proxy = POL_PROXY_NONE;
	else if (i == 30)
		u->has_auth = 2;
	else if (i == 31)
		u->has_auth = 0;
	else if (i == 32)
		u->port = 0;
	else if (i == 33)
		u->port = 65536;
	else if (i == 34)
		u->host[0] = 'P';
	else if (i == 35)
		memset(u->host, 0, sizeof u->host);
	else if (i == 36)
		memset(u->password, 0, sizeof u->password);
	else if (i == 37)
		memset(u->user, 0, sizeof u->user);
	else if (i == 38)
		memcpy(u->bridge[0], "bare 192.0.2.1:1 ", 17);
	else if (i == 39)
		memcpy(u->bridge[0], "bar_", 4);
	else if (i == 40)
		memcpy(u->host, "127.1\0\0\0\0\0\0\0\0", 13);
}
#define NSPOILT 41

START_TEST(nothing_is_believed_of_another_process)
{
	char why[POL_UPLINK_WHY];
	struct pol_uplink u;

	uu_must_parse(&u, "bare 192.0.2.1:1\nobfs4 192.0.2.1:2\n"
	    "Socks5Proxy proxy.example:1\nSocks5ProxyUsername u\n"
	    "Socks5ProxyPassword p\n");
	spoil(&u, _i);
	ck_assert(!pol_uplink_ok(&u, why, &uu_policy));
	ck_assert_str_ne(why, "");
}
END_TEST

START_TEST(an_https_user_has_no_colon)
{
	char why[POL_UPLINK_WHY];
	struct pol_uplink u;

	uu_must_parse(&u, "HTTPSProxy p\nHTTPSProxyAuthenticator us:\n");
	u.user[1] = ':';
	ck_assert(!pol_uplink_ok(&u, why, &uu_policy));
	ck_assert_ptr_nonnull(strstr(why, "colon"));
	memset(&u, 0, sizeof u);
	ck_assert(pol_uplink_ok(&u, why, &uu_policy));
	u.port = 5;
	ck_assert(!pol_uplink_ok(&u, why, &uu_policy));
}
END_TEST

START_TEST(a_name_needs_an_address)
{
	const struct pol_addr none = { .family = 0 };
	struct pol_uplink u;
	struct pol_addr addr;
	struct text t = { .n = 0 };

	uu_must_parse(&u, "HTTPSProxy proxy.example:8080");
	pol_uplink_proxy_addr(&addr, &u);
	ck_assert_int_eq(addr.family, 0);
	ck_assert(!pol_uplink_options(&u, &uu_policy, NULL, collect, &t));
	ck_assert(!pol_uplink_options(&u, &uu_policy, &none, collect, &t));
	ck_assert_uint_eq(t.n, 0);
	ck_assert_ptr_null(pol_uplink_print(&u, &uu_policy, NULL));
	uu_must_parse(&u, "HTTPSProxy 192.0.2.1:8080");
	pol_uplink_proxy_addr(&addr, &u);
	ck_assert_int_eq(addr.family, AF_INET);
	ck_assert(pol_uplink_options(&u, &uu_policy, NULL, collect, &t));
}
END_TEST

START_TEST(who_is_given_options_may_stop)
{
	struct pol_uplink u;
	size_t all;
	struct text t = { .n = 0 };

	uu_must_parse(&u, "HTTPSProxy 192.0.2.1\nbare 192.0.2.1:1");
	ck_assert(pol_uplink_options(&u, &uu_policy, NULL, collect, &t));
	all = t.calls;
	ck_assert_uint_eq(all, 9);
	for (size_t i = 1; i <= all; i++) {
		t = (struct text){ .stop_at = i };
		ck_assert(!pol_uplink_options(&u, &uu_policy, NULL, collect,
		    &t));
		ck_assert_uint_eq(t.calls, i);
	}
	memset(&u, 0, sizeof u);
	t = (struct text){ .stop_at = 2 };
	ck_assert(!pol_uplink_options(&u, &uu_policy, NULL, collect, &t));
	ck_assert_uint_eq(t.calls, 2);
}
END_TEST

START_TEST(stock_is_by_method_or_section)
{
	char why[POL_UPLINK_WHY];
	struct pol_uplink u;

	uu_must_parse(&u, "HTTPSProxy 192.0.2.1:1\nobfs4 192.0.2.9:9");
	ck_assert(!pol_uplink_stock(&u, &uu_policy, "bare"));
	ck_assert(!pol_uplink_stock(&u, &uu_policy, "none"));
	ck_assert(!pol_uplink_stock(&u, &uu_policy, ""));
	ck_assert_str_eq(u.bridge[0], "obfs4 192.0.2.9:9");
	ck_assert(pol_uplink_stock(&u, &uu_policy, "obfs4"));
	ck_assert_uint_eq(u.nbridges, 2);
	ck_assert_str_eq(u.bridge[1], "obfs4 192.0.2.1:2");
	ck_assert(pol_uplink_stock(&u, &uu_policy, "meek_lite"));
	ck_assert_uint_eq(u.nbridges, 1);
	ck_assert_str_eq(u.bridge[1], "");
	ck_assert(pol_uplink_stock(&u, &uu_policy, "snow"));
	ck_assert_str_eq(u.bridge[0], "snowflake 192.0.2.3:80");
	ck_assert(pol_uplink_stock(&u, &uu_policy, "snowflake"));
	ck_assert_uint_eq(u.proxy, POL_PROXY_HTTPS);
	ck_assert(pol_uplink_ok(&u, why, &uu_policy));
}
END_TEST

START_TEST(same_means_the_same)
{
	static const char *const texts[] = { "UseBridges 0",
		"bare 192.0.2.1:1", "bare 192.0.2.1:2",
		"bare 192.0.2.1:1\nbare 192.0.2.1:2", "HTTPSProxy p:1",
		"HTTPSProxy p:2", "HTTPSProxy q:1", "Socks5Proxy p:1",
		"HTTPSProxy p:1\nHTTPSProxyAuthenticator a:",
		"HTTPSProxy p:1\nHTTPSProxyAuthenticator b:",
		"HTTPSProxy p:1\nHTTPSProxyAuthenticator a:b" };
	struct pol_uplink u, v;

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
		for (size_t j = 0; j < sizeof texts / sizeof texts[0]; j++) {
			uu_must_parse(&u, texts[i]);
			uu_must_parse(&v, texts[j]);
			ck_assert(pol_uplink_same(&u, &v) == (i == j));
		}
}
END_TEST

START_TEST(a_plugin_fits_where_it_is_put)
{
	char text[64];

	ck_assert_uint_eq(pol_transport_find(&uu_policy, "meek_lite"), 0);
	ck_assert_uint_eq(pol_transport_find(&uu_policy, "snowflake"), 1);
	ck_assert_uint_eq(pol_transport_find(&uu_policy, "snow"), 3);
	pol_transport_plugin(text, sizeof text, &uu_policy.transports[1]);
	ck_assert_str_eq(text, "snowflake exec /usr/bin/snow -max 3");
	pol_transport_plugin(text, 8, &uu_policy.transports[0]);
	ck_assert_str_eq(text, "obfs4,m");
	text[0] = 'x';
	pol_transport_plugin(text, 0, &uu_policy.transports[0]);
	ck_assert_int_eq(text[0], 'x');
	ck_assert_str_eq(pol_proxy_name(POL_PROXY_NONE), "none");
	ck_assert_str_eq(pol_proxy_name(POL_PROXY_SOCKS4), "socks4");
}
END_TEST

START_TEST(no_memory_is_no_text)
{
	struct pol_uplink u;

	uu_must_parse(&u, "UseBridges 0");
	pu_fail_at(1);
	ck_assert_ptr_null(pol_uplink_print(&u, &uu_policy, NULL));
	pu_fail_at(0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("uplink");
	TCase *tc = tcase_create("uplink");
	const int ngood = (int)(sizeof good / sizeof good[0]);

	tcase_add_checked_fixture(tc, uu_set_up, uu_tear_down);
	tcase_add_loop_test(tc, lines_become_options, 0, ngood);
	tcase_add_loop_test(tc, what_is_printed_is_parsed_again, 0, ngood);
	tcase_add_test(tc, a_file_looks_like_this);
	tcase_add_loop_test(tc, a_fault_is_named_with_its_line, 0,
	    (int)(sizeof bad / sizeof bad[0]));
	tcase_add_test(tc, a_nul_or_too_much_is_refused);
	tcase_add_test(tc, there_is_a_most_of_bridges);
	tcase_add_loop_test(tc, nothing_is_believed_of_another_process, 0,
	    NSPOILT);
	tcase_add_test(tc, an_https_user_has_no_colon);
	tcase_add_test(tc, a_name_needs_an_address);
	tcase_add_test(tc, who_is_given_options_may_stop);
	tcase_add_test(tc, stock_is_by_method_or_section);
	tcase_add_test(tc, same_means_the_same);
	tcase_add_test(tc, a_plugin_fits_where_it_is_put);
	tcase_add_test(tc, no_memory_is_no_text);
	suite_add_tcase(s, tc);
	return pu_run(s);
}
