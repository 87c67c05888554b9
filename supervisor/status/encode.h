/*
 * A view as one JSON line.  Pure: the stamp carries the time.  The schema is
 * in portcullis(1); fields are only ever added.  null is "not known now".
 */
#ifndef STATUS_ENCODE_H
#define STATUS_ENCODE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/status/view.h"

#define STATUS_SCHEMA 1
#define STATUS_TIME_LEN 32

/* Every type carries the same, whole object: a client may miss any line. */
enum status_type { STATUS_T_SNAPSHOT = 0, STATUS_T_CHANGE, STATUS_T_HEARTBEAT,
	STATUS_NTYPE };

struct status_stamp {
	enum status_type type;
	uint64_t seq;	 /* counts the states told, since this process began */
	uint64_t now_ns; /* CLOCK_BOOTTIME */
	int32_t pid;	 /* our own */
	char time[STATUS_TIME_LEN]; /* UTC, RFC 3339 */
	bool table; /* with listeners.table, as null: see below */
};

/*
 * The line, with its newline, NUL-terminated; printable ASCII throughout.
 * The caller frees it with free().  NULL only when memory is out.
 */
char *status_encode(const struct status_view *v,
    const struct status_stamp *stamp, size_t *len)
    __attribute__((warn_unused_result));

/*
 * Where in LINE, made with stamp.table, the null stands in whose place
 * status_listeners_table() may be put.
 */
size_t status_encode_slot(const char *line);
#define STATUS_NULL_LEN (sizeof "null" - 1)

/* SEC and NSEC of CLOCK_REALTIME as "2026-01-31T23:59:59.123Z". */
void status_time_format(char dst[STATUS_TIME_LEN], int64_t sec, long nsec);

#endif
