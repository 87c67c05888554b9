/*
 * Logging: one line per event to standard error, "portcullisd[engine]: ...",
 * with sd-daemon's <N> level prefix when standard error is not a terminal.
 */
#ifndef LOG_H
#define LOG_H

#include <stddef.h>

enum log_level { LOG_LV_ERR = 0, LOG_LV_WARN, LOG_LV_INFO, LOG_LV_DEBUG };

/* In the environment of our programs when portcullisd was given -v. */
#define LOG_DEBUG_VARIABLE "PORTCULLIS_DEBUG"

/*
 * LEVEL is raised to debug when LOG_DEBUG_VARIABLE is set.
 * TAG is borrowed for ever: "gate", "engine", "status", "keeper".
 */
void log_init(const char *tag, enum log_level level);

/*
 * A reader of our log who has stopped reading must stop none of us: give
 * standard error a file description of its own that never blocks.  Lines
 * that do not fit are lost then.  For children as well.
 */
void log_unblock(void);

/* All keep errno.  The text has no level word and no newline. */
void log_err(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* State and gate changes only. */
void log_info(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/*
 * What the errno ERR means, as strerror(3) says it, but without memory: that
 * takes some for a number that it does not know.
 */
const char *log_errno(int err);

/* Logs as an error and exits 1.  Start-up and broken invariants only. */
void fatal(const char *fmt, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/*
 * Foreign octets for a log line or a status text: printable ASCII as it is,
 * anything else as \xHH, cut to fit; always NUL-terminated.  Returns DST.
 */
char *log_esc(char *dst, size_t cap, const void *src, size_t n);

/* Out of memory ends engine, status and CLI: the lease makes dying safe. */
void *xmalloc(size_t n) __attribute__((malloc));
void *xcalloc(size_t n, size_t size) __attribute__((malloc));
char *xstrdup(const char *s) __attribute__((malloc));

#endif
