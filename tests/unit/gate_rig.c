#include "tests/unit/gate_rig.h"

#include <check.h>
#include <string.h>
#include <sys/socket.h>

struct gate_core core;
struct gate_req req;
uint32_t missing;

void
setup(void)
{
	static struct pol_listener listeners[NLISTENERS];
	struct pol_policy p;

	memset(&p, 0, sizeof p);
	p.lease_ms = LEASE;
	p.nlisteners = NLISTENERS;
	p.listeners = listeners;
	p.nifaddrs = NIFADDRS;
	p.ifaddrs[0].family = AF_INET;
	p.ifaddrs[1].family = AF_INET6;
	listeners[6].ifaddr = listeners[7].ifaddr = 1;
	listeners[8].ifaddr = 2;
	listeners[SYNC_LISTENER].timesync = true;
	listeners[SYNC_FLOATING].timesync = true;
	p.timesync.required = true;
	p.tor.strict_egress = true;
	missing = 0;
	gate_core_init(&core, &p, EPOCH);
	memset(&req, 0, sizeof req);
	req.magic = GATE_MAGIC;
	req.seq = 1;
}

void
want_open(uint64_t now)
{
	req.want = GATE_OPEN;
	req.epoch = core.epoch;
	req.proof_ns = now;
	req.lease_ms = LEASE;
	memset(req.proven, 0, sizeof req.proven);
	memset(req.ifaddr, 0, sizeof req.ifaddr);
	gate_map_set(req.proven, 3);
}

struct gate_decision
ask(uint64_t now)
{
	req.seq = core.seq + 1;
	return gate_core_request(&core, &req, sizeof req, now, missing);
}

void
be_open(uint64_t now)
{
	want_open(now);
	ck_assert_int_eq(ask(now).act, GATE_ACT_OPEN);
	gate_core_opened(&core);
	ck_assert_int_eq(core.pos, GATE_OPEN);
}

void
assert_closed(uint64_t epoch, enum gate_reason why)
{
	static const uint8_t none[sizeof core.proven];

	ck_assert_int_eq(core.pos, GATE_CLOSED);
	ck_assert_int_eq(core.why, why);
	ck_assert_uint_eq(core.epoch, epoch);
	ck_assert_mem_eq(core.proven, none, sizeof none);
}
