/*
 * What is known of Tor, whoever said it: the supervisor's status line, or Tor
 * itself.  Text is cleaned before it comes in here.
 */
#ifndef APPLETS_TORSAY_H
#define APPLETS_TORSAY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "supervisor/applets/question.h"

/* Bits of torsay.known. */
#define SAY_BOOT 0x01u	      /* progress and line */
#define SAY_ESTABLISHED 0x02u
#define SAY_USABLE 0x04u      /* usable, circuit, trouble */
#define SAY_DORMANT 0x08u
#define SAY_CONSENSUS 0x10u   /* valid_after, valid_until */
#define SAY_ENABLED 0x20u
#define SAY_WARNED 0x40u      /* warned */
#define SAY_SIGNALLED 0x80u   /* the new identity was asked for */

#define TORSAY_TEXT 256

struct torsay {
	unsigned known;
	bool established, dormant, enabled;
	/*
	 * Tor's circuits carry traffic.  By the supervisor: its evidence,
	 * which is a circuit that was built or octets that came within its
	 * bound.  By Tor: it has just built one, or a stream succeeded.
	 */
	bool usable;
	int progress; /* 0 to 100 */
	uint64_t circuit; /* its number; 0: not known */
	int64_t valid_after, valid_until; /* UTC; 0: Tor has no consensus */
	char line[TORSAY_TEXT];	   /* NOTICE BOOTSTRAP PROGRESS=... */
	char warned[TORSAY_TEXT];  /* the last warning that Tor logged */
	char trouble[TORSAY_TEXT]; /* why no circuit came; empty: too late */
};

/*
 * From a status line.  Nothing of Tor's is known from one that has no link to
 * Tor, or is of another schema; what it lacks stays unknown.
 */
void torsay_from_line(struct torsay *say, const json_t *line);

/* UTC as a consensus has it, "2026-01-31 23:59:59"; "" for 0. */
#define TORSAY_TIME_LEN 32
void torsay_time(char dst[TORSAY_TIME_LEN], int64_t t);

/* The same the other way; 0 for anything else. */
int64_t torsay_time_of(const char *text);

#endif
