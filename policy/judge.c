/*
 * What can only be said of the settings together; and listener sections
 * become listeners.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/draft.h"
#include "policy/rules.h"

static const struct pol_where nowhere = { NULL, 0 };

static void
need(struct pol_draft *d, bool there, const char *section, const char *name,
    const char *example)
{
	if (!there && !d->incomplete)
		pol_diag(d->diags, nowhere, "\"%s\" is not set: add it to "
		    "section \"%s\", for instance %s = %s", name, section,
		    name, example);
}

static bool
was_set(const struct pol_draft *d, enum pol_section_id section,
    const char *name)
{
	return pol_set_at(d, section, name).line != 0;
}

static void
judge_needed(struct pol_draft *d)
{
	need(d, was_set(d, POL_SEC_TOR, "user"), "tor", "user",
	    "\"debian-tor\"");
	need(d, was_set(d, POL_SEC_TOR, "control"), "tor", "control",
	    "\"unix:/run/tor/control\"");
	need(d, was_set(d, POL_SEC_GATEWAY, "internal"), "gateway",
	    "internal", "{ \"eth1\" }");
	need(d, was_set(d, POL_SEC_GATEWAY, "external"), "gateway",
	    "external", "{ \"eth0\" }");
	if (d->ngroups == 0 && !d->incomplete)
		pol_diag(d->diags, nowhere, "there is no listener: add a "
		    "section listener \"name\" with kind, address and port");
}

static void
judge_tor(struct pol_draft *d)
{
	const struct pol_tor *tor = &d->p->tor;

	if ((tor->auth & POL_AUTH_PASSWORD) != 0 &&
	    !was_set(d, POL_SEC_TOR, "password_file") && !d->incomplete)
		pol_diag(d->diags, pol_set_at(d, POL_SEC_TOR, "auth"),
		    "method \"password\" needs \"password_file\": add it, or "
		    "remove the method");
}

static void
judge_ifaces(struct pol_draft *d)
{
	const struct pol_policy *p = d->p;
	struct pol_where in = pol_set_at(d, POL_SEC_GATEWAY, "internal");
	struct pol_where ext = pol_set_at(d, POL_SEC_GATEWAY, "external");

	for (size_t i = 0; i < p->ninternal; i++)
		for (size_t j = 0; j < p->nexternal; j++)
			if (strcmp(p->internal[i], p->external[j]) == 0)
				pol_diag(d->diags, ext, "interface \"%s\" is "
				    "also internal (line %u): it can be on "
				    "one side only", p->external[j], in.line);
}

static void
judge_times(struct pol_draft *d)
{
	struct pol_policy *p = d->p;
	struct pol_where at = pol_set_at(d, POL_SEC_GATEWAY, "probe_ms");

	if (at.line == 0)
		p->probe_ms = p->lease_ms / POL_PROBE_PART;
	else if (p->probe_ms > p->lease_ms / 2)
		pol_diag(d->diags, at, "probe_ms is %u: it can be at most "
		    "half of lease_ms, which is %u", p->probe_ms,
		    p->lease_ms);
}

static bool
same_user(const struct pol_user *a, const struct pol_user *b)
{
	if (a->resolved && b->resolved)
		return a->uid == b->uid;
	return a->name[0] != '\0' && strcmp(a->name, b->name) == 0;
}

static void
judge_users(struct pol_draft *d)
{
	const struct pol_policy *p = d->p;
	const struct {
		const struct pol_user *user;
		enum pol_section_id section;
		const char *key;
	} u[] = {
		{ &p->tor.user, POL_SEC_TOR, "user" },
		{ &p->gate_user, POL_SEC_USERS, "gate" },
		{ &p->engine_user, POL_SEC_USERS, "engine" },
		{ &p->status_user, POL_SEC_USERS, "status" },
	};

	for (size_t i = 1; i < sizeof u / sizeof u[0]; i++)
		for (size_t j = 0; j < i; j++)
			if (same_user(u[i].user, u[j].user))
				pol_diag(d->diags,
				    pol_set_at(d, u[i].section, u[i].key),
				    "\"%s\" of section \"%s\" is the same "
				    "user as \"%s\" of section \"%s\": they "
				    "must be different", u[i].key,
				    pol_section_name(u[i].section), u[j].key,
				    pol_section_name(u[j].section));
}

/* Is FLAG one of P's? */
static bool
has_flag(const char *p, const char *flag, size_t len)
{
	while (*p != '\0') {
		size_t n = strcspn(p, " ");

		if (n == len && memcmp(p, flag, n) == 0)
			return true;
		p += n;
		p += strspn(p, " ");
	}
	return false;
}

#define HAS(g, flag) has_flag((g)->flags, flag, sizeof(flag) - 1)

/* What Tor itself refuses, or takes and half ignores. */
static const char *
flags_fault(const struct pol_group *g)
{
	bool no_ip = HAS(g, "NoIPv4Traffic") && HAS(g, "NoIPv6Traffic");

	if (HAS(g, "OnionTrafficOnly") && (HAS(g, "IPv4Traffic") ||
	    HAS(g, "IPv6Traffic") || HAS(g, "DNSRequest") ||
	    HAS(g, "NoOnionTraffic")))
		return "OnionTrafficOnly contradicts another flag: remove one "
		       "of them";
	if (no_ip && HAS(g, "NoOnionTraffic"))
		return "the flags leave no traffic at all: remove one of "
		       "them";
	if (no_ip && !HAS(g, "NoDNSRequest"))
		return "DNS requests need IPv4Traffic or IPv6Traffic: use "
		       "OnionTrafficOnly instead of the two";
	return NULL;
}

static void
judge_flags(struct pol_draft *d, const struct pol_group *g)
{
	static const char group[] = "SessionGroup=";
	const char *fault = flags_fault(g);
	const char *p = g->flags;
	unsigned groups = 0;

	if (fault != NULL)
		pol_diag(d->diags, g->at, "listener \"%s\": %s", g->name,
		    fault);
	while (*p != '\0') {
		size_t n = strcspn(p, " ");
		const char *rest = p + n + strspn(p + n, " ");

		groups += strncmp(p, group, sizeof group - 1) == 0;
		if (strncmp(p, "No", 2) == 0 &&
		    has_flag(g->flags, p + 2, n - 2))
			pol_diag(d->diags, g->at, "listener \"%s\": %.*s "
			    "contradicts %.*s: remove one of them", g->name,
			    (int)n, p, (int)n - 2, p + 2);
		if (has_flag(rest, p, n))
			pol_diag(d->diags, g->at, "listener \"%s\" has %.*s "
			    "twice: remove one", g->name, (int)n, p);
		p = rest;
	}
	if (groups > 1)
		pol_diag(d->diags, g->at, "listener \"%s\" has SessionGroup "
		    "more than once: keep one", g->name);
}

static bool
judge_group(struct pol_draft *d, const struct pol_group *g)
{
	const char *missing = NULL;

	if (g->broken)
		return false;
	if (!g->has_kind)
		missing = "kind";
	else if (g->naddrs == 0)
		missing = "address";
	else if (g->nports == 0)
		missing = "port";
	if (missing != NULL) {
		pol_diag(d->diags, g->at, "listener \"%s\" has no \"%s\": add "
		    "it", g->name, missing);
		return false;
	}
	judge_flags(d, g);
	return true;
}

static size_t
group_size(const struct pol_group *g)
{
	size_t n = 0;

	for (size_t i = 0; i < g->nports; i++)
		n += (size_t)(g->ports[i].last - g->ports[i].first) + 1;
	return n * g->naddrs;
}

static struct pol_listener *
expand_range(struct pol_listener *l, const struct pol_group *g,
    const struct pol_addr *addr, struct pol_range range)
{
	for (uint32_t port = range.first; port <= range.last; port++, l++) {
		l->kind = g->kind;
		l->addr = *addr;
		l->port = (uint16_t)port;
		l->loopback = pol_addr_loopback(addr);
		memcpy(l->name, g->name, sizeof l->name);
		memcpy(l->flags, g->flags, sizeof l->flags);
	}
	return l;
}

/* Address by address, and each address's ports as they stand. */
static struct pol_listener *
expand(struct pol_listener *l, const struct pol_group *g)
{
	for (size_t i = 0; i < g->naddrs; i++)
		for (size_t j = 0; j < g->nports; j++)
			l = expand_range(l, g, &g->addrs[i], g->ports[j]);
	return l;
}

static void
judge_listener(struct pol_draft *d, const struct pol_listener *l,
    struct pol_where at)
{
	if (l->kind == POL_DNS && l->loopback && l->port >= POL_HB_SPORT &&
	    l->port <= POL_HB_EGRESS)
		pol_diag(d->diags, at, "port %u of listener \"%s\" carries "
		    "the gate's heartbeat on loopback: use another",
		    (unsigned)l->port, l->name);
}

/* A listener and its section, to be sorted. */
struct entry {
	const struct pol_listener *l;
	const struct pol_group *g;
	size_t number;
};

static int
compare(const struct entry *a, const struct entry *b)
{
	uint8_t pa = pol_kind_l4proto(a->l->kind);
	uint8_t pb = pol_kind_l4proto(b->l->kind);

	if (a->l->addr.family != b->l->addr.family)
		return a->l->addr.family < b->l->addr.family ? -1 : 1;
	if (pa != pb)
		return pa < pb ? -1 : 1;
	if (a->l->port != b->l->port)
		return a->l->port < b->l->port ? -1 : 1;
	/* The smaller member's tail is zeroed, by pol_addr_parse(). */
	return memcmp(&a->l->addr.v6, &b->l->addr.v6, sizeof a->l->addr.v6);
}

static int
compare_entries(const void *x, const void *y)
{
	const struct entry *a = x, *b = y;
	int c = compare(a, b);

	if (c != 0)
		return c;
	return a->number < b->number ? -1 : a->number > b->number;
}

static void
judge_doubles(struct pol_draft *d, struct entry *e, size_t n)
{
	char shown[POL_LISTENER_TEXT];

	qsort(e, n, sizeof *e, compare_entries);
	for (size_t i = 1; i < n; i++) {
		if (compare(&e[i - 1], &e[i]) != 0)
			continue;
		pol_listener_format(shown, sizeof shown, d->p, e[i].l, NULL);
		pol_diag(d->diags, e[i].g->at, "%s is taken already by "
		    "listener \"%s\" (%.100s, line %u): change one of them",
		    shown, e[i - 1].g->name, e[i - 1].g->at.file,
		    e[i - 1].g->at.line);
	}
}

/* The redirect has one target per kind and family. */
static void
judge_redirects(struct pol_draft *d, const struct entry *e, size_t n)
{
	const struct pol_group *first[POL_NKIND][2] = { { NULL } };

	for (size_t i = 0; i < n; i++) {
		const struct pol_listener *l = e[i].l;
		const struct pol_group **target =
		    &first[l->kind][l->addr.family == AF_INET6];

		if (!pol_kind_redirected(l->kind) || l->loopback)
			continue;
		if (*target == NULL)
			*target = e[i].g;
		else
			pol_diag(d->diags, e[i].g->at, "port %u is a second "
			    "%s for workstations over %s (the first: line "
			    "%u): they are redirected to one only",
			    (unsigned)l->port, pol_kind_option(l->kind),
			    l->addr.family == AF_INET6 ? "IPv6" : "IPv4",
			    (*target)->at.line);
	}
}

/* The listeners of all whole sections; false when there is none. */
static bool
make_listeners(struct pol_draft *d, const bool *whole, struct entry *e)
{
	struct pol_listener *l = d->p->listeners;
	size_t n = 0;

	for (size_t i = 0; i < d->ngroups; i++) {
		struct pol_listener *end;

		if (!whole[i])
			continue;
		for (end = expand(l, &d->groups[i]); l < end; l++, n++) {
			e[n] = (struct entry){ l, &d->groups[i], n };
			judge_listener(d, l, d->groups[i].at);
		}
	}
	d->p->nlisteners = n;
	return n != 0;
}

static void
judge_listeners(struct pol_draft *d, const bool *whole, size_t total)
{
	struct entry *e = calloc(total + 1, sizeof *e);

	d->p->listeners = calloc(total + 1, sizeof *d->p->listeners);
	if (e == NULL || d->p->listeners == NULL) {
		d->nomem = true;
	} else if (make_listeners(d, whole, e)) {
		judge_redirects(d, e, total);
		judge_doubles(d, e, total);
	}
	free(e);
}

static void
judge_groups(struct pol_draft *d)
{
	bool *whole = calloc(d->ngroups + 1, sizeof *whole);
	size_t total = 0;

	if (whole == NULL) {
		d->nomem = true;
		return;
	}
	for (size_t i = 0; i < d->ngroups; i++) {
		whole[i] = judge_group(d, &d->groups[i]);
		if (whole[i])
			total += group_size(&d->groups[i]);
	}
	if (total > POL_MAX_LISTENERS)
		pol_diag(d->diags, nowhere, "there are %zu listeners: %d at "
		    "most", total, POL_MAX_LISTENERS);
	else
		judge_listeners(d, whole, total);
	free(whole);
}

void
pol_judge(struct pol_draft *d)
{
	judge_ifaces(d);
	judge_needed(d);
	judge_tor(d);
	judge_times(d);
	judge_users(d);
	judge_groups(d);
}
