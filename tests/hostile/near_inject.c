/*
 * Makes a system call of a running process fail, by ptrace(2): near_inject
 * -p PID -e ERRNO [-k K] [-m once|kind|all] [-c CALL] [-a request|now|AFTER]
 * [-t MS], or with -l: only tell them.  In place of -p PID: -- COMMAND..., of
 * which it makes calls fail as soon as that is executed, or, with -f N, those
 * of the N-th process that it forks, alone.
 *
 * Calls are counted from the moment it is armed: at once, when the gate has
 * read a request to close, or when a call AFTER has been made.  Of these the
 * K-th (the first is 0) fails with ERRNO without being made; "kind": and all
 * later ones of its name; "all": and whatever comes later.  With -c only
 * calls of that name count.  It lets go after MS milliseconds, which count
 * from when it is armed, or at SIGTERM.
 *
 * Prints "watching", "armed", for -l "call NAME" of each, "hit NAME TIMES"
 * and how it ended: "let go" or "ended"; then, of a COMMAND, "exit CODE" or
 * "signal NUMBER".  A call is not made by making another one in its place,
 * close(-1): every filter of calls has that one.
 */
#include "config.h" /* _GNU_SOURCE */

#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/gatemsg.h"

#ifdef __x86_64__

#define NCALLS 512

enum mode { ONCE, KIND, ALL };

struct tool {
	pid_t pid;
	int error;
	unsigned long k;
	enum mode mode;
	long only; /* -1: whatever it is */
	bool on_request, list;
	long after; /* armed by this call; -1: by another reason */
	long ms;
	pid_t command; /* 0: it was there before us */
	unsigned long fork; /* how many are still to come; 0: none matters */
	/* What has become of it. */
	bool armed, failing;
	unsigned long count;
	long kind; /* what was hit first, in mode KIND */
	unsigned long hits[NCALLS];
	struct user_regs_struct saved; /* of a call that is not made */
};

#define CALL(name) { SYS_##name, #name }
static const struct {
	long nr;
	const char *name;
} names[] = {
	CALL(read), CALL(write), CALL(close), CALL(poll), CALL(mmap),
	CALL(munmap), CALL(mprotect), CALL(brk), CALL(ioctl), CALL(writev),
	CALL(readv), CALL(socket), CALL(connect), CALL(sendto),
	CALL(recvfrom), CALL(sendmsg), CALL(recvmsg), CALL(getsockname),
	CALL(socketpair), CALL(setsockopt), CALL(getsockopt), CALL(clone),
	CALL(fork), CALL(wait4), CALL(kill), CALL(fcntl), CALL(openat),
	CALL(unlink), CALL(epoll_wait), CALL(epoll_pwait), CALL(epoll_ctl),
	CALL(timerfd_settime), CALL(accept4), CALL(clock_gettime),
	CALL(getpid), CALL(getppid), CALL(getrandom), CALL(futex),
	CALL(lseek), CALL(fstat), CALL(newfstatat), CALL(pread64),
	CALL(prctl), CALL(exit_group), CALL(pipe2), CALL(clone3),
	CALL(execveat), CALL(memfd_create), CALL(eventfd2), CALL(bind),
	CALL(listen), CALL(getdents64), CALL(ppoll), CALL(mremap),
	CALL(madvise), CALL(rt_sigprocmask), CALL(restart_syscall),
	CALL(shutdown), CALL(getpeername), CALL(signalfd4), CALL(mkdir),
	CALL(lstat), CALL(stat), CALL(rename), CALL(fsync), CALL(flock),
	CALL(timerfd_create), CALL(epoll_create1), CALL(set_robust_list),
	CALL(rt_sigaction), CALL(dup2), CALL(close_range), CALL(statx),
	CALL(fdatasync), CALL(ftruncate), CALL(getuid), CALL(geteuid),
	CALL(gettid), CALL(tgkill), CALL(rt_sigreturn), CALL(open),
	CALL(readlinkat), CALL(readlink), CALL(unlinkat), CALL(accept),
	CALL(setresuid), CALL(setresgid), CALL(setgroups), CALL(setsid),
	CALL(capset), CALL(capget), CALL(seccomp), CALL(mlockall),
	CALL(setrlimit), CALL(prlimit64), CALL(umask), CALL(chown),
	CALL(chmod), CALL(mkdirat), CALL(set_tid_address), CALL(rseq),
	CALL(arch_prctl), CALL(access), CALL(execve), CALL(uname),
	CALL(sched_setscheduler), CALL(sched_getaffinity), CALL(sysinfo),
	CALL(landlock_create_ruleset), CALL(landlock_add_rule),
	CALL(landlock_restrict_self), CALL(inotify_init1), CALL(dup3),
	CALL(inotify_add_watch), CALL(getgid), CALL(getegid), CALL(time),
};

static const struct {
	int error;
	const char *name;
} errors[] = {
	{ ENOMEM, "ENOMEM" }, { EMFILE, "EMFILE" }, { ENFILE, "ENFILE" },
	{ ENOBUFS, "ENOBUFS" }, { EINTR, "EINTR" }, { EAGAIN, "EAGAIN" },
	{ EPERM, "EPERM" }, { ENOSPC, "ENOSPC" }, { EIO, "EIO" },
	{ EBADF, "EBADF" }, { EPIPE, "EPIPE" }, { EINVAL, "EINVAL" },
	{ EACCES, "EACCES" },
};

static const char *
call_name(long nr)
{
	static char number[32];

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (names[i].nr == nr)
			return names[i].name;
	(void)snprintf(number, sizeof number, "call_%ld", nr);
	return number;
}

static long
call_number(const char *name)
{
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		if (strcmp(names[i].name, name) == 0)
			return names[i].nr;
	return -1;
}

static int
error_number(const char *name)
{
	for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++)
		if (strcmp(errors[i].name, name) == 0)
			return errors[i].error;
	return 0;
}

static void __attribute__((noreturn))
die(const char *what)
{
	(void)fprintf(stderr, "near_inject: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void
get_regs(const struct tool *t, struct user_regs_struct *r)
{
	struct iovec iov = { r, sizeof *r };

	if (ptrace(PTRACE_GETREGSET, t->pid, NT_PRSTATUS, &iov) == -1 &&
	    errno != ESRCH)
		die("registers");
}

static void
set_regs(const struct tool *t, struct user_regs_struct *r)
{
	struct iovec iov = { r, sizeof *r };

	if (ptrace(PTRACE_SETREGSET, t->pid, NT_PRSTATUS, &iov) == -1 &&
	    errno != ESRCH)
		die("registers");
}

static volatile sig_atomic_t over;

static void
on_alarm(int sig)
{
	(void)sig;
	over = 1;
}

/* Our time runs, from now on. */
static void
arm(struct tool *t)
{
	const struct itimerval in = {
		.it_interval.tv_usec = 10000, /* should one come too early */
		.it_value = { t->ms / 1000, (t->ms % 1000) * 1000 },
	};

	t->armed = true;
	(void)puts("armed");
	(void)fflush(stdout);
	if (setitimer(ITIMER_REAL, &in, NULL) == -1)
		die("timer");
}

/* Has it just read a request to close? */
static bool
is_request(const struct tool *t, const struct user_regs_struct *r)
{
	struct gate_req q;
	struct iovec here = { &q, sizeof q };
	struct iovec there = { (void *)(uintptr_t)r->rsi, sizeof q };

	if ((long)r->orig_rax != SYS_recvfrom || r->rax != sizeof q)
		return false;
	if (process_vm_readv(t->pid, &here, 1, &there, 1, 0) != sizeof q)
		die("its memory");
	return q.magic == GATE_MAGIC && q.want == GATE_CLOSED;
}

static bool
is_to_fail(struct tool *t, long nr)
{
	if (t->only != -1 && nr != t->only)
		return false;
	if (nr == SYS_exit_group || nr == SYS_rt_sigreturn)
		return false; /* nobody can refuse these */
	if (t->count++ == t->k) {
		t->kind = nr;
		return true;
	}
	if (t->count <= t->k)
		return false;
	return t->mode == ALL || (t->mode == KIND && nr == t->kind);
}

static void
on_entry(struct tool *t)
{
	struct user_regs_struct r;
	long nr;

	get_regs(t, &r);
	nr = (long)r.orig_rax;
	t->failing = false;
	if (!t->armed)
		return;
	if (t->list) {
		(void)printf("call %s\n", call_name(nr));
		return;
	}
	t->failing = is_to_fail(t, nr);
	if (!t->failing)
		return;
	t->saved = r;
	if (nr >= 0 && nr < NCALLS)
		t->hits[nr]++;
	r.orig_rax = SYS_close;
	r.rdi = (unsigned long long)-1;
	set_regs(t, &r);
}

static void
on_exit_stop(struct tool *t)
{
	struct user_regs_struct r;

	get_regs(t, &r);
	if (t->failing) {
		r.rdi = t->saved.rdi;
		r.orig_rax = t->saved.orig_rax;
		r.rax = (unsigned long long)-(long long)t->error;
		set_regs(t, &r);
	} else if (!t->armed && (t->after == (long)r.orig_rax ||
	    (t->on_request && is_request(t, &r)))) {
		arm(t);
	}
	t->failing = false;
}

static bool
is_entry(const struct tool *t)
{
	struct __ptrace_syscall_info si;

	if (ptrace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof si, &si) == -1)
		return false;
	return si.op == PTRACE_SYSCALL_INFO_ENTRY;
}

/* It has forked: that one, if it is the one, is what we trace. */
static void
on_fork(struct tool *t)
{
	unsigned long pid;
	int status;

	if (ptrace(PTRACE_GETEVENTMSG, t->pid, 0, &pid) == -1 ||
	    waitpid((pid_t)pid, &status, __WALL) == -1)
		die("what it has forked");
	if (--t->fork > 0) {
		(void)ptrace(PTRACE_DETACH, (pid_t)pid, 0, 0);
		return;
	}
	(void)ptrace(PTRACE_DETACH, t->pid, 0, 0);
	t->pid = (pid_t)pid;
	if (ptrace(PTRACE_SETOPTIONS, t->pid, 0, PTRACE_O_TRACESYSGOOD) == -1)
		die("cannot trace what it has forked");
	arm(t);
}

/* Stopped, for whatever reason: what to go on with. */
static int
on_stop(struct tool *t, int status)
{
	const int sig = WSTOPSIG(status), event = status >> 16;

	if (event == PTRACE_EVENT_FORK)
		on_fork(t);
	if (event == PTRACE_EVENT_EXEC && t->command != 0 && t->fork == 0 &&
	    t->after == -1 && !t->armed)
		arm(t);
	if (sig == (SIGTRAP | 0x80)) {
		if (is_entry(t))
			on_entry(t);
		else
			on_exit_stop(t);
		return 0;
	}
	return event != 0 ? 0 : sig;
}

/*
 * It may be between entry and exit of a call: one that is not made gets its
 * answer before we go.  Any stop will do; one of a call's takes the place of
 * the one that we ask for.
 */
static void
let_go(struct tool *t)
{
	int status, sig = 0;

	t->armed = t->on_request = false;
	if (!t->failing && ptrace(PTRACE_INTERRUPT, t->pid, 0, 0) == -1)
		return;
	for (;;) {
		if (waitpid(t->pid, &status, __WALL) == -1) {
			if (errno == EINTR)
				continue;
			return;
		}
		if (!WIFSTOPPED(status))
			return;
		if (t->failing || status >> 16 == 0)
			sig = on_stop(t, status);
		if (!t->failing)
			break;
		(void)ptrace(PTRACE_SYSCALL, t->pid, 0, sig);
	}
	(void)ptrace(PTRACE_DETACH, t->pid, 0, sig);
}

static void
tell(const struct tool *t, const char *end)
{
	for (long nr = 0; nr < NCALLS; nr++)
		if (t->hits[nr] != 0)
			(void)printf("hit %s %lu\n", call_name(nr),
			    t->hits[nr]);
	(void)puts(end);
	(void)fflush(stdout);
}

static void
tell_end(int status)
{
	if (WIFEXITED(status))
		(void)printf("exit %d\n", WEXITSTATUS(status));
	else
		(void)printf("signal %d\n", WTERMSIG(status));
}

/* Executed when GO says so: then we are there. */
static void
start(struct tool *t, char **argv, int go[2])
{
	char octet;

	if (pipe(go) == -1 || (t->command = fork()) == -1)
		die("cannot start it");
	t->pid = t->command;
	if (t->command != 0)
		return;
	(void)close(go[1]);
	(void)!read(go[0], &octet, 1);
	(void)close(go[0]);
	(void)execv(argv[0], argv);
	die(argv[0]);
}

/* It goes on without us. */
static void
wait_for_command(const struct tool *t)
{
	const struct itimerval none = { .it_value = { 0, 0 } };
	int status;

	(void)setitimer(ITIMER_REAL, &none, NULL);
	while (waitpid(t->command, &status, 0) == -1)
		if (errno != EINTR)
			return; /* it ended before our eyes, and was told */
	tell_end(status);
}

static void
seize(const struct tool *t)
{
	long options = PTRACE_O_TRACESYSGOOD;

	if (t->command != 0)
		options |= PTRACE_O_TRACEEXEC;
	if (t->fork != 0)
		options |= PTRACE_O_TRACEFORK;
	if (ptrace(PTRACE_SEIZE, t->pid, 0, options) == -1 ||
	    ptrace(PTRACE_INTERRUPT, t->pid, 0, 0) == -1)
		die("cannot trace it");
	(void)puts("watching");
	(void)fflush(stdout);
}

static void
watch(struct tool *t)
{
	int status, sig;

	if (!t->on_request && t->after == -1 && t->command == 0)
		arm(t);
	for (;;) {
		if (over || waitpid(t->pid, &status, __WALL) == -1) {
			if (!over && errno == EINTR)
				continue;
			let_go(t);
			tell(t, "let go");
			return;
		}
		if (!WIFSTOPPED(status)) {
			tell(t, "ended");
			if (t->pid == t->command)
				tell_end(status);
			return;
		}
		sig = on_stop(t, status);
		(void)ptrace(PTRACE_SYSCALL, t->pid, 0, sig);
	}
}

static bool
take(struct tool *t, int c)
{
	static const char *const modes[] = { "once", "kind", "all" };

	switch (c) {
	case 'p':
		t->pid = (pid_t)atoi(optarg);
		return t->pid > 0;
	case 'e':
		t->error = error_number(optarg);
		return t->error != 0;
	case 'k':
		t->k = strtoul(optarg, NULL, 10);
		return true;
	case 'm':
		for (t->mode = ONCE; t->mode <= ALL; t->mode++)
			if (strcmp(optarg, modes[t->mode]) == 0)
				return true;
		return false;
	case 'c':
		t->only = call_number(optarg);
		return t->only != -1;
	case 'a':
		t->on_request = strcmp(optarg, "request") == 0;
		t->after = call_number(optarg);
		return t->on_request || t->after != -1 ||
		    strcmp(optarg, "now") == 0;
	case 'f':
		t->fork = strtoul(optarg, NULL, 10);
		return true;
	case 'l':
		t->list = true;
		return true;
	case 't':
		t->ms = atol(optarg);
		return t->ms > 0;
	default:
		return false;
	}
}

int
main(int argc, char **argv)
{
	static struct tool t = { .only = -1, .after = -1, .ms = 500 };
	/* Without SA_RESTART: it ends the wait. */
	const struct sigaction sa = { .sa_handler = on_alarm };
	int c, go[2];

	while ((c = getopt(argc, argv, "+p:e:k:m:c:a:f:lt:")) != -1)
		if (!take(&t, c)) {
			(void)fprintf(stderr, "near_inject: -%c: see the "
			    "top of its source\n", c);
			return 2;
		}
	if ((t.pid == 0) == (optind == argc) || (t.error == 0 && !t.list))
		return 2;
	/* Whole lines: the command may write to the same file. */
	(void)setvbuf(stdout, NULL, _IOLBF, 0);
	if (sigaction(SIGALRM, &sa, NULL) == -1 ||
	    sigaction(SIGTERM, &sa, NULL) == -1)
		die("signal");
	if (t.pid == 0)
		start(&t, argv + optind, go);
	seize(&t);
	if (t.command != 0)
		(void)close(go[1]);
	watch(&t);
	if (t.command != 0)
		wait_for_command(&t);
	return 0;
}

#else /* other machines name the registers otherwise */

int
main(void)
{
	(void)puts("knows the registers of x86-64 only");
	return 77;
}

#endif
