/*
 * portcullis-engine: talks to Tor, decides, asks the gate.  Started by
 * portcullisd with everything it needs; see supervisor/links.h.
 */
#include "config.h" /* _GNU_SOURCE */

#include <errno.h>
#include <event2/event.h>
#include <openssl/rand.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "policy/policy.h"
#include "supervisor/child.h"
#include "supervisor/engine/addrs.h"
#include "supervisor/engine/clients.h"
#include "supervisor/engine/cookie.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/pairlink.h"
#include "supervisor/engine/privacy.h"
#include "supervisor/engine/shell.h"
#include "supervisor/engine/sockdiag.h"
#include "supervisor/engine/timefile.h"
#include "supervisor/engine/torlink.h"
#include "supervisor/fuzzing.h"
#include "supervisor/links.h"
#include "supervisor/log.h"
#include "supervisor/policyfd.h"
#include "supervisor/sandbox/landlock.h"
#include "supervisor/sandbox/sandbox.h"
#include "supervisor/namemsg.h"
#include "supervisor/snapshot.h"

/* So often the files of the clock are looked for, besides at a change. */
static const struct timeval look_every = { 0, 500000 };

uint64_t
shell_now(void)
{
	struct timespec ts;

	if (clock_gettime(CLOCK_BOOTTIME, &ts) == -1)
		fatal("clock_gettime: %s", strerror(errno));
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void
on_gate_up(struct shell *sh)
{
	engine_gate_up(sh->engine, shell_now());
}

static void
on_gate_down(struct shell *sh)
{
	engine_gate_down(sh->engine, shell_now());
}

/* The core judges the bytes; its end of the pair stays. */
static int
on_gate_message(struct shell *sh, const void *p, size_t n)
{
	engine_gate_bytes(sh->engine, p, n, shell_now());
	return 0;
}

static const struct pairlink_ops gate_ops = {
	.name = "gate",
	.size = sizeof(struct gate_report),
	.up = on_gate_up,
	.down = on_gate_down,
	.message = on_gate_message,
};

static void
on_status_up(struct shell *sh)
{
	engine_status_up(sh->engine);
}

static void
on_status_down(struct shell *sh)
{
	engine_status_down(sh->engine);
}

/* A change, which may hold a password; pairlink wipes the buffer. */
static int
on_change(struct shell *sh, const void *p)
{
	struct snap_change c;

	memcpy(&c, p, sizeof c);
	if (!snap_change_ok(&c)) {
		explicit_bzero(&c, sizeof c);
		return -1;
	}
	engine_change(sh->engine, &c, shell_now());
	explicit_bzero(&c, sizeof c);
	return 0;
}

static int
on_status_message(struct shell *sh, const void *p, size_t n)
{
	struct snap_verb v;

	if (n == sizeof(struct snap_change))
		return on_change(sh, p);
	if (n != sizeof v)
		return -1;
	memcpy(&v, p, sizeof v);
	if (!snap_verb_ok(&v))
		return -1;
	engine_verb(sh->engine, &v, shell_now());
	return 0;
}

static const struct pairlink_ops status_ops = {
	.name = "status process",
	.size = sizeof(struct snap_change),
	.secret = true,
	.up = on_status_up,
	.down = on_status_down,
	.message = on_status_message,
};

static void
on_resolver_up(struct shell *sh)
{
	engine_resolver_up(sh->engine, shell_now());
}

static void
on_resolver_down(struct shell *sh)
{
	engine_resolver_down(sh->engine, shell_now());
}

/* The core judges the bytes, as the gate's. */
static int
on_resolver_message(struct shell *sh, const void *p, size_t n)
{
	return engine_resolver_bytes(sh->engine, p, n, shell_now());
}

union from_resolver {
	struct name_result result;
	struct name_want want;
	struct name_verdict_msg verdict;
	struct name_count count;
};

static const struct pairlink_ops resolver_ops = {
	.name = "resolver",
	.size = sizeof(union from_resolver),
	.up = on_resolver_up,
	.down = on_resolver_down,
	.message = on_resolver_message,
};

static void
load_policy(struct pol_policy *policy)
{
	policyfd_read(policy);
	close(LINK_POLICY_FD);
	if (!policy->tor.user.resolved)
		fatal("the policy names Tor's user without its number");
}

static void
take_end(struct shell *sh, enum link_peer peer, int end)
{
	if (peer == LINK_GATE)
		pairlink_take(sh->gate, end);
	else if (peer == LINK_STATUS)
		pairlink_take(sh->status, end);
	else if (peer == LINK_RESOLVER)
		pairlink_take(sh->resolver, end);
	else
		close(end);
}

static void
tell_addresses(struct shell *sh)
{
	struct pol_addr internal[PRIVACY_INTERNAL];

	engine_internal(sh->engine, internal, addrs_internal(sh->addrs,
	    internal, PRIVACY_INTERNAL));
	addrs_interface(sh->addrs, sh->ifaddrs);
	sh->addrs_told = addrs_generation(sh->addrs);
	engine_addresses(sh->engine, sh->ifaddrs, shell_now());
}

static void
on_addrs_cb(evutil_socket_t fd, short what, void *arg)
{
	struct shell *sh = arg;

	(void)fd;
	(void)what;
	if (addrs_read(sh->addrs) == -1)
		log_debug("nothing is here until the next proof looks again");
	/* op_prove() may have read it before us. */
	if (addrs_generation(sh->addrs) != sh->addrs_told)
		tell_addresses(sh);
}

static void
on_time_cb(evutil_socket_t fd, short what, void *arg)
{
	struct shell *sh = arg;

	(void)fd;
	(void)what;
	engine_time(sh->engine, timefile_look(sh->time), shell_now());
	engine_timesync(sh->engine, timefile_word(sh->time));
}

static void
on_keeper_cb(evutil_socket_t fd, short what, void *arg)
{
	struct shell *sh = arg;
	enum link_peer peer = LINK_NONE;
	struct link_said said;
	int end = -1;

	(void)fd;
	(void)what;
	switch (link_recv_engine(&peer, &end, &said)) {
	case LINK_NOTHING:
		break;
	case LINK_LOST:
		log_debug("the keeper is gone");
		event_base_loopbreak(sh->base);
		break;
	case LINK_OWNER:
		engine_owner(sh->engine, said.owner.inode, said.owner.pid,
		    shell_now());
		break;
	case LINK_KEPT:
		engine_kept(sh->engine, &said.kept, shell_now());
		break;
	case LINK_SEEN:
		engine_looked(sh->engine, &said.seen, shell_now());
		explicit_bzero(&said.seen, sizeof said.seen);
		break;
	case LINK_HANDED:
		take_end(sh, peer, end);
		break;
	}
}

static void
on_term_cb(evutil_socket_t sig, short what, void *arg)
{
	struct shell *sh = arg;

	(void)sig;
	(void)what;
	event_base_loopbreak(sh->base);
}

static void
on_usr1_cb(evutil_socket_t sig, short what, void *arg)
{
	struct shell *sh = arg;
	const struct facts *f = engine_facts(sh->engine);
	uint64_t now = shell_now();

	(void)sig;
	(void)what;
	log_warn("dump: state=%s asked=%s reason=%s epoch=%llu",
	    sm_name(engine_state(sh->engine)),
	    gate_position_name(engine_asked(sh->engine)),
	    engine_reason_code(sh->engine), (unsigned long long)f->epoch);
	for (unsigned i = 0; i < NFACT; i++)
		log_warn("dump: %s %s, %lld ms old", facts_name(i),
		    facts_holds(f, i, now) ? "holds" : "is missing",
		    f->at[i] == 0 ? -1LL : (long long)(now - f->at[i]));
}

static void
on_timer_cb(evutil_socket_t fd, short what, void *arg)
{
	/* The loop has turned; run() does the rest. */
	(void)fd;
	(void)what;
	(void)arg;
}

static void
log_cb(int severity, const char *msg)
{
	if (severity >= EVENT_LOG_WARN)
		log_warn("libevent: %s", msg);
	else
		log_debug("libevent: %s", msg);
}

static void
watch(struct event *ev)
{
	if (ev == NULL || event_add(ev, NULL) == -1)
		fatal("cannot watch a descriptor or signal");
}

static void
start_time(struct shell *sh)
{
	if (!sh->policy->timesync.required)
		return;
	sh->time = timefile_new(&sh->policy->timesync);
	if (timefile_fd(sh->time) != -1) {
		sh->ev_time = event_new(sh->base, timefile_fd(sh->time),
		    EV_READ | EV_PERSIST, on_time_cb, sh);
		watch(sh->ev_time);
	}
	sh->ev_look = event_new(sh->base, -1, EV_PERSIST, on_time_cb, sh);
	if (sh->ev_look == NULL || event_add(sh->ev_look, &look_every) == -1)
		fatal("cannot set a timer");
	on_time_cb(-1, 0, sh);
}

static void
stop_time(struct shell *sh)
{
	if (sh->ev_time != NULL)
		event_free(sh->ev_time);
	if (sh->ev_look != NULL)
		event_free(sh->ev_look);
	timefile_free(sh->time);
}

/* Turn the loop until the keeper is gone or we are told to end. */
static int
run(struct shell *sh)
{
	struct event *timer = event_new(sh->base, -1, 0, on_timer_cb, NULL);
	uint64_t now, wait;
	struct timeval tv;

	if (timer == NULL)
		fatal("out of memory");
	while (!event_base_got_break(sh->base)) {
		now = shell_now();
		wait = engine_settle(sh->engine, now) - now;
		if (engine_state(sh->engine) == SM_HALT)
			break;
		tv.tv_sec = (time_t)(wait / 1000);
		tv.tv_usec = (suseconds_t)(wait % 1000 * 1000);
		if (event_add(timer, &tv) == -1 ||
		    event_base_loop(sh->base, EVLOOP_ONCE) == -1)
			fatal("the event loop failed");
	}
	event_free(timer);
	return engine_state(sh->engine) == SM_HALT ? 1 : 0;
}

/*
 * With the clock that libevent uses otherwise, of 4 ms, it would wake up too
 * early for most timers and then once a millisecond until they are due.
 */
static struct event_base *
new_base(void)
{
	struct event_config *cfg = event_config_new();
	struct event_base *base;

	if (cfg == NULL ||
	    event_config_set_flag(cfg, EVENT_BASE_FLAG_PRECISE_TIMER) == -1)
		fatal("libevent cannot be set up");
	base = event_base_new_with_config(cfg);
	if (base == NULL)
		fatal("libevent has no event loop for us");
	event_config_free(cfg);
	return base;
}

static void
start_shell(struct shell *sh, const struct pol_policy *policy)
{
	sh->policy = policy;
	event_set_log_callback(log_cb);
	sh->base = new_base();
	sh->addrs = addrs_new(policy);
	if (sh->addrs == NULL)
		fatal("the list of addresses: %s", strerror(errno));
	sh->ev_addrs = event_new(sh->base, addrs_fd(sh->addrs),
	    EV_READ | EV_PERSIST, on_addrs_cb, sh);
	watch(sh->ev_addrs);
	sh->diag = sockdiag_new(policy, sh->addrs);
	if (sh->diag == NULL)
		fatal("sock_diag: %s", strerror(errno));
	sh->tor = torlink_new(sh);
	sh->clients = clients_new(sh);
	sh->gate = pairlink_new(sh, &gate_ops);
	sh->status = pairlink_new(sh, &status_ops);
	sh->resolver = pairlink_new(sh, &resolver_ops);
	sh->engine = engine_new(policy, &shell_ops, sh, (int)getpid());
	tell_addresses(sh);
	start_time(sh);
}

static void
stop_shell(struct shell *sh)
{
	engine_free(sh->engine);
	stop_time(sh);
	torlink_free(sh->tor);
	clients_free(sh->clients);
	pairlink_free(sh->gate);
	pairlink_free(sh->status);
	pairlink_free(sh->resolver);
	sockdiag_free(sh->diag);
	event_free(sh->ev_addrs);
	addrs_free(sh->addrs);
	event_base_free(sh->base);
}

/* The last engine died while it changed something: that is put back. */
static void
take_pending(struct shell *sh)
{
	struct link_pending was;

	if (link_take_pending(&was) == -1)
		fatal("what is to be put back cannot be read");
	engine_pending(sh->engine, &was);
	explicit_bzero(&was, sizeof was);
}

static void
take_arguments(struct shell *sh, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], LINK_HELD_ARGUMENT) == 0)
			engine_held(sh->engine);
		else if (strcmp(argv[i], LINK_PENDING_ARGUMENT) == 0)
			take_pending(sh);
	}
}

/*
 * A consensus passes through here once an hour, in pieces of many MB.  glibc
 * would learn from the first to keep such pieces, for good; with a threshold
 * that is set it learns nothing, and each goes back as it is freed.
 */
static void
give_back_memory(void)
{
#ifdef M_MMAP_THRESHOLD
	/* Refused: then it is kept, which is only a waste. */
	(void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
}

/*
 * A file that is made anew with its folder, as Tor's cookie is in /run/tor:
 * what is above the folder may be read.
 */
static void
grant_file(struct landlock_grant *may, char place[POL_PATH_LEN],
    const char *path)
{
	char *slash;

	(void)snprintf(place, POL_PATH_LEN, "%s", path);
	for (int i = 0; i < 2; i++) {
		slash = strrchr(place, '/');
		if (slash == NULL || slash == place)
			break;
		*slash = '\0';
	}
	may->read[may->nread++] = place;
}

/* Without a path in the policy the cookie is where Tor says that it is. */
static void
grant_cookie(struct landlock_grant *may, char place[POL_PATH_LEN],
    const struct pol_tor *tor)
{
	if (tor->cookie_file[0] != '\0')
		grant_file(may, place, tor->cookie_file);
	else
		for (size_t i = 0; cookie_folders[i] != NULL; i++)
			may->read[may->nread++] = cookie_folders[i];
}

static void
lock_in(const struct pol_tor *tor)
{
	char cookie[POL_PATH_LEN], password[POL_PATH_LEN];
	struct landlock_grant may = { .connect_tcp = true };
	unsigned char random;

	/* Now, as long as they may read, libraries read what they want. */
	if (RAND_bytes(&random, sizeof random) != 1)
		fatal("OpenSSL has no random numbers");
	tzset();
	if ((tor->auth & (POL_AUTH_COOKIE | POL_AUTH_SAFECOOKIE)) != 0)
		grant_cookie(&may, cookie, tor);
	if (tor->password_file[0] != '\0')
		grant_file(&may, password, tor->password_file);
	landlock_apply(&may);
	sandbox_apply(SANDBOX_ENGINE);
}

int
main(int argc, char **argv)
{
	struct event *keeper, *term, *usr1;
	struct pol_policy policy;
	struct shell sh = { 0 };
	int rc;

	fuzzing_refuse("portcullis-engine");
	child_check("portcullis-engine");
	log_init("engine", LOG_LV_INFO);
	give_back_memory();
	child_lock_down("portcullis-engi");
	load_policy(&policy);
	start_shell(&sh, &policy);
	take_arguments(&sh, argc, argv);
	keeper = event_new(sh.base, LINK_KEEPER_FD, EV_READ | EV_PERSIST,
	    on_keeper_cb, &sh);
	term = evsignal_new(sh.base, SIGTERM, on_term_cb, &sh);
	usr1 = evsignal_new(sh.base, SIGUSR1, on_usr1_cb, &sh);
	watch(keeper);
	watch(term);
	watch(usr1);
	lock_in(&policy.tor);
	rc = run(&sh);
	event_free(keeper);
	event_free(term);
	event_free(usr1);
	stop_shell(&sh);
	pol_policy_clear(&policy);
	return rc;
}
