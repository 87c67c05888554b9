/*
 * Each list of system calls, from inside: a child puts itself on it and asks
 * for what it must not have, or for what it needs.
 */
#include "config.h" /* _GNU_SOURCE */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "supervisor/sandbox/landlock.h"
#include "supervisor/sandbox/sandbox.h"

#ifdef INSTRUMENTED

/* There are no lists in such a build: see sandbox.c. */
int
main(void)
{
	return 77;
}

#else

/* Programs, as bits. */
#define P(who) (1u << SANDBOX_##who)
#define ALL (P(KEEPER) | CHILDREN)
#define CHILDREN (P(GATE) | P(GATE_FILES) | P(PURGE) | P(OWNER) | LOOPS)
#define LOOPS (P(ENGINE) | P(STATUS) | P(RESOLVER))
#define KILLED (-1)
#define CWD ((long)AT_FDCWD)
/* Not a call's number: getpid, by the door of 32-bit programs. */
#define I386_GETPID (-100)
#define NO_DOOR (-2) /* a kernel without one */

static const struct call {
	const char *what;
	unsigned whom;
	int wanted; /* KILLED, or an errno; 0: anything but being killed */
	long number, arg[6];
} calls[] = {
	{ "exec", CHILDREN, KILLED, SYS_execve, { (long)"/bin/true", 0, 0 } },
	{ "exec of a descriptor", CHILDREN, KILLED, SYS_execveat,
	    { -1, (long)"", 0, 0, 0 } },
	{ "ptrace", ALL, KILLED, SYS_ptrace, { PTRACE_TRACEME, 0, 0, 0 } },
	{ "others' memory", ALL, KILLED, SYS_process_vm_readv, { 1 } },
	{ "mount", ALL, KILLED, SYS_mount, { 0 } },
	{ "umount", ALL, KILLED, SYS_umount2, { 0 } },
	{ "chroot", ALL, KILLED, SYS_chroot, { (long)"/" } },
	{ "unshare", ALL, KILLED, SYS_unshare, { CLONE_NEWUSER } },
	{ "setns", ALL, KILLED, SYS_setns, { -1, 0 } },
	{ "clone, new network", ALL, KILLED, SYS_clone,
	    { CLONE_NEWNET | SIGCHLD, 0, 0, 0, 0 } },
	{ "io_uring", ALL, KILLED, SYS_io_uring_setup, { 1, 0 } },
	{ "bpf", ALL, KILLED, SYS_bpf, { 0 } },
	{ "keyctl", ALL, KILLED, SYS_keyctl, { 0 } },
	{ "userfaultfd", ALL, KILLED, SYS_userfaultfd, { 1 } },
	{ "perf", ALL, KILLED, SYS_perf_event_open, { 0 } },
	{ "a kernel module", ALL, KILLED, SYS_init_module, { 0 } },
	{ "kexec", ALL, KILLED, SYS_kexec_load,
	    { 0, 0, 0, 0xffff } },
	{ "the clock", ALL, KILLED, SYS_clock_settime, { 0, 0 } },
	{ "reboot", ALL, KILLED, SYS_reboot, { 0 } },
	{ "swap", ALL, KILLED, SYS_swapon, { 0 } },
	{ "a host's name", ALL, KILLED, SYS_sethostname, { 0, -1 } },
	{ "a device", ALL, KILLED, SYS_mknodat,
	    { CWD, (long)"/none/x", 0, 0 } },
	{ "a file by handle", ALL, KILLED, SYS_open_by_handle_at, { 0 } },
	{ "setuid", CHILDREN, KILLED, SYS_setuid, { 0 } },
	{ "setresuid", CHILDREN, KILLED, SYS_setresuid, { 0, 0, 0 } },
	{ "setgroups", CHILDREN, KILLED, SYS_setgroups, { 0, 0 } },
	{ "capset", CHILDREN, KILLED, SYS_capset, { 0, 0 } },
	{ "fork", CHILDREN, KILLED, SYS_clone, { SIGCHLD, 0, 0, 0, 0 } },
	{ "clone3", P(KEEPER), ENOSYS, SYS_clone3, { 0, 0 } },
	{ "prctl", CHILDREN, KILLED, SYS_prctl, { PR_SET_DUMPABLE, 1, 0, 0 } },
	{ "seccomp off", ALL, KILLED, SYS_prctl, { PR_SET_SECCOMP, 0, 0 } },
	{ "kill", CHILDREN, KILLED, SYS_kill, { 1, 0 } },
	{ "kill by tgkill", ALL, EPERM, SYS_tgkill, { 1, 1, 0 } },
	{ "AF_PACKET", ALL, KILLED, SYS_socket, { AF_PACKET, SOCK_RAW, 0 } },
	{ "AF_VSOCK", ALL, KILLED, SYS_socket, { AF_VSOCK, SOCK_STREAM, 0 } },
	{ "AF_ALG", ALL, KILLED, SYS_socket, { AF_ALG, SOCK_SEQPACKET, 0 } },
	{ "raw IP", ALL, KILLED, SYS_socket, { AF_INET, SOCK_RAW, 1 } },
	{ "SCTP", ALL, KILLED, SYS_socket, { AF_INET, SOCK_STREAM, 132 } },
	{ "audit's netlink", ALL, KILLED, SYS_socket,
	    { AF_NETLINK, SOCK_RAW, NETLINK_AUDIT } },
	{ "AF_INET", CHILDREN & ~(P(ENGINE) | P(RESOLVER)), KILLED,
	    SYS_socket, { AF_INET, SOCK_STREAM, 0 } },
	{ "AF_INET", P(ENGINE) | P(RESOLVER), 0, SYS_socket,
	    { AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0 } },
	{ "AF_UNIX", P(STATUS) | P(RESOLVER) | P(PURGE) | P(OWNER), KILLED,
	    SYS_socket, { AF_UNIX, SOCK_STREAM, 0 } },
	{ "nf_tables", CHILDREN, KILLED, SYS_socket,
	    { AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER } },
	{ "connect", P(GATE) | P(GATE_FILES) | P(PURGE) | P(STATUS), KILLED,
	    SYS_connect, { -1, 0, 0 } },
	{ "a filter of packets", CHILDREN & ~P(RESOLVER), KILLED,
	    SYS_setsockopt, { -1, SOL_SOCKET, SO_ATTACH_FILTER, 0, 0 } },
	{ "netlink's groups", CHILDREN & ~(P(GATE) | P(GATE_FILES) |
	    P(RESOLVER)), KILLED, SYS_setsockopt,
	    { -1, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 0, 0 } },
	{ "netlink's groups", P(GATE) | P(GATE_FILES), EBADF, SYS_setsockopt,
	    { -1, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, 0, 0 } },
	{ "netlink's groups", P(GATE) | P(GATE_FILES), EBADF, SYS_setsockopt,
	    { -1, SOL_NETLINK, NETLINK_DROP_MEMBERSHIP, 0, 0 } },
	{ "all of netlink's groups", P(GATE) | P(GATE_FILES), KILLED,
	    SYS_setsockopt, { -1, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, 0,
	    0 } },
	{ "how long netlink may take", P(ENGINE), EBADF, SYS_setsockopt,
	    { -1, SOL_SOCKET, SO_RCVTIMEO, 0, 0 } },
	{ "writing a file", CHILDREN & ~(P(GATE) | P(PURGE) | P(STATUS)),
	    KILLED, SYS_openat, { CWD, (long)"/dev/null", O_WRONLY } },
	{ "a file", P(GATE), ENOENT, SYS_openat,
	    { CWD, (long)"/dev/null", O_RDONLY } },
	{ "a file", P(PURGE) | P(STATUS), EACCES, SYS_openat,
	    { CWD, (long)"/dev/null", O_RDONLY } },
	{ "a file", P(ENGINE) | P(RESOLVER) | P(OWNER), 0, SYS_openat,
	    { CWD, (long)"/dev/null", O_RDONLY | O_CLOEXEC } },
	{ "unlink", CHILDREN, KILLED, SYS_unlinkat,
	    { CWD, (long)"/none/x", 0 } },
	{ "memory to execute", CHILDREN, KILLED, SYS_mmap,
	    { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
	    -1, 0 } },
	{ "memory to write and execute", ALL, KILLED, SYS_mmap,
	    { 0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 } },
	{ "memory made executable", CHILDREN, KILLED, SYS_mprotect,
	    { 0, 4096, PROT_EXEC } },
	{ "memory made executable", P(KEEPER), EACCES, SYS_mprotect,
	    { 0, 4096, PROT_EXEC } },
	{ "memory", P(GATE) | P(GATE_FILES) | P(PURGE), KILLED, SYS_mmap,
	    { 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 } },
	{ "memory", P(GATE) | P(GATE_FILES) | P(PURGE), KILLED, SYS_brk,
	    { 0 } },
	{ "memory", P(KEEPER) | P(OWNER) | LOOPS, 0, SYS_mmap,
	    { 0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0 } },
	{ "the log", ALL, 0, SYS_write, { STDERR_FILENO, 0, 0 } },
	{ "another list", CHILDREN, KILLED, SYS_seccomp, { 1, 0, 0 } },
#if defined(__x86_64__)
	{ "getpid of x32", ALL, KILLED, 0x40000000 | SYS_getpid, { 0 } },
	{ "getpid of i386", ALL, KILLED, I386_GETPID, { 0 } },
#endif
};

#define NCALLS (sizeof calls / sizeof calls[0])

static long
make_call(const struct call *c)
{
	const long *a = c->arg;

#if defined(__x86_64__)
	if (c->number == I386_GETPID) {
		long rc = 20; /* its number there, where write is 4 */

		__asm__ volatile("int $0x80" : "+a"(rc) : : "memory",
		    "r8", "r9", "r10", "r11");
		return rc == getpid() ? 0 : -1;
	}
#endif
	return syscall(c->number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void __attribute__((noreturn))
child(const struct call *c, int who, bool locked)
{
	const struct rlimit none = { 0, 0 };
	long rc;

	if (setrlimit(RLIMIT_CORE, &none) == -1)
		_exit(255);
	if (locked)
		sandbox_apply((enum sandbox_program)who);
	rc = make_call(c);
	(void)syscall(SYS_exit_group, rc == -1 ? errno : 0);
	_exit(255);
}

/* The errno it got, 0 for none, KILLED or NO_DOOR. */
static int
ask(const struct call *c, int who, bool locked)
{
	int status;
	pid_t pid = fork();

	ck_assert(pid != -1);
	if (pid == 0)
		child(c, who, locked);
	ck_assert(waitpid(pid, &status, 0) == pid);
	if (WIFSIGNALED(status)) {
		if (c->number == I386_GETPID && WTERMSIG(status) == SIGSEGV)
			return NO_DOOR;
		ck_assert_int_eq(WTERMSIG(status), SIGSYS);
		return KILLED;
	}
	return WEXITSTATUS(status);
}

START_TEST(each_program_gets_what_is_on_its_list)
{
	const struct call *c = &calls[_i];
	int got;

	for (int who = 0; who < SANDBOX_NPROGRAMS; who++) {
		if ((c->whom & 1u << who) == 0)
			continue;
		got = ask(c, who, true);
		if (got == NO_DOOR)
			return;
		if (c->wanted == 0)
			ck_assert_msg(got != KILLED, "%s, program %d",
			    c->what, who);
		else
			ck_assert_msg(got == c->wanted, "%s, program %d: %d",
			    c->what, who, got);
	}
}
END_TEST

/* What has killed it was the list. */
START_TEST(nobody_is_killed_without_a_list)
{
	const struct call *c = &calls[_i];

	/* The machine is not the test's to disturb. */
	if (c->number == SYS_execve)
		return;
	ck_assert_int_ne(ask(c, 0, false), KILLED);
}
END_TEST

/* Landlock, with one folder: 0, an errno, or 77 where there is none. */
static int
open_behind_landlock(const char *path, int flags)
{
	const struct landlock_grant may = { .read = { "/etc" }, .nread = 1 };
	int status;
	pid_t pid = fork();

	ck_assert(pid != -1);
	if (pid == 0) {
		if (syscall(SYS_landlock_create_ruleset, NULL, 0, 1) <= 0)
			_exit(77);
		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
			_exit(255);
		landlock_apply(&may);
		_exit(open(path, flags) == -1 ? errno : 0);
	}
	ck_assert(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}

START_TEST(landlock_leaves_what_is_granted)
{
	int rc = open_behind_landlock("/etc/passwd", O_RDONLY);

	if (rc == 77)
		return; /* an old kernel */
	ck_assert_int_eq(rc, 0);
	ck_assert_int_eq(open_behind_landlock("/dev/null", O_RDONLY), EACCES);
	ck_assert_int_eq(open_behind_landlock("/dev/null", O_WRONLY), EACCES);
}
END_TEST

static Suite *
sandbox_suite(void)
{
	Suite *s = suite_create("sandbox");
	TCase *tc = tcase_create("calls");

	tcase_add_loop_test(tc, each_program_gets_what_is_on_its_list, 0,
	    NCALLS);
	tcase_add_loop_test(tc, nobody_is_killed_without_a_list, 0, NCALLS);
	tcase_add_test(tc, landlock_leaves_what_is_granted);
	tcase_set_timeout(tc, 60);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr = srunner_create(sandbox_suite());
	int failed;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
#endif
