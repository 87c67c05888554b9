/*
 * tor.torrc, where an applied change is kept: would Tor read it, and nothing
 * else of the kind besides; does Tor have what is in it?  Part of the
 * engine's core.  The keeper, which is root, looks: before a change, and once
 * for each Tor and each reload.
 *
 * A Tor that has started straight although something is kept is given it
 * again: that has proven itself.  One that has something else was given it by
 * somebody, and is left as it is.
 */
#ifndef KEPT_H
#define KEPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/engine/preflight.h"
#include "supervisor/links.h"

struct cp_reply;
struct engine;

enum kept_state { KEPT_GOOD = 0, /* or nothing is kept */
	KEPT_AGAIN,   /* Tor had started without it, and was given it */
	KEPT_REFUSED, /* ... and did not take it */
	KEPT_OTHER    /* Tor has other bridges or another proxy */
};

struct kept {
	bool named;  /* Tor has said which files it reads, or does not say */
	bool open;   /* it is being asked */
	bool wanted; /* the keeper is to look */
	bool asked;  /* ... and has not answered */
	bool seen;   /* it has: FINDING and what goes with it are its answer */
	bool judge;  /* what it has seen is to be compared with what Tor has */
	bool setting; /* Tor is being given it again */
	bool open_set; /* ... and has been told */
	uint64_t ends; /* of ASKED, of SETTING */
	uint64_t again; /* not to be asked before, but for a change */
	struct link_look look; /* the question */
	enum link_finding finding;
	enum pol_torrc_option option;
	uint32_t line;
	char file[LINK_PATH];
	bool has;    /* something is kept there */
	struct link_pending *says; /* that; owned, wiped when it has served */
	enum kept_state state;
};

void kept_init(struct engine *e);
void kept_clear(struct engine *e); /* wipes all of it */
/* The session is over. */
void kept_lost(struct engine *e);
/* Tor has read its files again, or Tor is a new one. */
void kept_doubt(struct engine *e);

/* Is Tor to be asked for its files? */
bool kept_due(const struct engine *e);
void kept_ask(struct engine *e, uint64_t now);
void kept_on_files(struct engine *e, const struct cp_reply *reply,
    uint64_t now);

/*
 * For a change: what the keeper sees now.  To be begun once, and then called
 * until it is not WAIT; BAD: FAULT, CAP octets, says why.
 */
void kept_look(struct engine *e);
enum preflight_step kept_looked(const struct engine *e, char *fault,
    size_t cap) __attribute__((warn_unused_result));

/* The gate is to stay shut for clients. */
bool kept_busy(const struct engine *e);
void kept_tick(struct engine *e, uint64_t now);
/* When that is needed next even if nothing happens; later than NOW. */
uint64_t kept_wake(const struct engine *e, uint64_t now);
/* What was kept or rolled back just now is judged no more. */
void kept_settled(struct engine *e);

/* Fill in the advice, if there is none and something is to be said. */
void kept_tell(struct engine *e);

#endif
