/*
 * The policy as portcullisd's children get it: canonical text in memory that
 * nobody can change any more, at LINK_POLICY_FD.
 */
#ifndef POLICYFD_H
#define POLICYFD_H

struct pol_policy;

/*
 * Read and parse it; the descriptor stays open.  Ends the process if it is
 * not what portcullisd would have handed over.  pol_policy_clear() it.
 */
void policyfd_read(struct pol_policy *policy);

#endif
