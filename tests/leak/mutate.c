/*
 * The rules of a policy, and every one of them spoilt in turn: mutate FILE.
 * For tests/leak/mutants.py, which asks whether any packet tells.
 *
 * Standard output is a run of records: a line of words between tabs (table,
 * chain, rule number in the chain or "-", what was done, the rule as it was,
 * length), then the text of the whole table.  The four tables as they are
 * come first; what was done is then "-".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/rules.h"
#include "supervisor/policyfile.h"

/* The rule that is being spoilt. */
struct mutant {
	const struct pol_policy *p;
	struct pol_table *t;
	size_t rule;   /* index in the table */
	size_t number; /* in its chain, from 1 */
};

static int
emit(const struct pol_table *t, const struct pol_policy *p,
    const char *head)
{
	char *text = pol_table_print(t, p, POL_POS_CLOSED);
	int rc = -1;

	if (text != NULL)
		rc = printf("%s\t%s\t%zu\n%s", pol_table_name(t->id), head,
		    strlen(text), text);
	free(text);
	return rc < 0 ? -1 : 0;
}

/* T as it now is, said to be the rule M names with WHAT done to it. */
static int
emit_mutant(const struct mutant *m, const char *what, size_t stmt)
{
	const struct pol_rule *r = &m->t->rules[m->rule];
	char head[160];

	if (stmt == SIZE_MAX)
		(void)snprintf(head, sizeof head, "%s\t%zu\t%s",
		    m->t->chains[r->chain].name, m->number, what);
	else
		(void)snprintf(head, sizeof head, "%s\t%zu\t%s %zu",
		    m->t->chains[r->chain].name, m->number, what, stmt + 1);
	return emit(m->t, m->p, head);
}

static bool
is_match(const struct pol_stmt *s)
{
	return s->kind < POL_A_COUNTER;
}

/* Counting and logging lets nothing in and keeps nothing out. */
static bool
only_counts(const struct pol_rule *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->stmts[i].kind != POL_A_COUNTER &&
		    r->stmts[i].kind != POL_A_LIMIT &&
		    r->stmts[i].kind != POL_A_LOG)
			return false;
	return true;
}

static void
cut_stmt(struct pol_rule *r, size_t i)
{
	r->n--;
	memmove(&r->stmts[i], &r->stmts[i + 1],
	    (r->n - i) * sizeof r->stmts[0]);
}

static int
without_rule(const struct mutant *m)
{
	struct pol_rule *r = &m->t->rules[m->rule];
	struct pol_rule kept = *r;
	int rc;

	/* Nothing is left of it but its place. */
	r->n = 1;
	r->stmts[0] = (struct pol_stmt){ .kind = POL_A_COUNTER };
	rc = emit_mutant(m, "rule away", SIZE_MAX);
	*r = kept;
	return rc;
}

/* The other of two that are easily taken for each other; NSET: none is. */
static enum pol_set_id
like(enum pol_set_id set)
{
	static const enum pol_set_id pairs[][2] = {
		{ POL_S_GATE, POL_S_EGRESS },
		{ POL_S_EGRESS, POL_S_GATE },
		{ POL_S_SYNC, POL_S_GATE },
		{ POL_S_PROVEN4, POL_S_DIRECT4 },
		{ POL_S_PROVEN6, POL_S_DIRECT6 },
		{ POL_S_DIRECT4, POL_S_PROVEN4 },
		{ POL_S_DIRECT6, POL_S_PROVEN6 },
		{ POL_S_RELAYS4_A, POL_S_RELAYS4_B },
		{ POL_S_RELAYS6_A, POL_S_RELAYS6_B },
		{ POL_S_LOOKUP, POL_S_UDP },
		{ POL_S_STUB, POL_S_LOOKUP },
		{ POL_S_UDP, POL_S_STUB },
		{ POL_S_REACH_TOR4, POL_S_REACH_RESOLVER4 },
		{ POL_S_REACH_TOR6, POL_S_REACH_RESOLVER6 },
		{ POL_S_REACH_RESOLVER4, POL_S_REACH_TOR4 },
		{ POL_S_REACH_RESOLVER6, POL_S_REACH_TOR6 },
	};

	for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
		if (pairs[i][0] == set)
			return pairs[i][1];
	return POL_NSET;
}

static bool
has_set(const struct pol_table *t, enum pol_set_id set)
{
	for (size_t i = 0; i < t->nsets; i++)
		if (t->sets[i].id == set)
			return true;
	return false;
}

/* S is made to say something else; false: there is no such thing. */
static bool
turn(struct pol_stmt *s, const struct pol_table *t)
{
	static const enum pol_stmt_kind turned[POL_NSTMT] = {
		[POL_A_DROP] = POL_A_ACCEPT,
		[POL_A_REJECT] = POL_A_DROP,
		[POL_A_REJECT_RST] = POL_A_DROP,
		[POL_M_CT_REPLY] = POL_M_CT_ORIGINAL,
		[POL_M_CT_ORIGINAL] = POL_M_CT_REPLY,
		[POL_M_SKUID] = POL_M_SKUID_NOT,
	};

	switch ((int)s->kind) {
	case POL_M_LOOKUP:
		s->set = like(s->set);
		return s->set != POL_NSET && has_set(t, s->set);
	case POL_A_MARK_OR:
	case POL_M_MARK_SET:
	case POL_M_MARK_CLEAR:
		s->num ^= POL_MARK_GATE | POL_MARK_EGRESS;
		return true;
	case POL_A_MARK_AND:
		s->num |= POL_MARK_EGRESS;
		return true;
	case POL_A_DNAT:
	case POL_A_DNAT_MAP:
		s->num++;
		return true;
	case POL_M_DPORTS:
	case POL_M_SPORTS:
		s->num2++;
		return true;
	default:
		break;
	}
	if (turned[s->kind] == 0)
		return false;
	s->kind = turned[s->kind];
	return true;
}

/* Statement I of the rule goes, if it is a match; or is turned round. */
static int
spoil_stmt(const struct mutant *m, size_t i)
{
	struct pol_rule *r = &m->t->rules[m->rule];
	struct pol_rule kept = *r;
	int rc = 0;

	if (is_match(&r->stmts[i]) || r->stmts[i].kind == POL_A_CT_MARK_OR ||
	    r->stmts[i].kind == POL_A_UPDATE ||
	    (r->stmts[i].kind == POL_A_MARK_OR && i + 1 < r->n)) {
		cut_stmt(r, i);
		rc = emit_mutant(m, "without", i);
		*r = kept;
	}
	if (rc == 0 && turn(&r->stmts[i], m->t))
		rc = emit_mutant(m, "turned", i);
	*r = kept;
	/* The mark that packet sockets set has both bits. */
	if (rc == 0 && r->stmts[i].kind == POL_A_MARK_AND) {
		r->stmts[i].num |= POL_MARK_GATE;
		rc = emit_mutant(m, "kept gate", i);
		*r = kept;
	}
	return rc;
}

static size_t
number_in_chain(const struct pol_table *t, size_t rule)
{
	size_t n = 0;

	for (size_t i = 0; i <= rule; i++)
		n += t->rules[i].chain == t->rules[rule].chain;
	return n;
}

static int
spoil_rules(struct pol_table *t, const struct pol_policy *p)
{
	for (size_t i = 0; i < t->nrules; i++) {
		const struct mutant m = { .p = p, .t = t, .rule = i,
			.number = number_in_chain(t, i) };

		if (only_counts(&t->rules[i]))
			continue;
		if (without_rule(&m) == -1)
			return -1;
		for (size_t j = 0; j < t->rules[i].n; j++)
			if (spoil_stmt(&m, j) == -1)
				return -1;
	}
	return 0;
}

static int
spoil_chains(struct pol_table *t, const struct pol_policy *p)
{
	char head[160];

	for (size_t i = 0; i < t->nchains; i++) {
		struct pol_chain *c = &t->chains[i];
		int rc;

		if (!c->policy_drop)
			continue;
		(void)snprintf(head, sizeof head, "%s\t-\tpolicy accept",
		    c->name);
		c->policy_drop = false;
		rc = emit(t, p, head);
		c->policy_drop = true;
		if (rc == -1)
			return -1;
	}
	return 0;
}

static int
spoil_all(const struct pol_policy *p)
{
	struct pol_ruleset rs;
	int rc = 0;

	if (pol_ruleset_make(&rs, p) == -1)
		return -1;
	for (size_t i = 0; i < POL_NTABLE && rc == 0; i++)
		rc = emit(&rs.tables[i], p, "-\t-\t-");
	/* Boot is made as the guard is: what spoils one spoils the other. */
	for (size_t i = POL_T_GUARD; i < POL_NTABLE && rc == 0; i++) {
		rc = spoil_chains(&rs.tables[i], p);
		if (rc == 0)
			rc = spoil_rules(&rs.tables[i], p);
	}
	pol_ruleset_clear(&rs);
	return rc;
}

int
main(int argc, char **argv)
{
	struct pol_policy p;
	struct pol_diags diags = { 0 };
	int rc = 1;

	if (argc != 2) {
		(void)fputs("usage: mutate FILE\n", stderr);
		return 2;
	}
	if (policyfile_load(&p, &diags, argv[1], false) == 0) {
		if (policyfile_resolve(&p, &diags) == 0 &&
		    spoil_all(&p) == 0 && fflush(stdout) == 0)
			rc = 0;
		pol_policy_clear(&p);
	}
	for (size_t i = 0; i < diags.n; i++)
		(void)fprintf(stderr, "%s:%u: %s\n", diags.list[i].file,
		    diags.list[i].line, diags.list[i].text);
	pol_diags_clear(&diags);
	return rc;
}
