#include "supervisor/status/clients.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/log.h"

struct status_line *
status_line_new(const char *text, size_t len)
{
	struct status_line *line = xmalloc(sizeof *line + len);

	line->refs = 1;
	line->len = len;
	memcpy(line->text, text, len);
	return line;
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
	if (line != NULL && --line->refs == 0)
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
	if (q->cur == NULL)
		return 0;
	*p = q->cur->text + q->off;
	return q->cur->len - q->off;
}

void
status_queue_sent(struct status_queue *q, size_t n)
{
	if (n == 0)
		return;
	q->begun = true;
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
