/*
 * The gate process: the only one with CAP_NET_ADMIN.  design.md, section 3.
 */
#ifndef GATE_GATE_H
#define GATE_GATE_H

struct pol_policy;

/*
 * Be the gate.  Called by the keeper in a child right after fork(2), as
 * root, with the channel to the keeper as descriptor 3 and 0 to 2 open.  P
 * has its users resolved.  Returns the process's exit code: 0 asked to stop,
 * 1 failure, GATE_EXIT_START if it could not even begin (said on the log;
 * another instance holds the gate, or the kernel refuses); the position is
 * closed in every case.
 */
#define GATE_EXIT_START 3
int gate_main(const struct pol_policy *p);

/*
 * portcullisd --remove-rules: delete our tables, unless a gate holds them,
 * and print what was removed.  Returns the exit code.
 */
int gate_remove_rules(void);

#endif
