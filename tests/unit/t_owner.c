/*
 * Real squatters of another user, found by their sockets.  Needs root;
 * skipped otherwise.
 */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/keeper/owner.h"

#define SQUATTER_UID 64099
#define SQUATTER_GID 64098 /* not the same number */
#define SKIPPED 77
#define ANSWER_MS 20000 /* far more than it takes */

static struct owner owner;
static pid_t squatter;
static uint64_t clock_ms = 1; /* moves only when a test says so */

/* A squatter has its socket open so often: it takes long to look through. */
static int copies = 1;

static void
multiply(int fd)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == -1)
		_exit(1);
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) == -1)
		_exit(1);
	for (int i = 1; i < copies && dup(fd) != -1; i++)
		;
}

/* A process of UID and GID with a socket open; its inode. */
static uint64_t
squat(uid_t uid, gid_t gid, int dumpable)
{
	struct stat st;
	int fd = socket(AF_INET, SOCK_STREAM, 0), ready[2];
	char c;

	ck_assert_int_eq(fstat(fd, &st), 0);
	ck_assert_int_eq(pipe(ready), 0);
	squatter = fork();
	ck_assert_int_ne(squatter, -1);
	if (squatter == 0) {
		multiply(fd);
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 ||
		    setresgid(gid, gid, gid) == -1 ||
		    setresuid(uid, uid, uid) == -1 ||
		    /* As any program is that was executed as that user. */
		    prctl(PR_SET_DUMPABLE, dumpable) == -1 ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
		_exit(0);
	}
	ck_assert_int_eq(read(ready[0], &c, 1), 1);
	close(ready[0]);
	close(ready[1]);
	close(fd);
	return st.st_ino;
}

static void
end_squatter(void)
{
	if (squatter > 0) {
		(void)kill(squatter, SIGKILL);
		(void)waitpid(squatter, NULL, 0);
	}
	squatter = 0;
}

static void
setup(void)
{
	owner_init(&owner);
}

/* As the keeper does on SIGCHLD. */
static void
wait_for_child(void)
{
	pid_t pid = owner.child;

	if (pid == 0)
		return;
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	ck_assert(owner_ended(&owner, pid));
}

static void
teardown(void)
{
	owner_cancel(&owner);
	wait_for_child();
	end_squatter();
}

static void
start(uid_t uid, uint64_t inode)
{
	struct link_owner ask = { LINK_OWNER_MAGIC, uid, inode, 0, 0 };

	owner_start(&owner, &ask, clock_ms);
}

/* Start, wait, and return the answer's pid. */
static int32_t
find(uid_t uid, uint64_t inode)
{
	struct pollfd pfd = { .events = POLLIN };
	struct link_owner answer;

	clock_ms += LINK_OWNER_MS;
	start(uid, inode);
	ck_assert_int_ne(owner.fd, -1);
	pfd.fd = owner.fd;
	ck_assert_int_eq(poll(&pfd, 1, ANSWER_MS), 1);
	ck_assert(owner_read(&owner, &answer, clock_ms));
	ck_assert(link_owner_answer_ok(&answer));
	ck_assert_uint_eq(answer.uid, uid);
	ck_assert_uint_eq(answer.inode, inode);
	ck_assert(!owner_read(&owner, &answer, clock_ms)); /* only once */
	wait_for_child();
	return answer.pid;
}

START_TEST(the_process_with_the_socket_is_found)
{
	uint64_t inode = squat(SQUATTER_UID, SQUATTER_GID, 1);

	ck_assert_int_eq(find(SQUATTER_UID, inode), squatter);
}
END_TEST

START_TEST(another_socket_is_not_it)
{
	uint64_t inode = squat(SQUATTER_UID, SQUATTER_GID, 1);

	ck_assert_int_eq(find(SQUATTER_UID, inode + 1000000), 0);
	ck_assert_int_eq(find(SQUATTER_UID, 0), 0);
}
END_TEST

START_TEST(only_that_users_processes_are_looked_into)
{
	uint64_t inode = squat(SQUATTER_UID, SQUATTER_GID, 1);

	ck_assert_int_eq(find(SQUATTER_UID + 1, inode), 0);
}
END_TEST

START_TEST(who_has_ended_is_not_found)
{
	uint64_t inode = squat(SQUATTER_UID, SQUATTER_GID, 1);

	ck_assert_int_eq(find(SQUATTER_UID, inode), squatter);
	end_squatter();
	ck_assert_int_eq(find(SQUATTER_UID, inode), 0);
}
END_TEST

START_TEST(who_hides_is_not_found)
{
	uint64_t inode = squat(SQUATTER_UID, SQUATTER_GID, 0);

	ck_assert_int_eq(find(SQUATTER_UID, inode), 0);
}
END_TEST

START_TEST(roots_is_found_when_we_have_what_it_has)
{
	uint64_t inode = squat(0, 0, 1);

	ck_assert_int_eq(find(0, inode), squatter);
}
END_TEST

START_TEST(one_question_at_a_time)
{
	uint64_t inode = squat(SQUATTER_UID, SQUATTER_GID, 1);
	pid_t child;

	clock_ms += LINK_OWNER_MS;
	start(SQUATTER_UID, inode);
	child = owner.child;
	ck_assert_int_gt(child, 0);
	clock_ms += 10 * LINK_OWNER_MS;
	start(SQUATTER_UID, inode + 1);
	ck_assert_int_eq(owner.child, child);
	ck_assert_uint_eq(owner.ask.inode, inode);
}
END_TEST

START_TEST(a_flood_of_questions_is_two_a_second)
{
	uint64_t begun = clock_ms += LINK_OWNER_MS, inode = 4711;
	unsigned forks = 0;
	struct link_owner answer;

	for (; clock_ms < begun + 3000; clock_ms += 10) {
		start(SQUATTER_UID, inode);
		if (owner.child == 0)
			continue;
		forks++;
		owner_cancel(&owner);
		wait_for_child();
		ck_assert(!owner_read(&owner, &answer, clock_ms));
	}
	ck_assert_uint_eq(forks, 3000 / LINK_OWNER_MS);
}
END_TEST

/* The child runs as the squatter's user, who may stop it. */
START_TEST(a_stopped_search_ends_in_time)
{
	struct link_owner answer;
	uint64_t inode = squat(SQUATTER_UID, SQUATTER_GID, 1);
	int status;
	pid_t child;

	clock_ms += LINK_OWNER_MS;
	start(SQUATTER_UID, inode);
	child = owner.child;
	ck_assert_int_eq(kill(child, SIGSTOP), 0);
	ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
	if (WIFSTOPPED(status)) { /* else it was faster than we */
		ck_assert(!owner_read(&owner, &answer, clock_ms + 500));
		/* In time for the engine's next question, a second later. */
		ck_assert(owner_read(&owner, &answer, clock_ms + 1000 -
		    OWNER_LOOK_MS));
		ck_assert_int_eq(answer.pid, 0);
		ck_assert_int_eq(waitpid(child, &status, 0), child);
		ck_assert(WIFSIGNALED(status));
	}
	ck_assert(owner_ended(&owner, child));
	ck_assert_int_eq(owner.child, 0);
}
END_TEST

/*
 * Who has the socket runs, with its own user and group, beside the search:
 * stop it, take it over.  0: that was refused; 1: it was not; 2: too late.
 */
static int
attack(pid_t victim)
{
	if (setgroups(0, NULL) == -1 ||
	    setresgid(SQUATTER_UID, SQUATTER_UID, SQUATTER_UID) == -1 ||
	    setresuid(SQUATTER_UID, SQUATTER_UID, SQUATTER_UID) == -1 ||
	    prctl(PR_SET_DUMPABLE, 1) == -1)
		return 3;
	/* Refused for as long as the search is still root's. */
	while (kill(victim, SIGSTOP) == -1)
		if (errno != EPERM)
			return 2;
	if (ptrace(PTRACE_SEIZE, victim, NULL, NULL) == 0)
		return 1;
	return errno == EPERM ? 0 : 2;
}

static pid_t
start_attack(pid_t victim)
{
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(attack(victim));
	return pid;
}

/* Nothing of the keeper's but the log, the pipe and what it reads itself. */
static void
check_descriptors(pid_t child, const char *secret)
{
	char path[64], text[64];
	ssize_t n;

	for (int fd = 3; fd < 64; fd++) {
		(void)snprintf(path, sizeof path, "/proc/%d/fd/%d",
		    (int)child, fd);
		n = readlink(path, text, sizeof text - 1);
		if (n == -1)
			continue;
		text[n] = '\0';
		ck_assert_msg(strstr(text, secret) == NULL, "%s", text);
		ck_assert_msg(fd == 3 ? strncmp(text, "pipe:", 5) == 0 :
		    strncmp(text, "/proc", 5) == 0 ||
		    strncmp(text, "/memfd:portcullis-sandbox", 25) == 0 ||
		    strcmp(text, "/etc/passwd") == 0, "%d: %s", fd, text);
	}
}

static void
check_status(pid_t child)
{
	char path[64], line[256];
	FILE *f;
	unsigned lines = 0;

	(void)snprintf(path, sizeof path, "/proc/%d/status", (int)child);
	f = fopen(path, "re");
	ck_assert_ptr_nonnull(f);
	while (fgets(line, sizeof line, f) != NULL) {
		if (strncmp(line, "Uid:", 4) != 0 &&
		    strncmp(line, "Groups:", 7) != 0)
			continue;
		lines++;
		ck_assert_msg(strcmp(line, line[0] == 'U' ?
		    "Uid:\t64099\t64099\t64099\t64099\n" : "Groups:\t \n")
		    == 0, "%s", line);
	}
	(void)fclose(f);
	ck_assert_uint_eq(lines, 2);
}

START_TEST(who_is_looked_for_cannot_use_the_search)
{
	uint64_t inode;
	int secret = memfd_create("secret", 0), status, caught = 0;
	const gid_t group = SQUATTER_GID;
	pid_t child, attacker;

	copies = 20000; /* so that the attack comes in time */
	inode = squat(SQUATTER_UID, SQUATTER_UID, 1);
	copies = 1;
	ck_assert_int_ne(secret, -1);
	ck_assert_int_eq(setgroups(1, &group), 0);
	ck_assert_int_eq(dup2(secret, 40), 40);
	for (int i = 0; i < 50 && caught < 5; i++) {
		clock_ms += LINK_OWNER_MS;
		start(SQUATTER_UID, inode + 1000000); /* all are looked into */
		child = owner.child;
		attacker = start_attack(child);
		ck_assert_int_eq(waitpid(child, &status, WUNTRACED), child);
		if (WIFSTOPPED(status)) {
			caught++;
			check_status(child);
			check_descriptors(child, "secret");
			owner_cancel(&owner);
			ck_assert_int_eq(waitpid(child, NULL, 0), child);
		}
		ck_assert_int_eq(waitpid(attacker, &status, 0), attacker);
		ck_assert(WIFEXITED(status) && (WEXITSTATUS(status) == 0 ||
		    WEXITSTATUS(status) == 2));
		owner_cancel(&owner);
		ck_assert(owner_ended(&owner, child));
	}
	ck_assert_int_gt(caught, 0);
	ck_assert_int_eq(setgroups(0, NULL), 0);
	close(40);
	close(secret);
}
END_TEST

START_TEST(what_is_cancelled_is_not_answered)
{
	struct link_owner answer;

	clock_ms += LINK_OWNER_MS;
	start(SQUATTER_UID, 4711);
	owner_cancel(&owner);
	ck_assert_int_eq(owner.fd, -1);
	ck_assert(!owner_read(&owner, &answer, clock_ms));
	ck_assert(!owner_ended(&owner, owner.child + 1));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("owner");
	TCase *tc = tcase_create("owner");
	SRunner *sr;
	int failed;

	if (geteuid() != 0 || setresuid(SQUATTER_UID, SQUATTER_UID, 0) == -1 ||
	    setresuid(0, 0, 0) == -1) {
		printf("skipped: needs root to be another user\n");
		return SKIPPED;
	}
	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 30);
	tcase_add_test(tc, the_process_with_the_socket_is_found);
	tcase_add_test(tc, another_socket_is_not_it);
	tcase_add_test(tc, only_that_users_processes_are_looked_into);
	tcase_add_test(tc, who_has_ended_is_not_found);
	tcase_add_test(tc, who_hides_is_not_found);
	tcase_add_test(tc, roots_is_found_when_we_have_what_it_has);
	tcase_add_test(tc, one_question_at_a_time);
	tcase_add_test(tc, a_flood_of_questions_is_two_a_second);
	tcase_add_test(tc, a_stopped_search_ends_in_time);
	tcase_add_test(tc, who_is_looked_for_cannot_use_the_search);
	tcase_add_test(tc, what_is_cancelled_is_not_answered);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
