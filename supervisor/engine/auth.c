/*
 * From connected to subscribed.  Every refusal here ends the connection:
 * there is no second try with a weaker method.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlproto/auth.h"
#include "controlproto/cmd.h"
#include "controlproto/login.h"
#include "controlproto/reply.h"
#include "supervisor/engine/core.h"
#include "supervisor/log.h"

#define PASSWORD_CAP 1024

/*
 * Without the first four we would miss changes.  The others explain trouble
 * to people.  Nothing that carries destinations (STREAM, CIRC, ADDRMAP); the
 * isolation check alone adds STREAM, while it runs.
 */
static const char *const wanted[] = { "STATUS_CLIENT", "STATUS_GENERAL",
	"CONF_CHANGED", "SIGNAL", "WARN", "ERR", "NOTICE", "NETWORK_LIVENESS",
	"TRANSPORT_LAUNCHED" };
#define NWANTED (sizeof wanted / sizeof wanted[0])
#define NMANDATORY 4

static const char *const info_keys[] = { "version", "process/pid",
	"events/names", "process/descriptor-limit" };
#define NINFO (sizeof info_keys / sizeof info_keys[0])

static void
login_send(struct engine *e, enum cmd tag, uint64_t now)
{
	struct cp_cmd cmd = { 0 };

	session_send(e, tag, &cmd, cp_login_command(e->login, &cmd), now);
}

void
auth_hello(struct engine *e, uint64_t now)
{
	unsigned char nonce[CP_NONCE_LEN];

	if (e->ops->random(e->arg, nonce, sizeof nonce) == -1) {
		engine_lose(e, LOSS_MEMORY, "no randomness", now);
		return;
	}
	e->login = cp_login_new(e->policy->tor.auth, nonce);
	if (e->login == NULL)
		engine_lose(e, LOSS_MEMORY, "out of memory", now);
	else
		login_send(e, CMD_PROTOCOLINFO, now);
}

static enum snap_auth
auth_word(unsigned method)
{
	switch (method) {
	case CP_AUTH_SAFECOOKIE:
		return SNAP_AUTH_SAFECOOKIE;
	case CP_AUTH_COOKIE:
		return SNAP_AUTH_COOKIE;
	case CP_AUTH_HASHEDPASSWORD:
		return SNAP_AUTH_PASSWORD;
	case CP_AUTH_NULL:
		return SNAP_AUTH_NULL;
	}
	return SNAP_AUTH_NONE;
}

static bool
give_cookie(struct engine *e)
{
	const struct cp_protocolinfo *pi = cp_login_peek_info(e->login);
	unsigned char cookie[CP_COOKIE_LEN];
	bool ok = e->ops->cookie(e->arg, cookie,
	    pi->has_cookiefile ? pi->cookiefile : NULL) != -1 &&
	    cp_login_secret(e->login, cookie, sizeof cookie) == CP_OK;

	explicit_bzero(cookie, sizeof cookie);
	return ok;
}

static bool
give_password(struct engine *e)
{
	unsigned char pw[PASSWORD_CAP];
	int n = e->ops->password(e->arg, pw, sizeof pw);
	bool ok = n >= 0 &&
	    cp_login_secret(e->login, pw, (size_t)n) == CP_OK;

	explicit_bzero(pw, sizeof pw);
	return ok;
}

static void
start_method(struct engine *e, uint64_t now)
{
	unsigned method = cp_login_method(e->login);
	enum cp_login_want want = cp_login_wants(e->login);

	if (want == CP_LOGIN_COOKIE && !give_cookie(e)) {
		engine_lose(e, LOSS_COOKIE, NULL, now);
		return;
	}
	if (want == CP_LOGIN_PASSWORD && !give_password(e)) {
		engine_lose(e, LOSS_PASSWORD, NULL, now);
		return;
	}
	e->about.auth = auth_word(method);
	login_send(e, method == CP_AUTH_SAFECOOKIE ? CMD_CHALLENGE :
	    CMD_AUTHENTICATE, now);
}

void
auth_on_protocolinfo(struct engine *e, const struct cp_reply *reply,
    uint64_t now)
{
	enum cp_err err = cp_login_reply(e->login, reply);

	/*
	 * Only now: a TCP connection that nobody has accepted yet has no
	 * owner.  An answer means that it was accepted.
	 */
	if (err != CP_OK && err != CP_ERR_AUTH)
		engine_lose(e, LOSS_BYTES, cp_strerror(err), now);
	else if (e->ops->tor_peer(e->arg, &e->peer_uid) == -1)
		engine_lose(e, LOSS_PEER, NULL, now);
	else if (err == CP_ERR_AUTH)
		engine_lose(e, LOSS_METHOD, NULL, now);
	else
		start_method(e, now);
}

void
auth_on_challenge(struct engine *e, const struct cp_reply *reply,
    uint64_t now)
{
	enum cp_err err = cp_login_reply(e->login, reply);

	if (err == CP_OK)
		login_send(e, CMD_AUTHENTICATE, now);
	else
		engine_lose(e, err == CP_ERR_REFUSED ? LOSS_AUTH : LOSS_HASH,
		    NULL, now);
}

void
auth_on_authenticate(struct engine *e, const struct cp_reply *reply,
    uint64_t now)
{
	if (cp_login_reply(e->login, reply) != CP_OK) {
		engine_lose(e, LOSS_AUTH, NULL, now);
		return;
	}
	cp_login_free(e->login);
	e->login = NULL;
	cp_conn_authenticated(e->conn);
	e->links++;
	facts_confirm(&e->facts, FACT_LINK, e->sent);
	engine_step(e, EV_AUTH_OK, now);
}

void
auth_ask_info(struct engine *e, uint64_t now)
{
	struct cp_cmd cmd = { 0 };

	e->need_info = false;
	session_send(e, CMD_INFO, &cmd,
	    cp_cmd_getinfo(&cmd, info_keys, NINFO), now);
}

/* Is NAME one of the space-separated words of LIST? */
static bool
has_word(struct cp_str list, const char *name)
{
	size_t i = 0, start;

	while (i < list.n) {
		while (i < list.n && list.p[i] == ' ')
			i++;
		start = i;
		while (i < list.n && list.p[i] != ' ')
			i++;
		if (cp_str_is((struct cp_str){ list.p + start, i - start },
		    name))
			return true;
	}
	return false;
}

/* What we want of what Tor has; false if it lacks one that we need. */
static bool
choose_events(struct engine *e, struct cp_str names)
{
	e->events = 0;
	for (unsigned i = 0; i < NWANTED; i++) {
		if (has_word(names, wanted[i]))
			e->events |= 1u << i;
		else if (i < NMANDATORY)
			return false;
	}
	return true;
}

void
auth_on_info(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	struct cp_str v[NINFO];
	char pid[16], files[16];
	enum cp_err err = cp_reply_getinfo(reply, v, info_keys, NINFO);

	if (err != CP_OK) {
		session_refused(e, reply, err, now);
		return;
	}
	log_esc(e->tor.version, sizeof e->tor.version, v[0].p, v[0].n);
	log_esc(pid, sizeof pid, v[1].p, v[1].n);
	e->tor.pid = (int)strtol(pid, NULL, 10);
	about_met(e, e->tor.pid);
	log_esc(files, sizeof files, v[3].p, v[3].n);
	e->tor.files = strtol(files, NULL, 10);
	if (!choose_events(e, v[2]))
		engine_lose(e, LOSS_OLD, NULL, now);
}

void
auth_send_events(struct engine *e, enum cmd tag, bool streams, uint64_t now)
{
	const char *names[NWANTED + 1];
	struct cp_cmd cmd = { 0 };
	size_t n = 0;

	for (unsigned i = 0; i < NWANTED; i++)
		if ((e->events & (1u << i)) != 0)
			names[n++] = wanted[i];
	if (streams)
		names[n++] = "STREAM";
	session_send(e, tag, &cmd, cp_cmd_setevents(&cmd, names, n), now);
}

void
auth_ask_events(struct engine *e, uint64_t now)
{
	e->need_events = false;
	auth_send_events(e, CMD_EVENTS, false, now);
}

void
auth_on_events(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	if (!cp_reply_is_ok(reply)) {
		session_refused(e, reply, CP_ERR_REFUSED, now);
		return;
	}
	engine_step(e, EV_SETUP_OK, now);
}
