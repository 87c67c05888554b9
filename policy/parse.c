/*
 * Sources -> draft.  scan.c has found where each setting stands and what is
 * no setting at all; libconfuse takes the rest apart; each setting then goes
 * to its keyword's function, in the order of the text.
 */
#include "policy/parse.h"

#include <confuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/draft.h"
#include "policy/scan.h"

/* Everything is text to libconfuse: the words are judged in fields.c. */
struct grammar {
	cfg_opt_t sections[POL_NSEC + 1];
	cfg_opt_t keys[POL_NSEC][POL_NKEYWORDS + 1];
};

static void
grammar_init(struct grammar *g)
{
	size_t n[POL_NSEC] = { 0 };

	memset(g, 0, sizeof *g);
	for (size_t i = 0; i < POL_NKEYWORDS; i++) {
		const struct pol_keyword *k = &pol_keywords[i];

		g->keys[k->section][n[k->section]++] = (cfg_opt_t){
			.name = k->name, .type = CFGT_STR,
			.flags = k->list ? CFGF_LIST | CFGF_NODEFAULT :
					   CFGF_NODEFAULT };
	}
	for (size_t i = 0; i < POL_NSEC; i++)
		g->sections[i] = (cfg_opt_t){
			.name = pol_section_name((enum pol_section_id)i),
			.type = CFGT_SEC, .subopts = g->keys[i],
			.flags = i == POL_SEC_LISTENER ?
			    CFGF_MULTI | CFGF_TITLE : CFGF_MULTI };
}

/* libconfuse would print; what it can complain about has been seen to. */
static void
on_error(cfg_t *cfg, const char *fmt, va_list ap)
{
	(void)cfg;
	(void)fmt;
	(void)ap;
}

/*
 * libconfuse and scan.c read the text differently.  Neither is believed
 * then: such a text could mean two things.
 */
static void
disagree(struct pol_draft *d, struct pol_where at)
{
	d->incomplete = true;
	pol_diag(d->diags, at, "this cannot be parsed: compare it with the "
	    "example in portcullis.conf(5)");
}

/* One source, while it is being applied. */
struct source {
	struct pol_draft *d;
	const char *file;
	const struct pol_scan *scan;
	cfg_t *cfg;
};

static cfg_t *
find_section(const struct source *s, const struct pol_scan_section *section)
{
	const char *name = pol_section_name(section->id);

	if (section->id == POL_SEC_LISTENER)
		return cfg_gettsec(s->cfg, name, section->title);
	return cfg_getnsec(s->cfg, name, (unsigned)section->number);
}

static void
call(struct pol_field *f, const struct pol_keyword *k, cfg_opt_t *opt)
{
	unsigned n = cfg_opt_size(opt);
	const char **words = calloc((size_t)n + 1, sizeof *words);

	if (words == NULL) {
		f->d->nomem = true;
		return;
	}
	for (unsigned i = 0; i < n; i++)
		words[i] = cfg_opt_getnstr(opt, i);
	f->words = words;
	f->n = n;
	k->set(f);
	free(words);
	f->words = NULL;
}

static void
apply_setting(struct source *s, const struct pol_scan_setting *setting,
    cfg_t *cfg, struct pol_group *group)
{
	const struct pol_keyword *k = &pol_keywords[setting->keyword];
	struct pol_field f = { .d = s->d, .group = group, .key = k->name,
		.at = { s->file, setting->line } };
	cfg_opt_t *opt = cfg_getopt(cfg, k->name);

	if (group == NULL)
		s->d->set[setting->keyword] = f.at;
	if (opt != NULL && (k->list || cfg_opt_size(opt) == 1))
		call(&f, k, opt);
	else
		disagree(s->d, f.at);
}

/* The group of this name, emptied, or one more; NULL when out of memory. */
static struct pol_group *
open_group(struct source *s, const struct pol_scan_section *section)
{
	struct pol_draft *d = s->d;
	struct pol_group *g = NULL, *more;

	for (size_t i = 0; i < d->ngroups && g == NULL; i++)
		if (strcmp(d->groups[i].name, section->title) == 0)
			g = &d->groups[i];
	if (g == NULL) {
		more = reallocarray(d->groups, d->ngroups + 1, sizeof *more);
		if (more == NULL) {
			d->nomem = true;
			return NULL;
		}
		d->groups = more;
		g = &more[d->ngroups++];
	}
	memset(g, 0, sizeof *g);
	g->at = (struct pol_where){ s->file, section->line };
	g->broken = section->faulty;
	(void)snprintf(g->name, sizeof g->name, "%s", section->title);
	return g;
}

/* Section number I, whose settings are those from FIRST on. */
static void
apply_section(struct source *s, size_t i, size_t first)
{
	const struct pol_scan *scan = s->scan;
	const struct pol_scan_section *section = &scan->sections[i];
	cfg_t *cfg = find_section(s, section);
	struct pol_group *group = NULL;

	if (cfg == NULL) {
		disagree(s->d,
		    (struct pol_where){ s->file, section->line });
		return;
	}
	if (section->id == POL_SEC_LISTENER) {
		group = open_group(s, section);
		if (group == NULL)
			return;
	}
	for (int late = 0; late < 2; late++)
		for (size_t j = first; j < scan->nsettings &&
		    scan->settings[j].section == i; j++)
			if (pol_keywords[scan->settings[j].keyword].late ==
			    (late == 1))
				apply_setting(s, &scan->settings[j], cfg,
				    group);
}

static void
apply_sections(struct source *s)
{
	size_t setting = 0;

	for (size_t i = 0; i < s->scan->nsections; i++) {
		if (!s->scan->sections[i].replaced)
			apply_section(s, i, setting);
		while (setting < s->scan->nsettings &&
		    s->scan->settings[setting].section == i)
			setting++;
	}
}

static void
parse_scanned(struct pol_draft *d, const char *file,
    const struct pol_scan *scan)
{
	struct source s = { .d = d, .file = file, .scan = scan };
	struct grammar g;

	grammar_init(&g);
	s.cfg = cfg_init(g.sections, CFGF_NONE);
	if (s.cfg == NULL) {
		d->nomem = true;
		return;
	}
	(void)cfg_set_error_function(s.cfg, on_error);
	if (cfg_parse_buf(s.cfg, scan->text) == CFG_SUCCESS)
		apply_sections(&s);
	else
		disagree(d, (struct pol_where){ file, 0 });
	(void)cfg_free(s.cfg);
}

static void
parse_source(struct pol_draft *d, const struct pol_source *src)
{
	struct pol_scan scan;
	size_t before = d->diags->n;

	if (pol_scan_make(&scan, d->diags, &d->nomem, src) == -1) {
		d->incomplete = true;
		return;
	}
	/* A setting that was left out must not be called missing too. */
	if (d->diags->n != before)
		d->incomplete = true;
	parse_scanned(d, src->name, &scan);
	pol_scan_clear(&scan);
}

int
pol_parse(struct pol_policy *out, struct pol_diags *diags,
    const struct pol_source *src, size_t n)
{
	struct pol_draft d = { .p = out, .diags = diags };

	memset(diags, 0, sizeof *diags);
	pol_policy_init(out);
	for (size_t i = 0; i < n && !d.nomem; i++)
		parse_source(&d, &src[i]);
	if (!d.nomem)
		pol_judge(&d);
	free(d.groups);
	if (d.nomem)
		pol_diag(diags, (struct pol_where){ NULL, 0 }, "there is not "
		    "enough memory: free some and try again");
	if (!d.nomem && !d.incomplete && diags->n == 0 && !diags->more)
		return 0;
	pol_policy_clear(out);
	return -1;
}
