/*
 * What Tor says of itself beyond the facts, as struct snapshot tells it:
 * enabled, consensus, circuits, dormancy, its last bootstrap message.
 * Nothing here names a relay, a bridge, a destination or an address.
 */
#ifndef SNAPTOR_H
#define SNAPTOR_H

#include <stdint.h>

/* Tor was not asked yet, or its answer was none. */
enum snap_known { SNAP_UNKNOWN = 0, SNAP_NO, SNAP_YES, SNAP_NKNOWN };

/* How this connection was authenticated (control-spec, AUTHENTICATE). */
enum snap_auth { SNAP_AUTH_NONE = 0, SNAP_AUTH_NULL, SNAP_AUTH_COOKIE,
	SNAP_AUTH_SAFECOOKIE, SNAP_AUTH_PASSWORD, SNAP_NAUTH };

/*
 * This machine's clock against the consensus that Tor holds.  A consensus
 * serves a client for a day after its valid-until: SLOW and FAST say that Tor
 * cannot use it.
 */
enum snap_clock { SNAP_CLOCK_UNKNOWN = 0, SNAP_CLOCK_NONE_YET, SNAP_CLOCK_OK,
	SNAP_CLOCK_SLOW, SNAP_CLOCK_FAST, SNAP_NCLOCK };

/* What the files of the time-sync directory say (sdwdate's words). */
enum snap_timesync { SNAP_TS_NONE = 0, /* the policy has no time-sync */
	SNAP_TS_PENDING, SNAP_TS_FIRST_SUCCESS, SNAP_TS_SUCCESS, SNAP_TS_FAIL,
	SNAP_NTS };

#define SNAP_BOOT_LINE 256

struct snap_tor {
	uint32_t enabled;  /* enum snap_known: DisableNetwork is 0 */
	uint32_t dormant;  /* enum snap_known: GETINFO dormant */
	uint32_t auth;	   /* enum snap_auth */
	uint32_t restarts; /* other Tor processes met since the engine began */
	char since[32];	   /* UTC, RFC 3339: when this process was first met */
	char lost[192];    /* why there is no connection; empty: there is */

	/*
	 * The last bootstrap status as GETINFO status/bootstrap-phase gives
	 * it ("NOTICE BOOTSTRAP PROGRESS=100 ..."), without HOSTID= and
	 * HOSTADDR=; escaped.  Empty: none.
	 */
	char boot_line[SNAP_BOOT_LINE];
	char boot_severity[8]; /* "notice", "warn" */
	char boot_reason[32];  /* REASON= of a warning: "NOROUTE" */
	char boot_recommendation[8]; /* "ignore", "warn" */
	uint32_t boot_count;   /* COUNT= of a warning */

	uint32_t usable;       /* enum snap_known: by evidence, in its bound */
	uint32_t clock;	       /* enum snap_clock */
	uint32_t reserved;     /* 0: snapshots are compared as octets */
	uint64_t built_id;     /* circuit number BUILT last; 0: none seen */
	char built[32];	       /* UTC: when that was */
	int64_t valid_after, fresh_until, valid_until; /* UTC s; 0: none */
	uint32_t skew_known;
	uint32_t timesync;     /* enum snap_timesync */
	int64_t skew_s;	       /* of our clock by a peer's word; > 0: fast */
};

/* "unknown", "no", "yes" */
const char *snap_known_name(enum snap_known k);
/* "safecookie"; NULL for SNAP_AUTH_NONE and beyond */
const char *snap_auth_name(enum snap_auth a);
/* "ok", "slow", "fast", "noneyet"; "unknown" beyond SNAP_NCLOCK */
const char *snap_clock_name(enum snap_clock c);
/* "first_success"; NULL for SNAP_TS_NONE and beyond */
const char *snap_timesync_name(enum snap_timesync t);

#endif
