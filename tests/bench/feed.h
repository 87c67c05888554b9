/*
 * A blocking client of status.sock and control.sock, for benchmarks.
 */
#ifndef FEED_H
#define FEED_H

#include <stdbool.h>
#include <stdint.h>

struct feed;

/* Connect to DIR/status.sock; NULL after a sentence on stderr. */
struct feed *feed_open(const char *dir);
void feed_close(struct feed *f);

/* What a status line says, as far as a benchmark cares. */
struct feed_state {
	bool open;
	int tor_pid, gate_pid, engine_pid, status_pid;
	uint64_t closes;
	double close_us; /* the last close: request read to kernel's ack */
};

/* The next line, waiting up to LIMIT_MS.  -1 on time-out or hang-up. */
int feed_next(struct feed *f, struct feed_state *out, unsigned limit_ms);

/* Read until open is WANT and the gate's close counter is at least CLOSES. */
int feed_until(struct feed *f, struct feed_state *out, bool want,
    uint64_t closes, unsigned limit_ms);

/* Send one verb to DIR/control.sock and wait for the answer; -1 if refused. */
int feed_verb(const char *dir, const char *verb);

#endif
