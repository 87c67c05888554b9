/*
 * The gate's tables in the kernel: put there, opened, closed, read back.
 * Everything here runs after lock-down and neither
 * allocates nor decides.
 */
#ifndef GATE_KERN_H
#define GATE_KERN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"
#include "policy/rules.h"
#include "supervisor/gate/netdev.h"
#include "supervisor/gate/nft_batch.h"
#include "supervisor/gate/nft_elem.h"
#include "supervisor/gate/nft_read.h"
#include "supervisor/gate/permits.h"
#include "supervisor/gate/reach.h"
#include "supervisor/gate/relays.h"

/* Inner families, and redirected kinds: trans and dns. */
#define KERN_NSIDES 2
#define KERN_NTARGETS 2
/* What follows the address in a proven element's key. */
#define KERN_KEY_TAIL 8

/*
 * A listener's element, for finding its number by it.  One on the address of
 * an interface, IFADDR as in struct pol_listener, has a key of zeroes where
 * the address goes, so that the order stands whatever the address.
 */
struct kern_key {
	struct nft_key key;
	uint8_t ifaddr;
	uint16_t number;
};

/* A table as it was when we had just made it. */
struct kern_seal {
	uint64_t handle;
	uint32_t flags;
	struct nft_print print;
};

struct kern {
	const struct pol_policy *policy; /* borrowed */
	struct nft_sock owner;	/* owns the tables; commits */
	struct nft_sock reader; /* read-back */
	struct nft_sock events; /* who else changes what */
	struct nft_batch boot;		     /* the whole table, prebuilt */
	struct nft_batch close_gate, close_all; /* flush leases, prebuilt */
	struct nft_batch clear;		     /* flush proofs, prebuilt */
	void *work;			     /* for batches built anew */
	size_t work_cap;
	struct kern_key *keys; /* owned; sorted by ifaddr and key */
	size_t nkeys;
	/* Listeners that a map's redirect leads to; -1: none, or no map. */
	int targets[KERN_NSIDES][KERN_NTARGETS];
	/* What the proven sets hold, if that is known. */
	uint8_t held_map[POL_MAX_LISTENERS / 8];
	struct pol_addr held_ifaddr[POL_MAX_IFADDRS];
	bool held_known;
	uint32_t nproven; /* elements, when they were last read back */
	struct kern_seal seals[POL_NTABLE];
	struct relays relays; /* strict egress only; else all zero */
	struct permits permits;
	struct reach reach;
	struct netdev netdev;
	uint32_t generation; /* at the last full check */
	bool quiet;	     /* kern_verify() found it to be that still */
	/*
	 * We have changed what struct nft_print calls moving since it was
	 * sealed; nobody else can, the table is ours.
	 */
	bool unsealed;
	bool persist;	     /* guard and netdev outlive us */
	bool boot_up;
	bool boot_held;	     /* by the keeper, so no guard: anchor.h */
	uint32_t boot_owner; /* its netlink port; 0: nobody's */
	bool deaf;	 /* not told of changes */
	bool missed;	 /* some may not have been told: read back */
	bool in_foreign; /* amid the events of somebody's transaction */
	bool gate4, gate6;   /* families that the clients' lease is for */
	bool egress4, egress6;
};

/* What the kernel holds. */
struct kern_held {
	struct nft_lease_info gate, egress;
	struct nft_lease_info sync; /* all zero: the policy has none */
	struct permits_held permits;
};

/*
 * Flush the clients' lease and that of those who set the clock, and if ALL
 * Tor's and the permits'.  0, or a negative errno: then
 * only kern_read_held() can tell.
 */
int kern_close(struct kern *k, bool all) __attribute__((warn_unused_result));

/* The last resort: the kernel takes the gate table away.  K is spent. */
void kern_abandon(struct kern *k);

/* Empty the proven sets; not part of closing, which is one message. */
int kern_clear_proven(struct kern *k) __attribute__((warn_unused_result));

/*
 * In one transaction: the proven elements are those of MAP's listeners, with
 * the interfaces' addresses of IFADDR, redirects lead to them, and, if BEGIN,
 * LEASE, which is POL_S_GATE or POL_S_SYNC, begins, and the other of the two
 * ends; LEASE must not be there yet.  0: done *and* read back.  Otherwise a
 * negative errno (-ESTALE: what was read back differs), and the caller
 * closes.
 *
 * Unix listeners have no element.  With no element at all, even so, the lease
 * begins: it opens nothing.
 */
int kern_open(struct kern *k, const uint8_t *map,
    const struct pol_addr *ifaddr, enum pol_set_id lease, bool begin)
    __attribute__((warn_unused_result));

/* Begin FAMILY's lease in SET, Tor's or a permit's; -EEXIST: it lives. */
int kern_begin_lease(struct kern *k, enum pol_set_id set, int family)
    __attribute__((warn_unused_result));
int kern_close_egress(struct kern *k) __attribute__((warn_unused_result));

int kern_read_held(struct kern *k, struct kern_held *out)
    __attribute__((warn_unused_result));

/* The proven sets hold exactly MAP's listeners: 0; else as kern_open(). */
int kern_check_proven(struct kern *k, const uint8_t *map,
    const struct pol_addr *ifaddr) __attribute__((warn_unused_result));

/* Add to B the beginning of FAMILY's lease in SET. */
void kern_put_lease(struct kern *k, struct nft_batch *b, enum pol_set_id set,
    int family);

/* The number of interface NAME now; 0: there is none. */
uint32_t kern_ifindex(const char *name);

/*
 * The same, if it may well be what it WAS: cheaper then.  FD is any socket of
 * ours; -1 will do.
 */
uint32_t kern_ifindex_again(const char *name, uint32_t was, int fd);

/* Start-up, for install.c: what proven.c needs; -1: out of memory. */
int proven_init(struct kern *k) __attribute__((warn_unused_result));
/* Add to B what empties the proven sets. */
void proven_flush(const struct kern *k, struct nft_batch *b);

/* What an event or a check says about our tables. */
enum kern_state {
	KERN_AS_MADE = 0,
	KERN_DRIFT,  /* the gate, or what guards it, is not what was made */
	KERN_UNKNOWN /* could not be read back */
};

/*
 * Compare the tables with what we made, unless nobody has committed anything
 * since; ALWAYS: even then.  A boot table that was tampered with is put back.
 */
enum kern_state kern_verify(struct kern *k, bool always)
    __attribute__((warn_unused_result));

/*
 * Read what has been told of changes.  The number of transactions of
 * others that touched our tables; *CHECK is set when a full check is due.
 */
unsigned kern_events(struct kern *k, bool *check);

/*
 * As nft_commit() by the owner, for a batch of many elements: the kernel
 * makes an event of each as long as anybody listens, so that we do not
 * meanwhile.  The generation proves that nobody else has committed in that
 * time; if somebody may have, k->missed is set, and kern_events() is to be
 * called as for an event.  Such transactions are not among those it counts.
 */
int kern_commit_unheard(struct kern *k, struct nft_batch *b)
    __attribute__((warn_unused_result));
/* Be told again, if that failed. */
void kern_listen(struct kern *k);

/* Put the boot table back; 0 or a negative errno. */
int kern_boot_reload(struct kern *k) __attribute__((warn_unused_result));

/*
 * After a transaction of ours on the moving part of the gate table: it is
 * sealed as it is now, if all the rest is as it was.  KERN_UNKNOWN: later,
 * the next check does it.
 */
enum kern_state kern_reseal(struct kern *k)
    __attribute__((warn_unused_result));

/* Is table ID as it was when it was sealed? */
enum kern_state kern_compare(struct kern *k, enum pol_table_id id)
    __attribute__((warn_unused_result));

/* Remember table ID as it is now, as ours. */
int kern_seal(struct kern *k, enum pol_table_id id)
    __attribute__((warn_unused_result));

#endif
