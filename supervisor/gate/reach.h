/*
 * Single addresses that Tor's user, or the resolver's, may reach for a while
 * (struct gate_reach): elements with a timeout, which the kernel ends.
 */
#ifndef GATE_REACH_H
#define GATE_REACH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/gate/nft_batch.h"

struct gate_reach;
struct kern;

struct reach {
	struct nft_batch end; /* empties all the sets; prebuilt */
	void *buf;	      /* room for a batch */
	size_t cap;	      /* 0: the policy has none of the sets */
	bool dirty;	      /* the sets may hold something */
	bool stale;	      /* of an engine that is no more */
	uint32_t seq;	      /* of the last one in force; 0: none */
};

/* Start-up; -1: out of memory. */
int reach_init(struct kern *k) __attribute__((warn_unused_result));
void reach_clear(struct kern *k);

/*
 * Put R, which the core has let through, in force, and read it back: only
 * then it is named by SEQ.  All of it or nothing; one transaction, or a few if
 * elements lapse meanwhile.
 */
void reach_put(struct kern *k, const struct gate_reach *r);

/* Their engine is gone: end them. */
void reach_abandon(struct kern *k);

/* Once a second: what could not be ended. */
void reach_check(struct kern *k);

#endif
