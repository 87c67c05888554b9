#include "tests/unit/status_line.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/status_sample.h"

const struct status_stamp line_stamp = { .type = STATUS_T_CHANGE,
	.seq = 42, .now_ns = SAMPLE_NOW, .pid = 13,
	.real_ms = INT64_C(1769903999123),
	.time = "2026-01-31T23:59:59.123Z" };

json_t *
line_at(const struct status_view *v, uint64_t now_ns)
{
	struct status_stamp st = line_stamp;
	json_t *line;
	size_t len;
	char *text;

	st.now_ns = now_ns;
	text = status_encode(v, &st, &len);
	ck_assert_ptr_nonnull(text);
	ck_assert_uint_eq(strlen(text), len);
	line = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	ck_assert_ptr_nonnull(line);
	free(text);
	return line;
}

/* A member of a member as JSON text, so that one compare shows the type. */
void
line_says(const json_t *line, const char *part, const char *key,
    const char *want)
{
	const json_t *value = part[0] == '\0' ? line :
	    json_object_get(line, part);
	char *got;

	value = json_object_get(value, key);
	ck_assert_msg(value != NULL, "%s.%s is missing", part, key);
	got = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
	ck_assert_msg(strcmp(got, want) == 0, "%s.%s is %s, not %s", part,
	    key, got, want);
	free(got);
}
