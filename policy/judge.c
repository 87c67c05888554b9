/* What can only be said of the settings together. */
#include <stdio.h>
#include <string.h>

#include "policy/draft.h"
#include "policy/nearest.h"

/* The policy as a whole: the file that the rest is added to. */
static struct pol_where
nowhere(const struct pol_draft *d)
{
	return (struct pol_where){ d->main, 0 };
}

/* Room for a place, in words. */
#define PLACE_LEN 160

/* "portcullis.conf, line 5"; another file may have set it. */
static const char *
place(char dst[PLACE_LEN], struct pol_where at)
{
	if (at.line == 0)
		(void)snprintf(dst, PLACE_LEN, "by default");
	else
		(void)snprintf(dst, PLACE_LEN, "%.120s, line %u", at.file,
		    at.line);
	return dst;
}

static void
need(struct pol_draft *d, bool there, const char *section, const char *name,
    const char *example)
{
	if (!there && !d->incomplete)
		pol_diag(d->diags, nowhere(d), "\"%s\" is not set: add it to "
		    "section \"%s\", for instance %s = %s", name, section,
		    name, example);
}

static bool
was_set(const struct pol_draft *d, enum pol_section_id section,
    const char *name)
{
	return pol_set_at(d, section, name).line != 0;
}

static void
judge_needed(struct pol_draft *d)
{
	need(d, was_set(d, POL_SEC_TOR, "user"), "tor", "user",
	    "\"debian-tor\"");
	need(d, was_set(d, POL_SEC_TOR, "control"), "tor", "control",
	    "\"unix:/run/tor/control\"");
	need(d, was_set(d, POL_SEC_GATEWAY, "internal"), "gateway",
	    "internal", "{ \"eth1\" }");
	need(d, was_set(d, POL_SEC_GATEWAY, "external"), "gateway",
	    "external", "{ \"eth0\" }");
	if (d->listeners.n == 0 && !d->incomplete)
		pol_diag(d->diags, nowhere(d), "there is no listener: add a "
		    "section listener \"name\" with kind, address and port");
}

static void
judge_tor(struct pol_draft *d)
{
	const struct pol_tor *tor = &d->p->tor;

	if ((tor->auth & POL_AUTH_PASSWORD) != 0 &&
	    !was_set(d, POL_SEC_TOR, "password_file") && !d->incomplete)
		pol_diag(d->diags, pol_set_at(d, POL_SEC_TOR, "auth"),
		    "method \"password\" needs \"password_file\": add it, or "
		    "remove the method");
	/* Else what says that it is Tor would be sent any file of 32 octets. */
	if ((tor->auth & POL_AUTH_COOKIE) != 0 &&
	    !was_set(d, POL_SEC_TOR, "cookie_file") && !d->incomplete)
		pol_diag(d->diags, pol_set_at(d, POL_SEC_TOR, "auth"),
		    "method \"cookie\" needs \"cookie_file\", since Tor is "
		    "sent what is in it: add it, or remove the method");
}

static void
judge_ifaces(struct pol_draft *d)
{
	const struct pol_policy *p = d->p;
	struct pol_where in = pol_set_at(d, POL_SEC_GATEWAY, "internal");
	struct pol_where ext = pol_set_at(d, POL_SEC_GATEWAY, "external");
	char there[PLACE_LEN];

	for (size_t i = 0; i < p->ninternal; i++)
		for (size_t j = 0; j < p->nexternal; j++)
			if (pol_iface_match(p->internal[i], p->external[j]))
				pol_diag(d->diags, ext, "interface \"%s\" is "
				    "also internal (%s: \"%s\"): it can be "
				    "on one side only", p->external[j],
				    place(there, in), p->internal[i]);
}

/* Do two lists of an internal interface's names have one in common? */
static bool
patterns_meet(const char *a, const char *b)
{
	size_t na = strlen(a), nb = strlen(b);

	if (na == 0 || nb == 0 || a[na - 1] != '*' || b[nb - 1] != '*')
		return pol_iface_match(a, b) || pol_iface_match(b, a);
	na = na < nb ? na : nb;
	return strncmp(a, b, na - 1) == 0;
}

/* One interface must not be two; names that are equal are known already. */
static void
judge_patterns(struct pol_draft *d)
{
	const struct pol_policy *p = d->p;
	struct pol_where in = pol_set_at(d, POL_SEC_GATEWAY, "internal");

	for (size_t i = 0; i < p->ninternal; i++)
		for (size_t j = 0; j < i; j++)
			if (strcmp(p->internal[i], p->internal[j]) != 0 &&
			    patterns_meet(p->internal[i], p->internal[j]))
				pol_diag(d->diags, in, "\"%s\" and \"%s\" "
				    "mean the same interfaces in part: "
				    "remove the narrower one", p->internal[j],
				    p->internal[i]);
}

/* VPN only: Tor cannot leave by what is not external. */
static void
judge_tor_ifaces(struct pol_draft *d)
{
	const struct pol_policy *p = d->p;
	struct pol_where at = pol_set_at(d, POL_SEC_TOR, "interface");

	if (d->ifaces_bad || p->nexternal == 0)
		return;
	if (at.line != 0 && p->tor.nifaces == 0)
		pol_warn(d->diags, at, "\"interface\" is empty, so Tor may "
		    "leave by every external interface: name one, or leave "
		    "\"interface\" out if that is meant");
	for (size_t i = 0; i < p->tor.nifaces; i++) {
		const char *name = p->tor.ifaces[i];
		struct pol_nearest nearest = { .word = name };

		for (size_t j = 0; j < p->nexternal; j++)
			pol_nearest_try(&nearest, p->external[j]);
		if (strcmp(name, nearest.best) != 0)
			pol_diag(d->diags, at, "interface \"%s\" is not one "
			    "of \"external\" in section \"gateway\": add it "
			    "there, or write \"%s\"", name, nearest.best);
	}
}

static void
judge_times(struct pol_draft *d)
{
	struct pol_policy *p = d->p;
	struct pol_where at = pol_set_at(d, POL_SEC_GATEWAY, "probe_ms");
	struct pol_where lease = pol_set_at(d, POL_SEC_GATEWAY, "lease_ms");
	char there[PLACE_LEN];

	if (at.line == 0)
		p->probe_ms = p->lease_ms / POL_PROBE_PART;
	else if (p->probe_ms > p->lease_ms / 2)
		pol_diag(d->diags, at, "probe_ms is %u: it can be at most "
		    "half of lease_ms, which is %u (%s)", p->probe_ms,
		    p->lease_ms, place(there, lease));
}

bool
pol_same_user(const struct pol_user *a, const struct pol_user *b)
{
	if (a->resolved && b->resolved)
		return a->uid == b->uid;
	return a->name[0] != '\0' && strcmp(a->name, b->name) == 0;
}

const char *
pol_user_of_ours(const struct pol_policy *p, const struct pol_user *u)
{
	if (pol_same_user(u, &p->tor.user))
		return "Tor's";
	if (pol_same_user(u, &p->gate_user))
		return "our gate's";
	if (pol_same_user(u, &p->engine_user))
		return "our engine's";
	if (pol_same_user(u, &p->status_user))
		return "our status program's";
	if (pol_same_user(u, &p->resolver_user))
		return "our resolver's";
	return NULL;
}

/* One of the four who must be different. */
struct own {
	const struct pol_user *user;
	enum pol_section_id section;
	const char *key;
};

static void
judge_pair(struct pol_draft *d, const struct own *a, const struct own *b)
{
	struct pol_where at = pol_set_at(d, a->section, a->key);
	struct pol_where other = pol_set_at(d, b->section, b->key);
	char there[PLACE_LEN];

	if (!pol_same_user(a->user, b->user))
		return;
	/* One of the two was set, or they would differ. */
	pol_diag(d->diags, at.line != 0 ? at : other, "\"%s\" of section "
	    "\"%s\" is the same user as \"%s\" of section \"%s\" (%s): they "
	    "must be different", a->key, pol_section_name(a->section), b->key,
	    pol_section_name(b->section),
	    at.line != 0 ? place(there, other) : "the former by default");
}

static void
judge_users(struct pol_draft *d)
{
	const struct pol_policy *p = d->p;
	const struct own u[] = {
		{ &p->tor.user, POL_SEC_TOR, "user" },
		{ &p->gate_user, POL_SEC_USERS, "gate" },
		{ &p->engine_user, POL_SEC_USERS, "engine" },
		{ &p->status_user, POL_SEC_USERS, "status" },
		{ &p->resolver_user, POL_SEC_USERS, "resolver" },
	};

	for (size_t i = 1; i < sizeof u / sizeof u[0]; i++)
		for (size_t j = 0; j < i; j++)
			judge_pair(d, &u[i], &u[j]);
}

void
pol_judge(struct pol_draft *d)
{
	judge_ifaces(d);
	judge_patterns(d);
	judge_tor_ifaces(d);
	judge_needed(d);
	judge_tor(d);
	judge_times(d);
	judge_users(d);
	pol_judge_sections(d);
	pol_judge_timesync(d);
	pol_judge_listeners(d);
	pol_judge_firewall(d);
	pol_judge_passes(d);
	pol_judge_uplink(d);
}
