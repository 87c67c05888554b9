#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/engine/verdict.h"
#include "supervisor/snapshot.h"

#define MANY 40
#define DEFAULTS (ISO_SESSION_GROUP | ISO_SOCKS_USERNAME | \
    ISO_SOCKS_PASSWORD | ISO_CLIENTADDR)
#define NELEM(a) ((int)(sizeof(a) / sizeof((a)[0])))

static struct pol_policy policy;
static struct iso_evidence ev[MANY];
static struct verdict v;

static void
set_flags(size_t i, const char *flags)
{
	(void)snprintf(policy.listeners[i].flags,
	    sizeof policy.listeners[i].flags, "%s", flags);
}

/* MANY listeners without flags, all as Tor makes them by default. */
static void
setup(void)
{
	struct pol_listener *l;

	pol_policy_init(&policy);
	policy.listeners = calloc(MANY, sizeof *policy.listeners);
	ck_assert_ptr_nonnull(policy.listeners);
	policy.nlisteners = MANY;
	for (uint32_t i = 0; i < MANY; i++) {
		l = &policy.listeners[i];
		ck_assert(pol_addr_parse(&l->addr, "10.0.0.1"));
		l->port = (uint16_t)(9000 + i);
		(void)snprintf(l->name, sizeof l->name, "n%u", i);
		ev[i] = (struct iso_evidence){ .listener = i,
			.seen = ISO_SEEN, .fields = DEFAULTS,
			.group = -1 - (int64_t)i };
	}
}

static void
teardown(void)
{
	pol_policy_clear(&policy);
}

static void
judge(size_t n)
{
	verdict_make(&v, ev, n, &policy);
}

static const char *
failure(size_t i)
{
	static char text[SNAP_TEXT];

	verdict_failure(text, sizeof text, &v.fails[i], &policy, NULL);
	return text;
}

static const char *
summary(void)
{
	static char text[SNAP_TEXT];

	verdict_summary(text, sizeof text, &v);
	return text;
}

/* clang-format off */
static const struct want {
	const char *flags;
	unsigned fields;
	bool grouped;
	int64_t group;
} wants[] = {
	{ "", DEFAULTS, false, 0 },
	{ "IPv6Traffic OnionTrafficOnly", DEFAULTS, false, 0 },
	{ "IsolateDestAddr", DEFAULTS | ISO_DESTADDR, false, 0 },
	{ "IsolateDestAddr NoIsolateDestAddr", DEFAULTS, false, 0 },
	{ "IsolateDestPort IsolateClientProtocol",
	    DEFAULTS | ISO_DESTPORT | ISO_CLIENT_PROTOCOL, false, 0 },
	{ "NoIsolateSOCKSAuth NoIsolateClientAddr", ISO_SESSION_GROUP,
	    false, 0 },
	{ "isolatedestaddr", DEFAULTS | ISO_DESTADDR, false, 0 },
	/* Not the flag itself. */
	{ "KeepAliveIsolateSOCKSAuth NoKeepAliveIsolateSOCKSAuth", DEFAULTS,
	    false, 0 },
	{ "SessionGroup=7", DEFAULTS, true, 7 },
	{ "SessionGroup=", DEFAULTS, false, 0 },
};
/* clang-format on */

START_TEST(flags_demand_fields)
{
	unsigned fields;
	int64_t group;

	set_flags(0, wants[_i].flags);
	ck_assert(verdict_wanted(&fields, &group, &policy.listeners[0]) ==
	    wants[_i].grouped);
	ck_assert_uint_eq(fields, wants[_i].fields);
	ck_assert_int_eq(group, wants[_i].group);
}
END_TEST

START_TEST(a_unix_socket_has_no_client_address)
{
	unsigned fields;
	int64_t group;

	set_flags(0, "IsolateClientAddr");
	policy.listeners[0].addr.family = AF_UNIX;
	ck_assert(!verdict_wanted(&fields, &group, &policy.listeners[0]));
	ck_assert_uint_eq(fields, DEFAULTS & ~(unsigned)ISO_CLIENTADDR);
}
END_TEST

/* clang-format off */
static const struct {
	const char *names;
	unsigned fields;
} lists[] = {
	{ "", 0 },
	{ ",", 0 },
	{ "SESSION_GROUP", ISO_SESSION_GROUP },
	{ "SESSION_GROUP,", ISO_SESSION_GROUP },
	{ "DESTPORT,DESTADDR,SOCKS_USERNAME,SOCKS_PASSWORD,CLIENTADDR,"
	  "SESSION_GROUP,NYM_EPOCH", DEFAULTS | ISO_DESTPORT | ISO_DESTADDR },
	{ "CLIENT_PROTOCOL,WHATEVER", ISO_CLIENT_PROTOCOL },
	{ "DESTADDRS,XDESTADDR,destaddr, DESTADDR", 0 },
};

static const struct {
	const char *text;
	bool ok;
	int64_t group;
} groups[] = {
	{ "0", true, 0 }, { "-8", true, -8 }, { "12", true, 12 },
	{ "", false, 0 }, { "-", false, 0 }, { "+1", false, 0 },
	{ "1x", false, 0 }, { "1 ", false, 0 },
	{ "922337203685477580", true, 922337203685477580 },
	{ "9223372036854775808", false, 0 },
	{ "99999999999999999999", false, 0 },
};
/* clang-format on */

START_TEST(field_names_are_read_exactly)
{
	ck_assert_uint_eq(verdict_fields(cp_str_of(lists[_i].names)),
	    lists[_i].fields);
}
END_TEST

START_TEST(groups_are_numbers)
{
	int64_t group = 0;

	ck_assert(verdict_group(&group, cp_str_of(groups[_i].text)) ==
	    groups[_i].ok);
	ck_assert_int_eq(group, groups[_i].group);
}
END_TEST

START_TEST(all_different_is_isolated)
{
	ev[0].witness = ev[1].witness = true;
	ev[0].circuit = 7;
	ev[1].circuit = 8;
	judge(MANY);
	ck_assert(verdict_ok(&v));
	ck_assert_str_eq(summary(), "40 listeners: every pair isolated; "
	    "isolation flags in force; 2 of 2 circuits seen, all different.");
}
END_TEST

/* How many are to be seen, how many are: nothing compared proves nothing. */
static const struct {
	size_t witnesses, circuits;
	bool ok;
} compared[] = { { 0, 0, true }, { 1, 0, true }, { 1, 1, true },
	{ 2, 0, false }, { 2, 1, false }, { 3, 2, true }, { 31, 0, false } };

START_TEST(two_circuits_are_compared_or_none_is_proven)
{
	for (size_t i = 0; i < compared[_i].witnesses; i++) {
		ev[i].witness = true;
		ev[i].circuit = i < compared[_i].circuits ? 100 + i : 0;
	}
	judge(MANY);
	ck_assert_uint_eq(v.nwitnesses, compared[_i].witnesses);
	ck_assert_uint_eq(v.ncircuits, compared[_i].circuits);
	ck_assert(verdict_ok(&v) == compared[_i].ok);
	ck_assert((strstr(summary(), "all different") != NULL) ==
	    (compared[_i].circuits >= 2));
	ck_assert((strstr(summary(), "not proven") != NULL) ==
	    !compared[_i].ok);
	if (_i == 3)
		ck_assert_str_eq(summary(), "not proven: 0 of 2 circuits "
		    "seen, none compared; the isolation flags of 40 "
		    "listeners are in force.");
}
END_TEST

START_TEST(a_disturbed_listener_is_a_failure)
{
	ev[3].seen = ISO_DISTURBED;
	ev[3].group = ev[4].group; /* no pair: nothing is known */
	judge(MANY);
	ck_assert_uint_eq(v.nfails, 1);
	ck_assert_str_eq(failure(0), "\"n3\" at 10.0.0.1:9003: it was shut or "
	    "in doubt during the check, so nothing is proven: try again.");
	ck_assert_int_eq(verdict_flags(&ev[3], &policy), ISO_FLAGS_UNKNOWN);
}
END_TEST

/* clang-format off */
static const struct {
	const char *flags;
	bool all;
} covered[] = {
	{ "", true },
	{ "IsolateDestAddr NoIsolateDestPort isolateclientaddr", true },
	{ "IsolateSOCKSAuth IsolateClientProtocol SessionGroup=4", true },
	{ "KeepAliveIsolateSOCKSAuth", false },
	{ "IsolateDestAddr OnionTrafficOnly", false },
	{ "NoIPv4Traffic IsolateDestAddr", false },
};
/* clang-format on */

START_TEST(not_every_flag_is_shown)
{
	set_flags(0, covered[_i].flags);
	ck_assert(verdict_covers(&policy.listeners[0]) == covered[_i].all);
}
END_TEST

START_TEST(a_lost_flag_is_named)
{
	set_flags(3, "IsolateDestAddr");
	judge(MANY);
	ck_assert(!verdict_ok(&v));
	ck_assert_uint_eq(v.nfails, 1);
	ck_assert_str_eq(failure(0), "\"n3\" at 10.0.0.1:9003: "
	    "IsolateDestAddr is not in force; it is closed and opened again.");
	ck_assert_str_eq(summary(), "not isolated: 1 failures in 40 "
	    "listeners; 0 of 0 circuits seen.");
	ck_assert_int_eq(verdict_flags(&ev[3], &policy), ISO_FLAGS_WRONG);
	ck_assert_int_eq(verdict_flags(&ev[4], &policy), ISO_FLAGS_RIGHT);
}
END_TEST

START_TEST(below_1024_only_a_restart_helps)
{
	set_flags(3, "IsolateDestAddr");
	policy.listeners[3].port = 443;
	judge(MANY);
	ck_assert_str_eq(failure(0), "\"n3\" at 10.0.0.1:443: "
	    "IsolateDestAddr is not in force; set it in torrc, too, and "
	    "restart Tor.");
	policy.listeners[3].port = 1023;
	ck_assert_ptr_nonnull(strstr(failure(0), "restart Tor"));
	policy.listeners[3].addr.family = AF_UNIX;
	ck_assert_ptr_nonnull(strstr(failure(0), "opened again"));
	policy.listeners[3].addr.family = AF_INET;
	policy.listeners[3].port = 1024;
	ck_assert_ptr_nonnull(strstr(failure(0), "opened again"));
}
END_TEST

START_TEST(a_flag_too_many_is_named)
{
	ev[3].fields |= ISO_DESTPORT;
	judge(MANY);
	ck_assert_str_eq(failure(0), "\"n3\" at 10.0.0.1:9003: "
	    "IsolateDestPort is in force against the policy; it is closed "
	    "and opened again.");
}
END_TEST

START_TEST(user_name_and_password_are_one_flag)
{
	ev[3].fields &= ~(unsigned)(ISO_SOCKS_USERNAME | ISO_SOCKS_PASSWORD);
	ev[4].fields &= ~(unsigned)ISO_SOCKS_PASSWORD;
	judge(MANY);
	ck_assert_uint_eq(v.nfails, 2);
	ck_assert_str_eq(v.fails[0].flag, "IsolateSOCKSAuth");
	ck_assert_str_eq(v.fails[1].flag, "IsolateSOCKSAuth");
}
END_TEST

START_TEST(without_session_groups_nothing_is_isolated)
{
	ev[3].fields &= ~(unsigned)ISO_SESSION_GROUP;
	judge(MANY);
	ck_assert_int_eq(v.fails[0].kind, ISO_FAIL_LOST);
	ck_assert_ptr_nonnull(strstr(failure(0),
	    "isolation from other listeners is not in force"));
}
END_TEST

/* What is wanted, what is; the number of failures. */
static const struct {
	const char *flags;
	int64_t group;
	size_t nfails;
} grouped[] = { { "SessionGroup=5", 5, 0 }, { "SessionGroup=5", 6, 1 },
	{ "SessionGroup=5", -100, 1 }, { "", 5, 1 }, { "", 0, 1 },
	{ "", -100, 0 } };

START_TEST(the_group_must_be_the_policys)
{
	set_flags(3, grouped[_i].flags);
	ev[3].group = grouped[_i].group;
	judge(MANY);
	ck_assert_uint_eq(v.nfails, grouped[_i].nfails);
	if (v.nfails != 0) {
		ck_assert_int_eq(v.fails[0].kind, ISO_FAIL_GROUP);
		ck_assert_ptr_nonnull(strstr(failure(0),
		    "against the policy"));
	}
}
END_TEST

START_TEST(a_pair_in_one_group_is_named)
{
	ev[3].group = ev[30].group;
	judge(MANY);
	ck_assert_uint_eq(v.nfails, 1);
	ck_assert_str_eq(failure(0), "\"n3\" at 10.0.0.1:9003 and \"n30\" at "
	    "10.0.0.1:9030 are both in session group -31.");
}
END_TEST

START_TEST(a_pair_on_one_circuit_is_named)
{
	ev[30].witness = ev[3].witness = true;
	ev[30].circuit = ev[3].circuit = 12;
	judge(MANY);
	ck_assert_uint_eq(v.nfails, 1);
	ck_assert_str_eq(failure(0), "\"n3\" at 10.0.0.1:9003 and \"n30\" at "
	    "10.0.0.1:9030 both used circuit 12.");
	ck_assert_str_eq(summary(), "not isolated: 1 failures in 40 "
	    "listeners; 2 of 2 circuits seen.");
}
END_TEST

/* The same number in both, in one, in none, and another one. */
static const struct {
	const char *a, *b;
	bool may;
} pairs[] = { { "SessionGroup=5", "SessionGroup=5", true },
	{ "SessionGroup=5", "", false }, { "", "SessionGroup=5", false },
	{ "SessionGroup=5", "SessionGroup=6", false } };

START_TEST(only_the_policy_lets_a_pair_share)
{
	size_t pairs_named = 0;

	set_flags(3, pairs[_i].a);
	set_flags(4, pairs[_i].b);
	ev[3].group = ev[4].group = 5;
	ev[3].circuit = ev[4].circuit = 9;
	judge(MANY);
	for (size_t i = 0; i < v.nfails; i++)
		pairs_named += v.fails[i].kind == ISO_FAIL_SAME_GROUP ||
		    v.fails[i].kind == ISO_FAIL_SAME_CIRCUIT;
	ck_assert_uint_eq(pairs_named, pairs[_i].may ? 0 : 2);
	ck_assert(verdict_ok(&v) == pairs[_i].may);
	ck_assert_uint_eq(v.nsharing, pairs[_i].may);
	ck_assert((strstr(summary(), "; 1 share by the policy.") != NULL) ==
	    pairs[_i].may);
}
END_TEST

START_TEST(a_silent_listener_is_a_failure)
{
	ev[3].seen = ISO_UNSEEN;
	ev[4].seen = ISO_UNSEEN;
	ev[3].group = ev[4].group = 0; /* no pair: nothing is known */
	judge(MANY);
	ck_assert_uint_eq(v.nfails, 2);
	ck_assert_str_eq(failure(0), "\"n3\" at 10.0.0.1:9003: Tor showed no "
	    "stream of it, so nothing is proven.");
	ck_assert_int_eq(verdict_flags(&ev[3], &policy), ISO_FLAGS_UNKNOWN);
}
END_TEST

START_TEST(what_is_not_provable_is_counted)
{
	ev[3].seen = ISO_UNPROVABLE;
	judge(MANY - 1);
	ck_assert(verdict_ok(&v));
	ck_assert_str_eq(summary(), "38 listeners: every pair isolated; "
	    "isolation flags in force; 0 of 0 circuits seen; 1 not provable; "
	    "1 not listening.");
	set_flags(5, "IsolateDestAddr");
	judge(MANY - 1);
	ck_assert_str_eq(summary(), "not isolated: 1 failures in 39 "
	    "listeners; 0 of 0 circuits seen; 1 not provable; 1 not "
	    "listening.");
}
END_TEST

START_TEST(nothing_looked_at_is_not_isolated)
{
	judge(0);
	ck_assert(!verdict_ok(&v));
	ck_assert_str_eq(summary(), "not isolated: of 0 listeners none could "
	    "be looked at; 40 not listening.");
	ev[0].seen = ISO_UNPROVABLE;
	judge(1);
	ck_assert(!verdict_ok(&v));
}
END_TEST

/* k in one group: k - 1 sentences, and no more than fit. */
START_TEST(failures_are_bounded)
{
	for (size_t i = 0; i < MANY; i++)
		ev[i].group = -1;
	judge(MANY);
	ck_assert_uint_eq(v.nfails, MANY - 1);
	for (size_t i = 0; i < VERDICT_MAX_FAILS; i++) {
		ck_assert_uint_eq(v.fails[i].a, i);
		ck_assert_uint_eq(v.fails[i].b, i + 1);
	}
}
END_TEST

/* The longest names there are: cut, not beyond the end. */
START_TEST(long_names_are_cut)
{
	struct pol_listener *l = &policy.listeners[0];
	char text[SNAP_TEXT];

	memset(l->name, 'n', sizeof l->name - 1);
	l->addr.family = AF_UNIX;
	memset(l->path, 'p', sizeof l->path - 1);
	verdict_failure(text, sizeof text,
	    &(struct iso_fail){ .kind = ISO_FAIL_SAME_GROUP, .b = 0 },
	    &policy, NULL);
	ck_assert_uint_eq(strlen(text), sizeof text - 1);
}
END_TEST

static Suite *
verdict_suite(void)
{
	Suite *s = suite_create("verdict");
	TCase *tc = tcase_create("verdict");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, flags_demand_fields, 0, NELEM(wants));
	tcase_add_test(tc, a_unix_socket_has_no_client_address);
	tcase_add_loop_test(tc, field_names_are_read_exactly, 0,
	    NELEM(lists));
	tcase_add_loop_test(tc, groups_are_numbers, 0, NELEM(groups));
	tcase_add_test(tc, all_different_is_isolated);
	tcase_add_loop_test(tc, two_circuits_are_compared_or_none_is_proven,
	    0, NELEM(compared));
	tcase_add_test(tc, a_disturbed_listener_is_a_failure);
	tcase_add_loop_test(tc, not_every_flag_is_shown, 0, NELEM(covered));
	tcase_add_test(tc, a_lost_flag_is_named);
	tcase_add_test(tc, below_1024_only_a_restart_helps);
	tcase_add_test(tc, a_flag_too_many_is_named);
	tcase_add_test(tc, user_name_and_password_are_one_flag);
	tcase_add_test(tc, without_session_groups_nothing_is_isolated);
	tcase_add_loop_test(tc, the_group_must_be_the_policys, 0,
	    NELEM(grouped));
	tcase_add_test(tc, a_pair_in_one_group_is_named);
	tcase_add_test(tc, a_pair_on_one_circuit_is_named);
	tcase_add_loop_test(tc, only_the_policy_lets_a_pair_share, 0,
	    NELEM(pairs));
	tcase_add_test(tc, a_silent_listener_is_a_failure);
	tcase_add_test(tc, what_is_not_provable_is_counted);
	tcase_add_test(tc, nothing_looked_at_is_not_isolated);
	tcase_add_test(tc, failures_are_bounded);
	tcase_add_test(tc, long_names_are_cut);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr = srunner_create(verdict_suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
