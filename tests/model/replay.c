/*
 * What the model did, done by the real code: traces of portcullis.pml, whose
 * lines are events and what the model makes of them, are fed to the engine's
 * facts and state machine and to the gate's core, which must agree.
 *
 *	replay [WRONG] <TRACE
 *
 * Prints how often what was seen.  WRONG is a number of a deliberate mistake
 * in this translation; then it must not agree.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/engine/facts.h"
#include "supervisor/engine/sm.h"
#include "supervisor/gate/core.h"

/* Two ticks are a lease; CONF's bound is seven: see CONFMAX. */
#define TICK_MS 500u
#define LEASE_MS 1000u
#define NS_PER_MS UINT64_C(1000000)
#define START_MS UINT64_C(1000000)
#define NFIELD 5

enum wrong { RIGHT = 0, WRONG_LEASE, WRONG_EPOCH, WRONG_SEQ, WRONG_FRESH,
	WRONG_FACT, WRONG_EDGE };

static struct {
	enum wrong wrong;
	unsigned long line;
	uint64_t now; /* ms */
	struct pol_policy policy;
	struct pol_listener listeners[2];
	/* gate */
	struct gate_core core;
	bool gate;
	struct gate_decision d;
	bool pending; /* D awaits the model's word */
	/* engine */
	struct facts facts;
	enum sm_state state;
	bool engine, hold, usable, second;
	unsigned long npos[GATE_NWANT], nwhy[GATE_NWHY], nact[GATE_NACT];
} r;

static void differ(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

static void
differ(const char *format, ...)
{
	va_list ap;

	fprintf(stderr, "line %lu, at %llu ms: ", r.line,
	    (unsigned long long)r.now);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

static uint64_t
ago_ms(long ticks)
{
	return r.now - (uint64_t)ticks * TICK_MS;
}

/* The gate has decided; the model's line about it is still to come. */
static void
expect(struct gate_decision d)
{
	r.d = d;
	r.pending = d.act != GATE_ACT_NONE && d.act != GATE_ACT_TOR_ONLY;
	r.nact[d.act]++;
}

static void
on_gate(const long *f)
{
	(void)f;
	gate_core_init(&r.core, &r.policy, r.now);
	r.gate = true;
}

static void
on_die(const long *f)
{
	(void)f;
	r.gate = false;
}

static void
request(const long *f, uint64_t seq)
{
	struct gate_req q;
	uint64_t far = (uint64_t)f[2], proof = ago_ms(f[3]) * NS_PER_MS;

	memset(&q, 0, sizeof q);
	q.magic = GATE_MAGIC;
	q.want = (uint32_t)f[0];
	q.seq = seq;
	q.epoch = r.wrong == WRONG_EPOCH || far > r.core.epoch ?
	    r.core.epoch : r.core.epoch - far;
	if (q.want == GATE_OPEN) {
		q.proof_ns = r.wrong == WRONG_FRESH ? r.now * NS_PER_MS :
		    proof;
		q.lease_ms = LEASE_MS;
		gate_map_set(q.proven, 0);
		if (f[1] != 0)
			gate_map_set(q.proven, 1);
	}
	expect(gate_core_request(&r.core, &q, sizeof q, r.now * NS_PER_MS,
	    0));
}

static void
on_req(const long *f)
{
	request(f, r.core.seq + 1);
}

static void
on_replay(const long *f)
{
	request(f, r.core.seq + (r.wrong == WRONG_SEQ));
}

static void
on_garbage(const long *f)
{
	(void)f;
	expect(gate_core_request(&r.core, "x", 1, r.now * NS_PER_MS, 0));
	if (!r.d.drop_engine)
		differ("an engine that sends garbage is kept");
}

static void
on_tick(const long *f)
{
	(void)f;
	expect(gate_core_tick(&r.core, r.now * NS_PER_MS));
	if (r.d.act != GATE_ACT_CLOSE)
		differ("the deadline has not passed");
}

static void
on_gone(const long *f)
{
	(void)f;
	expect(gate_core_engine_gone(&r.core));
}

/* Nobody has spoken for as long as the gate has patience. */
static void
on_silent(const long *f)
{
	(void)f;
	for (uint32_t s = gate_core_patience(&r.core); s > 0; s--)
		expect(gate_core_second(&r.core));
	if (!r.d.drop_engine)
		differ("an engine that says nothing is kept");
}

static void
on_engine(const long *f)
{
	(void)f;
	expect(gate_core_engine(&r.core));
}

static void
on_act(const long *f)
{
	if (!r.pending || (long)r.d.act != f[0])
		differ("the gate does %d, the model %ld", r.d.act, f[0]);
	r.pending = false;
}

/* The core's decision, or its shell's: the kernel has told it something. */
static void
on_close(const long *f)
{
	static const enum gate_reason whys[] = { GATE_WHY_START,
		GATE_WHY_ASKED, GATE_WHY_ENGINE_GONE, GATE_WHY_ENGINE_LATE,
		GATE_WHY_BAD_REQUEST, GATE_WHY_LEASE_LAPSED };
	const enum gate_reason why = whys[f[1]];

	if (r.pending && r.d.act != GATE_ACT_CLOSE)
		differ("the gate does %d, the model closes", r.d.act);
	if (!r.pending)
		(void)gate_core_close(&r.core, why);
	r.pending = false;
	if ((long)r.core.pos != f[0] || r.core.why != why)
		differ("closed to %s (%s), in the model to %ld (%s)",
		    gate_position_name(r.core.pos),
		    gate_reason_text(r.core.why), f[0],
		    gate_reason_text(why));
	r.nwhy[why]++;
}

static void
on_fresh(const long *f)
{
	if (gate_core_fresh(&r.core, r.now * NS_PER_MS) != (f[0] != 0))
		differ("fresh is %d, in the model %ld", f[0] == 0, f[0]);
}

static void
on_opened(const long *f)
{
	(void)f;
	gate_core_opened(&r.core);
}

static void
on_core(const long *f)
{
	if (r.pending)
		differ("the gate does %d, the model nothing", r.d.act);
	if ((long)r.core.pos != f[0] || r.core.refused != (f[1] != 0))
		differ("the gate is at %s, in the model at %ld",
		    gate_position_name(r.core.pos), f[0]);
}

static void
on_probe(const long *f)
{
	uint8_t map[POL_MAX_LISTENERS / 8] = { 0 };
	const uint64_t at = ago_ms(f[0]);

	facts_confirm(&r.facts, FACT_ALIVE, at);
	if (f[1] != 0) {
		facts_confirm(&r.facts, FACT_BOOT, at);
		facts_confirm(&r.facts, FACT_CIRCUIT, at);
	} else if (r.wrong != WRONG_FACT) {
		facts_drop(&r.facts, FACT_BOOT);
		facts_drop(&r.facts, FACT_CIRCUIT);
	}
	if (f[2] != 0)
		gate_map_set(map, 0);
	if (f[3] != 0)
		gate_map_set(map, 1);
	facts_prove(&r.facts, map, (uint32_t)(f[2] + f[3]), 0, at);
}

static void
on_conf(const long *f)
{
	if (f[1] != 0)
		facts_confirm(&r.facts, FACT_CONF, ago_ms(f[0]));
	else
		facts_drop(&r.facts, FACT_LISTEN);
}

/* The one or the other, by turns: each alone is enough. */
static void
on_lost(const long *f)
{
	(void)f;
	facts_drop(&r.facts, r.second ? FACT_BOOT : FACT_CIRCUIT);
	r.second = !r.second;
}

static void
on_reload(const long *f)
{
	(void)f;
	facts_drop(&r.facts, FACT_CONF);
	facts_drop(&r.facts, FACT_LISTEN);
}

static void
on_use(const long *f)
{
	r.usable = f[0] != 0;
	if (!r.usable)
		facts_drop(&r.facts, FACT_USABLE);
}

static void
on_hold(const long *f)
{
	r.hold = f[0] != 0;
	if (r.hold)
		facts_drop(&r.facts, FACT_FREE);
}

static void
on_renew(const long *f)
{
	(void)f;
	facts_renew(&r.facts, r.gate ? r.core.epoch : 0);
	r.usable = false;
}

static void
on_lose(const long *f)
{
	(void)f;
	facts_init(&r.facts, LEASE_MS);
	r.usable = false;
}

static void
on_dead(const long *f)
{
	on_lose(f);
	r.engine = r.hold = false;
	r.state = SM_DOWN;
}

static void
on_new(const long *f)
{
	r.engine = true;
	r.hold = f[0] != 0;
}

static void
on_sm(const long *f)
{
	enum sm_event ev = (enum sm_event)f[0];

	if (r.wrong == WRONG_EDGE && ev == EV_CONF_BAD)
		ev = EV_CONF_OK;
	(void)sm_step(&r.state, ev);
	if ((long)r.state != f[1])
		differ("state %s, in the model %s", sm_name(r.state),
		    sm_name((enum sm_state)f[1]));
}

/* What the engine confirms by itself, each time it is called. */
static void
confirm_own(void)
{
	if (r.state == SM_CONFIGURE || r.state == SM_WATCH)
		facts_confirm(&r.facts, FACT_LINK, r.now);
	facts_confirm(&r.facts, FACT_TIME, r.now);
	if (!r.hold)
		facts_confirm(&r.facts, FACT_FREE, r.now);
	if (r.usable)
		facts_confirm(&r.facts, FACT_USABLE, r.now);
}

static void
on_pos(const long *f)
{
	enum gate_position pos;

	if (f[1] == 0)
		return; /* no engine */
	confirm_own();
	pos = facts_position(&r.facts, r.now);
	if ((long)pos != f[0])
		differ("facts say %s, the model %s (missing: %s)",
		    gate_position_name(pos),
		    gate_position_name((enum gate_position)f[0]),
		    facts_name(facts_missing(&r.facts, r.now)));
	r.npos[pos]++;
}

static void
on_time(const long *f)
{
	(void)f;
	r.now += r.wrong == WRONG_LEASE ? TICK_MS + 1 : TICK_MS;
}

static const struct {
	const char *word;
	void (*step)(const long *f);
} steps[] = {
	{ "act", on_act }, { "close", on_close }, { "conf", on_conf },
	{ "core", on_core }, { "dead", on_dead }, { "die", on_die },
	{ "engine", on_engine }, { "fresh", on_fresh },
	{ "garbage", on_garbage }, { "gate", on_gate }, { "gone", on_gone },
	{ "hold", on_hold }, { "lose", on_lose }, { "lost", on_lost },
	{ "new", on_new }, { "opened", on_opened }, { "pos", on_pos },
	{ "probe", on_probe }, { "reload", on_reload },
	{ "renew", on_renew }, { "replay", on_replay }, { "req", on_req },
	{ "silent", on_silent },
	{ "sm", on_sm }, { "tick", on_tick }, { "time", on_time },
	{ "use", on_use },
};

static void
one_line(const char *text)
{
	long f[NFIELD] = { 0 };
	char word[16];

	if (sscanf(text, " @ T_%15s %ld %ld %ld %ld %ld", word, &f[0], &f[1],
	    &f[2], &f[3], &f[4]) < 3)
		return; /* the simulator's own words */
	for (size_t i = 0; i < sizeof steps / sizeof steps[0]; i++)
		if (strcmp(steps[i].word, word) == 0) {
			steps[i].step(f);
			return;
		}
	differ("no such event: %s", word);
}

static void
say(const char *what, const unsigned long *n, size_t count)
{
	printf("%s", what);
	for (size_t i = 0; i < count; i++)
		printf(" %lu", n[i]);
	putchar('\n');
}

/* A trace begins anew with each first line of a run. */
static void
set_up(void)
{
	static const long none[NFIELD];

	r.now = START_MS;
	r.policy.lease_ms = LEASE_MS;
	r.policy.nlisteners = 2;
	r.policy.listeners = r.listeners;
	facts_init(&r.facts, LEASE_MS);
	r.state = SM_DOWN;
	r.engine = true;
	on_gate(none);
}

int
main(int argc, char **argv)
{
	char text[256];

	if (argc > 1)
		r.wrong = (enum wrong)strtol(argv[1], NULL, 10);
	set_up();
	while (fgets(text, sizeof text, stdin) != NULL) {
		r.line++;
		one_line(text);
	}
	if (ferror(stdin))
		return 1;
	say("pos", r.npos, GATE_NWANT);
	say("why", r.nwhy, GATE_NWHY);
	say("act", r.nact, GATE_NACT);
	return 0;
}
