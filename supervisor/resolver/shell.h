/*
 * What the process consists of, and how its parts work together: callbacks
 * record, shell_settle() acts after each turn of the loop.
 */
#ifndef RESOLVER_SHELL_H
#define RESOLVER_SHELL_H

#include <event2/event.h>

#include "policy/policy.h"

struct shell;

/* BASE and RESOLVER are borrowed.  Ends the process on failure. */
struct shell *shell_new(struct event_base *base,
    const struct pol_resolver *resolver);
void shell_free(struct shell *sh);

void shell_settle(struct shell *sh);
/* One line about everything, for SIGUSR1; no names. */
void shell_dump(const struct shell *sh);

#endif
