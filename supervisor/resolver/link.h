/*
 * The keeper's channel, over which the engine's end arrives, and that end.
 * What the engine says is handed on after its checks; nonsense ends the link.
 */
#ifndef RESOLVER_LINK_H
#define RESOLVER_LINK_H

#include <event2/event.h>
#include <stdbool.h>
#include <stddef.h>

#include "supervisor/namemsg.h"

struct link;

struct link_ops {
	void (*up)(void *arg);
	void (*down)(void *arg);
	void (*list)(void *arg, const struct name_list *l);
	void (*go)(void *arg, const struct name_go *g);
	void (*tryout)(void *arg, const struct name_tryout *t);
};

/*
 * BASE, OPS and ARG are borrowed.  Ends the process on failure, and when the
 * keeper is gone.
 */
struct link *link_new(struct event_base *base, const struct link_ops *ops,
    void *arg);
void link_free(struct link *l);

bool link_is_up(const struct link *l);
/*
 * One datagram.  False: not now; there is no link, or its other end does not
 * read, and the loop turns again when it does.
 */
bool link_tell(struct link *l, const void *p, size_t n)
    __attribute__((warn_unused_result));

#endif
