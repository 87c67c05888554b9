/* A connection to one of the supervisor's sockets, line by line. */
#ifndef CLI_CONN_H
#define CLI_CONN_H

#include <stddef.h>
#include <stdint.h>

/*
 * More than any line: of the table of 4,096 listeners each takes at most some
 * 1,200 octets.  A server that sends more is not ours.
 */
#define CLI_LINE_MAX (8 * 1024 * 1024)

enum cli_io {
	CLI_IO_OK = 0,
	CLI_IO_GONE,   /* nobody there, or the connection ended */
	CLI_IO_DENIED, /* the socket may not be opened */
	CLI_IO_LATE,   /* the deadline passed */
	CLI_IO_BAD,    /* too long a line, or a NUL in it */
	CLI_IO_MEMORY  /* there is none for so long a line */
};

struct cli_conn {
	int fd; /* -1: not connected */
	size_t len, used; /* octets in BUF; of them, of the line given out */
	size_t cap;
	char *buf; /* owned; grows as lines need it */
};

/* CLOCK_MONOTONIC in ms; deadlines are points of it. */
uint64_t cli_now_ms(void);

/*
 * DIR/NAME.  On anything but CLI_IO_OK there is nothing to close, though it
 * does no harm; C need not be anything before.
 */
enum cli_io cli_conn_open(struct cli_conn *c, const char *dir,
    const char *name, uint64_t deadline_ms)
    __attribute__((warn_unused_result));
void cli_conn_close(struct cli_conn *c);

/* *LINE, NUL-terminated in place of its newline, lasts until the next call. */
enum cli_io cli_conn_read(struct cli_conn *c, char **line,
    uint64_t deadline_ms) __attribute__((warn_unused_result));

/* The whole of TEXT. */
enum cli_io cli_conn_write(struct cli_conn *c, const char *text,
    uint64_t deadline_ms) __attribute__((warn_unused_result));

#endif
