/*
 * Asking the kernel what it holds.  Nothing here allocates; all answers come
 * from the kernel's own dumps, on a socket that commits nothing.
 */
#ifndef GATE_NFT_READ_H
#define GATE_NFT_READ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/rules.h"
#include "supervisor/gate/nft_batch.h"
#include "supervisor/gate/nft_elem.h"

struct nft_table_info {
	bool present;
	uint32_t flags;
	uint32_t owner; /* netlink port; 0: nobody's */
	uint64_t handle;
};

/* The lease of one side. */
struct nft_lease_info {
	bool live4, live6;
	uint32_t left4_ms, left6_ms;
	bool wrong; /* an element that expires never, or is none of ours */
};

/* Is there anything in it? */
bool nft_lease_any(const struct nft_lease_info *l);

/* All return 0 or a negative errno; *OUT is worthless after an error. */

int nft_read_table(struct nft_sock *s, struct nft_table_info *out,
    enum pol_table_id id) __attribute__((warn_unused_result));

/* Changes with every commit of anybody in this network namespace. */
int nft_read_generation(struct nft_sock *s, uint32_t *out)
    __attribute__((warn_unused_result));

int nft_read_lease(struct nft_sock *s, struct nft_lease_info *out,
    enum pol_set_id set) __attribute__((warn_unused_result));

/* SEEN is called for each element; DATA has no octets if it is no map's. */
typedef void (*nft_seen)(void *arg, const struct nft_key *key,
    const struct nft_key *data);
int nft_read_keys(struct nft_sock *s, enum pol_set_id set, nft_seen seen,
    void *arg) __attribute__((warn_unused_result));

/*
 * The kernel's own count of the elements of SET, however many, by one short
 * answer; every element that is in force, and none of a batch that failed.
 * -EOPNOTSUPP: it is an older one, which keeps that to itself.
 */
int nft_read_count(struct nft_sock *s, uint32_t *out, enum pol_set_id set)
    __attribute__((warn_unused_result));

/*
 * Counting a big set's elements without staying away for long: ask, then
 * take one datagram at a time.  S is for nothing else meanwhile, and every
 * datagram of an earlier count has been skipped.
 */
struct nft_count {
	uint32_t n;
	bool torn; /* somebody has committed meanwhile */
};

int nft_count_ask(struct nft_sock *s, struct nft_count *c,
    enum pol_set_id set) __attribute__((warn_unused_result));
/* 1: there is more; 0: C->n is all; -EINTR: torn, ask again. */
int nft_count_step(const struct nft_sock *s, struct nft_count *c)
    __attribute__((warn_unused_result));
/* Read one datagram and forget it; false: there is none. */
bool nft_skip(const struct nft_sock *s);

/*
 * What identifies the table's content: its chains (with policy), sets and
 * rules, by the kernel's handles, which are never used twice.  Counters and
 * elements are not part of it.  MOVING is of what a new list of relays
 * exchanges, HASH of all the rest; the numbers are of both.
 */
struct nft_print {
	uint64_t hash, moving;
	uint32_t chains, sets, rules;
};

int nft_read_print(struct nft_sock *s, struct nft_print *out,
    enum pol_table_id id) __attribute__((warn_unused_result));

#endif
