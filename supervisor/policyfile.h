/*
 * From the policy's files to a policy: reading them, whose they are, and who
 * the users in it are.  A library of its own (libpolicyfile.a): programs
 * that get the policy from the keeper need none of this.
 */
#ifndef POLICYFILE_H
#define POLICYFILE_H

#include <stdbool.h>

#include "policy/parse.h"

struct pol_origins;

/*
 * Read PATH and, in name order, each conf.d/NAME.conf in the same folder, and
 * parse them.  FOR_REAL: whoever can write one of them, the folder or conf.d
 * decides what the gate does, so all must be root's and nobody else's to
 * write.  As pol_parse() for the result and for DIAGS.
 */
int policyfile_load(struct pol_policy *out, struct pol_diags *diags,
    const char *path, bool for_real) __attribute__((warn_unused_result));

/* The same; FROM, which may be NULL, is added where each thing was set. */
int policyfile_load_from(struct pol_policy *out, struct pol_diags *diags,
    struct pol_origins *from, const char *path, bool for_real)
    __attribute__((warn_unused_result));

/*
 * Look up P's users.  -1 and diagnostics, added to those of DIAGS, when one
 * does not exist, is root, or is Tor's or ours as well; P is still valid.
 */
int policyfile_resolve(struct pol_policy *p, struct pol_diags *diags)
    __attribute__((warn_unused_result));

/* The same, and says where each of them was named; FROM may be NULL. */
int policyfile_resolve_from(struct pol_policy *p, struct pol_diags *diags,
    const struct pol_origins *from) __attribute__((warn_unused_result));

#endif
