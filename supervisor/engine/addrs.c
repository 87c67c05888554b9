#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/addrs.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/engine/nlask.h"
#include "supervisor/log.h"

/* In every network namespace the loopback interface is the first. */
#define LOOPBACK_IFINDEX 1
/* A dump that was changed while it ran is asked for again, so often. */
#define DUMP_TRIES 4
/*
 * Messages are thrown away, so that one read may take a cut one.  More of
 * them than this in one go are left for the next turn of the loop.
 */
#define EVENT_CAP 4096
#define EVENTS_PER_READ 1024
/* 169.254.0.0/16 */
#define LINK_LOCAL_NET 0xa9feu

struct addrs {
	const struct pol_policy *policy;
	struct mnl_socket *events;
	struct nlask ask;
	bool stale; /* the last look failed */
	bool said;  /* that there are too many */
	uint64_t generation;
	struct pol_addr current[POL_MAX_IFADDRS];
	struct addrs_table table, fresh;
};

static uint32_t
net_mask(unsigned prefixlen)
{
	return prefixlen == 0 ? 0 : UINT32_MAX << (32 - prefixlen);
}

static bool
covers(const struct addrs_entry *e, const struct pol_addr *addr)
{
	uint32_t differ;

	if (pol_addr_equal(&e->addr, addr))
		return (e->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) == 0;
	if (addr->family != AF_INET || e->addr.family != AF_INET ||
	    e->ifindex != LOOPBACK_IFINDEX)
		return false;
	differ = ntohl(e->addr.v4.s_addr) ^ ntohl(addr->v4.s_addr);
	return (differ & net_mask(e->prefixlen)) == 0;
}

bool
addrs_table_here(const struct addrs_table *t, const struct pol_addr *addr)
{
	for (size_t i = 0; i < t->n; i++)
		if (covers(&t->entry[i], addr))
			return true;
	return false;
}

static bool
is_main(const struct addrs_entry *e)
{
	const uint32_t unfit = IFA_F_TENTATIVE | IFA_F_DADFAILED |
	    IFA_F_DEPRECATED | IFA_F_SECONDARY; /* IPv6: IFA_F_TEMPORARY */

	if (e->scope != RT_SCOPE_UNIVERSE)
		return false;
	if (e->addr.family == AF_INET)
		return (e->flags & IFA_F_SECONDARY) == 0;
	return (e->flags & unfit) == 0 && (e->flags & IFA_F_PERMANENT) != 0;
}

static bool
is_second_best(const struct addrs_entry *e)
{
	return e->addr.family == AF_INET && e->scope != RT_SCOPE_LINK &&
	    ntohl(e->addr.v4.s_addr) >> 16 != LINK_LOCAL_NET;
}

static const struct addrs_entry *
first(const struct addrs_table *t, uint32_t ifindex, int family,
    bool (*fits)(const struct addrs_entry *e))
{
	for (size_t i = 0; i < t->n; i++)
		if (t->entry[i].ifindex == ifindex &&
		    t->entry[i].addr.family == family && fits(&t->entry[i]))
			return &t->entry[i];
	return NULL;
}

void
addrs_table_pick(struct pol_addr *out, const struct addrs_table *t,
    uint32_t ifindex, int family)
{
	const struct addrs_entry *e = first(t, ifindex, family, is_main);

	memset(out, 0, sizeof *out);
	if (e == NULL)
		e = first(t, ifindex, family, is_second_best);
	if (e != NULL)
		*out = e->addr;
}

/* What one RTM_NEWADDR says. */
struct reading {
	struct addrs_entry entry;
	bool local; /* IFA_LOCAL was there: IFA_ADDRESS is the peer's then */
	bool wrong; /* an attribute is too short */
};

static void
take_addr(struct reading *r, const struct nlattr *attr)
{
	struct pol_addr *addr = &r->entry.addr;
	size_t n = addr->family == AF_INET ? sizeof addr->v4 :
					     sizeof addr->v6;

	if (mnl_attr_get_payload_len(attr) != n)
		r->wrong = true;
	else
		memcpy(&addr->v6, mnl_attr_get_payload(attr), n);
}

static int
on_attr(const struct nlattr *attr, void *data)
{
	struct reading *r = data;

	switch (mnl_attr_get_type(attr)) {
	case IFA_LOCAL:
		r->local = true;
		take_addr(r, attr);
		break;
	case IFA_ADDRESS:
		if (!r->local)
			take_addr(r, attr);
		break;
	case IFA_FLAGS: /* the header has only the first eight */
		if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
			r->wrong = true;
		else
			r->entry.flags = mnl_attr_get_u32(attr);
		break;
	}
	return MNL_CB_OK;
}

static int
on_address(const struct nlmsghdr *nlh, void *data)
{
	struct addrs *a = data;
	struct addrs_table *t = &a->fresh;
	const struct ifaddrmsg *m = mnl_nlmsg_get_payload(nlh);
	struct reading r;

	if (nlh->nlmsg_type != RTM_NEWADDR ||
	    mnl_nlmsg_get_payload_len(nlh) < sizeof *m)
		return MNL_CB_ERROR;
	if (m->ifa_family != AF_INET && m->ifa_family != AF_INET6)
		return MNL_CB_OK;
	memset(&r, 0, sizeof r); /* padding too: tables are compared */
	r.entry.addr.family = m->ifa_family;
	r.entry.ifindex = m->ifa_index;
	r.entry.flags = m->ifa_flags;
	r.entry.prefixlen = m->ifa_prefixlen;
	r.entry.scope = m->ifa_scope;
	if (mnl_attr_parse(nlh, sizeof *m, on_attr, &r) < 0 || r.wrong ||
	    r.entry.prefixlen > (m->ifa_family == AF_INET ? 32 : 128))
		return MNL_CB_ERROR;
	if (t->n < ADDRS_MAX)
		memcpy(&t->entry[t->n++], &r.entry, sizeof r.entry);
	else if (!a->said) {
		a->said = true;
		log_warn("this machine has more than %d addresses: those "
		    "beyond are not looked at", ADDRS_MAX);
	}
	return MNL_CB_OK;
}

static int
dump(struct addrs *a)
{
	char buf[MNL_NLMSG_HDRLEN + MNL_ALIGN(sizeof(struct ifaddrmsg))];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifaddrmsg *m;

	nlh->nlmsg_type = RTM_GETADDR;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	m = mnl_nlmsg_put_extra_header(nlh, sizeof *m);
	m->ifa_family = AF_UNSPEC;
	memset(&a->fresh, 0, sizeof a->fresh);
	return nlask_run(&a->ask, nlh, on_address, a);
}

/* A look that failed leaves an empty table: nothing is here. */
static int
look(struct addrs *a)
{
	struct pol_addr current[POL_MAX_IFADDRS];
	const struct pol_policy *p = a->policy;
	int rc = -1;

	for (int i = 0; i < DUMP_TRIES && rc == -1; i++)
		rc = dump(a);
	if (rc == -1 && !a->stale)
		log_warn("the kernel gives no list of addresses: %s",
		    strerror(errno));
	a->stale = rc == -1;
	if (rc == -1)
		memset(&a->fresh, 0, sizeof a->fresh);
	memset(current, 0, sizeof current);
	for (size_t i = 0; i < p->nifaddrs; i++)
		/* An interface that is not there is number 0, and no one's. */
		addrs_table_pick(&current[i], &a->fresh,
		    if_nametoindex(p->ifaddrs[i].ifname),
		    p->ifaddrs[i].family);
	if (memcmp(&a->fresh, &a->table, sizeof a->table) == 0 &&
	    memcmp(current, a->current, sizeof current) == 0)
		return rc;
	memcpy(&a->table, &a->fresh, sizeof a->table);
	memcpy(a->current, current, sizeof current);
	a->generation++;
	return rc == -1 ? -1 : 1;
}

static int
subscribe(struct addrs *a)
{
	a->events = mnl_socket_open2(NETLINK_ROUTE,
	    SOCK_CLOEXEC | SOCK_NONBLOCK);
	/* Links: an interface that is renamed keeps its addresses. */
	return a->events == NULL ? -1 : mnl_socket_bind(a->events,
	    RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_LINK,
	    MNL_SOCKET_AUTOPID);
}

struct addrs *
addrs_new(const struct pol_policy *policy)
{
	struct addrs *a = calloc(1, sizeof *a);

	if (a == NULL)
		return NULL;
	a->policy = policy;
	nlask_init(&a->ask, NETLINK_ROUTE);
	/* In this order, so that no change falls between the two. */
	if (subscribe(a) == -1 || look(a) == -1) {
		addrs_free(a);
		return NULL;
	}
	return a;
}

void
addrs_free(struct addrs *a)
{
	int saved = errno;

	if (a == NULL)
		return;
	if (a->events != NULL)
		mnl_socket_close(a->events);
	nlask_clear(&a->ask);
	free(a);
	errno = saved;
}

int
addrs_fd(const struct addrs *a)
{
	return mnl_socket_get_fd(a->events);
}

/* True: something was said, or was lost (ENOBUFS): either way, look. */
static bool
drain(struct addrs *a)
{
	char buf[EVENT_CAP];
	bool any = false;

	for (int i = 0; i < EVENTS_PER_READ; i++) {
		if (recv(addrs_fd(a), buf, sizeof buf, MSG_DONTWAIT) >= 0 ||
		    errno == ENOBUFS)
			any = true;
		else if (errno != EINTR)
			return any || errno != EAGAIN;
	}
	return true;
}

int
addrs_read(struct addrs *a)
{
	return drain(a) || a->stale ? look(a) : 0;
}

bool
addrs_here(const struct addrs *a, const struct pol_addr *addr)
{
	return addrs_table_here(&a->table, addr);
}

void
addrs_interface(const struct addrs *a, struct pol_addr *out)
{
	memcpy(out, a->current, sizeof a->current);
}

size_t
addrs_internal(const struct addrs *a, struct pol_addr *out, size_t cap)
{
	const struct pol_policy *p = a->policy;
	size_t n = 0;
	uint32_t ifindex;

	for (size_t i = 0; i < p->ninternal; i++) {
		ifindex = if_nametoindex(p->internal[i]);
		for (size_t j = 0; j < a->table.n && n < cap; j++)
			if (a->table.entry[j].ifindex == ifindex)
				out[n++] = a->table.entry[j].addr;
	}
	return n;
}

uint64_t
addrs_generation(const struct addrs *a)
{
	return a->generation;
}
