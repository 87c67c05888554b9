/*
 * A request for other bridges or another proxy as values.  Pure.
 */
#ifndef STATUS_CHANGE_H
#define STATUS_CHANGE_H

#include <jansson.h>
#include <stdbool.h>

#include "policy/uplink.h"
#include "supervisor/snapshot.h"

/*
 * OBJ, a whole request, has "torrc" with torrc lines, or both of "bridges"
 * ("none", a transport's name, or an array of lines) and "proxy" ("none", or
 * an object of "type", "host", "port" and, both or none, "user" and
 * "password"); and "dry_run" if that is wanted.  Fills in C's uplink and
 * dry_run.  False: WHY has a sentence, and C is wiped.
 */
bool status_change_read(struct snap_change *c, char why[POL_UPLINK_WHY],
    const struct pol_policy *p, const json_t *obj)
    __attribute__((warn_unused_result));

#endif
