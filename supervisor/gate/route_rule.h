/*
 * One routing rule of ours: how the kernel is told of it, and knowing it again
 * among what the kernel tells.  See routes.h for what they are for.
 */
#ifndef GATE_ROUTE_RULE_H
#define GATE_ROUTE_RULE_H

#include <stdbool.h>
#include <stdint.h>

struct nft_sock;
struct nlmsghdr;

/* A rule as a message: the kernel's own are shorter than 200 octets. */
#define ROUTE_RULE_BYTES 512

/*
 * After "local" (0), before what VPN clients and network managers install.
 * The rules are recognised by these and by the number in their attribute
 * "protocol", which no routing daemon has.
 */
enum { ROUTES_ARRIVED = 80, ROUTES_LEAVE, ROUTES_NEAR, ROUTES_NOTHING,
	ROUTES_END };
#define ROUTES_PROTOCOL 80

/*
 * Routes with shorter prefixes are ways to everywhere, such as the two halves
 * that VPN clients install; connected networks have longer ones.
 */
#define ROUTES_NEAR4 8
#define ROUTES_NEAR6 16

/* One rule, but for its family; 0 is "any" or "none". */
struct route_rule {
	uint32_t pref;
	uint8_t action; /* FR_ACT_* */
	bool arrived;	/* "not iif lo"; else "iif lo" */
	bool has_uid;
	uint32_t uid;
	uint32_t mark;	   /* and mask */
	uint8_t ipproto;   /* ICMP: of the family */
	uint16_t sport[2]; /* first, last */
};

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
