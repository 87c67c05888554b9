/*
 * JSON values that are null unless they are known.  They return NULL when
 * memory is out, which json_pack() takes as a failure of the whole.
 */
#ifndef STATUS_NULLABLE_H
#define STATUS_NULLABLE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

static inline json_t *
bool_if(bool known, bool value)
{
	return known ? json_boolean(value) : json_null();
}

/* JSON's integers are signed here: stay at the top rather than turn over. */
static inline json_int_t
clamp(uint64_t value)
{
	return value > INT64_MAX ? INT64_MAX : (json_int_t)value;
}

static inline json_t *
uint_if(bool known, uint64_t value)
{
	return known ? json_integer(clamp(value)) : json_null();
}

static inline json_t *
text_if(bool known, const char *text)
{
	return known && text[0] != '\0' ? json_string(text) : json_null();
}

static inline json_t *
pid_if(bool known, int32_t pid)
{
	return known && pid > 0 ? json_integer(pid) : json_null();
}

#endif
