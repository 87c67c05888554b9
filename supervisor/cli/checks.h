/*
 * What "portcullis check NAME" says of a status line.  Pure: a line that
 * lacks a field, or has it as another type, gives "not known", never "well".
 */
#ifndef CLI_CHECKS_H
#define CLI_CHECKS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "supervisor/cli/exit.h"
#include "supervisor/cli/field.h"

/* A cause before its effects: the first that is not well explains the rest. */
enum cli_check { CLI_C_RUNNING = 0, CLI_C_CONTROL, CLI_C_ENABLED,
	CLI_C_CONFIG, CLI_C_RESOLVER, CLI_C_TRANSPORTS, CLI_C_CONSENSUS,
	CLI_C_CLOCK, CLI_C_BOOTSTRAPPED, CLI_C_CIRCUIT, CLI_C_USABLE,
	CLI_C_LISTENERS, CLI_C_FIREWALL, CLI_NCHECK };

struct cli_finding {
	enum cli_exit code;
	/* One sentence: printable ASCII without any of <>&"' */
	char text[CLI_TEXT_CAP];
	char why[CLI_TEXT_CAP];	 /* the supervisor's own word; or empty */
	char hint[CLI_TEXT_CAP]; /* what to do; or empty */
};

/* "running"; NULL beyond the last. */
const char *cli_check_name(unsigned check);
/* CLI_NCHECK: none of that name. */
enum cli_check cli_check_of(const char *name);

/*
 * MAX_AGE_MS: of CLI_C_USABLE, the oldest circuit that counts; UINT64_MAX: any
 * that the supervisor itself takes for evidence.
 */
void cli_check_make(struct cli_finding *f, enum cli_check check,
    const json_t *line, uint64_t max_age_ms);

/*
 * All of them: the code is that of the first that is not well, the text says
 * how many.
 */
void cli_check_all(struct cli_finding f[CLI_NCHECK],
    struct cli_finding *sum, const json_t *line, uint64_t max_age_ms);

/* "link": facts behind "open" in the engine's order; NULL beyond the last. */
const char *cli_check_fact_name(unsigned fact);
/* CLI_OK and no text if it holds; otherwise why it does not. */
void cli_check_fact(struct cli_finding *f, unsigned fact,
    const json_t *line);

/*
 * The first fact that LINE lacks in the order in which the engine explains:
 * its reason is about that one.  NULL: none is lacking, or none is known.
 */
const char *cli_check_missing(const json_t *line);

#endif
