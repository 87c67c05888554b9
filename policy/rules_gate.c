/*
 * The gate table, which dies with the gate process: it alone sets the mark
 * bits, and only behind a lookup in a lease.  What it drops is dropped by the
 * guard too; it may say *which* listener, the guard only *that* it is one.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "policy/build.h"

enum {
	PRIO_MARK_PRE = -340, /* after the guard's -350 cleared the bits */
	PRIO_MARK_OUT = -150, /* after conntrack (-200): reads its state */
	PRIO_DSTNAT = -100,
	PRIO_FILTER = 0
};

/*
 * Room for every listener twice.  The set lives in the kernel, where its
 * size only bounds what we ourselves put in.
 */
#define PROVEN_SIZE (2 * POL_MAX_LISTENERS)
/*
 * An update on a full set fails, and the gate would fall; lapsed elements
 * count until the kernel collects them, each second.  Opening anew after a
 * lapse makes ten in that time at most (two families, the shortest lease).
 * But the kernel makes buckets for as many at once, and walks through them all
 * whenever the lease is read back.
 */
#define LEASE_SIZE 1024

/* One element for each protocol, twice: old and new in one transaction. */
#define TARGET_SIZE 4

#define PORT_DNS 53

static const struct side {
	uint32_t nfproto;
	enum pol_set_id proven, direct, ports, target;
	enum pol_key dst, src;
	enum pol_data data;
} sides[] = {
	{ AF_INET, POL_S_PROVEN4, POL_S_DIRECT4, POL_S_DIRECT_PORTS4,
	    POL_S_TARGET4, POL_K_DST4, POL_K_SRC4, POL_D_ADDR4 },
	{ AF_INET6, POL_S_PROVEN6, POL_S_DIRECT6, POL_S_DIRECT_PORTS6,
	    POL_S_TARGET6, POL_K_DST6, POL_K_SRC6, POL_D_ADDR6 },
};
#define NSIDES (sizeof sides / sizeof sides[0])

struct gate_chains {
	size_t mark_pre, mark_out, hb, nat_pre, input, from_int, from_ext;
	size_t output;
	bool ports[NSIDES]; /* is there such a set? */
};

static bool
direct_listener(const struct pol_listener *l)
{
	return !pol_kind_redirected(l->kind) && !l->loopback;
}

static struct pol_stmt
lease(enum pol_set_id set)
{
	return pol_st_lookup(set, POL_K_NFPROTO);
}

/* Is a redirect's target where an interface is? */
static bool
floating(const struct pol_listener *l)
{
	return l != NULL && l->ifaddr != 0;
}

static void
make_target(struct pol_build *b, const struct pol_policy *p,
    const struct side *s)
{
	const int family = (int)s->nfproto;
	const struct pol_set target = { .id = s->target,
		.key = POL_K_L4PROTO, .data = s->data, .size = TARGET_SIZE };

	if (floating(pol_redirect_target(p, POL_TRANS, family, false)) ||
	    floating(pol_redirect_target(p, POL_DNS, family, false)))
		pol_build_set(b, &target);
}

static void
make_sets(struct pol_build *b, struct gate_chains *c,
    const struct pol_policy *p)
{
	struct pol_set gate = { .id = POL_S_GATE, .key = POL_K_NFPROTO,
		.timeout_ms = p->lease_ms, .size = LEASE_SIZE };
	struct pol_set egress = gate;
	struct pol_set proven4 = { .id = POL_S_PROVEN4, .key = POL_K_DST4,
		.size = PROVEN_SIZE };
	struct pol_set proven6 = { .id = POL_S_PROVEN6, .key = POL_K_DST6,
		.size = PROVEN_SIZE };

	egress.id = POL_S_EGRESS;
	pol_build_set(b, &gate);
	pol_build_set(b, &egress);
	pol_build_set(b, &proven4);
	pol_build_set(b, &proven6);
	for (size_t s = 0; s < NSIDES; s++)
		pol_build_listeners(b, sides[s].direct, p, direct_listener);
	for (size_t s = 0; s < NSIDES; s++)
		c->ports[s] = pol_build_ports(b, sides[s].ports, p,
		    direct_listener);
	for (size_t s = 0; s < NSIDES; s++)
		make_target(b, p, &sides[s]);
}

/* Those that set marks come first; rules.h says why. */
static void
make_chains(struct pol_build *b, struct gate_chains *c)
{
	c->mark_pre = pol_build_chain(b, &(struct pol_chain){
	    .name = "mark_pre", .hook = POL_H_PREROUTING,
	    .priority = PRIO_MARK_PRE });
	c->mark_out = pol_build_chain(b, &(struct pol_chain){
	    .name = "mark_out", .hook = POL_H_OUTPUT,
	    .priority = PRIO_MARK_OUT });
	c->hb = pol_build_chain(b, &(struct pol_chain){ .name = "hb" });
	c->nat_pre = pol_build_chain(b, &(struct pol_chain){
	    .name = "nat_pre", .nat = true, .hook = POL_H_PREROUTING,
	    .priority = PRIO_DSTNAT });
	c->input = pol_build_chain(b, &(struct pol_chain){ .name = "input",
	    .hook = POL_H_INPUT, .priority = PRIO_FILTER });
	c->from_int = pol_build_chain(b, &(struct pol_chain){
	    .name = "from_int" });
	c->from_ext = pol_build_chain(b, &(struct pol_chain){
	    .name = "from_ext" });
	c->output = pol_build_chain(b, &(struct pol_chain){ .name = "output",
	    .hook = POL_H_OUTPUT, .priority = PRIO_FILTER });
}

static void
mark_pre_rules(struct pol_build *b, size_t chain, const struct pol_policy *p)
{
	for (size_t i = 0; i < p->ninternal; i++)
		POL_RULE(b, chain, pol_st_if(POL_M_IIFNAME, p->internal[i]),
		    lease(POL_S_GATE),
		    pol_st_num(POL_A_MARK_OR, POL_MARK_GATE));
	for (size_t i = 0; i < p->nexternal; i++)
		POL_RULE(b, chain, pol_st_if(POL_M_IIFNAME, p->external[i]),
		    lease(POL_S_EGRESS),
		    pol_st_num(POL_A_MARK_OR, POL_MARK_EGRESS));
}

/*
 * To a proven listener, and what it answers.  The lease comes before the
 * family: nft 1.1 forgets a family that stands before "meta nfproto @set".
 */
static void
mark_loopback(struct pol_build *b, size_t chain, const struct side *s)
{
	const enum pol_key keys[] = { s->dst, s->src };

	for (size_t i = 0; i < 2; i++)
		POL_RULE(b, chain, pol_st_if(POL_M_OIFNAME, "lo"),
		    lease(POL_S_GATE), pol_st_num(POL_M_NFPROTO, s->nfproto),
		    pol_st_lookup(s->proven, keys[i]),
		    pol_st_num(POL_A_MARK_OR, POL_MARK_GATE));
}

/* Only answers go to the workstations; the gateway never calls them. */
static void
mark_internal(struct pol_build *b, size_t chain, const char *internal,
    const struct side *s)
{
	POL_RULE(b, chain, pol_st_if(POL_M_OIFNAME, internal),
	    lease(POL_S_GATE), pol_st_num(POL_M_NFPROTO, s->nfproto),
	    pol_st(POL_M_CT_ESTABLISHED), pol_st(POL_M_CT_REPLY),
	    pol_st_lookup(s->proven, s->src),
	    pol_st_num(POL_A_MARK_OR, POL_MARK_GATE));
}

/*
 * Tor's own TCP, and only what Tor began: an answer that takes this way is
 * one to a workstation that gave a foreign source address, and would tell
 * the outside where we are.  Once Tor has closed a socket the kernel still
 * sends what is queued, without a uid: hence the last rule, and before it the
 * end for those who have one.  Theirs may be flows older than we are.
 */
static void
mark_external(struct pol_build *b, size_t chain, const struct pol_policy *p,
    const char *external)
{
	struct pol_stmt out = pol_st_if(POL_M_OIFNAME, external);
	struct pol_stmt tcp = pol_st_num(POL_M_L4PROTO, IPPROTO_TCP);
	struct pol_stmt original = pol_st(POL_M_CT_ORIGINAL);

	POL_RULE(b, chain, out, lease(POL_S_EGRESS),
	    pol_st_num(POL_M_SKUID, p->tor.user.uid),
	    tcp, original,
	    pol_st_num(POL_A_MARK_OR, POL_MARK_EGRESS));
	POL_RULE(b, chain, out,
	    pol_st_num(POL_M_SKUID_NOT, p->tor.user.uid),
	    pol_st(POL_A_ACCEPT));
	POL_RULE(b, chain, out, lease(POL_S_EGRESS), tcp,
	    pol_st(POL_M_CT_ESTABLISHED), original,
	    pol_st_num(POL_A_MARK_OR, POL_MARK_EGRESS));
}

static void
mark_out_rules(struct pol_build *b, const struct gate_chains *c,
    const struct pol_policy *p)
{
	POL_RULE(b, c->mark_out, pol_st_if(POL_M_OIFNAME, "lo"),
	    pol_st_num(POL_M_L4PROTO, IPPROTO_UDP),
	    pol_st_num(POL_M_SPORT, POL_HB_SPORT), pol_st_jump(c->hb));
	for (size_t s = 0; s < NSIDES; s++)
		mark_loopback(b, c->mark_out, &sides[s]);
	for (size_t i = 0; i < p->ninternal; i++)
		for (size_t s = 0; s < NSIDES; s++)
			mark_internal(b, c->mark_out, p->internal[i],
			    &sides[s]);
	for (size_t i = 0; i < p->nexternal; i++)
		mark_external(b, c->mark_out, p, p->external[i]);
}

/* The lookup before the update: a lapsed lease is not revived. */
static void
heartbeat_rule(struct pol_build *b, size_t chain, const struct pol_policy *p,
    uint32_t dport, enum pol_set_id set)
{
	struct pol_stmt update = { .kind = POL_A_UPDATE, .set = set,
		.key = POL_K_NFPROTO, .num = p->lease_ms };

	POL_RULE(b, chain, pol_st_num(POL_M_SKUID, p->gate_user.uid),
	    pol_st_num(POL_M_DPORT, dport), lease(set), update,
	    pol_st(POL_A_ACCEPT));
}

static void
heartbeat_rules(struct pol_build *b, size_t chain, const struct pol_policy *p)
{
	heartbeat_rule(b, chain, p, POL_HB_GATE, POL_S_GATE);
	heartbeat_rule(b, chain, p, POL_HB_EGRESS, POL_S_EGRESS);
	POL_RULE(b, chain, pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
}

/* To L; by the map if only a proof can say where it is. */
static struct pol_stmt
dnat(const struct pol_listener *l, const struct side *s)
{
	struct pol_stmt st = { .kind = POL_A_DNAT, .addr = l->addr,
		.num = l->port };

	if (floating(l)) {
		st.kind = POL_A_DNAT_MAP;
		st.set = s->target;
		st.key = POL_K_L4PROTO;
	}
	return st;
}

static void
nat_rules(struct pol_build *b, size_t chain, const struct pol_policy *p,
    const char *internal)
{
	struct pol_stmt in = pol_st_if(POL_M_IIFNAME, internal);

	for (size_t s = 0; s < NSIDES; s++)
		POL_RULE(b, chain, in,
		    pol_st_num(POL_M_NFPROTO, sides[s].nfproto),
		    pol_st_lookup(sides[s].direct, sides[s].dst),
		    pol_st(POL_A_ACCEPT));
	for (size_t s = 0; s < NSIDES; s++) {
		const struct pol_listener *dns = pol_redirect_target(p,
		    POL_DNS, (int)sides[s].nfproto, false);

		if (dns != NULL)
			POL_RULE(b, chain, in,
			    pol_st_num(POL_M_NFPROTO, sides[s].nfproto),
			    pol_st_num(POL_M_L4PROTO, IPPROTO_UDP),
			    pol_st_num(POL_M_DPORT, PORT_DNS),
			    dnat(dns, &sides[s]));
	}
	/* What is meant for ourselves is not Tor's to carry. */
	POL_RULE(b, chain, in, pol_st(POL_M_DADDR_LOCAL),
	    pol_st(POL_A_ACCEPT));
	for (size_t s = 0; s < NSIDES; s++) {
		const struct pol_listener *trans = pol_redirect_target(p,
		    POL_TRANS, (int)sides[s].nfproto, false);

		if (trans != NULL)
			POL_RULE(b, chain, in,
			    pol_st_num(POL_M_NFPROTO, sides[s].nfproto),
			    pol_st_num(POL_M_L4PROTO, IPPROTO_TCP),
			    pol_st(POL_M_TCP_SYN), dnat(trans, &sides[s]));
	}
}

/*
 * Direct listeners are reached directly.  Of the others only those packets
 * get through that the redirect brought: nothing but a redirected listener
 * is ever a redirect's target.  Direct listeners on interfaces are known by
 * their port, which the policy gives to no redirected one.
 */
static void
from_int_rules(struct pol_build *b, const struct gate_chains *c,
    const struct pol_policy *p)
{
	const size_t chain = c->from_int;

	for (size_t i = 0; i < p->ninternal; i++) {
		struct pol_stmt in = pol_st_if(POL_M_IIFNAME, p->internal[i]);

		pol_build_nd(b, chain, &in, POL_ND_NS);
		pol_build_nd(b, chain, &in, POL_ND_NA);
	}
	POL_RULE(b, chain, pol_st(POL_M_CT_INVALID), pol_st(POL_A_COUNTER),
	    pol_st(POL_A_DROP));
	for (size_t s = 0; s < NSIDES; s++)
		POL_RULE(b, chain,
		    pol_st_num(POL_M_NFPROTO, sides[s].nfproto),
		    pol_st_lookup(sides[s].direct, sides[s].dst),
		    pol_st_lookup(sides[s].proven, sides[s].dst),
		    pol_st(POL_A_ACCEPT));
	/*
	 * A port says nothing of the address: one of loopback may be proven
	 * too, and the kernel lets it in from outside where route_localnet is
	 * set.  There is no such setting for ::1.
	 */
	if (c->ports[0])
		POL_RULE(b, chain, pol_st_num(POL_M_NFPROTO, AF_INET),
		    pol_st_num(POL_M_IP4_NET, IN_LOOPBACKNET),
		    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
	for (size_t s = 0; s < NSIDES; s++)
		if (c->ports[s])
			POL_RULE(b, chain,
			    pol_st_num(POL_M_NFPROTO, sides[s].nfproto),
			    pol_st_lookup(sides[s].ports, POL_K_DPORT),
			    pol_st_lookup(sides[s].proven, sides[s].dst),
			    pol_st(POL_A_ACCEPT));
	for (size_t s = 0; s < NSIDES; s++)
		POL_RULE(b, chain,
		    pol_st_num(POL_M_NFPROTO, sides[s].nfproto),
		    pol_st(POL_M_CT_DNAT),
		    pol_st_lookup(sides[s].proven, sides[s].dst),
		    pol_st(POL_A_ACCEPT));
	POL_RULE(b, chain, pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
}

static void
from_ext_rules(struct pol_build *b, size_t chain, const struct pol_policy *p)
{
	POL_RULE(b, chain, pol_st(POL_M_CT_ESTABLISHED),
	    pol_st(POL_M_CT_REPLY), pol_st(POL_A_ACCEPT));
	for (size_t i = 0; i < p->nexternal; i++) {
		struct pol_stmt in = pol_st_if(POL_M_IIFNAME, p->external[i]);

		pol_build_nd(b, chain, &in, POL_ND_RA);
		pol_build_nd(b, chain, &in, POL_ND_NS);
		pol_build_nd(b, chain, &in, POL_ND_NA);
		if (p->dhcp)
			pol_build_dhcp_in(b, chain, p->external[i]);
	}
	POL_RULE(b, chain, pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
}

static void
input_rules(struct pol_build *b, const struct gate_chains *c,
    const struct pol_policy *p)
{
	for (size_t i = 0; i < p->ninternal; i++)
		POL_RULE(b, c->input,
		    pol_st_if(POL_M_IIFNAME, p->internal[i]),
		    pol_st_jump(c->from_int));
	for (size_t i = 0; i < p->nexternal; i++)
		POL_RULE(b, c->input,
		    pol_st_if(POL_M_IIFNAME, p->external[i]),
		    pol_st_jump(c->from_ext));
}

static void
output_unmarked(struct pol_build *b, size_t chain, const struct pol_stmt *out,
    uint32_t mark)
{
	POL_RULE(b, chain, *out, pol_st_num(POL_M_MARK_CLEAR, mark),
	    pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
}

static void
output_rules(struct pol_build *b, size_t chain, const struct pol_policy *p)
{
	for (size_t i = 0; i < p->ninternal; i++) {
		struct pol_stmt out =
		    pol_st_if(POL_M_OIFNAME, p->internal[i]);

		pol_build_nd(b, chain, &out, POL_ND_NS);
		pol_build_nd(b, chain, &out, POL_ND_NA);
		output_unmarked(b, chain, &out, POL_MARK_GATE);
	}
	for (size_t i = 0; i < p->nexternal; i++) {
		struct pol_stmt out =
		    pol_st_if(POL_M_OIFNAME, p->external[i]);

		pol_build_nd(b, chain, &out, POL_ND_RS);
		pol_build_nd(b, chain, &out, POL_ND_NS);
		pol_build_nd(b, chain, &out, POL_ND_NA);
		if (p->dhcp)
			pol_build_dhcp_out(b, chain, p->external[i]);
		output_unmarked(b, chain, &out, POL_MARK_EGRESS);
	}
}

void
pol_build_gate(struct pol_build *b, const struct pol_policy *p)
{
	struct gate_chains c;

	make_sets(b, &c, p);
	make_chains(b, &c);
	mark_pre_rules(b, c.mark_pre, p);
	mark_out_rules(b, &c, p);
	heartbeat_rules(b, c.hb, p);
	for (size_t i = 0; i < p->ninternal; i++)
		nat_rules(b, c.nat_pre, p, p->internal[i]);
	input_rules(b, &c, p);
	from_int_rules(b, &c, p);
	from_ext_rules(b, c.from_ext, p);
	output_rules(b, c.output, p);
}
