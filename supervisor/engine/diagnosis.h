/*
 * Why does Tor not get to its network?  Symptoms in, one sentence and one
 * recommendation out.  Pure: no I/O and no clock.
 *
 * The control port says almost nothing about names, transports and proxies
 * that do not work, so what we have seen ourselves comes first, what Tor says
 * next, and the phase in which it stands still last.
 */
#ifndef DIAGNOSIS_H
#define DIAGNOSIS_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/uplink.h"
#include "supervisor/engine/facts.h"
#include "supervisor/namemsg.h"
#include "supervisor/snapshot.h"

/* What Tor's log has said since it got any further; bits. */
enum {
	SAID_CERTIFICATE = 1 << 0, /* one is expired or not yet valid */
	SAID_SOCKS = 1 << 1,	/* "general SOCKS server failure" */
	SAID_IDENTITY = 1 << 2, /* a relay's key is not the one expected */
	SAID_NO_ROUTE = 1 << 3
};

struct symptoms {
	bool stalled;	  /* no progress for longer than its phase may take */
	int progress;	  /* bootstrap; 100 stays so whatever happens */
	const char *tag;  /* its phase, escaped */
	const char *reason; /* BOOTSTRAP's REASON, or empty */
	const char *said; /* Tor's last warning, scrubbed, or empty */
	unsigned log;	  /* SAID_* */
	bool skewed;	  /* a CLOCK_SKEW event; */
	int64_t skew_s;	  /* our clock minus the other one */
	bool bridges;

	bool off;	  /* networking is: nothing is looked up */
	bool resolver;	  /* the policy has one */
	bool own_dns;	  /* ... and it is one of Tor's own DNSPorts */
	enum pol_proxy proxy;
	const char *proxy_host; /* given by name, and not resolved; or NULL */
	enum name_state proxy_name;
	enum name_verdict verdict; /* of the proxy, as we have tried it */
	uint32_t code;		   /* the proxy's own */

	const char *method; /* the transport that is worst off, or NULL */
	enum snap_transport_state transport;
	uint32_t deaths;
	const char *word; /* its last, scrubbed, or empty */
	const char *host; /* a transport's name without address, or NULL */
	enum name_state name;
	bool fronts; /* "fronts=", which an old snowflake ignores */
};

struct diagnosis {
	char code[32];
	char text[SNAP_TEXT];
	char advice[SNAP_TEXT];
};

/* False, and OUT is empty: nothing is known to be wrong. */
bool diagnosis_make(struct diagnosis *out, const struct symptoms *s);

/* Diagnosis I in general, from 0 on; NULL beyond the last. */
const struct facts_reason *diagnosis_code(unsigned i);

/* "does not exist (NXDOMAIN)": what is so of a name; and what to do. */
const char *diagnosis_name(enum name_state state);
const char *diagnosis_name_advice(enum name_state state, bool resolver);

#endif
