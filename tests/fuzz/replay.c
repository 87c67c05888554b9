/*
 * Runs a fuzz target over files, once each: so that every corpus is also a
 * regression test where there is no libFuzzer.
 */
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>

/* Larger than any corpus file has a reason to be. */
#define INPUT_MAX (1024 * 1024)

static int
replay(const char *path, uint8_t *buf)
{
	FILE *f = fopen(path, "rb");
	size_t n;
	int bad;

	if (f == NULL) {
		perror(path);
		return -1;
	}
	n = fread(buf, 1, INPUT_MAX, f);
	bad = ferror(f);
	fclose(f);
	if (bad) {
		fprintf(stderr, "%s: cannot read\n", path);
		return -1;
	}
	LLVMFuzzerTestOneInput(buf, n);
	return 0;
}

int
main(int argc, char **argv)
{
	uint8_t *buf = malloc(INPUT_MAX);
	int i, rc = EXIT_SUCCESS;

	if (buf == NULL)
		return EXIT_FAILURE;
	for (i = 1; i < argc; i++) {
		if (replay(argv[i], buf) == -1)
			rc = EXIT_FAILURE;
	}
	free(buf);
	return rc;
}
