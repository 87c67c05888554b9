#include "supervisor/gate/addrs.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/gate/kern.h"
#include "supervisor/gate/nft_attr.h"

/* The kernel never dumps more than 32 KiB in one datagram. */
#define BUF_BYTES 65536
/* A change amid a dump makes it void; more often means trouble. */
#define TRIES 8
/* Datagrams of a dump, and of a burst of changes: the rest waits. */
#define DUMP_MOST 256
#define EVENT_MOST 64

/* Not (yet) an address that anything can be reached at. */
#define UNUSABLE (IFA_F_TENTATIVE | IFA_F_DADFAILED)

static _Alignas(struct nlmsghdr) uint8_t buf[BUF_BYTES];

static int
open_route(uint32_t groups, uint32_t *portid)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK,
		.nl_groups = groups };
	socklen_t len = sizeof sa;
	int fd, saved;

	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
	    NETLINK_ROUTE);
	if (fd == -1)
		return -1;
	if (bind(fd, (struct sockaddr *)&sa, sizeof sa) == 0 &&
	    getsockname(fd, (struct sockaddr *)&sa, &len) == 0) {
		*portid = sa.nl_pid;
		return fd;
	}
	saved = errno;
	(void)close(fd);
	errno = saved;
	return -1;
}

int
addrs_open(struct addrs *a, const struct pol_policy *p)
{
	uint32_t events_portid;

	*a = (struct addrs){ .policy = p, .ask_fd = -1, .events_fd = -1 };
	if (p->nifaddrs == 0)
		return 0;
	/* First the news, so that none is missed after the first look. */
	a->events_fd = open_route(RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR,
	    &events_portid);
	a->ask_fd = open_route(0, &a->portid);
	if (a->events_fd != -1 && a->ask_fd != -1)
		return 0;
	addrs_close(a);
	return -1;
}

void
addrs_close(struct addrs *a)
{
	int saved = errno;

	if (a->ask_fd != -1)
		(void)close(a->ask_fd);
	if (a->events_fd != -1)
		(void)close(a->events_fd);
	a->ask_fd = a->events_fd = -1;
	errno = saved;
}

/* What is looked for, and what of it has been found. */
struct look {
	const struct pol_addr *want; /* POL_MAX_IFADDRS of them */
	uint32_t index[POL_MAX_IFADDRS]; /* interfaces; 0: none */
	uint32_t found; /* bits */
	bool torn;
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

/* 1: go on, 0: that was all, else an error. */
static int
take_msg(const struct addrs *a, struct look *l, const struct nlmsghdr *h)
{
	struct found f;

	if (h->nlmsg_pid != a->portid || h->nlmsg_seq != a->seq)
		return 1; /* the rest of an answer that was given up */
	if ((h->nlmsg_flags & NLM_F_DUMP_INTR) != 0)
		l->torn = true;
	if (h->nlmsg_type == NLMSG_DONE)
		return l->torn ? -EINTR : 0; /* what was found was found */
	if (h->nlmsg_type != RTM_NEWADDR ||
	    mnl_nlmsg_get_payload_len(h) < sizeof(struct ifaddrmsg))
		return -EPROTO;
	parse(&f, h);
	compare(l, &f);
	return 1;
}

/* One datagram from the kernel into buf; its length or a negative errno. */
static ssize_t
receive(int fd)
{
	const struct nft_sock s = { .fd = fd };

	return nft_recv(&s, buf, sizeof buf);
}

static int
ask(struct addrs *a)
{
	struct {
		struct nlmsghdr h;
		struct ifaddrmsg m;
	} q = { .h = { .nlmsg_len = sizeof q, .nlmsg_type = RTM_GETADDR,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		.nlmsg_seq = ++a->seq } };
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	/* No second dump begins before the end of one that was given up. */
	for (int i = 0; i < DUMP_MOST; i++)
		if (receive(a->ask_fd) == -EAGAIN)
			break;
	return sendto(a->ask_fd, &q, sizeof q, MSG_DONTWAIT,
	    (struct sockaddr *)&kernel, sizeof kernel) == -1 ? -errno : 0;
}

static int
dump(struct addrs *a, struct look *l)
{
	const struct nlmsghdr *h;
	ssize_t n;
	int left, rc;

	l->found = 0;
	l->torn = false;
	rc = ask(a);
	for (int i = 0; i < DUMP_MOST && rc == 0; i++) {
		n = receive(a->ask_fd);
		if (n < 0)
			return n == -EAGAIN ? -EPROTO : (int)n;
		left = (int)n;
		for (h = (void *)buf; mnl_nlmsg_ok(h, left);
		    h = mnl_nlmsg_next(h, &left)) {
			rc = take_msg(a, l, h);
			if (rc <= 0)
				return rc;
		}
		rc = 0;
	}
	return rc != 0 ? rc : -EMSGSIZE;
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
	if (a->ask_fd == -1)
		return asked;
	for (int i = 0; i < TRIES && rc == -EINTR; i++)
		rc = dump(a, &l);
	if (rc != 0)
		return asked;
	return asked & ~l.found;
}

bool
addrs_changed(struct addrs *a)
{
	bool changed = false;
	ssize_t n;

	for (int i = 0; i < EVENT_MOST; i++) {
		n = receive(a->events_fd);
		if (n == -EAGAIN)
			break;
		changed = true; /* an error too: some were lost */
	}
	return changed;
}
