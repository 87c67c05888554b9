/*
 * What the engine's fuzzer asserts of each request that would open something,
 * and of the bits that stand in the last one.
 */
#include "tests/fuzz/engine_world.h"

#include "supervisor/engine/facts.h"
#include "supervisor/zero.h"
#include "tests/fuzz/fuzz.h"

#define CLOCK_MS 4000 /* beyond FACT_TIME's bound */

void
fuzz_check_bits(const uint8_t *map)
{
	FUZZ_ASSERT(map[0] >> NLISTENERS == 0);
	FUZZ_ASSERT(zero_ok(map + 1, POL_MAX_LISTENERS / 8 - 1));
	for (unsigned i = 0; i < NLISTENERS; i++) {
		if (!gate_map_get(map, i))
			continue;
		FUZZ_ASSERT(i != SOCKET);
		FUZZ_ASSERT(w.shown[i].kind == PROOF_OK);
		if (w.wild)
			continue;
		FUZZ_ASSERT(w.s[i].named && w.s[i].line);
		FUZZ_ASSERT(w.s[i].opened && !w.s[i].doubt);
	}
}

/* As design has it, and not as facts.c has it: 0 is the policy's lease. */
static const uint64_t oldest_ms[NFACT] = {
	[FACT_LINK] = 40000,
	[FACT_CONF] = 3500,
	[FACT_USABLE] = 120000,
	[FACT_TIME] = 3500,
	[FACT_FREE] = 5000,
};

static bool
is_fresh(const struct facts *f, enum fact fact)
{
	uint64_t most = oldest_ms[fact] != 0 ? oldest_ms[fact] :
	    w.policy.lease_ms;

	return f->at[fact] != 0 && f->at[fact] <= w.now &&
	    w.now - f->at[fact] <= most;
}

/* OPEN needs all facts; SYNC all but one, and is not for everybody. */
static void
check_position(const struct gate_req *q)
{
	const struct facts *f = engine_facts(w.e);
	const uint32_t all = (1u << NFACT) - 1;
	const bool sync = q->want == GATE_SYNC;

	for (unsigned i = 0; i < NFACT; i++)
		FUZZ_ASSERT(is_fresh(f, i) || (sync && i == FACT_TIME));
	FUZZ_ASSERT(facts_bits(f, w.now) == (sync ? all &
	    ~(1u << FACT_TIME) : all));
	FUZZ_ASSERT(facts_position(f, w.now) == q->want);
	for (unsigned i = 0; sync && i < NLISTENERS; i++)
		FUZZ_ASSERT(!gate_map_get(q->proven, i) ||
		    w.policy.listeners[i].timesync);
	if (sync)
		FUZZ_ASSERT(w.policy.timesync.required && w.want != GATE_OPEN);
	else if (w.policy.timesync.required)
		FUZZ_ASSERT(w.clock == CLOCK_RIGHT &&
		    w.now - w.clock_at <= CLOCK_MS);
}

void
fuzz_check_up(const struct gate_req *q)
{
	check_position(q);
	FUZZ_ASSERT(!w.changing);
	FUZZ_ASSERT(w.linked && w.genuine && w.gate_told);
	FUZZ_ASSERT(q->epoch == w.epoch);
	FUZZ_ASSERT(q->proof_ns <= w.now * 1000000);
	FUZZ_ASSERT(w.now * 1000000 - q->proof_ns <=
	    (uint64_t)w.policy.lease_ms * 1000000);
	w.nopen += q->want == GATE_OPEN;
	w.nsync += q->want == GATE_SYNC;
	FUZZ_ASSERT(gate_map_get(q->proven, IFACE) ==
	    (q->ifaddr[0].family != 0));
	if (q->ifaddr[0].family != 0)
		FUZZ_ASSERT(pol_addr_equal(&q->ifaddr[0], &w.ifaddrs[0]));
	fuzz_check_bits(q->proven);
}

bool
fuzz_is_well(void)
{
	return w.gate_up && w.want == (w.policy.timesync.required &&
	    w.clock != CLOCK_RIGHT ? GATE_SYNC : GATE_OPEN);
}
