#include "supervisor/gate/addrs.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/gate/kern.h"
#include "supervisor/gate/nft_attr.h"
#include "supervisor/gate/rtnl.h"

/* Not (yet) an address that anything can be reached at. */
#define UNUSABLE (IFA_F_TENTATIVE | IFA_F_DADFAILED)

int
addrs_open(struct addrs *a, const struct pol_policy *p)
{
	*a = (struct addrs){ .policy = p, .ask = { .fd = -1 },
		.events = { .fd = -1 } };
	if (p->nifaddrs == 0)
		return 0;
	/* First the news, so that none is missed after the first look. */
	if (rtnl_open(&a->events, RTMGRP_IPV4_IFADDR |
	    RTMGRP_IPV6_IFADDR) == 0 && rtnl_open(&a->ask, 0) == 0)
		return 0;
	addrs_close(a);
	return -1;
}

void
addrs_close(struct addrs *a)
{
	int saved = errno;

	nft_sock_close(&a->ask);
	nft_sock_close(&a->events);
	errno = saved;
}

/* What is looked for, and what of it has been found. */
struct look {
	const struct pol_addr *want; /* POL_MAX_IFADDRS of them */
	uint32_t index[POL_MAX_IFADDRS]; /* interfaces; 0: none */
	uint32_t found; /* bits */
};

/* One address of the kernel's. */
struct found {
	struct pol_addr addr;
	uint32_t index, flags;
};

static void
copy_addr(struct pol_addr *out, int family, const struct nlattr *at)
{
	const size_t n = family == AF_INET6 ? sizeof out->v6 :
					      sizeof out->v4;

	memset(out, 0, sizeof *out);
	if (at == NULL || mnl_attr_get_payload_len(at) != n ||
	    (family != AF_INET && family != AF_INET6))
		return;
	out->family = family;
	memcpy(&out->v6, mnl_attr_get_payload(at), n);
}

static void
parse(struct found *f, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(h);
	const struct nlattr *at, *local = NULL, *address = NULL;

	f->index = m->ifa_index;
	f->flags = m->ifa_flags;
	NFT_ATTR_EACH_IN(at, h, sizeof *m) {
		if (mnl_attr_get_type(at) == IFA_LOCAL)
			local = at;
		else if (mnl_attr_get_type(at) == IFA_ADDRESS)
			address = at;
		else if (mnl_attr_get_type(at) == IFA_FLAGS &&
		    mnl_attr_get_payload_len(at) >= sizeof f->flags)
			f->flags = mnl_attr_get_u32(at);
	}
	/* With a peer, IFA_ADDRESS is the peer's. */
	copy_addr(&f->addr, m->ifa_family, local != NULL ? local : address);
}

static void
compare(struct look *l, const struct found *f)
{
	for (size_t i = 0; i < POL_MAX_IFADDRS; i++) {
		if (f->index == l->index[i] && (f->flags & UNUSABLE) == 0 &&
		    l->want[i].family != 0 &&
		    pol_addr_equal(&l->want[i], &f->addr))
			l->found |= 1u << i;
	}
}

static bool
on_addr(void *arg, const struct nlmsghdr *h)
{
	struct found f;

	if (h->nlmsg_type != RTM_NEWADDR ||
	    mnl_nlmsg_get_payload_len(h) < sizeof(struct ifaddrmsg))
		return false;
	parse(&f, h);
	compare(arg, &f);
	return true;
}

static bool
wants(const struct addrs *a, const struct pol_addr *want, size_t i)
{
	return want[i].family != 0 && i < a->policy->nifaddrs &&
	    want[i].family == a->policy->ifaddrs[i].family;
}

uint32_t
addrs_missing(struct addrs *a, const struct pol_addr want[POL_MAX_IFADDRS])
{
	struct look l = { .want = want };
	uint32_t asked = 0;
	int rc = -EINTR;

	for (size_t i = 0; i < POL_MAX_IFADDRS; i++) {
		if (want[i].family != 0)
			asked |= 1u << i;
		if (wants(a, want, i))
			l.index[i] = kern_ifindex(a->policy->ifaddrs[i].ifname);
	}
	if (asked == 0)
		return 0;
	if (a->ask.fd == -1)
		return asked;
	for (int i = 0; i < RTNL_TRIES && rc == -EINTR; i++) {
		l.found = 0;
		rc = rtnl_dump(&a->ask, RTM_GETADDR, AF_UNSPEC, on_addr, &l);
	}
	if (rc != 0)
		return asked;
	return asked & ~l.found;
}

bool
addrs_changed(struct addrs *a)
{
	return rtnl_told(&a->events, a->ask.portid);
}
