#include "controlproto/reply.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "controlproto/lex.h"
#include "controlproto/reply_priv.h"

static const char end_text[] = "OK";
static const struct cp_str nothing = { "", 0 };

void
cp_reply_free(struct cp_reply *reply)
{
	if (reply != NULL)
		explicit_bzero(reply, reply->size);
	free(reply);
}

unsigned
cp_reply_code(const struct cp_reply *reply)
{
	return reply->code;
}

bool
cp_reply_is_async(const struct cp_reply *reply)
{
	return reply->code / 100 == 6;
}

bool
cp_reply_is_ok(const struct cp_reply *reply)
{
	return reply->code / 100 == 2;
}

size_t
cp_reply_nlines(const struct cp_reply *reply)
{
	return reply->nlines;
}

struct cp_str
cp_reply_text(const struct cp_reply *reply, size_t i)
{
	return i < reply->nlines ? reply->lines[i].text : nothing;
}

bool
cp_reply_data(const struct cp_reply *reply, size_t i, struct cp_str *out)
{
	*out = nothing;
	if (i >= reply->nlines || reply->lines[i].data.p == NULL)
		return false;
	*out = reply->lines[i].data;
	return true;
}

/*
 * Read "key=value" or "key=" and a data block: Tor picks the form by whether
 * the value holds a line end, so the same key may come either way.
 */
static enum cp_err
split_line(const struct cp_reply *reply, struct cp_conf *out, size_t i)
{
	struct cp_str text = cp_reply_text(reply, i), data;
	const char *eq = NULL;

	if (text.n > 0)
		eq = memchr(text.p, '=', text.n);
	out->has_value = eq != NULL;
	out->key = text;
	out->value = nothing;
	if (eq != NULL) {
		out->key.n = (size_t)(eq - text.p);
		out->value = cp_lex_drop(text, out->key.n + 1);
	}
	if (cp_reply_data(reply, i, &data)) {
		if (eq == NULL || out->value.n > 0)
			return CP_ERR_SYNTAX;
		out->value = data;
	}
	return out->key.n > 0 ? CP_OK : CP_ERR_SYNTAX;
}

static bool
ends_ok(const struct cp_reply *reply)
{
	return cp_str_is(cp_reply_text(reply, reply->nlines - 1), end_text);
}

enum cp_err
cp_reply_getinfo(const struct cp_reply *reply, struct cp_str *out,
    const char *const *keys, size_t n)
{
	struct cp_conf line;
	enum cp_err err;
	size_t i;

	for (i = 0; i < n; i++)
		out[i] = nothing;
	if (!cp_reply_is_ok(reply))
		return CP_ERR_REFUSED;
	if (reply->nlines - 1 != n || !ends_ok(reply))
		return CP_ERR_KEY;
	for (i = 0; i < n; i++) {
		err = split_line(reply, &line, i);
		if (err != CP_OK)
			return err;
		if (!line.has_value || !cp_str_is(line.key, keys[i]))
			return CP_ERR_KEY;
		out[i] = line.value;
	}
	return CP_OK;
}

/* An event names itself on its first line; a GETCONF reply does not. */
static size_t
first_conf(const struct cp_reply *reply)
{
	return cp_reply_is_async(reply) ? 1 : 0;
}

size_t
cp_reply_nconf(const struct cp_reply *reply)
{
	size_t n = reply->nlines;

	if (!cp_reply_is_ok(reply) && !cp_reply_is_async(reply))
		return 0;
	if (ends_ok(reply))
		n--;
	return n > first_conf(reply) ? n - first_conf(reply) : 0;
}

enum cp_err
cp_reply_conf(const struct cp_reply *reply, struct cp_conf *out, size_t i)
{
	memset(out, 0, sizeof *out);
	out->key = out->value = nothing;
	if (!cp_reply_is_ok(reply) && !cp_reply_is_async(reply))
		return CP_ERR_REFUSED;
	if (i >= cp_reply_nconf(reply))
		return CP_ERR_ARG;
	return split_line(reply, out, first_conf(reply) + i);
}

/* Decode a CString to a C string; an octet 0 inside would hide the rest. */
static enum cp_err
decode_z(char *dst, size_t cap, struct cp_str *rest, struct cp_str in)
{
	enum cp_err err;
	size_t len = 0;

	if (cap == 0)
		return CP_ERR_LIMIT;
	err = cp_cstring_decode(dst, cap - 1, &len, rest, in);
	if (err != CP_OK)
		return err;
	dst[len] = '\0';
	return memchr(dst, '\0', len) == NULL ? CP_OK : CP_ERR_SYNTAX;
}

enum cp_err
cp_conf_value(char *dst, size_t cap, const struct cp_conf *conf)
{
	struct cp_str value = conf->value, rest;
	enum cp_err err;

	if (value.n > 0 && value.p[0] == '"') {
		err = decode_z(dst, cap, &rest, value);
		if (err == CP_OK && rest.n > 0)
			err = CP_ERR_SYNTAX;
		return err;
	}
	if (value.n >= cap)
		return CP_ERR_LIMIT;
	if (value.n > 0 && memchr(value.p, '\0', value.n) != NULL)
		return CP_ERR_SYNTAX;
	if (value.n > 0)
		memcpy(dst, value.p, value.n);
	dst[value.n] = '\0';
	return CP_OK;
}

static bool
is_bare_octet(unsigned char c, bool path)
{
	return path ? isgraph(c) && c != '"' :
	    isxdigit(c) || c == '.' || c == ':';
}

/* As "10.0.0.1:9050", "fd00::1:9050" or "/run/tor/socks:0". */
static bool
is_bare_listener(struct cp_str s)
{
	size_t digits = 0, n = 0;

	while (digits < s.n && isdigit((unsigned char)s.p[s.n - 1 - digits]))
		digits++;
	while (n < s.n && is_bare_octet((unsigned char)s.p[n], s.p[0] == '/'))
		n++;
	return digits > 0 && n == s.n && digits + 1 < n &&
	    s.p[n - 1 - digits] == ':';
}

static int
next_bare(char *dst, size_t cap, struct cp_str *rest)
{
	struct cp_str after = *rest, s = cp_lex_word(&after);

	if (!is_bare_listener(s) || s.n >= cap ||
	    (s.n < rest->n && after.n == 0))
		return -1;
	memcpy(dst, s.p, s.n);
	dst[s.n] = '\0';
	*rest = after;
	return 2;
}

int
cp_listeners_next(char *dst, size_t cap, struct cp_str *rest)
{
	struct cp_str after;

	if (rest->n == 0)
		return 0;
	if (rest->p[0] != '"')
		return next_bare(dst, cap, rest);
	if (decode_z(dst, cap, &after, *rest) != CP_OK || dst[0] == '\0')
		return -1;
	/* One SP, then the next entry: anything else is not Tor's list. */
	if (after.n > 0 && (!cp_lex_prefix(&after, " ") || after.n == 0))
		return -1;
	*rest = after;
	return 1;
}
