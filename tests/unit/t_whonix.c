/* The status files that whonix-firewall would leave. */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"
#include "supervisor/keeper/whonix.h"

#define FIRST "whonix_firewall/first_run_current_boot.status"
#define AGAIN "whonix_firewall/consecutive_run.status"
#define FAILED "anon-firewall/failed.status"

static char dir[] = "/tmp/portcullis-whonix.XXXXXX";
static struct pol_policy policy;

static const char *
path_of(const char *name)
{
	static char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static bool
is_there(const char *name)
{
	return access(path_of(name), F_OK) == 0;
}

static void
setup(void)
{
	(void)snprintf(dir, sizeof dir, "/tmp/portcullis-whonix.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	pol_policy_init(&policy);
	(void)snprintf(policy.status_files, sizeof policy.status_files, "%s",
	    dir);
}

static void
teardown(void)
{
	static const char *const names[] = { FIRST, AGAIN, FAILED,
		"whonix_firewall", "anon-firewall", "elsewhere/failed.status",
		"elsewhere" };

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		(void)remove(path_of(names[i]));
	ck_assert_int_eq(rmdir(dir), 0);
	pol_policy_clear(&policy);
}

START_TEST(a_first_run_and_those_that_follow)
{
	whonix_stands(&policy);
	ck_assert(is_there(FIRST));
	ck_assert(!is_there(AGAIN));
	ck_assert(!is_there(FAILED));
	whonix_stands(&policy);
	ck_assert(is_there(FIRST));
	ck_assert(is_there(AGAIN));
	whonix_stands(&policy);
	ck_assert(!is_there(FAILED));
}
END_TEST

START_TEST(a_failure_lasts_until_recovery)
{
	whonix_failed(&policy);
	ck_assert(is_there(FAILED));
	ck_assert(!is_there(FIRST));
	whonix_failed(&policy);
	ck_assert(is_there(FAILED));
	whonix_stands(&policy);
	ck_assert(!is_there(FAILED));
	ck_assert(is_there(FIRST));
}
END_TEST

START_TEST(nothing_unless_the_policy_says_so)
{
	policy.status_files[0] = '\0';
	whonix_stands(&policy);
	whonix_failed(&policy);
	ck_assert(!is_there("whonix_firewall"));
	ck_assert(!is_there("anon-firewall"));
}
END_TEST

START_TEST(another_folder_in_its_place_is_left_alone)
{
	char elsewhere[PATH_MAX];

	(void)snprintf(elsewhere, sizeof elsewhere, "%s",
	    path_of("elsewhere"));
	ck_assert_int_eq(mkdir(elsewhere, 0755), 0);
	ck_assert_int_eq(symlink(elsewhere, path_of("anon-firewall")), 0);
	whonix_failed(&policy);
	ck_assert(!is_there("elsewhere/failed.status"));
	ck_assert_int_eq(unlink(path_of("anon-firewall")), 0);
	ck_assert_int_eq(mkdir(path_of("anon-firewall"), 0755), 0);
	ck_assert_int_eq(chmod(path_of("anon-firewall"), 0777), 0);
	whonix_failed(&policy);
	ck_assert(!is_there(FAILED));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("whonix");
	TCase *tc = tcase_create("files");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, a_first_run_and_those_that_follow);
	tcase_add_test(tc, a_failure_lasts_until_recovery);
	tcase_add_test(tc, nothing_unless_the_policy_says_so);
	tcase_add_test(tc, another_folder_in_its_place_is_left_alone);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
