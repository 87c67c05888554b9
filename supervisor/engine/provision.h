/*
 * The policy's listeners against what Tor and the kernel say about them.
 * Values in, a plan out: no I/O and no clock, the caller acts.
 *
 *	provision.c	what Tor and the kernel say
 *	prov_state.c	what that means for each listener
 *	prov_plan.c	what to do about it
 *	extras.c	the lines that are not the policy's
 */
#ifndef PROVISION_H
#define PROVISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlproto/err.h"
#include "controlproto/str.h"
#include "policy/policy.h"
#include "supervisor/engine/extras.h"
#include "supervisor/engine/memo.h"
#include "supervisor/snapshot.h"

struct cp_cmd;
struct cp_reply;

/* What the kernel says about a listener's address and port. */
enum proof_kind {
	PROOF_NONE = 0,	 /* not looked at, or the look failed */
	PROOF_OK,	 /* Tor's uid listens there, nobody else overlaps */
	PROOF_NO_SOCKET, /* nobody listens there */
	PROOF_NO_ADDR,	 /* nobody can: this machine lacks the address */
	PROOF_ROOT,	 /* like OK, but the socket's owner is root */
	PROOF_FOREIGN,	 /* another uid's socket is there or overlaps */
	PROOF_FILE	 /* a Unix socket's path is gone, or not that socket */
};

struct proof {
	enum proof_kind kind;
	uint32_t uid;	/* of the socket found; UINT32_MAX: none */
	uint64_t inode; /* the socket's, if OK or FOREIGN; 0: unknown */
};

/* One bit for each kind of listener; all of them. */
#define PROV_KIND(kind) (1u << (kind))
#define PROV_ALL_KINDS ((1u << POL_NKIND) - 1)

/*
 * What is known of one listener.  Whatever is false or 0 keeps it shut; only
 * answers to questions that were asked after the last doubt say otherwise.
 */
struct prov_listener {
	char text[POL_LISTENER_TEXT]; /* as net/listeners writes it */
	struct proof proof;
	uint64_t socket; /* Tor's, since it was last seen shut; 0: unknown */
	uint64_t ours;	 /* ... that a SETCONF of ours has opened; 0: none */
	int32_t pid;   /* of a foreign socket's owner; 0: unknown */
	struct proof holder; /* whose connection Tor's bind failed for */
	bool sought;   /* it was looked for since that */
	bool asked;    /* the owner of prov_rival()'s inode was asked for */
	bool gone;     /* its interface has no address; TEXT has the last */
	bool twin;     /* its place is another listener's: TEXT is nobody's */
	bool named;    /* net/listeners has it */
	bool line;     /* GETCONF has its line, flags and all */
	bool stale;    /* GETCONF has its address with other flags */
	bool opened;   /* an accepted SETCONF had it since it was last shut */
	bool set;      /* ... and net/listeners has not been read since */
	bool lost;     /* Tor believes that it listens, and does not */
	bool doubt;    /* it may be open with flags that are not ours */
	bool withheld; /* cannot be bound: left out until it can */
	bool refused;  /* ... because Tor could not, for no reason we see */
	bool hinted;   /* Tor has just said that it could not bind it */
	bool cycled;   /* was closed and opened again in this session */
	bool told;     /* scratch: what is being read has it */
	uint32_t delay_ms;  /* after it failed last; 0: has not failed */
	uint64_t failed_at; /* when that was */
	uint64_t retry_at;  /* not to be tried before */
};

/*
 * Lines that we sent while an interface had another address are ours, not the
 * user's, and are to go.  So many such addresses are remembered.
 */
#define PROV_FORMER 8

struct prov {
	const struct pol_policy *policy; /* borrowed */
	struct prov_listener *l;	 /* owned, by listener number */
	size_t *sorted;			 /* owned: numbers by kind and text */
	bool *left_out;			 /* owned: scratch for building */
	bool *good; /* owned: what the last accepted SETCONF left out */
	bool have_good, uses[POL_NKIND];
	struct pol_addr now[POL_MAX_IFADDRS];  /* the interfaces' addresses */
	struct pol_addr last[POL_MAX_IFADDRS]; /* ... that they had last */
	struct pol_addr former[POL_MAX_IFADDRS][PROV_FORMER]; /* ... before */
	bool network_off;   /* DisableNetwork is not 0 */
	bool count_private; /* local traffic counts in traffic/read */
	bool surplus; /* GETCONF has lines of ours that are to go */
	struct extras x;
	struct memo conf, listeners[POL_NKIND];
	unsigned scans; /* scratch: see prov_find_line() */
	uint64_t conf_version; /* VERSION when GETCONF was last judged */
	uint64_t version; /* counts up whenever anything here changes */
	uint64_t known_version; /* ... when sockets were last told apart */
};

enum prov_plan {
	PROV_DONE = 0, /* all is as desired */
	PROV_SET,      /* send the whole list */
	PROV_CYCLE     /* send it without those that are to be reopened */
};

/* Dies when out of memory.  The policy must outlive P. */
void prov_init(struct prov *p, const struct pol_policy *policy);
void prov_clear(struct prov *p);

/*
 * A new connection: what was read from the old one is void, and nothing is
 * known of the flags with which listeners were opened.
 */
void prov_forget(struct prov *p);
/* Nothing is proven until it is read again; flags are as they were. */
void prov_void(struct prov *p);
/*
 * Listeners of these kinds (PROV_KIND) may have been opened by others.  That
 * is over when the kernel still has the socket that we have opened, or when
 * it was shut.
 */
void prov_doubt(struct prov *p, unsigned kinds);
/*
 * Tor itself has just shown whether the flags of listener I are those of the
 * policy.  Wrong ones are as good as a doubt: it is shut, and opened anew.
 * Right ones end a doubt only where opening anew cannot.
 * True if that is news.
 */
bool prov_flags_seen(struct prov *p, size_t i, bool right);

/*
 * The interfaces' addresses, POL_MAX_IFADDRS of them.  True if any differs
 * from before: its listeners are not proven then.
 */
bool prov_addresses(struct prov *p, const struct pol_addr *ifaddrs);

/* The GETCONF that prov_read_conf() wants answered. */
enum cp_err prov_cmd_getconf(const struct prov *p, struct cp_cmd *out)
    __attribute__((warn_unused_result));
enum cp_err prov_read_conf(struct prov *p, const struct cp_reply *reply)
    __attribute__((warn_unused_result));

/*
 * The answers to net/listeners/..., by kind.  Unless it COUNTS (it was asked
 * for after the last doubt) it proves nothing, and may only add to the doubt.
 */
enum cp_err prov_read_listeners(struct prov *p,
    const struct cp_str values[POL_NKIND], bool counts)
    __attribute__((warn_unused_result));

/* For prov_read_listeners(): an answer has come that counts. */
void prov_note_ours(struct prov *p);
/* The kernel has the very socket that an accepted SETCONF of ours opened. */
bool prov_is_ours(const struct prov_listener *l);
/* What the kernel says, for all listeners; NULL: it gave no answer. */
void prov_read_proofs(struct prov *p, const struct proof *proofs,
    uint64_t now);

/* The kind that option KEY sets (SocksPort, __SocksPort, SocksPortLines). */
enum pol_kind prov_kind_of_key(struct cp_str key);
/* The listener of KIND that is written TEXT; SIZE_MAX if there is none. */
size_t prov_find(const struct prov *p, enum pol_kind kind, const char *text);
/* ... of which VALUE is a line, with whatever flags.  *SCANS bounds work. */
size_t prov_find_line(const struct prov *p, enum pol_kind kind,
    const char *value, unsigned *scans);

/* --- prov_state.c -------------------------------------------------------- */

/* A Unix socket is provisioned and proven, but not the gate's to open. */
bool prov_is_unix(const struct prov *p, size_t i);
/*
 * Has another listener I's place, so that I has to stand back?  A literal
 * address keeps its place, then an interface that has it; then the first.
 */
bool prov_is_twin(const struct prov *p, size_t i);

/* Did we send VALUE when an interface had another address? */
bool prov_is_former(const struct prov *p, enum pol_kind kind,
    const char *value);

/* Can Tor open it again when it has closed it? */
bool prov_can_reopen(const struct prov *p, size_t i);
/* Does it lack an address, or does anybody else have its port? */
bool prov_blocked(const struct prov *p, size_t i);

/* The socket of another that is in its place; NULL: none is known. */
const struct proof *prov_rival(const struct prov *p, size_t i);

/* The one place that says what is proven. */
bool prov_listener_proven(const struct prov *p, size_t i);

/*
 * Fill MAP with the proven listeners that are the gate's to open, and IFADDR
 * with the interfaces' addresses that they have; their number.
 */
uint32_t prov_proven(const struct prov *p, uint8_t *map,
    struct pol_addr *ifaddr);

enum snap_listener_why prov_why(const struct prov *p, size_t i);
enum snap_listener_state prov_state(const struct prov *p, size_t i);

/* --- prov_plan.c --------------------------------------------------------- */

/* Leave out what Tor does not have and could not open now. */
void prov_withhold(struct prov *p);
/* Take back what could be opened by now; true if there was any. */
bool prov_join(struct prov *p, uint64_t now);
/* The earliest time at which prov_join() or a cycle may have work. */
uint64_t prov_next_retry(const struct prov *p);

/* TEXT of Tor's log; noted if it says which listener could not be bound. */
void prov_hint(struct prov *p, struct cp_str text);
/*
 * A SETCONF was answered with 553: leave out whoever is to blame.  By the
 * kernel, else by Tor's word, else one half of those that are not open, so
 * that a bad one is found in a few steps.  False: there is nobody left.
 */
bool prov_blame(struct prov *p, uint64_t now);

/*
 * Is anything otherwise than we left it, but for what befell a socket and not
 * Tor: a file that was deleted, an owner who is root?
 */
bool prov_drifted(const struct prov *p);
/* What to do next. */
enum prov_plan prov_plan_make(const struct prov *p, uint64_t now);

/* The SETCONF for PLAN. */
enum cp_err prov_cmd_setconf(struct prov *p, struct cp_cmd *out,
    enum prov_plan plan, uint64_t now) __attribute__((warn_unused_result));
/* Does that one shut a DNSPort, or what is left of a lost one? */
bool prov_shuts_dns(const struct prov *p, enum prov_plan plan, uint64_t now);
/* The last SETCONF built here was answered with 250. */
void prov_accepted(struct prov *p);

/*
 * Which kinds that the policy uses does EVENT, a CONF_CHANGED, say to be
 * otherwise than we last set them?  *NETWORK: it names DisableNetwork.
 */
unsigned prov_changed_kinds(struct prov *p, const struct cp_reply *event,
    bool *network);

#endif
