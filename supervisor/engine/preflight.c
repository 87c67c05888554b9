#include "supervisor/engine/preflight.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/engine/core.h"

/* More than these are not tried: one may take fifteen seconds. */
#define MAX_TRIED 3

/* The clause about a proxy that was tried in vain. */
static const char *const verdicts[NAME_NVERDICT] = {
	[NAME_V_NONE] = "was not tried",
	[NAME_V_OK] = "works",
	[NAME_V_REFUSED] = "refuses connections: nothing listens there",
	[NAME_V_TIMEOUT] = "does not answer",
	[NAME_V_UNREACHABLE] = "cannot be reached",
	[NAME_V_PROTOCOL] =
	    "is no proxy of that kind: it speaks something else",
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

/* Would Tor read it when it starts anew, and nothing else besides? */
static enum preflight_step
look_at_files(struct engine *e, struct preflight *p)
{
	if (e->policy->tor.torrc[0] == '\0')
		return PREFLIGHT_OK;
	if (!p->asked)
		kept_look(e);
	p->asked = true;
	return kept_looked(e, p->fault, sizeof p->fault);
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

/* Does its transport go by a name, so that its address means nothing? */
static bool
is_elsewhere(const struct pol_bridge *b)
{
	static const char *const keys[] = { "url", "front", "fronts" };
	char value[POL_BRIDGE_LEN];

	for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
		if (pol_args_find(value, sizeof value, b->args, keys[i]))
			return true;
	return false;
}

/* What a bridge's verdict says about it; WAIT: nothing yet. */
static enum preflight_step
try_bridge(struct engine *e, struct preflight *p, const struct pol_bridge *b,
    uint64_t now)
{
	uint32_t code;

	if (!p->tried && tryout_bridge(e, &b->addr, b->port, now) == -1)
		return PREFLIGHT_OK; /* nobody can tell */
	p->tried = true;
	switch (uplink_tried(e, &code)) {
	case NAME_V_NONE:
		return PREFLIGHT_WAIT;
	case NAME_V_REFUSED:
	case NAME_V_TIMEOUT:
	case NAME_V_UNREACHABLE:
		p->tried = false;
		return PREFLIGHT_BAD;
	case NAME_V_OK:
	case NAME_V_PROTOCOL:
	case NAME_V_AUTH:
	case NAME_V_DENIED:
	case NAME_V_BLOCKED: /* by ourselves: says nothing of the bridge */
	case NAME_NVERDICT:
		break;
	}
	return PREFLIGHT_OK;
}

/*
 * One that answers is enough.  Tor itself goes on using a connection to a
 * bridge of that identity, wherever the line says that it is: without this, a
 * line with a dead address would prove itself.
 */
static enum preflight_step
look_at_bridges(struct engine *e, struct preflight *p,
    const struct pol_uplink *u, uint64_t now)
{
	enum preflight_step step = PREFLIGHT_BAD;
	char why[POL_UPLINK_WHY];
	struct pol_bridge b;

	while (step == PREFLIGHT_BAD && p->bridge < u->nbridges) {
		if (p->bridge == MAX_TRIED || !pol_bridge_parse(&b, why,
		    u->bridge[p->bridge]) || is_elsewhere(&b))
			return PREFLIGHT_OK;
		step = try_bridge(e, p, &b, now);
		p->bridge += step == PREFLIGHT_BAD;
	}
	if (step != PREFLIGHT_BAD || u->nbridges == 0)
		return step == PREFLIGHT_BAD ? PREFLIGHT_OK : step;
	return bad(p, u->nbridges == 1 ? "nothing answers where the bridge "
	    "should be." : "nothing answers where the bridges should be.");
}

enum preflight_step
preflight_look(struct engine *e, struct preflight *p,
    const struct pol_uplink *u, uint64_t now)
{
	enum preflight_step step = PREFLIGHT_OK;

	if (!p->kept)
		step = look_at_files(e, p);
	p->kept = p->kept || step == PREFLIGHT_OK;
	if (p->kept && !p->named)
		step = look_at_names(e, p);
	p->named = p->named || (p->kept && step == PREFLIGHT_OK);
	if (step == PREFLIGHT_OK && !p->looked)
		step = look_at_programs(e, p, u);
	p->looked = p->looked || (p->named && step == PREFLIGHT_OK);
	if (step != PREFLIGHT_OK)
		return step;
	/* Bridges behind a proxy are the proxy's to reach, not ours. */
	return u->proxy == POL_PROXY_NONE ? look_at_bridges(e, p, u, now) :
	    look_at_proxy(e, p, u, now);
}
