#include "supervisor/top/details.h"

#include <string.h>

#include "supervisor/cli/field.h"
#include "supervisor/cli/row.h"

/* The widest bar of the histogram of closes. */
#define BAR 30

static const char *
boolean_text(const json_t *b, const char *yes, const char *no)
{
	if (!json_is_boolean(b))
		return "not known";
	return json_is_true(b) ? yes : no;
}

static void
print_tor(FILE *out, const json_t *line)
{
	char method[CLI_TEXT_CAP], lost[CLI_TEXT_CAP];
	json_int_t n;

	cli_field_text(method, cli_field(line, "control", "method"));
	cli_field_text(lost, cli_field(line, "control", "lost"));
	cli_row(out, "Network", "%s", boolean_text(cli_field(line, "tor",
	    "enabled"), "enabled", "disabled (DisableNetwork)"));
	cli_row(out, "Control", "%s%s%s", boolean_text(cli_field(line,
	    "control", "authenticated"), "connected", "not connected"),
	    method[0] != '\0' ? ", by " : "", method);
	if (lost[0] != '\0')
		cli_row(out, "", "%s", lost);
	if (json_is_true(cli_field(line, "tor", "dormant")))
		cli_row(out, "", "Tor is dormant");
	if (cli_field_number(&n, cli_field(line, "tor", "restarts")) && n > 0)
		cli_row(out, "Restarts", "%lld of Tor", (long long)n);
}

static void
print_circuits(FILE *out, const json_t *line)
{
	char usable[CLI_TEXT_CAP], clock[CLI_TEXT_CAP];
	char until[CLI_TEXT_CAP], sync[CLI_TEXT_CAP];
	json_int_t skew;

	cli_field_text(usable, cli_field(line, "circuits", "usable"));
	cli_row(out, "Circuits", "%s%s%s", boolean_text(cli_field(line,
	    "circuits", "established"), "established", "none"),
	    usable[0] != '\0' ? ", usable: " : "", usable);
	cli_field_text(clock, cli_field(line, "consensus", "clock"));
	cli_field_text(until, cli_field(line, "consensus", "valid_until"));
	if (clock[0] != '\0')
		cli_row(out, "Consensus", "clock %s%s%s", clock,
		    until[0] != '\0' ? ", valid until " : "", until);
	if (cli_field_number(&skew, cli_field(line, "consensus", "skew_s")))
		cli_row(out, "", "our clock is off by %lld s, says a peer",
		    (long long)skew);
	cli_field_text(sync, cli_field(line, "clock", "timesync"));
	if (json_is_true(cli_field(line, "clock", "required")))
		cli_row(out, "Clock", "%s%s%s", boolean_text(cli_field(line,
		    "clock", "right"), "right", "not known to be right"),
		    sync[0] != '\0' ? ", time-sync: " : "", sync);
}

static void
print_barriers(FILE *out, const json_t *line)
{
	json_t *all = json_object_get(json_object_get(line, "firewall"),
	    "barriers");
	const char *key;
	char name[CLI_TEXT_CAP];
	json_t *value;

	if (json_object_size(all) == 0)
		return;
	fprintf(out, "%-11s", "Barriers");
	json_object_foreach(all, key, value)
		fprintf(out, " %c%s", json_is_true(value) ? '+' :
		    json_is_false(value) ? '-' : '?', cli_plain(name,
		    sizeof name, key));
	fputc('\n', out);
}

/* The counts of closes by how long they took, with bars to the same scale. */
static void
print_histogram(FILE *out, const json_t *line)
{
	static const struct {
		const char *key, *label;
	} bins[] = {
		{ "50", "<= 50 us" }, { "100", "<= 100 us" },
		{ "250", "<= 250 us" }, { "500", "<= 500 us" },
		{ "1000", "<= 1 ms" }, { "10000", "<= 10 ms" },
		{ "inf", "longer" },
	};
	enum { NBINS = sizeof bins / sizeof bins[0] };
	static const char bar[] = "##############################";
	const json_t *all = cli_field(line, "firewall", "close_us");
	json_int_t n[NBINS], top = 0, below = 0;
	size_t i;

	_Static_assert(sizeof bar == BAR + 1, "a full bar");
	if (!json_is_object(all))
		return;
	/* They are cumulative; each bar is what is its own. */
	for (i = 0; i < NBINS; i++) {
		n[i] = json_integer_value(json_object_get(all, bins[i].key));
		n[i] = n[i] > below ? n[i] - below : 0;
		below += n[i];
		top = n[i] > top ? n[i] : top;
	}
	if (top == 0)
		return;
	fputs("Close times\n", out);
	for (i = 0; i < NBINS; i++)
		fprintf(out, "%11s %8lld %.*s\n", bins[i].label,
		    (long long)n[i], (int)((double)n[i] / (double)top * BAR),
		    bar);
}

static void
print_firewall(FILE *out, const json_t *line)
{
	char mode[CLI_TEXT_CAP], egress[CLI_TEXT_CAP], error[CLI_TEXT_CAP];
	char why[CLI_TEXT_CAP], immune[CLI_TEXT_CAP];
	json_int_t foreign, purges;

	cli_field_text(mode, cli_field(line, "firewall", "mode"));
	cli_field_text(egress, cli_field(line, "firewall", "egress"));
	cli_field_text(error, cli_field(line, "firewall", "error"));
	cli_field_text(immune, cli_field(line, "firewall",
	    "flush_immunity"));
	cli_field_text(why, cli_field(line, "firewall",
	    "last_close_reason"));
	cli_row(out, "Firewall", "%s%s%s%s%s", mode[0] != '\0' ? mode :
	    "not known", egress[0] != '\0' ? ", egress " : "", egress,
	    immune[0] != '\0' ? ", immune to a flush: " : "", immune);
	print_barriers(out, line);
	if (error[0] != '\0')
		cli_row(out, "Fault", "%s", error);
	if (cli_field_number(&foreign, cli_field(line, "firewall",
	    "foreign_changes")) && cli_field_number(&purges,
	    cli_field(line, "firewall", "purges")))
		cli_row(out, "Drift", "%lld changes by others, %lld purges",
		    (long long)foreign, (long long)purges);
	if (why[0] != '\0')
		cli_row(out, "Last close", "%s", why);
}

void
top_details_print(FILE *out, const json_t *line)
{
	print_tor(out, line);
	print_circuits(out, line);
	print_firewall(out, line);
	print_histogram(out, line);
}
