/*
 * The rows of "portcullis status", and those of them that tell how Tor gets
 * out: bridges, proxy, transports, names.
 */
#ifndef CLI_ROW_H
#define CLI_ROW_H

#include <jansson.h>
#include <stdio.h>

/* NAME in its column, and what FMT makes; the caller looks at ferror(). */
void cli_row(FILE *out, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Of a status line; nothing where Tor needs none of it. */
void cli_format_ways(FILE *out, const json_t *line);

#endif
