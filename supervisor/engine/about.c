#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/about.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlproto/cmd.h"
#include "controlproto/event.h"
#include "controlproto/reply.h"
#include "supervisor/engine/core.h"
#include "supervisor/log.h"

/* A consensus lives for hours; that Tor falls asleep is told this late. */
#define ABOUT_MS 10000
/* Bootstrap makes progress many times a second. */
#define AGAIN_MS 1000

#define UNRECOGNIZED 552

/* So much of a line of Tor's, which has 1024 at most, is looked at. */
#define LINE_READ 1024

enum key { K_DORMANT = 0, K_AFTER, K_FRESH, K_UNTIL, K_UPTIME, NKEY };
#define ALL_KEYS ((1u << NKEY) - 1)

/* One that is unknown spoils the answer to all of a question. */
static const char *const keys[NKEY] = {
	[K_DORMANT] = "dormant",
	[K_AFTER] = "consensus/valid-after",
	[K_FRESH] = "consensus/fresh-until",
	[K_UNTIL] = "consensus/valid-until",
	[K_UPTIME] = "uptime", /* Tor 0.3.5 */
};

void
about_reset(struct engine *e)
{
	struct about fresh = { .pid = e->about.pid };

	fresh.uptime = e->about.uptime;
	fresh.restarts = e->about.restarts;
	memcpy(fresh.since, e->about.since, sizeof fresh.since);
	e->about = fresh;
}

/* Another process than before; the first one is no restart. */
static void
note_start(struct engine *e, bool again)
{
	if (again)
		e->about.restarts++;
	e->ops->utc(e->arg, e->about.since, sizeof e->about.since);
	e->about.uptime = 0;
}

void
about_met(struct engine *e, int pid)
{
	if (pid == e->about.pid)
		return;
	note_start(e, e->about.pid != 0);
	e->about.pid = pid;
}

bool
about_due(const struct engine *e, uint64_t now)
{
	return now >= e->about.due && (ALL_KEYS & ~e->about.lacks) != 0;
}

/* The keys of the bits ASKED; how many. */
static size_t
names_of(const char **names, unsigned asked)
{
	size_t n = 0;

	for (unsigned i = 0; i < NKEY; i++)
		if ((asked & (1u << i)) != 0)
			names[n++] = keys[i];
	return n;
}

void
about_ask(struct engine *e, uint64_t now)
{
	struct about *a = &e->about;
	struct cp_cmd cmd = { 0 };
	const char *names[NKEY];
	size_t n;

	/* One by one: the lowest bit. */
	a->asked = a->left != 0 ? a->left & -a->left : ALL_KEYS & ~a->lacks;
	a->left &= ~a->asked;
	a->asked_at = now;
	a->due = a->left != 0 ? now : now + ABOUT_MS;
	n = names_of(names, a->asked);
	session_send(e, CMD_ABOUT, &cmd, cp_cmd_getinfo(&cmd, names, n), now);
}

void
about_soon(struct engine *e)
{
	struct about *a = &e->about;

	if (a->due > a->asked_at + AGAIN_MS)
		a->due = a->asked_at + AGAIN_MS;
}

/* A process's own count never goes back. */
static void
note_uptime(struct engine *e, struct cp_str v)
{
	char text[24];
	uint64_t s;

	s = strtoull(log_esc(text, sizeof text, v.p, v.n), NULL, 10);
	if (s < e->about.uptime)
		note_start(e, true);
	e->about.uptime = s;
}

static void
take(struct engine *e, enum key key, struct cp_str v)
{
	struct about *a = &e->about;
	struct consensus *c = &a->consensus;

	switch (key) {
	case K_DORMANT:
		a->dormant = cp_str_is(v, "1") ? SNAP_YES :
		    cp_str_is(v, "0") ? SNAP_NO : SNAP_UNKNOWN;
		break;
	case K_AFTER:
		c->known = true;
		(void)consensus_time(&c->valid_after, v);
		break;
	case K_FRESH:
		(void)consensus_time(&c->fresh_until, v);
		break;
	case K_UNTIL:
		(void)consensus_time(&c->valid_until, v);
		break;
	case K_UPTIME:
		if (v.n != 0)
			note_uptime(e, v);
		break;
	case NKEY:
		break;
	}
}

static void
take_all(struct engine *e, const struct cp_str *v)
{
	for (unsigned i = 0; i < NKEY; i++)
		if ((e->about.asked & (1u << i)) != 0)
			take(e, (enum key)i, *v++);
}

/* Which of them it was is not worth reading: each is asked by itself. */
static void
on_refused(struct engine *e, unsigned code, uint64_t now)
{
	struct about *a = &e->about;
	struct cp_str none = { "", 0 };

	if ((a->asked & (a->asked - 1)) != 0) {
		a->left = a->asked;
		a->due = now;
		return;
	}
	if (code == UNRECOGNIZED)
		a->lacks |= a->asked;
	else
		take_all(e, &none); /* it has none at present */
}

void
about_on_reply(struct engine *e, const struct cp_reply *reply, uint64_t now)
{
	const char *names[NKEY];
	struct cp_str v[NKEY];
	size_t n = names_of(names, e->about.asked);
	enum cp_err err = cp_reply_getinfo(reply, v, names, n);

	if (err == CP_OK)
		take_all(e, v);
	else if (err == CP_ERR_REFUSED)
		on_refused(e, cp_reply_code(reply), now);
	else
		engine_lose(e, LOSS_BYTES, cp_strerror(err), now);
}

/* --- bootstrap ----------------------------------------------------------- */

static const char *
severity_word(enum cp_severity severity)
{
	switch (severity) {
	case CP_SEV_DEBUG:
	case CP_SEV_INFO:
		return "INFO";
	case CP_SEV_WARN:
		return "WARN";
	case CP_SEV_ERR:
		return "ERR";
	case CP_SEV_NOTICE:
	case CP_SEV_UNKNOWN:
		break;
	}
	return "NOTICE";
}

/* TEXT without any " KEY=value". */
static void
cut(char *text, const char *key)
{
	struct cp_str value;
	char *from, *to;

	while (cp_kv_find(&value, cp_str_of(text), key, NULL)) {
		to = text + (value.p - text) + value.n;
		from = text + (value.p - text) - strlen(key) - 1;
		if (from > text && from[-1] == ' ')
			from--;
		else if (*to == ' ')
			to++;
		memmove(from, to, strlen(to) + 1);
	}
}

/* Who the other end is, and where, is nobody's business. */
static void
put_line(struct engine *e, enum cp_severity severity, struct cp_str keywords)
{
	struct about *a = &e->about;
	char text[LINE_READ], line[LINE_READ];
	size_t n = keywords.n < sizeof text - 1 ? keywords.n :
	    sizeof text - 1;

	memcpy(text, keywords.p, n);
	text[n] = '\0';
	cut(text, "HOSTID");
	cut(text, "HOSTADDR");
	n = (size_t)snprintf(line, sizeof line, "%s BOOTSTRAP ",
	    severity_word(severity));
	(void)log_esc(line + n, sizeof line - n, text, strlen(text));
	uplink_scrub(e, text, sizeof text, line);
	(void)snprintf(a->line, sizeof a->line, "%.*s",
	    (int)sizeof a->line - 1, text);
}

/* Has what a Tor says that has long been ready been put down already? */
static bool
is_done(const struct about *a, const struct cp_bootstrap *b,
    struct cp_str keywords)
{
#define DONE "PROGRESS=100 TAG=done SUMMARY=\"Done\""
	return b->severity == CP_SEV_NOTICE && cp_str_is(keywords, DONE) &&
	    strcmp(a->line, "NOTICE BOOTSTRAP " DONE) == 0;
#undef DONE
}

void
about_phase(struct engine *e, const struct cp_bootstrap *b,
    struct cp_str keywords)
{
	struct about *a = &e->about;
	struct cp_str word;

	if (is_done(a, b, keywords))
		return;
	a->line[0] = a->severity[0] = a->recommendation[0] = '\0';
	a->count = 0;
	if (keywords.n == 0)
		return;
	put_line(e, b->severity, keywords);
	(void)snprintf(a->severity, sizeof a->severity, "%s",
	    b->severity >= CP_SEV_WARN ? "warn" : "notice");
	a->count = b->count < UINT32_MAX ? (uint32_t)b->count : UINT32_MAX;
	if (cp_kv_find(&word, keywords, "RECOMMENDATION", NULL))
		(void)log_esc(a->recommendation, sizeof a->recommendation,
		    word.p, word.n);
}

/* --- circuits ------------------------------------------------------------ */

/*
 * Of one that was there before we were it is known when it was begun; a
 * circuit takes seconds.  Any other one has been built since the last look.
 */
void
about_circuit(struct engine *e, uint64_t id, struct cp_str line)
{
	struct about *a = &e->about;
	struct cp_str created;
	int64_t t;

	if (id <= a->built_id)
		return;
	a->built[0] = '\0';
	if (a->built_id != 0)
		e->ops->utc(e->arg, a->built, sizeof a->built);
	else if (cp_kv_find(&created, line, "TIME_CREATED", NULL) &&
	    consensus_time(&t, created))
		consensus_format(a->built, sizeof a->built, t);
	a->built_id = id;
}
