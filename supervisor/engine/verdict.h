/*
 * Are the listeners isolated from each other?  Evidence in, verdict out.
 * Pure: no I/O and no clock.
 *
 * Tor gives each listener that is not in a SessionGroup of the policy's a
 * group of its own, and never puts streams of two groups on one circuit as
 * long as SESSION_GROUP is among the fields it isolates by.  So n listeners
 * with n different groups are n * (n - 1) / 2 pairs that share no circuit;
 * the circuits of some are looked at besides, to see it happen.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlproto/str.h"
#include "policy/policy.h"

/* Told one by one; of more only the number. */
#define VERDICT_MAX_FAILS 20

/* What Tor isolates streams by, as far as a policy can say. */
enum {
	ISO_SESSION_GROUP = 1 << 0,
	ISO_DESTADDR = 1 << 1,
	ISO_DESTPORT = 1 << 2,
	ISO_SOCKS_USERNAME = 1 << 3,
	ISO_SOCKS_PASSWORD = 1 << 4,
	ISO_CLIENTADDR = 1 << 5,
	ISO_CLIENT_PROTOCOL = 1 << 6
};

enum iso_seen {
	ISO_UNSEEN = 0, /* Tor showed no stream of this listener */
	ISO_SEEN,
	ISO_DISTURBED, /* it was shut or in doubt meanwhile */
	ISO_UNPROVABLE /* cannot be probed here without going outside */
};

struct iso_evidence {
	uint32_t listener; /* number in the policy */
	enum iso_seen seen;
	unsigned fields;  /* ISO_*, as Tor reported them */
	int64_t group;	  /* SESSION_GROUP */
	bool witness;	  /* its circuit is to be looked at, too */
	uint64_t circuit; /* 0: not seen */
};

enum iso_fail_kind {
	ISO_FAIL_SILENT = 0, /* not seen: nothing is proven */
	ISO_FAIL_DISTURBED,  /* what was seen may not be so any more */
	ISO_FAIL_LOST,	     /* FLAG is in the policy, not in force */
	ISO_FAIL_EXTRA,	     /* FLAG is in force, not in the policy */
	ISO_FAIL_GROUP,	     /* not the group that the policy names */
	ISO_FAIL_SAME_GROUP, /* A and B are in one group */
	ISO_FAIL_SAME_CIRCUIT
};

struct iso_fail {
	enum iso_fail_kind kind;
	uint32_t a, b;	  /* listener numbers; B for pairs only */
	const char *flag; /* static; LOST and EXTRA */
	int64_t value;	  /* the group or circuit */
};

struct verdict {
	struct iso_fail fails[VERDICT_MAX_FAILS];
	size_t nfails; /* may exceed the list */
	size_t nlisteners, nunprovable;
	size_t nabsent; /* the policy's, but not among the evidence */
	size_t nsharing;  /* in one group with the one before, by the policy */
	size_t nwitnesses, ncircuits; /* looked at, and seen */
};

/* What L's flags demand of Tor; true if it is to be in session group *GROUP. */
bool verdict_wanted(unsigned *fields, int64_t *group,
    const struct pol_listener *l);

/* "SESSION_GROUP,DESTADDR": names that are not ours to judge are skipped. */
unsigned verdict_fields(struct cp_str names);
/* "-8"; false if it is anything else. */
bool verdict_group(int64_t *out, struct cp_str text);

/* Judge N pieces of evidence, one a listener.  Dies when out of memory. */
void verdict_make(struct verdict *out, const struct iso_evidence *ev, size_t n,
    const struct pol_policy *policy);

enum iso_flags { ISO_FLAGS_UNKNOWN = 0, ISO_FLAGS_RIGHT, ISO_FLAGS_WRONG };

/* Are the flags of one listener in force, and its group its own? */
enum iso_flags verdict_flags(const struct iso_evidence *ev,
    const struct pol_policy *policy);

/* Are all flags of L such as STREAM events show?  Most others they do not. */
bool verdict_covers(const struct pol_listener *l);

/*
 * "isolated" and nothing less: where there are circuits to be compared, at
 * least two of them were seen.
 */
bool verdict_ok(const struct verdict *v);

/* One sentence for failure I; IFADDRS: see policy.h. */
void verdict_failure(char *dst, size_t cap, const struct iso_fail *f,
    const struct pol_policy *policy, const struct pol_addr *ifaddrs);
/* One sentence for all. */
void verdict_summary(char *dst, size_t cap, const struct verdict *v);

#endif
