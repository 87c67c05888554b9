#include "supervisor/gatemsg.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/zero.h"

static const char *const position_names[GATE_NWANT] = {
	[GATE_CLOSED] = "closed",
	[GATE_TOR_ONLY] = "tor-only",
	[GATE_SYNC] = "time-sync",
	[GATE_OPEN] = "open",
};

static const char *const reason_texts[GATE_NWHY] = {
	[GATE_WHY_START] = "the gate has just started",
	[GATE_WHY_ASKED] = "the engine asked for it",
	[GATE_WHY_ENGINE_GONE] = "the engine is gone",
	[GATE_WHY_ENGINE_LATE] = "the engine was silent for a whole lease",
	[GATE_WHY_BAD_REQUEST] = "the engine sent an invalid request",
	[GATE_WHY_LEASE_LAPSED] = "the lease lapsed before it was renewed",
	[GATE_WHY_KERNEL] = "the kernel refused or could not be read back",
	[GATE_WHY_DRIFT] = "somebody changed our tables",
	[GATE_WHY_STOPPED] = "portcullisd is stopping",
	[GATE_WHY_ADDRESS] = "an interface lacks an address that was proven",
};

/* Families that there are; what is no address is all zero. */
static bool
ifaddrs_ok(const struct pol_addr *a)
{
	for (size_t i = 0; i < POL_MAX_IFADDRS; i++) {
		if (a[i].family == AF_INET || a[i].family == AF_INET6)
			continue;
		if (!zero_ok(&a[i], sizeof a[i]))
			return false;
	}
	return true;
}

bool
gate_req_ok(const struct gate_req *q)
{
	if (q->magic != GATE_MAGIC || (q->permits & ~(uint32_t)GATE_P_ALL) != 0)
		return false;
	if (q->want >= GATE_NWANT)
		return false;
	if (q->want != GATE_OPEN && q->want != GATE_SYNC)
		return q->lease_ms == 0 && q->proof_ns == 0 &&
		    zero_ok(q->proven, sizeof q->proven) &&
		    zero_ok(q->ifaddr, sizeof q->ifaddr);
	return ifaddrs_ok(q->ifaddr) && q->proof_ns != 0 &&
	    q->lease_ms >= POL_LEASE_MIN_MS && q->lease_ms <= POL_LEASE_MAX_MS;
}

bool
gate_report_ok(const struct gate_report *r)
{
	return r->magic == GATE_REPORT_MAGIC &&
	    (r->permits & ~(uint32_t)GATE_P_ALL) == 0 &&
	    r->position < GATE_NWANT &&
	    r->known <= 1 && r->why < GATE_NWHY && r->refused <= 1 &&
	    r->strict <= 1 && r->absent >> POL_MAX_IFACES == 0 &&
	    r->reserved == 0;
}

/* Loopback, "any" and multicast are nobody's relay. */
bool
gate_relay_ok(const struct gate_relay *r)
{
	static const uint8_t loopback[16] = { [15] = 1 };

	if (r->port == 0 || r->v6 > 1 || r->reserved != 0 ||
	    zero_ok(r->addr, sizeof r->addr))
		return false;
	if (r->v6 == 1)
		return r->addr[0] != 0xff &&
		    memcmp(r->addr, loopback, sizeof loopback) != 0;
	return zero_ok(r->addr + 4, sizeof r->addr - 4) && r->addr[0] != 0 &&
	    r->addr[0] != IN_LOOPBACKNET && r->addr[0] < 0xe0;
}

/* N good ones of CAP, and zeroes. */
static bool
pairs_ok(const struct gate_relay *pair, uint32_t n, uint32_t cap)
{
	for (uint32_t i = 0; i < n; i++)
		if (!gate_relay_ok(&pair[i]))
			return false;
	return zero_ok(&pair[n], (cap - n) * sizeof pair[0]);
}

bool
gate_reach_ok(const struct gate_reach *r)
{
	return r->magic == GATE_REACH_MAGIC && r->who < GATE_NREACHER &&
	    r->seq != 0 && r->n >= 1 && r->n <= GATE_REACH_PAIRS &&
	    r->ttl_s >= 1 && r->ttl_s <= GATE_REACH_MAX_S &&
	    r->reserved == 0 && pairs_ok(r->pair, r->n, GATE_REACH_PAIRS);
}

bool
gate_relays_ok(const struct gate_relays *r)
{
	return r->magic == GATE_RELAYS_MAGIC && r->reserved == 0 &&
	    r->generation != 0 && r->total <= 2 * POL_MAX_RELAYS &&
	    r->n <= GATE_RELAYS_PAGE && r->first <= r->total &&
	    r->n <= r->total - r->first && (r->n == 0) == (r->total == 0) &&
	    pairs_ok(r->pair, r->n, GATE_RELAYS_PAGE);
}

bool
gate_map_get(const uint8_t *map, unsigned i)
{
	return (map[i / 8] & (1u << (i % 8))) != 0;
}

void
gate_map_set(uint8_t *map, unsigned i)
{
	map[i / 8] = (uint8_t)(map[i / 8] | (1u << (i % 8)));
}

const char *
gate_position_name(enum gate_position pos)
{
	return (unsigned)pos < GATE_NWANT ? position_names[pos] : "unknown";
}

const char *
gate_reason_text(enum gate_reason why)
{
	return (unsigned)why < GATE_NWHY ? reason_texts[why] : "unknown";
}

uint32_t
gate_close_us(unsigned i)
{
	static const uint32_t us[GATE_NCLOSE_US] = { 50, 100, 250, 500, 1000,
		10000 };

	return i < GATE_NCLOSE_US ? us[i] : 0;
}
