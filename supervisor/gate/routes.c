#include "supervisor/gate/routes.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/if_link.h>
#include <linux/ip.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/rules.h"
#include "supervisor/gate/kern.h"
#include "supervisor/gate/nft_attr.h"
#include "supervisor/gate/rtnl.h"
#include "supervisor/gatemsg.h"
#include "supervisor/log.h"

/* A rule as a message: the kernel's own are shorter than 200 octets. */
#define MSG_BYTES 512
/* Strangers' leftovers removed at a time; more wait for the next pass. */
#define SURPLUS_MOST 32
/* Enough for the leftovers of a policy of any size, with some to spare. */
#define PASS_MOST 32

static const uint8_t families[] = { AF_INET, AF_INET6 };
#define NFAMILIES (sizeof families / sizeof families[0])

union msg {
	struct nlmsghdr h;
	uint8_t bytes[MSG_BYTES];
};

/* What a look at one family of the kernel's rules found. */
struct look {
	struct routes *r;
	uint8_t family;
	uint32_t in_way;
	size_t nsurplus;
	union msg surplus[SURPLUS_MOST]; /* ours by their marks, not wanted */
};

static void
want(struct routes *r, uint32_t pref, uint8_t action,
    struct routes_rule rule)
{
	rule.pref = pref;
	rule.action = action;
	r->rules[r->nrules++] = rule; /* ROUTES_MOST is the sum of all */
}

static void
want_leave(struct routes *r, struct routes_rule rule)
{
	want(r, ROUTES_LEAVE, FR_ACT_GOTO, rule);
}

/*
 * Answers of the gateway's own programs, told by their port.  Without one
 * nothing tells an answer from what the same program might begin: it then
 * goes to connected networks only.
 */
static void
want_service(struct routes *r, const struct pol_service *s)
{
	const struct pol_traffic *t = &s->traffic;

	if (s->internal)
		return;
	for (size_t i = 0; i < t->nports; i++)
		want_leave(r, (struct routes_rule){ .ipproto = t->l4proto,
			.sport = { t->ports[i].first, t->ports[i].last } });
}

/* In the order in which they are put there: nothing is cut meanwhile. */
static void
want_all(struct routes *r)
{
	const struct pol_policy *p = r->policy;
	const struct routes_rule plain = { 0 };

	if (p->firewall.routes == POL_ROUTES_OFF)
		return;
	want(r, ROUTES_ARRIVED, FR_ACT_UNREACHABLE,
	    (struct routes_rule){ .arrived = true });
	if (p->firewall.routes != POL_ROUTES_FULL)
		return;
	want(r, ROUTES_END, FR_ACT_NOP, plain);
	want_leave(r, (struct routes_rule){ .has_uid = true,
		.uid = p->tor.user.uid });
	/*
	 * Reverse-path filters ask for the way back as if root sent it; what
	 * the gate's rules let in has a mark to know it by.
	 */
	want_leave(r, (struct routes_rule){ .mark = POL_MARK_EGRESS });
	for (size_t i = 0; i < p->negress; i++)
		want_leave(r, (struct routes_rule){ .has_uid = true,
			.uid = p->egress[i].user.uid });
	for (size_t i = 0; i < p->nservices; i++)
		want_service(r, &p->services[i]);
	if ((p->firewall.icmp & POL_ICMP_ECHO) != 0) /* the kernel answers */
		want_leave(r, (struct routes_rule){ .has_uid = true,
			.ipproto = IPPROTO_ICMP });
	want(r, ROUTES_NEAR, FR_ACT_TO_TBL, plain);
	want(r, ROUTES_NOTHING, FR_ACT_UNREACHABLE, plain);
}

static uint8_t
ipproto_of(const struct routes_rule *rule, uint8_t family)
{
	if (rule->ipproto == IPPROTO_ICMP && family == AF_INET6)
		return IPPROTO_ICMPV6;
	return rule->ipproto;
}

/* Longer prefixes only; the kernel wants the longest to leave out. */
static uint32_t
near_suppress(uint8_t family)
{
	return (family == AF_INET6 ? ROUTES_NEAR6 : ROUTES_NEAR4) - 1;
}

static void
put_match(struct nlmsghdr *h, const struct routes_rule *rule, uint8_t family)
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
		mnl_attr_put_u8(h, FRA_IP_PROTO, ipproto_of(rule, family));
	if (rule->sport[0] != 0)
		mnl_attr_put(h, FRA_SPORT_RANGE, sizeof ports, &ports);
}

static int
add_rule(struct nft_sock *s, const struct routes_rule *rule, uint8_t family)
{
	struct fib_rule_hdr *frh;
	struct nlmsghdr *h;
	union msg m;
	int rc;

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
		    near_suppress(family));
	}
	rc = rtnl_change(s, h);
	return rc == -EEXIST ? 0 : rc;
}

/* A rule of the kernel's, as far as ours are like it. */
struct seen {
	struct routes_rule rule;
	const char *iif;
	uint32_t target, table, suppress, mask, uid_last;
	uint8_t protocol;
	bool strange; /* it has what none of ours has */
};

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
see_uids(struct seen *s, const struct nlattr *at)
{
	struct fib_rule_uid_range uids = { 0, UINT32_MAX };

	if (mnl_attr_get_payload_len(at) >= sizeof uids)
		memcpy(&uids, mnl_attr_get_payload(at), sizeof uids);
	s->rule.has_uid = true;
	s->rule.uid = uids.start;
	s->uid_last = uids.end;
}

static void
see_ports(struct seen *s, const struct nlattr *at)
{
	struct fib_rule_port_range ports = { 0, 0 };

	if (mnl_attr_get_payload_len(at) >= sizeof ports)
		memcpy(&ports, mnl_attr_get_payload(at), sizeof ports);
	s->rule.sport[0] = ports.start;
	s->rule.sport[1] = ports.end;
}

static void
see_iif(struct seen *s, const struct nlattr *at)
{
	const uint16_t n = mnl_attr_get_payload_len(at);
	const char *name = mnl_attr_get_payload(at);

	if (n != 0 && name[n - 1] == '\0')
		s->iif = name;
	else
		s->strange = true;
}

static void
see_attr(struct seen *s, const struct nlattr *at)
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
	case FRA_PAD:
		break;
	default: /* whatever kernels to come may match by */
		s->strange = true;
	}
}

static void
see(struct seen *s, const struct nlmsghdr *h)
{
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(h);
	const struct nlattr *at;

	*s = (struct seen){ .suppress = UINT32_MAX, .table = frh->table,
		.strange = frh->src_len != 0 || frh->dst_len != 0 ||
		    frh->tos != 0 };
	s->rule.action = frh->action;
	s->rule.arrived = (frh->flags & FIB_RULE_INVERT) != 0;
	NFT_ATTR_EACH_IN(at, h, sizeof *frh)
		see_attr(s, at);
}

static bool
same_match(const struct seen *s, const struct routes_rule *rule,
    uint8_t family)
{
	return s->rule.has_uid == rule->has_uid &&
	    (!rule->has_uid || (s->rule.uid == rule->uid &&
	    s->uid_last == rule->uid)) &&
	    s->rule.mark == rule->mark && s->mask == rule->mark &&
	    s->rule.ipproto == ipproto_of(rule, family) &&
	    s->rule.sport[0] == rule->sport[0] &&
	    s->rule.sport[1] == rule->sport[1];
}

static bool
same_rule(const struct seen *s, const struct routes_rule *rule,
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
	if (s->suppress != (lookup ? near_suppress(family) : UINT32_MAX))
		return false;
	return same_match(s, rule, family);
}

/* Is it ahead of ours, and leads somewhere?  "local" is to be ahead. */
static bool
is_in_way(const struct look *l, const struct seen *s)
{
	const struct routes *r = l->r;

	if (s->rule.pref > r->rules[r->nrules - 1].pref)
		return false;
	if (s->rule.action == FR_ACT_TO_TBL)
		return s->table != RT_TABLE_LOCAL;
	return s->rule.action == FR_ACT_GOTO;
}

static void
keep_surplus(struct look *l, const struct nlmsghdr *h)
{
	union msg *m;

	if (l->nsurplus == SURPLUS_MOST || h->nlmsg_len > sizeof *m)
		return;
	m = &l->surplus[l->nsurplus++];
	memcpy(m, h, h->nlmsg_len);
}

static void
judge(struct look *l, const struct seen *s, const struct nlmsghdr *h)
{
	struct routes *r = l->r;
	bool ours = false;

	for (size_t i = 0; i < r->nrules; i++)
		if (same_rule(s, &r->rules[i], l->family))
			ours = r->held[i] = true;
	if (ours)
		return;
	if (s->protocol == ROUTES_PROTOCOL && s->rule.pref >= ROUTES_ARRIVED &&
	    s->rule.pref <= ROUTES_END)
		keep_surplus(l, h);
	else if (r->nrules != 0 && is_in_way(l, s))
		l->in_way = s->rule.pref != 0 ? s->rule.pref : 1;
}

static bool
on_rule(void *arg, const struct nlmsghdr *h)
{
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(h);
	struct look *l = arg;
	struct seen s;

	if (h->nlmsg_type != RTM_NEWRULE ||
	    mnl_nlmsg_get_payload_len(h) < sizeof *frh)
		return false;
	if (frh->family != l->family)
		return true;
	see(&s, h);
	judge(l, &s, h);
	return true;
}

static int
look(struct look *l)
{
	struct routes *r = l->r;
	int rc = -EINTR;

	for (int i = 0; i < RTNL_TRIES && rc == -EINTR; i++) {
		memset(r->held, 0, sizeof r->held);
		l->nsurplus = 0;
		l->in_way = 0;
		rc = rtnl_dump(&r->ask, RTM_GETRULE, l->family, on_rule, l);
	}
	return rc;
}

/* How many were missing and are there now; or a negative errno. */
static int
add_missing(const struct look *l)
{
	struct routes *r = l->r;
	int n = 0, rc;

	for (size_t i = 0; i < r->nrules; i++) {
		if (r->held[i])
			continue;
		rc = add_rule(&r->ask, &r->rules[i], l->family);
		if (rc != 0)
			return rc;
		n++;
	}
	return n;
}

static int
remove_surplus(struct look *l)
{
	struct nlmsghdr *h;
	int n = 0, rc;

	for (size_t i = 0; i < l->nsurplus; i++) {
		h = &l->surplus[i].h;
		h->nlmsg_type = RTM_DELRULE;
		h->nlmsg_flags = 0;
		h->nlmsg_pid = 0;
		rc = rtnl_change(&l->r->ask, h);
		if (rc != 0 && rc != -ENOENT)
			return rc;
		n++;
	}
	return n;
}

/* What one family's rules needed. */
struct settled {
	unsigned added, removed;
	uint32_t in_way;
};

/*
 * First what is missing, then what is too much; then look again, because
 * what was acknowledged is not yet what is there.
 */
static int
settle_family(struct routes *r, uint8_t family, struct settled *out)
{
	static struct look l; /* too big for a locked stack */
	int added, removed, rc;

	for (int pass = 0; pass < PASS_MOST; pass++) {
		l.r = r;
		l.family = family;
		rc = look(&l);
		if (rc == -EAFNOSUPPORT && family == AF_INET6)
			return 0; /* nothing can leave by it */
		if (rc != 0)
			return rc;
		added = add_missing(&l);
		if (added < 0)
			return added;
		out->added += (unsigned)added;
		removed = remove_surplus(&l);
		if (removed < 0)
			return removed;
		out->removed += (unsigned)removed;
		if (l.in_way != 0)
			out->in_way = l.in_way;
		if (added == 0 && removed == 0)
			return 0;
	}
	return -EBUSY; /* somebody removes as fast as we put back */
}

static int
settle(struct routes *r, struct settled *out)
{
	int rc, first = 0;

	*out = (struct settled){ 0 };
	for (size_t i = 0; i < NFAMILIES; i++) {
		rc = settle_family(r, families[i], out);
		if (rc != 0 && first == 0)
			first = rc; /* the other family all the same */
	}
	return first;
}

static void
tell(struct routes *r, const struct settled *s, int rc)
{
	const bool good = rc == 0 && s->in_way == 0;

	if (r->standing && s->added != 0) {
		r->put_back += s->added;
		log_warn("somebody removed %u of our routing rules; they "
		    "have been put back", s->added);
	}
	if (good && r->said)
		log_info("the routing rules stand again");
	else if (rc != 0 && !r->said)
		log_warn("cannot keep the routing rules, one of several "
		    "barriers: %s", strerror(-rc));
	else if (!good && s->in_way != 0 && s->in_way != r->in_way)
		log_warn("a routing rule of somebody else's with priority %u "
		    "comes before ours and may lead past them",
		    (unsigned)s->in_way);
	r->said = !good;
	r->in_way = s->in_way;
}

/*
 * Have the reverse-path filter of external interface INDEX look at the mark;
 * by netlink, because the service may have no right to write below
 * /proc/sys.
 */
static int
set_valid_mark(struct nft_sock *s, uint32_t index)
{
	struct nlattr *spec, *inet, *conf;
	struct ifinfomsg *ifi;
	struct nlmsghdr *h;
	union msg m;

	h = mnl_nlmsg_put_header(&m);
	h->nlmsg_type = RTM_SETLINK;
	ifi = mnl_nlmsg_put_extra_header(h, sizeof *ifi);
	ifi->ifi_index = (int)index;
	spec = mnl_attr_nest_start(h, IFLA_AF_SPEC);
	inet = mnl_attr_nest_start(h, AF_INET);
	conf = mnl_attr_nest_start(h, IFLA_INET_CONF);
	mnl_attr_put_u32(h, IPV4_DEVCONF_SRC_VMARK, 1);
	mnl_attr_nest_end(h, conf);
	mnl_attr_nest_end(h, inet);
	mnl_attr_nest_end(h, spec);
	return rtnl_change(s, h);
}

static void
valid_marks(struct routes *r)
{
	uint32_t index;
	int rc;

	if (r->policy->firewall.routes != POL_ROUTES_FULL)
		return;
	for (size_t i = 0; i < r->policy->nexternal; i++) {
		index = kern_ifindex(r->policy->external[i]);
		if (index == 0 || index == r->ifindex[i])
			continue;
		r->ifindex[i] = index; /* once for each, and said once */
		rc = set_valid_mark(&r->ask, index);
		if (rc != 0)
			log_warn("cannot set src_valid_mark of %s: a reverse-"
			    "path filter will drop Tor's answers: %s",
			    r->policy->external[i], strerror(-rc));
	}
}

static void
renew(struct routes *r)
{
	struct settled s;
	int rc = settle(r, &s);

	tell(r, &s, rc);
	r->standing = rc == 0 && s.in_way == 0 && r->nrules != 0;
	r->due = rc != 0;
}

void
routes_start(struct routes *r, const struct pol_policy *p)
{
	*r = (struct routes){ .policy = p, .ask = { .fd = -1 },
		.events = { .fd = -1 } };
	want_all(r);
	/* First the news, so that none is missed after the first look. */
	if (rtnl_open(&r->events, RTMGRP_IPV4_RULE |
	    1u << (RTNLGRP_IPV6_RULE - 1)) == -1 ||
	    rtnl_open(&r->ask, 0) == -1) {
		log_warn("cannot ask for routing rules: %s", strerror(errno));
		routes_clear(r);
		return;
	}
	renew(r);
	valid_marks(r);
}

void
routes_check(struct routes *r)
{
	if (r->nrules == 0 || r->ask.fd == -1)
		return;
	if (rtnl_told(&r->events, r->ask.portid) || r->due)
		renew(r);
	valid_marks(r);
}

uint32_t
routes_barrier(const struct routes *r)
{
	return r->standing ? GATE_BAR_ROUTES : 0;
}

void
routes_clear(struct routes *r)
{
	nft_sock_close(&r->ask);
	nft_sock_close(&r->events);
	r->standing = false;
}

int
routes_remove(void)
{
	static struct routes r; /* wants nothing: all of ours is surplus */
	struct settled s;
	int rc;

	if (rtnl_open(&r.ask, 0) == -1)
		return -errno;
	rc = settle(&r, &s);
	nft_sock_close(&r.ask);
	return rc == 0 ? (int)s.removed : rc;
}
