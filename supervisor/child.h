/* What each program that portcullisd starts does before anything else. */
#ifndef CHILD_H
#define CHILD_H

/*
 * Were we started with the descriptors of links.h?  If not, exit(2), and say
 * that PROGRAM is not to be started by hand.
 */
void child_check(const char *program);

/*
 * Die with the keeper; leave no image of our memory anywhere; gain no
 * privilege; be called NAME.  Ends the process when that cannot be had.
 */
void child_lock_down(const char *name);

#endif
