/* One request at a time to the control socket, without waiting for it. */
#ifndef TOP_ASKER_H
#define TOP_ASKER_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/cli/conn.h"

struct top_asker {
	const char *dir;      /* borrowed: where the sockets are */
	struct cli_conn c;    /* not connected: nothing is asked */
	uint64_t deadline_ms; /* when to give up */
};

void top_asker_init(struct top_asker *a, const char *dir);
void top_asker_clear(struct top_asker *a);

/*
 * Ask VERB; what was asked before is given up.  False: TEXT, of CAP octets,
 * says why it was not asked.
 */
bool top_asker_ask(struct top_asker *a, const char *verb, char *text,
    size_t cap) __attribute__((warn_unused_result));

/* True: there is an answer, or there will be none; TEXT says which. */
bool top_asker_step(struct top_asker *a, char *text, size_t cap)
    __attribute__((warn_unused_result));

#endif
