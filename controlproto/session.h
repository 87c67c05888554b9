/*
 * A whole session with Tor as a value: login.h and conn.h under one call that
 * says what to do next.  No socket, no file and no clock: for any event loop,
 * or none.
 *
 *	for (;;) {
 *		fault = cp_session_next(s, &step, now_ms);
 *		if (fault != CP_OK)
 *			give up: cp_strerror(fault);
 *		switch (step.kind) { ... }
 *	}
 *
 * One place looks for errors: what goes wrong in a function without a result
 * ends the session, and the next cp_session_next() says so.
 */
#ifndef CP_SESSION_H
#define CP_SESSION_H

#include <stddef.h>
#include <stdint.h>

#include "auth.h"
#include "err.h"
#include "event.h"
#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cp_cmd;
struct cp_reply;
struct cp_session;

#define CP_SESSION_ASKS 8 /* questions that may wait for their turn */

enum cp_step_kind {
	/* Read from the link and cp_session_feed(), for WAIT_MS at most. */
	CP_STEP_WAIT = 0,
	/*
	 * Write BYTES, all of them, or copy them to where they go out; with
	 * MSG_NOSIGNAL, as the peer may have gone.
	 */
	CP_STEP_WRITE,
	/*
	 * Read the file PATH, as Tor names it ("": it named none), and
	 * cp_session_cookie(), now or later: this comes once.  Who may sit at
	 * a port may name any file.
	 */
	CP_STEP_COOKIE,
	CP_STEP_PASSWORD,  /* once, too: cp_session_password() */
	CP_STEP_READY,	   /* once: let in */
	CP_STEP_REPLY,	   /* MESSAGE answers what was asked with TAG */
	CP_STEP_EVENT,	   /* MESSAGE: cp_event_parse(), cp_reply_text() */
	CP_STEP_BOOTSTRAP  /* BOOTSTRAP: so far it is; MESSAGE said so */
};

struct cp_step {
	enum cp_step_kind kind;
	int tag;     /* -1 but for CP_STEP_REPLY */
	int wait_ms; /* for poll(2): -1, there is no hurry; else more than 0 */
	/* These four are borrowed until the next cp_session_next(). */
	struct cp_str bytes;
	const char *path; /* NUL-terminated */
	const struct cp_reply *message;
	const struct cp_bootstrap *bootstrap;
};

/*
 * PERMITTED and NONCE as for cp_login_new().  LIMIT_MS is for each answer,
 * from when its command goes out.  NULL when out of memory.
 *
 * A session holds what cp_reader_feed() states, one message, and the
 * commands that wait: whatever the peer sends.
 */
struct cp_session *cp_session_new(unsigned permitted,
    const unsigned char nonce[CP_NONCE_LEN], uint32_t limit_ms);

/* Wipes and frees, with all that was borrowed.  NULL is allowed. */
void cp_session_free(struct cp_session *s);

/*
 * What to do now; NOW_MS is any clock that does not go back.  Again until
 * CP_STEP_WAIT.  *OUT is all set, whatever it is.
 *
 * Nothing goes out but by this: who asks, or gives a secret, while he waits
 * calls it then, and not when something comes.  That the peer has closed a
 * session is not told; all that it said has been taken by CP_STEP_WAIT, so
 * there is nothing to do but cp_session_free().
 *
 * Errors are sticky, and end the session: those of cp_conn_next(),
 * cp_conn_tick() and cp_login_reply(), and what the functions below name.
 * Before CP_STEP_READY CP_ERR_AUTH is that no method is both offered and
 * permitted, or that the peer knows another cookie; CP_ERR_REFUSED, that Tor
 * does not take ours, or our password.
 * While a secret is owed there is no hurry, for the caller.
 */
enum cp_err cp_session_next(struct cp_session *s, struct cp_step *out,
    uint64_t now_ms) __attribute__((warn_unused_result));

/* N octets that came; copied.  As cp_reader_feed(). */
void cp_session_feed(struct cp_session *s, const void *p, size_t n);

/*
 * The cookie, or the password; copied, sent as nothing but what it is, and
 * wiped when it has served or is not wanted.  May be given before
 * CP_STEP_COOKIE or CP_STEP_PASSWORD, which does not come then: who knows
 * where the cookie is need not open what the peer names.  CP_ERR_COOKIE if it
 * has not exactly CP_COOKIE_LEN octets; CP_ERR_ARG for a password of more
 * than CP_SECRET_MAX.  Nothing, after CP_STEP_READY.
 */
void cp_session_cookie(struct cp_session *s, const void *cookie, size_t n);
void cp_session_password(struct cp_session *s, const void *password, size_t n);

/*
 * Watch the bootstrap: from CP_STEP_READY on CP_STEP_BOOTSTRAP tells how far
 * it is, at once and with each step.  CP_ERR_REFUSED, CP_ERR_KEY or
 * CP_ERR_SYNTAX, if Tor does not tell.  A SETEVENTS of the caller's replaces
 * ours: it needs STATUS_CLIENT in it, too, for this to go on.
 */
void cp_session_watch_bootstrap(struct cp_session *s);

/*
 * Ask CMD, which BUILT, its builder's result, says could be made.  May be
 * called at any time; CMD goes out in its turn and after CP_STEP_READY.  The
 * answer, also one that refuses, comes with TAG, which is not negative.
 * CMD is taken and cleared in any case.  BUILT if that is an error;
 * CP_ERR_BUSY if CP_SESSION_ASKS wait already; CP_ERR_ARG; none of these ends
 * the session.
 */
enum cp_err cp_session_ask(struct cp_session *s, struct cp_cmd *cmd,
    enum cp_err built, int tag) __attribute__((warn_unused_result));

#ifdef __cplusplus
}
#endif

#endif
