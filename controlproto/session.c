#include "controlproto/session.h"

#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "controlproto/cmd.h"
#include "controlproto/conn.h"
#include "controlproto/login.h"
#include "controlproto/reply.h"

#define NO_TAG (-1)
#define OWN_TAG INT_MAX /* what the session itself asks; nobody else can */

struct ask {
	struct cp_cmd cmd;
	int tag;
};

/* What the watch of the bootstrap asks next, or has asked. */
enum watch { WATCH_NONE = 0, WATCH_EVENTS, WATCH_PHASE, WATCH_ON };

struct secret {
	bool given;
	unsigned char p[CP_SECRET_MAX];
	size_t n;
};

struct cp_session {
	enum cp_err err;
	uint32_t limit_ms;
	struct cp_conn *conn;
	struct cp_login *login; /* NULL: let in, or failed */
	struct secret cookie, password;
	bool owed; /* one of them, and the caller knows */
	enum watch watch;
	struct ask asks[CP_SESSION_ASKS]; /* in their turn */
	size_t nasks;
	/* Lent out, until the next turn. */
	struct cp_cmd cmd;
	struct cp_reply *message;
	struct cp_bootstrap bootstrap;
};

static const char *const watch_events[] = { "STATUS_CLIENT" };
static const char *const watch_key[] = { "status/bootstrap-phase" };

struct cp_session *
cp_session_new(unsigned permitted, const unsigned char nonce[CP_NONCE_LEN],
    uint32_t limit_ms)
{
	struct cp_session *s = calloc(1, sizeof *s);

	if (s == NULL)
		return NULL;
	s->limit_ms = limit_ms;
	s->conn = cp_conn_new();
	s->login = cp_login_new(permitted, nonce);
	if (s->conn == NULL || s->login == NULL) {
		cp_session_free(s);
		return NULL;
	}
	return s;
}

/* What was lent out comes back. */
static void
take_back(struct cp_session *s)
{
	cp_reply_free(s->message);
	s->message = NULL;
	cp_cmd_clear(&s->cmd);
}

static void
wipe_secrets(struct cp_session *s)
{
	explicit_bzero(&s->cookie, sizeof s->cookie);
	explicit_bzero(&s->password, sizeof s->password);
}

void
cp_session_free(struct cp_session *s)
{
	if (s == NULL)
		return;
	take_back(s);
	wipe_secrets(s);
	while (s->nasks > 0)
		cp_cmd_clear(&s->asks[--s->nasks].cmd);
	cp_login_free(s->login);
	cp_conn_free(s->conn);
	free(s);
}

/* S->cmd goes out, if it BUILT. */
static enum cp_err
to_write(struct cp_session *s, struct cp_step *out, enum cp_err built, int tag,
    uint64_t now_ms)
{
	enum cp_err err = built;

	if (err == CP_OK)
		err = cp_conn_sent(s->conn, &s->cmd, tag, now_ms, s->limit_ms);
	if (err != CP_OK)
		return err;
	out->kind = CP_STEP_WRITE;
	out->bytes.p = s->cmd.line;
	out->bytes.n = s->cmd.len;
	return CP_OK;
}

static enum cp_err
to_wait(struct cp_session *s, struct cp_step *out, uint64_t now_ms)
{
	uint64_t until = cp_conn_deadline(s->conn);
	enum cp_err err = cp_conn_tick(s->conn, now_ms);

	out->kind = CP_STEP_WAIT;
	if (err == CP_OK && until != 0)
		out->wait_ms = until - now_ms < INT_MAX ?
		    (int)(until - now_ms) : INT_MAX;
	return err;
}

/*
 * The answer to the login's last command, if it is there.  Events that come
 * before are nobody's yet.
 */
static enum cp_err
login_answer(struct cp_session *s, bool *more)
{
	struct cp_reply *reply;
	enum cp_err err;
	int tag;

	do {
		err = cp_conn_next(s->conn, &reply, &tag);
		*more = reply == NULL;
		if (reply != NULL && tag != NO_TAG)
			err = cp_login_reply(s->login, reply);
		cp_reply_free(reply);
	} while (err == CP_OK && !*more && tag == NO_TAG);
	return err;
}

/* True when SECRET is there, and with LOGIN now. */
static bool
hand_over(struct cp_session *s, struct secret *secret, enum cp_err *err)
{
	if (!secret->given)
		return false;
	*err = cp_login_secret(s->login, secret->p, secret->n);
	wipe_secrets(s);
	return true;
}

static enum cp_err
to_secret(struct cp_session *s, struct cp_step *out, enum cp_step_kind kind)
{
	out->kind = s->owed ? CP_STEP_WAIT : kind;
	if (out->kind == CP_STEP_COOKIE)
		out->path = cp_login_peek_info(s->login)->cookiefile;
	s->owed = true;
	return CP_OK;
}

/* Let in, or never to be. */
static void
end_login(struct cp_session *s)
{
	cp_login_free(s->login);
	s->login = NULL;
	wipe_secrets(s);
}

static enum cp_err
login_step(struct cp_session *s, struct cp_step *out, uint64_t now_ms)
{
	enum cp_login_want want = cp_login_wants(s->login);
	enum cp_err err = CP_ERR_AUTH;

	if ((want == CP_LOGIN_COOKIE && hand_over(s, &s->cookie, &err)) ||
	    (want == CP_LOGIN_PASSWORD && hand_over(s, &s->password, &err))) {
		if (err != CP_OK)
			return err;
		want = cp_login_wants(s->login);
	}
	switch (want) {
	case CP_LOGIN_SEND:
		err = cp_login_command(s->login, &s->cmd);
		return to_write(s, out, err, OWN_TAG, now_ms);
	case CP_LOGIN_COOKIE:
		return to_secret(s, out, CP_STEP_COOKIE);
	case CP_LOGIN_PASSWORD:
		return to_secret(s, out, CP_STEP_PASSWORD);
	case CP_LOGIN_DONE:
		cp_conn_authenticated(s->conn);
		end_login(s);
		out->kind = CP_STEP_READY;
		return CP_OK;
	case CP_LOGIN_REPLY:
	case CP_LOGIN_FAILED:
		break;
	}
	return CP_ERR_AUTH;
}

static enum cp_err
to_login(struct cp_session *s, struct cp_step *out, uint64_t now_ms)
{
	bool more = false;
	enum cp_err err = CP_OK;

	if (cp_login_wants(s->login) == CP_LOGIN_REPLY)
		err = login_answer(s, &more);
	if (err != CP_OK)
		return err;
	return more ? to_wait(s, out, now_ms) : login_step(s, out, now_ms);
}

/* The next question, if there is one: the watch's first. */
static enum cp_err
to_ask(struct cp_session *s, struct cp_step *out, uint64_t now_ms)
{
	enum cp_err err = CP_OK;
	int tag = OWN_TAG;

	if (s->watch == WATCH_EVENTS) {
		err = cp_cmd_setevents(&s->cmd, watch_events, 1);
	} else if (s->watch == WATCH_PHASE) {
		err = cp_cmd_getinfo(&s->cmd, watch_key, 1);
	} else if (s->nasks > 0) {
		s->cmd = s->asks[0].cmd;
		tag = s->asks[0].tag;
		s->nasks--;
		memmove(s->asks, s->asks + 1, s->nasks * sizeof *s->asks);
	} else {
		return CP_OK;
	}
	return to_write(s, out, err, tag, now_ms);
}

static void
tell_bootstrap(struct cp_session *s, struct cp_step *out)
{
	out->kind = CP_STEP_BOOTSTRAP;
	out->bootstrap = &s->bootstrap;
}

/* An answer to the watch: the events come first, so that none is missed. */
static enum cp_err
watch_answer(struct cp_session *s, struct cp_step *out)
{
	struct cp_str value;
	enum cp_err err;

	if (s->watch == WATCH_EVENTS) {
		s->watch = WATCH_PHASE;
		return cp_reply_is_ok(s->message) ? CP_OK : CP_ERR_REFUSED;
	}
	s->watch = WATCH_ON;
	err = cp_reply_getinfo(s->message, &value, watch_key, 1);
	if (err != CP_OK)
		return err;
	if (!cp_bootstrap_parse(&s->bootstrap, value))
		return CP_ERR_SYNTAX;
	tell_bootstrap(s, out);
	return CP_OK;
}

static void
tell_event(struct cp_session *s, struct cp_step *out)
{
	struct cp_event event;

	out->kind = CP_STEP_EVENT;
	if (s->watch == WATCH_NONE)
		return;
	cp_event_parse(&event, s->message);
	if (event.kind != CP_EV_BOOTSTRAP)
		return;
	s->bootstrap = event.boot;
	tell_bootstrap(s, out);
}

/* What S->message, with TAG, is for the caller: perhaps nothing. */
static enum cp_err
tell(struct cp_session *s, struct cp_step *out, int tag)
{
	out->message = s->message;
	if (tag == OWN_TAG)
		return watch_answer(s, out);
	if (tag == NO_TAG) {
		tell_event(s, out);
		return CP_OK;
	}
	out->kind = CP_STEP_REPLY;
	out->tag = tag;
	return CP_OK;
}

static enum cp_err
to_talk(struct cp_session *s, struct cp_step *out, uint64_t now_ms)
{
	enum cp_err err = CP_OK;
	int tag;

	if (!cp_conn_busy(s->conn))
		err = to_ask(s, out, now_ms);
	if (err != CP_OK || out->kind != CP_STEP_WAIT)
		return err;
	err = cp_conn_next(s->conn, &s->message, &tag);
	if (err != CP_OK)
		return err;
	return s->message == NULL ? to_wait(s, out, now_ms) :
	    tell(s, out, tag);
}

/* True when there was something to do, but nothing for the caller. */
static bool
was_own(const struct cp_session *s, const struct cp_step *out)
{
	return s->err == CP_OK && out->kind == CP_STEP_WAIT &&
	    s->message != NULL;
}

enum cp_err
cp_session_next(struct cp_session *s, struct cp_step *out, uint64_t now_ms)
{
	do {
		memset(out, 0, sizeof *out);
		out->tag = NO_TAG;
		out->wait_ms = -1;
		take_back(s);
		if (s->err == CP_OK)
			s->err = s->login != NULL ?
			    to_login(s, out, now_ms) :
			    to_talk(s, out, now_ms);
	} while (was_own(s, out));
	if (s->err != CP_OK)
		end_login(s);
	return s->err;
}

void
cp_session_feed(struct cp_session *s, const void *p, size_t n)
{
	if (s->err == CP_OK)
		s->err = cp_conn_feed(s->conn, p, n);
}

static void
keep_secret(struct cp_session *s, struct secret *secret, const void *p,
    size_t n)
{
	if (s->login == NULL)
		return;
	explicit_bzero(secret, sizeof *secret);
	if (n > 0)
		memcpy(secret->p, p, n);
	secret->n = n;
	secret->given = true;
}

void
cp_session_cookie(struct cp_session *s, const void *cookie, size_t n)
{
	if (n == CP_COOKIE_LEN)
		keep_secret(s, &s->cookie, cookie, n);
	else if (s->err == CP_OK && s->login != NULL)
		s->err = CP_ERR_COOKIE;
}

void
cp_session_password(struct cp_session *s, const void *password, size_t n)
{
	if (n <= CP_SECRET_MAX)
		keep_secret(s, &s->password, password, n);
	else if (s->err == CP_OK && s->login != NULL)
		s->err = CP_ERR_ARG;
}

void
cp_session_watch_bootstrap(struct cp_session *s)
{
	if (s->watch == WATCH_NONE || s->watch == WATCH_ON)
		s->watch = WATCH_EVENTS;
}

enum cp_err
cp_session_ask(struct cp_session *s, struct cp_cmd *cmd, enum cp_err built,
    int tag)
{
	enum cp_err err = built;

	if (err == CP_OK)
		err = s->err;
	if (err == CP_OK && (cmd->line == NULL || tag < 0 || tag == OWN_TAG))
		err = CP_ERR_ARG;
	if (err == CP_OK && s->nasks == CP_SESSION_ASKS)
		err = CP_ERR_BUSY;
	if (err != CP_OK) {
		cp_cmd_clear(cmd);
		return err;
	}
	s->asks[s->nasks].cmd = *cmd;
	s->asks[s->nasks].tag = tag;
	s->nasks++;
	memset(cmd, 0, sizeof *cmd);
	return CP_OK;
}
