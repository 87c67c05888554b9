/*
 * A policy on its way from text to values; for parse.c and its parts only.
 *
 * scan.c    text -> where each setting stands; what libconfuse may see of it
 * parse.c   sources, libconfuse, each setting to its function in fields.c
 * fields.c  one function per keyword: words -> values in the draft
 * judge.c   what concerns more than one setting; sections -> listeners
 * diag.c    what is wrong
 */
#ifndef POL_DRAFT_H
#define POL_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parse.h"
#include "policy.h"

/* A place in the sources; line 0: nowhere, the policy as a whole. */
struct pol_where {
	const char *file; /* borrowed from the source */
	unsigned line;
};

/* Add a diagnostic, unless there are POL_MAX_DIAGS. */
void pol_diag(struct pol_diags *d, struct pol_where at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Foreign text for a diagnostic: printable ASCII, cut to fit.  It is DST. */
#define POL_QUOTE_LEN 64
const char *pol_quote(char dst[POL_QUOTE_LEN], const char *text);

enum pol_section_id { POL_SEC_TOR = 0, POL_SEC_GATEWAY, POL_SEC_USERS,
	POL_SEC_LISTENER, POL_NSEC };

/* "tor", "gateway", "users", "listener". */
const char *pol_section_name(enum pol_section_id id);

/*
 * Limits of one listener section: more can be said with a second section.
 */
#define POL_MAX_ADDRS 16
#define POL_MAX_RANGES 64

struct pol_range {
	uint16_t first, last;
};

/* A listener section; judge.c makes listeners of it. */
struct pol_group {
	char name[POL_NAME_LEN];
	struct pol_where at;
	bool has_kind, broken; /* broken: has been complained about */
	enum pol_kind kind;
	struct pol_addr addrs[POL_MAX_ADDRS];
	size_t naddrs;
	struct pol_range ports[POL_MAX_RANGES];
	size_t nports;
	char flags[POL_FLAGS_LEN];
};

#define POL_NKEYWORDS 19

struct pol_draft {
	struct pol_policy *p;	 /* borrowed */
	struct pol_diags *diags; /* borrowed */
	struct pol_where set[POL_NKEYWORDS]; /* the last time, outside lists */
	struct pol_group *groups; /* owned */
	size_t ngroups;
	bool incomplete; /* some source was not understood */
	bool nomem;
};

/* One setting, as its function gets it. */
struct pol_field {
	struct pol_draft *d;
	struct pol_group *group; /* NULL outside a listener section */
	const char *key;
	struct pol_where at;
	const char *const *words; /* one, unless the keyword takes a list */
	size_t n;
};

struct pol_keyword {
	enum pol_section_id section;
	const char *name;
	bool list;
	bool late; /* after the section's others: needs their values */
	void (*set)(struct pol_field *f);
};

extern const struct pol_keyword pol_keywords[POL_NKEYWORDS];

/* The keyword's index; POL_NKEYWORDS when SECTION has none of that name. */
size_t pol_keyword_find(enum pol_section_id section, const char *name);

/* Where the keyword was set last; line 0 if nowhere. */
struct pol_where pol_set_at(const struct pol_draft *d,
    enum pol_section_id section, const char *name);

/* All checks across settings; makes the listeners. */
void pol_judge(struct pol_draft *d);

#endif
