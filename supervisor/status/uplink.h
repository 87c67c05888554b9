/*
 * The way up: the keeper's channel, over which the engine's end arrives,
 * and the engine's end itself.
 */
#ifndef STATUS_UPLINK_H
#define STATUS_UPLINK_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "supervisor/snapshot.h"
#include "supervisor/status/view.h"

struct status_uplink;

struct status_uplink_ops {
	/* The view changed, or a snapshot or a page confirmed it. */
	void (*on_view)(void *arg);
	/*
	 * The engine answered a verb.  R's text is clean and terminated.
	 * False: this cannot be an answer, and the link is dropped.
	 */
	bool (*on_result)(void *arg, const struct snap_result *r);
	/* The engine is gone: no verb under way will be answered. */
	void (*on_gone)(void *arg);
};

/* BASE, VIEW, OPS and ARG are borrowed.  Ends the process on failure. */
struct status_uplink *status_uplink_new(struct event_base *base,
    struct status_view *view, const struct status_uplink_ops *ops, void *arg);
void status_uplink_free(struct status_uplink *up);

/* Send a verb.  False: no engine, or it does not read. */
bool status_uplink_send(struct status_uplink *up, const struct snap_verb *v)
    __attribute__((warn_unused_result));
/* The same of a change. */
bool status_uplink_change(struct status_uplink *up,
    const struct snap_change *c) __attribute__((warn_unused_result));

#endif
