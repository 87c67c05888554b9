/*
 * The policy's listeners against what Tor and the kernel say about them.
 * Values in, a plan out: no I/O and no clock, the caller acts.
 */
#ifndef PROVISION_H
#define PROVISION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlproto/err.h"
#include "controlproto/str.h"
#include "policy/policy.h"
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
	uint64_t inode; /* PROOF_FOREIGN: the socket's; 0: unknown */
};

struct prov_listener {
	char text[POL_LISTENER_TEXT]; /* as net/listeners writes it */
	struct proof proof;
	bool named;    /* net/listeners has it */
	bool line;     /* GETCONF has its line, flags and all */
	bool stale;    /* GETCONF has its address with other flags */
	bool withheld; /* cannot be bound: left out until it can */
	bool cycled;   /* was closed and opened again in this session */
};

struct prov {
	const struct pol_policy *policy; /* borrowed */
	struct prov_listener *l;	 /* owned, by listener number */
	size_t *sorted;			 /* owned: numbers by kind and text */
	bool *left_out;			 /* owned: scratch for building */
	bool *good; /* owned: what the last accepted SETCONF left out */
	bool have_good;
	bool uses[POL_NKIND];
	bool network_off; /* DisableNetwork is not 0 */
	bool count_private; /* local traffic counts in traffic/read */
	bool extra_line;  /* GETCONF has a line that is not ours */
	bool extra_named; /* net/listeners has an entry that is not ours */
};

enum prov_plan {
	PROV_DONE = 0, /* all is as desired */
	PROV_SET,      /* send the whole list */
	PROV_CYCLE     /* send it without the stale ones first */
};

/* Dies when out of memory.  The policy must outlive P. */
void prov_init(struct prov *p, const struct pol_policy *policy);
void prov_clear(struct prov *p);

/* A new connection: what was read from the old one is void. */
void prov_forget(struct prov *p);

/* The GETCONF that prov_read_conf() wants answered. */
enum cp_err prov_cmd_getconf(const struct prov *p, struct cp_cmd *out)
    __attribute__((warn_unused_result));
enum cp_err prov_read_conf(struct prov *p, const struct cp_reply *reply)
    __attribute__((warn_unused_result));

/* Start reading net/listeners; then one call for each kind. */
void prov_listeners_begin(struct prov *p);
enum cp_err prov_read_listeners(struct prov *p, enum pol_kind kind,
    struct cp_str value) __attribute__((warn_unused_result));

/* As desired, according to the last GETCONF and the last net/listeners. */
bool prov_conf_ok(const struct prov *p);
bool prov_named_ok(const struct prov *p);

/*
 * Leave out what Tor does not have and could not open now: another's socket
 * is there, or the address is not.  True if that added any.
 */
bool prov_withhold(struct prov *p);
/* Take back what could be opened by now; true if there was any. */
bool prov_unwithhold(struct prov *p);
bool prov_withheld_any(const struct prov *p);

/* What to do next. */
enum prov_plan prov_plan_make(const struct prov *p);

/*
 * The SETCONF for PLAN; for PROV_DONE, the last list that was accepted.  A
 * cycle is noted: it is done at most once a session to get rid of root's
 * sockets.
 */
enum cp_err prov_cmd_setconf(struct prov *p, struct cp_cmd *out,
    enum prov_plan plan) __attribute__((warn_unused_result));
/* The last SETCONF built here was answered with 250. */
void prov_accepted(struct prov *p);

/* Fill MAP with the proven listeners; their number. */
uint32_t prov_proven(const struct prov *p, uint8_t *map);
bool prov_listener_proven(const struct prov *p, size_t i);
enum snap_listener_why prov_why(const struct prov *p, size_t i);

#endif
