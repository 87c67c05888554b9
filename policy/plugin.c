/* The programs that Tor may be told to run; see uplink.h. */
#include <stdio.h>
#include <string.h>

#include "policy/uplink.h"

size_t
pol_transport_find(const struct pol_policy *p, const char *method)
{
	for (size_t i = 0; i < p->ntransports; i++)
		for (size_t j = 0; j < p->transports[i].nmethods; j++)
			if (strcmp(p->transports[i].methods[j], method) == 0)
				return i;
	return p->ntransports;
}

void
pol_transport_plugin(char *dst, size_t cap, const struct pol_transport *t)
{
	size_t used = 0;

	if (cap == 0)
		return;
	dst[0] = '\0';
	for (size_t i = 0; i < t->nmethods && used < cap; i++)
		used += (size_t)snprintf(dst + used, cap - used, "%s%s",
		    i != 0 ? "," : "", t->methods[i]);
	if (used < cap)
		(void)snprintf(dst + used, cap - used, " exec %s%s%s",
		    t->program, t->arguments[0] != '\0' ? " " : "",
		    t->arguments);
}
