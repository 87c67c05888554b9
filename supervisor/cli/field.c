#include "supervisor/cli/field.h"

#include <string.h>

const json_t *
cli_field(const json_t *line, const char *part, const char *key)
{
	if (part != NULL)
		line = json_object_get(line, part);
	return json_object_get(line, key);
}

const char *
cli_field_text(char dst[CLI_TEXT_CAP], const json_t *value)
{
	const char *s = json_string_value(value);

	return cli_plain(dst, CLI_TEXT_CAP, s != NULL ? s : "");
}

bool
cli_field_number(json_int_t *n, const json_t *value)
{
	*n = json_integer_value(value);
	return json_is_integer(value);
}

bool
cli_field_is(const json_t *value, const char *text)
{
	const char *s = json_string_value(value);

	return s != NULL && strcmp(s, text) == 0;
}

char *
cli_plain(char *dst, size_t cap, const char *src)
{
	size_t i;

	for (i = 0; i < cap - 1 && src[i] != '\0'; i++)
		dst[i] = src[i] >= 0x20 && src[i] <= 0x7e ? src[i] : '?';
	dst[i] = '\0';
	return dst;
}
