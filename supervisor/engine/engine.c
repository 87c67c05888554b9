#include "supervisor/engine/engine.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/engine/core.h"
#include "supervisor/log.h"

/* A local connect(2) that takes this long will not happen any more. */
#define CONNECT_MS 5000

/* The first try after losing a session: Tor may have restarted at once. */
#define RECONNECT_FIRST_MS 100
#define RECONNECT_MIN_MS 500
#define RECONNECT_MAX_MS 30000
/* While Tor is gone, look this often in the first minute, then less. */
#define RECONNECT_ABSENT_MS 250
#define ABSENT_MS 60000
#define RECONNECT_LATER_MS 2000
/* A try that ended by its deadline has waited long enough already. */
#define RECONNECT_HUNG_MS 1000
/* Sessions that opened nothing: after so many in a row, not each second. */
#define VAIN_TRIES 20
#define RECONNECT_VAIN_MS 10000
/* So long open, and the count of failures starts again. */
#define GOOD_MS 60000
/* What may wait for a probe waits no longer, however long the lease. */
#define WAIT_MS 125

struct engine *
engine_new(const struct pol_policy *policy, const struct engine_ops *ops,
    void *arg, int pid)
{
	struct engine *e = xcalloc(1, sizeof *e);

	e->policy = policy;
	e->ops = ops;
	e->arg = arg;
	e->pid = pid;
	facts_init(&e->facts, policy->lease_ms);
	prov_init(&e->prov, policy);
	e->table.privacy.policy = policy;
	e->table.privacy.ifaddrs = e->prov.last;
	table_init(e);
	relays_init(e);
	uplink_init(e);
	apply_init(e);
	kept_init(e);
	for (unsigned i = 0; policy->timesync.required &&
	    i < policy->nlisteners; i++)
		if (policy->listeners[i].timesync)
			gate_map_set(e->for_sync, i);
	e->proofs = xcalloc(policy->nlisteners + 1, sizeof *e->proofs);
	session_reset(e);
	e->ops->utc(e->arg, e->since, sizeof e->since);
	return e;
}

void
engine_free(struct engine *e)
{
	if (e == NULL)
		return;
	session_reset(e);
	prov_clear(&e->prov);
	table_clear(e);
	relays_clear(e);
	uplink_clear(e);
	apply_clear(e);
	kept_clear(e);
	free(e->proofs);
	explicit_bzero(e, sizeof *e);
	free(e);
}

/* How long to wait before the next connection. */
static uint32_t
backoff_ms(struct engine *e, uint64_t now)
{
	uint32_t ms = RECONNECT_MAX_MS, r = 0;
	uint32_t most = RECONNECT_MAX_MS;

	if (e->lost_session && e->tries == 0)
		return RECONNECT_FIRST_MS;
	if (e->tries < 6)
		ms = RECONNECT_MIN_MS << e->tries;
	if (e->loss == LOSS_NO_TOR)
		most = now - e->absent_since < ABSENT_MS ?
		    RECONNECT_ABSENT_MS : RECONNECT_LATER_MS;
	else if (e->lost_session && e->open_since == 0 &&
	    e->tries >= VAIN_TRIES)
		most = RECONNECT_VAIN_MS;
	else if (e->loss == LOSS_TIMEOUT || e->lost_session)
		most = RECONNECT_HUNG_MS;
	if (ms > most)
		ms = most;
	/* Without randomness: no jitter, which only spreads load. */
	if (e->ops->random(e->arg, (unsigned char *)&r, sizeof r) == -1)
		r = 0;
	return ms - r % (ms / 4 + 1);
}

static void
start_backoff(struct engine *e, uint64_t now)
{
	if (e->loss != LOSS_NO_TOR || e->absent_since == 0)
		e->absent_since = now;
	e->due.connect = now + backoff_ms(e, now);
	/* Looking for an absent Tor is cheap; it is no failure to slow down. */
	if (e->loss != LOSS_NO_TOR)
		e->tries++;
	e->lost_session = false;
}

static void
act(struct engine *e, enum sm_action action, uint64_t now)
{
	switch (action) {
	case ACT_NONE:
		break;
	case ACT_CONNECT:
		e->due.connect = now + CONNECT_MS;
		e->ops->tor_connect(e->arg);
		break;
	case ACT_HELLO:
		auth_hello(e, now);
		break;
	case ACT_ASK:
		e->need_info = e->need_events = true;
		break;
	case ACT_READ:
		e->need_conf = e->need_probe = true;
		break;
	case ACT_WAIT:
		start_backoff(e, now);
		break;
	case ACT_HALT:
	case SM_NACTIONS:
		facts_init(&e->facts, e->policy->lease_ms);
		engine_decide(e, now);
		log_err("an impossible event: staying closed");
		break;
	}
}

/* Between a lost session and the next one. */
static bool
is_trying(enum sm_state st)
{
	return st == SM_BACKOFF || st == SM_CONNECT || st == SM_AUTH;
}

void
engine_step(struct engine *e, enum sm_event ev, uint64_t now)
{
	enum sm_state from = e->state;
	enum sm_action action = sm_step(&e->state, ev);

	if (from == e->state)
		;
	else if (e->same_loss && is_trying(from) && is_trying(e->state))
		log_debug("state %s->%s on %s", sm_name(from),
		    sm_name(e->state), sm_event_name(ev));
	else
		log_info("state %s->%s on %s", sm_name(from),
		    sm_name(e->state), sm_event_name(ev));
	act(e, action, now);
}

/* What is true by our own state, not by anything that Tor says. */
static void
confirm_own(struct engine *e, uint64_t now)
{
	/* It holds while nobody asks for a proof of it: see FACT_TIME. */
	if (!e->policy->timesync.required)
		facts_confirm(&e->facts, FACT_TIME, now);
	else if (e->clock == CLOCK_RIGHT)
		facts_confirm(&e->facts, FACT_TIME, e->clock_at);
	if (!e->hold && e->latch == LATCH_NONE)
		facts_confirm(&e->facts, FACT_FREE, now);
}

static void
lose(struct engine *e, enum engine_loss why, const char *detail, uint64_t now)
{
	enum engine_loss before = e->loss;

	if (e->state != SM_CONNECT && e->conn == NULL)
		return;
	/* The gate first: nothing between the cause and this message. */
	facts_init(&e->facts, e->policy->lease_ms);
	e->facts.epoch = e->report.epoch;
	confirm_own(e, now);
	e->loss = why;
	uplink_doubt(e);
	engine_decide(e, now);
	e->lost_session = session_up(e);
	e->same_loss = why == before && !e->lost_session;
	if (!e->same_loss)
		log_warn("control connection: %s%s%s", tell_loss(why),
		    detail != NULL ? ": " : "", detail != NULL ? detail : "");
	session_reset(e);
	engine_step(e, EV_LINK_LOST, now);
}

void
engine_lose(struct engine *e, enum engine_loss why, const char *detail,
    uint64_t now)
{
	if (e->state != SM_CONNECT && e->conn == NULL)
		return;
	lose(e, why, detail, now);
	e->ops->tor_close(e->arg);
}

/* How many listeners of MAP are timesync ones? */
static uint32_t
count_sync(const struct engine *e, const uint8_t *map)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < e->policy->nlisteners; i++)
		n += gate_map_get(map, i) && gate_map_get(e->for_sync, i);
	return n;
}

/*
 * The proofs are as old as the last probe that counts, whatever else was
 * learnt since; after a doubt there has been none, and nothing is proven.
 */
void
engine_publish(struct engine *e)
{
	uint8_t map[POL_MAX_LISTENERS / 8];
	uint32_t n;

	if (e->published == e->prov.version) {
		if (e->facts.nproven != 0)
			facts_confirm(&e->facts, FACT_LISTEN, e->probe_at);
		return;
	}
	n = prov_proven(&e->prov, map, e->ifaddr);
	facts_prove(&e->facts, map, n, count_sync(e, map), e->probe_at);
	e->published = e->prov.version;
}

void
engine_reprove(struct engine *e, uint64_t epoch, uint64_t now)
{
	facts_renew(&e->facts, epoch);
	prov_void(&e->prov);
	e->probe_at = 0;
	engine_publish(e);
	confirm_own(e, now);
	e->need_conf = e->need_probe = true;
	/* Evidence from before must not count: start from new values. */
	e->ev.seen_read = e->ev.seen_built = false;
	/* ... and a test circuit that was one of them is not waited for. */
	e->ev.extend_at = 0;
	engine_decide(e, now);
}

void
engine_tor_up(struct engine *e, uint64_t now)
{
	if (e->state != SM_CONNECT)
		return;
	session_reset(e);
	e->conn = cp_conn_new();
	if (e->conn == NULL)
		fatal("out of memory");
	e->absent_since = e->ev.active_at = now;
	/* Another Tor may take what the last one refused. */
	if (e->latch == LATCH_REFUSED)
		e->latch = LATCH_NONE;
	engine_step(e, EV_LINK_UP, now);
}

void
engine_tor_down(struct engine *e, enum engine_loss why, uint64_t now)
{
	lose(e, why, NULL, now);
}

void
engine_tor_bytes(struct engine *e, const void *p, size_t n, uint64_t now)
{
	if (e->conn != NULL)
		session_input(e, p, n, now);
}

void
engine_gate_up(struct engine *e, uint64_t now)
{
	e->gate_up = true;
	e->gate_known = false;
	e->asked_valid = false;
	e->gate_seq = e->lowered_seq = e->changed_seq = 0;
	e->asked_permits = 0;
	e->permits_seq = 0;
	names_gate(e);
	memset(&e->report, 0, sizeof e->report);
	relays_gate(e);
	engine_reprove(e, 0, now);
}

void
engine_gate_down(struct engine *e, uint64_t now)
{
	if (e->gate_up)
		log_warn("the gate's end is closed");
	e->gate_up = e->gate_known = e->asked_valid = false;
	engine_reprove(e, 0, now);
}

void
engine_gate_bytes(struct engine *e, const void *p, size_t n, uint64_t now)
{
	struct gate_report r;
	bool refused;

	if (n != sizeof r) {
		log_warn("the gate sent %zu octets that are no report", n);
		e->gate_known = false;
		engine_decide(e, now);
		return;
	}
	memcpy(&r, p, sizeof r);
	if (!gate_report_ok(&r)) {
		log_warn("the gate sent an invalid report");
		e->gate_known = false;
		engine_decide(e, now);
		return;
	}
	refused = r.refused != 0 && e->asked_valid && ask_is_up(e->asked) &&
	    r.seq == e->gate_seq;
	/* What we asked for was logged then; this is for the rest. */
	if (refused || (r.position != e->report.position &&
	    r.position != e->asked))
		log_info("gate position=%s epoch=%llu why=%s%s",
		    r.known ? gate_position_name(r.position) : "unknown",
		    (unsigned long long)r.epoch, gate_reason_text(r.why),
		    refused ? " refused" : "");
	e->report = r;
	e->report_at = now;
	if (!e->gate_known || r.epoch != e->facts.epoch || refused) {
		e->gate_known = true;
		engine_reprove(e, r.epoch, now);
	}
}

void
engine_time(struct engine *e, enum engine_clock clock, uint64_t now)
{
	if (!e->policy->timesync.required)
		return;
	if (clock != e->clock)
		log_info("clock %s", tell_clock(clock)->code);
	e->clock = clock;
	e->clock_at = now;
	if (clock == CLOCK_RIGHT)
		return; /* engine_settle() opens */
	facts_drop(&e->facts, FACT_TIME);
	engine_decide(e, now);
}

void
engine_timesync(struct engine *e, enum snap_timesync word)
{
	if (e->policy->timesync.required)
		e->timesync = word;
}

void
engine_held(struct engine *e)
{
	e->hold = true;
	facts_drop(&e->facts, FACT_FREE);
}

static void
verb_hold(struct engine *e, const struct snap_verb *v, uint64_t now)
{
	const bool was_held = e->hold;

	if (v->code == SNAP_V_HOLD)
		engine_held(e);
	else
		e->hold = false;
	engine_decide(e, now);
	if (e->ops->keep_hold(e->arg, e->hold) == -1)
		tell_result(e, v->id, false,
		    "Done, but it could not be written down and may be "
		    "forgotten; try again.");
	else
		tell_result(e, v->id, true, e->hold ?
		    "The gate is held closed until it is released." :
		    was_held ? "The hold is released; the gate opens as soon "
		    "as everything is proven." : "There was no hold.");
}

static void
verb_newnym(struct engine *e, const struct snap_verb *v)
{
	if (!session_up(e) || e->newnym_open) {
		tell_result(e, v->id, false, e->newnym_open ?
		    "A request for a new identity is already on its way." :
		    "There is no connection to Tor; try again when there is.");
		return;
	}
	e->need_newnym = e->newnym_open = true;
	e->newnym_id = v->id;
}

void
engine_verb(struct engine *e, const struct snap_verb *v, uint64_t now)
{
	switch ((enum snap_verb_code)v->code) {
	case SNAP_V_HOLD:
	case SNAP_V_RELEASE:
		verb_hold(e, v, now);
		break;
	case SNAP_V_NEWNYM:
		verb_newnym(e, v);
		break;
	case SNAP_V_REPROVE:
		repair_unlatch(e);
		engine_reprove(e, e->facts.epoch, now);
		if (e->state == SM_BACKOFF)
			e->due.connect = now;
		tell_result(e, v->id, true,
		    "All proofs are void and are being made again.");
		break;
	case SNAP_V_CHECK_ISOLATION:
		check_begin(e, v, now);
		break;
	case SNAP_V_NAMES:
		tell_names(e, v->id);
		break;
	case SNAP_V_APPLY:
	case SNAP_V_NONE:
	case SNAP_NVERB:
		break;
	}
}

void
engine_status_up(struct engine *e)
{
	e->status_up = true;
	e->due.status = 0;
	table_restart(e);
}

void
engine_status_down(struct engine *e)
{
	e->status_up = false;
	check_abandon(e);
	apply_status_lost(e);
}

static void
timers(struct engine *e, uint64_t now)
{
	bool late = now >= e->due.connect;

	if (e->state == SM_DOWN || (e->state == SM_BACKOFF && late))
		engine_step(e, EV_START, now);
	else if (e->state == SM_CONNECT && late)
		engine_lose(e, LOSS_TIMEOUT, NULL, now);
	if (e->conn != NULL && cp_conn_tick(e->conn, now) != CP_OK)
		engine_lose(e, LOSS_TIMEOUT, NULL, now);
	if (!ask_is_up(e->asked))
		e->open_since = 0;
	else if (e->open_since == 0)
		e->open_since = now;
	else if (now - e->open_since >= GOOD_MS)
		e->tries = 0;
}

uint64_t
engine_latest(const struct engine *e, uint64_t due)
{
	const uint32_t half = e->policy->probe_ms / 2;

	return due + (half < WAIT_MS ? half : WAIT_MS);
}

static uint64_t
earlier(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t
engine_settle(struct engine *e, uint64_t now)
{
	const uint64_t sent = e->sent;
	uint64_t wake;
	bool asked;

	confirm_own(e, now);
	timers(e, now);
	check_tick(e, now);
	apply_tick(e, now);
	kept_tick(e, now);
	session_next(e, now);
	asked = e->sent != sent;
	transports_settle(e, now);
	tryout_settle(e, now);
	names_settle(e, now);
	engine_decide(e, now);
	relays_tick(e, now);
	places_ask_owner(e, now);
	/* Tor's answer, a moment later, says what there is to tell. */
	if (!asked || !ask_is_up(e->asked) || now >= e->due.status) {
		tell_reason(e, now);
		tell_snapshot(e, now);
	}
	wake = earlier(session_wake(e), check_wake(e));
	wake = earlier(wake, facts_lapse(&e->facts, now));
	wake = earlier(wake, engine_latest(e, e->due.status));
	wake = earlier(wake, relays_wake(e));
	wake = earlier(wake, names_wake(e));
	wake = earlier(wake, apply_wake(e, now));
	wake = earlier(wake, kept_wake(e, now));
	wake = earlier(wake, tryout_wake(e));
	wake = earlier(wake, transports_wake(e));
	wake = earlier(wake, uplink_wake(e, now));
	wake = earlier(wake, questions_wake(e, now));
	if (e->gate_up && (!ask_is_up(e->asked) || !e->asked_valid))
		wake = earlier(wake, e->due.gate);
	return wake > now ? wake : now + 1;
}

enum sm_state
engine_state(const struct engine *e)
{
	return e->state;
}

const struct facts *
engine_facts(const struct engine *e)
{
	return &e->facts;
}

const char *
engine_reason_code(const struct engine *e)
{
	return e->reason_code;
}

enum gate_position
engine_asked(const struct engine *e)
{
	return e->asked;
}
