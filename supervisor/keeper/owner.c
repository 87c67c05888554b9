/*
 * /proc/PID/fd shows what a process has open to whoever may debug it: to its
 * own user and group, unless the process has more capabilities or is not
 * "dumpable"; to anybody with CAP_SYS_PTRACE.  portcullisd is not given
 * CAP_SYS_PTRACE, which is power over every process of the machine.  It has
 * CAP_SETUID and CAP_SETGID anyway, so it looks as the socket's own user.
 *
 * That leaves some unfound (pid 0): programs that changed their user without
 * executing another since, and root's, which mostly have more capabilities
 * than the service.  Where /proc hides processes (hidepid=2), also those in
 * another group than their user's own.  The uid, which needs no such search,
 * is known for these too.
 *
 * The child belongs to the squatter's user then, who may stop it, kill it or
 * slow it down, but not read its memory or make it say something else (it is
 * not dumpable); the keeper never waits for it.
 */
#include "config.h" /* _GNU_SOURCE */

#include "supervisor/keeper/owner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/log.h"
#include "supervisor/sandbox/sandbox.h"

/* A scan of a thousand processes takes some 10 ms; for a dead keeper's. */
#define SCAN_S 1
/*
 * Who is looked for may have stopped the child.  The engine asks once a
 * second and for each socket once: the next question is not to find us busy.
 */
#define DEADLINE_MS 750
/* "socket:[18446744073709551615]" and its NUL. */
#define LINK_TEXT 32

void
owner_init(struct owner *o)
{
	*o = (struct owner){ .fd = -1 };
}

/* ----- in the child ------------------------------------------------------ */

/*
 * The death of KEEPER is ours, even if whose process we look for has stopped
 * us.  A change of user or group undoes that: again after each.
 */
static int
die_with(pid_t keeper)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		return -1;
	return getppid() == keeper ? 0 : -1;
}

/* Become UID and keep, of all capabilities, CAP_SETGID alone. */
static int
become(uid_t uid, gid_t gid)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = { 0 };

	if (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1)
		return -1;
	/*
	 * To look into root's processes one needs every capability that they
	 * have: what there is, is kept, and is no more than portcullisd has.
	 */
	if (uid == 0)
		return 0;
	data[0].permitted = data[0].effective = 1u << CAP_SETGID;
	if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1 ||
	    setresuid(uid, uid, uid) == -1)
		return -1;
	return (int)syscall(SYS_capset, &head, data);
}

/* No name service: that could be anything, and this process is root. */
static gid_t
group_of(uid_t uid)
{
	FILE *f = fopen("/etc/passwd", "re");
	gid_t gid = uid; /* a number that no package has given out */
	struct passwd *pw;

	if (f == NULL)
		return gid;
	while ((pw = fgetpwent(f)) != NULL)
		if (pw->pw_uid == uid) {
			gid = pw->pw_gid;
			break;
		}
	(void)fclose(f);
	return gid;
}

/* The decimal number NAME, or 0. */
static pid_t
pid_of(const char *name)
{
	char *end;
	long n = strtol(name, &end, 10);

	return *end == '\0' && n > 0 && n <= INT32_MAX ? (pid_t)n : 0;
}

struct search {
	uid_t uid;
	pid_t keeper;
	char want[LINK_TEXT];
};

static bool
has_open(int fds_dir, const char *want)
{
	char text[LINK_TEXT];
	DIR *dir = fdopendir(fds_dir);
	struct dirent *de;
	bool found = false;
	ssize_t n;

	if (dir == NULL) {
		close(fds_dir);
		return false;
	}
	while (!found && (de = readdir(dir)) != NULL) {
		n = readlinkat(dirfd(dir), de->d_name, text, sizeof text - 1);
		if (n <= 0)
			continue;
		text[n] = '\0';
		found = strcmp(text, want) == 0;
	}
	(void)closedir(dir);
	return found;
}

/* Look into process NAME; as its group, which has to be the same as well. */
static bool
look_into(DIR *proc, const char *name, const struct search *q)
{
	char path[32]; /* ten digits and "/fd" */
	struct stat st;
	int fd;

	if (fstatat(dirfd(proc), name, &st, AT_SYMLINK_NOFOLLOW) == -1 ||
	    st.st_uid != q->uid)
		return false;
	if (st.st_gid != getegid() &&
	    (setresgid(st.st_gid, st.st_gid, st.st_gid) == -1 ||
	    die_with(q->keeper) == -1))
		return false;
	(void)snprintf(path, sizeof path, "%.10s/fd", name);
	fd = openat(dirfd(proc), path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd != -1 && has_open(fd, q->want);
}

static pid_t
scan(const struct link_owner *ask, pid_t keeper)
{
	DIR *proc = opendir("/proc");
	struct search q = { .uid = ask->uid, .keeper = keeper };
	struct dirent *de;
	pid_t pid = 0;

	if (proc == NULL)
		return 0;
	(void)snprintf(q.want, sizeof q.want, "socket:[%llu]",
	    (unsigned long long)ask->inode);
	while (pid == 0 && (de = readdir(proc)) != NULL)
		if (pid_of(de->d_name) != 0 &&
		    look_into(proc, de->d_name, &q))
			pid = pid_of(de->d_name);
	(void)closedir(proc);
	return pid;
}

/* Of the keeper's descriptors the child keeps the pipe and its log. */
static int
shed(int out)
{
	sigset_t none;

	sigemptyset(&none);
	if (dup2(out, STDERR_FILENO + 1) == -1 ||
	    close_range(STDERR_FILENO + 2, ~0U, 0) == -1 ||
	    sigprocmask(SIG_SETMASK, &none, NULL) == -1)
		return -1;
	return prctl(PR_SET_NAME, "portcullis-who");
}

static void __attribute__((noreturn))
child_main(const struct link_owner *ask, int out, pid_t parent)
{
	const int end = STDERR_FILENO + 1;
	int32_t pid;

	(void)alarm(SCAN_S);
	if (shed(out) == -1 || become(ask->uid, group_of(ask->uid)) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    die_with(parent) == -1)
		fatal("cannot look as user %u: %s", (unsigned)ask->uid,
		    strerror(errno));
	sandbox_apply(SANDBOX_OWNER);
	pid = scan(ask, parent);
	_exit(write(end, &pid, sizeof pid) == sizeof pid ? 0 : 1);
}

/* ----- in the keeper ----------------------------------------------------- */

void
owner_start(struct owner *o, const struct link_owner *ask, uint64_t now)
{
	pid_t parent = getpid();
	int ends[2];

	if (o->child != 0 || o->fd != -1 ||
	    (o->asked && now - o->started_ms < LINK_OWNER_MS))
		return;
	o->asked = true;
	o->started_ms = now;
	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) == -1) {
		log_warn("pipe: %s", strerror(errno));
		return;
	}
	o->ask = *ask;
	o->child = fork();
	if (o->child == 0)
		child_main(ask, ends[1], parent);
	close(ends[1]);
	if (o->child == -1) {
		log_warn("fork: %s", strerror(errno));
		o->child = 0;
		close(ends[0]);
		return;
	}
	o->fd = ends[0];
}

/* Its end is known by SIGCHLD: o->child stays until then. */
void
owner_cancel(struct owner *o)
{
	if (o->child > 0)
		(void)kill(o->child, SIGKILL); /* may have ended */
	if (o->fd != -1)
		close(o->fd);
	o->fd = -1;
}

bool
owner_read(struct owner *o, struct link_owner *out, uint64_t now)
{
	int32_t pid = 0;
	ssize_t n;

	if (o->fd == -1)
		return false;
	n = read(o->fd, &pid, sizeof pid);
	if (n == -1 && (errno == EAGAIN || errno == EINTR) &&
	    now - o->started_ms < DEADLINE_MS)
		return false;
	*out = o->ask;
	out->pid = n == sizeof pid && pid > 0 ? pid : 0;
	owner_cancel(o);
	return true;
}

bool
owner_ended(struct owner *o, pid_t pid)
{
	if (o->child == 0 || o->child != pid)
		return false;
	o->child = 0;
	return true;
}
