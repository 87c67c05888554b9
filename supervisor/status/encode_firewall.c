#include "supervisor/status/encode_part.h"

#include <stdio.h>
#include <string.h>

#include "supervisor/status/nullable.h"

static json_t *
encode_barriers(const struct status_subject *u)
{
	static const struct {
		const char *name;
		uint32_t bit;
	} barriers[] = {
		{ "boot", GATE_BAR_BOOT },
		{ "guard", GATE_BAR_GUARD },
		{ "persist", GATE_BAR_PERSIST },
		{ "netdev", GATE_BAR_NETDEV },
		{ "forward4_off", GATE_BAR_FWD4 },
		{ "forward6_off", GATE_BAR_FWD6 },
		{ "routes", GATE_BAR_ROUTES },
	};
	json_t *all = json_object();

	for (size_t i = 0; i < sizeof barriers / sizeof barriers[0]; i++)
		if (json_object_set_new(all, barriers[i].name,
		    bool_if(u->gate,
			(u->s->gate.barriers & barriers[i].bit) != 0)) == -1) {
			json_decref(all);
			return NULL;
		}
	return all;
}

static json_t *
encode_immunity(const struct status_subject *u)
{
	if (!u->gate)
		return json_null();
	return json_string((u->s->gate.barriers & GATE_BAR_PERSIST) != 0 ?
	    "yes" : "while-running");
}

/* Cumulative, as a histogram's buckets are: "inf" counts every close. */
static json_t *
encode_close_us(const struct gate_report *r)
{
	json_t *all = json_object();
	char name[sizeof "4294967295"];
	int rc = 0;

	for (unsigned i = 0; i < GATE_NCLOSE_US; i++) {
		(void)snprintf(name, sizeof name, "%u", gate_close_us(i));
		rc |= json_object_set_new(all, name,
		    uint_if(true, r->close_under[i]));
	}
	rc |= json_object_set_new(all, "inf", uint_if(true, r->closes));
	rc |= json_object_set_new(all, "sum",
	    uint_if(true, r->close_sum_ns / 1000));
	if (rc == 0)
		return all;
	json_decref(all);
	return NULL;
}

/* Counters outlive a doubt: they are what was last told, not a claim. */
static json_t *
encode_closes(const struct status_subject *u)
{
	const struct gate_report *r = &u->s->gate;
	bool told = r->magic == GATE_REPORT_MAGIC;

	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "closes",
	    uint_if(told, r->closes), "close_last_us",
	    uint_if(told, r->close_last_ns / 1000), "close_max_us",
	    uint_if(told, r->close_max_ns / 1000), "close_us",
	    told ? encode_close_us(r) : json_null(), "foreign_changes",
	    uint_if(told, r->foreign), "purges",
	    uint_if(told, r->purges), "error",
	    text_if(told && r->error > 0, strerror(r->error)),
	    "last_close_reason",
	    text_if(told, gate_reason_text((enum gate_reason)r->why)));
}

/* Where Tor may connect to: the gate's word, as it holds with no engine. */
static json_t *
encode_egress(const struct status_subject *u)
{
	if (!u->gate)
		return json_null();
	return json_string(u->s->gate.strict != 0 ? "strict" : "any");
}

/* What is in force is the gate's word, what is wanted the engine's. */
static json_t *
encode_relays(const struct status_subject *u)
{
	const struct gate_report *r = &u->s->gate;

	if (!u->gate || r->strict == 0)
		return json_null();
	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o}", "ipv4",
	    uint_if(true, r->nrelays4), "ipv6", uint_if(true, r->nrelays6),
	    "generation", uint_if(true, r->relays_generation), "wanted",
	    uint_if(u->engine, u->s->nrelays), "wanted_generation",
	    uint_if(u->engine, u->s->relays_generation), "fault",
	    text_if(u->engine, u->s->relays_fault));
}

static json_t *
encode_mode(const struct status_subject *u)
{
	return text_if(u->engine, u->s->mode == POL_MODE_VETO ? "veto" :
	    "standalone");
}

json_t *
status_encode_firewall(const struct status_subject *u)
{
	const struct gate_report *r = &u->s->gate;
	json_t *fw, *closes;

	fw = json_pack("{s:s,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
	    "position", u->word.position, "known", (int)u->gate, "mode",
	    encode_mode(u), "egress", encode_egress(u), "relays",
	    encode_relays(u), "lease_ms",
	    uint_if(u->gate, r->lease_ms), "proven",
	    uint_if(u->gate, r->nproven), "epoch",
	    uint_if(u->gate, r->epoch), "barriers", encode_barriers(u),
	    "flush_immunity", encode_immunity(u));
	closes = encode_closes(u);
	if (json_object_update(fw, closes) == -1) {
		json_decref(fw);
		fw = NULL;
	}
	json_decref(closes);
	return fw;
}
