/*
 * Drift and its repair.  A 250 is no proof and a 553 is no "nothing
 * happened": whatever Tor answers to SETCONF, everything is read back.
 */
#include <stdio.h>
#include <string.h>

#include "controlproto/cmd.h"
#include "controlproto/reply.h"
#include "supervisor/engine/core.h"
#include "supervisor/log.h"

#define CONF_MS 1000
#define MINUTE_MS 60000

/* Ports and addresses that could not be had are tried again after: */
#define RETRY_MIN_MS 5000
#define RETRY_MAX_MS 60000

/* Somebody has changed something: nothing is proven until read back. */
void
repair_doubt(struct engine *e, uint64_t now)
{
	facts_drop(&e->facts, FACT_CONF);
	e->need_conf = e->need_probe = true;
	engine_decide(e, now);
}

void
repair_ask_conf(struct engine *e, uint64_t now)
{
	struct cp_cmd cmd = { 0 };

	e->need_conf = false;
	e->due.conf = now + CONF_MS;
	session_send(e, CMD_CONF, &cmd, prov_cmd_getconf(&e->prov, &cmd), now);
}

void
repair_on_conf(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	enum cp_err err = prov_read_conf(&e->prov, reply);

	if (err != CP_OK) {
		engine_lose(e, err == CP_ERR_REFUSED ? LOSS_OLD : LOSS_BYTES,
		    cp_strerror(err), now);
		return;
	}
	e->conf_sent = e->sent;
	repair_judge(e, now);
}

static void
delay_retry(struct engine *e, uint64_t now)
{
	e->retry_delay = e->retry_delay == 0 ? RETRY_MIN_MS :
	    e->retry_delay * 2;
	if (e->retry_delay > RETRY_MAX_MS)
		e->retry_delay = RETRY_MAX_MS;
	e->due.retry = now + e->retry_delay;
}

/* Keep the set of listeners that are left out up to date. */
static void
update_withheld(struct engine *e, uint64_t now)
{
	if (prov_withhold(&e->prov)) {
		if (!e->bind_failed)
			delay_retry(e, now);
		e->bind_failed = false;
	} else if (now >= e->due.retry && prov_unwithhold(&e->prov)) {
		e->retrying = true;
		delay_retry(e, now);
	}
}

/* Note a repair; false when there were too many within a minute. */
static bool
count_repair(struct engine *e, uint64_t now)
{
	uint64_t *oldest = &e->repaired_at[0];

	if (!e->provisioned || e->cycling || e->retrying) {
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
	if (e->bind_failed) {
		if (e->restore)
			plan = PROV_DONE; /* the last accepted list */
		else if (now < e->due.retry)
			return;
		e->retrying = true;
		e->restore = false;
	}
	if (!count_repair(e, now)) {
		e->latch = LATCH_FIGHT;
		facts_drop(&e->facts, FACT_FREE);
		log_warn("another controller keeps changing Tor's "
		    "configuration: staying closed until reprove");
		return;
	}
	e->retrying = false;
	e->setting = true;
	e->plan = plan;
}

void
repair_judge(struct engine *e, uint64_t now)
{
	enum prov_plan plan;

	if (e->need_conf || e->need_probe || e->setting)
		return;
	update_withheld(e, now);
	plan = prov_plan_make(&e->prov);
	if (plan == PROV_DONE) {
		facts_confirm(&e->facts, FACT_CONF, e->conf_sent);
		e->bind_failed = e->cycling = e->retrying = false;
		e->provisioned = true;
		if (!prov_withheld_any(&e->prov))
			e->retry_delay = 0;
		engine_step(e, EV_CONF_OK, now);
		return;
	}
	facts_drop(&e->facts, FACT_CONF);
	if (e->state == SM_WATCH)
		engine_step(e, EV_CONF_BAD, now);
	else
		start_repair(e, plan, now);
}

void
repair_ask_setconf(struct engine *e, uint64_t now)
{
	struct cp_cmd cmd = { 0 };

	e->setting = false;
	e->provisioned = true;
	e->cycling = e->plan == PROV_CYCLE;
	session_send(e, CMD_SETCONF, &cmd,
	    prov_cmd_setconf(&e->prov, &cmd, e->plan), now);
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
	if (cp_reply_is_ok(reply)) {
		prov_accepted(&e->prov);
	} else if (is_bind_failure(reply)) {
		/*
		 * Tor has closed listeners and keeps trying the list that it
		 * refused.  Leave out what is taken, or go back to the last
		 * list that it took; the read-back below shows which.
		 */
		e->bind_failed = true;
		e->restore = e->prov.have_good && e->plan != PROV_DONE;
		e->cycling = false;
		delay_retry(e, now);
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
	e->retry_delay = 0;
	e->due.retry = 0;
}
