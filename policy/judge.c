/* What can only be said of the settings together. */
#include <string.h>

#include "policy/draft.h"

static const struct pol_where nowhere = { NULL, 0 };

static void
need(struct pol_draft *d, bool there, const char *section, const char *name,
    const char *example)
{
	if (!there && !d->incomplete)
		pol_diag(d->diags, nowhere, "\"%s\" is not set: add it to "
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
		pol_diag(d->diags, nowhere, "there is no listener: add a "
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
}

static void
judge_ifaces(struct pol_draft *d)
{
	const struct pol_policy *p = d->p;
	struct pol_where in = pol_set_at(d, POL_SEC_GATEWAY, "internal");
	struct pol_where ext = pol_set_at(d, POL_SEC_GATEWAY, "external");

	for (size_t i = 0; i < p->ninternal; i++)
		for (size_t j = 0; j < p->nexternal; j++)
			if (strcmp(p->internal[i], p->external[j]) == 0)
				pol_diag(d->diags, ext, "interface \"%s\" is "
				    "also internal (line %u): it can be on "
				    "one side only", p->external[j], in.line);
}

static void
judge_times(struct pol_draft *d)
{
	struct pol_policy *p = d->p;
	struct pol_where at = pol_set_at(d, POL_SEC_GATEWAY, "probe_ms");

	if (at.line == 0)
		p->probe_ms = p->lease_ms / POL_PROBE_PART;
	else if (p->probe_ms > p->lease_ms / 2)
		pol_diag(d->diags, at, "probe_ms is %u: it can be at most "
		    "half of lease_ms, which is %u", p->probe_ms,
		    p->lease_ms);
}

static bool
same_user(const struct pol_user *a, const struct pol_user *b)
{
	if (a->resolved && b->resolved)
		return a->uid == b->uid;
	return a->name[0] != '\0' && strcmp(a->name, b->name) == 0;
}

static void
judge_users(struct pol_draft *d)
{
	const struct pol_policy *p = d->p;
	const struct {
		const struct pol_user *user;
		enum pol_section_id section;
		const char *key;
	} u[] = {
		{ &p->tor.user, POL_SEC_TOR, "user" },
		{ &p->gate_user, POL_SEC_USERS, "gate" },
		{ &p->engine_user, POL_SEC_USERS, "engine" },
		{ &p->status_user, POL_SEC_USERS, "status" },
	};

	for (size_t i = 1; i < sizeof u / sizeof u[0]; i++)
		for (size_t j = 0; j < i; j++)
			if (same_user(u[i].user, u[j].user))
				pol_diag(d->diags,
				    pol_set_at(d, u[i].section, u[i].key),
				    "\"%s\" of section \"%s\" is the same "
				    "user as \"%s\" of section \"%s\": they "
				    "must be different", u[i].key,
				    pol_section_name(u[i].section), u[j].key,
				    pol_section_name(u[j].section));
}

void
pol_judge(struct pol_draft *d)
{
	judge_ifaces(d);
	judge_needed(d);
	judge_tor(d);
	judge_times(d);
	judge_users(d);
	pol_judge_sections(d);
	pol_judge_listeners(d);
}
