/*
 * What people are told: what is so, why, and what to do about it.
 */
#include <string.h>

#include "supervisor/engine/core.h"
#include "supervisor/engine/sentence.h"
#include "supervisor/log.h"

#define STATUS_MS 1000
/* It reports once a second when nothing happens, on a busy machine later. */
#define GATE_FRESH_MS 2000

static void
set_reason(struct engine *e, const struct facts_reason *r)
{
	sentence(e->reason_code, sizeof e->reason_code, "%s", r->code);
	sentence(e->reason, sizeof e->reason, "%s", r->text);
	sentence(e->advice, sizeof e->advice, "%s", r->advice);
}

static void
reason_free(struct engine *e)
{
	char words[SNAP_TEXT];

	if (e->hold) {
		set_reason(e, facts_reason(FACT_FREE));
		return;
	}
	if (e->latch == LATCH_FIGHT) {
		set_reason(e, tell_say(SAY_FIGHT));
		return;
	}
	set_reason(e, tell_say(SAY_REFUSED));
	sentence(e->reason, sizeof e->reason,
	    "Tor refuses the policy's listeners: %.120s",
	    privacy_text(words, sizeof words, &e->table.privacy,
	    e->latch_text));
}

/* Numbers: who has which name is not the engine's to look up. */
static void
reason_peer(struct engine *e)
{
	unsigned uid = e->peer_uid, tor = e->policy->tor.user.uid;

	set_reason(e, tell_lost(LOSS_PEER));
	if (uid == ENGINE_NOBODY)
		return;
	sentence(e->reason, sizeof e->reason,
	    "What listens at the control address runs as user %u, but by the "
	    "policy Tor is user %u.", uid, tor);
	if (uid == 0)
		sentence(e->advice, sizeof e->advice,
		    "If it is Tor, let it not run as root: set User in torrc "
		    "to the name of user %u, and restart it.", tor);
	else
		sentence(e->advice, sizeof e->advice,
		    "If that is Tor's user (getent passwd %u), write user = %u "
		    "into section \"tor\" of the policy; if not, find out what "
		    "listens there.", uid, uid);
}

/* The first listener that WHY is true of; SIZE_MAX if there is none. */
static size_t
first_with(const struct engine *e, enum snap_listener_why why)
{
	for (size_t i = 0; i < e->policy->nlisteners; i++)
		if (prov_why(&e->prov, i) == why)
			return i;
	return SIZE_MAX;
}

static void
reason_squatted(struct engine *e, size_t i)
{
	const struct prov_listener *l = &e->prov.l[i];

	set_reason(e, tell_say(SAY_SQUATTED));
	if (l->pid != 0)
		sentence(e->reason, sizeof e->reason,
		    "Process %d of user %u holds %s, where Tor should listen.",
		    l->pid, (unsigned)l->proof.uid, l->text);
	else
		sentence(e->reason, sizeof e->reason,
		    "A program of user %u holds %s, where Tor should listen.",
		    (unsigned)l->proof.uid, l->text);
}

static void
reason_files(struct engine *e)
{
	set_reason(e, tell_say(SAY_FILES));
	sentence(e->reason, sizeof e->reason,
	    "Tor may open too few files (it says: %ld) for %zu listeners and "
	    "its connections.", e->tor.files, e->policy->nlisteners);
}

static void
reason_refused(struct engine *e)
{
	char words[SNAP_TEXT];

	if (repair_lacks_files(e)) {
		reason_files(e);
		return;
	}
	set_reason(e, tell_say(SAY_LISTENERS));
	sentence(e->reason, sizeof e->reason,
	    "Tor could not open a listener: %.140s",
	    privacy_text(words, sizeof words, &e->table.privacy,
	    e->tor.last_warn));
}

static void
reason_conf(struct engine *e)
{
	if (e->disabled)
		set_reason(e, tell_say(SAY_DISABLED));
	else if (e->prov.network_off && e->conf_read)
		set_reason(e, tell_say(SAY_OFF));
	else if (e->bind_failed)
		reason_refused(e);
	else if (e->state == SM_CONFIGURE && e->provisioned)
		set_reason(e, tell_say(SAY_DRIFT));
	else
		set_reason(e, facts_reason(FACT_CONF));
}

/* Strict egress: Tor may reach nothing yet, so it cannot get further. */
static void
reason_no_relays(struct engine *e)
{
	const struct facts_reason *r = tell_say(SAY_RELAYS);

	set_reason(e, r);
	sentence(e->reason, sizeof e->reason, "%s%s%.110s", r->text,
	    e->relays.fault[0] != '\0' ? " " : "", e->relays.fault);
}

static void
reason_boot(struct engine *e, uint64_t now)
{
	const struct tor_info *t = &e->tor;

	set_reason(e, facts_reason(FACT_BOOT));
	if (relays_missing(e)) {
		reason_no_relays(e);
		return;
	}
	if (t->progress == -1)
		return;
	/* What Tor says names relays, bridges and addresses: scrubbed. */
	if (tell_uplink_reason(e, now))
		return;
	sentence(e->reason, sizeof e->reason,
	    "Tor is connecting to its network: %d %% (%s, %s).",
	    t->progress, t->tag, t->summary);
}

static void
reason_open(struct engine *e)
{
	uint32_t n = (uint32_t)e->policy->nlisteners;
	uint32_t proven;

	table_update(e);
	proven = e->table.sum.nlisteners_proven;
	set_reason(e, facts_reason(NFACT));
	if (proven >= n)
		return;
	sentence(e->reason, sizeof e->reason,
	    "Tor is proven to carry the traffic of %u of %u listeners; not "
	    "proven: %u.", (unsigned)proven, (unsigned)n,
	    (unsigned)(n - proven));
	sentence(e->advice, sizeof e->advice, "Look at the listed listeners.");
}

static void
reason_listen(struct engine *e)
{
	size_t i = first_with(e, SNAP_L_FOREIGN);

	if (i != SIZE_MAX)
		reason_squatted(e, i);
	else if (e->bind_failed ||
	    first_with(e, SNAP_L_REFUSED) != SIZE_MAX)
		reason_refused(e);
	else if (e->state != SM_WATCH && e->provisioned)
		set_reason(e, tell_say(SAY_DRIFT));
	else if (e->state != SM_WATCH)
		set_reason(e, facts_reason(FACT_CONF));
	else
		set_reason(e, facts_reason(FACT_LISTEN));
}

/* Position time-sync, or what it is without anybody to open it for. */
static void
reason_time(struct engine *e)
{
	const struct facts_reason *clock = tell_clock(e->clock);

	if (e->facts.nsync == 0) {
		set_reason(e, tell_say(SAY_NO_TIME_LISTENER));
		return;
	}
	set_reason(e, facts_reason(FACT_TIME));
	sentence(e->reason, sizeof e->reason,
	    "The clock is not known to be right: %s %s.",
	    e->policy->timesync.directory, clock->text);
	sentence(e->advice, sizeof e->advice, "%s", clock->advice);
}

/* Has the question in flight been waiting for longer than the lease? */
static bool
is_hung(const struct engine *e, uint64_t now)
{
	return e->conn != NULL && cp_conn_busy(e->conn) &&
	    now - e->sent > e->policy->lease_ms;
}

static void
reason_missing(struct engine *e, enum fact missing, uint64_t now)
{
	/* Nothing can be set in Tor before that is. */
	if (missing != FACT_LINK && missing != FACT_FREE &&
	    uplink_unresolved(e) && tell_uplink_reason(e, now))
		return;
	switch (missing) {
	case FACT_LINK:
		if (e->loss == LOSS_PEER)
			reason_peer(e);
		else
			set_reason(e, tell_lost(e->loss));
		break;
	case FACT_FREE:
		reason_free(e);
		break;
	case FACT_CONF:
		reason_conf(e);
		break;
	case FACT_BOOT:
		/* Unknown because nothing is answered, or known and low? */
		if (facts_holds(&e->facts, FACT_ALIVE, now))
			reason_boot(e, now);
		else
			set_reason(e, tell_say(SAY_PROVING));
		break;
	case FACT_LISTEN:
		reason_listen(e);
		break;
	case NFACT:
		if (apply_busy(e))
			set_reason(e, tell_say(SAY_CHANGE));
		else
			reason_open(e);
		break;
	case FACT_ALIVE:
		set_reason(e, tell_say(SAY_PROVING));
		break;
	case FACT_CIRCUIT:
	case FACT_USABLE:
		if (repair_lacks_files(e)) {
			reason_files(e);
			break;
		}
		if (!tell_uplink_reason(e, now))
			set_reason(e, facts_reason(missing));
		break;
	case FACT_TIME:
		reason_time(e);
		break;
	}
}

/* Are these what Tor cannot have without a network? */
static bool
is_of_network(enum fact fact)
{
	return fact == FACT_BOOT || fact == FACT_CIRCUIT ||
	    fact == FACT_USABLE;
}

void
tell_reason(struct engine *e, uint64_t now)
{
	enum fact missing = facts_missing(&e->facts, now);

	if (!e->gate_up || !e->gate_known) {
		set_reason(e, tell_say(SAY_GATE));
		return;
	}
	if (missing != FACT_LINK && missing != FACT_FREE && is_hung(e, now))
		set_reason(e, facts_reason(FACT_ALIVE));
	else if (missing != FACT_LINK && missing != FACT_FREE &&
	    !ask_is_up(e->asked) && !storm_is_calm(&e->taken_back, now))
		set_reason(e, tell_say(SAY_STORM));
	else if (!is_of_network(missing) || !tell_no_way_out(e))
		reason_missing(e, missing, now);
	tell_absent(e);
	kept_tell(e);
}

static void
fill_tor(const struct engine *e, struct snapshot *s, uint64_t now)
{
	const struct tor_info *t = &e->tor;

	s->tor_pid = t->pid;
	s->boot_progress = t->progress;
	memcpy(s->boot_tag, t->tag, sizeof s->boot_tag);
	memcpy(s->boot_summary, t->summary, sizeof s->boot_summary);
	privacy_text(s->boot_warning, sizeof s->boot_warning,
	    &e->table.privacy, t->warning);
	memcpy(s->tor_version, t->version, sizeof s->tor_version);
	s->circuit_established = t->circuit;
	s->enough_dir_info = t->enough_dir;
	tell_tor_fill(e, &s->tor, now);
}

_Static_assert((int)NFACT == (int)SNAP_NFACT &&
    (int)FACT_LINK == (int)SNAP_F_LINK && (int)FACT_CONF == (int)SNAP_F_CONF &&
    (int)FACT_LISTEN == (int)SNAP_F_LISTEN &&
    (int)FACT_BOOT == (int)SNAP_F_BOOT &&
    (int)FACT_CIRCUIT == (int)SNAP_F_CIRCUIT &&
    (int)FACT_USABLE == (int)SNAP_F_USABLE &&
    (int)FACT_ALIVE == (int)SNAP_F_ALIVE &&
    (int)FACT_TIME == (int)SNAP_F_TIME && (int)FACT_FREE == (int)SNAP_F_FREE,
    "a fact's number is its bit in the snapshot");

static void
fill(const struct engine *e, struct snapshot *s, uint64_t now)
{
	*s = e->table.sum;
	s->magic = SNAP_MAGIC;
	s->state = e->state;
	sentence(s->state_name, sizeof s->state_name, "%s",
	    sm_name(e->state));
	memcpy(s->reason_code, e->reason_code, sizeof s->reason_code);
	memcpy(s->reason, e->reason, sizeof s->reason);
	memcpy(s->advice, e->advice, sizeof s->advice);
	memcpy(s->since, e->since, sizeof s->since);
	s->gate = e->report;
	s->gate_fresh = e->gate_known && now - e->report_at <= GATE_FRESH_MS;
	s->facts = facts_bits(&e->facts, now);
	s->nfacts = NFACT;
	s->engine_pid = e->pid;
	s->hold = e->hold;
	fill_tor(e, s, now);
	s->table_generation = e->table.generation;
	s->links = e->links;
	s->provisions = e->provisions;
	s->repairs = e->repairs;
	s->relays_generation = e->relays.generation;
	s->nrelays = (uint32_t)e->relays.list.n;
	memcpy(s->relays_fault, e->relays.fault, sizeof s->relays_fault);
	s->time_required = e->policy->timesync.required;
	s->mode = e->policy->firewall.mode;
	apply_snapshot(e, s);
	tell_uplink_fill(e, s, now);
}

/* What changes all the time is no change worth a message of its own. */
static bool
same(const struct snapshot *a, const struct snapshot *b)
{
	return a->state == b->state && a->facts == b->facts &&
	    a->hold == b->hold && a->gate_fresh == b->gate_fresh &&
	    a->gate.position == b->gate.position &&
	    a->gate.known == b->gate.known && a->ntrouble == b->ntrouble &&
	    a->nlisteners_proven == b->nlisteners_proven &&
	    a->boot_progress == b->boot_progress &&
	    a->table_generation == b->table_generation &&
	    a->relays_generation == b->relays_generation &&
	    strcmp(a->relays_fault, b->relays_fault) == 0 &&
	    a->nextra == b->nextra && a->nalarm == b->nalarm &&
	    a->apply_step == b->apply_step &&
	    tell_uplink_same(a, b) && tell_tor_same(&a->tor, &b->tor) &&
	    strcmp(a->reason, b->reason) == 0 &&
	    strcmp(a->advice, b->advice) == 0 &&
	    memcmp(a->trouble, b->trouble, sizeof a->trouble) == 0;
}

void
tell_snapshot(struct engine *e, uint64_t now)
{
	struct snapshot s;
	bool due = now >= e->due.status;

	table_update(e);
	table_send(e);
	if (!e->status_up) {
		if (due)
			e->due.status = now + STATUS_MS;
		return;
	}
	fill(e, &s, now);
	if (!due && same(&s, &e->snap))
		return;
	s.seq = ++e->snap_seq;
	e->snap = s;
	e->due.status = now + STATUS_MS;
	/* A status process that does not read gets the next one instead. */
	(void)e->ops->status_send(e->arg, &s, sizeof s);
}
