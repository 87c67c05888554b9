/*
 * Questions to, and orders for, the kernel's routing side (rtnetlink).
 * Nothing here allocates or waits for a message; but the kernel itself
 * answers under locks that others may hold for a while.
 */
#ifndef GATE_RTNL_H
#define GATE_RTNL_H

#include <stdbool.h>
#include <stdint.h>

struct nft_sock;
struct nlmsghdr;

/* CLOEXEC and non-blocking, with the RTMGRP_* bits of GROUPS; -1, errno. */
int rtnl_open(struct nft_sock *s, uint32_t groups)
    __attribute__((warn_unused_result));

/*
 * Send H, whose type, flags and payload are set, and read the answer.  0 or
 * a negative errno.
 */
int rtnl_change(struct nft_sock *s, struct nlmsghdr *h)
    __attribute__((warn_unused_result));

/* One message of a dump; false: it is none that was asked for. */
typedef bool rtnl_each_fn(void *arg, const struct nlmsghdr *h);

/*
 * Ask for all there is of request TYPE and FAMILY; EACH is called for each.
 * 0, or a negative errno: then what EACH was told is not the whole.  -EINTR:
 * something changed meanwhile; worth another try from the start.
 */
int rtnl_dump(struct nft_sock *s, uint16_t type, uint8_t family,
    rtnl_each_fn *each, void *arg) __attribute__((warn_unused_result));

/* How often a torn dump is tried again before it means trouble. */
#define RTNL_TRIES 8

/*
 * Take in what has been told.  True: somebody other than the socket with the
 * number NOT_BY has changed something, or we cannot know.
 */
bool rtnl_told(const struct nft_sock *s, uint32_t not_by);

#endif
