/*
 * What a port line of Tor's configuration listens on: a GETCONF value such
 * as "9999", "auto", "0", "[::]:9050 IPv6Traffic" or
 * "unix:\"/run/tor/a socket\" WorldWritable".
 */
#ifndef POL_PORTLINE_H
#define POL_PORTLINE_H

#include <stdbool.h>
#include <stdint.h>

#include "policy.h"

struct pol_line {
	bool off; /* "0": nothing is listened on */
	/*
	 * Where.  Its family is AF_UNIX for a socket at PATH, and 0 when the
	 * line names a host, which only Tor's resolver can know.
	 */
	struct pol_addr addr;
	bool by_name;  /* a host's name: "localhost" is known to be 127.0.0.1 */
	uint16_t port; /* 0: Tor takes any ("auto"), or there is none */
	char path[POL_PATH_LEN];
	const char *flags; /* what follows; borrowed from the value */
};

/*
 * Read VALUE as Tor does; a bare port is on 127.0.0.1.  False, and OUT is
 * zeroed: Tor would refuse it, or we cannot tell.
 */
bool pol_line_parse(struct pol_line *out, const char *value)
    __attribute__((warn_unused_result));

/*
 * Would a listener of KIND for LINE and policy listener L want the same
 * socket: one path; or one protocol and port, and one address, where a
 * wildcard is every address of its family and an unknown host is any?
 */
bool pol_line_collides(const struct pol_line *line, enum pol_kind kind,
    const struct pol_listener *l, const struct pol_addr *ifaddrs);

/*
 * Can VALUE be reached from beyond this machine, that is, is it neither off,
 * nor on loopback, nor a Unix socket?  What cannot be parsed can.
 */
bool pol_line_reachable(const char *value);

#endif
