/*
 * Start-up: compile the ruleset and put it into the kernel, closed.
 */
#ifndef GATE_INSTALL_H
#define GATE_INSTALL_H

#include "supervisor/gate/kern.h"

/*
 * Open the netlink sockets, as root, and see that nobody else holds the gate
 * here.  P is borrowed for as long as K is used.  On -1, here and below,
 * everything has been said in the log, and what was installed is closed.
 */
int install_look(struct kern *k, const struct pol_policy *p)
    __attribute__((warn_unused_result));

/*
 * Put the tables there, closed, and read them back.  WITH6: there is an IPv6
 * loopback for heartbeats.
 */
int install_tables(struct kern *k, bool with6)
    __attribute__((warn_unused_result));

/*
 * Put T, with table flags FLAGS, in the place of what is there, through S,
 * however often others load or flush it meanwhile.  0, or a negative errno:
 * -EPERM if it is another's.  The netdev table only where its chains need no
 * interface to be there, nor anybody who follows them: else -ENOENT.
 */
struct nft_sock;
struct pol_table;
int install_one(struct nft_sock *s, const struct pol_table *t,
    uint32_t flags) __attribute__((warn_unused_result));

/* Close the sockets, which ends what K owns in the kernel, and free all. */
void install_clear(struct kern *k);

#endif
