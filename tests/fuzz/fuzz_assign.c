/*
 * Any octets as a shell fragment of somebody's configuration.  Promises: it
 * ends; lines count up and are lines of the text; a name is a name and a
 * value is text without control characters; what is written in quotes is
 * read as it stands, wherever in the text and whatever it is.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "supervisor/import/assign.h"

static bool
is_name(const char *name)
{
	static const char octets[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"
	    "abcdefghijklmnopqrstuvwxyz0123456789";
	const size_t n = strspn(name, octets);

	return n > 0 && n < IMPORT_NAME_LEN && name[n] == '\0' &&
	    !(name[0] >= '0' && name[0] <= '9');
}

static void
check_found(enum import_found found, const struct import_assign *a)
{
	FUZZ_ASSERT(found == IMPORT_ASSIGNMENT || found == IMPORT_SHELL);
	FUZZ_ASSERT(a->name[0] == '\0' || is_name(a->name));
	FUZZ_ASSERT(found == IMPORT_SHELL || a->name[0] != '\0');
	for (const char *c = a->value; *c != '\0'; c++)
		FUZZ_ASSERT((unsigned char)*c >= ' ');
	FUZZ_ASSERT(strlen(a->value) < IMPORT_VALUE_LEN);
}

static void
check_all(const char *text, size_t len)
{
	size_t lines = 1, before = 1, n = 0;
	struct import_assign a;
	struct import_text t;
	enum import_found found;

	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	import_text_init(&t, text, len);
	while ((found = import_assign_next(&t, &a)) != IMPORT_END) {
		check_found(found, &a);
		FUZZ_ASSERT(a.line >= before && a.line <= lines);
		before = a.line;
		FUZZ_ASSERT(++n <= len);
	}
	FUZZ_ASSERT(t.p == t.end && t.line <= lines);
}

/* "NAME='the input'", of which a control character makes no assignment. */
static void
check_quoted(const char *data, size_t size)
{
	char text[IMPORT_VALUE_LEN + 16], value[IMPORT_VALUE_LEN];
	struct import_assign a;
	struct import_text t;
	bool fine = true;
	size_t n = 2;

	if (size >= sizeof value || memchr(data, '\'', size) != NULL)
		return;
	memcpy(text, "N='", 3);
	for (size_t i = 0; i < size; i++) {
		char c = data[i];

		text[++n] = c;
		if (c == '\n' || c == '\t')
			c = ' ';
		fine &= (unsigned char)c >= ' ';
		value[i] = c;
	}
	value[size] = '\0';
	text[++n] = '\'';
	text[++n] = '\n';
	import_text_init(&t, text, n + 1);
	if (!fine) {
		FUZZ_ASSERT(import_assign_next(&t, &a) == IMPORT_SHELL);
		return;
	}
	FUZZ_ASSERT(import_assign_next(&t, &a) == IMPORT_ASSIGNMENT);
	FUZZ_ASSERT(strcmp(a.name, "N") == 0 && !a.append && !a.inner);
	FUZZ_ASSERT(strcmp(a.value, value) == 0);
	FUZZ_ASSERT(import_assign_next(&t, &a) == IMPORT_END);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = size > 0 ? (const char *)data : "";

	check_all(text, size);
	check_quoted(text, size);
	return 0;
}
