/* Which applet was called, by which name, and what it is asked.  Pure. */
#ifndef APPLETS_QUESTION_H
#define APPLETS_QUESTION_H

#include <stdbool.h>

enum applet {
	APPLET_NONE = 0,
	APPLET_BOOTSTRAP,   /* tor-bootstrap-check */
	APPLET_ESTABLISHED, /* tor-circuit-established-check */
	APPLET_BUILT,	    /* tor-circuit-built-check [SECONDS] */
	APPLET_STREAM,	    /* tor-stream-success-check [SECONDS] */
	APPLET_DORMANT,	    /* tor-dormant-check */
	APPLET_NEWNYM,	    /* tor-signal-newnym */
	APPLET_VALID_AFTER, /* tor-consensus-valid-after */
	APPLET_VALID_UNTIL, /* tor-consensus-valid-until */
	APPLET_ENABLED,	    /* tor-enabled-check */
	APPLET_ANONDATE,    /* anondate OPTION... */
	NAPPLET
};

/* anondate's questions, in the order in which it answers only the first. */
enum anondate {
	AD_NONE = 0,
	AD_HAS_CONSENSUS,
	AD_IN_RANGE,
	AD_VALID_AFTER,
	AD_VALID_UNTIL,
	AD_MIDDLE,
	AD_CERT_VALID,
	AD_CERT_AFTER,
	AD_USER,
	AD_GROUP,
	NANONDATE
};

/* The consensus that anondate is asked about. */
enum consensus_file { CF_VERIFIED = 0, CF_PREFER_VERIFIED, CF_UNVERIFIED,
	NCF };

struct question {
	enum applet applet;
	double seconds; /* how long a caller wants to wait for a circuit */
	enum anondate date;
	enum consensus_file file;
	const char *odd; /* anondate: an option that there is not */
};

/*
 * By NAME, or by the last part of a path: "tor-bootstrap-check" and what the
 * displaced files are called, "/usr/libexec/.../tor_bootstrap_check.py".
 */
enum applet applet_of(const char *name);
const char *applet_name(enum applet a); /* NULL for APPLET_NONE */

/*
 * ARGV are the arguments behind the name, ending in NULL.  There is no wrong
 * argument, as the programs that we stand in for knew none either, but for
 * q->odd.
 */
void question_parse(struct question *q, enum applet a, char *const *argv);

#endif
