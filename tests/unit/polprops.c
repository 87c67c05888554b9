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

/* A rule of a table, and how many of its statements a packet has met. */
struct place {
	const struct pol_table *t;
	const struct pol_rule *r;
	size_t i;
};

/*
 * Does COND hold of every way to PLACE: of this rule, or, in a chain for
 * jumps, of each of the rules that jump there?  A chain that no rule jumps
 * to is no way to anything.  Jumps lead to later chains or earlier ones, but
 * never round: DEPTH bounds it all the same.
 */
static bool
every_way(const struct place *w, bool (*cond)(const struct place *, uint32_t),
    uint32_t arg, unsigned depth)
{
	if (cond(w, arg))
		return true;
	if (depth == 0 || w->t->chains[w->r->chain].hook != POL_H_NONE)
		return false;
	for (size_t k = 0; k < w->t->nrules; k++) {
		const struct pol_rule *r = &w->t->rules[k];

		for (size_t j = 0; j < r->n; j++) {
			struct place from = { w->t, r, j };

			if (r->stmts[j].kind == POL_A_JUMP &&
			    r->stmts[j].chain == w->r->chain &&
			    !every_way(&from, cond, arg, depth - 1))
				return false;
		}
	}
	return true;
}

#define DEPTH 8

/* Does R end the way, through "pre", of whatever nothing has accepted? */
static bool
ends_unmarked(const struct pol_table *t, const struct pol_rule *r)
{
	return strcmp(t->chains[r->chain].name, "pre") == 0 && r->n == 2 &&
	    r->stmts[0].kind == POL_A_COUNTER &&
	    r->stmts[1].kind == POL_A_DROP;
}

/* From an interface of which nothing reaches input without a mark? */
static bool
only_marked(const struct place *w, uint32_t arg)
{
	const char *chain = w->t->chains[w->r->chain].name;

	(void)arg;
	if (find(w->r, POL_M_IIFNAME) == NULL || is_lo(w->r) ||
	    (strcmp(chain, "input") != 0 && strcmp(chain, "from_int") != 0))
		return false;
	for (size_t k = 0; k < w->t->nrules; k++)
		if (ends_unmarked(w->t, &w->t->rules[k]))
			return true;
	return false;
}

/* May a table that only filters let this pass? */
static bool
accept_ok(const struct place *w, uint32_t arg)
{
	(void)arg;
	/* Before any mark could be set: others look at it later. */
	if (find(w->r, POL_M_IP4_PLAIN) != NULL)
		return w->t->chains[w->r->chain].hook ==
		    POL_H_PREROUTING && w->t->chains[w->r->chain].priority ==
		    -453;
	if (w->t->family == POL_F_NETDEV &&
	    find(w->r, POL_M_MARK_SET) != NULL)
		return find(w->r, POL_M_ROUTED) != NULL;
	return find(w->r, POL_M_MARK_SET) != NULL ||
	    is_neighbour_discovery(w->r) || is_dhcp(w->r) ||
	    has(w->r, POL_M_FRAMETYPE, 0x0806);
}

/*
 * The kernel's own answers: no user's, and a reset or "prohibited" where the
 * jumps come from; an unmarked packet of another kind is none.
 */
static bool
kernels_ok(const struct place *w, uint32_t arg)
{
	(void)arg;
	return find(w->r, POL_M_TCP_RST) != NULL ||
	    has(w->r, POL_M_ICMP_CODE, 13) ||
	    (has(w->r, POL_M_ICMPV6_TYPE, 1) && has(w->r, POL_M_ICMP_CODE,
	    1));
}

/* Is there no rule after it? */
static bool
last_of_chain(const struct place *w)
{
	for (const struct pol_rule *r = w->r + 1;
	    r < w->t->rules + w->t->nrules; r++)
		if (r->chain == w->r->chain)
			return false;
	return true;
}

static bool
names_lo(const struct place *w, uint32_t arg)
{
	(void)arg;
	return is_lo(w->r);
}

/* Loopback: what comes in, and what is left when all else was looked at. */
static bool
lo_ok(const struct place *w)
{
	if (is_lo(w->r))
		return find(w->r, POL_M_IIFNAME) != NULL;
	return last_of_chain(w) && every_way(w, names_lo, 0, 1);
}

/* The first rule of R's chain drops whatever has a user. */
static bool
nobodys(const struct place *w)
{
	for (size_t k = 0; k < w->t->nrules; k++) {
		const struct pol_rule *r = &w->t->rules[k];

		if (r->chain == w->r->chain)
			return r->n == 3 &&
			    has(r, POL_M_SKUID_NOT, UINT32_MAX) &&
			    r->stmts[2].kind == POL_A_DROP;
	}
	return false;
}

/* A lookup in SET before statement number I? */
static bool
looked_up(const struct place *w, uint32_t set)
{
	for (size_t j = 0; j < w->i; j++)
		if (w->r->stmts[j].kind == POL_M_LOOKUP &&
		    w->r->stmts[j].set == (enum pol_set_id)set)
			return true;
	return false;
}

static bool
client_lease(const struct place *w, uint32_t arg)
{
	(void)arg;
	return looked_up(w, POL_S_GATE) || looked_up(w, POL_S_SYNC) ||
	    looked_up(w, POL_S_STUB);
}

/* What Tor or a user began, or what a service or ping answers. */
static bool
direction_known(const struct place *w, uint32_t arg)
{
	(void)arg;
	for (size_t j = 0; j < w->i; j++)
		if (w->r->stmts[j].kind == POL_M_CT_ORIGINAL ||
		    w->r->stmts[j].kind == POL_M_CT_REPLY ||
		    w->r->stmts[j].kind == POL_M_IIFNAME)
			return true;
	return false;
}

/* A key of addresses is read only from packets that have them. */
static bool
family_known(const struct place *w, uint32_t nfproto)
{
	const struct pol_rule *r = w->r;

	for (size_t j = 0; j < w->i; j++)
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
	if (s->kind == POL_M_DADDR_NET || s->kind == POL_M_SADDR_NET ||
	    s->kind == POL_A_DNAT || s->kind == POL_A_DNAT_MAP)
		return (uint32_t)s->addr.family;
	if (s->kind != POL_M_LOOKUP || s->key == POL_K_NFPROTO ||
	    s->key == POL_K_DPORT || s->key == POL_K_SPORT)
		return AF_UNSPEC;
	return s->key == POL_K_DST4 || s->key == POL_K_SRC4 ||
	    s->key == POL_K_RELAY4 ? AF_INET : AF_INET6;
}

static const char *
mark_fault(const struct place *w)
{
	uint32_t mark = w->r->stmts[w->i].num;

	if (w->t->id != POL_T_GATE)
		return "a mark is set outside the gate's table";
	if (mark == POL_MARK_GATE ? !every_way(w, client_lease, 0, DEPTH) :
	    !every_way(w, looked_up, POL_S_EGRESS, DEPTH))
		return "a mark is set without its lease";
	if (mark == POL_MARK_EGRESS &&
	    !every_way(w, direction_known, 0, DEPTH))
		return "an answer to a workstation can leave outside";
	return NULL;
}

static const char *
stmt_fault(const struct place *w)
{
	const struct pol_stmt *s = &w->r->stmts[w->i];
	uint32_t family = family_needed(s);

	if (family != AF_UNSPEC && !family_known(w, family))
		return "an address is read before its family is known";
	if (s->kind == POL_A_DROP &&
	    (w->i == 0 || s[-1].kind != POL_A_COUNTER))
		return "a drop is not counted";
	if (s->kind == POL_A_MARK_OR)
		return mark_fault(w);
	if (s->kind == POL_A_UPDATE && !looked_up(w, s->set))
		return "a lapsed lease can be revived";
	if (s->kind == POL_A_JUMP &&
	    (s->chain >= w->t->nchains ||
	    w->t->chains[s->chain].hook != POL_H_NONE))
		return "a jump leads nowhere";
	return NULL;
}

static const char *
rule_fault(const struct pol_table *t, const struct pol_rule *r)
{
	struct place w = { t, r, 0 };
	const char *fault = NULL;

	if (r->chain >= t->nchains || r->n == 0 || r->n > POL_MAX_STMTS)
		return "a rule has no place";
	if (t->id != POL_T_GATE && find(r, POL_A_ACCEPT) != NULL &&
	    !every_way(&w, accept_ok, 0, DEPTH) &&
	    !every_way(&w, only_marked, 0, DEPTH) && !lo_ok(&w) &&
	    !(nobodys(&w) && every_way(&w, kernels_ok, 0, DEPTH)))
		return "a table that filters lets an unmarked packet pass";
	for (; w.i < r->n && fault == NULL; w.i++)
		fault = stmt_fault(&w);
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
	    c->hook == POL_H_NONE ||
	    (last != NULL && last->n == 1 &&
	    last->stmts[0].kind == POL_A_MARK_AND))
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
	return a->kind == b->kind && a->num == b->num &&
	    a->num2 == b->num2 && a->prefix == b->prefix &&
	    a->set == b->set &&
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
