#include "supervisor/gate/route_rule.h"

#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>

#include "supervisor/gate/nft_attr.h"
#include "supervisor/gate/rtnl.h"

/* Linux 6.15's, which headers may not have yet. */
#define SPORT_MASK (FRA_DPORT_RANGE + 4)

static void
put_match(struct nlmsghdr *h, const struct route_rule *rule, uint8_t family)
{
	const struct fib_rule_uid_range uids = { rule->uid, rule->uid };
	const struct fib_rule_port_range ports = { rule->sport[0],
		rule->sport[1] };

	mnl_attr_put_strz(h, FRA_IIFNAME, "lo");
	if (rule->has_uid)
		mnl_attr_put(h, FRA_UID_RANGE, sizeof uids, &uids);
	if (rule->mark != 0) {
		mnl_attr_put_u32(h, FRA_FWMARK, rule->mark);
		mnl_attr_put_u32(h, FRA_FWMASK, rule->mark);
	}
	if (rule->ipproto != 0)
		mnl_attr_put_u8(h, FRA_IP_PROTO,
		    route_plan_ipproto(rule, family));
	if (rule->sport[0] != 0)
		mnl_attr_put(h, FRA_SPORT_RANGE, sizeof ports, &ports);
}

int
route_rule_add(struct nft_sock *s, const struct route_rule *rule,
    uint8_t family)
{
	union {
		struct nlmsghdr h;
		uint8_t bytes[ROUTE_RULE_BYTES];
	} m;
	struct fib_rule_hdr *frh;
	struct nlmsghdr *h;

	h = mnl_nlmsg_put_header(&m);
	h->nlmsg_type = RTM_NEWRULE;
	h->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	frh = mnl_nlmsg_put_extra_header(h, sizeof *frh);
	frh->family = family;
	frh->action = rule->action;
	frh->flags = rule->arrived ? FIB_RULE_INVERT : 0;
	mnl_attr_put_u32(h, FRA_PRIORITY, rule->pref);
	mnl_attr_put_u8(h, FRA_PROTOCOL, ROUTES_PROTOCOL);
	put_match(h, rule, family);
	if (rule->action == FR_ACT_GOTO)
		mnl_attr_put_u32(h, FRA_GOTO, ROUTES_END);
	if (rule->action == FR_ACT_TO_TBL) {
		frh->table = RT_TABLE_MAIN;
		mnl_attr_put_u32(h, FRA_SUPPRESS_PREFIXLEN,
		    route_plan_suppress(family));
	}
	return rtnl_change(s, h);
}

static uint32_t
get_u32(const struct nlattr *at)
{
	uint32_t v = 0;

	if (mnl_attr_get_payload_len(at) >= sizeof v)
		memcpy(&v, mnl_attr_get_payload(at), sizeof v);
	return v;
}

static uint8_t
get_u8(const struct nlattr *at)
{
	uint8_t v = 0;

	if (mnl_attr_get_payload_len(at) >= sizeof v)
		memcpy(&v, mnl_attr_get_payload(at), sizeof v);
	return v;
}

static void
see_uids(struct route_seen *s, const struct nlattr *at)
{
	struct fib_rule_uid_range uids = { 0, UINT32_MAX };

	if (mnl_attr_get_payload_len(at) >= sizeof uids)
		memcpy(&uids, mnl_attr_get_payload(at), sizeof uids);
	s->rule.has_uid = true;
	s->rule.uid = uids.start;
	s->uid_last = uids.end;
}

static void
see_ports(struct route_seen *s, const struct nlattr *at)
{
	struct fib_rule_port_range ports = { 0, 0 };

	if (mnl_attr_get_payload_len(at) >= sizeof ports)
		memcpy(&ports, mnl_attr_get_payload(at), sizeof ports);
	s->rule.sport[0] = ports.start;
	s->rule.sport[1] = ports.end;
}

/* Told with each port: whole, or 0 for a range; otherwise it is another's. */
static void
see_port_mask(struct route_seen *s, const struct nlattr *at)
{
	uint16_t mask = 1;

	if (mnl_attr_get_payload_len(at) >= sizeof mask)
		memcpy(&mask, mnl_attr_get_payload(at), sizeof mask);
	if (mask != 0 && mask != UINT16_MAX)
		s->strange = true;
}

static void
see_iif(struct route_seen *s, const struct nlattr *at)
{
	const uint16_t n = mnl_attr_get_payload_len(at);
	const char *name = mnl_attr_get_payload(at);

	if (n != 0 && name[n - 1] == '\0')
		s->iif = name;
	else
		s->strange = true;
}

static void
see_attr(struct route_seen *s, const struct nlattr *at)
{
	switch (mnl_attr_get_type(at)) {
	case FRA_PRIORITY:
		s->rule.pref = get_u32(at);
		break;
	case FRA_TABLE:
		s->table = get_u32(at);
		break;
	case FRA_GOTO:
		s->target = get_u32(at);
		break;
	case FRA_SUPPRESS_PREFIXLEN:
		s->suppress = get_u32(at);
		break;
	case FRA_FWMARK:
		s->rule.mark = get_u32(at);
		break;
	case FRA_FWMASK:
		s->mask = get_u32(at);
		break;
	case FRA_IP_PROTO:
		s->rule.ipproto = get_u8(at);
		break;
	case FRA_PROTOCOL:
		s->protocol = get_u8(at);
		break;
	case FRA_IIFNAME:
		see_iif(s, at);
		break;
	case FRA_UID_RANGE:
		see_uids(s, at);
		break;
	case FRA_SPORT_RANGE:
		see_ports(s, at);
		break;
	case SPORT_MASK:
		see_port_mask(s, at);
		break;
	case FRA_PAD:
		break;
	default: /* whatever kernels to come may match by */
		s->strange = true;
	}
}

void
route_rule_see(struct route_seen *s, const struct nlmsghdr *h)
{
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(h);
	const struct nlattr *at;

	*s = (struct route_seen){ .suppress = UINT32_MAX, .table = frh->table,
		.strange = frh->src_len != 0 || frh->dst_len != 0 ||
		    frh->tos != 0 };
	s->rule.action = frh->action;
	s->rule.arrived = (frh->flags & FIB_RULE_INVERT) != 0;
	NFT_ATTR_EACH_IN(at, h, sizeof *frh)
		see_attr(s, at);
}

static bool
same_match(const struct route_seen *s, const struct route_rule *rule,
    uint8_t family)
{
	return s->rule.has_uid == rule->has_uid &&
	    (!rule->has_uid || (s->rule.uid == rule->uid &&
	    s->uid_last == rule->uid)) &&
	    s->rule.mark == rule->mark && s->mask == rule->mark &&
	    s->rule.ipproto == route_plan_ipproto(rule, family) &&
	    s->rule.sport[0] == rule->sport[0] &&
	    s->rule.sport[1] == rule->sport[1];
}

bool
route_rule_same(const struct route_seen *s, const struct route_rule *rule,
    uint8_t family)
{
	const bool lookup = rule->action == FR_ACT_TO_TBL;

	if (s->strange || s->iif == NULL || strcmp(s->iif, "lo") != 0 ||
	    s->rule.pref != rule->pref || s->rule.action != rule->action ||
	    s->rule.arrived != rule->arrived)
		return false;
	if (rule->action == FR_ACT_GOTO && s->target != ROUTES_END)
		return false;
	if (lookup && s->table != RT_TABLE_MAIN)
		return false;
	if (s->suppress != (lookup ? route_plan_suppress(family) : UINT32_MAX))
		return false;
	return same_match(s, rule, family);
}
