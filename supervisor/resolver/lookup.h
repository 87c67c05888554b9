/*
 * Asking the policy's resolver, by c-ares, and nobody else: neither
 * resolv.conf, hosts nor the environment is heard.  A lookup is a question
 * for A and one for AAAA.  Everything is asked on one channel, which exists
 * only while something is under way; the caller sees to it that the firewall
 * lets it out.
 */
#ifndef RESOLVER_LOOKUP_H
#define RESOLVER_LOOKUP_H

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

#include "supervisor/namemsg.h"
#include "supervisor/resolver/answer.h"

struct lookup;

/* BASE and RESOLVER are borrowed.  Ends the process on failure. */
struct lookup *lookup_new(struct event_base *base,
    const struct pol_resolver *resolver);
void lookup_free(struct lookup *l);

/*
 * Ask for HOST; what comes of it is there for lookup_take() at the latest
 * after the policy's timeout.  False: too many are under way.
 */
bool lookup_start(struct lookup *l, const char *host)
    __attribute__((warn_unused_result));
/* Forget HOST: nothing will come of it. */
void lookup_cancel(struct lookup *l, const char *host);
/* Forget all, close every socket, at once. */
void lookup_stop(struct lookup *l);

/* The next one that has ended; false: none. */
bool lookup_take(struct lookup *l, char host[POL_HOST_LEN],
    struct answer *out);

/* Something is under way, or a connection is kept for a moment more. */
bool lookup_active(const struct lookup *l);
/* End what is late; close what has long been idle. */
void lookup_tick(struct lookup *l, uint64_t now);
/* When that has something to do next; UINT64_MAX: never. */
uint64_t lookup_next(const struct lookup *l);

/* Questions asked since the start. */
uint64_t lookup_queries(const struct lookup *l);

#endif
