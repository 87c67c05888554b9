/*
 * The socket to Tor's control port.  Tells the engine what happens; every
 * call into the engine comes from a libevent callback, none from here
 * directly.
 */
#ifndef TORLINK_H
#define TORLINK_H

#include <stddef.h>
#include <stdint.h>

struct shell;
struct torlink;

struct torlink *torlink_new(struct shell *sh);
void torlink_free(struct torlink *t);

/* Start; engine_tor_up() or engine_tor_down() follows. */
void torlink_start(struct torlink *t);
/* Close at once; no callback follows. */
void torlink_cancel(struct torlink *t);

/* Takes all of it, or -1: the link is broken or does not drain. */
int torlink_write(struct torlink *t, const void *p, size_t n)
    __attribute__((warn_unused_result));

/*
 * 0 if the other end runs as Tor's uid, as the kernel says: by SO_PEERCRED
 * for a Unix socket, by sock_diag for TCP once Tor has accepted.  -1 if not:
 * *UID is whose it is, or ENGINE_NOBODY if that cannot be found out.
 */
int torlink_peer(const struct torlink *t, uint32_t *uid)
    __attribute__((warn_unused_result));

#endif
