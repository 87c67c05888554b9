/*
 * The names that Tor's way out needs, the process that resolves them, and
 * what the gate permits for it: part of the engine's core.
 */
#ifndef NAMES_H
#define NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/namemsg.h"

struct engine;

/* What is known of one name; kept by its host from list to list. */
struct name_known {
	char host[POL_HOST_LEN];
	uint8_t flags; /* NAME_F_* */
	enum name_state state;
	char since[32]; /* UTC: when STATE began */
	uint64_t until; /* the addresses are valid */
	uint32_t n;
	struct pol_addr addr[NAME_MAX_ADDRS];
	uint32_t reach; /* the last gate_reach with all of them; 0: none */
};

struct names {
	bool up;      /* the resolver's end is there */
	bool changed; /* the list is to be made anew */
	bool unsent;  /* ... to be sent */
	struct name_list list; /* as this resolver has it, or is to have it */
	struct name_known known[NAME_MAX_HOSTS]; /* by index in the list */

	/* what the resolver waits for, if anything */
	struct name_want want;
	bool wanting;	    /* WANT has no answer yet */
	bool looking;	    /* the permit is held for a lookup */
	uint64_t want_ends; /* then the answer is no */
	uint32_t want_reach;
	struct name_count count;
	uint64_t again; /* what was not taken is tried once more */
};

/* Needs, networking or the session are others now: look at the list. */
void names_changed(struct engine *e);
/* The policy has a resolver, and networking is on. */
bool names_enabled(const struct engine *e);
/* NULL: it is no name that is looked up. */
const struct name_known *names_find(const struct engine *e, const char *host);
/* One address of HOST, IPv4 first; family 0 if none is known. */
void names_pick(const struct engine *e, struct pol_addr *out,
    const char *host);

/* GATE_P_*: what is to be permitted now in position POS. */
uint32_t names_permits(const struct engine *e, uint32_t pos);
/* The gate has reported all of PERMITS since they were asked for. */
bool names_permitted(const struct engine *e, uint32_t permits);
/* There is another gate: nothing is in force there. */
void names_gate(struct engine *e);
/* Do what is due: lists out, permissions on. */
void names_settle(struct engine *e, uint64_t now);
uint64_t names_wake(const struct engine *e);

#endif
