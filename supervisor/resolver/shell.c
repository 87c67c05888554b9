#include "config.h" /* _GNU_SOURCE */

#include "supervisor/resolver/shell.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "supervisor/log.h"
#include "supervisor/resolver/link.h"
#include "supervisor/resolver/lookup.h"
#include "supervisor/resolver/names.h"
#include "supervisor/resolver/net.h"
#include "supervisor/resolver/stub.h"
#include "supervisor/resolver/tryout.h"
#include "supervisor/resolver/want.h"

#define COUNT_MS 1000
/* The wake-up clock stands still in a suspend, the other one does not. */
#define LONGEST_SLEEP_MS 10000

struct shell {
	struct event *wake;
	struct link *link;
	struct lookup *lookup;
	struct stub *stub;
	struct tryout *tryout;
	struct names names;
	struct want want;
	bool listed; /* this engine has sent a list */
	struct name_count told; /* the newest; magic 0: none */
	uint64_t told_ms;
	struct name_verdict_msg verdict; /* not yet told; magic 0: none */
};

/* --- what the engine says ------------------------------------------------- */

static void
on_up(void *arg)
{
	struct shell *sh = arg;

	log_debug("the engine is there");
	want_reset(&sh->want);
	sh->listed = false;
	memset(&sh->told, 0, sizeof sh->told);
}

static void
on_down(void *arg)
{
	struct shell *sh = arg;

	names_suspend(&sh->names);
	want_reset(&sh->want);
	tryout_cancel(sh->tryout);
	memset(&sh->verdict, 0, sizeof sh->verdict);
	sh->listed = false;
}

/* What is no longer in the list is not waited for. */
static void
on_list(void *arg, const struct name_list *l)
{
	struct shell *sh = arg;
	struct names old = sh->names;

	log_debug("list generation=%u names=%u enabled=%u", l->generation,
	    l->n, l->enabled);
	names_take(&sh->names, l, net_now_ms());
	for (size_t i = 0; i < old.n; i++)
		if (names_find(&sh->names, old.entry[i].host.host) ==
		    NAMES_NONE)
			lookup_cancel(sh->lookup, old.entry[i].host.host);
	sh->listed = true;
}

/* Every name that waits for permission to be looked up, or was let go. */
static void
block_lookups(struct shell *sh, uint64_t now)
{
	const struct answer blocked = { .state = NAME_BLOCKED };
	size_t i;

	lookup_stop(sh->lookup);
	for (i = 0; i < sh->names.n; i++)
		if (sh->names.entry[i].busy)
			names_done(&sh->names, i, &blocked, now, 0);
	while ((i = names_due(&sh->names, now)) != NAMES_NONE)
		names_done(&sh->names, i, &blocked, now, 0);
}

static void
deny(struct shell *sh)
{
	const uint32_t host = sh->want.msg.host;

	log_debug("want id=%u was denied", sh->want.msg.id);
	if (host < sh->names.n &&
	    sh->want.msg.generation == sh->names.generation)
		stub_deny(sh->stub, sh->names.entry[host].host.host);
	else if (sh->want.msg.lookup == 1)
		block_lookups(sh, net_now_ms());
}

static void
on_go(void *arg, const struct name_go *g)
{
	struct shell *sh = arg;
	const struct name_want *w = &sh->want.msg;
	struct names_entry *e;

	switch (want_go(&sh->want, g)) {
	case WANT_STALE:
		return;
	case WANT_DENIED:
		deny(sh);
		return;
	case WANT_GRANTED:
		break;
	}
	if (w->host >= sh->names.n || w->generation != sh->names.generation)
		return;
	e = &sh->names.entry[w->host];
	/* A newer answer may have others, which are not in force. */
	if (e->n == w->n && memcmp(e->addr, w->addr, sizeof e->addr) == 0)
		e->granted_ms = sh->want.since_ms + (uint64_t)w->ttl_s * 1000;
}

static void
on_tryout(void *arg, const struct name_tryout *t)
{
	struct shell *sh = arg;

	memset(&sh->verdict, 0, sizeof sh->verdict);
	tryout_start(sh->tryout, t);
}

static const struct link_ops link_ops = {
	.up = on_up,
	.down = on_down,
	.list = on_list,
	.go = on_go,
	.tryout = on_tryout,
};

/* --- after each turn ------------------------------------------------------ */

static uint32_t
dice(void)
{
	uint32_t n;

	if (RAND_bytes((unsigned char *)&n, sizeof n) != 1)
		fatal("no random numbers");
	return n;
}

static void
take_answers(struct shell *sh, uint64_t now)
{
	char host[POL_HOST_LEN];
	struct answer a;
	size_t i;

	lookup_tick(sh->lookup, now);
	while (lookup_take(sh->lookup, host, &a)) {
		i = names_find(&sh->names, host);
		if (i == NAMES_NONE || !sh->names.entry[i].busy)
			continue;
		log_debug("%s: %s, %u addresses, ttl=%u", host,
		    name_state_name(a.state), a.n, a.ttl_s);
		names_done(&sh->names, i, &a, now, dice());
	}
}

static void
start_lookups(struct shell *sh, uint64_t now)
{
	size_t i;

	if (!sh->want.lookup_ok)
		return;
	while ((i = names_due(&sh->names, now)) != NAMES_NONE &&
	    lookup_start(sh->lookup, sh->names.entry[i].host.host))
		sh->names.entry[i].busy = true;
}

static bool
any_for_stub(const struct names *t)
{
	for (size_t i = 0; i < t->n; i++)
		if ((t->entry[i].host.flags & NAME_F_STUB) != 0)
			return true;
	return false;
}

/* A port that nobody may ask is a port less. */
static void
serve(struct shell *sh)
{
	const bool wanted = sh->names.enabled && any_for_stub(&sh->names);

	if (!wanted)
		stub_serve(sh->stub, false);
	else if (!stub_serving(sh->stub) && stub_next(sh->stub) ==
	    UINT64_MAX)
		stub_serve(sh->stub, true);
}

static void
tell_results(struct shell *sh, uint64_t now)
{
	struct name_result r;

	for (size_t i = 0; i < sh->names.n && sh->listed; i++) {
		if (sh->names.entry[i].told)
			continue;
		names_result(&sh->names, i, now, &r);
		if (!link_tell(sh->link, &r, sizeof r))
			return;
		sh->names.entry[i].told = true;
	}
}

static bool
count_now(const struct shell *sh, struct name_count *c)
{
	memset(c, 0, sizeof *c);
	c->magic = NAME_COUNT_MAGIC;
	c->serving = stub_serving(sh->stub);
	c->queries = lookup_queries(sh->lookup);
	c->answered = stub_answered(sh->stub);
	c->refused = stub_refused(sh->stub);
	return memcmp(c, &sh->told, sizeof *c) != 0;
}

static void
tell_count(struct shell *sh, uint64_t now)
{
	struct name_count c;

	if (!sh->listed || !count_now(sh, &c) ||
	    now - sh->told_ms < COUNT_MS ||
	    !link_tell(sh->link, &c, sizeof c))
		return;
	sh->told = c;
	sh->told_ms = now;
}

/* The want first: everything else can wait. */
static void
tell(struct shell *sh, uint64_t now)
{
	if (!sh->want.sent && link_tell(sh->link, &sh->want.msg,
	    sizeof sh->want.msg))
		sh->want.sent = true;
	if (sh->verdict.magic == 0)
		(void)tryout_take(sh->tryout, &sh->verdict);
	if (sh->verdict.magic != 0 && link_tell(sh->link, &sh->verdict,
	    sizeof sh->verdict))
		memset(&sh->verdict, 0, sizeof sh->verdict);
	tell_results(sh, now);
	tell_count(sh, now);
}

static uint64_t
least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static void
set_alarm(struct shell *sh, uint64_t now)
{
	uint64_t next = least(names_next(&sh->names),
	    least(lookup_next(sh->lookup), least(stub_next(sh->stub),
	    want_next(&sh->want))));
	struct name_count c;
	struct timeval tv;

	/* What is due waits for permission, and that comes by itself. */
	if (names_due(&sh->names, now) != NAMES_NONE)
		next = least(lookup_next(sh->lookup),
		    least(stub_next(sh->stub), want_next(&sh->want)));
	if (sh->listed && count_now(sh, &c))
		next = least(next, sh->told_ms + COUNT_MS);
	next = next > now ? least(next - now, LONGEST_SLEEP_MS) : 1;
	tv.tv_sec = (time_t)(next / 1000);
	tv.tv_usec = (suseconds_t)(next % 1000 * 1000);
	if (event_add(sh->wake, &tv) == -1)
		fatal("cannot set a timer");
}

static void
give_up(struct shell *sh)
{
	const struct name_go no = { .magic = NAME_GO_MAGIC,
		.id = sh->want.msg.id };

	log_warn("the engine does not answer: nothing leaves");
	sh->want.sent = true;
	on_go(sh, &no);
}

void
shell_settle(struct shell *sh)
{
	const uint64_t now = net_now_ms();
	size_t grant;
	bool ask;

	if (!sh->names.enabled)
		lookup_stop(sh->lookup);
	names_expire(&sh->names, now);
	take_answers(sh, now);
	if (want_late(&sh->want, now))
		give_up(sh);
	serve(sh);
	grant = stub_settle(sh->stub, now);
	ask = lookup_active(sh->lookup) ||
	    names_due(&sh->names, now) != NAMES_NONE;
	if (sh->listed)
		want_set(&sh->want, &sh->names, ask, grant, now);
	start_lookups(sh, now);
	tell(sh, now);
	set_alarm(sh, now);
}

void
shell_dump(const struct shell *sh)
{
	log_warn("engine=%d enabled=%d names=%zu lookup=%d want=%u "
	    "serving=%d queries=%llu answered=%llu refused=%llu",
	    link_is_up(sh->link), sh->names.enabled, sh->names.n,
	    lookup_active(sh->lookup), sh->want.msg.id,
	    stub_serving(sh->stub),
	    (unsigned long long)lookup_queries(sh->lookup),
	    (unsigned long long)stub_answered(sh->stub),
	    (unsigned long long)stub_refused(sh->stub));
}

/* Nothing to do: shell_settle() runs after it. */
static void
on_wake_cb(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

struct shell *
shell_new(struct event_base *base, const struct pol_resolver *resolver)
{
	struct shell *sh = xcalloc(1, sizeof *sh);

	names_init(&sh->names);
	want_reset(&sh->want);
	sh->wake = evtimer_new(base, on_wake_cb, NULL);
	if (sh->wake == NULL)
		fatal("out of memory");
	sh->lookup = lookup_new(base, resolver);
	sh->stub = stub_new(base, &sh->names, resolver->stub_port);
	sh->tryout = tryout_new(base);
	sh->link = link_new(base, &link_ops, sh);
	return sh;
}

void
shell_free(struct shell *sh)
{
	if (sh == NULL)
		return;
	link_free(sh->link);
	tryout_free(sh->tryout);
	stub_free(sh->stub);
	lookup_free(sh->lookup);
	event_free(sh->wake);
	free(sh);
}
