/*
 * A status line as the variables that systemcheck's shell fragments set for
 * themselves (tor_bootstrap_check.bsh and those around it), so that they can
 * be had by one eval.  Pure: what is not in a line comes in a struct.
 */
#ifndef CLI_SHELLVARS_H
#define CLI_SHELLVARS_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "supervisor/cli/field.h"

enum cli_shellvar {
	CLI_SV_ACTION = 0, CLI_SV_HELPER_CODE, CLI_SV_HELPER_OUTPUT,
	CLI_SV_PERCENT, CLI_SV_STATUS, CLI_SV_TIMEOUT_TYPE,
	CLI_SV_ESTABLISHED, CLI_SV_ESTABLISHED_WORD, CLI_SV_ESTABLISHED_CODE,
	CLI_SV_BUILT_CODE, CLI_SV_DORMANT, CLI_SV_DORMANT_TYPE,
	CLI_SV_AFTER_CODE, CLI_SV_AFTER, CLI_SV_AFTER_UNIX,
	CLI_SV_UNTIL_CODE, CLI_SV_UNTIL, CLI_SV_UNTIL_UNIX,
	CLI_SV_GATEWAY, CLI_SV_GATEWAY6, CLI_SV_CONTROL_PORT,
	CLI_SV_GATEWAY_ERROR, CLI_SV_ENABLED, CLI_SV_PID_CODE,
	CLI_SV_PID_MESSAGE, CLI_SV_VERIFY_CODE, CLI_SV_SOCKS,
	CLI_SV_FIREWALL, CLI_SV_FIREWALL_TEXT, CLI_SV_TIME, CLI_SV_CLOCK,
	CLI_SV_CLOCK_TEXT, CLI_NSHELLVAR
};

/* What curl's exit code says of Tor's SOCKS socket. */
enum { CLI_SOCKS_THERE = 22, CLI_SOCKS_REFUSED = 7, CLI_SOCKS_SILENT = 28 };

/* What only the files of this machine tell. */
struct cli_shellenv {
	int socks; /* one of the three above */
	bool first_run, consecutive_run; /* /run/whonix_firewall/ has them */
	const char *timesync; /* sdwdate's word; NULL: it says nothing */
};

struct cli_shellvars {
	char value[CLI_NSHELLVAR][CLI_TEXT_CAP];
};

/*
 * LINE NULL: no supervisor answers.  Every variable gets a value in every
 * case, of printable ASCII without any of <>&`$\
 */
void cli_shellvars_make(struct cli_shellvars *v, const json_t *line,
    const struct cli_shellenv *env);

/* "tor_bootstrap_percent" */
const char *cli_shellvar_name(enum cli_shellvar var);

/* name='value' for each, one a line, as sh reads it. */
void cli_shellvars_print(FILE *out, const struct cli_shellvars *v);

/*
 * Does Tor answer to us?  What the applets' exit codes stand for: 0, or 255
 * where there is no control connection or nobody knows.
 */
int cli_shell_reach(const json_t *line);

/*
 * "2026-11-22 07:34:20" and *UNIX of an RFC 3339 time in UTC; false, and both
 * are empty, if VALUE is none.
 */
bool cli_shell_time(char dst[CLI_TEXT_CAP], int64_t *unix_s,
    const json_t *value);

#endif
