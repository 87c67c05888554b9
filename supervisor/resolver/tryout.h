/*
 * Trying a proxy: connect, say what Tor would say, and see what comes back.
 * One at a time.
 */
#ifndef RESOLVER_TRYOUT_H
#define RESOLVER_TRYOUT_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "supervisor/namemsg.h"

struct tryout;

/* BASE is borrowed. */
struct tryout *tryout_new(struct event_base *base);
void tryout_free(struct tryout *t);

/* Ends the one before, without a verdict.  ASK is valid, and copied. */
void tryout_start(struct tryout *t, const struct name_tryout *ask);
void tryout_cancel(struct tryout *t);

/* What came of it, once; false: nothing yet. */
bool tryout_take(struct tryout *t, struct name_verdict_msg *out);

#endif
