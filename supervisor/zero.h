/* For messages: what has no meaning is zero, and nothing else. */
#ifndef ZERO_H
#define ZERO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool
zero_ok(const void *p, size_t n)
{
	const uint8_t *octets = p;

	for (size_t i = 0; i < n; i++)
		if (octets[i] != 0)
			return false;
	return true;
}

#endif
