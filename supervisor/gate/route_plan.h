/*
 * Which rules of the routing policy database ("ip rule") a policy asks for: by
 * them the kernel has no way for what must not leave, whatever nf_tables holds
 * and whether or not it forwards.  Pure.
 *
 *   80  what arrived here is for this machine or for nobody
 *   81  (full) the users, answers and marked packets that may go farther
 *   82  (full) networks that this machine is connected to
 *   83  (full) else nothing of this machine's own
 *   84  (full) where those of 81 go on, with everybody's rules
 */
#ifndef GATE_ROUTE_PLAN_H
#define GATE_ROUTE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

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

/* Tor, resolver, egress users, services' ports, echo, mark; four others. */
#define ROUTES_MOST \
	(POL_MAX_EGRESS + POL_MAX_SERVICES * POL_MAX_RULE_PORTS + 8)

/*
 * P's rules, in the order in which they are put there; how many.  0: the
 * policy wants none.
 */
size_t route_plan_make(struct route_rule rules[ROUTES_MOST],
    const struct pol_policy *p);

/* ICMP is another protocol over IPv6; FAMILY is AF_INET or AF_INET6. */
uint8_t route_plan_ipproto(const struct route_rule *rule, uint8_t family);

/* Up to this many bits a route is no connected network's. */
uint32_t route_plan_suppress(uint8_t family);

/* RULE as a command of ip-rule(8), without a line end. */
#define ROUTE_PLAN_TEXT 192
void route_plan_format(char dst[ROUTE_PLAN_TEXT],
    const struct route_rule *rule, uint8_t family);

#endif
