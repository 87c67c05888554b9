#include "supervisor/status/encode.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/status/encode_part.h"
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
	[STATUS_T_REFUSED] = "refused",
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

bool
status_encode_fact(const struct status_subject *u, enum snap_fact f)
{
	return u->engine && (u->s->facts & (1u << f)) != 0;
}

const char *
status_doubt_code(enum status_doubt doubt)
{
	return doubts[doubt].code;
}

void
status_encode_word(struct status_word *w, const struct status_view *v,
    uint64_t now_ns)
{
	enum status_doubt doubt = status_view_doubt(v, now_ns);

	w->position = "unknown";
	w->code = doubts[doubt].code;
	w->text = doubts[doubt].text;
	if (doubt != STATUS_SURE)
		return;
	w->position = gate_position_name(
	    (enum gate_position)v->snap.gate.position);
	w->code = v->snap.reason_code;
	w->text = v->snap.reason;
}

static json_t *
encode_advice(const struct status_subject *u)
{
	if (u->doubt != STATUS_SURE)
		return json_string(doubts[u->doubt].advice);
	return text_if(true, u->s->advice);
}

static json_t *
encode_facts(const struct status_subject *u)
{
	json_t *all = json_object();
	unsigned f;

	for (f = 0; f < SNAP_NFACT; f++)
		if (json_object_set_new(all, snap_fact_name((enum snap_fact)f),
		    json_boolean(status_encode_fact(u, (enum snap_fact)f))) == -1) {
			json_decref(all);
			return NULL;
		}
	return all;
}

static json_t *
encode_counters(const struct status_subject *u)
{
	const struct snapshot *s = u->s;

	return json_pack("{s:o,s:o,s:o}", "links", uint_if(u->told, s->links),
	    "provisions", uint_if(u->told, s->provisions), "repairs",
	    uint_if(u->told, s->repairs));
}

static json_t *
encode_listeners(const struct status_subject *u)
{
	json_t *all = status_listeners_encode(u->v, u->engine, u->gate);

	if (u->stamp->table && json_object_set_new(all, "table", json_null()) == -1) {
		json_decref(all);
		return NULL;
	}
	return all;
}

static json_t *
encode_head(const struct status_subject *u)
{
	const struct status_stamp *stamp = u->stamp;

	return json_pack(
	    "{s:i,s:s,s:I,s:s,s:s,s:o,s:{s:s,s:s},s:o,s:o,s:o,s:{s:i}}", "v",
	    STATUS_SCHEMA, "type", type_names[stamp->type], "seq",
	    clamp(stamp->seq), "time", stamp->time, "position",
	    u->word.position, "state",
	    text_if(u->engine, u->s->state_name), "reason", "code", u->word.code, "text",
	    u->word.text, "advice", encode_advice(u), "since",
	    text_if(u->gate, u->s->since), "hold",
	    bool_if(u->engine, u->s->hold != 0), "status", "pid",
	    (int)stamp->pid);
}

/* The history is last: see status_encode_slot(). */
static json_t *
encode_body(const struct status_subject *u)
{
	const struct snapshot *s = u->s;

	return json_pack(
	    "{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:{s:o,s:b},"
	    "s:{s:o},s:o,s:n}",
	    "tor", status_encode_tor(u),
	    "control", status_encode_control(u),
	    "bootstrap", status_encode_bootstrap(u),
	    "circuits", status_encode_circuits(u),
	    "consensus", status_encode_consensus(u),
	    "listeners", encode_listeners(u),
	    "uplink", status_ways_encode(s, u->engine),
	    "clock", status_encode_clock(u),
	    "firewall", status_encode_firewall(u),
	    "facts", encode_facts(u),
	    "engine", "pid", pid_if(u->engine, s->engine_pid), "fresh",
	    (int)u->engine,
	    "gate", "pid", pid_if(u->gate, s->gate.pid),
	    "counters", encode_counters(u),
	    "history");
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
	struct status_subject u = { .v = v, .s = &v->snap, .stamp = stamp };
	json_t *line, *body;
	char *text = NULL;

	u.doubt = status_view_doubt(v, stamp->now_ns);
	u.told = v->have;
	u.engine = status_view_engine_ok(v, stamp->now_ns);
	u.gate = u.doubt == STATUS_SURE;
	status_encode_word(&u.word, v, stamp->now_ns);
	line = encode_head(&u);
	body = encode_body(&u);
	if (line != NULL && body != NULL &&
	    json_object_update(line, body) == 0)
		text = dump_line(line, len);
	json_decref(body);
	json_decref(line);
	return text;
}

/* A quote inside a string has a backslash before it: this is the key. */
size_t
status_encode_slot(const char *line, enum status_part part)
{
	static const char *const keys[STATUS_NPART] = {
		[STATUS_P_TABLE] = "\"table\":",
		[STATUS_P_HISTORY] = "\"history\":",
	};
	const char *at = strstr(line, keys[part]);

	return at == NULL ? strlen(line) :
	    (size_t)(at - line) + strlen(keys[part]);
}
