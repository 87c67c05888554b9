#include "policy/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

bool
pol_addr_equal(const struct pol_addr *a, const struct pol_addr *b)
{
	if (a->family != b->family)
		return false;
	if (a->family == AF_INET)
		return a->v4.s_addr == b->v4.s_addr;
	return memcmp(&a->v6, &b->v6, sizeof a->v6) == 0;
}

bool
pol_addr_loopback(const struct pol_addr *a)
{
	if (a->family == AF_INET)
		return ntohl(a->v4.s_addr) >> 24 == IN_LOOPBACKNET;
	return IN6_IS_ADDR_LOOPBACK(&a->v6);
}

void
pol_addr_format(char *dst, size_t cap, const struct pol_addr *a)
{
	const void *src = a->family == AF_INET ? (const void *)&a->v4 :
						 (const void *)&a->v6;

	if (cap == 0)
		return;
	if (cap > INET6_ADDRSTRLEN)
		cap = INET6_ADDRSTRLEN;
	if (inet_ntop(a->family, src, dst, (socklen_t)cap) == NULL)
		dst[0] = '\0';
}

bool
pol_addr_parse(struct pol_addr *out, const char *text)
{
	memset(out, 0, sizeof *out);
	if (inet_pton(AF_INET, text, &out->v4) == 1) {
		out->family = AF_INET;
		return true;
	}
	if (inet_pton(AF_INET6, text, &out->v6) == 1) {
		out->family = AF_INET6;
		return true;
	}
	memset(out, 0, sizeof *out);
	return false;
}

void
pol_addrport_format(char *dst, size_t cap, const struct pol_addr *addr,
    uint16_t port)
{
	char text[INET6_ADDRSTRLEN];
	bool v6 = addr->family == AF_INET6;

	pol_addr_format(text, sizeof text, addr);
	(void)snprintf(dst, cap, "%s%s%s:%u", v6 ? "[" : "", text,
	    v6 ? "]" : "", (unsigned)port);
}

bool
pol_number_parse(uint32_t *out, const char *text)
{
	uint64_t n = 0;

	if (*text == '\0')
		return false;
	for (; *text != '\0'; text++) {
		if (*text < '0' || *text > '9')
			return false;
		n = n * 10 + (uint64_t)(*text - '0');
		if (n > UINT32_MAX)
			return false;
	}
	*out = (uint32_t)n;
	return true;
}

bool
pol_addrport_parse(struct pol_addr *addr, uint16_t *port, const char *text)
{
	char host[INET6_ADDRSTRLEN];
	const char *colon = strrchr(text, ':');
	bool brackets = text[0] == '[';
	size_t n;
	uint32_t number;

	if (colon == NULL || !pol_number_parse(&number, colon + 1) ||
	    number == 0 || number > UINT16_MAX)
		return false;
	n = (size_t)(colon - text);
	if (brackets) {
		if (n < 2 || text[n - 1] != ']')
			return false;
		text++;
		n -= 2;
	}
	if (n >= sizeof host)
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	if (!pol_addr_parse(addr, host) ||
	    brackets != (addr->family == AF_INET6))
		return false;
	*port = (uint16_t)number;
	return true;
}

/* Clear all bits of A after the first PREFIX; were they 0 already? */
static bool
clear_host_bits(struct pol_addr *a, unsigned prefix)
{
	const bool v6 = a->family == AF_INET6;
	uint8_t *octets = v6 ? a->v6.s6_addr : (uint8_t *)&a->v4;
	const unsigned bits = v6 ? 128 : 32;
	bool clear = true;

	for (unsigned i = prefix; i < bits; i++) {
		uint8_t bit = (uint8_t)(0x80u >> i % 8);

		if ((octets[i / 8] & bit) != 0)
			clear = false;
		octets[i / 8] &= (uint8_t)~bit;
	}
	return clear;
}

/* TEXT, if it is a network, without its host's bits; *EXACT: it had none. */
static bool
net_read(struct pol_net *out, const char *text, bool *exact)
{
	char host[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	const size_t n = slash != NULL ? (size_t)(slash - text) : strlen(text);
	struct pol_net net;
	uint32_t prefix, most;

	if (n >= sizeof host)
		return false;
	memcpy(host, text, n);
	host[n] = '\0';
	memset(&net, 0, sizeof net);
	if (!pol_addr_parse(&net.addr, host))
		return false;
	prefix = most = net.addr.family == AF_INET6 ? 128 : 32;
	if (slash != NULL && (!pol_number_parse(&prefix, slash + 1) ||
	    prefix > most))
		return false;
	net.prefix = (uint8_t)prefix;
	*exact = clear_host_bits(&net.addr, prefix);
	*out = net;
	return true;
}

bool
pol_net_parse(struct pol_net *out, const char *text)
{
	struct pol_net net;
	bool exact;

	if (!net_read(&net, text, &exact) || !exact)
		return false;
	*out = net;
	return true;
}

bool
pol_net_mask(struct pol_net *out, const char *text)
{
	bool exact;

	return net_read(out, text, &exact);
}

void
pol_net_format(char *dst, size_t cap, const struct pol_net *n)
{
	char addr[INET6_ADDRSTRLEN];

	pol_addr_format(addr, sizeof addr, &n->addr);
	(void)snprintf(dst, cap, "%s/%u", addr, (unsigned)n->prefix);
}
