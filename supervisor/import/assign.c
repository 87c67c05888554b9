#include "supervisor/import/assign.h"

#include <limits.h>
#include <string.h>

/* Nothing closes it. */
#define DEPTH_LOST UINT_MAX

void
import_text_init(struct import_text *t, const char *text, size_t len)
{
	t->p = text;
	t->end = text + len;
	t->line = 1;
	t->depth = 0;
}

static bool
at(const struct import_text *t, char c)
{
	return t->p < t->end && *t->p == c;
}

/* strchr() would find the NUL in any list. */
static bool
is_one_of(char c, const char *list)
{
	return c != '\0' && strchr(list, c) != NULL;
}

static bool
is_blank(const struct import_text *t)
{
	return at(t, ' ') || at(t, '\t') || at(t, '\r');
}

static bool
is_first(char c)
{
	return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

static bool
is_name(const struct import_text *t)
{
	return t->p < t->end &&
	    (is_first(*t->p) || (*t->p >= '0' && *t->p <= '9'));
}

static void
skip_blanks(struct import_text *t)
{
	while (is_blank(t))
		t->p++;
}

/* To the beginning of the next line. */
static void
skip_line(struct import_text *t)
{
	while (t->p < t->end && *t->p != '\n')
		t->p++;
	if (t->p < t->end) {
		t->p++;
		t->line++;
	}
}

/* False: there is no name here, or one that is too long. */
static bool
take_name(struct import_text *t, char name[IMPORT_NAME_LEN])
{
	size_t n = 0;

	name[0] = '\0';
	if (t->p == t->end || !is_first(*t->p))
		return false;
	for (; is_name(t); t->p++) {
		if (n == IMPORT_NAME_LEN - 1)
			return false;
		name[n++] = *t->p;
	}
	name[n] = '\0';
	return true;
}

static bool
put(struct import_assign *a, size_t *n, char c)
{
	if (*n == IMPORT_VALUE_LEN - 1 || (unsigned char)c < ' ')
		return false;
	a->value[(*n)++] = c;
	return true;
}

/* At a dollar sign: the variable itself, at its value's very beginning. */
static bool
take_itself(struct import_text *t, struct import_assign *a, size_t n)
{
	char name[IMPORT_NAME_LEN];
	bool braced;

	t->p++;
	braced = at(t, '{');
	if (braced)
		t->p++;
	if (!take_name(t, name) || strcmp(name, a->name) != 0)
		return false;
	if (braced) {
		if (!at(t, '}'))
			return false;
		t->p++;
	}
	if (n != 0 || a->append)
		return false;
	a->append = true;
	return true;
}

/* Between two of QUOTE; in single ones everything is as it stands. */
static bool
take_quoted(struct import_text *t, struct import_assign *a, size_t *n)
{
	const char quote = *t->p++;

	while (t->p < t->end && *t->p != quote) {
		if (quote == '"' && *t->p == '$') {
			if (!take_itself(t, a, *n))
				return false;
			continue;
		}
		if (quote == '"' && is_one_of(*t->p, "`\\"))
			return false;
		/* A list may go over lines. */
		if (*t->p == '\n')
			t->line++;
		if (!put(a, n, *t->p == '\n' || *t->p == '\t' ? ' ' : *t->p))
			return false;
		t->p++;
	}
	if (t->p == t->end)
		return false;
	t->p++;
	return true;
}

/* The value, and nothing but a comment or another command behind it. */
static bool
take_value(struct import_text *t, struct import_assign *a)
{
	size_t n = 0;
	bool fine = true;

	while (fine && t->p < t->end && !is_blank(t) &&
	    !is_one_of(*t->p, "\n;")) {
		if (*t->p == '"' || *t->p == '\'')
			fine = take_quoted(t, a, &n);
		else if (*t->p == '$')
			fine = take_itself(t, a, n);
		else if (is_one_of(*t->p, "`\\&|<>()*?[]{}~!#"))
			fine = false;
		else
			fine = put(a, &n, *t->p++);
	}
	a->value[n] = '\0';
	if (!fine)
		return false;
	skip_blanks(t);
	return t->p == t->end || is_one_of(*t->p, "\n;#");
}

static bool
take_assignment(struct import_text *t, struct import_assign *a)
{
	static const char export[] = "export";

	if (!take_name(t, a->name))
		return false;
	if (strcmp(a->name, export) == 0 && is_blank(t)) {
		skip_blanks(t);
		if (!take_name(t, a->name))
			return false;
	}
	if (at(t, '+')) {
		a->append = true;
		t->p++;
	}
	if (!at(t, '=')) {
		a->name[0] = '\0'; /* a command */
		return false;
	}
	t->p++;
	return take_value(t, a);
}

static bool
is_word(const char *word, size_t n, const char *const list[])
{
	for (; *list != NULL; list++)
		if (strlen(*list) == n && memcmp(*list, word, n) == 0)
			return true;
	return false;
}

/* Behind the quote at P: where its fellow is not, the end of the text. */
static void
skip_quoted(struct import_text *t)
{
	const char quote = *t->p++;

	for (; t->p < t->end && *t->p != quote; t->p++) {
		if (quote == '"' && *t->p == '\\' && t->p + 1 < t->end)
			t->p++;
		t->line += *t->p == '\n';
	}
	if (t->p < t->end)
		t->p++;
}

/* Does the command go on behind the line feed at P? */
static bool
goes_on(const char *from, const char *p)
{
	while (p > from && is_one_of(p[-1], " \t\r"))
		p--;
	return (p > from && p[-1] == '|') ||
	    (p - from >= 2 && p[-1] == '&' && p[-2] == '&');
}

/* A here-document, whose end we do not look for: "<<" but not "<<<". */
static bool
is_here(const struct import_text *t)
{
	if (t->end - t->p < 2 || t->p[0] != '<' || t->p[1] != '<')
		return false;
	return t->end - t->p < 3 || t->p[2] != '<';
}

/*
 * To the beginning of the next command: the lines that quotes, brackets,
 * backslashes and operators hold together are one.  Behind a here-document
 * nothing is believed any more.
 */
static void
skip_command(struct import_text *t)
{
	const char *from = t->p;
	unsigned brackets = 0;

	while (t->p < t->end) {
		const char c = *t->p;

		if (c == '\n' && brackets == 0 && !goes_on(from, t->p))
			break;
		if (c == '\'' || c == '"') {
			skip_quoted(t);
			continue;
		}
		if (c == '#' && (t->p == from || is_one_of(t->p[-1],
		    " \t\n;()&|"))) {
			while (t->p < t->end && *t->p != '\n')
				t->p++;
			continue;
		}
		if (c == '\\' && t->p + 1 < t->end)
			t->p++;
		else if (is_here(t))
			t->depth = DEPTH_LOST;
		else if (t->end - t->p >= 3 && memcmp(t->p, "<<<", 3) == 0)
			t->p += 2;
		brackets += c == '(';
		brackets -= c == ')' && brackets > 0;
		t->line += *t->p == '\n';
		t->p++;
	}
	skip_line(t);
}

/*
 * What the words of the command at P open and close: a word opens wherever it
 * stands, and closes only where a command can begin.
 */
static void
note_depth(struct import_text *t, const char *p)
{
	static const char *const opening[] = { "if", "for", "while", "until",
		"case", "select", "{", NULL };
	static const char *const closing[] = { "fi", "done", "esac", "}",
		NULL };
	static const char *const between[] = { "then", "else", "do", NULL };
	bool begins = true;
	size_t n;

	for (; p < t->p && *p != '#'; p += n > 0 ? n : 1) {
		for (n = 0; p + n < t->p &&
		    !is_one_of(p[n], " \t\r\n;()&|");)
			n++;
		if (n == 0 && !is_one_of(*p, " \t\r"))
			begins = true;
		if (n == 0 || t->depth == DEPTH_LOST)
			continue;
		if (is_word(p, n, opening))
			t->depth++;
		else if (begins && is_word(p, n, closing) && t->depth > 0)
			t->depth--;
		else if (!is_word(p, n, between))
			begins = false;
	}
}

enum import_found
import_assign_next(struct import_text *t, struct import_assign *out)
{
	const char *from;
	bool fine;

	for (;;) {
		skip_blanks(t);
		if (t->p == t->end)
			return IMPORT_END;
		if (*t->p != '\n' && *t->p != '#' && *t->p != ';')
			break;
		if (*t->p == ';')
			t->p++;
		else
			skip_line(t);
	}
	memset(out, 0, sizeof *out);
	out->line = t->line;
	out->inner = t->depth > 0;
	from = t->p;
	fine = take_assignment(t, out) && t->depth == 0;
	if (fine) {
		if (!at(t, ';'))
			skip_line(t);
		return IMPORT_ASSIGNMENT;
	}
	t->p = from;
	t->line = out->line;
	skip_command(t);
	note_depth(t, from);
	return IMPORT_SHELL;
}
