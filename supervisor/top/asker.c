#include "supervisor/top/asker.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/cli/field.h"

#define CONTROL_SOCK "control.sock"

/* A little more than the supervisor itself waits, so that it can say so. */
#define ANSWER_MS 8000
/* A Unix socket takes so short a line at once. */
#define SEND_MS 200
#define READ_MS 1

static const char *
failure_text(enum cli_io rc)
{
	switch (rc) {
	case CLI_IO_GONE:
		return "Not done: the supervisor is not running or went "
		    "away.";
	case CLI_IO_DENIED:
		return "Not done: that is for root and the group of the "
		    "control socket.";
	case CLI_IO_LATE:
		return "The supervisor does not answer; whether it was done "
		    "is not known.";
	case CLI_IO_OK:
	case CLI_IO_BAD:
	case CLI_IO_MEMORY:
		break;
	}
	return "The supervisor's answer could not be read.";
}

void
top_asker_init(struct top_asker *a, const char *dir)
{
	memset(a, 0, sizeof *a);
	a->dir = dir;
	a->c.fd = -1;
}

void
top_asker_clear(struct top_asker *a)
{
	cli_conn_close(&a->c);
}

bool
top_asker_ask(struct top_asker *a, const char *verb, char *text, size_t cap)
{
	uint64_t deadline = cli_now_ms() + SEND_MS;
	char request[64];
	enum cli_io rc;

	cli_conn_close(&a->c);
	(void)snprintf(request, sizeof request, "{\"cmd\":\"%s\"}\n", verb);
	rc = cli_conn_open(&a->c, a->dir, CONTROL_SOCK, deadline);
	if (rc == CLI_IO_OK)
		rc = cli_conn_write(&a->c, request, deadline);
	if (rc == CLI_IO_OK) {
		a->deadline_ms = cli_now_ms() + ANSWER_MS;
		return true;
	}
	cli_conn_close(&a->c);
	cli_plain(text, cap, failure_text(rc));
	return false;
}

/* An answer's own sentence, or one for it. */
static void
answer_text(char *text, size_t cap, const char *line)
{
	json_t *answer = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	const json_t *ok = json_object_get(answer, "ok");
	const char *s = json_string_value(json_object_get(answer,
	    json_is_true(ok) ? "text" : "error"));

	if (!json_is_boolean(ok))
		s = failure_text(CLI_IO_BAD);
	else if (s == NULL || s[0] == '\0')
		s = json_is_true(ok) ? "Done." :
		    "Refused; no reason was given.";
	cli_plain(text, cap, s);
	json_decref(answer);
}

bool
top_asker_step(struct top_asker *a, char *text, size_t cap)
{
	enum cli_io rc;
	char *line;

	if (a->c.fd == -1)
		return false;
	rc = cli_conn_read(&a->c, &line, cli_now_ms() + READ_MS);
	if (rc == CLI_IO_LATE && cli_now_ms() < a->deadline_ms)
		return false;
	if (rc == CLI_IO_OK)
		answer_text(text, cap, line);
	else
		cli_plain(text, cap, failure_text(rc));
	cli_conn_close(&a->c);
	return true;
}
