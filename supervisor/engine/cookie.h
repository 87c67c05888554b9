/* Tor's authentication cookie: a secret, exactly 32 octets. */
#ifndef COOKIE_H
#define COOKIE_H

#include "controlproto/auth.h"

struct pol_tor;

/*
 * Where Tor's word is believed, up to a NULL: below these.  The engine may
 * read nowhere else (landlock.h), whatever a Tor asks of it.
 */
extern const char *const cookie_folders[];

/*
 * Read the cookie for a Tor as TOR describes it.  SAID is the path that
 * PROTOCOLINFO gave, or NULL.  A path pinned in the policy is used, and one
 * that Tor says must then be the same: another Tor's cookie would be sent to
 * nobody, but used for nothing either.  Without one it is where Tor says, if
 * that is below cookie_folders.  -1, logged, and OUT wiped, unless it
 * is a regular file of Tor's or root's with exactly 32 octets.
 */
int cookie_read(unsigned char out[CP_COOKIE_LEN], const struct pol_tor *tor,
    const char *said) __attribute__((warn_unused_result));

#endif
