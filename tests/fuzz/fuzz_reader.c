/*
 * Promises: the messages and the error are the same however the octets are
 * cut; nothing delivered exceeds the limits; a message written out again
 * reads back as itself.
 *
 * Input: one octet for the limits, two to seed the cutting, then the stream.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "controlproto/reader.h"
#include "controlproto/reply.h"

#define HEADER_LEN 3

static const struct cp_limits tight = { 24, 80, 6 };
static const struct cp_limits *const all_limits[] = {
	&tight,
	&cp_limits_unauth,
	&cp_limits_auth,
};

/* Pseudo-random piece sizes, small ones more often. */
static size_t
next_piece(uint32_t *state, size_t left)
{
	size_t n;

	*state = *state * 1664525 + 1013904223;
	n = 1 + (*state >> 16) % ((*state >> 30) == 0 ? 64 : 5);
	return n < left ? n : left;
}

static size_t
message_octets(const struct cp_reply *m)
{
	size_t i, total = 0;
	struct cp_str data;

	for (i = 0; i < cp_reply_nlines(m); i++) {
		(void)cp_reply_data(m, i, &data); /* false: data.n is 0 */
		total += cp_reply_text(m, i).n + data.n;
	}
	return total;
}

static void
check_limits(const struct cp_reply *m, const struct cp_limits *limits)
{
	size_t i;

	FUZZ_ASSERT(cp_reply_code(m) <= 999);
	FUZZ_ASSERT(cp_reply_nlines(m) >= 1);
	FUZZ_ASSERT(cp_reply_nlines(m) <= limits->lines);
	FUZZ_ASSERT(message_octets(m) <= limits->reply);
	for (i = 0; i < cp_reply_nlines(m); i++)
		FUZZ_ASSERT(cp_reply_text(m, i).n + 4 <= limits->line);
}

static void
check_span(struct cp_str a, struct cp_str b)
{
	FUZZ_ASSERT(a.n == b.n);
	FUZZ_ASSERT(a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static void
check_same(const struct cp_reply *a, const struct cp_reply *b)
{
	struct cp_str da, db;
	size_t i;

	FUZZ_ASSERT(cp_reply_code(a) == cp_reply_code(b));
	FUZZ_ASSERT(cp_reply_nlines(a) == cp_reply_nlines(b));
	for (i = 0; i < cp_reply_nlines(a); i++) {
		check_span(cp_reply_text(a, i), cp_reply_text(b, i));
		FUZZ_ASSERT(
		    cp_reply_data(a, i, &da) == cp_reply_data(b, i, &db));
		check_span(da, db);
	}
}

struct out {
	char *p;
	size_t n;
};

static void
put(struct out *o, const char *p, size_t n)
{
	if (n > 0)
		memcpy(o->p + o->n, p, n);
	o->n += n;
}

/* The data block as Tor would send it. */
static void
put_data(struct out *o, struct cp_str data)
{
	while (data.n > 0) {
		const char *lf = memchr(data.p, '\n', data.n);
		size_t n = lf != NULL ? (size_t)(lf - data.p) : data.n;

		if (data.p[0] == '.')
			put(o, ".", 1);
		put(o, data.p, n);
		put(o, "\r\n", 2);
		/* A final LF stands for one more, empty line. */
		if (lf != NULL && n + 1 == data.n)
			put(o, "\r\n", 2);
		n += lf != NULL;
		data.p += n;
		data.n -= n;
	}
	put(o, ".\r\n", 3);
}

static void
put_message(struct out *o, const struct cp_reply *m)
{
	size_t i, last = cp_reply_nlines(m) - 1;
	unsigned code = cp_reply_code(m);
	char prefix[5];

	for (i = 0; i <= last; i++) {
		struct cp_str text = cp_reply_text(m, i), data;
		bool has_data = cp_reply_data(m, i, &data);
		char sep = i == last ? ' ' : '-';

		if (has_data)
			sep = '+';
		snprintf(prefix, sizeof prefix, "%03u%c", code % 1000, sep);
		put(o, prefix, 4);
		put(o, text.p, text.n);
		put(o, "\r\n", 2);
		if (has_data)
			put_data(o, data);
	}
}

static void
check_round_trip(const struct cp_reply *m)
{
	/* Each octet may become a line; each line has a code and an end. */
	size_t room = message_octets(m) * 4 + cp_reply_nlines(m) * 16;
	static const struct cp_limits loose = { SIZE_MAX, SIZE_MAX, SIZE_MAX };
	struct out o = { malloc(room), 0 };
	struct cp_reader *r = cp_reader_new();
	struct cp_reply *again;

	FUZZ_ASSERT(o.p != NULL && r != NULL);
	put_message(&o, m);
	FUZZ_ASSERT(o.n <= room);
	cp_reader_limits(r, &loose);
	FUZZ_ASSERT(cp_reader_feed(r, o.p, o.n) == CP_OK);
	FUZZ_ASSERT(cp_reader_next(r, &again) == CP_OK);
	FUZZ_ASSERT(again != NULL);
	check_same(m, again);
	cp_reply_free(again);
	cp_reader_free(r);
	free(o.p);
}

/* One reader that got everything at once, one that gets it in pieces. */
struct pair {
	struct cp_reader *whole, *cut;
	const struct cp_limits *limits;
};

/* What CUT has to give must be what WHOLE gives; the error, if any. */
static enum cp_err
compare_ready(struct pair *p)
{
	struct cp_reply *a, *b;
	enum cp_err err;

	for (;;) {
		err = cp_reader_next(p->cut, &b);
		FUZZ_ASSERT((err == CP_OK) || b == NULL);
		if (b == NULL)
			return err;
		FUZZ_ASSERT(cp_reader_next(p->whole, &a) == CP_OK);
		FUZZ_ASSERT(a != NULL);
		check_same(a, b);
		check_limits(a, p->limits);
		check_round_trip(a);
		cp_reply_free(a);
		cp_reply_free(b);
	}
}

static void
compare(struct pair *p, const uint8_t *data, size_t size, uint32_t seed)
{
	struct cp_reply *rest;
	enum cp_err err = CP_OK;

	FUZZ_ASSERT(cp_reader_feed(p->whole, data, size) == CP_OK);
	while (err == CP_OK && size > 0) {
		size_t n = next_piece(&seed, size);

		err = cp_reader_feed(p->cut, data, n);
		FUZZ_ASSERT(err == CP_OK);
		err = compare_ready(p);
		data += n;
		size -= n;
	}
	FUZZ_ASSERT(cp_reader_next(p->whole, &rest) == err);
	FUZZ_ASSERT(rest == NULL);
	if (err != CP_OK)
		FUZZ_ASSERT(cp_reader_feed(p->whole, "650 A\n", 6) == err);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pair p;

	if (size < HEADER_LEN)
		return 0;
	p.limits = all_limits[data[0] % 3];
	p.whole = cp_reader_new();
	p.cut = cp_reader_new();
	FUZZ_ASSERT(p.whole != NULL && p.cut != NULL);
	cp_reader_limits(p.whole, p.limits);
	cp_reader_limits(p.cut, p.limits);
	compare(&p, data + HEADER_LEN, size - HEADER_LEN,
	    (uint32_t)data[1] << 8 | data[2]);
	cp_reader_free(p.whole);
	cp_reader_free(p.cut);
	return 0;
}
