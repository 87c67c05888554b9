/*
 * The policy that gatedrv's options and listeners make; see there.
 */
#ifndef DRV_POLICY_H
#define DRV_POLICY_H

#include <stdint.h>

#include "policy/policy.h"

/* The table to be printed; NULL: none.  With -r this does not return. */
const char *drv_policy(struct pol_policy *p, int argc, char **argv);

/* The number of "IFACE:ipv4" among P's, plus one; added if need be. */
uint8_t drv_ifaddr_number(struct pol_policy *p, const char *spec);

#endif
