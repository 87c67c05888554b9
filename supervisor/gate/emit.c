#include "supervisor/gate/emit.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <stdio.h> /* libnftnl needs it */

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>

struct nftnl_expr *
emit_expr(struct emitter *m, const char *name)
{
	struct nftnl_expr *e = nftnl_expr_alloc(name);

	if (e == NULL)
		m->failed = true;
	else
		nftnl_rule_add_expr(m->rule, e);
	return e;
}

void
emit_set_u32(struct nftnl_expr *e, uint16_t what, uint32_t value)
{
	if (e != NULL)
		nftnl_expr_set_u32(e, what, value);
}

void
emit_set_data(struct emitter *m, struct nftnl_expr *e, uint16_t what,
    const void *data, uint32_t len)
{
	if (e != NULL && nftnl_expr_set(e, what, data, len) != 0)
		m->failed = true;
}

void
emit_set_name(struct emitter *m, struct nftnl_expr *e, uint16_t what,
    const char *name)
{
	if (e != NULL && nftnl_expr_set_str(e, what, name) != 0)
		m->failed = true;
}

/* Loads: something of the packet into a register. */

void
emit_meta_to(struct emitter *m, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *e = emit_expr(m, "meta");

	emit_set_u32(e, NFTNL_EXPR_META_KEY, key);
	emit_set_u32(e, NFTNL_EXPR_META_DREG, reg);
}

void
emit_meta(struct emitter *m, uint32_t key)
{
	emit_meta_to(m, key, NFT_REG_1);
}

void
emit_payload(struct emitter *m, struct emit_field f, uint32_t reg)
{
	struct nftnl_expr *e = emit_expr(m, "payload");

	emit_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, f.base);
	emit_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, f.offset);
	emit_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, f.len);
	emit_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

void
emit_ct(struct emitter *m, uint32_t key)
{
	struct nftnl_expr *e = emit_expr(m, "ct");

	emit_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	emit_set_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
}

/* What is done with a register. */

void
emit_cmp(struct emitter *m, uint32_t op, const void *data, uint32_t len)
{
	struct nftnl_expr *e = emit_expr(m, "cmp");

	emit_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	emit_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	emit_set_data(m, e, NFTNL_EXPR_CMP_DATA, data, len);
}

void
emit_cmp_u8(struct emitter *m, uint32_t op, uint32_t value)
{
	const uint8_t v = (uint8_t)value;

	emit_cmp(m, op, &v, sizeof v);
}

void
emit_cmp_be16(struct emitter *m, uint32_t op, uint32_t value)
{
	const uint16_t v = htons((uint16_t)value);

	emit_cmp(m, op, &v, sizeof v);
}

void
emit_cmp_u32(struct emitter *m, uint32_t op, uint32_t value)
{
	emit_cmp(m, op, &value, sizeof value);
}

/* reg = (reg & mask) ^ flip, on LEN octets. */
void
emit_bitwise(struct emitter *m, const void *mask, const void *flip,
    uint32_t len)
{
	struct nftnl_expr *e = emit_expr(m, "bitwise");

	emit_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	emit_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	emit_set_u32(e, NFTNL_EXPR_BITWISE_LEN, len);
	emit_set_data(m, e, NFTNL_EXPR_BITWISE_MASK, mask, len);
	emit_set_data(m, e, NFTNL_EXPR_BITWISE_XOR, flip, len);
}

void
emit_mask_u32(struct emitter *m, uint32_t mask, uint32_t flip)
{
	emit_bitwise(m, &mask, &flip, sizeof mask);
}

void
emit_mask_u8(struct emitter *m, uint32_t mask)
{
	const uint8_t v = (uint8_t)mask, zero = 0;

	emit_bitwise(m, &v, &zero, sizeof v);
}

void
emit_verdict(struct emitter *m, int code, const char *chain)
{
	struct nftnl_expr *e = emit_expr(m, "immediate");

	emit_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	emit_set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)code);
	if (chain != NULL)
		emit_set_name(m, e, NFTNL_EXPR_IMM_CHAIN, chain);
}

/* In a netdev table the family is what the frame says. */
static void
emit_protocol(struct emitter *m, uint32_t nfproto)
{
	emit_meta(m, NFT_META_PROTOCOL);
	emit_cmp_be16(m, NFT_CMP_EQ, nfproto == NFPROTO_IPV6 ?
	    ETHERTYPE_IPV6 : ETHERTYPE_IP);
}

void
emit_nfproto(struct emitter *m, uint32_t nfproto)
{
	if (m->nfproto == nfproto)
		return;
	if (m->nfproto != 0) {
		m->failed = true;
		return;
	}
	if (m->table->family == POL_F_NETDEV) {
		emit_protocol(m, nfproto);
	} else {
		emit_meta(m, NFT_META_NFPROTO);
		emit_cmp_u8(m, NFT_CMP_EQ, nfproto);
	}
	m->nfproto = nfproto;
}

void
emit_l4proto(struct emitter *m, uint32_t l4proto)
{
	if (m->l4proto == l4proto)
		return;
	if (m->l4proto != 0) {
		m->failed = true;
		return;
	}
	emit_meta(m, NFT_META_L4PROTO);
	emit_cmp_u8(m, NFT_CMP_EQ, l4proto);
	m->l4proto = l4proto;
}
