/*
 * Settings of interfaces that the rules count on.  By netlink, because the
 * service may have no right to write below /proc/sys.
 *
 *   arp_ignore 1     an interface answers for its own addresses only: else
 *                    the workstations could ask for the external address,
 *                    and the outside for the internal one (no table of ours
 *                    sees ARP that comes in)
 *   arp_announce 2   and asks with its own only
 *   src_valid_mark 1 external ones, with routes = "full": else a
 *                    reverse-path filter would drop Tor's answers
 *
 * They stay when the gate ends.  Interfaces that the policy names by a
 * pattern ("vif*") are left as they are.
 */
#ifndef GATE_IFCONF_H
#define GATE_IFCONF_H

#include <stdint.h>

#include "policy/policy.h"
#include "supervisor/gate/nft_batch.h"

struct ifconf {
	const struct pol_policy *policy; /* borrowed */
	struct nft_sock ask;
	/* Those that were set, by number: internal ones, then external. */
	uint32_t set[2 * POL_MAX_IFACES];
};

/* What fails is said, and never stops the gate. */
void ifconf_start(struct ifconf *c, const struct pol_policy *p);

/* Once a second: interfaces that are new are set as well. */
void ifconf_check(struct ifconf *c);

#endif
