#include "supervisor/engine/privacy.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/portline.h"
#include "supervisor/log.h"

/* A fingerprint has 40 octets, an Ed25519 key 43; words have fewer. */
#define IDENTITY_LEN 32
#define KEY_LEN 43

/* All of 0.0.0.0/8 is nobody's; Tor's versions look like it. */
static bool
is_wildcard(const struct pol_addr *a)
{
	return a->family == AF_INET ? ntohl(a->v4.s_addr) >> 24 == 0 :
				      IN6_IS_ADDR_UNSPECIFIED(&a->v6);
}

static bool
is_among(const struct pol_addr *list, size_t n, const struct pol_addr *a)
{
	for (size_t i = 0; i < n; i++)
		if (pol_addr_equal(&list[i], a))
			return true;
	return false;
}

bool
privacy_addr_ok(const struct privacy *p, const struct pol_addr *a)
{
	const struct pol_policy *pol = p->policy;

	if (a->family != AF_INET && a->family != AF_INET6)
		return false;
	if (pol_addr_loopback(a) || is_wildcard(a) ||
	    is_among(p->ifaddrs, POL_MAX_IFADDRS, a) ||
	    is_among(p->internal, p->ninternal, a) ||
	    is_among(&pol->tor.control_addr, 1, a))
		return true;
	for (size_t i = 0; i < pol->nlisteners; i++)
		if (pol->listeners[i].ifaddr == 0 &&
		    pol_addr_equal(&pol->listeners[i].addr, a))
			return true;
	return false;
}

void
privacy_where(char *dst, size_t cap, const struct privacy *p,
    const char *value)
{
	static const char scheme[] = "unix:";
	struct pol_line line;

	if (!pol_line_parse(&line, value)) {
		(void)snprintf(dst, cap, PRIVACY_ADDRESS);
	} else if (line.addr.family == AF_UNIX) {
		(void)snprintf(dst, cap, "%s", scheme);
		(void)log_esc(dst + sizeof scheme - 1,
		    cap - (sizeof scheme - 1), line.path, strlen(line.path));
	} else if (!line.off && !privacy_addr_ok(p, &line.addr)) {
		/* A host's name is an address, too. */
		(void)snprintf(dst, cap, line.port != 0 ?
		    PRIVACY_ADDRESS ":%u" : PRIVACY_ADDRESS ":auto",
		    (unsigned)line.port);
	} else if (line.port == 0) {
		(void)log_esc(dst, cap, value, strcspn(value, " \t"));
	} else {
		pol_addrport_format(dst, cap, &line.addr, line.port);
	}
}

/* N octets at S as an address. */
static bool
parse(struct pol_addr *a, const char *s, size_t n)
{
	char text[INET6_ADDRSTRLEN];

	if (n == 0 || n >= sizeof text)
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	return pol_addr_parse(a, text);
}

/*
 * The longest address that begins at S and ends within N octets, where a
 * colon or nothing follows: a port may stand behind.  0: none.
 */
static size_t
address_at(struct pol_addr *a, const char *s, size_t n)
{
	size_t end;

	for (end = n; end > 0; end--)
		if ((end == n || s[end] == ':' || s[end] == '.') &&
		    parse(a, s, end))
			return end;
	return 0;
}

/* How many octets at S, behind BEFORE, are an address that is no secret. */
static size_t
skip_address(bool *hide, const struct privacy *p, const char *s, char before)
{
	static const char octets[] = "0123456789abcdefABCDEF:.";
	struct pol_addr a;
	size_t n;

	*hide = false;
	if (before != ':' && before != '\0' && strchr(octets, before) != NULL)
		return 0;
	n = address_at(&a, s, strspn(s, octets));
	*hide = n != 0 && !privacy_addr_ok(p, &a);
	return n;
}

/* How many octets at S are a word; HIDE: an identity, and its nickname. */
static size_t
skip_word(bool *hide, const char *s)
{
	static const char octets[] = "+/0123456789"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
	size_t n = strspn(s, octets);

	/* A path may be as long. */
	*hide = n >= IDENTITY_LEN && (s[0] != '/' || n == KEY_LEN);
	if (*hide && (s[n] == '~' || s[n] == '='))
		n += 1 + strspn(s + n + 1, octets + sizeof "+/" - 1);
	return n;
}

/* Append N octets of S to the *LEN in DST, as far as there is room. */
static void
append(char *dst, size_t *len, size_t cap, const char *s, size_t n)
{
	if (n > cap - 1 - *len)
		n = cap - 1 - *len;
	memcpy(dst + *len, s, n);
	*len += n;
	dst[*len] = '\0';
}

char *
privacy_text(char *dst, size_t cap, const struct privacy *p, const char *src)
{
	static const char address[] = "[address]", identity[] = "[identity]";
	size_t len = 0, n;
	char before = '\0';
	bool hide;

	dst[0] = '\0';
	for (; *src != '\0'; src += n, before = src[-1]) {
		n = skip_address(&hide, p, src, before);
		if (hide) {
			append(dst, &len, cap, address, sizeof address - 1);
			continue;
		}
		if (n == 0)
			n = skip_word(&hide, src);
		if (hide) {
			append(dst, &len, cap, identity, sizeof identity - 1);
			continue;
		}
		n = n != 0 ? n : 1;
		append(dst, &len, cap, src, n);
	}
	return dst;
}
