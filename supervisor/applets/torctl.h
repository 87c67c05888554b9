/*
 * One blocking conversation with Tor's control port, with a deadline for
 * each step and a bound on all that the other side may send.  It may be
 * anybody: nothing secret is told before it has proven that it knows the
 * cookie, but over a Unix socket, whose owner the kernel names.
 */
#ifndef APPLETS_TORCTL_H
#define APPLETS_TORCTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "controlproto/cmd.h"
#include "controlproto/err.h"

struct cp_conn;
struct cp_reply;

struct torctl {
	int fd; /* -1: not connected */
	struct cp_conn *conn;
	uint64_t deadline_ms;
	size_t octets; /* that came */
	bool local; /* a Unix socket, and PEER owns it */
	uid_t peer;
};

/*
 * Connect and authenticate, by DEADLINE.  On anything but CP_OK there is
 * nothing to close.
 */
enum cp_err torctl_open_unix(struct torctl *t, const char *path,
    uint64_t deadline_ms) __attribute__((warn_unused_result));
enum cp_err torctl_open_port(struct torctl *t, unsigned port,
    uint64_t deadline_ms) __attribute__((warn_unused_result));
void torctl_close(struct torctl *t);

/*
 * Send CMD, which BUILT says could be made and which is cleared, and wait for
 * its answer, which is the caller's.  Events are dropped meanwhile.
 */
enum cp_err torctl_ask(struct torctl *t, struct cp_cmd *cmd,
    enum cp_err built, struct cp_reply **reply)
    __attribute__((warn_unused_result));

/* The next event; the caller's. */
enum cp_err torctl_event(struct torctl *t, struct cp_reply **event)
    __attribute__((warn_unused_result));

#endif
