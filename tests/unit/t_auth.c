#include "tests/unit/cputil.h"

#include <stdio.h>
#include <string.h>

#include "controlproto/auth.h"
#include "tests/unit/exchange.h"

struct vector {
	const char *cookie, *client_nonce, *server_hash, *server_nonce;
	const char *answer;
};

/* clang-format off */
static const struct vector vectors[] = {
	/* An exchange with Tor 0.4.9.11, which said "250 OK" to the answer. */
	{ COOKIE, NONCE, HASH, THEIRS, ANSWER },
	/* Computed by Python's hmac module. */
	{ "A5A5A5A5A5A5A5A5A5A5A5A5A5A5A5A500FF00FF00FF00FF00FF00FF00FF00FF",
	  "000102030405060708090A0B0C0D0E0F101112131415161718191A1B1C1D1E1F",
	  "00E4E879A5F46E872B6C87C5212C378F9F633AE365ADA3BA494A627EDBF45973",
	  "E0E1E2E3E4E5E6E7E8E9EAEBECEDEEEFF0F1F2F3F4F5F6F7F8F9FAFBFCFDFEFF",
	  "0DFC3502179CAA138E0C6DA821A8BDB4CFE99329C2706EDF8BFB13DA58FB7BF5" },
};
/* clang-format on */

struct secrets {
	unsigned char cookie[CP_COOKIE_LEN];
	unsigned char nonce[CP_NONCE_LEN];
	unsigned char answer[CP_HASH_LEN];
};

static void
load(struct secrets *s, const struct vector *v)
{
	ck_assert_int_eq(
	    cp_hex_decode(s->cookie, sizeof s->cookie, cp_str_of(v->cookie)),
	    CP_OK);
	ck_assert_int_eq(cp_hex_decode(s->nonce, sizeof s->nonce,
			     cp_str_of(v->client_nonce)),
	    CP_OK);
	ck_assert_int_eq(
	    cp_hex_decode(s->answer, sizeof s->answer, cp_str_of(v->answer)),
	    CP_OK);
}

/* What an answer that was not given looks like. */
static const unsigned char wiped[CP_HASH_LEN];

static void
challenge_gives(const char *wire, const struct secrets *s, enum cp_err want)
{
	struct cp_reply *reply = cputil_reply(wire);
	unsigned char out[CP_HASH_LEN];

	memset(out, 0xaa, sizeof out);
	ck_assert_int_eq(
	    cp_safecookie_answer(out, reply, s->cookie, s->nonce), want);
	ck_assert_mem_eq(out, want == CP_OK ? s->answer : wiped, sizeof out);
	cp_reply_free(reply);
}

START_TEST(known_exchanges_give_known_answers)
{
	const struct vector *v = &vectors[_i];
	struct secrets s;
	char wire[256];

	load(&s, v);
	snprintf(wire, sizeof wire,
	    "250 AUTHCHALLENGE SERVERHASH=%s "
	    "SERVERNONCE=%s\r\n",
	    v->server_hash, v->server_nonce);
	challenge_gives(wire, &s, CP_OK);
	/* In another order, with an extension. */
	snprintf(wire, sizeof wire,
	    "250 AUTHCHALLENGE X=1 SERVERNONCE=%s "
	    "SERVERHASH=%s Y\r\n",
	    v->server_nonce, v->server_hash);
	challenge_gives(wire, &s, CP_OK);
}
END_TEST

START_TEST(one_wrong_bit_anywhere_is_an_impostor)
{
	const struct vector *v = &vectors[0];
	struct secrets s, bad;
	char wire[256], hash[65];
	size_t i;

	load(&s, v);
	for (i = 0; i < 64; i++) {
		memcpy(hash, v->server_hash, sizeof hash);
		hash[i] = hash[i] == '0' ? '1' : '0';
		snprintf(wire, sizeof wire,
		    "250 AUTHCHALLENGE SERVERHASH=%s "
		    "SERVERNONCE=%s\r\n",
		    hash, v->server_nonce);
		challenge_gives(wire, &s, CP_ERR_AUTH);
	}
	snprintf(wire, sizeof wire,
	    "250 AUTHCHALLENGE SERVERHASH=%s "
	    "SERVERNONCE=%s\r\n",
	    v->server_hash, v->server_nonce);
	for (i = 0; i < 32; i++) {
		bad = s;
		bad.cookie[i] ^= 1;
		challenge_gives(wire, &bad, CP_ERR_AUTH);
		bad = s;
		bad.nonce[i] ^= 0x80;
		challenge_gives(wire, &bad, CP_ERR_AUTH);
	}
	/* Our own hash sent back proves nothing. */
	snprintf(wire, sizeof wire,
	    "250 AUTHCHALLENGE SERVERHASH=%s "
	    "SERVERNONCE=%s\r\n",
	    v->answer, v->server_nonce);
	challenge_gives(wire, &s, CP_ERR_AUTH);
}
END_TEST

/* clang-format off */
static const struct {
	const char *wire;
	enum cp_err err;
} challenges[] = {
	{ "250 AUTHCHALLENGE SERVERHASH="
	  "8863953e23e868a6649d6332c114ebab3184b97a8cb7d61aaf86173272022fa2"
	  " SERVERNONCE=" THEIRS "\r\n",
	    CP_OK },
	{ "515 Cookie authentication is disabled\r\n", CP_ERR_REFUSED },
	{ "512 Wrong number of arguments\r\n", CP_ERR_REFUSED },
	{ "650 AUTHCHALLENGE SERVERHASH=" HASH " SERVERNONCE=" THEIRS "\r\n",
	    CP_ERR_REFUSED },
	{ "250 OK\r\n", CP_ERR_SYNTAX },
	{ "250 AUTHCHALLENGE\r\n", CP_ERR_SYNTAX },
	{ "250 AUTHCHALLENGE SERVERHASH=" HASH "\r\n", CP_ERR_SYNTAX },
	{ "250 AUTHCHALLENGE SERVERNONCE=" THEIRS "\r\n", CP_ERR_SYNTAX },
	{ "250 AUTHCHALLENGE SERVERHASH=" HASH "00 SERVERNONCE=" THEIRS "\r\n",
	    CP_ERR_SYNTAX },
	{ "250 AUTHCHALLENGE SERVERHASH=" HASH " SERVERNONCE=00\r\n",
	    CP_ERR_SYNTAX },
	{ "250 AUTHCHALLENGE SERVERHASH= SERVERNONCE=" THEIRS "\r\n",
	    CP_ERR_SYNTAX },
	{ "250 AUTHCHALLENGE SERVERHASH=" HASH " SERVERHASH=" HASH
	  " SERVERNONCE=" THEIRS "\r\n",
	    CP_ERR_SYNTAX },
	{ "250 AUTHCHALLENGE SERVERHASH=" HASH " SERVERNONCE=" THEIRS
	  " SERVERNONCE=" THEIRS "\r\n",
	    CP_ERR_SYNTAX },
	{ "250 XAUTHCHALLENGE SERVERHASH=" HASH " SERVERNONCE=" THEIRS "\r\n",
	    CP_ERR_SYNTAX },
	{ "250-AUTHCHALLENGE SERVERHASH=" HASH " SERVERNONCE=" THEIRS
	  "\r\n250 OK\r\n",
	    CP_ERR_SYNTAX },
};
/* clang-format on */

START_TEST(a_challenge_is_well_formed_or_nothing)
{
	struct secrets s;

	load(&s, &vectors[0]);
	challenge_gives(challenges[_i].wire, &s, challenges[_i].err);
}
END_TEST

struct info {
	const char *wire;
	enum cp_err err;
	unsigned methods;
	const char *cookiefile; /* NULL: none */
	const char *version;
};

#define BOTH (CP_AUTH_COOKIE | CP_AUTH_SAFECOOKIE)
#define HEAD "250-PROTOCOLINFO 1\r\n"
#define TAIL "250 OK\r\n"

/* clang-format off */
static const struct info infos[] = {
	/* Tor 0.4.9.11, with an ugly path. */
	{ HEAD "250-AUTH METHODS=COOKIE,SAFECOOKIE COOKIEFILE=\"/tmp/d/c "
	  "k\\\"\\\\e\"\r\n250-VERSION Tor=\"0.4.9.11\"\r\n" TAIL, CP_OK, BOTH,
	    "/tmp/d/c k\"\\e", "0.4.9.11" },
	{ HEAD "250-AUTH METHODS=COOKIE,SAFECOOKIE,HASHEDPASSWORD "
	  "COOKIEFILE=\"/c\\303\\251\\n\"\r\n" TAIL, CP_OK,
	    BOTH | CP_AUTH_HASHEDPASSWORD, "/c\303\251\n", "" },
	{ HEAD "250-AUTH METHODS=NULL\r\n" TAIL, CP_OK, CP_AUTH_NULL, NULL,
	    "" },
	/* What a later Tor might say. */
	{ HEAD "250-AUTH METHODS=MAGIC,COOKIE,safecookie\r\n" TAIL, CP_OK,
	    CP_AUTH_COOKIE, NULL, "" },
	{ "250-VERSION Tor=\"1\" Color=\"red\"\r\n250-NEWS x=\"\r\n"
	  "250-AUTH METHODS=NULL EXTRA=\"a COOKIEFILE=\" MORE\r\n"
	  "250-PROTOCOLINFO 1 2 3\r\n" TAIL, CP_OK, CP_AUTH_NULL, NULL, "1" },
	{ HEAD "250-AUTH METHODS=COOKIE COOKIEFILE=\"/one\" "
	  "COOKIEFILE=\"/two\"\r\n" TAIL, CP_OK, CP_AUTH_COOKIE, "/one", "" },
	{ HEAD "250-AUTH COOKIEFILE=\"/one\" METHODS=COOKIE\r\n" TAIL, CP_OK,
	    CP_AUTH_COOKIE, "/one", "" },
	{ HEAD "250-AUTH METHODS=\r\n" TAIL, CP_OK, 0, NULL, "" },
	{ HEAD "250-AUTH METHODS=,COOKIE,,\r\n" TAIL, CP_OK, CP_AUTH_COOKIE,
	    NULL, "" },
	{ HEAD TAIL, CP_OK, 0, NULL, "" },
	/* The version is for people; a bad one is none. */
	{ HEAD "250-VERSION Tor=\"a\\nb\"\r\n" TAIL, CP_OK, 0, NULL, "" },
	{ HEAD "250-VERSION Tor=\"a\r\n" TAIL, CP_OK, 0, NULL, "" },
	{ HEAD "250-VERSION Tor=0.4\r\n" TAIL, CP_OK, 0, NULL, "" },
	{ HEAD "250-VERSION Tor=\"0123456789012345678901234567890123456789"
	  "0123456789012345678901234\"\r\n" TAIL, CP_OK, 0, NULL, "" },

	{ "514 Authentication required.\r\n", CP_ERR_REFUSED, 0, NULL, "" },
	{ "650-PROTOCOLINFO 1\r\n650 OK\r\n", CP_ERR_REFUSED, 0, NULL, "" },
	{ TAIL, CP_ERR_SYNTAX, 0, NULL, "" },
	{ "250-PROTOCOLINFO 2\r\n" TAIL, CP_ERR_SYNTAX, 0, NULL, "" },
	{ "250-PROTOCOLINFO \r\n" TAIL, CP_ERR_SYNTAX, 0, NULL, "" },
	{ HEAD HEAD TAIL, CP_ERR_SYNTAX, 0, NULL, "" },
	{ HEAD "250-AUTH METHODS=NULL\r\n250-AUTH METHODS=NULL\r\n" TAIL,
	    CP_ERR_SYNTAX, 0, NULL, "" },
	{ HEAD "250-AUTH METHODS=NULL METHODS=COOKIE\r\n" TAIL, CP_ERR_SYNTAX,
	    0, NULL, "" },
	{ HEAD "250-AUTH COOKIEFILE=\"/c\"\r\n" TAIL, CP_ERR_SYNTAX, 0, NULL,
	    "" },
	{ HEAD "250-AUTH \r\n" TAIL, CP_ERR_SYNTAX, 0, NULL, "" },
	{ HEAD "250-AUTH METHODS=COOKIE COOKIEFILE=/c\r\n" TAIL,
	    CP_ERR_SYNTAX, 0, NULL, "" },
	{ HEAD "250-AUTH METHODS=COOKIE COOKIEFILE=\"/c\r\n" TAIL,
	    CP_ERR_SYNTAX, 0, NULL, "" },
	{ HEAD "250-AUTH METHODS=COOKIE COOKIEFILE=\"\"\r\n" TAIL,
	    CP_ERR_SYNTAX, 0, NULL, "" },
	{ HEAD "250-AUTH METHODS=COOKIE COOKIEFILE=\"/c\\0d\"\r\n" TAIL,
	    CP_ERR_SYNTAX, 0, NULL, "" },
	{ HEAD "250-AUTH METHODS=COOKIE COOKIEFILE=\"/c\"d\r\n" TAIL,
	    CP_ERR_SYNTAX, 0, NULL, "" },
	{ HEAD "250-AUTH METHODS=COOKIE COOKIEFILE=\"/one\" COOKIEFILE=\"\\400"
	  "\"\r\n" TAIL, CP_ERR_SYNTAX, 0, NULL, "" },
	{ HEAD "250-AUTH METHODS=COOKIE EXTRA=\"open\r\n" TAIL, CP_ERR_SYNTAX,
	    0, NULL, "" },
};
/* clang-format on */

START_TEST(an_offer_is_read_whole_or_not_at_all)
{
	const struct info *want = &infos[_i];
	struct cp_reply *reply = cputil_reply(want->wire);
	struct cp_protocolinfo info;

	memset(&info, 0xaa, sizeof info);
	ck_assert_int_eq(cp_protocolinfo_parse(&info, reply), want->err);
	ck_assert_uint_eq(info.methods, want->methods);
	ck_assert_int_eq(info.has_cookiefile, want->cookiefile != NULL);
	ck_assert_str_eq(
	    info.cookiefile, want->cookiefile != NULL ? want->cookiefile : "");
	ck_assert_str_eq(info.version, want->version);
	cp_reply_free(reply);
}
END_TEST

START_TEST(an_overlong_cookie_path_is_refused)
{
	char wire[CP_PATH_MAX + 256], path[CP_PATH_MAX + 1];
	struct cp_protocolinfo info;
	struct cp_reply *reply;
	int extra;

	for (extra = 0; extra <= 1; extra++) {
		memset(path, 'a', sizeof path);
		path[CP_PATH_MAX - 1 + extra] = '\0';
		snprintf(wire, sizeof wire,
		    HEAD "250-AUTH METHODS=COOKIE "
			 "COOKIEFILE=\"%s\"\r\n" TAIL,
		    path);
		reply = cputil_reply(wire);
		ck_assert_int_eq(cp_protocolinfo_parse(&info, reply),
		    extra == 0 ? CP_OK : CP_ERR_LIMIT);
		ck_assert_str_eq(info.cookiefile, extra == 0 ? path : "");
		cp_reply_free(reply);
	}
}
END_TEST

static const struct {
	unsigned offered, permitted;
	enum cp_auth_method want; /* 0: none */
} choices[] = {
	{ BOTH | CP_AUTH_NULL | CP_AUTH_HASHEDPASSWORD, ~0u,
	    CP_AUTH_SAFECOOKIE },
	{ BOTH, CP_AUTH_COOKIE, CP_AUTH_COOKIE },
	{ CP_AUTH_COOKIE | CP_AUTH_HASHEDPASSWORD, ~0u,
	    CP_AUTH_HASHEDPASSWORD },
	{ CP_AUTH_COOKIE | CP_AUTH_NULL, ~0u, CP_AUTH_COOKIE },
	{ CP_AUTH_NULL, CP_AUTH_NULL, CP_AUTH_NULL },
	{ CP_AUTH_NULL, CP_AUTH_SAFECOOKIE, 0 },
	{ CP_AUTH_COOKIE, CP_AUTH_SAFECOOKIE, 0 },
	{ 0, ~0u, 0 },
	{ ~0u, 0, 0 },
	{ 1u << 9, ~0u, 0 },
};

START_TEST(the_strongest_method_that_both_want_is_chosen)
{
	enum cp_auth_method method = 0;

	ck_assert_int_eq(
	    cp_auth_choose(&method, choices[_i].offered, choices[_i].permitted),
	    choices[_i].want != 0 ? CP_OK : CP_ERR_AUTH);
	ck_assert_uint_eq(method, choices[_i].want);
}
END_TEST

static Suite *
auth_suite(void)
{
	Suite *s = suite_create("auth");
	TCase *tc = tcase_create("auth");

	tcase_add_loop_test(
	    tc, known_exchanges_give_known_answers, 0, NELEM(vectors));
	tcase_add_test(tc, one_wrong_bit_anywhere_is_an_impostor);
	tcase_add_loop_test(
	    tc, a_challenge_is_well_formed_or_nothing, 0, NELEM(challenges));
	tcase_add_loop_test(
	    tc, an_offer_is_read_whole_or_not_at_all, 0, NELEM(infos));
	tcase_add_test(tc, an_overlong_cookie_path_is_refused);
	tcase_add_loop_test(tc, the_strongest_method_that_both_want_is_chosen,
	    0, NELEM(choices));
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	return cputil_run(auth_suite());
}
