#include "config.h" /* _GNU_SOURCE */

#include "supervisor/child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "supervisor/links.h"
#include "supervisor/log.h"

/* A handed-down descriptor that is none of ours would be closed or read. */
void
child_check(const char *program)
{
	int type = 0;
	socklen_t len = sizeof type;
	struct stat st;

	if (getsockopt(LINK_KEEPER_FD, SOL_SOCKET, SO_TYPE, &type, &len) ==
	    0 && type == SOCK_SEQPACKET && fstat(LINK_POLICY_FD, &st) == 0 &&
	    S_ISREG(st.st_mode))
		return;
	(void)fprintf(stderr, "%s is started by portcullisd, not by hand.\n",
	    program);
	exit(2);
}

void
child_lock_down(const char *name)
{
	const struct rlimit none = { 0, 0 };
	pid_t keeper = getppid();

	/* It may have died before that took effect. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) == -1 || getppid() != keeper)
		fatal("the keeper is gone");
	/* We were run by descriptor, which gives no name of ours. */
	if (prctl(PR_SET_NAME, name) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    setrlimit(RLIMIT_CORE, &none) == -1 ||
	    fcntl(LINK_KEEPER_FD, F_SETFD, FD_CLOEXEC) == -1)
		fatal("cannot lock down: %s", strerror(errno));
	/* A closed socket is an error of write(2), no reason to die. */
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		fatal("cannot ignore SIGPIPE: %s", strerror(errno));
}
