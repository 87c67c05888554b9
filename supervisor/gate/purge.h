/*
 * After a close the kernel is to forget the clients' flows: those whose
 * connection-tracking entries have POL_MARK_GATE in their mark, and no
 * others; Tor's own go on.
 *
 * The kernel goes through its whole table for it, all network namespaces'
 * entries included (0.04 ms when empty, 7 ms for 10,000 of ours, 200 ms for
 * 200,000), which is too long for the gate.  So a process of its own asks: it
 * has CAP_NET_ADMIN, three descriptors and nothing else, and dies with the
 * gate.  Nothing depends on it: closed is closed with those entries in place.
 */
#ifndef GATE_PURGE_H
#define GATE_PURGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct purge_page;

struct purge {
	struct purge_page *page; /* shared with the process; NULL: none */
	int wake_fd, done_fd;
	pid_t pid;	/* 0: it is gone */
	int said_error; /* the last one that was logged */
};

/*
 * Start the process, which takes UID and GID.  To be called before a netlink
 * socket that owns something is open, because it is a copy of us.  If it
 * cannot be, that is said on the log, and the gate goes on without.
 */
void purge_start(struct purge *p, uint32_t uid, uint32_t gid);

/*
 * Forget, from now on: neither blocks nor allocates.  Requests that come
 * while one is carried out become one more.
 */
void purge_request(struct purge *p);

/* How often it has been done. */
uint64_t purge_count(const struct purge *p);

/* Once a second: log, once, if it failed or has died. */
void purge_check(struct purge *p);

/* At the end: has all that was requested been done?  Waits MS at most. */
bool purge_wait(struct purge *p, int ms);

/* End the process. */
void purge_clear(struct purge *p);

#endif
