/*
 * Questions to sock_diag about the sockets of IPv4 and IPv6.
 */
#ifndef INETASK_H
#define INETASK_H

#include <libmnl/libmnl.h>
#include <stdbool.h>
#include <stdint.h>

#include "supervisor/engine/nlask.h"

struct inetask {
	int family; /* AF_UNSPEC: both, by one walk of the kernel's */
	uint8_t l4proto;
	uint32_t states;
	uint16_t port; /* 0: all */
};

/* As nlask_run(). */
int inetask_run(struct nlask *ask, const struct inetask *q, mnl_cb_t cb,
    void *data) __attribute__((warn_unused_result));

/*
 * May UDP be asked about with AF_UNSPEC?  Before Linux 5.9 the answer to that
 * tells of TCP's sockets.  False also if it cannot be found out.
 */
bool inetask_udp_families(struct nlask *ask)
    __attribute__((warn_unused_result));

#endif
