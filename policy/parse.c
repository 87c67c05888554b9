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
#include "policy/fields.h"
#include "policy/origins.h"
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
			.flags = CFGF_MULTI };
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

/* ONE is what stands at AT: OF a section, or the name of such a section. */
static void
note(struct pol_draft *d, const char *of, const char *one,
    struct pol_where at)
{
	const struct pol_origin_at where = { .file = at.file, .line = at.line,
		.added = strcmp(at.file, d->main) != 0 };
	char key[POL_ORIGIN_KEY];

	(void)snprintf(key, sizeof key, "%s %s", of, one);
	if (d->from != NULL && !pol_origins_note(d->from, key, &where))
		d->nomem = true;
}

static void
apply_setting(struct source *s, const struct pol_scan_setting *setting,
    cfg_t *cfg, struct pol_field f)
{
	const struct pol_keyword *k = &pol_keywords[setting->keyword];
	cfg_opt_t *opt = cfg_getopt(cfg, k->name);

	f.key = k->name;
	f.at = (struct pol_where){ s->file, setting->line };
	if (!pol_section_named(k->section)) {
		s->d->set[setting->keyword] = f.at;
		note(s->d, pol_section_name(k->section), k->name, f.at);
	}
	if (opt != NULL && (k->list || cfg_opt_size(opt) == 1))
		call(&f, k, opt);
	else
		disagree(s->d, f.at);
}

/* The named section that F's settings are to go to; false: there is none. */
static bool
open_section(struct pol_field *f, const struct pol_scan_section *from)
{
	if (pol_section_named(from->id))
		note(f->d, pol_section_name(from->id), from->title, f->at);
	if (from->id == POL_SEC_TIMESYNC)
		f->d->time_at = f->at;
	if (from->id == POL_SEC_EGRESS || from->id == POL_SEC_SERVICE) {
		f->pass = pol_pass_open(f->d, from->id, from->title, f->at);
		if (f->pass == NULL)
			return false;
		f->pass->broken = from->faulty;
	} else if (from->id == POL_SEC_TRANSPORT) {
		f->carrier = pol_carrier_open(f->d, from->title, f->at);
		if (f->carrier == NULL)
			return false;
		f->carrier->broken = from->faulty;
	} else if (pol_section_named(from->id)) {
		f->section = pol_section_open(f->d, from->id, from->title);
		if (f->section == NULL)
			return false;
		f->section->at = f->at;
		f->section->broken = from->faulty;
	}
	return true;
}

/* Section number I, whose settings are those from FIRST on. */
static void
apply_section(struct source *s, size_t i, size_t first)
{
	const struct pol_scan *scan = s->scan;
	const struct pol_scan_section *from = &scan->sections[i];
	struct pol_field f = { .d = s->d, .at = { s->file, from->line } };
	cfg_t *cfg = cfg_getnsec(s->cfg, pol_section_name(from->id),
	    (unsigned)from->number);

	if (cfg == NULL) {
		disagree(s->d, f.at);
		return;
	}
	if (!open_section(&f, from))
		return;
	for (size_t j = first; j < scan->nsettings &&
	    scan->settings[j].section == i; j++)
		apply_setting(s, &scan->settings[j], cfg, f);
}

static void
apply_sections(struct source *s)
{
	size_t setting = 0;

	for (size_t i = 0; i < s->scan->nsections; i++) {
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
	return pol_parse_from(out, diags, NULL, src, n);
}

int
pol_parse_from(struct pol_policy *out, struct pol_diags *diags,
    struct pol_origins *from, const struct pol_source *src, size_t n)
{
	struct pol_draft d = { .p = out, .diags = diags, .from = from,
		.main = n == 0 ? NULL : src[0].name };

	memset(diags, 0, sizeof *diags);
	pol_policy_init(out);
	for (size_t i = 0; i < n && !d.nomem; i++)
		parse_source(&d, &src[i]);
	if (!d.nomem)
		pol_judge(&d);
	pol_draft_clear(&d);
	if (d.nomem)
		pol_diag(diags, (struct pol_where){ NULL, 0 }, "there is not "
		    "enough memory: free some and try again");
	if (!d.nomem && !d.incomplete && !pol_diags_wrong(diags))
		return 0;
	pol_policy_clear(out);
	return -1;
}
