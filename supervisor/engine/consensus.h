/*
 * The times of a consensus, and this machine's clock against them.  Pure.
 */
#ifndef CONSENSUS_H
#define CONSENSUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "controlproto/str.h"
#include "supervisor/snaptor.h"

struct consensus {
	bool known; /* Tor was asked, and has answered */
	int64_t valid_after, fresh_until, valid_until; /* UTC s; 0: none */
};

/*
 * "2026-11-22 07:34:20", as Tor writes it; with "T" between, and with a
 * fraction or "Z" behind it, too.  False, and *OUT is 0, if it is anything
 * else, or before 1970.
 */
bool consensus_time(int64_t *out, struct cp_str text);

/* "2026-11-22T07:34:20Z"; empty for what cannot be written so. */
void consensus_format(char *dst, size_t cap, int64_t utc_s);

/*
 * NOW_S is UTC by our clock; 0: not known.  Tor uses a consensus from a day
 * before its valid-after to a day after its valid-until, ends included: what
 * is beyond is SLOW or FAST.
 */
enum snap_clock consensus_clock(const struct consensus *c, int64_t now_s);

#endif
