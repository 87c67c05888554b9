/*
 * To be let in by Tor (control-spec 3.5, 3.21, 3.24) as a value: what to send
 * next, and what comes of the answer.  The caller moves the octets, reads the
 * cookie's file and asks for the password: cp_conn, or cp_session, which does
 * all but that.
 *
 * One method, the strongest that is both offered and permitted, and no second
 * try with a weaker one.  Nothing that is secret is sent before the peer has
 * shown that it knows the cookie, if SAFECOOKIE alone is permitted: do so
 * unless the kernel has told whose socket it is.
 */
#ifndef CP_LOGIN_H
#define CP_LOGIN_H

#include <stddef.h>

#include "auth.h"
#include "err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cp_cmd;
struct cp_login;
struct cp_reply;

enum cp_login_want {
	CP_LOGIN_FAILED = 0, /* send nothing more on this link */
	CP_LOGIN_SEND,	     /* cp_login_command() */
	CP_LOGIN_REPLY,	     /* the answer to that: cp_login_reply() */
	CP_LOGIN_COOKIE,     /* the octets of that file: cp_login_secret() */
	CP_LOGIN_PASSWORD,   /* cp_login_secret() */
	CP_LOGIN_DONE	     /* for cp_conn_authenticated() */
};

/*
 * PERMITTED: CP_AUTH_* bits.  NONCE: fresh octets of a good random source,
 * copied.  NULL when out of memory.
 */
struct cp_login *cp_login_new(
    unsigned permitted, const unsigned char nonce[CP_NONCE_LEN]);

/* Wipes and frees.  NULL is allowed. */
void cp_login_free(struct cp_login *l);

enum cp_login_want cp_login_wants(const struct cp_login *l);

/*
 * The command to send now; OUT as for the builders of cmd.h.  CP_ERR_ARG if
 * none is wanted.
 */
enum cp_err cp_login_command(struct cp_login *l, struct cp_cmd *out)
    __attribute__((warn_unused_result));

/*
 * The answer to the last command, borrowed.  CP_ERR_ARG if none is wanted.
 * Every other error is final: CP_ERR_REFUSED if Tor refused, CP_ERR_AUTH if
 * no permitted method is offered or the peer does not know the cookie,
 * CP_ERR_SYNTAX.
 */
enum cp_err cp_login_reply(struct cp_login *l, const struct cp_reply *reply)
    __attribute__((warn_unused_result));

/*
 * The cookie, which has CP_COOKIE_LEN octets, or the password; copied, and
 * wiped as soon as it has served.  CP_ERR_ARG if none is wanted, or if it
 * cannot be one; then another may be given.
 */
enum cp_err cp_login_secret(struct cp_login *l, const void *secret, size_t n)
    __attribute__((warn_unused_result));

/*
 * What Tor said of itself; all zero before it did.  Borrowed from L.  Where
 * the peer may be anybody its COOKIEFILE is anybody's word.
 */
const struct cp_protocolinfo *cp_login_peek_info(const struct cp_login *l);

/* The method that was chosen: one bit, or 0 before. */
unsigned cp_login_method(const struct cp_login *l);

#ifdef __cplusplus
}
#endif

#endif
