/*
 * The words and marks of a policy's text, one after the other: for scan.c.
 */
#ifndef POL_TOKEN_H
#define POL_TOKEN_H

#include "draft.h"

enum pol_token { TOK_END = 0, TOK_WORD, TOK_OPEN, TOK_CLOSE, TOK_EQUALS,
	TOK_COMMA, TOK_BAD };

struct pol_tokens {
	char *text; /* borrowed; comments are blanked as they are met */
	struct pol_diags *diags; /* borrowed */
	const char *file;	 /* borrowed */
	size_t pos;
	unsigned line;
	/* The last token: its octets without quotes, and where it began. */
	enum pol_token tok;
	size_t word, len;
	size_t start;
	unsigned at;
};

/* Complain about a line of the text. */
#define POL_TOKEN_SAY(t, line, ...) \
	pol_diags_add((t)->diags, (t)->file, line, __VA_ARGS__)

/* The next one, which is in T->tok too; TOK_BAD has been complained about. */
enum pol_token pol_token_next(struct pol_tokens *t);

/*
 * The last token as a string: a mark as it is, a word without its quotes; cut
 * if it is longer than any name.
 */
void pol_token_copy(const struct pol_tokens *t, char dst[POL_NAME_LEN]);

/* Does MARK come next, as far as can be seen before a comment? */
bool pol_token_before(const struct pol_tokens *t, char mark);

/* Spaces for FROM to TO; lines stay where they are. */
void pol_token_blank(struct pol_tokens *t, size_t from, size_t to);

/* May C stand in a word without quotes, and in a name? */
bool pol_token_plain(char c);

#endif
