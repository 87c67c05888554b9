/* Files that hold secrets: the cookie and the password. */
#include <check.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"
#include "supervisor/engine/cookie.h"
#include "supervisor/engine/password.h"
#include "supervisor/log.h"

static char dir[64], path[96];
static struct pol_tor tor;
static unsigned char out[CP_COOKIE_LEN];

static void
setup(void)
{
	(void)snprintf(dir, sizeof dir, "/tmp/portcullis-secrets.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	(void)snprintf(path, sizeof path, "%s/secret", dir);
	memset(&tor, 0, sizeof tor);
	tor.user.uid = geteuid();
	(void)snprintf(tor.cookie_file, sizeof tor.cookie_file, "%s", path);
	memset(out, 'x', sizeof out);
}

static void
teardown(void)
{
	(void)unlink(path);
	(void)rmdir(dir);
}

/* PATH with N times C, then MORE. */
static void
write_file(char c, size_t n, const char *more, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);

	ck_assert_int_ne(fd, -1);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(write(fd, &c, 1), 1);
	ck_assert_int_eq(write(fd, more, strlen(more)), strlen(more));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static bool
is_wiped(const unsigned char *p, size_t n)
{
	while (n > 0)
		if (p[--n] != 0)
			return false;
	return true;
}

START_TEST(a_good_cookie_is_read)
{
	write_file('c', 32, "", 0640);
	ck_assert_int_eq(cookie_read(out, &tor, path), 0);
	for (int i = 0; i < CP_COOKIE_LEN; i++)
		ck_assert_int_eq(out[i], 'c');
	ck_assert_int_eq(cookie_read(out, &tor, NULL), 0);
}
END_TEST

START_TEST(without_a_pinned_path_tors_word_counts_in_two_folders)
{
	char round[128];

	tor.cookie_file[0] = '\0';
	(void)rmdir(dir);
	(void)snprintf(dir, sizeof dir, "/run/portcullis-secrets.XXXXXX");
	if (mkdtemp(dir) != NULL) { /* as root, that is */
		(void)snprintf(path, sizeof path, "%s/secret", dir);
		write_file('c', 32, "", 0640);
		ck_assert_int_eq(cookie_read(out, &tor, path), 0);
		(void)snprintf(round, sizeof round, "/run/..%s", path);
		ck_assert_int_eq(cookie_read(out, &tor, round), -1);
		teardown();
	}
	setup();
	write_file('c', 32, "", 0640);
	tor.cookie_file[0] = '\0';
	ck_assert_int_eq(cookie_read(out, &tor, path), -1);
	ck_assert(is_wiped(out, sizeof out));
	ck_assert_int_eq(cookie_read(out, &tor, NULL), -1);
	ck_assert_int_eq(cookie_read(out, &tor, "secret"), -1);
	ck_assert(is_wiped(out, sizeof out));
}
END_TEST

START_TEST(another_path_than_the_pinned_one_is_refused)
{
	write_file('c', 32, "", 0640);
	ck_assert_int_eq(cookie_read(out, &tor, "/other/cookie"), -1);
	ck_assert(is_wiped(out, sizeof out));
}
END_TEST

START_TEST(a_cookie_of_another_length_is_refused)
{
	static const size_t lengths[] = { 0, 31, 33, 64 };

	write_file('c', lengths[_i], "", 0640);
	ck_assert_int_eq(cookie_read(out, &tor, path), -1);
	ck_assert(is_wiped(out, sizeof out));
}
END_TEST

START_TEST(what_is_no_regular_file_is_refused)
{
	ck_assert_int_eq(cookie_read(out, &tor, path), -1);
	ck_assert_int_eq(symlink("/dev/zero", path), 0);
	ck_assert_int_eq(cookie_read(out, &tor, path), -1);
	ck_assert_int_eq(unlink(path), 0);
	/* Opening a FIFO would wait for ever. */
	ck_assert_int_eq(mkfifo(path, 0600), 0);
	ck_assert_int_eq(cookie_read(out, &tor, path), -1);
	ck_assert_int_eq(password_read(out, sizeof out, path), -1);
}
END_TEST

START_TEST(a_strangers_cookie_is_refused)
{
	if (geteuid() != 0)
		return; /* nobody else to give it to */
	write_file('c', 32, "", 0640);
	tor.user.uid = 4102;
	ck_assert_int_eq(cookie_read(out, &tor, path), 0); /* root's */
	ck_assert_int_eq(chown(path, 4103, 0), 0);
	ck_assert_int_eq(cookie_read(out, &tor, path), -1);
	ck_assert_int_eq(chown(path, 4102, 0), 0);
	ck_assert_int_eq(cookie_read(out, &tor, path), 0);
}
END_TEST

START_TEST(a_password_loses_one_newline)
{
	write_file('p', 3, " \\\"\n\n", 0600);
	ck_assert_int_eq(password_read(out, sizeof out, path), 7);
	ck_assert_mem_eq(out, "ppp \\\"\n", 7);
}
END_TEST

START_TEST(a_password_that_others_may_read_is_refused)
{
	static const mode_t modes[] = { 0604, 0602, 0620 };

	write_file('p', 3, "", modes[_i]);
	ck_assert_int_eq(password_read(out, sizeof out, path), -1);
	ck_assert(is_wiped(out, sizeof out));
}
END_TEST

START_TEST(an_empty_or_too_long_password_is_refused)
{
	write_file('p', _i == 0 ? 0 : sizeof out, "", 0600);
	ck_assert_int_eq(password_read(out, sizeof out, path), -1);
	ck_assert(is_wiped(out, sizeof out));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("secrets");
	TCase *tc = tcase_create("secrets");
	SRunner *sr;
	int failed;

	log_init("test", LOG_LV_ERR);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_good_cookie_is_read);
	tcase_add_test(tc,
	    without_a_pinned_path_tors_word_counts_in_two_folders);
	tcase_add_test(tc, another_path_than_the_pinned_one_is_refused);
	tcase_add_loop_test(tc, a_cookie_of_another_length_is_refused, 0, 4);
	tcase_add_test(tc, what_is_no_regular_file_is_refused);
	tcase_add_test(tc, a_strangers_cookie_is_refused);
	tcase_add_test(tc, a_password_loses_one_newline);
	tcase_add_loop_test(tc, a_password_that_others_may_read_is_refused, 0,
	    3);
	tcase_add_loop_test(tc, an_empty_or_too_long_password_is_refused, 0,
	    2);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
