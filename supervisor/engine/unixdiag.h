/*
 * Whose Unix listeners are these?  One dump of unix_diag for all of them.
 */
#ifndef UNIXDIAG_H
#define UNIXDIAG_H

#include "policy/policy.h"
#include "supervisor/engine/provision.h"

struct unixdiag;

/* POLICY is borrowed.  NULL and errno on failure. */
struct unixdiag *unixdiag_new(const struct pol_policy *policy);
void unixdiag_free(struct unixdiag *u);

/*
 * Judge the policy's Unix listeners and write their entries of OUT; the
 * others' are left alone.
 *
 * PROOF_OK: a socket of Tor's user that was bound to that path listens, and
 * what clients find at the path (stat(2), through symbolic links) is that
 * socket, by device and inode.  PROOF_ROOT: the same of root's.
 * PROOF_FOREIGN: what they find there is another user's listening socket.
 * PROOF_FILE: Tor listens, but at the path is nothing or something else; or
 * the engine may not look (a folder is closed to it): what cannot be seen is
 * never proven.  PROOF_NONE: the kernel gave no answer.
 *
 * The file system must show the same device to stat(2) and in the kernel:
 * tmpfs (where /run is), ext4 and xfs do, btrfs and some overlays do not, and
 * then the verdict is PROOF_FILE.
 */
void unixdiag_prove(struct unixdiag *u, struct proof *out);

#endif
