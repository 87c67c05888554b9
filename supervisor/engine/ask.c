/*
 * What the gate is asked for, and when.
 *
 * SYNC is asked for like OPEN, but with the bits of timesync listeners only.
 * From OPEN there is no way to it but through a close: TOR_ONLY is asked for,
 * and what is proven after that, in the new epoch, opens to SYNC.
 */
#include <string.h>

#include "supervisor/engine/core.h"
#include "supervisor/log.h"

/* A gate that does not take a message is tried again after this. */
#define GATE_AGAIN_MS 20

bool
ask_is_up(enum gate_position pos)
{
	return pos == GATE_OPEN || pos == GATE_SYNC;
}

/* The bits of a request for POS, whose number is returned. */
static uint32_t
bits_for(const struct engine *e, uint8_t *map, enum gate_position pos)
{
	memset(map, 0, POL_MAX_LISTENERS / 8);
	if (!ask_is_up(pos))
		return 0;
	memcpy(map, e->facts.proven, POL_MAX_LISTENERS / 8);
	if (pos == GATE_OPEN)
		return e->facts.nproven;
	for (size_t i = 0; i < POL_MAX_LISTENERS / 8; i++)
		map[i] &= e->for_sync[i];
	return e->facts.nsync;
}

/* One that the gate does not report: it says the same, with a newer proof. */
static bool
is_renewal(const struct engine *e, const struct gate_req *q)
{
	return e->asked_valid && ask_is_up(q->want) && q->want == e->asked &&
	    q->permits == e->asked_permits &&
	    memcmp(q->proven, e->asked_proven, sizeof q->proven) == 0 &&
	    memcmp(q->ifaddr, e->asked_ifaddr, sizeof q->ifaddr) == 0;
}

static void
ask_gate(struct engine *e, enum gate_position pos, uint64_t proof_ns)
{
	struct gate_req q;

	memset(&q, 0, sizeof q);
	q.magic = GATE_MAGIC;
	q.want = pos;
	q.epoch = e->facts.epoch;
	q.seq = ++e->gate_seq;
	q.permits = names_permits(e, pos);
	(void)bits_for(e, q.proven, pos);
	if (ask_is_up(pos)) {
		q.proof_ns = proof_ns;
		q.lease_ms = e->policy->lease_ms;
		memcpy(q.ifaddr, e->ifaddr, sizeof q.ifaddr);
	}
	if (ask_is_up(e->asked) && pos < e->asked)
		e->lowered_seq = q.seq;
	if (!is_renewal(e, &q))
		e->changed_seq = q.seq;
	e->asked_valid = e->ops->gate_send(e->arg, &q) == 0;
	if (q.permits != e->asked_permits)
		e->permits_seq = q.seq;
	e->asked_permits = q.permits;
	e->asked = pos;
	e->asked_proof = proof_ns;
	memcpy(e->asked_proven, q.proven, sizeof e->asked_proven);
	memcpy(e->asked_ifaddr, q.ifaddr, sizeof e->asked_ifaddr);
}

/*
 * A repeated OPEN or SYNC must say something new: a newer proof, or other
 * listeners; the others repeat by the clock.
 */
static bool
request_due(const struct engine *e, enum gate_position pos, uint64_t proof_ns,
    uint64_t now)
{
	uint8_t map[POL_MAX_LISTENERS / 8];

	if (pos != e->asked || names_permits(e, pos) != e->asked_permits)
		return true;
	if (!e->asked_valid || !ask_is_up(pos))
		return now >= e->due.gate;
	(void)bits_for(e, map, pos);
	return proof_ns > e->asked_proof ||
	    memcmp(e->asked_proven, map, sizeof map) != 0 ||
	    memcmp(e->asked_ifaddr, e->ifaddr, sizeof e->asked_ifaddr) != 0;
}

/*
 * Do we know in which epoch an OPEN would be?  The one that we ended counts
 * as over only when the gate has said so: an OPEN before that is refused.
 */
static bool
gate_is_ready(const struct engine *e)
{
	return e->gate_known && e->report.seq >= e->lowered_seq;
}

/* What to ask for now, of what facts_position() allows. */
static enum gate_position
choose(const struct engine *e, uint64_t now)
{
	enum gate_position pos = facts_position(&e->facts, now);

	if (e->state == SM_HALT)
		return GATE_CLOSED;
	if (ask_is_up(pos) && (!gate_is_ready(e) || apply_busy(e)))
		return GATE_TOR_ONLY;
	/* It would go up and down as often as Tor takes something back. */
	if (ask_is_up(pos) && !ask_is_up(e->asked) &&
	    !storm_is_calm(&e->taken_back, now))
		return GATE_TOR_ONLY;
	if (pos == GATE_SYNC && e->asked == GATE_OPEN)
		return GATE_TOR_ONLY;
	return pos;
}

void
engine_decide(struct engine *e, uint64_t now)
{
	enum gate_position pos = choose(e, now), before = e->asked;
	uint8_t map[POL_MAX_LISTENERS / 8];
	uint64_t proof_ns = 0;

	if (!e->gate_up) {
		e->asked = GATE_CLOSED;
		return;
	}
	if (ask_is_up(pos))
		proof_ns = facts_proof_ns(&e->facts, now);
	if (!request_due(e, pos, proof_ns, now))
		return;
	ask_gate(e, pos, proof_ns);
	e->due.gate = now + (e->asked_valid ? e->policy->probe_ms :
	    GATE_AGAIN_MS);
	if (pos == before)
		return;
	e->ops->utc(e->arg, e->since, sizeof e->since);
	tell_reason(e, now);
	log_info("asked gate=%s epoch=%llu proven=%u reason=%s",
	    gate_position_name(pos), (unsigned long long)e->facts.epoch,
	    (unsigned)bits_for(e, map, pos), e->reason_code);
}
