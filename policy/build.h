/*
 * Putting a table together, for rules*.c only.  Out of memory is sticky:
 * calls after it do nothing, and the caller asks once, at the end.
 */
#ifndef POL_BUILD_H
#define POL_BUILD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rules.h"

struct pol_build {
	struct pol_table *t; /* borrowed */
	bool nomem;
};

/* Append a chain; the result is its index, for rules and jumps. */
size_t pol_build_chain(struct pol_build *b, const struct pol_chain *c);

/* Append a set without elements. */
void pol_build_set(struct pol_build *b, const struct pol_set *s);

/*
 * Append a constant set of those of P's listeners that WANTED names; LISTEN4
 * and LISTEN6 have the stub as well, if there may be one.
 */
void pol_build_listeners(struct pol_build *b, enum pol_set_id id,
    const struct pol_policy *p, bool (*wanted)(const struct pol_listener *));

/* The same of the stub: STUB_PORT4 or STUB_PORT6. */
void pol_build_stub(struct pol_build *b, enum pol_set_id id,
    const struct pol_policy *p);

/*
 * The same of listeners on interfaces, by port; PORTS* or DIRECT_PORTS*.
 * False: there is none, and no set either.
 */
bool pol_build_ports(struct pol_build *b, enum pol_set_id id,
    const struct pol_policy *p, bool (*wanted)(const struct pol_listener *));

/* Append a rule; N is at most POL_MAX_STMTS. */
void pol_build_rule(struct pol_build *b, size_t chain,
    const struct pol_stmt *stmts, size_t n);

#define POL_RULE(b, chain, ...)                                              \
	pol_build_rule(b, chain, (const struct pol_stmt[]){ __VA_ARGS__ },    \
	    sizeof(const struct pol_stmt[]){ __VA_ARGS__ } /                 \
		sizeof(struct pol_stmt))

/* The same behind IFACE's match; IFACE may be NULL: on any interface. */
void pol_build_rule_on(struct pol_build *b, size_t chain,
    const struct pol_stmt *iface, const struct pol_stmt *stmts, size_t n);

#define POL_RULE_ON(b, chain, iface, ...)                                    \
	pol_build_rule_on(b, chain, iface,                                   \
	    (const struct pol_stmt[]){ __VA_ARGS__ },                        \
	    sizeof(const struct pol_stmt[]){ __VA_ARGS__ } /                 \
		sizeof(struct pol_stmt))

/* Statements: without an operand, with a number, a name, a set. */
struct pol_stmt pol_st(enum pol_stmt_kind kind);
struct pol_stmt pol_st_num(enum pol_stmt_kind kind, uint32_t num);
struct pol_stmt pol_st_if(enum pol_stmt_kind kind, const char *name);
struct pol_stmt pol_st_lookup(enum pol_set_id set, enum pol_key key);
struct pol_stmt pol_st_jump(size_t chain);
/* DADDR_NET or SADDR_NET; DPORTS or SPORTS. */
struct pol_stmt pol_st_net(enum pol_stmt_kind kind, const struct pol_net *n);
struct pol_stmt pol_st_ports(enum pol_stmt_kind kind,
    const struct pol_ports *p);
/* NAME is cut at POL_IFNAME_LEN - 1. */
struct pol_stmt pol_st_log(const char *name);

/* Is a section that names interface WANTED (empty: any) about NAME? */
bool pol_build_on(const char *wanted, const char *name);
/* Does nat output send the gateway's own traffic of FAMILY to Tor? */
bool pol_build_redirects_own(const struct pol_policy *p, int family);

/* The rule parts that the tables have in common. */

/*
 * The end of a base chain: into the log, as often as the policy allows, and
 * away.
 */
void pol_build_drop(struct pol_build *b, size_t chain,
    const struct pol_policy *p);

/*
 * Chain "refuse", the end of what a client sends and must not: an answer or
 * silence, as the policy has it.  For prerouting, input and forward.
 */
size_t pol_build_refuse(struct pol_build *b, const struct pol_policy *p);

/* What "refuse" ends with.  CHAIN is reached from any hook. */
void pol_build_answer(struct pol_build *b, size_t chain,
    const struct pol_policy *p);

/*
 * One rule for each pair of port range and network that T names: HEAD, what
 * T says, TAIL.  PORTS is POL_M_DPORTS or POL_M_SPORTS, NETS
 * POL_M_DADDR_NET or POL_M_SADDR_NET.
 */
struct pol_case {
	size_t chain;
	const struct pol_traffic *t;
	enum pol_stmt_kind ports, nets;
	struct pol_stmt head[4], tail[4];
	size_t nhead, ntail;
};

void pol_build_case(struct pol_build *b, const struct pol_case *c);

/*
 * "IFACE, neighbour discovery TYPE from this link: accept"; IFACE may be
 * NULL.  An advertisement of a router comes from its link-local address.
 */
void pol_build_nd(struct pol_build *b, size_t chain,
    const struct pol_stmt *iface, uint32_t type);
/* Solicitation and advertisement of neighbours. */
void pol_build_neighbours(struct pol_build *b, size_t chain,
    const struct pol_stmt *iface);
/*
 * What comes in on, and goes out of, an external interface in any state.  What
 * comes in by another does not get to CHAIN, or not further than to input.
 */
void pol_build_link_in(struct pol_build *b, size_t chain,
    const struct pol_policy *p);
void pol_build_link_out(struct pol_build *b, size_t chain,
    const struct pol_policy *p, const char *ext);

/* Fill the tables; B->t is zeroed but for its id and family. */
void pol_build_guard(struct pol_build *b, const struct pol_policy *p);
void pol_build_gate(struct pol_build *b, const struct pol_policy *p);
void pol_build_netdev(struct pol_build *b, const struct pol_policy *p);

/* ICMPv6 types of neighbour discovery (RFC 4861). */
#define POL_ND_RS 133u
#define POL_ND_RA 134u
#define POL_ND_NS 135u
#define POL_ND_NA 136u
#define POL_ND_HOPLIMIT 255u /* proves that no router has forwarded it */

/* "Has a user": no socket's user is (uid_t)-1, and no other packet has one. */
#define POL_NO_UID UINT32_MAX

#define POL_DHCP_SERVER 67u
#define POL_DHCP_CLIENT 68u

#endif
