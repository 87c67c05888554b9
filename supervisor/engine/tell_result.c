/*
 * Answers to verbs.
 */
#include <stdio.h>
#include <string.h>

#include "supervisor/engine/core.h"

static void
send_text(struct engine *e, struct snap_result *r, const char *text)
{
	r->magic = SNAP_RESULT_MAGIC;
	(void)snprintf(r->text, sizeof r->text, "%s", text);
	/* Nobody else can be told; the verb took effect all the same. */
	if (e->status_up)
		(void)e->ops->status_send(e->arg, r, sizeof *r);
}

void
tell_sentence(struct engine *e, uint64_t id, bool ok, const char *text)
{
	struct snap_result r;

	memset(&r, 0, sizeof r);
	r.ok = ok;
	r.more = 1;
	r.id = id;
	send_text(e, &r, text);
}

void
tell_result(struct engine *e, uint64_t id, bool ok, const char *text)
{
	struct snap_result r;

	memset(&r, 0, sizeof r);
	r.ok = ok;
	r.id = id;
	send_text(e, &r, text);
}
