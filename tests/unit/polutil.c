#include "tests/unit/polutil.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned fail_in;

static bool
fails(void)
{
	return fail_in != 0 && --fail_in == 0;
}

void *__real_malloc(size_t n);
void *__wrap_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);
FILE *__real_open_memstream(char **text, size_t *len);
FILE *__wrap_open_memstream(char **text, size_t *len);

void *
__wrap_malloc(size_t n)
{
	return fails() ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *
__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, n, size);
}

FILE *
__wrap_open_memstream(char **text, size_t *len)
{
	return fails() ? NULL : __real_open_memstream(text, len);
}

void
pu_fail_at(unsigned n)
{
	fail_in = n;
}

void
pu_parse(struct pol_policy *out, const char *text)
{
	struct pol_source src = { "test.conf", text, strlen(text) };
	struct pol_diags diags;
	int rc = pol_parse(out, &diags, &src, 1);

	ck_assert_msg(rc == 0, "line %u: %s",
	    diags.n == 0 ? 0 : diags.list[0].line,
	    diags.n == 0 ? "" : diags.list[0].text);
	ck_assert_uint_eq(diags.n, 0);
	pol_diags_clear(&diags);
}

void
pu_parse_wrong(struct pol_diags *diags, const char *text)
{
	struct pol_source src = { "test.conf", text, strlen(text) };
	struct pol_policy p;

	ck_assert_int_eq(pol_parse(&p, diags, &src, 1), -1);
	ck_assert_uint_ge(diags->n, 1);
	ck_assert_ptr_null(p.listeners);
}

bool
pu_has_diag(const struct pol_diags *diags, unsigned line, const char *words)
{
	for (size_t i = 0; i < diags->n; i++)
		if (diags->list[i].line == line &&
		    strstr(diags->list[i].text, words) != NULL)
			return true;
	return false;
}

/* Nothing but what is wrong. */
static void
drop_warnings(struct pol_diags *diags)
{
	size_t n = 0;

	for (size_t i = 0; i < diags->n; i++)
		if (!diags->list[i].warning)
			diags->list[n++] = diags->list[i];
	diags->n = n;
}

void
pu_warning(const char *text, unsigned line, const char *words)
{
	struct pol_source src = { "test.conf", text, strlen(text) };
	struct pol_policy p;
	struct pol_diags diags;

	ck_assert_int_eq(pol_parse(&p, &diags, &src, 1), 0);
	ck_assert(!pol_diags_wrong(&diags));
	ck_assert_uint_eq(diags.n, words != NULL);
	ck_assert(words == NULL || (diags.list[0].warning &&
	    pu_has_diag(&diags, line, words)));
	pol_diags_clear(&diags);
	pol_policy_clear(&p);
}

void
pu_fault(const char *text, unsigned line, const char *words)
{
	struct pol_diags diags;

	pu_parse_wrong(&diags, text);
	drop_warnings(&diags);
	ck_assert_msg(diags.n == 1 && pu_has_diag(&diags, line, words),
	    "expected %u: %s\n     got %u: %s (%zu of them)\n%s", line, words,
	    diags.list[0].line, diags.list[0].text, diags.n, text);
	ck_assert_str_eq(diags.list[0].file,
	    line == 0 ? diags.list[0].file : "test.conf");
	pol_diags_clear(&diags);
}

int
pu_run(Suite *s)
{
	SRunner *sr = srunner_create(s);
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
