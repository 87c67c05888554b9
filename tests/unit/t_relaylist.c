#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "controlproto/ns.h"
#include "supervisor/engine/relaylist.h"

static void
add(struct relaylist *l, const char *text)
{
	struct cp_endpoint at;

	ck_assert_int_eq(cp_endpoint_parse(&at, cp_str_of(text), 0), CP_OK);
	relaylist_add(l, &at);
}

/* N different pairs of IPv4, or of IPv6, the last ones first. */
static void
add_many(struct relaylist *l, uint32_t n, bool v6)
{
	struct cp_endpoint at = { .port = 443, .v6 = v6, .addr = { 0x20 } };

	while (n-- > 0) {
		at.addr[1] = (uint8_t)(n >> 16);
		at.addr[2] = (uint8_t)(n >> 8);
		at.addr[3] = (uint8_t)n;
		relaylist_add(l, &at);
	}
}

START_TEST(is_sorted_and_has_each_pair_once)
{
	static const uint8_t first[4] = { 192, 0, 2, 1 };
	struct relaylist l = { 0 };

	add(&l, "[2001:db8::1]:443");
	add(&l, "192.0.2.9:80");
	add(&l, "192.0.2.1:443");
	add(&l, "192.0.2.9:80");
	add(&l, "[2001:db8::1]:443");
	add(&l, "192.0.2.1:80");
	ck_assert_int_eq(relaylist_finish(&l), 0);
	ck_assert_uint_eq(l.n, 4);
	ck_assert_mem_eq(l.pair[0].addr, first, sizeof first);
	ck_assert_uint_eq(l.pair[3].v6, 1);
	ck_assert_uint_eq(l.pair[3].port, 443);
	relaylist_clear(&l);
}
END_TEST

START_TEST(leaves_out_what_no_relay_can_have)
{
	struct relaylist l = { 0 };

	add(&l, "127.0.0.1:443");
	add(&l, "0.0.0.0:443");
	add(&l, "224.0.0.1:443");
	add(&l, "[::1]:443");
	add(&l, "[::]:443");
	add(&l, "[ff02::1]:443");
	ck_assert_int_eq(relaylist_finish(&l), 0);
	ck_assert_uint_eq(l.n, 0);
	relaylist_clear(&l);
}
END_TEST

START_TEST(the_order_of_arrival_does_not_matter)
{
	struct relaylist a = { 0 }, b = { 0 };

	add(&a, "192.0.2.1:1");
	add(&a, "192.0.2.2:1");
	add(&b, "192.0.2.2:1");
	add(&b, "192.0.2.1:1");
	ck_assert(relaylist_finish(&a) == 0 && relaylist_finish(&b) == 0);
	ck_assert(relaylist_equal(&a, &b));
	add(&b, "192.0.2.1:2");
	ck_assert_int_eq(relaylist_finish(&b), 0);
	ck_assert(!relaylist_equal(&a, &b));
	relaylist_clear(&a);
	relaylist_clear(&b);
	ck_assert(relaylist_equal(&a, &b));
}
END_TEST

START_TEST(each_family_has_room_of_its_own)
{
	struct relaylist l = { 0 };

	add_many(&l, POL_MAX_RELAYS, false);
	add_many(&l, POL_MAX_RELAYS, true);
	ck_assert_int_eq(relaylist_finish(&l), 0);
	ck_assert_uint_eq(l.n, 2 * POL_MAX_RELAYS);
	relaylist_clear(&l);
	add_many(&l, POL_MAX_RELAYS + 1, _i == 1);
	ck_assert_int_eq(relaylist_finish(&l), -1);
	relaylist_clear(&l);
}
END_TEST

START_TEST(is_never_collected_without_end)
{
	struct relaylist l = { 0 };

	for (int i = 0; i < 5; i++)
		add_many(&l, POL_MAX_RELAYS, false);
	ck_assert_int_eq(relaylist_finish(&l), -1);
	ck_assert_uint_le(l.cap, 4 * POL_MAX_RELAYS);
	relaylist_clear(&l);
}
END_TEST

/* Whatever the length, the gate takes each page, and gets every pair. */
START_TEST(pages_make_up_the_list)
{
	static const uint32_t sizes[] = { 0, 1, GATE_RELAYS_PAGE - 1,
		GATE_RELAYS_PAGE, GATE_RELAYS_PAGE + 1,
		3 * GATE_RELAYS_PAGE + 7 };
	struct relaylist l = { 0 };
	struct gate_relays *page = malloc(sizeof *page);
	size_t at = 0;

	ck_assert_ptr_nonnull(page);
	add_many(&l, sizes[_i], false);
	ck_assert_int_eq(relaylist_finish(&l), 0);
	do {
		relaylist_page(page, &l, at, 7);
		ck_assert(gate_relays_ok(page));
		ck_assert_uint_eq(page->first, at);
		ck_assert_uint_eq(page->generation, 7);
		if (page->n > 0)
			ck_assert_mem_eq(page->pair, l.pair + at,
			    page->n * sizeof page->pair[0]);
		at += page->n;
	} while (at < l.n);
	ck_assert_uint_eq(at, sizes[_i]);
	free(page);
	relaylist_clear(&l);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("relaylist");
	TCase *tc = tcase_create("relaylist");
	SRunner *sr;
	int failed;

	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, is_sorted_and_has_each_pair_once);
	tcase_add_test(tc, leaves_out_what_no_relay_can_have);
	tcase_add_test(tc, the_order_of_arrival_does_not_matter);
	tcase_add_loop_test(tc, each_family_has_room_of_its_own, 0, 2);
	tcase_add_test(tc, is_never_collected_without_end);
	tcase_add_loop_test(tc, pages_make_up_the_list, 0, 6);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
