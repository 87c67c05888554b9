#include "supervisor/gate/nft_match.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <stdio.h> /* libnftnl needs it */

#include <libnftnl/expr.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <string.h>

#include "supervisor/gate/emit.h"
#include "supervisor/gate/nft_expr.h"

/* Where the header fields are that rules look at. */
#define IP4_SADDR 12u
#define IP4_DADDR 16u
#define IP6_SADDR 8u
#define IP6_DADDR 24u
#define IP6_HOPLIMIT 7u
#define TH_SPORT 0u
#define TH_DPORT 2u
#define ICMP_TYPE 0u /* ICMPv6 too */
#define ICMP_CODE 1u
#define TCP_FLAGS 13u
#define ETHER_TYPE 12u

#define TCP_FIN_SYN_RST_ACK 0x17u
#define TCP_SYN 0x02u
#define TCP_RST 0x04u
#define IP4_MORE_OR_OFFSET 0x3fffu
#define IP4_VERSION_IHL 0x45u /* version 4, five words of header */

/* ct state's bits, from the kernel's NF_CT_STATE_BIT(). */
#define CT_STATE_INVALID 1u
#define CT_STATE_ESTABLISHED 2u
#define CT_STATE_RELATED 4u
#define CT_STATE_NEW 8u

static struct emit_field
net_field(uint32_t offset, uint32_t len)
{
	return (struct emit_field){ NFT_PAYLOAD_NETWORK_HEADER, offset, len };
}

static void
match_ifname(struct emitter *m, const struct pol_stmt *s)
{
	char padded[POL_IFNAME_LEN] = { 0 };
	const size_t len = strnlen(s->name, sizeof padded - 1);
	const bool prefix = len != 0 && s->name[len - 1] == '*';

	if (len == 0 || (prefix && len == 1)) {
		m->failed = true; /* would be any, or none */
		return;
	}
	memcpy(padded, s->name, len);
	emit_meta(m, s->kind == POL_M_IIFNAME ? NFT_META_IIFNAME :
	    NFT_META_OIFNAME);
	/* Only the octets of a prefix, without a NUL. */
	emit_cmp(m, NFT_CMP_EQ, padded, prefix ? (uint32_t)len - 1 :
	    sizeof padded);
}

static void
match_nfproto(struct emitter *m, const struct pol_stmt *s)
{
	if (m->table->family == POL_F_NETDEV)
		m->failed = true; /* there it is always netdev */
	else
		emit_nfproto(m, s->num);
}

static void
match_l4proto(struct emitter *m, const struct pol_stmt *s)
{
	if (s->num == 0)
		m->failed = true; /* none that rules know of */
	else
		emit_l4proto(m, s->num);
}

/* Matches of one field with a number; 0: of any family or protocol. */
static const struct number_field {
	uint32_t nfproto, l4proto;
	struct emit_field field;
} number_fields[POL_NSTMT] = {
	[POL_M_SPORT] = { 0, 0, { NFT_PAYLOAD_TRANSPORT_HEADER, TH_SPORT,
	    2 } },
	[POL_M_DPORT] = { 0, 0, { NFT_PAYLOAD_TRANSPORT_HEADER, TH_DPORT,
	    2 } },
	[POL_M_ICMPV6_TYPE] = { 0, IPPROTO_ICMPV6,
	    { NFT_PAYLOAD_TRANSPORT_HEADER, ICMP_TYPE, 1 } },
	[POL_M_ICMP_TYPE] = { 0, IPPROTO_ICMP,
	    { NFT_PAYLOAD_TRANSPORT_HEADER, ICMP_TYPE, 1 } },
	[POL_M_HOPLIMIT] = { NFPROTO_IPV6, 0, { NFT_PAYLOAD_NETWORK_HEADER,
	    IP6_HOPLIMIT, 1 } },
	[POL_M_IP4_NET] = { NFPROTO_IPV4, 0, { NFT_PAYLOAD_NETWORK_HEADER,
	    IP4_DADDR, 1 } },
	[POL_M_FRAMETYPE] = { 0, 0, { NFT_PAYLOAD_LL_HEADER, ETHER_TYPE,
	    2 } },
};

static void
match_number(struct emitter *m, const struct pol_stmt *s)
{
	const struct number_field *f = &number_fields[s->kind];

	if (f->nfproto != 0)
		emit_nfproto(m, f->nfproto);
	if (f->l4proto != 0)
		emit_l4proto(m, f->l4proto);
	emit_payload(m, f->field, NFT_REG_1);
	if (f->field.len == 1)
		emit_cmp_u8(m, NFT_CMP_EQ, s->num);
	else
		emit_cmp_be16(m, NFT_CMP_EQ, s->num);
}

/* ICMP and ICMPv6 have it in the same place; which it is has been said. */
static void
match_icmp_code(struct emitter *m, const struct pol_stmt *s)
{
	if (m->l4proto != IPPROTO_ICMP && m->l4proto != IPPROTO_ICMPV6)
		m->failed = true;
	emit_payload(m, (struct emit_field){ NFT_PAYLOAD_TRANSPORT_HEADER,
	    ICMP_CODE, 1 }, NFT_REG_1);
	emit_cmp_u8(m, NFT_CMP_EQ, s->num);
}

static void
match_ports(struct emitter *m, const struct pol_stmt *s)
{
	const struct emit_field field = { NFT_PAYLOAD_TRANSPORT_HEADER,
		s->kind == POL_M_DPORTS ? TH_DPORT : TH_SPORT, 2 };

	if (s->num > s->num2 || s->num2 > UINT16_MAX) {
		m->failed = true;
		return;
	}
	emit_payload(m, field, NFT_REG_1);
	if (s->num == s->num2) {
		emit_cmp_be16(m, NFT_CMP_EQ, s->num);
		return;
	}
	emit_cmp_be16(m, NFT_CMP_GTE, s->num);
	emit_cmp_be16(m, NFT_CMP_LTE, s->num2);
}

/*
 * As nft(8) does: of whole octets only those that count, else all of them
 * behind a mask.
 */
static void
match_net(struct emitter *m, const struct pol_stmt *s)
{
	const bool six = s->addr.family == AF_INET6;
	const bool dst = s->kind == POL_M_DADDR_NET;
	const uint32_t size = six ? 16 : 4;
	const void *addr = six ? (const void *)&s->addr.v6 :
	    (const void *)&s->addr.v4;
	const uint8_t zero[16] = { 0 };
	uint8_t mask[16] = { 0 };
	uint32_t at = dst ? IP4_DADDR : IP4_SADDR;

	if ((!six && s->addr.family != AF_INET) || s->prefix > size * 8) {
		m->failed = true;
		return;
	}
	if (six)
		at = dst ? IP6_DADDR : IP6_SADDR;
	emit_nfproto(m, six ? NFPROTO_IPV6 : NFPROTO_IPV4);
	if (s->prefix != 0 && s->prefix % 8 == 0) {
		emit_payload(m, net_field(at, s->prefix / 8u), NFT_REG_1);
		emit_cmp(m, NFT_CMP_EQ, addr, s->prefix / 8u);
		return;
	}
	for (uint32_t i = 0; i < s->prefix; i++)
		mask[i / 8] |= (uint8_t)(0x80u >> i % 8);
	emit_payload(m, net_field(at, size), NFT_REG_1);
	emit_bitwise(m, mask, zero, size);
	emit_cmp(m, NFT_CMP_EQ, addr, size);
}

static void
match_skuid(struct emitter *m, const struct pol_stmt *s)
{
	emit_meta(m, NFT_META_SKUID);
	emit_cmp_u32(m, s->kind == POL_M_SKUID ? NFT_CMP_EQ : NFT_CMP_NEQ,
	    s->num);
}

static void
match_mark(struct emitter *m, const struct pol_stmt *s)
{
	emit_meta(m, NFT_META_MARK);
	emit_mask_u32(m, s->num, 0);
	emit_cmp_u32(m, s->kind == POL_M_MARK_SET ? NFT_CMP_NEQ :
	    NFT_CMP_EQ, 0);
}

static void
match_ct_bits(struct emitter *m, uint32_t key, uint32_t bits)
{
	emit_ct(m, key);
	emit_mask_u32(m, bits, 0);
	emit_cmp_u32(m, NFT_CMP_NEQ, 0);
}

static const uint32_t ct_states[POL_NSTMT] = {
	[POL_M_CT_ESTABLISHED] = CT_STATE_ESTABLISHED,
	[POL_M_CT_INVALID] = CT_STATE_INVALID,
	[POL_M_CT_NEW] = CT_STATE_NEW,
	[POL_M_CT_RELATED] = CT_STATE_RELATED,
};

static void
match_ct_state(struct emitter *m, const struct pol_stmt *s)
{
	match_ct_bits(m, NFT_CT_STATE, ct_states[s->kind]);
}

static void
match_ct_dnat(struct emitter *m, const struct pol_stmt *s)
{
	(void)s;
	match_ct_bits(m, NFT_CT_STATUS, IPS_DST_NAT);
}

static void
match_ct_mark(struct emitter *m, const struct pol_stmt *s)
{
	match_ct_bits(m, NFT_CT_MARK, s->num);
}

static void
match_ct_direction(struct emitter *m, const struct pol_stmt *s)
{
	emit_ct(m, NFT_CT_DIRECTION);
	emit_cmp_u8(m, NFT_CMP_EQ, s->kind == POL_M_CT_REPLY ? IP_CT_DIR_REPLY :
	    IP_CT_DIR_ORIGINAL);
}

/*
 * Where the address of a key's packet is, and where its port; between them
 * the protocol, or not.  Without an address the family does not matter.
 */
struct key_layout {
	uint32_t nfproto;
	uint32_t addr_at, addr_len;
	bool l4proto;
	uint32_t port_at;
};

static const struct key_layout key_layouts[] = {
	[POL_K_DST4] = { NFPROTO_IPV4, IP4_DADDR, 4, true, TH_DPORT },
	[POL_K_DST6] = { NFPROTO_IPV6, IP6_DADDR, 16, true, TH_DPORT },
	[POL_K_SRC4] = { NFPROTO_IPV4, IP4_SADDR, 4, true, TH_SPORT },
	[POL_K_SRC6] = { NFPROTO_IPV6, IP6_SADDR, 16, true, TH_SPORT },
	[POL_K_DPORT] = { 0, 0, 0, true, TH_DPORT },
	[POL_K_SPORT] = { 0, 0, 0, true, TH_SPORT },
	[POL_K_RELAY4] = { NFPROTO_IPV4, IP4_DADDR, 4, false, TH_DPORT },
	[POL_K_RELAY6] = { NFPROTO_IPV6, IP6_DADDR, 16, false, TH_DPORT },
};

void
nft_match_key(struct emitter *m, enum pol_key key)
{
	const struct key_layout *k = &key_layouts[key];
	uint32_t reg = NFT_REG32_00;

	if (key == POL_K_NFPROTO || key == POL_K_L4PROTO) {
		emit_meta(m, key == POL_K_NFPROTO ? NFT_META_NFPROTO :
		    NFT_META_L4PROTO);
		return;
	}
	if (k->addr_len != 0) {
		emit_nfproto(m, k->nfproto);
		emit_payload(m, net_field(k->addr_at, k->addr_len),
		    NFT_REG_1);
		reg += k->addr_len / 4;
	}
	if (k->l4proto)
		emit_meta_to(m, NFT_META_L4PROTO, reg++);
	emit_payload(m, (struct emit_field){ NFT_PAYLOAD_TRANSPORT_HEADER,
	    k->port_at, 2 }, reg);
}

void
nft_match_lookup(struct emitter *m, const struct pol_stmt *s)
{
	struct nftnl_expr *e;

	nft_match_key(m, s->key);
	e = emit_expr(m, "lookup");
	emit_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	emit_set_name(m, e, NFTNL_EXPR_LOOKUP_SET, pol_set_name(s->set));
	emit_set_u32(e, NFTNL_EXPR_LOOKUP_SET_ID,
	    nft_set_number(m->table->id, s->set));
	if (s->kind == POL_A_DNAT_MAP)
		emit_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_1);
}

static void
load_tcp_flags(struct emitter *m, uint32_t mask)
{
	emit_l4proto(m, IPPROTO_TCP);
	emit_payload(m, (struct emit_field){ NFT_PAYLOAD_TRANSPORT_HEADER,
	    TCP_FLAGS, 1 }, NFT_REG_1);
	emit_mask_u8(m, mask);
}

static void
match_tcp_syn(struct emitter *m, const struct pol_stmt *s)
{
	(void)s;
	load_tcp_flags(m, TCP_FIN_SYN_RST_ACK);
	emit_cmp_u8(m, NFT_CMP_EQ, TCP_SYN);
}

static void
match_tcp_rst(struct emitter *m, const struct pol_stmt *s)
{
	(void)s;
	load_tcp_flags(m, TCP_RST);
	emit_cmp_u8(m, NFT_CMP_NEQ, 0);
}

/* The header's first octets: all that can be wrong with it is in them. */
static void
match_ip4_plain(struct emitter *m, const struct pol_stmt *s)
{
	static const uint8_t mask[] = { 0xff, 0, 0, 0, 0, 0,
		IP4_MORE_OR_OFFSET >> 8, IP4_MORE_OR_OFFSET & 0xff };
	static const uint8_t flip[sizeof mask] = { 0 };
	static const uint8_t plain[sizeof mask] = { IP4_VERSION_IHL };

	(void)s;
	emit_payload(m, net_field(0, sizeof mask), NFT_REG_1);
	emit_bitwise(m, mask, flip, sizeof mask);
	emit_cmp(m, NFT_CMP_EQ, plain, sizeof plain);
}

static void
match_ip6_exthdr(struct emitter *m, const struct pol_stmt *s)
{
	struct nftnl_expr *e;

	emit_nfproto(m, NFPROTO_IPV6);
	e = emit_expr(m, "exthdr");
	if (e != NULL)
		nftnl_expr_set_u8(e, NFTNL_EXPR_EXTHDR_TYPE, (uint8_t)s->num);
	emit_set_u32(e, NFTNL_EXPR_EXTHDR_DREG, NFT_REG_1);
	emit_set_u32(e, NFTNL_EXPR_EXTHDR_OFFSET, 0);
	emit_set_u32(e, NFTNL_EXPR_EXTHDR_LEN, 1);
	emit_set_u32(e, NFTNL_EXPR_EXTHDR_OP, NFT_EXTHDR_OP_IPV6);
	emit_set_u32(e, NFTNL_EXPR_EXTHDR_FLAGS, NFT_EXTHDR_F_PRESENT);
	emit_cmp_u8(m, NFT_CMP_EQ, 1);
}

static void
load_fib(struct emitter *m, uint32_t result, uint32_t flags)
{
	struct nftnl_expr *e = emit_expr(m, "fib");

	emit_set_u32(e, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
	emit_set_u32(e, NFTNL_EXPR_FIB_RESULT, result);
	emit_set_u32(e, NFTNL_EXPR_FIB_FLAGS, flags);
}

static void
match_daddr_type(struct emitter *m, const struct pol_stmt *s)
{
	load_fib(m, NFT_FIB_RESULT_ADDRTYPE, NFTA_FIB_F_DADDR);
	emit_cmp_u32(m, NFT_CMP_EQ, s->kind == POL_M_DADDR_LOCAL ?
	    RTN_LOCAL : RTN_UNICAST);
}

static void
match_no_route_back(struct emitter *m, const struct pol_stmt *s)
{
	(void)s;
	load_fib(m, NFT_FIB_RESULT_OIF, NFTA_FIB_F_SADDR | NFTA_FIB_F_IIF |
	    NFTA_FIB_F_PRESENT);
	emit_cmp_u32(m, NFT_CMP_EQ, 0);
}

static void
match_ethertype(struct emitter *m, const struct pol_stmt *s)
{
	emit_meta(m, NFT_META_PROTOCOL);
	emit_cmp_be16(m, NFT_CMP_EQ, s->num);
	if (s->num == ETHERTYPE_IP)
		m->nfproto = NFPROTO_IPV4;
	else if (s->num == ETHERTYPE_IPV6)
		m->nfproto = NFPROTO_IPV6;
	else
		m->nfproto = NFPROTO_NETDEV; /* neither */
}

/*
 * What the kernel has routed has a class, 0 if nobody gave it another; what
 * has no route has none, which ends the rule.
 */
static void
match_routed(struct emitter *m, const struct pol_stmt *s)
{
	(void)s;
	if (m->table->family != POL_F_NETDEV)
		m->failed = true; /* everything is routed there, or will be */
	emit_meta(m, NFT_META_RTCLASSID);
	emit_cmp_u32(m, NFT_CMP_NEQ, UINT32_MAX);
}

static const nft_maker makers[POL_NSTMT] = {
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
	[POL_M_CT_NEW] = match_ct_state,
	[POL_M_CT_RELATED] = match_ct_state,
	[POL_M_CT_REPLY] = match_ct_direction,
	[POL_M_CT_ORIGINAL] = match_ct_direction,
	[POL_M_CT_DNAT] = match_ct_dnat,
	[POL_M_CT_MARK_SET] = match_ct_mark,
	[POL_M_LOOKUP] = nft_match_lookup,
	[POL_M_ICMPV6_TYPE] = match_number,
	[POL_M_ICMP_TYPE] = match_number,
	[POL_M_ICMP_CODE] = match_icmp_code,
	[POL_M_HOPLIMIT] = match_number,
	[POL_M_TCP_SYN] = match_tcp_syn,
	[POL_M_TCP_RST] = match_tcp_rst,
	[POL_M_IP4_PLAIN] = match_ip4_plain,
	[POL_M_IP4_NET] = match_number,
	[POL_M_DADDR_NET] = match_net,
	[POL_M_SADDR_NET] = match_net,
	[POL_M_DPORTS] = match_ports,
	[POL_M_SPORTS] = match_ports,
	[POL_M_IP6_EXTHDR] = match_ip6_exthdr,
	[POL_M_DADDR_LOCAL] = match_daddr_type,
	[POL_M_DADDR_UNICAST] = match_daddr_type,
	[POL_M_NO_ROUTE_BACK] = match_no_route_back,
	[POL_M_ETHERTYPE] = match_ethertype,
	[POL_M_FRAMETYPE] = match_number,
	[POL_M_ROUTED] = match_routed,
};

nft_maker
nft_match_maker(enum pol_stmt_kind kind)
{
	return makers[kind];
}
