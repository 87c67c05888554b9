/*
 * Changes of bridges and proxy, as transactions: part of the engine's core.
 * Its inputs are engine.h's engine_pending(), engine_kept(), engine_change().
 *
 * What was there before is remembered by the keeper until the change is kept
 * or rolled back, so that neither our end nor Tor's leaves half of it.
 */
#ifndef APPLY_H
#define APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/uplink.h"
#include "supervisor/engine/preflight.h"
#include "supervisor/links.h"
#include "supervisor/snapshot.h"

struct engine;

/* What the keeper is asked, until it answers. */
struct apply_keeper {
	enum link_change_step step; /* LINK_CHANGE_NONE: nothing */
	uint32_t id;
	uint64_t ends;	/* then it is asked again, or it has failed */
	int error;	/* its answer, once ANSWERED */
	bool answered;
};

struct apply {
	enum snap_apply_step step;
	uint64_t id;	/* of the verb; 0: nobody waits for answers */
	bool dry_run;
	struct preflight preflight;
	bool open;	/* a SETCONF of ours has no answer yet */
	bool forget;	/* the keeper still remembers what is over */
	int progress;	/* of bootstrap, as last told */
	uint64_t ends;	/* this step's deadline */
	uint64_t say_at; /* when who asked is to hear something */
	uint64_t again;	/* when the roll-back is tried once more */
	struct apply_keeper keeper;
	/* Owned while a change is under way, and wiped then. */
	struct pol_uplink *next, *before;
	char text[SNAP_TEXT]; /* why; stays when it is over */
	char since[32];	      /* UTC: when STEP began */
};

void apply_init(struct engine *e);
void apply_clear(struct engine *e); /* wipes all of it */

/* The gate is to stay shut for clients: Tor's way out is being changed. */
bool apply_busy(const struct engine *e);
void apply_snapshot(const struct engine *e, struct snapshot *s);
/* Go on with it. */
void apply_tick(struct engine *e, uint64_t now);
/* When that is needed next even if nothing happens; later than NOW. */
uint64_t apply_wake(const struct engine *e, uint64_t now);
/* Who asked is gone with the status process; its numbers begin anew. */
void apply_status_lost(struct engine *e);

#endif
