/*
 * A table of policy/rules.h as netlink messages.  Start-up only: libnftnl
 * allocates.
 */
#ifndef GATE_NFT_COMPILE_H
#define GATE_NFT_COMPILE_H

#include <stddef.h>
#include <stdint.h>

#include "policy/rules.h"
#include "supervisor/gate/nft_batch.h"

/* Linux 6.9; Debian 12's header does not have it. */
#define NFT_TABLE_PERSIST 0x4u

/* NFPROTO_INET or NFPROTO_NETDEV. */
uint8_t nft_table_family(enum pol_table_id id);

/* No more octets than this are needed for T in a batch. */
size_t nft_compile_bound(const struct pol_table *t);

/*
 * T, created afresh, with table flags FLAGS; fails in the kernel when it is
 * there already.  -1: out of memory.
 */
int nft_compile_create(struct nft_batch *b, const struct pol_table *t,
    uint32_t flags) __attribute__((warn_unused_result));

/*
 * T in the place of one of the same name and FLAGS that may be there: our
 * own, or one that outlived its owner.  Atomic: no packet sees neither.
 */
int nft_compile_replace(struct nft_batch *b, const struct pol_table *t,
    uint32_t flags) __attribute__((warn_unused_result));

/*
 * The beginning of that: an empty table ID.  Then parts of T may follow, each
 * one of its chains with the rules in it.
 */
void nft_compile_afresh(struct nft_batch *b, enum pol_table_id id,
    uint32_t flags);
int nft_compile_part(struct nft_batch *b, const struct pol_table *t,
    size_t chain) __attribute__((warn_unused_result));

/*
 * In table ID, of family netdev: a chain for an interface that cannot be, and
 * gone again.  Before Linux 6.16 the kernel refuses that, and with it the
 * whole batch (-ENOENT).
 */
void nft_compile_by_name(struct nft_batch *b, enum pol_table_id id);

/* The chain that RULES, N of them, stand in gets those and no others. */
int nft_compile_chain(struct nft_batch *b, const struct pol_table *t,
    const struct pol_rule *rules, size_t n)
    __attribute__((warn_unused_result));

/*
 * In the place of T's set ID, which no rule may name any more, an empty one:
 * unlike a flush it costs nothing for each element.
 */
int nft_compile_empty(struct nft_batch *b, const struct pol_table *t,
    enum pol_set_id id) __attribute__((warn_unused_result));

/*
 * Table ID, which has outlived its owner, becomes ours as it is; one that is
 * not there becomes an empty one.
 */
void nft_compile_adopt(struct nft_batch *b, enum pol_table_id id,
    uint32_t flags);

/* Delete table ID, which must be there. */
void nft_compile_delete(struct nft_batch *b, enum pol_table_id id);

#endif
