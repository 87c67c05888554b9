/*
 * What a marked packet may reach on the gateway.
 */
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/rules_gate.h"

static bool
standalone(const struct pol_policy *p)
{
	return p->firewall.mode == POL_MODE_STANDALONE;
}

/*
 * Once redirected, by whomever, what is still not for us would end in
 * routing, without an answer.  Only a flow's first packet is looked at: no
 * other exists.  In mode standalone rules_nat.c sees to it.
 */
static void
stray_rules(struct pol_build *b, const struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	if (standalone(p) || p->firewall.refuse != POL_REFUSE_REJECT)
		return;
	for (size_t i = 0; i < p->ninternal; i++)
		POL_RULE(b, c->stray_pre,
		    pol_st(POL_M_CT_NEW),
		    pol_st_if(POL_M_IIFNAME, p->internal[i]),
		    pol_st_jump(c->stray));
	POL_RULE(b, c->stray, pol_st(POL_M_DADDR_LOCAL),
	    pol_st(POL_A_ACCEPT));
	POL_RULE(b, c->stray, pol_st_jump(c->refuse));
}

/*
 * A flow's first packet.  A source that is not reached where it came from is
 * forged: nothing of ours may answer it, wherever the answer would go.  A
 * TCP flow begins with SYN: one cut by a close, which the kernel has
 * forgotten, is told so and can begin anew.
 */
static void
fresh_rules(struct pol_build *b, const struct pol_gate_chains *c)
{
	struct pol_stmt tcp = pol_st_num(POL_M_L4PROTO, IPPROTO_TCP);
	struct pol_stmt client = pol_st_num(POL_A_CT_MARK_OR, POL_MARK_GATE);

	POL_RULE(b, c->fresh, pol_st(POL_M_NO_ROUTE_BACK),
	    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
	POL_RULE(b, c->fresh, tcp, pol_st(POL_M_TCP_SYN), client,
	    pol_st_jump(c->allowed));
	POL_RULE(b, c->fresh, tcp, pol_st_jump(c->refuse));
	POL_RULE(b, c->fresh, client, pol_st_jump(c->allowed));
}

static void
keep_loopback(struct pol_build *b, const struct pol_gate_chains *c)
{
	POL_RULE(b, c->allowed, pol_st_num(POL_M_NFPROTO, AF_INET),
	    pol_st_num(POL_M_IP4_NET, IN_LOOPBACKNET), pol_st(POL_A_COUNTER),
	    pol_st(POL_A_DROP));
}

/* By number where the address is the policy's, else by port and proof. */
static void
allow_direct(struct pol_build *b, const struct pol_gate_chains *c)
{
	for (size_t s = 0; s < POL_NSIDES; s++)
		POL_RULE(b, c->allowed,
		    pol_st_num(POL_M_NFPROTO, pol_sides[s].nfproto),
		    pol_st_lookup(pol_sides[s].direct, pol_sides[s].dst),
		    pol_st_lookup(pol_sides[s].proven, pol_sides[s].dst),
		    pol_st(POL_A_ACCEPT));
	/*
	 * A port says nothing of the address: one of loopback may be proven
	 * too, which the guard knows as a listener, and the kernel lets it in
	 * from outside where route_localnet is set.  There is no such setting
	 * for ::1.
	 */
	if (c->ports[0])
		keep_loopback(b, c);
	for (size_t s = 0; s < POL_NSIDES; s++)
		if (c->ports[s])
			POL_RULE(b, c->allowed,
			    pol_st_num(POL_M_NFPROTO, pol_sides[s].nfproto),
			    pol_st_lookup(pol_sides[s].ports, POL_K_DPORT),
			    pol_st_lookup(pol_sides[s].proven,
				pol_sides[s].dst),
			    pol_st(POL_A_ACCEPT));
}

/* Whoever sent it there, to whatever listener: all but loopback's. */
static void
allow_veto(struct pol_build *b, const struct pol_gate_chains *c)
{
	keep_loopback(b, c);
	for (size_t s = 0; s < POL_NSIDES; s++)
		POL_RULE(b, c->allowed,
		    pol_st_num(POL_M_NFPROTO, pol_sides[s].nfproto),
		    pol_st_lookup(pol_sides[s].proven, pol_sides[s].dst),
		    pol_st(POL_A_ACCEPT));
}

/*
 * Direct listeners are reached directly.  Of the others only those packets
 * get through that the redirect brought: nothing but a redirected listener
 * is ever a redirect's target.  Direct listeners on interfaces are known by
 * their port, which the policy gives to no redirected one.
 */
static void
allow_standalone(struct pol_build *b, const struct pol_gate_chains *c)
{
	/* First, as it is the cheapest to rule out. */
	for (size_t s = 0; s < POL_NSIDES; s++)
		POL_RULE(b, c->allowed, pol_st(POL_M_CT_DNAT),
		    pol_st_num(POL_M_NFPROTO, pol_sides[s].nfproto),
		    pol_st_lookup(pol_sides[s].proven, pol_sides[s].dst),
		    pol_st(POL_A_ACCEPT));
	allow_direct(b, c);
}

/* They need the lease itself: time synchronisation sets the mark too. */
static void
allow_services(struct pol_build *b, const struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	for (size_t i = 0; i < p->nservices; i++) {
		const struct pol_service *s = &p->services[i];
		const struct pol_case k = { .chain = c->allowed,
			.t = &s->traffic,
			.ports = POL_M_DPORTS, .nets = POL_M_SADDR_NET,
			.head = { pol_st_if(POL_M_IIFNAME, s->ifname),
			    pol_gate_lease(POL_S_GATE) }, .nhead = 2,
			.tail = { pol_st(POL_A_ACCEPT) }, .ntail = 1 };

		if (s->internal)
			pol_build_case(b, &k);
	}
}

static void
from_int_rules(struct pol_build *b, const struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	/* "fresh" has seen the flow's first packet, and let it in. */
	POL_RULE(b, c->from_int, pol_st_num(POL_M_CT_MARK_SET,
	    POL_MARK_GATE), pol_st_jump(c->allowed));
	POL_RULE(b, c->from_int, pol_st(POL_M_CT_INVALID),
	    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
	POL_RULE(b, c->from_int, pol_st(POL_M_CT_NEW),
	    pol_st_jump(c->fresh));
	pol_build_neighbours(b, c->from_int, NULL);
	POL_RULE(b, c->from_int, pol_st_jump(c->refuse));
	fresh_rules(b, c);
	if (standalone(p))
		allow_standalone(b, c);
	else
		allow_veto(b, c);
	allow_services(b, c, p);
}

/*
 * An error about a packet whose answer would have gone by DIRECTION; from
 * any interface if IN is NULL.
 */
static void
related(struct pol_build *b, size_t chain, const struct pol_policy *p,
    const struct pol_stmt *in, enum pol_stmt_kind direction)
{
	const bool big = (p->firewall.icmp & POL_ICMP_FRAG_NEEDED) != 0;
	const bool all = (p->firewall.icmp & POL_ICMP_UNREACHABLE) != 0;
	const struct pol_stmt v4[] = { pol_st_num(POL_M_NFPROTO, AF_INET),
		pol_st_num(POL_M_L4PROTO, IPPROTO_ICMP),
		pol_st_num(POL_M_ICMP_TYPE, ICMP_DEST_UNREACH) };
	const struct pol_stmt v6[] = { pol_st_num(POL_M_NFPROTO, AF_INET6),
		pol_st_num(POL_M_L4PROTO, IPPROTO_ICMPV6) };
	struct pol_stmt ours = pol_st(POL_M_CT_RELATED);
	struct pol_stmt way = pol_st(direction);
	struct pol_stmt accept = pol_st(POL_A_ACCEPT);

	/* In IPv4 the one kind is a code of the other's type. */
	if (all)
		POL_RULE_ON(b, chain, in, v4[0], v4[1], v4[2], ours, way,
		    accept);
	else if (big)
		POL_RULE_ON(b, chain, in, v4[0], v4[1], v4[2],
		    pol_st_num(POL_M_ICMP_CODE, ICMP_FRAG_NEEDED), ours, way,
		    accept);
	if (all)
		POL_RULE_ON(b, chain, in, v6[0], v6[1], pol_st_num(
		    POL_M_ICMPV6_TYPE, ICMP6_DST_UNREACH), ours, way, accept);
	if (big)
		POL_RULE_ON(b, chain, in, v6[0], v6[1], pol_st_num(
		    POL_M_ICMPV6_TYPE, ICMP6_PACKET_TOO_BIG), ours, way,
		    accept);
}

/* Errors about the answers to those who call a service of this interface. */
static void
errors_called(struct pol_build *b, size_t chain, const struct pol_policy *p,
    const char *external)
{
	struct pol_stmt in = pol_st_if(POL_M_IIFNAME, external);
	bool called = false;

	for (size_t i = 0; i < p->nservices; i++)
		called |= strcmp(p->services[i].ifname, external) == 0;
	if (called)
		related(b, chain, p, &in, POL_M_CT_ORIGINAL);
}

static void
pings(struct pol_build *b, size_t chain)
{
	POL_RULE(b, chain, pol_st_num(POL_M_NFPROTO, AF_INET),
	    pol_st_num(POL_M_L4PROTO, IPPROTO_ICMP),
	    pol_st_num(POL_M_ICMP_TYPE, ICMP_ECHO),
	    pol_st_num(POL_M_ICMP_CODE, 0), pol_st(POL_A_ACCEPT));
	POL_RULE(b, chain, pol_st_num(POL_M_NFPROTO, AF_INET6),
	    pol_st_num(POL_M_L4PROTO, IPPROTO_ICMPV6),
	    pol_st_num(POL_M_ICMPV6_TYPE, ICMP6_ECHO_REQUEST),
	    pol_st_num(POL_M_ICMP_CODE, 0), pol_st(POL_A_ACCEPT));
}

static void
services_from(struct pol_build *b, size_t chain, const struct pol_policy *p,
    const char *external)
{
	for (size_t i = 0; i < p->nservices; i++) {
		const struct pol_service *s = &p->services[i];
		const struct pol_case c = { .chain = chain, .t = &s->traffic,
			.ports = POL_M_DPORTS, .nets = POL_M_SADDR_NET,
			.head = { pol_st_if(POL_M_IIFNAME, external) },
			.nhead = 1,
			.tail = { pol_st(POL_A_ACCEPT) }, .ntail = 1 };

		if (strcmp(s->ifname, external) == 0)
			pol_build_case(b, &c);
	}
}

/* From any external interface; only they lead here. */
static void
from_ext_rules(struct pol_build *b, size_t chain, const struct pol_policy *p)
{
	POL_RULE(b, chain, pol_st(POL_M_CT_ESTABLISHED),
	    pol_st(POL_M_CT_REPLY), pol_st(POL_A_ACCEPT));
	related(b, chain, p, NULL, POL_M_CT_REPLY);
	if ((p->firewall.icmp & POL_ICMP_ECHO) != 0)
		pings(b, chain);
	for (size_t i = 0; i < p->nexternal; i++) {
		errors_called(b, chain, p, p->external[i]);
		services_from(b, chain, p, p->external[i]);
	}
	pol_build_link_in(b, chain, p);
	pol_build_drop(b, chain, p);
}

void
pol_gate_input_rules(struct pol_build *b, const struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	stray_rules(b, c, p);
	for (size_t i = 0; i < p->ninternal; i++)
		POL_RULE(b, c->input,
		    pol_st_if(POL_M_IIFNAME, p->internal[i]),
		    pol_st_jump(c->from_int));
	for (size_t i = 0; i < p->nexternal; i++)
		POL_RULE(b, c->input,
		    pol_st_if(POL_M_IIFNAME, p->external[i]),
		    pol_st_jump(c->from_ext));
	from_int_rules(b, c, p);
	from_ext_rules(b, c->from_ext, p);
}
