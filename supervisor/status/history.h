/*
 * The last transitions: a new position, or a new reason for it.  Pure: the
 * caller has the clock.
 */
#ifndef STATUS_HISTORY_H
#define STATUS_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/status/encode.h"

#define STATUS_HISTORY_MAX 32

struct status_event {
	char time[STATUS_TIME_LEN];
	char position[16];
	char code[32];
	char text[SNAP_TEXT];
};

struct status_history {
	struct status_event ring[STATUS_HISTORY_MAX];
	uint64_t count; /* events ever; the newest is at COUNT - 1, modulo */
};

void status_history_init(struct status_history *h);

/* Note W as of TIME, unless the newest event has its position and code. */
bool status_history_note(struct status_history *h, const struct status_word *w,
    const char *time);

/*
 * A JSON array of { time, position, reason, text }, the newest last; printable
 * ASCII.  The caller frees it.  NULL when memory is out.
 */
char *status_history_encode(const struct status_history *h, size_t *len)
    __attribute__((warn_unused_result));

#endif
