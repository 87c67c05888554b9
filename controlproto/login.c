#include "controlproto/login.h"

#include <stdlib.h>
#include <string.h>

#include "controlproto/cmd.h"
#include "controlproto/reply.h"

/* What the answer that is waited for answers; or, before, what to send. */
enum stage { ST_HELLO = 0, ST_CHALLENGE, ST_CREDENTIAL, NSTAGES };

struct cp_login {
	enum cp_login_want want;
	enum stage stage;
	unsigned permitted;
	enum cp_auth_method method; /* behind ST_HELLO only */
	unsigned char nonce[CP_NONCE_LEN];
	unsigned char secret[CP_SECRET_MAX]; /* cookie, password, then answer */
	size_t nsecret;
	struct cp_protocolinfo info;
};

struct cp_login *
cp_login_new(unsigned permitted, const unsigned char nonce[CP_NONCE_LEN])
{
	struct cp_login *l = calloc(1, sizeof *l);

	if (l == NULL)
		return NULL;
	l->want = CP_LOGIN_SEND;
	l->permitted = permitted;
	memcpy(l->nonce, nonce, sizeof l->nonce);
	return l;
}

static void
wipe_secret(struct cp_login *l)
{
	explicit_bzero(l->secret, sizeof l->secret);
	l->nsecret = 0;
}

void
cp_login_free(struct cp_login *l)
{
	if (l == NULL)
		return;
	explicit_bzero(l, sizeof *l);
	free(l);
}

enum cp_login_want
cp_login_wants(const struct cp_login *l)
{
	return l->want;
}

const struct cp_protocolinfo *
cp_login_peek_info(const struct cp_login *l)
{
	return &l->info;
}

unsigned
cp_login_method(const struct cp_login *l)
{
	return (unsigned)l->method;
}

static enum cp_err
build(const struct cp_login *l, struct cp_cmd *out)
{
	switch (l->stage) {
	case ST_HELLO:
		return cp_cmd_protocolinfo(out);
	case ST_CHALLENGE:
		return cp_cmd_authchallenge(out, l->nonce);
	case ST_CREDENTIAL:
		return cp_cmd_authenticate(out, l->secret, l->nsecret);
	case NSTAGES:
		break;
	}
	return CP_ERR_ARG;
}

enum cp_err
cp_login_command(struct cp_login *l, struct cp_cmd *out)
{
	enum cp_err err = CP_ERR_ARG;

	memset(out, 0, sizeof *out);
	if (l->want == CP_LOGIN_SEND)
		err = build(l, out);
	if (err != CP_OK)
		return err;
	l->want = CP_LOGIN_REPLY;
	if (l->stage == ST_CREDENTIAL)
		wipe_secret(l);
	return CP_OK;
}

/* Behind PROTOCOLINFO. */
static enum cp_err
on_hello(struct cp_login *l, const struct cp_reply *reply)
{
	enum cp_err err = cp_protocolinfo_parse(&l->info, reply);

	if (err == CP_OK)
		err = cp_auth_choose(&l->method, l->info.methods,
		    l->permitted);
	if (err != CP_OK)
		return err;
	l->stage = ST_CREDENTIAL;
	switch (l->method) {
	case CP_AUTH_SAFECOOKIE:
	case CP_AUTH_COOKIE:
		l->want = CP_LOGIN_COOKIE;
		break;
	case CP_AUTH_HASHEDPASSWORD:
		l->want = CP_LOGIN_PASSWORD;
		break;
	case CP_AUTH_NULL:
		l->want = CP_LOGIN_SEND;
		break;
	}
	return CP_OK;
}

/* The answer takes the place of the cookie, which has served. */
static enum cp_err
on_challenge(struct cp_login *l, const struct cp_reply *reply)
{
	unsigned char answer[CP_HASH_LEN];
	enum cp_err err = cp_safecookie_answer(answer, reply, l->secret,
	    l->nonce);

	wipe_secret(l);
	if (err == CP_OK) {
		memcpy(l->secret, answer, sizeof answer);
		l->nsecret = sizeof answer;
		l->stage = ST_CREDENTIAL;
		l->want = CP_LOGIN_SEND;
	}
	explicit_bzero(answer, sizeof answer);
	return err;
}

static enum cp_err
on_credential(struct cp_login *l, const struct cp_reply *reply)
{
	if (!cp_reply_is_ok(reply))
		return CP_ERR_REFUSED;
	l->want = CP_LOGIN_DONE;
	return CP_OK;
}

enum cp_err
cp_login_reply(struct cp_login *l, const struct cp_reply *reply)
{
	static enum cp_err (*const on[NSTAGES])(struct cp_login *,
	    const struct cp_reply *) = {
		[ST_HELLO] = on_hello,
		[ST_CHALLENGE] = on_challenge,
		[ST_CREDENTIAL] = on_credential,
	};
	enum cp_err err;

	if (l->want != CP_LOGIN_REPLY)
		return CP_ERR_ARG;
	err = on[l->stage](l, reply);
	if (err != CP_OK) {
		wipe_secret(l);
		l->want = CP_LOGIN_FAILED;
	}
	return err;
}

enum cp_err
cp_login_secret(struct cp_login *l, const void *secret, size_t n)
{
	bool cookie = l->want == CP_LOGIN_COOKIE;

	if (!cookie && l->want != CP_LOGIN_PASSWORD)
		return CP_ERR_ARG;
	if (n > sizeof l->secret || (cookie && n != CP_COOKIE_LEN))
		return CP_ERR_ARG;
	if (n > 0)
		memcpy(l->secret, secret, n);
	l->nsecret = n;
	if (l->method == CP_AUTH_SAFECOOKIE)
		l->stage = ST_CHALLENGE;
	l->want = CP_LOGIN_SEND;
	return CP_OK;
}
