#include "supervisor/engine/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "supervisor/log.h"

/* Tor's name of a field, and the policy's flag that asks for it. */
static const struct {
	const char *name;
	const char *flag; /* NULL: no flag can switch it */
	unsigned bit;
} fields[] = {
	{ "SESSION_GROUP", NULL, ISO_SESSION_GROUP },
	{ "DESTADDR", "IsolateDestAddr", ISO_DESTADDR },
	{ "DESTPORT", "IsolateDestPort", ISO_DESTPORT },
	{ "SOCKS_USERNAME", "IsolateSOCKSAuth", ISO_SOCKS_USERNAME },
	{ "SOCKS_PASSWORD", "IsolateSOCKSAuth", ISO_SOCKS_PASSWORD },
	{ "CLIENTADDR", "IsolateClientAddr", ISO_CLIENTADDR },
	{ "CLIENT_PROTOCOL", "IsolateClientProtocol", ISO_CLIENT_PROTOCOL },
};
#define NFIELDS (sizeof fields / sizeof fields[0])

/* What Tor does without any flag. */
#define DEFAULT_FIELDS (ISO_SESSION_GROUP | ISO_SOCKS_USERNAME | \
    ISO_SOCKS_PASSWORD | ISO_CLIENTADDR)

#define GROUP_FLAG "SessionGroup="

/* FLAG is one word of a policy's flags, as Tor spells them. */
static void
apply_flag(unsigned *want, const char *flag)
{
	bool on = strncasecmp(flag, "No", 2) != 0;

	if (!on)
		flag += 2;
	for (size_t i = 0; i < NFIELDS; i++) {
		if (fields[i].flag == NULL ||
		    strcasecmp(flag, fields[i].flag) != 0)
			continue;
		if (on)
			*want |= fields[i].bit;
		else
			*want &= ~fields[i].bit;
	}
}

bool
verdict_wanted(unsigned *want, int64_t *group, const struct pol_listener *l)
{
	char flags[sizeof l->flags];
	char *rest, *word;
	bool grouped = false;
	const size_t n = sizeof GROUP_FLAG - 1;

	*want = DEFAULT_FIELDS;
	*group = 0;
	memcpy(flags, l->flags, sizeof flags);
	for (word = strtok_r(flags, " ", &rest); word != NULL;
	    word = strtok_r(NULL, " ", &rest)) {
		if (strncasecmp(word, GROUP_FLAG, n) == 0)
			grouped = verdict_group(group, cp_str_of(word + n));
		else
			apply_flag(want, word);
	}
	/* The clients of a Unix socket have no address to tell them apart. */
	if (l->addr.family == AF_UNIX)
		*want &= ~(unsigned)ISO_CLIENTADDR;
	return grouped;
}

/* WORD is a flag that the ISO_FIELDS or the SESSION_GROUP show. */
static bool
is_shown(const char *word)
{
	if (strncasecmp(word, GROUP_FLAG, sizeof GROUP_FLAG - 1) == 0)
		return true;
	if (strncasecmp(word, "No", 2) == 0)
		word += 2;
	for (size_t i = 0; i < NFIELDS; i++)
		if (fields[i].flag != NULL &&
		    strcasecmp(word, fields[i].flag) == 0)
			return true;
	return false;
}

bool
verdict_covers(const struct pol_listener *l)
{
	char flags[sizeof l->flags];
	char *rest, *word;

	memcpy(flags, l->flags, sizeof flags);
	for (word = strtok_r(flags, " ", &rest); word != NULL;
	    word = strtok_r(NULL, " ", &rest))
		if (!is_shown(word))
			return false;
	return true;
}

unsigned
verdict_fields(struct cp_str names)
{
	unsigned found = 0;
	size_t start = 0;

	for (size_t i = 0; i <= names.n; i++) {
		if (i < names.n && names.p[i] != ',')
			continue;
		for (size_t k = 0; k < NFIELDS; k++)
			if (i > start && cp_str_is((struct cp_str){
			    names.p + start, i - start }, fields[k].name))
				found |= fields[k].bit;
		start = i + 1;
	}
	return found;
}

bool
verdict_group(int64_t *out, struct cp_str text)
{
	size_t i = text.n > 0 && text.p[0] == '-' ? 1 : 0;
	bool negative = i == 1;
	int64_t v = 0;

	if (i == text.n)
		return false;
	for (; i < text.n; i++) {
		if (text.p[i] < '0' || text.p[i] > '9' ||
		    v > (INT64_MAX - 9) / 10)
			return false;
		v = v * 10 + (text.p[i] - '0');
	}
	*out = negative ? -v : v;
	return true;
}

static void
add_fail(struct verdict *v, struct iso_fail f)
{
	if (v->nfails < VERDICT_MAX_FAILS)
		v->fails[v->nfails] = f;
	v->nfails++;
}

/* What is in force at one listener against what the policy wants there. */
static void
judge_fields(struct verdict *v, const struct iso_evidence *ev,
    const struct pol_listener *l)
{
	unsigned want, wrong;
	int64_t group;
	bool grouped = verdict_wanted(&want, &group, l);

	wrong = want ^ ev->fields;
	/* User name and password are one flag: one sentence. */
	if ((wrong & ISO_SOCKS_USERNAME) != 0)
		wrong &= ~(unsigned)ISO_SOCKS_PASSWORD;
	for (size_t i = 0; i < NFIELDS; i++) {
		if ((wrong & fields[i].bit) == 0)
			continue;
		add_fail(v, (struct iso_fail){
		    .kind = (want & fields[i].bit) != 0 ? ISO_FAIL_LOST :
		    ISO_FAIL_EXTRA, .a = ev->listener,
		    .flag = fields[i].flag != NULL ? fields[i].flag :
		    "isolation from other listeners" });
	}
	/* Groups that Tor gives by itself are negative. */
	if (grouped ? ev->group != group : ev->group >= 0)
		add_fail(v, (struct iso_fail){ .kind = ISO_FAIL_GROUP,
		    .a = ev->listener, .value = ev->group });
}

enum iso_flags
verdict_flags(const struct iso_evidence *ev, const struct pol_policy *policy)
{
	struct verdict v = { 0 };

	if (ev->seen != ISO_SEEN)
		return ISO_FLAGS_UNKNOWN;
	judge_fields(&v, ev, &policy->listeners[ev->listener]);
	return v.nfails == 0 ? ISO_FLAGS_RIGHT : ISO_FLAGS_WRONG;
}

static void
judge_one(struct verdict *v, const struct iso_evidence *ev,
    const struct pol_policy *policy)
{
	switch (ev->seen) {
	case ISO_UNSEEN:
		add_fail(v, (struct iso_fail){ .kind = ISO_FAIL_SILENT,
		    .a = ev->listener });
		break;
	case ISO_DISTURBED:
		add_fail(v, (struct iso_fail){ .kind = ISO_FAIL_DISTURBED,
		    .a = ev->listener });
		break;
	case ISO_UNPROVABLE:
		v->nunprovable++;
		break;
	case ISO_SEEN:
		judge_fields(v, ev, &policy->listeners[ev->listener]);
		break;
	}
	if (!ev->witness)
		return;
	v->nwitnesses++;
	if (ev->circuit != 0)
		v->ncircuits++;
}

/* Does the policy itself put both into one group? */
static bool
may_share(const struct pol_policy *policy, uint32_t a, uint32_t b)
{
	unsigned want;
	int64_t ga, gb;

	return verdict_wanted(&want, &ga, &policy->listeners[a]) &&
	    verdict_wanted(&want, &gb, &policy->listeners[b]) && ga == gb;
}

static int
by_group(const void *pa, const void *pb)
{
	const struct iso_evidence *a = pa, *b = pb;

	if (a->group != b->group)
		return a->group < b->group ? -1 : 1;
	return a->listener < b->listener ? -1 : a->listener > b->listener;
}

static int
by_circuit(const void *pa, const void *pb)
{
	const struct iso_evidence *a = pa, *b = pb;

	if (a->circuit != b->circuit)
		return a->circuit < b->circuit ? -1 : 1;
	return a->listener < b->listener ? -1 : a->listener > b->listener;
}

/*
 * Neighbours after sorting: k listeners in one group are k - 1 sentences,
 * not k * (k - 1) / 2.
 */
static void
judge_pairs(struct verdict *v, struct iso_evidence *sorted, size_t n,
    const struct pol_policy *policy)
{
	qsort(sorted, n, sizeof *sorted, by_group);
	for (size_t i = 1; i < n; i++) {
		const struct iso_evidence *a = &sorted[i - 1], *b = a + 1;

		if (a->group != b->group)
			continue;
		if (may_share(policy, a->listener, b->listener))
			v->nsharing++;
		else
			add_fail(v, (struct iso_fail){ ISO_FAIL_SAME_GROUP,
			    a->listener, b->listener, NULL, a->group });
	}
	qsort(sorted, n, sizeof *sorted, by_circuit);
	for (size_t i = 1; i < n; i++) {
		const struct iso_evidence *a = &sorted[i - 1], *b = a + 1;

		if (a->circuit != 0 && a->circuit == b->circuit &&
		    !may_share(policy, a->listener, b->listener))
			add_fail(v, (struct iso_fail){ ISO_FAIL_SAME_CIRCUIT,
			    a->listener, b->listener, NULL,
			    (int64_t)a->circuit });
	}
}

void
verdict_make(struct verdict *out, const struct iso_evidence *ev, size_t n,
    const struct pol_policy *policy)
{
	struct iso_evidence *seen = xcalloc(n + 1, sizeof *seen);
	size_t nseen = 0;

	memset(out, 0, sizeof *out);
	out->nlisteners = n;
	out->nabsent = policy->nlisteners - n;
	for (size_t i = 0; i < n; i++) {
		judge_one(out, &ev[i], policy);
		if (ev[i].seen == ISO_SEEN)
			seen[nseen++] = ev[i];
	}
	judge_pairs(out, seen, nseen, policy);
	free(seen);
}

/* Was a circuit compared with another, where there are two to compare? */
static bool
is_compared(const struct verdict *v)
{
	return v->ncircuits >= 2 || v->nwitnesses < 2;
}

bool
verdict_ok(const struct verdict *v)
{
	return v->nfails == 0 && v->nunprovable < v->nlisteners &&
	    is_compared(v);
}

/* Tor has dropped root, and may not bind a port below this. */
#define UNPRIVILEGED_PORT 1024

/* What is done, or to be done, about wrong flags of listener NUMBER. */
static const char *
remedy(const struct pol_policy *policy, uint32_t number)
{
	const struct pol_listener *l = &policy->listeners[number];

	if (l->addr.family == AF_UNIX || l->port >= UNPRIVILEGED_PORT)
		return "it is closed and opened again";
	return "set it in torrc, too, and restart Tor";
}

/* "\"socks\" at 10.152.152.10:9050" */
static void
name_listener(char *dst, size_t cap, const struct pol_policy *policy,
    const struct pol_addr *ifaddrs, uint32_t number)
{
	const struct pol_listener *l = &policy->listeners[number];
	char address[POL_LISTENER_TEXT];

	pol_listener_format(address, sizeof address, policy, l, ifaddrs);
	(void)snprintf(dst, cap, "\"%s\" at %s", l->name, address);
}

#define NAME_LEN (POL_NAME_LEN + POL_LISTENER_TEXT + sizeof "\"\" at ")

void
verdict_failure(char *dst, size_t cap, const struct iso_fail *f,
    const struct pol_policy *policy, const struct pol_addr *ifaddrs)
{
	char a[NAME_LEN], b[NAME_LEN];
	long long value = f->value;

	/* A name and address too long for the answer are cut: only text. */
	name_listener(a, sizeof a, policy, ifaddrs, f->a);
	name_listener(b, sizeof b, policy, ifaddrs, f->b);
	switch (f->kind) {
	case ISO_FAIL_SILENT:
		(void)snprintf(dst, cap, "%s: Tor showed no stream of it, so "
		    "nothing is proven.", a);
		break;
	case ISO_FAIL_DISTURBED:
		(void)snprintf(dst, cap, "%s: it was shut or in doubt during "
		    "the check, so nothing is proven: try again.", a);
		break;
	case ISO_FAIL_LOST:
		(void)snprintf(dst, cap, "%s: %s is not in force; %s.", a,
		    f->flag, remedy(policy, f->a));
		break;
	case ISO_FAIL_EXTRA:
		(void)snprintf(dst, cap, "%s: %s is in force against the "
		    "policy; %s.", a, f->flag, remedy(policy, f->a));
		break;
	case ISO_FAIL_GROUP:
		(void)snprintf(dst, cap, "%s: in session group %lld against "
		    "the policy; %s.", a, value, remedy(policy, f->a));
		break;
	case ISO_FAIL_SAME_GROUP:
		(void)snprintf(dst, cap, "%s and %s are both in session group "
		    "%lld.", a, b, value);
		break;
	case ISO_FAIL_SAME_CIRCUIT:
		(void)snprintf(dst, cap, "%s and %s both used circuit %lld.",
		    a, b, value);
		break;
	}
}

/* What is no plain yes. */
static void
put_rest(char *dst, size_t cap, const struct verdict *v)
{
	char sharing[48] = "", direct[48] = "", absent[48] = "";

	if (v->nsharing != 0)
		(void)snprintf(sharing, sizeof sharing,
		    "; %zu share by the policy", v->nsharing);
	if (v->nunprovable != 0)
		(void)snprintf(direct, sizeof direct, "; %zu not provable",
		    v->nunprovable);
	if (v->nabsent != 0)
		(void)snprintf(absent, sizeof absent, "; %zu not listening",
		    v->nabsent);
	(void)snprintf(dst, cap, "%s%s%s.", sharing, direct, absent);
}

void
verdict_summary(char *dst, size_t cap, const struct verdict *v)
{
	size_t n = v->nlisteners - v->nunprovable;
	char rest[160];

	put_rest(rest, sizeof rest, v);
	if (n == 0)
		(void)snprintf(dst, cap, "not isolated: of %zu listeners none "
		    "could be looked at%s", v->nlisteners, rest);
	else if (v->nfails != 0)
		(void)snprintf(dst, cap, "not isolated: %zu failures in %zu "
		    "listeners; %zu of %zu circuits seen%s", v->nfails,
		    v->nlisteners, v->ncircuits, v->nwitnesses, rest);
	else if (!is_compared(v))
		(void)snprintf(dst, cap, "not proven: %zu of %zu circuits "
		    "seen, none compared; the isolation flags of %zu "
		    "listeners are in force%s", v->ncircuits, v->nwitnesses,
		    n, rest);
	else
		(void)snprintf(dst, cap, "%zu listeners: every pair isolated; "
		    "isolation flags in force; %zu of %zu circuits seen%s%s",
		    n, v->ncircuits, v->nwitnesses,
		    v->ncircuits < 2 ? "" : ", all different", rest);
}
