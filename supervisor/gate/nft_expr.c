#include "supervisor/gate/nft_expr.h"

#include <arpa/inet.h>
#include <stdio.h> /* libnftnl needs it */

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>

/* Where the header fields are that rules look at. */
#define IP4_SADDR 12u
#define IP4_DADDR 16u
#define IP4_FRAG_OFF 6u
#define IP6_SADDR 8u
#define IP6_DADDR 24u
#define IP6_HOPLIMIT 7u
#define TH_SPORT 0u
#define TH_DPORT 2u
#define ICMPV6_TYPE 0u
#define TCP_FLAGS 13u
#define ETHER_TYPE 12u

#define TCP_FIN_SYN_RST_ACK 0x17u
#define TCP_SYN 0x02u
#define IP4_MORE_OR_OFFSET 0x3fffu
#define IP4_IHL 0x0fu
#define IP4_IHL_PLAIN 5u

/* ct state's bits, from the kernel's NF_CT_STATE_BIT(). */
#define CT_STATE_INVALID 1u
#define CT_STATE_ESTABLISHED 2u

/* A rule in the making.  FAILED is sticky; checked once, at the end. */
struct maker {
	struct nftnl_rule *rule;
	const struct pol_table *table;
	bool failed;
	uint32_t nfproto; /* what the packet's family is known to be, or 0 */
};

uint32_t
nft_set_number(enum pol_table_id table, enum pol_set_id set)
{
	return (uint32_t)table * POL_NSET + (uint32_t)set + 1;
}

static struct nftnl_expr *
expr(struct maker *m, const char *name)
{
	struct nftnl_expr *e = nftnl_expr_alloc(name);

	if (e == NULL)
		m->failed = true;
	else
		nftnl_rule_add_expr(m->rule, e);
	return e;
}

static void
set_u32(struct nftnl_expr *e, uint16_t what, uint32_t value)
{
	if (e != NULL)
		nftnl_expr_set_u32(e, what, value);
}

static void
set_data(struct maker *m, struct nftnl_expr *e, uint16_t what,
    const void *data, uint32_t len)
{
	if (e != NULL && nftnl_expr_set(e, what, data, len) != 0)
		m->failed = true;
}

static void
set_name(struct maker *m, struct nftnl_expr *e, uint16_t what,
    const char *name)
{
	if (e != NULL && nftnl_expr_set_str(e, what, name) != 0)
		m->failed = true;
}

/* Loads: something of the packet into a register. */

static void
load_meta_to(struct maker *m, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *e = expr(m, "meta");

	set_u32(e, NFTNL_EXPR_META_KEY, key);
	set_u32(e, NFTNL_EXPR_META_DREG, reg);
}

static void
load_meta(struct maker *m, uint32_t key)
{
	load_meta_to(m, key, NFT_REG_1);
}

struct field {
	uint32_t base, offset, len;
};

static void
load_field_to(struct maker *m, struct field f, uint32_t reg)
{
	struct nftnl_expr *e = expr(m, "payload");

	set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, f.base);
	set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, f.offset);
	set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, f.len);
	set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
}

static void
load_net(struct maker *m, uint32_t offset, uint32_t len)
{
	load_field_to(m, (struct field){ NFT_PAYLOAD_NETWORK_HEADER, offset,
	    len }, NFT_REG_1);
}

static void
load_ct(struct maker *m, uint32_t key)
{
	struct nftnl_expr *e = expr(m, "ct");

	set_u32(e, NFTNL_EXPR_CT_KEY, key);
	set_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
}

/* What is done with a register. */

static void
cmp(struct maker *m, uint32_t op, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr(m, "cmp");

	set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	set_u32(e, NFTNL_EXPR_CMP_OP, op);
	set_data(m, e, NFTNL_EXPR_CMP_DATA, data, len);
}

static void
cmp_u8(struct maker *m, uint32_t op, uint32_t value)
{
	const uint8_t v = (uint8_t)value;

	cmp(m, op, &v, sizeof v);
}

static void
cmp_be16(struct maker *m, uint32_t op, uint32_t value)
{
	const uint16_t v = htons((uint16_t)value);

	cmp(m, op, &v, sizeof v);
}

static void
cmp_u32(struct maker *m, uint32_t op, uint32_t value)
{
	cmp(m, op, &value, sizeof value);
}

/* reg = (reg & mask) ^ flip, on LEN octets. */
static void
bitwise(struct maker *m, const void *mask, const void *flip, uint32_t len)
{
	struct nftnl_expr *e = expr(m, "bitwise");

	set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	set_u32(e, NFTNL_EXPR_BITWISE_LEN, len);
	set_data(m, e, NFTNL_EXPR_BITWISE_MASK, mask, len);
	set_data(m, e, NFTNL_EXPR_BITWISE_XOR, flip, len);
}

static void
mask_u32(struct maker *m, uint32_t mask, uint32_t flip)
{
	bitwise(m, &mask, &flip, sizeof mask);
}

static void
mask_u8(struct maker *m, uint32_t mask)
{
	const uint8_t v = (uint8_t)mask, zero = 0;

	bitwise(m, &v, &zero, sizeof v);
}

static void
verdict(struct maker *m, int code, const char *chain)
{
	struct nftnl_expr *e = expr(m, "immediate");

	set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	set_u32(e, NFTNL_EXPR_IMM_VERDICT, (uint32_t)code);
	if (chain != NULL)
		set_name(m, e, NFTNL_EXPR_IMM_CHAIN, chain);
}

/*
 * A field of the IPv4 header means nothing in an IPv6 packet: in a table of
 * family inet, say first which one it is, as nft(8) does.
 */
static void
need_nfproto(struct maker *m, uint32_t nfproto)
{
	if (m->table->family != POL_F_INET || m->nfproto == nfproto)
		return;
	load_meta(m, NFT_META_NFPROTO);
	cmp_u8(m, NFT_CMP_EQ, nfproto);
	m->nfproto = nfproto;
}

/* Matches, by kind. */

static void
match_ifname(struct maker *m, const struct pol_stmt *s)
{
	char padded[POL_IFNAME_LEN] = { 0 };

	memcpy(padded, s->name, strnlen(s->name, sizeof padded - 1));
	load_meta(m, s->kind == POL_M_IIFNAME ? NFT_META_IIFNAME :
	    NFT_META_OIFNAME);
	cmp(m, NFT_CMP_EQ, padded, sizeof padded);
}

static void
match_nfproto(struct maker *m, const struct pol_stmt *s)
{
	need_nfproto(m, s->num);
}

static void
match_l4proto(struct maker *m, const struct pol_stmt *s)
{
	load_meta(m, NFT_META_L4PROTO);
	cmp_u8(m, NFT_CMP_EQ, s->num);
}

/* Matches of one field with a number; NFPROTO 0: of any family. */
static const struct number_field {
	uint32_t nfproto;
	struct field field;
} number_fields[POL_NSTMT] = {
	[POL_M_SPORT] = { 0, { NFT_PAYLOAD_TRANSPORT_HEADER, TH_SPORT, 2 } },
	[POL_M_DPORT] = { 0, { NFT_PAYLOAD_TRANSPORT_HEADER, TH_DPORT, 2 } },
	[POL_M_ICMPV6_TYPE] = { 0, { NFT_PAYLOAD_TRANSPORT_HEADER,
	    ICMPV6_TYPE, 1 } },
	[POL_M_HOPLIMIT] = { NFPROTO_IPV6, { NFT_PAYLOAD_NETWORK_HEADER,
	    IP6_HOPLIMIT, 1 } },
	[POL_M_IP4_NET] = { NFPROTO_IPV4, { NFT_PAYLOAD_NETWORK_HEADER,
	    IP4_DADDR, 1 } },
	[POL_M_FRAMETYPE] = { 0, { NFT_PAYLOAD_LL_HEADER, ETHER_TYPE, 2 } },
};

static void
match_number(struct maker *m, const struct pol_stmt *s)
{
	const struct number_field *f = &number_fields[s->kind];

	if (f->nfproto != 0)
		need_nfproto(m, f->nfproto);
	load_field_to(m, f->field, NFT_REG_1);
	if (f->field.len == 1)
		cmp_u8(m, NFT_CMP_EQ, s->num);
	else
		cmp_be16(m, NFT_CMP_EQ, s->num);
}

static void
match_skuid(struct maker *m, const struct pol_stmt *s)
{
	load_meta(m, NFT_META_SKUID);
	cmp_u32(m, s->kind == POL_M_SKUID ? NFT_CMP_EQ : NFT_CMP_NEQ, s->num);
}

static void
match_mark(struct maker *m, const struct pol_stmt *s)
{
	load_meta(m, NFT_META_MARK);
	mask_u32(m, s->num, 0);
	cmp_u32(m, s->kind == POL_M_MARK_SET ? NFT_CMP_NEQ : NFT_CMP_EQ, 0);
}

static void
match_ct_bits(struct maker *m, uint32_t key, uint32_t bits)
{
	load_ct(m, key);
	mask_u32(m, bits, 0);
	cmp_u32(m, NFT_CMP_NEQ, 0);
}

static void
match_ct_state(struct maker *m, const struct pol_stmt *s)
{
	if (s->kind == POL_M_CT_DNAT)
		match_ct_bits(m, NFT_CT_STATUS, IPS_DST_NAT);
	else
		match_ct_bits(m, NFT_CT_STATE, s->kind == POL_M_CT_INVALID ?
		    CT_STATE_INVALID : CT_STATE_ESTABLISHED);
}

static void
match_ct_direction(struct maker *m, const struct pol_stmt *s)
{
	load_ct(m, NFT_CT_DIRECTION);
	cmp_u8(m, NFT_CMP_EQ, s->kind == POL_M_CT_REPLY ? IP_CT_DIR_REPLY :
	    IP_CT_DIR_ORIGINAL);
}

/*
 * Where the address of a key's packet is, and where its port.  Without an
 * address the family does not matter.
 */
struct key_layout {
	uint32_t nfproto;
	uint32_t addr_at, addr_len, port_at;
};

static const struct key_layout key_layouts[] = {
	[POL_K_DST4] = { NFPROTO_IPV4, IP4_DADDR, 4, TH_DPORT },
	[POL_K_DST6] = { NFPROTO_IPV6, IP6_DADDR, 16, TH_DPORT },
	[POL_K_SRC4] = { NFPROTO_IPV4, IP4_SADDR, 4, TH_SPORT },
	[POL_K_SRC6] = { NFPROTO_IPV6, IP6_SADDR, 16, TH_SPORT },
	[POL_K_DPORT] = { 0, 0, 0, TH_DPORT },
	[POL_K_SPORT] = { 0, 0, 0, TH_SPORT },
};

/* The left-hand side of a lookup: nft_elem.h's layout, from NFT_REG_1 on. */
static void
load_key(struct maker *m, enum pol_key key)
{
	const struct key_layout *k = &key_layouts[key];
	uint32_t reg = NFT_REG32_00;

	if (key == POL_K_NFPROTO || key == POL_K_L4PROTO) {
		load_meta(m, key == POL_K_NFPROTO ? NFT_META_NFPROTO :
		    NFT_META_L4PROTO);
		return;
	}
	if (k->addr_len != 0) {
		need_nfproto(m, k->nfproto);
		load_field_to(m, (struct field){ NFT_PAYLOAD_NETWORK_HEADER,
		    k->addr_at, k->addr_len }, NFT_REG_1);
		reg += k->addr_len / 4;
	}
	load_meta_to(m, NFT_META_L4PROTO, reg);
	load_field_to(m, (struct field){ NFT_PAYLOAD_TRANSPORT_HEADER,
	    k->port_at, 2 }, reg + 1);
}

/* In a set; or in a map, whose datum then is in NFT_REG_1. */
static void
match_lookup(struct maker *m, const struct pol_stmt *s)
{
	struct nftnl_expr *e;

	load_key(m, s->key);
	e = expr(m, "lookup");
	set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	set_name(m, e, NFTNL_EXPR_LOOKUP_SET, pol_set_name(s->set));
	set_u32(e, NFTNL_EXPR_LOOKUP_SET_ID,
	    nft_set_number(m->table->id, s->set));
	if (s->kind == POL_A_DNAT_MAP)
		set_u32(e, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_1);
}

static void
match_tcp_syn(struct maker *m, const struct pol_stmt *s)
{
	(void)s;
	load_field_to(m, (struct field){ NFT_PAYLOAD_TRANSPORT_HEADER,
	    TCP_FLAGS, 1 }, NFT_REG_1);
	mask_u8(m, TCP_FIN_SYN_RST_ACK);
	cmp_u8(m, NFT_CMP_EQ, TCP_SYN);
}

static void
match_ip4_fragment(struct maker *m, const struct pol_stmt *s)
{
	const uint16_t mask = htons(IP4_MORE_OR_OFFSET), zero = 0;

	(void)s;
	need_nfproto(m, NFPROTO_IPV4);
	load_net(m, IP4_FRAG_OFF, 2);
	bitwise(m, &mask, &zero, sizeof mask);
	cmp_be16(m, NFT_CMP_NEQ, 0);
}

static void
match_ip4_options(struct maker *m, const struct pol_stmt *s)
{
	(void)s;
	need_nfproto(m, NFPROTO_IPV4);
	load_net(m, 0, 1);
	mask_u8(m, IP4_IHL);
	cmp_u8(m, NFT_CMP_GT, IP4_IHL_PLAIN);
}

static void
match_ip6_exthdr(struct maker *m, const struct pol_stmt *s)
{
	struct nftnl_expr *e;

	need_nfproto(m, NFPROTO_IPV6);
	e = expr(m, "exthdr");
	if (e != NULL)
		nftnl_expr_set_u8(e, NFTNL_EXPR_EXTHDR_TYPE, (uint8_t)s->num);
	set_u32(e, NFTNL_EXPR_EXTHDR_DREG, NFT_REG_1);
	set_u32(e, NFTNL_EXPR_EXTHDR_OFFSET, 0);
	set_u32(e, NFTNL_EXPR_EXTHDR_LEN, 1);
	set_u32(e, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_IPV6);
	set_u32(e, NFTNL_EXPR_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT);
	cmp_u8(m, NFT_CMP_EQ, 1);
}

static void
match_daddr_local(struct maker *m, const struct pol_stmt *s)
{
	struct nftnl_expr *e = expr(m, "fib");

	(void)s;
	set_u32(e, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
	set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	set_u32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
	cmp_u32(m, NFT_CMP_EQ, RTN_LOCAL);
}

static void
match_ethertype(struct maker *m, const struct pol_stmt *s)
{
	load_meta(m, NFT_META_PROTOCOL);
	cmp_be16(m, NFT_CMP_EQ, s->num);
}

/* Actions, by kind. */

static void
act_counter(struct maker *m, const struct pol_stmt *s)
{
	(void)s;
	(void)expr(m, "counter");
}

static void
store_mark(struct maker *m, uint32_t mask, uint32_t flip)
{
	struct nftnl_expr *e;

	load_meta(m, NFT_META_MARK);
	mask_u32(m, mask, flip);
	e = expr(m, "meta");
	set_u32(e, NFTNL_EXPR_META_KEY, NFT_META_MARK);
	set_u32(e, NFTNL_EXPR_META_SREG, NFT_REG_1);
}

static void
act_mark(struct maker *m, const struct pol_stmt *s)
{
	if (s->kind == POL_A_MARK_OR)
		store_mark(m, ~s->num, s->num);
	else
		store_mark(m, s->num, 0);
}

static void
act_update(struct maker *m, const struct pol_stmt *s)
{
	struct nftnl_expr *e;

	if (s->num == 0) {
		m->failed = true; /* would never expire */
		return;
	}
	load_key(m, s->key);
	e = expr(m, "dynset");
	if (e != NULL)
		nftnl_expr_set_u64(e, NFTNL_EXPR_DYNSET_TIMEOUT, s->num);
	set_u32(e, NFTNL_EXPR_DYNSET_SREG_KEY, NFT_REG_1);
	set_u32(e, NFTNL_EXPR_DYNSET_OP, NFT_DYNSET_OP_UPDATE);
	set_name(m, e, NFTNL_EXPR_DYNSET_SET_NAME, pol_set_name(s->set));
	set_u32(e, NFTNL_EXPR_DYNSET_SET_ID,
	    nft_set_number(m->table->id, s->set));
}

static void
act_jump(struct maker *m, const struct pol_stmt *s)
{
	if (s->chain >= m->table->nchains) {
		m->failed = true;
		return;
	}
	verdict(m, NFT_JUMP, m->table->chains[s->chain].name);
}

static void
immediate(struct maker *m, uint32_t reg, const void *data, uint32_t len)
{
	struct nftnl_expr *e = expr(m, "immediate");

	set_u32(e, NFTNL_EXPR_IMM_DREG, reg);
	set_data(m, e, NFTNL_EXPR_IMM_DATA, data, len);
}

static void
act_dnat(struct maker *m, const struct pol_stmt *s)
{
	const bool six = s->addr.family == AF_INET6;
	const uint16_t port = htons((uint16_t)s->num);
	struct nftnl_expr *e;

	need_nfproto(m, six ? NFPROTO_IPV6 : NFPROTO_IPV4);
	if (s->kind == POL_A_DNAT_MAP)
		match_lookup(m, s);
	else
		immediate(m, NFT_REG_1, six ? (const void *)&s->addr.v6 :
		    (const void *)&s->addr.v4, six ? 16 : 4);
	immediate(m, NFT_REG_2, &port, sizeof port);
	e = expr(m, "nat");
	set_u32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	set_u32(e, NFTNL_EXPR_NAT_FAMILY, six ? NFPROTO_IPV6 : NFPROTO_IPV4);
	set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
	set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, NFT_REG_2);
}

static void
act_verdict(struct maker *m, const struct pol_stmt *s)
{
	verdict(m, s->kind == POL_A_ACCEPT ? NF_ACCEPT : NF_DROP, NULL);
}

static void (*const makers[POL_NSTMT])(struct maker *,
    const struct pol_stmt *) = {
	[POL_M_IIFNAME] = match_ifname,
	[POL_M_OIFNAME] = match_ifname,
	[POL_M_NFPROTO] = match_nfproto,
	[POL_M_L4PROTO] = match_l4proto,
	[POL_M_SPORT] = match_number,
	[POL_M_DPORT] = match_number,
	[POL_M_SKUID] = match_skuid,
	[POL_M_SKUID_NOT] = match_skuid,
	[POL_M_MARK_CLEAR] = match_mark,
	[POL_M_MARK_SET] = match_mark,
	[POL_M_CT_ESTABLISHED] = match_ct_state,
	[POL_M_CT_INVALID] = match_ct_state,
	[POL_M_CT_REPLY] = match_ct_direction,
	[POL_M_CT_ORIGINAL] = match_ct_direction,
	[POL_M_CT_DNAT] = match_ct_state,
	[POL_M_LOOKUP] = match_lookup,
	[POL_M_ICMPV6_TYPE] = match_number,
	[POL_M_HOPLIMIT] = match_number,
	[POL_M_TCP_SYN] = match_tcp_syn,
	[POL_M_IP4_FRAGMENT] = match_ip4_fragment,
	[POL_M_IP4_OPTIONS] = match_ip4_options,
	[POL_M_IP4_NET] = match_number,
	[POL_M_IP6_EXTHDR] = match_ip6_exthdr,
	[POL_M_DADDR_LOCAL] = match_daddr_local,
	[POL_M_ETHERTYPE] = match_ethertype,
	[POL_M_FRAMETYPE] = match_number,
	[POL_A_COUNTER] = act_counter,
	[POL_A_MARK_OR] = act_mark,
	[POL_A_MARK_AND] = act_mark,
	[POL_A_UPDATE] = act_update,
	[POL_A_JUMP] = act_jump,
	[POL_A_DNAT] = act_dnat,
	[POL_A_DNAT_MAP] = act_dnat,
	[POL_A_ACCEPT] = act_verdict,
	[POL_A_DROP] = act_verdict,
};

int
nft_expr_rule(struct nftnl_rule *out, const struct pol_table *t,
    const struct pol_rule *r)
{
	struct maker m = { .rule = out, .table = t };

	if (r->n > POL_MAX_STMTS)
		return -1;
	for (size_t i = 0; i < r->n; i++) {
		const struct pol_stmt *s = &r->stmts[i];

		if ((unsigned)s->kind >= POL_NSTMT || makers[s->kind] == NULL)
			return -1;
		makers[s->kind](&m, s);
	}
	return m.failed ? -1 : 0;
}
