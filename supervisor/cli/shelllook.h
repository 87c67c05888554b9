/* What cli_shellvars_make() needs of the files of this machine. */
#ifndef CLI_SHELLLOOK_H
#define CLI_SHELLLOOK_H

#include <stdint.h>

#include "supervisor/cli/shellvars.h"

/*
 * Where to look: "" and, in tests, a folder that stands for the root.
 * DEADLINE_MS bounds the one thing that can take time, Tor's SOCKS socket.
 */
void cli_shell_look(struct cli_shellenv *env, const char *root,
    uint64_t deadline_ms);

#endif
