/*
 * The names that Tor's way out needs, and the process that resolves them.
 */
#include "supervisor/engine/core.h"
#include "supervisor/log.h"

void
engine_resolver_up(struct engine *e, uint64_t now)
{
	(void)e;
	(void)now;
}

void
engine_resolver_down(struct engine *e, uint64_t now)
{
	(void)e;
	(void)now;
}

int
engine_resolver_bytes(struct engine *e, const void *p, size_t n, uint64_t now)
{
	(void)e;
	(void)p;
	(void)now;
	log_warn("the resolver sent %zu octets that nobody asked for", n);
	return -1;
}
