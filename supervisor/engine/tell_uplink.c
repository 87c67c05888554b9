/*
 * What people are told of how Tor gets out: reasons, the snapshot's part, and
 * the verb "names", which alone has addresses in it.
 */
#include "config.h" /* _GNU_SOURCE */

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/engine/core.h"
#include "supervisor/engine/diagnosis.h"
#include "supervisor/log.h"

/* --- symptoms ------------------------------------------------------------ */

/* The worst first; the rest is no fault. */
static const enum snap_transport_state faults[] = { SNAP_T_NO_PLUGIN,
	SNAP_T_NO_PROGRAM, SNAP_T_NOT_EXECUTABLE, SNAP_T_DIED,
	SNAP_T_NO_PROXY, SNAP_T_FOREIGN, SNAP_T_STARTING };

static const struct transport *
worst_transport(const struct engine *e)
{
	const struct transports *ts = &e->transports;

	for (size_t f = 0; f < sizeof faults / sizeof faults[0]; f++)
		for (size_t i = 0; i < ts->n; i++)
			if (transports_state(e, &ts->t[i]) == faults[f])
				return &ts->t[i];
	return ts->n > 0 ? &ts->t[0] : NULL;
}

/* Does Tor's own DNSPort stand where the policy's resolver should be? */
static bool
resolver_is_tor(const struct engine *e)
{
	const struct pol_policy *p = e->policy;
	struct pol_addr addr;

	for (size_t i = 0; i < p->nlisteners; i++)
		if (p->listeners[i].kind == POL_DNS &&
		    p->listeners[i].port == p->resolver.port &&
		    pol_listener_addr(&addr, &p->listeners[i], e->prov.now) &&
		    pol_addr_equal(&addr, &p->resolver.addr))
			return true;
	return false;
}

static void
look_at_names(const struct engine *e, struct symptoms *s)
{
	const struct uplink_pin *pin = &e->uplink.pin;
	const struct names *n = &e->names;
	const struct name_known *k;

	if (!e->uplink.known)
		return;
	k = names_find(e, pin->host);
	if (pin->kind != POL_PROXY_NONE && pin->addr.family == 0 &&
	    k != NULL && k->n == 0) {
		s->proxy_host = k->host;
		s->proxy_name = k->state;
	}
	for (uint32_t i = 0; !s->off && i < n->list.n && s->host == NULL;
	    i++) {
		k = &n->known[i];
		if ((k->flags & NAME_F_STUB) == 0 || k->n > 0 ||
		    k->state == NAME_OK)
			continue;
		s->host = k->host;
		s->name = k->state;
	}
}

/* WORD and SAID hold what is told of foreign words; SNAP_TEXT each. */
static void
look(const struct engine *e, struct symptoms *s, char *word, char *said)
{
	const struct tor_info *tor = &e->tor;
	const struct transport *t = worst_transport(e);

	memset(s, 0, sizeof *s);
	s->progress = tor->progress;
	s->tag = tor->tag;
	s->reason = tor->why;
	s->log = tor->said;
	s->skewed = tor->skewed;
	s->skew_s = tor->skew_s;
	uplink_scrub(e, said, SNAP_TEXT, tor->warning[0] != '\0' ?
	    tor->warning : tor->last_warn);
	s->said = said;
	s->bridges = e->uplink.needs.bridges;
	s->fronts = e->uplink.needs.fronts;
	s->resolver = e->policy->resolver.addr.family != 0;
	s->off = e->prov.network_off;
	s->own_dns = s->resolver && resolver_is_tor(e);
	s->proxy = uplink_proxy(e, NULL);
	s->verdict = e->tryout.verdict;
	s->code = e->tryout.code;
	word[0] = '\0';
	s->word = word;
	if (t != NULL) {
		s->method = t->method;
		s->transport = transports_state(e, t);
		s->deaths = t->deaths;
		uplink_scrub(e, word, SNAP_TEXT, t->said);
	}
	look_at_names(e, s);
}

bool
tell_uplink_reason(struct engine *e, uint64_t now)
{
	char word[SNAP_TEXT], said[SNAP_TEXT];
	struct diagnosis d;
	struct symptoms s;

	look(e, &s, word, said);
	s.stalled = watch_stalled(e, now);
	if (!diagnosis_make(&d, &s))
		return false;
	memcpy(e->reason_code, d.code, sizeof e->reason_code);
	memcpy(e->reason, d.text, sizeof e->reason);
	memcpy(e->advice, d.advice, sizeof e->advice);
	return true;
}

/* --- the snapshot -------------------------------------------------------- */

static const struct pol_need *
need_of(const struct pol_needs *n, const char *host)
{
	for (size_t i = 0; i < n->n; i++)
		if (n->need[i].addr.family == 0 &&
		    strcmp(n->need[i].host, host) == 0)
			return &n->need[i];
	return NULL;
}

/* "Bridge line 2, front (meek_lite)" */
static void
needed_by(const struct engine *e, char *dst, size_t cap, const char *host)
{
	const struct pol_need *need = need_of(&e->uplink.needs, host);

	if (need == NULL && e->uplink.pin.kind != POL_PROXY_NONE &&
	    strcmp(e->uplink.pin.host, host) == 0)
		(void)snprintf(dst, cap, "%s proxy",
		    pol_proxy_name(e->uplink.pin.kind));
	else if (need == NULL)
		(void)snprintf(dst, cap, "the change under way");
	else if (need->transport[0] == '\0')
		(void)snprintf(dst, cap, "%s", need->option);
	else
		(void)snprintf(dst, cap, "%s line %u, %s (%.16s)",
		    need->option, need->line, pol_need_role_name(need->role),
		    need->transport);
}

/* Without a resolver of the policy's nothing is ever looked up. */
static enum name_state
state_of(const struct engine *e, const struct name_known *k)
{
	return e->policy->resolver.addr.family != 0 ? k->state : NAME_BLOCKED;
}

static void
fill_names(const struct engine *e, struct snapshot *s)
{
	const struct names *n = &e->names;
	struct snap_name *out;

	s->nnames = n->list.n;
	for (uint32_t i = 0; i < n->list.n && i < SNAP_MAX_NAMES; i++) {
		out = &s->name[i];
		memcpy(out->host, n->known[i].host, sizeof out->host);
		memcpy(out->since, n->known[i].since, sizeof out->since);
		needed_by(e, out->needed_by, sizeof out->needed_by,
		    out->host);
		out->state = state_of(e, &n->known[i]);
		out->naddrs = n->known[i].n;
		out->by_transport = (n->known[i].flags & NAME_F_STUB) != 0;
	}
	s->resolver = e->policy->resolver.addr.family != 0;
	s->resolver_up = n->up;
	s->lookups = n->count.queries;
	s->stub_answered = n->count.answered;
	s->stub_refused = n->count.refused;
}

static void
fill_transports(const struct engine *e, struct snapshot *s)
{
	const struct transports *ts = &e->transports;
	char words[SNAP_TEXT];

	for (size_t i = 0; i < ts->n && i < SNAP_MAX_TRANSPORTS; i++) {
		struct snap_transport *out = &s->transport[s->ntransports++];

		memcpy(out->method, ts->t[i].method, sizeof out->method);
		out->state = transports_state(e, &ts->t[i]);
		out->deaths = ts->t[i].deaths;
		uplink_scrub(e, words, sizeof words, ts->t[i].said);
		(void)snprintf(out->said, sizeof out->said, "%.*s",
		    (int)sizeof out->said - 1, words);
	}
}

void
tell_uplink_fill(const struct engine *e, struct snapshot *s, uint64_t now)
{
	const struct uplink *u = &e->uplink;
	const struct tor_info *tor = &e->tor;

	s->nbridges = uplink_nbridges(e);
	s->proxy.kind = uplink_proxy(e, &s->proxy.port);
	s->proxy.by_name = u->pin.kind != POL_PROXY_NONE;
	s->proxy.verdict = e->tryout.verdict;
	s->proxy.code = e->tryout.code;
	fill_names(e, s);
	fill_transports(e, s);
	s->stalled = watch_stalled(e, now);
	memcpy(s->boot_since, tor->since, sizeof s->boot_since);
	uplink_scrub(e, s->tor_said, sizeof s->tor_said, tor->last_warn);
}

bool
tell_uplink_same(const struct snapshot *a, const struct snapshot *b)
{
	return a->nbridges == b->nbridges && a->nnames == b->nnames &&
	    a->ntransports == b->ntransports &&
	    a->resolver_up == b->resolver_up && a->stalled == b->stalled &&
	    a->apply_step == b->apply_step &&
	    strcmp(a->apply_text, b->apply_text) == 0 &&
	    memcmp(&a->proxy, &b->proxy, sizeof a->proxy) == 0 &&
	    memcmp(a->name, b->name, sizeof a->name) == 0 &&
	    memcmp(a->transport, b->transport, sizeof a->transport) == 0;
}

/* --- the verb ------------------------------------------------------------ */

/* As many addresses to a sentence as it holds. */
static void
say_addresses(struct engine *e, uint64_t id, const struct name_known *k)
{
	char text[SNAP_TEXT], addr[INET6_ADDRSTRLEN];
	size_t n = 0;

	for (uint32_t i = 0; i < k->n; i++) {
		if (n == 0)
			n = (size_t)snprintf(text, sizeof text, "%.100s is at",
			    k->host);
		pol_addr_format(addr, sizeof addr, &k->addr[i]);
		n += (size_t)snprintf(text + n, sizeof text - n, " %s", addr);
		if (n < sizeof text - INET6_ADDRSTRLEN - 2 && i + 1 < k->n)
			continue;
		(void)snprintf(text + n, sizeof text - n, ".");
		tell_sentence(e, id, true, text);
		n = 0;
	}
}

static void
say_name(struct engine *e, uint64_t id, const struct name_known *k)
{
	char by[sizeof ((struct snap_name *)NULL)->needed_by];
	char text[SNAP_TEXT];

	needed_by(e, by, sizeof by, k->host);
	(void)snprintf(text, sizeof text, "%.60s (%s) %s.", k->host, by,
	    e->policy->resolver.addr.family == 0 ?
	    "is never looked up: the policy has no resolver" :
	    diagnosis_name(k->state));
	tell_sentence(e, id, k->n > 0, text);
	say_addresses(e, id, k);
}

void
tell_names(struct engine *e, uint64_t id)
{
	const struct names *n = &e->names;
	char text[SNAP_TEXT];

	if (!e->uplink.known) {
		tell_result(e, id, false, "It is not known what Tor uses: "
		    "there is no session with it.");
		return;
	}
	for (uint32_t i = 0; i < n->list.n; i++)
		say_name(e, id, &n->known[i]);
	if (e->uplink.needs.fronts)
		tell_sentence(e, id, false, "fronts= is ignored by old "
		    "snowflake programs, which ask for the broker's own name "
		    "then: write front= with one name.");
	(void)snprintf(text, sizeof text, n->list.n == 0 ?
	    "Tor's bridges and proxy need no name." : "%u names%s.",
	    n->list.n, uplink_enabled(e) ? "" :
	    "; nothing is looked up while Tor's networking is off");
	tell_result(e, id, true, text);
}
