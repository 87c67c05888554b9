#include "config.h" /* _GNU_SOURCE */

#include "supervisor/status/times.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SECOND_FORMAT "%Y-%m-%dT%H:%M:%S"
#define SECOND_LEN (sizeof "2026-01-31T23:59:59" - 1)
#define FRACTION_LEN (sizeof ".123" - 1)

/* The length; 0: it does not fit the format. */
static size_t
format_second(char dst[STATUS_TIME_LEN], int64_t sec)
{
	time_t t = (time_t)sec;
	struct tm tm;

	dst[0] = '\0';
	if (gmtime_r(&t, &tm) == NULL || strftime(dst, STATUS_TIME_LEN,
		SECOND_FORMAT, &tm) != SECOND_LEN || dst[0] == '-') {
		dst[0] = '\0';
		return 0;
	}
	return SECOND_LEN;
}

void
status_time_format(char dst[STATUS_TIME_LEN], int64_t sec, long nsec)
{
	size_t n = format_second(dst, sec);

	if (n != 0)
		(void)snprintf(dst + n, STATUS_TIME_LEN - n, ".%03ldZ",
		    nsec / 1000000 % 1000);
}

void
status_time_second(char dst[STATUS_TIME_LEN], int64_t sec)
{
	size_t n = format_second(dst, sec);

	if (n != 0)
		memcpy(dst + n, "Z", sizeof "Z");
}

bool
status_time_parse(int64_t *ms, const char *text)
{
	char back[STATUS_TIME_LEN];
	struct tm tm = { 0 };
	const char *rest;
	int64_t sec;
	long part = 0;
	size_t n;

	rest = strptime(text, SECOND_FORMAT, &tm);
	if (rest == NULL)
		return false;
	sec = timegm(&tm);
	/* strptime() takes blanks and signs: only our own form will do. */
	n = format_second(back, sec);
	if (n == 0 || strncmp(back, text, n) != 0 || rest != text + n)
		return false;
	if (*rest == '.' && strlen(rest) == FRACTION_LEN + 1 &&
	    strspn(rest + 1, "0123456789") == FRACTION_LEN - 1) {
		part = strtol(rest + 1, NULL, 10);
		rest += FRACTION_LEN;
	}
	if (strcmp(rest, "Z") != 0)
		return false;
	*ms = sec * 1000 + part;
	return true;
}
