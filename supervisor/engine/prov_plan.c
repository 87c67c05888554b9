/*
 * What to do about the difference between the policy and what is.
 */
#include "config.h" /* _GNU_SOURCE */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "controlproto/cmd.h"
#include "controlproto/reply.h"
#include "policy/options.h"
#include "supervisor/engine/provision.h"
#include "supervisor/log.h"

/* A listener that failed is tried again after this, doubling. */
#define DELAY_MIN_MS 1000
#define DELAY_MAX_MS 60000

/* An option's value as CONF_CHANGED has it: address, flags. */
#define VALUE_CAP 1024

/* --- withholding --------------------------------------------------------- */

void
prov_withhold(struct prov *p)
{
	struct prov_listener *l;

	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		l = &p->l[i];
		/* One that works may fail anew; a file may be deleted anew. */
		if (l->delay_ms != 0 && !prov_is_unix(p, i) &&
		    prov_listener_proven(p, i))
			l->delay_ms = 0;
		if (l->withheld || l->named || !prov_blocked(p, i))
			continue;
		l->withheld = true;
		p->version++;
	}
}

/* Could it be tried, as far as the kernel says? */
static bool
could_join(const struct prov *p, size_t i)
{
	return p->l[i].withheld && p->l[i].proof.kind != PROOF_NONE &&
	    !prov_blocked(p, i);
}

bool
prov_join(struct prov *p, uint64_t now)
{
	bool any = extras_join(&p->x, now);

	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		if (!could_join(p, i) || now < p->l[i].retry_at)
			continue;
		p->l[i].withheld = p->l[i].refused = false;
		any = true;
	}
	if (any)
		p->version++;
	return any;
}

uint64_t
prov_next_retry(const struct prov *p)
{
	uint64_t next = extras_next_retry(&p->x);

	for (size_t i = 0; i < p->policy->nlisteners; i++)
		if ((could_join(p, i) || p->l[i].proof.kind == PROOF_FILE) &&
		    p->l[i].retry_at < next)
			next = p->l[i].retry_at;
	return next;
}

static void
delay(struct prov_listener *l, uint64_t now)
{
	l->delay_ms = l->delay_ms == 0 ? DELAY_MIN_MS : l->delay_ms * 2;
	if (l->delay_ms > DELAY_MAX_MS)
		l->delay_ms = DELAY_MAX_MS;
	l->retry_at = now + l->delay_ms;
}

static void
fail(struct prov *p, size_t i, uint64_t now)
{
	struct prov_listener *l = &p->l[i];

	delay(l, now);
	l->failed_at = now;
	l->withheld = true;
	l->sought = false;
	l->refused = !prov_blocked(p, i);
	p->version++;
}

/*
 * "Could not bind to 10.0.0.1:9050: Address already in use. ..."  Only text
 * that is exactly a listener's means anything, and that only until a SETCONF
 * is accepted.
 */
void
prov_hint(struct prov *p, struct cp_str text)
{
	static const char start[] = "Could not bind to ";
	size_t n = sizeof start - 1, i;
	char address[POL_LISTENER_TEXT];
	const char *end;

	if (text.n <= n || memcmp(text.p, start, n) != 0)
		return;
	text.p += n;
	text.n -= n;
	end = memmem(text.p, text.n, ": ", 2);
	if (end == NULL || (size_t)(end - text.p) >= sizeof address)
		return;
	n = (size_t)(end - text.p);
	memcpy(address, text.p, n);
	address[n] = '\0';
	for (unsigned k = 0; k < POL_NKIND; k++) {
		i = prov_find(p, (enum pol_kind)k, address);
		if (i != SIZE_MAX)
			p->l[i].hinted = true;
	}
	extras_hint(&p->x, address);
}

/* Was Tor to open it, and has it not? */
static bool
is_suspect(const struct prov *p, size_t i)
{
	return !p->l[i].withheld && !p->l[i].named;
}

/*
 * Withhold the second half of the suspects, to join again as soon as the
 * first half is open; the last one left is the one.
 */
static bool
blame_half(struct prov *p, uint64_t now)
{
	size_t n = 0, keep;

	for (size_t i = 0; i < p->policy->nlisteners; i++)
		n += is_suspect(p, i);
	keep = n / 2;
	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		if (!is_suspect(p, i))
			continue;
		if (n == 1) {
			fail(p, i, now);
		} else if (keep > 0) {
			keep--;
		} else {
			p->l[i].withheld = p->l[i].refused = true;
			p->l[i].retry_at = now;
			p->version++;
		}
	}
	return n > 0;
}

bool
prov_blame(struct prov *p, uint64_t now)
{
	bool any = false;

	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		if (!is_suspect(p, i) ||
		    (!p->l[i].hinted && !prov_blocked(p, i)))
			continue;
		fail(p, i, now);
		any = true;
	}
	any |= extras_refuse_hinted(&p->x, now);
	return any || blame_half(p, now) || extras_refuse_unopened(p, now);
}

/* --- the plan ------------------------------------------------------------ */

/*
 * Tor applies new flags only to a listener that it opens anew, only one
 * opened anew belongs to Tor's uid, and only that makes a new file or stands
 * in for a lost socket.
 */
static bool
needs_cycle(const struct prov *p, size_t i, uint64_t now)
{
	const struct prov_listener *l = &p->l[i];

	if (l->withheld || l->gone || !prov_can_reopen(p, i))
		return false;
	if (l->lost)
		return l->line && l->proof.kind == PROOF_NO_SOCKET &&
		    !p->network_off;
	if (!l->named)
		return false;
	switch (l->proof.kind) {
	case PROOF_OK:
	case PROOF_NO_SOCKET:
		return l->doubt;
	case PROOF_ROOT:
		return l->doubt || !l->cycled;
	case PROOF_FILE:
		return now >= l->retry_at;
	case PROOF_NONE:
	case PROOF_NO_ADDR:
	case PROOF_FOREIGN:
		break;
	}
	/* It could not be opened again, or that is not known. */
	return false;
}

static bool
differs(const struct prov_listener *l)
{
	if (l->withheld)
		return l->named || l->line || l->stale;
	return !l->gone && (!l->named || !l->line);
}

bool
prov_drifted(const struct prov *p)
{
	bool any = p->network_off || p->surplus || extras_differ(p);
	const struct prov_listener *l;

	for (size_t i = 0; i < p->policy->nlisteners && !any; i++) {
		l = &p->l[i];
		any = differs(l) || (l->doubt && l->named && !l->withheld &&
		    prov_can_reopen(p, i));
	}
	return any;
}

enum prov_plan
prov_plan_make(const struct prov *p, uint64_t now)
{
	bool set = p->network_off || p->surplus || extras_differ(p);

	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		if (needs_cycle(p, i, now))
			return PROV_CYCLE;
		set |= differs(&p->l[i]);
	}
	return set ? PROV_SET : PROV_DONE;
}

static enum cp_err
make_setconf(struct cp_cmd *out, struct prov *p)
{
	struct pol_extra *extra = xcalloc(EXTRAS_MAX, sizeof *extra);
	struct pol_view view = { .withheld = p->left_out, .ifaddrs = p->last,
		.extra = extra, .marked = true, .uses = p->uses };
	struct pol_options o;
	struct cp_opt *opts;
	enum cp_err err = CP_ERR_NOMEM;

	view.nextra = extras_take(p, extra);
	if (pol_options_make(&o, p->policy, &view) == 0) {
		opts = xcalloc(o.n + 1, sizeof *opts);
		for (size_t i = 0; i < o.n; i++) {
			opts[i].name = o.list[i].name;
			opts[i].value = o.list[i].value;
		}
		err = cp_cmd_setconf(out, opts, o.n);
		free(opts);
		pol_options_clear(&o);
	}
	free(extra);
	return err;
}

/* Can it not be in the list, whatever the plan? */
static bool
is_out(const struct prov *p, size_t i)
{
	uint8_t k = p->policy->listeners[i].ifaddr;

	return p->l[i].withheld || (k != 0 && p->last[k - 1].family == 0);
}

bool
prov_shuts_dns(const struct prov *p, enum prov_plan plan, uint64_t now)
{
	if (!p->uses[POL_DNS])
		return false;
	/* In doubt since Tor was asked: what it has open may be any. */
	if (p->x.dns_ghost || !p->listeners[POL_DNS].valid)
		return true;
	for (size_t i = 0; i < p->policy->nlisteners; i++)
		if (p->policy->listeners[i].kind == POL_DNS &&
		    (p->l[i].named || p->l[i].lost) && (is_out(p, i) ||
		    (plan == PROV_CYCLE && needs_cycle(p, i, now))))
			return true;
	return false;
}

enum cp_err
prov_cmd_setconf(struct prov *p, struct cp_cmd *out, enum prov_plan plan,
    uint64_t now)
{
	struct prov_listener *l;

	for (size_t i = 0; i < p->policy->nlisteners; i++) {
		l = &p->l[i];
		l->hinted = false;
		p->left_out[i] = is_out(p, i);
		if (plan != PROV_CYCLE || !needs_cycle(p, i, now))
			continue;
		p->left_out[i] = l->cycled = true;
		if (l->proof.kind == PROOF_FILE)
			delay(l, now);
	}
	return make_setconf(out, p);
}

void
prov_accepted(struct prov *p)
{
	size_t n = p->policy->nlisteners;

	memcpy(p->good, p->left_out, n * sizeof *p->good);
	p->have_good = true;
	extras_accepted(&p->x);
	for (size_t i = 0; i < n; i++) {
		p->l[i].set = !p->good[i];
		if (p->good[i])
			p->l[i].lost = false;
		else
			p->l[i].opened = true;
	}
	/* Should Tor name as few as before, what we opened was shut. */
	for (unsigned k = 0; k < POL_NKIND; k++)
		p->listeners[k].valid = false;
	p->version++;
}

/* --- our own echo -------------------------------------------------------- */

/*
 * Is VALUE the line of a listener as we last set it?  *OTHER: it is one's,
 * but not as we set it.  Lines of the user's change nothing for ours.
 */
static bool
is_ours(struct prov *p, enum pol_kind kind, const char *value, bool *other)
{
	size_t i = prov_find_line(p, kind, value, &p->scans);

	if (i == SIZE_MAX)
		return false;
	if (!p->have_good || p->good[i] || p->l[i].told ||
	    !pol_option_same(&p->policy->listeners[i], value, p->last)) {
		*other = true;
		return false;
	}
	p->l[i].told = true;
	return true;
}

/* How many listeners of KIND did the last accepted SETCONF have? */
static size_t
nsent(const struct prov *p, enum pol_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < p->policy->nlisteners; i++)
		n += p->policy->listeners[i].kind == kind && !p->good[i];
	return n;
}

/* What an event says of each kind. */
struct tally {
	bool named;  /* it says something */
	bool other;  /* ... that is not ours */
	size_t ours; /* lines that are */
};

/* False: it cannot be read. */
static bool
tally_line(struct prov *p, struct tally *t, const struct cp_reply *event,
    size_t line, bool *network)
{
	char value[VALUE_CAP];
	struct cp_conf conf;
	enum pol_kind kind;

	if (cp_reply_conf(event, &conf, line) != CP_OK)
		return false;
	kind = prov_kind_of_key(conf.key);
	*network |= cp_str_is_nocase(conf.key, "DisableNetwork");
	if (kind == POL_NKIND || !p->uses[kind])
		return true;
	t[kind].named = true;
	if (conf.has_value &&
	    cp_conf_value(value, sizeof value, &conf) == CP_OK)
		t[kind].ours += is_ours(p, kind, value, &t[kind].other);
	return true;
}

unsigned
prov_changed_kinds(struct prov *p, const struct cp_reply *event,
    bool *network)
{
	struct tally t[POL_NKIND] = { 0 };
	unsigned kinds = 0;

	*network = false;
	p->scans = 0;
	for (size_t i = 0; i < p->policy->nlisteners; i++)
		p->l[i].told = false;
	for (size_t i = 0; i < cp_reply_nconf(event); i++) {
		if (tally_line(p, t, event, i, network))
			continue;
		*network = true;
		return PROV_ALL_KINDS;
	}
	for (unsigned k = 0; k < POL_NKIND; k++)
		if (t[k].named && (t[k].other || !p->have_good ||
		    t[k].ours != nsent(p, (enum pol_kind)k)))
			kinds |= PROV_KIND(k);
	return kinds;
}
