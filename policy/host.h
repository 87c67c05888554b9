/*
 * Names of hosts, and "host:port" as Tor's options for proxies have it.
 * Pure; nothing is looked up.  pol_host_ok() is in needs.h.
 */
#ifndef POL_HOST_H
#define POL_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

struct pol_host {
	char name[POL_HOST_LEN]; /* lower case, no final dot; or the address */
	struct pol_addr addr;	 /* family 0: NAME is a name */
	uint16_t port;
};

/*
 * "proxy.example", "192.0.2.1" or "[2001:db8::1]", each with ":port" behind
 * it or not: then it is PORT.  With PORT 0 one must be there.
 */
bool pol_host_parse(struct pol_host *out, const char *text, uint16_t port)
    __attribute__((warn_unused_result));

/* The same without any port: "2001:db8::1" has no brackets then. */
bool pol_host_only(struct pol_host *out, const char *text)
    __attribute__((warn_unused_result));

/* "proxy.example:443", "[2001:db8::1]:443". */
#define POL_HOST_TEXT (POL_HOST_LEN + 8)
void pol_host_format(char dst[POL_HOST_TEXT], const char *name,
    uint16_t port);

#endif
