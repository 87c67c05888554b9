/*
 * How Tor gets out, of a snapshot: checked, cleaned, and as JSON.  Pure.
 */
#ifndef STATUS_WAYS_H
#define STATUS_WAYS_H

#include <jansson.h>
#include <stdbool.h>

#include "supervisor/snapshot.h"

/* Numbers within their bounds; the text is cleaned separately. */
bool status_ways_ok(const struct snapshot *s);
void status_ways_clean(struct snapshot *s);

/* Member "uplink"; its members are null unless KNOWN.  NULL: out of memory. */
json_t *status_ways_encode(const struct snapshot *s, bool known);

#endif
