#include "tests/unit/cputil.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "controlproto/cmd.h"

/* CMD must be LINE and its end; then it is cleared. */
static void
same(struct cp_cmd *cmd, const char *line)
{
	ck_assert_ptr_nonnull(cmd->line);
	ck_assert_uint_ge(cmd->len, 2);
	ck_str(((struct cp_str){ cmd->line, cmd->len - 2 }), line);
	ck_assert_mem_eq(cmd->line + cmd->len - 2, "\r\n", 2);
	cp_cmd_clear(cmd);
	ck_assert_ptr_null(cmd->line);
}

static void
refused(const struct cp_cmd *cmd, enum cp_err err)
{
	ck_assert_int_eq(err, CP_ERR_ARG);
	ck_assert_ptr_null(cmd->line);
	ck_assert_uint_eq(cmd->len, 0);
	ck_assert(!cmd->secret);
}

/* Garbage that a failing builder must not leave standing. */
static struct cp_cmd
dirty(void)
{
	static char junk[] = "junk";
	struct cp_cmd cmd = { junk, 4, true };

	return cmd;
}

START_TEST(fixed_commands_are_what_tor_expects)
{
	static const struct {
		enum cp_err (*build)(struct cp_cmd *);
		const char *line;
	} fixed[] = {
		{ cp_cmd_protocolinfo, "PROTOCOLINFO 1" },
		{ cp_cmd_newcircuit, "EXTENDCIRCUIT 0 purpose=general" },
		{ cp_cmd_quit, "QUIT" },
	};
	struct cp_cmd cmd = dirty();

	ck_assert_int_eq(fixed[_i].build(&cmd), CP_OK);
	ck_assert(!cmd.secret);
	same(&cmd, fixed[_i].line);
}
END_TEST

START_TEST(signals_are_sent_by_name)
{
	struct cp_cmd cmd;

	ck_assert_int_eq(cp_cmd_signal(&cmd, CP_SIGNAL_NEWNYM), CP_OK);
	same(&cmd, "SIGNAL NEWNYM");
	ck_assert_int_eq(cp_cmd_signal(&cmd, CP_SIGNAL_CLEARDNSCACHE), CP_OK);
	same(&cmd, "SIGNAL CLEARDNSCACHE");
	ck_assert_int_eq(cp_cmd_signal(&cmd, CP_SIGNAL_ACTIVE), CP_OK);
	same(&cmd, "SIGNAL ACTIVE");
	cmd = dirty();
	refused(&cmd, cp_cmd_signal(&cmd, CP_NSIGNAL));
}
END_TEST

START_TEST(a_stream_is_closed_by_its_number)
{
	struct cp_cmd cmd = dirty();

	ck_assert_int_eq(cp_cmd_closestream(&cmd, 7), CP_OK);
	ck_assert(!cmd.secret);
	same(&cmd, "CLOSESTREAM 7 1");
	ck_assert_int_eq(cp_cmd_closestream(&cmd, 0), CP_OK);
	same(&cmd, "CLOSESTREAM 0 1");
	ck_assert_int_eq(cp_cmd_closestream(&cmd, UINT64_MAX), CP_OK);
	same(&cmd, "CLOSESTREAM 18446744073709551615 1");
}
END_TEST

START_TEST(the_client_nonce_goes_out_as_hex)
{
	unsigned char nonce[32];
	struct cp_cmd cmd;
	size_t i;

	for (i = 0; i < sizeof nonce; i++)
		nonce[i] = (unsigned char)(0xf0 + i);
	ck_assert_int_eq(cp_cmd_authchallenge(&cmd, nonce), CP_OK);
	same(&cmd,
	    "AUTHCHALLENGE SAFECOOKIE "
	    "F0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF"
	    "000102030405060708090A0B0C0D0E0F");
}
END_TEST

START_TEST(a_credential_of_any_octets_goes_out_as_hex_and_secret)
{
	static const unsigned char password[] = "p\"\\\r\n\0\xff";
	struct cp_cmd cmd;

	ck_assert_int_eq(cp_cmd_authenticate(&cmd, password, 7), CP_OK);
	ck_assert(cmd.secret);
	same(&cmd, "AUTHENTICATE 70225C0D0A00FF");
	ck_assert(!cmd.secret);
	ck_assert_int_eq(cp_cmd_authenticate(&cmd, NULL, 0), CP_OK);
	ck_assert(cmd.secret);
	same(&cmd, "AUTHENTICATE");
}
END_TEST

START_TEST(an_overlong_credential_is_refused)
{
	/* AUTHENTICATE, a space, CRLF: the rest is hex. */
	size_t max = (CP_CMD_MAX - 15) / 2;
	unsigned char *cred = calloc(1, 2 * CP_CMD_MAX);
	struct cp_cmd cmd;

	ck_assert_ptr_nonnull(cred);
	ck_assert_int_eq(cp_cmd_authenticate(&cmd, cred, max), CP_OK);
	ck_assert_uint_le(cmd.len, CP_CMD_MAX);
	cp_cmd_clear(&cmd);
	refused(&cmd, cp_cmd_authenticate(&cmd, cred, max + 1));
	refused(&cmd, cp_cmd_authenticate(&cmd, cred, 2 * CP_CMD_MAX));
	refused(&cmd, cp_cmd_authenticate(&cmd, cred, SIZE_MAX));
	free(cred);
}
END_TEST

START_TEST(getinfo_asks_for_keys_in_order)
{
	static const char *const keys[] = { "net/listeners/socks", "version",
		"config/names", "a.b-c*_9" };
	struct cp_cmd cmd;

	ck_assert_int_eq(cp_cmd_getinfo(&cmd, keys, 4), CP_OK);
	same(&cmd, "GETINFO net/listeners/socks version config/names a.b-c*_9");
}
END_TEST

static const char *const bad_keys[] = { "", " ", "a b", "a\r", "a\n", "\n",
	"a\tb", "a\"", "a=b", "a+b", "\xc3\xa9", "a\x7f", "a;b", "a$" };

START_TEST(a_bad_getinfo_key_is_refused)
{
	const char *keys[] = { "version", bad_keys[_i], "uptime" };
	struct cp_cmd cmd = dirty();

	refused(&cmd, cp_cmd_getinfo(&cmd, keys, 3));
}
END_TEST

static const char *const bad_names[] = { "", " ", "9a", "a b", "a\r", "a\n",
	"a\r\nQUIT", "a=b", "a-b", "a.b", "a/b", "a\"b", "\xc3\xa9", "a%" };

START_TEST(a_bad_name_is_refused_wherever_it_stands)
{
	const char *names[] = { "SocksPort", bad_names[_i], "DNSPort" };
	struct cp_opt opts[] = { { "SocksPort", "1" }, { bad_names[_i], "2" },
		{ "DNSPort", "3" } };
	struct cp_opt bare = { bad_names[_i], NULL };
	struct cp_cmd cmd = dirty();

	refused(&cmd, cp_cmd_getconf(&cmd, names, 3));
	refused(&cmd, cp_cmd_getconf(&cmd, names + 1, 1));
	refused(&cmd, cp_cmd_setevents(&cmd, names, 3));
	refused(&cmd, cp_cmd_setconf(&cmd, opts, 3));
	refused(&cmd, cp_cmd_setconf(&cmd, &bare, 1));
}
END_TEST

START_TEST(names_may_have_underscores_and_digits)
{
	static const char *const names[] = { "__SocksPort", "_", "A9z",
		"DisableNetwork" };
	struct cp_cmd cmd;

	ck_assert_int_eq(cp_cmd_getconf(&cmd, names, 4), CP_OK);
	same(&cmd, "GETCONF __SocksPort _ A9z DisableNetwork");
	ck_assert_int_eq(cp_cmd_setevents(&cmd, names + 2, 1), CP_OK);
	same(&cmd, "SETEVENTS A9z");
}
END_TEST

START_TEST(an_empty_question_is_refused_but_no_events_are_not)
{
	struct cp_cmd cmd = dirty();

	refused(&cmd, cp_cmd_getinfo(&cmd, NULL, 0));
	refused(&cmd, cp_cmd_getconf(&cmd, NULL, 0));
	refused(&cmd, cp_cmd_setconf(&cmd, NULL, 0));
	ck_assert_int_eq(cp_cmd_setevents(&cmd, NULL, 0), CP_OK);
	same(&cmd, "SETEVENTS");
}
END_TEST

START_TEST(setconf_quotes_every_value)
{
	static const struct cp_opt opts[] = {
		{ "SocksPort", "127.0.0.1:9050 IsolateDestAddr" },
		{ "SocksPort", "unix:\"/run/a b\"" },
		{ "ContactInfo", "\\ %s\t\xc3\xa9" },
		{ "Nickname", "" },
		{ "DNSPort", NULL },
	};
	struct cp_cmd cmd;

	ck_assert_int_eq(cp_cmd_setconf(&cmd, opts, 5), CP_OK);
	ck_assert(!cmd.secret);
	same(&cmd,
	    "SETCONF SocksPort=\"127.0.0.1:9050 IsolateDestAddr\""
	    " SocksPort=\"unix:\\\"/run/a b\\\"\""
	    " ContactInfo=\"\\\\ %s\\t\\303\\251\" Nickname=\"\" DNSPort");
}
END_TEST

START_TEST(a_line_end_in_a_value_is_refused)
{
	static const char *const values[] = { "\r", "\n", "9050\r\nQUIT",
		"9050\n" };
	struct cp_opt opts[] = { { "SocksPort", values[_i] },
		{ "DNSPort", "53" } };
	struct cp_cmd cmd = dirty();

	refused(&cmd, cp_cmd_setconf(&cmd, opts, 2));
}
END_TEST

static char *
string_of(char c, size_t n)
{
	char *s = malloc(n + 1);

	ck_assert_ptr_nonnull(s);
	memset(s, c, n);
	s[n] = '\0';
	return s;
}

START_TEST(a_command_may_be_as_long_as_tor_reads_and_no_longer)
{
	/* SETCONF, a space, A, =, two quotes, CRLF. */
	size_t max = CP_CMD_MAX - 14;
	char *value = string_of('a', max + 1);
	struct cp_opt opt = { "A", value };
	struct cp_cmd cmd;

	refused(&cmd, cp_cmd_setconf(&cmd, &opt, 1));
	value[max] = '\0';
	ck_assert_int_eq(cp_cmd_setconf(&cmd, &opt, 1), CP_OK);
	ck_assert_uint_eq(cmd.len, CP_CMD_MAX);
	cp_cmd_clear(&cmd);
	free(value);
}
END_TEST

START_TEST(escapes_count_towards_the_length)
{
	char *value = string_of('\x01', CP_CMD_MAX / 4);
	struct cp_opt opts[] = { { "A", value }, { "B", "1" } };
	struct cp_cmd cmd;

	refused(&cmd, cp_cmd_setconf(&cmd, opts, 2));
	free(value);
	value = string_of('\x01', CP_CMD_MAX);
	opts[0].value = value;
	refused(&cmd, cp_cmd_setconf(&cmd, opts, 2));
	opts[0].value = "1";
	opts[0].name = value;
	refused(&cmd, cp_cmd_setconf(&cmd, opts, 2));
	free(value);
}
END_TEST

START_TEST(many_words_are_bounded_too)
{
	enum { N = 1000 };
	char *name = string_of('a', 4096);
	char *huge = string_of('a', 5 * CP_CMD_MAX);
	const char *names[N];
	struct cp_cmd cmd;
	int i;

	for (i = 0; i < N; i++)
		names[i] = name;
	refused(&cmd, cp_cmd_getconf(&cmd, names, N));
	ck_assert_int_eq(cp_cmd_getconf(&cmd, names, 200), CP_OK);
	ck_assert_uint_eq(cmd.len, 7 + 200 * 4097 + 2);
	cp_cmd_clear(&cmd);
	names[0] = huge;
	refused(&cmd, cp_cmd_getinfo(&cmd, names, 1));
	free(name);
	free(huge);
}
END_TEST

START_TEST(no_memory_leaves_nothing)
{
	static const struct cp_opt opt = { "SocksPort", "9050" };
	char *value = string_of('a', 4096);
	struct cp_opt big = { "A", value };
	struct cp_cmd cmd = dirty();

	cputil_fail_alloc(1);
	ck_assert_int_eq(cp_cmd_quit(&cmd), CP_ERR_NOMEM);
	ck_assert_ptr_null(cmd.line);
	cputil_fail_alloc(1);
	ck_assert_int_eq(cp_cmd_setconf(&cmd, &opt, 1), CP_ERR_NOMEM);
	ck_assert_ptr_null(cmd.line);
	/* The second one: a line has begun already. */
	cputil_fail_alloc(2);
	ck_assert_int_eq(cp_cmd_setconf(&cmd, &big, 1), CP_ERR_NOMEM);
	ck_assert_ptr_null(cmd.line);
	free(value);
}
END_TEST

START_TEST(an_empty_command_may_be_cleared)
{
	struct cp_cmd cmd = { NULL, 0, false };

	cp_cmd_clear(&cmd);
	cp_cmd_clear(&cmd);
	ck_assert_ptr_null(cmd.line);
}
END_TEST

static Suite *
cmd_suite(void)
{
	Suite *s = suite_create("cmd");
	TCase *tc = tcase_create("builders");

	tcase_add_loop_test(tc, fixed_commands_are_what_tor_expects, 0, 3);
	tcase_add_test(tc, signals_are_sent_by_name);
	tcase_add_test(tc, a_stream_is_closed_by_its_number);
	tcase_add_test(tc, the_client_nonce_goes_out_as_hex);
	tcase_add_test(
	    tc, a_credential_of_any_octets_goes_out_as_hex_and_secret);
	tcase_add_test(tc, an_overlong_credential_is_refused);
	tcase_add_test(tc, getinfo_asks_for_keys_in_order);
	tcase_add_loop_test(
	    tc, a_bad_getinfo_key_is_refused, 0, NELEM(bad_keys));
	tcase_add_loop_test(
	    tc, a_bad_name_is_refused_wherever_it_stands, 0, NELEM(bad_names));
	tcase_add_test(tc, names_may_have_underscores_and_digits);
	tcase_add_test(tc, an_empty_question_is_refused_but_no_events_are_not);
	tcase_add_test(tc, setconf_quotes_every_value);
	tcase_add_loop_test(tc, a_line_end_in_a_value_is_refused, 0, 4);
	tcase_add_test(tc, a_command_may_be_as_long_as_tor_reads_and_no_longer);
	tcase_add_test(tc, escapes_count_towards_the_length);
	tcase_add_test(tc, many_words_are_bounded_too);
	tcase_add_test(tc, no_memory_leaves_nothing);
	tcase_add_test(tc, an_empty_command_may_be_cleared);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return cputil_run(cmd_suite());
}
