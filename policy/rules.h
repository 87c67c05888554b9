/*
 * The ruleset as values: one definition from which both the netlink messages
 * (supervisor/) and the nft text (rules_print()) are made.
 *
 * Words are nftables' own.  A rule is a list of statements; each is one
 * match or one action.  Sets are named by enum, so that the two back ends
 * cannot disagree about a key's layout.
 */
#ifndef POL_RULES_H
#define POL_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy.h"
#include "stmt.h"

/* Mark bits; design.md section 3.  Nothing else of the mark is touched. */
#define POL_MARK_GATE 0x40000000u   /* workstation side and loopback */
#define POL_MARK_EGRESS 0x20000000u /* external side */

/*
 * Whose a flow is, in its conntrack entry's mark; there the two above say it
 * of clients (who are forgotten after a close, see supervisor/gate/purge.h)
 * and of egress users.  What the kernel sends for a closed socket has no user,
 * and is let out by these alone.  Each packet of a socket sets them anew: a
 * flow that is older than the gate has its bit by its first, and who clears
 * them (a foreign "ct mark set 0") loses no more than a last ACK or a reset.
 */
#define POL_CT_TOR 0x10000000u
#define POL_CT_LOOKUP 0x08000000u /* the resolver's */

/* The heartbeat's ports on loopback; section 3, "the rope". */
#define POL_HB_SPORT 7700
#define POL_HB_GATE 7701
#define POL_HB_EGRESS 7702
#define POL_HB_SYNC 7703
#define POL_HB_LOOKUP 7704
#define POL_HB_STUB 7705
#define POL_HB_UDP 7706

enum pol_position { POL_POS_CLOSED = 0, POL_POS_TOR_ONLY, POL_POS_SYNC,
	POL_POS_OPEN, POL_NPOS };

enum pol_table_id {
	POL_T_BOOT = 0, /* inet portcullis_boot: static, nobody's */
	POL_T_GUARD,	/* inet portcullis_guard: same content, owned; where
			   nobody holds the other (gate/anchor.h) */
	POL_T_GATE,	/* inet portcullis: dies with the gate */
	POL_T_NETDEV,	/* netdev portcullis_egress */
	POL_NTABLE
};

enum pol_family { POL_F_INET = 0, POL_F_NETDEV };

#define POL_MAX_STMTS 12

struct pol_rule {
	size_t chain; /* index in the table's chains */
	struct pol_stmt stmts[POL_MAX_STMTS];
	size_t n;
};

enum pol_hook { POL_H_NONE = 0, POL_H_PREROUTING, POL_H_INPUT,
	POL_H_FORWARD, POL_H_OUTPUT, POL_H_NETDEV_EGRESS };

struct pol_chain {
	const char *name; /* static */
	bool nat;	  /* type nat; else filter */
	enum pol_hook hook; /* POL_H_NONE: a plain chain, for jumps */
	int priority;
	bool policy_drop;
	char device[POL_IFNAME_LEN]; /* netdev only */
};

/* Family 0: l4proto . port only. */
struct pol_elem {
	struct pol_addr addr;
	uint8_t l4proto;
	uint16_t port;
};

struct pol_set {
	enum pol_set_id id;
	enum pol_key key;
	enum pol_data data;  /* a map's */
	bool constant;	     /* elements below, never changed */
	uint32_t timeout_ms; /* 0: none; else flags dynamic,timeout */
	bool expires; /* flags timeout: each element has one of its own */
	uint32_t size;
	struct pol_elem *elems; /* owned; constant sets only */
	size_t nelems;
};

struct pol_table {
	enum pol_table_id id;
	enum pol_family family;
	struct pol_chain *chains; /* owned, in creation order */
	size_t nchains;
	struct pol_set *sets; /* owned */
	size_t nsets;
	struct pol_rule *rules; /* owned, in order */
	size_t nrules;
};

struct pol_ruleset {
	struct pol_table tables[POL_NTABLE];
};

void pol_ruleset_clear(struct pol_ruleset *rs);

/*
 * The whole ruleset for P.  All users must be resolved.  -1 when out of
 * memory.  The gate table's chains that set marks come first: the kernel
 * takes an owner's chains away in creation order, so that marks end before
 * the filters that read them.
 */
int pol_ruleset_make(struct pol_ruleset *out, const struct pol_policy *p)
    __attribute__((warn_unused_result));

/*
 * Chain "relays" of the gate table, whole, when SECOND is its sets in force;
 * CHAIN is its index.  What is not in the set gets no mark.
 */
#define POL_RELAYS_CHAIN "relays"
#define POL_NRELAYS_RULES 2
void pol_relays_rules(struct pol_rule out[POL_NRELAYS_RULES], size_t chain,
    bool second);

/*
 * Is there a reason in P for each of the permits, and for pairs that Tor may
 * reach besides the relays?  Without it there is no set and no rule.
 */
bool pol_has_lookup(const struct pol_policy *p);
bool pol_has_stub(const struct pol_policy *p);
bool pol_has_udp(const struct pol_policy *p);
bool pol_has_reach(const struct pol_policy *p);

/*
 * The element under which listener L stands in LISTEN, DIRECT and PROVEN.
 * False: it has none, now or ever; see pol_listener_addr().
 */
bool pol_listener_elem(struct pol_elem *out, const struct pol_listener *l,
    const struct pol_addr *ifaddrs);

/*
 * The first listener of KIND and FAMILY that is, or is not, of LOOPBACK;
 * NULL: none.
 */
const struct pol_listener *pol_redirect_target(const struct pol_policy *p,
    enum pol_kind kind, int family, bool loopback);

const char *pol_table_name(enum pol_table_id id); /* "portcullis_guard" */
const char *pol_set_name(enum pol_set_id id);	  /* "proven4" */
/* "tor-only", "time-sync". */
const char *pol_position_name(enum pol_position pos);

/*
 * T as nft text, loadable by nft -f; malloc'd, NULL when out of memory.
 * POL_T_GATE's lease and proven elements are those of POS (OPEN: with every
 * listener proven whose address the policy gives); the other tables do not
 * depend on it.  Owner flags,
 * which nft 1.0.6 cannot write, stand as a comment.
 */
char *pol_table_print(const struct pol_table *t, const struct pol_policy *p,
    enum pol_position pos);

#endif
