#include "policy/unknown.h"

#include <stdio.h>
#include <string.h>

#include "policy/fields.h"
#include "policy/nearest.h"

#define SAY POL_TOKEN_SAY

/* One more of N names, of which it is number I. */
static void
add_name(char dst[POL_NAMES_LEN], size_t i, size_t n, const char *name)
{
	size_t used = strlen(dst);

	(void)snprintf(dst + used, POL_NAMES_LEN - used, "%s\"%s\"",
	    i == 0 ? "" : i + 1 == n ? " or " : ", ", name);
}

bool
pol_unknown_owners(char dst[POL_NAMES_LEN], const char *word)
{
	enum pol_section_id list[POL_NSEC];
	size_t n = 0;

	for (size_t i = 0; i < POL_NSEC; i++)
		if (pol_keyword_find((enum pol_section_id)i, word) !=
		    POL_NKEYWORDS)
			list[n++] = (enum pol_section_id)i;
	dst[0] = '\0';
	for (size_t i = 0; i < n; i++)
		add_name(dst, i, n, pol_section_name(list[i]));
	return n != 0;
}

/* The keyword that WORD is nearest to: in SECTION, or in all others. */
static size_t
nearest_keyword(struct pol_nearest *nearest, enum pol_section_id section,
    bool others)
{
	size_t best = 0;

	for (size_t i = 0; i < POL_NKEYWORDS; i++) {
		const char *before = nearest->best;

		if ((pol_keywords[i].section == section) == others)
			continue;
		pol_nearest_try(nearest, pol_keywords[i].name);
		if (nearest->best != before)
			best = i;
	}
	return best;
}

/* All keywords of SECTION, as DST. */
static const char *
keywords_of(char dst[POL_NAMES_LEN], enum pol_section_id section)
{
	size_t n = 0, k = 0;

	for (size_t i = 0; i < POL_NKEYWORDS; i++)
		n += pol_keywords[i].section == section;
	dst[0] = '\0';
	for (size_t i = 0; i < POL_NKEYWORDS; i++)
		if (pol_keywords[i].section == section)
			add_name(dst, k++, n, pol_keywords[i].name);
	return dst;
}

void
pol_unknown_keyword(struct pol_tokens *t, enum pol_section_id section,
    const char *word)
{
	char shown[POL_QUOTE_LEN], names[POL_NAMES_LEN];
	const char *here = pol_section_name(section);
	struct pol_nearest own = { .word = word }, other = { .word = word };
	size_t there;

	(void)pol_quote(shown, word);
	(void)nearest_keyword(&own, section, false);
	there = nearest_keyword(&other, section, true);
	if (own.least > 1 && pol_unknown_owners(names, word))
		SAY(t, t->at, "\"%s\" is not a keyword of section \"%s\", "
		    "but of %s: move it there", shown, here, names);
	else if (own.least > 1 && other.least < own.least &&
	    pol_nearest_slip(&other))
		SAY(t, t->at, "\"%s\" is not a keyword of section \"%s\": "
		    "did you mean \"%s\", of section \"%s\"?", shown, here,
		    other.best, pol_section_name(pol_keywords[there].section));
	else if (pol_nearest_slip(&own))
		SAY(t, t->at, "\"%s\" is not a keyword of section \"%s\": "
		    "did you mean \"%s\"?", shown, here, own.best);
	else
		SAY(t, t->at, "\"%s\" is not a keyword of section \"%s\": "
		    "write %s", shown, here, keywords_of(names, section));
}

void
pol_unknown_section(struct pol_tokens *t, const char *word)
{
	char shown[POL_QUOTE_LEN], names[POL_NAMES_LEN] = "";
	struct pol_nearest nearest = { .word = word };

	for (size_t i = 0; i < POL_NSEC; i++) {
		const char *name = pol_section_name((enum pol_section_id)i);

		add_name(names, i, POL_NSEC, name);
		pol_nearest_try(&nearest, name);
	}
	(void)pol_quote(shown, word);
	if (pol_nearest_slip(&nearest))
		SAY(t, t->at, "there is no section \"%s\": did you mean "
		    "\"%s\"?", shown, nearest.best);
	else
		SAY(t, t->at, "there is no section \"%s\": write %s", shown,
		    names);
}
