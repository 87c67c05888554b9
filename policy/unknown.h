/*
 * Words that are not of the policy language, where they stand at least: what
 * was meant?  For scan.c.
 */
#ifndef POL_UNKNOWN_H
#define POL_UNKNOWN_H

#include "draft.h"
#include "token.h"

/* Room for all keywords of a section, or all sections, in quotes. */
#define POL_NAMES_LEN 160

/* The sections that have keyword WORD, as DST; false if none has. */
bool pol_unknown_owners(char dst[POL_NAMES_LEN], const char *word);

/* Complain about WORD, read by T, which SECTION does not have. */
void pol_unknown_keyword(struct pol_tokens *t, enum pol_section_id section,
    const char *word);

/* Complain about WORD, read by T, which should be a section's name. */
void pol_unknown_section(struct pol_tokens *t, const char *word);

#endif
