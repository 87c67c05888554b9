#include "supervisor/cli/metrics.h"

#include <stdbool.h>
#include <string.h>

#include "supervisor/cli/field.h"
#include "supervisor/cli/shellvars.h"
#include "supervisor/cli/table.h"

#define PREFIX "portcullis_"
/* PREFIX and the longest name of a stateset. */
#define LABEL_CAP 64

static void
head(FILE *out, const char *name, const char *type, const char *help)
{
	const char *unit = strrchr(name, '_');

	fprintf(out, "# TYPE " PREFIX "%s %s\n", name, type);
	if (unit != NULL && (strcmp(unit, "_seconds") == 0 ||
	    strcmp(unit, "_ratio") == 0))
		fprintf(out, "# UNIT " PREFIX "%s %s\n", name, unit + 1);
	fprintf(out, "# HELP " PREFIX "%s %s\n", name, help);
}

/* VALUE between quotes of a label. */
static void
put_label(FILE *out, const char *value)
{
	for (; *value != '\0'; value++) {
		if (*value == '"' || *value == '\\')
			fputc('\\', out);
		fputc(*value >= 0x20 && *value <= 0x7e ? *value : '?', out);
	}
}

static void
sample(FILE *out, const char *name, const char *label, const char *value,
    long long n)
{
	fprintf(out, PREFIX "%s", name);
	if (label != NULL) {
		fprintf(out, "{%s=\"", label);
		put_label(out, value);
		fputs("\"}", out);
	}
	fprintf(out, " %lld\n", n);
}

/* --- single numbers ------------------------------------------------------- */

enum kind { GAUGE = 0, COUNTER, RATIO, MILLISECONDS, TIMESTAMP };

static const struct {
	const char *name, *path;
	enum kind kind;
	const char *help;
} numbers[] = {
	{ "engine_fresh", "engine.fresh", GAUGE,
	    "Whether the engine has spoken lately." },
	{ "hold", "hold", GAUGE, "Whether an operator holds it closed." },
	{ "tor_running", "tor.running", GAUGE, "Whether Tor runs." },
	{ "tor_enabled", "tor.enabled", GAUGE,
	    "Whether DisableNetwork is 0." },
	{ "tor_dormant", "tor.dormant", GAUGE, "Whether Tor is dormant." },
	{ "tor_restarts", "tor.restarts", COUNTER,
	    "Other Tor processes met since the engine began." },
	{ "control_authenticated", "control.authenticated", GAUGE,
	    "Whether the control connection stands." },
	{ "bootstrap_ratio", "bootstrap.progress", RATIO,
	    "How far Tor has bootstrapped." },
	{ "bootstrap_stalled", "bootstrap.stalled", GAUGE,
	    "Whether bootstrap has come to a halt." },
	{ "circuit_established", "circuits.established", GAUGE,
	    "Whether Tor says that circuits work." },
	{ "circuit_built_age_seconds", "circuits.built_age_ms", MILLISECONDS,
	    "Time since a circuit was built last." },
	{ "consensus_valid_until_timestamp_seconds", "consensus.valid_until",
	    TIMESTAMP, "Until when the consensus is valid." },
	{ "clock_right", "clock.right", GAUGE,
	    "Whether the clock is known to be right." },
	{ "listeners_wanted", "listeners.total", GAUGE,
	    "Listeners that the policy asks for." },
	{ "listeners_open", "listeners.open", GAUGE,
	    "Listeners that clients reach." },
	{ "listener_alarms", "listeners.alarms", GAUGE,
	    "Listeners that are not the policy's and that others reach." },
	{ "bridges", "uplink.bridges", GAUGE, "Bridge lines in use." },
	{ "resolver_queries", "uplink.resolver.queries", COUNTER,
	    "Queries to the configured resolver." },
	{ "stub_answered", "uplink.resolver.stub_answered", COUNTER,
	    "Questions of transports that were answered." },
	{ "stub_refused", "uplink.resolver.stub_refused", COUNTER,
	    "Questions of transports that were refused." },
	{ "firewall_known", "firewall.known", GAUGE,
	    "Whether the kernel was read back lately." },
	{ "lease_seconds", "firewall.lease_ms", MILLISECONDS,
	    "What is left of the lease that holds the gate open." },
	{ "proven", "firewall.proven", GAUGE,
	    "Elements in the sets of proven listeners." },
	{ "closes", "firewall.closes", COUNTER,
	    "Closes since the gate started." },
	{ "drift", "firewall.foreign_changes", COUNTER,
	    "Changes of our tables by others." },
	{ "purges", "firewall.purges", COUNTER,
	    "Times that the flows of clients were forgotten." },
	{ "links", "counters.links", COUNTER,
	    "Control connections made since the engine began." },
	{ "provisions", "counters.provisions", COUNTER,
	    "Times that Tor was given its listeners." },
	{ "repairs", "counters.repairs", COUNTER,
	    "Times that Tor was given its listeners again." },
};

/* True with a number, if VALUE is what KIND is made of. */
static bool
number_of(json_int_t *n, const json_t *value, enum kind kind)
{
	char text[CLI_TEXT_CAP];
	int64_t at;

	if (kind == TIMESTAMP) {
		if (!cli_shell_time(text, &at, value))
			return false;
		*n = at;
		return true;
	}
	*n = json_is_true(value) ? 1 : 0;
	return json_is_boolean(value) || cli_field_number(n, value);
}

static void
print_number(FILE *out, const char *name, enum kind kind, json_int_t n)
{
	switch (kind) {
	case COUNTER:
		fprintf(out, PREFIX "%s_total %lld\n", name, (long long)n);
		return;
	case RATIO:
		fprintf(out, PREFIX "%s %g\n", name, (double)n / 100);
		return;
	case MILLISECONDS:
		fprintf(out, PREFIX "%s %.3f\n", name, (double)n / 1000);
		return;
	case GAUGE:
	case TIMESTAMP:
		sample(out, name, NULL, NULL, (long long)n);
		return;
	}
}

static void
print_numbers(FILE *out, const json_t *line)
{
	json_int_t n;

	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
		if (!number_of(&n, cli_field_at(line, numbers[i].path),
		    numbers[i].kind))
			continue;
		head(out, numbers[i].name, numbers[i].kind == COUNTER ?
		    "counter" : "gauge", numbers[i].help);
		print_number(out, numbers[i].name, numbers[i].kind, n);
	}
}

/* --- one of several words ------------------------------------------------- */

static const char *const positions[] = { "closed", "open", "time-sync",
	"tor-only", "unknown", NULL };
static const char *const usable[] = { "no", "unknown", "yes", NULL };
static const char *const clocks[] = { "fast", "noneyet", "ok", "slow",
	"unknown", NULL };
static const char *const listener_states[] = { "listening", "open", "proven",
	"unknown", "wanted", "withheld", NULL };
static const char *const name_states[] = { "bad-answer", "blocked", "empty",
	"nxdomain", "ok", "private", "refused", "timeout", "tls", "unknown",
	"unreachable", NULL };

static void
print_states(FILE *out, const char *name, const char *help,
    const json_t *value, const char *const *words)
{
	char label[LABEL_CAP];

	if (!json_is_string(value))
		return;
	head(out, name, "stateset", help);
	(void)snprintf(label, sizeof label, PREFIX "%s", name);
	for (; *words != NULL; words++)
		sample(out, name, label, *words, cli_field_is(value, *words));
}

/* The members of OBJECT that are booleans; which ones is its own to say. */
static void
print_booleans(FILE *out, const char *name, const char *help,
    const json_t *object, bool is_set)
{
	char label[LABEL_CAP] = "barrier";
	json_t *all = (json_t *)object; /* which jansson wants to iterate */
	const json_t *value;
	bool begun = false;

	if (is_set)
		(void)snprintf(label, sizeof label, PREFIX "%s", name);
	for (void *it = json_object_iter(all); it != NULL;
	    it = json_object_iter_next(all, it)) {
		value = json_object_iter_value(it);
		if (!json_is_boolean(value))
			continue;
		if (!begun)
			head(out, name, is_set ? "stateset" : "gauge", help);
		begun = true;
		sample(out, name, label, json_object_iter_key(it),
		    json_is_true(value));
	}
}

/* How many elements of ARRAY have each of WORDS as their state. */
static void
print_counts(FILE *out, const char *name, const char *help,
    const json_t *array, const char *const *words)
{
	long long n;

	if (!json_is_array(array))
		return;
	head(out, name, "gauge", help);
	for (; *words != NULL; words++) {
		n = 0;
		for (size_t i = 0; i < json_array_size(array); i++)
			n += cli_field_is(json_object_get(
			    json_array_get(array, i), "state"), *words);
		sample(out, name, "state", *words, n);
	}
}

/* --- how long a close takes ----------------------------------------------- */

static void
print_closes(FILE *out, const json_t *line)
{
	static const struct {
		const char *key, *le;
	} buckets[] = {
		{ "50", "5e-05" }, { "100", "0.0001" }, { "250", "0.00025" },
		{ "500", "0.0005" }, { "1000", "0.001" }, { "10000", "0.01" },
		{ "inf", "+Inf" },
	};
	const json_t *all = cli_field(line, "firewall", "close_us");
	json_int_t n, sum;

	/* A part of a histogram is none. */
	for (size_t i = 0; i < sizeof buckets / sizeof buckets[0]; i++)
		if (!cli_field_number(&n, json_object_get(all,
		    buckets[i].key)))
			return;
	if (!cli_field_number(&sum, json_object_get(all, "sum")))
		return;
	head(out, "close_duration_seconds", "histogram", "Time until the "
	    "kernel acknowledged a close.");
	for (size_t i = 0; i < sizeof buckets / sizeof buckets[0]; i++) {
		(void)cli_field_number(&n, json_object_get(all,
		    buckets[i].key)); /* seen above */
		sample(out, "close_duration_seconds_bucket", "le",
		    buckets[i].le, (long long)n);
	}
	sample(out, "close_duration_seconds_count", NULL, NULL, (long long)n);
	fprintf(out, PREFIX "close_duration_seconds_sum %.6f\n",
	    (double)sum / 1000000);
}

void
cli_metrics_print(FILE *out, const json_t *line)
{
	json_t *table = cli_table_new(line);

	print_states(out, "position", "How far the gate is open.",
	    cli_field(line, NULL, "position"), positions);
	if (json_is_true(cli_field(line, "engine", "fresh")))
		print_booleans(out, "facts", "What is proven now.",
		    cli_field(line, NULL, "facts"), true);
	print_numbers(out, line);
	print_states(out, "usable", "Whether circuits carry traffic.",
	    cli_field(line, "circuits", "usable"), usable);
	print_states(out, "consensus_clock", "The clock by the consensus.",
	    cli_field(line, "consensus", "clock"), clocks);
	print_booleans(out, "barrier", "Whether a barrier stands.",
	    cli_field(line, "firewall", "barriers"), false);
	print_counts(out, "listeners", "Listeners by their state.", table,
	    listener_states);
	print_counts(out, "names", "Names that are needed, by their state.",
	    cli_field(line, "uplink", "names"), name_states);
	print_closes(out, line);
	fputs("# EOF\n", out);
	json_decref(table);
}
