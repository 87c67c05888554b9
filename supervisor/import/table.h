/*
 * From Tor's port lines, one for each address and port, to the few listener
 * sections that say the same.
 */
#ifndef IMPORT_TABLE_H
#define IMPORT_TABLE_H

#include <stdio.h>

#include "supervisor/import/knobs.h"
#include "supervisor/import/torrc.h"

/* It has a section of its own, "socks-9108", which timesync can name. */
#define IMPORT_SDWDATE_PORT 9108

/*
 * Print the sections for all of T that KNOBS let clients reach; what has no
 * place there is noted.  -1: out of memory.
 */
int import_table_print(FILE *out, const struct import_torrc *t,
    const struct import_knobs *knobs, struct import_notes *notes)
    __attribute__((warn_unused_result));

#endif
