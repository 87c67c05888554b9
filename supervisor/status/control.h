/*
 * control.sock: one JSON request per line in, one JSON answer per line out.
 * A client that sends anything else gets one error line and is dropped.
 */
#ifndef STATUS_CONTROL_H
#define STATUS_CONTROL_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "supervisor/snapshot.h"

/* People and their GUIs, not a crowd. */
#define STATUS_CONTROL_CLIENTS 32

struct status_control;

struct pol_policy;

/* How requests go up; false: it could not be sent. */
struct status_control_ops {
	bool (*verb)(void *arg, const struct snap_verb *v);
	bool (*change)(void *arg, const struct snap_change *c);
	/* The policy, by which a change is judged before it goes up. */
	const struct pol_policy *(*policy)(void *arg);
};

/* How long what may take; a test has less patience. */
struct status_deadlines {
	/* A line once begun, and the reading of a last answer. */
	uint64_t half_line_ns;
	/* With 32 places, nobody keeps one for nothing. */
	uint64_t idle_ns;
	/* The engine answers within a probe's time; then it hangs. */
	uint64_t answer_ns;
	/* A check builds circuits: from sentence to sentence, and in all. */
	uint64_t check_answer_ns, check_ns;
	/* The same of a change, which waits for Tor to bootstrap. */
	uint64_t apply_answer_ns, apply_ns;
};
extern const struct status_deadlines status_deadlines;

/*
 * Serve LISTEN_FD; it, DEADLINES and OPS are borrowed.  Ends the process on
 * failure.
 */
struct status_control *status_control_new(struct event_base *base,
    int listen_fd, const struct status_deadlines *deadlines,
    const struct status_control_ops *ops, void *arg);
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
/* Is it needed?  Not without clients. */
bool status_control_busy(const struct status_control *ctl);

#endif
