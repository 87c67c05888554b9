#include "supervisor/gate/barrier.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/gate/nft_attr.h"
#include "supervisor/gate/rtnl.h"
#include "supervisor/gatemsg.h"

#define NO_SUCH_PROTOCOL (-2)
/*
 * Linux 6.17's, which headers may not have yet: an interface that forwards
 * though conf/all/forwarding of IPv6 is 0.
 */
#define FORCE_FORWARDING (NETCONFA_BC_FORWARDING + 1)

void
barrier_open(struct barrier *b)
{
	*b = (struct barrier){ .ask = { .fd = -1 }, .events = { .fd = -1 },
		.due = true };
	b->fd4 = open("/proc/sys/net/ipv4/ip_forward", O_RDONLY | O_CLOEXEC);
	b->fd6 = open("/proc/sys/net/ipv6/conf/all/forwarding",
	    O_RDONLY | O_CLOEXEC);
	if (b->fd6 == -1 && errno == ENOENT &&
	    access("/proc/sys/net/ipv6", F_OK) == -1)
		b->fd6 = NO_SUCH_PROTOCOL;
	/* Without them nothing is sure, which is what will be said. */
	if (rtnl_open(&b->events, 1u << (RTNLGRP_IPV4_NETCONF - 1) |
	    1u << (RTNLGRP_IPV6_NETCONF - 1)) == 0 &&
	    rtnl_open(&b->ask, 0) == 0)
		barrier_check(b);
}

struct look {
	uint16_t attr;
	bool forwards;
};

static bool
on_conf(void *arg, const struct nlmsghdr *h)
{
	struct look *l = arg;
	const struct nlattr *at;
	int32_t index = NETCONFA_IFINDEX_ALL, value = 0;
	void *to;

	if (h->nlmsg_type != RTM_NEWNETCONF ||
	    mnl_nlmsg_get_payload_len(h) < sizeof(struct netconfmsg))
		return false;
	NFT_ATTR_EACH_IN(at, h, sizeof(struct netconfmsg)) {
		to = mnl_attr_get_type(at) == NETCONFA_IFINDEX ? &index :
		    mnl_attr_get_type(at) == l->attr ? &value : NULL;
		if (to != NULL && mnl_attr_get_payload_len(at) ==
		    sizeof value)
			memcpy(to, mnl_attr_get_payload(at), sizeof value);
	}
	/* Of "all" see barrier_read(); "default" is what new ones will do. */
	if (index != NETCONFA_IFINDEX_ALL && value != 0)
		l->forwards = true;
	return true;
}

static int
is_quiet(struct nft_sock *s, uint8_t family, uint16_t attr, bool *out)
{
	struct look l = { .attr = attr };
	int rc = -EINTR;

	for (int i = 0; i < RTNL_TRIES && rc == -EINTR; i++) {
		l.forwards = false;
		rc = rtnl_dump(s, RTM_GETNETCONF, family, on_conf, &l);
	}
	*out = rc == 0 && !l.forwards;
	return rc;
}

void
barrier_check(struct barrier *b)
{
	int rc;

	if (b->ask.fd == -1)
		return;
	if (!rtnl_told(&b->events, b->ask.portid) && !b->due)
		return;
	rc = is_quiet(&b->ask, AF_INET, NETCONFA_FORWARDING, &b->quiet4);
	b->due = rc != 0;
	if (b->fd6 == NO_SUCH_PROTOCOL)
		return;
	/* IPv6's plain setting of an interface is about advertisements. */
	rc = is_quiet(&b->ask, AF_INET6, FORCE_FORWARDING, &b->quiet6);
	b->due = b->due || rc != 0;
}

static bool
is_off(int fd)
{
	char c = '1';

	return fd >= 0 && pread(fd, &c, 1, 0) == 1 && c == '0';
}

uint32_t
barrier_read(const struct barrier *b)
{
	const bool no6 = b->fd6 == NO_SUCH_PROTOCOL;

	return (is_off(b->fd4) && b->quiet4 ? GATE_BAR_FWD4 : 0) |
	    (no6 || (is_off(b->fd6) && b->quiet6) ? GATE_BAR_FWD6 : 0);
}
