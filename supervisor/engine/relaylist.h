/*
 * A list of addresses and ports that Tor may reach, as the gate wants it:
 * sorted, each pair once, of each family no more than there is room for.
 */
#ifndef RELAYLIST_H
#define RELAYLIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/gatemsg.h"

struct cp_endpoint;

struct relaylist {
	struct gate_relay *pair; /* owned */
	size_t n, cap;
	bool over; /* there was more than is ever collected */
};

/* A zeroed struct is an empty list, and may be cleared. */
void relaylist_clear(struct relaylist *l);

/*
 * Append E; what no relay can have (loopback, multicast) is left out.  Dies
 * when out of memory.
 */
void relaylist_add(struct relaylist *l, const struct cp_endpoint *e);

/*
 * Sort, strike out what is twice.  -1: more than POL_MAX_RELAYS of one
 * family; the list must not be used.
 */
int relaylist_finish(struct relaylist *l) __attribute__((warn_unused_result));

/* Both are finished. */
bool relaylist_equal(const struct relaylist *a, const struct relaylist *b);

/*
 * The page of L, which is finished, that begins with pair FIRST; of an empty
 * list there is one, empty.
 */
void relaylist_page(struct gate_relays *out, const struct relaylist *l,
    size_t first, uint32_t generation);

#endif
