/*
 * Lexing shared by the library's own files; not installed.
 */
#ifndef CP_LEX_H
#define CP_LEX_H

#include <stdbool.h>

#include "str.h"

/* Drops N octets (at most all of them) from the front of S. */
struct cp_str cp_lex_drop(struct cp_str s, size_t n);

/* If *S starts with PREFIX, drops it and returns true. */
bool cp_lex_prefix(struct cp_str *s, const char *prefix);

/* What stands before the first END, or all; both are taken off *REST. */
struct cp_str cp_lex_until(struct cp_str *rest, char end);

/*
 * Takes what stands before the first SP, and that SP, from the front of
 * *REST.  Empty when *REST is empty or starts with SP.
 */
struct cp_str cp_lex_word(struct cp_str *rest);

/*
 * Takes a whole field from the front of *REST, and the SP behind it: like
 * cp_lex_word(), except that a quoted string at the field's start or after
 * its first '=' belongs to it, spaces and all.  *CUT is set, never cleared,
 * when *REST ended inside the quotes.
 *
 * Some of Tor's events quote a text without escaping it.  So a quote closes
 * only when SP or the end follows; a backslash still protects one.
 */
struct cp_str cp_lex_field(struct cp_str *rest, bool *cut);

#endif
