/*
 * What Tor has said of itself in this session: part of the engine's core.
 */
#ifndef TORINFO_H
#define TORINFO_H

#include <stdbool.h>
#include <stdint.h>

#include "supervisor/snapshot.h"

struct tor_info {
	int pid;
	char version[32];
	int progress; /* -1: unknown */
	char tag[32], summary[96];
	char warning[SNAP_TEXT];    /* last bootstrap problem */
	char last_warn[SNAP_TEXT];  /* last WARN or ERR log event */
	uint64_t progress_at;	    /* when it last rose */
	char since[32];		    /* ... in UTC; empty: not known */
	uint64_t dir_at; /* when there was last enough directory info */
	/* Since it last rose: */
	char why[32];  /* the last BOOTSTRAP's REASON */
	unsigned said; /* SAID_* */
	bool skewed;   /* a CLOCK_SKEW event, by so much: */
	int64_t skew_s;
	bool circuit, enough_dir;
	long files;	/* descriptors that it may have; not above 0: unknown */
	bool files_out; /* it could not open a listener for want of them */
};

/* Evidence that circuits carry traffic. */
struct evidence {
	bool seen_read, seen_built; /* there is a value to compare with */
	uint64_t since;		    /* when the first of them was noted */
	uint64_t read;		    /* traffic/read */
	uint64_t built;		    /* the highest circuit number BUILT */
	uint64_t circuits_at;	    /* when circuits were last asked for */
	uint64_t extend_at;	    /* when EXTENDCIRCUIT was last sent */
	bool extend_refused;	    /* ... and Tor found no path for it */
	uint64_t active_at; /* SIGNAL ACTIVE was sent, or the session began */
	bool woken;	    /* it was sent in this session */
	/* A change is watched: circuits with higher numbers than BASE count. */
	bool look, based, fresh;
	uint64_t look_at, base;
};

#endif
