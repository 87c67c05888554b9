/*
 * What can be known of a change before anything is changed: the files that
 * Tor reads, names, programs, the proxy.  Part of the engine's core; apply.c
 * asks.
 */
#ifndef PREFLIGHT_H
#define PREFLIGHT_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/snapshot.h"

struct engine;
struct pol_uplink;

struct preflight {
	bool asked;  /* the keeper looks at Tor's files */
	bool kept;   /* ... and it could be kept there */
	bool named;  /* the names have been found */
	bool looked; /* ... and the programs are there */
	bool tried;  /* ... and the proxy is being tried */
	bool blind;  /* the proxy could not be tried */
	uint32_t bridge; /* ... and bridges: so many are dead */
	char fault[SNAP_TEXT]; /* a clause: what speaks against it */
};

enum preflight_step { PREFLIGHT_WAIT = 0, PREFLIGHT_OK, PREFLIGHT_BAD };

/*
 * To be called until it is not WAIT, with the same U, which uplink_consider()
 * has.  BAD: P's fault says why.
 */
enum preflight_step preflight_look(struct engine *e, struct preflight *p,
    const struct pol_uplink *u, uint64_t now)
    __attribute__((warn_unused_result));

#endif
