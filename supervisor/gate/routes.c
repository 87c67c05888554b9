#include "supervisor/gate/routes.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/gate/nft_attr.h"
#include "supervisor/gate/route_rule.h"
#include "supervisor/gate/rtnl.h"
#include "supervisor/gatemsg.h"
#include "supervisor/log.h"

/* Strangers' leftovers removed at a time; more wait for the next pass. */
#define SURPLUS_MOST 32
/* Enough for the leftovers of a policy of any size, with some to spare. */
#define PASS_MOST 32
/*
 * Beside running traffic: somebody who removes rules all the time is not to
 * keep the gate from its heartbeat.  The rest comes a second later.
 */
#define PASS_RUNNING 4

static const uint8_t families[] = { AF_INET, AF_INET6 };
#define NFAMILIES (sizeof families / sizeof families[0])

union msg {
	struct nlmsghdr h;
	uint8_t bytes[ROUTE_RULE_BYTES];
};

/* What a look at one family of the kernel's rules found. */
struct look {
	struct routes *r;
	uint8_t family;
	uint32_t in_way;
	size_t nsurplus;
	union msg surplus[SURPLUS_MOST]; /* ours by their marks, not wanted */
};

/* Is it ahead of ours, and leads somewhere?  "local" is to be ahead. */
static bool
is_in_way(const struct look *l, const struct route_seen *s)
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

/*
 * One of ours that a later kernel tells in other words is not deleted, or it
 * would go and come for ever; unless all are to go.
 */
static bool
is_surplus(const struct routes *r, const struct route_seen *s)
{
	return s->protocol == ROUTES_PROTOCOL &&
	    s->rule.pref >= ROUTES_ARRIVED && s->rule.pref <= ROUTES_END &&
	    (!s->strange || r->nrules == 0);
}

static void
judge(struct look *l, const struct route_seen *s, const struct nlmsghdr *h)
{
	struct routes *r = l->r;
	bool ours = false;

	for (size_t i = 0; i < r->nrules; i++)
		if (route_rule_same(s, &r->rules[i], l->family))
			ours = r->held[i] = true;
	if (ours)
		return;
	if (is_surplus(r, s))
		keep_surplus(l, h);
	else if (r->nrules != 0 && is_in_way(l, s))
		l->in_way = s->rule.pref != 0 ? s->rule.pref : 1;
}

static bool
on_rule(void *arg, const struct nlmsghdr *h)
{
	const struct fib_rule_hdr *frh = mnl_nlmsg_get_payload(h);
	struct look *l = arg;
	struct route_seen s;

	if (h->nlmsg_type != RTM_NEWRULE ||
	    mnl_nlmsg_get_payload_len(h) < sizeof *frh)
		return false;
	if (frh->family != l->family)
		return true;
	route_rule_see(&s, h);
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

/*
 * How many were missing and are there now; or a negative errno: -EEXIST if
 * all that are missing are there, but not told as we would know them.
 */
static int
add_missing(const struct look *l)
{
	struct routes *r = l->r;
	int n = 0, known = 0, rc;

	for (size_t i = 0; i < r->nrules; i++) {
		if (r->held[i])
			continue;
		rc = route_rule_add(&r->ask, &r->rules[i], l->family);
		if (rc != 0 && rc != -EEXIST)
			return rc;
		n += rc == 0;
		known += rc == -EEXIST;
	}
	return n == 0 && known != 0 ? -EEXIST : n;
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

	for (unsigned pass = 0; pass < r->passes; pass++) {
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
		    "barriers: %s", log_errno(-rc));
	else if (!good && s->in_way != 0 && s->in_way != r->in_way)
		log_warn("a routing rule of somebody else's with priority %u "
		    "comes before ours and may lead past them",
		    (unsigned)s->in_way);
	r->said = !good;
	r->in_way = s->in_way;
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
		.events = { .fd = -1 }, .passes = PASS_MOST };
	r->nrules = route_plan_make(r->rules, p);
	/* First the news, so that none is missed after the first look. */
	if (rtnl_open(&r->events, RTMGRP_IPV4_RULE |
	    1u << (RTNLGRP_IPV6_RULE - 1)) == -1 ||
	    rtnl_open(&r->ask, 0) == -1) {
		log_warn("cannot ask for routing rules: %s", log_errno(errno));
		routes_clear(r);
		return;
	}
	renew(r);
	r->passes = PASS_RUNNING;
}

void
routes_check(struct routes *r)
{
	if (r->nrules == 0 || r->ask.fd == -1)
		return;
	if (rtnl_told(&r->events, r->ask.portid) || r->due)
		renew(r);
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
	r.passes = PASS_MOST;
	rc = settle(&r, &s);
	nft_sock_close(&r.ask);
	return rc == 0 ? (int)s.removed : rc;
}
