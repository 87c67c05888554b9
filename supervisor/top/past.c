#include "supervisor/top/past.h"

#include <stdbool.h>
#include <string.h>

#include "supervisor/cli/field.h"
#include "supervisor/top/view.h"

/* "2026-01-31T23:59:59": as far as every stamp goes. */
#define SECONDS_LEN 19

static const char *
stamp_of(const json_t *transition)
{
	const char *s = json_string_value(json_object_get(transition,
	    "time"));

	return s != NULL ? s : "";
}

static void
keep_newest(json_t *ours)
{
	while (json_array_size(ours) > TOP_HISTORY)
		if (json_array_remove(ours, 0) == -1)
			return; /* cannot be: there is one */
}

/* The supervisor cannot tell that nobody heard it. */
static bool
is_only_ours(const json_t *transition, const char *first)
{
	return strncmp(stamp_of(transition), first, SECONDS_LEN) < 0 ||
	    cli_field_is(json_object_get(transition, "reason"),
	    TOP_NO_ANSWER);
}

/* Behind all that are no later. */
static void
insert(json_t *ours, const json_t *transition)
{
	size_t at = json_array_size(ours);

	while (at > 0 && strncmp(stamp_of(json_array_get(ours, at - 1)),
	    stamp_of(transition), SECONDS_LEN) > 0)
		at--;
	/* Without memory there is one line less to see. */
	(void)json_array_insert_new(ours, at, json_deep_copy(transition));
}

void
top_past_merge(json_t *ours, const json_t *told)
{
	const char *first = stamp_of(json_array_get(told, 0));
	size_t i, n = json_array_size(told);

	if (n == 0)
		return;
	for (i = json_array_size(ours); i-- > 0;)
		if (!is_only_ours(json_array_get(ours, i), first))
			(void)json_array_remove(ours, i); /* I is in it */
	for (i = n > TOP_HISTORY ? n - TOP_HISTORY : 0; i < n; i++)
		insert(ours, json_array_get(told, i));
	keep_newest(ours);
}

void
top_past_add(json_t *ours, const char *stamp, const char *position,
    const char *code, const char *text)
{
	/* Without memory there is one line less to see. */
	(void)json_array_append_new(ours, json_pack("{s:s,s:s,s:s,s:s}",
	    "time", stamp, "position", position, "reason", code, "text",
	    text));
	keep_newest(ours);
}

void
top_past_print(FILE *out, const json_t *ours)
{
	char stamp[CLI_TEXT_CAP], position[CLI_TEXT_CAP];
	char text[CLI_TEXT_CAP];
	const json_t *t;
	size_t i;

	if (json_array_size(ours) == 0)
		fputs("No transition is known yet.\n", out);
	for (i = json_array_size(ours); i-- > 0;) {
		t = json_array_get(ours, i);
		cli_field_text(stamp, json_object_get(t, "time"));
		cli_field_text(position, json_object_get(t, "position"));
		cli_field_text(text, json_object_get(t, "text"));
		fprintf(out, "%.*s  %-9s  %s\n", SECONDS_LEN, stamp,
		    position, text);
	}
}
