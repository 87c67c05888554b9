#include "controlproto/str.h"

#include <stdint.h>
#include <string.h>

#define OCTAL_DIGITS 3 /* at most, in one escape */

struct cp_str
cp_str_of(const char *s)
{
	struct cp_str str = { s, strlen(s) };

	return str;
}

bool
cp_str_is(struct cp_str a, const char *b)
{
	size_t n = strlen(b);

	return a.n == n && (n == 0 || memcmp(a.p, b, n) == 0);
}

/* Not tolower(): the locale must not decide what Tor meant. */
static char
fold(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool
cp_str_is_nocase(struct cp_str a, const char *b)
{
	size_t i;

	if (a.n != strlen(b))
		return false;
	for (i = 0; i < a.n; i++) {
		if (fold(a.p[i]) != fold(b[i]))
			return false;
	}
	return true;
}

static bool
is_plain(char c)
{
	return c >= ' ' && c <= '~';
}

void
cp_str_show(char *dst, size_t cap, struct cp_str in)
{
	size_t i;

	if (cap == 0)
		return;
	for (i = 0; i < in.n && i < cap - 1; i++)
		dst[i] = is_plain(in.p[i]) ? in.p[i] : '?';
	dst[i] = '\0';
}

/* Bounded output; a full buffer is remembered, not overrun. */
struct sink {
	char *dst;
	size_t cap;
	size_t len;
	bool full;
};

static void
sink_put(struct sink *s, char c)
{
	if (s->len >= s->cap) {
		s->full = true;
		return;
	}
	s->dst[s->len++] = c;
}

static void
sink_octal(struct sink *s, unsigned char c)
{
	sink_put(s, '\\');
	sink_put(s, (char)('0' + (c >> 6)));
	sink_put(s, (char)('0' + ((c >> 3) & 7)));
	sink_put(s, (char)('0' + (c & 7)));
}

static enum cp_err
sink_finish(struct sink *s, size_t *len)
{
	sink_put(s, '"');
	sink_put(s, '\0');
	if (s->full)
		return CP_ERR_LIMIT;
	*len = s->len - 1; /* without the NUL */
	return CP_OK;
}

static bool
is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/*
 * The octet that the escape at IN.p[*I], just behind the backslash, stands
 * for; *I moves to its last character.  -1 for an octal beyond one octet.
 */
static int
unescape(struct cp_str in, size_t *i)
{
	size_t end = *i + OCTAL_DIGITS;
	int value = 0;

	switch (in.p[*i]) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	}
	if (!is_octal(in.p[*i]))
		return (unsigned char)in.p[*i];
	while (*i < in.n && *i < end && is_octal(in.p[*i]))
		value = value * 8 + (in.p[(*i)++] - '0');
	(*i)--;
	return value <= UINT8_MAX ? value : -1;
}

enum cp_err
cp_cstring_decode(
    char *dst, size_t cap, size_t *len, struct cp_str *rest, struct cp_str in)
{
	struct sink out = { dst, cap, 0, false };
	size_t i;

	if (in.n == 0 || in.p[0] != '"')
		return CP_ERR_SYNTAX;
	for (i = 1; i < in.n && in.p[i] != '"'; i++) {
		int c = (unsigned char)in.p[i];

		if (c == '\\') {
			if (++i == in.n)
				return CP_ERR_SYNTAX;
			c = unescape(in, &i);
			if (c == -1)
				return CP_ERR_SYNTAX;
		}
		sink_put(&out, (char)c);
	}
	if (i == in.n)
		return CP_ERR_SYNTAX;
	if (out.full)
		return CP_ERR_LIMIT;
	*len = out.len;
	rest->p = in.p + i + 1;
	rest->n = in.n - i - 1;
	return CP_OK;
}

static void
put_escaped(struct sink *out, char c)
{
	const char *special = "\"\\\r\n\t", *letters = "\"\\rnt";
	const char *hit = strchr(special, c); /* C is never NUL */

	if (hit != NULL) {
		sink_put(out, '\\');
		sink_put(out, letters[hit - special]);
	} else if (c < ' ' || c > '~') { /* 8-bit ones too, signed or not */
		sink_octal(out, (unsigned char)c);
	} else {
		sink_put(out, c);
	}
}

enum cp_err
cp_cstring_encode(char *dst, size_t cap, size_t *len, struct cp_str in)
{
	struct sink out = { dst, cap, 0, false };
	size_t i;

	sink_put(&out, '"');
	for (i = 0; i < in.n; i++) {
		if (in.p[i] == '\0')
			return CP_ERR_ARG;
		put_escaped(&out, in.p[i]);
	}
	return sink_finish(&out, len);
}

enum cp_err
cp_qstring_encode(char *dst, size_t cap, size_t *len, struct cp_str in)
{
	struct sink out = { dst, cap, 0, false };
	size_t i;

	sink_put(&out, '"');
	for (i = 0; i < in.n; i++) {
		char c = in.p[i];

		if (c == '\0' || c == '\r' || c == '\n')
			return CP_ERR_ARG;
		if (c == '"' || c == '\\')
			sink_put(&out, '\\');
		sink_put(&out, c);
	}
	return sink_finish(&out, len);
}

void
cp_hex_encode(char *dst, const unsigned char *in, size_t n)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t i;

	for (i = 0; i < n; i++) {
		*dst++ = digits[in[i] >> 4];
		*dst++ = digits[in[i] & 0xf];
	}
	*dst = '\0';
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = fold(c);
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

enum cp_err
cp_hex_decode(unsigned char *dst, size_t n, struct cp_str in)
{
	size_t i;

	if (in.n % 2 != 0 || in.n / 2 != n)
		return CP_ERR_SYNTAX;
	for (i = 0; i < n; i++) {
		int hi = hex_digit(in.p[2 * i]);
		int lo = hex_digit(in.p[2 * i + 1]);

		if (hi == -1 || lo == -1)
			return CP_ERR_SYNTAX;
		dst[i] = (unsigned char)(hi << 4 | lo);
	}
	return CP_OK;
}
