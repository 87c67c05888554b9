/* A snapshot of a gateway in good order, for the status and CLI tests. */
#ifndef STATUS_SAMPLE_H
#define STATUS_SAMPLE_H

#include "supervisor/status/view.h"

#define SAMPLE_NOW UINT64_C(100000000000)
#define SAMPLE_VALID_AFTER 1769900400 /* 2026-01-31T23:00:00Z */

/* Open, everything proven; every counter has a number of its own. */
void sample_snapshot(struct snapshot *s);

/* The same as a view: linked, taken at SAMPLE_NOW. */
void sample_view(struct status_view *v);

/* Line NUMBER of a table: proven, 10.0.0.1:9000 and up. */
void sample_line(struct snap_listener *l, unsigned number);

/* Lines FIRST to FIRST + N - 1 of a table of TOTAL. */
void sample_page(struct snap_page *p, unsigned total, unsigned first,
    unsigned n);

/* All TOTAL lines into V. */
void sample_table(struct status_view *v, unsigned total);

#endif
