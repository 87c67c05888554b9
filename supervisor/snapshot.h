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
#include "policy/uplink.h"
#include "snapnames.h"
#include "snaptor.h"

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
	SNAP_L_NO_ADDRESS,   /* this machine does not have the address now */
	SNAP_L_STALE,	     /* its flags may be older than Tor's line */
	SNAP_L_REFUSED,	     /* Tor could not bind it */
	SNAP_L_FILE,	     /* the path is not the listening Unix socket */
	SNAP_NLWHY
};

/*
 * How far a listener has come.  Whether a proven one is *open* follows from
 * the gate's position; a Unix socket is not the gate's to open.
 */
enum snap_listener_state {
	SNAP_LS_WANTED = 0, /* Tor is to open it */
	SNAP_LS_LISTENING,  /* Tor names it; not proven */
	SNAP_LS_PROVEN,
	SNAP_LS_WITHHELD, /* left out until it can be had; WHY says why */
	SNAP_NLSTATE
};

/* One line of the table of listeners. */
struct snap_listener {
	uint32_t number;
	uint32_t kind;	/* enum pol_kind */
	uint32_t state; /* enum snap_listener_state */
	uint32_t why;	/* enum snap_listener_why */
	uint32_t uid;	/* of the socket there; UINT32_MAX: none or unknown */
	int32_t pid;	/* of a foreign socket's owner; 0: unknown */
	uint32_t unix_socket; /* 1: not the gate's to open */
	uint32_t flags_sure; /* 1: opened by us with FLAGS, or seen in force */
	char name[POL_NAME_LEN];
	char app[POL_NAME_LEN];
	char address[POL_LISTENER_TEXT]; /* with the port */
	char flags[POL_FLAGS_LEN];
};

/*
 * The table goes to the status process in pages, all of it after it has
 * linked, then only lines that changed.  A page holds 1 to SNAP_PAGE_LINES.
 * Only when none are left, and after the snapshot of the same generation, is
 * what the status process has one table, and the one that is counted.
 */
#define SNAP_PAGE_MAGIC 0x50435333u
#define SNAP_PAGE_LINES 16
struct snap_page {
	uint32_t magic;
	uint32_t total;	     /* lines in the whole table */
	uint32_t n;	     /* lines in this page */
	uint32_t left;	     /* lines that are still to be sent after it */
	uint64_t generation; /* counts changes of the table; in the snapshot */
	struct snap_listener line[SNAP_PAGE_LINES];
};

/* A listener of Tor's that the policy does not name. */
#define SNAP_MAX_EXTRA 8
struct snap_extra {
	uint32_t kind;	/* enum pol_kind */
	uint32_t alarm; /* 1: reachable from further than this machine */
	char address[POL_LISTENER_TEXT]; /* as Tor writes it */
};

struct snap_trouble {
	uint32_t listener; /* number */
	uint32_t why;	   /* enum snap_listener_why */
	uint32_t uid;	   /* owner, for SNAP_L_FOREIGN */
	int32_t pid;	   /* owner, for SNAP_L_FOREIGN; 0: unknown */
	char name[POL_NAME_LEN];
	char address[POL_LISTENER_TEXT];
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
	uint32_t gate_fresh;	 /* 1: received within two seconds */
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
	struct snap_tor tor;
	uint32_t nlisteners, nlisteners_proven;
	uint32_t ntrouble; /* may exceed SNAP_MAX_TROUBLE */
	struct snap_trouble trouble[SNAP_MAX_TROUBLE];
	uint32_t nwithheld;
	uint32_t nextra, nalarm; /* extra listeners, and those that alarm */
	struct snap_extra extra[SNAP_MAX_EXTRA]; /* alarms first */
	uint64_t table_generation; /* see struct snap_page */
	uint32_t time_required; /* 1: by the policy; see fact "time" */
	uint32_t mode;		/* enum pol_mode: the policy's */
	/* Strict egress: the newest list; the gate says which is in force. */
	uint32_t relays_generation, nrelays;
	char relays_fault[SNAP_TEXT]; /* why there is no newer; empty: none */
	/* How Tor gets out: bridges, proxy, and the names that they need. */
	uint32_t nbridges; /* lines in use; 0: none */
	struct snap_proxy proxy;
	uint32_t nnames; /* may exceed SNAP_MAX_NAMES */
	struct snap_name name[SNAP_MAX_NAMES];
	uint32_t ntransports;
	struct snap_transport transport[SNAP_MAX_TRANSPORTS];
	uint32_t resolver; /* 1: the policy has one */
	uint32_t resolver_up;
	uint64_t lookups, stub_answered, stub_refused;
	uint32_t apply_step; /* enum snap_apply_step */
	char apply_text[SNAP_TEXT]; /* why; empty: nothing to say */
	char apply_since[32];	    /* UTC: when the step began */
	uint32_t stalled; /* 1: bootstrap makes no progress */
	char boot_since[32]; /* UTC: its last progress; empty: not known */
	char tor_said[SNAP_TEXT]; /* Tor's last warning; escaped */
	uint64_t links, provisions, repairs; /* counters since engine start */
	uint64_t seq;
};

enum snap_verb_code { SNAP_V_NONE = 0, SNAP_V_HOLD, SNAP_V_RELEASE,
	SNAP_V_NEWNYM, SNAP_V_REPROVE, SNAP_V_CHECK_ISOLATION,
	SNAP_V_NAMES, /* the names with their addresses, one sentence each */
	SNAP_V_APPLY, /* goes up as struct snap_change, never as a bare verb */
	SNAP_NVERB };

struct snap_verb {
	uint32_t magic;
	uint32_t code; /* enum snap_verb_code */
	uint64_t id;   /* comes back in the result */
	uint32_t uid;  /* who asked, for the log */
	uint32_t reserved;
};

/*
 * SNAP_V_APPLY: told apart by its size.  The engine answers with a sentence
 * for each step (MORE), and at the end with the outcome.  It goes on when who
 * asked is gone.  Wiped on both sides after use.
 */
#define SNAP_CHANGE_MAGIC 0x50435634u
struct snap_change {
	uint32_t magic;
	uint32_t uid;	  /* who asked, for the log */
	uint64_t id;	  /* comes back in the results */
	uint32_t dry_run; /* 1: stop after the preflight */
	uint32_t reserved; /* 0 */
	struct pol_uplink uplink;
};

/* Answer to a verb, engine to status. */
#define SNAP_RESULT_MAGIC 0x50435332u
struct snap_result {
	uint32_t magic;
	uint32_t ok;
	uint32_t more; /* 1: another sentence for the same verb follows */
	uint32_t refused; /* 1: not done, or not to the end: no verdict */
	uint64_t id;
	char text[SNAP_TEXT]; /* one sentence */
};

bool snap_verb_ok(const struct snap_verb *v);
/* All but what the policy decides: pol_uplink_ok() is the engine's. */
bool snap_change_ok(const struct snap_change *c);

/* "link", "free"; NULL beyond SNAP_NFACT. */
const char *snap_fact_name(enum snap_fact fact);
/* "not-checked", "foreign"; "unknown" beyond SNAP_NLWHY. */
const char *snap_listener_why_name(enum snap_listener_why why);
/* "withheld"; "unknown" beyond SNAP_NLSTATE. */
const char *snap_listener_state_name(enum snap_listener_state state);
/* "hold"; NULL for SNAP_V_NONE and beyond. */
const char *snap_verb_name(enum snap_verb_code code);

#endif
