#include "supervisor/status/clients.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/log.h"

struct status_line *
status_line_new(const char *text, size_t len)
{
	struct status_line *line = xmalloc(sizeof *line + len);

	memset(line, 0, sizeof *line);
	line->refs = 1;
	line->own = line->len = len;
	memcpy(line->text, text, len);
	return line;
}

void
status_line_carry(struct status_line *line, enum status_part part,
    struct status_line *text, size_t at, uint64_t version)
{
	line->part[part].version = version;
	if (text == NULL)
		return;
	line->part[part].text = status_line_ref(text);
	line->part[part].at = at;
	line->len += text->len;
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
	unsigned p;

	if (line == NULL || --line->refs > 0)
		return;
	for (p = 0; p < STATUS_NPART; p++)
		status_line_unref(line->part[p].text); /* has no parts */
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

/* A line is its own text, cut where its parts are sent in between. */
size_t
status_queue_peek(const struct status_queue *q, const char **p)
{
	const struct status_line *line = q->cur, *text;
	size_t off = q->off, from = 0, piece;
	unsigned i;

	if (line == NULL)
		return 0;
	for (i = 0; i < STATUS_NPART; i++) {
		text = line->part[i].text;
		if (text == NULL)
			continue;
		piece = line->part[i].at - from;
		if (off < piece) {
			*p = line->text + from + off;
			return piece - off;
		}
		off -= piece;
		if (off < text->len) {
			*p = text->text + off;
			return text->len - off;
		}
		off -= text->len;
		from = line->part[i].at;
	}
	*p = line->text + from + off;
	return line->own - from - off;
}

uint64_t
status_queue_oldest(const struct status_queue *q, enum status_part part)
{
	if (q->cur != NULL && q->cur->part[part].text != NULL)
		return q->cur->part[part].version;
	if (q->next != NULL && q->next->part[part].text != NULL)
		return q->next->part[part].version;
	return 0;
}

void
status_queue_sent(struct status_queue *q, size_t n)
{
	if (n == 0)
		return;
	q->begun = true;
	if (q->cur->part[STATUS_P_TABLE].version != 0)
		q->version = q->cur->part[STATUS_P_TABLE].version;
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
