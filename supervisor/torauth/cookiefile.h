/* A file that holds Tor's authentication cookie: a secret of 32 octets. */
#ifndef COOKIEFILE_H
#define COOKIEFILE_H

#include <sys/types.h>

#include "controlproto/auth.h"

#define COOKIEFILE_ANYONE ((uid_t)-1)

/*
 * Read the cookie from PATH, which must be a regular file with exactly 32
 * octets, and OWNER's or root's unless that is COOKIEFILE_ANYONE; a symbolic
 * link or a FIFO in its place is refused without waiting.  NULL, or else why
 * not, in a few words: OUT is wiped then.
 */
const char *cookiefile_read(unsigned char out[CP_COOKIE_LEN],
    const char *path, uid_t owner) __attribute__((warn_unused_result));

#endif
