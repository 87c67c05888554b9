/*
 * Policy -> the ordered Tor options that provision its listeners.
 */
#ifndef POL_OPTIONS_H
#define POL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "policy.h"

struct pol_option {
	const char *name;			/* static: "SocksPort" */
	/* "10.152.152.10:9050 IPv6Traffic" */
	char value[POL_LISTENER_TEXT + POL_FLAGS_LEN];
	size_t listener; /* number of its listener, SIZE_MAX for none */
};

struct pol_options {
	struct pol_option *list; /* owned */
	size_t n;
};

void pol_options_clear(struct pol_options *o);

/*
 * All listeners that WITHHELD (a map by listener number; NULL: none) does not
 * name and that have an address (IFADDRS: see policy.h; NULL: none), grouped
 * by kind in enum order, in policy order within a kind.  A kind the policy
 * uses but for which every listener is withheld becomes "Port 0"; a kind the
 * policy never names is left alone.  Last comes "DisableNetwork 0", so that
 * one SETCONF opens them.  -1 when out of memory.
 */
int pol_options_make(struct pol_options *out, const struct pol_policy *p,
    const bool *withheld, const struct pol_addr *ifaddrs)
    __attribute__((warn_unused_result));

/*
 * True if FLAG is one of Tor's flags for KIND (case folded, "No" prefix where
 * Tor has it, trailing s where Tor takes it); then OUT, if not NULL, is
 * Tor's spelling.  Tor answers 250 to a misspelt flag and drops it, so
 * nothing unchecked may be sent.  False: OUT is the nearest right spelling.
 */
bool pol_flag_check(enum pol_kind kind, const char *flag, char *out,
    size_t cap);

/*
 * Does a line that Tor reports (GETCONF value, "10.0.0.1:9050 IPv6Traffic
 * IsolateDestAddr") mean the same listener with the same flags as L?  Order
 * and case of flags do not matter.  A listener without an address is never
 * the same.
 */
bool pol_option_same(const struct pol_listener *l, const char *value,
    const struct pol_addr *ifaddrs);

#endif
