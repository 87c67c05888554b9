/*
 * From the octets of a DNS answer to addresses, and which addresses are
 * taken.  Pure; the names in it are unpacked by c-ares.
 */
#ifndef RESOLVER_ANSWER_H
#define RESOLVER_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "supervisor/namemsg.h"

/* What became of one question, or of a whole lookup. */
struct answer {
	enum name_state state;
	uint32_t n;	/* with NAME_OK at least 1, else 0 */
	uint32_t ttl_s; /* NAME_TTL_MIN_S to NAME_TTL_MAX_S; 0 with n 0 */
	struct pol_addr addr[NAME_MAX_ADDRS];
};

struct answer_bytes {
	const uint8_t *p;
	size_t n;
};

/*
 * Read an answer without error code to "HOST, FAMILY": AF_INET or AF_INET6.
 * From HOST a chain of at most NAME_MAX_CNAMES aliases leads to the name whose
 * addresses count, all of them in this answer; what else it has is ignored.
 * NAME_BAD: none of this question's, broken, or beyond our limits.
 * NAME_PRIVATE: every address was left out.
 */
void answer_read(struct answer *out, const char *host, int family,
    bool allow_private, const struct answer_bytes *bytes);

/* Does it say that it answers this question, whatever else is wrong with it? */
bool answer_is_to(const char *host, int family,
    const struct answer_bytes *bytes);

/*
 * A lookup is two questions; INTO is the first one's on the way in, the
 * lookup's on the way out.  One that has addresses is enough.
 */
void answer_join(struct answer *into, const struct answer *other);

/*
 * Is A an address out there?  Not, unless ALLOW_PRIVATE: private, loopback,
 * unique-local and carriers' shared ones, and IPv6 that stands for such IPv4.
 * Never: what nobody can connect to by name, as multicast, the unspecified
 * one, link-local IPv6, and IPv4 that is mapped into IPv6.
 */
bool answer_addr_ok(const struct pol_addr *a, bool allow_private);

#endif
