/* What the gate reports, for the namespace tests to read. */
#ifndef DRV_REPORT_H
#define DRV_REPORT_H

#include <stdbool.h>

#include "supervisor/gatemsg.h"

/* One line, to standard output. */
void drv_report_print(const struct gate_report *r);

/* Not counting what moves all the time. */
bool drv_report_same(const struct gate_report *a, const struct gate_report *b);

#endif
