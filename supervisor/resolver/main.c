/*
 * portcullis-resolver: the only process whose DNS leaves the gateway.  It
 * looks up the names that the engine gives it, of the policy's resolver and
 * of nobody else, and only while the engine says that the firewall lets it;
 * it answers the transports' questions for those names; it tries proxies.  It
 * has no say about the firewall: when it lies, Tor gets a wrong address for
 * its proxy, and when it dies, names stay unknown.
 */
#include "config.h" /* _GNU_SOURCE */

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "supervisor/child.h"
#include "supervisor/fuzzing.h"
#include "supervisor/links.h"
#include "supervisor/log.h"
#include "supervisor/policyfd.h"
#include "supervisor/resolver/shell.h"
#include "supervisor/sandbox/landlock.h"
#include "supervisor/sandbox/sandbox.h"

/* Sockets of 32 streams, twice, of c-ares, the stub, libevent; and no more. */
#define MOST_FDS 256
/* What libraries take is some 4 MiB: the rest is room for a flood. */
#define MOST_DATA (64 * 1024 * 1024)
#if defined(__SANITIZE_ADDRESS__)
#define WITH_SANITIZER 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define WITH_SANITIZER 1
#endif
#endif

struct signals {
	struct event *on_term, *on_int, *on_usr1;
	struct shell *shell;
	bool stopping;
};

static void
limit(int what, rlim_t most)
{
	const struct rlimit rl = { most, most };

	if (setrlimit((__rlimit_resource_t)what, &rl) == -1)
		fatal("cannot limit ourselves: %s", strerror(errno));
}

/* Hear nothing from the environment, where libraries look for orders. */
static void
lock_down(void)
{
	child_lock_down("portcullis-reso");
	if (clearenv() != 0)
		fatal("cannot clear the environment");
	limit(RLIMIT_NOFILE, MOST_FDS);
#ifndef WITH_SANITIZER
	limit(RLIMIT_DATA, MOST_DATA);
#endif
}

static void
load_policy(struct pol_policy *policy)
{
	policyfd_read(policy);
	close(LINK_POLICY_FD);
	if (policy->resolver.addr.family == 0)
		fatal("the policy has no resolver");
}

static void
libevent_log(int severity, const char *msg)
{
	/* Its DNS server repeats what it was sent: no name gets out here. */
	if (severity >= EVENT_LOG_ERR)
		log_warn("libevent: %s", msg);
	else
		log_debug("libevent: %s", msg);
}

static void
on_stop_cb(evutil_socket_t sig, short what, void *arg)
{
	struct signals *s = arg;

	(void)sig;
	(void)what;
	s->stopping = true;
}

static void
on_dump_cb(evutil_socket_t sig, short what, void *arg)
{
	const struct signals *s = arg;

	(void)sig;
	(void)what;
	shell_dump(s->shell);
}

static void
take_signals(struct signals *s, struct event_base *base)
{
	s->on_term = evsignal_new(base, SIGTERM, on_stop_cb, s);
	s->on_int = evsignal_new(base, SIGINT, on_stop_cb, s);
	s->on_usr1 = evsignal_new(base, SIGUSR1, on_dump_cb, s);
	if (s->on_term == NULL || s->on_int == NULL || s->on_usr1 == NULL ||
	    event_add(s->on_term, NULL) == -1 ||
	    event_add(s->on_int, NULL) == -1 ||
	    event_add(s->on_usr1, NULL) == -1)
		fatal("cannot take signals");
}

/*
 * Whom TLS trusts, which may be renewed; what c-ares reads as it starts,
 * which it does for each round of questions.
 */
static void
lock_in(void)
{
	const struct landlock_grant may = {
		.read = { "/etc", "/usr/lib/ssl", "/usr/share/ca-certificates",
		    "/usr/local/share/ca-certificates", "/dev/null" },
		.nread = 5,
		.bind_tcp = true,
		.connect_tcp = true,
	};

	landlock_apply(&may);
	sandbox_apply(SANDBOX_RESOLVER);
}

static void
run(const struct pol_resolver *resolver)
{
	struct signals s = { .stopping = false };
	struct event_base *base;

	event_set_log_callback(libevent_log);
	base = event_base_new();
	if (base == NULL)
		fatal("libevent has no backend");
	s.shell = shell_new(base, resolver);
	take_signals(&s, base);
	lock_in();
	while (!s.stopping) {
		shell_settle(s.shell);
		if (event_base_loop(base, EVLOOP_ONCE) == -1)
			fatal("the event loop failed");
	}
	shell_free(s.shell);
	event_free(s.on_term);
	event_free(s.on_int);
	event_free(s.on_usr1);
	event_base_free(base);
}

int
main(int argc, char **argv)
{
	struct pol_resolver resolver;
	struct pol_policy policy;

	(void)argv;
	log_init("resolver", LOG_LV_INFO);
	if (argc != 1) {
		(void)fputs("portcullis-resolver is started by portcullisd, "
		    "without arguments.\n", stderr);
		return 2;
	}
	fuzzing_refuse("portcullis-resolver");
	child_check("portcullis-resolver");
	lock_down();
	pol_policy_init(&policy);
	load_policy(&policy);
	resolver = policy.resolver;
	/* Nothing else of it is our business. */
	pol_policy_clear(&policy);
	run(&resolver);
	return 0;
}
