/*
 * What names and pluggable transports need, each part behind a lease of its
 * own, the permit: the resolver's lookups and tries, the way of the
 * transports' DNS to our stub and back, the transports' UDP, and the single
 * addresses that Tor may reach besides the relays.
 *
 * DNS of Tor's user never leaves: with the permit it goes to the stub, and
 * without it nowhere.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "policy/rules_gate.h"

#define PORT_DNS 53

/*
 * Room for GATE_REACH_SIZE pairs in force and as many that have just lapsed,
 * which count until the kernel collects them, each second.
 */
#define REACH_SIZE 512

bool
pol_has_lookup(const struct pol_policy *p)
{
	return p->resolver.addr.family != 0;
}

bool
pol_has_stub(const struct pol_policy *p)
{
	for (size_t i = 0; i < p->ntransports; i++)
		if (p->transports[i].dns)
			return pol_has_lookup(p);
	return false;
}

bool
pol_has_udp(const struct pol_policy *p)
{
	for (size_t i = 0; i < p->ntransports; i++)
		if (p->transports[i].udp)
			return true;
	return false;
}

bool
pol_has_reach(const struct pol_policy *p)
{
	return p->tor.strict_egress &&
	    (pol_has_lookup(p) || p->ntransports != 0);
}

void
pol_names_sets(struct pol_build *b, const struct pol_policy *p)
{
	for (size_t s = 0; s < POL_NSIDES; s++) {
		const struct pol_side *side = &pol_sides[s];
		struct pol_set reach = { .key = side->relay, .expires = true,
			.size = REACH_SIZE };

		if (pol_has_stub(p))
			pol_build_stub(b, side->stub_port, p);
		reach.id = side->reach_tor;
		if (pol_has_reach(p))
			pol_build_set(b, &reach);
		reach.id = side->reach_resolver;
		if (pol_has_lookup(p))
			pol_build_set(b, &reach);
	}
}

static size_t
plain_chain(struct pol_build *b, const char *name)
{
	return pol_build_chain(b, &(struct pol_chain){ .name = name });
}

void
pol_names_chains(struct pol_build *b, struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	if (pol_has_stub(p)) {
		c->stub = plain_chain(b, "stub");
		c->to_stub = plain_chain(b, "to_stub");
		c->from_stub = plain_chain(b, "from_stub");
	}
	if (pol_has_lookup(p))
		c->lookup = plain_chain(b, "lookup");
	if (pol_has_reach(p))
		c->reach = plain_chain(b, "reach");
}

/*
 * One direction of a flow of Tor's to the stub: FIRST for what its socket
 * sends, then what the kernel still sends when that is closed; nobody else's.
 */
static void
one_way(struct pol_build *b, size_t chain, const struct pol_stmt *first,
    size_t n)
{
	struct pol_stmt accept = pol_st(POL_A_ACCEPT);

	pol_build_rule(b, chain, first, n);
	POL_RULE(b, chain, pol_st_num(POL_M_SKUID_NOT, POL_NO_UID), accept);
	POL_RULE(b, chain, pol_st_num(POL_M_CT_MARK_SET, POL_CT_TOR),
	    pol_st_num(POL_A_MARK_OR, POL_MARK_GATE), accept);
}

/*
 * Whatever interface a packet had before nat output sent it to the stub, it
 * is the stub's: without the permit it gets no mark of anybody.
 *
 * One of a socket that is bound to an interface leaves by that all the same.
 * Outside the netdev table stops it; inside a neighbour would get it, who
 * need only say that he is 127.0.0.1, and there nobody's DNS goes.
 */
static void
stub_rules(struct pol_build *b, const struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	const struct pol_stmt asks[] = {
		pol_st_num(POL_M_SKUID, p->tor.user.uid),
		pol_st(POL_M_CT_ORIGINAL),
		pol_st_num(POL_A_CT_MARK_OR, POL_CT_TOR),
		pol_st_num(POL_A_MARK_OR, POL_MARK_GATE),
		pol_st(POL_A_ACCEPT) };
	const struct pol_stmt answers[] = {
		pol_st_num(POL_M_SKUID, p->resolver_user.uid),
		pol_st(POL_M_CT_REPLY),
		pol_st_num(POL_A_MARK_OR, POL_MARK_GATE),
		pol_st(POL_A_ACCEPT) };

	POL_RULE(b, c->mark_out, pol_gate_lease(POL_S_STUB),
	    pol_st_jump(c->stub));
	for (size_t s = 0; s < POL_NSIDES; s++) {
		const struct pol_side *side = &pol_sides[s];
		struct pol_stmt family = pol_st_num(POL_M_NFPROTO,
		    side->nfproto);
		struct pol_stmt to = pol_st_lookup(side->stub_port, side->dst);
		struct pol_stmt from =
		    pol_st_lookup(side->stub_port, side->src);

		POL_RULE(b, c->stub, family, to, pol_st_jump(c->to_stub));
		POL_RULE(b, c->stub, family, from, pol_st_jump(c->from_stub));
		POL_RULE(b, c->mark_out, family, to, pol_st(POL_A_ACCEPT));
	}
	for (size_t i = 0; i < p->ninternal; i++)
		POL_RULE(b, c->to_stub,
		    pol_st_if(POL_M_OIFNAME, p->internal[i]),
		    pol_st(POL_A_ACCEPT));
	one_way(b, c->to_stub, asks, sizeof asks / sizeof asks[0]);
	/* Whoever has the stub's port while the resolver is not there. */
	one_way(b, c->from_stub, answers, sizeof answers / sizeof answers[0]);
}

static struct pol_stmt
resolver_addr(const struct pol_policy *p)
{
	const struct pol_net net = { .addr = p->resolver.addr,
		.prefix = p->resolver.addr.family == AF_INET6 ? 128 : 32 };

	return pol_st_net(POL_M_DADDR_NET, &net);
}

/* To the one resolver, and to what is to be tried. */
static void
lookup_rules(struct pol_build *b, const struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	static const uint32_t l4protos[] = { IPPROTO_TCP, IPPROTO_UDP };
	const size_t n = p->resolver.protocol == POL_DNS_TLS ? 1 : 2;
	struct pol_stmt original = pol_st(POL_M_CT_ORIGINAL);
	struct pol_stmt mark = pol_st_num(POL_A_MARK_OR, POL_MARK_EGRESS);
	struct pol_stmt accept = pol_st(POL_A_ACCEPT);

	for (size_t i = 0; i < n; i++)
		POL_RULE(b, c->lookup, pol_st_num(POL_M_NFPROTO,
		    (uint32_t)p->resolver.addr.family), resolver_addr(p),
		    pol_st_num(POL_M_L4PROTO, l4protos[i]),
		    pol_st_num(POL_M_DPORT, p->resolver.port), original, mark,
		    accept);
	for (size_t s = 0; s < POL_NSIDES; s++)
		POL_RULE(b, c->lookup,
		    pol_st_num(POL_M_NFPROTO, pol_sides[s].nfproto),
		    pol_st_num(POL_M_L4PROTO, IPPROTO_TCP),
		    pol_st_lookup(pol_sides[s].reach_resolver,
			pol_sides[s].relay), original, mark, accept);
}

static void
reach_rules(struct pol_build *b, size_t chain)
{
	for (size_t s = 0; s < POL_NSIDES; s++)
		POL_RULE(b, chain,
		    pol_st_num(POL_M_NFPROTO, pol_sides[s].nfproto),
		    pol_st_num(POL_M_L4PROTO, IPPROTO_TCP),
		    pol_st_lookup(pol_sides[s].reach_tor, pol_sides[s].relay),
		    pol_st_num(POL_A_MARK_OR, POL_MARK_EGRESS));
}

void
pol_names_mark_rules(struct pol_build *b, const struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	if (pol_has_stub(p))
		stub_rules(b, c, p);
	if (pol_has_lookup(p))
		lookup_rules(b, c, p);
	if (pol_has_reach(p))
		reach_rules(b, c->reach);
}

/* The end for Tor's packets to port 53, before anything marks them. */
static void
no_dns(struct pol_build *b, size_t chain, const struct pol_policy *p,
    uint32_t l4proto)
{
	POL_RULE(b, chain, pol_st_num(POL_M_SKUID, p->tor.user.uid),
	    pol_st_num(POL_M_L4PROTO, l4proto),
	    pol_st_num(POL_M_DPORT, PORT_DNS), pol_st(POL_A_ACCEPT));
}

/*
 * To single hosts: what speaks to all of a link or a group is no peer of a
 * transport's, but tells every neighbour that we are here.  In IPv6 routing
 * would say what an address is, and a rule of it may be for Tor's user only.
 */
static void
udp_rules(struct pol_build *b, size_t chain, const struct pol_policy *p)
{
	struct pol_stmt lease = pol_gate_lease(POL_S_UDP);
	struct pol_stmt user = pol_st_num(POL_M_SKUID, p->tor.user.uid);
	struct pol_stmt udp = pol_st_num(POL_M_L4PROTO, IPPROTO_UDP);
	struct pol_stmt original = pol_st(POL_M_CT_ORIGINAL);
	struct pol_stmt mark = pol_st_num(POL_A_MARK_OR, POL_MARK_EGRESS);
	struct pol_net groups;

	(void)pol_net_parse(&groups, "ff00::/8");
	POL_RULE(b, chain, lease, pol_st_num(POL_M_NFPROTO, AF_INET), user,
	    udp, pol_st(POL_M_DADDR_UNICAST), original, mark);
	POL_RULE(b, chain, pol_st_num(POL_M_NFPROTO, AF_INET6), user, udp,
	    pol_st_net(POL_M_DADDR_NET, &groups), pol_st(POL_A_ACCEPT));
	POL_RULE(b, chain, lease, pol_st_num(POL_M_NFPROTO, AF_INET6), user,
	    udp, original, mark);
}

void
pol_names_ext_rules(struct pol_build *b, size_t chain,
    const struct pol_gate_chains *c, const struct pol_policy *p)
{
	if (pol_has_lookup(p))
		POL_RULE(b, chain, pol_gate_lease(POL_S_LOOKUP),
		    pol_st_num(POL_M_SKUID, p->resolver_user.uid),
		    pol_st_num(POL_A_CT_MARK_OR, POL_CT_LOOKUP),
		    pol_st_jump(c->lookup));
	if (pol_has_stub(p))
		no_dns(b, chain, p, IPPROTO_TCP);
	if (!pol_has_udp(p))
		return;
	no_dns(b, chain, p, IPPROTO_UDP);
	udp_rules(b, chain, p);
}

/*
 * What the kernel still sends for a socket of the resolver's, its last octets
 * perhaps, is the permit's too; without it that has no mark of anybody.
 */
void
pol_names_left_rules(struct pol_build *b, size_t chain,
    const struct pol_gate_chains *c, const struct pol_policy *p)
{
	if (pol_has_lookup(p))
		POL_RULE(b, chain, pol_gate_lease(POL_S_LOOKUP),
		    pol_st_num(POL_M_CT_MARK_SET, POL_CT_LOOKUP),
		    pol_st_jump(c->lookup));
}

void
pol_names_nat_rules(struct pol_build *b, size_t chain,
    const struct pol_policy *p)
{
	static const uint32_t l4protos[] = { IPPROTO_UDP, IPPROTO_TCP };
	struct pol_stmt stub = { .kind = POL_A_DNAT,
		.num = p->resolver.stub_port };

	for (size_t i = 0; i < 2 * POL_NSIDES; i++) {
		const uint32_t nfproto = pol_sides[i / 2].nfproto;

		(void)pol_addr_parse(&stub.addr,
		    nfproto == AF_INET6 ? "::1" : "127.0.0.1");
		POL_RULE(b, chain, pol_gate_lease(POL_S_STUB),
		    pol_st_num(POL_M_NFPROTO, nfproto),
		    pol_st_num(POL_M_SKUID, p->tor.user.uid),
		    pol_st_num(POL_M_L4PROTO, l4protos[i % 2]),
		    pol_st_num(POL_M_DPORT, PORT_DNS), stub);
	}
}
