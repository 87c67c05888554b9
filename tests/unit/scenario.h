/*
 * The world around the engine's core in t_scenario.c: a fake gate, a fake
 * kernel and a virtual clock.
 */
#ifndef SCENARIO_H
#define SCENARIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/options.h"
#include "policy/policy.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/isolation.h"
#include "supervisor/engine/provision.h"
#include "supervisor/gatemsg.h"
#include "supervisor/links.h"
#include "supervisor/namemsg.h"
#include "supervisor/snapshot.h"

#define TRACE_CAP (256 * 1024)
#define FEED_CAP (4 * 1024 * 1024)
#define MAX_DEFS 32
#define MAX_LINES 256
#define MAX_SENT 16
#define MAX_RELAYS 20480
#define MAX_REACH 256
#define T0 1000000 /* the virtual clock starts here, ms */

enum chunking { BY_LINE = 0, BY_OCTET, AT_ONCE, NCHUNKING };

struct def {
	char name[32];
	char *lines[MAX_LINES];
	size_t n;
};

/* The fake gate: the rules of gate_req's comments, nothing more. */
struct fake_gate {
	bool up, mute;
	uint64_t epoch, seq, told_at;
	enum gate_position pos;
	bool refused, pending;
	unsigned nproven; /* of the last request */
	uint8_t proven[POL_MAX_LISTENERS / 8];
	struct pol_addr ifaddr[POL_MAX_IFADDRS];
	/* Strict egress: the list in force, and the one that comes in. */
	bool full; /* takes no page */
	uint32_t generation, nrelays, coming, ncoming;
	uint32_t absent; /* external interfaces, bits */
	struct gate_relay relay[MAX_RELAYS], next[MAX_RELAYS];
	/* Permits as last asked for, and as last reported. */
	bool stingy; /* grants none */
	uint32_t permits, told, reach_seq, nreach;
	struct {
		uint32_t who;
		struct gate_relay pair;
	} reach[MAX_REACH];
};

struct world {
	struct pol_policy policy;
	struct engine *e;
	uint64_t now;
	bool linked;
	enum chunking chunking;
	struct fake_gate gate;
	struct proof proofs[64], holders[64];
	bool prove_fails, cookie_fails, peer_fails, status_full;
	unsigned nmarks; /* lines of the last SETCONF that are marked */
	unsigned peer_uid; /* whose the control port is then */
	enum engine_clock clock;
	bool blind; /* nobody looks at the clock any more */
	bool clients_fail, client[ISO_SLOTS]; /* open ones */
	char *sent[MAX_SENT];
	size_t nsent;
	char *feed;
	size_t nfeed;
	char *trace;
	size_t ntrace;
	struct snapshot snap;
	char said[8192]; /* the texts of all results */
	char warned[4096]; /* in the log, since somebody has looked */
	struct snap_result result;
	struct snap_page page;	 /* the last one */
	struct snap_listener table[64];
	unsigned nlines;	 /* lines of the table that were sent */
	unsigned nowner, nprove; /* questions */
	unsigned nsnaps; /* snapshots that were sent */
	struct pol_addr ifaddrs[POL_MAX_IFADDRS];
	/* scenario_names.c */
	bool resolver, resolver_full, want_lookup, has_uplink;
	uint32_t want_id;
	int program; /* errno of a look at one */
	int change_rc; /* of the last word "change" */
	struct name_list list;
	struct name_go go;
	struct name_tryout tryout;
	/* scenario_about.c */
	struct {
		bool by_hand;
		char cmd[256]; /* to be answered; empty: none */
		char value[5][32], utc[32];
		unsigned lacks, fails; /* bits: keys */
		unsigned asked;	       /* questions answered */
	} about;
	/* scenario_apply.c */
	struct link_change change;
	bool keeper_deaf, keeper_slow;
	bool feeding; /* a line from Tor is cut in two just now */
	bool files_asked, looking; /* questions that answer themselves */
	unsigned looks; /* how often the keeper was asked to look */
	struct link_look look;
	struct link_seen seen; /* what the keeper sees */
	uint64_t change_id;
	char uplink[4096];
	struct def defs[MAX_DEFS];
	size_t ndefs;
	struct def *open_def;
	const char *file;
	unsigned line;
};

/* There is one at a time. */
extern struct world w;

extern const struct engine_ops world_ops;

/* A line of the trace. */
void world_note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Let everything happen that needs no time; when it wants to be called. */
uint64_t world_settle(void);
/* Hand over what was fed, cut as w.chunking says. */
void world_flush(void);
void world_feed(const char *text);
void world_tick(uint64_t ms);
/* scenario_expect.c: the test fails, and says where and in what state. */
void world_trouble(const char *what, const char *detail)
    __attribute__((noreturn));
/* WORD is KEY=VALUE: the test fails if that is not so. */
void world_expect(const char *word);


/*
 * scenario_tor.c: words of the language, see tests/scenario/README.  ARG is
 * the rest of the line, and may be written to.
 */
void script_sent(char *arg);
void script_feed(char *arg);
void script_probe(char *arg);
void script_conf(char *arg);
void script_where(char *arg);
void script_consensus(char *arg);
void script_questions(char *arg);
void script_closes(char *arg);

/* scenario_names.c: the engine's ops, and words. */
int names_op_reach(void *arg, const struct gate_reach *r);
int names_op_send(void *arg, const void *p, size_t n);
int names_op_program(void *arg, const char *path);
void names_check_permits(const struct gate_req *q);
void names_feed_uplink(void);
bool names_reached(uint32_t who, const char *text);
const char *names_value(const char *key, char *buf, size_t cap);
void script_resolver(char *arg);
void script_name(char *arg);
void script_want(char *arg);
void script_verdict(char *arg);
void script_program(char *arg);
void script_uplink(char *arg);
void script_change(char *arg);

/* scenario_about.c */
void about_init(void);
/* Is CMD a question that is answered by itself?  It is noted, then. */
bool about_take(const char *cmd);
/* Answer it; Tor must not be in the middle of something else. */
void about_answer(void);
const char *about_value(const char *key, char *buf, size_t cap);
void script_about(char *arg);

/* scenario_apply.c: the same of changes. */
/* Tor says which files it reads, the keeper what is in them. */
bool apply_answer(void);
int apply_op_look(void *arg, const struct link_look *q);
void script_seen(char *arg);
void script_stored(char *arg);
int apply_op_change(void *arg, const struct link_change *c);
const char *apply_value(const char *key, char *buf, size_t cap);
void script_apply(char *arg);
void script_pending(char *arg);
void script_kept(char *arg);
void script_keeper(char *arg);

#endif
