#include "supervisor/snapshot.h"

bool
snap_verb_ok(const struct snap_verb *v)
{
	return v->magic == SNAP_VERB_MAGIC && v->code > SNAP_V_NONE &&
	    v->code < SNAP_NVERB && v->reserved == 0;
}
