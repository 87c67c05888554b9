/*
 * portcullis-status: tells the world what the engine and the gate say, and
 * carries an operator's few verbs back.  It can neither open nor close
 * anything itself; when it dies, only the telling stops until the keeper has
 * started it again.  The listening sockets are the keeper's, so that clients
 * which connect meanwhile wait instead of failing.
 *
 * Callbacks record; settle() runs after each turn of the loop and publishes.
 */
#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/child.h"
#include "supervisor/fuzzing.h"
#include "supervisor/links.h"
#include "supervisor/log.h"
#include "supervisor/policyfd.h"
#include "supervisor/sandbox/landlock.h"
#include "supervisor/sandbox/sandbox.h"
#include "supervisor/status/control.h"
#include "supervisor/status/fanout.h"
#include "supervisor/status/source.h"
#include "supervisor/status/uplink.h"
#include "supervisor/wipe.h"

#define MS UINT64_C(1000000)
/* Fine enough for the two seconds after which silence is doubt. */
#define TICK_USEC 250000
/*
 * While the engine speaks, once a second, nobody is on control.sock and no
 * table waits until it may be told, there is nothing that time alone would
 * change: then the next tick is only for its silence, put off by each word.
 */
#define CALM_USEC 1500000
#define SWEEP_NS (1000 * MS)
/*
 * Five seconds are promised; the engine's next word, or CALM_USEC and a slow
 * turn, fit in between.
 */
#define HEARTBEAT_NS (3250 * MS)
/*
 * Changes closer together than this are told as one: an engine that flickers
 * cannot make us encode and send without end.
 */
#define CHANGE_GAP_NS (20 * MS)
/*
 * Nobody has more watchers; it bounds memory at some 60 MiB, and the texts of
 * the table at some 20 MiB more when it is of the longest.
 */
#define MOST_CLIENTS 16384
/* Descriptors for control clients, links, epoll and standard streams. */
#define RESERVED_FDS 128
#define LEAST_CLIENTS 8

struct status {
	struct event_base *base;
	struct event *tick, *later, *on_term, *on_int, *on_usr1;
	struct status_source source;
	struct status_fanout *fanout;
	struct status_control *control;
	struct status_uplink *uplink;
	struct pol_policy *policy; /* owned; NULL: nobody has needed it yet */
	uint64_t told_ns, swept_ns;
	bool calm;  /* the next tick is a late one */
	bool spoke; /* the engine did, in this turn */
	bool stopping;
};

/* uplink: the view is new, every line made of the old one is void. */
static void
on_view(void *arg)
{
	struct status *st = arg;

	st->spoke = true;
	status_source_note(&st->source);
}

static bool
on_result(void *arg, const struct snap_result *r)
{
	struct status *st = arg;

	return status_control_result(st->control, r);
}

static void
on_gone(void *arg)
{
	struct status *st = arg;

	if (st->control != NULL)
		status_control_gone(st->control);
}

static const struct status_uplink_ops uplink_ops = {
	.on_view = on_view,
	.on_result = on_result,
	.on_gone = on_gone,
};

static bool
send_verb(void *arg, const struct snap_verb *v)
{
	struct status *st = arg;

	return status_uplink_send(st->uplink, v);
}

static bool
send_change(void *arg, const struct snap_change *c)
{
	struct status *st = arg;

	return status_uplink_change(st->uplink, c);
}

static const struct pol_policy *
peek_policy(void *arg)
{
	struct status *st = arg;

	if (st->policy == NULL) {
		st->policy = xcalloc(1, sizeof *st->policy);
		policyfd_read(st->policy);
	}
	return st->policy;
}

static const struct status_control_ops control_ops = {
	.verb = send_verb,
	.change = send_change,
	.policy = peek_policy,
};

static void
publish(struct status *st, enum status_type type)
{
	if (type == STATUS_T_CHANGE)
		status_source_tell(&st->source);
	status_fanout_publish(st->fanout, type);
	/* After it: with thousands to serve it takes longer than the gap. */
	st->told_ns = status_now_ns();
}

/* After every turn of the loop: tell what is new, not too often. */
static void
settle(struct status *st)
{
	uint64_t quiet = status_now_ns() - st->told_ns;
	struct timeval tv = { .tv_usec = CHANGE_GAP_NS / 1000 };

	if (status_source_changed(&st->source)) {
		if (quiet >= CHANGE_GAP_NS)
			publish(st, STATUS_T_CHANGE);
		else if (event_add(st->later, &tv) == -1)
			fatal("cannot set a timer");
	} else if (quiet >= HEARTBEAT_NS) {
		publish(st, STATUS_T_HEARTBEAT);
	}
}

static void
set_tick(struct status *st, suseconds_t usec)
{
	const struct timeval tv = { usec / 1000000, usec % 1000000 };

	if (event_add(st->tick, &tv) == -1)
		fatal("cannot set a timer");
}

static void
tick_cb(evutil_socket_t fd, short what, void *arg)
{
	struct status *st = arg;

	(void)fd;
	(void)what;
	/* Time alone can turn a view into a doubt. */
	status_source_note(&st->source);
	status_control_tick(st->control);
	st->calm = false;
	set_tick(st, TICK_USEC);
}

/* Put off the tick if there is nothing to do for it, and bring it back. */
static void
pace(struct status *st)
{
	const bool busy = status_control_busy(st->control) ||
	    status_source_waits(&st->source);

	if (busy && st->calm) {
		set_tick(st, TICK_USEC);
		st->calm = false;
	} else if (!busy && st->spoke) {
		set_tick(st, CALM_USEC);
		st->calm = true;
	}
	st->spoke = false;
}

static void
sweep(struct status *st)
{
	const uint64_t now = status_now_ns();

	if (now - st->swept_ns < SWEEP_NS)
		return;
	st->swept_ns = now;
	status_fanout_sweep(st->fanout);
}

/* Nothing to do: settle() runs after it. */
static void
later_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static void
stop_cb(evutil_socket_t sig, short what, void *arg)
{
	struct status *st = arg;

	(void)sig;
	(void)what;
	st->stopping = true;
}

static void
dump_cb(evutil_socket_t sig, short what, void *arg)
{
	struct status *st = arg;
	const struct status_line *line = status_source_bare(&st->source,
	    STATUS_T_HEARTBEAT);

	(void)sig;
	(void)what;
	/* A line ends with its newline and has no NUL. */
	log_warn("clients=%zu seq=%llu %.*s", status_fanout_count(st->fanout),
	    (unsigned long long)st->source.seq, (int)line->own - 1,
	    line->text);
}

static void
libevent_log(int severity, const char *msg)
{
	if (severity >= EVENT_LOG_WARN)
		log_warn("libevent: %s", msg);
}

/* As many descriptors as we may have; how many clients that makes. */
static size_t
raise_files(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("cannot read RLIMIT_NOFILE");
	rl.rlim_cur = rl.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
		fatal("cannot raise RLIMIT_NOFILE");
	if (rl.rlim_cur >= MOST_CLIENTS + RESERVED_FDS)
		return MOST_CLIENTS;
	if (rl.rlim_cur < LEAST_CLIENTS + RESERVED_FDS)
		fatal("too few descriptors: %llu",
		    (unsigned long long)rl.rlim_cur);
	log_warn("room for %llu readers only: too few open files allowed",
	    (unsigned long long)rl.rlim_cur - RESERVED_FDS);
	return (size_t)rl.rlim_cur - RESERVED_FDS;
}

static void
check_listener(int fd, const char *name)
{
	int listening = 0, flags;
	socklen_t len = sizeof listening;

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) ==
	    -1 || listening != 1)
		fatal("descriptor %d is not %s: start portcullisd", fd, name);
	flags = fcntl(fd, F_GETFL);
	if (flags == -1 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		fatal("cannot use %s: %s", name, strerror(errno));
}

/*
 * EPOLLRDHUP is how we see a client leave without reading from it.  With its
 * coarse clock libevent would wake up several times for each timer.
 */
static struct event_base *
new_base(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base;

	if (cfg == NULL ||
	    event_config_require_features(cfg, EV_FEATURE_EARLY_CLOSE) == -1 ||
	    event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER) == -1)
		fatal("libevent is too old");
	base = event_base_new_with_config(cfg);
	if (base == NULL)
		fatal("libevent has no backend that we can use");
	event_config_free(cfg);
	return base;
}

static void
start_timers(struct status *st)
{
	st->tick = event_new(st->base, -1, 0, tick_cb, st);
	st->later = event_new(st->base, -1, 0, later_cb, st);
	st->on_term = evsignal_new(st->base, SIGTERM, stop_cb, st);
	st->on_int = evsignal_new(st->base, SIGINT, stop_cb, st);
	st->on_usr1 = evsignal_new(st->base, SIGUSR1, dump_cb, st);
	if (st->tick == NULL || st->later == NULL || st->on_term == NULL ||
	    st->on_int == NULL || st->on_usr1 == NULL)
		fatal("out of memory");
	set_tick(st, TICK_USEC);
	if (event_add(st->on_term, NULL) == -1 ||
	    event_add(st->on_int, NULL) == -1 ||
	    event_add(st->on_usr1, NULL) == -1)
		fatal("cannot set timers and signals");
}

static void
start(struct status *st, size_t most)
{
	const struct status_doors doors = { LINK_STATUS_FD, LINK_CONTROL_FD };

	event_set_log_callback(libevent_log);
	st->base = new_base();
	start_timers(st);
	status_source_init(&st->source);
	status_source_note(&st->source);
	st->told_ns = status_now_ns();
	st->uplink = status_uplink_new(st->base, &st->source.view,
	    &uplink_ops, st);
	st->control = status_control_new(st->base, LINK_CONTROL_FD,
	    &status_deadlines, &control_ops, st);
	st->fanout = status_fanout_new(st->base, &doors, most, &st->source);
}

static void
stop(struct status *st)
{
	status_fanout_free(st->fanout);
	status_uplink_free(st->uplink); /* answers those who wait */
	status_control_free(st->control);
	status_source_clear(&st->source);
	if (st->policy != NULL)
		pol_policy_clear(st->policy);
	free(st->policy);
	event_free(st->tick);
	event_free(st->later);
	event_free(st->on_term);
	event_free(st->on_int);
	event_free(st->on_usr1);
	event_base_free(st->base);
}

/* Its sockets came by descriptor: it opens nothing. */
static void
lock_in(void)
{
	const struct landlock_grant nothing = { .nread = 0 };

	/* Now, as long as they may read, libraries read what they want. */
	json_object_seed(0);
	tzset();
	landlock_apply(&nothing);
	sandbox_apply(SANDBOX_STATUS);
}

int
main(int argc, char **argv)
{
	enum log_level level = LOG_LV_INFO;
	struct status st = { 0 };
	size_t most;
	int opt;

	while ((opt = getopt(argc, argv, "v")) != -1) {
		if (opt != 'v') {
			fputs("usage: portcullis-status [-v]\n"
			    "It is started by portcullisd only.\n", stderr);
			return 2;
		}
		level = LOG_LV_DEBUG;
	}
	fuzzing_refuse("portcullis-status");
	log_init("status", level);
	child_lock_down("portcullis-stat");
	most = raise_files();
	json_set_alloc_funcs(malloc, wipe_free);
	check_listener(LINK_STATUS_FD, "status.sock");
	check_listener(LINK_CONTROL_FD, "control.sock");
	start(&st, most);
	lock_in();
	while (!st.stopping) {
		if (event_base_loop(st.base, EVLOOP_ONCE) == -1)
			fatal("the event loop failed");
		settle(&st);
		sweep(&st);
		pace(&st);
	}
	stop(&st);
	return 0;
}
