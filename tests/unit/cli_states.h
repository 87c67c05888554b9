/*
 * Status lines as they are in each state of a gateway: what the checks, the
 * shell's variables and the metrics are tested with.
 */
#ifndef CLI_STATES_H
#define CLI_STATES_H

#include <jansson.h>

/* "open", "tor-down", ...; NULL beyond the last. */
const char *cli_state_name(unsigned i);

/* The line of the state NAME: the caller's. */
json_t *cli_state_line(const char *name);

#endif
