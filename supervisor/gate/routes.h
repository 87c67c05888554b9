/*
 * The routing barrier: rules of the routing policy database ("ip rule") by
 * which the kernel has no way for what must not leave, whatever nf_tables
 * holds and whether or not it forwards.  They outlive the gate: portcullisd
 * --remove-rules removes them.
 *
 *   80  what arrived here is for this machine or for nobody
 *   81  (full) the users, answers and marked packets that may go farther
 *   82  (full) networks that this machine is connected to
 *   83  (full) else nothing of this machine's own
 *   84  (full) where those of 81 go on, with everybody's rules
 */
#ifndef GATE_ROUTES_H
#define GATE_ROUTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"
#include "supervisor/gate/nft_batch.h"
#include "supervisor/gate/route_rule.h"

/* Tor, resolver, egress users, services' ports, echo, mark; four others. */
#define ROUTES_MOST \
	(POL_MAX_EGRESS + POL_MAX_SERVICES * POL_MAX_RULE_PORTS + 8)

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
