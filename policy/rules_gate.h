/*
 * The gate table's parts, for rules_gate.c and those it is split into: who
 * gets a mark (rules_mark.c, and for names and transports rules_names.c),
 * where packets are sent (rules_nat.c), and what a marked one may reach
 * (rules_input.c).
 */
#ifndef POL_RULES_GATE_H
#define POL_RULES_GATE_H

#include "build.h"

/* What is different in one family. */
struct pol_side {
	uint32_t nfproto;
	enum pol_set_id proven, direct, ports, target;
	enum pol_set_id stub_port, reach_tor, reach_resolver;
	enum pol_key relay;
	enum pol_key dst, src;
	enum pol_data data;
};

#define POL_NSIDES 2
extern const struct pol_side pol_sides[POL_NSIDES];

/* Indices; those that the policy needs no chain for are 0 and not used. */
struct pol_gate_chains {
	/* These set marks, or lead to what does. */
	size_t mark_pre, mark_out, mark_nat;
	size_t hb, loopback, local, sync, enter, answers, relays;
	size_t stub, to_stub, from_stub, lookup, reach;
	size_t ext[POL_MAX_IFACES];
	/* These filter and redirect. */
	size_t nat_pre, nat_out, to_tor, stray_pre, stray, input;
	size_t from_int, fresh, allowed, from_ext, refuse;
	bool ports[POL_NSIDES]; /* is there such a set? */
};

/* "While this lease is held". */
struct pol_stmt pol_gate_lease(enum pol_set_id set);

void pol_gate_mark_rules(struct pol_build *b, const struct pol_gate_chains *c,
    const struct pol_policy *p);
void pol_gate_nat_rules(struct pol_build *b, const struct pol_gate_chains *c,
    const struct pol_policy *p);
void pol_gate_input_rules(struct pol_build *b,
    const struct pol_gate_chains *c, const struct pol_policy *p);

/* All that is for names and transports; nothing if the policy has none. */
void pol_names_sets(struct pol_build *b, const struct pol_policy *p);
void pol_names_chains(struct pol_build *b, struct pol_gate_chains *c,
    const struct pol_policy *p);
/* Chain mark_out's first rules, and the chains that they lead to. */
void pol_names_mark_rules(struct pol_build *b,
    const struct pol_gate_chains *c, const struct pol_policy *p);
/* The first, and the last, of what leaves by one external interface. */
void pol_names_ext_rules(struct pol_build *b, size_t chain,
    const struct pol_gate_chains *c, const struct pol_policy *p);
void pol_names_left_rules(struct pol_build *b, size_t chain,
    const struct pol_gate_chains *c, const struct pol_policy *p);
/* The first of nat output. */
void pol_names_nat_rules(struct pol_build *b, size_t chain,
    const struct pol_policy *p);

/* Is a redirect's target where an interface is? */
bool pol_gate_floating(const struct pol_listener *l);
/* Has nat output anything to do? */
bool pol_gate_redirects_own(const struct pol_policy *p);

#endif
