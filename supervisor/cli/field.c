#include "supervisor/cli/field.h"

#include <stdint.h>
#include <string.h>

/* What every reader of JSON gets right; two of them can be added. */
#define NUMBER_MAX (INT64_C(1) << 53)

const json_t *
cli_field(const json_t *line, const char *part, const char *key)
{
	if (part != NULL)
		line = json_object_get(line, part);
	return json_object_get(line, key);
}

/* The element WORD of ARRAY: a number as it is written, and no other. */
static const json_t *
element(const json_t *array, const char *word)
{
	size_t i = 0;

	if (word[0] == '\0' || (word[0] == '0' && word[1] != '\0'))
		return NULL;
	for (; *word != '\0'; word++) {
		if (*word < '0' || *word > '9' ||
		    i >= json_array_size(array))
			return NULL;
		i = i * 10 + (size_t)(*word - '0');
	}
	return json_array_get(array, i);
}

const json_t *
cli_field_at(const json_t *line, const char *path)
{
	char word[CLI_TEXT_CAP];
	size_t n;

	for (; line != NULL; path += n + 1) {
		n = strcspn(path, ".");
		if (n >= sizeof word)
			return NULL;
		memcpy(word, path, n);
		word[n] = '\0';
		line = json_is_array(line) ? element(line, word) :
		    json_object_get(line, word);
		if (path[n] == '\0')
			return line;
	}
	return NULL;
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
	if (json_is_integer(value) && *n <= NUMBER_MAX && *n >= -NUMBER_MAX)
		return true;
	*n = 0;
	return false;
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

char *
cli_sentence(char *dst, size_t cap, const char *src)
{
	size_t n = 0;

	for (; *src != '\0' && n < cap - 1; src++) {
		if (*src == '"' || *src == '\'')
			continue;
		if (strchr("<>&", *src) != NULL || *src < 0x20 || *src > 0x7e)
			dst[n++] = '_';
		else
			dst[n++] = *src;
	}
	dst[n] = '\0';
	return dst;
}
