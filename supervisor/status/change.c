#include "supervisor/status/change.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/nearest.h"
#include "supervisor/wipe.h"

/* What is being read, and where a sentence about it goes. */
struct reading {
	struct pol_uplink *u;
	const struct pol_policy *p;
	char *why;
};

static bool fail(const struct reading *r, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static bool
fail(const struct reading *r, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(r->why, POL_UPLINK_WHY, fmt, ap);
	va_end(ap);
	return false;
}

/* Longer ones, and what is no plain text, are not repeated. */
#define KEY_SHOWN 40

static bool
bad_key(const struct reading *r, const char *where, const char *key,
    const char *const *keys)
{
	struct pol_nearest nearest = { .word = key };

	for (const char *s = key; *s != '\0'; s++)
		if (*s < ' ' || *s > '~' || s - key == KEY_SHOWN)
			return fail(r, "%s has a key that is none of its "
			    "own; see \"apply\" in portcullis(1).", where);
	for (size_t i = 0; keys[i] != NULL; i++)
		pol_nearest_try(&nearest, keys[i]);
	if (pol_nearest_slip(&nearest))
		return fail(r, "%s has no key \"%s\": did you mean \"%s\"?",
		    where, key, nearest.best);
	return fail(r, "%s has no key \"%s\"; see \"apply\" in "
	    "portcullis(1).", where, key);
}

/* What is no key of ours is a mistake, not something to be passed over. */
static bool
has_only(const struct reading *r, const json_t *obj, const char *where,
    const char *const *keys)
{
	const char *key;
	void *it;
	size_t i;

	for (it = json_object_iter((json_t *)obj); it != NULL;
	     it = json_object_iter_next((json_t *)obj, it)) {
		key = json_object_iter_key(it);
		for (i = 0; keys[i] != NULL && strcmp(key, keys[i]) != 0; i++)
			;
		if (keys[i] == NULL)
			return bad_key(r, where, key, keys);
	}
	return true;
}

static bool
read_torrc(const struct reading *r, const json_t *torrc)
{
	char why[POL_UPLINK_WHY];
	size_t line;

	if (!json_is_string(torrc))
		return fail(r, "\"torrc\" is not a text of torrc lines.");
	line = pol_uplink_parse(r->u, why, r->p, json_string_value(torrc),
	    json_string_length(torrc));
	return line == 0 || fail(r, "Line %zu: %s", line, why);
}

/* The lines of an array as torrc has them; wipe_free() it. */
static char *
bridge_text(const struct reading *r, const json_t *lines, size_t *len)
{
	FILE *f;
	char *text = NULL;
	bool ok = true;

	f = open_memstream(&text, len);
	if (f == NULL) {
		(void)fail(r, "There is not enough memory.");
		return NULL;
	}
	for (size_t i = 0; ok && i < json_array_size(lines); i++) {
		const json_t *line = json_array_get(lines, i);
		const char *s = json_string_value(line);

		/* One line stays one line, whatever is in it. */
		ok = s != NULL && strlen(s) == json_string_length(line) &&
		    strpbrk(s, "\r\n") == NULL;
		if (ok)
			fprintf(f, "Bridge %s\n", s);
		else
			(void)fail(r, "Bridge %zu is not one line of text.",
			    i + 1);
	}
	if (fclose(f) == 0 && ok)
		return text;
	wipe_free(text);
	return NULL;
}

static bool
read_lines(const struct reading *r, const json_t *lines)
{
	char why[POL_UPLINK_WHY], *text;
	size_t line, len;

	if (json_array_size(lines) == 0)
		return fail(r, "\"bridges\" is empty: say \"none\" if that "
		    "is meant.");
	text = bridge_text(r, lines, &len);
	if (text == NULL)
		return false;
	line = pol_uplink_parse(r->u, why, r->p, text, len);
	wipe_free(text);
	return line == 0 || fail(r, "Bridge %zu: %s", line, why);
}

static bool
read_bridges(const struct reading *r, const json_t *bridges)
{
	const char *name = json_string_value(bridges);

	if (json_is_array(bridges))
		return read_lines(r, bridges);
	if (name == NULL)
		return fail(r, "\"bridges\" is missing, or neither a name nor "
		    "an array of lines.");
	if (strcmp(name, "none") == 0 ||
	    pol_uplink_stock(r->u, r->p, name))
		return true;
	return fail(r, "The policy has no bridges of that name: add them to "
	    "its transport section (\"bridge\"), or give the lines.");
}

/* The text of KEY, which fits into DST; absent is empty. */
static bool
read_text(const struct reading *r, char *dst, size_t cap,
    const json_t *obj, const char *key)
{
	const json_t *value = json_object_get(obj, key);
	const char *s = json_string_value(value);

	if (value == NULL)
		return true;
	if (s == NULL || json_string_length(value) >= cap ||
	    strlen(s) != json_string_length(value))
		return fail(r, "The proxy's \"%s\" is no text of at most %zu "
		    "octets.", key, cap - 1);
	memcpy(dst, s, json_string_length(value));
	return true;
}

static bool
read_kind(const struct reading *r, const json_t *type)
{
	const char *name = json_string_value(type);

	for (unsigned k = POL_PROXY_NONE + 1; name != NULL && k < POL_NPROXY;
	     k++)
		if (strcmp(name, pol_proxy_name((enum pol_proxy)k)) == 0)
			r->u->proxy = k;
	/* To the proxy of a web browser it is one thing. */
	if (name != NULL && strcmp(name, "http") == 0)
		r->u->proxy = POL_PROXY_HTTPS;
	return r->u->proxy != POL_PROXY_NONE || fail(r, "The proxy's "
	    "\"type\" is not one of https, http, socks4, socks5.");
}

static bool
read_proxy(const struct reading *r, const json_t *proxy)
{
	static const char *const keys[] = { "type", "host", "port", "user",
		"password", NULL };
	const json_t *port = json_object_get(proxy, "port");
	const json_int_t n = json_integer_value(port);
	const bool user = json_object_get(proxy, "user") != NULL;

	if (json_is_string(proxy) &&
	    strcmp(json_string_value(proxy), "none") == 0)
		return true;
	if (!json_is_object(proxy))
		return fail(r, "\"proxy\" is missing, or neither \"none\" "
		    "nor an object.");
	if (!has_only(r, proxy, "\"proxy\"", keys) ||
	    !read_kind(r, json_object_get(proxy, "type")))
		return false;
	if (!json_is_integer(port) || n < 1 || n > UINT16_MAX)
		return fail(r, "The proxy's \"port\" is no number from 1 to "
		    "65535.");
	if (user != (json_object_get(proxy, "password") != NULL))
		return fail(r, "The proxy needs both \"user\" and "
		    "\"password\", or neither.");
	r->u->port = (uint32_t)n;
	r->u->has_auth = user;
	return read_text(r, r->u->host, sizeof r->u->host, proxy, "host") &&
	    read_text(r, r->u->user, sizeof r->u->user, proxy, "user") &&
	    read_text(r, r->u->password, sizeof r->u->password, proxy,
	    "password");
}

static bool
read_parts(const struct reading *r, const json_t *obj)
{
	static const char *const either[] = { "cmd", "id", "dry_run",
		"bridges", "proxy", NULL };
	static const char *const lines[] = { "cmd", "id", "dry_run", "torrc",
		NULL };
	const json_t *torrc = json_object_get(obj, "torrc");
	char why[POL_UPLINK_WHY];

	if (torrc != NULL)
		return has_only(r, obj, "A request with \"torrc\"", lines) &&
		    read_torrc(r, torrc);
	if (!has_only(r, obj, "The request", either) ||
	    !read_bridges(r, json_object_get(obj, "bridges")) ||
	    !read_proxy(r, json_object_get(obj, "proxy")))
		return false;
	return pol_uplink_ok(r->u, why, r->p) || fail(r, "%s", why);
}

bool
status_change_read(struct snap_change *c, char why[POL_UPLINK_WHY],
    const struct pol_policy *p, const json_t *obj)
{
	const struct reading r = { &c->uplink, p, why };
	const json_t *dry = json_object_get(obj, "dry_run");
	bool ok;

	explicit_bzero(c, sizeof *c);
	ok = dry == NULL || json_is_boolean(dry) ||
	    fail(&r, "\"dry_run\" is neither true nor false.");
	ok = ok && read_parts(&r, obj);
	c->dry_run = json_is_true(dry);
	if (!ok)
		explicit_bzero(c, sizeof *c);
	return ok;
}
