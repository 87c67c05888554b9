/*
 * What every fuzz target shares.  libFuzzer brings main(); a build without
 * fuzzing links replay.c, which runs the target over its corpus.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* A broken promise stops the fuzzer, in every kind of build. */
#define FUZZ_ASSERT(cond) \
	((cond) ? (void)0 : fuzz_fail(__FILE__, __LINE__, #cond))

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void
fuzz_fail(const char *file, int line, const char *cond)
{
	fprintf(stderr, "%s:%d: not true: %s\n", file, line, cond);
	abort();
}

#endif
