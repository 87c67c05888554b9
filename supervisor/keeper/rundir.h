/*
 * The run directory: its lock, and the two listening sockets, made while we
 * are root so that they outlive a restart of the status process.
 */
#ifndef RUNDIR_H
#define RUNDIR_H

#include <stdbool.h>

struct pol_policy;

struct rundir {
	int lock_fd;	/* held: one supervisor per run directory */
	int status_fd;	/* status.sock: anybody may read */
	int control_fd; /* control.sock: root and the status user's group */
};

/* -1 after one sentence on the log; OUT then holds nothing. */
int rundir_open(struct rundir *out, const struct pol_policy *policy)
    __attribute__((warn_unused_result));

/*
 * Are the folders above PATH root's alone?  Whoever may rename one can put
 * another in its place.
 */
bool rundir_is_safe_above(const char *path);

/*
 * An operator's hold, as a file in the run directory: it outlives the engine
 * and portcullisd, and ends with a release or with the next boot.  When it
 * cannot be read the answer is yes.
 */
bool rundir_held(const struct pol_policy *policy);
/* -1 after one sentence on the log. */
int rundir_hold(const struct pol_policy *policy, bool hold)
    __attribute__((warn_unused_result));

#endif
