/*
 * Whose sockets are these?  Asks the kernel (sock_diag); needs no privilege.
 */
#ifndef SOCKDIAG_H
#define SOCKDIAG_H

#include <stdint.h>

#include "policy/policy.h"
#include "supervisor/engine/provision.h"

struct addrs;
struct sockaddr;
struct sockdiag;

/* POLICY and ADDRS are borrowed.  NULL and errno on failure. */
struct sockdiag *sockdiag_new(const struct pol_policy *policy,
    const struct addrs *addrs);
void sockdiag_free(struct sockdiag *d);

/*
 * Look at every listening TCP socket and every UDP socket of this network
 * namespace, one dump for each family and protocol, and judge each listener
 * of the policy: OUT has one entry for each.  IFADDRS, POL_MAX_IFADDRS of
 * them, are the interfaces' addresses that the caller reckons with: where
 * ADDRS knows better by now the verdict is PROOF_NO_ADDR.  Another's socket
 * that is bound but does not listen makes PROOF_FOREIGN, if Tor has none.
 *
 * -1 when the kernel gave no complete answer: nothing is proven then.  A pass
 * that finds all as it was costs the dump and no more.
 */
int sockdiag_prove(struct sockdiag *d, struct proof *out,
    const struct pol_addr *ifaddrs) __attribute__((warn_unused_result));

/*
 * The owner of the TCP socket that is bound to LOCAL and connected to
 * REMOTE (both of the same family, as getpeername/getsockname give them).
 * Only a socket that was accepted already has its true owner.
 */
int sockdiag_owner(struct sockdiag *d, uint32_t *uid,
    const struct sockaddr *local, const struct sockaddr *remote)
    __attribute__((warn_unused_result));

/*
 * Tor could not have the TCP port of listener I, although nobody listens
 * there: whose connection holds it?  OUT is PROOF_FOREIGN.  -1: not known.
 * A question of its own, for the kernel looks through all connections.
 */
int sockdiag_holder(struct sockdiag *d, struct proof *out, size_t i)
    __attribute__((warn_unused_result));

#endif
