#include "config.h" /* _GNU_SOURCE */

#include "supervisor/keeper/keeper.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#include "policy/policy.h"
#include "supervisor/gate/anchor.h"
#include "supervisor/gate/gate.h"
#include "supervisor/gate/lockdown.h"
#include "supervisor/gate/notify.h"
#include "supervisor/keeper/change.h"
#include "supervisor/keeper/look.h"
#include "supervisor/keeper/owner.h"
#include "supervisor/keeper/rundir.h"
#include "supervisor/keeper/spawn.h"
#include "supervisor/keeper/whonix.h"
#include "supervisor/links.h"
#include "supervisor/log.h"
#include "supervisor/sandbox/landlock.h"
#include "supervisor/sandbox/sandbox.h"

/*
 * The first restart is immediate: the gate is closed meanwhile, so there is
 * nothing to wait for.  A child that keeps dying waits longer each time, to
 * leave the processor to others.
 */
#define BACKOFF_FIRST_MS 50
#define BACKOFF_MAX_MS 5000
#define STEADY_MS 1000 /* a child that lived so long starts anew at once */
#define STOP_MS 3000	/* how long a child may take to end when asked */
/* What a dead child has left unread; the kernel queues some 300. */
#define LAST_MOST 1024

struct child {
	const char *name;
	char program[512];   /* not the gate's, which is a fork of ours */
	pid_t pid;	     /* 0: not running */
	int channel;	     /* our end, -1 when not running */
	unsigned starts;
	uint64_t started_ms;
	uint64_t restart_ms; /* when to start it; 0: now */
	uint32_t backoff_ms;
	bool stood; /* the gate: it has said that it stands */
};

/* Neighbours talk over a pair of their own; a broken one is made anew. */
struct pair {
	enum link_peer a, b;
	bool pending;
};

enum { NPAIRS = 3 };

struct keeper {
	const struct pol_policy *policy;
	struct rundir rundir;
	int policy_fd;
	int signal_fd;
	struct child child[LINK_NPEER]; /* by enum link_peer */
	struct pair pair[NPAIRS];
	struct owner owner; /* what the engine has asked */
	struct change change; /* ... and is changing */
	bool held;   /* by an operator; whether or not it is written down */
	bool stands; /* the gate has once been closed and verified */
	bool stopping;
};

static uint64_t
now_ms(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		fatal("clock: %s", strerror(errno));
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* What the last engine has left to be done comes to the next one. */
static void
fill_engine(struct spawn *s, const struct keeper *k)
{
	size_t n = 0;

	s->nfds = 1;
	if (k->held || rundir_held(k->policy))
		s->arguments[n++] = LINK_HELD_ARGUMENT;
	if (k->change.fd == -1)
		return;
	s->arguments[n] = LINK_PENDING_ARGUMENT;
	s->fds[s->nfds++] = k->change.fd;
}

static void
fill_spawn(struct spawn *s, const struct keeper *k, enum link_peer who)
{
	const struct pol_policy *p = k->policy;
	const struct pol_user *user = &p->gate_user;

	memset(s, 0, sizeof *s);
	s->policy = p;
	if (who == LINK_ENGINE) {
		fill_engine(s, k);
		user = &p->engine_user;
	} else if (who == LINK_STATUS) {
		user = &p->status_user;
		s->nfds = 3;
		s->fds[1] = k->rundir.status_fd;
		s->fds[2] = k->rundir.control_fd;
	} else if (who == LINK_RESOLVER) {
		user = &p->resolver_user;
		s->nfds = 1;
	}
	if (who != LINK_GATE)
		s->program = k->child[who].program;
	s->uid = user->uid;
	s->gid = s->group = user->gid;
	if (who == LINK_ENGINE)
		s->group = p->tor.user.gid; /* reads Tor's cookie */
	s->fds[0] = k->policy_fd;
}

/* Introduce both ends of PAIR to each other, if both are there. */
static void
connect_pair(struct keeper *k, struct pair *pair)
{
	struct child *a = &k->child[pair->a], *b = &k->child[pair->b];
	int ends[2];

	pair->pending = true;
	if (a->pid == 0 || b->pid == 0)
		return; /* whoever comes later asks again */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) ==
	    -1) {
		log_err("socketpair: %s", strerror(errno));
		return;
	}
	/* If one end does not get through, both sides see a closed pair. */
	if (link_send(a->channel, pair->b, ends[0]) == 0 &&
	    link_send(b->channel, pair->a, ends[1]) == 0)
		pair->pending = false;
	close(ends[0]);
	close(ends[1]);
}

static void
start_child(struct keeper *k, enum link_peer who)
{
	struct child *c = &k->child[who];
	struct spawn s;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) ==
	    -1)
		fatal("socketpair: %s", strerror(errno));
	/* The offset is shared with every earlier reader. */
	if (lseek(k->policy_fd, 0, SEEK_SET) == -1)
		fatal("policy memory: %s", strerror(errno));
	fill_spawn(&s, k, who);
	s.channel = ends[1];
	c->pid = spawn_child(&s);
	close(ends[1]);
	if (c->pid == -1) {
		log_err("cannot start the %s: %s", c->name, strerror(errno));
		c->pid = 0;
		close(ends[0]);
		c->restart_ms = now_ms() + BACKOFF_MAX_MS;
		return;
	}
	c->channel = ends[0];
	c->stood = false;
	c->starts++;
	c->started_ms = now_ms();
	log_debug("started %s pid=%d", c->name, (int)c->pid);
	for (size_t i = 0; i < NPAIRS; i++)
		if (k->pair[i].a == who || k->pair[i].b == who)
			connect_pair(k, &k->pair[i]);
}

static void
plan_restart(struct child *c, uint64_t now)
{
	if (now - c->started_ms >= STEADY_MS) {
		c->backoff_ms = 0;
		c->restart_ms = now;
		return;
	}
	c->restart_ms = now + c->backoff_ms;
	c->backoff_ms = c->backoff_ms == 0 ? BACKOFF_FIRST_MS :
	    c->backoff_ms * 2;
	if (c->backoff_ms > BACKOFF_MAX_MS)
		c->backoff_ms = BACKOFF_MAX_MS;
}

static void
restart_engine(struct keeper *k)
{
	if (k->child[LINK_ENGINE].pid > 0) {
		log_warn("the gate asked for a new engine");
		(void)kill(k->child[LINK_ENGINE].pid, SIGKILL);
	}
}

/* The gate may say that it stands or ask for an engine; see links.h. */
static bool
ask_ok(const struct link_ask *ask, enum link_peer who)
{
	if (ask->magic != LINK_ASK_MAGIC)
		return false;
	if (who == LINK_GATE)
		return (ask->restart == LINK_NONE ||
		    ask->restart == LINK_ENGINE) &&
		    ask->hold == LINK_HOLD_NONE;
	return who == LINK_ENGINE && ask->restart == LINK_NONE &&
	    ask->hold > LINK_HOLD_NONE && ask->hold < LINK_NHOLD;
}

/* It says so each second: only the first time is another run of it. */
static void
on_stands(struct keeper *k, struct child *gate)
{
	k->stands = true;
	notify_send("WATCHDOG=1");
	if (!gate->stood)
		whonix_stands(k->policy);
	gate->stood = true;
}

static void
on_hold_or_gate(struct keeper *k, enum link_peer who,
    const struct link_ask *ask)
{
	if (who == LINK_GATE && ask->restart == LINK_NONE) {
		on_stands(k, &k->child[who]);
	} else if (who == LINK_GATE) {
		restart_engine(k);
	} else {
		k->held = ask->hold == LINK_HOLD_SET;
		(void)!rundir_hold(k->policy, k->held); /* it tells */
	}
}

/*
 * The engine has ended, perhaps with a hold behind other messages, which want
 * an answer that nobody waits for any more: a change that was not answered is
 * put back by the next one.
 */
static void
hear_last(struct keeper *k)
{
	struct link_ask ask;
	ssize_t n;

	for (int i = 0; i < LAST_MOST; i++) {
		n = recv(k->child[LINK_ENGINE].channel, &ask, sizeof ask,
		    MSG_DONTWAIT | MSG_TRUNC);
		if (n <= 0)
			return;
		if (n == sizeof ask && ask_ok(&ask, LINK_ENGINE))
			on_hold_or_gate(k, LINK_ENGINE, &ask);
	}
}

/* False when the whole supervisor has to end. */
static bool
child_ended(struct keeper *k, enum link_peer who, int status)
{
	struct child *c = &k->child[who];

	if (!k->stopping)
		spawn_log_end(c->name, c->pid, status);
	if (who == LINK_ENGINE) {
		hear_last(k);
		owner_cancel(&k->owner);
	}
	c->pid = 0;
	close(c->channel);
	c->channel = -1;
	if (who == LINK_GATE && !k->stopping)
		whonix_failed(k->policy);
	plan_restart(c, now_ms());
	/* A gate that cannot even begin: whoever started us has to know. */
	return who != LINK_GATE || k->stopping || c->starts > 1 ||
	    !WIFEXITED(status) || WEXITSTATUS(status) != GATE_EXIT_START;
}

static bool
reap(struct keeper *k)
{
	bool go_on = true;
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (owner_ended(&k->owner, pid))
			continue;
		for (int who = LINK_GATE; who < LINK_NPEER; who++)
			if (k->child[who].pid == pid &&
			    !child_ended(k, (enum link_peer)who, status))
				go_on = false;
	}
	return go_on;
}

static void
signal_children(const struct keeper *k, int sig)
{
	for (int who = LINK_GATE; who < LINK_NPEER; who++)
		if (k->child[who].pid > 0)
			(void)kill(k->child[who].pid, sig); /* may be gone */
}

static bool
any_child(const struct keeper *k)
{
	for (int who = LINK_GATE; who < LINK_NPEER; who++)
		if (k->child[who].pid > 0)
			return true;
	return false;
}

/* Every message has its own size. */
union message {
	struct link_ask ask;
	struct link_owner owner;
	struct link_change change;
	struct link_look look;
};

/* Without an answer the engine waits, and then does as after a failure. */
static void
answer_engine(const struct keeper *k, const void *p, size_t n)
{
	if (send(k->child[LINK_ENGINE].channel, p, n,
	    MSG_DONTWAIT | MSG_NOSIGNAL) == -1)
		log_warn("the engine does not read what it has asked for");
}

static void
on_change(struct keeper *k, const struct link_change *m)
{
	struct link_kept answer;

	change_take(&k->change, &answer, m, k->policy);
	answer_engine(k, &answer, sizeof answer);
}

static void
on_look(struct keeper *k, const struct link_look *q)
{
	struct link_seen answer;

	look_take(&answer, q, k->policy);
	answer_engine(k, &answer, sizeof answer);
	explicit_bzero(&answer, sizeof answer);
}

/* False: nonsense. */
static bool
on_message(struct keeper *k, enum link_peer who, const union message *m,
    size_t n)
{
	if (n == sizeof m->ask && ask_ok(&m->ask, who)) {
		on_hold_or_gate(k, who, &m->ask);
		return true;
	}
	if (who == LINK_ENGINE && n == sizeof m->change &&
	    link_change_ok(&m->change)) {
		on_change(k, &m->change);
		return true;
	}
	if (who == LINK_ENGINE && n == sizeof m->look &&
	    link_look_ok(&m->look)) {
		on_look(k, &m->look);
		return true;
	}
	if (who != LINK_ENGINE || n != sizeof m->owner ||
	    !link_owner_question_ok(&m->owner))
		return false;
	owner_start(&k->owner, &m->owner, now_ms());
	return true;
}

static void
on_ask(struct keeper *k, enum link_peer who)
{
	union message m;
	struct child *c = &k->child[who];
	/* MSG_TRUNC: the true length of what is too long. */
	ssize_t n = recv(c->channel, &m, sizeof m, MSG_DONTWAIT | MSG_TRUNC);

	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	/* Dead, or as good as: SIGCHLD tells the rest. */
	if (n == 0 || n == -1) {
		(void)kill(c->pid, SIGKILL);
		return;
	}
	if (!on_message(k, who, &m, (size_t)n)) {
		log_warn("%s sent nonsense: restarting it", c->name);
		(void)kill(c->pid, SIGKILL);
	}
	explicit_bzero(&m, sizeof m); /* there may be a password in it */
}

/* Without the answer the status does not name the process; no more. */
static void
on_owner(struct keeper *k)
{
	struct link_owner answer;
	int channel = k->child[LINK_ENGINE].channel;

	if (!owner_read(&k->owner, &answer, now_ms()) || channel == -1)
		return;
	if (send(channel, &answer, sizeof answer, MSG_DONTWAIT |
	    MSG_NOSIGNAL) == -1)
		log_debug("an owner's pid was lost: %s", strerror(errno));
}

/*
 * The engine changes Tor's listeners.  Where the gate cannot even begin, for
 * one because another portcullisd holds it, Tor is not ours to touch.
 */
static bool
is_wanted(const struct keeper *k, int who)
{
	if (who == LINK_RESOLVER && k->policy->resolver.addr.family == 0)
		return false;
	return k->child[who].pid == 0 && (who == LINK_GATE ||
	    who == LINK_STATUS || k->stands);
}

static void
start_due(struct keeper *k)
{
	uint64_t now = now_ms();

	for (int who = LINK_GATE; who < LINK_NPEER; who++)
		if (is_wanted(k, who) && k->child[who].restart_ms <= now)
			start_child(k, (enum link_peer)who);
	for (size_t i = 0; i < NPAIRS; i++)
		if (k->pair[i].pending)
			connect_pair(k, &k->pair[i]);
}

/* How long to sleep: the gate's word comes first, unless it is silent. */
static int
next_wait(const struct keeper *k)
{
	uint64_t now = now_ms(), wait = k->owner.fd == -1 ? 2000 :
	    OWNER_LOOK_MS;

	for (int who = LINK_GATE; who < LINK_NPEER; who++) {
		const struct child *c = &k->child[who];

		if (!is_wanted(k, who))
			continue;
		if (c->restart_ms <= now)
			return 0;
		if (c->restart_ms - now < wait)
			wait = c->restart_ms - now;
	}
	return (int)wait;
}

/* 1: go on; 0: asked to stop; -1: cannot go on. */
static int
on_signals(struct keeper *k)
{
	struct signalfd_siginfo si;
	int rc = 1;

	while (read(k->signal_fd, &si, sizeof si) == (ssize_t)sizeof si) {
		if (si.ssi_signo == SIGTERM || si.ssi_signo == SIGINT)
			rc = 0;
		else if (si.ssi_signo == SIGHUP)
			log_warn("SIGHUP ignored: restart portcullisd to load "
				 "a changed policy");
		else if (!reap(k))
			return -1;
	}
	return rc;
}

static int
wait_once(struct keeper *k, int timeout_ms)
{
	struct pollfd pfd[LINK_NPEER + 1] = { { .fd = k->signal_fd,
	    .events = POLLIN } };

	for (int who = LINK_GATE; who < LINK_NPEER; who++) {
		pfd[who].fd = k->child[who].channel;
		pfd[who].events = POLLIN;
	}
	pfd[LINK_NPEER].fd = k->owner.fd;
	pfd[LINK_NPEER].events = POLLIN;
	if (poll(pfd, LINK_NPEER + 1, timeout_ms) == -1 && errno != EINTR)
		fatal("poll: %s", strerror(errno));
	for (int who = LINK_GATE; who < LINK_NPEER; who++)
		if (pfd[who].revents != 0 && k->child[who].channel != -1)
			on_ask(k, (enum link_peer)who);
	on_owner(k);
	return on_signals(k);
}

/* The gate last: while engine and status end it closes and stays. */
static void
stop_children(struct keeper *k)
{
	uint64_t deadline = now_ms() + STOP_MS;

	k->stopping = true;
	owner_cancel(&k->owner);
	signal_children(k, SIGTERM);
	while (any_child(k)) {
		if (now_ms() >= deadline) {
			log_warn("a child did not end in time: killing it");
			signal_children(k, SIGKILL);
			deadline = UINT64_MAX;
		}
		/* 20 ms: a stopped child's channel stays readable. */
		(void)wait_once(k, 20);
	}
}

static void
keeper_init(struct keeper *k, const struct pol_policy *policy,
    const char *libexec_dir)
{
	static const char *const names[LINK_NPEER] = { "keeper", "gate",
		"engine", "status", "resolver" };

	memset(k, 0, sizeof *k);
	k->policy = policy;
	for (int who = LINK_NONE; who < LINK_NPEER; who++) {
		k->child[who].name = names[who];
		k->child[who].channel = -1;
		(void)snprintf(k->child[who].program,
		    sizeof k->child[who].program, "%s/portcullis-%s",
		    libexec_dir, names[who]);
	}
	owner_init(&k->owner);
	change_init(&k->change);
	k->pair[0] = (struct pair) { LINK_GATE, LINK_ENGINE, false };
	k->pair[1] = (struct pair) { LINK_ENGINE, LINK_STATUS, false };
	k->pair[2] = (struct pair) { LINK_ENGINE, LINK_RESOLVER, false };
	if (prctl(PR_SET_NAME, "portcullisd") == -1)
		fatal("process name: %s", strerror(errno));
}

int
keeper_run(const struct pol_policy *policy, const char *libexec_dir)
{
	struct keeper k;
	int rc;

	keeper_init(&k, policy, libexec_dir);
	if (rundir_open(&k.rundir, policy) == -1)
		return 1; /* there may be another one, whose gate stands */
	if (anchor_drop(policy) == -1) {
		whonix_failed(policy);
		return 1;
	}
	k.policy_fd = spawn_policy_fd(policy);
	k.signal_fd = spawn_take_signals();
	notify_init();
	if (lockdown_keeper() == -1)
		fatal("cannot give up what root can and we need not, which "
		    "takes CAP_SETPCAP and CAP_SETGID: %s", strerror(errno));
	landlock_tell();
	sandbox_apply(SANDBOX_KEEPER);
	do {
		start_due(&k);
		rc = wait_once(&k, next_wait(&k));
	} while (rc == 1);
	stop_children(&k);
	return rc == 0 ? 0 : 1;
}
