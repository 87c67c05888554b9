/* Our end of the pair with the status process: snapshots out, verbs in. */
#ifndef STATUSLINK_H
#define STATUSLINK_H

#include <stddef.h>

struct shell;
struct statuslink;

struct statuslink *statuslink_new(struct shell *sh);
void statuslink_free(struct statuslink *s);

/* Takes FD in place of the end that was used so far. */
void statuslink_take(struct statuslink *s, int fd);

/* One datagram, or -1. */
int statuslink_send(struct statuslink *s, const void *p, size_t n)
    __attribute__((warn_unused_result));

#endif
