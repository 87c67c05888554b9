/*
 * Strict egress: which relays Tor may reach, found out on the control port
 * and told to the gate.  All of it does nothing unless the policy is strict.
 */
#ifndef RELAYS_H
#define RELAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/engine/relaylist.h"
#include "supervisor/snapshot.h"

struct cp_reply;
struct engine;

/* What is to be asked next. */
enum relays_step {
	RELAYS_IDLE = 0,
	RELAYS_CONF,	 /* the options that say where Tor goes */
	RELAYS_DEFAULTS, /* the directories that Tor comes with */
	RELAYS_NS,	 /* the consensus */
	RELAYS_NSTEP
};

struct relays {
	/* making a list */
	enum relays_step step;
	bool changed;	/* since the list that is being made was begun */
	uint64_t due;	/* when to look again */
	uint64_t begun; /* when the last one was begun; 0: none yet */
	bool reading;	/* ns/all has no answer yet */
	unsigned broken; /* sessions in a row that ended in the midst of it */
	uint64_t held;	/* nothing is asked before */
	bool fallbacks; /* Tor's own fallback directories are used */
	struct relaylist next;
	size_t odd; /* lines that were not understood */

	/* the newest whole one */
	struct relaylist list;
	bool have;
	char fault[SNAP_TEXT]; /* for people; no address in it */

	/* telling the gate */
	uint32_t generation; /* of LIST as it was last sent; 0: never */
	uint32_t used;	     /* the last generation that was given away */
	bool sending;
	size_t sent;	 /* pairs */
	uint64_t again;	 /* not before this: the page, or the whole list */
	struct gate_relays *page; /* owned: scratch */
};

/* Dies when out of memory. */
void relays_init(struct engine *e);
void relays_clear(struct engine *e);

/* The session is over: what was being made is not; what was made stays. */
void relays_lost(struct engine *e);
/* There is another gate: nothing is known of what it has in force. */
void relays_gate(struct engine *e);

/* Something may be different now: look soon. */
void relays_changed(struct engine *e);
/* A CONF_CHANGED event: is it about one of the options? */
void relays_on_changed(struct engine *e, const struct cp_reply *event);

/* Is there something to ask Tor now?  Then relays_ask() does. */
bool relays_due(const struct engine *e, uint64_t now);
void relays_ask(struct engine *e, uint64_t now);
void relays_on_conf(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
void relays_on_defaults(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
void relays_on_ns(struct engine *e, const struct cp_reply *reply,
    uint64_t now);

/* Send the gate what it lacks; when to be called again. */
void relays_tick(struct engine *e, uint64_t now);
uint64_t relays_wake(const struct engine *e);

/* The policy is strict, and the gate lets Tor reach nothing yet. */
bool relays_missing(const struct engine *e);

#endif
