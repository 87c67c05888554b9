/*
 * What Tor says of itself that decides nothing and that people want to know:
 * its consensus, whether it sleeps, its last circuit, how often it was
 * restarted.  Part of the engine's core.
 *
 * It is asked for slowly, after everything that a decision hangs on.  A Tor
 * that lacks a key is not asked for it again in its session.
 */
#ifndef ABOUT_H
#define ABOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "controlproto/str.h"
#include "supervisor/engine/consensus.h"
#include "supervisor/snapshot.h"

struct cp_bootstrap;
struct cp_reply;
struct engine;

struct about {
	/* In this session: */
	uint64_t due, asked_at;
	unsigned asked; /* bits: the keys of the question in flight */
	unsigned left;	/* those that are still to be asked one by one */
	unsigned lacks; /* those that this Tor does not know */
	enum snap_auth auth;
	enum snap_known dormant;
	struct consensus consensus;
	uint64_t built_id; /* the last circuit seen built; 0: none */
	char built[32];	   /* UTC: when; empty: not known */
	/* Its last word on bootstrap; LINE is escaped, not scrubbed. */
	char line[SNAP_BOOT_LINE * 2];
	char severity[8], recommendation[8];
	uint32_t count;
	/* Since the engine began: */
	int pid;	 /* of the last Tor met; 0: none yet */
	uint64_t uptime; /* its own word, in s, when it was asked last */
	uint32_t restarts;
	char since[32];
};

/* A session has ended, or begins. */
void about_reset(struct engine *e);
/* The Tor of this session is PID. */
void about_met(struct engine *e, int pid);

bool about_due(const struct engine *e, uint64_t now);
void about_ask(struct engine *e, uint64_t now);
void about_on_reply(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
/* Something has changed: ask again, if that was not done a moment ago. */
void about_soon(struct engine *e);

/* B was read from KEYWORDS, "PROGRESS=..." and what follows; "" is none. */
void about_phase(struct engine *e, const struct cp_bootstrap *b,
    struct cp_str keywords);
/* Circuit ID is BUILT, by LINE of circuit-status; 0: none is. */
void about_circuit(struct engine *e, uint64_t id, struct cp_str line);

#endif
