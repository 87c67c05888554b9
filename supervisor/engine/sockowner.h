/*
 * Whose connection is this?  One question to sock_diag, without a dump.
 */
#ifndef SOCKOWNER_H
#define SOCKOWNER_H

#include <stdint.h>

struct nlask;
struct sockaddr;

/* By ASK, of NETLINK_SOCK_DIAG; see sockdiag_owner(). */
int sockowner_find(struct nlask *ask, uint32_t *uid,
    const struct sockaddr *local, const struct sockaddr *remote)
    __attribute__((warn_unused_result));

#endif
