/*
 * The grammar, before libconfuse sees the text.
 *
 * libconfuse reads the environment (${VAR}), stops at the first unknown
 * word, keeps its lexer's state from one text to the next, counts lines
 * wrongly round block comments and does not say where a setting stood.  So
 * this goes first: it finds all that is wrong with words and braces, notes
 * each setting's line, and hands on a copy that has no comment, no unknown
 * setting, no section's title and nothing that libconfuse could stumble over.
 */
#ifndef POL_SCAN_H
#define POL_SCAN_H

#include "draft.h"

struct pol_scan_section {
	enum pol_section_id id;
	char title[POL_NAME_LEN]; /* of those that have one */
	unsigned line;
	size_t number; /* among those of the same id */
	bool faulty;   /* some setting of it has been left out */
};

struct pol_scan_setting {
	size_t section; /* index */
	size_t keyword; /* index */
	unsigned line;
};

struct pol_scan {
	char *text; /* owned: for libconfuse */
	struct pol_scan_section *sections; /* owned */
	size_t nsections;
	struct pol_scan_setting *settings; /* owned */
	size_t nsettings;
};

/*
 * 0, and OUT is the caller's to clear even if there were diagnostics: what
 * they are about is not in it.  -1 when this is no text, which DIAGS says, or
 * when out of memory, which *NOMEM says.
 */
int pol_scan_make(struct pol_scan *out, struct pol_diags *diags, bool *nomem,
    const struct pol_source *src) __attribute__((warn_unused_result));

void pol_scan_clear(struct pol_scan *s);

#endif
