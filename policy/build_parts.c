/*
 * The rule parts that more than one table has.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/build.h"

/* One limit for each place: a flood at one does not hide the others. */
static void
log_some(struct pol_build *b, size_t chain, const struct pol_policy *p)
{
	if (p->firewall.log_per_minute != 0)
		POL_RULE(b, chain, pol_st_num(POL_A_LIMIT,
		    p->firewall.log_per_minute),
		    pol_st_log("portcullis"));
}

void
pol_build_drop(struct pol_build *b, size_t chain, const struct pol_policy *p)
{
	log_some(b, chain, p);
	POL_RULE(b, chain, pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
}

void
pol_build_answer(struct pol_build *b, size_t chain,
    const struct pol_policy *p)
{
	if (p->firewall.refuse == POL_REFUSE_DROP) {
		pol_build_drop(b, chain, p);
		return;
	}
	log_some(b, chain, p);
	POL_RULE(b, chain, pol_st_num(POL_M_L4PROTO, IPPROTO_TCP),
	    pol_st(POL_A_COUNTER), pol_st(POL_A_REJECT_RST));
	POL_RULE(b, chain, pol_st(POL_A_COUNTER), pol_st(POL_A_REJECT));
}

/*
 * The answer is routed to the source that the packet claims.  One that is
 * not reached where the packet came from is a forged one: the answer would
 * tell the outside, or another internal network, that we are here.
 */
size_t
pol_build_refuse(struct pol_build *b, const struct pol_policy *p)
{
	size_t chain = pol_build_chain(b, &(struct pol_chain){
	    .name = "refuse" });

	if (p->firewall.refuse == POL_REFUSE_REJECT)
		POL_RULE(b, chain, pol_st(POL_M_NO_ROUTE_BACK),
		    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
	pol_build_answer(b, chain, p);
	return chain;
}

static struct pol_stmt
ports_stmt(enum pol_stmt_kind kind, const struct pol_ports *r)
{
	if (r->first != r->last)
		return pol_st_ports(kind, r);
	return pol_st_num(kind == POL_M_SPORTS ? POL_M_SPORT : POL_M_DPORT,
	    r->first);
}

/* The rule of C for one port range and one network; NULL: any. */
static void
case_rule(struct pol_build *b, const struct pol_case *c,
    const struct pol_ports *ports, const struct pol_net *net)
{
	struct pol_stmt st[POL_MAX_STMTS];
	size_t n = 0;

	for (size_t i = 0; i < c->nhead; i++)
		st[n++] = c->head[i];
	if (net != NULL) {
		st[n++] = pol_st_num(POL_M_NFPROTO,
		    (uint32_t)net->addr.family);
		st[n++] = pol_st_net(c->nets, net);
	}
	if (c->t->l4proto != 0)
		st[n++] = pol_st_num(POL_M_L4PROTO, c->t->l4proto);
	if (ports != NULL)
		st[n++] = ports_stmt(c->ports, ports);
	for (size_t i = 0; i < c->ntail; i++)
		st[n++] = c->tail[i];
	pol_build_rule(b, c->chain, st, n);
}

void
pol_build_case(struct pol_build *b, const struct pol_case *c)
{
	const struct pol_traffic *t = c->t;
	/* An empty list is a wildcard: one round with NULL. */
	size_t nports = t->nports == 0 ? 1 : t->nports;
	size_t nnets = t->nnets == 0 ? 1 : t->nnets;

	for (size_t i = 0; i < nnets; i++)
		for (size_t j = 0; j < nports; j++)
			case_rule(b, c,
			    t->nports == 0 ? NULL : &t->ports[j],
			    t->nnets == 0 ? NULL : &t->nets[i]);
}

/* Hop limit 255 proves that no router has forwarded it. */
void
pol_build_nd(struct pol_build *b, size_t chain, const struct pol_stmt *iface,
    uint32_t type)
{
	struct pol_stmt st[POL_MAX_STMTS];
	struct pol_net link = { .prefix = 10 };
	size_t n = 0;

	(void)pol_addr_parse(&link.addr, "fe80::");
	if (iface != NULL)
		st[n++] = *iface;
	st[n++] = pol_st_num(POL_M_NFPROTO, AF_INET6);
	if (type == POL_ND_RA)
		st[n++] = pol_st_net(POL_M_SADDR_NET, &link);
	st[n++] = pol_st_num(POL_M_HOPLIMIT, POL_ND_HOPLIMIT);
	st[n++] = pol_st_num(POL_M_L4PROTO, IPPROTO_ICMPV6);
	st[n++] = pol_st_num(POL_M_ICMPV6_TYPE, type);
	st[n++] = pol_st_num(POL_M_ICMP_CODE, 0);
	st[n++] = pol_st(POL_A_ACCEPT);
	pol_build_rule(b, chain, st, n);
}

void
pol_build_neighbours(struct pol_build *b, size_t chain,
    const struct pol_stmt *iface)
{
	pol_build_nd(b, chain, iface, POL_ND_NS);
	pol_build_nd(b, chain, iface, POL_ND_NA);
}

static void
dhcp(struct pol_build *b, size_t chain, const struct pol_stmt *iface,
    uint32_t sport, uint32_t dport)
{
	POL_RULE_ON(b, chain, iface, pol_st_num(POL_M_NFPROTO, AF_INET),
	    pol_st_num(POL_M_L4PROTO, IPPROTO_UDP),
	    pol_st_num(POL_M_SPORT, sport), pol_st_num(POL_M_DPORT, dport),
	    pol_st(POL_A_ACCEPT));
}

void
pol_build_link_in(struct pol_build *b, size_t chain,
    const struct pol_policy *p)
{
	if (p->firewall.ra)
		pol_build_nd(b, chain, NULL, POL_ND_RA);
	pol_build_neighbours(b, chain, NULL);
	if (p->dhcp)
		dhcp(b, chain, NULL, POL_DHCP_SERVER, POL_DHCP_CLIENT);
}

/* The DHCP client may have a user of its own; its port is a privileged one. */
void
pol_build_link_out(struct pol_build *b, size_t chain,
    const struct pol_policy *p, const char *ext)
{
	struct pol_stmt out = pol_st_if(POL_M_OIFNAME, ext);

	if (p->firewall.ra)
		pol_build_nd(b, chain, &out, POL_ND_RS);
	pol_build_neighbours(b, chain, &out);
	if (p->dhcp)
		dhcp(b, chain, &out, POL_DHCP_CLIENT, POL_DHCP_SERVER);
}

bool
pol_build_on(const char *wanted, const char *name)
{
	return wanted[0] == '\0' || strcmp(wanted, name) == 0;
}

bool
pol_build_redirects_own(const struct pol_policy *p, int family)
{
	const unsigned how = p->firewall.transparent;

	if (p->firewall.mode != POL_MODE_STANDALONE)
		return false;
	return ((how & POL_TRANSPARENT_TCP) != 0 &&
	    pol_redirect_target(p, POL_TRANS, family, true) != NULL) ||
	    ((how & POL_TRANSPARENT_DNS) != 0 &&
	    pol_redirect_target(p, POL_DNS, family, true) != NULL);
}
