#include "supervisor/status/encode.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "supervisor/status/listeners.h"
#include "supervisor/status/nullable.h"
#include "supervisor/status/ways.h"

/*
 * Built with json_pack(): it takes NULL for a part that could not be made as
 * a failure of the whole, so only the last result needs a check.
 */

static const char *const type_names[STATUS_NTYPE] = {
	[STATUS_T_SNAPSHOT] = "snapshot",
	[STATUS_T_CHANGE] = "change",
	[STATUS_T_HEARTBEAT] = "heartbeat",
};

/* What is said instead of the engine's reason when there is a doubt. */
static const struct {
	const char *code, *text, *advice;
} doubts[STATUS_NDOUBT] = {
	[STATUS_SURE] = { NULL, NULL, NULL },
	[STATUS_NO_ENGINE] = { "engine-gone",
	    "The engine is not running, so nobody can tell the position.",
	    "It is started again by itself; if this lasts, read the log." },
	[STATUS_ENGINE_BAD] = { "engine-invalid",
	    "The engine sent something invalid and was cut off.",
	    "Restart the service and report this: it is a defect." },
	[STATUS_ENGINE_SILENT] = { "engine-silent",
	    "The engine has said nothing for two seconds.",
	    "It is started again by itself; if this lasts, read the log." },
	[STATUS_GATE_SILENT] = { "gate-silent",
	    "The gate has not reported for too long.",
	    "If this lasts, restart the service and read its log." },
	[STATUS_READ_BACK] = { "read-back-failed",
	    "The gate could not read the firewall back from the kernel.",
	    "Read the log; until it is known, rely on nothing being open." },
};

/* One view with its verdicts, so that every part says the same. */
struct subject {
	const struct status_view *v;
	const struct snapshot *s;
	enum status_doubt doubt;
	bool told;   /* this engine has ever spoken */
	bool engine; /* the engine's claims are fresh */
	bool gate;   /* so is the gate's read-back */
};

static bool
fact(const struct subject *u, enum snap_fact f)
{
	return u->engine && (u->s->facts & (1u << f)) != 0;
}

static const char *
position(const struct subject *u)
{
	return u->gate ?
	    gate_position_name((enum gate_position)u->s->gate.position) :
	    "unknown";
}

static json_t *
encode_reason(const struct subject *u)
{
	if (u->doubt != STATUS_SURE)
		return json_pack("{s:s,s:s}", "code", doubts[u->doubt].code,
		    "text", doubts[u->doubt].text);
	return json_pack("{s:s,s:s}", "code", u->s->reason_code, "text",
	    u->s->reason);
}

static json_t *
encode_advice(const struct subject *u)
{
	if (u->doubt != STATUS_SURE)
		return json_string(doubts[u->doubt].advice);
	return text_if(true, u->s->advice);
}

static json_t *
encode_tor(const struct subject *u)
{
	bool runs = u->s->tor_pid > 0 || fact(u, SNAP_F_LINK);

	return json_pack("{s:o,s:o,s:o}", "running", bool_if(u->engine, runs),
	    "pid", pid_if(u->engine, u->s->tor_pid), "version",
	    text_if(u->engine, u->s->tor_version));
}

static json_t *
encode_bootstrap(const struct subject *u)
{
	const struct snapshot *s = u->s;
	bool known = u->engine && s->boot_progress >= 0;

	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "progress",
	    uint_if(known, (uint64_t)s->boot_progress), "tag",
	    text_if(known, s->boot_tag), "summary",
	    text_if(known, s->boot_summary), "warning",
	    text_if(u->engine, s->boot_warning), "since",
	    text_if(u->engine, s->boot_since), "stalled",
	    bool_if(u->engine, s->stalled != 0), "tor_said",
	    text_if(u->engine, s->tor_said));
}

static json_t *
encode_barriers(const struct subject *u)
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
encode_immunity(const struct subject *u)
{
	if (!u->gate)
		return json_null();
	return json_string((u->s->gate.barriers & GATE_BAR_PERSIST) != 0 ?
	    "yes" : "while-running");
}

/* Counters outlive a doubt: they are what was last told, not a claim. */
static json_t *
encode_closes(const struct subject *u)
{
	const struct gate_report *r = &u->s->gate;
	bool told = r->magic == GATE_REPORT_MAGIC;

	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "closes",
	    uint_if(told, r->closes), "close_last_us",
	    uint_if(told, r->close_last_ns / 1000), "close_max_us",
	    uint_if(told, r->close_max_ns / 1000), "foreign_changes",
	    uint_if(told, r->foreign), "purges",
	    uint_if(told, r->purges), "error",
	    text_if(told && r->error > 0, strerror(r->error)),
	    "last_close_reason",
	    text_if(told, gate_reason_text((enum gate_reason)r->why)));
}

/* Where Tor may connect to: the gate's word, as it holds with no engine. */
static json_t *
encode_egress(const struct subject *u)
{
	if (!u->gate)
		return json_null();
	return json_string(u->s->gate.strict != 0 ? "strict" : "any");
}

/* What is in force is the gate's word, what is wanted the engine's. */
static json_t *
encode_relays(const struct subject *u)
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
encode_mode(const struct subject *u)
{
	return text_if(u->engine, u->s->mode == POL_MODE_VETO ? "veto" :
	    "standalone");
}

/* Whether the policy asks for it, and what the engine says of it if so. */
static json_t *
encode_clock(const struct subject *u)
{
	const bool required = u->s->time_required != 0;

	return json_pack("{s:o,s:o}", "required",
	    bool_if(u->engine, required), "right",
	    bool_if(u->engine && required, fact(u, SNAP_F_TIME)));
}

static json_t *
encode_firewall(const struct subject *u)
{
	const struct gate_report *r = &u->s->gate;
	json_t *fw, *closes;

	fw = json_pack("{s:s,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}",
	    "position", position(u), "known", (int)u->gate, "mode",
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

static json_t *
encode_facts(const struct subject *u)
{
	json_t *all = json_object();
	unsigned f;

	for (f = 0; f < SNAP_NFACT; f++)
		if (json_object_set_new(all, snap_fact_name((enum snap_fact)f),
		    json_boolean(fact(u, (enum snap_fact)f))) == -1) {
			json_decref(all);
			return NULL;
		}
	return all;
}

static json_t *
encode_counters(const struct subject *u)
{
	const struct snapshot *s = u->s;

	return json_pack("{s:o,s:o,s:o}", "links", uint_if(u->told, s->links),
	    "provisions", uint_if(u->told, s->provisions), "repairs",
	    uint_if(u->told, s->repairs));
}

static json_t *
encode_listeners(const struct subject *u, bool table)
{
	json_t *all = status_listeners_encode(u->v, u->engine, u->gate);

	if (table && json_object_set_new(all, "table", json_null()) == -1) {
		json_decref(all);
		return NULL;
	}
	return all;
}

static json_t *
encode_head(const struct subject *u, const struct status_stamp *stamp)
{
	return json_pack(
	    "{s:i,s:s,s:I,s:s,s:s,s:o,s:o,s:o,s:o,s:o,s:{s:i}}", "v",
	    STATUS_SCHEMA, "type", type_names[stamp->type], "seq",
	    clamp(stamp->seq), "time", stamp->time, "position",
	    position(u), "state", text_if(u->engine, u->s->state_name),
	    "reason", encode_reason(u), "advice", encode_advice(u), "since",
	    text_if(u->gate, u->s->since), "hold",
	    bool_if(u->engine, u->s->hold != 0), "status", "pid",
	    (int)stamp->pid);
}

static json_t *
encode_body(const struct subject *u, bool table)
{
	const struct snapshot *s = u->s;

	return json_pack(
	    "{s:o,s:{s:o},s:o,s:{s:o,s:o},s:o,s:o,s:o,s:o,s:o,s:{s:o,s:b},"
	    "s:{s:o},s:o}",
	    "tor", encode_tor(u),
	    "control", "authenticated",
	    bool_if(u->engine, fact(u, SNAP_F_LINK)),
	    "bootstrap", encode_bootstrap(u),
	    "circuits", "established",
	    bool_if(u->engine, s->circuit_established != 0),
	    "enough_dir_info", bool_if(u->engine, s->enough_dir_info != 0),
	    "listeners", encode_listeners(u, table),
	    "uplink", status_ways_encode(s, u->engine),
	    "clock", encode_clock(u),
	    "firewall", encode_firewall(u),
	    "facts", encode_facts(u),
	    "engine", "pid", pid_if(u->engine, s->engine_pid), "fresh",
	    (int)u->engine,
	    "gate", "pid", pid_if(u->gate, s->gate.pid),
	    "counters", encode_counters(u));
}

/* The object as text with a newline behind it. */
static char *
dump_line(const json_t *obj, size_t *len)
{
	size_t n = json_dumpb(obj, NULL, 0, JSON_COMPACT | JSON_ENSURE_ASCII);
	char *line;

	if (n == 0)
		return NULL;
	line = malloc(n + 2);
	if (line == NULL)
		return NULL;
	if (json_dumpb(obj, line, n, JSON_COMPACT | JSON_ENSURE_ASCII) != n) {
		free(line);
		return NULL;
	}
	line[n] = '\n';
	line[n + 1] = '\0';
	*len = n + 1;
	return line;
}

char *
status_encode(const struct status_view *v, const struct status_stamp *stamp,
    size_t *len)
{
	struct subject u = { .v = v, .s = &v->snap };
	json_t *line, *body;
	char *text = NULL;

	u.doubt = status_view_doubt(v, stamp->now_ns);
	u.told = v->have;
	u.engine = status_view_engine_ok(v, stamp->now_ns);
	u.gate = u.doubt == STATUS_SURE;
	line = encode_head(&u, stamp);
	body = encode_body(&u, stamp->table);
	if (line != NULL && body != NULL &&
	    json_object_update(line, body) == 0)
		text = dump_line(line, len);
	json_decref(body);
	json_decref(line);
	return text;
}

/* A quote inside a string has a backslash before it: this is the key. */
size_t
status_encode_slot(const char *line)
{
	static const char key[] = "\"table\":";
	const char *at = strstr(line, key);

	return at == NULL ? strlen(line) :
	    (size_t)(at - line) + sizeof key - 1;
}

void
status_time_format(char dst[STATUS_TIME_LEN], int64_t sec, long nsec)
{
	time_t t = (time_t)sec;
	struct tm tm;
	size_t n;

	dst[0] = '\0';
	if (gmtime_r(&t, &tm) == NULL)
		return;
	n = strftime(dst, STATUS_TIME_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
	if (n == 0)
		return;
	(void)snprintf(dst + n, STATUS_TIME_LEN - n, ".%03ldZ",
	    nsec / 1000000 % 1000);
}
