#include "tests/unit/openmetrics.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NAME_CAP 128
#define MAX_FAMILIES 128
#define MAX_SAMPLES 512

struct reader {
	char family[MAX_FAMILIES][NAME_CAP];
	unsigned nfamilies;
	char type[NAME_CAP];
	bool has_unit, has_help;
	char seen[MAX_SAMPLES][NAME_CAP]; /* names with labels */
	unsigned nseen;
	unsigned nsamples; /* of the present family */
	double last_le, last_bucket;
	bool has_inf, has_count, has_sum;
};

struct sample {
	char name[NAME_CAP], label[NAME_CAP], value[NAME_CAP];
	double n;
};

static const char *const types[] = { "gauge", "counter", "stateset", "info",
	"histogram", NULL };

static bool
is_name(const char *s, size_t n)
{
	if (n == 0 || (s[0] >= '0' && s[0] <= '9'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (strchr("abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", s[i]) == NULL)
			return false;
	return true;
}

static const char *
family(const struct reader *r)
{
	return r->nfamilies > 0 ? r->family[r->nfamilies - 1] : "";
}

/* A family that ends must be whole. */
static const char *
end_family(const struct reader *r)
{
	if (r->nfamilies == 0)
		return NULL;
	if (r->nsamples == 0)
		return "a family without a sample";
	if (strcmp(r->type, "histogram") == 0 &&
	    (!r->has_inf || !r->has_count || !r->has_sum))
		return "a histogram without its end";
	return NULL;
}

static const char *
take_type(struct reader *r, const char *name, const char *type)
{
	const char *fault = end_family(r);
	unsigned i;

	if (fault != NULL)
		return fault;
	for (i = 0; i < r->nfamilies; i++)
		if (strcmp(r->family[i], name) == 0)
			return "a family twice";
	for (i = 0; types[i] != NULL && strcmp(types[i], type) != 0; i++)
		;
	if (types[i] == NULL)
		return "no such type";
	if (r->nfamilies == MAX_FAMILIES)
		return "too many families";
	(void)snprintf(r->family[r->nfamilies++], NAME_CAP, "%s", name);
	(void)snprintf(r->type, NAME_CAP, "%s", type);
	r->has_unit = r->has_help = r->has_inf = false;
	r->has_count = r->has_sum = false;
	r->nsamples = 0;
	r->last_le = -INFINITY;
	r->last_bucket = 0;
	return NULL;
}

/* "# TYPE name gauge" */
static const char *
take_comment(struct reader *r, const char *line)
{
	char what[8], name[NAME_CAP], rest[256];
	size_t n, u;

	if (sscanf(line, "# %7[A-Z] %127[^ ] %255[^\n]", what, name,
	    rest) != 3 || !is_name(name, strlen(name)))
		return "a comment that is none";
	if (strcmp(what, "TYPE") == 0)
		return take_type(r, name, rest);
	if (strcmp(name, family(r)) != 0 || r->nsamples != 0)
		return "a comment that is not its family's";
	if (strcmp(what, "HELP") == 0) {
		if (r->has_help)
			return "help twice";
		r->has_help = true;
		return NULL;
	}
	n = strlen(name);
	u = strlen(rest);
	if (strcmp(what, "UNIT") != 0 || r->has_unit)
		return "a comment of another kind, or a unit twice";
	r->has_unit = true;
	return n > u && name[n - u - 1] == '_' &&
	    strcmp(name + n - u, rest) == 0 ? NULL :
	    "a unit that the name does not end in";
}

/* {label="value"}; what is behind it, or NULL. */
static const char *
take_label(struct sample *s, const char *p)
{
	size_t n = strcspn(p, "=");

	if (!is_name(p, n) || n >= NAME_CAP || p[n] != '=' ||
	    p[n + 1] != '"')
		return NULL;
	memcpy(s->label, p, n);
	s->label[n] = '\0';
	p += n + 2;
	for (n = 0; *p != '"' && n < NAME_CAP - 1; n++, p++) {
		if (*p == '\n' || *p == '\0')
			return NULL;
		if (*p == '\\' && strchr("\\\"n", *++p) == NULL)
			return NULL;
		s->value[n] = *p;
	}
	s->value[n] = '\0';
	return p[0] == '"' && p[1] == '}' ? p + 2 : NULL;
}

static const char *
take_bucket(struct reader *r, const struct sample *s)
{
	char *end;
	double le = strtod(s->value, &end);

	if (strcmp(s->label, "le") != 0 || end == s->value || *end != '\0')
		return "a bucket without its limit";
	if (le <= r->last_le || r->has_inf)
		return "buckets out of order";
	if (s->n < r->last_bucket)
		return "buckets that are not cumulative";
	r->last_le = le;
	r->last_bucket = s->n;
	r->has_inf = isinf(le) != 0;
	return NULL;
}

static const char *
take_histogram(struct reader *r, const struct sample *s, const char *suffix)
{
	if (strcmp(suffix, "_bucket") == 0)
		return take_bucket(r, s);
	if (strcmp(suffix, "_count") == 0) {
		r->has_count = true;
		return s->n == r->last_bucket && r->has_inf ? NULL :
		    "a count that is not the last bucket";
	}
	r->has_sum = true;
	return strcmp(suffix, "_sum") == 0 ? NULL : "a sample of no suffix";
}

static const char *
check_sample(struct reader *r, const struct sample *s)
{
	size_t n = strlen(family(r));
	const char *suffix = s->name + n;

	if (n == 0 || strncmp(s->name, family(r), n) != 0)
		return "a sample of another family";
	if (strcmp(r->type, "histogram") == 0)
		return take_histogram(r, s, suffix);
	if (strcmp(r->type, "counter") == 0)
		return strcmp(suffix, "_total") == 0 && s->n >= 0 ? NULL :
		    "a counter without _total, or below 0";
	if (suffix[0] != '\0')
		return "a suffix that the type does not have";
	if (strcmp(r->type, "stateset") == 0 &&
	    (strcmp(s->label, family(r)) != 0 || (s->n != 0 && s->n != 1)))
		return "a state that is none";
	return NULL;
}

/* name{label="value"} number */
static const char *
take_sample(struct reader *r, const char *line)
{
	struct sample s = { .n = 0 };
	size_t n = strcspn(line, "{ \n");
	const char *p = line + n;
	char *end;

	if (!is_name(line, n) || n >= NAME_CAP)
		return "a name that is none";
	memcpy(s.name, line, n);
	if (*p == '{')
		p = take_label(&s, p + 1);
	if (p == NULL || *p != ' ')
		return "labels that are none";
	n = (size_t)(p - line);
	if (n >= NAME_CAP || r->nseen == MAX_SAMPLES)
		return "too much";
	for (unsigned i = 0; i < r->nseen; i++)
		if (strncmp(r->seen[i], line, n) == 0 &&
		    r->seen[i][n] == '\0')
			return "a sample twice";
	memcpy(r->seen[r->nseen++], line, n);
	s.n = strtod(p + 1, &end);
	if (end == p + 1 || p[1] == ' ' || *end != '\n')
		return "a number that is none";
	r->nsamples++;
	return check_sample(r, &s);
}

const char *
openmetrics_fault(const char *text, const char **at)
{
	struct reader *r = calloc(1, sizeof *r);
	const char *fault = r == NULL ? "no memory" : NULL, *nl;

	for (*at = text; fault == NULL; *at = nl + 1) {
		nl = strchr(*at, '\n');
		if (nl == NULL || strcmp(*at, "# EOF\n") == 0)
			break;
		fault = (*at)[0] == '#' ? take_comment(r, *at) :
		    take_sample(r, *at);
		if (fault != NULL)
			break;
	}
	if (fault == NULL && strcmp(*at, "# EOF\n") != 0)
		fault = "no end, or something behind it";
	if (fault == NULL)
		fault = end_family(r);
	free(r);
	return fault;
}
