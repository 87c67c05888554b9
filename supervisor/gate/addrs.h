/*
 * The interfaces' addresses, by the gate's own reading: the engine says where
 * a listener was proven, and is not believed.
 */
#ifndef GATE_ADDRS_H
#define GATE_ADDRS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"
#include "supervisor/gate/nft_batch.h"

struct addrs {
	const struct pol_policy *policy; /* borrowed */
	struct nft_sock ask;	/* closed: no listener is on an interface */
	struct nft_sock events; /* what changes, for poll(2) */
};

/* At start-up: sockets, if P needs them.  -1 and errno. */
int addrs_open(struct addrs *a, const struct pol_policy *p)
    __attribute__((warn_unused_result));
void addrs_close(struct addrs *a);

/*
 * Those of WANT that their interface does not have, as bits: not there,
 * tentative or duplicate.  Whether another interface has it as well does not
 * matter: what opens is the address.  What cannot be read is not there.
 * Family 0 wants nothing.
 *
 * Older kernels answer under a lock that others may hold for
 * long.  Asked only for OPEN and once a second while open, so no request to
 * close is answered by way of it; one that comes meanwhile waits, and the
 * lease bounds that.
 */
uint32_t addrs_missing(struct addrs *a,
    const struct pol_addr want[POL_MAX_IFADDRS]);

/* Take in what has been told; true: addresses may have changed. */
bool addrs_changed(struct addrs *a);

#endif
