/*
 * Polling makes us right, events make us fast: those are in events.c.  What
 * adds facts is the answer to a question that we asked, and nothing else.
 */
#include "config.h" /* _GNU_SOURCE */

#include <stdlib.h>
#include <string.h>

#include "controlproto/cmd.h"
#include "controlproto/event.h"
#include "controlproto/ns.h"
#include "controlproto/reply.h"
#include "supervisor/engine/core.h"
#include "supervisor/engine/diagnosis.h"
#include "supervisor/engine/verdict.h"
#include "supervisor/log.h"

/* Evidence this old gets a fresh circuit as a test, so often at most. */
#define EVIDENCE_OLD_MS 60000
#define EXTEND_IDLE_MS 20000
/* With none at all clients are waiting: a circuit takes 1 to 3 s to build. */
#define EXTEND_NONE_MS 5000
/* Tor found no path: it costs nothing to ask for another one soon. */
#define EXTEND_REFUSED_MS 500
/* Before that, ordinary traffic gets this long to show itself. */
#define EVIDENCE_GRACE_MS 600
/*
 * While there is younger evidence circuits are looked at so often: for one
 * that Tor has built of itself, and to tell people of the last one.
 */
#define CIRCUITS_SLOW_MS 10000

/* Keeps an idle Tor awake; wakes one that does not bootstrap. */
#define ACTIVE_IDLE_MS 3600000
#define ACTIVE_BOOT_MS 60000

/*
 * No progress for so long is a stall, up to that percentage: connections and
 * handshakes, the consensus, thousands of descriptors, circuits; and after
 * 100 %, which never goes back, so long without enough directory information.
 */
static const struct {
	int upto;
	uint32_t ms;
} stalls[] = { { 24, 30000 }, { 49, 60000 }, { 74, 120000 }, { 99, 60000 },
	{ 100, 30000 } };

enum key { K_CIRCUIT = 0, K_DIR, K_SOCKS, K_HTTPTUNNEL, K_TRANS, K_DNS,
	K_READ, K_PID, K_PHASE, NKEY };

static const char *const keys[NKEY] = {
	[K_CIRCUIT] = "status/circuit-established",
	[K_DIR] = "status/enough-dir-info",
	[K_SOCKS] = "net/listeners/socks",
	[K_HTTPTUNNEL] = "net/listeners/httptunnel",
	[K_TRANS] = "net/listeners/trans",
	[K_DNS] = "net/listeners/dns",
	[K_READ] = "traffic/read",
	[K_PID] = "process/pid",
	[K_PHASE] = "status/bootstrap-phase",
};

static const enum key kind_key[POL_NKIND] = {
	[POL_SOCKS] = K_SOCKS,
	[POL_HTTPTUNNEL] = K_HTTPTUNNEL,
	[POL_TRANS] = K_TRANS,
	[POL_DNS] = K_DNS,
};

static const char *const circuit_keys[] = { "circuit-status" };

/* Decimal digits and nothing else. */
static bool
read_number(uint64_t *out, struct cp_str s)
{
	uint64_t v = 0;
	unsigned d;

	if (s.n == 0)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		d = (unsigned)(s.p[i] - '0');
		if (v > (UINT64_MAX - d) / 10)
			return false;
		v = v * 10 + d;
	}
	*out = v;
	return true;
}

void
watch_ask_probe(struct engine *e, uint64_t now)
{
	struct cp_cmd cmd = { 0 };

	e->need_probe = false;
	e->due.probe = now + e->policy->probe_ms;
	session_send(e, CMD_PROBE, &cmd, cp_cmd_getinfo(&cmd, keys, NKEY),
	    now);
}

void
watch_progress(struct engine *e, const struct cp_bootstrap *b, uint64_t now)
{
	struct tor_info *t = &e->tor;

	if (b->progress != t->progress) {
		t->progress = b->progress;
		t->progress_at = t->dir_at = now;
		e->ops->utc(e->arg, t->since, sizeof t->since);
		t->warning[0] = t->why[0] = '\0';
		t->said = 0;
		t->skewed = false;
		about_soon(e);
	}
	log_esc(t->tag, sizeof t->tag, b->tag.p, b->tag.n);
	log_esc(t->summary, sizeof t->summary, b->summary.p, b->summary.n);
	if (b->warning.n != 0)
		log_esc(t->warning, sizeof t->warning, b->warning.p,
		    b->warning.n);
	if (b->reason.n != 0)
		log_esc(t->why, sizeof t->why, b->reason.p, b->reason.n);
}

/* What is behind "NOTICE BOOTSTRAP". */
static struct cp_str
keywords_of(struct cp_str line)
{
	const char *sp = line.p, *end = line.p + line.n;

	for (int words = 0; words < 2 && sp != NULL; words++) {
		sp = memchr(sp, ' ', (size_t)(end - sp));
		sp = sp != NULL ? sp + 1 : NULL;
	}
	return sp != NULL ? (struct cp_str){ sp, (size_t)(end - sp) } :
	    (struct cp_str){ "", 0 };
}

/* What the last answer denies the one before has not earned. */
static void
poll_fact(struct engine *e, enum fact fact, bool holds, uint64_t now)
{
	if (holds) {
		facts_confirm(&e->facts, fact, e->sent);
		return;
	}
	if (e->facts.at[fact] != 0)
		engine_unsettled(e, now);
	facts_drop(&e->facts, fact);
}

static void
read_state(struct engine *e, const struct cp_str *v, uint64_t now)
{
	struct cp_bootstrap b;

	e->tor.circuit = cp_str_is(v[K_CIRCUIT], "1");
	e->tor.enough_dir = cp_str_is(v[K_DIR], "1");
	if (cp_bootstrap_parse(&b, v[K_PHASE])) {
		watch_progress(e, &b, now);
		about_phase(e, &b, keywords_of(v[K_PHASE]));
	} else {
		e->tor.progress = -1; /* what an event said is no proof */
		about_phase(e, &b, (struct cp_str){ "", 0 });
	}
	if (e->tor.enough_dir)
		e->tor.dir_at = now;
	facts_confirm(&e->facts, FACT_ALIVE, e->sent);
	poll_fact(e, FACT_BOOT, e->tor.progress == 100 && e->tor.enough_dir,
	    now);
	poll_fact(e, FACT_CIRCUIT, e->tor.circuit, now);
}

/*
 * Without CountPrivateBandwidth Tor counts no local traffic here (measured),
 * so that neither our own questions nor waiting clients are evidence.
 */
static void
read_traffic(struct engine *e, uint64_t bytes, uint64_t now)
{
	if (!e->ev.seen_read) {
		e->ev.seen_read = true;
		e->ev.since = now;
		if (e->ev.circuits_at == 0) /* the first look is no hurry */
			e->ev.circuits_at = now;
	} else if (bytes > e->ev.read && !e->prov.count_private) {
		facts_confirm(&e->facts, FACT_USABLE, e->sent);
	}
	e->ev.read = bytes;
}

/* The kernel's side of LISTEN. */
static void
prove_listeners(struct engine *e, uint64_t now)
{
	bool ok = e->ops->prove(e->arg, e->proofs) == 0;

	prov_read_proofs(&e->prov, ok ? e->proofs : NULL, now);
}

/* Tor's side of it; false: not what we asked for, the session is lost. */
static bool
read_listeners(struct engine *e, const struct cp_str *v, uint64_t now)
{
	struct cp_str values[POL_NKIND];

	for (unsigned k = 0; k < POL_NKIND; k++)
		values[k] = v[kind_key[k]];
	if (prov_read_listeners(&e->prov, values, !e->need_probe) ==
	    CP_OK)
		return true;
	engine_lose(e, LOSS_BYTES, "net/listeners", now);
	return false;
}

void
watch_on_probe(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	struct cp_str v[NKEY];
	uint64_t bytes, pid;
	enum cp_err err = cp_reply_getinfo(reply, v, keys, NKEY);

	if (err == CP_OK && (!read_number(&bytes, v[K_READ]) ||
	    !read_number(&pid, v[K_PID])))
		err = CP_ERR_SYNTAX;
	if (err != CP_OK) {
		session_refused(e, reply, err, now);
		return;
	}
	if (pid != (uint64_t)e->tor.pid) {
		/* Something between us and Tor has kept the connection. */
		engine_lose(e, LOSS_EOF, "Tor's process has changed", now);
		return;
	}
	if (!read_listeners(e, v, now))
		return;
	/* In doubt since this question was sent: the next one counts. */
	if (e->need_probe) {
		engine_publish(e);
		return;
	}
	read_state(e, v, now);
	read_traffic(e, bytes, now);
	prove_listeners(e, now);
	e->probe_at = e->sent;
	engine_publish(e);
	repair_judge(e, now);
}

void
watch_ask_circuits(struct engine *e, uint64_t now)
{
	struct cp_cmd cmd = { 0 };

	e->due.circuits = now + e->policy->probe_ms;
	e->ev.circuits_at = now;
	session_send(e, CMD_CIRCUITS, &cmd,
	    cp_cmd_getinfo(&cmd, circuit_keys, 1), now);
}

/* The number of the circuit in LINE ("7 BUILT ..."); 0 unless BUILT. */
static uint64_t
built_number(struct cp_str line)
{
	static const char built[] = " BUILT";
	const char *sp = line.n == 0 ? NULL : memchr(line.p, ' ', line.n);
	size_t n = sizeof built - 1, at;
	uint64_t id;

	if (sp == NULL)
		return 0;
	at = (size_t)(sp - line.p);
	if (line.n - at < n || memcmp(sp, built, n) != 0 ||
	    (line.n - at > n && sp[n] != ' '))
		return 0;
	return read_number(&id, (struct cp_str){ line.p, at }) ? id : 0;
}

/* The number of the circuit in LINE, whatever has become of it; 0: none. */
static uint64_t
circuit_number(struct cp_str line)
{
	const char *sp = line.n == 0 ? NULL : memchr(line.p, ' ', line.n);
	uint64_t id;

	if (sp == NULL)
		return 0;
	return read_number(&id, (struct cp_str){ line.p,
	    (size_t)(sp - line.p) }) ? id : 0;
}

/*
 * While a change is watched: what was begun when it was made, of which ANY is
 * the highest number, says nothing about it.
 */
static void
look_for_fresh(struct engine *e, uint64_t built, uint64_t any)
{
	struct evidence *ev = &e->ev;

	if (!ev->look || e->sent < ev->look_at)
		return;
	if (!ev->based) {
		ev->based = true;
		ev->base = any;
	} else if (built > ev->base) {
		ev->fresh = true;
	}
}

void
watch_on_circuits(struct engine *e, const struct cp_reply *reply,
    uint64_t now)
{
	struct cp_str v, line, last = { "", 0 };
	uint64_t id, max = 0, any = 0;
	enum cp_err err = cp_reply_getinfo(reply, &v, circuit_keys, 1);

	if (err != CP_OK) {
		engine_lose(e, LOSS_BYTES, cp_strerror(err), now);
		return;
	}
	while (v.n != 0) {
		line = cp_next_line(&v);
		id = built_number(line);
		if (id > max) {
			max = id;
			last = line;
		}
		id = circuit_number(line);
		if (id > any)
			any = id;
	}
	look_for_fresh(e, max, any);
	about_circuit(e, max, last);
	/* Proofs were voided since the question was sent: only a baseline. */
	if (e->ev.seen_built && !e->need_probe && max > e->ev.built)
		facts_confirm(&e->facts, FACT_USABLE, e->sent);
	e->ev.seen_built = true;
	if (max > e->ev.built)
		e->ev.built = max;
}

/* A change is watched, and nothing was seen yet that speaks for it. */
static bool
is_looking(const struct engine *e)
{
	return e->ev.look && !e->ev.fresh;
}

bool
watch_circuits_due(const struct engine *e, uint64_t now)
{
	uint64_t last = e->facts.at[FACT_USABLE];

	/* While one is in repair the others may be open. */
	if (e->state != SM_WATCH && (e->facts.nproven == 0 ||
	    !facts_holds(&e->facts, FACT_CONF, now)))
		return false;
	if (!facts_holds(&e->facts, FACT_BOOT, now) ||
	    !facts_holds(&e->facts, FACT_CIRCUIT, now))
		return false;
	if (!is_looking(e) && last != 0 && now - last < EVIDENCE_OLD_MS &&
	    now - e->ev.circuits_at < CIRCUITS_SLOW_MS)
		return false;
	return now >= e->due.circuits;
}

/*
 * An idle Tor stops building circuits after an hour, so without a test of
 * our own an idle gateway would close for ever.
 */
bool
watch_extend_due(const struct engine *e, uint64_t now)
{
	uint64_t last = e->facts.at[FACT_USABLE];
	uint64_t gap = e->ev.extend_refused ? EXTEND_REFUSED_MS :
	    last != 0 ? EXTEND_IDLE_MS : EXTEND_NONE_MS;

	if (!facts_holds(&e->facts, FACT_BOOT, now) ||
	    !facts_holds(&e->facts, FACT_CIRCUIT, now) ||
	    !e->ev.seen_read || !e->ev.seen_built)
		return false;
	if (is_looking(e))
		return e->ev.based && (e->ev.extend_at == 0 ||
		    now - e->ev.extend_at >= EXTEND_NONE_MS);
	if (last != 0 && now - last < EVIDENCE_OLD_MS)
		return false;
	if (!e->prov.count_private && now - e->ev.since < EVIDENCE_GRACE_MS)
		return false;
	return e->ev.extend_at == 0 || now - e->ev.extend_at >= gap;
}

void
watch_ask_extend(struct engine *e, uint64_t now)
{
	struct cp_cmd cmd = { 0 };

	e->ev.extend_at = now;
	session_send(e, CMD_EXTEND, &cmd, cp_cmd_newcircuit(&cmd), now);
}

/* A refusal is no evidence, and no more than that. */
void
watch_on_extend(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	(void)now;
	e->ev.extend_refused = !cp_reply_is_ok(reply);
	if (e->ev.extend_refused)
		log_debug("Tor could not start the test circuit");
	e->due.circuits = 0;
}

/*
 * A Tor that no client uses goes dormant after a day, by default: it fetches
 * no directory any more, loses what it needs, and the gate that then closes
 * keeps out the very clients that would wake it.  It even starts dormant
 * when it was so when it ended.
 */
bool
watch_active_due(const struct engine *e, uint64_t now)
{
	uint64_t gap = ACTIVE_IDLE_MS;

	if (!facts_holds(&e->facts, FACT_BOOT, now))
		gap = e->ev.woken ? ACTIVE_BOOT_MS : 0;
	return now - e->ev.active_at >= gap;
}

void
watch_ask_active(struct engine *e, uint64_t now)
{
	struct cp_cmd cmd = { 0 };

	e->ev.active_at = now;
	e->ev.woken = true;
	session_send(e, CMD_ACTIVE, &cmd,
	    cp_cmd_signal(&cmd, CP_SIGNAL_ACTIVE), now);
}

/* A Tor that does not know the signal does not go dormant either. */
void
watch_on_active(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	(void)e;
	(void)reply;
	(void)now;
}

bool
watch_stalled(const struct engine *e, uint64_t now)
{
	const struct tor_info *t = &e->tor;
	uint64_t since = t->progress < 100 ? t->progress_at : t->dir_at;
	size_t i = 0;

	if (t->progress == -1 || since == 0 ||
	    (t->progress == 100 && t->enough_dir))
		return false;
	while (t->progress > stalls[i].upto)
		i++;
	return now - since >= stalls[i].ms;
}
