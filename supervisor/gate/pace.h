/*
 * When the gate does what is due by time: Tor's heartbeat, four times a lease,
 * and the look round, once a second.  To be awake once is cheaper than twice:
 * when the engine has just woken us, what would be due before it does so again
 * is done now, and the timer waits a little longer, so that the next request
 * comes before it.  Whatever the rhythm of requests, in good time:
 *
 *	heartbeat	after 1.5 intervals at the latest, on average half of
 *			one at least
 *	look round	after 1.125 seconds at the latest, on average 0.75 at
 *			least
 *
 * No I/O, no clock.
 */
#ifndef GATE_PACE_H
#define GATE_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	uint64_t interval_ns; /* of heartbeats and of requests */
	uint64_t beat_ns;     /* when Tor's lease is to be refreshed */
	uint64_t second_ns;   /* when the next look round is due */
};

/* Nothing has been done yet; all is due. */
void pace_init(struct pace *p, uint32_t lease_ms);

/*
 * Is it due?  ASKED: the engine has just said something.  True: do it now; the
 * next time counts from NOW_NS, so that nothing is made up for after a stop.
 */
bool pace_beat(struct pace *p, uint64_t now_ns, bool asked);
bool pace_look(struct pace *p, uint64_t now_ns, bool asked);

/* When to wake up if nobody asks. */
uint64_t pace_next(const struct pace *p);

#endif
