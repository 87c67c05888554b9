/*
 * Which file has the last word: a policy may be put together from several, in
 * which a later one replaces what an earlier one says.
 */
#ifndef POL_ORIGINS_H
#define POL_ORIGINS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy.h"

/* "firewall log_per_minute", "egress NAME". */
#define POL_ORIGIN_KEY (POL_NAME_LEN + 16)
#define POL_ORIGIN_FILE 256

/* A keyword of a section that there is once, or a section with a name. */
struct pol_origin {
	char key[POL_ORIGIN_KEY];
	char file[POL_ORIGIN_FILE];
	unsigned line;
	bool added;		      /* not the first file's */
	char before[POL_ORIGIN_FILE]; /* another file's that it replaces */
	unsigned before_line;	      /* 0: none */
};

struct pol_origins {
	struct pol_origin *list; /* owned; as they were first met */
	size_t n;
};

struct pol_origin_at {
	const char *file;
	unsigned line;
	bool added;
};

/* KEY was set there; false when out of memory. */
bool pol_origins_note(struct pol_origins *o, const char *key,
    const struct pol_origin_at *at) __attribute__((warn_unused_result));

/* Borrowed, until the next is noted; NULL: nowhere.  O may be NULL. */
const struct pol_origin *pol_origins_find(const struct pol_origins *o,
    const char *key);

void pol_origins_clear(struct pol_origins *o);

#endif
