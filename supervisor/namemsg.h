/*
 * What crosses between engine and resolver: fixed structs, one datagram of
 * exactly its size each, on a SOCK_SEQPACKET pair.  The engine says which
 * names there are; the resolver process looks them up, answers the transports
 * with them and tries proxies.  Each checks what the other says.
 */
#ifndef NAMEMSG_H
#define NAMEMSG_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

#define NAME_MAX_HOSTS 32
#define NAME_MAX_ADDRS 16 /* of one name, both families together */
#define NAME_MAX_CNAMES 8 /* a longer chain is no answer */
/* A TTL is taken as no less and no more than these. */
#define NAME_TTL_MIN_S 30
#define NAME_TTL_MAX_S 86400

enum name_state {
	NAME_UNKNOWN = 0, /* not yet asked, or under way for the first time */
	NAME_OK,
	NAME_NXDOMAIN,	/* there is no such name */
	NAME_EMPTY,	/* it has no address of either family */
	NAME_TIMEOUT,	/* the resolver did not answer */
	NAME_REFUSED,	/* it did, with REFUSED or SERVFAIL */
	NAME_UNREACHABLE, /* it cannot be reached: ICMP, reset, no route */
	NAME_TLS,	/* its certificate or key is not the policy's */
	NAME_BAD,	/* what came is no DNS answer, or exceeds our limits */
	NAME_PRIVATE,	/* only addresses that the policy does not allow */
	NAME_BLOCKED,	/* by the policy, or our own firewall: EPERM */
	NAME_NSTATE
};

/*
 * Engine to resolver: all names, each time.  What is not in the newest list
 * is forgotten, under way or not, and never asked.
 */
#define NAME_LIST_MAGIC 0x504e4c31u
enum { NAME_F_LOOKUP = 1 << 0, /* look it up now, and again by its TTL */
	NAME_F_STUB = 1 << 1 }; /* transports may ask for it */

struct name_host {
	char host[POL_HOST_LEN]; /* pol_host_ok(); zero beyond the NUL */
	uint8_t flags;		 /* NAME_F_* */
	uint8_t reserved;	 /* 0 */
};

struct name_list {
	uint32_t magic;
	uint32_t generation; /* counts up; not 0 */
	/*
	 * 0: nothing leaves this machine and the stub is not there; what is
	 * known stays known.
	 */
	uint32_t enabled;
	uint32_t n;
	struct name_host host[NAME_MAX_HOSTS]; /* beyond n: 0 */
};

/*
 * Resolver to engine: what is known of one name, at every change, and of all
 * after a new list.  A failure keeps the addresses of the last answer for as
 * long as they are valid.
 */
#define NAME_RESULT_MAGIC 0x504e5232u
struct name_result {
	uint32_t magic;
	uint32_t generation; /* of the list that it answers */
	uint32_t host;	     /* index in it */
	uint32_t state;	     /* enum name_state: of the last lookup */
	uint32_t n;
	uint32_t ttl_s; /* what is left of it; 0 with n 0 */
	struct pol_addr addr[NAME_MAX_ADDRS]; /* beyond n: 0 */
};

/*
 * Resolver to engine: is a lookup, an answer of the stub or a try under way
 * that needs the firewall's permission?  At every change.  The engine asks the
 * gate for it, and says so by a struct name_go of the same ID when the gate
 * has reported it; the resolver sends nothing before.
 */
#define NAME_WANT_MAGIC 0x504e5733u
struct name_want {
	uint32_t magic;
	uint32_t id; /* counts up; not 0 */
	uint32_t lookup; /* 1: the configured resolver is to be asked */
	/*
	 * Answers that transports wait for: their addresses have to be in
	 * force first, for TTL_S seconds.  Index and port are not given: the
	 * engine knows which ports the configuration has for the name.
	 */
	uint32_t host; /* index; UINT32_MAX: none */
	uint32_t generation, ttl_s, n;
	struct pol_addr addr[NAME_MAX_ADDRS];
};

/* Engine to resolver: what ID wanted is there.  OK 0: it will not be. */
#define NAME_GO_MAGIC 0x504e4734u
struct name_go {
	uint32_t magic;
	uint32_t id;
	uint32_t ok;
	uint32_t reserved; /* 0 */
};

/*
 * Engine to resolver: try a proxy, or whether anything listens.  The gate
 * has let us reach ADDR before.  One at a time; another one ends it.
 * Resolver to engine: what came of it.
 */
enum name_try { NAME_TRY_TCP = 0, NAME_TRY_HTTPS, NAME_TRY_SOCKS4,
	NAME_TRY_SOCKS5, NAME_NTRY };

enum name_verdict {
	NAME_V_NONE = 0,
	NAME_V_OK,	/* it speaks the protocol, and takes the password */
	NAME_V_REFUSED, /* nobody listens there */
	NAME_V_TIMEOUT, /* no answer to the connection, or none after it */
	NAME_V_UNREACHABLE,
	NAME_V_PROTOCOL, /* what answers is no such proxy */
	NAME_V_AUTH,	 /* it wants another password, or one at all */
	NAME_V_DENIED,	 /* it is one, and will not let us through */
	NAME_V_BLOCKED,	 /* our own firewall: EPERM */
	NAME_NVERDICT
};

#define NAME_TRY_MAGIC 0x504e5435u
struct name_tryout {
	uint32_t magic;
	uint32_t id;	/* not 0 */
	uint32_t kind;	/* enum name_try */
	uint32_t port;
	struct pol_addr addr;
	/* What Tor would ask the proxy for: a bridge or a directory. */
	struct pol_addr target;
	uint32_t target_port;
	uint32_t has_auth;
	char user[256], password[256]; /* wiped after use */
};

#define NAME_VERDICT_MAGIC 0x504e5636u
struct name_verdict_msg {
	uint32_t magic;
	uint32_t id;
	uint32_t verdict; /* enum name_verdict */
	uint32_t code;	  /* the proxy's own number; 0: none */
};

/* Resolver to engine, at most once a second and only when changed. */
#define NAME_COUNT_MAGIC 0x504e4337u
struct name_count {
	uint32_t magic;
	uint32_t serving;  /* 1: the stub listens, on every address it can */
	uint64_t queries;  /* to the configured resolver, since start */
	uint64_t answered; /* by the stub, with addresses or none */
	uint64_t refused;  /* by the stub: no name of the configuration */
};

/* Pure checks; the other side's bytes are believed only after these. */
bool name_list_ok(const struct name_list *l);
bool name_result_ok(const struct name_result *r);
bool name_want_ok(const struct name_want *w);
bool name_go_ok(const struct name_go *g);
bool name_tryout_ok(const struct name_tryout *t);
bool name_verdict_ok(const struct name_verdict_msg *v);
bool name_count_ok(const struct name_count *c);

const char *name_state_name(enum name_state state);	  /* "nxdomain" */
const char *name_verdict_name(enum name_verdict verdict); /* "refused" */

#endif
