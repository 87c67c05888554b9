/*
 * Where packets are sent instead: in mode standalone only, but for what is
 * rules_names.c's.  None of this is access control: the kernel decides it
 * once for each flow.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "policy/rules_gate.h"

#define PORT_DNS 53

bool
pol_gate_floating(const struct pol_listener *l)
{
	return l != NULL && l->ifaddr != 0;
}

bool
pol_gate_redirects_own(const struct pol_policy *p)
{
	return pol_build_redirects_own(p, AF_INET) ||
	    pol_build_redirects_own(p, AF_INET6);
}

/* To L; by the map if only a proof can say where it is. */
static struct pol_stmt
dnat(const struct pol_listener *l, const struct pol_side *s)
{
	struct pol_stmt st = { .kind = POL_A_DNAT, .addr = l->addr,
		.num = l->port };

	if (pol_gate_floating(l)) {
		st.kind = POL_A_DNAT_MAP;
		st.set = s->target;
		st.key = POL_K_L4PROTO;
	}
	return st;
}

/* Questions for names go to a DNSPort. */
static void
dns_rules(struct pol_build *b, size_t chain, const struct pol_policy *p,
    bool loopback)
{
	for (size_t s = 0; s < POL_NSIDES; s++) {
		const struct pol_listener *l = pol_redirect_target(p,
		    POL_DNS, (int)pol_sides[s].nfproto, loopback);

		if (l != NULL)
			POL_RULE(b, chain, pol_st_num(POL_M_NFPROTO,
			    pol_sides[s].nfproto),
			    pol_st_num(POL_M_L4PROTO, IPPROTO_UDP),
			    pol_st_num(POL_M_DPORT, PORT_DNS),
			    dnat(l, &pol_sides[s]));
	}
}

/* The first packet of a TCP flow to anywhere goes to a TransPort. */
static void
tcp_rules(struct pol_build *b, size_t chain, const struct pol_policy *p,
    bool loopback)
{
	for (size_t s = 0; s < POL_NSIDES; s++) {
		const struct pol_listener *l = pol_redirect_target(p,
		    POL_TRANS, (int)pol_sides[s].nfproto, loopback);

		if (l != NULL)
			POL_RULE(b, chain, pol_st_num(POL_M_NFPROTO,
			    pol_sides[s].nfproto),
			    pol_st_num(POL_M_L4PROTO, IPPROTO_TCP),
			    pol_st(POL_M_TCP_SYN), dnat(l, &pol_sides[s]));
	}
}

static void
from_workstations(struct pol_build *b, const struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	for (size_t i = 0; i < p->ninternal; i++)
		POL_RULE(b, c->nat_pre,
		    pol_st_if(POL_M_IIFNAME, p->internal[i]),
		    pol_st_jump(c->to_tor));
	dns_rules(b, c->to_tor, p, false);
	/* What is meant for ourselves is not Tor's to carry. */
	POL_RULE(b, c->to_tor, pol_st(POL_M_DADDR_LOCAL),
	    pol_st(POL_A_ACCEPT));
	tcp_rules(b, c->to_tor, p, false);
	/*
	 * What is left would end in routing, without an answer.  The kernel
	 * asks a nat chain about a flow's first packet only, and this one's
	 * is the last.
	 */
	if (p->firewall.refuse == POL_REFUSE_REJECT)
		POL_RULE(b, c->to_tor, pol_st_jump(c->refuse));
}

/*
 * Leaves of T what nat output would send to Tor; false: nothing is left.  Of
 * UDP that is questions for names, of the rest TCP.
 */
static bool
narrow(struct pol_traffic *t, const struct pol_policy *p)
{
	const bool dns = (p->firewall.transparent & POL_TRANSPARENT_DNS) != 0;
	const bool tcp = (p->firewall.transparent & POL_TRANSPARENT_TCP) != 0;
	size_t n = 0;

	if (t->l4proto == 0)
		return true;
	if (t->l4proto != IPPROTO_UDP)
		return tcp;
	if (!dns || t->nports == 0)
		return dns;
	for (size_t i = 0; i < t->nports; i++)
		if (t->ports[i].first <= PORT_DNS &&
		    PORT_DNS <= t->ports[i].last)
			t->ports[n++] = t->ports[i];
	t->nports = n;
	return n > 0;
}

/*
 * Not Tor's own, not ours, and not what a user may send past Tor anyway; and
 * nothing that stays on this machine, its resolver not excepted.
 */
static void
from_gateway(struct pol_build *b, size_t chain, const struct pol_policy *p)
{
	const uint32_t ours[] = { p->tor.user.uid, p->engine_user.uid,
		p->gate_user.uid, p->status_user.uid };

	POL_RULE(b, chain, pol_st(POL_M_DADDR_LOCAL), pol_st(POL_A_ACCEPT));
	for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++)
		POL_RULE(b, chain, pol_st_num(POL_M_SKUID, ours[i]),
		    pol_st(POL_A_ACCEPT));
	if (pol_has_lookup(p))
		POL_RULE(b, chain,
		    pol_st_num(POL_M_SKUID, p->resolver_user.uid),
		    pol_st(POL_A_ACCEPT));
	for (size_t i = 0; i < p->negress; i++) {
		const struct pol_egress *e = &p->egress[i];
		struct pol_traffic t = e->traffic;
		struct pol_case c = { .chain = chain, .t = &t,
			.ports = POL_M_DPORTS, .nets = POL_M_DADDR_NET,
			.head = { pol_st_num(POL_M_SKUID, e->user.uid) },
			.nhead = 1,
			.tail = { pol_st(POL_A_ACCEPT) }, .ntail = 1 };

		if (e->ifname[0] != '\0')
			c.head[c.nhead++] = pol_st_if(POL_M_OIFNAME,
			    e->ifname);
		if (narrow(&t, p))
			pol_build_case(b, &c);
	}
	if ((p->firewall.transparent & POL_TRANSPARENT_DNS) != 0)
		dns_rules(b, chain, p, true);
	if ((p->firewall.transparent & POL_TRANSPARENT_TCP) != 0)
		tcp_rules(b, chain, p, true);
}

/*
 * Only now is it known where it goes: to a proven listener it needs the
 * clients' lease, as everything does; without it, it is told so.  What a
 * socket bound to an internal interface sends would go to a neighbour there.
 */
static void
mark_redirected(struct pol_build *b, size_t chain, size_t enter,
    const struct pol_policy *p)
{
	for (size_t i = 0; i < p->ninternal; i++)
		POL_RULE(b, chain,
		    pol_st_if(POL_M_OIFNAME, p->internal[i]),
		    pol_st(POL_A_ACCEPT));
	for (size_t s = 0; s < POL_NSIDES; s++) {
		if (!pol_build_redirects_own(p, (int)pol_sides[s].nfproto))
			continue;
		POL_RULE(b, chain, pol_st(POL_M_CT_DNAT),
		    pol_gate_lease(POL_S_GATE),
		    pol_st_num(POL_M_NFPROTO, pol_sides[s].nfproto),
		    pol_st_lookup(pol_sides[s].proven, pol_sides[s].dst),
		    pol_st_jump(enter));
	}
	if (p->firewall.refuse != POL_REFUSE_REJECT)
		return;
	/* What goes to the stub has its mark already. */
	if (pol_has_stub(p))
		POL_RULE(b, chain, pol_st_num(POL_M_MARK_SET, POL_MARK_GATE),
		    pol_st(POL_A_ACCEPT));
	/* TCP's: the others' sender gets an error from the drop itself. */
	for (size_t i = 0; i < p->nexternal; i++)
		POL_RULE(b, chain,
		    pol_st_if(POL_M_OIFNAME, p->external[i]),
		    pol_st(POL_M_CT_DNAT), pol_st(POL_M_CT_ORIGINAL),
		    pol_st_num(POL_M_L4PROTO, IPPROTO_TCP),
		    pol_st(POL_A_COUNTER), pol_st(POL_A_REJECT_RST));
}

void
pol_gate_nat_rules(struct pol_build *b, const struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	if (pol_has_stub(p))
		pol_names_nat_rules(b, c->nat_out, p);
	if (p->firewall.mode != POL_MODE_STANDALONE)
		return;
	from_workstations(b, c, p);
	if (!pol_gate_redirects_own(p))
		return;
	from_gateway(b, c->nat_out, p);
	mark_redirected(b, c->mark_nat, c->enter, p);
}
