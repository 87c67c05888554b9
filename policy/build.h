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

/* Append a constant set of those of P's listeners that WANTED names. */
void pol_build_listeners(struct pol_build *b, enum pol_set_id id,
    const struct pol_policy *p, bool (*wanted)(const struct pol_listener *));

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

/* The rule parts that the guard and the gate have in common. */

/* "IFACE, neighbour discovery TYPE from this link: accept". */
void pol_build_nd(struct pol_build *b, size_t chain,
    const struct pol_stmt *iface, uint32_t type);
/* A DHCP server's answer, and our own client's question. */
void pol_build_dhcp_in(struct pol_build *b, size_t chain, const char *ext);
void pol_build_dhcp_out(struct pol_build *b, size_t chain, const char *ext);

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

#define POL_DHCP_SERVER 67u
#define POL_DHCP_CLIENT 68u

#endif
