/*
 * The policy as values.  Pure: no I/O, no clock, no globals; see parse.h for
 * how text becomes this, options.h and rules.h for what is made of it.
 */
#ifndef POL_POLICY_H
#define POL_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/addr.h"
#include "policy/transport.h"
#include "policy/wall.h"

/*
 * Limits.  A listener's number crosses into the gate as a bit in a fixed
 * map, so there is a most.
 */
#define POL_MAX_LISTENERS 4096
#define POL_MAX_IFACES 8
/* Each of DNSPorts' port numbers is proven by a dump of its own. */
#define POL_MAX_DNS_PORTS 8
#define POL_MAX_IFADDRS 16 /* (interface, family) pairs that listeners name */
#define POL_MAX_EGRESS 32   /* egress sections */
#define POL_MAX_SERVICES 32 /* service sections */
#define POL_MAX_NETS 16	    /* networks of one such section */
#define POL_MAX_RULE_PORTS 16 /* port ranges of one such section */
#define POL_MAX_TIME_USERS 8
#define POL_MAX_RELAYS 131072 /* address-and-port pairs of one family */
#define POL_IFNAME_LEN 16 /* IFNAMSIZ */
#define POL_FLAGS_LEN 256 /* all isolation flags of one listener, as text */
#define POL_LISTENER_TEXT 128 /* an address and port, or "unix:" and a path */

#define POL_LEASE_MIN_MS 200
#define POL_LEASE_MAX_MS 10000
#define POL_LEASE_DEFAULT_MS 1000
#define POL_PROBE_PART 4 /* default probe_ms = lease_ms / this */

/* Tor's option names and net/listeners/ keys follow this order. */
enum pol_kind {
	POL_SOCKS = 0,	/* SocksPort, TCP */
	POL_HTTPTUNNEL, /* HTTPTunnelPort, TCP */
	POL_TRANS,	/* TransPort, TCP; clients come by the redirect only */
	POL_DNS,	/* DNSPort, UDP; clients come by the redirect only */
	POL_NKIND
};

/*
 * "The address of interface X", one family of it.  Which address that is, is
 * known at run time only: whoever needs it has an array of POL_MAX_IFADDRS
 * struct pol_addr in the order of pol_policy.ifaddrs, where family 0 means
 * that the interface has none.
 */
struct pol_ifaddr {
	char ifname[POL_IFNAME_LEN];
	int family; /* AF_INET or AF_INET6 */
};

/* One listener line: its index in pol_policy.listeners is its number. */
struct pol_listener {
	enum pol_kind kind;
	/*
	 * Never a wildcard.  With IFADDR only the family; AF_UNIX: PATH is
	 * the address and there is no port.
	 */
	struct pol_addr addr;
	uint16_t port;
	uint8_t ifaddr; /* pol_policy.ifaddrs[ifaddr - 1]; 0: ADDR is it */
	bool loopback; /* for the gateway's own programs only */
	bool timesync; /* named by section timesync: open before the time is */
	char path[POL_PATH_LEN];   /* AF_UNIX: a SocksPort's socket */
	char name[POL_NAME_LEN];   /* of the section it came from */
	char app[POL_NAME_LEN];	   /* what it is for; may be empty */
	char flags[POL_FLAGS_LEN]; /* Tor's spelling, one space between */
};

/* A user by name or number; resolved by the supervisor, never in here. */
struct pol_user {
	char name[POL_NAME_LEN]; /* empty when the policy gave a number */
	bool resolved;
	uint32_t uid;
	uint32_t gid; /* primary group; equals uid for a bare number */
};

/* Bits of pol_tor.auth; controlproto/auth.h has the same. */
enum {
	POL_AUTH_NULL = 1 << 0,
	POL_AUTH_PASSWORD = 1 << 1,
	POL_AUTH_COOKIE = 1 << 2,
	POL_AUTH_SAFECOOKIE = 1 << 3
};

enum pol_closed {
	POL_CLOSED_TOR_ALLOWED = 0, /* Tor keeps its uplink while closed */
	POL_CLOSED_STRICT	    /* closed cuts Tor's uplink too */
};

struct pol_tor {
	struct pol_user user;
	bool control_is_unix;
	char control_path[POL_PATH_LEN];
	struct pol_addr control_addr;
	uint16_t control_port;
	unsigned auth; /* POL_AUTH_* */
	char cookie_file[POL_PATH_LEN];	  /* pinned path; empty: Tor's word */
	char password_file[POL_PATH_LEN]; /* for HASHEDPASSWORD */
	/*
	 * Strict egress: Tor's uid reaches only the relays, authorities,
	 * bridges or proxy that the engine has named to the gate.
	 */
	bool strict_egress;
	/*
	 * Where an applied change of bridges or proxy is kept: a file of its
	 * own that Tor's torrc includes.  Empty: until Tor ends, no longer.
	 */
	char torrc[POL_PATH_LEN];
	/* Switch networking on even if torrc has it off (DisableNetwork 1). */
	bool enable;
	/* VPN only: Tor's uid leaves by these external ones; none: by all. */
	char ifaces[POL_MAX_IFACES][POL_IFNAME_LEN];
	size_t nifaces;
};

/* An egress or service section's packets; empty lists and zeroes: any. */
struct pol_traffic {
	uint8_t l4proto; /* IPPROTO_TCP, _UDP; 0: any */
	struct pol_ports ports[POL_MAX_RULE_PORTS]; /* destination */
	size_t nports;
	struct pol_net nets[POL_MAX_NETS]; /* at the far end */
	size_t nnets;
};

/* A user who may go past Tor: out of the external side, in the clear. */
struct pol_egress {
	char name[POL_NAME_LEN];
	struct pol_user user; /* none of ours, not Tor's */
	char ifname[POL_IFNAME_LEN]; /* an external one; empty: all */
	struct pol_traffic traffic;
};

/*
 * A program of the gateway that may be called from outside: inbound, and
 * what it answers.  On an internal interface only while the gate is open.
 */
struct pol_service {
	char name[POL_NAME_LEN];
	char ifname[POL_IFNAME_LEN]; /* internal or external; never empty */
	bool internal;		     /* which of them */
	struct pol_traffic traffic;  /* ports: the program's; nets: callers */
};

/*
 * Before the clock is right nothing goes but what sets it right: position
 * "time-sync".  The clock is right while DIRECTORY has a file
 * "first_success" or "success", as sdwdate leaves them.
 */
struct pol_timesync {
	bool required;
	char directory[POL_PATH_LEN];
	/* Of the gateway's users only these get to the timesync listeners. */
	struct pol_user users[POL_MAX_TIME_USERS];
	size_t nusers;
	bool workstations; /* they may synchronise too */
};

struct pol_policy {
	struct pol_tor tor;
	struct pol_firewall firewall;
	struct pol_timesync timesync;
	struct pol_egress egress[POL_MAX_EGRESS];
	size_t negress;
	struct pol_service services[POL_MAX_SERVICES];
	size_t nservices;
	struct pol_resolver resolver;
	struct pol_transport transports[POL_MAX_TRANSPORTS];
	size_t ntransports;
	struct pol_bridge_line *bridges; /* owned; see pol_policy_clear() */
	size_t nbridges;
	struct pol_user gate_user, engine_user, status_user, resolver_user;
	/* A name that ends in '*' means all that begin so; internal only. */
	char internal[POL_MAX_IFACES][POL_IFNAME_LEN];
	size_t ninternal;
	char external[POL_MAX_IFACES][POL_IFNAME_LEN];
	size_t nexternal;
	uint32_t lease_ms;
	uint32_t probe_ms; /* one control round trip this often; lease / 4 */
	enum pol_closed closed;
	bool dhcp; /* let a DHCP client work on the external side */
	char run_dir[POL_PATH_LEN]; /* sockets live here */
	/* Above the folders of whonix-firewall's status files; empty: none. */
	char status_files[POL_PATH_LEN];
	struct pol_ifaddr ifaddrs[POL_MAX_IFADDRS]; /* each pair once */
	size_t nifaddrs;
	struct pol_listener *listeners; /* owned; see pol_policy_clear() */
	size_t nlisteners;
};

/* Room for what stands below it. */
#define POL_STATUS_FILES_MAX (POL_PATH_LEN - 64)

#define POL_RESOLVER_USER "portcullis-resolver" /* by default */

/* A policy with every default and no listener. */
void pol_policy_init(struct pol_policy *p);
/* Frees what P owns and wipes it. */
void pol_policy_clear(struct pol_policy *p);

/* "SocksPort", "HTTPTunnelPort", "TransPort", "DNSPort". */
const char *pol_kind_option(enum pol_kind kind);
/* "socks", "httptunnel", "trans", "dns": policy keyword and GETINFO name. */
const char *pol_kind_name(enum pol_kind kind);
/* IPPROTO_TCP or IPPROTO_UDP. */
uint8_t pol_kind_l4proto(enum pol_kind kind);
/* Reached only by way of the NAT redirect. */
bool pol_kind_redirected(enum pol_kind kind);

/* Does interface NAME match PATTERN, which may end in '*'? */
bool pol_iface_match(const char *pattern, const char *name);
/* Are L's port and protocol among T's? */
bool pol_traffic_covers(const struct pol_traffic *t,
    const struct pol_listener *l);
/* May Tor's uid leave by external interface NAME? */
bool pol_tor_leaves_by(const struct pol_policy *p, const char *name);
/*
 * Where L is to listen, now.  False, and OUT->family is 0: L is a Unix socket,
 * or its interface has no address, or IFADDRS is NULL and L needs it.
 */
bool pol_listener_addr(struct pol_addr *out, const struct pol_listener *l,
    const struct pol_addr *ifaddrs);

/*
 * As GETINFO net/listeners has it: "10.152.152.10:9050", "[fd19::10]:9050" or
 * "unix:/run/tor/socks"; DST holds POL_LISTENER_TEXT.  Without an address:
 * "interface:eth1:ipv4:9050" (P names the interface), which is no address of
 * anybody's.
 */
void pol_listener_format(char *dst, size_t cap, const struct pol_policy *p,
    const struct pol_listener *l, const struct pol_addr *ifaddrs);

#endif
