/*
 * The permits, GATE_P_*: leases besides those of the positions, each behind
 * rules of its own (policy/rules_names.c).  They are held like Tor's under a
 * strict policy: only a fresh request renews one, by a heartbeat of its own,
 * and one that lacks the bit ends it at once.
 */
#ifndef GATE_PERMITS_H
#define GATE_PERMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"
#include "supervisor/gate/nft_batch.h"
#include "supervisor/gate/nft_read.h"

struct heart;
struct kern;

#define PERMITS 3

struct permits {
	struct nft_batch end[PERMITS]; /* flushes one's lease; prebuilt */
	uint32_t may;  /* GATE_P_* for which the policy gives a reason */
	uint32_t held; /* begun, and not known to have been ended by us */
};

/* What the kernel holds of each; all zero where there is no such set. */
struct permits_held {
	struct nft_lease_info lease[PERMITS];
};

/* Start-up; -1: out of memory. */
int permits_init(struct kern *k) __attribute__((warn_unused_result));
void permits_clear(struct kern *k);

/* Add to B what ends all of P's permits, as a part of closing. */
void permits_flush(struct nft_batch *b, const struct pol_policy *p);

/* Begin or renew those in WANT; right after a request was believed. */
void permits_hold(struct kern *k, const struct heart *h, uint32_t want);

/* End those in BITS that are held; what fails lapses, and is tried again. */
void permits_end(struct kern *k, uint32_t bits);

/* 0, or a negative errno. */
int permits_read(struct kern *k, struct permits_held *out)
    __attribute__((warn_unused_result));

/* GATE_P_* of those that are live. */
uint32_t permits_live(const struct permits_held *h);
/* Is there an element in one that none of our leases has? */
bool permits_wrong(const struct permits_held *h);

#endif
