#include "policy/build.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Elements of the stub in each family: its port by UDP and TCP. */
#define NSTUB 2

/*
 * Append ITEM, SIZE octets, to the array LIST of N.  The room is doubled
 * when N is a power of two, so that no capacity need be kept.  The new
 * array, or NULL when out of memory: then LIST is still there.
 */
static void *
append(void *list, size_t n, const void *item, size_t size)
{
	if ((n & (n - 1)) == 0) {
		void *more = reallocarray(list, n == 0 ? 1 : 2 * n, size);

		if (more == NULL)
			return NULL;
		list = more;
	}
	memcpy((char *)list + n * size, item, size);
	return list;
}

size_t
pol_build_chain(struct pol_build *b, const struct pol_chain *c)
{
	struct pol_table *t = b->t;
	struct pol_chain *list;

	if (b->nomem)
		return 0;
	list = append(t->chains, t->nchains, c, sizeof *c);
	if (list == NULL) {
		b->nomem = true;
		return 0;
	}
	t->chains = list;
	return t->nchains++;
}

void
pol_build_set(struct pol_build *b, const struct pol_set *s)
{
	struct pol_table *t = b->t;
	struct pol_set *list;

	if (b->nomem)
		return;
	list = append(t->sets, t->nsets, s, sizeof *s);
	if (list == NULL) {
		b->nomem = true;
		return;
	}
	t->sets = list;
	t->nsets++;
}

/* S gets room for every listener of P. */
static bool
room(struct pol_build *b, struct pol_set *s, const struct pol_policy *p)
{
	/* And for the stub: one at least, as calloc(0) may answer NULL. */
	s->elems = calloc(p->nlisteners + NSTUB, sizeof *s->elems);
	if (s->elems == NULL)
		b->nomem = true;
	return s->elems != NULL;
}

static void
add_full_set(struct pol_build *b, struct pol_set *s)
{
	s->size = (uint32_t)s->nelems;
	pol_build_set(b, s);
	if (b->nomem)
		free(s->elems);
}

/* Where the stub is in FAMILY; how many elements. */
static size_t
stub_elems(struct pol_elem out[NSTUB], const struct pol_policy *p,
    int family)
{
	static const uint8_t l4protos[NSTUB] = { IPPROTO_UDP,
		IPPROTO_TCP };

	if (!pol_has_lookup(p))
		return 0;
	for (size_t i = 0; i < NSTUB; i++) {
		memset(&out[i], 0, sizeof out[i]);
		(void)pol_addr_parse(&out[i].addr,
		    family == AF_INET6 ? "::1" : "127.0.0.1");
		out[i].l4proto = l4protos[i];
		out[i].port = p->resolver.stub_port;
	}
	return NSTUB;
}

void
pol_build_listeners(struct pol_build *b, enum pol_set_id id,
    const struct pol_policy *p, bool (*wanted)(const struct pol_listener *))
{
	bool v6 = id == POL_S_LISTEN6 || id == POL_S_DIRECT6;
	int family = v6 ? AF_INET6 : AF_INET;
	struct pol_set s = { .id = id,
		.key = v6 ? POL_K_DST6 : POL_K_DST4,
		.constant = true };

	if (!room(b, &s, p))
		return;
	for (size_t i = 0; i < p->nlisteners; i++) {
		const struct pol_listener *l = &p->listeners[i];

		if (l->addr.family == family && wanted(l) &&
		    pol_listener_elem(&s.elems[s.nelems], l, NULL))
			s.nelems++;
	}
	if (id == POL_S_LISTEN4 || id == POL_S_LISTEN6)
		s.nelems += stub_elems(&s.elems[s.nelems], p, family);
	add_full_set(b, &s);
}

void
pol_build_stub(struct pol_build *b, enum pol_set_id id,
    const struct pol_policy *p)
{
	bool v6 = id == POL_S_STUB_PORT6;
	struct pol_set s = { .id = id,
		.key = v6 ? POL_K_DST6 : POL_K_DST4, .constant = true };

	if (!room(b, &s, p))
		return;
	s.nelems = stub_elems(s.elems, p, v6 ? AF_INET6 : AF_INET);
	add_full_set(b, &s);
}

static int
by_port(const void *a, const void *b)
{
	const struct pol_elem *x = a, *y = b;

	if (x->l4proto != y->l4proto)
		return x->l4proto < y->l4proto ? -1 : 1;
	return (x->port > y->port) - (x->port < y->port);
}

/* Two interfaces' listeners may share a port, which a set has only once. */
static void
drop_repeats(struct pol_set *s)
{
	size_t n = 0;

	qsort(s->elems, s->nelems, sizeof *s->elems, by_port);
	for (size_t i = 0; i < s->nelems; i++)
		if (i == 0 || by_port(&s->elems[i - 1], &s->elems[i]) != 0)
			s->elems[n++] = s->elems[i];
	s->nelems = n;
}

bool
pol_build_ports(struct pol_build *b, enum pol_set_id id,
    const struct pol_policy *p, bool (*wanted)(const struct pol_listener *))
{
	bool v6 = id == POL_S_PORTS6 || id == POL_S_DIRECT_PORTS6;
	int family = v6 ? AF_INET6 : AF_INET;
	struct pol_set s = { .id = id, .key = POL_K_DPORT, .constant = true };

	if (!room(b, &s, p))
		return false;
	for (size_t i = 0; i < p->nlisteners; i++) {
		const struct pol_listener *l = &p->listeners[i];

		if (l->ifaddr == 0 || l->addr.family != family || !wanted(l))
			continue;
		s.elems[s.nelems].l4proto = pol_kind_l4proto(l->kind);
		s.elems[s.nelems++].port = l->port;
	}
	if (s.nelems == 0) {
		free(s.elems);
		return false;
	}
	drop_repeats(&s);
	add_full_set(b, &s);
	return !b->nomem;
}

void
pol_build_rule(struct pol_build *b, size_t chain,
    const struct pol_stmt *stmts, size_t n)
{
	struct pol_table *t = b->t;
	struct pol_rule r = { .chain = chain, .n = n };
	struct pol_rule *list;

	if (b->nomem)
		return;
	memcpy(r.stmts, stmts, n * sizeof *stmts);
	list = append(t->rules, t->nrules, &r, sizeof r);
	if (list == NULL) {
		b->nomem = true;
		return;
	}
	t->rules = list;
	t->nrules++;
}

void
pol_build_rule_on(struct pol_build *b, size_t chain,
    const struct pol_stmt *iface, const struct pol_stmt *stmts, size_t n)
{
	struct pol_stmt st[POL_MAX_STMTS];
	size_t at = 0;

	if (iface != NULL)
		st[at++] = *iface;
	for (size_t i = 0; i < n; i++)
		st[at++] = stmts[i];
	pol_build_rule(b, chain, st, at);
}

struct pol_stmt
pol_st(enum pol_stmt_kind kind)
{
	return (struct pol_stmt){ .kind = kind };
}

struct pol_stmt
pol_st_num(enum pol_stmt_kind kind, uint32_t num)
{
	return (struct pol_stmt){ .kind = kind, .num = num };
}

struct pol_stmt
pol_st_if(enum pol_stmt_kind kind, const char *name)
{
	struct pol_stmt s = { .kind = kind };

	(void)snprintf(s.name, sizeof s.name, "%s", name);
	return s;
}

struct pol_stmt
pol_st_lookup(enum pol_set_id set, enum pol_key key)
{
	return (struct pol_stmt){ .kind = POL_M_LOOKUP, .set = set,
		.key = key };
}

struct pol_stmt
pol_st_jump(size_t chain)
{
	return (struct pol_stmt){ .kind = POL_A_JUMP, .chain = chain };
}

struct pol_stmt
pol_st_net(enum pol_stmt_kind kind, const struct pol_net *n)
{
	return (struct pol_stmt){ .kind = kind, .addr = n->addr,
		.prefix = n->prefix };
}

struct pol_stmt
pol_st_ports(enum pol_stmt_kind kind, const struct pol_ports *p)
{
	return (struct pol_stmt){ .kind = kind, .num = p->first,
		.num2 = p->last };
}

struct pol_stmt
pol_st_log(const char *name)
{
	return pol_st_if(POL_A_LOG, name);
}
