#include "config.h" /* _GNU_SOURCE */

#include "supervisor/keeper/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "policy/parse.h"
#include "policy/policy.h"
#include "supervisor/gate/gate.h"
#include "supervisor/gate/lockdown.h"
#include "supervisor/links.h"
#include "supervisor/log.h"

/* Descriptors are first copied here and up, out of each other's way. */
#define PARKING 64

/* Put the child's descriptors at 3, 4, ... and close all others. */
static void
place_fds(const struct spawn *s)
{
	size_t n = s->nfds + 1;

	for (size_t i = 0; i < n; i++) {
		int fd = i == 0 ? s->channel : s->fds[i - 1];

		if (dup2(fd, PARKING + (int)i) == -1)
			fatal("cannot copy a descriptor: %s", strerror(errno));
	}
	for (size_t i = 0; i < n; i++)
		if (dup2(PARKING + (int)i, LINK_KEEPER_FD + (int)i) == -1)
			fatal("cannot place a descriptor: %s",
			    strerror(errno));
	if (close_range((unsigned)(LINK_KEEPER_FD + n), ~0U, 0) == -1)
		fatal("cannot close descriptors: %s", strerror(errno));
}

static void
reset_signals(void)
{
	sigset_t none;

	sigemptyset(&none);
	for (int sig = 1; sig < SIGSYS; sig++)
		if (sig != SIGKILL && sig != SIGSTOP)
			(void)signal(sig, SIG_DFL);
	if (sigprocmask(SIG_SETMASK, &none, NULL) == -1)
		fatal("sigprocmask: %s", strerror(errno));
}

static void
become_user(const struct spawn *s)
{
	size_t n = s->group != s->gid ? 1 : 0;

	if (lockdown_bounding() == -1 || setgroups(n, &s->group) == -1 ||
	    setresgid(s->gid, s->gid, s->gid) == -1 ||
	    setresuid(s->uid, s->uid, s->uid) == -1)
		fatal("cannot become user %u: %s", (unsigned)s->uid,
		    strerror(errno));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		fatal("no_new_privs: %s", strerror(errno));
}

/* After the change of user, which clears it.  The parent may be gone. */
static void
die_with_parent(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1)
		fatal("parent death signal: %s", strerror(errno));
	if (getppid() != parent)
		_exit(1);
}

/* Add NAME=VALUE, as it stands in our own environment, to ENVIRONMENT. */
static void
keep_variable(char **environment, const char *name)
{
	size_t n = strlen(name);

	while (*environment != NULL)
		environment++;
	for (char **e = environ; *e != NULL; e++)
		if (strncmp(*e, name, n) == 0 && (*e)[n] == '=')
			*environment = *e;
}

static void __attribute__((noreturn))
run_program(const struct spawn *s, pid_t parent)
{
	char *environment[3] = { NULL };
	/* By root: the user need not get through the folders above it. */
	int program = open(s->program, O_PATH | O_CLOEXEC);
	char *argv[] = { (char *)(uintptr_t)s->program,
		(char *)(uintptr_t)s->arguments[0],
		(char *)(uintptr_t)s->arguments[1], NULL };

	keep_variable(environment, "JOURNAL_STREAM");
	keep_variable(environment, LOG_DEBUG_VARIABLE);
	become_user(s);
	die_with_parent(parent);
	if (program != -1)
		(void)execveat(program, "", argv, environment, AT_EMPTY_PATH);
	fatal("cannot run %s: %s (see --libexec-dir)", s->program,
	    strerror(errno));
}

pid_t
spawn_child(const struct spawn *s)
{
	pid_t parent = getpid(), pid = fork();

	if (pid != 0)
		return pid;
	/*
	 * No terminal: standard error may be one, and what is typed into a
	 * terminal can be forged by any process that it controls.
	 */
	if (setsid() == -1)
		fatal("setsid: %s", strerror(errno));
	reset_signals();
	place_fds(s);
	if (s->program != NULL)
		run_program(s, parent);
	die_with_parent(parent);
	_exit(gate_main(s->policy));
}

int
spawn_take_signals(void)
{
	static const int wanted[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };
	sigset_t set;
	int fd;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
		sigaddset(&set, wanted[i]);
	if (sigprocmask(SIG_BLOCK, &set, NULL) == -1)
		fatal("sigprocmask: %s", strerror(errno));
	(void)signal(SIGPIPE, SIG_IGN);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd == -1)
		fatal("signalfd: %s", strerror(errno));
	return fd;
}

void
spawn_log_end(const char *name, pid_t pid, int status)
{
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS)
		log_err("%s pid=%d asked the kernel for what is not on its "
		    "list of system calls, and was ended for it: either "
		    "somebody has taken it over, or the list lacks one; "
		    "please report it, with what the kernel's log says "
		    "(journalctl -k --grep=type=1326)", name, (int)pid);
	else if (WIFSIGNALED(status))
		log_warn("%s pid=%d was killed by signal %d (%s)", name,
		    (int)pid, WTERMSIG(status), strsignal(WTERMSIG(status)));
	else
		log_warn("%s pid=%d ended with code %d", name, (int)pid,
		    WEXITSTATUS(status));
}

int
spawn_policy_fd(const struct pol_policy *policy)
{
	struct pol_policy copy = *policy;
	char *text;
	size_t len;
	int fd;

	copy.tor.user.name[0] = copy.gate_user.name[0] = '\0';
	copy.engine_user.name[0] = copy.status_user.name[0] = '\0';
	if (copy.resolver_user.resolved)
		copy.resolver_user.name[0] = '\0';
	text = pol_print(&copy);
	if (text == NULL)
		fatal("out of memory");
	len = strlen(text);
	fd = memfd_create("portcullis-policy",
	    MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd == -1 || write(fd, text, len) != (ssize_t)len ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW |
	    F_SEAL_SEAL) == -1)
		fatal("cannot seal the policy: %s", strerror(errno));
	free(text);
	return fd;
}
