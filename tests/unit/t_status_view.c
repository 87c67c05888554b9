#include <check.h>
#include <stddef.h>
#include <string.h>

#include "supervisor/status/view.h"
#include "tests/unit/status_sample.h"

static const struct {
	size_t at;
	uint32_t value;
} invalid[] = {
	{ offsetof(struct snapshot, magic), 0 },
	{ offsetof(struct snapshot, gate.magic), 1 },
	{ offsetof(struct snapshot, gate.position), GATE_NWANT },
	{ offsetof(struct snapshot, gate.known), 2 },
	{ offsetof(struct snapshot, gate.why), GATE_NWHY },
	{ offsetof(struct snapshot, gate_fresh), 2 },
	{ offsetof(struct snapshot, hold), 2 },
	{ offsetof(struct snapshot, nfacts), 33 },
	{ offsetof(struct snapshot, boot_progress), 101 },
	{ offsetof(struct snapshot, boot_progress), (uint32_t)-2 },
	{ offsetof(struct snapshot, circuit_established), 2 },
	{ offsetof(struct snapshot, enough_dir_info), 2 },
	{ offsetof(struct snapshot, nlisteners), POL_MAX_LISTENERS + 1 },
	{ offsetof(struct snapshot, nlisteners_proven), 6 },
	{ offsetof(struct snapshot, ntrouble), 6 },
	{ offsetof(struct snapshot, nwithheld), 6 },
	{ offsetof(struct snapshot, nalarm), 3 },
	{ offsetof(struct snapshot, tor.enabled), SNAP_NKNOWN },
	{ offsetof(struct snapshot, tor.dormant), SNAP_NKNOWN },
	{ offsetof(struct snapshot, tor.usable), SNAP_NKNOWN },
	{ offsetof(struct snapshot, tor.auth), SNAP_NAUTH },
	{ offsetof(struct snapshot, tor.clock), SNAP_NCLOCK },
	{ offsetof(struct snapshot, tor.timesync), SNAP_NTS },
	{ offsetof(struct snapshot, tor.skew_known), 2 },
	{ offsetof(struct snapshot, extra[1].kind), POL_NKIND },
	{ offsetof(struct snapshot, extra[1].alarm), 2 },
};

START_TEST(invalid_snapshot_is_refused_and_changes_nothing)
{
	struct status_view v, before;
	struct snapshot s;

	sample_view(&v);
	before = v;
	sample_snapshot(&s);
	s.nextra = 2;
	memcpy((char *)&s + invalid[_i].at, &invalid[_i].value,
	    sizeof invalid[_i].value);
	ck_assert(!status_view_take(&v, &s, sizeof s, SAMPLE_NOW + 1));
	ck_assert_mem_eq(&v.snap, &before.snap, sizeof v.snap);
	ck_assert_uint_eq(v.taken_ns, before.taken_ns);
}
END_TEST

START_TEST(size_must_be_exact)
{
	char buf[sizeof(struct snapshot) + 1] = { 0 };
	struct status_view v;
	struct snapshot s;

	sample_view(&v);
	sample_snapshot(&s);
	memcpy(buf, &s, sizeof s);
	ck_assert(!status_view_take(&v, buf, sizeof s - 1, SAMPLE_NOW));
	ck_assert(!status_view_take(&v, buf, sizeof s + 1, SAMPLE_NOW));
	ck_assert(!status_view_take(&v, buf, 0, SAMPLE_NOW));
	ck_assert(status_view_take(&v, buf, sizeof s, SAMPLE_NOW));
}
END_TEST

START_TEST(what_always_moves_is_no_change)
{
	struct status_key a, b;
	struct status_view v;

	sample_view(&v);
	status_key_of(&a, &v, SAMPLE_NOW);
	v.snap.seq++;
	v.snap.gate.seq++;
	v.snap.gate.at_ns++;
	v.snap.gate.lease_ms--;
	status_key_of(&b, &v, SAMPLE_NOW + 2000);
	ck_assert(status_key_same(&a, &b));
	v.snap.gate.lease_ms = 0;
	status_key_of(&b, &v, SAMPLE_NOW + 2000);
	ck_assert(!status_key_same(&a, &b));
}
END_TEST

START_TEST(silence_is_a_change)
{
	struct status_key a, b;
	struct status_view v;

	sample_view(&v);
	status_key_of(&a, &v, SAMPLE_NOW);
	status_key_of(&b, &v, SAMPLE_NOW + STATUS_SNAP_MAX_NS + 1);
	ck_assert(!status_key_same(&a, &b));
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("status_view");
	TCase *tc = tcase_create("view");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc,
	    invalid_snapshot_is_refused_and_changes_nothing, 0,
	    (int)(sizeof invalid / sizeof invalid[0]));
	tcase_add_test(tc, size_must_be_exact);
	tcase_add_test(tc, what_always_moves_is_no_change);
	tcase_add_test(tc, silence_is_a_change);
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? 0 : 1;
}
