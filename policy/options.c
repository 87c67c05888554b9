#include "policy/options.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "policy/nearest.h"

/*
 * Tor 0.4.9's flags for client ports.  Those of Unix sockets (GroupWritable,
 * WorldWritable, RelaxDirModeCheck) are not here: no listener is one.
 */
static const struct flag {
	const char *name;
	bool no;	/* has a form with "No" in front */
	bool plural;	/* Tor takes an s at the end */
	bool hostnames; /* only on ports that take host names */
} flags[] = {
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

#define SESSION_GROUP "SessionGroup="
#define TOKEN_LEN 64 /* longer than any flag with its No */

/* TransPort's clients come with addresses, the others' with names too. */
static bool
takes_hostnames(enum pol_kind kind)
{
	return kind != POL_TRANS;
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
		const struct flag *f = &flags[i / 2];
		char name[TOKEN_LEN];
		size_t d;

		if ((f->hostnames && !takes_hostnames(kind)) ||
		    (i % 2 == 1 && !f->no))
			continue;
		(void)snprintf(name, sizeof name, "%s%s",
		    i % 2 == 1 ? "No" : "", f->name);
		d = pol_distance(flag, name);
		if (d < best) {
			best = d;
			(void)snprintf(out, cap, "%s", name);
		}
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

	if (session_group(flag, out, cap))
		return true;
	for (size_t i = 0; i < NFLAGS; i++) {
		const struct flag *f = &flags[i];

		if (!is_name(f, word, n) || (no && !f->no) ||
		    (f->hostnames && !takes_hostnames(kind)))
			continue;
		if (out != NULL)
			(void)snprintf(out, cap, "%s%s", no ? "No" : "",
			    f->name);
		return true;
	}
	if (out != NULL)
		nearest_flag(kind, flag, out, cap);
	return false;
}

void
pol_options_clear(struct pol_options *o)
{
	free(o->list);
	memset(o, 0, sizeof *o);
}

static void
add_option(struct pol_options *o, const char *name, const char *value,
    size_t listener)
{
	struct pol_option *opt = &o->list[o->n++];

	opt->name = name;
	opt->listener = listener;
	(void)snprintf(opt->value, sizeof opt->value, "%s", value);
}

static void
add_listener(struct pol_options *o, const struct pol_policy *p, size_t i,
    const struct pol_addr *ifaddrs)
{
	const struct pol_listener *l = &p->listeners[i];
	char address[POL_LISTENER_TEXT];
	char value[sizeof address + POL_FLAGS_LEN];

	pol_listener_format(address, sizeof address, p, l, ifaddrs);
	(void)snprintf(value, sizeof value, "%s%s%s", address,
	    l->flags[0] != '\0' ? " " : "", l->flags);
	add_option(o, pol_kind_option(l->kind), value, i);
}

static void
add_kind(struct pol_options *o, const struct pol_policy *p,
    const bool *withheld, const struct pol_addr *ifaddrs, enum pol_kind kind)
{
	struct pol_addr addr;
	bool used = false;
	size_t before = o->n;

	for (size_t i = 0; i < p->nlisteners; i++) {
		if (p->listeners[i].kind != kind)
			continue;
		used = true;
		if ((withheld == NULL || !withheld[i]) &&
		    (p->listeners[i].addr.family == AF_UNIX ||
		    pol_listener_addr(&addr, &p->listeners[i], ifaddrs)))
			add_listener(o, p, i, ifaddrs);
	}
	/* Without a value Tor would open its default port. */
	if (used && o->n == before)
		add_option(o, pol_kind_option(kind), "0", SIZE_MAX);
}

int
pol_options_make(struct pol_options *out, const struct pol_policy *p,
    const bool *withheld, const struct pol_addr *ifaddrs)
{
	memset(out, 0, sizeof *out);
	/* A kind is either its listeners or one "0"; and DisableNetwork. */
	out->list = calloc(p->nlisteners + POL_NKIND + 1, sizeof *out->list);
	if (out->list == NULL)
		return -1;
	for (size_t kind = 0; kind < POL_NKIND; kind++)
		add_kind(out, p, withheld, ifaddrs, (enum pol_kind)kind);
	add_option(out, "DisableNetwork", "0", SIZE_MAX);
	return 0;
}

/*
 * The next blank-separated word at *P; false at the end.  One that does not
 * fit becomes empty, which is no flag and no address.
 */
static bool
next_token(const char **p, char token[TOKEN_LEN])
{
	size_t n;

	*p += strspn(*p, " \t");
	n = strcspn(*p, " \t");
	if (n == 0)
		return false;
	(void)snprintf(token, TOKEN_LEN, "%.*s", n < TOKEN_LEN ? (int)n : 0,
	    *p);
	*p += n;
	return true;
}

/* Is every flag of A, a list for KIND, also one of B? */
static bool
flags_within(enum pol_kind kind, const char *a, const char *b)
{
	char x[TOKEN_LEN], y[TOKEN_LEN], token[TOKEN_LEN];

	while (next_token(&a, token)) {
		const char *rest = b;
		bool found = false;

		if (!pol_flag_check(kind, token, x, sizeof x))
			return false;
		while (!found && next_token(&rest, token))
			found = pol_flag_check(kind, token, y, sizeof y) &&
			    strcmp(x, y) == 0;
		if (!found)
			return false;
	}
	return true;
}

bool
pol_option_same(const struct pol_listener *l, const char *value,
    const struct pol_addr *ifaddrs)
{
	char token[TOKEN_LEN];
	struct pol_addr addr, mine;
	uint16_t port;

	if (!next_token(&value, token) ||
	    !pol_addrport_parse(&addr, &port, token))
		return false;
	return port == l->port && pol_listener_addr(&mine, l, ifaddrs) &&
	    pol_addr_equal(&addr, &mine) &&
	    flags_within(l->kind, value, l->flags) &&
	    flags_within(l->kind, l->flags, value);
}
