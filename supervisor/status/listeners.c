#include "supervisor/status/listeners.h"

#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "supervisor/status/nullable.h"

/* Room to begin with; a row is a few hundred octets. */
#define TEXT_MIN 4096
/* What may follow a row: a comma, the bracket, the NUL. */
#define ROW_END 3

static json_t *
encode_trouble(const struct snap_trouble *t)
{
	enum snap_listener_why why = (enum snap_listener_why)t->why;
	bool foreign = why == SNAP_L_FOREIGN;

	return json_pack("{s:I,s:s,s:s,s:s,s:o,s:o}", "number",
	    (json_int_t)t->listener, "name", t->name, "address", t->address,
	    "why", snap_listener_why_name(why), "uid",
	    uint_if(foreign && t->uid != UINT32_MAX, t->uid), "pid",
	    pid_if(foreign, t->pid));
}

static json_t *
encode_extra(const struct snap_extra *x)
{
	return json_pack("{s:s,s:s,s:b}", "kind",
	    pol_kind_name((enum pol_kind)x->kind), "address", x->address,
	    "alarm", (int)(x->alarm != 0));
}

/* Takes ONE.  False, and ALL is to be given up: memory is out. */
static bool
append(json_t *all, json_t *one)
{
	return json_array_append_new(all, one) == 0;
}

/* The totals tell of those beyond what fits. */
static json_t *
encode_troubles(const struct snapshot *s, bool engine)
{
	uint32_t i, n = engine ? s->ntrouble : 0;
	json_t *all = json_array();

	for (i = 0; i < n && i < SNAP_MAX_TROUBLE; i++)
		if (!append(all, encode_trouble(&s->trouble[i]))) {
			json_decref(all);
			return NULL;
		}
	return all;
}

static json_t *
encode_extras(const struct snapshot *s, bool engine)
{
	uint32_t i, n = engine ? s->nextra : 0;
	json_t *all = json_array();

	for (i = 0; i < n && i < SNAP_MAX_EXTRA; i++)
		if (!append(all, encode_extra(&s->extra[i]))) {
			json_decref(all);
			return NULL;
		}
	return all;
}

/*
 * Both must say so: the engine that a listener is proven, and the gate that
 * the kernel holds as many.  Known only where the position is.
 */
static json_t *
encode_open(const struct status_view *v, bool gate)
{
	const struct gate_report *r = &v->snap.gate;
	uint32_t n = v->table.gated;

	if (gate && r->position != GATE_OPEN)
		return json_integer(0);
	if (!gate || !status_table_complete(&v->table))
		return json_null();
	return json_integer(n < r->nproven ? n : r->nproven);
}

json_t *
status_listeners_encode(const struct status_view *v, bool engine, bool gate)
{
	const struct snapshot *s = &v->snap;

	return json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "total",
	    uint_if(engine, s->nlisteners), "proven",
	    uint_if(engine, s->nlisteners_proven), "open",
	    encode_open(v, gate), "withheld",
	    uint_if(engine, s->nwithheld), "trouble",
	    encode_troubles(s, engine), "extra",
	    uint_if(engine, s->nextra), "alarms", uint_if(engine, s->nalarm),
	    "extras", encode_extras(s, engine), "generation",
	    uint_if(engine, s->table_generation));
}

static json_t *
encode_line(const struct snap_listener *l, bool sure)
{
	enum snap_listener_state st = (enum snap_listener_state)l->state;
	enum snap_listener_why why = (enum snap_listener_why)l->why;
	bool troubled = sure && why != SNAP_L_OK;

	return json_pack("{s:I,s:s,s:o,s:s,s:s,s:o,s:o,s:b,s:s,s:o,s:o,s:o}",
	    "number", (json_int_t)l->number, "name", l->name,
	    "app", text_if(true, l->app),
	    "kind", pol_kind_name((enum pol_kind)l->kind),
	    "address", l->address,
	    "flags", text_if(true, l->flags),
	    "flags_sure", bool_if(sure, l->flags_sure != 0),
	    "gated", (int)(l->unix_socket == 0),
	    "state", sure ? snap_listener_state_name(st) : "unknown",
	    "why", text_if(troubled, snap_listener_why_name(why)),
	    "uid", uint_if(sure && l->uid != UINT32_MAX, l->uid),
	    "pid", pid_if(sure, l->pid));
}

/* Text that grows. */
struct text {
	char *p;
	size_t n, cap;
};

/* Room for SIZE octets more; false: there is none. */
static bool
make_room(struct text *t, size_t size)
{
	size_t cap = t->cap;
	char *p;

	while (cap - t->n < size)
		cap *= 2;
	if (cap == t->cap)
		return true;
	p = realloc(t->p, cap);
	if (p == NULL)
		return false;
	t->p = p;
	t->cap = cap;
	return true;
}

/* Takes ROW; with a comma behind it. */
static bool
put_row(struct text *t, json_t *row)
{
	const size_t flags = JSON_COMPACT | JSON_ENSURE_ASCII;
	size_t n = row != NULL ? json_dumpb(row, NULL, 0, flags) : 0;
	bool ok = n != 0 && make_room(t, n + ROW_END) &&
	    json_dumpb(row, t->p + t->n, n, flags) == n;

	json_decref(row);
	if (!ok)
		return false;
	t->n += n;
	t->p[t->n++] = ',';
	return true;
}

/* Row by row: a tree of thousands is many times as large as its text. */
char *
status_listeners_table(const struct status_table *t, bool sure, size_t *len)
{
	struct text text = { .p = malloc(TEXT_MIN), .cap = TEXT_MIN };
	uint32_t i;

	if (text.p == NULL)
		return NULL;
	text.p[text.n++] = '[';
	for (i = 0; i < t->total; i++)
		if (!put_row(&text, encode_line(&t->lines[i], sure))) {
			free(text.p);
			return NULL;
		}
	if (t->total != 0)
		text.n--; /* no comma behind the last one */
	text.p[text.n++] = ']';
	text.p[text.n] = '\0';
	*len = text.n;
	return text.p;
}
