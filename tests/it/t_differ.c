/*
 * The rules that the gate sends are those that are printed: both are put
 * into a kernel and listed by nft.  In a network namespace of the test's own;
 * skipped where none can be made.
 */
#include "config.h"

#include <check.h>
#include <glob.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "policy/parse.h"
#include "supervisor/policyfile.h"
#include "tests/it/differ.h"

#define SKIPPED 77
#define PATH_LEN 1024

static struct pol_ruleset rules;
static struct pol_policy policy;

static void
setup(void)
{
	ck_assert(differ_enter());
	differ_interface("ext0");
	pol_policy_init(&policy);
	differ_all_kinds(&rules);
}

static void
teardown(void)
{
	pol_ruleset_clear(&rules);
	pol_policy_clear(&policy);
}

/* And what people are shown can be loaded again. */
static bool
same_both_ways(const struct pol_table *t, const struct pol_policy *p,
    enum pol_position pos)
{
	struct differ_listing *l = differ_load(t, p, pos);
	const bool same = differ_same(t, l, true) && differ_reloads(t, l);

	differ_free(l);
	return same;
}

/* What is in some rule. */
static bool seen_stmts[POL_NSTMT], seen_keys[POL_K_RELAY6 + 1];

static void
see(const struct pol_rule *r)
{
	for (size_t i = 0; i < r->n; i++) {
		const struct pol_stmt *s = &r->stmts[i];

		seen_stmts[s->kind] = true;
		if (s->kind == POL_M_LOOKUP || s->kind == POL_A_DNAT_MAP)
			seen_keys[s->key] = true;
	}
}

START_TEST(every_kind_of_statement_key_and_set_is_in_the_tables)
{
	bool sets[POL_NSET] = { false };

	for (size_t i = 0; i < POL_NTABLE; i++) {
		const struct pol_table *t = &rules.tables[i];

		for (size_t j = 0; j < t->nsets; j++)
			sets[t->sets[j].id] = true;
		for (size_t j = 0; j < t->nrules; j++)
			see(&t->rules[j]);
	}
	for (size_t i = 0; i < POL_NSTMT; i++)
		ck_assert_msg(seen_stmts[i], "statement %zu is in no rule", i);
	for (size_t i = 0; i <= POL_K_RELAY6; i++)
		ck_assert_msg(seen_keys[i], "key %zu is in no rule", i);
	for (size_t i = 0; i < POL_NSET; i++)
		ck_assert_msg(sets[i], "there is no set %zu", i);
}
END_TEST

START_TEST(every_kind_is_the_same_both_ways)
{
	static const enum pol_table_id ids[] = { POL_T_GATE, POL_T_NETDEV };

	ck_assert(same_both_ways(&rules.tables[ids[_i]], &policy,
	    POL_POS_CLOSED));
}
END_TEST

START_TEST(every_prefix_is_the_same_both_ways)
{
	struct pol_ruleset nets;

	differ_all_prefixes(&nets);
	ck_assert(same_both_ways(&nets.tables[POL_T_GATE], &policy,
	    POL_POS_CLOSED));
	pol_ruleset_clear(&nets);
}
END_TEST

/* How a statement can be made another one. */
enum change { BY_REMOVAL = 0, BY_NUM, BY_NUM2, BY_NAME, BY_CHAIN, BY_SET,
	BY_PREFIX, BY_FAMILY, BY_L4PROTO, BY_TIME };

static const enum change changes[POL_NSTMT] = {
	[POL_M_IIFNAME] = BY_NAME,
	[POL_M_OIFNAME] = BY_NAME,
	[POL_M_NFPROTO] = BY_FAMILY,
	[POL_M_L4PROTO] = BY_L4PROTO,
	[POL_M_SPORT] = BY_NUM,
	[POL_M_DPORT] = BY_NUM,
	[POL_M_SKUID] = BY_NUM,
	[POL_M_SKUID_NOT] = BY_NUM,
	[POL_M_MARK_CLEAR] = BY_NUM,
	[POL_M_MARK_SET] = BY_NUM,
	[POL_M_CT_MARK_SET] = BY_NUM,
	[POL_M_LOOKUP] = BY_SET,
	[POL_M_ICMPV6_TYPE] = BY_NUM,
	[POL_M_HOPLIMIT] = BY_NUM,
	[POL_M_IP4_NET] = BY_NUM,
	[POL_M_DADDR_NET] = BY_PREFIX,
	[POL_M_SADDR_NET] = BY_PREFIX,
	[POL_M_DPORTS] = BY_NUM2,
	[POL_M_SPORTS] = BY_NUM,
	[POL_M_ICMP_TYPE] = BY_NUM,
	[POL_M_ICMP_CODE] = BY_NUM,
	[POL_M_ETHERTYPE] = BY_NUM,
	[POL_M_FRAMETYPE] = BY_NUM,
	[POL_A_MARK_OR] = BY_NUM,
	[POL_A_MARK_AND] = BY_NUM,
	[POL_A_UPDATE] = BY_TIME,
	[POL_A_JUMP] = BY_CHAIN,
	[POL_A_DNAT] = BY_NUM,
	[POL_A_DNAT_MAP] = BY_NUM,
	[POL_A_CT_MARK_OR] = BY_NUM,
	[POL_A_LIMIT] = BY_NUM,
	[POL_A_LOG] = BY_NAME,
};

/* Another set with the same key. */
static const enum pol_set_id twins[POL_NSET] = {
	[POL_S_GATE] = POL_S_EGRESS,
	[POL_S_EGRESS] = POL_S_SYNC,
	[POL_S_SYNC] = POL_S_GATE,
	[POL_S_PROVEN4] = POL_S_LISTEN4,
	[POL_S_PROVEN6] = POL_S_LISTEN6,
	[POL_S_LISTEN4] = POL_S_PROVEN4,
	[POL_S_LISTEN6] = POL_S_PROVEN6,
	[POL_S_PORTS4] = POL_S_PORTS6,
	[POL_S_PORTS6] = POL_S_PORTS4,
	[POL_S_RELAYS4_A] = POL_S_RELAYS4_B,
	[POL_S_RELAYS4_B] = POL_S_RELAYS4_A,
	[POL_S_RELAYS6_A] = POL_S_RELAYS6_B,
	[POL_S_RELAYS6_B] = POL_S_RELAYS6_A,
	[POL_S_STUB] = POL_S_LOOKUP,
	[POL_S_STUB_PORT4] = POL_S_LISTEN4,
	[POL_S_REACH_TOR6] = POL_S_REACH_RESOLVER6,
};

/* Another one that has the same fields. */
static uint32_t
other_l4proto(uint32_t l4proto)
{
	switch (l4proto) {
	case IPPROTO_TCP:
		return IPPROTO_UDP;
	case IPPROTO_UDP:
		return IPPROTO_TCP;
	case IPPROTO_ICMP:
		return IPPROTO_ICMPV6;
	default: /* a number, not an enum */
		return IPPROTO_ICMP;
	}
}

static void
remove_stmt(struct pol_rule *r, size_t i)
{
	memmove(&r->stmts[i], &r->stmts[i + 1],
	    (r->n - i - 1) * sizeof r->stmts[0]);
	r->n--;
}

static void
change_stmt(struct pol_rule *r, size_t i)
{
	struct pol_stmt *s = &r->stmts[i];

	switch (changes[s->kind]) {
	case BY_REMOVAL:
		remove_stmt(r, i);
		break;
	case BY_NUM:
		s->num ^= 1;
		break;
	case BY_NUM2:
		s->num2++;
		break;
	case BY_NAME:
		s->name[0] ^= 1;
		break;
	case BY_CHAIN:
		s->chain++;
		break;
	case BY_SET:
		s->set = twins[s->set];
		break;
	case BY_PREFIX:
		s->prefix++;
		break;
	case BY_TIME:
		s->num += 100; /* the kernel counts in jiffies */
		break;
	case BY_L4PROTO:
		s->num = other_l4proto(s->num);
		break;
	case BY_FAMILY:
		s->num = s->num == AF_INET ? AF_INET6 : AF_INET;
		break;
	}
}

/* The control: what is not the same is seen, whichever statement it is. */
START_TEST(no_changed_statement_goes_unseen)
{
	struct pol_table *t = &rules.tables[_i == 0 ? POL_T_GATE :
	    POL_T_NETDEV];
	struct differ_listing *l = differ_load(t, &policy, POL_POS_CLOSED);

	for (size_t i = 0; i < t->nrules; i++) {
		const struct pol_rule saved = t->rules[i];

		for (size_t j = 0; j < saved.n; j++) {
			change_stmt(&t->rules[i], j);
			ck_assert_msg(!differ_same(t, l, false),
			    "statement %zu of rule %zu, kind %d, goes unseen",
			    j, i, (int)saved.stmts[j].kind);
			t->rules[i] = saved;
		}
	}
	differ_free(l);
}
END_TEST

/* A policy's users need not exist here; these are as good as any. */
static void
number_users(struct pol_policy *p)
{
	struct pol_user *users[4 + POL_MAX_EGRESS + POL_MAX_TIME_USERS];
	size_t n = 0;

	users[n++] = &p->tor.user;
	users[n++] = &p->gate_user;
	users[n++] = &p->engine_user;
	users[n++] = &p->status_user;
	for (size_t i = 0; i < p->negress; i++)
		users[n++] = &p->egress[i].user;
	for (size_t i = 0; i < p->timesync.nusers; i++)
		users[n++] = &p->timesync.users[i];
	for (size_t i = 0; i < n; i++) {
		users[i]->resolved = true;
		users[i]->uid = users[i]->gid = (uint32_t)(4300 + i);
	}
}

/* Only the gate's table has more than one position. */
static size_t
positions(size_t table)
{
	return table == POL_T_GATE ? POL_NPOS : 1;
}

static void
same_policy(const char *path)
{
	struct pol_policy p;
	struct pol_diags diags;
	struct pol_ruleset rs;

	ck_assert_msg(policyfile_load(&p, &diags, path, false) == 0,
	    "%s: %s", path, diags.n == 0 ? "" : diags.list[0].text);
	pol_diags_clear(&diags);
	number_users(&p);
	ck_assert_int_eq(pol_ruleset_make(&rs, &p), 0);
	for (size_t i = 0; i < p.nexternal; i++)
		differ_interface(p.external[i]);
	for (size_t i = 0; i < POL_NTABLE; i++)
		for (size_t pos = 0; pos < positions(i); pos++)
			ck_assert_msg(same_both_ways(&rs.tables[i], &p,
			    (enum pol_position)pos), "%s: %s, %s", path,
			    pol_table_name((enum pol_table_id)i),
			    pol_position_name((enum pol_position)pos));
	pol_ruleset_clear(&rs);
	pol_policy_clear(&p);
}

/* All but the one that is wrong. */
START_TEST(every_policy_is_the_same_both_ways)
{
	const char *top = getenv("top_srcdir");
	char path[PATH_LEN];
	glob_t found;
	size_t n = 0;

	if (top == NULL)
		top = ".";
	(void)snprintf(path, sizeof path, "%s/tests/golden/*.conf", top);
	ck_assert_int_eq(glob(path, 0, NULL, &found), 0);
	(void)snprintf(path, sizeof path, "%s/policy/*.conf", top);
	ck_assert_int_eq(glob(path, GLOB_APPEND, NULL, &found), 0);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		if (strstr(found.gl_pathv[i], "/wrong") != NULL)
			continue;
		same_policy(found.gl_pathv[i]);
		n++;
	}
	ck_assert_uint_ge(n, 4);
	globfree(&found);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *s = suite_create("differ");
	TCase *tc = tcase_create("both ways");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120); /* hundreds of runs of nft */
	tcase_add_test(tc,
	    every_kind_of_statement_key_and_set_is_in_the_tables);
	tcase_add_loop_test(tc, every_kind_is_the_same_both_ways, 0, 2);
	tcase_add_test(tc, every_prefix_is_the_same_both_ways);
	tcase_add_loop_test(tc, no_changed_statement_goes_unseen, 0, 2);
	tcase_add_test(tc, every_policy_is_the_same_both_ways);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr;
	int failed;

	if (!differ_enter()) {
		printf("needs root, for network namespaces, and nft\n");
		return SKIPPED;
	}
	sr = srunner_create(make_suite());
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
