/* Other people's words as a policy has them: nothing in them is a mark. */
#ifndef IMPORT_QUOTE_H
#define IMPORT_QUOTE_H

#include <stdbool.h>
#include <stdio.h>

/*
 * Can TEXT stand in quotes?  Not with what is no printable ASCII, nor with
 * what asks for the environment.
 */
bool import_can_quote(const char *text);

/*
 * TEXT in quotes, and what means something there escaped.  "" for a text that
 * cannot be quoted, which no keyword takes for a name, a number or a path.
 */
void import_quote(FILE *out, const char *text);

#endif
