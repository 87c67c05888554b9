/*
 * Giving up everything that the gate does not need.
 */
#ifndef GATE_LOCKDOWN_H
#define GATE_LOCKDOWN_H

#include <stdint.h>

/*
 * First thing in the process: no core dumps, no tracing, dies with its
 * parent, a name of its own, and no descriptor but 0 to 3.  -1 and errno.
 */
int lockdown_begin(void) __attribute__((warn_unused_result));

/*
 * As root: memory that is never paged out, a place in the scheduler and at
 * the end of the OOM killer's list.  What is refused is logged: the lease
 * makes being late safe.
 */
void lockdown_priority(void);

/*
 * The keeper stays root, with no more of its power than it and its children
 * need, however it was started; no groups, no core dumps, no tracing.  -1 and
 * errno.
 */
int lockdown_keeper(void) __attribute__((warn_unused_result));

/* Nothing that is executed from here on gets a capability.  -1 and errno. */
int lockdown_bounding(void) __attribute__((warn_unused_result));

/*
 * For good: UID and GID, no groups, CAP_NET_ADMIN and nothing else, no new
 * privileges.  -1 and errno: the process must end.
 */
int lockdown_finish(uint32_t uid, uint32_t gid)
    __attribute__((warn_unused_result));

#endif
