#include "supervisor/engine/facts.h"

#include <string.h>

/*
 * How old a confirmation may be.  0 stands for the policy's lease: these four
 * are answered by every probe, so a missing answer closes within one lease.
 */
static const uint32_t bound_ms[NFACT] = {
	/*
	 * An end of file drops LINK at once and every answer confirms it.  The
	 * bound outlasts the longest deadline of a command (30 s for a SETCONF
	 * with hundreds of listeners), so that a slow answer is no lost link.
	 */
	[FACT_LINK] = 40000,
	/* Read back every second; two rounds may be late under load. */
	[FACT_CONF] = 3500,
	[FACT_LISTEN] = 0,
	[FACT_BOOT] = 0,
	[FACT_CIRCUIT] = 0,
	/* An idle Tor gets a test circuit after 60 s; the rest is for it. */
	[FACT_USABLE] = 120000,
	[FACT_ALIVE] = 0,
	/* Looked for twice a second, besides at every change. */
	[FACT_TIME] = 3500,
	/* Confirmed by every turn of the loop, at least once a second. */
	[FACT_FREE] = 5000,
};

/* Each explains the ones after it: a dead link makes all else unknown. */
static const enum fact explain[NFACT] = { FACT_LINK, FACT_FREE, FACT_CONF,
	FACT_BOOT, FACT_ALIVE, FACT_CIRCUIT, FACT_LISTEN, FACT_USABLE,
	FACT_TIME };

static const struct facts_reason reasons[NFACT + 1] = {
	[FACT_LINK] = { "tor-unreachable",
	    "There is no authenticated connection to Tor's control port.",
	    "Check that Tor is running." },
	[FACT_CONF] = { "configuring",
	    "Tor's listeners are being compared with the policy.", "" },
	[FACT_LISTEN] = { "no-listener",
	    "None of the policy's listeners is proven to be Tor's.",
	    "Look at the listed listeners." },
	[FACT_BOOT] = { "bootstrapping",
	    "Tor is still connecting to its network.", "" },
	[FACT_CIRCUIT] = { "no-circuit",
	    "Tor says that it has no working circuit.",
	    "Wait; if it stays so, check the uplink." },
	[FACT_USABLE] = { "no-traffic",
	    "Nothing shows that Tor's circuits carry traffic.",
	    "Wait for the test circuit; if it stays so, check the uplink." },
	[FACT_ALIVE] = { "tor-hung",
	    "Tor has not answered within the lease.",
	    "If it stays so, restart Tor." },
	[FACT_TIME] = { "time-sync",
	    "The clock is not known to be right.",
	    "Wait for time synchronisation." },
	[FACT_FREE] = { "hold", "The operator holds the gate closed.",
	    "Release it with: portcullis release" },
	[NFACT] = { "open", "Tor is proven to carry the traffic.", "" },
};

static const char *const names[NFACT] = {
	[FACT_LINK] = "link",
	[FACT_CONF] = "configuration",
	[FACT_LISTEN] = "listeners",
	[FACT_BOOT] = "bootstrap",
	[FACT_CIRCUIT] = "circuit",
	[FACT_USABLE] = "usable",
	[FACT_ALIVE] = "alive",
	[FACT_TIME] = "time",
	[FACT_FREE] = "free",
};

void
facts_init(struct facts *f, uint32_t lease_ms)
{
	memset(f, 0, sizeof *f);
	f->lease_ms = lease_ms;
}

void
facts_confirm(struct facts *f, enum fact fact, uint64_t at_ms)
{
	if (at_ms > f->at[fact])
		f->at[fact] = at_ms;
}

void
facts_drop(struct facts *f, enum fact fact)
{
	f->at[fact] = 0;
	if (fact != FACT_LISTEN)
		return;
	f->nproven = f->nsync = 0;
	memset(f->proven, 0, sizeof f->proven);
}

void
facts_renew(struct facts *f, uint64_t epoch)
{
	uint64_t link = f->at[FACT_LINK];
	uint32_t lease_ms = f->lease_ms;

	facts_init(f, lease_ms);
	f->at[FACT_LINK] = link;
	f->epoch = epoch;
}

void
facts_prove(struct facts *f, const uint8_t *map, uint32_t nproven,
    uint32_t nsync, uint64_t at_ms)
{
	facts_drop(f, FACT_LISTEN);
	if (nproven == 0)
		return;
	memcpy(f->proven, map, sizeof f->proven);
	f->nproven = nproven;
	f->nsync = nsync;
	f->at[FACT_LISTEN] = at_ms;
}

/* The last moment at which FACT still holds. */
static uint64_t
valid_until(const struct facts *f, enum fact fact)
{
	uint32_t ms = bound_ms[fact] != 0 ? bound_ms[fact] : f->lease_ms;
	uint64_t left = UINT64_MAX - f->at[fact];

	return f->at[fact] + (left < ms ? left : ms);
}

bool
facts_holds(const struct facts *f, enum fact fact, uint64_t now_ms)
{
	if (f->at[fact] == 0 || f->at[fact] > now_ms)
		return false;
	return now_ms <= valid_until(f, fact);
}

uint32_t
facts_bits(const struct facts *f, uint64_t now_ms)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < NFACT; i++)
		if (facts_holds(f, (enum fact)i, now_ms))
			bits |= 1u << i;
	return bits;
}

enum gate_position
facts_position(const struct facts *f, uint64_t now_ms)
{
	if (!facts_holds(f, FACT_LINK, now_ms))
		return GATE_CLOSED;
	for (unsigned i = 0; i < NFACT; i++)
		if (i != FACT_TIME && !facts_holds(f, (enum fact)i, now_ms))
			return GATE_TOR_ONLY;
	if (facts_holds(f, FACT_TIME, now_ms))
		return GATE_OPEN;
	return f->nsync > 0 ? GATE_SYNC : GATE_TOR_ONLY;
}

uint64_t
facts_proof_ns(const struct facts *f, uint64_t now_ms)
{
	uint64_t oldest = UINT64_MAX;

	for (unsigned i = 0; i < NFACT; i++) {
		if (bound_ms[i] != 0)
			continue;
		if (!facts_holds(f, (enum fact)i, now_ms))
			return 0;
		if (f->at[i] < oldest)
			oldest = f->at[i];
	}
	return oldest * 1000000u;
}

uint64_t
facts_lapse(const struct facts *f, uint64_t now_ms)
{
	uint64_t first = UINT64_MAX, until;

	for (unsigned i = 0; i < NFACT; i++) {
		if (!facts_holds(f, (enum fact)i, now_ms))
			continue;
		until = valid_until(f, (enum fact)i);
		if (until < first)
			first = until;
	}
	return first;
}

enum fact
facts_missing(const struct facts *f, uint64_t now_ms)
{
	for (unsigned i = 0; i < NFACT; i++)
		if (!facts_holds(f, explain[i], now_ms))
			return explain[i];
	return NFACT;
}

const struct facts_reason *
facts_reason(enum fact missing)
{
	return &reasons[(unsigned)missing < NFACT ? missing : NFACT];
}

const char *
facts_name(enum fact fact)
{
	return (unsigned)fact < NFACT ? names[fact] : "unknown";
}
