#include "supervisor/status/clients.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/log.h"

struct status_line *
status_line_new(const char *text, size_t len)
{
	struct status_line *line = xmalloc(sizeof *line + len);

	line->refs = 1;
	line->version = 0;
	line->table = NULL;
	line->at = line->len = len;
	memcpy(line->text, text, len);
	return line;
}

void
status_line_carry(struct status_line *line, struct status_line *table,
    size_t at, uint64_t version)
{
	line->version = version;
	if (table == NULL)
		return;
	line->table = status_line_ref(table);
	line->at = at;
	line->len += table->len;
}

struct status_line *
status_line_ref(struct status_line *line)
{
	line->refs++;
	return line;
}

void
status_line_unref(struct status_line *line)
{
	if (line == NULL || --line->refs > 0)
		return;
	status_line_unref(line->table); /* which has none of its own */
	free(line);
}

void
status_queue_init(struct status_queue *q)
{
	memset(q, 0, sizeof *q);
}

void
status_queue_clear(struct status_queue *q)
{
	status_line_unref(q->cur);
	status_line_unref(q->next);
	q->cur = q->next = NULL;
	q->off = 0;
}

void
status_queue_put(struct status_queue *q, struct status_line *line)
{
	struct status_line **slot = q->off == 0 ? &q->cur : &q->next;

	(void)status_line_ref(line);
	status_line_unref(*slot);
	*slot = line;
}

size_t
status_queue_peek(const struct status_queue *q, const char **p)
{
	const struct status_line *line = q->cur;
	size_t inside = 0;

	if (line == NULL)
		return 0;
	if (q->off < line->at) {
		*p = line->text + q->off;
		return line->at - q->off;
	}
	if (line->table != NULL)
		inside = line->table->len;
	if (q->off - line->at < inside) {
		*p = line->table->text + (q->off - line->at);
		return inside - (q->off - line->at);
	}
	*p = line->text + (q->off - inside);
	return line->len - q->off;
}

uint64_t
status_queue_oldest(const struct status_queue *q)
{
	if (q->cur != NULL && q->cur->table != NULL)
		return q->cur->version;
	if (q->next != NULL && q->next->table != NULL)
		return q->next->version;
	return 0;
}

void
status_queue_sent(struct status_queue *q, size_t n)
{
	if (n == 0)
		return;
	q->begun = true;
	if (q->cur->version != 0)
		q->version = q->cur->version;
	q->off += n;
	if (q->off < q->cur->len)
		return;
	status_line_unref(q->cur);
	q->cur = q->next;
	q->next = NULL;
	q->off = 0;
}

void
status_reader_init(struct status_reader *r, uint64_t now_ns)
{
	r->alive_ns = now_ns;
	r->unread = 0;
}

void
status_reader_sample(struct status_reader *r, size_t unread, bool owed,
    uint64_t now_ns)
{
	if (unread < r->unread || (unread == 0 && !owed))
		r->alive_ns = now_ns;
	r->unread = unread;
}

void
status_reader_moved(struct status_reader *r, uint64_t now_ns)
{
	r->alive_ns = now_ns;
}

bool
status_reader_stuck(const struct status_reader *r, uint64_t now_ns,
    uint64_t most_ns)
{
	return now_ns - r->alive_ns > most_ns;
}
