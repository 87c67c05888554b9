/*
 * How the checks of checks.h are made: for the files that make them.
 */
#ifndef CLI_FINDING_H
#define CLI_FINDING_H

#include "supervisor/cli/checks.h"

/* What a check looks at, and how old evidence may be. */
struct check_subject {
	const json_t *line;
	uint64_t max_age_ms;
};

/* Code, hint and text; what was said before is void. */
void finding_say(struct cli_finding *f, enum cli_exit code, const char *hint,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* LINE's reason and advice are about this finding. */
void finding_reason(struct cli_finding *f, const json_t *line);
/* ... if they are about FACT, as cli_check_missing() has it. */
void finding_reason_of(struct cli_finding *f, const json_t *line,
    const char *fact);

/*
 * True if there is nothing to be known, and F says why: the engine does not
 * tell; nor can it, without Tor; nor has Tor anything to tell while it is off.
 */
bool finding_unknown(struct cli_finding *f, const json_t *line);
bool finding_cut_off(struct cli_finding *f, const struct check_subject *s);
bool finding_off(struct cli_finding *f, const struct check_subject *s);

#define CHECK(name) \
	void check_##name(struct cli_finding *f, const struct check_subject *s)
CHECK(running);
CHECK(control);
CHECK(enabled);
CHECK(config);
CHECK(resolver);
CHECK(transports);
CHECK(consensus);
CHECK(clock);
CHECK(bootstrapped);
CHECK(circuit);
CHECK(usable);
CHECK(listeners);
CHECK(firewall);
#undef CHECK

#endif
