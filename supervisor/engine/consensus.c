#include "config.h" /* _GNU_SOURCE: timegm() */

#include "supervisor/engine/consensus.h"

#include <string.h>
#include <time.h>

/* Tor's REASONABLY_LIVE_TIME, which it has for both ends. */
#define LIVE_S 86400

/* N digits at S as a number, or -1. */
static int
digits(const char *s, size_t n)
{
	int v = 0;

	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		v = v * 10 + (s[i] - '0');
	}
	return v;
}

/* What stands in PATTERN besides 0, where a digit is, and "T". */
static bool
has_shape(struct cp_str text)
{
	static const char pattern[] = "0000-00-00T00:00:00";
	const size_t n = sizeof pattern - 1;

	if (text.n < n || (text.n > n && text.p[n] != 'Z' &&
	    text.p[n] != '.'))
		return false;
	for (size_t i = 0; i < n; i++)
		if (pattern[i] != '0' && text.p[i] != pattern[i] &&
		    !(pattern[i] == 'T' && text.p[i] == ' '))
			return false;
	return true;
}

bool
consensus_time(int64_t *out, struct cp_str text)
{
	static const struct {
		size_t at, n;
	} fields[] = { { 0, 4 }, { 5, 2 }, { 8, 2 }, { 11, 2 }, { 14, 2 },
		{ 17, 2 } };
	int v[sizeof fields / sizeof fields[0]];
	struct tm tm = { 0 }, again;
	time_t t;

	*out = 0;
	if (!has_shape(text))
		return false;
	for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
		v[i] = digits(text.p + fields[i].at, fields[i].n);
		if (v[i] == -1)
			return false;
	}
	tm.tm_year = v[0] - 1900;
	tm.tm_mon = v[1] - 1;
	tm.tm_mday = v[2];
	tm.tm_hour = v[3];
	tm.tm_min = v[4];
	tm.tm_sec = v[5];
	t = timegm(&tm);
	/* The 31st of February is carried over to March; it is no date. */
	if (t < 0 || gmtime_r(&t, &again) == NULL || again.tm_mday != v[2] ||
	    again.tm_hour != v[3] || again.tm_min != v[4] ||
	    again.tm_sec != v[5] || again.tm_mon != v[1] - 1)
		return false;
	*out = (int64_t)t;
	return true;
}

void
consensus_format(char *dst, size_t cap, int64_t utc_s)
{
	time_t t = (time_t)utc_s;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(dst, cap, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		dst[0] = '\0';
}

enum snap_clock
consensus_clock(const struct consensus *c, int64_t now_s)
{
	if (!c->known || now_s == 0)
		return SNAP_CLOCK_UNKNOWN;
	if (c->valid_after == 0 || c->valid_until == 0)
		return SNAP_CLOCK_NONE_YET;
	if (now_s < c->valid_after - LIVE_S)
		return SNAP_CLOCK_SLOW;
	return now_s > c->valid_until + LIVE_S ? SNAP_CLOCK_FAST :
	    SNAP_CLOCK_OK;
}
