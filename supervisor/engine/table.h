/*
 * The table of listeners, for the status process: all of it for one that has
 * just come, then the lines that changed.  Nothing is looked at while nothing
 * changes.
 */
#ifndef TABLE_H
#define TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/engine/privacy.h"
#include "supervisor/snapshot.h"

struct engine;

/* As the status process is to have it. */
struct table {
	struct snap_listener *line; /* owned, by listener number */
	bool *dirty;		    /* owned: not sent yet */
	size_t ndirty;
	size_t next; /* where the search for dirty lines goes on */
	uint64_t generation;
	uint64_t seen; /* prov.version that it is made from */
	struct snapshot sum; /* of this, only what counts listeners */
	struct privacy privacy;
};

void table_init(struct engine *e);
void table_clear(struct engine *e);
/* What is told of it may be otherwise: look again. */
void table_look(struct engine *e);
/* All of it is to be sent again. */
void table_restart(struct engine *e);
/* Look at what has changed, send what the status process takes. */
void table_update(struct engine *e);
void table_send(struct engine *e);

#endif
