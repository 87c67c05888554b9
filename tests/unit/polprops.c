#include "tests/unit/polprops.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* The first statement of KIND; NULL: none. */
static const struct pol_stmt *
find(const struct pol_rule *r, enum pol_stmt_kind kind)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->stmts[i].kind == kind)
			return &r->stmts[i];
	return NULL;
}

static bool
has(const struct pol_rule *r, enum pol_stmt_kind kind, uint32_t num)
{
	const struct pol_stmt *s = find(r, kind);

	return s != NULL && s->num == num;
}

static bool
is_lo(const struct pol_rule *r)
{
	const struct pol_stmt *in = find(r, POL_M_IIFNAME);
	const struct pol_stmt *out = find(r, POL_M_OIFNAME);

	return (in != NULL && strcmp(in->name, "lo") == 0) ||
	    (out != NULL && strcmp(out->name, "lo") == 0);
}

static bool
is_neighbour_discovery(const struct pol_rule *r)
{
	const struct pol_stmt *type = find(r, POL_M_ICMPV6_TYPE);

	return type != NULL && type->num >= 133 && type->num <= 136 &&
	    has(r, POL_M_L4PROTO, IPPROTO_ICMPV6) &&
	    has(r, POL_M_HOPLIMIT, 255);
}

static bool
is_dhcp(const struct pol_rule *r)
{
	return has(r, POL_M_L4PROTO, IPPROTO_UDP) &&
	    ((has(r, POL_M_SPORT, 67) && has(r, POL_M_DPORT, 68)) ||
	    (has(r, POL_M_SPORT, 68) && has(r, POL_M_DPORT, 67)));
}

/* May a table that only filters let this pass? */
static bool
accept_ok(const struct pol_rule *r)
{
	return is_lo(r) || find(r, POL_M_MARK_SET) != NULL ||
	    is_neighbour_discovery(r) || is_dhcp(r) ||
	    has(r, POL_M_FRAMETYPE, 0x0806);
}

/* A lookup in SET before statement number I? */
static bool
looked_up(const struct pol_rule *r, size_t i, enum pol_set_id set)
{
	for (size_t j = 0; j < i; j++)
		if (r->stmts[j].kind == POL_M_LOOKUP &&
		    r->stmts[j].set == set)
			return true;
	return false;
}

/* A key of addresses is read only from packets that have them. */
static bool
family_known(const struct pol_rule *r, size_t i, uint32_t nfproto)
{
	for (size_t j = 0; j < i; j++)
		if ((r->stmts[j].kind == POL_M_NFPROTO &&
		    r->stmts[j].num == nfproto) ||
		    (r->stmts[j].kind == POL_M_ETHERTYPE &&
		    r->stmts[j].num == (nfproto == AF_INET6 ? 0x86dd :
							      0x0800)))
			return true;
	return false;
}

static uint32_t
family_needed(const struct pol_stmt *s)
{
	if (s->kind == POL_M_HOPLIMIT || s->kind == POL_M_IP6_EXTHDR)
		return AF_INET6;
	if (s->kind == POL_M_IP4_FRAGMENT || s->kind == POL_M_IP4_OPTIONS)
		return AF_INET;
	if (s->kind == POL_A_DNAT || s->kind == POL_A_DNAT_MAP)
		return (uint32_t)s->addr.family;
	if (s->kind != POL_M_LOOKUP || s->key == POL_K_NFPROTO ||
	    s->key == POL_K_DPORT || s->key == POL_K_SPORT)
		return AF_UNSPEC;
	return s->key == POL_K_DST4 || s->key == POL_K_SRC4 ? AF_INET :
							      AF_INET6;
}

static const char *
stmt_fault(const struct pol_table *t, const struct pol_rule *r, size_t i)
{
	const struct pol_stmt *s = &r->stmts[i];
	uint32_t family = family_needed(s);

	if (family != AF_UNSPEC && !family_known(r, i, family))
		return "an address is read before its family is known";
	if (s->kind == POL_A_DROP &&
	    (i == 0 || r->stmts[i - 1].kind != POL_A_COUNTER))
		return "a drop is not counted";
	if (s->kind == POL_A_MARK_OR && t->id != POL_T_GATE)
		return "a mark is set outside the gate's table";
	if (s->kind == POL_A_MARK_OR &&
	    !looked_up(r, i, s->num == POL_MARK_GATE ? POL_S_GATE :
						       POL_S_EGRESS))
		return "a mark is set without its lease";
	if (s->kind == POL_A_MARK_OR && s->num == POL_MARK_EGRESS &&
	    find(r, POL_M_OIFNAME) != NULL &&
	    find(r, POL_M_CT_ORIGINAL) == NULL)
		return "an answer to a workstation can leave outside";
	if (s->kind == POL_A_UPDATE && !looked_up(r, i, s->set))
		return "a lapsed lease can be revived";
	if (s->kind == POL_A_JUMP &&
	    (s->chain >= t->nchains ||
	    t->chains[s->chain].hook != POL_H_NONE))
		return "a jump leads nowhere";
	return NULL;
}

static const char *
rule_fault(const struct pol_table *t, const struct pol_rule *r)
{
	const char *fault = NULL;

	if (r->chain >= t->nchains || r->n == 0 || r->n > POL_MAX_STMTS)
		return "a rule has no place";
	if (t->id != POL_T_GATE && find(r, POL_A_ACCEPT) != NULL &&
	    !accept_ok(r))
		return "a table that filters lets an unmarked packet pass";
	for (size_t i = 0; i < r->n && fault == NULL; i++)
		fault = stmt_fault(t, r, i);
	return fault;
}

/* Input, output and forward end in a drop, by policy and by a last rule. */
static const char *
chain_fault(const struct pol_table *t, size_t chain)
{
	const struct pol_chain *c = &t->chains[chain];
	const struct pol_rule *last = NULL;

	for (size_t i = 0; i < t->nrules; i++)
		if (t->rules[i].chain == chain)
			last = &t->rules[i];
	if (t->id == POL_T_GATE || c->hook == POL_H_PREROUTING ||
	    (c->hook == POL_H_OUTPUT && c->priority == -350))
		return NULL;
	if (!c->policy_drop || last == NULL || last->n != 2 ||
	    last->stmts[1].kind != POL_A_DROP)
		return "a filter's chain is open at its end";
	return NULL;
}

static const char *
table_fault(const struct pol_table *t)
{
	const char *fault = NULL;

	for (size_t i = 0; i < t->nchains && fault == NULL; i++)
		fault = chain_fault(t, i);
	for (size_t i = 0; i < t->nrules && fault == NULL; i++)
		fault = rule_fault(t, &t->rules[i]);
	return fault;
}

/* Member by member: what lies between them is anybody's. */
static bool
same_addr(const struct pol_addr *a, const struct pol_addr *b)
{
	return a->family == b->family &&
	    (a->family == AF_UNSPEC || pol_addr_equal(a, b));
}

static bool
same_elems(const struct pol_set *a, const struct pol_set *b)
{
	for (size_t i = 0; i < a->nelems; i++)
		if (!same_addr(&a->elems[i].addr, &b->elems[i].addr) ||
		    a->elems[i].l4proto != b->elems[i].l4proto ||
		    a->elems[i].port != b->elems[i].port)
			return false;
	return true;
}

static bool
same_sets(const struct pol_table *a, const struct pol_table *b)
{
	if (a->nsets != b->nsets)
		return false;
	for (size_t i = 0; i < a->nsets; i++)
		if (a->sets[i].id != b->sets[i].id ||
		    a->sets[i].nelems != b->sets[i].nelems ||
		    !same_elems(&a->sets[i], &b->sets[i]))
			return false;
	return true;
}

static bool
same_stmt(const struct pol_stmt *a, const struct pol_stmt *b)
{
	return a->kind == b->kind && a->num == b->num && a->set == b->set &&
	    a->key == b->key && a->chain == b->chain &&
	    strcmp(a->name, b->name) == 0 && same_addr(&a->addr, &b->addr);
}

static bool
same_rules(const struct pol_table *a, const struct pol_table *b)
{
	if (a->nrules != b->nrules)
		return false;
	for (size_t i = 0; i < a->nrules; i++) {
		const struct pol_rule *ra = &a->rules[i], *rb = &b->rules[i];

		if (ra->chain != rb->chain || ra->n != rb->n)
			return false;
		for (size_t j = 0; j < ra->n; j++)
			if (!same_stmt(&ra->stmts[j], &rb->stmts[j]))
				return false;
	}
	return true;
}

static bool
same_chains(const struct pol_table *a, const struct pol_table *b)
{
	if (a->nchains != b->nchains)
		return false;
	for (size_t i = 0; i < a->nchains; i++) {
		const struct pol_chain *ca = &a->chains[i];
		const struct pol_chain *cb = &b->chains[i];

		if (strcmp(ca->name, cb->name) != 0 || ca->nat != cb->nat ||
		    ca->hook != cb->hook || ca->priority != cb->priority ||
		    ca->policy_drop != cb->policy_drop ||
		    strcmp(ca->device, cb->device) != 0)
			return false;
	}
	return true;
}

static bool
same_content(const struct pol_table *a, const struct pol_table *b)
{
	return same_chains(a, b) && same_rules(a, b) && same_sets(a, b);
}

const char *
pp_ruleset_fault(const struct pol_ruleset *rs)
{
	const char *fault = NULL;

	for (size_t i = 0; i < POL_NTABLE && fault == NULL; i++)
		fault = table_fault(&rs->tables[i]);
	if (fault == NULL && !same_content(&rs->tables[POL_T_BOOT],
	    &rs->tables[POL_T_GUARD]))
		fault = "boot and guard differ";
	return fault;
}
