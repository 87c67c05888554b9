/*
 * What happens a few times at once, or over and over.  There is one of all
 * events that have us ask Tor again, and one of those that take something
 * back: in a storm either is left to the clock, and in one of the latter
 * nothing opens, for the gate would go up and down as often.  A storm closes
 * nothing.  Values only: no clock.
 */
#ifndef STORM_H
#define STORM_H

#include <stdbool.h>
#include <stdint.h>

/* All 0: calm. */
struct storm {
	uint64_t spent; /* what was noted is paid for at this time */
	uint64_t calm;	/* it is a storm before that */
};

/* Such an event; true if a storm has begun with it. */
bool storm_note(struct storm *s, uint64_t now);
bool storm_is_calm(const struct storm *s, uint64_t now);

#endif
