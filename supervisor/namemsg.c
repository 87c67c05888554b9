#include "supervisor/namemsg.h"

#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/needs.h"
#include "supervisor/zero.h"

static const char *const state_names[NAME_NSTATE] = {
	[NAME_UNKNOWN] = "unknown",
	[NAME_OK] = "ok",
	[NAME_NXDOMAIN] = "nxdomain",
	[NAME_EMPTY] = "empty",
	[NAME_TIMEOUT] = "timeout",
	[NAME_REFUSED] = "refused",
	[NAME_UNREACHABLE] = "unreachable",
	[NAME_TLS] = "tls",
	[NAME_BAD] = "bad-answer",
	[NAME_PRIVATE] = "private",
	[NAME_BLOCKED] = "blocked",
};

static const char *const verdict_names[NAME_NVERDICT] = {
	[NAME_V_NONE] = "none",
	[NAME_V_OK] = "ok",
	[NAME_V_REFUSED] = "refused",
	[NAME_V_TIMEOUT] = "timeout",
	[NAME_V_UNREACHABLE] = "unreachable",
	[NAME_V_PROTOCOL] = "wrong-protocol",
	[NAME_V_AUTH] = "password",
	[NAME_V_DENIED] = "denied",
	[NAME_V_BLOCKED] = "blocked",
};

static bool
family_ok(const struct pol_addr *a)
{
	return a->family == AF_INET || a->family == AF_INET6;
}

/* N addresses, and nothing beyond them. */
static bool
addrs_ok(const struct pol_addr *a, uint32_t n)
{
	if (n > NAME_MAX_ADDRS)
		return false;
	for (uint32_t i = 0; i < n; i++)
		if (!family_ok(&a[i]))
			return false;
	return zero_ok(a + n, (NAME_MAX_ADDRS - n) * sizeof *a);
}

/* A text of its own, and nothing beyond it. */
static bool
text_ok(const char *text, size_t cap)
{
	size_t n = strnlen(text, cap);

	return n < cap && zero_ok(text + n, cap - n);
}

static bool
host_ok(const struct name_list *l, uint32_t i)
{
	const struct name_host *h = &l->host[i];

	if (!text_ok(h->host, sizeof h->host) || !pol_host_ok(h->host))
		return false;
	if ((h->flags & ~(NAME_F_LOOKUP | NAME_F_STUB)) != 0 ||
	    h->reserved != 0)
		return false;
	/* A name that is there twice could have two answers. */
	for (uint32_t j = 0; j < i; j++)
		if (strcmp(l->host[j].host, h->host) == 0)
			return false;
	return true;
}

bool
name_list_ok(const struct name_list *l)
{
	if (l->magic != NAME_LIST_MAGIC || l->generation == 0 ||
	    l->enabled > 1 || l->n > NAME_MAX_HOSTS)
		return false;
	for (uint32_t i = 0; i < l->n; i++)
		if (!host_ok(l, i))
			return false;
	return zero_ok(l->host + l->n,
	    (NAME_MAX_HOSTS - l->n) * sizeof l->host[0]);
}

bool
name_result_ok(const struct name_result *r)
{
	if (r->magic != NAME_RESULT_MAGIC || r->generation == 0 ||
	    r->host >= NAME_MAX_HOSTS || r->state >= NAME_NSTATE)
		return false;
	if ((r->state == NAME_OK && r->n == 0) ||
	    (r->state == NAME_UNKNOWN && r->n != 0))
		return false;
	return (r->n == 0) == (r->ttl_s == 0) &&
	    r->ttl_s <= NAME_TTL_MAX_S && addrs_ok(r->addr, r->n);
}

bool
name_want_ok(const struct name_want *w)
{
	if (w->magic != NAME_WANT_MAGIC || w->id == 0 || w->lookup > 1)
		return false;
	if (w->host == UINT32_MAX)
		return w->generation == 0 && w->ttl_s == 0 && w->n == 0 &&
		    addrs_ok(w->addr, 0);
	return w->host < NAME_MAX_HOSTS && w->generation != 0 &&
	    w->ttl_s != 0 && w->ttl_s <= NAME_TTL_MAX_S && w->n != 0 &&
	    addrs_ok(w->addr, w->n);
}

bool
name_go_ok(const struct name_go *g)
{
	return g->magic == NAME_GO_MAGIC && g->id != 0 && g->ok <= 1 &&
	    g->reserved == 0;
}

static bool
auth_ok(const struct name_tryout *t)
{
	if (t->has_auth == 0)
		return zero_ok(t->user, sizeof t->user) &&
		    zero_ok(t->password, sizeof t->password);
	return t->has_auth == 1 && text_ok(t->user, sizeof t->user) &&
	    text_ok(t->password, sizeof t->password);
}

/* Only a mere connection needs no place to go on to. */
static bool
target_ok(const struct name_tryout *t)
{
	if (t->kind == NAME_TRY_TCP && t->target.family == 0)
		return t->target_port == 0 &&
		    zero_ok(&t->target, sizeof t->target);
	return family_ok(&t->target) && t->target_port != 0 &&
	    t->target_port <= UINT16_MAX;
}

bool
name_tryout_ok(const struct name_tryout *t)
{
	return t->magic == NAME_TRY_MAGIC && t->id != 0 &&
	    t->kind < NAME_NTRY && t->port != 0 && t->port <= UINT16_MAX &&
	    family_ok(&t->addr) && target_ok(t) && auth_ok(t);
}

bool
name_verdict_ok(const struct name_verdict_msg *v)
{
	return v->magic == NAME_VERDICT_MAGIC && v->id != 0 &&
	    v->verdict > NAME_V_NONE && v->verdict < NAME_NVERDICT;
}

bool
name_count_ok(const struct name_count *c)
{
	return c->magic == NAME_COUNT_MAGIC && c->serving <= 1;
}

const char *
name_state_name(enum name_state state)
{
	return state < NAME_NSTATE ? state_names[state] : "?";
}

const char *
name_verdict_name(enum name_verdict verdict)
{
	return verdict < NAME_NVERDICT ? verdict_names[verdict] : "?";
}
