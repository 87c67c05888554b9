#include "supervisor/gate/nft_compile.h"

#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/common.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netlink.h>

#include "supervisor/gate/nft_elem.h"
#include "supervisor/gate/nft_expr.h"

/* nft(8)'s data types, which it keeps in the set for its listing. */
#define TYPE_NFPROTO 2u
#define TYPE_IPADDR 7u
#define TYPE_IP6ADDR 8u
#define TYPE_INET_PROTOCOL 12u
#define TYPE_INET_SERVICE 13u
#define TYPE_PAIR(a, b) ((a) << 6 | (b))
#define TYPE_CONCAT(a, b, c) ((a) << 12 | TYPE_PAIR((b), (c)))

/* More than an element, or a message without its contents, ever takes. */
#define ELEM_BOUND 64u
#define MSG_BOUND 256u
/* A network of IPv6 with an odd prefix; as libnftnl writes it. */
#define STMT_BOUND 400u

static const struct {
	uint32_t type, len;
} key_types[] = {
	[POL_K_NFPROTO] = { TYPE_NFPROTO, 1 },
	[POL_K_DST4] = { TYPE_CONCAT(TYPE_IPADDR, TYPE_INET_PROTOCOL,
	    TYPE_INET_SERVICE), 12 },
	[POL_K_DST6] = { TYPE_CONCAT(TYPE_IP6ADDR, TYPE_INET_PROTOCOL,
	    TYPE_INET_SERVICE), 24 },
	[POL_K_SRC4] = { TYPE_CONCAT(TYPE_IPADDR, TYPE_INET_PROTOCOL,
	    TYPE_INET_SERVICE), 12 },
	[POL_K_SRC6] = { TYPE_CONCAT(TYPE_IP6ADDR, TYPE_INET_PROTOCOL,
	    TYPE_INET_SERVICE), 24 },
	[POL_K_DPORT] = { TYPE_PAIR(TYPE_INET_PROTOCOL, TYPE_INET_SERVICE),
	    8 },
	[POL_K_SPORT] = { TYPE_PAIR(TYPE_INET_PROTOCOL, TYPE_INET_SERVICE),
	    8 },
	[POL_K_L4PROTO] = { TYPE_INET_PROTOCOL, 1 },
	[POL_K_RELAY4] = { TYPE_PAIR(TYPE_IPADDR, TYPE_INET_SERVICE), 8 },
	[POL_K_RELAY6] = { TYPE_PAIR(TYPE_IP6ADDR, TYPE_INET_SERVICE), 20 },
}, data_types[] = {
	[POL_D_NONE] = { 0, 0 },
	[POL_D_ADDR4] = { TYPE_IPADDR, 4 },
	[POL_D_ADDR6] = { TYPE_IP6ADDR, 16 },
};

static const uint32_t hook_numbers[] = {
	[POL_H_PREROUTING] = NF_INET_PRE_ROUTING,
	[POL_H_INPUT] = NF_INET_LOCAL_IN,
	[POL_H_FORWARD] = NF_INET_FORWARD,
	[POL_H_OUTPUT] = NF_INET_LOCAL_OUT,
	[POL_H_NETDEV_EGRESS] = NF_NETDEV_EGRESS,
};

uint8_t
nft_table_family(enum pol_table_id id)
{
	return id == POL_T_NETDEV ? NFPROTO_NETDEV : NFPROTO_INET;
}

size_t
nft_compile_bound(const struct pol_table *t)
{
	size_t n = 4 * MSG_BOUND;

	for (size_t i = 0; i < t->nsets; i++)
		n += MSG_BOUND + t->sets[i].nelems * ELEM_BOUND;
	for (size_t i = 0; i < t->nrules; i++)
		n += MSG_BOUND + t->rules[i].n * STMT_BOUND;
	return n + t->nchains * MSG_BOUND;
}

static void
put_table(struct nft_batch *b, enum pol_table_id id, uint32_t flags,
    bool excl)
{
	struct nlmsghdr *h;

	h = nft_batch_msg(b, NFT_MSG_NEWTABLE, nft_table_family(id),
	    (uint16_t)(NLM_F_CREATE | (excl ? NLM_F_EXCL : 0)));
	mnl_attr_put_strz(h, NFTA_TABLE_NAME, pol_table_name(id));
	mnl_attr_put_u32(h, NFTA_TABLE_FLAGS, htonl(flags));
	nft_batch_push(b, h);
}

void
nft_compile_delete(struct nft_batch *b, enum pol_table_id id)
{
	struct nlmsghdr *h;

	h = nft_batch_msg(b, NFT_MSG_DELTABLE, nft_table_family(id), 0);
	mnl_attr_put_strz(h, NFTA_TABLE_NAME, pol_table_name(id));
	nft_batch_push(b, h);
}

static int
put_chain(struct nft_batch *b, enum pol_table_id id,
    const struct pol_chain *c)
{
	struct nftnl_chain *nc = nftnl_chain_alloc();
	struct nlmsghdr *h;
	int rc = -1;

	if (nc == NULL)
		return -1;
	if (nftnl_chain_set_str(nc, NFTNL_CHAIN_TABLE,
	    pol_table_name(id)) != 0 ||
	    nftnl_chain_set_str(nc, NFTNL_CHAIN_NAME, c->name) != 0)
		goto out;
	if (c->hook != POL_H_NONE) {
		if (nftnl_chain_set_str(nc, NFTNL_CHAIN_TYPE,
		    c->nat ? "nat" : "filter") != 0)
			goto out;
		nftnl_chain_set_u32(nc, NFTNL_CHAIN_HOOKNUM,
		    hook_numbers[c->hook]);
		nftnl_chain_set_s32(nc, NFTNL_CHAIN_PRIO, c->priority);
		nftnl_chain_set_u32(nc, NFTNL_CHAIN_POLICY,
		    c->policy_drop ? NF_DROP : NF_ACCEPT);
	}
	if (c->hook == POL_H_NETDEV_EGRESS &&
	    nftnl_chain_set_str(nc, NFTNL_CHAIN_DEV, c->device) != 0)
		goto out;
	h = nft_batch_msg(b, NFT_MSG_NEWCHAIN, nft_table_family(id),
	    NLM_F_CREATE | NLM_F_EXCL);
	nftnl_chain_nlmsg_build_payload(h, nc);
	nft_batch_push(b, h);
	rc = 0;
out:
	nftnl_chain_free(nc);
	return rc;
}

static uint32_t
set_flags(const struct pol_set *s)
{
	if (s->constant)
		return NFT_SET_CONSTANT;
	if (s->data != POL_D_NONE)
		return NFT_SET_MAP;
	if (s->expires)
		return NFT_SET_TIMEOUT;
	return s->timeout_ms != 0 ? NFT_SET_EVAL | NFT_SET_TIMEOUT : 0;
}

static int
put_set(struct nft_batch *b, enum pol_table_id id, const struct pol_set *s)
{
	struct nftnl_set *ns = nftnl_set_alloc();
	struct nlmsghdr *h;
	int rc = -1;

	if (ns == NULL)
		return -1;
	if (nftnl_set_set_str(ns, NFTNL_SET_TABLE, pol_table_name(id)) != 0 ||
	    nftnl_set_set_str(ns, NFTNL_SET_NAME, pol_set_name(s->id)) != 0)
		goto out;
	nftnl_set_set_u32(ns, NFTNL_SET_ID, nft_set_number(id, s->id));
	nftnl_set_set_u32(ns, NFTNL_SET_FLAGS, set_flags(s));
	nftnl_set_set_u32(ns, NFTNL_SET_KEY_TYPE, key_types[s->key].type);
	nftnl_set_set_u32(ns, NFTNL_SET_KEY_LEN, key_types[s->key].len);
	if (s->data != POL_D_NONE) {
		nftnl_set_set_u32(ns, NFTNL_SET_DATA_TYPE,
		    data_types[s->data].type);
		nftnl_set_set_u32(ns, NFTNL_SET_DATA_LEN,
		    data_types[s->data].len);
	}
	if (s->timeout_ms != 0)
		nftnl_set_set_u64(ns, NFTNL_SET_TIMEOUT, s->timeout_ms);
	if (s->size != 0)
		nftnl_set_set_u32(ns, NFTNL_SET_DESC_SIZE, s->size);
	h = nft_batch_msg(b, NFT_MSG_NEWSET, nft_table_family(id),
	    NLM_F_CREATE | NLM_F_EXCL);
	nftnl_set_nlmsg_build_payload(h, ns);
	nft_batch_push(b, h);
	rc = 0;
out:
	nftnl_set_free(ns);
	return rc;
}

static void
put_elems(struct nft_batch *b, enum pol_table_id id, const struct pol_set *s)
{
	struct nft_adder adder = { .batch = b, .table = pol_table_name(id),
		.set = pol_set_name(s->id) };
	struct nft_key key;

	for (size_t i = 0; i < s->nelems; i++) {
		nft_key_elem(&key, &s->elems[i]);
		nft_adder_add(&adder, &key);
	}
	nft_adder_end(&adder);
}

static int
put_rule(struct nft_batch *b, const struct pol_table *t,
    const struct pol_rule *r)
{
	struct nftnl_rule *nr = nftnl_rule_alloc();
	struct nlmsghdr *h;
	int rc = -1;

	if (nr == NULL)
		return -1;
	if (r->chain >= t->nchains ||
	    nftnl_rule_set_str(nr, NFTNL_RULE_TABLE,
	    pol_table_name(t->id)) != 0 ||
	    nftnl_rule_set_str(nr, NFTNL_RULE_CHAIN,
	    t->chains[r->chain].name) != 0 ||
	    nft_expr_rule(nr, t, r) == -1)
		goto out;
	h = nft_batch_msg(b, NFT_MSG_NEWRULE, nft_table_family(t->id),
	    NLM_F_CREATE | NLM_F_APPEND);
	nftnl_rule_nlmsg_build_payload(h, nr);
	nft_batch_push(b, h);
	rc = 0;
out:
	nftnl_rule_free(nr);
	return rc;
}

int
nft_compile_create(struct nft_batch *b, const struct pol_table *t,
    uint32_t flags)
{
	put_table(b, t->id, flags, true);
	/* Chains first: jumps name them; the kernel ends them in this order. */
	for (size_t i = 0; i < t->nchains; i++)
		if (put_chain(b, t->id, &t->chains[i]) == -1)
			return -1;
	for (size_t i = 0; i < t->nsets; i++) {
		if (put_set(b, t->id, &t->sets[i]) == -1)
			return -1;
		put_elems(b, t->id, &t->sets[i]);
	}
	for (size_t i = 0; i < t->nrules; i++)
		if (put_rule(b, t, &t->rules[i]) == -1)
			return -1;
	return b->full ? -1 : 0;
}

int
nft_compile_replace(struct nft_batch *b, const struct pol_table *t,
    uint32_t flags)
{
	put_table(b, t->id, flags, false);
	nft_compile_delete(b, t->id);
	return nft_compile_create(b, t, flags);
}

void
nft_compile_adopt(struct nft_batch *b, enum pol_table_id id, uint32_t flags)
{
	put_table(b, id, flags, false);
}

void
nft_compile_afresh(struct nft_batch *b, enum pol_table_id id, uint32_t flags)
{
	put_table(b, id, flags, false);
	nft_compile_delete(b, id);
	put_table(b, id, flags, true);
}

int
nft_compile_part(struct nft_batch *b, const struct pol_table *t, size_t chain)
{
	if (put_chain(b, t->id, &t->chains[chain]) == -1)
		return -1;
	for (size_t i = 0; i < t->nrules; i++)
		if (t->rules[i].chain == chain &&
		    put_rule(b, t, &t->rules[i]) == -1)
			return -1;
	return b->full ? -1 : 0;
}

void
nft_compile_by_name(struct nft_batch *b, enum pol_table_id id)
{
	/* No interface's name has a slash. */
	const struct pol_chain none = { .name = "none",
		.hook = POL_H_NETDEV_EGRESS, .device = "no/interface" };
	struct nlmsghdr *h;

	if (put_chain(b, id, &none) == -1) {
		b->full = true; /* out of memory: it is not to be sent */
		return;
	}
	h = nft_batch_msg(b, NFT_MSG_DELCHAIN, nft_table_family(id), 0);
	mnl_attr_put_strz(h, NFTA_CHAIN_TABLE, pol_table_name(id));
	mnl_attr_put_strz(h, NFTA_CHAIN_NAME, none.name);
	nft_batch_push(b, h);
}

int
nft_compile_chain(struct nft_batch *b, const struct pol_table *t,
    const struct pol_rule *rules, size_t n)
{
	struct nlmsghdr *h;

	if (rules[0].chain >= t->nchains)
		return -1;
	h = nft_batch_msg(b, NFT_MSG_DELRULE, nft_table_family(t->id), 0);
	mnl_attr_put_strz(h, NFTA_RULE_TABLE, pol_table_name(t->id));
	mnl_attr_put_strz(h, NFTA_RULE_CHAIN,
	    t->chains[rules[0].chain].name);
	nft_batch_push(b, h);
	for (size_t i = 0; i < n; i++)
		if (put_rule(b, t, &rules[i]) == -1)
			return -1;
	return b->full ? -1 : 0;
}

int
nft_compile_empty(struct nft_batch *b, const struct pol_table *t,
    enum pol_set_id id)
{
	struct nlmsghdr *h;

	h = nft_batch_msg(b, NFT_MSG_DELSET, nft_table_family(t->id), 0);
	mnl_attr_put_strz(h, NFTA_SET_TABLE, pol_table_name(t->id));
	mnl_attr_put_strz(h, NFTA_SET_NAME, pol_set_name(id));
	nft_batch_push(b, h);
	for (size_t i = 0; i < t->nsets; i++)
		if (t->sets[i].id == id)
			return put_set(b, t->id, &t->sets[i]);
	return -1; /* a table without it */
}
