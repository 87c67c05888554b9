/*
 * Tor's rules for lines, as far as they decide which option stands where.
 * Where a text could be read in two ways ours is the one that finds more.
 */
#include "policy/torrc.h"

#include <string.h>
#include <strings.h>

static const char *const names[POL_NTORRC] = {
	[POL_TORRC_USE] = "UseBridges",
	[POL_TORRC_BRIDGE] = "Bridge",
	[POL_TORRC_PLUGIN] = "ClientTransportPlugin",
	[POL_TORRC_HTTPS] = "HTTPSProxy",
	[POL_TORRC_HTTPS_AUTH] = "HTTPSProxyAuthenticator",
	[POL_TORRC_SOCKS4] = "Socks4Proxy",
	[POL_TORRC_SOCKS5] = "Socks5Proxy",
	[POL_TORRC_SOCKS5_USER] = "Socks5ProxyUsername",
	[POL_TORRC_SOCKS5_PASSWORD] = "Socks5ProxyPassword",
	[POL_TORRC_INCLUDE] = "%include",
	[POL_TORRC_OTHER] = "",
};

const char *
pol_torrc_name(enum pol_torrc_option option)
{
	return (unsigned)option < POL_NTORRC ? names[option] : "";
}

enum pol_torrc_option
pol_torrc_find(const char *word, size_t n)
{
	unsigned o = 0;

	while (o < POL_TORRC_NUPLINK && (strlen(names[o]) != n ||
	    strncasecmp(names[o], word, n) != 0))
		o++;
	return o < POL_TORRC_NUPLINK ? (enum pol_torrc_option)o :
	    POL_TORRC_OTHER;
}

/*
 * What Tor makes of it: an include is written in one way only, and the
 * beginning of a name is as good as the name.
 */
static enum pol_torrc_option
option_of(const char *word, size_t n)
{
	enum pol_torrc_option exact;

	if (n == strlen(names[POL_TORRC_INCLUDE]) &&
	    memcmp(word, names[POL_TORRC_INCLUDE], n) == 0)
		return POL_TORRC_INCLUDE;
	if (n > 0 && (*word == '+' || *word == '/')) {
		word++;
		n--;
	}
	exact = pol_torrc_find(word, n);
	for (unsigned o = 0; exact == POL_TORRC_OTHER && n > 0 &&
	    o < POL_TORRC_NUPLINK; o++)
		if (strncasecmp(names[o], word, n) == 0)
			return (enum pol_torrc_option)o;
	return exact;
}

void
pol_torrc_init(struct pol_torrc *t, const char *text, size_t len)
{
	const char *nul = len == 0 ? NULL : memchr(text, '\0', len);

	t->p = text;
	t->end = nul != NULL ? nul : text + len;
	t->line = 1;
}

static bool
is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' ||
	    c == '\v' || c == '\f';
}

static bool
at_end(const struct pol_torrc *t)
{
	return t->p == t->end;
}

/* One octet on. */
static void
skip(struct pol_torrc *t)
{
	t->line += *t->p == '\n';
	t->p++;
}

static void
skip_to_line_feed(struct pol_torrc *t)
{
	while (!at_end(t) && *t->p != '\n')
		skip(t);
}

/* A backslash right before a line feed: the line goes on in the next. */
static bool
goes_on(const struct pol_torrc *t)
{
	return t->end - t->p >= 2 && t->p[0] == '\\' && t->p[1] == '\n';
}

static void
skip_blank(struct pol_torrc *t)
{
	while (!at_end(t) && (is_space(*t->p) || *t->p == '#'))
		if (*t->p == '#')
			skip_to_line_feed(t);
		else
			skip(t);
}

/* An octet of the value; what does not fit leaves no path at all. */
struct value {
	char *to;
	size_t n;
	bool bad;
};

static void
put(struct value *v, char c)
{
	if (v->to == NULL)
		return;
	if (v->n == POL_TORRC_PATH - 1 || (unsigned char)c < ' ')
		v->bad = true;
	else
		v->to[v->n++] = c;
}

/* At a quote; only \" and \\ are taken in a path.  False: Tor fails. */
static bool
read_quoted(struct pol_torrc *t, struct value *v)
{
	for (skip(t); !at_end(t) && *t->p != '"' && *t->p != '\n'; skip(t)) {
		if (*t->p == '\\') {
			skip(t);
			if (at_end(t) || *t->p == '\n')
				return false;
			v->bad |= v->to != NULL && *t->p != '"' &&
			    *t->p != '\\';
		}
		put(v, *t->p);
	}
	if (at_end(t) || *t->p != '"')
		return false;
	for (skip(t); !at_end(t) && *t->p != '\n' && *t->p != '#'; skip(t))
		if (!is_space(*t->p))
			return false;
	skip_to_line_feed(t);
	return true;
}

/* To the line's end; once it goes on, comments are inside of it. */
static void
read_plain(struct pol_torrc *t, struct value *v)
{
	bool on = false;

	while (!at_end(t) && *t->p != '\n' && (*t->p != '#' || on)) {
		if (goes_on(t)) {
			on = true;
			skip(t);
			skip(t);
		} else if (*t->p == '#') {
			skip_to_line_feed(t);
			if (!at_end(t))
				skip(t);
		} else {
			put(v, *t->p == '\t' || *t->p == '\r' ? ' ' : *t->p);
			skip(t);
		}
	}
	while (v->n > 0 && v->to[v->n - 1] == ' ')
		v->n--;
	skip_to_line_feed(t);
}

int
pol_torrc_next(struct pol_torrc *t, struct pol_torrc_line *out)
{
	struct value v = { 0 };

	memset(out, 0, sizeof *out);
	skip_blank(t);
	out->line = t->line;
	out->option = POL_TORRC_OTHER;
	if (at_end(t))
		return 0;
	for (out->word = t->p; !at_end(t) && !is_space(*t->p) && *t->p != '#' &&
	    !goes_on(t);)
		skip(t);
	out->nword = (size_t)(t->p - out->word);
	out->option = option_of(out->word, out->nword);
	if (out->option == POL_TORRC_INCLUDE)
		v.to = out->path;
	while (!at_end(t) && (*t->p == ' ' || *t->p == '\t'))
		skip(t);
	out->rest = t->p;
	if (!at_end(t) && *t->p == '"') {
		if (!read_quoted(t, &v))
			return -1;
	} else {
		read_plain(t, &v);
	}
	out->nrest = (size_t)(t->p - out->rest);
	if (v.to != NULL)
		v.to[v.n] = '\0';
	return v.to != NULL && (v.bad || v.n == 0) ? -1 : 1;
}
