/*
 * A status line (see portcullis(1)) for people.  Pure but for the stream that
 * is written to.  A field that is missing or of another type than expected
 * reads as not known: nothing in a line can make this fail.
 */
#ifndef CLI_FORMAT_H
#define CLI_FORMAT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "supervisor/cli/exit.h"

enum cli_goal { CLI_GOAL_NONE = 0, CLI_GOAL_OPEN, CLI_GOAL_CLOSED,
	CLI_GOAL_SYNC, CLI_GOAL_BOOTSTRAPPED, CLI_GOAL_USABLE, CLI_NGOAL };

/* "open", "time-sync" and so on; CLI_GOAL_NONE for anything else. */
enum cli_goal cli_goal_of(const char *name);

/* Is it an object of a schema that we understand? */
bool cli_line_ok(const json_t *line);

/*
 * Is it the only line of its connection?  The supervisor has no place for
 * another client.
 */
bool cli_line_refuses(const json_t *line);

/* Is the gate open?  CLI_OK, CLI_FAILED or CLI_UNKNOWN. */
enum cli_exit cli_verdict(const json_t *line);

bool cli_goal_met(const json_t *line, enum cli_goal goal);

/*
 * The sentence for LINE's position: at most 255 octets of printable ASCII
 * without <>&"'
 */
void cli_format_position(FILE *out, const json_t *line, bool colour);

/*
 * What is so, why, and what to do, one sentence each; then the details.  The
 * first line is at most 255 octets of printable ASCII without <>&"'.
 */
void cli_format_status(FILE *out, const json_t *line, bool colour);

/*
 * One line without time and newline, for watch: equal texts are no change.
 * DST is cut to CAP.
 */
void cli_format_change(char *dst, size_t cap, const json_t *line);

/*
 * LINE's table of listeners, with the gate's position before it and what the
 * policy does not name behind.  False, and a sentence instead: LINE has none.
 */
bool cli_format_listeners(FILE *out, const json_t *line);

#endif
