/*
 * Promises: it ends; lines count up and are lines of the text; an include has
 * a path that is plain text; and where Tor gets through to the end, it would
 * find what stands in a line of its own behind the text, and so do we.
 */
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "policy/torrc.h"

static const char behind[] = "\n\nSocks4Proxy x\n";

static void
check_line(const struct pol_torrc_line *l, size_t before, size_t lines)
{
	FUZZ_ASSERT(l->line >= before && l->line <= lines);
	FUZZ_ASSERT(l->option < POL_NTORRC);
	FUZZ_ASSERT((l->option == POL_TORRC_INCLUDE) == (l->path[0] != '\0'));
	for (const char *c = l->path; *c != '\0'; c++)
		FUZZ_ASSERT((unsigned char)*c >= ' ');
}

/* How Tor fared; *LAST is the last line that has an option. */
static int
read_all(struct pol_torrc_line *last, size_t *n, const char *text, size_t len)
{
	struct pol_torrc_line line;
	struct pol_torrc t;
	size_t lines = 1, before = 0;
	int rc;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	*n = 0;
	memset(last, 0, sizeof *last);
	pol_torrc_init(&t, text, len);
	while ((rc = pol_torrc_next(&t, &line)) == 1) {
		check_line(&line, before, lines);
		before = line.line;
		*last = line;
		++*n;
	}
	FUZZ_ASSERT(line.line <= lines);
	FUZZ_ASSERT(*n <= len);
	return rc;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pol_torrc_line last;
	size_t n, more;
	char *text;

	if (read_all(&last, &n, (const char *)data, size) != 0)
		return 0;
	/* A NUL ends it; a backslash at its end means what comes behind. */
	if (size > 0 && (memchr(data, '\0', size) != NULL ||
	    data[size - 1] == '\\'))
		return 0;
	text = malloc(size + sizeof behind);
	FUZZ_ASSERT(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	memcpy(text + size, behind, sizeof behind);
	FUZZ_ASSERT(read_all(&last, &more, text, size + sizeof behind - 1) ==
	    0);
	FUZZ_ASSERT(more == n + 1 && last.option == POL_TORRC_SOCKS4);
	free(text);
	return 0;
}
