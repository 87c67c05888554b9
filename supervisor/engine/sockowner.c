#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/sockowner.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/engine/inetask.h"
#include "supervisor/engine/provision.h"
#include "supervisor/engine/sock.h"

static int
on_owner(const struct nlmsghdr *nlh, void *data)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	int64_t *uid = data;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof *m)
		return MNL_CB_ERROR;
	/* Where there is no such connection the kernel shows the listener. */
	if (m->idiag_state != TCP_ESTABLISHED)
		return MNL_CB_ERROR;
	*uid = m->idiag_uid;
	return MNL_CB_OK;
}

static int
put_addr(uint32_t addr[4], uint16_t *port, const struct sockaddr *sa)
{
	const struct sockaddr_in *sin = (const void *)sa;
	const struct sockaddr_in6 *sin6 = (const void *)sa;

	if (sa->sa_family == AF_INET) {
		memcpy(addr, &sin->sin_addr, sizeof sin->sin_addr);
		*port = sin->sin_port;
		return 0;
	}
	if (sa->sa_family != AF_INET6)
		return -1;
	memcpy(addr, &sin6->sin6_addr, sizeof sin6->sin6_addr);
	*port = sin6->sin6_port;
	return 0;
}

int
sockowner_find(struct nlask *ask, uint32_t *uid, const struct sockaddr *local,
    const struct sockaddr *remote)
{
	char buf[MNL_NLMSG_HDRLEN +
	    MNL_ALIGN(sizeof(struct inet_diag_req_v2))];
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *r;
	int64_t owner = -1;

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	nlh->nlmsg_flags = NLM_F_REQUEST;
	r = mnl_nlmsg_put_extra_header(nlh, sizeof *r);
	r->sdiag_family = (uint8_t)local->sa_family;
	r->sdiag_protocol = IPPROTO_TCP;
	r->idiag_states = UINT32_MAX;
	r->id.idiag_cookie[0] = r->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	if (put_addr(r->id.idiag_src, &r->id.idiag_sport, local) == -1 ||
	    put_addr(r->id.idiag_dst, &r->id.idiag_dport, remote) == -1)
		return -1;
	if (nlask_run(ask, nlh, on_owner, &owner) == -1 || owner == -1)
		return -1;
	*uid = (uint32_t)owner;
	return 0;
}

struct search {
	const struct pol_addr *addr;
	uint16_t port;
	struct proof *out;
};

static int
on_holder(const struct nlmsghdr *nlh, void *data)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);
	struct search *f = data;
	struct sock s;

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof *m)
		return MNL_CB_ERROR;
	if (m->idiag_family != AF_INET && m->idiag_family != AF_INET6)
		return MNL_CB_OK;
	if (!sock_read(&s, nlh))
		return MNL_CB_ERROR;
	/*
	 * One that no process has any more, as in TIME_WAIT, has no owner.
	 * What is only bound the kernel tells of whatever its port is.
	 */
	if (f->out->kind == PROOF_FOREIGN || s.inode == 0 ||
	    s.uid == f->out->uid || s.port != f->port ||
	    !sock_overlaps(&s, f->addr))
		return MNL_CB_OK;
	f->out->kind = PROOF_FOREIGN;
	f->out->inode = s.inode;
	f->out->uid = s.uid;
	return MNL_CB_OK;
}

int
sockowner_holder(struct nlask *ask, struct proof *out,
    const struct pol_addr *addr, uint16_t port)
{
	struct search f = { .addr = addr, .port = port, .out = out };
	const struct inetask q = { .family = AF_UNSPEC,
		.l4proto = IPPROTO_TCP, .states = ~(1u << TCP_LISTEN),
		.port = port };

	if (inetask_run(ask, &q, on_holder, &f) == -1)
		return -1;
	return out->kind == PROOF_FOREIGN ? 0 : -1;
}
