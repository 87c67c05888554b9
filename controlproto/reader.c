/*
 * The reader keeps the raw octets of the message in hand and looks at each
 * line once, when it is complete.  Only when the message's last line is there
 * is it copied out, by a second pass, into one allocation of the right size.
 * So a flood of events costs two linear passes and one malloc for each, and
 * an endless message costs no more than its limit.
 *
 * All verdicts fall in cp_reader_next(), and depend on the octets alone, not
 * on how they were cut into feeds.
 */
#include "controlproto/reader.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "controlproto/reply_priv.h"

#define CODE_LEN 3
#define PREFIX_LEN (CODE_LEN + 1) /* and the separator */
#define BUF_MIN 4096

/* A drained buffer larger than this goes back to the system. */
#define BUF_KEEP (256 * 1024)

const struct cp_limits cp_limits_unauth = {
	.line = 8 * 1024,
	.reply = 64 * 1024,
	.lines = 64,
};

/* Tor takes and echoes option values up to 1 MiB. */
const struct cp_limits cp_limits_auth = {
	.line = 1024 * 1024 + 64 * 1024,
	.reply = 4 * 1024 * 1024,
	.lines = 65536,
};

/* Events may come between, so a line may be as long as ever. */
const struct cp_limits cp_limits_relays = {
	.line = 1024 * 1024 + 64 * 1024,
	.reply = 16 * 1024 * 1024,
	.lines = 262144,
};

struct cp_reader {
	struct cp_limits limits;
	enum cp_err err;
	uint64_t fed; /* octets ever fed */

	/*
	 * head <= line <= seen <= tail <= cap.  The message in hand starts at
	 * head, its current line at line; no LF in [line, seen).
	 */
	char *buf;
	size_t cap, head, line, seen, tail;

	bool spoke;    /* the peer has sent one good line */
	bool in_data;  /* between "250+" and "." */
	unsigned code; /* of the message in hand, if nlines > 0 */
	size_t nlines; /* complete lines so far, as on the wire */
	size_t nreply; /* those that carry a code */
};

static enum cp_err
poison(struct cp_reader *r, enum cp_err err)
{
	r->err = err;
	return err;
}

static void
buf_release(struct cp_reader *r)
{
	if (r->buf != NULL)
		explicit_bzero(r->buf, r->cap);
	free(r->buf);
	r->buf = NULL;
	r->cap = r->head = r->line = r->seen = r->tail = 0;
}

struct cp_reader *
cp_reader_new(void)
{
	struct cp_reader *r = calloc(1, sizeof *r);

	if (r != NULL)
		r->limits = cp_limits_unauth;
	return r;
}

void
cp_reader_free(struct cp_reader *r)
{
	if (r == NULL)
		return;
	buf_release(r);
	free(r);
}

void
cp_reader_limits(struct cp_reader *r, const struct cp_limits *limits)
{
	r->limits = *limits;
}

uint64_t
cp_reader_fed(const struct cp_reader *r)
{
	return r->fed;
}

/* Move what is held to TO, which may be the buffer itself. */
static void
buf_rebase(struct cp_reader *r, char *to)
{
	if (r->tail > r->head)
		memmove(to, r->buf + r->head, r->tail - r->head);
	r->line -= r->head;
	r->seen -= r->head;
	r->tail -= r->head;
	r->head = 0;
}

/*
 * Make room for N more octets behind what is held.  A buffer twice the size
 * of both has no room at its end only when more was consumed than is held:
 * so each octet is moved a bounded number of times over all feeds.
 */
static enum cp_err
buf_reserve(struct cp_reader *r, size_t n)
{
	size_t head = r->head, held = r->tail - head, cap;
	char *bigger;

	if (n <= r->cap - r->tail)
		return CP_OK;
	if (n > SIZE_MAX / 4 || held > SIZE_MAX / 4)
		return CP_ERR_NOMEM;
	cap = 2 * (held + n);
	if (cap <= r->cap) {
		buf_rebase(r, r->buf);
		explicit_bzero(r->buf + r->tail, head);
		return CP_OK;
	}
	if (cap < BUF_MIN)
		cap = BUF_MIN;
	bigger = malloc(cap);
	if (bigger == NULL)
		return CP_ERR_NOMEM;
	buf_rebase(r, bigger);
	if (r->buf != NULL)
		explicit_bzero(r->buf, r->cap);
	free(r->buf);
	r->buf = bigger;
	r->cap = cap;
	return CP_OK;
}

enum cp_err
cp_reader_feed(struct cp_reader *r, const void *p, size_t n)
{
	enum cp_err err;

	if (r->err != CP_OK || n == 0)
		return r->err;
	/* Who drains between feeds never holds more than one message. */
	if (r->tail - r->head > r->limits.reply)
		return poison(r, CP_ERR_LIMIT);
	err = buf_reserve(r, n);
	if (err != CP_OK)
		return poison(r, err);
	memcpy(r->buf + r->tail, p, n);
	r->tail += n;
	r->fed += n;
	return CP_OK;
}

static bool
prefix_octet_ok(char c, size_t i)
{
	if (i < CODE_LEN)
		return c >= '0' && c <= '9';
	return c == ' ' || c == '-' || c == '+';
}

/*
 * Judge the first octets of the current line, of which N have arrived,
 * without waiting for a line end that another protocol may never send.
 */
static enum cp_err
check_prefix(const struct cp_reader *r, size_t n)
{
	const char *p = r->buf + r->line;
	size_t i;

	for (i = 0; i < n && i < PREFIX_LEN; i++) {
		if (!prefix_octet_ok(p[i], i))
			return r->spoke ? CP_ERR_SYNTAX : CP_ERR_NOT_TOR;
	}
	return CP_OK;
}

/* N octets of the current line, its end included if that has arrived. */
static enum cp_err
check_line(const struct cp_reader *r, size_t n, bool complete)
{
	size_t used = r->line - r->head, left = 0, len = n;
	const char *p = r->buf + r->line;
	enum cp_err err = CP_OK;

	if (used < r->limits.reply)
		left = r->limits.reply - used;
	if (!r->in_data)
		err = check_prefix(r, n < left ? n : left);
	if (err != CP_OK)
		return err;
	if (n > left)
		return CP_ERR_LIMIT;
	if (complete)
		len--;
	if (len > 0 && p[len - 1] == '\r') /* ends it, or may yet do so */
		len--;
	return len > r->limits.line ? CP_ERR_LIMIT : CP_OK;
}

/* The octets from P to the LF at END, without a CR before it. */
static struct cp_str
line_str(const char *p, const char *end)
{
	struct cp_str s = { p, (size_t)(end - p) };

	if (s.n > 0 && s.p[s.n - 1] == '\r')
		s.n--;
	return s;
}

static bool
is_data_end(struct cp_str s)
{
	return s.n == 1 && s.p[0] == '.';
}

static unsigned
line_code(struct cp_str s)
{
	return (unsigned)(s.p[0] - '0') * 100 + (unsigned)(s.p[1] - '0') * 10 +
	    (unsigned)(s.p[2] - '0');
}

/* Take the complete line that ends at LF.  *DONE: it ends the message. */
static enum cp_err
take_line(struct cp_reader *r, const char *lf, bool *done)
{
	struct cp_str s = line_str(r->buf + r->line, lf);
	size_t end = (size_t)(lf - r->buf) + 1;
	enum cp_err err = check_line(r, end - r->line, true);

	*done = false;
	if (err != CP_OK)
		return err;
	if (r->nlines >= r->limits.lines)
		return CP_ERR_LIMIT;
	if (r->in_data) {
		r->in_data = !is_data_end(s);
	} else {
		if (r->nlines > 0 && line_code(s) != r->code)
			return CP_ERR_MIXED;
		r->code = line_code(s);
		r->spoke = true;
		r->nreply++;
		r->in_data = s.p[CODE_LEN] == '+';
		*done = s.p[CODE_LEN] == ' ';
	}
	r->nlines++;
	r->line = r->seen = end;
	return CP_OK;
}

/*
 * Copy the data block that starts at P to DST: CRLF becomes LF and one
 * leading dot goes.  *OUT is the block without its last LF; the result is
 * what follows the line "." in the input.
 */
static const char *
copy_data(char *dst, struct cp_str *out, const char *p, const char *end)
{
	char *to = dst;

	for (;;) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		struct cp_str s = line_str(p, lf);

		p = lf + 1;
		if (is_data_end(s))
			break;
		if (s.n > 0 && s.p[0] == '.') {
			s.p++;
			s.n--;
		}
		memcpy(to, s.p, s.n);
		to += s.n;
		*to++ = '\n';
	}
	out->p = dst;
	out->n = to > dst ? (size_t)(to - dst) - 1 : 0;
	return p;
}

/*
 * The second pass, over a message that take_line() has found good.  What
 * is copied is never longer than what it came from.
 */
static void
fill_reply(struct cp_reply *reply, char *dst, const char *p, const char *end)
{
	size_t i;

	for (i = 0; i < reply->nlines; i++) {
		const char *lf = memchr(p, '\n', (size_t)(end - p));
		struct cp_str s = line_str(p, lf);
		struct cp_reply_line *line = &reply->lines[i];

		line->text.p = dst;
		line->text.n = s.n - PREFIX_LEN;
		memcpy(dst, s.p + PREFIX_LEN, line->text.n);
		dst += line->text.n;
		p = lf + 1;
		line->data.p = NULL;
		line->data.n = 0;
		if (s.p[CODE_LEN] == '+') {
			p = copy_data(dst, &line->data, p, end);
			dst += line->data.n + 1; /* its last LF */
		}
	}
}

/* The message in hand, [head, line), is complete: copy it out. */
static enum cp_err
take_message(struct cp_reader *r, struct cp_reply **out)
{
	size_t len = r->line - r->head;
	size_t lines = r->nreply * sizeof(struct cp_reply_line);
	size_t size = sizeof(struct cp_reply) + lines + len;
	struct cp_reply *reply = malloc(size);

	if (reply == NULL)
		return CP_ERR_NOMEM;
	reply->size = size;
	reply->start = r->fed - (r->tail - r->head);
	reply->code = r->code;
	reply->nlines = r->nreply;
	fill_reply(reply, (char *)&reply->lines[reply->nlines],
	    r->buf + r->head, r->buf + r->line);
	explicit_bzero(r->buf + r->head, len);
	*out = reply;
	r->head = r->line;
	r->nlines = r->nreply = 0;
	if (r->head == r->tail)
		r->head = r->line = r->seen = r->tail = 0;
	if (r->tail == 0 && r->cap > BUF_KEEP)
		buf_release(r);
	return CP_OK;
}

enum cp_err
cp_reader_next(struct cp_reader *r, struct cp_reply **out)
{
	const char *lf;
	enum cp_err err = CP_OK;
	bool done = false;

	*out = NULL;
	if (r->err != CP_OK)
		return r->err;
	while (r->tail > r->seen) {
		lf = memchr(r->buf + r->seen, '\n', r->tail - r->seen);
		if (lf == NULL) {
			r->seen = r->tail;
			err = check_line(r, r->tail - r->line, false);
			break;
		}
		err = take_line(r, lf, &done);
		if (err == CP_OK && done)
			err = take_message(r, out);
		if (err != CP_OK || done)
			break;
	}
	return err == CP_OK ? CP_OK : poison(r, err);
}
