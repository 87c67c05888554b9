#include "supervisor/gate/ifconf.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/gate/kern.h"
#include "supervisor/gate/rtnl.h"
#include "supervisor/log.h"

/* A header, three nests and three numbers. */
#define MSG_BYTES 256

#define ARP_IGNORE_OTHERS 1   /* "only if the address is this interface's" */
#define ARP_ANNOUNCE_OWN 2    /* "always the best address for the target" */

static int
set_all(struct nft_sock *s, uint32_t index, bool valid_mark)
{
	union {
		struct nlmsghdr h;
		uint8_t bytes[MSG_BYTES];
	} m;
	struct nlattr *spec, *inet, *conf;
	struct ifinfomsg *ifi;
	struct nlmsghdr *h = mnl_nlmsg_put_header(&m);

	h->nlmsg_type = RTM_SETLINK;
	ifi = mnl_nlmsg_put_extra_header(h, sizeof *ifi);
	ifi->ifi_index = (int)index;
	spec = mnl_attr_nest_start(h, IFLA_AF_SPEC);
	inet = mnl_attr_nest_start(h, AF_INET);
	conf = mnl_attr_nest_start(h, IFLA_INET_CONF);
	mnl_attr_put_u32(h, IPV4_DEVCONF_ARP_IGNORE, ARP_IGNORE_OTHERS);
	mnl_attr_put_u32(h, IPV4_DEVCONF_ARP_ANNOUNCE, ARP_ANNOUNCE_OWN);
	if (valid_mark)
		mnl_attr_put_u32(h, IPV4_DEVCONF_SRC_VMARK, 1);
	mnl_attr_nest_end(h, conf);
	mnl_attr_nest_end(h, inet);
	mnl_attr_nest_end(h, spec);
	return rtnl_change(s, h);
}

/* Once for each interface, and what fails is said once. */
static void
settle(struct ifconf *c, uint32_t *was, const char *name, bool valid_mark)
{
	const uint32_t index = kern_ifindex_again(name, *was, c->ask.fd);
	int rc;

	if (index == 0 || index == *was)
		return;
	*was = index;
	rc = set_all(&c->ask, index, valid_mark);
	if (rc != 0)
		log_warn("cannot set arp_ignore, arp_announce%s of %s: %s",
		    valid_mark ? " and src_valid_mark" : "", name,
		    log_errno(-rc));
}

void
ifconf_start(struct ifconf *c, const struct pol_policy *p)
{
	*c = (struct ifconf){ .policy = p, .ask = { .fd = -1 } };
	if (rtnl_open(&c->ask, 0) == -1) {
		log_warn("cannot set how interfaces answer ARP: %s",
		    log_errno(errno));
		return;
	}
	ifconf_check(c);
}

void
ifconf_check(struct ifconf *c)
{
	const struct pol_policy *p = c->policy;

	if (c->ask.fd == -1)
		return;
	for (size_t i = 0; i < p->ninternal; i++)
		settle(c, &c->set[i], p->internal[i], false);
	for (size_t i = 0; i < p->nexternal; i++)
		settle(c, &c->set[POL_MAX_IFACES + i], p->external[i],
		    p->firewall.routes == POL_ROUTES_FULL);
}
