/* What the keeper looks at on Tor's word: bounded, whatever lies there. */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/policy.h"
#include "supervisor/keeper/look.h"

/* Root's alone on every machine, and only looked at. */
#define OWN "/etc/45_portcullis_of_this_test.conf"

static char dir[] = "/tmp/portcullis-look.XXXXXX";
static struct pol_policy policy;
static struct link_look question;
static struct link_seen seen;

static void
setup(void)
{
	(void)strcpy(strrchr(dir, '.') + 1, "XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	pol_policy_init(&policy);
	(void)strcpy(policy.tor.torrc, OWN);
	policy.tor.user.uid = geteuid();
	memset(&question, 0, sizeof question);
	(void)snprintf(question.torrc, sizeof question.torrc, "%s/torrc", dir);
}

static void
teardown(void)
{
	char cmd[64];

	(void)snprintf(cmd, sizeof cmd, "rm -rf %s", dir);
	ck_assert_int_eq(system(cmd), 0);
	pol_policy_clear(&policy);
}

/* In the file NAME, one line more. */
static void add(const char *name, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void
add(const char *name, const char *fmt, ...)
{
	char path[PATH_MAX];
	va_list ap;
	FILE *f;

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	f = fopen(path, "a");
	ck_assert_ptr_nonnull(f);
	va_start(ap, fmt);
	ck_assert_int_ge(vfprintf(f, fmt, ap), 0);
	va_end(ap);
	ck_assert_int_eq(fclose(f), 0);
}

static void
fill(const char *name, unsigned files)
{
	char path[PATH_MAX];

	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	ck_assert_int_eq(mkdir(path, 0755), 0);
	for (unsigned i = 0; i < files; i++) {
		(void)snprintf(path, sizeof path, "%s/%u", name, i);
		add(path, "Log notice syslog\n");
	}
}

static enum link_finding
look(void)
{
	look_take(&seen, &question, &policy);
	return (enum link_finding)seen.finding;
}

START_TEST(what_includes_the_file_is_good)
{
	fill("few", 20);
	add("torrc", "%%include %s/few\n%%include " OWN "\n", dir);
	ck_assert_int_eq(look(), LINK_F_GOOD);
}
END_TEST

START_TEST(a_line_in_the_way_is_named)
{
	fill("few", 3);
	add("few/2", "Bridge 192.0.2.1:1\n");
	add("torrc", "%%include %s/few/*\n%%include " OWN "\n", dir);
	ck_assert_int_eq(look(), LINK_F_OPTION);
	ck_assert_int_eq(seen.option, POL_TORRC_BRIDGE);
	ck_assert_uint_eq(seen.line, 2);
}
END_TEST

/* Each reads a folder, or walks a path, for nothing. */
START_TEST(includes_without_end_are_too_much)
{
	for (unsigned i = 0; i < 5000; i++)
		add("torrc", "%%include %s/none*\n", dir);
	add("torrc", "%%include " OWN "\n");
	ck_assert_int_eq(look(), LINK_F_TOO_MUCH);
}
END_TEST

START_TEST(large_folders_are_too_much)
{
	fill("many", 100);
	for (unsigned i = 0; i < 60; i++)
		add("torrc", "%%include %s/many/none*\n", dir);
	add("torrc", "%%include " OWN "\n");
	ck_assert_int_eq(look(), LINK_F_TOO_MUCH);
}
END_TEST

/* What is no file costs as much, and is no file that would be counted. */
static void
fill_links(const char *name, unsigned links)
{
	char path[PATH_MAX];

	fill(name, 0);
	for (unsigned i = 0; i < links; i++) {
		(void)snprintf(path, sizeof path, "%s/%s/%u", dir, name, i);
		ck_assert_int_eq(symlink("nowhere", path), 0);
	}
}

START_TEST(a_folder_of_no_files_is_too_much)
{
	fill_links("many", 200);
	add("torrc", "%%include %s/many\n%%include " OWN "\n", dir);
	ck_assert_int_eq(look(), LINK_F_TOO_MUCH);
}
END_TEST

/* Two wildcards multiply. */
START_TEST(wildcards_in_folders_are_bounded)
{
	char name[64];

	fill("wide", 0);
	for (unsigned i = 0; i < 20; i++) {
		(void)snprintf(name, sizeof name, "wide/%u", i);
		fill_links(name, 250);
	}
	add("torrc", "%%include %s/wide/*/none*\n%%include " OWN "\n", dir);
	ck_assert_int_eq(look(), LINK_F_TOO_MUCH);
	/* That was this question's. */
	(void)snprintf(question.torrc, sizeof question.torrc, "%s/other", dir);
	add("other", "%%include " OWN "\n");
	ck_assert_int_eq(look(), LINK_F_GOOD);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("look");
	TCase *tc = tcase_create("look");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_includes_the_file_is_good);
	tcase_add_test(tc, a_line_in_the_way_is_named);
	tcase_add_test(tc, includes_without_end_are_too_much);
	tcase_add_test(tc, large_folders_are_too_much);
	tcase_add_test(tc, a_folder_of_no_files_is_too_much);
	tcase_add_test(tc, wildcards_in_folders_are_bounded);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
