#include "tests/unit/cputil.h"

#include <string.h>

START_TEST(a_reply_knows_its_class)
{
	static const struct {
		const char *wire;
		unsigned code;
		bool ok, async;
	} classes[] = {
		{ "250 OK\r\n", 250, true, false },
		{ "251 Nothing to do\r\n", 251, true, false },
		{ "451 Out of memory\r\n", 451, false, false },
		{ "515 Authentication failed\r\n", 515, false, false },
		{ "650 SIGNAL RELOAD\r\n", 650, false, true },
		{ "699 LATER\r\n", 699, false, true },
		{ "099 x\r\n", 99, false, false },
		{ "999 x\r\n", 999, false, false },
	};
	struct cp_reply *reply = cputil_reply(classes[_i].wire);

	ck_assert_uint_eq(cp_reply_code(reply), classes[_i].code);
	ck_assert_int_eq(cp_reply_is_ok(reply), classes[_i].ok);
	ck_assert_int_eq(cp_reply_is_async(reply), classes[_i].async);
	ck_assert_uint_eq(cp_reply_nlines(reply), 1);
	cp_reply_free(reply);
}
END_TEST

START_TEST(beyond_the_last_line_there_is_nothing)
{
	struct cp_reply *reply = cputil_reply("250+a=\r\nx\r\n.\r\n250 OK\r\n");
	struct cp_str data;

	ck_assert_uint_eq(cp_reply_nlines(reply), 2);
	ck_str(cp_reply_text(reply, 1), "OK");
	ck_assert(cp_reply_data(reply, 0, &data));
	ck_str(data, "x");
	ck_assert(!cp_reply_data(reply, 1, &data));
	ck_str(data, "");
	ck_str(cp_reply_text(reply, 2), "");
	ck_assert(!cp_reply_data(reply, 2, &data));
	ck_str(data, "");
	cp_reply_free(reply);
	cp_reply_free(NULL);
}
END_TEST

struct getinfo {
	const char *wire;
	const char *keys[3];
	const char *want[3];
	enum cp_err err;
};

/* clang-format off */
static const struct getinfo getinfos[] = {
	{ "250-version=0.4.9.11\r\n250 OK\r\n", { "version" },
	    { "0.4.9.11" }, CP_OK },
	{ "250-a=\r\n250 OK\r\n", { "a" }, { "" }, CP_OK },
	{ "250-a=b=c\r\n250 OK\r\n", { "a" }, { "b=c" }, CP_OK },
	{ "250-a=\"raw\\n\"\r\n250 OK\r\n", { "a" }, { "\"raw\\n\"" }, CP_OK },
	/* One circuit comes on the line, two as data. */
	{ "250-circuit-status=1 BUILT\r\n250 OK\r\n", { "circuit-status" },
	    { "1 BUILT" }, CP_OK },
	{ "250+circuit-status=\r\n1 BUILT\r\n2 BUILT\r\n.\r\n250 OK\r\n",
	    { "circuit-status" }, { "1 BUILT\n2 BUILT" }, CP_OK },
	{ "250+a=\r\n.\r\n250 OK\r\n", { "a" }, { "" }, CP_OK },
	{ "250-a=1\r\n250+b=\r\n2\r\n.\r\n250-c=3\r\n250 OK\r\n",
	    { "a", "b", "c" }, { "1", "2", "3" }, CP_OK },
	{ "250-a=1\r\n250-a=1\r\n250 OK\r\n", { "a", "a" }, { "1", "1" },
	    CP_OK },
	{ "250 OK\r\n", { NULL }, { NULL }, CP_OK },

	{ "552 Unrecognized key \"a\"\r\n", { "a" }, { NULL },
	    CP_ERR_REFUSED },
	{ "551 Address unknown\r\n", { "a" }, { NULL }, CP_ERR_REFUSED },
	{ "552-Unrecognized key \"a\"\r\n552 Unrecognized key \"b\"\r\n",
	    { "a", "b" }, { NULL }, CP_ERR_REFUSED },
	{ "650-a=1\r\n650 OK\r\n", { "a" }, { NULL }, CP_ERR_REFUSED },
	{ "250 OK\r\n", { "a" }, { NULL }, CP_ERR_KEY },
	{ "250-a=1\r\n250 OK\r\n", { "a", "b" }, { NULL }, CP_ERR_KEY },
	{ "250-a=1\r\n250-b=2\r\n250 OK\r\n", { "a" }, { NULL }, CP_ERR_KEY },
	{ "250-a=1\r\n250-a=2\r\n250 OK\r\n", { "a" }, { NULL }, CP_ERR_KEY },
	{ "250-a=1\r\n250-a=2\r\n250 OK\r\n", { "a", "b" }, { NULL },
	    CP_ERR_KEY },
	{ "250-b=2\r\n250-a=1\r\n250 OK\r\n", { "a", "b" }, { NULL },
	    CP_ERR_KEY },
	{ "250-A=1\r\n250 OK\r\n", { "a" }, { NULL }, CP_ERR_KEY },
	{ "250-ab=1\r\n250 OK\r\n", { "a" }, { NULL }, CP_ERR_KEY },
	{ "250-a\r\n250 OK\r\n", { "a" }, { NULL }, CP_ERR_KEY },
	{ "250-a=1\r\n250 Done\r\n", { "a" }, { NULL }, CP_ERR_KEY },
	{ "250-a=1\r\n250 b=2\r\n", { "a" }, { NULL }, CP_ERR_KEY },
	{ "250 a=1\r\n", { "a" }, { NULL }, CP_ERR_KEY },
	{ "250-=1\r\n250 OK\r\n", { "a" }, { NULL }, CP_ERR_SYNTAX },
	{ "250-\r\n250 OK\r\n", { "a" }, { NULL }, CP_ERR_SYNTAX },
	{ "250+a=1\r\n2\r\n.\r\n250 OK\r\n", { "a" }, { NULL },
	    CP_ERR_SYNTAX },
	{ "250+a\r\n2\r\n.\r\n250 OK\r\n", { "a" }, { NULL }, CP_ERR_SYNTAX },
};
/* clang-format on */

START_TEST(getinfo_gives_exactly_what_was_asked)
{
	const struct getinfo *g = &getinfos[_i];
	struct cp_reply *reply = cputil_reply(g->wire);
	struct cp_str out[3];
	size_t i, n = 0;

	while (n < 3 && g->keys[n] != NULL)
		n++;
	ck_assert_int_eq(cp_reply_getinfo(reply, out, g->keys, n), g->err);
	for (i = 0; i < n && g->err == CP_OK; i++)
		ck_str(out[i], g->want[i]);
	cp_reply_free(reply);
}
END_TEST

struct confline {
	const char *key;
	const char *value; /* NULL: none */
};

struct getconf {
	const char *wire;
	size_t n;
	struct confline want[4];
};

/* clang-format off */
static const struct getconf getconfs[] = {
	/* As Tor 0.4.9.11 sends them. */
	{ "250-SocksPort=0\r\n250-ControlSocket=/run/tor/control\r\n"
	  "250 ContactInfo\r\n", 3,
	    { { "SocksPort", "0" }, { "ControlSocket", "/run/tor/control" },
	    { "ContactInfo", NULL } } },
	{ "250 ContactInfo=\"a\\\"b\\001\\t\"\r\n", 1,
	    { { "ContactInfo", "\"a\\\"b\\001\\t\"" } } },
	{ "250 OK\r\n", 0, { { NULL, NULL } } },
	{ "250 Nickname=\r\n", 1, { { "Nickname", "" } } },
	{ "250 Bridge=obfs4 192.0.2.1:1 cert=a=b\r\n", 1,
	    { { "Bridge", "obfs4 192.0.2.1:1 cert=a=b" } } },
	{ "250-SocksPort=1\r\n250 SocksPort=2\r\n", 2,
	    { { "SocksPort", "1" }, { "SocksPort", "2" } } },
	{ "250-SocksPort=1\r\n250 OK\r\n", 1, { { "SocksPort", "1" } } },
	{ "250+A=\r\nx\r\ny\r\n.\r\n250 B=\r\n", 2,
	    { { "A", "x\ny" }, { "B", "" } } },
	{ "650-CONF_CHANGED\r\n650-ContactInfo=\"x#y\\nz\"\r\n"
	  "650-SocksPortLines\r\n650 OK\r\n", 2,
	    { { "ContactInfo", "\"x#y\\nz\"" }, { "SocksPortLines", NULL } } },
	{ "650-CONF_CHANGED\r\n650 OK\r\n", 0, { { NULL, NULL } } },
	{ "650 CONF_CHANGED\r\n", 0, { { NULL, NULL } } },
	{ "650-CONF_CHANGED\r\n650 Nickname=x\r\n", 1,
	    { { "Nickname", "x" } } },
};
/* clang-format on */

START_TEST(options_are_read_from_replies_and_events)
{
	const struct getconf *g = &getconfs[_i];
	struct cp_reply *reply = cputil_reply(g->wire);
	struct cp_conf conf;
	size_t i;

	ck_assert_uint_eq(cp_reply_nconf(reply), g->n);
	for (i = 0; i < g->n; i++) {
		ck_assert_int_eq(cp_reply_conf(reply, &conf, i), CP_OK);
		ck_str(conf.key, g->want[i].key);
		ck_assert_int_eq(conf.has_value, g->want[i].value != NULL);
		ck_str(conf.value,
		    g->want[i].value != NULL ? g->want[i].value : "");
	}
	ck_assert_int_eq(cp_reply_conf(reply, &conf, g->n), CP_ERR_ARG);
	ck_assert(!conf.has_value);
	cp_reply_free(reply);
}
END_TEST

START_TEST(a_refused_getconf_has_no_options)
{
	struct cp_reply *reply =
	    cputil_reply("552 Unrecognized configuration key \"x=y\"\r\n");
	struct cp_conf conf;

	ck_assert_uint_eq(cp_reply_nconf(reply), 0);
	ck_assert_int_eq(cp_reply_conf(reply, &conf, 0), CP_ERR_REFUSED);
	ck_str(conf.key, "");
	cp_reply_free(reply);
}
END_TEST

START_TEST(an_option_line_without_a_name_is_refused)
{
	struct cp_reply *reply = cputil_reply("250-=1\r\n250 A=2\r\n");
	struct cp_conf conf;

	ck_assert_int_eq(cp_reply_conf(reply, &conf, 0), CP_ERR_SYNTAX);
	ck_assert_int_eq(cp_reply_conf(reply, &conf, 1), CP_OK);
	cp_reply_free(reply);
}
END_TEST

struct value {
	struct cp_str raw;
	const char *want;
	enum cp_err err;
};

static const struct value values[] = {
	{ LIT(""), "", CP_OK },
	{ LIT("127.0.0.1:9050"), "127.0.0.1:9050", CP_OK },
	/* No leading quote: nothing in it is an escape. */
	{ LIT("x\"q\" \\ z"), "x\"q\" \\ z", CP_OK },
	{ LIT("\"x#y\\nz\""), "x#y\nz", CP_OK },
	{ LIT("\"\\\"q\\\"\""), "\"q\"", CP_OK },
	{ LIT("\"\""), "", CP_OK },
	{ LIT("0123456789abcde"), "0123456789abcde", CP_OK },
	{ LIT("\"0123456789abcde\""), "0123456789abcde", CP_OK },
	{ LIT("0123456789abcdef"), NULL, CP_ERR_LIMIT },
	{ LIT("\"0123456789abcdef\""), NULL, CP_ERR_LIMIT },
	{ LIT("\"a\" b"), NULL, CP_ERR_SYNTAX },
	{ LIT("\"a"), NULL, CP_ERR_SYNTAX },
	{ LIT("\"a\\0b\""), NULL, CP_ERR_SYNTAX },
	{ LIT("a\0b"), NULL, CP_ERR_SYNTAX },
};

START_TEST(a_leading_quote_alone_makes_a_value_a_cstring)
{
	const struct value *v = &values[_i];
	struct cp_conf conf = { .value = v->raw, .has_value = true };
	char dst[16];

	ck_assert_int_eq(cp_conf_value(dst, sizeof dst, &conf), v->err);
	if (v->err == CP_OK)
		ck_assert_str_eq(dst, v->want);
}
END_TEST

START_TEST(no_room_at_all_is_a_limit)
{
	struct cp_conf conf = { .value = cp_str_of("\"\"") };
	struct cp_str rest = conf.value;
	char dst[1];

	ck_assert_int_eq(cp_conf_value(dst, 0, &conf), CP_ERR_LIMIT);
	ck_assert_int_eq(cp_listeners_next(dst, 0, &rest), -1);
	rest = cp_str_of("::1:9");
	ck_assert_int_eq(cp_listeners_next(dst, 0, &rest), -1);
	conf.value.n = 0;
	ck_assert_int_eq(cp_conf_value(dst, 0, &conf), CP_ERR_LIMIT);
	ck_assert_int_eq(cp_conf_value(dst, 1, &conf), CP_OK);
}
END_TEST

struct listeners {
	const char *value;
	const char *want[4]; /* then the end, or... */
	int last;	     /* ...-1 */
};

static const struct listeners lists[] = {
	{ "", { NULL }, 0 },
	{ "\"127.0.0.1:9050\"", { "127.0.0.1:9050" }, 0 },
	{ "\"127.0.0.1:9050\" \"[::1]:9050\" \"unix:/p a th\"",
	    { "127.0.0.1:9050", "[::1]:9050", "unix:/p a th" }, 0 },
	{ "\"unix:/a\\\"b\\\\c\\303\\251\"", { "unix:/a\"b\\c\303\251" }, 0 },
	/* What Tor prints when it does not know. */
	{ "unknown", { NULL }, -1 },
	{ ":9050", { NULL }, -1 },
	{ "127.0.0.1:", { NULL }, -1 },
	{ "127.0.0.1:9050 ", { NULL }, -1 },
	{ "127.0.0.1:9050\"a\"", { NULL }, -1 },
	{ "unix:9050", { NULL }, -1 },
	{ "/run/s", { NULL }, -1 },
	{ "/:", { NULL }, -1 },
	{ "/p a th:0", { NULL }, -1 },
	{ "/p\"a\":0", { NULL }, -1 },
	{ "/p\303\251:0", { NULL }, -1 },
	{ "1234567:1234567:1234567:12345678", { NULL }, -1 },
	{ "\"a\" b", { "a" }, -1 },
	{ "\"a\"  \"b\"", { "a" }, -1 },
	{ "\"a\"\"b\"", { NULL }, -1 },
	{ "\"a\" ", { NULL }, -1 },
	{ " \"a\"", { NULL }, -1 },
	{ "\"a", { NULL }, -1 },
	{ "\"\"", { NULL }, -1 },
	{ "\"a\\0b\"", { NULL }, -1 },
	{ "\"0123456789012345678901234567890123456789\"", { NULL }, -1 },
};

START_TEST(listeners_are_walked_to_the_end_or_to_the_first_doubt)
{
	const struct listeners *l = &lists[_i];
	struct cp_str rest = cp_str_of(l->value);
	char dst[32];
	int i;

	for (i = 0; l->want[i] != NULL; i++) {
		ck_assert_int_eq(cp_listeners_next(dst, sizeof dst, &rest), 1);
		ck_assert_str_eq(dst, l->want[i]);
	}
	/* And it stays that way. */
	ck_assert_int_eq(cp_listeners_next(dst, sizeof dst, &rest), l->last);
	ck_assert_int_eq(cp_listeners_next(dst, sizeof dst, &rest), l->last);
}
END_TEST

/* A listener's socket that was closed under Tor. */
START_TEST(a_lost_socket_is_told_apart)
{
	struct cp_str rest = cp_str_of("\"[::1]:1\" fd19::c33d:9050 10.0.0.1:1"
	    " /run/s-1:0 \"a\"");
	char dst[32];

	ck_assert_int_eq(cp_listeners_next(dst, sizeof dst, &rest), 1);
	ck_assert_int_eq(cp_listeners_next(dst, sizeof dst, &rest), 2);
	ck_assert_str_eq(dst, "fd19::c33d:9050");
	ck_assert_int_eq(cp_listeners_next(dst, sizeof dst, &rest), 2);
	ck_assert_str_eq(dst, "10.0.0.1:1");
	ck_assert_int_eq(cp_listeners_next(dst, sizeof dst, &rest), 2);
	ck_assert_str_eq(dst, "/run/s-1:0");
	ck_assert_int_eq(cp_listeners_next(dst, sizeof dst, &rest), 1);
	ck_assert_str_eq(dst, "a");
	ck_assert_int_eq(cp_listeners_next(dst, sizeof dst, &rest), 0);
}
END_TEST

static Suite *
reply_suite(void)
{
	Suite *s = suite_create("reply");
	TCase *tc = tcase_create("reply");

	tcase_add_loop_test(tc, a_reply_knows_its_class, 0, 8);
	tcase_add_test(tc, beyond_the_last_line_there_is_nothing);
	tcase_add_loop_test(
	    tc, getinfo_gives_exactly_what_was_asked, 0, NELEM(getinfos));
	tcase_add_loop_test(
	    tc, options_are_read_from_replies_and_events, 0, NELEM(getconfs));
	tcase_add_test(tc, a_refused_getconf_has_no_options);
	tcase_add_test(tc, an_option_line_without_a_name_is_refused);
	tcase_add_loop_test(tc, a_leading_quote_alone_makes_a_value_a_cstring,
	    0, NELEM(values));
	tcase_add_test(tc, no_room_at_all_is_a_limit);
	tcase_add_test(tc, a_lost_socket_is_told_apart);
	tcase_add_loop_test(tc,
	    listeners_are_walked_to_the_end_or_to_the_first_doubt, 0,
	    NELEM(lists));
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return cputil_run(reply_suite());
}
