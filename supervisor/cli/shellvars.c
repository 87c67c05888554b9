#include "config.h" /* _GNU_SOURCE: timegm() */

#include "supervisor/cli/shellvars.h"

#include <stdarg.h>
#include <string.h>
#include <time.h>

#include "supervisor/cli/checks.h"

#define UNREACHABLE 255 /* of the applets: no control connection */
/* "2026-11-22T07:34:20" */
#define TIME_LEN 19

static const char *const names[CLI_NSHELLVAR] = {
	[CLI_SV_ACTION] = "check_bootstrap_privleap_action",
	[CLI_SV_HELPER_CODE] = "check_bootstrap_helper_script_exit_code",
	[CLI_SV_HELPER_OUTPUT] = "check_bootstrap_helper_script_output",
	[CLI_SV_PERCENT] = "tor_bootstrap_percent",
	[CLI_SV_STATUS] = "tor_bootstrap_status",
	[CLI_SV_TIMEOUT_TYPE] = "tor_bootstrap_timeout_type",
	[CLI_SV_ESTABLISHED] = "tor_circuit_established",
	[CLI_SV_ESTABLISHED_WORD] = "tor_circuit_established_word",
	[CLI_SV_ESTABLISHED_CODE] = "tor_circuit_established_check_exit_code",
	[CLI_SV_BUILT_CODE] = "tor_circuit_built_check_exit_code",
	[CLI_SV_DORMANT] = "tor_dormant_status",
	[CLI_SV_DORMANT_TYPE] = "tor_dormant_type",
	[CLI_SV_AFTER_CODE] = "tor_consensus_valid_after_exit_code",
	[CLI_SV_AFTER] = "tor_consensus_valid_after_output",
	[CLI_SV_AFTER_UNIX] = "tor_consensus_valid_after_unixtime",
	[CLI_SV_UNTIL_CODE] = "tor_consensus_valid_until_exit_code",
	[CLI_SV_UNTIL] = "tor_consensus_valid_until_output",
	[CLI_SV_UNTIL_UNIX] = "tor_consensus_valid_until_unixtime",
	[CLI_SV_GATEWAY] = "GATEWAY_IP",
	[CLI_SV_GATEWAY6] = "GATEWAY_IP6",
	[CLI_SV_CONTROL_PORT] = "gateway_control_port",
	[CLI_SV_GATEWAY_ERROR] = "gateway_ip_error",
	[CLI_SV_ENABLED] = "TOR_ENABLED",
	[CLI_SV_PID_CODE] = "tor_pid_exit_code",
	[CLI_SV_PID_MESSAGE] = "tor_pid_message",
	[CLI_SV_VERIFY_CODE] = "tor_verify_config_exit_code",
	[CLI_SV_SOCKS] = "check_socks_port_open_test",
	[CLI_SV_FIREWALL] = "whonix_firewall_status_word",
	[CLI_SV_FIREWALL_TEXT] = "whonix_firewall_status_notification",
	[CLI_SV_TIME] = "time_synchronization_status_word",
	[CLI_SV_CLOCK] = "clock_tor_consensus_check_result",
	[CLI_SV_CLOCK_TEXT] = "clock_tor_consensus_check_msg",
};

const char *
cli_shellvar_name(enum cli_shellvar var)
{
	return names[var];
}

static void set(struct cli_shellvars *v, enum cli_shellvar var,
    const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void
set(struct cli_shellvars *v, enum cli_shellvar var, const char *fmt, ...)
{
	char *dst = v->value[var];
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(dst, CLI_TEXT_CAP, fmt, ap) < 0)
		dst[0] = '\0';
	va_end(ap);
	cli_plain(dst, CLI_TEXT_CAP, dst);
	for (; *dst != '\0'; dst++)
		if (strchr("<>&`$\\", *dst) != NULL)
			*dst = '_';
}

int
cli_shell_reach(const json_t *line)
{
	return json_is_true(cli_field(line, "engine", "fresh")) &&
	    json_is_true(cli_field(line, "control", "authenticated")) &&
	    json_is_true(cli_field(line, "facts", "alive")) ? 0 : UNREACHABLE;
}

static void
set_bootstrap(struct cli_shellvars *v, const json_t *line)
{
	char text[CLI_TEXT_CAP] = "";
	json_int_t percent = UNREACHABLE;

	/* The percent is the exit code: it has no room for "not known". */
	if (cli_shell_reach(line) == 0 &&
	    cli_field_number(&percent, cli_field(line, "bootstrap",
		"progress")) && percent >= 0 && percent <= 100)
		cli_field_text(text, cli_field(line, "bootstrap", "line"));
	else
		percent = UNREACHABLE;
	set(v, CLI_SV_ACTION, "tor-bootstrap-check");
	set(v, CLI_SV_HELPER_CODE, "%d", (int)percent);
	set(v, CLI_SV_PERCENT, "%d", (int)percent);
	set(v, CLI_SV_HELPER_OUTPUT, "%s", text);
	set(v, CLI_SV_STATUS, "%s", text);
	set(v, CLI_SV_TIMEOUT_TYPE, "none");
}

static void
set_circuit(struct cli_shellvars *v, const json_t *line)
{
	bool there = cli_shell_reach(line) == 0;
	bool yes = there && json_is_true(cli_field(line, "circuits",
	    "established"));
	bool built = there && cli_field_is(cli_field(line, "circuits",
	    "usable"), "yes");

	set(v, CLI_SV_ESTABLISHED, "%d", yes ? 1 : 0);
	set(v, CLI_SV_ESTABLISHED_WORD, "%s", yes ? "established" :
	    "not established");
	set(v, CLI_SV_ESTABLISHED_CODE, "%d", yes ? 0 : there ? 1 :
	    UNREACHABLE);
	set(v, CLI_SV_BUILT_CODE, "%d", built ? 0 : there ? 1 : UNREACHABLE);
}

static void
set_dormant(struct cli_shellvars *v, const json_t *line)
{
	const json_t *dormant = cli_field(line, "tor", "dormant");

	set(v, CLI_SV_DORMANT_TYPE, "check-ok");
	if (cli_shell_reach(line) == 0 && json_is_boolean(dormant))
		set(v, CLI_SV_DORMANT, "%d", json_is_true(dormant) ? 1 : 0);
}

/* The digits of TEXT at AT as a number; they were seen to be digits. */
static int
number(const char *text, size_t at, size_t n)
{
	int value = 0;

	for (size_t i = at; i < at + n; i++)
		value = value * 10 + (text[i] - '0');
	return value;
}

bool
cli_shell_time(char dst[CLI_TEXT_CAP], int64_t *unix_s, const json_t *value)
{
	static const char form[] = "0000-00-00T00:00:00";
	const char *s = json_string_value(value);
	struct tm tm = { 0 };
	size_t i;

	dst[0] = '\0';
	*unix_s = 0;
	for (i = 0; s != NULL && i < TIME_LEN; i++)
		if (form[i] == '0' ? s[i] < '0' || s[i] > '9' :
		    s[i] != form[i])
			return false;
	if (s == NULL || strchr(s + TIME_LEN, 'Z') == NULL)
		return false;
	(void)snprintf(dst, CLI_TEXT_CAP, "%.10s %.8s", s, s + 11);
	tm.tm_year = number(s, 0, 4) - 1900;
	tm.tm_mon = number(s, 5, 2) - 1;
	tm.tm_mday = number(s, 8, 2);
	tm.tm_hour = number(s, 11, 2);
	tm.tm_min = number(s, 14, 2);
	tm.tm_sec = number(s, 17, 2);
	*unix_s = (int64_t)timegm(&tm);
	return true;
}

/* CODE and the two behind it are one question's. */
static void
set_consensus(struct cli_shellvars *v, enum cli_shellvar code,
    const json_t *line, const char *key)
{
	char text[CLI_TEXT_CAP];
	int64_t at;

	set(v, code, "%d", cli_shell_reach(line));
	if (cli_shell_reach(line) != 0 ||
	    !cli_shell_time(text, &at, cli_field(line, "consensus", key)))
		return;
	set(v, (enum cli_shellvar)(code + 1), "%s", text);
	set(v, (enum cli_shellvar)(code + 2), "%lld", (long long)at);
}

static void
set_gateway(struct cli_shellvars *v)
{
	/* This machine is the gateway; nothing had to be found out. */
	set(v, CLI_SV_GATEWAY, "127.0.0.1");
	set(v, CLI_SV_GATEWAY6, "::1");
	set(v, CLI_SV_CONTROL_PORT, "9051");
}

/* No line is no reason to call Tor disabled or its configuration bad. */
static void
set_tor(struct cli_shellvars *v, const json_t *line)
{
	struct cli_finding f;
	json_int_t pid;

	set(v, CLI_SV_ENABLED, "%d", json_is_false(cli_field(line, "tor",
	    "enabled")) ? 0 : 1);
	cli_check_make(&f, CLI_C_CONFIG, line, UINT64_MAX);
	set(v, CLI_SV_VERIFY_CODE, "%d", f.code == CLI_BAD_CONFIG ? 1 : 0);
	cli_check_make(&f, CLI_C_RUNNING, line, UINT64_MAX);
	if (f.code == CLI_OK) {
		set(v, CLI_SV_PID_CODE, "0");
		if (cli_field_number(&pid, cli_field(line, "tor", "pid")))
			set(v, CLI_SV_PID_MESSAGE, "Tor process %lld: Pid "
			    "running.", (long long)pid);
		else
			set(v, CLI_SV_PID_MESSAGE, "Tor: Pid running.");
		return;
	}
	/* 3 is check_tor_running's own "pid not running". */
	set(v, CLI_SV_PID_CODE, "%d", f.code == CLI_NOT_RUNNING ? 3 :
	    UNREACHABLE);
	set(v, CLI_SV_PID_MESSAGE, "%s", line != NULL ? f.text :
	    "The supervisor of Tor does not answer.");
}

static void
set_firewall(struct cli_shellvars *v, const struct cli_shellenv *env)
{
	if (env->consecutive_run) {
		set(v, CLI_SV_FIREWALL, "consecutive_run");
		set(v, CLI_SV_FIREWALL_TEXT, "The firewall was loaded again "
		    "since boot.");
	} else if (env->first_run) {
		set(v, CLI_SV_FIREWALL, "first_run_current_boot");
		set(v, CLI_SV_FIREWALL_TEXT, "The firewall was loaded for the "
		    "first time since boot.");
	} else {
		set(v, CLI_SV_FIREWALL, "pending");
		set(v, CLI_SV_FIREWALL_TEXT, "The firewall was not loaded "
		    "yet.");
	}
}

static void
set_clock(struct cli_shellvars *v, const json_t *line,
    const struct cli_shellenv *env)
{
	static const struct {
		const char *word, *text;
	} words[] = {
		{ "ok", "The clock is within the time range of the Tor "
		    "consensus." },
		{ "slow", "The clock is slow: the Tor consensus is not valid "
		    "yet by it." },
		{ "fast", "The clock is fast: the Tor consensus is no longer "
		    "valid by it." },
		{ "noneyet", "Tor has no consensus yet." },
	};
	const json_t *clock = cli_field(line, "consensus", "clock");
	char text[CLI_TEXT_CAP];

	if (cli_field_text(text, cli_field(line, "clock", "timesync"))[0] ==
	    '\0')
		cli_plain(text, sizeof text, env->timesync != NULL ?
		    env->timesync : "pending");
	set(v, CLI_SV_TIME, "%s", text);
	set(v, CLI_SV_CLOCK, "error");
	set(v, CLI_SV_CLOCK_TEXT, "It is not known how the clock compares "
	    "with the Tor consensus.");
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (cli_shell_reach(line) == 0 &&
		    cli_field_is(clock, words[i].word)) {
			set(v, CLI_SV_CLOCK, "%s", words[i].word);
			set(v, CLI_SV_CLOCK_TEXT, "%s", words[i].text);
		}
}

void
cli_shellvars_make(struct cli_shellvars *v, const json_t *line,
    const struct cli_shellenv *env)
{
	memset(v, 0, sizeof *v);
	set_bootstrap(v, line);
	set_circuit(v, line);
	set_dormant(v, line);
	set_consensus(v, CLI_SV_AFTER_CODE, line, "valid_after");
	set_consensus(v, CLI_SV_UNTIL_CODE, line, "valid_until");
	set_gateway(v);
	set_tor(v, line);
	/* The kernel accepts for a Tor that hangs; curl waits in vain then. */
	set(v, CLI_SV_SOCKS, "%d", env->socks == CLI_SOCKS_THERE &&
	    cli_field_is(cli_field(line, "reason", "code"), "tor-hung") ?
	    CLI_SOCKS_SILENT : env->socks);
	set_firewall(v, env);
	set_clock(v, line, env);
}

void
cli_shellvars_print(FILE *out, const struct cli_shellvars *v)
{
	for (unsigned i = 0; i < CLI_NSHELLVAR; i++) {
		fprintf(out, "%s='", names[i]);
		for (const char *s = v->value[i]; *s != '\0'; s++)
			if (*s == '\'')
				fputs("'\\''", out);
			else
				fputc(*s, out);
		fputs("'\n", out);
	}
}
