#include "supervisor/engine/preflight.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/engine/core.h"

/* The clause about a proxy that was tried in vain. */
static const char *const verdicts[NAME_NVERDICT] = {
	[NAME_V_NONE] = "was not tried",
	[NAME_V_OK] = "works",
	[NAME_V_REFUSED] = "refuses connections: nothing listens there",
	[NAME_V_TIMEOUT] = "does not answer",
	[NAME_V_UNREACHABLE] = "cannot be reached",
	[NAME_V_PROTOCOL] = "is no proxy of that kind: what answers speaks "
	    "something else",
	[NAME_V_AUTH] = "wants another user or password",
	[NAME_V_DENIED] = "will not let Tor through",
	[NAME_V_BLOCKED] = "is not let through by our own firewall",
};

static enum preflight_step bad(struct preflight *p, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static enum preflight_step
bad(struct preflight *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(p->fault, sizeof p->fault, fmt, ap);
	va_end(ap);
	return PREFLIGHT_BAD;
}

static enum preflight_step
look_at_names(const struct engine *e, struct preflight *p)
{
	enum name_state state = NAME_UNKNOWN;
	const char *host = "";

	switch (uplink_names(e, &host, &state)) {
	case UPLINK_NAMES_NONE:
	case UPLINK_NAMES_OK:
		return PREFLIGHT_OK;
	case UPLINK_NAMES_ASKING:
		break;
	case UPLINK_NAMES_FAILED:
		return bad(p, "%.100s cannot be resolved (%s).", host,
		    name_state_name(state));
	case UPLINK_NAMES_OFF:
		return bad(p, "names have to be looked up, and %s.",
		    e->policy->resolver.addr.family == 0 ?
		    "the policy has no resolver: add that section" :
		    "Tor's networking is off (DisableNetwork 1)");
	}
	return PREFLIGHT_WAIT;
}

static const char *
program_fault(int error)
{
	if (error == ENOENT)
		return "is not there: install its package";
	if (error == EACCES)
		return "may not be run: look at its mode, and at the folders "
		    "above it";
	return "cannot be looked at";
}

static enum preflight_step
look_at_programs(const struct engine *e, struct preflight *p,
    const struct pol_uplink *u)
{
	const struct pol_policy *policy = e->policy;
	struct pol_bridge b;
	char why[POL_UPLINK_WHY];
	size_t t;
	int error;

	for (uint32_t i = 0; i < u->nbridges; i++) {
		if (!pol_bridge_parse(&b, why, u->bridge[i]) ||
		    b.transport[0] == '\0')
			continue;
		t = pol_transport_find(policy, b.transport);
		if (t == policy->ntransports)
			continue; /* pol_uplink_ok() would not have it */
		error = e->ops->program(e->arg, policy->transports[t].program);
		if (error != 0)
			return bad(p, "%.80s, which %.40s needs, %s.",
			    policy->transports[t].program, b.transport,
			    program_fault(error));
	}
	return PREFLIGHT_OK;
}

static enum preflight_step
look_at_proxy(struct engine *e, struct preflight *p,
    const struct pol_uplink *u, uint64_t now)
{
	enum name_verdict verdict;
	uint32_t code = 0;

	if (u->proxy == POL_PROXY_NONE)
		return PREFLIGHT_OK;
	if (!p->tried && uplink_try(e, u, now) == -1) {
		p->blind = true;
		return PREFLIGHT_OK;
	}
	p->tried = true;
	verdict = uplink_tried(e, &code);
	if (verdict == NAME_V_OK)
		return PREFLIGHT_OK;
	if (verdict == NAME_V_NONE)
		return PREFLIGHT_WAIT;
	if (code != 0)
		return bad(p, "the proxy %s (its code %u).",
		    verdicts[verdict], (unsigned)code);
	return bad(p, "the proxy %s.", verdicts[verdict]);
}

enum preflight_step
preflight_look(struct engine *e, struct preflight *p,
    const struct pol_uplink *u, uint64_t now)
{
	enum preflight_step step = PREFLIGHT_OK;

	if (!p->named)
		step = look_at_names(e, p);
	p->named = p->named || step == PREFLIGHT_OK;
	if (step == PREFLIGHT_OK && !p->looked)
		step = look_at_programs(e, p, u);
	p->looked = p->looked || (p->named && step == PREFLIGHT_OK);
	return step == PREFLIGHT_OK ? look_at_proxy(e, p, u, now) : step;
}
