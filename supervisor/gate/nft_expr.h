/*
 * One rule of policy/rules.h as nf_tables expressions, such that nft(8)
 * lists it in the words of rules_print().  Start-up only: libnftnl allocates.
 */
#ifndef GATE_NFT_EXPR_H
#define GATE_NFT_EXPR_H

#include <stdint.h>

#include "policy/rules.h"

struct nftnl_rule;

/* A number for SET of TABLE that is unique in a batch; never 0. */
uint32_t nft_set_number(enum pol_table_id table, enum pol_set_id set);

/*
 * Append R's statements, which stand in T, to OUT.  -1 when out of memory or
 * when a statement makes no sense.
 */
int nft_expr_rule(struct nftnl_rule *out, const struct pol_table *t,
    const struct pol_rule *r) __attribute__((warn_unused_result));

#endif
