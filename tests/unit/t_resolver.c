/* The resolver's decisions: names, permissions, answers, questions. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/resolver/answer.h"
#include "supervisor/resolver/names.h"
#include "supervisor/resolver/question.h"
#include "supervisor/resolver/want.h"

#define SECOND 1000u

static struct names names;
static struct name_list list;
static struct answer good, bad;

static void
add_name(const char *host, uint8_t flags)
{
	strcpy(list.host[list.n].host, host);
	list.host[list.n++].flags = flags;
}

static void
setup(void)
{
	names_init(&names);
	memset(&list, 0, sizeof list);
	list.generation = 1;
	list.enabled = 1;
	memset(&good, 0, sizeof good);
	good.state = NAME_OK;
	good.n = 1;
	good.ttl_s = 100;
	good.addr[0].family = AF_INET;
	memset(&bad, 0, sizeof bad);
	bad.state = NAME_NXDOMAIN;
}

/* Number 0 is under way since NOW, and that ends with A. */
static void
look_up(const struct answer *a, uint64_t now, uint32_t dice)
{
	ck_assert_uint_eq(names_due(&names, now), 0);
	names.entry[0].busy = true;
	ck_assert_uint_eq(names_due(&names, now), NAMES_NONE);
	names_done(&names, 0, a, now, dice);
}

START_TEST(nothing_is_due_unless_enabled)
{
	add_name("a.example", NAME_F_LOOKUP | NAME_F_STUB);
	list.enabled = 0;
	names_take(&names, &list, 1);
	ck_assert_uint_eq(names_due(&names, 1), NAMES_NONE);
	ck_assert_uint_eq(names_next(&names), NAMES_NEVER);
	list.enabled = 1;
	names_take(&names, &list, 2);
	ck_assert_uint_eq(names_due(&names, 2), 0);
	names_suspend(&names);
	ck_assert_uint_eq(names_due(&names, 2), NAMES_NONE);
}
END_TEST

START_TEST(a_good_answer_is_asked_for_again_by_its_ttl)
{
	static const uint32_t dices[] = { 0, 1, 12345, UINT32_MAX };

	add_name("a.example", NAME_F_LOOKUP);
	names_take(&names, &list, 1);
	look_up(&good, SECOND, dices[_i]);
	ck_assert_uint_eq(names_due(&names, 90 * SECOND), NAMES_NONE);
	ck_assert_uint_eq(names_due(&names, 101 * SECOND), 0);
	/* Never sooner than the least TTL. */
	good.ttl_s = NAME_TTL_MIN_S;
	look_up(&good, 101 * SECOND, dices[_i]);
	ck_assert_uint_eq(names_due(&names, 130 * SECOND), NAMES_NONE);
	ck_assert_uint_eq(names_due(&names, 131 * SECOND), 0);
}
END_TEST

START_TEST(a_failure_is_tried_again_later_and_later)
{
	uint64_t now = SECOND, wait = 0, before;

	add_name("a.example", NAME_F_LOOKUP);
	names_take(&names, &list, now);
	for (int i = 0; i < 40; i++) {
		before = wait;
		look_up(&bad, now, UINT32_MAX);
		wait = names_next(&names) - now;
		ck_assert_uint_ge(wait, NAMES_RETRY_MIN_MS);
		ck_assert_uint_le(wait, NAMES_RETRY_MAX_MS * 11 / 10);
		if (i > 0 && i < 4)
			ck_assert_uint_gt(wait, before);
		now += wait;
	}
	look_up(&good, now, 0);
	now = names_next(&names);
	look_up(&bad, now, 0);
	ck_assert_uint_eq(names_next(&names) - now, NAMES_RETRY_MIN_MS);
}
END_TEST

START_TEST(what_never_left_is_tried_more_often)
{
	add_name("a.example", NAME_F_LOOKUP);
	names_take(&names, &list, 1);
	bad.state = NAME_BLOCKED;
	for (uint64_t now = SECOND; now < 1000 * SECOND;
	    now = names_next(&names)) {
		look_up(&bad, now, UINT32_MAX);
		ck_assert_uint_le(names_next(&names) - now,
		    NAMES_BLOCKED_MAX_MS * 11 / 10);
	}
}
END_TEST

START_TEST(a_failure_keeps_the_addresses_while_they_are_valid)
{
	struct name_result r;

	add_name("a.example", NAME_F_LOOKUP);
	names_take(&names, &list, 1);
	look_up(&good, SECOND, 0);
	names_expire(&names, 100 * SECOND);
	look_up(&bad, 101 * SECOND, 0);
	names_result(&names, 0, 101 * SECOND, &r);
	ck_assert(name_result_ok(&r));
	ck_assert_uint_eq(r.state, NAME_NXDOMAIN);
	ck_assert_uint_eq(r.n, 1);
	ck_assert_uint_eq(r.ttl_s, NAMES_GRACE_MS / SECOND);
	names.entry[0].told = true;
	names_expire(&names, 101 * SECOND + NAMES_GRACE_MS);
	ck_assert(!names.entry[0].told);
	names_result(&names, 0, 200 * SECOND, &r);
	ck_assert(name_result_ok(&r));
	ck_assert_uint_eq(r.n, 0);
}
END_TEST

START_TEST(what_has_expired_is_unknown)
{
	struct name_result r;

	add_name("a.example", NAME_F_LOOKUP);
	names_take(&names, &list, 1);
	look_up(&good, SECOND, 0);
	names_expire(&names, 200 * SECOND);
	names_result(&names, 0, 200 * SECOND, &r);
	ck_assert(name_result_ok(&r));
	ck_assert_uint_eq(r.state, NAME_UNKNOWN);
}
END_TEST

START_TEST(a_new_list_keeps_what_is_known_of_names_that_stay)
{
	add_name("a.example", NAME_F_LOOKUP);
	names_take(&names, &list, 1);
	look_up(&good, SECOND, 0);
	names.entry[0].granted_ms = 90 * SECOND;
	list.n = 0;
	add_name("b.example", NAME_F_LOOKUP);
	add_name("a.example", NAME_F_STUB);
	names_take(&names, &list, 2 * SECOND);
	ck_assert_uint_eq(names_find(&names, "A.Example"), 1);
	ck_assert_uint_eq(names.entry[1].n, 1);
	ck_assert_uint_eq(names.entry[1].granted_ms, 0);
	ck_assert(!names.entry[1].told);
	ck_assert_uint_eq(names_due(&names, 2 * SECOND), 0);
	list.n = 1;
	names_take(&names, &list, 3 * SECOND);
	ck_assert_uint_eq(names_find(&names, "a.example"), NAMES_NONE);
}
END_TEST

START_TEST(a_transport_gets_an_answer_that_is_in_force)
{
	add_name("a.example", NAME_F_STUB);
	add_name("b.example", 0);
	names_take(&names, &list, 1);
	ck_assert_uint_eq(names_due(&names, 1), NAMES_NONE);
	ck_assert_int_eq(names_reply(&names, "b.example", 1, 1),
	    NAMES_R_REFUSE);
	ck_assert_int_eq(names_reply(&names, "c.example", 1, 1),
	    NAMES_R_REFUSE);
	ck_assert_int_eq(names_reply(&names, "A.EXAMPLE", 1, 1),
	    NAMES_R_LOOKUP);
	names.entry[0].asked = true;
	ck_assert_int_eq(names_reply(&names, "a.example", 1, 1),
	    NAMES_R_WAIT);
	look_up(&good, SECOND, 0);
	ck_assert_int_eq(names_reply(&names, "a.example", 1, SECOND),
	    NAMES_R_GRANT);
	names.entry[0].granted_ms = 50 * SECOND;
	ck_assert_int_eq(names_reply(&names, "a.example", 1, SECOND),
	    NAMES_R_ADDRS);
	ck_assert_int_eq(names_reply(&names, "a.example", 1, 50 * SECOND),
	    NAMES_R_GRANT);
	/* Its time is up: the grace is the engine's, no asker's. */
	ck_assert_int_eq(names_reply(&names, "a.example", 1, 101 * SECOND),
	    NAMES_R_LOOKUP);
	names_suspend(&names);
	ck_assert_int_eq(names_reply(&names, "a.example", 1, SECOND),
	    NAMES_R_REFUSE);
}
END_TEST

START_TEST(other_addresses_are_not_in_force)
{
	add_name("a.example", NAME_F_STUB);
	names_take(&names, &list, 1);
	names.entry[0].asked = true;
	look_up(&good, SECOND, 0);
	names.entry[0].granted_ms = 90 * SECOND;
	names.entry[0].asked = true;
	look_up(&good, 2 * SECOND, 0);
	ck_assert_int_eq(names_reply(&names, "a.example", 1, 2 * SECOND),
	    NAMES_R_ADDRS);
	good.addr[0].v4.s_addr = 7;
	names.entry[0].asked = true;
	look_up(&good, 3 * SECOND, 0);
	ck_assert_int_eq(names_reply(&names, "a.example", 1, 3 * SECOND),
	    NAMES_R_GRANT);
}
END_TEST

START_TEST(a_failure_answers_for_a_moment)
{
	const uint64_t done = 10 * SECOND;

	add_name("a.example", NAME_F_STUB);
	names_take(&names, &list, 1);
	names.entry[0].asked = true;
	bad.state = _i == 0 ? NAME_NXDOMAIN : _i == 1 ? NAME_EMPTY :
	    NAME_TIMEOUT;
	look_up(&bad, done, 0);
	ck_assert_int_eq(names_reply(&names, "a.example", done - 1,
	    done + 9 * SECOND), _i == 0 ? NAMES_R_NXDOMAIN : _i == 1 ?
	    NAMES_R_EMPTY : NAMES_R_FAIL);
	ck_assert_int_ne(names_reply(&names, "a.example",
	    done + NAMES_NEGATIVE_MS - 1, done + NAMES_NEGATIVE_MS - 1),
	    NAMES_R_LOOKUP);
	ck_assert_int_eq(names_reply(&names, "a.example",
	    done + NAMES_NEGATIVE_MS, done + NAMES_NEGATIVE_MS),
	    NAMES_R_LOOKUP);
}
END_TEST

/* --- permissions ---------------------------------------------------------- */

static struct want want;

static enum want_result
go(uint32_t id, uint32_t ok)
{
	const struct name_go g = { .magic = NAME_GO_MAGIC, .id = id,
		.ok = ok };

	return want_go(&want, &g);
}

START_TEST(nothing_leaves_before_the_answer_to_the_newest_want)
{
	uint32_t id;

	want_reset(&want);
	want_set(&want, &names, true, NAMES_NONE, 1);
	ck_assert(name_want_ok(&want.msg));
	id = want.msg.id;
	ck_assert_int_eq(go(id, 1), WANT_STALE); /* it was never sent */
	ck_assert(!want.lookup_ok);
	want.sent = true;
	ck_assert_int_eq(go(id + 1, 1), WANT_STALE);
	ck_assert(!want.lookup_ok);
	ck_assert_int_eq(go(id, 1), WANT_GRANTED);
	ck_assert(want.lookup_ok);
	ck_assert_int_eq(go(id, 0), WANT_STALE); /* once answered */
	want_set(&want, &names, true, NAMES_NONE, 2);
	ck_assert_uint_eq(want.msg.id, id);
	want_set(&want, &names, false, NAMES_NONE, 3);
	ck_assert_uint_ne(want.msg.id, id);
	ck_assert(!want.lookup_ok);
	want_set(&want, &names, true, NAMES_NONE, 4);
	ck_assert(!want.lookup_ok);
}
END_TEST

START_TEST(a_want_of_addresses_leaves_lookups_alone)
{
	add_name("a.example", NAME_F_STUB);
	names_take(&names, &list, 1);
	names.entry[0].asked = true;
	look_up(&good, SECOND, 0);
	want_reset(&want);
	want_set(&want, &names, true, NAMES_NONE, SECOND);
	want.sent = true;
	ck_assert_int_eq(go(want.msg.id, 1), WANT_GRANTED);
	want_set(&want, &names, true, 0, SECOND);
	ck_assert(name_want_ok(&want.msg));
	ck_assert(!want.sent && want.lookup_ok);
	want.sent = true;
	/* The same addresses a second later are the same want. */
	want_set(&want, &names, true, 0, 2 * SECOND);
	ck_assert(want.sent);
	ck_assert_int_eq(go(want.msg.id, 0), WANT_DENIED);
	ck_assert(want.lookup_ok);
	/* Denied, and somebody else waits for them: they are asked for anew. */
	want_set(&want, &names, true, 0, 3 * SECOND);
	ck_assert(!want.sent && !want.answered && want.lookup_ok);
}
END_TEST

START_TEST(an_answer_that_does_not_come_is_a_denial)
{
	want_reset(&want);
	ck_assert(!want_late(&want, 99 * SECOND));
	want_set(&want, &names, true, NAMES_NONE, SECOND);
	ck_assert(!want_late(&want, SECOND + WANT_ANSWER_MS - 1));
	ck_assert(want_late(&want, SECOND + WANT_ANSWER_MS));
	ck_assert_uint_eq(want_next(&want), SECOND + WANT_ANSWER_MS);
	want_set(&want, &names, false, NAMES_NONE, 2 * SECOND);
	ck_assert(!want_late(&want, 99 * SECOND)); /* nobody waits for it */
	want_reset(&want);
	ck_assert(!want.lookup_ok);
}
END_TEST

/* --- addresses ------------------------------------------------------------ */

static const struct {
	const char *addr;
	bool public, private; /* taken without and with permission */
} addrs[] = {
	{ "8.8.8.8", true, true },
	{ "198.18.0.53", true, true },
	{ "172.15.255.255", true, true },
	{ "172.32.0.0", true, true },
	{ "100.63.255.255", true, true },
	{ "100.128.0.0", true, true },
	{ "10.0.0.1", false, true },
	{ "172.16.0.1", false, true },
	{ "172.31.255.255", false, true },
	{ "192.168.1.1", false, true },
	{ "127.0.0.1", false, true },
	{ "127.255.255.254", false, true },
	{ "169.254.1.1", false, true },
	{ "100.64.0.1", false, true },
	{ "0.0.0.0", false, false },
	{ "0.1.2.3", false, false },
	{ "224.0.0.1", false, false },
	{ "240.0.0.1", false, false },
	{ "255.255.255.255", false, false },
	{ "2001:db8::1", true, true },
	{ "2606:4700::1111", true, true },
	{ "::1", false, true },
	{ "fc00::1", false, true },
	{ "fdff::1", false, true },
	{ "::", false, false },
	{ "fe80::1", false, false },
	{ "febf::1", false, false },
	{ "fec0::1", false, false },
	{ "ff02::1", false, false },
	{ "::ffff:8.8.8.8", false, false },
	{ "::ffff:127.0.0.1", false, false },
	{ "::8.8.8.8", false, false },
	{ "64:ff9b::8.8.8.8", true, true },
	{ "64:ff9b::10.0.0.1", false, true },
	{ "64:ff9b::224.0.0.1", false, false },
	{ "2002:0808:0808::1", true, true },
	{ "2002:7f00:0001::1", false, true },
};

START_TEST(only_addresses_out_there_are_taken)
{
	struct pol_addr a;

	ck_assert(pol_addr_parse(&a, addrs[_i].addr));
	ck_assert_int_eq(answer_addr_ok(&a, false), addrs[_i].public);
	ck_assert_int_eq(answer_addr_ok(&a, true), addrs[_i].private);
}
END_TEST

START_TEST(the_answer_that_tells_more_wins)
{
	static const enum name_state order[] = { NAME_EMPTY, NAME_NXDOMAIN,
		NAME_TIMEOUT, NAME_REFUSED, NAME_UNREACHABLE, NAME_PRIVATE,
		NAME_BAD, NAME_TLS, NAME_BLOCKED, NAME_OK };
	const size_t n = sizeof order / sizeof order[0];

	for (size_t i = 0; i < n; i++)
		for (size_t j = 0; j < n; j++) {
			struct answer a = good, b = good;

			a.state = order[i];
			b.state = order[j];
			a.n = a.state == NAME_OK;
			b.n = b.state == NAME_OK;
			answer_join(&a, &b);
			ck_assert_int_eq(a.state, order[i > j ? i : j]);
		}
}
END_TEST

START_TEST(two_families_are_one_answer)
{
	struct answer a = good, b = good;

	b.addr[0].family = AF_INET6;
	b.ttl_s = 40;
	answer_join(&a, &b);
	ck_assert_uint_eq(a.n, 2);
	ck_assert_uint_eq(a.ttl_s, 40);
	answer_join(&a, &b);
	ck_assert_uint_eq(a.n, 2); /* each once */
	for (uint32_t i = 0; i < NAME_MAX_ADDRS; i++) {
		b.addr[i].family = AF_INET6;
		b.addr[i].v6.s6_addr[0] = (uint8_t)(i + 1);
	}
	b.n = NAME_MAX_ADDRS;
	answer_join(&a, &b);
	ck_assert_int_eq(a.state, NAME_BAD);
	ck_assert_uint_eq(a.n, 0);
}
END_TEST

/* --- an answer's octets --------------------------------------------------- */

/* "a.b A": one address, 203.0.113.5, TTL 60. */
static const unsigned char message[] = "\x12\x34\x81\x80\0\1\0\1\0\0\0\0"
    "\1a\1b\0\0\1\0\1" "\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4\xcb\0\x71\5";

static enum name_state
read_as(const char *host, int family, const unsigned char *msg, size_t n)
{
	const struct answer_bytes bytes = { msg, n };
	struct answer a;

	answer_read(&a, host, family, false, &bytes);
	ck_assert((a.state == NAME_OK) == (a.n != 0));
	return a.state;
}

START_TEST(an_answer_is_read_whole_or_not_at_all)
{
	const size_t n = sizeof message - 1;
	unsigned char copy[sizeof message];

	ck_assert_int_eq(read_as("a.b", AF_INET, message, n), NAME_OK);
	ck_assert_int_eq(read_as("A.B", AF_INET, message, n), NAME_OK);
	ck_assert_int_eq(read_as("a.c", AF_INET, message, n), NAME_BAD);
	ck_assert_int_eq(read_as("a.b", AF_INET6, message, n), NAME_BAD);
	for (size_t i = 0; i < n; i++)
		ck_assert_int_eq(read_as("a.b", AF_INET, message, i),
		    NAME_BAD);
	memcpy(copy, message, sizeof copy);
	copy[2] = 1; /* a question */
	ck_assert_int_eq(read_as("a.b", AF_INET, copy, n), NAME_BAD);
	memcpy(copy, message, sizeof copy);
	copy[3] |= 3;
	ck_assert_int_eq(read_as("a.b", AF_INET, copy, n), NAME_BAD);
	memcpy(copy, message, sizeof copy);
	copy[7] = 129; /* so many records are not even looked at */
	ck_assert_int_eq(read_as("a.b", AF_INET, copy, n), NAME_BAD);
	memcpy(copy, message, sizeof copy);
	copy[n - 4] = 10;
	ck_assert_int_eq(read_as("a.b", AF_INET, copy, n), NAME_PRIVATE);
	memcpy(copy, message, sizeof copy);
	copy[n - 15] = 0x0d; /* a pointer into the middle of the name */
	ck_assert_int_ne(read_as("a.b", AF_INET, copy, n), NAME_OK);
}
END_TEST

/* --- what libevent may be given ------------------------------------------- */

START_TEST(what_a_broken_answer_is_to)
{
	/* Nine records, and none there. */
	static const unsigned char broken[] =
	    "\x12\x34\x81\x80\0\1\0\x9\0\0\0\0" "\1a\1b\0\0\1\0\1";
	const struct answer_bytes whole = { broken, sizeof broken - 1 };

	ck_assert(answer_is_to("a.B", AF_INET, &whole));
	ck_assert(!answer_is_to("a.b", AF_INET6, &whole));
	ck_assert(!answer_is_to("a.c", AF_INET, &whole));
	for (size_t i = 0; i < whole.n; i++)
		ck_assert(!answer_is_to("a.b", AF_INET,
		    &(struct answer_bytes){ broken, i }));
}
END_TEST

START_TEST(only_a_whole_question_is_one)
{
	static const unsigned char q[] = "\x12\x34\1\0\0\1\0\0\0\0\0\0"
	    "\1a\1b\0\0\1\0\1";
	unsigned char copy[sizeof q];
	const size_t n = sizeof q - 1;

	ck_assert(question_ok(q, n));
	for (size_t i = 0; i < n; i++)
		ck_assert(!question_ok(q, i));
	for (size_t at = 2; at < 12; at++) {
		memcpy(copy, q, sizeof copy);
		copy[at] = 0x88;
		if (at != 3) /* flags that ask for nothing of ours */
			ck_assert(!question_ok(copy, n));
	}
	memcpy(copy, q, sizeof copy);
	copy[12] = 0xc0; /* a pointer */
	ck_assert(!question_ok(copy, n));
	copy[12] = 63;
	ck_assert(!question_ok(copy, n));
	memcpy(copy, q, sizeof copy);
	copy[11] = 1; /* EDNS is told, and may follow */
	ck_assert(question_ok(copy, n));
}
END_TEST

START_TEST(a_name_that_is_too_long_is_none)
{
	unsigned char q[600] = "\x12\x34\1\0\0\1\0\0\0\0\0\0";
	size_t at = 12;

	for (int i = 0; i < 5; i++) {
		q[at] = 63;
		memset(q + at + 1, 'x', 63);
		at += 64;
	}
	ck_assert(!question_ok(q, at + 5));
	q[12 + 3 * 64] = 61;
	q[12 + 3 * 64 + 62] = 0;
	ck_assert(question_ok(q, 12 + 3 * 64 + 62 + 5));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("resolver");
	TCase *tc = tcase_create("resolver");
	SRunner *sr = srunner_create(s);
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, nothing_is_due_unless_enabled);
	tcase_add_loop_test(tc, a_good_answer_is_asked_for_again_by_its_ttl,
	    0, 4);
	tcase_add_test(tc, a_failure_is_tried_again_later_and_later);
	tcase_add_test(tc, what_never_left_is_tried_more_often);
	tcase_add_test(tc, a_failure_keeps_the_addresses_while_they_are_valid);
	tcase_add_test(tc, what_has_expired_is_unknown);
	tcase_add_test(tc, a_new_list_keeps_what_is_known_of_names_that_stay);
	tcase_add_test(tc, a_transport_gets_an_answer_that_is_in_force);
	tcase_add_test(tc, other_addresses_are_not_in_force);
	tcase_add_loop_test(tc, a_failure_answers_for_a_moment, 0, 3);
	tcase_add_test(tc,
	    nothing_leaves_before_the_answer_to_the_newest_want);
	tcase_add_test(tc, a_want_of_addresses_leaves_lookups_alone);
	tcase_add_test(tc, an_answer_that_does_not_come_is_a_denial);
	tcase_add_loop_test(tc, only_addresses_out_there_are_taken, 0,
	    (int)(sizeof addrs / sizeof addrs[0]));
	tcase_add_test(tc, the_answer_that_tells_more_wins);
	tcase_add_test(tc, two_families_are_one_answer);
	tcase_add_test(tc, an_answer_is_read_whole_or_not_at_all);
	tcase_add_test(tc, what_a_broken_answer_is_to);
	tcase_add_test(tc, only_a_whole_question_is_one);
	tcase_add_test(tc, a_name_that_is_too_long_is_none);
	suite_add_tcase(s, tc);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
