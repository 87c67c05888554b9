/* For messages: what has no meaning is zero, and nothing else. */
#ifndef ZERO_H
#define ZERO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline bool
zero_ok(const void *p, size_t n)
{
	const uint8_t *octets = p;

	/* The first one is, and each is as the one before it. */
	return n == 0 || (octets[0] == 0 &&
	    memcmp(octets, octets + 1, n - 1) == 0);
}

#endif
