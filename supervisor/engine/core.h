/*
 * Inside the engine's core: the struct that its parts share.  Not for the
 * shell, which sees engine.h only.
 *
 *	engine.c	inputs and time
 *	ask.c		the decision, and what the gate is asked for
 *	places.c	addresses of this machine, owners of others' sockets
 *	session.c	one command at a time: which next, what came back
 *	auth.c		the replies before and during set-up
 *	watch.c		the replies that become facts
 *	events.c	what Tor tells unasked
 *	about.c		what Tor says that decides nothing
 *	storm.c		how often events may have us do so
 *	repair.c	drift, SETCONF, back-off, limits
 *	questions.c	what is under way by DNS, ended before that
 *	relays.c	strict egress: where Tor may connect to
 *	uplink.c ...	bridges, transports, proxy, and the names they need
 *	apply.c		changes of them, as transactions
 *	kept.c		what of them is kept, and whether Tor has it
 *	check.c		the isolation check, while one runs
 *	tell.c ...	reasons and snapshots
 *	table.c		the table of listeners, for the status process
 */
#ifndef CORE_H
#define CORE_H

#include "controlproto/conn.h"
#include "controlproto/event.h"
#include "policy/policy.h"
#include "supervisor/engine/about.h"
#include "supervisor/engine/apply.h"
#include "supervisor/engine/check.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/kept.h"
#include "supervisor/engine/names.h"
#include "supervisor/engine/provision.h"
#include "supervisor/engine/questions.h"
#include "supervisor/engine/reach.h"
#include "supervisor/engine/relays.h"
#include "supervisor/engine/session.h"
#include "supervisor/engine/storm.h"
#include "supervisor/engine/table.h"
#include "supervisor/engine/tell.h"
#include "supervisor/engine/torinfo.h"
#include "supervisor/engine/transports.h"
#include "supervisor/engine/tryout.h"
#include "supervisor/engine/uplink.h"
#include "supervisor/snapshot.h"

/*
 * Violations that only the operator's reprove clears; a refusal ends with the
 * Tor that refused, too.
 */
enum latch { LATCH_NONE = 0, LATCH_FIGHT, LATCH_REFUSED, NLATCH };

/* More repairs a minute than this are two controllers fighting. */
#define REPAIRS_PER_MINUTE 6

/* When things are due, in ms. */
struct due {
	uint64_t connect; /* BACKOFF ends */
	uint64_t probe, conf, circuits;
	uint64_t retry, again; /* a listener left out; a list refused */
	uint64_t owner;	  /* ask for the owner of a foreign socket */
	uint64_t gate, status; /* repeat the request; the snapshot */
};

struct engine {
	const struct pol_policy *policy;
	const struct engine_ops *ops;
	void *arg;
	int pid;

	enum sm_state state;
	struct facts facts;
	struct cp_conn *conn; /* NULL: no link */
	uint64_t sent; /* when the command in flight went out */
	struct due due;

	/* session */
	struct cp_login *login; /* NULL: not begun, or let in */
	bool need_info, need_events, need_conf, need_probe, need_newnym;
	bool newnym_open;   /* asked for by a verb that has no answer yet */
	uint64_t newnym_id; /* that verb */
	bool provisioned; /* this session had its first SETCONF */
	bool bind_failed; /* the last SETCONF was answered with 553 */
	bool blamed;	  /* ... and it was found out whose fault that was */
	bool setting;	  /* a SETCONF is to be sent */
	bool set_open;	  /* a SETCONF has no answer yet */
	bool cycling;	  /* between the two of a cycle */
	bool joining;	  /* listeners that were withheld are taken back */
	bool moved;	  /* an interface has another address */
	bool conf_read;	  /* GETCONF was answered in this session */
	bool reloaded;	  /* Tor has read torrc since GETCONF was answered */
	bool disabled;	  /* torrc has networking off: that is left so */
	uint32_t again_ms; /* the last delay before due.again */
	uint64_t judged;  /* prov.version that repair_judge() has seen */
	enum prov_plan plan;
	unsigned events;    /* bits: which ones to subscribe to */
	uint64_t probe_at;  /* when the last probe that counts was sent */
	struct tor_info tor;
	struct evidence ev;
	struct about about;
	struct prov prov;
	struct proof *proofs; /* owned: scratch for the prove pass */

	/* across sessions */
	enum engine_loss loss;
	uint32_t peer_uid; /* whose the control port is, with LOSS_PEER */
	unsigned tries; /* failed connections in a row */
	uint64_t absent_since, open_since; /* SYNC counts as open here */
	bool lost_session; /* the lost link was authenticated */
	bool same_loss;	   /* the last try failed as the one before */
	bool hold;
	enum latch latch;
	char latch_text[SNAP_TEXT]; /* Tor's words, escaped */
	uint64_t repaired_at[REPAIRS_PER_MINUTE]; /* ring */
	uint64_t links, provisions, repairs;
	struct storm asked_again; /* of events that have us ask */
	struct storm taken_back;  /* ... and of what was so no more */

	struct check check;
	struct relays relays;
	struct uplink uplink;
	struct names names;
	struct transports transports;
	struct tryout tryout;
	struct apply apply;
	struct kept kept;
	struct questions questions;

	/* gate */
	bool gate_up, gate_known, status_up;
	struct gate_report report;
	uint64_t report_at;
	uint64_t gate_seq, changed_seq; /* the last; that was no renewal */
	uint64_t lowered_seq; /* the request that last ended OPEN or SYNC */
	enum gate_position asked; /* last position that was sent */
	bool asked_valid;	  /* ... to this gate */
	uint64_t asked_proof;
	uint8_t asked_proven[POL_MAX_LISTENERS / 8];
	uint32_t asked_permits;
	uint64_t permits_seq; /* the request that had them first */
	uint32_t reach_seq;   /* of the last gate_reach to this gate */
	struct pol_addr asked_ifaddr[POL_MAX_IFADDRS];
	/* Where the listeners in facts.proven are; see gate_req.ifaddr. */
	struct pol_addr ifaddr[POL_MAX_IFADDRS];
	uint64_t owners_asked; /* prov.version without an owner to ask for */
	uint64_t published; /* prov.version that facts.proven is made from */

	/* the clock, if the policy asks for it; else all 0 */
	enum engine_clock clock;
	uint64_t clock_at; /* when that was seen */
	enum snap_timesync timesync; /* the word of those who set it */
	uint8_t for_sync[POL_MAX_LISTENERS / 8]; /* the timesync listeners */

	/* what people are told */
	char reason_code[32], reason[SNAP_TEXT], advice[SNAP_TEXT];
	char since[32];
	uint64_t snap_seq;
	struct snapshot snap; /* the last one sent */
	struct table table;
};

/* engine.c */
void engine_step(struct engine *e, enum sm_event ev, uint64_t now);
/* Drop the link: gate first, then the reason.  DETAIL is logged, or NULL. */
void engine_lose(struct engine *e, enum engine_loss why, const char *detail,
    uint64_t now);
/* Let the facts have what is proven by now; it can become less at once. */
void engine_publish(struct engine *e);
/*
 * Until when what is due at DUE, once a second, may wait for a probe, so that
 * we wake up once for both.
 */
uint64_t engine_latest(const struct engine *e, uint64_t due);
/* Void all proofs and make them again. */
void engine_reprove(struct engine *e, uint64_t epoch, uint64_t now);

/* ask.c */
/* Send the gate what facts_position() says, if that is due. */
void engine_decide(struct engine *e, uint64_t now);
/* Are there clients of whatever kind for whom POS is open? */
bool ask_is_up(enum gate_position pos);

/* places.c: ask for a foreign socket's owner, if none was asked for yet. */
void places_ask_owner(struct engine *e, uint64_t now);

/* auth.c; each handler borrows REPLY. */
void auth_hello(struct engine *e, uint64_t now);
void auth_on_protocolinfo(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
void auth_on_challenge(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
void auth_on_authenticate(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
void auth_ask_info(struct engine *e, uint64_t now);
void auth_on_info(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
void auth_ask_events(struct engine *e, uint64_t now);
/* Subscribe to the ordinary set, and to STREAM, if STREAMS. */
void auth_send_events(struct engine *e, enum cmd tag, bool streams,
    uint64_t now);
void auth_on_events(struct engine *e, const struct cp_reply *reply,
    uint64_t now);

/* watch.c */
void watch_ask_probe(struct engine *e, uint64_t now);
void watch_on_probe(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
void watch_ask_circuits(struct engine *e, uint64_t now);
void watch_on_circuits(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
bool watch_circuits_due(const struct engine *e, uint64_t now);
bool watch_extend_due(const struct engine *e, uint64_t now);
void watch_ask_extend(struct engine *e, uint64_t now);
void watch_on_extend(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
/* Keep Tor from going dormant, or wake it. */
bool watch_active_due(const struct engine *e, uint64_t now);
void watch_ask_active(struct engine *e, uint64_t now);
void watch_on_active(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
void watch_progress(struct engine *e, const struct cp_bootstrap *b,
    uint64_t now);
bool watch_stalled(const struct engine *e, uint64_t now);

/* events.c; the second: what Tor had said is so no more, see storm.h. */
void watch_on_event(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
void engine_unsettled(struct engine *e, uint64_t now);

/* repair.c */
void repair_doubt(struct engine *e, unsigned kinds, uint64_t now);
void repair_on_changed(struct engine *e, const struct cp_reply *event,
    uint64_t now);
void repair_on_reload(struct engine *e, uint64_t now);
void repair_on_log(struct engine *e, struct cp_str text);
bool repair_lacks_files(const struct engine *e); /* may Tor have too few? */
void repair_ask_conf(struct engine *e, uint64_t now);
void repair_on_conf(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
/* Both read-backs are fresh: confirm, or plan. */
void repair_judge(struct engine *e, uint64_t now);
void repair_ask_setconf(struct engine *e, uint64_t now);
void repair_on_setconf(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
void repair_unlatch(struct engine *e);

#endif
