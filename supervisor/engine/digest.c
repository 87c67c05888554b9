/*
 * SipHash-2-4 as its authors describe it (Aumasson and Bernstein, 2012).
 */
#include "config.h" /* _GNU_SOURCE */

#include "supervisor/engine/digest.h"

#include <endian.h>
#include <string.h>
#include <sys/random.h>

#define C_ROUNDS 2
#define D_ROUNDS 4

int
digest_init(struct digest *d)
{
	memset(d, 0, sizeof *d);
	return getrandom(d->key, sizeof d->key, 0) ==
	    (ssize_t)sizeof d->key ? 0 : -1;
}

void
digest_begin(struct digest *d)
{
	d->sum = 0;
}

void
digest_add(struct digest *d, const void *p, size_t n)
{
	d->sum += digest_siphash(d->key, p, n);
}

static inline uint64_t
rotl(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static inline void
rounds(uint64_t v[4], int n)
{
	while (n-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotl(v[1], 13) ^ v[0];
		v[3] = rotl(v[3], 16) ^ v[2];
		v[0] = rotl(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotl(v[1], 17) ^ v[2];
		v[3] = rotl(v[3], 21) ^ v[0];
		v[2] = rotl(v[2], 32);
	}
}

static inline void
absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	rounds(v, C_ROUNDS);
	v[0] ^= word;
}

uint64_t
digest_siphash(const uint64_t key[2], const void *p, size_t n)
{
	const unsigned char *b = p;
	uint64_t v[4] = { key[0] ^ 0x736f6d6570736575u,
		key[1] ^ 0x646f72616e646f6du, key[0] ^ 0x6c7967656e657261u,
		key[1] ^ 0x7465646279746573u };
	uint64_t last = (uint64_t)n << 56, word;

	for (; n >= sizeof word; n -= sizeof word, b += sizeof word) {
		memcpy(&word, b, sizeof word);
		absorb(v, le64toh(word));
	}
	for (size_t i = 0; i < n; i++)
		last |= (uint64_t)b[i] << (8 * i);
	absorb(v, last);
	v[2] ^= 0xff;
	rounds(v, D_ROUNDS);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
