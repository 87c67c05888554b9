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

bool
status_source_waits(const struct status_source *src)
{
	return !status_view_in_step(&src->view) ||
	    src->view.table.changes != src->changes;
}

/* The text of the history; made anew only after an event. */
static struct status_line *
past_text(struct status_source *src)
{
	size_t len;
	char *text;

	if (src->past != NULL)
		return src->past;
	text = status_history_encode(&src->history, &len);
	if (text == NULL)
		fatal("out of memory");
	src->past = status_line_new(text, len);
	free(text);
	return src->past;
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
	status_history_init(&src->history);
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
	status_line_unref(src->past);
	src->past = NULL;
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

static void
real_time(char text[STATUS_TIME_LEN], int64_t *ms)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_REALTIME, &ts) == -1)
		fatal("cannot read the clock");
	*ms = (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
	status_time_format(text, ts.tv_sec, ts.tv_nsec);
}

/* An engine that has only just come is not silent yet. */
void
status_source_note(struct status_source *src)
{
	char time[STATUS_TIME_LEN];
	struct status_word word;
	int64_t ms;

	status_source_stale(src);
	if (src->view.linked && !src->view.have)
		return;
	status_encode_word(&word, &src->view, status_now_ns());
	real_time(time, &ms);
	if (!status_history_note(&src->history, &word, time))
		return;
	status_line_unref(src->past);
	src->past = NULL;
}

static bool
untold(const struct status_source *src)
{
	struct status_key now;

	key_now(&now, src);
	return src->owed || !status_key_same(&now, &src->told);
}

bool
status_source_changed(struct status_source *src)
{
	refresh_table(src);
	return untold(src);
}

void
status_source_tell(struct status_source *src)
{
	key_now(&src->told, src);
	src->owed = false;
	src->seq++;
	status_source_stale(src);
}

/* A text with parts to be put where it says "null". */
struct draft {
	char *text;
	size_t len;
	struct status_line *part[STATUS_NPART]; /* NULL: the null stays */
	uint64_t version[STATUS_NPART]; /* 0: it does not carry that part */
};

static struct status_line *
line_of(const struct draft *d)
{
	size_t at[STATUS_NPART] = { 0 }, len = d->len;
	struct status_line *line;
	unsigned p;

	for (p = 0; p < STATUS_NPART; p++) {
		if (d->part[p] == NULL)
			continue;
		at[p] = status_encode_slot(d->text, (enum status_part)p);
		len -= STATUS_NULL_LEN;
		/* With the NUL: the next slot is searched in what is left. */
		memmove(d->text + at[p], d->text + at[p] + STATUS_NULL_LEN,
		    len - at[p] + 1);
	}
	line = status_line_new(d->text, len);
	for (p = 0; p < STATUS_NPART; p++)
		if (d->version[p] != 0)
			status_line_carry(line, (enum status_part)p,
			    d->part[p], at[p], d->version[p]);
	return line;
}

static struct status_line *
make_line(struct status_source *src, enum status_type type, bool with)
{
	struct status_stamp stamp = { .type = type, .seq = src->seq,
		.pid = getpid(), .table = with };
	struct draft d = { 0 };
	struct status_line *line;

	src->owed = untold(src);
	real_time(stamp.time, &stamp.real_ms);
	stamp.now_ns = status_now_ns();
	if (with) {
		d.version[STATUS_P_TABLE] = src->version;
		d.part[STATUS_P_TABLE] = src->table;
	}
	if (type == STATUS_T_SNAPSHOT) {
		d.version[STATUS_P_HISTORY] = src->history.count + 1;
		d.part[STATUS_P_HISTORY] = past_text(src);
	}
	d.text = status_encode(&src->view, &stamp, &d.len);
	if (d.text == NULL)
		fatal("out of memory");
	line = line_of(&d);
	free(d.text);
	return line;
}

static struct status_line *
shared_line(struct status_source *src, enum status_type type, bool with)
{
	if (src->lines[type][with] == NULL)
		src->lines[type][with] = make_line(src, type, with);
	return src->lines[type][with];
}

struct status_line *
status_source_line(struct status_source *src, enum status_type type,
    uint64_t had)
{
	refresh_table(src);
	return shared_line(src, type, had != src->version);
}

const struct status_line *
status_source_bare(struct status_source *src, enum status_type type)
{
	refresh_table(src);
	return shared_line(src, type, false);
}
