#include "policy/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/nearest.h"

/*
 * A root-owned text file.  The canonical text of any policy fits: each of its
 * listeners in a section of its own, with the longest names, path and flags,
 * takes less than 1 KiB.
 */
#define MAX_TEXT (4u << 20)
/* Every listener in a section of its own, and then some. */
#define MAX_SECTIONS (POL_MAX_LISTENERS + 512)

enum token { T_END = 0, T_WORD, T_OPEN, T_CLOSE, T_EQUALS, T_COMMA, T_BAD };

struct scan {
	struct pol_scan *out;
	struct pol_diags *diags;
	const char *file;
	size_t pos;
	unsigned line;
	/* The last token: its octets without quotes, and where it began. */
	enum token tok;
	size_t word, len;
	size_t start;
	unsigned at;
	size_t count[POL_NSEC];
	bool nomem;
};

#define SAY(s, line, ...) \
	pol_diags_add((s)->diags, (s)->file, line, __VA_ARGS__)

/* Spaces for FROM to TO; lines stay where they are. */
static void
blank(struct scan *s, size_t from, size_t to)
{
	char *text = s->out->text;

	for (size_t i = from; i < to; i++)
		if (text[i] != '\n')
			text[i] = ' ';
}

static void
skip_line_comment(struct scan *s)
{
	const char *text = s->out->text;
	size_t from = s->pos;

	while (text[s->pos] != '\0' && text[s->pos] != '\n')
		s->pos++;
	blank(s, from, s->pos);
}

/* False when it has no end. */
static bool
skip_block_comment(struct scan *s)
{
	const char *text = s->out->text;
	const char *end = strstr(text + s->pos + 2, "*/");
	size_t from = s->pos;

	if (end == NULL) {
		SAY(s, s->line, "this comment has no end: close it with */");
		return false;
	}
	s->pos = (size_t)(end - text) + 2;
	for (size_t i = from; i < s->pos; i++)
		if (text[i] == '\n')
			s->line++;
	blank(s, from, s->pos);
	return true;
}

/* To the next octet that means something; false on an endless comment. */
static bool
skip_space(struct scan *s)
{
	char *text = s->out->text;

	for (;;) {
		const char *p = text + s->pos;

		if (*p == '\n') {
			s->line++;
			s->pos++;
		} else if (*p == ' ' || *p == '\t' || *p == '\r') {
			text[s->pos++] = ' ';
		} else if (*p == '#' || (p[0] == '/' && p[1] == '/')) {
			skip_line_comment(s);
		} else if (p[0] == '/' && p[1] == '*') {
			if (!skip_block_comment(s))
				return false;
		} else {
			return true;
		}
	}
}

static bool
plain_octet(char c)
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

static enum token
scan_string(struct scan *s)
{
	const char *text = s->out->text;
	char quote = text[s->pos++];

	s->word = s->pos;
	while (text[s->pos] != quote) {
		const char *p = text + s->pos;
		const char *fault = string_fault(p, quote);

		if (*p == '\0' || *p == '\n') {
			SAY(s, s->line, "this text in quotes has no end: "
			    "close it on the same line");
			return T_BAD;
		}
		if (fault != NULL)
			SAY(s, s->line, "%s", fault);
		s->pos += fault == NULL && *p == '\\' ? 2 : 1;
	}
	s->len = s->pos++ - s->word;
	return T_WORD;
}

static enum token
scan_other(struct scan *s)
{
	const char *text = s->out->text;
	char shown[POL_QUOTE_LEN];

	s->word = s->pos;
	while (plain_octet(text[s->pos]))
		s->pos++;
	s->len = s->pos - s->word;
	if (s->len != 0)
		return T_WORD;
	if (text[s->pos] == '$')
		SAY(s, s->line, "a policy does not read the environment: "
		    "write the value itself");
	else if (text[s->pos] == ';')
		SAY(s, s->line, "\";\" cannot stand here: leave it out, a "
		    "setting ends with its value");
	else
		SAY(s, s->line, "\"%s\" cannot stand here: put text in "
		    "double quotes", pol_quote(shown,
		    (char[2]){ text[s->pos], '\0' }));
	return T_BAD;
}

static enum token
next(struct scan *s)
{
	const char *text = s->out->text;

	if (!skip_space(s))
		return s->tok = T_BAD;
	s->at = s->line;
	s->start = s->pos;
	switch (text[s->pos]) {
	case '\0':
		return s->tok = T_END;
	case '{':
		s->pos++;
		return s->tok = T_OPEN;
	case '}':
		s->pos++;
		return s->tok = T_CLOSE;
	case '=':
		s->pos++;
		return s->tok = T_EQUALS;
	case ',':
		s->pos++;
		return s->tok = T_COMMA;
	case '"':
	case '\'':
		return s->tok = scan_string(s);
	default: /* an octet, not an enum */
		return s->tok = scan_other(s);
	}
}

/* The last word as a string; cut if it is longer than any name. */
static void
word_copy(const struct scan *s, char dst[POL_NAME_LEN])
{
	(void)snprintf(dst, POL_NAME_LEN, "%.*s",
	    s->len < POL_NAME_LEN ? (int)s->len : POL_NAME_LEN - 1,
	    s->out->text + s->word);
}

/* Say what should have stood here; T_BAD has been complained about. */
static bool
expected(struct scan *s, const char *what)
{
	char shown[POL_QUOTE_LEN], word[POL_NAME_LEN];

	if (s->tok == T_END) {
		SAY(s, s->line, "the text ends too early: %s is missing",
		    what);
	} else if (s->tok != T_BAD) {
		if (s->tok != T_WORD) {
			s->word = s->start;
			s->len = 1;
		}
		word_copy(s, word);
		SAY(s, s->at, "\"%s\" cannot stand here: write %s",
		    pol_quote(shown, word), what);
	}
	return false;
}

/* A value, or a list of them if LIST; the last token read ends it. */
static bool
scan_value(struct scan *s, bool list)
{
	if (next(s) == T_WORD)
		return true;
	if (s->tok != T_OPEN)
		return expected(s, "a value");
	if (!list)
		SAY(s, s->at, "only one value can stand here: leave out the "
		    "braces");
	if (next(s) == T_CLOSE)
		return true;
	for (;;) {
		if (s->tok != T_WORD)
			return expected(s, "a value or a closing brace");
		if (next(s) == T_CLOSE)
			return true;
		if (s->tok != T_COMMA)
			return expected(s, "a comma or a closing brace");
		(void)next(s);
	}
}

/* Does another section begin with WORD, which was read last? */
static bool
begins_section(const struct scan *s, const char *word)
{
	const char *rest = s->out->text + s->pos;

	rest += strspn(rest, " \t");
	if (*rest == '=')
		return false;
	for (size_t i = 0; i < POL_NSEC; i++)
		if (strcmp(word, pol_section_name((enum pol_section_id)i)) == 0)
			return true;
	return false;
}

static void
unknown_keyword(struct scan *s, enum pol_section_id section, const char *word)
{
	char shown[POL_QUOTE_LEN];
	struct pol_nearest nearest = { .word = word };

	for (size_t i = 0; i < POL_NKEYWORDS; i++)
		if (pol_keywords[i].section == section)
			pol_nearest_try(&nearest, pol_keywords[i].name);
	SAY(s, s->at, "\"%s\" is not a keyword of section \"%s\": did you "
	    "mean \"%s\"?", pol_quote(shown, word),
	    pol_section_name(section), nearest.best);
}

static void
unknown_section(struct scan *s, const char *word)
{
	char shown[POL_QUOTE_LEN];
	struct pol_nearest nearest = { .word = word };

	for (size_t i = 0; i < POL_NSEC; i++)
		pol_nearest_try(&nearest,
		    pol_section_name((enum pol_section_id)i));
	SAY(s, s->at, "there is no section \"%s\": did you mean \"%s\"?",
	    pol_quote(shown, word), nearest.best);
}

static void
note_setting(struct scan *s, size_t keyword, unsigned line)
{
	struct pol_scan *out = s->out;
	struct pol_scan_setting *more;
	size_t n = out->nsettings;

	if ((n & (n - 1)) == 0) {
		more = reallocarray(out->settings, n == 0 ? 1 : 2 * n,
		    sizeof *more);
		if (more == NULL) {
			s->nomem = true;
			return;
		}
		out->settings = more;
	}
	out->settings[out->nsettings++] = (struct pol_scan_setting){
		.section = out->nsections - 1, .keyword = keyword,
		.line = line };
}

/*
 * One "keyword = value" of SECTION, POL_NSEC for an unknown one, which will
 * be blanked as a whole.  SEEN has each keyword's place.  A setting that
 * cannot be used is blanked.
 */
static bool
scan_setting(struct scan *s, enum pol_section_id section, bool *seen)
{
	char word[POL_NAME_LEN];
	size_t keyword = POL_NKEYWORDS, start = s->start, before = s->diags->n;
	unsigned line = s->at;

	if (s->tok != T_WORD)
		return expected(s, "a keyword or a closing brace");
	word_copy(s, word);
	if (section != POL_NSEC) {
		keyword = pol_keyword_find(section, word);
		if (begins_section(s, word)) {
			SAY(s, line, "section \"%s\" of line %u has no closing "
			    "brace before this: add it",
			    pol_section_name(section),
			    s->out->sections[s->out->nsections - 1].line);
			return false;
		}
		if (keyword == POL_NKEYWORDS)
			unknown_keyword(s, section, word);
		else if (seen[keyword])
			SAY(s, line, "\"%s\" is set twice in this section: "
			    "remove one", word);
		else
			seen[keyword] = true;
	}
	if (next(s) != T_EQUALS)
		return expected(s, "an equals sign");
	if (!scan_value(s, keyword == POL_NKEYWORDS ||
	    pol_keywords[keyword].list))
		return false;
	if (section == POL_NSEC)
		return true;
	if (s->diags->n != before || s->diags->more) {
		blank(s, start, s->pos);
		s->out->sections[s->out->nsections - 1].faulty = true;
	} else {
		note_setting(s, keyword, line);
	}
	return true;
}

/* The name of a section of ID; false if it cannot be one. */
static bool
title_ok(struct scan *s, enum pol_section_id id)
{
	const char *p = s->out->text + s->word;

	if (s->len == 0 || s->len >= POL_NAME_LEN) {
		SAY(s, s->at, "the name of this %s has 1 to %d letters: "
		    "change it", pol_section_name(id), POL_NAME_LEN - 1);
		return false;
	}
	for (size_t i = 0; i < s->len; i++)
		if (!plain_octet(p[i])) {
			SAY(s, s->at, "the name of this %s has only "
			    "letters, digits, dot, dash and underscore: "
			    "change it",
			    pol_section_name(id));
			return false;
		}
	return true;
}

static bool
note_section(struct scan *s, enum pol_section_id id, const char *title,
    unsigned line)
{
	struct pol_scan *out = s->out;
	struct pol_scan_section *more;
	size_t n = out->nsections;

	if ((n & (n - 1)) == 0) {
		more = reallocarray(out->sections, n == 0 ? 1 : 2 * n,
		    sizeof *more);
		if (more == NULL) {
			s->nomem = true;
			return false;
		}
		out->sections = more;
	}
	out->sections[out->nsections++] = (struct pol_scan_section){
		.id = id, .line = line, .number = s->count[id]++ };
	(void)snprintf(out->sections[n].title, POL_NAME_LEN, "%s", title);
	return true;
}

/* The words before the brace: the section's id, POL_NSEC if unknown. */
static bool
scan_head(struct scan *s, enum pol_section_id *id)
{
	char word[POL_NAME_LEN], title[POL_NAME_LEN] = "";
	unsigned line = s->at;
	size_t i = 0;

	if (s->tok != T_WORD)
		return expected(s, "the name of a section");
	word_copy(s, word);
	if (strcmp(word, "include") == 0) {
		SAY(s, line, "a policy does not include other files: put "
		    "them into conf.d");
		return false;
	}
	while (i < POL_NSEC &&
	    strcmp(word, pol_section_name((enum pol_section_id)i)) != 0)
		i++;
	*id = (enum pol_section_id)i;
	if (*id == POL_NSEC)
		unknown_section(s, word);
	if (next(s) == T_WORD && (*id == POL_NSEC || pol_section_named(*id))) {
		word_copy(s, title);
		if (*id != POL_NSEC && !title_ok(s, *id))
			*id = POL_NSEC;
		blank(s, s->start, s->pos);
		(void)next(s);
	} else if (*id != POL_NSEC && pol_section_named(*id)) {
		(void)snprintf(title, sizeof title, "a name for the %s, in "
		    "quotes", pol_section_name(*id));
		return expected(s, title);
	}
	if (s->tok != T_OPEN)
		return expected(s, "an opening brace");
	return *id == POL_NSEC || note_section(s, *id, title, line);
}

static bool
scan_section(struct scan *s)
{
	enum pol_section_id id = POL_NSEC;
	size_t start = s->start;
	bool seen[POL_NKEYWORDS] = { false };

	if (!scan_head(s, &id))
		return false;
	while (next(s) != T_CLOSE)
		if (!scan_setting(s, id, seen) || s->nomem)
			return false;
	if (id == POL_NSEC)
		blank(s, start, s->pos);
	if (s->out->nsections <= MAX_SECTIONS)
		return true;
	SAY(s, s->at, "there are too many sections: %d at most",
	    MAX_SECTIONS);
	return false;
}

/* Up to a section that cannot be read to its end: that is cut off. */
static void
scan_all(struct scan *s)
{
	while (next(s) != T_END) {
		size_t nsections = s->out->nsections;
		size_t nsettings = s->out->nsettings;
		size_t start = s->start;

		if (scan_section(s))
			continue;
		s->out->nsections = nsections;
		s->out->nsettings = nsettings;
		s->out->text[start] = '\0';
		return;
	}
}

/* By id and title, those of one name as they stand in the text. */
static int
compare_titles(const void *x, const void *y)
{
	const struct pol_scan_section *a = *(struct pol_scan_section *const *)x;
	const struct pol_scan_section *b = *(struct pol_scan_section *const *)y;
	int c;

	if (a->id != b->id)
		return a->id < b->id ? -1 : 1;
	c = strcmp(a->title, b->title);
	if (c != 0)
		return c;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* The earlier FIRST has the later one's name. */
static void
judge_title(struct scan *s, const struct pol_scan_section *first,
    const struct pol_scan_section *later)
{
	if (pol_section_named(first->id))
		SAY(s, later->line, "%s \"%s\" stands twice in this file "
		    "(the first: line %u): rename or remove one",
		    pol_section_name(first->id), later->title, first->line);
}

/* Names that stand more than once. */
static void
judge_titles(struct scan *s)
{
	struct pol_scan *out = s->out;
	struct pol_scan_section **sorted = calloc(out->nsections + 1,
	    sizeof(struct pol_scan_section *));

	if (sorted == NULL) {
		s->nomem = true;
		return;
	}
	for (size_t i = 0; i < out->nsections; i++)
		sorted[i] = &out->sections[i];
	qsort(sorted, out->nsections, sizeof(struct pol_scan_section *),
	    compare_titles);
	for (size_t i = 1; i < out->nsections; i++)
		if (sorted[i - 1]->id == sorted[i]->id &&
		    strcmp(sorted[i - 1]->title, sorted[i]->title) == 0)
			judge_title(s, sorted[i - 1], sorted[i]);
	free(sorted);
}

int
pol_scan_make(struct pol_scan *out, struct pol_diags *diags, bool *nomem,
    const struct pol_source *src)
{
	struct scan s = { .out = out, .diags = diags, .file = src->name,
		.line = 1 };

	memset(out, 0, sizeof *out);
	if (src->len > MAX_TEXT || (src->len != 0 &&
	    memchr(src->text, '\0', src->len) != NULL)) {
		SAY(&s, 0, "this is not a policy: it has %s",
		    src->len > MAX_TEXT ? "more than 4 MiB" :
					  "a NUL octet");
		return -1;
	}
	out->text = malloc(src->len + 1);
	if (out->text == NULL) {
		*nomem = true;
		return -1;
	}
	if (src->len != 0) /* the text of an empty source may be NULL */
		memcpy(out->text, src->text, src->len);
	out->text[src->len] = '\0';
	scan_all(&s);
	if (!s.nomem)
		judge_titles(&s);
	*nomem = s.nomem;
	if (s.nomem) {
		pol_scan_clear(out);
		return -1;
	}
	return 0;
}

void
pol_scan_clear(struct pol_scan *s)
{
	free(s->text);
	free(s->sections);
	free(s->settings);
	memset(s, 0, sizeof *s);
}
