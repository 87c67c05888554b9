/*
 * From the policy's files to a policy: reading them, whose they are, and who
 * the users in it are.  A library of its own (libpolicyfile.a): programs
 * that get the policy from the keeper need none of this.
 */
#ifndef POLICYFILE_H
#define POLICYFILE_H

#include <stdbool.h>

#include "policy/parse.h"

/*
 * Read PATH and, in name order, each conf.d/NAME.conf in the same folder, and
 * parse them.  FOR_REAL: whoever can write one of them, the folder or conf.d
 * decides what the gate does, so all must be root's and nobody else's to
 * write.  As pol_parse() for the result and for DIAGS.
 */
int policyfile_load(struct pol_policy *out, struct pol_diags *diags,
    const char *path, bool for_real) __attribute__((warn_unused_result));

/*
 * Look up P's users.  -1 and diagnostics, added to those of DIAGS, when one
 * does not exist, is root, or is Tor's or ours as well; P is still valid.
 */
int policyfile_resolve(struct pol_policy *p, struct pol_diags *diags)
    __attribute__((warn_unused_result));

#endif
