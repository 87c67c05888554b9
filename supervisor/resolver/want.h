/*
 * What we ask the engine to have the firewall let through, and whether it
 * does.  Pure.
 */
#ifndef RESOLVER_WANT_H
#define RESOLVER_WANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/resolver/names.h"

/* The engine asks the gate, which asks the kernel: far less than this. */
#define WANT_ANSWER_MS 3000

struct want {
	struct name_want msg; /* the newest; id 0: there was none */
	bool sent;
	bool answered, denied;
	bool lookup_ok; /* lookups may leave */
	uint64_t since_ms;
};

/* The engine is a new one, or gone: nothing is promised, nothing asked. */
void want_reset(struct want *w);

/*
 * LOOKUP: the resolver is to be asked; HOST: its addresses are to be in
 * force, or NAMES_NONE.  What has been promised for the same lasts.
 */
void want_set(struct want *w, const struct names *t, bool lookup, size_t host,
    uint64_t now);

enum want_result { WANT_STALE = 0, WANT_GRANTED, WANT_DENIED };
/* A denial of addresses takes back nothing that was promised for lookups. */
enum want_result want_go(struct want *w, const struct name_go *go);
/* No answer came in time: as if it were a denial. */
bool want_late(const struct want *w, uint64_t now);
uint64_t want_next(const struct want *w); /* UINT64_MAX: never */

#endif
