/* The checks on what crosses between engine and gate. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/gatemsg.h"

static struct gate_req req;
static struct gate_report rep;

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
	req.reserved = 1;
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
	ck_assert_uint_eq(sizeof rep, 4 * 4 + 8 * 2 + 4 * 4 + 8 * 5 + 4 * 2);
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
