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

/*
 * What most lines leave out, for it is long and seldom changes: the table of
 * listeners and the history.  Its versions count from 1.  A line that carries
 * such a part shares its text with all others that do.  In the order in which
 * they are in a line.
 */
enum status_part { STATUS_P_TABLE = 0, STATUS_P_HISTORY, STATUS_NPART };

struct status_line {
	unsigned refs;
	struct {
		uint64_t version; /* 0: the line has none */
		struct status_line *text; /* a reference; may be NULL */
		size_t at; /* it is sent behind this many octets of TEXT */
	} part[STATUS_NPART];
	size_t own; /* octets of TEXT */
	size_t len; /* with the parts */
	char text[];
};

/*
 * Readers that hold a text of the table this many versions old are dropped,
 * so that there are never more such texts in memory.  Of a shorter table than
 * the longest there may be as many more, as it may change as often.
 */
#define STATUS_TABLES_MAX 16
/*
 * The same of the history, whose text is at most 18 KiB, and which is
 * in a first line only.
 */
#define STATUS_HISTORIES_MAX 1024

/* Ends the process when memory is out.  One reference, the caller's. */
struct status_line *status_line_new(const char *text, size_t len);

/*
 * LINE carries PART in VERSION: TEXT (borrowed; a reference is taken; NULL:
 * LINE says so itself) after AT octets of its own.  Parts come in order.
 */
void status_line_carry(struct status_line *line, enum status_part part,
    struct status_line *text, size_t at, uint64_t version);
struct status_line *status_line_ref(struct status_line *line);
void status_line_unref(struct status_line *line); /* NULL is legal */

struct status_queue {
	struct status_line *cur; /* being sent, OFF octets are gone */
	struct status_line *next;
	size_t off;
	bool begun; /* an octet was ever sent */
	uint64_t version; /* of the last table in a line that has begun */
};

void status_queue_init(struct status_queue *q);
void status_queue_clear(struct status_queue *q);

/*
 * Owe LINE (borrowed; a reference is taken) in place of what has not begun.
 * What is replaced takes its table with it: that does not count as had before
 * it has begun, so whoever chooses LINE by q->version never loses a table.
 */
void status_queue_put(struct status_queue *q, struct status_line *line);

/* What to send now; *P is borrowed until the next call on Q.  0: nothing. */
size_t status_queue_peek(const struct status_queue *q, const char **p);

/* The oldest version of PART whose text Q holds; 0: none. */
uint64_t status_queue_oldest(const struct status_queue *q,
    enum status_part part);

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
