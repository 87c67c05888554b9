/*
 * nf_tables transactions over netlink.  A batch is a row of messages that
 * the kernel carries out together or not at all; it is built once and may be
 * committed many times.  Nothing here allocates.
 */
#ifndef GATE_NFT_BATCH_H
#define GATE_NFT_BATCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct nlmsghdr;

/*
 * Room that is always kept free for the next message, because libnftnl
 * writes without looking: twelve statements of at most five expressions of
 * less than 128 octets, and some to spare.
 */
#define NFT_MSG_ROOM 16384u

struct nft_sock {
	int fd; /* -1: closed */
	uint32_t portid;
	uint32_t seq;	   /* last one used */
	uint32_t fail_msg; /* commit: number of the message that failed */
	bool rest;	   /* an answer may not have been read to its end */
};

struct nft_batch {
	uint8_t *buf; /* borrowed */
	size_t cap;
	size_t len;
	size_t last; /* offset of the last message between BEGIN and END */
	bool full;   /* sticky: did not fit, cannot be committed */
	bool ended;
};

/* CLOEXEC and non-blocking.  GROUP: an nfnetlink group to join, or 0. */
int nft_sock_open(struct nft_sock *s, unsigned group)
    __attribute__((warn_unused_result));
/* Needs no privilege and no memory: the kernel drops what S owns. */
void nft_sock_close(struct nft_sock *s);
/* A group of what the kernel tells: 0, or -1 and errno. */
int nft_sock_join(const struct nft_sock *s, unsigned group)
    __attribute__((warn_unused_result));
int nft_sock_leave(const struct nft_sock *s, unsigned group)
    __attribute__((warn_unused_result));
/* Let one send carry SEND octets and RECV octets wait to be read. */
int nft_sock_buffers(const struct nft_sock *s, size_t send, size_t recv)
    __attribute__((warn_unused_result));

/* Start in BUF, which stays the caller's; CAP is at least 2 NFT_MSG_ROOM. */
void nft_batch_begin(struct nft_batch *b, void *buf, size_t cap);
/* Where to write the next message; never NULL, may be ignored (see full). */
struct nlmsghdr *nft_batch_msg(struct nft_batch *b, uint16_t type,
    uint8_t family, uint16_t flags);
/* H, from nft_batch_msg(), is complete. */
void nft_batch_push(struct nft_batch *b, const struct nlmsghdr *h);
/* The messages of PART, which has been begun and not ended. */
void nft_batch_append(struct nft_batch *b, const struct nft_batch *part);
void nft_batch_end(struct nft_batch *b);

/*
 * Send B and read all answers.  0: the kernel did all of it.  Otherwise a
 * negative errno and nothing was done, or, for -EPROTO and -ENOBUFS, it is
 * not known what was done: read back.
 */
int nft_commit(struct nft_sock *s, struct nft_batch *b)
    __attribute__((warn_unused_result));

/*
 * Wait until nobody's commit is going on; 0 or a negative errno.  Of every
 * commit whose generation could be read before, all has been told then.
 */
int nft_fence(struct nft_sock *s) __attribute__((warn_unused_result));

/*
 * One datagram from the kernel and from nobody else.  Its length, or a
 * negative errno; -EAGAIN when there is none.
 */
ssize_t nft_recv(const struct nft_sock *s, void *buf, size_t cap)
    __attribute__((warn_unused_result));

#endif
