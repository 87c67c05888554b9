#include <stdarg.h>
#include <string.h>

#include "supervisor/cli/field.h"
#include "supervisor/cli/row.h"

void
cli_row(FILE *out, const char *name, const char *fmt, ...)
{
	va_list ap;

	fprintf(out, "%-12s", name);
	va_start(ap, fmt);
	vfprintf(out, fmt, ap);
	va_end(ap);
	fputc('\n', out);
}

static void
format_proxy(FILE *out, const json_t *proxy)
{
	char kind[CLI_TEXT_CAP], state[CLI_TEXT_CAP];
	json_int_t code;

	if (cli_field_text(kind, json_object_get(proxy, "kind"))[0] == '\0')
		return;
	cli_field_text(state, json_object_get(proxy, "state"));
	fprintf(out, "%-12s%s%s", "Proxy", kind,
	    json_is_true(json_object_get(proxy, "by_name")) ?
	    ", given by name" : "");
	if (state[0] != '\0')
		fprintf(out, ", when last tried: %s", state);
	if (cli_field_number(&code, json_object_get(proxy, "code")))
		fprintf(out, " (its code %lld)", (long long)code);
	fputc('\n', out);
}

static void
format_transport(FILE *out, const json_t *t)
{
	char method[CLI_TEXT_CAP], state[CLI_TEXT_CAP], said[CLI_TEXT_CAP];
	json_int_t deaths;

	cli_field_text(method, json_object_get(t, "method"));
	cli_field_text(state, json_object_get(t, "state"));
	if (cli_field_number(&deaths, json_object_get(t, "deaths")) &&
	    deaths > 0)
		cli_row(out, "Transport", "%s: %s, ended %lld times", method,
		    state, (long long)deaths);
	else
		cli_row(out, "Transport", "%s: %s", method, state);
	if (cli_field_text(said, json_object_get(t, "said"))[0] != '\0')
		cli_row(out, "", "it said: %s", said);
}

static void
format_name(FILE *out, const json_t *n)
{
	char name[CLI_TEXT_CAP], state[CLI_TEXT_CAP], by[CLI_TEXT_CAP];

	cli_row(out, "Name", "%s: %s, for %s",
	    cli_field_text(name, json_object_get(n, "name")),
	    cli_field_text(state, json_object_get(n, "state")),
	    cli_field_text(by, json_object_get(n, "needed_by")));
}

static void
format_change(FILE *out, const json_t *change)
{
	char step[CLI_TEXT_CAP], text[CLI_TEXT_CAP], since[CLI_TEXT_CAP];

	if (cli_field_text(step, json_object_get(change, "step"))[0] == '\0')
		return;
	cli_field_text(text, json_object_get(change, "text"));
	cli_field_text(since, json_object_get(change, "since"));
	fprintf(out, "%-12s%s", "Change", step);
	if (since[0] != '\0')
		fprintf(out, ", %s", since);
	fprintf(out, "%s%s\n", text[0] != '\0' ? ": " : "", text);
}

/* Only for who has one; how much it was asked says whether it is of use. */
static void
format_resolver(FILE *out, const json_t *r)
{
	json_int_t asked = 0, answered = 0, refused = 0;

	if (!json_is_object(r))
		return;
	(void)cli_field_number(&asked, json_object_get(r, "queries"));
	(void)cli_field_number(&answered, json_object_get(r, "stub_answered"));
	(void)cli_field_number(&refused, json_object_get(r, "stub_refused"));
	cli_row(out, "Resolver", "%s, %lld lookups; of transports' questions "
	    "%lld answered, %lld refused",
	    json_is_true(json_object_get(r, "running")) ? "running" :
	    "not running", (long long)asked, (long long)answered,
	    (long long)refused);
}

void
cli_format_ways(FILE *out, const json_t *line)
{
	const json_t *up = json_object_get(line, "uplink");
	const json_t *all = json_object_get(up, "transports");
	json_int_t bridges, total;
	size_t i;

	if (cli_field_number(&bridges, json_object_get(up, "bridges")) &&
	    bridges > 0)
		cli_row(out, "Bridges", "%lld", (long long)bridges);
	format_proxy(out, json_object_get(up, "proxy"));
	for (i = 0; i < json_array_size(all); i++)
		format_transport(out, json_array_get(all, i));
	all = json_object_get(up, "names");
	for (i = 0; i < json_array_size(all); i++)
		format_name(out, json_array_get(all, i));
	if (cli_field_number(&total, json_object_get(up, "names_total")) &&
	    total > (json_int_t)i)
		cli_row(out, "", "and %lld more", (long long)total -
		    (long long)i);
	format_resolver(out, json_object_get(up, "resolver"));
	format_change(out, json_object_get(up, "change"));
}
