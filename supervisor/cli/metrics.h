/* A status line as OpenMetrics text.  Pure but for the stream. */
#ifndef CLI_METRICS_H
#define CLI_METRICS_H

#include <jansson.h>
#include <stdio.h>

/*
 * Ends in "# EOF".  What is not known now is left out: a number that is there
 * is one that the supervisor tells.
 */
void cli_metrics_print(FILE *out, const json_t *line);

#endif
