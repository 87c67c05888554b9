/*
 * Promises: no input becomes a known event unless it is spelt as one, by a
 * second, slower reading; every span lies inside its message; no reader of a
 * message fails on one that framing accepted.
 */
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <string.h>

#include "controlproto/auth.h"
#include "controlproto/event.h"
#include "controlproto/reader.h"
#include "controlproto/reply.h"

/* The words that make an event this kind; NULL: any word, if not empty. */
struct spelling {
	enum cp_event_kind kind;
	const char *family;
	const char *action; /* the word after the severity */
};

static const struct spelling spellings[] = {
	{ CP_EV_BOOTSTRAP, "STATUS_CLIENT", "BOOTSTRAP" },
	{ CP_EV_CIRCUIT_ESTABLISHED, "STATUS_CLIENT", "CIRCUIT_ESTABLISHED" },
	{ CP_EV_CIRCUIT_NOT_ESTABLISHED, "STATUS_CLIENT",
	    "CIRCUIT_NOT_ESTABLISHED" },
	{ CP_EV_ENOUGH_DIR_INFO, "STATUS_CLIENT", "ENOUGH_DIR_INFO" },
	{ CP_EV_NOT_ENOUGH_DIR_INFO, "STATUS_CLIENT", "NOT_ENOUGH_DIR_INFO" },
	{ CP_EV_CLOCK_JUMPED, "STATUS_GENERAL", "CLOCK_JUMPED" },
	{ CP_EV_CLOCK_SKEW, "STATUS_GENERAL", "CLOCK_SKEW" },
	{ CP_EV_STATUS, "STATUS_CLIENT", NULL },
	{ CP_EV_STATUS, "STATUS_GENERAL", NULL },
	{ CP_EV_STATUS, "STATUS_SERVER", NULL },
	{ CP_EV_STATUS, "STATUS_SEVER", NULL },
	{ CP_EV_CONF_CHANGED, "CONF_CHANGED", NULL },
	{ CP_EV_SIGNAL, "SIGNAL", NULL },
	{ CP_EV_LIVENESS, "NETWORK_LIVENESS", NULL },
	{ CP_EV_TRANSPORT_LAUNCHED, "TRANSPORT_LAUNCHED", NULL },
	{ CP_EV_LOG, "DEBUG", NULL },
	{ CP_EV_LOG, "INFO", NULL },
	{ CP_EV_LOG, "NOTICE", NULL },
	{ CP_EV_LOG, "WARN", NULL },
	{ CP_EV_LOG, "ERR", NULL },
	{ CP_EV_STREAM, "STREAM", NULL },
};

/* Word I of S, counted from 0; empty beyond the end. */
static struct cp_str
word_of(struct cp_str s, int i)
{
	struct cp_str word = { "", 0 };
	size_t at = 0, start;

	for (; at < s.n; at++, i--) {
		start = at;
		while (at < s.n && s.p[at] != ' ')
			at++;
		if (i == 0) {
			word.p = s.p + start;
			word.n = at - start;
			return word;
		}
	}
	return word;
}

static bool
spelt_as(struct cp_str text, const struct spelling *sp)
{
	return cp_str_is(word_of(text, 0), sp->family) &&
	    (sp->action == NULL || cp_str_is(word_of(text, 2), sp->action));
}

static bool
may_be(const struct cp_reply *m, enum cp_event_kind kind)
{
	size_t i;

	if (cp_reply_code(m) != 650)
		return false;
	for (i = 0; i < sizeof spellings / sizeof *spellings; i++) {
		if (spellings[i].kind == kind &&
		    spelt_as(cp_reply_text(m, 0), &spellings[i]))
			return true;
	}
	return false;
}

static void
check_inside(struct cp_str span, const struct cp_reply *m)
{
	struct cp_str text = cp_reply_text(m, 0), data;

	(void)cp_reply_data(m, 0, &data); /* false: data.n is 0 */
	if (span.n == 0)
		return;
	FUZZ_ASSERT((span.p >= text.p && span.p + span.n <= text.p + text.n) ||
	    (span.p >= data.p && span.p + span.n <= data.p + data.n));
}

static bool
only_digits(struct cp_str s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] < '0' || s.p[i] > '9')
			return false;
	}
	return s.n > 0;
}

/* How often KEY stands in TEXT, quoted or not. */
static int
count(struct cp_str text, const char *key)
{
	size_t n = strlen(key);
	int found = 0;

	for (size_t i = 0; i + n <= text.n; i++)
		found += memcmp(text.p + i, key, n) == 0;
	return found;
}

/*
 * The positional words are what they are by word_of(); no keyword's value
 * comes from nowhere.
 */
static void
check_stream(const struct cp_event *ev, const struct cp_reply *m)
{
	const struct cp_stream *st = &ev->stream;
	struct cp_str target = word_of(cp_reply_text(m, 0), 4);

	check_inside(st->id, m);
	check_inside(st->circuit, m);
	check_inside(st->target, m);
	check_inside(st->source, m);
	check_inside(st->protocol, m);
	check_inside(st->group, m);
	check_inside(st->fields, m);
	if (ev->kind != CP_EV_STREAM) {
		FUZZ_ASSERT(st->id.n == 0 && st->source.n == 0);
		return;
	}
	FUZZ_ASSERT(only_digits(st->id) && only_digits(st->circuit));
	FUZZ_ASSERT(ev->action.n > 0 && st->target.n > 0);
	FUZZ_ASSERT(count(ev->text, "SESSION_GROUP=") > 0 ||
	    st->group.n == 0);
	if (target.n > 0) /* the line has it, not a data block */
		FUZZ_ASSERT(st->target.p == target.p &&
		    st->target.n == target.n);
}

static void
check_event(const struct cp_reply *m)
{
	struct cp_event ev;

	cp_event_parse(&ev, m);
	FUZZ_ASSERT(ev.kind < CP_NEVENT);
	FUZZ_ASSERT(ev.kind == CP_EV_OTHER || may_be(m, ev.kind));
	/* A status event has a word that says of what. */
	FUZZ_ASSERT(ev.kind != CP_EV_STATUS || ev.action.n > 0);
	FUZZ_ASSERT(ev.boot.progress >= -1 && ev.boot.progress <= 100);
	FUZZ_ASSERT(ev.kind == CP_EV_BOOTSTRAP || ev.boot.progress == -1);
	check_inside(ev.action, m);
	check_inside(ev.text, m);
	check_inside(ev.boot.tag, m);
	check_inside(ev.boot.summary, m);
	check_inside(ev.boot.warning, m);
	check_inside(ev.boot.reason, m);
	check_stream(&ev, m);
}

static void
check_options(const struct cp_reply *m)
{
	size_t i, n = cp_reply_nconf(m);
	struct cp_conf conf;
	char value[64];

	FUZZ_ASSERT(n <= cp_reply_nlines(m));
	for (i = 0; i < n; i++) {
		if (cp_reply_conf(m, &conf, i) != CP_OK)
			continue;
		FUZZ_ASSERT(conf.key.n > 0);
		if (cp_conf_value(value, sizeof value, &conf) == CP_OK)
			FUZZ_ASSERT(strlen(value) <= conf.value.n);
	}
}

/* What is accepted has exactly the two lines asked for, and the end. */
static void
check_getinfo(const struct cp_reply *m)
{
	static const char *const keys[] = { "version", "net/listeners/socks" };
	struct cp_str out[2];

	if (cp_reply_getinfo(m, out, keys, 2) != CP_OK)
		return;
	FUZZ_ASSERT(cp_reply_is_ok(m) && cp_reply_nlines(m) == 3);
}

static void
check_auth(const struct cp_reply *m)
{
	static const unsigned char zeros[CP_COOKIE_LEN];
	unsigned char out[CP_HASH_LEN];
	struct cp_protocolinfo info;

	if (cp_protocolinfo_parse(&info, m) == CP_OK)
		FUZZ_ASSERT(cp_reply_is_ok(m));
	else
		FUZZ_ASSERT(info.methods == 0 && !info.has_cookiefile);
	FUZZ_ASSERT(strlen(info.cookiefile) < sizeof info.cookiefile);
	FUZZ_ASSERT(strlen(info.version) < sizeof info.version);
	/* Nobody guesses a MAC, and no fuzzer either. */
	FUZZ_ASSERT(cp_safecookie_answer(out, m, zeros, zeros) != CP_OK);
	FUZZ_ASSERT(memcmp(out, zeros, sizeof out) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cp_reader *r = cp_reader_new();
	struct cp_reply *m;

	FUZZ_ASSERT(r != NULL);
	cp_reader_limits(r, &cp_limits_auth);
	FUZZ_ASSERT(cp_reader_feed(r, data, size) == CP_OK);
	while (cp_reader_next(r, &m) == CP_OK && m != NULL) {
		check_event(m);
		check_options(m);
		check_getinfo(m);
		check_auth(m);
		cp_reply_free(m);
	}
	cp_reader_free(r);
	return 0;
}
