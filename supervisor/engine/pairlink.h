/*
 * The engine's end of a pair that the keeper hands over: the gate's, the
 * status process's or the resolver's.  One datagram is one message; the pair
 * may end and a new one come at any time.
 */
#ifndef PAIRLINK_H
#define PAIRLINK_H

#include <stdbool.h>
#include <stddef.h>

struct pairlink;
struct shell;

struct pairlink_ops {
	const char *name; /* for the log: "gate" */
	size_t size;	  /* of the longest message; more shows as more */
	bool secret;	  /* wipe what was read after each message */
	void (*up)(struct shell *sh);
	void (*down)(struct shell *sh);
	/* Any bytes, at most SIZE + 1.  -1: the pair is ended. */
	int (*message)(struct shell *sh, const void *p, size_t n);
};

/* SH and OPS are borrowed.  Dies when out of memory. */
struct pairlink *pairlink_new(struct shell *sh,
    const struct pairlink_ops *ops);
void pairlink_free(struct pairlink *l);

/* Takes FD, a non-blocking SOCK_SEQPACKET, in the place of the old one. */
void pairlink_take(struct pairlink *l, int fd);

/* One datagram, or -1: no pair, or its other end does not read. */
int pairlink_send(struct pairlink *l, const void *p, size_t n)
    __attribute__((warn_unused_result));

/*
 * The same for what can wait: -1 also while anything that was sent before is
 * not yet read.  So the room of the socket stays free for what cannot.
 */
int pairlink_send_idle(struct pairlink *l, const void *p, size_t n)
    __attribute__((warn_unused_result));

#endif
