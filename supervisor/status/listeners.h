/* What the lines of status.sock say about listeners.  Pure. */
#ifndef STATUS_LISTENERS_H
#define STATUS_LISTENERS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "supervisor/status/view.h"

/*
 * The object "listeners", without the table.  ENGINE, GATE: what either says
 * may be believed.  NULL when memory is out.
 */
json_t *status_listeners_encode(const struct status_view *v, bool engine,
    bool gate) __attribute__((warn_unused_result));

/*
 * The table as a JSON array; T is complete.  Unless SURE, the engine is in
 * doubt: then it says what the policy asks for, and of no listener how it is.
 * The caller frees it with free().  NULL when memory is out.
 */
char *status_listeners_table(const struct status_table *t, bool sure,
    size_t *len) __attribute__((warn_unused_result));

#endif
