/*
 * Set elements, written without libnftnl, which would allocate: this is all
 * that the gate writes after it has locked itself down.
 */
#ifndef GATE_NFT_ELEM_H
#define GATE_NFT_ELEM_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/rules.h"
#include "supervisor/gate/nft_batch.h"

/*
 * daddr . l4proto . dport, or without the address or the protocol, each
 * padded to four octets; or one nfproto or l4proto; or a map's datum: one
 * address.
 */
#define NFT_KEY_MAX 24

struct nft_key {
	uint8_t len;
	uint8_t oct[NFT_KEY_MAX];
};

void nft_key_elem(struct nft_key *k, const struct pol_elem *e);
void nft_key_relay(struct nft_key *k, const struct pol_addr *a,
    uint16_t port);
void nft_key_family(struct nft_key *k, int family); /* AF_INET, AF_INET6 */
void nft_key_l4proto(struct nft_key *k, uint8_t l4proto);
void nft_key_addr(struct nft_key *k, const struct pol_addr *a);
bool nft_key_equal(const struct nft_key *a, const struct nft_key *b);
/* As memcmp(3). */
int nft_key_cmp(const struct nft_key *a, const struct nft_key *b);

/* A run of changes to one set; as many messages as it takes. */
struct nft_adder {
	struct nft_batch *batch; /* borrowed */
	const char *table, *set; /* borrowed */
	uint32_t timeout_ms; /* of each element; 0: the set has no timeouts */
	bool excl;	     /* one that is there already fails the batch */
	bool remove; /* do not add: one that is not there fails the batch */
	struct nlmsghdr *h;  /* these two are the adder's own: NULL */
	struct nlattr *list;
};

void nft_adder_add(struct nft_adder *a, const struct nft_key *k);
/* To a map. */
void nft_adder_map(struct nft_adder *a, const struct nft_key *k,
    const struct nft_key *data);
void nft_adder_end(struct nft_adder *a);

/* Everything out of SET: succeeds on an empty set, costs one message. */
void nft_elem_flush(struct nft_batch *b, const char *table, const char *set);

#endif
