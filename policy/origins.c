#include "policy/origins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t
find(const struct pol_origins *o, const char *key)
{
	size_t i = 0;

	while (i < o->n && strcmp(o->list[i].key, key) != 0)
		i++;
	return i;
}

/* Number I, which may be one more, emptied; NULL when out of memory. */
static struct pol_origin *
slot(struct pol_origins *o, size_t i)
{
	struct pol_origin *more;

	if (i == o->n && (i & (i - 1)) == 0) {
		more = reallocarray(o->list, i == 0 ? 1 : 2 * i, sizeof *more);
		if (more == NULL)
			return NULL;
		o->list = more;
	}
	if (i == o->n)
		memset(&o->list[o->n++], 0, sizeof *o->list);
	return &o->list[i];
}

bool
pol_origins_note(struct pol_origins *o, const char *key,
    const struct pol_origin_at *at)
{
	struct pol_origin *one = slot(o, find(o, key));

	if (one == NULL)
		return false;
	(void)snprintf(one->key, sizeof one->key, "%s", key);
	/* The same file's does not replace, but go on. */
	if (one->line != 0 && strcmp(one->file, at->file) != 0) {
		memcpy(one->before, one->file, sizeof one->before);
		one->before_line = one->line;
	}
	(void)snprintf(one->file, sizeof one->file, "%s", at->file);
	one->line = at->line;
	one->added = at->added;
	return true;
}

const struct pol_origin *
pol_origins_find(const struct pol_origins *o, const char *key)
{
	size_t i = o == NULL ? 0 : find(o, key);

	return o == NULL || i == o->n ? NULL : &o->list[i];
}

void
pol_origins_clear(struct pol_origins *o)
{
	free(o->list);
	memset(o, 0, sizeof *o);
}
