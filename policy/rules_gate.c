/*
 * The gate table, which dies with the gate process: it alone sets the mark
 * bits, and only behind a lookup in a lease.  What it drops is dropped by the
 * guard too; it may say *which* listener, the guard only *that* it is one.
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include "policy/rules_gate.h"

enum {
	/* Between the guard's that clear the bits and those that read them. */
	PRIO_MARK_PRE = -452,
	PRIO_MARK_OUT = -7,
	PRIO_MARK_NAT = -6, /* adds to what mark_out has marked */
	PRIO_DSTNAT = -100,
	PRIO_AFTER_NAT = -90,
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

const struct pol_side pol_sides[POL_NSIDES] = {
	{ AF_INET, POL_S_PROVEN4, POL_S_DIRECT4, POL_S_DIRECT_PORTS4,
	    POL_S_TARGET4, POL_S_STUB_PORT4, POL_S_REACH_TOR4,
	    POL_S_REACH_RESOLVER4, POL_K_RELAY4, POL_K_DST4, POL_K_SRC4,
	    POL_D_ADDR4 },
	{ AF_INET6, POL_S_PROVEN6, POL_S_DIRECT6, POL_S_DIRECT_PORTS6,
	    POL_S_TARGET6, POL_S_STUB_PORT6, POL_S_REACH_TOR6,
	    POL_S_REACH_RESOLVER6, POL_K_RELAY6, POL_K_DST6, POL_K_SRC6,
	    POL_D_ADDR6 },
};

struct pol_stmt
pol_gate_lease(enum pol_set_id set)
{
	return pol_st_lookup(set, POL_K_NFPROTO);
}

static bool
direct_listener(const struct pol_listener *l)
{
	return !pol_kind_redirected(l->kind) && !l->loopback;
}

static void
make_target(struct pol_build *b, const struct pol_policy *p,
    const struct pol_side *s)
{
	const int family = (int)s->nfproto;
	const struct pol_set target = { .id = s->target,
		.key = POL_K_L4PROTO, .data = s->data, .size = TARGET_SIZE };

	if (pol_gate_floating(pol_redirect_target(p, POL_TRANS, family,
	    false)) ||
	    pol_gate_floating(pol_redirect_target(p, POL_DNS, family, false)))
		pol_build_set(b, &target);
}

static void
make_leases(struct pol_build *b, const struct pol_policy *p)
{
	struct pol_set lease = { .key = POL_K_NFPROTO,
		.timeout_ms = p->lease_ms, .size = LEASE_SIZE };

	lease.id = POL_S_GATE;
	pol_build_set(b, &lease);
	lease.id = POL_S_EGRESS;
	pol_build_set(b, &lease);
	lease.id = POL_S_SYNC;
	if (p->timesync.required)
		pol_build_set(b, &lease);
	lease.id = POL_S_LOOKUP;
	if (pol_has_lookup(p))
		pol_build_set(b, &lease);
	lease.id = POL_S_STUB;
	if (pol_has_stub(p))
		pol_build_set(b, &lease);
	lease.id = POL_S_UDP;
	if (pol_has_udp(p))
		pol_build_set(b, &lease);
}

static void
make_relays(struct pol_build *b, const struct pol_policy *p)
{
	static const struct pol_set sets[] = {
		{ .id = POL_S_RELAYS4_A, .key = POL_K_RELAY4 },
		{ .id = POL_S_RELAYS6_A, .key = POL_K_RELAY6 },
		{ .id = POL_S_RELAYS4_B, .key = POL_K_RELAY4 },
		{ .id = POL_S_RELAYS6_B, .key = POL_K_RELAY6 },
	};

	if (!p->tor.strict_egress)
		return;
	for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
		struct pol_set s = sets[i];

		s.size = POL_MAX_RELAYS;
		pol_build_set(b, &s);
	}
}

static void
make_sets(struct pol_build *b, struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	make_leases(b, p);
	for (size_t s = 0; s < POL_NSIDES; s++)
		pol_build_set(b, &(struct pol_set){
		    .id = pol_sides[s].proven, .key = pol_sides[s].dst,
		    .size = PROVEN_SIZE });
	make_relays(b, p);
	pol_names_sets(b, p);
	if (p->firewall.mode != POL_MODE_STANDALONE)
		return;
	for (size_t s = 0; s < POL_NSIDES; s++)
		pol_build_listeners(b, pol_sides[s].direct, p,
		    direct_listener);
	for (size_t s = 0; s < POL_NSIDES; s++)
		c->ports[s] = pol_build_ports(b, pol_sides[s].ports, p,
		    direct_listener);
	for (size_t s = 0; s < POL_NSIDES; s++)
		make_target(b, p, &pol_sides[s]);
}

static size_t
base_chain(struct pol_build *b, const char *name, enum pol_hook hook,
    int priority)
{
	return pol_build_chain(b, &(struct pol_chain){ .name = name,
	    .nat = priority == PRIO_DSTNAT, .hook = hook,
	    .priority = priority });
}

static size_t
plain_chain(struct pol_build *b, const char *name)
{
	return pol_build_chain(b, &(struct pol_chain){ .name = name });
}

/* Those that set marks; they come first, rules.h says why. */
static void
make_mark_chains(struct pol_build *b, struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	static const char *const names[POL_MAX_IFACES] = { "ext0", "ext1",
		"ext2", "ext3", "ext4", "ext5", "ext6", "ext7" };

	c->mark_pre = base_chain(b, "mark_pre", POL_H_PREROUTING,
	    PRIO_MARK_PRE);
	c->mark_out = base_chain(b, "mark_out", POL_H_OUTPUT, PRIO_MARK_OUT);
	if (pol_gate_redirects_own(p))
		c->mark_nat = base_chain(b, "mark_nat", POL_H_OUTPUT,
		    PRIO_MARK_NAT);
	c->hb = plain_chain(b, "hb");
	c->loopback = plain_chain(b, "loopback");
	c->local = plain_chain(b, "local");
	if (p->timesync.required)
		c->sync = plain_chain(b, "sync");
	c->enter = plain_chain(b, "enter");
	c->answers = plain_chain(b, "answers");
	for (size_t i = 0; i < p->nexternal; i++)
		c->ext[i] = plain_chain(b, names[i]);
	if (p->tor.strict_egress)
		c->relays = plain_chain(b, POL_RELAYS_CHAIN);
	pol_names_chains(b, c, p);
}

static void
make_chains(struct pol_build *b, struct pol_gate_chains *c,
    const struct pol_policy *p)
{
	make_mark_chains(b, c, p);
	if (p->firewall.mode == POL_MODE_STANDALONE) {
		c->nat_pre = base_chain(b, "nat_pre", POL_H_PREROUTING,
		    PRIO_DSTNAT);
		c->to_tor = plain_chain(b, "to_tor");
	}
	if (pol_gate_redirects_own(p) || pol_has_stub(p))
		c->nat_out = base_chain(b, "nat_out", POL_H_OUTPUT,
		    PRIO_DSTNAT);
	if (p->firewall.mode == POL_MODE_VETO &&
	    p->firewall.refuse == POL_REFUSE_REJECT) {
		c->stray_pre = base_chain(b, "stray_pre", POL_H_PREROUTING,
		    PRIO_AFTER_NAT);
		c->stray = plain_chain(b, "stray");
	}
	c->input = base_chain(b, "input", POL_H_INPUT, PRIO_FILTER);
	c->from_int = plain_chain(b, "from_int");
	c->fresh = plain_chain(b, "fresh");
	c->allowed = plain_chain(b, "allowed");
	c->from_ext = plain_chain(b, "from_ext");
	c->refuse = pol_build_refuse(b, p);
}

void
pol_build_gate(struct pol_build *b, const struct pol_policy *p)
{
	struct pol_gate_chains c = { 0 };

	make_sets(b, &c, p);
	make_chains(b, &c, p);
	pol_gate_mark_rules(b, &c, p);
	pol_gate_nat_rules(b, &c, p);
	pol_gate_input_rules(b, &c, p);
}
