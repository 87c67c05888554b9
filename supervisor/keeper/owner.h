/*
 * Which process has this socket open?  The keeper looks on the engine's
 * behalf, in a short-lived child, one question at a time; see links.h.
 */
#ifndef OWNER_H
#define OWNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "supervisor/links.h"

struct owner {
	struct link_owner ask; /* the question under way */
	pid_t child;	       /* 0: none */
	int fd;		       /* its answer comes here; -1: none is due */
	bool asked;
	uint64_t started_ms;   /* of the last question */
};

void owner_init(struct owner *o);

/*
 * Start looking, at NOW (ms of a clock that does not jump).  Does nothing if
 * a question is under way or if the last one was less than LINK_OWNER_MS ago.
 * ASK has been found to be valid.
 */
void owner_start(struct owner *o, const struct link_owner *ask, uint64_t now);

/* While a search is under way: see owner_read(). */
#define OWNER_LOOK_MS 100

/*
 * To be called when O->fd is readable, and every OWNER_LOOK_MS.  True, once
 * for each question that was started: OUT is the answer, found or not.
 */
bool owner_read(struct owner *o, struct link_owner *out, uint64_t now);

/* PID has been waited for.  True if it was ours. */
bool owner_ended(struct owner *o, pid_t pid);

/* Nobody wants to know any more: there will be no answer. */
void owner_cancel(struct owner *o);

#endif
