#include "supervisor/gate/core.h"

#include <string.h>

#include "policy/rules.h"
#include "supervisor/zero.h"

#define NS_PER_MS UINT64_C(1000000)
/* An engine that is silent for so long does not come back by itself. */
#define PATIENCE_LEASES 10
#define PATIENCE_LEAST_S 10

static struct gate_decision
decide(enum gate_act act)
{
	return (struct gate_decision){ .act = act };
}

void
gate_core_init(struct gate_core *c, const struct pol_policy *p, uint64_t epoch)
{
	memset(c, 0, sizeof *c);
	c->epoch = epoch;
	c->lease_ms = p->lease_ms;
	c->nlisteners = (uint32_t)p->nlisteners;
	c->nifaddrs = (uint32_t)p->nifaddrs;
	for (size_t i = 0; i < p->nifaddrs; i++)
		c->family[i] = p->ifaddrs[i].family;
	c->strict = p->tor.strict_egress;
	c->timesync = p->timesync.required;
	c->nothing_closed = p->closed == POL_CLOSED_STRICT;
	c->may = (pol_has_lookup(p) ? GATE_P_LOOKUP : 0) |
	    (pol_has_stub(p) ? GATE_P_STUB : 0) |
	    (pol_has_udp(p) ? GATE_P_UDP : 0);
	for (unsigned i = 0; i < p->nlisteners; i++) {
		if (p->listeners[i].ifaddr != 0)
			gate_map_set(c->on_if[p->listeners[i].ifaddr - 1], i);
		if (p->listeners[i].timesync)
			gate_map_set(c->for_sync, i);
	}
}

/* Lower the position to POS: the one place where an epoch ends. */
static struct gate_decision
lower(struct gate_core *c, enum gate_position pos, enum gate_reason why)
{
	c->pos = pos;
	c->why = why;
	c->epoch++;
	c->closes++;
	memset(c->proven, 0, sizeof c->proven);
	memset(c->ifaddr, 0, sizeof c->ifaddr);
	return decide(GATE_ACT_CLOSE);
}

struct gate_decision
gate_core_close(struct gate_core *c, enum gate_reason why)
{
	return lower(c, GATE_CLOSED, why);
}

/* What came from an engine that is no more. */
static void
forget_engine(struct gate_core *c)
{
	memset(&c->list, 0, sizeof c->list);
	c->permits = 0;
	c->reach_seq = 0;
}

/* Do the clients, or those who set the clock, have a lease? */
static bool
is_up(const struct gate_core *c)
{
	return c->pos == GATE_OPEN || c->pos == GATE_SYNC;
}

struct gate_decision
gate_core_engine(struct gate_core *c)
{
	c->seq = 0;
	c->seq_known = false;
	c->refused = false;
	c->has_engine = true;
	c->silent_s = 0;
	forget_engine(c);
	if (c->pos != GATE_CLOSED)
		return gate_core_close(c, GATE_WHY_ENGINE_GONE);
	c->epoch++;
	return decide(GATE_ACT_NONE);
}

struct gate_decision
gate_core_engine_gone(struct gate_core *c)
{
	c->has_engine = false;
	forget_engine(c);
	if (c->pos == GATE_CLOSED)
		return decide(GATE_ACT_NONE);
	return gate_core_close(c, GATE_WHY_ENGINE_GONE);
}

uint32_t
gate_core_patience(const struct gate_core *c)
{
	const uint32_t s = (PATIENCE_LEASES * c->lease_ms + 999) / 1000;

	return s > PATIENCE_LEAST_S ? s : PATIENCE_LEAST_S;
}

struct gate_decision
gate_core_second(struct gate_core *c)
{
	struct gate_decision d = decide(GATE_ACT_NONE);

	if (!c->has_engine || ++c->silent_s < gate_core_patience(c))
		return d;
	c->has_engine = false; /* once for each engine */
	forget_engine(c);
	if (c->pos != GATE_CLOSED)
		d = gate_core_close(c, GATE_WHY_ENGINE_LATE);
	d.drop_engine = true;
	return d;
}

/* Not believed.  A gate that was up comes down: doubt means closed. */
static struct gate_decision
refuse(struct gate_core *c, enum gate_reason why)
{
	c->refused = true;
	if (c->pos == GATE_CLOSED)
		return decide(GATE_ACT_NONE);
	return gate_core_close(c, why);
}

/* Not a request at all: whoever sent it is not our engine any more. */
static struct gate_decision
reject(struct gate_core *c)
{
	struct gate_decision d = gate_core_close(c, GATE_WHY_BAD_REQUEST);

	c->refused = true;
	c->has_engine = false;
	forget_engine(c);
	d.drop_engine = true;
	return d;
}

/* No bit that stands for no listener? */
static bool
fits_listeners(const struct gate_core *c, const struct gate_req *q)
{
	const uint32_t whole = c->nlisteners / 8, rest = c->nlisteners % 8;

	if (rest != 0 && q->proven[whole] >> rest != 0)
		return false;
	return zero_ok(q->proven + whole + (rest != 0),
	    sizeof q->proven - whole - (rest != 0));
}

/* No address but of an interface that the policy names, of its family? */
static bool
fits_ifaddrs(const struct gate_core *c, const struct gate_req *q)
{
	for (size_t i = 0; i < POL_MAX_IFADDRS; i++)
		if (q->ifaddr[i].family != 0 && (i >= c->nifaddrs ||
		    q->ifaddr[i].family != c->family[i]))
			return false;
	return true;
}

/* Nothing for others than those who set the clock? */
static bool
fits_sync(const struct gate_core *c, const struct gate_req *q)
{
	if (!c->timesync)
		return false;
	for (size_t i = 0; i < sizeof q->proven; i++)
		if ((q->proven[i] & ~c->for_sync[i]) != 0)
			return false;
	return true;
}

static bool
fits_policy(const struct gate_core *c, const struct gate_req *q)
{
	if ((q->permits & ~c->may) != 0)
		return false;
	if (q->want == GATE_SYNC && !fits_sync(c, q))
		return false;
	if (q->want != GATE_OPEN && q->want != GATE_SYNC)
		return true;
	return q->lease_ms == c->lease_ms && fits_listeners(c, q) &&
	    fits_ifaddrs(c, q);
}

static uint64_t
lease_ns(const struct gate_core *c)
{
	return c->lease_ms * NS_PER_MS;
}

static bool
is_fresh(const struct gate_core *c, uint64_t proof_ns, uint64_t now_ns)
{
	/* A proof from the future proves nothing. */
	return proof_ns <= now_ns && now_ns - proof_ns <= lease_ns(c);
}

bool
gate_core_fresh(const struct gate_core *c, uint64_t now_ns)
{
	return is_fresh(c, c->proof_ns, now_ns);
}

static struct gate_decision
on_closed(struct gate_core *c)
{
	if (c->pos == GATE_CLOSED)
		return decide(GATE_ACT_NONE);
	return gate_core_close(c, GATE_WHY_ASKED);
}

static struct gate_decision
on_tor_only(struct gate_core *c, uint64_t now_ns)
{
	c->deadline_ns = now_ns + lease_ns(c);
	if (is_up(c))
		return lower(c, GATE_TOR_ONLY, GATE_WHY_ASKED);
	c->pos = GATE_TOR_ONLY;
	return decide(GATE_ACT_TOR_ONLY);
}

static bool
same_ifaddrs(const struct gate_core *c, const struct gate_req *q)
{
	for (size_t i = 0; i < POL_MAX_IFADDRS; i++)
		if (!pol_addr_equal(&c->ifaddr[i], &q->ifaddr[i]))
			return false;
	return true;
}

static bool
no_ifaddrs(const struct gate_req *q)
{
	for (size_t i = 0; i < POL_MAX_IFADDRS; i++)
		if (q->ifaddr[i].family != 0)
			return false;
	return true;
}

/* A listener that is said to be proven nowhere? */
static bool
proven_nowhere(const struct gate_core *c, const struct gate_req *q)
{
	for (size_t i = 0; i < c->nifaddrs; i++) {
		if (q->ifaddr[i].family != 0)
			continue;
		for (size_t j = 0; j < sizeof q->proven; j++)
			if ((q->proven[j] & c->on_if[i][j]) != 0)
				return true;
	}
	return false;
}

/* Take out of MAP the listeners on interface number I's address. */
static void
drop_listeners(const struct gate_core *c, uint8_t *map, size_t i)
{
	for (size_t j = 0; j < sizeof c->on_if[i]; j++)
		map[j] = (uint8_t)(map[j] & ~c->on_if[i][j]);
}

/* The engine may not have heard yet what we know: the others stay. */
static void
drop_missing(const struct gate_core *c, struct gate_req *q, uint32_t missing)
{
	for (size_t i = 0; i < c->nifaddrs; i++) {
		if ((missing >> i & 1) == 0)
			continue;
		memset(&q->ifaddr[i], 0, sizeof q->ifaddr[i]);
		drop_listeners(c, q->proven, i);
	}
}

/* To OPEN or to SYNC. */
static struct gate_decision
on_open(struct gate_core *c, struct gate_req *q, uint64_t now_ns,
    uint32_t missing)
{
	bool same;

	if (q->epoch != c->epoch)
		return refuse(c, GATE_WHY_BAD_REQUEST);
	if (!is_fresh(c, q->proof_ns, now_ns))
		return refuse(c, GATE_WHY_ENGINE_LATE);
	if (zero_ok(q->proven, sizeof q->proven))
		return refuse(c, GATE_WHY_ASKED);
	if (proven_nowhere(c, q))
		return refuse(c, GATE_WHY_ADDRESS);
	if (!same_ifaddrs(c, q))
		drop_missing(c, q, missing);
	if (zero_ok(q->proven, sizeof q->proven))
		return refuse(c, GATE_WHY_ADDRESS);
	/* A close for most: what was proven before it opens nothing after. */
	if (c->pos == GATE_OPEN && q->want == GATE_SYNC)
		return on_tor_only(c, now_ns);
	same = same_ifaddrs(c, q) &&
	    memcmp(c->proven, q->proven, sizeof c->proven) == 0;
	memcpy(c->proven, q->proven, sizeof c->proven);
	memcpy(c->ifaddr, q->ifaddr, sizeof c->ifaddr);
	c->asked = (enum gate_position)q->want;
	c->proof_ns = q->proof_ns;
	c->deadline_ns = now_ns + lease_ns(c);
	if (c->pos != c->asked)
		return decide(GATE_ACT_OPEN);
	return decide(same ? GATE_ACT_RENEW : GATE_ACT_UPDATE);
}

bool
gate_core_asks(const struct gate_core *c, const void *buf, size_t len,
    struct pol_addr out[POL_MAX_IFADDRS])
{
	struct gate_req q;

	if (len != sizeof q)
		return false;
	memcpy(&q, buf, sizeof q);
	if (!gate_req_ok(&q) || !fits_policy(c, &q) || no_ifaddrs(&q) ||
	    same_ifaddrs(c, &q))
		return false;
	memcpy(out, q.ifaddr, sizeof q.ifaddr);
	return true;
}

static struct gate_decision
on_position(struct gate_core *c, struct gate_req *q, uint64_t now_ns,
    uint32_t missing)
{
	if (q->want == GATE_OPEN || q->want == GATE_SYNC)
		return on_open(c, q, now_ns, missing);
	if (q->want == GATE_TOR_ONLY)
		return on_tor_only(c, now_ns);
	return on_closed(c);
}

struct gate_decision
gate_core_request(struct gate_core *c, const void *buf, size_t len,
    uint64_t now_ns, uint32_t missing)
{
	struct gate_decision d;
	struct gate_req q;

	if (len != sizeof q)
		return reject(c);
	memcpy(&q, buf, sizeof q);
	if (!gate_req_ok(&q) || !fits_policy(c, &q))
		return reject(c);
	c->silent_s = 0;
	if (c->seq_known && q.seq <= c->seq)
		return refuse(c, GATE_WHY_BAD_REQUEST);
	c->seq = q.seq;
	c->seq_known = true;
	c->refused = false;
	d = on_position(c, &q, now_ns, missing);
	if (!c->refused)
		c->permits = q.permits;
	return d;
}

uint32_t
gate_core_permits(const struct gate_core *c)
{
	return c->nothing_closed && c->pos == GATE_CLOSED ? 0 : c->permits;
}

static bool
begins_with(const void *buf, uint32_t wanted)
{
	uint32_t magic;

	memcpy(&magic, buf, sizeof magic);
	return magic == wanted;
}

bool
gate_core_is_page(const void *buf, size_t len)
{
	return len == sizeof(struct gate_relays) &&
	    begins_with(buf, GATE_RELAYS_MAGIC);
}

bool
gate_core_is_reach(const void *buf, size_t len)
{
	return len == sizeof(struct gate_reach) &&
	    begins_with(buf, GATE_REACH_MAGIC);
}

struct gate_decision
gate_core_reach(struct gate_core *c, const struct gate_reach *r)
{
	if (!gate_reach_ok(r) || r->seq <= c->reach_seq ||
	    (r->who == GATE_REACH_RESOLVER && (c->may & GATE_P_LOOKUP) == 0))
		return reject(c);
	c->reach_seq = r->seq;
	return decide(GATE_ACT_REACH);
}

/* The next page of the list that has begun? */
static bool
goes_on(const struct gate_list *l, const struct gate_relays *page)
{
	return page->generation == l->generation && page->total == l->total &&
	    page->first == l->got4 + l->got6;
}

struct gate_decision
gate_core_page(struct gate_core *c, const struct gate_relays *page)
{
	struct gate_list *l = &c->list;

	if (!c->strict || !gate_relays_ok(page))
		return reject(c);
	if (page->first == 0)
		*l = (struct gate_list){ .generation = page->generation,
			.total = page->total };
	else if (!goes_on(l, page))
		return reject(c);
	for (uint32_t i = 0; i < page->n; i++) {
		l->got4 += page->pair[i].v6 == 0;
		l->got6 += page->pair[i].v6;
	}
	if (l->got4 > POL_MAX_RELAYS || l->got6 > POL_MAX_RELAYS)
		return reject(c);
	return decide(GATE_ACT_PAGE);
}

struct gate_decision
gate_core_gone(struct gate_core *c, uint32_t gone)
{
	bool any = false;

	for (size_t i = 0; i < c->nifaddrs; i++) {
		if ((gone >> i & 1) == 0 || c->ifaddr[i].family == 0)
			continue;
		any = true;
		memset(&c->ifaddr[i], 0, sizeof c->ifaddr[i]);
		drop_listeners(c, c->proven, i);
	}
	if (!any || !is_up(c))
		return decide(GATE_ACT_NONE);
	if (zero_ok(c->proven, sizeof c->proven))
		return gate_core_close(c, GATE_WHY_ADDRESS);
	return decide(GATE_ACT_UPDATE);
}

void
gate_core_opened(struct gate_core *c)
{
	c->pos = c->asked;
}

struct gate_decision
gate_core_tick(struct gate_core *c, uint64_t now_ns)
{
	if (c->pos == GATE_CLOSED || now_ns < c->deadline_ns)
		return decide(GATE_ACT_NONE);
	return gate_core_close(c, GATE_WHY_ENGINE_LATE);
}

uint64_t
gate_core_next(const struct gate_core *c)
{
	return c->pos == GATE_CLOSED ? UINT64_MAX : c->deadline_ns;
}
