/*
 * Where Tor may connect to, as addresses and ports: router status entries
 * (dir-spec 3.4.1), and the options that name directories, bridges and
 * proxies (tor(1)).  Values only: no name is ever looked up.
 *
 * Whoever lets Tor's packets out by what is found here must never let out
 * more than was meant.  So a line that is not understood gives nothing at
 * all, not the part of it that was.
 */
#ifndef CP_NS_H
#define CP_NS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "str.h"

#ifdef __cplusplus
extern "C" {
#endif

struct cp_endpoint {
	uint8_t addr[16]; /* network order; IPv4: four octets, the rest 0 */
	uint16_t port;	  /* host order, never 0 */
	bool v6;
};

/* The most that one line gives: ORPort, DirPort, IPv6. */
#define CP_LINE_ENDPOINTS 3

/*
 * A walk over GETINFO ns/all, or any text of router status entries with LF
 * between lines.  It borrows the text and allocates nothing.
 */
struct cp_ns {
	struct cp_str rest;
	struct cp_endpoint held[2]; /* of the current "r" line */
	size_t nheld;
	bool in_entry;	  /* behind an "r" line that was understood */
	bool skipping;	  /* behind one that was not */
	size_t entries;	  /* "r" lines that were understood */
	size_t malformed; /* lines that were not */
};

void cp_ns_init(struct cp_ns *ns, struct cp_str text);

/*
 * The next address and port: of an "r" line the ORPort and, if it has one,
 * the DirPort; of an "a" line what it says.  All other lines are skipped.
 * An "r" line that is not understood is counted, and its "a" lines go with
 * it; so is an "a" line that is not, or that belongs to no entry.  False at
 * the end; then ENTRIES and MALFORMED are final.
 */
bool cp_ns_next(struct cp_ns *ns, struct cp_endpoint *out);

struct cp_dirline {
	struct cp_endpoint at[CP_LINE_ENDPOINTS];
	size_t n;
	bool v3; /* names a v3ident: an authority for the consensus */
};

/*
 * The value of DirAuthority, AlternateDirAuthority or FallbackDir:
 * "nick orport=9001 v3ident=... ipv6=[2001:db8::1]:443 192.0.2.1:80 FINGER
 * PRINT", "192.0.2.1 orport=443 id=...".  The directory port may be missing
 * or 0.  Unknown flags and keywords mean nothing, as for Tor.
 */
enum cp_err cp_dirline_parse(struct cp_dirline *out, struct cp_str value)
    __attribute__((warn_unused_result));

/*
 * The value of Bridge: "[transport] address[:port] [fingerprint] [k=v ...]";
 * the port is 443 if there is none.  What a transport makes of its arguments
 * is its own affair and no address of ours.
 */
enum cp_err cp_bridge_parse(struct cp_endpoint *out, struct cp_str value)
    __attribute__((warn_unused_result));

/*
 * "192.0.2.1", "192.0.2.1:8080", "[2001:db8::1]:8080" and "2001:db8::1", as
 * HTTPSProxy, HTTPProxy, Socks4Proxy and Socks5Proxy have it.  DEFAULT_PORT
 * is taken if there is none; 0: there must be one.  CP_ERR_SYNTAX for all
 * else, which includes each name.
 */
enum cp_err cp_endpoint_parse(struct cp_endpoint *out, struct cp_str value,
    uint16_t default_port) __attribute__((warn_unused_result));

/*
 * A line of GETINFO config/defaults: NAME "value", the value a CString.
 * DST receives the value, NUL-terminated.  CP_ERR_KEY if it is another
 * option's line, CP_ERR_LIMIT if DST is too small, CP_ERR_SYNTAX.
 */
enum cp_err cp_default_value(char *dst, size_t cap, struct cp_str line,
    const char *name) __attribute__((warn_unused_result));

/* Takes the first line, without its LF, from the front of *REST. */
struct cp_str cp_next_line(struct cp_str *rest);

#ifdef __cplusplus
}
#endif

#endif
