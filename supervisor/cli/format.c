#include "supervisor/cli/format.h"

#include <stdarg.h>
#include <string.h>

#include "supervisor/status/encode.h"

#define TEXT_CAP 256 /* one value of a line; the longest is SNAP_TEXT */
#define NOT_KNOWN "not known"

enum position { POS_UNKNOWN = 0, POS_CLOSED, POS_TOR_ONLY, POS_OPEN, NPOS };

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
	[POS_OPEN] = { "open",
	    "The gate is open: traffic goes through Tor.", "\033[1;32m" },
};

static const char *const goal_names[CLI_NGOAL] = {
	[CLI_GOAL_NONE] = "",
	[CLI_GOAL_OPEN] = "open",
	[CLI_GOAL_CLOSED] = "closed",
	[CLI_GOAL_BOOTSTRAPPED] = "bootstrapped",
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

char *
cli_plain(char *dst, size_t cap, const char *src)
{
	size_t i;

	for (i = 0; i < cap - 1 && src[i] != '\0'; i++)
		dst[i] = src[i] >= 0x20 && src[i] <= 0x7e ? src[i] : '?';
	dst[i] = '\0';
	return dst;
}

/* The member KEY of the member PART; PART may be NULL. */
static const json_t *
find(const json_t *line, const char *part, const char *key)
{
	if (part != NULL)
		line = json_object_get(line, part);
	return json_object_get(line, key);
}

/* A text for people; "" when there is none. */
static const char *
text_of(char dst[TEXT_CAP], const json_t *value)
{
	const char *s = json_string_value(value);

	return cli_plain(dst, TEXT_CAP, s != NULL ? s : "");
}

/* False when it is not a number: then *N is 0. */
static bool
number_of(json_int_t *n, const json_t *value)
{
	*n = json_integer_value(value);
	return json_is_integer(value);
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

enum cli_exit
cli_verdict(const json_t *line)
{
	switch (position_of(line)) {
	case POS_OPEN:
		return CLI_OK;
	case POS_CLOSED:
	case POS_TOR_ONLY:
		return CLI_NOT_OPEN;
	case POS_UNKNOWN:
	case NPOS:
		break;
	}
	return CLI_UNKNOWN;
}

bool
cli_goal_met(const json_t *line, enum cli_goal goal)
{
	json_int_t n;

	switch (goal) {
	case CLI_GOAL_OPEN:
		return position_of(line) == POS_OPEN;
	case CLI_GOAL_CLOSED:
		/* For clients tor-only is closed. */
		return position_of(line) == POS_CLOSED ||
		    position_of(line) == POS_TOR_ONLY;
	case CLI_GOAL_BOOTSTRAPPED:
		return number_of(&n, find(line, "bootstrap", "progress")) &&
		    n == 100;
	case CLI_GOAL_NONE:
	case CLI_NGOAL:
		break;
	}
	return false;
}

static void row(FILE *out, const char *name, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The caller looks at ferror() at the end, so nothing is checked here. */
static void
row(FILE *out, const char *name, const char *fmt, ...)
{
	va_list ap;

	fprintf(out, "%-12s", name);
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	fputc('\n', out);
}

static void
format_tor(FILE *out, const json_t *line)
{
	const json_t *running = find(line, "tor", "running");
	char version[TEXT_CAP];
	json_int_t pid;

	text_of(version, find(line, "tor", "version"));
	if (!json_is_boolean(running)) {
		row(out, "Tor", NOT_KNOWN);
		return;
	}
	if (!json_is_true(running)) {
		row(out, "Tor", "not running");
		return;
	}
	if (number_of(&pid, find(line, "tor", "pid")))
		row(out, "Tor", "running, pid %lld%s%s", (long long)pid,
		    version[0] != '\0' ? ", version " : "", version);
	else
		row(out, "Tor", "running%s%s",
		    version[0] != '\0' ? ", version " : "", version);
}

static void
format_bootstrap(FILE *out, const json_t *line)
{
	char summary[TEXT_CAP], warning[TEXT_CAP];
	json_int_t n;

	text_of(summary, find(line, "bootstrap", "summary"));
	text_of(warning, find(line, "bootstrap", "warning"));
	if (!number_of(&n, find(line, "bootstrap", "progress")))
		row(out, "Bootstrap", NOT_KNOWN);
	else
		row(out, "Bootstrap", "%lld %%%s%s", (long long)n,
		    summary[0] != '\0' ? ", " : "", summary);
	if (warning[0] != '\0')
		row(out, "", "problem: %s", warning);
}

/* Why a listener is not proven, as people say it. */
static const char *
why_text(const char *code)
{
	static const struct {
		const char *code, *text;
	} whys[] = {
		{ "not-checked", "not checked yet" },
		{ "not-reported", "Tor does not report it" },
		{ "no-socket", "nothing listens there" },
		{ "foreign", "another program holds it" },
		{ "flags", "Tor has it with other flags" },
	};
	size_t i;

	for (i = 0; i < sizeof whys / sizeof whys[0]; i++)
		if (strcmp(code, whys[i].code) == 0)
			return whys[i].text;
	return code;
}

static void
format_trouble(FILE *out, const json_t *t)
{
	char name[TEXT_CAP], address[TEXT_CAP], why[TEXT_CAP];
	json_int_t uid;

	text_of(name, json_object_get(t, "name"));
	text_of(address, json_object_get(t, "address"));
	text_of(why, json_object_get(t, "why"));
	if (number_of(&uid, json_object_get(t, "uid")))
		row(out, "", "%s %s: %s (uid %lld)", name, address,
		    why_text(why), (long long)uid);
	else
		row(out, "", "%s %s: %s", name, address, why_text(why));
}

static void
format_listeners(FILE *out, const json_t *line)
{
	const json_t *all = find(line, "listeners", "trouble");
	json_int_t total, proven;
	size_t i;

	if (!number_of(&total, find(line, "listeners", "total")) ||
	    !number_of(&proven, find(line, "listeners", "proven"))) {
		row(out, "Listeners", NOT_KNOWN);
		return;
	}
	row(out, "Listeners", "%lld of %lld proven", (long long)proven,
	    (long long)total);
	for (i = 0; i < json_array_size(all); i++)
		format_trouble(out, json_array_get(all, i));
	if ((json_int_t)i < total - proven)
		row(out, "", "and %lld more", (long long)(total - proven) -
		    (long long)i);
}

static void
format_barriers(FILE *out, const json_t *line)
{
	const json_t *all = find(line, "firewall", "barriers"), *value;
	const char *sep = "";
	char name[TEXT_CAP];
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
}

static void
format_firewall(FILE *out, const json_t *line)
{
	json_int_t lease, closes, last, most, foreign;
	char error[TEXT_CAP];

	if (!number_of(&lease, find(line, "firewall", "lease_ms")))
		row(out, "Firewall", NOT_KNOWN);
	else if (lease > 0)
		row(out, "Firewall", "lease %lld ms", (long long)lease);
	else
		row(out, "Firewall", "no lease");
	format_barriers(out, line);
	if (number_of(&closes, find(line, "firewall", "closes")) &&
	    number_of(&last, find(line, "firewall", "close_last_us")) &&
	    number_of(&most, find(line, "firewall", "close_max_us")))
		row(out, "Closes", "%lld, the last in %lld us, the slowest "
		    "in %lld us", (long long)closes, (long long)last,
		    (long long)most);
	if (number_of(&foreign, find(line, "firewall", "foreign_changes")) &&
	    foreign > 0)
		row(out, "Foreign", "%lld changes of our tables by others",
		    (long long)foreign);
	text_of(error, find(line, "firewall", "error"));
	if (error[0] != '\0')
		row(out, "Fault", "%s", error);
}

void
cli_format_status(FILE *out, const json_t *line, bool colour)
{
	enum position p = position_of(line);
	char text[TEXT_CAP];

	fprintf(out, "%s%s%s\n", colour ? positions[p].colour : "",
	    positions[p].sentence, colour ? "\033[0m" : "");
	if (text_of(text, find(line, "reason", "text"))[0] != '\0')
		fprintf(out, "%s\n", text);
	if (text_of(text, find(line, NULL, "advice"))[0] != '\0')
		fprintf(out, "%s\n", text);
	fputc('\n', out);
	if (text_of(text, find(line, NULL, "since"))[0] != '\0')
		row(out, "Since", "%s", text);
	if (json_is_true(find(line, NULL, "hold")))
		row(out, "Hold", "an operator holds the gate closed");
	format_tor(out, line);
	format_bootstrap(out, line);
	format_listeners(out, line);
	format_firewall(out, line);
}

void
cli_format_change(char *dst, size_t cap, const json_t *line)
{
	json_int_t boot, total, proven;
	char reason[TEXT_CAP];
	size_t n;

	text_of(reason, find(line, "reason", "text"));
	(void)snprintf(dst, cap, "%s: %s", positions[position_of(line)].name,
	    reason[0] != '\0' ? reason : "no reason given");
	n = strlen(dst);
	if (number_of(&boot, find(line, "bootstrap", "progress")) &&
	    number_of(&total, find(line, "listeners", "total")) &&
	    number_of(&proven, find(line, "listeners", "proven")))
		(void)snprintf(dst + n, cap - n, " (bootstrap %lld %%, "
		    "listeners %lld of %lld)", (long long)boot,
		    (long long)proven, (long long)total);
}
