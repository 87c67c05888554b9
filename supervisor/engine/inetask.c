#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/inetask.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sys/socket.h>

/* The older question is the longer one; and a protocol's number. */
#define ASK_BYTES (MNL_NLMSG_HDRLEN + \
	MNL_ALIGN(sizeof(struct inet_diag_req)) + MNL_ATTR_HDRLEN + \
	MNL_ALIGN(sizeof(uint32_t)))

_Static_assert(sizeof(struct inet_diag_req) >= sizeof(struct inet_diag_req_v2),
    "room for either");

static struct nlmsghdr *
begin(void *buf, uint16_t type)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	nlh->nlmsg_type = type;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	return nlh;
}

static int
ask_family(struct nlask *ask, const struct inetask *q, mnl_cb_t cb,
    void *data)
{
	_Alignas(struct nlmsghdr) uint8_t buf[ASK_BYTES];
	struct nlmsghdr *nlh = begin(buf, SOCK_DIAG_BY_FAMILY);
	struct inet_diag_req_v2 *r = mnl_nlmsg_put_extra_header(nlh,
	    sizeof *r);

	r->sdiag_family = (uint8_t)q->family;
	r->sdiag_protocol = q->l4proto;
	r->idiag_states = q->states;
	r->id.idiag_sport = htons(q->port);
	/* A kernel without IPv6 answers for it too: it has no such socket. */
	return nlask_run(ask, nlh, cb, data);
}

/*
 * The older question names no family.  It is TCP's; another protocol can be
 * named beside it.
 */
static int
ask_both(struct nlask *ask, const struct inetask *q, uint32_t l4proto,
    mnl_cb_t cb, void *data)
{
	_Alignas(struct nlmsghdr) uint8_t buf[ASK_BYTES];
	struct nlmsghdr *nlh = begin(buf, TCPDIAG_GETSOCK);
	struct inet_diag_req *r = mnl_nlmsg_put_extra_header(nlh, sizeof *r);

	r->idiag_states = q->states;
	r->id.idiag_sport = htons(q->port);
	if (l4proto != IPPROTO_TCP)
		mnl_attr_put_u32(nlh, INET_DIAG_REQ_PROTOCOL, l4proto);
	return nlask_run(ask, nlh, cb, data);
}

int
inetask_run(struct nlask *ask, const struct inetask *q, mnl_cb_t cb,
    void *data)
{
	return q->family != AF_UNSPEC ? ask_family(ask, q, cb, data) :
	    ask_both(ask, q, q->l4proto, cb, data);
}

static int
ignore(const struct nlmsghdr *nlh, void *data)
{
	(void)nlh;
	(void)data;
	return MNL_CB_OK;
}

bool
inetask_udp_families(struct nlask *ask)
{
	const struct inetask q = { .states = 0 };

	/* Of a protocol that there is not whoever hears its number says so. */
	return ask_both(ask, &q, UINT16_MAX, ignore, NULL) == -1 &&
	    errno == ENOENT;
}
