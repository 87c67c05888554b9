/*
 * What each program may still ask of the kernel once it has begun: a list of
 * system calls, with a reason for each (tables.c), and no files but those it
 * says (landlock.h).  Whatever is not on the list kills the process, and a
 * dead process of ours means a closed gate; a few that libraries try and can
 * do without are refused with an error instead, as the table says.
 *
 * The keeper's children are forked and executed under the keeper's list, so
 * that one holds theirs as well: it is what remains if all of them are one's.
 */
#ifndef SANDBOX_H
#define SANDBOX_H

#include <linux/filter.h>

enum sandbox_program {
	SANDBOX_KEEPER = 0,
	SANDBOX_GATE,
	SANDBOX_GATE_FILES, /* and reads below /proc: see tables.c */
	SANDBOX_PURGE,
	SANDBOX_OWNER,
	SANDBOX_ENGINE,
	SANDBOX_STATUS,
	SANDBOX_RESOLVER,
	SANDBOX_NPROGRAMS,
};

/* The longest, the keeper's, has some 300; the kernel takes 4096. */
#define SANDBOX_MOST_CODE 2048

/* A list made ready for the kernel. */
struct sandbox_code {
	unsigned n; /* 0: nothing to enter, as in an instrumented build */
	struct sock_filter op[SANDBOX_MOST_CODE];
};

/*
 * Make the list of WHO ready; this takes memory.  -1: it cannot be made, with
 * errno.
 */
int sandbox_prepare(struct sandbox_code *out, enum sandbox_program who)
    __attribute__((warn_unused_result));

/*
 * From here on, and for every child.  One system call, no memory; no new
 * privileges either, which it needs.  -1 and errno: the process must end.
 */
int sandbox_enter(const struct sandbox_code *c)
    __attribute__((warn_unused_result));

/* Both, and fatal() if either fails. */
void sandbox_apply(enum sandbox_program who);

#endif
