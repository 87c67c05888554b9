/*
 * Carrying out what the core decides, and saying what came of it.
 */
#ifndef GATE_ACT_H
#define GATE_ACT_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/gate/addrs.h"
#include "supervisor/gate/barrier.h"
#include "supervisor/gate/core.h"
#include "supervisor/gate/heart.h"
#include "supervisor/gate/ifconf.h"
#include "supervisor/gate/kern.h"
#include "supervisor/gate/pace.h"
#include "supervisor/gate/purge.h"
#include "supervisor/gate/routes.h"

struct gate {
	const struct pol_policy *policy; /* borrowed */
	struct gate_core core;
	struct kern kern;
	struct heart heart;
	struct barrier barrier;
	struct routes routes;
	struct ifconf ifconf;
	struct purge purge;
	struct addrs addrs;
	int engine_fd; /* -1: no engine */
	bool wants_engine; /* another one; the keeper could not be told */
	int signal_fd, timer_fd;
	struct pace pace;
	uint64_t held_ns;   /* when the gate or sync lease was last renewed */
	uint64_t reopens;   /* of Tor's lease after it had lapsed */
	unsigned unknown;   /* checks in a row that told nothing */
	bool egress_held;   /* Tor's lease has been opened and not closed */
	bool said_ready;
	bool ended;	    /* leave the main loop, with exit_code */
	int exit_code;
	struct gate_report report; /* the next one, being filled */
};

/* CLOCK_BOOTTIME: goes on in suspend, so that proofs grow old in it. */
uint64_t act_now(void);

/* Carry out D, decided on what was read at MONO_NS (CLOCK_MONOTONIC). */
void act_decision(struct gate *g, struct gate_decision d, uint64_t mono_ns);
uint64_t act_mono(void);

/* Close for WHY. */
void act_close(struct gate *g, enum gate_reason why);

/*
 * Tor's lease, where the policy lets Tor keep its uplink while closed: time
 * to refresh it, or to see whether it may be held again.
 */
void act_egress(struct gate *g);

/*
 * The same under a strict policy, and the permits: right after a request was
 * believed.
 */
void act_fresh(struct gate *g);

/*
 * A datagram of the engine's: compare what addresses it names with those that
 * are there, have the core decide, carry that out.  True: act_settle() is
 * due.  False: it was a renewal and changed nothing; that the kernel let the
 * heartbeat pass is what a look at the lease would say, and it is looked at
 * once a second.
 */
bool act_request(struct gate *g, const void *buf, size_t len)
    __attribute__((warn_unused_result));

/* A page of a list of relays: have the core look at it, put it away. */
void act_page(struct gate *g, const struct gate_relays *page);

/* Single addresses: have the core look at them, put them in force. */
void act_reach(struct gate *g, const struct gate_reach *r);

/* End the permits that are not to be, and what could not be ended before. */
void act_permits(struct gate *g);

/* The next step towards a new list of relays, if one is due. */
void act_relays(struct gate *g);

/* Look whether the addresses in force still are; if not, act on it. */
void act_addresses(struct gate *g);

/*
 * Read back what the kernel holds; if it is not what the core believes,
 * close; then tell the engine.
 */
void act_settle(struct gate *g);

/* Forget the engine; RESTART: have the keeper start another. */
void act_drop_engine(struct gate *g, bool restart);

#endif
