/* The checks on what crosses between engine and gate. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/gatemsg.h"

static struct gate_req req;
static struct gate_report rep;
static struct gate_relays page;

static void
setup(void)
{
	memset(&req, 0, sizeof req);
	req.magic = GATE_MAGIC;
	memset(&rep, 0, sizeof rep);
	rep.magic = GATE_REPORT_MAGIC;
}

static void
make_open(void)
{
	req.want = GATE_OPEN;
	req.lease_ms = POL_LEASE_DEFAULT_MS;
	req.proof_ns = 1;
}

START_TEST(zeroes_are_no_request)
{
	memset(&req, 0, sizeof req);
	ck_assert(!gate_req_ok(&req));
	memset(&rep, 0, sizeof rep);
	ck_assert(!gate_report_ok(&rep));
}
END_TEST

START_TEST(sync_is_bound_as_open_is)
{
	make_open();
	req.want = GATE_SYNC;
	ck_assert(gate_req_ok(&req));
	req.proof_ns = 0;
	ck_assert(!gate_req_ok(&req));
	req.proof_ns = 1;
	req.lease_ms = POL_LEASE_MAX_MS + 1;
	ck_assert(!gate_req_ok(&req));
	req.lease_ms = POL_LEASE_MAX_MS;
	req.ifaddr[0].family = AF_UNIX;
	ck_assert(!gate_req_ok(&req));
}
END_TEST

START_TEST(closed_and_tor_only_carry_nothing)
{
	req.want = (uint32_t)_i;
	ck_assert(gate_req_ok(&req));
	req.lease_ms = POL_LEASE_DEFAULT_MS;
	ck_assert(!gate_req_ok(&req));
	req.lease_ms = 0;
	req.proof_ns = 1;
	ck_assert(!gate_req_ok(&req));
	req.proof_ns = 0;
	gate_map_set(req.proven, POL_MAX_LISTENERS - 1);
	ck_assert(!gate_req_ok(&req));
}
END_TEST

START_TEST(open_needs_a_lease_within_bounds)
{
	static const struct {
		uint32_t lease;
		bool ok;
	} cases[] = { { 0, false }, { POL_LEASE_MIN_MS - 1, false },
		{ POL_LEASE_MIN_MS, true }, { POL_LEASE_MAX_MS, true },
		{ POL_LEASE_MAX_MS + 1, false }, { UINT32_MAX, false } };

	make_open();
	req.lease_ms = cases[_i].lease;
	ck_assert_int_eq(gate_req_ok(&req), cases[_i].ok);
}
END_TEST

START_TEST(open_needs_a_proof_time)
{
	make_open();
	ck_assert(gate_req_ok(&req));
	req.proof_ns = 0;
	ck_assert(!gate_req_ok(&req));
}
END_TEST

START_TEST(addresses_are_of_known_families_and_only_when_open)
{
	make_open();
	req.ifaddr[0].family = AF_INET;
	req.ifaddr[POL_MAX_IFADDRS - 1].family = AF_INET6;
	ck_assert(gate_req_ok(&req));
	req.want = GATE_CLOSED;
	req.lease_ms = 0;
	req.proof_ns = 0;
	ck_assert(!gate_req_ok(&req));
	make_open();
	req.ifaddr[3].family = AF_UNIX;
	ck_assert(!gate_req_ok(&req));
	req.ifaddr[3].family = 0;
	ck_assert(gate_req_ok(&req));
	req.ifaddr[3].v6.s6_addr[15] = 1; /* no address, and yet something */
	ck_assert(!gate_req_ok(&req));
}
END_TEST

START_TEST(unknown_values_are_refused)
{
	make_open();
	req.want = GATE_NWANT;
	ck_assert(!gate_req_ok(&req));
	make_open();
	req.permits = GATE_P_ALL + 1;
	ck_assert(!gate_req_ok(&req));
	ck_assert(gate_report_ok(&rep));
	rep.position = GATE_NWANT;
	ck_assert(!gate_report_ok(&rep));
	rep.position = GATE_CLOSED;
	rep.why = GATE_NWHY;
	ck_assert(!gate_report_ok(&rep));
	rep.why = GATE_WHY_START;
	rep.known = 2;
	ck_assert(!gate_report_ok(&rep));
	rep.known = 1;
	rep.refused = 2;
	ck_assert(!gate_report_ok(&rep));
	rep.refused = 1;
	rep.strict = 2;
	ck_assert(!gate_report_ok(&rep));
	rep.strict = 1;
	ck_assert(gate_report_ok(&rep));
	rep.absent = (1u << POL_MAX_IFACES) - 1;
	ck_assert(gate_report_ok(&rep));
	rep.absent = 1u << POL_MAX_IFACES;
	ck_assert(!gate_report_ok(&rep));
	rep.absent = 0;
	rep.reserved = 1;
	ck_assert(!gate_report_ok(&rep));
}
END_TEST

static void
make_page(void)
{
	memset(&page, 0, sizeof page);
	page.magic = GATE_RELAYS_MAGIC;
	page.generation = 1;
	page.total = 3;
	page.first = 1;
	page.n = 2;
	for (uint32_t i = 0; i < page.n; i++) {
		page.pair[i].addr[0] = 1;
		page.pair[i].addr[3] = 1;
		page.pair[i].port = 443;
	}
}

START_TEST(a_page_is_in_order)
{
	make_page();
	ck_assert(gate_relays_ok(&page));
	page.n = 0;
	memset(page.pair, 0, sizeof page.pair);
	ck_assert(!gate_relays_ok(&page));
	page.first = page.total = 0;
	ck_assert(gate_relays_ok(&page)); /* an empty list's only one */
	page.generation = 0;
	ck_assert(!gate_relays_ok(&page));
	memset(&page, 0, sizeof page);
	ck_assert(!gate_relays_ok(&page));
}
END_TEST

static void
spoil_page(int how)
{
	switch (how) {
	case 0: page.magic ^= 1; break;
	case 1: page.reserved = 1; break;
	case 2: page.generation = 0; break;
	case 3: page.total = 2 * POL_MAX_RELAYS + 1; break;
	case 4: page.n = GATE_RELAYS_PAGE + 1; break;
	case 5: page.first = 4; break;
	case 6: page.first = 2; break;
	case 7: page.first = UINT32_MAX; break;
	case 8: page.n = UINT32_MAX; break;
	case 9: page.n = 1; break; /* and something behind it */
	case 10: page.pair[GATE_RELAYS_PAGE - 1].port = 1; break;
	case 11: page.pair[1].port = 0; break;
	case 12: page.pair[1].v6 = 2; break;
	case 13: page.pair[1].reserved = 1; break;
	case 14: page.pair[1].addr[4] = 1; break; /* an IPv4's fifth octet */
	default: ck_abort();
	}
}
#define NSPOILS 15

START_TEST(a_page_that_is_not_in_order_is_none)
{
	make_page();
	spoil_page(_i);
	ck_assert(!gate_relays_ok(&page));
}
END_TEST

static struct gate_reach
good_reach(void)
{
	struct gate_reach r = { .magic = GATE_REACH_MAGIC,
		.who = GATE_REACH_RESOLVER, .seq = 1, .n = 2, .ttl_s = 60 };

	r.pair[0] = (struct gate_relay){ .addr = { 20, 1, 2, 3 },
		.port = 443 };
	r.pair[1] = (struct gate_relay){ .addr = { 0x20, 1 }, .port = 443,
		.v6 = 1 };
	return r;
}

START_TEST(single_addresses_are_in_order)
{
	struct gate_reach r = good_reach();

	ck_assert(gate_reach_ok(&r));
	r.ttl_s = GATE_REACH_MAX_S;
	r.who = GATE_REACH_TOR;
	for (uint32_t i = 2; i < GATE_REACH_PAIRS; i++)
		r.pair[i] = r.pair[i % 2];
	r.n = GATE_REACH_PAIRS;
	ck_assert(gate_reach_ok(&r));
}
END_TEST

START_TEST(single_addresses_that_are_not_in_order_are_none)
{
	struct gate_reach r = good_reach();
	uint32_t *const wrong[] = { &r.magic, &r.who, &r.reserved };

	switch (_i) {
	case 0: case 1: case 2:
		*wrong[_i] += GATE_NREACHER;
		break;
	case 3:
		r.seq = 0;
		break;
	case 4:
		r.n = 0;
		memset(r.pair, 0, sizeof r.pair);
		break;
	case 5:
		r.n = GATE_REACH_PAIRS + 1;
		break;
	case 6:
		r.n = 1; /* something beyond it */
		break;
	case 7:
		r.ttl_s = 0;
		break;
	case 8:
		r.ttl_s = GATE_REACH_MAX_S + 1;
		break;
	case 9:
		r.pair[1].port = 0;
		break;
	}
	ck_assert(!gate_reach_ok(&r));
}
END_TEST

START_TEST(what_no_relay_can_have_is_no_relay)
{
	static const struct {
		const char *text;
		bool ok;
	} cases[] = { { "127.0.0.1", false }, { "127.255.0.9", false },
		{ "0.0.0.0", false }, { "0.1.2.3", false },
		{ "224.0.0.1", false }, { "255.255.255.255", false },
		{ "223.255.255.255", true }, { "10.0.0.1", true },
		{ "126.0.0.1", true }, { "128.0.0.1", true },
		{ "::", false }, { "::1", false }, { "ff02::1", false },
		{ "2001:db8::1", true }, { "::2", true } };
	struct pol_addr a;

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		make_page();
		ck_assert(pol_addr_parse(&a, cases[i].text));
		memset(page.pair[1].addr, 0, sizeof page.pair[1].addr);
		page.pair[1].v6 = a.family == AF_INET6;
		if (a.family == AF_INET6)
			memcpy(page.pair[1].addr, &a.v6, sizeof a.v6);
		else
			memcpy(page.pair[1].addr, &a.v4, sizeof a.v4);
		ck_assert_msg(gate_relays_ok(&page) == cases[i].ok, "%s",
		    cases[i].text);
	}
}
END_TEST

START_TEST(map_bits_are_independent)
{
	uint8_t map[POL_MAX_LISTENERS / 8] = { 0 };

	for (unsigned i = 0; i < POL_MAX_LISTENERS; i += 3)
		gate_map_set(map, i);
	for (unsigned i = 0; i < POL_MAX_LISTENERS; i++)
		ck_assert_int_eq(gate_map_get(map, i), i % 3 == 0);
}
END_TEST

START_TEST(every_value_has_words)
{
	for (unsigned i = 0; i < GATE_NWANT; i++)
		ck_assert_str_ne(gate_position_name((enum gate_position)i),
		    "unknown");
	for (unsigned i = 0; i < GATE_NWHY; i++)
		ck_assert_str_ne(gate_reason_text((enum gate_reason)i),
		    "unknown");
	ck_assert_str_eq(gate_position_name(GATE_NWANT), "unknown");
	ck_assert_str_eq(gate_reason_text(GATE_NWHY), "unknown");
}
END_TEST

/* There must be no hidden octets in what is sent: the kernel copies all. */
START_TEST(messages_have_no_padding)
{
	ck_assert_uint_eq(sizeof req, 4 * 2 + 8 * 3 + 4 * 2 +
	    sizeof req.proven + sizeof req.ifaddr);
	ck_assert_uint_eq(sizeof rep, 4 * 4 + 8 * 2 + 4 * 4 + 8 * 6 +
	    8 * GATE_NCLOSE_US + 4 * 6 +
	    8 + 4 * 4);
	ck_assert_uint_eq(sizeof(struct gate_reach),
	    4 * 6 + GATE_REACH_PAIRS * 20);
	ck_assert_uint_eq(sizeof page, 4 * 6 + GATE_RELAYS_PAGE * 20);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("gatemsg");
	TCase *tc = tcase_create("gatemsg");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, zeroes_are_no_request);
	tcase_add_loop_test(tc, closed_and_tor_only_carry_nothing, 0, 2);
	tcase_add_loop_test(tc, open_needs_a_lease_within_bounds, 0, 6);
	tcase_add_test(tc, open_needs_a_proof_time);
	tcase_add_test(tc, sync_is_bound_as_open_is);
	tcase_add_test(tc, a_page_is_in_order);
	tcase_add_loop_test(tc, a_page_that_is_not_in_order_is_none, 0,
	    NSPOILS);
	tcase_add_test(tc, single_addresses_are_in_order);
	tcase_add_loop_test(tc,
	    single_addresses_that_are_not_in_order_are_none, 0, 10);
	tcase_add_test(tc, what_no_relay_can_have_is_no_relay);
	tcase_add_test(tc,
	    addresses_are_of_known_families_and_only_when_open);
	tcase_add_test(tc, unknown_values_are_refused);
	tcase_add_test(tc, map_bits_are_independent);
	tcase_add_test(tc, every_value_has_words);
	tcase_add_test(tc, messages_have_no_padding);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
