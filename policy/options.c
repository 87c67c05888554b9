#include "policy/options.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "policy/nearest.h"
#include "policy/portline.h"

/* Tor 0.4.9's flags for client ports; those of Unix sockets are below. */
struct flag {
	const char *name;
	bool no;	/* has a form with "No" in front */
	bool plural;	/* Tor takes an s at the end */
	bool hostnames; /* only on ports that take host names */
};

static const struct flag flags[] = {
	/* clang-format off */
	{ "IPv4Traffic",		true,  false, true },
	{ "IPv6Traffic",		true,  false, true },
	{ "PreferIPv6",			true,  false, true },
	{ "DNSRequest",			true,  false, true },
	{ "OnionTraffic",		true,  false, true },
	{ "OnionTrafficOnly",		false, false, true },
	{ "CacheIPv4DNS",		true,  false, false },
	{ "CacheIPv6DNS",		true,  false, false },
	{ "CacheDNS",			true,  false, false },
	{ "UseIPv4Cache",		true,  false, false },
	{ "UseIPv6Cache",		true,  false, false },
	{ "UseDNSCache",		true,  false, false },
	{ "PreferIPv6Automap",		true,  false, false },
	{ "PreferSOCKSNoAuth",		true,  false, false },
	{ "KeepAliveIsolateSOCKSAuth",	true,  false, false },
	{ "ExtendedErrors",		true,  false, false },
	{ "IsolateDestPort",		true,  true,  false },
	{ "IsolateDestAddr",		true,  true,  false },
	{ "IsolateSOCKSAuth",		true,  true,  false },
	{ "IsolateClientProtocol",	true,  true,  false },
	{ "IsolateClientAddr",		true,  true,  false },
	/* clang-format on */
};
#define NFLAGS (sizeof flags / sizeof flags[0])

/* On anything but a Unix socket Tor refuses the whole line for one. */
static const char *const unix_flags[] = { "GroupWritable", "WorldWritable",
	"RelaxDirModeCheck" };
#define NUNIX (sizeof unix_flags / sizeof unix_flags[0])

/* Nor does it take a DNSPort's line with one of these. */
static const char *const not_dns[] = { "NoDNSRequest", "OnionTrafficOnly" };
#define NNOT_DNS (sizeof not_dns / sizeof not_dns[0])

#define SESSION_GROUP "SessionGroup="
#define TOKEN_LEN 64 /* longer than any flag with its No */

/* F in Tor's spelling, with No or without; false: KIND has no such flag. */
static bool
spell(char name[TOKEN_LEN], enum pol_kind kind, const struct flag *f, bool no)
{
	/* TransPort's clients come with addresses, the others' with names. */
	if ((no && !f->no) || (f->hostnames && kind == POL_TRANS))
		return false;
	(void)snprintf(name, TOKEN_LEN, "%s%s", no ? "No" : "", f->name);
	for (size_t i = 0; kind == POL_DNS && i < NNOT_DNS; i++)
		if (strcmp(name, not_dns[i]) == 0)
			return false;
	return true;
}

/* Is WORD, N letters, the name of F, as it is or with an s? */
static bool
is_name(const struct flag *f, const char *word, size_t n)
{
	size_t len = strlen(f->name);

	if (strncasecmp(word, f->name, len) != 0)
		return false;
	if (n == len)
		return true;
	return f->plural && n == len + 1 &&
	    (word[len] == 's' || word[len] == 'S');
}

/* A number as Tor takes it here: 0 to INT32_MAX. */
static bool
session_group(const char *flag, char *out, size_t cap)
{
	const char *p = flag + sizeof SESSION_GROUP - 1;
	uint32_t group = 0;

	if (strncasecmp(flag, SESSION_GROUP, sizeof SESSION_GROUP - 1) != 0 ||
	    *p == '\0')
		return false;
	for (; *p != '\0'; p++) {
		uint32_t digit = (uint32_t)(*p - '0');

		if (*p < '0' || *p > '9' || group > INT32_MAX / 10 ||
		    group * 10 > INT32_MAX - digit)
			return false;
		group = group * 10 + digit;
	}
	if (out != NULL)
		(void)snprintf(out, cap, SESSION_GROUP "%u", group);
	return true;
}

static void
nearest_flag(enum pol_kind kind, const char *flag, char *out, size_t cap)
{
	size_t best = SIZE_MAX;

	for (size_t i = 0; i < 2 * NFLAGS; i++) {
		char name[TOKEN_LEN];
		size_t d;

		if (!spell(name, kind, &flags[i / 2], i % 2 == 1))
			continue;
		d = pol_distance(flag, name);
		if (d < best) {
			best = d;
			(void)snprintf(out, cap, "%s", name);
		}
	}
	for (size_t i = 0; kind == POL_SOCKS && i < NUNIX; i++)
		if (pol_distance(flag, unix_flags[i]) < best) {
			best = pol_distance(flag, unix_flags[i]);
			(void)snprintf(out, cap, "%s", unix_flags[i]);
		}
	if (pol_distance(flag, SESSION_GROUP) < best)
		(void)snprintf(out, cap, SESSION_GROUP "1");
}

bool
pol_flag_check(enum pol_kind kind, const char *flag, char *out, size_t cap)
{
	bool no = strncasecmp(flag, "No", 2) == 0;
	const char *word = no ? flag + 2 : flag;
	size_t n = strlen(word);
	char name[TOKEN_LEN];

	if (session_group(flag, out, cap))
		return true;
	for (size_t i = 0; i < NFLAGS; i++) {
		if (!is_name(&flags[i], word, n) ||
		    !spell(name, kind, &flags[i], no))
			continue;
		if (out != NULL)
			(void)snprintf(out, cap, "%s", name);
		return true;
	}
	if (out != NULL)
		nearest_flag(kind, flag, out, cap);
	return false;
}

bool
pol_flag_unix(const char *flag, char *out, size_t cap)
{
	bool no = strncasecmp(flag, "No", 2) == 0;
	const char *word = no ? flag + 2 : flag;

	for (size_t i = 0; i < NUNIX; i++) {
		if (strcasecmp(word, unix_flags[i]) != 0)
			continue;
		if (out != NULL)
			(void)snprintf(out, cap, "%s%s", no ? "No" : "",
			    unix_flags[i]);
		return true;
	}
	return false;
}

void
pol_options_clear(struct pol_options *o)
{
	free(o->list);
	memset(o, 0, sizeof *o);
}

/* VALUE is borrowed; NULL: what the caller writes into the option's text. */
static struct pol_option *
add_option(struct pol_options *o, const char *name, const char *value,
    size_t listener)
{
	struct pol_option *opt = &o->list[o->n++];

	opt->name = name;
	opt->value = value != NULL ? value : opt->text;
	opt->listener = listener;
	return opt;
}

static void
add_listener(struct pol_options *o, const struct pol_policy *p, size_t i,
    const struct pol_view *v)
{
	const struct pol_listener *l = &p->listeners[i];
	struct pol_option *opt = add_option(o, pol_kind_option(l->kind), NULL,
	    i);
	size_t n;

	pol_listener_format(opt->text, POL_LISTENER_TEXT, p, l, v->ifaddrs);
	n = strlen(opt->text);
	if (l->flags[0] != '\0')
		(void)snprintf(opt->text + n, sizeof opt->text - n, " %s",
		    l->flags);
	n = strlen(opt->text);
	if (v->marked && n < sizeof opt->text - 1) {
		opt->text[n] = POL_OPTION_MARK;
		opt->text[n + 1] = '\0';
	}
}

bool
pol_option_marked(const char *value)
{
	size_t n = strlen(value);

	return n != 0 && value[n - 1] == POL_OPTION_MARK;
}

static bool
has_place(const struct pol_listener *l, const struct pol_addr *ifaddrs)
{
	struct pol_addr addr;

	return l->addr.family == AF_UNIX ||
	    pol_listener_addr(&addr, l, ifaddrs);
}

static void
add_kind(struct pol_options *o, const struct pol_policy *p,
    const struct pol_view *v, enum pol_kind kind)
{
	const char *name = pol_kind_option(kind);
	bool used = v->uses != NULL && v->uses[kind];
	size_t before = o->n;

	for (size_t i = 0; i < p->nlisteners; i++) {
		if (p->listeners[i].kind != kind)
			continue;
		used = true;
		if ((v->withheld == NULL || !v->withheld[i]) &&
		    has_place(&p->listeners[i], v->ifaddrs))
			add_listener(o, p, i, v);
	}
	if (!used)
		return;
	for (size_t i = 0; i < v->nextra; i++)
		if (v->extra[i].kind == kind)
			(void)add_option(o, name, v->extra[i].value,
			    SIZE_MAX);
	if (o->n == before)
		(void)add_option(o, name, "0", SIZE_MAX);
}

int
pol_options_make(struct pol_options *out, const struct pol_policy *p,
    const struct pol_view *v)
{
	static const struct pol_view all = { 0 };

	if (v == NULL)
		v = &all;
	memset(out, 0, sizeof *out);
	/* A kind is either its lines or one "0"; and DisableNetwork. */
	out->list = calloc(p->nlisteners + v->nextra + POL_NKIND + 1,
	    sizeof *out->list);
	if (out->list == NULL)
		return -1;
	for (size_t kind = 0; kind < POL_NKIND; kind++)
		add_kind(out, p, v, (enum pol_kind)kind);
	(void)add_option(out, "DisableNetwork", "0", SIZE_MAX);
	return 0;
}

/* As Tor has them between flags. */
#define BLANKS " \t\r\n"

/*
 * The next blank-separated word at *P; false at the end.  One that does not
 * fit becomes empty, which is no flag and no address.
 */
static bool
next_token(const char **p, char token[TOKEN_LEN])
{
	size_t n;

	*p += strspn(*p, BLANKS);
	n = strcspn(*p, BLANKS);
	if (n == 0)
		return false;
	(void)snprintf(token, TOKEN_LEN, "%.*s", n < TOKEN_LEN ? (int)n : 0,
	    *p);
	*p += n;
	return true;
}

static bool
flag_of(const struct pol_listener *l, const char *flag, char out[TOKEN_LEN])
{
	return (l->addr.family == AF_UNIX &&
	    pol_flag_unix(flag, out, TOKEN_LEN)) ||
	    pol_flag_check(l->kind, flag, out, TOKEN_LEN);
}

/* Is every flag of A, a list for L, also one of B? */
static bool
flags_within(const struct pol_listener *l, const char *a, const char *b)
{
	char x[TOKEN_LEN], y[TOKEN_LEN], token[TOKEN_LEN];

	while (next_token(&a, token)) {
		const char *rest = b;
		bool found = false;

		if (!flag_of(l, token, x))
			return false;
		while (!found && next_token(&rest, token))
			found = flag_of(l, token, y) && strcmp(x, y) == 0;
		if (!found)
			return false;
	}
	return true;
}

/* Is LINE's place L's own, as a literal or as a path? */
static bool
same_place(const struct pol_line *line, const struct pol_listener *l,
    const struct pol_addr *ifaddrs)
{
	struct pol_addr addr;

	if (l->addr.family == AF_UNIX)
		return line->addr.family == AF_UNIX &&
		    strcmp(line->path, l->path) == 0;
	return !line->by_name && line->port == l->port &&
	    pol_listener_addr(&addr, l, ifaddrs) &&
	    line->addr.family == addr.family &&
	    pol_addr_equal(&line->addr, &addr);
}

bool
pol_option_same(const struct pol_listener *l, const char *value,
    const struct pol_addr *ifaddrs)
{
	struct pol_line line;

	return pol_line_parse(&line, value) && same_place(&line, l, ifaddrs) &&
	    flags_within(l, line.flags, l->flags) &&
	    flags_within(l, l->flags, line.flags);
}
