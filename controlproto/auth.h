/*
 * PROTOCOLINFO and AUTHENTICATE (control-spec 3.5, 3.21, 3.24).
 */
#ifndef CP_AUTH_H
#define CP_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cp_reply;

#define CP_COOKIE_LEN 32 /* exactly; anything else must not be used */
#define CP_NONCE_LEN 32
#define CP_HASH_LEN 32
#define CP_PATH_MAX 4096
#define CP_SECRET_MAX 1024 /* a longer password is none that a person has */

/* Methods as bits; the spec's names. */
enum cp_auth_method {
	CP_AUTH_NULL = 1 << 0,
	CP_AUTH_HASHEDPASSWORD = 1 << 1,
	CP_AUTH_COOKIE = 1 << 2,
	CP_AUTH_SAFECOOKIE = 1 << 3
};

struct cp_protocolinfo {
	unsigned methods; /* CP_AUTH_* that Tor offers */
	bool has_cookiefile;
	char cookiefile[CP_PATH_MAX];
	char version[64]; /* printable; empty when not given */
};

/* Unknown lines and extra data are ignored, as the spec asks. */
enum cp_err cp_protocolinfo_parse(struct cp_protocolinfo *out,
    const struct cp_reply *reply) __attribute__((warn_unused_result));

/*
 * The one method to use: the strongest that is both OFFERED and PERMITTED
 * (SAFECOOKIE, HASHEDPASSWORD, COOKIE, NULL).  CP_ERR_AUTH when none is.
 * There is no second try with a weaker one.
 */
enum cp_err cp_auth_choose(enum cp_auth_method *out, unsigned offered,
    unsigned permitted) __attribute__((warn_unused_result));

/*
 * Check an AUTHCHALLENGE reply.  Verifies SERVERHASH in constant time and
 * writes the controller-to-server hash for AUTHENTICATE to OUT.  CP_ERR_AUTH
 * on a wrong hash: send nothing more on this link.  OUT is wiped on error.
 */
enum cp_err cp_safecookie_answer(unsigned char out[CP_HASH_LEN],
    const struct cp_reply *challenge, const unsigned char cookie[CP_COOKIE_LEN],
    const unsigned char client_nonce[CP_NONCE_LEN])
    __attribute__((warn_unused_result));

#ifdef __cplusplus
}
#endif

#endif
