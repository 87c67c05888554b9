/*
 * The table of listeners as the engine sends it, page by page.  Pure.
 */
#ifndef STATUS_TABLE_H
#define STATUS_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/snapshot.h"

struct status_table {
	struct snap_listener *lines; /* owned, TOTAL of them, cleaned */
	bool *came;		     /* owned: which lines have come */
	uint32_t total;		     /* 0: no page came over this link */
	uint32_t missing;	     /* lines that have not come yet */
	uint32_t left;	  /* as the last page has it */
	uint64_t generation; /* ... too */
	uint32_t gated; /* proven lines that clients reach while it is open */
	uint64_t changes; /* counts what changed, over all links; never 0 */
};

void status_table_init(struct status_table *t);

/* Frees what T owns; it is empty again, and that is a change. */
void status_table_clear(struct status_table *t);

/*
 * Take the N octets of one datagram as a page.  False if they are not one, or
 * one of another table than the pages before it: T is then unchanged, and the
 * caller drops the link.  Ends the process when memory is out.
 */
bool status_table_take(struct status_table *t, const void *bytes, size_t n)
    __attribute__((warn_unused_result));

/* Every line has come: only then is it told. */
bool status_table_complete(const struct status_table *t);

#endif
