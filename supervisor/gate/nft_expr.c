#include "supervisor/gate/nft_expr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>

#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdbool.h>

#include "supervisor/gate/emit.h"
#include "supervisor/gate/nft_match.h"

/* "rate N/minute", and the burst that nft(8) does not mention. */
#define LIMIT_UNIT_S 60u
#define LIMIT_BURST 5u

#define LOG_AFTER ": "

uint32_t
nft_set_number(enum pol_table_id table, enum pol_set_id set)
{
	return (uint32_t)table * POL_NSET + (uint32_t)set + 1;
}

static void
act_counter(struct emitter *m, const struct pol_stmt *s)
{
	(void)s;
	(void)emit_expr(m, "counter");
}

static void
store_mark(struct emitter *m, uint32_t mask, uint32_t flip)
{
	struct nftnl_expr *e;

	emit_meta(m, NFT_META_MARK);
	emit_mask_u32(m, mask, flip);
	e = emit_expr(m, "meta");
	emit_set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_MARK);
	emit_set_u32(e, NFTNL_EXPR_META_SREG, NFT_REG_1);
}

static void
act_mark(struct emitter *m, const struct pol_stmt *s)
{
	if (s->kind == POL_A_MARK_OR)
		store_mark(m, ~s->num, s->num);
	else
		store_mark(m, s->num, 0);
}

static void
act_ct_mark_or(struct emitter *m, const struct pol_stmt *s)
{
	struct nftnl_expr *e;

	emit_ct(m, NFT_CT_MARK);
	emit_mask_u32(m, ~s->num, s->num);
	e = emit_expr(m, "ct");
	emit_set_u32(e, NFTNL_EXPR_CT_KEY, NFT_CT_MARK);
	emit_set_u32(e, NFTNL_EXPR_CT_SREG, NFT_REG_1);
}

static void
act_limit(struct emitter *m, const struct pol_stmt *s)
{
	struct nftnl_expr *e = emit_expr(m, "limit");

	if (s->num == 0)
		m->failed = true; /* the kernel would not take it */
	if (e == NULL)
		return;
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_RATE, s->num);
	nftnl_expr_set_u64(e, NFTNL_EXPR_LIMIT_UNIT, LIMIT_UNIT_S);
	emit_set_u32(e, NFTNL_EXPR_LIMIT_BURST, LIMIT_BURST);
	emit_set_u32(e, NFTNL_EXPR_LIMIT_TYPE, NFT_LIMIT_PKTS);
	emit_set_u32(e, NFTNL_EXPR_LIMIT_FLAGS, 0);
}

static void
act_log(struct emitter *m, const struct pol_stmt *s)
{
	char prefix[POL_IFNAME_LEN + sizeof LOG_AFTER];
	struct nftnl_expr *e = emit_expr(m, "log");

	(void)snprintf(prefix, sizeof prefix, "%.*s" LOG_AFTER,
	    POL_IFNAME_LEN - 1, s->name);
	emit_set_name(m, e, NFTNL_EXPR_LOG_PREFIX, prefix);
}

static void
reject(struct emitter *m, uint32_t type, uint8_t code)
{
	struct nftnl_expr *e = emit_expr(m, "reject");

	emit_set_u32(e, NFTNL_EXPR_REJECT_TYPE, type);
	if (e != NULL)
		nftnl_expr_set_u8(e, NFTNL_EXPR_REJECT_CODE, code);
}

static void
act_reject(struct emitter *m, const struct pol_stmt *s)
{
	if (s->kind == POL_A_REJECT_RST) {
		emit_l4proto(m, IPPROTO_TCP);
		reject(m, NFT_REJECT_TCP_RST, 0);
	} else {
		reject(m, NFT_REJECT_ICMPX_UNREACH,
		    NFT_REJECT_ICMPX_ADMIN_PROHIBITED);
	}
}

static void
act_update(struct emitter *m, const struct pol_stmt *s)
{
	struct nftnl_expr *e;

	if (s->num == 0) {
		m->failed = true; /* would never expire */
		return;
	}
	nft_match_key(m, s->key);
	e = emit_expr(m, "dynset");
	if (e != NULL)
		nftnl_expr_set_u64(e, NFTNL_EXPR_DYNSET_TIMEOUT, s->num);
	emit_set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	emit_set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	emit_set_name(m, e, NFTNL_EXPR_DYNSET_SET_NAME, pol_set_name(s->set));
	emit_set_u32(e, NFTNL_EXPR_DYNSET_SET_ID,
	    nft_set_number(m->table->id, s->set));
}

static void
act_jump(struct emitter *m, const struct pol_stmt *s)
{
	if (s->chain >= m->table->nchains) {
		m->failed = true;
		return;
	}
	emit_verdict(m, NFT_JUMP, m->table->chains[s->chain].name);
}

static void
immediate(struct emitter *m, uint32_t reg, const void *data, uint32_t len)
{
	struct nftnl_expr *e = emit_expr(m, "immediate");

	emit_set_u32(e, NFTNL_EXPR_IMM_DREG, reg);
	emit_set_data(m, e, NFTNL_EXPR_IMM_DATA, data, len);
}

static void
act_dnat(struct emitter *m, const struct pol_stmt *s)
{
	const bool six = s->addr.family == AF_INET6;
	const uint16_t port = htons((uint16_t)s->num);
	struct nftnl_expr *e;

	emit_nfproto(m, six ? NFPROTO_IPV6 : NFPROTO_IPV4);
	if (s->kind == POL_A_DNAT_MAP)
		nft_match_lookup(m, s);
	else
		immediate(m, NFT_REG_1, six ? (const void *)&s->addr.v6 :
		    (const void *)&s->addr.v4, six ? 16 : 4);
	immediate(m, NFT_REG_2, &port, sizeof port);
	e = emit_expr(m, "nat");
	emit_set_u32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	emit_set_u32(e, NFTNL_EXPR_NAT_FAMILY,
	    six ? NFPROTO_IPV6 : NFPROTO_IPV4);
	emit_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
	emit_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_2);
}

static void
act_verdict(struct emitter *m, const struct pol_stmt *s)
{
	emit_verdict(m, s->kind == POL_A_ACCEPT ? NF_ACCEPT : NF_DROP, NULL);
}

static const nft_maker actions[POL_NSTMT] = {
	[POL_A_COUNTER] = act_counter,
	[POL_A_MARK_OR] = act_mark,
	[POL_A_MARK_AND] = act_mark,
	[POL_A_UPDATE] = act_update,
	[POL_A_JUMP] = act_jump,
	[POL_A_DNAT] = act_dnat,
	[POL_A_DNAT_MAP] = act_dnat,
	[POL_A_CT_MARK_OR] = act_ct_mark_or,
	[POL_A_LIMIT] = act_limit,
	[POL_A_LOG] = act_log,
	[POL_A_REJECT_RST] = act_reject,
	[POL_A_REJECT] = act_reject,
	[POL_A_ACCEPT] = act_verdict,
	[POL_A_DROP] = act_verdict,
};

int
nft_expr_rule(struct nftnl_rule *out, const struct pol_table *t,
    const struct pol_rule *r)
{
	struct emitter m = { .rule = out, .table = t };

	if (r->n > POL_MAX_STMTS)
		return -1;
	for (size_t i = 0; i < r->n; i++) {
		const struct pol_stmt *s = &r->stmts[i];
		nft_maker make;

		if ((unsigned)s->kind >= POL_NSTMT)
			return -1;
		make = nft_match_maker(s->kind);
		if (make == NULL)
			make = actions[s->kind];
		if (make == NULL)
			return -1;
		make(&m, s);
	}
	return m.failed ? -1 : 0;
}
