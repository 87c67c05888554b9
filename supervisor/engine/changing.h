/*
 * What a change has to know of the gate, the policy and Tor: questions of
 * apply.c without a state of their own.  Part of the engine's core.
 */
#ifndef CHANGING_H
#define CHANGING_H

#include <stdbool.h>
#include <stdint.h>

struct apply;
struct engine;
struct pol_policy;
struct pol_uplink;

/* Has A been begun, and not come to an end? */
bool changing_under_way(const struct apply *a);

/* A clause: why none can be begun now; NULL: one can. */
const char *changing_forbidden(const struct engine *e);

/* For who has heard nothing for a while; NULL: there is nothing to say. */
const char *changing_still(const struct engine *e);

/*
 * Has the gate said that no client gets through?  What a gate that has died
 * let through may go on for as long as its lease: it is not asked, but the
 * next one is.
 */
bool changing_shut(const struct engine *e);

/*
 * Was there a proxy before by a name that Tor had looked up itself, and that
 * has no address now?
 */
bool changing_lost_way(const struct engine *e);

/* Is U, as it was set, what Tor has, as it was read last? */
bool changing_in_force(const struct engine *e, const struct pol_uplink *u);

/*
 * The only bridge is not the one that was meant, or its transport says that
 * it cannot be reached: no waiting mends that.  NULL: there is still hope.
 */
const char *changing_hopeless(const struct engine *e, uint64_t now);

/* How long U may take until Tor has built a circuit by it. */
uint64_t changing_patience_ms(const struct pol_policy *p,
    const struct pol_uplink *u);

#endif
