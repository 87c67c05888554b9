/*
 * One complete message from Tor: a reply or an asynchronous event
 * (control-spec 2.3).
 */
#ifndef CP_REPLY_H
#define CP_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"
#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cp_reply;

/*
 * Wipes and frees REPLY and every span peeked from it: an option's value may
 * be a password.  NULL is allowed.
 */
void cp_reply_free(struct cp_reply *reply);

/* The three-digit status code; the same on every line of the message. */
unsigned cp_reply_code(const struct cp_reply *reply);

/* Code 6yz: an event, not an answer. */
bool cp_reply_is_async(const struct cp_reply *reply);

/* Code 2yz. */
bool cp_reply_is_ok(const struct cp_reply *reply);

/* Number of lines, at least 1; the last one is the end line ("250 OK"). */
size_t cp_reply_nlines(const struct cp_reply *reply);

/* Text of line I after the code and separator; empty beyond the end. */
struct cp_str cp_reply_text(const struct cp_reply *reply, size_t i);

/*
 * The data block of line I ("250+"), dot-unstuffed, lines joined by LF, no
 * final LF.  False, and *OUT empty, when the line has none.
 */
bool cp_reply_data(const struct cp_reply *reply, size_t i, struct cp_str *out);

/*
 * Read a GETINFO reply: exactly the N KEYS, in the order asked, then the end
 * line.  OUT[i] borrows from REPLY.  CP_ERR_REFUSED when Tor refused,
 * CP_ERR_KEY when keys are missing, extra, repeated or out of order.
 */
enum cp_err cp_reply_getinfo(const struct cp_reply *reply, struct cp_str *out,
    const char *const *keys, size_t n) __attribute__((warn_unused_result));

/* One line of a GETCONF reply or of a CONF_CHANGED event. */
struct cp_conf {
	struct cp_str key;   /* canonical option name; borrowed */
	struct cp_str value; /* raw: see cp_conf_value() */
	bool has_value;	     /* false: unset or default ("250 Key") */
};

/*
 * The number of key lines in a GETCONF reply or a CONF_CHANGED event, and the
 * I-th of them.  Neither counts the end line "OK" nor the event's first line.
 */
size_t cp_reply_nconf(const struct cp_reply *reply);
enum cp_err cp_reply_conf(const struct cp_reply *reply, struct cp_conf *out,
    size_t i) __attribute__((warn_unused_result));

/*
 * The option value as Tor means it: a value with a leading quote is a
 * CString with nothing behind it, anything else is itself, none at all is
 * empty.  Writes to DST and NUL-terminates; CP_ERR_LIMIT if it does not fit,
 * CP_ERR_SYNTAX on a bad CString or an embedded NUL.
 */
enum cp_err cp_conf_value(char *dst, size_t cap, const struct cp_conf *conf)
    __attribute__((warn_unused_result));

/*
 * Walk the entries of a net/listeners value.  *REST starts as the whole value
 * and advances.  Returns 1 and a NUL-terminated entry in DST
 * ("127.0.0.1:9050", "[::1]:9050", "unix:/path"), 0 at the end, -1 on
 * anything else, which proves nothing.
 *
 * 2: an entry without quotes, "127.0.0.1:9050", "::1:9050" or "/path:0": Tor
 * believes that it listens there, and has lost the socket.  A path with a
 * space in it is not told from two entries: -1.
 */
int cp_listeners_next(char *dst, size_t cap, struct cp_str *rest);

#ifdef __cplusplus
}
#endif

#endif
