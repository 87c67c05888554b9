#include "supervisor/cli/checks.h"

#include <stdarg.h>
#include <string.h>

#include "supervisor/cli/finding.h"

void
finding_say(struct cli_finding *f, enum cli_exit code, const char *hint,
    const char *fmt, ...)
{
	char text[CLI_TEXT_CAP];
	va_list ap;

	f->code = code;
	f->why[0] = '\0';
	va_start(ap, fmt);
	if (vsnprintf(text, sizeof text, fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	cli_sentence(f->text, sizeof f->text, text);
	cli_plain(f->hint, sizeof f->hint, hint);
}

void
finding_reason(struct cli_finding *f, const json_t *line)
{
	char text[CLI_TEXT_CAP];

	cli_field_text(f->why, cli_field(line, "reason", "text"));
	cli_field_text(text, cli_field(line, NULL, "advice"));
	if (text[0] != '\0')
		cli_plain(f->hint, sizeof f->hint, text);
}

void
finding_reason_of(struct cli_finding *f, const json_t *line, const char *fact)
{
	const char *missing = cli_check_missing(line);

	if (missing != NULL && strcmp(missing, fact) == 0)
		finding_reason(f, line);
}

static const struct {
	const char *name;
	void (*make)(struct cli_finding *f, const struct check_subject *s);
} checks[CLI_NCHECK] = {
	[CLI_C_RUNNING] = { "running", check_running },
	[CLI_C_CONTROL] = { "control", check_control },
	[CLI_C_ENABLED] = { "enabled", check_enabled },
	[CLI_C_CONFIG] = { "config", check_config },
	[CLI_C_RESOLVER] = { "resolver", check_resolver },
	[CLI_C_TRANSPORTS] = { "transports", check_transports },
	[CLI_C_CONSENSUS] = { "consensus", check_consensus },
	[CLI_C_CLOCK] = { "clock", check_clock },
	[CLI_C_BOOTSTRAPPED] = { "bootstrapped", check_bootstrapped },
	[CLI_C_CIRCUIT] = { "circuit", check_circuit },
	[CLI_C_USABLE] = { "usable", check_usable },
	[CLI_C_LISTENERS] = { "listeners", check_listeners },
	[CLI_C_FIREWALL] = { "firewall", check_firewall },
};

const char *
cli_check_name(unsigned check)
{
	return check < CLI_NCHECK ? checks[check].name : NULL;
}

enum cli_check
cli_check_of(const char *name)
{
	unsigned i = 0;

	while (i < CLI_NCHECK && strcmp(name, checks[i].name) != 0)
		i++;
	return (enum cli_check)i;
}

void
cli_check_make(struct cli_finding *f, enum cli_check check,
    const json_t *line, uint64_t max_age_ms)
{
	const struct check_subject s = { line, max_age_ms };

	memset(f, 0, sizeof *f);
	f->code = CLI_UNKNOWN;
	checks[check].make(f, &s);
}

/*
 * A code and its count; a sentence of the first that is not well.  What is
 * not known may be so because of what is wrong further down, as traffic is
 * while an operator holds the gate: it comes after all that is known.
 */
void
cli_check_all(struct cli_finding f[CLI_NCHECK], struct cli_finding *sum,
    const json_t *line, uint64_t max_age_ms)
{
	unsigned first = CLI_NCHECK, bad = 0;

	memset(sum, 0, sizeof *sum);
	for (unsigned i = 0; i < CLI_NCHECK; i++) {
		cli_check_make(&f[i], (enum cli_check)i, line, max_age_ms);
		if (f[i].code == CLI_OK)
			continue;
		if (bad++ == 0 || (f[first].code == CLI_UNKNOWN &&
		    f[i].code != CLI_UNKNOWN))
			first = i;
	}
	if (bad == 0) {
		finding_say(sum, CLI_OK, "", "All %d checks are well.",
		    CLI_NCHECK);
		return;
	}
	finding_say(sum, f[first].code, f[first].hint,
	    "%u of %d checks are not well: %.200s", bad, CLI_NCHECK,
	    f[first].text);
	memcpy(sum->why, f[first].why, sizeof sum->why);
}

/* --- the facts behind "open" ---------------------------------------------- */

static void
fact_alive(struct cli_finding *f, const struct check_subject *s)
{
	if (finding_cut_off(f, s))
		return;
	finding_say(f, CLI_FAILED, "If it stays so, restart Tor.",
	    "Tor has not answered within the lease.");
	finding_reason_of(f, s->line, "alive");
}

static void
fact_free(struct cli_finding *f, const struct check_subject *s)
{
	if (finding_unknown(f, s->line))
		return;
	if (json_is_true(cli_field(s->line, NULL, "hold")))
		finding_say(f, CLI_POLICY, "Release it with: portcullis "
		    "release", "An operator holds the gate closed.");
	else
		finding_say(f, CLI_FAILED, "After mending it: portcullis "
		    "reprove", "The supervisor holds the gate closed after a "
		    "violation.");
	finding_reason_of(f, s->line, "free");
}

/*
 * In the order in which the engine explains: each makes those after it
 * unknown.
 */
static const struct {
	const char *name;
	void (*make)(struct cli_finding *f, const struct check_subject *s);
	const char *text; /* when the check itself finds nothing amiss */
} facts[] = {
	{ "link", check_control, "The control connection is new." },
	{ "free", fact_free, "" },
	{ "configuration", check_config, "The configuration of Tor is being "
	    "compared with the policy." },
	{ "bootstrap", check_bootstrapped, "Tor has not enough of the "
	    "directory of its network yet." },
	{ "alive", fact_alive, "" },
	{ "circuit", check_circuit, "Whether Tor has a circuit is being "
	    "asked." },
	{ "listeners", check_listeners, "No listener is proven yet." },
	{ "usable", check_usable, "Whether Tor is usable is to be shown "
	    "anew." },
	{ "time", check_clock, "Whether the clock is right is being looked "
	    "at." },
};
#define NFACTS (sizeof facts / sizeof facts[0])

const char *
cli_check_missing(const json_t *line)
{
	if (!json_is_true(cli_field(line, "engine", "fresh")))
		return NULL;
	for (size_t i = 0; i < NFACTS; i++)
		if (json_is_false(cli_field(line, "facts", facts[i].name)))
			return facts[i].name;
	return NULL;
}

const char *
cli_check_fact_name(unsigned fact)
{
	return fact < NFACTS ? facts[fact].name : NULL;
}

void
cli_check_fact(struct cli_finding *f, unsigned fact, const json_t *line)
{
	const struct check_subject s = { line, UINT64_MAX };

	memset(f, 0, sizeof *f);
	if (json_is_true(cli_field(line, "facts", facts[fact].name))) {
		f->code = CLI_OK;
		return;
	}
	f->code = CLI_UNKNOWN;
	facts[fact].make(f, &s);
	if (f->code != CLI_OK)
		return;
	finding_say(f, CLI_FAILED, "", "%s", facts[fact].text);
	finding_reason_of(f, line, facts[fact].name);
}
