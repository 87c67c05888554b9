#include "supervisor/gate/nft_elem.h"

#include <arpa/inet.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>
#include <string.h>

/* Per message: below NFT_MSG_ROOM with one element more. */
#define ADD_BYTES (NFT_MSG_ROOM - 1024u)

void
nft_key_elem(struct nft_key *k, const struct pol_elem *e)
{
	const uint16_t port = htons(e->port);
	uint8_t n;

	nft_key_addr(k, &e->addr);
	n = k->len;
	k->oct[n] = e->l4proto;
	memcpy(k->oct + n + 4, &port, sizeof port);
	k->len = (uint8_t)(n + 8);
}

void
nft_key_relay(struct nft_key *k, const struct pol_addr *a, uint16_t port)
{
	const uint16_t be = htons(port);

	nft_key_addr(k, a);
	memcpy(k->oct + k->len, &be, sizeof be);
	k->len = (uint8_t)(k->len + 4);
}

void
nft_key_family(struct nft_key *k, int family)
{
	memset(k, 0, sizeof *k);
	k->oct[0] = family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4;
	k->len = 1;
}

void
nft_key_l4proto(struct nft_key *k, uint8_t l4proto)
{
	memset(k, 0, sizeof *k);
	k->oct[0] = l4proto;
	k->len = 1;
}

void
nft_key_addr(struct nft_key *k, const struct pol_addr *a)
{
	memset(k, 0, sizeof *k);
	if (a->family == AF_INET6) {
		memcpy(k->oct, &a->v6, sizeof a->v6);
		k->len = sizeof a->v6;
	} else if (a->family == AF_INET) {
		memcpy(k->oct, &a->v4, sizeof a->v4);
		k->len = sizeof a->v4;
	}
}

int
nft_key_cmp(const struct nft_key *a, const struct nft_key *b)
{
	return memcmp(a, b, sizeof *a); /* octets only: no padding in it */
}

bool
nft_key_equal(const struct nft_key *a, const struct nft_key *b)
{
	return nft_key_cmp(a, b) == 0;
}

static void
adder_open(struct nft_adder *a)
{
	const int flags = a->remove ? 0 :
	    NLM_F_CREATE | (a->excl ? NLM_F_EXCL : 0);

	a->h = nft_batch_msg(a->batch, a->remove ? NFT_MSG_DELSETELEM :
	    NFT_MSG_NEWSETELEM, NFPROTO_INET, (uint16_t)flags);
	mnl_attr_put_strz(a->h, NFTA_SET_ELEM_LIST_TABLE, a->table);
	mnl_attr_put_strz(a->h, NFTA_SET_ELEM_LIST_SET, a->set);
	a->list = mnl_attr_nest_start(a->h, NFTA_SET_ELEM_LIST_ELEMENTS);
}

static void
put_value(struct nlmsghdr *h, uint16_t type, const struct nft_key *k)
{
	struct nlattr *nest = mnl_attr_nest_start(h, type);

	mnl_attr_put(h, NFTA_DATA_VALUE, k->len, k->oct);
	mnl_attr_nest_end(h, nest);
}

void
nft_adder_add(struct nft_adder *a, const struct nft_key *k)
{
	nft_adder_map(a, k, NULL);
}

void
nft_adder_map(struct nft_adder *a, const struct nft_key *k,
    const struct nft_key *data)
{
	struct nlattr *elem;

	if (a->h != NULL && a->h->nlmsg_len > ADD_BYTES)
		nft_adder_end(a);
	if (a->h == NULL)
		adder_open(a);
	elem = mnl_attr_nest_start(a->h, NFTA_LIST_ELEM);
	put_value(a->h, NFTA_SET_ELEM_KEY, k);
	if (data != NULL)
		put_value(a->h, NFTA_SET_ELEM_DATA, data);
	if (a->timeout_ms != 0)
		mnl_attr_put_u64(a->h, NFTA_SET_ELEM_TIMEOUT,
		    htobe64(a->timeout_ms));
	mnl_attr_nest_end(a->h, elem);
}

void
nft_adder_end(struct nft_adder *a)
{
	if (a->h == NULL)
		return;
	mnl_attr_nest_end(a->h, a->list);
	nft_batch_push(a->batch, a->h);
	a->h = NULL;
}

void
nft_elem_flush(struct nft_batch *b, const char *table, const char *set)
{
	struct nlmsghdr *h;

	h = nft_batch_msg(b, NFT_MSG_DELSETELEM, NFPROTO_INET, 0);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_TABLE, table);
	mnl_attr_put_strz(h, NFTA_SET_ELEM_LIST_SET, set);
	nft_batch_push(b, h);
}
