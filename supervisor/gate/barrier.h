/*
 * The barriers that are not rules: the kernel does not forward.
 *
 * Other settings are not looked at, because nothing hangs on them:
 * accept_redirects (the rules let no redirect in), route_localnet (Tor's
 * loopback listeners are open on lo only), rp_filter (the gate's own rules
 * look where a source address belongs).
 */
#ifndef GATE_BARRIER_H
#define GATE_BARRIER_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/gate/nft_batch.h"

struct barrier {
	int fd4, fd6; /* -1: cannot be read, -2: the kernel has no IPv6 */
	struct nft_sock ask, events;
	/* No interface forwards by a setting of its own. */
	bool quiet4, quiet6;
	bool due; /* look, whether or not something is told */
};

/* Before lock-down, which takes the right to open them. */
void barrier_open(struct barrier *b);

/* Once a second: do single interfaces forward?  Looks if told of a change. */
void barrier_check(struct barrier *b);

/* GATE_BAR_FWD4 and GATE_BAR_FWD6, each if forwarding is surely off. */
uint32_t barrier_read(const struct barrier *b);

#endif
