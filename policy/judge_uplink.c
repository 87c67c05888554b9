/* Sections resolver and transport: checked, and made. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/draft.h"
#include "policy/fields.h"
#include "policy/needs.h"
#include "policy/rules.h"
#include "policy/uplink.h"

#define TLS_PORT 853

static struct pol_where
at_key(const struct pol_draft *d, const char *key)
{
	return pol_set_at(d, POL_SEC_RESOLVER, key);
}

/* Where section resolver is; nowhere: there is none. */
static struct pol_where
section_at(const struct pol_draft *d)
{
	for (size_t i = 0; i < POL_NKEYWORDS; i++)
		if (pol_keywords[i].section == POL_SEC_RESOLVER &&
		    d->set[i].line != 0)
			return d->set[i];
	return (struct pol_where){ NULL, 0 };
}

/* Does L listen on A?  Its port does not matter: it is this machine's. */
static bool
is_ours(const struct pol_listener *l, const struct pol_addr *a)
{
	return l->ifaddr == 0 && l->addr.family != AF_UNIX &&
	    pol_addr_equal(&l->addr, a);
}

static void
judge_address(struct pol_draft *d)
{
	const struct pol_addr *a = &d->p->resolver.addr;
	struct pol_where at = at_key(d, "address");
	char shown[INET6_ADDRSTRLEN];

	pol_addr_format(shown, sizeof shown, a);
	if (pol_addr_fault(a) != NULL || pol_addr_loopback(a)) {
		pol_diag(d->diags, at, "address %s is no resolver's: name one "
		    "outside, neither a wildcard nor multicast, loopback or "
		    "link-local", shown);
		return;
	}
	for (size_t i = 0; i < d->p->nlisteners; i++)
		if (is_ours(&d->p->listeners[i], a)) {
			pol_diag(d->diags, at, "address %s is this machine's, "
			    "where listener \"%s\" is: name a resolver "
			    "outside", shown, d->p->listeners[i].name);
			return;
		}
}

/* What TLS needs, and what nothing but TLS has. */
static void
judge_tls(struct pol_draft *d)
{
	static const char *const keys[] = { "name", "pin" };
	struct pol_resolver *r = &d->p->resolver;

	if (r->protocol == POL_DNS_TLS) {
		if (at_key(d, "port").line == 0)
			r->port = TLS_PORT;
		if (at_key(d, "name").line == 0)
			pol_diag(d->diags, at_key(d, "protocol"), "\"tls\" "
			    "needs \"name\": add the one that the resolver's "
			    "certificate is for");
		return;
	}
	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (at_key(d, keys[i]).line != 0)
			pol_diag(d->diags, at_key(d, keys[i]), "\"%s\" is "
			    "for TLS: add protocol = \"tls\", or remove it",
			    keys[i]);
}

/* The stub has both protocols, on both loopback addresses. */
static void
judge_stub(struct pol_draft *d)
{
	const struct pol_tor *tor = &d->p->tor;
	uint16_t port = d->p->resolver.stub_port;
	struct pol_where at = at_key(d, "stub_port");

	if (at.line == 0)
		at = section_at(d);
	if (port >= POL_HB_SPORT && port - POL_HB_SPORT < POL_NHEARTBEATS)
		pol_diag(d->diags, at, "port %u carries the gate's heartbeat "
		    "on loopback: use another for \"stub_port\"",
		    (unsigned)port);
	if (!tor->control_is_unix && tor->control_port == port)
		pol_diag(d->diags, at, "port %u is that of Tor's control "
		    "address: use another for \"stub_port\"", (unsigned)port);
	for (size_t i = 0; i < d->p->nlisteners; i++) {
		const struct pol_listener *l = &d->p->listeners[i];

		if (l->port != port || (!l->loopback && l->ifaddr == 0))
			continue;
		pol_diag(d->diags, at, "port %u is that of listener \"%s\": "
		    "use another for \"stub_port\"", (unsigned)port, l->name);
		return;
	}
}

static void
judge_resolver(struct pol_draft *d)
{
	struct pol_where at = section_at(d);

	if (at.line == 0)
		return;
	judge_tls(d);
	judge_stub(d);
	if (at_key(d, "address").line != 0 &&
	    d->p->resolver.addr.family != AF_UNSPEC)
		judge_address(d);
	else if (at_key(d, "address").line == 0 && !d->incomplete)
		pol_diag(d->diags, at, "section \"resolver\" has no "
		    "\"address\": add the resolver's");
}

/* Complain about a carrier as a whole; it makes no transport. */
#define SAY(d, c, ...)                                                       \
	do {                                                                 \
		pol_diag((d)->diags, (c)->at, __VA_ARGS__);                  \
		(c)->broken = true;                                          \
	} while (0)

static void
judge_methods(struct pol_draft *d, struct pol_carrier *c)
{
	struct pol_transport *t = &c->transport;

	if (t->nmethods != 0)
		return;
	if (pol_method_ok(t->name, strlen(t->name)))
		memcpy(t->methods[t->nmethods++], t->name, sizeof t->name);
	else
		SAY(d, c, "transport \"%s\" has no \"methods\", and its name "
		    "cannot be one: add them", t->name);
}

/* Tor runs one program for each method. */
static void
judge_served_once(struct pol_draft *d, struct pol_carrier *c)
{
	for (size_t i = 0; i < c->transport.nmethods; i++) {
		const char *method = c->transport.methods[i];
		size_t other = pol_transport_find(d->p, method);

		if (other == d->p->ntransports)
			continue;
		pol_diag(d->diags, c->methods_at.line != 0 ? c->methods_at :
		    c->at, "method \"%s\" is served by transport \"%s\" "
		    "already: remove it from one of them", method,
		    d->p->transports[other].name);
		c->broken = true;
	}
}

static bool
serves(const struct pol_transport *t, const char *method)
{
	for (size_t i = 0; i < t->nmethods; i++)
		if (strcmp(t->methods[i], method) == 0)
			return true;
	return false;
}

static void
judge_bridge(struct pol_draft *d, struct pol_carrier *c, size_t i)
{
	char why[POL_UPLINK_WHY];
	struct pol_bridge b;

	/* What has been formatted can be parsed. */
	if (!pol_bridge_parse(&b, why, c->bridges[i]) ||
	    serves(&c->transport, b.transport))
		return;
	if (b.transport[0] == '\0')
		pol_diag(d->diags, c->bridge_at, "bridge %zu of this list has "
		    "no transport: write \"%s\" before its address", i + 1,
		    c->transport.methods[0]);
	else
		pol_diag(d->diags, c->bridge_at, "bridge %zu of this list is "
		    "for \"%s\", which is none of this section's methods: "
		    "move it, or add the method", i + 1, b.transport);
	c->broken = true;
}

/* The name that this line has its transport look up; false: none. */
static bool
looks_up(char name[POL_HOST_LEN], const char *line)
{
	struct pol_needs needs;

	pol_needs_init(&needs);
	pol_needs_add(&needs, "UseBridges", "1");
	pol_needs_add(&needs, "Bridge", line);
	pol_needs_finish(&needs);
	for (size_t i = 0; i < needs.n; i++) {
		if (needs.need[i].by != POL_BY_TRANSPORT)
			continue;
		memcpy(name, needs.need[i].host, POL_HOST_LEN);
		return true;
	}
	return false;
}

/* Without "dns" the gate lets none of its questions get to the stub. */
static void
judge_names(struct pol_draft *d, const struct pol_carrier *c)
{
	char name[POL_HOST_LEN];

	for (size_t i = 0; i < c->nbridges && !c->transport.dns; i++)
		if (looks_up(name, c->bridges[i])) {
			pol_warn(d->diags, c->bridge_at, "bridge %zu of this "
			    "list has transport \"%s\" look up \"%s\", "
			    "which it cannot: add dns = true to the section",
			    i + 1, c->transport.name, name);
			return;
		}
}

static void
judge_carrier(struct pol_draft *d, struct pol_carrier *c)
{
	if (!c->has_program)
		SAY(d, c, "transport \"%s\" has no \"program\": add it",
		    c->transport.name);
	judge_methods(d, c);
	judge_served_once(d, c);
	if (!c->broken)
		for (size_t i = 0; i < c->nbridges; i++)
			judge_bridge(d, c, i);
	if (!c->broken)
		judge_names(d, c);
	if (c->transport.dns && section_at(d).line == 0 && !d->incomplete)
		pol_warn(d->diags, c->dns_at, "there is no section "
		    "\"resolver\", so no name of transport \"%s\" will be "
		    "resolved: add one, or leave out \"dns\"",
		    c->transport.name);
}

/* None at all if no section has any. */
static bool
room_for_bridges(struct pol_draft *d)
{
	size_t n = 0;

	for (size_t i = 0; i < d->carriers.n; i++)
		n += d->carriers.list[i].nbridges;
	if (n == 0)
		return true;
	d->p->bridges = calloc(POL_MAX_BRIDGES, sizeof *d->p->bridges);
	if (d->p->bridges == NULL)
		d->nomem = true;
	return d->p->bridges != NULL;
}

/* C's lines, behind those of the transports before it. */
static void
make_bridges(struct pol_draft *d, const struct pol_carrier *c)
{
	struct pol_policy *p = d->p;

	if (c->nbridges > POL_MAX_BRIDGES - p->nbridges) {
		pol_diag(d->diags, c->bridge_at, "there are too many bridges: "
		    "%d at most in all transports", POL_MAX_BRIDGES);
		return;
	}
	for (size_t i = 0; i < c->nbridges; i++) {
		struct pol_bridge_line *line = &p->bridges[p->nbridges++];

		line->transport = (uint8_t)p->ntransports;
		memcpy(line->text, c->bridges[i], sizeof line->text);
	}
}

void
pol_judge_uplink(struct pol_draft *d)
{
	struct pol_policy *p = d->p;

	judge_resolver(d);
	if (!room_for_bridges(d))
		return;
	for (size_t i = 0; i < d->carriers.n; i++) {
		struct pol_carrier *c = &d->carriers.list[i];

		if (!c->broken)
			judge_carrier(d, c);
		if (c->broken)
			continue;
		make_bridges(d, c);
		p->transports[p->ntransports++] = c->transport;
	}
}

static struct pol_carrier *
find_carrier(struct pol_carriers *s, const char *name)
{
	size_t i = 0;

	while (i < s->n && strcmp(s->list[i].transport.name, name) != 0)
		i++;
	return i < POL_MAX_TRANSPORTS ? &s->list[i] : NULL;
}

struct pol_carrier *
pol_carrier_open(struct pol_draft *d, const char *name, struct pol_where at)
{
	struct pol_carriers *s = &d->carriers;
	struct pol_carrier *c = find_carrier(s, name);

	if (c == NULL) {
		pol_diag(d->diags, at, "transport \"%s\" is one too many: %d "
		    "such sections at most", name, POL_MAX_TRANSPORTS);
		return NULL;
	}
	if (c == &s->list[s->n])
		s->n++;
	free(c->bridges);
	memset(c, 0, sizeof *c);
	(void)snprintf(c->transport.name, POL_NAME_LEN, "%s", name);
	c->at = at;
	return c;
}

void
pol_carriers_clear(struct pol_carriers *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->list[i].bridges);
	s->n = 0;
}
