/* A torrc as Tor reads it: which option stands in which line. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/torrc.h"

/* "LINE OPTION PATH," for each line of ours; "LINE bad" where Tor stops. */
static const struct {
	const char *text, *want;
} cases[] = {
	{ "", "" },
	{ "\n # UseBridges 1\n\t\n", "" },
	{ "SocksPort 9050\nUseBridges 1", "2 UseBridges," },
	{ "usebridges 1\n  BRIDGE x\n", "1 UseBridges,2 Bridge," },
	{ "+Bridge x\n/ClientTransportPlugin\n",
	    "1 Bridge,2 ClientTransportPlugin," },
	/* Beginnings of words; the shortest name that begins so. */
	{ "HTTPSProx x\nUse 1\nSocks5ProxyU x\n",
	    "1 HTTPSProxy,2 UseBridges,3 Socks5ProxyUsername," },
	{ "UseBridgesX 1\nBridgeRelay 1\nHTTPProxy x\n", "" },
	{ "Bridge\nBridge#x\nBridge\\\n x\n", "1 Bridge,2 Bridge,3 Bridge," },
	/* What goes on is one line, and comments are inside of it. */
	{ "Log a \\\nBridge x\nBridge y", "3 Bridge," },
	{ "Log a \\\n# c \n Bridge x\nBridge y", "4 Bridge," },
	{ "Log a # \\\nBridge y", "2 Bridge," },
	{ "Log a \\ \nBridge y", "2 Bridge," },
	/* Quotes. */
	{ "Log \"a\\\"\\x41 # \" # c\nBridge y", "2 Bridge," },
	{ "Log \"a\nBridge y\"", "1 bad" },
	{ "Log \"a\\\nBridge y\"", "1 bad" },
	{ "Bridge x\nLog \"a\" b\n", "1 Bridge,2 bad" },
	{ "Log a\"b\nBridge x", "2 Bridge," },
	/* Other ends of lines. */
	{ "Log a\r\nBridge x\r\n", "2 Bridge," },
	{ "Log a\rBridge x", "" },
	/* Includes. */
	{ "%include /a/*.conf # all\n", "1 %include /a/*.conf," },
	{ "%include\t\"/a b\\\\c\"\r\n", "1 %include /a b\\c," },
	{ "%include /a \\\n/b", "1 %include /a /b," },
	{ "%include\n", "1 bad" },
	{ "%include \"\"", "1 bad" },
	{ "%include \"/\\x41\"", "1 bad" },
	{ "%include /\x01", "1 bad" },
	{ "%INCLUDE /a\n+%include /a\n", "" },
};

static void
read_all(char *out, size_t cap, const char *text, size_t len)
{
	struct pol_torrc_line line;
	struct pol_torrc t;
	size_t n = 0;
	int rc;

	out[0] = '\0';
	pol_torrc_init(&t, text, len);
	while ((rc = pol_torrc_next(&t, &line)) == 1) {
		if (line.option == POL_TORRC_OTHER)
			continue;
		n += (size_t)snprintf(out + n, cap - n, "%zu %s%s%s,",
		    line.line, pol_torrc_name(line.option),
		    line.path[0] != '\0' ? " " : "", line.path);
		ck_assert_uint_lt(n, cap);
	}
	if (rc == -1)
		(void)snprintf(out + n, cap - n, "%zu bad", line.line);
}

START_TEST(options_are_found_in_their_lines)
{
	char out[512];

	read_all(out, sizeof out, cases[_i].text, strlen(cases[_i].text));
	ck_assert_msg(strcmp(out, cases[_i].want) == 0, "%s\nis: %s",
	    cases[_i].text, out);
}
END_TEST

START_TEST(a_nul_is_the_end)
{
	static const char text[] = "Bridge x\n\0UseBridges 1\n";
	char out[64];

	read_all(out, sizeof out, text, sizeof text - 1);
	ck_assert_str_eq(out, "1 Bridge,");
}
END_TEST

START_TEST(a_path_has_an_end)
{
	char text[POL_TORRC_PATH + 32] = "%include /", out[2 * sizeof text];

	memset(text + 10, 'x', POL_TORRC_PATH - 2);
	text[10 + POL_TORRC_PATH - 2] = '\0';
	read_all(out, sizeof out, text, strlen(text));
	ck_assert_uint_eq(strlen(out), strlen("1 %include ,") +
	    POL_TORRC_PATH - 1);
	strcat(text, "x");
	read_all(out, sizeof out, text, strlen(text));
	ck_assert_str_eq(out, "1 bad");
}
END_TEST

START_TEST(names_are_there_and_back)
{
	for (unsigned o = 0; o < POL_TORRC_NUPLINK; o++) {
		const char *name = pol_torrc_name((enum pol_torrc_option)o);

		ck_assert_uint_eq(pol_torrc_find(name, strlen(name)), o);
		ck_assert_uint_eq(pol_torrc_find(name, strlen(name) - 1),
		    POL_TORRC_OTHER);
	}
	ck_assert_str_eq(pol_torrc_name(POL_NTORRC), "");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("torrc");
	TCase *tc = tcase_create("torrc");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, options_are_found_in_their_lines, 0,
	    (int)(sizeof cases / sizeof cases[0]));
	tcase_add_test(tc, a_nul_is_the_end);
	tcase_add_test(tc, a_path_has_an_end);
	tcase_add_test(tc, names_are_there_and_back);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
