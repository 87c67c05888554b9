/*
 * control.sock: one JSON request per line in, one JSON answer per line out.
 * A client that sends anything else gets one error line and is dropped.
 */
#ifndef STATUS_CONTROL_H
#define STATUS_CONTROL_H

#include <event2/event.h>
#include <stdbool.h>

#include "supervisor/snapshot.h"

/* People and their GUIs, not a crowd. */
#define STATUS_CONTROL_CLIENTS 32

struct status_control;

/* How a verb goes up; false: it could not be sent. */
typedef bool status_verb_fn(void *arg, const struct snap_verb *v);

/* Serve LISTEN_FD (borrowed).  Ends the process on failure. */
struct status_control *status_control_new(struct event_base *base,
    int listen_fd, status_verb_fn *send_verb, void *arg);
void status_control_free(struct status_control *ctl);

/*
 * The engine's answer; one that nobody waits for is ignored.  False: there
 * cannot be more answers to that verb.
 */
bool status_control_result(struct status_control *ctl,
    const struct snap_result *r) __attribute__((warn_unused_result));

/* The engine is gone: everybody who waits is told so. */
void status_control_gone(struct status_control *ctl);

/* Deadlines: call a few times a second. */
void status_control_tick(struct status_control *ctl);

#endif
