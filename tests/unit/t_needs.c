/* Which hosts a configuration needs. */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/needs.h"
#include "tests/unit/polutil.h"

#define FP " 0123456789ABCDEF0123456789ABCDEF01234567"
#define SF "192.0.2.3:80" FP

/*
 * The lines of a configuration, "OPTION=VALUE", and what comes of them: a
 * line each of "role by option/line transport host port proto".
 */
static const struct {
	const char *conf[8];
	const char *needs;
	size_t unread;
	bool fronts;
} cases[] = {
	/* clang-format off */
	{ { NULL }, "", 0, false },
	/* proxies */
	{ { "HTTPSProxy=Proxy.Example.:3128" },
	    "proxy tor HTTPSProxy/1 - proxy.example 3128 tcp\n", 0, false },
	{ { "httpsproxy=proxy.example" },
	    "proxy tor HTTPSProxy/1 - proxy.example 443 tcp\n", 0, false },
	{ { "Socks4Proxy=192.0.2.9" },
	    "proxy nobody Socks4Proxy/1 - 192.0.2.9 1080 tcp\n", 0, false },
	{ { "Socks5Proxy=[2001:db8::9]:9050" },
	    "proxy nobody Socks5Proxy/1 - 2001:db8::9 9050 tcp\n", 0, false },
	{ { "Socks5Proxy=", "HTTPSProxy", "Bridge", "UseBridges" }, "", 0,
	    false },
	{ { "HTTPSProxy=a b" }, "", 1, false },
	{ { "Socks5ProxyUsername=proxy.example", "DisableNetwork=1" }, "", 0,
	    false },
	/* plain bridges and obfs4 */
	{ { "UseBridges=1", "Bridge=192.0.2.1:9001",
	    "Bridge=obfs4 [2001:db8::1]:443" FP " cert=x iat-mode=0" },
	    "bridge nobody Bridge/1 - 192.0.2.1 9001 tcp\n"
	    "bridge nobody Bridge/2 obfs4 2001:db8::1 443 tcp\n", 0, false },
	{ { "Bridge=192.0.2.1:9001", "HTTPSProxy=p.example" },
	    "proxy tor HTTPSProxy/1 - p.example 443 tcp\n", 0, false },
	{ { "UseBridges=0", "Bridge=snowflake " SF " url=https://u.example/"
	    " fronts=f.example" }, "", 0, false },
	{ { "Bridge=192.0.2.1:1", "Bridge=x", "Bridge=192.0.2.1:3",
	    "Bridge=192.0.2.1:1", "UseBridges=1" },
	    "bridge nobody Bridge/1 - 192.0.2.1 1 tcp\n"
	    "bridge nobody Bridge/3 - 192.0.2.1 3 tcp\n", 1, false },
	/* meek */
	{ { "UseBridges=1", "Bridge=meek_lite 192.0.2.2:2" FP
	    " url=https://meek.example/x front=Front.Example" },
	    "bridge nobody Bridge/1 meek_lite 192.0.2.2 2 tcp\n"
	    "front transport Bridge/1 meek_lite front.example 443 tcp\n", 0,
	    false },
	{ { "UseBridges=1", "Bridge=meek_lite 192.0.2.2:2"
	    " url=HTTP://user@meek.example:8080?x" },
	    "bridge nobody Bridge/1 meek_lite 192.0.2.2 2 tcp\n"
	    "url transport Bridge/1 meek_lite meek.example 8080 tcp\n", 0,
	    false },
	{ { "UseBridges=1", "Bridge=meek_lite 192.0.2.2:2"
	    " url=http://meek.example:/ front=192.0.2.7" },
	    "bridge nobody Bridge/1 meek_lite 192.0.2.2 2 tcp\n"
	    "front nobody Bridge/1 meek_lite 192.0.2.7 80 tcp\n", 0, false },
	{ { "UseBridges=1", "ClientTransportPlugin=meek,other exec /m "
	    "--url=https://u.example/ --front f.example",
	    "Bridge=meek 192.0.2.2:2" },
	    "bridge nobody Bridge/1 meek 192.0.2.2 2 tcp\n"
	    "front transport ClientTransportPlugin/1 meek f.example 443 tcp\n",
	    0, false },
	{ { "UseBridges=1", "Bridge=meek_lite 192.0.2.2:2 url=ftp://a/" },
	    "bridge nobody Bridge/1 meek_lite 192.0.2.2 2 tcp\n", 1, false },
	{ { "UseBridges=1", "Bridge=meek_lite 192.0.2.2:2 url=https:///x",
	    "Bridge=meek_lite 192.0.2.2:3 url=https://a%2eb/ front=-" },
	    "bridge nobody Bridge/1 meek_lite 192.0.2.2 2 tcp\n"
	    "bridge nobody Bridge/2 meek_lite 192.0.2.2 3 tcp\n", 3, false },
	/* snowflake: each of the program's words, unless the line has it */
	{ { "ClientTransportPlugin=obfs4 exec /o",
	    "ClientTransportPlugin=snowflake exec /s -log /l -url "
	    "https://broker.example/ -front cdn.example -ice "
	    "stun:stun1.example:3478,stun:stun2.example -max 3",
	    "UseBridges=1", "Bridge=snowflake " SF },
	    "bridge nobody Bridge/1 snowflake 192.0.2.3 80 tcp\n"
	    "front transport ClientTransportPlugin/2 snowflake cdn.example 443"
	    " tcp\n"
	    "stun transport ClientTransportPlugin/2 snowflake stun1.example "
	    "3478 udp\n"
	    "stun transport ClientTransportPlugin/2 snowflake stun2.example "
	    "3478 udp\n", 0, false },
	{ { "ClientTransportPlugin=snowflake exec /s -url "
	    "https://broker.example/ -front cdn.example -ice stun:a.example:1",
	    "UseBridges=1", "Bridge=snowflake " SF " front=other.example",
	    "Bridge=snowflake " SF " ice=stun:b.example:19302?transport=udp" },
	    "bridge nobody Bridge/1 snowflake 192.0.2.3 80 tcp\n"
	    "front transport Bridge/1 snowflake other.example 443 tcp\n"
	    "stun transport ClientTransportPlugin/1 snowflake a.example 1 udp"
	    "\n"
	    "front transport ClientTransportPlugin/1 snowflake cdn.example 443"
	    " tcp\n"
	    "stun transport Bridge/2 snowflake b.example 19302 udp\n", 0,
	    false },
	{ { "UseBridges=1", "Bridge=snowflake " SF " url=https://u.example/"
	    " fronts=f1.example,,f2.example ice=stun:[2001:db8::7]:5,turn:x"
	    ",stun:" },
	    "bridge nobody Bridge/1 snowflake 192.0.2.3 80 tcp\n"
	    "front transport Bridge/1 snowflake f1.example 443 tcp\n"
	    "front transport Bridge/1 snowflake f2.example 443 tcp\n"
	    "url transport Bridge/1 snowflake u.example 443 tcp\n"
	    "stun nobody Bridge/1 snowflake 2001:db8::7 5 udp\n", 2, true },
	{ { "UseBridges=1", "Bridge=snowflake " SF " url=https://u.example/"
	    " fronts=f1.example front=f2.example" },
	    "bridge nobody Bridge/1 snowflake 192.0.2.3 80 tcp\n"
	    "front transport Bridge/1 snowflake f2.example 443 tcp\n"
	    "front transport Bridge/1 snowflake f1.example 443 tcp\n", 0,
	    false },
	{ { "UseBridges=1", "Bridge=snowflake " SF
	    " url=https://my-broker.example.org/"
	    " ampcache=https://cdn.example/" },
	    "bridge nobody Bridge/1 snowflake 192.0.2.3 80 tcp\n"
	    "url transport Bridge/1 snowflake "
	    "0-my--broker-example-org-0.cdn.example 443 tcp\n", 0, false },
	{ { "UseBridges=1", "Bridge=snowflake " SF
	    " url=https://snow-broker.example.org/"
	    " ampcache=http://cdn.example/" },
	    "bridge nobody Bridge/1 snowflake 192.0.2.3 80 tcp\n"
	    "url transport Bridge/1 snowflake "
	    "snow--broker-example-org.cdn.example 80 tcp\n", 0, false },
	{ { "UseBridges=1", "Bridge=snowflake " SF " url=https://u.example/"
	    " ampcache=https://cdn.example/ front=f.example" },
	    "bridge nobody Bridge/1 snowflake 192.0.2.3 80 tcp\n"
	    "front transport Bridge/1 snowflake f.example 443 tcp\n", 0,
	    false },
	{ { "UseBridges=1", "Bridge=snowflake " SF " url=https://xn--u.x/"
	    " ampcache=https://cdn.example/", "Bridge=snowflake " SF
	    " url=https://ab.-x/ ampcache=https://cdn.example/",
	    "Bridge=snowflake " SF " url=https://a-.x/"
	    " ampcache=https://cdn.example/" , "Bridge=snowflake " SF
	    " ampcache=https://cdn.example/" },
	    "bridge nobody Bridge/1 snowflake 192.0.2.3 80 tcp\n", 6, false },
	/* webtunnel */
	{ { "UseBridges=1", "Bridge=webtunnel [2001:db8::5]:443" FP
	    " url=https://w.example/path ver=0.0.1 servername=s.example" },
	    "bridge nobody Bridge/1 webtunnel 2001:db8::5 443 tcp\n"
	    "url transport Bridge/1 webtunnel w.example 443 tcp\n", 0, false },
	{ { "UseBridges=1", "Bridge=webtunnel 192.0.2.5:443"
	    " url=https://w.example/path addr=192.0.2.6:444" },
	    "bridge nobody Bridge/1 webtunnel 192.0.2.5 443 tcp\n"
	    "url nobody Bridge/1 webtunnel 192.0.2.6 444 tcp\n", 0, false },
	{ { "UseBridges=1", "Bridge=webtunnel 192.0.2.5:443 url=x",
	    "Bridge=webtunnel 192.0.2.5:443 addr=-" },
	    "bridge nobody Bridge/1 webtunnel 192.0.2.5 443 tcp\n", 2, false },
	/* lines that are none, and programs that are others' */
	{ { "ClientTransportPlugin=x", "ClientTransportPlugin=x exec",
	    "ClientTransportPlugin=x socks5 192.0.2.1:1080",
	    "ClientTransportPlugin=x socks5 pt.example:1080",
	    "ClientTransportPlugin=x  exec\t/x", "UseBridges=1",
	    "Bridge=x\t192.0.2.1:1 url=https://u.example" },
	    "bridge nobody Bridge/1 x 192.0.2.1 1 tcp\n"
	    "url transport Bridge/1 x u.example 443 tcp\n", 3, false },
	/* clang-format on */
};

static void
add_conf(struct pol_needs *n, const char *const *conf, size_t max)
{
	char option[64];

	pol_needs_init(n);
	for (size_t i = 0; i < max && conf[i] != NULL; i++) {
		size_t len = strcspn(conf[i], "=");

		(void)snprintf(option, sizeof option, "%.*s", (int)len,
		    conf[i]);
		pol_needs_add(n, option, conf[i][len] == '\0' ? NULL :
		    conf[i] + len + 1);
	}
	pol_needs_finish(n);
}

static void
print_needs(char *dst, size_t cap, const struct pol_needs *n)
{
	static const char *const by[] = { "nobody", "tor", "transport" };
	size_t used = 0;

	dst[0] = '\0';
	for (size_t i = 0; i < n->n; i++) {
		const struct pol_need *d = &n->need[i];

		used += (size_t)snprintf(dst + used, cap - used,
		    "%s %s %s/%u %s %s %u %s\n", pol_need_role_name(d->role),
		    by[d->by], d->option, d->line,
		    d->transport[0] != '\0' ? d->transport : "-", d->host,
		    (unsigned)d->port, d->l4proto == IPPROTO_UDP ? "udp" :
		    "tcp");
		ck_assert_int_eq(d->addr.family == 0, d->by != POL_BY_NOBODY);
	}
}

START_TEST(each_configuration_has_its_needs)
{
	struct pol_needs n;
	char text[2048];

	add_conf(&n, cases[_i].conf, 8);
	print_needs(text, sizeof text, &n);
	ck_assert_str_eq(text, cases[_i].needs);
	ck_assert_uint_eq(n.unread, cases[_i].unread);
	ck_assert_uint_eq(n.more, 0);
	ck_assert(n.fronts == cases[_i].fronts);
}
END_TEST

START_TEST(names_come_before_addresses)
{
	struct pol_needs n;
	char line[128];

	pol_needs_init(&n);
	pol_needs_add(&n, "UseBridges", "1");
	for (unsigned i = 1; i <= POL_MAX_NEEDS + 5; i++) {
		(void)snprintf(line, sizeof line, "obfs4 192.0.2.1:%u", i);
		pol_needs_add(&n, "Bridge", line);
	}
	ck_assert_uint_eq(n.n, POL_MAX_NEEDS);
	ck_assert_uint_eq(n.more, 5);
	ck_assert_uint_eq(n.need[POL_MAX_NEEDS - 1].port, POL_MAX_NEEDS);
	pol_needs_add(&n, "Bridge", "meek 192.0.2.2:1 url=https://u.example/");
	pol_needs_add(&n, "HTTPSProxy", "p.example");
	pol_needs_finish(&n);
	ck_assert_uint_eq(n.n, POL_MAX_NEEDS);
	ck_assert_uint_eq(n.more, 8);
	ck_assert_str_eq(n.need[POL_MAX_NEEDS - 1].host, "p.example");
	ck_assert_str_eq(n.need[POL_MAX_NEEDS - 2].host, "u.example");
	ck_assert_uint_eq(n.need[POL_MAX_NEEDS - 3].port, POL_MAX_NEEDS - 2);
	/* Names only: then the first ones stay. */
	for (unsigned i = 0; i < POL_MAX_NEEDS; i++) {
		(void)snprintf(line, sizeof line,
		    "x 192.0.2.2:1 url=https://u%u.example/", i);
		pol_needs_add(&n, "Bridge", line);
	}
	ck_assert_uint_eq(n.n, POL_MAX_NEEDS);
	ck_assert_str_eq(n.need[POL_MAX_NEEDS - 1].host, "u61.example");
}
END_TEST

START_TEST(methods_are_listed_once)
{
	static const char *const conf[] = { "UseBridges=1",
		"Bridge=192.0.2.1:1", "Bridge=obfs4 192.0.2.1:1",
		"Bridge=obfs4 192.0.2.1:2",
		"Bridge=meek 192.0.2.1:3 url=https://u.example" };
	char methods[POL_MAX_METHODS][POL_NAME_LEN], line[64];
	struct pol_needs n;

	add_conf(&n, conf, 5);
	ck_assert_uint_eq(pol_needs_methods(methods, &n), 2);
	ck_assert_str_eq(methods[0], "obfs4");
	ck_assert_str_eq(methods[1], "meek");
	for (unsigned i = 0; i < POL_MAX_METHODS; i++) {
		(void)snprintf(line, sizeof line, "m%u 192.0.2.1:1", i);
		pol_needs_add(&n, "Bridge", line);
	}
	ck_assert_uint_eq(pol_needs_methods(methods, &n), POL_MAX_METHODS);
}
END_TEST

START_TEST(plugins_and_lines_are_bounded)
{
	static char longest[8192];
	struct pol_needs n;
	char line[128];

	pol_needs_init(&n);
	for (unsigned i = 0; i < POL_MAX_PLUGINS + 2; i++) {
		(void)snprintf(line, sizeof line, "m%u exec /m -url "
		    "https://u%u.example", i, i);
		pol_needs_add(&n, "ClientTransportPlugin", line);
	}
	ck_assert_uint_eq(n.nplugins, POL_MAX_PLUGINS);
	ck_assert_uint_eq(n.more, 2);
	memset(longest, 'x', sizeof longest - 1);
	pol_needs_add(&n, "ClientTransportPlugin", longest);
	pol_needs_add(&n, "Bridge", longest);
	pol_needs_add(&n, "HTTPSProxy", longest);
	ck_assert_uint_eq(n.unread, 3);
	pol_needs_add(&n, "Log", longest);
	ck_assert_uint_eq(n.unread, 3);
	memcpy(longest, "x exec /m ", 10);
	longest[POL_ARGS_LEN + 20] = '\0';
	pol_needs_add(&n, "ClientTransportPlugin", longest);
	ck_assert_uint_eq(n.unread, 4);
	/* No host has so long a name. */
	memcpy(longest, "snowflake 192.0.2.1:1 ice=stun:", 31);
	longest[500] = '\0';
	pol_needs_add(&n, "Bridge", longest);
	memcpy(longest, "m192345 192.0.2.1:1 url=http://", 31);
	pol_needs_add(&n, "Bridge", longest);
	ck_assert_uint_eq(n.unread, 6);
	ck_assert_uint_eq(n.n, 2);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("needs");
	TCase *tc = tcase_create("needs");

	tcase_add_loop_test(tc, each_configuration_has_its_needs, 0,
	    (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tc, names_come_before_addresses);
	tcase_add_test(tc, methods_are_listed_once);
	tcase_add_test(tc, plugins_and_lines_are_bounded);
	suite_add_tcase(s, tc);
	return pu_run(s);
}
