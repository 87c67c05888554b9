/*
 * The engine's core: what it is told, what it does about it.  No socket, no
 * clock, no event loop: the shell (main.c) and the tests bring those.
 *
 * Every call takes NOW, CLOCK_BOOTTIME in ms.  Inputs record and, where the
 * gate has to fall, send that at once; everything else happens in
 * engine_settle(), which the shell calls after each turn of its loop.
 */
#ifndef ENGINE_H
#define ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlproto/auth.h"
#include "supervisor/engine/facts.h"
#include "supervisor/engine/sm.h"
#include "supervisor/snaptor.h"

struct engine;
struct gate_reach;
struct gate_report;
struct gate_req;
struct iso_probe;
struct link_change;
struct link_kept;
struct link_look;
struct link_pending;
struct link_seen;
struct pol_addr;
struct pol_policy;
struct proof;
struct snap_change;
struct snap_verb;

/* Why there is no session with Tor. */
enum engine_loss {
	LOSS_NONE = 0,
	LOSS_NO_TOR,	/* nobody listens on the control port */
	LOSS_ACCESS,	/* we may not connect to it */
	LOSS_EOF,	/* Tor closed the connection */
	LOSS_TIMEOUT,	/* Tor did not answer */
	LOSS_BYTES,	/* what came is not the control protocol's */
	LOSS_NOT_TOR,	/* it is some other program's port */
	LOSS_PEER,	/* the other end is not Tor's user */
	LOSS_METHOD,	/* Tor offers no method that the policy permits */
	LOSS_COOKIE,	/* the cookie file cannot be used */
	LOSS_PASSWORD,	/* the password file cannot be used */
	LOSS_HASH,	/* the other end does not know the cookie */
	LOSS_AUTH,	/* Tor refused our credential */
	LOSS_FILTERED,	/* a filter in between refuses commands */
	LOSS_OLD,	/* Tor lacks an event or an option that we need */
	LOSS_MEMORY,
	ENGINE_NLOSS
};

/* Is the clock right?  Anything but CLOCK_RIGHT says why not. */
enum engine_clock {
	CLOCK_UNKNOWN = 0, /* nobody has looked */
	CLOCK_RIGHT,
	CLOCK_NO_FILE,	    /* neither of the two is there */
	CLOCK_NO_DIRECTORY, /* that of the policy is not there */
	CLOCK_DENIED,	    /* ... or cannot be looked into */
	CLOCK_BAD_DIRECTORY, /* others than root and the users could write */
	CLOCK_BAD_FILE,	    /* not a file, or another user's */
	ENGINE_NCLOCK
};

/* The uid of whoever cannot be found out. */
#define ENGINE_NOBODY UINT32_MAX

/*
 * What the core asks of the world.  None of them may call back into the
 * engine.  ARG is the engine_new() argument.
 */
struct engine_ops {
	/* Start connecting; the result comes by engine_tor_up() or _down(). */
	void (*tor_connect)(void *arg);
	/* Close at once; engine_tor_down() does not follow. */
	void (*tor_close)(void *arg);
	/* All N octets are taken, or -1: the link is broken. */
	int (*tor_write)(void *arg, const void *p, size_t n);
	/*
	 * 0: the other end has the policy's uid of Tor.  -1: it has *UID, or
	 * it cannot be found out, which is ENGINE_NOBODY.
	 */
	int (*tor_peer)(void *arg, uint32_t *uid);
	/* PATH is Tor's word, or NULL; the policy's pinned path wins. */
	int (*cookie)(void *arg, unsigned char out[CP_COOKIE_LEN],
	    const char *path);
	/* The password's length, or -1. */
	int (*password)(void *arg, unsigned char *out, size_t cap);
	int (*random)(void *arg, unsigned char *out, size_t n);
	/*
	 * One entry for each listener of the policy, the interfaces' ones at
	 * the addresses that engine_addresses() was told last; -1: no answer.
	 */
	int (*prove)(void *arg, struct proof *out);
	/*
	 * Ask whose the socket INODE of user UID is; the answer comes by
	 * engine_owner(), or never.  -1: cannot be asked now.
	 */
	int (*ask_owner)(void *arg, uint32_t uid, uint64_t inode);
	/*
	 * Whose connection keeps listener I's port from Tor, though nobody
	 * listens there?  OUT is PROOF_FOREIGN; -1: not known.
	 */
	int (*holder)(void *arg, struct proof *out, size_t i);
	/*
	 * The isolation check: start connecting client SLOT (below ISO_SLOTS)
	 * as P says; its bytes follow by themselves.  SOURCE receives our end
	 * (see iso_connected()) and holds ISO_SOURCE_LEN.  -1: refused at
	 * once; later failures come by engine_client_lost().  Close has no
	 * answer, and is harmless when not open.
	 */
	int (*client_open)(void *arg, char *source, int slot,
	    const struct iso_probe *p);
	void (*client_close)(void *arg, int slot);
	/* -1: not sent (no gate, or it does not read). */
	int (*gate_send)(void *arg, const struct gate_req *q);
	/* -1: not sent now; the same page is tried again later. */
	int (*gate_relays)(void *arg, const struct gate_relays *r);
	/* The same of single addresses. */
	int (*gate_reach)(void *arg, const struct gate_reach *r);
	/* One message of namemsg.h; -1: not sent, or there is no resolver. */
	int (*resolver_send)(void *arg, const void *p, size_t n);
	/* May a transport's program be run?  0, ENOENT, EACCES, ... */
	int (*program)(void *arg, const char *path);
	/* Have the keeper remember, keep or forget; -1: could not be told. */
	int (*change)(void *arg, const struct link_change *c);
	/* Have it look at Tor's files; the same. */
	int (*look)(void *arg, const struct link_look *q);
	int (*status_send)(void *arg, const void *p, size_t n);
	/* Write the hold down, or strike it out; -1: could not be told. */
	int (*keep_hold)(void *arg, bool hold);
	/* Wall clock for people, RFC 3339 in UTC. */
	void (*utc)(void *arg, char *dst, size_t cap);
	int64_t (*wall)(void *arg); /* in s; 0: not known */
};

/* POLICY, OPS and ARG are borrowed.  Dies when out of memory. */
struct engine *engine_new(const struct pol_policy *policy,
    const struct engine_ops *ops, void *arg, int pid);
void engine_free(struct engine *e);

/* A hold was in force when the last engine ended. */
void engine_held(struct engine *e);

void engine_tor_up(struct engine *e, uint64_t now);
void engine_tor_down(struct engine *e, enum engine_loss why, uint64_t now);
void engine_tor_bytes(struct engine *e, const void *p, size_t n,
    uint64_t now);

/* A gate's end has arrived: nothing is known of its epoch until it reports. */
void engine_gate_up(struct engine *e, uint64_t now);
void engine_gate_down(struct engine *e, uint64_t now);
/* Any bytes; what is no valid report is as good as no gate. */
void engine_gate_bytes(struct engine *e, const void *p, size_t n,
    uint64_t now);

/* A resolver's end has arrived, or is closed. */
void engine_resolver_up(struct engine *e, uint64_t now);
void engine_resolver_down(struct engine *e, uint64_t now);
/* Any bytes; -1: no valid message, the caller ends the pair (.._down()). */
int engine_resolver_bytes(struct engine *e, const void *p, size_t n,
    uint64_t now) __attribute__((warn_unused_result));

/*
 * Before the first engine_settle(): the last engine died while it changed
 * what is to be put back.  WAS is copied.
 */
void engine_pending(struct engine *e, const struct link_pending *was);
/* The keeper has answered ops->change(). */
void engine_kept(struct engine *e, const struct link_kept *k, uint64_t now);
/* ... and ops->look(); S is copied. */
void engine_looked(struct engine *e, const struct link_seen *s, uint64_t now);
/* A change that somebody asked for; C is copied. */
void engine_change(struct engine *e, const struct snap_change *c,
    uint64_t now);

void engine_status_up(struct engine *e);
void engine_status_down(struct engine *e);
/*
 * The interfaces' addresses, POL_MAX_IFADDRS of them in the policy's order.
 * To be called before the first engine_settle() and after every change of any
 * address of this machine, the policy's literal ones included.
 */
void engine_addresses(struct engine *e, const struct pol_addr *ifaddrs,
    uint64_t now);
/* All that internal interfaces have, N of them: the status may name them. */
void engine_internal(struct engine *e, const struct pol_addr *addrs,
    size_t n);
/*
 * What was seen of the clock; to be called before the first engine_settle(),
 * at every change, and twice a second, if the policy requires it: what was
 * seen too long ago does not count.
 */
void engine_time(struct engine *e, enum engine_clock clock, uint64_t now);
/* What the files say then, for people; it decides nothing. */
void engine_timesync(struct engine *e, enum snap_timesync word);
/* PID has socket INODE open; 0: nobody that can be seen. */
void engine_owner(struct engine *e, uint64_t inode, int32_t pid,
    uint64_t now);

/* Client SLOT could not be connected, or broke, and is closed. */
void engine_client_lost(struct engine *e, int slot);

void engine_verb(struct engine *e, const struct snap_verb *v, uint64_t now);

/*
 * Do what is due, tell the gate and the status process.  Returns when it
 * wants to be called again even if nothing happens.
 */
uint64_t engine_settle(struct engine *e, uint64_t now);

/* For the shell, the tests and the fuzzer. */
enum sm_state engine_state(const struct engine *e);
const struct facts *engine_facts(const struct engine *e);
const char *engine_reason_code(const struct engine *e);
enum gate_position engine_asked(const struct engine *e);

#endif
