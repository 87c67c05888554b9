#include "supervisor/engine/relaylist.h"

#include <stdlib.h>
#include <string.h>

#include "controlproto/ns.h"
#include "supervisor/log.h"

/*
 * Each pair may be there several times before they are sorted, but Tor's
 * longest answer has not many more than this.
 */
#define COLLECT_MAX (4 * (size_t)POL_MAX_RELAYS)
#define CAP_MIN 1024

void
relaylist_clear(struct relaylist *l)
{
	free(l->pair);
	memset(l, 0, sizeof *l);
}

static void
grow(struct relaylist *l)
{
	size_t cap = l->cap == 0 ? CAP_MIN : 2 * l->cap;
	struct gate_relay *pair = reallocarray(l->pair, cap, sizeof *pair);

	if (pair == NULL)
		fatal("out of memory");
	l->pair = pair;
	l->cap = cap;
}

void
relaylist_add(struct relaylist *l, const struct cp_endpoint *e)
{
	struct gate_relay r;

	memset(&r, 0, sizeof r);
	memcpy(r.addr, e->addr, sizeof r.addr);
	r.port = e->port;
	r.v6 = e->v6;
	if (!gate_relay_ok(&r))
		return;
	if (l->n == COLLECT_MAX) {
		l->over = true;
		return;
	}
	if (l->n == l->cap)
		grow(l);
	l->pair[l->n++] = r;
}

/* IPv4 first, then by address and port; no padding, so memcmp() is right. */
static int
compare(const void *a, const void *b)
{
	const struct gate_relay *x = a, *y = b;

	if (x->v6 != y->v6)
		return x->v6 < y->v6 ? -1 : 1;
	return memcmp(x, y, sizeof *x);
}

_Static_assert(sizeof(struct gate_relay) == 20, "a relay has no padding");

int
relaylist_finish(struct relaylist *l)
{
	size_t kept = 0, of[2] = { 0, 0 };

	if (l->over)
		return -1;
	if (l->n > 0)
		qsort(l->pair, l->n, sizeof l->pair[0], compare);
	for (size_t i = 0; i < l->n; i++) {
		if (kept > 0 && compare(&l->pair[kept - 1], &l->pair[i]) == 0)
			continue;
		l->pair[kept++] = l->pair[i];
		of[l->pair[i].v6]++;
	}
	l->n = kept;
	return of[0] > POL_MAX_RELAYS || of[1] > POL_MAX_RELAYS ? -1 : 0;
}

bool
relaylist_equal(const struct relaylist *a, const struct relaylist *b)
{
	return a->n == b->n && (a->n == 0 ||
	    memcmp(a->pair, b->pair, a->n * sizeof a->pair[0]) == 0);
}

void
relaylist_page(struct gate_relays *out, const struct relaylist *l,
    size_t first, uint32_t generation)
{
	size_t n = l->n - first;

	if (n > GATE_RELAYS_PAGE)
		n = GATE_RELAYS_PAGE;
	memset(out, 0, sizeof *out);
	out->magic = GATE_RELAYS_MAGIC;
	out->generation = generation;
	out->total = (uint32_t)l->n;
	out->first = (uint32_t)first;
	out->n = (uint32_t)n;
	if (n > 0)
		memcpy(out->pair, l->pair + first, n * sizeof out->pair[0]);
}
