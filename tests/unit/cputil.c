#include "tests/unit/cputil.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned fail_in;

/* The linker sends the library's malloc() and calloc() here. */
void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);

void *
__wrap_malloc(size_t n)
{
	return fail_in > 0 && --fail_in == 0 ? NULL : __real_malloc(n);
}

void *
__wrap_calloc(size_t n, size_t size)
{
	return fail_in > 0 && --fail_in == 0 ? NULL : __real_calloc(n, size);
}

void
cputil_fail_alloc(unsigned n)
{
	fail_in = n;
}

void
cputil_same(const char *file, int line, struct cp_str got, struct cp_str want)
{
	if (got.n == want.n &&
	    (got.n == 0 || memcmp(got.p, want.p, got.n) == 0))
		return;
	ck_abort_msg("%s:%d: got <%.*s> (%zu), want <%.*s> (%zu)", file, line,
	    (int)got.n, got.n > 0 ? got.p : "", got.n, (int)want.n,
	    want.n > 0 ? want.p : "", want.n);
}

struct cp_reply *
cputil_reply(const char *wire)
{
	struct cp_reader *r = cp_reader_new();
	struct cp_reply *reply;

	ck_assert_ptr_nonnull(r);
	cp_reader_limits(r, &cp_limits_auth);
	ck_assert_int_eq(cp_reader_feed(r, wire, strlen(wire)), CP_OK);
	ck_assert_int_eq(cp_reader_next(r, &reply), CP_OK);
	ck_assert_msg(reply != NULL, "no message in <%s>", wire);
	cp_reader_free(r);
	return reply;
}

static uint64_t random_state;

static void
seed(void)
{
	const char *given = getenv("PORTCULLIS_SEED");
	uint64_t value = (uint64_t)time(NULL);

	if (given != NULL)
		value = strtoull(given, NULL, 0);
	printf("PORTCULLIS_SEED=%" PRIu64 "\n", value);
	random_state = value * 2 + 1; /* never 0 */
}

uint64_t
cputil_random(void)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return random_state;
}

static void
log_add(struct cputil_log *log, const char *p, size_t n)
{
	log->p = realloc(log->p, log->n + n + 1);
	ck_assert_ptr_nonnull(log->p);
	if (n > 0)
		memcpy(log->p + log->n, p, n);
	log->n += n;
	log->p[log->n] = '\0';
}

void
cputil_log_reply(struct cputil_log *log, const struct cp_reply *reply)
{
	char code[16];
	struct cp_str s;
	size_t i;
	int n;

	n = snprintf(code, sizeof code, "%u", cp_reply_code(reply));
	log_add(log, code, (size_t)n);
	for (i = 0; i < cp_reply_nlines(reply); i++) {
		s = cp_reply_text(reply, i);
		log_add(log, "[", 1);
		log_add(log, s.p, s.n);
		log_add(log, "]", 1);
		if (!cp_reply_data(reply, i, &s))
			continue;
		log_add(log, "{", 1);
		log_add(log, s.p, s.n);
		log_add(log, "}", 1);
	}
	log_add(log, "\n", 1);
}

void
cputil_log_clear(struct cputil_log *log)
{
	free(log->p);
	memset(log, 0, sizeof *log);
}

enum cp_err
cputil_drain(struct cputil_log *log, struct cp_reader *r)
{
	struct cp_reply *reply;
	enum cp_err err;

	for (;;) {
		err = cp_reader_next(r, &reply);
		if (err != CP_OK || reply == NULL) {
			ck_assert_ptr_null(reply);
			return err;
		}
		cputil_log_reply(log, reply);
		cp_reply_free(reply);
	}
}

static size_t
next_cut(enum cputil_cut how, size_t left)
{
	if (how == OCTETS)
		return 1;
	if (how == RANDOM)
		return 1 + (size_t)(cputil_random() % left);
	return left;
}

enum cp_err
cputil_feed(struct cputil_log *log, struct cp_reader *r, struct cp_str in,
    enum cputil_cut how)
{
	enum cp_err err = CP_OK;
	size_t n;

	while (err == CP_OK && in.n > 0) {
		n = next_cut(how, in.n);
		err = cp_reader_feed(r, in.p, n);
		if (err == CP_OK)
			err = cputil_drain(log, r);
		in.p += n;
		in.n -= n;
	}
	return err;
}

int
cputil_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	seed();
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
