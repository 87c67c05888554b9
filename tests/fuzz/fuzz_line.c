/*
 * Any octets as a status line, as portcullis(1) and the shell fragments read
 * it: whoever has taken the socket's place may send them.  Promises: what is
 * printed is printable, and a shell or a dialog gets nothing that it would
 * take for its own; nothing is open but where the line says so in one word;
 * there is no other variable than the ones that there are.
 */
#include "tests/fuzz/fuzz.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "supervisor/cli/explain.h"
#include "supervisor/cli/format.h"
#include "supervisor/cli/metrics.h"
#include "supervisor/cli/shellvars.h"

#define SENTENCE_MAX 255

struct text {
	char *p;
	size_t n;
};

static FILE *
begin(struct text *t)
{
	FILE *f = open_memstream(&t->p, &t->n);

	FUZZ_ASSERT(f != NULL);
	return f;
}

/* Printable lines. */
static void
end(struct text *t, FILE *f)
{
	FUZZ_ASSERT(fclose(f) == 0);
	for (size_t i = 0; i < t->n; i++)
		FUZZ_ASSERT(t->p[i] == '\n' ||
		    (t->p[i] >= 0x20 && t->p[i] <= 0x7e));
}

static void
check_sentence(const char *p, size_t n)
{
	FUZZ_ASSERT(n <= SENTENCE_MAX);
	for (size_t i = 0; i < n; i++)
		FUZZ_ASSERT(strchr("<>&\"'", p[i]) == NULL);
}

static void
check_position(const json_t *line)
{
	struct text t;
	FILE *f = begin(&t);
	const char *lf;

	cli_format_position(f, line, false);
	end(&t, f);
	lf = memchr(t.p, '\n', t.n);
	check_sentence(t.p, lf != NULL ? (size_t)(lf - t.p) : t.n);
	free(t.p);
}

static void
check_status(const json_t *line)
{
	struct text t;
	FILE *f = begin(&t);
	const char *lf;

	cli_format_status(f, line, false);
	end(&t, f);
	lf = memchr(t.p, '\n', t.n);
	FUZZ_ASSERT(lf != NULL);
	check_sentence(t.p, (size_t)(lf - t.p));
	free(t.p);
}

static void
check_rest(const json_t *line)
{
	static const char eof[] = "# EOF\n";
	char change[512];
	struct text t;
	FILE *f = begin(&t);

	(void)cli_format_listeners(f, line); /* false: a sentence instead */
	end(&t, f);
	FUZZ_ASSERT(t.n > 0 && t.p[t.n - 1] == '\n');
	free(t.p);
	f = begin(&t);
	cli_metrics_print(f, line);
	end(&t, f);
	FUZZ_ASSERT(t.n >= sizeof eof - 1 &&
	    strcmp(t.p + t.n - (sizeof eof - 1), eof) == 0);
	free(t.p);
	cli_format_change(change, sizeof change, line);
	for (const char *c = change; *c != '\0'; c++)
		FUZZ_ASSERT(*c >= 0x20 && *c <= 0x7e);
}

/* A value may have an apostrophe, and then it is written for a shell. */
static size_t
quoted_len(const char *value)
{
	size_t n = 0;

	for (; *value != '\0'; value++)
		n += *value == '\'' ? 4 : 1;
	return n + 2;
}

static void
check_shell(const json_t *line)
{
	static struct cli_shellvars v;
	const struct cli_shellenv env = { .socks = CLI_SOCKS_THERE };
	size_t at = 0;
	struct text t;
	FILE *f = begin(&t);

	cli_shellvars_make(&v, line, &env);
	cli_shellvars_print(f, &v);
	end(&t, f);
	for (unsigned i = 0; i < CLI_NSHELLVAR; i++) {
		const char *name = cli_shellvar_name((enum cli_shellvar)i);
		const char *value = v.value[i];

		FUZZ_ASSERT(strpbrk(value, "<>&`$\\") == NULL);
		FUZZ_ASSERT(strncmp(t.p + at, name, strlen(name)) == 0);
		at += strlen(name) + 1 + quoted_len(value);
		FUZZ_ASSERT(at < t.n && t.p[at] == '\n');
		at++;
	}
	FUZZ_ASSERT(at == t.n);
	free(t.p);
	(void)cli_shell_reach(line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *line = json_loadb((const char *)data, size,
	    JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	const json_t *position = json_object_get(line, "position");
	bool open = json_is_string(position) &&
	    strcmp(json_string_value(position), "open") == 0;

	if (line == NULL)
		return 0;
	FUZZ_ASSERT((cli_verdict(line) == CLI_OK) == open);
	FUZZ_ASSERT(open || !cli_goal_met(line, CLI_GOAL_OPEN));
	check_position(line);
	check_status(line);
	check_rest(line);
	check_shell(line);
	json_decref(line);
	return 0;
}
