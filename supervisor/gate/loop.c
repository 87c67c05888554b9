#include "supervisor/gate/loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "supervisor/gate/act.h"
#include "supervisor/gate/notify.h"
#include "supervisor/links.h"
#include "supervisor/log.h"

#define NS_PER_S UINT64_C(1000000000)
/* Requests per turn: the rest waits for the other descriptors. */
#define REQUEST_MOST 16
/* Seconds without a readable ruleset until open is not defensible. */
#define UNKNOWN_MOST 3
/* The service manager gives us more; see portcullis.service. */
#define PURGE_STOP_MS 2000

enum { P_SIGNAL, P_KEEPER, P_ADDRS, P_ENGINE, P_EVENTS, P_LINKS, P_TIMER,
	P_NFDS };

static void
stop(struct gate *g, const char *why)
{
	if (g->core.pos != GATE_CLOSED)
		act_close(g, GATE_WHY_STOPPED);
	if (!g->ended && kern_close(&g->kern, true) != 0) {
		kern_abandon(&g->kern); /* as the exit would, a moment later */
		g->exit_code = 1;
	}
	g->ended = true;
	act_settle(g);
	log_info("stopping: %s; the gateway stays closed, and only "
	    "portcullisd --remove-rules opens it", why);
	notify_send("STOPPING=1");
	/* Since it was open something may have been left, by whomever. */
	purge_request(&g->purge);
	if (!purge_wait(&g->purge, PURGE_STOP_MS))
		log_warn("clients' flows may not all have been forgotten");
}

static void
on_signal(struct gate *g)
{
	struct signalfd_siginfo si;

	if (read(g->signal_fd, &si, sizeof si) == (ssize_t)sizeof si)
		stop(g, si.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
}

static void
on_keeper(struct gate *g)
{
	enum link_peer peer;
	int fd, rc;

	rc = link_recv(&peer, &fd);
	if (rc == 0)
		return;
	if (rc == -1 || peer != LINK_ENGINE) {
		if (rc == 1)
			(void)close(fd);
		stop(g, rc == 1 ? "the keeper sent what is not for the gate" :
		    "the keeper is gone");
		return;
	}
	/* Close first: the old engine's last word must not be the last. */
	act_decision(g, gate_core_engine(&g->core), act_mono());
	act_drop_engine(g, false);
	g->engine_fd = fd;
	act_settle(g);
}

/* FAILED: it lives, but only another one gets another pair with us. */
static void
engine_gone(struct gate *g, bool failed)
{
	act_decision(g, gate_core_engine_gone(&g->core), act_mono());
	act_drop_engine(g, failed);
}

/* What comes from the engine, and room to notice what is too long. */
static union {
	struct gate_req req;
	struct gate_relays page;
	struct gate_reach reach;
	uint8_t longer[sizeof(struct gate_relays) + 1];
} heard;

/* A page takes its time: what else there is to do comes before the next. */
static void
on_engine(struct gate *g)
{
	bool settle;
	ssize_t n;

	for (int i = 0; i < REQUEST_MOST && g->engine_fd != -1 && !g->ended;
	    i++) {
		n = recv(g->engine_fd, &heard, sizeof heard, MSG_DONTWAIT);
		if (n == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			engine_gone(g, link_failed_here(n));
			return;
		}
		if (gate_core_is_page(&heard, (size_t)n)) {
			act_page(g, &heard.page);
			return;
		}
		if (gate_core_is_reach(&heard, (size_t)n)) {
			act_reach(g, &heard.reach);
			return;
		}
		settle = act_request(g, &heard, (size_t)n);
		if (!g->core.refused && !g->ended)
			act_fresh(g);
		if (settle)
			act_settle(g);
	}
}

static void
check_tables(struct gate *g, bool always)
{
	switch (kern_verify(&g->kern, always)) {
	case KERN_AS_MADE:
		g->unknown = 0;
		break;
	case KERN_UNKNOWN:
		if (++g->unknown >= UNKNOWN_MOST &&
		    g->core.pos != GATE_CLOSED)
			act_close(g, GATE_WHY_KERNEL);
		break;
	case KERN_DRIFT:
		/* Ours and only ours to change: start afresh, closed. */
		act_close(g, GATE_WHY_DRIFT);
		log_err("the gate table, or the one that guards it, is not "
		    "what was installed");
		g->ended = true;
		g->exit_code = 1;
		break;
	}
}

/* A barrier that has fallen ends Tor's lease. */
static void
check_netdev(struct gate *g, bool stands)
{
	if (!stands)
		act_egress(g);
}

static void
on_events(struct gate *g)
{
	bool check = false;

	g->report.foreign += kern_events(&g->kern, &check);
	if (!check)
		return;
	check_tables(g, true);
	check_netdev(g, netdev_check(&g->kern));
	act_settle(g);
}

static void
on_links(struct gate *g)
{
	if (!netdev_told(&g->kern))
		return;
	check_netdev(g, netdev_check(&g->kern));
	act_settle(g);
}

/* Stopped, or in a loop: its successor may do better. */
static void
check_engine(struct gate *g)
{
	struct gate_decision d = gate_core_second(&g->core);

	act_decision(g, d, act_mono());
	if (d.drop_engine)
		log_warn("the engine has said nothing for %u s: another one "
		    "is asked for", (unsigned)gate_core_patience(&g->core));
}

/* Once a second, whatever happens. */
static void
look_round(struct gate *g)
{
	/* A keeper that does not listen stops feeding the watchdog, too. */
	(void)!link_ask(LINK_NONE, LINK_HOLD_NONE);
	check_engine(g);
	if (g->wants_engine) /* nobody else would ever ask for it */
		act_drop_engine(g, true);
	act_addresses(g);
	check_tables(g, false);
	routes_check(&g->routes);
	ifconf_check(&g->ifconf);
	barrier_check(&g->barrier);
	purge_check(&g->purge);
	act_permits(g);
	check_netdev(g, netdev_look(&g->kern));
	act_settle(g);
}

/* What came too late is too late. */
static void
on_deadline(struct gate *g)
{
	struct gate_decision d = gate_core_tick(&g->core, act_now());

	if (d.act == GATE_ACT_NONE)
		return;
	act_decision(g, d, act_mono());
	act_settle(g);
}

/* ASKED: the engine has just woken us. */
static void
on_time(struct gate *g, bool asked)
{
	const uint64_t now = act_now();

	if (pace_beat(&g->pace, now, asked))
		act_egress(g);
	if (pace_look(&g->pace, now, asked))
		look_round(g);
}

/*
 * CLOCK_BOOTTIME: a deadline that passed in suspend fires at once.  That it
 * has fired is forgotten with this, so nobody has to read it.
 */
static int
set_timer(const struct gate *g)
{
	const uint64_t core = gate_core_next(&g->core);
	uint64_t next = pace_next(&g->pace);
	struct itimerspec its = { 0 };

	if (core < next)
		next = core;
	if (next == 0)
		next = 1; /* 0 would disarm it */
	its.it_value.tv_sec = (time_t)(next / NS_PER_S);
	its.it_value.tv_nsec = (long)(next % NS_PER_S);
	return timerfd_settime(g->timer_fd, TFD_TIMER_ABSTIME, &its, NULL);
}

static int
wait_for(struct gate *g, struct pollfd fds[P_NFDS])
{
	const int fd[P_NFDS] = { [P_SIGNAL] = g->signal_fd,
		[P_KEEPER] = LINK_KEEPER_FD, [P_ENGINE] = g->engine_fd,
		[P_ADDRS] = g->addrs.events.fd,
		[P_EVENTS] = g->kern.events.fd,
		[P_LINKS] = g->kern.netdev.events.fd,
		[P_TIMER] = g->timer_fd };

	for (int i = 0; i < P_NFDS; i++)
		fds[i] = (struct pollfd){ .fd = fd[i], .events = POLLIN };
	if (set_timer(g) == -1)
		return -1;
	if (poll(fds, P_NFDS, relays_busy(&g->kern) ? 0 : -1) == -1 &&
	    errno != EINTR)
		return -1;
	return 0;
}

/* What may close comes first, what takes time last. */
static void
turn(struct gate *g, const struct pollfd fds[P_NFDS])
{
	on_deadline(g);
	if (!g->ended && fds[P_SIGNAL].revents != 0)
		on_signal(g);
	if (!g->ended && fds[P_KEEPER].revents != 0)
		on_keeper(g);
	/* Before a request: what it names is compared with what is new. */
	if (!g->ended && fds[P_ADDRS].revents != 0 &&
	    addrs_changed(&g->addrs))
		act_addresses(g);
	/* The keeper may just have handed over another one. */
	if (!g->ended && fds[P_ENGINE].revents != 0 &&
	    fds[P_ENGINE].fd == g->engine_fd)
		on_engine(g);
	/* A page of relays may just have made us miss one. */
	if (!g->ended && (fds[P_EVENTS].revents != 0 || g->kern.missed))
		on_events(g);
	if (!g->ended && fds[P_LINKS].revents != 0)
		on_links(g);
	if (!g->ended)
		on_time(g, fds[P_ENGINE].revents != 0);
	if (!g->ended)
		act_relays(g);
}

int
loop_run(struct gate *g)
{
	struct pollfd fds[P_NFDS];

	while (!g->ended) {
		if (wait_for(g, fds) == -1) {
			log_err("cannot wait: %s", log_errno(errno));
			act_close(g, GATE_WHY_KERNEL);
			return 1;
		}
		turn(g, fds);
	}
	return g->exit_code;
}
