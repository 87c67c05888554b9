/*
 * A change of bridges or proxy, as far as it concerns the keeper: what was
 * there before, for an engine that comes after one that died; and the file
 * that keeps what has proven itself.
 */
#ifndef CHANGE_H
#define CHANGE_H

#include "supervisor/links.h"

struct pol_policy;

struct change {
	int fd; /* sealed memfd, a struct link_pending; -1: nothing pending */
};

void change_init(struct change *c);

/*
 * The folder of PATH, as it is written and where symbolic links lead, opened.
 * -1 and errno; EPERM: others than root may write there or above, and so
 * could put a file of theirs where Tor, as root, reads ours.
 */
int change_folder(const char *path) __attribute__((warn_unused_result));

/*
 * Do what M asks, and fill in ANSWER.  What is not by the policy P is refused
 * with EPERM, whoever asked; other errors are the system's.  A sentence is on
 * the log then.
 */
void change_take(struct change *c, struct link_kept *answer,
    const struct link_change *m, const struct pol_policy *p);

#endif
