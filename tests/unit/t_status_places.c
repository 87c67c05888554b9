#include <check.h>
#include <stdlib.h>

#include "supervisor/status/places.h"

#define MOST 16
#define ROOT 0
#define MALLORY 1000
#define ALICE 1001

static struct status_places p;

static void
setup(void)
{
	status_places_init(&p, MOST);
}

/* As the fanout does it.  False: refused. */
static bool
come(uid_t uid, bool staff)
{
	struct status_user *u;

	if (status_places_full(&p)) {
		u = status_places_yield(&p, uid, staff);
		if (u == NULL)
			return false;
		status_places_leave(&p, u);
	}
	(void)status_places_take(&p, uid, staff);
	return true;
}

static unsigned
come_all(uid_t uid, bool staff, unsigned n)
{
	unsigned in = 0;

	while (n-- > 0)
		in += come(uid, staff);
	return in;
}

static size_t
held_by(uid_t uid)
{
	const struct status_user *u;

	LIST_FOREACH(u, &p.users, link)
		if (u->uid == uid)
			return u->held;
	return 0;
}

static void
teardown(void)
{
	while (!LIST_EMPTY(&p.users))
		status_places_leave(&p, LIST_FIRST(&p.users));
	ck_assert_uint_eq(p.held, 0);
	ck_assert_uint_eq(p.staff, 0);
}

START_TEST(one_may_have_what_nobody_else_wants)
{
	ck_assert_uint_eq(come_all(MALLORY, false, 2 * MOST), MOST);
	ck_assert(status_places_full(&p));
	ck_assert_uint_eq(held_by(MALLORY), MOST);
}
END_TEST

START_TEST(one_gives_way_until_both_have_half)
{
	(void)come_all(MALLORY, false, MOST);
	ck_assert_uint_eq(come_all(ALICE, false, MOST), MOST / 2);
	ck_assert_uint_eq(held_by(MALLORY), MOST / 2);
	ck_assert_uint_eq(come_all(MALLORY, false, MOST), 0);
	ck_assert_uint_eq(held_by(ALICE), MOST / 2);
}
END_TEST

START_TEST(guests_give_way_to_staff)
{
	(void)come_all(MALLORY, false, MOST / 2);
	(void)come_all(ALICE, false, MOST / 2);
	ck_assert_uint_eq(come_all(ROOT, true, MOST / 2), MOST / 2);
	ck_assert_uint_eq(p.staff, MOST / 2);
	/* And nobody takes them away again. */
	ck_assert_uint_eq(come_all(2000, false, 1), 1);
	ck_assert_uint_eq(p.staff, MOST / 2);
}
END_TEST

/* However many users there are with a place each. */
START_TEST(staff_get_in_past_a_crowd)
{
	uid_t uid;

	for (uid = 1; uid <= MOST; uid++)
		ck_assert(come(uid, false));
	ck_assert(!come(uid, false));
	ck_assert(come(ROOT, true));
	ck_assert_uint_eq(p.held, MOST);
}
END_TEST

/* Staff that ran wild are no reason to keep everybody else out. */
START_TEST(staff_with_more_than_half_give_way)
{
	ck_assert_uint_eq(come_all(ROOT, true, 2 * MOST), MOST);
	ck_assert(come_all(ALICE, false, MOST) >= MOST / 2 - 1);
	ck_assert_uint_ge(p.staff, MOST / 2);
}
END_TEST

START_TEST(a_member_of_the_group_is_another_than_a_guest_of_the_same_uid)
{
	(void)come_all(MALLORY, false, MOST);
	ck_assert(come(MALLORY, true));
	ck_assert_uint_eq(p.staff, 1);
}
END_TEST

START_TEST(place_that_is_left_is_free)
{
	(void)come_all(MALLORY, false, MOST);
	status_places_leave(&p, LIST_FIRST(&p.users));
	ck_assert(!status_places_full(&p));
	ck_assert(come(ALICE, false));
	ck_assert_uint_eq(held_by(MALLORY), MOST - 1);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("status_places");
	TCase *tc = tcase_create("places");
	SRunner *sr;
	int failed;

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, one_may_have_what_nobody_else_wants);
	tcase_add_test(tc, one_gives_way_until_both_have_half);
	tcase_add_test(tc, guests_give_way_to_staff);
	tcase_add_test(tc, staff_get_in_past_a_crowd);
	tcase_add_test(tc, staff_with_more_than_half_give_way);
	tcase_add_test(tc,
	    a_member_of_the_group_is_another_than_a_guest_of_the_same_uid);
	tcase_add_test(tc, place_that_is_left_is_free);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
