/*
 * What is known about Tor, when it was last confirmed, and the one function
 * that decides from it how far the gate may be open.  Pure: no clock, no I/O.
 */
#ifndef FACTS_H
#define FACTS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"
#include "supervisor/gatemsg.h"

/* The numbers are those of enum snap_fact: the bits of snapshot.facts. */
enum fact {
	FACT_LINK = 0, /* authenticated connection, the peer is Tor's uid */
	FACT_CONF,     /* the options we own were read back as desired */
	FACT_LISTEN,   /* at least one listener is proven */
	FACT_BOOT,     /* bootstrap at 100 %, enough directory information */
	FACT_CIRCUIT,  /* Tor says that circuits work: a latch, hence ... */
	FACT_USABLE,   /* ... traffic was read or a circuit was built */
	FACT_ALIVE,    /* a probe was answered in time */
	FACT_TIME,     /* the clock is right; holds while nobody asks for it */
	FACT_FREE,     /* no operator's hold and no latched violation */
	NFACT
};

struct facts {
	uint64_t epoch;	     /* the gate's; proofs of another one are void */
	uint32_t lease_ms;   /* the policy's */
	uint64_t at[NFACT];  /* ms when last confirmed; 0: does not hold */
	uint32_t nproven;    /* bits set in PROVEN */
	uint32_t nsync;	     /* ... of those that position SYNC opens */
	uint8_t proven[POL_MAX_LISTENERS / 8];
};

/* A reason for people: machine-readable word, what is so, what to do. */
struct facts_reason {
	const char *code;
	const char *text;
	const char *advice; /* may be empty */
};

/* Nothing holds. */
void facts_init(struct facts *f, uint32_t lease_ms);

/*
 * FACT was true at AT_MS: the time at which the question was *sent*, for an
 * answer may be about any moment after that.  Never moves back in time.
 */
void facts_confirm(struct facts *f, enum fact fact, uint64_t at_ms);
void facts_drop(struct facts *f, enum fact fact);

/*
 * A new epoch, or everything is in doubt (suspend, reprove): all proofs are
 * void.  LINK stays: it is the connection itself, which is still there; it
 * opens nothing alone and every further answer confirms it.
 */
void facts_renew(struct facts *f, uint64_t epoch);

/*
 * The listener map; sets or drops FACT_LISTEN with it.  NSYNC of its NPROVEN
 * bits are timesync listeners'; 0 if the policy does not ask for the time.
 */
void facts_prove(struct facts *f, const uint8_t *map, uint32_t nproven,
    uint32_t nsync, uint64_t at_ms);

/* FACT was confirmed, not in the future, and within its bound. */
bool facts_holds(const struct facts *f, enum fact fact, uint64_t now_ms);
uint32_t facts_bits(const struct facts *f, uint64_t now_ms);

/*
 * The only place where an open gate comes from.  SYNC: all but the time is
 * proven, and so is a listener for those who set the clock.
 */
enum gate_position facts_position(const struct facts *f, uint64_t now_ms);

/*
 * gate_req.proof_ns: the age of the oldest fact among those that every probe
 * confirms (ALIVE, BOOT, CIRCUIT, LISTEN).  0 unless all of them hold.
 */
uint64_t facts_proof_ns(const struct facts *f, uint64_t now_ms);

/* When the first fact that holds now lapses; UINT64_MAX when none does. */
uint64_t facts_lapse(const struct facts *f, uint64_t now_ms);

/* The first missing one, in the order in which they explain one another. */
enum fact facts_missing(const struct facts *f, uint64_t now_ms);

/* For facts_missing()'s answer; NFACT means that all is well. */
const struct facts_reason *facts_reason(enum fact missing);
const char *facts_name(enum fact fact); /* "link" */

#endif
