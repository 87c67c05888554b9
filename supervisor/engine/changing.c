#include "supervisor/engine/changing.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/engine/core.h"
#include "supervisor/engine/diagnosis.h"
#include "supervisor/log.h"

/* obfs4 took 4 s, meek 3 s on a quick network; snowflake looks for partners. */
#define QUICK_MS 120000
#define SLOW_MS 240000

/* Steps that a change is in until it has come to an end. */
static const struct {
	bool under_way;
	const char *still;
} steps[SNAP_NASTEP] = {
	[SNAP_A_PREFLIGHT] = { true, "It is still being looked at." },
	[SNAP_A_SETTING] = { true, "It is still being set." },
	[SNAP_A_WATCHING] = { true, NULL }, /* says itself how far it is */
	[SNAP_A_KEEPING] = { true, "It works, and is being written down." },
	[SNAP_A_ROLLING_BACK] = { true, "It is being rolled back: Tor cannot "
	    "be reached." },
};

bool
changing_under_way(const struct apply *a)
{
	return steps[a->step].under_way;
}

const char *
changing_forbidden(const struct engine *e)
{
	if (!session_up(e))
		return "Tor cannot be reached now; see \"portcullis status\".";
	if (e->disabled)
		return "Tor's networking is switched off: see \"portcullis "
		    "status\".";
	if (e->latch != LATCH_NONE)
		return "the gate is latched closed; see \"portcullis "
		    "status\".";
	return NULL;
}

const char *
changing_still(const struct engine *e)
{
	if (e->apply.step == SNAP_A_ROLLING_BACK && session_up(e))
		return "It is being rolled back: Tor has not taken it yet.";
	return steps[e->apply.step].still;
}

bool
changing_lost_way(const struct engine *e)
{
	const struct pol_uplink *before = e->apply.before;
	struct pol_addr addr;

	uplink_proxy_addr(e, &addr, before);
	return session_up(e) && e->uplink.known && addr.family == 0 &&
	    before->proxy != POL_PROXY_NONE;
}

bool
changing_shut(const struct engine *e)
{
	return e->gate_up && e->gate_known && !ask_is_up(e->asked) &&
	    e->report.seq >= e->lowered_seq && e->report.known != 0 &&
	    !ask_is_up((enum gate_position)e->report.position);
}

const char *
changing_hopeless(const struct engine *e, uint64_t now)
{
	const struct tor_info *t = &e->tor;

	if (e->apply.next->nbridges != 1 || !watch_stalled(e, now))
		return NULL;
	if (strcmp(t->why, "IDENTITY") == 0 || (t->said & SAID_IDENTITY) != 0)
		return "the bridge shows another key than its fingerprint.";
	if ((t->said & SAID_SOCKS) != 0)
		return "the transport cannot reach the bridge.";
	return NULL;
}

bool
changing_in_force(const struct engine *e, const struct pol_uplink *u)
{
	struct pol_uplink *is = xcalloc(1, sizeof *is);
	char why[POL_UPLINK_WHY];
	bool same = uplink_capture(e, is, why) && pol_uplink_same(is, u);

	explicit_bzero(is, sizeof *is);
	free(is);
	return same;
}

uint64_t
changing_patience_ms(const struct pol_policy *p, const struct pol_uplink *u)
{
	const struct pol_transport *t;
	char why[POL_UPLINK_WHY];
	struct pol_bridge b;
	size_t at;

	for (uint32_t i = 0; i < u->nbridges; i++) {
		if (!pol_bridge_parse(&b, why, u->bridge[i]) ||
		    b.transport[0] == '\0')
			continue;
		at = pol_transport_find(p, b.transport);
		t = &p->transports[at];
		if (at < p->ntransports && (t->dns || t->udp))
			return SLOW_MS;
	}
	return QUICK_MS;
}
