#include "config.h"

#include "supervisor/gate/lockdown.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "supervisor/links.h"
#include "supervisor/log.h"

/* More than the deepest call here uses; touched while faults are allowed. */
#define STACK_BYTES (192 * 1024)

/*
 * A group of descriptors that somebody left open would keep the owner socket
 * company, no more; but what the gate does not know it should not hold.
 */
static int
close_strange(void)
{
	return (int)syscall(SYS_close_range, LINK_KEEPER_FD + 1, ~0u, 0);
}

int
lockdown_begin(void)
{
	const struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_CORE, &none) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_SET_NAME, "portcullis-gate", 0, 0, 0) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		return -1;
	return close_strange();
}

static void
write_oom_score(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd == -1 || write(fd, "-1000", 5) != 5)
		log_debug("cannot set oom_score_adj: %s", log_errno(errno));
	if (fd != -1)
		(void)close(fd);
}

static void
touch_stack(void)
{
	volatile char deep[STACK_BYTES];

	for (size_t i = 0; i < sizeof deep; i += 1024)
		deep[i] = 0;
}

void
lockdown_priority(void)
{
	const struct rlimit endless = { RLIM_INFINITY, RLIM_INFINITY };
	const struct sched_param rr = { .sched_priority = 1 };
	int flags = MCL_CURRENT | MCL_FUTURE;

	write_oom_score();
	touch_stack();
	/*
	 * With a limit, locking what is yet to come would mean that the stack
	 * cannot grow once CAP_IPC_LOCK is gone.
	 */
	if (setrlimit(RLIMIT_MEMLOCK, &endless) == -1)
		flags = MCL_CURRENT;
	if (mlockall(flags) == -1)
		log_warn("cannot lock memory: %s", log_errno(errno));
	if (sched_setscheduler(0, SCHED_RR, &rr) == -1)
		log_debug("no real-time scheduling: %s", log_errno(errno));
}

/* Before the user changes: needs CAP_SETPCAP. */
int
lockdown_bounding(void)
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1)
			return -1;
	return 0;
}

/*
 * Those of portcullis.service; and the two by which a gate that was started
 * by hand gets its place in the scheduler and on the OOM killer's list.
 */
static const unsigned keeper_caps[] = { CAP_NET_ADMIN, CAP_SETUID, CAP_SETGID,
	CAP_SETPCAP, CAP_CHOWN, CAP_KILL, CAP_IPC_LOCK, CAP_SYS_NICE,
	CAP_SYS_RESOURCE };

static int
bound_to(const struct __user_cap_data_struct keep[_LINUX_CAPABILITY_U32S_3])
{
	for (int cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		if ((keep[CAP_TO_INDEX(cap)].permitted & CAP_TO_MASK(cap)) ==
		    0 && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == -1)
			return -1;
	return 0;
}

int
lockdown_keeper(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct has[_LINUX_CAPABILITY_U32S_3];
	struct __user_cap_data_struct keep[_LINUX_CAPABILITY_U32S_3];
	const struct rlimit none = { 0, 0 };
	size_t i;

	if (setrlimit(RLIMIT_CORE, &none) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1)
		return -1;
	memset(keep, 0, sizeof keep);
	for (i = 0; i < sizeof keeper_caps / sizeof keeper_caps[0]; i++)
		keep[CAP_TO_INDEX(keeper_caps[i])].permitted |=
		    CAP_TO_MASK(keeper_caps[i]);
	if (setgroups(0, NULL) == -1 || bound_to(keep) == -1 ||
	    syscall(SYS_capget, &head, has) == -1)
		return -1;
	for (i = 0; i < _LINUX_CAPABILITY_U32S_3; i++) {
		keep[i].permitted &= has[i].permitted;
		keep[i].effective = keep[i].permitted;
	}
	/* With nothing to inherit the ambient set is empty as well. */
	return (int)syscall(SYS_capset, &head, keep);
}

static int
keep_net_admin(void)
{
	struct __user_cap_header_struct head = {
		.version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	memset(data, 0, sizeof data);
	data[CAP_TO_INDEX(CAP_NET_ADMIN)].permitted =
	    CAP_TO_MASK(CAP_NET_ADMIN);
	data[CAP_TO_INDEX(CAP_NET_ADMIN)].effective =
	    CAP_TO_MASK(CAP_NET_ADMIN);
	return (int)syscall(SYS_capset, &head, data);
}

int
lockdown_finish(uint32_t uid, uint32_t gid)
{
	const pid_t parent = getppid();

	if (lockdown_bounding() == -1 ||
	    prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) == -1 ||
	    setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1 || keep_net_admin() == -1 ||
	    prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return -1;
	/* The change of user has reset both. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 ||
	    prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1)
		return -1;
	if (getppid() != parent) { /* it died in between: nobody would tell */
		errno = ESRCH;
		return -1;
	}
	return 0;
}
