/*
 * The view together with the lines made of it: each line is encoded once,
 * when first wanted, and shared by every client.
 */
#ifndef STATUS_SOURCE_H
#define STATUS_SOURCE_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/status/clients.h"
#include "supervisor/status/encode.h"
#include "supervisor/status/history.h"
#include "supervisor/status/view.h"

struct status_source {
	struct status_view view; /* after a change: status_source_stale() */
	struct status_key told;	 /* what the last change line said */
	bool owed; /* a line of another type has said something else */
	uint64_t seq;
	/* Without and with the table; NULL: not made yet. */
	struct status_line *lines[STATUS_NTYPE][2];
	/*
	 * The table as it is told: view.table is encoded anew only when it
	 * or the belief in it has changed, and not too often.
	 */
	uint64_t version; /* from 1 */
	uint64_t changes; /* view.table's then; 0: there was none */
	bool sure;	  /* the engine was to be believed then */
	uint64_t since_ns;
	struct status_line *table; /* its text; NULL: there was none */
	struct status_history history;
	struct status_line *past; /* its text; NULL: not made yet */
};

/* The longest table is told this often at most, others more often. */
#define STATUS_TABLE_GAP_NS 250000000u

/* CLOCK_BOOTTIME in ns. */
uint64_t status_now_ns(void);

void status_source_init(struct status_source *src);
void status_source_clear(struct status_source *src);

/* The lines made so far say the wrong thing, or the wrong time. */
void status_source_stale(struct status_source *src);

/* The same, and what the view says now goes into the history. */
void status_source_note(struct status_source *src);

/*
 * Does the view differ from what was last told, or from what a newcomer was
 * shown since, who would else not hear that it is over?
 */
bool status_source_changed(struct status_source *src);

/* Is there a table that differs and is not told yet? */
bool status_source_waits(const struct status_source *src);

/* What the view says now is going to be told. */
void status_source_tell(struct status_source *src);

/*
 * The line of TYPE for a reader that has version HAD of the table: with the
 * table unless that is the present one; with the history if it is a SNAPSHOT.
 * Borrowed, until the next status_source_stale().
 */
struct status_line *status_source_line(struct status_source *src,
    enum status_type type, uint64_t had);

/* The same without the table, whatever its version: no part is missing. */
const struct status_line *status_source_bare(struct status_source *src,
    enum status_type type);

#endif
