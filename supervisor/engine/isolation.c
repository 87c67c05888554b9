#include "supervisor/engine/isolation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlproto/event.h"
#include "supervisor/engine/verdict.h"
#include "supervisor/log.h"

/* Tor answers from memory; this is for a machine that has other work. */
#define FLAGS_MS 3000
/* A circuit takes 1 to 3 s to build, and the first try may fail. */
#define CIRCUIT_MS 12000

#define WITNESS_NET "233.252.0" /* MCAST-TEST-NET */
#define WITNESS_PORT 443
/* Below are ports that Tor may have reasons to treat specially. */
#define PORT_FIRST 1024
#define PORT_COUNT 64000

/* " SOURCE_ADDR=" and the address have room for 64 octets in Tor. */
#define TOR_SOURCE_LEN (63 - (sizeof " SOURCE_ADDR=" - 1))
#define TARGET_LEN POL_LISTENER_TEXT /* or "p0123abcd.exit:65535" */

/* What a busy machine did not show the first time is tried once more. */
enum pass { PASS_FLAGS = 0, PASS_AGAIN, PASS_CIRCUITS };

struct slot {
	bool used;
	size_t at; /* in t->ev */
	uint64_t deadline;
	char source[ISO_SOURCE_LEN]; /* empty: not known yet */
	char target[TARGET_LEN];     /* as Tor writes it */
	char stream[24];	     /* Tor's number; empty: not seen */
};

struct iso {
	const struct pol_policy *policy; /* borrowed */
	struct pol_addr ifaddrs[POL_MAX_IFADDRS];
	bool rejects;
	uint64_t ends;
	struct iso_evidence *ev; /* owned; POLICY->nlisteners fit */
	size_t n;
	size_t nwitnesses;
	size_t next;   /* to be tried next */
	enum pass pass;
	struct slot slots[ISO_SLOTS];
};

struct iso *
iso_new(const struct pol_policy *policy, const struct pol_addr *ifaddrs,
    bool rejects, uint64_t ends)
{
	struct iso *t = xcalloc(1, sizeof *t);

	t->policy = policy;
	if (ifaddrs != NULL)
		memcpy(t->ifaddrs, ifaddrs, sizeof t->ifaddrs);
	t->rejects = rejects;
	t->ends = ends;
	t->ev = xcalloc(policy->nlisteners + 1, sizeof *t->ev);
	return t;
}

void
iso_free(struct iso *t)
{
	if (t == NULL)
		return;
	free(t->ev);
	free(t);
}

static const struct pol_listener *
listener_of(const struct iso *t, size_t at)
{
	return &t->policy->listeners[t->ev[at].listener];
}

/* Addresses that Tor refuses to be asked for by a client. */
static bool
is_internal(const struct pol_addr *a)
{
	const unsigned char *b = a->family == AF_INET ?
	    (const unsigned char *)&a->v4 : a->v6.s6_addr;

	if (pol_addr_loopback(a))
		return true;
	if (a->family == AF_INET)
		return b[0] == 10 || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
		    (b[0] == 192 && b[1] == 168);
	return (b[0] & 0xfe) == 0xfc;
}

static bool
is_provable(const struct iso *t, const struct pol_listener *l)
{
	struct pol_addr addr;

	if (l->addr.family == AF_UNIX)
		return true;
	if (!pol_listener_addr(&addr, l, t->ifaddrs))
		return false;
	return l->kind != POL_TRANS || (t->rejects && is_internal(&addr));
}

/* One of each section that takes a name, and is not to share with others. */
static bool
is_witness(const struct iso *t, const struct pol_listener *l)
{
	unsigned fields;
	int64_t group;

	if (t->nwitnesses == ISO_WITNESSES ||
	    (l->kind != POL_SOCKS && l->kind != POL_HTTPTUNNEL))
		return false;
	if (verdict_wanted(&fields, &group, l))
		return false;
	for (size_t i = 0; i < t->n; i++)
		if (t->ev[i].witness &&
		    strcmp(listener_of(t, i)->name, l->name) == 0)
			return false;
	return true;
}

void
iso_add(struct iso *t, uint32_t number)
{
	const struct pol_listener *l = &t->policy->listeners[number];
	struct iso_evidence *ev = &t->ev[t->n];

	ev->listener = number;
	if (!is_provable(t, l))
		ev->seen = ISO_UNPROVABLE;
	else
		ev->witness = is_witness(t, l);
	t->nwitnesses += ev->witness;
	t->n++;
}

/* Is there anything to do at AT in this pass? */
static bool
wants(const struct iso *t, size_t at)
{
	const struct iso_evidence *ev = &t->ev[at];

	if (t->pass == PASS_CIRCUITS)
		return ev->witness && ev->seen == ISO_SEEN;
	return ev->seen == ISO_UNSEEN;
}

static bool
is_idle(const struct iso *t)
{
	for (size_t i = 0; i < ISO_SLOTS; i++)
		if (t->slots[i].used)
			return false;
	return true;
}

static int
free_slot(const struct iso *t)
{
	for (int i = 0; i < ISO_SLOTS; i++)
		if (!t->slots[i].used)
			return i;
	return -1;
}

static uint32_t
number_of(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static void
put(struct iso_probe *p, const void *data, size_t n)
{
	if (n > sizeof p->data - p->len)
		fatal("an isolation probe is too long");
	memcpy(p->data + p->len, data, n);
	p->len += n;
}

static void
put_u8(struct iso_probe *p, unsigned v)
{
	put(p, &(unsigned char){ (unsigned char)v }, 1);
}

static void
put_u16(struct iso_probe *p, unsigned v)
{
	put_u8(p, v >> 8);
	put_u8(p, v & 0xff);
}

/* Greeting and request at once: Tor reads on (RFC 1928, no auth). */
static void
put_socks(struct iso_probe *p, const char *name, uint16_t port)
{
	static const unsigned char head[] = { 5, 1, 0, 5, 1, 0, 3 };

	put(p, head, sizeof head);
	put_u8(p, (unsigned)strlen(name));
	put(p, name, strlen(name));
	put_u16(p, port);
}

static void
put_http(struct iso_probe *p, const char *name, uint16_t port)
{
	char line[ISO_PROBE_DATA];

	(void)snprintf(line, sizeof line, "CONNECT %s:%u HTTP/1.0\r\n\r\n",
	    name, port);
	put(p, line, strlen(line));
}

/* One question for the address of NAME (RFC 1035). */
static void
put_dns(struct iso_probe *p, const char *name, unsigned id)
{
	static const unsigned char rest[] = { 1, 0, 0, 1, 0, 0, 0, 0, 0, 0 };
	static const unsigned char tail[] = { 0, 0, 1, 0, 1 };
	size_t n;

	put_u16(p, id);
	put(p, rest, sizeof rest);
	for (; *name != '\0'; name += n + (name[n] == '.')) {
		n = strcspn(name, ".");
		put_u8(p, (unsigned)n);
		put(p, name, n);
	}
	put(p, tail, sizeof tail);
}

/* What to ask for, and what Tor will call it. */
static void
ask(struct iso *t, struct slot *s, struct iso_probe *p,
    const unsigned char rnd[ISO_RANDOM])
{
	enum pol_kind kind = listener_of(t, s->at)->kind;
	uint16_t port = (uint16_t)(PORT_FIRST + number_of(rnd) % PORT_COUNT);
	char name[sizeof "p0123abcd.exit"];

	if (t->pass == PASS_CIRCUITS) {
		(void)snprintf(name, sizeof name, WITNESS_NET ".%u",
		    1 + rnd[0] % 254u);
		port = WITNESS_PORT;
	} else {
		(void)snprintf(name, sizeof name, "p%08x.exit",
		    number_of(rnd + 4));
	}
	switch (kind) {
	case POL_SOCKS:
		put_socks(p, name, port);
		break;
	case POL_HTTPTUNNEL:
		put_http(p, name, port);
		break;
	case POL_DNS:
		put_dns(p, name, port);
		port = 0;
		break;
	case POL_TRANS: /* connecting is all: the target is itself */
		pol_listener_format(s->target, sizeof s->target, t->policy,
		    listener_of(t, s->at), t->ifaddrs);
		return;
	case POL_NKIND:
		return;
	}
	(void)snprintf(s->target, sizeof s->target, "%s:%u", name, port);
}

static void
aim(const struct iso *t, struct slot *s, struct iso_probe *p)
{
	const struct pol_listener *l = listener_of(t, s->at);

	p->datagram = pol_kind_l4proto(l->kind) == IPPROTO_UDP;
	p->port = l->port;
	p->path = l->path;
	if (l->addr.family != AF_UNIX) {
		(void)pol_listener_addr(&p->addr, l, t->ifaddrs);
		return;
	}
	p->addr.family = AF_UNIX;
	(void)snprintf(s->source, sizeof s->source, "%s:0", l->path);
}

/* The next listener of this pass, or of the next pass; false: none now. */
static bool
advance(struct iso *t)
{
	for (;;) {
		while (t->next < t->n && !wants(t, t->next))
			t->next++;
		if (t->next < t->n)
			break;
		/* A pass starts from all that the one before has seen. */
		if (t->pass == PASS_CIRCUITS || !is_idle(t))
			return false;
		t->pass++;
		t->next = 0;
	}
	return true;
}

int
iso_next(struct iso *t, struct iso_probe *out,
    const unsigned char rnd[ISO_RANDOM], uint64_t now)
{
	int i = free_slot(t);
	struct slot *s;

	if (i == -1 || now >= t->ends || !advance(t))
		return -1;
	s = &t->slots[i];
	memset(s, 0, sizeof *s);
	memset(out, 0, sizeof *out);
	s->used = true;
	s->at = t->next++;
	s->deadline = now + (t->pass == PASS_CIRCUITS ? CIRCUIT_MS :
	    FLAGS_MS);
	aim(t, s, out);
	ask(t, s, out, rnd);
	return i;
}

void
iso_connected(struct iso *t, int slot, const char *source)
{
	struct slot *s = &t->slots[slot];

	if (s->used && source[0] != '\0')
		(void)snprintf(s->source, sizeof s->source, "%s", source);
}

void
iso_failed(struct iso *t, int slot)
{
	t->slots[slot].used = false;
}

static bool
is_new(const struct cp_event *ev)
{
	return cp_str_is(ev->action, "NEW") ||
	    cp_str_is(ev->action, "NEWRESOLVE");
}

/* Is SOURCE our end of S?  A long path is cut, also by Tor 0.4.9. */
static bool
is_from(struct cp_str source, const struct slot *s)
{
	return cp_str_is(source, s->source) ||
	    (source.n == TOR_SOURCE_LEN &&
	    strncmp(source.p, s->source, TOR_SOURCE_LEN) == 0);
}

/* Is EV about the stream of S? */
static bool
is_mine(const struct slot *s, const struct cp_event *ev)
{
	const struct cp_stream *st = &ev->stream;

	if (!s->used)
		return false;
	if (s->stream[0] != '\0')
		return cp_str_is(st->id, s->stream);
	return is_new(ev) && s->source[0] != '\0' &&
	    is_from(st->source, s) &&
	    cp_str_is(st->target, s->target);
}

/* True when S has said all: group and fields, at once. */
static bool
take_flags(struct iso_evidence *ev, const struct cp_stream *st)
{
	int64_t group;

	if (ev->seen == ISO_UNSEEN && st->fields.n != 0 &&
	    verdict_group(&group, st->group)) {
		ev->group = group;
		ev->fields = verdict_fields(st->fields);
		ev->seen = ISO_SEEN;
	}
	return true; /* what names no group has nothing to add later */
}

/* True when S has said all: its first circuit, or its end without one. */
static bool
take_circuit(struct slot *s, struct iso_evidence *ev,
    const struct cp_event *event)
{
	const struct cp_stream *st = &event->stream;
	int64_t circuit;

	if (s->stream[0] == '\0') {
		if (st->id.n >= sizeof s->stream)
			return true;
		memcpy(s->stream, st->id.p, st->id.n);
	}
	if (cp_str_is(event->action, "SENTCONNECT") &&
	    verdict_group(&circuit, st->circuit) && circuit > 0) {
		ev->circuit = (uint64_t)circuit;
		return true;
	}
	return cp_str_is(event->action, "FAILED") ||
	    cp_str_is(event->action, "CLOSED");
}

int
iso_event(struct iso *t, const struct cp_event *ev)
{
	for (int i = 0; i < ISO_SLOTS; i++) {
		struct slot *s = &t->slots[i];

		if (!is_mine(s, ev))
			continue;
		if (t->pass == PASS_CIRCUITS ?
		    !take_circuit(s, &t->ev[s->at], ev) :
		    !take_flags(&t->ev[s->at], &ev->stream))
			return -1;
		s->used = false;
		return i;
	}
	return -1;
}

/* Where the kernel knows of no target, Tor closes without a NEW. */
static void
give_up(struct iso *t, size_t at)
{
	if (t->pass == PASS_AGAIN && t->ev[at].seen == ISO_UNSEEN &&
	    listener_of(t, at)->kind == POL_TRANS)
		t->ev[at].seen = ISO_UNPROVABLE;
}

void
iso_disturbed(struct iso *t, size_t at)
{
	t->ev[at].seen = ISO_DISTURBED;
}

int
iso_expire(struct iso *t, uint64_t now)
{
	for (int i = 0; i < ISO_SLOTS; i++) {
		if (!t->slots[i].used || now < t->slots[i].deadline)
			continue;
		t->slots[i].used = false;
		give_up(t, t->slots[i].at);
		return i;
	}
	return -1;
}

bool
iso_over(const struct iso *t, uint64_t now)
{
	if (now >= t->ends)
		return true;
	if (!is_idle(t) || t->pass != PASS_CIRCUITS)
		return false;
	for (size_t i = t->next; i < t->n; i++)
		if (wants(t, i))
			return false;
	return true;
}

uint64_t
iso_wake(const struct iso *t)
{
	uint64_t wake = t->ends;

	for (size_t i = 0; i < ISO_SLOTS; i++)
		if (t->slots[i].used && t->slots[i].deadline < wake)
			wake = t->slots[i].deadline;
	return wake;
}

void
iso_progress(const struct iso *t, char *dst, size_t cap)
{
	size_t seen = 0, witnesses = 0, circuits = 0;

	for (size_t i = 0; i < t->n; i++) {
		seen += t->ev[i].seen == ISO_SEEN;
		witnesses += t->ev[i].witness;
		circuits += t->ev[i].circuit != 0;
	}
	(void)snprintf(dst, cap, "%zu of %zu listeners seen, %zu of %zu "
	    "circuits.", seen, t->n, circuits, witnesses);
}

void
iso_judge(const struct iso *t, struct verdict *out)
{
	verdict_make(out, t->ev, t->n, t->policy);
}

const struct iso_evidence *
iso_evidence(const struct iso *t, size_t *n)
{
	*n = t->n;
	return t->ev;
}
