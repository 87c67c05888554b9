/*
 * Starting the gate.  Everything that allocates, opens files or needs more
 * than CAP_NET_ADMIN happens here, before lock-down.
 */
#include "config.h" /* _GNU_SOURCE: O_PATH */

#include "supervisor/gate/gate.h"

#include <errno.h>
#include <fcntl.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "policy/policy.h"
#include "supervisor/fuzzing.h"
#include "supervisor/gate/act.h"
#include "supervisor/gate/install.h"
#include "supervisor/gate/lockdown.h"
#include "supervisor/gate/loop.h"
#include "supervisor/gate/notify.h"
#include "supervisor/links.h"
#include "supervisor/log.h"
#include "supervisor/sandbox/landlock.h"
#include "supervisor/sandbox/sandbox.h"

#define NS_PER_MS UINT64_C(1000000)
#define CONF_DIR "/proc/sys/net/ipv6/conf"

static int
open_signals(void)
{
	sigset_t set;

	/* Whatever the keeper handles, here it would be the wrong process. */
	for (int sig = 1; sig < NSIG; sig++)
		(void)signal(sig, SIG_DFL);
	(void)signal(SIGPIPE, SIG_IGN);
	(void)signal(SIGHUP, SIG_IGN);
	if (sigemptyset(&set) == -1 || sigaddset(&set, SIGTERM) == -1 ||
	    sigaddset(&set, SIGINT) == -1 ||
	    sigprocmask(SIG_SETMASK, &set, NULL) == -1)
		return -1;
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int
open_heart(struct gate *g)
{
	if (heart_open(&g->heart, g->policy->gate_user.uid) == 0)
		return 0;
	log_err("cannot open the heartbeat's sockets on loopback, ports %d "
	    "to %d (is lo up, and are they free?): %s", POL_HB_SPORT,
	    POL_HB_UDP, log_errno(errno));
	return -1;
}

static int
open_rest(struct gate *g)
{
	g->engine_fd = -1;
	g->signal_fd = open_signals();
	g->timer_fd = timerfd_create(CLOCK_BOOTTIME,
	    TFD_CLOEXEC | TFD_NONBLOCK);
	barrier_open(&g->barrier);
	notify_init();
	if (addrs_open(&g->addrs, g->policy) == -1) {
		log_err("cannot ask for interfaces' addresses: %s",
		    log_errno(errno));
		return -1;
	}
	if (g->signal_fd != -1 && g->timer_fd != -1)
		return 0;
	log_err("cannot watch signals and time: %s", log_errno(errno));
	return -1;
}

/*
 * The folder that barrier_check() reads in, of interfaces that come later; 0
 * before Linux 6.17, which has nothing to read there.  It stays open: the
 * right to read there is the folder's, and is lost when the kernel forgets it.
 */
static int
open_conf(void)
{
	int fd;

	if (access(CONF_DIR "/all/force_forwarding", F_OK) == -1)
		return 0;
	fd = open(CONF_DIR, O_PATH | O_CLOEXEC);
	return fd == -1 ? 0 : fd;
}

/* The last that takes memory; what it took is given back. */
static int
prepare_sandbox(struct sandbox_code *code, const struct landlock_grant *may)
{
	int rc = sandbox_prepare(code, may->read_fd != 0 ?
	    SANDBOX_GATE_FILES : SANDBOX_GATE);

#ifdef __GLIBC__
	(void)malloc_trim(0);
#endif
	if (rc == -1)
		log_err("cannot prepare the list of system calls (seccomp): "
		    "%s", log_errno(errno));
	return rc;
}

static int
lock_down(const struct pol_policy *p)
{
	static struct sandbox_code code;
	const struct landlock_grant may = { .read_fd = open_conf(),
		.signals = true };

	if (prepare_sandbox(&code, &may) == -1)
		return -1;
	lockdown_priority();
	if (lockdown_finish(p->gate_user.uid, p->gate_user.gid) == -1) {
		log_err("cannot give up privileges: %s", log_errno(errno));
		return -1;
	}
	landlock_apply(&may);
	if (sandbox_enter(&code) == 0)
		return 0;
	log_err("cannot limit ourselves to our system calls (seccomp): %s",
	    log_errno(errno));
	return -1;
}

static int
start(struct gate *g, const struct pol_policy *p)
{
	g->policy = p;
	if (lockdown_begin() == -1) {
		log_err("cannot prepare the process: %s", log_errno(errno));
		return -1;
	}
	/* Without it the gate stands; the owner's socket is not open yet. */
	purge_start(&g->purge, p->gate_user.uid, p->gate_user.gid);
	/* Before the sockets: another gate has their ports too. */
	if (install_look(&g->kern, p) == -1 || open_heart(g) == -1 ||
	    open_rest(g) == -1 ||
	    install_tables(&g->kern, heart_has(&g->heart, AF_INET6)) == -1)
		return -1;
	routes_start(&g->routes, p);
	ifconf_start(&g->ifconf, p);
	purge_request(&g->purge); /* our predecessor may have died open */
	return lock_down(p);
}

static void
tell_keeper(void)
{
	if (link_ask(LINK_NONE, LINK_HOLD_NONE) == -1)
		log_warn("cannot tell the keeper that the gate stands: %s",
		    log_errno(errno));
}

int
gate_main(const struct pol_policy *p)
{
	static struct gate g;

	fuzzing_refuse("portcullisd[gate]");
	log_init("gate", LOG_LV_INFO);
	if (start(&g, p) == -1)
		return GATE_EXIT_START;
	gate_core_init(&g.core, p, act_now() / NS_PER_MS);
	pace_init(&g.pace, p->lease_ms);
	log_info("position=closed epoch=%llu: %s",
	    (unsigned long long)g.core.epoch, gate_reason_text(g.core.why));
	notify_send("READY=1\nSTATUS=closed");
	tell_keeper();
	return loop_run(&g);
}
