/* What is asked of control.sock. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/cli/change.h"
#include "supervisor/cli/conn.h"
#include "supervisor/cli/field.h"
#include "supervisor/cli/out.h"
#include "supervisor/wipe.h"

#define CONTROL_SOCK "control.sock"
#define SENTENCE_CAP 512

/*
 * How long the answers to a request may take: from one to the next, and in
 * all.  A little more than the supervisor itself waits, so that it can say so.
 */
struct patience {
	uint64_t next_ms, all_ms;
	bool verdict; /* "no" is an answer, not a failure to get one */
};

static const struct patience at_once = { 8000, 8000, false };
static const struct patience check = { 33000, 155000, true };
static const struct patience apply = { 65000, 605000, true };

/* The answer's own sentence, or one for it. */
static void
sentence_of(char dst[SENTENCE_CAP], const json_t *answer, bool ok)
{
	const char *s = json_string_value(json_object_get(answer, "text"));

	if (s == NULL)
		s = json_string_value(json_object_get(answer, "error"));
	if (s == NULL || s[0] == '\0')
		s = ok ? "Done." : "No reason was given.";
	cli_plain(dst, SENTENCE_CAP, s);
}

/*
 * Print one answer's sentence: what the engine said to stdout, or into ALL if
 * there is one, why something was not done to stderr.  *MORE: another answer
 * follows.
 */
static enum cli_exit
print_answer(const char *text, bool verdict, bool *more, json_t *all)
{
	json_t *answer = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	const json_t *ok = json_object_get(answer, "ok");
	bool refused = json_is_true(json_object_get(answer, "refused"));
	enum cli_exit code = CLI_UNKNOWN;
	char plain[SENTENCE_CAP];

	if (json_is_true(ok))
		code = CLI_OK;
	else if (json_is_false(ok))
		code = verdict && !refused ? CLI_FAILED : CLI_REFUSED;
	*more = json_is_boolean(ok) &&
	    json_is_true(json_object_get(answer, "more"));
	sentence_of(plain, answer, code == CLI_OK);
	json_decref(answer);
	if (all != NULL && code != CLI_UNKNOWN)
		return json_array_append_new(all, json_string(plain)) == 0 ?
		    code : CLI_UNKNOWN;
	if (code == CLI_OK || code == CLI_FAILED) {
		puts(plain);
		return cli_printed(code);
	}
	fprintf(stderr, "portcullis: %s\n", plain);
	return code;
}

/* Connect and send TEXT as a line. */
static enum cli_io
request(struct cli_conn *c, const struct cli_options *o, const char *text,
    uint64_t deadline_ms)
{
	enum cli_io rc = cli_conn_open(c, o->dir, CONTROL_SOCK, deadline_ms);

	if (rc == CLI_IO_OK)
		rc = cli_conn_write(c, text, deadline_ms);
	if (rc == CLI_IO_OK)
		rc = cli_conn_write(c, "\n", deadline_ms);
	return rc;
}

/* Ask with OBJ, which is taken, and print every answer, or have it in ALL. */
static enum cli_exit
converse(const struct cli_options *o, json_t *obj, const struct patience *p,
    json_t *all)
{
	char *text = json_dumps(obj, JSON_COMPACT | JSON_ENSURE_ASCII);
	uint64_t end = cli_now_ms() + p->all_ms, next;
	enum cli_exit code = CLI_UNKNOWN;
	enum cli_io rc = CLI_IO_MEMORY;
	struct cli_conn c = { .fd = -1 };
	bool more = true;
	char *answer;

	json_decref(obj);
	if (text != NULL)
		rc = request(&c, o, text, cli_now_ms() + at_once.next_ms);
	wipe_free(text);
	while (rc == CLI_IO_OK && more) {
		next = cli_now_ms() + p->next_ms;
		rc = cli_conn_read(&c, &answer, next < end ? next : end);
		if (rc != CLI_IO_OK)
			break;
		code = print_answer(answer, p->verdict, &more, all);
		if (code == CLI_UNKNOWN)
			break; /* nobody reads, or it is no answer */
	}
	cli_conn_close(&c);
	return rc == CLI_IO_OK ? code : cli_io_failed(o, rc);
}

enum cli_exit
cli_ask(const struct cli_options *o)
{
	return converse(o, json_pack("{s:s}", "cmd", o->command), &at_once,
	    NULL);
}

enum cli_exit
cli_check_isolation(const struct cli_options *o)
{
	json_t *ask = json_pack("{s:s}", "cmd", "check-isolation");
	json_t *all, *last;
	enum cli_exit code, printed;

	if (!o->json)
		return converse(o, ask, &check, NULL);
	all = json_array();
	code = converse(o, ask, &check, all);
	last = json_array_get(all, json_array_size(all) - 1);
	printed = cli_print_json(json_pack("{s:s,s:b,s:i,s:O?,s:n,s:n,s:o}",
	    "check", "isolation", "ok", code == CLI_OK, "code", (int)code,
	    "text", last, "why", "hint", "details", all));
	return cli_printed(printed == CLI_OK ? code : printed);
}

enum cli_exit
cli_apply(const struct cli_options *o)
{
	json_t *obj;

	json_set_alloc_funcs(malloc, wipe_free);
	obj = cli_change_load(o->operand, o->dry_run);
	return obj != NULL ? converse(o, obj, &apply, NULL) : CLI_USAGE;
}
