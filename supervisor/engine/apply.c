/*
 * Changes of bridges and proxy, as transactions.
 */
#include "supervisor/engine/apply.h"

#include "supervisor/engine/core.h"
#include "supervisor/log.h"

void
engine_pending(struct engine *e, const struct pol_uplink *u)
{
	(void)e;
	(void)u;
	log_warn("the last engine left a change unfinished");
}

void
engine_kept(struct engine *e, const struct link_kept *k, uint64_t now)
{
	(void)e;
	(void)k;
	(void)now;
}

void
engine_change(struct engine *e, const struct snap_change *c, uint64_t now)
{
	(void)now;
	tell_result(e, c->id, false, "Changes cannot be made here.");
}
