#include "tests/it/drv_report.h"

#include <stdio.h>

void
drv_report_print(const struct gate_report *r)
{
	printf("report position=%s known=%u why=%u refused=%u barriers=0x%x "
	    "proven=%u lease=%u foreign=%llu error=%d closes=%llu "
	    "close_us=%llu epoch=%llu purges=%llu strict=%u relays=%u+%u "
	    "generation=%u absent=0x%x permits=%u reach=%u sum_ns=%llu under",
	    gate_position_name((enum gate_position)r->position), r->known,
	    r->why, r->refused, r->barriers, r->nproven, r->lease_ms,
	    (unsigned long long)r->foreign, r->error,
	    (unsigned long long)r->closes,
	    (unsigned long long)r->close_last_ns / 1000,
	    (unsigned long long)r->epoch,
	    (unsigned long long)r->purges, r->strict, r->nrelays4,
	    r->nrelays6, r->relays_generation, r->absent, r->permits,
	    r->reach_seq, (unsigned long long)r->close_sum_ns);
	for (unsigned i = 0; i < GATE_NCLOSE_US; i++)
		printf("%c%llu", i == 0 ? '=' : ',',
		    (unsigned long long)r->close_under[i]);
	printf(" last_ns=%llu\n", (unsigned long long)r->close_last_ns);
	(void)fflush(stdout);
}

bool
drv_report_same(const struct gate_report *a, const struct gate_report *b)
{
	return a->position == b->position && a->known == b->known &&
	    a->why == b->why && a->refused == b->refused &&
	    a->barriers == b->barriers && a->foreign == b->foreign &&
	    a->epoch == b->epoch && a->error == b->error &&
	    a->nproven == b->nproven && a->purges == b->purges &&
	    a->relays_generation == b->relays_generation &&
	    a->permits == b->permits && a->reach_seq == b->reach_seq &&
	    a->absent == b->absent;
}
