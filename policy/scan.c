#include "policy/scan.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/fields.h"
#include "policy/token.h"
#include "policy/unknown.h"

/*
 * A root-owned text file.  The canonical text of any policy fits: each of its
 * listeners in a section of its own, with the longest names, path and flags,
 * takes less than 1 KiB.
 */
#define MAX_TEXT (4u << 20)
/* Every listener in a section of its own, and then some. */
#define MAX_SECTIONS (POL_MAX_LISTENERS + 512)

/* A section, while it is read and after it. */
struct opened {
	enum pol_section_id id; /* POL_NSEC: an unknown one */
	unsigned line;
	unsigned closed; /* 0: not yet */
};

struct scan {
	struct pol_tokens t;
	struct pol_scan *out;
	struct opened last; /* line 0: there was none yet */
	size_t count[POL_NSEC];
	bool nomem;
};

/* The keyword whose value is read. */
struct keyword {
	char word[POL_NAME_LEN];
	unsigned line;
	bool list;
};

#define SAY(s, line, ...) POL_TOKEN_SAY(&(s)->t, line, __VA_ARGS__)


static bool expected(struct scan *s, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/* Say what should have stood here; TOK_BAD has been complained about. */
static bool
expected(struct scan *s, const char *fmt, ...)
{
	char shown[POL_QUOTE_LEN], word[POL_NAME_LEN], what[POL_NAMES_LEN];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	pol_token_copy(&s->t, word);
	if (s->t.tok == TOK_END)
		SAY(s, s->t.line, "the text ends too early: %s is missing",
		    what);
	else if (s->t.tok != TOK_BAD)
		SAY(s, s->t.at, "\"%s\" cannot stand here: write %s",
		    pol_quote(shown, word), what);
	return false;
}

/* What follows the opening brace of the list of W. */
static bool
scan_list(struct scan *s, const struct keyword *w)
{
	char shown[POL_QUOTE_LEN], word[POL_NAME_LEN];
	unsigned line = s->t.at;

	if (pol_token_next(&s->t) == TOK_CLOSE)
		return true;
	for (;;) {
		if (s->t.tok != TOK_WORD)
			return expected(s, "a value, or the brace that closes "
			    "the list of line %u", line);
		if (pol_token_next(&s->t) == TOK_CLOSE)
			return true;
		if (s->t.tok == TOK_WORD && pol_token_before(&s->t, '=')) {
			pol_token_copy(&s->t, word);
			SAY(s, s->t.at, "the list of \"%s\" in line %u has no "
			    "closing brace before \"%s\": add it", w->word,
			    line, pol_quote(shown, word));
			return false;
		}
		if (s->t.tok != TOK_COMMA)
			return expected(s, "a comma or a closing brace before "
			    "it");
		if (pol_token_next(&s->t) == TOK_CLOSE) {
			SAY(s, s->t.at, "a comma stands before the closing "
			    "brace: remove it");
			return true;
		}
	}
}

/* What stands after a single value: is it a second one? */
static bool
value_ends(struct scan *s, const struct keyword *w)
{
	if (pol_token_before(&s->t, '=')) {
		SAY(s, w->line, "\"%s\" has no value: write one behind its "
		    "equals sign", w->word);
		return false;
	}
	if (!pol_token_before(&s->t, ','))
		return true;
	if (w->list)
		SAY(s, s->t.at, "the values of \"%s\" are a list: put them "
		    "between { and }", w->word);
	else
		SAY(s, s->t.at, "\"%s\" takes only one value: remove the "
		    "comma and what comes after it", w->word);
	return false;
}

/* A value, or a list of them; the last token read ends it. */
static bool
scan_value(struct scan *s, const struct keyword *w)
{
	if (pol_token_next(&s->t) == TOK_WORD)
		return value_ends(s, w);
	if (s->t.tok != TOK_OPEN)
		return expected(s, "a value of \"%s\"", w->word);
	if (!w->list)
		SAY(s, s->t.at, "\"%s\" takes only one value: write it "
		    "without braces", w->word);
	return scan_list(s, w);
}

static enum pol_section_id
section_of(const char *word)
{
	size_t i = 0;

	while (i < POL_NSEC &&
	    strcmp(word, pol_section_name((enum pol_section_id)i)) != 0)
		i++;
	return (enum pol_section_id)i;
}

/* Does another section begin with WORD, which was read last? */
static bool
begins_section(const struct scan *s, const char *word)
{
	const char *rest = s->out->text + s->t.pos;

	return rest[strspn(rest, " \t")] != '=' && section_of(word) != POL_NSEC;
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

/* Is keyword number KEYWORD, W, one of SECTION, for the first time? */
static void
judge_keyword(struct scan *s, size_t keyword, const struct keyword *w,
    bool *seen)
{
	if (keyword == POL_NKEYWORDS)
		pol_unknown_keyword(&s->t, s->last.id, w->word);
	else if (seen[keyword])
		SAY(s, w->line, "\"%s\" is set twice in this section: remove "
		    "one", w->word);
	else
		seen[keyword] = true;
}

/* What should be the keyword W is something else: the section is not over. */
static bool
no_keyword(struct scan *s, const struct keyword *w)
{
	const struct opened *o = &s->last;

	if (s->t.tok == TOK_END)
		SAY(s, s->t.line, "the text ends inside the section of line "
		    "%u: add its closing brace", o->line);
	else if (s->t.tok == TOK_WORD)
		SAY(s, w->line, "section \"%s\" of line %u has no closing "
		    "brace before this: add it", pol_section_name(o->id),
		    o->line);
	else
		(void)expected(s, "a keyword, or the brace that closes the "
		    "section of line %u", o->line);
	return false;
}

/*
 * One "keyword = value" of the section that was opened last; of an unknown
 * one, which will be blanked as a whole.  SEEN has each keyword's place.  A
 * setting that cannot be used is blanked.
 */
static bool
scan_setting(struct scan *s, bool *seen)
{
	enum pol_section_id section = s->last.id;
	struct keyword w = { .line = s->t.at, .list = true };
	size_t keyword = POL_NKEYWORDS, start = s->t.start;
	size_t before = s->t.diags->n;

	pol_token_copy(&s->t, w.word);
	if (s->t.tok != TOK_WORD ||
	    (section != POL_NSEC && begins_section(s, w.word)))
		return no_keyword(s, &w);
	if (section != POL_NSEC) {
		keyword = pol_keyword_find(section, w.word);
		judge_keyword(s, keyword, &w, seen);
	}
	if (keyword != POL_NKEYWORDS)
		w.list = pol_keywords[keyword].list;
	if (pol_token_next(&s->t) != TOK_EQUALS)
		return expected(s, "an equals sign after \"%s\"", w.word);
	if (!scan_value(s, &w))
		return false;
	if (section == POL_NSEC)
		return true;
	if (s->t.diags->n != before || s->t.diags->more) {
		pol_token_blank(&s->t, start, s->t.pos);
		s->out->sections[s->out->nsections - 1].faulty = true;
	} else {
		note_setting(s, keyword, w.line);
	}
	return true;
}

/* The name of a section of ID; false if it cannot be one. */
static bool
title_ok(struct scan *s, enum pol_section_id id)
{
	const char *p = s->out->text + s->t.word;

	if (s->t.len == 0 || s->t.len >= POL_NAME_LEN) {
		SAY(s, s->t.at, "the name of this %s has 1 to %d letters: "
		    "change it", pol_section_name(id), POL_NAME_LEN - 1);
		return false;
	}
	for (size_t i = 0; i < s->t.len; i++)
		if (!pol_token_plain(p[i])) {
			SAY(s, s->t.at, "the name of this %s has only "
			    "letters a to z, digits, dot, dash and "
			    "underscore: change it",
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

/* Where the section ended that stands last before here; "" if none does. */
static const char *
after_what(const struct scan *s, char dst[POL_NAMES_LEN])
{
	dst[0] = '\0';
	if (s->last.line != 0)
		(void)snprintf(dst, POL_NAMES_LEN, ": the section of line %u "
		    "ended in line %u", s->last.line, s->last.closed);
	return dst;
}

/* A setting WORD, of no section: it is left out, and reading goes on. */
static bool
outside(struct scan *s, const char *word)
{
	char shown[POL_QUOTE_LEN], names[POL_NAMES_LEN], after[POL_NAMES_LEN];
	struct keyword w = { .line = s->t.at, .list = true };
	size_t start = s->t.start;

	(void)pol_quote(shown, word);
	(void)after_what(s, after);
	if (pol_unknown_owners(names, word))
		SAY(s, w.line, "\"%s\" stands outside of every section%s; put "
		    "it into %s", shown, after, names);
	else
		SAY(s, w.line, "\"%s\" stands outside of every section%s; put "
		    "it into one", shown, after);
	(void)snprintf(w.word, sizeof w.word, "%s", word);
	(void)pol_token_next(&s->t);
	if (!scan_value(s, &w))
		return false;
	pol_token_blank(&s->t, start, s->t.pos);
	return true;
}

/* Instead of a section there is something that cannot begin one. */
static bool
no_section(struct scan *s)
{
	char after[POL_NAMES_LEN];

	if (s->t.tok != TOK_CLOSE)
		return expected(s, "the name of a section");
	SAY(s, s->t.at, "this brace closes nothing%s; remove it, or one "
	    "before it", after_what(s, after));
	return false;
}

/* The name behind the word, if there has to be one; *ID as scan_head(). */
static bool
scan_title(struct scan *s, enum pol_section_id *id, char title[POL_NAME_LEN])
{
	bool named = *id == POL_NSEC || pol_section_named(*id);
	char shown[POL_QUOTE_LEN];

	if (pol_token_next(&s->t) == TOK_WORD && named) {
		pol_token_copy(&s->t, title);
		if (*id != POL_NSEC && !title_ok(s, *id))
			*id = POL_NSEC;
		pol_token_blank(&s->t, s->t.start, s->t.pos);
		(void)pol_token_next(&s->t);
		return true;
	}
	if (named)
		return *id == POL_NSEC || expected(s, "a name for the %s, in "
		    "quotes", pol_section_name(*id));
	if (s->t.tok != TOK_WORD || !pol_token_before(&s->t, '{'))
		return true;
	pol_token_copy(&s->t, title);
	SAY(s, s->t.at, "a section \"%s\" has no name: remove \"%s\"",
	    pol_section_name(*id), pol_quote(shown, title));
	return false;
}

/* The words before the brace, of which WORD is the first. */
static bool
scan_head(struct scan *s, const char *word)
{
	char title[POL_NAME_LEN] = "", shown[POL_QUOTE_LEN];
	unsigned line = s->t.at;
	enum pol_section_id id = section_of(word);

	if (strcmp(word, "include") == 0) {
		SAY(s, line, "a policy does not include other files: put "
		    "them into conf.d");
		return false;
	}
	if (id == POL_NSEC)
		pol_unknown_section(&s->t, word);
	if (!scan_title(s, &id, title))
		return false;
	if (s->t.tok != TOK_OPEN)
		return expected(s, "an opening brace after \"%s\"",
		    pol_quote(shown, word));
	s->last = (struct opened){ .id = id, .line = line };
	return id == POL_NSEC || note_section(s, id, title, line);
}

static bool
scan_section(struct scan *s)
{
	char word[POL_NAME_LEN];
	size_t start = s->t.start;
	bool seen[POL_NKEYWORDS] = { false };

	if (s->t.tok != TOK_WORD)
		return no_section(s);
	pol_token_copy(&s->t, word);
	if (pol_token_before(&s->t, '='))
		return outside(s, word);
	if (!scan_head(s, word))
		return false;
	while (pol_token_next(&s->t) != TOK_CLOSE)
		if (!scan_setting(s, seen) || s->nomem)
			return false;
	s->last.closed = s->t.at;
	if (s->last.id == POL_NSEC)
		pol_token_blank(&s->t, start, s->t.pos);
	if (s->out->nsections <= MAX_SECTIONS)
		return true;
	SAY(s, s->t.at, "there are too many sections: %d at most",
	    MAX_SECTIONS);
	return false;
}

/* Up to a section that cannot be read to its end: that is cut off. */
static void
scan_all(struct scan *s)
{
	while (pol_token_next(&s->t) != TOK_END) {
		size_t nsections = s->out->nsections;
		size_t nsettings = s->out->nsettings;
		size_t start = s->t.start;

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
	if (first->id == POL_SEC_RESOLVER)
		SAY(s, later->line, "section \"resolver\" stands twice in "
		    "this file (the first: line %u): only one is asked, so "
		    "remove the other", first->line);
	else if (pol_section_named(first->id))
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
	struct scan s = { .out = out, .t = { .diags = diags,
		.file = src->name, .line = 1 } };

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
	s.t.text = out->text;
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
