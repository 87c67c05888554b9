/* What the status may say of Tor's words, and what it must not. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/engine/privacy.h"

static struct pol_listener listeners[3];
static struct pol_policy policy;
static struct pol_addr ifaddrs[POL_MAX_IFADDRS];
static struct privacy privacy;

static void
setup(void)
{
	memset(listeners, 0, sizeof listeners);
	memset(ifaddrs, 0, sizeof ifaddrs);
	memset(&privacy, 0, sizeof privacy);
	pol_policy_init(&policy);
	policy.listeners = listeners;
	policy.nlisteners = 3;
	ck_assert(pol_addr_parse(&listeners[0].addr, "10.152.152.10"));
	/* With an interface only the family counts, whatever is there. */
	ck_assert(pol_addr_parse(&listeners[1].addr, "203.0.113.99"));
	listeners[1].ifaddr = 2;
	listeners[2].addr.family = AF_UNIX;
	ck_assert(pol_addr_parse(&ifaddrs[1], "fd19::10"));
	ck_assert(pol_addr_parse(&privacy.internal[0], "10.152.152.11"));
	privacy.ninternal = 1;
	privacy.policy = &policy;
	privacy.ifaddrs = ifaddrs;
}

static const struct {
	const char *line, *told;
} places[] = {
	{ "9050", "127.0.0.1:9050" },
	{ "127.3.0.1:9050 IsolateDestAddr", "127.3.0.1:9050" },
	{ "[::1]:9050", "[::1]:9050" },
	{ "0.0.0.0:9050", "0.0.0.0:9050" },
	{ "[::]:9050", "[::]:9050" },
	{ "10.152.152.10:9999", "10.152.152.10:9999" },
	{ "10.152.152.11:9999", "10.152.152.11:9999" },
	{ "[fd19::10]:9999", "[fd19::10]:9999" },
	{ "10.152.152.12:9999", "external address:9999" },
	{ "203.0.113.99:9050", "external address:9050" },
	{ "203.0.113.5:auto", "external address:auto" },
	{ "[2001:db8::5]:9050 IPv6Traffic", "external address:9050" },
	{ "[::ffff:203.0.113.5]:9050", "external address:9050" },
	{ "home.example.org:9050", "external address:9050" },
	{ "localhost:9050", "127.0.0.1:9050" },
	{ "fe80::1%eth0:9050", "external address" },
	{ "203.0.113.5", "external address" },
	{ "", "external address" },
	{ "auto", "auto" },
	{ "0", "0" },
	{ "unix:/run/tor/x GroupWritable", "unix:/run/tor/x" },
	{ "unix:\"/run/a b\x1b\"", "unix:/run/a b\\x1b" },
};

START_TEST(place_is_told_unless_it_is_external)
{
	char text[POL_LISTENER_TEXT];

	privacy_where(text, sizeof text, &privacy, places[_i].line);
	ck_assert_str_eq(text, places[_i].told);
}
END_TEST

#define FP "0123456789ABCDEF0123456789ABCDEF01234567"
#define KEY "AAAAAAAA/BBBBBBBB+CCCCCCCCDDDDDDDDEEEEEEEEE"

static const struct {
	const char *said, *told;
} sentences[] = {
	{ "", "" },
	{ "Could not bind to 10.152.152.10:9050: Address already in use.",
	    "Could not bind to 10.152.152.10:9050: Address already in use." },
	{ "Could not bind to 203.0.113.5:9050: Address already in use.",
	    "Could not bind to [address]:9050: Address already in use." },
	{ "Could not bind to [2001:db8::5]:9050.",
	    "Could not bind to [[address]]:9050." },
	{ "Problem bootstrapping. Stuck at 10%: Connected to a relay. "
	    "(Connection refused; count 4; host $" FP "~Nick1 at "
	    "198.51.100.3:443)",
	    "Problem bootstrapping. Stuck at 10%: Connected to a relay. "
	    "(Connection refused; count 4; host $[identity] at "
	    "[address]:443)" },
	{ "ID=" FP "=nick ED=" KEY ", done", "ID=[identity] ED=[identity], "
	    "done" },
	{ "at 198.51.100.3.", "at [address]." },
	{ "peer:198.51.100.3,2001:db8::1.", "peer:[address],[address]." },
	{ "198.51.100.3", "[address]" },
	{ "[::ffff:198.51.100.3]", "[[address]]" },
	{ "fe80::1%eth0", "[address]%eth0" },
	{ "net 198.51.100.0/24", "net [address]/24" },
	{ "Tor 0.4.8.10 is old", "Tor 0.4.8.10 is old" },
	{ "at 12:34:56 of 7:8, 1.2.3 and dead.beef :: ::1 127.0.0.1",
	    "at 12:34:56 of 7:8, 1.2.3 and dead.beef :: ::1 127.0.0.1" },
	{ "file /var/lib/tor/some/rather/long/directory/cookie is gone",
	    "file /var/lib/tor/some/rather/long/directory/cookie is gone" },
	{ "of aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaad.onion",
	    "of [identity].onion" },
};

START_TEST(sentence_is_told_without_secrets)
{
	char text[192];

	ck_assert_str_eq(privacy_text(text, sizeof text, &privacy,
	    sentences[_i].said), sentences[_i].told);
}
END_TEST

/* Any cut ends the same text earlier, and nothing is written behind it. */
START_TEST(long_sentence_is_cut)
{
	static const char said[] = "on 203.0.113.5 and " FP " and so on";
	static const char told[] = "on [address] and [identity] and so on";
	char text[sizeof told + 1];

	for (size_t cap = 1; cap <= sizeof told; cap++) {
		memset(text, '#', sizeof text);
		privacy_text(text, cap, &privacy, said);
		ck_assert_uint_eq(strlen(text), cap - 1);
		ck_assert_int_eq(memcmp(text, told, cap - 1), 0);
		ck_assert_int_eq(text[cap], '#');
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("privacy");
	TCase *t = tcase_create("privacy");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, place_is_told_unless_it_is_external, 0,
	    sizeof places / sizeof places[0]);
	tcase_add_loop_test(t, sentence_is_told_without_secrets, 0,
	    sizeof sentences / sizeof sentences[0]);
	tcase_add_test(t, long_sentence_is_cut);
	suite_add_tcase(s, t);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
