#include "supervisor/gate/act.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/gate/notify.h"
#include "supervisor/links.h"
#include "supervisor/log.h"

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
/* "STATUS=" and the longest reason. */
#define STATUS_CAP 160

static uint64_t
clock_ns(clockid_t id)
{
	struct timespec ts;

	/* Cannot fail with these clocks. */
	(void)clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

uint64_t
act_now(void)
{
	return clock_ns(CLOCK_BOOTTIME);
}

uint64_t
act_mono(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

static bool
is_strict(const struct gate *g)
{
	return g->policy->closed == POL_CLOSED_STRICT;
}

/* One line per change, for people; after the kernel, never before. */
static void
tell_position(const struct gate *g)
{
	const struct gate_core *c = &g->core;
	char text[STATUS_CAP];
	const char *name = gate_position_name(c->pos);

	if (c->pos == GATE_OPEN || c->pos == GATE_SYNC) {
		log_info("position=%s epoch=%llu proven=%u lease=%ums", name,
		    (unsigned long long)c->epoch, g->report.nproven,
		    (unsigned)c->lease_ms);
		(void)snprintf(text, sizeof text, "STATUS=%s", name);
	} else {
		log_info("position=%s epoch=%llu: %s", name,
		    (unsigned long long)c->epoch, gate_reason_text(c->why));
		(void)snprintf(text, sizeof text, "STATUS=%s: %s", name,
		    gate_reason_text(c->why));
	}
	notify_send(text);
}

/* Are clients, or those of them who set the clock, let through? */
static bool
holds_clients(const struct kern_held *h)
{
	return nft_lease_any(&h->gate) || nft_lease_any(&h->sync);
}

/* Acknowledged is one thing; what the kernel holds is what counts. */
static bool
is_closed(struct gate *g, bool all)
{
	struct kern_held held;

	if (kern_read_held(&g->kern, &held) != 0)
		return false;
	return !holds_clients(&held) &&
	    !(all && nft_lease_any(&held.egress));
}

static void
last_resort(struct gate *g, int error)
{
	kern_abandon(&g->kern);
	g->ended = true;
	g->exit_code = 1;
	log_err("closing could not be confirmed (%s): the gate table is "
	    "given up to the kernel", log_errno(error));
}

static void
note_close(struct gate_report *r, uint64_t took_ns)
{
	r->close_last_ns = took_ns;
	if (took_ns > r->close_max_ns)
		r->close_max_ns = took_ns;
	r->close_sum_ns += took_ns;
	for (unsigned i = 0; i < GATE_NCLOSE_US; i++)
		r->close_under[i] += took_ns <= gate_close_us(i) * 1000ull;
}

/* The kernel's side of a close that the core has already decided. */
static void
carry_out_close(struct gate *g, uint64_t mono_ns)
{
	const bool all = g->core.pos == GATE_CLOSED && is_strict(g);
	int rc = kern_close(&g->kern, all);
	uint64_t took = act_mono() - mono_ns;

	note_close(&g->report, took);
	if (rc != 0)
		g->report.error = -rc;
	if (!is_closed(g, all)) {
		last_resort(g, rc != 0 ? -rc : EBUSY);
		return;
	}
	if (all)
		g->egress_held = false;
	purge_request(&g->purge); /* closed: now the flows may go */
	rc = kern_clear_proven(&g->kern);
	if (rc == 0)
		g->report.nproven = 0;
	else
		log_warn("cannot empty the proven sets: %s", log_errno(-rc));
	tell_position(g);
}

void
act_close(struct gate *g, enum gate_reason why)
{
	act_decision(g, gate_core_close(&g->core, why), act_mono());
}

/* Can the clients' lease not have lapsed yet? */
static bool
must_live(const struct gate *g)
{
	return (act_now() - g->held_ns) / NS_PER_MS < g->core.lease_ms / 2;
}

/* Why the heartbeat, or opening, did not work. */
static void
fault(struct gate *g, int rc)
{
	if (rc == -EPERM && must_live(g)) {
		g->report.error = EPERM;
		act_close(g, GATE_WHY_KERNEL);
		log_warn("a rule of somebody else's drops the heartbeat on "
		    "loopback, UDP port %d", g->core.asked == GATE_SYNC ?
		    POL_HB_SYNC : POL_HB_GATE);
		return;
	}
	if (rc == -EPERM) {
		act_close(g, GATE_WHY_LEASE_LAPSED);
		return;
	}
	g->report.error = -rc;
	act_close(g, GATE_WHY_KERNEL);
	log_warn("the kernel did not hold the gate open: %s", log_errno(-rc));
}

/* Invariant 3 is asked at the last moment, for each heartbeat. */
static int
beat_clients(struct gate *g, int family, bool wanted)
{
	if (!wanted)
		return 0;
	if (!gate_core_fresh(&g->core, act_now()))
		return -ETIME;
	return heart_beat(&g->heart, family, g->core.pos == GATE_SYNC ?
	    HEART_SYNC : HEART_GATE);
}

static void
renew(struct gate *g)
{
	int rc = beat_clients(g, AF_INET, g->kern.gate4);

	if (rc == 0)
		rc = beat_clients(g, AF_INET6, g->kern.gate6);
	/* Stopped between the clock and a heartbeat?  It comes down again. */
	if (rc == 0 && !gate_core_fresh(&g->core, act_now()))
		rc = -ETIME;
	if (rc == 0)
		g->held_ns = act_now();
	else if (rc == -ETIME)
		act_close(g, GATE_WHY_ENGINE_LATE);
	else
		fault(g, rc);
}

static void
open_clients(struct gate *g, bool begin)
{
	const enum pol_set_id lease = g->core.asked == GATE_SYNC ?
	    POL_S_SYNC : POL_S_GATE;
	int rc = kern_open(&g->kern, g->core.proven, g->core.ifaddr, lease,
	    begin);

	if (rc != 0) {
		fault(g, rc == -EPERM ? -EIO : rc); /* EPERM is a heartbeat's */
		return;
	}
	g->report.nproven = g->kern.nproven;
	/* The commit may have waited for others, longer than the lease. */
	if (!gate_core_fresh(&g->core, act_now())) {
		act_close(g, GATE_WHY_ENGINE_LATE);
		return;
	}
	gate_core_opened(&g->core);
	if (begin) {
		g->held_ns = act_now();
		tell_position(g);
	} else {
		renew(g);
	}
}

static void
hold_egress_family(struct gate *g, int family)
{
	int rc = heart_beat(&g->heart, family, HEART_EGRESS);

	if (rc != -EPERM)
		return;
	rc = kern_begin_lease(&g->kern, POL_S_EGRESS, family);
	if (rc != 0 && rc != -EEXIST) {
		g->report.error = -rc;
		log_warn("cannot open Tor's lease: %s", log_errno(-rc));
	} else if (g->egress_held) {
		g->reopens++;
		log_debug("Tor's lease had lapsed; opened again (%llu)",
		    (unsigned long long)g->reopens);
	}
}

/* Tor's lease: refresh or open it if the barriers stand, else end it. */
static void
hold_egress(struct gate *g)
{
	int rc;

	if (g->kern.netdev.up) {
		if (g->kern.egress4)
			hold_egress_family(g, AF_INET);
		if (g->kern.egress6)
			hold_egress_family(g, AF_INET6);
		g->egress_held = true;
		return;
	}
	if (!g->egress_held)
		return;
	rc = kern_close_egress(&g->kern);
	if (rc != 0)
		last_resort(g, -rc);
	g->egress_held = false;
}

void
act_egress(struct gate *g)
{
	/* Strict: only a fresh request may refresh; but a barrier may fall. */
	if (!is_strict(g) || !g->kern.netdev.up)
		hold_egress(g);
}

/* What is asked for of the permits, while the barrier outside stands. */
static uint32_t
wanted_permits(const struct gate *g)
{
	return g->kern.netdev.up ? gate_core_permits(&g->core) : 0;
}

void
act_fresh(struct gate *g)
{
	if (is_strict(g) && g->core.pos != GATE_CLOSED)
		hold_egress(g);
	act_permits(g);
	permits_hold(&g->kern, &g->heart, wanted_permits(g));
}

void
act_permits(struct gate *g)
{
	permits_end(&g->kern, ~wanted_permits(g));
	reach_check(&g->kern);
}

void
act_decision(struct gate *g, struct gate_decision d, uint64_t mono_ns)
{
	switch (d.act) {
	case GATE_ACT_NONE:
	case GATE_ACT_PAGE: /* act_page() has done it, act_reach() this */
	case GATE_ACT_REACH:
	case GATE_ACT_TOR_ONLY: /* act_fresh() does what there is to do */
		break;
	case GATE_ACT_CLOSE:
		carry_out_close(g, mono_ns);
		break;
	case GATE_ACT_OPEN:
		open_clients(g, true);
		break;
	case GATE_ACT_UPDATE:
		open_clients(g, false);
		break;
	case GATE_ACT_RENEW:
		renew(g);
		break;
	case GATE_NACT:
		last_resort(g, EINVAL);
		break;
	}
	if (d.drop_engine)
		act_drop_engine(g, true);
}

static void
tell_missing(const struct gate *g, uint32_t missing)
{
	for (size_t i = 0; i < g->policy->nifaddrs; i++)
		if ((missing >> i & 1) != 0)
			log_warn("%s has not the address that listeners were "
			    "proven on: they are not open",
			    g->policy->ifaddrs[i].ifname);
}

bool
act_request(struct gate *g, const void *buf, size_t len)
{
	const uint32_t permits = gate_core_permits(&g->core);
	const uint64_t mono_ns = act_mono();
	struct pol_addr want[POL_MAX_IFADDRS];
	struct gate_decision d;
	uint32_t missing = 0;

	if (gate_core_asks(&g->core, buf, len, want))
		missing = addrs_missing(&g->addrs, want);
	d = gate_core_request(&g->core, buf, len, act_now(), missing);
	act_decision(g, d, mono_ns);
	if (d.act == GATE_ACT_OPEN || d.act == GATE_ACT_UPDATE)
		tell_missing(g, missing);
	/* A renewal that failed has closed. */
	return d.act != GATE_ACT_RENEW || g->core.refused ||
	    (g->core.pos != GATE_OPEN && g->core.pos != GATE_SYNC) ||
	    gate_core_permits(&g->core) != permits;
}

void
act_page(struct gate *g, const struct gate_relays *page)
{
	const uint64_t mono_ns = act_mono();
	struct gate_decision d = gate_core_page(&g->core, page);

	if (d.act == GATE_ACT_PAGE) {
		relays_page(&g->kern, page);
		return;
	}
	act_decision(g, d, mono_ns);
	act_settle(g);
}

void
act_reach(struct gate *g, const struct gate_reach *r)
{
	const uint64_t mono_ns = act_mono();
	struct gate_decision d = gate_core_reach(&g->core, r);

	if (d.act == GATE_ACT_REACH)
		reach_put(&g->kern, r);
	else
		act_decision(g, d, mono_ns);
	act_settle(g);
}

void
act_relays(struct gate *g)
{
	if (relays_step(&g->kern))
		act_settle(g);
}

void
act_addresses(struct gate *g)
{
	uint32_t gone;

	if (g->core.pos != GATE_OPEN && g->core.pos != GATE_SYNC)
		return;
	gone = addrs_missing(&g->addrs, g->core.ifaddr);
	if (gone == 0)
		return;
	act_decision(g, gate_core_gone(&g->core, gone), act_mono());
	tell_missing(g, gone);
	act_settle(g);
}

void
act_drop_engine(struct gate *g, bool restart)
{
	/*
	 * Ask first: an engine whose pair is closed may end by itself, and
	 * the keeper would end its successor.  If the keeper is gone its
	 * channel says so in the main loop.
	 */
	g->wants_engine = restart && link_ask(LINK_ENGINE,
	    LINK_HOLD_NONE) == -1;
	if (g->wants_engine)
		log_warn("cannot ask for a new engine: %s", log_errno(errno));
	if (g->engine_fd != -1)
		(void)close(g->engine_fd);
	g->engine_fd = -1;
	permits_end(&g->kern, GATE_P_ALL);
	reach_abandon(&g->kern);
	relays_abandon(&g->kern);
}

static uint32_t
barriers(const struct gate *g)
{
	const struct kern *k = &g->kern;

	return GATE_BAR_GUARD | (k->boot_up ? GATE_BAR_BOOT : 0) |
	    (k->persist ? GATE_BAR_PERSIST : 0) |
	    (k->netdev.up ? GATE_BAR_NETDEV : 0) |
	    barrier_read(&g->barrier) | routes_barrier(&g->routes);
}

static enum gate_position
held_position(const struct gate *g, const struct kern_held *h)
{
	if (nft_lease_any(&h->gate))
		return GATE_OPEN;
	if (nft_lease_any(&h->sync))
		return GATE_SYNC;
	if (!nft_lease_any(&h->egress) || (!is_strict(g) &&
	    g->core.pos == GATE_CLOSED))
		return GATE_CLOSED;
	return GATE_TOR_ONLY;
}

/* The longest that clients may still get through; 0: not at all. */
static uint32_t
left_ms(const struct nft_lease_info *l)
{
	uint32_t left = 0;

	if (l->live4)
		left = l->left4_ms;
	if (l->live6 && l->left6_ms > left)
		left = l->left6_ms;
	if (l->live4 || l->live6)
		return left != 0 ? left : 1; /* live: less than one */
	return l->wrong ? UINT32_MAX : 0;
}

static uint32_t
clients_ms(const struct kern_held *h)
{
	const uint32_t gate = left_ms(&h->gate), sync = left_ms(&h->sync);

	return gate > sync ? gate : sync;
}

static void
report_relays(struct gate *g)
{
	const struct relays *r = &g->kern.relays;

	g->report.strict = g->policy->tor.strict_egress;
	g->report.relays_generation = r->generation;
	g->report.nrelays4 = r->n4;
	g->report.nrelays6 = r->n6;
}

static void
send_report(struct gate *g, const struct kern_held *held, int rc)
{
	struct gate_report *r = &g->report;

	r->magic = GATE_REPORT_MAGIC;
	r->known = rc == 0;
	r->position = rc == 0 ? held_position(g, held) : GATE_CLOSED;
	r->why = g->core.why;
	r->epoch = g->core.epoch;
	r->seq = g->core.seq;
	r->refused = g->core.refused;
	r->barriers = barriers(g);
	r->absent = g->kern.netdev.absent;
	r->lease_ms = rc == 0 ? clients_ms(held) : 0;
	r->closes = g->core.closes;
	report_relays(g);
	r->permits = rc == 0 ? permits_live(&held->permits) : 0;
	r->reach_seq = g->kern.reach.seq;
	r->purges = purge_count(&g->purge);
	r->at_ns = act_now();
	r->pid = (int32_t)getpid();
	if (rc != 0)
		r->error = -rc;
	/* A full socket: the engine is slow, and the next one says it all. */
	if (g->engine_fd != -1)
		(void)send(g->engine_fd, r, sizeof *r,
		    MSG_DONTWAIT | MSG_NOSIGNAL);
	r->error = 0;
}

/* Open where the core is not, or the other way round. */
static enum gate_reason
contradiction(const struct gate *g, const struct kern_held *h)
{
	const bool open = g->core.pos == GATE_OPEN;
	const bool sync = g->core.pos == GATE_SYNC;
	const struct nft_lease_info *has = sync ? &h->sync : &h->gate;

	if (h->gate.wrong || h->sync.wrong || h->egress.wrong ||
	    permits_wrong(&h->permits))
		return GATE_WHY_DRIFT;
	if ((open || sync) && (has->live4 != g->kern.gate4 ||
	    has->live6 != g->kern.gate6))
		return GATE_WHY_LEASE_LAPSED;
	if ((!open && nft_lease_any(&h->gate)) ||
	    (!sync && nft_lease_any(&h->sync)))
		return GATE_WHY_KERNEL;
	return GATE_WHY_START; /* none */
}

void
act_settle(struct gate *g)
{
	enum gate_reason why = GATE_WHY_START;
	struct kern_held held;
	int rc = kern_read_held(&g->kern, &held);

	if (rc == 0)
		why = contradiction(g, &held);
	if (why != GATE_WHY_START && !g->ended) {
		act_close(g, why);
		rc = kern_read_held(&g->kern, &held);
	}
	send_report(g, &held, rc);
}
