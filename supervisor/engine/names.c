/*
 * The engine says which names there are; the resolver process asks before
 * anything leaves, and hears "go" when the gate has reported that the kernel
 * lets it through.  Whatever that process says or does, it moves nothing but
 * what is known of these names, and what Tor reaches besides by TCP for as
 * long as an answer is valid.
 */
#include "supervisor/engine/names.h"

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "supervisor/engine/core.h"
#include "supervisor/log.h"

/* The gate answers within milliseconds, or something is wrong. */
#define GO_MS 1000
/* A resolver, or a gate, that takes no message is tried again after this. */
#define AGAIN_MS 20

void
names_changed(struct engine *e)
{
	e->names.changed = true;
}

bool
names_enabled(const struct engine *e)
{
	return e->policy->resolver.addr.family != 0 && uplink_enabled(e);
}

static size_t
find(const struct name_list *l, const char *host)
{
	size_t i = 0;

	while (i < l->n && strcmp(l->host[i].host, host) != 0)
		i++;
	return i;
}

const struct name_known *
names_find(const struct engine *e, const char *host)
{
	size_t i = find(&e->names.list, host);

	return i < e->names.list.n ? &e->names.known[i] : NULL;
}

void
names_pick(const struct engine *e, struct pol_addr *out, const char *host)
{
	const struct name_known *k = names_find(e, host);

	memset(out, 0, sizeof *out);
	if (k == NULL || k->n == 0)
		return;
	*out = k->addr[0];
	for (uint32_t i = 0; i < k->n && out->family != AF_INET; i++)
		if (k->addr[i].family == AF_INET)
			*out = k->addr[i];
}

/* --- the list ------------------------------------------------------------ */

/* What there is no room for is not looked up; the needs are told of. */
static void
list_add(struct name_list *l, const char *host, uint8_t flags)
{
	size_t i = find(l, host);

	if (!pol_host_ok(host) || i == NAME_MAX_HOSTS)
		return;
	if (i == l->n)
		(void)snprintf(l->host[l->n++].host, sizeof l->host[i].host,
		    "%s", host);
	l->host[i].flags |= flags;
}

static void
list_needs(struct name_list *l, const struct pol_needs *needs)
{
	const struct pol_need *need;

	for (size_t i = 0; i < needs->n; i++) {
		need = &needs->need[i];
		if (need->addr.family != 0 || need->by == POL_BY_NOBODY)
			continue;
		list_add(l, need->host, need->by == POL_BY_TRANSPORT ?
		    NAME_F_LOOKUP | NAME_F_STUB : NAME_F_LOOKUP);
	}
}

static void
list_make(const struct engine *e, struct name_list *l)
{
	const struct uplink *u = &e->uplink;
	const char *host;

	memset(l, 0, sizeof *l);
	l->magic = NAME_LIST_MAGIC;
	l->enabled = names_enabled(e);
	if (u->pin.kind != POL_PROXY_NONE)
		list_add(l, u->pin.host, NAME_F_LOOKUP);
	list_needs(l, &u->needs);
	for (size_t i = 0; u->considered &&
	    (host = uplink_change_host(u, i)) != NULL; i++)
		if (host[0] != '\0')
			list_add(l, host, NAME_F_LOOKUP);
}

static void
set_state(struct engine *e, struct name_known *k, enum name_state state)
{
	if (k->since[0] != '\0' && k->state == state)
		return;
	k->state = state;
	e->ops->utc(e->arg, k->since, sizeof k->since);
}

/* What was known of a name stays so in the next list. */
static void
list_take(struct engine *e, const struct name_list *l)
{
	struct names *n = &e->names;
	struct name_known known[NAME_MAX_HOSTS];
	uint32_t generation = n->list.generation + 1;
	size_t i;

	memset(known, 0, sizeof known);
	for (size_t k = 0; k < l->n; k++) {
		i = find(&n->list, l->host[k].host);
		if (i < n->list.n)
			known[k] = n->known[i];
		memcpy(known[k].host, l->host[k].host, sizeof known[k].host);
		known[k].flags = l->host[k].flags;
		set_state(e, &known[k], known[k].state);
	}
	memcpy(n->known, known, sizeof known);
	n->list = *l;
	n->list.generation = generation != 0 ? generation : 1;
	n->unsent = true;
}

static bool
same_list(const struct name_list *a, const struct name_list *b)
{
	return a->magic == b->magic && a->enabled == b->enabled &&
	    a->n == b->n && memcmp(a->host, b->host, sizeof a->host) == 0;
}

static void
list_update(struct engine *e)
{
	struct names *n = &e->names;
	struct name_list l;

	if (!n->changed)
		return;
	n->changed = false;
	list_make(e, &l);
	if (!same_list(&l, &n->list))
		list_take(e, &l);
}

static void
list_send(struct engine *e)
{
	struct names *n = &e->names;

	if (n->up && n->unsent)
		n->unsent = e->ops->resolver_send(e->arg, &n->list,
		    sizeof n->list) == -1;
}

/* --- what the resolver says ---------------------------------------------- */

void
engine_resolver_up(struct engine *e, uint64_t now)
{
	struct names *n = &e->names;

	n->up = n->unsent = n->changed = true;
	n->wanting = n->looking = false;
	memset(&n->count, 0, sizeof n->count);
	tryout_lost(e, now);
}

/* Nothing is known; addresses that are valid stay so. */
void
engine_resolver_down(struct engine *e, uint64_t now)
{
	struct names *n = &e->names;

	if (n->up)
		log_warn("the resolver's end is closed");
	n->up = n->wanting = n->looking = false;
	memset(&n->count, 0, sizeof n->count);
	for (uint32_t i = 0; i < n->list.n; i++)
		set_state(e, &n->known[i], NAME_UNKNOWN);
	tryout_lost(e, now);
	engine_decide(e, now);
}

static int
on_result(struct engine *e, const void *p, uint64_t now)
{
	struct names *n = &e->names;
	struct name_known *k;
	struct name_result r;

	memcpy(&r, p, sizeof r);
	if (!name_result_ok(&r))
		return -1;
	if (r.generation != n->list.generation)
		return 0; /* of a list that is no more */
	if (r.host >= n->list.n)
		return -1;
	k = &n->known[r.host];
	/* Which one it is says where Tor's bridges and proxy are. */
	if ((enum name_state)r.state != k->state) {
		log_info("a name that is needed: %s",
		    name_state_name((enum name_state)r.state));
		log_debug("it is %s", k->host);
	}
	set_state(e, k, (enum name_state)r.state);
	k->n = r.n;
	memcpy(k->addr, r.addr, sizeof k->addr);
	k->until = now + (uint64_t)r.ttl_s * 1000;
	k->reach = 0;
	return 0;
}

static int
on_want(struct engine *e, const void *p, uint64_t now)
{
	struct names *n = &e->names;
	struct name_want want;

	memcpy(&want, p, sizeof want);
	if (!name_want_ok(&want))
		return -1;
	n->want = want;
	n->wanting = true;
	n->looking = want.lookup != 0;
	n->want_ends = now + GO_MS;
	n->want_reach = 0;
	return 0;
}

static int
on_count(struct engine *e, const void *p, uint64_t now)
{
	struct name_count count;

	(void)now;
	memcpy(&count, p, sizeof count);
	if (!name_count_ok(&count))
		return -1;
	e->names.count = count;
	return 0;
}

static int
on_verdict(struct engine *e, const void *p, uint64_t now)
{
	struct name_verdict_msg v;

	memcpy(&v, p, sizeof v);
	if (!name_verdict_ok(&v))
		return -1;
	tryout_on_verdict(e, &v, now);
	return 0;
}

static const struct {
	uint32_t magic;
	size_t size;
	int (*take)(struct engine *e, const void *p, uint64_t now);
} kinds[] = {
	{ NAME_RESULT_MAGIC, sizeof(struct name_result), on_result },
	{ NAME_WANT_MAGIC, sizeof(struct name_want), on_want },
	{ NAME_COUNT_MAGIC, sizeof(struct name_count), on_count },
	{ NAME_VERDICT_MAGIC, sizeof(struct name_verdict_msg), on_verdict },
};

int
engine_resolver_bytes(struct engine *e, const void *p, size_t n, uint64_t now)
{
	uint32_t magic;

	if (n < sizeof magic)
		return -1;
	memcpy(&magic, p, sizeof magic);
	for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
		if (kinds[i].magic == magic)
			return kinds[i].size == n ? kinds[i].take(e, p, now) :
						    -1;
	return -1;
}

/* --- permissions --------------------------------------------------------- */

uint32_t
names_permits(const struct engine *e, uint32_t pos)
{
	const struct names *n = &e->names;
	uint32_t permits = 0;

	if (!uplink_enabled(e) || (pos == GATE_CLOSED &&
	    e->policy->closed == POL_CLOSED_STRICT))
		return 0;
	if (transports_need(e, GATE_P_UDP))
		permits |= GATE_P_UDP;
	if (!names_enabled(e) || !n->up)
		return permits;
	if (n->looking || tryout_running(e))
		permits |= GATE_P_LOOKUP;
	if (n->count.serving != 0 && transports_need(e, GATE_P_STUB))
		permits |= GATE_P_STUB;
	return permits;
}

/* The TCP ports at which HOST is needed, each with all of its addresses. */
static void
add_ports(struct gate_reach *r, const struct pol_needs *needs,
    const struct name_known *k, const struct pol_addr *addr, uint32_t naddrs)
{
	for (size_t i = 0; i < needs->n; i++) {
		if (needs->need[i].l4proto != IPPROTO_TCP ||
		    strcmp(needs->need[i].host, k->host) != 0)
			continue;
		for (uint32_t a = 0; a < naddrs; a++)
			reach_add(r, &addr[a], needs->need[i].port);
	}
}

static void
add_reach(const struct engine *e, struct gate_reach *r,
    const struct name_known *k, const struct pol_addr *addr, uint32_t naddrs)
{
	const struct uplink *u = &e->uplink;

	add_ports(r, &u->needs, k, addr, naddrs);
	if (u->pin.kind == POL_PROXY_NONE || strcmp(u->pin.host, k->host) != 0)
		return;
	for (uint32_t a = 0; a < naddrs; a++)
		reach_add(r, &addr[a], u->pin.port);
}

/* Strict egress: Tor may go where its names lead, for as long as they do. */
static void
reach_known(struct engine *e, struct name_known *k, uint64_t now)
{
	struct gate_reach r;

	if (k->n == 0 || k->reach != 0 || k->until <= now)
		return;
	reach_begin(&r, GATE_REACH_TOR, (uint32_t)((k->until - now) / 1000));
	add_reach(e, &r, k, k->addr, k->n);
	k->reach = r.n == 0 ? UINT32_MAX : reach_send(e, &r);
}

void
names_gate(struct engine *e)
{
	e->reach_seq = 0;
	e->names.want_reach = 0;
	for (size_t i = 0; i < NAME_MAX_HOSTS; i++)
		e->names.known[i].reach = 0;
}

static void
go(struct engine *e, bool ok)
{
	struct names *n = &e->names;
	const struct name_go msg = { .magic = NAME_GO_MAGIC,
		.id = n->want.id, .ok = ok };

	n->wanting = false;
	/* One of addresses takes back nothing that lookups have. */
	if (!ok && n->want.host == UINT32_MAX)
		n->looking = false;
	/* One that takes no message finds out by its own deadline. */
	(void)e->ops->resolver_send(e->arg, &msg, sizeof msg);
}

/* Are the addresses that the stub is to hand out in force? */
static bool
want_reached(struct engine *e)
{
	struct names *n = &e->names;
	struct gate_reach r;

	if (n->want.host == UINT32_MAX || !e->policy->tor.strict_egress)
		return true;
	if (n->want_reach == 0) {
		reach_begin(&r, GATE_REACH_TOR, n->want.ttl_s);
		add_reach(e, &r, &n->known[n->want.host], n->want.addr,
		    n->want.n);
		if (r.n == 0)
			return true;
		n->want_reach = reach_send(e, &r);
	}
	return n->want_reach != 0 && reach_in_force(e, n->want_reach);
}

/* The gate has said so, after it was asked for all of PERMITS. */
bool
names_permitted(const struct engine *e, uint32_t permits)
{
	return e->gate_known && (e->asked_permits & permits) == permits &&
	    e->report.known != 0 && e->report.seq >= e->permits_seq &&
	    (e->report.permits & permits) == permits;
}

static bool
want_is_good(const struct engine *e)
{
	const struct name_want *w = &e->names.want;

	return names_enabled(e) && (w->host == UINT32_MAX ||
	    (w->generation == e->names.list.generation &&
	    w->host < e->names.list.n));
}

static void
want_settle(struct engine *e, uint64_t now)
{
	struct names *n = &e->names;

	if (!n->wanting)
		return;
	if (!want_is_good(e))
		go(e, false);
	else if (want_reached(e) && (!n->looking ||
	    names_permitted(e, GATE_P_LOOKUP)))
		go(e, true);
	else if (now >= n->want_ends)
		go(e, false);
}

void
names_settle(struct engine *e, uint64_t now)
{
	struct names *n = &e->names;

	list_update(e);
	list_send(e);
	for (uint32_t i = 0; i < n->list.n; i++)
		if (n->known[i].until <= now)
			n->known[i].n = 0;
	for (uint32_t i = 0; e->policy->tor.strict_egress &&
	    names_enabled(e) && i < n->list.n; i++)
		reach_known(e, &n->known[i], now);
	want_settle(e, now);
	e->names.again = now + AGAIN_MS;
}

uint64_t
names_wake(const struct engine *e)
{
	const struct names *n = &e->names;
	uint64_t wake = n->wanting ? n->want_ends : UINT64_MAX;

	if ((n->up && n->unsent) || n->wanting)
		return n->again < wake ? n->again : wake;
	for (uint32_t i = 0; i < n->list.n; i++)
		if (n->known[i].n > 0 && n->known[i].until < wake)
			wake = n->known[i].until;
	return wake;
}
