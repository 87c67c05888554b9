#include <check.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"
#include "supervisor/engine/timefile.h"
#include "supervisor/log.h"

/* We run as anybody: what we make is a timesync user's, unless said so. */
static struct pol_timesync ts;
static struct timefile *tf;
static char top[64], dir[80], aside[80];

static void
setup(void)
{
	log_init("test", LOG_LV_ERR);
	(void)strcpy(top, "/tmp/portcullis-time.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	(void)snprintf(dir, sizeof dir, "%s/clock", top);
	(void)snprintf(aside, sizeof aside, "%s/aside", top);
	memset(&ts, 0, sizeof ts);
	ts.required = true;
	(void)strcpy(ts.directory, dir);
	ts.nusers = 1;
	ts.users[0].resolved = true;
	ts.users[0].uid = getuid();
	tf = timefile_new(&ts);
}

static void
teardown(void)
{
	char cmd[96];

	timefile_free(tf);
	(void)snprintf(cmd, sizeof cmd, "rm -rf '%s'", top);
	ck_assert_int_eq(system(cmd), 0);
}

static void
make(const char *name)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_ne(fd, -1);
	(void)close(fd);
}

static void
lose(const char *name)
{
	char path[128];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	ck_assert_int_eq(unlink(path), 0);
}

static void
make_directory(mode_t mode)
{
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert_int_eq(chmod(dir, mode), 0);
}

/* Does the kernel say that something happened? */
static bool
is_told(void)
{
	struct pollfd p = { .fd = timefile_fd(tf), .events = POLLIN };

	return poll(&p, 1, 0) == 1;
}

START_TEST(it_comes_and_goes)
{
	ck_assert_int_eq(timefile_look(tf), CLOCK_NO_DIRECTORY);
	make_directory(0755);
	ck_assert_int_eq(timefile_look(tf), CLOCK_NO_FILE);
	make("fail");
	make("success.new");
	ck_assert_int_eq(timefile_look(tf), CLOCK_NO_FILE);
	make("first_success");
	ck_assert_int_eq(timefile_look(tf), CLOCK_RIGHT);
	make("success");
	lose("first_success");
	ck_assert_int_eq(timefile_look(tf), CLOCK_RIGHT);
	lose("success");
	ck_assert_int_eq(timefile_look(tf), CLOCK_NO_FILE);
}
END_TEST

START_TEST(changes_are_told_at_once)
{
	make_directory(0755);
	ck_assert_int_eq(timefile_look(tf), CLOCK_NO_FILE);
	ck_assert(!is_told());
	make("success");
	ck_assert(is_told());
	ck_assert_int_eq(timefile_look(tf), CLOCK_RIGHT);
	ck_assert(!is_told());
	ck_assert_int_eq(rename(dir, aside), 0);
	ck_assert(is_told());
	ck_assert_int_eq(timefile_look(tf), CLOCK_NO_DIRECTORY);
	/* Another one of that name is watched like the first. */
	make_directory(0755);
	ck_assert_int_eq(timefile_look(tf), CLOCK_NO_FILE);
	make("success");
	ck_assert(is_told());
	ck_assert_int_eq(timefile_look(tf), CLOCK_RIGHT);
	lose("success");
	ck_assert(is_told());
	ck_assert_int_eq(timefile_look(tf), CLOCK_NO_FILE);
	/* The one that was moved away is not watched any more. */
	ck_assert_int_eq(chmod(aside, 0700), 0);
	ck_assert(!is_told());
	ck_assert_int_eq(chmod(dir, 0777), 0);
	ck_assert(is_told());
}
END_TEST

START_TEST(a_directory_that_others_write_to_proves_nothing)
{
	int fd;

	make_directory(0755);
	make("success");
	ck_assert_int_eq(timefile_look(tf), CLOCK_RIGHT);
	ck_assert_int_eq(chmod(dir, 0757), 0);
	ck_assert_int_eq(timefile_look(tf), CLOCK_BAD_DIRECTORY);
	ck_assert_int_eq(chmod(dir, 01777), 0);
	ck_assert_int_eq(timefile_look(tf), CLOCK_BAD_DIRECTORY);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	ck_assert_int_eq(timefile_look(tf), CLOCK_RIGHT);
	/* A link to a good one is none. */
	ck_assert_int_eq(rename(dir, aside), 0);
	ck_assert_int_eq(symlink(aside, dir), 0);
	ck_assert_int_eq(timefile_look(tf), CLOCK_BAD_DIRECTORY);
	ck_assert_int_eq(unlink(dir), 0);
	/* Nor is a file. */
	fd = open(dir, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_ne(fd, -1);
	(void)close(fd);
	ck_assert_int_eq(timefile_look(tf), CLOCK_BAD_DIRECTORY);
}
END_TEST

START_TEST(only_a_file_counts)
{
	char path[128];

	make_directory(0755);
	(void)snprintf(path, sizeof path, "%s/success", dir);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	ck_assert_int_eq(timefile_look(tf), CLOCK_BAD_FILE);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(timefile_look(tf), CLOCK_BAD_FILE);
	/* One that is right is enough. */
	make("first_success");
	ck_assert_int_eq(timefile_look(tf), CLOCK_RIGHT);
}
END_TEST

/* As any other user than root: what we make is not trusted. */
START_TEST(others_prove_nothing)
{
	char path[128];

	make_directory(0755);
	make("success");
	(void)snprintf(path, sizeof path, "%s/success", dir);
	ts.nusers = 0;
	if (getuid() != 0) {
		ck_assert_int_eq(timefile_look(tf), CLOCK_BAD_DIRECTORY);
		return;
	}
	ck_assert_int_eq(timefile_look(tf), CLOCK_RIGHT);
	ck_assert_int_eq(chown(dir, 4444, 4444), 0);
	ck_assert_int_eq(timefile_look(tf), CLOCK_BAD_DIRECTORY);
	ts.users[0].uid = 4444;
	ts.users[0].resolved = false; /* a number that means nothing */
	ts.nusers = 1;
	ck_assert_int_eq(timefile_look(tf), CLOCK_BAD_DIRECTORY);
	ts.users[0].resolved = true;
	ck_assert_int_eq(timefile_look(tf), CLOCK_RIGHT);
	ck_assert_int_eq(chown(path, 5555, 5555), 0);
	ck_assert_int_eq(timefile_look(tf), CLOCK_BAD_FILE);
}
END_TEST

START_TEST(a_directory_that_is_shut_is_no_proof)
{
	make_directory(0755);
	make("success");
	ck_assert_int_eq(chmod(dir, 0), 0);
	/* Root passes everywhere. */
	ck_assert_int_eq(timefile_look(tf), getuid() == 0 ? CLOCK_RIGHT :
	    CLOCK_DENIED);
	ck_assert_int_eq(chmod(dir, 0700), 0);
	(void)snprintf(ts.directory, sizeof ts.directory,
	    "%s/success/further", dir);
	ck_assert_int_eq(timefile_look(tf), CLOCK_NO_DIRECTORY);
}
END_TEST

START_TEST(for_people_the_best_word_counts)
{
	ck_assert_int_eq(timefile_word(tf), SNAP_TS_PENDING);
	make_directory(0755);
	(void)timefile_look(tf);
	ck_assert_int_eq(timefile_word(tf), SNAP_TS_PENDING);
	/* That it failed is no reason to be right, nor to be wrong. */
	make("fail");
	ck_assert(is_told());
	ck_assert_int_eq(timefile_look(tf), CLOCK_NO_FILE);
	ck_assert_int_eq(timefile_word(tf), SNAP_TS_FAIL);
	make("first_success");
	ck_assert_int_eq(timefile_look(tf), CLOCK_RIGHT);
	ck_assert_int_eq(timefile_word(tf), SNAP_TS_FIRST_SUCCESS);
	make("success");
	ck_assert_int_eq(timefile_look(tf), CLOCK_RIGHT);
	ck_assert_int_eq(timefile_word(tf), SNAP_TS_SUCCESS);
	lose("first_success");
	ck_assert_int_eq(timefile_look(tf), CLOCK_RIGHT);
	ck_assert_int_eq(timefile_word(tf), SNAP_TS_SUCCESS);
	lose("success");
	ck_assert_int_eq(timefile_look(tf), CLOCK_NO_FILE);
	ck_assert_int_eq(timefile_word(tf), SNAP_TS_FAIL);
	/* What others could have put there says nothing. */
	ck_assert_int_eq(chmod(dir, 0777), 0);
	ck_assert_int_eq(timefile_look(tf), CLOCK_BAD_DIRECTORY);
	ck_assert_int_eq(timefile_word(tf), SNAP_TS_PENDING);
}
END_TEST

START_TEST(a_word_that_nobody_trusted_gave_is_none)
{
	char path[128];

	make_directory(0755);
	(void)snprintf(path, sizeof path, "%s/fail", dir);
	ck_assert_int_eq(symlink("/etc/passwd", path), 0);
	(void)snprintf(path, sizeof path, "%s/first_success", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(timefile_look(tf), CLOCK_BAD_FILE);
	ck_assert_int_eq(timefile_word(tf), SNAP_TS_PENDING);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("timefile");
	TCase *tc = tcase_create("timefile");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, it_comes_and_goes);
	tcase_add_test(tc, changes_are_told_at_once);
	tcase_add_test(tc, a_directory_that_others_write_to_proves_nothing);
	tcase_add_test(tc, only_a_file_counts);
	tcase_add_test(tc, others_prove_nothing);
	tcase_add_test(tc, a_directory_that_is_shut_is_no_proof);
	tcase_add_test(tc, for_people_the_best_word_counts);
	tcase_add_test(tc, a_word_that_nobody_trusted_gave_is_none);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
