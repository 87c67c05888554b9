#include "policy/token.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define SAY POL_TOKEN_SAY

/* What an editor for prose makes of spaces and quotes. */
#define BYTE_ORDER_MARK 0xfeff

void
pol_token_blank(struct pol_tokens *t, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (t->text[i] != '\n')
			t->text[i] = ' ';
}

static void
skip_line_comment(struct pol_tokens *t)
{
	size_t from = t->pos;

	while (t->text[t->pos] != '\0' && t->text[t->pos] != '\n')
		t->pos++;
	pol_token_blank(t, from, t->pos);
}

/* False when it has no end. */
static bool
skip_block_comment(struct pol_tokens *t)
{
	const char *end = strstr(t->text + t->pos + 2, "*/");
	size_t from = t->pos;

	if (end == NULL) {
		SAY(t, t->line, "this comment has no end: close it with */");
		return false;
	}
	t->pos = (size_t)(end - t->text) + 2;
	for (size_t i = from; i < t->pos; i++)
		if (t->text[i] == '\n')
			t->line++;
	pol_token_blank(t, from, t->pos);
	return true;
}

/* To the next octet that means something; false on an endless comment. */
static bool
skip_space(struct pol_tokens *t)
{
	for (;;) {
		const char *p = t->text + t->pos;

		if (*p == '\n') {
			t->line++;
			t->pos++;
		} else if (*p == ' ' || *p == '\t' || *p == '\r') {
			t->text[t->pos++] = ' ';
		} else if (*p == '#' || (p[0] == '/' && p[1] == '/')) {
			skip_line_comment(t);
		} else if (p[0] == '/' && p[1] == '*') {
			if (!skip_block_comment(t))
				return false;
		} else {
			return true;
		}
	}
}

bool
pol_token_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
}

/* What must not stand at P inside a string: the complaint, or NULL. */
static const char *
string_fault(const char *p, char quote)
{
	if ((unsigned char)*p < ' ' && *p != '\t')
		return "there is a control character in this text: remove it";
	if (p[0] == '$' && p[1] == '{')
		return "a policy does not read the environment: write the "
		       "value itself in place of ${...}";
	if (*p == '\\' && (quote == '\'' || (p[1] != '"' && p[1] != '\\')))
		return "this backslash means nothing here: only \\\" and "
		       "\\\\ do, in double quotes";
	return NULL;
}

static enum pol_token
scan_string(struct pol_tokens *t)
{
	const char *text = t->text;
	char quote = text[t->pos++];

	t->word = t->pos;
	while (text[t->pos] != quote) {
		const char *p = text + t->pos;
		const char *fault = string_fault(p, quote);

		if (*p == '\0' || *p == '\n') {
			SAY(t, t->line, "this text in quotes has no end: "
			    "close it on the same line");
			return TOK_BAD;
		}
		if (fault != NULL)
			SAY(t, t->line, "%s", fault);
		t->pos += fault == NULL && *p == '\\' ? 2 : 1;
	}
	t->len = t->pos++ - t->word;
	return TOK_WORD;
}

/* The character that P, which is not ASCII, begins; 0: this is no UTF-8. */
static uint32_t
decode(const char *p)
{
	uint8_t first = (uint8_t)*p;
	unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
	uint32_t c = first & (0x3fu >> more);

	if (first < 0xc2 || first > 0xf4)
		return 0;
	for (unsigned i = 1; i <= more; i++) {
		/* Which the NUL at the end is not, either. */
		if (((uint8_t)p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | ((uint8_t)p[i] & 0x3f);
	}
	return c;
}

static bool
is_quote(uint32_t c)
{
	return (c >= 0x2018 && c <= 0x201f) || c == 0x2032 || c == 0x2033 ||
	    c == 0x2039 || c == 0x203a || c == 0xab || c == 0xbb || c == 0xb4;
}

static bool
is_space(uint32_t c)
{
	return c == 0xa0 || (c >= 0x2000 && c <= 0x200d) || c == 0x2028 ||
	    c == 0x2029 || c == 0x202f || c == 0x3000 || c == BYTE_ORDER_MARK;
}

/* An octet outside ASCII, and outside quotes. */
static void
say_foreign(const struct pol_tokens *t)
{
	uint32_t c = decode(t->text + t->pos);
	unsigned octet = (uint8_t)t->text[t->pos];

	if (c == 0)
		SAY(t, t->line, "the octet 0x%02x cannot stand here, and is "
		    "no UTF-8: is this a text?", octet);
	else if (c == BYTE_ORDER_MARK && t->pos == 0)
		SAY(t, t->line, "this file begins with a byte order mark: "
		    "save it as UTF-8 without one");
	else if (is_quote(c))
		SAY(t, t->line, "U+%04X is a quotation mark of prose: write "
		    "the plain \" here and wherever else it stands",
		    (unsigned)c);
	else if (is_space(c))
		SAY(t, t->line, "U+%04X looks like a space, but is none: "
		    "write a plain one", (unsigned)c);
	else
		SAY(t, t->line, "the character U+%04X cannot stand here: but "
		    "for comments, a policy is written in plain ASCII",
		    (unsigned)c);
}

/* Where the word round octet AT begins that should have been in quotes. */
static size_t
ragged_start(const struct pol_tokens *t, size_t at)
{
	while (at > 0 && pol_token_plain(t->text[at - 1]))
		at--;
	return at;
}

/* All that stands round POS without a space, as if it were one word. */
static void
say_unquoted(const struct pol_tokens *t)
{
	char shown[POL_QUOTE_LEN], word[POL_QUOTE_LEN + 1];
	size_t from = ragged_start(t, t->pos);
	size_t n = strcspn(t->text + from, " \t\r\n{}=,;\"'");

	n = n != 0 ? n : 1;
	(void)snprintf(word, sizeof word, "%.*s",
	    n < sizeof word ? (int)n : (int)sizeof word - 1, t->text + from);
	SAY(t, t->line, "\"%s\" cannot stand here: put %s in double quotes",
	    pol_quote(shown, word), n > 1 ? "it" : "text");
}

/* An octet that begins neither a word nor a mark. */
static void
say_octet(const struct pol_tokens *t)
{
	const char *p = t->text + t->pos;
	bool alone = p[1] == '\0' || strchr(" \t\r\n\"'", p[1]) != NULL;

	if ((uint8_t)*p >= 0x80)
		say_foreign(t);
	else if (*p == '$')
		SAY(t, t->line, "a policy does not read the environment: "
		    "write the value itself");
	else if (*p == ';')
		SAY(t, t->line, "\";\" cannot stand here: leave it out, a "
		    "setting ends with its value");
	else if (*p == ':' && alone)
		SAY(t, t->line, "\":\" cannot stand here: write \"=\" between "
		    "a keyword and its value");
	else if ((*p == '[' || *p == '(') && alone)
		SAY(t, t->line, "\"%c\" cannot stand here: a list begins with "
		    "{ and ends with }", *p);
	else
		say_unquoted(t);
}

static enum pol_token
scan_other(struct pol_tokens *t)
{
	t->word = t->pos;
	while (pol_token_plain(t->text[t->pos]))
		t->pos++;
	t->len = t->pos - t->word;
	if (t->len != 0)
		return TOK_WORD;
	say_octet(t);
	return TOK_BAD;
}

static enum pol_token
scan_mark(struct pol_tokens *t, enum pol_token mark)
{
	t->word = t->pos++;
	t->len = 1;
	return mark;
}

static enum pol_token
scan_token(struct pol_tokens *t)
{
	switch (t->text[t->pos]) {
	case '\0':
		t->len = 0;
		return TOK_END;
	case '{':
		return scan_mark(t, TOK_OPEN);
	case '}':
		return scan_mark(t, TOK_CLOSE);
	case '=':
		return scan_mark(t, TOK_EQUALS);
	case ',':
		return scan_mark(t, TOK_COMMA);
	case '"':
	case '\'':
		return scan_string(t);
	default: /* an octet, not an enum */
		return scan_other(t);
	}
}

enum pol_token
pol_token_next(struct pol_tokens *t)
{
	if (!skip_space(t))
		return t->tok = TOK_BAD;
	t->at = t->line;
	t->start = t->pos;
	return t->tok = scan_token(t);
}

void
pol_token_copy(const struct pol_tokens *t, char dst[POL_NAME_LEN])
{
	(void)snprintf(dst, POL_NAME_LEN, "%.*s",
	    t->len < POL_NAME_LEN ? (int)t->len : POL_NAME_LEN - 1,
	    t->text + t->word);
}

bool
pol_token_before(const struct pol_tokens *t, char mark)
{
	const char *rest = t->text + t->pos;

	return rest[strspn(rest, " \t\r\n")] == mark;
}
