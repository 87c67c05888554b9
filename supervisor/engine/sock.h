/*
 * One Internet socket as sock_diag(7) describes it.
 */
#ifndef SOCK_H
#define SOCK_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

struct nlmsghdr;

struct sock {
	int family; /* AF_INET or AF_INET6 */
	struct pol_addr addr;
	uint16_t port;
	uint32_t uid, inode;
	bool wildcard, v6only;
};

/*
 * From a message with a struct inet_diag_msg, which the caller has seen to be
 * there and of one of the two families.  False: its attributes are broken.
 */
bool sock_read(struct sock *out, const struct nlmsghdr *nlh);

/* Would packets for ADDR and S's port also match S, or bind collide? */
bool sock_overlaps(const struct sock *s, const struct pol_addr *addr);

#endif
