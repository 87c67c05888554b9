/*
 * A change goes through these steps; a failure before SETTING refuses it, one
 * after it rolls it back.
 *
 *	PREFLIGHT	files, names, programs, proxy; a dry run ends here
 *	SETTING		the keeper remembers, the gate is shut, then SETCONF
 *	WATCHING	until a new circuit is built, or time is up
 *	KEEPING		the keeper writes it down
 *	ROLLING_BACK	SETCONF of what was there before, until it is taken
 */
#include "supervisor/engine/apply.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/engine/changing.h"
#include "supervisor/engine/core.h"
#include "supervisor/log.h"

/* Names, one after the other, and three bridges that do not answer. */
#define PREFLIGHT_MS 50000
#define SETTING_MS 30000
#define KEEPER_MS 5000
/* It waits for the disk. */
#define KEEP_MS 30000
/* Who asked gives up when nothing was said for a minute. */
#define SAY_MS 15000
#define AGAIN_MS 5000
/* A name that has not come back by then will not: see changing_lost_way(). */
#define ROLL_BACK_MS 120000

void
apply_init(struct engine *e)
{
	e->apply = (struct apply){ .progress = -1 };
}

static void
drop(struct pol_uplink **u)
{
	if (*u != NULL)
		explicit_bzero(*u, sizeof **u);
	free(*u);
	*u = NULL;
}

void
apply_clear(struct engine *e)
{
	drop(&e->apply.next);
	drop(&e->apply.before);
}

bool
apply_busy(const struct engine *e)
{
	return kept_busy(e) || (changing_under_way(&e->apply) &&
	    e->apply.step != SNAP_A_PREFLIGHT);
}

void
apply_status_lost(struct engine *e)
{
	e->apply.id = 0;
}

void
apply_snapshot(const struct engine *e, struct snapshot *s)
{
	s->apply_step = e->apply.step;
	memcpy(s->apply_text, e->apply.text, sizeof s->apply_text);
	memcpy(s->apply_since, e->apply.since, sizeof s->apply_since);
}

/* --- what is told -------------------------------------------------------- */

static void
tell(struct engine *e, struct snap_result r, const char *text)
{
	r.id = e->apply.id;
	if (r.id != 0)
		tell_answer(e, r, text);
	e->apply.say_at = UINT64_MAX;
}

static void say(struct engine *e, uint64_t now, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* A sentence on the way; another follows. */
static void
say(struct engine *e, uint64_t now, const char *fmt, ...)
{
	char text[SNAP_TEXT];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	tell(e, (struct snap_result){ .ok = 1, .more = 1 }, text);
	e->apply.say_at = now + SAY_MS;
}

static void because(struct apply *a, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
because(struct apply *a, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(a->text, sizeof a->text, fmt, ap);
	va_end(ap);
}

static void
enter(struct engine *e, enum snap_apply_step step, uint64_t ends)
{
	struct apply *a = &e->apply;

	log_info("change: %s", snap_apply_step_name(step));
	a->step = step;
	e->ops->utc(e->arg, a->since, sizeof a->since);
	a->ends = ends;
	a->open = false;
	a->keeper = (struct apply_keeper){ .id = a->keeper.id };
}

/* The end of it, in STEP; OK is the verdict, a->text the sentence. */
static void
finish(struct engine *e, enum snap_apply_step step, bool ok)
{
	struct apply *a = &e->apply;
	struct snap_result r = { .ok = ok };

	if (step == SNAP_A_REFUSED)
		r = (struct snap_result){ .refused = 1 };
	uplink_consider(e, NULL);
	/* What was tried is not what Tor has. */
	e->tryout.verdict = NAME_V_NONE;
	e->tryout.wanted = true;
	enter(e, step, UINT64_MAX);
	tell(e, r, a->text);
	a->id = 0;
	drop(&a->next);
	drop(&a->before);
}

static void
refuse(struct engine *e, const char *why)
{
	because(&e->apply, "Nothing was changed: %.168s", why);
	finish(e, SNAP_A_REFUSED, false);
}

/* --- the keeper ---------------------------------------------------------- */

/* Ask it; -1: it could not be told. */
static int
ask_keeper(struct engine *e, enum link_change_step step, uint64_t now)
{
	struct apply *a = &e->apply;
	struct link_change *c = xcalloc(1, sizeof *c);
	int rc;

	a->keeper = (struct apply_keeper){ .step = step,
		.id = a->keeper.id + 1, .ends = now +
		    (step == LINK_CHANGE_KEEP ? KEEP_MS : KEEPER_MS) };
	c->magic = LINK_CHANGE_MAGIC;
	c->step = step;
	c->id = a->keeper.id;
	if (step == LINK_CHANGE_REMEMBER) {
		c->uplink = *a->before;
		uplink_proxy_addr(e, &c->addr, a->before);
	}
	if (step == LINK_CHANGE_KEEP) {
		c->uplink = *a->next;
		uplink_proxy_addr(e, &c->addr, a->next);
	}
	rc = e->ops->change(e->arg, c);
	explicit_bzero(c, sizeof *c);
	free(c);
	return rc;
}

void
engine_kept(struct engine *e, const struct link_kept *k, uint64_t now)
{
	struct apply_keeper *q = &e->apply.keeper;

	(void)now;
	if (q->step == LINK_CHANGE_NONE || q->answered || k->id != q->id)
		return; /* of a question that was given up */
	q->answered = true;
	q->error = k->error;
}

/*
 * It remembers what is over until it says that it has forgotten: otherwise
 * the next engine would roll back what works.
 */
static void
forget_tick(struct engine *e, uint64_t now)
{
	struct apply *a = &e->apply;

	if (!a->forget || changing_under_way(a))
		return;
	if (a->keeper.step == LINK_CHANGE_FORGET && a->keeper.answered)
		a->forget = false;
	else if (a->keeper.step != LINK_CHANGE_FORGET || now >= a->keeper.ends)
		(void)ask_keeper(e, LINK_CHANGE_FORGET, now); /* again then */
}

/* --- preflight ----------------------------------------------------------- */

static void
begin_setting(struct engine *e, uint64_t now)
{
	struct apply *a = &e->apply;

	if (a->preflight.blind)
		say(e, now, "The proxy cannot be tried beforehand: there is "
		    "no resolver process (policy, section resolver).");
	if (a->dry_run) {
		because(a, "Nothing speaks against it; nothing was changed, "
		    "as this was a dry run.");
		finish(e, SNAP_A_CHECKED, true);
		return;
	}
	enter(e, SNAP_A_SETTING, now + SETTING_MS);
	say(e, now, "Nothing speaks against it: it is set now, with the gate "
	    "closed.");
	if (ask_keeper(e, LINK_CHANGE_REMEMBER, now) == -1)
		refuse(e, "the keeper cannot be told what to remember.");
	else
		engine_decide(e, now); /* shut */
}

static void
preflight(struct engine *e, uint64_t now)
{
	struct apply *a = &e->apply;
	enum preflight_step step;

	if (!session_up(e)) {
		refuse(e, "the control connection to Tor was lost.");
		return;
	}
	step = preflight_look(e, &a->preflight, a->next, now);
	if (step == PREFLIGHT_BAD)
		refuse(e, a->preflight.fault);
	else if (step == PREFLIGHT_OK)
		begin_setting(e, now);
	else if (now >= a->ends)
		refuse(e, a->preflight.named ?
		    "trying bridges or proxy took too long." :
		    "looking up the names took too long.");
}

/* --- setting ------------------------------------------------------------- */

static void
roll_back(struct engine *e, uint64_t now)
{
	struct apply *a = &e->apply;

	uplink_watch(e, false, now);
	/* What had a name before may need it again. */
	uplink_consider(e, a->before);
	enter(e, SNAP_A_ROLLING_BACK, UINT64_MAX);
	a->again = now;
	say(e, now, "It does not work: %.150s", a->text);
}

/* The keeper has to remember before Tor is told anything. */
static bool
is_remembered(struct engine *e, uint64_t now)
{
	const struct apply_keeper *q = &e->apply.keeper;

	if (!q->answered && now < q->ends)
		return false;
	if (q->answered && q->error == 0)
		return true;
	e->apply.forget = true; /* it may have done it all the same */
	refuse(e, "the keeper could not remember what is there now.");
	return false;
}

static void
setting(struct engine *e, uint64_t now)
{
	struct apply *a = &e->apply;

	if (!is_remembered(e, now))
		return;
	if (!a->open) {
		if (now >= a->ends || !session_up(e)) {
			a->forget = true;
			refuse(e, "the gate could not be shut, or Tor was "
			    "lost, before anything was set.");
			return;
		}
		if (changing_shut(e))
			a->open = uplink_set(e, a->next, now) == 0;
		return;
	}
	switch (uplink_state(e)) {
	case UPLINK_SET_OK:
		enter(e, SNAP_A_WATCHING, now +
		    changing_patience_ms(e->policy, a->next));
		uplink_watch(e, true, now);
		say(e, now, "Tor has taken it; now it has to build a "
		    "circuit.");
		break;
	case UPLINK_SET_REFUSED:
		because(a, "Tor refuses it: %.120s", uplink_refusal(e));
		roll_back(e, now);
		break;
	case UPLINK_SET_NONE:
	case UPLINK_SET_LOST:
		because(a, "The control connection was lost while it was "
		    "set.");
		roll_back(e, now);
		break;
	case UPLINK_SET_WAITING:
		if (now < a->ends)
			break;
		because(a, "Tor did not answer.");
		roll_back(e, now);
		break;
	}
}

/* --- watching ------------------------------------------------------------ */

static void
say_progress(struct engine *e, int progress, uint64_t now)
{
	if (progress < 0)
		say(e, now, "Nothing is known yet of Tor's bootstrap.");
	else if (progress < 100)
		say(e, now, "Tor is connecting: %d %% (%s).", progress,
		    e->tor.tag);
	else
		say(e, now, "Tor is bootstrapped; it has to show that a new "
		    "circuit can be built.");
}

/*
 * What was set ends with Tor, and with everybody else's SETCONF or reload:
 * whatever works after that is something else.
 */
static bool
is_lost(struct engine *e, uint64_t now)
{
	const bool up = session_up(e);

	if (up && (!e->uplink.known || changing_in_force(e, e->apply.next)))
		return false;
	because(&e->apply, up ? "Tor was given other bridges or another "
	    "proxy meanwhile." : "Tor went away.");
	roll_back(e, now);
	return true;
}

static void
watching(struct engine *e, uint64_t now)
{
	struct apply *a = &e->apply;
	const char *lost = changing_hopeless(e, now);
	struct uplink_evidence ev;

	if (is_lost(e, now))
		return;
	uplink_evidence(e, &ev);
	if (ev.progress == 100 && ev.dir && ev.circuit && ev.built &&
	    e->uplink.known) {
		uplink_watch(e, false, now);
		enter(e, SNAP_A_KEEPING, UINT64_MAX);
		return;
	}
	if (lost != NULL) {
		because(a, "%s", lost);
		roll_back(e, now);
		return;
	}
	if (now < a->ends) {
		if (ev.progress != a->progress || now >= a->say_at)
			say_progress(e, ev.progress, now);
		a->progress = ev.progress;
		return;
	}
	because(a, "No circuit was built in %u seconds: %s.",
	    (unsigned)(changing_patience_ms(e->policy, a->next) / 1000),
	    ev.progress < 100 ? "Tor was still connecting" :
	    "bridges or proxy do not answer");
	roll_back(e, now);
}

/* --- keeping and rolling back -------------------------------------------- */

static void
keeping(struct engine *e, uint64_t now)
{
	struct apply *a = &e->apply;
	const struct apply_keeper *q = &a->keeper;

	if (is_lost(e, now))
		return;
	if (e->policy->tor.torrc[0] == '\0') {
		a->forget = true;
		because(a, "It works.  It ends with Tor: name a file for it "
		    "in the policy (tor, \"torrc\") to keep it longer.");
		finish(e, SNAP_A_KEPT, true);
		return;
	}
	if (q->step == LINK_CHANGE_NONE) {
		/* What cannot be sent shows as an answer that never comes. */
		(void)ask_keeper(e, LINK_CHANGE_KEEP, now);
		return;
	}
	if (!q->answered && now < q->ends)
		return;
	if (q->answered && q->error == 0) {
		because(a, "It works, kept in %.99s.", e->policy->tor.torrc);
		kept_settled(e);
		finish(e, SNAP_A_KEPT, true);
		return;
	}
	if (q->answered)
		because(a, "It works, but %.80s could not be written (%s).",
		    e->policy->tor.torrc, strerror(q->error));
	else
		because(a, "It works, but the keeper does not say whether it "
		    "is kept.");
	roll_back(e, now);
}

/* Tor has what it has then: nothing opens before that has been proven. */
static bool
give_up(struct engine *e, uint64_t now)
{
	struct apply *a = &e->apply;

	if (!changing_lost_way(e))
		a->ends = UINT64_MAX;
	else if (a->ends == UINT64_MAX)
		a->ends = now + ROLL_BACK_MS;
	if (now < a->ends)
		return false;
	a->forget = true;
	because(a, "What was there before cannot be put back: %.90s cannot be "
	    "resolved.  Apply something else.", a->before->host);
	finish(e, SNAP_A_ROLLED_BACK, false);
	return true;
}

/* Until Tor has taken it: there is nothing better to do. */
static void
rolling_back(struct engine *e, uint64_t now)
{
	struct apply *a = &e->apply;
	char why[sizeof a->text];

	if (a->open && uplink_state(e) == UPLINK_SET_OK) {
		a->forget = true;
		memcpy(why, a->text, sizeof why);
		because(a, "What was there before is in force again.  %.140s",
		    why);
		finish(e, SNAP_A_ROLLED_BACK, false);
		return;
	}
	if (a->open && uplink_state(e) != UPLINK_SET_WAITING) {
		log_warn("change: Tor did not take back what it had: %s",
		    uplink_refusal(e));
		a->open = false;
		a->again = now + AGAIN_MS;
	}
	if (!a->open && now >= a->again && !give_up(e, now))
		a->open = uplink_set(e, a->before, now) == 0;
}

/* --- inputs -------------------------------------------------------------- */

void
engine_pending(struct engine *e, const struct link_pending *was)
{
	struct apply *a = &e->apply;

	a->before = xmalloc(sizeof *a->before);
	*a->before = was->uplink;
	uplink_pin_make(&e->uplink.old_pin, &was->uplink, &was->addr);
	because(a, "The supervisor was restarted in the middle of it.");
	log_warn("the last engine left a change unfinished: rolling back");
	uplink_consider(e, a->before);
	enter(e, SNAP_A_ROLLING_BACK, UINT64_MAX);
	a->say_at = UINT64_MAX; /* nobody waits for a word */
}

/* Why C cannot be begun; NULL: a->before and a->next are there. */
static const char *
cannot_begin(struct engine *e, const struct snap_change *c,
    char why[POL_UPLINK_WHY])
{
	struct apply *a = &e->apply;

	if (changing_forbidden(e) != NULL)
		return changing_forbidden(e);
	if (!pol_uplink_ok(&c->uplink, why, e->policy))
		return why;
	a->before = xcalloc(1, sizeof *a->before);
	if (!uplink_capture(e, a->before, why))
		return why;
	a->next = xmalloc(sizeof *a->next);
	*a->next = c->uplink;
	return NULL;
}

void
engine_change(struct engine *e, const struct snap_change *c, uint64_t now)
{
	struct apply *a = &e->apply;
	const struct snap_result busy = { .refused = 1, .id = c->id };
	char why[POL_UPLINK_WHY];
	const char *fault;

	/* What Tor has until it is given what is kept is no way back. */
	if (changing_under_way(a) || a->forget || kept_busy(e)) {
		tell_answer(e, busy, "Nothing was changed: another change is "
		    "under way.");
		return;
	}
	log_info("change of bridges or proxy asked for by uid=%u%s",
	    (unsigned)c->uid, c->dry_run != 0 ? " (dry run)" : "");
	*a = (struct apply){ .id = c->id, .dry_run = c->dry_run != 0,
		.progress = -1, .keeper.id = a->keeper.id };
	fault = cannot_begin(e, c, why);
	if (fault != NULL) {
		refuse(e, fault);
		return;
	}
	enter(e, SNAP_A_PREFLIGHT, now + PREFLIGHT_MS);
	uplink_consider(e, a->next);
	say(e, now, "It is looked at: %u bridge%s, %s%s.",
	    (unsigned)a->next->nbridges, a->next->nbridges == 1 ? "" : "s",
	    a->next->proxy == POL_PROXY_NONE ? "no proxy" : "proxy by ",
	    a->next->proxy == POL_PROXY_NONE ? "" :
	    pol_proxy_name((enum pol_proxy)a->next->proxy));
}

/* What a step does each time; the others have come to an end. */
static void (*const steps[SNAP_NASTEP])(struct engine *, uint64_t) = {
	[SNAP_A_PREFLIGHT] = preflight,
	[SNAP_A_SETTING] = setting,
	[SNAP_A_WATCHING] = watching,
	[SNAP_A_KEEPING] = keeping,
	[SNAP_A_ROLLING_BACK] = rolling_back,
};

void
apply_tick(struct engine *e, uint64_t now)
{
	const char *still;

	if (steps[e->apply.step] != NULL)
		steps[e->apply.step](e, now);
	still = changing_still(e);
	if (now >= e->apply.say_at && still != NULL)
		say(e, now, "%s", still);
	forget_tick(e, now);
}

/* What is over now has had its turn: only what is to come wakes. */
static void
wake_at(uint64_t *wake, uint64_t at, uint64_t now)
{
	if (at > now && at < *wake)
		*wake = at;
}

uint64_t
apply_wake(const struct engine *e, uint64_t now)
{
	const struct apply *a = &e->apply;
	uint64_t wake = UINT64_MAX;

	if (changing_under_way(a)) {
		wake_at(&wake, a->ends, now);
		wake_at(&wake, a->say_at, now);
	}
	if (a->step == SNAP_A_ROLLING_BACK)
		wake_at(&wake, a->again, now);
	if (a->keeper.step != LINK_CHANGE_NONE && !a->keeper.answered)
		wake_at(&wake, a->keeper.ends, now);
	return wake;
}
