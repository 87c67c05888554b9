/* A view encoded as a status line, and what the line says. */
#ifndef STATUS_LINE_H
#define STATUS_LINE_H

#include <jansson.h>

#include "supervisor/status/encode.h"

/* A change at SAMPLE_NOW. */
extern const struct status_stamp line_stamp;

/* V at NOW_NS; the caller's to json_decref(). */
json_t *line_at(const struct status_view *v, uint64_t now_ns);

/*
 * PART's KEY, or the line's own where PART is empty, is WANT as JSON text, so
 * that one compare shows the type.
 */
void line_says(const json_t *line, const char *part, const char *key,
    const char *want);

#endif
