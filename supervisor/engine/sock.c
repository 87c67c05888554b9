#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/sock.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static void
read_addr(struct sock *s, const struct inet_diag_msg *m)
{
	s->family = s->addr.family = m->idiag_family;
	if (m->idiag_family == AF_INET) {
		memcpy(&s->addr.v4, m->id.idiag_src, sizeof s->addr.v4);
		s->wildcard = s->addr.v4.s_addr == htonl(INADDR_ANY);
		return;
	}
	memcpy(&s->addr.v6, m->id.idiag_src, sizeof s->addr.v6);
	s->wildcard = IN6_IS_ADDR_UNSPECIFIED(&s->addr.v6);
}

static int
on_attr(const struct nlattr *attr, void *data)
{
	struct sock *s = data;

	if (mnl_attr_get_type(attr) == INET_DIAG_SKV6ONLY &&
	    mnl_attr_validate(attr, MNL_TYPE_U8) == 0)
		s->v6only = mnl_attr_get_u8(attr) != 0;
	return MNL_CB_OK;
}

bool
sock_read(struct sock *out, const struct nlmsghdr *nlh)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);

	*out = (struct sock){ .port = ntohs(m->id.idiag_sport),
		.uid = m->idiag_uid, .inode = m->idiag_inode };
	read_addr(out, m);
	return mnl_attr_parse(nlh, sizeof *m, on_attr, out) >= 0;
}

bool
sock_overlaps(const struct sock *s, const struct pol_addr *addr)
{
	struct in_addr mapped;

	if (s->family == addr->family)
		return s->wildcard || pol_addr_equal(&s->addr, addr);
	if (s->family != AF_INET6 || addr->family != AF_INET)
		return false;
	if (s->wildcard)
		return !s->v6only;
	if (!IN6_IS_ADDR_V4MAPPED(&s->addr.v6))
		return false;
	memcpy(&mapped, &s->addr.v6.s6_addr[12], sizeof mapped);
	return mapped.s_addr == addr->v4.s_addr;
}
