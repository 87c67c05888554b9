/* The rows of "portcullis status", by what they are about. */
#ifndef CLI_ROW_H
#define CLI_ROW_H

#include <jansson.h>
#include <stdio.h>

/* NAME in its column, and what FMT makes; the caller looks at ferror(). */
void cli_row(FILE *out, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * How Tor gets out: bridges, proxy, transports, names; nothing where Tor needs
 * none of it.
 */
void cli_format_ways(FILE *out, const json_t *line);
/* How many listeners are proven, those that are not, and alarms. */
void cli_format_troubles(FILE *out, const json_t *line);
/* Lease, egress, barriers, counters. */
void cli_format_firewall(FILE *out, const json_t *line);

#endif
