#include "supervisor/gate/pace.h"

#include <string.h>

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)

void
pace_init(struct pace *p, uint32_t lease_ms)
{
	memset(p, 0, sizeof *p);
	p->interval_ns = lease_ms * NS_PER_MS / 4;
}

bool
pace_beat(struct pace *p, uint64_t now_ns, bool asked)
{
	const uint64_t interval = p->interval_ns;

	if (now_ns + (asked ? interval : 0) < p->beat_ns)
		return false;
	p->beat_ns = now_ns + interval + (asked ? interval / 2 : 0);
	return true;
}

/* Seconds remain seconds, however long the lease. */
bool
pace_look(struct pace *p, uint64_t now_ns, bool asked)
{
	if (now_ns + (asked ? NS_PER_S / 4 : 0) < p->second_ns)
		return false;
	p->second_ns = now_ns + NS_PER_S + (asked ? NS_PER_S / 8 : 0);
	return true;
}

uint64_t
pace_next(const struct pace *p)
{
	return p->second_ns < p->beat_ns ? p->second_ns : p->beat_ns;
}
