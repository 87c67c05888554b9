#include "supervisor/resolver/want.h"

#include <string.h>

void
want_reset(struct want *w)
{
	uint32_t id = w->msg.id;

	memset(w, 0, sizeof *w);
	w->msg.magic = NAME_WANT_MAGIC;
	w->msg.host = UINT32_MAX;
	w->msg.id = id;
	/* What nobody was told needs no answer. */
	w->sent = w->answered = true;
}

static void
fill_host(struct name_want *m, const struct names *t, size_t host,
    uint64_t now)
{
	const struct names_entry *e;

	m->host = UINT32_MAX;
	if (host == NAMES_NONE)
		return;
	e = &t->entry[host];
	m->host = (uint32_t)host;
	m->generation = t->generation;
	m->ttl_s = names_valid(e, now);
	m->n = e->n;
	memcpy(m->addr, e->addr, e->n * sizeof e->addr[0]);
}

/* The time that is left runs on: it makes no other want. */
static bool
is_same(const struct name_want *a, const struct name_want *b)
{
	return a->lookup == b->lookup && a->host == b->host &&
	    a->generation == b->generation && a->n == b->n &&
	    memcmp(a->addr, b->addr, sizeof a->addr) == 0;
}

void
want_set(struct want *w, const struct names *t, bool lookup, size_t host,
    uint64_t now)
{
	struct name_want m = { .magic = NAME_WANT_MAGIC, .lookup = lookup,
		.id = w->msg.id + 1 };

	fill_host(&m, t, host, now);
	/* What was denied is asked for anew, if somebody still wants it. */
	if (is_same(&m, &w->msg) && !w->denied)
		return;
	if (m.id == 0)
		m.id = 1;
	w->lookup_ok = w->lookup_ok && lookup;
	w->msg = m;
	w->sent = w->answered = w->denied = false;
	w->since_ms = now;
}

static bool
is_something(const struct name_want *m)
{
	return m->lookup == 1 || m->host != UINT32_MAX;
}

enum want_result
want_go(struct want *w, const struct name_go *go)
{
	if (go->id != w->msg.id || w->answered || !w->sent)
		return WANT_STALE;
	w->answered = true;
	w->denied = go->ok != 1 && is_something(&w->msg);
	if (go->ok == 1)
		w->lookup_ok = w->msg.lookup == 1;
	else if (w->msg.host == UINT32_MAX)
		w->lookup_ok = false;
	return go->ok == 1 ? WANT_GRANTED : WANT_DENIED;
}

static bool
is_pending(const struct want *w)
{
	return !w->answered && is_something(&w->msg);
}

bool
want_late(const struct want *w, uint64_t now)
{
	return is_pending(w) && now - w->since_ms >= WANT_ANSWER_MS;
}

uint64_t
want_next(const struct want *w)
{
	return is_pending(w) ? w->since_ms + WANT_ANSWER_MS : UINT64_MAX;
}
