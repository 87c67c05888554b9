#include "supervisor/cli/format.h"

#include <stdarg.h>
#include <string.h>

#include "supervisor/cli/checks.h"
#include "supervisor/cli/field.h"
#include "supervisor/cli/row.h"
#include "supervisor/cli/table.h"
#include "supervisor/status/encode.h"

#define NOT_KNOWN "not known"
#define ALARM_TEXT \
	": wider than this machine, or in the policy's way; not opened: " \
	"remove it from torrc, or name it in the policy"

enum position { POS_UNKNOWN = 0, POS_CLOSED, POS_TOR_ONLY, POS_SYNC,
	POS_OPEN, NPOS };

static const struct {
	const char *name, *sentence, *colour;
} positions[NPOS] = {
	[POS_UNKNOWN] = { "unknown",
	    "It is not known whether the gate is open.", "\033[1;33m" },
	[POS_CLOSED] = { "closed",
	    "The gate is closed: nothing reaches Tor.", "\033[1;31m" },
	[POS_TOR_ONLY] = { "tor-only",
	    "The gate is closed: only Tor itself may connect.",
	    "\033[1;33m" },
	[POS_SYNC] = { "time-sync",
	    "The gate is closed but for time synchronisation.",
	    "\033[1;33m" },
	[POS_OPEN] = { "open",
	    "The gate is open: traffic goes through Tor.", "\033[1;32m" },
};

static const char *const goal_names[CLI_NGOAL] = {
	[CLI_GOAL_NONE] = "",
	[CLI_GOAL_OPEN] = "open",
	[CLI_GOAL_CLOSED] = "closed",
	[CLI_GOAL_SYNC] = "time-sync",
	[CLI_GOAL_BOOTSTRAPPED] = "bootstrapped",
	[CLI_GOAL_USABLE] = "usable",
};

enum cli_goal
cli_goal_of(const char *name)
{
	unsigned g;

	for (g = CLI_GOAL_NONE + 1; g < CLI_NGOAL; g++)
		if (strcmp(name, goal_names[g]) == 0)
			return (enum cli_goal)g;
	return CLI_GOAL_NONE;
}

static bool
number_at(json_int_t *n, const json_t *line, const char *part,
    const char *key)
{
	return cli_field_number(n, cli_field(line, part, key));
}

static enum position
position_of(const json_t *line)
{
	const char *name = json_string_value(json_object_get(line,
	    "position"));
	unsigned p;

	for (p = 0; name != NULL && p < NPOS; p++)
		if (strcmp(name, positions[p].name) == 0)
			return (enum position)p;
	return POS_UNKNOWN;
}

bool
cli_line_ok(const json_t *line)
{
	return json_integer_value(json_object_get(line, "v")) ==
	    STATUS_SCHEMA;
}

bool
cli_line_refuses(const json_t *line)
{
	return cli_field_is(json_object_get(line, "type"), "refused");
}

enum cli_exit
cli_verdict(const json_t *line)
{
	switch (position_of(line)) {
	case POS_OPEN:
		return CLI_OK;
	case POS_CLOSED:
	case POS_TOR_ONLY:
	case POS_SYNC:
		return CLI_FAILED;
	case POS_UNKNOWN:
	case NPOS:
		break;
	}
	return CLI_UNKNOWN;
}

/* What "check" says: one that Tor said before it fell silent is none. */
static bool
is_well(const json_t *line, enum cli_check check)
{
	struct cli_finding f;

	cli_check_make(&f, check, line, UINT64_MAX);
	return f.code == CLI_OK;
}

bool
cli_goal_met(const json_t *line, enum cli_goal goal)
{
	switch (goal) {
	case CLI_GOAL_OPEN:
		return position_of(line) == POS_OPEN;
	case CLI_GOAL_CLOSED:
		/* For clients tor-only is closed; time-sync is not. */
		return position_of(line) == POS_CLOSED ||
		    position_of(line) == POS_TOR_ONLY;
	case CLI_GOAL_SYNC:
		/* Open is more: who sets the clock gets through in both. */
		return position_of(line) == POS_SYNC ||
		    position_of(line) == POS_OPEN;
	case CLI_GOAL_BOOTSTRAPPED:
		return is_well(line, CLI_C_BOOTSTRAPPED);
	case CLI_GOAL_USABLE:
		return is_well(line, CLI_C_USABLE);
	case CLI_GOAL_NONE:
	case CLI_NGOAL:
		break;
	}
	return false;
}

static void
format_tor(FILE *out, const json_t *line)
{
	const json_t *running = cli_field(line, "tor", "running");
	char version[CLI_TEXT_CAP];
	json_int_t pid;

	cli_field_text(version, cli_field(line, "tor", "version"));
	if (!json_is_boolean(running)) {
		cli_row(out, "Tor", NOT_KNOWN);
		return;
	}
	if (!json_is_true(running)) {
		cli_row(out, "Tor", "not running");
		return;
	}
	if (number_at(&pid, line, "tor", "pid"))
		cli_row(out, "Tor", "running, pid %lld%s%s", (long long)pid,
		    version[0] != '\0' ? ", version " : "", version);
	else
		cli_row(out, "Tor", "running%s%s",
		    version[0] != '\0' ? ", version " : "", version);
}

static void
format_bootstrap(FILE *out, const json_t *line)
{
	char summary[CLI_TEXT_CAP], warning[CLI_TEXT_CAP];
	char since[CLI_TEXT_CAP], said[CLI_TEXT_CAP];
	json_int_t n;

	cli_field_text(summary, cli_field(line, "bootstrap", "summary"));
	cli_field_text(since, cli_field(line, "bootstrap", "since"));
	cli_field_text(said, cli_field(line, "bootstrap", "tor_said"));
	cli_field_text(warning, cli_field(line, "bootstrap", "warning"));
	if (!number_at(&n, line, "bootstrap", "progress"))
		cli_row(out, "Bootstrap", NOT_KNOWN);
	else
		cli_row(out, "Bootstrap", "%lld %%%s%s", (long long)n,
		    summary[0] != '\0' ? ", " : "", summary);
	if (warning[0] != '\0')
		cli_row(out, "", "problem: %s", warning);
	if (!json_is_true(cli_field(line, "bootstrap", "stalled")))
		return;
	cli_row(out, "", "no progress since %s", since);
	if (said[0] != '\0')
		cli_row(out, "", "Tor said: %s", said);
}

static void
format_trouble(FILE *out, const json_t *t)
{
	char name[CLI_TEXT_CAP], address[CLI_TEXT_CAP], why[CLI_TEXT_CAP];

	cli_field_text(name, json_object_get(t, "name"));
	cli_field_text(address, json_object_get(t, "address"));
	cli_table_why(why, sizeof why, t);
	cli_row(out, "", "%s %s: %s", name, address, why);
}

/* "5 of 5 proven, 5 open, 1 withheld". */
static void
format_counts(FILE *out, const json_t *line)
{
	json_int_t total, proven, n;

	if (!number_at(&total, line, "listeners", "total") ||
	    !number_at(&proven, line, "listeners", "proven")) {
		cli_row(out, "Listeners", NOT_KNOWN);
		return;
	}
	fprintf(out, "%-12s%lld of %lld proven", "Listeners",
	    (long long)proven, (long long)total);
	if (number_at(&n, line, "listeners", "open"))
		fprintf(out, ", %lld open", (long long)n);
	if (number_at(&n, line, "listeners", "withheld") && n > 0)
		fprintf(out, ", %lld withheld", (long long)n);
	fputc('\n', out);
}

static void
format_extra(FILE *out, const json_t *x, bool alarm)
{
	char kind[CLI_TEXT_CAP], address[CLI_TEXT_CAP];

	cli_field_text(kind, json_object_get(x, "kind"));
	cli_field_text(address, json_object_get(x, "address"));
	cli_row(out, alarm ? "ALARM" : "", "%s %s%s", kind, address,
	    alarm ? ALARM_TEXT : "");
}

/* Tor's own, of which most are nothing to worry about: unless ALL, alarms. */
static void
format_extras(FILE *out, const json_t *line, bool all)
{
	const json_t *extras = cli_field(line, "listeners", "extras"), *x;
	json_int_t extra, alarms, shown = 0;
	bool alarm;
	size_t i;

	if (!number_at(&extra, line, "listeners", "extra") ||
	    !number_at(&alarms, line, "listeners", "alarms") || extra == 0)
		return;
	cli_row(out, "Extra", "%lld of Tor's that the policy does not name, "
	    "%lld with an alarm", (long long)extra, (long long)alarms);
	for (i = 0; i < json_array_size(extras); i++) {
		x = json_array_get(extras, i);
		alarm = json_is_true(json_object_get(x, "alarm"));
		if (!alarm && !all)
			continue;
		format_extra(out, x, alarm);
		shown++;
	}
	if (shown < (all ? extra : alarms))
		cli_row(out, "", "and %lld more",
		    (long long)((all ? extra : alarms) - shown));
}

void
cli_format_troubles(FILE *out, const json_t *line)
{
	const json_t *all = cli_field(line, "listeners", "trouble");
	json_int_t total, proven;
	size_t i;

	format_counts(out, line);
	for (i = 0; i < json_array_size(all); i++)
		format_trouble(out, json_array_get(all, i));
	if (number_at(&total, line, "listeners", "total") &&
	    number_at(&proven, line, "listeners", "proven") &&
	    (json_int_t)i < total - proven)
		cli_row(out, "", "and %lld more", (long long)(total - proven) -
		    (long long)i);
	format_extras(out, line, false);
}

/* What to do about a barrier that does not stand. */
static const struct {
	const char *name, *advice;
} barriers[] = {
	{ "boot", "somebody removed table portcullis_boot: it is put back by "
	    "itself; if not, restart portcullisd" },
	{ "guard", "table portcullis_guard is missing: restart portcullisd" },
	{ "persist", "before Linux 6.9 the guard goes when the gate does: "
	    "enable portcullis-boot.service, or take a newer kernel" },
	{ "netdev", "packet sockets can send outside: see that each external "
	    "interface of the policy is there (ip link)" },
	{ "forward4_off", "the kernel forwards IPv4: switch it off (sysctl -w "
	    "net.ipv4.ip_forward=0) and find out what switched it on" },
	{ "forward6_off", "the kernel forwards IPv6: switch it off (sysctl -w "
	    "net.ipv6.conf.all.forwarding=0) and find out what switched it "
	    "on" },
	{ "routes", "the routing rules do not stand: the policy has routes = "
	    "\"off\", or another's rule comes before 80 (ip rule; ip -6 rule)"
	    },
};

static void
advise_barriers(FILE *out, const json_t *all)
{
	for (size_t i = 0; i < sizeof barriers / sizeof barriers[0]; i++)
		if (json_is_false(json_object_get(all, barriers[i].name)))
			cli_row(out, "", "%s: %s", barriers[i].name,
			    barriers[i].advice);
}

static void
format_barriers(FILE *out, const json_t *line)
{
	const json_t *all = cli_field(line, "firewall", "barriers"), *value;
	const char *sep = "";
	char name[CLI_TEXT_CAP];
	void *it;

	fprintf(out, "%-12s", "Barriers");
	for (it = json_object_iter((json_t *)all); it != NULL;
	     it = json_object_iter_next((json_t *)all, it)) {
		value = json_object_iter_value(it);
		fprintf(out, "%s%s %s", sep,
		    cli_plain(name, sizeof name, json_object_iter_key(it)),
		    json_is_true(value) ? "yes" :
		    json_is_false(value) ? "NO" : "?");
		sep = ", ";
	}
	fprintf(out, "%s\n", sep[0] == '\0' ? NOT_KNOWN : "");
	advise_barriers(out, all);
}

/* Only where the policy asks for it. */
static void
format_clock(FILE *out, const json_t *line)
{
	const json_t *right = cli_field(line, "clock", "right");

	if (!json_is_true(cli_field(line, "clock", "required")))
		return;
	cli_row(out, "Clock", "%s", json_is_true(right) ? "known to be right" :
	    "not known to be right");
}

static void
format_lease(FILE *out, const json_t *line)
{
	char mode[CLI_TEXT_CAP];
	json_int_t lease;

	if (!number_at(&lease, line, "firewall", "lease_ms")) {
		cli_row(out, "Firewall", NOT_KNOWN);
		return;
	}
	cli_field_text(mode, cli_field(line, "firewall", "mode"));
	fprintf(out, "%-12s%s%s", "Firewall", mode,
	    mode[0] != '\0' ? ", " : "");
	if (lease > 0)
		fprintf(out, "lease %lld ms\n", (long long)lease);
	else
		fprintf(out, "no lease\n");
}

/* "strict: 6000 addresses and ports by IPv4, 4000 by IPv6 (list 3)". */
static void
format_egress(FILE *out, const json_t *line)
{
	const json_t *relays = cli_field(line, "firewall", "relays");
	char mode[CLI_TEXT_CAP], fault[CLI_TEXT_CAP];
	json_int_t v4, v6, list, wanted;

	cli_field_text(mode, cli_field(line, "firewall", "egress"));
	if (strcmp(mode, "any") == 0)
		cli_row(out, "Egress", "any: Tor may connect to every address");
	if (strcmp(mode, "strict") != 0 ||
	    !cli_field_number(&v4, json_object_get(relays, "ipv4")) ||
	    !cli_field_number(&v6, json_object_get(relays, "ipv6")) ||
	    !cli_field_number(&list, json_object_get(relays, "generation")))
		return;
	if (list == 0)
		cli_row(out, "Egress", "strict: Tor may connect to nothing "
		    "yet");
	else
		cli_row(out, "Egress", "strict: %lld places by IPv4, %lld by "
		    "IPv6 (list %lld)", (long long)v4, (long long)v6,
		    (long long)list);
	if (cli_field_number(&wanted, json_object_get(relays,
	    "wanted_generation")) && wanted != list)
		cli_row(out, "", "list %lld is not in force yet",
		    (long long)wanted);
	cli_field_text(fault, json_object_get(relays, "fault"));
	if (fault[0] != '\0')
		cli_row(out, "", "problem: %s", fault);
}

void
cli_format_firewall(FILE *out, const json_t *line)
{
	json_int_t closes, last, most, foreign, purges;
	char error[CLI_TEXT_CAP];

	format_lease(out, line);
	format_egress(out, line);
	format_barriers(out, line);
	if (number_at(&closes, line, "firewall", "closes") &&
	    number_at(&last, line, "firewall", "close_last_us") &&
	    number_at(&most, line, "firewall", "close_max_us"))
		cli_row(out, "Closes", "%lld, the last in %lld us, the slowest "
		    "in %lld us", (long long)closes, (long long)last,
		    (long long)most);
	if (number_at(&purges, line, "firewall", "purges") && purges > 0)
		cli_row(out, "Purges", "%lld, in which the kernel forgot the "
		    "clients' flows", (long long)purges);
	if (number_at(&foreign, line, "firewall", "foreign_changes") &&
	    foreign > 0)
		cli_row(out, "Foreign", "%lld changes of our tables by others",
		    (long long)foreign);
	cli_field_text(error, cli_field(line, "firewall", "error"));
	if (error[0] != '\0')
		cli_row(out, "Fault", "%s", error);
}

void
cli_format_position(FILE *out, const json_t *line, bool colour)
{
	enum position p = position_of(line);

	fprintf(out, "%s%s%s\n", colour ? positions[p].colour : "",
	    positions[p].sentence, colour ? "\033[0m" : "");
}

void
cli_format_status(FILE *out, const json_t *line, bool colour)
{
	char text[CLI_TEXT_CAP];

	cli_format_position(out, line, colour);
	if (cli_field_text(text, cli_field(line, "reason", "text"))[0] != '\0')
		fprintf(out, "%s\n", text);
	if (cli_field_text(text, cli_field(line, NULL, "advice"))[0] != '\0')
		fprintf(out, "%s\n", text);
	fputc('\n', out);
	if (cli_field_text(text, cli_field(line, NULL, "since"))[0] != '\0')
		cli_row(out, "Since", "%s", text);
	if (json_is_true(cli_field(line, NULL, "hold")))
		cli_row(out, "Hold", "an operator holds the gate closed");
	format_tor(out, line);
	format_bootstrap(out, line);
	cli_format_ways(out, line);
	cli_format_troubles(out, line);
	format_clock(out, line);
	cli_format_firewall(out, line);
}

bool
cli_format_listeners(FILE *out, const json_t *line)
{
	json_t *table = cli_table_new(line);

	if (table == NULL) {
		fprintf(out, "The table of listeners is not known now.\n");
		return false;
	}
	fprintf(out, "%s\n\n", positions[position_of(line)].sentence);
	cli_table_print(out, table);
	fputc('\n', out);
	format_counts(out, line);
	format_extras(out, line, true);
	json_decref(table);
	return true;
}

void
cli_format_change(char *dst, size_t cap, const json_t *line)
{
	json_int_t boot, total, proven;
	char reason[CLI_TEXT_CAP];
	size_t n;

	cli_field_text(reason, cli_field(line, "reason", "text"));
	(void)snprintf(dst, cap, "%s: %s", positions[position_of(line)].name,
	    reason[0] != '\0' ? reason : "no reason given");
	n = strlen(dst);
	if (number_at(&boot, line, "bootstrap", "progress") &&
	    number_at(&total, line, "listeners", "total") &&
	    number_at(&proven, line, "listeners", "proven"))
		(void)snprintf(dst + n, cap - n, " (bootstrap %lld %%, "
		    "listeners %lld of %lld)", (long long)boot,
		    (long long)proven, (long long)total);
}
