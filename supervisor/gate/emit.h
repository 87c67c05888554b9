/*
 * nf_tables expressions, one after the other, appended to a rule.  All work
 * on NFT_REG_1 unless they are told a register.  Start-up only: libnftnl
 * allocates.
 */
#ifndef GATE_EMIT_H
#define GATE_EMIT_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/rules.h"

struct nftnl_expr;
struct nftnl_rule;

/*
 * A rule in the making.  FAILED is sticky: out of memory, or a statement that
 * makes no sense.  The last two are what the packet is known to be, 0: not.
 */
struct emitter {
	struct nftnl_rule *rule;       /* borrowed */
	const struct pol_table *table; /* borrowed */
	bool failed;
	uint32_t nfproto;
	uint32_t l4proto;
};

struct emit_field {
	uint32_t base, offset, len;
};

/* Append one; NULL when out of memory, which the setters take quietly. */
struct nftnl_expr *emit_expr(struct emitter *m, const char *name);
void emit_set_u32(struct nftnl_expr *e, uint16_t what, uint32_t value);
void emit_set_data(struct emitter *m, struct nftnl_expr *e, uint16_t what,
    const void *data, uint32_t len);
void emit_set_name(struct emitter *m, struct nftnl_expr *e, uint16_t what,
    const char *name);

/* Loads: something of the packet into a register. */
void emit_meta(struct emitter *m, uint32_t key);
void emit_meta_to(struct emitter *m, uint32_t key, uint32_t reg);
void emit_payload(struct emitter *m, struct emit_field f, uint32_t reg);
void emit_ct(struct emitter *m, uint32_t key);

/* What is done with a register: unless OP holds, the rule ends there. */
void emit_cmp(struct emitter *m, uint32_t op, const void *data,
    uint32_t len);
void emit_cmp_u8(struct emitter *m, uint32_t op, uint32_t value);
void emit_cmp_be16(struct emitter *m, uint32_t op, uint32_t value);
void emit_cmp_u32(struct emitter *m, uint32_t op, uint32_t value);
/* reg = (reg & MASK) ^ FLIP, on LEN octets. */
void emit_bitwise(struct emitter *m, const void *mask, const void *flip,
    uint32_t len);
void emit_mask_u32(struct emitter *m, uint32_t mask, uint32_t flip);
void emit_mask_u8(struct emitter *m, uint32_t mask);

/* CHAIN: of a jump, else NULL. */
void emit_verdict(struct emitter *m, int code, const char *chain);

/*
 * A field of the IPv4 header means nothing in an IPv6 packet, nor one of TCP
 * in a UDP packet.  These see to it that the rule has said which it is, as
 * nft(8) does by itself; a rule that has said another one makes no sense.
 */
void emit_nfproto(struct emitter *m, uint32_t nfproto);
void emit_l4proto(struct emitter *m, uint32_t l4proto);

#endif
