/*
 * The boot and guard tables, which have the same content: drop whatever does
 * not carry our mark.  They never set it.  Who needs the second, and why most
 * packets pass only one, is said in supervisor/gate/anchor.h.
 *
 * A drop in any base chain is final and an accept is only local, so these
 * tables can veto what others permit and never the other way round.
 */
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/build.h"

/*
 * First before -400, where the kernel defragments: later no fragment is left
 * to be seen.  In each hook marks are cleared, set (rules_gate.c) and read
 * with nobody between: others set the mark as a whole, a VPN to a number that
 * has our bits in it, and would open, or to one that has not, and would cut.
 * So it is not at -450, iptables' "raw before defrag": who comes first of two
 * at one priority is a matter of who came last.
 * Each base chain costs every packet as much as some five rules do.
 */
enum {
	PRIO_FIRST = -453,
	PRIO_PRE = -451,
	PRIO_CLEAR_OUT = -8,
	PRIO_FILTER = -5 /* before the usual 0, so that our counters count */
};

#define PORT_DNS 53

#define MARKS (POL_MARK_GATE | POL_MARK_EGRESS)

/*
 * One family's listeners on given addresses, and on interfaces' addresses.
 * The latter are known by their port only, so that these tables need not
 * change with the address: that cuts more of lo than it must, and lets in no
 * more than the gate table, which knows the address, has marked and accepts.
 */
static const struct side {
	uint32_t nfproto;
	enum pol_set_id listen, ports;
	enum pol_key dst, src;
} sides[] = {
	{ AF_INET, POL_S_LISTEN4, POL_S_PORTS4, POL_K_DST4, POL_K_SRC4 },
	{ AF_INET6, POL_S_LISTEN6, POL_S_PORTS6, POL_K_DST6, POL_K_SRC6 },
};
#define NSIDES (sizeof sides / sizeof sides[0])

struct guard_chains {
	size_t first, clear_out, pre, input, forward, output;
	size_t strange, shut, from_int, to_int, loopback, cut;
	size_t kernels, refuse;
	bool ports[NSIDES]; /* is there such a set? */
};

static bool
any_listener(const struct pol_listener *l)
{
	(void)l;
	return true;
}

static size_t
base_chain(struct pol_build *b, const char *name, enum pol_hook hook,
    int priority)
{
	struct pol_chain c = { .name = name, .hook = hook,
		.priority = priority,
		.policy_drop = priority == PRIO_FILTER };

	return pol_build_chain(b, &c);
}

/*
 * Fragments and options are ways round a filter, and no honest client of
 * ours needs them.  This also drops MLD reports (hop-by-hop): nothing here
 * listens to them.  One look tells the plain packet, whose way ends there;
 * any other of IPv4 is strange.
 */
static void
fragments_rules(struct pol_build *b, const struct guard_chains *c,
    const struct pol_policy *p)
{
	static const uint32_t headers[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING,
		IPPROTO_FRAGMENT, IPPROTO_DSTOPTS, IPPROTO_MH };
	struct pol_stmt v6 = pol_st_num(POL_M_NFPROTO, AF_INET6);

	POL_RULE(b, c->first, pol_st(POL_M_IP4_PLAIN), pol_st(POL_A_ACCEPT));
	for (size_t i = 0; i < p->ninternal; i++)
		POL_RULE(b, c->first,
		    pol_st_if(POL_M_IIFNAME, p->internal[i]),
		    pol_st_jump(c->strange));
	POL_RULE(b, c->strange, pol_st_num(POL_M_NFPROTO, AF_INET),
	    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
		POL_RULE(b, c->strange, v6,
		    pol_st_num(POL_M_IP6_EXTHDR, headers[i]),
		    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
}

/*
 * What comes in without a mark ends here, before routing and conntrack see
 * it: a closed gate makes no entry, and answers workstations for whatever
 * address they called.  This is the one place where incoming packets' marks
 * are read: what others do with them later neither opens nor cuts.  Either
 * bit will do, as the gate gives each side only its own.
 *
 * What comes by an interface that the policy does not name ends here too, or
 * in input.  Not all that reaches input has been here under the same name:
 * with br_netfilter, what comes to an interface on top of a bridge has been
 * here as the bridge's.
 */
static void
pre_rules(struct pol_build *b, const struct guard_chains *c,
    const struct pol_policy *p)
{
	POL_RULE(b, c->pre, pol_st_num(POL_M_MARK_SET, MARKS),
	    pol_st(POL_A_ACCEPT));
	POL_RULE(b, c->pre, pol_st_if(POL_M_IIFNAME, "lo"),
	    pol_st(POL_A_ACCEPT));
	for (size_t i = 0; i < p->ninternal; i++)
		POL_RULE(b, c->pre,
		    pol_st_if(POL_M_IIFNAME, p->internal[i]),
		    pol_st_jump(c->shut));
	pol_build_link_in(b, c->pre, p);
	pol_build_drop(b, c->pre, p);
	pol_build_neighbours(b, c->shut, NULL);
	POL_RULE(b, c->shut, pol_st_jump(c->refuse));
}

/*
 * A port says nothing of the address.  What listens on loopback is for this
 * machine, but the kernel takes packets for it from the wire where
 * route_localnet is set.  There is no such setting for ::1.
 */
static void
keep_loopback(struct pol_build *b, size_t chain, const char *ifname)
{
	POL_RULE(b, chain, pol_st_if(POL_M_IIFNAME, ifname),
	    pol_st_num(POL_M_NFPROTO, AF_INET),
	    pol_st_num(POL_M_IP4_NET, IN_LOOPBACKNET),
	    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
}

static bool
has_service(const struct pol_policy *p, const char *ifname)
{
	for (size_t i = 0; i < p->nservices; i++)
		if (pol_iface_match(ifname, p->services[i].ifname))
			return true;
	return false;
}

/* The gateway's programs that workstations may call while we are open. */
static void
services_from_internal(struct pol_build *b, size_t chain,
    const struct pol_policy *p)
{
	for (size_t i = 0; i < p->nservices; i++) {
		const struct pol_service *s = &p->services[i];
		const struct pol_case c = { .chain = chain, .t = &s->traffic,
			.ports = POL_M_DPORTS, .nets = POL_M_SADDR_NET,
			.head = { pol_st_if(POL_M_IIFNAME, s->ifname) },
			.nhead = 1,
			.tail = { pol_st(POL_A_ACCEPT) }, .ntail = 1 };

		if (s->internal)
			pol_build_case(b, &c);
	}
}

static void
from_internal(struct pol_build *b, const struct guard_chains *c,
    const struct pol_policy *p)
{
	/* First: listeners and the stub are on loopback too. */
	for (size_t i = 0; i < p->ninternal; i++)
		if (c->ports[0] || has_service(p, p->internal[i]))
			keep_loopback(b, c->from_int, p->internal[i]);
	for (size_t s = 0; s < NSIDES; s++)
		POL_RULE(b, c->from_int,
		    pol_st_num(POL_M_NFPROTO, sides[s].nfproto),
		    pol_st_lookup(sides[s].listen, sides[s].dst),
		    pol_st(POL_A_ACCEPT));
	for (size_t s = 0; s < NSIDES; s++)
		if (c->ports[s])
			POL_RULE(b, c->from_int,
			    pol_st_num(POL_M_NFPROTO, sides[s].nfproto),
			    pol_st(POL_M_DADDR_LOCAL),
			    pol_st_lookup(sides[s].ports, POL_K_DPORT),
			    pol_st(POL_A_ACCEPT));
	services_from_internal(b, c->from_int, p);
	pol_build_neighbours(b, c->from_int, NULL);
	POL_RULE(b, c->from_int, pol_st_jump(c->refuse));
}

/* Does a service on external interface EXT have a listener's port too? */
static bool
listener_called(const struct pol_policy *p, const char *ext)
{
	for (size_t i = 0; i < p->nservices; i++)
		for (size_t j = 0; j < p->nlisteners; j++)
			if (strcmp(p->services[i].ifname, ext) == 0 &&
			    pol_traffic_covers(&p->services[i].traffic,
			    &p->listeners[j]))
				return true;
	return false;
}

/*
 * A service's port never means Tor's: whoever is outside gets to no listener,
 * proven or not.  By direction, as Tor's own end of a connection may have
 * the number of a listener's port.  What conntrack does not know, as it is
 * invalid or was not to be tracked, is no answer.
 */
static void
keep_listeners(struct pol_build *b, const struct guard_chains *c,
    const char *external)
{
	struct pol_stmt in = pol_st_if(POL_M_IIFNAME, external);

	POL_RULE(b, c->input, in, pol_st(POL_M_CT_REPLY),
	    pol_st(POL_A_ACCEPT));
	for (size_t s = 0; s < NSIDES; s++)
		POL_RULE(b, c->input, in,
		    pol_st_num(POL_M_NFPROTO, sides[s].nfproto),
		    pol_st_lookup(sides[s].listen, sides[s].dst),
		    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
	for (size_t s = 0; s < NSIDES; s++)
		if (c->ports[s])
			POL_RULE(b, c->input, in,
			    pol_st_num(POL_M_NFPROTO, sides[s].nfproto),
			    pol_st_lookup(sides[s].ports, POL_K_DPORT),
			    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
}

/* What "pre" has let in, and where to it may go. */
static void
input_rules(struct pol_build *b, const struct guard_chains *c,
    const struct pol_policy *p)
{
	for (size_t i = 0; i < p->ninternal; i++)
		POL_RULE(b, c->input,
		    pol_st_if(POL_M_IIFNAME, p->internal[i]),
		    pol_st_jump(c->from_int));
	POL_RULE(b, c->input, pol_st_if(POL_M_IIFNAME, "lo"),
	    pol_st(POL_A_ACCEPT));
	for (size_t i = 0; i < p->nexternal; i++) {
		if (has_service(p, p->external[i]))
			keep_loopback(b, c->input, p->external[i]);
		if (listener_called(p, p->external[i]))
			keep_listeners(b, c, p->external[i]);
		POL_RULE(b, c->input,
		    pol_st_if(POL_M_IIFNAME, p->external[i]),
		    pol_st(POL_A_ACCEPT));
	}
	pol_build_drop(b, c->input, p);
}

/*
 * The gateway's own programs reach Tor's listeners over lo, on whatever
 * address: cut both ways unless marked.  The rest of lo is not ours.
 */
static void
cut_loopback(struct pol_build *b, const struct guard_chains *c,
    uint32_t nfproto, struct pol_stmt lookup)
{
	POL_RULE(b, c->loopback,
	    pol_st_num(POL_M_MARK_CLEAR, POL_MARK_GATE),
	    pol_st_num(POL_M_NFPROTO, nfproto), lookup, pol_st_jump(c->cut));
}

/* The answer to what was cut is itself to or from a listener. */
static void
cut_rules(struct pol_build *b, const struct guard_chains *c,
    const struct pol_policy *p)
{
	if (p->firewall.refuse == POL_REFUSE_REJECT)
		POL_RULE(b, c->cut, pol_st_num(POL_M_L4PROTO, IPPROTO_TCP),
		    pol_st(POL_M_TCP_RST), pol_st_jump(c->kernels));
	pol_build_answer(b, c->cut, p);
}

/*
 * A resolver of this machine is not Tor's to ask, whom the stub answers: it
 * would ask outside if it may.  What goes to the stub has its port by now.
 */
static void
cut_dns(struct pol_build *b, const struct guard_chains *c,
    const struct pol_policy *p)
{
	static const uint32_t l4protos[] = { IPPROTO_UDP, IPPROTO_TCP };

	if (!pol_has_stub(p))
		return;
	for (size_t i = 0; i < 2; i++)
		POL_RULE(b, c->loopback,
		    pol_st_num(POL_M_MARK_CLEAR, POL_MARK_GATE),
		    pol_st_num(POL_M_SKUID, p->tor.user.uid),
		    pol_st_num(POL_M_L4PROTO, l4protos[i]),
		    pol_st_num(POL_M_DPORT, PORT_DNS), pol_st_jump(c->cut));
}

static void
output_loopback(struct pol_build *b, const struct guard_chains *c,
    const struct pol_policy *p)
{
	POL_RULE(b, c->output, pol_st_if(POL_M_OIFNAME, "lo"),
	    pol_st_jump(c->loopback));
	cut_dns(b, c, p);
	for (size_t s = 0; s < NSIDES; s++) {
		cut_loopback(b, c, sides[s].nfproto,
		    pol_st_lookup(sides[s].listen, sides[s].dst));
		cut_loopback(b, c, sides[s].nfproto,
		    pol_st_lookup(sides[s].listen, sides[s].src));
		if (!c->ports[s])
			continue;
		cut_loopback(b, c, sides[s].nfproto,
		    pol_st_lookup(sides[s].ports, POL_K_DPORT));
		cut_loopback(b, c, sides[s].nfproto,
		    pol_st_lookup(sides[s].ports, POL_K_SPORT));
	}
	POL_RULE(b, c->loopback, pol_st(POL_A_ACCEPT));
	cut_rules(b, c, p);
}

/*
 * What the kernel answers, when we refuse or when a socket is gone, carries
 * no mark and belongs to no user's socket: so much and no more may go to the
 * workstations without a lease.  Never outside: there is no such rule.
 */
static void
kernels_rules(struct pol_build *b, const struct guard_chains *c)
{
	POL_RULE(b, c->to_int, pol_st_num(POL_M_L4PROTO, IPPROTO_TCP),
	    pol_st(POL_M_TCP_RST), pol_st_jump(c->kernels));
	POL_RULE(b, c->to_int, pol_st_num(POL_M_NFPROTO, AF_INET),
	    pol_st_num(POL_M_L4PROTO, IPPROTO_ICMP),
	    pol_st_num(POL_M_ICMP_TYPE, ICMP_DEST_UNREACH),
	    pol_st_num(POL_M_ICMP_CODE, ICMP_PKT_FILTERED),
	    pol_st_jump(c->kernels));
	POL_RULE(b, c->to_int, pol_st_num(POL_M_NFPROTO, AF_INET6),
	    pol_st_num(POL_M_L4PROTO, IPPROTO_ICMPV6),
	    pol_st_num(POL_M_ICMPV6_TYPE, ICMP6_DST_UNREACH),
	    pol_st_num(POL_M_ICMP_CODE, ICMP6_DST_UNREACH_ADMIN),
	    pol_st_jump(c->kernels));
	POL_RULE(b, c->kernels, pol_st_num(POL_M_SKUID_NOT, POL_NO_UID),
	    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
	POL_RULE(b, c->kernels, pol_st(POL_A_ACCEPT));
}

static void
output_to_internal(struct pol_build *b, const struct guard_chains *c,
    const struct pol_policy *p)
{
	for (size_t i = 0; i < p->ninternal; i++)
		POL_RULE(b, c->output,
		    pol_st_if(POL_M_OIFNAME, p->internal[i]),
		    pol_st_jump(c->to_int));
	POL_RULE(b, c->to_int, pol_st_num(POL_M_MARK_SET, POL_MARK_GATE),
	    pol_st(POL_A_ACCEPT));
	pol_build_neighbours(b, c->to_int, NULL);
	if (p->firewall.refuse == POL_REFUSE_REJECT)
		kernels_rules(b, c);
}

/*
 * A packet that nat output sends to a listener on loopback, or to the stub,
 * keeps the output interface of its old address until it has left this hook.
 */
static void
output_redirected(struct pol_build *b, size_t chain,
    const struct pol_policy *p, const char *external)
{
	static const char *const nets[] = { "127.0.0.0/8", "::1/128" };

	for (size_t i = 0; i < 2; i++) {
		struct pol_net net;

		(void)pol_net_parse(&net, nets[i]);
		if (!pol_build_redirects_own(p, net.addr.family) &&
		    !pol_has_stub(p))
			continue;
		POL_RULE(b, chain, pol_st_if(POL_M_OIFNAME, external),
		    pol_st_num(POL_M_MARK_SET, POL_MARK_GATE),
		    pol_st_num(POL_M_NFPROTO, (uint32_t)net.addr.family),
		    pol_st_net(POL_M_DADDR_NET, &net), pol_st(POL_A_ACCEPT));
	}
}

static void
output_rules(struct pol_build *b, const struct guard_chains *c,
    const struct pol_policy *p)
{
	output_to_internal(b, c, p);
	output_loopback(b, c, p);
	for (size_t i = 0; i < p->nexternal; i++) {
		POL_RULE(b, c->output,
		    pol_st_if(POL_M_OIFNAME, p->external[i]),
		    pol_st_num(POL_M_MARK_SET, POL_MARK_EGRESS),
		    pol_st(POL_A_ACCEPT));
		output_redirected(b, c->output, p, p->external[i]);
		pol_build_link_out(b, c->output, p, p->external[i]);
	}
	pol_build_drop(b, c->output, p);
}

static size_t
plain_chain(struct pol_build *b, const char *name)
{
	return pol_build_chain(b, &(struct pol_chain){ .name = name });
}

static void
make_chains(struct pol_build *b, struct guard_chains *c,
    const struct pol_policy *p)
{
	c->first = base_chain(b, "first", POL_H_PREROUTING, PRIO_FIRST);
	c->clear_out = base_chain(b, "clear_out", POL_H_OUTPUT,
	    PRIO_CLEAR_OUT);
	c->pre = base_chain(b, "pre", POL_H_PREROUTING, PRIO_PRE);
	c->input = base_chain(b, "input", POL_H_INPUT, PRIO_FILTER);
	c->forward = base_chain(b, "forward", POL_H_FORWARD, PRIO_FILTER);
	c->output = base_chain(b, "output", POL_H_OUTPUT, PRIO_FILTER);
	c->strange = plain_chain(b, "strange");
	c->shut = plain_chain(b, "shut");
	c->from_int = plain_chain(b, "from_int");
	c->to_int = plain_chain(b, "to_int");
	c->loopback = plain_chain(b, "loopback");
	c->cut = plain_chain(b, "cut");
	if (p->firewall.refuse == POL_REFUSE_REJECT)
		c->kernels = plain_chain(b, "kernels");
	c->refuse = pol_build_refuse(b, p);
}

void
pol_build_guard(struct pol_build *b, const struct pol_policy *p)
{
	struct guard_chains c = { 0 };

	for (size_t s = 0; s < NSIDES; s++)
		pol_build_listeners(b, sides[s].listen, p, any_listener);
	for (size_t s = 0; s < NSIDES; s++)
		c.ports[s] = pol_build_ports(b, sides[s].ports, p,
		    any_listener);
	make_chains(b, &c, p);
	POL_RULE(b, c.first, pol_st_num(POL_A_MARK_AND, ~MARKS));
	fragments_rules(b, &c, p);
	pre_rules(b, &c, p);
	POL_RULE(b, c.clear_out, pol_st_num(POL_A_MARK_AND, ~MARKS));
	input_rules(b, &c, p);
	from_internal(b, &c, p);
	pol_build_drop(b, c.forward, p);
	output_rules(b, &c, p);
}
