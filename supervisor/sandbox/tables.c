/*
 * One list for each program: see sandbox.h.  Names that an architecture does
 * not have (poll and alarm on arm64, say) count for nothing there, and the
 * one that glibc takes instead stands beside them.
 *
 * int and unsigned arguments are compared in their lower half, which is all
 * that the kernel looks at; what is in the upper one is up to the compiler.
 */
#include "config.h" /* _GNU_SOURCE */

#include "supervisor/sandbox/table.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define HALF UINT32_MAX
/* Argument N is the number V; has none of the bits V. */
#define IS(n, v) { n, SCMP_CMP_MASKED_EQ, HALF, (uint32_t)(v) }
#define NONE_OF(n, v) { n, SCMP_CMP_MASKED_EQ, (uint32_t)(v), 0 }
/* The type of socket(2), whatever its flags. */
#define TYPE(v) { 1, SCMP_CMP_MASKED_EQ, 0xf, (uint32_t)(v) }

#define MAY(name, reason) { reason, SCMP_SYS(name), 0, 0, { { 0 } } }
#define MAY_IF(name, reason, ...) { reason, SCMP_SYS(name), 0, \
	sizeof(struct scmp_arg_cmp[]){ __VA_ARGS__ } / \
	sizeof(struct scmp_arg_cmp), { __VA_ARGS__ } }
#define ANSWER(name, errnum, reason) { reason, SCMP_SYS(name), errnum, 0, \
	{ { 0 } } }
#define ANSWER_IF(name, errnum, reason, ...) { reason, SCMP_SYS(name), \
	errnum, sizeof(struct scmp_arg_cmp[]){ __VA_ARGS__ } / \
	sizeof(struct scmp_arg_cmp), { __VA_ARGS__ } }
#define SOCKET(domain, type, protocol, reason) MAY_IF(socket, reason, \
	IS(0, domain), TYPE(type), IS(2, protocol))
#define NO_WRITING (O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND | \
	(O_TMPFILE & ~O_DIRECTORY))
#define NAMESPACES (CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | \
	CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET)

#define GROUP(rows) { rows, sizeof(rows) / sizeof(rows)[0] }
#define END { NULL, 0 }

/* clang-format off */

/* --- what each of them needs -------------------------------------------- */

static const struct sandbox_row always[] = {
	MAY(read, "sockets, timers, signals"),
	MAY(write, "the log; event counters"),
	MAY(close, "a peer that has gone"),
	MAY(recvfrom, "messages of our neighbours, answers"),
	MAY(recvmsg, "the same, with a descriptor or from netlink"),
	MAY(sendto, "messages to them, questions"),
	MAY(clock_gettime, "where the vdso cannot tell the time itself"),
	MAY(writev, "glibc's last words, as of a smashed stack"),
	ANSWER(tgkill, EPERM, "abort: it ends by its next means, SIGSEGV, and "
	    "does not pass for a breach of this list"),
	MAY(gettid, "the same"),
	MAY(rt_sigprocmask, "the same"),
	MAY(rt_sigaction, "the same; libevent puts a handler back at its end"),
	MAY(restart_syscall, "a poll that SIGSTOP and SIGCONT cut in two"),
	MAY(rt_sigreturn, "the way out of a signal's handler"),
	MAY(exit_group, "the end"),
	MAY(exit, "glibc's second try at it"),
};

/* --- the gate ----------------------------------------------------------- */

/*
 * No brk, mmap, munmap, mremap: after lock-down it has all memory that it
 * will ever have.  No sockets that reach anything: Unix datagrams alone,
 * which no rule of connect(2) lets go anywhere by path but to the service
 * manager, whose socket is open since the start.
 */
static const struct sandbox_row gate[] = {
	MAY(poll, "the loop"),
	MAY(ppoll, "the same on arm64"),
	MAY(pread64, "/proc/sys/net/.../forwarding, open since the start"),
	MAY(timerfd_settime, "deadlines of lease and epoch"),
	MAY(wait4, "has the process that forgets flows ended?"),
	MAY(getpid, "in each report to the engine"),
	MAY_IF(fcntl, "a new engine's end of the pair: non-blocking",
	    IS(1, F_SETFL)),
	MAY_IF(socket, "an interface's number, by the two options below",
	    IS(0, AF_UNIX), TYPE(SOCK_DGRAM), IS(2, 0)),
	MAY_IF(setsockopt, "by name", IS(1, SOL_SOCKET),
	    IS(2, SO_BINDTODEVICE)),
	MAY_IF(getsockopt, "and back", IS(1, SOL_SOCKET),
	    IS(2, SO_BINDTOIFINDEX)),
	MAY_IF(setsockopt, "not told of each relay that we add ourselves",
	    IS(1, SOL_NETLINK), IS(2, NETLINK_DROP_MEMBERSHIP)),
	MAY_IF(setsockopt, "told again", IS(1, SOL_NETLINK),
	    IS(2, NETLINK_ADD_MEMBERSHIP)),
	MAY_IF(ioctl, "an interface's name, by its number",
	    IS(1, SIOCGIFNAME)),
};

static const struct sandbox_row gate_opens_nothing[] = {
	ANSWER(openat, ENOENT, "Linux before 6.17 has no force_forwarding: "
	    "what it says itself, and what is taken for that"),
};

/* Landlock leaves /proc/sys/net/ipv6/conf of it. */
static const struct sandbox_row gate_reads[] = {
	MAY_IF(openat, "force_forwarding of an interface that came later",
	    NONE_OF(2, NO_WRITING)),
};

/*
 * As root, under the keeper's list: sockets and signals of a gate, and the
 * process that forgets flows, which it forks before its own list holds.
 */
static const struct sandbox_row gate_start[] = {
	SOCKET(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER,
	    "nf_tables, conntrack"),
	SOCKET(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, "addresses, rules"),
	SOCKET(AF_INET, SOCK_DGRAM, 0, "the heartbeat"),
	SOCKET(AF_INET6, SOCK_DGRAM, 0, "the heartbeat"),
	MAY(bind, "the heartbeat's ports; netlink's groups"),
	MAY(getsockname, "our netlink port"),
	MAY(setsockopt, "buffers, membership of groups"),
	MAY(signalfd4, "SIGTERM and SIGINT"),
	MAY(timerfd_create, "deadlines"),
	MAY(eventfd2, "to and from the process that forgets flows"),
	MAY(mlockall, "never paged out"),
	MAY(sched_setscheduler, "in time"),
	MAY(setrlimit, "no core; endless locked memory"),
	MAY(capset, "CAP_NET_ADMIN and nothing else"),
};

/* --- the process that has flows forgotten ------------------------------- */

static const struct sandbox_row purge[] = {
	ANSWER(openat, EACCES, "it has no files"),
};

/* --- memory and the C library, of all but the gate ---------------------- */

static const struct sandbox_row memory[] = {
	MAY(brk, "malloc"),
	MAY_IF(mmap, "malloc; nothing that could be executed",
	    NONE_OF(2, PROT_EXEC)),
	MAY(munmap, "free"),
	MAY(mremap, "realloc of what is large"),
	MAY(madvise, "free, and malloc_trim"),
	MAY_IF(mprotect, "malloc's arenas; never to be executed",
	    NONE_OF(2, PROT_EXEC)),
	MAY(sysinfo, "qsort asks how much memory there is"),
	MAY(sched_getaffinity, "getrandom of glibc 2.41, malloc's arenas"),
	MAY(futex, "locks and pthread_once of libraries"),
	MAY(getrandom, "nonces, salts of hash tables"),
	MAY(gettimeofday, "where the vdso cannot tell the time itself"),
	MAY(time, "the same"),
	MAY(clock_getres, "libevent asks how fine a clock is"),
	MAY(getpid, "in each report; libevent, OpenSSL: are we a fork?"),
	MAY(getuid, "secure_getenv's question: with privileges?"),
	MAY(geteuid, "the same; may this caller command us?"),
	MAY(getgid, "the same"),
	MAY(getegid, "the same"),
#ifdef PR_SET_VMA
	MAY_IF(prctl, "names of maps: glibc.mem.decorate_maps",
	    IS(0, PR_SET_VMA)),
#endif
};

/* --- libevent's loop, of engine, status and resolver -------------------- */

static const struct sandbox_row loop[] = {
	MAY(epoll_wait, "the loop"),
	MAY(epoll_pwait, "the same on arm64"),
	MAY(epoll_pwait2, "the same of a libevent to come"),
	MAY(epoll_ctl, "who is waited for"),
	MAY(poll, "has a reader gone? c-ares and OpenSSL may wait so"),
	MAY(ppoll, "the same on arm64"),
	MAY(timerfd_settime, "a libevent with exact timers"),
	MAY(readv, "evbuffers"),
	MAY(sendmsg, "bufferevents; c-ares"),
	MAY_IF(fcntl, "non-blocking", IS(1, F_GETFL)),
	MAY_IF(fcntl, "non-blocking", IS(1, F_SETFL)),
	MAY_IF(fcntl, "not for whom we might execute", IS(1, F_GETFD)),
	MAY_IF(fcntl, "not for whom we might execute", IS(1, F_SETFD)),
	MAY_IF(ioctl, "how much has come", IS(1, FIONREAD)),
	MAY_IF(ioctl, "how much has the peer not read?", IS(1, TIOCOUTQ)),
	MAY_IF(ioctl, "stdio: is it a terminal?", IS(1, TCGETS)),
	MAY(getsockopt, "errors, and who the peer is"),
	MAY(getsockname, "what a socket is bound to"),
	MAY(getpeername, "who is at the other end"),
	MAY(shutdown, "a farewell"),
	MAY(fstat, "what is open"),
	MAY(lseek, "stdio"),
	MAY(pread64, "the policy, in its sealed memory"),
	MAY_IF(fcntl, "the same: is it sealed?", IS(1, F_GET_SEALS)),
};

/* --- reading files, of engine and resolver ------------------------------ */

static const struct sandbox_row reading[] = {
	MAY_IF(openat, "to read; where, Landlock says",
	    NONE_OF(2, NO_WRITING)),
	MAY(newfstatat, "what is at a path"),
	MAY(statx, "the same, of another glibc"),
	ANSWER(readlink, EACCES, "realpath of a library: nothing of ours"),
	ANSWER(readlinkat, EACCES, "the same"),
	ANSWER(access, EACCES, "the same"),
	ANSWER(faccessat, EACCES, "the same"),
	ANSWER(faccessat2, EACCES, "the same"),
};

/* --- the engine --------------------------------------------------------- */

static const struct sandbox_row engine[] = {
	SOCKET(AF_UNIX, SOCK_STREAM, 0, "Tor's control socket; SocksPorts"),
	SOCKET(AF_UNIX, SOCK_DGRAM, 0, "if_nametoindex"),
	SOCKET(AF_INET, SOCK_STREAM, 0, "Tor's control port; probes"),
	SOCKET(AF_INET6, SOCK_STREAM, 0, "the same"),
	SOCKET(AF_INET, SOCK_DGRAM, 0, "probes of DNSPort"),
	SOCKET(AF_INET6, SOCK_DGRAM, 0, "the same"),
	SOCKET(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG, "whose sockets?"),
	SOCKET(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE, "our addresses"),
	MAY(connect, "to Tor"),
	MAY(bind, "netlink"),
	MAY_IF(setsockopt, "how long netlink may take", IS(1, SOL_SOCKET),
	    IS(2, SO_RCVTIMEO)),
	MAY_IF(ioctl, "an interface's number", IS(1, SIOCGIFINDEX)),
	MAY(inotify_add_watch, "time synchronisation's folder"),
	MAY(inotify_rm_watch, "one that went away"),
};

/* --- the status process ------------------------------------------------- */

static const struct sandbox_row status[] = {
	MAY(accept4, "readers and callers"),
	MAY_IF(setsockopt, "a reader's buffer", IS(1, SOL_SOCKET),
	    IS(2, SO_SNDBUF)),
	MAY(newfstatat, "the group of control.sock"),
	MAY(statx, "the same, of another glibc"),
	ANSWER(openat, EACCES, "time zones: UTC is all that we write"),
	ANSWER(access, EACCES, "nothing of ours"),
	ANSWER(faccessat, EACCES, "the same"),
	ANSWER(readlink, EACCES, "the same"),
	ANSWER(readlinkat, EACCES, "the same"),
};

/* --- the resolver ------------------------------------------------------- */

static const struct sandbox_row resolver[] = {
	SOCKET(AF_INET, SOCK_DGRAM, 0, "the name server; the stub"),
	SOCKET(AF_INET6, SOCK_DGRAM, 0, "the same"),
	SOCKET(AF_INET, SOCK_STREAM, 0, "the same; DNS over TLS; proxies"),
	SOCKET(AF_INET6, SOCK_STREAM, 0, "the same"),
	SOCKET(AF_UNIX, SOCK_DGRAM, 0, "if_nametoindex, of a c-ares that asks"),
	MAY_IF(ioctl, "the same", IS(1, SIOCGIFINDEX)),
	MAY_IF(socketpair, "between c-ares and TLS", IS(0, AF_UNIX)),
	MAY(connect, "to the name server, to a proxy that is tried"),
	MAY(bind, "the stub"),
	MAY(listen, "the stub"),
	MAY(accept4, "the stub"),
	MAY(setsockopt, "the stub; our mark is the firewall's to set"),
	MAY(uname, "c-ares: are we called something?"),
	MAY(getdents64, "certificates' folder"),
};

/* --- the process that looks whose a socket is --------------------------- */

static const struct sandbox_row owner[] = {
	MAY_IF(openat, "/proc, folder by folder", NONE_OF(2, NO_WRITING)),
	MAY(getdents64, "the same"),
	MAY(newfstatat, "whose a process is"),
	MAY(fstat, "what is open"),
	MAY(readlinkat, "which socket is it?"),
	MAY_IF(fcntl, "fdopendir", IS(1, F_GETFL)),
	MAY_IF(fcntl, "fdopendir", IS(1, F_GETFD)),
	MAY_IF(fcntl, "fdopendir", IS(1, F_SETFD)),
	MAY(setresgid, "to look as a process's group, with CAP_SETGID"),
	MAY_IF(prctl, "the keeper's death, which that undoes",
	    IS(0, PR_SET_PDEATHSIG)),
	MAY(getppid, "the same"),
	MAY(lseek, "stdio"),
};

/* --- the keeper, and its children until their own lists hold ------------ */

static const struct sandbox_row keeper[] = {
	MAY(poll, "the loop"),
	MAY(ppoll, "the same on arm64"),
	MAY(wait4, "which child has ended?"),
	MAY(kill, "children: to end, or at once"),
	MAY_IF(socketpair, "between children", IS(0, AF_UNIX)),
	MAY(sendmsg, "and its ends to them"),
	MAY(memfd_create, "the policy; what is to be put back; these lists"),
	MAY(fcntl, "seals"),
	MAY(lseek, "the policy from its beginning"),
	MAY(pipe2, "from the process that looks whose a socket is"),
	/* Files: the run_dir, the policy's torrc, Tor's torrcs. */
	MAY(openat, "those, and what a program that starts is linked with"),
	MAY(newfstatat, "are they root's?"),
	MAY(fstat, "what is open"),
	MAY(statx, "the same, of another glibc"),
	MAY(getdents64, "a folder that a torrc includes"),
	MAY(readlink, "realpath"),
	MAY(readlinkat, "realpath, of another glibc"),
	MAY(access, "is there a torrc?"),
	MAY(faccessat, "the same"),
	MAY(faccessat2, "the same"),
	MAY(getcwd, "realpath"),
	MAY(mkdir, "Whonix's status folders"),
	MAY(mkdirat, "the same"),
	MAY(unlink, "the hold"),
	MAY(unlinkat, "a status file; a half written torrc"),
	MAY(rename, "a torrc, whole"),
	MAY(renameat, "the same"),
	MAY(renameat2, "the same"),
	MAY(fchown, "readable by Tor"),
	MAY(fchmod, "the same"),
	MAY(fsync, "on the disk"),
	MAY(umask, "as it was"),
	/* A child, from fork to its own list. */
	MAY_IF(clone, "fork; in no namespace of its own",
	    NONE_OF(0, NAMESPACES)),
	ANSWER(clone3, ENOSYS, "glibc falls back to clone, which shows its "
	    "flags"),
	MAY(set_robust_list, "fork, and a program's start"),
	MAY(set_tid_address, "a program's start"),
	MAY(arch_prctl, "a program's start"),
	MAY(setsid, "no terminal"),
	MAY(getppid, "is the keeper still there?"),
	MAY_IF(prctl, "the parent's death is a child's",
	    IS(0, PR_SET_PDEATHSIG)),
	MAY_IF(prctl, "a name", IS(0, PR_SET_NAME)),
	MAY_IF(prctl, "no new privileges", IS(0, PR_SET_NO_NEW_PRIVS)),
	MAY_IF(prctl, "no core, no tracing", IS(0, PR_SET_DUMPABLE)),
	MAY_IF(prctl, "which capabilities are there?", IS(0, PR_CAPBSET_READ)),
	MAY_IF(prctl, "nobody gets them back", IS(0, PR_CAPBSET_DROP)),
	MAY_IF(prctl, "the gate keeps one", IS(0, PR_SET_KEEPCAPS)),
	MAY(dup2, "descriptors in their places"),
	MAY(dup3, "the same on arm64"),
	MAY(close_range, "no others"),
	MAY(setgroups, "its own alone"),
	MAY(setresgid, "another user"),
	MAY(setresuid, "another user"),
	MAY(execveat, "its program"),
	MAY_IF(mmap, "which is linked when it starts",
	    NONE_OF(2, PROT_WRITE)),
	ANSWER_IF(mprotect, EACCES, "arm64's ld.so asks for PROT_BTI, and does "
	    "without", { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, PROT_EXEC }),
	MAY(prlimit64, "no core; more descriptors"),
	MAY(getrlimit, "the same"),
	MAY(setrlimit, "the same"),
	MAY(alarm, "an end to looking"),
	MAY(setitimer, "the same on arm64"),
	MAY(nanosleep, "a moment"),
	MAY(clock_nanosleep, "the same"),
	MAY(epoll_create1, "libevent"),
	MAY(timerfd_create, "libevent"),
	MAY(inotify_init1, "time synchronisation's folder"),
	MAY(seccomp, "a list of its own, shorter than this"),
	MAY(landlock_create_ruleset, "and files of its own"),
	MAY(landlock_add_rule, "the same"),
	MAY(landlock_restrict_self, "the same"),
	MAY(rseq, "a program's start"),
};

/* clang-format on */

static const struct sandbox_group keeper_list[] = { GROUP(always),
	GROUP(memory), GROUP(keeper), GROUP(gate_start), END };
static const struct sandbox_group gate_list[] = { GROUP(always), GROUP(gate),
	GROUP(gate_opens_nothing), END };
static const struct sandbox_group gate_files_list[] = { GROUP(always),
	GROUP(gate), GROUP(gate_reads), END };
static const struct sandbox_group purge_list[] = { GROUP(always),
	GROUP(purge), END };
static const struct sandbox_group owner_list[] = { GROUP(always),
	GROUP(memory), GROUP(owner), END };
static const struct sandbox_group engine_list[] = { GROUP(always),
	GROUP(memory), GROUP(loop), GROUP(reading), GROUP(engine), END };
static const struct sandbox_group status_list[] = { GROUP(always),
	GROUP(memory), GROUP(loop), GROUP(status), END };
static const struct sandbox_group resolver_list[] = { GROUP(always),
	GROUP(memory), GROUP(loop), GROUP(reading), GROUP(resolver), END };

const struct sandbox_group *
sandbox_groups(enum sandbox_program who)
{
	static const struct sandbox_group nothing[] = { END };
	static const struct sandbox_group *const lists[] = {
		[SANDBOX_KEEPER] = keeper_list,
		[SANDBOX_GATE] = gate_list,
		[SANDBOX_GATE_FILES] = gate_files_list,
		[SANDBOX_PURGE] = purge_list,
		[SANDBOX_OWNER] = owner_list,
		[SANDBOX_ENGINE] = engine_list,
		[SANDBOX_STATUS] = status_list,
		[SANDBOX_RESOLVER] = resolver_list,
	};

	return who < SANDBOX_NPROGRAMS ? lists[who] : nothing;
}
