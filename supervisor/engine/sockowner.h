/*
 * Whose connection is this?  Questions to sock_diag about one of them.
 */
#ifndef SOCKOWNER_H
#define SOCKOWNER_H

#include <stdint.h>

struct nlask;
struct pol_addr;
struct proof;
struct sockaddr;

/* By ASK, of NETLINK_SOCK_DIAG; see sockdiag_owner(). */
int sockowner_find(struct nlask *ask, uint32_t *uid,
    const struct sockaddr *local, const struct sockaddr *remote)
    __attribute__((warn_unused_result));

/*
 * Who, other than OUT->uid, has a TCP socket at ADDR and PORT that does not
 * listen there?  OUT is PROOF_FOREIGN then.  -1: nobody, or no answer.
 */
int sockowner_holder(struct nlask *ask, struct proof *out,
    const struct pol_addr *addr, uint16_t port)
    __attribute__((warn_unused_result));

#endif
