/* portcullis top. */
#ifndef TOP_RUN_H
#define TOP_RUN_H

#include "supervisor/cli/command.h"

/* Until the person leaves or the terminal goes away; errors to stderr. */
enum cli_exit cli_top(const struct cli_options *o);

#endif
