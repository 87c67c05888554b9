/* What portcullis says of itself: made of the tables in commands.h. */
#ifndef CLI_HELP_H
#define CLI_HELP_H

#include <stdio.h>

#include "supervisor/cli/command.h"

struct cli_command;

/* "usage: ..." of CMD; of the whole program if NULL. */
void cli_help_usage(FILE *out, const struct cli_command *cmd);

/* The usage and all that there is to say. */
void cli_help_print(FILE *out, const struct cli_command *cmd);

/* The command "help"; and the words that it takes. */
enum cli_exit cli_help(const struct cli_options *o);
const char *cli_help_word(unsigned i);

#endif
