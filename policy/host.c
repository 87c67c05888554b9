#include "policy/host.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/needs.h"

#define LABEL_MAX 63

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool
host_octet(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	    is_digit(c) || c == '-' || c == '_';
}

/*
 * Resolvers take "127.1" and "0x7f000001" for addresses: what ends in a
 * number is no name, and was no address either.
 */
static bool
is_number(const char *label)
{
	size_t n = strspn(label, "0123456789");

	return label[n] == '\0' || (n == 1 && label[0] == '0' &&
	    (label[1] == 'x' || label[1] == 'X'));
}

bool
pol_host_ok(const char *host)
{
	const char *label = host;

	if (strlen(host) >= POL_HOST_LEN)
		return false;
	for (;;) {
		size_t n = 0;

		while (host_octet(label[n]))
			n++;
		if (n == 0 || n > LABEL_MAX || label[0] == '-' ||
		    label[n - 1] == '-')
			return false;
		if (label[n] == '\0')
			return !is_number(label);
		if (label[n] != '.')
			return false;
		label += n + 1;
	}
}

/* The N octets at TEXT, in lower case and without a final dot. */
static bool
take_name(struct pol_host *out, const char *text, size_t n)
{
	if (n > 1 && text[n - 1] == '.')
		n--;
	if (n == 0 || n >= sizeof out->name)
		return false;
	for (size_t i = 0; i < n; i++)
		out->name[i] = (char)(text[i] >= 'A' && text[i] <= 'Z' ?
		    text[i] - 'A' + 'a' : text[i]);
	out->name[n] = '\0';
	return true;
}

bool
pol_host_only(struct pol_host *out, const char *text)
{
	memset(out, 0, sizeof *out);
	if (!take_name(out, text, strlen(text)))
		return false;
	if (!pol_addr_parse(&out->addr, out->name))
		return pol_host_ok(out->name);
	memset(out->name, 0, sizeof out->name);
	pol_addr_format(out->name, sizeof out->name, &out->addr);
	return true;
}

/* What stands before the port, which begins at *COLON. */
static bool
split(char host[POL_HOST_LEN + 1], const char **colon, const char *text)
{
	const char *end;

	if (text[0] == '[') {
		text++;
		end = strchr(text, ']');
		if (end == NULL)
			return false;
		*colon = end + 1;
	} else {
		end = text + strcspn(text, ":");
		*colon = end;
	}
	if ((size_t)(end - text) > POL_HOST_LEN)
		return false;
	memcpy(host, text, (size_t)(end - text));
	host[end - text] = '\0';
	return true;
}

bool
pol_host_parse(struct pol_host *out, const char *text, uint16_t port)
{
	char host[POL_HOST_LEN + 1];
	const char *colon;
	uint32_t number = port;

	if (!split(host, &colon, text) || !pol_host_only(out, host) ||
	    (text[0] == '[') != (out->addr.family == AF_INET6))
		return false;
	if (*colon != '\0' && (*colon != ':' ||
	    !pol_number_parse(&number, colon + 1)))
		return false;
	if (number == 0 || number > UINT16_MAX)
		return false;
	out->port = (uint16_t)number;
	return true;
}

void
pol_host_format(char dst[POL_HOST_TEXT], const char *name, uint16_t port)
{
	bool v6 = strchr(name, ':') != NULL;

	(void)snprintf(dst, POL_HOST_TEXT, "%s%s%s:%u", v6 ? "[" : "", name,
	    v6 ? "]" : "", (unsigned)port);
}
