/*
 * Promises: whatever Tor, the gate, the kernel and the clock do, the engine
 * asks for OPEN only while every fact is set and fresh, in the epoch that the
 * gate reported, over a connection whose peer knew the cookie; and it never
 * meets an impossible event.  Every bit of the request belongs to a listener
 * that the last answers and proofs, asked for after the last doubt, show as
 * right, with flags that are ours, at the address that it has.
 *
 * Under strict egress the gate gets whole lists, page by page, of nothing but
 * what Tor has named.  An input that ends in STRICT_MARK has such a policy.
 *
 * With TIME_MARK the policy asks for the clock, and OPEN for its being right,
 * lately; for SYNC all else is as for OPEN, but no bit is of another listener
 * than the timesync ones, and it never follows OPEN without a close.
 *
 * With NAMES_MARK the policy has a resolver and a transport, under strict
 * egress; see engine_names.c for what is promised then.
 *
 * With MORE_MARK it has these, and there are changes of the uplink, a keeper
 * that answers as it likes, and all other inputs; see engine_more.c.
 *
 * Input: a program of one-octet operations, some with operands; see ops.
 */
#include "tests/fuzz/engine_world.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/gatemsg.h"
#include "supervisor/log.h"
#include "supervisor/snapshot.h"
#include "tests/fuzz/fuzz.h"

#define STRICT_MARK 0xa5
#define TIME_MARK 0xa6
#define NAMES_MARK 0xa7 /* and strict egress */
#define MORE_MARK 0xa8 /* and what NAMES_MARK brings */
#define MAX_ROUNDS 64 /* a session needs some 20 answers until it opens */
#define LONG_WELL 192 /* it goes well for all the rounds, for the waiting */
#define WELL_ROUNDS 3 /* otherwise for so many after it has opened */

struct fuzz_world w;

uint8_t
fuzz_take(struct input *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->p++;
}

/* To see what an input does. */
static bool
talkative(void)
{
	static int asked = -1;

	if (asked == -1)
		asked = getenv("FUZZ_SAY_OPEN") != NULL;
	return asked != 0;
}

static void
op_tor_connect(void *arg)
{
	(void)arg;
}

static void
op_tor_close(void *arg)
{
	(void)arg;
	w.linked = w.named = false;
}

static int
op_tor_write(void *arg, const void *p, size_t n)
{
	(void)arg;
	FUZZ_ASSERT(w.linked);
	FUZZ_ASSERT(n >= 2 && memcmp((const char *)p + n - 2, "\r\n", 2) ==
	    0);
	/* One command, and nothing smuggled behind it. */
	FUZZ_ASSERT(memchr(p, '\n', n - 1) == NULL);
	if (n >= sizeof w.sent)
		n = sizeof w.sent - 1;
	memcpy(w.sent, p, n);
	w.sent[n] = '\0';
	if (talkative())
		fprintf(stderr, "> %s", w.sent);
	w.asked_doubts = w.doubts;
	return 0;
}

static int
op_tor_peer(void *arg, uint32_t *uid)
{
	(void)arg;
	*uid = 0;
	return 0;
}

static int
op_cookie(void *arg, unsigned char out[CP_COOKIE_LEN], const char *path)
{
	(void)arg;
	(void)path;
	memset(out, 'c', CP_COOKIE_LEN);
	return 0;
}

static int
op_password(void *arg, unsigned char *out, size_t cap)
{
	(void)arg;
	(void)out;
	(void)cap;
	return -1;
}

static int
op_random(void *arg, unsigned char *out, size_t n)
{
	(void)arg;
	memset(out, 0, n);
	return 0;
}

static int
op_prove(void *arg, struct proof *out)
{
	(void)arg;
	memcpy(out, w.proofs, sizeof w.proofs);
	memcpy(w.shown, w.proofs, sizeof w.shown);
	return 0;
}

static int
op_gate_send(void *arg, const struct gate_req *q)
{
	(void)arg;
	if (!w.gate_up)
		return -1;
	FUZZ_ASSERT(gate_req_ok(q));
	FUZZ_ASSERT(q->seq == w.seq + 1);
	w.seq = q->seq;
	fuzz_check_permits(q);
	memcpy(w.standing, q->proven, sizeof w.standing);
	if (q->want == GATE_OPEN || q->want == GATE_SYNC)
		fuzz_check_up(q);
	w.want = q->want;
	return 0;
}

/* All that Tor names, unless it is wild, is of 192.0.2.0/24. */
static bool
is_named(const struct gate_relay *r)
{
	static const uint8_t v4[] = { 192, 0, 2 };
	static const uint8_t v6[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff,
		192, 0, 2, 11 };

	return w.wild || memcmp(r->addr, r->v6 == 1 ? v6 : v4,
	    r->v6 == 1 ? sizeof v6 : sizeof v4) == 0;
}

static int
op_gate_relays(void *arg, const struct gate_relays *r)
{
	(void)arg;
	FUZZ_ASSERT(w.policy.tor.strict_egress && w.gate_up);
	FUZZ_ASSERT(gate_relays_ok(r));
	if (w.now % 3 == 0)
		return -1;
	if (r->first == 0) {
		w.coming = r->generation;
		w.ncoming = 0;
	}
	FUZZ_ASSERT(r->generation == w.coming && r->first == w.ncoming);
	for (uint32_t i = 0; i < r->n; i++)
		FUZZ_ASSERT(is_named(&r->pair[i]));
	w.ncoming += r->n;
	if (w.ncoming == r->total)
		w.generation = r->generation;
	return 0;
}

static int
op_status_send(void *arg, const void *p, size_t n)
{
	const struct snapshot *s = p;
	const char *text[] = { s->reason, s->boot_summary, s->boot_warning };

	(void)arg;
	if (talkative() && n == sizeof(struct snap_result))
		fprintf(stderr, "says: %s\n",
		    ((const struct snap_result *)p)->text);
	if (n != sizeof *s)
		return 0;
	/* Foreign text has been escaped, whatever it was. */
	for (size_t i = 0; i < 3; i++)
		for (const char *c = text[i]; *c != '\0'; c++)
			FUZZ_ASSERT(*c >= 0x20 && *c < 0x7f);
	return 0;
}

static int
op_keep_hold(void *arg, bool hold)
{
	(void)arg;
	return hold ? 0 : -1;
}

static void
op_utc(void *arg, char *dst, size_t cap)
{
	(void)arg;
	if (cap > 0)
		dst[0] = '\0';
}

/* Tor's events can name this source, and so become evidence. */
static int
op_client_open(void *arg, char *source, int slot, const struct iso_probe *p)
{
	(void)arg;
	FUZZ_ASSERT(slot >= 0 && slot < ISO_SLOTS && !w.client[slot]);
	FUZZ_ASSERT(p->len <= sizeof p->data);
	strcpy(source, "127.0.0.1:1");
	w.client[slot] = true;
	return 0;
}

static void
op_client_close(void *arg, int slot)
{
	(void)arg;
	FUZZ_ASSERT(slot >= 0 && slot < ISO_SLOTS);
	w.client[slot] = false;
}

static int
op_ask_owner(void *arg, uint32_t uid, uint64_t inode)
{
	(void)arg;
	(void)uid;
	FUZZ_ASSERT(inode != 0);
	return 0;
}

static int
op_holder(void *arg, struct proof *out, size_t i)
{
	(void)arg;
	*out = (struct proof){ PROOF_FOREIGN, 1000, 1 + i };
	return i % 2 == 0 ? 0 : -1;
}

static const struct engine_ops ops = {
	.tor_connect = op_tor_connect,
	.tor_close = op_tor_close,
	.tor_write = op_tor_write,
	.tor_peer = op_tor_peer,
	.cookie = op_cookie,
	.password = op_password,
	.random = op_random,
	.prove = op_prove,
	.ask_owner = op_ask_owner,
	.holder = op_holder,
	.client_open = op_client_open,
	.client_close = op_client_close,
	.gate_send = op_gate_send,
	.gate_relays = op_gate_relays,
	.gate_reach = fuzz_op_reach,
	.resolver_send = fuzz_op_resolver,
	.program = fuzz_op_program,
	.change = fuzz_op_change,
	.look = fuzz_op_look,
	.status_send = op_status_send,
	.keep_hold = op_keep_hold,
	.utc = op_utc,
	.wall = fuzz_op_wall,
};

static void
do_bytes(struct input *in)
{
	size_t n = fuzz_take(in);

	w.wild = true;
	if (n > in->n)
		n = in->n;
	fuzz_feed(in->p, n);
	in->p += n;
	in->n -= n;
}

static void
do_tick(struct input *in)
{
	uint64_t end = w.now + (uint64_t)fuzz_take(in) * 10, wake;

	while (w.now < end) {
		wake = engine_settle(w.e, w.now);
		FUZZ_ASSERT(wake > w.now);
		w.now = wake < end ? wake : end;
	}
}

static void
do_connect(struct input *in)
{
	if (engine_state(w.e) != SM_CONNECT)
		return;
	w.linked = fuzz_take(in) % 4 != 0;
	w.genuine = w.wild = w.named = false;
	w.set = ALL;
	fuzz_shadow_void(ALL, true);
	for (unsigned i = 0; i < NLISTENERS; i++)
		w.s[i].opened = false;
	if (w.linked)
		engine_tor_up(w.e, w.now);
	else
		engine_tor_down(w.e, LOSS_NO_TOR, w.now);
}

static void
do_eof(struct input *in)
{
	(void)in;
	if (!w.linked)
		return;
	w.linked = w.named = false;
	engine_tor_down(w.e, LOSS_EOF, w.now);
}

static void
do_gate(struct input *in)
{
	fuzz_shadow_void(ALL, false);
	w.gate_up = fuzz_take(in) % 4 != 0;
	w.gate_told = false;
	w.seq = 0;
	w.reach_seq = w.told = 0;
	memset(w.standing, 0, sizeof w.standing);
	if (w.gate_up)
		engine_gate_up(w.e, w.now);
	else
		engine_gate_down(w.e, w.now);
}

static void
do_report(struct input *in)
{
	struct gate_report r = { .magic = GATE_REPORT_MAGIC, .known = 1 };
	uint8_t how = fuzz_take(in);
	bool told = w.gate_told;

	if (!w.gate_up)
		return;
	if ((how & 1) != 0)
		w.epoch++;
	r.epoch = w.epoch;
	r.seq = w.seq;
	r.refused = (how & 2) != 0;
	r.position = how >> 6;
	r.relays_generation = (how & 16) == 0 ? w.generation : 0;
	r.permits = w.told = (how & 32) == 0 ? w.permits : 0;
	r.reach_seq = (how & 16) == 0 ? w.reach_seq : 0;
	/* After such a one nothing from before counts. */
	if ((how & 12) != 12 && gate_report_ok(&r) && (!told ||
	    r.epoch != engine_facts(w.e)->epoch ||
	    (r.refused != 0 && engine_asked(w.e) >= GATE_SYNC)))
		fuzz_shadow_void(ALL, false);
	if (gate_report_ok(&r))
		w.gate_told = true;
	engine_gate_bytes(w.e, &r, (how & 12) == 12 ? 7 : sizeof r, w.now);
	if ((how & 12) == 12 || !gate_report_ok(&r))
		w.gate_told = false;
}

static void
do_verb(struct input *in)
{
	struct snap_verb v = { .magic = SNAP_VERB_MAGIC };

	v.code = fuzz_take(in) % SNAP_NVERB;
	if (v.code == SNAP_V_REPROVE)
		fuzz_shadow_void(ALL, false);
	if (snap_verb_ok(&v))
		engine_verb(w.e, &v, w.now);
}

static void
do_prove(struct input *in)
{
	struct proof *p = &w.proofs[fuzz_take(in) % NLISTENERS];
	uint8_t how = fuzz_take(in);

	p->kind = how % (PROOF_FILE + 1);
	p->inode = p->kind == PROOF_FOREIGN ? how / (PROOF_FILE + 1) : 0;
	p->uid = p->kind == PROOF_FOREIGN ? 1000 : 102;
}

/* The interface has this address, or one more, or none; or just a call. */
static void
do_address(struct input *in)
{
	uint8_t how = fuzz_take(in);
	struct pol_addr addr;

	memset(&addr, 0, sizeof addr);
	if (how % 4 != 0)
		FUZZ_ASSERT(pol_addr_parse(&addr, how % 4 == 1 ? "10.0.0.7" :
		    "10.0.0.8"));
	if (memcmp(&addr, &w.ifaddrs[0], sizeof addr) != 0)
		w.doubts++;
	/* Gone and come back it has the sockets that it had. */
	if (addr.family != 0 && memcmp(&addr, &w.last, sizeof addr) != 0) {
		fuzz_shadow_void(1u << IFACE, true);
		w.s[IFACE].opened = false;
		w.last = addr;
	}
	w.ifaddrs[0] = addr;
	engine_addresses(w.e, w.ifaddrs, w.now);
}

static void
do_owner(struct input *in)
{
	uint8_t inode = fuzz_take(in);

	engine_owner(w.e, inode, fuzz_take(in), w.now);
}

static void
do_clock(struct input *in)
{
	w.clock = (enum engine_clock)(fuzz_take(in) % ENGINE_NCLOCK);
	w.clock_at = w.now;
	engine_time(w.e, w.clock, w.now);
	engine_timesync(w.e, (enum snap_timesync)(w.clock % SNAP_NTS));
	/* Not right: taken back before anything else happens. */
	FUZZ_ASSERT(w.clock == CLOCK_RIGHT || !w.policy.timesync.required ||
	    engine_asked(w.e) != GATE_OPEN);
}

/* One operation with this operand. */
static void
do_one(void (*step)(struct input *), uint8_t operand)
{
	struct input in = { &operand, 1 };

	step(&in);
	(void)engine_settle(w.e, w.now);
}

/* Each turn of it is settled once, as do_tick() begins. */
static void
well_round(void)
{
	static const uint8_t fine[] = { 0 }, short_while[] = { 1 };
	struct input report = { fine, 1 }, tick = { short_while, 1 };

	if (engine_state(w.e) == SM_CONNECT)
		do_one(do_connect, 1);
	if (w.policy.timesync.required)
		do_one(do_clock, (uint8_t)w.clock);
	fuzz_answer_well();
	(void)engine_settle(w.e, w.now);
	do_report(&report);
	do_tick(&tick);
}

/*
 * For a while all goes well: without this an input is rarely open, and more
 * rarely so again after a doubt, which is when a lost one shows.
 */
static void
do_well(struct input *in)
{
	const uint8_t how = fuzz_take(in);
	unsigned well = 0;

	if (!w.gate_up)
		do_one(do_gate, 1);
	for (unsigned i = 0; i < how % MAX_ROUNDS && (well < WELL_ROUNDS ||
	    how >= LONG_WELL); i++) {
		well_round();
		well = fuzz_is_well() ? well + 1 : 0;
	}
}

static void (*const steps[])(struct input *) = { fuzz_answer, do_tick,
	do_connect, do_gate, do_report, do_prove, fuzz_say_event, do_bytes,
	do_eof, do_verb, do_address, do_owner, do_well, do_clock,
	fuzz_say_name, fuzz_say_more };
#define NSTEPS (sizeof steps / sizeof steps[0])

/* The last three are for inputs with TIME_MARK and so on only. */
static size_t
steps_with(uint8_t mark)
{
	switch (mark) {
	case MORE_MARK:
		return NSTEPS;
	case NAMES_MARK:
		return NSTEPS - 1;
	case TIME_MARK:
		return NSTEPS - 2;
	}
	return NSTEPS - 3;
}

static void
add_listener(enum pol_kind kind, const char *addr, uint16_t port,
    const char *flags)
{
	struct pol_listener *l = &w.policy.listeners[w.policy.nlisteners++];

	l->kind = kind;
	l->port = port;
	if (addr != NULL)
		FUZZ_ASSERT(pol_addr_parse(&l->addr, addr));
	(void)snprintf(l->name, sizeof l->name, "l");
	(void)snprintf(l->flags, sizeof l->flags, "%s", flags);
}

static void
set_up(uint8_t mark)
{
	memset(&w, 0, sizeof w);
	w.now = T0;
	pol_policy_init(&w.policy);
	w.policy.tor.auth = CP_AUTH_SAFECOOKIE;
	w.names = mark == NAMES_MARK || mark == MORE_MARK;
	w.policy.tor.strict_egress = mark == STRICT_MARK || w.names;
	if (w.names)
		fuzz_names_policy();
	if (mark == MORE_MARK)
		fuzz_more_policy();
	w.policy.timesync.required = mark == TIME_MARK;
	w.policy.lease_ms = 1000;
	w.policy.probe_ms = 250;
	w.policy.listeners = xcalloc(NLISTENERS, sizeof *w.policy.listeners);
	add_listener(POL_SOCKS, "10.0.0.1", 9050, "IsolateDestAddr");
	add_listener(POL_SOCKS, "fd00::1", 9050, "IsolateDestAddr");
	add_listener(POL_DNS, "10.0.0.1", 5300, "");
	add_listener(POL_SOCKS, NULL, 9060, "IsolateDestAddr");
	w.policy.listeners[IFACE].addr.family = AF_INET;
	w.policy.listeners[IFACE].ifaddr = 1;
	add_listener(POL_SOCKS, NULL, 0, "IsolateDestAddr");
	w.policy.listeners[SOCKET].addr.family = AF_UNIX;
	(void)snprintf(w.policy.listeners[SOCKET].path,
	    sizeof w.policy.listeners[SOCKET].path, "/run/t");
	w.policy.listeners[1].timesync = w.policy.listeners[IFACE].timesync =
	    mark == TIME_MARK;
	w.policy.nifaddrs = 1;
	w.policy.ifaddrs[0].family = AF_INET;
	(void)snprintf(w.policy.ifaddrs[0].ifname,
	    sizeof w.policy.ifaddrs[0].ifname, "eth1");
	for (unsigned i = 0; i < NLISTENERS; i++)
		w.proofs[i].kind = PROOF_OK;
	fuzz_shadow_void(ALL, true);
	w.e = engine_new(&w.policy, &ops, NULL, 1);
	engine_status_up(w.e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t mark = size > 0 ? data[size - 1] : 0;
	struct input in = { data, size };

	log_init("fuzz", LOG_LV_ERR);
	set_up(mark);
	(void)engine_settle(w.e, w.now);
	while (in.n > 0) {
		steps[fuzz_take(&in) % steps_with(mark)](&in);
		(void)engine_settle(w.e, w.now);
		FUZZ_ASSERT(engine_state(w.e) != SM_HALT);
		/* What ceased to be right has been taken back, at once. */
		if (w.gate_up)
			fuzz_check_bits(w.standing);
	}
	if (talkative())
		fprintf(stderr, "asked for OPEN %u times, for SYNC %u, relays "
		    "by then: %u\n", w.nopen, w.nsync,
		    w.generation == 0 ? 0 : w.ncoming);
	engine_free(w.e);
	pol_policy_clear(&w.policy);
	return 0;
}
