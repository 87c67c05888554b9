/*
 * What the parts of the shell around the core share.  All of them live in
 * main()'s frame and are only touched from libevent callbacks.
 */
#ifndef SHELL_H
#define SHELL_H

#include <stdint.h>

#include "policy/policy.h"

struct addrs;
struct clients;
struct engine;
struct engine_ops;
struct event;
struct event_base;
struct pairlink;
struct sockdiag;
struct timefile;
struct torlink;

struct shell {
	struct event_base *base;
	const struct pol_policy *policy;
	struct engine *engine;
	struct addrs *addrs;
	struct event *ev_addrs;
	struct pol_addr ifaddrs[POL_MAX_IFADDRS]; /* as the engine knows */
	uint64_t addrs_told; /* the generation of addrs that this was */
	struct sockdiag *diag;
	struct timefile *time; /* NULL: the policy does not ask for it */
	struct event *ev_time, *ev_look; /* a change there; the clock's turn */
	struct torlink *tor;
	struct clients *clients;
	struct pairlink *gate, *status, *resolver;
};

/* shell_ops.c; its ARG is the struct shell. */
extern const struct engine_ops shell_ops;

/* CLOCK_BOOTTIME in ms: it counts through suspend, so proofs age in it. */
uint64_t shell_now(void);

#endif
