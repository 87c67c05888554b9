#include "policy/portline.h"

#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define UNIX_SCHEME "unix:"
#define BLANKS " \t\r\n"
#define HOST_LEN 256 /* a host's name and a port; longer is neither */

/* A word ends at a blank, and where a comment begins, as in a torrc. */
static size_t
word_len(const char *p)
{
	return strcspn(p, BLANKS "#");
}

/* What follows a word and its comment, which Tor drops; not that of a flag. */
static const char *
after(const char *p)
{
	p += strspn(p, BLANKS);
	while (*p == '#') {
		p += strcspn(p, "\n");
		p += strspn(p, BLANKS);
	}
	return p;
}

/* A path up to the word's end; the octet behind it, NULL if it does not fit. */
static const char *
plain_path(char path[POL_PATH_LEN], const char *p)
{
	size_t n = word_len(p);

	if (n == 0 || n >= POL_PATH_LEN)
		return NULL;
	memcpy(path, p, n);
	path[n] = '\0';
	return p + n;
}

/* In quotes: blanks may stand inside, quotes and backslashes are escaped. */
static const char *
quoted_path(char path[POL_PATH_LEN], const char *p)
{
	size_t n = 0;

	for (p++; *p != '"'; p++) {
		if (*p == '\\' && *++p != '"' && *p != '\\')
			return NULL; /* an octet by number: not in a path */
		if (*p == '\0' || n == POL_PATH_LEN - 1)
			return NULL;
		path[n++] = *p;
	}
	path[n] = '\0';
	return n == 0 ? NULL : p + 1;
}

static bool
parse_unix(struct pol_line *out, const char *p)
{
	p = *p == '"' ? quoted_path(out->path, p) : plain_path(out->path, p);
	if (p == NULL)
		return false;
	out->addr.family = AF_UNIX;
	out->flags = after(p);
	return true;
}

static void
set_local(struct pol_line *out)
{
	out->addr.family = AF_INET;
	out->addr.v4.s_addr = htonl(INADDR_LOOPBACK);
}

/* "auto" or a number, 0 only where ZERO is one. */
static bool
parse_port(struct pol_line *out, const char *word, bool zero)
{
	uint32_t number;

	if (strcasecmp(word, "auto") == 0)
		return true;
	word += *word == '+'; /* strtol(3) takes it, and so does Tor */
	if (!pol_number_parse(&number, word) || number > UINT16_MAX ||
	    (number == 0 && !zero))
		return false;
	out->port = (uint16_t)number;
	out->off = number == 0;
	return true;
}

/* "10.0.0.1", "[fd00::1]" or a name. */
static bool
parse_host(struct pol_line *out, char *host)
{
	size_t n = strlen(host);

	if (host[0] == '[') {
		if (host[n - 1] != ']')
			return false;
		host[n - 1] = '\0';
		return pol_addr_parse(&out->addr, host + 1) &&
		    out->addr.family == AF_INET6;
	}
	/* An IPv6 address needs its brackets, and Tor knows no "*". */
	if (n == 0 || strpbrk(host, ":*") != NULL)
		return false;
	if (pol_addr_parse(&out->addr, host))
		return true;
	out->by_name = true;
	if (strcasecmp(host, "localhost") == 0)
		set_local(out);
	return true;
}

/* The word before the flags, if it is no Unix socket's. */
static bool
parse_inet(struct pol_line *out, char *word)
{
	char *colon = strrchr(word, ':');

	if (colon == NULL) {
		set_local(out);
		return parse_port(out, word, true);
	}
	*colon = '\0';
	return parse_port(out, colon + 1, false) && parse_host(out, word);
}

static bool
parse(struct pol_line *out, const char *value)
{
	char word[HOST_LEN];
	size_t n;

	memset(out, 0, sizeof *out);
	value = after(value);
	/* The case matters to Tor too. */
	if (strncmp(value, UNIX_SCHEME, sizeof UNIX_SCHEME - 1) == 0)
		return parse_unix(out, value + sizeof UNIX_SCHEME - 1);
	n = word_len(value);
	if (n == 0 || n >= sizeof word)
		return false;
	memcpy(word, value, n);
	word[n] = '\0';
	out->flags = after(value + n);
	return parse_inet(out, word);
}

bool
pol_line_parse(struct pol_line *out, const char *value)
{
	if (parse(out, value))
		return true;
	memset(out, 0, sizeof *out);
	return false;
}

static bool
wildcard(const struct pol_addr *a)
{
	return a->family == AF_INET ? a->v4.s_addr == htonl(INADDR_ANY) :
				      IN6_IS_ADDR_UNSPECIFIED(&a->v6);
}

/* ::ffff:10.0.0.1 is 10.0.0.1, even if Tor 0.4.9 cannot bind it. */
static struct pol_addr
unmapped(const struct pol_addr *a)
{
	struct pol_addr v4 = { .family = AF_INET };

	if (a->family != AF_INET6 || !IN6_IS_ADDR_V4MAPPED(&a->v6))
		return *a;
	memcpy(&v4.v4, &a->v6.s6_addr[12], sizeof v4.v4);
	return v4;
}

bool
pol_line_collides(const struct pol_line *line, enum pol_kind kind,
    const struct pol_listener *l, const struct pol_addr *ifaddrs)
{
	struct pol_addr theirs = unmapped(&line->addr), ours;

	if (line->off)
		return false;
	if (line->addr.family == AF_UNIX || l->addr.family == AF_UNIX)
		return line->addr.family == l->addr.family &&
		    strcmp(line->path, l->path) == 0;
	if (line->port == 0 || line->port != l->port ||
	    pol_kind_l4proto(kind) != pol_kind_l4proto(l->kind))
		return false;
	if (theirs.family == AF_UNSPEC)
		return true;
	if (!pol_listener_addr(&ours, l, ifaddrs))
		return wildcard(&theirs) && theirs.family == l->addr.family;
	/* Which of loopback's addresses a name means is the resolver's. */
	if (line->by_name)
		return pol_addr_loopback(&ours);
	return theirs.family == ours.family &&
	    (wildcard(&theirs) || pol_addr_equal(&theirs, &ours));
}

bool
pol_line_reachable(const char *value)
{
	struct pol_line line;

	if (!pol_line_parse(&line, value))
		return true;
	if (line.off || line.addr.family == AF_UNIX)
		return false;
	return line.addr.family == AF_UNSPEC || !pol_addr_loopback(&line.addr);
}
