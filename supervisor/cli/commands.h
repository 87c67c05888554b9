/*
 * The table of commands and that of options.  What portcullis takes, refuses,
 * explains and completes all follows from the two: another command is another
 * row.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include <stdbool.h>
#include <stddef.h>

#include "supervisor/cli/command.h"

enum cli_opt { CLI_O_DIR = 0, CLI_O_JSON, CLI_O_SHELL, CLI_O_FIELD,
	CLI_O_MAX_AGE, CLI_O_FOR, CLI_O_TIMEOUT, CLI_O_DRY_RUN, CLI_O_HELP,
	CLI_O_VERSION, CLI_NOPT };

/* For the member TAKES below. */
#define CLI_TAKES(opt) (1u << (opt))

struct cli_command {
	const char *name;
	enum cli_exit (*run)(const struct cli_options *o);
	unsigned takes; /* CLI_TAKES() of options beyond those of all */
	unsigned needs; /* those of TAKES without which it means nothing */
	const char *operand; /* what follows it: "FILE|-"; NULL: nothing */
	bool optional; /* the operand may be left out */
	/* The words that OPERAND may be, until NULL; NULL: any. */
	const char *(*word)(unsigned i);
	const char *summary; /* for the list: at most 60 characters */
	const char *more;    /* for its own help: whole lines; or "" */
};

/* NULL beyond the last; NULL: none of that name. */
const struct cli_command *cli_command_at(unsigned i);
const struct cli_command *cli_command_find(const char *name);

struct cli_opt_row {
	const char *name, *arg; /* ARG: NULL for none */
	const char *help;
};

extern const struct cli_opt_row cli_opt_rows[CLI_NOPT];

#endif
