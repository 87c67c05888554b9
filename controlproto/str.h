/*
 * Spans, and the three string rules of the control protocol.
 *
 * Tor writes CStrings as its esc_for_log() makes them, reads SETCONF values
 * with a strict C unescaper, and reads AUTHENTICATE and AUTHCHALLENGE
 * arguments as QStrings.  The three differ; see control-spec 2.1.1.
 */
#ifndef CP_STR_H
#define CP_STR_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

#ifdef __cplusplus
extern "C" {
#endif

/* A borrowed run of octets; may hold NUL and 8-bit octets, has no end mark. */
struct cp_str {
	const char *p;
	size_t n;
};

/* S (a C string) as a span that borrows it. */
struct cp_str cp_str_of(const char *s);

/* Equal octet for octet; cp_str_is_nocase() folds ASCII letters only. */
bool cp_str_is(struct cp_str a, const char *b);
bool cp_str_is_nocase(struct cp_str a, const char *b);

/*
 * IN for people: DST (capacity CAP, at least 1) receives what of it fits, with
 * '?' for each octet outside 32..126, and a NUL.  Texts are the peer's: they
 * may hold what a terminal obeys.
 */
void cp_str_show(char *dst, size_t cap, struct cp_str in);

/*
 * Decode the CString that starts at IN's opening quote into DST (capacity
 * CAP), as Tor sends it: \n \t \r, one to three octal digits, and a
 * backslash before anything else stands for that octet.  *LEN receives the
 * number of octets written (no NUL is added) and *REST what follows the
 * closing quote.  CP_ERR_SYNTAX when there is no opening or closing quote or
 * an octal escape exceeds 255; CP_ERR_LIMIT when DST is too small.
 */
enum cp_err cp_cstring_decode(char *dst, size_t cap, size_t *len,
    struct cp_str *rest, struct cp_str in) __attribute__((warn_unused_result));

/*
 * Encode IN for Tor's strict C unescaper (SETCONF values): always quoted,
 * '"' and '\' escaped, CR LF TAB as \r \n \t, other octets outside 32..126
 * as three octal digits.  NUL-terminates.  CP_ERR_ARG if IN holds a NUL;
 * CP_ERR_LIMIT when DST is too small (4 * IN.n + 3 always suffices).
 */
enum cp_err cp_cstring_encode(char *dst, size_t cap, size_t *len,
    struct cp_str in) __attribute__((warn_unused_result));

/*
 * Encode IN as a QString: quoted, backslash before '"' and '\' only.
 * CP_ERR_ARG if IN holds NUL, CR or LF, which a QString cannot carry.
 */
enum cp_err cp_qstring_encode(char *dst, size_t cap, size_t *len,
    struct cp_str in) __attribute__((warn_unused_result));

/* Upper-case hex of IN, NUL-terminated; DST holds at least 2 * n + 1. */
void cp_hex_encode(char *dst, const unsigned char *in, size_t n);

/* Exactly N octets from 2 * N hex digits of either case. */
enum cp_err cp_hex_decode(unsigned char *dst, size_t n, struct cp_str in)
    __attribute__((warn_unused_result));

#ifdef __cplusplus
}
#endif

#endif
