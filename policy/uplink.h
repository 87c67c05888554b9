/*
 * How Tor gets out: its bridges and its proxy.  Parsed from torrc lines,
 * whoever wrote them, judged against the policy, and written again in one
 * canonical form: as torrc lines for a file, as values for SETCONF.  Pure.
 *
 * Tor resolves a proxy's name itself, as root, and ends when it cannot: what
 * is made here for Tor holds addresses only (facts of tor(1), HTTPSProxy).
 */
#ifndef POL_UPLINK_H
#define POL_UPLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

#define POL_UPLINK_BRIDGES 32
#define POL_SECRET_LEN 256 /* a proxy's user or password, with the NUL */
#define POL_UPLINK_WHY 256 /* a sentence, with the NUL */

enum pol_proxy { POL_PROXY_NONE = 0, POL_PROXY_HTTPS, POL_PROXY_SOCKS4,
	POL_PROXY_SOCKS5, POL_NPROXY };

/*
 * No pointers: it crosses between processes as it is, and is wiped with
 * explicit_bzero().  Text is printable ASCII and NUL-terminated; what follows
 * the NUL is zero (pol_uplink_ok()).
 */
struct pol_uplink {
	uint32_t nbridges; /* 0: UseBridges 0 */
	uint32_t proxy;	   /* enum pol_proxy */
	uint32_t port;	   /* the proxy's */
	uint32_t has_auth; /* 1: USER and PASSWORD; never SOCKS4 */
	char host[POL_HOST_LEN]; /* address or name, in lower case */
	char user[POL_SECRET_LEN];
	char password[POL_SECRET_LEN];
	/* Without "Bridge"; single spaces; the fingerprint in upper case. */
	char bridge[POL_UPLINK_BRIDGES][POL_BRIDGE_LEN];
};

/* One bridge line taken apart; spans of the line that was parsed. */
struct pol_bridge {
	char transport[POL_NAME_LEN]; /* empty: plain */
	struct pol_addr addr; /* a name is an error: Tor takes none here */
	uint16_t port;
	char fingerprint[41]; /* 40 hexadecimal digits, or empty */
	const char *args;     /* the first "key=value", or the final NUL */
};

/*
 * "Bridge" lines as Tor's manual has them.  False and a clause in WHY ("the
 * address \"x\" is no IP address") if LINE is none.  A line feed, a control
 * character, a quote or a backslash makes it none.
 */
bool pol_bridge_parse(struct pol_bridge *out, char why[POL_UPLINK_WHY],
    const char *line) __attribute__((warn_unused_result));

/* B, which has been parsed, as struct pol_uplink has it; zeroes behind it. */
void pol_bridge_format(char dst[POL_BRIDGE_LEN], const struct pol_bridge *b);

/* What Tor takes as a transport's name: [A-Za-z_][A-Za-z0-9_]*. */
bool pol_method_ok(const char *name, size_t len);

/*
 * The value of KEY among a bridge line's arguments or, with a leading dash, a
 * transport program's ("-url X", "--url=X").  False: not there.  If there are
 * several, a bridge line's first one counts and a program's last one, as they
 * do for the programs.
 */
bool pol_args_find(char *dst, size_t cap, const char *args, const char *key);

/*
 * Torrc lines: Bridge, UseBridges, ClientTransportPlugin, HTTPSProxy,
 * HTTPSProxyAuthenticator, Socks4Proxy, Socks5Proxy, Socks5ProxyUsername,
 * Socks5ProxyPassword, comments and blank lines; and DisableNetwork 0, which
 * changes nothing.  Any other option is an error, and so is a
 * ClientTransportPlugin that has another program or other arguments for one
 * of its methods than P's transport of that method, or a method that P lacks.
 * A line may also be a bridge by itself, as people get them.
 * What is not said is none: the text is of all of it, and has some option.
 * 0, or the number of the bad line (from 1; of what is wrong with all of them
 * together, the last), one sentence in WHY, and nothing in OUT.
 */
size_t pol_uplink_parse(struct pol_uplink *out, char why[POL_UPLINK_WHY],
    const struct pol_policy *p, const char *text, size_t len)
    __attribute__((warn_unused_result));

/*
 * The bridges that P holds for the transport NAME ("obfs4", or a section's
 * name), in place of U's; the first ones if there are too many.  False: P has
 * none, or no such transport.
 */
bool pol_uplink_stock(struct pol_uplink *u, const struct pol_policy *p,
    const char *name) __attribute__((warn_unused_result));

/* What pol_uplink_parse() would let through, of bytes from elsewhere. */
bool pol_uplink_ok(const struct pol_uplink *u, char why[POL_UPLINK_WHY],
    const struct pol_policy *p) __attribute__((warn_unused_result));

/* Host of the proxy as an address; family 0: it is a name, or none. */
void pol_uplink_proxy_addr(struct pol_addr *out, const struct pol_uplink *u);

/*
 * The options in a fixed order, all of them each time: one that is to be
 * cleared has a NULL value.  ADDR stands for a proxy's name, and must have a
 * family if U's host is one.  Calls EACH until it returns false; false then,
 * or if ADDR is missing.  VALUE is borrowed for the call.
 */
typedef bool pol_option_fn(void *arg, const char *option, const char *value);
bool pol_uplink_options(const struct pol_uplink *u,
    const struct pol_policy *p, const struct pol_addr *addr,
    pol_option_fn *each, void *arg) __attribute__((warn_unused_result));

/*
 * The same as a torrc file: a comment that says who wrote it, the proxy's
 * name if it has one (as a comment that pol_uplink_parse() reads), and the
 * options.  malloc'd; wipe it before free().  NULL: out of memory or as above.
 */
char *pol_uplink_print(const struct pol_uplink *u, const struct pol_policy *p,
    const struct pol_addr *addr) __attribute__((warn_unused_result));

/*
 * Does a file begin as those that pol_uplink_print() makes?  Of no other one
 * are we the owner.
 */
bool pol_uplink_is_ours(const char *text, size_t len);

/*
 * What such a file says; ADDR is the one in place of the proxy's name, of
 * family 0 if it has none.  False: it is none, or not by P, and OUT is empty.
 */
bool pol_uplink_read(struct pol_uplink *out, struct pol_addr *addr,
    const struct pol_policy *p, const char *text, size_t len)
    __attribute__((warn_unused_result));

/* Index of the transport of P that serves METHOD, or ntransports. */
size_t pol_transport_find(const struct pol_policy *p, const char *method);
/* "obfs4,meek_lite exec /usr/bin/obfs4proxy": the option's value. */
#define POL_PLUGIN_LEN 2048 /* the longest that a policy can have */
void pol_transport_plugin(char *dst, size_t cap,
    const struct pol_transport *t);

bool pol_uplink_same(const struct pol_uplink *a, const struct pol_uplink *b);

/* "none", "https", "socks4", "socks5". */
const char *pol_proxy_name(enum pol_proxy kind);

#endif
