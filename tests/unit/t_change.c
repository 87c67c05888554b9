/* The keeper's part of a change: what is pending, and the file that keeps. */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/parse.h"
#include "supervisor/keeper/change.h"
#include "supervisor/log.h"

#define GID 4711
#define OLD "# Written by portcullis(1): what was there before\n"

static char top[40], dir[56], file[80], temporary[80];
static struct pol_policy policy;
static struct change change;
static struct link_kept answer;

/* Root's alone, as everything above it; without root only some is tested. */
static void
setup(void)
{
	static const char text[] =
	    "gateway { internal = { \"eth1\" } external = { \"eth0\" } }\n"
	    "tor { user = 107 control = \"unix:/run/tor/control\" }\n"
	    "listener s { kind = socks address = \"10.1.1.1\" port = 9050 }\n";
	struct pol_source src = { .name = "p", .text = text,
		.len = sizeof text - 1 };
	struct pol_diags diags = { 0 };

	log_init("test", LOG_LV_ERR);
	ck_assert_ptr_nonnull(freopen("/dev/null", "w", stderr));
	ck_assert_int_eq(pol_parse(&policy, &diags, &src, 1), 0);
	pol_diags_clear(&diags);
	(void)strcpy(top, "/tmp/portcullis-keep.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	(void)snprintf(dir, sizeof dir, "%s/torrc.d", top);
	ck_assert_int_eq(mkdir(dir, 0755), 0);
	(void)snprintf(file, sizeof file, "%s/45_portcullis.conf", dir);
	(void)snprintf(temporary, sizeof temporary, "%s/.portcullis.new", dir);
	(void)snprintf(policy.tor.torrc, sizeof policy.tor.torrc, "%s", file);
	policy.tor.user.gid = GID;
	change_init(&change);
}

static void
teardown(void)
{
	char cmd[96];

	if (change.fd != -1)
		close(change.fd);
	pol_policy_clear(&policy);
	(void)snprintf(cmd, sizeof cmd, "rm -rf %s", top);
	ck_assert_int_eq(system(cmd), 0);
}

/* N plain bridges. */
static void
ask(enum link_change_step step, uint32_t n)
{
	struct link_change m = { .magic = LINK_CHANGE_MAGIC, .step = step,
		.id = 9 };

	for (uint32_t i = 0; i < n; i++)
		(void)snprintf(m.uplink.bridge[i], POL_BRIDGE_LEN,
		    "192.0.2.%u:443 0123456789ABCDEF0123456789ABCDEF01234567",
		    i + 1);
	m.uplink.nbridges = n;
	memset(&answer, 0xff, sizeof answer);
	change_take(&change, &answer, &m, &policy);
	ck_assert_uint_eq(answer.magic, LINK_KEPT_MAGIC);
	ck_assert_uint_eq(answer.id, 9);
	ck_assert_uint_eq(answer.reserved, 0);
}

static void
write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

static const char *
read_file(const char *path)
{
	static char text[65536];
	FILE *f = fopen(path, "r");
	size_t n;

	ck_assert_ptr_nonnull(f);
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	(void)fclose(f);
	return text;
}

/* Nothing was written, nothing is left, and what was pending is. */
static void
assert_refused(int error)
{
	ask(LINK_CHANGE_REMEMBER, 1);
	ask(LINK_CHANGE_KEEP, 2);
	ck_assert_int_eq(answer.error, error);
	ck_assert_int_eq(access(temporary, F_OK), -1);
	ck_assert_int_ne(change.fd, -1);
}

START_TEST(what_is_pending_is_sealed_and_forgotten_when_told)
{
	struct link_pending was;

	ask(LINK_CHANGE_REMEMBER, 3);
	ck_assert_int_eq(answer.error, 0);
	ck_assert_int_eq(pread(change.fd, &was, sizeof was, 0),
	    sizeof was);
	ck_assert_uint_eq(was.uplink.nbridges, 3);
	ck_assert_int_eq(pwrite(change.fd, "x", 1, 0), -1);
	ck_assert_int_eq(ftruncate(change.fd, 0), -1);
	/* Another one takes its place. */
	ask(LINK_CHANGE_REMEMBER, 1);
	ck_assert_int_eq(pread(change.fd, &was, sizeof was, 0),
	    sizeof was);
	ck_assert_uint_eq(was.uplink.nbridges, 1);
	ask(LINK_CHANGE_FORGET, 0);
	ck_assert_int_eq(answer.error, 0);
	ck_assert_int_eq(change.fd, -1);
	ask(LINK_CHANGE_FORGET, 0);
	ck_assert_int_eq(answer.error, 0);
}
END_TEST

START_TEST(what_is_not_by_the_policy_is_refused)
{
	struct link_change m = { .magic = LINK_CHANGE_MAGIC,
		.step = LINK_CHANGE_REMEMBER };

	m.uplink.nbridges = 1;
	(void)strcpy(m.uplink.bridge[0], "obfs4 192.0.2.1:443 cert=x");
	change_take(&change, &answer, &m, &policy);
	ck_assert_int_eq(answer.error, EPERM);
	ck_assert_int_eq(change.fd, -1);
	(void)strcpy(m.uplink.bridge[0], "192.0.2.1:443\nSocksPort 1");
	m.step = LINK_CHANGE_KEEP;
	change_take(&change, &answer, &m, &policy);
	ck_assert_int_eq(answer.error, EPERM);
	ck_assert_int_eq(access(file, F_OK), -1);
}
END_TEST

START_TEST(nothing_is_written_without_a_name_for_it)
{
	policy.tor.torrc[0] = '\0';
	assert_refused(EINVAL);
}
END_TEST

START_TEST(the_file_is_roots_and_for_tors_group_to_read)
{
	struct stat st;
	struct pol_uplink u;
	char why[POL_UPLINK_WHY];
	const char *text;

	(void)umask(0);
	write_file(file, OLD);
	ck_assert_int_eq(chmod(file, 0666), 0);
	ask(LINK_CHANGE_REMEMBER, 1);
	ask(LINK_CHANGE_KEEP, 2);
	ck_assert_int_eq(answer.error, 0);
	ck_assert_int_eq(change.fd, -1);
	ck_assert_int_eq(lstat(file, &st), 0);
	ck_assert(S_ISREG(st.st_mode));
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	ck_assert_uint_eq(st.st_uid, 0);
	ck_assert_uint_eq(st.st_gid, GID);
	ck_assert_int_eq(access(temporary, F_OK), -1);
	text = read_file(file);
	ck_assert_uint_eq(pol_uplink_parse(&u, why, &policy, text,
	    strlen(text)), 0);
	ck_assert_uint_eq(u.nbridges, 2);
}
END_TEST

/* It would write where somebody else has said. */
START_TEST(links_are_not_followed)
{
	char aside[80];

	(void)snprintf(aside, sizeof aside, "%s/aside", top);
	write_file(aside, OLD);
	ck_assert_int_eq(symlink(aside, file), 0);
	assert_refused(EEXIST);
	ck_assert_int_eq(unlink(file), 0);
	ck_assert_int_eq(symlink(aside, temporary), 0);
	ask(LINK_CHANGE_KEEP, 2);
	ck_assert_int_eq(answer.error, 0);
	ck_assert_str_eq(read_file(aside), OLD);
	ck_assert_ptr_nonnull(strstr(read_file(file), "192.0.2.2:443"));
	ck_assert_int_eq(access(temporary, F_OK), -1);
}
END_TEST

START_TEST(a_folder_that_others_write_to_is_refused)
{
	write_file(file, OLD);
	ck_assert_int_eq(chmod(dir, 0777), 0);
	assert_refused(EPERM);
	/* Others could put theirs next to it, or in its place before. */
	ck_assert_int_eq(chmod(dir, 01777), 0);
	assert_refused(EPERM);
	ck_assert_int_eq(chmod(dir, 0775), 0);
	assert_refused(EPERM);
	ck_assert_int_eq(chmod(dir, 0755), 0);
	ck_assert_int_eq(chown(dir, 4700, 0), 0);
	assert_refused(EPERM);
	ck_assert_int_eq(chown(dir, 0, 0), 0);
	ck_assert_int_eq(chmod(top, 0777), 0);
	assert_refused(EPERM);
	ck_assert_int_eq(chmod(top, 0700), 0);
	ck_assert_str_eq(read_file(file), OLD);
	ask(LINK_CHANGE_KEEP, 1);
	ck_assert_int_eq(answer.error, 0);
}
END_TEST

START_TEST(a_link_to_a_folder_in_one_that_others_write_to_is_refused)
{
	char open_to_all[80], below[96], name[80];

	(void)snprintf(open_to_all, sizeof open_to_all, "%s/all", top);
	(void)snprintf(below, sizeof below, "%s/below", open_to_all);
	(void)snprintf(name, sizeof name, "%s/link", top);
	ck_assert_int_eq(mkdir(open_to_all, 0755), 0);
	ck_assert_int_eq(mkdir(below, 0755), 0);
	ck_assert_int_eq(symlink(below, name), 0);
	(void)snprintf(policy.tor.torrc, sizeof policy.tor.torrc, "%s/x",
	    name);
	ck_assert_int_eq(chmod(open_to_all, 0777), 0);
	assert_refused(EPERM);
	ck_assert_int_eq(chmod(open_to_all, 0755), 0);
	ask(LINK_CHANGE_KEEP, 1);
	ck_assert_int_eq(answer.error, 0);
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_told)
{
	ck_assert_int_eq(rmdir(dir), 0);
	assert_refused(ENOENT);
	write_file(dir, OLD);
	assert_refused(ENOTDIR);
}
END_TEST

/* A folder in the temporary file's place is nobody's to remove. */
START_TEST(what_cannot_be_made_is_told)
{
	ck_assert_int_eq(mkdir(temporary, 0755), 0);
	ask(LINK_CHANGE_KEEP, 1);
	ck_assert_int_eq(answer.error, EISDIR);
	ck_assert_int_eq(rmdir(temporary), 0);
	ck_assert_int_eq(access(file, F_OK), -1);
	/* Nor one in the file's own. */
	ck_assert_int_eq(mkdir(file, 0755), 0);
	assert_refused(EEXIST);
}
END_TEST

START_TEST(a_full_disk_leaves_what_was_there)
{
	long page = sysconf(_SC_PAGESIZE);
	char size[32];

	(void)snprintf(size, sizeof size, "size=%ld", page);
	if (unshare(CLONE_NEWNS) == -1 || mount("none", "/", NULL,
	    MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", dir, "tmpfs", 0, size) == -1)
		return; /* we may not */
	ck_assert_int_eq(chmod(dir, 0755), 0);
	write_file(file, OLD);
	assert_refused(ENOSPC);
	ck_assert_str_eq(read_file(file), OLD);
	ck_assert_int_eq(umount(dir), 0);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("change");
	TCase *tc = tcase_create("change"), *root = tcase_create("root");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, what_is_pending_is_sealed_and_forgotten_when_told);
	tcase_add_test(tc, what_is_not_by_the_policy_is_refused);
	tcase_add_test(tc, nothing_is_written_without_a_name_for_it);
	tcase_add_checked_fixture(root, setup, teardown);
	tcase_add_test(root, the_file_is_roots_and_for_tors_group_to_read);
	tcase_add_test(root, links_are_not_followed);
	tcase_add_test(root, a_folder_that_others_write_to_is_refused);
	tcase_add_test(root,
	    a_link_to_a_folder_in_one_that_others_write_to_is_refused);
	tcase_add_test(root, a_folder_that_is_not_there_is_told);
	tcase_add_test(root, what_cannot_be_made_is_told);
	tcase_add_test(root, a_full_disk_leaves_what_was_there);
	suite_add_tcase(s, tc);
	if (geteuid() == 0)
		suite_add_tcase(s, root);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
