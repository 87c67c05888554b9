/*
 * What the gate decides, without doing it: no I/O, no clock.  The caller
 * carries out each decision in the kernel and says how it went.
 */
#ifndef GATE_CORE_H
#define GATE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/gatemsg.h"

/* A list of relays of which pages have come; GENERATION 0: none has. */
struct gate_list {
	uint32_t generation, total;
	uint32_t got4, got6; /* pairs so far */
};

struct gate_core {
	enum gate_position pos; /* as confirmed by the kernel */
	enum gate_reason why;	/* of the last close */
	uint64_t epoch;		/* counts up at every close */
	uint64_t closes;
	uint64_t seq;	      /* of the last request believed */
	uint64_t proof_ns;    /* of the last OPEN or SYNC believed */
	uint64_t deadline_ns; /* a fresh request must come before; not CLOSED */
	bool seq_known;	      /* false: this engine has not spoken yet */
	bool refused;	      /* the last request was */
	bool has_engine;
	uint32_t silent_s; /* seconds without a request, while we ran */
	enum gate_position asked; /* OPEN or SYNC, whichever was the last */
	/* What of it was believed; all zero in the other positions. */
	uint8_t proven[POL_MAX_LISTENERS / 8];
	struct pol_addr ifaddr[POL_MAX_IFADDRS];
	struct gate_list list;
	uint32_t permits;   /* GATE_P_* of the last request believed */
	uint32_t reach_seq; /* of the last gate_reach believed */
	uint32_t lease_ms;   /* these, and what follows, are the policy's */
	uint32_t may;	     /* GATE_P_* for which it gives a reason */
	bool nothing_closed; /* CLOSED is so for Tor as well: no permits */
	bool strict;	     /* lists of relays are expected */
	bool timesync;	     /* SYNC is a position */
	uint32_t nlisteners;
	uint32_t nifaddrs;
	int family[POL_MAX_IFADDRS];
	/* The listeners on each interface's address. */
	uint8_t on_if[POL_MAX_IFADDRS][POL_MAX_LISTENERS / 8];
	uint8_t for_sync[POL_MAX_LISTENERS / 8];
};

enum gate_act {
	GATE_ACT_NONE = 0, /* the kernel already holds what is wanted */
	GATE_ACT_PAGE,	   /* put the page's relays into the spare sets */
	GATE_ACT_REACH,	   /* put the pairs into their sets */
	GATE_ACT_CLOSE,	   /* flush the leases that core.pos does not have */
	GATE_ACT_TOR_ONLY, /* Tor's lease may be held for one more lease */
	GATE_ACT_OPEN,	   /* set the proven elements; core.asked's lease */
	GATE_ACT_UPDATE,   /* it is held already: other elements, renew */
	GATE_ACT_RENEW,	   /* it is held already: one heartbeat */
	GATE_NACT
};

struct gate_decision {
	enum gate_act act;
	bool drop_engine; /* it sent what is no request: have it restarted */
};

/*
 * Closed.  EPOCH is the first one and must be greater than any that an
 * earlier gate used, so that no proof outlives the gate it was made for; the
 * milliseconds since boot do.
 */
void gate_core_init(struct gate_core *c, const struct pol_policy *p,
    uint64_t epoch);

/*
 * Does this datagram name addresses that have yet to be compared with those
 * that the interfaces have?  Then they are copied to OUT, all of them.  False
 * for what names those already in force, which are watched, and for what is
 * no request.
 */
bool gate_core_asks(const struct gate_core *c, const void *buf, size_t len,
    struct pol_addr out[POL_MAX_IFADDRS]);

/*
 * One datagram from the engine, which may be any octets.  MISSING: of what
 * gate_core_asks() copied, bits of those that are no addresses of their
 * interfaces; not looked at when there was nothing to ask.  Their listeners
 * are left out; with no other there is nothing to open, and it is refused.
 * After OPEN and UPDATE the caller answers with gate_core_opened() or
 * gate_core_close(); until then the position is the old one.
 */
struct gate_decision gate_core_request(struct gate_core *c, const void *buf,
    size_t len, uint64_t now_ns, uint32_t missing)
    __attribute__((warn_unused_result));

/*
 * A datagram that is one, by its size and its first word, of the pages that
 * make a list of relays.  PAGE if it is valid and the next of its list, or
 * the first of another; else as for what is no request.
 */
bool gate_core_is_page(const void *buf, size_t len);
struct gate_decision gate_core_page(struct gate_core *c,
    const struct gate_relays *page) __attribute__((warn_unused_result));

/*
 * The same of single addresses.  REACH if they are valid, in their order, and
 * for somebody whom the policy has.
 */
bool gate_core_is_reach(const void *buf, size_t len);
struct gate_decision gate_core_reach(struct gate_core *c,
    const struct gate_reach *r) __attribute__((warn_unused_result));

/*
 * GATE_P_* that are to be held now: for one lease from the request that was
 * believed last.  The caller asks after each, and never sooner or later
 * begins or renews one.
 */
uint32_t gate_core_permits(const struct gate_core *c);

/*
 * Those of c->ifaddr whose bits are in GONE are no longer the interfaces'.
 * Their listeners are no longer proven: UPDATE with the others, or CLOSE.
 */
struct gate_decision gate_core_gone(struct gate_core *c, uint32_t gone)
    __attribute__((warn_unused_result));

/* The kernel holds, read back, what the last OPEN or UPDATE asked for. */
void gate_core_opened(struct gate_core *c);

/* Close for WHY, in every state. */
struct gate_decision gate_core_close(struct gate_core *c,
    enum gate_reason why);

/* A new engine speaks from now on: nothing the old one proved counts. */
struct gate_decision gate_core_engine(struct gate_core *c);

/* Its end of the pair is closed. */
struct gate_decision gate_core_engine_gone(struct gate_core *c);

/*
 * To be called once a second, after the engine has been heard.  Seconds that
 * we slept through do not count: an engine that has said nothing in
 * gate_core_patience() of them hangs, and is dropped.
 */
struct gate_decision gate_core_second(struct gate_core *c)
    __attribute__((warn_unused_result));
uint32_t gate_core_patience(const struct gate_core *c);

/* Time has passed. */
struct gate_decision gate_core_tick(struct gate_core *c, uint64_t now_ns)
    __attribute__((warn_unused_result));

/*
 * Invariant 3, to be asked right before each renewal: is the last proof
 * still younger than the lease?  And once more right after it, because there
 * is no telling how long it took: if not, the caller closes at once.
 */
bool gate_core_fresh(const struct gate_core *c, uint64_t now_ns);

/* When gate_core_tick() will want to be called; UINT64_MAX: never. */
uint64_t gate_core_next(const struct gate_core *c);

#endif
