/*
 * What people are told of Tor beyond the facts.
 */
#include <stdio.h>
#include <string.h>

#include "supervisor/engine/core.h"
#include "supervisor/log.h"

/*
 * With circuits and a directory Tor is asked for a test circuit every few
 * seconds, each of which takes 1 to 3 s: after this it is not for want of
 * time that nothing has shown them to work.
 */
#define NO_EVIDENCE_MS 20000

/* Is there evidence, within its bound, that circuits carry traffic? */
static enum snap_known
usable(const struct engine *e, uint64_t now)
{
	const struct facts *f = &e->facts;

	if (!facts_holds(f, FACT_ALIVE, now))
		return SNAP_UNKNOWN;
	if (!facts_holds(f, FACT_BOOT, now) ||
	    !facts_holds(f, FACT_CIRCUIT, now))
		return SNAP_NO;
	if (facts_holds(f, FACT_USABLE, now))
		return SNAP_YES;
	return f->at[FACT_USABLE] == 0 &&
	    now - e->ev.since < NO_EVIDENCE_MS ? SNAP_UNKNOWN : SNAP_NO;
}

static void
fill_boot(const struct engine *e, struct snap_tor *t)
{
	const struct about *a = &e->about;

	memcpy(t->boot_line, a->line, sizeof t->boot_line);
	memcpy(t->boot_severity, a->severity, sizeof t->boot_severity);
	memcpy(t->boot_reason, e->tor.why, sizeof t->boot_reason);
	memcpy(t->boot_recommendation, a->recommendation,
	    sizeof t->boot_recommendation);
	t->boot_count = a->count;
}

static void
fill_consensus(const struct engine *e, struct snap_tor *t)
{
	const struct consensus *c = &e->about.consensus;

	t->clock = consensus_clock(c, e->ops->wall(e->arg));
	t->valid_after = c->valid_after;
	t->fresh_until = c->fresh_until;
	t->valid_until = c->valid_until;
	t->skew_known = e->tor.skewed;
	t->skew_s = e->tor.skewed ? e->tor.skew_s : 0;
}

_Static_assert(sizeof((struct tor_info *)NULL)->why ==
    sizeof((struct snap_tor *)NULL)->boot_reason, "one is copied to the other");

void
tell_tor_fill(const struct engine *e, struct snap_tor *t, uint64_t now)
{
	const struct about *a = &e->about;

	memset(t, 0, sizeof *t);
	t->restarts = a->restarts;
	t->timesync = e->timesync;
	t->usable = usable(e, now);
	if (!session_up(e)) {
		(void)snprintf(t->lost, sizeof t->lost, "%s",
		    tell_lost(e->loss)->text);
		return;
	}
	if (e->conf_read)
		t->enabled = e->prov.network_off ? SNAP_NO : SNAP_YES;
	t->dormant = a->dormant;
	t->auth = a->auth;
	memcpy(t->since, a->since, sizeof t->since);
	t->built_id = a->built_id;
	memcpy(t->built, a->built, sizeof t->built);
	fill_boot(e, t);
	fill_consensus(e, t);
}

bool
tell_tor_same(const struct snap_tor *a, const struct snap_tor *b)
{
	return a->enabled == b->enabled && a->dormant == b->dormant &&
	    a->auth == b->auth && a->restarts == b->restarts &&
	    strcmp(a->since, b->since) == 0 &&
	    strcmp(a->lost, b->lost) == 0 &&
	    strcmp(a->boot_severity, b->boot_severity) == 0 &&
	    strcmp(a->boot_reason, b->boot_reason) == 0 &&
	    strcmp(a->boot_recommendation, b->boot_recommendation) == 0 &&
	    a->usable == b->usable && a->clock == b->clock &&
	    a->timesync == b->timesync && a->skew_known == b->skew_known &&
	    a->valid_after == b->valid_after &&
	    a->fresh_until == b->fresh_until &&
	    a->valid_until == b->valid_until;
}
