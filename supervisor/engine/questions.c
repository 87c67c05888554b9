#include "supervisor/engine/questions.h"

#include <string.h>

#include "controlproto/cmd.h"
#include "controlproto/event.h"
#include "controlproto/reply.h"
#include "supervisor/engine/core.h"
#include "supervisor/log.h"

static const char *const list_keys[] = { "stream-status" };

void
questions_clear(struct engine *e)
{
	memset(&e->questions, 0, sizeof e->questions);
}

static void
begin(struct engine *e, uint64_t now)
{
	struct questions *q = &e->questions;

	questions_clear(e);
	q->open = true;
	q->ends = now + e->policy->lease_ms + QUESTIONS_MS;
}

/* Is the gate to let clients in to a DNSPort that is proven, or not? */
static bool
lets_ask(const struct engine *e, bool proven)
{
	const struct pol_policy *p = e->policy;

	for (unsigned i = 0; i < p->nlisteners; i++)
		if (p->listeners[i].kind == POL_DNS &&
		    gate_map_get(e->asked_proven, i) &&
		    prov_listener_proven(&e->prov, i) == proven)
			return true;
	return false;
}

/*
 * Is it known that nobody whom the gate lets in can ask by what is to be shut?
 * That is not proven: the gate has to have done what it was asked for since.
 * Without a gate it is its lease that ends.
 */
static bool
is_shut(struct engine *e, uint64_t now)
{
	struct questions *q = &e->questions;

	if (!e->gate_up) {
		if (q->alone_at == 0)
			q->alone_at = now;
		return now - q->alone_at >= e->policy->lease_ms;
	}
	if (!e->gate_known || e->report.known == 0 || !e->asked_valid ||
	    e->report.seq < e->changed_seq)
		return false;
	return !ask_is_up(e->report.position) ||
	    (ask_is_up(e->asked) && !lets_ask(e, false));
}

/* Better a Tor that may be lost than listeners that never come. */
static void
give_up(struct engine *e, const char *why)
{
	log_warn("a DNSPort is shut with questions under way, which Tor may "
	    "not survive: %s", why);
	e->questions.given_up = true;
}

enum questions_step
questions_step(struct engine *e, uint64_t now)
{
	struct questions *q = &e->questions;

	/* What was read is void, and which are to be shut with it. */
	if (e->need_conf || e->need_probe) {
		questions_clear(e);
		return QUESTIONS_WAIT;
	}
	if (!prov_shuts_dns(&e->prov, e->plan, now))
		return QUESTIONS_NONE;
	if (!q->open)
		begin(e, now);
	if (q->given_up || q->none_left)
		return QUESTIONS_NONE;
	if (now >= q->ends)
		give_up(e, q->listed ? "they take too long to end" :
		    "the gate was not seen to be shut");
	else if (q->n == 0 && q->rounds == QUESTIONS_ROUNDS)
		give_up(e, "there are more and more");
	if (q->given_up)
		return QUESTIONS_NONE;
	/*
	 * Others may be open meanwhile, by what these two prove; and of
	 * streams that we end Tor is to tell nothing after the check.
	 */
	if (!is_shut(e, now) || now >= e->due.probe || now >= e->due.conf ||
	    check_due(e))
		return QUESTIONS_WAIT;
	return QUESTIONS_ASK;
}

void
questions_ask(struct engine *e, uint64_t now)
{
	struct questions *q = &e->questions;
	struct cp_cmd cmd = { 0 };

	if (q->n > 0) {
		session_send(e, CMD_CLOSE, &cmd,
		    cp_cmd_closestream(&cmd, q->id[--q->n]), now);
		return;
	}
	q->rounds++;
	session_send(e, CMD_QUESTIONS, &cmd,
	    cp_cmd_getinfo(&cmd, list_keys, 1), now);
}

/*
 * With a circuit or without: both are questions.  Those of a SocksPort are
 * among them and cannot be told apart; who asked gets an error, and asks again.
 */
static bool
is_question(struct cp_str status)
{
	return cp_str_is(status, "NEWRESOLVE") ||
	    cp_str_is(status, "SENTRESOLVE");
}

/* Returns cp_streams_next()'s last word. */
static int
take(struct questions *q, struct cp_str list, uint64_t *newest)
{
	struct cp_str status;
	uint64_t id;
	int rc;

	while ((rc = cp_streams_next(&id, &status, &list)) > 0) {
		if (!is_question(status) || id > q->newest)
			continue;
		if (id > *newest)
			*newest = id;
		if (q->n < QUESTIONS_MAX)
			q->id[q->n++] = id;
	}
	return rc;
}

void
questions_on_list(struct engine *e, const struct cp_reply *reply,
    uint64_t now)
{
	struct questions *q = &e->questions;
	uint64_t newest = 0;
	struct cp_str list;
	enum cp_err err = cp_reply_getinfo(reply, &list, list_keys, 1);

	q->n = 0;
	if (!q->listed)
		q->newest = UINT64_MAX;
	if (err == CP_OK && take(q, list, &newest) != 0)
		err = CP_ERR_SYNTAX;
	if (err != CP_OK) {
		session_refused(e, reply, err, now);
		return;
	}
	/* By a DNSPort that stays open more come, which are not ended. */
	if (!q->listed && lets_ask(e, true))
		q->newest = newest;
	q->listed = true;
	q->none_left = q->n == 0;
}

/* Whatever the answer: the next list shows what there is still. */
void
questions_on_closed(struct engine *e, const struct cp_reply *reply,
    uint64_t now)
{
	(void)e;
	(void)reply;
	(void)now;
}

uint64_t
questions_wake(const struct engine *e, uint64_t now)
{
	const struct questions *q = &e->questions;
	const uint64_t alone_ends = q->alone_at + e->policy->lease_ms;

	if (!q->open || q->given_up || q->none_left)
		return UINT64_MAX;
	if (q->alone_at != 0 && alone_ends > now)
		return alone_ends;
	/* What holds it up after that is something else, which wakes us. */
	return q->ends > now ? q->ends : UINT64_MAX;
}
