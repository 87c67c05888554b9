/*
 * The routing barrier: the rules of route_plan.h are put there and kept.  They
 * outlive the gate: portcullisd --remove-rules removes them.
 */
#ifndef GATE_ROUTES_H
#define GATE_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"
#include "supervisor/gate/nft_batch.h"
#include "supervisor/gate/route_plan.h"

struct routes {
	const struct pol_policy *policy; /* borrowed */
	struct nft_sock ask, events;
	struct route_rule rules[ROUTES_MOST];
	size_t nrules;
	bool held[ROUTES_MOST]; /* of the family being looked at */
	unsigned passes;	/* at each family, at a time */
	bool due;		/* look, whether or not something is told */
	bool standing;
	bool said;	   /* that it does not stand */
	uint32_t in_way;   /* priority of another's rule before ours; or 0 */
	uint64_t put_back; /* rules that somebody had removed */
};

/*
 * Put the rules there that P asks for, and no others of ours, without a
 * moment in which one that is wanted is missing.  What fails is said and
 * tried again by routes_check(); it never stops the gate.
 */
void routes_start(struct routes *r, const struct pol_policy *p);

/* Once a second: all there?  Looks only if told of a change. */
void routes_check(struct routes *r);

/* GATE_BAR_ROUTES if all stand, and none of another's is in the way. */
uint32_t routes_barrier(const struct routes *r);

void routes_clear(struct routes *r);

/*
 * Remove all of ours, in both families.  How many there were, or a negative
 * errno.
 */
int routes_remove(void) __attribute__((warn_unused_result));

#endif
