#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/extras.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/portline.h"
#include "supervisor/engine/privacy.h"
#include "supervisor/engine/provision.h"
#include "supervisor/log.h"

/* FNV-1a: it tells sets of strangers apart, it guards nothing. */
#define HASH_START 0xcbf29ce484222325u
#define HASH_PRIME 0x100000001b3u

/* What Tor could not bind is tried again after this, doubling. */
#define RETRY_MIN_MS 1000
#define RETRY_MAX_MS 60000

/* In the log no line is longer than this. */
#define LOG_VALUE 128

void
extras_init(struct extras *x)
{
	memset(x, 0, sizeof *x);
	x->list = xcalloc(EXTRAS_MAX, sizeof *x->list);
	x->old = xcalloc(EXTRAS_MAX, sizeof *x->old);
	x->strangers = xcalloc(EXTRAS_STRANGERS, sizeof *x->strangers);
}

void
extras_clear(struct extras *x)
{
	free(x->list);
	free(x->old);
	free(x->strangers);
	memset(x, 0, sizeof *x);
}

void
extras_forget(struct extras *x)
{
	x->n = x->nold = x->nover = x->nstrangers = 0;
	x->too_many = x->dns_ghost = false;
	x->ghosts = x->ghosts_sent = x->ghosts_left = 0;
}

void
extras_begin(struct extras *x)
{
	struct extra *list = x->old;

	x->old = x->list;
	x->nold = x->n;
	x->list = list;
	x->n = x->nover = 0;
}

static const struct extra *
find_extra(const struct extra *list, size_t n, enum pol_kind kind,
    const char *value)
{
	for (size_t i = 0; i < n; i++)
		if (list[i].kind == kind && strcmp(list[i].value, value) == 0)
			return &list[i];
	return NULL;
}

/* Where VALUE listens, for people; true if net/listeners writes it so. */
static bool
set_text(struct extra *t)
{
	struct pol_line line;

	if (!pol_line_parse(&line, t->value) || line.by_name ||
	    (line.addr.family != AF_UNIX && line.port == 0)) {
		(void)log_esc(t->text, sizeof t->text, t->value,
		    strcspn(t->value, " \t"));
		return false;
	}
	if (line.addr.family == AF_UNIX)
		(void)snprintf(t->text, sizeof t->text, "unix:%s", line.path);
	else
		pol_addrport_format(t->text, sizeof t->text, &line.addr,
		    line.port);
	return true;
}

static bool
collides(const struct prov *p, const struct extra *t)
{
	struct pol_line line;

	if (!p->uses[t->kind] || !pol_line_parse(&line, t->value))
		return false;
	for (size_t i = 0; i < p->policy->nlisteners; i++)
		if (pol_line_collides(&line, t->kind, &p->policy->listeners[i],
		    p->last))
			return true;
	return false;
}

/* Once for each line, not for each time that it is read. */
static void
log_alarm(const struct extras *x, const struct extra *t)
{
	const struct extra *old = find_extra(x->old, x->nold, t->kind,
	    t->value);
	char text[LOG_VALUE];

	if (old != NULL && old->wide == t->wide && old->dropped == t->dropped)
		return;
	(void)log_esc(text, sizeof text, t->value, strlen(t->value));
	if (t->dropped)
		log_warn("%s %s takes the place of one of the policy's "
		    "listeners: it is switched off",
		    pol_kind_option(t->kind), text);
	else if (t->wide)
		log_warn("%s %s, which the policy does not name, can be "
		    "reached from beyond this machine",
		    pol_kind_option(t->kind), text);
}

void
extras_add(struct prov *p, enum pol_kind kind, const char *value)
{
	struct extras *x = &p->x;
	struct extra *t;

	/* A default that is spelt out, or one more of the same, is none. */
	if (find_extra(x->list, x->n, kind, value) != NULL)
		return;
	/* (Nor can a line end be sent.) */
	if (x->n == EXTRAS_MAX || strlen(value) >= sizeof t->value ||
	    strpbrk(value, "\r\n") != NULL) {
		if (x->nover++ == 0)
			log_warn("Tor has more listeners, or longer lines, "
			    "than can be sent along with the policy's");
		return;
	}
	t = &x->list[x->n++];
	memset(t, 0, sizeof *t);
	t->kind = kind;
	t->in_conf = true;
	(void)snprintf(t->value, sizeof t->value, "%s", value);
	t->known_text = set_text(t);
	t->wide = pol_line_reachable(value);
	t->dropped = collides(p, t);
	log_alarm(x, t);
}

bool
extras_leftover(struct prov *p, enum pol_kind kind, const char *value)
{
	char text[LOG_VALUE];

	if (!pol_option_marked(value))
		return false;
	(void)log_esc(text, sizeof text, value, strlen(value) - 1);
	log_warn("%s %s was of an earlier policy: Tor is told to close it",
	    pol_kind_option(kind), text);
	p->uses[kind] = true;
	return true;
}

/* What we took away is still to be told of, or to be given back. */
void
extras_end(struct extras *x)
{
	const struct extra *old;

	for (size_t i = 0; i < x->nold && x->n < EXTRAS_MAX; i++) {
		old = &x->old[i];
		if ((!old->dropped && !old->paused) ||
		    find_extra(x->list, x->n, old->kind, old->value) != NULL)
			continue;
		x->list[x->n] = *old;
		x->list[x->n++].in_conf = false;
	}
}

void
extras_strangers_begin(struct extras *x)
{
	x->nstrangers = 0;
	x->too_many = false;
}

void
extras_stranger(struct extras *x, enum pol_kind kind, const char *text)
{
	struct stranger *s;

	if (x->nstrangers == EXTRAS_STRANGERS) {
		x->too_many = true;
		return;
	}
	s = &x->strangers[x->nstrangers++];
	s->kind = kind;
	(void)snprintf(s->text, sizeof s->text, "%s", text);
}

/*
 * Could S be T, a line that does not say on which port or host?  "auto" takes
 * any port of its address.
 */
static bool
may_be(const struct extra *t, const struct stranger *s)
{
	struct pol_line line;
	struct pol_addr addr;
	uint16_t port;

	if (!pol_line_parse(&line, t->value) || line.by_name)
		return true;
	return line.port == 0 && pol_addrport_parse(&addr, &port, s->text) &&
	    pol_addr_equal(&addr, &line.addr);
}

/* Does a line explain S?  One line explains one entry: USED says which did. */
static bool
explained(const struct extras *x, const struct stranger *s, bool *used)
{
	const struct extra *t;

	for (size_t i = 0; i < x->n; i++) {
		t = &x->list[i];
		if (used[i] || t->kind != s->kind || t->dropped)
			continue;
		if (t->known_text ? strcmp(t->text, s->text) != 0 :
		    !may_be(t, s))
			continue;
		used[i] = true;
		return true;
	}
	/* One that cannot be kept in the list is no ghost either. */
	return false;
}

static uint64_t
hash(const struct stranger *s)
{
	uint64_t h = HASH_START ^ s->kind;

	for (const char *c = s->text; *c != '\0'; c++)
		h = (h ^ (unsigned char)*c) * HASH_PRIME;
	return h | 1; /* somebody is not nobody */
}

void
extras_match(struct prov *p)
{
	struct extras *x = &p->x;
	bool used[EXTRAS_MAX] = { false };

	x->ghosts = x->too_many ? 1 : 0;
	x->dns_ghost = x->too_many;
	for (size_t i = 0; i < x->nstrangers; i++) {
		if (!p->uses[x->strangers[i].kind] ||
		    explained(x, &x->strangers[i], used))
			continue;
		x->ghosts += hash(&x->strangers[i]);
		x->dns_ghost |= x->strangers[i].kind == POL_DNS;
	}
	/* Gone: should they come back they are sent away again. */
	if (x->ghosts == 0)
		x->ghosts_left = 0;
}

bool
extras_differ(const struct prov *p)
{
	const struct extras *x = &p->x;

	for (size_t i = 0; i < x->n; i++)
		if (p->uses[x->list[i].kind] && (x->list[i].dropped ?
		    x->list[i].in_conf :
		    x->list[i].paused && !x->list[i].in_conf))
			return true;
	return x->ghosts != 0 && x->ghosts != x->ghosts_left;
}

/* The port may be free again, or the address there, by the next time. */
static void
refuse(struct extra *t, uint64_t now)
{
	char text[LOG_VALUE];
	bool first = t->delay_ms == 0;

	t->dropped = t->refused = true;
	t->delay_ms = first ? RETRY_MIN_MS : t->delay_ms * 2;
	if (t->delay_ms > RETRY_MAX_MS)
		t->delay_ms = RETRY_MAX_MS;
	t->retry_at = now + t->delay_ms;
	if (!first)
		return;
	(void)log_esc(text, sizeof text, t->value, strlen(t->value));
	log_warn("Tor cannot open %s %s, which the policy does not name: it "
	    "is tried again later", pol_kind_option(t->kind), text);
}

bool
extras_join(struct extras *x, uint64_t now)
{
	struct extra *t;
	bool any = false;

	for (size_t i = 0; i < x->n; i++) {
		t = &x->list[i];
		if (!t->refused || now < t->retry_at)
			continue;
		t->dropped = t->refused = false;
		t->paused = any = true;
	}
	return any;
}

uint64_t
extras_next_retry(const struct extras *x)
{
	uint64_t next = UINT64_MAX;

	for (size_t i = 0; i < x->n; i++)
		if (x->list[i].refused && x->list[i].retry_at < next)
			next = x->list[i].retry_at;
	return next;
}

void
extras_hint(struct extras *x, const char *text)
{
	for (size_t i = 0; i < x->n; i++)
		if (strcmp(x->list[i].text, text) == 0)
			x->list[i].hinted = true;
}

bool
extras_refuse_hinted(struct extras *x, uint64_t now)
{
	bool any = false;

	for (size_t i = 0; i < x->n; i++) {
		if (x->list[i].dropped || !x->list[i].hinted)
			continue;
		refuse(&x->list[i], now);
		any = true;
	}
	return any;
}

static bool
is_open(const struct extras *x, const struct extra *t)
{
	for (size_t i = 0; i < x->nstrangers; i++)
		if (x->strangers[i].kind == t->kind &&
		    (!t->known_text ||
		    strcmp(x->strangers[i].text, t->text) == 0))
			return true;
	return false;
}

bool
extras_refuse_unopened(struct prov *p, uint64_t now)
{
	struct extras *x = &p->x;
	bool any = false;

	for (size_t i = 0; i < x->n; i++) {
		if (x->list[i].dropped || !p->uses[x->list[i].kind] ||
		    is_open(x, &x->list[i]))
			continue;
		refuse(&x->list[i], now);
		any = true;
	}
	return any;
}

/*
 * Would Tor keep a listener open for LINE ("auto") that is to be shut?  It
 * takes any of that kind and address.
 */
static bool
takes_shut(const struct prov *p, enum pol_kind kind,
    const struct pol_line *line)
{
	const struct pol_listener *l;
	struct pol_addr addr;

	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		l = &p->policy->listeners[i];
		if (!p->left_out[i] || !p->l[i].named || l->kind != kind ||
		    !pol_listener_addr(&addr, l, p->last))
			continue;
		if (line->by_name || pol_addr_equal(&addr, &line->addr))
			return true;
	}
	return false;
}

static bool
must_pause(const struct prov *p, const struct extra *t)
{
	struct pol_line line;

	return pol_line_parse(&line, t->value) && !line.off &&
	    line.port == 0 && line.addr.family != AF_UNIX &&
	    takes_shut(p, t->kind, &line);
}

size_t
extras_take(struct prov *p, struct pol_extra *list)
{
	struct extras *x = &p->x;
	size_t n = 0;

	for (size_t i = 0; i < x->n; i++) {
		if (x->list[i].dropped || !p->uses[x->list[i].kind])
			continue;
		x->list[i].hinted = false;
		if (must_pause(p, &x->list[i])) {
			x->list[i].paused = true;
			continue;
		}
		list[n].kind = x->list[i].kind;
		list[n++].value = x->list[i].value;
	}
	x->ghosts_sent = x->ghosts;
	return n;
}

void
extras_accepted(struct extras *x)
{
	x->ghosts_left = x->ghosts_sent;
}

/* One that was refused remains so while it is tried again. */
static bool
is_alarm(const struct extra *t)
{
	return t->wide || t->dropped || t->delay_ms != 0;
}

static void
tell_some(const struct extras *x, struct snapshot *s,
    const struct privacy *privacy, bool alarm)
{
	struct snap_extra *e;

	for (size_t i = 0; i < x->n; i++) {
		if (is_alarm(&x->list[i]) != alarm)
			continue;
		s->nalarm += alarm;
		if (s->nextra++ >= SNAP_MAX_EXTRA)
			continue;
		e = &s->extra[s->nextra - 1];
		e->kind = x->list[i].kind;
		e->alarm = alarm;
		privacy_where(e->address, sizeof e->address, privacy,
		    x->list[i].value);
	}
}

void
extras_tell(const struct extras *x, struct snapshot *s,
    const struct privacy *privacy)
{
	s->nextra = s->nalarm = 0;
	tell_some(x, s, privacy, true);
	s->nextra += (uint32_t)x->nover;
	s->nalarm += (uint32_t)x->nover;
	tell_some(x, s, privacy, false);
}
