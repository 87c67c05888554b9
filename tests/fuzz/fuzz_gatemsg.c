/*
 * Octets from an engine that has turned hostile, into the gate's core.  Each
 * step of the input is a time to let pass, a length, and a datagram, which is
 * now and then a page of a list of relays, or names single addresses.
 *
 * Oracle: what is no valid request leaves the gate closed; it opens and
 * renews only on the current epoch, a fresh proof, known listeners that were
 * named, and addresses that the interfaces were seen to have; in position
 * time-sync only those that set the clock; a close ends the epoch for ever.
 * Pages that get through make up lists without a gap or a step back.
 * A permit is held only as the last request that was believed has it.
 */
#include "tests/fuzz/fuzz.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/gate/core.h"

#define LEASE 1000u
#define NLISTENERS 20u
#define NIFADDRS 3u
#define MS UINT64_C(1000000)
/* Every fourth listener sets the clock. */
#define SETS_CLOCK(i) ((i) % 4 == 0)

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

/* The octets of a short step, which is one good request but for its flaws. */
#define SHORT_STEP 8u

/* So much of the engine's life fits into a few octets. */
static void
put_short(struct gate_req *q, const struct gate_core *c, const uint8_t *data,
    uint64_t now)
{
	static const uint8_t wants[] = { GATE_OPEN, GATE_OPEN, GATE_TOR_ONLY,
		GATE_CLOSED, GATE_SYNC };
	const uint8_t flaw = data[0];

	memset(q, 0, sizeof *q);
	q->magic = GATE_MAGIC;
	q->seq = c->seq + (flaw != 1);
	q->want = wants[data[1] % sizeof wants];
	q->permits = data[2] % (GATE_P_ALL + 1) & ~(uint32_t)GATE_P_UDP;
	if (q->want < GATE_SYNC)
		return;
	q->lease_ms = LEASE + (flaw == 2);
	q->epoch = c->epoch + (flaw == 3) - (flaw == 4);
	q->proof_ns = now - data[3] * (LEASE / 128) * MS + (flaw == 5);
	q->proven[0] = data[4];
	q->proven[1] = data[5];
	q->proven[2] = data[6] & (flaw == 6 ? 0xff : 0x0f);
	if (q->want == GATE_SYNC && flaw != 7)
		for (size_t i = 0; i < 3; i++)
			q->proven[i] &= 0x11;
	for (size_t i = 0; i < NIFADDRS; i++)
		if ((data[7] >> i & 1) != 0) {
			q->ifaddr[i].family = c->family[flaw == 8 ? 0 : i];
			q->ifaddr[i].v6.s6_addr[3] = data[7] >> 4 | 1;
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
		q->permits &= GATE_P_ALL & ~(uint32_t)GATE_P_UDP;
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

	/* Most octets of it are zero, always. */
	for (unsigned i = 0; i < POL_MAX_LISTENERS;
	    i += c->proven[i / 8] == 0 ? 8 : 1) {
		if (!gate_map_get(c->proven, i))
			continue;
		FUZZ_ASSERT(i < NLISTENERS && gate_map_get(q->proven, i));
		FUZZ_ASSERT(q->want == GATE_OPEN || SETS_CLOCK(i));
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
	if (before != GATE_OPEN && before != GATE_SYNC)
		FUZZ_ASSERT(d.act == GATE_ACT_NONE);
	FUZZ_ASSERT(d.act != GATE_ACT_OPEN && c->pos <= before);
}

static void
check_permits(const struct gate_core *c, const struct gate_req *q,
    bool dropped)
{
	const uint32_t held = gate_core_permits(c);

	FUZZ_ASSERT((held & ~(uint32_t)(GATE_P_LOOKUP | GATE_P_STUB)) == 0);
	if (dropped || c->pos == GATE_CLOSED)
		FUZZ_ASSERT(held == 0); /* closed is strict here */
	else if (!c->refused)
		FUZZ_ASSERT(held == q->permits);
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
	check_permits(c, q, d.drop_engine);
	if (len != sizeof *q || !gate_req_ok(q))
		FUZZ_ASSERT(c->pos == GATE_CLOSED && d.drop_engine);
	if (d.drop_engine || c->refused)
		FUZZ_ASSERT(c->pos == GATE_CLOSED);
	if (d.act >= GATE_ACT_OPEN) {
		FUZZ_ASSERT(q->epoch == epoch);
		FUZZ_ASSERT(q->want == GATE_OPEN || q->want == GATE_SYNC);
		FUZZ_ASSERT(d.act == GATE_ACT_OPEN || before == q->want);
		FUZZ_ASSERT(q->proof_ns <= now);
		FUZZ_ASSERT(now - q->proof_ns <= LEASE * MS);
		check_open(c, q, asks ? missing : 0);
		FUZZ_ASSERT(gate_core_fresh(c, now));
		gate_core_opened(c);
		FUZZ_ASSERT(c->pos == q->want);
	} else {
		FUZZ_ASSERT(c->pos != GATE_OPEN && c->pos != GATE_SYNC);
	}
	if (before > GATE_TOR_ONLY && c->pos < before)
		FUZZ_ASSERT(c->epoch > epoch && d.act == GATE_ACT_CLOSE);
}

/* What of the list that is coming has been let through. */
static struct gate_list seen;

/* A page of which the input decides what matters; half of them are helped. */
static void
put_page(struct gate_core *c, const uint8_t *data, size_t size)
{
	static struct gate_relays page;
	const uint64_t epoch = c->epoch;
	const size_t n = size < 64 ? size : 64;
	struct gate_decision d;

	memset(&page, 0, sizeof page);
	memcpy(&page, data, n);
	page.magic = GATE_RELAYS_MAGIC;
	if (n > 4 && data[0] % 2 == 0) {
		page.reserved = 0;
		page.generation = 1 + data[1] % 2;
		page.total = data[2] % 8;
		page.first = data[3] % 2 != 0 ? 0 : c->list.got4 +
		    c->list.got6;
		page.n = page.total < page.first ? 0 : (page.total -
		    page.first) % (1 + data[4] % 4);
		memset(page.pair, 0, sizeof page.pair);
		for (uint32_t i = 0; i < page.n; i++)
			page.pair[i] = (struct gate_relay){ .addr = { 1 },
				.port = 1, .v6 = (data[4] >> i) & 1 };
	}
	d = gate_core_page(c, &page);
	if (d.act != GATE_ACT_PAGE) {
		FUZZ_ASSERT(d.drop_engine && c->pos == GATE_CLOSED);
		FUZZ_ASSERT(c->epoch > epoch);
		memset(&seen, 0, sizeof seen);
		return;
	}
	FUZZ_ASSERT(gate_relays_ok(&page) && c->epoch == epoch);
	if (page.first == 0)
		seen = (struct gate_list){ .generation = page.generation,
			.total = page.total };
	FUZZ_ASSERT(page.first == seen.got4 + seen.got6);
	FUZZ_ASSERT(page.generation == seen.generation);
	FUZZ_ASSERT(page.total == seen.total);
	seen.got4 += page.n;
	FUZZ_ASSERT(seen.got4 + seen.got6 <= page.total);
}

/* Two seeds of mischief: anything at all, and what is almost right. */
static void
put_reach(struct gate_core *c, const uint8_t *data, size_t size)
{
	const uint32_t before = c->reach_seq;
	struct gate_reach r;

	memset(&r, 0, sizeof r);
	memcpy(&r, data, size < 64 ? size : 64);
	r.magic = GATE_REACH_MAGIC;
	if (size > 4 && data[0] % 2 == 0) {
		memset(&r.seq, 0, sizeof r - offsetof(struct gate_reach, seq));
		r.who = data[1] % (GATE_NREACHER + 1);
		r.seq = before + data[2] % 3;
		r.n = r.ttl_s = 1;
		r.pair[0] = (struct gate_relay){ .addr = { data[3] },
			.port = data[4] };
	}
	if (gate_core_reach(c, &r).act != GATE_ACT_REACH) {
		FUZZ_ASSERT(c->pos == GATE_CLOSED && c->reach_seq == 0);
		FUZZ_ASSERT(gate_core_permits(c) == 0);
		memset(&seen, 0, sizeof seen);
		return;
	}
	FUZZ_ASSERT(gate_reach_ok(&r) && r.seq > before);
	FUZZ_ASSERT(c->reach_seq == r.seq);
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
	for (unsigned i = 0; i < NLISTENERS; i++)
		listeners[i].timesync = SETS_CLOCK(i);
	p.timesync.required = p.tor.strict_egress = true;
	p.closed = POL_CLOSED_STRICT;
	p.resolver.addr.family = AF_INET;
	p.ntransports = 1;
	p.transports[0].dns = true; /* and no UDP */
	memset(&seen, 0, sizeof seen);
	gate_core_init(&c, &p, 1);
	while (size > 3) {
		now += data[0] * 8 * MS;
		(void)gate_core_tick(&c, now).act;
		FUZZ_ASSERT(gate_core_next(&c) > now);
		n = data[1] < 250 ? sizeof q : data[1];
		memset(&q, 0, sizeof q);
		memcpy(&q, data + 3, size - 3 < sizeof q ? size - 3 :
		    sizeof q);
		if (data[0] % 16 == 14 || data[0] % 16 == 13) {
			(data[0] % 2 == 0 ? put_page : put_reach)(&c,
			    data + 3, size - 3);
			data += 3;
			size -= 3;
			continue;
		}
		if (data[0] % 16 == 12 && size >= 3 + SHORT_STEP) {
			put_short(&q, &c, data + 3, now);
			step(&c, &q, sizeof q, now, data[1] & 7);
			data += 3 + SHORT_STEP;
			size -= 3 + SHORT_STEP;
			continue;
		}
		help(&q, &c, data[2], now);
		if (q.want == GATE_SYNC && (data[2] & 32) != 0)
			for (size_t i = 0; i < sizeof q.proven; i++)
				q.proven[i] &= 0x11;
		step(&c, &q, n, now, (data[2] & 128) != 0 ? 0 : data[1]);
		if (c.list.generation == 0)
			memset(&seen, 0, sizeof seen); /* it was dropped */
		if (data[0] % 16 == 15)
			lose(&c, data[1]);
		n = size - 3 < sizeof q ? size - 3 : sizeof q;
		data += 3 + n;
		size -= 3 + n;
	}
	return 0;
}
