/*
 * A policy on its way from text to values; for parse.c and its parts only.
 *
 * token.c, scan.c, unknown.c
 *           text -> where each setting stands; what libconfuse may see of it
 * parse.c   sources, libconfuse, each setting to its function in fields.c
 * fields*.c one function per keyword: words -> values in the draft
 * judge*.c  what concerns more than one setting
 * sections.c, listeners.c
 *           groups and listener sections -> listeners
 * diag.c    what is wrong
 */
#ifndef POL_DRAFT_H
#define POL_DRAFT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parse.h"
#include "policy.h"

/* A place in the sources; line 0: nowhere, the policy as a whole. */
struct pol_where {
	const char *file; /* borrowed from the source */
	unsigned line;
};

/* Add a diagnostic, unless there are POL_MAX_DIAGS. */
void pol_diag(struct pol_diags *d, struct pol_where at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* The same, of what is no fault; AT is somewhere. */
void pol_warn(struct pol_diags *d, struct pol_where at, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* Foreign text for a diagnostic: printable ASCII, cut to fit.  It is DST. */
#define POL_QUOTE_LEN 64
const char *pol_quote(char dst[POL_QUOTE_LEN], const char *text);

enum pol_section_id { POL_SEC_TOR = 0, POL_SEC_GATEWAY, POL_SEC_USERS,
	POL_SEC_FIREWALL, POL_SEC_TIMESYNC, POL_SEC_RESOLVER, POL_SEC_WHONIX,
	POL_SEC_EGRESS, POL_SEC_SERVICE, POL_SEC_TRANSPORT, POL_SEC_GROUP,
	POL_SEC_LISTENER, POL_NSEC };

/* As it is written: "tor", "gateway" and so on. */
const char *pol_section_name(enum pol_section_id id);

/* Does a name stand before the brace?  Those sections can be many. */
bool pol_section_named(enum pol_section_id id);

/* Limits of one section: more can be said with a second one. */
#define POL_MAX_ADDRS 16 /* an interface without a family is two */
#define POL_MAX_RANGES 64

/* Where to listen: an address, an interface's, or a Unix socket. */
struct pol_place {
	struct pol_addr addr; /* as struct pol_listener has it */
	char ifname[POL_IFNAME_LEN];
	size_t path; /* index in pol_draft.paths */
};

/* Flags as they were written, a newline after each: room for an s or two. */
#define POL_WORDS_LEN (2 * POL_FLAGS_LEN)

/* A listener or group section; listeners.c makes listeners of the former. */
struct pol_section {
	enum pol_section_id id;
	char name[POL_NAME_LEN];
	struct pol_where at, flags_at, address_at, group_at;
	bool broken; /* has been complained about: makes no listener */
	/* What has been set, if only to nothing. */
	bool has_kind, has_address, has_port, has_flags, has_app;
	bool flags_bad; /* has been complained about */
	bool timesync;	/* section timesync names it */
	enum pol_kind kind;
	struct pol_place places[POL_MAX_ADDRS];
	size_t nplaces;
	struct pol_ports ports[POL_MAX_RANGES];
	size_t nports;
	char words[POL_WORDS_LEN];
	char flags[POL_FLAGS_LEN]; /* the words, checked; Tor's spelling */
	char app[POL_NAME_LEN];
	char group[POL_NAME_LEN]; /* empty: of none */
	size_t next; /* in its bucket: index + 1 */
};

/* Sections of one id, each name once, in the order of first appearance. */
#define POL_NBUCKETS 1024
struct pol_sections {
	struct pol_section *list; /* owned */
	size_t n;
	size_t buckets[POL_NBUCKETS]; /* index + 1; 0: empty */
};

struct pol_draft;
struct pol_origins;

/* The section of that name; NULL: there is none. */
struct pol_section *pol_section_find(const struct pol_sections *s,
    const char *name);

/*
 * The section of that name, emptied, or one more.  Valid until the next one
 * is opened; NULL when out of memory.
 */
struct pol_section *pol_section_open(struct pol_draft *d,
    enum pol_section_id id, const char *name);

/* An egress or service section: what may pass beside Tor. */
struct pol_pass {
	char name[POL_NAME_LEN];
	struct pol_where at, user_at, iface_at, port_at;
	bool broken; /* has been complained about */
	bool has_user, has_protocol; /* even if they were not understood */
	struct pol_user user;
	char ifname[POL_IFNAME_LEN];
	struct pol_traffic traffic;
};

#define POL_MAX_PASSES POL_MAX_EGRESS /* and POL_MAX_SERVICES */
struct pol_passes {
	struct pol_pass list[POL_MAX_PASSES];
	size_t n;
};

/* The same for egress and service; NULL after a complaint: too many. */
struct pol_pass *pol_pass_open(struct pol_draft *d, enum pol_section_id id,
    const char *name, struct pol_where at);

/* A transport section. */
struct pol_carrier {
	struct pol_where at, methods_at, dns_at, bridge_at;
	bool broken;	  /* has been complained about: makes no transport */
	bool has_program; /* even if it was not understood */
	struct pol_transport transport;
	char (*bridges)[POL_BRIDGE_LEN]; /* owned; in canonical form */
	size_t nbridges;
};

struct pol_carriers {
	struct pol_carrier list[POL_MAX_TRANSPORTS];
	size_t n;
};

/* The same for transport; NULL after a complaint: too many. */
struct pol_carrier *pol_carrier_open(struct pol_draft *d, const char *name,
    struct pol_where at);
void pol_carriers_clear(struct pol_carriers *s);

/* Append a path to the draft's; false when out of memory. */
bool pol_path_add(struct pol_draft *d, const char *path, size_t *index);

#define POL_NKEYWORDS 67
#define POL_MAX_TIME_LISTENERS 16 /* sections that timesync names */

struct pol_draft {
	struct pol_policy *p;	 /* borrowed */
	struct pol_diags *diags; /* borrowed */
	struct pol_origins *from; /* borrowed; or NULL */
	const char *main;	  /* the first source's name; or NULL */
	struct pol_where time_at; /* a section timesync; line 0: none */
	struct pol_where set[POL_NKEYWORDS]; /* the last time, outside lists */
	struct pol_sections groups, listeners;
	struct pol_passes egress, services;
	struct pol_carriers carriers;
	char time_listeners[POL_MAX_TIME_LISTENERS][POL_NAME_LEN];
	size_t ntime_listeners;
	char (*paths)[POL_PATH_LEN]; /* owned */
	size_t npaths;
	bool ifaces_bad; /* some interface's name was not understood */
	bool incomplete; /* some source was not understood */
	bool nomem;
};

/* Free what D owns, but not what it borrows. */
void pol_draft_clear(struct pol_draft *d);

/* Where the keyword was set last; line 0 if nowhere. */
struct pol_where pol_set_at(const struct pol_draft *d,
    enum pol_section_id section, const char *name);

/* All checks across settings; makes the listeners. */
void pol_judge(struct pol_draft *d);

/*
 * Checks the groups, and completes each listener section from its group and
 * checks it; one that can make no listener is broken.
 */
void pol_judge_sections(struct pol_draft *d);

/* Makes the listeners, with all checks across them. */
void pol_judge_listeners(struct pol_draft *d);

/* Are they one user, as far as text can tell? */
bool pol_same_user(const struct pol_user *a, const struct pol_user *b);

/* "Tor's", or whose user U is among our own; NULL: nobody's. */
const char *pol_user_of_ours(const struct pol_policy *p,
    const struct pol_user *u);

void pol_judge_timesync(struct pol_draft *d); /* before the listeners */
void pol_judge_firewall(struct pol_draft *d); /* after them */

/* Checks the resolver, makes the transports; after the listeners. */
void pol_judge_uplink(struct pol_draft *d);

/* As many ports from POL_HB_SPORT on are the heartbeats'. */
#define POL_NHEARTBEATS 7

/* Checks, and makes, what may pass beside Tor; after the listeners. */
void pol_judge_passes(struct pol_draft *d);

#endif
