#include "supervisor/status/source.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/log.h"

uint64_t
status_now_ns(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_BOOTTIME, &ts) == -1)
		fatal("cannot read the clock");
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void
status_source_init(struct status_source *src)
{
	memset(src, 0, sizeof *src);
	status_key_of(&src->told, &src->view, status_now_ns());
}

void
status_source_clear(struct status_source *src)
{
	status_source_stale(src);
}

void
status_source_stale(struct status_source *src)
{
	unsigned i;

	for (i = 0; i < STATUS_NTYPE; i++) {
		status_line_unref(src->lines[i]);
		src->lines[i] = NULL;
	}
}

bool
status_source_changed(const struct status_source *src)
{
	struct status_key now;

	status_key_of(&now, &src->view, status_now_ns());
	return !status_key_same(&now, &src->told);
}

void
status_source_tell(struct status_source *src)
{
	status_key_of(&src->told, &src->view, status_now_ns());
	src->seq++;
	status_source_stale(src);
}

static struct status_line *
make_line(const struct status_source *src, enum status_type type)
{
	struct status_stamp stamp = { .type = type, .seq = src->seq,
		.pid = getpid() };
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
	line = status_line_new(text, len);
	free(text);
	return line;
}

struct status_line *
status_source_line(struct status_source *src, enum status_type type)
{
	if (src->lines[type] == NULL)
		src->lines[type] = make_line(src, type);
	return src->lines[type];
}
