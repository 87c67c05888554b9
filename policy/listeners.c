/* Whole listener sections -> listeners, and what these are to each other. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/draft.h"
#include "policy/rules.h"

static size_t
count_ports(const struct pol_section *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->nports; i++)
		n += (size_t)(s->ports[i].last - s->ports[i].first) + 1;
	return n;
}

/* How many listeners S makes. */
static size_t
count_listeners(const struct pol_section *s)
{
	size_t n = 0, ports = count_ports(s);

	if (s->broken)
		return 0;
	for (size_t i = 0; i < s->nplaces; i++)
		n += s->places[i].addr.family == AF_UNIX ? 1 : ports;
	return n;
}

/* PLACE's number among the policy's interface addresses; 0: has none. */
static uint8_t
ifaddr_number(struct pol_draft *d, const struct pol_section *s,
    const struct pol_place *place)
{
	struct pol_policy *p = d->p;
	size_t i = 0;

	if (place->ifname[0] == '\0')
		return 0;
	while (i < p->nifaddrs &&
	    (p->ifaddrs[i].family != place->addr.family ||
	    strcmp(p->ifaddrs[i].ifname, place->ifname) != 0))
		i++;
	if (i == POL_MAX_IFADDRS) {
		pol_diag(d->diags, s->address_at, "there are too many "
		    "addresses of interfaces: %d at most", POL_MAX_IFADDRS);
		return 0;
	}
	if (i == p->nifaddrs) {
		memcpy(p->ifaddrs[i].ifname, place->ifname,
		    sizeof place->ifname);
		p->ifaddrs[i].family = place->addr.family;
		p->nifaddrs++;
	}
	return (uint8_t)(i + 1);
}

/* What all listeners of S at PLACE have in common. */
static void
expand_place(struct pol_listener *l, struct pol_draft *d,
    const struct pol_section *s, const struct pol_place *place)
{
	bool is_unix = place->addr.family == AF_UNIX;

	l->kind = s->kind;
	l->addr = place->addr;
	l->ifaddr = ifaddr_number(d, s, place);
	l->loopback = is_unix || (place->ifname[0] == '\0' &&
	    pol_addr_loopback(&place->addr));
	l->timesync = s->timesync;
	if (is_unix)
		(void)snprintf(l->path, sizeof l->path, "%s",
		    d->paths[place->path]);
	memcpy(l->name, s->name, sizeof l->name);
	memcpy(l->app, s->app, sizeof l->app);
	memcpy(l->flags, s->flags, sizeof l->flags);
}

/* The ports of the place that FIRST is at; where the next place's begin. */
static struct pol_listener *
expand_ports(struct pol_listener *first, const struct pol_section *s)
{
	struct pol_listener *l = first;

	if (first->addr.family == AF_UNIX)
		return first + 1;
	for (size_t i = 0; i < s->nports; i++)
		for (uint32_t port = s->ports[i].first;
		    port <= s->ports[i].last; port++, l++) {
			if (l != first)
				*l = *first;
			l->port = (uint16_t)port;
		}
	return l;
}

/* Address by address, and each address's ports as they stand. */
static struct pol_listener *
expand(struct pol_listener *l, struct pol_draft *d,
    const struct pol_section *s)
{
	for (size_t i = 0; i < s->nplaces; i++) {
		expand_place(l, d, s, &s->places[i]);
		l = expand_ports(l, s);
	}
	return l;
}

/*
 * What goes to a listener over lo is dropped while the gate is closed; one on
 * an interface is known there by its port alone, whatever the address.
 */
static bool
is_control(const struct pol_tor *tor, const struct pol_listener *l)
{
	return !tor->control_is_unix && l->port == tor->control_port &&
	    pol_kind_l4proto(l->kind) == IPPROTO_TCP &&
	    l->addr.family == tor->control_addr.family && (l->ifaddr != 0 ||
	    pol_addr_equal(&l->addr, &tor->control_addr));
}

static void
judge_listener(struct pol_draft *d, const struct pol_listener *l,
    struct pol_where at)
{
	if (l->kind == POL_DNS && (l->loopback || l->ifaddr != 0) &&
	    l->port >= POL_HB_SPORT &&
	    l->port - POL_HB_SPORT < POL_NHEARTBEATS)
		pol_diag(d->diags, at, "port %u of listener \"%s\" carries "
		    "the gate's heartbeat on loopback: use another",
		    (unsigned)l->port, l->name);
	if (is_control(&d->p->tor, l))
		pol_diag(d->diags, at, "port %u of listener \"%s\" is that "
		    "of Tor's control address: use another",
		    (unsigned)l->port, l->name);
}

/* A listener and its section, to be sorted. */
struct entry {
	const struct pol_listener *l;
	const struct pol_section *s;
	size_t number;
};

/* 0: both want the same socket. */
static int
compare(const struct pol_listener *a, const struct pol_listener *b)
{
	uint8_t pa = pol_kind_l4proto(a->kind);
	uint8_t pb = pol_kind_l4proto(b->kind);
	int c;

	if (a->addr.family != b->addr.family)
		return a->addr.family < b->addr.family ? -1 : 1;
	if (pa != pb)
		return pa < pb ? -1 : 1;
	if (a->port != b->port)
		return a->port < b->port ? -1 : 1;
	if (a->ifaddr != b->ifaddr)
		return a->ifaddr < b->ifaddr ? -1 : 1;
	/* The smaller member's tail is zeroed, by pol_addr_parse(). */
	c = memcmp(&a->addr.v6, &b->addr.v6, sizeof a->addr.v6);
	return c != 0 ? c : strcmp(a->path, b->path);
}

static int
compare_entries(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int c = compare(a->l, b->l);

	if (c != 0)
		return c;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* Two ranges that overlap are one mistake: the first port tells it. */
static void
judge_doubles(struct pol_draft *d, struct entry *e, size_t n)
{
	char shown[POL_LISTENER_TEXT];
	const struct pol_section *first = NULL, *second = NULL;

	qsort(e, n, sizeof *e, compare_entries);
	for (size_t i = 1; i < n; i++) {
		if (compare(e[i - 1].l, e[i].l) != 0 ||
		    (e[i - 1].s == first && e[i].s == second))
			continue;
		first = e[i - 1].s;
		second = e[i].s;
		pol_listener_format(shown, sizeof shown, d->p, e[i].l, NULL);
		pol_diag(d->diags, e[i].s->at, "%s is taken already by "
		    "listener \"%s\" (%.100s, line %u): change one of them",
		    shown, e[i - 1].s->name, e[i - 1].s->at.file,
		    e[i - 1].s->at.line);
	}
}

/* The first for workstations of each kind and family that is redirected to. */
struct targets {
	const struct entry *first[POL_NKIND][2];
};

static bool
is_target(const struct pol_listener *l)
{
	return pol_kind_redirected(l->kind) && !l->loopback;
}

/* The redirect has one target per kind and family. */
static void
judge_redirects(struct pol_draft *d, struct targets *t,
    const struct entry *e, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct pol_listener *l = e[i].l;
		bool v6 = l->addr.family == AF_INET6;
		const struct entry **first = &t->first[l->kind][v6];

		if (!is_target(l))
			continue;
		if (*first == NULL)
			*first = &e[i];
		else
			pol_diag(d->diags, e[i].s->at, "port %u is a second "
			    "%s for workstations over %s (the first: line "
			    "%u): they are redirected to one only",
			    (unsigned)l->port, pol_kind_option(l->kind),
			    v6 ? "IPv6" : "IPv4", (*first)->s->at.line);
	}
}

/*
 * An interface's address is not known to the rules: the gate tells such a
 * listener by its port alone, which must not be one that is redirected to.
 */
static void
judge_shared_port(struct pol_draft *d, const struct entry *e,
    const struct entry *target)
{
	if (target == NULL || target->l->port != e->l->port ||
	    pol_kind_l4proto(target->l->kind) != pol_kind_l4proto(e->l->kind))
		return;
	pol_diag(d->diags, e->s->at, "port %u of listener \"%s\" is also that "
	    "of %s \"%s\" (line %u), and on an interface's address it cannot "
	    "be told from it: use another", (unsigned)e->l->port, e->s->name,
	    pol_kind_option(target->l->kind), target->s->name,
	    target->s->at.line);
}

static void
judge_shared_ports(struct pol_draft *d, const struct targets *t,
    const struct entry *e, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (e[i].l->ifaddr == 0 || pol_kind_redirected(e[i].l->kind))
			continue;
		for (size_t kind = 0; kind < POL_NKIND; kind++) {
			judge_shared_port(d, &e[i], t->first[kind][0]);
			judge_shared_port(d, &e[i], t->first[kind][1]);
		}
	}
}

static void
judge_dns_ports(struct pol_draft *d, const struct entry *e, size_t n)
{
	uint16_t ports[POL_MAX_DNS_PORTS];
	size_t nports = 0, k;

	for (size_t i = 0; i < n; i++) {
		if (e[i].l->kind != POL_DNS)
			continue;
		for (k = 0; k < nports && ports[k] != e[i].l->port; k++)
			;
		if (k < nports)
			continue;
		if (nports == POL_MAX_DNS_PORTS) {
			pol_diag(d->diags, e[i].s->at, "port %u of listener "
			    "\"%s\" is one too many for DNS: use %d port "
			    "numbers at most, on as many addresses as you "
			    "like", (unsigned)e[i].l->port, e[i].l->name,
			    POL_MAX_DNS_PORTS);
			return;
		}
		ports[nports++] = e[i].l->port;
	}
}

/* The listeners of all whole sections, in E too; how many. */
static size_t
make_listeners(struct pol_draft *d, struct entry *e)
{
	struct pol_listener *l = d->p->listeners;
	size_t n = 0;

	for (size_t i = 0; i < d->listeners.n; i++) {
		const struct pol_section *s = &d->listeners.list[i];
		struct pol_listener *end;

		if (s->broken)
			continue;
		for (end = expand(l, d, s); l < end; l++, n++) {
			e[n] = (struct entry){ l, s, n };
			judge_listener(d, l, s->at);
		}
	}
	d->p->nlisteners = n;
	return n;
}

/* TOTAL of them. */
static void
judge_all(struct pol_draft *d, size_t total)
{
	struct entry *e = calloc(total + 1, sizeof *e);
	struct targets targets = { { { NULL } } };
	size_t n;

	d->p->listeners = calloc(total + 1, sizeof *d->p->listeners);
	if (e == NULL || d->p->listeners == NULL) {
		d->nomem = true;
	} else {
		n = make_listeners(d, e);
		judge_dns_ports(d, e, n);
		judge_redirects(d, &targets, e, n);
		judge_shared_ports(d, &targets, e, n);
		judge_doubles(d, e, n);
	}
	free(e);
}

void
pol_judge_listeners(struct pol_draft *d)
{
	size_t total = 0;

	for (size_t i = 0; i < d->listeners.n; i++)
		total += count_listeners(&d->listeners.list[i]);
	if (total > POL_MAX_LISTENERS)
		pol_diag(d->diags, (struct pol_where){ NULL, 0 }, "there are "
		    "%zu listeners: %d at most", total, POL_MAX_LISTENERS);
	else
		judge_all(d, total);
}
