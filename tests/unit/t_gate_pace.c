/*
 * When the gate refreshes Tor's lease and looks round, whatever the rhythm of
 * the engine's requests: in virtual time.
 */
#include <check.h>
#include <stdlib.h>

#include "policy/policy.h"
#include "supervisor/gate/pace.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)
#define T0 (5 * S)
#define LONG (40 * S)

/* How often something happened, and how far apart at most. */
struct rhythm {
	uint64_t n, last, most;
};

static struct pace pace;
static struct rhythm beats, looks;
static uint64_t wakes;
static bool ahead; /* the next time was always to come */

static void
note(struct rhythm *r, uint64_t now)
{
	const uint64_t gap = now - r->last;

	if (r->n++ != 0 && gap > r->most)
		r->most = gap;
	r->last = now;
}

static void
wake(uint64_t now, bool asked)
{
	wakes++;
	if (pace_beat(&pace, now, asked))
		note(&beats, now);
	if (pace_look(&pace, now, asked))
		note(&looks, now);
	ahead = ahead && pace_next(&pace) > now;
}

/* A request each EVERY (0: none), COUNT at a time, until T0 + LONG. */
static void
play(uint32_t lease_ms, uint64_t every, unsigned count)
{
	uint64_t request = every != 0 ? T0 + every : UINT64_MAX, now = T0;

	beats = looks = (struct rhythm){ 0 };
	wakes = 0;
	ahead = true;
	pace_init(&pace, lease_ms);
	wake(now, false);
	while (now < T0 + LONG) {
		const bool asked = request <= pace_next(&pace);

		now = asked ? request : pace_next(&pace);
		for (unsigned i = 0; i < (asked ? count : 1); i++)
			wake(now, asked);
		if (asked)
			request += every;
	}
	ck_assert(ahead);
}

static const uint32_t leases[] = { POL_LEASE_MIN_MS, 400, 1000, 4000,
	POL_LEASE_MAX_MS };
/* Thousandths of the interval at which the engine asks; 0: never. */
static const uint64_t parts[] = { 0, 10, 70, 100, 333, 499, 500, 501, 750, 900,
	996, 1000, 1004, 1100, 1249, 1250, 1499, 1500, 1501, 1999, 2001, 3999 };
#define NLEASES (sizeof leases / sizeof leases[0])
#define NPARTS (sizeof parts / sizeof parts[0])

START_TEST(neither_starved_nor_driven)
{
	const uint32_t lease_ms = leases[(size_t)_i % NLEASES];
	const uint64_t interval = lease_ms * MS / 4;
	const uint64_t every = interval * parts[(size_t)_i / NLEASES] / 1000;

	for (unsigned count = 1; count <= 16; count += 15) {
		play(lease_ms, every, count);
		ck_assert_uint_le(beats.most, interval + interval / 2);
		ck_assert_uint_le(beats.n, LONG / (interval / 2) + 2);
		ck_assert_uint_le(looks.most, S + S / 8);
		ck_assert_uint_le(looks.n, LONG / (S - S / 4) + 2);
	}
}
END_TEST

/* Half of the lease is left when Tor's is refreshed, at the least. */
START_TEST(the_lease_never_runs_low)
{
	for (uint64_t every = 5; every < 500; every += 3) {
		play(1000, every * MS, 1);
		ck_assert_uint_le(beats.most, 500 * MS);
	}
}
END_TEST

START_TEST(with_requests_the_timer_wakes_nobody)
{
	const uint64_t interval = 250 * MS;

	for (int late = -20; late <= 20; late += 5) {
		play(1000, interval + (uint64_t)(late * (int)MS), 1);
		ck_assert_uint_le(wakes, LONG / (interval - 20 * MS) + 2);
		ck_assert_uint_ge(looks.n, LONG / S * 8 / 9);
	}
}
END_TEST

START_TEST(nothing_is_made_up_for)
{
	for (int asked = 0; asked <= 1; asked++) {
		play(1000, 250 * MS, 1);
		beats.n = looks.n = 0;
		wake(T0 + 2 * LONG, asked);
		ck_assert_uint_eq(beats.n, 1);
		ck_assert_uint_eq(looks.n, 1);
		wake(T0 + 2 * LONG, asked);
		wake(T0 + 2 * LONG + 1, asked);
		ck_assert_uint_eq(beats.n, 1);
		ck_assert_uint_eq(looks.n, 1);
	}
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("gate_pace");
	TCase *tc = tcase_create("pace");
	SRunner *sr;
	int failed;

	tcase_add_loop_test(tc, neither_starved_nor_driven, 0,
	    (int)(NLEASES * NPARTS));
	tcase_add_test(tc, the_lease_never_runs_low);
	tcase_add_test(tc, with_requests_the_timer_wakes_nobody);
	tcase_add_test(tc, nothing_is_made_up_for);
	tcase_set_timeout(tc, 60); /* by the clock, on a machine with others */
	suite_add_tcase(s, tc);
	sr = srunner_create(s);
	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	srunner_free(sr);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
