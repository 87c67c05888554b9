/*
 * The input is a configuration, an "Option=value" a line.  Promises: each
 * need is a host that DNS can have or an address, with a port, of an option
 * that was there; nobody resolves an address, only Tor its proxy; without
 * bridges in use there are proxies only; nothing is named twice.
 */
#include "tests/fuzz/fuzz.h"

#include <netinet/in.h>
#include <string.h>

#include "policy/needs.h"

static bool
same(const struct pol_need *a, const struct pol_need *b)
{
	return a->by == b->by && a->port == b->port &&
	    a->l4proto == b->l4proto && strcmp(a->host, b->host) == 0 &&
	    strcmp(a->transport, b->transport) == 0;
}

static void
check_need(const struct pol_needs *n, const struct pol_need *d)
{
	struct pol_addr addr;
	bool proxy = d->role == POL_NEED_PROXY;

	FUZZ_ASSERT(d->role < POL_NROLE);
	FUZZ_ASSERT(pol_need_role_name(d->role)[0] != '\0');
	FUZZ_ASSERT(d->port != 0 && d->line != 0);
	FUZZ_ASSERT(d->l4proto == (d->role == POL_NEED_STUN ? IPPROTO_UDP :
	    IPPROTO_TCP));
	FUZZ_ASSERT((d->addr.family == 0) == (d->by != POL_BY_NOBODY));
	FUZZ_ASSERT(d->by != POL_BY_TOR || proxy);
	FUZZ_ASSERT(d->by != POL_BY_TRANSPORT || !proxy);
	FUZZ_ASSERT(d->role != POL_NEED_BRIDGE || d->by == POL_BY_NOBODY);
	FUZZ_ASSERT(proxy == (strstr(d->option, "Proxy") != NULL));
	FUZZ_ASSERT(proxy ? d->transport[0] == '\0' : n->bridges);
	FUZZ_ASSERT(d->role == POL_NEED_BRIDGE || proxy ||
	    d->transport[0] != '\0');
	if (d->addr.family == 0) {
		FUZZ_ASSERT(pol_host_ok(d->host));
		for (const char *p = d->host; *p != '\0'; p++)
			FUZZ_ASSERT(!(*p >= 'A' && *p <= 'Z'));
	} else {
		FUZZ_ASSERT(pol_addr_parse(&addr, d->host));
		FUZZ_ASSERT(pol_addr_equal(&addr, &d->addr));
	}
}

static void
check_needs(const struct pol_needs *n)
{
	char methods[POL_MAX_METHODS][POL_NAME_LEN];
	size_t count = pol_needs_methods(methods, n);

	FUZZ_ASSERT(n->n <= POL_MAX_NEEDS && count <= POL_MAX_METHODS);
	for (size_t i = 0; i < n->n; i++) {
		check_need(n, &n->need[i]);
		for (size_t j = 0; j < i; j++)
			FUZZ_ASSERT(!same(&n->need[i], &n->need[j]));
	}
	for (size_t i = 0; i < count; i++)
		FUZZ_ASSERT(methods[i][0] != '\0');
	FUZZ_ASSERT(!n->fronts || n->bridges);
}

/* One line, which is ours to write to. */
static void
add_line(struct pol_needs *n, char *line)
{
	char *value = strchr(line, '=');

	if (value != NULL)
		*value++ = '\0';
	pol_needs_add(n, line, value);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct pol_needs n;
	char *text = malloc(size + 1), *rest = text, *line;

	FUZZ_ASSERT(text != NULL);
	if (size != 0)
		memcpy(text, data, size);
	text[size] = '\0';
	pol_needs_init(&n);
	while ((line = strsep(&rest, "\n")) != NULL)
		add_line(&n, line);
	pol_needs_finish(&n);
	check_needs(&n);
	free(text);
	return 0;
}
