/*
 * What is owed to one reader of status.sock, and whether it reads at all.
 * Pure: no descriptor, no clock.
 *
 * Every line holds the whole state, so a reader that lags is owed only the
 * rest of the line that it has begun and the newest one: two references,
 * whatever it does.  Lines are shared by all.
 */
#ifndef STATUS_CLIENTS_H
#define STATUS_CLIENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A reader that has not moved for this long is dropped. */
#define STATUS_READ_MAX_NS 10000000000u
/* One that has not for this long goes first when descriptors are short. */
#define STATUS_READ_SPARE_NS 2000000000u

struct status_line {
	unsigned refs;
	size_t len;
	char text[];
};

/* Ends the process when memory is out.  One reference, the caller's. */
struct status_line *status_line_new(const char *text, size_t len);
struct status_line *status_line_ref(struct status_line *line);
void status_line_unref(struct status_line *line); /* NULL is legal */

struct status_queue {
	struct status_line *cur; /* being sent, OFF octets are gone */
	struct status_line *next;
	size_t off;
	bool begun; /* an octet was ever sent */
};

void status_queue_init(struct status_queue *q);
void status_queue_clear(struct status_queue *q);

/* Owe LINE (borrowed; a reference is taken) in place of what has not begun. */
void status_queue_put(struct status_queue *q, struct status_line *line);

/* What to send now; *P is borrowed until the next call on Q.  0: nothing. */
size_t status_queue_peek(const struct status_queue *q, const char **p);

/* N octets of what status_queue_peek() gave are gone. */
void status_queue_sent(struct status_queue *q, size_t n);

/* Is the reader alive?  UNREAD is what the kernel holds for it. */
struct status_reader {
	uint64_t alive_ns; /* it was last seen to read, or had all */
	size_t unread;
};

void status_reader_init(struct status_reader *r, uint64_t now_ns);
/* OWED: its queue is not empty. */
void status_reader_sample(struct status_reader *r, size_t unread, bool owed,
    uint64_t now_ns);
/* The kernel took octets again after it had taken none: somebody reads. */
void status_reader_moved(struct status_reader *r, uint64_t now_ns);
bool status_reader_stuck(const struct status_reader *r, uint64_t now_ns,
    uint64_t most_ns);

#endif
