#include "supervisor/status/source.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/log.h"
#include "supervisor/status/listeners.h"

uint64_t
status_now_ns(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_BOOTTIME, &ts) == -1)
		fatal("cannot read the clock");
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* The text of the table as it is now; NULL: there is none. */
static struct status_line *
table_text(const struct status_source *src)
{
	struct status_line *line;
	size_t len;
	char *text;

	if (src->changes == 0)
		return NULL;
	text = status_listeners_table(&src->view.table, src->sure, &len);
	if (text == NULL)
		fatal("out of memory");
	line = status_line_new(text, len);
	free(text);
	return line;
}

/* The longest table is the most work, and takes the longest to be read. */
static uint64_t
table_gap_ns(const struct status_table *t)
{
	return STATUS_TABLE_GAP_NS * t->total / POL_MAX_LISTENERS;
}

/*
 * There is none before the engine's first word and the table's last line.  A
 * doubt about the engine, its end, and a table that becomes complete are
 * told at once; mere changes of lines wait their turn, and for the snapshot
 * that counts them: until then the old table and the old counts are told.
 */
static void
refresh_table(struct status_source *src)
{
	const struct status_table *t = &src->view.table;
	uint64_t now = status_now_ns(), changes = 0;
	bool step = status_view_in_step(&src->view), sure, turned;

	if (step)
		changes = t->changes;
	else if (src->view.have && status_table_complete(t))
		changes = src->changes;
	sure = changes != 0 && (step || src->sure) &&
	    status_view_engine_ok(&src->view, now);
	turned = sure != src->sure || (changes == 0) != (src->changes == 0);
	if (!turned && (changes == src->changes ||
		now - src->since_ns < table_gap_ns(t)))
		return;
	src->version++;
	src->changes = changes;
	src->sure = sure;
	src->since_ns = now;
	status_line_unref(src->table);
	/* Now: the next page makes another table of it. */
	src->table = table_text(src);
	status_source_stale(src);
}

static void
key_now(struct status_key *key, const struct status_source *src)
{
	status_key_of(key, &src->view, status_now_ns());
	key->table = src->version;
}

void
status_source_init(struct status_source *src)
{
	memset(src, 0, sizeof *src);
	status_view_init(&src->view);
	src->version = 1;
	src->since_ns = status_now_ns();
	key_now(&src->told, src);
}

void
status_source_clear(struct status_source *src)
{
	status_source_stale(src);
	status_line_unref(src->table);
	src->table = NULL;
	status_view_clear(&src->view);
}

void
status_source_stale(struct status_source *src)
{
	unsigned i, with;

	for (i = 0; i < STATUS_NTYPE; i++)
		for (with = 0; with < 2; with++) {
			status_line_unref(src->lines[i][with]);
			src->lines[i][with] = NULL;
		}
}

bool
status_source_changed(struct status_source *src)
{
	struct status_key now;

	refresh_table(src);
	key_now(&now, src);
	return !status_key_same(&now, &src->told);
}

void
status_source_tell(struct status_source *src)
{
	key_now(&src->told, src);
	src->seq++;
	status_source_stale(src);
}

/* TEXT says "null" where the table belongs: put the table in its place. */
static struct status_line *
new_with_table(struct status_source *src, char *text, size_t len)
{
	struct status_line *line, *table = src->table;
	size_t at = 0;

	if (table != NULL) {
		at = status_encode_slot(text);
		len -= STATUS_NULL_LEN;
		memmove(text + at, text + at + STATUS_NULL_LEN, len - at);
	}
	line = status_line_new(text, len);
	status_line_carry(line, table, at, src->version);
	return line;
}

static struct status_line *
make_line(struct status_source *src, enum status_type type, bool with)
{
	struct status_stamp stamp = { .type = type, .seq = src->seq,
		.pid = getpid(), .table = with };
	struct status_line *line;
	struct timespec ts;
	size_t len;
	char *text;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		fatal("cannot read the clock");
	stamp.now_ns = status_now_ns();
	status_time_format(stamp.time, ts.tv_sec, ts.tv_nsec);
	text = status_encode(&src->view, &stamp, &len);
	if (text == NULL)
		fatal("out of memory");
	line = with ? new_with_table(src, text, len) :
	    status_line_new(text, len);
	free(text);
	return line;
}

struct status_line *
status_source_line(struct status_source *src, enum status_type type,
    uint64_t had)
{
	bool with;

	refresh_table(src);
	with = had != src->version;
	if (src->lines[type][with] == NULL)
		src->lines[type][with] = make_line(src, type, with);
	return src->lines[type][with];
}
