/* A strict reader of OpenMetrics text, as far as our metrics use it. */
#ifndef OPENMETRICS_H
#define OPENMETRICS_H

/*
 * NULL: TEXT is well-formed.  Otherwise what is wrong, and *AT is the line.
 * Checked: each family once and in one piece, TYPE first, units, names,
 * labels, numbers, the suffixes and values that a type allows, no sample
 * twice, buckets in order and cumulative, "# EOF" last and only there.
 */
const char *openmetrics_fault(const char *text, const char **at);

#endif
