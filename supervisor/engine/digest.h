/*
 * "Is this set the same as last time?" without keeping the set: the sum of
 * a keyed hash (SipHash-2-4) of each member.  The order does not matter, and
 * who does not know the key cannot make two sets look alike.
 */
#ifndef DIGEST_H
#define DIGEST_H

#include <stddef.h>
#include <stdint.h>

struct digest {
	uint64_t key[2];
	uint64_t sum;
};

/* A fresh random key; -1: the kernel gave none. */
int digest_init(struct digest *d) __attribute__((warn_unused_result));

/* Empty the set; the key stays. */
void digest_begin(struct digest *d);

/* Add the N octets at P, which have no padding of unknown value. */
void digest_add(struct digest *d, const void *p, size_t n);

/* The hash itself, for the test. */
uint64_t digest_siphash(const uint64_t key[2], const void *p, size_t n);

#endif
