/*
 * One routing rule of ours: how the kernel is told of it, and knowing it again
 * among what the kernel tells.  See route_plan.h for what they are for.
 */
#ifndef GATE_ROUTE_RULE_H
#define GATE_ROUTE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/gate/route_plan.h"

struct nft_sock;
struct nlmsghdr;

/* A rule as a message: the kernel's own are shorter than 200 octets. */
#define ROUTE_RULE_BYTES 512

/* A rule of the kernel's, as far as ours are like it. */
struct route_seen {
	struct route_rule rule;
	const char *iif;
	uint32_t target, table, suppress, mask, uid_last;
	uint8_t protocol;
	bool strange; /* it has what none of ours has */
};

/*
 * Put RULE of FAMILY there.  0, or a negative errno; -EEXIST: one like it
 * is.
 */
int route_rule_add(struct nft_sock *s, const struct route_rule *rule,
    uint8_t family) __attribute__((warn_unused_result));

/* H is an RTM_NEWRULE, long enough; what S points to stays H's. */
void route_rule_see(struct route_seen *s, const struct nlmsghdr *h);

/* Is it RULE, whoever made it? */
bool route_rule_same(const struct route_seen *s,
    const struct route_rule *rule, uint8_t family);

#endif
