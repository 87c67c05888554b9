/*
 * How our processes find each other.  The keeper (portcullisd's parent
 * process) starts gate, engine, status and, if the policy has one, the
 * resolver, and restarts them; it makes the socket pairs between neighbours
 * and hands an end to each over that child's keeper channel.
 */
#ifndef LINKS_H
#define LINKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "policy/torrc.h"
#include "policy/uplink.h"

/* Descriptors that every child is started with. */
#define LINK_KEEPER_FD 3 /* SOCK_SEQPACKET to the keeper: ends arrive here */
#define LINK_POLICY_FD 4 /* sealed memfd: the canonical policy text */
/* The status process only: bound, listening Unix stream sockets. */
#define LINK_STATUS_FD 5  /* status.sock */
#define LINK_CONTROL_FD 6 /* control.sock */

/* Who is at the other end of a handed-over descriptor. */
enum link_peer { LINK_NONE = 0, LINK_GATE, LINK_ENGINE, LINK_STATUS,
	LINK_RESOLVER, /* only if the policy has a resolver */
	LINK_NPEER };

#define LINK_MAGIC 0x50434c31u

/* Keeper to child, with exactly one descriptor as SCM_RIGHTS. */
struct link_msg {
	uint32_t magic;
	uint32_t peer; /* enum link_peer */
};

/* An operator's hold outlives the engine: the keeper writes it down. */
enum link_hold { LINK_HOLD_NONE = 0, LINK_HOLD_SET, LINK_HOLD_CLEAR,
	LINK_NHOLD };

/* The engine's only argument when a hold is in force as it starts. */
#define LINK_HELD_ARGUMENT "held"

/*
 * Child to keeper; one of the two.  The gate may ask for a new engine, the
 * engine may have a hold written down or struck out.  Neither of the two,
 * from the gate: it stands, closed and verified; before that no engine is
 * started.  The gate says so again each second, and the keeper each time
 * feeds the service manager's watchdog.
 */
#define LINK_ASK_MAGIC 0x50434132u
struct link_ask {
	uint32_t magic;
	uint32_t restart; /* enum link_peer: kill it and start it afresh */
	uint32_t hold;	  /* enum link_hold */
};

/*
 * Engine to keeper, told apart by its size: which process of user UID has
 * the socket INODE open?  One at a time, and no more often than once in
 * LINK_OWNER_MS: a question that comes too early is not answered.  The
 * answer, if any, comes as struct link_owner without a descriptor.  The
 * keeper looks as that user, not as root.
 */
#define LINK_OWNER_MS 500
#define LINK_OWNER_MAGIC 0x50434f31u
struct link_owner {
	uint32_t magic;
	uint32_t uid;
	uint64_t inode;
	int32_t pid;	   /* 0 in the question, and for: not found */
	uint32_t reserved; /* 0 */
};

/*
 * Engine to keeper, told apart by its size.  Before a change is set in Tor:
 * REMEMBER what was there before.  The next engine, if this one dies in
 * between, is started with LINK_PENDING_FD, a sealed memfd that holds that as
 * a struct link_pending, and rolls back to it.  KEEP: the change has proven
 * itself; the keeper judges it by the policy again, writes it to the policy's
 * tor.torrc in one rename (root's, readable by Tor's group, 0640), unless
 * what is there is not ours (EEXIST), and forgets the other.
 * FORGET: rolled back.  Each is answered with a struct link_kept.
 */
enum link_change_step { LINK_CHANGE_NONE = 0, LINK_CHANGE_REMEMBER,
	LINK_CHANGE_KEEP, LINK_CHANGE_FORGET, LINK_NCHANGE };

#define LINK_CHANGE_MAGIC 0x50434831u
struct link_change {
	uint32_t magic;
	uint32_t step; /* enum link_change_step */
	uint32_t id;   /* comes back in the answer */
	uint32_t reserved; /* 0 */
	struct pol_addr addr; /* that Tor has for the proxy's name, if any */
	struct pol_uplink uplink; /* FORGET: all zero */
};

#define LINK_KEPT_MAGIC 0x50434b31u
struct link_kept {
	uint32_t magic;
	uint32_t id;
	int32_t error; /* 0, or the errno of what failed */
	uint32_t reserved; /* 0 */
};

/*
 * Engine to keeper, told apart by its size: what will become of the policy's
 * tor.torrc when Tor starts or reloads, and what is in it?  TORRC, DEFAULTS
 * and PID are Tor's own words, which the engine passes on: the keeper reads
 * only files of root's or of Tor's user, that not everybody may write to, and
 * tells nothing of them but which line is in the way.  The answer is a struct
 * link_seen.
 */
#define LINK_PATH 512
#define LINK_LOOK_MAGIC 0x50434c34u
struct link_look {
	uint32_t magic;
	uint32_t id;  /* comes back in the answer */
	int32_t pid;  /* Tor's: for includes by a relative path; 0: unknown */
	uint32_t reserved; /* 0 */
	char torrc[LINK_PATH];	  /* GETINFO config-file */
	char defaults[LINK_PATH]; /* GETINFO config-defaults-file, or empty */
};

enum link_finding { LINK_F_GOOD = 0, /* Tor will read it, and nothing else */
	LINK_F_NO_FOLDER,  /* FILE, the folder of tor.torrc, is not there */
	LINK_F_FOLDER,	   /* others than root may write in FILE or above */
	LINK_F_NOT_OURS,   /* at tor.torrc is what we did not write */
	LINK_F_NO_TORRC,   /* which torrc Tor reads is not known */
	LINK_F_OPTION,	   /* FILE has OPTION at LINE, too */
	LINK_F_UNREACHED,  /* no %include, from FILE on, reaches tor.torrc */
	LINK_F_UNREADABLE, /* FILE, included somewhere, cannot be read */
	LINK_F_SPECIAL,	   /* FILE is neither a file nor a folder */
	LINK_F_UNSAFE,	   /* others than root and Tor may write to FILE */
	LINK_F_SYNTAX,	   /* Tor cannot read FILE from LINE on */
	LINK_F_RELATIVE,   /* FILE, LINE: included by a relative path */
	LINK_F_TOO_MUCH,   /* FILE: too many, too long, too deep from here */
	LINK_NFINDING };

#define LINK_SEEN_MAGIC 0x50435335u
struct link_seen {
	uint32_t magic;
	uint32_t id;
	uint32_t finding; /* enum link_finding */
	uint32_t option;  /* enum pol_torrc_option */
	uint32_t line;	  /* 0: none */
	uint32_t kept;	  /* 1: tor.torrc is ours, and has UPLINK in it */
	char file[LINK_PATH]; /* printable; empty: none */
	struct pol_addr addr; /* of UPLINK's proxy, if it has a name */
	struct pol_uplink uplink;
};

/* What was there before a change, with the address for its proxy's name. */
struct link_pending {
	struct pol_uplink uplink;
	struct pol_addr addr;
};

/* The engine's only descriptor beyond the policy's, if there is one. */
#define LINK_PENDING_FD 5
/* The engine's second argument then. */
#define LINK_PENDING_ARGUMENT "pending"

/*
 * recv(2) on a pair returned N, which is no message and neither EAGAIN nor
 * EINTR: is that our own trouble?  The other end lives then, and nobody makes
 * the pair anew until one of the two has been started afresh.
 */
bool link_failed_here(ssize_t n);

/*
 * Receive one hand-over without blocking.  1: *PEER and *FD (CLOEXEC,
 * non-blocking; the caller's) are set.  0: nothing there yet.  -1: the keeper
 * is gone or sent nonsense: the caller ends.
 */
int link_recv(enum link_peer *peer, int *fd)
    __attribute__((warn_unused_result));

/*
 * The end of PEER, or -1 when there is none to receive yet; ends of others
 * are closed, and the process ends when the keeper is gone: without it nobody
 * would ever hand us one again.  To be called until it is -1.
 */
int link_recv_only(enum link_peer peer) __attribute__((warn_unused_result));

/*
 * The engine's: the keeper sends it four kinds of message.  LINK_HANDED: as
 * link_recv()'s 1.  LINK_OWNER, LINK_KEPT, LINK_SEEN: that member of *SAID
 * is the answer to a question.  None of them touches what belongs to the
 * others.
 */
enum link_got { LINK_LOST = -1, LINK_NOTHING = 0, LINK_HANDED, LINK_OWNER,
	LINK_KEPT, LINK_SEEN };
struct link_said {
	struct link_owner owner;
	struct link_kept kept;
	struct link_seen seen; /* to be wiped */
};
enum link_got link_recv_engine(enum link_peer *peer, int *fd,
    struct link_said *said) __attribute__((warn_unused_result));

/* Ask the keeper; -1 when it cannot be told. */
int link_ask(enum link_peer restart, enum link_hold hold)
    __attribute__((warn_unused_result));

/* Ask the keeper, which answers with a struct link_owner; -1: not told. */
int link_ask_owner(uint32_t uid, uint64_t inode)
    __attribute__((warn_unused_result));

/* The same with a struct link_kept, and with a struct link_seen. */
int link_ask_change(const struct link_change *c)
    __attribute__((warn_unused_result));
int link_ask_look(const struct link_look *q)
    __attribute__((warn_unused_result));

/*
 * What the last engine left behind, from LINK_PENDING_FD, which is closed.
 * -1: that is no sealed struct of that kind.
 */
int link_take_pending(struct link_pending *out)
    __attribute__((warn_unused_result));

/* A question that the keeper takes; an answer that the engine takes. */
bool link_owner_question_ok(const struct link_owner *q);
bool link_owner_answer_ok(const struct link_owner *a);
/* All but what the policy decides: pol_uplink_ok() is the keeper's. */
bool link_change_ok(const struct link_change *c);
bool link_kept_ok(const struct link_kept *k);
bool link_look_ok(const struct link_look *q);
/* All but what the policy decides: pol_uplink_ok() is the engine's, too. */
bool link_seen_ok(const struct link_seen *s);

/* Hand FD over CHANNEL; FD stays the caller's.  -1 and errno on failure. */
int link_send(int channel, enum link_peer peer, int fd)
    __attribute__((warn_unused_result));

#endif
