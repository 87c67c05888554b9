/*
 * The fields of a status line.  One that is missing or of another type than
 * expected reads as none: nothing in a line can make these fail.
 */
#ifndef CLI_FIELD_H
#define CLI_FIELD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* One value of a line: flags are the longest, and there is the NUL. */
#define CLI_TEXT_CAP 256

/* The member KEY of the member PART of LINE, or of LINE itself if NULL. */
const json_t *cli_field(const json_t *line, const char *part,
    const char *key);

/*
 * The value at PATH, "listeners.trouble.0.name": names of members, and in an
 * array numbers from 0, with dots between.  NULL: there is none.
 */
const json_t *cli_field_at(const json_t *line, const char *path);

/* A text for people; "" when VALUE is none.  Returns DST. */
const char *cli_field_text(char dst[CLI_TEXT_CAP], const json_t *value);

/* False when it is not a number, or beyond all reason: then *N is 0. */
bool cli_field_number(json_int_t *n, const json_t *value);

/* Is it this very string? */
bool cli_field_is(const json_t *value, const char *text);

/* SRC as printable ASCII: nothing that a terminal would act on. */
char *cli_plain(char *dst, size_t cap, const char *src);

/*
 * The same, and harmless where it is put into a page or between quotes: the
 * quotes are left out, and <>& become "_".
 */
char *cli_sentence(char *dst, size_t cap, const char *src);

#endif
