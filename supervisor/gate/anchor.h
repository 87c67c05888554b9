/*
 * Who holds the boot table, so that nobody flushes it: run by the keeper.
 *
 * A table that is owned can be changed by its owner only, and a flush of the
 * whole ruleset passes it by; an orphan is anybody's.  The guard is the
 * gate's, so between a gate's death and the next gate's start it is an
 * orphan.  The boot table has the same content and is held meanwhile, and
 * all the time, by the keeper, which does nothing with it.
 */
#ifndef GATE_ANCHOR_H
#define GATE_ANCHOR_H

struct pol_policy;

/*
 * Put P's boot table in the place of what is there, and hold it until the
 * process ends: the descriptor is CLOEXEC, and a child that does not execute
 * anything has to close it.  0 also where the kernel (before Linux 6.9) would
 * take the table away with its owner: then it is not held, and the gate loads
 * it.  -1 after one sentence: another portcullisd holds it, or the kernel
 * refuses.
 */
int anchor_drop(const struct pol_policy *p) __attribute__((warn_unused_result));

#endif
