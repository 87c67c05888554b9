/*
 * Promises: no text makes an endpoint that does not stand in it; an endpoint
 * has a port; what is printed of one reads back as the same; the walk ends
 * and gives no more than its lines allow.
 */
#include "config.h" /* _GNU_SOURCE */

#include "tests/fuzz/fuzz.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "controlproto/ns.h"

static bool
zeros(const uint8_t *p, size_t n)
{
	while (n > 0 && p[n - 1] == 0)
		n--;
	return n == 0;
}

/* Does the port of E stand in TEXT, in decimal? */
static bool
has_port(struct cp_str text, const struct cp_endpoint *e)
{
	char port[8];
	int n = snprintf(port, sizeof port, "%u", (unsigned)e->port);

	return memmem(text.p, text.n, port, (size_t)n) != NULL;
}

static void
check_endpoint(const struct cp_endpoint *e)
{
	char addr[INET6_ADDRSTRLEN], text[64];
	struct cp_endpoint again;

	FUZZ_ASSERT(e->port != 0);
	FUZZ_ASSERT(e->v6 || zeros(e->addr + 4, sizeof e->addr - 4));
	FUZZ_ASSERT(inet_ntop(e->v6 ? AF_INET6 : AF_INET, e->addr, addr,
	    sizeof addr) != NULL);
	(void)snprintf(text, sizeof text, e->v6 ? "[%s]:%u" : "%s:%u", addr,
	    (unsigned)e->port);
	FUZZ_ASSERT(cp_endpoint_parse(&again, cp_str_of(text), 0) == CP_OK);
	FUZZ_ASSERT(again.v6 == e->v6 && again.port == e->port &&
	    memcmp(again.addr, e->addr, sizeof e->addr) == 0);
}

static void
check_ns(struct cp_str in)
{
	struct cp_endpoint e;
	struct cp_ns ns;
	size_t n = 0;

	cp_ns_init(&ns, in);
	while (cp_ns_next(&ns, &e)) {
		check_endpoint(&e);
		FUZZ_ASSERT(has_port(in, &e));
		n++;
	}
	/* The shortest line is "a x:1", an "r" line gives two. */
	FUZZ_ASSERT(n <= in.n / 6 + 1);
	FUZZ_ASSERT(ns.entries + ns.malformed <= in.n / 2 + 1);
	FUZZ_ASSERT(n == 0 || ns.entries > 0);
}

static void
check_lines(struct cp_str in)
{
	struct cp_dirline d;
	struct cp_endpoint e;
	char value[64];

	if (cp_dirline_parse(&d, in) == CP_OK) {
		FUZZ_ASSERT(d.n > 0 && d.n <= CP_LINE_ENDPOINTS);
		for (size_t i = 0; i < d.n; i++) {
			check_endpoint(&d.at[i]);
			FUZZ_ASSERT(has_port(in, &d.at[i]));
		}
	}
	if (cp_bridge_parse(&e, in) == CP_OK) {
		check_endpoint(&e);
		FUZZ_ASSERT(e.port == 443 || has_port(in, &e));
	}
	if (cp_endpoint_parse(&e, in, 0) == CP_OK) {
		check_endpoint(&e);
		FUZZ_ASSERT(has_port(in, &e));
	}
	if (cp_default_value(value, sizeof value, in, "FallbackDir") == CP_OK)
		FUZZ_ASSERT(strlen(value) + 14 <= in.n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size + 1);
	struct cp_str in = { copy, size }, rest, line;

	FUZZ_ASSERT(copy != NULL);
	/* A copy of exact size: reading beyond it is seen. */
	if (size > 0)
		memcpy(copy, data, size);
	check_ns(in);
	rest = in;
	while (rest.n > 0) {
		line = cp_next_line(&rest);
		check_lines(line);
	}
	free(copy);
	return 0;
}
