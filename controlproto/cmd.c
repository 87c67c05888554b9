#include "controlproto/cmd.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_MIN 128

/*
 * A command line under construction.  The first error stays, so that the
 * builders below check once, at the end.
 */
struct line {
	char *p;
	size_t len, cap;
	enum cp_err err;
};

static void
wipe_free(char *p, size_t n)
{
	if (p != NULL)
		explicit_bzero(p, n);
	free(p);
}

void
cp_cmd_clear(struct cp_cmd *cmd)
{
	wipe_free(cmd->line, cmd->len);
	memset(cmd, 0, sizeof *cmd);
}

/*
 * Room for N more octets; not by realloc(), which leaves copies behind.  N may
 * be a worst case: only what is really written counts against CP_CMD_MAX.
 */
static bool
line_reserve(struct line *l, size_t n)
{
	size_t cap = l->cap > 0 ? l->cap : LINE_MIN;
	char *bigger;

	if (l->err == CP_OK &&
	    (l->len > CP_CMD_MAX || n > (size_t)4 * CP_CMD_MAX))
		l->err = CP_ERR_ARG;
	if (l->err != CP_OK)
		return false;
	if (l->p != NULL && n <= l->cap - l->len)
		return true;
	while (cap - l->len < n)
		cap *= 2;
	bigger = malloc(cap);
	if (bigger == NULL) {
		l->err = CP_ERR_NOMEM;
		return false;
	}
	if (l->len > 0)
		memcpy(bigger, l->p, l->len);
	wipe_free(l->p, l->cap);
	l->p = bigger;
	l->cap = cap;
	return true;
}

static void
line_add(struct line *l, const char *text)
{
	size_t n = strlen(text);

	if (line_reserve(l, n)) {
		memcpy(l->p + l->len, text, n);
		l->len += n;
	}
}

static void
line_add_hex(struct line *l, const unsigned char *in, size_t n)
{
	/* The encoder's final NUL has room too, but is not kept. */
	if (n > CP_CMD_MAX) {
		l->err = CP_ERR_ARG;
	} else if (line_reserve(l, 2 * n + 1)) {
		cp_hex_encode(l->p + l->len, in, n);
		l->len += 2 * n;
	}
}

/*
 * Tor could read a line end back, but no option that is set over this
 * connection has one: it can only be a mistake or an attempt at injection.
 */
static void
line_add_value(struct line *l, const char *value)
{
	struct cp_str in = cp_str_of(value);
	size_t len = 0, room;

	if (in.n >= CP_CMD_MAX || strpbrk(value, "\r\n") != NULL) {
		l->err = CP_ERR_ARG;
	} else if (line_reserve(l, in.n * 4 + 3)) {
		room = l->cap - l->len;
		l->err = cp_cstring_encode(l->p + l->len, room, &len, in);
		l->len += len;
	}
}

/* Hand the line over, with its CRLF; or nothing, and the first error. */
static enum cp_err
line_finish(struct line *l, struct cp_cmd *out)
{
	line_add(l, "\r\n");
	if (l->err == CP_OK && l->len > CP_CMD_MAX)
		l->err = CP_ERR_ARG;
	memset(out, 0, sizeof *out);
	if (l->err != CP_OK) {
		wipe_free(l->p, l->cap);
		return l->err;
	}
	out->line = l->p;
	out->len = l->len;
	return CP_OK;
}

/* isalnum() asks the locale; Tor does not. */
static bool
is_alnum(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
	    (c >= 'a' && c <= 'z');
}

/* Option and event names: [A-Za-z_][A-Za-z0-9_]*. */
static bool
name_ok(const char *s)
{
	if (*s == '\0' || (*s >= '0' && *s <= '9'))
		return false;
	while (is_alnum(*s) || *s == '_')
		s++;
	return *s == '\0';
}

/* GETINFO keys: [A-Za-z0-9_/.*-]+. */
static bool
key_ok(const char *s)
{
	if (*s == '\0')
		return false;
	while (*s != '\0' && (is_alnum(*s) || strchr("_/.*-", *s) != NULL))
		s++;
	return *s == '\0';
}

/* VERB and the N WORDS, each of which OK accepts. */
static enum cp_err
build_words(struct cp_cmd *out, const char *verb, const char *const *words,
    size_t n, bool (*ok)(const char *))
{
	struct line l = { NULL, 0, 0, CP_OK };
	size_t i;

	line_add(&l, verb);
	for (i = 0; i < n; i++) {
		if (!ok(words[i]))
			l.err = CP_ERR_ARG;
		line_add(&l, " ");
		line_add(&l, words[i]);
	}
	return line_finish(&l, out);
}

static enum cp_err
build_fixed(struct cp_cmd *out, const char *text)
{
	return build_words(out, text, NULL, 0, name_ok);
}

enum cp_err
cp_cmd_protocolinfo(struct cp_cmd *out)
{
	return build_fixed(out, "PROTOCOLINFO 1");
}

enum cp_err
cp_cmd_authchallenge(struct cp_cmd *out, const unsigned char nonce[32])
{
	struct line l = { NULL, 0, 0, CP_OK };

	line_add(&l, "AUTHCHALLENGE SAFECOOKIE ");
	line_add_hex(&l, nonce, 32);
	return line_finish(&l, out);
}

enum cp_err
cp_cmd_authenticate(struct cp_cmd *out, const unsigned char *cred, size_t n)
{
	struct line l = { NULL, 0, 0, CP_OK };
	enum cp_err err;

	line_add(&l, "AUTHENTICATE");
	if (n > 0) {
		line_add(&l, " ");
		line_add_hex(&l, cred, n);
	}
	err = line_finish(&l, out);
	out->secret = err == CP_OK;
	return err;
}

/* Sends nothing rather than an empty question. */
static enum cp_err
refuse(struct cp_cmd *out)
{
	memset(out, 0, sizeof *out);
	return CP_ERR_ARG;
}

enum cp_err
cp_cmd_getinfo(struct cp_cmd *out, const char *const *keys, size_t n)
{
	if (n == 0)
		return refuse(out);
	return build_words(out, "GETINFO", keys, n, key_ok);
}

enum cp_err
cp_cmd_getconf(struct cp_cmd *out, const char *const *names, size_t n)
{
	if (n == 0)
		return refuse(out);
	return build_words(out, "GETCONF", names, n, name_ok);
}

enum cp_err
cp_cmd_setconf(struct cp_cmd *out, const struct cp_opt *opts, size_t n)
{
	struct line l = { NULL, 0, 0, CP_OK };
	size_t i;

	if (n == 0)
		return refuse(out);
	line_add(&l, "SETCONF");
	for (i = 0; i < n; i++) {
		if (!name_ok(opts[i].name))
			l.err = CP_ERR_ARG;
		line_add(&l, " ");
		line_add(&l, opts[i].name);
		if (opts[i].value == NULL)
			continue;
		line_add(&l, "=");
		line_add_value(&l, opts[i].value);
	}
	return line_finish(&l, out);
}

enum cp_err
cp_cmd_setevents(struct cp_cmd *out, const char *const *names, size_t n)
{
	return build_words(out, "SETEVENTS", names, n, name_ok);
}

enum cp_err
cp_cmd_signal(struct cp_cmd *out, enum cp_signal sig)
{
	static const char *const commands[CP_NSIGNAL] = {
		[CP_SIGNAL_NEWNYM] = "SIGNAL NEWNYM",
		[CP_SIGNAL_CLEARDNSCACHE] = "SIGNAL CLEARDNSCACHE",
		[CP_SIGNAL_ACTIVE] = "SIGNAL ACTIVE",
	};

	if ((unsigned)sig >= CP_NSIGNAL)
		return refuse(out);
	return build_fixed(out, commands[sig]);
}

enum cp_err
cp_cmd_newcircuit(struct cp_cmd *out)
{
	return build_fixed(out, "EXTENDCIRCUIT 0 purpose=general");
}

enum cp_err
cp_cmd_closestream(struct cp_cmd *out, uint64_t id)
{
	char text[sizeof "CLOSESTREAM 18446744073709551615 1"];

	(void)snprintf(text, sizeof text, "CLOSESTREAM %" PRIu64 " 1", id);
	return build_fixed(out, text);
}

enum cp_err
cp_cmd_quit(struct cp_cmd *out)
{
	return build_fixed(out, "QUIT");
}
