#include "supervisor/status/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/log.h"
#include "supervisor/status/text.h"

/* Lines are compared as octets: no padding. */
static_assert(sizeof(struct snap_listener) ==
    offsetof(struct snap_listener, flags) + POL_FLAGS_LEN &&
    offsetof(struct snap_listener, name) == 8 * sizeof(uint32_t),
    "padding in struct snap_listener");

void
status_table_init(struct status_table *t)
{
	memset(t, 0, sizeof *t);
	t->changes = 1;
}

void
status_table_clear(struct status_table *t)
{
	free(t->lines);
	free(t->came);
	t->lines = NULL;
	t->came = NULL;
	t->total = t->missing = t->left = t->gated = 0;
	t->changes++;
}

static bool
line_ok(const struct snap_listener *l, uint32_t total)
{
	return l->number < total && l->kind < POL_NKIND &&
	    l->state < SNAP_NLSTATE && l->why < SNAP_NLWHY && l->pid >= 0 &&
	    l->unix_socket <= 1 && l->flags_sure <= 1;
}

static bool
page_ok(const struct snap_page *p)
{
	uint32_t i;

	if (p->magic != SNAP_PAGE_MAGIC || p->total > POL_MAX_LISTENERS ||
	    p->left > p->total || p->n == 0 ||
	    p->n > SNAP_PAGE_LINES)
		return false;
	for (i = 0; i < p->n; i++)
		if (!line_ok(&p->line[i], p->total))
			return false;
	return true;
}

static void
start(struct status_table *t, uint32_t total)
{
	t->lines = xcalloc(total, sizeof *t->lines);
	t->came = xcalloc(total, sizeof *t->came);
	t->total = t->missing = total;
}

/* One that has not come is wanted, being zero. */
static bool
is_gated(const struct snap_listener *l)
{
	return l->state == SNAP_LS_PROVEN && l->unix_socket == 0;
}

static void
put(struct status_table *t, struct snap_listener *l)
{
	struct snap_listener *old = &t->lines[l->number];

	status_text_clean(l->name, sizeof l->name);
	status_text_clean(l->app, sizeof l->app);
	status_text_clean(l->address, sizeof l->address);
	status_text_clean(l->flags, sizeof l->flags);
	if (t->came[l->number] && memcmp(old, l, sizeof *l) == 0)
		return;
	if (!t->came[l->number])
		t->missing--;
	t->came[l->number] = true;
	t->gated -= is_gated(old);
	t->gated += is_gated(l);
	*old = *l;
	t->changes++;
}

bool
status_table_take(struct status_table *t, const void *bytes, size_t n)
{
	struct snap_page p;
	uint32_t i;

	if (n != sizeof p)
		return false;
	memcpy(&p, bytes, sizeof p);
	/* The policy, and so the total, lasts as long as the engine. */
	if (!page_ok(&p) || (t->total != 0 && t->total != p.total))
		return false;
	if (t->total == 0)
		start(t, p.total);
	for (i = 0; i < p.n; i++)
		put(t, &p.line[i]);
	t->left = p.left;
	t->generation = p.generation;
	return true;
}

bool
status_table_complete(const struct status_table *t)
{
	return t->total != 0 && t->missing == 0;
}
