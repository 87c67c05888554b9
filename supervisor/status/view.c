#include "supervisor/status/view.h"

#include <assert.h>
#include <string.h>

#include "supervisor/status/text.h"
#include "supervisor/status/ways.h"

/*
 * Snapshots are compared as octets.  Padding would make equal ones differ
 * (nothing worse): keep the struct without.
 */
static_assert(sizeof(struct snapshot) ==
    offsetof(struct snapshot, seq) + sizeof(uint64_t),
    "padding at the end of struct snapshot");

#define TEXT(member) \
	{ offsetof(struct snapshot, member), \
	    sizeof(((struct snapshot *)NULL)->member) }

static const struct {
	size_t at, cap;
} texts[] = {
	TEXT(state_name),
	TEXT(reason_code),
	TEXT(reason),
	TEXT(advice),
	TEXT(since),
	TEXT(boot_tag),
	TEXT(boot_summary),
	TEXT(boot_warning),
	TEXT(tor_version),
	TEXT(relays_fault),
	TEXT(tor.since),
	TEXT(tor.lost),
	TEXT(tor.boot_line),
	TEXT(tor.boot_severity),
	TEXT(tor.boot_reason),
	TEXT(tor.boot_recommendation),
	TEXT(tor.built),
};

/* A word of Tor's ("NOROUTE", "notice"), or nothing: it may be a sentence. */
static void
keep_word(char *text)
{
	if (text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
		"abcdefghijklmnopqrstuvwxyz0123456789")] != '\0')
		memset(text, 0, strlen(text));
}

/*
 * The engine has left out who Tor's bridge or guard is; should it ever have
 * forgotten to, all of the line goes: half of it would be none of Tor's.
 */
static void
clean_tor(struct snap_tor *t)
{
	if (status_text_names_host(t->boot_line))
		memset(t->boot_line, 0, sizeof t->boot_line);
	keep_word(t->boot_severity);
	keep_word(t->boot_reason);
	keep_word(t->boot_recommendation);
}

static void
clean(struct snapshot *s)
{
	size_t i;

	for (i = 0; i < sizeof texts / sizeof texts[0]; i++)
		status_text_clean((char *)s + texts[i].at, texts[i].cap);
	for (i = 0; i < SNAP_MAX_TROUBLE; i++) {
		status_text_clean(s->trouble[i].name,
		    sizeof s->trouble[i].name);
		status_text_clean(s->trouble[i].address,
		    sizeof s->trouble[i].address);
	}
	for (i = 0; i < SNAP_MAX_EXTRA; i++)
		status_text_clean(s->extra[i].address,
		    sizeof s->extra[i].address);
	status_ways_clean(s);
	clean_tor(&s->tor);
}

/* A gate report of zeros is the engine's "none yet". */
static bool
report_ok(const struct gate_report *r)
{
	return r->magic == 0 || gate_report_ok(r);
}

/* Those beyond the count are not looked at, here or anywhere. */
static bool
extras_ok(const struct snapshot *s)
{
	uint32_t i, n = s->nextra;

	if (n > SNAP_MAX_EXTRA)
		n = SNAP_MAX_EXTRA;
	for (i = 0; i < n; i++)
		if (s->extra[i].kind >= POL_NKIND || s->extra[i].alarm > 1)
			return false;
	return s->nalarm <= s->nextra;
}

/* The other numbers are told as they are, or not at all: see encode_tor.c. */
static bool
tor_ok(const struct snap_tor *t)
{
	return t->enabled < SNAP_NKNOWN && t->dormant < SNAP_NKNOWN &&
	    t->usable < SNAP_NKNOWN && t->auth < SNAP_NAUTH &&
	    t->clock < SNAP_NCLOCK && t->timesync < SNAP_NTS &&
	    t->skew_known <= 1;
}

static bool
snapshot_ok(const struct snapshot *s)
{
	return s->magic == SNAP_MAGIC && report_ok(&s->gate) &&
	    s->gate_fresh <= 1 && s->hold <= 1 && s->nfacts <= 32 &&
	    s->circuit_established <= 1 && s->enough_dir_info <= 1 &&
	    s->boot_progress >= -1 && s->boot_progress <= 100 &&
	    s->nlisteners <= POL_MAX_LISTENERS &&
	    s->nlisteners_proven <= s->nlisteners &&
	    s->ntrouble <= s->nlisteners &&
	    s->nwithheld <= s->nlisteners && s->time_required <= 1 &&
	    s->mode <= POL_MODE_VETO && extras_ok(s) && status_ways_ok(s) &&
	    tor_ok(&s->tor);
}

void
status_view_init(struct status_view *v)
{
	memset(v, 0, sizeof *v);
	status_table_init(&v->table);
}

void
status_view_clear(struct status_view *v)
{
	status_table_clear(&v->table);
}

void
status_view_link(struct status_view *v, bool linked)
{
	memset(&v->snap, 0, sizeof v->snap);
	v->have = v->bad = false;
	v->taken_ns = 0;
	v->linked = linked;
	status_table_clear(&v->table);
}

void
status_view_bad(struct status_view *v)
{
	status_view_link(v, false);
	v->bad = true;
}

bool
status_view_take(struct status_view *v, const void *bytes, size_t n,
    uint64_t now_ns)
{
	struct snapshot s;

	if (n != sizeof s)
		return false;
	memcpy(&s, bytes, sizeof s);
	if (!snapshot_ok(&s))
		return false;
	clean(&s);
	v->snap = s;
	v->have = true;
	v->taken_ns = now_ns;
	return true;
}

bool
status_view_page(struct status_view *v, const void *bytes, size_t n)
{
	return status_table_take(&v->table, bytes, n);
}

bool
status_view_in_step(const struct status_view *v)
{
	return v->have && status_table_complete(&v->table) &&
	    v->table.left == 0 &&
	    v->table.generation == v->snap.table_generation;
}

/* A time in the future is as worthless as one too long ago. */
static bool
is_within(uint64_t at_ns, uint64_t now_ns, uint64_t most_ns)
{
	return at_ns <= now_ns && now_ns - at_ns <= most_ns;
}

static enum status_doubt
engine_doubt(const struct status_view *v, uint64_t now_ns)
{
	if (v->bad)
		return STATUS_ENGINE_BAD;
	if (!v->linked)
		return STATUS_NO_ENGINE;
	if (!v->have || !is_within(v->taken_ns, now_ns, STATUS_SNAP_MAX_NS))
		return STATUS_ENGINE_SILENT;
	return STATUS_SURE;
}

enum status_doubt
status_view_doubt(const struct status_view *v, uint64_t now_ns)
{
	const struct gate_report *r = &v->snap.gate;
	enum status_doubt doubt = engine_doubt(v, now_ns);

	if (doubt != STATUS_SURE)
		return doubt;
	if (r->magic != GATE_REPORT_MAGIC || v->snap.gate_fresh == 0 ||
	    !is_within(r->at_ns, now_ns, STATUS_GATE_MAX_NS))
		return STATUS_GATE_SILENT;
	return r->known == 1 ? STATUS_SURE : STATUS_READ_BACK;
}

bool
status_view_engine_ok(const struct status_view *v, uint64_t now_ns)
{
	return engine_doubt(v, now_ns) == STATUS_SURE;
}

void
status_key_of(struct status_key *key, const struct status_view *v,
    uint64_t now_ns)
{
	struct snapshot *s = &key->snap;

	memset(key, 0, sizeof *key);
	*s = v->snap;
	key->doubt = status_view_doubt(v, now_ns);
	/* What moves all the time without anything having changed. */
	s->seq = 0;
	s->gate.seq = 0;
	s->gate.at_ns = 0;
	s->gate.lease_ms = s->gate.lease_ms != 0;
	s->lookups = s->stub_answered = s->stub_refused = 0;
}

bool
status_key_same(const struct status_key *a, const struct status_key *b)
{
	return a->doubt == b->doubt && a->table == b->table &&
	    memcmp(&a->snap, &b->snap, sizeof a->snap) == 0;
}
