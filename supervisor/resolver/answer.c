#include "supervisor/resolver/answer.h"

/* c-ares 1.34 calls what 1.18 has deprecated. */
#define CARES_NO_DEPRECATED
#include <ares.h>
#include <arpa/inet.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define HEADER_LEN 12
#define RR_FIXED 10 /* type, class, TTL and length behind the owner's name */
#define FLAG_QR 0x80
#define RCODE 0x0f
#define CLASS_IN 1
enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_AAAA = 28 };

/*
 * A message has 64 KiB, and room for thousands of records.  Each link of the
 * chain walks them all, so there is a most.
 */
#define MAX_RECORDS 128

/* One answer, as far as it is read. */
struct reading {
	const uint8_t *msg;
	size_t len;
	size_t answers; /* where that section begins */
	int family;
	bool allow_private;
	unsigned private; /* addresses left out */
	char name[POL_HOST_LEN]; /* whose addresses are looked for */
};

/* One record of the answer section. */
struct record {
	char owner[POL_HOST_LEN];
	unsigned type, class;
	uint32_t ttl;
	const uint8_t *data;
	size_t len;
};

static unsigned
be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static uint32_t
be32(const uint8_t *p)
{
	return (uint32_t)be16(p) << 16 | be16(p + 2);
}

/* The name at *AT, which goes behind it; false: none that we could ask for. */
static bool
take_name(char out[POL_HOST_LEN], const struct reading *s, size_t *at)
{
	char *name = NULL;
	long used = 0;
	size_t n;
	bool ok;

	if (*at >= s->len || s->len > INT32_MAX ||
	    ares_expand_name(s->msg + *at, s->msg, (int)s->len, &name,
	    &used) != ARES_SUCCESS)
		return false;
	n = strlen(name);
	ok = n < POL_HOST_LEN && used > 0 && (size_t)used <= s->len - *at;
	if (ok) {
		memcpy(out, name, n + 1);
		*at += (size_t)used;
	}
	ares_free_string(name);
	return ok;
}

static bool
take_record(struct record *rr, const struct reading *s, size_t *at)
{
	const uint8_t *p;

	if (!take_name(rr->owner, s, at) || s->len - *at < RR_FIXED)
		return false;
	p = s->msg + *at;
	rr->type = be16(p);
	rr->class = be16(p + 2);
	rr->ttl = be32(p + 4);
	rr->len = be16(p + 8);
	*at += RR_FIXED;
	if (s->len - *at < rr->len)
		return false;
	rr->data = s->msg + *at;
	*at += rr->len;
	return true;
}

static unsigned
type_of(int family)
{
	return family == AF_INET ? TYPE_A : TYPE_AAAA;
}

static unsigned
record_count(const struct reading *s)
{
	return be16(s->msg + 6);
}

/* The header and the question, which has to be ours. */
static bool
skip_question(struct reading *s)
{
	char name[POL_HOST_LEN];
	size_t at = HEADER_LEN;

	if (s->len < HEADER_LEN || (s->msg[2] & FLAG_QR) == 0 ||
	    (s->msg[3] & RCODE) != 0 || be16(s->msg + 4) != 1)
		return false;
	if (!take_name(name, s, &at) || s->len - at < 4 ||
	    strcasecmp(name, s->name) != 0 ||
	    be16(s->msg + at) != type_of(s->family) ||
	    be16(s->msg + at + 2) != CLASS_IN)
		return false;
	s->answers = at + 4;
	return record_count(s) <= MAX_RECORDS;
}

/* RFC 2181, 8: the highest bit set means 0. */
static uint32_t
lower_ttl(uint32_t ttl, uint32_t other)
{
	if (other > INT32_MAX)
		other = 0;
	return other < ttl ? other : ttl;
}

/* Where RR, an alias, leads: all of its data is that name. */
static bool
alias_target(char out[POL_HOST_LEN], const struct reading *s,
    const struct record *rr)
{
	size_t start = (size_t)(rr->data - s->msg), at = start;

	return take_name(out, s, &at) && at == start + rr->len;
}

/*
 * From the name to what it is an alias of.  1: it is one; 0: it is none; -1:
 * the answer is broken, or it leads to two.
 */
static int
follow(struct reading *s, uint32_t *ttl)
{
	char to[POL_HOST_LEN] = "", other[POL_HOST_LEN];
	size_t at = s->answers;
	struct record rr;
	bool found = false;

	for (unsigned i = 0; i < record_count(s); i++) {
		if (!take_record(&rr, s, &at))
			return -1;
		if (rr.type != TYPE_CNAME || rr.class != CLASS_IN ||
		    strcasecmp(rr.owner, s->name) != 0)
			continue;
		if (!alias_target(other, s, &rr) ||
		    (found && strcasecmp(other, to) != 0))
			return -1;
		memcpy(to, other, sizeof to);
		*ttl = lower_ttl(*ttl, rr.ttl);
		found = true;
	}
	if (found)
		memcpy(s->name, to, sizeof to);
	return found;
}

static bool
is_known(const struct answer *a, const struct pol_addr *addr)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (pol_addr_equal(&a->addr[i], addr))
			return true;
	return false;
}

/* False: one too many. */
static bool
add(struct answer *a, const struct pol_addr *addr)
{
	if (is_known(a, addr))
		return true;
	if (a->n == NAME_MAX_ADDRS)
		return false;
	a->addr[a->n++] = *addr;
	return true;
}

static bool
record_addr(struct pol_addr *out, const struct record *rr, int family)
{
	const size_t len = family == AF_INET ? sizeof out->v4 :
	    sizeof out->v6;

	memset(out, 0, sizeof *out);
	out->family = family;
	if (rr->len != len)
		return false;
	memcpy(&out->v6, rr->data, len);
	return true;
}

/* The name's addresses.  False: broken, or too many. */
static bool
collect(struct answer *out, struct reading *s)
{
	size_t at = s->answers;
	struct pol_addr addr;
	struct record rr;

	for (unsigned i = 0; i < record_count(s); i++) {
		if (!take_record(&rr, s, &at))
			return false;
		if (rr.type != type_of(s->family) || rr.class != CLASS_IN ||
		    strcasecmp(rr.owner, s->name) != 0)
			continue;
		if (!record_addr(&addr, &rr, s->family))
			return false;
		out->ttl_s = lower_ttl(out->ttl_s, rr.ttl);
		if (!answer_addr_ok(&addr, s->allow_private))
			s->private++;
		else if (!add(out, &addr))
			return false;
	}
	return true;
}

static uint32_t
clamp_ttl(uint32_t ttl)
{
	if (ttl < NAME_TTL_MIN_S)
		return NAME_TTL_MIN_S;
	return ttl > NAME_TTL_MAX_S ? NAME_TTL_MAX_S : ttl;
}

static void
fail(struct answer *out, enum name_state state)
{
	memset(out, 0, sizeof *out);
	out->state = state;
}

void
answer_read(struct answer *out, const char *host, int family,
    bool allow_private, const struct answer_bytes *bytes)
{
	struct reading s = { .msg = bytes->p, .len = bytes->n,
		.family = family, .allow_private = allow_private };
	unsigned links = 0;
	int more;

	memcpy(s.name, host, strnlen(host, sizeof s.name - 1));
	fail(out, NAME_BAD);
	if (!skip_question(&s))
		return;
	out->ttl_s = NAME_TTL_MAX_S;
	/* A loop runs into the limit. */
	while ((more = follow(&s, &out->ttl_s)) == 1 &&
	    ++links <= NAME_MAX_CNAMES)
		continue;
	if (more != 0 || !collect(out, &s)) {
		fail(out, NAME_BAD);
		return;
	}
	if (out->n == 0) {
		fail(out, s.private != 0 ? NAME_PRIVATE : NAME_EMPTY);
		return;
	}
	out->state = NAME_OK;
	out->ttl_s = clamp_ttl(out->ttl_s);
}

bool
answer_is_to(const char *host, int family, const struct answer_bytes *bytes)
{
	struct reading s = { .msg = bytes->p, .len = bytes->n,
		.family = family };

	memcpy(s.name, host, strnlen(host, sizeof s.name - 1));
	return skip_question(&s);
}

/*
 * Of two failures the one that tells more: what somebody has to mend comes
 * before what may pass, and both before what the name itself is like.
 */
static unsigned
weight(enum name_state state)
{
	static const enum name_state order[] = { NAME_UNKNOWN, NAME_EMPTY,
		NAME_NXDOMAIN, NAME_TIMEOUT, NAME_REFUSED, NAME_UNREACHABLE,
		NAME_PRIVATE, NAME_BAD, NAME_TLS, NAME_BLOCKED };
	unsigned i = 0;

	while (i < sizeof order / sizeof order[0] && order[i] != state)
		i++;
	return i;
}

void
answer_join(struct answer *into, const struct answer *other)
{
	if (into->state != NAME_OK) {
		if (other->state == NAME_OK ||
		    weight(other->state) > weight(into->state))
			*into = *other;
		return;
	}
	if (other->state != NAME_OK)
		return;
	if (other->ttl_s < into->ttl_s)
		into->ttl_s = other->ttl_s;
	for (uint32_t i = 0; i < other->n; i++)
		if (!add(into, &other->addr[i])) {
			fail(into, NAME_BAD);
			return;
		}
}

struct range {
	uint32_t net;
	unsigned prefix;
};

static bool
in_ranges(uint32_t a, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if ((a ^ r[i].net) >> (32 - r[i].prefix) == 0)
			return true;
	return false;
}

static bool
v4_ok(uint32_t a, bool allow_private)
{
	/* clang-format off */
	static const struct range never[] = {
		{ 0x00000000, 8 },  /* "this network" */
		{ 0xe0000000, 3 },  /* multicast, reserved, broadcast */
	};
	static const struct range private[] = {
		{ 0x0a000000, 8 },  { 0xac100000, 12 }, { 0xc0a80000, 16 },
		{ 0x7f000000, 8 },  /* loopback */
		{ 0xa9fe0000, 16 }, /* link-local */
		{ 0x64400000, 10 }, /* carriers' shared addresses */
	};
	/* clang-format on */

	if (in_ranges(a, never, sizeof never / sizeof never[0]))
		return false;
	return allow_private ||
	    !in_ranges(a, private, sizeof private / sizeof private[0]);
}

/* IPv4 in IPv6: 6to4's and NAT64's. */
static bool
embedded(uint32_t *v4, const uint8_t *a)
{
	static const uint8_t nat64[12] = { 0, 0x64, 0xff, 0x9b };

	if (a[0] == 0x20 && a[1] == 0x02) {
		*v4 = be32(a + 2);
		return true;
	}
	*v4 = be32(a + 12);
	return memcmp(a, nat64, sizeof nat64) == 0;
}

static bool
v6_ok(const struct in6_addr *in6, bool allow_private)
{
	const uint8_t *a = in6->s6_addr;
	const bool link_local = a[0] == 0xfe && (a[1] & 0x80) == 0x80;
	uint32_t v4;

	/* Link-local ones lack the interface: nobody could connect. */
	if (a[0] == 0xff || link_local || IN6_IS_ADDR_UNSPECIFIED(in6))
		return false;
	if (IN6_IS_ADDR_LOOPBACK(in6) || (a[0] & 0xfe) == 0xfc)
		return allow_private;
	/* A mapped address would leave as IPv4, past what names IPv6. */
	if (IN6_IS_ADDR_V4MAPPED(in6) || IN6_IS_ADDR_V4COMPAT(in6))
		return false;
	return !embedded(&v4, a) || v4_ok(v4, allow_private);
}

bool
answer_addr_ok(const struct pol_addr *a, bool allow_private)
{
	if (a->family == AF_INET)
		return v4_ok(ntohl(a->v4.s_addr), allow_private);
	return a->family == AF_INET6 && v6_ok(&a->v6, allow_private);
}
