/* The checks on what crosses between engine and resolver. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/namemsg.h"

static struct name_list list;
static struct name_result result;
static struct name_want want;
static struct name_tryout try;

static void
setup(void)
{
	memset(&list, 0, sizeof list);
	list.magic = NAME_LIST_MAGIC;
	list.generation = 1;
	list.n = 2;
	strcpy(list.host[0].host, "front.example");
	strcpy(list.host[1].host, "stun.example");
	list.host[0].flags = NAME_F_STUB;
	memset(&result, 0, sizeof result);
	result.magic = NAME_RESULT_MAGIC;
	result.generation = 1;
	memset(&want, 0, sizeof want);
	want.magic = NAME_WANT_MAGIC;
	want.id = 1;
	want.host = UINT32_MAX;
	memset(&try, 0, sizeof try);
	try.magic = NAME_TRY_MAGIC;
	try.id = try.port = 1;
	try.addr.family = AF_INET;
}

START_TEST(zeroes_are_nothing)
{
	struct name_go go = { 0 };
	struct name_verdict_msg verdict = { 0 };
	struct name_count count = { 0 };

	list = (struct name_list){ 0 };
	ck_assert(!name_list_ok(&list));
	result = (struct name_result){ 0 };
	ck_assert(!name_result_ok(&result));
	want = (struct name_want){ 0 };
	ck_assert(!name_want_ok(&want));
	try = (struct name_tryout){ 0 };
	ck_assert(!name_tryout_ok(&try));
	ck_assert(!name_go_ok(&go));
	ck_assert(!name_verdict_ok(&verdict));
	ck_assert(!name_count_ok(&count));
}
END_TEST

START_TEST(a_list_holds_host_names)
{
	ck_assert(name_list_ok(&list));
	list.enabled = 1;
	ck_assert(name_list_ok(&list));
	list.n = 0;
	ck_assert(!name_list_ok(&list)); /* names beyond its end */
	memset(list.host, 0, sizeof list.host);
	ck_assert(name_list_ok(&list));
}
END_TEST

static void spoil_enabled(void) { list.enabled = 2; }
static void spoil_generation(void) { list.generation = 0; }
static void spoil_n(void) { list.n = NAME_MAX_HOSTS + 1; }
static void spoil_name(void) { list.host[1].host[0] = ' '; }
static void spoil_empty(void) { memset(&list.host[1], 0, sizeof list.host[1]); }
static void spoil_tail(void) { list.host[1].host[POL_HOST_LEN - 1] = 'x'; }
static void spoil_end(void) { memset(list.host[1].host, 'x', POL_HOST_LEN); }
static void spoil_twice(void) { strcpy(list.host[1].host, "front.example"); }
static void spoil_flags(void) { list.host[0].flags = 4; }
static void spoil_reserved(void) { list.host[0].reserved = 1; }
static void spoil_beyond(void) { list.host[2].flags = 1; }

static void (*const spoils[])(void) = { spoil_enabled, spoil_generation,
	spoil_n, spoil_name, spoil_empty, spoil_tail, spoil_end, spoil_twice,
	spoil_flags, spoil_reserved, spoil_beyond };

START_TEST(a_spoilt_list_is_none)
{
	spoils[_i]();
	ck_assert(!name_list_ok(&list));
}
END_TEST

START_TEST(a_result_has_addresses_or_no_ttl)
{
	ck_assert(name_result_ok(&result));
	result.state = NAME_OK;
	ck_assert(!name_result_ok(&result));
	result.n = 1;
	result.ttl_s = 60;
	ck_assert(!name_result_ok(&result)); /* no family */
	result.addr[0].family = AF_INET6;
	ck_assert(name_result_ok(&result));
	result.state = NAME_TIMEOUT; /* they are the last answer's */
	ck_assert(name_result_ok(&result));
	result.state = NAME_UNKNOWN;
	ck_assert(!name_result_ok(&result));
	result.state = NAME_NSTATE;
	ck_assert(!name_result_ok(&result));
	result.state = NAME_OK;
	result.ttl_s = 0;
	ck_assert(!name_result_ok(&result));
	result.ttl_s = NAME_TTL_MAX_S + 1;
	ck_assert(!name_result_ok(&result));
	result.ttl_s = NAME_TTL_MAX_S;
	ck_assert(name_result_ok(&result));
	result.addr[1].family = AF_INET;
	ck_assert(!name_result_ok(&result)); /* beyond the first */
	result.addr[1].family = 0;
	result.host = NAME_MAX_HOSTS;
	ck_assert(!name_result_ok(&result));
}
END_TEST

START_TEST(too_many_addresses_are_none)
{
	result.state = NAME_OK;
	result.ttl_s = 60;
	for (size_t i = 0; i < NAME_MAX_ADDRS; i++)
		result.addr[i].family = AF_INET;
	result.n = NAME_MAX_ADDRS;
	ck_assert(name_result_ok(&result));
	result.n++;
	ck_assert(!name_result_ok(&result));
	result.n = UINT32_MAX;
	ck_assert(!name_result_ok(&result));
}
END_TEST

START_TEST(a_want_names_a_host_with_addresses_or_none)
{
	ck_assert(name_want_ok(&want));
	want.lookup = 2;
	ck_assert(!name_want_ok(&want));
	want.lookup = 1;
	want.generation = 1;
	ck_assert(!name_want_ok(&want));
	want.host = 0;
	ck_assert(!name_want_ok(&want));
	want.n = 1;
	want.addr[0].family = AF_INET;
	ck_assert(!name_want_ok(&want));
	want.ttl_s = 30;
	ck_assert(name_want_ok(&want));
	want.host = NAME_MAX_HOSTS;
	ck_assert(!name_want_ok(&want));
	want.host = UINT32_MAX;
	ck_assert(!name_want_ok(&want));
}
END_TEST

START_TEST(a_go_has_an_id_and_a_truth)
{
	struct name_go go = { .magic = NAME_GO_MAGIC, .id = 1, .ok = 1 };

	ck_assert(name_go_ok(&go));
	go.ok = 2;
	ck_assert(!name_go_ok(&go));
	go.ok = 0;
	go.reserved = 1;
	ck_assert(!name_go_ok(&go));
}
END_TEST

START_TEST(a_proxy_needs_a_target)
{
	ck_assert(name_tryout_ok(&try));
	try.kind = NAME_TRY_SOCKS5;
	ck_assert(!name_tryout_ok(&try));
	try.target.family = AF_INET6;
	ck_assert(!name_tryout_ok(&try));
	try.target_port = 443;
	ck_assert(name_tryout_ok(&try));
	try.target_port = 65536;
	ck_assert(!name_tryout_ok(&try));
	try.target_port = 443;
	try.kind = NAME_NTRY;
	ck_assert(!name_tryout_ok(&try));
	try.kind = NAME_TRY_HTTPS;
	try.port = 65536;
	ck_assert(!name_tryout_ok(&try));
}
END_TEST

START_TEST(a_password_is_a_text_of_its_own)
{
	strcpy(try.user, "me");
	ck_assert(!name_tryout_ok(&try)); /* not announced */
	try.has_auth = 1;
	ck_assert(name_tryout_ok(&try));
	try.password[255] = 'x';
	ck_assert(!name_tryout_ok(&try));
	memset(try.password, 'x', sizeof try.password);
	ck_assert(!name_tryout_ok(&try));
	try.password[255] = '\0';
	ck_assert(name_tryout_ok(&try));
	try.has_auth = 2;
	ck_assert(!name_tryout_ok(&try));
}
END_TEST

START_TEST(verdicts_and_counts)
{
	struct name_verdict_msg v = { .magic = NAME_VERDICT_MAGIC, .id = 1,
		.verdict = NAME_V_OK };
	struct name_count c = { .magic = NAME_COUNT_MAGIC, .serving = 1 };

	ck_assert(name_verdict_ok(&v));
	v.verdict = NAME_NVERDICT;
	ck_assert(!name_verdict_ok(&v));
	v.verdict = NAME_V_NONE;
	ck_assert(!name_verdict_ok(&v));
	ck_assert(name_count_ok(&c));
	c.serving = 2;
	ck_assert(!name_count_ok(&c));
}
END_TEST

START_TEST(every_value_has_a_name_of_its_own)
{
	for (int i = 0; i < NAME_NSTATE; i++)
		for (int j = 0; j <= i; j++)
			ck_assert((i == j) == (strcmp(
			    name_state_name((enum name_state)i),
			    name_state_name((enum name_state)j)) == 0));
	for (int i = 0; i < NAME_NVERDICT; i++)
		for (int j = 0; j <= i; j++)
			ck_assert((i == j) == (strcmp(
			    name_verdict_name((enum name_verdict)i),
			    name_verdict_name((enum name_verdict)j)) == 0));
	ck_assert_str_eq(name_state_name(NAME_NSTATE), "?");
	ck_assert_str_eq(name_verdict_name(NAME_NVERDICT), "?");
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("namemsg");
	TCase *tc = tcase_create("namemsg");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, zeroes_are_nothing);
	tcase_add_test(tc, a_list_holds_host_names);
	tcase_add_loop_test(tc, a_spoilt_list_is_none, 0,
	    (int)(sizeof spoils / sizeof spoils[0]));
	tcase_add_test(tc, a_result_has_addresses_or_no_ttl);
	tcase_add_test(tc, too_many_addresses_are_none);
	tcase_add_test(tc, a_want_names_a_host_with_addresses_or_none);
	tcase_add_test(tc, a_go_has_an_id_and_a_truth);
	tcase_add_test(tc, a_proxy_needs_a_target);
	tcase_add_test(tc, a_password_is_a_text_of_its_own);
	tcase_add_test(tc, verdicts_and_counts);
	tcase_add_test(tc, every_value_has_a_name_of_its_own);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
