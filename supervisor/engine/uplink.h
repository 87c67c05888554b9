/*
 * How Tor gets out: what its options say of bridges, transports and proxy,
 * which hosts that names, and our own SETCONF of it.  The options are read
 * with the listeners' (prov_cmd_getconf()): at the session's start, after
 * each CONF_CHANGED, RELOAD and SETCONF, and once a second.
 *
 *	uplink.c	what Tor has, and what that needs
 *	uplink_set.c	SETCONF of it: a proxy's address, or a change
 *	names.c		the names: resolver, permits
 *	reach.c		single addresses that the gate lets through
 *	tryout.c	the proxy tried by the resolver process
 *	transports.c	the programs that serve the bridges
 */
#ifndef UPLINK_H
#define UPLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlproto/str.h"
#include "policy/needs.h"
#include "policy/uplink.h"
#include "supervisor/namemsg.h"
#include "supervisor/snapshot.h"

struct cp_cmd;
struct cp_reply;
struct engine;

/* Values of one answer, all together; bridges have a thousand octets each. */
#define UPLINK_TEXT (64 * 1024)

/* Methods that Tor has a program for; more are as good as none. */
#define UPLINK_PLUGINS 16

/* A proxy that was given by name: Tor gets its address, and only that. */
struct uplink_pin {
	enum pol_proxy kind; /* POL_PROXY_NONE: there is none */
	char host[POL_HOST_LEN];
	uint16_t port;
	struct pol_addr addr; /* that Tor has; family 0: it has the name */
};

/* Which program Tor runs for a method. */
struct uplink_plugin {
	char method[POL_NAME_LEN];
	char program[POL_PATH_LEN]; /* empty: none, or a path too long */
};

enum uplink_set { UPLINK_SET_NONE = 0,
	UPLINK_SET_WAITING, /* not answered yet, or not even sent */
	UPLINK_SET_OK,
	UPLINK_SET_REFUSED, /* Tor's words: uplink_refusal() */
	UPLINK_SET_LOST	    /* the session ended before the answer */
};

struct uplink {
	bool known;   /* the options were read, and not doubted since */
	bool fits;    /* CONF is all of them; else WHY says what is not */
	char why[POL_UPLINK_WHY];
	struct pol_uplink conf;
	struct pol_needs needs;
	struct uplink_plugin plugin[UPLINK_PLUGINS];
	size_t nplugins;
	struct pol_addr directory; /* one that the options name; family 0 */
	uint16_t directory_port;
	struct uplink_pin pin;
	struct uplink_pin old_pin; /* before our last change: to go back to */
	uint64_t changed_at; /* when the options last became others; 0 */
	/*
	 * Owned, UPLINK_TEXT each: options and values, NUL behind each, as
	 * they were read last and as they are being read.  Wiped when dropped.
	 */
	char *text, *next;
	size_t len, nnext;

	/* a change that is being considered: its names are looked up, too */
	bool considered;
	struct pol_uplink change;
	struct pol_needs change_needs;

	/* our SETCONF */
	enum uplink_set set;
	bool set_open;	 /* sent, not answered */
	bool set_pin;	 /* it is the proxy's address alone */
	uint64_t set_at; /* when it was answered */
	uint64_t pin_due; /* the pin is not set again before */
	struct pol_uplink wanted;
	struct pol_addr wanted_addr;
	char refusal[SNAP_TEXT];
};

/* Dies when out of memory. */
void uplink_init(struct engine *e);
void uplink_clear(struct engine *e); /* wipes all of it */
/* The session is over: nothing is known, the pin stays. */
void uplink_lost(struct engine *e);
/* The options may be others now: unknown until read again. */
void uplink_doubt(struct engine *e);

/* How many options uplink reads, and the I-th; for GETCONF. */
#define UPLINK_OPTIONS 11
extern const char *const uplink_options[UPLINK_OPTIONS];
/* Is KEY one of them?  Does LINE, "KEY=...", begin with one? */
bool uplink_has(struct cp_str key);
bool uplink_has_line(struct cp_str line);
/* A GETCONF answer was read without fault: take our part of it. */
void uplink_on_conf(struct engine *e, const struct cp_reply *reply,
    uint64_t now);

/* Tor's proxy, and its port unless PORT is NULL; bridges in use. */
enum pol_proxy uplink_proxy(const struct engine *e, uint32_t *port);
uint32_t uplink_nbridges(const struct engine *e);
/*
 * SRC, escaped words of Tor's or a transport's, without addresses, identities
 * and the uplink's own secrets: names, user, password.  DST holds CAP.
 */
void uplink_scrub(const struct engine *e, char *dst, size_t cap,
    const char *src);
/* Networking is on as far as is known, and names may be looked up. */
bool uplink_enabled(const struct engine *e);
/*
 * Tor has a proxy by name that is not resolved: each SETCONF would freeze it
 * while it tries, and be refused.  Never without a resolver of the policy's,
 * for then nothing would ever get better.
 */
bool uplink_unresolved(const struct engine *e);

/* PIN becomes what stands for U's proxy's name: ADDR; none if that is none. */
void uplink_pin_make(struct uplink_pin *pin, const struct pol_uplink *u,
    const struct pol_addr *addr);

/* Is a SETCONF of ours due?  Then uplink_ask_set() sends it. */
bool uplink_set_due(const struct engine *e, uint64_t now);
void uplink_ask_set(struct engine *e, uint64_t now);
void uplink_on_set(struct engine *e, const struct cp_reply *reply,
    uint64_t now);
/* The next time that uplink_set_due() may change by itself. */
uint64_t uplink_wake(const struct engine *e, uint64_t now);

/* --- for a change (apply.c) ---------------------------------------------- */

/*
 * What Tor has, to be put back if need be; a proxy that was given by name has
 * its name in it.  OUT is the caller's to wipe.  False: not read yet, or
 * nothing that SETCONF by the policy could put back; WHY is a sentence.
 */
bool uplink_capture(const struct engine *e, struct pol_uplink *out,
    char why[POL_UPLINK_WHY]) __attribute__((warn_unused_result));

/*
 * Look up the names of U, which is copied, besides those in use; NULL: no
 * more.  While one is considered the pin is left alone.
 */
void uplink_consider(struct engine *e, const struct pol_uplink *u);

/* Its names, one by one: empty where there is none, NULL at the end. */
const char *uplink_change_host(const struct uplink *u, size_t i);
/* All of them. */
enum uplink_names { UPLINK_NAMES_NONE = 0, /* it has none: addresses only */
	UPLINK_NAMES_ASKING,
	UPLINK_NAMES_OK,
	UPLINK_NAMES_FAILED, /* HOST, and its state */
	UPLINK_NAMES_OFF     /* never: no resolver, or networking is off */
};
enum uplink_names uplink_names(const struct engine *e, const char **host,
    enum name_state *state);

/*
 * Where U's proxy is: U's own address, the one that Tor has for its name, or
 * had before the last change, unless the name has lost it, or what its name
 * resolved to.  Family 0: not known, or U has no proxy.
 */
void uplink_proxy_addr(const struct engine *e, struct pol_addr *out,
    const struct pol_uplink *u);

/*
 * Try U's proxy by the resolver process, with U's first bridge or a directory
 * as its target.  -1: there is no such process, no address, or no proxy.
 * uplink_tried() is NAME_V_NONE while it is under way; it ends by itself.
 */
int uplink_try(struct engine *e, const struct pol_uplink *u, uint64_t now)
    __attribute__((warn_unused_result));
enum name_verdict uplink_tried(const struct engine *e, uint32_t *code);

/*
 * SETCONF U, which is copied, in one command, as soon as the one in flight is
 * answered; a name's address as uplink_proxy_addr() has it.  -1: no session,
 * another one is under way, or that address is missing.  Then uplink_state().
 */
int uplink_set(struct engine *e, const struct pol_uplink *u, uint64_t now)
    __attribute__((warn_unused_result));
enum uplink_set uplink_state(const struct engine *e);
/* Tor's words, without addresses and identities. */
const char *uplink_refusal(const struct engine *e);

/*
 * What speaks for the uplink since it was set last.  BUILT: a circuit that
 * was begun after Tor had answered has been built; an old one says nothing,
 * for Tor goes on using what it has.  It is only looked for between
 * uplink_watch(e, true, now) and (e, false, now).
 */
struct uplink_evidence {
	int progress; /* bootstrap; 100 stays 100 whatever happens */
	bool dir;     /* enough directory information, asked for since */
	bool circuit; /* circuit-established, asked for since */
	bool built;
};
void uplink_watch(struct engine *e, bool on, uint64_t now);
void uplink_evidence(const struct engine *e, struct uplink_evidence *out);

#endif
