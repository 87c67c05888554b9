#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/status/clients.h"

#define T0 UINT64_C(1000000000000)

static struct status_line *a, *b, *c;
static struct status_queue q;

static void
setup(void)
{
	a = status_line_new("aaaa\n", 5);
	b = status_line_new("bb\n", 3);
	c = status_line_new("c\n", 2);
	status_queue_init(&q);
}

static void
teardown(void)
{
	status_queue_clear(&q);
	ck_assert_uint_eq(a->refs, 1);
	ck_assert_uint_eq(b->refs, 1);
	ck_assert_uint_eq(c->refs, 1);
	status_line_unref(a);
	status_line_unref(b);
	status_line_unref(c);
}

static void
assert_owed(const char *text)
{
	const char *p = NULL;
	size_t n = status_queue_peek(&q, &p);

	ck_assert_uint_eq(n, strlen(text));
	if (n > 0)
		ck_assert_mem_eq(p, text, n);
}

START_TEST(new_queue_owes_nothing)
{
	assert_owed("");
	ck_assert(!q.begun);
}
END_TEST

START_TEST(line_is_sent_in_pieces)
{
	status_queue_put(&q, a);
	status_queue_sent(&q, 2);
	ck_assert(q.begun);
	assert_owed("aa\n");
	status_queue_sent(&q, 3);
	assert_owed("");
}
END_TEST

START_TEST(unbegun_line_is_replaced)
{
	status_queue_put(&q, a);
	status_queue_put(&q, b);
	ck_assert_uint_eq(a->refs, 1);
	assert_owed("bb\n");
	ck_assert(!q.begun);
}
END_TEST

START_TEST(begun_line_is_finished_first)
{
	status_queue_put(&q, a);
	status_queue_sent(&q, 1);
	status_queue_put(&q, b);
	status_queue_put(&q, c);
	ck_assert_uint_eq(b->refs, 1);
	assert_owed("aaa\n");
	status_queue_sent(&q, 4);
	assert_owed("c\n");
	status_queue_sent(&q, 2);
	assert_owed("");
}
END_TEST

START_TEST(same_line_twice_is_owed_once)
{
	status_queue_put(&q, a);
	status_queue_put(&q, a);
	ck_assert_uint_eq(a->refs, 2);
	assert_owed("aaaa\n");
}
END_TEST

START_TEST(nothing_sent_is_no_beginning)
{
	status_queue_put(&q, a);
	status_queue_sent(&q, 0);
	ck_assert(!q.begun);
	status_queue_put(&q, b);
	assert_owed("bb\n");
}
END_TEST

START_TEST(references_never_exceed_two)
{
	int i;

	for (i = 0; i < 1000; i++) {
		status_queue_put(&q, i % 2 == 0 ? a : b);
		if (i == 0)
			status_queue_sent(&q, 1);
	}
	ck_assert_uint_le(a->refs + b->refs, 2 + 2);
}
END_TEST

START_TEST(reader_with_nothing_unread_is_alive)
{
	struct status_reader r;

	status_reader_init(&r, T0);
	status_reader_sample(&r, 0, false, T0 + STATUS_READ_MAX_NS + 5);
	ck_assert(!status_reader_stuck(&r, T0 + STATUS_READ_MAX_NS + 5,
	    STATUS_READ_MAX_NS));
}
END_TEST

START_TEST(reader_that_lets_it_pile_up_is_stuck)
{
	struct status_reader r;

	status_reader_init(&r, T0);
	status_reader_sample(&r, 100, false, T0 + 1);
	status_reader_sample(&r, 100, false, T0 + 2);
	status_reader_sample(&r, 200, true, T0 + 3);
	ck_assert(!status_reader_stuck(&r, T0 + STATUS_READ_MAX_NS,
	    STATUS_READ_MAX_NS));
	ck_assert(status_reader_stuck(&r, T0 + STATUS_READ_MAX_NS + 1,
	    STATUS_READ_MAX_NS));
}
END_TEST

START_TEST(slow_reader_is_alive)
{
	struct status_reader r;

	status_reader_init(&r, T0);
	status_reader_sample(&r, 200, true, T0 + 1);
	status_reader_sample(&r, 199, true, T0 + STATUS_READ_MAX_NS);
	ck_assert(!status_reader_stuck(&r, T0 + STATUS_READ_MAX_NS + 9,
	    STATUS_READ_MAX_NS));
}
END_TEST

START_TEST(reader_is_alive_when_the_kernel_takes_more)
{
	struct status_reader r;

	status_reader_init(&r, T0);
	status_reader_sample(&r, 100, true, T0 + 1);
	status_reader_moved(&r, T0 + STATUS_READ_MAX_NS);
	status_reader_sample(&r, 300, true, T0 + STATUS_READ_MAX_NS + 1);
	ck_assert(!status_reader_stuck(&r, T0 + STATUS_READ_MAX_NS + 9,
	    STATUS_READ_MAX_NS));
}
END_TEST

/* Reads what is owed in pieces of STEP octets; the caller frees it. */
static char *
read_all(size_t step)
{
	char *all = calloc(1, 256);
	const char *p;
	size_t n, len = 0;

	ck_assert_ptr_nonnull(all);
	while ((n = status_queue_peek(&q, &p)) > 0) {
		n = n < step ? n : step;
		ck_assert_uint_lt(len + n, 256);
		memcpy(all + len, p, n);
		len += n;
		status_queue_sent(&q, n);
	}
	return all;
}

/* At the beginning, inside and at the end; in pieces of every size. */
START_TEST(table_is_sent_in_its_place)
{
	static const struct {
		size_t at;
		const char *want;
	} places[] = {
		{ 0, "[TABLE]aaaa\n" },
		{ 2, "aa[TABLE]aa\n" },
		{ 5, "aaaa\n[TABLE]" },
	};
	struct status_line *table = status_line_new("[TABLE]", 7);
	size_t i, step;
	char *got;

	for (i = 0; i < sizeof places / sizeof places[0]; i++)
		for (step = 1; step < 14; step++) {
			struct status_line *line = status_line_new("aaaa\n",
			    5);

			status_line_carry(line, STATUS_P_TABLE, table,
			    places[i].at, 1);
			status_queue_put(&q, line);
			status_line_unref(line);
			ck_assert_uint_eq(table->refs, 2);
			got = read_all(step);
			ck_assert_str_eq(got, places[i].want);
			free(got);
			ck_assert_uint_eq(table->refs, 1);
			ck_assert_uint_eq(q.version, 1);
		}
	status_line_unref(table);
}
END_TEST

/* Side by side, apart, and the second alone; in pieces of every size. */
START_TEST(two_parts_are_sent_in_their_places)
{
	static const struct {
		size_t at[STATUS_NPART];
		const char *want;
	} places[] = {
		{ { 0, 0 }, "[TABLE][PAST]aaaa\n" },
		{ { 1, 3 }, "a[TABLE]aa[PAST]a\n" },
		{ { 2, 5 }, "aa[TABLE]aa\n[PAST]" },
		{ { 9, 4 }, "aaaa[PAST]\n" }, /* 9: no table */
	};
	struct status_line *table = status_line_new("[TABLE]", 7);
	struct status_line *past = status_line_new("[PAST]", 6), *line;
	size_t i, step;
	char *got;

	for (i = 0; i < sizeof places / sizeof places[0]; i++)
		for (step = 1; step < 19; step++) {
			line = status_line_new("aaaa\n", 5);
			status_line_carry(line, STATUS_P_TABLE,
			    places[i].at[0] == 9 ? NULL : table,
			    places[i].at[0], 1);
			status_line_carry(line, STATUS_P_HISTORY, past,
			    places[i].at[1], 7);
			status_queue_put(&q, line);
			status_line_unref(line);
			ck_assert_uint_eq(status_queue_oldest(&q,
			    STATUS_P_HISTORY), 7);
			got = read_all(step);
			ck_assert_str_eq(got, places[i].want);
			free(got);
			ck_assert_uint_eq(past->refs, 1);
			ck_assert_uint_eq(table->refs, 1);
			ck_assert_uint_eq(status_queue_oldest(&q,
			    STATUS_P_HISTORY), 0);
		}
	status_line_unref(table);
	status_line_unref(past);
}
END_TEST

/* Line A carries table 1, B table 2 and C none; A has begun. */
START_TEST(replaced_table_is_still_owed)
{
	struct status_line *table = status_line_new("T", 1);

	status_line_carry(a, STATUS_P_TABLE, table, 0, 1);
	status_line_carry(b, STATUS_P_TABLE, table, 0, 2);
	status_queue_put(&q, a);
	ck_assert_uint_eq(q.version, 0);
	status_queue_sent(&q, 1);
	ck_assert_uint_eq(q.version, 1);
	status_queue_put(&q, b);
	status_queue_put(&q, c); /* and B's table with it */
	ck_assert_uint_eq(q.version, 1);
	status_queue_put(&q, b);
	status_queue_sent(&q, 5);
	ck_assert_uint_eq(q.version, 1);
	status_queue_sent(&q, 1);
	ck_assert_uint_eq(q.version, 2);
	status_queue_sent(&q, 3);
	status_queue_put(&q, c);
	status_queue_sent(&q, 1);
	ck_assert_uint_eq(q.version, 2); /* a line without takes nothing */
	status_line_unref(table);
}
END_TEST

START_TEST(oldest_table_that_is_held_is_known)
{
	struct status_line *table = status_line_new("T", 1);

	ck_assert_uint_eq(status_queue_oldest(&q, STATUS_P_TABLE), 0);
	status_line_carry(a, STATUS_P_TABLE, table, 0, 3);
	status_line_carry(b, STATUS_P_TABLE, table, 0, 4);
	status_line_carry(c, STATUS_P_TABLE, NULL, 0, 5); /* "there is none" holds none */
	status_queue_put(&q, a);
	status_queue_sent(&q, 1);
	status_queue_put(&q, b);
	ck_assert_uint_eq(status_queue_oldest(&q, STATUS_P_TABLE), 3);
	status_queue_sent(&q, 5);
	ck_assert_uint_eq(status_queue_oldest(&q, STATUS_P_TABLE), 4);
	status_queue_put(&q, c);
	ck_assert_uint_eq(status_queue_oldest(&q, STATUS_P_TABLE), 0);
	status_queue_sent(&q, 1);
	ck_assert_uint_eq(q.version, 5);
	status_line_unref(table);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("status_clients");
	TCase *tc = tcase_create("clients");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, new_queue_owes_nothing);
	tcase_add_test(tc, line_is_sent_in_pieces);
	tcase_add_test(tc, unbegun_line_is_replaced);
	tcase_add_test(tc, begun_line_is_finished_first);
	tcase_add_test(tc, same_line_twice_is_owed_once);
	tcase_add_test(tc, nothing_sent_is_no_beginning);
	tcase_add_test(tc, references_never_exceed_two);
	tcase_add_test(tc, table_is_sent_in_its_place);
	tcase_add_test(tc, two_parts_are_sent_in_their_places);
	tcase_add_test(tc, replaced_table_is_still_owed);
	tcase_add_test(tc, oldest_table_that_is_held_is_known);
	tcase_add_test(tc, reader_with_nothing_unread_is_alive);
	tcase_add_test(tc, reader_that_lets_it_pile_up_is_stuck);
	tcase_add_test(tc, slow_reader_is_alive);
	tcase_add_test(tc, reader_is_alive_when_the_kernel_takes_more);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
