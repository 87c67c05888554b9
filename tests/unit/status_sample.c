#include "tests/unit/status_sample.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
sample_gate(struct gate_report *r)
{
	r->magic = GATE_REPORT_MAGIC;
	r->position = GATE_OPEN;
	r->known = 1;
	r->why = GATE_WHY_ASKED;
	r->epoch = 7;
	r->barriers = GATE_BAR_BOOT | GATE_BAR_GUARD | GATE_BAR_PERSIST |
	    GATE_BAR_NETDEV | GATE_BAR_FWD4 | GATE_BAR_ROUTES;
	r->lease_ms = 812;
	r->nproven = 5;
	r->closes = 6;
	r->close_last_ns = 210999;
	r->close_max_ns = 400001;
	r->close_sum_ns = 1310000;
	for (unsigned i = 0; i < GATE_NCLOSE_US; i++)
		r->close_under[i] = i == 0 ? 0 : i + 1;
	r->foreign = 2;
	r->purges = 5;
	r->at_ns = SAMPLE_NOW - 1000;
	r->pid = 11;
}

#define SET(member, text) \
	(void)snprintf(s->member, sizeof s->member, "%s", text)

static void
sample_tor(struct snapshot *s)
{
	struct snap_tor *t = &s->tor;

	t->enabled = SNAP_YES;
	t->dormant = SNAP_NO;
	t->auth = SNAP_AUTH_SAFECOOKIE;
	t->restarts = 2;
	SET(tor.since, "2026-01-31T23:50:00Z");
	SET(tor.boot_line,
	    "NOTICE BOOTSTRAP PROGRESS=100 TAG=done SUMMARY=\"Done\"");
	SET(tor.boot_severity, "notice");
	t->usable = SNAP_YES;
	t->clock = SNAP_CLOCK_OK;
	t->built_id = 17;
	SET(tor.built, "2026-01-31T23:59:58Z");
	t->valid_after = SAMPLE_VALID_AFTER;
	t->fresh_until = SAMPLE_VALID_AFTER + 3600;
	t->valid_until = SAMPLE_VALID_AFTER + 3 * 3600;
	t->timesync = SNAP_TS_SUCCESS;
}

void
sample_snapshot(struct snapshot *s)
{
	memset(s, 0, sizeof *s);
	s->magic = SNAP_MAGIC;
	SET(state_name, "WATCH");
	SET(reason_code, "ready");
	SET(reason, "Tor carries traffic and everything is proven.");
	SET(since, "2026-01-31T23:59:59Z");
	sample_gate(&s->gate);
	s->gate_fresh = 1;
	s->facts = (1u << SNAP_NFACT) - 1;
	s->nfacts = SNAP_NFACT;
	s->tor_pid = 812;
	s->engine_pid = 12;
	s->boot_progress = 100;
	SET(boot_tag, "done");
	SET(boot_summary, "Done");
	SET(tor_version, "0.4.9.11");
	sample_tor(s);
	s->circuit_established = 1;
	s->enough_dir_info = 1;
	SET(boot_since, "2026-01-31T23:59:58Z");
	s->resolver = s->resolver_up = 1;
	s->lookups = 21;
	s->stub_answered = 22;
	s->stub_refused = 23;
	s->nlisteners = 5;
	s->nlisteners_proven = 5;
	s->links = 3;
	s->provisions = 4;
	s->repairs = 9;
	s->seq = 1000;
	s->table_generation = 1;
}

void
sample_view(struct status_view *v)
{
	struct snapshot s;

	sample_snapshot(&s);
	status_view_init(v);
	status_view_link(v, true);
	if (!status_view_take(v, &s, sizeof s, SAMPLE_NOW))
		abort(); /* the sample itself is wrong */
}

void
sample_line(struct snap_listener *l, unsigned number)
{
	memset(l, 0, sizeof *l);
	l->number = number;
	l->kind = POL_SOCKS;
	l->state = SNAP_LS_PROVEN;
	l->why = SNAP_L_OK;
	l->uid = 107;
	l->flags_sure = 1;
	(void)snprintf(l->name, sizeof l->name, "socks-%u", number);
	(void)snprintf(l->app, sizeof l->app, "app");
	(void)snprintf(l->address, sizeof l->address, "10.0.0.1:%u",
	    9000 + number);
	(void)snprintf(l->flags, sizeof l->flags, "IsolateDestAddr");
}

void
sample_page(struct snap_page *p, unsigned total, unsigned first, unsigned n)
{
	unsigned i;

	memset(p, 0, sizeof *p);
	p->magic = SNAP_PAGE_MAGIC;
	p->total = total;
	p->n = n;
	p->generation = 1;
	for (i = 0; i < n && i < SNAP_PAGE_LINES; i++)
		sample_line(&p->line[i], first + i);
}

void
sample_table(struct status_view *v, unsigned total)
{
	struct snap_page p;
	unsigned at, n;

	for (at = 0; at < total; at += n) {
		n = total - at < SNAP_PAGE_LINES ? total - at :
		    SNAP_PAGE_LINES;
		sample_page(&p, total, at, n);
		if (!status_view_page(v, &p, sizeof p))
			abort(); /* the sample itself is wrong */
	}
}
