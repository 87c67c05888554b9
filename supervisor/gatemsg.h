/*
 * What crosses between engine and gate: numbers, never text.  One datagram
 * on a SOCK_SEQPACKET pair is one message of exactly its struct's size.
 */
#ifndef GATEMSG_H
#define GATEMSG_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

#define GATE_MAGIC 0x50435134u /* "PCQ4": layout version 4 */
#define GATE_REPORT_MAGIC 0x50435233u

/* Closed is zero: the value after any doubt. */
enum gate_position { GATE_CLOSED = 0, GATE_TOR_ONLY,
	GATE_SYNC, /* "time-sync": open for those who set the clock only */
	GATE_OPEN, GATE_NWANT };

/*
 * The whole of what the engine wants, each time: idempotent, so that a lost
 * or repeated message changes nothing.
 */
struct gate_req {
	uint32_t magic;
	uint32_t want; /* enum gate_position */
	/*
	 * The epoch in which the proofs were made: the gate's last reported
	 * one.  The gate counts it up at every close and refuses OPEN with
	 * any other number.
	 */
	uint64_t epoch;
	uint64_t seq; /* counts up by one; a repeat or a step back is refused */
	/*
	 * CLOCK_BOOTTIME in ns at which the *oldest* fact behind this request
	 * was confirmed.  OPEN with a proof older than the lease is refused.
	 * 0 unless want is OPEN or SYNC, which is bound by all that is said
	 * of OPEN here.
	 */
	uint64_t proof_ns;
	uint32_t lease_ms; /* the policy's for OPEN; 0 otherwise */
	/*
	 * GATE_P_*: what else is held, in any position, for one lease from
	 * this request on.  Not in CLOSED if the policy's "closed" is strict.
	 * A bit for which the policy gives no reason (no resolver; no
	 * transport with "dns"; none with "udp") is no request.
	 */
	uint32_t permits;
	/*
	 * Bit i of octet i / 8: listener i is proven.  All 0 unless OPEN.  A
	 * Unix listener's bit is one, though the kernel holds nothing for it.
	 * SYNC: only bits of listeners whose TIMESYNC is set; another one is
	 * no request.
	 */
	uint8_t proven[POL_MAX_LISTENERS / 8];
	/*
	 * Where the listeners of pol_policy.ifaddrs were proven; all 0 unless
	 * OPEN.  The gate leaves out the listeners on an address that the
	 * interface does not have by its own reading: it is told which, never
	 * believes that.  When one goes away later, the gate takes its
	 * listeners' elements away by itself.  In neither case do the others
	 * suffer; with no other the request is refused, which closes.
	 */
	struct pol_addr ifaddr[POL_MAX_IFADDRS];
};

/*
 * Each is a lease of its own in the kernel, behind which its rules stand.
 * LOOKUP: the resolver's uid may reach the configured resolver, and the
 * addresses of gate_reach that are for it.  STUB: DNS of Tor's uid, UDP and
 * TCP 53 to wherever, is led to the stub on loopback, and the stub answers
 * it; nobody else ever reaches the stub.  UDP: Tor's uid may send UDP, port
 * 53 excepted, to the external side.
 */
enum { GATE_P_LOOKUP = 1 << 0, GATE_P_STUB = 1 << 1, GATE_P_UDP = 1 << 2,
	GATE_P_ALL = (1 << 3) - 1 };

/* An address and port that one of the two may reach by TCP. */
struct gate_relay {
	uint8_t addr[16]; /* network order; IPv4: four octets, the rest 0 */
	uint16_t port;	  /* host order, not 0 */
	uint8_t v6;	  /* 1: IPv6 */
	uint8_t reserved; /* 0 */
};

/*
 * Single addresses for a while: what a transport's names resolved to, for
 * Tor's TCP under strict egress (without it they are accepted and mean
 * nothing), and the proxies and bridges that the resolver process is to try.
 * Elements with a timeout, which end by themselves; the same pair again
 * begins its time anew.  Neither widens anything but TCP to that pair of that
 * one uid.  The gate's report names the SEQ of the last one in force.
 */
#define GATE_REACH_MAGIC 0x50434731u
#define GATE_REACH_PAIRS 32
#define GATE_REACH_MAX_S 86400 /* a day: no DNS answer is believed longer */
/* Pairs of one family for one uid in force at a time; more: refused. */
#define GATE_REACH_SIZE 256

enum gate_reacher { GATE_REACH_TOR = 0, GATE_REACH_RESOLVER, GATE_NREACHER };

struct gate_reach {
	uint32_t magic;
	uint32_t who;	 /* enum gate_reacher */
	uint32_t seq;	 /* counts up by one from 1, for each engine anew */
	uint32_t n;	 /* 1 to GATE_REACH_PAIRS */
	uint32_t ttl_s;	 /* 1 to GATE_REACH_MAX_S */
	uint32_t reserved; /* 0 */
	struct gate_relay pair[GATE_REACH_PAIRS]; /* beyond n: 0 */
};

/*
 * Where Tor's uid may go under strict egress: a whole new list, in pages of
 * one datagram each, in order.  The gate fills its spare sets with them and
 * puts them in force, in one transaction, when the last has come; until then,
 * and if the list breaks off, the old one stays.  A page that starts another
 * list (first is 0) ends one that is incomplete.  Only widens what Tor's own
 * TCP may reach within the external side; refused, and the engine with it, if
 * the policy is not strict.
 */
#define GATE_RELAYS_MAGIC 0x50435331u /* "PCS1" */
#define GATE_RELAYS_PAGE 1000

struct gate_relays {
	uint32_t magic;
	uint32_t generation; /* the list's; not 0; of every page the same */
	uint32_t total;	     /* pairs in the list; at most twice the most
				of one family, POL_MAX_RELAYS */
	uint32_t first;	     /* number of pair[0] in the list */
	uint32_t n;	     /* pairs here; 0 only in an empty list's page */
	uint32_t reserved;   /* 0 */
	struct gate_relay pair[GATE_RELAYS_PAGE]; /* beyond n: 0 */
};

/* Why the gate closed last; the gate's own view. */
enum gate_reason {
	GATE_WHY_START = 0,    /* has not been open since the gate started */
	GATE_WHY_ASKED,	       /* the engine asked */
	GATE_WHY_ENGINE_GONE,  /* the engine's end of the pair is closed */
	GATE_WHY_ENGINE_LATE,  /* no fresh request within the lease */
	GATE_WHY_BAD_REQUEST,  /* bytes that are not a valid request */
	GATE_WHY_LEASE_LAPSED, /* the heartbeat got EPERM: we were too late */
	GATE_WHY_KERNEL,       /* a commit or read-back failed */
	GATE_WHY_DRIFT,	       /* somebody changed what we own */
	GATE_WHY_STOPPED,      /* SIGTERM, or the keeper is gone */
	GATE_WHY_ADDRESS,      /* an interface has not what was proven on it */
	GATE_NWHY
};

/* Bits of gate_report.barriers: what stands besides the gate table. */
#define GATE_BAR_BOOT (1u << 0)	  /* portcullis_boot is loaded */
#define GATE_BAR_GUARD (1u << 1)  /* portcullis_guard is loaded and ours */
#define GATE_BAR_PERSIST (1u << 2) /* the guard survives our death */
#define GATE_BAR_NETDEV (1u << 3) /* packet sockets are stopped on every
				     external interface that is there */
#define GATE_BAR_FWD4 (1u << 4)	  /* ip_forward is 0 */
#define GATE_BAR_FWD6 (1u << 5)	  /* IPv6 forwarding is 0 */
#define GATE_BAR_ROUTES (1u << 6) /* the policy's routing rules stand */

/*
 * What the kernel holds, as read back; sent after every request that was
 * acted on and is no mere renewal, at every change, and at least once a second.
 */
#define GATE_NCLOSE_US 6
struct gate_report {
	uint32_t magic;
	uint32_t position; /* enum gate_position: from read-back, not wish */
	uint32_t known;	   /* 0: read-back failed, position is worthless */
	uint32_t why;	   /* enum gate_reason of the last close */
	uint64_t epoch;
	uint64_t seq;	   /* of the last request acted on */
	uint32_t refused;  /* 1: the last request was refused */
	uint32_t barriers; /* GATE_BAR_* */
	uint32_t lease_ms; /* what is left of the workstation lease; 0: none */
	uint32_t nproven;  /* elements in the proven sets */
	uint64_t closes;
	uint64_t close_last_ns; /* request read to kernel's acknowledgement */
	uint64_t close_max_ns;
	uint64_t close_sum_ns;
	uint64_t close_under[GATE_NCLOSE_US]; /* see gate_close_us() */
	uint64_t foreign;  /* changes of our tables by others, since start */
	uint64_t at_ns;	   /* CLOCK_BOOTTIME of the read-back */
	uint32_t strict;   /* 1: Tor's uid reaches the relays below only */
	uint32_t relays_generation; /* of the list in force; 0: none yet */
	uint32_t nrelays4, nrelays6; /* pairs in force */
	uint32_t permits;  /* GATE_P_*, as read back from the kernel */
	uint32_t reach_seq; /* of the last gate_reach in force; 0: none */
	uint64_t purges;   /* times that clients' flows were forgotten */
	int32_t pid;	   /* the gate's */
	int32_t error;	   /* errno of the last fault, 0: none */
	uint32_t absent;   /* bits: external interfaces that are not there */
	uint32_t reserved; /* 0 */
};

/* Pure checks; the other side's bytes are believed only after these. */
bool gate_req_ok(const struct gate_req *q);
bool gate_report_ok(const struct gate_report *r);
/* Fields, and nothing that no relay can have. */
bool gate_relay_ok(const struct gate_relay *r);
/* Fields, pairs, and zeroes beyond them. */
bool gate_reach_ok(const struct gate_reach *r);
/* The same of a page and of all that is in it. */
bool gate_relays_ok(const struct gate_relays *r);

bool gate_map_get(const uint8_t *map, unsigned i);
void gate_map_set(uint8_t *map, unsigned i);

/*
 * The limit of close_under[I], in us: it counts the closes that took no more,
 * as the buckets of an OpenMetrics histogram do.  0 beyond the last.
 */
uint32_t gate_close_us(unsigned i);

const char *gate_position_name(enum gate_position pos); /* "tor-only" */
const char *gate_reason_text(enum gate_reason why);	/* a clause */

#endif
