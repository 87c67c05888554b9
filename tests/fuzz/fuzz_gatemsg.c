/*
 * Octets from an engine that has turned hostile, into the gate's core.  Each
 * step of the input is a time to let pass, a length, and a datagram.
 *
 * Oracle: what is no valid request leaves the gate closed; it opens and
 * renews only on the current epoch, a fresh proof, known listeners that were
 * named, and addresses that the interfaces were seen to have; a close ends
 * the epoch for ever.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/socket.h>

#include "supervisor/gate/core.h"

#define LEASE 1000u
#define NLISTENERS 20u
#define NIFADDRS 3u
#define MS UINT64_C(1000000)

/* All but a few octets zero: an address here and there. */
static void
help_addresses(struct gate_req *q, const struct gate_core *c)
{
	memset(q->ifaddr, 0, sizeof q->ifaddr);
	for (size_t i = 0; i < NIFADDRS; i++)
		if ((q->proven[2] >> i & 1) != 0) {
			q->ifaddr[i].family = c->family[i];
			q->ifaddr[i].v6.s6_addr[3] = q->proven[3];
		}
}

/* Half of the inputs are helped past the first checks. */
static void
help(struct gate_req *q, const struct gate_core *c, uint8_t how, uint64_t now)
{
	if ((how & 1) != 0)
		q->magic = GATE_MAGIC;
	if ((how & 2) != 0)
		q->seq = c->seq + 1;
	if ((how & 4) != 0)
		q->epoch = c->epoch;
	if ((how & 8) != 0)
		q->proof_ns = now - q->proof_ns % (2 * LEASE * MS);
	if ((how & 16) != 0) {
		q->want %= GATE_NWANT;
		q->lease_ms = LEASE;
		q->reserved = 0;
	}
	if ((how & 64) != 0)
		help_addresses(q, c);
	if ((how & 32) != 0)
		memset(q->proven + 2, 0, sizeof q->proven - 2);
}

/* Open, or still so: nothing is in force that was not seen to be there. */
static void
check_open(const struct gate_core *c, const struct gate_req *q,
    uint32_t missing)
{
	unsigned n = 0;

	for (unsigned i = 0; i < POL_MAX_LISTENERS; i++) {
		if (!gate_map_get(c->proven, i))
			continue;
		FUZZ_ASSERT(i < NLISTENERS && gate_map_get(q->proven, i));
		n++;
	}
	FUZZ_ASSERT(n != 0);
	for (size_t i = 0; i < POL_MAX_IFADDRS; i++) {
		if (c->ifaddr[i].family != 0)
			FUZZ_ASSERT(i < NIFADDRS && (missing >> i & 1) == 0 &&
			    c->ifaddr[i].family == c->family[i] &&
			    pol_addr_equal(&c->ifaddr[i], &q->ifaddr[i]));
		else if (i < NIFADDRS) /* number I stands on it */
			FUZZ_ASSERT(!gate_map_get(c->proven, (unsigned)i));
	}
}

/* Some addresses go away. */
static void
lose(struct gate_core *c, uint32_t gone)
{
	const enum gate_position before = c->pos;
	struct gate_decision d = gate_core_gone(c, gone);

	for (unsigned i = 0; i < NIFADDRS; i++)
		if ((gone >> i & 1) != 0)
			FUZZ_ASSERT(c->ifaddr[i].family == 0 &&
			    !gate_map_get(c->proven, i));
	if (before != GATE_OPEN)
		FUZZ_ASSERT(d.act == GATE_ACT_NONE);
	FUZZ_ASSERT(d.act != GATE_ACT_OPEN && c->pos <= before);
}

static void
step(struct gate_core *c, const struct gate_req *q, size_t len, uint64_t now,
    uint32_t missing)
{
	const uint64_t epoch = c->epoch;
	const enum gate_position before = c->pos;
	struct pol_addr out[POL_MAX_IFADDRS];
	const bool asks = gate_core_asks(c, q, len, out);
	struct gate_decision d = gate_core_request(c, q, len, now,
	    missing);

	FUZZ_ASSERT(c->epoch >= epoch);
	if (len != sizeof *q || !gate_req_ok(q))
		FUZZ_ASSERT(c->pos == GATE_CLOSED && d.drop_engine);
	if (d.drop_engine || c->refused)
		FUZZ_ASSERT(c->pos == GATE_CLOSED);
	if (d.act >= GATE_ACT_OPEN) {
		FUZZ_ASSERT(q->want == GATE_OPEN && q->epoch == epoch);
		FUZZ_ASSERT(q->proof_ns <= now);
		FUZZ_ASSERT(now - q->proof_ns <= LEASE * MS);
		check_open(c, q, asks ? missing : 0);
		FUZZ_ASSERT(gate_core_fresh(c, now));
		gate_core_opened(c);
	} else {
		FUZZ_ASSERT(c->pos != GATE_OPEN);
	}
	if (before == GATE_OPEN && c->pos != GATE_OPEN)
		FUZZ_ASSERT(c->epoch > epoch && d.act == GATE_ACT_CLOSE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pol_listener listeners[NLISTENERS];
	struct pol_policy p;
	struct gate_core c;
	struct gate_req q;
	uint64_t now = 100000 * MS;
	size_t n;

	memset(&p, 0, sizeof p);
	p.lease_ms = LEASE;
	p.nlisteners = NLISTENERS;
	p.listeners = listeners;
	p.nifaddrs = NIFADDRS;
	for (unsigned i = 0; i < NIFADDRS; i++) {
		p.ifaddrs[i].family = i == 1 ? AF_INET6 : AF_INET;
		listeners[i].ifaddr = (uint8_t)(i + 1);
	}
	gate_core_init(&c, &p, 1);
	while (size > 3) {
		now += data[0] * 8 * MS;
		(void)gate_core_tick(&c, now).act;
		FUZZ_ASSERT(gate_core_next(&c) > now);
		n = data[1] < 250 ? sizeof q : data[1];
		memset(&q, 0, sizeof q);
		memcpy(&q, data + 3, size - 3 < sizeof q ? size - 3 :
		    sizeof q);
		help(&q, &c, data[2], now);
		step(&c, &q, n, now, (data[2] & 128) != 0 ? 0 : data[1]);
		if (data[0] % 16 == 15)
			lose(&c, data[1]);
		n = size - 3 < sizeof q ? size - 3 : sizeof q;
		data += 3 + n;
		size -= 3 + n;
	}
	return 0;
}
