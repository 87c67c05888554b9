/*
 * What would a program of ours get, if somebody had taken it over?  Stops the
 * running process PID, has it make one system call, says what came of it and
 * lets it go on as if nothing had been:
 *
 *   inject PID CALL
 *
 * prints "killed SIGNAL", "ok" or the name of an errno.  For jail.sh.
 */
#include "config.h" /* _GNU_SOURCE */

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NARGS 6
/* The kernel's own: ERESTARTSYS to ERESTART_RESTARTBLOCK. */
#define RESTART_FIRST 512
#define RESTART_LAST 516
/* A second, to catch it waiting. */
#define TRIES 200
/* Below all that the process has on its stack, red zone included. */
#define SCRATCH 8192
/* An argument that is the address of the call's text there. */
#define TEXT UINT64_C(0xfeedfacecafe0001)
#define ZEROES UINT64_C(0xfeedfacecafe0002)

struct call {
	const char *name, *text;
	long number;
	uint64_t arg[NARGS];
};

#define FD_CWD ((uint64_t)(int64_t)AT_FDCWD)
#define ANON (MAP_PRIVATE | MAP_ANONYMOUS)

static const struct call calls[] = {
	/* Root again. */
	{ "setuid", NULL, SYS_setuid, { 0 } },
	{ "setresuid", NULL, SYS_setresuid, { 0, 0, 0 } },
	{ "setgroups", NULL, SYS_setgroups, { 0, 0 } },
	{ "capset", NULL, SYS_capset, { ZEROES, ZEROES } },
	/* Files. */
	{ "open", "/etc/passwd", SYS_openat, { FD_CWD, TEXT, O_RDONLY } },
	{ "version", "/proc/version", SYS_openat,
	    { FD_CWD, TEXT, O_RDONLY } },
	{ "write", "/dev/null", SYS_openat,
	    { FD_CWD, TEXT, O_WRONLY } },
	{ "mount", "tmpfs", SYS_mount, { TEXT, TEXT, TEXT, 0, 0 } },
	{ "chroot", "/", SYS_chroot, { TEXT } },
	{ "close", NULL, SYS_close, { 0 } },
	/* Sockets. */
	{ "inet", NULL, SYS_socket, { AF_INET, SOCK_STREAM, 0 } },
	{ "udp", NULL, SYS_socket, { AF_INET, SOCK_DGRAM, 0 } },
	{ "raw", NULL, SYS_socket, { AF_INET, SOCK_RAW, 1 } },
	{ "packet", NULL, SYS_socket, { AF_PACKET, SOCK_RAW, 0 } },
	{ "vsock", NULL, SYS_socket, { AF_VSOCK, SOCK_STREAM, 0 } },
	{ "netfilter", NULL, SYS_socket,
	    { AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER } },
	{ "connect", NULL, SYS_connect, { 0, ZEROES, 16 } },
	/* Programs, and others' memory. */
	{ "exec", "/bin/true", SYS_execve, { TEXT, 0, 0 } },
	{ "clone", NULL, SYS_clone, { SIGCHLD, 0, 0, 0, 0 } },
	{ "unshare", NULL, SYS_unshare, { CLONE_NEWUSER } },
	{ "ptrace", NULL, SYS_ptrace, { PTRACE_ATTACH, 1, 0, 0 } },
	{ "kill", NULL, SYS_kill, { 1, 0 } },
	{ "mmap", NULL, SYS_mmap,
	    { 0, 4096, PROT_READ | PROT_EXEC, ANON, (uint64_t)-1, 0 } },
	{ "mprotect", NULL, SYS_mprotect,
	    { 0, 4096, PROT_READ | PROT_EXEC } },
	{ "brk", NULL, SYS_brk, { 0 } },
	/* What has been the way into many a kernel. */
	{ "io_uring", NULL, SYS_io_uring_setup, { 1, 0 } },
	{ "bpf", NULL, SYS_bpf, { 0, 0, 0 } },
	{ "keyctl", NULL, SYS_keyctl, { 0, 0 } },
	{ "userfaultfd", NULL, SYS_userfaultfd, { 1 } },
	{ "perf", NULL, SYS_perf_event_open, { 0, 0, 0, 0, 0 } },
#if defined(__x86_64__)
	/* getpid, by the numbers of x32. */
	{ "x32", NULL, 0x40000000 | SYS_getpid, { 0 } },
#endif
};

static void __attribute__((noreturn))
die(const char *what)
{
	perror(what);
	exit(2);
}

/* --- registers ------------------------------------------------------------ */

#if defined(__x86_64__)

static uint64_t
stack_of(const struct user_regs_struct *r)
{
	return r->rsp;
}

/* It waits in a call: what is before its next instruction is "syscall". */
static void
aim(struct user_regs_struct *r, long number, const uint64_t arg[NARGS])
{
	r->rip -= 2;
	r->orig_rax = (unsigned long long)-1; /* restart nothing */
	r->rax = (unsigned long long)number;
	r->rdi = arg[0];
	r->rsi = arg[1];
	r->rdx = arg[2];
	r->r10 = arg[3];
	r->r8 = arg[4];
	r->r9 = arg[5];
}

static long
result_of(const struct user_regs_struct *r)
{
	return (long)r->rax;
}

static void
set_result(struct user_regs_struct *r, long result)
{
	r->rax = (unsigned long long)result;
	r->orig_rax = (unsigned long long)-1;
}

#elif defined(__aarch64__)

static uint64_t
stack_of(const struct user_regs_struct *r)
{
	return r->sp;
}

static void
aim(struct user_regs_struct *r, long number, const uint64_t arg[NARGS])
{
	r->pc -= 4;
	for (int i = 0; i < NARGS; i++)
		r->regs[i] = arg[i];
	r->regs[8] = (uint64_t)number;
}

static long
result_of(const struct user_regs_struct *r)
{
	return (long)r->regs[0];
}

static void
set_result(struct user_regs_struct *r, long result)
{
	r->regs[0] = (uint64_t)result;
}

#else
#error "inject.c does not know this architecture's registers"
#endif

static void
registers(pid_t pid, int request, struct user_regs_struct *r)
{
	struct iovec iov = { r, sizeof *r };

	if (ptrace((enum __ptrace_request)request, pid, NT_PRSTATUS, &iov) ==
	    -1)
		die("registers");
}

/* --- one call ------------------------------------------------------------- */

static void
put(pid_t pid, uint64_t at, const void *p, size_t n)
{
	long word;

	for (size_t i = 0; i < n; i += sizeof word) {
		word = 0;
		memcpy(&word, (const char *)p + i,
		    n - i < sizeof word ? n - i : sizeof word);
		if (ptrace(PTRACE_POKEDATA, pid, (void *)(uintptr_t)(at + i),
		    (void *)word) == -1)
			die("memory");
	}
}

static void
load(pid_t pid, struct user_regs_struct *r, const struct call *c)
{
	static const char zeroes[64];
	/* ZEROES are at an even page: for mprotect, too. */
	const uint64_t at = (stack_of(r) - SCRATCH) & ~(uint64_t)4095;
	uint64_t arg[NARGS];

	put(pid, at, zeroes, sizeof zeroes);
	if (c->text != NULL)
		put(pid, at + sizeof zeroes, c->text, strlen(c->text) + 1);
	for (int i = 0; i < NARGS; i++)
		arg[i] = c->arg[i] == TEXT ? at + sizeof zeroes :
		    c->arg[i] == ZEROES ? at : c->arg[i];
	if (c->number == SYS_mprotect)
		arg[0] = at;
	aim(r, c->number, arg);
}

static void
stop(pid_t pid, struct user_regs_struct *r)
{
	int status;

	if (ptrace(PTRACE_ATTACH, pid, NULL, NULL) == -1 ||
	    waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status))
		die("attach");
	registers(pid, PTRACE_GETREGSET, r);
}

/* Stopped as it waits in a system call. */
static void
stop_in_call(pid_t pid, struct user_regs_struct *r)
{
	const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };

	for (int i = 0; i < TRIES; i++) {
		stop(pid, r);
		if (result_of(r) == -EINTR ||
		    (result_of(r) <= -RESTART_FIRST &&
		    result_of(r) >= -RESTART_LAST))
			return;
		if (ptrace(PTRACE_DETACH, pid, NULL, NULL) == -1)
			die("detach");
		(void)nanosleep(&pause, NULL);
	}
	(void)fputs("inject: it does not wait in any call\n", stderr);
	exit(2);
}

/* To the beginning or the end of a call; false: it is dead, of *SIG. */
static bool
step(pid_t pid, int *sig)
{
	int status;

	if (ptrace(PTRACE_SYSCALL, pid, NULL, NULL) == -1 ||
	    waitpid(pid, &status, __WALL) != pid)
		die("step");
	*sig = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	return WIFSTOPPED(status);
}

/* As it was; what it waited in was interrupted, as by any signal. */
static void
restore(pid_t pid, struct user_regs_struct *r)
{
	set_result(r, -EINTR);
	registers(pid, PTRACE_SETREGSET, r);
}

static void
say(long result)
{
	if (result < 0 && result > -4096)
		(void)puts(strerrorname_np((int)-result) != NULL ?
		    strerrorname_np((int)-result) : "unknown");
	else
		(void)puts("ok");
}

static int
killed(int sig)
{
	return printf("killed %d\n", sig) < 0 ? 2 : 0;
}

static int
inject(pid_t pid, const struct call *c)
{
	struct user_regs_struct saved, r;
	bool other;
	int sig;

	stop_in_call(pid, &saved);
	r = saved;
	load(pid, &r, c);
	registers(pid, PTRACE_SETREGSET, &r);
	if (!step(pid, &sig) || !step(pid, &sig))
		return killed(sig);
	registers(pid, PTRACE_GETREGSET, &r);
	/* After an exec there is nothing to go back to. */
	other = c->number == SYS_execve && result_of(&r) == 0;
	if (!other)
		restore(pid, &saved);
	/* What is to kill it does so on the way out of the call. */
	if (!step(pid, &sig))
		return killed(sig);
	say(result_of(&r));
	return ptrace(PTRACE_DETACH, pid, NULL, NULL) == -1 ? 2 : 0;
}

int
main(int argc, char **argv)
{
	struct call call;

	if (argc != 3 && argc != 4) {
		(void)fputs("usage: inject PID CALL [ARGUMENT]\n", stderr);
		return 2;
	}
	for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++) {
		if (strcmp(calls[i].name, argv[2]) != 0)
			continue;
		call = calls[i];
		if (argc == 4)
			call.arg[0] = strtoul(argv[3], NULL, 10);
		return inject((pid_t)atoi(argv[1]), &call);
	}
	(void)fprintf(stderr, "inject: no call %s\n", argv[2]);
	return 2;
}
