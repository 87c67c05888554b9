/* How a command ends, and what it says of that. */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include <jansson.h>
#include <stdbool.h>

#include "supervisor/cli/command.h"
#include "supervisor/cli/conn.h"

/*
 * The first line of the status socket: *TEXT lasts as long as C, which is to
 * be closed in any case, and the result is the caller's.  NULL: *CODE says
 * why, and so does a sentence.
 */
json_t *cli_first_line(struct cli_conn *c, char **text, enum cli_exit *code,
    const struct cli_options *o) __attribute__((warn_unused_result));

/* Are colours wanted on standard output?  See NO_COLOR in portcullis(1). */
bool cli_colour(void);

/* JSON goes out as it came, if no octet of it could harm a terminal. */
void cli_print_raw(char *text);
/* VALUE, which is taken, as one line; CLI_UNKNOWN if memory is out. */
enum cli_exit cli_print_json(json_t *value);

/* Says what failed; RC is not CLI_IO_OK. */
enum cli_exit cli_io_failed(const struct cli_options *o, enum cli_io rc);

/*
 * CODE, if what was printed has arrived: a broken pipe is no success, and is
 * said to be none.
 */
enum cli_exit cli_printed(enum cli_exit code);

#endif
