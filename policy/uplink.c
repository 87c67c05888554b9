/* Torrc lines -> struct pol_uplink; see uplink_print.c for the way back. */
#include "policy/uplink.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "policy/draft.h"
#include "policy/host.h"
#include "policy/nearest.h"
#include "policy/torrc.h"
#include "policy/why.h"

/* Each bridge and the rest, with as many comments again. */
#define TEXT_MAX (64u << 10)
#define LINE_MAX_LEN (POL_PLUGIN_LEN + 64)
#define HTTPS_PORT 443 /* Tor's, where an option has none */
#define SOCKS_PORT 1080
#define SLIP 2 /* so many wrong letters are one */

/* Those of enum pol_torrc_option, and one that says nothing of the uplink. */
enum { O_NETWORK = POL_TORRC_NUPLINK, NOPTION };

struct parser {
	struct pol_uplink *u;
	const struct pol_policy *p;
	char *why;
	size_t line; /* from 1 */
	bool seen[NOPTION];
	bool any; /* some option at all */
	bool use; /* what UseBridges says */
	/* What the comment says that the proxy's name is; line 0: nothing. */
	size_t note_line;
	struct pol_host note;
	char text[LINE_MAX_LEN];  /* the line */
	char value[LINE_MAX_LEN]; /* of its option */
};

static bool
set_use(struct parser *s)
{
	if (strcmp(s->value, "0") != 0 && strcmp(s->value, "1") != 0)
		return pol_why(s->why, "UseBridges is 0 or 1");
	s->use = s->value[0] == '1';
	return true;
}

/* No program runs for B but one of the policy's. */
static bool
served(char why[POL_UPLINK_WHY], const struct pol_policy *p,
    const struct pol_bridge *b)
{
	if (b->transport[0] == '\0' ||
	    pol_transport_find(p, b->transport) < p->ntransports)
		return true;
	return pol_why(why, "no program is known for \"%s\": add transport "
	    "\"%s\" { program = \"/path\" } to portcullis.conf", b->transport,
	    b->transport);
}

static bool
set_bridge(struct parser *s)
{
	char clause[POL_UPLINK_WHY];
	struct pol_bridge b;

	if (s->u->nbridges == POL_UPLINK_BRIDGES)
		return pol_why(s->why, "there are too many bridges: %d at "
		    "most", POL_UPLINK_BRIDGES);
	if (!pol_bridge_parse(&b, clause, s->value))
		return pol_why(s->why, "this is no bridge: %.200s", clause);
	if (!served(s->why, s->p, &b))
		return false;
	pol_bridge_format(s->u->bridge[s->u->nbridges++], &b);
	return true;
}

/* The same words, whatever the spaces between them? */
static bool
same_words(const char *a, const char *b)
{
	for (;;) {
		size_t na, nb;

		a += strspn(a, " ");
		b += strspn(b, " ");
		na = strcspn(a, " ");
		nb = strcspn(b, " ");
		if (na != nb || memcmp(a, b, na) != 0)
			return false;
		if (na == 0)
			return true;
		a += na;
		b += nb;
	}
}

/*
 * Tor is given the policy's lines.  One that stands here, as graphical
 * programs write it, must have the same program run for each of its methods.
 */
static bool
plugin_says(struct parser *s, const char *method, const char *rest)
{
	size_t t = pol_transport_find(s->p, method);
	char plugin[POL_PLUGIN_LEN];

	if (t == s->p->ntransports)
		return pol_why(s->why, "the policy has no transport \"%s\": "
		    "leave the line out, or add transport \"%s\" { ... } to "
		    "portcullis.conf", method, method);
	pol_transport_plugin(plugin, sizeof plugin, &s->p->transports[t]);
	if (same_words(plugin + strcspn(plugin, " "), rest))
		return true;
	return pol_why(s->why, "for %s the policy has other words than these, "
	    "and nothing else is run: leave the line out, or change that "
	    "transport in portcullis.conf", method);
}

static bool
set_plugin(struct parser *s)
{
	char method[POL_NAME_LEN];
	const char *rest = s->value + strcspn(s->value, " ");
	const char *at = s->value;
	size_t n;

	for (;; at += n + 1) {
		n = strcspn(at, ", ");
		if (n >= sizeof method || !pol_method_ok(at, n))
			return pol_why(s->why, "ClientTransportPlugin begins "
			    "with the names of transports: leave the line "
			    "out, Tor is given the policy's");
		memcpy(method, at, n);
		method[n] = '\0';
		if (!plugin_says(s, method, rest))
			return false;
		if (at[n] != ',')
			return true;
	}
}

/* Graphical programs write it into the same file. */
static bool
set_network(struct parser *s)
{
	return strcmp(s->value, "0") == 0 || pol_why(s->why,
	    "DisableNetwork 1 is no matter of bridges and proxies: to have "
	    "Tor disabled, write it into a torrc file of your own");
}

static bool
set_proxy(struct parser *s, enum pol_proxy kind, uint16_t port)
{
	struct pol_host host;

	if (s->u->proxy != POL_PROXY_NONE)
		return pol_why(s->why, "there are two proxies: Tor takes one "
		    "only");
	if (!pol_host_parse(&host, s->value, port))
		return pol_why(s->why, "this is no host and port: write "
		    "\"proxy.example:8080\", \"192.0.2.1:8080\" or "
		    "\"[2001:db8::1]:8080\"");
	s->u->proxy = kind;
	s->u->port = host.port;
	(void)snprintf(s->u->host, sizeof s->u->host, "%s", host.name);
	return true;
}

static bool
set_https(struct parser *s)
{
	return set_proxy(s, POL_PROXY_HTTPS, HTTPS_PORT);
}

static bool
set_socks4(struct parser *s)
{
	return set_proxy(s, POL_PROXY_SOCKS4, SOCKS_PORT);
}

static bool
set_socks5(struct parser *s)
{
	return set_proxy(s, POL_PROXY_SOCKS5, SOCKS_PORT);
}

/* The first N letters of TEXT. */
static bool
set_secret(struct parser *s, char dst[POL_SECRET_LEN], const char *text,
    size_t n)
{
	if (n >= POL_SECRET_LEN)
		return pol_why(s->why, "user or password is too long: %d "
		    "letters at most", POL_SECRET_LEN - 1);
	memcpy(dst, text, n);
	s->u->has_auth = 1;
	return true;
}

static bool
set_https_auth(struct parser *s)
{
	const char *colon = strchr(s->value, ':');

	if (colon == NULL)
		return pol_why(s->why, "HTTPSProxyAuthenticator is a user, a "
		    "colon and a password");
	return set_secret(s, s->u->user, s->value,
	    (size_t)(colon - s->value)) &&
	    set_secret(s, s->u->password, colon + 1, strlen(colon + 1));
}

static bool
set_socks5_user(struct parser *s)
{
	return set_secret(s, s->u->user, s->value, strlen(s->value));
}

static bool
set_socks5_password(struct parser *s)
{
	return set_secret(s, s->u->password, s->value, strlen(s->value));
}

static const struct {
	bool many;
	bool (*set)(struct parser *s);
} options[NOPTION] = {
	[POL_TORRC_USE] = { false, set_use },
	[POL_TORRC_BRIDGE] = { true, set_bridge },
	[POL_TORRC_PLUGIN] = { true, set_plugin },
	[POL_TORRC_HTTPS] = { false, set_https },
	[POL_TORRC_HTTPS_AUTH] = { false, set_https_auth },
	[POL_TORRC_SOCKS4] = { false, set_socks4 },
	[POL_TORRC_SOCKS5] = { false, set_socks5 },
	[POL_TORRC_SOCKS5_USER] = { false, set_socks5_user },
	[POL_TORRC_SOCKS5_PASSWORD] = { false, set_socks5_password },
	[O_NETWORK] = { false, set_network },
};

static const char network[] = "DisableNetwork";

/* The option that the N letters of WORD are; NOPTION: none. */
static unsigned
find_option(const char *word, size_t n)
{
	enum pol_torrc_option o = pol_torrc_find(word, n);

	if (o < POL_TORRC_NUPLINK)
		return o;
	return n == sizeof network - 1 && strncasecmp(word, network, n) == 0 ?
	    O_NETWORK : NOPTION;
}

/* People paste bridges as they get them, without the option's name. */
static bool
begins_bridge(const char *text)
{
	size_t n = strcspn(text, " ");
	const char *address = pol_method_ok(text, n) ?
	    text + n + strspn(text + n, " ") : text;

	return *address == '[' || (*address >= '0' && *address <= '9' &&
	    memchr(address, '.', strcspn(address, " ")) != NULL);
}

static bool
unknown(struct parser *s, size_t n)
{
	char word[POL_QUOTE_LEN];
	struct pol_nearest nearest = { .word = word };

	(void)snprintf(word, sizeof word, "%.*s",
	    n < sizeof word ? (int)n : (int)sizeof word - 1, s->text);
	for (unsigned i = 0; i < POL_TORRC_NUPLINK; i++)
		pol_nearest_try(&nearest,
		    pol_torrc_name((enum pol_torrc_option)i));
	/* Most words that are torrc's are not far from one of these. */
	if (nearest.least <= SLIP)
		return pol_why(s->why, "\"%s\" is no option of bridges and "
		    "proxies: did you mean \"%s\"?", word, nearest.best);
	return pol_why(s->why, "\"%s\" is no option of bridges and proxies, "
	    "and no other can be set here: leave it out", word);
}

/* The text in quotes at P, where Tor knows escapes. */
static bool
unquote(struct parser *s, const char *p)
{
	size_t n = 0;

	for (p++; *p != '"'; p++) {
		if (*p == '\\' && *++p != '"' && *p != '\\')
			return pol_why(s->why, "this backslash means nothing "
			    "here: only \\\" and \\\\ do");
		if (*p == '\0')
			return pol_why(s->why, "this text in quotes has no "
			    "end");
		s->value[n++] = *p;
	}
	s->value[n] = '\0';
	if (p[1 + strspn(p + 1, " ")] != '\0')
		return pol_why(s->why, "something stands behind the quotes: "
		    "remove it");
	return true;
}

/* What Tor would make of the text at P, if it can mean one thing only. */
static bool
take_value(struct parser *s, const char *p)
{
	size_t n;

	p += strspn(p, " ");
	if (*p == '"')
		return unquote(s, p);
	n = strlen(p);
	while (n > 0 && p[n - 1] == ' ')
		n--;
	if (n == 0)
		return pol_why(s->why, "the option has no value");
	memcpy(s->value, p, n);
	s->value[n] = '\0';
	if (strpbrk(s->value, "\"\\#") != NULL)
		return pol_why(s->why, "there is a quote, a backslash or a # "
		    "in this line: a comment goes into a line of its own, a "
		    "password in double quotes");
	return true;
}

static bool
parse_option(struct parser *s)
{
	size_t n = strcspn(s->text, " ");
	unsigned i = find_option(s->text, n);
	const char *value = s->text + n;

	if (i == NOPTION && begins_bridge(s->text)) {
		i = POL_TORRC_BRIDGE;
		value = s->text;
	}
	if (i == NOPTION)
		return unknown(s, n);
	if (s->seen[i] && !options[i].many)
		return pol_why(s->why, "%s stands twice: keep one",
		    i == O_NETWORK ? network :
		    pol_torrc_name((enum pol_torrc_option)i));
	s->seen[i] = s->any = true;
	/* One without a value is skipped by Tor, too; wizards write it. */
	if (i == POL_TORRC_BRIDGE && value[strspn(value, " ")] == '\0')
		return true;
	return take_value(s, value) && options[i].set(s);
}

/* One of ours may say what the proxy's name is. */
static bool
parse_comment(struct parser *s)
{
	static const char ours[] = "# portcullis: proxy ";

	if (strncmp(s->text, ours, sizeof ours - 1) != 0)
		return true;
	if (s->note_line != 0)
		return pol_why(s->why, "this comment stands twice: keep one");
	s->note_line = s->line;
	if (!pol_host_parse(&s->note, s->text + sizeof ours - 1, 0) ||
	    s->note.addr.family != AF_UNSPEC)
		return pol_why(s->why, "this comment has to give the proxy's "
		    "name and port: correct or remove it");
	return true;
}

/* The N octets at LINE, without the spaces around them. */
static bool
parse_line(struct parser *s, const char *line, size_t n)
{
	if (n > 0 && line[n - 1] == '\r')
		n--;
	while (n > 0 && (*line == ' ' || *line == '\t')) {
		line++;
		n--;
	}
	if (n >= sizeof s->text)
		return pol_why(s->why, "this line is too long: %zu letters at "
		    "most", sizeof s->text - 1);
	for (size_t i = 0; i < n; i++) {
		char c = line[i] == '\t' ? ' ' : line[i];

		if ((c < ' ' || c > '~') && line[0] != '#')
			return pol_why(s->why, "this line has a control "
			    "character or a letter that is not ASCII");
		s->text[i] = c;
	}
	s->text[n] = '\0';
	if (n == 0)
		return true;
	return s->text[0] == '#' ? parse_comment(s) : parse_option(s);
}

static bool
auth_ok(const struct pol_uplink *u, char why[POL_UPLINK_WHY])
{
	if (u->has_auth == 0)
		return true;
	if (u->proxy != POL_PROXY_HTTPS && u->proxy != POL_PROXY_SOCKS5)
		return pol_why(why, "a user and a password are for proxies of "
		    "type https and socks5 only");
	if (u->user[0] == '\0')
		return pol_why(why, "there is a password, but no user");
	if (u->proxy == POL_PROXY_HTTPS && strchr(u->user, ':') != NULL)
		return pol_why(why, "an https proxy's user cannot have a "
		    "colon");
	if (u->proxy == POL_PROXY_SOCKS5 && u->password[0] == '\0')
		return pol_why(why, "a socks5 proxy's user needs a password");
	return true;
}

/* Each authentication goes with its own kind of proxy. */
static bool
auth_belongs(const struct parser *s)
{
	if (s->seen[POL_TORRC_HTTPS_AUTH] && !s->seen[POL_TORRC_HTTPS])
		return pol_why(s->why, "HTTPSProxyAuthenticator is there, but "
		    "no HTTPSProxy");
	if ((s->seen[POL_TORRC_SOCKS5_USER] ||
	    s->seen[POL_TORRC_SOCKS5_PASSWORD]) &&
	    !s->seen[POL_TORRC_SOCKS5])
		return pol_why(s->why, "a user or password for Socks5Proxy is "
		    "there, but no Socks5Proxy");
	return true;
}

/* The proxy gets the name in place of the address that Tor was given. */
static bool
take_note(struct parser *s)
{
	struct pol_addr addr;

	if (s->note_line == 0)
		return true;
	pol_uplink_proxy_addr(&addr, s->u);
	if (addr.family == AF_UNSPEC || s->note.port != s->u->port) {
		s->line = s->note_line;
		return pol_why(s->why, "this comment is not about the proxy "
		    "that is set: remove it");
	}
	memcpy(s->u->host, s->note.name, sizeof s->u->host);
	return true;
}

/* Of all lines together. */
static bool
parse_end(struct parser *s)
{
	if (!s->any)
		return pol_why(s->why, "there is no option: to do without "
		    "bridges and proxy, write UseBridges 0");
	if (s->seen[POL_TORRC_USE] && s->use && s->u->nbridges == 0)
		return pol_why(s->why, "UseBridges is 1, but there is no "
		    "bridge");
	if (s->seen[POL_TORRC_USE] && !s->use && s->u->nbridges != 0)
		return pol_why(s->why, "UseBridges is 0, but there are "
		    "bridges: write 1, or leave them out");
	return auth_belongs(s) && take_note(s) &&
	    pol_uplink_ok(s->u, s->why, s->p);
}

static bool
parse_lines(struct parser *s, const char *text, size_t len)
{
	const char *end = text + len;

	while (text < end) {
		const char *lf = memchr(text, '\n', (size_t)(end - text));
		size_t n = (size_t)((lf != NULL ? lf : end) - text);

		s->line++;
		if (!parse_line(s, text, n))
			return false;
		text += n + (lf != NULL);
	}
	if (s->line == 0)
		s->line = 1; /* the empty text's only one */
	return parse_end(s);
}

size_t
pol_uplink_parse(struct pol_uplink *out, char why[POL_UPLINK_WHY],
    const struct pol_policy *p, const char *text, size_t len)
{
	struct parser s = { .u = out, .p = p, .why = why };
	size_t bad = 0;

	memset(out, 0, sizeof *out);
	why[0] = '\0';
	if (len > TEXT_MAX) {
		(void)pol_why(why, "this is too long: %u KiB at most",
		    TEXT_MAX >> 10);
		bad = 1;
	} else if (!parse_lines(&s, text, len)) {
		bad = s.line;
	}
	if (bad != 0)
		explicit_bzero(out, sizeof *out);
	explicit_bzero(&s, sizeof s); /* it may hold a password */
	return bad;
}

/* Printable, ended within CAP octets, and nothing behind its end. */
static bool
text_clean(const char *text, size_t cap)
{
	size_t n = 0;

	while (n < cap && text[n] >= ' ' && text[n] <= '~')
		n++;
	if (n == cap)
		return false;
	while (n < cap && text[n] == '\0')
		n++;
	return n == cap;
}

static bool
bridge_ok(const char *line, char why[POL_UPLINK_WHY],
    const struct pol_policy *p)
{
	char again[POL_BRIDGE_LEN];
	struct pol_bridge b;

	if (!pol_bridge_parse(&b, why, line) || !served(why, p, &b))
		return false;
	pol_bridge_format(again, &b);
	if (strcmp(again, line) != 0)
		return pol_why(why, "a bridge is not in its usual form");
	return true;
}

static bool
bridges_ok(const struct pol_uplink *u, char why[POL_UPLINK_WHY],
    const struct pol_policy *p)
{
	for (size_t i = 0; i < POL_UPLINK_BRIDGES; i++) {
		if (!text_clean(u->bridge[i], POL_BRIDGE_LEN) ||
		    (i >= u->nbridges && u->bridge[i][0] != '\0'))
			return pol_why(why, "bridge %zu is no text", i + 1);
		if (i < u->nbridges && !bridge_ok(u->bridge[i], why, p))
			return false;
	}
	return true;
}

static bool
proxy_ok(const struct pol_uplink *u, char why[POL_UPLINK_WHY])
{
	struct pol_host host;

	if (u->proxy == POL_PROXY_NONE && (u->port != 0 ||
	    u->host[0] != '\0' || u->has_auth != 0))
		return pol_why(why, "there is no proxy, but something about "
		    "one");
	if (u->has_auth == 0 && (u->user[0] != '\0' || u->password[0] != '\0'))
		return pol_why(why, "there is a user or password that is not "
		    "to be used");
	if (u->proxy == POL_PROXY_NONE)
		return true;
	if (u->port == 0 || u->port > UINT16_MAX)
		return pol_why(why, "the proxy's port is none");
	if (!pol_host_only(&host, u->host) || strcmp(host.name, u->host) != 0)
		return pol_why(why, "the proxy's host is none");
	return auth_ok(u, why);
}

bool
pol_uplink_ok(const struct pol_uplink *u, char why[POL_UPLINK_WHY],
    const struct pol_policy *p)
{
	why[0] = '\0';
	if (u->nbridges > POL_UPLINK_BRIDGES || u->proxy >= POL_NPROXY ||
	    u->has_auth > 1)
		return pol_why(why, "a number is out of range");
	if (!text_clean(u->host, sizeof u->host) ||
	    !text_clean(u->user, sizeof u->user) ||
	    !text_clean(u->password, sizeof u->password))
		return pol_why(why, "the proxy's host, user or password is no "
		    "printable text");
	return bridges_ok(u, why, p) && proxy_ok(u, why);
}
