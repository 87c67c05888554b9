/*
 * The isolation check: Tor's STREAM events are subscribed to while it runs
 * and at no other time, for they carry what users ask for.  It stops with
 * the session, with the gate's opening, and with who asked for it.
 */
#include <stdio.h>
#include <string.h>

#include "controlproto/cmd.h"
#include "controlproto/reply.h"
#include "supervisor/engine/core.h"
#include "supervisor/engine/isolation.h"
#include "supervisor/engine/verdict.h"
#include "supervisor/log.h"

/* Thousands of listeners take seconds, dozens of circuits up to a minute. */
#define CHECK_MS 60000
/* A client that hears nothing for longer would give up. */
#define SAY_MS 5000

static const char *const reject_option[] = { "ClientRejectInternalAddresses" };

static void
say(struct engine *e, bool ok, bool more, const char *text)
{
	tell_answer(e, (struct snap_result){ .ok = ok, .more = more,
	    .id = e->check.id }, text);
}

/* Nothing was shown of any listener: no verdict on them. */
static void
refuse(struct engine *e, uint64_t id, const char *text)
{
	tell_answer(e, (struct snap_result){ .refused = 1, .id = id }, text);
}

/* The subscription is taken back by check_ask(). */
static void
clear(struct engine *e)
{
	struct check *c = &e->check;

	if (c->iso != NULL)
		for (int i = 0; i < ISO_SLOTS; i++)
			e->ops->client_close(e->arg, i);
	iso_free(c->iso);
	c->iso = NULL;
	c->step = CHECK_NONE;
}

static void
stop(struct engine *e, const char *text)
{
	refuse(e, e->check.id, text);
	clear(e);
}

static bool
gate_is_open(const struct engine *e)
{
	return e->gate_known && e->asked == GATE_OPEN && e->asked_valid &&
	    e->report.position == GATE_OPEN;
}

void
check_begin(struct engine *e, const struct snap_verb *v, uint64_t now)
{
	struct check *c = &e->check;

	if (c->step != CHECK_NONE) {
		refuse(e, v->id,
		    "A check of the isolation is already running.");
		return;
	}
	if (!gate_is_open(e) || e->state != SM_WATCH) {
		refuse(e, v->id,
		    "The isolation can be checked only while the gate is "
		    "open: the check itself is a client of the listeners.");
		return;
	}
	c->step = CHECK_ASK_CONF;
	c->id = v->id;
	c->epoch = e->report.epoch;
	c->ends = now + CHECK_MS;
	c->say_at = now + SAY_MS;
}

bool
check_due(const struct engine *e)
{
	const struct check *c = &e->check;

	return c->step == CHECK_ASK_CONF || c->step == CHECK_ASK_STREAMS ||
	    (c->step == CHECK_NONE && c->streams);
}

void
check_ask(struct engine *e, uint64_t now)
{
	struct check *c = &e->check;
	struct cp_cmd cmd = { 0 };

	if (c->step == CHECK_ASK_CONF) {
		c->step = CHECK_CONF_SENT;
		session_send(e, CMD_CHECK_CONF, &cmd,
		    cp_cmd_getconf(&cmd, reject_option, 1), now);
	} else if (c->step == CHECK_ASK_STREAMS) {
		c->step = CHECK_STREAMS_SENT;
		c->streams = true;
		auth_send_events(e, CMD_STREAMS_ON, true, now);
	} else {
		auth_send_events(e, CMD_STREAMS_OFF, false, now);
	}
}

/* Only a plain 1 is a yes: a no costs the proof of the TransPorts. */
static bool
says_one(const struct cp_reply *reply)
{
	struct cp_conf conf;

	return cp_reply_is_ok(reply) && cp_reply_nconf(reply) == 1 &&
	    cp_reply_conf(reply, &conf, 0) == CP_OK &&
	    cp_str_is_nocase(conf.key, reject_option[0]) &&
	    cp_str_is(conf.value, "1");
}

void
check_on_conf(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	struct check *c = &e->check;

	(void)now;
	if (c->step != CHECK_CONF_SENT)
		return; /* that check has ended */
	c->iso = iso_new(e->policy, e->prov.now, says_one(reply),
	    c->ends);
	for (size_t i = 0; i < e->policy->nlisteners; i++)
		if (prov_listener_proven(&e->prov, i))
			iso_add(c->iso, (uint32_t)i);
	c->version = e->prov.version;
	c->step = CHECK_ASK_STREAMS;
}

void
check_on_streams(struct engine *e, const struct cp_reply *reply,
    uint64_t now)
{
	(void)now;
	if (e->check.step != CHECK_STREAMS_SENT)
		return; /* that check has ended */
	if (cp_reply_is_ok(reply))
		e->check.step = CHECK_RUNNING;
	else
		stop(e, "Tor does not report its streams to us.");
}

/* Users' destinations must not go on coming: rather a new session. */
void
check_on_quiet(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	e->check.streams = false;
	if (!cp_reply_is_ok(reply))
		engine_lose(e, LOSS_OLD, "STREAM events cannot be ended", now);
}

void
check_on_stream(struct engine *e, const struct cp_event *ev)
{
	int slot;

	if (e->check.step != CHECK_RUNNING)
		return;
	slot = iso_event(e->check.iso, ev);
	if (slot != -1)
		e->ops->client_close(e->arg, slot);
}

void
engine_client_lost(struct engine *e, int slot)
{
	if (e->check.step == CHECK_RUNNING && slot >= 0 && slot < ISO_SLOTS)
		iso_failed(e->check.iso, slot);
}

/*
 * What Tor has shown is more than what we remember to have set.  A listener
 * that is in doubt since then is not proven any more, and stays in doubt.
 */
static void
remember(struct engine *e)
{
	size_t n;
	const struct iso_evidence *ev = iso_evidence(e->check.iso, &n);
	enum iso_flags flags;

	for (size_t i = 0; i < n; i++) {
		flags = verdict_flags(&ev[i], e->policy);
		/* Flags that no stream shows may be old ones all the same. */
		if (flags == ISO_FLAGS_RIGHT && !verdict_covers(
		    &e->policy->listeners[ev[i].listener]))
			continue;
		if (flags != ISO_FLAGS_UNKNOWN &&
		    prov_listener_proven(&e->prov, ev[i].listener) &&
		    prov_flags_seen(&e->prov, ev[i].listener,
		    flags == ISO_FLAGS_RIGHT))
			e->need_conf = e->need_probe = true;
	}
	engine_publish(e);
}

static void
finish(struct engine *e)
{
	struct verdict v;
	char text[SNAP_TEXT];

	iso_judge(e->check.iso, &v);
	for (size_t i = 0; i < v.nfails && i < VERDICT_MAX_FAILS; i++) {
		verdict_failure(text, sizeof text, &v.fails[i], e->policy,
		    e->prov.now);
		say(e, false, true, text);
	}
	if (v.nfails > VERDICT_MAX_FAILS) {
		(void)snprintf(text, sizeof text, "... and %zu more.",
		    v.nfails - VERDICT_MAX_FAILS);
		say(e, false, true, text);
	}
	verdict_summary(text, sizeof text, &v);
	say(e, verdict_ok(&v), false, text);
	remember(e);
	clear(e);
}

/*
 * What is shut, if only for a moment, may come back with other flags.  All
 * that puts a listener in doubt has it read anew, which takes a round trip.
 */
static void
look_for_shut(struct engine *e)
{
	struct check *c = &e->check;
	size_t n;
	const struct iso_evidence *ev;

	if (c->version == e->prov.version)
		return;
	c->version = e->prov.version;
	ev = iso_evidence(c->iso, &n);
	for (size_t i = 0; i < n; i++)
		if (!prov_listener_proven(&e->prov, ev[i].listener))
			iso_disturbed(c->iso, i);
}

/* Keep the slots busy; false without randomness. */
static bool
fill_slots(struct engine *e, uint64_t now)
{
	struct check *c = &e->check;
	unsigned char rnd[ISO_RANDOM];
	char source[ISO_SOURCE_LEN];
	struct iso_probe p;
	int slot;

	while ((slot = iso_expire(c->iso, now)) != -1)
		e->ops->client_close(e->arg, slot);
	for (;;) {
		if (e->ops->random(e->arg, rnd, sizeof rnd) == -1)
			return false;
		slot = iso_next(c->iso, &p, rnd, now);
		if (slot == -1)
			return true;
		if (e->ops->client_open(e->arg, source, slot, &p) == 0)
			iso_connected(c->iso, slot, source);
		else
			iso_failed(c->iso, slot);
	}
}

static void
run(struct engine *e, uint64_t now)
{
	struct check *c = &e->check;
	char text[SNAP_TEXT];

	if (!fill_slots(e, now)) {
		stop(e, "The check ended: there is no randomness.");
	} else if (iso_over(c->iso, now)) {
		finish(e);
	} else if (now >= c->say_at) {
		c->say_at = now + SAY_MS;
		iso_progress(c->iso, text, sizeof text);
		say(e, true, true, text);
	}
}

void
check_tick(struct engine *e, uint64_t now)
{
	struct check *c = &e->check;

	if (c->step == CHECK_NONE)
		return;
	if (c->iso != NULL)
		look_for_shut(e);
	if (!gate_is_open(e) || e->report.epoch != c->epoch)
		stop(e, "The gate closed during the check: try again when it "
		    "is open.");
	else if (c->step == CHECK_RUNNING)
		run(e, now);
	else if (now >= c->ends)
		stop(e, "Tor was too busy to be checked: try again.");
}

uint64_t
check_wake(const struct engine *e)
{
	const struct check *c = &e->check;
	uint64_t wake;

	if (c->step == CHECK_NONE)
		return UINT64_MAX;
	if (c->step != CHECK_RUNNING)
		return c->ends;
	wake = iso_wake(c->iso);
	return c->say_at < wake ? c->say_at : wake;
}

void
check_lost(struct engine *e)
{
	e->check.streams = false;
	if (e->check.step != CHECK_NONE)
		stop(e, "The connection to Tor was lost during the check.");
}

void
check_abandon(struct engine *e)
{
	if (e->check.step != CHECK_NONE)
		clear(e);
}
