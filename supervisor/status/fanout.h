/*
 * status.sock: lines out, nothing in.  Whatever clients do, each costs two
 * line references and a small send buffer, and the rest are served.  The long
 * part of a line, the table, is in memory at most STATUS_TABLES_MAX times, or a
 * shorter one as often as gives as many lines.
 */
#ifndef STATUS_FANOUT_H
#define STATUS_FANOUT_H

#include <event2/event.h>
#include <stddef.h>

#include "supervisor/status/source.h"

struct status_fanout;

/* Listening sockets, borrowed. */
struct status_doors {
	int status_fd;
	int control_fd; /* who may ask there is staff here: see places.h */
};

/*
 * Serve DOORS' status.sock, at most MOST clients at a time; one for whom
 * there is no place gets a line of type "refused", which tells all that there
 * is to tell, and the end.  SRC and BASE are borrowed and outlive the result.
 * Ends the process on failure.
 */
struct status_fanout *status_fanout_new(struct event_base *base,
    const struct status_doors *doors, size_t most, struct status_source *src);
void status_fanout_free(struct status_fanout *f);

/* Send the line of TYPE to everybody; newcomers get a snapshot instead. */
void status_fanout_publish(struct status_fanout *f, enum status_type type);

/* Drop those that do not read.  Call about once a second. */
void status_fanout_sweep(struct status_fanout *f);

size_t status_fanout_count(const struct status_fanout *f);

#endif
