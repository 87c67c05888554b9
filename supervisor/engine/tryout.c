/*
 * One at a time: the gate lets the resolver process reach the proxy, then it
 * is told to try.  Of our own accord only what Tor uses now, when it has
 * changed or when Tor makes no progress, and rarely.
 */
#include "supervisor/engine/tryout.h"

#include <stdlib.h>
#include <string.h>

#include "supervisor/engine/core.h"
#include "supervisor/log.h"

/* The gate answers at once; a proxy on a slow network has some seconds. */
#define PERMIT_MS 2000
#define TRY_MS 20000
#define REACH_S 30
/* Not more often than this, and not before Tor had its own time. */
#define EVERY_MS 60000
#define SETTLED_MS 3000
/* So long without progress is reason enough to look at the proxy. */
#define IDLE_MS 10000
#define AGAIN_MS 20

static const enum name_try try_of[POL_NPROXY] = {
	[POL_PROXY_NONE] = NAME_TRY_TCP,
	[POL_PROXY_HTTPS] = NAME_TRY_HTTPS,
	[POL_PROXY_SOCKS4] = NAME_TRY_SOCKS4,
	[POL_PROXY_SOCKS5] = NAME_TRY_SOCKS5,
};

/* A transport that goes by a name uses its bridge's address for nothing. */
static bool
is_dummy(const struct pol_needs *n, const struct pol_need *bridge)
{
	for (size_t i = 0; i < n->n; i++)
		if ((n->need[i].role == POL_NEED_URL ||
		    n->need[i].role == POL_NEED_FRONT) &&
		    strcmp(n->need[i].transport, bridge->transport) == 0)
			return true;
	return false;
}

static bool
is_target(const struct pol_needs *n, const struct pol_need *need)
{
	switch (need->role) {
	case POL_NEED_BRIDGE:
		return need->addr.family != 0 && !is_dummy(n, need);
	case POL_NEED_URL:
	case POL_NEED_FRONT:
		return true;
	case POL_NEED_PROXY:
	case POL_NEED_STUN:
	case POL_NROLE:
		break;
	}
	return false;
}

/* What Tor would ask the proxy for, in as far as it has an address. */
static void
choose_target(const struct engine *e, struct name_tryout *msg,
    const struct pol_needs *n)
{
	const struct uplink *u = &e->uplink;
	const struct pol_need *need;
	struct pol_addr addr;

	for (size_t i = 0; i < n->n; i++) {
		need = &n->need[i];
		if (!is_target(n, need))
			continue;
		addr = need->addr;
		if (addr.family == 0)
			names_pick(e, &addr, need->host);
		if (addr.family == 0)
			continue;
		msg->target = addr;
		msg->target_port = need->port;
		return;
	}
	if (!n->bridges && u->directory.family != 0) {
		msg->target = u->directory;
		msg->target_port = u->directory_port;
	}
}

static void
end(struct engine *e, enum name_verdict verdict, uint32_t code)
{
	struct tryout *t = &e->tryout;

	explicit_bzero(&t->msg, sizeof t->msg);
	t->step = TRYOUT_NONE;
	if (verdict != t->verdict)
		log_info("proxy tried: %s", name_verdict_name(verdict));
	t->verdict = verdict;
	t->code = code;
}

/* What is in T->msg is to be tried. */
static void
begin(struct tryout *t, uint64_t now)
{
	if (++t->id == 0)
		t->id = 1;
	t->msg.id = t->id;
	t->step = TRYOUT_REACH;
	t->verdict = NAME_V_NONE;
	t->code = 0;
	t->reach = 0;
	t->wanted = false;
	t->ends = now + PERMIT_MS;
	t->next = now + EVERY_MS;
}

int
tryout_start(struct engine *e, const struct pol_uplink *u, uint64_t now)
{
	struct tryout *t = &e->tryout;
	struct name_tryout *msg = &t->msg;
	const bool change = e->uplink.considered &&
	    pol_uplink_same(u, &e->uplink.change);

	if (!e->names.up || !names_enabled(e) || u->proxy == POL_PROXY_NONE ||
	    u->proxy >= POL_NPROXY)
		return -1;
	memset(msg, 0, sizeof *msg);
	uplink_proxy_addr(e, &msg->addr, u);
	if (msg->addr.family == 0)
		return -1;
	msg->magic = NAME_TRY_MAGIC;
	msg->kind = try_of[u->proxy];
	msg->port = u->port;
	choose_target(e, msg, change ? &e->uplink.change_needs :
	    &e->uplink.needs);
	/* Without a target only: does anybody listen there? */
	if (msg->target.family == 0)
		msg->kind = NAME_TRY_TCP;
	msg->has_auth = msg->kind != NAME_TRY_TCP && u->has_auth != 0;
	if (msg->has_auth != 0) {
		memcpy(msg->user, u->user, sizeof msg->user);
		memcpy(msg->password, u->password, sizeof msg->password);
	}
	begin(t, now);
	return 0;
}

int
tryout_bridge(struct engine *e, const struct pol_addr *addr, uint16_t port,
    uint64_t now)
{
	struct name_tryout *msg = &e->tryout.msg;

	if (!e->names.up || !names_enabled(e))
		return -1;
	memset(msg, 0, sizeof *msg);
	msg->magic = NAME_TRY_MAGIC;
	msg->kind = NAME_TRY_TCP;
	msg->addr = *addr;
	msg->port = port;
	begin(&e->tryout, now);
	return 0;
}

bool
tryout_running(const struct engine *e)
{
	return e->tryout.step != TRYOUT_NONE;
}

void
tryout_on_verdict(struct engine *e, const struct name_verdict_msg *v,
    uint64_t now)
{
	struct tryout *t = &e->tryout;

	(void)now;
	if (t->step != TRYOUT_SENT || v->id != t->id)
		return; /* of one that is over */
	end(e, (enum name_verdict)v->verdict, v->code);
}

void
tryout_lost(struct engine *e, uint64_t now)
{
	(void)now;
	if (tryout_running(e))
		end(e, NAME_V_BLOCKED, 0);
}

/* Has Tor the change that is considered, whose proxy was tried before? */
static bool
is_tried(const struct engine *e)
{
	const struct pol_uplink *has = &e->uplink.conf;
	const struct pol_uplink *change = &e->uplink.change;
	struct pol_addr addr, tried;

	if (!e->uplink.considered || !e->uplink.fits ||
	    e->tryout.verdict == NAME_V_NONE || has->proxy != change->proxy ||
	    has->port != change->port || has->has_auth != change->has_auth ||
	    strcmp(has->user, change->user) != 0 ||
	    strcmp(has->password, change->password) != 0)
		return false;
	pol_uplink_proxy_addr(&addr, has);
	uplink_proxy_addr(e, &tried, change);
	return addr.family != 0 && pol_addr_equal(&addr, &tried);
}

void
tryout_changed(struct engine *e, uint64_t now)
{
	struct tryout *t = &e->tryout;

	if (is_tried(e)) {
		t->wanted = false;
		return;
	}
	t->verdict = NAME_V_NONE;
	t->code = 0;
	t->wanted = true;
	if (t->next < now + SETTLED_MS)
		t->next = now + SETTLED_MS;
}

/* Has Tor a proxy that should be looked at now? */
static bool
is_due(const struct engine *e, uint64_t now)
{
	const struct tor_info *tor = &e->tor;
	const struct tryout *t = &e->tryout;

	if (now < t->next || !e->uplink.fits ||
	    e->uplink.conf.proxy == POL_PROXY_NONE || e->uplink.considered ||
	    !names_enabled(e) || !e->names.up || !e->gate_known)
		return false;
	if (t->wanted)
		return true;
	return !facts_holds(&e->facts, FACT_BOOT, now) &&
	    tor->progress_at != 0 && now - tor->progress_at >= IDLE_MS;
}

static void
start_own(struct engine *e, uint64_t now)
{
	struct pol_uplink *u = xmalloc(sizeof *u);

	*u = e->uplink.conf;
	if (tryout_start(e, u, now) == -1)
		e->tryout.next = now + SETTLED_MS; /* not resolved, say */
	explicit_bzero(u, sizeof *u);
	free(u);
}

static void
go_on(struct engine *e)
{
	struct tryout *t = &e->tryout;
	struct gate_reach r;

	if (t->step == TRYOUT_REACH) {
		reach_begin(&r, GATE_REACH_RESOLVER, REACH_S);
		reach_add(&r, &t->msg.addr, (uint16_t)t->msg.port);
		/* One on this machine cannot be let through: nor is it kept
		 * from anybody. */
		t->reach = reach_send(e, &r);
		if (r.n == 0 || t->reach != 0)
			t->step = TRYOUT_PERMIT;
	}
	if (t->step == TRYOUT_PERMIT && names_permitted(e, GATE_P_LOOKUP) &&
	    (t->reach == 0 || reach_in_force(e, t->reach)) &&
	    e->ops->resolver_send(e->arg, &t->msg, sizeof t->msg) == 0) {
		t->step = TRYOUT_SENT;
		t->ends += TRY_MS;
		explicit_bzero(&t->msg, sizeof t->msg);
	}
}

void
tryout_settle(struct engine *e, uint64_t now)
{
	struct tryout *t = &e->tryout;

	if (!tryout_running(e) && is_due(e, now))
		start_own(e, now);
	if (!tryout_running(e))
		return;
	/* The resolver process has deadlines of its own: it is not there. */
	if (!names_enabled(e) || now >= t->ends)
		end(e, NAME_V_BLOCKED, 0);
	else
		go_on(e);
	t->again = now + AGAIN_MS;
}

uint64_t
tryout_wake(const struct engine *e)
{
	const struct tryout *t = &e->tryout;

	if (t->step == TRYOUT_SENT || t->step == TRYOUT_NONE)
		return t->step == TRYOUT_SENT ? t->ends : UINT64_MAX;
	return t->again < t->ends ? t->again : t->ends;
}
