#include "supervisor/gate/barrier.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/netconf.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/gate/nft_attr.h"
#include "supervisor/gate/rtnl.h"
#include "supervisor/gatemsg.h"

#define NO_SUCH_PROTOCOL (-2)

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

/* False: it is not known of which interface H tells. */
static bool
take_conf(const struct nlmsghdr *h, int32_t *index, int32_t *forwarding)
{
	const struct nlattr *at;
	void *to;

	if (h->nlmsg_type != RTM_NEWNETCONF ||
	    mnl_nlmsg_get_payload_len(h) < sizeof(struct netconfmsg))
		return false;
	*index = *forwarding = 0;
	NFT_ATTR_EACH_IN(at, h, sizeof(struct netconfmsg)) {
		to = mnl_attr_get_type(at) == NETCONFA_IFINDEX ? index :
		    mnl_attr_get_type(at) == NETCONFA_FORWARDING ?
		    forwarding : NULL;
		if (to != NULL && mnl_attr_get_payload_len(at) ==
		    sizeof *index)
			memcpy(to, mnl_attr_get_payload(at), sizeof *index);
	}
	return *index != 0;
}

/* Of "all" see barrier_read(); "default" is what those to come will do. */
static bool
on_conf4(void *arg, const struct nlmsghdr *h)
{
	int32_t index, forwarding;
	bool *forwards = arg;

	if (!take_conf(h, &index, &forwarding))
		return false;
	if (index != NETCONFA_IFINDEX_ALL && forwarding != 0)
		*forwards = true;
	return true;
}

/*
 * Linux 6.17's: an interface that forwards though conf/all/forwarding is 0.
 * That it changed is told by netlink, but not to what.
 */
static bool
is_forced(const char *name)
{
	char path[64], c = '1';
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof path,
	    "/proc/sys/net/ipv6/conf/%.15s/force_forwarding", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd == -1)
		return errno != ENOENT; /* an older kernel, or it has gone */
	n = read(fd, &c, 1);
	(void)close(fd);
	return n != 1 || c != '0';
}

static bool
is_forced_index(int32_t index)
{
	const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr = { .ifr_ifindex = index };
	int rc, saved;

	if (fd == -1)
		return true;
	rc = ioctl(fd, SIOCGIFNAME, &ifr);
	saved = errno;
	(void)close(fd);
	if (rc == -1)
		return saved != ENODEV; /* it has gone */
	return is_forced(ifr.ifr_name);
}

/* IPv6's plain setting of one interface is about advertisements only. */
static bool
on_conf6(void *arg, const struct nlmsghdr *h)
{
	int32_t index, forwarding;
	bool *forwards = arg;

	if (!take_conf(h, &index, &forwarding))
		return false;
	if (index > 0 ? is_forced_index(index) :
	    index == NETCONFA_IFINDEX_DEFAULT && is_forced("default"))
		*forwards = true;
	return true;
}

static int
is_quiet(struct nft_sock *s, uint8_t family, rtnl_each_fn *each, bool *out)
{
	bool forwards = false;
	int rc = -EINTR;

	for (int i = 0; i < RTNL_TRIES && rc == -EINTR; i++) {
		forwards = false;
		rc = rtnl_dump(s, RTM_GETNETCONF, family, each, &forwards);
	}
	*out = rc == 0 && !forwards;
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
	rc = is_quiet(&b->ask, AF_INET, on_conf4, &b->quiet4);
	b->due = rc != 0;
	if (b->fd6 == NO_SUCH_PROTOCOL)
		return;
	rc = is_quiet(&b->ask, AF_INET6, on_conf6, &b->quiet6);
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
