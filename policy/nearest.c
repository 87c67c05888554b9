#include "policy/nearest.h"

#include <string.h>

/* Without the locale: what counts as a letter must not depend on it. */
static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static size_t
min3(size_t a, size_t b, size_t c)
{
	if (b < a)
		a = b;
	return c < a ? c : a;
}

/* Is A, which is not empty, how B begins? */
static bool
begins(const char *a, const char *b)
{
	size_t i = 0;

	while (a[i] != '\0' && fold(a[i]) == fold(b[i]))
		i++;
	return i != 0 && a[i] == '\0' && b[i] != '\0';
}

/* Wagner and Fischer's table, of which two lines suffice. */
size_t
pol_distance(const char *a, const char *b)
{
	size_t line[POL_NEAREST_MAX + 1];
	size_t na = strnlen(a, POL_NEAREST_MAX);
	size_t nb = strnlen(b, POL_NEAREST_MAX);

	if (begins(a, b))
		return 1;
	for (size_t j = 0; j <= nb; j++)
		line[j] = j;
	for (size_t i = 1; i <= na; i++) {
		size_t diagonal = line[0];

		line[0] = i;
		for (size_t j = 1; j <= nb; j++) {
			size_t cost = fold(a[i - 1]) != fold(b[j - 1]);
			size_t here = min3(line[j] + 1, line[j - 1] + 1,
			    diagonal + cost);

			diagonal = line[j];
			line[j] = here;
		}
	}
	return line[nb];
}

void
pol_nearest_try(struct pol_nearest *n, const char *name)
{
	size_t distance = pol_distance(n->word, name);

	if (n->best == NULL || distance < n->least) {
		n->least = distance;
		n->best = name;
	}
}

bool
pol_nearest_slip(const struct pol_nearest *n)
{
	return n->best != NULL && 3 * n->least <= strlen(n->word) + 1;
}
