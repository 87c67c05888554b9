/*
 * Who holds the boot table, and if it can be the netdev table, so that nobody
 * flushes them: run by the keeper.
 *
 * A table that is owned can be changed by its owner only, and a flush of the
 * whole ruleset passes it by; an orphan is anybody's.  What the gate owns is
 * an orphan between its death and the next gate's start.  The boot table is
 * held meanwhile, and all the time, by the keeper, which does nothing with it.
 *
 * Where it is held there is no guard, which has the same content: each packet
 * would pay for a second time (up to a twelfth of what it costs in all), and
 * for what?  While the keeper lives, nobody takes the boot table away,
 * whatever becomes of the gate.  When the keeper dies the kernel kills the
 * gate with it, stopped or not (PR_SET_PDEATHSIG), so that both would be
 * orphans, alike, and one flush would take both.  What the guard outlives is
 * a flush in the less than a millisecond between these two deaths; but not
 * the next one.  Linux before 6.9 has nothing that outlives its owner: nobody
 * holds the boot table, and the guard is what a flush passes by.
 *
 * The netdev table is held with it since Linux 6.16, where its chains follow
 * their interfaces by themselves.  Earlier somebody has to hang them anew
 * whenever an interface comes; only the owner can, and that is no work for a
 * keeper, which is to do nothing that can go wrong: there it is the gate's,
 * and a flush while the gate is dead takes it.
 */
#ifndef GATE_ANCHOR_H
#define GATE_ANCHOR_H

struct pol_policy;

/*
 * Hold what an earlier one has left, as it is: to be called first of all,
 * before the policy is read and users are looked up, which takes milliseconds
 * or, with a directory service, seconds.  Until then it is nobody's, and a
 * flush takes it.  What is another's, or cannot outlive its owner, is left
 * alone, and nothing that is not there is made; anchor_drop() says what is
 * the matter.  When the process ends instead, it is nobody's again.
 */
void anchor_claim(void);

/*
 * Put P's tables in the place of what is there, and hold them until the
 * process ends: the descriptor is CLOEXEC, and a child that does not execute
 * anything has to close it.  0 also where the kernel (before Linux 6.9) would
 * take the table away with its owner: then it is not held, and the gate loads
 * it.  -1 after one sentence: another portcullisd holds it, or the kernel
 * refuses.
 */
int anchor_drop(const struct pol_policy *p) __attribute__((warn_unused_result));

#endif
