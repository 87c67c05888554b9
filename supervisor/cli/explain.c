#include "supervisor/cli/explain.h"

#include <string.h>

#include "supervisor/cli/field.h"
#include "supervisor/cli/format.h"
#include "supervisor/cli/row.h"

#define GREEN "\033[1;32m"
#define RED "\033[1;31m"
#define YELLOW "\033[1;33m"
#define PLAIN "\033[0m"

static void
print_reasons(FILE *out, const char *indent, const struct cli_finding *f)
{
	if (f->why[0] != '\0')
		fprintf(out, "%s%s\n", indent, f->why);
	if (f->hint[0] != '\0')
		fprintf(out, "%s%s\n", indent, f->hint);
}

void
cli_explain_finding(FILE *out, const struct cli_finding *f)
{
	fprintf(out, "%s\n", f->text);
	print_reasons(out, "", f);
}

void
cli_explain_details(FILE *out, enum cli_check check, const json_t *line)
{
	switch (check) {
	case CLI_C_RESOLVER:
	case CLI_C_TRANSPORTS:
		cli_format_ways(out, line);
		break;
	case CLI_C_LISTENERS:
		cli_format_troubles(out, line);
		break;
	case CLI_C_FIREWALL:
		cli_format_firewall(out, line);
		break;
	case CLI_C_RUNNING:
	case CLI_C_CONTROL:
	case CLI_C_ENABLED:
	case CLI_C_CONFIG:
	case CLI_C_CONSENSUS:
	case CLI_C_CLOCK:
	case CLI_C_BOOTSTRAPPED:
	case CLI_C_CIRCUIT:
	case CLI_C_USABLE:
	case CLI_NCHECK:
		break;
	}
}

/* "ok", "NO" or "?", and the colour for it. */
static const char *
verdict_word(enum cli_exit code, const char **colour)
{
	if (code == CLI_OK) {
		*colour = GREEN;
		return "ok";
	}
	*colour = code == CLI_UNKNOWN ? YELLOW : RED;
	return code == CLI_UNKNOWN ? "?" : "NO";
}

void
cli_explain_all(FILE *out, const struct cli_finding f[CLI_NCHECK],
    const struct cli_finding *sum, bool colour)
{
	const char *word, *ink;

	fprintf(out, "%s\n\n", sum->text);
	for (unsigned i = 0; i < CLI_NCHECK; i++) {
		word = verdict_word(f[i].code, &ink);
		fprintf(out, "%-13s%s%-4s%s%s\n", cli_check_name(i),
		    colour ? ink : "", word, colour ? PLAIN : "", f[i].text);
	}
	if (sum->code == CLI_OK || (sum->why[0] == '\0' &&
	    sum->hint[0] == '\0'))
		return;
	fputc('\n', out);
	print_reasons(out, "", sum);
}

static json_t *
text_or_null(const char *text)
{
	return text[0] != '\0' ? json_string(text) : json_null();
}

json_t *
cli_explain_json(const struct cli_finding *f, const char *name)
{
	return json_pack("{s:s,s:b,s:i,s:s,s:o,s:o}", "check", name, "ok",
	    f->code == CLI_OK, "code", (int)f->code, "text", f->text, "why",
	    text_or_null(f->why), "hint", text_or_null(f->hint));
}

json_t *
cli_explain_all_json(const struct cli_finding f[CLI_NCHECK],
    const struct cli_finding *sum)
{
	json_t *all = json_array(), *obj = cli_explain_json(sum, "all");

	for (unsigned i = 0; i < CLI_NCHECK; i++)
		(void)json_array_append_new(all, cli_explain_json(&f[i],
		    cli_check_name(i))); /* the size tells below */
	if (json_array_size(all) == CLI_NCHECK &&
	    json_object_set_new(obj, "checks", all) == 0)
		return obj;
	if (json_array_size(all) != CLI_NCHECK)
		json_decref(all); /* else set_new() had it */
	json_decref(obj);
	return NULL;
}

/* --- why the gate is as it is --------------------------------------------- */

static void
print_reason(FILE *out, const json_t *line)
{
	char text[CLI_TEXT_CAP];

	if (cli_field_text(text, cli_field(line, "reason", "text"))[0] != '\0')
		fprintf(out, "%s\n", text);
	if (cli_field_text(text, cli_field(line, NULL, "advice"))[0] != '\0')
		fprintf(out, "%s\n", text);
}

/* TEXT becomes empty if it is what was said last, and that otherwise. */
static void
say_once(char text[CLI_TEXT_CAP], char last[CLI_TEXT_CAP])
{
	if (strcmp(text, last) == 0)
		text[0] = '\0';
	else if (text[0] != '\0')
		memcpy(last, text, CLI_TEXT_CAP);
}

/* What several lack for one cause has its reason and hint once. */
static void
print_missing(FILE *out, const json_t *line)
{
	const char *name, *told = cli_check_missing(line);
	char why[CLI_TEXT_CAP], hint[CLI_TEXT_CAP] = "";
	struct cli_finding f;

	if (told == NULL) {
		if (cli_verdict(line) == CLI_FAILED)
			fputs("\nEverything is proven: it opens by itself, or "
			    "the reason above says why not.\n", out);
		return;
	}
	cli_field_text(why, cli_field(line, "reason", "text"));
	fputs("\nWhat it lacks to open, the cause of the others first:\n",
	    out);
	for (unsigned i = 0; (name = cli_check_fact_name(i)) != NULL; i++) {
		cli_check_fact(&f, i, line);
		if (f.code == CLI_OK)
			continue;
		fprintf(out, "  %-14s %s\n", name, f.text);
		say_once(f.why, why);
		say_once(f.hint, hint);
		print_reasons(out, "                 ", &f);
	}
}

void
cli_explain_print(FILE *out, const json_t *line, bool colour)
{
	cli_format_position(out, line, colour);
	print_reason(out, line);
	print_missing(out, line);
}

json_t *
cli_explain_gate_json(const json_t *line)
{
	json_t *all = json_array(), *one;
	struct cli_finding f;
	const char *name;

	for (unsigned i = 0; all != NULL &&
	    (name = cli_check_fact_name(i)) != NULL; i++) {
		cli_check_fact(&f, i, line);
		if (f.code == CLI_OK || cli_check_missing(line) == NULL)
			continue;
		one = json_pack("{s:s,s:s,s:o,s:o}", "fact", name, "text",
		    f.text, "why", text_or_null(f.why), "hint",
		    text_or_null(f.hint));
		if (json_array_append_new(all, one) == -1) {
			json_decref(all);
			all = NULL;
		}
	}
	return json_pack("{s:O?,s:O?,s:O?,s:o}", "position",
	    cli_field(line, NULL, "position"), "reason",
	    cli_field(line, NULL, "reason"), "advice",
	    cli_field(line, NULL, "advice"), "missing", all);
}

/* --- what happened -------------------------------------------------------- */

bool
cli_explain_log(FILE *out, const json_t *line)
{
	const json_t *all = cli_field(line, NULL, "history"), *h;
	char when[CLI_TEXT_CAP], position[CLI_TEXT_CAP], text[CLI_TEXT_CAP];

	if (!json_is_array(all))
		return false;
	for (size_t i = 0; i < json_array_size(all); i++) {
		h = json_array_get(all, i);
		fprintf(out, "%s %-9s %s\n",
		    cli_field_text(when, json_object_get(h, "time")),
		    cli_field_text(position, json_object_get(h, "position")),
		    cli_field_text(text, json_object_get(h, "text")));
	}
	return true;
}
