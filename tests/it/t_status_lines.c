/*
 * The table of listeners from a portcullis-status: who is told what, and
 * when.  Needs no privilege.
 */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/it/status_rig.h"
#include "tests/unit/status_sample.h"

#define FEW 20
#define STEP_US 300000 /* longer than between two tables that are told */

static struct rig rig;

static void
setup(void)
{
	rig_start(&rig, 0);
	rig_link(&rig);
	rig_keep(&rig, GATE_OPEN, 0);
}

static void
teardown(void)
{
	rig_stop(&rig);
}

/* Borrowed; NULL: the line has no such key. */
static json_t *
table_of(const json_t *line)
{
	return json_object_get(json_object_get(line, "listeners"), "table");
}

static const char *
state_of(const json_t *table, size_t i)
{
	return json_string_value(json_object_get(json_array_get(table, i),
	    "state"));
}

/* Read lines until there is a table with line I in STATE. */
static bool
until_state(int fd, size_t i, const char *state)
{
	const char *got;
	json_t *line;
	bool found = false;

	while (!found && (line = rig_line(fd, SOON)) != NULL) {
		got = state_of(table_of(line), i);
		found = got != NULL && strcmp(got, state) == 0;
		json_decref(line);
	}
	return found;
}

START_TEST(table_is_null_until_it_is_complete)
{
	int fd = rig_connect(&rig, "status.sock");
	struct snap_page p;
	json_t *line = rig_line(fd, SOON);

	ck_assert(json_is_null(table_of(line)));
	json_decref(line);
	sample_page(&p, 2, 1, 1);
	rig_page(&rig, &p);
	rig_keep(&rig, GATE_OPEN, 1);
	ck_assert(rig_until_text(fd, "number 1", SOON));
	close(fd);
	fd = rig_connect(&rig, "status.sock");
	line = rig_line(fd, SOON);
	ck_assert(json_is_null(table_of(line)));
	json_decref(line);
	sample_page(&p, 2, 0, 1);
	rig_page(&rig, &p);
	ck_assert(until_state(fd, 1, "proven"));
	close(fd);
}
END_TEST

START_TEST(table_comes_first_and_after_a_change_only)
{
	int fd;
	json_t *line;

	rig_table(&rig, FEW);
	(void)usleep(STEP_US);
	fd = rig_connect(&rig, "status.sock");
	line = rig_line(fd, SOON);
	ck_assert_uint_eq(json_array_size(table_of(line)), FEW);
	json_decref(line);
	rig_keep(&rig, GATE_CLOSED, 1); /* no change of the table */
	line = rig_line(fd, SOON);
	ck_assert_ptr_nonnull(json_object_get(line, "listeners"));
	ck_assert_ptr_null(table_of(line));
	json_decref(line);
	rig_change(&rig, FEW, 7, SNAP_LS_WITHHELD);
	line = rig_line(fd, SOON);
	ck_assert_str_eq(state_of(table_of(line), 7), "withheld");
	ck_assert_str_eq(state_of(table_of(line), 6), "proven");
	json_decref(line);
	close(fd);
}
END_TEST

/* Line 7 as one who comes now is told it, once the engine is heard again. */
static void
check_newcomer(const char *want)
{
	char state[16] = "unknown";
	json_t *line;
	int fd;

	while (strcmp(state, "unknown") == 0) {
		fd = rig_connect(&rig, "status.sock");
		line = rig_line(fd, SOON);
		ck_assert_ptr_nonnull(state_of(table_of(line), 7));
		(void)snprintf(state, sizeof state, "%s",
		    state_of(table_of(line), 7));
		json_decref(line);
		close(fd);
	}
	ck_assert_str_eq(state, want);
}

/* The lines of a table and their number are told together, or not yet. */
START_TEST(table_waits_for_the_snapshot_that_counts_it)
{
	int fd = rig_connect(&rig, "status.sock");
	struct snap_page p;

	rig_table(&rig, FEW);
	ck_assert(until_state(fd, 7, "proven"));
	sample_page(&p, FEW, 7, 1);
	p.line[0].state = SNAP_LS_WITHHELD;
	p.generation = 2;
	p.left = 1;
	rig_page(&rig, &p);
	(void)usleep(STEP_US);
	check_newcomer("proven");
	rig.generation = 2;
	rig_keep(&rig, GATE_OPEN, 1);
	ck_assert(rig_until_text(fd, "number 1", SOON));
	check_newcomer("proven");
	p.line[0].number = 8;
	p.left = 0;
	rig_page(&rig, &p);
	ck_assert(until_state(fd, 8, "withheld"));
	check_newcomer("withheld");
	p.generation = 3;
	p.line[0].number = 7;
	p.line[0].state = SNAP_LS_LISTENING;
	rig_page(&rig, &p);
	(void)usleep(STEP_US);
	check_newcomer("withheld");
	rig.generation = 3;
	rig_keep(&rig, GATE_OPEN, 2);
	ck_assert(until_state(fd, 7, "listening"));
	close(fd);
}
END_TEST

/* Both ways, and a subscriber of that moment hears the same. */
START_TEST(silent_engine_makes_states_unknown)
{
	int fd = rig_connect(&rig, "status.sock"), late;

	rig_table(&rig, FEW);
	ck_assert(until_state(fd, 0, "proven"));
	rig_snapshot(&rig, GATE_OPEN, 1);
	ck_assert(until_state(fd, 0, "unknown"));
	late = rig_connect(&rig, "status.sock");
	ck_assert(until_state(late, 0, "unknown"));
	rig_keep(&rig, GATE_OPEN, 2);
	ck_assert(until_state(fd, 0, "proven"));
	ck_assert(until_state(late, 0, "proven"));
	close(fd);
	close(late);
}
END_TEST

START_TEST(new_engine_has_no_table_yet)
{
	int fd = rig_connect(&rig, "status.sock");
	json_t *line;
	bool is_null = false;

	rig_table(&rig, FEW);
	ck_assert(until_state(fd, 0, "proven"));
	rig_link(&rig);
	while (!is_null && (line = rig_line(fd, SOON)) != NULL) {
		is_null = json_is_null(table_of(line));
		json_decref(line);
	}
	ck_assert(is_null);
	rig_keep(&rig, GATE_OPEN, 1);
	rig_table(&rig, 3); /* another policy */
	ck_assert(until_state(fd, 2, "proven"));
	close(fd);
}
END_TEST

/* A page that cannot be, of the right size: see t_status_table in unit. */
START_TEST(bad_page_ends_the_link)
{
	int fd = rig_connect(&rig, "status.sock");
	struct snap_page p;

	rig_table(&rig, FEW);
	ck_assert(until_state(fd, 0, "proven"));
	sample_page(&p, FEW + (unsigned)(_i == 0), 3, 1);
	p.line[0].state += _i == 1 ? SNAP_NLSTATE : 0;
	p.left = _i == 2 ? FEW + 1 : 0;
	rig_page(&rig, &p);
	ck_assert(rig_closed(rig.engine, SOON));
	ck_assert(rig_until(fd, "unknown", SOON));
	close(fd);
}
END_TEST

START_TEST(largest_table_is_told)
{
	int fd = rig_connect(&rig, "status.sock");

	rig_table(&rig, POL_MAX_LISTENERS);
	rig_keep(&rig, GATE_OPEN, 1);
	ck_assert(until_state(fd, POL_MAX_LISTENERS - 1, "proven"));
	rig_change(&rig, POL_MAX_LISTENERS, POL_MAX_LISTENERS - 1,
	    SNAP_LS_LISTENING);
	ck_assert(until_state(fd, POL_MAX_LISTENERS - 1, "listening"));
	close(fd);
}
END_TEST

/*
 * One reads nothing while the table changes ten times, and other things after
 * it, so that lines without a table push out those with one.  The last table
 * that it gets is the newest.
 */
START_TEST(reader_that_lags_ends_with_the_newest_table)
{
	int fd = rig_connect(&rig, "status.sock");
	bool newest = false, last = false;
	const char *state;
	json_t *line;
	unsigned n;

	rig_table(&rig, 1000);
	for (n = 1; n <= 10; n++) {
		rig_change(&rig, 1000, 5, n % 2 == 0 ? SNAP_LS_WANTED :
		    SNAP_LS_LISTENING);
		(void)usleep(STEP_US);
		rig_keep(&rig, GATE_OPEN, n);
	}
	rig_change(&rig, 1000, 5, SNAP_LS_WITHHELD);
	(void)usleep(STEP_US);
	for (n = 11; n <= 30; n++) {
		rig_keep(&rig, GATE_OPEN, n);
		(void)usleep(25000);
	}
	while (!last && (line = rig_line(fd, SOON)) != NULL) {
		state = state_of(table_of(line), 5);
		if (table_of(line) != NULL)
			newest = state != NULL &&
			    strcmp(state, "withheld") == 0;
		last = strcmp(json_string_value(json_object_get(
		    json_object_get(line, "reason"), "text")), "number 30") ==
		    0;
		json_decref(line);
	}
	ck_assert(last);
	ck_assert(newest);
	close(fd);
}
END_TEST

/* It reads, but holds on to an old table for longer than is given. */
START_TEST(reader_far_behind_is_dropped)
{
	int slow = rig_connect(&rig, "status.sock");
	int good = rig_connect(&rig, "status.sock");
	char buf[1024];
	unsigned n;

	rig_table(&rig, POL_MAX_LISTENERS);
	ck_assert(until_state(good, 5, "proven"));
	for (n = 1; n <= 20; n++) {
		rig_change(&rig, POL_MAX_LISTENERS, 5, n % 2 == 0 ?
		    SNAP_LS_PROVEN : SNAP_LS_LISTENING);
		rig_keep(&rig, GATE_OPEN, n);
		ck_assert(until_state(good, 5, n % 2 == 0 ? "proven" :
		    "listening"));
		(void)usleep(STEP_US);
		(void)recv(slow, buf, sizeof buf, MSG_DONTWAIT);
	}
	ck_assert(rig_closed(slow, SOON));
	close(slow);
	close(good);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("status_lines");
	TCase *tc = tcase_create("table");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, table_is_null_until_it_is_complete);
	tcase_add_test(tc, table_comes_first_and_after_a_change_only);
	tcase_add_test(tc, table_waits_for_the_snapshot_that_counts_it);
	tcase_add_test(tc, silent_engine_makes_states_unknown);
	tcase_add_test(tc, new_engine_has_no_table_yet);
	tcase_add_loop_test(tc, bad_page_ends_the_link, 0, 3);
	tcase_add_test(tc, largest_table_is_told);
	tcase_add_test(tc, reader_that_lags_ends_with_the_newest_table);
	tcase_add_test(tc, reader_far_behind_is_dropped);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
