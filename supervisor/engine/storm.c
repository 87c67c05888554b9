#include "supervisor/engine/storm.h"

/*
 * An honest Tor has a handful of them when it starts, reloads, or loses the
 * network, and less than one in a second after that.
 */
#define BURST 20
#define EACH_MS 1000

/* Longer than what lies between two of a storm. */
#define CALM_MS 1500

bool
storm_note(struct storm *s, uint64_t now)
{
	bool was_calm = storm_is_calm(s, now);

	if (s->spent < now)
		s->spent = now;
	if (s->spent - now < BURST * EACH_MS) {
		s->spent += EACH_MS;
		return false;
	}
	s->calm = now + CALM_MS;
	return was_calm;
}

bool
storm_is_calm(const struct storm *s, uint64_t now)
{
	return now >= s->calm;
}
