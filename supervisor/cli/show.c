/* The commands that print what one status line says. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/cli/checks.h"
#include "supervisor/cli/command.h"
#include "supervisor/cli/explain.h"
#include "supervisor/cli/field.h"
#include "supervisor/cli/metrics.h"
#include "supervisor/cli/out.h"
#include "supervisor/cli/shelllook.h"
#include "supervisor/cli/table.h"

/* So long may looking at this machine's files take: it waits for one. */
#define LOOK_MS 500

/* What a command makes of a line, with its text. */
typedef enum cli_exit show_fn(const struct cli_options *o,
    const json_t *line, char *text);

static enum cli_exit
with_line(const struct cli_options *o, show_fn *show)
{
	struct cli_conn c;
	enum cli_exit code;
	json_t *line;
	char *text;

	line = cli_first_line(&c, &text, &code, o);
	if (line != NULL)
		code = show(o, line, text);
	json_decref(line);
	cli_conn_close(&c);
	return cli_printed(code);
}

static enum cli_exit
show_field(const struct cli_options *o, const json_t *line)
{
	const json_t *value = cli_field_at(line, o->field);
	const char *s = json_string_value(value);
	char *plain;

	if (value == NULL) {
		fprintf(stderr, "portcullis: The status line has no such "
		    "field.\n");
		return CLI_USAGE;
	}
	if (s == NULL)
		return cli_print_json(json_deep_copy(value));
	plain = strdup(s);
	if (plain == NULL)
		return CLI_UNKNOWN;
	cli_print_raw(plain);
	free(plain);
	return CLI_OK;
}

static enum cli_exit
show_status(const struct cli_options *o, const json_t *line, char *text)
{
	if (o->field != NULL)
		return show_field(o, line);
	if (o->json)
		cli_print_raw(text);
	else
		cli_format_status(stdout, line, cli_colour());
	return CLI_OK;
}

/* Whoever evaluates it gets all variables, also when nobody answers. */
static enum cli_exit
shell_status(const struct cli_options *o)
{
	struct cli_shellenv env;
	struct cli_shellvars vars;
	struct cli_conn c;
	enum cli_exit code;
	json_t *line;
	char *text;

	line = cli_first_line(&c, &text, &code, o);
	cli_shell_look(&env, "", cli_now_ms() + LOOK_MS);
	cli_shellvars_make(&vars, line, &env);
	cli_shellvars_print(stdout, &vars);
	json_decref(line);
	cli_conn_close(&c);
	return cli_printed(code);
}

enum cli_exit
cli_status(const struct cli_options *o)
{
	return o->shell ? shell_status(o) : with_line(o, show_status);
}

/* The array alone; "null" when there is none. */
static enum cli_exit
show_listeners(const struct cli_options *o, const json_t *line, char *text)
{
	json_t *table;

	(void)text;
	if (!o->json)
		return cli_format_listeners(stdout, line) ? CLI_OK :
		    CLI_UNKNOWN;
	table = cli_table_new(line);
	if (table != NULL)
		return cli_print_json(table);
	puts("null");
	return CLI_UNKNOWN;
}

enum cli_exit
cli_listeners(const struct cli_options *o)
{
	return with_line(o, show_listeners);
}

/* CODE, unless it could not be told. */
static enum cli_exit
told(enum cli_exit code, enum cli_exit printed)
{
	return printed == CLI_OK ? code : printed;
}

static enum cli_exit
show_all(const struct cli_options *o, const json_t *line, char *text)
{
	struct cli_finding f[CLI_NCHECK], sum;

	(void)text;
	cli_check_all(f, &sum, line, o->has_max_age ? o->max_age_ms :
	    UINT64_MAX);
	if (o->json)
		return told(sum.code, cli_print_json(cli_explain_all_json(f,
		    &sum)));
	cli_explain_all(stdout, f, &sum, cli_colour());
	return sum.code;
}

static enum cli_exit
show_check(const struct cli_options *o, const json_t *line, char *text)
{
	enum cli_check check = cli_check_of(o->operand);
	struct cli_finding f;

	(void)text;
	cli_check_make(&f, check, line, o->has_max_age ? o->max_age_ms :
	    UINT64_MAX);
	if (o->json)
		return told(f.code, cli_print_json(cli_explain_json(&f,
		    o->operand)));
	cli_explain_finding(stdout, &f);
	cli_explain_details(stdout, check, line);
	return f.code;
}

enum cli_exit
cli_check(const struct cli_options *o)
{
	enum cli_check check = cli_check_of(o->operand);
	bool all = strcmp(o->operand, "all") == 0;

	if (o->has_max_age && !all && check != CLI_C_USABLE) {
		fprintf(stderr, "portcullis: --max-age is for \"usable\" and "
		    "\"all\".\n");
		return CLI_USAGE;
	}
	if (strcmp(o->operand, "isolation") == 0)
		return cli_check_isolation(o);
	return with_line(o, all ? show_all : show_check);
}

/* In the order of the manual. */
const char *
cli_check_word(unsigned i)
{
	static const char *const words[] = { "enabled", "running", "control",
		"bootstrapped", "circuit", "usable", "consensus", "clock",
		"config", "listeners", "isolation", "firewall", "resolver",
		"transports", "all" };

	return i < sizeof words / sizeof words[0] ? words[i] : NULL;
}

static enum cli_exit
show_explain(const struct cli_options *o, const json_t *line, char *text)
{
	(void)text;
	if (o->json)
		return cli_print_json(cli_explain_gate_json(line));
	cli_explain_print(stdout, line, cli_colour());
	return CLI_OK;
}

enum cli_exit
cli_explain(const struct cli_options *o)
{
	return with_line(o, show_explain);
}

static enum cli_exit
show_log(const struct cli_options *o, const json_t *line, char *text)
{
	const json_t *history = cli_field(line, NULL, "history");

	(void)text;
	if (o->json && json_is_array(history))
		return cli_print_json(json_deep_copy(history));
	if (!o->json && cli_explain_log(stdout, line))
		return CLI_OK;
	fprintf(stderr, "portcullis: The supervisor tells no history.\n");
	return CLI_UNKNOWN;
}

enum cli_exit
cli_log(const struct cli_options *o)
{
	return with_line(o, show_log);
}

static enum cli_exit
show_metrics(const struct cli_options *o, const json_t *line, char *text)
{
	(void)o;
	(void)text;
	cli_metrics_print(stdout, line);
	return CLI_OK;
}

enum cli_exit
cli_metrics(const struct cli_options *o)
{
	return with_line(o, show_metrics);
}
