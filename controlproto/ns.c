#include "controlproto/ns.h"

#include <arpa/inet.h>
#include <string.h>

#include "controlproto/lex.h"

#define BRIDGE_PORT 443 /* Tor's own default */

/* Decimal digits only, up to 65535. */
static bool
read_port(uint16_t *out, struct cp_str s)
{
	uint32_t v = 0;

	if (s.n == 0 || s.n > 5)
		return false;
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
		v = v * 10 + (uint32_t)(s.p[i] - '0');
	}
	if (v > UINT16_MAX)
		return false;
	*out = (uint16_t)v;
	return true;
}

static bool
read_addr(struct cp_endpoint *out, struct cp_str s, bool v6)
{
	char text[INET6_ADDRSTRLEN];

	if (s.n == 0 || s.n >= sizeof text || memchr(s.p, '\0', s.n) != NULL)
		return false;
	memcpy(text, s.p, s.n);
	text[s.n] = '\0';
	memset(out->addr, 0, sizeof out->addr);
	out->v6 = v6;
	return inet_pton(v6 ? AF_INET6 : AF_INET, text, out->addr) == 1;
}

/* Drops the octets up to AT, and that one, from the front of S. */
static struct cp_str
behind(struct cp_str s, const char *at)
{
	return cp_lex_drop(s, (size_t)(at - s.p) + 1);
}

static struct cp_str
before(struct cp_str s, const char *at)
{
	s.n = (size_t)(at - s.p);
	return s;
}

/* "[2001:db8::1]" or "[2001:db8::1]:443". */
static bool
read_bracketed(struct cp_endpoint *out, struct cp_str s)
{
	const char *end = memchr(s.p, ']', s.n);
	struct cp_str rest;

	if (end == NULL)
		return false;
	rest = behind(s, end);
	if (!read_addr(out, cp_lex_drop(before(s, end), 1), true))
		return false;
	if (rest.n == 0)
		return true;
	return cp_lex_prefix(&rest, ":") && read_port(&out->port, rest);
}

/*
 * An address, with a port or without, which then is PORT.  Only the caller
 * knows whether 0 is one.
 */
static bool
read_endpoint(struct cp_endpoint *out, struct cp_str s, uint16_t port)
{
	const char *colon;

	out->port = port;
	if (s.n == 0)
		return false;
	if (s.p[0] == '[')
		return read_bracketed(out, s);
	colon = memchr(s.p, ':', s.n);
	if (colon == NULL)
		return read_addr(out, s, false);
	if (memchr(colon + 1, ':', behind(s, colon).n) != NULL)
		return read_addr(out, s, true);
	return read_addr(out, before(s, colon), false) &&
	    read_port(&out->port, behind(s, colon));
}

struct cp_str
cp_next_line(struct cp_str *rest)
{
	return cp_lex_until(rest, '\n');
}

void
cp_ns_init(struct cp_ns *ns, struct cp_str text)
{
	memset(ns, 0, sizeof *ns);
	ns->rest = text;
}

/*
 * What follows "r ": nickname, identity, [digest,] date, time, address,
 * ORPort, DirPort; the digest is not there in the consensus of
 * microdescriptors.  Whatever a later Tor may append is not looked at.
 */
#define R_WORDS 8
#define R_WORDS_MICRODESC 7

static bool
read_r_line(struct cp_ns *ns, struct cp_str line)
{
	struct cp_str word[R_WORDS];
	struct cp_endpoint *e = ns->held;
	size_t n = 0;
	uint16_t dirport;

	while (n < R_WORDS && line.n > 0) {
		word[n] = cp_lex_word(&line);
		if (word[n++].n == 0)
			return false;
	}
	if (n < R_WORDS_MICRODESC)
		return false;
	if (!read_addr(&e[0], word[n - 3], false) ||
	    !read_port(&e[0].port, word[n - 2]) || e[0].port == 0 ||
	    !read_port(&dirport, word[n - 1]))
		return false;
	ns->nheld = 1;
	if (dirport != 0 && dirport != e[0].port) {
		e[1] = e[0];
		e[1].port = dirport;
		ns->nheld = 2;
	}
	return true;
}

static void
take_r_line(struct cp_ns *ns, struct cp_str line)
{
	ns->in_entry = read_r_line(ns, line);
	ns->skipping = !ns->in_entry;
	if (ns->in_entry)
		ns->entries++;
	else
		ns->malformed++;
}

static void
take_a_line(struct cp_ns *ns, struct cp_str line)
{
	if (ns->skipping)
		return;
	/* The port has no default here. */
	if (ns->in_entry && read_endpoint(&ns->held[0], line, 0) &&
	    ns->held[0].port != 0)
		ns->nheld = 1;
	else
		ns->malformed++;
}

bool
cp_ns_next(struct cp_ns *ns, struct cp_endpoint *out)
{
	struct cp_str line;

	while (ns->nheld == 0 && ns->rest.n > 0) {
		line = cp_next_line(&ns->rest);
		if (cp_lex_prefix(&line, "r "))
			take_r_line(ns, line);
		else if (cp_lex_prefix(&line, "a "))
			take_a_line(ns, line);
	}
	if (ns->nheld == 0)
		return false;
	*out = ns->held[--ns->nheld];
	return true;
}

static void
add(struct cp_dirline *d, const struct cp_endpoint *e)
{
	if (e->port != 0 && d->n < CP_LINE_ENDPOINTS)
		d->at[d->n++] = *e;
}

/* What has been seen of a directory's line. */
struct dirwords {
	struct cp_endpoint v4, v6; /* v4: with the directory port */
	bool has_v4, has_v6;
	uint16_t orport; /* 0: not named */
	bool v3;
};

static bool
take_keyword(struct dirwords *w, struct cp_str word)
{
	if (cp_lex_prefix(&word, "orport="))
		return w->orport == 0 && read_port(&w->orport, word) &&
		    w->orport != 0;
	if (cp_lex_prefix(&word, "v3ident=")) {
		w->v3 = true;
		return true;
	}
	if (!cp_lex_prefix(&word, "ipv6="))
		return true; /* as Tor, which warns and goes on */
	if (w->has_v6 || word.n == 0 || word.p[0] != '[')
		return false;
	w->has_v6 = true;
	return read_endpoint(&w->v6, word, 0) && w->v6.port != 0;
}

/* Only an address has a dot, once keywords, which have '=', are told off. */
static bool
take_dirword(struct dirwords *w, struct cp_str word)
{
	if (word.n == 0)
		return true;
	if (memchr(word.p, '=', word.n) != NULL)
		return take_keyword(w, word);
	if (memchr(word.p, '.', word.n) == NULL)
		return true;
	if (w->has_v4)
		return false;
	w->has_v4 = true;
	return read_endpoint(&w->v4, word, 0) && !w->v4.v6;
}

enum cp_err
cp_dirline_parse(struct cp_dirline *out, struct cp_str value)
{
	struct dirwords w = { .orport = 0 };

	memset(out, 0, sizeof *out);
	while (value.n > 0)
		if (!take_dirword(&w, cp_lex_word(&value)))
			return CP_ERR_SYNTAX;
	if (!w.has_v4)
		return CP_ERR_SYNTAX;
	add(out, &w.v4);
	if (w.orport != w.v4.port) {
		w.v4.port = w.orport;
		add(out, &w.v4);
	}
	if (w.has_v6)
		add(out, &w.v6);
	out->v3 = w.v3;
	return out->n > 0 ? CP_OK : CP_ERR_SYNTAX;
}

/* [A-Za-z_][A-Za-z0-9_]*, which no address is. */
static bool
is_transport(struct cp_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		const char c = s.p[i];
		const bool letter = (c >= 'A' && c <= 'Z') ||
		    (c >= 'a' && c <= 'z') || c == '_';

		if (!letter && (i == 0 || c < '0' || c > '9'))
			return false;
	}
	return s.n > 0;
}

enum cp_err
cp_bridge_parse(struct cp_endpoint *out, struct cp_str value)
{
	struct cp_str word;

	do {
		word = cp_lex_word(&value);
	} while (word.n == 0 && value.n > 0);
	if (is_transport(word))
		do {
			word = cp_lex_word(&value);
		} while (word.n == 0 && value.n > 0);
	return cp_endpoint_parse(out, word, BRIDGE_PORT);
}

enum cp_err
cp_endpoint_parse(struct cp_endpoint *out, struct cp_str value,
    uint16_t default_port)
{
	memset(out, 0, sizeof *out);
	if (read_endpoint(out, value, default_port) && out->port != 0)
		return CP_OK;
	memset(out, 0, sizeof *out);
	return CP_ERR_SYNTAX;
}

enum cp_err
cp_default_value(char *dst, size_t cap, struct cp_str line, const char *name)
{
	struct cp_str rest;
	enum cp_err err;
	size_t n;

	if (cap == 0)
		return CP_ERR_LIMIT;
	if (!cp_str_is_nocase(cp_lex_word(&line), name))
		return CP_ERR_KEY;
	err = cp_cstring_decode(dst, cap - 1, &n, &rest, line);
	if (err != CP_OK)
		return err;
	if (rest.n != 0 || memchr(dst, '\0', n) != NULL)
		return CP_ERR_SYNTAX;
	dst[n] = '\0';
	return CP_OK;
}
