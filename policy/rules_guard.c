/*
 * The boot and guard tables, which have the same content, and the netdev
 * table: drop whatever does not carry our mark.  They never set it.
 *
 * A drop in any base chain is final and an accept is only local, so these
 * tables can veto what others permit and never the other way round.
 */
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "policy/build.h"

/*
 * Before -400, where the kernel defragments: later no fragment is left to be
 * seen.  Marks are cleared before anybody (-340 and -150, rules_gate.c) sets
 * them, and read after.
 */
enum {
	PRIO_FRAGMENTS = -450,
	PRIO_CLEAR = -350,
	PRIO_PRE = -300,
	PRIO_FILTER = -5 /* before the usual 0, so that our counters count */
};

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
	size_t fragments, clear_pre, clear_out, pre, input, forward, output;
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

static void
drop_rest(struct pol_build *b, size_t chain)
{
	POL_RULE(b, chain, pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
}

/*
 * Fragments and options are ways round a filter, and no honest client of
 * ours needs them.  This also drops MLD reports (hop-by-hop): nothing here
 * listens to them.
 */
static void
fragments_rules(struct pol_build *b, size_t chain, const char *internal)
{
	static const uint32_t headers[] = { IPPROTO_HOPOPTS, IPPROTO_ROUTING,
		IPPROTO_FRAGMENT, IPPROTO_DSTOPTS, IPPROTO_MH };
	struct pol_stmt in = pol_st_if(POL_M_IIFNAME, internal);

	POL_RULE(b, chain, in, pol_st_num(POL_M_NFPROTO, AF_INET),
	    pol_st(POL_M_IP4_FRAGMENT), pol_st(POL_A_COUNTER),
	    pol_st(POL_A_DROP));
	POL_RULE(b, chain, in, pol_st_num(POL_M_NFPROTO, AF_INET),
	    pol_st(POL_M_IP4_OPTIONS), pol_st(POL_A_COUNTER),
	    pol_st(POL_A_DROP));
	for (size_t i = 0; i < sizeof headers / sizeof headers[0]; i++)
		POL_RULE(b, chain, in, pol_st_num(POL_M_NFPROTO, AF_INET6),
		    pol_st_num(POL_M_IP6_EXTHDR, headers[i]),
		    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
}

static void
pre_rules(struct pol_build *b, size_t chain, const char *internal)
{
	struct pol_stmt in = pol_st_if(POL_M_IIFNAME, internal);

	pol_build_nd(b, chain, &in, POL_ND_NS);
	pol_build_nd(b, chain, &in, POL_ND_NA);
	POL_RULE(b, chain, in, pol_st_num(POL_M_MARK_CLEAR, POL_MARK_GATE),
	    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
}

static void
input_from_internal(struct pol_build *b, const struct guard_chains *c,
    const char *internal)
{
	struct pol_stmt in = pol_st_if(POL_M_IIFNAME, internal);
	struct pol_stmt marked = pol_st_num(POL_M_MARK_SET, POL_MARK_GATE);

	pol_build_nd(b, c->input, &in, POL_ND_NS);
	pol_build_nd(b, c->input, &in, POL_ND_NA);
	for (size_t s = 0; s < NSIDES; s++)
		POL_RULE(b, c->input, in, marked,
		    pol_st_num(POL_M_NFPROTO, sides[s].nfproto),
		    pol_st_lookup(sides[s].listen, sides[s].dst),
		    pol_st(POL_A_ACCEPT));
	for (size_t s = 0; s < NSIDES; s++)
		if (c->ports[s])
			POL_RULE(b, c->input, in, marked,
			    pol_st_num(POL_M_NFPROTO, sides[s].nfproto),
			    pol_st(POL_M_DADDR_LOCAL),
			    pol_st_lookup(sides[s].ports, POL_K_DPORT),
			    pol_st(POL_A_ACCEPT));
}

static void
input_from_external(struct pol_build *b, size_t chain,
    const struct pol_policy *p, const char *external)
{
	struct pol_stmt in = pol_st_if(POL_M_IIFNAME, external);

	POL_RULE(b, chain, in, pol_st_num(POL_M_MARK_SET, POL_MARK_EGRESS),
	    pol_st(POL_A_ACCEPT));
	pol_build_nd(b, chain, &in, POL_ND_RA);
	pol_build_nd(b, chain, &in, POL_ND_NS);
	pol_build_nd(b, chain, &in, POL_ND_NA);
	if (p->dhcp)
		pol_build_dhcp_in(b, chain, external);
}

static void
input_rules(struct pol_build *b, const struct guard_chains *c,
    const struct pol_policy *p)
{
	POL_RULE(b, c->input, pol_st_if(POL_M_IIFNAME, "lo"),
	    pol_st(POL_A_ACCEPT));
	for (size_t i = 0; i < p->ninternal; i++)
		input_from_internal(b, c, p->internal[i]);
	for (size_t i = 0; i < p->nexternal; i++)
		input_from_external(b, c->input, p, p->external[i]);
	drop_rest(b, c->input);
}

/*
 * The gateway's own programs reach Tor's listeners over lo, on whatever
 * address: cut both ways unless marked.  The rest of lo is not ours.
 */
static void
cut_loopback(struct pol_build *b, size_t chain, uint32_t nfproto,
    struct pol_stmt lookup)
{
	POL_RULE(b, chain, pol_st_if(POL_M_OIFNAME, "lo"),
	    pol_st_num(POL_M_MARK_CLEAR, POL_MARK_GATE),
	    pol_st_num(POL_M_NFPROTO, nfproto), lookup,
	    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
}

static void
output_loopback(struct pol_build *b, const struct guard_chains *c)
{
	for (size_t s = 0; s < NSIDES; s++)
		cut_loopback(b, c->output, sides[s].nfproto,
		    pol_st_lookup(sides[s].listen, sides[s].dst));
	for (size_t s = 0; s < NSIDES; s++)
		cut_loopback(b, c->output, sides[s].nfproto,
		    pol_st_lookup(sides[s].listen, sides[s].src));
	for (size_t s = 0; s < NSIDES; s++) {
		if (!c->ports[s])
			continue;
		cut_loopback(b, c->output, sides[s].nfproto,
		    pol_st_lookup(sides[s].ports, POL_K_DPORT));
		cut_loopback(b, c->output, sides[s].nfproto,
		    pol_st_lookup(sides[s].ports, POL_K_SPORT));
	}
	POL_RULE(b, c->output, pol_st_if(POL_M_OIFNAME, "lo"),
	    pol_st(POL_A_ACCEPT));
}

static void
output_to_external(struct pol_build *b, size_t chain,
    const struct pol_policy *p, const char *external)
{
	struct pol_stmt out = pol_st_if(POL_M_OIFNAME, external);

	POL_RULE(b, chain, out, pol_st_num(POL_M_MARK_SET, POL_MARK_EGRESS),
	    pol_st(POL_A_ACCEPT));
	pol_build_nd(b, chain, &out, POL_ND_RS);
	pol_build_nd(b, chain, &out, POL_ND_NS);
	pol_build_nd(b, chain, &out, POL_ND_NA);
	if (p->dhcp)
		pol_build_dhcp_out(b, chain, external);
}

static void
output_rules(struct pol_build *b, const struct guard_chains *c,
    const struct pol_policy *p)
{
	const size_t chain = c->output;

	output_loopback(b, c);
	for (size_t i = 0; i < p->ninternal; i++) {
		struct pol_stmt out =
		    pol_st_if(POL_M_OIFNAME, p->internal[i]);

		POL_RULE(b, chain, out,
		    pol_st_num(POL_M_MARK_SET, POL_MARK_GATE),
		    pol_st(POL_A_ACCEPT));
		pol_build_nd(b, chain, &out, POL_ND_NS);
		pol_build_nd(b, chain, &out, POL_ND_NA);
	}
	for (size_t i = 0; i < p->nexternal; i++)
		output_to_external(b, chain, p, p->external[i]);
	drop_rest(b, chain);
}

static void
make_chains(struct pol_build *b, struct guard_chains *c)
{
	c->fragments = base_chain(b, "fragments", POL_H_PREROUTING,
	    PRIO_FRAGMENTS);
	c->clear_pre = base_chain(b, "clear_pre", POL_H_PREROUTING,
	    PRIO_CLEAR);
	c->clear_out = base_chain(b, "clear_out", POL_H_OUTPUT, PRIO_CLEAR);
	c->pre = base_chain(b, "pre", POL_H_PREROUTING, PRIO_PRE);
	c->input = base_chain(b, "input", POL_H_INPUT, PRIO_FILTER);
	c->forward = base_chain(b, "forward", POL_H_FORWARD, PRIO_FILTER);
	c->output = base_chain(b, "output", POL_H_OUTPUT, PRIO_FILTER);
}

void
pol_build_guard(struct pol_build *b, const struct pol_policy *p)
{
	struct guard_chains c;

	for (size_t s = 0; s < NSIDES; s++)
		pol_build_listeners(b, sides[s].listen, p, any_listener);
	for (size_t s = 0; s < NSIDES; s++)
		c.ports[s] = pol_build_ports(b, sides[s].ports, p,
		    any_listener);
	make_chains(b, &c);
	for (size_t i = 0; i < p->ninternal; i++)
		fragments_rules(b, c.fragments, p->internal[i]);
	POL_RULE(b, c.clear_pre, pol_st_num(POL_A_MARK_AND, ~MARKS));
	POL_RULE(b, c.clear_out, pol_st_num(POL_A_MARK_AND, ~MARKS));
	for (size_t i = 0; i < p->ninternal; i++)
		pre_rules(b, c.pre, p->internal[i]);
	input_rules(b, &c, p);
	drop_rest(b, c.forward);
	output_rules(b, &c, p);
}

static void
netdev_rules(struct pol_build *b, size_t chain, const struct pol_policy *p)
{
	static const uint32_t nd[] = { POL_ND_RS, POL_ND_NS, POL_ND_NA };

	/* By the frame: "meta protocol" is whatever a packet socket says. */
	POL_RULE(b, chain, pol_st_num(POL_M_FRAMETYPE, ETHERTYPE_ARP),
	    pol_st(POL_A_ACCEPT));
	for (size_t i = 0; i < sizeof nd / sizeof nd[0]; i++)
		POL_RULE(b, chain,
		    pol_st_num(POL_M_ETHERTYPE, ETHERTYPE_IPV6),
		    pol_st_num(POL_M_L4PROTO, IPPROTO_ICMPV6),
		    pol_st_num(POL_M_ICMPV6_TYPE, nd[i]),
		    pol_st_num(POL_M_HOPLIMIT, POL_ND_HOPLIMIT),
		    pol_st(POL_A_ACCEPT));
	if (p->dhcp)
		POL_RULE(b, chain, pol_st_num(POL_M_ETHERTYPE, ETHERTYPE_IP),
		    pol_st_num(POL_M_L4PROTO, IPPROTO_UDP),
		    pol_st_num(POL_M_SPORT, POL_DHCP_CLIENT),
		    pol_st_num(POL_M_DPORT, POL_DHCP_SERVER),
		    pol_st(POL_A_ACCEPT));
	/* A packet socket can also set a mark of its own. */
	POL_RULE(b, chain, pol_st_num(POL_M_SKUID_NOT, p->tor.user.uid),
	    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
	POL_RULE(b, chain, pol_st_num(POL_M_MARK_SET, POL_MARK_EGRESS),
	    pol_st(POL_A_ACCEPT));
	drop_rest(b, chain);
}

/* Packet sockets pass by the inet output hook, but not by this one. */
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
		netdev_rules(b, pol_build_chain(b, &c), p);
	}
}
