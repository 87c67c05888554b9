/* Which pages of lists of relays the gate lets through, and in what order. */
#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "supervisor/gate/core.h"
#include "tests/unit/gate_rig.h"

static struct gate_relays page;

static void
make_page(uint32_t first, uint32_t n, uint32_t total)
{
	memset(&page, 0, sizeof page);
	page.magic = GATE_RELAYS_MAGIC;
	page.generation = 7;
	page.first = first;
	page.n = n;
	page.total = total;
	for (uint32_t i = 0; i < n; i++) {
		page.pair[i].addr[0] = 20;
		page.pair[i].port = 443;
		page.pair[i].v6 = i % 2;
	}
}

static void
assert_taken(void)
{
	struct gate_decision d = gate_core_page(&core, &page);

	ck_assert_int_eq(d.act, GATE_ACT_PAGE);
	ck_assert(!d.drop_engine);
}

static void
assert_rejected(void)
{
	struct gate_decision d;

	be_open(T0);
	d = gate_core_page(&core, &page);
	ck_assert_int_eq(d.act, GATE_ACT_CLOSE);
	ck_assert(d.drop_engine);
	assert_closed(EPOCH + 1, GATE_WHY_BAD_REQUEST);
	ck_assert_uint_eq(core.list.generation, 0);
}

START_TEST(pages_in_order_are_taken)
{
	be_open(T0);
	make_page(0, 1000, 2001);
	assert_taken();
	make_page(1000, 1000, 2001);
	assert_taken();
	make_page(2000, 1, 2001);
	assert_taken();
	ck_assert_uint_eq(core.list.got4, 1001);
	ck_assert_uint_eq(core.list.got6, 1000);
	ck_assert_int_eq(core.pos, GATE_OPEN); /* no position is touched */
	ck_assert_uint_eq(core.epoch, EPOCH);
	make_page(0, 0, 0);
	assert_taken();
}
END_TEST

START_TEST(a_first_page_starts_anew)
{
	make_page(0, 1000, 2001);
	assert_taken();
	make_page(0, 5, 6);
	assert_taken();
	make_page(5, 1, 6);
	assert_taken();
}
END_TEST

START_TEST(a_page_that_is_not_the_next_one_is_rejected)
{
	make_page(0, 1000, 3000);
	assert_taken();
	make_page(1000, 1000, 3000);
	switch (_i) {
	case 0:
		page.first = 999;
		break;
	case 1:
		page.first = 1001;
		break;
	case 2:
		page.first = 2000;
		break;
	case 3:
		page.total++;
		break;
	case 4:
		page.generation++;
		break;
	case 5:
		page.pair[0].port = 0;
		break;
	}
	assert_rejected();
}
END_TEST

START_TEST(a_list_does_not_begin_in_the_middle)
{
	make_page(1000, 10, 3000);
	assert_rejected();
}
END_TEST

START_TEST(a_page_after_the_last_is_rejected)
{
	make_page(0, 10, 10);
	assert_taken();
	make_page(10, 1, 11); /* its total does not fit; nor could it */
	assert_rejected();
}
END_TEST

START_TEST(without_strict_egress_there_are_no_pages)
{
	core.strict = false;
	make_page(0, 1, 1);
	assert_rejected();
}
END_TEST

/* The sets of a family have room for so many. */
START_TEST(too_many_of_one_family_are_rejected)
{
	const uint32_t total = 2 * POL_MAX_RELAYS;
	uint32_t at = 0;

	for (; at + GATE_RELAYS_PAGE <= POL_MAX_RELAYS;
	    at += GATE_RELAYS_PAGE) {
		make_page(at, GATE_RELAYS_PAGE, total);
		for (uint32_t i = 0; i < page.n; i++)
			page.pair[i].v6 = (uint8_t)_i;
		assert_taken();
	}
	make_page(at, GATE_RELAYS_PAGE, total);
	for (uint32_t i = 0; i < page.n; i++)
		page.pair[i].v6 = (uint8_t)_i;
	assert_rejected();
}
END_TEST

/* A list is one engine's. */
START_TEST(another_engine_does_not_go_on_with_it)
{
	(void)gate_core_engine(&core);
	make_page(0, 1000, 2000);
	assert_taken();
	if (_i == 0)
		(void)gate_core_engine(&core);
	else
		(void)gate_core_engine_gone(&core);
	make_page(1000, 1000, 2000);
	ck_assert(gate_core_page(&core, &page).drop_engine);
}
END_TEST

START_TEST(only_size_and_magic_make_a_page)
{
	make_page(0, 1, 1);
	ck_assert(gate_core_is_page(&page, sizeof page));
	ck_assert(!gate_core_is_page(&page, sizeof page - 1));
	ck_assert(!gate_core_is_page(&page, sizeof page + 1));
	ck_assert(!gate_core_is_page(&page, 0));
	page.magic = GATE_MAGIC;
	ck_assert(!gate_core_is_page(&page, sizeof page));
	ck_assert(gate_core_request(&core, &page, sizeof page, T0,
	    0).drop_engine);
}
END_TEST

static Suite *
make_suite(void)
{
	Suite *s = suite_create("gate_page");
	TCase *tc = tcase_create("page");

	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, pages_in_order_are_taken);
	tcase_add_test(tc, a_first_page_starts_anew);
	tcase_add_loop_test(tc, a_page_that_is_not_the_next_one_is_rejected,
	    0, 6);
	tcase_add_test(tc, a_list_does_not_begin_in_the_middle);
	tcase_add_test(tc, a_page_after_the_last_is_rejected);
	tcase_add_test(tc, without_strict_egress_there_are_no_pages);
	tcase_add_loop_test(tc, too_many_of_one_family_are_rejected, 0, 2);
	tcase_add_loop_test(tc, another_engine_does_not_go_on_with_it, 0, 2);
	tcase_add_test(tc, only_size_and_magic_make_a_page);
	suite_add_tcase(s, tc);
	return s;
}

int
main(void)
{
	SRunner *sr = srunner_create(make_suite());
	int failed;

	srunner_run_all(sr, CK_NORMAL);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
