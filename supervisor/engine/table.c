#include "supervisor/engine/table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/engine/core.h"
#include "supervisor/log.h"

void
table_init(struct engine *e)
{
	size_t n = e->policy->nlisteners;

	e->table.line = xcalloc(n + 1, sizeof *e->table.line);
	e->table.dirty = xcalloc(n + 1, sizeof *e->table.dirty);
	table_look(e);
}

void
table_look(struct engine *e)
{
	e->table.seen = UINT64_MAX;
}

void
table_clear(struct engine *e)
{
	free(e->table.line);
	free(e->table.dirty);
	memset(&e->table, 0, sizeof e->table);
}

void
table_restart(struct engine *e)
{
	struct table *t = &e->table;

	t->ndirty = e->policy->nlisteners;
	t->next = 0;
	for (size_t i = 0; i < t->ndirty; i++)
		t->dirty[i] = true;
}

static void
fill_line(const struct engine *e, struct snap_listener *s, size_t i)
{
	const struct pol_listener *pol = &e->policy->listeners[i];
	const struct prov_listener *l = &e->prov.l[i];
	const struct proof *rival = prov_rival(&e->prov, i);

	memset(s, 0, sizeof *s);
	s->number = (uint32_t)i;
	s->kind = pol->kind;
	s->state = prov_state(&e->prov, i);
	s->why = prov_why(&e->prov, i);
	s->uid = l->proof.kind == PROOF_NONE ? UINT32_MAX :
	    rival != NULL ? rival->uid : l->proof.uid;
	s->pid = rival != NULL ? l->pid : 0;
	s->unix_socket = prov_is_unix(&e->prov, i);
	s->flags_sure = l->named && l->line && !l->doubt;
	(void)snprintf(s->name, sizeof s->name, "%s", pol->name);
	(void)snprintf(s->app, sizeof s->app, "%s", pol->app);
	(void)snprintf(s->address, sizeof s->address, "%s", l->text);
	(void)snprintf(s->flags, sizeof s->flags, "%s", pol->flags);
}

static void
add_trouble(struct snapshot *sum, const struct snap_listener *l)
{
	struct snap_trouble *t;

	if (sum->ntrouble++ >= SNAP_MAX_TROUBLE)
		return;
	t = &sum->trouble[sum->ntrouble - 1];
	t->listener = l->number;
	t->why = l->why;
	t->uid = l->uid;
	t->pid = l->pid;
	memcpy(t->name, l->name, sizeof t->name);
	memcpy(t->address, l->address, sizeof t->address);
}

static void
count(struct snapshot *sum, const struct snap_listener *l)
{
	sum->nwithheld += l->state == SNAP_LS_WITHHELD;
	if (l->state == SNAP_LS_PROVEN)
		sum->nlisteners_proven++;
	else
		add_trouble(sum, l);
}

void
table_update(struct engine *e)
{
	struct table *t = &e->table;
	struct snap_listener now;
	bool changed = false;

	if (t->seen == e->prov.version)
		return;
	t->seen = e->prov.version;
	memset(&t->sum, 0, sizeof t->sum);
	t->sum.nlisteners = (uint32_t)e->policy->nlisteners;
	for (size_t i = 0; i < e->policy->nlisteners; i++) {
		fill_line(e, &now, i);
		count(&t->sum, &now);
		if (memcmp(&now, &t->line[i], sizeof now) == 0)
			continue;
		t->line[i] = now;
		t->ndirty += !t->dirty[i];
		t->dirty[i] = changed = true;
	}
	extras_tell(&e->prov.x, &t->sum, &e->table.privacy);
	t->generation += changed;
}

static void
fill_page(struct table *t, struct snap_page *page, size_t total)
{
	size_t i = t->next;

	memset(page, 0, sizeof *page);
	page->magic = SNAP_PAGE_MAGIC;
	page->total = (uint32_t)total;
	page->generation = t->generation;
	for (size_t seen = 0; seen < total && page->n < SNAP_PAGE_LINES;
	    seen++) {
		if (t->dirty[i])
			page->line[page->n++] = t->line[i];
		i = i + 1 == total ? 0 : i + 1;
	}
	page->left = (uint32_t)t->ndirty - page->n;
	t->next = i;
}

void
table_send(struct engine *e)
{
	struct table *t = &e->table;
	struct snap_page page;
	size_t at;

	while (e->status_up && t->ndirty > 0) {
		at = t->next;
		fill_page(t, &page, e->policy->nlisteners);
		if (e->ops->status_send(e->arg, &page, sizeof page) == -1) {
			t->next = at; /* it does not read: the next time */
			return;
		}
		for (uint32_t i = 0; i < page.n; i++)
			t->dirty[page.line[i].number] = false;
		t->ndirty -= page.n;
	}
}
