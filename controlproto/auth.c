#include "controlproto/auth.h"

#include <stdint.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "controlproto/lex.h"
#include "controlproto/reply.h"

/* control-spec 3.24 */
static const char server_key[] =
    "Tor safe cookie authentication server-to-controller hash";
static const char client_key[] =
    "Tor safe cookie authentication controller-to-server hash";

/* For what may come only once. */
static enum cp_err
once(bool *seen)
{
	if (*seen)
		return CP_ERR_SYNTAX;
	*seen = true;
	return CP_OK;
}

static unsigned
method_of(struct cp_str name)
{
	static const struct {
		const char *name;
		enum cp_auth_method method;
	} methods[] = {
		{ "NULL", CP_AUTH_NULL },
		{ "HASHEDPASSWORD", CP_AUTH_HASHEDPASSWORD },
		{ "COOKIE", CP_AUTH_COOKIE },
		{ "SAFECOOKIE", CP_AUTH_SAFECOOKIE },
	};
	size_t i;

	for (i = 0; i < sizeof methods / sizeof *methods; i++) {
		if (cp_str_is(name, methods[i].name))
			return methods[i].method;
	}
	return 0; /* a later Tor's; not ours to use */
}

static void
read_methods(struct cp_protocolinfo *out, struct cp_str *rest)
{
	struct cp_str list = cp_lex_word(rest);

	while (list.n > 0) {
		struct cp_str name = list;
		const char *comma = memchr(list.p, ',', list.n);

		if (comma != NULL)
			name.n = (size_t)(comma - list.p);
		out->methods |= method_of(name);
		list = cp_lex_drop(list, name.n + 1);
	}
}

/* Behind a quoted value: its field must end there. */
static bool
field_ends(struct cp_str *rest)
{
	return rest->n == 0 || cp_lex_prefix(rest, " ");
}

static enum cp_err
read_cookiefile(struct cp_protocolinfo *out, struct cp_str *rest)
{
	char path[CP_PATH_MAX];
	enum cp_err err;
	size_t len = 0;

	err = cp_cstring_decode(path, sizeof path - 1, &len, rest, *rest);
	if (err != CP_OK)
		return err;
	if (len == 0 || memchr(path, '\0', len) != NULL || !field_ends(rest))
		return CP_ERR_SYNTAX;
	if (out->has_cookiefile) /* the first counts */
		return CP_OK;
	memcpy(out->cookiefile, path, len);
	out->cookiefile[len] = '\0';
	out->has_cookiefile = true;
	return CP_OK;
}

/* What follows "AUTH ". */
static enum cp_err
read_auth(struct cp_protocolinfo *out, struct cp_str rest)
{
	bool has_methods = false, cut = false;
	enum cp_err err = CP_OK;

	while (err == CP_OK && rest.n > 0) {
		if (cp_lex_prefix(&rest, "METHODS=")) {
			err = once(&has_methods);
			read_methods(out, &rest);
		} else if (cp_lex_prefix(&rest, "COOKIEFILE=")) {
			err = read_cookiefile(out, &rest);
		} else {
			(void)cp_lex_field(&rest, &cut); /* a later Tor's */
		}
	}
	if (err == CP_OK && (!has_methods || cut))
		err = CP_ERR_SYNTAX;
	return err;
}

/* What follows "VERSION ".  Only for people, so whatever is odd is left out. */
static void
read_version(struct cp_protocolinfo *out, struct cp_str rest)
{
	size_t i, len = 0, cap = sizeof out->version - 1;
	enum cp_err err = CP_ERR_SYNTAX;

	if (cp_lex_prefix(&rest, "Tor="))
		err = cp_cstring_decode(out->version, cap, &len, &rest, rest);
	if (err != CP_OK)
		len = 0;
	for (i = 0; i < len; i++) {
		if (out->version[i] < ' ' || out->version[i] > '~')
			len = 0;
	}
	memset(out->version + len, 0, sizeof out->version - len);
}

/* Which of the lines that may come only once have come. */
struct seen {
	bool info, auth;
};

static enum cp_err
read_line(struct cp_protocolinfo *out, struct seen *seen, struct cp_str line)
{
	enum cp_err err;

	if (cp_lex_prefix(&line, "PROTOCOLINFO ")) {
		err = once(&seen->info);
		/* Another version would mean another syntax. */
		if (err == CP_OK && !cp_str_is(cp_lex_word(&line), "1"))
			err = CP_ERR_SYNTAX;
		return err;
	}
	if (cp_lex_prefix(&line, "AUTH ")) {
		err = once(&seen->auth);
		return err == CP_OK ? read_auth(out, line) : err;
	}
	if (cp_lex_prefix(&line, "VERSION "))
		read_version(out, line);
	return CP_OK;
}

enum cp_err
cp_protocolinfo_parse(struct cp_protocolinfo *out, const struct cp_reply *reply)
{
	struct seen seen = { false, false };
	enum cp_err err = CP_OK;
	size_t i;

	memset(out, 0, sizeof *out);
	if (!cp_reply_is_ok(reply))
		return CP_ERR_REFUSED;
	for (i = 0; err == CP_OK && i < cp_reply_nlines(reply); i++)
		err = read_line(out, &seen, cp_reply_text(reply, i));
	if (err == CP_OK && !seen.info)
		err = CP_ERR_SYNTAX;
	if (err != CP_OK)
		memset(out, 0, sizeof *out); /* no half-read offer */
	return err;
}

enum cp_err
cp_auth_choose(enum cp_auth_method *out, unsigned offered, unsigned permitted)
{
	static const enum cp_auth_method strongest_first[] = {
		CP_AUTH_SAFECOOKIE,
		CP_AUTH_HASHEDPASSWORD,
		CP_AUTH_COOKIE,
		CP_AUTH_NULL,
	};
	size_t i, n = sizeof strongest_first / sizeof *strongest_first;

	for (i = 0; i < n; i++) {
		if ((offered & permitted & strongest_first[i]) != 0) {
			*out = strongest_first[i];
			return CP_OK;
		}
	}
	return CP_ERR_AUTH;
}

struct challenge {
	unsigned char hash[CP_HASH_LEN];
	unsigned char nonce[CP_NONCE_LEN];
};

_Static_assert(CP_HASH_LEN == CP_NONCE_LEN, "one reader for both");

static enum cp_err
hex_once(unsigned char dst[CP_HASH_LEN], bool *seen, struct cp_str in)
{
	enum cp_err err = once(seen);

	return err == CP_OK ? cp_hex_decode(dst, CP_HASH_LEN, in) : err;
}

/* "AUTHCHALLENGE SERVERHASH=<hex> SERVERNONCE=<hex>", once each. */
static enum cp_err
read_challenge(struct challenge *out, const struct cp_reply *reply)
{
	struct cp_str rest = cp_reply_text(reply, 0);
	bool has_hash = false, has_nonce = false;
	enum cp_err err = CP_OK;

	if (!cp_reply_is_ok(reply))
		return CP_ERR_REFUSED;
	if (cp_reply_nlines(reply) != 1 ||
	    !cp_str_is(cp_lex_word(&rest), "AUTHCHALLENGE"))
		return CP_ERR_SYNTAX;
	while (err == CP_OK && rest.n > 0) {
		struct cp_str field = cp_lex_word(&rest);

		if (cp_lex_prefix(&field, "SERVERHASH="))
			err = hex_once(out->hash, &has_hash, field);
		else if (cp_lex_prefix(&field, "SERVERNONCE="))
			err = hex_once(out->nonce, &has_nonce, field);
	}
	if (err == CP_OK && !(has_hash && has_nonce))
		err = CP_ERR_SYNTAX;
	return err;
}

struct message {
	unsigned char cookie[CP_COOKIE_LEN];
	unsigned char client_nonce[CP_NONCE_LEN];
	unsigned char server_nonce[CP_NONCE_LEN];
};

_Static_assert(sizeof(struct message) == CP_COOKIE_LEN + 2 * CP_NONCE_LEN,
    "the message is what both sides hash: no padding");

static bool
hash_message(unsigned char *out, const char *key, const struct message *m)
{
	const unsigned char *in = (const unsigned char *)m;
	int keylen = (int)strlen(key);
	unsigned len = 0;

	if (HMAC(EVP_sha256(), key, keylen, in, sizeof *m, out, &len) == NULL)
		return false;
	return len == CP_HASH_LEN;
}

enum cp_err
cp_safecookie_answer(unsigned char out[CP_HASH_LEN],
    const struct cp_reply *challenge, const unsigned char cookie[CP_COOKIE_LEN],
    const unsigned char client_nonce[CP_NONCE_LEN])
{
	struct challenge ch;
	struct message m;
	unsigned char expected[CP_HASH_LEN];
	enum cp_err err;

	memset(out, 0, CP_HASH_LEN);
	err = read_challenge(&ch, challenge);
	if (err != CP_OK)
		return err;
	memcpy(m.cookie, cookie, sizeof m.cookie);
	memcpy(m.client_nonce, client_nonce, sizeof m.client_nonce);
	memcpy(m.server_nonce, ch.nonce, sizeof m.server_nonce);
	err = CP_ERR_AUTH;
	if (hash_message(expected, server_key, &m) &&
	    CRYPTO_memcmp(expected, ch.hash, CP_HASH_LEN) == 0 &&
	    hash_message(out, client_key, &m))
		err = CP_OK;
	if (err != CP_OK)
		OPENSSL_cleanse(out, CP_HASH_LEN);
	OPENSSL_cleanse(&m, sizeof m);
	OPENSSL_cleanse(expected, sizeof expected);
	return err;
}
