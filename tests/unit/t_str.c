#include "tests/unit/cputil.h"

#include <string.h>

#include "controlproto/lex.h"
#include "controlproto/str.h"

struct decoding {
	const char *in;
	const char *want;
	const char *rest;
	enum cp_err err;
};

/* clang-format off */
static const struct decoding decodings[] = {
	{ "\"\"", "", "", CP_OK },
	{ "\"abc\" more", "abc", " more", CP_OK },
	{ "\"a b\"\"c\"", "a b", "\"c\"", CP_OK },
	{ "\"\\\"\\\\\\'\"", "\"\\'", "", CP_OK },
	{ "\"\\n\\r\\t\"", "\n\r\t", "", CP_OK },
	{ "\"\\a\\x41\\q\"", "ax41q", "", CP_OK }, /* the octet itself */
	{ "\"\\1\\12\\101\"", "\1\nA", "", CP_OK },
	{ "\"\\1018\"", "A8", "", CP_OK },    /* three digits at most */
	{ "\"\\18\\81\"", "\001881", "", CP_OK }, /* 8 is no octal digit */
	{ "\"\\377\\303\\251\"", "\377\303\251", "", CP_OK },
	{ "\"\xc3\xa9\r\"", "\xc3\xa9\r", "", CP_OK }, /* raw ones too */
	{ "", "", "", CP_ERR_SYNTAX },
	{ "abc", "", "", CP_ERR_SYNTAX },
	{ " \"abc\"", "", "", CP_ERR_SYNTAX },
	{ "\"", "", "", CP_ERR_SYNTAX },
	{ "\"abc", "", "", CP_ERR_SYNTAX },
	{ "\"abc\\", "", "", CP_ERR_SYNTAX },
	{ "\"abc\\\"", "", "", CP_ERR_SYNTAX },
	{ "\"\\12", "", "", CP_ERR_SYNTAX },
	{ "\"\\400\"", "", "", CP_ERR_SYNTAX },
	{ "\"\\777\"", "", "", CP_ERR_SYNTAX },
};
/* clang-format on */

START_TEST(a_cstring_from_tor_is_decoded)
{
	const struct decoding *d = &decodings[_i];
	struct cp_str rest = { NULL, 0 };
	char dst[64];
	size_t len = 0;

	ck_assert_int_eq(
	    cp_cstring_decode(dst, sizeof dst, &len, &rest, cp_str_of(d->in)),
	    d->err);
	if (d->err != CP_OK)
		return;
	ck_str(((struct cp_str){ dst, len }), d->want);
	ck_str(rest, d->rest);
}
END_TEST

START_TEST(a_decoded_cstring_may_hold_a_nul)
{
	struct cp_str rest;
	char dst[8];
	size_t len;

	ck_assert_int_eq(cp_cstring_decode(dst, sizeof dst, &len, &rest,
			     cp_str_of("\"a\\0b\"")),
	    CP_OK);
	ck_assert_uint_eq(len, 3);
	ck_assert_mem_eq(dst, "a\0b", 3);
}
END_TEST

START_TEST(a_cstring_that_does_not_fit_is_refused)
{
	struct cp_str rest;
	char dst[4];
	size_t len;

	ck_assert_int_eq(
	    cp_cstring_decode(dst, 3, &len, &rest, cp_str_of("\"abc\"")),
	    CP_OK);
	ck_assert_int_eq(
	    cp_cstring_decode(dst, 2, &len, &rest, cp_str_of("\"abc\"")),
	    CP_ERR_LIMIT);
	ck_assert_int_eq(
	    cp_cstring_decode(dst, 0, &len, &rest, cp_str_of("\"\"")), CP_OK);
	/* Nonsense is nonsense however long it is. */
	ck_assert_int_eq(
	    cp_cstring_decode(dst, 2, &len, &rest, cp_str_of("\"abc")),
	    CP_ERR_SYNTAX);
}
END_TEST

struct encoding {
	const char *in;
	const char *want; /* NULL: refused */
};

static const struct encoding cstrings[] = {
	{ "", "\"\"" },
	{ "127.0.0.1:9050 IsolateDestAddr",
	    "\"127.0.0.1:9050 IsolateDestAddr\"" },
	{ "say \"hi\" \\ there", "\"say \\\"hi\\\" \\\\ there\"" },
	{ "a\r\nb\tc", "\"a\\r\\nb\\tc\"" },
	{ "\001\037\177", "\"\\001\\037\\177\"" },
	{ "\303\251\377", "\"\\303\\251\\377\"" },
	{ " ~", "\" ~\"" },
	{ "%s#'", "\"%s#'\"" },
};

START_TEST(a_value_is_encoded_for_the_strict_reader)
{
	const struct encoding *e = &cstrings[_i];
	char dst[64];
	size_t len;

	ck_assert_int_eq(
	    cp_cstring_encode(dst, sizeof dst, &len, cp_str_of(e->in)), CP_OK);
	ck_assert_str_eq(dst, e->want);
	ck_assert_uint_eq(len, strlen(e->want));
}
END_TEST

START_TEST(the_promised_size_always_suffices)
{
	char in[256], dst[sizeof in * 4 + 3];
	size_t len, i;

	for (i = 0; i < sizeof in; i++)
		in[i] = (char)(i == 0 ? 0xff : i);
	ck_assert_int_eq(cp_cstring_encode(dst, sizeof dst, &len,
			     (struct cp_str){ in, sizeof in }),
	    CP_OK);
	memset(in, 0x80, sizeof in);
	ck_assert_int_eq(cp_cstring_encode(dst, sizeof dst, &len,
			     (struct cp_str){ in, sizeof in }),
	    CP_OK);
	ck_assert_uint_eq(len, sizeof dst - 1);
	ck_assert_int_eq(cp_cstring_encode(dst, sizeof dst - 1, &len,
			     (struct cp_str){ in, sizeof in }),
	    CP_ERR_LIMIT);
	ck_assert_int_eq(
	    cp_cstring_encode(dst, 0, &len, (struct cp_str){ in, 0 }),
	    CP_ERR_LIMIT);
}
END_TEST

START_TEST(what_is_encoded_decodes_to_itself)
{
	char in[200], text[sizeof in * 4 + 3], out[sizeof in];
	size_t n, i, ntext, nout;
	struct cp_str rest;
	int round;

	for (round = 0; round < 2000; round++) {
		n = (size_t)(cputil_random() % sizeof in);
		for (i = 0; i < n; i++)
			in[i] = (char)(cputil_random() % 255 + 1);
		ck_assert_int_eq(cp_cstring_encode(text, sizeof text, &ntext,
				     (struct cp_str){ in, n }),
		    CP_OK);
		ck_assert_int_eq(cp_cstring_decode(out, sizeof out, &nout,
				     &rest, (struct cp_str){ text, ntext }),
		    CP_OK);
		ck_span(
		    ((struct cp_str){ out, nout }), ((struct cp_str){ in, n }));
		ck_assert_uint_eq(rest.n, 0);
	}
}
END_TEST

START_TEST(a_nul_cannot_be_encoded)
{
	static const struct cp_str in = LIT("a\0b");
	char dst[64];
	size_t len;

	ck_assert_int_eq(
	    cp_cstring_encode(dst, sizeof dst, &len, in), CP_ERR_ARG);
	ck_assert_int_eq(
	    cp_qstring_encode(dst, sizeof dst, &len, in), CP_ERR_ARG);
}
END_TEST

static const struct encoding qstrings[] = {
	{ "", "\"\"" },
	{ "pass word", "\"pass word\"" },
	{ "a\"b\\c", "\"a\\\"b\\\\c\"" },
	{ "\t\xff\x01", "\"\t\xff\x01\"" },
	{ "a\nb", NULL },
	{ "a\rb", NULL },
};

START_TEST(a_qstring_escapes_quotes_and_backslashes_only)
{
	const struct encoding *e = &qstrings[_i];
	char dst[64];
	size_t len;
	enum cp_err want = e->want != NULL ? CP_OK : CP_ERR_ARG;

	ck_assert_int_eq(
	    cp_qstring_encode(dst, sizeof dst, &len, cp_str_of(e->in)), want);
	if (e->want == NULL)
		return;
	ck_assert_str_eq(dst, e->want);
	ck_assert_uint_eq(len, strlen(e->want));
	ck_assert_int_eq(
	    cp_qstring_encode(dst, len, &len, cp_str_of(e->in)), CP_ERR_LIMIT);
}
END_TEST

START_TEST(hex_is_written_in_upper_case_and_read_in_both)
{
	static const unsigned char in[] = { 0x00, 0x9a, 0xbf, 0xff };
	unsigned char out[sizeof in];
	char dst[sizeof in * 2 + 1];

	cp_hex_encode(dst, in, sizeof in);
	ck_assert_str_eq(dst, "009ABFFF");
	ck_assert_int_eq(cp_hex_decode(out, sizeof out, cp_str_of(dst)), CP_OK);
	ck_assert_mem_eq(out, in, sizeof in);
	ck_assert_int_eq(
	    cp_hex_decode(out, sizeof out, cp_str_of("009abFfF")), CP_OK);
	ck_assert_mem_eq(out, in, sizeof in);
	cp_hex_encode(dst, in, 0);
	ck_assert_str_eq(dst, "");
}
END_TEST

static const char *const bad_hex[] = { "", "00", "0000", "000", "00000",
	"000000", "0g", "g0", "0x", " 0", "0/", "0:", "0@", "0`", "-1" };

START_TEST(hex_of_another_length_or_alphabet_is_refused)
{
	unsigned char out[4];
	struct cp_str in = cp_str_of(bad_hex[_i]);
	size_t n = in.n == 2 && _i > 5 ? 1 : 4;

	ck_assert_int_eq(cp_hex_decode(out, n, in), CP_ERR_SYNTAX);
}
END_TEST

START_TEST(spans_compare_octet_for_octet)
{
	static const struct cp_str nul = LIT("a\0"), none = { NULL, 0 };

	ck_assert(cp_str_is(cp_str_of("SocksPort"), "SocksPort"));
	ck_assert(!cp_str_is(cp_str_of("SocksPort"), "socksport"));
	ck_assert(!cp_str_is(cp_str_of("SocksPor"), "SocksPort"));
	ck_assert(!cp_str_is(cp_str_of("SocksPort"), "SocksPor"));
	ck_assert(!cp_str_is(nul, "a"));
	ck_assert(cp_str_is(none, ""));
	ck_assert(!cp_str_is(none, "a"));
}
END_TEST

START_TEST(case_is_folded_for_ascii_letters_only)
{
	ck_assert(cp_str_is_nocase(cp_str_of("SocksPort"), "sOCKSpORT"));
	ck_assert(!cp_str_is_nocase(cp_str_of("SocksPort"), "SocksPorts"));
	ck_assert(!cp_str_is_nocase(cp_str_of("SocksPort"), "DnsPort__"));
	ck_assert(!cp_str_is_nocase(cp_str_of("\xc9"), "\xe9"));
	ck_assert(!cp_str_is_nocase(cp_str_of("[]"), "{}"));
	ck_assert(cp_str_is_nocase(cp_str_of("AZaz09_"), "azAZ09_"));
}
END_TEST

START_TEST(a_word_ends_at_a_space)
{
	struct cp_str rest = cp_str_of("a bc  d");

	ck_str(cp_lex_word(&rest), "a");
	ck_str(cp_lex_word(&rest), "bc");
	ck_str(cp_lex_word(&rest), "");
	ck_str(cp_lex_word(&rest), "d");
	ck_assert_uint_eq(rest.n, 0);
	ck_str(cp_lex_word(&rest), "");
}
END_TEST

struct fielding {
	const char *in;
	const char *field;
	const char *rest;
	bool cut;
};

static const struct fielding fields[] = {
	{ "a=b c=d", "a=b", "c=d", false },
	{ "a=\"b c\" d", "a=\"b c\"", "d", false },
	{ "\"b =c\" d", "\"b =c\"", "d", false },
	{ "\"x=\" y", "\"x=\"", "y", false },
	{ "a=\"b\\\" c\" d", "a=\"b\\\" c\"", "d", false },
	{ "a=\"b\\\\\" c", "a=\"b\\\\\"", "c", false },
	{ "a=\"say \"hi\"! \"you\" b", "a=\"say \"hi\"! \"you\"", "b", false },
	{ "a=\"\"b / c\"\" d", "a=\"\"b / c\"\"", "d", false },
	{ "a=\"\" b", "a=\"\"", "b", false },
	{ "a=b=\"c d\"", "a=b=\"c", "d\"", false },
	{ "a\"b c\"", "a\"b", "c\"", false },
	{ "a= b", "a=", "b", false },
	{ "a=", "a=", "", false },
	{ " a", "", "a", false },
	{ "", "", "", false },
	{ "a=\"b c", "a=\"b c", "", true },
	{ "a=\"", "a=\"", "", true },
	{ "\"", "\"", "", true },
	{ "a=\"b\\", "a=\"b\\", "", true },
	{ "a=\"b\\\"", "a=\"b\\\"", "", true },
};

START_TEST(a_field_takes_its_quoted_text_along)
{
	const struct fielding *f = &fields[_i];
	struct cp_str rest = cp_str_of(f->in);
	bool cut = false;

	ck_str(cp_lex_field(&rest, &cut), f->field);
	ck_str(rest, f->rest);
	ck_assert_int_eq(cut, f->cut);
}
END_TEST

START_TEST(what_is_shown_is_plain_and_fits)
{
	const struct cp_str in = LIT("a\0\033[31m\r\n \177~\377");
	char dst[16] = "xxxx";

	cp_str_show(dst, sizeof dst, in);
	ck_assert_str_eq(dst, "a??[31m?? ?~?");
	cp_str_show(dst, 4, in);
	ck_assert_str_eq(dst, "a??");
	cp_str_show(dst, 1, in);
	ck_assert_str_eq(dst, "");
	cp_str_show(dst, sizeof dst, (struct cp_str){ NULL, 0 });
	ck_assert_str_eq(dst, "");
	dst[0] = 'x';
	cp_str_show(dst, 0, in); /* not even a NUL fits */
	ck_assert_int_eq(dst[0], 'x');
}
END_TEST

static Suite *
str_suite(void)
{
	Suite *s = suite_create("str");
	TCase *tc = tcase_create("strings");

	tcase_add_loop_test(
	    tc, a_cstring_from_tor_is_decoded, 0, NELEM(decodings));
	tcase_add_test(tc, a_decoded_cstring_may_hold_a_nul);
	tcase_add_test(tc, a_cstring_that_does_not_fit_is_refused);
	tcase_add_loop_test(
	    tc, a_value_is_encoded_for_the_strict_reader, 0, NELEM(cstrings));
	tcase_add_test(tc, the_promised_size_always_suffices);
	tcase_add_test(tc, what_is_encoded_decodes_to_itself);
	tcase_add_test(tc, a_nul_cannot_be_encoded);
	tcase_add_loop_test(tc, a_qstring_escapes_quotes_and_backslashes_only,
	    0, NELEM(qstrings));
	tcase_add_test(tc, hex_is_written_in_upper_case_and_read_in_both);
	tcase_add_loop_test(tc, hex_of_another_length_or_alphabet_is_refused, 0,
	    NELEM(bad_hex));
	tcase_add_test(tc, spans_compare_octet_for_octet);
	tcase_add_test(tc, case_is_folded_for_ascii_letters_only);
	tcase_add_test(tc, a_word_ends_at_a_space);
	tcase_add_loop_test(
	    tc, a_field_takes_its_quoted_text_along, 0, NELEM(fields));
	tcase_add_test(tc, what_is_shown_is_plain_and_fits);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return cputil_run(str_suite());
}
