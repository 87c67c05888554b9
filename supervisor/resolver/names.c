#include "supervisor/resolver/names.h"

#include <string.h>
#include <strings.h>

void
names_init(struct names *t)
{
	memset(t, 0, sizeof *t);
}

/* What a name begins with when it is new, or enabled anew. */
static void
start_afresh(struct names_entry *e, uint64_t now)
{
	e->failures = 0;
	if (e->n == 0)
		e->next_ms = now;
}

void
names_take(struct names *t, const struct name_list *l, uint64_t now)
{
	struct names old = *t;
	const bool risen = l->enabled == 1 && !old.enabled;

	memset(t, 0, sizeof *t);
	t->n = l->n;
	t->generation = l->generation;
	t->enabled = l->enabled == 1;
	for (size_t i = 0; i < t->n; i++) {
		struct names_entry *e = &t->entry[i];
		size_t was = names_find(&old, l->host[i].host);

		if (was != NAMES_NONE)
			*e = old.entry[was];
		e->host = l->host[i];
		e->told = false;
		e->granted_ms = 0;
		if (!t->enabled)
			e->busy = e->asked = false;
		if (was == NAMES_NONE || risen)
			start_afresh(e, now);
	}
}

void
names_suspend(struct names *t)
{
	t->enabled = false;
	for (size_t i = 0; i < t->n; i++) {
		t->entry[i].busy = t->entry[i].asked = false;
		t->entry[i].granted_ms = 0;
	}
}

size_t
names_find(const struct names *t, const char *host)
{
	for (size_t i = 0; i < t->n; i++)
		if (strcasecmp(t->entry[i].host.host, host) == 0)
			return i;
	return NAMES_NONE;
}

/* When E is to be looked up. */
static uint64_t
due_ms(const struct names *t, const struct names_entry *e)
{
	if (!t->enabled || e->busy)
		return NAMES_NEVER;
	if (e->asked)
		return 0;
	return (e->host.flags & NAME_F_LOOKUP) != 0 ? e->next_ms :
	    NAMES_NEVER;
}

size_t
names_due(const struct names *t, uint64_t now)
{
	for (size_t i = 0; i < t->n; i++)
		if (due_ms(t, &t->entry[i]) <= now)
			return i;
	return NAMES_NONE;
}

uint64_t
names_next(const struct names *t)
{
	uint64_t next = NAMES_NEVER;

	for (size_t i = 0; i < t->n; i++) {
		const struct names_entry *e = &t->entry[i];
		uint64_t due = due_ms(t, e);

		if (due < next)
			next = due;
		if (e->n != 0 && e->valid_ms < next)
			next = e->valid_ms;
	}
	return next;
}

/* The same time, or up to a tenth more. */
static uint64_t
spread(uint64_t ms, uint32_t dice)
{
	return ms + dice % (ms / 10 + 1);
}

static void
take_answer(struct names_entry *e, const struct answer *a, uint64_t now,
    uint32_t dice)
{
	const uint64_t ttl = (uint64_t)a->ttl_s * 1000;

	e->failures = 0;
	e->n = a->n;
	memcpy(e->addr, a->addr, sizeof e->addr);
	e->fresh_ms = now + ttl;
	e->valid_ms = e->fresh_ms + NAMES_GRACE_MS;
	/* Somewhat early, so that there is no gap, but for the shortest. */
	e->next_ms = now + (ttl > NAME_TTL_MIN_S * 1000 * 10 / 9 ?
	    spread(ttl * 10 / 11, dice) : ttl);
	if (e->next_ms > e->fresh_ms)
		e->next_ms = e->fresh_ms;
}

static bool
same_addrs(const struct names_entry *e, const struct answer *a)
{
	bool same = e->n == a->n;

	for (uint32_t i = 0; i < a->n && same; i++) {
		same = false;
		for (uint32_t j = 0; j < e->n && !same; j++)
			same = pol_addr_equal(&a->addr[i], &e->addr[j]);
	}
	return same;
}

static void
take_failure(struct names_entry *e, uint64_t now, uint32_t dice)
{
	const uint64_t most = e->state == NAME_BLOCKED ?
	    NAMES_BLOCKED_MAX_MS : NAMES_RETRY_MAX_MS;
	uint64_t wait = NAMES_RETRY_MIN_MS;

	for (unsigned i = 0; i < e->failures && wait < most; i++)
		wait *= 2;
	if (wait >= most)
		wait = most;
	else
		e->failures++;
	e->next_ms = now + spread(wait, dice);
}

void
names_done(struct names *t, size_t i, const struct answer *a, uint64_t now,
    uint32_t dice)
{
	struct names_entry *e = &t->entry[i];

	e->busy = e->asked = false;
	e->told = false;
	e->done_ms = now;
	e->state = a->state;
	if (a->state != NAME_OK) {
		take_failure(e, now, dice);
		return;
	}
	if (!same_addrs(e, a))
		e->granted_ms = 0;
	take_answer(e, a, now, dice);
}

void
names_expire(struct names *t, uint64_t now)
{
	for (size_t i = 0; i < t->n; i++) {
		struct names_entry *e = &t->entry[i];

		if (e->n == 0 || e->valid_ms > now)
			continue;
		e->n = 0;
		memset(e->addr, 0, sizeof e->addr);
		e->granted_ms = 0;
		e->told = false;
		if (e->state == NAME_OK)
			e->state = NAME_UNKNOWN;
	}
}

static uint32_t
seconds_left(uint64_t end, uint64_t now)
{
	uint64_t left = end > now ? (end - now) / 1000 : 0;

	if (left > NAME_TTL_MAX_S)
		return NAME_TTL_MAX_S;
	return left == 0 ? 1 : (uint32_t)left;
}

uint32_t
names_ttl(const struct names_entry *e, uint64_t now)
{
	return seconds_left(e->fresh_ms, now);
}

uint32_t
names_valid(const struct names_entry *e, uint64_t now)
{
	return seconds_left(e->valid_ms, now);
}

bool
names_fresh(const struct names_entry *e, uint64_t now)
{
	return e->n != 0 && e->fresh_ms > now;
}

void
names_result(const struct names *t, size_t i, uint64_t now,
    struct name_result *out)
{
	const struct names_entry *e = &t->entry[i];

	memset(out, 0, sizeof *out);
	out->magic = NAME_RESULT_MAGIC;
	out->generation = t->generation;
	out->host = (uint32_t)i;
	out->state = e->state;
	out->n = e->n;
	if (e->n != 0)
		out->ttl_s = names_valid(e, now);
	memcpy(out->addr, e->addr, e->n * sizeof e->addr[0]);
}

/* Without fresh addresses: what the last lookup came to, if it is news. */
static enum names_reply
reply_without(const struct names_entry *e, uint64_t since, uint64_t now)
{
	if (e->busy || e->asked)
		return NAMES_R_WAIT;
	if (e->done_ms == 0 || (e->done_ms < since &&
	    now - e->done_ms >= NAMES_NEGATIVE_MS) || e->state == NAME_OK)
		return NAMES_R_LOOKUP;
	if (e->state == NAME_NXDOMAIN)
		return NAMES_R_NXDOMAIN;
	if (e->state == NAME_EMPTY)
		return NAMES_R_EMPTY;
	return e->state == NAME_UNKNOWN ? NAMES_R_LOOKUP : NAMES_R_FAIL;
}

enum names_reply
names_reply(const struct names *t, const char *host, uint64_t since,
    uint64_t now)
{
	size_t i = names_find(t, host);
	const struct names_entry *e;

	if (i == NAMES_NONE || !t->enabled ||
	    (t->entry[i].host.flags & NAME_F_STUB) == 0)
		return NAMES_R_REFUSE;
	e = &t->entry[i];
	if (!names_fresh(e, now))
		return reply_without(e, since, now);
	return e->granted_ms > now ? NAMES_R_ADDRS : NAMES_R_GRANT;
}
