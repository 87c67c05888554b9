/*
 * Strict egress: the relays that Tor's uid may reach.  A new list comes in
 * pages, which fill the two spare sets; when they hold all of it, one small
 * transaction turns the rules to them and makes the old ones the spare, empty.
 * Until then, and whenever something fails, the old list stays in force.
 */
#ifndef GATE_RELAYS_H
#define GATE_RELAYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/rules.h"
#include "supervisor/gate/nft_batch.h"
#include "supervisor/gate/nft_read.h"

struct gate_relays;
struct kern;

enum relays_phase {
	RELAYS_IDLE = 0, /* no list is coming, or it has failed */
	RELAYS_FILLING,	 /* more pages are to come */
	RELAYS_FULL,	 /* to be counted, at once if the kernel can */
	RELAYS_DRAINING, /* if not: the rest of a count that was given up */
	RELAYS_COUNTING, /* reading back, a datagram at a time */
	RELAYS_UNSURE	 /* exchanged or not: to be read */
};

/* Two of everything: for the first and the second pair of sets. */
struct relays {
	struct nft_batch swap[2];  /* puts that pair in force; prebuilt */
	struct nft_batch empty[2]; /* empties it when it is spare; prebuilt */
	struct nft_sock sock;	   /* counts: dumps last many turns */
	void *page;		   /* room for a page's batch */
	size_t page_cap;
	enum relays_phase phase;
	uint32_t total, got4, got6; /* of the list that is coming */
	uint32_t coming;	    /* its generation */
	struct nft_count count;
	uint32_t counted[2]; /* IPv4, IPv6 */
	unsigned nth;	     /* which of them is being counted */
	unsigned torn;	     /* counts that somebody's commit made void */
	uint64_t before;     /* the moving part, before it was to move */
	int error;	     /* of the exchange */
	bool walks;	     /* no other way to count with this kernel */
	bool second;	     /* which pair is in force */
	bool dirty;	     /* the spare pair may hold something */
	uint32_t generation; /* in force; 0: nothing is yet */
	uint32_t n4, n6;     /* so many pairs, as counted */
};

/*
 * Start-up, if the policy is strict: build what is sent later, for the gate
 * table T.  -1: out of memory.
 */
int relays_init(struct kern *k, const struct pol_table *t)
    __attribute__((warn_unused_result));
void relays_clear(struct kern *k);

/*
 * A page that the core has let through.  The first one of a list ends
 * another that is incomplete.  One transaction at most, or two for a first
 * one.
 */
void relays_page(struct kern *k, const struct gate_relays *page);

/* Its sender is gone: a list that is not in force yet never will be. */
void relays_abandon(struct kern *k);

/* Does relays_step() have something to do right away? */
bool relays_busy(const struct kern *k);

/*
 * To be called once a turn of the main loop: reads one datagram, or puts
 * the new list in force.  True: the list has come into force or failed.
 */
bool relays_step(struct kern *k);

#endif
