/*
 * The programs that serve the bridges in use: what Tor says of them, which is
 * little, and what can be seen besides.  Part of the engine's core.
 */
#ifndef TRANSPORTS_H
#define TRANSPORTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlproto/event.h"
#include "policy/policy.h"
#include "supervisor/snapshot.h"

struct engine;
struct uplink;

struct transport {
	char method[POL_NAME_LEN];
	size_t policy; /* the policy's transport; ntransports: none */
	char program[POL_PATH_LEN]; /* that Tor runs; empty: none */
	bool plugin;   /* Tor has a ClientTransportPlugin for it */
	bool launched; /* Tor said so, and of no death since */
	bool no_proxy; /* it cannot work behind Tor's proxy */
	uint32_t deaths;
	int missing;   /* errno of its program's file; 0: none */
	uint64_t look; /* when to look at the file again */
	char said[SNAP_TEXT]; /* its last word; escaped */
};

struct transports {
	struct transport t[POL_MAX_METHODS];
	size_t n;
};

/* A ClientTransportPlugin's value: its program for each method, for U. */
void transports_plugin(struct uplink *u, const char *value);
/* What Tor has is otherwise now; or the session is over. */
void transports_changed(struct engine *e, uint64_t now);
void transports_lost(struct engine *e);
/* "client obfs4 127.0.0.1 43210" */
void transports_on_launched(struct engine *e, struct cp_str text);
/* A NOTICE, WARN or ERR; true if it is about one of them. */
bool transports_on_log(struct engine *e, struct cp_str text, uint64_t now);
/* Look at the files of those that do not run. */
void transports_settle(struct engine *e, uint64_t now);
uint64_t transports_wake(const struct engine *e);

/* Does one in use have what the policy grants it: STUB (dns), UDP? */
bool transports_need(const struct engine *e, uint32_t permit);
enum snap_transport_state transports_state(const struct engine *e,
    const struct transport *t);

#endif
