/*
 * What of Tor's words everybody who may read the status is told: no external
 * address, no relay's identity.  The log, which is root's, has all of it.
 * Pure.
 */
#ifndef PRIVACY_H
#define PRIVACY_H

#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"

/* Addresses of internal interfaces; those beyond are as good as external. */
#define PRIVACY_INTERNAL 64

#define PRIVACY_ADDRESS "external address"

struct privacy {
	const struct pol_policy *policy; /* borrowed */
	/* Borrowed: the interfaces' addresses, in the policy's order. */
	const struct pol_addr *ifaddrs;
	struct pol_addr internal[PRIVACY_INTERNAL];
	size_t ninternal;
};

/*
 * Is A no secret: loopback or a wildcard, named by the policy, or on an
 * internal interface?
 */
bool privacy_addr_ok(const struct privacy *p, const struct pol_addr *a);

/*
 * Where LINE, a port line that Tor has, listens: as net/listeners writes it,
 * but for an address that is nobody's business.  The port is told.
 * DST holds POL_LISTENER_TEXT.
 */
void privacy_where(char *dst, size_t cap, const struct privacy *p,
    const char *line);

/*
 * SRC, a sentence of Tor's that is escaped already, with "[address]" for each
 * address that is not to be told and "[identity]" for whatever is as long as
 * a fingerprint, a key or an onion name.  Cut to CAP.  Returns DST.
 */
char *privacy_text(char *dst, size_t cap, const struct privacy *p,
    const char *src);

#endif
