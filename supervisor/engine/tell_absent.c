/*
 * External interfaces that are not there: why Tor does not get out then, and
 * what to do.
 */
#include <stdio.h>
#include <string.h>

#include "supervisor/engine/core.h"

/* The first external interface that is not there; NULL: all are. */
static const char *
absent_interface(const struct engine *e)
{
	for (size_t i = 0; i < e->policy->nexternal; i++)
		if ((e->report.absent >> i & 1) != 0)
			return e->policy->external[i];
	return NULL;
}

/* The same of those that Tor leaves by; NULL: one of them is there. */
static const char *
only_way_out(const struct engine *e)
{
	const struct pol_policy *p = e->policy;
	const char *first = NULL;

	for (size_t i = 0; i < p->nexternal; i++) {
		if (!pol_tor_leaves_by(p, p->external[i]))
			continue;
		if ((e->report.absent >> i & 1) == 0)
			return NULL;
		if (first == NULL)
			first = p->external[i];
	}
	return first;
}

bool
tell_no_way_out(struct engine *e)
{
	const struct facts_reason *r = tell_say(SAY_INTERFACE);
	const char *interface = only_way_out(e);

	if (interface == NULL)
		return false;
	(void)snprintf(e->reason_code, sizeof e->reason_code, "%s", r->code);
	(void)snprintf(e->reason, sizeof e->reason,
	    "Tor has no way out: external interface %s is not there.",
	    interface);
	(void)snprintf(e->advice, sizeof e->advice, "%s", r->advice);
	return true;
}

void
tell_absent(struct engine *e)
{
	const char *interface = absent_interface(e);

	if (interface != NULL && e->advice[0] == '\0')
		(void)snprintf(e->advice, sizeof e->advice,
		    "External interface %s is not there, so nothing leaves "
		    "by it: bring it up, or take it out of the policy.",
		    interface);
}
