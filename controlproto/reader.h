/*
 * The reader: bytes in, complete messages out.  Knows framing, nothing else.
 */
#ifndef CP_READER_H
#define CP_READER_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cp_reader;
struct cp_reply;

/*
 * Tor sets no limit on what it sends (control-spec 2.1), so the reader does.
 * Before authentication a peer may be anything.
 */
struct cp_limits {
	size_t line;  /* octets in one line, its code too, but not its end */
	size_t reply; /* octets in one message, as on the wire */
	size_t lines; /* lines in one message, data lines and "." included */
};

extern const struct cp_limits cp_limits_unauth; /* 8 KiB, 64 KiB, 64 */
extern const struct cp_limits cp_limits_auth;	/* 1 MiB + 64 KiB, 4 MiB,
						   65536 */
/*
 * For GETINFO ns/all alone, which is 4 or 5 lines and some 300 octets a
 * relay: 10,000 relays are 3 MB, and 50,000 fit.  What a reader holds is then
 * at most 32 MiB, and the message 16 MiB; both go back when it is done with.
 */
extern const struct cp_limits cp_limits_relays; /* as auth, 16 MiB,
						   262144 */

/* NULL when out of memory.  Starts with cp_limits_unauth. */
struct cp_reader *cp_reader_new(void);

/* Wipes and frees.  NULL is allowed. */
void cp_reader_free(struct cp_reader *r);

/*
 * Takes effect at the next cp_reader_next(), also for octets that were fed
 * but not yet read.  Borrows nothing.
 */
void cp_reader_limits(struct cp_reader *r, const struct cp_limits *limits);

/*
 * Hand over N octets.  They are copied.  Drain with cp_reader_next() before
 * feeding again: CP_ERR_LIMIT, when more than limits.reply octets still wait
 * to be taken.  So the memory held is at most twice the sum of limits.reply
 * and N.  Any error is sticky.
 */
enum cp_err cp_reader_feed(struct cp_reader *r, const void *p, size_t n)
    __attribute__((warn_unused_result));

/*
 * Take the next complete message.  On CP_OK, *OUT is NULL if more bytes are
 * needed; otherwise the caller owns it and releases it with cp_reply_free().
 * Call in a loop until *OUT is NULL: one feed may complete many messages.  A
 * caller that bounds its work per turn may stop earlier and come back.
 *
 * Errors are sticky, and the same however the octets were cut into feeds.
 * CP_ERR_NOT_TOR when the very first line does not look like a reply (HTTP,
 * SOCKS, TLS, SSH, ...), which shows by its first octets, without a line end.
 */
enum cp_err cp_reader_next(struct cp_reader *r, struct cp_reply **out)
    __attribute__((warn_unused_result));

/* How many octets were ever fed. */
uint64_t cp_reader_fed(const struct cp_reader *r);

#ifdef __cplusplus
}
#endif

#endif
