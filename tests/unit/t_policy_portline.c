/* Tor's port lines: each was shown to a real Tor once. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/portline.h"
#include "tests/unit/polutil.h"

/* "off", "127.0.0.1:9050", "name localhost...", "unix:/a"; and the flags. */
static void
describe(char *dst, size_t cap, const struct pol_line *l)
{
	char place[POL_LISTENER_TEXT] = "?";

	if (l->off)
		(void)snprintf(place, sizeof place, "off");
	else if (l->addr.family == AF_UNIX)
		(void)snprintf(place, sizeof place, "unix:%s", l->path);
	else if (l->addr.family != AF_UNSPEC)
		pol_addrport_format(place, sizeof place, &l->addr, l->port);
	else
		(void)snprintf(place, sizeof place, "?:%u", l->port);
	(void)snprintf(dst, cap, "%s%s|%s", l->by_name ? "name " : "", place,
	    l->flags);
}

#define A50 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *value;
	const char *want; /* NULL: cannot be parsed */
	bool reachable;
} lines[] = {
	/* clang-format off */
	{ "9999", "127.0.0.1:9999|", false },
	{ " \t09050  IPv6Traffic  CacheDNS", "127.0.0.1:9050|IPv6Traffic  CacheDNS",
	    false },
	{ "auto", "127.0.0.1:0|", false },
	{ "AUTO x", "127.0.0.1:0|x", false },
	{ "0", "off|", false },
	{ "0 IPv6Traffic", "off|IPv6Traffic", false },
	{ "00", "off|", false },
	{ "65535", "127.0.0.1:65535|", false },
	{ "65536", NULL, true },
	{ "+9050", "127.0.0.1:9050|", false },
	{ "++9050", NULL, true },
	{ "10.0.0.1:+9050", "10.0.0.1:9050|", true },
	{ "", NULL, true },
	{ "  ", NULL, true },
	{ "IPv6Traffic", NULL, true },
	{ "0.0.0.0:9050 Flag", "0.0.0.0:9050|Flag", true },
	{ "10.0.0.1:9050", "10.0.0.1:9050|", true },
	{ "127.0.0.1:auto", "127.0.0.1:0|", false },
	{ "10.0.0.1:AUTO", "10.0.0.1:0|", true },
	{ "127.9.9.9:1", "127.9.9.9:1|", false },
	{ "127.0.0.1:0", NULL, true },
	{ "127.0.0.1:", NULL, true },
	{ "127.0.0.1:0x50", NULL, true },
	{ "127.0.0.1:70000", NULL, true },
	{ "127.0.0.1", NULL, true },
	{ ":9050", NULL, true },
	{ "*:9050", NULL, true },
	{ "[::]:9050", "[::]:9050|", true },
	{ "[::1]:9050", "[::1]:9050|", false },
	{ "[fd00::1]:auto", "[fd00::1]:0|", true },
	{ "[::ffff:127.0.0.1]:9050", "[::ffff:127.0.0.1]:9050|", true },
	{ "[10.0.0.1]:9050", NULL, true },
	{ "[::1:9050", NULL, true },
	{ "[]:9050", NULL, true },
	{ "[:9050", NULL, true },
	{ "::1:9050", NULL, true },
	{ "[fe80::1%lo]:9050", NULL, true },
	{ "localhost:9050", "name 127.0.0.1:9050|", false },
	{ "LOCALHOST:auto x", "name 127.0.0.1:0|x", false },
	{ "gateway.example:9050", "name ?:9050|", true },
	{ "10.1:9050", "name ?:9050|", true },
	{ "unix:/run/s", "unix:/run/s|", false },
	{ "unix:/run/s  WorldWritable", "unix:/run/s|WorldWritable", false },
	{ "unix:\"/p a th\" Flag", "unix:/p a th|Flag", false },
	{ "unix:\"/\\\"\\\\\"", "unix:/\"\\|", false },
	{ "unix:\"/a\\x41\"", NULL, true },
	{ "unix:\"/a", NULL, true },
	{ "unix:\"/a\\", NULL, true },
	{ "unix:\"\"", NULL, true },
	{ "unix:", NULL, true },
	{ "unix: /a", NULL, true },
	{ "UNIX:/a", NULL, true },
	{ "unix:/" A50 A50 "abcdef", "unix:/" A50 A50 "abcdef|", false },
	{ "unix:/" A50 A50 "abcdefg", NULL, true },
	{ "unix:\"/" A50 A50 "abcdef\"", "unix:/" A50 A50 "abcdef|", false },
	{ "unix:\"/" A50 A50 "abcdefg\"", NULL, true },
	{ A50 A50 A50 A50 A50 "ab:9050", NULL, true },
	{ "127.0.0.1:9050#x y", "127.0.0.1:9050|", false },
	{ "9050 #x y", "127.0.0.1:9050|", false },
	{ "9050 #x\n#y\n IPv6Traffic #z", "127.0.0.1:9050|IPv6Traffic #z",
	    false },
	{ "9050\r\nIPv6Traffic", "127.0.0.1:9050|IPv6Traffic", false },
	{ "unix:/run/s#x", "unix:/run/s|", false },
	{ "unix:\"/run/s#x\"#y", "unix:/run/s#x|", false },
	{ "#9050", NULL, true },
	{ "*auto", NULL, true },
	/* clang-format on */
};

START_TEST(a_line_is_read_as_tor_reads_it)
{
	struct pol_line l, none;
	char text[512];

	memset(&l, 0xff, sizeof l);
	memset(&none, 0, sizeof none);
	if (lines[_i].want == NULL) {
		ck_assert(!pol_line_parse(&l, lines[_i].value));
		ck_assert_mem_eq(&l, &none, sizeof l);
	} else {
		ck_assert(pol_line_parse(&l, lines[_i].value));
		describe(text, sizeof text, &l);
		ck_assert_str_eq(text, lines[_i].want);
	}
	ck_assert_int_eq(pol_line_reachable(lines[_i].value),
	    lines[_i].reachable);
}
END_TEST

static const char policy[] = P_TOR P_GW P_USERS
    "listener s { kind = socks port = 9050\n"
    "address = { \"10.0.0.1\", \"fd00::1\", \"127.0.0.1\" } }\n"
    "listener d { kind = dns address = \"10.0.0.1\" port = 5300 }\n"
    "listener i { kind = httptunnel address = \"interface:eth1:ipv4\"\n"
    "port = 8118 }\n"
    "listener u { kind = socks address = \"unix:/run/s\" }\n";
enum { V4, V6, LO, DNS, ETH1, UNIX };

static const struct {
	const char *value;
	enum pol_kind kind;
	int listener;
	bool collides, known; /* KNOWN: when eth1 has 10.0.0.9 */
} collisions[] = {
	/* clang-format off */
	{ "10.0.0.1:9050", POL_SOCKS, V4, true, true },
	{ "10.0.0.1:9050", POL_HTTPTUNNEL, V4, true, true },
	{ "10.0.0.1:9050", POL_DNS, V4, false, false },
	{ "10.0.0.1:9051", POL_SOCKS, V4, false, false },
	{ "10.0.0.2:9050", POL_SOCKS, V4, false, false },
	{ "0.0.0.0:9050", POL_SOCKS, V4, true, true },
	{ "[::]:9050", POL_SOCKS, V4, false, false },
	{ "[::ffff:10.0.0.1]:9050", POL_SOCKS, V4, true, true },
	{ "[::ffff:0.0.0.0]:9050", POL_SOCKS, V4, true, true },
	{ "9050", POL_SOCKS, V4, false, false },
	{ "localhost:9050", POL_SOCKS, V4, false, false },
	{ "host.example:9050", POL_SOCKS, V4, true, true },
	{ "10.0.0.1:auto", POL_SOCKS, V4, false, false },
	{ "0", POL_SOCKS, V4, false, false },
	{ "[fd00::1]:9050", POL_SOCKS, V6, true, true },
	{ "[::]:9050", POL_SOCKS, V6, true, true },
	{ "0.0.0.0:9050", POL_SOCKS, V6, false, false },
	{ "9050", POL_TRANS, LO, true, true },
	{ "localhost:9050", POL_SOCKS, LO, true, true },
	{ "0.0.0.0:5300", POL_DNS, DNS, true, true },
	{ "0.0.0.0:5300", POL_SOCKS, DNS, false, false },
	{ "10.0.0.9:8118", POL_SOCKS, ETH1, false, true },
	{ "10.0.0.8:8118", POL_SOCKS, ETH1, false, false },
	{ "0.0.0.0:8118", POL_SOCKS, ETH1, true, true },
	{ "[::]:8118", POL_SOCKS, ETH1, false, false },
	{ "host.example:8118", POL_SOCKS, ETH1, true, true },
	{ "localhost:8118", POL_SOCKS, ETH1, false, false },
	{ "unix:/run/s", POL_SOCKS, UNIX, true, true },
	{ "unix:\"/run/s\" Flag", POL_SOCKS, UNIX, true, true },
	{ "unix:/run/s#x", POL_SOCKS, UNIX, true, true },
	{ "10.0.0.1:9050#x", POL_SOCKS, V4, true, true },
	{ "unix:/run/t", POL_SOCKS, UNIX, false, false },
	{ "0.0.0.0:9050", POL_SOCKS, UNIX, false, false },
	{ "host.example:9050", POL_SOCKS, UNIX, false, false },
	{ "auto", POL_SOCKS, UNIX, false, false },
	{ "unix:/run/s", POL_SOCKS, V4, false, false },
	/* clang-format on */
};

START_TEST(who_wants_the_same_socket_collides)
{
	struct pol_addr ifaddrs[POL_MAX_IFADDRS] = { { 0 } };
	enum pol_kind kind = collisions[_i].kind;
	const struct pol_listener *l;
	struct pol_policy p;
	struct pol_line line;

	pu_parse(&p, policy);
	l = &p.listeners[collisions[_i].listener];
	ck_assert(pol_addr_parse(&ifaddrs[0], "10.0.0.9"));
	ck_assert(pol_line_parse(&line, collisions[_i].value));
	ck_assert_int_eq(pol_line_collides(&line, kind, l, NULL),
	    collisions[_i].collides);
	ck_assert_int_eq(pol_line_collides(&line, kind, l, ifaddrs),
	    collisions[_i].known);
	pol_policy_clear(&p);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("policy_portline");
	TCase *t = tcase_create("portline");

	tcase_add_loop_test(t, a_line_is_read_as_tor_reads_it, 0,
	    (int)(sizeof lines / sizeof lines[0]));
	tcase_add_loop_test(t, who_wants_the_same_socket_collides, 0,
	    (int)(sizeof collisions / sizeof collisions[0]));
	suite_add_tcase(s, t);
	return pu_run(s);
}
