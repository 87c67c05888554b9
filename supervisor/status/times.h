/* Times as the status tells them: UTC, RFC 3339.  Pure. */
#ifndef STATUS_TIMES_H
#define STATUS_TIMES_H

#include <stdbool.h>
#include <stdint.h>

#define STATUS_TIME_LEN 32

/*
 * SEC and NSEC of CLOCK_REALTIME as "2026-01-31T23:59:59.123Z"; empty if the
 * year has not four digits.
 */
void status_time_format(char dst[STATUS_TIME_LEN], int64_t sec, long nsec);

/* The same without the fraction. */
void status_time_second(char dst[STATUS_TIME_LEN], int64_t sec);

/* Either of them, back to milliseconds.  False: it is none. */
bool status_time_parse(int64_t *ms, const char *text)
    __attribute__((warn_unused_result));

#endif
