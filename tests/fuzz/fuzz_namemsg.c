/*
 * Octets from an engine that has turned hostile, into what the resolver
 * decides with.  Each step of the input is a kind, a time to let pass, and a
 * datagram; half of them are helped past the first checks.
 *
 * Oracle: whatever comes in, what goes out is valid; nothing is due, and no
 * transport is answered, unless the newest list says enabled; no lookup may
 * leave but by the answer to the newest want; an asker gets addresses only
 * while they are fresh and granted.
 */
#include "tests/fuzz/fuzz.h"

#include <string.h>
#include <sys/socket.h>

#include "supervisor/resolver/want.h"

static const char *const hosts[] = { "a.example", "b.example", "c.example",
	"xn--d.example" };
#define NHOSTS (sizeof hosts / sizeof hosts[0])

struct world {
	struct names names;
	struct want want;
	uint64_t now;
};

static void
copy(void *dst, size_t cap, const uint8_t *data, size_t size)
{
	memset(dst, 0, cap);
	memcpy(dst, data, size < cap ? size : cap);
}

static void
put_list(struct world *w, const uint8_t *data, size_t size, bool help)
{
	static struct name_list l;

	copy(&l, sizeof l, data, size);
	if (help && size > 6) {
		memset(&l, 0, sizeof l);
		l.magic = NAME_LIST_MAGIC;
		l.generation = 1 + data[0];
		l.enabled = data[1] % 4 != 0;
		l.n = data[2] % (NHOSTS + 1);
		for (uint32_t i = 0; i < l.n; i++) {
			strcpy(l.host[i].host, hosts[i]);
			l.host[i].flags = data[3 + i % 4] % 4;
		}
	}
	if (!name_list_ok(&l))
		return;
	FUZZ_ASSERT(l.n <= NAME_MAX_HOSTS && l.generation != 0);
	names_take(&w->names, &l, w->now);
	FUZZ_ASSERT(w->names.enabled == (l.enabled == 1));
	for (size_t i = 0; i < w->names.n; i++)
		FUZZ_ASSERT(w->names.entry[i].granted_ms == 0);
}

static void
put_go(struct world *w, const uint8_t *data, size_t size, bool help)
{
	const bool before = w->want.lookup_ok;
	struct name_go g;

	copy(&g, sizeof g, data, size);
	if (help && size > 1)
		g = (struct name_go){ .magic = NAME_GO_MAGIC,
			.id = w->want.msg.id - data[0] % 2, .ok = data[1] % 2 };
	if (!name_go_ok(&g))
		return;
	if (want_go(&w->want, &g) != WANT_GRANTED) {
		FUZZ_ASSERT(!w->want.lookup_ok || before);
		return;
	}
	FUZZ_ASSERT(g.ok == 1 && g.id == w->want.msg.id);
	FUZZ_ASSERT(!w->want.lookup_ok || w->want.msg.lookup == 1);
	if (w->want.msg.host < w->names.n)
		w->names.entry[w->want.msg.host].granted_ms = w->now +
		    w->want.msg.ttl_s * 1000;
}

/* A lookup that is due and may leave ends. */
static void
put_answer(struct world *w, const uint8_t *data, size_t size)
{
	size_t i = names_due(&w->names, w->now);
	struct answer a = { .state = NAME_OK };

	if (i == NAMES_NONE || !w->want.lookup_ok || size < 4)
		return;
	FUZZ_ASSERT(w->names.enabled && !w->names.entry[i].busy);
	w->names.entry[i].busy = true;
	if (data[0] % 2 == 0) {
		a.n = 1 + data[1] % NAME_MAX_ADDRS;
		a.ttl_s = NAME_TTL_MIN_S + data[2];
		for (uint32_t j = 0; j < a.n; j++) {
			a.addr[j].family = AF_INET;
			a.addr[j].v4.s_addr = data[3] + j;
		}
	} else {
		a.state = (enum name_state)(NAME_NXDOMAIN +
		    data[1] % (NAME_NSTATE - NAME_NXDOMAIN));
	}
	names_done(&w->names, i, &a, w->now, data[2]);
	FUZZ_ASSERT(!w->names.entry[i].busy && !w->names.entry[i].told);
}

static void
ask(struct world *w, uint8_t which, uint8_t age)
{
	const char *host = hosts[which % NHOSTS];
	size_t i = names_find(&w->names, host);
	enum names_reply r = names_reply(&w->names, host, w->now - age,
	    w->now);

	if (i == NAMES_NONE || !w->names.enabled) {
		FUZZ_ASSERT(r == NAMES_R_REFUSE);
		return;
	}
	if ((w->names.entry[i].host.flags & NAME_F_STUB) == 0)
		FUZZ_ASSERT(r == NAMES_R_REFUSE);
	if (r == NAMES_R_ADDRS)
		FUZZ_ASSERT(w->names.entry[i].n != 0 &&
		    w->names.entry[i].fresh_ms > w->now &&
		    w->names.entry[i].granted_ms > w->now);
	if (r == NAMES_R_LOOKUP)
		w->names.entry[i].asked = true;
	if (r == NAMES_R_GRANT)
		want_set(&w->want, &w->names, which % 2, i, w->now);
	w->want.sent = true;
}

static void
check(struct world *w)
{
	struct name_result r;

	names_expire(&w->names, w->now);
	if (!w->names.enabled)
		FUZZ_ASSERT(names_due(&w->names, w->now) == NAMES_NONE);
	for (size_t i = 0; i < w->names.n; i++) {
		names_result(&w->names, i, w->now, &r);
		FUZZ_ASSERT(name_result_ok(&r));
	}
	if (w->want.msg.id != 0)
		FUZZ_ASSERT(name_want_ok(&w->want.msg));
	FUZZ_ASSERT(!w->want.lookup_ok || w->want.msg.lookup == 1);
}

static void
put_other(const uint8_t *data, size_t size)
{
	static struct name_tryout t;
	struct name_verdict_msg v;
	struct name_count c;

	copy(&t, sizeof t, data, size);
	if (name_tryout_ok(&t))
		FUZZ_ASSERT(t.kind < NAME_NTRY && strnlen(t.user,
		    sizeof t.user) < sizeof t.user && strnlen(t.password,
		    sizeof t.password) < sizeof t.password);
	copy(&v, sizeof v, data, size);
	if (name_verdict_ok(&v))
		FUZZ_ASSERT(v.verdict < NAME_NVERDICT);
	copy(&c, sizeof c, data, size);
	(void)name_count_ok(&c);
}

static void
step(struct world *w, const uint8_t *data, size_t size)
{
	const bool help = (data[0] & 8) != 0;

	switch (data[0] % 8) {
	case 0:
		put_list(w, data + 2, size - 2, help);
		break;
	case 1:
		put_go(w, data + 2, size - 2, help);
		break;
	case 2:
		put_answer(w, data + 2, size - 2);
		break;
	case 3:
		ask(w, data[1], data[2]);
		break;
	case 4:
		want_set(&w->want, &w->names, names_due(&w->names, w->now) !=
		    NAMES_NONE, NAMES_NONE, w->now);
		w->want.sent = true;
		break;
	case 5:
		names_suspend(&w->names);
		want_reset(&w->want);
		break;
	case 6:
		w->now += (uint64_t)data[2] * 1000;
		break;
	default:
		put_other(data + 2, size - 2);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;

	memset(&w, 0, sizeof w);
	names_init(&w.names);
	want_reset(&w.want);
	w.now = 100000;
	while (size > 3) {
		size_t n = 3 + data[1] % 32;

		w.now += data[1];
		step(&w, data, size);
		check(&w);
		if (n > size)
			break;
		data += n;
		size -= n;
	}
	return 0;
}
