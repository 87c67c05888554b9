/*
 * Listener and group sections: kept by name, and each listener completed
 * from its group.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/draft.h"
#include "policy/nearest.h"
#include "policy/options.h"

/* FNV-1a.  Whoever writes a policy can only slow down his own start. */
static size_t
bucket(const char *name)
{
	uint32_t hash = 2166136261u;

	for (; *name != '\0'; name++)
		hash = (hash ^ (uint8_t)*name) * 16777619u;
	return hash % POL_NBUCKETS;
}

struct pol_section *
pol_section_find(const struct pol_sections *s, const char *name)
{
	size_t i = s->buckets[bucket(name)];

	while (i != 0 && strcmp(s->list[i - 1].name, name) != 0)
		i = s->list[i - 1].next;
	return i == 0 ? NULL : &s->list[i - 1];
}

/* Room for one more than N elements of LIST, which doubles as it grows. */
static void *
grow(struct pol_draft *d, void *list, size_t n, size_t size)
{
	void *more;

	if ((n & (n - 1)) != 0)
		return list;
	more = reallocarray(list, n == 0 ? 1 : 2 * n, size);
	if (more == NULL)
		d->nomem = true;
	return more;
}

static struct pol_section *
append(struct pol_draft *d, struct pol_sections *s, const char *name)
{
	size_t *first = &s->buckets[bucket(name)];
	struct pol_section *list = grow(d, s->list, s->n, sizeof *list);

	if (list == NULL)
		return NULL;
	s->list = list;
	list[s->n].next = *first;
	*first = ++s->n;
	return &list[s->n - 1];
}

struct pol_section *
pol_section_open(struct pol_draft *d, enum pol_section_id id,
    const char *name)
{
	struct pol_sections *s =
	    id == POL_SEC_GROUP ? &d->groups : &d->listeners;
	struct pol_section *section = pol_section_find(s, name);
	size_t next;

	if (section == NULL)
		section = append(d, s, name);
	if (section == NULL)
		return NULL;
	next = section->next;
	memset(section, 0, sizeof *section);
	section->id = id;
	section->next = next;
	(void)snprintf(section->name, sizeof section->name, "%s", name);
	return section;
}

struct pol_pass *
pol_pass_open(struct pol_draft *d, enum pol_section_id id, const char *name,
    struct pol_where at)
{
	struct pol_passes *s =
	    id == POL_SEC_EGRESS ? &d->egress : &d->services;
	size_t i = 0;

	while (i < s->n && strcmp(s->list[i].name, name) != 0)
		i++;
	if (i == POL_MAX_PASSES) {
		pol_diag(d->diags, at, "%s \"%s\" is one too many: %d such "
		    "sections at most", pol_section_name(id), name,
		    POL_MAX_PASSES);
		return NULL;
	}
	if (i == s->n)
		s->n++;
	memset(&s->list[i], 0, sizeof s->list[i]);
	(void)snprintf(s->list[i].name, sizeof s->list[i].name, "%s", name);
	s->list[i].at = at;
	return &s->list[i];
}

bool
pol_path_add(struct pol_draft *d, const char *path, size_t *index)
{
	char (*paths)[POL_PATH_LEN] = grow(d, d->paths, d->npaths,
	    sizeof *paths);

	if (paths == NULL)
		return false;
	d->paths = paths;
	*index = d->npaths++;
	(void)snprintf(paths[*index], sizeof *paths, "%s", path);
	return true;
}

void
pol_draft_clear(struct pol_draft *d)
{
	free(d->groups.list);
	free(d->listeners.list);
	free(d->paths);
	pol_carriers_clear(&d->carriers);
}

/* Of S's addresses, those that are Unix sockets. */
static size_t
count_unix(const struct pol_section *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->nplaces; i++)
		n += s->places[i].addr.family == AF_UNIX;
	return n;
}

static bool
only_unix(const struct pol_section *s)
{
	return s->nplaces != 0 && count_unix(s) == s->nplaces;
}

/* FLAG as Tor writes it, appended to S's; false after a complaint. */
static bool
append_flag(struct pol_draft *d, struct pol_section *s, const char *flag)
{
	size_t used = strlen(s->flags);

	if (strlen(flag) + 1 >= sizeof s->flags - used) {
		pol_diag(d->diags, s->flags_at, "there are too many flags: %d "
		    "letters at most", POL_FLAGS_LEN - 1);
		return false;
	}
	(void)snprintf(s->flags + used, sizeof s->flags - used, "%s%s",
	    used != 0 ? " " : "", flag);
	return true;
}

/* WORD is no flag; NEAREST is. */
static void
unknown_flag(struct pol_draft *d, const struct pol_section *s,
    const char *word, const char *nearest)
{
	char shown[POL_QUOTE_LEN];
	const char *kind = pol_kind_option(s->kind);

	(void)pol_quote(shown, word);
	if (strchr(word, ' ') != NULL)
		pol_diag(d->diags, s->flags_at, "\"%s\" is more than one "
		    "flag: put each in quotes of its own, with commas between",
		    shown);
	else if (pol_flag_check(POL_SOCKS, word, NULL, 0))
		pol_diag(d->diags, s->flags_at, "\"%s\" is not a flag of %s, "
		    "only of other kinds: remove it", shown, kind);
	else
		pol_diag(d->diags, s->flags_at, "\"%s\" is not a flag of %s: "
		    "did you mean \"%s\"?", shown, kind, nearest);
}

static bool
add_word(struct pol_draft *d, struct pol_section *s, const char *word)
{
	char flag[POL_QUOTE_LEN];

	if (!pol_flag_unix(word, flag, sizeof flag) &&
	    !pol_flag_check(s->kind, word, flag, sizeof flag)) {
		unknown_flag(d, s, word, flag);
		return false;
	}
	return append_flag(d, s, flag);
}

/* The words of S, which has a kind, become its flags. */
static void
read_words(struct pol_draft *d, struct pol_section *s)
{
	char word[POL_WORDS_LEN];

	s->flags[0] = '\0';
	for (const char *p = s->words; *p != '\0';) {
		size_t n = strcspn(p, "\n");

		(void)snprintf(word, sizeof word, "%.*s", (int)n, p);
		if (!add_word(d, s, word))
			s->flags_bad = true;
		p += n + 1;
	}
}

/* Is FLAG one of P's? */
static bool
has_flag(const char *p, const char *flag, size_t len)
{
	while (*p != '\0') {
		size_t n = strcspn(p, " ");

		if (n == len && memcmp(p, flag, n) == 0)
			return true;
		p += n;
		p += strspn(p, " ");
	}
	return false;
}

#define HAS(s, flag) has_flag((s)->flags, flag, sizeof(flag) - 1)

/* What Tor itself refuses, or takes and half ignores. */
static const char *
flags_fault(const struct pol_section *s)
{
	bool no_ip = HAS(s, "NoIPv4Traffic") && HAS(s, "NoIPv6Traffic");

	if (HAS(s, "OnionTrafficOnly") && (HAS(s, "IPv4Traffic") ||
	    HAS(s, "IPv6Traffic") || HAS(s, "DNSRequest") ||
	    HAS(s, "NoOnionTraffic")))
		return "OnionTrafficOnly contradicts another flag: remove one "
		       "of them";
	if (no_ip && HAS(s, "NoOnionTraffic"))
		return "the flags leave no traffic at all: remove one of "
		       "them";
	if (no_ip && !HAS(s, "NoDNSRequest"))
		return "DNS requests need IPv4Traffic or IPv6Traffic: remove "
		       "one of the two, or write only OnionTrafficOnly";
	if (HAS(s, "KeepAliveIsolateSOCKSAuth") && HAS(s, "NoIsolateSOCKSAuth"))
		return "KeepAliveIsolateSOCKSAuth needs IsolateSOCKSAuth: "
		       "remove NoIsolateSOCKSAuth";
	return NULL;
}

/* Complain about S as a whole. */
#define SAY(d, s, fmt, ...)                                                  \
	pol_diag((d)->diags, (s)->at, "%s \"%s\"" fmt,                       \
	    pol_section_name((s)->id), (s)->name, __VA_ARGS__)

/* What the flags of one section say to each other. */
static void
judge_flags(struct pol_draft *d, const struct pol_section *s)
{
	static const char group[] = "SessionGroup=";
	const char *fault = flags_fault(s);
	const char *p = s->flags;
	unsigned groups = 0;

	if (fault != NULL)
		SAY(d, s, ": %s", fault);
	while (*p != '\0') {
		size_t n = strcspn(p, " ");
		const char *rest = p + n + strspn(p + n, " ");

		groups += strncmp(p, group, sizeof group - 1) == 0;
		if (strncmp(p, "No", 2) == 0 &&
		    has_flag(s->flags, p + 2, n - 2))
			SAY(d, s, ": %.*s contradicts %.*s: remove one of "
			    "them", (int)n, p, (int)n - 2, p + 2);
		if (has_flag(rest, p, n))
			SAY(d, s, " has %.*s twice: remove one", (int)n, p);
		p = rest;
	}
	if (groups > 1)
		SAY(d, s, " has SessionGroup more than once: keep %s", "one");
}

/* Flags for Unix sockets, where there are other addresses too. */
static void
judge_unix_flags(struct pol_draft *d, struct pol_section *s)
{
	const char *p = s->flags;

	while (s->nplaces != 0 && !only_unix(s) && *p != '\0') {
		char flag[POL_QUOTE_LEN];
		size_t n = strcspn(p, " ");

		(void)snprintf(flag, sizeof flag, "%.*s", (int)n, p);
		if (pol_flag_unix(flag, NULL, 0)) {
			pol_diag(d->diags, s->flags_at, "flag \"%s\" is for "
			    "Unix sockets only: remove it, or give them a "
			    "section of their own", flag);
			s->flags_bad = true;
		}
		p += n;
		p += strspn(p, " ");
	}
}

/* S's own flags; the kind may be its group's. */
static void
judge_own_flags(struct pol_draft *d, struct pol_section *s)
{
	read_words(d, s);
	judge_unix_flags(d, s);
	judge_flags(d, s);
}

static bool
is_internal(const struct pol_policy *p, const char *ifname)
{
	for (size_t i = 0; i < p->ninternal; i++)
		if (pol_iface_match(p->internal[i], ifname))
			return true;
	return false;
}

/* Interfaces that S itself names. */
static void
judge_ifnames(struct pol_draft *d, struct pol_section *s)
{
	if (!s->has_address || d->ifaces_bad || d->p->ninternal == 0)
		return;
	for (size_t i = 0; i < s->nplaces; i++) {
		const char *name = s->places[i].ifname;

		if (name[0] == '\0' || is_internal(d->p, name) ||
		    (i > 0 && strcmp(s->places[i - 1].ifname, name) == 0))
			continue;
		pol_diag(d->diags, s->address_at, "interface \"%s\" is not "
		    "one of \"internal\" in section \"gateway\": add it "
		    "there, or name another", name);
		s->broken = true;
	}
}

/* A kind and addresses that do not go together. */
static void
judge_place_kind(struct pol_draft *d, struct pol_section *s)
{
	if (s->has_kind && s->kind != POL_SOCKS && count_unix(s) != 0) {
		SAY(d, s, " has a Unix socket: only kind \"%s\" can",
		    pol_kind_name(POL_SOCKS));
		s->broken = true;
	}
	if (s->has_port && only_unix(s)) {
		SAY(d, s, " has only Unix sockets, which have no port: remove "
		    "\"%s\"", "port");
		s->broken = true;
	}
}

/* By itself, whether it is used or not. */
static void
judge_group(struct pol_draft *d, struct pol_section *g)
{
	/* Without a kind: SocksPort has every flag that there is. */
	judge_own_flags(d, g);
	judge_ifnames(d, g);
	judge_place_kind(d, g);
}

static void
unknown_group(struct pol_draft *d, const struct pol_section *s)
{
	char shown[POL_QUOTE_LEN];
	struct pol_nearest nearest = { .word = s->group };

	if (d->incomplete)
		return; /* it may be in what was not understood */
	for (size_t i = 0; i < d->groups.n; i++)
		pol_nearest_try(&nearest, d->groups.list[i].name);
	if (nearest.best == NULL)
		pol_diag(d->diags, s->group_at, "there is no group \"%s\": add "
		    "a section group \"name\"", pol_quote(shown, s->group));
	else
		pol_diag(d->diags, s->group_at, "there is no group \"%s\": did "
		    "you mean \"%s\"?", pol_quote(shown, s->group),
		    nearest.best);
}

/*
 * G's flags have been judged for G's kind.  Another kind takes others; and
 * whether all addresses are Unix sockets only S can tell.
 */
static void
inherit_flags(struct pol_draft *d, struct pol_section *s,
    const struct pol_section *g)
{
	memcpy(s->words, g->words, sizeof s->words);
	memcpy(s->flags, g->flags, sizeof s->flags);
	s->flags_at = g->flags_at;
	if (g->flags_bad)
		return;
	if (s->has_kind && s->kind != g->kind)
		read_words(d, s);
	judge_unix_flags(d, s);
}

static void
inherit_places(struct pol_section *s, const struct pol_section *g)
{
	if (!s->has_address) {
		memcpy(s->places, g->places, sizeof s->places);
		s->nplaces = g->nplaces;
	}
	if (!s->has_port && !only_unix(s)) {
		memcpy(s->ports, g->ports, sizeof s->ports);
		s->nports = g->nports;
	}
}

/* What S does not set itself. */
static void
inherit(struct pol_draft *d, struct pol_section *s)
{
	const struct pol_section *g = pol_section_find(&d->groups, s->group);

	if (g == NULL) {
		unknown_group(d, s);
		s->broken = true;
		return;
	}
	s->broken |= g->broken;
	if (!s->has_kind) {
		s->kind = g->kind;
		s->has_kind = g->has_kind;
	}
	inherit_places(s, g);
	if (!s->has_app)
		memcpy(s->app, g->app, sizeof s->app);
	if (!s->has_flags)
		inherit_flags(d, s, g);
}

static void
judge_whole(struct pol_draft *d, struct pol_section *s)
{
	const char *missing = NULL;

	if (!s->has_kind)
		missing = "kind";
	else if (s->nplaces == 0)
		missing = "address";
	else if (s->nports == 0 && !only_unix(s))
		missing = "port";
	if (missing == NULL)
		return;
	SAY(d, s, " has no \"%s\": add it", missing);
	s->broken = true;
}

static void
judge_section(struct pol_draft *d, struct pol_section *s)
{
	if (s->group_at.line != 0)
		inherit(d, s);
	if (s->has_flags && s->has_kind)
		judge_own_flags(d, s);
	judge_ifnames(d, s);
	if (!s->broken)
		judge_place_kind(d, s);
	if (!s->broken)
		judge_whole(d, s);
}

void
pol_judge_sections(struct pol_draft *d)
{
	for (size_t i = 0; i < d->groups.n; i++)
		judge_group(d, &d->groups.list[i]);
	for (size_t i = 0; i < d->listeners.n; i++)
		judge_section(d, &d->listeners.list[i]);
}
