/*
 * "Did you mean": the word of a list that differs least from a given one.
 */
#ifndef POL_NEAREST_H
#define POL_NEAREST_H

#include <stdbool.h>
#include <stddef.h>

/* The one of many names that WORD is probably meant to be. */
struct pol_nearest {
	const char *word; /* borrowed */
	const char *best; /* NULL: none was tried */
	size_t least;
};

/* Is NAME, which is borrowed, nearer than all before it? */
void pol_nearest_try(struct pol_nearest *n, const char *name);

/* Is that near enough for WORD to be a slip?  1 of 3 letters may be wrong. */
bool pol_nearest_slip(const struct pol_nearest *n);

/*
 * How many letters must be put in, taken out or replaced to make B of A;
 * case does not count.  1 also where A is how B begins: whoever writes half a
 * word means the whole.  Looks at no more than POL_NEAREST_MAX letters.
 */
#define POL_NEAREST_MAX 48
size_t pol_distance(const char *a, const char *b);

#endif
