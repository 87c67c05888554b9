/* Who is at the other end of a control connection, and whether it may ask. */
#ifndef STATUS_PEER_H
#define STATUS_PEER_H

#include <stdbool.h>
#include <sys/types.h>

struct status_peer {
	pid_t pid;
	uid_t uid;
	gid_t gid;
};

/* The kernel's word on who connected FD.  False: it has none. */
bool status_peer_get(struct status_peer *peer, int fd)
    __attribute__((warn_unused_result));

/*
 * The group of the socket file that LISTEN_FD is bound to: its members may
 * ask.  False: there is none that could be found, and nobody's group counts.
 */
bool status_peer_group(gid_t *gid, int listen_fd)
    __attribute__((warn_unused_result));

/* Pure: is GID the peer's own group or one of its N others? */
bool status_peer_in_group(const struct status_peer *peer, gid_t gid,
    const gid_t *others, size_t n);

/* Root, our own uid, or a member of *GID (NULL: no group counts). */
bool status_peer_ok(const struct status_peer *peer, int fd, const gid_t *gid);

/*
 * accept4(2), close-on-exec and non-blocking, of the next one that has not
 * gone again without a word.  Those who have are let go, so many at a time
 * that a queue full of them costs nobody his patience.
 */
int status_peer_accept(int listen_fd) __attribute__((warn_unused_result));

#endif
