/* For the tests of portcullis top: lines, and screens as text. */
#ifndef TOP_SAMPLE_H
#define TOP_SAMPLE_H

#include <jansson.h>

#include "supervisor/top/grid.h"

/* The line in tests/golden/top/NAME.json; the caller's. */
json_t *top_sample_line(const char *name);

/* G's rows without blanks at their ends; the caller's. */
char *top_sample_text(const struct top_grid *g);

#endif
