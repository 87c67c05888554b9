/*
 * The time of an element that is there already begins anew only if it is
 * taken out and put in again, in one transaction (before Linux 6.12 an update
 * in place is ignored).  To take out what has just lapsed fails, and so does
 * all the rest with it: then we look again.
 */
#include "supervisor/gate/reach.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/gate/kern.h"
#include "supervisor/gate/nft_elem.h"
#include "supervisor/gate/nft_read.h"
#include "supervisor/gatemsg.h"
#include "supervisor/log.h"

#define MS_PER_S 1000u
/* Two messages out and two in, in one room each, and the brackets. */
#define PUT_BYTES (6 * NFT_MSG_ROOM)
/* Four flushes are far smaller than one room. */
#define END_BYTES (2 * NFT_MSG_ROOM)
/* Elements that lapse between look and commit, or somebody's commits. */
#define TRIES 8

_Static_assert(GATE_REACH_PAIRS <= 32, "a bit for each pair");

static const enum pol_set_id sets[GATE_NREACHER][2] = {
	[GATE_REACH_TOR] = { POL_S_REACH_TOR4, POL_S_REACH_TOR6 },
	[GATE_REACH_RESOLVER] = { POL_S_REACH_RESOLVER4,
	    POL_S_REACH_RESOLVER6 },
};

static bool
has_sets(const struct pol_policy *p, uint32_t who)
{
	return who == GATE_REACH_TOR ? pol_has_reach(p) : pol_has_lookup(p);
}

int
reach_init(struct kern *k)
{
	struct reach *r = &k->reach;
	void *end;

	if (!has_sets(k->policy, GATE_REACH_TOR) &&
	    !has_sets(k->policy, GATE_REACH_RESOLVER))
		return 0;
	r->buf = malloc(PUT_BYTES);
	end = malloc(END_BYTES);
	if (end != NULL)
		nft_batch_begin(&r->end, end, END_BYTES);
	if (r->buf == NULL || end == NULL)
		return -1;
	r->cap = PUT_BYTES;
	for (uint32_t who = 0; who < GATE_NREACHER; who++)
		for (size_t v6 = 0; v6 < 2; v6++)
			if (has_sets(k->policy, who))
				nft_elem_flush(&r->end,
				    pol_table_name(POL_T_GATE),
				    pol_set_name(sets[who][v6]));
	nft_batch_end(&r->end);
	return 0;
}

void
reach_clear(struct kern *k)
{
	free(k->reach.end.buf);
	free(k->reach.buf);
}

/* R's pairs as keys, and what a look at the kernel's sets tells of them. */
struct plan {
	const struct gate_reach *r;
	struct nft_key key[GATE_REACH_PAIRS];
	uint32_t repeated; /* bits: pairs that R has named before */
	uint32_t there;
	uint32_t held[2];  /* elements, IPv4 and IPv6 */
	uint8_t v6;	   /* the set that is being read */
};

static void
plan_init(struct plan *p, const struct gate_reach *r)
{
	struct pol_addr addr;

	memset(p, 0, sizeof *p);
	p->r = r;
	for (uint32_t i = 0; i < r->n; i++) {
		const struct gate_relay *pair = &r->pair[i];

		memset(&addr, 0, sizeof addr);
		addr.family = pair->v6 != 0 ? AF_INET6 : AF_INET;
		if (pair->v6 != 0)
			memcpy(&addr.v6, pair->addr, sizeof addr.v6);
		else
			memcpy(&addr.v4, pair->addr, sizeof addr.v4);
		nft_key_relay(&p->key[i], &addr, pair->port);
		for (uint32_t j = 0; j < i; j++)
			if (nft_key_equal(&p->key[i], &p->key[j]))
				p->repeated |= 1u << i;
	}
}

static void
on_pair(void *arg, const struct nft_key *key, const struct nft_key *data)
{
	struct plan *p = arg;

	(void)data;
	p->held[p->v6]++;
	for (uint32_t i = 0; i < p->r->n; i++)
		if (nft_key_equal(key, &p->key[i]))
			p->there |= 1u << i;
}

static int
look(struct kern *k, struct plan *p)
{
	int rc = -EINTR;

	for (int i = 0; i < TRIES && rc == -EINTR; i++) {
		p->there = 0;
		memset(p->held, 0, sizeof p->held);
		rc = 0;
		for (p->v6 = 0; p->v6 < 2 && rc == 0; p->v6++)
			rc = nft_read_keys(&k->reader,
			    sets[p->r->who][p->v6], on_pair, p);
	}
	return rc;
}

static bool
fits(const struct plan *p)
{
	uint32_t n[2] = { p->held[0], p->held[1] };

	for (uint32_t i = 0; i < p->r->n; i++)
		if (((p->there | p->repeated) >> i & 1) == 0)
			n[p->r->pair[i].v6]++;
	return n[0] <= GATE_REACH_SIZE && n[1] <= GATE_REACH_SIZE;
}

/* Add to B one run of changes: R's pairs of one family that are in BITS. */
static void
put_run(struct nft_batch *b, const struct plan *p, uint8_t v6, uint32_t bits,
    bool remove)
{
	struct nft_adder adder = { .batch = b,
		.table = pol_table_name(POL_T_GATE),
		.set = pol_set_name(sets[p->r->who][v6]),
		.timeout_ms = remove ? 0 : p->r->ttl_s * MS_PER_S,
		.excl = !remove, .remove = remove };

	for (uint32_t i = 0; i < p->r->n; i++)
		if ((bits >> i & 1) != 0 && p->r->pair[i].v6 == v6)
			nft_adder_add(&adder, &p->key[i]);
	nft_adder_end(&adder);
}

static int
commit(struct kern *k, const struct plan *p)
{
	struct nft_batch b;

	nft_batch_begin(&b, k->reach.buf, k->reach.cap);
	for (uint8_t v6 = 0; v6 < 2; v6++) {
		put_run(&b, p, v6, p->there & ~p->repeated, true);
		put_run(&b, p, v6, ~p->repeated, false);
	}
	nft_batch_end(&b);
	k->reach.dirty = true;
	return nft_commit(&k->owner, &b);
}

/* Lapsed since we looked, or there since a lost answer. */
static bool
is_overtaken(int rc)
{
	return rc == -ENOENT || rc == -EEXIST;
}

static int
put(struct kern *k, struct plan *p)
{
	const uint32_t all = (uint32_t)((UINT64_C(1) << p->r->n) - 1);
	int rc = -ENOENT;

	for (int i = 0; i < TRIES && is_overtaken(rc); i++) {
		rc = look(k, p);
		if (rc == 0 && !fits(p))
			rc = -ENOSPC;
		if (rc == 0)
			rc = commit(k, p);
	}
	if (rc == 0)
		rc = look(k, p);
	return rc == 0 && p->there != all ? -ESTALE : rc;
}

static int
empty(struct kern *k)
{
	struct reach *r = &k->reach;
	int rc;

	if (!r->stale)
		return 0;
	rc = nft_commit(&k->owner, &r->end);
	if (rc != 0) /* idempotent, and a lost answer is no answer */
		rc = nft_commit(&k->owner, &r->end);
	if (rc == 0)
		r->stale = r->dirty = false;
	return rc;
}

void
reach_put(struct kern *k, const struct gate_reach *r)
{
	struct plan p;
	int rc;

	if (r->who == GATE_REACH_TOR && !k->policy->tor.strict_egress) {
		k->reach.seq = r->seq; /* Tor reaches them as it is */
		return;
	}
	rc = has_sets(k->policy, r->who) ? empty(k) : -EOPNOTSUPP;
	if (rc == 0) {
		plan_init(&p, r);
		rc = put(k, &p);
	}
	if (rc == 0)
		k->reach.seq = r->seq;
	else
		log_warn("%u addresses number %u are not in force: %s",
		    (unsigned)r->n, (unsigned)r->seq, log_errno(-rc));
}

void
reach_abandon(struct kern *k)
{
	k->reach.seq = 0;
	k->reach.stale = k->reach.dirty;
	reach_check(k);
}

void
reach_check(struct kern *k)
{
	int rc = empty(k);

	if (rc != 0)
		log_warn("cannot end what an earlier engine let be reached: "
		    "%s", log_errno(-rc));
}
