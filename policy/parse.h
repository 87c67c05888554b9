/*
 * Policy text -> struct pol_policy, with every diagnostic at once.
 */
#ifndef POL_PARSE_H
#define POL_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include "policy.h"

struct pol_origins;

/* One input: the main file, or one of conf.d in name order. */
struct pol_source {
	const char *name; /* for diagnostics: "portcullis.conf" */
	const char *text;
	size_t len;
};

struct pol_diag {
	char file[256];
	unsigned line; /* 0: concerns the policy as a whole */
	bool warning;	/* the policy is taken all the same */
	char text[320]; /* one sentence: what is wrong and what to do */
};

struct pol_diags {
	struct pol_diag *list; /* owned */
	size_t n;
	bool more; /* there were more than POL_MAX_DIAGS */
};

#define POL_MAX_DIAGS 100

void pol_diags_clear(struct pol_diags *d);

/* Is there anything but warnings, or more than could be kept? */
bool pol_diags_wrong(const struct pol_diags *d);

/* One more, unless there are POL_MAX_DIAGS; FILE is copied. */
void pol_diags_add(struct pol_diags *d, const char *file, unsigned line,
    const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/*
 * Parse and merge SRC[0..N) in order: later scalar settings replace earlier
 * ones, listener sections add up, one with the name of an earlier source's
 * replaces that.  0 on success and OUT is the caller's to clear; -1 when
 * anything is wrong: OUT is cleared and DIAGS (caller's to clear, always) says
 * all of it.  With 0, DIAGS has nothing but warnings, and mostly nothing.
 * Users are not resolved here.  What DIAGS held before is forgotten.
 */
int pol_parse(struct pol_policy *out, struct pol_diags *diags,
    const struct pol_source *src, size_t n)
    __attribute__((warn_unused_result));

/* The same; FROM, which may be NULL, is added where each thing was set. */
int pol_parse_from(struct pol_policy *out, struct pol_diags *diags,
    struct pol_origins *from, const struct pol_source *src, size_t n)
    __attribute__((warn_unused_result));

/*
 * P as canonical policy text, malloc'd, NUL-terminated; NULL when out of
 * memory.  pol_parse() of it gives the same policy with the same listener
 * numbers, and printing that gives the same text.
 */
char *pol_print(const struct pol_policy *p);

#endif
