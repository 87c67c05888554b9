/*
 * Answers to verbs.
 */
#include <stdio.h>

#include "supervisor/engine/core.h"

void
tell_answer(struct engine *e, struct snap_result r, const char *text)
{
	r.magic = SNAP_RESULT_MAGIC;
	(void)snprintf(r.text, sizeof r.text, "%s", text);
	/* A sentence that cannot be sent is lost; what it tells of is not. */
	if (e->status_up)
		(void)e->ops->status_send(e->arg, &r, sizeof r);
}

void
tell_sentence(struct engine *e, uint64_t id, bool ok, const char *text)
{
	tell_answer(e, (struct snap_result){ .ok = ok, .more = 1, .id = id },
	    text);
}

void
tell_result(struct engine *e, uint64_t id, bool ok, const char *text)
{
	tell_answer(e, (struct snap_result){ .ok = ok, .id = id }, text);
}
