/*
 * The matches of policy/rules.h as nf_tables expressions; nft_expr.c has the
 * actions.  Start-up only: libnftnl allocates.
 */
#ifndef GATE_NFT_MATCH_H
#define GATE_NFT_MATCH_H

#include "policy/rules.h"

struct emitter;

typedef void (*nft_maker)(struct emitter *m, const struct pol_stmt *s);

/* What makes a match of KIND; NULL: it is none. */
nft_maker nft_match_maker(enum pol_stmt_kind kind);

/* The left-hand side of a lookup: nft_elem.h's layout, from NFT_REG_1 on. */
void nft_match_key(struct emitter *m, enum pol_key key);
/* In a set; or in a map, whose datum then is in NFT_REG_1. */
void nft_match_lookup(struct emitter *m, const struct pol_stmt *s);

#endif
