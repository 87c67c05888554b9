#include "supervisor/top/feed.h"

#include <jansson.h>
#include <string.h>
#include <time.h>

#include "supervisor/cli/format.h"

#define STATUS_SOCK "status.sock"

/* Between attempts to connect: soon at first, and never a burden. */
#define PAUSE_MIN_MS 250
#define PAUSE_MAX_MS 4000
/* A Unix socket answers at once, or its backlog is full. */
#define CONNECT_MS 20
/* Not waiting: what has not come by now is for another time. */
#define READ_MS 1
/* Lines before the keyboard is looked at again. */
#define BURST 16

static const char *const lost_text[] = {
	[CLI_IO_OK] = "",
	[CLI_IO_GONE] = "The supervisor is not running or went away.",
	[CLI_IO_DENIED] = "You are not permitted to use its socket.",
	[CLI_IO_LATE] = "The supervisor does not answer.",
	[CLI_IO_BAD] = "The supervisor speaks another version.",
	[CLI_IO_MEMORY] = "There is not enough memory.",
};

void
top_feed_init(struct top_feed *f, const char *dir)
{
	memset(f, 0, sizeof *f);
	f->dir = dir;
	f->c.fd = -1;
	f->pause_ms = PAUSE_MIN_MS;
}

void
top_feed_clear(struct top_feed *f)
{
	cli_conn_close(&f->c);
}

/* The time of day as in a status line. */
static void
stamp_now(char dst[40])
{
	struct timespec ts;
	struct tm tm;

	dst[0] = '\0';
	if (clock_gettime(CLOCK_REALTIME, &ts) == 0 &&
	    gmtime_r(&ts.tv_sec, &tm) != NULL)
		(void)strftime(dst, 40, "%Y-%m-%dT%H:%M:%SZ", &tm);
}

static void
lose(struct top_feed *f, struct top_view *v, enum cli_io rc, uint64_t now_ms)
{
	char stamp[40];

	stamp_now(stamp);
	top_view_lose(v, f->refused ? "The supervisor has no place for "
	    "another client; it is asked again." : lost_text[rc], stamp);
	cli_conn_close(&f->c);
	f->more = false;
	f->retry_ms = now_ms + f->pause_ms;
	f->pause_ms = 2 * f->pause_ms < PAUSE_MAX_MS ? 2 * f->pause_ms :
	    PAUSE_MAX_MS;
}

static enum cli_io
take(struct top_feed *f, struct top_view *v, const char *text,
    uint64_t now_ms)
{
	json_t *line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	enum cli_io rc = CLI_IO_BAD;

	f->refused = line != NULL && cli_line_refuses(line);
	if (f->refused)
		rc = CLI_IO_GONE;
	else if (line != NULL && top_view_take(v, line, now_ms)) {
		f->heard_ms = now_ms;
		f->pause_ms = PAUSE_MIN_MS;
		rc = CLI_IO_OK;
	}
	json_decref(line);
	return rc;
}

/* CLI_IO_LATE: all that was there is read. */
static enum cli_io
read_lines(struct top_feed *f, struct top_view *v, bool *changed,
    uint64_t now_ms)
{
	enum cli_io rc = CLI_IO_OK;
	char *text;
	int i;

	for (i = 0; i < BURST && rc == CLI_IO_OK; i++) {
		rc = cli_conn_read(&f->c, &text, cli_now_ms() + READ_MS);
		if (rc == CLI_IO_OK)
			rc = take(f, v, text, now_ms);
		*changed |= rc == CLI_IO_OK;
	}
	f->more = rc == CLI_IO_OK;
	return rc;
}

bool
top_feed_step(struct top_feed *f, struct top_view *v, uint64_t now_ms)
{
	enum cli_io rc = CLI_IO_OK;
	bool changed = false;

	if (f->c.fd == -1) {
		if (now_ms < f->retry_ms)
			return false;
		f->refused = false;
		rc = cli_conn_open(&f->c, f->dir, STATUS_SOCK,
		    cli_now_ms() + CONNECT_MS);
		f->heard_ms = now_ms;
	}
	if (rc == CLI_IO_OK)
		rc = read_lines(f, v, &changed, now_ms);
	else if (rc == CLI_IO_LATE)
		f->heard_ms = 0; /* not even connected */
	if (rc == CLI_IO_OK || (rc == CLI_IO_LATE &&
	    now_ms - f->heard_ms < TOP_SILENCE_MS))
		return changed;
	lose(f, v, rc, now_ms);
	return true;
}

uint64_t
top_feed_due(const struct top_feed *f)
{
	if (f->c.fd == -1)
		return f->retry_ms;
	return f->more ? 0 : f->heard_ms + TOP_SILENCE_MS;
}
