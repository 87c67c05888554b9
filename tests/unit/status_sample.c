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
	    GATE_BAR_NETDEV | GATE_BAR_FWD4;
	r->lease_ms = 812;
	r->nproven = 5;
	r->closes = 6;
	r->close_last_ns = 210999;
	r->close_max_ns = 400001;
	r->foreign = 2;
	r->at_ns = SAMPLE_NOW - 1000;
	r->pid = 11;
}

#define SET(member, text) \
	(void)snprintf(s->member, sizeof s->member, "%s", text)

void
sample_snapshot(struct snapshot *s)
{
	memset(s, 0, sizeof *s);
	s->magic = SNAP_MAGIC;
	SET(state_name, "READY");
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
	s->circuit_established = 1;
	s->enough_dir_info = 1;
	s->nlisteners = 5;
	s->nlisteners_proven = 5;
	s->links = 3;
	s->provisions = 4;
	s->repairs = 9;
	s->seq = 1000;
}

void
sample_view(struct status_view *v)
{
	struct snapshot s;

	sample_snapshot(&s);
	status_view_link(v, true);
	if (!status_view_take(v, &s, sizeof s, SAMPLE_NOW))
		abort(); /* the sample itself is wrong */
}
