/*
 * Tor reports a launch by an event and all else by its log: a missing
 * program, one that may not be run and one that crashes look alike there, and
 * are started again every second for ever.
 */
#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/transports.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/engine/core.h"
#include "supervisor/log.h"

/* So often a program's file is looked at while it does not run. */
#define LOOK_MS 5000

static const char managed[] = "Managed proxy \"";

/* The first word of TEXT, unless there is none or it is too long. */
static void
take_program(struct uplink_plugin *p, const char *text)
{
	size_t n;

	if (text == NULL)
		return;
	text += strspn(text, " \t");
	n = strcspn(text, " \t");
	if (n < sizeof p->program)
		memcpy(p->program, text, n);
}

void
transports_plugin(struct uplink *u, const char *value)
{
	static const char exec[] = " exec ";
	const char *word = strstr(value, exec);
	const char *program = word != NULL ? word + sizeof exec - 1 : NULL;
	size_t methods = strcspn(value, " "), n;
	struct uplink_plugin *p;

	for (size_t i = 0; i < methods && u->nplugins < UPLINK_PLUGINS;
	    i += n + 1) {
		n = strcspn(value + i, ", ");
		p = &u->plugin[u->nplugins];
		memset(p, 0, sizeof *p);
		if (n == 0 || n >= sizeof p->method)
			continue;
		memcpy(p->method, value + i, n);
		u->nplugins++;
		take_program(p, program);
	}
}

/* Those that stay keep what is known of them, if it is the same program. */
static void
take_over(struct transport *t, const struct transports *old)
{
	for (size_t i = 0; i < old->n; i++) {
		if (strcmp(old->t[i].method, t->method) != 0 ||
		    strcmp(old->t[i].program, t->program) != 0)
			continue;
		t->launched = old->t[i].launched;
		t->deaths = old->t[i].deaths;
		memcpy(t->said, old->t[i].said, sizeof t->said);
	}
}

static void
find_program(const struct uplink *u, struct transport *t)
{
	for (size_t i = 0; i < u->nplugins && !t->plugin; i++) {
		if (strcmp(u->plugin[i].method, t->method) != 0)
			continue;
		t->plugin = true;
		memcpy(t->program, u->plugin[i].program, sizeof t->program);
	}
}

void
transports_changed(struct engine *e, uint64_t now)
{
	struct transports *ts = &e->transports, old = *ts;
	char methods[POL_MAX_METHODS][POL_NAME_LEN];
	struct transport *t;

	memset(ts, 0, sizeof *ts);
	ts->n = pol_needs_methods(methods, &e->uplink.needs);
	for (size_t i = 0; i < ts->n; i++) {
		t = &ts->t[i];
		memcpy(t->method, methods[i], sizeof t->method);
		t->policy = pol_transport_find(e->policy, t->method);
		find_program(&e->uplink, t);
		take_over(t, &old);
		t->look = now;
	}
}

void
transports_lost(struct engine *e)
{
	memset(&e->transports, 0, sizeof e->transports);
}

void
transports_on_launched(struct engine *e, struct cp_str text)
{
	struct transports *ts = &e->transports;
	char method[POL_NAME_LEN];
	const char *sp = text.n == 0 ? NULL : memchr(text.p, ' ', text.n);
	size_t n;

	if (sp == NULL ||
	    !cp_str_is((struct cp_str){ text.p, (size_t)(sp - text.p) },
	    "client"))
		return;
	text.n -= (size_t)(sp + 1 - text.p);
	text.p = sp + 1;
	sp = text.n == 0 ? NULL : memchr(text.p, ' ', text.n);
	n = sp != NULL ? (size_t)(sp - text.p) : text.n;
	log_esc(method, sizeof method, text.p, n);
	for (size_t i = 0; i < ts->n; i++) {
		if (strcmp(ts->t[i].method, method) != 0)
			continue;
		ts->t[i].launched = true;
		ts->t[i].no_proxy = false;
		ts->t[i].deaths = 0;
		ts->t[i].missing = 0;
	}
}

static bool
contains(struct cp_str text, const char *words)
{
	return text.n != 0 &&
	    memmem(text.p, text.n, words, strlen(words)) != NULL;
}

/* TEXT is about T; what the program itself has said follows a colon. */
static void
note(struct transport *t, struct cp_str text, size_t skip, uint64_t now)
{
	static const char died[] = "terminated with status code";

	if (contains(text, died)) {
		if (t->deaths < UINT32_MAX)
			t->deaths++;
		t->launched = false;
		t->look = now;
		return;
	}
	while (skip < text.n && (text.p[skip] == ':' || text.p[skip] == ' '))
		skip++;
	log_esc(t->said, sizeof t->said, text.p + skip, text.n - skip);
}

/* None that runs already can be the one that could not be set up. */
static void
note_no_proxy(struct transports *ts)
{
	for (size_t i = 0; i < ts->n; i++)
		if (!ts->t[i].launched)
			ts->t[i].no_proxy = true;
}

bool
transports_on_log(struct engine *e, struct cp_str text, uint64_t now)
{
	struct transports *ts = &e->transports;
	const size_t start = sizeof managed - 1;
	const char *end;
	bool any = false;

	if (contains(text, "pluggable transport's outgoing proxy")) {
		note_no_proxy(ts);
		return true;
	}
	if (text.n <= start || memcmp(text.p, managed, start) != 0)
		return false;
	end = memchr(text.p + start, '"', text.n - start);
	if (end == NULL)
		return false;
	for (size_t i = 0; i < ts->n; i++) {
		if (!cp_str_is((struct cp_str){ text.p + start,
		    (size_t)(end - text.p) - start }, ts->t[i].program))
			continue;
		note(&ts->t[i], text, (size_t)(end + 1 - text.p), now);
		any = true;
	}
	return any;
}

void
transports_settle(struct engine *e, uint64_t now)
{
	struct transports *ts = &e->transports;
	struct transport *t;

	for (size_t i = 0; i < ts->n; i++) {
		t = &ts->t[i];
		if (t->launched || t->program[0] == '\0' || now < t->look)
			continue;
		t->look = now + LOOK_MS;
		t->missing = e->ops->program(e->arg, t->program);
	}
}

uint64_t
transports_wake(const struct engine *e)
{
	const struct transports *ts = &e->transports;
	uint64_t wake = UINT64_MAX;

	for (size_t i = 0; i < ts->n; i++)
		if (!ts->t[i].launched && ts->t[i].program[0] != '\0' &&
		    ts->t[i].look < wake)
			wake = ts->t[i].look;
	return wake;
}

bool
transports_need(const struct engine *e, uint32_t permit)
{
	const struct transports *ts = &e->transports;
	const struct pol_transport *p;

	for (size_t i = 0; i < ts->n; i++) {
		if (ts->t[i].policy >= e->policy->ntransports)
			continue;
		p = &e->policy->transports[ts->t[i].policy];
		if ((permit == GATE_P_STUB && p->dns) ||
		    (permit == GATE_P_UDP && p->udp))
			return true;
	}
	return false;
}

/* A program of nobody's, or another than the policy's for that method. */
static bool
is_foreign(const struct engine *e, const struct transport *t)
{
	if (t->program[0] == '\0')
		return false;
	return t->policy >= e->policy->ntransports ||
	    strcmp(e->policy->transports[t->policy].program, t->program) != 0;
}

enum snap_transport_state
transports_state(const struct engine *e, const struct transport *t)
{
	if (!t->plugin)
		return SNAP_T_NO_PLUGIN;
	if (!t->launched && t->missing == EACCES)
		return SNAP_T_NOT_EXECUTABLE;
	if (!t->launched && t->missing != 0)
		return SNAP_T_NO_PROGRAM;
	if (!t->launched && t->deaths > 0)
		return SNAP_T_DIED;
	if (!t->launched && t->no_proxy)
		return SNAP_T_NO_PROXY;
	if (is_foreign(e, t))
		return SNAP_T_FOREIGN;
	/* It was launched before we came: what it carries shows. */
	if (t->launched || e->facts.at[FACT_USABLE] != 0)
		return SNAP_T_LAUNCHED;
	return SNAP_T_STARTING;
}
