#include "supervisor/engine/reach.h"

#include <netinet/in.h>
#include <string.h>

#include "supervisor/engine/core.h"

void
reach_begin(struct gate_reach *r, enum gate_reacher who, uint32_t ttl_s)
{
	memset(r, 0, sizeof *r);
	r->magic = GATE_REACH_MAGIC;
	r->who = who;
	r->ttl_s = ttl_s < 1 ? 1 : ttl_s;
	if (r->ttl_s > GATE_REACH_MAX_S)
		r->ttl_s = GATE_REACH_MAX_S;
}

void
reach_add(struct gate_reach *r, const struct pol_addr *addr, uint16_t port)
{
	struct gate_relay pair;

	memset(&pair, 0, sizeof pair);
	pair.port = port;
	pair.v6 = addr->family == AF_INET6;
	if (pair.v6 == 1)
		memcpy(pair.addr, &addr->v6, sizeof addr->v6);
	else
		memcpy(pair.addr, &addr->v4, sizeof addr->v4);
	if (!gate_relay_ok(&pair) || r->n == GATE_REACH_PAIRS)
		return;
	for (uint32_t i = 0; i < r->n; i++)
		if (memcmp(&r->pair[i], &pair, sizeof pair) == 0)
			return;
	r->pair[r->n++] = pair;
}

uint32_t
reach_send(struct engine *e, struct gate_reach *r)
{
	if (!e->gate_up || r->n == 0)
		return 0;
	r->seq = e->reach_seq + 1;
	if (e->ops->gate_reach(e->arg, r) == -1)
		return 0;
	return ++e->reach_seq;
}

bool
reach_in_force(const struct engine *e, uint32_t seq)
{
	return e->gate_known && e->report.reach_seq >= seq &&
	    e->report.reach_seq <= e->reach_seq;
}
