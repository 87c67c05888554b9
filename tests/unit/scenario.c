#include "tests/unit/scenario.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/engine/consensus.h"
#include "supervisor/engine/tell.h"

#define REPORT_MS 1000 /* between two reports of a gate, at most */

struct world w;

void
world_note(const char *fmt, ...)
{
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(w.trace + w.ntrace, TRACE_CAP - w.ntrace, fmt, ap);
	va_end(ap);
	ck_assert(n >= 0 && (size_t)n < TRACE_CAP - w.ntrace);
	w.ntrace += (size_t)n;
}

/* --- what the engine asks of the world ---------------------------------- */

static void
op_tor_connect(void *arg)
{
	(void)arg;
	world_note("connect\n");
}

static void
op_tor_close(void *arg)
{
	(void)arg;
	world_note("close\n");
	w.linked = false;
}

/* POL_OPTION_MARK before a quote: counted, and left out of transcripts. */
static void
take_marks(char *cmd)
{
	char *to = cmd;

	if (strncmp(cmd, "SETCONF ", 8) == 0)
		w.nmarks = 0;
	for (const char *p = cmd; *p != '\0'; p++)
		if (p[0] == POL_OPTION_MARK && p[1] == '"')
			w.nmarks++;
		else
			*to++ = *p;
	*to = '\0';
}

static int
op_tor_write(void *arg, const void *p, size_t n)
{
	char *cmd = strndup(p, n - 2); /* without CRLF */

	(void)arg;
	take_marks(cmd);
	world_note("> %s\n", cmd);
	if (about_take(cmd)) {
		free(cmd);
		return 0;
	}
	ck_assert_msg(w.nsent < MAX_SENT, "%s:%u: too many commands are "
	    "waiting, the last is: %s", w.file, w.line, cmd);
	if (strcmp(cmd, "GETINFO config-file config-defaults-file") == 0) {
		w.files_asked = true;
		free(cmd);
		return 0;
	}
	w.sent[w.nsent++] = cmd;
	return 0;
}

static int
op_tor_peer(void *arg, uint32_t *uid)
{
	(void)arg;
	*uid = w.peer_uid;
	return w.peer_fails ? -1 : 0;
}

static int
op_cookie(void *arg, unsigned char out[CP_COOKIE_LEN], const char *path)
{
	(void)arg;
	(void)path;
	memset(out, 'c', CP_COOKIE_LEN);
	return w.cookie_fails ? -1 : 0;
}

static int
op_password(void *arg, unsigned char *out, size_t cap)
{
	(void)arg;
	ck_assert_uint_gt(cap, 4);
	memcpy(out, "pass", 4);
	return 4;
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
	w.nprove++;
	memcpy(out, w.proofs, w.policy.nlisteners * sizeof *out);
	return w.prove_fails ? -1 : 0;
}

/* As the gate's own core has it: not from OPEN, and for the clock alone. */
static void
check_sync(const struct gate_req *q)
{
	ck_assert(w.policy.timesync.required);
	ck_assert_int_ne(w.gate.pos, GATE_OPEN);
	for (unsigned i = 0; i < POL_MAX_LISTENERS; i++)
		if (gate_map_get(q->proven, i))
			ck_assert(i < w.policy.nlisteners &&
			    w.policy.listeners[i].timesync);
}

static int
op_gate_send(void *arg, const struct gate_req *q)
{
	const bool up = q->want == GATE_OPEN || q->want == GATE_SYNC;
	struct fake_gate *g = &w.gate;
	uint64_t age = w.now * 1000000 - q->proof_ns;

	(void)arg;
	ck_assert(gate_req_ok(q));
	ck_assert_msg(q->seq > g->seq, "the sequence went back");
	/* Invariant 3: no renewal on a proof older than the lease. */
	if (up)
		ck_assert(age <= (uint64_t)q->lease_ms * 1000000);
	if (q->want == GATE_SYNC)
		check_sync(q);
	g->seq = q->seq;
	g->refused = up && q->epoch != g->epoch;
	/* A renewal is not reported, other than by the clock. */
	g->pending = g->pending || !up || g->refused || q->want != g->pos ||
	    memcmp(g->ifaddr, q->ifaddr, sizeof g->ifaddr) != 0 ||
	    memcmp(g->proven, q->proven, sizeof g->proven) != 0;
	names_check_permits(q);
	memcpy(g->ifaddr, q->ifaddr, sizeof g->ifaddr);
	memcpy(g->proven, q->proven, sizeof g->proven);
	g->nproven = 0;
	for (unsigned i = 0; i < w.policy.nlisteners; i++)
		g->nproven += gate_map_get(q->proven, i);
	world_note("gate %s%s\n", gate_position_name(q->want),
	    g->refused ? " refused" : "");
	if (g->refused || q->want < g->pos)
		g->epoch++;
	g->pos = g->refused ? GATE_CLOSED : q->want;
	return 0;
}

/* Pages come in order; the last one puts all of them in force. */
static int
op_gate_relays(void *arg, const struct gate_relays *r)
{
	struct fake_gate *g = &w.gate;

	(void)arg;
	ck_assert(w.policy.tor.strict_egress && g->up);
	ck_assert(gate_relays_ok(r));
	if (g->full)
		return -1;
	if (r->first == 0) {
		ck_assert_uint_ne(r->generation, g->generation);
		g->coming = r->generation;
		g->ncoming = 0;
	}
	ck_assert_uint_eq(r->generation, g->coming);
	ck_assert_uint_eq(r->first, g->ncoming);
	ck_assert_uint_le(r->total, MAX_RELAYS);
	memcpy(g->next + r->first, r->pair, r->n * sizeof r->pair[0]);
	g->ncoming += r->n;
	world_note("relays %u to %u of %u\n", r->first,
	    r->first + r->n, r->total);
	if (g->ncoming < r->total)
		return 0;
	memcpy(g->relay, g->next, sizeof g->relay);
	g->generation = g->coming;
	g->nrelays = g->ncoming;
	g->pending = true;
	return 0;
}

/* What the status process would have of the table by now. */
static void
take_page(const struct snap_page *page)
{
	ck_assert_uint_eq(page->magic, SNAP_PAGE_MAGIC);
	ck_assert_uint_eq(page->total, w.policy.nlisteners);
	ck_assert(page->n > 0 && page->n <= SNAP_PAGE_LINES);
	for (uint32_t i = 0; i < page->n; i++) {
		ck_assert_uint_lt(page->line[i].number, page->total);
		w.table[page->line[i].number] = page->line[i];
	}
	w.page = *page;
	w.nlines += page->n;
}

/* The answer to a verb so far, a sentence a line. */
static void
take_result(const struct snap_result *r)
{
	size_t n = strlen(w.said);

	w.result = *r;
	(void)snprintf(w.said + n, sizeof w.said - n, "%s\n", r->text);
}

static int
op_status_send(void *arg, const void *p, size_t n)
{
	(void)arg;
	if (w.status_full)
		return -1;
	w.nsnaps += n == sizeof w.snap;
	if (n == sizeof w.snap)
		memcpy(&w.snap, p, n);
	else if (n == sizeof w.result)
		take_result(p);
	else if (n == sizeof w.page)
		take_page(p);
	else
		ck_abort_msg("a message of %zu octets", n);
	return 0;
}

static int
op_keep_hold(void *arg, bool hold)
{
	(void)arg;
	(void)hold;
	return 0;
}

/* All come from one address; the port says which one it is. */
static int
op_client_open(void *arg, char *source, int slot, const struct iso_probe *p)
{
	(void)arg;
	ck_assert(slot >= 0 && slot < ISO_SLOTS && !w.client[slot]);
	(void)snprintf(source, ISO_SOURCE_LEN, "127.0.0.1:%d", 60000 + slot);
	world_note("client %d for port %u, %zu octets\n", slot, p->port,
	    p->len);
	w.client[slot] = !w.clients_fail;
	return w.clients_fail ? -1 : 0;
}

static void
op_client_close(void *arg, int slot)
{
	(void)arg;
	ck_assert(slot >= 0 && slot < ISO_SLOTS);
	if (w.client[slot])
		world_note("client %d closed\n", slot);
	w.client[slot] = false;
}

static int
op_ask_owner(void *arg, uint32_t uid, uint64_t inode)
{
	(void)arg;
	world_note("owner of %llu, uid %u\n", (unsigned long long)inode,
	    (unsigned)uid);
	w.nowner++;
	return 0;
}

static int
op_holder(void *arg, struct proof *out, size_t i)
{
	(void)arg;
	if (w.holders[i].kind != PROOF_FOREIGN)
		return -1;
	*out = w.holders[i];
	return 0;
}

static void
op_utc(void *arg, char *dst, size_t cap)
{
	(void)arg;
	(void)snprintf(dst, cap, "%s", w.about.utc);
}

static int64_t
op_wall(void *arg)
{
	int64_t s;

	(void)arg;
	(void)consensus_time(&s, cp_str_of(w.about.utc));
	return s;
}

const struct engine_ops world_ops = {
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
	.gate_reach = names_op_reach,
	.resolver_send = names_op_send,
	.program = names_op_program,
	.change = apply_op_change,
	.look = apply_op_look,
	.status_send = op_status_send,
	.keep_hold = op_keep_hold,
	.utc = op_utc,
	.wall = op_wall,
};

/* --- driving it --------------------------------------------------------- */

static void
deliver_report(void)
{
	struct gate_report r = { .magic = GATE_REPORT_MAGIC, .known = 1 };

	r.position = w.gate.pos;
	r.epoch = w.gate.epoch;
	r.seq = w.gate.seq;
	r.refused = w.gate.refused;
	r.why = GATE_WHY_ASKED;
	r.strict = w.policy.tor.strict_egress;
	r.relays_generation = w.gate.generation;
	r.absent = w.gate.absent;
	r.permits = w.gate.told = w.gate.permits;
	r.reach_seq = w.gate.reach_seq;
	w.gate.pending = false;
	w.gate.told_at = w.now;
	engine_gate_bytes(w.e, &r, sizeof r, w.now);
}

/* Each reason that people are ever told is in the list of them. */
static void
check_reason(void)
{
	const char *code = engine_reason_code(w.e);
	const struct facts_reason *r;
	unsigned i = 0;

	while ((r = tell_code(i)) != NULL && strcmp(r->code, code) != 0)
		i++;
	if (r == NULL) /* (an assertion is written down each time) */
		world_trouble("a reason that is not listed", code);
}

/* Everything that happens without time passing. */
uint64_t
world_settle(void)
{
	uint64_t wake;

	/* More often than the contract has it: whatever happens, it is seen. */
	if (w.policy.timesync.required && !w.blind)
		engine_time(w.e, w.clock, w.now);
	if (w.gate.up && w.now >= w.gate.told_at + REPORT_MS)
		w.gate.pending = true;
	wake = engine_settle(w.e, w.now);
	for (int i = 0; i < 8 && w.gate.pending && !w.gate.mute; i++) {
		deliver_report();
		wake = engine_settle(w.e, w.now);
	}
	check_reason();
	if (w.gate.up && !w.gate.mute && wake > w.gate.told_at + REPORT_MS)
		wake = w.gate.told_at + REPORT_MS;
	return apply_answer() ? world_settle() : wake;
}

void
world_flush(void)
{
	size_t step = w.chunking == BY_OCTET ? 1 : w.nfeed;

	w.feeding = true;
	for (size_t i = 0; i < w.nfeed && w.linked; i += step) {
		engine_tor_bytes(w.e, w.feed + i, step, w.now);
		(void)world_settle();
	}
	w.feeding = false;
	w.nfeed = 0;
	(void)world_settle();
}

void
world_feed(const char *text)
{
	size_t n = strlen(text);

	ck_assert_uint_lt(n, FEED_CAP - w.nfeed);
	memcpy(w.feed + w.nfeed, text, n);
	w.nfeed += n;
	if (w.chunking == BY_LINE)
		world_flush();
}

void
world_tick(uint64_t ms)
{
	uint64_t end = w.now + ms, wake;

	world_flush();
	for (;;) {
		wake = world_settle();
		if (w.about.cmd[0] != '\0') {
			about_answer();
			continue;
		}
		w.now = wake < end ? wake : end;
		if (w.now == end)
			break;
	}
	(void)world_settle();
}
