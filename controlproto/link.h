/*
 * A session on a socket of its own, for any event loop, or none: where Tor
 * listens goes in, what is for the caller comes out.  It is the one header
 * here behind which there are a socket, a file, a clock and randomness; who
 * has these of his own uses session.h.
 *
 *	l = cp_link_new("unix:/run/tor/control", CP_AUTH_SAFECOOKIE, 10000);
 *	for (;;) {
 *		if (cp_link_next(l, &step) != CP_OK)
 *			give up: cp_link_strerror(l);
 *		switch (step.kind) { ... }
 *	}
 */
#ifndef CP_LINK_H
#define CP_LINK_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "session.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cp_link;

/*
 * WHERE as in Tor's ControlPort: "127.0.0.1:9051", "[::1]:9051" or
 * "unix:/run/tor/control"; no name is looked up.  PERMITTED and LIMIT_MS as
 * for cp_session_new().  Connects, and waits for nothing: what goes wrong is
 * said by the first cp_link_next(), with CP_ERR_ARG for another form.  NULL
 * when out of memory.
 */
struct cp_link *cp_link_new(const char *where, unsigned permitted,
    uint32_t limit_ms);

/* Closes, wipes and frees, with all that was borrowed.  NULL is allowed. */
void cp_link_free(struct cp_link *l);

/*
 * Borrowed from L, for its questions and its password: cp_session_ask(),
 * cp_session_watch_bootstrap(), cp_session_password(), cp_session_cookie().
 * L itself does cp_session_next() and cp_session_feed().
 */
struct cp_session *cp_link_session(struct cp_link *l);

/*
 * The cookie is in the file PATH: read now, given to the session and wiped.
 * Without this call the file that Tor names is opened.  It has to be a
 * regular file of CP_COOKIE_LEN octets.
 */
void cp_link_cookie(struct cp_link *l, const char *path);

/*
 * What there is to do for the caller, as cp_session_next(), but for
 * CP_STEP_WRITE, which is done here, and CP_STEP_COOKIE.  That comes only if
 * PERMITTED has CP_AUTH_COOKIE: what the peer then names it would be sent, so
 * it is the caller's to judge.
 *
 * After CP_STEP_WAIT call it again when cp_link_fd() is ready for what
 * cp_link_writes() says, or when WAIT_MS have passed; sooner does no harm,
 * and is due when cp_link_session() has been given a question or a secret
 * meanwhile: it goes out by this.  Each time all three are to be looked at
 * anew.
 * Between two of these it reads once, 4 KiB at most: a peer that never
 * stops does not keep a caller from his other work.  That is for loops that
 * wait by levels, as poll(2); none that waits by edges.
 *
 * Errors are sticky: those of cp_session_next(), CP_ERR_CLOSED,
 * CP_ERR_SYSTEM, CP_ERR_COOKIE, CP_ERR_ARG.
 */
enum cp_err cp_link_next(struct cp_link *l, struct cp_step *out)
    __attribute__((warn_unused_result));

/* The socket, the same for as long as L lives; -1 if there never was one. */
int cp_link_fd(const struct cp_link *l);

/* What to wait for now: that the socket can be written, or else read. */
bool cp_link_writes(const struct cp_link *l);

/*
 * What went wrong and with what, for people: "127.0.0.1:9051: Connection
 * refused".  Printable ASCII from whatever the peer named, no full stop; ""
 * if nothing did.  Borrowed from L.
 */
const char *cp_link_strerror(const struct cp_link *l);

#ifdef __cplusplus
}
#endif

#endif
