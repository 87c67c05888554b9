/*
 * Who gets a mark: the gate table's first chains.  Every way to a mark leads
 * past a lookup in a lease, and none past "ct state established" before it:
 * that is what cuts running flows when the gate closes.
 */
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/rules_gate.h"

static void
mark_internal(struct pol_build *b, size_t chain, const struct pol_policy *p)
{
	for (size_t i = 0; i < p->ninternal; i++) {
		struct pol_stmt in = pol_st_if(POL_M_IIFNAME, p->internal[i]);
		struct pol_stmt mark = pol_st_num(POL_A_MARK_OR,
		    POL_MARK_GATE);

		POL_RULE(b, chain, in, pol_gate_lease(POL_S_GATE), mark,
		    pol_st(POL_A_ACCEPT));
		if (p->timesync.required && p->timesync.workstations)
			POL_RULE(b, chain, in, pol_gate_lease(POL_S_SYNC),
			    mark);
	}
}

static void
mark_external(struct pol_build *b, size_t chain, const struct pol_policy *p)
{
	for (size_t i = 0; i < p->nexternal; i++)
		POL_RULE(b, chain, pol_st_if(POL_M_IIFNAME, p->external[i]),
		    pol_gate_lease(POL_S_EGRESS),
		    pol_st_num(POL_A_MARK_OR, POL_MARK_EGRESS));
}

/* The lookup before the update: a lapsed lease is not revived. */
static void
heartbeat_rule(struct pol_build *b, size_t chain, const struct pol_policy *p,
    uint32_t dport, enum pol_set_id set)
{
	struct pol_stmt update = { .kind = POL_A_UPDATE, .set = set,
		.key = POL_K_NFPROTO, .num = p->lease_ms };

	POL_RULE(b, chain, pol_st_num(POL_M_SKUID, p->gate_user.uid),
	    pol_st_num(POL_M_DPORT, dport), pol_gate_lease(set), update,
	    pol_st(POL_A_ACCEPT));
}

static void
heartbeat_rules(struct pol_build *b, size_t chain, const struct pol_policy *p)
{
	heartbeat_rule(b, chain, p, POL_HB_GATE, POL_S_GATE);
	heartbeat_rule(b, chain, p, POL_HB_EGRESS, POL_S_EGRESS);
	if (p->timesync.required)
		heartbeat_rule(b, chain, p, POL_HB_SYNC, POL_S_SYNC);
	if (pol_has_lookup(p))
		heartbeat_rule(b, chain, p, POL_HB_LOOKUP, POL_S_LOOKUP);
	if (pol_has_stub(p))
		heartbeat_rule(b, chain, p, POL_HB_STUB, POL_S_STUB);
	if (pol_has_udp(p))
		heartbeat_rule(b, chain, p, POL_HB_UDP, POL_S_UDP);
	POL_RULE(b, chain, pol_st(POL_A_COUNTER), pol_st(POL_A_DROP));
}

/* What a proven listener sends back to a program of the gateway. */
static void
local_answers(struct pol_build *b, size_t chain)
{
	for (size_t s = 0; s < POL_NSIDES; s++)
		POL_RULE(b, chain,
		    pol_st_num(POL_M_NFPROTO, pol_sides[s].nfproto),
		    pol_st_lookup(pol_sides[s].proven, pol_sides[s].src),
		    pol_st_num(POL_A_MARK_OR, POL_MARK_GATE));
}

/* A client's flow says so, for the day on which it is to be forgotten. */
static void
enter_rules(struct pol_build *b, size_t chain)
{
	POL_RULE(b, chain, pol_st(POL_M_CT_NEW),
	    pol_st_num(POL_A_CT_MARK_OR, POL_MARK_GATE));
	POL_RULE(b, chain, pol_st_num(POL_A_MARK_OR, POL_MARK_GATE),
	    pol_st(POL_A_ACCEPT));
}

/*
 * Of all users only those who set the clock get to a listener before it is
 * right; the proven sets then hold only theirs.
 */
static void
sync_rules(struct pol_build *b, const struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	POL_RULE(b, c->loopback, pol_gate_lease(POL_S_SYNC),
	    pol_st_jump(c->sync));
	for (size_t i = 0; i < p->timesync.nusers; i++)
		POL_RULE(b, c->sync,
		    pol_st_num(POL_M_SKUID, p->timesync.users[i].uid),
		    pol_st_jump(c->local));
	local_answers(b, c->sync);
}

/*
 * To a proven listener, and what it answers.  The lease comes before the
 * family: nft 1.1 forgets a family that stands before "meta nfproto @set".
 */
static void
loopback_rules(struct pol_build *b, const struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	POL_RULE(b, c->mark_out, pol_st_if(POL_M_OIFNAME, "lo"),
	    pol_st_jump(c->loopback));
	POL_RULE(b, c->loopback, pol_st_num(POL_M_L4PROTO, IPPROTO_UDP),
	    pol_st_num(POL_M_SPORT, POL_HB_SPORT), pol_st_jump(c->hb));
	POL_RULE(b, c->loopback, pol_gate_lease(POL_S_GATE),
	    pol_st_jump(c->local));
	for (size_t s = 0; s < POL_NSIDES; s++)
		POL_RULE(b, c->local,
		    pol_st_num(POL_M_NFPROTO, pol_sides[s].nfproto),
		    pol_st_lookup(pol_sides[s].proven, pol_sides[s].dst),
		    pol_st_jump(c->enter));
	local_answers(b, c->local);
	if (p->timesync.required)
		sync_rules(b, c, p);
	enter_rules(b, c->enter);
}

/*
 * A service's answers: by its port, as its socket need not be its user's
 * (the kernel shakes hands for it), and only to who has called.
 */
static void
service_answers(struct pol_build *b, size_t chain,
    const struct pol_service *s, uint32_t mark)
{
	struct pol_case c = { .chain = chain, .t = &s->traffic,
		.ports = POL_M_SPORTS, .nets = POL_M_DADDR_NET,
		.tail = { pol_st(POL_M_CT_ESTABLISHED),
		    pol_st(POL_M_CT_REPLY),
		    pol_st_num(POL_A_MARK_OR, mark), pol_st(POL_A_ACCEPT) },
		.ntail = 4 };

	if (s->internal) {
		c.head[c.nhead++] = pol_st_if(POL_M_OIFNAME, s->ifname);
		c.head[c.nhead++] = pol_gate_lease(POL_S_GATE);
	}
	pol_build_case(b, &c);
}

/*
 * Only answers go to the workstations; the gateway never calls them.  One
 * that has a listener's protocol and port is of an established flow: among
 * answers only errors are not.
 */
static void
answers_rules(struct pol_build *b, const struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	for (size_t i = 0; i < p->ninternal; i++) {
		struct pol_stmt out =
		    pol_st_if(POL_M_OIFNAME, p->internal[i]);

		POL_RULE(b, c->mark_out, out, pol_gate_lease(POL_S_GATE),
		    pol_st_jump(c->answers));
		if (p->timesync.required && p->timesync.workstations)
			POL_RULE(b, c->mark_out, out,
			    pol_gate_lease(POL_S_SYNC),
			    pol_st_jump(c->answers));
	}
	for (size_t s = 0; s < POL_NSIDES; s++)
		POL_RULE(b, c->answers,
		    pol_st_num(POL_M_NFPROTO, pol_sides[s].nfproto),
		    pol_st(POL_M_CT_REPLY),
		    pol_st_lookup(pol_sides[s].proven, pol_sides[s].src),
		    pol_st_num(POL_A_MARK_OR, POL_MARK_GATE),
		    pol_st(POL_A_ACCEPT));
	for (size_t i = 0; i < p->nservices; i++)
		if (p->services[i].internal)
			service_answers(b, c->answers, &p->services[i],
			    POL_MARK_GATE);
}

/*
 * Tor's own TCP, and only what Tor began: an answer that takes this way is
 * one to a workstation that gave a foreign source address, and would tell
 * the outside where we are.
 */
static void
tor_rules(struct pol_build *b, size_t chain, const struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	struct pol_stmt user = pol_st_num(POL_M_SKUID, p->tor.user.uid);
	struct pol_stmt tcp = pol_st_num(POL_M_L4PROTO, IPPROTO_TCP);
	struct pol_stmt original = pol_st(POL_M_CT_ORIGINAL);
	struct pol_stmt own = pol_st_num(POL_A_CT_MARK_OR, POL_CT_TOR);

	if (!p->tor.strict_egress) {
		POL_RULE(b, chain, user, tcp, original, own,
		    pol_st_num(POL_A_MARK_OR, POL_MARK_EGRESS));
		return;
	}
	/* These chains ask for TCP themselves. */
	if (!pol_has_reach(p)) {
		POL_RULE(b, chain, user, original, own,
		    pol_st_jump(c->relays));
		return;
	}
	POL_RULE(b, chain, user, original, own, pol_st_jump(c->reach));
	POL_RULE(b, chain, user, original, pol_st_jump(c->relays));
}

/*
 * What the kernel still sends of such a flow once its socket is closed; of
 * anybody else's old flow it sends nothing.
 */
static void
tor_left_rules(struct pol_build *b, size_t chain,
    const struct pol_gate_chains *c, const struct pol_policy *p)
{
	struct pol_stmt own = pol_st_num(POL_M_CT_MARK_SET, POL_CT_TOR);
	struct pol_stmt original = pol_st(POL_M_CT_ORIGINAL);

	if (!p->tor.strict_egress) {
		POL_RULE(b, chain, own,
		    pol_st_num(POL_M_L4PROTO, IPPROTO_TCP), original,
		    pol_st_num(POL_A_MARK_OR, POL_MARK_EGRESS));
		return;
	}
	if (pol_has_reach(p))
		POL_RULE(b, chain, own, original, pol_st_jump(c->reach));
	POL_RULE(b, chain, own, original, pol_st_jump(c->relays));
}

/*
 * The same of a user who may go past Tor; LEFT: of nobody's leftovers, which
 * are a user's if the flow says so: Tor's own are not, whatever the user may.
 */
static void
user_rule(struct pol_build *b, size_t chain, const struct pol_egress *e,
    bool left)
{
	struct pol_traffic t = e->traffic;
	struct pol_case c = { .chain = chain, .t = &t,
		.ports = POL_M_DPORTS, .nets = POL_M_DADDR_NET,
		.nhead = 1,
		.tail = { pol_st(POL_M_CT_ORIGINAL) }, .ntail = 1 };

	if (left) {
		t.l4proto = IPPROTO_TCP;
		c.head[0] = pol_st_num(POL_M_CT_MARK_SET, POL_MARK_EGRESS);
	} else {
		c.head[0] = pol_st_num(POL_M_SKUID, e->user.uid);
		c.tail[c.ntail++] = pol_st_num(POL_A_CT_MARK_OR,
		    POL_MARK_EGRESS);
	}
	c.tail[c.ntail++] = pol_st_num(POL_A_MARK_OR, POL_MARK_EGRESS);
	c.tail[c.ntail++] = pol_st(POL_A_ACCEPT);
	pol_build_case(b, &c);
}

static void
user_rules(struct pol_build *b, size_t chain, const struct pol_policy *p,
    const char *external, bool left)
{
	for (size_t i = 0; i < p->negress; i++) {
		const struct pol_egress *e = &p->egress[i];

		if (!pol_build_on(e->ifname, external))
			continue;
		/* Only TCP leaves anything to the kernel. */
		if (!left || e->traffic.l4proto != IPPROTO_UDP)
			user_rule(b, chain, e, left);
	}
}

/* The kernel answers pings, in nobody's name. */
static void
echo_rules(struct pol_build *b, size_t chain)
{
	struct pol_stmt mark = pol_st_num(POL_A_MARK_OR, POL_MARK_EGRESS);

	POL_RULE(b, chain, pol_st_num(POL_M_NFPROTO, AF_INET),
	    pol_st_num(POL_M_L4PROTO, IPPROTO_ICMP),
	    pol_st_num(POL_M_ICMP_TYPE, ICMP_ECHOREPLY),
	    pol_st(POL_M_CT_REPLY), mark);
	POL_RULE(b, chain, pol_st_num(POL_M_NFPROTO, AF_INET6),
	    pol_st_num(POL_M_L4PROTO, IPPROTO_ICMPV6),
	    pol_st_num(POL_M_ICMPV6_TYPE, ICMP6_ECHO_REPLY),
	    pol_st(POL_M_CT_REPLY), mark);
}

/*
 * What leaves by one external interface.  After the users comes the end for
 * every packet of a socket, as an old flow of anybody's is established too;
 * what follows is for those without one.
 */
static void
external_rules(struct pol_build *b, size_t chain,
    const struct pol_gate_chains *c, const struct pol_policy *p,
    const char *external)
{
	const bool tor = pol_tor_leaves_by(p, external);

	if (tor) {
		pol_names_ext_rules(b, chain, c, p);
		tor_rules(b, chain, c, p);
	}
	user_rules(b, chain, p, external, false);
	for (size_t i = 0; i < p->nservices; i++)
		if (strcmp(p->services[i].ifname, external) == 0)
			service_answers(b, chain, &p->services[i],
			    POL_MARK_EGRESS);
	POL_RULE(b, chain, pol_st_num(POL_M_SKUID_NOT, POL_NO_UID),
	    pol_st(POL_A_ACCEPT));
	if ((p->firewall.icmp & POL_ICMP_ECHO) != 0)
		echo_rules(b, chain);
	user_rules(b, chain, p, external, true);
	if (tor) {
		pol_names_left_rules(b, chain, c, p);
		tor_left_rules(b, chain, c, p);
	}
}

void
pol_gate_mark_rules(struct pol_build *b, const struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	mark_internal(b, c->mark_pre, p);
	mark_external(b, c->mark_pre, p);
	pol_names_mark_rules(b, c, p);
	answers_rules(b, c, p);
	loopback_rules(b, c, p);
	heartbeat_rules(b, c->hb, p);
	for (size_t i = 0; i < p->nexternal; i++) {
		POL_RULE(b, c->mark_out,
		    pol_st_if(POL_M_OIFNAME, p->external[i]),
		    pol_gate_lease(POL_S_EGRESS), pol_st_jump(c->ext[i]));
		external_rules(b, c->ext[i], c, p, p->external[i]);
	}
	if (p->tor.strict_egress) {
		struct pol_rule relays[POL_NRELAYS_RULES];

		pol_relays_rules(relays, c->relays, false);
		for (size_t i = 0; i < POL_NRELAYS_RULES; i++)
			pol_build_rule(b, c->relays, relays[i].stmts,
			    relays[i].n);
	}
}
