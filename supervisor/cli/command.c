#include "supervisor/cli/command.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/cli/conn.h"
#include "supervisor/cli/field.h"
#include "supervisor/cli/out.h"

#define STATUS_SOCK "status.sock"

/* The first line comes at once; a gateway under load may need a moment. */
#define FIRST_MS 5000
/* Two heartbeats and a half: then the other side hangs. */
#define SILENCE_MS 12500
/* Between two attempts to connect while waiting. */
#define RETRY_MS 250
/* For a look at what is so now, however little time --timeout gives. */
#define LOOK_MS 500
#define CHANGE_CAP 512

/* The caller's to json_decref(); NULL and a message if it is none of ours. */
static json_t *
parse_line(const char *text)
{
	json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);

	if (line != NULL && cli_line_ok(line))
		return line;
	json_decref(line);
	fprintf(stderr, "portcullis: The supervisor speaks another version "
	    "than this program.\n");
	return NULL;
}

json_t *
cli_first_line(struct cli_conn *c, char **text, enum cli_exit *code,
    const struct cli_options *o)
{
	uint64_t deadline = cli_now_ms() + FIRST_MS;
	json_t *line;
	enum cli_io rc;

	rc = cli_conn_open(c, o->dir, STATUS_SOCK, deadline);
	if (rc == CLI_IO_OK)
		rc = cli_conn_read(c, text, deadline);
	if (rc != CLI_IO_OK) {
		*code = cli_io_failed(o, rc);
		return NULL;
	}
	line = parse_line(*text);
	*code = line != NULL ? CLI_OK : CLI_UNKNOWN;
	return line;
}

/* One line for people, unless it says the same as the last. */
static void
print_change(const json_t *line, char last[CHANGE_CAP])
{
	const char *when = json_string_value(json_object_get(line, "time"));
	char now[CHANGE_CAP], stamp[40];

	cli_format_change(now, sizeof now, line);
	if (strcmp(now, last) == 0)
		return;
	memcpy(last, now, sizeof now);
	printf("%s %s\n", cli_plain(stamp, sizeof stamp,
	    when != NULL ? when : "-"), now);
}

/* CLI_OK: there is more to come behind LINE. */
static enum cli_exit
watched(const json_t *line)
{
	if (line == NULL)
		return CLI_UNKNOWN;
	return cli_line_refuses(line) ? CLI_REFUSED : CLI_OK;
}

enum cli_exit
cli_watch(const struct cli_options *o)
{
	struct cli_conn c;
	uint64_t deadline = cli_now_ms() + FIRST_MS;
	char last[CHANGE_CAP] = "", *text;
	enum cli_exit code = CLI_OK;
	enum cli_io rc;
	json_t *line;

	rc = cli_conn_open(&c, o->dir, STATUS_SOCK, deadline);
	while (rc == CLI_IO_OK && code == CLI_OK) {
		rc = cli_conn_read(&c, &text, cli_now_ms() + SILENCE_MS);
		if (rc != CLI_IO_OK)
			break;
		line = parse_line(text);
		if (line != NULL && o->json)
			cli_print_raw(text);
		else if (line != NULL)
			print_change(line, last);
		code = cli_printed(watched(line));
		json_decref(line);
	}
	cli_conn_close(&c);
	if (code == CLI_REFUSED)
		fprintf(stderr, "portcullis: The supervisor has no place for "
		    "another client.\n");
	return rc != CLI_IO_OK ? cli_io_failed(o, rc) : code;
}

/*
 * Read until the goal is met or the connection is of no more use; the first
 * line has time until LOOK.  CLI_OK: met.  CLI_FAILED: connect again.
 * Anything else ends the wait.
 */
static enum cli_exit
wait_on(struct cli_conn *c, const struct cli_options *o, uint64_t look,
    uint64_t deadline)
{
	uint64_t silence;
	json_t *line;
	char *text;
	bool met;

	for (uint64_t end = look;; end = deadline) {
		silence = cli_now_ms() + SILENCE_MS;
		if (cli_conn_read(c, &text, silence < end ? silence : end) !=
		    CLI_IO_OK)
			return CLI_FAILED;
		line = parse_line(text);
		if (line == NULL)
			return CLI_UNKNOWN;
		met = cli_goal_met(line, o->goal);
		json_decref(line);
		if (met)
			return CLI_OK;
	}
}

enum cli_exit
cli_wait(const struct cli_options *o)
{
	struct cli_conn c;
	struct timespec nap = { .tv_nsec = RETRY_MS * 1000000L };
	uint64_t deadline = o->has_timeout ? cli_now_ms() + o->timeout_ms :
	    UINT64_MAX;
	uint64_t look = cli_now_ms() + LOOK_MS;
	enum cli_exit code;
	enum cli_io rc;

	if (look < deadline)
		look = deadline;
	for (;;) {
		code = CLI_FAILED;
		rc = cli_conn_open(&c, o->dir, STATUS_SOCK, look);
		if (rc == CLI_IO_DENIED)
			return cli_io_failed(o, rc);
		if (rc == CLI_IO_OK)
			code = wait_on(&c, o, look, deadline);
		cli_conn_close(&c);
		if (code != CLI_FAILED)
			return code;
		if (cli_now_ms() >= deadline)
			break;
		(void)nanosleep(&nap, NULL); /* shorter does no harm */
	}
	fprintf(stderr, "portcullis: The time is up%s\n", rc == CLI_IO_OK ?
	    "." : "; the supervisor did not answer.");
	return CLI_TIMEOUT;
}
