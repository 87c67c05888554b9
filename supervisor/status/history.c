#include "supervisor/status/history.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/status/nullable.h"

void
status_history_init(struct status_history *h)
{
	memset(h, 0, sizeof *h);
}

bool
status_history_note(struct status_history *h, const struct status_word *w,
    const char *time)
{
	struct status_event *e;

	if (h->count != 0) {
		e = &h->ring[(h->count - 1) % STATUS_HISTORY_MAX];
		if (strcmp(e->position, w->position) == 0 &&
		    strcmp(e->code, w->code) == 0)
			return false;
	}
	e = &h->ring[h->count++ % STATUS_HISTORY_MAX];
	(void)snprintf(e->time, sizeof e->time, "%s", time);
	(void)snprintf(e->position, sizeof e->position, "%s", w->position);
	(void)snprintf(e->code, sizeof e->code, "%s", w->code);
	(void)snprintf(e->text, sizeof e->text, "%s", w->text);
	return true;
}

static json_t *
encode_event(const struct status_event *e)
{
	return json_pack("{s:o,s:s,s:s,s:s}", "time", text_if(true, e->time),
	    "position", e->position, "reason", e->code, "text", e->text);
}

char *
status_history_encode(const struct status_history *h, size_t *len)
{
	uint64_t i = h->count > STATUS_HISTORY_MAX ?
	    h->count - STATUS_HISTORY_MAX : 0;
	json_t *all = json_array();
	char *text = NULL;
	bool ok = true;

	for (; ok && i < h->count; i++)
		ok = json_array_append_new(all,
		    encode_event(&h->ring[i % STATUS_HISTORY_MAX])) == 0;
	if (ok)
		text = json_dumps(all, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(all);
	if (text != NULL)
		*len = strlen(text);
	return text;
}
