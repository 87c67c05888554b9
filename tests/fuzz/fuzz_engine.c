/*
 * Promises: whatever Tor, the gate, the kernel and the clock do, the engine
 * asks for OPEN only while every fact is set and fresh, in the epoch that the
 * gate reported, over a connection whose peer knew the cookie, and only for
 * listeners that the kernel proved; and it never meets an impossible event.
 *
 * Input: a program of one-octet operations, some with operands; see ops.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "policy/policy.h"
#include "supervisor/engine/engine.h"
#include "supervisor/engine/provision.h"
#include "supervisor/gatemsg.h"
#include "supervisor/log.h"
#include "supervisor/snapshot.h"

#define NLISTENERS 3
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

static struct {
	struct engine *e;
	struct pol_policy policy;
	uint64_t now, epoch, seq;
	bool linked, genuine, gate_up, gate_told;
	char sent[64]; /* the start of the last command */
	struct proof proofs[NLISTENERS], shown[NLISTENERS];
} w;

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
	for (unsigned i = 0; i < POL_MAX_LISTENERS; i++) {
		if (!gate_map_get(q->proven, i))
			continue;
		FUZZ_ASSERT(i < NLISTENERS);
		FUZZ_ASSERT(w.shown[i].kind == PROOF_OK);
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

/* No check runs here: nothing is to be connected. */
static int
op_client_open(void *arg, char *source, int slot, const struct iso_probe *p)
{
	(void)arg;
	(void)source;
	(void)slot;
	(void)p;
	return -1;
}

static void
op_client_close(void *arg, int slot)
{
	(void)arg;
	(void)slot;
}

static int
op_ask_owner(void *arg, uint32_t uid, uint64_t inode)
{
	(void)arg;
	(void)uid;
	(void)inode;
	return -1;
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

/* Tor's answer to a probe; FLAW's bits spoil it in one way each. */
static void
answer_probe(uint8_t flaw)
{
	char text[1024];

	(void)snprintf(text, sizeof text,
	    "250-status/circuit-established=%d\r\n"
	    "250-status/enough-dir-info=%d\r\n"
	    "250-net/listeners/socks=%s\"[fd00::1]:9050\"\r\n"
	    "250-net/listeners/httptunnel=\r\n"
	    "250-net/listeners/trans=\r\n"
	    "250-net/listeners/dns=%s\r\n"
	    "250-traffic/read=%llu\r\n"
	    "250-process/pid=%d\r\n"
	    "250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS=%d "
	    "TAG=done SUMMARY=\"Done\"\r\n250 OK\r\n",
	    (flaw & 1) == 0, (flaw & 2) == 0,
	    (flaw & 4) == 0 ? "\"10.0.0.1:9050\" " : "",
	    (flaw & 8) == 0 ? "\"10.0.0.1:5300\"" : "\"0.0.0.0:53\"",
	    (unsigned long long)w.now, (flaw & 16) == 0 ? 77 : 78,
	    (flaw & 32) == 0 ? 100 : 95);
	feed_text(text);
}

static void
answer_conf(uint8_t flaw)
{
	char text[512];

	(void)snprintf(text, sizeof text,
	    "250-SocksPort=10.0.0.1:9050%s\r\n"
	    "250-SocksPort=[fd00::1]:9050 IsolateDestAddr\r\n"
	    "%s250-DisableNetwork=%d\r\n"
	    "250 CountPrivateBandwidth=%d\r\n",
	    (flaw & 1) == 0 ? " IsolateDestAddr" : "",
	    (flaw & 2) == 0 ? "250-DNSPort=10.0.0.1:5300\r\n" :
	    "250-DNSPortLines\r\n",
	    (flaw & 4) != 0, (flaw & 8) != 0);
	feed_text(text);
}

static void
answer_setconf(uint8_t flaw)
{
	static const char *const answers[] = { "250 OK\r\n",
		"553 Unable to set option: Failed to bind\r\n",
		"513 Unacceptable option value: x\r\n",
		"553 Transition not allowed\r\n" };

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
} answers[] = {
	{ "PROTOCOLINFO", answer_protocolinfo },
	{ "AUTHCHALLENGE", answer_challenge },
	{ "GETINFO version", answer_info },
	{ "GETINFO status", answer_probe },
	{ "GETINFO circuit", answer_circuits },
	{ "GETCONF", answer_conf },
	{ "SETCONF", answer_setconf },
};

/* What Tor would say to the last command, with or without flaws. */
static void
do_answer(struct input *in)
{
	uint8_t flaw = take(in);

	/* An answer to nothing only now and then: it ends the session. */
	if (w.sent[0] == '\0' && flaw < 250)
		return;
	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		if (strncmp(w.sent, answers[i].start,
		    strlen(answers[i].start)) == 0) {
			w.sent[0] = '\0';
			answers[i].answer(flaw);
			return;
		}
	}
	w.sent[0] = '\0';
	feed_text(flaw < 250 ? "250 OK\r\n" : "551 no\r\n");
}

static void
do_bytes(struct input *in)
{
	size_t n = take(in);

	if (n > in->n)
		n = in->n;
	feed(in->p, n);
	in->p += n;
	in->n -= n;
}

static void
do_event(struct input *in)
{
	static const char *const events[] = {
		"650-CONF_CHANGED\r\n650-SocksPort=1\r\n650 OK\r\n",
		"650 SIGNAL RELOAD\r\n",
		"650 STATUS_CLIENT NOTICE CIRCUIT_ESTABLISHED\r\n",
		"650 STATUS_CLIENT WARN CIRCUIT_NOT_ESTABLISHED REASON=x\r\n",
		"650 STATUS_CLIENT NOTICE NOT_ENOUGH_DIR_INFO\r\n",
		"650 STATUS_GENERAL WARN CLOCK_JUMPED TIME=100 IDLE=0\r\n",
		"650 WARN \x1b[31m \xff\r\n",
	};

	feed_text(events[take(in) % (sizeof events / sizeof events[0])]);
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
	w.genuine = false;
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
}

static void
do_verb(struct input *in)
{
	struct snap_verb v = { .magic = SNAP_VERB_MAGIC };

	v.code = take(in) % SNAP_NVERB;
	if (snap_verb_ok(&v))
		engine_verb(w.e, &v, w.now);
}

static void
do_prove(struct input *in)
{
	uint8_t how = take(in);

	w.proofs[how % NLISTENERS].kind = (how >> 2) % (PROOF_FOREIGN + 1);
}

static void (*const steps[])(struct input *) = { do_answer, do_tick,
	do_connect, do_gate, do_report, do_prove, do_event, do_bytes, do_eof,
	do_verb };

static void
add_listener(enum pol_kind kind, const char *addr, uint16_t port,
    const char *flags)
{
	struct pol_listener *l = &w.policy.listeners[w.policy.nlisteners++];

	l->kind = kind;
	l->port = port;
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
	for (unsigned i = 0; i < NLISTENERS; i++)
		w.proofs[i].kind = PROOF_OK;
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
	engine_free(w.e);
	pol_policy_clear(&w.policy);
	return 0;
}
