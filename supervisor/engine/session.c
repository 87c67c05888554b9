/*
 * One command at a time: then every reply has one possible question, and an
 * unasked one is an error.  Which command is next follows from what is due.
 */
#include <stdio.h>
#include <string.h>

#include "controlproto/cmd.h"
#include "controlproto/conn.h"
#include "controlproto/login.h"
#include "controlproto/reply.h"
#include "supervisor/engine/core.h"
#include "supervisor/log.h"

/*
 * Deadlines, counted from sending.  The first answer may take seconds while
 * Tor starts.  A probe's answer counts as proof only within the lease, but
 * the connection is kept longer: Tor works through a consensus for a second
 * or two on a slow machine, and a new session would cost more than waiting.
 */
#define HELLO_MS 10000
#define SETUP_MS 10000
#define WATCH_MS 5000
#define SETCONF_MS 30000 /* hundreds of listeners on a slow machine */
#define NS_MS 15000 /* megabytes; a gate that waits for it is closed by then */

/* Codes that say more than that it is a refusal. */
#define FILTERED 510 /* "Unrecognized command", of those that Tor has */
#define NO_AUTH 514
#define UNRECOGNIZED 552 /* an option, an event or a key */

typedef void (*reply_fn)(struct engine *, const struct cp_reply *, uint64_t);

static void
on_newnym(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	bool ok = cp_reply_is_ok(reply);

	(void)now;
	e->newnym_open = false;
	tell_result(e, e->newnym_id, ok, ok ?
	    "Tor uses new circuits from now on." :
	    "Tor refused to use new circuits.");
}

/* clang-format off */
static const struct {
	uint32_t limit_ms;
	reply_fn on_reply;
} commands[NCMD] = {
	[CMD_PROTOCOLINFO] = { HELLO_MS,   auth_on_protocolinfo },
	[CMD_CHALLENGE]	   = { HELLO_MS,   auth_on_challenge },
	[CMD_AUTHENTICATE] = { HELLO_MS,   auth_on_authenticate },
	[CMD_INFO]	   = { SETUP_MS,   auth_on_info },
	[CMD_EVENTS]	   = { SETUP_MS,   auth_on_events },
	[CMD_CONF]	   = { WATCH_MS,   repair_on_conf },
	[CMD_PROBE]	   = { WATCH_MS,   watch_on_probe },
	[CMD_SETCONF]	   = { SETCONF_MS, repair_on_setconf },
	[CMD_CIRCUITS]	   = { WATCH_MS,   watch_on_circuits },
	[CMD_EXTEND]	   = { WATCH_MS,   watch_on_extend },
	[CMD_NEWNYM]	   = { WATCH_MS,   on_newnym },
	[CMD_ACTIVE]	   = { WATCH_MS,   watch_on_active },
	[CMD_CHECK_CONF]   = { WATCH_MS,   check_on_conf },
	[CMD_STREAMS_ON]   = { WATCH_MS,   check_on_streams },
	[CMD_STREAMS_OFF]  = { WATCH_MS,   check_on_quiet },
	[CMD_RELAYS_CONF]  = { WATCH_MS,   relays_on_conf },
	[CMD_RELAYS_DEFAULTS] = { WATCH_MS, relays_on_defaults },
	[CMD_RELAYS_NS]	   = { NS_MS,	   relays_on_ns },
	[CMD_UPLINK_SET]   = { SETCONF_MS, uplink_on_set },
	[CMD_ABOUT]	   = { WATCH_MS,   about_on_reply },
	[CMD_FILES]	   = { WATCH_MS,   kept_on_files },
	[CMD_QUESTIONS]	   = { WATCH_MS,   questions_on_list },
	[CMD_CLOSE]	   = { WATCH_MS,   questions_on_closed },
};
/* clang-format on */

bool
session_up(const struct engine *e)
{
	return e->state == SM_SETUP || e->state == SM_CONFIGURE ||
	    e->state == SM_WATCH;
}

void
session_reset(struct engine *e)
{
	cp_conn_free(e->conn);
	e->conn = NULL;
	cp_login_free(e->login);
	e->login = NULL;
	if (e->newnym_open)
		tell_result(e, e->newnym_id, false,
		    "The connection to Tor was lost.");
	check_lost(e);
	relays_lost(e);
	uplink_lost(e);
	kept_lost(e);
	questions_clear(e);
	e->need_info = e->need_events = false;
	e->need_conf = e->need_probe = false;
	e->need_newnym = e->newnym_open = false;
	e->provisioned = e->bind_failed = e->blamed = e->setting = false;
	e->set_open = e->cycling = e->joining = e->moved = false;
	e->conf_read = e->reloaded = e->disabled = false;
	e->again_ms = 0;
	e->probe_at = 0;
	memset(&e->tor, 0, sizeof e->tor);
	e->tor.progress = -1;
	memset(&e->ev, 0, sizeof e->ev);
	about_reset(e);
	prov_forget(&e->prov);
	e->due.connect = e->due.probe = e->due.conf = 0;
	e->due.circuits = e->due.retry = e->due.again = 0;
}

void
session_send(struct engine *e, enum cmd tag, struct cp_cmd *cmd,
    enum cp_err err, uint64_t now)
{
	if (err == CP_OK)
		err = cp_conn_sent(e->conn, cmd, tag, now,
		    commands[tag].limit_ms);
	if (err != CP_OK) {
		cp_cmd_clear(cmd);
		engine_lose(e, LOSS_BYTES, cp_strerror(err), now);
		return;
	}
	e->sent = now;
	log_debug("> %s", cmd->secret ? "AUTHENTICATE ..." : "command");
	if (e->ops->tor_write(e->arg, cmd->line, cmd->len) == -1)
		err = CP_ERR_ARG;
	cp_cmd_clear(cmd);
	if (err != CP_OK)
		engine_lose(e, LOSS_EOF, NULL, now);
}

static void
bad_input(struct engine *e, enum cp_err err, uint64_t now)
{
	enum engine_loss why = LOSS_BYTES;

	if (err == CP_ERR_NOT_TOR)
		why = LOSS_NOT_TOR;
	else if (err == CP_ERR_NOMEM)
		why = LOSS_MEMORY;
	else if (err == CP_ERR_TIMEOUT)
		why = LOSS_TIMEOUT;
	engine_lose(e, why, cp_strerror(err), now);
}

void
session_refused(struct engine *e, const struct cp_reply *reply,
    enum cp_err err, uint64_t now)
{
	enum engine_loss why = LOSS_BYTES;

	if (err == CP_ERR_REFUSED && cp_reply_code(reply) == UNRECOGNIZED)
		why = LOSS_OLD;
	else if (err == CP_ERR_REFUSED && cp_reply_code(reply) == NO_AUTH)
		why = LOSS_AUTH;
	else if (err == CP_ERR_REFUSED)
		why = LOSS_FILTERED; /* Tor itself has no reason to */
	engine_lose(e, why, cp_strerror(err), now);
}

/* Those of answers, by control-spec 4. */
static bool
is_code_of_answer(unsigned code)
{
	return code / 100 == 2 || code / 100 == 4 || code / 100 == 5;
}

/* Borrows REPLY.  May end the session. */
static void
dispatch(struct engine *e, const struct cp_reply *reply, int tag,
    uint64_t now)
{
	if (tag < 0 && e->state == SM_AUTH) {
		engine_lose(e, LOSS_BYTES, "an event nobody asked for", now);
		return;
	}
	if (tag < 0) {
		watch_on_event(e, reply, now);
		return;
	}
	if (tag >= NCMD) {
		engine_lose(e, LOSS_BYTES, "unknown tag", now);
		return;
	}
	if (!is_code_of_answer(cp_reply_code(reply))) {
		engine_lose(e, LOSS_BYTES, "no answer's code", now);
		return;
	}
	if (cp_reply_code(reply) == FILTERED) {
		engine_lose(e, LOSS_FILTERED, NULL, now);
		return;
	}
	if (e->state != SM_AUTH)
		facts_confirm(&e->facts, FACT_LINK, e->sent);
	commands[tag].on_reply(e, reply, now);
}

void
session_input(struct engine *e, const void *p, size_t n, uint64_t now)
{
	struct cp_conn *c = e->conn;
	struct cp_reply *reply;
	enum cp_err err = cp_conn_feed(c, p, n);
	int tag;

	while (err == CP_OK) {
		err = cp_conn_next(c, &reply, &tag);
		if (err != CP_OK || reply == NULL)
			break;
		dispatch(e, reply, tag, now);
		cp_reply_free(reply);
		/* A lost session has freed C; a new one is never made here. */
		if (e->conn == NULL)
			return;
		engine_decide(e, now);
		session_next(e, now);
		if (e->conn == NULL)
			return;
	}
	if (err != CP_OK)
		bad_input(e, err, now);
}

static void
ask_newnym(struct engine *e, uint64_t now)
{
	struct cp_cmd cmd = { 0 };

	e->need_newnym = false;
	session_send(e, CMD_NEWNYM, &cmd,
	    cp_cmd_signal(&cmd, CP_SIGNAL_NEWNYM), now);
}

/* A SETCONF, or what has to be done before it; false: not now. */
static bool
next_setting(struct engine *e, uint64_t now)
{
	if (!e->setting || uplink_unresolved(e))
		return false;
	switch (questions_step(e, now)) {
	case QUESTIONS_WAIT:
		return false;
	case QUESTIONS_ASK:
		questions_ask(e, now);
		break;
	case QUESTIONS_NONE:
		repair_ask_setconf(e, now);
		break;
	}
	return true;
}

/* While Tor takes back what it says the clock alone says when to ask. */
static void
next_watching(struct engine *e, uint64_t now)
{
	const bool calm = storm_is_calm(&e->taken_back, now);

	if (uplink_set_due(e, now))
		uplink_ask_set(e, now);
	else if (calm && kept_due(e))
		kept_ask(e, now);
	else if (next_setting(e, now))
		;
	else if (check_due(e)) /* to be quiet again cannot wait */
		check_ask(e, now);
	else if ((calm && e->need_probe) || now >= e->due.probe)
		watch_ask_probe(e, now);
	else if ((calm && e->need_conf) || now >= e->due.conf)
		repair_ask_conf(e, now);
	else if (relays_due(e, now))
		relays_ask(e, now);
	else if (watch_active_due(e, now))
		watch_ask_active(e, now);
	else if (watch_extend_due(e, now))
		watch_ask_extend(e, now);
	else if (watch_circuits_due(e, now))
		watch_ask_circuits(e, now);
	else if (e->need_newnym)
		ask_newnym(e, now);
	else if (about_due(e, now))
		about_ask(e, now);
}

void
session_next(struct engine *e, uint64_t now)
{
	if (e->conn == NULL || cp_conn_busy(e->conn))
		return;
	if (e->state == SM_SETUP && e->need_info)
		auth_ask_info(e, now);
	else if (e->state == SM_SETUP && e->need_events)
		auth_ask_events(e, now);
	else if (e->state == SM_CONFIGURE || e->state == SM_WATCH)
		next_watching(e, now);
}

uint64_t
session_wake(const struct engine *e)
{
	uint64_t wake, deadline;

	if (e->state == SM_BACKOFF || e->state == SM_CONNECT)
		return e->due.connect;
	if (e->conn == NULL)
		return UINT64_MAX;
	deadline = cp_conn_deadline(e->conn);
	if (deadline != 0)
		return deadline;
	wake = engine_latest(e, e->due.conf);
	return e->due.probe < wake ? e->due.probe : wake;
}
