/*
 * Drift and its repair.  A 250 is no proof and a 553 is no "nothing
 * happened": whatever Tor answers to SETCONF, everything is read back.
 */
#include "config.h" /* _GNU_SOURCE */

#include <stdio.h>
#include <string.h>

#include "controlproto/cmd.h"
#include "controlproto/reply.h"
#include "supervisor/engine/core.h"
#include "supervisor/log.h"

#define CONF_MS 1000
#define MINUTE_MS 60000

/*
 * Descriptors that Tor needs beside its listeners, at the very least: relays,
 * directories, control, a few clients.
 */
#define FILES_SPARE 32

/* A list that Tor refuses, for no listener's sake, is tried again after: */
#define AGAIN_MIN_MS 1000
#define AGAIN_MAX_MS 60000

/*
 * Somebody has changed something: listeners of these kinds are not proven
 * until they are read back, and not before they are opened anew.
 */
void
repair_doubt(struct engine *e, unsigned kinds, uint64_t now)
{
	prov_doubt(&e->prov, kinds);
	e->need_conf = e->need_probe = true;
	engine_publish(e);
	engine_decide(e, now);
}

/* A CONF_CHANGED: by somebody else, unless it says what we have just set. */
void
repair_on_changed(struct engine *e, const struct cp_reply *event,
    uint64_t now)
{
	bool network;
	unsigned kinds = prov_changed_kinds(&e->prov, event, &network);

	/* Whatever it is, it is looked at soon. */
	if (storm_is_calm(&e->asked_again, now))
		e->due.conf = now;
	if (network || kinds != 0)
		engine_unsettled(e, now);
	if (network) {
		facts_drop(&e->facts, FACT_CONF);
		uplink_doubt(e); /* nothing is looked up until it is read */
		e->need_conf = e->need_probe = true;
	}
	if (kinds != 0)
		repair_doubt(e, kinds, now);
	else
		engine_decide(e, now);
}

/* Tor's options are what its torrc says, again. */
void
repair_on_reload(struct engine *e, uint64_t now)
{
	facts_drop(&e->facts, FACT_CONF);
	e->reloaded = true;
	uplink_doubt(e);
	kept_doubt(e);
	repair_doubt(e, PROV_ALL_KINDS, now);
}

/* Tor's own limit, of which it says so but once in six hours; the kernel's. */
static bool
is_file_shortage(struct cp_str text)
{
	static const char own[] = "Failing because we have ";
	static const char kernel[] = "Too many open files";
	size_t n = sizeof own - 1;

	if (text.n >= n && memcmp(text.p, own, n) == 0)
		return true;
	return text.n != 0 &&
	    memmem(text.p, text.n, kernel, sizeof kernel - 1) != NULL;
}

/* Tor's log, while it opens listeners or has just failed to. */
void
repair_on_log(struct engine *e, struct cp_str text)
{
	if (!e->set_open && !e->bind_failed)
		return;
	if (is_file_shortage(text))
		e->tor.files_out = true;
	prov_hint(&e->prov, text);
}

bool
repair_lacks_files(const struct engine *e)
{
	size_t n = e->policy->nlisteners + FILES_SPARE;

	return e->tor.files_out ||
	    (e->tor.files > 0 && n > (unsigned long)e->tor.files);
}

void
repair_ask_conf(struct engine *e, uint64_t now)
{
	struct cp_cmd cmd = { 0 };

	e->need_conf = false;
	e->due.conf = now + CONF_MS;
	session_send(e, CMD_CONF, &cmd, prov_cmd_getconf(&e->prov, &cmd), now);
}

/*
 * Networking that is off when Tor comes, or reads torrc anew, is off on
 * purpose: to go out then, perhaps without the bridges that are still to be
 * chosen, could give somebody away.  Off in between is another controller's
 * doing, which is repaired like all else.
 */
static void
judge_network(struct engine *e)
{
	const bool fresh = !e->conf_read || e->reloaded;

	e->reloaded = false;
	if (!e->prov.network_off || e->policy->tor.enable)
		e->disabled = false;
	else if (fresh)
		e->disabled = true;
}

void
repair_on_conf(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	enum cp_err err;

	/* In doubt since this question was sent: the next one counts. */
	if (e->need_conf && cp_reply_is_ok(reply))
		return;
	err = prov_read_conf(&e->prov, reply);
	if (err != CP_OK) {
		session_refused(e, reply, err, now);
		return;
	}
	judge_network(e);
	e->conf_read = true;
	uplink_on_conf(e, reply, now);
	if (e->prov.network_off) {
		facts_drop(&e->facts, FACT_CONF);
		e->tor.progress_at = now; /* it cannot get any further */
	} else {
		facts_confirm(&e->facts, FACT_CONF, e->sent);
	}
	engine_publish(e);
	repair_judge(e, now);
}

/* Is there a reason for PLAN other than what somebody has done to Tor? */
static bool
is_our_own(const struct engine *e, enum prov_plan plan)
{
	if (!e->provisioned || e->joining || e->moved || e->bind_failed)
		return true;
	/* To shut them once more is no second half: they are open again. */
	return plan == PROV_CYCLE ? !prov_drifted(&e->prov) : e->cycling;
}

/* Note a repair; false when there were too many within a minute. */
static bool
count_repair(struct engine *e, enum prov_plan plan, uint64_t now)
{
	uint64_t *oldest = &e->repaired_at[0];

	if (is_our_own(e, plan)) {
		e->provisions++;
		return true;
	}
	for (unsigned i = 1; i < REPAIRS_PER_MINUTE; i++)
		if (e->repaired_at[i] < *oldest)
			oldest = &e->repaired_at[i];
	if (*oldest != 0 && now - *oldest < MINUTE_MS)
		return false;
	*oldest = now;
	e->repairs++;
	return true;
}

static void
start_repair(struct engine *e, enum prov_plan plan, uint64_t now)
{
	if (e->latch != LATCH_NONE)
		return;
	if (!count_repair(e, plan, now)) {
		e->latch = LATCH_FIGHT;
		facts_drop(&e->facts, FACT_FREE);
		log_warn("another controller keeps changing Tor's "
		    "configuration: staying closed until reprove");
		return;
	}
	e->setting = true;
	e->plan = plan;
}

static void
is_right(struct engine *e, uint64_t now)
{
	e->cycling = e->joining = e->moved = false;
	e->provisioned = true;
	e->again_ms = 0;
	engine_step(e, EV_CONF_OK, now);
}

/*
 * After a 553 whoever is to blame is left out.  With nobody left to blame the
 * list is tried again as it is, later and later.  So it is when Tor has no
 * descriptor left: to find out how many listeners would take up the very last
 * one would leave none for what the listeners are there for.
 */
static void
blame(struct engine *e, uint64_t now)
{
	if (e->blamed)
		return;
	e->blamed = true;
	e->due.again = now;
	if (!repair_lacks_files(e) && prov_blame(&e->prov, now))
		return;
	e->again_ms = e->again_ms == 0 ? AGAIN_MIN_MS : e->again_ms * 2;
	if (e->again_ms > AGAIN_MAX_MS)
		e->again_ms = AGAIN_MAX_MS;
	e->due.again = now + e->again_ms;
}

/* Has nothing happened since the last judgement that it could change? */
static bool
is_judged(const struct engine *e, uint64_t now)
{
	return e->state == SM_WATCH && e->judged == e->prov.version &&
	    now < e->due.retry;
}

void
repair_judge(struct engine *e, uint64_t now)
{
	enum prov_plan plan;

	if (e->need_conf || e->need_probe || is_judged(e, now))
		return;
	if (e->disabled) {
		e->setting = false;
		questions_clear(e);
		if (e->state == SM_WATCH)
			engine_step(e, EV_CONF_BAD, now);
		return;
	}
	if (e->setting) /* waits for something */
		return;
	if (e->bind_failed)
		blame(e, now);
	else if (prov_join(&e->prov, now))
		e->joining = true;
	prov_withhold(&e->prov);
	plan = prov_plan_make(&e->prov, now);
	e->due.retry = prov_next_retry(&e->prov);
	e->judged = e->prov.version;
	engine_publish(e);
	if (e->bind_failed && now < e->due.again)
		return;
	/* Tor goes on trying what it refused until it gets another list. */
	if (e->bind_failed && plan == PROV_DONE)
		plan = PROV_SET;
	if (plan == PROV_DONE)
		is_right(e, now);
	else if (e->state == SM_WATCH)
		engine_step(e, EV_CONF_BAD, now); /* look again first */
	else
		start_repair(e, plan, now);
}

void
repair_ask_setconf(struct engine *e, uint64_t now)
{
	struct cp_cmd cmd = { 0 };

	e->setting = e->bind_failed = e->joining = e->moved = false;
	e->provisioned = e->set_open = true;
	questions_clear(e);
	e->cycling = e->plan == PROV_CYCLE;
	session_send(e, CMD_SETCONF, &cmd,
	    prov_cmd_setconf(&e->prov, &cmd, e->plan, now), now);
}

static void
latch_refusal(struct engine *e, const struct cp_reply *reply)
{
	struct cp_str text = cp_reply_text(reply, cp_reply_nlines(reply) - 1);

	e->latch = LATCH_REFUSED;
	facts_drop(&e->facts, FACT_FREE);
	log_esc(e->latch_text, sizeof e->latch_text / 2, text.p, text.n);
	log_warn("Tor refuses the policy's listeners: %u %s",
	    cp_reply_code(reply), e->latch_text);
}

/* Could a listener not be bound?  Other refusals are for good. */
static bool
is_bind_failure(const struct cp_reply *reply)
{
	static const char prefix[] = "Unable to set option";
	struct cp_str text = cp_reply_text(reply, 0);

	return cp_reply_code(reply) == 553 && text.n >= sizeof prefix - 1 &&
	    memcmp(text.p, prefix, sizeof prefix - 1) == 0;
}

void
repair_on_setconf(struct engine *e, const struct cp_reply *reply,
    uint64_t now)
{
	e->set_open = false;
	if (cp_reply_is_ok(reply)) {
		e->tor.files_out = false;
		prov_accepted(&e->prov);
	} else if (is_bind_failure(reply)) {
		/*
		 * Tor has kept what both lists have and keeps trying the list
		 * that it refused.  The read-back shows what is open, the
		 * kernel and Tor's log show who is to blame.
		 */
		e->bind_failed = true;
		e->blamed = e->cycling = false;
	} else {
		latch_refusal(e, reply);
	}
	engine_step(e, EV_CONF_BAD, now);
}

void
repair_unlatch(struct engine *e)
{
	e->latch = LATCH_NONE;
	e->latch_text[0] = '\0';
	memset(e->repaired_at, 0, sizeof e->repaired_at);
	e->again_ms = 0;
	e->due.again = 0;
}
