/*
 * Promises: what is encoded decodes to itself, and has no CR, LF or NUL; a
 * command is one line whatever goes into it; a keyword's value is found
 * where it was put and nowhere else; so is a listener and a stream in a list.
 */
#include "tests/fuzz/fuzz.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "controlproto/cmd.h"
#include "controlproto/event.h"
#include "controlproto/reply.h"
#include "controlproto/str.h"

static bool
has(struct cp_str s, char c)
{
	return s.n > 0 && memchr(s.p, c, s.n) != NULL;
}

static void
check_same(struct cp_str a, struct cp_str b)
{
	FUZZ_ASSERT(a.n == b.n);
	FUZZ_ASSERT(a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static void *
xalloc(size_t n)
{
	void *p = malloc(n);

	FUZZ_ASSERT(p != NULL);
	return p;
}

/* "A=1 KEY=<VALUE> B=2": all three must be found again. */
static void
check_find(struct cp_str value)
{
	char *line = xalloc(value.n + 16);
	struct cp_str in = { line, 0 }, out;
	bool cut;

	memcpy(line, "A=1 KEY=", 8);
	memcpy(line + 8, value.p, value.n);
	memcpy(line + 8 + value.n, " B=2", 4);
	in.n = value.n + 12;
	FUZZ_ASSERT(cp_kv_find(&out, in, "KEY", &cut) && !cut);
	check_same(out, value);
	FUZZ_ASSERT(cp_kv_find(&out, in, "A", &cut) && cp_str_is(out, "1"));
	FUZZ_ASSERT(cp_kv_find(&out, in, "B", &cut) && cp_str_is(out, "2"));
	free(line);
}

/* IN through the encoder for SETCONF and back. */
static void
check_cstring(struct cp_str in)
{
	size_t cap = in.n * 4 + 3, len = 0, outlen = 0;
	char *text = xalloc(cap), *out = xalloc(in.n + 1);
	enum cp_err err = cp_cstring_encode(text, cap, &len, in);
	struct cp_str coded = { text, len }, rest;

	FUZZ_ASSERT(err == (has(in, '\0') ? CP_ERR_ARG : CP_OK));
	if (err == CP_OK) {
		FUZZ_ASSERT(len < cap && text[len] == '\0');
		FUZZ_ASSERT(!has(coded, '\r') && !has(coded, '\n') &&
		    !has(coded, '\0'));
		FUZZ_ASSERT(cp_cstring_decode(
				out, in.n, &outlen, &rest, coded) == CP_OK);
		FUZZ_ASSERT(rest.n == 0);
		check_same((struct cp_str){ out, outlen }, in);
		check_find(coded);
	}
	free(text);
	free(out);
}

/* Undo a QString as Tor does: a backslash makes the next octet literal. */
static size_t
qstring_decode(char *dst, struct cp_str in)
{
	size_t i, n = 0;

	for (i = 1; i < in.n && in.p[i] != '"'; i++) {
		if (in.p[i] == '\\')
			i++;
		FUZZ_ASSERT(i < in.n);
		dst[n++] = in.p[i];
	}
	FUZZ_ASSERT(i + 1 == in.n);
	return n;
}

static void
check_qstring(struct cp_str in)
{
	size_t cap = in.n * 2 + 3, len = 0;
	char *text = xalloc(cap), *out = xalloc(cap);
	enum cp_err err = cp_qstring_encode(text, cap, &len, in);
	bool bad = has(in, '\0') || has(in, '\r') || has(in, '\n');

	FUZZ_ASSERT(err == (bad ? CP_ERR_ARG : CP_OK));
	if (err == CP_OK) {
		len = qstring_decode(out, (struct cp_str){ text, len });
		check_same((struct cp_str){ out, len }, in);
	}
	free(text);
	free(out);
}

/* Anything that decodes is a value that the encoder takes as well. */
static void
check_decoder(struct cp_str in)
{
	char *out = xalloc(in.n + 1);
	struct cp_str rest;
	size_t len = 0;

	if (cp_cstring_decode(out, in.n, &len, &rest, in) == CP_OK) {
		FUZZ_ASSERT(len + 2 + rest.n <= in.n);
		FUZZ_ASSERT(rest.p + rest.n == in.p + in.n);
		FUZZ_ASSERT(rest.p[-1] == '"');
		check_cstring((struct cp_str){ out, len });
		/* The room it took is the room it needs. */
		FUZZ_ASSERT(len == 0 ||
		    cp_cstring_decode(out, len - 1, &len, &rest, in) ==
			CP_ERR_LIMIT);
	}
	free(out);
}

static void
check_command(const char *value)
{
	struct cp_opt opts[] = { { "SocksPort", value }, { "DNSPort", NULL } };
	struct cp_str line;
	struct cp_cmd cmd;
	enum cp_err err = cp_cmd_setconf(&cmd, opts, 2);

	FUZZ_ASSERT(
	    err == (strpbrk(value, "\r\n") != NULL ? CP_ERR_ARG : CP_OK));
	if (err != CP_OK)
		return;
	line.p = cmd.line;
	line.n = cmd.len - 2;
	FUZZ_ASSERT(memcmp(cmd.line + line.n, "\r\n", 2) == 0);
	FUZZ_ASSERT(!has(line, '\r') && !has(line, '\n') && !has(line, '\0'));
	cp_cmd_clear(&cmd);
	opts[1].name = value;
	if (cp_cmd_setconf(&cmd, opts, 2) == CP_OK)
		FUZZ_ASSERT(strpbrk(value, " =\"\\\r\n") == NULL);
	cp_cmd_clear(&cmd);
	if (cp_cmd_getinfo(&cmd, &value, 1) == CP_OK)
		FUZZ_ASSERT(strpbrk(value, " =\"\\\r\n") == NULL);
	cp_cmd_clear(&cmd);
}

/* A value that is found stands behind "K=" at the start of a field. */
static void
check_any_line(struct cp_str in)
{
	struct cp_str out;
	bool cut;

	if (!cp_kv_find(&out, in, "K", &cut)) {
		FUZZ_ASSERT(out.n == 0);
		return;
	}
	FUZZ_ASSERT(out.p >= in.p + 2 && out.p + out.n <= in.p + in.n);
	FUZZ_ASSERT(memcmp(out.p - 2, "K=", 2) == 0);
	FUZZ_ASSERT(out.p == in.p + 2 || out.p[-3] == ' ');
	FUZZ_ASSERT(out.p + out.n == in.p + in.n || out.p[out.n] == ' ');
	FUZZ_ASSERT(!has(out, ' ') || out.p[0] == '"');
}

static void
check_listeners(struct cp_str in)
{
	size_t before, n = 0;
	char entry[64];
	int rc;

	do {
		before = in.n;
		rc = cp_listeners_next(entry, sizeof entry, &in);
		if (rc > 0) {
			FUZZ_ASSERT(in.n < before);
			FUZZ_ASSERT(entry[0] != '\0');
			FUZZ_ASSERT(rc == 1 || (rc == 2 &&
			    (entry[0] == '/' ||
			    strspn(entry, "0123456789abcdefABCDEF.:") ==
			    strlen(entry))));
			n += strnlen(entry, sizeof entry);
		} else {
			FUZZ_ASSERT(in.n == before);
		}
	} while (rc > 0);
	FUZZ_ASSERT((rc == 0) == (in.n == 0));
	(void)n; /* reading it lets the sanitizers see each entry */
}

/* What is told of a stream is in its line, spelt as Tor does. */
static void
check_streams(struct cp_str in)
{
	struct cp_str was, status, line;
	const char *end;
	char number[24];
	uint64_t id;
	int rc;

	do {
		was = line = in;
		rc = cp_streams_next(&id, &status, &in);
		if (rc <= 0) {
			FUZZ_ASSERT(in.n == was.n);
			continue;
		}
		FUZZ_ASSERT(in.n < was.n);
		end = memchr(was.p, '\n', was.n);
		if (end != NULL)
			line.n = (size_t)(end - was.p);
		FUZZ_ASSERT(status.n > 0 && !has(status, ' '));
		FUZZ_ASSERT(status.p > line.p &&
		    status.p + status.n < line.p + line.n);
		/* Leading zeros are none of Tor's, and mean nothing. */
		while (line.n > 1 && line.p[0] == '0' && line.p[1] != ' ') {
			line.p++;
			line.n--;
		}
		(void)snprintf(number, sizeof number, "%" PRIu64 " ", id);
		FUZZ_ASSERT(line.n > strlen(number) && memcmp(line.p, number,
		    strlen(number)) == 0);
	} while (rc > 0);
	FUZZ_ASSERT((rc == 0) == (in.n == 0));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = xalloc(size + 1);
	struct cp_str in = { copy, size };

	/* A copy of exact size: reading beyond it is seen. */
	if (size > 0)
		memcpy(copy, data, size);
	copy[size] = '\0';
	check_cstring(in);
	check_qstring(in);
	check_decoder(in);
	check_any_line(in);
	check_listeners(in);
	check_streams(in);
	check_command(copy);
	free(copy);
	return 0;
}
