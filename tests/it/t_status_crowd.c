/*
 * Who gets a place at a portcullis-status that has few, and what a first line
 * tells of the past.  Users other than ours need root.
 */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/it/status_rig.h"

#define PLACES 16
#define RESERVED 128 /* descriptors that are no places */
#define MALLORY 64010
#define ALICE 64011

static struct rig rig;

static void
setup(void)
{
	char path[128];

	rig_start(&rig, RESERVED + PLACES);
	rig_settle(&rig, GATE_OPEN);
	(void)snprintf(path, sizeof path, "%s/status.sock", rig.dir);
	ck_assert_int_eq(chmod(rig.dir, 0755), 0);
	ck_assert_int_eq(chmod(path, 0666), 0);
}

static void
teardown(void)
{
	rig_stop(&rig);
}

/* A connection of UID's, which is in no group of ours. */
static int
connect_as(uid_t uid)
{
	int fd;

	if (uid == geteuid())
		return rig_connect(&rig, "status.sock");
	ck_assert_int_eq(setgroups(0, NULL), 0);
	ck_assert_int_eq(setegid((gid_t)uid), 0);
	ck_assert_int_eq(seteuid(uid), 0);
	fd = rig_connect(&rig, "status.sock");
	ck_assert_int_eq(seteuid(0), 0);
	ck_assert_int_eq(setegid(0), 0);
	return fd;
}

/* Its first line's type is TYPE; of whoever is refused the rest as well. */
static bool
is_told(int fd, const char *type)
{
	json_t *line = rig_line(fd, SOON);
	const char *got = json_string_value(json_object_get(line, "type"));
	bool same = got != NULL && strcmp(got, type) == 0;

	json_decref(line);
	return same;
}

static void
fill(int fd[PLACES], uid_t uid)
{
	for (unsigned i = 0; i < PLACES; i++) {
		fd[i] = connect_as(uid);
		ck_assert_msg(is_told(fd[i], "snapshot"), "%u", i);
	}
}

/* How many of FD have been closed by the other side. */
static unsigned
count_closed(const int fd[PLACES])
{
	unsigned n = 0;

	for (unsigned i = 0; i < PLACES; i++)
		n += rig_closed(fd[i], 50);
	return n;
}

static void
close_all(const int fd[PLACES])
{
	for (unsigned i = 0; i < PLACES; i++)
		close(fd[i]);
}

/* The whole state in one line, without table and history, and the end. */
START_TEST(one_without_a_place_is_told_so)
{
	int fd[PLACES], late;
	json_t *line, *listeners;

	fill(fd, geteuid());
	late = connect_as(geteuid());
	line = rig_line(late, SOON);
	listeners = json_object_get(line, "listeners");
	ck_assert_ptr_nonnull(json_object_get(listeners, "total"));
	ck_assert_ptr_null(json_object_get(listeners, "table"));
	ck_assert(json_is_null(json_object_get(line, "history")));
	rig_expect(json_incref(line), "position", "open");
	rig_expect(line, "type", "refused");
	ck_assert(rig_closed(late, SOON));
	ck_assert_uint_eq(count_closed(fd), 0);
	/* Whoever goes makes room. */
	close(fd[3]);
	close(late);
	fd[3] = -1;
	for (unsigned i = 0; i < 100 && fd[3] == -1; i++) {
		fd[3] = connect_as(geteuid());
		if (!is_told(fd[3], "snapshot")) {
			close(fd[3]);
			fd[3] = -1;
			(void)usleep(10000);
		}
	}
	ck_assert_int_ne(fd[3], -1);
	close_all(fd);
}
END_TEST

START_TEST(one_user_cannot_keep_another_out)
{
	int fd[PLACES], other[PLACES];
	unsigned i, in = 0;

	if (geteuid() != 0)
		return;
	fill(fd, MALLORY);
	for (i = 0; i < PLACES; i++) {
		other[i] = connect_as(ALICE);
		in += is_told(other[i], "snapshot");
	}
	ck_assert_uint_eq(in, PLACES / 2);
	ck_assert_uint_eq(count_closed(fd), PLACES / 2);
	close_all(fd);
	close_all(other);
}
END_TEST

START_TEST(nobody_keeps_root_out)
{
	int fd[PLACES], other[PLACES / 2];
	unsigned i;

	if (geteuid() != 0)
		return;
	fill(fd, MALLORY);
	for (i = 0; i < PLACES / 2; i++) {
		other[i] = connect_as(0);
		ck_assert_msg(is_told(other[i], "snapshot"), "%u", i);
	}
	/* Nor does the crowd get them back. */
	for (i = 0; i < PLACES; i++)
		close(connect_as(MALLORY));
	rig_keep(&rig, GATE_CLOSED, 1);
	for (i = 0; i < PLACES / 2; i++) {
		ck_assert_msg(rig_until(other[i], "closed", SOON), "%u", i);
		close(other[i]);
	}
	close_all(fd);
}
END_TEST

static const char *
event(const json_t *line, size_t i, const char *key)
{
	return json_string_value(json_object_get(json_array_get(
	    json_object_get(line, "history"), i), key));
}

/* Engine gone, open, engine gone: a newcomer hears all of it, once. */
START_TEST(history_is_told_in_the_first_line)
{
	int fd = rig_connect(&rig, "status.sock");
	size_t n;
	json_t *line;

	ck_assert(rig_until(fd, "open", SOON));
	rig_hang_up(&rig);
	ck_assert(rig_until(fd, "unknown", SOON));
	close(fd);
	fd = rig_connect(&rig, "status.sock");
	line = rig_line(fd, SOON);
	n = json_array_size(json_object_get(line, "history"));
	ck_assert_uint_eq(n, 3);
	ck_assert_str_eq(event(line, 0, "reason"), "engine-gone");
	ck_assert_str_eq(event(line, 1, "position"), "open");
	ck_assert_str_eq(event(line, 1, "text"), "number 1");
	ck_assert_str_eq(event(line, 2, "reason"), "engine-gone");
	ck_assert_str_eq(event(line, 2, "position"), "unknown");
	json_decref(line);
	rig_link(&rig);
	rig_keep(&rig, GATE_CLOSED, 2);
	line = rig_line(fd, SOON);
	ck_assert(json_is_null(json_object_get(line, "history")));
	json_decref(line);
	close(fd);
}
END_TEST

/* With a table and a history in it, it is still one line of JSON. */
START_TEST(first_line_has_table_and_history)
{
	json_t *line;
	int fd;

	rig_table(&rig, 20);
	fd = rig_connect(&rig, "status.sock");
	ck_assert(rig_until(fd, "open", SOON));
	close(fd);
	(void)usleep(300000); /* longer than between two tables */
	fd = rig_connect(&rig, "status.sock");
	line = rig_line(fd, SOON);
	ck_assert_uint_eq(json_array_size(json_object_get(
	    json_object_get(line, "listeners"), "table")), 20);
	/* On a machine that stands still there are doubts in between. */
	ck_assert_uint_ge(json_array_size(json_object_get(line, "history")),
	    2);
	json_decref(line);
	close(fd);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("status_crowd");
	TCase *tc = tcase_create("crowd");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, one_without_a_place_is_told_so);
	tcase_add_test(tc, one_user_cannot_keep_another_out);
	tcase_add_test(tc, nobody_keeps_root_out);
	tcase_add_test(tc, history_is_told_in_the_first_line);
	tcase_add_test(tc, first_line_has_table_and_history);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
