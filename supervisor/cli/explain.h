/*
 * Checks, the reasons for a closed gate, and what happened lately, for people
 * and for programs.  Pure but for the stream that is written to.
 */
#ifndef CLI_EXPLAIN_H
#define CLI_EXPLAIN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>

#include "supervisor/cli/checks.h"

/* The sentence, then why and what to do. */
void cli_explain_finding(FILE *out, const struct cli_finding *f);
/* Details of what CHECK is about; there may be none. */
void cli_explain_details(FILE *out, enum cli_check check,
    const json_t *line);
void cli_explain_all(FILE *out, const struct cli_finding f[CLI_NCHECK],
    const struct cli_finding *sum, bool colour);

/* {"check", "ok", "code", "text", "why", "hint"}; the caller's. */
json_t *cli_explain_json(const struct cli_finding *f, const char *name)
    __attribute__((warn_unused_result));
/* The same of SUM, with the others as its member "checks". */
json_t *cli_explain_all_json(const struct cli_finding f[CLI_NCHECK],
    const struct cli_finding *sum) __attribute__((warn_unused_result));

/* Why the gate is as it is, and what would open it. */
void cli_explain_print(FILE *out, const json_t *line, bool colour);
json_t *cli_explain_gate_json(const json_t *line)
    __attribute__((warn_unused_result));

/* The transitions in LINE, oldest first; false: it has none to tell. */
bool cli_explain_log(FILE *out, const json_t *line);

#endif
