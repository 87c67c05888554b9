/*
 * Only the owner can change these sets and rules, and the gate table ends
 * with the owner: whatever instruction a signal strikes, there is never half
 * a list in force, only the old one, the new one, or no gate table at all.
 *
 * The spare sets are not flushed but made anew, which costs the same however
 * much they held.  How many elements a set holds newer kernels say at once.
 * From others all elements are read to count them, which costs the kernel
 * more with each datagram, so that it is done one datagram at a time, between
 * other work.
 */
#include "supervisor/gate/relays.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/gate/kern.h"
#include "supervisor/gate/nft_compile.h"
#include "supervisor/gate/nft_elem.h"
#include "supervisor/gatemsg.h"
#include "supervisor/log.h"

/* An element with its attributes: a key of 20 octets in three headers. */
#define RELAY_BYTES 40u
/* Two rules, a flush, and two sets deleted and created: far below one room. */
#define SWAP_BYTES (3 * NFT_MSG_ROOM)
/* A page fills at most three messages of each family. */
#define PAGE_BYTES (GATE_RELAYS_PAGE * RELAY_BYTES + 8 * NFT_MSG_ROOM)
/* Somebody who commits all the time is no reason to wait for ever. */
#define TORN_MOST 16

static const enum pol_set_id pairs[2][2] = {
	{ POL_S_RELAYS4_A, POL_S_RELAYS6_A },
	{ POL_S_RELAYS4_B, POL_S_RELAYS6_B },
};

static size_t
spare(const struct relays *r)
{
	return r->second ? 0 : 1;
}

static int
find_chain(size_t *out, const struct pol_table *t)
{
	for (size_t i = 0; i < t->nchains; i++)
		if (strcmp(t->chains[i].name, POL_RELAYS_CHAIN) == 0) {
			*out = i;
			return 0;
		}
	return -1;
}

static int
put_empty(struct nft_batch *b, const struct pol_table *t, size_t pair)
{
	for (size_t i = 0; i < 2; i++)
		if (nft_compile_empty(b, t, pairs[pair][i]) == -1)
			return -1;
	return 0;
}

/* The other pair is free once the rules have turned to this one. */
static int
build_swap(struct nft_batch *b, const struct pol_table *t, size_t pair)
{
	struct pol_rule rules[POL_NRELAYS_RULES];
	void *buf = malloc(SWAP_BYTES);
	size_t chain;

	if (buf == NULL)
		return -1;
	nft_batch_begin(b, buf, SWAP_BYTES);
	if (find_chain(&chain, t) == -1)
		return -1;
	pol_relays_rules(rules, chain, pair == 1);
	if (nft_compile_chain(b, t, rules, POL_NRELAYS_RULES) == -1 ||
	    put_empty(b, t, 1 - pair) == -1)
		return -1;
	nft_batch_end(b);
	return b->ended ? 0 : -1;
}

static int
build_empty(struct nft_batch *b, const struct pol_table *t, size_t pair)
{
	void *buf = malloc(SWAP_BYTES);

	if (buf == NULL)
		return -1;
	nft_batch_begin(b, buf, SWAP_BYTES);
	if (put_empty(b, t, pair) == -1)
		return -1;
	nft_batch_end(b);
	return b->ended ? 0 : -1;
}

int
relays_init(struct kern *k, const struct pol_table *t)
{
	struct relays *r = &k->relays;

	if (!k->policy->tor.strict_egress)
		return 0;
	r->page_cap = PAGE_BYTES;
	r->page = malloc(r->page_cap);
	if (r->page == NULL)
		return -1;
	for (size_t i = 0; i < 2; i++)
		if (build_swap(&r->swap[i], t, i) == -1 ||
		    build_empty(&r->empty[i], t, i) == -1)
			return -1;
	return 0;
}

void
relays_clear(struct kern *k)
{
	struct relays *r = &k->relays;

	nft_sock_close(&r->sock);
	for (size_t i = 0; i < 2; i++) {
		free(r->swap[i].buf);
		free(r->empty[i].buf);
	}
	free(r->page);
}

/* The spare sets hold nothing; as long as that fails they are dirty. */
static int
empty_spare(struct kern *k)
{
	struct relays *r = &k->relays;
	struct nft_batch *b = &r->empty[spare(r)];
	int rc;

	if (!r->dirty)
		return 0;
	k->unsealed = true;
	rc = nft_commit(&k->owner, b);
	if (rc != 0) /* a lost answer is no answer, and it may be repeated */
		rc = nft_commit(&k->owner, b);
	r->dirty = rc != 0;
	(void)!kern_reseal(k); /* if not now, the next check does it */
	return rc;
}

/* What is in force does not change, whatever happens here. */
static void
fail(struct kern *k, int rc)
{
	struct relays *r = &k->relays;

	log_warn("the list of relays number %u is not in force: %s; number "
	    "%u stays", (unsigned)r->coming, log_errno(-rc),
	    (unsigned)r->generation);
	r->phase = RELAYS_IDLE;
	rc = empty_spare(k);
	if (rc != 0)
		log_warn("cannot empty the spare sets of relays: %s",
		    log_errno(-rc));
}

static void
begin(struct kern *k, const struct gate_relays *page)
{
	struct relays *r = &k->relays;
	int rc;

	r->coming = page->generation;
	r->total = page->total;
	r->got4 = r->got6 = 0;
	rc = empty_spare(k);
	if (rc == 0)
		r->phase = RELAYS_FILLING;
	else
		fail(k, rc);
}

static void
put_family(const struct kern *k, struct nft_batch *b,
    const struct gate_relays *page, uint8_t v6)
{
	struct nft_adder adder = { .batch = b,
		.table = pol_table_name(POL_T_GATE),
		.set = pol_set_name(pairs[spare(&k->relays)][v6]) };
	struct pol_addr addr;
	struct nft_key key;

	memset(&addr, 0, sizeof addr);
	addr.family = v6 != 0 ? AF_INET6 : AF_INET;
	for (uint32_t i = 0; i < page->n; i++) {
		const struct gate_relay *p = &page->pair[i];

		if (p->v6 != v6)
			continue;
		if (v6 != 0)
			memcpy(&addr.v6, p->addr, sizeof addr.v6);
		else
			memcpy(&addr.v4, p->addr, sizeof addr.v4);
		nft_key_relay(&key, &addr, p->port);
		nft_adder_add(&adder, &key);
	}
	nft_adder_end(&adder);
}

static int
fill(struct kern *k, const struct gate_relays *page)
{
	struct relays *r = &k->relays;
	struct nft_batch b;

	if (page->n == 0)
		return 0;
	nft_batch_begin(&b, r->page, r->page_cap);
	put_family(k, &b, page, 0);
	put_family(k, &b, page, 1);
	nft_batch_end(&b);
	r->dirty = true;
	return kern_commit_unheard(k, &b);
}

void
relays_page(struct kern *k, const struct gate_relays *page)
{
	struct relays *r = &k->relays;
	int rc;

	if (page->first == 0 && r->phase != RELAYS_UNSURE)
		begin(k, page);
	if (r->phase != RELAYS_FILLING)
		return; /* the rest of a list that has failed */
	rc = fill(k, page);
	if (rc != 0) {
		fail(k, rc);
		return;
	}
	for (uint32_t i = 0; i < page->n; i++) {
		r->got4 += page->pair[i].v6 == 0;
		r->got6 += page->pair[i].v6;
	}
	if (r->got4 + r->got6 < r->total)
		return;
	r->nth = r->torn = 0;
	r->phase = RELAYS_FULL;
}

void
relays_abandon(struct kern *k)
{
	struct relays *r = &k->relays;

	if (r->phase != RELAYS_IDLE && r->phase != RELAYS_UNSURE)
		fail(k, -EPIPE);
}

bool
relays_busy(const struct kern *k)
{
	return k->relays.phase == RELAYS_FULL ||
	    k->relays.phase == RELAYS_DRAINING ||
	    k->relays.phase == RELAYS_COUNTING;
}

/*
 * Did the exchange take place?  The kernel's handles tell, which are never
 * used twice; it was the whole of it or nothing.
 */
static bool
settle(struct kern *k)
{
	struct relays *r = &k->relays;

	if (k->unsealed && kern_reseal(k) != KERN_AS_MADE)
		return false; /* again later; kern_verify() has the patience */
	if (k->seals[POL_T_GATE].print.moving == r->before) {
		fail(k, r->error != 0 ? r->error : -ESTALE);
		return true;
	}
	r->phase = RELAYS_IDLE;
	r->second = !r->second;
	r->dirty = false;
	r->generation = r->coming;
	r->n4 = r->counted[0];
	r->n6 = r->counted[1];
	log_info("relays=%u ipv4=%u ipv6=%u: Tor reaches these, no others",
	    (unsigned)r->generation, (unsigned)r->n4, (unsigned)r->n6);
	return true;
}

/*
 * The sets cannot hold what was not sent.  Less than was sent means that
 * something was sent twice; none at all is no list.
 */
static int
check_counts(const struct relays *r)
{
	const uint32_t got = r->got4 + r->got6;
	const uint32_t held = r->counted[0] + r->counted[1];

	if (r->counted[0] > r->got4 || r->counted[1] > r->got6 ||
	    (held == 0 && got != 0))
		return -ESTALE;
	if (held != got)
		log_warn("the list of relays number %u names %u pairs twice",
		    (unsigned)r->coming, (unsigned)(got - held));
	return 0;
}

static bool
exchange(struct kern *k)
{
	struct relays *r = &k->relays;
	int rc = check_counts(r);

	if (rc == 0 && k->unsealed && kern_reseal(k) != KERN_AS_MADE)
		rc = -EIO; /* or nobody could tell what changed */
	if (rc != 0) {
		fail(k, rc);
		return true;
	}
	r->before = k->seals[POL_T_GATE].print.moving;
	k->unsealed = true;
	r->error = nft_commit(&k->owner, &r->swap[spare(r)]);
	r->phase = RELAYS_UNSURE;
	return settle(k);
}

/* What all sets of the pair hold; false: the kernel does not say that. */
static bool
ask_counts(struct kern *k, int *rc)
{
	struct relays *r = &k->relays;

	*rc = 0;
	for (size_t i = 0; i < 2 && *rc == 0; i++)
		*rc = nft_read_count(&k->reader, &r->counted[i],
		    pairs[spare(r)][i]);
	return *rc != -EOPNOTSUPP;
}

/* The kernel takes no second question before the end of its answer. */
static bool
drain(struct kern *k)
{
	struct relays *r = &k->relays;
	int rc;

	if (nft_skip(&r->sock))
		return false;
	rc = nft_count_ask(&r->sock, &r->count, pairs[spare(r)][r->nth]);
	r->phase = RELAYS_COUNTING;
	if (rc != 0)
		fail(k, rc);
	return rc != 0;
}

static bool
full(struct kern *k)
{
	struct relays *r = &k->relays;
	int rc;

	if (r->walks || !ask_counts(k, &rc)) {
		r->walks = true;
		r->phase = RELAYS_DRAINING;
		return false;
	}
	if (rc == 0)
		return exchange(k);
	fail(k, rc);
	return true;
}

static bool
count(struct kern *k)
{
	struct relays *r = &k->relays;
	int rc = nft_count_step(&r->sock, &r->count);

	if (rc == 1)
		return false;
	if (rc == -EINTR && ++r->torn < TORN_MOST) {
		r->phase = RELAYS_DRAINING;
		return false;
	}
	if (rc != 0) {
		fail(k, rc);
		return true;
	}
	r->counted[r->nth] = r->count.n;
	if (++r->nth == 2)
		return exchange(k);
	r->phase = RELAYS_DRAINING;
	return false;
}

bool
relays_step(struct kern *k)
{
	switch (k->relays.phase) {
	case RELAYS_IDLE:
	case RELAYS_FILLING:
		break;
	case RELAYS_FULL:
		return full(k);
	case RELAYS_DRAINING:
		return drain(k);
	case RELAYS_COUNTING:
		return count(k);
	case RELAYS_UNSURE:
		return settle(k);
	}
	return false;
}
