#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/status/encode.h"
#include "supervisor/status/listeners.h"
#include "tests/unit/status_sample.h"

#define N(table) ((int)(sizeof(table) / sizeof(table)[0]))
#define TOTAL 40 /* three pages, the last not full */

static struct status_table t;
static struct snap_page page;

static void
setup(void)
{
	status_table_init(&t);
}

static void
teardown(void)
{
	status_table_clear(&t);
}

static bool
take(void)
{
	return status_table_take(&t, &page, sizeof page);
}

static void
fill(unsigned total)
{
	unsigned at;

	for (at = 0; at < total; at += SNAP_PAGE_LINES) {
		sample_page(&page, total, at, total - at < SNAP_PAGE_LINES ?
		    total - at : SNAP_PAGE_LINES);
		ck_assert(take());
	}
}

START_TEST(table_is_complete_with_its_last_line)
{
	unsigned i;

	ck_assert(!status_table_complete(&t));
	for (i = TOTAL; i-- > 0;) { /* the order does not matter */
		ck_assert(!status_table_complete(&t));
		sample_page(&page, TOTAL, i, 1);
		ck_assert(take());
		ck_assert(take()); /* twice is once */
	}
	ck_assert(status_table_complete(&t));
	for (i = 0; i < TOTAL; i++)
		ck_assert_uint_eq(t.lines[i].number, i);
}
END_TEST

START_TEST(change_of_one_line_is_a_change)
{
	uint64_t before;

	fill(TOTAL);
	before = t.changes;
	sample_page(&page, TOTAL, 7, 1);
	ck_assert(take());
	ck_assert_uint_eq(t.changes, before); /* it says the same */
	page.line[0].state = SNAP_LS_WITHHELD;
	page.line[0].why = SNAP_L_FOREIGN;
	ck_assert(take());
	ck_assert_uint_eq(t.changes, before + 1);
	ck_assert_uint_eq(t.lines[7].state, SNAP_LS_WITHHELD);
	ck_assert_uint_eq(t.lines[8].state, SNAP_LS_PROVEN);
	ck_assert(status_table_complete(&t));
}
END_TEST

START_TEST(clear_forgets_and_is_a_change)
{
	uint64_t before;

	fill(TOTAL);
	before = t.changes;
	status_table_clear(&t);
	ck_assert_uint_gt(t.changes, before);
	ck_assert(!status_table_complete(&t));
	fill(3); /* another engine, another policy */
	ck_assert(status_table_complete(&t));
}
END_TEST

START_TEST(largest_table_is_taken)
{
	fill(POL_MAX_LISTENERS);
	ck_assert(status_table_complete(&t));
	ck_assert_uint_eq(t.gated, POL_MAX_LISTENERS);
}
END_TEST

/* A page of lines 32 to 39 of 40, with one field that cannot be. */
#define FIELD(member, value) offsetof(struct snap_page, member), value
static const struct {
	size_t at;
	uint32_t value;
} invalid[] = {
	{ FIELD(magic, SNAP_MAGIC) },
	{ FIELD(magic, 0) },
	{ FIELD(total, POL_MAX_LISTENERS + 1) },
	{ FIELD(total, 0) },
	{ FIELD(total, 39) },
	{ FIELD(total, 41) }, /* not the total of the pages before */
	{ FIELD(n, 0) },
	{ FIELD(n, SNAP_PAGE_LINES + 1) },
	{ FIELD(n, UINT32_MAX) },
	{ FIELD(left, 41) },
	{ FIELD(line[7].number, TOTAL) },
	{ FIELD(line[7].number, UINT32_MAX) },
	{ FIELD(line[7].kind, POL_NKIND) },
	{ FIELD(line[7].state, SNAP_NLSTATE) },
	{ FIELD(line[7].why, SNAP_NLWHY) },
	{ FIELD(line[7].pid, UINT32_MAX) }, /* -1 */
	{ FIELD(line[7].unix_socket, 2) },
	{ FIELD(line[7].flags_sure, 2) },
};

START_TEST(invalid_page_is_refused_and_changes_nothing)
{
	uint64_t before;

	fill(TOTAL);
	before = t.changes;
	sample_page(&page, TOTAL, 32, 8);
	page.line[0].state = SNAP_LS_WANTED; /* would be a change */
	memcpy((char *)&page + invalid[_i].at, &invalid[_i].value,
	    sizeof invalid[_i].value);
	ck_assert(!take());
	ck_assert_uint_eq(t.changes, before);
	ck_assert_uint_eq(t.lines[32].state, SNAP_LS_PROVEN);
}
END_TEST

/* As the first page of all: nothing is allocated for what is no page. */
START_TEST(invalid_first_page_is_refused)
{
	if (invalid[_i].value == 41)
		return; /* would be fine: there was no page before */
	sample_page(&page, TOTAL, 32, 8);
	memcpy((char *)&page + invalid[_i].at, &invalid[_i].value,
	    sizeof invalid[_i].value);
	ck_assert(!take());
	ck_assert_ptr_null(t.lines);
}
END_TEST

START_TEST(lines_beyond_the_count_are_not_looked_at)
{
	sample_page(&page, TOTAL, 0, 2);
	page.line[2].kind = POL_NKIND;
	ck_assert(take());
}
END_TEST

START_TEST(size_must_be_exact)
{
	static char buf[sizeof page + 1];

	sample_page(&page, TOTAL, 0, 1);
	memcpy(buf, &page, sizeof page);
	ck_assert(!status_table_take(&t, buf, sizeof page - 1));
	ck_assert(!status_table_take(&t, buf, sizeof page + 1));
	ck_assert(!status_table_take(&t, buf, 0));
	ck_assert(status_table_take(&t, buf, sizeof page));
}
END_TEST

START_TEST(gated_are_proven_ones_of_the_network)
{
	fill(3);
	ck_assert_uint_eq(t.gated, 3);
	sample_page(&page, 3, 0, 3);
	page.line[0].unix_socket = 1;
	page.line[1].state = SNAP_LS_LISTENING;
	ck_assert(take());
	ck_assert_uint_eq(t.gated, 1);
}
END_TEST

static void
assert_table(bool sure, const char *want)
{
	size_t len;
	char *text = status_listeners_table(&t, sure, &len);

	ck_assert_str_eq(text, want);
	ck_assert_uint_eq(len, strlen(want));
	free(text);
}

START_TEST(every_field_of_a_line_is_told)
{
	struct snap_listener *l;

	sample_page(&page, 2, 0, 2);
	l = &page.line[1];
	l->kind = POL_HTTPTUNNEL;
	l->state = SNAP_LS_WITHHELD;
	l->why = SNAP_L_FOREIGN;
	l->uid = 1000;
	l->pid = 1234;
	l->unix_socket = 1;
	l->flags_sure = 0;
	l->flags[0] = l->app[0] = '\0';
	ck_assert(take());
	assert_table(true,
	    "[{\"number\":0,\"name\":\"socks-0\",\"app\":\"app\","
	    "\"kind\":\"socks\",\"address\":\"10.0.0.1:9000\","
	    "\"flags\":\"IsolateDestAddr\",\"flags_sure\":true,"
	    "\"gated\":true,\"state\":\"proven\",\"why\":null,\"uid\":107,"
	    "\"pid\":null},"
	    "{\"number\":1,\"name\":\"socks-1\",\"app\":null,"
	    "\"kind\":\"httptunnel\",\"address\":\"10.0.0.1:9001\","
	    "\"flags\":null,\"flags_sure\":false,\"gated\":false,"
	    "\"state\":\"withheld\",\"why\":\"foreign\",\"uid\":1000,"
	    "\"pid\":1234}]");
}
END_TEST

START_TEST(engine_in_doubt_makes_every_state_unknown)
{
	sample_page(&page, 1, 0, 1);
	page.line[0].why = SNAP_L_FOREIGN;
	ck_assert(take());
	assert_table(false,
	    "[{\"number\":0,\"name\":\"socks-0\",\"app\":\"app\","
	    "\"kind\":\"socks\",\"address\":\"10.0.0.1:9000\","
	    "\"flags\":\"IsolateDestAddr\",\"flags_sure\":null,"
	    "\"gated\":true,\"state\":\"unknown\",\"why\":null,\"uid\":null,"
	    "\"pid\":null}]");
}
END_TEST

/* Arrays without a NUL, control characters, octets above 127. */
START_TEST(table_is_printable_ascii_whatever_the_engine_sends)
{
	size_t len, i;
	char *text;

	sample_page(&page, 1, 0, 1);
	memset(page.line[0].name, '"', sizeof page.line[0].name);
	memset(page.line[0].app, 0x1b, sizeof page.line[0].app);
	memset(page.line[0].address, 0xff, sizeof page.line[0].address);
	memset(page.line[0].flags, '\n', sizeof page.line[0].flags);
	ck_assert(take());
	text = status_listeners_table(&t, true, &len);
	ck_assert_ptr_nonnull(text);
	for (i = 0; i < len; i++)
		ck_assert(text[i] >= 0x20 && text[i] <= 0x7e);
	free(text);
}
END_TEST

/* The longest that can be fits what portcullis(1) takes for a line. */
START_TEST(longest_table_is_bounded)
{
	size_t len;
	unsigned i;
	char *text;

	fill(POL_MAX_LISTENERS);
	for (i = 0; i < POL_MAX_LISTENERS; i++) {
		sample_page(&page, POL_MAX_LISTENERS, i, 1);
		memset(page.line[0].name, '"', sizeof page.line[0].name);
		memset(page.line[0].app, '"', sizeof page.line[0].app);
		memset(page.line[0].address, '"', POL_LISTENER_TEXT);
		memset(page.line[0].flags, '"', sizeof page.line[0].flags);
		ck_assert(take());
	}
	text = status_listeners_table(&t, true, &len);
	ck_assert_uint_le(len, 6 * 1024 * 1024);
	free(text);
}
END_TEST

/* The place is found whatever texts say; without one there is none. */
START_TEST(slot_is_the_key_and_not_a_text)
{
	struct status_stamp st = { .now_ns = SAMPLE_NOW, .table = true };
	struct status_view v;
	size_t len, at;
	char *text;

	sample_view(&v);
	(void)strcpy(v.snap.reason, "\"table\":null \\\"table\":null");
	text = status_encode(&v, &st, &len);
	at = status_encode_slot(text, STATUS_P_TABLE);
	ck_assert_int_eq(strncmp(text + at, "null", STATUS_NULL_LEN), 0);
	memcpy(text + at, "1234", STATUS_NULL_LEN);
	ck_assert_ptr_nonnull(strstr(text, "\"table\":1234}"));
	free(text);
	st.table = false;
	text = status_encode(&v, &st, &len);
	ck_assert_uint_eq(status_encode_slot(text, STATUS_P_TABLE), len);
	free(text);
}
END_TEST

/* What the gate says, and never more than it says. */
START_TEST(open_is_what_both_say)
{
	struct status_view v;
	json_t *all;

	sample_view(&v);
	all = status_listeners_encode(&v, true, true);
	ck_assert(json_is_null(json_object_get(all, "open")));
	json_decref(all);
	sample_table(&v, 9);
	all = status_listeners_encode(&v, true, true);
	ck_assert_int_eq(json_integer_value(json_object_get(all, "open")),
	    v.snap.gate.nproven);
	json_decref(all);
	all = status_listeners_encode(&v, true, false);
	ck_assert(json_is_null(json_object_get(all, "open")));
	json_decref(all);
	v.snap.gate.position = GATE_TOR_ONLY;
	all = status_listeners_encode(&v, true, true);
	ck_assert(json_is_integer(json_object_get(all, "open")));
	ck_assert_int_eq(json_integer_value(json_object_get(all, "open")), 0);
	json_decref(all);
	status_view_clear(&v);
}
END_TEST

START_TEST(new_link_voids_the_table)
{
	struct status_view v;

	sample_view(&v);
	sample_table(&v, 5);
	ck_assert(status_table_complete(&v.table));
	if (_i == 0)
		status_view_link(&v, true);
	else
		status_view_bad(&v);
	ck_assert(!status_table_complete(&v.table));
	status_view_clear(&v);
}
END_TEST

static void
add_tests(TCase *tc)
{
	tcase_add_test(tc, table_is_complete_with_its_last_line);
	tcase_add_test(tc, change_of_one_line_is_a_change);
	tcase_add_test(tc, clear_forgets_and_is_a_change);
	tcase_add_test(tc, largest_table_is_taken);
	tcase_add_loop_test(tc, invalid_page_is_refused_and_changes_nothing,
	    0, N(invalid));
	tcase_add_loop_test(tc, invalid_first_page_is_refused, 0, N(invalid));
	tcase_add_test(tc, lines_beyond_the_count_are_not_looked_at);
	tcase_add_test(tc, size_must_be_exact);
	tcase_add_test(tc, gated_are_proven_ones_of_the_network);
	tcase_add_test(tc, every_field_of_a_line_is_told);
	tcase_add_test(tc, engine_in_doubt_makes_every_state_unknown);
	tcase_add_test(tc,
	    table_is_printable_ascii_whatever_the_engine_sends);
	tcase_add_test(tc, longest_table_is_bounded);
	tcase_add_test(tc, slot_is_the_key_and_not_a_text);
	tcase_add_test(tc, open_is_what_both_say);
	tcase_add_loop_test(tc, new_link_voids_the_table, 0, 2);
}

int
main(void)
{
	Suite *s = suite_create("status_table");
	TCase *tc = tcase_create("table");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	add_tests(tc);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
