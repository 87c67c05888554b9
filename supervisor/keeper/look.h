/*
 * What Tor will read when it starts: its torrc, the defaults, and all that
 * they include; whether that reaches the policy's tor.torrc, and whether
 * anything else there would add to what is kept in it.
 */
#ifndef LOOK_H
#define LOOK_H

#include "supervisor/links.h"

struct pol_policy;

/*
 * Answer Q.  Looks at regular files only, without opening anything else, and
 * at no more than a bounded number of bounded ones.  OUT may hold a password:
 * it is the caller's to wipe.
 */
void look_take(struct link_seen *out, const struct link_look *q,
    const struct pol_policy *p);

/*
 * Is what lies at PATH ours to replace: nothing, or a file that begins as
 * ours do?  No link is ours.
 */
bool look_is_ours(const char *path);

#endif
