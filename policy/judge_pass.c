/* Egress and service sections: checked, and made. */
#include <stdio.h>
#include <string.h>

#include "policy/draft.h"
#include "policy/nearest.h"

_Static_assert(POL_MAX_PASSES == POL_MAX_SERVICES, "one limit for both");

/* Complain about a pass as a whole. */
#define SAY(d, id, s, fmt, ...)                                              \
	pol_diag((d)->diags, (s)->at, "%s \"%s\"" fmt, pol_section_name(id), \
	    (s)->name, __VA_ARGS__)

/* "80" or "80-90"; two ports and a dash. */
#define PORTS_LEN 12

static const char *
ports_text(char dst[PORTS_LEN], const struct pol_ports *r)
{
	if (r->first == r->last)
		(void)snprintf(dst, PORTS_LEN, "%u", (unsigned)r->first);
	else
		(void)snprintf(dst, PORTS_LEN, "%u-%u", (unsigned)r->first,
		    (unsigned)r->last);
	return dst;
}

static bool
ports_overlap(const struct pol_ports *a, const struct pol_ports *b)
{
	return a->first <= b->last && b->first <= a->last;
}

static void
judge_ports(struct pol_draft *d, struct pol_pass *s)
{
	const struct pol_traffic *t = &s->traffic;
	char one[PORTS_LEN], other[PORTS_LEN];

	if (t->nports != 0 && t->l4proto == 0) {
		pol_diag(d->diags, s->port_at, "ports go with a protocol: "
		    "add protocol = \"tcp\" or \"udp\"");
		s->broken = true;
	}
	for (size_t i = 0; i < t->nports; i++)
		for (size_t j = 0; j < i; j++) {
			if (!ports_overlap(&t->ports[i], &t->ports[j]))
				continue;
			pol_diag(d->diags, s->port_at, "ports %s and %s "
			    "overlap: write each port once",
			    ports_text(other, &t->ports[j]),
			    ports_text(one, &t->ports[i]));
			s->broken = true;
			return;
		}
}

static bool
is_external(const struct pol_policy *p, const char *name)
{
	for (size_t i = 0; i < p->nexternal; i++)
		if (strcmp(p->external[i], name) == 0)
			return true;
	return false;
}

/* An internal one, or a pattern as section gateway has it. */
static bool
is_internal(const struct pol_policy *p, const char *name)
{
	for (size_t i = 0; i < p->ninternal; i++)
		if (strcmp(p->internal[i], name) == 0 ||
		    (strchr(name, '*') == NULL &&
		    pol_iface_match(p->internal[i], name)))
			return true;
	return false;
}

static bool
ifaces_known(const struct pol_draft *d)
{
	return !d->ifaces_bad && d->p->nexternal != 0 && d->p->ninternal != 0;
}

static void
judge_egress_iface(struct pol_draft *d, struct pol_pass *s)
{
	struct pol_nearest nearest = { .word = s->ifname };

	if (s->ifname[0] == '\0' || !ifaces_known(d) ||
	    is_external(d->p, s->ifname))
		return;
	for (size_t i = 0; i < d->p->nexternal; i++)
		pol_nearest_try(&nearest, d->p->external[i]);
	pol_diag(d->diags, s->iface_at, "interface \"%s\" is not one of "
	    "\"external\" in section \"gateway\": add it there, or write "
	    "\"%s\"", s->ifname, nearest.best);
	s->broken = true;
}

static void
judge_egress_user(struct pol_draft *d, struct pol_pass *s)
{
	const char *whose;

	if (!s->has_user) {
		SAY(d, POL_SEC_EGRESS, s, " has no \"%s\": add it", "user");
		s->broken = true;
		return;
	}
	whose = pol_user_of_ours(d->p, &s->user);
	if (whose == NULL)
		return;
	pol_diag(d->diags, s->user_at, "this user is %s, who must not go past "
	    "Tor: name another", whose);
	s->broken = true;
}

static void
make_egress(struct pol_draft *d, struct pol_pass *s)
{
	struct pol_egress *e = &d->p->egress[d->p->negress];

	if (!s->broken)
		judge_egress_user(d, s);
	if (!s->broken)
		judge_egress_iface(d, s);
	if (!s->broken)
		judge_ports(d, s);
	if (s->broken)
		return;
	memcpy(e->name, s->name, sizeof e->name);
	memcpy(e->ifname, s->ifname, sizeof e->ifname);
	e->user = s->user;
	e->traffic = s->traffic;
	d->p->negress++;
}

/* What a service must say, because leaving it out would open too much. */
static void
judge_service_needs(struct pol_draft *d, struct pol_pass *s)
{
	if (s->ifname[0] == '\0') {
		SAY(d, POL_SEC_SERVICE, s, " has no \"%s\": add it",
		    "interface");
		s->broken = true;
	} else if (!s->has_protocol) {
		SAY(d, POL_SEC_SERVICE, s, " has no \"%s\": write \"tcp\" or "
		    "\"udp\", or \"any\" for all that there is", "protocol");
		s->broken = true;
	}
}

static void
judge_service_iface(struct pol_draft *d, struct pol_pass *s)
{
	if (!ifaces_known(d) || is_external(d->p, s->ifname) ||
	    is_internal(d->p, s->ifname))
		return;
	/* The nearest name may be on the other side: no proposal. */
	pol_diag(d->diags, s->iface_at, "interface \"%s\" is neither one of "
	    "\"internal\" nor one of \"external\" in section \"gateway\": name "
	    "one on the side that the callers are on", s->ifname);
	s->broken = true;
}

/*
 * Would S let anyone get to L without any proof?  On whatever interface: the
 * kernel takes packets for each of its addresses on all of them.  Outside,
 * rules keep a listener apart whose address the policy gives; of one on an
 * interface they know the port only, which a service cannot have as well.
 */
static bool
covers(const struct pol_pass *s, const struct pol_listener *l, bool internal)
{
	if (l->loopback || (!internal &&
	    (l->ifaddr == 0 || s->traffic.nports == 0)))
		return false;
	return pol_traffic_covers(&s->traffic, l);
}

/* What Tor listens on is the gate's to open, listener by listener. */
static void
judge_service_ports(struct pol_draft *d, struct pol_pass *s, bool internal)
{
	const struct pol_listener *list = d->p->listeners;

	for (size_t i = 0; i < d->p->nlisteners; i++) {
		if (!covers(s, &list[i], internal))
			continue;
		pol_diag(d->diags, s->port_at.line != 0 ? s->port_at : s->at,
		    "service \"%s\" covers port %u of listener \"%s\", to "
		    "which only the gate may let anyone: name other ports",
		    s->name, (unsigned)list[i].port, list[i].name);
		s->broken = true;
		return;
	}
}

static void
make_service(struct pol_draft *d, struct pol_pass *s)
{
	struct pol_service *v = &d->p->services[d->p->nservices];
	bool internal = is_internal(d->p, s->ifname);

	if (!s->broken)
		judge_service_needs(d, s);
	if (!s->broken)
		judge_service_iface(d, s);
	if (!s->broken)
		judge_ports(d, s);
	if (!s->broken)
		judge_service_ports(d, s, internal);
	if (s->broken)
		return;
	memcpy(v->name, s->name, sizeof v->name);
	memcpy(v->ifname, s->ifname, sizeof v->ifname);
	v->internal = internal;
	v->traffic = s->traffic;
	d->p->nservices++;
}

void
pol_judge_passes(struct pol_draft *d)
{
	for (size_t i = 0; i < d->egress.n; i++)
		make_egress(d, &d->egress.list[i]);
	for (size_t i = 0; i < d->services.n; i++)
		make_service(d, &d->services.list[i]);
}
