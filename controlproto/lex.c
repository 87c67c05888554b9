#include "controlproto/lex.h"

#include <string.h>

struct cp_str
cp_lex_drop(struct cp_str s, size_t n)
{
	if (n > s.n)
		n = s.n;
	if (n > 0) {
		s.p += n;
		s.n -= n;
	}
	return s;
}

bool
cp_lex_prefix(struct cp_str *s, const char *prefix)
{
	size_t n = strlen(prefix);

	if (s->n < n || (n > 0 && memcmp(s->p, prefix, n) != 0))
		return false;
	*s = cp_lex_drop(*s, n);
	return true;
}

struct cp_str
cp_lex_until(struct cp_str *rest, char end)
{
	struct cp_str part = *rest;
	const char *at = NULL;

	if (rest->n > 0)
		at = memchr(rest->p, end, rest->n);
	if (at != NULL)
		part.n = (size_t)(at - rest->p);
	*rest = cp_lex_drop(*rest, part.n + 1);
	return part;
}

struct cp_str
cp_lex_word(struct cp_str *rest)
{
	return cp_lex_until(rest, ' ');
}

/* Where the quoted string that starts at S.p[AT] ends. */
static size_t
quoted_end(struct cp_str s, size_t at, bool *cut)
{
	size_t i;

	for (i = at + 1; i < s.n; i++) {
		if (s.p[i] == '\\')
			i++; /* whatever it is, it closes nothing */
		else if (s.p[i] == '"' && (i + 1 == s.n || s.p[i + 1] == ' '))
			return i + 1;
	}
	*cut = true;
	return s.n;
}

struct cp_str
cp_lex_field(struct cp_str *rest, bool *cut)
{
	struct cp_str after = *rest, field = cp_lex_word(&after);
	const char *eq = NULL;
	size_t at = 0;

	if (field.n > 0 && field.p[0] != '"')
		eq = memchr(field.p, '=', field.n);
	if (eq != NULL)
		at = (size_t)(eq - field.p) + 1;
	if (at < field.n && field.p[at] == '"')
		field.n = quoted_end(*rest, at, cut);
	*rest = cp_lex_drop(*rest, field.n + 1);
	return field;
}
