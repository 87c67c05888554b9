#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/draft.h"

/* All the room at the first: there is a most, and mostly there is none. */
static struct pol_diag *
next_diag(struct pol_diags *d)
{
	if (d->n == POL_MAX_DIAGS)
		return NULL;
	if (d->list == NULL)
		d->list = calloc(POL_MAX_DIAGS, sizeof *d->list);
	return d->list == NULL ? NULL : &d->list[d->n++];
}

static struct pol_diag *vadd(struct pol_diags *d, const char *file,
    unsigned line, const char *fmt, va_list ap)
    __attribute__((format(printf, 4, 0)));

/* That which was added; NULL if it could not be. */
static struct pol_diag *
vadd(struct pol_diags *d, const char *file, unsigned line, const char *fmt,
    va_list ap)
{
	struct pol_diag *diag = next_diag(d);

	if (diag == NULL) {
		d->more = true;
		return NULL;
	}
	(void)snprintf(diag->file, sizeof diag->file, "%s", file);
	diag->line = line;
	(void)vsnprintf(diag->text, sizeof diag->text, fmt, ap);
	return diag;
}

void
pol_diags_add(struct pol_diags *d, const char *file, unsigned line,
    const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vadd(d, file, line, fmt, ap);
	va_end(ap);
}

void
pol_diag(struct pol_diags *d, struct pol_where at, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vadd(d, at.file != NULL ? at.file : "policy", at.line, fmt, ap);
	va_end(ap);
}

void
pol_warn(struct pol_diags *d, struct pol_where at, const char *fmt, ...)
{
	struct pol_diag *diag;
	va_list ap;

	va_start(ap, fmt);
	diag = vadd(d, at.file, at.line, fmt, ap);
	va_end(ap);
	if (diag != NULL)
		diag->warning = true;
}

bool
pol_diags_wrong(const struct pol_diags *d)
{
	for (size_t i = 0; i < d->n; i++)
		if (!d->list[i].warning)
			return true;
	return d->more;
}

const char *
pol_quote(char dst[POL_QUOTE_LEN], const char *text)
{
	size_t i;

	for (i = 0; i < POL_QUOTE_LEN - 1 && text[i] != '\0'; i++)
		dst[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	dst[i] = '\0';
	if (text[i] != '\0')
		memcpy(dst + POL_QUOTE_LEN - 4, "...", 4);
	return dst;
}

void
pol_diags_clear(struct pol_diags *d)
{
	free(d->list);
	memset(d, 0, sizeof *d);
}
