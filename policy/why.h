/* Sentences for uplink.h: why something is not taken. */
#ifndef POL_WHY_H
#define POL_WHY_H

#include "policy/uplink.h"

/* Always false, so that it can be returned. */
bool pol_why(char why[POL_UPLINK_WHY], const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

#endif
