/*
 * Whose sockets are these?  Asks the kernel (sock_diag); needs no privilege.
 */
#ifndef SOCKDIAG_H
#define SOCKDIAG_H

#include <stdint.h>

#include "policy/policy.h"
#include "supervisor/engine/provision.h"

struct sockdiag;

/* POLICY is borrowed.  NULL and errno on failure. */
struct sockdiag *sockdiag_new(const struct pol_policy *policy);
void sockdiag_free(struct sockdiag *d);

/*
 * Look at every listening TCP socket and every UDP socket of this network
 * namespace and judge each listener of the policy: OUT has one entry for
 * each.  -1 when the kernel gave no complete answer: nothing is proven then.
 */
int sockdiag_prove(struct sockdiag *d, struct proof *out)
    __attribute__((warn_unused_result));

/*
 * The owner of the TCP socket that is bound to LOCAL and connected to
 * REMOTE (both of the same family, as getpeername/getsockname give them).
 * Only a socket that was accepted already has its true owner.
 */
struct sockaddr;
int sockdiag_owner(struct sockdiag *d, uint32_t *uid,
    const struct sockaddr *local, const struct sockaddr *remote)
    __attribute__((warn_unused_result));

#endif
