/*
 * The names that the engine has given us, what is known of each, and when it
 * is to be asked next.  Pure: the clock is an argument, in milliseconds.
 */
#ifndef RESOLVER_NAMES_H
#define RESOLVER_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/namemsg.h"
#include "supervisor/resolver/answer.h"

/* After a failure: this long, and twice as long each further time. */
#define NAMES_RETRY_MIN_MS 5000
#define NAMES_RETRY_MAX_MS 60000
/* Nothing left the machine: that may be tried more often. */
#define NAMES_BLOCKED_MAX_MS 15000
/*
 * A transport may ask again sooner than that; a failure that is younger than
 * this is its answer, so that one in a loop does not become a flood outside.
 */
#define NAMES_NEGATIVE_MS 2000
/*
 * An answer is asked for again when its time is up.  Until the next one is
 * there, the engine may go on with it for this long.
 */
#define NAMES_GRACE_MS 15000

#define NAMES_NONE SIZE_MAX
#define NAMES_NEVER UINT64_MAX

struct names_entry {
	struct name_host host;
	enum name_state state;
	bool busy;   /* a lookup is under way, or waits for permission */
	bool asked;  /* a transport waits for it */
	bool told;   /* the engine knows of the state as it is */
	unsigned failures;    /* since the last good answer */
	uint64_t done_ms;     /* of the last lookup; 0: there was none */
	uint64_t next_ms;     /* NAME_F_LOOKUP: not before */
	uint64_t fresh_ms;    /* the addresses' TTL is up */
	uint64_t valid_ms;    /* and they are gone */
	uint64_t granted_ms;  /* in force for the transports until then */
	uint32_t n;
	struct pol_addr addr[NAME_MAX_ADDRS];
};

struct names {
	struct names_entry entry[NAME_MAX_HOSTS];
	size_t n;
	uint32_t generation; /* 0: no list yet */
	bool enabled;
};

void names_init(struct names *t);

/*
 * A new list, which is valid.  What is known of names that stay is kept; all
 * is to be told again, and nothing granted is believed to be so any more.
 */
void names_take(struct names *t, const struct name_list *l, uint64_t now);
/* The engine is gone: nothing is enabled, nothing granted. */
void names_suspend(struct names *t);

/* Index of HOST in any case of letters, or NAMES_NONE. */
size_t names_find(const struct names *t, const char *host);

/* A name whose turn it is, or NAMES_NONE.  The caller marks it busy. */
size_t names_due(const struct names *t, uint64_t now);
/* When names_due() or names_expire() have something to do next. */
uint64_t names_next(const struct names *t);

/* A lookup has ended.  DICE: any number; spreads what would coincide. */
void names_done(struct names *t, size_t i, const struct answer *a,
    uint64_t now, uint32_t dice);
/* Forget addresses that are no longer valid. */
void names_expire(struct names *t, uint64_t now);

/* What the engine is told of number I. */
void names_result(const struct names *t, size_t i, uint64_t now,
    struct name_result *out);
/* Seconds that are left of the answer's TTL, rounded down, at least 1. */
uint32_t names_ttl(const struct names_entry *e, uint64_t now);
bool names_fresh(const struct names_entry *e, uint64_t now);
/* For how long the addresses are to be in force; what is told as ttl_s. */
uint32_t names_valid(const struct names_entry *e, uint64_t now);

/* What becomes of a transport's question that came at SINCE. */
enum names_reply {
	NAMES_R_REFUSE = 0, /* not ours to answer */
	NAMES_R_WAIT,	    /* a lookup is under way */
	NAMES_R_LOOKUP,	    /* start one */
	NAMES_R_GRANT,	    /* have the addresses put in force first */
	NAMES_R_ADDRS,
	NAMES_R_EMPTY,
	NAMES_R_NXDOMAIN,
	NAMES_R_FAIL
};
enum names_reply names_reply(const struct names *t, const char *host,
    uint64_t since, uint64_t now);

#endif
