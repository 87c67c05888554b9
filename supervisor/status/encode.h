/*
 * A view as one JSON line.  Pure: the stamp carries the time.  The schema is
 * in portcullis-status(5); fields are only ever added.  null is "not known now".
 */
#ifndef STATUS_ENCODE_H
#define STATUS_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/status/clients.h"
#include "supervisor/status/times.h"
#include "supervisor/status/view.h"

#define STATUS_SCHEMA 1

/*
 * Every type carries the same, whole object: a client may miss any line.
 * REFUSED is the only line to one for whom there is no place.
 */
enum status_type { STATUS_T_SNAPSHOT = 0, STATUS_T_CHANGE, STATUS_T_HEARTBEAT,
	STATUS_T_REFUSED, STATUS_NTYPE };

struct status_stamp {
	enum status_type type;
	uint64_t seq;	 /* counts the states told, since this process began */
	uint64_t now_ns; /* CLOCK_BOOTTIME */
	int32_t pid;	 /* our own */
	int64_t real_ms; /* CLOCK_REALTIME */
	char time[STATUS_TIME_LEN]; /* the same; UTC, RFC 3339 */
	bool table; /* with listeners.table, as null: see below */
};

/*
 * The line, with its newline, NUL-terminated; printable ASCII throughout.
 * The caller frees it with free().  NULL only when memory is out.
 */
char *status_encode(const struct status_view *v,
    const struct status_stamp *stamp, size_t *len)
    __attribute__((warn_unused_result));

/* "engine-gone"; NULL for STATUS_SURE. */
const char *status_doubt_code(enum status_doubt doubt);

/*
 * The position as far as it is known, and why: the engine's words, or those
 * of a doubt.  Borrowed from V, or for ever.
 */
struct status_word {
	const char *position, *code, *text;
};

void status_encode_word(struct status_word *w, const struct status_view *v,
    uint64_t now_ns);

/*
 * Where in LINE the null stands in whose place PART may be put: the history
 * in every line, the table in one that was made with stamp.table.
 */
size_t status_encode_slot(const char *line, enum status_part part);
#define STATUS_NULL_LEN (sizeof "null" - 1)

#endif
