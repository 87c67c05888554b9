/*
 * The netdev table: what leaves by an external interface, whoever made it.
 * Packet sockets pass by the inet output hook, but not by this one.
 */
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "policy/build.h"

/* What every link needs. */
static void
templates(struct pol_build *b, size_t chain, const struct pol_policy *p)
{
	static const uint32_t nd[] = { POL_ND_NS, POL_ND_NA, POL_ND_RS };
	const size_t n = p->firewall.ra ? 3 : 2;

	/* By the frame: "meta protocol" is whatever a packet socket says. */
	POL_RULE(b, chain, pol_st_num(POL_M_FRAMETYPE, ETHERTYPE_ARP),
	    pol_st(POL_A_ACCEPT));
	for (size_t i = 0; i < n; i++)
		POL_RULE(b, chain,
		    pol_st_num(POL_M_ETHERTYPE, ETHERTYPE_IPV6),
		    pol_st_num(POL_M_HOPLIMIT, POL_ND_HOPLIMIT),
		    pol_st_num(POL_M_L4PROTO, IPPROTO_ICMPV6),
		    pol_st_num(POL_M_ICMPV6_TYPE, nd[i]),
		    pol_st_num(POL_M_ICMP_CODE, 0), pol_st(POL_A_ACCEPT));
	if (p->dhcp)
		POL_RULE(b, chain, pol_st_num(POL_M_ETHERTYPE, ETHERTYPE_IP),
		    pol_st_num(POL_M_L4PROTO, IPPROTO_UDP),
		    pol_st_num(POL_M_SPORT, POL_DHCP_CLIENT),
		    pol_st_num(POL_M_DPORT, POL_DHCP_SERVER),
		    pol_st(POL_A_ACCEPT));
}

/*
 * A packet socket can set a mark of its own, and say that it sends from any
 * port: only what was routed went by the inet tables, where marks are ours.
 */
static void
user(struct pol_build *b, size_t chain, const struct pol_user *u)
{
	POL_RULE(b, chain, pol_st_num(POL_M_SKUID, u->uid),
	    pol_st(POL_M_ROUTED), pol_st_num(POL_M_MARK_SET, POL_MARK_EGRESS),
	    pol_st(POL_A_ACCEPT));
}

static void
users(struct pol_build *b, size_t chain, const struct pol_policy *p,
    const char *external)
{
	if (pol_tor_leaves_by(p, external))
		user(b, chain, &p->tor.user);
	if (pol_tor_leaves_by(p, external) && pol_has_lookup(p))
		user(b, chain, &p->resolver_user);
	for (size_t i = 0; i < p->negress; i++)
		if (pol_build_on(p->egress[i].ifname, external))
			user(b, chain, &p->egress[i].user);
}

/* Whose a service is nobody says; what it answers from is its port. */
static void
services(struct pol_build *b, size_t chain, const struct pol_policy *p,
    const char *external)
{
	for (size_t i = 0; i < p->nservices; i++) {
		struct pol_traffic t = p->services[i].traffic;
		const struct pol_case c = { .chain = chain, .t = &t,
			.ports = POL_M_SPORTS, .nets = POL_M_DADDR_NET,
			.head = { pol_st(POL_M_ROUTED),
			    pol_st_num(POL_M_MARK_SET, POL_MARK_EGRESS) },
			.nhead = 2,
			.tail = { pol_st(POL_A_ACCEPT) }, .ntail = 1 };

		t.nnets = 0; /* the mark knows */
		if (strcmp(p->services[i].ifname, external) == 0)
			pol_build_case(b, &c);
	}
}

static void
egress_rules(struct pol_build *b, size_t chain, const struct pol_policy *p,
    const char *external)
{
	templates(b, chain, p);
	users(b, chain, p, external);
	services(b, chain, p, external);
	POL_RULE(b, chain, pol_st_num(POL_M_SKUID_NOT, POL_NO_UID),
	    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
	/* Of nobody: what the kernel sends for a socket that is closed. */
	POL_RULE(b, chain, pol_st(POL_M_ROUTED),
	    pol_st_num(POL_M_MARK_SET, POL_MARK_EGRESS),
	    pol_st(POL_A_ACCEPT));
	pol_build_drop(b, chain, p);
}

void
pol_build_netdev(struct pol_build *b, const struct pol_policy *p)
{
	static const char *const names[POL_MAX_IFACES] = { "egress0",
		"egress1", "egress2", "egress3", "egress4", "egress5",
		"egress6", "egress7" };

	for (size_t i = 0; i < p->nexternal; i++) {
		struct pol_chain c = { .name = names[i],
			.hook = POL_H_NETDEV_EGRESS,
			.policy_drop = true };

		(void)snprintf(c.device, sizeof c.device, "%s",
		    p->external[i]);
		egress_rules(b, pol_build_chain(b, &c), p, p->external[i]);
	}
}
