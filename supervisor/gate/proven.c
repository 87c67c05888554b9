/*
 * The proven sets: what opens a listener.  Which elements they hold follows
 * from a map of proven listeners and from where the interfaces' addresses
 * are; a Unix socket has none, so its bit changes nothing here.
 *
 * Nobody but we, the owner, can change the sets, so a change is made of the
 * differences only.  One that removes what is not there would abort its
 * transaction: then, as after everything that fails, we no longer claim to
 * know, and the next one begins with a flush.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/gate/kern.h"
#include "supervisor/gatemsg.h"

/* A proven element with its attributes, rounded up. */
#define PROVEN_BYTES 64u
/* Flushes, leases and the batch's brackets. */
#define OTHER_MESSAGES 8

static const struct side {
	int family;
	enum pol_set_id proven, target;
} sides[KERN_NSIDES] = {
	{ AF_INET, POL_S_PROVEN4, POL_S_TARGET4 },
	{ AF_INET6, POL_S_PROVEN6, POL_S_TARGET6 },
};

/* What the sets hold, or are to hold. */
struct view {
	const uint8_t *map;
	const struct pol_addr *ifaddr;
};

static const char *
gate_table(void)
{
	return pol_table_name(POL_T_GATE);
}

/* Listener I's element in V; false: it has none there. */
static bool
view_elem(struct pol_elem *out, const struct kern *k, const struct view *v,
    unsigned i)
{
	const struct pol_listener *l = &k->policy->listeners[i];

	return gate_map_get(v->map, i) &&
	    pol_listener_elem(out, l, v->ifaddr) &&
	    out->addr.family == l->addr.family;
}

/* One transaction's difference. */
struct change {
	const struct kern *k;
	struct nft_batch *batch;
	struct view from, to;
	bool same_ifaddr;
};

static bool
same_ifaddrs(const struct pol_addr *a, const struct pol_addr *b)
{
	for (size_t i = 0; i < POL_MAX_IFADDRS; i++)
		if (!pol_addr_equal(&a[i], &b[i]))
			return false;
	return true;
}

/*
 * Listener I has an element that is to be removed, or added if not REMOVE;
 * one that stays is neither.
 */
static bool
changes(struct pol_elem *out, const struct change *c, unsigned i, bool remove)
{
	const struct view *has = remove ? &c->from : &c->to;
	const struct view *lacks = remove ? &c->to : &c->from;
	struct pol_elem other;

	if (c->same_ifaddr && c->from.map[i / 8] == c->to.map[i / 8])
		return false; /* the quick answer for most */
	if (!view_elem(out, c->k, has, i))
		return false;
	return !view_elem(&other, c->k, lacks, i) ||
	    !pol_addr_equal(&out->addr, &other.addr);
}

static struct nft_adder
adder_for(const struct change *c, enum pol_set_id set, bool remove)
{
	return (struct nft_adder){ .batch = c->batch, .table = gate_table(),
		.set = pol_set_name(set), .remove = remove };
}

static void
put_proven(const struct change *c, const struct side *s, bool remove)
{
	struct nft_adder adder = adder_for(c, s->proven, remove);
	struct pol_elem elem;
	struct nft_key key;

	for (unsigned i = 0; i < c->k->policy->nlisteners; i++) {
		if (c->k->policy->listeners[i].addr.family != s->family ||
		    !changes(&elem, c, i, remove))
			continue;
		nft_key_elem(&key, &elem);
		nft_adder_add(&adder, &key);
	}
	nft_adder_end(&adder);
}

static void
put_target(const struct change *c, const struct side *s, bool remove)
{
	const int *targets = c->k->targets[s - sides];
	struct nft_adder adder = adder_for(c, s->target, remove);
	struct nft_key key, addr;
	struct pol_elem elem;

	for (size_t t = 0; t < KERN_NTARGETS; t++) {
		if (targets[t] == -1 ||
		    !changes(&elem, c, (unsigned)targets[t], remove))
			continue;
		nft_key_l4proto(&key, elem.l4proto);
		nft_key_addr(&addr, &elem.addr);
		nft_adder_map(&adder, &key, remove ? NULL : &addr);
	}
	nft_adder_end(&adder);
}

static bool
has_target(const struct kern *k, size_t side)
{
	for (size_t t = 0; t < KERN_NTARGETS; t++)
		if (k->targets[side][t] != -1)
			return true;
	return false;
}

void
proven_flush(const struct kern *k, struct nft_batch *b)
{
	for (size_t s = 0; s < KERN_NSIDES; s++) {
		nft_elem_flush(b, gate_table(),
		    pol_set_name(sides[s].proven));
		if (has_target(k, s))
			nft_elem_flush(b, gate_table(),
			    pol_set_name(sides[s].target));
	}
}

/* Removals first: an element may go from one listener to another. */
static void
put_change(const struct kern *k, struct nft_batch *b, const struct view *to)
{
	static const uint8_t nothing[POL_MAX_LISTENERS / 8];
	struct change c = { .k = k, .batch = b, .to = *to,
		.from = { k->held_map, k->held_ifaddr } };

	if (!k->held_known) {
		proven_flush(k, b);
		c.from.map = nothing;
	}
	c.same_ifaddr = same_ifaddrs(c.from.ifaddr, c.to.ifaddr);
	for (size_t s = 0; s < KERN_NSIDES; s++) {
		put_proven(&c, &sides[s], true);
		put_target(&c, &sides[s], true);
	}
	for (size_t s = 0; s < KERN_NSIDES; s++) {
		put_proven(&c, &sides[s], false);
		put_target(&c, &sides[s], false);
	}
}

/* LEASE is held, and the other one is not. */
static int
check_lease(struct kern *k, enum pol_set_id lease)
{
	const struct nft_lease_info *has, *lacks;
	struct kern_held held;
	int rc = kern_read_held(k, &held);

	if (rc != 0)
		return rc;
	has = lease == POL_S_SYNC ? &held.sync : &held.gate;
	lacks = lease == POL_S_SYNC ? &held.gate : &held.sync;
	return has->wrong || has->live4 != k->gate4 ||
	    has->live6 != k->gate6 || lacks->live4 || lacks->live6 ||
	    lacks->wrong ? -ESTALE : 0;
}

static void
put_begin(struct kern *k, struct nft_batch *b, enum pol_set_id lease)
{
	if (lease == POL_S_SYNC)
		nft_elem_flush(b, gate_table(), pol_set_name(POL_S_GATE));
	else if (k->policy->timesync.required)
		nft_elem_flush(b, gate_table(), pol_set_name(POL_S_SYNC));
	if (k->gate4)
		kern_put_lease(k, b, lease, AF_INET);
	if (k->gate6)
		kern_put_lease(k, b, lease, AF_INET6);
}

int
kern_open(struct kern *k, const uint8_t *map, const struct pol_addr *ifaddr,
    enum pol_set_id lease, bool begin)
{
	const struct view to = { map, ifaddr };
	struct nft_batch b;
	int rc = 0;

	nft_batch_begin(&b, k->work, k->work_cap);
	put_change(k, &b, &to);
	if (begin)
		put_begin(k, &b, lease);
	k->held_known = false;
	if (b.full || b.last != 0) { /* else there is no difference */
		nft_batch_end(&b);
		rc = nft_commit(&k->owner, &b);
	}
	if (rc == 0)
		rc = kern_check_proven(k, map, ifaddr);
	if (rc == 0)
		rc = check_lease(k, lease);
	if (rc != 0)
		return rc;
	memcpy(k->held_map, map, sizeof k->held_map);
	memcpy(k->held_ifaddr, ifaddr, sizeof k->held_ifaddr);
	k->held_known = true;
	return 0;
}

int
kern_clear_proven(struct kern *k)
{
	int rc = nft_commit(&k->owner, &k->clear);

	memset(k->held_map, 0, sizeof k->held_map);
	k->held_known = rc == 0;
	if (rc == 0)
		k->nproven = 0;
	return rc;
}

/* Comparing the proven sets with what they should hold. */
struct walk {
	const struct kern *k;
	struct view want;
	uint8_t seen[POL_MAX_LISTENERS / 8];
	uint32_t nseen, ntargets;
	bool stranger;
};

static int
by_key(const void *a, const void *b)
{
	const struct kern_key *x = a, *y = b;

	if (x->ifaddr != y->ifaddr)
		return x->ifaddr < y->ifaddr ? -1 : 1;
	return nft_key_cmp(&x->key, &y->key);
}

/* Is KEY that of a wanted listener whose address is number IFADDR? */
static bool
take_key(struct walk *w, const struct nft_key *key, uint8_t ifaddr)
{
	const struct kern_key want = { .key = *key, .ifaddr = ifaddr };
	const struct kern_key *found;

	found = bsearch(&want, w->k->keys, w->k->nkeys, sizeof want, by_key);
	if (found == NULL || !gate_map_get(w->want.map, found->number) ||
	    gate_map_get(w->seen, found->number))
		return false;
	gate_map_set(w->seen, found->number);
	w->nseen++;
	return true;
}

/* The same for interface number I, if KEY begins with its address. */
static bool
take_floating(struct walk *w, const struct nft_key *key, size_t i)
{
	struct nft_key bare = *key, addr;

	nft_key_addr(&addr, &w->want.ifaddr[i]);
	if (addr.len == 0 || addr.len + KERN_KEY_TAIL != key->len ||
	    memcmp(addr.oct, key->oct, addr.len) != 0)
		return false;
	memset(bare.oct, 0, addr.len);
	return take_key(w, &bare, (uint8_t)(i + 1));
}

static void
on_proven(void *arg, const struct nft_key *key, const struct nft_key *data)
{
	struct walk *w = arg;

	(void)data;
	if (take_key(w, key, 0))
		return;
	for (size_t i = 0; i < w->k->policy->nifaddrs; i++)
		if (take_floating(w, key, i))
			return;
	w->stranger = true;
}

/* A redirect leads where its listener was proven, and nowhere else. */
static void
on_target(void *arg, const struct nft_key *key, const struct nft_key *data)
{
	struct walk *w = arg;
	struct nft_key proto, addr;
	struct pol_elem elem;
	int number;

	for (size_t t = 0; t < KERN_NSIDES * KERN_NTARGETS; t++) {
		number = w->k->targets[t / KERN_NTARGETS][t % KERN_NTARGETS];
		if (number == -1 ||
		    !view_elem(&elem, w->k, &w->want, (unsigned)number))
			continue;
		nft_key_l4proto(&proto, elem.l4proto);
		nft_key_addr(&addr, &elem.addr);
		if (nft_key_equal(&proto, key) && nft_key_equal(&addr, data)) {
			w->ntargets++;
			return;
		}
	}
	w->stranger = true;
}

static int
read_proven(struct kern *k, struct walk *w)
{
	int rc = 0;

	memset(w->seen, 0, sizeof w->seen);
	w->nseen = w->ntargets = 0;
	w->stranger = false;
	for (size_t s = 0; s < KERN_NSIDES && rc == 0; s++) {
		rc = nft_read_keys(&k->reader, sides[s].proven, on_proven, w);
		if (rc == 0 && has_target(k, s))
			rc = nft_read_keys(&k->reader, sides[s].target,
			    on_target, w);
	}
	return rc;
}

static uint32_t
count_targets(const struct kern *k, const struct view *v)
{
	struct pol_elem elem;
	uint32_t n = 0;

	for (size_t s = 0; s < KERN_NSIDES; s++)
		for (size_t t = 0; t < KERN_NTARGETS; t++)
			n += k->targets[s][t] != -1 && view_elem(&elem, k, v,
			    (unsigned)k->targets[s][t]);
	return n;
}

static uint32_t
count_elems(const struct kern *k, const struct view *v)
{
	struct pol_elem elem;
	uint32_t n = 0;

	for (unsigned i = 0; i < k->policy->nlisteners; i++)
		n += view_elem(&elem, k, v, i);
	return n;
}

/* As with every dump: somebody's commit in between makes it void. */
#define PROVEN_TRIES 8

int
kern_check_proven(struct kern *k, const uint8_t *map,
    const struct pol_addr *ifaddr)
{
	struct walk w = { .k = k, .want = { map, ifaddr } };
	int rc = -EINTR;

	for (int i = 0; i < PROVEN_TRIES && rc == -EINTR; i++)
		rc = read_proven(k, &w);
	if (rc != 0)
		return rc;
	if (w.stranger || w.nseen != count_elems(k, &w.want) ||
	    w.ntargets != count_targets(k, &w.want))
		return -ESTALE;
	k->nproven = w.nseen;
	return 0;
}

/* Start-up: what is searched for later. */

static int
build_keys(struct kern *k)
{
	const struct pol_policy *p = k->policy;
	struct pol_elem elem;

	k->keys = calloc(p->nlisteners + 1, sizeof *k->keys);
	if (k->keys == NULL)
		return -1;
	for (size_t i = 0; i < p->nlisteners; i++) {
		const struct pol_listener *l = &p->listeners[i];
		struct kern_key *key = &k->keys[k->nkeys];

		if (!pol_listener_elem(&elem, l, NULL) && l->ifaddr == 0)
			continue; /* a Unix socket */
		elem.addr.family = l->addr.family; /* ::, 0.0.0.0: floating */
		nft_key_elem(&key->key, &elem);
		key->ifaddr = l->ifaddr;
		key->number = (uint16_t)i;
		k->nkeys++;
	}
	qsort(k->keys, k->nkeys, sizeof *k->keys, by_key);
	return 0;
}

static void
find_targets(struct kern *k)
{
	static const enum pol_kind kinds[KERN_NTARGETS] = { POL_TRANS,
		POL_DNS };
	const struct pol_listener *l;

	for (size_t s = 0; s < KERN_NSIDES; s++)
		for (size_t t = 0; t < KERN_NTARGETS; t++) {
			l = pol_redirect_target(k->policy, kinds[t],
			    sides[s].family, false);
			k->targets[s][t] = l == NULL || l->ifaddr == 0 ? -1 :
			    (int)(l - k->policy->listeners);
		}
}

int
proven_init(struct kern *k)
{
	/* Every element removed and added again is the most there can be. */
	k->work_cap = 2 * k->policy->nlisteners * PROVEN_BYTES +
	    OTHER_MESSAGES * NFT_MSG_ROOM;
	k->work = malloc(k->work_cap);
	if (k->work == NULL)
		return -1;
	find_targets(k);
	return build_keys(k);
}
