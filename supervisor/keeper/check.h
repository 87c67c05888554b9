/*
 * portcullisd -n: say what a policy means, or what is wrong with it.  As any
 * user; touches nothing.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>

#include "policy/parse.h"

/*
 * Check the policy at PATH; the result is the exit code: 0, 2 when there is
 * something wrong with it, 1 when the output cannot be written.  VERBOSE
 * also prints the canonical policy, what Tor would be told, and the rules of
 * each position.  PRINT, if not NULL, is a position ("closed", "tor-only",
 * "open"): then only its rules are printed.  HERE: it is for this machine, and
 * what it names and this one lacks is a warning.
 */
int check_run(const char *path, int verbose, const char *print, bool here);

/* "file:line: sentence" for each on standard error. */
void check_print_diags(const struct pol_diags *diags);

#endif
