/* What sections firewall and timesync say to the rest. */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/draft.h"
#include "policy/nearest.h"

static struct pol_where
time_at(const struct pol_draft *d, const char *key)
{
	return pol_set_at(d, POL_SEC_TIMESYNC, key);
}

static void
unknown_listener(struct pol_draft *d, const char *name)
{
	struct pol_nearest nearest = { .word = name };
	char shown[POL_QUOTE_LEN];

	if (d->incomplete || d->listeners.n == 0)
		return; /* it may be in what was not understood */
	for (size_t i = 0; i < d->listeners.n; i++)
		pol_nearest_try(&nearest, d->listeners.list[i].name);
	pol_diag(d->diags, time_at(d, "listeners"), "there is no listener "
	    "\"%s\": did you mean \"%s\"?", pol_quote(shown, name),
	    nearest.best);
}

/* Why S cannot serve before the time is right; NULL: it can. */
static const char *
time_fault(const struct pol_section *s)
{
	size_t n = 0;

	if (s->has_kind && pol_kind_redirected(s->kind))
		return "is reached by a redirect only, which there is not "
		       "before the time is right";
	while (n < s->nplaces && s->places[n].addr.family == AF_UNIX)
		n++;
	if (n != 0 && n == s->nplaces)
		return "has only Unix sockets, which no firewall opens";
	return NULL;
}

static void
judge_time_listener(struct pol_draft *d, const char *name)
{
	struct pol_section *s = pol_section_find(&d->listeners, name);
	const char *fault;

	if (s == NULL) {
		unknown_listener(d, name);
		return;
	}
	s->timesync = true;
	fault = s->broken ? NULL : time_fault(s);
	if (fault != NULL)
		pol_diag(d->diags, time_at(d, "listeners"), "listener \"%s\" "
		    "%s: name one of kind \"socks\" or \"httptunnel\" that "
		    "has an address", name, fault);
}

/* As it was written: a name, or a number. */
static const char *
user_text(char dst[POL_NAME_LEN], const struct pol_user *u)
{
	if (u->name[0] != '\0')
		(void)snprintf(dst, POL_NAME_LEN, "%s", u->name);
	else
		(void)snprintf(dst, POL_NAME_LEN, "%u", u->uid);
	return dst;
}

static void
judge_time_users(struct pol_draft *d)
{
	const struct pol_timesync *t = &d->p->timesync;
	char text[POL_NAME_LEN];

	for (size_t i = 0; i < t->nusers; i++) {
		const char *whose = pol_user_of_ours(d->p, &t->users[i]);

		if (whose != NULL)
			pol_diag(d->diags, time_at(d, "users"), "user \"%s\" "
			    "is %s: name those of the programs that set the "
			    "clock", user_text(text, &t->users[i]), whose);
	}
}

void
pol_judge_timesync(struct pol_draft *d)
{
	const struct pol_timesync *t = &d->p->timesync;
	struct pol_where at = time_at(d, "required");

	for (size_t i = 0; i < d->ntime_listeners; i++)
		judge_time_listener(d, d->time_listeners[i]);
	judge_time_users(d);
	if (d->time_at.line != 0 && at.line == 0 && !d->incomplete)
		pol_warn(d->diags, d->time_at, "section \"timesync\" does "
		    "nothing without \"required\", so the gate opens before "
		    "the clock is right: add required = true");
	if (!t->required || d->incomplete)
		return;
	if (d->ntime_listeners == 0)
		pol_diag(d->diags, at, "with \"required\" the gate would wait "
		    "for ever: name in \"listeners\" those by which the clock "
		    "is set");
	if (t->nusers == 0 && !t->workstations && time_at(d, "users").line == 0)
		pol_diag(d->diags, at, "with \"required\" the gate would wait "
		    "for ever: name in \"users\" those who set the clock");
	else if (t->nusers == 0 && !t->workstations)
		pol_diag(d->diags, time_at(d, "users"), "\"users\" is empty "
		    "and \"workstations\" is not true: nobody could set the "
		    "clock; name a user");
}

/* Some listener is wrong: who needs one must not be told that it is not. */
static bool
listeners_whole(const struct pol_draft *d)
{
	for (size_t i = 0; i < d->listeners.n; i++)
		if (d->listeners.list[i].broken)
			return false;
	return !d->incomplete;
}

/* Workstations may set their clocks: by something that they can reach. */
static void
judge_time_reach(struct pol_draft *d)
{
	const struct pol_timesync *t = &d->p->timesync;

	if (!t->required || !t->workstations || d->ntime_listeners == 0)
		return;
	for (size_t i = 0; i < d->p->nlisteners; i++)
		if (d->p->listeners[i].timesync &&
		    !d->p->listeners[i].loopback)
			return;
	pol_diag(d->diags, time_at(d, "workstations"), "none of \"listeners\" "
	    "has an address that workstations reach: name one more, or leave "
	    "out \"workstations\"");
}

/* One word of "transparent", and what it takes. */
struct own {
	unsigned bit;
	const char *word;
	enum pol_kind kind;
};

/* The gateway's own traffic has one target per family. */
static void
judge_own(struct pol_draft *d, const struct own *own)
{
	struct pol_where at = pol_set_at(d, POL_SEC_FIREWALL, "transparent");
	const struct pol_listener *first[2] = { NULL, NULL };

	for (size_t i = 0; i < d->p->nlisteners; i++) {
		const struct pol_listener *l = &d->p->listeners[i];
		bool v6 = l->addr.family == AF_INET6;

		if (l->kind != own->kind || !l->loopback)
			continue;
		if (first[v6] != NULL) {
			pol_diag(d->diags, at, "\"%s\" has two targets, "
			    "listener \"%s\" and listener \"%s\": keep one "
			    "of kind \"%s\" on loopback", own->word,
			    first[v6]->name, l->name,
			    pol_kind_name(own->kind));
			return;
		}
		first[v6] = l;
	}
	if (first[0] == NULL && first[1] == NULL && listeners_whole(d))
		pol_diag(d->diags, at, "\"%s\" needs a listener of kind "
		    "\"%s\" on loopback: add one, for instance at 127.0.0.1",
		    own->word, pol_kind_name(own->kind));
}

static void
judge_transparent(struct pol_draft *d)
{
	static const struct own words[] = {
		{ POL_TRANSPARENT_TCP, "tcp", POL_TRANS },
		{ POL_TRANSPARENT_DNS, "dns", POL_DNS },
	};
	const struct pol_firewall *fw = &d->p->firewall;

	if (fw->transparent == 0)
		return;
	if (fw->mode == POL_MODE_VETO) {
		pol_diag(d->diags, pol_set_at(d, POL_SEC_FIREWALL,
		    "transparent"), "mode \"veto\" redirects nothing, that is "
		    "the other firewall's part: leave out \"transparent\"");
		return;
	}
	if (fw->routes == POL_ROUTES_FULL)
		pol_diag(d->diags, pol_set_at(d, POL_SEC_FIREWALL,
		    "transparent"), "with routes = \"full\" programs have no "
		    "route, and nothing to redirect: write routes = "
		    "\"internal\", or leave out \"transparent\"");
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if ((fw->transparent & words[i].bit) != 0)
			judge_own(d, &words[i]);
}

void
pol_judge_firewall(struct pol_draft *d)
{
	judge_transparent(d);
	if (listeners_whole(d))
		judge_time_reach(d);
}
