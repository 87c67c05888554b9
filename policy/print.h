/* Parts of pol_print(); for print.c only. */
#ifndef POL_PRINT_H
#define POL_PRINT_H

#include <stdio.h>

#include "policy/policy.h"

/* Nothing if there is no such section. */
void pol_print_resolver(FILE *f, const struct pol_resolver *r);
void pol_print_transports(FILE *f, const struct pol_policy *p);

#endif
