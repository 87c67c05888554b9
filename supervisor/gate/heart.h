/*
 * The heartbeat: one datagram over loopback by which a rule of ours refreshes
 * a lease that still lives.  No netlink, no allocation.
 */
#ifndef GATE_HEART_H
#define GATE_HEART_H

#include <stdbool.h>
#include <stdint.h>

enum heart_side { HEART_GATE = 0, HEART_EGRESS, HEART_SYNC, HEART_LOOKUP,
	HEART_STUB, HEART_UDP, HEART_NSIDES };

struct heart {
	int fd4, fd6; /* -1: that family has no loopback */
	/* Of both families; nobody reads: they keep ICMP errors away. */
	int sinks[2 * HEART_NSIDES];
};

/*
 * Make the sockets with UID's credentials, which the rule matches, as root.
 * -1 and errno: not even IPv4.
 */
int heart_open(struct heart *h, uint32_t uid)
    __attribute__((warn_unused_result));

bool heart_has(const struct heart *h, int family);

/*
 * Refresh SIDE's lease of FAMILY.  0, or a negative errno; -EPERM is the
 * kernel's word that the lease has lapsed.
 */
int heart_beat(const struct heart *h, int family, enum heart_side side)
    __attribute__((warn_unused_result));

#endif
