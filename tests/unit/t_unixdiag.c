/*
 * Real Unix sockets of several users.  Needs root; skipped otherwise.
 */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "supervisor/engine/unixdiag.h"

#define TOR_UID 4102
#define OTHER_UID 4103
#define SKIPPED 77
#define MAX_FDS 8

static char dir[] = "/tmp/t_unixdiag.XXXXXX";
static struct pol_policy policy;
static struct unixdiag *diag;
static int fds[MAX_FDS];
static size_t nfds;

static const char *
path(size_t i)
{
	return policy.listeners[i].path;
}

/* 0: TCP, which is none of ours; 1 and 2: dir/b and dir/a. */
static void
setup(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	(void)snprintf(dir, sizeof dir, "/tmp/t_unixdiag.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(chmod(dir, 0777), 0);
	pol_policy_init(&policy);
	policy.tor.user.uid = TOR_UID;
	policy.nlisteners = 3;
	policy.listeners = calloc(3, sizeof *policy.listeners);
	ck_assert_ptr_nonnull(policy.listeners);
	policy.listeners[0].addr.family = AF_INET;
	for (size_t i = 1; i < 3; i++) {
		policy.listeners[i].addr.family = AF_UNIX;
		(void)snprintf(policy.listeners[i].path, POL_PATH_LEN,
		    "%s/%s", dir, i == 1 ? "b" : "a");
	}
	diag = unixdiag_new(&policy);
	ck_assert_ptr_nonnull(diag);
}

static void
teardown(void)
{
	char command[64];

	while (nfds > 0)
		close(fds[--nfds]);
	unixdiag_free(diag);
	pol_policy_clear(&policy);
	(void)snprintf(command, sizeof command, "rm -r %s", dir);
	ck_assert_int_eq(system(command), 0);
}

static int
open_as(uid_t uid, int type, const char *where, bool listening)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	(void)snprintf(un.sun_path, sizeof un.sun_path, "%s", where);
	ck_assert_int_eq(setresuid(uid, uid, 0), 0);
	fd = socket(AF_UNIX, type, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof un), 0);
	ck_assert_int_eq(setresuid(0, 0, 0), 0);
	if (listening)
		ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_uint_lt(nfds, MAX_FDS);
	fds[nfds++] = fd;
	return fd;
}

static struct proof
prove(size_t i)
{
	struct proof out[3];

	memset(out, 0x5a, sizeof out);
	unixdiag_prove(diag, out);
	ck_assert_uint_eq(out[0].uid, 0x5a5a5a5a); /* left alone */
	return out[i];
}

static enum proof_kind
kind(size_t i)
{
	return prove(i).kind;
}

START_TEST(nobody_is_no_socket)
{
	ck_assert_int_eq(kind(1), PROOF_NO_SOCKET);
	ck_assert_uint_eq(prove(1).uid, UINT32_MAX);
}
END_TEST

START_TEST(tors_own_socket_is_proven)
{
	open_as(TOR_UID, SOCK_STREAM, path(1), true);
	ck_assert_int_eq(kind(1), PROOF_OK);
	ck_assert_uint_eq(prove(1).uid, TOR_UID);
	ck_assert_int_eq(kind(2), PROOF_NO_SOCKET);
	open_as(TOR_UID, SOCK_STREAM, path(2), true);
	ck_assert_int_eq(kind(1), PROOF_OK);
	ck_assert_int_eq(kind(2), PROOF_OK);
}
END_TEST

START_TEST(one_that_does_not_listen_is_none)
{
	open_as(TOR_UID, SOCK_STREAM, path(1), false);
	ck_assert_int_eq(kind(1), PROOF_NO_SOCKET);
	open_as(TOR_UID, SOCK_DGRAM, path(2), false);
	ck_assert_int_eq(kind(2), PROOF_NO_SOCKET);
}
END_TEST

START_TEST(another_type_is_none)
{
	open_as(TOR_UID, SOCK_SEQPACKET, path(1), true);
	ck_assert_int_eq(kind(1), PROOF_NO_SOCKET);
}
END_TEST

START_TEST(another_users_socket_is_foreign)
{
	struct stat st;
	int fd = open_as(OTHER_UID, SOCK_STREAM, path(1), true);

	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(kind(1), PROOF_FOREIGN);
	ck_assert_uint_eq(prove(1).uid, OTHER_UID);
	ck_assert_uint_eq(prove(1).inode, st.st_ino);
}
END_TEST

START_TEST(roots_socket_is_told_apart)
{
	open_as(0, SOCK_STREAM, path(1), true);
	ck_assert_int_eq(kind(1), PROOF_ROOT);
}
END_TEST

START_TEST(a_path_that_is_gone_is_not_the_socket)
{
	open_as(TOR_UID, SOCK_STREAM, path(1), true);
	ck_assert_int_eq(unlink(path(1)), 0);
	ck_assert_int_eq(kind(1), PROOF_FILE);
}
END_TEST

START_TEST(a_path_with_another_file_is_not_the_socket)
{
	open_as(TOR_UID, SOCK_STREAM, path(1), true);
	ck_assert_int_eq(unlink(path(1)), 0);
	ck_assert_int_eq(close(mkstemp(strcpy(policy.listeners[0].path,
	    "/tmp/t_unixdiag.XXXXXX"))), 0);
	ck_assert_int_eq(rename(policy.listeners[0].path, path(1)), 0);
	ck_assert_int_eq(kind(1), PROOF_FILE);
}
END_TEST

START_TEST(whoever_took_the_path_over_is_foreign)
{
	open_as(TOR_UID, SOCK_STREAM, path(1), true);
	ck_assert_int_eq(unlink(path(1)), 0);
	open_as(OTHER_UID, SOCK_STREAM, path(1), true);
	ck_assert_int_eq(kind(1), PROOF_FOREIGN);
	ck_assert_uint_eq(prove(1).uid, OTHER_UID);
}
END_TEST

START_TEST(a_leftover_of_another_user_does_not_matter)
{
	open_as(OTHER_UID, SOCK_STREAM, path(1), true);
	ck_assert_int_eq(unlink(path(1)), 0);
	ck_assert_int_eq(kind(1), PROOF_NO_SOCKET);
	open_as(TOR_UID, SOCK_STREAM, path(1), true);
	ck_assert_int_eq(kind(1), PROOF_OK);
}
END_TEST

/* Its name in the kernel is not the path by which clients find it. */
START_TEST(a_socket_moved_into_place_is_never_proven)
{
	char other[sizeof dir + 8];

	(void)snprintf(other, sizeof other, "%s/other", dir);
	open_as(OTHER_UID, SOCK_STREAM, other, true);
	open_as(TOR_UID, SOCK_STREAM, path(1), true);
	ck_assert_int_eq(rename(other, path(1)), 0);
	ck_assert_int_eq(kind(1), PROOF_FILE);
}
END_TEST

START_TEST(an_abstract_name_is_no_path)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t n = strlen(path(1));
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(un.sun_path + 1, path(1), n);
	ck_assert_int_eq(setresuid(TOR_UID, TOR_UID, 0), 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un,
	    (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + n)), 0);
	ck_assert_int_eq(setresuid(0, 0, 0), 0);
	ck_assert_int_eq(listen(fd, 1), 0);
	ck_assert_int_eq(kind(1), PROOF_NO_SOCKET);
	close(fd);
}
END_TEST

START_TEST(what_may_not_be_seen_is_not_proven)
{
	struct proof out[3];

	open_as(TOR_UID, SOCK_STREAM, path(1), true);
	ck_assert_int_eq(chmod(dir, 0700), 0);
	ck_assert_int_eq(setresuid(OTHER_UID, OTHER_UID, 0), 0);
	unixdiag_prove(diag, out);
	ck_assert_int_eq(setresuid(0, 0, 0), 0);
	ck_assert_int_eq(out[1].kind, PROOF_FILE);
	ck_assert_int_eq(out[2].kind, PROOF_FILE);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("unixdiag");
	TCase *tc = tcase_create("unixdiag");
	SRunner *sr;
	int failed;

	if (geteuid() != 0 || system("unshare -n true 2>/dev/null") != 0 ||
	    setresuid(OTHER_UID, OTHER_UID, 0) == -1 ||
	    setresuid(0, 0, 0) == -1) {
		printf("skipped: needs root for several users\n");
		return SKIPPED;
	}
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, nobody_is_no_socket);
	tcase_add_test(tc, tors_own_socket_is_proven);
	tcase_add_test(tc, one_that_does_not_listen_is_none);
	tcase_add_test(tc, another_type_is_none);
	tcase_add_test(tc, another_users_socket_is_foreign);
	tcase_add_test(tc, roots_socket_is_told_apart);
	tcase_add_test(tc, a_path_that_is_gone_is_not_the_socket);
	tcase_add_test(tc, a_path_with_another_file_is_not_the_socket);
	tcase_add_test(tc, whoever_took_the_path_over_is_foreign);
	tcase_add_test(tc, a_leftover_of_another_user_does_not_matter);
	tcase_add_test(tc, a_socket_moved_into_place_is_never_proven);
	tcase_add_test(tc, an_abstract_name_is_no_path);
	tcase_add_test(tc, what_may_not_be_seen_is_not_proven);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
