/* What Tor is, has been told, and how far it is. */
#include <string.h>

#include "supervisor/cli/finding.h"

/* --- what is so with the connection to Tor ------------------------------- */

/* What a reason's code says of Tor, if it says that there is no connection. */
static enum cli_exit
loss_of(const json_t *line)
{
	static const struct {
		const char *code;
		enum cli_exit exit;
	} losses[] = {
		{ "tor-down", CLI_NOT_RUNNING },
		{ "tor-gone", CLI_NOT_RUNNING },
		{ "tor-denied", CLI_REFUSED },
		{ "auth-method", CLI_REFUSED },
		{ "auth-refused", CLI_REFUSED },
		{ "cookie-unusable", CLI_REFUSED },
		{ "password-unusable", CLI_REFUSED },
		{ "wrong-server-hash", CLI_REFUSED },
		{ "wrong-peer", CLI_REFUSED },
		{ "filtered", CLI_REFUSED },
	};
	const json_t *code = cli_field(line, "reason", "code");

	for (size_t i = 0; i < sizeof losses / sizeof losses[0]; i++)
		if (cli_field_is(code, losses[i].code))
			return losses[i].exit;
	return CLI_FAILED;
}

/* control.lost outlives a reason that is about something else. */
static void
add_loss(struct cli_finding *f, const json_t *line)
{
	finding_reason_of(f, line, "link");
	if (f->why[0] == '\0')
		cli_field_text(f->why, cli_field(line, "control", "lost"));
}

bool
finding_unknown(struct cli_finding *f, const json_t *line)
{
	if (json_is_true(cli_field(line, "engine", "fresh")))
		return false;
	finding_say(f, CLI_UNKNOWN, "", "It is not known: the engine of the "
	    "supervisor does not tell.");
	finding_reason(f, line);
	return true;
}

void
check_running(struct cli_finding *f, const struct check_subject *s)
{
	const json_t *line = s->line;
	char version[CLI_TEXT_CAP];
	json_int_t pid;

	cli_field_text(version, cli_field(line, "tor", "version"));
	if (finding_unknown(f, line))
		return;
	if (json_is_true(cli_field(line, "tor", "running"))) {
		if (cli_field_number(&pid, cli_field(line, "tor", "pid")))
			finding_say(f, CLI_OK, "", "Tor is running as process "
			    "%lld%s%s.", (long long)pid, version[0] != '\0' ?
			    ", version " : "", version);
		else
			finding_say(f, CLI_OK, "", "Tor is running.");
		return;
	}
	if (loss_of(line) == CLI_NOT_RUNNING)
		finding_say(f, CLI_NOT_RUNNING, "Start Tor.",
		    "Tor is not running.");
	else
		finding_say(f, loss_of(line), "", "It is not known whether "
		    "Tor is running: there is no control connection.");
	add_loss(f, line);
}

void
check_control(struct cli_finding *f, const struct check_subject *s)
{
	const json_t *line = s->line;
	char method[CLI_TEXT_CAP];

	cli_field_text(method, cli_field(line, "control", "method"));
	if (finding_unknown(f, line))
		return;
	if (cli_field_is(cli_field(line, "reason", "code"), "tor-hung")) {
		finding_say(f, CLI_FAILED, "If it stays so, restart Tor.",
		    "Tor does not answer on its control connection.");
		finding_reason(f, line);
		return;
	}
	if (json_is_true(cli_field(line, "control", "authenticated"))) {
		finding_say(f, CLI_OK, "", "The control connection to Tor "
		    "stands%s%s.", method[0] != '\0' ? ", authenticated by " :
		    "", method);
		return;
	}
	finding_say(f, loss_of(line), "Check that Tor is running.", "There is "
	    "no authenticated control connection to Tor.");
	add_loss(f, line);
}

/*
 * True if nothing that Tor says can be known, and F says why: that is the
 * answer to every question about Tor then.
 */
bool
finding_cut_off(struct cli_finding *f, const struct check_subject *s)
{
	check_control(f, s);
	if (f->code == CLI_OK)
		return false;
	if (f->code == CLI_NOT_RUNNING)
		check_running(f, s);
	return true;
}

void
check_enabled(struct cli_finding *f, const struct check_subject *s)
{
	const json_t *enabled = cli_field(s->line, "tor", "enabled");

	if (finding_cut_off(f, s))
		return;
	if (json_is_true(enabled))
		finding_say(f, CLI_OK, "", "Tor is enabled.");
	else if (json_is_false(enabled))
		finding_say(f, CLI_DISABLED, "Set DisableNetwork 0 in torrc, "
		    "or let the policy do it.", "Tor is disabled: "
		    "DisableNetwork is 1.");
	else
		finding_say(f, CLI_UNKNOWN, "", "It is not known whether Tor "
		    "is enabled: it has not been asked yet.");
}

bool
finding_off(struct cli_finding *f, const struct check_subject *s)
{
	if (finding_cut_off(f, s))
		return true;
	if (!json_is_false(cli_field(s->line, "tor", "enabled")))
		return false;
	check_enabled(f, s);
	return true;
}

/* --- what Tor was told ---------------------------------------------------- */

void
check_config(struct cli_finding *f, const struct check_subject *s)
{
	const json_t *code = cli_field(s->line, "reason", "code");
	bool refused = cli_field_is(code, "refused") ||
	    cli_field_is(code, "listeners-refused") ||
	    cli_field_is(code, "too-many-files");

	if (finding_cut_off(f, s))
		return;
	if (refused) {
		finding_say(f, CLI_BAD_CONFIG, "", "Tor refuses the "
		    "configuration that the policy asks for.");
		finding_reason(f, s->line);
	} else if (cli_field_is(code, "fight")) {
		finding_say(f, CLI_FAILED, "", "Another controller keeps "
		    "changing the configuration of Tor.");
		finding_reason(f, s->line);
	} else if (json_is_true(cli_field(s->line, "facts",
	    "configuration"))) {
		finding_say(f, CLI_OK, "", "Tor has the configuration that "
		    "the policy asks for.");
	} else {
		finding_say(f, CLI_FAILED, "Wait: it is set and read back by "
		    "itself.", "Tor is not known to have the configuration "
		    "that the policy asks for.");
		finding_reason_of(f, s->line, "configuration");
	}
}

/* --- how far Tor is ------------------------------------------------------- */

void
check_bootstrapped(struct cli_finding *f, const struct check_subject *s)
{
	char tag[CLI_TEXT_CAP];
	json_int_t n;

	cli_field_text(tag, cli_field(s->line, "bootstrap", "tag"));
	if (finding_off(f, s))
		return;
	if (!cli_field_number(&n, cli_field(s->line, "bootstrap",
	    "progress")))
		finding_say(f, CLI_UNKNOWN, "", "It is not known how far Tor "
		    "has bootstrapped.");
	else if (n == 100)
		finding_say(f, CLI_OK, "", "Tor has bootstrapped.");
	else if (json_is_true(cli_field(s->line, "bootstrap", "stalled")))
		finding_say(f, CLI_FAILED, "See: portcullis explain",
		    "Tor has stopped bootstrapping at %lld %% (%.60s).",
		    (long long)n, tag);
	else
		finding_say(f, CLI_FAILED, "Wait.", "Tor has bootstrapped "
		    "%lld %% (%.60s).", (long long)n, tag);
	if (f->code == CLI_FAILED)
		finding_reason_of(f, s->line, "bootstrap");
}

void
check_circuit(struct cli_finding *f, const struct check_subject *s)
{
	const json_t *established = cli_field(s->line, "circuits",
	    "established");

	if (finding_off(f, s))
		return;
	if (json_is_true(established)) {
		finding_say(f, CLI_OK, "", "Tor has established a circuit.");
	} else if (json_is_false(established)) {
		finding_say(f, CLI_FAILED, "Wait; if it stays so, check the "
		    "uplink.", "Tor has not established a circuit.");
		finding_reason_of(f, s->line, "circuit");
	} else {
		finding_say(f, CLI_UNKNOWN, "", "It is not known whether Tor "
		    "has established a circuit.");
	}
}

void
check_usable(struct cli_finding *f, const struct check_subject *s)
{
	const json_t *usable = cli_field(s->line, "circuits", "usable");
	bool known;
	json_int_t age;

	known = cli_field_number(&age, cli_field(s->line, "circuits",
	    "built_age_ms")) && age >= 0;
	if (finding_off(f, s))
		return;
	if (cli_field_is(usable, "yes") && s->max_age_ms != UINT64_MAX &&
	    (!known || (uint64_t)age > s->max_age_ms))
		finding_say(f, CLI_FAILED, "Wait for the next circuit, or: "
		    "portcullis newnym", "No circuit was built lately enough "
		    "to show that Tor is usable.");
	else if (cli_field_is(usable, "yes"))
		finding_say(f, CLI_OK, "", "Tor is usable: traffic or a new "
		    "circuit showed it lately.");
	else if (cli_field_is(usable, "no"))
		finding_say(f, CLI_FAILED, "Wait for the test circuit; if it "
		    "stays so, check the uplink.", "Nothing shows that the "
		    "circuits of Tor carry traffic.");
	else
		finding_say(f, CLI_UNKNOWN, "Wait for the next circuit, or: "
		    "portcullis newnym", "It is not known whether the "
		    "circuits of Tor carry traffic.");
	if (f->code != CLI_OK)
		finding_reason_of(f, s->line, "usable");
}
