/*
 * Addresses, ports and networks, as values and as text.  Pure.
 */
#ifndef POL_ADDR_H
#define POL_ADDR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pol_addr {
	int family; /* AF_INET or AF_INET6; 0: none; AF_UNIX: see listener */
	union {
		struct in_addr v4;
		struct in6_addr v6;
	};
};

/* A network in its usual form: the bits after PREFIX are 0. */
struct pol_net {
	struct pol_addr addr;
	uint8_t prefix;
};

struct pol_ports {
	uint16_t first, last; /* 1 to 65535, first <= last */
};

bool pol_addr_equal(const struct pol_addr *a, const struct pol_addr *b);
/* 127.0.0.0/8 or ::1. */
bool pol_addr_loopback(const struct pol_addr *a);
/* "10.152.152.10" or "fd19::10"; DST holds INET6_ADDRSTRLEN. */
void pol_addr_format(char *dst, size_t cap, const struct pol_addr *a);
/* Literal addresses only; false otherwise. */
bool pol_addr_parse(struct pol_addr *out, const char *text);
/* "10.152.152.10:9050" or "[fd19::10]:9050"; port 0 is none. */
bool pol_addrport_parse(struct pol_addr *addr, uint16_t *port,
    const char *text);
/* "10.0.0.0/8", "fc00::/7", or an address, which is a network of one. */
bool pol_net_parse(struct pol_net *out, const char *text);
/* The same, but clears the bits after the prefix. */
bool pol_net_mask(struct pol_net *out, const char *text);
/* DST holds INET6_ADDRSTRLEN + 4. */
void pol_net_format(char *dst, size_t cap, const struct pol_net *n);
/* Decimal digits only, to UINT32_MAX; false otherwise. */
bool pol_number_parse(uint32_t *out, const char *text);
/* "10.152.152.10:9050" or "[fd19::10]:9050". */
void pol_addrport_format(char *dst, size_t cap, const struct pol_addr *addr,
    uint16_t port);

#endif
