/*
 * What is true of every ruleset, whatever the policy: for the unit test and
 * for the fuzzer.
 */
#ifndef POLPROPS_H
#define POLPROPS_H

#include "policy/rules.h"

/* NULL when RS is as it must be; else what is wrong, static. */
const char *pp_ruleset_fault(const struct pol_ruleset *rs);

#endif
