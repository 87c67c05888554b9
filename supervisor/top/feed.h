/* The status socket of a supervisor that comes and goes. */
#ifndef TOP_FEED_H
#define TOP_FEED_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/cli/conn.h"
#include "supervisor/top/view.h"

struct top_feed {
	const char *dir;    /* borrowed: where the sockets are */
	struct cli_conn c;
	uint64_t heard_ms;  /* a line came, or the connection was made */
	uint64_t retry_ms;  /* when to connect again */
	uint64_t pause_ms;  /* ... and how long after that the next time */
	bool refused;	    /* there is no place for us */
	bool more;	    /* lines that came already wait to be taken */
};

void top_feed_init(struct top_feed *f, const char *dir);
void top_feed_clear(struct top_feed *f);

/*
 * Do what is due: connect, read what is there without waiting for more, give
 * up a connection that is silent.  True: V is another one than before.
 */
bool top_feed_step(struct top_feed *f, struct top_view *v, uint64_t now_ms);

/* When to call top_feed_step() at the latest, beside when F->c.fd is ready. */
uint64_t top_feed_due(const struct top_feed *f);

#endif
