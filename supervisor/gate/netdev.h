/*
 * The netdev table: a chain for each external interface, each by itself, as
 * interfaces come and go.
 *
 * Since Linux 6.16 a chain may stand before its interface does, and outlives
 * it: then all are there, always, and no packet passes before its chain.
 * Earlier kernels take a chain for what is there only, and take it away with
 * its interface: then the table is made anew when that changes, with a chain
 * for whatever is there.  Either way it is one transaction, in which those
 * that had a chain keep one.
 */
#ifndef GATE_NETDEV_H
#define GATE_NETDEV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"
#include "policy/rules.h"
#include "supervisor/gate/nft_batch.h"

struct kern;

struct netdev {
	struct nft_batch part[POL_MAX_IFACES]; /* one's chain; prebuilt */
	void *buf;		 /* room for the whole table */
	size_t cap;
	uint32_t flags;		 /* the table's */
	bool held;		 /* by the keeper: anchor.h */
	bool whole;		 /* what it holds is the policy's */
	struct nft_sock events;	 /* what comes and goes, for poll(2) */
	uint32_t index[POL_MAX_IFACES]; /* when last looked; 0: not there */
	uint32_t absent;	 /* bits: external interfaces not there */
	uint32_t generation;	 /* kern.generation when found as made */
	bool up;		 /* each that is there has its chain */
	bool said;		 /* that they have not */
};

/*
 * Start-up: build the parts of T, which is of K's policy, and put the table
 * there, with FLAGS, if that can be had: netdev.up tells.  With netdev.held
 * it is there, and only looked at.  -1: out of memory.
 */
int netdev_start(struct kern *k, const struct pol_table *t, uint32_t flags)
    __attribute__((warn_unused_result));
void netdev_clear(struct kern *k);

/*
 * Has every external interface that is there its chain, if need be after
 * the table was put back or made anew?
 */
bool netdev_check(struct kern *k);

/*
 * The same once a second: without comparing the table if the kern_verify()
 * before found that nobody has committed anything since it was compared, and
 * no interface has come or gone, of which netdev_told() tells otherwise.
 */
bool netdev_look(struct kern *k);

/* Take in what has been told; true: interfaces may have come or gone. */
bool netdev_told(struct kern *k);

#endif
