/* Bridge lines, and the arguments in them; see uplink.h. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "policy/draft.h"
#include "policy/host.h"
#include "policy/uplink.h"
#include "policy/why.h"

#define FINGERPRINT 40	 /* hexadecimal digits */
#define BRIDGE_PORT 443 /* Tor's, where a line has none */
/* They go to the program as a SOCKS5 user and password, 255 octets each. */
#define ARGUMENTS 510
/* The longest method, address and fingerprint, each with a space. */
#define HEAD_MAX (POL_NAME_LEN + INET6_ADDRSTRLEN + 8 + FINGERPRINT + 2)
_Static_assert(HEAD_MAX + ARGUMENTS < POL_BRIDGE_LEN,
    "whatever can be parsed has room in its canonical form");

bool
pol_why(char why[POL_UPLINK_WHY], const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, POL_UPLINK_WHY, fmt, ap);
	va_end(ap);
	return false;
}

/* A line, word by word. */
struct words {
	const char *word; /* NULL: there is no more */
	size_t len;
	const char *rest;
};

static bool
next(struct words *w)
{
	w->word = w->rest + strspn(w->rest, " ");
	w->len = strcspn(w->word, " ");
	w->rest = w->word + w->len;
	return w->len != 0;
}

static bool
is_word(const struct words *w, const char *word)
{
	return strlen(word) == w->len && strncasecmp(w->word, word, w->len) ==
	    0;
}

/* What could begin a line or a comment of its own in a torrc. */
static bool
text_ok(const char *line, char why[POL_UPLINK_WHY])
{
	for (; *line != '\0'; line++) {
		if (*line < ' ' || *line > '~')
			return pol_why(why, "it has a control character or a "
			    "letter that is not ASCII");
		if (strchr("\"'\\#", *line) != NULL)
			return pol_why(why, "it has a %c, which no bridge "
			    "line needs", *line);
	}
	return true;
}

bool
pol_method_ok(const char *name, size_t len)
{
	if (len == 0 || len >= POL_NAME_LEN || (*name >= '0' && *name <= '9'))
		return false;
	for (size_t i = 0; i < len; i++)
		if (!((name[i] >= 'a' && name[i] <= 'z') ||
		    (name[i] >= 'A' && name[i] <= 'Z') ||
		    (name[i] >= '0' && name[i] <= '9') || name[i] == '_'))
			return false;
	return true;
}

/* The words "TRANSPORT ADDRESS" or "ADDRESS"; W is at the first. */
static bool
read_head(struct pol_bridge *out, char why[POL_UPLINK_WHY], struct words *w)
{
	char text[POL_QUOTE_LEN];
	struct pol_host host;

	if (pol_method_ok(w->word, w->len)) {
		memcpy(out->transport, w->word, w->len);
		if (!next(w))
			return pol_why(why, "it has no address");
	}
	(void)snprintf(text, sizeof text, "%.*s", (int)(w->len < sizeof text ?
	    w->len : sizeof text - 1), w->word);
	if (w->len >= sizeof text || !pol_host_parse(&host, text, BRIDGE_PORT))
		return pol_why(why, "\"%s\" is no address and port", text);
	if (host.addr.family == AF_UNSPEC)
		return pol_why(why, "the address \"%s\" is no IP address",
		    host.name);
	out->addr = host.addr;
	out->port = host.port;
	return true;
}

/* The word of W, or a part of one, to the end of the fingerprint. */
static bool
add_fingerprint(struct pol_bridge *out, char why[POL_UPLINK_WHY],
    const struct words *w)
{
	size_t used = strlen(out->fingerprint);

	if (w->len > FINGERPRINT - used)
		return pol_why(why, "the fingerprint has more than %d digits",
		    FINGERPRINT);
	for (size_t i = 0; i < w->len; i++) {
		char c = w->word[i];

		if (c >= 'a' && c <= 'f')
			c = (char)(c - 'a' + 'A');
		if (!(c >= '0' && c <= '9') && !(c >= 'A' && c <= 'F'))
			return pol_why(why, "the fingerprint has a '%c', which "
			    "is no hexadecimal digit", c);
		out->fingerprint[used + i] = c;
	}
	return true;
}

/* "key=value", as Tor wants it; the value may be empty. */
static bool
is_argument(const struct words *w)
{
	const char *sign = memchr(w->word, '=', w->len);

	return sign != NULL && sign != w->word;
}

/* As long as what Tor makes of it for the program: a semicolon is escaped. */
static size_t
argument_len(const struct words *w)
{
	size_t n = w->len;

	for (size_t i = 0; i < w->len; i++)
		n += w->word[i] == ';';
	return n;
}

static bool
read_arguments(struct pol_bridge *out, char why[POL_UPLINK_WHY],
    struct words *w)
{
	size_t used = 0;

	out->args = w->word;
	for (; w->len != 0; (void)next(w)) {
		if (!is_argument(w))
			return pol_why(why, "an argument is not of the form "
			    "key=value");
		used += argument_len(w) + (used != 0);
	}
	if (used > ARGUMENTS)
		return pol_why(why, "its arguments have more than %d letters, "
		    "which Tor cannot hand on", ARGUMENTS);
	return true;
}

/* Only behind a transport Tor expects arguments, and one word before. */
static bool
read_tail(struct pol_bridge *out, char why[POL_UPLINK_WHY], struct words *w)
{
	bool plain = out->transport[0] == '\0';

	while (next(w) && memchr(w->word, '=', w->len) == NULL) {
		if (!add_fingerprint(out, why, w))
			return false;
		if (!plain && strlen(out->fingerprint) != FINGERPRINT)
			break;
	}
	if (out->fingerprint[0] != '\0' &&
	    strlen(out->fingerprint) != FINGERPRINT)
		return pol_why(why, "the fingerprint has %zu digits, not %d",
		    strlen(out->fingerprint), FINGERPRINT);
	if (plain && w->len != 0)
		return pol_why(why, "it has arguments, but no transport that "
		    "they are for");
	return read_arguments(out, why, w);
}

bool
pol_bridge_parse(struct pol_bridge *out, char why[POL_UPLINK_WHY],
    const char *line)
{
	struct words w = { .rest = line };

	memset(out, 0, sizeof *out);
	why[0] = '\0';
	if (strlen(line) >= POL_BRIDGE_LEN)
		return pol_why(why, "it has more than %d letters",
		    POL_BRIDGE_LEN - 1);
	if (!text_ok(line, why))
		return false;
	if (next(&w) && is_word(&w, "Bridge"))
		(void)next(&w);
	if (w.len == 0)
		return pol_why(why, "it is empty");
	return read_head(out, why, &w) && read_tail(out, why, &w);
}

void
pol_bridge_format(char dst[POL_BRIDGE_LEN], const struct pol_bridge *b)
{
	char addr[INET6_ADDRSTRLEN + 8];
	struct words w = { .rest = b->args };
	size_t used;

	pol_addrport_format(addr, sizeof addr, &b->addr, b->port);
	memset(dst, 0, POL_BRIDGE_LEN);
	used = (size_t)snprintf(dst, POL_BRIDGE_LEN, "%s%s%s%s%s",
	    b->transport, b->transport[0] != '\0' ? " " : "", addr,
	    b->fingerprint[0] != '\0' ? " " : "", b->fingerprint);
	while (next(&w) && w.len + 1 < POL_BRIDGE_LEN - used) {
		dst[used++] = ' ';
		memcpy(dst + used, w.word, w.len);
		used += w.len;
	}
}

/* The value in W of the option "-key" or "--key"; NULL: it is another. */
static const char *
option_value(struct words *w, const char *key, size_t *len)
{
	size_t n = strlen(key);
	const char *p = w->word;

	if (w->len > 1 && p[1] == '-')
		p++; /* two dashes mean what one means */
	if ((size_t)(w->rest - p) < n || strncmp(p, key, n) != 0)
		return NULL;
	p += n;
	if (p < w->rest && *p == '=') {
		*len = (size_t)(w->rest - p - 1);
		return p + 1;
	}
	if (p != w->rest || !next(w))
		return NULL;
	*len = w->len;
	return w->word;
}

/* The same of "key=value". */
static const char *
argument_value(const struct words *w, const char *key, size_t *len)
{
	size_t n = strlen(key);

	if (w->len <= n || strncmp(w->word, key, n) != 0 || w->word[n] != '=')
		return NULL;
	*len = w->len - n - 1;
	return w->word + n + 1;
}

bool
pol_args_find(char *dst, size_t cap, const char *args, const char *key)
{
	struct words w = { .rest = args };
	const char *found = NULL;
	size_t len = 0;

	while (next(&w)) {
		size_t n = 0;
		const char *value = key[0] == '-' ?
		    option_value(&w, key, &n) : argument_value(&w, key, &n);

		if (value == NULL)
			continue;
		found = value;
		len = n;
		if (key[0] != '-')
			break;
	}
	if (found == NULL || len >= cap)
		return false;
	memcpy(dst, found, len);
	dst[len] = '\0';
	return true;
}
