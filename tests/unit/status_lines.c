/*
 * Prints status lines, one per state that a view can be in, for the schema:
 * each value of each word, each doubt, each type, with and without a table
 * and a history.  No engine, no clock.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/namemsg.h"
#include "supervisor/status/encode.h"
#include "supervisor/status/history.h"
#include "supervisor/status/listeners.h"
#include "tests/unit/status_sample.h"

#define FEW 10 /* as many as listeners have states and reasons */

static struct status_history history;

/* A first line as the status process puts it together. */
static void
print_part(char **text, size_t *len, enum status_part part, char *value,
    size_t n)
{
	size_t at = status_encode_slot(*text, part);
	char *all = malloc(*len + n + 1);

	if (all == NULL || value == NULL)
		abort();
	memcpy(all, *text, at);
	memcpy(all + at, value, n);
	memcpy(all + at + n, *text + at + STATUS_NULL_LEN,
	    *len - at - STATUS_NULL_LEN + 1);
	*len += n - STATUS_NULL_LEN;
	free(*text);
	free(value);
	*text = all;
}

static void
print_line(const struct status_view *v, enum status_type type, bool table)
{
	struct status_stamp st = { .type = type, .now_ns = SAMPLE_NOW,
		.real_ms = INT64_C(1769903999123), .pid = 13, .table = table,
		.time = "2026-01-31T23:59:59.123Z" };
	size_t len, n = 0;
	char *text = status_encode(v, &st, &len), *part;

	if (text == NULL)
		abort();
	if (table && status_table_complete(&v->table)) {
		part = status_listeners_table(&v->table,
		    status_view_engine_ok(v, SAMPLE_NOW), &n);
		print_part(&text, &len, STATUS_P_TABLE, part, n);
	}
	if (type == STATUS_T_SNAPSHOT) {
		part = status_history_encode(&history, &n);
		print_part(&text, &len, STATUS_P_HISTORY, part, n);
	}
	fputs(text, stdout);
	free(text);
}

/* The snapshot as the engine would send it, on a line of each type. */
static void
print_view(struct status_view *v)
{
	struct status_word w;
	unsigned t;

	status_encode_word(&w, v, SAMPLE_NOW);
	(void)status_history_note(&history, &w, "2026-01-31T23:59:59.000Z");
	for (t = 0; t < STATUS_NTYPE; t++)
		print_line(v, (enum status_type)t, t == STATUS_T_SNAPSHOT);
}

static void
print_snapshot(const struct snapshot *s)
{
	struct status_view v;

	status_view_init(&v);
	status_view_link(&v, true);
	if (!status_view_take(&v, s, sizeof *s, SAMPLE_NOW))
		abort(); /* the sample itself is wrong */
	print_view(&v);
	status_view_clear(&v);
}

/* Engine gone, invalid, without a word; gate silent, not read back. */
static void
print_doubts(void)
{
	struct status_view v;
	struct snapshot s;

	status_view_init(&v);
	print_view(&v);
	status_view_bad(&v);
	print_view(&v);
	status_view_link(&v, true);
	print_view(&v);
	sample_snapshot(&s);
	s.gate_fresh = 0;
	print_snapshot(&s);
	memset(&s.gate, 0, sizeof s.gate);
	print_snapshot(&s);
	sample_snapshot(&s);
	s.gate.known = 0;
	s.gate.error = 5;
	print_snapshot(&s);
}

#define EACH(member, n) { offsetof(struct snapshot, member), n }

/* Words by their numbers. */
static const struct {
	size_t at;
	uint32_t n;
} words[] = {
	EACH(gate.position, GATE_NWANT),
	EACH(gate.why, GATE_NWHY),
	EACH(gate.strict, 2),
	EACH(mode, POL_MODE_VETO + 1),
	EACH(hold, 2),
	EACH(time_required, 2),
	EACH(facts, 2),
	EACH(resolver, 2),
	EACH(apply_step, SNAP_NASTEP),
	EACH(proxy.kind, POL_NPROXY),
	EACH(tor.enabled, SNAP_NKNOWN),
	EACH(tor.dormant, SNAP_NKNOWN),
	EACH(tor.auth, SNAP_NAUTH),
	EACH(tor.usable, SNAP_NKNOWN),
	EACH(tor.clock, SNAP_NCLOCK),
	EACH(tor.timesync, SNAP_NTS),
	EACH(tor.skew_known, 2),
	EACH(tor.boot_count, 3),
};

static void
print_words(void)
{
	struct snapshot s;
	uint32_t w;
	size_t i;

	for (i = 0; i < sizeof words / sizeof words[0]; i++)
		for (w = 0; w < words[i].n; w++) {
			sample_snapshot(&s);
			memcpy((char *)&s + words[i].at, &w, sizeof w);
			print_snapshot(&s);
		}
}

static void
print_starting(void)
{
	struct snapshot s;

	sample_snapshot(&s);
	s.gate.position = GATE_TOR_ONLY;
	s.boot_progress = -1;
	s.nbridges = 2;
	s.tor_pid = 0;
	s.tor = (struct snap_tor){ .lost = "Tor's control port is not there.",
		.boot_line = "WARN BOOTSTRAP PROGRESS=10 TAG=conn_done",
		.boot_severity = "warn", .boot_reason = "NOROUTE",
		.boot_recommendation = "warn" };
	print_snapshot(&s);
	s.gate.strict = 1;
	(void)strcpy(s.relays_fault, "It is too long.");
	s.gate.error = 1;
	print_snapshot(&s);
}

/* Names, transports, the proxy's verdicts: each of its words. */
static void
print_ways(void)
{
	struct snapshot s;
	unsigned i;

	for (i = 0; i < NAME_NSTATE || i < SNAP_NTSTATE || i < NAME_NVERDICT;
	     i++) {
		sample_snapshot(&s);
		s.nnames = s.ntransports = 1;
		s.proxy.kind = POL_PROXY_HTTPS;
		s.proxy.verdict = i % NAME_NVERDICT;
		s.proxy.code = i;
		s.name[0].state = i % NAME_NSTATE;
		s.name[0].by_transport = i % 2;
		(void)strcpy(s.name[0].host, "proxy.example");
		s.transport[0].state = i % SNAP_NTSTATE;
		(void)strcpy(s.transport[0].method, "obfs4");
		print_snapshot(&s);
	}
}

static void
print_listeners(void)
{
	struct status_view v;
	struct snap_page p;
	unsigned i;

	sample_view(&v);
	sample_page(&p, FEW, 0, FEW);
	for (i = 0; i < FEW; i++) {
		p.line[i].kind = i % POL_NKIND;
		p.line[i].state = i % SNAP_NLSTATE;
		p.line[i].why = i % SNAP_NLWHY;
		p.line[i].flags_sure = i % 2;
		p.line[i].uid = i == 0 ? UINT32_MAX : i;
	}
	if (!status_view_page(&v, &p, sizeof p))
		abort();
	v.snap.ntrouble = 1;
	v.snap.trouble[0] = (struct snap_trouble){ .why = SNAP_L_FOREIGN,
		.name = "socks", .address = "10.0.0.1:9050" };
	v.snap.nextra = v.snap.nalarm = 1;
	v.snap.extra[0] = (struct snap_extra){ .alarm = 1,
		.address = "0.0.0.0:5399" };
	print_view(&v);
	status_view_clear(&v);
}

int
main(void)
{
	print_doubts();
	print_words();
	print_starting();
	print_ways();
	print_listeners();
	return fflush(stdout) == 0 ? 0 : 1;
}
