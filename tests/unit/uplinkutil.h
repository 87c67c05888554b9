/* A policy with transports and stock bridges, and uplinks parsed by it. */
#ifndef UPLINKUTIL_H
#define UPLINKUTIL_H

#include <stddef.h>

#include "policy/uplink.h"

/* Between uu_set_up() and uu_tear_down(), fixtures of a test case. */
extern struct pol_policy uu_policy;
void uu_set_up(void);
void uu_tear_down(void);

/* As pol_uplink_parse(). */
size_t uu_parse(struct pol_uplink *u, char why[POL_UPLINK_WHY],
    const char *text);
void uu_must_parse(struct pol_uplink *u, const char *text);

#endif
