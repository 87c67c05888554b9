/*
 * gatedrv's policy: from its command line, or from a policy file.
 */
#ifndef GATEDRV_H
#define GATEDRV_H

#include <stdbool.h>
#include <stdint.h>

#include "policy/policy.h"

/*
 * As the command line has it.  False: it asked for something else, which has
 * been done.  Does not return when it makes no sense.
 */
bool drv_policy(struct pol_policy *p, int argc, char **argv);

/* The number of "IFACE:ipv4" among P's, plus one; added if need be. */
uint8_t drv_ifaddr(struct pol_policy *p, const char *spec);

#endif
