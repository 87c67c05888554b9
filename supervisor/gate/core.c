#include "supervisor/gate/core.h"

#include <string.h>

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
	return decide(GATE_ACT_CLOSE);
}

struct gate_decision
gate_core_close(struct gate_core *c, enum gate_reason why)
{
	return lower(c, GATE_CLOSED, why);
}

struct gate_decision
gate_core_engine(struct gate_core *c)
{
	c->seq = 0;
	c->seq_known = false;
	c->refused = false;
	c->has_engine = true;
	c->silent_s = 0;
	if (c->pos != GATE_CLOSED)
		return gate_core_close(c, GATE_WHY_ENGINE_GONE);
	c->epoch++;
	return decide(GATE_ACT_NONE);
}

struct gate_decision
gate_core_engine_gone(struct gate_core *c)
{
	c->has_engine = false;
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
	d.drop_engine = true;
	return d;
}

static bool
map_is_empty(const uint8_t *map, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (map[i] != 0)
			return false;
	return true;
}

/* No bit that stands for no listener, and the lease that was agreed. */
static bool
fits_policy(const struct gate_core *c, const struct gate_req *q)
{
	if (q->want != GATE_OPEN)
		return true;
	if (q->lease_ms != c->lease_ms)
		return false;
	for (unsigned i = c->nlisteners; i < POL_MAX_LISTENERS; i++)
		if (gate_map_get(q->proven, i))
			return false;
	return true;
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
	if (c->pos == GATE_OPEN)
		return lower(c, GATE_TOR_ONLY, GATE_WHY_ASKED);
	c->pos = GATE_TOR_ONLY;
	return decide(GATE_ACT_TOR_ONLY);
}

static struct gate_decision
on_open(struct gate_core *c, const struct gate_req *q, uint64_t now_ns)
{
	bool same;

	if (q->epoch != c->epoch)
		return refuse(c, GATE_WHY_BAD_REQUEST);
	if (!is_fresh(c, q->proof_ns, now_ns))
		return refuse(c, GATE_WHY_ENGINE_LATE);
	if (map_is_empty(q->proven, sizeof q->proven))
		return refuse(c, GATE_WHY_ASKED);
	same = memcmp(c->proven, q->proven, sizeof c->proven) == 0;
	memcpy(c->proven, q->proven, sizeof c->proven);
	c->proof_ns = q->proof_ns;
	c->deadline_ns = now_ns + lease_ns(c);
	if (c->pos != GATE_OPEN)
		return decide(GATE_ACT_OPEN);
	return decide(same ? GATE_ACT_RENEW : GATE_ACT_UPDATE);
}

struct gate_decision
gate_core_request(struct gate_core *c, const void *buf, size_t len,
    uint64_t now_ns)
{
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
	if (q.want == GATE_OPEN)
		return on_open(c, &q, now_ns);
	if (q.want == GATE_TOR_ONLY)
		return on_tor_only(c, now_ns);
	return on_closed(c);
}

void
gate_core_opened(struct gate_core *c)
{
	c->pos = GATE_OPEN;
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
