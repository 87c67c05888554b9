/* How a command ends, and what it says of that. */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include "supervisor/cli/command.h"
#include "supervisor/cli/conn.h"

/* Says what failed; RC is not CLI_IO_OK. */
enum cli_exit cli_io_failed(const struct cli_options *o, enum cli_io rc);

/*
 * CODE, if what was printed has arrived: a broken pipe is no success, and is
 * said to be none.
 */
enum cli_exit cli_printed(enum cli_exit code);

#endif
