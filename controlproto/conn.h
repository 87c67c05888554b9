/*
 * One control connection as a value: the reader, one command in flight, its
 * deadline.  No socket and no clock: the caller moves bytes and tells the time.
 */
#ifndef CP_CONN_H
#define CP_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cmd.h"
#include "err.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cp_conn;
struct cp_limits;
struct cp_reply;

struct cp_conn *cp_conn_new(void);
void cp_conn_free(struct cp_conn *c);

/* Switch to the limits that hold after AUTHENTICATE succeeded. */
void cp_conn_authenticated(struct cp_conn *c);

/*
 * LIMITS, which is borrowed for the call only, hold until the command that is
 * in flight is answered; then those from before do again, or those of
 * cp_conn_authenticated().  Nothing, if none is in flight.
 */
void cp_conn_expect(struct cp_conn *c, const struct cp_limits *limits);

/*
 * Note that CMD goes out now; the caller writes CMD's bytes.  TAG comes back
 * with the reply.  The deadline counts from here, whatever drips in
 * meanwhile.  CP_ERR_BUSY while another command is in flight; CP_ERR_ARG for
 * an empty CMD or a negative TAG.
 */
enum cp_err cp_conn_sent(struct cp_conn *c, const struct cp_cmd *cmd, int tag,
    uint64_t now_ms, uint32_t limit_ms) __attribute__((warn_unused_result));

bool cp_conn_busy(const struct cp_conn *c);

/* When the command in flight times out, in the caller's ms; 0 for none. */
uint64_t cp_conn_deadline(const struct cp_conn *c);

/* CP_ERR_TIMEOUT (sticky) when the deadline has passed. */
enum cp_err cp_conn_tick(struct cp_conn *c, uint64_t now_ms)
    __attribute__((warn_unused_result));

enum cp_err cp_conn_feed(struct cp_conn *c, const void *p, size_t n)
    __attribute__((warn_unused_result));

/*
 * Take the next message.  *OUT as in cp_reader_next(); the caller owns it.
 * *TAG is that of the answered command, or -1 for an event.  A reply with no
 * command in flight, or one that was fed before the command was sent, is
 * CP_ERR_UNSOLICITED; all errors are sticky.
 */
enum cp_err cp_conn_next(struct cp_conn *c, struct cp_reply **out, int *tag)
    __attribute__((warn_unused_result));

#ifdef __cplusplus
}
#endif

#endif
