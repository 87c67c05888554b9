#include "supervisor/top/view.h"

#include <string.h>

#include "supervisor/cli/format.h"
#include "supervisor/cli/row.h"
#include "supervisor/cli/table.h"
#include "supervisor/top/details.h"
#include "supervisor/top/past.h"

#define NOT_KNOWN "not known"

static const struct {
	const char *name, *sentence;
} positions[TOP_NPOS] = {
	[TOP_UNKNOWN] = { "unknown",
	    "It is not known whether the gate is open." },
	[TOP_CLOSED] = { "closed", "The gate is closed." },
	[TOP_TOR_ONLY] = { "tor-only",
	    "The gate is closed: only Tor itself may connect." },
	[TOP_SYNC] = { "time-sync",
	    "The gate is closed but for time synchronisation." },
	[TOP_OPEN] = { "open",
	    "The gate is open: traffic goes through Tor." },
};

const char *
top_pos_name(enum top_pos pos)
{
	return positions[(unsigned)pos < TOP_NPOS ? pos : TOP_UNKNOWN].name;
}

const char *
top_pos_sentence(enum top_pos pos)
{
	return positions[(unsigned)pos < TOP_NPOS ? pos :
	    TOP_UNKNOWN].sentence;
}

static enum top_pos
position_of(const json_t *line)
{
	unsigned p;

	for (p = TOP_UNKNOWN + 1; p < TOP_NPOS; p++)
		if (cli_field_is(json_object_get(line, "position"),
		    positions[p].name))
			return (enum top_pos)p;
	return TOP_UNKNOWN;
}

static void
take_bootstrap(struct top_head *h, const json_t *line)
{
	json_int_t n;

	h->has_progress = cli_field_number(&n, cli_field(line, "bootstrap",
	    "progress")) && n >= 0 && n <= 100;
	h->progress = h->has_progress ? (int)n : 0;
	h->stalled = json_is_true(cli_field(line, "bootstrap", "stalled"));
	cli_field_text(h->tag, cli_field(line, "bootstrap", "tag"));
	cli_field_text(h->summary, cli_field(line, "bootstrap", "summary"));
	cli_field_text(h->warning, cli_field(line, "bootstrap", "warning"));
}

/* "9 of 9 proven, 9 open, 1 withheld, 2 alarms" */
static void
take_counts(struct top_head *h, const json_t *line)
{
	json_int_t total, proven, n;
	size_t len;

	if (!cli_field_number(&total, cli_field(line, "listeners",
	    "total")) ||
	    !cli_field_number(&proven, cli_field(line, "listeners",
	    "proven"))) {
		cli_plain(h->listeners, sizeof h->listeners, NOT_KNOWN);
		return;
	}
	(void)snprintf(h->listeners, sizeof h->listeners,
	    "%lld of %lld proven", (long long)proven, (long long)total);
	for (size_t i = 0; i < 3; i++) {
		static const char *const keys[] = { "open", "withheld",
			"alarms" };
		if (!cli_field_number(&n, cli_field(line, "listeners",
		    keys[i])) || (n == 0 && i > 0))
			continue;
		len = strlen(h->listeners);
		(void)snprintf(h->listeners + len, sizeof h->listeners - len,
		    ", %lld %s", (long long)n, keys[i]);
	}
}

static void
take_gate(struct top_head *h, const json_t *line)
{
	json_int_t lease, closes, last, most;

	cli_plain(h->lease, sizeof h->lease, NOT_KNOWN);
	cli_plain(h->closes, sizeof h->closes, NOT_KNOWN);
	if (cli_field_number(&lease, cli_field(line, "firewall",
	    "lease_ms"))) {
		if (lease > 0)
			(void)snprintf(h->lease, sizeof h->lease,
			    "%lld ms left when told", (long long)lease);
		else
			cli_plain(h->lease, sizeof h->lease, "none");
	}
	if (cli_field_number(&closes, cli_field(line, "firewall",
	    "closes")) && cli_field_number(&last, cli_field(line, "firewall",
	    "close_last_us")) && cli_field_number(&most, cli_field(line,
	    "firewall", "close_max_us")))
		(void)snprintf(h->closes, sizeof h->closes,
		    "%lld, last %lld us, slowest %lld us", (long long)closes,
		    (long long)last, (long long)most);
}

static void
take_tor(struct top_head *h, const json_t *line)
{
	const json_t *running = cli_field(line, "tor", "running");
	char version[CLI_TEXT_CAP];

	cli_field_text(version, cli_field(line, "tor", "version"));
	if (!json_is_boolean(running))
		cli_plain(h->tor, sizeof h->tor, NOT_KNOWN);
	else if (!json_is_true(running))
		cli_plain(h->tor, sizeof h->tor, "not running");
	else
		(void)snprintf(h->tor, sizeof h->tor, "running%s%.64s",
		    version[0] != '\0' ? ", " : "", version);
}

static void
take_head(struct top_head *h, const json_t *line)
{
	unsigned f;

	h->pos = position_of(line);
	h->hold = json_is_true(json_object_get(line, "hold"));
	cli_field_text(h->reason, cli_field(line, "reason", "text"));
	cli_field_text(h->advice, json_object_get(line, "advice"));
	cli_field_text(h->since, json_object_get(line, "since"));
	take_bootstrap(h, line);
	take_counts(h, line);
	take_gate(h, line);
	take_tor(h, line);
	h->facts = 0;
	for (f = 0; f < SNAP_NFACT; f++)
		if (json_is_true(cli_field(line, "facts",
		    snap_fact_name((enum snap_fact)f))))
			h->facts |= 1u << f;
}

/* The table as last told, put back into LINE; a null voids it. */
static void
keep_table(struct top_view *v, json_t *line)
{
	json_t *listeners = json_object_get(line, "listeners");
	json_t *table = json_object_get(listeners, "table");

	if (table != NULL) {
		json_decref(v->table);
		v->table = json_is_array(table) ? json_incref(table) : NULL;
	} else if (v->table != NULL) {
		/* Without memory there is no table to see. */
		(void)json_object_set(listeners, "table", v->table);
	}
}

static void
print_listeners(FILE *out, json_t *line)
{
	json_t *table = cli_table_new(line);

	if (table != NULL)
		cli_table_print(out, table);
	else
		fputs("The table of listeners is not known.\n", out);
	json_decref(table);
}

static void
print_ways(FILE *out, const json_t *line)
{
	long before = ftell(out);

	cli_format_ways(out, line);
	if (ftell(out) == before)
		fputs("Tor connects to relays directly: there is no bridge, "
		    "proxy or transport,\nand no name to look up.\n", out);
}

static void
print_past(struct top_view *v)
{
	FILE *out = top_text_begin(&v->pane[TOP_PAST]);

	if (out == NULL)
		return;
	top_past_print(out, v->history);
	top_text_end(&v->pane[TOP_PAST]);
}

/*
 * All that is not a matter of the past; LINE: NULL when nothing is known.
 * The long one only if it is another than before.
 */
static void
print_panes(struct top_view *v, json_t *line, bool listeners)
{
	unsigned p;
	FILE *out;

	for (p = 0; p < TOP_NPANE; p++) {
		if (p == TOP_PAST || (p == TOP_LISTENERS && !listeners))
			continue;
		out = top_text_begin(&v->pane[p]);
		if (out == NULL)
			continue;
		if (line == NULL)
			fputs("Nothing is known.\n", out);
		else if (p == TOP_LISTENERS)
			print_listeners(out, line);
		else if (p == TOP_WAYS)
			print_ways(out, line);
		else
			top_details_print(out, line);
		top_text_end(&v->pane[p]);
	}
}

/* What V saw itself; the first line of a connection may tell more. */
static void
note_transition(struct top_view *v, const char *stamp, const char *code)
{
	if (v->last == v->head.pos && strcmp(v->code, code) == 0)
		return;
	v->last = v->head.pos;
	cli_plain(v->code, sizeof v->code, code);
	top_past_add(v->history, stamp, top_pos_name(v->head.pos), code,
	    v->head.reason);
}

static void
take_past(struct top_view *v, const json_t *line)
{
	const json_t *told = json_object_get(line, "history");
	char stamp[CLI_TEXT_CAP], code[CLI_TEXT_CAP];

	cli_field_text(stamp, json_object_get(line, "time"));
	cli_field_text(code, cli_field(line, "reason", "code"));
	if (json_array_size(told) == 0) {
		note_transition(v, stamp, code);
		return;
	}
	top_past_merge(v->history, told);
	v->last = v->head.pos;
	cli_plain(v->code, sizeof v->code, code);
}

/* Nothing but why. */
static void
forget_head(struct top_head *h, const char *text)
{
	memset(h, 0, sizeof *h);
	cli_plain(h->reason, sizeof h->reason, text);
	cli_plain(h->lease, sizeof h->lease, NOT_KNOWN);
	cli_plain(h->closes, sizeof h->closes, NOT_KNOWN);
	cli_plain(h->listeners, sizeof h->listeners, NOT_KNOWN);
	cli_plain(h->tor, sizeof h->tor, NOT_KNOWN);
}

void
top_view_init(struct top_view *v, const char *text)
{
	unsigned p;

	memset(v, 0, sizeof *v);
	for (p = 0; p < TOP_NPANE; p++)
		top_text_init(&v->pane[p]);
	v->history = json_array();
	forget_head(&v->head, text);
	print_panes(v, NULL, true);
	print_past(v);
}

void
top_view_clear(struct top_view *v)
{
	unsigned p;

	for (p = 0; p < TOP_NPANE; p++)
		top_text_clear(&v->pane[p]);
	json_decref(v->table);
	json_decref(v->history);
	v->table = v->history = NULL;
}

bool
top_view_take(struct top_view *v, json_t *line, uint64_t now_ms)
{
	enum top_pos before = v->head.pos;
	bool listeners;

	if (!cli_line_ok(line))
		return false;
	take_head(&v->head, line);
	listeners = !v->known || v->head.pos != before ||
	    cli_field(line, "listeners", "table") != NULL;
	keep_table(v, line);
	take_past(v, line);
	v->known = true;
	v->at_ms = now_ms;
	print_panes(v, line, listeners);
	print_past(v);
	return true;
}

void
top_view_lose(struct top_view *v, const char *text, const char *stamp)
{
	if (!v->known && strcmp(v->head.reason, text) == 0)
		return;
	forget_head(&v->head, text);
	json_decref(v->table);
	v->table = NULL;
	if (v->known) {
		note_transition(v, stamp, TOP_NO_ANSWER);
		print_panes(v, NULL, true);
		print_past(v);
	}
	v->known = false;
}
