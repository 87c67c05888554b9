/*
 * Promises: what is to be done is the same however the octets are cut; memory
 * is bounded as session.h states, and all of it comes back; nobody is let in
 * but by a good answer to AUTHENTICATE, with SAFECOOKIE behind a right server
 * hash; a secret is sent as what it is, and only where that was permitted.
 *
 * Input: one octet for what the caller does, two to seed the cutting, then
 * the stream.  In it three octets are special: one ends what is fed at a
 * time, one stands for what a Tor that knows the cookie answers to
 * AUTHCHALLENGE, and one for the 64 octets before it, again and again.
 */
#include "tests/fuzz/fuzz.h"

#include <malloc.h>
#include <stdbool.h>
#include <string.h>

#include "controlproto/cmd.h"
#include "controlproto/reader.h"
#include "controlproto/reply.h"
#include "controlproto/session.h"
#include "tests/unit/exchange.h"

#define HEADER_LEN 3
#define END 1
#define GOOD_ANSWER 2
#define AGAIN 3
#define AGAIN_LEN 64
#define AGAIN_TIMES 255

#define STREAM_MAX (192 * 1024) /* three times what a stranger may send */
#define TRACE_MAX 16384
/* All structs, what the allocator rounds up, and the commands. */
#define FIXED 32768
/* Of a message: a line here, and what the reader keeps of it. */
#define LINE_COST 64

#define PASSWORD "pass"
#define PASSWORD_HEX "70617373"

struct stream {
	char p[STREAM_MAX];
	bool ends[STREAM_MAX + 1]; /* what is fed at a time ends there */
	size_t n;
};

struct run {
	struct cp_session *s;
	unsigned permitted;
	uint32_t seed; /* 0: all at once */
	size_t pos;
	size_t largest; /* feed */
	size_t base;	/* octets that were allocated before */
	unsigned nwritten;
	bool watches, challenged, ready, early;
	size_t n;
	uint64_t trace[TRACE_MAX]; /* N of them mean something */
};

static struct stream stream;
static struct run cut, whole;
static size_t allocated;

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void __wrap_free(void *p);

void *
__wrap_malloc(size_t n)
{
	void *p = __real_malloc(n);

	allocated += malloc_usable_size(p);
	return p;
}

void *
__wrap_calloc(size_t n, size_t size)
{
	void *p = __real_calloc(n, size);

	allocated += malloc_usable_size(p);
	return p;
}

void
__wrap_free(void *p)
{
	allocated -= malloc_usable_size(p);
	__real_free(p);
}

static void
put(const char *p, size_t n)
{
	if (n > STREAM_MAX - stream.n)
		return;
	memcpy(stream.p + stream.n, p, n);
	stream.n += n;
}

static void
expand(const uint8_t *data, size_t size)
{
	char again[AGAIN_LEN];
	size_t i, times;

	memset(stream.ends, 0, stream.n + 1); /* of the last input */
	stream.n = 0;
	for (i = 0; i < size; i++) {
		if (data[i] == END) {
			stream.ends[stream.n] = true;
		} else if (data[i] == GOOD_ANSWER) {
			put(CHALLENGE, strlen(CHALLENGE));
		} else if (data[i] == AGAIN && stream.n >= AGAIN_LEN) {
			memcpy(again, stream.p + stream.n - AGAIN_LEN,
			    AGAIN_LEN);
			for (times = 0; times < AGAIN_TIMES; times++)
				put(again, AGAIN_LEN);
		} else {
			put((const char *)&data[i], 1);
		}
	}
	stream.ends[stream.n] = true;
}

/* FNV-1a, but of eight octets at a time. */
static void
mix(uint64_t *sum, const void *p, size_t n)
{
	const unsigned char *q = p;
	uint64_t word;
	size_t i;

	for (i = 0; n - i >= sizeof word; i += sizeof word) {
		memcpy(&word, q + i, sizeof word);
		*sum = (*sum ^ word) * 0x100000001b3;
		*sum ^= *sum >> 32; /* what is at the top counts below, too */
	}
	for (; i < n; i++)
		*sum = (*sum ^ q[i]) * 0x100000001b3;
}

static void
mix_message(uint64_t *sum, const struct cp_reply *m)
{
	unsigned code = cp_reply_code(m);
	struct cp_str data;
	size_t i;

	mix(sum, &code, sizeof code);
	for (i = 0; i < cp_reply_nlines(m); i++) {
		(void)cp_reply_data(m, i, &data); /* false: data.n is 0 */
		mix(sum, cp_reply_text(m, i).p, cp_reply_text(m, i).n);
		mix(sum, data.p, data.n);
	}
}

static void
note(struct run *r, enum cp_err err, const struct cp_step *step)
{
	uint64_t sum = 0xcbf29ce484222325;

	FUZZ_ASSERT(r->n < TRACE_MAX);
	mix(&sum, &err, sizeof err);
	if (err == CP_OK) {
		mix(&sum, &step->kind, sizeof step->kind);
		mix(&sum, &step->tag, sizeof step->tag);
		mix(&sum, step->bytes.p, step->bytes.n);
		if (step->path != NULL)
			mix(&sum, step->path, strlen(step->path));
		if (step->message != NULL)
			mix_message(&sum, step->message);
		if (step->bootstrap != NULL)
			mix(&sum, &step->bootstrap->progress, sizeof(int));
	}
	r->trace[r->n++] = sum;
}

/* The answer to the I-th command, from 1, in what was fed; or NULL. */
static struct cp_reply *
answer_to(const struct run *r, unsigned i)
{
	struct cp_reader *reader = cp_reader_new();
	struct cp_reply *m = NULL;

	FUZZ_ASSERT(reader != NULL);
	cp_reader_limits(reader, &cp_limits_auth);
	FUZZ_ASSERT(cp_reader_feed(reader, stream.p, r->pos) == CP_OK);
	while (i > 0) {
		cp_reply_free(m);
		FUZZ_ASSERT(cp_reader_next(reader, &m) == CP_OK && m != NULL);
		i -= !cp_reply_is_async(m);
	}
	cp_reader_free(reader);
	return m;
}

static bool
holds(struct cp_str s, const char *what)
{
	return s.n > 0 && memmem(s.p, s.n, what, strlen(what)) != NULL;
}

static void
on_ready(struct run *r)
{
	struct cp_reply *last = answer_to(r, r->nwritten), *proof;

	FUZZ_ASSERT(!r->ready);
	FUZZ_ASSERT(cp_reply_is_ok(last));
	FUZZ_ASSERT(r->nwritten == (r->challenged ? 3 : 2));
	FUZZ_ASSERT(r->challenged || r->permitted != CP_AUTH_SAFECOOKIE);
	if (r->challenged) {
		proof = answer_to(r, 2);
		FUZZ_ASSERT(holds(cp_reply_text(proof, 0), HASH));
		cp_reply_free(proof);
	}
	cp_reply_free(last);
	r->ready = true;
}

static void
on_write(struct run *r, struct cp_str line)
{
	r->nwritten++;
	FUZZ_ASSERT(line.n > 2 && memchr(line.p, '\n', line.n) ==
	    line.p + line.n - 1);
	if (holds(line, "AUTHCHALLENGE"))
		r->challenged = true;
	else if (holds(line, "AUTHENTICATE") && r->challenged)
		FUZZ_ASSERT(holds(line, "AUTHENTICATE " ANSWER "\r\n"));
	if (holds(line, COOKIE))
		FUZZ_ASSERT((r->permitted & CP_AUTH_COOKIE) != 0);
	if (holds(line, PASSWORD_HEX))
		FUZZ_ASSERT((r->permitted & CP_AUTH_HASHEDPASSWORD) != 0);
	/* An answer that comes with the last one's depends on the cutting. */
	r->early = r->pos > 0 && !stream.ends[r->pos];
}

static void
give(struct run *r, bool is_cookie)
{
	unsigned char cookie[CP_COOKIE_LEN];

	FUZZ_ASSERT(cp_hex_decode(cookie, sizeof cookie,
	    cp_str_of(COOKIE)) == CP_OK);
	if (is_cookie)
		cp_session_cookie(r->s, cookie, sizeof cookie);
	else
		cp_session_password(r->s, PASSWORD, strlen(PASSWORD));
}

static void
act(struct run *r, const struct cp_step *step)
{
	switch (step->kind) {
	case CP_STEP_WAIT:
		FUZZ_ASSERT(step->message == NULL && step->wait_ms != 0);
		break;
	case CP_STEP_WRITE:
		on_write(r, step->bytes);
		break;
	case CP_STEP_COOKIE:
	case CP_STEP_PASSWORD:
		FUZZ_ASSERT(!r->ready);
		give(r, step->kind == CP_STEP_COOKIE);
		break;
	case CP_STEP_READY:
		on_ready(r);
		break;
	case CP_STEP_REPLY:
	case CP_STEP_EVENT:
	case CP_STEP_BOOTSTRAP:
		FUZZ_ASSERT(r->watches || step->kind != CP_STEP_BOOTSTRAP);
		FUZZ_ASSERT(r->ready && step->message != NULL);
		FUZZ_ASSERT((step->kind == CP_STEP_BOOTSTRAP) ==
		    (step->bootstrap != NULL));
		break;
	}
}

static void
check_memory(const struct run *r)
{
	const struct cp_limits *limits = r->ready ? &cp_limits_auth :
	    &cp_limits_unauth;

	FUZZ_ASSERT(allocated - r->base <= FIXED +
	    2 * (limits->reply + r->largest) + /* what the reader holds */
	    limits->reply + LINE_COST * limits->lines); /* a message */
}

/* The next piece, up to where one feed ends.  False: there is no more. */
static bool
feed(struct run *r)
{
	const size_t left = stream.n - r->pos;
	size_t n, piece = left;
	const bool *end;

	if (left == 0)
		return false;
	if (r->seed != 0) {
		r->seed = r->seed * 1664525 + 1013904223;
		piece = 1 + (r->seed >> 16) %
		    ((r->seed >> 30) == 0 ? 4096 : 5);
	}
	n = piece < left ? piece : left;
	end = memchr(stream.ends + r->pos + 1, true, n);
	if (end != NULL)
		n = (size_t)(end - stream.ends) - r->pos;
	cp_session_feed(r->s, stream.p + r->pos, n);
	r->pos += n;
	if (n > r->largest)
		r->largest = n;
	return true;
}

static void
begin(struct run *r, unsigned how, uint32_t seed)
{
	unsigned char nonce[CP_NONCE_LEN];
	struct cp_cmd cmd = { 0 };
	unsigned i;

	memset(r, 0, offsetof(struct run, trace));
	r->base = allocated;
	r->seed = seed;
	r->permitted = how & 0xf;
	FUZZ_ASSERT(cp_hex_decode(nonce, sizeof nonce,
	    cp_str_of(NONCE)) == CP_OK);
	r->s = cp_session_new(r->permitted, nonce, 1);
	FUZZ_ASSERT(r->s != NULL);
	if ((how & 0x10) != 0) {
		give(r, true);
		give(r, false);
	}
	r->watches = (how & 0x20) != 0;
	if (r->watches)
		cp_session_watch_bootstrap(r->s);
	for (i = 0; i < how >> 6; i++)
		FUZZ_ASSERT(cp_session_ask(r->s, &cmd, cp_cmd_quit(&cmd),
		    (int)i) == CP_OK);
}

static void
run(struct run *r, unsigned how, uint32_t seed)
{
	struct cp_step step;
	enum cp_err err;
	bool more = true;

	begin(r, how, seed);
	while (more) {
		err = cp_session_next(r->s, &step, 0);
		if (err != CP_OK || step.kind != CP_STEP_WAIT)
			note(r, err, &step);
		if (err == CP_OK)
			act(r, &step);
		check_memory(r);
		if (err != CP_OK || r->n == TRACE_MAX || r->early)
			more = false;
		else if (step.kind == CP_STEP_WAIT)
			more = feed(r);
	}
	FUZZ_ASSERT(err == CP_OK || cp_session_next(r->s, &step, 0) == err);
	cp_session_free(r->s);
	FUZZ_ASSERT(allocated == r->base);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t i;

	if (size < HEADER_LEN)
		return 0;
	expand(data + HEADER_LEN, size - HEADER_LEN);
	run(&whole, data[0], 0);
	run(&cut, data[0], 1 + ((uint32_t)data[1] << 8 | data[2]));
	FUZZ_ASSERT(cut.early ? cut.n <= whole.n : cut.n == whole.n);
	for (i = 0; i < cut.n; i++)
		FUZZ_ASSERT(cut.trace[i] == whole.trace[i]);
	return 0;
}
