/*
 * What the engine tells the status process, and the verbs that come back.
 * Fixed structs on a SOCK_SEQPACKET pair; text is bounded, NUL-terminated
 * and already escaped to printable ASCII by the engine.
 */
#ifndef SNAPSHOT_H
#define SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "gatemsg.h"
#include "policy/policy.h"

#define SNAP_MAGIC 0x50435331u
#define SNAP_VERB_MAGIC 0x50435631u
#define SNAP_TEXT 192
#define SNAP_MAX_TROUBLE 8

/*
 * The facts behind "open" as bits of struct snapshot: the engine's enum fact,
 * number by number and name by name (a test compares them).
 */
enum snap_fact { SNAP_F_LINK = 0, SNAP_F_CONF, SNAP_F_LISTEN, SNAP_F_BOOT,
	SNAP_F_CIRCUIT, SNAP_F_USABLE, SNAP_F_ALIVE, SNAP_F_TIME, SNAP_F_FREE,
	SNAP_NFACT };

/* Why a listener is not proven. */
enum snap_listener_why {
	SNAP_L_OK = 0,
	SNAP_L_NOT_CHECKED,
	SNAP_L_NOT_REPORTED, /* Tor does not name it in net/listeners */
	SNAP_L_NO_SOCKET,    /* no such listening socket in the kernel */
	SNAP_L_FOREIGN,	     /* another uid's socket is bound there */
	SNAP_L_FLAGS,	     /* Tor's line differs from the policy's */
	SNAP_NLWHY
};

struct snap_trouble {
	uint32_t listener; /* number */
	uint32_t why;	   /* enum snap_listener_why */
	uint32_t uid;	   /* owner, for SNAP_L_FOREIGN */
	char name[POL_NAME_LEN];
	char address[64];
};

struct snapshot {
	uint32_t magic;
	uint32_t state; /* enum sm_state */
	char state_name[16];
	char reason_code[32];	 /* "tor-hung", "bootstrapping", ... */
	char reason[SNAP_TEXT];	 /* one sentence: why this position */
	char advice[SNAP_TEXT];	 /* one sentence: what to do; may be empty */
	char since[32];		 /* UTC, RFC 3339: when the position began */
	struct gate_report gate; /* as last received */
	uint32_t gate_fresh;	 /* 1: received within a second */
	uint32_t facts;		 /* bit i: enum snap_fact i holds now */
	uint32_t nfacts;
	int32_t tor_pid;
	int32_t engine_pid;
	uint32_t hold;
	int32_t boot_progress; /* -1 unknown */
	char boot_tag[32];
	char boot_summary[96];
	char boot_warning[SNAP_TEXT]; /* last problem; empty: none */
	char tor_version[32];
	uint32_t circuit_established, enough_dir_info;
	uint32_t nlisteners, nlisteners_proven;
	uint32_t ntrouble; /* may exceed SNAP_MAX_TROUBLE */
	struct snap_trouble trouble[SNAP_MAX_TROUBLE];
	uint64_t links, provisions, repairs; /* counters since engine start */
	uint64_t seq;
};

enum snap_verb_code { SNAP_V_NONE = 0, SNAP_V_HOLD, SNAP_V_RELEASE,
	SNAP_V_NEWNYM, SNAP_V_REPROVE, SNAP_NVERB };

struct snap_verb {
	uint32_t magic;
	uint32_t code; /* enum snap_verb_code */
	uint64_t id;   /* comes back in the result */
	uint32_t uid;  /* who asked, for the log */
	uint32_t reserved;
};

/* Answer to a verb, engine to status. */
#define SNAP_RESULT_MAGIC 0x50435332u
struct snap_result {
	uint32_t magic;
	uint32_t ok;
	uint64_t id;
	char text[SNAP_TEXT]; /* one sentence */
};

bool snap_verb_ok(const struct snap_verb *v);

/* "link", "free"; NULL beyond SNAP_NFACT. */
const char *snap_fact_name(enum snap_fact fact);
/* "not-checked", "foreign"; "unknown" beyond SNAP_NLWHY. */
const char *snap_listener_why_name(enum snap_listener_why why);
/* "hold"; NULL for SNAP_V_NONE and beyond. */
const char *snap_verb_name(enum snap_verb_code code);

#endif
