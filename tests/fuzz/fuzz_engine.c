/*
 * Promises: whatever Tor, the gate, the kernel and the clock do, the engine
 * asks for OPEN only while every fact is set and fresh, in the epoch that the
 * gate reported, over a connection whose peer knew the cookie; and it never
 * meets an impossible event.  Every bit of the request belongs to a listener
 * that the last answers and proofs, asked for after the last doubt, show as
 * right, with flags that are ours, at the address that it has.
 *
 * Input: a program of one-octet operations, some with operands; see ops.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/policy.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/isolation.h"
#include "supervisor/engine/provision.h"
#include "supervisor/gatemsg.h"
#include "supervisor/log.h"
#include "supervisor/snapshot.h"

#define NLISTENERS 5
#define IFACE 3 /* the listener at an interface's address */
#define SOCKET 4 /* the Unix socket, which the gate never hears of */
#define T0 1000000
/* What the fake Tor proves to know the cookie with; all inputs are fixed. */
#define SERVER_HASH \
	"C7C1EBE5584F7213036E388672531197" \
	"37149DE5BA55788034B93842023D1798"
#define SERVER_NONCE \
	"11111111111111111111111111111111" \
	"11111111111111111111111111111111"

struct input {
	const uint8_t *p;
	size_t n;
};

/* What was shown of a listener since the last doubt of it. */
struct shadow {
	bool named, line;
	bool doubt;  /* it may have been opened with other flags */
	bool opened; /* an accepted SETCONF had it since it was seen shut */
};

static struct {
	struct engine *e;
	struct pol_policy policy;
	uint64_t now, epoch, seq;
	bool linked, genuine, gate_up, gate_told;
	bool client[ISO_SLOTS]; /* of the isolation check: open */
	bool wild; /* Tor has sent octets that the shadow did not read */
	char sent[1024]; /* the last command, if it has no answer */
	char command[1024]; /* the one that is being answered */
	struct proof proofs[NLISTENERS], shown[NLISTENERS];
	struct shadow s[NLISTENERS];
	unsigned doubts, asked_doubts; /* now; as the question was asked */
	struct pol_addr ifaddrs[POL_MAX_IFADDRS];
	struct pol_addr last; /* that the interface had, if it has none */
	uint8_t mask; /* the answer's listeners */
	unsigned nopen;
} w;

/* As Tor writes them; the interface's one where it is now, or was. */
static const char *
text_of(unsigned i, bool former)
{
	static const char *const texts[NLISTENERS] = { "10.0.0.1:9050",
		"[fd00::1]:9050", "10.0.0.1:5300", "10.0.0.9:9060",
		"unix:/run/t" };
	static char here[POL_LISTENER_TEXT];

	if (i != IFACE || former || w.last.family == 0)
		return texts[i];
	pol_addrport_format(here, sizeof here, &w.last, 9060);
	return here;
}

/* Nothing counts that was shown, or asked for, before. */
static void
shadow_void(unsigned listeners, bool doubt)
{
	w.doubts++;
	for (unsigned i = 0; i < NLISTENERS; i++) {
		if ((listeners & (1u << i)) == 0)
			continue;
		w.s[i].named = w.s[i].line = false;
		w.s[i].doubt |= doubt;
	}
}
#define ALL ((1u << NLISTENERS) - 1)

/* Tor names the listeners of MASK; an answer from before a doubt adds to it. */
static void
shadow_named(uint8_t mask, bool former)
{
	bool counts = w.asked_doubts == w.doubts, named;

	for (unsigned i = 0; i < NLISTENERS; i++) {
		struct shadow *s = &w.s[i];

		named = (mask & (1u << i)) != 0 &&
		    !(i == IFACE && (former || w.last.family == 0));
		s->opened &= named;
		if (!counts)
			continue;
		s->named = named;
		if (!named)
			s->doubt = false;
		else if (!s->opened)
			s->doubt = true;
	}
}

static uint8_t
take(struct input *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->p++;
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
	w.linked = false;
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
	w.asked_doubts = w.doubts;
	return 0;
}

static int
op_tor_peer(void *arg)
{
	(void)arg;
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

static void
check_open(const struct gate_req *q)
{
	const struct facts *f = engine_facts(w.e);

	FUZZ_ASSERT(facts_bits(f, w.now) == (1u << NFACT) - 1);
	FUZZ_ASSERT(facts_position(f, w.now) == GATE_OPEN);
	FUZZ_ASSERT(w.linked && w.genuine && w.gate_told);
	FUZZ_ASSERT(q->epoch == w.epoch);
	FUZZ_ASSERT(q->proof_ns <= w.now * 1000000);
	FUZZ_ASSERT(w.now * 1000000 - q->proof_ns <=
	    (uint64_t)w.policy.lease_ms * 1000000);
	w.nopen++;
	FUZZ_ASSERT(gate_map_get(q->proven, IFACE) ==
	    (q->ifaddr[0].family != 0));
	if (q->ifaddr[0].family != 0)
		FUZZ_ASSERT(pol_addr_equal(&q->ifaddr[0], &w.ifaddrs[0]));
	for (unsigned i = 0; i < POL_MAX_LISTENERS; i++) {
		if (!gate_map_get(q->proven, i))
			continue;
		FUZZ_ASSERT(i < NLISTENERS && i != SOCKET);
		FUZZ_ASSERT(w.shown[i].kind == PROOF_OK);
		if (w.wild)
			continue;
		FUZZ_ASSERT(w.s[i].named && w.s[i].line);
		FUZZ_ASSERT(w.s[i].opened && !w.s[i].doubt);
	}
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
	if (q->want == GATE_OPEN)
		check_open(q);
	return 0;
}

static int
op_status_send(void *arg, const void *p, size_t n)
{
	const struct snapshot *s = p;
	const char *text[] = { s->reason, s->boot_summary, s->boot_warning };

	(void)arg;
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
	.client_open = op_client_open,
	.client_close = op_client_close,
	.gate_send = op_gate_send,
	.status_send = op_status_send,
	.keep_hold = op_keep_hold,
	.utc = op_utc,
};

static void
feed(const void *p, size_t n)
{
	if (w.linked)
		engine_tor_bytes(w.e, p, n, w.now);
}

static void
feed_text(const char *text)
{
	feed(text, strlen(text));
}

/* The entries of net/listeners for the listeners of MASK from A to B. */
static void
put_named(char *dst, size_t cap, unsigned from, unsigned mask, bool former)
{
	size_t n = 0;

	dst[0] = '\0';
	for (unsigned i = from; i < NLISTENERS; i++)
		if ((mask & (1u << i)) != 0)
			n += (size_t)snprintf(dst + n, cap - n, "%s\"%s\"",
			    n == 0 ? "" : " ", text_of(i, former));
}

/* Tor's answer to a probe; FLAW's bits spoil it in one way each. */
static void
answer_probe(uint8_t flaw)
{
	char text[1024], socks[256], dns[64];
	bool former = (flaw & 4) != 0;

	put_named(socks, sizeof socks, 0, w.mask & ~4u, former);
	put_named(dns, sizeof dns, 2, w.mask & 4u, former);
	(void)snprintf(text, sizeof text,
	    "250-status/circuit-established=%d\r\n"
	    "250-status/enough-dir-info=%d\r\n"
	    "250-net/listeners/socks=%s\r\n"
	    "250-net/listeners/httptunnel=\r\n"
	    "250-net/listeners/trans=\r\n"
	    "250-net/listeners/dns=%s\r\n"
	    "250-traffic/read=%llu\r\n"
	    "250-process/pid=%d\r\n"
	    "250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=%d "
	    "TAG=done SUMMARY=\"Done\"\r\n250 OK\r\n",
	    (flaw & 1) == 0, (flaw & 2) == 0, socks,
	    (flaw & 8) == 0 ? dns : "\"0.0.0.0:53\"",
	    (unsigned long long)w.now, (flaw & 16) == 0 ? 77 : 78,
	    (flaw & 32) == 0 ? 100 : 95);
	shadow_named((flaw & 8) == 0 ? w.mask : w.mask & ~4u, former);
	feed_text(text);
}

static const char *const flags_of[NLISTENERS] = { " IsolateDestAddr",
	" IsolateDestAddr", "", " IsolateDestAddr", " IsolateDestAddr" };

static void
answer_conf(uint8_t flaw)
{
	char text[1024] = "";
	bool former = (flaw & 1) != 0, off = (flaw & 2) != 0, right;
	size_t n = 0;

	for (unsigned i = 0; i < NLISTENERS; i++) {
		bool bad = (flaw & (16u << (i % 4))) != 0;

		right = (w.mask & (1u << i)) != 0 && (!bad || i == 2) &&
		    !(i == IFACE && (former || w.last.family == 0));
		if (w.asked_doubts == w.doubts) {
			w.s[i].line = right;
			if (w.s[i].named && !right)
				w.s[i].doubt = true;
		}
		if ((w.mask & (1u << i)) != 0)
			n += (size_t)snprintf(text + n, sizeof text - n,
			    "250-%s=%s%s\r\n", i == 2 ? "DNSPort" :
			    "SocksPort", text_of(i, former),
			    bad ? "" : flags_of[i]);
	}
	(void)snprintf(text + n, sizeof text - n, "%s250-DisableNetwork=%d"
	    "\r\n250 CountPrivateBandwidth=%d\r\n",
	    (flaw & 8) != 0 ? "250-SocksPort=0.0.0.0:99 x\r\n" : "", off,
	    (flaw & 4) != 0);
	feed_text(text);
}

static void
answer_setconf(uint8_t flaw)
{
	static const char *const answers[] = { "250 OK\r\n",
		"553 Unable to set option: Failed to bind\r\n",
		"513 Unacceptable option value: x\r\n",
		"553 Transition not allowed\r\n" };

	/* What it named, it has opened, if it was not open. */
	for (unsigned i = 0; flaw % 4 == 0 && i < NLISTENERS; i++)
		if (strstr(w.command, text_of(i, false)) != NULL)
			w.s[i].opened = true;
	feed_text(answers[flaw % 4]);
}

static void
answer_challenge(uint8_t flaw)
{
	(void)flaw;
	w.genuine = true;
	feed_text("250 AUTHCHALLENGE SERVERHASH=" SERVER_HASH
	    " SERVERNONCE=" SERVER_NONCE "\r\n");
}

static void
answer_circuits(uint8_t flaw)
{
	char text[128];

	(void)snprintf(text, sizeof text,
	    "250-circuit-status=%u BUILT $A~a PURPOSE=GENERAL\r\n"
	    "250 OK\r\n", flaw);
	feed_text(text);
}

static void
answer_protocolinfo(uint8_t flaw)
{
	feed_text((flaw & 1) == 0 ?
	    "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=SAFECOOKIE "
	    "COOKIEFILE=\"/c\"\r\n250 OK\r\n" :
	    "250-PROTOCOLINFO 1\r\n250-AUTH METHODS=NULL\r\n250 OK\r\n");
}

static void
answer_info(uint8_t flaw)
{
	feed_text((flaw & 1) == 0 ? "250-version=0.4.9.11\r\n"
	    "250-process/pid=77\r\n250-events/names=STATUS_CLIENT "
	    "STATUS_GENERAL CONF_CHANGED SIGNAL WARN\r\n250 OK\r\n" :
	    "250-version=x\r\n250-process/pid=77\r\n"
	    "250-events/names=WARN\r\n250 OK\r\n");
}

static const struct {
	const char *start;
	void (*answer)(uint8_t flaw);
	bool masked; /* an operand says which listeners Tor has */
} answers[] = {
	{ "PROTOCOLINFO", answer_protocolinfo, false },
	{ "AUTHCHALLENGE", answer_challenge, false },
	{ "GETINFO version", answer_info, false },
	{ "GETINFO status", answer_probe, true },
	{ "GETINFO circuit", answer_circuits, false },
	{ "GETCONF", answer_conf, true },
	{ "SETCONF", answer_setconf, false },
};

/* What Tor would say to the last command, with or without flaws. */
static void
do_answer(struct input *in)
{
	uint8_t flaw = take(in);

	/* An answer to nothing only now and then: it ends the session. */
	if (w.sent[0] == '\0' && flaw < 250)
		return;
	/* While this is read the engine may send the next one. */
	memcpy(w.command, w.sent, sizeof w.command);
	w.sent[0] = '\0';
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		if (strncmp(w.command, answers[i].start,
		    strlen(answers[i].start)) != 0)
			continue;
		if (answers[i].masked)
			w.mask = take(in);
		answers[i].answer(flaw);
		return;
	}
	feed_text(flaw < 250 ? "250 OK\r\n" : "551 no\r\n");
}

static void
do_bytes(struct input *in)
{
	size_t n = take(in);

	w.wild = true;
	if (n > in->n)
		n = in->n;
	feed(in->p, n);
	in->p += n;
	in->n -= n;
}

#define SOCKS_MASK (ALL & ~4u)

static const struct {
	const char *text;
	unsigned listeners; /* it puts these in doubt */
	bool flags;	    /* ... their flags, too */
} events[] = {
	{ "650-CONF_CHANGED\r\n650-SocksPort=1\r\n650 OK\r\n",
	    SOCKS_MASK, true },
	{ "650 SIGNAL RELOAD\r\n", ALL, true },
	{ "650 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n", 0, false },
	{ "650 STATUS_CLIENT WARN CIRCUIT_NOT_ESTABLISHED REASON=x\r\n", 0,
	    false },
	{ "650 STATUS_CLIENT NOTICE NOT_ENOUGH_DIR_INFO\r\n", 0, false },
	{ "650 STATUS_GENERAL WARN CLOCK_JUMPED TIME=100 IDLE=0\r\n", ALL,
	    false },
	{ "650 WARN \x1b[31m \xff\r\n", 0, false },
	{ "650 WARN Could not bind to 10.0.0.1:9050: x\r\n", 0, false },
	{ "650-CONF_CHANGED\r\n650-DNSPort=10.0.0.1:5300 IsolateDestPort\r\n"
	    "650 OK\r\n", 4, true },
	{ "650-CONF_CHANGED\r\n650-DNSPort=10.0.0.1:5300\r\n650 OK\r\n", 0,
	    false },
	{ "650-CONF_CHANGED\r\n650-DisableNetwork=1\r\n650 OK\r\n", 0,
	    false },
	{ "650-CONF_CHANGED\r\n650-Nickname=x\r\n650 OK\r\n", 0, false },
};

static void
do_event(struct input *in)
{
	size_t i = take(in) % (sizeof events / sizeof events[0]);

	if (w.linked && events[i].listeners != 0)
		shadow_void(events[i].listeners, events[i].flags);
	feed_text(events[i].text);
}

static void
do_tick(struct input *in)
{
	uint64_t end = w.now + (uint64_t)take(in) * 10, wake;

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
	w.linked = take(in) % 4 != 0;
	w.genuine = w.wild = false;
	shadow_void(ALL, true);
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
	w.linked = false;
	engine_tor_down(w.e, LOSS_EOF, w.now);
}

static void
do_gate(struct input *in)
{
	shadow_void(ALL, false);
	w.gate_up = take(in) % 4 != 0;
	w.gate_told = false;
	w.seq = 0;
	if (w.gate_up)
		engine_gate_up(w.e, w.now);
	else
		engine_gate_down(w.e, w.now);
}

static void
do_report(struct input *in)
{
	struct gate_report r = { .magic = GATE_REPORT_MAGIC, .known = 1 };
	uint64_t epoch = engine_facts(w.e)->epoch;
	uint8_t how = take(in);

	if (!w.gate_up)
		return;
	if ((how & 1) != 0)
		w.epoch++;
	r.epoch = w.epoch;
	r.seq = w.seq;
	r.refused = (how & 2) != 0;
	r.position = how >> 6;
	if (gate_report_ok(&r))
		w.gate_told = true;
	engine_gate_bytes(w.e, &r, (how & 12) == 12 ? 7 : sizeof r, w.now);
	if ((how & 12) == 12 || !gate_report_ok(&r))
		w.gate_told = false;
	if (engine_facts(w.e)->epoch != epoch)
		shadow_void(ALL, false);
}

static void
do_verb(struct input *in)
{
	struct snap_verb v = { .magic = SNAP_VERB_MAGIC };

	v.code = take(in) % SNAP_NVERB;
	if (v.code == SNAP_V_REPROVE)
		shadow_void(ALL, false);
	if (snap_verb_ok(&v))
		engine_verb(w.e, &v, w.now);
}

static void
do_prove(struct input *in)
{
	struct proof *p = &w.proofs[take(in) % NLISTENERS];
	uint8_t how = take(in);

	p->kind = how % (PROOF_FILE + 1);
	p->inode = p->kind == PROOF_FOREIGN ? how / (PROOF_FILE + 1) : 0;
	p->uid = p->kind == PROOF_FOREIGN ? 1000 : 102;
}

/* The interface has this address, or one more, or none; or just a call. */
static void
do_address(struct input *in)
{
	uint8_t how = take(in);
	struct pol_addr addr;

	memset(&addr, 0, sizeof addr);
	if (how % 4 != 0)
		FUZZ_ASSERT(pol_addr_parse(&addr, how % 4 == 1 ? "10.0.0.7" :
		    "10.0.0.8"));
	if (memcmp(&addr, &w.ifaddrs[0], sizeof addr) != 0)
		w.doubts++;
	/* Gone and come back it has the sockets that it had. */
	if (addr.family != 0 && memcmp(&addr, &w.last, sizeof addr) != 0) {
		shadow_void(1u << IFACE, true);
		w.s[IFACE].opened = false;
		w.last = addr;
	}
	w.ifaddrs[0] = addr;
	engine_addresses(w.e, w.ifaddrs, w.now);
}

static void
do_owner(struct input *in)
{
	uint8_t inode = take(in);

	engine_owner(w.e, inode, take(in), w.now);
}

static void (*const steps[])(struct input *) = { do_answer, do_tick,
	do_connect, do_gate, do_report, do_prove, do_event, do_bytes, do_eof,
	do_verb, do_address, do_owner };

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
set_up(void)
{
	memset(&w, 0, sizeof w);
	w.now = T0;
	pol_policy_init(&w.policy);
	w.policy.tor.auth = CP_AUTH_SAFECOOKIE;
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
	w.policy.nifaddrs = 1;
	w.policy.ifaddrs[0].family = AF_INET;
	(void)snprintf(w.policy.ifaddrs[0].ifname,
	    sizeof w.policy.ifaddrs[0].ifname, "eth1");
	for (unsigned i = 0; i < NLISTENERS; i++)
		w.proofs[i].kind = PROOF_OK;
	shadow_void(ALL, true);
	w.e = engine_new(&w.policy, &ops, NULL, 1);
	engine_status_up(w.e);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { data, size };

	log_init("fuzz", LOG_LV_ERR);
	set_up();
	(void)engine_settle(w.e, w.now);
	while (in.n > 0) {
		steps[take(&in) % (sizeof steps / sizeof steps[0])](&in);
		(void)engine_settle(w.e, w.now);
		FUZZ_ASSERT(engine_state(w.e) != SM_HALT);
	}
	if (getenv("FUZZ_SAY_OPEN") != NULL)
		fprintf(stderr, "asked for OPEN %u times\n", w.nopen);
	engine_free(w.e);
	pol_policy_clear(&w.policy);
	return 0;
}
