#include "supervisor/status/ways.h"

#include "supervisor/namemsg.h"
#include "supervisor/status/nullable.h"
#include "supervisor/status/text.h"

static uint32_t
at_most(uint32_t n, uint32_t most)
{
	return n < most ? n : most;
}

static bool
names_ok(const struct snapshot *s)
{
	const uint32_t n = at_most(s->nnames, SNAP_MAX_NAMES);

	for (uint32_t i = 0; i < n; i++)
		if (s->name[i].state >= NAME_NSTATE ||
		    s->name[i].naddrs > NAME_MAX_ADDRS ||
		    s->name[i].by_transport > 1)
			return false;
	return true;
}

static bool
transports_ok(const struct snapshot *s)
{
	if (s->ntransports > SNAP_MAX_TRANSPORTS)
		return false;
	for (uint32_t i = 0; i < s->ntransports; i++)
		if (s->transport[i].state >= SNAP_NTSTATE)
			return false;
	return true;
}

bool
status_ways_ok(const struct snapshot *s)
{
	return names_ok(s) && transports_ok(s) &&
	    s->nbridges <= POL_UPLINK_BRIDGES && s->resolver <= 1 &&
	    s->resolver_up <= 1 && s->stalled <= 1 &&
	    s->apply_step < SNAP_NASTEP && s->proxy.kind < POL_NPROXY &&
	    s->proxy.port <= UINT16_MAX && s->proxy.by_name <= 1 &&
	    s->proxy.verdict < NAME_NVERDICT;
}

void
status_ways_clean(struct snapshot *s)
{
	for (unsigned i = 0; i < SNAP_MAX_NAMES; i++) {
		struct snap_name *n = &s->name[i];

		status_text_clean(n->host, sizeof n->host);
		status_text_clean(n->needed_by, sizeof n->needed_by);
		status_text_clean(n->since, sizeof n->since);
	}
	for (unsigned i = 0; i < SNAP_MAX_TRANSPORTS; i++) {
		struct snap_transport *t = &s->transport[i];

		status_text_clean(t->method, sizeof t->method);
		status_text_clean(t->said, sizeof t->said);
	}
	status_text_clean(s->apply_text, sizeof s->apply_text);
	status_text_clean(s->apply_since, sizeof s->apply_since);
	status_text_clean(s->boot_since, sizeof s->boot_since);
	status_text_clean(s->tor_said, sizeof s->tor_said);
}

static json_t *
encode_name(const struct snap_name *n)
{
	return json_pack("{s:o,s:o,s:s,s:s,s:o,s:o}", "name",
	    text_if(true, n->host), "needed_by",
	    text_if(true, n->needed_by), "asked_by",
	    n->by_transport != 0 ? "transport" : "tor", "state",
	    name_state_name((enum name_state)n->state), "since",
	    text_if(true, n->since), "addresses",
	    uint_if(true, n->naddrs));
}

static json_t *
encode_transport(const struct snap_transport *t)
{
	return json_pack("{s:o,s:s,s:o,s:o}", "method",
	    text_if(true, t->method), "state",
	    snap_transport_state_name((enum snap_transport_state)t->state),
	    "deaths", uint_if(true, t->deaths), "said",
	    text_if(true, t->said));
}

static json_t *
encode_names(const struct snapshot *s)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < at_most(s->nnames, SNAP_MAX_NAMES); i++)
		if (json_array_append_new(all, encode_name(&s->name[i])) ==
		    -1) {
			json_decref(all);
			return NULL;
		}
	return all;
}

static json_t *
encode_transports(const struct snapshot *s)
{
	json_t *all = json_array();

	for (uint32_t i = 0; i < s->ntransports; i++)
		if (json_array_append_new(all,
		    encode_transport(&s->transport[i])) == -1) {
			json_decref(all);
			return NULL;
		}
	return all;
}

/* Which host it is is among the names, if it is given by one. */
static json_t *
encode_proxy(const struct snap_proxy *p)
{
	if (p->kind == POL_PROXY_NONE)
		return json_null();
	return json_pack("{s:s,s:b,s:o,s:o}", "kind",
	    pol_proxy_name((enum pol_proxy)p->kind), "by_name",
	    (int)p->by_name, "state",
	    p->verdict == NAME_V_NONE ? json_null() :
	    json_string(name_verdict_name((enum name_verdict)p->verdict)),
	    "code", uint_if(p->code != 0, p->code));
}

static json_t *
encode_resolver(const struct snapshot *s)
{
	if (s->resolver == 0)
		return json_null();
	return json_pack("{s:b,s:o,s:o,s:o}", "running", (int)s->resolver_up,
	    "queries", uint_if(true, s->lookups), "stub_answered",
	    uint_if(true, s->stub_answered), "stub_refused",
	    uint_if(true, s->stub_refused));
}

static json_t *
encode_change(const struct snapshot *s)
{
	if (s->apply_step == SNAP_A_NONE)
		return json_null();
	return json_pack("{s:s,s:o,s:o}", "step",
	    snap_apply_step_name((enum snap_apply_step)s->apply_step),
	    "text", text_if(true, s->apply_text), "since",
	    text_if(true, s->apply_since));
}

json_t *
status_ways_encode(const struct snapshot *s, bool known)
{
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "bridges",
	    uint_if(known, s->nbridges), "proxy",
	    known ? encode_proxy(&s->proxy) : json_null(), "transports",
	    known ? encode_transports(s) : json_null(), "names",
	    known ? encode_names(s) : json_null(), "names_total",
	    uint_if(known, s->nnames), "resolver",
	    known ? encode_resolver(s) : json_null(), "change",
	    known ? encode_change(s) : json_null());
}
