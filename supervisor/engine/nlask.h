/*
 * Asking the kernel over netlink and waiting for the whole answer: what
 * sock_diag, unix_diag and the list of addresses have in common.
 */
#ifndef NLASK_H
#define NLASK_H

#include <libmnl/libmnl.h>
#include <stdint.h>

struct nlask {
	struct mnl_socket *nl; /* NULL after a failure: opened again */
	int bus;	       /* NETLINK_SOCK_DIAG, NETLINK_ROUTE */
	uint32_t seq;
	unsigned parts; /* of the answer that is being taken: so many by now */
};

void nlask_init(struct nlask *q, int bus);
void nlask_clear(struct nlask *q);

/*
 * Send NLH, whose sequence number is set here, and hand every message of the
 * answer to CB with DATA.  0: all of it was taken.  -1 and errno: there is no
 * complete answer (EINTR: what was dumped changed meanwhile); what is still
 * to come of it is thrown away.
 */
int nlask_run(struct nlask *q, struct nlmsghdr *nlh, mnl_cb_t cb, void *data)
    __attribute__((warn_unused_result));

#endif
